//! Exports Copilot switches: one row per profile and feature.

use crate::domain::{Name, Profile, State};
use crate::import::copilot::{FEATURES, TABLE};

use super::tables::{Tables, rows_of};

/// Writes the switches of a profile.
pub(super) fn write(tables: &mut Tables<'_>, name: &Name<Profile>, profile: &Profile) {
    let features = &profile.copilot.features;
    // If there were several rows, it is not known which row was for which feature.
    let rows: Vec<&str> = rows_of(profile.source.as_ref(), TABLE).into_iter().collect();
    let own = rows.first().copied().filter(|_| rows.len() == 1 && features.len() == 1);
    for (feature, enabled) in features {
        let word = serde_json::json!(feature);
        let word = word.as_str().unwrap_or_default();
        tables.part(
            TABLE,
            own,
            &format!("{name}_{word}"),
            |row| {
                row.lookup("msdyn_appconfigurationid", "msdyn_uniquename", name);
                row.choice("msdyn_copilotfeature", FEATURES, feature);
                row.switch("msdyn_enabled", *enabled);
                row.state(State::Active);
            },
            |row| row.text("msdyn_name", Some(word)),
        );
    }
}
