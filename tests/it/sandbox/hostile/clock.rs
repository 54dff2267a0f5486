//! The deadline of a guest: its own work counts, and what it asks of the host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loadout::domain::revision::Author;
use loadout::domain::trace::{CallTrace, Outcome, Watch};
use loadout::domain::{AnyItem, Kind};
use loadout::plugin::{Catalog, Config, Limits};
use loadout::resolve::{Reads, ToolRules};
use loadout::store::{Change, ChangeSet, Store};
use loadout_tests::guests;
use serde_json::json;

use super::patient;

/// Asks a guest whose deadline is 50 ms and that never ends: the record says that the deadline ended it, and the thread
/// that asked, on which it ran, was at work for no longer than ten such deadlines. That is processor time, so how busy
/// the machine is does not matter.
pub(super) fn ended_by_its_deadline(guest: &str) {
    let watch = Arc::new(Kept::default());
    let config = Config { watch: Arc::clone(&watch) as _, ..patient() };
    let component = guests::ALL.iter().find(|(name, _)| *name == guest).expect("it is there");
    let (catalog, _) =
        Catalog::load(&[*component], Some(env!("CARGO_TARGET_TMPDIR").as_ref()), config).expect("the engine starts");
    let (reads, before) = (Reads::new(Arc::default(), Arc::default()), at_work());
    catalog.evaluate(&guest.replace('_', "-"), "{}", reads).expect("the kind is bound");
    let spent = at_work().saturating_sub(before);
    let calls = watch.0.lock().unwrap_or_else(PoisonError::into_inner);
    let [call] = calls.as_slice() else { panic!("one call is recorded, and these were: {calls:?}") };
    let limit = call.limit.as_ref().map(|limit| (limit.name.as_str(), limit.allowed));
    assert_eq!((call.outcome, limit), (Outcome::Timeout, Some(("time", 50))), "{call:?}");
    assert!((Duration::from_millis(45)..Duration::from_millis(500)).contains(&spent), "it took {spent:?}");
}

/// What the host does for a guest counts for the guest's deadline: one that does next to nothing but ask is ended amid
/// its questions.
#[test]
fn what_a_guest_asks_for_counts_for_its_deadline() {
    const SCRIPTS: u32 = 4_000;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let scripts = (0..SCRIPTS).map(|number| {
        let name = format!("new_s{number}");
        let script = AnyItem::parse(Kind::Script, &name, json!({"name": format!("Script {number}"), "language": 1033}));
        Change::put(name, script.expect("a script"))
    });
    store.commit(ChangeSet::new(scripts), &Author::new("tests", "")).expect("they are written");
    let snapshot = store.snapshot().expect("a snapshot");
    let ask = |deadline: Duration| {
        let watch = Arc::new(Kept::default());
        let limits = Limits { deadline, ..Limits::default() };
        let config = Config { limits, watch: Arc::clone(&watch) as _, ..patient() };
        let components = [("counts_scripts", guests::COUNTS_SCRIPTS)];
        let (catalog, _) =
            Catalog::load(&components, Some(env!("CARGO_TARGET_TMPDIR").as_ref()), config).expect("the engine starts");
        let reads = Reads::new(Arc::clone(&snapshot), Arc::default());
        catalog.evaluate("counts-scripts", "{}", reads).expect("the kind is bound");
        watch.0.lock().unwrap_or_else(PoisonError::into_inner).pop().expect("the call is recorded")
    };
    let whole = ask(Duration::from_secs(60));
    assert!(whole.limit.is_none() && whole.usage.host_calls > SCRIPTS, "{whole:?}");
    let ended = ask(Duration::from_millis(10));
    let limit = ended.limit.as_ref().map(|limit| (limit.name.as_str(), limit.allowed));
    assert_eq!((ended.outcome, limit), (Outcome::Timeout, Some(("time", 10))), "{ended:?}");
    assert!((1..SCRIPTS).contains(&ended.usage.host_calls), "{ended:?}, and without a deadline {whole:?}");
}

/// What this thread has used of a processor.
fn at_work() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok()).expect("the first number");
    Duration::from_nanos(nanoseconds)
}

/// Keeps the records of calls.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<CallTrace>>);

impl Watch for Kept {
    fn saw(&self, trace: CallTrace) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(trace);
        true
    }
}
