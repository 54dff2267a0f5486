//! Changes of configuration, taken through the pipeline of steps.
//!
//! Steps run while nothing is locked: the change is worked out over one revision, and written if that is still the
//! newest. If another change was written in between, everything is done again over the new revision. So steps may be
//! called about the same change more than once, and nothing of an attempt that lost is left behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::hex::hexadecimal;
use crate::domain::message::Stage;
use crate::domain::plugin::Skipped;
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{AnyItem, Effort, Kind};
use crate::pipeline;
use crate::pipeline::{Operation, Registration, StepFault};
use crate::store;
use crate::store::{Change, ChangeSet, Committed, NewEvent, OutboxEvent, Snapshot, Unasked};

use crate::service::{Error, Service};

/// The kind of a change, and where it came from.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct Origin<'a> {
    /// Whether an archive is imported.
    pub(in crate::service) is_import: bool,
    /// Whether nothing is written.
    pub(in crate::service) dry_run: bool,
    /// The event of the outbox whose proposal it is. The event ends when the change is written.
    pub(in crate::service) delivers: Option<&'a OutboxEvent>,
}

impl Service {
    /// Carries out `changes` as one revision by `author`, if every step agrees.
    pub fn commit(&self, changes: &ChangeSet, author: &Author) -> Result<Committed, Error> {
        let lost = |error: &Error| changes.base.is_none() && error.is_moved();
        self.store.racing(lost, || self.attempt(changes, author, Origin::default()))
    }

    /// Carries out `changes` over the newest revision. Refuses if another revision was written meanwhile.
    pub(in crate::service) fn attempt(
        &self,
        changes: &ChangeSet,
        author: &Author,
        origin: Origin<'_>,
    ) -> Result<Committed, Error> {
        let library = self.store.snapshot()?;
        if !origin.is_import {
            self.check_settings(changes, &library)?;
            self.check_kinds(changes, &library)?;
        }
        let handlers = self.handlers(&library)?;
        if let Some(refusal) = handlers.incomplete() {
            return Err(refusal.into());
        }
        if Operation::concerns_nobody(&*handlers) {
            let changes = ChangeSet { plugins_of: Some(library.revision()), ..changes.clone() };
            return self.write(changes, author, origin, &[], &[]);
        }
        let mut changes = ChangeSet { base: Some(changes.base.unwrap_or(library.revision())), ..changes.clone() };
        let mut operation = Operation {
            handlers: &*handlers,
            library: &library,
            id: fresh_id(),
            is_import: origin.is_import,
            author,
            shared: BTreeMap::new(),
            skipped: Vec::new(),
        };
        let (places, mut asked) = self.asked(&changes, &library)?;
        let patched = operation.run(Stage::PreValidation, &mut asked)?;
        for place in patched.keys() {
            take_over(&mut changes, places[*place], &asked[*place])?;
        }
        let asked_for = patched.into_values().next_back();
        let mut preview = self.store.preview(changes.clone(), author)?;
        let patched = operation.run(Stage::PreOperation, &mut preview.changes)?;
        for (place, step) in &patched {
            let change = &preview.changes[*place];
            let written = changes.changes.iter().rposition(|it| puts(it, change));
            let written = written.ok_or_else(|| {
                let (collection, name) = (&change.collection, &change.name);
                let fault = format!("it patches `{name}` of {collection}, which the change does not write itself");
                operation.refuse(step, Stage::PreOperation, StepFault::invalid(fault))
            })?;
            take_over(&mut changes, written, change)?;
        }
        if !origin.is_import
            && let Some(step) = asked_for.or(patched.values().next_back().cloned())
            && let Some((_, refused)) = self.settings_refused(&changes, &library)?.into_iter().next()
        {
            let fault = StepFault::invalid(refused.to_string());
            return Err(operation.refuse(&step, Stage::PreOperation, fault).into());
        }
        if let Some(step) = patched.values().next_back() {
            // The change was consistent before the steps patched it, so a problem now is a fault of the last step.
            let checked = self.store.preview(changes.clone(), author);
            preview = checked.map_err(|error| match error {
                store::Error::Moved { .. } | store::Error::Database(_) | store::Error::Full { .. } => {
                    Error::Store(error)
                }
                error => operation.refuse(step, Stage::PreOperation, StepFault::invalid(error.to_string())).into(),
            })?;
        }
        operation.run(Stage::PostOperation, &mut preview.changes)?;
        let events: Vec<NewEvent> = operation
            .afterwards(&preview.changes)
            .into_iter()
            // No plugin is called about a change that its own proposal led to: it knows what it proposed, and could go
            // on for ever.
            .filter(|(step, _)| !origin.delivers.is_some_and(|delivered| delivered.is_led_by(&step.plugin)))
            .map(|(step, event)| NewEvent {
                event: event.id.clone(),
                plugin: step.plugin,
                step: step.step,
                message: event.message.clone(),
                body: json!(event),
            })
            .collect();
        let mut skipped = std::mem::take(&mut operation.skipped);
        let committed = self.write(changes, author, origin, &events, handlers.registrations())?;
        skipped.extend(committed.skipped);
        Ok(Committed { skipped, ..committed })
    }

