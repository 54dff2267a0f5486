//! Calls of rules that somebody wants to look at: noticed while they are made, looked at when their answer is gone.
//!
//! Whoever asks waits for none of it. What does not fit into the queue is dropped and counted; how a version on trial broke is
//! never more than that: the person was answered by the version that serves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::experience::ToolFault;
use crate::domain::revision::Author;
use crate::domain::{Digest, PluginVersion};
use crate::plugin::{Answer, CallRecording, Catalog, ObservedCall, Trial};
use crate::resolve::{Evaluation, Reads, ToolRules};
use crate::store::{TrialCall, TrialKey};

use super::platform::Platform;
use super::{Error, Machinery, PluginError, Service, recordings};

/// Calls that may wait to be looked at.
const QUEUE: usize = 512;

/// Notices calls.
pub(super) struct Observer {
    queue: SyncSender<Noticed>,
    noticed: Mutex<Receiver<Noticed>>,
    arrived: (Mutex<bool>, Condvar),
    budgets: Mutex<HashMap<String, (i64, u32)>>,
    dropped: AtomicU64,
}

/// A call that somebody wants to look at.
struct Noticed {
    catalog: Arc<Catalog>,
    call: ObservedCall,
    passed_over: Option<ToolFault>,
    record: bool,
}

/// A catalog whose calls are noticed.
pub(super) struct Observing<'a> {
    pub(super) catalog: Arc<Catalog>,
    pub(super) observer: &'a Observer,
}

impl Default for Observer {
    fn default() -> Self {
        let (queue, noticed) = sync_channel(QUEUE);
        Self {
            queue,
            noticed: Mutex::new(noticed),
            arrived: Default::default(),
            budgets: Mutex::default(),
            dropped: AtomicU64::new(0),
        }
    }
}

impl Observer {
    fn notice(&self, noticed: Noticed) {
        if self.queue.try_send(noticed).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
        *self.arrived.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.arrived.1.notify_one();
    }

    /// Waits until something is noticed, but not longer than `patience`.
    fn wait(&self, patience: Duration) {
        let (arrived, changed) = &self.arrived;
        let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(arrived, patience, |arrived| !*arrived);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    /// Whether one more call of a plugin is recorded in the minute of `now`.
    fn has_budget(&self, plugin: String, per_minute: u32, now: jiff::Timestamp) -> bool {
        let minute = now.as_second() / 60;
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, used) = budgets.entry(plugin).or_insert((minute, 0));
        if *of != minute {
            (*of, *used) = (minute, 0);
        }
        *used += 1;
        *used <= per_minute
    }
}

impl ToolRules for Observing<'_> {
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        let Some(observed) = self.catalog.observed(kind) else { return self.catalog.evaluate(kind, settings, reads) };
        let (snapshot, facts) = (reads.snapshot().cloned(), Arc::clone(reads.shared_facts()));
        let evaluation = self.catalog.evaluate(kind, settings, reads)?;
        // What steps around the rule did to it is no part of its call.
        let Some((settings, outcome)) = evaluation.rule_call(settings) else { return Some(evaluation) };
        let at = jiff::Timestamp::now();
        // What a policy put in the place of an answer is no answer of the rule.
        let own = evaluation.degraded.is_none();
        let record = observed.recording.is_some_and(|wanted| {
            let name = || observed.ready.manifest().full_name();
            own && wanted.is_on(at) && self.observer.has_budget(name(), wanted.per_minute, at)
        });
        let tried = observed.trial.is_some_and(|trial| trial.rollout.shadows() || trial.reaches(&facts));
        if let Some(snapshot) = snapshot.filter(|_| record || tried) {
            let (tool, settings, answer) = (kind.to_owned(), settings.to_owned(), Answer::from(outcome));
            let call = ObservedCall { at, tool, settings, snapshot, facts, answer };
            let passed_over = evaluation.passed_over.clone();
            self.observer.notice(Noticed { catalog: Arc::clone(&self.catalog), call, passed_over, record });
        }
        Some(evaluation)
    }

    fn fingerprint(&self) -> String {
        self.catalog.fingerprint()
    }
}

