//! The outbox: asynchronous steps are asked, and what they propose is written.
//!
//! A question is put at least once. What a step proposes goes through the pipeline like any change, in the transaction that ends
//! the question; so it is written once, whatever breaks in between.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::access::AuditEvent;
use crate::domain::revision::Author;
use crate::domain::{AnyItem, Kind, merge_patch};
use crate::pipeline::{self, Event, Handlers, Outcome, Proposal, RegisteredStep, Registration, StepFault};
use crate::store::{self, Change, ChangeSet, EventState, Expect, OutboxEvent, is_gone, this_process};

use super::commit::Origin;
use super::{Error, IMPORT_ATTEMPTS, Service};

/// How often a question is put before somebody has to look.
const ATTEMPTS: u32 = 8;

/// How long whoever puts a question holds it while they live, in seconds: longer than a step may take.
const HELD: u32 = 60;

/// How long the first pause is, in seconds; each next one is twice as long.
const PAUSE: u32 = 2;

/// The longest pause, in seconds.
const LONGEST_PAUSE: u32 = 3_600;

/// Changes that lead to each other, at most.
const HOPS: u32 = 8;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// None was due.
    Nothing,
    /// It was answered.
    Answered,
    /// It will be put again, or is being put by somebody else.
    Postponed,
    /// It waits for an administrator.
    Died,
}

impl Service {
    /// Puts a question again now, with as many attempts as a new one has. Nothing if there is none.
    pub fn retry_question(&self, id: u64, now: Timestamp, author: &Author) -> Result<Option<OutboxEvent>, Error> {
        let Some(OutboxEvent { plugin, step, .. }) = self.store.event(id)? else { return Ok(None) };
        self.note(author, AuditEvent::QuestionRetried { question: id, plugin, step })?;
        Ok(self.store.retry_event(id, now)?)
    }

    /// Drops a question. Whether there was one.
    pub fn drop_question(&self, id: u64, author: &Author) -> Result<bool, Error> {
        let Some(OutboxEvent { plugin, step, .. }) = self.store.event(id)? else { return Ok(false) };
        self.note(author, AuditEvent::QuestionDropped { question: id, plugin, step })?;
        Ok(self.store.drop_event(id)?)
    }

    /// Puts the question that is due first, if there is one.
    pub fn deliver(&self, now: Timestamp) -> Result<Delivered, Error> {
        if !self.store.is_event_due(now, is_gone)? {
            return Ok(Delivered::Nothing);
        }
        let taken = self.store.take_event(now, HELD, &this_process(), is_gone)?;
        let Some(event) = taken else { return Ok(Delivered::Nothing) };
        if event.attempts > ATTEMPTS {
            return self.bury(&event, now);
        }
        let fault = match self.put(&event) {
            Ok(()) | Err(Error::Store(store::Error::EventDone { .. })) => return Ok(Delivered::Answered),
            Err(Error::Step(pipeline::Refusal::Fault { fault, .. })) => *fault,
            Err(error) if is_ours(&error) => return Err(error),
            // Whatever else refuses the change would refuse it again; still, somebody may mend it meanwhile.
            Err(error) => {
                StepFault { code: "outbox.refused".to_owned(), message: error.to_string(), retry_after: None }
            }
        };
        // Whoever was not asked did not fail.
        let was_asked = !matches!(fault.code.as_str(), "plugin.suspended" | "plugin.busy" | "plugin.not-ready");
        let given_up = was_asked && (event.attempts >= ATTEMPTS || fault.code == "outbox.loop");
        let (state, due) = if given_up {
            (EventState::Dead, now)
        } else {
            let pause = fault.retry_after.unwrap_or_else(|| pause(event.attempts)).min(LONGEST_PAUSE);
            (EventState::Pending, now + SignedDuration::from_secs(pause.into()))
        };
        let attempts = if was_asked { event.attempts } else { event.attempts.saturating_sub(1) };
        if !self.store.put_event_back(event.id, &this_process(), state, due, attempts, &fault.code, &fault.message)? {
            return Ok(Delivered::Postponed);
        }
        let OutboxEvent { plugin, step, .. } = &event;
        tracing::warn!(code = fault.code, given_up, "step `{step}` of `{plugin}` was not answered: {}", fault.message);
        Ok(if given_up { Delivered::Died } else { Delivered::Postponed })
    }

    /// Gives up a question that nobody ever came back from: it may be what ends the server.
    fn bury(&self, event: &OutboxEvent, now: Timestamp) -> Result<Delivered, Error> {
        let OutboxEvent { id, plugin, step, .. } = event;
        let reason = format!(
            "it was put {ATTEMPTS} times, and each time the server ended or its database failed before there was an answer: put it again when you know why"
        );
        let dead = EventState::Dead;
        if !self.store.put_event_back(*id, &this_process(), dead, now, ATTEMPTS, "outbox.interrupted", &reason)? {
            return Ok(Delivered::Postponed);
        }
        tracing::warn!(code = "outbox.interrupted", "step `{step}` of `{plugin}` was not answered: {reason}");
        Ok(Delivered::Died)
    }

