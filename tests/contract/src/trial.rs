//! The guests of one version on the host of the other, world by world.

use std::fmt;

use crate::Contract;

/// What a change means for plugins that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Guests of both versions run on hosts of both.
    Interchangeable,
    /// Guests of the old version run on the new host. Those of the new version may need the new host.
    Compatible,
    /// Guests of the old version do not run on the new host.
    Breaking,
}

/// What became of one world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldChange {
    /// The world.
    pub world: String,
    /// Why a guest of the old version does not run on the new host, if it does not.
    pub old_guest: Result<(), String>,
    /// Why a guest of the new version does not run on the old host, if it does not.
    pub new_guest: Result<(), String>,
}

impl WorldChange {
    /// What it means for plugins that are there.
    pub fn class(&self) -> Class {
        match (&self.old_guest, &self.new_guest) {
            (Err(_), _) => Class::Breaking,
            (Ok(()), Err(_)) => Class::Compatible,
            (Ok(()), Ok(())) => Class::Interchangeable,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interchangeable => "interchangeable",
            Self::Compatible => "compatible",
            Self::Breaking => "breaking",
        })
    }
}

/// The changes as text. Worlds that changed for the same reasons are told together.
pub fn report(changes: &[WorldChange]) -> String {
    let mut told: Vec<(Vec<&str>, &WorldChange)> = Vec::new();
    for change in changes {
        let alike =
            |other: &WorldChange| (&other.old_guest, &other.new_guest) == (&change.old_guest, &change.new_guest);
        match told.iter_mut().find(|(_, other)| alike(other)) {
            Some((worlds, _)) => worlds.push(&change.world),
            None => told.push((vec![&change.world], change)),
        }
    }
    let mut lines = Vec::new();
    for (worlds, change) in told {
        lines.push(format!("{}: {}", worlds.join(", "), change.class()));
        for (guest, outcome) in
            [("an old guest on the new host", &change.old_guest), ("a new guest on the old host", &change.new_guest)]
        {
            lines.extend(outcome.as_ref().err().map(|why| format!("  {guest}: {why}")));
        }
    }
    lines.join("\n")
}

/// Tries the guests of each version on the host of the other. A world that came is one new guests need a new host for,
/// and one that went is missed by old ones.
///
/// Versions that a host treats as one, such as 0.1.0 and 0.1.3, are compared by their types; between others nothing
/// fits.
pub fn compare(old: &Contract, new: &Contract) -> Result<Vec<WorldChange>, String> {
    let (before, after) = (old.version(), new.version());
    if !are_one(&before, &after) {
        return Ok(old.worlds().map(|(world, _)| other_generation(world, &before, &after)).collect());
    }
    let (old, new) = (old.under(&after), new.under(&after));
    let mut changes = Vec::new();
    for (name, world) in old.worlds() {
        let Some(there) = new.world(name) else {
            let gone = Err("the world is gone".to_owned());
            changes.push(WorldChange { world: name.to_owned(), old_guest: gone, new_guest: Ok(()) });
            continue;
        };
        changes.push(WorldChange {
            world: name.to_owned(),
            old_guest: new.takes(there, &old.guest_of(world)?),
            new_guest: old.takes(world, &new.guest_of(there)?),
        });
    }
    for (name, _) in new.worlds().filter(|(name, _)| old.world(name).is_none()) {
        let new_guest = Err("the world is not there yet".to_owned());
        changes.push(WorldChange { world: name.to_owned(), old_guest: Ok(()), new_guest });
    }
    Ok(changes)
}

/// Whether hosts link the one for the other, as semantic versions say.
fn are_one(a: &semver::Version, b: &semver::Version) -> bool {
    let released = a.pre.is_empty() && b.pre.is_empty();
    released && a.major == b.major && (a.major > 0 || (a.minor == b.minor && (a.minor > 0 || a.patch == b.patch)))
}

fn other_generation(world: &str, old: &semver::Version, new: &semver::Version) -> WorldChange {
    let why = |guest, host| Err(format!("it is built against {guest}, and the host offers {host}"));
    WorldChange { world: world.to_owned(), old_guest: why(old, new), new_guest: why(new, old) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_one_as_hosts_link_them() {
        let version = |text: &str| text.parse().unwrap();
        for (a, b, expected) in [
            ("0.1.0", "0.1.0", true),
            ("0.1.0", "0.1.7", true),
            ("0.1.0", "0.2.0", false),
            ("0.0.1", "0.0.2", false),
            ("0.9.0", "1.0.0", false),
            ("1.0.0", "1.4.0", true),
            ("1.0.0", "2.0.0", false),
            ("0.1.0", "0.1.0-rc.1", false),
        ] {
            assert_eq!(are_one(&version(a), &version(b)), expected, "{a} and {b}");
        }
    }
}
