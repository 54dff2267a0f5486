//! What a process gives up before it reads the first byte of a component.
//!
//! Linux lets any program put two nets around itself, and the program cannot take them away again: landlock takes the
//! file system, TCP and signals to other processes; seccomp leaves a short list of system calls ([`calls`]). Besides,
//! the process has no descriptor to open, writes to no file, leaves no core, cannot be looked into, hears no signal of
//! a terminal, and ends with the thread that started it.
//!
//! A kernel may offer neither. Then the process goes on with its limits, and says so: [`Confinement`] is the first it
//! writes.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod calls;

use std::fmt;

use super::Work;

/// Which nets are around a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confinement {
    /// Landlock: no file, no TCP, no signal to another process.
    pub files: bool,
    /// Seccomp: no system call but those that the work needs.
    pub calls: bool,
}

impl Confinement {
    const FILES: u8 = 1;
    const CALLS: u8 = 2;
    /// What keeps the byte readable.
    const BASE: u8 = b'0';

    /// Gives up for good what `work` does not need, as far as the system lets this process. Only for a process with one
    /// thread.
    #[must_use]
    pub fn of(work: Work) -> Self {
        let Self { files, .. } = Self::of_files();
        // After landlock, which needs a descriptor of its own, and before seccomp, which allows no limit to be set.
        limits(work);
        Self { files, calls: calls(work) }
    }

    /// Gives up files, TCP and signals alone.
    #[must_use]
    pub fn of_files() -> Self {
        Self { files: files(), calls: false }
    }

    /// In one byte.
    pub(super) fn to_byte(self) -> u8 {
        Self::BASE + if self.files { Self::FILES } else { 0 } + if self.calls { Self::CALLS } else { 0 }
    }

    /// What a byte says. Nothing if it is none of those that [`Self::to_byte`] makes.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        let bits = byte.checked_sub(Self::BASE).filter(|bits| *bits <= Self::FILES + Self::CALLS)?;
        Some(Self { files: bits & Self::FILES != 0, calls: bits & Self::CALLS != 0 })
    }

    /// Whether both nets are there.
    pub(super) fn is_whole(self) -> bool {
        self.files && self.calls
    }
}

/// What is missing.
impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.files, self.calls) {
            (true, true) => "nothing",
            (false, true) => "landlock",
            (true, false) => "seccomp",
            (false, false) => "landlock and seccomp",
        })
    }
}

#[cfg(target_os = "linux")]
fn files() -> bool {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};

    // The newest there is: what a kernel does not know is left out, and no rule gives anything back.
    let all = ABI::V10;
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(all))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(all)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(all)));
    let entered = ruleset.and_then(Ruleset::create).and_then(landlock::RulesetCreated::restrict_self);
    entered.is_ok_and(|entered| entered.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(not(target_os = "linux"))]
fn files() -> bool {
    false
}

/// What holds without either net. Whatever of it the system refuses is left out: the rest still holds.
fn limits(work: Work) {
    use rustix::process::{Resource, Rlimit, setrlimit, setsid};

    /// Standard input, output and error.
    const INHERITED: u64 = 3;
    let none = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    // A process that leads a group already, as one that was typed in, has a terminal to itself.
    let _ = (setsid(), none(Resource::Nofile, INHERITED), none(Resource::Fsize, 0));
    if work == Work::Compile {
        // It has no second thread. The administrator is not held by this, and by seccomp.
        let _ = none(Resource::Nproc, 0);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};

        // A host that is gone already closed the pipes, which ends this process, too.
        let _ =
            (set_parent_process_death_signal(Some(Signal::KILL)), set_dumpable_behavior(DumpableBehavior::NotDumpable));
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn calls(work: Work) -> bool {
    calls::restrict(work).is_ok()
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn calls(_: Work) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_says_what_is_around_a_process_and_no_other_byte_says_anything() {
        let all = [false, true].map(|files| [false, true].map(|calls| Confinement { files, calls }));
        for confinement in all.concat() {
            assert_eq!(Confinement::from_byte(confinement.to_byte()), Some(confinement));
        }
        let known = (0..=u8::MAX).filter_map(Confinement::from_byte).count();
        assert_eq!(known, 4);
    }
}
