//! The pipeline: which steps are called about a change, in which order, and what their answers mean.
//!
//! Does not know how a step runs or how a change is written: it sees changes as values and calls steps through
//! [`Handlers`]. A proposal is checked before it is applied, a rejection ends the operation, and a fault follows the
//! policy of the step's registration.

mod event;
mod filter;
mod operation;
mod registration;

pub use event::{Event, Outcome, Proposal, Rejection, StepFault, Target};
pub use filter::concerns;
pub use operation::{Operation, Refusal, RegisteredStep};
pub use registration::{Image, ImageKind, Mode, Registration};

use std::sync::Arc;

use crate::domain::Effort;
use crate::store::Snapshot;

/// The steps of an environment, and how to call them.
pub trait Handlers: Send + Sync {
    /// Returns the steps, in the order in which they are called.
    fn registrations(&self) -> &[Registration];

    /// Calls a step with an event. `library` is the configuration before the change; `effort` is the cost so far of the
    /// request that makes the change.
    fn execute(
        &self,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        effort: &Arc<Effort>,
    ) -> Result<Outcome, StepFault>;

    /// Returns the refusal to give while the list of steps is incomplete: nothing is written then.
    fn incomplete(&self) -> Option<Refusal> {
        None
    }

    /// Records that the host could not apply a step's answer to an event. It counts as a fault of the step.
    fn report_invalid(&self, step: &Registration, event: &Event, fault: &StepFault);
}

#[cfg(test)]
mod tests;
