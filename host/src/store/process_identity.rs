//! The owner of a run of an upgrade, or of an event of the outbox: a process. Its machine, its number and its start
//! time tell it apart from every other process.
//!
//! A number alone is not enough, because numbers are used again. Where the system does not tell the start time
//! (anywhere but Linux), a process counts as alive until its lease expires.

use std::fs;

/// Returns the name of this process as an owner.
pub fn this_process() -> String {
    let id = std::process::id();
    format!("process {id} on {} ({})", host(), mark(id))
}

/// Returns whether the process `owner` no longer exists. Always false for a process of another machine.
pub fn is_gone(owner: &str) -> bool {
    let Some((machine, mark_of)) = owner.strip_suffix(')').and_then(|owner| owner.rsplit_once(" (")) else {
        return false;
    };
    let Some((id, place)) = machine.strip_prefix("process ").and_then(|rest| rest.split_once(" on ")) else {
        return false;
    };
    let Ok(id) = id.parse() else { return false };
    place == host() && boot(mark_of) == boot(&mark(id)) && boot(mark_of).len() > 1 && mark_of != mark(id)
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "this machine".to_owned() } else { name.to_owned() }
}

/// Returns the facts that tell a process apart besides its number: the boot of the machine, the number space, and the
/// start time.
fn mark(id: u32) -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot: String = boot.chars().take_while(|c| *c != '-').collect();
    // Containers of one machine may have number spaces of their own.
    let numbered = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let numbered: String = numbered.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name of a program, in brackets, may hold any character; after it there are only numbers.
    let began = status.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
    format!("{boot}-{numbered}.{}", began.unwrap_or("gone"))
}

fn boot(mark: &str) -> &str {
    mark.split_once('.').map_or("", |(boot, _)| boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_is_and_not_before() {
        assert!(!is_gone(&this_process()));
        assert!(!is_gone("somebody else"));
        assert!(!is_gone("process 1 on another machine (0.1)"));
        if cfg!(target_os = "linux") {
            let mut child = std::process::Command::new("true").spawn().unwrap();
            let owner = format!("process {} on {} ({})", child.id(), host(), mark(child.id()));
            child.wait().unwrap();
            assert!(is_gone(&owner), "{owner}");
        }
    }
}
