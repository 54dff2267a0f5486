//! Apps: the workspaces that ask for experiences.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A workspace application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// Shown in lists.
    pub name: Localized<100>,
    /// Further names the app is known by elsewhere.
    #[serde(default)]
    pub aliases: BTreeSet<Text<128>>,
    /// The out-of-the-box profiles of the app: the first entry that fits a person wins (ruling 8.24). An app without a
    /// fitting entry uses the entries of [`App::BASE`].
    #[serde(default)]
    pub out_of_the_box: Vec<OutOfTheBoxRule>,
}

/// An out-of-the-box profile, and the people who get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutOfTheBoxRule {
    /// The profile.
    pub profile: Name<Profile>,
    /// The person has one of these roles; empty asks for none.
    #[serde(default)]
    pub roles: BTreeSet<Name<SecurityRole>>,
    /// The person has one of these licences; empty asks for none.
    #[serde(default)]
    pub licences: BTreeSet<Text<100>>,
}

impl App {
    /// The app whose out-of-the-box profiles apply to apps without their own.
    pub const BASE: &str = "customer-service-workspace";
}

impl Item for App {
    item_basics!(App, named);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        for rule in &mut self.out_of_the_box {
            visit(rule.profile.reference("outOfTheBox.profile"));
            profile::visit_set(&mut rule.roles, "outOfTheBox.roles", visit);
        }
    }
}
