//! Settings, checked against the schema of a version: which of them the version does not take.
//!
//! Changes nothing, and calls no plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{Item, Kind, Plugin, Profile, StepOverride};
use crate::plugin::{Manifest, SettingsSchema, escaped};
use crate::store::{Change, Expect, Layer, Snapshot};

use super::super::{Error, Service};
use crate::service::runtime::platform::Found;

/// Most problems that are listed; the others are counted.
const LISTED: usize = 20;

/// Most problems that a message names.
const NAMED: usize = 3;

/// The place of settings of a plugin: a tool in a profile, or a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettingsPlace)]
pub struct SettingsPlace {
    /// The profile that gives a tool settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The step that has a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// A problem in settings that a version does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettingsProblem)]
pub struct SettingsProblem {
    /// Where the settings are.
    #[serde(flatten)]
    pub place: SettingsPlace,
    /// The attribute, as a JSON pointer within the settings; empty for the settings as a whole.
    pub attribute: String,
    /// What is wrong.
    pub problem: String,
}

/// Settings that a version does not take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UnfitSettings)]
pub struct UnfitSettings {
    /// How many problems there are.
    pub count: usize,
    /// The problems, 20 at most.
    pub problems: Vec<SettingsProblem>,
}

impl SettingsPlace {
    /// Returns the place of the settings that `profile` gives `tool`.
    pub(super) fn of_tool(profile: &str, tool: &str) -> Self {
        Self { profile: Some(profile.to_owned()), tool: Some(tool.to_owned()), step: None }
    }

    /// Returns the place of the configuration of `step`.
    pub(super) fn of_step(step: &str) -> Self {
        Self { step: Some(step.to_owned()), ..Self::default() }
    }
}

impl fmt::Display for SettingsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { profile: Some(profile), tool: Some(tool), .. } => write!(f, "tool `{tool}` in profile `{profile}`"),
            Self { step, .. } => write!(f, "step `{}`", step.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for UnfitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |it: &SettingsProblem| match it.attribute.as_str() {
            "" => format!("{}: {}", it.place, it.problem),
            attribute => format!("{}, `{attribute}`: {}", it.place, it.problem),
        };
        let named: Vec<String> = self.problems.iter().take(NAMED).map(one).collect();
        write!(f, "{}", named.join("; "))?;
        let more = self.count.saturating_sub(NAMED);
        if more > 0 { write!(f, "; and {more} more") } else { Ok(()) }
    }
}

impl UnfitSettings {
    /// Returns whether all settings fit.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn add(&mut self, place: &SettingsPlace, problems: Vec<(String, String)>) {
        self.count += problems.len();
        let room = LISTED.saturating_sub(self.problems.len());
        let problems = problems.into_iter().take(room);
        self.problems.extend(problems.map(|(attribute, problem)| SettingsProblem {
            place: place.clone(),
            attribute,
            problem,
        }));
    }
}

/// The settings schema of a version, if it has one.
pub(in crate::service) struct Reader<'a>(Option<&'a SettingsSchema>);

impl<'a> Reader<'a> {
    /// Returns the reader of `manifest`. Without a schema it takes everything.
    pub(in crate::service) fn of(manifest: &'a Manifest) -> Self {
        // A schema that cannot be read was refused when the plugin was installed.
        Self(manifest.settings().ok().flatten())
    }

    /// Returns the problems in `settings`, by JSON pointer.
    pub(super) fn problems(&self, settings: &Map<String, Value>) -> Vec<(String, String)> {
        let Some(schema) = &self.0 else { return Vec::new() };
        let settings = Value::Object(settings.clone());
        let problems = schema.problems("", &settings).into_iter();
        let dotted = |attribute: &str| if attribute.is_empty() { String::new() } else { format!(".{attribute}") };
        problems.map(|problem| (pointer(&settings, &dotted(&problem.attribute)), problem.message)).collect()
    }
}

