//! Settings carried over to another version of a plugin, in the revision in which it begins to serve.
//!
//! Refuses a version that does not take the present settings, unless an administrator says `anyway`. Profiles that came
//! with the product are never changed, and configuration steps are not called: the changes are those of the migrations
//! in the manifest, and the caller needs the privilege for all of them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::access::{Caller, Privilege};
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{AnyItem, Item, Kind, Plugin, PluginVersion, Profile, Revision};
use crate::plugin::{Manifest, migrate};
use crate::store::{self, Change, Layer, Snapshot};

use super::super::{Error, Service};
use super::fit::{Draft, Held, Reader, SettingsPlace, UnfitSettings};
use super::migrated::Migrated;
use super::migrated::Settings;
use super::migrated::SettingsChange;
use super::{PluginError, item};

/// The settings that a revision changed, before and after.
type Changes = BTreeMap<SettingsPlace, (Settings, Settings)>;

/// Most revisions of a plugin that are searched for the one in which a version served whose settings are put back.
const LOOKED_BACK: usize = 10_000;

/// What to do with settings that do not fit, and for which caller.
#[derive(Debug, Clone, Copy)]
pub struct Settling<'a> {
    /// The caller, who needs the privilege for the settings that change.
    pub caller: &'a Caller,
    /// Whether the version serves although settings do not fit.
    pub anyway: bool,
}

/// The outcome for the settings of a plugin.
#[derive(Debug, Default)]
pub(in crate::service) struct Settled {
    /// What was changed.
    pub(in crate::service) migrated: Migrated,
    /// The settings that do not fit all the same.
    pub(in crate::service) unfit: UnfitSettings,
    /// The sentences for the reason of the revision.
    said: Vec<String>,
}

impl Settled {
    /// Adds the sentences of another outcome.
    pub(in crate::service) fn take_in(&mut self, other: Self) {
        self.said.extend(other.said);
    }

    /// Returns the author with the sentences about settings among the reasons.
    pub(in crate::service) fn said_by(&self, author: &Author) -> Author {
        let why =
            [author.why.as_str()].into_iter().filter(|why| !why.is_empty()).chain(self.said.iter().map(String::as_str));
        Author { why: why.collect::<Vec<_>>().join("; "), ..author.clone() }
    }

    fn say(&mut self, name: &str, version: PluginVersion) {
        let of = |how| self.migrated.settings.iter().any(|it| it.how == how);
        let words =
            [(of(SettingsChange::Migrated), "settings migrated"), (of(SettingsChange::PutBack), "settings put back")];
        let done: Vec<&str> = words.into_iter().filter(|(done, _)| *done).map(|(_, word)| word).collect();
        if !done.is_empty() {
            self.said.push(format!("{} for `{name}` {version}", done.join(" and ")));
        }
        match self.unfit.count {
            0 => {}
            1 => self.said.push(format!("anyway, though 1 setting does not fit `{name}` {version}")),
            count => self.said.push(format!("anyway, though {count} settings do not fit `{name}` {version}")),
        }
    }
}

/// The changes that a plugin change writes besides the plugin, and the outcome for settings.
#[derive(Debug, Default)]
pub(in crate::service) struct Also {
    pub(in crate::service) changes: Vec<Change>,
    pub(in crate::service) settled: Settled,
}

impl From<()> for Also {
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// The changes of settings by activations since a version served, the last first.
#[derive(Default)]
struct Undone(Vec<Changes>);

impl Undone {
    /// Returns the former settings, if they were changed by activations alone.
    fn of(&self, place: &SettingsPlace, now: &Settings) -> Option<Settings> {
        let was = self.0.iter().fold(now, |now, changes| match changes.get(place) {
            Some((before, after)) if after == now => before,
            _ => now,
        });
        (was != now).then(|| was.clone())
    }