    /// Asks the step and writes what it proposes.
    fn put(&self, event: &OutboxEvent) -> Result<(), Error> {
        let library = self.store.snapshot()?;
        let handlers = self.handlers(&library)?;
        let step = registered(&*handlers, event)?;
        let question: Event =
            serde_json::from_value(event.body.clone()).map_err(|error| store::Error::Corrupt(error.into()))?;
        let question = Event { attempt: event.attempts, ..question };
        let answer = handlers.execute(step, &question, &library);
        let proposal = match answer.map_err(|fault| pipeline::broke(step, fault))? {
            Outcome::Proceed(proposal) => proposal,
            Outcome::Reject(rejection) => {
                let message = format!("it rejects a change that is made: {}", rejection.message);
                return Err(broke(step, "plugin.rejected", message));
            }
        };
        if proposal.patches.is_empty() {
            return Ok(self.store.finish_event(event.id)?);
        }
        if event.hops >= HOPS {
            let message =
                format!("it proposes a change, and {HOPS} changes by steps led to this one: they go in circles");
            return Err(broke(step, "outbox.loop", message));
        }
        let why = format!("step `{}` after revision {}", event.step, event.revision);
        let author = Author::new(event.plugin.as_str(), why);
        let origin = Origin { hops: event.hops + 1, delivers: Some(event.id), ..Origin::default() };
        for _ in 1..IMPORT_ATTEMPTS {
            match self.attempt(&self.proposed(step, &question, &proposal)?, &author, origin) {
                Err(Error::Store(store::Error::Moved { .. } | store::Error::Stale { .. })) => {}
                done => return done.map(drop),
            }
        }
        self.attempt(&self.proposed(step, &question, &proposal)?, &author, origin).map(drop)
    }

    /// The change a proposal stands for, over what is there now. What is gone meanwhile is not made again.
    fn proposed(&self, step: &Registration, event: &Event, proposal: &Proposal) -> Result<ChangeSet, Error> {
        let library = self.store.snapshot()?;
        let mut changes = Vec::new();
        for (at, patch) in &proposal.patches {
            let unpatchable = |what: String| broke(step, "plugin.invalid-result", what);
            let target = event.targets.get(*at).ok_or_else(|| {
                unpatchable(format!("it patches target {at}, and there are {}, counted from 0", event.targets.len()))
            })?;
            let kind: Option<Kind> = target.kind.parse().ok().filter(|kind: &Kind| kind.is_portable());
            let (Some(kind), true) = (kind, patch.is_object()) else {
                let what = format!("it patches `{}` of {}, which no patch can change", target.name, target.kind);
                return Err(unpatchable(what));
            };
            let there: Option<(Value, Expect)> = match kind {
                Kind::User => self
                    .store
                    .user(&target.name)?
                    .map(|(user, revision)| (AnyItem::from(user).to_json(), Expect::Revision(revision))),
                kind => library
                    .entry(kind, &target.name)
                    .map(|entry| (entry.item.to_json(), Expect::Revision(entry.revision))),
            };
            let Some((mut json, expect)) = there else { continue };
            merge_patch::merge(&mut json, patch.clone());
            let item = AnyItem::parse(kind, &target.name, json)
                .map_err(|error| unpatchable(format!("its patch makes no valid item: {error}")))?;
            changes.push(Change::Put { name: target.name.as_str().into(), item, expect });
        }
        let mut changes = ChangeSet::new(changes);
        super::keep_plugin_settings(&mut changes, &library);
        Ok(changes)
    }
}

/// The step a question is for, as it is registered now.
fn registered<'a>(handlers: &'a dyn Handlers, event: &OutboxEvent) -> Result<&'a Registration, Error> {
    let known = handlers.registrations().iter();
    let step = known.into_iter().find(|step| step.plugin == event.plugin && step.step == event.step);
    let missing = || {
        let message = format!("plugin `{}` has no step `{}` now, or is switched off", event.plugin, event.step);
        let fault = StepFault { code: "outbox.no-step".to_owned(), message, retry_after: None };
        let (plugin, step) = (event.plugin.clone(), event.step.clone());
        let by = Box::new(RegisteredStep { plugin, version: String::new(), step });
        Error::Step(pipeline::Refusal::Fault { by, fault: Box::new(fault) })
    };
    step.ok_or_else(missing)
}

fn broke(step: &Registration, code: &str, message: String) -> Error {
    pipeline::broke(step, StepFault { code: code.to_owned(), message, retry_after: None }).into()
}

/// Whether an error is no answer at all.
fn is_ours(error: &Error) -> bool {
    matches!(error, Error::Store(store::Error::Database(_) | store::Error::Corrupt(_) | store::Error::Folder { .. }))
}

/// The pause after so many attempts, in seconds.
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
            hops: 0,
        };
        let changes = ChangeSet::new([Change::put("desk".to_owned(), queue)]);
        service.store.commit_with_events(changes, &Author::new("ada", "a test"), &[question], None).unwrap();
        let now = Timestamp::now();
        for _ in 0..ATTEMPTS {
            assert!(service.store.take_event(now, HELD, "a server that ended", |_| true).unwrap().is_some());
        }
        assert_eq!(service.deliver(now).unwrap(), Delivered::Nothing, "somebody may be at it");
        let later = now + SignedDuration::from_secs(HELD.into());
        assert_eq!(service.deliver(later).unwrap(), Delivered::Died);
        let events = service.store.events(None, 0, 2).unwrap();
        let shown: Vec<_> = events.iter().map(|it| (it.state, it.attempts, it.code.as_deref())).collect();
        assert_eq!(shown, [(EventState::Dead, ATTEMPTS, Some("outbox.interrupted"))]);
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<u32> = (1..=5).map(pause).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32]);
        assert!(pause(u32::MAX) > LONGEST_PAUSE);
    }
}
