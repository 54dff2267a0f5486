//! Notification templates and their fields.

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, Upsert};
use serde_json::{Value, json};

pub(crate) const TABLE: &str = "msdyn_consoleapplicationnotificationtemplate";
const FIELD: &str = "msdyn_consoleapplicationnotificationfield";

/// Most lines of detail a notification has.
const FIELDS_MAX: usize = 4;
/// The number that the form offered by default.
const COUNTDOWN_SECONDS: u16 = 120;
/// The attribute that marks a row without a number, for the plugin `workstreams`, whose rows have an older number.
const DEFAULT_COUNTDOWN: (&str, &str) = ("loadout/countdownSeconds", "default");

pub(crate) fn migrate(page: &Page, row: &Row, migration: &mut Migration) {
    let mut fields = Vec::new();
    for field in page.around(row, FIELD) {
        match read_field(field) {
            Ok(read) => fields.push((read.0, field, read.1)),
            Err(why) => migration.quarantine(field, why),
        }
    }
    fields.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    for (_, field, _) in fields.iter().skip(FIELDS_MAX) {
        let reason =
            format!("the notification has {FIELDS_MAX} fields already, which is the most there can be: remove one");
        migration.quarantine(field, Unusable::new("too-many-fields", reason));
    }
    fields.truncate(FIELDS_MAX);
    let made = template(row, fields.iter().map(|(_, _, json)| json.clone()).collect());
    match made {
        Ok(upsert) => migration.upserts.push(upsert.from(row).from_all(fields.iter().map(|(_, field, _)| *field))),
        Err(why) => migration.quarantine(row, why),
    }
}

fn template(row: &Row, fields: Vec<Value>) -> Result<Upsert, Unusable> {
    let name = row.required("msdyn_name", 100)?;
    let mut item = json!({ "name": name, "title": row.required("msdyn_title", 100)? });
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    if let Some(icon) = row.fitting("msdyn_icon", 1024)? {
        item["icon"] = icon.into();
    }
    // Rows older than the switch have none, and showed the countdown.
    let shown = row.choice("msdyn_showtimeout", &[(100_000_000, true), (100_000_001, false)])?;
    item["showCountdown"] = shown.unwrap_or(true).into();
    let own = row.number::<u16>("msdyn_timeout")?;
    let seconds = own.unwrap_or(COUNTDOWN_SECONDS);
    if seconds > 500 {
        let reason = format!("`msdyn_timeout`: {seconds} seconds are too many, 500 are the most");
        return Err(Unusable::new("value-too-large", reason));
    }
    item["countdownSeconds"] = seconds.into();
    item["autoAssign"] = row.switch("msdyn_autoacceptnotification")?.unwrap_or(false).into();
    let themes = [(100_000_000, "dark"), (100_000_001, "light")];
    item["theme"] = row.choice("msdyn_theme", &themes)?.unwrap_or("dark").into();
    let desktops = [(100_000_002, "never"), (100_000_003, "in-background")];
    item["desktop"] = row.choice("msdyn_desktopnotificationsettings", &desktops)?.unwrap_or("never").into();
    buttons(row, &mut item)?;
    item["fields"] = fields.into();
    item["source"] = row.source();
    if own.is_none() {
        let (column, value) = DEFAULT_COUNTDOWN;
        item["source"]["attributes"][column] = value.into();
    }
    Ok(Upsert::item("notification-templates", name, item))
}

/// Captions have columns of their own in newer rows, and are JSON in older ones.
fn buttons(row: &Row, item: &mut Value) -> Result<(), Unusable> {
    let text = row.text("msdyn_notificationbuttons").filter(|text| !text.trim().is_empty());
    let older: Value = match text.map(serde_json::from_str).transpose() {
        Ok(older) => older.unwrap_or(Value::Null),
        Err(error) => {
            let reason = format!("`msdyn_notificationbuttons` is not JSON: {error}");
            return Err(Unusable::new("buttons-unreadable", reason));
        }
    };
    for (key, column, member) in [
        ("acceptButtonText", "msdyn_acceptbuttontext", "Accept_Button_String"),
        ("rejectButtonText", "msdyn_rejectbuttontext", "Reject_Button_String"),
    ] {
        let caption = row.fitting(column, 100)?.or(older[member].as_str().filter(|text| !text.is_empty()));
        if let Some(caption) = caption {
            if caption.chars().count() > 100 {
                let reason = format!("`{member}` has more than 100 characters: shorten it");
                return Err(Unusable::new("value-too-long", reason));
            }
            item[key] = caption.into();
        }
    }
    item["showRejectButton"] = older["Reject_Button_Enabled"].as_bool().unwrap_or(true).into();
    Ok(())
}

fn read_field(row: &Row) -> Result<(u32, Value), Unusable> {
    if row.is_inactive() {
        return Err(Unusable::new("inactive", "an inactive field is not taken: activate it, or delete it"));
    }
    let order = row.number::<u32>("msdyn_priority")?.unwrap_or_default();
    let unique_name = row.required("msdyn_name", 100)?;
    let title = row.required("msdyn_lineheader", 200)?;
    let value = row.fitting("msdyn_value", 1028)?.unwrap_or_default();
    Ok((order, json!({ "title": title, "value": value, "order": order, "uniqueName": unique_name })))
}
