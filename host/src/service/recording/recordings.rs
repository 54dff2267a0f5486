//! Recordings of calls: turned on and off by plugin, listed, deleted, and replayed.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::access::AuditEvent;
use crate::domain::comparison::{Difference, Differences};
use crate::domain::hex::hexadecimal;
use crate::domain::revision::Author;
use crate::domain::trace::TraceId;
use crate::domain::{Digest, PluginVersion, RecordingSettings};
use crate::plugin::{Answer, CallRecording, Replayed};
use crate::store;
use crate::store::{Expect, KeptRecording, RecordingFilter};

use crate::service::plugins::{item, wanted_version};
use crate::service::{Error, PluginError, PluginView, Service};

/// Most days ahead until which recording may be turned on.
const DAYS_MAX: i64 = 90;

/// A recording, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Recording)]
pub struct RecordingView {
    /// The id of the recording.
    pub id: TraceId,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that was called.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: Digest,
    /// The tool kind it decided about; for a change of configuration, the message.
    pub tool: String,
    /// The step that was called; none if the rule was.
    pub step: Option<String>,
    /// The profile in force; empty for a change of configuration.
    pub profile: String,
    /// Some of the people it was about, or the author of the change of configuration, if redaction did not replace
    /// them.
    pub users: Vec<String>,
    /// `shown`, `hidden` or `failed`; of a step also `agreed`, `amended`, `proceeds` or `rejected`.
    pub status: String,
    /// When the call was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// When the recording is deleted.
    #[schema(value_type = String, format = DateTime)]
    pub expires: jiff::Timestamp,
    /// How often the same question was seen.
    pub seen: u64,
}

/// The replay of a recorded call.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Replay)]
pub struct ReplayView {
    /// The recording.
    pub id: TraceId,
    /// The version that was called again.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: Digest,
    /// Whether the answer is the same, byte by byte; if both calls broke, whether they broke alike.
    pub same: bool,
    /// The recorded answer.
    #[schema(value_type = Object)]
    pub recorded: Answer,
    /// The answer of the replay.
    #[schema(value_type = Object)]
    pub answer: Answer,
    /// The differences between the two.
    pub differences: Vec<Difference>,
}

impl Service {
    /// Records the calls of a plugin from now on as `wanted` says; without it, records no more.
    pub fn record_plugin(
        &self,
        name: &str,
        expect: Expect,
        wanted: Option<&RecordingSettings>,
        now: jiff::Timestamp,
        author: &Author,
    ) -> Result<PluginView, Error> {
        if let Some(RecordingSettings { until, .. }) = wanted {
            let hours = until.duration_since(now).as_hours();
            if *until <= now || hours > DAYS_MAX * 24 {
                return Err(PluginError::RecordingUntil { until: *until, most: DAYS_MAX }.into());
            }
        }
        self.change_plugin(name, expect, author, |service, _, plugin| {
            if wanted.is_some() {
                service.must_be_asked(name, plugin)?;
            }
            plugin.recording = wanted.cloned();
            Ok(())
        })
    }

    /// Returns up to `limit` recordings that pass the filter, the newest first, after `after`.
    pub fn recordings(
        &self,
        filter: &RecordingFilter,
        after: Option<TraceId>,
        limit: usize,
    ) -> Result<Vec<RecordingView>, Error> {
        self.observe();
        let Some(log) = self.store.known_recordings()? else { return Ok(Vec::new()) };
        let found = log.list(filter, after, limit, jiff::Timestamp::now())?;
        Ok(found.into_iter().map(RecordingView::from).collect())
    }

    /// Returns one recording, whole.
    pub fn recording(&self, id: TraceId) -> Result<CallRecording, Error> {
        self.observe();
        Ok(self.recorded(id)?.ok_or(PluginError::NoSuchRecording(id))?)
    }

    /// Returns one recording, if it is there.
    pub(in crate::service) fn recorded(&self, id: TraceId) -> Result<Option<CallRecording>, store::Error> {
        let Some(log) = self.store.known_recordings()? else { return Ok(None) };
        log.one(id, jiff::Timestamp::now())?.map(|kept| parse(&kept)).transpose()
    }

    /// Deletes recordings that are too old at `now`.
    pub fn expire_recordings(&self, now: jiff::Timestamp) -> Result<(), Error> {
        Ok(self.store.known_recordings()?.map_or(Ok(()), |log| log.expire(now))?)
    }

