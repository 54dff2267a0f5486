//! Privileges: the smallest permissions of a caller.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Kind;

macro_rules! privileges {
    ($($(#[doc = $doc:literal])+ $privilege:ident = $name:literal;)+) => {
        /// A permission of a caller.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        pub enum Privilege {
            $($(#[doc = $doc])+ #[serde(rename = $name)] #[schema(rename = $name)] $privilege),+
        }

        impl Privilege {
            /// Every privilege.
            pub const ALL: &[Self] = &[$(Self::$privilege),+];

            /// The name on the wire, which never changes.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$privilege => $name),+ }
            }

            /// Returns what the privilege allows, in a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$privilege => concat!($($doc),+).trim_ascii_start()),+ }
            }
        }
    };
}

privileges! {
    /// Read the configuration: every collection but people, the default profile, the environment, which plugins are
    /// there.
    ConfigurationRead = "configuration.read";
    /// Write profiles, templates, tabs, notifications, channels, workstreams, queues, roles, apps, the environment;
    /// import.
    ConfigurationWrite = "configuration.write";
    /// Write scripts, macros, pane tools and smart assist configurations.
    ProductivityWrite = "productivity.write";
    /// Read people, and who is assigned to which profile.
    PeopleRead = "people.read";
    /// Write people, and assign them to profiles.
    PeopleWrite = "people.write";
    /// Ask for the experience of a person.
    ExperienceRead = "experience.read";
    /// Read the history of changes, with authors and earlier values.
    HistoryRead = "history.read";
    /// Export the configuration.
    Export = "export";
    /// Plan, carry out, watch and undo upgrades from old environments, whatever they change.
    Upgrade = "upgrade";
    /// Install plugins.
    PluginInstall = "plugin.install";
    /// Say whose plugins must be signed, by which keys, and whether plugins of all other publishers are taken.
    PluginTrust = "plugin.trust";
    /// Change the steps and settings of installed plugins.
    PluginConfigure = "plugin.configure";
    /// Grant plugins what they ask to reach outside, say where connectors lead, and which of them slugs ask.
    PluginGrant = "plugin.grant";
    /// Write and delete secrets that plugins and connectors use by name. No caller can read one.
    SecretWrite = "secret.write";
    /// Read the traces of plugins.
    PluginTraceRead = "plugin.trace.read";
    /// Record calls of plugins with all their inputs, to replay them elsewhere.
    PluginRecord = "plugin.record";
    /// Make, list, rotate and revoke tokens whose privileges the caller has, too.
    TokenManage = "token.manage";
    /// Read the audit: which calls were denied, and which callers made and revoked tokens.
    AuditRead = "audit.read";
}

impl Privilege {
    /// Returns the privilege that reading items of `kind` needs.
    pub fn to_read(kind: Kind) -> Self {
        if kind == Kind::User { Self::PeopleRead } else { Self::ConfigurationRead }
    }

    /// Returns the privilege that writing items of `kind` needs.
    pub fn to_write(kind: Kind) -> Self {
        match kind {
            Kind::Script | Kind::Macro | Kind::PaneTool | Kind::SmartAssistConfiguration => Self::ProductivityWrite,
            Kind::User => Self::PeopleWrite,
            Kind::Plugin => Self::PluginConfigure,
            Kind::TrustedPublisher => Self::PluginTrust,
            Kind::Connector => Self::PluginGrant,
            _ => Self::ConfigurationWrite,
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_on_the_wire_is_the_name_in_sentences() {
        for privilege in Privilege::ALL {
            assert_eq!(serde_json::json!(privilege), privilege.as_str());
            assert!(privilege.description().ends_with('.'), "{privilege}");
        }
    }
}
