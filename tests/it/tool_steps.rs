//! Steps around the rules of tools: they change what a rule is given and what it decided, hide what nobody should see, and break without harm.

use std::path::Path;

use insta::assert_snapshot;
use loadout_tests::guests::{self, rule, tool_steps};
use loadout_tests::host::{Failure, Reply, TestHost};
use serde_json::{Value, json};

type Done = Result<(), Failure>;

/// Name, tool kinds, stage and rank, in no order anybody asks them in.
const STEPS: [(&str, &[&str], u32, i32); 6] = [
    ("last", &["scripts"], 40, 1),
    ("late", &["scripts", "macros"], 40, 0),
    ("beside", &["scripts"], 20, 5),
    ("second", &["scripts"], 20, 5),
    ("early", &["scripts"], 20, 0),
    ("lonely", &["copilot"], 40, 0),
];

/// A server whose scripts are decided by a guest that greets the customer, and with steps that do nothing until they are told.
async fn host() -> Result<TestHost, Failure> {
    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    for component in
        [rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?, tool_steps("around", "1.0.0", &STEPS)?]
    {
        let installed = host.install("", &component).await?;
        if installed.status != 201 {
            return Err(installed.to_string().into());
        }
    }
    Ok(host)
}

async fn tell(host: &TestHost, step: &str, wanted: Value) -> Done {
    let told = host.put(&format!("/api/v1/plugins/tests/around/steps/{step}"), wanted).await?;
    if told.status == 200 { Ok(()) } else { Err(told.to_string().into()) }
}

async fn configure(host: &TestHost, step: &str, configuration: Value) -> Done {
    tell(host, step, json!({ "configuration": configuration })).await
}

fn question(context: &Value) -> Value {
    let session = json!({"entity": "incident", "context": context});
    json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "explain": "full"})
}

async fn ask(host: &TestHost) -> Result<Reply, Failure> {
    host.post("/api/v1/experience", question(&json!({"customerName": "Ada"}))).await
}

/// What became of a tool, without what only draws it.
fn tool(answer: &Value, kind: &str) -> Value {
    let tools = answer["productivityPane"]["tools"].as_array().into_iter().flatten();
    let mut tool = tools.filter(|tool| tool["tool"] == kind).cloned().next().unwrap_or_default();
    if let Some(members) = tool.as_object_mut() {
        members.retain(|key, _| ["status", "payload", "hiddenBy", "degraded", "fault"].contains(&key.as_str()));
    }
    tool
}

