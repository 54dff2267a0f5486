//! Capabilities of plugins: nothing is reached that was not asked for, granted, and meant.

use std::path::Path;

use insta::assert_snapshot;
use loadout_plugin_build::embed_manifest;
use loadout_tests::guests::{self, manifest};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

type Done = Result<(), Failure>;

const PLUGIN: &str = "/api/v1/plugins/tests/greeter";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await
}

/// The component of a rule that asks for `capabilities`.
fn asking(guest: &[u8], version: &str, capabilities: &str) -> Result<Vec<u8>, Failure> {
    let manifest = manifest("greeter", version, "scripts");
    Ok(embed_manifest(guest, &format!("{manifest}[capabilities]\n{capabilities}\n"))?)
}

/// What kayla's scripts are, in a session with this context.
async fn scripts(host: &TestHost, context: Value) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": context});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", question).await?;
    let tools = answer.json()["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    let found = tools.into_iter().find(|tool| tool["tool"] == "scripts");
    found.ok_or_else(|| format!("no scripts in {answer}").into())
}

async fn grant(host: &TestHost, version: &str, what: Value) -> Result<Reply, Failure> {
    host.put(&format!("{PLUGIN}/versions/{version}/grant"), what).await
}

async fn activate(host: &TestHost, version: &str) -> Result<Reply, Failure> {
    host.post(&format!("{PLUGIN}/activate"), json!({"version": version})).await
}

/// What became of a version, without what differs from build to build.
fn installed(reply: &Reply) -> Value {
    let json = reply.json();
    json!([reply.status, json["version"], json["activated"], json["needs"], json["why"]])
}

