//! The audit: what is in no revision is there, for those who may read it.

use insta::assert_snapshot;
use loadout::domain::access::{AuditEvent, AuditOutcome};
use loadout::store::{AuditFilter, Store};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, token};

#[tokio::test]
async fn what_is_in_no_revision_is_in_the_audit() -> Done {
    let host = TestHost::with_platform().await?;
    let value = "nobody reads this";
    host.put("/api/v1/secrets/crm-token", json!({"value": value, "hosts": ["crm.example"]})).await?;
    assert_eq!(host.delete("/api/v1/secrets/crm-token").await?.status, 204);
    assert_eq!(host.delete("/api/v1/secrets/crm-token").await?.status, 404);

    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    host.put("/api/v1/plugins/tests/greeter/recording", json!({"until": until, "redact": []})).await?;
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    host.post("/api/v1/experience", json!({"user": "kayla", "app": "customer-service-workspace", "session": session}))
        .await?;
    let recording = host.get("/api/v1/recordings").await?.json()["items"][0]["id"].clone();
    let recording = recording.as_str().ok_or("nothing is recorded")?;
    assert_eq!(host.delete(&format!("/api/v1/recordings/{recording}")).await?.status, 204);
    assert_eq!(host.delete("/api/v1/plugins/tests/greeter/recordings").await?.status, 200);

    host.install("", guests::CHANGES).await?;
    let later = json!({"configuration": {"fail": "no luck", "retryAfter": 3600}});
    host.put("/api/v1/plugins/tests/changes/steps/later", later).await?;
    host.patch("/api/v1/profiles/contoso_rep", json!({"name": "Any"})).await?;
    let question = host.get("/api/v1/outbox").await?.json()["items"][0]["id"].clone();
    let retried = host.post(&format!("/api/v1/outbox/{question}/retry"), json!({})).await?;
    assert_eq!(retried.status, 200, "{retried}");
    assert_eq!(host.delete(&format!("/api/v1/outbox/{question}")).await?.status, 204);
    assert_eq!(host.delete("/api/v1/outbox/77").await?.status, 404);

    let audit = host.get("/api/v1/audit").await?;
    assert!(!audit.text.contains(value) && !audit.text.contains("Ada"), "{audit}");
    let said = audit.json()["items"].as_array().into_iter().flatten().rev().fold(String::new(), |text, line| {
        let mut line = line.clone();
        for key in ["id", "at"] {
            line[key].take();
        }
        format!("{text}{line}\n")
    });
    assert_snapshot!(said.replace(recording, "RECORDING"), @r#"
    {"id":null,"at":null,"token":"admin","outcome":"secret-written","secret":"crm-token","hosts":["crm.example"]}
    {"id":null,"at":null,"token":"admin","outcome":"secret-deleted","secret":"crm-token"}
    {"id":null,"at":null,"token":"admin","outcome":"recording-deleted","recording":"RECORDING","plugin":"tests/greeter"}
    {"id":null,"at":null,"token":"admin","outcome":"recordings-deleted","plugin":"tests/greeter"}
    {"id":null,"at":null,"token":"admin","outcome":"question-retried","question":1,"plugin":"tests/changes","step":"later"}
    {"id":null,"at":null,"token":"admin","outcome":"question-dropped","question":1,"plugin":"tests/changes","step":"later"}
    "#);
    assert_eq!(
        host.get("/api/v1/audit?outcome=secret-deleted").await?.json()["items"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn the_audit_is_read_page_by_page_by_whoever_may() -> Done {
    let host = TestHost::start().await?;
    let auditor = token(&host, "auditor", &["auditor"]).await?;
    let desk = token(&host, "desk", &["workspace"]).await?;
    for (call, path) in
        ["/api/v1/profiles/a", "/api/v1/profiles/b", "/api/v1/queues/a", "/api/v1/scripts/a"].iter().enumerate()
    {
        let request = host.anonymous(Method::GET, path).bearer_auth(&desk);
        Reply::to(request.header("x-request-id", format!("call-{call}"))).await?;
    }
    let read = |path: &str| {
        let request = host.anonymous(Method::GET, path).bearer_auth(&auditor);
        Reply::to(request)
    };
    let first = read("/api/v1/audit?limit=2&token=desk&outcome=denied").await?.json();
    let calls = |page: &Value| -> Vec<String> {
        page["items"].as_array().into_iter().flatten().map(|item| item["requestId"].to_string()).collect()
    };
    assert_eq!(calls(&first), ["\"call-3\"", "\"call-2\""]);
    let next = first["next"].as_str().ok_or("no second page")?;
    let second = read(next).await?.json();
    assert_eq!((calls(&second), second.get("next"), &second["lost"]), (vec!["\"call-0\"".to_owned()], None, &json!(0)));
    assert_eq!(second["items"][0]["calls"], 2, "two calls of one route within a minute are one line: {second}");
    assert_eq!(read("/api/v1/tokens").await?.status, 403);
    assert_eq!(ask(&host, &desk, Method::GET, "/api/v1/audit", None).await?.status, 403);
    assert_eq!(read("/api/v1/audit?outcome=fine").await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_server_that_stops_keeps_what_it_denied() -> Done {
    let host = TestHost::start().await?;
    let desk = token(&host, "desk", &["workspace"]).await?;
    for _ in 0..100 {
        ask(&host, &desk, Method::GET, "/api/v1/profiles", None).await?;
    }
    let folder = host.stop_and_keep().await?;
    let denied = AuditFilter { outcome: Some(AuditOutcome::Denied), ..AuditFilter::default() };
    let kept = Store::open(folder.path())?.audit()?.read(&denied, 500)?;
    let calls = kept.iter().map(|line| if let AuditEvent::Denied { calls, .. } = line.entry.event { calls } else { 0 });
    assert_eq!((calls.sum::<u64>(), kept.len() < 100), (100, true), "calls that repeat are one line: {kept:?}");
    Ok(())
}
