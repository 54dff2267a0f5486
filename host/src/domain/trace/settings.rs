//! The settings of traces: what is kept of calls, and for how long.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Problems;

/// The settings of traces: what is kept of calls of plugins. Calls that broke are counted whatever these say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TraceSettings {
    /// The calls of which the plugin's own text is kept.
    pub level: TextLevel,
    /// Most traces of successful calls that are kept in a second, by plugin. Above that, some stand for the others.
    #[schema(maximum = 10_000)]
    pub successes_per_second: u32,
    /// The number of days that traces are kept.
    #[schema(minimum = 1, maximum = 3_650)]
    pub retention_days: u32,
    /// Most megabytes (of 1,048,576 bytes) that traces take up.
    #[schema(minimum = 1, maximum = 102_400)]
    pub retention_megabytes: u32,
    /// Settings of single plugins, by `publisher/name`.
    pub per_plugin: BTreeMap<String, PluginTraces>,
}

/// Settings of one plugin, in place of the common ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PluginTraces {
    /// The calls of which the plugin's text is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<TextLevel>,
}

/// The calls of which the text is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextLevel {
    /// No call.
    Off,
    /// Calls that broke.
    #[default]
    Faults,
    /// All calls.
    All,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            level: TextLevel::default(),
            successes_per_second: 20,
            retention_days: 30,
            retention_megabytes: 256,
            per_plugin: BTreeMap::new(),
        }
    }
}

impl TraceSettings {
    const SUCCESSES_MAX: u32 = 10_000;
    const DAYS_MAX: u32 = 3_650;
    const MEGABYTES_MAX: u32 = 102_400;
    const PLUGINS_MAX: usize = 1_000;

    /// Returns the calls of `plugin` of which the text is kept.
    pub fn level(&self, plugin: &str) -> TextLevel {
        self.per_plugin.get(plugin).and_then(|traces| traces.level).unwrap_or(self.level)
    }

    /// Reports settings out of bounds. `at` is the path of the settings.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        for (attribute, value, least, most) in [
            ("successesPerSecond", self.successes_per_second, 0, Self::SUCCESSES_MAX),
            ("retentionDays", self.retention_days, 1, Self::DAYS_MAX),
            ("retentionMegabytes", self.retention_megabytes, 1, Self::MEGABYTES_MAX),
        ] {
            if !(least..=most).contains(&value) {
                problems.refuse(format!("{at}.{attribute}"), format!("is {value}: use {least} to {most}"));
            }
        }
        if self.per_plugin.len() > Self::PLUGINS_MAX {
            problems.refuse(format!("{at}.perPlugin"), format!("names more than {} plugins", Self::PLUGINS_MAX));
        }
        for plugin in self.per_plugin.keys().filter(|plugin| !is_plugin(plugin)) {
            problems.refuse(format!("{at}.perPlugin.{plugin}"), "a plugin is named `publisher/name`");
        }
    }
}

fn is_plugin(name: &str) -> bool {
    let is_part = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.split_once('/').is_some_and(|(publisher, name)| is_part(publisher) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_named() {
        for (json, expected) in [
            ("{}", ""),
            (r#"{"retentionDays": 0}"#, "`traces.retentionDays`: is 0: use 1 to 3650"),
            (r#"{"retentionMegabytes": 200000}"#, "`traces.retentionMegabytes`: is 200000: use 1 to 102400"),
            (r#"{"perPlugin": {"a": {}}}"#, "`traces.perPlugin.a`: a plugin is named `publisher/name`"),
            (r#"{"perPlugin": {"a/b": {}}}"#, ""),
        ] {
            let settings: TraceSettings = serde_json::from_str(json).unwrap();
            let mut problems = Problems::default();
            settings.check("traces", &mut problems);
            let found: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(""), expected, "for {json}");
        }
    }

    #[test]
    fn a_plugin_may_be_listened_to_more_closely() {
        let settings: TraceSettings =
            serde_json::from_str(r#"{"level": "off", "perPlugin": {"a/b": {"level": "all"}, "a/c": {}}}"#).unwrap();
        let levels = ["a/b", "a/c", "a/d"].map(|plugin| settings.level(plugin));
        assert_eq!(levels, [TextLevel::All, TextLevel::Off, TextLevel::Off]);
    }
}
