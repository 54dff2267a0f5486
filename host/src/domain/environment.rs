//! The settings of the environment, which hold for every person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// The settings of the environment, which hold for every person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Environment {
    /// The organisation's own language, used where a text has no translation into a person's language (ruling 8.13).
    pub base_language: Language,
    /// Switches that overrule every profile, such as `copilot`. Absent means on.
    pub tenant_switches: BTreeMap<String, bool>,
    /// Most sessions at once, Home included (ruling 8.18).
    #[schema(minimum = 2, maximum = 255)]
    pub sessions_max: u8,
    /// Most tabs in a session, the anchor included (ruling 8.18).
    #[schema(minimum = 1, maximum = 255)]
    pub tabs_max: u8,
    /// The effect of a second direct assignment of a person (ruling 8.3).
    pub second_assignment: SecondAssignment,
    /// The settings of traces: what is kept of calls of plugins. Not part of an export. Changing it needs
    /// `plugin.configure`.
    pub traces: TraceSettings,
    /// How slugs look up business records. Not part of an export. Changing it needs `plugin.grant`.
    pub queries: QuerySettings,
    /// Which plugins the environment accepts. Not part of an export.
    pub plugins: PluginSettings,
}

/// How slugs look up business records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct QuerySettings {
    /// The connector, of the kind `odata`, that answers slugs such as
    /// `{$odata.contact.fullname.?$filter=contactid eq {customerRecordId}}`. Without a connector, these slugs have no
    /// value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9-]*$")]
    pub connector: Option<Name<Connector>>,
}

/// The effect of a second direct assignment of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecondAssignment {
    /// It replaces the first, and the answer says so.
    #[default]
    Replaces,
    /// It is refused.
    IsRefused,
}

impl Environment {
    /// The name of the one environment.
    pub const NAME: &str = "environment";

    /// Takes over from `here` the settings that only the administrator of an environment decides: the plugins that are
    /// accepted, what is kept of their calls, and the connector of slugs. No archive, no upgrade and no plugin changes
    /// them.
    pub fn keep_own(&mut self, here: &Self) {
        let Self { traces, queries, plugins, .. } = here;
        (self.traces, self.queries, self.plugins) = (traces.clone(), queries.clone(), plugins.clone());
    }

    /// Tells whether a switch is on.
    pub fn is_on(&self, switch: &str) -> bool {
        self.tenant_switches.get(switch).copied().unwrap_or(true)
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            base_language: user::ENGLISH,
            tenant_switches: BTreeMap::new(),
            sessions_max: 10,
            tabs_max: 10,
            second_assignment: SecondAssignment::Replaces,
            traces: TraceSettings::default(),
            queries: QuerySettings::default(),
            plugins: PluginSettings::default(),
        }
    }
}

impl Item for Environment {
    item_basics!(Environment);

    fn display_name(&self) -> &str {
        ""
    }

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Some(connector) = &mut self.queries.connector {
            visit(connector.reference("queries.connector"));
        }
    }

    fn check(&self, problems: &mut Problems) {
        if self.sessions_max < 2 {
            problems.refuse("sessionsMax", "must be at least 2: Home and one session");
        }
        if self.tabs_max == 0 {
            problems.refuse("tabsMax", "must be at least 1: the anchor tab");
        }
        self.traces.check("traces", problems);
    }
}
