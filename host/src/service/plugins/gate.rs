//! The gate: compares two versions of a plugin by making recorded calls of both, over the configuration of today.
//!
//! One comparison is made at a time, because each keeps a thread of the server busy; others are refused and may come
//! again. No person is answered by a comparison. A version of a gated plugin does not serve if it changes answers and
//! the change was not said to be meant.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crate::domain::comparison::{Differences, FieldDifference};
use crate::domain::revision::Author;
use crate::domain::{CORPUS, Digest, Expected, Kind, Plugin, PluginVersion, Revision, UNDECIDED};
use crate::plugin::{CallRecording, Manifest, Ready};
use crate::store::{RecordingFilter, Snapshot};

use super::comparison::Comparison;
use super::comparison::SettingsOutlook;
use super::{Reader, Settled, item, migrate_unfit, version_of, wanted_version, without_component};
use crate::service::runtime::platform::Found;
use crate::service::{Error, PluginError, Service};

/// The longest time of a comparison.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most characters of the expected differences in the reason of a revision.
const MEANT_MAX: usize = 1_000;

/// What an administrator says to the gate: the differences that are meant, and whether to pass it unchecked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gatekeeping<'a> {
    /// The differences that are meant.
    pub expected: &'a [Expected],
    /// Whether the version serves without a comparison.
    pub past_gate: bool,
}

impl Gatekeeping<'_> {
    /// Returns the author with the expected differences and the pass among the reasons, so that the revision tells.
    pub(in crate::service) fn said_by(&self, author: &Author) -> Author {
        let meant: Vec<String> = self.expected.iter().map(ToString::to_string).collect();
        let meant = (!meant.is_empty()).then(|| {
            let meant = meant.join(", ");
            let cut = meant.char_indices().nth(MEANT_MAX).map_or(meant.len(), |(end, _)| end);
            format!("meant: {}{}", &meant[..cut], if cut < meant.len() { "…" } else { "" })
        });
        let past = self.past_gate.then(|| "past the gate".to_owned());
        let why: Vec<String> =
            [author.why.clone()].into_iter().filter(|it| !it.is_empty()).chain(past).chain(meant).collect();
        Author { why: why.join("; "), ..author.clone() }
    }
}

/// A gate before a version, which compares once for a revision of the plugin: a change that lost a race and is tried
/// again is not compared again.
pub(in crate::service) struct Gatekeeper<'a> {
    gatekeeping: Gatekeeping<'a>,
    passed: Cell<Option<Revision>>,
}

impl<'a> Gatekeeper<'a> {
    pub(in crate::service) fn new(gatekeeping: Gatekeeping<'a>) -> Self {
        Self { gatekeeping, passed: Cell::new(None) }
    }

    /// Refuses a version of a gated plugin that changes answers in a way that was not said to be meant.
    pub(in crate::service) fn check(
        &self,
        service: &Service,
        snapshot: &Arc<Snapshot>,
        name: &str,
        plugin: &Plugin,
        version: PluginVersion,
    ) -> Result<(), Error> {
        let written = snapshot.entry(Kind::Plugin, name).map(|entry| entry.revision);
        if written.is_none() || self.passed.get() != written {
            service.must_be_promotable(snapshot, name, plugin, version, self.gatekeeping)?;
            self.passed.set(written);
        }
        Ok(())
    }
}

impl Comparison {
    /// Refuses a version that was compared by fewer than `needed` questions, or whose changes are not all expected. A
    /// slow rule passes by the questions there was time for.
    fn promotes(self, needed: usize) -> Result<(), PluginError> {
        let Self { recordings: there, left_out, .. } = self;
        if there < needed {
            let (name, version) = (self.plugin, self.to);
            return Err(PluginError::TooFewRecordings { name, version, there, needed, left_out });
        }
        if self.as_expected { Ok(()) } else { Err(PluginError::Unexpected(Box::new(self))) }
    }
}

impl Service {
    /// Makes the recorded calls of a plugin with the version that serves and with `version`, and compares the answers.
    /// Changes nothing.
    pub fn compare_versions(
        &self,
        name: &str,
        version: PluginVersion,
        expected: &[Expected],
    ) -> Result<Comparison, Error> {
        let snapshot = self.store.snapshot()?;
        self.compare(&snapshot, name, item(&snapshot, name)?, version, expected)
    }