    /// Deletes a recording.
    pub fn remove_recording(&self, id: TraceId, author: &Author) -> Result<(), Error> {
        let missing = || PluginError::NoSuchRecording(id);
        let there = self.recorded(id)?.ok_or_else(missing)?;
        self.note(author, AuditEvent::RecordingDeleted { recording: id, plugin: there.plugin })?;
        let removed = self.store.known_recordings()?.map_or(Ok(false), |log| log.remove(id))?;
        if removed { Ok(()) } else { Err(missing().into()) }
    }

    /// Deletes all recordings of a plugin. Returns how many there were.
    pub fn clear_recordings(&self, plugin: &str, author: &Author) -> Result<usize, Error> {
        self.observe();
        let Some(log) = self.store.known_recordings()? else { return Ok(0) };
        self.note(author, AuditEvent::RecordingsDeleted { plugin: plugin.to_owned() })?;
        Ok(log.clear(plugin)?)
    }

    /// Makes a recorded call again from the recording alone: with the component that answered then, or with `version`.
    pub fn replay_recording(&self, id: TraceId, version: Option<PluginVersion>) -> Result<ReplayView, Error> {
        let recording = self.recording(id)?;
        let platform = self.platform()?;
        let name = &recording.plugin;
        let (version, digest) = match version {
            None => (recording.version, recording.digest.clone()),
            Some(version) => {
                let snapshot = self.store.snapshot()?;
                (version, wanted_version(name, item(&snapshot, name)?, version)?.clone())
            }
        };
        let ready = self.ready_version(name, version, &digest)?;
        let nothing_asked = || match &recording.step {
            None => {
                let known = ready.manifest().tool_kinds().to_vec();
                PluginError::NoSuchTool { name: name.clone(), kind: recording.tool.clone(), known }
            }
            Some(step) => {
                let known = ready.manifest().step_names().into_iter().map(str::to_owned).collect();
                PluginError::NoSuchStep { name: name.clone(), step: step.name.clone(), known }
            }
        };
        let Replayed { answer, .. } = recording.replay(platform.loader(), &ready).ok_or_else(nothing_asked)?;
        let mut differences = Differences::default();
        let fields = recording.answer.differences(&answer);
        differences.add(&recording.facts.profile, &recording.tool, recording.user.as_slice(), &fields, 1);
        let same = fields.is_empty();
        let differences = differences.into_list(&[]);
        Ok(ReplayView { id, version, digest, same, recorded: recording.answer, answer, differences })
    }
}

/// Returns a recording as the store keeps it, with the columns it is found by.
pub(in crate::service) fn kept(
    recording: &CallRecording,
    settings: &RecordingSettings,
) -> Result<KeptRecording, store::Error> {
    let document = serde_json::to_string(recording).map_err(|error| store::Error::Corrupt(error.into()))?;
    let days = jiff::SignedDuration::from_hours(i64::from(settings.keep_days) * 24);
    let question = hexadecimal(&Sha256::digest(recording.question()));
    Ok(KeptRecording {
        id: recording.id,
        plugin: recording.plugin.clone(),
        version: recording.version,
        digest: recording.digest.clone(),
        question,
        tool: recording.tool.clone(),
        step: recording.step.as_ref().map(|step| step.name.clone()),
        profile: recording.facts.profile.clone(),
        users: recording.user.iter().cloned().collect(),
        status: recording.answer.status().as_str().to_owned(),
        at: recording.at,
        expires: recording.at.checked_add(days).unwrap_or(jiff::Timestamp::MAX),
        seen: 1,
        document,
    })
}

/// Reads a kept recording. Its id is the one under which its question was first kept.
fn parse(kept: &KeptRecording) -> Result<CallRecording, store::Error> {
    let recording = CallRecording::parse(&kept.document).map_err(|error| store::Error::Corrupt(error.into()))?;
    Ok(CallRecording { id: kept.id, ..recording })
}

impl From<KeptRecording> for RecordingView {
    fn from(kept: KeptRecording) -> Self {
        let KeptRecording {
            id, plugin, version, digest, tool, step, profile, users, status, at, expires, seen, ..
        } = kept;
        Self { id, plugin, version, digest, tool, step, profile, users, status, at, expires, seen }
    }
}
