//! Tests of the promises of the log: no record is kept longer than set, the log takes no more room than set, and no
//! damage stops it.

use std::fs;
use std::sync::Arc;

use rusqlite::Connection;

use super::*;
use crate::domain::trace::{Component, LogLevel, LogLine, Mode, Outcome, Usage};

/// Returns the record of a call of `plugin` that began `second` seconds after 1970 and succeeded.
pub(super) fn trace(second: u64, plugin: &str) -> CallTrace {
    let at = jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    CallTrace {
        id: TraceId::new(at, 1, second),
        at,
        request: Some("request-1".into()),
        decision: None,
        message: "tool.evaluate".to_owned(),
        resource: "scripts".to_owned(),
        stage: 30,
        rank: None,
        mode: Mode::Sync,
        step: None,
        component: Arc::new(Component {
            plugin: plugin.to_owned(),
            version: "1.0.0".to_owned(),
            digest: "00".to_owned(),
        }),
        outcome: Outcome::Succeeded,
        fault: None,
        limit: None,
        usage: Usage { instantiate_micros: 10, run_micros: second, ..Usage::default() },
        settings_hash: None,
        refused: Vec::new(),
        stands_for: 1,
        backtrace: Vec::new(),
        text: LogText { lines: vec![LogLine { level: LogLevel::Info, text: "deciding".to_owned() }], dropped: None },
    }
}

fn broken(second: u64, plugin: &str) -> CallTrace {
    CallTrace { outcome: Outcome::Trapped, backtrace: vec!["a".to_owned()], ..trace(second, plugin) }
}

/// Returns a second of today, so that no record is too old.
fn today() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap()
}

fn all(log: &TraceLog) -> Vec<CallTrace> {
    log.list(&TraceFilter::default(), None, 500).unwrap()
}

fn keep(log: &TraceLog, json: &str) {
    log.shared.settings.store(Arc::new(serde_json::from_str(json).unwrap()));
}

#[test]
fn records_are_listed_newest_first_and_read_whole_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = TraceLog::open(folder.path()).unwrap();
    let now = today();
    for at in 0..5 {
        assert!(log.saw(broken(now + at, "a/b")));
    }
    let listed = all(&log);
    assert!(listed.is_sorted_by(|a, b| a.id > b.id) && listed.len() == 5);
    assert!(listed.iter().all(|trace| trace.text.is_empty() && trace.backtrace.is_empty()), "{listed:?}");
    let behind = log.list(&TraceFilter::default(), Some(listed[1].id), 2).unwrap();
    assert_eq!(behind, listed[2..4]);
    let whole = log.one(listed[0].id).unwrap().unwrap();
    assert_eq!(whole, broken(now + 4, "a/b"));
    assert_eq!(log.one(TraceId::before(listed[0].at)).unwrap(), None);
}

#[test]
fn a_filter_lets_through_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let log = TraceLog::open(folder.path()).unwrap();
    let now = today();
    let slow = CallTrace { usage: Usage { run_micros: 2_000, ..Usage::default() }, ..broken(now, "a/slow") };
    let step = CallTrace {
        step: Some("s".to_owned()),
        request: None,
        decision: Some("d".into()),
        ..broken(now + 1, "a/step")
    };
    let usage = Usage { run_micros: 5, ..Usage::default() };
    for trace in [slow, CallTrace { usage, ..step }, CallTrace { usage, ..trace(now + 2, "a/good") }] {
        log.saw(trace);
    }
    let text = |text: &str| Some(text.to_owned());
    let none = TraceFilter::default;
    let at = |second: u64| jiff::Timestamp::from_second(i64::try_from(second).unwrap()).ok();
    for (filter, expected) in [
        (TraceFilter { plugin: text("a/slow"), ..none() }, "a/slow"),
        (TraceFilter { version: text("1.0.0"), resource: text("scripts"), ..none() }, "a/good a/step a/slow"),
        (TraceFilter { version: text("1.0.1"), ..none() }, ""),
        (TraceFilter { outcome: Some(Outcome::Trapped), ..none() }, "a/step a/slow"),
        (TraceFilter { step: text("s"), message: text("tool.evaluate"), ..none() }, "a/step"),
        (TraceFilter { request: text("request-1"), ..none() }, "a/good a/slow"),
        (TraceFilter { decision: text("d"), ..none() }, "a/step"),
        (TraceFilter { since: at(now + 1), ..none() }, "a/good a/step"),
        (TraceFilter { until: at(now + 1), ..none() }, "a/slow"),
        (TraceFilter { slower_than: Some(1_999), ..none() }, "a/slow"),
        (TraceFilter { slower_than: Some(2_000), ..none() }, ""),
    ] {
        let found = log.list(&filter, None, 500).unwrap();
        let found: Vec<&str> = found.iter().map(|trace| trace.component.plugin.as_str()).collect();
        assert_eq!(found.join(" "), expected, "for {filter:?}");
    }
}

