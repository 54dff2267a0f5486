//! The pipeline: which steps are asked about a change, in which order, and what their answers mean.
//!
//! Sees changes as values and steps as questions: how a step runs is not known here, nor how a change is written. A step that
//! proposes is believed only as far as the change goes; one that rejects ends it; one that breaks does what its registration
//! says.

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

/// Steps that can be asked.
pub trait Handlers: Send + Sync {
    /// The steps, in the order in which they are asked.
    fn registrations(&self) -> &[Registration];

    /// Asks a step about an event. `library` is the configuration before the change, and `effort` what the request has
    /// cost that makes it.
    fn execute(
        &self,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        effort: &Arc<Effort>,
    ) -> Result<Outcome, StepFault>;

    /// Why nobody can tell which steps there are, if that is so: nothing is written then.
    fn incomplete(&self) -> Option<Refusal> {
        None
    }

    /// What a step answered about an event cannot be carried out: that is a fault like any other.
    fn disbelieve(&self, step: &Registration, event: &Event, fault: &StepFault);
}

#[cfg(test)]
mod tests;
