//! Tokens: a secret is told once, serves until it is replaced or revoked, and hands out no more than its owner has.

use std::collections::BTreeSet;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::Timestamp;
use loadout::domain::access::{AccessRole, NewToken};
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::host::{Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, lines, token};

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
    assert_snapshot!(create(&["app-profile-user"], "spy").await?, @r#"403 {"code":"forbidden","detail":"the token `chief` lacks the privilege `configuration.read`: use one with the role `system-administrator` or `app-profile-administrator` or `app-profile-user` or `productivity-tools-administrator` or `plugin-installer` or `plugin-trust-administrator` or `plugin-configurator` or `plugin-granter` or `plugin-operator` or `plugin-recorder` or `upgrader`, or ask an administrator of tokens for it","privilege":"configuration.read"}"#);
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
    assert_snapshot!(create(json!({"name": "admin", "roles": ["workspace"]})).await?, @r#"409 {"code":"invalid-request","detail":"`name`: `admin` is reserved for the admin token or the program itself: choose another name","errors":[{"attribute":"name","message":"`admin` is reserved for the admin token or the program itself: choose another name"}]}"#);
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
