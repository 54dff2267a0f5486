//! Observed calls of rules and steps: queued while they are made, and counted, shadowed or recorded afterwards by a
//! background thread.
//!
//! A caller waits for none of it. When calls come too fast, some are dropped and counted. Faults of a version on trial
//! are always counted, because a trial ends by them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::revision::Author;
use crate::domain::{Effort, Revision};
use crate::pipeline::{Event, Handlers, Outcome, Refusal, Registration, StepFault};
use crate::plugin::{Answer, CallRecording, Catalog, ObservedCall, Trial};
use crate::resolve::{Absent, Evaluation, Reads, ToolRules};
use crate::store;
use crate::store::{Expect, Snapshot, TrialCalls, TrialKey};

use super::recordings;
use crate::service::changes::commit::NoHandlers;
use crate::service::runtime::platform::Platform;
use crate::service::{Error, PluginError, PluginSource, Service};

/// Most observed calls that may wait.
const QUEUE: usize = 512;

/// Most of these that are calls of one plugin.
const OF_ONE_PLUGIN: u32 = 128;

/// Most bytes of answers of granted calls that may wait with them.
const BYTES: usize = 32 << 20;

/// How long the background thread looks at calls before other work gets a turn.
const TURN: Duration = Duration::from_secs(2);

/// How long a reader waits until the calls observed before are looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// The queue of observed calls, with its bounds and counters.
pub(in crate::service) struct Observer {
    queue: SyncSender<Noticed>,
    waiting: Mutex<Receiver<Noticed>>,
    arrived: (Mutex<bool>, Condvar),
    noticed: AtomicU64,
    looked_at: AtomicU64,
    dropped: AtomicU64,
    /// Bytes that wait to be looked at.
    bytes: AtomicUsize,
    budgets: Mutex<HashMap<String, Budget>>,
    broken: Mutex<HashMap<TrialKey, Broken>>,
}

/// How much of a plugin is observed.
#[derive(Default)]
struct Budget {
    /// The minute, and how many calls were recorded in it.
    minute: (i64, u32),
    /// Calls that wait to be looked at.
    waiting: u32,
}

/// Calls of a version on trial that broke and were not counted yet.
struct Broken {
    calls: u64,
    last: String,
    stop_after: u32,
    version: crate::domain::PluginVersion,
}

/// An observed call that waits.
struct Noticed {
    plugin: String,
    catalog: Arc<Catalog>,
    call: ObservedCall,
    /// Whether the version on trial answered.
    by_trial: bool,
    record: bool,
}

/// A catalog whose calls are observed.
pub(in crate::service) struct Observing<'a> {
    pub(in crate::service) catalog: Arc<Catalog>,
    pub(in crate::service) observer: &'a Observer,
}

impl Default for Observer {
    fn default() -> Self {
        let (queue, waiting) = sync_channel(QUEUE);
        Self {
            queue,
            waiting: Mutex::new(waiting),
            arrived: Default::default(),
            noticed: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            budgets: Mutex::default(),
            broken: Mutex::default(),
        }
    }
}