/// Returns the JSON pointer of an attribute that is written with dots, as far as it leads through `value`.
fn pointer(value: &Value, dotted: &str) -> String {
    let next = |key: &str, value: &Value| {
        let rest = dotted.strip_prefix('.')?.strip_prefix(key)?;
        let ends = rest.is_empty() || rest.starts_with('.');
        ends.then(|| format!("/{key}{}", pointer(value, rest)))
    };
    let found = match value {
        // A key may have dots, too: the longest that fits is meant.
        Value::Object(members) => {
            let found = members.iter().filter_map(|(key, value)| Some((key.len(), next(&escaped(key), value)?)));
            found.max_by_key(|(length, _)| *length).map(|(_, found)| found)
        }
        Value::Array(elements) => elements.iter().enumerate().find_map(|(at, value)| next(&at.to_string(), value)),
        _ => None,
    };
    found.unwrap_or_else(|| dotted.replace('.', "/"))
}

/// Settings in their place.
pub(super) struct Held {
    pub(super) place: SettingsPlace,
    /// The kind of the tool; none for a step.
    pub(super) kind: Option<String>,
    pub(super) settings: Map<String, Value>,
    /// Whether the item has them; they are empty otherwise.
    pub(super) given: bool,
    pub(super) layer: Layer,
}

/// Profiles of a snapshot, with settings changed for the version of a plugin that is about to serve.
pub(in crate::service) struct Draft<'a> {
    pub(super) snapshot: &'a Snapshot,
    changed: BTreeMap<Arc<str>, Profile>,
}

impl<'a> Draft<'a> {
    pub(in crate::service) fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, changed: BTreeMap::new() }
    }

    /// Returns the settings of the tools and steps that `manifest` declares, without tools of the kinds `others`.
    pub(super) fn held(&self, manifest: &Manifest, plugin: &Plugin, others: &BTreeSet<String>) -> Vec<Held> {
        let mut held = Vec::new();
        let profiles = if manifest.tool_kinds().is_empty() { None } else { Some(self.snapshot.entries(Kind::Profile)) };
        for (name, entry) in profiles.into_iter().flatten() {
            let Some(profile) = self.changed.get(name).or_else(|| Profile::from_any(&entry.item)) else { continue };
            for placed in &profile.productivity_pane.tools {
                let kind = self.snapshot.get(&placed.tool).map(|tool| tool.kind.as_str());
                if let Some(kind) = kind.filter(|kind| manifest.decides_about(kind) && !others.contains(*kind)) {
                    held.push(Held {
                        place: SettingsPlace::of_tool(name, placed.tool.as_str()),
                        kind: Some(kind.to_owned()),
                        settings: placed.settings.clone(),
                        given: !placed.settings.is_empty(),
                        layer: entry.layer,
                    });
                }
            }
        }
        for step in manifest.step_names() {
            let told = plugin.steps.get(step).and_then(|wanted| wanted.configuration.clone());
            let (place, given) = (SettingsPlace::of_step(step), told.is_some());
            held.push(Held { place, kind: None, settings: told.unwrap_or_default(), given, layer: Layer::Custom });
        }
        held
    }

    /// Replaces settings: those of a step in `plugin`, those of a tool in this draft.
    pub(super) fn write(&mut self, place: &SettingsPlace, settings: Map<String, Value>, plugin: &mut Plugin) {
        if let SettingsPlace { profile: Some(name), tool: Some(tool), .. } = place {
            let Some((name, entry)) = self.snapshot.entries(Kind::Profile).find(|(it, _)| ***it == **name) else {
                return;
            };
            let Some(there) = Profile::from_any(&entry.item) else { return };
            let profile = self.changed.entry(Arc::clone(name)).or_insert_with(|| there.clone());
            let tools = profile.productivity_pane.tools.iter_mut();
            for placed in tools.filter(|placed| placed.tool.as_str() == tool) {
                placed.settings.clone_from(&settings);
            }
        } else if let Some(step) = &place.step {
            // A step is given the same by no configuration and by an empty one.
            let told = Some(settings).filter(|settings| !settings.is_empty());
            plugin.steps.entry(step.clone()).or_default().configuration = told;
            plugin.steps.retain(|_, wanted| *wanted != StepOverride::default());
        }
    }

    /// Returns the changes of profiles.
    pub(in crate::service) fn into_changes(self) -> Vec<Change> {
        let Self { snapshot, changed } = self;
        let changes = changed.into_iter().filter_map(|(name, profile)| {
            let expect = Expect::Revision(snapshot.entry(Kind::Profile, &name)?.revision);
            Some(Change::Put { name, item: profile.into(), expect })
        });
        changes.collect()
    }
}

