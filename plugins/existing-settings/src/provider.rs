//! Channel providers. The address of a widget is kept and never called.

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, Upsert};
use loadout_sdk::{Fault, Library};
use serde_json::{Value, json};

use crate::{add_to_profiles, profiles_of, unique_name};

pub(crate) const TABLE: &str = "msdyn_channelprovider";

pub(crate) fn migrate(
    page: &Page,
    rows: &[&Row],
    library: &Library<'_>,
    migration: &mut Migration,
) -> Result<(), Fault> {
    let mut added = Vec::new();
    for row in rows.iter().copied() {
        match provider(row) {
            Ok(item) => {
                let name = unique_name(row);
                if row.text("msdyn_label").is_none_or(|label| label.trim().is_empty()) {
                    let label = item["label"].as_str().unwrap_or_default();
                    migration.note(
                        row,
                        "label-missing",
                        format!("it has no label: it is labelled by its name, `{label}`"),
                    );
                }
                migration.upserts.push(Upsert::item("channel-providers", name, item).from(row));
                let (profiles, linked) = profiles_of(page, row, library);
                let mut sources = vec![row];
                sources.extend(linked);
                if !row.is_inactive() {
                    added.push((profiles, name.to_owned(), sources));
                }
            }
            Err(why) => migration.quarantine(row, why),
        }
    }
    add_to_profiles(library, ["channels", "providers"], &added, migration)
}

fn provider(row: &Row) -> Result<Value, Unusable> {
    let missing = || Unusable::new("value-missing", "`msdyn_sortorder` has no value, and it is required");
    let name = row.required("msdyn_name", 100)?;
    let mut item = json!({
        "name": name,
        // Built-in ones have none, and work.
        "label": row.fitting("msdyn_label", 100)?.filter(|label| !label.trim().is_empty()).unwrap_or(name),
        "channelUrl": row.required("msdyn_channelurl", 1024)?,
        "sortOrder": row.number::<u16>("msdyn_sortorder")?.filter(|order| *order <= 1000).ok_or_else(missing)?,
        "outbound": row.switch("msdyn_enableoutbound")?.unwrap_or(false),
        "apiVersion": row.choice("msdyn_apiversion", &[(162_450_000, 2), (2, 2)])?.unwrap_or(2),
        "analytics": row.switch("msdyn_enableanalytics")?.unwrap_or(false),
    });
    for (key, column) in [
        ("trustedDomain", "msdyn_trusteddomain"),
        ("customParameters", "msdyn_customparams"),
        ("sandbox", "msdyn_sandboxconfiguration"),
    ] {
        if let Some(text) = row.fitting(column, 2000)? {
            item[key] = text.into();
        }
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    item["source"] = row.source();
    Ok(item)
}
