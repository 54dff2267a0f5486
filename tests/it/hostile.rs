//! Plugins that misbehave: each is stopped and named, and its neighbour answers as if nothing had happened.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use loadout::plugin::{Catalog, Config, Limits, Problem};
use loadout::resolve::{Decision, Evaluation, Facts, Reads, ToolRules};
use loadout::store::Snapshot;
use loadout_tests::{for_each_guest, guests};

/// All guests, side by side in one catalog.
static CATALOG: LazyLock<(Catalog, Vec<Problem>)> = LazyLock::new(|| {
    Catalog::load(guests::ALL, Some(env!("CARGO_TARGET_TMPDIR").as_ref()), patient()).expect("the engine starts")
});

/// Only guests whose manifest says so are stopped by the clock; how busy the machine is must not matter to the others.
fn patient() -> Config {
    let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
    Config { limits, patience: Duration::from_secs(60), ..Config::default() }
}

/// What a guest answers, given `settings`.
fn ask_with(guest: &str, settings: &str) -> Evaluation {
    let context = BTreeMap::from([("customerName".to_owned(), "Ada".to_owned())]);
    let facts = Facts { profile: "support".to_owned(), context, ..Facts::default() };
    let reads = Reads::new(Arc::new(Snapshot::default()), Arc::new(facts));
    let kind = guest.replace('_', "-");
    CATALOG.0.evaluate(&kind, settings, reads).unwrap_or_else(|| panic!("`{guest}` is bound"))
}

fn show(evaluation: Evaluation) -> String {
    match evaluation.outcome {
        Ok(Decision::Shown { payload, .. }) => format!("shown {}", serde_json::Value::Object(payload)),
        Ok(Decision::Hidden { code, text }) => format!("hidden {code}: {text}"),
        Err(fault) => format!("{} {}: {}: {}", fault.plugin, fault.version, fault.code, fault.message),
    }
}

/// What a guest answers; its neighbour answers right before and right after.
fn ask(guest: &str) -> String {
    well_behaved();
    let answer = show(ask_with(guest, "{}"));
    well_behaved();
    answer
}

/// Why a guest was not even loaded.
fn problem(guest: &str) -> String {
    let problem = CATALOG.1.iter().find(|problem| problem.component == guest);
    problem.unwrap_or_else(|| panic!("`{guest}` is refused")).to_string()
}

macro_rules! has_a_test {
    ($guest:ident) => {
        #[expect(unused_imports, reason = "a guest without a test of its name must not compile")]
        use self::$guest as _;
    };
}

for_each_guest!(has_a_test);

#[test]
fn well_behaved() {
    let evaluation = ask_with("well_behaved", "{}");
    let reads: Vec<_> = evaluation.reads.iter().map(|read| format!("{} = {}", read.what, read.answer)).collect();
    assert_eq!(reads, ["records.look-up(contact, fullname, ) = not-granted", "context.get(customerName) = Ada"]);
    assert_eq!(evaluation.plugin, "tests/well-behaved 0.1.0");
    assert_snapshot!(show(evaluation), @"");
}

#[test]
fn spins_forever() {
    let begun = Instant::now();
    assert_snapshot!(ask("spins_forever"), @"");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn spins_at_start() {
    assert_snapshot!(ask("spins_at_start"), @"");
}

#[test]
fn sleeps() {
    assert_snapshot!(ask("sleeps"), @"");
}

#[test]
fn eat_memory() {
    assert_snapshot!(ask("eat_memory"), @"");
}

#[test]
fn grows_slowly() {
    assert_snapshot!(ask("grows_slowly"), @"");
}

#[test]
fn recurses() {
    assert_snapshot!(ask("recurses"), @"");
}

#[test]
fn panics() {
    assert_snapshot!(ask("panics"), @"");
}

#[test]
fn exits() {
    assert_snapshot!(ask("exits"), @"");
}

#[test]
fn huge_answer() {
    assert_snapshot!(ask("huge_answer"), @"");
    let largest = ask_with("huge_answer", r#"{"bytes":260000}"#);
    assert!(matches!(largest.outcome, Ok(Decision::Shown { .. })));
}

#[test]
fn many_items() {
    assert_snapshot!(ask("many_items"), @"");
}

#[test]
fn bad_json() {
    assert_snapshot!(ask("bad_json"), @"");
}

#[test]
fn fails() {
    assert_snapshot!(ask("fails"), @"");
}

#[test]
fn floods_calls() {
    assert_snapshot!(ask("floods_calls"), @"");
}

#[test]
fn hands_over_too_much() {
    assert_snapshot!(ask("hands_over_too_much"), @"");
}

#[test]
fn floods_stderr() {
    assert_snapshot!(ask("floods_stderr"), @"");
}

#[test]
fn floods_trace() {
    let lines = |count: usize| show(ask_with("floods_trace", &"x".repeat(count)));
    assert_eq!(lines(60), "shown {}");
    assert_eq!(lines(200), "shown {}", "what no longer fits is dropped");
    assert_snapshot!(lines(300), @"");
    well_behaved();
}

#[test]
fn reads_a_file() {
    assert_snapshot!(ask("reads_a_file"), @"");
}

#[test]
fn remembers() {
    for _ in 0..3 {
        assert_eq!(ask("remembers"), r#"shown {"calls":1}"#);
    }
}

#[test]
fn looks_at_the_clock() {
    assert_snapshot!(ask("looks_at_the_clock"), @"");
}

#[test]
fn shuffles() {
    let first = ask("shuffles");
    assert!(first.starts_with(r#"shown {"order":["#), "{first}");
    for _ in 0..20 {
        assert_eq!(show(ask_with("shuffles", "{}")), first);
    }
}

#[test]
fn asks_for_sockets() {
    assert_snapshot!(problem("asks_for_sockets"), @"");
}

#[test]
fn wrong_world() {
    assert_snapshot!(problem("wrong_world"), @"");
}

#[test]
fn no_manifest() {
    assert_snapshot!(problem("no_manifest"), @"");
}

#[test]
fn of_two_plugins_for_one_kind_the_first_stays() {
    let components = [("first", guests::WELL_BEHAVED), ("second", guests::WELL_BEHAVED)];
    let (catalog, problems) = Catalog::load(&components, None, Config::default()).expect("the engine starts");
    assert_snapshot!(problems.iter().map(Problem::to_string).collect::<String>(), @"");
    assert_eq!(catalog.plugins().len(), 1);
    let digest = &catalog.plugins()[0].digest;
    assert_eq!(catalog.fingerprint(), format!("well-behaved {digest}\n"));
}

#[test]
fn more_calls_than_slots_wait_for_each_other() {
    let config = Config { slots: 2, ..patient() };
    let components = [("well_behaved", guests::WELL_BEHAVED)];
    let (catalog, _) = Catalog::load(&components, None, config).expect("the engine starts");
    let reads = || Reads::new(Arc::default(), Arc::default());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let evaluation = catalog.evaluate("well-behaved", "{}", reads()).expect("the kind is bound");
                    assert_eq!(show(evaluation), "hidden no-customer: The session has no `customerName`.");
                }
            });
        }
    });
}
