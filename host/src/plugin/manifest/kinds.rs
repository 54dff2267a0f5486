//! What tools and steps around tools say in the same way: how many kinds of tool one may name, and what a fault means
//! by default.

use crate::domain::FaultPolicy;

/// Most kinds of tool that one rule or step may name.
pub(super) const MOST_KINDS: usize = 32;

/// A tool whose rule breaks is left out, visibly: the rest of an experience is worth having.
pub(super) fn skip() -> FaultPolicy {
    FaultPolicy::Skip
}
