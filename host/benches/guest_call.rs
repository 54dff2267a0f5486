//! One rule, four ways: native, in an instance that stays, in a fresh instance for each call, and in a fresh instance
//! with every call recorded; on one thread and on two.
//!
//! All ways alternate for five rounds and medians are compared, because only the ratios outlive the machine. The rule
//! is the built-in scripts rule, with a session whose template chooses between two scripts by an expression.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use loadout::domain::{AnyItem, Channel, Kind, Revision};
use loadout::plugin::{Catalog, Config, Limits};
use loadout::resolve::{Decision, Facts, Reads, ToolRules};
use loadout::store::{Entry, Layer, Snapshot, TraceLog};
use loadout_sdk::testing::Fixture;
use scripts::Scripts;
use serde_json::{Value, json};

#[path = "../../plugins/scripts/src/lib.rs"]
mod scripts;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(300);
const TEMPLATE: &str = "contoso_chat";

fn main() {
    let (snapshot, facts) = (Arc::new(snapshot()), Arc::new(facts()));
    let reads = || Reads::new(Arc::clone(&snapshot), Arc::clone(&facts));
    let before = resident();
    let component = loadout_plugins::ALL.iter().find(|it| it.name == "scripts").expect("the rule is bundled").component;
    let begun = Instant::now();
    let (catalog, problems) = Catalog::load(&[("scripts", component)], None, endless()).expect("the engine starts");
    let loaded = begun.elapsed();
    assert!(problems.is_empty(), "{problems:?}");

    let native = || -> Box<dyn FnMut() + '_> {
        let fixture = fixture();
        Box::new(move || assert!(black_box(fixture.evaluate::<Scripts>(json!({}))).is_ok()))
    };
    let warm = || -> Box<dyn FnMut() + '_> {
        let mut call = catalog.start("scripts", reads()).expect("the kind is bound").expect("an instance is made");
        Box::new(move || assert!(black_box(call.evaluate("{}")).is_ok()))
    };
    let fresh = || -> Box<dyn FnMut() + '_> {
        Box::new(|| {
            let evaluation = catalog.evaluate("scripts", "{}", reads()).expect("the kind is bound");
            assert!(matches!(black_box(evaluation).outcome, Ok(Decision::Shown { .. })));
        })
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let traces = Arc::new(TraceLog::open(folder.path()).expect("a log"));
    let config = Config { watch: traces, ..endless() };
    let (watched, _) = Catalog::load(&[("scripts", component)], None, config).expect("the engine starts");
    let recorded = || -> Box<dyn FnMut() + '_> {
        Box::new(|| {
            let evaluation = watched.evaluate("scripts", "{}", reads()).expect("the kind is bound");
            assert!(matches!(black_box(evaluation).outcome, Ok(Decision::Shown { .. })));
        })
    };
    let ways: [(&str, &Way<'_>); 4] =
        [("native", &native), ("warm", &warm), ("fresh", &fresh), ("recorded", &recorded)];

    let mut rates: BTreeMap<(&str, usize), Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (name, way) in ways {
            for threads in [1, 2] {
                rates.entry((name, threads)).or_default().push(rate(way, threads));
            }
        }
    }
    let rate = |name: &'static str, threads| median(&rates[&(name, threads)]);
    println!("{:<8}{:>12}{:>16}{:>16}{:>12}", "", "µs a call", "calls/s, 1", "calls/s, 2", "2 : 1");
    for (name, _) in ways {
        let (one, two) = (rate(name, 1), rate(name, 2));
        println!("{name:<8}{:>12.1}{one:>16.0}{two:>16.0}{:>12.2}", 1e6 / one, two / one);
    }
    println!("fresh : warm    {:.2} (aim: at most 1.60)", rate("warm", 1) / rate("fresh", 1));
    println!("recorded : fresh {:.2}", rate("fresh", 1) / rate("recorded", 1));
    println!("fresh : native  {:.2}", rate("native", 1) / rate("fresh", 1));
    println!("compiled and loaded in {loaded:.0?}; resident before {before} MiB, now {} MiB", resident());
}

