//! Imports the plugins that decided about tools where an archive was exported: `loadout/plugins.json`, from plugin to
//! duties.
//!
//! An archive carries no plugins. Tools that they may have hidden must not be shown here because the plugin is missing:
//! a missing plugin is recorded as expected, and the tools of its duties are hidden until it serves or is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::duties::DUTIES_MAX;
use crate::domain::plugin::is_plugin_name;
use crate::domain::{Duties, Item, Kind, Plugin, Problems};
use crate::store::{Change, Expect, Layer, Snapshot};

use super::Plan;
use super::layout::FOLDER;
use super::report::Outcome;
use super::unreadable::Unreadable;
use super::work::Work;

/// The most plugins an archive may name. An environment has a handful.
const PLUGINS_MAX: usize = 200;

/// The path of the plugins in an archive.
pub(crate) fn path() -> String {
    format!("{FOLDER}/plugins.json")
}

/// A plugin that an archive names.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    component: usize,
    name: String,
    duties: Duties,
}

/// Reads the plugins that an archive names.
pub(super) fn read(work: &mut Work<'_>, content: Option<Vec<u8>>) -> Vec<Expected> {
    let Some(content) = content else { return Vec::new() };
    let read = match serde_json::from_slice::<BTreeMap<String, Duties>>(&content) {
        Ok(read) => {
            let (plugins, kinds) = (read.len(), read.values().map(Duties::count).sum::<usize>());
            if plugins <= PLUGINS_MAX && kinds <= DUTIES_MAX {
                Ok(read)
            } else {
                Err(format!(
                    "names {plugins} plugins and {kinds} tool kinds: {PLUGINS_MAX} and {DUTIES_MAX} are possible"
                ))
            }
        }
        Err(error) => Err(format!("is no list of tool kinds by plugin: {error}")),
    };
    let read = match read {
        Ok(read) => read,
        Err(reason) => {
            let component = work.component(FOLDER, &path());
            work.quarantine(component, &Unreadable(format!("`{}` {reason}", path())));
            return Vec::new();
        }
    };
    let mut expected = Vec::new();
    for (name, duties) in read {
        let component = work.component(&path(), &name);
        let is_name =
            name.split_once('/').is_some_and(|(publisher, short)| is_plugin_name(publisher) && is_plugin_name(short));
        let mut problems = Problems::default();
        duties.check("answersFor", &mut problems);
        match problems.0.first() {
            _ if !is_name => work.quarantine(component, &Unreadable("a plugin is called `publisher/name`".to_owned())),
            Some(problem) => work.quarantine(component, &Unreadable(problem.to_string())),
            None => expected.push(Expected { component, name, duties }),
        }
    }
    expected
}

impl Plan {
    /// Plans the entries for the plugins that the archive names, over the environment `here`. Returns the names of
    /// those that are recorded as expected.
    pub fn expect_plugins(&mut self, here: &Snapshot) -> BTreeSet<Arc<str>> {
        let mut noted = BTreeSet::new();
        for Expected { component, name, duties } in std::mem::take(&mut self.expected) {
            let entry = here.entry(Kind::Plugin, &name);
            let there = entry.and_then(|entry| Plugin::from_any(&entry.item));
            let account = &mut self.report.components[component];
            account.collection = Some(Kind::Plugin.collection().to_owned());
            account.name = Some(name.clone());
            let is_shipped = entry.is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
            if is_shipped || there.is_some_and(|plugin| plugin.serving().is_some()) {
                account.outcome = Outcome::Unchanged;
                continue;
            }
            let place = format!("{}/{name}", Kind::Plugin.collection());
            // An administrator here has switched the plugin off, so that decision stays.
            if there.is_some_and(|plugin| !plugin.state.is_active()) {
                account.outcome = Outcome::Unchanged;
                let message = format!("plugin `{name}` decides about tools there, and is switched off here");
                self.report.warn("plugin-missing", place, message);
                continue;
            }
            let hidden: BTreeSet<&str> = duties.rules.iter().chain(&duties.guards).map(String::as_str).collect();
            let what = if hidden.is_empty() {
                "tools are decided without its steps".to_owned()
            } else {
                format!("tools of the kinds `{}` are hidden", hidden.into_iter().collect::<Vec<_>>().join("`, `"))
            };
            let message = format!(
                "plugin `{name}` decides about tools there, and does not serve here: until it does, {what}; install and activate it, or say `\"fallBack\": true` with `PUT /api/v1/plugins/{name}/state`"
            );
            account.note(message.clone());
            self.report.warn("plugin-missing", place, message);
            let mut plugin = there.cloned().unwrap_or_default();
            plugin.answers_for.add(duties);
            let account = &mut self.report.components[component];
            account.outcome = match there {
                Some(there) if there.answers_for == plugin.answers_for => Outcome::Unchanged,
                Some(_) => Outcome::Updated,
                None => Outcome::Created,
            };
            if account.outcome != Outcome::Unchanged {
                let expect = entry.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
                let name: Arc<str> = name.into();
                noted.insert(Arc::clone(&name));
                self.changes.changes.push(Change::Put { name, item: plugin.into(), expect });
            }
        }
        self.report.settle();
        noted
    }
}
