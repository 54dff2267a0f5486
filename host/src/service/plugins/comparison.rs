//! How two versions of a plugin differ over recorded calls, as a value.

use serde::Serialize;

use crate::domain::PluginVersion;
use crate::domain::comparison::{Difference, Differences};

use super::fit::UnfitSettings;
use super::migrated::Migrated;

/// The differences between two versions of a plugin over the recorded calls.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that serves.
    pub from: PluginVersion,
    /// The version that would serve.
    pub to: PluginVersion,
    /// Recorded questions that were asked of both.
    pub recordings: usize,
    /// How often those questions were seen.
    pub calls: u64,
    /// Questions that both answer alike.
    pub same: usize,
    /// Questions that they answer differently.
    pub different: usize,
    /// Questions that could not be asked of both, because the host was busy or one of the versions is suspended.
    pub not_asked: usize,
    /// Questions for which there was no time. They are older than those that were asked, and the comparison says
    /// nothing about them.
    pub left_out: usize,
    /// The differences. Calls are counted as often as their question was seen.
    pub differences: Vec<Difference>,
    /// The changes to the present settings, and the problems, if the version serves.
    pub settings: SettingsOutlook,
    /// Whether all differences are expected, and all questions for which there was time could be asked.
    pub as_expected: bool,
}

/// The changes to settings, and the problems, if a version serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsOutlook {
    /// The settings that its migrations change.
    #[serde(skip_serializing_if = "Migrated::is_empty")]
    #[schema(required = false)]
    pub migrated: Migrated,
    /// The settings that do not fit it after the migrations: it does not serve before they are settled.
    #[serde(skip_serializing_if = "UnfitSettings::is_empty")]
    #[schema(required = false)]
    pub problems: UnfitSettings,
}

impl Comparison {
    /// Returns why the version does not serve, in a sentence with the next step.
    pub(in crate::service) fn objection(&self) -> String {
        let Self { plugin, from, to, recordings, different, not_asked, .. } = self;
        if self.differences.iter().all(|difference| difference.expected) {
            return format!(
                "plugin `{plugin}` {to} does not serve: {not_asked} recorded questions could not be asked, because the host was busy or a \
                 version is suspended: try again in a while, or say `pastGate`"
            );
        }
        format!(
            "plugin `{plugin}` {to} does not serve: of {recordings} recorded questions {different} are answered otherwise than by {from}, \
             and not all of that was said to be meant: look at the differences, and say them in `expected` if they are meant"
        )
    }

    /// Returns the comparison without people, values and names of fields, for a caller that may not see recorded data.
    #[must_use]
    pub fn without_examples(mut self) -> Self {
        self.differences = Differences::without_examples(self.differences);
        self
    }
}
