//! The out-of-the-box content, which every environment has from the start.

use super::Content;

const DOCUMENTS: &[(&str, &str)] = &[
    ("security-roles.json", include_str!("shipped/security-roles.json")),
    ("apps.json", include_str!("shipped/apps.json")),
    ("application-tab-templates.json", include_str!("shipped/application-tab-templates.json")),
    ("notification-templates.json", include_str!("shipped/notification-templates.json")),
    ("session-templates.json", include_str!("shipped/session-templates.json")),
    ("smart-assist-configurations.json", include_str!("shipped/smart-assist-configurations.json")),
    ("pane-tools.json", include_str!("shipped/pane-tools.json")),
    ("profiles.json", include_str!("shipped/profiles.json")),
];

/// Returns the out-of-the-box content of this version of the program.
pub fn shipped() -> Content {
    Content::embedded(DOCUMENTS)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{complaints, find, template_complaints};
    use super::*;
    use crate::domain::{Channel, NotificationTemplate, SessionTemplate};

    #[test]
    fn the_shipped_content_is_whole() {
        let content = shipped();
        assert_eq!(complaints(&content), Vec::<String>::new());
        assert_eq!(template_complaints(&content), Vec::<String>::new());
        assert!(content.assignments.is_empty(), "the shipped content assigns no user");
    }

    #[test]
    fn every_channel_has_its_out_of_the_box_templates() {
        let content = shipped();
        for channel in Channel::ALL {
            let stem = match channel {
                Channel::Record => "entityrouting".to_owned(),
                other => other.as_str().replace('-', ""),
            };
            let session: &SessionTemplate = find(&content, &format!("msdyn_{stem}_session"));
            assert!(session.anchor_tab.is_some(), "{channel} has an anchor");
            let events: &[&str] = match channel {
                Channel::Record => &["assigned"],
                Channel::Voice => {
                    &["incoming_authenticated", "incoming_unauthenticated", "consult", "transfer", "supervisor_assign"]
                }
                _ => &["incoming_authenticated", "incoming_unauthenticated", "consult", "transfer"],
            };
            for event in events {
                let template: &NotificationTemplate = find(&content, &format!("msdyn_{stem}_{event}"));
                assert_eq!(template.show_reject_button, channel != Channel::Record, "{channel} {event}");
            }
        }
    }
}
