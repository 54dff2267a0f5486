//! Steps in changes of configuration: they see, propose, refuse and break, and what is written is what all of them agreed to.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use loadout::plugin::Config;
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::guests;
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::program;
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

/// The tool whose plugin takes a text as `sourceField`.
const KNOWLEDGE: &str = "msdyn_knowledgesearch_tool_config";

const PROFILE: &str = "/api/v1/profiles/contoso_rep";

/// A server with the guest `changes`, of which each step does nothing until it is told.
async fn host() -> Result<TestHost, Failure> {
    let host = TestHost::with_platform().await?;
    let installed = host.install("", guests::CHANGES).await?;
    if installed.status == 201 { Ok(host) } else { Err(installed.to_string().into()) }
}

async fn tell(host: &TestHost, step: &str, wanted: Value) -> Done {
    let told = host.put(&format!("/api/v1/plugins/tests/changes/steps/{step}"), wanted).await?;
    if told.status == 200 { Ok(()) } else { Err(told.to_string().into()) }
}

async fn revision(host: &TestHost) -> Result<u64, Failure> {
    let newest = host.get("/api/v1/revisions?limit=1").await?.json();
    newest["items"][0]["revision"].as_u64().ok_or_else(|| "no revision".into())
}

#[tokio::test]
async fn a_rejection_names_the_attribute_and_the_step_and_nothing_is_written() -> Done {
    let host = host().await?;
    for (step, change) in [
        ("check", ("PATCH", PROFILE, json!({"name": "Other"}))),
        ("stamp", ("PATCH", PROFILE, json!({"name": "Other"}))),
        ("after", ("PATCH", PROFILE, json!({"name": "Other"}))),
        ("born", ("PUT", "/api/v1/profiles/contoso_new", json!({"name": "New"}))),
        ("given", ("PUT", "/api/v1/profiles/contoso_rep/users/kayla", json!({}))),
    ] {
        let rejection = json!({"reject": {"message": "Not on a Sunday.", "attribute": "name"}});
        tell(&host, step, json!({"configuration": rejection})).await?;
        let before = revision(&host).await?;
        let (method, path, body) = change;
        let request = host.request(method.parse()?, path);
        let request = if step == "given" { request } else { request.json(&body) };
        let refused = Reply::to(request).await?;
        assert_eq!(
            (refused.status, refused.to_string()),
            (
                400,
                format!(
                    r#"400 {{"code":"plugin.rejected","detail":"Not on a Sunday.","errors":[{{"attribute":"name","message":"Not on a Sunday."}}],"step":{{"plugin":"tests/changes","version":"1.0.0","step":"{step}","code":"not-so"}}}}"#
                )
            )
        );
        assert_eq!(revision(&host).await?, before, "nothing is written");
        tell(&host, step, json!({})).await?;
    }
    assert_eq!(host.patch(PROFILE, json!({"name": "Other"})).await?.status, 200, "now nobody minds");
    Ok(())
}

#[tokio::test]
async fn the_log_says_which_step_of_which_version_refused_what() -> Done {
    let host = host().await?;
    let secret = json!({"reject": {"message": "Not on a Sunday.", "attribute": "name"}, "note": "hidden-away"});
    tell(&host, "stamp", json!({"configuration": secret})).await?;
    let refused = host.patch(PROFILE, json!({"name": "Other"})).await?;
    let traces = host.get(&format!("/api/v1/traces?request={}", refused.header("x-request-id"))).await?;
    let calls: Vec<String> = traces.json()["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            let fields = ["message", "resource", "stage", "rank", "step", "plugin", "version", "outcome"];
            fields.map(|field| it[field].to_string().replace('"', "")).join(" ")
        })
        .collect();
    assert_snapshot!(calls.join("\n"), @r#"
    profile.update profiles 20 1 stamp tests/changes 1.0.0 rejected
    profile.update profiles 10 0 check tests/changes 1.0.0 succeeded
    "#);
    tell(&host, "stamp", json!({"configuration": {"garbage": "{"}})).await?;
    host.patch(PROFILE, json!({"name": "Other"})).await?;
    tell(&host, "stamp", json!({"configuration": {"patch": {"nonsense": 1}}})).await?;
    let disbelieved = host.patch(PROFILE, json!({"name": "Other"})).await?;
    let invalid = host.get("/api/v1/traces?outcome=invalid&plugin=tests/changes").await?;
    assert_eq!(invalid.json()["items"].as_array().map(Vec::len), Some(2), "{invalid} {disbelieved}");
    assert!(!traces.text.contains("hidden-away"), "what a step is told is nobody else's affair");
    Ok(())
}

