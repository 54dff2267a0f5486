//! Plugins that misbehave: each is stopped and named, and its neighbour answers as if nothing had happened.

mod clock;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use insta::assert_snapshot;
use loadout::pipeline::Handlers;
use loadout::plugin::{Catalog, Config, Limits, Problem};
use loadout::resolve::{Decision, Evaluation, Facts, Reads, ToolRules};
use loadout::store::Snapshot;
use loadout_tests::guests::rule;
use loadout_tests::{bombs, for_each_guest, guests};

use self::clock::ended_by_its_deadline;

/// All guests, side by side in one catalog.
static CATALOG: LazyLock<(Catalog, Vec<Problem>)> = LazyLock::new(|| {
    Catalog::load(guests::ALL, Some(env!("CARGO_TARGET_TMPDIR").as_ref()), patient()).expect("the engine starts")
});

/// Only guests whose manifest says so are stopped by the clock; how busy the machine is must not matter to the others.
fn patient() -> Config {
    let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
    Config { limits, slot_timeout: Duration::from_secs(60), ..Config::default() }
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

/// Some of them in the pool for components that bring a runtime, which has other limits and is no weaker.
#[test]
fn heavy_guests_are_stopped_as_well() {
    let sins =
        ["well_behaved", "spins_forever", "eat_memory", "recurses", "floods_calls", "huge_answer", "asks_for_sockets"];
    let guest = |name: &str| guests::ALL.iter().find(|(known, _)| *known == name).expect("it is there").1;
    let heavy: Vec<_> = sins.iter().map(|name| (*name, guests::heavy(guest(name)))).collect();
    let heavy: Vec<(&str, &[u8])> = heavy.iter().map(|(name, component)| (*name, component.as_slice())).collect();
    let (catalog, problems) = Catalog::load(&heavy, None, patient()).expect("the engine starts");
    let mut told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for sin in sins {
        let context = BTreeMap::from([("customerName".to_owned(), "Ada".to_owned())]);
        let facts = Facts { profile: "support".to_owned(), context, ..Facts::default() };
        let reads = Reads::new(Arc::new(Snapshot::default()), Arc::new(facts));
        told.extend(catalog.evaluate(&sin.replace('_', "-"), "{}", reads).map(show));
    }
    assert_snapshot!(told.join("\n"), @r#"
    shown {"greeting":"Hello Ada","refused":true}
    tests/spins-forever 0.1.0: plugin.timeout: it ran past its deadline of 50 ms
    tests/eat-memory 0.1.0: plugin.memory: it asked for more than 128 MiB of memory
    tests/recurses 0.1.0: plugin.trapped: it trapped: wasm trap: call stack exhausted
    tests/floods-calls 0.1.0: plugin.host-calls: it made more than 10000 calls to the host
    tests/huge-answer 0.1.0: plugin.output-limit: its answer is larger than 256 KiB
    tests/asks-for-sockets 0.1.0: plugin.trapped: it trapped: it opened a socket; `http`, `records` and `knowledge` are the ways out
    "#);
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
    assert_eq!(evaluation.plugin.as_deref(), Some("tests/well-behaved 0.1.0"));
    assert_eq!(show(evaluation), r#"shown {"greeting":"Hello Ada","refused":true}"#);
}

#[test]
fn stumbles() {
    assert_snapshot!(ask("stumbles"), @r#"shown {"greeting":"Hello Ada","refused":true}"#);
}

#[test]
fn counts_scripts() {
    assert_snapshot!(ask("counts_scripts"), @r#"shown {"greeting":"Hello Ada","refused":true,"scripts":0,"bytes":0}"#);
}

#[test]
fn reaches_out() {
    assert_snapshot!(ask("reaches_out"), @r#"shown {"answers":[["not-granted","no connector is granted to this plugin"],["not-granted","the connector `wiki` is not granted to this plugin"],["not-granted","the host `api.example` is not granted to this plugin"],["not-granted","the host `api.example` is not granted to this plugin"]]}"#);
}

/// Its deadline is 50 ms of processor time, and so is what the call took, within what an engine that is not optimised
/// needs to stop it.
#[test]
fn spins_forever() {
    assert_snapshot!(ask("spins_forever"), @"tests/spins-forever 0.1.0: plugin.timeout: it ran past its deadline of 50 ms");
    ended_by_its_deadline("spins_forever");
}

#[test]
fn spins_at_start() {
    assert_snapshot!(ask("spins_at_start"), @"tests/spins-at-start 0.1.0: plugin.timeout: it ran past its deadline of 50 ms");
    ended_by_its_deadline("spins_at_start");
}

#[test]
fn sleeps() {
    assert_snapshot!(ask("sleeps"), @"tests/sleeps 0.1.0: plugin.trapped: it trapped: it tried to wait; a rule cannot sleep");
}

#[test]
fn eat_memory() {
    assert_snapshot!(ask("eat_memory"), @"tests/eat-memory 0.1.0: plugin.memory: it asked for more than 32 MiB of memory");
}

#[test]
fn grows_slowly() {
    assert_snapshot!(ask("grows_slowly"), @"tests/grows-slowly 0.1.0: plugin.memory: it asked for more than 32 MiB of memory");
}

#[test]
fn recurses() {
    assert_snapshot!(ask("recurses"), @"tests/recurses 0.1.0: plugin.trapped: it trapped: wasm trap: call stack exhausted");
}

#[test]
fn panics() {
    assert_snapshot!(ask("panics"), @"tests/panics 0.1.0: plugin.trapped: it trapped: it panicked");
}

#[test]
fn exits() {
    assert_snapshot!(ask("exits"), @"tests/exits 0.1.0: plugin.trapped: it trapped: it tried to exit; a rule answers instead");
}

#[test]
fn huge_answer() {
    assert_snapshot!(ask("huge_answer"), @"tests/huge-answer 0.1.0: plugin.output-limit: its answer is larger than 256 KiB");
    let largest = ask_with("huge_answer", r#"{"bytes":260000}"#);
    assert!(matches!(largest.outcome, Ok(Decision::Shown { .. })));
}

#[test]
fn many_items() {
    assert_snapshot!(ask("many_items"), @"tests/many-items 0.1.0: plugin.output-limit: its answer names 2000 items; at most 1000 are allowed");
}

#[test]
fn bad_json() {
    assert_snapshot!(ask("bad_json"), @"tests/bad-json 0.1.0: plugin.invalid-result: its payload is no JSON object");
}

#[test]
fn deep_json() {
    assert_snapshot!(ask("deep_json"), @"tests/deep-json 0.1.0: plugin.invalid-result: its payload is no JSON object");
}

#[test]
fn fails() {
    assert_snapshot!(ask("fails"), @"tests/fails 0.1.0: plugin.failed: it answered with the fault `bad-settings`");
}

#[test]
fn floods_calls() {
    assert_snapshot!(ask("floods_calls"), @"tests/floods-calls 0.1.0: plugin.host-calls: it made more than 10000 calls to the host");
}

#[test]
fn hands_over_too_much() {
    assert_snapshot!(ask("hands_over_too_much"), @"tests/hands-over-too-much 0.1.0: plugin.trapped: it trapped: it handed more than 256 KiB to the host at once");
}

#[test]
fn renders_too_much() {
    assert_snapshot!(ask("renders_too_much"), @"tests/renders-too-much 0.1.0: plugin.host-calls: it had a text with more than 100 slugs rendered");
    assert_snapshot!(show(ask_with("renders_too_much", r#"{"text": "long"}"#)), @"tests/renders-too-much 0.1.0: plugin.host-calls: it had a text of more than 64 KiB rendered");
}

#[test]
fn floods_stderr() {
    assert_snapshot!(ask("floods_stderr"), @"tests/floods-stderr 0.1.0: plugin.log-limit: it went on writing beyond 64 KiB of trace lines and standard error");
}

#[test]
fn floods_trace() {
    let lines = |count: usize| show(ask_with("floods_trace", &"x".repeat(count)));
    assert_eq!(lines(60), "shown {}");
    assert_eq!(lines(200), "shown {}", "what no longer fits is dropped");
    assert_snapshot!(lines(300), @"tests/floods-trace 0.1.0: plugin.log-limit: it went on writing beyond 64 KiB of trace lines and standard error");
    well_behaved();
}

#[test]
fn reads_a_file() {
    assert_snapshot!(ask("reads_a_file"), @r#"shown {"read":false,"listed":false,"written":false}"#);
}

#[test]
fn remembers() {
    for _ in 0..3 {
        assert_eq!(ask("remembers"), r#"shown {"calls":1}"#);
    }
}

#[test]
fn looks_at_the_clock() {
    assert_snapshot!(ask("looks_at_the_clock"), @r#"shown {"before":"SystemTime { tv_sec: 0, tv_nsec: 0 }","after":"SystemTime { tv_sec: 0, tv_nsec: 0 }","took":"0ns"}"#);
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
fn draws_lots() {
    let first = ask("draws_lots");
    assert!(first.starts_with(r#"shown {"lots":["#), "{first}");
    assert_eq!(ask("draws_lots"), first);
}

#[test]
fn looks_around() {
    assert_snapshot!(ask("looks_around"), @r#"shown {"variables":0,"arguments":0,"folder":"/","stdin":[true,""]}"#);
}

/// One slot, so that the call that looks gets the memory of the call that left something.
#[test]
fn looks_for_leftovers() {
    let components = [("looks_for_leftovers", guests::LOOKS_FOR_LEFTOVERS)];
    let (catalog, _) = Catalog::load(&components, None, Config { slots: 1, ..patient() }).expect("the engine starts");
    let ask = |settings: &str| {
        let reads = Reads::new(Arc::default(), Arc::default());
        show(catalog.evaluate("looks-for-leftovers", settings, reads).expect("the kind is bound"))
    };
    for _ in 0..3 {
        assert_eq!(ask(r#"{"do":"leave"}"#), r#"shown {"left":131072}"#);
        assert_eq!(ask("{}"), r#"shown {"found":0,"looked":true}"#);
    }
}

#[test]
fn a_table_grows_no_further_than_the_pool() {
    let greedy = rule(guests::WELL_BEHAVED, "greedy", "0.1.0", "greedy").expect("a component with a manifest");
    let greedy = bombs::with_module(&greedy, &bombs::growing_table(100_000_000));
    let components = [("greedy", &*greedy), ("well_behaved", guests::WELL_BEHAVED)];
    let (catalog, _) = Catalog::load(&components, None, patient()).expect("the engine starts");
    let ask = |kind: &str| {
        let reads = Reads::new(Arc::default(), Arc::default());
        show(catalog.evaluate(kind, "{}", reads).expect("the kind is bound"))
    };
    assert_snapshot!(ask("greedy"), @"tests/greedy 0.1.0: plugin.memory: it asked for more than 20000 elements in a table");
    assert_eq!(ask("well-behaved"), "hidden no-customer: The session has no `customerName`.");
}

#[test]
fn asks_for_sockets() {
    assert_snapshot!(problem("asks_for_sockets"), @"plugin `asks_for_sockets` is not used: it imports `wasi:sockets/network@0.2.6`, `wasi:sockets/instance-network@0.2.6`, `wasi:sockets/udp@0.2.6`, `wasi:sockets/udp-create-socket@0.2.6`, `wasi:sockets/tcp@0.2.6` and 2 more, which a plugin for the world `loadout:plugin/tool@0.1.0` is not offered; of `loadout:plugin` that world has `context`, `library`, `records`, `knowledge`, `http`, `trace`: leave out what needs more");
}

#[test]
fn wrong_world() {
    assert_snapshot!(problem("wrong_world"), @"plugin `wrong_world` is not used: its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports `loadout:plugin/upgrade-step@0.1.0`: say in `plugin.toml` which world it is built for");
}

#[test]
fn no_manifest() {
    assert_snapshot!(problem("no_manifest"), @"plugin `no_manifest` is not used: it has no manifest: `loadout plugin build` packs `plugin.toml` into it");
}

/// It is no rule and is bound to no tool. What it does wrong as a step is in `upgrades/upgrade/steps.rs`.
#[test]
fn bad_step() {
    let plugin = CATALOG.0.plugins().iter().find(|plugin| plugin.name == "bad-step").expect("a step is a plugin");
    assert_eq!((plugin.world.as_str(), plugin.kinds.len()), ("loadout:plugin/upgrade@0.1.0", 0));
}

/// It takes part in changes and is bound to no tool. What it does wrong is in `steps/changes.rs`.
#[test]
fn changes() {
    let plugin = CATALOG.0.plugins().iter().find(|plugin| plugin.name == "changes").expect("it is a plugin");
    assert_eq!((plugin.world.as_str(), plugin.kinds.len()), ("loadout:plugin/step@0.1.0", 0));
    assert!(
        Handlers::registrations(&CATALOG.0)
            .iter()
            .all(|step| ["tests/changes", "tests/objects"].contains(&step.plugin.as_str()))
    );
}

/// It takes part in changes that no test makes here. What it refuses is in `recordings.rs`.
#[test]
fn objects() {
    let plugin = CATALOG.0.plugins().iter().find(|plugin| plugin.name == "objects").expect("it is a plugin");
    assert_eq!((plugin.world.as_str(), plugin.kinds.len()), ("loadout:plugin/step@0.1.0", 0));
}

/// It has a step around the rule of a tool that no profile has. What it does wrong is in `steps/tool_steps.rs`.
#[test]
fn around() {
    let plugin = CATALOG.0.plugins().iter().find(|plugin| plugin.name == "around").expect("it is a plugin");
    assert_eq!((plugin.world.as_str(), plugin.kinds.len()), ("loadout:plugin/tool-step@0.1.0", 0));
    assert!(CATALOG.0.tool_steps().iter().all(|step| step.plugin == "tests/around"));
}

#[test]
fn of_two_plugins_for_one_kind_the_first_stays() {
    let components = [("first", guests::WELL_BEHAVED), ("second", guests::WELL_BEHAVED)];
    let (catalog, problems) = Catalog::load(&components, None, Config::default()).expect("the engine starts");
    assert_snapshot!(problems.iter().map(Problem::to_string).collect::<String>(), @"plugin `second` is not used: the rule of the tool kind `well-behaved` is `tests/well-behaved` already");
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
