//! What is known of a step before it is asked.

use serde::{Deserialize, Serialize};

use crate::domain::message::{Message, Stage};
use crate::domain::{CallLimits, FaultPolicy, PluginVersion};

/// A step that takes part in changes, as it is declared and as the environment wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: String,
    /// The step, by its name in the manifest.
    pub step: String,
    /// What it is asked about.
    pub message: Message,
    /// When.
    pub stage: Stage,
    /// Whether the change waits for it.
    pub mode: Mode,
    /// Its place among the steps of its stage, the lowest first; then plugin and name decide.
    pub rank: i32,
    /// It is asked when one of these attributes really differs; about every change if there is none.
    pub filter: Vec<String>,
    /// What it is shown besides what differs.
    pub images: Vec<Image>,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
    /// What the environment tells it, a JSON object.
    pub configuration: String,
    /// What the environment lowers of what its calls may use.
    pub limits: CallLimits,
    /// Why what the environment tells it does not suit it: it is not asked then, and breaks.
    pub problem: Option<String>,
    /// Whether it is asked at all.
    pub active: bool,
}

/// Whether a change waits for a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It does.
    #[default]
    Sync,
    /// The step is asked some time after the change was written.
    Async,
}

/// A part of an item that a step is shown, whether it differs or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// How the step calls it.
    pub alias: String,
    /// Before the change, or after it.
    pub kind: ImageKind,
    /// The attributes it holds, as paths; all of them if there is none.
    #[serde(default)]
    pub attributes: Vec<String>,
}

/// Of when an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageKind {
    /// Before the change.
    Pre,
    /// After it.
    Post,
}

impl Registration {
    /// Sorts steps into the order in which they are asked. Total: no two steps of one environment are equal in it.
    pub fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let key = |it: &Self| (it.stage, it.rank);
        key(a).cmp(&key(b)).then_with(|| (&a.plugin, &a.step).cmp(&(&b.plugin, &b.step)))
    }

    /// How it is called in a sentence: plugin, version and step.
    pub fn label(&self) -> String {
        format!("{} {} `{}`", self.plugin, self.version, self.step)
    }
}
