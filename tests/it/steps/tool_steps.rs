//! Steps around the rules of tools: they change what a rule is given and what it decided, hide what a person should not
//! see, and break without harm.

mod faults;

use std::time::Duration;

use insta::assert_snapshot;
use loadout::plugin::{Gateway, Limits};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule, tool_steps};
use loadout_tests::host::{Failure, Reply, TestHost};
use serde_json::{Value, json};

/// Name, tool kinds, stage and rank, in another order than they are asked in.
const STEPS: [(&str, &[&str], u32, i32); 6] = [
    ("last", &["scripts"], 40, 1),
    ("late", &["scripts", "macros"], 40, 0),
    ("beside", &["scripts"], 20, 5),
    ("second", &["scripts"], 20, 5),
    ("early", &["scripts"], 20, 0),
    ("lonely", &["copilot"], 40, 0),
];

/// What steps are asked about.
const SCRIPTS: &[&str] = &["scripts"];

/// A server whose scripts are decided by a guest that greets the customer, and with steps that do nothing until they
/// are told.
async fn host() -> Result<TestHost, Failure> {
    let host = TestHost::with_platform().await?;
    for component in
        [rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?, tool_steps("around", "1.0.0", "", &STEPS)?]
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

/// The same question about another person, since what breaks for one person alone is not suspended.
async fn ask_about_another(host: &TestHost) -> Result<Reply, Failure> {
    let mut question = question(&json!({"customerName": "Ada"}));
    question["user"] = json!("ines");
    host.post("/api/v1/experience", question).await
}

async fn ask(host: &TestHost) -> Result<Reply, Failure> {
    host.post("/api/v1/experience", question(&json!({"customerName": "Ada"}))).await
}

/// What became of a tool, without what only draws it.
fn tool(answer: &Value, kind: &str) -> Value {
    let mut tools = answer["productivityPane"]["tools"].as_array().into_iter().flatten();
    let mut tool = tools.find(|tool| tool["tool"] == kind).cloned().unwrap_or_default();
    if let Some(members) = tool.as_object_mut() {
        members.retain(|key, _| ["status", "payload", "hiddenBy", "degraded", "fault"].contains(&key.as_str()));
    }
    tool
}

/// What the answer says about the steps.
fn warnings(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    let of_upgrade_steps =
        warnings.filter(|warning| ["step-skipped", "tool-failed"].iter().any(|code| warning["code"] == *code));
    of_upgrade_steps.map(|warning| warning["message"].as_str().unwrap_or_default().to_owned()).collect()
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
    assert_snapshot!(told(&ask(&host).await?.json()), @r#"["late","scripts",40,"{\"signed\":\"early beside second\"}",["shown","{\"greeting\":\"Hello Ada\",\"refused\":true}",0],[["rule","tests/greeter 1.0.0"]],"Ada"]"#);
    tell(&host, "second", json!({"rank": -7, "configuration": {"sign": true}})).await?;
    assert_snapshot!(told(&ask(&host).await?.json()), @r#"["late","scripts",40,"{\"signed\":\"second early beside\"}",["shown","{\"greeting\":\"Hello Ada\",\"refused\":true}",0],[["rule","tests/greeter 1.0.0"]],"Ada"]"#);
    tell(&host, "beside", json!({"state": "inactive", "configuration": {"sign": true}})).await?;
    assert_snapshot!(told(&ask(&host).await?.json()), @r#"["late","scripts",40,"{\"signed\":\"second early\"}",["shown","{\"greeting\":\"Hello Ada\",\"refused\":true}",0],[["rule","tests/greeter 1.0.0"]],"Ada"]"#);
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
    assert_snapshot!(order.join("\n"), @"
    tool.evaluate 20 -7 second [scripts]
    tool.evaluate 20 0 early [scripts]
    tool.evaluate 20 5 beside [scripts]
    tool.evaluate 40 0 late [scripts,macros]
    tool.evaluate 40 0 lonely [copilot]
    tool.evaluate 40 1 last [scripts]
    ");
    let reply = host.put("/api/v1/plugins/tests/around/steps/nothing", json!({})).await?;
    assert_snapshot!(reply, @r#"404 {"code":"not-found","detail":"plugin `tests/around` has no step `nothing`: it has `beside`, `early`, `last`, `late`, `lonely` and 1 more"}"#);
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
    assert_snapshot!(tool(&answer, "scripts"), @r#"{"status":"shown","payload":{"greeting":"Hello Ada","tone":"warm","told":"[\"last\",\"scripts\",40,\"{\\\"hints\\\":{\\\"max\\\":3,\\\"min\\\":1}}\",[\"shown\",\"{\\\"greeting\\\":\\\"Hello Ada\\\",\\\"tone\\\":\\\"warm\\\"}\",1],[[\"rule\",\"tests/greeter 1.0.0\"]],\"Ada\"]"}}"#);
    assert!(answer["library"]["scripts"]["contoso_greet"]["name"].is_string(), "{}", answer["library"]);
    assert_snapshot!(explained(&answer, "scripts"), @"
    tool scripts shown: tests/greeter 1.0.0 shows it, given settings by step `early` of tests/around 1.0.0 and step `beside` of tests/around 1.0.0, changed by step `late` of tests/around 1.0.0 and step `last` of tests/around 1.0.0
      step tests/around 1.0.0 early changed: asked in stage 20, it changes `hints`
      step tests/around 1.0.0 beside changed: asked in stage 20, it changes `hints.min`
      step tests/around 1.0.0 second agreed: asked in stage 20, it changes nothing
      read records.look-up(contact, fullname, ) read: not-granted
      read context.get(customerName) read: Ada
      step tests/around 1.0.0 late changed: asked in stage 40, it changes `tone`, `refused`, `items`
      step tests/around 1.0.0 last changed: asked in stage 40, it changes `told`
        read context.get(customerName) read: Ada
    ");
    Ok(())
}

#[tokio::test]
async fn whoever_hides_a_tool_is_named_with_the_reason_and_nobody_is_asked_after() -> Done {
    let host = host().await?;
    configure(&host, "beside", json!({"hide": "Not before nine."})).await?;
    configure(&host, "last", json!({"patch": {"never": true}})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "scripts"), @r#"{"status":"hidden","hiddenBy":{"gate":"step","needs":"Not before nine.","code":"not-so","step":"tests/around 1.0.0 beside"}}"#);
    assert_snapshot!(explained(&answer, "scripts"), @"
    tool scripts hidden: step `beside` of tests/around 1.0.0 hides it: Not before nine.
      step tests/around 1.0.0 early agreed: asked in stage 20, it changes nothing
      step tests/around 1.0.0 beside hidden: asked in stage 20, it hides the tool: Not before nine.
    ");
    configure(&host, "beside", json!({})).await?;
    configure(&host, "late", json!({"hide": "Not after nine."})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "scripts"), @r#"{"status":"hidden","hiddenBy":{"gate":"step","needs":"Not after nine.","code":"not-so","step":"tests/around 1.0.0 late"}}"#);
    assert_snapshot!(explained(&answer, "scripts"), @"
    tool scripts hidden: step `late` of tests/around 1.0.0 hides it: Not after nine.
      step tests/around 1.0.0 early agreed: asked in stage 20, it changes nothing
      step tests/around 1.0.0 beside agreed: asked in stage 20, it changes nothing
      step tests/around 1.0.0 second agreed: asked in stage 20, it changes nothing
      read records.look-up(contact, fullname, ) read: not-granted
      read context.get(customerName) read: Ada
      step tests/around 1.0.0 late hidden: asked in stage 40, it hides the tool: Not after nine.
    ");
    // What the rule hides stays hidden.
    configure(&host, "late", json!({"tell": true})).await?;
    let stranger = host.post("/api/v1/experience", question(&json!({}))).await?.json();
    assert_snapshot!(tool(&stranger, "scripts"), @r#"{"status":"hidden","hiddenBy":{"gate":"rule","needs":"The session has no `customerName`.","code":"no-customer"}}"#);
    assert_snapshot!(warnings(&stranger).join("\n"), @"
    tool `scripts` is decided without step `late` of tests/around 1.0.0: plugin.invalid-result, it changes what is shown of a tool that is hidden: look at `decision` first
    tool `scripts` is decided without step `last` of tests/around 1.0.0: plugin.invalid-result, it changes what is shown of a tool that is hidden: look at `decision` first
    ");
    Ok(())
}

#[tokio::test]
async fn the_environment_lowers_what_rules_and_steps_around_them_may_use() -> Done {
    let hosts = Limits { deadline: Duration::from_millis(100), ..Limits::default() };
    let host = TestHost::with_gateway(Gateway::default(), hosts).await?;
    for component in
        [rule(guests::COUNTS_SCRIPTS, "greeter", "1.0.0", "scripts")?, tool_steps("around", "1.0.0", "", &STEPS)?]
    {
        assert_eq!(host.install("", &component).await?.status, 201);
    }
    let decided = |answer: &Value| answer["decisionId"].as_str().unwrap_or_default().to_owned();
    let before = ask(&host).await?.json();
    assert_eq!(tool(&before, "scripts")["status"], "shown", "{before}");

    let rule = "/api/v1/plugins/tests/greeter/tools/scripts";
    assert_eq!(host.put(rule, json!({"limits": {"hostCalls": 1}})).await?.status, 200);
    let lowered = ask(&host).await?.json();
    assert_eq!(tool(&lowered, "scripts")["fault"]["message"], "it made more than 1 calls to the host", "{lowered}");
    assert_ne!(decided(&lowered), decided(&before), "it is decided otherwise, and by something else");
    assert_eq!(host.put(rule, json!({"limits": {"hostCalls": 4_000_000_000_u32}})).await?.status, 200);
    let raised = ask(&host).await?.json();
    assert_eq!(tool(&raised, "scripts"), tool(&before, "scripts"));

    let mut ends = Vec::new();
    for limits in [json!({"deadlineMs": 20}), json!({"deadlineMs": 60_000})] {
        tell(&host, "last", json!({"configuration": {"loop": true}, "limits": limits})).await?;
        ends.extend(warnings(&ask(&host).await?.json()));
    }
    assert_snapshot!(ends.join("\n"), @"
    tool `scripts` is decided without step `last` of tests/around 1.0.0: plugin.timeout, it ran past its deadline of 20 ms
    tool `scripts` is decided without step `last` of tests/around 1.0.0: plugin.timeout, it ran past its deadline of 100 ms
    ");
    assert_snapshot!(host.put(rule, json!({"limits": {"deadlineMs": 0}})).await?, @r#"422 {"code":"invalid-item","detail":"plugin `tests/greeter` is not valid: `tools.scripts.limits.deadlineMs`: at least 1 is needed: to stop the calls, switch it off","errors":[{"attribute":"tools.scripts.limits.deadlineMs","message":"at least 1 is needed: to stop the calls, switch it off"}]}"#);
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
    assert_snapshot!(calls.join("\n"), @"
    tool.evaluate 20 0 early tests/around 1.0.0 succeeded
    tool.evaluate 20 5 beside tests/around 1.0.0 failed
    tool.evaluate 20 5 second tests/around 1.0.0 succeeded
    tool.evaluate 30 null null tests/greeter 1.0.0 succeeded
    tool.evaluate 40 0 late tests/around 1.0.0 succeeded
    tool.evaluate 40 1 last tests/around 1.0.0 succeeded
    ");
    assert!(!traces.text.contains("hidden-away"));
    Ok(())
}

#[tokio::test]
async fn a_tool_without_a_rule_can_be_hidden_too() -> Done {
    let host = host().await?;
    assert_snapshot!(tool(&ask(&host).await?.json(), "copilot"), @r#"{"status":"shown","payload":{}}"#);
    configure(&host, "lonely", json!({"hide": "Not for everybody."})).await?;
    let answer = ask(&host).await?.json();
    assert_snapshot!(tool(&answer, "copilot"), @r#"{"status":"hidden","hiddenBy":{"gate":"step","needs":"Not for everybody.","code":"not-so","step":"tests/around 1.0.0 lonely"}}"#);
    assert_snapshot!(explained(&answer, "copilot"), @"
    tool copilot hidden: step `lonely` of tests/around 1.0.0 hides it: Not for everybody.
      step tests/around 1.0.0 lonely hidden: asked in stage 40, it hides the tool: Not for everybody.
    ");
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
    let newer = tool_steps("around", "1.1.0", "", &[("late", &["scripts"], 20, 0)])?;
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
    assert_snapshot!(scripts["payload"]["told"].as_str().unwrap_or_default(), @r#"["late","scripts",40,"{}",["shown","{\"greeting\":\"Hello Ada\",\"refused\":true}",0],[["rule","tests/greeter 1.1.0"],["degraded","use-last-good"]],"Ada"]"#);
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
    assert_snapshot!(tool(&stranger, "macros"), @r#"{"status":"shown","payload":{"available":["contoso_offer_article","contoso_open_customer"]}}"#);
    let named: Vec<&String> = stranger["library"]["macros"].as_object().into_iter().flat_map(|it| it.keys()).collect();
    assert_snapshot!(format!("{named:?}"), @r#"["contoso_offer_article", "contoso_open_customer"]"#);
    assert_snapshot!(explained(&stranger, "macros"), @"
    tool macros shown: loadout/macros 0.1.0 shows it, changed by step `late` of tests/around 1.0.0
      read context.session-template() read: contoso_case
      read library.names(macros) read: contoso_clone_case, contoso_offer_article, contoso_open_customer, contoso_plan_callback, contoso_send_acknowledgement
      step tests/around 1.0.0 late changed: asked in stage 40, it changes `available`, `items`
        read context.get(customerRecordId) read: nothing
        read library.item(macros, contoso_clone_case) read: revision 2
        read library.item(macros, contoso_offer_article) read: revision 2
        read library.item(macros, contoso_open_customer) read: revision 2
        read library.item(macros, contoso_plan_callback) read: revision 2
        read library.item(macros, contoso_send_acknowledgement) read: revision 2
    ");
    let known = ask(json!({"customerName": "Ada", "customerRecordId": "42"})).await?;
    assert_snapshot!(tool(&known, "macros"), @r#"{"status":"shown","payload":{"available":["contoso_clone_case","contoso_offer_article","contoso_open_customer","contoso_plan_callback","contoso_send_acknowledgement"]}}"#);
    Ok(())
}
