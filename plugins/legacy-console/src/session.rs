//! Session templates, which were for conversations only.

use std::collections::BTreeSet;

use loadout_sdk::upgrade::{Migration, Row, Unusable, Upsert};
use serde_json::json;

use crate::tab;

const PANELS: &[(i64, &str)] = &[(100_000_000, "docked"), (100_000_001, "minimized"), (100_000_002, "hidden")];

pub(crate) fn migrate(row: &Row, migration: &mut Migration) {
    let made = template(row);
    migration.add(row, made);
}

fn template(row: &Row) -> Result<Upsert, Unusable> {
    let name = row.required("msdyn_name", 100)?;
    let mut item = json!({ "name": name, "kind": "generic" });
    if let Some(title) = row.fitting("msdyn_title", 200)? {
        item["title"] = title.into();
    }
    if let Some(description) = row.fitting("msdyn_description", 2000)? {
        item["description"] = description.into();
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    if let Some(icon) = row.fitting("msdyn_icon", 200)? {
        item["icon"] = icon.into();
    }
    let hidden = row.switch("msdyn_ispanelhidden")?.unwrap_or(false);
    let panel = row.choice("msdyn_panelstate", PANELS)?;
    item["communicationPanel"] = panel.unwrap_or(if hidden { "hidden" } else { "docked" }).into();
    let anchor = row.look_up("msdyn_anchortab");
    if let Some(anchor) = anchor {
        item["anchorTab"] = anchor.id.clone().into();
    }
    // Links have no order; the anchor opens anyway.
    let tabs: BTreeSet<&str> =
        row.links.iter().filter(|link| link.table == tab::TABLE).map(|link| link.id.as_str()).collect();
    let tabs = tabs.into_iter().filter(|id| anchor.is_none_or(|anchor| anchor.id != *id));
    item["tabs"] = tabs.map(|id| json!({ "template": id })).collect();
    item["source"] = row.source();
    Ok(Upsert::item("session-templates", name, item).from(row))
}
