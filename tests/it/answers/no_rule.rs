//! A rule that is absent does not fail open: what a plugin may have hidden stays hidden, whatever became of the plugin,
//! and three places say why.

use insta::assert_snapshot;
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::guests::{self, manifest, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

const GREETER: &str = "/api/v1/plugins/tests/greeter";
const ASKS: &str = "[capabilities]\nhttp = [\"api.example.com\"]\n";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// A rule that shows a tool of `kind` only in a session with a customer.
fn greeter(version: &str, kind: &str, rest: &str) -> Result<Vec<u8>, Failure> {
    Ok(embed_manifest(guests::WELL_BEHAVED, &format!("{}{rest}", manifest("greeter", version, kind)))?)
}

/// A step around the rule of scripts that does what it is told, and without which no answer is given unless `on_fault`
/// says otherwise.
fn guard(on_fault: &str, rest: &str) -> Result<Vec<u8>, Failure> {
    let step = format!(
        r#"
        [[steps]]
        name = "strangers"
        message = "tool.evaluate"
        resource = "scripts"
        stage = 40
        rank = 0
        on-fault = "{on_fault}"
        "#
    );
    Ok(embed_manifest(guests::AROUND, &(guests::steps("greeter", "1.0.0", "tool-step") + rest + &step))?)
}

/// Places a pane tool of the kind `greeter` before all others of the sample's profile, as of the revision that comes
/// back.
async fn place(host: &TestHost) -> Result<String, Failure> {
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter", "withoutRule": "hide"});
    let mut profile = host.get("/api/v1/profiles/contoso_rep").await?.json();
    assert!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status < 300);
    profile["productivityPane"]["tools"]
        .as_array_mut()
        .ok_or("tools")?
        .push(json!({"tool": "contoso_greeter", "order": 1}));
    let placed = host.put("/api/v1/profiles/contoso_rep", profile).await?;
    assert_eq!(placed.status, 200, "{placed}");
    Ok(placed.header("x-loadout-revision").to_owned())
}

/// What a stranger gets of the tool `kind`, whose session says nothing of the customer; then what the answer warns of.
async fn stranger(host: &TestHost, kind: &str) -> Result<String, Failure> {
    let session = json!({"entity": "incident", "context": {}});
    let question =
        json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "explain": "reasons"});
    let reply = host.post("/api/v1/experience", question).await?;
    if reply.status != 200 {
        return Ok(format!("{} {}", reply.status, reply.json()["code"]));
    }
    let answer = reply.json();
    let tools = answer["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    let tool = tools.into_iter().find(|tool| tool["tool"] == kind).ok_or("no such tool")?;
    let hidden_by = &tool["hiddenBy"];
    let mut told = format!("{} {} {}", word(&tool["status"]), word(&hidden_by["code"]), word(&hidden_by["needs"]));
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        if ["no-rule", "no-step", "step-skipped", "tool-failed"].iter().any(|code| warning["code"] == *code) {
            told += &format!(" | warning {}", word(&warning["code"]));
        }
    }
    let lines = answer["explain"].as_array().into_iter().flatten();
    let line = lines.into_iter().find(|line| line["about"] == "tool" && line["subject"] == kind).ok_or("a line")?;
    assert_eq!(line["outcome"], tool["status"], "the tree says the same: {line}");
    Ok(told)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// What administrators are told of the plugin, and of the tools that no person sees.
async fn listed(host: &TestHost) -> Result<String, Failure> {
    let listed = host.get("/api/v1/plugins").await?.json();
    let plugins = listed["items"].as_array().into_iter().flatten();
    let ours = plugins.filter(|plugin| plugin["publisher"] == "tests");
    let mut told: Vec<String> = ours.map(|it| format!("{} {}", word(&it["serving"]), word(&it["reason"]))).collect();
    let tools = listed["withoutRule"].as_array().into_iter().flatten();
    told.extend(tools.map(|tool| format!("hides {}", word(&tool["tool"]))));
    Ok(if told.is_empty() { "nothing".to_owned() } else { told.join(", ") })
}

