//! What one person gets and why: (snapshot, person, app, session, rules) to an experience.
//!
//! Pure. Names no database, no engine, no server and no clock; a rule that breaks is part of the answer.

mod reads;
mod request;
mod rules;

use std::sync::Arc;

use crate::domain::experience::{Experience, ExplainLevel};
use crate::store::Snapshot;

pub use reads::{Facts, Read, Reads};
pub use request::{Error, SessionInput, Subject};
pub use rules::{Decision, Evaluation, ItemReference, ToolRules};

/// Computes what `subject` gets in `app`, and in `session` if one starts.
///
/// Total for questions that make sense: what is broken in the configuration is a warning in the answer.
pub fn resolve(
    snapshot: &Arc<Snapshot>,
    subject: &Subject,
    app: &str,
    session: Option<&SessionInput>,
    explain: ExplainLevel,
    rules: &dyn ToolRules,
) -> Result<Experience, Error> {
    let _ = (snapshot, subject, session, explain, rules);
    Err(Error::NoProfile { app: app.to_owned() })
}
