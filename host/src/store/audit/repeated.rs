//! Merges denied calls that repeat within a minute: one line for all of them, with their count.
//!
//! Lines are remembered within this process only. A process that starts, and each other process, writes a line of its
//! own.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::access::{AuditEntry, AuditEvent, Denial, Privilege};

/// How long after its first call a line takes more calls.
const TIME: SignedDuration = SignedDuration::from_secs(60);

/// The most lines that are remembered. A caller can invent methods, so the number of different calls has no other
/// bound.
const MOST: usize = 10_000;

/// The attributes that calls of one line have in common.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    token: String,
    reason: Denial,
    privilege: Option<Privilege>,
    method: String,
    route: String,
}

/// A line that takes more calls.
pub(super) struct Line {
    /// The number of the line.
    pub(super) id: i64,
    /// The line with the calls counted so far.
    pub(super) entry: AuditEntry,
}

/// The lines of the last minute.
#[derive(Default)]
pub(super) struct Repeated(HashMap<Same, Line>);

impl Repeated {
    /// Counts `entry` in the line of calls like it, and returns that line. `None` if the call needs a line of its own.
    pub(super) fn with(&mut self, entry: &AuditEntry) -> Option<&Line> {
        let line = self.0.get_mut(&Same::of(entry)?)?;
        if !is_young(&line.entry, entry.at) {
            return None;
        }
        if let AuditEvent::Denied { calls, .. } = &mut line.entry.event {
            *calls = calls.saturating_add(1);
        }
        Some(line)
    }

    /// Remembers that the line with the number `id` is about `entry`.
    pub(super) fn begin(&mut self, id: i64, entry: &AuditEntry) {
        let Some(same) = Same::of(entry) else { return };
        if self.0.len() >= MOST {
            self.0.retain(|_, line| is_young(&line.entry, entry.at));
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(same, Line { id, entry: entry.clone() });
    }

    /// Forgets all lines.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Returns whether a line that began with `entry` takes a call at `now`.
fn is_young(entry: &AuditEntry, now: Timestamp) -> bool {
    now.duration_since(entry.at).abs() < TIME
}

impl Same {
    fn of(AuditEntry { token, event, .. }: &AuditEntry) -> Option<Self> {
        let AuditEvent::Denied { reason, privilege, method, route, .. } = event else { return None };
        let (token, method, route) = (token.clone(), method.clone(), route.clone());
        Some(Self { token, reason: *reason, privilege: *privilege, method, route })
    }
}
