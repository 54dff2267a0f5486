//! Upgrades: turn an old environment into configuration, and undo that.
//!
//! Steps propose items; the engine reads rows, hands them out in pages, checks every answer, and keeps the journal.
//! Nothing is visible before the end, which is one revision. Refuses to begin a run that could not finish: a plan is
//! for one revision and for the components it was made with, and serves once.

mod answer;
mod difference;
mod graph;
mod materialise;
mod meaning;
mod names;
mod pages;
mod plan;
mod prove;
mod reader;
mod realise;
mod run;
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

/// Why an upgrade stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The old environment could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A step failed, or said that it cannot work.
    #[error(transparent)]
    Step(#[from] StepFault),
    /// Steps have no order.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The solution in the old environment cannot be imported.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A step has another component than when it was last carried out.
    #[error(transparent)]
    Changed(#[from] StepChanged),
    /// The run cannot be undone.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// The plan does not exist.
    #[error("there is no plan `{0}`: make one with `loadout upgrade plan FILE.zip`")]
    NoSuchPlan(String),
    /// The old environment that is kept with the plan is another one than the plan was made for.
    #[error(
        "the old environment of the plan `{0}` was changed since it was made: make a new one with `loadout upgrade plan`"
    )]
    OtherSource(String),
    /// The plan was made with other components than the current ones.
    #[error(
        "the plan was made with other components than are there now (`{0}` is another): make a new one with `loadout upgrade plan`"
    )]
    OtherComponents(String),
    /// The journal or the plan of a run cannot be kept or read.
    #[error("`{path}` cannot be used")]
    File {
        /// The file.
        path: String,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// The service is stopping.
    #[error("upgrade {run} was interrupted, because the service stops: carry it on with `loadout upgrade resume`")]
    Stopped {
        /// The number of the run.
        run: u64,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}