impl Observer {
    fn notice(&self, noticed: Noticed) {
        let bytes = noticed.call.outside.bytes();
        let fits = self.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes) <= BYTES;
        let has_room = fits && {
            let mut budgets = lock(&self.budgets);
            let budget = budgets.entry(noticed.plugin.clone()).or_default();
            let has_room = budget.waiting < OF_ONE_PLUGIN;
            budget.waiting += u32::from(has_room);
            has_room
        };
        let plugin = noticed.plugin.clone();
        if has_room && self.queue.try_send(noticed).is_ok() {
            self.noticed.fetch_add(1, Relaxed);
        } else {
            self.dropped.fetch_add(1, Relaxed);
            self.bytes.fetch_sub(bytes, Relaxed);
            if has_room {
                self.leave(&plugin);
            }
        }
        self.wake();
    }

    /// Counts a fault of a version on trial.
    fn broke(&self, key: TrialKey, trial: &Trial, code: &str) {
        let mut broken = lock(&self.broken);
        let (stop_after, version) = (trial.rollout.stop_after, trial.rollout.version);
        let known = broken.entry(key).or_insert(Broken { calls: 0, last: String::new(), stop_after, version });
        known.calls += 1;
        known.last = code.to_owned();
        drop(broken);
        self.wake();
    }

    fn wake(&self) {
        *lock(&self.arrived.0) = true;
        self.arrived.1.notify_one();
    }

    /// Waits until a call is observed, but not longer than `patience`.
    fn wait(&self, patience: Duration) {
        let (arrived, changed) = &self.arrived;
        let waited = changed.wait_timeout_while(lock(arrived), patience, |arrived| !*arrived);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    fn leave(&self, plugin: &str) {
        if let Some(budget) = lock(&self.budgets).get_mut(plugin) {
            budget.waiting = budget.waiting.saturating_sub(1);
        }
    }

    /// Counts one more call of a plugin in the minute of `now`, and returns whether it is recorded.
    fn may_record(&self, plugin: &str, per_minute: u32, now: jiff::Timestamp) -> bool {
        let minute = now.as_second() / 60;
        let mut budgets = lock(&self.budgets);
        let budget = budgets.entry(plugin.to_owned()).or_default();
        if budget.minute.0 != minute {
            budget.minute = (minute, 0);
        }
        budget.minute.1 = budget.minute.1.saturating_add(1);
        budget.minute.1 <= per_minute
    }
}

impl Observing<'_> {
    /// Queues a call of a step whose plugin is recorded.
    fn saw(&self, plugin: String, call: ObservedCall) {
        let wanted = self.catalog.observed_steps(&plugin).and_then(|observed| observed.recording);
        if wanted.is_some_and(|wanted| self.observer.may_record(&plugin, wanted.per_minute, call.at)) {
            let catalog = Arc::clone(&self.catalog);
            self.observer.notice(Noticed { plugin, catalog, call, by_trial: false, record: true });
        }
    }
}

impl Handlers for Observing<'_> {
    fn registrations(&self) -> &[Registration] {
        self.catalog.registrations()
    }

    fn execute(
        &self,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        effort: &Arc<Effort>,
    ) -> Result<Outcome, StepFault> {
        self.catalog.execute_seen(step, event, library, effort, Some(&|plugin, call| self.saw(plugin, call)))
    }

    fn incomplete(&self) -> Option<Refusal> {
        self.catalog.incomplete()
    }

    fn report_invalid(&self, step: &Registration, event: &Event, fault: &StepFault) {
        self.catalog.report_invalid(step, event, fault);
    }
}

impl ToolRules for Observing<'_> {
    fn has_rule(&self, kind: &str) -> bool {
        self.catalog.has_rule(kind)
    }

    fn absent(&self, kind: &str) -> &[Absent] {
        self.catalog.absent(kind)
    }

    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        let witness = |plugin, call| self.saw(plugin, call);
        let ask = |reads| self.catalog.evaluate_seen(kind, settings, reads, Some(&witness));
        let Some(observed) = self.catalog.observed(kind) else { return ask(reads) };
        let (snapshot, facts) = (reads.snapshot().cloned(), Arc::clone(reads.shared_facts()));
        let at = jiff::Timestamp::now();
        let recording = observed.recording.filter(|wanted| wanted.is_on(at));
        let shadowed = observed.trial.is_some_and(|trial| trial.rollout.shadows());
        // Only a recorded or shadowed call is made again, and needs the answers from outside.
        let reads = if recording.is_some() || shadowed { reads.keeping_outside() } else { reads };
        let mut evaluation = ask(reads)?;
        let outside = std::mem::take(&mut evaluation.outside);
        // What steps around the rule changed is no part of the rule's own call.
        let Some((given, outcome)) = evaluation.rule_call(settings) else { return Some(evaluation) };
        let plugin = observed.ready.manifest().full_name();
        if let (Some(trial), Some(fault)) = (observed.trial, &evaluation.passed_over) {
            self.observer.broke(key(&plugin, &observed, trial), trial, &fault.code);
        }
        // A default that a fault policy gave in place of the answer is no answer of the rule.
        let record = evaluation.degraded.is_none()
            && recording.is_some_and(|wanted| self.observer.may_record(&plugin, wanted.per_minute, at));
        // If it broke or was not called, the version that serves answered.
        let by_trial = observed.trial.is_some_and(|trial| {
            trial.reaches(&facts) && evaluation.plugin.as_ref() == Some(&format!("{plugin} {}", trial.rollout.version))
        });
        if let Some(snapshot) = snapshot.filter(|_| record || by_trial || shadowed) {
            let answer = Answer::from(outcome);
            let (tool, is_derived, settings) = (kind.to_owned(), given != settings, given.to_owned());
            let call = ObservedCall { at, tool, settings, step: None, snapshot, facts, answer, outside, is_derived };
            self.observer.notice(Noticed { plugin, catalog: Arc::clone(&self.catalog), call, by_trial, record });
        }
        Some(evaluation)
    }

    fn queries(&self) -> Option<Box<dyn crate::resolve::Queries + '_>> {
        self.catalog.queries()
    }

    fn fingerprint(&self) -> String {
        self.catalog.fingerprint()
    }
}