#[tokio::test]
async fn a_step_is_asked_only_about_what_concerns_it_and_sees_what_it_declared() -> Done {
    let host = host().await?;
    tell(&host, "check", json!({"configuration": {"share": {"from": "check"}}})).await?;
    tell(&host, "stamp", json!({"configuration": {"tell": true}})).await?;
    let other = host.patch(PROFILE, json!({"description": "Only this"})).await?.json();
    assert_eq!(other["description"], "Only this", "the name did not change, so the step was not asked");
    let same = host.patch(PROFILE, json!({"name": other["name"], "description": "That"})).await?.json();
    assert_eq!(same["description"], "That", "the name was sent, and is the same");
    let renamed = host.patch(PROFILE, json!({"name": "Renamed"})).await?.json();
    let seen = renamed["description"].as_str().unwrap_or_default();
    assert_snapshot!(seen, @r#"["stamp","profile.update",20,["name"],{"before":"{\"name\":\"Contoso Representative\"}"},["check"],"admin"]"#);
    Ok(())
}

#[tokio::test]
async fn steps_are_asked_by_rank_and_the_environment_may_decide_otherwise() -> Done {
    let host = host().await?;
    tell(&host, "stamp", json!({"configuration": {"patch": {"description": "stamp"}}})).await?;
    tell(&host, "second", json!({"configuration": {"patch": {"description": "second"}}})).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "A"})).await?.json()["description"], "second");
    tell(&host, "second", json!({"rank": -1, "configuration": {"patch": {"description": "second"}}})).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "B"})).await?.json()["description"], "stamp");
    tell(&host, "stamp", json!({"state": "inactive"})).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "C"})).await?.json()["description"], "second");
    let order: Vec<String> = host.get("/api/v1/steps").await?.json()["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| format!("{} {} {}", step["stage"], step["rank"], step["name"]).replace('"', ""))
        .collect();
    assert_snapshot!(order.join(", "), @"10 0 check, 10 6 given, 10 7 imported, 20 -1 second, 20 1 stamp, 20 5 born, 40 3 after, 40 4 later");
    let reply = host.put("/api/v1/plugins/tests/changes/steps/nothing", json!({})).await?;
    assert_snapshot!(reply, @r#"404 {"code":"not-found","detail":"plugin `tests/changes` has no step `nothing`: it has `after`, `born`, `check`, `given`, `imported` and 3 more"}"#);
    Ok(())
}

#[tokio::test]
async fn a_step_is_told_what_it_needs_before_it_serves() -> Done {
    let host = TestHost::with_platform().await?;
    host.install("?activate=false", guests::CHANGES).await?;
    let address = "/api/v1/plugins/tests/changes/steps/check";
    let wanted = json!({"rank": 3, "configuration": {"reject": {"message": "Not now.", "attribute": "name"}}});
    let before = host.put(address, wanted.clone()).await?;
    assert_eq!((before.status, &before.json()["active"]), (200, &json!(false)), "{before}");
    assert_eq!(host.patch(PROFILE, json!({"name": "Any"})).await?.status, 200, "it is not asked yet");
    host.post("/api/v1/plugins/tests/changes/activate", json!({"version": "1.0.0"})).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "Other"})).await?.json()["detail"], "Not now.");
    let mut serving = host.put(address, wanted.clone()).await?.json();
    assert_eq!(serving["active"].take(), json!(true));
    let mut before = before.json();
    before["active"].take();
    assert_eq!(before, serving, "the same shape");
    host.put("/api/v1/plugins/tests/changes/state", json!({"state": "inactive"})).await?;
    assert_eq!(host.put(address, json!({})).await?.status, 200, "also while it is switched off");
    assert_snapshot!(host.put("/api/v1/plugins/tests/chances/steps/check", wanted).await?, @r#"404 {"code":"not-found","detail":"there is no plugin `tests/chances`: `GET /api/v1/plugins` lists those there are"}"#);
    Ok(())
}

