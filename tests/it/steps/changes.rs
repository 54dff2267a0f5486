//! Steps in changes of configuration: they see, propose, refuse and break, and what is written is what all of them
//! agreed to.

mod faults;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use loadout_plugin_build::embed_manifest;
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::{Done, guests};
use reqwest::Method;
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
async fn no_step_says_what_an_environment_decides_for_itself() -> Done {
    let host = host().await?;
    let steps = r#"
        [[steps]]
        name = "before"
        message = "environment.update"
        stage = 10
        rank = 0

        [[steps]]
        name = "now"
        message = "environment.update"
        stage = 20
        rank = 0

        [[steps]]
        name = "later"
        message = "environment.update"
        stage = 40
        rank = 0
        mode = "async"
        "#;
    let manifest = guests::steps("settles", "1.0.0", "step") + steps;
    let installed = host.install("", &embed_manifest(guests::CHANGES, &manifest)?).await?;
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
