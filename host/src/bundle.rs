//! Offline bundles: plugins with everything needed to install them elsewhere, in one zip file.
//!
//! A bundle has `bundle.json` and one file for each component, named by its digest. The same plugins make the same
//! bytes. Refuses the whole bundle if a file is missing or superfluous, or if a component does not fit its digest.
//! Whether a component works is checked when it is installed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{Digest, PluginVersion, StepOverride};
use crate::export::{self, pack_each};
use crate::import::{Archive, ArchiveError, TOTAL_MAX};
use crate::plugin::Loader;

/// The name of the file that lists the plugins.
const INDEX: &str = "bundle.json";

/// The version of the format this program writes and reads.
const FORMAT: u32 = 1;

/// The most plugins of a bundle.
pub const PLUGINS_MAX: usize = 64;

/// The plugins of a bundle, with their components.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The plugins, by name.
    pub plugins: Vec<Bundled>,
    /// The components, by digest.
    pub components: BTreeMap<Digest, Vec<u8>>,
}

/// A version of a plugin in a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundled {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version of the plugin.
    pub version: PluginVersion,
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// The size of the component, in bytes.
    pub size: u64,
    /// The short names of the keys that signed the component. For people: an installation checks the signatures in the
    /// component.
    pub signers: Vec<String>,
    /// Whether the version served in the environment it comes from.
    pub served: bool,
    /// The settings of the plugin's steps in the environment it comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepOverride>,
}

/// The content of [`INDEX`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: u32,
    plugins: Vec<Bundled>,
}

/// Why a bundle is not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be unpacked, or is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The bundle could not be packed.
    #[error(transparent)]
    Pack(export::Error),
    /// The archive has no list of plugins.
    #[error(
        "the archive is no bundle of plugins: `{INDEX}` is not in it; choose the file that `loadout plugin export` made"
    )]
    NotABundle,
    /// The list of plugins cannot be read.
    #[error("`{INDEX}` cannot be read: {0}")]
    Index(String),
    /// The bundle is of a later version of the format.
    #[error("the bundle is of format {0}, and this program reads format {FORMAT}: use a newer one")]
    Format(u32),
    /// The bundle has no plugin.
    #[error("the bundle has no plugin: install one first, or name one that came with the product")]
    Empty,
    /// The bundle has too many plugins.
    #[error("the bundle has {0} plugins, {PLUGINS_MAX} are allowed: make several bundles")]
    TooMany(usize),
    /// The components have too many bytes.
    #[error(
        "the components of the bundle have {size} bytes, {TOTAL_MAX} are allowed: make several bundles, with `?plugin=…` or `--plugin`"
    )]
    TooLarge {
        /// The number of bytes.
        size: u64,
    },
    /// A plugin occurs twice.
    #[error("plugin `{0}` occurs twice in the bundle: make it again")]
    Twice(String),
    /// The file of a component is missing.
    #[error("`{file}`, the component of plugin `{plugin}`, is not in the bundle: make it again")]
    Missing {
        /// The file.
        file: String,
        /// The plugin.
        plugin: String,
    },
    /// A component does not fit its digest.
    #[error(
        "`{file}` is not the component of plugin `{plugin}` that the bundle was made with: make it again, or look who changed it"
    )]
    Tampered {
        /// The file.
        file: String,
        /// The plugin.
        plugin: String,
    },
    /// A file belongs to no plugin.
    #[error("`{0}` belongs to no plugin of the bundle: take it out")]
    Stray(String),
}