impl Service {
    /// Looks at the calls that were noticed so far. Answers how many there were.
    ///
    /// Whoever comes while somebody else is at it waits, so what was noticed before was looked at afterwards.
    pub fn observe(&self) -> Result<usize, Error> {
        let Machinery::Installed(platform) = &self.machinery else { return Ok(0) };
        let noticed = self.observer.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        while let Ok(noticed) = noticed.try_recv() {
            count += 1;
            self.look_at(platform, &noticed)?;
        }
        Ok(count)
    }

    /// Looks at calls as soon as one is noticed, or after `patience`.
    pub fn observe_within(&self, patience: Duration) -> Result<usize, Error> {
        self.observer.wait(patience);
        self.observe()
    }

    /// Calls that came too fast to be looked at.
    pub fn unobserved(&self) -> u64 {
        self.observer.dropped.load(Relaxed)
    }

    fn look_at(&self, platform: &Platform, noticed: &Noticed) -> Result<(), Error> {
        let Noticed { catalog, call, passed_over, record } = noticed;
        let Some(observed) = catalog.observed(&call.tool) else { return Ok(()) };
        let reached = observed.trial.filter(|trial| trial.reaches(&call.facts));
        if let Some(trial) = observed.trial {
            self.count_trial(platform, observed.ready.digest(), trial, call, passed_over.as_ref())?;
        }
        let Some(settings) = observed.recording.filter(|_| *record && !call.answer.says_nothing()) else {
            return Ok(());
        };
        let answered_by = match reached {
            Some(trial) if passed_over.is_none() => &trial.ready,
            _ => observed.ready,
        };
        if let Some(recording) = CallRecording::make(platform.workshop(), answered_by, call, settings) {
            self.store.recordings()?.keep(&recordings::kept(&recording, settings)?)?;
        }
        Ok(())
    }

    fn count_trial(
        &self,
        platform: &Platform,
        serving: &Digest,
        trial: &Trial,
        call: &ObservedCall,
        passed_over: Option<&ToolFault>,
    ) -> Result<(), Error> {
        let manifest = trial.ready.manifest();
        let mut differences = Vec::new();
        let broke = if trial.rollout.shadows() {
            let reads = Reads::new(Arc::clone(&call.snapshot), Arc::clone(&call.facts));
            let Some(evaluation) = trial.shadow(platform.workshop(), &call.tool, &call.settings, reads) else {
                return Ok(());
            };
            let answer = Answer::from(&evaluation.outcome);
            if answer.says_nothing() || call.answer.says_nothing() {
                return Ok(());
            }
            differences = call.answer.differences(&answer);
            evaluation.outcome.err()
        } else {
            if !trial.reaches(&call.facts) || passed_over.is_some_and(|fault| Answer::is_no_answer(&fault.code)) {
                return Ok(());
            }
            passed_over.cloned()
        };
        let broke = broke.map(|fault| format!("{}: {}", fault.code, fault.message));
        let key =
            TrialKey { plugin: manifest.full_name(), serving: serving.clone(), tried: trial.ready.digest().clone() };
        let counted = TrialCall {
            profile: &call.facts.profile,
            tool: &call.tool,
            login: call.facts.caller.user.as_deref(),
            broke: broke.as_deref(),
            differences: &differences,
        };
        let times = self.store.recordings()?.count_trial(&key, counted)?;
        match broke {
            Some(broke) if times >= u64::from(trial.rollout.stop_after) => {
                self.stop_rollout(&key.plugin, manifest.version, times, &broke)
            }
            _ => Ok(()),
        }
    }

    /// Stops trying a version that breaks. Nothing is done if it is not tried any more, or stopped already.
    fn stop_rollout(&self, plugin: &str, version: PluginVersion, times: u64, broke: &str) -> Result<(), Error> {
        let reason = format!("it broke {times} times, and last so: {broke}");
        let author = Author::new("loadout", format!("plugin `{plugin}` {version} is not tried any more: {reason}"));
        let stopped = self.change_plugin(plugin, &author, |_, _, item| {
            let tried = item.rollout.as_mut().filter(|it| it.version == version && it.stopped.is_none());
            let rollout = tried.ok_or_else(|| PluginError::NoRollout(plugin.to_owned()))?;
            rollout.stopped = Some(reason.clone());
            Ok(())
        });
        match stopped {
            Ok(_) => tracing::warn!("plugin `{plugin}` {version} is not tried any more: {reason}"),
            Err(Error::Plugin(PluginError::NoRollout(_) | PluginError::NoSuchPlugin(_))) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