/// Returns the key under which a trial is counted.
fn key(plugin: &str, observed: &crate::plugin::Observed<'_>, trial: &Trial) -> TrialKey {
    TrialKey {
        plugin: plugin.to_owned(),
        serving: observed.ready.digest().clone(),
        tried: trial.ready.digest().clone(),
        since: trial.rollout.since,
    }
}

impl Service {
    /// Returns the configuration steps over the revision of `library`.
    pub(in crate::service) fn handlers(&self, library: &Snapshot) -> Result<Box<dyn Handlers + '_>, store::Error> {
        Ok(match &self.machinery {
            PluginSource::Given { .. } => Box::new(NoHandlers),
            PluginSource::Installed(platform) => {
                Box::new(Observing { catalog: platform.catalog(&self.store, library)?, observer: &self.observer })
            }
        })
    }

    /// Looks at calls as soon as one is observed, or after `patience`; for some seconds at most.
    pub fn observe_within(&self, patience: Duration) {
        self.observer.wait(patience);
        let waiting = lock(&self.observer.waiting);
        self.look_until(&waiting, u64::MAX, Instant::now() + TURN);
    }

    /// Looks at the calls observed so far, for a second at most: a reader would rather see an incomplete list than
    /// wait.
    pub fn observe(&self) {
        let (target, until) = (self.observer.noticed.load(Relaxed), Instant::now() + PATIENCE);
        loop {
            if let Ok(waiting) = self.observer.waiting.try_lock() {
                return self.look_until(&waiting, target, until);
            }
            if Instant::now() > until {
                return tracing::warn!("looking at calls is behind");
            }
            // Another thread looks at calls now.
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the number of calls that came too fast to be looked at, or were too large to be recorded.
    pub fn unobserved(&self) -> u64 {
        self.observer.dropped.load(Relaxed)
    }

    fn look_until(&self, waiting: &MutexGuard<'_, Receiver<Noticed>>, target: u64, until: Instant) {
        let PluginSource::Installed(platform) = &self.machinery else { return };
        self.count_broken();
        while self.observer.looked_at.load(Relaxed) < target && Instant::now() < until {
            let Ok(noticed) = waiting.try_recv() else { return };
            if let Err(error) = self.look_at(platform, &noticed) {
                tracing::error!(%error, plugin = noticed.plugin, "a call could not be looked at");
            }
            self.observer.leave(&noticed.plugin);
            self.observer.bytes.fetch_sub(noticed.call.outside.bytes(), Relaxed);
            self.observer.looked_at.fetch_add(1, Relaxed);
            self.count_broken();
        }
    }

    fn look_at(&self, platform: &Platform, noticed: &Noticed) -> Result<(), Error> {
        let Noticed { plugin, catalog, call, by_trial, record } = noticed;
        let observed = match call.step {
            None => catalog.observed(&call.tool),
            Some(_) => catalog.observed_steps(plugin),
        };
        let Some(observed) = observed else { return Ok(()) };
        if let Some(trial) = observed.trial {
            let key = key(plugin, &observed, trial);
            if trial.rollout.shadows() {
                self.ask_shadow(platform, key, trial, call)?;
            } else if *by_trial {
                self.store.recordings()?.count_trial(&key, &TrialCalls { asked: 1, ..TrialCalls::default() })?;
            }
        }
        let Some(settings) = observed.recording.filter(|_| *record && !call.answer.says_nothing()) else {
            return Ok(());
        };
        let answered_by = observed.trial.filter(|_| *by_trial).map_or(observed.ready, |trial| &trial.ready);
        if let Some(recording) = CallRecording::make(platform.loader(), answered_by, call, settings)
            && !self.store.recordings()?.keep(&recordings::kept(&recording, settings)?)?
        {
            self.observer.dropped.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn ask_shadow(&self, platform: &Platform, key: TrialKey, trial: &Trial, call: &ObservedCall) -> Result<(), Error> {
        let reads = Reads::new(Arc::clone(&call.snapshot), Arc::clone(&call.facts));
        let reads = reads.answered_by(Arc::new(call.outside.clone()));
        let Some(evaluation) = trial.shadow(platform.loader(), &call.tool, &call.settings, reads) else {
            return Ok(());
        };
        let answer = Answer::from(&evaluation.outcome);
        if answer.says_nothing() || call.answer.says_nothing() {
            return Ok(());
        }
        if let Err(fault) = &evaluation.outcome {
            self.observer.broke(key, trial, &fault.code);
            return Ok(());
        }
        let differences = call.answer.differences(&answer);
        let fields = differences.iter().map(|it| it.field.as_str()).collect();
        let differs = Some((call.facts.profile.as_str(), call.tool.as_str(), fields));
        self.store.recordings()?.count_trial(&key, &TrialCalls { asked: 1, differs, ..TrialCalls::default() })?;
        Ok(())
    }

    /// Counts the faults of versions on trial, and stops the trials that have too many.
    fn count_broken(&self) {
        let broken: Vec<_> = lock(&self.observer.broken).drain().collect();
        for (key, Broken { calls, last, stop_after, version }) in broken {
            let counted = TrialCalls { asked: calls, broke: calls, last: Some(&last), ..TrialCalls::default() };
            let so_far = self.store.recordings().and_then(|log| log.count_trial(&key, &counted));
            let reason = match so_far {
                Ok(times) if times < u64::from(stop_after) => continue,
                Ok(times) => format!("it broke {times} times, and last so: {last}"),
                // A trial whose faults cannot be counted is stopped.
                Err(error) => {
                    tracing::error!(%error, "the trial of `{}` {version} cannot be counted", key.plugin);
                    format!("it broke, and how often cannot be counted; last so: {last}")
                }
            };
            if let Err(error) = self.stop_rollout(&key, version, &reason) {
                tracing::error!(%error, "the trial of `{}` {version} could not be stopped", key.plugin);
                // Tried again with the next fault, or when the observer looks at calls the next time.
                lock(&self.observer.broken).entry(key).or_insert(Broken { calls: 0, last, stop_after, version });
            }
        }
    }

    /// Stops a trial. Does nothing if another trial runs by now, or none.
    fn stop_rollout(&self, key: &TrialKey, version: crate::domain::PluginVersion, reason: &str) -> Result<(), Error> {
        let plugin = &key.plugin;
        let author = Author::new("loadout", format!("plugin `{plugin}` {version} is not tried any more: {reason}"));
        let since: Revision = key.since;
        let stopped = self.change_plugin(plugin, Expect::Anything, &author, |_, _, item| {
            let tried = item.rollout.as_mut().filter(|it| it.since == since && it.stopped.is_none());
            let rollout = tried.ok_or_else(|| PluginError::NoRollout(plugin.clone()))?;
            rollout.stopped = Some(reason.to_owned());
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

/// Locks, also after a panic: the guarded values are consistent after every line.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
