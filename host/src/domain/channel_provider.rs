//! Channel providers: telephony of other vendors.

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A telephony provider (`msdyn_channelprovider`). Only voice is supported in profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelProvider {
    /// For administrators.
    pub name: Localized<100>,
    /// Inactive providers are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Title of the widget.
    pub label: Localized<100>,
    /// Address of the widget, `https`.
    #[schema(value_type = String, min_length = 9, max_length = 1024, pattern = r"^https://[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+$")]
    pub channel_url: Text<1024>,
    /// 0 to 1000; 0 takes precedence.
    #[schema(maximum = 1000)]
    pub sort_order: u16,
    /// Click to act.
    #[serde(default)]
    pub outbound: bool,
    /// The only version there is: 2.
    #[serde(default = "two")]
    #[schema(minimum = 2, maximum = 2)]
    pub api_version: u8,
    /// Further domains the widget may come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_domain: Option<Text<2000>>,
    /// Handed to the widget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_parameters: Option<Text<2000>>,
    /// Permissions of the frame the widget runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Text<2000>>,
    /// Whether use is measured.
    #[serde(default)]
    pub analytics: bool,
    /// Where the provider came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

fn two() -> u8 {
    2
}

impl Item for ChannelProvider {
    item_basics!(ChannelProvider, named, stateful);

    fn check(&self, problems: &mut Problems) {
        if self.sort_order > 1000 {
            problems.refuse("sortOrder", format!("{} is out of range: 0 to 1000", self.sort_order));
        }
        if self.api_version != 2 {
            problems.refuse("apiVersion", format!("{} is not supported: 2 is the only version", self.api_version));
        }
        if !address::is_https(self.channel_url.as_str().trim()) {
            let typed = &self.channel_url;
            problems
                .question("channelUrl", format!("`{typed}` must be a well-formed address and begin with `https://`"));
        }
    }
}
