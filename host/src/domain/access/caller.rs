//! Callers: who asks, as history and the audit call them.

use std::sync::Arc;

use super::{AccessRole, Privilege, Roles};

/// Who calls, and what they may do.
#[derive(Debug, Clone)]
pub struct Caller {
    name: Arc<str>,
    roles: Arc<Roles>,
}

impl Caller {
    /// What the holder of the admin token is called, and whoever works on the data folder itself.
    pub const ADMIN: &str = "admin";

    /// Whoever holds the token `name` with `roles`.
    pub fn new(name: &str, roles: Roles) -> Self {
        Self { name: name.into(), roles: Arc::new(roles) }
    }

    /// Whoever holds the admin token: everything is allowed.
    pub fn admin() -> Self {
        Self::new(Self::ADMIN, AccessRole::SystemAdministrator.into())
    }

    /// What history calls them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they are there to do.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Whether they have `privilege`.
    pub fn has(&self, privilege: Privilege) -> bool {
        self.roles.have(privilege)
    }

    /// The first privilege of `roles` that the caller does not have: nobody hands out, or takes over, what is not theirs.
    pub fn lacks(&self, roles: &Roles) -> Option<Privilege> {
        roles.privileges().into_iter().find(|privilege| !self.has(*privilege))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn roles(typed: &str) -> Roles {
        let roles: BTreeSet<AccessRole> = typed.split(' ').map(|role| role.parse().unwrap()).collect();
        roles.try_into().unwrap()
    }

    #[test]
    fn nobody_hands_out_what_they_do_not_have() {
        for (holds, wanted, lacks) in [
            ("system-administrator", "system-administrator", None),
            ("token-administrator workspace", "workspace", None),
            ("token-administrator workspace", "token-administrator", None),
            ("token-administrator app-profile-administrator", "app-profile-user workspace", None),
            ("token-administrator", "workspace", Some(Privilege::ExperienceRead)),
            ("token-administrator app-profile-user", "app-profile-administrator", Some(Privilege::ConfigurationWrite)),
            ("token-administrator upgrader", "system-administrator", Some(Privilege::ConfigurationWrite)),
        ] {
            assert_eq!(Caller::new("ops", roles(holds)).lacks(&roles(wanted)), lacks, "{holds} hands out {wanted}");
        }
    }
}
