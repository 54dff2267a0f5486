//! Notification templates: the notifications that announce incoming work.

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A notification that announces incoming work (`msdyn_notificationtemplate`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationTemplate {
    /// For administrators; never shown at run time.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive templates are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Shown; slugs allowed.
    pub title: Localized<100>,
    /// Path of the icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Text<1024>>,
    /// Whether the time left is shown. Rows older than the field have none, and count as shown (domain 4.1).
    #[serde(default = "yes")]
    pub show_countdown: bool,
    /// Seconds until the work is offered to another person, 1 to 500 (ruling 8.22).
    #[serde(default = "two_minutes")]
    #[schema(minimum = 1, maximum = 500)]
    pub countdown_seconds: u16,
    /// The work is assigned without asking.
    #[serde(default)]
    pub auto_assign: bool,
    /// The session opens without asking; only with `autoAssign`.
    #[serde(default)]
    pub auto_accept: bool,
    /// Caption of the accepting button; without it "Accept", or "Open" when assigned without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_button_text: Option<Localized<100>>,
    /// Whether there is a rejecting button. Ignored for records and under `autoAssign` (ruling 8.10).
    #[serde(default = "yes")]
    pub show_reject_button: bool,
    /// Caption of the rejecting button; without it "Reject".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_button_text: Option<Localized<100>>,
    /// When the desktop shows it, too.
    #[serde(default)]
    pub desktop: DesktopNotification,
    /// Colours.
    #[serde(default)]
    pub theme: Theme,
    /// At most four lines of detail.
    #[serde(default)]
    #[schema(max_items = 4)]
    pub fields: Vec<NotificationField>,
    /// Where the template came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

fn yes() -> bool {
    true
}

fn two_minutes() -> u16 {
    120
}

/// A line of detail (`msdyn_notificationfield`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationField {
    /// The header.
    pub title: Localized<200>,
    /// The value; slugs allowed.
    pub value: Localized<1028>,
    /// Position from the top.
    #[serde(default)]
    pub order: u32,
    /// The unique name the field had as an item of its own, kept for round trips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<Text<128>>,
}

/// When the desktop shows a notification (`msdyn_desktopnotificationmode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DesktopNotification {
    /// Never.
    #[default]
    Never,
    /// While the app is in the background.
    InBackground,
    /// Always.
    Always,
}

/// Colours of a notification (`msdyn_theme`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

impl NotificationTemplate {
    /// Most lines of detail.
    pub const FIELDS_MAX: usize = 4;
    /// The column and the value that the source of a template keeps if its row had no time-out. An upgrade gives such a
    /// template the older time-out of the workstream that binds it (ruling 8.22).
    pub const DEFAULT_COUNTDOWN: (&str, &str) = ("loadout/countdownSeconds", "default");
}

impl Item for NotificationTemplate {
    item_basics!(NotificationTemplate, named, stateful);

    fn check(&self, problems: &mut Problems) {
        slug::check_localized(&self.title, "title", problems);
        if self.fields.len() > Self::FIELDS_MAX {
            let count = self.fields.len();
            problems.refuse("fields", format!("{count} fields are too many: keep at most {}", Self::FIELDS_MAX));
        }
        for (index, field) in self.fields.iter().enumerate() {
            slug::check_localized(&field.value, &format!("fields[{index}].value"), problems);
        }
        if !(1..=500).contains(&self.countdown_seconds) {
            let message = format!("{} is out of range: 1 to 500 seconds", self.countdown_seconds);
            if self.countdown_seconds == 0 {
                problems.question("countdownSeconds", message)
            } else {
                problems.refuse("countdownSeconds", message)
            }
        }
        if self.auto_accept && !self.auto_assign {
            problems.question("autoAccept", "needs `autoAssign`: switch that on, or this off");
        }
    }
}
