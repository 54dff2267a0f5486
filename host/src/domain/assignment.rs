//! Assignments of profiles: rank and roles, and the custom default. Direct assignments are plain (login, profile)
//! pairs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// The rank of a profile and the roles it is mapped to (`msdyn_profileorder`, `msdyn_appprofilerolemapping`).
///
/// Stored under the name of the profile. Dormant while the profile is the custom default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RankAndRoles {
    /// 0 to 100, the smaller wins. None counts after every rank (ruling 8.19).
    #[serde(default)]
    #[schema(maximum = 100)]
    pub rank: Option<u8>,
    /// The roles; a person with any of them is a candidate.
    #[serde(default)]
    #[schema(required = true, min_items = 1)]
    pub roles: BTreeSet<Name<SecurityRole>>,
}

impl RankAndRoles {
    /// Highest rank there is.
    pub const RANK_MAX: u8 = 100;
}

/// The custom default: the profile of every person who has no more specific one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultProfile {
    /// The profile.
    pub profile: Name<Profile>,
}

impl DefaultProfile {
    /// The name of the one default profile.
    pub const NAME: &str = "default-profile";
}

impl Item for RankAndRoles {
    item_basics!(RankAndRoles);

    fn display_name(&self) -> &str {
        ""
    }

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        profile::visit_set(&mut self.roles, "roles", visit);
    }

    fn check(&self, problems: &mut Problems) {
        if let Some(rank) = self.rank.filter(|rank| *rank > Self::RANK_MAX) {
            problems.refuse("rank", format!("{rank} is out of range: 0 to {}", Self::RANK_MAX));
        }
    }
}

impl Item for DefaultProfile {
    item_basics!(DefaultProfile);

    fn display_name(&self) -> &str {
        self.profile.as_str()
    }

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        visit(self.profile.reference("profile"));
    }
}
