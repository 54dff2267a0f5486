//! How many plugins an environment takes, and how much of the machine they may hold.
//!
//! Refuses a change that adds to a quota that is full. What is there already goes on, and can be switched off and
//! removed. Plugins that came with the product do not count.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{Digest, Item, Kind, Plugin};
use crate::service::{Error, PluginSource, Service};
use crate::store::{Change, Layer, Snapshot};

use super::PluginError;

/// Most plugins that did not come with the product.
const PLUGINS: usize = 200;

/// Most versions of one plugin.
const VERSIONS: usize = 50;

/// Most bytes of the components of all versions of all plugins.
const COMPONENTS: u64 = 2 << 30;

/// Most bytes of compiled code of the versions that serve or are tried, which is held in memory.
const CODE: u64 = 1 << 30;

/// Most bytes of components that are kept in all. Beyond it, the oldest are deleted that no plugin has as a version any
/// more.
const KEPT: u64 = 8 << 30;

/// The storage and memory that plugins take.
#[derive(Debug, Default, PartialEq)]
struct Usage {
    versions: BTreeMap<String, usize>,
    components: u64,
    code: u64,
}

impl Usage {
    /// Counts what `plugins` take, where a component has `size` bytes and its compiled code `code` bytes.
    fn of(plugins: &BTreeMap<&str, &Plugin>, size: impl Fn(&Digest) -> u64, code: impl Fn(&Digest) -> u64) -> Self {
        let (mut named, mut run) = (HashSet::new(), HashSet::new());
        for plugin in plugins.values() {
            named.extend(plugin.versions.values());
            run.extend(plugin.serving().map(|(_, digest)| digest));
            run.extend(plugin.trying().map(|(_, digest)| digest));
        }
        let counted = plugins.iter().filter(|(_, plugin)| !plugin.versions.is_empty());
        Self {
            versions: counted.map(|(name, plugin)| ((*name).to_owned(), plugin.versions.len())).collect(),
            components: named.into_iter().map(size).sum(),
            code: run.into_iter().map(code).sum(),
        }
    }

    /// Refuses a usage that is over a limit and more than `before`.
    fn check(&self, before: &Self) -> Result<(), PluginError> {
        let count = self.versions.len();
        if count > PLUGINS && count > before.versions.len() {
            return Err(PluginError::TooManyPlugins { most: PLUGINS });
        }
        for (name, count) in &self.versions {
            if *count > VERSIONS && Some(count) > before.versions.get(name) {
                return Err(PluginError::TooManyVersions { name: name.clone(), most: VERSIONS });
            }
        }
        if self.components > COMPONENTS && self.components > before.components {
            return Err(PluginError::NoRoomForComponents { mebibytes: COMPONENTS >> 20 });
        }
        if self.code > CODE && self.code > before.code {
            return Err(PluginError::NoRoomForCode { mebibytes: CODE >> 20 });
        }
        Ok(())
    }
}

