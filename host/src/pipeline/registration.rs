//! The registration of a step: its declaration in the manifest, and the environment's settings of it.

use serde::{Deserialize, Serialize};

use crate::domain::message::{Message, Stage};
use crate::domain::{CallLimits, FaultPolicy, PluginVersion};

/// A step that takes part in changes, as its manifest declares it and the environment sets it.
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
    /// The message that the step is called for.
    pub message: Message,
    /// The stage in which the step is called.
    pub stage: Stage,
    /// Whether the change waits for the step.
    pub mode: Mode,
    /// Its place among the steps of its stage, the lowest first; then plugin and name decide.
    pub rank: i32,
    /// Attributes of which one must differ for the step to be called. Without any, the step is called for every change.
    pub filter: Vec<String>,
    /// The images that the step receives besides the difference.
    pub images: Vec<Image>,
    /// What the host does when the step breaks.
    pub on_fault: FaultPolicy,
    /// The step's configuration in this environment, a JSON object.
    pub configuration: String,
    /// The call limits that the environment lowers for the step.
    pub limits: CallLimits,
    /// Why the configuration does not suit the step. With a problem the step is not called and counts as broken.
    pub problem: Option<String>,
    /// Whether the step is called at all.
    pub active: bool,
}

/// Whether a change waits for a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The change waits for the step.
    #[default]
    Sync,
    /// The step is called some time after the change is written.
    Async,
}

/// A part of an item that a step receives, whether it differs or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The step's name for the image.
    pub alias: String,
    /// Whether the image shows the item before or after the change.
    pub kind: ImageKind,
    /// The attributes in the image, as paths; all attributes if there is no path.
    #[serde(default)]
    pub attributes: Vec<String>,
}

/// The moment that an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageKind {
    /// The item before the change.
    Pre,
    /// The item after the change.
    Post,
}

impl Registration {
    /// Compares steps by the order in which they are called. The order is total: no two steps of one environment are
    /// equal.
    pub fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let key = |it: &Self| (it.stage, it.rank);
        key(a).cmp(&key(b)).then_with(|| (&a.plugin, &a.step).cmp(&(&b.plugin, &b.step)))
    }

    /// Returns the step's label for messages: plugin, version and step.
    pub fn label(&self) -> String {
        format!("{} {} `{}`", self.plugin, self.version, self.step)
    }
}
