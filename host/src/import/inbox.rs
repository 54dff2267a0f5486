//! Imports inbox views.
//!
//! The filter of a view is JSON of no documented shape. Record types are recognised by the tables named in it; the JSON
//! itself is kept in the profile's source, and its filters are not used. A view without any recognised record type is
//! quarantined.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::{InboxRecordType, InboxView, Kind, Profile};

use super::json;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const TABLE: &str = "msdyn_inboxconfiguration";

pub(crate) const RECORD_TYPES: &[(&str, InboxRecordType)] = &[
    ("msdyn_ocliveworkitem", InboxRecordType::Chat),
    ("chat", InboxRecordType::Chat),
    ("conversation", InboxRecordType::Chat),
    ("email", InboxRecordType::Email),
    ("incident", InboxRecordType::Case),
    ("case", InboxRecordType::Case),
    ("voicemail", InboxRecordType::Voicemail),
    ("msdyn_ocvoicemail", InboxRecordType::Voicemail),
    ("msdyn_ocliveworkitem_record", InboxRecordType::RoutedRecord),
    ("routedrecord", InboxRecordType::RoutedRecord),
];

/// Puts all views into their profiles. An inbox that is not configured here is on if the archive has views for it.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, drafts: &mut Drafts<Profile>) {
    for row in rows.take(TABLE) {
        let Some((component, row, (name, view, json))) = work.read(row, view) else { continue };
        let is_new = work.existing::<Profile>(&name).is_none();
        let Some(profile) = drafts.open(work, &name) else {
            let reason = work.why_not(Kind::Profile, &name);
            work.skip(component, reason);
            continue;
        };
        profile.inbox.enabled |= is_new;
        profile.inbox.views.retain(|other| other.name != view.name);
        let second_default = view.default && profile.inbox.views.iter().any(|other| other.default);
        profile.inbox.views.push(InboxView { default: view.default && !second_default, ..view });
        if !row.is_made_up() {
            let place = format!("{TABLE}/{}/msdyn_configuration", row.name);
            profile.source.get_or_insert_default().attributes.insert(place, json);
        }
        row.keep_in(&mut profile.source);
        work.merge(component, Kind::Profile, &name);
        work.note(component, "its filters are kept in the source and not used");
        if second_default {
            work.note(component, "another view of the profile is the default already");
        }
    }
}

fn view(row: &mut Row) -> Result<(String, InboxView, String), Unreadable> {
    row.state()?;
    let profile = row.lookup("msdyn_appconfigurationid");
    let profile = profile.ok_or_else(|| Unreadable("`msdyn_appconfigurationid` names no profile".to_owned()))?;
    let text = row.plain("msdyn_configuration").unwrap_or_default();
    let read: Value = json::read(text.as_bytes())
        .map_err(|error| Unreadable(format!("`msdyn_configuration` is not JSON: {error}")))?;
    let mut record_types = BTreeSet::new();
    recognise(&read, &mut record_types);
    if record_types.is_empty() {
        return Err(Unreadable("`msdyn_configuration` names no record type that is known here".to_owned()));
    }
    let view = InboxView {
        name: row.required_text("msdyn_name")?,
        record_types,
        filters: serde_json::Map::new(),
        visible: row.switch("msdyn_isvisible")?.unwrap_or(false),
        default: row.switch("msdyn_isdefault")?.unwrap_or(false),
        default_sort: row.text("msdyn_defaultsort")?,
    };
    Ok((profile, view, text))
}

fn recognise(value: &Value, found: &mut BTreeSet<InboxRecordType>) {
    let mut name = |text: &str| {
        let known = RECORD_TYPES.iter().find(|(known, _)| text.eq_ignore_ascii_case(known));
        found.extend(known.map(|(_, record_type)| *record_type));
    };
    match value {
        Value::String(text) => name(text),
        Value::Array(items) => items.iter().for_each(|item| recognise(item, found)),
        Value::Object(members) => {
            members.keys().for_each(|key| name(key));
            members.values().for_each(|member| recognise(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