    /// Refuses a version of a gated plugin that changes answers in a way that was not said to be meant.
    fn must_be_promotable(
        &self,
        snapshot: &Arc<Snapshot>,
        name: &str,
        plugin: &Plugin,
        version: PluginVersion,
        gatekeeping: Gatekeeping<'_>,
    ) -> Result<(), Error> {
        let serves = plugin.active.is_none_or(|active| active == version);
        if plugin.promotion.is_open() || serves || gatekeeping.past_gate {
            return Ok(());
        }
        let comparison = match self.compare(snapshot, name, plugin, version, gatekeeping.expected) {
            // The version that serves cannot be called, so it answers no person either: any version that can serve is
            // an improvement.
            Err(Error::Plugin(PluginError::RefusedVersion { version: refused, reason, .. })) if refused != version => {
                tracing::warn!(
                    "plugin `{name}` {version} is compared with nothing: {refused} cannot be used: {reason}"
                );
                return Ok(());
            }
            compared => compared?,
        };
        Ok(comparison.promotes(usize::try_from(plugin.promotion.recordings).unwrap_or(usize::MAX))?)
    }

    fn compare(
        &self,
        snapshot: &Arc<Snapshot>,
        name: &str,
        plugin: &Plugin,
        version: PluginVersion,
        expected: &[Expected],
    ) -> Result<Comparison, Error> {
        let _turn = turn(&self.comparing)?;
        self.observe();
        // A plugin that is switched off is compared with the version that would serve.
        let from = plugin.active.ok_or_else(|| PluginError::NothingServes(name.to_owned()))?;
        let old = self.ready_version(name, from, version_of(name, plugin, from)?)?;
        let new = self.ready_version(name, version, wanted_version(name, plugin, version)?)?;
        let loader = self.platform()?.loader();
        let filter = RecordingFilter { plugin: Some(name.to_owned()), ..RecordingFilter::default() };
        let limit = usize::try_from(CORPUS).unwrap_or(usize::MAX);
        let log = self.store.known_recordings()?;
        let corpus = log.map(|log| log.list(&filter, None, limit, jiff::Timestamp::now())).transpose()?;
        let mut found = Comparison {
            plugin: name.to_owned(),
            from,
            to: version,
            recordings: 0,
            calls: 0,
            same: 0,
            different: 0,
            not_asked: 0,
            left_out: 0,
            differences: Vec::new(),
            settings: SettingsOutlook::default(),
            as_expected: false,
        };
        let Settled { migrated, unfit: problems, .. } =
            self.settings_outlook(snapshot, name, plugin, new.manifest())?;
        found.settings = SettingsOutlook { migrated, problems };
        let (mut differences, reader) = (Differences::default(), Reader::of(new.manifest()));
        let (mut asked, until) = (HashSet::new(), Instant::now() + PATIENCE);
        for kept in corpus.into_iter().flatten() {
            let Some(recording) = self.recorded(kept.id)? else { continue };
            // The same question may have been recorded with another component.
            if !recording.concerns(old.manifest()) || !asked.insert(kept.question.clone()) {
                continue;
            }
            if !recording.concerns(new.manifest()) {
                let undecided = FieldDifference { field: UNDECIDED.to_owned(), before: None, after: None };
                differences.add(&kept.profile, &kept.tool, &kept.users, &[undecided], kept.seen);
                (found.recordings, found.calls) = (found.recordings + 1, found.calls + kept.seen);
                found.different += 1;
                continue;
            }
            // The newest come first, so those left out are the oldest.
            if Instant::now() > until {
                found.left_out += 1;
                continue;
            }
            let ask = |ready: &Ready, recording: &CallRecording| recording.ask_over(loader, ready, snapshot);
            let migrated = as_taken(&recording, &reader, new.manifest(), from);
            let (Some(before), Some(after)) = (ask(&old, &recording), ask(&new, &migrated)) else { continue };
            if before.answer.says_nothing() || after.answer.says_nothing() {
                found.not_asked += 1;
                continue;
            }
            let fields = before.answer.differences(&after.answer);
            found.recordings += 1;
            found.calls += kept.seen;
            *(if fields.is_empty() { &mut found.same } else { &mut found.different }) += 1;
            differences.add(&kept.profile, &kept.tool, &kept.users, &fields, kept.seen);
        }
        found.differences = differences.into_list(expected);
        found.as_expected = found.not_asked == 0 && found.differences.iter().all(|difference| difference.expected);
        Ok(found)
    }

