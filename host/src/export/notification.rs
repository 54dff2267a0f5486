//! Exports notification templates and their fields, which are linked rows of their own.

use crate::domain::{NotificationTemplate, State};
use crate::import::notification::{DESKTOP, FIELD, TEMPLATE, THEMES};

use super::tables::Tables;

/// Writes every notification template.
pub(super) fn write(tables: &mut Tables<'_>) {
    let templates: Vec<_> = tables.custom::<NotificationTemplate>().collect();
    for (name, template) in templates {
        tables.item(TEMPLATE, &name, template.source.as_ref(), |row| {
            row.localized("msdyn_acceptbuttontext", template.accept_button_text.as_ref());
            row.switch("msdyn_autoacceptnotification", template.auto_assign);
            row.switch("msdyn_autopopupsession", template.auto_accept);
            row.localized("msdyn_description", template.description.as_ref());
            row.choice("msdyn_desktopnotificationmode", DESKTOP, &template.desktop);
            row.text("msdyn_icon", template.icon.as_ref());
            row.localized("msdyn_name", Some(&template.name));
            row.localized("msdyn_rejectbuttontext", template.reject_button_text.as_ref());
            row.switch("msdyn_showrejectbutton", template.show_reject_button);
            row.switch("msdyn_showtimeout", template.show_countdown);
            row.choice("msdyn_theme", THEMES, &template.theme);
            row.number("msdyn_timeout", template.countdown_seconds);
            row.localized("msdyn_title", Some(&template.title));
            row.state(template.state);
        });
        for (index, field) in template.fields.iter().enumerate() {
            let row = tables.part(
                FIELD,
                field.unique_name.as_ref().map(|own| own.as_str()),
                &format!("{name}_field_{}", index + 1),
                |row| {
                    row.number("msdyn_order", field.order);
                    row.localized("msdyn_title", Some(&field.title));
                    row.localized("msdyn_value", Some(&field.value));
                    row.state(State::Active);
                },
                |row| row.text("msdyn_name", Some(field.title.default_text().chars().take(100).collect::<String>())),
            );
            tables.link(
                "msdyn_notificationtemplate_notificationfield",
                ("msdyn_notificationfieldid", &row),
                ("msdyn_notificationtemplateid", name.as_str()),
            );
        }
    }
}