impl Service {
    /// Refuses changes after which plugins would take more than they may. `new` are components, with their bytes, that
    /// the store does not have yet.
    pub(in crate::service) fn must_have_room(
        &self,
        snapshot: &Snapshot,
        changes: &[Change],
        new: &[(&Digest, usize)],
    ) -> Result<(), Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(()) };
        let custom = snapshot.entries(Kind::Plugin).filter(|(_, entry)| entry.layer == Layer::Custom);
        let before: BTreeMap<&str, &Plugin> =
            custom.filter_map(|(name, entry)| Some((&**name, Plugin::from_any(&entry.item)?))).collect();
        let mut after = before.clone();
        for change in changes {
            match change {
                Change::Put { name, item, .. } if item.kind() == Kind::Plugin => {
                    let is_shipped =
                        snapshot.entry(Kind::Plugin, name).is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
                    if let Some(plugin) = Plugin::from_any(item).filter(|_| !is_shipped) {
                        after.insert(name, plugin);
                    }
                }
                Change::Delete { kind: Kind::Plugin, name, .. } => {
                    after.remove(&**name);
                }
                _ => {}
            }
        }
        let kept: HashMap<Digest, u64> = self.store.component_sizes()?.into_iter().collect();
        let size = |digest: &Digest| {
            let new = || new.iter().find(|(new, _)| *new == digest).map(|(_, size)| *size as u64);
            kept.get(digest).copied().or_else(new).unwrap_or_default()
        };
        let code = |digest: &Digest| platform.loader().kept_code(digest);
        Ok(Usage::of(&after, size, code).check(&Usage::of(&before, size, code))?)
    }

    /// Deletes what plugins left behind: compiled code that the newest revision does not need, and the oldest
    /// components that it does not name, if there is too much of either.
    pub(in crate::service) fn tidy_plugins(&self) {
        let PluginSource::Installed(platform) = &self.machinery else { return };
        let tidied = self.store.snapshot().and_then(|snapshot| {
            platform.tidy(&snapshot);
            let plugins = snapshot.entries(Kind::Plugin).filter_map(|(_, entry)| Plugin::from_any(&entry.item));
            let named: HashSet<Digest> = plugins.flat_map(|plugin| plugin.versions.values().cloned()).collect();
            self.store.forget_components(snapshot.revision(), &named, KEPT)
        });
        match tidied {
            Ok(0) => {}
            Ok(count) => tracing::warn!(
                count,
                "the oldest components that no plugin has as a version any more were taken away: questions about the past lack them"
            ),
            Err(error) => tracing::error!(%error, "what plugins left behind could not be taken away"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PluginVersion;
    use crate::domain::access::Caller;
    use crate::domain::revision::Author;
    use crate::plugin::{ChildCompiler, Compiler, Config};
    use crate::service::plugins::Activation;
    use crate::service::runtime::platform::{Platform, PlatformOptions, change};
    use crate::store::Store;

    fn digest(of: &str) -> Digest {
        Digest::of(of.as_bytes())
    }

    fn plugin(name: &str, versions: u32) -> Plugin {
        let version = |patch| PluginVersion { major: 1, minor: 0, patch };
        let versions = (0..versions).map(|at| (version(at), digest(&format!("{name} {at}"))));
        Plugin { versions: versions.collect(), active: Some(version(0)), ..Plugin::default() }
    }

    /// Returns why `after` is refused over `before`, where a component has `size` bytes and is compiled to `code`.
    fn refused(before: &[(String, Plugin)], after: &[(String, Plugin)], size: u64, code: u64) -> Option<String> {
        let usage = |plugins: &[(String, Plugin)]| {
            let plugins = plugins.iter().map(|(name, plugin)| (name.as_str(), plugin)).collect();
            Usage::of(&plugins, |_| size, |_| code)
        };
        usage(after).check(&usage(before)).err().map(|error| error.to_string())
    }

    #[test]
    fn a_plugin_too_many_is_refused_before_it_is_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let compiler = Compiler::Child(ChildCompiler::new("/nowhere", Default::default()));
        let platform = Platform::open(folder.path(), PlatformOptions { config: Config::default(), compiler }).unwrap();
        let author = Author::new("ada", "a test");
        // They are off, so no catalog lacks them.
        let off = |plugin| Plugin { state: crate::domain::State::Inactive, ..plugin };
        let there = named(PLUGINS, 1).into_iter().map(|(name, plugin)| Change::put(name, off(plugin)));
        store.install(&[], change(store.newest().unwrap(), there.collect()), &author).unwrap();
        let service = Service::with(store, PluginSource::Installed(Box::new(platform)));
        let [scripts] = loadout_plugins::ALL.iter().filter(|it| it.name == "scripts").collect::<Vec<_>>()[..] else {
            panic!("the built-in plugin is gone")
        };
        let manifest = "[plugin]\npublisher = 'contoso'\nname = 'one-more'\nversion = '1.0.0'\nworld = 'loadout:plugin/tool@0.1.0'\ndescription = 'Decides.'\n[tool]\nkinds = ['one-more']\n";
        let component = loadout_plugin_build::embed_manifest(scripts.component, manifest).unwrap();
        let how = Activation { activate: false, accept_major: false, past_gate: false, anyway: false };
        let install = || service.install_plugin(&Caller::admin(), &component, how, &author).unwrap_err().to_string();
        assert!(install().starts_with("there are 200 plugins"), "{}", install());
        service.remove_plugin("contoso/p000", crate::store::Expect::Anything, true, &author).unwrap();
        assert!(install().contains("the compiler cannot be started"), "{}", install());
    }

    fn named(count: usize, versions: u32) -> Vec<(String, Plugin)> {
        (0..count).map(|at| (format!("contoso/p{at:03}"), plugin(&format!("p{at:03}"), versions))).collect()
    }

    #[test]
    fn what_is_too_much_is_refused_by_name_and_what_is_there_already_can_be_mended() {
        const MIB: u64 = 1 << 20;
        let (few, many) = (named(PLUGINS, 1), named(PLUGINS + 1, 1));
        assert_eq!(refused(&[], &few, MIB, MIB), None);
        insta::assert_snapshot!(refused(&few, &many, MIB, MIB).unwrap(), @"there are 200 plugins that did not come with the product, and no more are taken: take one away with `DELETE /api/v1/plugins/{publisher}/{name}` first");
        assert_eq!(refused(&many, &many, MIB, MIB), None, "what is there stays, and can be changed");
        assert_eq!(refused(&named(PLUGINS + 2, 1), &many, MIB, MIB), None, "and be taken away");

        let (few, many) = (named(1, 50), named(1, 51));
        assert_eq!(refused(&[], &few, MIB, MIB), None);
        insta::assert_snapshot!(refused(&few, &many, MIB, MIB).unwrap(), @"plugin `contoso/p000` has 50 versions, and no more are taken: take one away with `DELETE /api/v1/plugins/contoso/p000/versions/{version}` first");

        let (few, many) = (named(1, 32), named(1, 33));
        assert_eq!(refused(&[], &few, 64 * MIB, MIB), None, "one of them serves");
        insta::assert_snapshot!(refused(&few, &many, 64 * MIB, MIB).unwrap(), @"the components of all plugins would have more than 2048 MiB: take versions away that are not needed, with `DELETE /api/v1/plugins/{publisher}/{name}/versions/{version}`");

        let (few, many) = (named(16, 2), named(17, 2));
        assert_eq!(refused(&[], &few, MIB, 64 * MIB), None, "what does not serve is not held");
        insta::assert_snapshot!(refused(&few, &many, MIB, 64 * MIB).unwrap(), @"the plugins that serve would hold more than 1024 MiB of compiled code in memory: switch one off that is not needed, or install this one with `?activate=false`");
        let mut off = many.clone();
        off[16].1.state = crate::domain::State::Inactive;
        assert_eq!(refused(&few, &off, MIB, 64 * MIB), None);
    }
}