    pub(in crate::service) fn ready_version(
        &self,
        name: &str,
        version: PluginVersion,
        digest: &Digest,
    ) -> Result<Arc<Ready>, Error> {
        match self.platform()?.ready(&self.store, digest)? {
            Found::Ready(ready) => Ok(ready),
            Found::Unusable { reason, .. } => {
                Err(PluginError::RefusedVersion { name: name.to_owned(), version, reason }.into())
            }
            Found::Lost(lost) => Err(without_component(name, version, lost).into()),
        }
    }
}

/// Returns the permit to compare, for as long as it is held. Refuses while another comparison has it.
fn turn(comparing: &Mutex<()>) -> Result<MutexGuard<'_, ()>, PluginError> {
    match comparing.try_lock() {
        Ok(turn) => Ok(turn),
        // The lock guards nothing but the permit, so a comparison that panicked left nothing behind.
        Err(TryLockError::Poisoned(turn)) => Ok(turn.into_inner()),
        Err(TryLockError::WouldBlock) => Err(PluginError::Comparing),
    }
}

/// Returns a recorded question with the settings that a version would find once it serves after `from`.
fn as_taken<'a>(
    recording: &'a CallRecording,
    reader: &Reader<'_>,
    manifest: &Manifest,
    from: PluginVersion,
) -> Cow<'a, CallRecording> {
    let told = recording.step.as_ref().map_or(&recording.settings, |step| &step.configuration);
    let Some(Ok(settings)) = migrate_unfit(reader, manifest, from, told) else { return Cow::Borrowed(recording) };
    let mut migrated = recording.clone();
    *migrated.step.as_mut().map_or(&mut migrated.settings, |step| &mut step.configuration) = settings;
    Cow::Owned(migrated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(recordings: usize, not_asked: usize, left_out: usize) -> Comparison {
        let [from, to] = ["1.0.0", "1.1.0"].map(|text| text.parse().unwrap());
        Comparison {
            plugin: "a/b".to_owned(),
            from,
            to,
            recordings,
            calls: 0,
            same: recordings,
            different: 0,
            not_asked,
            left_out,
            differences: Vec::new(),
            settings: SettingsOutlook::default(),
            as_expected: not_asked == 0,
        }
    }

    #[test]
    fn one_comparison_is_made_at_a_time() {
        let comparing = Mutex::new(());
        let first = turn(&comparing).unwrap();
        let refused = turn(&comparing).unwrap_err();
        insta::assert_snapshot!(refused, @"versions of a plugin are being compared, which takes up to a minute, and one comparison is made at a time: try again in a while");
        drop(first);
        let broke = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _turn = turn(&comparing);
            panic!("a comparison that breaks off");
        }));
        assert!(broke.is_err() && turn(&comparing).is_ok());
    }

    #[test]
    fn what_was_said_of_the_gate_is_a_reason() {
        let said = |why: &str, past_gate: bool, expected: &[Expected]| {
            Gatekeeping { expected, past_gate }.said_by(&Author::new("ada", why)).why
        };
        let field = |field: &str| Expected { field: Some(field.to_owned()), ..Expected::default() };
        let whole = Expected { profile: Some("rep".to_owned()), tool: Some("scripts".to_owned()), field: None };
        assert_eq!(said("", false, &[]), "");
        assert_eq!(said("a repair", true, &[]), "a repair; past the gate");
        assert_eq!(said("", false, &[field("payload.a"), whole]), "meant: payload.a, any field of scripts for rep");
        assert_eq!(said("", false, &[field(&"é".repeat(2_000))]).chars().count(), "meant: …".chars().count() + 1_000);
    }

    #[test]
    fn a_version_passes_by_what_there_was_time_for_and_could_be_asked() {
        let said =
            [(5, 0, 0), (5, 0, 900), (4, 0, 0), (4, 0, 900), (5, 3, 0)].map(|(recordings, not_asked, left_out)| {
                let passes = comparison(recordings, not_asked, left_out).promotes(5);
                passes.map_or_else(|error| error.to_string(), |()| "it serves".to_owned())
            });
        insta::assert_snapshot!(said.join("\n"), @r"
        it serves
        it serves
        plugin `a/b` 1.1.0 does not serve: 5 recorded calls are needed to compare it by, and there are 4: record more, or say `pastGate`
        plugin `a/b` 1.1.0 does not serve: 5 recorded calls are needed to compare it by, there was time for 4, and 900 are left out: ask for fewer with `PUT /api/v1/plugins/a/b/promotion`, or say `pastGate`
        plugin `a/b` 1.1.0 does not serve: 3 recorded questions could not be asked, because the host was busy or a version is suspended: try again in a while, or say `pastGate`
        ");
    }
}
