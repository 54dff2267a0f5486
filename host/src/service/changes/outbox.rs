//! The outbox: dispatches events to asynchronous steps, and writes the changes that the steps propose.
//!
//! An event is dispatched at least once. A proposed change goes through the pipeline like any change, in the
//! transaction that ends the event, so it is written once, whatever breaks in between.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::access::AuditEvent;
use crate::domain::revision::Author;
use crate::domain::{AnyItem, Item, Kind, Plugin, merge_patch};
use crate::pipeline;
use crate::pipeline::{Event, Handlers, Outcome, Proposal, Registration, StepFault};
use crate::store;
use crate::store::{Change, ChangeSet, EventState, Expect, OutboxEvent, Snapshot, is_gone, this_process};

use super::commit::Origin;
use crate::service::{Error, Service};

/// Attempts to dispatch an event before it is dead and waits for an administrator.
const ATTEMPTS: u32 = 8;

/// How long this process leases an event that it dispatches, in seconds: longer than a step may take. Another process
/// takes the event earlier only if this one no longer exists.
const HELD: u32 = 60;

/// The pause after the first attempt, in seconds; each next one is twice as long.
const PAUSE: u32 = 2;

/// The longest pause, in seconds.
const LONGEST_PAUSE: u32 = 3_600;

/// How long an event waits whose step cannot be called for now, in seconds.
const PAUSE_WHILE_OFF: u32 = 30;

/// The fault code of an event whose proposed change is refused.
const REFUSED: &str = "outbox.refused";

/// The fault code of an event whose plugin has no step of the name, or is not there.
const NO_STEP: &str = "outbox.no-step";

/// Most changes that may lead to each other through proposals of steps.
const HOPS: u32 = 8;

/// The outcome of [`Service::deliver`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// No event was due.
    Nothing,
    /// The step answered, or the event was ended meanwhile.
    Answered,
    /// The event will be dispatched again, or another process has taken it.
    Postponed,
    /// The event is dead: it waits for an administrator.
    Died,
}

/// Why an event has no answer.
#[derive(Debug)]
enum Unanswered {
    /// The step was not called, or nothing can be written for now. This does not count as an attempt.
    Waits(StepFault),
    /// The step was called and broke, its proposal is not written, or there is no such step. This counts as an attempt.
    Broke(StepFault),
    /// The event was ended meanwhile, by another process or an administrator.
    Ended,
    /// The store failed.
    Lost(Error),
}

impl Unanswered {
    fn broke(code: &str, message: String) -> Self {
        Self::Broke(StepFault { code: code.to_owned(), message, retry_after: None })
    }

    /// Sorts a fault of the step itself: it waits if the host did not call the step, and counts as an attempt
    /// otherwise.
    fn by_itself(fault: StepFault) -> Self {
        match fault.code.as_str() {
            "plugin.suspended" | "plugin.busy" | "plugin.not-ready" => Self::Waits(fault),
            _ => Self::Broke(fault),
        }
    }
}

impl From<store::Error> for Unanswered {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::EventDone { .. } => Self::Ended,
            store::Error::Database(_) | store::Error::Corrupt(_) | store::Error::Folder { .. } => {
                Self::Lost(error.into())
            }
            // The same change would be refused again, unless an administrator mends the cause meanwhile.
            error => Self::broke(REFUSED, error.to_string()),
        }
    }
}

impl From<pipeline::Refusal> for Unanswered {
    fn from(refusal: pipeline::Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            pipeline::Refusal::Unknown { .. } => {
                let (code, retry_after) = ("plugin.not-ready".to_owned(), Some(PAUSE_WHILE_OFF));
                Self::Waits(StepFault { code, message, retry_after })
            }
            // The step that failed here is not the one that proposed the change.
            pipeline::Refusal::Fault { .. } => Self::broke(REFUSED, message),
            pipeline::Refusal::GivenUp => {
                Self::Waits(StepFault { code: "plugin.busy".to_owned(), message, retry_after: None })
            }
            pipeline::Refusal::Rejected { by, .. } => Self::broke(REFUSED, format!("{by} does not agree: {message}")),
        }
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Step(refusal) => refusal.into(),
            error => Self::broke(REFUSED, error.to_string()),
        }
    }
}

impl Service {
    /// Makes an event due at `now`, with as many attempts as a new one has. Returns nothing if there is no such event.
    pub fn retry_question(&self, id: u64, now: Timestamp, author: &Author) -> Result<Option<OutboxEvent>, Error> {
        let Some(OutboxEvent { plugin, step, .. }) = self.store.event(id)? else { return Ok(None) };
        self.note(author, AuditEvent::QuestionRetried { question: id, plugin, step })?;
        Ok(self.store.retry_event(id, now)?)
    }

