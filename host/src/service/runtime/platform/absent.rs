//! The tool kinds that plugins of a revision answer for and do not serve, noted in the catalog.
//!
//! A plugin that is switched off, waits for a decision, or was named by an import still answers for its tool kinds.
//! Tools that its rule or its steps may have hidden stay hidden until the plugin serves, or until an administrator
//! gives the kinds up.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Digest, Duties, Plugin};
use crate::plugin::Catalog;
use crate::resolve::{Absent, AbsentPart, ToolRules};
use crate::store;
use crate::store::{Declared, Store};

use super::Platform;
use crate::service::runtime::serving;

/// The tool kinds that the components of a revision declared when they were installed.
pub(super) type Written = BTreeMap<Digest, Declared>;

impl Platform {
    /// Notes the kinds that `plugins` answer for and do not serve. Plugins that serve are in the catalog already.
    pub(super) fn note_absent(
        &self,
        store: &Store,
        catalog: &mut Catalog,
        plugins: &[(&Arc<str>, &Plugin)],
        written: &Written,
    ) -> Result<(), store::Error> {
        for (name, plugin) in plugins {
            let mut duties = plugin.answers_for.clone();
            let lost = lost(catalog, plugin);
            if let Some((digest, _)) = &lost
                && let Some(Declared { duties: Duties { guards, steps, .. }, .. }) = written.get(*digest)
            {
                // The manifest cannot be read any more, so every step counts as a guard.
                duties.guards.extend(guards.iter().chain(steps).cloned());
            }
            if duties.is_empty() {
                continue;
            }
            let (why, next) = match lost {
                Some((_, reason)) => (
                    format!("plugin `{name}` cannot be used: {reason}"),
                    format!("install it again, or switch it off with `PUT /api/v1/plugins/{name}/state`"),
                ),
                None => self.why(store, name, plugin)?,
            };
            let next = format!(
                "{next}, or say `\"fallBack\": true` with `PUT /api/v1/plugins/{name}/state` to leave its tools to what else decides about them"
            );
            let (why, next): (Arc<str>, Arc<str>) = (why.into(), next.into());
            let Duties { rules, guards, steps } = duties;
            for (part, kinds) in [(AbsentPart::Rule, rules), (AbsentPart::Guard, guards), (AbsentPart::Step, steps)] {
                for kind in kinds {
                    catalog.add_absent(&kind, Absent { part, why: Arc::clone(&why), next: Arc::clone(&next) });
                }
            }
        }
        Ok(())
    }

    /// Notes the kinds that a plugin declared once and no plugin answers for now.
    pub(super) fn note_former(
        &self,
        store: &Store,
        catalog: &mut Catalog,
        plugins: &[(&Arc<str>, &Plugin)],
        written: &Written,
    ) -> Result<(), store::Error> {
        let mut declared_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Declared { plugin, duties } in written.values() {
            for kind in duties.rules.iter().filter(|kind| !catalog.has_rule(kind)) {
                declared_by.entry(kind).or_default().push(plugin);
            }
        }
        let mut former = Vec::new();
        for (kind, mut by) in declared_by {
            by.sort_unstable();
            let here = plugins.iter().find(|(name, _)| by.contains(&&***name));
            let (why, next) = match here {
                Some((name, plugin)) => self.why(store, name, plugin)?,
                None => {
                    let gone = by.first().copied().unwrap_or_default();
                    let why = format!("plugin `{gone}`, which declared it, is not here any more");
                    (why, "install it again with `POST /api/v1/plugins`".to_owned())
                }
            };
            let (part, why, next) = (AbsentPart::Former, why.into(), next.into());
            former.push((kind.to_owned(), Absent { part, why, next }));
        }
        former.into_iter().for_each(|(kind, absent)| catalog.add_absent(&kind, absent));
        Ok(())
    }

    /// Returns why a plugin does not serve the kinds it answers for, and what to do about it.
    fn why(&self, store: &Store, name: &str, plugin: &Plugin) -> Result<(String, String), store::Error> {
        if let Some((version, _)) = plugin.serving() {
            let why = format!("plugin `{name}` {version} serves and does not declare it");
            return Ok((why, format!("let a version that does serve with `POST /api/v1/plugins/{name}/activate`")));
        }
        let newest = plugin.versions.last_key_value().filter(|(_, digest)| !plugin.grants.contains_key(*digest));
        let waiting = match newest {
            Some((version, digest)) if !self.asked(store, digest)?.is_empty() => Some(*version),
            _ => None,
        };
        let serving::Idle { why, next, .. } = serving::idle(name, plugin, waiting);
        Ok((why, next))
    }
}

/// Returns the component of a plugin that should serve and whose manifest cannot be read, with the reason.
fn lost<'p>(catalog: &Catalog, plugin: &'p Plugin) -> Option<(&'p Digest, String)> {
    let (_, digest) = plugin.serving()?;
    let mut missing = catalog.missing().iter();
    let found = missing.find(|missing| missing.digest == digest.as_str() && missing.manifest.is_none())?;
    Some((digest, found.reason.clone()))
}