/// What the answer says about the steps.
fn warnings(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    let of_steps =
        warnings.filter(|warning| ["step-skipped", "tool-failed"].iter().any(|code| warning["code"] == *code));
    of_steps.map(|warning| warning["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The line about a tool, and under it those it rests on, indented.
fn explained(answer: &Value, kind: &str) -> String {
    fn lines(line: &Value, depth: usize, text: &mut String) {
        let word = |key: &str| line[key].as_str().unwrap_or_default();
        let (subject, outcome, because) = (word("subject"), word("outcome"), word("because"));
        *text += &format!("{}{} {subject} {outcome}: {because}\n", "  ".repeat(depth), word("about"));
        for under in line["under"].as_array().into_iter().flatten() {
            lines(under, depth + 1, text);
        }
    }
    let mut text = String::new();
    let of_tool = |line: &&Value| line["about"] == "tool" && line["subject"] == kind;
    answer["explain"].as_array().into_iter().flatten().filter(of_tool).for_each(|line| lines(line, 0, &mut text));
    text
}

#[tokio::test]
async fn steps_are_asked_by_rank_and_name_and_the_environment_may_decide_otherwise() -> Done {
    let host = host().await?;
    for step in ["early", "second", "beside"] {
        configure(&host, step, json!({"sign": true})).await?;
    }
    configure(&host, "late", json!({"tell": true})).await?;
    let told = |answer: &Value| tool(answer, "scripts")["payload"]["told"].as_str().unwrap_or_default().to_owned();
    assert_snapshot!(told(&ask(&host).await?.json()), @"");
    tell(&host, "second", json!({"rank": -7, "configuration": {"sign": true}})).await?;
    assert_snapshot!(told(&ask(&host).await?.json()), @"");
    tell(&host, "beside", json!({"state": "inactive", "configuration": {"sign": true}})).await?;
    assert_snapshot!(told(&ask(&host).await?.json()), @"");
    configure(&host, "late", json!({"sign": true})).await?;
    configure(&host, "last", json!({"sign": true})).await?;
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["payload"]["signed"], "late last");
    let order: Vec<String> = host.get("/api/v1/steps").await?.json()["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            format!("{} {} {} {} {}", it["message"], it["stage"], it["rank"], it["name"], it["resource"])
                .replace('"', "")
        })
        .collect();
    assert_snapshot!(order.join("\n"), @"");
    let reply = host.put("/api/v1/plugins/tests/around/steps/nothing", json!({})).await?;
    assert_snapshot!(reply, @"");
    Ok(())
}

#[tokio::test]
async fn what_a_rule_is_given_and_what_it_decided_can_be_patched() -> Done {
    let host = host().await?;
    configure(&host, "early", json!({"patch": {"hints": {"max": 3}}})).await?;
    configure(&host, "beside", json!({"patch": {"hints": {"min": 1}}})).await?;
    configure(
        &host,
        "late",
        json!({"patch": {"refused": null, "tone": "warm"}, "items": [["scripts", "contoso_greet"]]}),
    )
    .await?;
    configure(&host, "last", json!({"tell": true})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "scripts"), @"");
    assert_eq!(answer["library"]["scripts"]["contoso_greet"]["name"].is_string(), true, "{}", answer["library"]);
    assert_snapshot!(explained(&answer, "scripts"), @"");
    Ok(())
}

#[tokio::test]
async fn whoever_hides_a_tool_is_named_with_the_reason_and_nobody_is_asked_after() -> Done {
    let host = host().await?;
    configure(&host, "beside", json!({"hide": "Not before nine."})).await?;
    configure(&host, "last", json!({"patch": {"never": true}})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "scripts"), @"");
    assert_snapshot!(explained(&answer, "scripts"), @"");
    configure(&host, "beside", json!({})).await?;
    configure(&host, "late", json!({"hide": "Not after nine."})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "scripts"), @"");
    assert_snapshot!(explained(&answer, "scripts"), @"");
    // What the rule hides stays hidden.
    configure(&host, "late", json!({"tell": true})).await?;
    let stranger = host.post("/api/v1/experience", question(&json!({}))).await?.json();
    assert_snapshot!(tool(&stranger, "scripts"), @"");
    assert_snapshot!(warnings(&stranger).join("\n"), @"");
    Ok(())
}

#[tokio::test]
async fn a_step_that_breaks_is_passed_over_and_named_or_ends_the_answer() -> Done {
    let mut answers = Vec::new();
    for (step, sin) in [
        ("early", json!({"fail": "no luck"})),
        ("early", json!({"garbage": "["})),
        ("early", json!({"items": []})),
        ("late", json!({"trap": true})),
        ("late", json!({"loop": true})),
        ("late", json!({"garbage": "[]"})),
        ("late", json!({"flood": true})),
        ("late", json!({"items": [["No Kind", "x"]]})),
        ("late", json!({"hide": " "})),
    ] {
        // A server for each, so that no step breaks often enough to be suspended.
        let host = host().await?;
        configure(&host, step, sin.clone()).await?;
        let answer = ask(&host).await?.json();
        answers.push(format!("{step} {sin}: {}", warnings(&answer).join(" ")));
        let expected = json!({"status": "shown", "payload": {"greeting": "Hello Ada", "refused": true}});
        assert_eq!(tool(&answer, "scripts"), expected, "the rule decides alone");
        tell(&host, step, json!({"configuration": sin, "onFault": "abort"})).await?;
        answers.push(format!("  {}", ask(&host).await?));
    }
    assert_snapshot!(answers.join("\n"), @"");
    Ok(())
}

