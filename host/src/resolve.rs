//! What one person gets and why: (snapshot, person, app, session, rules) to an experience.
//!
//! Pure. Names no database, no engine, no server and no clock; a rule that breaks is part of the answer.

mod reads;
mod rules;

pub use reads::{Facts, Read, Reads};
pub use rules::{Decision, Evaluation, ItemReference, ToolRules};
