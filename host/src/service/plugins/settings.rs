//! Settings of plugins, checked against the schemas of the plugins when a change writes them.
//!
//! Settings that were there before are not checked: the rule itself says in its answer which it cannot use. Settings of
//! an import are written, and its report says which do not fit. No plugin is called.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::{AnyItem, Item, Kind, PlacedTool, Problem, Profile, free_json};
use crate::plugin::SettingsSchema;
use crate::store::{Change, ChangeSet, Snapshot};

use crate::service::{Error, PluginError, PluginSource, Service};

impl Service {
    /// Refuses profiles that give a tool settings which the schema of its rule forbids.
    pub(in crate::service) fn check_settings(&self, changes: &ChangeSet, library: &Snapshot) -> Result<(), Error> {
        match self.settings_refused(changes, library)?.into_iter().next() {
            Some((_, refused)) => Err(refused.into()),
            None => Ok(()),
        }
    }

    /// Returns the profiles among `changes` with new settings that are refused, each with the reason.
    pub(in crate::service) fn settings_refused(
        &self,
        changes: &ChangeSet,
        library: &Snapshot,
    ) -> Result<Vec<(Arc<str>, PluginError)>, Error> {
        let mut refused = Vec::new();
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(refused) };
        for change in &changes.changes {
            let Change::Put { name, item: AnyItem::Profile(profile), .. } = change else { continue };
            let before = library.entry(Kind::Profile, name).and_then(|entry| Profile::from_any(&entry.item));
            let known = before.map(|profile| profile.productivity_pane.tools.as_slice()).unwrap_or_default();
            let is_new = |place: &PlacedTool| {
                !known.iter().any(|there| there.tool == place.tool && there.settings == place.settings)
            };
            let tools = profile.productivity_pane.tools.iter().enumerate();
            for (at, place) in tools.filter(|(_, place)| !place.settings.is_empty() && is_new(place)) {
                let Some(tool) = library.get(&place.tool) else { continue };
                let catalog = platform.catalog(&self.store, library)?;
                let attribute = format!("productivityPane.tools[{at}].settings");
                if let Err(error) = check(&attribute, catalog.settings(tool.kind.as_str()), &place.settings) {
                    refused.push((Arc::clone(name), error));
                }
            }
        }
        Ok(refused)
    }
}

/// Refuses `settings` that are larger than any may be, or that `schema` forbids.
pub(in crate::service) fn check(
    attribute: &str,
    schema: Option<&SettingsSchema>,
    settings: &Map<String, Value>,
) -> Result<(), PluginError> {
    free_json::check(attribute, settings).map_err(|problem| PluginError::Settings { problems: vec![problem] })?;
    let Some(schema) = schema else { return Ok(()) };
    let problems: Vec<Problem> = schema.problems(attribute, &Value::Object(settings.clone()));
    if problems.is_empty() { Ok(()) } else { Err(PluginError::Settings { problems }) }
}