#[test]
fn text_is_kept_of_the_calls_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let log = TraceLog::open(folder.path()).unwrap();
    let mut now = today();
    for (settings, kept) in [
        ("{}", [false, true]),
        (r#"{"level": "off"}"#, [false, false]),
        (r#"{"level": "off", "perPlugin": {"a/b": {"level": "all"}}}"#, [true, true]),
    ] {
        keep(&log, settings);
        now += 2;
        for (trace, kept) in [trace(now, "a/b"), broken(now + 1, "a/b")].into_iter().zip(kept) {
            let id = trace.id;
            assert!(log.saw(trace));
            assert_eq!(!log.one(id).unwrap().unwrap().text.is_empty(), kept, "for {settings}");
        }
    }
}

#[test]
fn counts_are_exact_however_few_records_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = TraceLog::open(folder.path()).unwrap();
    keep(&log, r#"{"successesPerSecond": 10}"#);
    let now = today();
    for at in 0..1_000 {
        let id = TraceId::new(jiff::Timestamp::now(), 2, at);
        log.saw(CallTrace { id, usage: Usage { run_micros: 60, ..Usage::default() }, ..trace(now, "a/b") });
    }
    log.saw(broken(now, "a/b"));
    let kept = all(&log);
    assert!(kept.len() < 40, "{} records", kept.len());
    assert_eq!(
        kept.iter().filter(|trace| trace.outcome.is_success()).map(|trace| trace.stands_for).sum::<u32>(),
        1_000
    );
    let [statistics] = &log.statistics("a/b", 24).unwrap()[..] else { panic!("one version, no step") };
    let [hour] = &statistics.hours[..] else { panic!("one hour: {:?}", statistics.hours) };
    assert_eq!(hour.calls, statistics.since_start);
    let json = serde_json::to_value(&statistics.since_start).unwrap();
    assert_eq!(json["outcomes"], serde_json::json!({"succeeded": 1_000, "trapped": 1}));
    assert_eq!(json["runMicros"]["upTo"]["100"], 1_000);
    assert_eq!(log.statistics("a/c", 24).unwrap(), []);
}

#[test]
fn what_is_recorded_is_written_when_the_log_closes_and_two_may_write() {
    let folder = tempfile::tempdir().unwrap();
    let now = today();
    let logs = [TraceLog::open(folder.path()).unwrap(), TraceLog::open(folder.path()).unwrap()];
    for (at, log) in logs.iter().enumerate() {
        log.saw(broken(now + at as u64, "a/b"));
    }
    drop(logs);
    let later = TraceLog::open(folder.path()).unwrap();
    assert_eq!(all(&later).len(), 2);
    let statistics = later.statistics("a/b", 24).unwrap();
    let outcomes: u64 = statistics[0].hours.iter().flat_map(|hour| hour.calls.outcomes.values()).sum();
    assert_eq!((outcomes, statistics[0].since_start.outcomes.len()), (2, 0));
}

#[test]
fn what_is_too_old_goes_and_so_does_what_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let log = TraceLog::open(folder.path()).unwrap();
    let now = today();
    let long = |second| CallTrace { backtrace: vec!["x".repeat(8_000); 8], ..broken(second, "a/b") };
    log.saw(broken(now - 31 * 86_400, "a/old"));
    (0..60).for_each(|at| assert!(log.saw(long(now + at))));
    log.settle();
    let mut connection = file::open(&folder.path().join(TraceLog::FILE)).unwrap();
    let size = |connection: &Connection| {
        connection.pragma_query_value(None, "page_count", |row| row.get::<_, u64>(0)).unwrap() * 4096
    };
    assert!(size(&connection) > 3 << 20);
    let settings = TraceSettings { retention_megabytes: 1, ..TraceSettings::default() };
    let removed = retention::enforce(&mut connection, &settings, jiff::Timestamp::now()).unwrap();
    let left = all(&log);
    assert_eq!(left.len() + removed, 61);
    assert!(size(&connection) <= 1 << 20, "the room is given back: {}", size(&connection));
    assert!((10..=16).contains(&left.len()), "as many as fit are kept: {}", left.len());
    assert_eq!(left[0].id, long(now + 59).id, "the newest stays");
    assert!(left.iter().all(|trace| trace.component.plugin == "a/b"));
    assert_eq!(log.statistics("a/old", 24 * 60).unwrap()[0].hours, [], "counts are not kept longer");
}

#[test]
fn a_file_that_cannot_be_used_is_set_aside() {
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 3] = [
        ("newer", |path| file::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap()),
        ("foreign", |path| Connection::open(path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap()),
        ("damaged", |path| fs::write(path, "no database at all".repeat(1_000)).unwrap()),
    ];
    for (name, spoil) in spoil {
        let folder = tempfile::tempdir().unwrap();
        spoil(&folder.path().join(TraceLog::FILE));
        let log = TraceLog::open(folder.path()).unwrap();
        log.saw(broken(today(), "a/b"));
        assert_eq!(all(&log).len(), 1, "{name}");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| name.starts_with("traces-set-aside-")), "{name}: {names:?}");
    }
}