    /// Deletes an event. Returns whether there was one.
    pub fn drop_question(&self, id: u64, author: &Author) -> Result<bool, Error> {
        let Some(OutboxEvent { plugin, step, .. }) = self.store.event(id)? else { return Ok(false) };
        self.note(author, AuditEvent::QuestionDropped { question: id, plugin, step })?;
        Ok(self.store.drop_event(id)?)
    }

    /// Deletes every event of a plugin. Returns how many there were.
    pub fn drop_questions_of(&self, plugin: &str, author: &Author) -> Result<u64, Error> {
        self.note(author, AuditEvent::QuestionsDropped { plugin: plugin.to_owned() })?;
        Ok(self.store.drop_events_of(plugin)?)
    }

    /// Dispatches one event that is due, if there is one.
    pub fn deliver(&self, now: Timestamp) -> Result<Delivered, Error> {
        if !self.store.is_event_due(now, is_gone)? {
            return Ok(Delivered::Nothing);
        }
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.store.take_event(now, HELD, &this_process(), &served, is_gone)?;
        let Some(event) = taken else { return Ok(Delivered::Nothing) };
        served.clone_from(&event.plugin);
        drop(served);
        if event.attempts > ATTEMPTS {
            return self.bury(&event, now);
        }
        let (fault, was_asked) = match self.put(&event) {
            Ok(()) | Err(Unanswered::Ended) => return Ok(Delivered::Answered),
            Err(Unanswered::Lost(error)) => return Err(error),
            // A step that was not called did not fail: no attempt is counted.
            Err(Unanswered::Waits(fault)) => (fault, false),
            Err(Unanswered::Broke(fault)) => (fault, true),
        };
        let given_up = was_asked && (event.attempts >= ATTEMPTS || is_final(&fault));
        let (state, due) = if given_up {
            (EventState::Dead, now)
        } else {
            let pause = fault.retry_after.unwrap_or_else(|| pause(event.attempts)).min(LONGEST_PAUSE);
            (EventState::Pending, now + SignedDuration::from_secs(pause.into()))
        };
        let attempts = if was_asked { event.attempts } else { event.attempts.saturating_sub(1) };
        if !self.store.put_event_back(&event, &this_process(), state, due, attempts, &fault.code, &fault.message)? {
            return Ok(Delivered::Postponed);
        }
        let OutboxEvent { plugin, step, .. } = &event;
        if was_asked || event.code.as_ref() != Some(&fault.code) {
            tracing::warn!(
                code = fault.code,
                given_up,
                "step `{step}` of `{plugin}` was not answered: {}",
                fault.message
            );
        }
        Ok(if given_up { Delivered::Died } else { Delivered::Postponed })
    }

    /// Marks an event dead that never came back from its attempts: dispatching it may be what ends the server.
    fn bury(&self, event: &OutboxEvent, now: Timestamp) -> Result<Delivered, Error> {
        let OutboxEvent { plugin, step, .. } = event;
        let reason = format!(
            "it was dispatched {ATTEMPTS} times, and each time the server ended or its database failed before there was an answer: retry it when you know why"
        );
        let dead = EventState::Dead;
        if !self.store.put_event_back(event, &this_process(), dead, now, ATTEMPTS, "outbox.interrupted", &reason)? {
            return Ok(Delivered::Postponed);
        }
        tracing::warn!(code = "outbox.interrupted", "step `{step}` of `{plugin}` was not answered: {reason}");
        Ok(Delivered::Died)
    }

