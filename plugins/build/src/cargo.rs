//! The nested cargo that compiles plugins, several in one call.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::environment::{RUSTFLAGS, is_inherited, rustflags};
use crate::{Error, TARGET, target};

/// The profile plugins are compiled with. Given on the command line, so that a plugin from anywhere is compiled alike.
const PROFILE: [&str; 7] = [
    "profile.guest.inherits='release'",
    "profile.guest.opt-level=3",
    "profile.guest.lto=true",
    "profile.guest.codegen-units=1",
    "profile.guest.panic='abort'",
    "profile.guest.strip=true",
    "profile.guest.debug=false",
];

/// Plugins to compile, all of one workspace.
#[derive(Debug, Clone)]
pub struct Guests {
    manifest: PathBuf,
    target_folder: PathBuf,
    in_build_script: bool,
    selection: Vec<String>,
    asked: Vec<String>,
    profile: Vec<String>,
}

/// A plugin that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guest {
    /// The name of the library or example, with underscores as in code.
    pub name: String,
    /// The folder of its package, where `plugin.toml` lies.
    pub folder: PathBuf,
    /// The component, without a manifest yet.
    pub component: PathBuf,
}

impl Guests {
    /// Plugins of the workspace or package whose `Cargo.toml` is given, compiled into a target folder of their own.
    ///
    /// The folder must not be the target folder of a cargo that is running.
    pub fn new(manifest: impl Into<PathBuf>, target_folder: impl Into<PathBuf>) -> Self {
        let (manifest, target_folder) = (manifest.into(), target_folder.into());
        let profile = PROFILE.map(str::to_owned).to_vec();
        Self { manifest, target_folder, in_build_script: false, selection: Vec::new(), asked: Vec::new(), profile }
    }

    /// As [`Guests::new`], for build scripts: the target folder is shared by all build scripts of the workspace, and
    /// cargo is told which files to watch.
    pub fn from_build_script(manifest: impl Into<PathBuf>) -> Result<Self, Error> {
        let out_dir = std::env::var_os("OUT_DIR").ok_or(Error::NotABuildScript("OUT_DIR"))?;
        let guests = Self::new(manifest, target::shared_folder(Path::new(&out_dir)));
        Ok(Self { in_build_script: true, ..guests })
    }