impl Bundle {
    /// The bundle as a zip file: the same bytes for the same plugins.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        Self::pack(self.plugins.clone(), |bundled| {
            let missing = || Error::Missing { file: file(&bundled.digest), plugin: bundled.plugin.clone() };
            self.components.get(&bundled.digest).cloned().ok_or_else(missing)
        })
    }

    /// Packs `plugins` into a zip file. Calls `component` for one component after the other, and holds at most one of
    /// them besides the file. Refuses too many plugins or bytes before the first call.
    pub fn pack<E: From<Error>>(
        plugins: Vec<Bundled>,
        component: impl Fn(&Bundled) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        Self::check(plugins.iter().map(|bundled| bundled.size))?;
        let index = serde_json::json!(Index { format: FORMAT, plugins: plugins.clone() });
        let index = Ok::<_, E>((INDEX.to_owned(), format!("{index:#}\n").into_bytes()));
        let by_digest: BTreeMap<&Digest, &Bundled> = plugins.iter().map(|bundled| (&bundled.digest, bundled)).collect();
        let components = by_digest.into_iter().map(|(digest, bundled)| Ok::<_, E>((file(digest), component(bundled)?)));
        let zip = pack_each(std::iter::once(index).chain(components).map(|file| file.map_err(Packing::Component)));
        let zip = zip.map_err(|error| match error {
            Packing::Component(error) => error,
            Packing::Pack(error) => Error::Pack(error).into(),
        })?;
        // Refuses a bundle that could not be read back.
        Self::visit(&zip, |_, _| {})?;
        Ok(zip)
    }

    /// Refuses a bundle of no or too many plugins, or with too many bytes of components in total.
    pub fn check(sizes: impl Iterator<Item = u64>) -> Result<(), Error> {
        let (mut count, mut size) = (0, 0_u64);
        for one in sizes {
            (count, size) = (count + 1, size.saturating_add(one));
        }
        match count {
            0 => Err(Error::Empty),
            1..=PLUGINS_MAX if size > TOTAL_MAX => Err(Error::TooLarge { size }),
            1..=PLUGINS_MAX => Ok(()),
            count => Err(Error::TooMany(count)),
        }
    }

    /// Reads a zip file that [`Bundle::write`] made.
    pub fn read(zip: &[u8]) -> Result<Self, Error> {
        let mut components = BTreeMap::new();
        let plugins = Self::visit(zip, |digest, component| {
            components.insert(digest.clone(), component);
        })?;
        Ok(Self { plugins, components })
    }

    /// Reads a zip file, and passes each component to `show` once its digest is checked.
    fn visit(zip: &[u8], mut show: impl FnMut(&Digest, Vec<u8>)) -> Result<Vec<Bundled>, Error> {
        let mut files = Archive::read(zip)?;
        let index = files.take(INDEX)?.ok_or(Error::NotABundle)?;
        let plugins = index_of(&index)?;
        let mut names = BTreeSet::new();
        for Bundled { plugin, digest, size, .. } in &plugins {
            if !names.insert(plugin.as_str()) {
                return Err(Error::Twice(plugin.clone()));
            }
            let (file, plugin) = (file(digest), plugin.clone());
            let Some(component) = files.take(&file)? else { return Err(Error::Missing { file, plugin }) };
            if component.len() as u64 != *size || Loader::digest(&component) != *digest {
                return Err(Error::Tampered { file, plugin });
            }
            show(digest, component);
        }
        match files.paths().next() {
            Some(file) => Err(Error::Stray(file.to_owned())),
            None => Ok(plugins),
        }
    }
}

/// Why packing stopped.
enum Packing<E> {
    Component(E),
    Pack(export::Error),
}

impl<E> From<export::Error> for Packing<E> {
    fn from(error: export::Error) -> Self {
        Self::Pack(error)
    }
}

fn index_of(text: &[u8]) -> Result<Vec<Bundled>, Error> {
    /// The only key that all formats have.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }

    let unreadable = |error: serde_json::Error| Error::Index(error.to_string());
    let Head { format } = serde_json::from_slice(text).map_err(unreadable)?;
    if format != FORMAT {
        return Err(Error::Format(format));
    }
    let Index { plugins, .. } = serde_json::from_slice(text).map_err(unreadable)?;
    match plugins.len() {
        0 => Err(Error::Empty),
        1..=PLUGINS_MAX => Ok(plugins),
        count => Err(Error::TooMany(count)),
    }
}

