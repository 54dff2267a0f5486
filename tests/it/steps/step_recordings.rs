//! Recordings of calls of steps: what they were asked and answered, the same again, and a gate before versions that
//! answer otherwise.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, handler, tool_steps};
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::program::plugin;
use serde_json::{Value, json};

const GUARD: &str = "/api/v1/plugins/tests/guard";
const PROFILE: &str = "/api/v1/profiles/contoso_rep";

/// What the steps of the guard are asked about.
const STEPS: [(&str, &str, u32); 3] =
    [("check", "profile.update", 10), ("given", "profile.assign", 10), ("told", "profile.create", 20)];

/// A server with a guard of changes that does what it is told, recorded as `redact` says.
async fn guarded(redact: Value) -> Result<TestHost, Failure> {
    let host = TestHost::with_platform().await?;
    installed(&host, &handler(guests::CHANGES, "guard", "1.0.0", &STEPS)?).await?;
    record(&host, GUARD, redact).await?;
    Ok(host)
}

async fn installed(host: &TestHost, component: &[u8]) -> Done {
    let installed = host.install("", component).await?;
    if installed.status == 201 { Ok(()) } else { Err(installed.to_string().into()) }
}

async fn record(host: &TestHost, plugin: &str, redact: Value) -> Done {
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let put = host.put(&format!("{plugin}/recording"), json!({"until": until, "redact": redact})).await?;
    if put.status == 200 { Ok(()) } else { Err(put.to_string().into()) }
}

async fn tell(host: &TestHost, step: &str, configuration: Value) -> Done {
    let told = host.put(&format!("{GUARD}/steps/{step}"), json!({ "configuration": configuration })).await?;
    if told.status == 200 { Ok(()) } else { Err(told.to_string().into()) }
}

async fn listed(host: &TestHost, plugin: &str) -> Result<Vec<Value>, Failure> {
    let listed = host.get(&format!("/api/v1/recordings?plugin=tests%2F{plugin}")).await?.json();
    Ok(listed["items"].as_array().cloned().unwrap_or_default())
}

async fn first(host: &TestHost, plugin: &str) -> Result<Value, Failure> {
    let id = listed(host, plugin).await?.first().ok_or("nothing is recorded")?["id"].clone();
    Ok(host.get(&format!("/api/v1/recordings/{}", id.as_str().unwrap_or_default())).await?.json())
}

async fn replay(host: &TestHost, recording: &Value, query: &str) -> Result<Value, Failure> {
    let id = recording["id"].as_str().unwrap_or_default();
    Ok(host.post(&format!("/api/v1/recordings/{id}/replay{query}"), json!({})).await?.json())
}

