//! Workstreams and queues, with the templates they bind.
//!
//! The rules in plain words are the README beside this file.

mod timeout;

use loadout_sdk::upgrade::{Migration, Note, Page, Row, Unusable, UpgradeStep, Upsert};
use loadout_sdk::{Fault, Library, export_upgrade};
use serde_json::{Map, json};

use timeout::HandedOn;

pub(crate) struct Workstreams;

const QUEUE: &str = "queue";

/// `msdyn_streamsource`. Video, co-browse, screen sharing and the business messages of others have no channel here.
const CHANNELS: &[(i64, &str)] = &[
    (19_241_000, "teams"),
    (192_300_000, "whatsapp"),
    (192_310_000, "line"),
    (192_320_000, "wechat"),
    (192_330_000, "facebook"),
    (192_340_000, "sms"),
    (192_350_000, "record"),
    (192_350_001, "twitter"),
    (192_350_002, "custom-messaging"),
    (192_360_000, "chat"),
    (192_370_000, "voice"),
    (192_440_000, "voice"),
];

/// The columns that bind notification templates, by event.
const NOTIFICATIONS: &[(&str, &str)] = &[
    ("incomingAuthenticated", "msdyn_notificationtemplate_incoming_auth"),
    ("incomingUnauthenticated", "msdyn_notificationtemplate_incoming_unauth"),
    ("consult", "msdyn_notificationtemplate_consult"),
    ("transfer", "msdyn_notificationtemplate_transfer"),
    ("supervisorAssign", "msdyn_notificationtemplate_supervisorassign"),
    ("callbackPreviewDialing", "msdyn_notificationtemplate_callback_previewdialing"),
    ("agentDial", "msdyn_notificationtemplate_agent_dial"),
    ("agentPreDial", "msdyn_notificationtemplate_pre_dial"),
];

/// A workstream that was authored in the retired app.
const LEGACY_MODE: &str = "717210000";

impl UpgradeStep for Workstreams {
    fn check(page: &Page, _: &Library<'_>) -> Result<Vec<Note>, Fault> {
        let legacy = page.rows.iter().filter(|row| row.text("msdyn_mode") == Some(LEGACY_MODE));
        let note = |row: &Row| Note {
            code: "legacy-mode".to_owned(),
            row: Some(row.reference()),
            message: "it was authored in the retired admin app and could not be edited in the newer one; here it can"
                .to_owned(),
        };
        Ok(legacy.map(note).collect())
    }

    fn migrate(page: &Page, library: &Library<'_>) -> Result<Migration, Fault> {
        let mut migration = Migration::default();
        let mut handed_on = HandedOn::default();
        for row in &page.rows {
            let made = if row.table == QUEUE { queue(row) } else { workstream(row) };
            if let Some(seconds) = screen_pop(row) {
                let message =
                    format!("its screen pop ended after {seconds} seconds; the notification template decides now");
                migration.note(row, "screen-pop-timeout", message);
                if made.is_ok() {
                    handed_on.add(row, seconds, library);
                }
            }
            migration.add(row, made);
        }
        handed_on.propose(library, &mut migration)?;
        Ok(migration)
    }
}

/// The older limit of a screen pop, as it stands there. Kept in the source, so it is not marked as read.
fn screen_pop(row: &Row) -> Option<&str> {
    let columns = ["msdyn_screenpoptimeout_optionSet", "msdyn_screenpoptimeout"];
    let found = |column: &str| row.values.iter().find(|(name, text)| name == column && !text.is_empty());
    columns.iter().find_map(|column| found(column)).map(|(_, text)| text.as_str())
}

fn queue(row: &Row) -> Result<Upsert, Unusable> {
    let name = row.required("name", 100)?;
    let mut item = json!({ "name": name });
    if let Some(description) = row.fitting("description", 2000)? {
        item["description"] = description.into();
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    // `queueviewtype`: 0 all users, 1 members only.
    item["private"] = row.choice("queueviewtype", &[(0, false), (1, true)])?.unwrap_or(false).into();
    item["source"] = row.source();
    Ok(Upsert::item("queues", name, item).from(row))
}

fn workstream(row: &Row) -> Result<Upsert, Unusable> {
    let name = row.required("msdyn_name", 100)?;
    let channel = row.choice("msdyn_streamsource", CHANNELS)?;
    let channel = channel.ok_or_else(|| {
        Unusable::new("value-missing", "`msdyn_streamsource` has no value, and a workstream has one channel")
    })?;
    let mut item = json!({ "name": name, "channel": channel });
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    // Names of templates are texts without integrity there. Those that lead nowhere are found by the host.
    if let Some(template) = row.fitting("msdyn_sessiontemplate_default", 200)? {
        item["sessionTemplate"] = template.into();
    }
    let mut notifications = Map::new();
    for (event, column) in NOTIFICATIONS {
        if let Some(template) = row.fitting(column, 200)? {
            notifications.insert((*event).to_owned(), template.into());
        }
    }
    item["notifications"] = notifications.into();
    if let Some(queue) = row.look_up("msdyn_defaultqueue") {
        item["fallbackQueue"] = queue.id.clone().into();
    }
    let distributions = [(192_350_000, "push"), (192_350_001, "pick")];
    item["distribution"] = row.choice("msdyn_workdistributionmode", &distributions)?.unwrap_or("push").into();
    item["source"] = row.source();
    Ok(Upsert::item("workstreams", name, item).from(row))
}

export_upgrade!(Workstreams);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_upgrade_cases::<Workstreams>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