#[tokio::test]
async fn a_step_for_which_there_is_no_room_ends_the_change_or_is_passed_over_and_named() -> Done {
    let no_room = |config| Config { lane: 0, queue: 0, ..config };
    let host = TestHost::with_config(no_room).await?;
    assert_eq!(host.install("", guests::CHANGES).await?.status, 201);
    let before = revision(&host).await?;
    let refused = host.patch(PROFILE, json!({"name": "Broken"})).await?;
    assert_eq!((refused.header("retry-after"), revision(&host).await?), ("1", before), "{refused}");
    assert_snapshot!(refused, @r#"503 {"code":"plugin.busy","detail":"step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: no more than 0 of its calls may wait for a slot, and so many do","step":{"plugin":"tests/changes","version":"1.0.0","step":"check","code":"plugin.busy"}}"#);
    for step in host.get("/api/v1/steps").await?.json()["items"].as_array().into_iter().flatten() {
        tell(&host, step["name"].as_str().unwrap_or_default(), json!({"onFault": "skip"})).await?;
    }
    let passed_over = host.patch(PROFILE, json!({"name": "Without steps"})).await?;
    assert_eq!((passed_over.status, &passed_over.json()["name"]), (200, &json!("Without steps")), "{passed_over}");
    let named = passed_over.header("x-loadout-skipped-steps");
    for step in ["check", "stamp", "second"] {
        assert!(named.contains(&format!("tests/changes 1.0.0 {step} plugin.busy")), "{step}: {named}");
    }
    Ok(())
}

#[tokio::test]
async fn what_breaks_ends_the_change_or_is_passed_over_and_named() -> Done {
    let mut answers = Vec::new();
    for (step, sin) in [
        ("check", json!({"trap": true})),
        ("check", json!({"loop": true})),
        ("check", json!({"fail": "no luck"})),
        ("stamp", json!({"garbage": "{"})),
        ("stamp", json!({"patch": {"nonsense": 1}})),
        ("stamp", json!({"patch": {"productivityPane": {"tools": [{"tool": "contoso_nothing"}]}}})),
        (
            "stamp",
            json!({"patch": {"productivityPane": {"tools": [{"tool": KNOWLEDGE, "settings": {"sourceField": 5}}]}}}),
        ),
        ("after", json!({"patch": {"description": "too late"}})),
    ] {
        // A server for each, so that no step breaks often enough to be suspended.
        let host = host().await?;
        tell(&host, step, json!({"configuration": sin})).await?;
        let before = revision(&host).await?;
        let ended = host.patch(PROFILE, json!({"name": "Broken"})).await?;
        answers.push(ended.to_string());
        assert_eq!(revision(&host).await?, before, "{ended}");
        tell(&host, step, json!({"configuration": sin, "onFault": "skip"})).await?;
        let skipped = host.patch(PROFILE, json!({"name": format!("Without {step} {}", answers.len())})).await?;
        // A patch that only the store refuses cannot be told from the change itself once it is in.
        if skipped.status == 200 {
            answers.push(format!("  skipped: {}", skipped.header("x-loadout-skipped-steps")));
        } else {
            answers.push(format!("  not skipped: {skipped}"));
        }
    }
    assert_snapshot!(answers.join("\n"), @r#"
    500 {"code":"plugin.trapped","detail":"step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it trapped: it panicked","step":{"plugin":"tests/changes","version":"1.0.0","step":"check","code":"plugin.trapped"}}
      skipped: tests/changes 1.0.0 check plugin.trapped
    504 {"code":"plugin.timeout","detail":"step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it ran past its deadline of 1000 ms","step":{"plugin":"tests/changes","version":"1.0.0","step":"check","code":"plugin.timeout"}}
      skipped: tests/changes 1.0.0 check plugin.timeout
    500 {"code":"plugin.failed","detail":"step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it answered with the fault `on-purpose`","step":{"plugin":"tests/changes","version":"1.0.0","step":"check","code":"plugin.failed"}}
      skipped: tests/changes 1.0.0 check plugin.failed
    500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: its patch of target 0 is no JSON: EOF while parsing an object at line 1 column 1","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
      skipped: tests/changes 1.0.0 stamp plugin.invalid-result
    500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: what it makes of `contoso_rep` is not valid: profile `contoso_rep` is not valid: `nonsense`: unknown field `nonsense`, expected one of `name`, `description`, `state`, `apps`, `sessionTemplates`, `productivityPane`, `channels`, `inbox`, `copilot`, `smartAssist`, `applicationExtensions`, `source`","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
      skipped: tests/changes 1.0.0 stamp plugin.invalid-result
    500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: `contoso_nothing` is not in pane-tools (named by `productivityPane.tools` of profiles `contoso_rep`): create what is missing first, or correct the name","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
      not skipped: 500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: `contoso_nothing` is not in pane-tools (named by `productivityPane.tools` of profiles `contoso_rep`): create what is missing first, or correct the name","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
    500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: `productivityPane.tools[0].settings`: Additional properties are not allowed ('sourceField' was unexpected)","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
      not skipped: 500 {"code":"plugin.invalid-result","detail":"step `stamp` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: `productivityPane.tools[0].settings`: Additional properties are not allowed ('sourceField' was unexpected)","step":{"plugin":"tests/changes","version":"1.0.0","step":"stamp","code":"plugin.invalid-result"}}
    500 {"code":"plugin.invalid-result","detail":"step `after` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it patches in stage 40, when the change is made: patch in stage 10 or 20","step":{"plugin":"tests/changes","version":"1.0.0","step":"after","code":"plugin.invalid-result"}}
      skipped: tests/changes 1.0.0 after plugin.invalid-result
    "#);
    Ok(())
}

#[tokio::test]
async fn the_environment_lowers_what_a_step_may_use_and_never_raises_it() -> Done {
    let host = host().await?;
    let limited = |limits: Value| json!({"configuration": {"loop": true}, "limits": limits});
    let mut ends = Vec::new();
    for limits in [json!({"deadlineMs": 20}), json!({"deadlineMs": 4_000_000_000_u32})] {
        tell(&host, "check", limited(limits)).await?;
        let ended = host.patch(PROFILE, json!({"name": "Endless"})).await?;
        ends.push(format!("{} {}", ended.status, ended.json()["detail"]));
    }
    assert_snapshot!(ends.join("\n"), @r#"
    504 "step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it ran past its deadline of 20 ms"
    504 "step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it ran past its deadline of 1000 ms"
    "#);
    tell(&host, "check", json!({"limits": {"memoryMib": 1}})).await?;
    let crammed = host.patch(PROFILE, json!({"name": "Crammed"})).await?;
    assert_eq!((crammed.status, &crammed.json()["code"]), (500, &json!("plugin.memory")), "{crammed}");
    let steps = host.get("/api/v1/steps").await?.json();
    let shown = steps["items"].as_array().into_iter().flatten().find(|it| it["name"] == "check");
    assert_eq!(shown.map(|it| &it["limits"]), Some(&json!({"memoryMib": 1})));
    let path = "/api/v1/plugins/tests/changes/steps/check";
    assert_snapshot!(host.put(path, json!({"limits": {"hostCalls": 0}})).await?, @r#"422 {"code":"invalid-item","detail":"plugin `tests/changes` is not valid: `steps.check.limits.hostCalls`: at least 1 is needed: switch off what should not be asked","errors":[{"attribute":"steps.check.limits.hostCalls","message":"at least 1 is needed: switch off what should not be asked"}]}"#);
    for (limits, named) in
        [(json!({"memoryMib": -1}), "`limits.memoryMib`"), (json!({"fuel": 1}), "unknown field `fuel`")]
    {
        let refused = host.put(path, json!({ "limits": limits })).await?;
        assert!(refused.status == 422 && refused.text.contains(named), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_goes_on_breaking_is_suspended_until_a_try_succeeds() -> Done {
    let host = host().await?;
    tell(&host, "check", json!({"configuration": {"fail": "no luck"}})).await?;
    let mut change = 0;
    let suspended = loop {
        change += 1;
        let answer = host.patch(PROFILE, json!({"name": format!("Try {change}")})).await?;
        if answer.status == 503 {
            break answer;
        }
        assert_eq!(answer.json()["code"], "plugin.failed");
    };
    assert_eq!((&suspended.json()["code"], suspended.header("retry-after")), (&json!("plugin.suspended"), "1"));
    tell(&host, "check", json!({})).await?;
    while host.patch(PROFILE, json!({"name": "At last"})).await?.status != 200 {}
    let health = host.get("/api/v1/plugins/tests/changes").await?.json()["health"].clone();
    assert!(health.as_array().into_iter().flatten().all(|step| step["state"] == "closed"), "{health}");
    Ok(())
}

#[tokio::test]
async fn no_change_goes_past_a_step_whose_component_is_not_ready() -> Done {
    let host = host().await?;
    let plugin = host.get("/api/v1/plugins/tests/changes").await?.json();
    let digest = plugin["digest"].as_str().unwrap_or_default();
    let folder = host.stop_and_keep().await?;
    for entry in fs::read_dir(folder.path().join("cache"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(digest) {
            fs::remove_file(entry.path())?;
        }
    }
    let compiler = folder.path().join("compiler");
    let host = TestHost::again_with(folder, &compiler).await?;
    let before = revision(&host).await?;
    assert_snapshot!(host.patch(PROFILE, json!({"name": "Other"})).await?, @r#"500 {"code":"plugin.not-ready","detail":"step `check` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it cannot be used: it was not made ready: the compiler cannot be started: No such file or directory (os error 2); activate another version, or switch the plugin off","step":{"plugin":"tests/changes","version":"1.0.0","step":"check","code":"plugin.not-ready"}}"#);
    assert_eq!(revision(&host).await?, before, "nothing is written");
    for step in ["check", "stamp", "second", "after"] {
        tell(&host, step, json!({"onFault": "skip"})).await?;
    }
    let passed = host.patch(PROFILE, json!({"name": "Other"})).await?;
    assert_snapshot!(passed.header("x-loadout-skipped-steps"), @"tests/changes 1.0.0 check plugin.not-ready, tests/changes 1.0.0 stamp plugin.not-ready, tests/changes 1.0.0 second plugin.not-ready, tests/changes 1.0.0 after plugin.not-ready");
    let waiting = outbox(&host, |items| items.iter().any(|it| it["code"] == "plugin.not-ready")).await?;
    assert_eq!((&waiting[0]["state"], &waiting[0]["attempts"]), (&json!("pending"), &json!(0)), "it was not asked");
    symlink(program::path(), &compiler)?;
    while host.get("/api/v1/plugins/tests/changes").await?.json()["problem"] != Value::Null {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tell(&host, "check", json!({"configuration": {"reject": {"message": "No.", "attribute": "name"}}})).await?;
    assert_eq!(host.patch(PROFILE, json!({"name": "Third"})).await?.json()["code"], "plugin.rejected");
    Ok(())
}

#[tokio::test]
async fn a_step_that_lacks_what_it_requires_is_not_asked_and_says_so() -> Done {
    let host = host().await?;
    let manifest = "[plugin]\npublisher = \"tests\"\nname = \"needy\"\nversion = \"1.0.0\"\n\
                    world = \"loadout:plugin/step@0.1.0\"\ndescription = \"Needs to be told.\"\n\
                    [settings]\nschema = '{\"type\": \"object\", \"required\": [\"patch\"]}'\n\
                    [[steps]]\nname = \"tell\"\nmessage = \"profile.update\"\nstage = 20\nrank = 0\n";
    let installed = host.install("", &embed_manifest(guests::CHANGES, manifest)?).await?;
    assert_eq!(installed.status, 201, "{installed}");
    let step = "/api/v1/plugins/tests/needy/steps/tell";
    let problem = async || -> Result<Value, Failure> {
        let steps = host.get("/api/v1/steps").await?.json();
        let shown = steps["items"].as_array().into_iter().flatten().find(|it| it["name"] == "tell");
        Ok(shown.ok_or("no step")?["problem"].clone())
    };
    assert_eq!(problem().await?, r#"`configuration`: "patch" is a required property"#);
    let before = revision(&host).await?;
    assert_snapshot!(host.patch(PROFILE, json!({"name": "Early"})).await?, @r#"500 {"code":"plugin.not-ready","detail":"step `tell` of plugin `tests/needy` 1.0.0 broke, and nothing is written without it: it cannot be used: what the environment tells it does not suit it: `/api/v1/steps` says why; configure it, or switch it off","step":{"plugin":"tests/needy","version":"1.0.0","step":"tell","code":"plugin.not-ready"}}"#);
    assert_eq!(revision(&host).await?, before, "nothing is written");
    assert_eq!(host.put(step, json!({"onFault": "skip"})).await?.status, 200);
    let skipped = host.patch(PROFILE, json!({"name": "Without"})).await?;
    assert_eq!(
        (skipped.status, skipped.header("x-loadout-skipped-steps")),
        (200, "tests/needy 1.0.0 tell plugin.not-ready")
    );
    assert_eq!(host.put(step, json!({"configuration": {"patch": {"description": "told"}}})).await?.status, 200);
    assert_eq!(problem().await?, Value::Null);
    assert_eq!(host.patch(PROFILE, json!({"name": "Ready"})).await?.json()["description"], "told");
    Ok(())
}

#[tokio::test]
async fn a_step_that_is_switched_on_is_asked_about_whatever_is_written_afterwards() -> Done {
    let host = Arc::new(host().await?);
    let steps = host.get("/api/v1/steps").await?.json();
    let names = steps["items"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str());
    for step in names {
        tell(&host, step, json!({"state": "inactive"})).await?;
    }
    // The step is asked about updates only.
    for writer in 0..16 {
        assert_eq!(host.put(&format!("/api/v1/profiles/new_{writer}"), json!({"name": "New"})).await?.status, 201);
    }
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                for attempt in 0.. {
                    let own = format!("/api/v1/profiles/new_{writer}");
                    let written = host.put(&own, json!({"name": format!("{writer} {attempt}")})).await?;
                    if written.status != 200 {
                        return Ok::<_, Failure>(written.json()["code"].to_string());
                    }
                }
                Err("nobody can write so often".into())
            })
        })
        .collect();
    let before = revision(&host).await?;
    while revision(&host).await? < before + 16 {}
    tell(&host, "check", json!({"configuration": {"reject": {"message": "No.", "attribute": "name"}}})).await?;
    let newest = revision(&host).await?;
    for writer in writers {
        assert_eq!(writer.await??, r#""plugin.rejected""#, "nobody who only waited for others is refused for that");
    }
    let last = host.get("/api/v1/revisions?limit=1").await?.json();
    let (made, what) = (&last["items"][0]["revision"], last["items"][0]["changes"].to_string());
    assert_eq!(*made, json!(newest));
    assert!(what.contains("tests/changes"), "nothing is written after the step was switched on: {what}");
    Ok(())
}

#[tokio::test]
async fn an_import_is_one_event_that_can_be_refused() -> Done {
    let host = host().await?;
    let (folder, zip) = (loadout_tests::archive::root().join("tests/fixtures/tailspin"), ());
    let () = zip;
    let zip = loadout_tests::archive::pack(&folder)?;
    let import =
        || host.request(Method::POST, "/api/v1/imports").header("content-type", "application/zip").body(zip.clone());
    tell(&host, "imported", json!({"configuration": {"reject": {"message": "Frozen.", "attribute": ""}}})).await?;
    let before = revision(&host).await?;
    assert_snapshot!(Reply::to(import()).await?, @r#"400 {"code":"plugin.rejected","detail":"Frozen.","step":{"plugin":"tests/changes","version":"1.0.0","step":"imported","code":"not-so"}}"#);
    assert_eq!(revision(&host).await?, before);
    tell(&host, "imported", json!({})).await?;
    assert_eq!(Reply::to(import()).await?.status, 200);
    Ok(())
}

/// Waits until the outbox is as `wanted`; the test fails by the time limit of the runner if it never is.
async fn outbox(host: &TestHost, wanted: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>, Failure> {
    loop {
        let items = host.get("/api/v1/outbox").await?.json()["items"].as_array().cloned().unwrap_or_default();
        if wanted(&items) {
            return Ok(items);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_asynchronous_step_is_asked_after_the_change_and_what_it_proposes_is_written_once() -> Done {
    let host = host().await?;
    let wanted = json!({"configuration": {"patch": {"description": "stamped later"}}});
    tell(&host, "later", wanted).await?;
    let changed = host.patch(PROFILE, json!({"name": "Async"})).await?;
    assert_eq!(changed.status, 200);
    outbox(&host, <[Value]>::is_empty).await?;
    assert_eq!(host.get(PROFILE).await?.json()["description"], "stamped later");
    let history = host.get("/api/v1/revisions?limit=5").await?.json();
    let by: Vec<String> = history["items"].as_array().into_iter().flatten().map(|it| it["who"].to_string()).collect();
    assert_eq!(by.iter().filter(|who| who.contains("tests/changes")).count(), 1, "{by:?}");
    Ok(())
}

#[tokio::test]
async fn no_step_says_what_an_environment_decides_for_itself() -> Done {
    let host = host().await?;
    let manifest = "[plugin]\npublisher = \"tests\"\nname = \"settles\"\nversion = \"1.0.0\"\n\
                    world = \"loadout:plugin/step@0.1.0\"\ndescription = \"Does what it is told.\"\n\
                    [[steps]]\nname = \"before\"\nmessage = \"environment.update\"\nstage = 10\nrank = 0\n\
                    [[steps]]\nname = \"now\"\nmessage = \"environment.update\"\nstage = 20\nrank = 0\n\
                    [[steps]]\nname = \"later\"\nmessage = \"environment.update\"\nstage = 40\nrank = 0\nmode = \"async\"\n";
    let installed = host.install("", &embed_manifest(guests::CHANGES, manifest)?).await?;
    assert_eq!(installed.status, 201, "{installed}");
    let own = json!({
        "queries": {},
        "traces": {"level": "off", "successesPerSecond": 1, "retentionDays": 1, "retentionMegabytes": 16, "perPlugin": {}},
        "plugins": {"unsigned": "refused", "withoutRule": "show"},
    });
    let environment = "/api/v1/environment";
    let at_first = host.get(environment).await?.json();
    for (most, step) in (3..).zip(["before", "now", "later"]) {
        let mut patch = own.clone();
        patch["tabsMax"] = most.into();
        let step = format!("/api/v1/plugins/tests/settles/steps/{step}");
        assert_eq!(host.put(&step, json!({"configuration": {"patch": patch}})).await?.status, 200);
        let mut changed = host.get(environment).await?.json();
        changed.as_object_mut().map(|it| it.remove("meta"));
        changed["sessionsMax"] = most.into();
        let changed = host.put(environment, changed).await?;
        assert!(changed.status < 300, "{step}: {changed}");
        let left = outbox(&host, |items| items.iter().all(|it| it["code"] != Value::Null)).await?;
        assert!(left.is_empty(), "{step}: {left:?}");
        let now = host.get(environment).await?.json();
        assert_eq!(now["tabsMax"], most, "{step}: its patch is taken: {now}");
        for key in ["queries", "traces", "plugins"] {
            assert_eq!(now[key], at_first[key], "{step}: {now}");
        }
        assert_eq!(host.put(&step, json!({"configuration": {}})).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn patches_of_one_item_add_up_whether_a_change_waits_for_them_or_not() -> Done {
    let host = host().await?;
    for (step, name) in [("stamp", "At once"), ("later", "Some time later")] {
        let patches = json!({"patches": [{"description": name, "name": "Other"}, {"name": "Last"}]});
        tell(&host, step, json!({"configuration": patches})).await?;
        host.patch(PROFILE, json!({"name": name})).await?;
        let left = outbox(&host, |items| items.iter().all(|it| it["code"] != Value::Null)).await?;
        assert!(left.is_empty(), "{left:?}");
        let profile = host.get(PROFILE).await?.json();
        assert_eq!((&profile["description"], &profile["name"]), (&json!(name), &json!("Last")));
        tell(&host, step, json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_goes_on_failing_ends_among_the_dead_and_can_be_asked_again() -> Done {
    let host = host().await?;
    tell(&host, "later", json!({"configuration": {"fail": "not yet", "retryAfter": 0}})).await?;
    host.patch(PROFILE, json!({"name": "Async"})).await?;
    let dead = outbox(&host, |items| items.iter().any(|it| it["state"] == "dead")).await?;
    assert_eq!((&dead[0]["attempts"], &dead[0]["code"]), (&json!(8), &json!("plugin.failed")));
    assert_eq!(dead[0]["reason"], "it answered with the fault `on-purpose`");
    tell(&host, "later", json!({"configuration": {"patch": {"description": "at last"}}})).await?;
    let retry = format!("/api/v1/outbox/{}/retry", dead[0]["id"]);
    assert_eq!(Reply::to(host.request(Method::POST, &retry)).await?.status, 200);
    outbox(&host, <[Value]>::is_empty).await?;
    assert_eq!(host.get(PROFILE).await?.json()["description"], "at last");
    assert_snapshot!(host.delete("/api/v1/outbox/77").await?, @r#"404 {"code":"not-found","detail":"there is no question 77 in the outbox: it was answered, or dropped; `GET /api/v1/outbox` lists those that wait"}"#);
    assert_snapshot!(host.post("/api/v1/outbox/abc/retry", json!({})).await?, @r#"404 {"code":"not-found","detail":"question `abc` is not in the outbox: they have numbers, which `GET /api/v1/outbox` lists"}"#);
    Ok(())
}

/// Has the oldest question put again now.
async fn retry(host: &TestHost, question: &Value) -> Done {
    let retried = Reply::to(host.request(Method::POST, &format!("/api/v1/outbox/{}/retry", question["id"]))).await?;
    if retried.status == 200 { Ok(()) } else { Err(retried.to_string().into()) }
}

#[tokio::test]
async fn a_step_that_is_switched_off_is_not_asked_until_it_is_on_again() -> Done {
    let host = host().await?;
    let patch = json!({"patch": {"description": "at last"}});
    tell(&host, "later", json!({"configuration": {"fail": "not yet", "retryAfter": 3600}})).await?;
    host.patch(PROFILE, json!({"name": "Async"})).await?;
    let waiting = outbox(&host, |items| items.iter().any(|it| it["code"] == "plugin.failed")).await?;
    let off = async |wanted: &str| {
        retry(&host, &waiting[0]).await?;
        let is_over = |items: &[Value]| items.iter().all(|it| it["reason"] == wanted);
        let items = outbox(&host, is_over).await?;
        let shown = items.first().map(|it| (&it["code"], &it["state"], &it["attempts"]));
        assert_eq!(shown, Some((&json!("outbox.switched-off"), &json!("pending"), &json!(0))), "it was not asked");
        Ok::<_, Failure>(())
    };
    tell(&host, "later", json!({"state": "inactive", "configuration": patch})).await?;
    off("step `later` of plugin `tests/changes` is switched off: it is asked when it is on again").await?;
    tell(&host, "later", json!({"configuration": patch})).await?;
    let state = "/api/v1/plugins/tests/changes/state";
    assert_eq!(host.put(state, json!({"state": "inactive"})).await?.status, 200);
    off("plugin `tests/changes` is switched off: it is asked when it is on again").await?;
    assert_ne!(host.get(PROFILE).await?.json()["description"], "at last");
    assert_eq!(host.put(state, json!({"state": "active"})).await?.status, 200);
    retry(&host, &waiting[0]).await?;
    outbox(&host, <[Value]>::is_empty).await?;
    assert_eq!(host.get(PROFILE).await?.json()["description"], "at last");
    Ok(())
}

#[tokio::test]
async fn who_breaks_over_a_proposal_is_named_and_the_one_who_proposed_it_is_not_asked_without_end() -> Done {
    let host = host().await?;
    tell(&host, "later", json!({"configuration": {"fail": "not yet", "retryAfter": 3600}})).await?;
    host.patch(PROFILE, json!({"name": "Async"})).await?;
    outbox(&host, |items| items.iter().any(|it| it["code"] == "plugin.failed")).await?;
    tell(&host, "later", json!({"configuration": {"patch": {"description": "signed"}}})).await?;
    tell(&host, "second", json!({"configuration": {"fail": "boom"}})).await?;
    let mut reasons = Vec::new();
    while !reasons.last().is_some_and(|reason: &String| reason.contains("suspended")) {
        retry(&host, &outbox(&host, |_| true).await?[0]).await?;
        let refused = |items: &[Value]| items.iter().all(|it| it["attempts"] != 0 && it["code"] != "plugin.failed");
        let refused = outbox(&host, refused).await?;
        assert_eq!((&refused[0]["code"], &refused[0]["attempts"]), (&json!("outbox.refused"), &json!(1)));
        reasons.push(refused[0]["reason"].to_string());
    }
    assert_snapshot!(reasons[0], @r#""step `second` of plugin `tests/changes` 1.0.0 broke, and nothing is written without it: it answered with the fault `on-purpose`""#);
    Ok(())
}

/// How many revisions are by the plugin `tests/changes`.
async fn revisions_by_steps(host: &TestHost) -> Result<usize, Failure> {
    let history = host.get("/api/v1/revisions?limit=50").await?.json();
    let by_step = |it: &&Value| it["who"].as_str().is_some_and(|who| who == "tests/changes");
    Ok(history["items"].as_array().into_iter().flatten().filter(by_step).count())
}

#[tokio::test]
async fn a_plugin_is_not_asked_about_what_it_proposed_and_circles_of_several_are_stopped() -> Done {
    let host = host().await?;
    // Each change of a profile would ask the step again, and the step changes the profile each time.
    tell(&host, "later", json!({"configuration": {"flip": ["tick", "tock"]}})).await?;
    host.patch(PROFILE, json!({"name": "Round"})).await?;
    outbox(&host, <[Value]>::is_empty).await?;
    assert_eq!(revisions_by_steps(&host).await?, 1);
    assert_eq!(host.get(PROFILE).await?.json()["description"], "tick");

    tell(&host, "later", json!({"configuration": {"fail": "not yet", "retryAfter": 3600}})).await?;
    host.patch(PROFILE, json!({"name": "Square"})).await?;
    let waiting = outbox(&host, |items| items.iter().any(|it| it["code"] == "plugin.failed")).await?;
    // As if the proposals of eight other plugins had led to the change.
    Connection::open(host.folder().join("loadout.db"))?.execute("UPDATE outbox SET hops = 8", [])?;
    tell(&host, "later", json!({"configuration": {"flip": ["tick", "tock"]}})).await?;
    retry(&host, &waiting[0]).await?;
    let dead = outbox(&host, |items| items.iter().any(|it| it["state"] == "dead")).await?;
    assert_eq!((dead.len(), &dead[0]["code"], &dead[0]["attempts"]), (1, &json!("outbox.loop"), &json!(1)));
    assert_snapshot!(dead[0]["reason"].as_str().unwrap_or_default(), @"it proposes a change, and 8 changes by steps led to this one: they go in circles");
    assert_eq!(revisions_by_steps(&host).await?, 1);

    let dropped = Reply::to(host.request(Method::DELETE, "/api/v1/outbox?plugin=tests/changes")).await?;
    assert_snapshot!(dropped, @r#"200 {"dropped":1}"#);
    outbox(&host, <[Value]>::is_empty).await?;
    Ok(())
}

#[tokio::test]
async fn what_changes_nothing_leads_to_nothing() -> Done {
    let host = host().await?;
    tell(&host, "later", json!({"configuration": {"patch": {"description": "tick"}}})).await?;
    host.patch(PROFILE, json!({"name": "Round"})).await?;
    outbox(&host, <[Value]>::is_empty).await?;
    assert_eq!(host.get(PROFILE).await?.json()["description"], "tick");
    Ok(())
}
