//! Plugins and their settings in an environment: the installed versions, the active one, and the settings of its steps
//! and tools.
//!
//! The component, which its digest names, defines what a plugin can do. These values define what it may do.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::hex::hexadecimal;

use super::item::item_basics;
use super::*;

/// Longest name of a publisher or of a plugin.
const LONGEST_PART: usize = 64;

/// Most earlier versions that a roll-back can go back to.
pub const SERVED_BEFORE_MAX: usize = 10;

/// A plugin, under its name `publisher/name`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Plugin {
    /// An inactive plugin is kept, and not called.
    #[serde(skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The installed versions, with the digest of the component of each.
    #[schema(value_type = BTreeMap<String, String>)]
    pub versions: BTreeMap<PluginVersion, Digest>,
    /// The active version. Without one the plugin is not called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<PluginVersion>,
    /// Whether an administrator chose the active version. If not, a newer version that comes with the product replaces
    /// it.
    #[serde(skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// The versions that were active before, the latest last: a roll-back goes back to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub served_before: Vec<PluginVersion>,
    /// The capabilities granted to components, by digest: another build has none. There is no decision yet about a
    /// component that is not listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Capabilities>)]
    pub grants: BTreeMap<Digest, Capabilities>,
    /// The tool kinds that the plugin answers for and does not decide about now: it is switched off, waits for a
    /// decision, was named by an import, or its active version does less than an earlier one. Tools of these kinds are
    /// hidden meanwhile, or shown with a warning if only a step that may be skipped is missing.
    #[serde(skip_serializing_if = "Duties::is_empty")]
    pub answers_for: Duties,
    /// The settings of tools, by their kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolOverride>,
    /// The settings of steps, by name. They apply to every version that has a step of the name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepOverride>,
    /// Which calls are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingSettings>,
    /// The condition that a version must meet before it becomes active.
    #[serde(skip_serializing_if = "Promotion::is_open")]
    pub promotion: Promotion,
    /// The version that is on trial beside the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
}

/// The settings of a step that a plugin declares.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StepOverride {
    /// An inactive step is not called.
    #[serde(skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Its place among the steps of its stage, instead of the declared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i32>,
    /// The step's configuration, a JSON object that each call receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub configuration: Option<serde_json::Map<String, serde_json::Value>>,
    /// The fault policy of the step, instead of the declared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_fault: Option<FaultPolicy>,
    /// Limits of its calls, where they are lower than the declared ones.
    #[serde(skip_serializing_if = "CallLimits::is_empty")]
    pub limits: CallLimits,
}

/// The settings of a tool kind that a plugin decides about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ToolOverride {
    /// The fault policy of the rule, instead of the declared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_fault: Option<FaultPolicy>,
    /// The payload of the tool when the rule breaks and `onFault` is `use-default`, a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub default: Option<serde_json::Map<String, serde_json::Value>>,
    /// Limits of calls of the rule, where they are lower than the declared ones.
    #[serde(skip_serializing_if = "CallLimits::is_empty")]
    pub limits: CallLimits,
}

/// The fault policy: what happens to an operation when a plugin that takes part in it breaks, or when the host is too
/// busy to call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPolicy {
    /// The operation does not happen.
    Abort,
    /// The operation goes on without the plugin, and the answer says so.
    Skip,
    /// The operation goes on with the default declared for this case, and the answer says so. Only for tools.
    UseDefault,
    /// The operation goes on with the plugin's last answer to the same question, and the answer says so; without the
    /// plugin, if there was no such answer. Only for tools.
    UseLastGood,
}

impl FaultPolicy {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Skip => "skip",
            Self::UseDefault => "use-default",
            Self::UseLastGood => "use-last-good",
        }
    }
}