    fn touched(&self, place: &SettingsPlace) -> bool {
        self.0.iter().any(|changes| changes.contains_key(place))
    }
}

/// The outcome for settings in one place.
enum Outcome {
    Stays,
    Becomes(Settings, SettingsChange),
    Unfit(Vec<(String, String)>),
}

impl Service {
    /// Carries the present settings over to the version of `manifest`, which is about to serve: in `plugin` those of
    /// its steps, in `draft` those of its tools. Refuses if some do not fit in the end, unless `how` says `anyway`.
    pub(in crate::service) fn settle_settings(
        &self,
        draft: &mut Draft<'_>,
        name: &str,
        plugin: &mut Plugin,
        manifest: &Manifest,
        how: Settling<'_>,
    ) -> Result<Settled, Error> {
        let version = manifest.version;
        let before = item(draft.snapshot, name).ok();
        let served = before.filter(|it| it.active != Some(version) && it.served_before.contains(&version));
        let undone = served.map(|_| self.undone(draft.snapshot, name, version)).transpose()?.unwrap_or_default();
        let others = self.kinds_of_others(draft.snapshot, name, manifest)?;
        let (reader, old) = (Reader::of(manifest), OnceCell::new());
        let mut settled = Settled::default();
        for held in draft.held(manifest, plugin, &others) {
            let outcome = match settle(&reader, &undone, manifest, before.and_then(|it| it.active), &held) {
                // No settings are given, and the serving version does not take that either: this version breaks
                // nothing. In a profile of the product, no administrator could give any.
                Outcome::Unfit(_) | Outcome::Becomes(_, SettingsChange::Migrated)
                    if !held.given
                        && (held.layer == Layer::OutOfTheBox
                            || !self.took_nothing(&old, before, manifest, &held)?) =>
                {
                    continue;
                }
                outcome => outcome,
            };
            match outcome {
                Outcome::Stays => {}
                Outcome::Becomes(settings, change) => {
                    let privilege = match held.place.step {
                        Some(_) => Privilege::PluginConfigure,
                        None => Privilege::ConfigurationWrite,
                    };
                    if how.caller.has(privilege) {
                        settled.migrated.add(&held.place, change, &held.settings, &settings);
                        draft.write(&held.place, settings, plugin);
                    } else if how.anyway {
                        settled.unfit.add(&held.place, reader.problems(&held.settings));
                    } else {
                        let caller = how.caller.name().to_owned();
                        return Err(store::Error::Forbidden { caller, privilege }.into());
                    }
                }
                Outcome::Unfit(problems) => settled.unfit.add(&held.place, problems),
            }
        }
        if !settled.unfit.is_empty() && !how.anyway {
            let (name, unfit) = (name.to_owned(), Box::new(settled.unfit));
            return Err(PluginError::UnfitSettings { name, version, unfit }.into());
        }
        settled.say(name, version);
        Ok(settled)
    }

    /// Returns the outcome for settings if the version of `manifest` serves. Changes nothing.
    pub(in crate::service) fn settings_outlook(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &Plugin,
        manifest: &Manifest,
    ) -> Result<Settled, Error> {
        let how = Settling { caller: &Caller::admin(), anyway: true };
        self.settle_settings(&mut Draft::new(snapshot), name, &mut plugin.clone(), manifest, how)
    }

    /// Refuses a version that is to answer some people if settings do not fit it as they are: all people share those
    /// settings.
    pub(in crate::service) fn settings_must_fit(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &Plugin,
        manifest: &Manifest,
        anyway: bool,
    ) -> Result<Settled, Error> {
        let unfit = self.unfit_settings(snapshot, name, plugin, manifest)?;
        let (version, mut settled) = (manifest.version, Settled::default());
        if !unfit.is_empty() && !anyway {
            return Err(PluginError::UnfitSettings { name: name.to_owned(), version, unfit: Box::new(unfit) }.into());
        }
        settled.unfit = unfit;
        settled.say(name, version);
        Ok(settled)
    }

    /// Returns whether the version that serves now takes empty settings where `held` is.
    fn took_nothing(
        &self,
        known: &OnceCell<Option<Manifest>>,
        before: Option<&Plugin>,
        new: &Manifest,
        held: &Held,
    ) -> Result<bool, Error> {
        if known.get().is_none() {
            let serving = before.and_then(|it| it.active.and_then(|version| it.versions.get(&version)));
            let manifest = serving.map(|digest| self.platform()?.manifest(&self.store, digest).map_err(Error::from));
            let manifest = manifest.transpose()?.flatten().filter(|it| it.version != new.version);
            // The cell was empty above.
            let _ = known.set(manifest);
        }
        let Some(Some(manifest)) = known.get() else { return Ok(false) };
        let is_asked = match (&held.kind, &held.place.step) {
            (Some(kind), _) => manifest.decides_about(kind),
            (None, step) => step.as_deref().is_some_and(|step| manifest.has_step(step)),
        };
        Ok(is_asked && Reader::of(manifest).problems(&Map::new()).is_empty())
    }

