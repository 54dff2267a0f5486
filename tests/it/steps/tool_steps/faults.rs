//! Steps around rules that break, find no room or go on too long.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use loadout::domain::{Effort, StepOverride};
use loadout::plugin::{Catalog, Compiler, Config, Limits, Loader, Manifest, UnavailablePlugin, Wanted};
use loadout::resolve::{Reads, StepEnd, ToolRules};
use loadout_tests::Done;
use loadout_tests::guests::{self, tool_steps};
use loadout_tests::host::{Failure, TestHost};
use serde_json::{Value, json};

use super::{SCRIPTS, ask, ask_about_another, configure, host, tell, tool, warnings};

#[tokio::test]
async fn a_step_that_breaks_is_passed_over_and_named_or_ends_the_answer() -> Done {
    let sins = [
        (20, json!({"fail": "no luck"})),
        (20, json!({"garbage": "["})),
        (20, json!({"items": []})),
        (40, json!({"trap": true})),
        (40, json!({"loop": true})),
        (40, json!({"garbage": "[]"})),
        (40, json!({"flood": true})),
        (40, json!({"items": [["No Kind", "x"]]})),
        (40, json!({"hide": " "})),
    ];
    let host = host().await?;
    let mut answers = Vec::new();
    for (at, (stage, sin)) in sins.into_iter().enumerate() {
        // A plugin for each, and only the one that must be stopped by the clock has a short time.
        let limits = if sin["loop"].is_null() { "" } else { "[limits]\ndeadline-ms = 50\n" };
        let name = format!("sinner-{at}");
        let component = tool_steps(&name, "1.0.0", limits, &[("sin", &["scripts"], stage, 0)])?;
        assert_eq!(host.install("", &component).await?.status, 201);
        let step = format!("/api/v1/plugins/tests/{name}/steps/sin");
        host.put(&step, json!({"configuration": sin})).await?;
        let answer = ask(&host).await?.json();
        answers.push(format!("{stage} {sin}: {}", warnings(&answer).join(" ")));
        let expected = json!({"status": "shown", "payload": {"greeting": "Hello Ada", "refused": true}});
        assert_eq!(tool(&answer, "scripts"), expected, "the rule decides alone");
        host.put(&step, json!({"configuration": sin, "onFault": "abort"})).await?;
        answers.push(format!("  {}", ask(&host).await?));
        host.put(&step, json!({"state": "inactive"})).await?;
    }
    assert_snapshot!(answers.join("\n"), @r#"
    20 {"fail":"no luck"}: tool `scripts` is decided without step `sin` of tests/sinner-0 1.0.0: plugin.failed, it answered with the fault `on-purpose`
      500 {"code":"plugin.failed","detail":"step `sin` of tests/sinner-0 1.0.0 broke, and no answer is given without it for tool `scripts`: it answered with the fault `on-purpose`"}
    20 {"garbage":"["}: tool `scripts` is decided without step `sin` of tests/sinner-1 1.0.0: plugin.invalid-result, its patch is no JSON object
      500 {"code":"plugin.invalid-result","detail":"step `sin` of tests/sinner-1 1.0.0 broke, and no answer is given without it for tool `scripts`: its patch is no JSON object"}
    20 {"items":[]}: tool `scripts` is decided without step `sin` of tests/sinner-2 1.0.0: plugin.invalid-result, it names items in stage 20, when nothing is shown yet: name them in stage 40
      500 {"code":"plugin.invalid-result","detail":"step `sin` of tests/sinner-2 1.0.0 broke, and no answer is given without it for tool `scripts`: it names items in stage 20, when nothing is shown yet: name them in stage 40"}
    40 {"trap":true}: tool `scripts` is decided without step `sin` of tests/sinner-3 1.0.0: plugin.trapped, it trapped: it panicked
      500 {"code":"plugin.trapped","detail":"step `sin` of tests/sinner-3 1.0.0 broke, and no answer is given without it for tool `scripts`: it trapped: it panicked"}
    40 {"loop":true}: tool `scripts` is decided without step `sin` of tests/sinner-4 1.0.0: plugin.timeout, it ran past its deadline of 50 ms
      504 {"code":"plugin.timeout","detail":"step `sin` of tests/sinner-4 1.0.0 broke, and no answer is given without it for tool `scripts`: it ran past its deadline of 50 ms"}
    40 {"garbage":"[]"}: tool `scripts` is decided without step `sin` of tests/sinner-5 1.0.0: plugin.invalid-result, its patch is no JSON object
      500 {"code":"plugin.invalid-result","detail":"step `sin` of tests/sinner-5 1.0.0 broke, and no answer is given without it for tool `scripts`: its patch is no JSON object"}
    40 {"flood":true}: tool `scripts` is decided without step `sin` of tests/sinner-6 1.0.0: plugin.output-limit, its answer is larger than 256 KiB
      500 {"code":"plugin.output-limit","detail":"step `sin` of tests/sinner-6 1.0.0 broke, and no answer is given without it for tool `scripts`: its answer is larger than 256 KiB"}
    40 {"items":[["No Kind","x"]]}: tool `scripts` is decided without step `sin` of tests/sinner-7 1.0.0: plugin.invalid-result, its kind of item is not 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first
      500 {"code":"plugin.invalid-result","detail":"step `sin` of tests/sinner-7 1.0.0 broke, and no answer is given without it for tool `scripts`: its kind of item is not 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first"}
    40 {"hide":" "}: tool `scripts` is decided without step `sin` of tests/sinner-8 1.0.0: plugin.invalid-result, its text of the reason is empty
      500 {"code":"plugin.invalid-result","detail":"step `sin` of tests/sinner-8 1.0.0 broke, and no answer is given without it for tool `scripts`: its text of the reason is empty"}
    "#);
    Ok(())
}

#[tokio::test]
async fn a_step_that_lacks_what_it_requires_is_not_asked_and_says_so() -> Done {
    let host = host().await?;
    let schema = "[settings]\nschema = '{\"type\": \"object\", \"required\": [\"hide\"]}'\n";
    let component = tool_steps("needy", "1.0.0", schema, &[("withhold", &["scripts"], 40, 0)])?;
    assert_eq!(host.install("", &component).await?.status, 201);
    assert_snapshot!(warnings(&ask(&host).await?.json()).join("\n"), @"tool `scripts` is decided without step `withhold` of tests/needy 1.0.0: plugin.not-ready, it cannot be used: what the environment tells it does not suit it: `/api/v1/steps` says why; configure it, or switch it off");
    let step = "/api/v1/plugins/tests/needy/steps/withhold";
    let told = host.put(step, json!({"configuration": {"hide": "Not today."}})).await?;
    assert_eq!((told.status, &told.json()["problem"]), (200, &Value::Null), "{told}");
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["status"], "hidden");
    Ok(())
}

