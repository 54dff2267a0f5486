//! The productivity pane and the tools in it.

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, Upsert};
use loadout_sdk::{Fault, Library};
use serde_json::{Value, json};

use crate::{of_custom_profiles, profiles_of, unique_name};

pub(crate) const TABLE: &str = "msdyn_paneconfiguration";
const PANE_TAB: &str = "msdyn_panetabconfiguration";
const TOOL: &str = "msdyn_panetoolconfiguration";

const CATEGORIES: &[(i64, &str)] = &[
    (100_000_000, "uncategorized"),
    (100_000_001, "agent-guidance"),
    (100_000_002, "reference"),
    (100_000_003, "collaboration"),
    (100_000_004, "automated-action"),
];

/// A tool as it was placed.
struct Placed<'a> {
    tool: String,
    enabled: bool,
    order: u32,
    icon: Option<&'a str>,
    tooltip: Option<&'a str>,
    rows: Vec<&'a Row>,
}

pub(crate) fn migrate(
    page: &Page,
    panes: &[&Row],
    library: &Library<'_>,
    migration: &mut Migration,
) -> Result<(), Fault> {
    let mut panes: Vec<&Row> = panes.to_vec();
    panes.sort_by_key(|row| unique_name(row));
    let mut taken = Vec::new();
    for pane in panes {
        let (profiles, linked) = profiles_of(page, pane, library);
        if profiles.is_empty() {
            migration.quarantine(pane, of_custom_profiles());
            continue;
        }
        let free: Vec<&str> = profiles.iter().copied().filter(|profile| !taken.contains(profile)).collect();
        if free.is_empty() {
            let reason = format!("`{}` has a pane already, from another row: keep one of them", taken.join("`, `"));
            migration.quarantine(pane, Unusable::new("several-panes", reason));
            continue;
        }
        match settings(pane) {
            Ok(settings) => {
                let placed = placed(page, pane, library, migration);
                for profile in &free {
                    let patch = patch(profile, &settings, &placed, library)?;
                    let rows = placed.iter().flat_map(|placed| placed.rows.iter().copied());
                    let upsert = Upsert::patch("profiles", profile, patch).from(pane);
                    migration.upserts.push(upsert.from_all(linked.iter().copied()).from_all(rows));
                }
                taken.extend(free);
            }
            Err(why) => migration.quarantine(pane, why),
        }
    }
    Ok(())
}

/// An inactive pane is one that is not enabled; no value means the default of the column.
fn settings(pane: &Row) -> Result<Value, Unusable> {
    let enabled = pane.switch("msdyn_panestate")?.unwrap_or(true) && !pane.is_inactive();
    let expanded = pane.switch("msdyn_panemode")?.unwrap_or(true);
    Ok(json!({ "enabled": enabled, "mode": if expanded { "expanded" } else { "collapsed" } }))
}

/// The tools of a pane. Those that are not here yet are proposed, too.
fn placed<'a>(page: &'a Page, pane: &'a Row, library: &Library<'_>, migration: &mut Migration) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed<'a>> = Vec::new();
    for tab in page.around(pane, PANE_TAB) {
        match place(page, tab, library, migration) {
            Ok(one) if placed.iter().any(|other| other.tool == one.tool) => {
                let reason = format!("`{}` is placed in the pane twice: keep one", one.tool);
                migration.quarantine(tab, Unusable::new("placed-twice", reason));
            }
            Ok(one) => placed.push(one),
            Err(why) => migration.quarantine(tab, why),
        }
    }
    placed
}

