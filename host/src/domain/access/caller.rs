//! The callers of the API, by the names that history and the audit give them.

use std::sync::Arc;

use super::{AccessRole, Privilege, Roles};

/// A caller and its roles.
#[derive(Debug, Clone)]
pub struct Caller {
    name: Arc<str>,
    roles: Arc<Roles>,
}

impl Caller {
    /// The name of the holder of the admin token, and of an administrator who works on the data folder itself.
    pub const ADMIN: &str = "admin";

    /// Makes the caller that holds the token `name` with `roles`.
    pub fn new(name: &str, roles: Roles) -> Self {
        Self { name: name.into(), roles: Arc::new(roles) }
    }

    /// Makes the caller that holds the admin token, with every privilege.
    pub fn admin() -> Self {
        Self::new(Self::ADMIN, AccessRole::SystemAdministrator.into())
    }

    /// Returns the caller's name in history.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the caller's roles.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Tells whether the caller has `privilege`.
    pub fn has(&self, privilege: Privilege) -> bool {
        self.roles.have(privilege)
    }

    /// Returns the first privilege of `roles` that the caller does not have. A caller may neither grant nor take over
    /// roles that allow more than its own.
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
