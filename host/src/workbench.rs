//! The workbench: runs the written cases of a component in the real engine with the real limits, before it is
//! installed.
//!
//! Opens no environment: a component sees only the data of the case.

mod bench;
mod budget;
mod case;
mod condition;
mod event;
mod mutation;
mod outcome;
mod page;
mod question;
mod rejection;
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
