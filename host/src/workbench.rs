//! Where authors try a component before anybody installs it: written cases, asked in the real engine with the real limits.
//!
//! Knows no environment and opens none: what a component is asked about is what the case says.

mod bench;
mod budget;
mod case;
mod condition;
mod event;
mod mutation;
mod outcome;
mod page;
mod question;
mod session;
mod trial;

pub use bench::{Bench, Cost};
pub use budget::{Allowance, Budget, Excess, InvalidBudget};
pub use case::{Case, CaseError, CaseFile};
pub use condition::Condition;
pub use event::{EventCase, TargetCase};
pub use mutation::{Mutated, Mutation, Unreadable};
pub use page::{LinkCase, LookUpCase, PageCase, RowCase};
pub use question::{DecisionCase, QuestionCase};
pub use session::session;
pub use trial::{Found, Workbench, WorkbenchError};
