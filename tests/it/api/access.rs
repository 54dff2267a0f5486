//! Who may do what: least privilege, and a trace of each caller that tried more.

mod audit;
mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::Timestamp;
use loadout::domain::access::AccessRole;
use loadout_plugin_build::{PrivateKey, embed_manifest};
use loadout_tests::Done;
use loadout_tests::archive::{pack, root};
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

/// The secret of a new token.
async fn token(host: &TestHost, name: &str, roles: &[&str]) -> Result<String, Failure> {
    let made = host.post("/api/v1/tokens", json!({"name": name, "roles": roles})).await?;
    assert_eq!(made.status, 201, "{made}");
    Ok(made.json()["secret"].as_str().ok_or("no secret")?.to_owned())
}

async fn ask(host: &TestHost, secret: &str, method: Method, path: &str, body: Option<Value>) -> Result<Reply, Failure> {
    let request = host.anonymous(method, path).bearer_auth(secret);
    Reply::to(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Every operation under `/api/`, with the privilege it needs.
async fn operations(host: &TestHost) -> Result<BTreeMap<(String, String), Option<String>>, Failure> {
    let document = host.get("/openapi.json").await?.json();
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten().filter(|_| path.starts_with("/api/")) {
            let needed = operation["x-loadout-privilege"].as_str().map(ToOwned::to_owned);
            operations.insert((method.to_uppercase(), path.clone()), needed);
        }
    }
    Ok(operations)
}

/// The audit in a line each, the newest first.
fn lines(page: &Value) -> String {
    let line = |item: &Value| {
        let words = ["token", "outcome", "by", "reason", "privilege", "method", "route"];
        let words: Vec<&str> = words.iter().filter_map(|key| item[*key].as_str()).collect();
        words.join(" ")
    };
    page["items"].as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_workspace_asks_for_experiences_and_sees_nothing_else() -> Done {
    let host = TestHost::with_sample().await?;
    let secret = token(&host, "desk", &["workspace"]).await?;
    let path = "/api/v1/users/kayla/experience?app=customer-service-workspace";
    let experience = ask(&host, &secret, Method::GET, path, None).await?;
    assert_eq!(experience.json()["profile"]["uniqueName"], "contoso_rep", "{experience}");
    let revision = host.get("/api/v1/revisions?limit=1").await?.text;
    let operations = operations(&host).await?;
    assert!(operations.len() > 100, "only {} operations", operations.len());
    for ((method, path), needed) in operations {
        let address = path.replace(['{', '}'], "");
        let reply = ask(&host, &secret, method.parse()?, &address, None).await?;
        match needed.as_deref() {
            None => assert_eq!((reply.status, path.as_str()), (200, "/api/v1/me"), "{method} {path}"),
            Some("experience.read") => assert_ne!(reply.status, 403, "{method} {path}: {reply}"),
            Some(needed) => {
                assert_eq!((reply.status, reply.json()["privilege"].as_str()), (403, Some(needed)), "{method} {path}")
            }
        }
    }
    assert_eq!(host.get("/api/v1/revisions?limit=1").await?.text, revision, "nothing was written");
    assert_snapshot!(ask(&host, &secret, Method::PUT, "/api/v1/scripts/new_x", None).await?, @r#"403 {"code":"forbidden","detail":"the token `desk` lacks the privilege `productivity.write`: use one with the role `system-administrator` or `productivity-tools-administrator`, or ask an administrator of tokens for it","privilege":"productivity.write"}"#);
    assert_snapshot!(ask(&host, &secret, Method::GET, "/api/v1/me", None).await?, @r#"200 {"name":"desk","roles":["workspace"],"privileges":["experience.read"]}"#);
    Ok(())
}

/// A caller with every role but those that have the privilege of a write is refused, by the name of that privilege.
#[tokio::test]
async fn every_write_needs_the_privilege_that_the_document_says() -> Done {
    let host = TestHost::with_sample().await?;
    let revision = host.get("/api/v1/revisions?limit=1").await?.text;
    let mut writes: BTreeMap<String, Vec<(Method, String)>> = BTreeMap::new();
    for ((method, path), needed) in operations(&host).await? {
        if let (Some(needed), false) = (needed, method == "GET") {
            writes.entry(needed).or_default().push((method.parse()?, path.replace(['{', '}'], "")));
        }
    }
    assert!(writes.len() > 10 && writes.contains_key("plugin.trust"), "{:?}", writes.keys());
    for (privilege, writes) in &writes {
        let has = |role: &&AccessRole| role.privileges().iter().any(|it| it.as_str() == privilege);
        let others: Vec<&str> = AccessRole::ALL.iter().filter(|role| !has(role)).map(|role| role.as_str()).collect();
        let secret = token(&host, &format!("without-{privilege}"), &others).await?;
        for (method, path) in writes {
            let refused = ask(&host, &secret, method.clone(), path, None).await?;
            assert_eq!(
                (refused.status, refused.json()["privilege"].as_str()),
                (403, Some(privilege.as_str())),
                "{method} {path}"
            );
        }
    }
    assert_eq!(host.get("/api/v1/revisions?limit=1").await?.text, revision, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn addresses_that_are_not_there_say_so_to_everybody_who_may_ask() -> Done {
    let host = TestHost::start().await?;
    let secret = token(&host, "desk", &["workspace"]).await?;
    assert_snapshot!(ask(&host, &secret, Method::GET, "/api/v1/teapots", None).await?, @r#"404 {"code":"not-found","detail":"there is nothing at this address: `/openapi.json` lists what there is"}"#);
    let posted = ask(&host, &secret, Method::POST, "/api/v1/queues", Some(json!({}))).await?;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET,HEAD"));
    assert_eq!(ask(&host, &secret, Method::HEAD, "/api/v1/me", None).await?.status, 200);
    assert_eq!(ask(&host, &secret, Method::HEAD, "/api/v1/queues", None).await?.status, 403);
    assert_eq!(Reply::to(host.anonymous(Method::GET, "/api/v1/teapots")).await?.status, 401);
    Ok(())
}

/// What each role about plugins is there for, and what its neighbours are there for instead.
#[tokio::test]
async fn whoever_has_to_do_with_plugins_does_their_own_part_of_it() -> Done {
    let host = TestHost::with_platform().await?;
    let component = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    let asking = guests::manifest("greeter", "1.0.0", "greeter") + "[capabilities]\nsecrets = [\"token\"]\n";
    let installed = host.install("?activate=false", &embed_manifest(&component, &asking)?).await?;
    assert_eq!(installed.status, 201, "{installed}");
    let until = (Timestamp::now() + Duration::from_secs(3_600)).to_string();
    // In an order in which each call can succeed.
    let calls = [
        ("GET", "plugins", Value::Null),
        ("GET", "plugins/tests/greeter", Value::Null),
        ("GET", "plugins/tests/greeter/versions/1.0.0", Value::Null),
        ("GET", "plugins/tests/greeter/versions/1.0.0/grant", Value::Null),
        ("PUT", "secrets/token", json!({"value": "t-0-k-e-n", "hosts": ["api.example"]})),
        ("GET", "secrets", Value::Null),
        ("PUT", "plugins/tests/greeter/versions/1.0.0/grant", json!({"all": true})),
        ("POST", "plugins/tests/greeter/activate", json!({"version": "1.0.0"})),
        ("PUT", "plugins/tests/greeter/state", json!({"state": "active"})),
        ("PUT", "plugins/tests/greeter/tools/greeter", json!({"onFault": "skip"})),
        ("PUT", "plugins/tests/greeter/promotion", json!({"gate": "open"})),
        ("PUT", "plugins/tests/greeter/recording", json!({"until": until})),
        ("GET", "recordings", Value::Null),
        ("DELETE", "plugins/tests/greeter/recording", Value::Null),
        ("GET", "plugins/tests/greeter/statistics", Value::Null),
        ("GET", "traces", Value::Null),
        ("GET", "outbox", Value::Null),
        ("GET", "steps", Value::Null),
        ("GET", "connectors", Value::Null),
        ("PUT", "connectors/crm", json!({"kind": "knowledge", "url": "https://crm.example/search"})),
        ("DELETE", "connectors/crm", Value::Null),
        ("GET", "trusted-publishers", Value::Null),
        ("PUT", "trusted-publishers/others", json!({"keys": [PrivateKey::generate()?.public()]})),
        ("GET", "trusted-publishers/others", Value::Null),
        ("DELETE", "trusted-publishers/others", Value::Null),
        ("GET", "plugin-bundle", Value::Null),
        ("DELETE", "secrets/token", Value::Null),
        ("DELETE", "plugins/tests/greeter/versions/1.0.0/grant", Value::Null),
    ];
    let roles = [
        "plugin-installer",
        "plugin-trust-administrator",
        "plugin-configurator",
        "plugin-granter",
        "secret-writer",
        "plugin-operator",
        "plugin-recorder",
    ];
    let mut secrets = Vec::new();
    for role in roles {
        secrets.push((role, token(&host, &format!("the-{role}"), &[role]).await?));
    }
    let mut done = Vec::new();
    for (method, path, body) in calls {
        let mut allowed = Vec::new();
        for (role, secret) in &secrets {
            let body = Some(body.clone()).filter(|body| !body.is_null());
            let reply = ask(&host, secret, method.parse()?, &format!("/api/v1/{path}"), body).await?;
            match reply.status {
                403 => assert!(reply.json()["privilege"].is_string(), "{role} {method} {path}: {reply}"),
                200 | 201 | 204 => allowed.push(role.trim_start_matches("plugin-")),
                _ => return Err(format!("{role} {method} {path}: {reply}").into()),
            }
        }
        done.push(format!("{method} {path}: {}", allowed.join(" ")));
    }
    assert_snapshot!(done.join("\n"), @"
    GET plugins: installer trust-administrator configurator granter operator recorder
    GET plugins/tests/greeter: installer trust-administrator configurator granter operator recorder
    GET plugins/tests/greeter/versions/1.0.0: installer
    GET plugins/tests/greeter/versions/1.0.0/grant: installer trust-administrator configurator granter operator recorder
    PUT secrets/token: secret-writer
    GET secrets: secret-writer
    PUT plugins/tests/greeter/versions/1.0.0/grant: granter
    POST plugins/tests/greeter/activate: installer
    PUT plugins/tests/greeter/state: configurator
    PUT plugins/tests/greeter/tools/greeter: configurator
    PUT plugins/tests/greeter/promotion: configurator
    PUT plugins/tests/greeter/recording: recorder
    GET recordings: recorder
    DELETE plugins/tests/greeter/recording: recorder
    GET plugins/tests/greeter/statistics: operator
    GET traces: operator
    GET outbox: operator
    GET steps: installer trust-administrator configurator granter operator recorder
    GET connectors: installer trust-administrator configurator granter operator recorder
    PUT connectors/crm: granter
    DELETE connectors/crm: granter
    GET trusted-publishers: installer trust-administrator configurator granter operator recorder
    PUT trusted-publishers/others: trust-administrator
    GET trusted-publishers/others: installer trust-administrator configurator granter operator recorder
    DELETE trusted-publishers/others: trust-administrator
    GET plugin-bundle: installer
    DELETE secrets/token: secret-writer
    DELETE plugins/tests/greeter/versions/1.0.0/grant: granter
    ");
    Ok(())
}

#[tokio::test]
async fn history_names_the_token_that_wrote() -> Done {
    let host = TestHost::start().await?;
    let secret = token(&host, "night-desk", &["app-profile-administrator"]).await?;
    let put = ask(&host, &secret, Method::PUT, "/api/v1/queues/desk", Some(json!({"name": "Desk"}))).await?;
    assert_eq!(put.status, 201, "{put}");
    let revisions = host.get("/api/v1/revisions?limit=1").await?.json();
    assert_eq!(revisions["items"][0]["who"], "night-desk");
    Ok(())
}

#[tokio::test]
async fn nothing_is_written_by_way_of_something_else() -> Done {
    let host = TestHost::with_sample().await?;
    let tools = token(&host, "tools", &["productivity-tools-administrator"]).await?;
    let profiles = token(&host, "profiles", &["app-profile-administrator"]).await?;
    let before = host.get("/api/v1/revisions?limit=1").await?.text;

    // A script that a session template names: taking the link away writes the template.
    let script = "/api/v1/scripts/contoso_closing";
    let named = host.delete(script).await?.json()["referrers"].clone();
    assert!(named.to_string().contains("session-templates"), "{named}");
    let forced = ask(&host, &tools, Method::DELETE, &format!("{script}?force=true"), None).await?;
    assert_eq!((forced.status, &forced.json()["privilege"]), (403, &json!("configuration.write")), "{forced}");

    let zip = pack(&root().join("tests/fixtures/tailspin"))?;
    let import = |path: &str, secret: &str| {
        let request = host.anonymous(Method::POST, path).bearer_auth(secret);
        Reply::to(request.header("content-type", "application/zip").body(zip.clone()))
    };
    for path in ["/api/v1/imports", "/api/v1/imports?dryRun=true"] {
        let refused = import(path, &profiles).await?;
        assert_eq!((refused.status, &refused.json()["privilege"]), (403, &json!("productivity.write")), "{refused}");
    }
    assert_eq!(host.get("/api/v1/revisions?limit=1").await?.text, before, "nothing was written");
    let both = token(&host, "both", &["app-profile-administrator", "productivity-tools-administrator"]).await?;
    let imported = import("/api/v1/imports", &both).await?;
    assert_eq!(imported.status, 200, "{imported}");
    assert_eq!(host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["who"], "both");
    Ok(())
}

#[tokio::test]
async fn an_export_with_people_needs_the_right_to_read_them() -> Done {
    let host = TestHost::with_sample().await?;
    let upgrader = token(&host, "upgrader", &["upgrader"]).await?;
    assert_eq!(ask(&host, &upgrader, Method::GET, "/api/v1/export", None).await?.status, 200);
    let people = ask(&host, &upgrader, Method::GET, "/api/v1/export?withAssignments=true", None).await?;
    assert_eq!((people.status, &people.json()["privilege"]), (403, &json!("people.read")), "{people}");
    Ok(())
}
