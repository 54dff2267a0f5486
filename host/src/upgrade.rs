//! Upgrades: an old environment becomes configuration, and can be undone.
//!
//! Steps do the work; the engine reads rows, hands them out in pages, believes nothing it is told, and keeps the journal.
//! Nothing is visible before the end, which is one revision. Refuses to begin what it could not finish: a plan is for one
//! revision and for the components it was made with, and serves once.

mod answer;
mod difference;
mod graph;
mod meaning;
mod names;
mod pages;
mod plan;
mod prove;
mod reader;
mod realise;
mod run;
mod settle;
mod step;
mod undo;

use crate::{import, store};

pub use answer::believe;
pub use difference::{AttributeChange, Difference, attribute_changes, differences};
pub use graph::{GraphError, ordered};
pub use plan::{Answered, Changed, Plan, PlannedRow, PlannedStep, SideBySide, StepChanged, identity, select, tallied};
pub(crate) use reader::read_documents;
pub use reader::{PACKED_MAX, ReadError, Record, Source, SourceInfo, copy_without_secrets, digest, is_package};
pub use realise::keep;
pub use run::{Carried, Progress, Run, Tell};
pub use step::{
    InvalidVersion, Migration, Page, Quarantined, READER, SourceTable, StepFault, StepInfo, StepNote, Steps, Upsert,
    Version,
};
pub use undo::{Conflict, UndoError, inverse};

/// Why an upgrade did not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The old environment is not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A step broke, or said that it cannot work.
    #[error(transparent)]
    Step(#[from] StepFault),
    /// Steps have no order.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The solution in it cannot be imported.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A step changed since it was carried out.
    #[error(transparent)]
    Changed(#[from] StepChanged),
    /// A run cannot be undone.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// There is no such plan.
    #[error("there is no plan `{0}`: make one with `loadout upgrade plan FILE.zip`")]
    NoSuchPlan(String),
    /// The old environment beside a plan is another one than it was made for.
    #[error(
        "the old environment of the plan `{0}` was changed since it was made: make a new one with `loadout upgrade plan`"
    )]
    OtherSource(String),
    /// The components a plan was made with are no longer those that are there.
    #[error(
        "the plan was made with other components than are there now (`{0}` is another): make a new one with `loadout upgrade plan`"
    )]
    OtherComponents(String),
    /// The journal or the plan of a run cannot be kept or read.
    #[error("`{path}` cannot be used")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The service stops.
    #[error("upgrade {run} was interrupted, because the service stops: carry it on with `loadout upgrade resume`")]
    Stopped {
        /// The run.
        run: u64,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}
