//! The plugins that decided about tools where an archive was exported: `loadout/plugins.json`, from plugin to what it answers for.
//!
//! Plugins are no configuration and do not travel with an archive. What they may have hidden must not be shown here for want of them: a
//! plugin that is not here is noted as expected, and the tools it answers for are hidden until it serves, or is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::plugin::is_plugin_name;
use crate::domain::{Duties, Item, Kind, Plugin};
use crate::store::{Change, Expect, Snapshot};

use super::Plan;
use super::document::FOLDER;
use super::report::Outcome;
use super::row::Unreadable;
use super::work::Work;

/// Most plugins an archive may name. An environment has a handful.
const PLUGINS_MAX: usize = 1_000;

/// Where the plugins are in an archive.
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

/// Reads which plugins an archive names.
pub(super) fn read(work: &mut Work<'_>, content: Option<Vec<u8>>) -> Vec<Expected> {
    let Some(content) = content else { return Vec::new() };
    let read = match serde_json::from_slice::<BTreeMap<String, Duties>>(&content) {
        Ok(read) if read.len() <= PLUGINS_MAX => Ok(read),
        Ok(read) => Err(format!("names {} plugins, and {PLUGINS_MAX} are possible", read.len())),
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
        if name.split_once('/').is_some_and(|(publisher, short)| is_plugin_name(publisher) && is_plugin_name(short)) {
            expected.push(Expected { component, name, duties });
        } else {
            work.quarantine(component, &Unreadable("a plugin is called `publisher/name`".to_owned()));
        }
    }
    expected
}

impl Plan {
    /// Plans what becomes of the plugins that the archive names, over an environment that is as `here` shows. The names of those that are
    /// noted as expected come back.
    pub fn expect_plugins(&mut self, here: &Snapshot) -> BTreeSet<Arc<str>> {
        let mut noted = BTreeSet::new();
        for Expected { component, name, duties } in std::mem::take(&mut self.expected) {
            let there = here.entry(Kind::Plugin, &name).and_then(|entry| Plugin::from_any(&entry.item));
            let account = &mut self.report.components[component];
            account.collection = Some(Kind::Plugin.collection().to_owned());
            account.name = Some(name.clone());
            let place = format!("{}/{name}", Kind::Plugin.collection());
            let hidden: BTreeSet<&str> = duties.rules.iter().chain(&duties.guards).map(String::as_str).collect();
            let kinds = hidden.into_iter().collect::<Vec<_>>().join("`, `");
            match there {
                Some(plugin) if plugin.serving().is_some() => account.outcome = Outcome::Unchanged,
                Some(plugin) => {
                    account.outcome = Outcome::Unchanged;
                    let held = if plugin.answers_for.is_empty() {
                        "and its tools were left to what else is here"
                    } else {
                        "and its tools are hidden"
                    };
                    let message = format!("plugin `{name}` decides about tools there, and does not serve here, {held}");
                    self.report.warn("plugin-missing", place, message);
                }
                None => {
                    account.outcome = Outcome::Created;
                    let what = if kinds.is_empty() {
                        "tools are decided without its steps".to_owned()
                    } else {
                        format!("tools of the kinds `{kinds}` are hidden")
                    };
                    let message = format!(
                        "plugin `{name}` decides about tools there, and is not installed here: until it serves, {what}; install it, or say `\"fallBack\": true` with `PUT /api/v1/plugins/{name}/state`"
                    );
                    account.note(message.clone());
                    self.report.warn("plugin-missing", place, message);
                    let item = Plugin { answers_for: duties, ..Plugin::default() };
                    let name: Arc<str> = name.into();
                    noted.insert(Arc::clone(&name));
                    self.changes.changes.push(Change::Put { name, item: item.into(), expect: Expect::Absent });
                }
            }
        }
        self.report.settle();
        noted
    }
}
