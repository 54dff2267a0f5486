//! An environment that was exported elsewhere comes along, whole, and twice is once.

use std::fs;
use std::sync::Arc;

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::archive::{entries, pack, root};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::skipped::skipped;
use reqwest::Method;
use serde_json::{Value, json};

use loadout_tests::components::RULES;

#[tokio::test]
async fn an_exported_solution_is_imported_assigned_and_answered_for() -> Done {
    let host = TestHost::with_rules(Arc::clone(&*RULES) as _).await?;
    let zip = pack(&root().join("tests/fixtures/tailspin"))?;
    let dry = host.import("/api/v1/imports?dryRun=true", zip.clone()).await?;
    let first = host.import("/api/v1/imports", zip.clone()).await?;
    assert_eq!(
        (dry.json()["dryRun"].clone(), dry.json()["counts"].clone()),
        (json!(true), first.json()["counts"].clone())
    );
    assert_snapshot!(first.json()["counts"], @r#"{"created":7,"updated":0,"unchanged":0,"merged":11,"skipped":0,"quarantined":0,"links":6,"linksLeftOut":0,"dependenciesMissing":0,"warnings":2}"#);

    let again = host.import("/api/v1/imports", zip).await?.json();
    assert_eq!(again["revision"], first.json()["revision"], "a second import makes no revision");
    assert_eq!((again["counts"]["created"].clone(), again["counts"]["updated"].clone()), (json!(0), json!(0)));

    assign(&host, "tspin_desk").await?;
    let answer = ask(
        &host,
        json!({"anchor.ticketnumber": "TSP-7", "anchor._tspin_aircraft_value": "9a", "anchor.tspin_airport": "BER",
        "anchor._tspin_aircraft_value@OData.Community.Display.V1.FormattedValue": "D-ABCD"}),
    )
    .await?;
    assert_snapshot!(summary(&answer), @r#"
    TSP-7, panel hidden
    tab D-ABCD, closable false: {"entityId":"9a","entityName":"tspin_aircraft"}
    tab Weather, closable true: {"address":"https://weather.tailspin.example/at?place=BER","data":"BER","url":"https://weather.tailspin.example/at?place="}
    pane collapsed: smart-assist shown, scripts shown, knowledge-search shown
    script tspin_hello: Greet = text, Note the call = tspin_note_the_call
    "#);
    Ok(())
}

#[tokio::test]
async fn imports_at_the_same_time_take_turns_all_succeed_and_happen_once() -> Done {
    let host = TestHost::start().await?;
    let zip = pack(&root().join("tests/fixtures/tailspin"))?;
    // One is worked out at a time; the others are told when to come again.
    let import = || async {
        loop {
            let request = host.request(Method::POST, "/api/v1/imports").header("content-type", "application/zip");
            let reply = Reply::to(request.body(zip.clone())).await?;
            if reply.status != 503 {
                return Ok::<_, Failure>(reply);
            }
            assert_eq!(reply.json()["code"], "import-busy", "{reply}");
            assert_eq!(reply.headers["retry-after"], "5");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (a, b, c, d, e, f) = tokio::try_join!(import(), import(), import(), import(), import(), import())?;
    let replies = [a, b, c, d, e, f];
    let made: Vec<Value> = replies.iter().map(|reply| reply.json()["revision"].clone()).collect();
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert!(made.iter().all(|revision| *revision == made[0]), "one revision for all: {made:?}");
    assert_eq!(replies.iter().filter(|reply| reply.json()["counts"]["created"] != 0).count(), 1);
    Ok(())
}

/// The real one, where it is at hand; it is not part of this project.
#[tokio::test]
async fn the_published_environment_resolves_end_to_end() -> Done {
    let Ok(zip) = fs::read(root().join("../shared/exports/contoso_solution_2023.zip")) else {
        skipped("the published environment is not here, so only the one of our own writing was imported");
        return Ok(());
    };
    let host = TestHost::with_rules(Arc::clone(&*RULES) as _).await?;
    let first = host.import("/api/v1/imports", zip.clone()).await?;
    assert_eq!(first.status, 200, "{first}");
    let again = host.import("/api/v1/imports", zip).await?.json();
    assert_eq!(again["revision"], first.json()["revision"]);
    assign(&host, "new_agentprofile_contoso").await?;
    let answer = ask(
        &host,
        json!({"anchor.ticketnumber": "CAS-01", "anchor.title": "Kettle", "anchor._customerid_value": "2e",
        "anchor._customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
        "anchor._customerid_value@OData.Community.Display.V1.FormattedValue": "Ada"}),
    )
    .await?;
    assert_snapshot!(summary(&answer), @r#"
    CAS-01, panel hidden
    tab Bing, closable true: {"address":"https://www.bing.com/search?q=Kettle","data":"Kettle","url":"https://www.bing.com/search?q="}
    tab Ada, closable true: {"entityId":"2e","entityName":"contact"}
    pane collapsed: smart-assist shown, scripts shown, knowledge-search shown
    script new_agentscript_support: Greetings = text, Send Initial Response = cr6c8_send_initial_response, Clone case = cr6c8_clone_case, Collaboration task = cr6c8_collaboration_task
    "#);
    Ok(())
}

#[tokio::test]
async fn a_hostile_archive_is_refused_and_nothing_is_written() -> Done {
    let host = TestHost::start().await?;
    let before = host.get("/api/v1/revisions").await?.text;
    let whole = pack(&root().join("tests/fixtures/tailspin"))?;
    let bomb = entries(&[("solution.xml", vec![b' '; 40 << 20])])?;
    let traversal = entries(&[("../../etc/passwd", b"x".to_vec())])?;
    let entities = entries(&[
        ("solution.xml", br#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>"#.to_vec()),
        ("customizations.xml", b"<a/>".to_vec()),
    ])?;
    for (what, zip) in [
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("bomb", bomb),
        ("traversal", traversal),
        ("entities", entities),
    ] {
        let reply = host.import("/api/v1/imports", zip).await?;
        assert!((400..500).contains(&reply.status), "{what}: {reply}");
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}: {reply}");
    }
    assert_eq!(host.get("/api/v1/revisions").await?.text, before);
    Ok(())
}

async fn assign(host: &TestHost, profile: &str) -> Done {
    let rita = json!({"displayName": "Rita", "roles": ["Customer Service Representative"]});
    assert_eq!(host.put("/api/v1/users/rita", rita).await?.status, 201);
    assert_eq!(host.put(&format!("/api/v1/profiles/{profile}/users/rita"), Value::Null).await?.status, 200);
    Ok(())
}

async fn ask(host: &TestHost, context: Value) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": context});
    let question = json!({"user": "rita", "app": "customer-service-workspace", "session": session});
    Ok(host.post("/api/v1/experience", question).await?.json())
}

/// The lines of an answer that a person would look at.
fn summary(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let session = &answer["session"];
    let mut lines = vec![format!("{}, panel {}", text(&session["title"]), text(&session["communicationPanel"]))];
    for tab in list(&session["tabs"]) {
        lines.push(format!("tab {}, closable {}: {}", text(&tab["title"]), tab["closable"], tab["parameters"]));
    }
    let pane = &answer["productivityPane"];
    let tools: Vec<String> =
        list(&pane["tools"]).iter().map(|it| format!("{} {}", text(&it["tool"]), text(&it["status"]))).collect();
    lines.push(format!("pane {}: {}", text(&pane["mode"]), tools.join(", ")));
    for (name, script) in answer["library"]["scripts"].as_object().into_iter().flatten() {
        let steps = list(&script["steps"]);
        let steps = steps.iter().map(|step| {
            let action = step["action"]["macro"].as_str().or(step["action"]["type"].as_str());
            format!("{} = {}", text(&step["name"]), action.unwrap_or("?"))
        });
        lines.push(format!("script {name}: {}", steps.collect::<Vec<_>>().join(", ")));
    }
    lines.join("\n")
}
