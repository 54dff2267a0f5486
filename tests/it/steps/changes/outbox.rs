//! The outbox: asynchronous steps are asked after the change, and what they propose is written once.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{PROFILE, host, outbox, tell};

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
