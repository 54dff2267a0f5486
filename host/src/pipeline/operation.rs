//! One operation: calls the steps of each stage with the operation's changes and applies their answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::message::{Message, Stage};
use crate::domain::plugin::Skipped;
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{AnyItem, FaultPolicy, Kind, merge_patch};
use crate::store::Snapshot;

use super::filter::Difference;
use super::{Event, Handlers, Mode, Outcome, Proposal, Registration, Rejection, StepFault, Target};

/// Most targets of one event. More changes are split into several events.
const TARGETS_MAX: usize = 500;

/// Most bytes of the shared values of one operation, keys included.
const SHARED_MAX: usize = 256 << 10;

/// One operation on configuration.
pub struct Operation<'a> {
    /// The steps to call.
    pub handlers: &'a dyn Handlers,
    /// The configuration before the change.
    pub library: &'a Arc<Snapshot>,
    /// The id of the operation; the ids of its events begin with it.
    pub id: String,
    /// Whether the change is an import.
    pub is_import: bool,
    /// The author of the change, with the reason.
    pub author: &'a Author,
    /// The values that steps leave for later steps, as JSON by key.
    pub shared: BTreeMap<String, String>,
    /// Steps that broke and were skipped.
    pub skipped: Vec<Skipped>,
}

/// Why a change does not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A step rejected the change.
    #[error("{}", rejection.message)]
    Rejected {
        /// The step.
        by: Box<RegisteredStep>,
        /// The rejection.
        rejection: Box<Rejection>,
    },
    /// A step broke, and the change must not happen without it.
    #[error("{by} broke, and nothing is written without it: {}", fault.message)]
    Fault {
        /// The step.
        by: Box<RegisteredStep>,
        /// The fault.
        fault: Box<StepFault>,
    },
    /// The caller gave up the request while steps were being called.
    #[error("the request was given up before all steps were asked, and nothing was written: send it again")]
    GivenUp,
    /// The host cannot list the steps of a plugin, and one of them might reject the change.
    #[error(
        "nothing is written while the host cannot list the steps of plugin `{plugin}` {version}: {reason}; install it again, activate another version, or switch it off"
    )]
    Unknown {
        /// The plugin, as `publisher/name`.
        plugin: String,
        /// Its version.
        version: String,
        /// Why the host cannot list them.
        reason: String,
    },
}

/// A step of a version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredStep {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version; empty if the version is not known.
    pub version: String,
    /// The step.
    pub step: String,
}

impl fmt::Display for RegisteredStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, version, step } = self;
        write!(f, "step `{step}` of plugin `{plugin}` {version}")
    }
}

