//! Exports inbox views. The filter of a view is JSON of no documented shape: it is written as it was imported, or names
//! record types only.

use serde_json::json;

use crate::domain::{InboxRecordType, Name, Profile, State};
use crate::import::inbox::{RECORD_TYPES, TABLE};

use super::tables::{Tables, rows_of};

/// Writes the views of a profile.
pub(super) fn write(tables: &mut Tables<'_>, name: &Name<Profile>, profile: &Profile) {
    let views = &profile.inbox.views;
    // Rows were read in the order of their names. If the number of views has changed, it is not known which row is
    // which view.
    let rows: Vec<&str> = rows_of(profile.source.as_ref(), TABLE).into_iter().collect();
    let rows = if rows.len() == views.len() { rows } else { Vec::new() };
    for (index, view) in views.iter().enumerate() {
        tables.part(
            TABLE,
            rows.get(index).copied(),
            &format!("{name}_inbox_{:02}", index + 1),
            |row| {
                row.lookup("msdyn_appconfigurationid", "msdyn_uniquename", name);
                row.text("msdyn_defaultsort", view.default_sort.as_ref());
                row.switch("msdyn_isdefault", view.default);
                row.switch("msdyn_isvisible", view.visible);
                row.text("msdyn_name", Some(&view.name));
                row.state(State::Active);
            },
            |row| {
                let entities: Vec<_> = view.record_types.iter().map(|it| json!({ "entity": entity(*it) })).collect();
                row.text("msdyn_configuration", Some(json!({ "entities": entities })));
            },
        );
    }
}

/// The first of the names that stand for a record type.
fn entity(record_type: InboxRecordType) -> &'static str {
    RECORD_TYPES.iter().find(|(_, known)| *known == record_type).map_or("", |(name, _)| name)
}
