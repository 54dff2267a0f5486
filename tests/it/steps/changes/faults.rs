//! Steps that break, find no room, lack something or are not ready.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use insta::assert_snapshot;
use loadout::plugin::Config;
use loadout_plugin_build::embed_manifest;
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::{Done, guests, program};
use serde_json::{Value, json};

use super::{KNOWLEDGE, PROFILE, host, outbox, revision, tell};

#[tokio::test]
async fn a_step_for_which_there_is_no_room_ends_the_change_or_is_passed_over_and_named() -> Done {
    let no_room = |config| Config { per_plugin: 0, queue: 0, ..config };
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
    assert_snapshot!(host.put(path, json!({"limits": {"hostCalls": 0}})).await?, @r#"422 {"code":"invalid-item","detail":"plugin `tests/changes` is not valid: `steps.check.limits.hostCalls`: at least 1 is needed: to stop the calls, switch it off","errors":[{"attribute":"steps.check.limits.hostCalls","message":"at least 1 is needed: to stop the calls, switch it off"}]}"#);
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
    let rest = r#"
        [settings]
        schema = '{"type": "object", "required": ["patch"]}'

        [[steps]]
        name = "tell"
        message = "profile.update"
        stage = 20
        rank = 0
        "#;
    let manifest = guests::steps("needy", "1.0.0", "step") + rest;
    let installed = host.install("", &embed_manifest(guests::CHANGES, &manifest)?).await?;
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
