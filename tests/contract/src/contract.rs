//! One version of the contract, as a folder of WIT files.

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;
use wit_component::{ComponentEncoder, StringEncoding, WitPrinter, dummy_module, embed_component_metadata};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{ManglingAndAbi, PackageId, Resolve, SourceMap, WorldId, WorldKey};

/// A folder that is no contract.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is no folder of WIT files: {reason}", folder.display())]
pub struct ReadError {
    folder: PathBuf,
    reason: String,
}

/// A version of the contract: one package, and its worlds.
pub struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    /// Reads the package in a folder.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        Self::edited(folder, |_, text| text)
    }

    /// Reads the package in a folder as it would be with other texts: each file is known by its name, such as
    /// `context.wit`.
    pub fn edited(folder: &Path, edit: impl Fn(&str, String) -> String) -> Result<Self, ReadError> {
        let failed = |reason: String| ReadError { folder: folder.to_owned(), reason };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(error.to_string()))? {
            let path = entry.map_err(|error| failed(error.to_string()))?.path();
            if path.extension().is_some_and(|it| it == "wit") {
                files.push(path);
            }
        }
        files.sort();
        let mut sources = SourceMap::default();
        for path in files {
            let text = fs::read_to_string(&path).map_err(|error| failed(format!("`{}`: {error}", path.display())))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            sources.push(&path, edit(&name, text));
        }
        let group = sources.parse().map_err(|(sources, error)| failed(error.render(&sources)))?;
        let mut resolve = Resolve::default();
        let package = resolve.push_group(group).map_err(|error| failed(format!("{error:#}")))?;
        Ok(Self { resolve, package })
    }

    /// Its version; 0.0.0 if it says none.
    pub fn version(&self) -> Version {
        self.resolve.packages[self.package].name.version.clone().unwrap_or_else(|| Version::new(0, 0, 0))
    }

    /// The same under another version, for what is compared by its types alone.
    pub(crate) fn under(&self, version: &Version) -> Self {
        let mut resolve = self.resolve.clone();
        resolve.packages[self.package].name.version = Some(version.clone());
        Self { resolve, package: self.package }
    }

    /// All that was read, and the package in it.
    pub(crate) fn parts(&self) -> (&Resolve, PackageId) {
        (&self.resolve, self.package)
    }

    /// Its worlds by name, in the order they are written.
    pub(crate) fn worlds(&self) -> impl Iterator<Item = (&str, WorldId)> {
        self.resolve.packages[self.package].worlds.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// The world of this name.
    pub(crate) fn world(&self, name: &str) -> Option<WorldId> {
        self.resolve.packages[self.package].worlds.get(name).copied()
    }

    /// A component that imports and exports all the world of this name has, and does nothing. It has no manifest.
    pub fn guest(&self, world: &str) -> Result<Vec<u8>, String> {
        self.guest_of(self.world(world).ok_or_else(|| format!("`{world}` is no world of this contract"))?)
    }

    pub(crate) fn guest_of(&self, world: WorldId) -> Result<Vec<u8>, String> {
        let mut module = dummy_module(&self.resolve, world, ManglingAndAbi::Standard32);
        let said = |error| format!("{error:#}");
        embed_component_metadata(&mut module, &self.resolve, world, StringEncoding::UTF8).map_err(said)?;
        let encoder = ComponentEncoder::default().module(&module).map_err(said)?;
        encoder.validate(true).encode().map_err(said)
    }

    /// Whether a component could run on a host that offers and asks what a world of this contract says; if not, why.
    pub(crate) fn takes(&self, world: WorldId, component: &[u8]) -> Result<(), String> {
        wit_component::targets(&self.resolve, world, component).map_err(|error| {
            // Outermost it says only that something does not fit, and innermost where in a file that exists in memory
            // only.
            let reasons: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
            let reasons = reasons.join("\n");
            let lines = reasons.lines().skip(1).map(|line| line.split(" (at offset").next().unwrap_or_default());
            lines.collect::<Vec<_>>().join(": ")
        })
    }

    /// The functions of a world that a component does not import or export, as `interface.function`. The world must be
    /// one of this contract.
    pub fn unused(&self, world: &str, component: &[u8]) -> Result<Vec<String>, String> {
        let used = match decode(component).map_err(|error| format!("{error:#}"))? {
            DecodedWasm::Component(resolve, world) => functions(&resolve, world),
            DecodedWasm::WitPackage(..) => return Err("it is a package of types and no component".to_owned()),
        };
        let world = self.world(world).ok_or_else(|| format!("`{world}` is no world of this contract"))?;
        Ok(functions(&self.resolve, world).into_iter().filter(|name| !used.contains(name)).collect())
    }

    /// All of it as text, without comments.
    pub(crate) fn text(&self) -> Result<String, String> {
        let mut printer = WitPrinter::default();
        printer.emit_docs(false);
        printer.print(&self.resolve, self.package, &[]).map_err(|error| format!("{error:#}"))?;
        Ok(printer.output.to_string())
    }
}

/// The functions of all interfaces of a world.
fn functions(resolve: &Resolve, world: WorldId) -> Vec<String> {
    let world = &resolve.worlds[world];
    let keys = world.imports.keys().chain(world.exports.keys());
    let interfaces = keys.filter_map(|key| match key {
        WorldKey::Interface(id) => Some(&resolve.interfaces[*id]),
        WorldKey::Name(_) => None,
    });
    let named = interfaces.filter_map(|it| Some((it.name.as_deref()?, it)));
    named.flat_map(|(name, it)| it.functions.keys().map(move |function| format!("{name}.{function}"))).collect()
}