/// A step that broke and was skipped, as its fault policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SkippedStep)]
pub struct Skipped {
    /// The plugin and its version.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// A stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// The version of a plugin: three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginVersion {
    /// Raised by changes that are incompatible with old configuration.
    pub major: u32,
    /// Raised by additions.
    pub minor: u32,
    /// Raised by repairs.
    pub patch: u32,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: a version has three numbers, such as `1.0.2`")]
pub struct InvalidVersion(String);

impl FromStr for PluginVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let number = |part: &str| {
            let well_formed = (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            // One spelling for each version: `01` would be another text for `1`.
            let plain = part == "0" || !part.starts_with('0');
            (well_formed && plain).then(|| part.parse().ok()).flatten()
        };
        let invalid = || InvalidVersion(text.chars().take(LONGEST_PART).collect());
        let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
        match parts.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for PluginVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl TryFrom<String> for PluginVersion {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<PluginVersion> for String {
    fn from(version: PluginVersion) -> Self {
        version.to_string()
    }
}

/// The digest of a component: the SHA-256 of its bytes, in 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(std::sync::Arc<str>);

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits of lower case")]
pub struct InvalidDigest;

impl Digest {
    /// Computes the digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hexadecimal(&Sha256::digest(bytes)).into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(fits) { Ok(Self(text.into())) } else { Err(InvalidDigest) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0.as_ref().to_owned()
    }
}

/// Tells whether `text` can name a publisher, a plugin, a step or a tool kind: `a` to `z`, `0` to `9` and `-`, a letter
/// first.
pub fn is_plugin_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LONGEST_PART && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(fits)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`serde` hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Plugin {
    /// Returns the active version and its component, if the plugin is active.
    pub fn serving(&self) -> Option<(PluginVersion, &Digest)> {
        let version = self.active.filter(|_| self.state.is_active())?;
        Some((version, self.versions.get(&version)?))
    }

    /// Makes `version` the active one. Remembers the version that was active before, for a roll-back.
    pub fn activate(&mut self, version: PluginVersion) {
        if self.active == Some(version) {
            return;
        }
        // A trial compares with the version that was active, so it ends here.
        self.rollout = None;
        self.served_before.retain(|before| *before != version);
        self.served_before.extend(self.active.replace(version));
        let forgotten = self.served_before.len().saturating_sub(SERVED_BEFORE_MAX);
        self.served_before.drain(..forgotten);
    }

    /// Returns the rollout and the component of the version on trial, if the plugin is active.
    pub fn trying(&self) -> Option<(&Rollout, &Digest)> {
        let rollout = self.rollout.as_ref().filter(|_| self.state.is_active())?;
        Some((rollout, self.versions.get(&rollout.version)?))
    }

    /// Removes a version, with the grants of its component unless another version has the same one.
    pub fn remove(&mut self, version: PluginVersion) {
        self.versions.remove(&version);
        self.rollout.take_if(|rollout| rollout.version == version);
        self.served_before.retain(|before| *before != version);
        let Self { versions, grants, .. } = self;
        grants.retain(|digest, _| versions.values().any(|there| there == digest));
    }

    /// Settles the grants of the component `digest`, if there is no decision about it yet. It takes over the grants of
    /// `heir_of`, the active component, if it asks for no more than that one does. The caller passes `heir_of` only if
    /// a trusted key signed both. Returns the capabilities that an administrator has to decide about.
    pub fn settle_grant(
        &mut self,
        digest: &Digest,
        asked: &Capabilities,
        heir_of: Option<(&Digest, &Capabilities)>,
    ) -> Option<Capabilities> {
        if asked.is_empty() || self.grants.contains_key(digest) {
            return None;
        }
        let (before, asked_before) = heir_of.unzip();
        let granted = before.and_then(|before| self.grants.get(before)).map(|granted| granted.and(asked));
        let wider = asked_before.is_none_or(|before| !asked.without(before).is_empty());
        match granted {
            Some(granted) if !wider => {
                self.grants.insert(digest.clone(), granted);
                None
            }
            granted => Some(asked.without(&granted.unwrap_or_default())),
        }
    }

    /// Goes back to the version that was active before. A running trial is ended instead, and nothing else changes; a
    /// stopped trial is dropped together with the version. Returns nothing if there is nothing to take back.
    pub fn roll_back(&mut self) -> Option<RolledBack> {
        let trial = self.rollout.take();
        if trial.as_ref().is_some_and(|trial| trial.stopped.is_none()) {
            return Some(RolledBack::Trial);
        }
        match self.served_before.pop() {
            Some(before) => {
                self.active = Some(before);
                Some(RolledBack::Version)
            }
            None => trial.map(|_| RolledBack::Trial),
        }
    }
}

/// The effect of a roll-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolledBack {
    /// The trial ended; the active version stays.
    Trial,
    /// The version before became active. A stopped trial was dropped, too.
    Version,
}

impl Item for Plugin {
    item_basics!(Plugin);