#[tokio::test]
async fn a_plugin_that_asks_for_something_serves_once_somebody_decided() -> Done {
    let host = host().await?;
    let before = scripts(&host, json!({"customerName": "Ada"})).await?;
    let one = asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]\nsecrets = [\"token\"]")?;
    assert_snapshot!(installed(&host.install("", &one).await?), @r#"[201,null,false,{"records":["crm"],"secrets":["token"]},"plugin `tests/greeter` 1.0.0 asks for more than was granted: decide about records `crm`, secrets `token` with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant`, even if it shall have nothing"]"#);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?, before);
    let refused = activate(&host, "1.0.0").await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")));
    assert_eq!(refused.json()["needs"], json!({"records": ["crm"], "secrets": ["token"]}));

    assert_snapshot!(grant(&host, "1.0.0", json!({"records": ["erp"]})).await?, @r#"422 {"code":"not-asked","detail":"plugin `tests/greeter` 1.0.0 does not ask for records `erp`: grant some of records `crm`, secrets `token`"}"#);
    assert_eq!(grant(&host, "1.0.0", json!({"all": true, "http": ["a.example"]})).await?.status, 422);
    assert_eq!(grant(&host, "1.0.0", json!({"http": ["*.example"]})).await?.status, 422);
    assert_eq!(grant(&host, "9.0.0", json!({})).await?.status, 404);
    let granted = grant(&host, "1.0.0", json!({"records": ["crm"]})).await?.json();
    assert_eq!(
        (&granted["decided"], &granted["granted"], &granted["missing"]),
        (&json!(true), &json!({"records": ["crm"]}), &json!({"secrets": ["token"]}))
    );
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["greeting"], "Hello Ada");
    let versions = &host.get(PLUGIN).await?.json()["versions"];
    assert_eq!(versions[0]["asks"], json!({"records": ["crm"], "secrets": ["token"]}));
    assert_eq!(versions[0]["granted"], json!({"records": ["crm"]}));
    let newest = host.get("/api/v1/revisions?limit=2").await?.text;
    assert!(newest.contains("grants"), "a grant is in the history: {newest}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_nobody_granted_is_refused_and_recorded() -> Done {
    let host = host().await?;
    let one = asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]")?;
    host.install("?activate=false", &one).await?;
    assert_eq!(grant(&host, "1.0.0", json!({})).await?.json()["decided"], true, "nothing is a decision, too");
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["refused"], true);
    let traces = host.get("/api/v1/traces?plugin=tests/greeter").await?.json();
    let id = traces["items"][0]["id"].as_str().ok_or("no trace")?.to_owned();
    let trace = host.get(&format!("/api/v1/traces/{id}")).await?.json();
    assert_eq!(trace["refused"], json!([{"name": "records.look-up", "count": 1}]), "{trace}");

    let address = format!("{PLUGIN}/versions/1.0.0/grant");
    let taken = Reply::to(host.request(Method::DELETE, &address)).await?.json();
    assert_eq!((&taken["decided"], &taken["missing"]), (&json!(false), &json!({"records": ["crm"]})));
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["refused"], true, "it goes on");
    Ok(())
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_and_one_that_asks_for_less_does_not() -> Done {
    let host = host().await?;
    host.install("?activate=false", &asking(guests::WELL_BEHAVED, "1.0.0", "http = [\"a.example\", \"b.example\"]")?)
        .await?;
    grant(&host, "1.0.0", json!({"http": ["a.example"]})).await?;
    activate(&host, "1.0.0").await?;
    let ours = scripts(&host, json!({"customerName": "Ada"})).await?;

    let wider = asking(guests::FAILS, "1.1.0", "http = [\"a.example\", \"c.example\"]")?;
    assert_snapshot!(installed(&host.install("", &wider).await?), @r#"[201,"1.0.0",false,{"http":["c.example"]},"plugin `tests/greeter` 1.1.0 asks for more than was granted: decide about http `c.example` with `PUT /api/v1/plugins/tests/greeter/versions/1.1.0/grant`, even if it shall have nothing"]"#);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?, ours, "version 1 goes on");

    let narrower = asking(guests::WELL_BEHAVED, "1.2.0", "http = [\"a.example\"]")?;
    assert_snapshot!(installed(&host.install("", &narrower).await?), @r#"[201,"1.2.0",true,null,null]"#);
    let grant_of = async |version: &str| -> Result<Value, Failure> {
        Ok(host.get(&format!("{PLUGIN}/versions/{version}/grant")).await?.json()["granted"].clone())
    };
    assert_eq!(grant_of("1.2.0").await?, json!({"http": ["a.example"]}), "carried over");
    let same = asking(guests::WELL_BEHAVED, "1.3.0", "http = [\"a.example\"]")?;
    assert_eq!(installed(&host.install("", &same).await?)[2], true);

    // Another build of the same version is another component, and has nothing.
    host.install("?activate=false", &asking(guests::WELL_BEHAVED, "1.4.0", "secrets = [\"token\"]")?).await?;
    grant(&host, "1.4.0", json!({"all": true})).await?;
    host.delete(&format!("{PLUGIN}/versions/1.4.0")).await?;
    let other = host.install("", &asking(guests::FAILS, "1.4.0", "secrets = [\"token\"]")?).await?;
    assert_eq!(installed(&other)[2], false);
    assert_eq!(grant_of("1.4.0").await?, json!({}));
    Ok(())
}

#[tokio::test]
async fn only_who_may_grant_does() -> Done {
    let host = host().await?;
    host.install("?activate=false", &asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]")?).await?;
    let made = host.post("/api/v1/tokens", json!({"name": "installer", "roles": ["plugin-installer"]})).await?.json();
    let secret = made["secret"].as_str().ok_or("no secret")?;
    let address = format!("{PLUGIN}/versions/1.0.0/grant");
    let denied = host.anonymous(Method::PUT, &address).bearer_auth(secret).json(&json!({"all": true}));
    let denied = Reply::to(denied).await?;
    assert_eq!((denied.status, &denied.json()["privilege"]), (403, &json!("plugin.grant")));
    let shown = Reply::to(host.anonymous(Method::GET, &address).bearer_auth(secret)).await?;
    assert_eq!((shown.status, &shown.json()["decided"]), (200, &json!(false)));
    Ok(())
}