    /// Calls the step of an event, and writes the change that it proposes.
    fn put(&self, event: &OutboxEvent) -> Result<(), Unanswered> {
        let library = self.store.snapshot()?;
        let handlers = self.handlers(&library)?;
        if let Some(refusal) = handlers.incomplete() {
            return Err(refusal.into());
        }
        let step = registered(&*handlers, &library, event)?;
        let question: Event =
            serde_json::from_value(event.body.clone()).map_err(|error| store::Error::Corrupt(error.into()))?;
        let question = Event { attempt: event.attempts, ..question };
        let proposal = match handlers.execute(step, &question, &library, &Arc::default()) {
            Ok(Outcome::Proceed(proposal)) => proposal,
            Ok(Outcome::Reject(rejection)) => {
                let message = format!("it rejects a change that is made: {}", rejection.message);
                return Err(Unanswered::broke("plugin.rejected", message));
            }
            Err(fault) => return Err(Unanswered::by_itself(fault)),
        };
        if proposal.patches.is_empty() {
            self.store.finish_event(event.id)?;
            return Ok(());
        }
        if event.hops >= HOPS {
            let message =
                format!("it proposes a change, and {HOPS} changes by steps led to this one: they go in circles");
            return Err(Unanswered::broke("outbox.loop", message));
        }
        let why = format!("step `{}` after revision {}", event.step, event.revision);
        let author = Author::new(event.plugin.as_str(), why);
        let origin = Origin { delivers: Some(event), ..Origin::default() };
        let lost = Cell::new(false);
        self.store.racing(
            |_| lost.take(),
            || {
                let made = self.attempt(&self.proposed(&question, &proposal)?, &author, origin);
                lost.set(matches!(made, Err(Error::Store(store::Error::Moved { .. } | store::Error::Stale { .. }))));
                Ok(made.map(drop)?)
            },
        )
    }

    /// Returns the change that a proposal stands for, over the newest revision. Patches of one item add up, as they do
    /// in a change. An item that was deleted meanwhile is not created again.
    fn proposed(&self, event: &Event, proposal: &Proposal) -> Result<ChangeSet, Unanswered> {
        let library = self.store.snapshot()?;
        let mut outcomes: BTreeMap<(Kind, &str), (Value, Expect)> = BTreeMap::new();
        for (at, patch) in &proposal.patches {
            let unpatchable = |what: String| Unanswered::broke("plugin.invalid-result", what);
            let target = event.targets.get(*at).ok_or_else(|| {
                unpatchable(format!("it patches target {at}, and there are {}, counted from 0", event.targets.len()))
            })?;
            let kind: Option<Kind> = target.kind.parse().ok().filter(|kind: &Kind| kind.is_portable());
            let (Some(kind), true) = (kind, patch.is_object()) else {
                let what = format!("it patches `{}` of {}, which no patch can change", target.name, target.kind);
                return Err(unpatchable(what));
            };
            let (json, _) = match outcomes.entry((kind, &target.name)) {
                Entry::Occupied(patched) => patched.into_mut(),
                Entry::Vacant(place) => match self.stored(&library, kind, &target.name)? {
                    Some(stored) => place.insert(stored),
                    None => continue,
                },
            };
            merge_patch::merge(json, patch.clone());
        }
        let mut changes = Vec::new();
        for ((kind, name), (json, expect)) in outcomes {
            let item = AnyItem::parse(kind, name, json).map_err(|error| {
                Unanswered::broke("plugin.invalid-result", format!("what it makes of `{name}` is not valid: {error}"))
            })?;
            changes.push(Change::Put { name: name.into(), item, expect });
        }
        let mut changes = ChangeSet::new(changes);
        crate::service::keep_own_settings(&mut changes, &library);
        Ok(changes)
    }

    /// Returns an item as it is now, with the revision that a change of it must be over.
    fn stored(&self, library: &Snapshot, kind: Kind, name: &str) -> Result<Option<(Value, Expect)>, store::Error> {
        if kind == Kind::User {
            let user = self.store.user(name)?;
            return Ok(user.map(|(user, revision)| (AnyItem::from(user).to_json(), Expect::Revision(revision))));
        }
        let entry = library.entry(kind, name);
        Ok(entry.map(|entry| (entry.item.to_json(), Expect::Revision(entry.revision))))
    }
}

/// Returns the step an event is for, as it is registered now.
fn registered<'a>(
    handlers: &'a dyn Handlers,
    library: &Snapshot,
    event: &OutboxEvent,
) -> Result<&'a Registration, Unanswered> {
    let OutboxEvent { plugin, step: name, .. } = event;
    let off = |what: String| {
        let message = format!("{what} is switched off: it is asked when it is on again");
        let fault = StepFault { code: "outbox.switched-off".to_owned(), message, retry_after: Some(PAUSE_WHILE_OFF) };
        Err(Unanswered::Waits(fault))
    };
    match handlers.registrations().iter().find(|step| step.plugin == *plugin && step.step == *name) {
        Some(step) if step.active => Ok(step),
        Some(_) => off(format!("step `{name}` of plugin `{plugin}`")),
        None => {
            let item = library.entry(Kind::Plugin, plugin).and_then(|entry| Plugin::from_any(&entry.item));
            if item.is_some_and(|item| item.serving().is_none()) {
                return off(format!("plugin `{plugin}`"));
            }
            Err(Unanswered::broke(NO_STEP, format!("plugin `{plugin}` has no step `{name}` now")))
        }
    }
}

