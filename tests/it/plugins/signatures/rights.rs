//! The rights to install and to configure are no rights to decide whose signature counts.

use insta::assert_snapshot;
use loadout_plugin_build::{PrivateKey, sign};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

use super::{PUBLISHER, host, trust};

/// A token with these roles.
async fn token(host: &TestHost, name: &str, roles: &[&str]) -> Result<String, Failure> {
    let made = host.post("/api/v1/tokens", json!({"name": name, "roles": roles})).await?;
    Ok(made.json()["secret"].as_str().ok_or_else(|| made.to_string())?.to_owned())
}

#[tokio::test]
async fn the_right_to_install_is_no_right_to_decide_whose_signature_counts() -> Done {
    let host = host().await?;
    let (ours, theirs) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let keys = [("OURS", &ours), ("THEIRS", &theirs)];
    trust(&host, &[&ours]).await?;
    let installer = token(&host, "installer", &["plugin-installer", "app-profile-administrator", "upgrader"]).await?;
    let ask = |method: Method, path: &str, body: Option<Value>| {
        let request = host.anonymous(method, path).bearer_auth(&installer);
        Reply::to(if let Some(body) = body { request.json(&body) } else { request })
    };
    let install = async |bytes: &[u8]| {
        let request = host.anonymous(Method::POST, "/api/v1/plugins").bearer_auth(&installer);
        Reply::to(request.header("content-type", "application/wasm").body(bytes.to_vec())).await
    };
    let plain = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    assert_eq!(install(&plain).await?.status, 422);
    let before = host.get("/api/v1/revisions?limit=1").await?.text;
    let denied = [
        ask(Method::DELETE, PUBLISHER, None).await?,
        ask(Method::PUT, PUBLISHER, Some(json!({"keys": [theirs.public()]}))).await?,
        ask(Method::PUT, "/api/v1/trusted-publishers/others", Some(json!({"keys": [theirs.public()]}))).await?,
        ask(Method::PUT, "/api/v1/environment", Some(json!({"plugins": {"unsigned": "refused"}}))).await?,
    ];
    for reply in &denied {
        assert_eq!((reply.status, &reply.json()["privilege"]), (403, &json!("plugin.trust")), "{reply}");
    }
    assert_eq!(host.get("/api/v1/revisions?limit=1").await?.text, before, "nothing was written");
    assert_eq!(install(&plain).await?.status, 422, "it is refused as it was");
    assert_eq!(install(&sign(&plain, &theirs)?).await?.status, 422);
    assert_eq!(ask(Method::GET, PUBLISHER, None).await?.status, 200, "whose signature counts can be read");
    // Nor what other administrators decided about plugins.
    let past = json!({"version": "1.0.0", "pastGate": true});
    for reply in [
        ask(Method::DELETE, "/api/v1/plugins/loadout/macros?fallBack=true", None).await?,
        ask(Method::POST, "/api/v1/plugins/loadout/macros/activate", Some(past)).await?,
    ] {
        assert_eq!((reply.status, &reply.json()["privilege"]), (403, &json!("plugin.configure")), "{reply}");
    }

    // The other way round, and by name in the audit.
    let truster = token(&host, "truster", &["plugin-trust-administrator"]).await?;
    let as_truster = |method: Method, path: &str, body: Value| {
        Reply::to(host.anonymous(method, path).bearer_auth(&truster).json(&body))
    };
    let put = as_truster(Method::PUT, PUBLISHER, json!({"keys": [theirs.public()]})).await?;
    assert_eq!(put.status, 200, "{put}");
    let unchanged = as_truster(Method::PUT, PUBLISHER, json!({"keys": [theirs.public()]})).await?;
    assert_eq!(unchanged.status, 200, "{unchanged}");
    assert_eq!(as_truster(Method::DELETE, PUBLISHER, Value::Null).await?.status, 204);
    let strict = as_truster(Method::PUT, "/api/v1/environment", json!({"plugins": {"unsigned": "refused"}})).await?;
    assert_eq!((strict.status, &strict.json()["privilege"]), (403, &json!("configuration.write")), "{strict}");
    host.put("/api/v1/environment", json!({"plugins": {"unsigned": "refused"}})).await?;
    let bytes = Reply::to(
        host.anonymous(Method::POST, "/api/v1/plugins")
            .bearer_auth(&truster)
            .header("content-type", "application/wasm")
            .body(plain.clone()),
    );
    assert_eq!(bytes.await?.json()["privilege"], "plugin.install");
    let audit = host.get("/api/v1/audit").await?.json();
    let told = audit["items"].as_array().into_iter().flatten().rev().filter(|line| {
        line["outcome"].as_str().is_some_and(|it| it.starts_with("publisher-") || it.starts_with("unsigned-"))
    });
    let told: Vec<String> = told
        .map(|line| {
            let mut line = line.clone();
            for key in ["id", "at"] {
                line[key].take();
            }
            keys.iter().fold(line.to_string(), |text, (name, key)| text.replace(&key.id(), name))
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    {"id":null,"at":null,"token":"admin","outcome":"publisher-trusted","publisher":"tests","keys":["OURS"],"insteadOf":[]}
    {"id":null,"at":null,"token":"truster","outcome":"publisher-trusted","publisher":"tests","keys":["THEIRS"],"insteadOf":["OURS"]}
    {"id":null,"at":null,"token":"truster","outcome":"publisher-forgotten","publisher":"tests","keys":["THEIRS"]}
    {"id":null,"at":null,"token":"admin","outcome":"unsigned-decided","unsigned":"refused"}
    "#);
    assert_eq!(
        host.get("/api/v1/audit?outcome=unsigned-decided").await?.json()["items"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn the_right_to_configure_is_no_right_to_decide_about_plugins_as_a_whole() -> Done {
    let host = host().await?;
    let setup = token(&host, "setup", &["app-profile-administrator"]).await?;
    let both = token(&host, "both", &["app-profile-administrator", "plugin-configurator"]).await?;
    let put = |secret: &str, body: Value| {
        Reply::to(host.anonymous(Method::PUT, "/api/v1/environment").bearer_auth(secret).json(&body))
    };
    let (show, off) = (
        json!({"plugins": {"withoutRule": "show"}}),
        json!({"traces": {"level": "off", "retentionDays": 1}, "plugins": {"withoutRule": "show"}}),
    );
    for body in [&show, &off] {
        let refused = put(&setup, body.clone()).await?;
        assert_eq!((refused.status, &refused.json()["privilege"]), (403, &json!("plugin.configure")), "{refused}");
    }
    assert_eq!(put(&setup, json!({"tabsMax": 9})).await?.status, 200, "the rest of it is theirs");
    for body in [show, off] {
        assert_eq!(put(&both, body).await?.status, 200);
    }
    let audit = host.get("/api/v1/audit").await?.json();
    let told = audit["items"].as_array().into_iter().flatten().rev();
    let told = told.filter(|line| line["outcome"].as_str().is_some_and(|it| it.ends_with("-decided")));
    let told: Vec<String> = told
        .map(|line| {
            let mut line = line.clone();
            line["id"].take();
            line["at"].take();
            line.to_string()
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    {"id":null,"at":null,"token":"both","outcome":"without-rule-decided","withoutRule":"show"}
    {"id":null,"at":null,"token":"both","outcome":"traces-decided","level":"off","retentionDays":1,"retentionMegabytes":256}
    "#);
    Ok(())
}