    fn display_name(&self) -> &str {
        ""
    }

    fn check(&self, problems: &mut Problems) {
        if let Some(recording) = &self.recording {
            recording.check(problems);
        }
        self.promotion.check(problems);
        self.answers_for.check("answersFor", problems);
        if let Some(rollout) = &self.rollout {
            rollout.check(problems);
            if self.active == Some(rollout.version) {
                problems.refuse("rollout.version", "this version serves already: try another one");
            }
        }
        let tried = self.rollout.iter().map(|rollout| ("rollout.version", &rollout.version));
        let served = self.active.iter().map(|version| ("active", version));
        for digest in self.grants.keys().filter(|digest| !self.versions.values().any(|there| there == *digest)) {
            problems.refuse(format!("grants.{digest}"), "no version has this component: install it first");
        }
        for (step, wanted) in &self.steps {
            if matches!(wanted.on_fault, Some(FaultPolicy::UseDefault | FaultPolicy::UseLastGood)) {
                problems.refuse(format!("steps.{step}.onFault"), "a step can `abort` or be skipped with `skip`");
            }
            wanted.limits.check(&format!("steps.{step}.limits"), problems);
        }
        for (kind, wanted) in &self.tools {
            wanted.limits.check(&format!("tools.{kind}.limits"), problems);
        }
        for (attribute, version) in served.chain(tried).chain(self.served_before.iter().map(|it| ("servedBefore", it)))
        {
            if !self.versions.contains_key(version) {
                problems.refuse(attribute, format!("version `{version}` is not there: install it first"));
            }
        }
    }

    fn is_active(&self) -> bool {
        self.state.is_active()
    }
}

impl utoipa::PartialSchema for PluginVersion {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain(
            "The version of a plugin: three numbers.",
            "^(0|[1-9][0-9]{0,8})([.](0|[1-9][0-9]{0,8})){2}$",
            5,
            29,
        )
    }
}

impl utoipa::ToSchema for PluginVersion {
    fn name() -> std::borrow::Cow<'static, str> {
        "VersionNumber".into()
    }
}

impl utoipa::PartialSchema for Digest {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain("The SHA-256 of a component, in hexadecimal.", "^[0-9a-f]{64}$", 64, 64)
    }
}