#[tokio::test]
async fn a_step_that_goes_on_breaking_is_suspended_and_the_others_are_asked() -> Done {
    let host = host().await?;
    configure(&host, "early", json!({"fail": "no luck"})).await?;
    configure(&host, "late", json!({"sign": true})).await?;
    while !warnings(&ask(&host).await?.json()).iter().any(|it| it.contains("plugin.suspended")) {}
    let health = host.get("/api/v1/plugins/tests/around").await?.json()["health"].clone();
    let states =
        health.as_array().into_iter().flatten().map(|it| format!("{} {}", it["step"], it["state"]).replace('"', ""));
    assert_snapshot!(states.collect::<Vec<_>>().join(", "), @"");
    configure(&host, "early", json!({})).await?;
    while !warnings(&ask(&host).await?.json()).is_empty() {}
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["payload"]["signed"], "late");
    Ok(())
}

#[tokio::test]
async fn the_log_names_step_and_stage_and_what_a_step_is_told_stays_its_own() -> Done {
    let host = host().await?;
    configure(&host, "beside", json!({"fail": "no luck", "note": "hidden-away"})).await?;
    let answer = ask(&host).await?;
    let traces = host.get(&format!("/api/v1/traces?request={}", answer.header("x-request-id"))).await?;
    let mut calls: Vec<String> = traces.json()["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|it| it["resource"] == "scripts")
        .map(|it| {
            let fields = ["message", "stage", "rank", "step", "plugin", "version", "outcome"];
            fields.map(|field| it[field].to_string().replace('"', "")).join(" ")
        })
        .collect();
    calls.reverse();
    assert_snapshot!(calls.join("\n"), @"");
    assert!(!traces.text.contains("hidden-away"));
    Ok(())
}

#[tokio::test]
async fn a_tool_without_a_rule_can_be_hidden_too() -> Done {
    let host = host().await?;
    assert_snapshot!(tool(&ask(&host).await?.json(), "copilot"), @"");
    configure(&host, "lonely", json!({"hide": "Not for everybody."})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "copilot"), @"");
    assert_snapshot!(explained(&answer, "copilot"), @"");
    Ok(())
}

/// The bytes of the answer for one revision, but for the record a fault may name.
async fn as_of(host: &TestHost, revision: u64) -> Result<String, Failure> {
    let mut question = question(&json!({"customerName": "Ada"}));
    question["asOf"] = json!(revision);
    Ok(host.post("/api/v1/experience", question).await?.text)
}

