//! The pipeline over a table of steps that are functions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::domain::message::Stage;
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{CallLimits, FaultPolicy, PluginVersion};
use crate::store::Snapshot;

use super::*;

type Answer = fn(&Event) -> Result<Outcome, StepFault>;

/// Steps that are functions, and a record of their calls.
struct Table {
    registrations: Vec<Registration>,
    answers: BTreeMap<String, Answer>,
    asked: Mutex<Vec<String>>,
}

impl Handlers for Table {
    fn registrations(&self) -> &[Registration] {
        &self.registrations
    }

    fn execute(
        &self,
        step: &Registration,
        event: &Event,
        _: &Arc<Snapshot>,
        _: &Arc<Effort>,
    ) -> Result<Outcome, StepFault> {
        let targets: Vec<&str> = event.targets.iter().map(|target| target.name.as_str()).collect();
        self.asked.lock().unwrap().push(format!("{} {} {}", event.stage, step.step, targets.join(",")));
        self.answers[&step.step](event)
    }

    fn report_invalid(&self, step: &Registration, _: &Event, fault: &StepFault) {
        self.asked.lock().unwrap().push(format!("{} is not believed: {}", step.step, fault.code));
    }
}

fn proceed(_: &Event) -> Result<Outcome, StepFault> {
    Ok(Outcome::Proceed(Proposal::default()))
}

fn step(name: &str, message: &str, stage: u32, rank: i32) -> Registration {
    Registration {
        plugin: "contoso/desk".to_owned(),
        version: PluginVersion { major: 1, minor: 0, patch: 0 },
        digest: String::new(),
        step: name.to_owned(),
        message: message.parse().unwrap(),
        stage: Stage::try_from(stage).unwrap(),
        mode: Mode::Sync,
        rank,
        filter: Vec::new(),
        images: Vec::new(),
        on_fault: FaultPolicy::Abort,
        configuration: "{}".to_owned(),
        limits: CallLimits::default(),
        problem: None,
        active: true,
    }
}

fn table(steps: Vec<(Registration, Answer)>) -> Table {
    let answers = steps.iter().map(|(step, answer)| (step.step.clone(), *answer)).collect();
    let mut registrations: Vec<Registration> = steps.into_iter().map(|(step, _)| step).collect();
    registrations.sort_by(Registration::order);
    Table { registrations, answers, asked: Mutex::default() }
}

fn update(name: &str, before: Value, after: Value) -> ChangeRecord {
    let (before, after) = (Some(before), Some(after));
    ChangeRecord { collection: "profiles".to_owned(), name: name.to_owned(), before, after }
}

