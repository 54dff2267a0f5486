//! Tool kinds, checked against the kinds that plugins declare.
//!
//! A change is refused that gives a pane tool a kind which no plugin declares or ever declared, unless the tool says
//! that it needs no rule: most often the kind is misspelt. Tools that had the kind before, and tools of an import, are
//! written and reported.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::{AnyItem, Item, Kind, PaneTool, Problem, WithoutRule};
use crate::plugin::Catalog;
use crate::resolve::hidden_without_rule;
use crate::store::{Change, ChangeSet, Snapshot};

use crate::service::{Error, PluginError, PluginSource, Service};

/// Most kinds that a message names.
const NAMED: usize = 5;

/// A pane tool that is hidden from all people, because no rule decides about its kind or a step that guards it is
/// absent.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolWithoutRule {
    /// The unique name of the pane tool.
    pub tool: String,
    /// Its kind.
    pub kind: String,
    /// Why it is hidden, and what to do about it.
    pub reason: String,
}

impl Service {
    /// Returns the active pane tools that are hidden because no rule decides about them or a guard is absent, by name.
    pub fn tools_without_rule(&self) -> Result<Vec<ToolWithoutRule>, Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(Vec::new()) };
        let snapshot = self.store.snapshot()?;
        let catalog = platform.catalog(&self.store, &snapshot)?;
        let tools = snapshot.all::<PaneTool>().filter(|(_, tool)| tool.is_active());
        let without = tools.filter_map(|(name, tool)| without_rule(&snapshot, &catalog, name.as_str(), tool));
        Ok(without.collect())
    }

    /// Counts the active pane tools that are hidden because no rule decides about them or a guard is absent, by the
    /// catalog that is there: makes nothing ready.
    pub fn count_without_rule(&self) -> Result<usize, Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(0) };
        let Some(catalog) = platform.serving() else { return Ok(0) };
        let snapshot = self.store.snapshot()?;
        let tools = snapshot.all::<PaneTool>().filter(|(_, tool)| tool.is_active());
        Ok(tools.filter(|(name, tool)| without_rule(&snapshot, &catalog, name.as_str(), tool).is_some()).count())
    }

    /// Returns the pane tools that `changes` write or place in a profile, and that are hidden over `library` because no
    /// rule decides about them or a guard is absent.
    pub(in crate::service) fn written_without_rule(
        &self,
        changes: &ChangeSet,
        library: &Snapshot,
    ) -> Result<Vec<ToolWithoutRule>, Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(Vec::new()) };
        let catalog = platform.catalog(&self.store, library)?;
        let mut names = BTreeSet::new();
        let mut without = Vec::new();
        let mut look = |name: &str, tool: &PaneTool| {
            if names.insert(name.to_owned()) {
                without.extend(without_rule(library, &catalog, name, tool));
            }
        };
        for change in &changes.changes {
            match change {
                Change::Put { name, item: AnyItem::PaneTool(tool), .. } => look(name, tool),
                Change::Put { item: AnyItem::Profile(profile), .. } => {
                    for place in &profile.productivity_pane.tools {
                        if let Some(tool) = library.get(&place.tool) {
                            look(place.tool.as_str(), tool);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(without)
    }

    /// Refuses pane tools of an unknown kind, unless they say that they need no rule, or were of the kind before.
    pub(in crate::service) fn check_kinds(&self, changes: &ChangeSet, library: &Snapshot) -> Result<(), Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(()) };
        for change in &changes.changes {
            let Change::Put { name, item: AnyItem::PaneTool(tool), .. } = change else { continue };
            let before = library.entry(Kind::PaneTool, name).and_then(|entry| PaneTool::from_any(&entry.item));
            if tool.without_rule == Some(WithoutRule::Show) || before.is_some_and(|before| before.kind == tool.kind) {
                continue;
            }
            let catalog = platform.catalog(&self.store, library)?;
            let known = known(&catalog);
            let kind = tool.kind.as_str();
            if !known.contains(kind) {
                let near = near(kind, &known);
                let like = if near.is_empty() {
                    format!("known: `{}`", known.into_iter().take(NAMED).collect::<Vec<_>>().join("`, `"))
                } else {
                    format!("near it: `{}`", near.join("`, `"))
                };
                let message = format!(
                    "no plugin here declares or ever declared the tool kind `{kind}`, so the tool would be hidden: {like}; install the plugin first, or write `\"withoutRule\": \"show\"` if the tool needs no rule"
                );
                let problem = Problem { attribute: "kind".to_owned(), message, tolerable: false };
                return Err(PluginError::UnknownToolKind { problems: vec![problem] }.into());
            }
        }
        Ok(())
    }
}

fn without_rule(snapshot: &Snapshot, catalog: &Catalog, name: &str, tool: &PaneTool) -> Option<ToolWithoutRule> {
    let reason = hidden_without_rule(name, tool, &snapshot.environment(), catalog)?;
    Some(ToolWithoutRule { tool: name.to_owned(), kind: tool.kind.to_string(), reason })
}

/// Returns the kinds that a plugin declares, or once did.
fn known(catalog: &Catalog) -> BTreeSet<&str> {
    catalog.ruled_kinds().chain(catalog.all_absent().keys().map(String::as_str)).collect()
}

/// Returns the known kinds that `typed` is most likely a misspelling of, the likeliest first.
fn near<'k>(typed: &str, known: &BTreeSet<&'k str>) -> Vec<&'k str> {
    let most = typed.chars().count() / 3 + 1;
    let mut near: Vec<_> = known
        .iter()
        .map(|kind| (strsim::damerau_levenshtein(typed, kind), *kind))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, kind)| kind).take(NAMED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_kind_is_near_what_was_meant() {
        let known = ["knowledge-search", "macros", "scripts", "smart-assist"].into();
        for (typed, expected) in [
            ("macro", &["macros"][..]),
            ("marcos", &["macros"]),
            ("script", &["scripts"]),
            ("knowledgesearch", &["knowledge-search"]),
            ("smartassist", &["smart-assist"]),
            ("deliveries", &[]),
        ] {
            assert_eq!(near(typed, &known), expected, "{typed}");
        }
    }
}
