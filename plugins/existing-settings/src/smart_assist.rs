//! Smart assist configurations.

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, Upsert};
use loadout_sdk::{Fault, Library};
use serde_json::{Value, json};

use crate::{add_to_profiles, profiles_of, unique_name};

pub(crate) const TABLE: &str = "msdyn_smartassistconfig";

const TYPES: &[(i64, &str)] =
    &[(192_360_000, "knowledge-article"), (192_360_001, "similar-case"), (192_360_002, "bot")];

pub(crate) fn migrate(
    page: &Page,
    rows: &[&Row],
    library: &Library<'_>,
    migration: &mut Migration,
) -> Result<(), Fault> {
    let mut added = Vec::new();
    for row in rows.iter().copied() {
        let name = unique_name(row);
        // One that ships is here already; that it is in use is what counts.
        let is_shipped = name.starts_with("msdyn_")
            && matches!(library.item::<Value>("smart-assist-configurations", name), Ok(Some(_)));
        if !is_shipped {
            match configuration(row) {
                Ok(item) => migration.upserts.push(Upsert::item("smart-assist-configurations", name, item).from(row)),
                Err(why) => {
                    migration.quarantine(row, why);
                    continue;
                }
            }
        }
        let (profiles, linked) = profiles_of(page, row, library);
        let mut sources = vec![row];
        sources.extend(linked);
        if is_shipped && profiles.is_empty() {
            migration.quarantine(row, crate::of_custom_profiles());
        }
        if !row.is_inactive() {
            added.push((profiles, name.to_owned(), sources));
        } else if is_shipped {
            migration.quarantine(
                row,
                Unusable::new("inactive", "it came with the product and was inactive: there is nothing to keep"),
            );
        }
    }
    add_to_profiles(library, ["smartAssist", ""], &added, migration)
}

fn configuration(row: &Row) -> Result<Value, Unusable> {
    // Adaptive cards are the only control there is.
    row.choice("msdyn_suggestioncontroltype", &[(192_360_000, ())])?;
    let missing = || Unusable::new("value-missing", "`msdyn_suggestiontype` has no value, and it is required");
    let mut item = json!({
        "name": row.required("msdyn_name", 100)?,
        "suggestionType": row.choice("msdyn_suggestiontype", TYPES)?.ok_or_else(missing)?,
        "sourceEntity": row.required("msdyn_sourceentityname", 100)?,
        "card": row.required("msdyn_suggestioncontrolconfiguniquename", 100)?,
        "order": row.number::<u32>("msdyn_order")?.unwrap_or_default(),
        "default": row.switch("msdyn_isdefault")?.unwrap_or(false),
    });
    for (key, column, max) in [
        ("provider", "msdyn_suggestionprovider", 100),
        ("webResource", "msdyn_suggestionwebresourceurl", 256),
        ("groupTitle", "msdyn_suggestioncontainertitle", 100),
        ("icon", "msdyn_iconurl", 256),
    ] {
        if let Some(text) = row.fitting(column, max)? {
            item[key] = text.into();
        }
    }
    if let Some(most) = row.number::<u32>("msdyn_maxsuggestioncount")? {
        item["maxSuggestions"] = most.into();
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    item["source"] = row.source();
    Ok(item)
}