/// Makes something to call over and over, for one thread.
type Way<'a> = dyn Fn() -> Box<dyn FnMut() + 'a> + Sync + 'a;

/// Calls a second of some threads together.
fn rate(way: &Way<'_>, threads: usize) -> f64 {
    let barrier = std::sync::Barrier::new(threads);
    let one = || {
        let mut call = way();
        (0..100).for_each(|_| call());
        barrier.wait();
        let (begun, mut calls) = (Instant::now(), 0_u32);
        while begun.elapsed() < ROUND {
            (0..50).for_each(|_| call());
            calls += 50;
        }
        f64::from(calls) / begun.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|thread| thread.join().expect("no call fails")).sum()
    })
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// An instance that stays is asked far more often than a call may ask the host.
fn endless() -> Config {
    let limits = Limits {
        deadline: Duration::from_secs(3600),
        host_calls: u32::MAX,
        handed_over: usize::MAX,
        ..Limits::default()
    };
    Config { limits, ..Config::default() }
}

fn items() -> Vec<(Kind, &'static str, Value)> {
    let set = |script: &str| json!({ "Set": { "type": "Set_default_agent_script", "inputs": { "ScriptId": script } } });
    let expression = json!({ "definition": { "actions": { "Condition": {
        "type": "If",
        "expression": { "and": [{ "equals": ["${tier}", "gold"] }, { "greater": ["${orders}", 9] }] },
        "actions": set("contoso_gold"),
        "else": { "actions": set("contoso_greet") },
    } } } });
    let step = |order: u32, action: Value| json!({ "uniqueName": format!("contoso_step_{order}"), "name": format!("Step {order}"), "order": order, "action": action });
    let script = |name: &str| {
        let say = json!({ "type": "text", "instruction": "Greet {customerName} and ask how you can help." });
        let run = json!({ "type": "macro", "macro": "contoso_open_case" });
        json!({ "name": name, "language": 1033, "steps": [step(1, say.clone()), step(2, run), step(3, say)] })
    };
    let template = json!({
        "name": "Chat", "kind": "generic", "scripts": ["contoso_greet", "contoso_gold"],
        "defaultScript": { "enabled": true, "expression": expression },
    });
    let open_case = json!({ "name": "Open a case", "definition": { "definition": { "actions": {} } } });
    vec![
        (Kind::SessionTemplate, TEMPLATE, template),
        (Kind::Script, "contoso_greet", script("Greet")),
        (Kind::Script, "contoso_gold", script("Greet a gold customer")),
        (Kind::Macro, "contoso_open_case", open_case),
    ]
}

const CONTEXT: [(&str, &str); 3] = [("tier", "gold"), ("orders", "10"), ("customerName", "Ada")];

fn snapshot() -> Snapshot {
    let entry = |kind, name: &str, json| {
        let item = AnyItem::parse(kind, name, json).expect("the item is valid");
        (Arc::from(name), Entry::new(item, Revision(1), Layer::Custom))
    };
    Snapshot::new(Revision(1), items().into_iter().map(|(kind, name, json)| entry(kind, name, json)))
}

fn facts() -> Facts {
    Facts {
        profile: "contoso_rep".to_owned(),
        language: 1033,
        base_language: 1033,
        channel: Some(Channel::Chat),
        session_template: Some(TEMPLATE.to_owned()),
        context: CONTEXT.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Facts::default()
    }
}

fn fixture() -> Fixture {
    let fixture = Fixture::new().channel("chat").session_template(TEMPLATE);
    let fixture = CONTEXT.iter().fold(fixture, |fixture, (key, value)| fixture.context(key, value));
    items().into_iter().fold(fixture, |fixture, (kind, name, json)| fixture.item(kind.collection(), name, json))
}

/// Resident memory in MiB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}