    fn write(
        &self,
        changes: ChangeSet,
        author: &Author,
        origin: Origin<'_>,
        events: &[NewEvent],
        steps: &[Registration],
    ) -> Result<Committed, Error> {
        if author.effort.is_given_up() {
            return Err(pipeline::Refusal::GivenUp.into());
        }
        if origin.dry_run {
            return Ok(self.store.rehearse(changes, author)?);
        }
        let (mut committed, unasked) = self.store.commit_with_events(changes, author, events, origin.delivers)?;
        if let Some(Unasked { plugin, step, code, message }) = unasked.first() {
            let (count, revision) = (unasked.len(), committed.revision);
            tracing::warn!(
                code,
                count,
                "step `{step}` of `{plugin}` is not asked about revision {revision}: {message}"
            );
        }
        let skipped = unasked.into_iter().map(|Unasked { plugin, step, code, message }| {
            let version = steps.iter().find(|it| it.plugin == plugin).map(|it| it.version.to_string());
            let plugin = format!("{plugin} {}", version.unwrap_or_default());
            Skipped { plugin, step, code: code.to_owned(), message }
        });
        committed.skipped.extend(skipped);
        Ok(committed)
    }

    /// Returns what `changes` ask for, before anything is checked: the place of each change among them, and its record.
    /// Changes that change nothing are left out.
    fn asked(&self, changes: &ChangeSet, library: &Snapshot) -> Result<(Vec<usize>, Vec<ChangeRecord>), Error> {
        let (mut places, mut asked) = (Vec::new(), Vec::new());
        for (place, change) in changes.changes.iter().enumerate() {
            let record = |collection: &str, name: &str, before, after| ChangeRecord {
                collection: collection.to_owned(),
                name: name.to_owned(),
                before,
                after,
            };
            let assignment = |profile: &str, login: &str| format!("{profile}/{login}");
            let asks = match change {
                Change::Put { name, item, .. } => {
                    let before = self.there(library, item.kind(), name)?;
                    record(item.kind().collection(), name, before, Some(item.to_json()))
                }
                Change::Delete { kind, name, .. } => {
                    record(kind.collection(), name, self.there(library, *kind, name)?, None)
                }
                Change::Assign { profile, login } => {
                    let name = assignment(profile.as_str(), login.as_str());
                    record(ChangeRecord::ASSIGNMENTS, &name, None, Some(json!({})))
                }
                Change::Unassign { profile, login } => {
                    let name = assignment(profile.as_str(), login.as_str());
                    record(ChangeRecord::ASSIGNMENTS, &name, Some(json!({})), None)
                }
            };
            if asks.before != asks.after {
                places.push(place);
                asked.push(asks);
            }
        }
        Ok((places, asked))
    }

    fn there(&self, library: &Snapshot, kind: Kind, name: &str) -> Result<Option<Value>, Error> {
        if kind == Kind::User {
            return Ok(self.store.user(name)?.map(|(user, _)| AnyItem::from(user).to_json()));
        }
        Ok(library.entry(kind, name).map(|entry| entry.item.to_json()))
    }
}

/// Returns whether `change` writes the item that `record` is about.
fn puts(change: &Change, record: &ChangeRecord) -> bool {
    matches!(change, Change::Put { name, item, .. }
        if item.kind().collection() == record.collection && **name == *record.name)
}

/// Makes the change at `place` write the item that steps made of it. The pipeline accepts nothing but an item.
fn take_over(changes: &mut ChangeSet, place: usize, made: &ChangeRecord) -> Result<(), store::Error> {
    if let Some(Change::Put { name, item, .. }) = changes.changes.get_mut(place) {
        let mut taken = AnyItem::parse(item.kind(), name, made.after.clone().unwrap_or_default())?;
        if let (AnyItem::Environment(taken), AnyItem::Environment(asked)) = (&mut taken, &*item) {
            taken.keep_own(asked);
        }
        *item = taken;
    }
    Ok(())
}

/// Returns a random name for an operation.
fn fresh_id() -> String {
    let mut bytes = [0; 16];
    // Names of events must differ within the outbox, which refuses a second of the same name.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "no randomness for the names of events");
    }
    hexadecimal(&bytes)
}

/// The configuration steps of a service without plugins: there are none.
pub(in crate::service) struct NoHandlers;

impl pipeline::Handlers for NoHandlers {
    fn registrations(&self) -> &[Registration] {
        &[]
    }

    fn execute(
        &self,
        _: &Registration,
        _: &pipeline::Event,
        _: &Arc<Snapshot>,
        _: &Arc<Effort>,
    ) -> Result<pipeline::Outcome, StepFault> {
        Err(StepFault::invalid("there is no step"))
    }

    fn report_invalid(&self, _: &Registration, _: &pipeline::Event, _: &StepFault) {}
}
