//! Values and their invariants.
//!
//! The one module that knows the limits, enumerations and small rules of the domain. Does no I/O, knows no clock, and
//! names nothing else of this crate; `serde` gives the values their wire form and `utoipa` describes it.

pub mod access;
pub mod address;
pub mod app;
pub mod application_extension;
pub mod application_tab_template;
pub mod assignment;
pub mod attribute_path;
pub mod bounds;
pub mod call_limits;
pub mod capability;
pub mod channel_provider;
pub mod comparison;
pub mod connector;
pub mod definition;
pub mod duties;
pub mod effort;
pub mod environment;
pub mod excerpt;
pub mod experience;
pub mod free_json;
pub mod item;
pub mod json_text;
pub mod macros;
pub mod merge_patch;
pub mod message;
pub mod name;
pub mod notification_template;
pub mod page_parameter;
pub mod pane_tool;
mod percent;
pub mod plugin;
pub mod problem;
pub mod profile;
pub mod promotion;
pub mod recording;
pub mod revision;
pub mod rollout;
pub mod row;
pub mod script;
pub mod secret;
pub mod secret_column;
pub mod session_context;
pub mod session_template;
pub(crate) mod shape;
pub mod slug;
pub mod smart_assist_configuration;
pub mod source;
pub mod text;
pub mod trace;
pub mod trusted_publisher;
pub mod user;
pub mod voice_profile;
pub mod wording;
pub mod workstream;

pub use app::{App, OutOfTheBoxRule};
pub use application_extension::{ApplicationExtension, Cardinality};
pub use application_tab_template::{ApplicationTabTemplate, PageType};
pub use assignment::{DefaultProfile, RankAndRoles};
pub use call_limits::CallLimits;
pub use capability::{Capabilities, ConnectorName, HttpHost, SecretName};
pub use channel_provider::ChannelProvider;
pub use connector::{Connector, ConnectorKind, ConnectorUrl};
pub use definition::Definition;
pub use duties::Duties;
pub use effort::Effort;
pub use environment::{Environment, QuerySettings, SecondAssignment};
pub use item::{AnyItem, InvalidItem, Item, Kind, UnknownKind};
pub use macros::Macro;
pub use name::{InvalidName, Name, Named, Reference};
pub use notification_template::{DesktopNotification, NotificationField, NotificationTemplate, Theme};
pub use pane_tool::{ControlType, PaneTool, ToolCategory, ToolRequirements, WithoutRule};
pub use plugin::{Digest, FaultPolicy, Plugin, PluginVersion, RolledBack, StepOverride, ToolOverride};
pub use problem::{Problem, Problems};
pub use profile::{
    Channels, Copilot, CopilotFeature, Inbox, InboxRecordType, InboxView, PaneMode, PlacedTool, ProductivityPane,
    Profile,
};
pub use promotion::{CORPUS, Expected, FAULT, FAULT_GONE, Gate, Promotion, UNDECIDED};
pub use recording::{RecordedStatus, RecordingSettings, Redaction};
pub use revision::Revision;
pub use rollout::{Rollout, RolloutStage, WantedRollout};
pub use row::{Row, RowKey};
pub use script::{Script, ScriptStep, StepAction};
pub use secret::{KeptSecret, SecretHosts, SecretRecord, SecretValue};
pub use session_template::{AdditionalTab, CommunicationPanel, DefaultScript, Entity, SessionKind, SessionTemplate};
pub use smart_assist_configuration::{SmartAssistConfiguration, SuggestionType};
pub use source::{Origin, Source, State};
pub use text::{Language, Localized, Text};
pub use trace::TraceSettings;
pub use trusted_publisher::{KeyId, PluginSettings, PublicKey, TrustedPublisher, Unsigned};
pub use user::{SecurityRole, User};
pub use voice_profile::{CallDirection, Recording, VoiceProfile};
pub use workstream::{Channel, Distribution, Notifications, Queue, Workstream};
