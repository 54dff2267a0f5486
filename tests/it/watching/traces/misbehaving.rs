//! The record of each guest that misbehaves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};

use insta::assert_snapshot;
use loadout::domain::trace::{CallTrace, Caller, LogLine};
use loadout::plugin::{Catalog, Config};
use loadout::resolve::{Facts, Reads, ToolRules};
use loadout::store::{Snapshot, TraceFilter, TraceLog};
use loadout_tests::components::watched_by;
use loadout_tests::guests;

/// Everything that can be asked, and the log of it.
static RECORDED: LazyLock<(Catalog, Arc<TraceLog>, tempfile::TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let traces = Arc::new(TraceLog::open(folder.path()).expect("a log"));
    (watched_by(Arc::clone(&traces) as _), traces, folder)
});

/// The record of asking a rule, which must be the only one of its request.
fn record(catalog: &Catalog, traces: &TraceLog, request: &str, kind: &str, settings: &str) -> CallTrace {
    let caller = Caller { request: Some(request.into()), ..Caller::default() };
    let context = BTreeMap::from([("customerName".to_owned(), "Ada".to_owned())]);
    let facts = Facts { context, caller, ..Facts::default() };
    let asked = catalog.evaluate(kind, settings, Reads::new(Arc::new(Snapshot::default()), Arc::new(facts)));
    assert!(asked.is_some(), "`{kind}` is bound");
    let filter = TraceFilter { request: Some(request.to_owned()), ..TraceFilter::default() };
    let found = traces.list(&filter, None, 10).expect("the log can be read");
    let [only] = &found[..] else { panic!("{found:?}") };
    traces.one(only.id).expect("the log can be read").expect("it is there")
}

fn record_of(guest: &str, settings: &str) -> CallTrace {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let request = format!("{guest} {}", COUNT.fetch_add(1, Relaxed));
    record(&RECORDED.0, &RECORDED.1, &request, &guest.replace('_', "-"), settings)
}

/// How a call ended: outcome, code, the limit and whether the value lies above it.
fn ending(trace: &CallTrace) -> String {
    let mut text = trace.outcome.to_string();
    if let Some(fault) = &trace.fault {
        // Writing to a text cannot fail.
        let _ = write!(text, ", {}", fault.code);
    }
    if let Some(limit) = &trace.limit {
        let value = limit.value.map_or("?", |value| if value >= limit.allowed { "more" } else { "less" });
        let _ = write!(text, ", {} of {} {}: {value}", limit.name, limit.allowed, limit.unit);
    }
    text
}

#[test]
fn every_guest_that_misbehaves_is_recorded_with_how_it_ended() {
    let mut endings = String::new();
    for guest in [
        "well_behaved",
        "spins_forever",
        "spins_at_start",
        "sleeps",
        "eat_memory",
        "grows_slowly",
        "recurses",
        "panics",
        "exits",
        "huge_answer",
        "many_items",
        "bad_json",
        "fails",
        "floods_calls",
        "hands_over_too_much",
        "floods_stderr",
    ] {
        let trace = record_of(guest, "{}");
        assert_eq!(trace.component.plugin, format!("tests/{}", guest.replace('_', "-")));
        assert_eq!((trace.component.version.as_str(), trace.component.digest.len()), ("0.1.0", 64));
        assert_eq!((trace.message.as_str(), trace.stage), ("tool.evaluate", 30));
        assert!(trace.usage.instantiate_micros > 0 && trace.usage.peak_memory > 0, "{guest}: {:?}", trace.usage);
        let _ = writeln!(endings, "{guest}: {}", ending(&trace));
    }
    assert_snapshot!(endings, @"
    well_behaved: succeeded
    spins_forever: timeout, plugin.timeout, time of 50 milliseconds: more
    spins_at_start: timeout, plugin.timeout, time of 50 milliseconds: more
    sleeps: trapped, plugin.trapped
    eat_memory: memory, plugin.memory, memory of 33554432 bytes: more
    grows_slowly: memory, plugin.memory, memory of 33554432 bytes: more
    recurses: trapped, plugin.trapped
    panics: trapped, plugin.trapped
    exits: trapped, plugin.trapped
    huge_answer: output-limit, plugin.output-limit, output of 262144 bytes: ?
    many_items: output-limit, plugin.output-limit, items of 1000 items: more
    bad_json: invalid, plugin.invalid-result
    fails: failed, plugin.failed
    floods_calls: host-calls, plugin.host-calls, host-calls of 10000 calls: more
    hands_over_too_much: trapped, plugin.trapped, handed-over-at-once of 262144 bytes: ?
    floods_stderr: log-limit, plugin.log-limit, log of 65536 bytes: more
    ");
}

#[test]
fn calls_that_the_host_refused_are_named() {
    for (guest, refused) in [("well_behaved", "records.look-up"), ("exits", "exit"), ("sleeps", "subscribe-duration")] {
        let trace = record_of(guest, r#"{"refused":1}"#);
        let named: Vec<_> = trace.refused.iter().map(|refused| (refused.name.as_str(), refused.count)).collect();
        assert_eq!(named, [(refused, 1)], "{guest}");
    }
}

#[test]
fn of_a_flood_the_head_and_the_tail_are_kept_and_the_rest_is_counted() {
    let text = record_of("floods_trace", &"x".repeat(300)).text;
    let dropped = text.dropped.expect("not everything fits");
    // 261 lines fit before the call is ended; 32 of them at the beginning and 32 at the end.
    assert_eq!((text.lines.len(), dropped.behind, dropped.lines, dropped.bytes), (64, 32, 197, 197_000));
    assert!(text.lines.iter().all(|line| line.text.len() == 1_000));

    let text = record_of("floods_stderr", "{}").text;
    let kept: usize = text.lines.iter().map(|line| line.text.len()).sum();
    assert!((48 << 10..=64 << 10).contains(&kept), "{kept} bytes");
    assert!(text.dropped.is_some_and(|dropped| dropped.bytes > 150_000));
}

#[test]
fn a_trap_says_where_it_happened() {
    let nameless = record_of("panics", r#"{"where":1}"#);
    assert!(nameless.backtrace.len() > 3, "{:?}", nameless.backtrace);
    let is_number = |place: &String| place.starts_with("function ") && place.ends_with(" (the component has no names)");
    assert!(nameless.backtrace.iter().all(is_number), "{:?}", nameless.backtrace);
    let LogLine { text, .. } =
        nameless.text.lines.iter().find(|line| line.text.contains("panicked at")).expect("a panic");
    assert!(text.contains("panics.rs"), "{text}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let traces = Arc::new(TraceLog::open(folder.path()).expect("a log"));
    let config = Config { watch: Arc::clone(&traces) as _, ..Config::default() };
    let components = [("panics", guests::PANICS_WITH_NAMES)];
    let (catalog, problems) = Catalog::load(&components, None, config).expect("the engine starts");
    assert!(problems.is_empty(), "{problems:?}");
    let named = record(&catalog, &traces, "named", "panics", "{}");
    assert!(named.backtrace.iter().any(|place| place == "core::panicking::panic_fmt"), "{:?}", named.backtrace);
}