impl utoipa::ToSchema for Digest {
    fn name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_plain_numbers() {
        let version: PluginVersion = "1.20.3".parse().unwrap();
        assert_eq!((version.major, version.minor, version.patch), (1, 20, 3));
        assert!(version > "1.3.20".parse().unwrap(), "versions sort as numbers");
        for text in ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.3-beta", "+1.2.3", "1234567890.0.0"] {
            assert!(text.parse::<PluginVersion>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_roll_back_goes_back_one_version_at_a_time() {
        let [one, two, three]: [PluginVersion; 3] = ["1.0.0", "1.1.0", "2.0.0"].map(|text| text.parse().unwrap());
        let mut plugin = Plugin::default();
        for version in [one, two, two, three, one] {
            plugin.activate(version);
        }
        assert_eq!((plugin.active, plugin.served_before.as_slice()), (Some(one), &[two, three][..]));
        let mut back = || (plugin.roll_back(), plugin.active);
        assert_eq!(back(), (Some(RolledBack::Version), Some(three)));
        assert_eq!(back(), (Some(RolledBack::Version), Some(two)));
        assert_eq!(back(), (None, Some(two)), "a roll-back to nothing changes nothing");
    }

    #[test]
    fn only_so_many_versions_are_remembered() {
        let mut plugin = Plugin::default();
        for minor in 0..30 {
            plugin.activate(PluginVersion { major: 1, minor, patch: 0 });
        }
        assert_eq!(plugin.served_before.len(), SERVED_BEFORE_MAX);
        assert_eq!(plugin.served_before.last().map(|version| version.minor), Some(28));
    }

    #[test]
    fn a_roll_back_ends_what_is_tried_first() {
        let [one, two]: [PluginVersion; 2] = ["1.0.0", "1.1.0"].map(|text| text.parse().unwrap());
        let rollout: Rollout = serde_json::from_str(r#"{"version": "1.1.0", "to": "shadow"}"#).unwrap();
        let trying = Plugin { active: Some(one), rollout: Some(rollout), ..Plugin::default() };
        let mut ended = trying.clone();
        assert_eq!([ended.roll_back(), ended.roll_back()], [Some(RolledBack::Trial), None]);
        let mut promoted = trying;
        promoted.activate(two);
        assert_eq!((promoted.rollout.clone(), promoted.roll_back()), (None, Some(RolledBack::Version)));
    }

    #[test]
    fn a_trial_that_was_stopped_keeps_nobody_from_going_back() {
        let [zero, one]: [PluginVersion; 2] = ["0.9.0", "1.0.0"].map(|text| text.parse().unwrap());
        let stopped = r#"{"version": "1.1.0", "to": "shadow", "stopped": "it broke"}"#;
        let rollout = || Some(serde_json::from_str::<Rollout>(stopped).unwrap());
        let mut plugin =
            Plugin { active: Some(one), served_before: vec![zero], rollout: rollout(), ..Plugin::default() };
        assert_eq!(plugin.roll_back(), Some(RolledBack::Version));
        assert_eq!((plugin.active, &plugin.rollout), (Some(zero), &None));
        plugin.rollout = rollout();
        assert_eq!([plugin.roll_back(), plugin.roll_back()], [Some(RolledBack::Trial), None], "nothing served before");
    }

    #[test]
    fn a_grant_goes_on_for_what_asks_for_no_more() {
        let [old, new]: [Digest; 2] = ["0", "1"].map(|digit| digit.repeat(64).parse().unwrap());
        let some = |hosts: &str| Capabilities {
            http: hosts.split_whitespace().map(|host| host.parse().unwrap()).collect(),
            ..Capabilities::default()
        };
        // Columns: what the old component asks for, its grants, what the new one asks for, and its grants or what is
        // left to decide.
        for (asked_before, granted, asks, expected) in [
            ("a b", Some("a b"), "", Ok(None)),
            ("a b", Some("a b"), "a b", Ok(Some("a b"))),
            ("a b", Some("a b"), "b", Ok(Some("b"))),
            ("a b", Some("a"), "a b", Ok(Some("a"))),
            ("a b", Some(""), "a", Ok(Some(""))),
            ("a", Some("a"), "a b", Err("b")),
            ("a", Some(""), "a b", Err("a b")),
            ("", None, "a", Err("a")),
            ("a", None, "a", Err("a")),
        ] {
            let mut plugin = Plugin::default();
            plugin.grants.extend(granted.map(|granted| (old.clone(), some(granted))));
            let asked_before = some(asked_before);
            let left = plugin.settle_grant(&new, &some(asks), Some((&old, &asked_before)));
            let found = left.map_or_else(|| Ok(plugin.grants.get(&new).cloned()), Err);
            assert_eq!(found, expected.map(|it| it.map(some)).map_err(some), "{asked_before} {granted:?} -> {asks}");
        }
        let mut plugin = Plugin { grants: [(new.clone(), some(""))].into(), ..Plugin::default() };
        assert_eq!(plugin.settle_grant(&new, &some("a"), None), None, "an administrator decided to grant nothing");
        assert_eq!(Plugin::default().settle_grant(&new, &some("a"), None), Some(some("a")));
    }

    #[test]
    fn a_grant_goes_with_its_component() {
        let digest: Digest = "0".repeat(64).parse().unwrap();
        let [one, two]: [PluginVersion; 2] = ["1.0.0", "1.1.0"].map(|text| text.parse().unwrap());
        let versions = [(one, digest.clone()), (two, digest.clone())].into();
        let grants = [(digest, Capabilities::default())].into();
        let mut plugin = Plugin { versions, grants, ..Plugin::default() };
        plugin.remove(one);
        assert_eq!(plugin.grants.len(), 1, "another version has the component");
        plugin.remove(two);
        assert!(plugin.grants.is_empty());
    }

    #[test]
    fn an_inactive_plugin_serves_nothing() {
        let version: PluginVersion = "1.0.0".parse().unwrap();
        let digest: Digest = "0".repeat(64).parse().unwrap();
        let mut plugin = Plugin { versions: [(version, digest.clone())].into(), ..Plugin::default() };
        assert_eq!(plugin.serving(), None);
        plugin.activate(version);
        assert_eq!(plugin.serving(), Some((version, &digest)));
        plugin.state = State::Inactive;
        assert_eq!(plugin.serving(), None);
    }
}
