//! The errors about plugins, in sentences that name the next step.

use std::fmt;

use super::comparison::Comparison;
use crate::domain::trace::TraceId;
use crate::domain::{Capabilities, Digest, PluginVersion, Problem};
use crate::plugin::LoadError;

use super::fit::UnfitSettings;

/// How many names a sentence lists before it only counts.
const NAMED: usize = 5;

/// The names there are instead, and where to look if there is none.
struct Known<'a>(&'a [String], &'static str);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(known, elsewhere) = self;
        if known.is_empty() {
            return write!(f, "none at all; {elsewhere}");
        }
        let named: Vec<String> = known.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        write!(f, "{}", named.join(", "))?;
        let more = known.len().saturating_sub(NAMED);
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

/// An error about a plugin.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say all there is to say, and the fields are in them")]
pub enum PluginError {
    #[error("the component is refused: {0}")]
    Refused(LoadError),
    #[error("plugin `{name}` {version} is refused: {reason}")]
    RefusedVersion { name: String, version: PluginVersion, reason: LoadError },
    #[error("{0}; it is on trial, so end the rollout first to switch the plugin on without it")]
    OnTrial(Box<PluginError>),
    #[error("there is no plugin `{0}`: `GET /api/v1/plugins` lists those there are")]
    NoSuchPlugin(String),
    #[error(
        "plugin `{name}` answers for tools of these kinds, and without it people would be shown what it may have hidden: {}; say `?fallBack=true` if that is meant",
        Known(kinds, "none")
    )]
    FallsBack { name: String, kinds: Vec<String> },
    #[error(
        "the archive names plugin `{name}`, which does not serve here, and without it tools of these kinds would be hidden, though something decides about them: {}; have the plugin installed first, or have a caller with the privilege `plugin.configure` import the archive",
        Known(kinds, "none")
    )]
    ExpectedAndDecided { name: String, kinds: Vec<String> },
    #[error("{}", problems.first().map_or_else(String::new, ToString::to_string))]
    UnknownToolKind { problems: Vec<Problem> },
    #[error(
        "plugin `{name}` has no version {version}: there are {}",
        Known(known, "install one with `POST /api/v1/plugins`")
    )]
    NoSuchVersion { name: String, version: PluginVersion, known: Vec<String> },
    #[error(
        "plugin `{name}` has no version {version}: there are {}",
        Known(known, "install one with `POST /api/v1/plugins`")
    )]
    VersionNotInstalled { name: String, version: PluginVersion, known: Vec<String> },
    #[error("plugin `{name}` {version} is there with another component ({digest}): raise the version")]
    VersionTaken { name: String, version: PluginVersion, digest: Digest },
    #[error("tool kind `{kind}` is decided by plugin `{by}`: switch that off first")]
    KindTaken { kind: String, by: String },
    #[error(
        "plugin `{name}` {to} is a new major version and {from} serves: activate it with `acceptMajor`, once its steps were looked at"
    )]
    MajorVersion { name: String, from: PluginVersion, to: PluginVersion },
    #[error("no version of plugin `{0}` served before: switch the plugin off instead")]
    NothingBefore(String),
    #[error("plugin `{name}` {version} serves: activate another version first, or switch the plugin off")]
    Serves { name: String, version: PluginVersion },
    #[error(
        "plugin `{name}` {version} asks for more than was granted: decide about {needs} with `PUT /api/v1/plugins/{name}/versions/{version}/grant`, even if it shall have nothing"
    )]
    NeedsGrant { name: String, version: PluginVersion, needs: Box<Capabilities> },
    #[error("plugin `{name}` {version} does not ask for {unasked}: grant some of {asked}")]
    NotAsked { name: String, version: PluginVersion, unasked: Box<Capabilities>, asked: Box<Capabilities> },
    #[error("plugin `{0}` came with the product: switch it off instead")]
    Shipped(String),
    #[error(
        "the component that the bundle calls plugin `{name}` {version} says otherwise of itself: make the bundle again"
    )]
    Mislabelled { name: String, version: PluginVersion },
    #[error(
        "the bundle decides about step `{step}` of plugin `{name}` {version}, which has {}: make the bundle again",
        Known(known, "no step can be decided about")
    )]
    BundledStep { name: String, version: PluginVersion, step: String, known: Vec<String> },
    #[error("`{0}` cannot name a publisher: use `a` to `z`, `0` to `9` and `-`, a letter first")]
    PublisherName(String),
    #[error(
        "plugin `{name}` has no step `{step}`: it has {}",
        Known(known, "`GET /api/v1/steps` lists those that serve")
    )]
    NoSuchStep { name: String, step: String, known: Vec<String> },
    #[error(
        "plugin `{name}` decides about no tool `{kind}`: it decides about {}",
        Known(known, "`kinds` of `GET /api/v1/plugins` shows which plugin does")
    )]
    NoSuchTool { name: String, kind: String, known: Vec<String> },
    #[error("plugin `{name}` declares no default for tool `{kind}`: give one as `default`, a JSON object")]
    NoDefault { name: String, kind: String },
    #[error(
        "no version of plugin `{0}` serves, so there is nothing to try another beside or to compare it with: activate a version, or switch the plugin on"
    )]
    NothingServes(String),
    #[error("no version of plugin `{0}` is tried: begin with `PUT /api/v1/plugins/{0}/rollout`")]
    NoRollout(String),
    #[error("plugin `{0}` decides about no tools: only what does can be tried beside another version; activate it")]
    NotATool(String),
    #[error("plugin `{0}` is only asked when an old environment is upgraded: its calls are not recorded")]
    NeverAsked(String),
    #[error(
        "plugin `{name}` {version} decides about tool `{kind}` too, which the version that serves does not: activate it instead of trying it"
    )]
    OtherKinds { name: String, version: PluginVersion, kind: String },
    #[error(
        "there is no security role `{0}`, so the rollout would reach no person by it: `GET /api/v1/security-roles` lists those there are"
    )]
    NoSuchRole(String),
    #[error(
        "there is no user `{0}`, so the rollout would reach no person by it: `GET /api/v1/users` lists those there are"
    )]
    NoSuchUser(String),
    #[error("there is no recording `{0}`: it was never made, or is too old")]
    NoSuchRecording(TraceId),
    #[error("recording until {until} is not possible: say a time to come, at most {most} days from now")]
    RecordingUntil { until: jiff::Timestamp, most: i64 },
    #[error(
        "plugin `{name}` {version} does not serve: {needed} recorded calls are needed to compare it by, {}, or say `pastGate`",
        if *left_out == 0 {
            format!("and there are {there}: record more")
        } else {
            format!("there was time for {there}, and {left_out} are left out: ask for fewer with `PUT /api/v1/plugins/{name}/promotion`")
        }
    )]
    TooFewRecordings { name: String, version: PluginVersion, there: usize, needed: usize, left_out: usize },
    #[error(
        "{refused}; {version} is installed all the same and does not serve: once that is settled, `POST /api/v1/plugins/{name}/activate` lets it"
    )]
    Held { name: String, version: PluginVersion, refused: Box<PluginError> },
    #[error(
        "versions of a plugin are being compared, which takes up to a minute, and one comparison is made at a time: try again in a while"
    )]
    Comparing,
    #[error(
        "plugin `{name}` {version} does not serve, because settings that are there do not fit it: {unfit}: change the settings, ship a version that migrates them (`[[settings.migrations]]`), or say `anyway`"
    )]
    UnfitSettings { name: String, version: PluginVersion, unfit: Box<UnfitSettings> },
    #[error("{}", .0.objection())]
    Unexpected(Box<Comparison>),
    #[error("{}", problems.first().map_or_else(String::new, ToString::to_string))]
    Settings { problems: Vec<Problem> },
    #[error(
        "there are {most} plugins that did not come with the product, and no more are taken: take one away with `DELETE /api/v1/plugins/{{publisher}}/{{name}}` first"
    )]
    TooManyPlugins { most: usize },
    #[error(
        "plugin `{name}` has {most} versions, and no more are taken: take one away with `DELETE /api/v1/plugins/{name}/versions/{{version}}` first"
    )]
    TooManyVersions { name: String, most: usize },
    #[error(
        "the components of all plugins would have more than {mebibytes} MiB: take versions away that are not needed, with `DELETE /api/v1/plugins/{{publisher}}/{{name}}/versions/{{version}}`"
    )]
    NoRoomForComponents { mebibytes: u64 },
    #[error(
        "the plugins that serve would hold more than {mebibytes} MiB of compiled code in memory: switch one off that is not needed, or install this one with `?activate=false`"
    )]
    NoRoomForCode { mebibytes: u64 },
    #[error("the plugins of this service are given and cannot be changed")]
    Given,
}