impl Operation<'_> {
    /// Tells whether no step is active, so that none is called about any change.
    pub fn concerns_nobody(handlers: &dyn Handlers) -> bool {
        !handlers.registrations().iter().any(|step| step.active)
    }

    /// Calls the synchronous steps of `stage` with `changes`, in order, and applies their patches to `changes`. Returns
    /// the places of the patched changes, each with the step that patched it last.
    pub fn run(
        &mut self,
        stage: Stage,
        changes: &mut [ChangeRecord],
    ) -> Result<BTreeMap<usize, Registration>, Refusal> {
        let mut differences: Vec<Difference> = changes.iter().cloned().map(Difference::of).collect();
        let mut patched = BTreeMap::new();
        let handlers = self.handlers;
        let asked = |step: &&Registration| step.active && step.stage == stage && step.mode == Mode::Sync;
        for step in handlers.registrations().iter().filter(asked) {
            let concerned = concerned(step, &differences, self.is_import);
            for (batch, places) in concerned.chunks(TARGETS_MAX).enumerate() {
                let targets = places.iter().map(|place| differences[*place].target(step)).collect();
                let event = self.event(step, batch, targets);
                if self.author.effort.is_given_up() {
                    return Err(Refusal::GivenUp);
                }
                let answer = handlers.execute(step, &event, self.library, &self.author.effort);
                let proposed = match answer {
                    Ok(Outcome::Reject(rejection)) => return Err(rejected(step, rejection)),
                    Ok(Outcome::Proceed(proposal)) => {
                        let believed = self.believe(stage, proposal, places, &differences);
                        believed.inspect_err(|fault| handlers.report_invalid(step, &event, fault))
                    }
                    Err(fault) => Err(fault),
                };
                let outcomes = match proposed {
                    Ok(outcomes) => outcomes,
                    Err(fault) => {
                        self.pass_over(step, fault)?;
                        continue;
                    }
                };
                for (place, after) in outcomes {
                    let record = ChangeRecord { after: Some(after), ..differences[place].record.clone() };
                    differences[place] = Difference::of(record);
                    patched.insert(place, step.clone());
                }
            }
        }
        for place in patched.keys() {
            changes[*place] = differences[*place].record.clone();
        }
        Ok(patched)
    }

    /// Returns the events that asynchronous steps are to be called with for `changes`, each with its step.
    pub fn afterwards(&self, changes: &[ChangeRecord]) -> Vec<(Registration, Event)> {
        let differences: Vec<Difference> = changes.iter().cloned().map(Difference::of).collect();
        let asked = |step: &&Registration| step.active && step.mode == Mode::Async;
        let mut events = Vec::new();
        for step in self.handlers.registrations().iter().filter(asked) {
            let concerned = concerned(step, &differences, self.is_import);
            for (batch, places) in concerned.chunks(TARGETS_MAX).enumerate() {
                let targets = places.iter().map(|place| differences[*place].target(step)).collect();
                events.push((step.clone(), self.event(step, batch, targets)));
            }
        }
        events
    }

    /// Refuses the change because the result of `step` in `stage` is invalid, and records the fault.
    pub fn refuse(&self, step: &Registration, stage: Stage, fault: StepFault) -> Refusal {
        let event = Event { stage: stage.into(), ..self.event(step, 0, Vec::new()) };
        self.handlers.report_invalid(step, &event, &fault);
        broke(step, fault)
    }

    fn event(&self, step: &Registration, batch: usize, targets: Vec<Target>) -> Event {
        let properties = [(Event::AUTHOR, &self.author.who), (Event::REASON, &self.author.why)];
        Event {
            id: format!("{}/{}/{}/{batch}", self.id, step.plugin, step.step),
            message: step.message.to_string(),
            stage: step.stage.into(),
            attempt: 1,
            targets,
            shared: self.shared.clone(),
            properties: properties.map(|(name, value)| (name.to_owned(), value.clone())).into(),
            request: self.author.request.clone(),
        }
    }

    /// Checks a proposal and returns its targets with their patches applied. Takes over the shared values that it
    /// leaves.
    fn believe(
        &mut self,
        stage: Stage,
        proposal: Proposal,
        places: &[usize],
        differences: &[Difference],
    ) -> Result<Vec<(usize, Value)>, StepFault> {
        let mut outcomes: BTreeMap<usize, Value> = BTreeMap::new();
        proposal.check(stage == Stage::PostOperation, places.len())?;
        for (target, patch) in proposal.patches {
            let place = places[target];
            let record = &differences[place].record;
            let after = outcomes.entry(place).or_insert_with(|| record.after.clone().unwrap_or_default());
            if !patch.is_object() || !after.is_object() || !is_written_whole(&record.collection) {
                let (collection, name) = (&record.collection, &record.name);
                return Err(StepFault::invalid(format!(
                    "it patches `{name}` of {collection}, which no patch can change"
                )));
            }
            merge_patch::merge(after, patch);
        }
        for (place, after) in &outcomes {
            let record = &differences[*place].record;
            let kind: Option<Kind> = record.collection.parse().ok();
            if let Some(Err(error)) = kind.map(|kind| AnyItem::parse(kind, &record.name, after.clone())) {
                return Err(StepFault::invalid(format!("what it makes of `{}` is not valid: {error}", record.name)));
            }
        }
        let mut shared = self.shared.clone();
        for (key, value) in proposal.shared {
            shared.insert(key, value);
        }
        let size: usize = shared.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > SHARED_MAX {
            let most = SHARED_MAX >> 10;
            return Err(StepFault::invalid(format!(
                "the shared values of the steps have {size} bytes; {most} KiB are the most"
            )));
        }
        self.shared = shared;
        Ok(outcomes.into_iter().collect())
    }

    /// Skips a step that broke, or refuses the change if the step's fault policy is to abort.
    fn pass_over(&mut self, step: &Registration, fault: StepFault) -> Result<(), Refusal> {
        match step.on_fault {
            FaultPolicy::Abort => Err(broke(step, fault)),
            FaultPolicy::Skip | FaultPolicy::UseDefault | FaultPolicy::UseLastGood => {
                let plugin = format!("{} {}", step.plugin, step.version);
                let StepFault { code, message, .. } = fault;
                self.skipped.push(Skipped { plugin, step: step.step.clone(), code, message });
                Ok(())
            }
        }
    }
}

/// Refuses the change because `step` rejected it.
fn rejected(step: &Registration, rejection: Rejection) -> Refusal {
    Refusal::Rejected { by: Box::new(named(step)), rejection: Box::new(rejection) }
}

/// Refuses the change because `step` broke.
fn broke(step: &Registration, fault: StepFault) -> Refusal {
    Refusal::Fault { by: Box::new(named(step)), fault: Box::new(fault) }
}

fn named(step: &Registration) -> RegisteredStep {
    let Registration { plugin, version, step, .. } = step;
    RegisteredStep { plugin: plugin.clone(), version: version.to_string(), step: step.clone() }
}

/// Tells whether items of a collection are written whole, so that a patch can change what is written.
fn is_written_whole(collection: &str) -> bool {
    collection.parse::<Kind>().is_ok_and(Kind::is_portable)
}

/// Returns the places of the changes that `step` is called with.
fn concerned(step: &Registration, differences: &[Difference], is_import: bool) -> Vec<usize> {
    let concerns = |(_, difference): &(usize, &Difference)| {
        let message = Message::of(&difference.record);
        let asked = match step.message {
            Message::Import => is_import && message.is_some(),
            wanted => message == Some(wanted),
        };
        asked && difference.concerns(&step.filter)
    };
    let found: BTreeSet<usize> = differences.iter().enumerate().filter(concerns).map(|(place, _)| place).collect();
    found.into_iter().collect()
}
