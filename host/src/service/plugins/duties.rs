//! The tool kinds that plugins answer for, kept when the plugins stop serving them.
//!
//! A plugin that is switched off, waits for a decision, or serves with a newer version that declares fewer kinds still
//! answers for its tool kinds until an administrator gives them up by name (`fallBack`). So a rule that is absent never
//! gives way to one that shows more. A roll-back, and a version that is older, restore the former state, and keep
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::access::{Caller, Privilege};
use crate::domain::{AnyItem, Digest, Duties, Item, Kind, PaneTool, Plugin, WithoutRule};
use crate::plugin::Manifest;
use crate::resolve::ToolRules;
use crate::store::{Change, ChangeSet, Declared, Layer, Snapshot};

use super::super::{Error, PluginSource, Service};
use super::PluginError;

impl Service {
    /// Returns the duties of the version of `plugin` that serves: the tool kinds it answers for.
    pub(in crate::service) fn duties(&self, plugin: &Plugin) -> Result<Duties, Error> {
        plugin.serving().map_or(Ok(Duties::default()), |(_, digest)| self.duties_of(plugin, digest))
    }

    /// Returns the duties of a component of `plugin`. If its manifest cannot be read any more, returns the duties kept
    /// of it, with every step as a guard.
    pub(super) fn duties_of(&self, plugin: &Plugin, digest: &Digest) -> Result<Duties, Error> {
        if let Some(manifest) = self.platform()?.manifest(&self.store, digest)? {
            return Ok(manifest.duties(&plugin.steps));
        }
        let written = self.store.declared_kinds(self.store.newest()?)?.remove(digest);
        let Some(Declared { duties: Duties { rules, guards, steps }, .. }) = written else {
            return Ok(Duties::default());
        };
        Ok(Duties { rules, guards: guards.into_iter().chain(steps).collect(), steps: BTreeSet::new() })
    }

    /// Makes `plugin` answer for the kinds that the serving version has and `next` has not, before `next` takes its
    /// place.
    pub(super) fn hand_over(&self, plugin: &mut Plugin, next: &Manifest) -> Result<(), Error> {
        if plugin.active.is_some_and(|before| next.version > before) {
            let before = self.duties(plugin)?;
            plugin.answers_for.add(before);
        }
        plugin.answers_for.subtract(&next.duties(&plugin.steps));
        Ok(())
    }

    /// Returns the duties of the plugins that administrators installed, for an export.
    pub(in crate::service) fn exported_duties(&self, snapshot: &Snapshot) -> Result<BTreeMap<String, Duties>, Error> {
        let PluginSource::Installed(_) = &self.machinery else { return Ok(BTreeMap::new()) };
        let mut exported = BTreeMap::new();
        for (name, entry) in snapshot.entries(Kind::Plugin).filter(|(_, entry)| entry.layer == Layer::Custom) {
            let Some(plugin) = Plugin::from_any(&entry.item) else { continue };
            let mut duties = plugin.answers_for.clone();
            duties.add(self.duties(plugin)?);
            if !duties.is_empty() {
                exported.insert(name.to_string(), duties);
            }
        }
        Ok(exported)
    }

    /// Refuses to note plugins that `changes` expects and that would hide tools about which something decides here,
    /// unless `caller` has the privilege `plugin.configure`. Tools of other kinds are hidden already.
    pub(in crate::service) fn may_expect(
        &self,
        caller: &Caller,
        expects: &BTreeSet<Arc<str>>,
        changes: &ChangeSet,
        here: &Snapshot,
    ) -> Result<(), Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(()) };
        if expects.is_empty() || caller.has(Privilege::PluginConfigure) {
            return Ok(());
        }
        let catalog = platform.catalog(&self.store, here)?;
        for change in &changes.changes {
            let Change::Put { name, item: AnyItem::Plugin(plugin), .. } = change else { continue };
            let Duties { rules, guards, .. } = &plugin.answers_for;
            let decided = rules.union(guards).filter(|kind| catalog.has_rule(kind));
            let kinds: Vec<String> = decided.cloned().collect();
            if expects.contains(name) && !kinds.is_empty() {
                return Err(PluginError::ExpectedAndDecided { name: name.to_string(), kinds }.into());
            }
        }
        Ok(())
    }

    /// Refuses to remove a plugin if tools would be shown that it may have hidden.
    pub(super) fn may_be_forgotten(&self, snapshot: &Snapshot, name: &str, plugin: &Plugin) -> Result<(), Error> {
        let mut duties = plugin.answers_for.clone();
        duties.add(self.duties(plugin)?);
        let mut would_show = duties.guards;
        for (shipped, entry) in snapshot.entries(Kind::Plugin).filter(|(_, entry)| entry.layer == Layer::OutOfTheBox) {
            if let Some(other) = Plugin::from_any(&entry.item).filter(|_| **shipped != *name) {
                let others = self.duties(other)?.rules;
                would_show.extend(duties.rules.iter().filter(|kind| others.contains(*kind)).cloned());
            }
        }
        let environment = snapshot.environment().plugins.without_rule;
        let shown = snapshot.all::<PaneTool>().filter(|(_, tool)| {
            tool.without_rule.unwrap_or(environment) == WithoutRule::Show && duties.rules.contains(tool.kind.as_str())
        });
        would_show.extend(shown.map(|(_, tool)| tool.kind.to_string()));
        if would_show.is_empty() {
            return Ok(());
        }
        Err(PluginError::FallsBack { name: name.to_owned(), kinds: would_show.into_iter().collect() }.into())
    }
}
