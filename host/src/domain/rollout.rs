//! Rollout: a version of a plugin on trial beside the active one, for some people or in the shadow.
//!
//! Decides which version answers a person, and nothing else. A person keeps the version: a larger share adds people and
//! takes none away.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{PluginVersion, Problems, Revision};

/// The number of places that people are spread over, to count a share.
const BUCKETS: u64 = 10_000;

/// A version that is on trial beside the active one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// The version on trial.
    pub version: PluginVersion,
    /// The stage of the trial.
    pub to: RolloutStage,
    /// For a share: the percentage of people who get it, 1 to 99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 99)]
    pub percent: Option<u8>,
    /// For a group: people with one of these security roles get it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// For a group: these people get it, by login.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<String>,
    /// The number of its calls that may break before the trial is stopped.
    #[serde(default = "default_stop_after")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub stop_after: u32,
    /// The revision at which the trial began; tells it from other trials of the same version.
    #[serde(default)]
    pub since: Revision,
    /// Why the trial was stopped. A stopped version is not called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// The request to put a version on trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WantedRollout {
    /// The version to try.
    pub version: PluginVersion,
    /// The stage of the trial.
    pub to: RolloutStage,
    /// For a share: the percentage of people who get it, 1 to 99.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 99)]
    pub percent: Option<u8>,
    /// For a group: people with one of these security roles get it.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// For a group: these people get it, by login.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// The number of its calls that may break before the trial is stopped; 5 if left out.
    #[serde(default = "default_stop_after")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub stop_after: u32,
}

impl WantedRollout {
    /// Makes the trial that begins at the revision `since`.
    pub fn begun(self, since: Revision) -> Rollout {
        let Self { version, to, percent, roles, users, stop_after } = self;
        Rollout { version, to, percent, roles, users, stop_after, since, stopped: None }
    }
}

/// The people who get a version on trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutStage {
    /// No person: the version is called beside the active one, and only the differences are counted.
    Shadow,
    /// A share of all people.
    Share,
    /// Some people, by login or by role.
    Group,
}

fn default_stop_after() -> u32 {
    5
}

impl Rollout {
    /// Tells whether the version on trial of `plugin` answers this person.
    ///
    /// A person without a login is never part of a share: the next question about the same person could get the other
    /// version.
    pub fn reaches(&self, plugin: &str, login: Option<&str>, roles: &BTreeSet<Arc<str>>) -> bool {
        if self.stopped.is_some() {
            return false;
        }
        match self.to {
            RolloutStage::Shadow => false,
            RolloutStage::Share => {
                let percent = u64::from(self.percent.unwrap_or_default());
                login.is_some_and(|login| self.bucket(plugin, login) < percent * (BUCKETS / 100))
            }
            RolloutStage::Group => {
                login.is_some_and(|login| self.users.contains(login))
                    || self.roles.iter().any(|role| roles.contains(role.as_str()))
            }
        }
    }

    /// Tells whether the version runs in the shadow of the active one.
    pub fn shadows(&self) -> bool {
        self.to == RolloutStage::Shadow && self.stopped.is_none()
    }

    /// Returns the place of a person among all people. It depends on the version, so that another version tries other
    /// people first.
    fn bucket(&self, plugin: &str, login: &str) -> u64 {
        let hash = Sha256::digest(format!("{plugin}\n{}\n{login}", self.version));
        hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)) % BUCKETS
    }

    /// Refuses settings that do not fit the stage, and numbers out of range.
    pub(super) fn check(&self, problems: &mut Problems) {
        let of_a_group = !self.roles.is_empty() || !self.users.is_empty();
        match self.to {
            RolloutStage::Share if !self.percent.is_some_and(|percent| (1..100).contains(&percent)) => {
                problems.refuse(
                    "rollout.percent",
                    "a share has 1 to 99 percent: activate the version to give it to all people",
                );
            }
            RolloutStage::Group if !of_a_group => {
                problems.refuse("rollout.users", "a group needs `users`, `roles` or both");
            }
            _ => {}
        }
        if self.percent.is_some() && self.to != RolloutStage::Share {
            problems.refuse("rollout.percent", "only a share has a percentage");
        }
        if of_a_group && self.to != RolloutStage::Group {
            problems.refuse("rollout.users", "only a group has users and roles");
        }
        if !(1..=10_000).contains(&self.stop_after) {
            problems.refuse("rollout.stopAfter", "between 1 and 10000 calls may break");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(to: RolloutStage) -> Rollout {
        let version = "1.1.0".parse().unwrap();
        let (roles, users) = (BTreeSet::new(), BTreeSet::new());
        Rollout { version, to, percent: None, roles, users, stop_after: 5, since: Revision(1), stopped: None }
    }

    fn share(percent: u8) -> Rollout {
        Rollout { percent: Some(percent), ..rollout(RolloutStage::Share) }
    }

    fn reached(rollout: &Rollout) -> BTreeSet<String> {
        let people = (0..2_000).map(|number| format!("agent-{number}"));
        people.filter(|login| rollout.reaches("a/b", Some(login), &BTreeSet::new())).collect()
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_only_grows() {
        let (ten, fifty) = (reached(&share(10)), reached(&share(50)));
        assert!(
            (140..260).contains(&ten.len()) && (900..1_100).contains(&fifty.len()),
            "{} {}",
            ten.len(),
            fifty.len()
        );
        assert!(ten.is_subset(&fifty));
        let other = Rollout { version: "1.2.0".parse().unwrap(), ..share(10) };
        assert_ne!(reached(&other), ten, "another version is tried by others first");
        assert!(!share(99).reaches("a/b", None, &BTreeSet::new()));
    }

    #[test]
    fn a_group_is_who_is_named_or_has_a_role() {
        let group = Rollout {
            users: ["kayla".to_owned()].into(),
            roles: ["pilot".to_owned()].into(),
            ..rollout(RolloutStage::Group)
        };
        let pilot: BTreeSet<Arc<str>> = ["pilot".into()].into();
        assert!(group.reaches("a/b", Some("kayla"), &BTreeSet::new()));
        assert!(group.reaches("a/b", None, &pilot));
        assert!(!group.reaches("a/b", Some("omar"), &["other".into()].into()));
        let stopped = Rollout { stopped: Some("it broke".to_owned()), ..group };
        assert!(!stopped.reaches("a/b", Some("kayla"), &pilot));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let group = || rollout(RolloutStage::Group);
        for (rollout, refused) in [
            (share(10), None),
            (share(0), Some("rollout.percent")),
            (share(100), Some("rollout.percent")),
            (rollout(RolloutStage::Share), Some("rollout.percent")),
            (rollout(RolloutStage::Shadow), None),
            (Rollout { percent: Some(1), ..rollout(RolloutStage::Shadow) }, Some("rollout.percent")),
            (group(), Some("rollout.users")),
            (Rollout { users: ["a".to_owned()].into(), ..group() }, None),
            (Rollout { users: ["a".to_owned()].into(), ..share(5) }, Some("rollout.users")),
            (Rollout { stop_after: 0, ..share(5) }, Some("rollout.stopAfter")),
        ] {
            let mut problems = Problems::default();
            rollout.check(&mut problems);
            let found = problems.0.first().map(|problem| problem.attribute.clone());
            assert_eq!(found.as_deref(), refused, "{rollout:?}");
        }
    }
}