    /// The libraries of these packages. Each must have the crate type `cdylib`.
    #[must_use]
    pub fn packages<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.selection = vec!["--lib".to_owned()];
        for name in names {
            self.selection.extend(["--package".to_owned(), name.to_owned()]);
            self.asked.push(name.to_owned());
        }
        self
    }

    /// All examples of one package. Each must have the crate type `cdylib`.
    #[must_use]
    pub fn examples_of(mut self, package: &str) -> Self {
        self.selection = ["--examples", "--package", package].map(str::to_owned).to_vec();
        self.asked = vec![package.to_owned()];
        self
    }

    /// One example of one package. It must have the crate type `cdylib`.
    #[must_use]
    pub fn example_of(mut self, package: &str, example: &str) -> Self {
        self.selection = ["--example", example, "--package", package].map(str::to_owned).to_vec();
        self.asked = vec![package.to_owned()];
        self
    }

    /// The same with the names of their functions left in, so that the record of a trap says where it happened. Larger,
    /// and another component than without.
    #[must_use]
    pub fn with_names(mut self) -> Self {
        self.profile.push("profile.guest.strip='debuginfo'".to_owned());
        self
    }

    /// The same hardly optimised and with line tables, so that code can be told from the line it stands in. Much
    /// larger, and slower.
    #[must_use]
    pub fn with_lines(mut self) -> Self {
        let settings = ["opt-level=0", "lto=false", "strip=false", "debug='line-tables-only'"];
        self.profile.extend(settings.map(|setting| format!("profile.guest.{setting}")));
        self
    }

    /// Compiles them and returns them sorted by name. Cargo reports on standard error.
    pub fn build(&self) -> Result<Vec<Guest>, Error> {
        target::ensure()?;
        let mut command = self.command();
        let started = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
        let output = started.map_err(|source| Error::Start { program: command.get_program().into(), source })?;
        if !output.status.success() {
            let words = command.get_args().map(|word| word.to_string_lossy());
            return Err(Error::Compile { command: format!("cargo {}", words.collect::<Vec<_>>().join(" ")) });
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut guests: Vec<Guest> = messages.iter().filter_map(guest).collect();
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        for asked in &self.asked {
            let gave_one = |it: &&Value| {
                let package = it.get("package_id").and_then(Value::as_str).unwrap_or_default();
                guest(it).is_some() && is_package(package, asked)
            };
            if !messages.iter().any(|it| gave_one(&it)) {
                return Err(Error::NoComponent { asked: asked.clone() });
            }
        }
        if self.in_build_script {
            self.watch(&messages, &guests);
        }
        Ok(guests)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            if !is_inherited(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command.env(RUSTFLAGS, rustflags());
        command.arg("build").arg("--manifest-path").arg(&self.manifest).arg("--target-dir").arg(&self.target_folder);
        command.args(["--target", TARGET, "--profile", "guest", "--message-format", "json-render-diagnostics"]);
        command.args(self.profile.iter().flat_map(|setting| ["--config", setting]));
        if self.lock_file().is_file() {
            command.arg("--locked");
        }
        command.args(&self.selection);
        command
    }

    fn lock_file(&self) -> PathBuf {
        self.manifest.with_file_name("Cargo.lock")
    }

    /// Tells the outer cargo every file the components were made of.
    fn watch(&self, messages: &[Value], guests: &[Guest]) {
        let mut watched = vec![self.manifest.clone(), self.lock_file()];
        let is_local = |it: &&Value| it["package_id"].as_str().is_some_and(|id| id.starts_with("path+"));
        let manifests = messages.iter().filter(is_local).filter_map(|it| it["manifest_path"].as_str());
        watched.extend(manifests.map(PathBuf::from));
        for guest in guests {
            watched.push(guest.folder.join("plugin.toml"));
            // Beside the component cargo leaves a list of the local files it was made of, those of dependencies
            // included.
            let sources = std::fs::read_to_string(guest.component.with_extension("d")).unwrap_or_default();
            watched.extend(sources_of(&sources));
        }
        watched.sort();
        watched.dedup();
        for path in watched.iter().filter(|path| path.exists()) {
            tell_cargo(&format!("cargo:rerun-if-changed={}", path.display()));
        }
    }
}

#[expect(clippy::print_stdout, reason = "a build script speaks to cargo on standard output")]
fn tell_cargo(line: &str) {
    println!("{line}");
}

/// The plugin a line of cargo's report speaks of, if it does.
fn guest(message: &Value) -> Option<Guest> {
    let name = message.pointer("/target/name")?.as_str()?.replace('-', "_");
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.to_owned();
    let files = message.get("filenames")?.as_array()?;
    let component = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"))?.into();
    Some(Guest { name, folder, component })
}

/// Returns whether a package id of cargo, such as `path+file:///x/scripts#loadout-plugin-scripts@0.1.0`, means a
/// package.
fn is_package(id: &str, name: &str) -> bool {
    let (address, version) = id.split_once('#').unwrap_or((id, ""));
    let given = version.split_once('@').map(|(given, _)| given);
    given.or_else(|| address.rsplit('/').next()) == Some(name)
}

/// The files named in a makefile of the form `output: file file`, in which spaces of names are written `\ `.
fn sources_of(makefile: &str) -> Vec<PathBuf> {
    let Some((_, files)) = makefile.split_once(": ") else { return Vec::new() };
    let files = files.lines().next().unwrap_or_default().replace("\\ ", "\0");
    files.split_whitespace().map(|file| PathBuf::from(file.replace('\0', " "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_report_tells_components_from_the_rest() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/plugins/scripts/Cargo.toml",
            "target":{"name":"my-rule"},"filenames":["/t/libmy_rule.rlib","/t/my_rule.wasm"]}"#;
        let expected =
            Guest { name: "my_rule".into(), folder: "/w/plugins/scripts".into(), component: "/t/my_rule.wasm".into() };
        assert_eq!(guest(&serde_json::from_str(line).unwrap()), Some(expected));
        for other in [r#"{"reason":"build-finished"}"#, "[]", &line.replace(".wasm", ".rmeta")] {
            assert_eq!(guest(&serde_json::from_str(other).unwrap()), None, "for {other}");
        }
    }

    #[test]
    fn package_ids_of_both_forms_are_understood() {
        for (id, name, expected) in [
            ("path+file:///w/scripts#loadout-plugin-scripts@0.1.0", "loadout-plugin-scripts", true),
            ("path+file:///w/my-rule#0.1.0", "my-rule", true),
            ("path+file:///w/scripts#loadout-plugin-scripts@0.1.0", "scripts", false),
            ("", "my-rule", false),
        ] {
            assert_eq!(is_package(id, name), expected, "for {id}");
        }
    }

    #[test]
    fn the_list_of_sources_keeps_spaces_of_names() {
        let found = sources_of("/t/a.wasm: /w/a.rs /w/my\\ rules/b.rs\n\n/w/a.rs:\n");
        assert_eq!(found, [PathBuf::from("/w/a.rs"), PathBuf::from("/w/my rules/b.rs")]);
        assert!(sources_of("").is_empty());
    }
}