#[tokio::test]
async fn a_step_that_is_asked_about_a_change_is_recorded_whole_and_answers_the_same_again() -> Done {
    let host = guarded(json!([])).await?;
    tell(&host, "check", json!({"patch": {"description": "checked"}, "share": 7})).await?;
    for name in ["One", "Two", "One"] {
        assert_eq!(host.patch(PROFILE, json!({ "name": name, "description": "" })).await?.status, 200);
    }
    let list = listed(&host, "guard").await?;
    let shown: Vec<String> = list
        .iter()
        .map(|it| format!("{} {} {} {} {}", it["tool"], it["step"], it["profile"], it["status"], it["users"]))
        .collect();
    assert_snapshot!(shown.join("\n"), @r#"
    "profile.update" "check" "" "proceeds" ["admin"]
    "profile.update" "check" "" "proceeds" ["admin"]
    "#);
    let recording = first(&host, "guard").await?;
    let event = &recording["step"]["about"]["event"];
    assert_eq!((&event["message"], &event["stage"]), (&json!("profile.update"), &json!(10)));
    assert_eq!(event["targets"][0]["name"], "contoso_rep");
    assert_eq!(recording["step"]["configuration"], json!({"patch": {"description": "checked"}, "share": 7}));
    assert_eq!(
        recording["answer"],
        json!({
            "status": "proceeds", "shared": [["check", "7"]],
            "patches": [{"target": 0, "patch": {"description": "checked"}}]
        })
    );
    assert_eq!((&recording["reproduced"], &recording["format"]), (&json!(true), &json!(2)));
    // Whatever becomes of the configuration and of what the step is told.
    tell(&host, "check", json!({"reject": {"message": "No.", "attribute": "name"}})).await?;
    assert_eq!(replay(&host, &recording, "").await?["same"], true);
    assert_eq!(host.patch(PROFILE, json!({"name": "Three"})).await?.status, 400);
    let rejected = first(&host, "guard").await?;
    assert_eq!(
        rejected["answer"],
        json!({"status": "rejected", "code": "not-so", "message": "No.", "attribute": "name"})
    );
    assert_eq!(replay(&host, &rejected, "").await?["same"], true);
    Ok(())
}

#[tokio::test]
async fn who_made_a_change_can_be_replaced_and_then_nothing_of_people_is_recorded() -> Done {
    let host = guarded(json!(["user"])).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "Other"})).await?.status, 200);
    let recording = first(&host, "guard").await?;
    assert_eq!(
        recording["step"]["about"]["event"]["properties"],
        json!([["author", "redacted"], ["reason", "redacted"]])
    );
    assert_eq!((&recording["user"], &recording["redacted"]), (&Value::Null, &json!(["author", "user"])));
    assert_eq!(listed(&host, "guard").await?[0]["users"], json!([]));
    let given = host.request("PUT".parse()?, &format!("{PROFILE}/users/kayla"));
    assert!(loadout_tests::host::Reply::to(given).await?.status < 300);
    assert_eq!(listed(&host, "guard").await?.len(), 1, "who was given a profile is nobody's business");
    Ok(())
}

#[tokio::test]
async fn a_version_that_answers_changes_otherwise_does_not_pass_the_gate() -> Done {
    let host = guarded(json!([])).await?;
    for name in ["One", "Two"] {
        assert_eq!(host.patch(PROFILE, json!({ "name": name })).await?.status, 200);
    }
    let gated = host.put(&format!("{GUARD}/promotion"), json!({"gate": "recordings", "recordings": 2})).await?;
    assert_eq!(gated.status, 200, "{gated}");
    for (component, version, expected) in [
        (handler(guests::CHANGES, "guard", "1.1.0", &STEPS)?, "1.1.0", ""),
        (handler(guests::OBJECTS, "guard", "1.2.0", &STEPS)?, "1.2.0", "profile.update status 2"),
        (handler(guests::CHANGES, "guard", "1.3.0", &STEPS[1..])?, "1.3.0", "profile.update undecided 2"),
    ] {
        let installed = host.install("", &component).await?.json();
        let differences = installed["comparison"]["differences"].as_array().cloned().unwrap_or_default();
        let told = |it: &Value| format!("{} {} {}", it["tool"], it["field"], it["count"]).replace('"', "");
        let told: Vec<String> = differences.iter().map(told).collect();
        assert_eq!(told.join("\n"), expected, "{version}: {installed}");
        let serves = host.get(GUARD).await?.json()["version"].clone();
        assert_eq!(serves, "1.1.0", "{version}");
    }
    assert_eq!(host.patch(PROFILE, json!({"name": "Three"})).await?.status, 200, "nobody was asked to object");
    Ok(())
}