    /// Returns the changes of settings by activations since `version` of a plugin served.
    fn undone(&self, snapshot: &Snapshot, name: &str, version: PluginVersion) -> Result<Undone, Error> {
        let Some(entry) = snapshot.entry(Kind::Plugin, name) else { return Ok(Undone::default()) };
        let (mut at, mut active) = (entry.revision, item(snapshot, name)?.active);
        let mut activations: Vec<Revision> = Vec::new();
        for _ in 0..LOOKED_BACK {
            let Some((written, before)) = self.store.item_before(Kind::Plugin, name, at)? else { break };
            let then = Plugin::from_any(&before).and_then(|it| it.active);
            if then != active {
                activations.push(at);
            }
            if then == Some(version) {
                let changes = activations
                    .into_iter()
                    .map(|revision| Ok::<_, Error>(places(name, self.store.changes_of(revision)?)));
                return Ok(Undone(changes.collect::<Result<_, Error>>()?));
            }
            (at, active) = (written, then);
        }
        Ok(Undone::default())
    }
}

/// Returns the outcome for `held` if the version of `manifest` serves after the version `from`.
fn settle(
    reader: &Reader<'_>,
    undone: &Undone,
    manifest: &Manifest,
    from: Option<PluginVersion>,
    held: &Held,
) -> Outcome {
    let Held { place, settings, layer, .. } = held;
    let is_shipped = *layer == Layer::OutOfTheBox;
    if let Some(was) = undone.of(place, settings).filter(|was| !is_shipped && reader.problems(was).is_empty()) {
        return Outcome::Becomes(was, SettingsChange::PutBack);
    }
    let problems = reader.problems(settings);
    if problems.is_empty() {
        return Outcome::Stays;
    }
    let with = |problems: Vec<(String, String)>, more: &str| {
        let problems = problems.into_iter().map(|(attribute, problem)| (attribute, format!("{problem}{more}")));
        Outcome::Unfit(problems.collect())
    };
    if is_shipped {
        return with(problems, "; the profile came with the product and is not changed");
    }
    match from.and_then(|from| migrate(&manifest.migrations, from, settings)) {
        Some(Ok(made)) => match reader.problems(&made) {
            none if none.is_empty() => Outcome::Becomes(made, SettingsChange::Migrated),
            problems => with(problems, ", after the migration"),
        },
        Some(Err(reason)) => Outcome::Unfit(vec![(String::new(), reason)]),
        None if undone.touched(place) => {
            with(problems, "; it was changed after it was migrated, so it is not put back")
        }
        None => Outcome::Unfit(problems),
    }
}

/// Migrates settings that the version of `manifest` does not take, as `reader` knows. Returns the reason if the
/// migrations fail, and nothing if it takes the settings, or if no migration is for the version `from`.
pub(in crate::service) fn migrate_unfit(
    reader: &Reader<'_>,
    manifest: &Manifest,
    from: PluginVersion,
    settings: &Settings,
) -> Option<Result<Settings, String>> {
    if reader.problems(settings).is_empty() { None } else { migrate(&manifest.migrations, from, settings) }
}

/// Returns the settings that a revision changed in profiles and in steps of the plugin `name`, before and after.
fn places(name: &str, changes: Vec<ChangeRecord>) -> Changes {
    let mut found = Changes::new();
    for ChangeRecord { collection, name: changed, before, after } in changes {
        let Some(kind) = collection.parse::<Kind>().ok().filter(|kind| match kind {
            Kind::Profile => true,
            Kind::Plugin => changed == name,
            _ => false,
        }) else {
            continue;
        };
        let read =
            |body: Option<Value>| AnyItem::parse(kind, &changed, body?).ok().map(|item| settings(&changed, &item));
        let (Some(before), Some(mut after)) = (read(before), read(after)) else { continue };
        for (place, before) in before {
            if let Some(after) = after.remove(&place).filter(|after| *after != before) {
                found.insert(place, (before, after));
            }
        }
    }
    found
}

/// Returns the settings within an item.
fn settings(name: &str, item: &AnyItem) -> BTreeMap<SettingsPlace, Settings> {
    let tools = Profile::from_any(item).map(|profile| profile.productivity_pane.tools.as_slice()).unwrap_or_default();
    let of_tools = tools.iter().map(|it| (SettingsPlace::of_tool(name, it.tool.as_str()), it.settings.clone()));
    let steps = Plugin::from_any(item).map(|plugin| &plugin.steps);
    let of_upgrade_steps = steps
        .into_iter()
        .flatten()
        .map(|(step, wanted)| (SettingsPlace::of_step(step), wanted.configuration.clone().unwrap_or_default()));
    of_tools.chain(of_upgrade_steps).collect()
}
