//! Imports notification templates and their fields.
//!
//! In a solution, fields are reusable; here they belong to a template. So a field that is linked to several templates
//! is copied into each. Rows from before the countdown switch have no value for it, and show the countdown. Links
//! beyond the fourth field are left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{DesktopNotification, Kind, NotificationField, NotificationTemplate, State, Text, Theme};

use super::customizations::{Ends, Links};
use super::made::size;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const TEMPLATE: &str = "msdyn_notificationtemplate";
pub(crate) const FIELD: &str = "msdyn_notificationfield";
/// The seconds that the form offers as the default.
const COUNTDOWN_SECONDS: u16 = 120;

pub(crate) const DESKTOP: &[(i64, DesktopNotification)] = &[
    (509_180_000, DesktopNotification::Never),
    (509_180_001, DesktopNotification::InBackground),
    (509_180_002, DesktopNotification::Always),
];
pub(crate) const THEMES: &[(i64, Theme)] = &[(509_180_000, Theme::Dark), (509_180_001, Theme::Light)];

/// Plans every notification template, with its fields.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, links: &mut Links) {
    let mut drafts = Drafts::new();
    for row in rows.take(TEMPLATE) {
        let Some((component, row, (mut template, has_countdown))) = work.read(row, template) else { continue };
        let name = row.name.clone();
        let (column, value) = NotificationTemplate::DEFAULT_COUNTDOWN;
        let also = [(column, value.to_owned())];
        template.source = row.source(work.solution.summary.managed, if has_countdown { &[] } else { &also });
        drafts.begin(component, &name, template);
    }
    let mut fields = BTreeMap::new();
    for row in rows.take(FIELD) {
        let Some((component, row, (field, state))) = work.read(row, field) else { continue };
        if state == State::Inactive {
            work.skip(component, "an inactive field is not taken");
        } else {
            let bytes = size(&field);
            fields.insert(row.name.clone(), (component, row, field, bytes));
        }
    }
    let mut links = links.take("msdyn_notificationtemplateid", "msdyn_notificationfieldid");
    let order = |link: &Ends| fields.get(link.end("msdyn_notificationfieldid")).map(|(_, _, field, _)| field.order);
    links.sort_by_key(order);
    let mut kept = BTreeMap::new();
    for link in links {
        let field_name = link.end("msdyn_notificationfieldid").to_owned();
        let Some((component, _, field, bytes)) = fields.get(&field_name) else {
            work.leave_out(&link, format!("there is no readable field `{field_name}` in the archive"));
            continue;
        };
        let name = link.end("msdyn_notificationtemplateid");
        if let Err(reason) = work.copied.take(*bytes) {
            work.leave_out(&link, reason.0);
            continue;
        }
        if attach(work, &link, name, field, &mut drafts) {
            work.merge_or_copy(*component, Kind::NotificationTemplate, name);
            kept.entry(field_name).or_insert_with(|| name.to_owned());
        }
    }
    let mut made_up = BTreeSet::new();
    for (name, (component, row, _, _)) in fields {
        if row.is_made_up() {
            made_up.insert(name.clone());
        }
        match kept.get(&name).and_then(|template| drafts.open(work, template)) {
            Some(template) => row.keep_in(&mut template.source),
            None => work.skip(component, "no notification template is linked to it"),
        }
    }
    for (_, template) in drafts.iter_mut() {
        template.fields.sort_by(|a, b| (a.order, &a.unique_name).cmp(&(b.order, &b.unique_name)));
        for field in &mut template.fields {
            field.unique_name.take_if(|name| made_up.contains(name.as_str()));
        }
    }
    drafts.put(work, TEMPLATE);
}

fn attach(
    work: &mut Work<'_>,
    link: &Ends,
    name: &str,
    field: &NotificationField,
    drafts: &mut Drafts<NotificationTemplate>,
) -> bool {
    let Some(template) = drafts.open(work, name) else {
        let reason = work.why_not(Kind::NotificationTemplate, name);
        work.leave_out(link, reason);
        return false;
    };
    template.fields.retain(|other| other.unique_name != field.unique_name);
    if template.fields.len() >= NotificationTemplate::FIELDS_MAX {
        let max = NotificationTemplate::FIELDS_MAX;
        let reason = format!("`{name}` has {max} fields already, which is the most there can be: remove one");
        work.report.warn("too-many-fields", format!("{TEMPLATE}/{name}"), reason.clone());
        work.leave_out(link, reason);
        return false;
    }
    template.fields.push(field.clone());
    work.link(link, Kind::NotificationTemplate, name);
    true
}

/// A template, and whether the row has a countdown of its own.
fn template(row: &mut Row) -> Result<(NotificationTemplate, bool), Unreadable> {
    let countdown = row.number("msdyn_timeout")?;
    let template = NotificationTemplate {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        title: row.required("msdyn_title")?,
        icon: row.text("msdyn_icon")?,
        show_countdown: row.switch("msdyn_showtimeout")?.unwrap_or(true),
        countdown_seconds: countdown.unwrap_or(COUNTDOWN_SECONDS),
        auto_assign: row.switch("msdyn_autoacceptnotification")?.unwrap_or(false),
        auto_accept: row.switch("msdyn_autopopupsession")?.unwrap_or(false),
        accept_button_text: row.localized("msdyn_acceptbuttontext")?,
        show_reject_button: row.switch("msdyn_showrejectbutton")?.unwrap_or(true),
        reject_button_text: row.localized("msdyn_rejectbuttontext")?,
        desktop: row.choice("msdyn_desktopnotificationmode", DESKTOP)?.unwrap_or_default(),
        theme: row.choice("msdyn_theme", THEMES)?.unwrap_or_default(),
        fields: Vec::new(),
        source: None,
    };
    Ok((template, countdown.is_some()))
}

fn field(row: &mut Row) -> Result<(NotificationField, State), Unreadable> {
    let unique_name = Text::new(row.name.as_str()).map_err(|error| Unreadable(format!("unique name: {error}")))?;
    let value = row.localized("msdyn_value")?;
    let field = NotificationField {
        title: row.required("msdyn_title")?,
        value: value.ok_or_else(|| Unreadable("`msdyn_value` is missing, and it is required".to_owned()))?,
        order: row.number("msdyn_order")?.unwrap_or_default(),
        unique_name: Some(unique_name),
    };
    Ok((field, row.state()?))
}