async fn told(host: &TestHost, way: &str, kind: &str) -> Result<String, Failure> {
    Ok(format!("{way}: {}\n  {}\n", stranger(host, kind).await?, listed(host).await?))
}

async fn switch(host: &TestHost, body: Value) -> Done {
    let reply = host.put(&format!("{GREETER}/state"), body).await?;
    if reply.status == 200 { Ok(()) } else { Err(reply.to_string().into()) }
}

async fn install(host: &TestHost, query: &str, component: &[u8]) -> Done {
    let reply = host.install(query, component).await?;
    if reply.status == 201 { Ok(()) } else { Err(reply.to_string().into()) }
}

async fn export(host: &TestHost) -> Result<Vec<u8>, Failure> {
    Ok(host.request(Method::GET, "/api/v1/export").send().await?.bytes().await?.to_vec())
}

/// What a fresh environment makes of an export: what the report warns of, and then what a stranger gets.
async fn elsewhere(zip: Vec<u8>, kind: &str) -> Result<String, Failure> {
    let other = host().await?;
    let report = other.import("/api/v1/imports", zip.clone()).await?.json();
    let warnings = report["warnings"].as_array().into_iter().flatten();
    let codes = ["plugin-missing", "no-rule"];
    let warnings = warnings.filter(|warning| codes.iter().any(|code| warning["code"] == *code));
    let warnings: Vec<_> = warnings.map(|it| format!("{} at {}", it["code"], it["where"]).replace('"', "")).collect();
    let again = other.import("/api/v1/imports", zip).await?.json();
    assert_eq!(again["revision"], report["revision"], "a second import changes nothing: {again}");
    Ok(format!("{}report {}\n", told(&other, "never brought", kind).await?, warnings.join(", ")))
}

