//! Who may do what: least privilege, and a trace of whoever tried more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use insta::assert_snapshot;
use jiff::Timestamp;
use loadout::domain::access::{AccessRole, AuditEvent, AuditOutcome, NewToken};
use loadout::store::{AuditFilter, Store};
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
    assert_snapshot!(ask(&host, &secret, Method::PUT, "/api/v1/scripts/new_x", None).await?, @r#"403 {"code":"forbidden","detail":"the token `desk` lacks the privilege `productivity.write`: use one with the role `system-administrator` or `productivity-tools-administrator`, or ask whoever manages tokens for it","privilege":"productivity.write"}"#);
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
async fn a_secret_is_told_once_and_serves_until_it_is_replaced() -> Done {
    let host = TestHost::start().await?;
    let made = host.post("/api/v1/tokens", json!({"name": "desk", "roles": ["workspace"]})).await?;
    assert_eq!((made.header("location"), made.header("cache-control")), ("/api/v1/tokens/desk", "no-store"));
    let first = made.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    let rotated = host.post("/api/v1/tokens/desk/rotate", Value::Null).await?;
    assert_eq!((rotated.status, rotated.header("cache-control")), (200, "no-store"), "{rotated}");
    let second = rotated.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    assert_eq!(ask(&host, &first, Method::GET, "/api/v1/me", None).await?.status, 401);
    assert_eq!(ask(&host, &second, Method::GET, "/api/v1/me", None).await?.status, 200);

    let audit = host.get("/api/v1/audit").await?;
    let shown = [audit.text, host.get("/api/v1/tokens").await?.text, host.get("/api/v1/tokens/desk").await?.text];
    for (shown, secret) in shown.iter().flat_map(|shown| [(shown, &first), (shown, &second)]) {
        assert!(!shown.contains(secret.trim_start_matches("loadout_")), "{shown}");
    }
    let desk = host.get("/api/v1/tokens/desk").await?.json();
    assert_eq!((&desk["createdBy"], &desk["standing"]), (&json!("admin"), &json!("valid")));
    assert!(desk["lastUsed"].as_str().is_some_and(|used| used.ends_with(":00:00Z")), "{desk}");
    Ok(())
}

#[tokio::test]
async fn what_serves_no_more_is_told_nothing_and_the_audit_knows_why() -> Done {
    let host = TestHost::start().await?;
    let revoked = token(&host, "revoked", &["workspace"]).await?;
    let rotated = token(&host, "rotated", &["workspace"]).await?;
    assert_eq!(host.delete("/api/v1/tokens/revoked").await?.status, 204);
    assert_eq!(host.delete("/api/v1/tokens/revoked").await?.status, 204, "a second time changes nothing");
    assert_eq!(host.post("/api/v1/tokens/rotated/rotate", Value::Null).await?.status, 200);
    let soon = Timestamp::now() + Duration::from_millis(200);
    let made = host.post("/api/v1/tokens", json!({"name": "expired", "roles": ["workspace"], "expires": soon})).await?;
    let expired = made.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    while ask(&host, &expired, Method::GET, "/api/v1/me", None).await?.status == 200 {}

    let unknown = format!("loadout_{}", "0".repeat(64));
    let mut answers = BTreeSet::new();
    for secret in [&revoked, &rotated, &expired, &unknown, "made-up"] {
        answers.insert(ask(&host, secret, Method::GET, "/api/v1/me", None).await?.to_string());
    }
    let answers: Vec<_> = answers.into_iter().collect();
    assert_snapshot!(answers.join("\n"), @r#"401 {"code":"unauthorized","detail":"this address needs a token that serves: send it as `Authorization: Bearer <token>`"}"#);
    Reply::to(host.anonymous(Method::GET, "/api/v1/me")).await?;
    let audit = host.get("/api/v1/audit").await?.json();
    let kept: BTreeSet<String> = lines(&audit).lines().map(ToOwned::to_owned).collect();
    assert_snapshot!(kept.into_iter().collect::<Vec<_>>().join("\n"), @"
    expired denied expired GET /api/v1/me
    expired token-created admin
    revoked denied revoked GET /api/v1/me
    revoked token-created admin
    revoked token-revoked admin
    rotated denied rotated GET /api/v1/me
    rotated token-created admin
    rotated token-rotated admin
    ");
    let metrics = Reply::to(host.anonymous(Method::GET, "/metrics")).await?.text;
    for line in [
        r#"loadout_denied_calls_total{reason="no-token"} 1"#,
        r#"loadout_denied_calls_total{reason="invalid-token"} 6"#,
        "loadout_audit_lost_total 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("revoked"), "everybody may read this\n{metrics}");
    Ok(())
}

#[tokio::test]
async fn what_another_process_revokes_is_revoked_at_once() -> Done {
    let host = TestHost::start().await?;
    let other = Store::open(host.folder())?;
    let new = NewToken { name: "desk".parse()?, roles: AccessRole::Workspace.into(), expires: None };
    let (_, secret) = other.create_token(&new, "admin")?;
    assert_eq!(ask(&host, secret.reveal(), Method::GET, "/api/v1/me", None).await?.status, 200);
    other.revoke_token("desk", "admin")?;
    assert_eq!(ask(&host, secret.reveal(), Method::GET, "/api/v1/me", None).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn nobody_hands_out_what_they_do_not_have() -> Done {
    let host = TestHost::start().await?;
    let chief = token(&host, "chief", &["token-administrator", "workspace"]).await?;
    token(&host, "boss", &["system-administrator"]).await?;
    let create = |roles: &'static [&str], name: &str| {
        ask(&host, &chief, Method::POST, "/api/v1/tokens", Some(json!({"name": name, "roles": roles})))
    };
    let made = create(&["workspace"], "desk").await?;
    assert_eq!((made.status, &made.json()["createdBy"]), (201, &json!("chief")), "{made}");
    assert_snapshot!(create(&["app-profile-user"], "spy").await?, @r#"403 {"code":"forbidden","detail":"the token `chief` lacks the privilege `configuration.read`: use one with the role `system-administrator` or `app-profile-administrator` or `app-profile-user` or `productivity-tools-administrator` or `plugin-installer` or `plugin-trust-administrator` or `plugin-configurator` or `plugin-granter` or `plugin-operator` or `plugin-recorder` or `upgrader`, or ask whoever manages tokens for it","privilege":"configuration.read"}"#);
    for (method, path) in [(Method::POST, "/api/v1/tokens/boss/rotate"), (Method::DELETE, "/api/v1/tokens/boss")] {
        assert_eq!(ask(&host, &chief, method, path, None).await?.status, 403, "{path}");
    }
    assert_eq!(host.get("/api/v1/tokens/boss").await?.json()["standing"], "valid");
    assert_eq!(host.get("/api/v1/tokens/spy").await?.status, 404);
    assert_eq!(ask(&host, &chief, Method::DELETE, "/api/v1/tokens/desk", None).await?.status, 204);
    let audit = host.get("/api/v1/audit?token=chief&outcome=denied").await?.json();
    assert_snapshot!(lines(&audit), @"
    chief denied missing-privilege configuration.read DELETE /api/v1/tokens/{name}
    chief denied missing-privilege configuration.read POST /api/v1/tokens/{name}/rotate
    chief denied missing-privilege configuration.read POST /api/v1/tokens
    ");
    Ok(())
}

#[tokio::test]
async fn tokens_that_cannot_be() -> Done {
    let host = TestHost::start().await?;
    let create = |body: Value| host.post("/api/v1/tokens", body);
    assert_snapshot!(create(json!({"name": "admin", "roles": ["workspace"]})).await?, @r#"409 {"code":"invalid-request","detail":"`name`: `admin` is what history calls somebody else: choose another name","errors":[{"attribute":"name","message":"`admin` is what history calls somebody else: choose another name"}]}"#);
    assert_snapshot!(create(json!({"name": "desk", "roles": []})).await?, @r#"422 {"code":"invalid-request","detail":"`roles`: a token without a role can do nothing: give it at least one of `system-administrator`, `app-profile-administrator`, `app-profile-user`, `productivity-tools-administrator`, `workspace`, `plugin-installer`, `plugin-trust-administrator`, `plugin-configurator`, `plugin-granter`, `secret-writer`, `plugin-operator`, `plugin-recorder`, `upgrader`, `auditor`, `token-administrator`","errors":[{"attribute":"roles","message":"a token without a role can do nothing: give it at least one of `system-administrator`, `app-profile-administrator`, `app-profile-user`, `productivity-tools-administrator`, `workspace`, `plugin-installer`, `plugin-trust-administrator`, `plugin-configurator`, `plugin-granter`, `secret-writer`, `plugin-operator`, `plugin-recorder`, `upgrader`, `auditor`, `token-administrator`"}]}"#);
    assert_eq!(create(json!({"name": "desk", "roles": ["boss"]})).await?.status, 422);
    assert_eq!(create(json!({"name": "desk", "roles": ["workspace"], "secret": "mine"})).await?.status, 422);
    assert_snapshot!(create(json!({"name": "desk", "roles": ["workspace"], "expires": "2020-01-01T00:00:00Z"})).await?, @r#"409 {"code":"invalid-request","detail":"`expires`: the token would expire at 2020-01-01T00:00:00Z, which is over: name a moment to come","errors":[{"attribute":"expires","message":"the token would expire at 2020-01-01T00:00:00Z, which is over: name a moment to come"}]}"#);
    assert_eq!(create(json!({"name": "desk", "roles": ["workspace"]})).await?.status, 201);
    assert_snapshot!(create(json!({"name": "desk", "roles": ["workspace"]})).await?, @r#"409 {"code":"exists","detail":"there is, or was, a token `desk` already: choose another name, so that history can tell them apart"}"#);
    host.delete("/api/v1/tokens/desk").await?;
    assert_snapshot!(host.post("/api/v1/tokens/desk/rotate", Value::Null).await?, @r#"409 {"code":"token-over","detail":"the token `desk` is revoked and stays so: make another one under another name"}"#);
    assert_snapshot!(host.get("/api/v1/tokens/shop").await?, @r#"404 {"code":"not-found","detail":"there is no token `shop`: type `loadout token list`, or ask `/api/v1/tokens`"}"#);
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