/// Returns whether trying again would not help: the proposal goes in circles, or the plugin has no such step any more.
fn is_final(fault: &StepFault) -> bool {
    matches!(fault.code.as_str(), "outbox.loop" | NO_STEP)
}

/// Returns the pause after so many attempts, in seconds.
fn pause(attempts: u32) -> u32 {
    PAUSE.saturating_mul(1 << attempts.clamp(1, 16).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::resolve::{Evaluation, Reads, ToolRules};
    use crate::store::{NewEvent, Store};

    use super::*;

    struct NoRules;

    impl ToolRules for NoRules {
        fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
            None
        }

        fn fingerprint(&self) -> String {
            "none".to_owned()
        }

        fn has_rule(&self, _: &str) -> bool {
            false
        }

        fn absent(&self, _: &str) -> &[crate::resolve::Absent] {
            &[]
        }
    }

    #[test]
    fn a_question_that_goes_on_ending_servers_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::new(Store::open(folder.path()).unwrap(), Arc::new(NoRules));
        let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": "Desk"})).unwrap();
        let question = NewEvent {
            event: "question".to_owned(),
            plugin: "contoso/stamp".to_owned(),
            step: "later".to_owned(),
            message: "queue.create".to_owned(),
            body: json!({}),
        };
        let changes = ChangeSet::new([Change::put("desk".to_owned(), queue)]);
        service.store.commit_with_events(changes, &Author::new("ada", "a test"), &[question], None).unwrap();
        let now = Timestamp::now();
        for _ in 0..ATTEMPTS {
            assert!(service.store.take_event(now, HELD, "a server that ended", "", |_| true).unwrap().is_some());
        }
        assert_eq!(service.deliver(now).unwrap(), Delivered::Nothing, "another process may still dispatch it");
        let later = now + SignedDuration::from_secs(HELD.into());
        assert_eq!(service.deliver(later).unwrap(), Delivered::Died);
        let events = service.store.events(None, 0, 2).unwrap();
        let shown: Vec<_> = events.iter().map(|it| (it.state, it.attempts, it.code.as_deref())).collect();
        assert_eq!(shown, [(EventState::Dead, ATTEMPTS, Some("outbox.interrupted"))]);
    }

    #[test]
    fn what_others_do_to_a_proposal_is_not_put_on_the_step_that_was_asked() {
        use pipeline::{Refusal, RegisteredStep, Rejection};

        let fault = |code: &str| StepFault { code: code.to_owned(), message: "boom".to_owned(), retry_after: Some(1) };
        let by = || Box::new(RegisteredStep { plugin: "a/b".into(), version: "1.0.0".into(), step: "guard".into() });
        let broke = |code| Refusal::Fault { by: by(), fault: Box::new(fault(code)) };
        let rejection = Rejection { code: "no".into(), message: "Not now.".into(), attribute: String::new() };
        let unknown = Refusal::Unknown { plugin: "a/b".into(), version: "1.0.0".into(), reason: "it is gone".into() };
        let outcomes = [
            Unanswered::by_itself(fault("plugin.timeout")),
            Unanswered::by_itself(fault("plugin.suspended")),
            broke("plugin.timeout").into(),
            broke("plugin.suspended").into(),
            Refusal::Rejected { by: by(), rejection: Box::new(rejection) }.into(),
            unknown.into(),
            store::Error::EventDone { id: 1 }.into(),
        ];
        let shown = outcomes.map(|outcome| match outcome {
            Unanswered::Waits(StepFault { code, message, .. }) => format!("waits: {code}, {message}"),
            Unanswered::Broke(StepFault { code, message, .. }) => format!("broke: {code}, {message}"),
            other => format!("{other:?}"),
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        broke: plugin.timeout, boom
        waits: plugin.suspended, boom
        broke: outbox.refused, step `guard` of plugin `a/b` 1.0.0 broke, and nothing is written without it: boom
        broke: outbox.refused, step `guard` of plugin `a/b` 1.0.0 broke, and nothing is written without it: boom
        broke: outbox.refused, step `guard` of plugin `a/b` 1.0.0 does not agree: Not now.
        waits: plugin.not-ready, nothing is written while the host cannot list the steps of plugin `a/b` 1.0.0: it is gone; install it again, activate another version, or switch it off
        Ended
        ");
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<u32> = (1..=5).map(pause).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32]);
        assert!(pause(u32::MAX) > LONGEST_PAUSE);
    }
}
