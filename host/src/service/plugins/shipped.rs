//! Versions that come with the program, at its start: a version that does not take the present settings does not serve.
//!
//! Nothing is refused here, since there is no caller. The version that served goes on serving; the log and the page of
//! the plugin say why. If no version serves that could go on, the new one does: a rule that copes with some settings is
//! better than none.

use crate::domain::access::Caller;
use crate::domain::revision::Author;
use crate::domain::{Kind, Plugin};
use crate::plugin::Manifest;
use crate::store::{Expect, Snapshot};

use super::super::{Error, PluginSource, Service};
use super::fit::Draft;
use super::settle::{Also, Settling};
use super::{PluginError, item};

impl Service {
    /// Returns whether a version that came with the program may serve at once: because it takes all settings as they
    /// are, or because no version serves that could go on.
    pub(in crate::service) fn shipped_fits(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &Plugin,
        manifest: &Manifest,
    ) -> Result<bool, Error> {
        let settled = self.settings_outlook(snapshot, name, plugin, manifest)?;
        if settled.unfit.is_empty() && settled.migrated.is_empty() {
            return Ok(true);
        }
        let serves = plugin.active.and_then(|version| plugin.versions.get(&version));
        let there =
            serves.map(|digest| self.platform()?.manifest(&self.store, digest).map_err(Error::from)).transpose()?;
        let may = there.flatten().is_none();
        if may && !settled.unfit.is_empty() {
            tracing::warn!(
                "plugin `{name}` {} serves, though settings do not fit it: {}",
                manifest.version,
                settled.unfit
            );
        }
        Ok(may)
    }

    /// Activates versions that came with the program and waited because settings have to be migrated for them.
    pub(in crate::service) fn migrate_to_shipped(&self) -> Result<(), Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(()) };
        let snapshot = self.store.snapshot()?;
        for (name, _) in snapshot.entries(Kind::Plugin) {
            let Some(manifest) = platform.waiting(name, item(&snapshot, name)?) else { continue };
            let author = Author::new("loadout", "a version that shipped with this program");
            let settling = Settling { caller: &Caller::admin(), anyway: false };
            let done = self.change_plugin(name, Expect::Anything, &author, |service, snapshot, plugin| {
                let mut draft = Draft::new(snapshot);
                let settled = service.settle_settings(&mut draft, name, plugin, manifest, settling)?;
                plugin.activate(manifest.version);
                Ok(Also { changes: draft.into_changes(), settled })
            });
            match done {
                Err(Error::Plugin(refused @ PluginError::UnfitSettings { .. })) => tracing::warn!("{refused}"),
                done => drop(done?),
            }
        }
        Ok(())
    }

    /// Returns why a version that came with the program does not serve. Nothing if it serves, or is not meant to.
    pub(super) fn held_back(&self, snapshot: &Snapshot, name: &str, plugin: &Plugin) -> Result<Option<String>, Error> {
        let Some(manifest) = self.platform()?.waiting(name, plugin) else { return Ok(None) };
        let (name, version) = (name.to_owned(), manifest.version);
        let unfit = Box::new(self.settings_outlook(snapshot, &name, plugin, manifest)?.unfit);
        Ok(Some(if unfit.is_empty() {
            format!(
                "plugin `{name}` {version} came with the program, and settings fit it now: activate it, or start the program again"
            )
        } else {
            PluginError::UnfitSettings { name, version, unfit }.to_string()
        }))
    }
}
