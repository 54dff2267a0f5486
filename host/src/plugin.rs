//! Runs plugins. The only module that names the engine.
//!
//! A [`Catalog`] holds components that were inspected, compiled and bound to tool kinds. Each question gets a fresh
//! instance with a deadline and caps on memory, calls, output and log lines; whatever a plugin does wrong becomes a
//! [`CallError`], and costs no other plugin and no other request. What a fault means for the person is decided in
//! [`crate::resolve`]; what one means for an upgrade, in [`crate::upgrade`].

mod allowance;
mod amendment;
mod answer;
mod around;
mod breaker;
mod breaker_settings;
mod cache;
mod call;
mod call_error;
mod catalog;
mod circumstances;
mod clock;
mod compiler;
mod config;
mod decision;
mod duties;
mod empty_wasi;
mod engine;
mod exceeded;
mod forbidden;
mod generation;
mod guard;
mod handler;
mod info;
mod inspect;
mod inspect_error;
mod invalid;
mod lanes;
mod last_good;
mod limits;
mod linker;
mod log;
mod lookup;
mod manifest;
mod meter;
mod migration;
mod missing;
mod mutation;
mod observation;
mod outside;
mod policy;
mod queries;
mod record;
mod recording;
mod registrations;
mod replay;
mod schema;
mod signature;
mod slots;
mod state;
mod step;
mod tool_step;
mod trap;
mod trial;
mod v0_1;
mod waiting;
mod waiting_share;
mod wasi;
mod weight;
mod workshop;
mod world;

pub use amendment::Wish;
pub use answer::{Answer, ProposedPatch};
pub use around::ToolStepRegistration;
pub use breaker::{BreakerState, Health};
pub use breaker_settings::BreakerSettings;
pub use call::Call;
pub use call_error::CallError;
pub use catalog::{Catalog, Observed, Problem, Wanted};
pub use circumstances::Circumstances;
pub use compiler::{
    COMPILE_COMMAND, ChildCompiler, CompileLimits, Compiler, Confinement, TRY_COMMAND, Work, work_as_child,
};
pub use config::Config;
pub use engine::EngineError;
pub use exceeded::Exceeded;
pub use info::PluginInfo;
pub use inspect_error::LoadError;
pub use invalid::Invalid;
pub use limits::{Limits, Modesty};
pub use manifest::{
    Identity, Manifest, ManifestError, ManifestKey, ManifestTable, Provides, StepDeclaration, StepPart,
    ToolStepDeclaration,
};
pub use migration::{Migration, escaped, migrate};
pub use missing::Missing;
pub use mutation::{Mutated, Mutation, Unreadable};
pub use observation::{About, AskedStep, ObservedCall, Witness};
pub use outside::{Connectors, Door};
pub use recording::{CallRecording, InvalidRecording};
pub use registrations::WantedStep;
pub use replay::{Examined, Inquiry, Replayed, Reply, UNRECORDED};
pub use schema::{SchemaError, SettingsSchema};
pub use signature::{SignatureError, Signatures};
pub use trial::Trial;
pub use waiting_share::WaitingShare;
pub use weight::Weight;
pub use workshop::{Ready, Workshop};