#[tokio::test]
async fn a_step_that_goes_on_breaking_is_suspended_and_the_others_are_asked() -> Done {
    let host = host().await?;
    configure(&host, "early", json!({"fail": "no luck"})).await?;
    configure(&host, "late", json!({"sign": true})).await?;
    while !warnings(&ask(&host).await?.json()).iter().any(|it| it.contains("plugin.suspended")) {
        ask_about_another(&host).await?;
    }
    let health = host.get("/api/v1/plugins/tests/around").await?.json()["health"].clone();
    let states =
        health.as_array().into_iter().flatten().map(|it| format!("{} {}", it["step"], it["state"]).replace('"', ""));
    assert_snapshot!(states.collect::<Vec<_>>().join(", "), @"last closed, late closed, beside closed, second closed, early open, lonely closed");
    configure(&host, "early", json!({})).await?;
    while !warnings(&ask(&host).await?.json()).is_empty() {}
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["payload"]["signed"], "late");
    Ok(())
}

#[tokio::test]
async fn a_step_for_which_there_is_no_room_is_passed_over_unless_nothing_goes_without_it() -> Done {
    let no_room = |config| Config { per_plugin: 0, queue: 0, ..config };
    let host = TestHost::with_config(no_room).await?;
    let steps = tool_steps("around", "1.0.0", "", &[("early", &["scripts"], 20, 0)])?;
    assert_eq!(host.install("", &steps).await?.status, 201);
    let answer = ask(&host).await?;
    assert_eq!(answer.status, 200, "{answer}");
    let of_scripts: Vec<_> = warnings(&answer.json()).into_iter().filter(|it| it.contains("`scripts`")).collect();
    assert_snapshot!(of_scripts.join("\n"), @r"
    tool `scripts` is decided without step `early` of tests/around 1.0.0: plugin.busy, no more than 0 of its calls may wait for a slot, and so many do
    tool `scripts` is not shown: plugin.busy, no more than 0 of its calls may wait for a slot, and so many do
    ");
    tell(&host, "early", json!({"onFault": "abort"})).await?;
    let refused = ask(&host).await?;
    assert_eq!(refused.header("retry-after"), "1");
    assert_snapshot!(refused, @r#"503 {"code":"plugin.busy","detail":"step `early` of tests/around 1.0.0 broke, and no answer is given without it for tool `scripts`: no more than 0 of its calls may wait for a slot, and so many do"}"#);
    Ok(())
}

#[tokio::test]
async fn a_step_that_could_never_be_asked_is_refused() -> Done {
    let host = TestHost::with_platform().await?;
    let refused = host.install("", &tool_steps("around", "1.0.0", "", &[("late", &["scripts"], 30, 0)])?).await?;
    assert_snapshot!(refused, @r#"422 {"code":"plugin-refused","detail":"plugin `tests/around` 1.0.0 is refused: its manifest says `steps.stage = 30`; around a rule there are 20 (before it is asked) and 40 (after it answered)"}"#);
    Ok(())
}

#[test]
fn a_step_whose_component_cannot_be_used_breaks_visibly() -> Done {
    let late = r#"
        [[steps]]
        name = "late"
        message = "tool.evaluate"
        resource = "scripts"
        stage = 40
        rank = 0
        "#;
    let manifest = Manifest::parse(&(guests::steps("around", "1.0.0", "tool-step") + late))?;
    let mut catalog = Catalog::of(&Loader::open(None, Config::default())?);
    catalog.add_missing(UnavailablePlugin {
        name: "tests/around".to_owned(),
        version: "1.0.0".parse()?,
        digest: String::new(),
        manifest: Some(manifest),
        may_take_part: true,
        declared: Default::default(),
        tools: Default::default(),
        steps: Default::default(),
        reason: "its component was cut in two".to_owned(),
    });
    let evaluation = catalog.evaluate("scripts", "{}", Reads::new(Arc::default(), Arc::default())).ok_or("a step")?;
    let StepEnd::PassedOver(fault) = &evaluation.steps[0].came_to else { return Err("it broke".into()) };
    assert_snapshot!(format!("{}: {}", fault.code, fault.message), @"plugin.not-ready: it cannot be used: its component was cut in two");
    assert!(catalog.evaluate("macros", "{}", Reads::new(Arc::default(), Arc::default())).is_none());
    Ok(())
}

/// A catalog with steps before a rule that go on until they are stopped, run as `config` says.
fn looping(steps: &[&str], limits: &str, config: Config) -> Result<Catalog, Failure> {
    let registered: Vec<(&str, &[&str], u32, i32)> = steps.iter().map(|step| (*step, SCRIPTS, 20, 0)).collect();
    let component = tool_steps("around", "1.0.0", limits, &registered)?;
    let told: StepOverride = serde_json::from_value(json!({"configuration": {"loop": true}}))?;
    let steps = steps.iter().map(|step| ((*step).to_owned(), told.clone())).collect();
    let loader = Loader::open(Some(env!("CARGO_TARGET_TMPDIR").as_ref()), config)?;
    let mut catalog = Catalog::of(&loader);
    catalog.add_after(loader.prepare(&component, &Compiler::Here)?, &Wanted { steps, ..Wanted::default() })?;
    Ok(catalog)
}

/// How each step broke that was asked as part of a request.
fn broke(catalog: &Catalog, effort: &Arc<Effort>) -> Vec<String> {
    let reads = Reads::new(Arc::default(), Arc::default()).within(Arc::clone(effort));
    let steps = catalog.evaluate("scripts", "{}", reads).map(|evaluation| evaluation.steps).unwrap_or_default();
    let codes = steps.into_iter().filter_map(|step| match step.came_to {
        StepEnd::PassedOver(fault) | StepEnd::Aborted(fault) => Some(fault.code),
        _ => None,
    });
    codes.collect()
}

#[test]
fn what_all_steps_of_an_answer_take_has_a_limit_and_those_behind_it_are_not_asked() -> Done {
    let names: Vec<String> = (10..42).map(|at| format!("step-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Half of it is for steps: three of them.
    let config = Config { answer: Duration::from_millis(120), ..Config::default() };
    let catalog = looping(&names, "[limits]\ndeadline-ms = 20\n", config)?;
    let effort = Arc::default();
    let codes = broke(&catalog, &effort);
    let ran = codes.iter().take_while(|code| *code == "plugin.timeout").count();
    assert!((1..=3).contains(&ran), "{codes:?}");
    assert_eq!((codes.len(), codes[ran..].iter().all(|code| code == "plugin.busy")), (32, true), "{codes:?}");
    assert!(
        broke(&catalog, &effort).iter().all(|code| code == "plugin.busy"),
        "the next tool of the answer finds nothing left"
    );
    assert_eq!(broke(&catalog, &Arc::default())[0], "plugin.timeout", "another answer has what one may cost");
    Ok(())
}

#[test]
fn a_step_that_runs_when_its_request_is_given_up_is_stopped() -> Done {
    // Longer than a test that hangs.
    let limits = Limits { deadline: Duration::from_secs(3_600), ..Limits::default() };
    let catalog = looping(&["one", "two"], "", Config { limits, ..Config::default() })?;
    let effort = Arc::<Effort>::default();
    let codes = std::thread::scope(|scope| {
        let asked = scope.spawn(|| broke(&catalog, &effort));
        // Most likely it runs by then. If it does not, it is not asked, which ends the same.
        std::thread::sleep(Duration::from_millis(100));
        effort.give_up();
        asked.join()
    });
    assert_eq!(codes.map_err(|_| "it panicked")?, ["plugin.busy", "plugin.busy"]);
    Ok(())
}
