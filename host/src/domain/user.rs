//! People and their rights: users and security roles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// English (United States).
pub const ENGLISH: Language = 1033;

/// A person, addressed by login.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// Shown.
    pub display_name: Text<200>,
    /// Roles given to the person directly; roles of teams do not count (domain 3.2).
    #[serde(default)]
    pub roles: BTreeSet<Name<SecurityRole>>,
    /// Licences, such as `chat`, `voice` or `digital-messaging`.
    #[serde(default)]
    pub licences: BTreeSet<Text<100>>,
    /// The language of the person's screen.
    #[serde(default = "english")]
    pub language: Language,
}

fn english() -> Language {
    ENGLISH
}

/// A named set of rights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityRole {
    /// Shown, and accepted in place of the unique name if only one role has this name.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Roles whose rights this one contains. They open gates; role mappings look at the roles a person was given.
    #[serde(default)]
    pub includes: BTreeSet<Name<SecurityRole>>,
}

impl Item for User {
    item_basics!(User);

    fn display_name(&self) -> &str {
        self.display_name.as_str()
    }

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        profile::visit_set(&mut self.roles, "roles", visit);
    }
}

impl Item for SecurityRole {
    item_basics!(SecurityRole, named);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        profile::visit_set(&mut self.includes, "includes", visit);
    }
}