fn file(digest: &Digest) -> String {
    format!("components/{digest}.wasm")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::{Value, json};

    use super::*;
    use crate::export::pack;

    type Files = Vec<(String, Vec<u8>)>;

    fn bundle(components: &[(&str, &[u8])]) -> Bundle {
        let plugin = |(name, bytes): &(&str, &[u8])| Bundled {
            plugin: format!("contoso/{name}"),
            version: "1.0.0".parse().unwrap(),
            digest: Loader::digest(bytes),
            size: bytes.len() as u64,
            signers: Vec::new(),
            served: true,
            steps: BTreeMap::new(),
        };
        Bundle {
            plugins: components.iter().map(plugin).collect(),
            components: components.iter().map(|(_, bytes)| (Loader::digest(bytes), bytes.to_vec())).collect(),
        }
    }

    #[test]
    fn a_bundle_comes_out_as_it_went_in_and_is_the_same_bytes() {
        let made = bundle(&[("desk", b"one"), ("chair", b"two")]);
        let zip = made.write().unwrap();
        assert_eq!(Bundle::read(&zip).unwrap(), made);
        assert_eq!(Bundle::read(&zip).unwrap().write().unwrap(), zip);
    }

    #[test]
    fn what_is_too_much_is_refused_before_any_component_is_asked_for() {
        let of = |count: usize, size: u64| {
            let plugin = |at: usize| Bundled {
                plugin: format!("contoso/p{at}"),
                version: "1.0.0".parse().unwrap(),
                digest: Loader::digest(&at.to_le_bytes()),
                size,
                signers: Vec::new(),
                served: true,
                steps: BTreeMap::new(),
            };
            let asked = Cell::new(0);
            let made = Bundle::pack((0..count).map(plugin).collect(), |_| {
                asked.set(asked.get() + 1);
                Err(Error::NotABundle)
            });
            (made.unwrap_err().to_string(), asked.into_inner())
        };
        let no_component = Error::NotABundle.to_string();
        assert_eq!(of(0, 1), (Error::Empty.to_string(), 0));
        assert_eq!(of(PLUGINS_MAX + 1, 1), (Error::TooMany(PLUGINS_MAX + 1).to_string(), 0));
        assert_eq!(of(2, TOTAL_MAX / 2), (no_component, 1), "the first that is not there ends it");
        insta::assert_snapshot!(of(2, TOTAL_MAX / 2 + 1).0, @"the components of the bundle have 268435458 bytes, 268435456 are allowed: make several bundles, with `?plugin=…` or `--plugin`");
        assert_eq!(of(2, TOTAL_MAX / 2 + 1).1, 0);
    }

    #[test]
    fn what_is_not_as_the_index_says_is_refused_by_name() {
        let refused = |change: &dyn Fn(&mut Value, &mut Files)| {
            let made = bundle(&[("desk", b"one")]);
            let mut index = json!(Index { format: FORMAT, plugins: made.plugins.clone() });
            let mut files = vec![(file(&made.plugins[0].digest), b"one".to_vec())];
            change(&mut index, &mut files);
            files.push((INDEX.to_owned(), index.to_string().into_bytes()));
            Bundle::read(&pack(&files).unwrap()).unwrap_err().to_string()
        };
        let component = file(&Loader::digest(b"one"));
        assert_eq!(
            refused(&|_, files| files[0].1 = b"two".to_vec()),
            format!(
                "`{component}` is not the component of plugin `contoso/desk` that the bundle was made with: make it again, or look who changed it"
            )
        );
        assert!(refused(&|index, _| index["plugins"][0]["size"] = json!(4)).contains("is not the component of"));
        assert_eq!(
            refused(&|_, files| files.clear()),
            format!("`{component}`, the component of plugin `contoso/desk`, is not in the bundle: make it again")
        );
        assert_eq!(
            refused(&|_, files| files.push(("components/x".to_owned(), Vec::new()))),
            "`components/x` belongs to no plugin of the bundle: take it out"
        );
        assert_eq!(
            refused(&|index, _| {
                let again = index["plugins"][0].clone();
                index["plugins"].as_array_mut().unwrap().push(again);
            }),
            "plugin `contoso/desk` occurs twice in the bundle: make it again"
        );
        assert_eq!(
            refused(&|index, _| *index = json!({"format": 2, "packages": []})),
            "the bundle is of format 2, and this program reads format 1: use a newer one"
        );
        assert_eq!(
            refused(&|index, _| index["plugins"] = json!([])),
            "the bundle has no plugin: install one first, or name one that came with the product"
        );
        assert!(refused(&|index, _| index["plugins"][0]["grants"] = json!(1)).contains("unknown field `grants`"));
        let stranger = pack(&[("solution.xml".to_owned(), Vec::new())]).unwrap();
        assert!(matches!(Bundle::read(&stranger), Err(Error::NotABundle)));
        assert!(matches!(Bundle::read(b"PK"), Err(Error::Archive(_))));
    }
}