fn place<'a>(
    page: &'a Page,
    tab: &'a Row,
    library: &Library<'_>,
    migration: &mut Migration,
) -> Result<Placed<'a>, Unusable> {
    let missing = || Unusable::new("value-missing", "`msdyn_toolid` has no value, and it is required");
    let look_up = tab.look_up("msdyn_toolid").ok_or_else(missing)?;
    let row = page.found(look_up).filter(|found| found.table == TOOL);
    let name = row.map_or(look_up.id.as_str(), unique_name);
    let called = [name, &look_up.label].into_iter().find(|name| is_here(library, "pane-tools", name));
    let mut placed = Placed {
        tool: called.unwrap_or(name).to_owned(),
        enabled: tab.switch("msdyn_isenabled")?.unwrap_or(false) && !tab.is_inactive(),
        order: tab.number("msdyn_order")?.unwrap_or_default(),
        icon: tab.fitting("msdyn_iconpath", 100)?,
        tooltip: tab.fitting("msdyn_tooltip", 100)?,
        rows: vec![tab],
    };
    match (called, row) {
        (Some(_), row) => placed.rows.extend(row),
        (None, Some(row)) => {
            if !migration.upserts.iter().any(|upsert| upsert.sources.first() == Some(&row.reference())) {
                migration.upserts.push(tool(row, name)?.from(row));
            }
            placed.rows.push(row);
        }
        (None, None) => {
            let reason = format!(
                "the tool `{}` (`{}`) is neither in the package nor here: export `{TOOL}`, too",
                look_up.id, look_up.label
            );
            return Err(Unusable::new("tool-missing", reason));
        }
    }
    Ok(placed)
}

fn is_here(library: &Library<'_>, kind: &str, name: &str) -> bool {
    !name.is_empty() && matches!(library.item::<Value>(kind, name), Ok(Some(_)))
}

/// Makes a custom tool.
fn tool(row: &Row, name: &str) -> Result<Upsert, Unusable> {
    let bare = name.split_once('_').map_or(name, |(_, rest)| rest).to_ascii_lowercase();
    let words = bare.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let kind = words.collect::<Vec<_>>().join("-");
    let mut item = json!({
        "name": row.required("msdyn_name", 100)?,
        "kind": if kind.is_empty() { "tool" } else { &kind },
        "control": row.required("msdyn_controlname", 100)?,
        "controlType": row.choice("msdyn_type", &[(0, "control"), (1, "custom-page")])?.unwrap_or("control"),
        "category": row.choice("msdyn_category", CATEGORIES)?.unwrap_or("uncategorized"),
        "global": row.switch("msdyn_isglobal")?.unwrap_or(false),
        "configurable": row.switch("msdyn_isconfigurable")?.unwrap_or(false),
    });
    for (key, column, max) in [
        ("description", "msdyn_description", 256),
        ("configurationEntity", "msdyn_toolconfigurationentity", 100),
        ("data", "msdyn_data", 1000),
        ("icon", "msdyn_defaulticon", 100),
        ("learnMore", "msdyn_learnmorelink", 100),
    ] {
        if let Some(text) = row.fitting(column, max)? {
            item[key] = text.into();
        }
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    item["source"] = row.source();
    Ok(Upsert::item("pane-tools", name, item))
}

/// The profile's pane as it was. A tool that the old pane did not know stays as it ships.
fn patch(profile: &str, settings: &Value, placed: &[Placed<'_>], library: &Library<'_>) -> Result<Value, Fault> {
    let item: Value = library.item("profiles", profile)?.unwrap_or(Value::Null);
    let mut tools = item["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    for one in placed {
        let known = tools.iter().position(|tool| tool["tool"] == one.tool.as_str());
        let mut tool = known.map_or_else(|| json!({ "tool": one.tool }), |at| tools[at].clone());
        tool["enabled"] = one.enabled.into();
        tool["order"] = one.order.into();
        for (key, text) in [("icon", one.icon), ("tooltip", one.tooltip)] {
            if let Some(text) = text {
                tool[key] = text.into();
            }
        }
        match known {
            Some(at) => tools[at] = tool,
            None => tools.push(tool),
        }
    }
    let mut pane = settings.clone();
    if !placed.is_empty() {
        pane["tools"] = tools.into();
    }
    Ok(json!({ "productivityPane": pane }))
}