#[tokio::test]
async fn the_answer_of_then_has_the_steps_of_then() -> Done {
    let host = host().await?;
    configure(&host, "late", json!({"sign": true})).await?;
    let then = ask(&host).await?;
    let revision = then.json()["revision"].as_u64().ok_or("no revision")?;
    let mut ids = vec![then.json()["decisionId"].clone()];
    tell(&host, "late", json!({"rank": 9, "configuration": {"sign": true}})).await?;
    ids.push(ask(&host).await?.json()["decisionId"].clone());
    tell(&host, "late", json!({"state": "inactive"})).await?;
    ids.push(ask(&host).await?.json()["decisionId"].clone());
    let newer = tool_steps("around", "1.1.0", &[("late", &["scripts"], 20, 0)])?;
    assert_eq!(host.install("", &newer).await?.status, 201);
    ids.push(ask(&host).await?.json()["decisionId"].clone());
    assert_eq!(as_of(&host, revision).await?, then.text);
    host.post("/api/v1/plugins/tests/around/rollback", json!({})).await?;
    tell(&host, "late", json!({"configuration": {"sign": true}})).await?;
    let mut now = ask(&host).await?.json();
    let mut before = then.json();
    for answer in [&mut now, &mut before] {
        answer.as_object_mut().ok_or("an answer")?.retain(|key, _| !["revision", "decisionId"].contains(&key.as_str()));
    }
    assert_eq!(now, before, "rolled back, it answers as it did");
    assert_eq!(as_of(&host, revision).await?, then.text);
    ids.dedup();
    assert_eq!(ids.len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_recording_is_of_the_rule_alone() -> Done {
    let host = host().await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    host.put("/api/v1/plugins/tests/greeter/recording", json!({"until": until, "redact": []})).await?;
    configure(&host, "early", json!({"patch": {"given": "by a step"}})).await?;
    configure(&host, "late", json!({"patch": {"greeting": "Hello nobody"}})).await?;
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["payload"]["greeting"], "Hello nobody");
    let recordings = || async {
        let listed = host.get("/api/v1/recordings?plugin=tests%2Fgreeter").await?.json();
        Ok::<_, Failure>(listed["items"].as_array().cloned().unwrap_or_default())
    };
    let recorded = recordings().await?;
    let id = recorded[0]["id"].as_str().unwrap_or_default();
    let recording = host.get(&format!("/api/v1/recordings/{id}")).await?.json();
    assert_eq!(
        (&recording["settings"], &recording["answer"]["payload"]["greeting"], &recording["reproduced"]),
        (&json!({"given": "by a step"}), &json!("Hello Ada"), &json!(true))
    );
    let replayed = host.post(&format!("/api/v1/recordings/{id}/replay"), json!({})).await?;
    assert_eq!(replayed.json()["same"], true);
    configure(&host, "early", json!({"hide": "Not before nine."})).await?;
    ask(&host).await?;
    assert_eq!(recordings().await?.len(), 1, "the rule was not asked");
    Ok(())
}

#[tokio::test]
async fn what_a_rule_last_answered_is_remembered_without_what_steps_made_of_it() -> Done {
    let host = host().await?;
    let remember = json!({"onFault": "use-last-good"});
    host.put("/api/v1/plugins/tests/greeter/tools/scripts", remember).await?;
    configure(&host, "late", json!({"patch": {"greeting": "Hello nobody"}})).await?;
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["payload"]["greeting"], "Hello nobody");
    let breaking = rule(guests::PANICS, "greeter", "1.1.0", "scripts")?;
    assert_eq!(host.install("", &breaking).await?.status, 201);
    configure(&host, "late", json!({"tell": true})).await?;
    let answer = ask(&host).await?.json();
    let scripts = tool(&answer, "scripts");
    assert_eq!(
        (&scripts["payload"]["greeting"], &scripts["degraded"]["policy"]),
        (&json!("Hello Ada"), &json!("use-last-good"))
    );
    assert_snapshot!(scripts["payload"]["told"].as_str().unwrap_or_default(), @"");
    configure(&host, "early", json!({"patch": {"other": "settings"}})).await?;
    assert_eq!(tool(&ask(&host).await?.json(), "scripts")["status"], "failed", "that is another question");
    Ok(())
}

#[tokio::test]
async fn macros_that_write_are_withheld_while_the_customer_is_not_authenticated() -> Done {
    let host = host().await?;
    let writes = ["Save", "Clone_Input_Record", "Draft_Email", "update_form_attributes"];
    let withhold = json!({"withhold": {"actions": writes, "unless": "customerRecordId"}});
    configure(&host, "late", withhold).await?;
    let ask =
        async |context: Value| Ok::<_, Failure>(host.post("/api/v1/experience", question(&context)).await?.json());
    let stranger = ask(json!({"customerName": "Ada"})).await?;
    assert_snapshot!(tool(&stranger, "macros"), @"");
    let named: Vec<&String> = stranger["library"]["macros"].as_object().into_iter().flat_map(|it| it.keys()).collect();
    assert_snapshot!(format!("{named:?}"), @"");
    assert_snapshot!(explained(&stranger, "macros"), @"");
    let known = ask(json!({"customerName": "Ada", "customerRecordId": "42"})).await?;
    assert_snapshot!(tool(&known, "macros"), @"");
    Ok(())
}

#[tokio::test]
async fn a_step_that_could_never_be_asked_is_refused() -> Done {
    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    let refused = host.install("", &tool_steps("around", "1.0.0", &[("late", &["scripts"], 30, 0)])?).await?;
    assert_snapshot!(refused, @"");
    Ok(())
}
