//! Roles: privileges that belong together, named after the roles of the product where there is one.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Privilege;

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $name:literal, $privileges:expr;)+) => {
        /// A role of a caller: a fixed set of privileges.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        pub enum AccessRole {
            $($(#[doc = $doc])+ #[serde(rename = $name)] #[schema(rename = $name)] $role),+
        }

        impl AccessRole {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$role),+];

            /// The name on the wire, which never changes.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$role => $name),+ }
            }

            /// Returns what the role is for, in a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$role => concat!($($doc),+).trim_ascii_start()),+ }
            }

            /// Returns the privileges of the role.
            pub fn privileges(self) -> &'static [Privilege] {
                use Privilege::*;
                match self { $(Self::$role => const { $privileges }),+ }
            }
        }
    };
}

roles! {
    /// Everything.
    SystemAdministrator = "system-administrator", Privilege::ALL;
    /// Sets up profiles and their parts except productivity tools, and assigns people to profiles.
    AppProfileAdministrator = "app-profile-administrator", &[
        ConfigurationRead, ConfigurationWrite, PeopleRead, PeopleWrite, ExperienceRead, HistoryRead, Export,
    ];
    /// Reads profiles and the experiences of people, and changes nothing.
    AppProfileUser = "app-profile-user", &[ConfigurationRead, PeopleRead, ExperienceRead];
    /// Writes scripts, macros, pane tools and smart assist configurations, and tries them out.
    ProductivityToolsAdministrator = "productivity-tools-administrator", &[
        ConfigurationRead, ProductivityWrite, ExperienceRead,
    ];
    /// A workspace app: asks for the experiences of people, and reads nothing else.
    Workspace = "workspace", &[ExperienceRead];
    /// Installs plugins.
    PluginInstaller = "plugin-installer", &[ConfigurationRead, PluginInstall];
    /// Says whose plugins must be signed, by which keys, and whether plugins of all other publishers are taken.
    /// Installs none.
    PluginTrustAdministrator = "plugin-trust-administrator", &[ConfigurationRead, PluginTrust];
    /// Sets up installed plugins.
    PluginConfigurator = "plugin-configurator", &[ConfigurationRead, PluginConfigure];
    /// Grants plugins what they ask to reach outside, and says where connectors lead.
    PluginGranter = "plugin-granter", &[ConfigurationRead, PluginGrant];
    /// Writes the secrets that plugins use by name, and reads none.
    SecretWriter = "secret-writer", &[SecretWrite];
    /// Reads the traces of plugins.
    PluginOperator = "plugin-operator", &[ConfigurationRead, PluginTraceRead];
    /// Records calls of plugins.
    PluginRecorder = "plugin-recorder", &[ConfigurationRead, PluginRecord];
    /// Upgrades from old environments, and exports the configuration before.
    Upgrader = "upgrader", &[ConfigurationRead, HistoryRead, Export, Upgrade];
    /// Reads the history of changes and the audit.
    Auditor = "auditor", &[HistoryRead, AuditRead];
    /// Makes tokens with the privileges that its holder has from other roles: together with `workspace`, tokens for
    /// workspaces.
    TokenAdministrator = "token-administrator", &[TokenManage];
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{typed}` is no role: known are {}", names(AccessRole::ALL, ", "))]
pub struct UnknownRole {
    /// The text as it was typed.
    pub typed: String,
}

impl AccessRole {
    /// Names the roles that have `privilege`, for a sentence.
    pub fn having(privilege: Privilege) -> String {
        let having = Self::ALL.iter().copied().filter(|role| role.privileges().contains(&privilege));
        names(&having.collect::<Vec<_>>(), " or ")
    }
}

fn names(roles: &[AccessRole], between: &str) -> String {
    roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(between)
}

impl fmt::Display for AccessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AccessRole {
    type Err = UnknownRole;

    fn from_str(typed: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.iter().find(|role| role.as_str() == typed);
        known.copied().ok_or_else(|| UnknownRole { typed: typed.to_owned() })
    }
}

/// At least one role. The privileges of several roles add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "BTreeSet<AccessRole>", into = "BTreeSet<AccessRole>")]
#[schema(as = AccessRoles, min_items = 1)]
pub struct Roles(BTreeSet<AccessRole>);

/// The refusal of an empty set of roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token without a role can do nothing: give it at least one of {}", names(AccessRole::ALL, ", "))]
pub struct NoRole;

impl Roles {
    /// Returns every role, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = AccessRole> {
        self.0.iter().copied()
    }

    /// Tells whether one of the roles has `privilege`.
    pub fn have(&self, privilege: Privilege) -> bool {
        self.0.iter().any(|role| role.privileges().contains(&privilege))
    }

    /// Returns the privileges of all roles together.
    pub fn privileges(&self) -> BTreeSet<Privilege> {
        self.0.iter().flat_map(|role| role.privileges()).copied().collect()
    }
}

impl From<AccessRole> for Roles {
    fn from(role: AccessRole) -> Self {
        Self(BTreeSet::from([role]))
    }
}

impl TryFrom<BTreeSet<AccessRole>> for Roles {
    type Error = NoRole;

    fn try_from(roles: BTreeSet<AccessRole>) -> Result<Self, NoRole> {
        if roles.is_empty() { Err(NoRole) } else { Ok(Self(roles)) }
    }
}

impl From<Roles> for BTreeSet<AccessRole> {
    fn from(roles: Roles) -> Self {
        roles.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_allows() {
        let table: Vec<String> = AccessRole::ALL
            .iter()
            .map(|role| {
                let privileges: Vec<&str> = role.privileges().iter().map(|privilege| privilege.as_str()).collect();
                format!("{role}: {}", privileges.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        system-administrator: configuration.read configuration.write productivity.write people.read people.write experience.read history.read export upgrade plugin.install plugin.trust plugin.configure plugin.grant secret.write plugin.trace.read plugin.record token.manage audit.read
        app-profile-administrator: configuration.read configuration.write people.read people.write experience.read history.read export
        app-profile-user: configuration.read people.read experience.read
        productivity-tools-administrator: configuration.read productivity.write experience.read
        workspace: experience.read
        plugin-installer: configuration.read plugin.install
        plugin-trust-administrator: configuration.read plugin.trust
        plugin-configurator: configuration.read plugin.configure
        plugin-granter: configuration.read plugin.grant
        secret-writer: secret.write
        plugin-operator: configuration.read plugin.trace.read
        plugin-recorder: configuration.read plugin.record
        upgrader: configuration.read history.read export upgrade
        auditor: history.read audit.read
        token-administrator: token.manage
        ");
    }

    #[test]
    fn each_privilege_can_be_had_without_having_all() {
        for privilege in Privilege::ALL {
            let smaller = AccessRole::ALL.iter().filter(|role| **role != AccessRole::SystemAdministrator);
            let having: Vec<_> = smaller.filter(|role| role.privileges().contains(privilege)).collect();
            assert!(!having.is_empty(), "`{privilege}` is in no other role");
        }
    }

    #[test]
    fn the_name_on_the_wire_is_the_name_that_is_typed() {
        for role in AccessRole::ALL {
            assert_eq!(serde_json::json!(role), role.as_str());
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        insta::assert_snapshot!("boss".parse::<AccessRole>().unwrap_err(), @"`boss` is no role: known are `system-administrator`, `app-profile-administrator`, `app-profile-user`, `productivity-tools-administrator`, `workspace`, `plugin-installer`, `plugin-trust-administrator`, `plugin-configurator`, `plugin-granter`, `secret-writer`, `plugin-operator`, `plugin-recorder`, `upgrader`, `auditor`, `token-administrator`");
    }

    #[test]
    fn several_roles_add_up_and_none_is_none() {
        let roles: Roles = serde_json::from_str(r#"["workspace", "token-administrator", "workspace"]"#).unwrap();
        assert_eq!(roles.privileges(), BTreeSet::from([Privilege::ExperienceRead, Privilege::TokenManage]));
        assert!(roles.have(Privilege::TokenManage) && !roles.have(Privilege::ConfigurationRead));
        assert!(serde_json::from_str::<Roles>("[]").is_err());
    }
}
