//! Capabilities of plugins: nothing is reached that was not asked for, granted, and meant.

mod calls;
pub(crate) mod world;

use insta::assert_snapshot;
use loadout_plugin_build::{PrivateKey, embed_manifest, sign};
use loadout_tests::Done;
use loadout_tests::guests::{self, manifest};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

use self::world::SECRET;

pub(crate) const PLUGIN: &str = "/api/v1/plugins/tests/greeter";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
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
    let one = asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]\nsecrets = [\"token\"]")?;
    assert_snapshot!(installed(&host.install("", &one).await?), @r#"[201,null,false,{"records":["crm"],"secrets":["token"]},"plugin `tests/greeter` 1.0.0 asks for more than was granted: decide about records `crm`, secrets `token` with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant`, even if it shall have nothing"]"#);
    let meanwhile = scripts(&host, json!({"customerName": "Ada"})).await?;
    assert_eq!(meanwhile["hiddenBy"]["code"], "no-rule", "it was brought to decide, so nothing decides in its place");
    let refused = activate(&host, "1.0.0").await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")));
    assert_eq!(refused.json()["needs"], json!({"records": ["crm"], "secrets": ["token"]}));

    assert_snapshot!(grant(&host, "1.0.0", json!({"records": ["erp"]})).await?, @r#"409 {"code":"not-asked","detail":"plugin `tests/greeter` 1.0.0 does not ask for records `erp`: grant some of records `crm`, secrets `token`"}"#);
    assert_eq!(grant(&host, "1.0.0", json!({"all": true, "http": ["a.example"]})).await?.status, 409);
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
    let key = PrivateKey::generate()?;
    assert_eq!(host.put("/api/v1/trusted-publishers/tests", json!({"keys": [key.public()]})).await?.status, 201);
    let first = asking(guests::WELL_BEHAVED, "1.0.0", "http = [\"a.example\", \"b.example\"]")?;
    host.install("?activate=false", &sign(&first, &key)?).await?;
    grant(&host, "1.0.0", json!({"http": ["a.example"]})).await?;
    activate(&host, "1.0.0").await?;
    let ours = scripts(&host, json!({"customerName": "Ada"})).await?;

    let wider = sign(&asking(guests::FAILS, "1.1.0", "http = [\"a.example\", \"c.example\"]")?, &key)?;
    assert_snapshot!(installed(&host.install("", &wider).await?), @r#"[201,"1.0.0",false,{"http":["c.example"]},"plugin `tests/greeter` 1.1.0 asks for more than was granted: decide about http `c.example` with `PUT /api/v1/plugins/tests/greeter/versions/1.1.0/grant`, even if it shall have nothing"]"#);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?, ours, "version 1 goes on");

    let narrower = sign(&asking(guests::WELL_BEHAVED, "1.2.0", "http = [\"a.example\"]")?, &key)?;
    assert_snapshot!(installed(&host.install("", &narrower).await?), @r#"[201,"1.2.0",true,null,null]"#);
    let grant_of = async |version: &str| -> Result<Value, Failure> {
        Ok(host.get(&format!("{PLUGIN}/versions/{version}/grant")).await?.json()["granted"].clone())
    };
    assert_eq!(grant_of("1.2.0").await?, json!({"http": ["a.example"]}), "carried over");
    let same = sign(&asking(guests::WELL_BEHAVED, "1.3.0", "http = [\"a.example\"]")?, &key)?;
    assert_eq!(installed(&host.install("", &same).await?)[2], true);

    // Another build of the same version is another component, and has nothing.
    let build = |guest, key: &PrivateKey| -> Result<Vec<u8>, Failure> {
        Ok(sign(&asking(guest, "1.4.0", "secrets = [\"token\"]")?, key)?)
    };
    host.install("?activate=false", &build(guests::WELL_BEHAVED, &key)?).await?;
    grant(&host, "1.4.0", json!({"all": true})).await?;
    host.delete(&format!("{PLUGIN}/versions/1.4.0")).await?;
    let other = host.install("", &build(guests::FAILS, &key)?).await?;
    assert_eq!(installed(&other)[2], false);
    assert_eq!(grant_of("1.4.0").await?, json!({}));
    Ok(())
}

/// What was granted to one publisher's code goes on for no other code, whichever way that is brought in.
#[tokio::test]
async fn a_grant_goes_on_only_for_what_the_same_trusted_key_signed() -> Done {
    let host = host().await?;
    let (ours, theirs) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let trust = async |keys: &[&PrivateKey]| {
        let keys: Vec<String> = keys.iter().map(|key| key.public()).collect();
        host.put("/api/v1/trusted-publishers/tests", json!({ "keys": keys })).await
    };
    let asks = "http = [\"a.example\"]\nsecrets = [\"token\"]";
    let build = |version: &str| asking(guests::WELL_BEHAVED, version, asks);
    let waits = json!({"http": ["a.example"], "secrets": ["token"]});
    let serves = async || Ok::<_, Failure>(host.get(PLUGIN).await?.json()["version"].clone());

    // Not signed, while no signature is needed.
    host.install("?activate=false", &build("1.0.0")?).await?;
    grant(&host, "1.0.0", json!({"all": true})).await?;
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    let unsigned = installed(&host.install("", &build("1.1.0")?).await?);
    assert_eq!((&unsigned[2], &unsigned[3]), (&json!(false), &waits), "{unsigned}");
    assert_eq!(serves().await?, "1.0.0", "what has the grant goes on serving");
    let signed = installed(&host.install("", &sign(&build("1.2.0")?, &ours)?).await?);
    assert_eq!(signed[3], waits, "by a key that is not trusted");
    trust(&[&ours, &theirs]).await?;
    let signed = installed(&host.install("", &sign(&build("1.3.0")?, &ours)?).await?);
    assert_eq!(signed[3], waits, "what serves is signed by nobody");

    // Signed, and granted.
    grant(&host, "1.3.0", json!({"all": true})).await?;
    assert_eq!(activate(&host, "1.3.0").await?.status, 200);
    let other = sign(&build("1.4.0")?, &theirs)?;
    assert_eq!(installed(&host.install("", &other).await?)[3], waits, "another trusted key is another hand");
    let refused = activate(&host, "1.4.0").await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")));
    let tried = json!({"rollout": {"version": "1.4.0", "to": "shadow"}});
    let refused = host.put(&format!("{PLUGIN}/rollout"), tried).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")), "not on trial either");
    assert_eq!(serves().await?, "1.3.0");
    let both = sign(&sign(&build("1.5.0")?, &theirs)?, &ours)?;
    assert_eq!(installed(&host.install("", &both).await?)[2], true, "one common key is enough");
    let next = sign(&build("1.6.0")?, &theirs)?;
    assert_eq!(installed(&host.install("?activate=false", &next).await?)[0], 201);
    trust(&[&theirs]).await?;
    assert_eq!(activate(&host, "1.6.0").await?.status, 200, "signed by the key that is left of the two");

    // Going back needs no new decision: each of them has its own.
    trust(&[&ours, &theirs]).await?;
    let back = Reply::to(host.request(Method::POST, &format!("{PLUGIN}/rollback"))).await?;
    assert_eq!((back.status, serves().await?), (200, json!("1.5.0")), "{back}");
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

#[tokio::test]
async fn connectors_are_configuration_and_secrets_are_not() -> Done {
    let host = host().await?;
    let crm = json!({"kind": "odata", "url": "https://crm.example/api", "secret": "token"});
    assert_eq!(host.put("/api/v1/connectors/crm", crm.clone()).await?.status, 201);
    let listed = host.get("/api/v1/connectors").await?.json();
    assert_eq!((&listed["items"][0]["connector"], &listed["items"][0]["url"]), (&json!("crm"), &crm["url"]));
    let one = host.get("/api/v1/connectors/crm").await?;
    assert_eq!((&one.json()["url"], one.header("etag").is_empty()), (&crm["url"], false), "{one}");
    let back = host.put("/api/v1/connectors/crm", one.json()).await?;
    assert_eq!((back.status, back.json()), (200, one.json()), "a read can be sent back");
    assert_snapshot!(host.get("/api/v1/connectors/erp").await?, @r#"404 {"code":"not-found","detail":"connector `erp` does not exist"}"#);
    let revision = host.get("/api/v1/revisions?limit=1").await?.text;
    assert!(revision.contains("connectors"), "{revision}");
    for (name, body) in [
        ("CRM", crm.clone()),
        ("crm", json!({"kind": "odata", "url": "http://crm.example"})),
        ("crm", json!({"kind": "odata", "url": "https://10.0.0.1/api"})),
        ("crm", json!({"kind": "odata", "url": "https://crm.example", "password": "x"})),
        ("crm", json!({"kind": "sql", "url": "https://crm.example"})),
    ] {
        let refused = host.put(&format!("/api/v1/connectors/{name}"), body.clone()).await?;
        assert_eq!(refused.status, 422, "{body}: {refused}");
    }
    assert_eq!(host.delete("/api/v1/connectors/crm").await?.status, 204);

    let put = async |value: &str, hosts: Value| {
        host.put("/api/v1/secrets/token", json!({"value": value, "hosts": hosts})).await
    };
    let crm = json!(["crm.example"]);
    let statuses = [
        put(SECRET, crm.clone()).await?.status,
        put("another-good-secret", json!(["b.example:8443", "crm.example"])).await?.status,
        put("short", crm).await?.status,
    ];
    assert_eq!(statuses, [201, 200, 422]);
    let listed = host.get("/api/v1/secrets").await?.json();
    assert_eq!(listed["items"][0]["hosts"], json!(["b.example:8443", "crm.example"]), "{listed}");
    let without = host.put("/api/v1/secrets/token", json!({"value": SECRET})).await?;
    assert!(without.status == 422 && without.text.contains("`hosts`"), "{without}");
    let nowhere = put(SECRET, json!([])).await?;
    assert!(nowhere.status == 422 && nowhere.text.contains("a secret is for 1 to 16 hosts"), "{nowhere}");
    for hosts in [json!(["*.example"]), json!(["127.0.0.1"]), json!(["https://crm.example"]), json!("crm.example")] {
        assert_eq!(put(SECRET, hosts.clone()).await?.status, 422, "{hosts}");
    }
    assert_eq!(host.delete("/api/v1/secrets/token").await?.status, 204);
    assert_snapshot!(host.delete("/api/v1/secrets/token").await?, @r#"404 {"code":"not-found","detail":"there is no secret `token`: `GET /api/v1/secrets` lists those there are"}"#);
    Ok(())
}