fn with<T>(table: &Table, is_import: bool, work: impl FnOnce(&mut Operation<'_>) -> T) -> T {
    let author = Author::new("ada", "because");
    let library = Arc::new(Snapshot::default());
    let mut operation = Operation {
        handlers: table,
        library: &library,
        id: "e1".to_owned(),
        is_import,
        author: &author,
        shared: BTreeMap::new(),
        skipped: Vec::new(),
    };
    work(&mut operation)
}

#[test]
fn steps_are_asked_by_rank_then_name_and_only_about_what_concerns_them() {
    let mut filtered = step("filtered", "profile.update", 20, 0);
    filtered.filter = vec!["rank".to_owned()];
    let mut off = step("off", "profile.update", 20, 0);
    off.active = false;
    let table = table(vec![
        (step("b", "profile.update", 20, 5), proceed),
        (step("a", "profile.update", 20, 5), proceed),
        (step("first", "profile.update", 20, -1), proceed),
        (step("other-stage", "profile.update", 10, 0), proceed),
        (step("other-message", "profile.create", 20, 0), proceed),
        (step("import", "config.import", 20, 9), proceed),
        (filtered, proceed),
        (off, proceed),
    ]);
    let mut changes = [update("x", json!({"name": 1}), json!({"name": 2})), update("y", json!({}), json!({"rank": 1}))];
    with(&table, false, |operation| operation.run(Stage::PreOperation, &mut changes)).unwrap();
    let asked = std::mem::take(&mut *table.asked.lock().unwrap());
    assert_eq!(asked, ["20 first x,y", "20 filtered y", "20 a x,y", "20 b x,y"]);
    with(&table, true, |operation| operation.run(Stage::PreOperation, &mut changes)).unwrap();
    assert_eq!(table.asked.lock().unwrap().last().map(String::as_str), Some("20 import x,y"));
}

#[test]
fn a_step_sees_what_the_ones_before_it_patched_and_left() {
    let table = table(vec![
        (step("one", "profile.update", 20, 1), |event| {
            assert_eq!(event.targets[1].values, r#"{"name":"Y"}"#);
            let patches = vec![(1, json!({"name": "Z", "description": "new"}))];
            let shared = vec![("seen".to_owned(), "[1]".to_owned())];
            Ok(Outcome::Proceed(Proposal { patches, shared }))
        }),
        (step("two", "profile.update", 20, 2), |event| {
            assert_eq!(event.targets[1].changed, ["description", "name"]);
            assert_eq!(event.shared["seen"], "[1]");
            Ok(Outcome::Proceed(Proposal { patches: vec![(1, json!({"description": null}))], shared: Vec::new() }))
        }),
    ]);
    let mut changes =
        [update("x", json!({}), json!({"a": 1})), update("y", json!({"name": "X"}), json!({"name": "Y"}))];
    let patched = with(&table, false, |operation| operation.run(Stage::PreOperation, &mut changes)).unwrap();
    assert_eq!(
        patched.into_iter().map(|(place, step)| (place, step.step)).collect::<Vec<_>>(),
        [(1, "two".to_owned())]
    );
    assert_eq!(changes[1].after, Some(json!({"name": "Z"})));
    assert_eq!(changes[0].after, Some(json!({"a": 1})));
}

#[test]
fn no_step_is_asked_about_a_change_that_was_given_up() {
    let table = table(vec![
        (step("one", "profile.update", 20, 1), |_| Err(StepFault::invalid("it broke"))),
        (step("two", "profile.update", 20, 2), proceed),
    ]);
    let mut changes = [update("x", json!({}), json!({"a": 1}))];
    let refusal = with(&table, false, |operation| {
        operation.author.effort.give_up();
        operation.run(Stage::PreOperation, &mut changes).unwrap_err()
    });
    assert_eq!((refusal, table.asked.lock().unwrap().len()), (Refusal::GivenUp, 0));
}

#[test]
fn a_rejection_ends_the_operation_whatever_the_policy() {
    let mut careful = step("careful", "profile.update", 10, 0);
    careful.on_fault = FaultPolicy::Skip;
    let table = table(vec![
        (careful, |_| {
            let (code, message) = ("rank-reserved".to_owned(), "Rank 1 is reserved.".to_owned());
            Ok(Outcome::Reject(Rejection { code, message, attribute: "rank".to_owned() }))
        }),
        (step("later", "profile.update", 10, 1), proceed),
    ]);
    let mut changes = [update("x", json!({}), json!({"a": 1}))];
    let refusal = with(&table, false, |operation| operation.run(Stage::PreValidation, &mut changes)).unwrap_err();
    assert_eq!(refusal.to_string(), "Rank 1 is reserved.");
    assert_eq!(table.asked.lock().unwrap().len(), 1, "no step is called after a rejection");
}

#[test]
fn what_breaks_aborts_or_is_passed_over_visibly() {
    let broken: Answer =
        |_| Err(StepFault { code: "plugin.timeout".to_owned(), message: "slow".to_owned(), retry_after: None });
    let bad: [(Answer, u32, &str); 5] = [
        (broken, 20, "slow"),
        (
            |_| Ok(Outcome::Proceed(Proposal { patches: vec![(7, json!({}))], shared: vec![] })),
            20,
            "it patches target 7, and there are 1, counted from 0",
        ),
        (
            |_| Ok(Outcome::Proceed(Proposal { patches: vec![(0, json!([]))], shared: vec![] })),
            20,
            "it patches `x` of profiles, which no patch can change",
        ),
        (
            |_| Ok(Outcome::Proceed(Proposal { patches: vec![(0, json!({}))], shared: vec![] })),
            40,
            "it patches in stage 40, when the change is made: patch in stage 10 or 20",
        ),
        (
            |_| Ok(Outcome::Proceed(Proposal { patches: vec![], shared: vec![("a".into(), "{".into())] })),
            20,
            "its shared value `a` is not JSON",
        ),
    ];
    for (answer, stage, message) in bad {
        for policy in [FaultPolicy::Abort, FaultPolicy::Skip] {
            let mut step = step("bad", "profile.update", stage, 0);
            step.on_fault = policy;
            let table = table(vec![(step, answer)]);
            let mut changes = [update("x", json!({}), json!({"a": 1}))];
            let stage = Stage::try_from(stage).unwrap();
            let (done, skipped) = with(&table, false, |operation| {
                let done = operation.run(stage, &mut changes);
                (done, std::mem::take(&mut operation.skipped))
            });
            match policy {
                FaultPolicy::Abort => {
                    let Err(Refusal::Fault { by, fault }) = done else { panic!("{done:?}") };
                    assert_eq!((by.step.as_str(), fault.message.as_str()), ("bad", message));
                }
                _ => {
                    assert!(done.unwrap().is_empty());
                    assert_eq!(skipped.into_iter().map(|it| it.message).collect::<Vec<_>>(), [message]);
                    assert_eq!(changes[0].after, Some(json!({"a": 1})), "nothing of it is kept");
                    let told = table.asked.lock().unwrap().len();
                    assert_eq!(told, if message == "slow" { 1 } else { 2 }, "a refused answer is recorded");
                }
            }
        }
    }
}

#[test]
fn many_targets_make_many_questions_and_asynchronous_steps_are_asked_later() {
    let mut later = step("later", "profile.update", 40, 0);
    later.mode = Mode::Async;
    let table = table(vec![(step("now", "profile.update", 40, 0), proceed), (later, proceed)]);
    let mut changes: Vec<ChangeRecord> =
        (0..1001).map(|at| update(&format!("p{at}"), json!({}), json!({"a": at}))).collect();
    let events = with(&table, false, |operation| {
        operation.run(Stage::PostOperation, &mut changes).unwrap();
        operation.afterwards(&changes)
    });
    assert_eq!(table.asked.lock().unwrap().len(), 3, "the asynchronous step is not asked now");
    let counts: Vec<usize> = events.iter().map(|(_, event)| event.targets.len()).collect();
    assert_eq!(counts, [500, 500, 1]);
    let ids: std::collections::BTreeSet<&str> = events.iter().map(|(_, event)| event.id.as_str()).collect();
    assert_eq!(ids.len(), 3, "each question has a name of its own");
}