impl Service {
    /// Returns the settings that a version of a plugin does not take as they are.
    pub(in crate::service) fn unfit_settings(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &Plugin,
        manifest: &Manifest,
    ) -> Result<UnfitSettings, Error> {
        let (reader, mut unfit) = (Reader::of(manifest), UnfitSettings::default());
        let others = self.kinds_of_others(snapshot, name, manifest)?;
        for held in Draft::new(snapshot).held(manifest, plugin, &others).into_iter().filter(|held| held.given) {
            unfit.add(&held.place, reader.problems(&held.settings));
        }
        Ok(unfit)
    }

    /// Returns the settings that the serving version of a plugin does not take.
    pub(super) fn unfit_now(&self, snapshot: &Snapshot, name: &str, plugin: &Plugin) -> Result<UnfitSettings, Error> {
        let Some((_, digest)) = plugin.serving() else { return Ok(UnfitSettings::default()) };
        // The catalog holds the serving version ready, so nothing is compiled here.
        match self.platform()?.ready(&self.store, digest)? {
            Found::Ready(ready) => self.unfit_settings(snapshot, name, plugin, ready.manifest()),
            Found::Unusable { .. } | Found::Lost(_) => Ok(UnfitSettings::default()),
        }
    }

    /// Returns the tool kinds of the installed plugins that serve, which decide instead of the plugin of the product
    /// called `name`. None if that is an installed one itself, declares no tools, or has no settings schema.
    pub(super) fn kinds_of_others(
        &self,
        snapshot: &Snapshot,
        name: &str,
        manifest: &Manifest,
    ) -> Result<BTreeSet<String>, Error> {
        let is_shipped = snapshot.entry(Kind::Plugin, name).is_none_or(|entry| entry.layer == Layer::OutOfTheBox);
        let mut kinds = BTreeSet::new();
        if !is_shipped || manifest.settings_schema.is_none() || manifest.tool_kinds().is_empty() {
            return Ok(kinds);
        }
        for (_, entry) in snapshot.entries(Kind::Plugin).filter(|(_, entry)| entry.layer == Layer::Custom) {
            let serving = Plugin::from_any(&entry.item).and_then(Plugin::serving);
            if let Some((_, digest)) = serving
                && let Some(other) = self.platform()?.manifest(&self.store, digest)?
            {
                kinds.extend(other.tool_kinds().iter().cloned());
            }
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attribute_is_named_by_its_pointer() {
        let settings = json!({"a": [{"b.c": 1, "b": {"c": 2}}], "x/y~z": {"k": 1}});
        for (dotted, expected) in [
            ("", ""),
            (".a", "/a"),
            (".a.0.b", "/a/0/b"),
            (".a.0.b.c", "/a/0/b.c"),
            (".x~1y~0z.k", "/x~1y~0z/k"),
            (".gone.1", "/gone/1"),
        ] {
            assert_eq!(pointer(&settings, dotted), expected, "{dotted}");
        }
    }

    #[test]
    fn twenty_are_listed_three_are_named_and_all_are_counted() {
        let mut unfit = UnfitSettings::default();
        for number in 0..7 {
            let problems = (0..5).map(|at| (format!("/{at}"), "no".to_owned())).collect();
            unfit.add(&SettingsPlace::of_tool(&format!("p{number}"), "offers"), problems);
        }
        assert_eq!((unfit.count, unfit.problems.len()), (35, 20));
        insta::assert_snapshot!(unfit, @"tool `offers` in profile `p0`, `/0`: no; tool `offers` in profile `p0`, `/1`: no; tool `offers` in profile `p0`, `/2`: no; and 32 more");
    }
}
