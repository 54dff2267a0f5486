//! Runs plugins. The only module that names the engine.
//!
//! A [`Catalog`] holds components that were inspected, compiled and bound to tool kinds. Each question gets a fresh
//! instance with a deadline and caps on memory, calls, output and log lines; whatever a plugin does wrong becomes a
//! [`CallError`], and costs no other plugin and no other request. What a fault means for the person is decided in
//! [`crate::resolve`]; what one means for an upgrade, in [`crate::upgrade`].

mod catalog;
mod config;
mod engine;
mod guard;
mod inspect;
mod limits;
mod load;
mod manifest;
mod outbound_access;
mod replay;
mod sandbox;
mod settings;
mod worlds;

pub use catalog::registrations::WantedStep;
pub use catalog::trial::Trial;
pub use catalog::unavailable::UnavailablePlugin;
pub use catalog::{Catalog, Observed, Problem, Wanted};
pub use config::Config;
pub use config::breaker_settings::BreakerSettings;
pub use config::waiting_share::WaitingShare;
pub use engine::EngineError;
pub use guard::breaker::{BreakerState, Health};
pub use inspect::error::LoadError;
pub use inspect::signature::{SignatureError, Signatures};
pub use limits::call_error::CallError;
pub use limits::call_limits::{Limits, LoweredLimits};
pub use limits::exceeded::Exceeded;
pub use limits::fixed_inputs::FixedInputs;
pub use limits::invalid::Invalid;
pub use limits::weight::Weight;
pub use load::compiler::{
    COMPILE_COMMAND, ChildCompiler, CompileLimits, Compiler, Confinement, TRY_COMMAND, Work, work_as_child,
};
pub use load::loader::{Loader, Ready};
pub use manifest::info::PluginInfo;
pub use manifest::{
    Identity, Manifest, ManifestError, ManifestKey, ManifestTable, Provides, StepDeclaration, ToolStepDeclaration,
    UpgradeSection,
};
pub use outbound_access::gateway::{Connectors, Gateway};
pub use replay::answer::{Answer, ProposedPatch};
pub use replay::inquiry::{Examined, Inquiry, Replayed, Reply, UNRECORDED};
pub use replay::observation::{About, AskedStep, ObservedCall, StepObserver};
pub use replay::recording::{CallRecording, InvalidRecording};
pub use settings::migration::{Migration, escaped, migrate};
pub use settings::schema::{SchemaError, SettingsSchema};
pub use worlds::amendment::StepProposal;
pub use worlds::sequence::ToolStepRegistration;
pub use worlds::tool_rule::Call;