#[tokio::test]
async fn a_laptop_asks_a_step_the_same_and_says_what_a_component_has_not() -> Done {
    let host = guarded(json!([])).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "Other"})).await?.status, 200);
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("call.json"), first(&host, "guard").await?.to_string())?;
    std::fs::write(file("same.wasm"), handler(guests::CHANGES, "guard", "1.0.0", &STEPS)?)?;
    std::fs::write(file("other.wasm"), handler(guests::OBJECTS, "guard", "1.1.0", &STEPS)?)?;
    std::fs::write(file("less.wasm"), handler(guests::CHANGES, "guard", "1.2.0", &STEPS[1..])?)?;
    let replay = |component: &str| -> Result<String, Failure> {
        let said = plugin(folder.path(), &["replay", "call.json", "--component", component])?;
        let (code, said) = said.split_once(' ').ok_or("no exit code")?;
        let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("recorded ")).collect();
        Ok(format!("{code} {}", said.join("\n")))
    };
    assert_snapshot!(replay("same.wasm")?, @r#"
    0 asked      tests/guard 1.0.0, the component that was recorded
    same       yes, byte by byte
    "#);
    assert_snapshot!(replay("other.wasm")?, @r#"
    1 asked      tests/guard 1.1.0, another component
    same       no
    differs    status: "proceeds" was recorded, now "rejected"
    error: `other.wasm` does not answer as recorded in `call.json`
    "#);
    assert_snapshot!(replay("less.wasm")?, @"2 error: `less.wasm` is plugin `tests/guard`, and `call.json` is of a call of step `check` about `profile.update`: name a component that has it");
    Ok(())
}

#[tokio::test]
async fn a_step_around_a_rule_is_recorded_with_what_it_was_given() -> Done {
    let host = TestHost::with_platform().await?;
    installed(&host, &guests::rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    let steps: [(&str, &[&str], u32, i32); 2] = [("early", &["scripts"], 20, 0), ("late", &["scripts"], 40, 0)];
    installed(&host, &tool_steps("around", "1.0.0", "", &steps)?).await?;
    let around = "/api/v1/plugins/tests/around";
    record(&host, around, json!(["user"])).await?;
    for (step, told) in
        [("early", json!({"patch": {"given": "by a step"}})), ("late", json!({"patch": {"more": true}}))]
    {
        host.put(&format!("{around}/steps/{step}"), json!({ "configuration": told })).await?;
    }
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    assert_eq!(host.post("/api/v1/experience", question.clone()).await?.status, 200);
    let mut told = Vec::new();
    for item in listed(&host, "around").await? {
        let id = item["id"].as_str().unwrap_or_default();
        let recording = host.get(&format!("/api/v1/recordings/{id}")).await?.json();
        assert_eq!(replay(&host, &recording, "").await?["same"], true, "{recording}");
        let about = &recording["step"]["about"];
        told.push(format!(
            "{} {} {} {} {}\n  {} {}\n  {}",
            item["tool"],
            item["step"],
            item["profile"],
            item["users"],
            item["status"],
            about["stage"],
            about["decision"],
            recording["answer"]
        ));
    }
    told.sort();
    assert_snapshot!(told.join("\n"), @r#"
    "scripts" "early" "contoso_rep" [] "amended"
      20 null
      {"status":"amended","settings":{"given":"by a step"}}
    "scripts" "late" "contoso_rep" [] "shown"
      40 {"status":"shown","payload":{"greeting":"Hello Ada","refused":true},"items":[]}
      {"status":"shown","payload":{"greeting":"Hello Ada","refused":true,"more":true},"items":[]}
    "#);
    // Where a customer's values are replaced, what others made of them is not kept: it may have them all.
    host.delete(&format!("{around}/recordings")).await?;
    for plugin in [around, "/api/v1/plugins/tests/greeter"] {
        record(&host, plugin, json!(["context.*"])).await?;
    }
    assert_eq!(host.post("/api/v1/experience", question).await?.status, 200);
    let left = listed(&host, "around").await?;
    assert_eq!((left.len(), &left[0]["step"]), (1, &json!("early")), "{left:?}");
    assert!(!first(&host, "around").await?.to_string().contains("Ada"));
    assert_eq!(listed(&host, "greeter").await?.len(), 0, "its settings are a step's");
    Ok(())
}