#[tokio::test]
async fn a_rule_of_its_own_kind_that_is_absent_shows_nothing() -> Done {
    let host = host().await?;
    install(&host, "", &greeter("1.0.0", "greeter", "")?).await?;
    place(&host).await?;
    let mut ways = told(&host, "serves", "greeter").await?;
    switch(&host, json!({"state": "inactive"})).await?;
    ways += &told(&host, "inactive", "greeter").await?;
    switch(&host, json!({"state": "inactive", "fallBack": true})).await?;
    ways += &told(&host, "given up", "greeter").await?;
    switch(&host, json!({"state": "active"})).await?;
    ways += &told(&host, "on again", "greeter").await?;
    let zip = export(&host).await?;
    assert_eq!(host.delete(GREETER).await?.status, 204);
    ways += &told(&host, "removed", "greeter").await?;
    install(&host, "", &greeter("1.1.0", "greeter", ASKS)?).await?;
    ways += &told(&host, "ungranted", "greeter").await?;
    ways += &elsewhere(zip, "greeter").await?;
    assert_snapshot!(ways, @r#"
    serves: hidden no-customer The session has no `customerName`.
      active -
    inactive: hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter` is switched off; switch it on with `PUT /api/v1/plugins/tests/greeter/state`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      inactive plugin `tests/greeter` is switched off, hides contoso_greeter
    given up: hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter` is switched off; switch it on with `PUT /api/v1/plugins/tests/greeter/state`, or write `"withoutRule": "show"` into pane tool `contoso_greeter` if it needs no rule | warning no-rule
      inactive plugin `tests/greeter` is switched off, hides contoso_greeter
    on again: hidden no-customer The session has no `customerName`.
      active -
    removed: hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter`, which declared it, is not here any more; install it again with `POST /api/v1/plugins`, or write `"withoutRule": "show"` into pane tool `contoso_greeter` if it needs no rule | warning no-rule
      hides contoso_greeter
    ungranted: hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter` 1.1.0 waits for a decision about what it asks to reach; decide with `PUT /api/v1/plugins/tests/greeter/versions/1.1.0/grant` and activate it, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      waiting plugin `tests/greeter` 1.1.0 waits for a decision about what it asks to reach, hides contoso_greeter
    never brought: hidden no-rule no rule decides about tools of the kind `greeter`: no version of plugin `tests/greeter` is installed here, though it is expected; install it with `POST /api/v1/plugins`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      expected no version of plugin `tests/greeter` is installed here, though it is expected, hides contoso_greeter
    report plugin-missing at plugins/tests/greeter, no-rule at pane-tools/contoso_greeter
    "#);
    Ok(())
}

#[tokio::test]
async fn a_built_in_rule_takes_over_only_where_that_was_said() -> Done {
    let host = host().await?;
    let mut ways = told(&host, "before", "scripts").await?;
    install(&host, "?activate=false", &greeter("0.9.0", "scripts", ASKS)?).await?;
    ways += &told(&host, "only installed", "scripts").await?;
    install(&host, "", &greeter("1.0.0", "scripts", ASKS)?).await?;
    ways += &told(&host, "ungranted", "scripts").await?;
    let granted = host.put(&format!("{GREETER}/versions/1.0.0/grant"), json!({"all": true})).await?;
    assert_eq!(granted.status, 200, "{granted}");
    ways += &told(&host, "granted", "scripts").await?;
    let activated = host.post(&format!("{GREETER}/activate"), json!({"version": "1.0.0"})).await?;
    assert_eq!(activated.status, 200, "{activated}");
    ways += &told(&host, "serves", "scripts").await?;
    let zip = export(&host).await?;
    switch(&host, json!({"state": "inactive"})).await?;
    ways += &told(&host, "inactive", "scripts").await?;
    let refused = host.delete(GREETER).await?;
    assert_snapshot!(refused, @r#"409 {"code":"falls-back","detail":"plugin `tests/greeter` answers for tools of these kinds, and without it people would be shown what it may have hidden: `scripts`; say `?fallBack=true` if that is meant"}"#);
    switch(&host, json!({"state": "inactive", "fallBack": true})).await?;
    ways += &told(&host, "given up", "scripts").await?;
    switch(&host, json!({"state": "active"})).await?;
    install(&host, "", &rule(guests::WELL_BEHAVED, "greeter", "1.1.0", "macros")?).await?;
    ways += &told(&host, "a newer version does less", "scripts").await?;
    let back = Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback"))).await?;
    assert_eq!(back.status, 200, "{back}");
    ways += &told(&host, "rolled back", "scripts").await?;
    install(&host, "", &rule(guests::PANICS, "greeter", "1.2.0", "scripts")?).await?;
    for _ in 0..6 {
        stranger(&host, "scripts").await?;
    }
    let suspended = stranger(&host, "scripts").await?;
    assert!(suspended.starts_with("failed"), "{suspended}");
    assert_eq!(host.delete(&format!("{GREETER}?fallBack=true")).await?.status, 204);
    ways += &told(&host, "removed, as it was meant", "scripts").await?;
    ways += &elsewhere(zip, "scripts").await?;
    assert_snapshot!(ways, @r#"
    before: shown - -
      nothing
    only installed: shown - -
      waiting plugin `tests/greeter` 0.9.0 waits for a decision about what it asks to reach
    ungranted: hidden no-rule no rule decides about tools of the kind `scripts`: plugin `tests/greeter` 1.0.0 waits for a decision about what it asks to reach; decide with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant` and activate it, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      waiting plugin `tests/greeter` 1.0.0 waits for a decision about what it asks to reach, hides msdyn_callscript_tool_config
    granted: hidden no-rule no rule decides about tools of the kind `scripts`: no version of plugin `tests/greeter` was activated; activate one with `POST /api/v1/plugins/tests/greeter/activate`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      installed no version of plugin `tests/greeter` was activated, hides msdyn_callscript_tool_config
    serves: hidden no-customer The session has no `customerName`.
      active -
    inactive: hidden no-rule no rule decides about tools of the kind `scripts`: plugin `tests/greeter` is switched off; switch it on with `PUT /api/v1/plugins/tests/greeter/state`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      inactive plugin `tests/greeter` is switched off, hides msdyn_callscript_tool_config
    given up: shown - -
      inactive plugin `tests/greeter` is switched off
    a newer version does less: hidden no-rule no rule decides about tools of the kind `scripts`: plugin `tests/greeter` 1.1.0 serves and does not declare it; let a version that does serve with `POST /api/v1/plugins/tests/greeter/activate`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      active plugin `tests/greeter` 1.1.0 does less than it answers for, hides msdyn_callscript_tool_config
    rolled back: hidden no-customer The session has no `customerName`.
      active -
    removed, as it was meant: shown - -
      nothing
    never brought: hidden no-rule no rule decides about tools of the kind `scripts`: no version of plugin `tests/greeter` is installed here, though it is expected; install it with `POST /api/v1/plugins`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      expected no version of plugin `tests/greeter` is installed here, though it is expected, hides msdyn_callscript_tool_config
    report plugin-missing at plugins/tests/greeter
    "#);
    Ok(())
}

#[tokio::test]
async fn a_guard_that_is_absent_lets_nobody_in() -> Done {
    let host = host().await?;
    install(&host, "", &guard("abort", ASKS)?).await?;
    let mut ways = told(&host, "ungranted", "scripts").await?;
    let granted = host.put(&format!("{GREETER}/versions/1.0.0/grant"), json!({})).await?;
    assert_eq!(granted.status, 200, "{granted}");
    let activated = host.post(&format!("{GREETER}/activate"), json!({"version": "1.0.0"})).await?;
    assert_eq!(activated.status, 200, "{activated}");
    let step = format!("{GREETER}/steps/strangers");
    let hide = json!({"configuration": {"hide": "Not for strangers."}});
    assert_eq!(host.put(&step, hide.clone()).await?.status, 200);
    ways += &told(&host, "serves", "scripts").await?;
    let zip = export(&host).await?;
    switch(&host, json!({"state": "inactive"})).await?;
    ways += &told(&host, "inactive", "scripts").await?;
    assert_eq!(host.delete(GREETER).await?.json()["code"], "falls-back");
    // An administrator who says that the step may be passed over says so of one that is off, too.
    assert_eq!(host.put(&step, json!({"onFault": "skip"})).await?.status, 200);
    ways += &told(&host, "inactive, and may be passed over", "scripts").await?;
    assert_eq!(host.put(&step, hide).await?.status, 200);
    ways += &told(&host, "inactive, and may not", "scripts").await?;
    switch(&host, json!({"state": "inactive", "fallBack": true})).await?;
    ways += &told(&host, "given up", "scripts").await?;
    switch(&host, json!({"state": "active"})).await?;
    assert_eq!(host.put(&step, json!({"configuration": {"trap": true}})).await?.status, 200);
    for _ in 0..6 {
        assert!(!stranger(&host, "scripts").await?.starts_with("shown"), "one that breaks ends the answer");
    }
    assert_eq!(host.delete(&format!("{GREETER}?fallBack=true")).await?.status, 204);
    ways += &told(&host, "removed, as it was meant", "scripts").await?;
    ways += &elsewhere(zip, "scripts").await?;
    assert_snapshot!(ways, @r#"
    ungranted: hidden no-rule a step that guards tools of the kind `scripts` is not asked: plugin `tests/greeter` 1.0.0 waits for a decision about what it asks to reach; decide with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant` and activate it, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      waiting plugin `tests/greeter` 1.0.0 waits for a decision about what it asks to reach, hides msdyn_callscript_tool_config
    serves: hidden not-so Not for strangers.
      active -
    inactive: hidden no-rule a step that guards tools of the kind `scripts` is not asked: plugin `tests/greeter` is switched off; switch it on with `PUT /api/v1/plugins/tests/greeter/state`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      inactive plugin `tests/greeter` is switched off, hides msdyn_callscript_tool_config
    inactive, and may be passed over: shown - - | warning no-step
      inactive plugin `tests/greeter` is switched off
    inactive, and may not: hidden no-rule a step that guards tools of the kind `scripts` is not asked: plugin `tests/greeter` is switched off; switch it on with `PUT /api/v1/plugins/tests/greeter/state`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      inactive plugin `tests/greeter` is switched off, hides msdyn_callscript_tool_config
    given up: shown - -
      inactive plugin `tests/greeter` is switched off
    removed, as it was meant: shown - -
      nothing
    never brought: hidden no-rule a step that guards tools of the kind `scripts` is not asked: no version of plugin `tests/greeter` is installed here, though it is expected; install it with `POST /api/v1/plugins`, or say `"fallBack": true` with `PUT /api/v1/plugins/tests/greeter/state` to leave its tools to what else decides about them | warning no-rule
      expected no version of plugin `tests/greeter` is installed here, though it is expected, hides msdyn_callscript_tool_config
    report plugin-missing at plugins/tests/greeter
    "#);
    Ok(())
}

#[tokio::test]
async fn a_step_that_may_be_passed_over_is_missed_by_name() -> Done {
    let host = host().await?;
    install(&host, "", &guard("skip", ASKS)?).await?;
    let mut ways = told(&host, "ungranted", "scripts").await?;
    switch(&host, json!({"state": "inactive"})).await?;
    ways += &told(&host, "inactive", "scripts").await?;
    switch(&host, json!({"state": "inactive", "fallBack": true})).await?;
    ways += &told(&host, "given up", "scripts").await?;
    assert_snapshot!(ways, @r#"
    ungranted: shown - - | warning no-step
      waiting plugin `tests/greeter` 1.0.0 waits for a decision about what it asks to reach
    inactive: shown - - | warning no-step
      inactive plugin `tests/greeter` is switched off
    given up: shown - -
      inactive plugin `tests/greeter` is switched off
    "#);
    Ok(())
}

#[tokio::test]
async fn an_archive_takes_no_tool_from_people_by_naming_a_plugin() -> Done {
    let there = host().await?;
    install(&there, "", &greeter("1.0.0", "scripts", "")?).await?;
    let zip = export(&there).await?;
    let host = host().await?;
    let made = host.post("/api/v1/tokens", json!({"name": "setup", "roles": ["app-profile-administrator"]})).await?;
    let secret = made.json()["secret"].as_str().ok_or("secret")?.to_owned();
    let import_as = |zip: Vec<u8>| {
        let request = host.anonymous(Method::POST, "/api/v1/imports").bearer_auth(&secret);
        Reply::to(request.header("content-type", "application/zip").body(zip))
    };
    let before = stranger(&host, "scripts").await?;
    assert_snapshot!(import_as(zip.clone()).await?, @r#"403 {"code":"forbidden","detail":"the archive names plugin `tests/greeter`, which does not serve here, and without it tools of these kinds would be hidden, though something decides about them: `scripts`; have the plugin installed first, or have a caller with the privilege `plugin.configure` import the archive"}"#);
    assert_eq!(stranger(&host, "scripts").await?, before);
    // With the plugin here there is nothing to wait for.
    install(&host, "", &greeter("1.0.0", "scripts", "")?).await?;
    let taken = import_as(zip).await?;
    assert_eq!(taken.status, 200, "{taken}");
    Ok(())
}

#[tokio::test]
async fn a_kind_that_nothing_knows_is_refused_unless_it_needs_no_rule() -> Done {
    let host = host().await?;
    let put = async |kind: &str, without: Value| -> Result<Reply, Failure> {
        let mut tool = json!({"name": "Desk", "kind": kind, "control": "desk"});
        if !without.is_null() {
            tool["withoutRule"] = without;
        }
        host.put("/api/v1/pane-tools/contoso_desk", tool).await
    };
    assert_snapshot!(put("marcos", Value::Null).await?, @r#"409 {"code":"unknown-tool-kind","detail":"`kind`: no plugin here declares or ever declared the tool kind `marcos`, so the tool would be hidden: near it: `macros`; install the plugin first, or write `\"withoutRule\": \"show\"` if the tool needs no rule","errors":[{"attribute":"kind","message":"no plugin here declares or ever declared the tool kind `marcos`, so the tool would be hidden: near it: `macros`; install the plugin first, or write `\"withoutRule\": \"show\"` if the tool needs no rule"}]}"#);
    assert_snapshot!(put("deliveries", json!("hide")).await?, @r#"409 {"code":"unknown-tool-kind","detail":"`kind`: no plugin here declares or ever declared the tool kind `deliveries`, so the tool would be hidden: known: `knowledge-search`, `macros`, `scripts`, `smart-assist`; install the plugin first, or write `\"withoutRule\": \"show\"` if the tool needs no rule","errors":[{"attribute":"kind","message":"no plugin here declares or ever declared the tool kind `deliveries`, so the tool would be hidden: known: `knowledge-search`, `macros`, `scripts`, `smart-assist`; install the plugin first, or write `\"withoutRule\": \"show\"` if the tool needs no rule"}]}"#);
    assert_snapshot!(put("deliveries", json!("perhaps")).await?, @r#"422 {"code":"invalid-item","detail":"pane tool `contoso_desk` is not valid: `withoutRule`: unknown variant `perhaps`, expected `hide` or `show`","errors":[{"attribute":"withoutRule","message":"unknown variant `perhaps`, expected `hide` or `show`"}]}"#);
    assert_eq!(put("macros", Value::Null).await?.status, 201);
    assert_eq!(put("deliveries", json!("show")).await?.status, 200);
    // What is there already can be changed otherwise.
    let renamed = host.patch("/api/v1/pane-tools/contoso_desk", json!({"name": "Van", "withoutRule": null})).await?;
    assert_eq!(renamed.status, 200, "{renamed}");
    // A kind that was declared once is known.
    install(&host, "", &greeter("1.0.0", "greeter", "")?).await?;
    assert_eq!(host.delete(GREETER).await?.status, 204);
    assert_eq!(put("greeter", Value::Null).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_environment_and_the_tool_say_what_needs_no_rule() -> Done {
    let host = host().await?;
    install(&host, "", &greeter("1.0.0", "greeter", "")?).await?;
    place(&host).await?;
    assert_eq!(host.delete(GREETER).await?.status, 204);
    let mut answers = String::new();
    for (environment, tool) in
        [("hide", Value::Null), ("show", Value::Null), ("hide", json!("show")), ("show", json!("hide"))]
    {
        let plugins = json!({"plugins": {"withoutRule": environment}});
        let written = host.put("/api/v1/environment", plugins).await?;
        assert_eq!(written.status, 200, "{written}");
        assert_eq!(host.patch("/api/v1/pane-tools/contoso_greeter", json!({"withoutRule": tool})).await?.status, 200);
        answers += &format!("{environment} {tool}: {}\n", stranger(&host, "greeter").await?);
    }
    assert_snapshot!(answers, @r#"
    hide null: hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter`, which declared it, is not here any more; install it again with `POST /api/v1/plugins`, or write `"withoutRule": "show"` into pane tool `contoso_greeter` if it needs no rule | warning no-rule
    show null: shown - - | warning no-rule
    hide "show": shown - - | warning no-rule
    show "hide": hidden no-rule no rule decides about tools of the kind `greeter`: plugin `tests/greeter`, which declared it, is not here any more; install it again with `POST /api/v1/plugins`, or write `"withoutRule": "show"` into pane tool `contoso_greeter` if it needs no rule | warning no-rule
    "#);
    Ok(())
}

#[tokio::test]
async fn a_question_about_the_past_is_answered_as_it_was() -> Done {
    let host = host().await?;
    let at = |revision: &str| {
        format!("/api/v1/users/kayla/experience?app=customer-service-workspace&explain=full&asOf={revision}")
    };
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter", "withoutRule": "show"});
    host.put("/api/v1/pane-tools/contoso_greeter", tool).await?;
    host.patch("/api/v1/pane-tools/contoso_greeter", json!({"withoutRule": "hide"})).await?;
    let placed = place(&host).await?;
    let before = host.get(&at(&placed)).await?.text;
    install(&host, "", &greeter("1.0.0", "greeter", "")?).await?;
    assert_eq!(host.get(&at(&placed)).await?.text, before, "what was declared later was not declared then");
    assert_eq!(host.delete(GREETER).await?.status, 204);
    install(&host, "", &rule(guests::FAILS, "other", "1.0.0", "other")?).await?;
    assert_eq!(host.get(&at(&placed)).await?.text, before);
    Ok(())
}
