//! Signed plugins: whose components are taken, what happens when a key is withdrawn, and how authors sign.

mod rights;

use std::fs;

use insta::assert_snapshot;
use loadout_plugin_build::{PrivateKey, sign};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::program::{loadout, outcome};
use reqwest::Method;
use serde_json::{Value, json};

const PUBLISHER: &str = "/api/v1/trusted-publishers/tests";

const GREETER: &str = "/api/v1/plugins/tests/greeter";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

async fn trust(host: &TestHost, keys: &[&PrivateKey]) -> Done {
    let keys: Vec<String> = keys.iter().map(|key| key.public()).collect();
    let put = host.put(PUBLISHER, json!({"name": "The tests", "keys": keys})).await?;
    if [200, 201].contains(&put.status) { Ok(()) } else { Err(put.to_string().into()) }
}

/// An answer with the keys, which are new each time, called by name.
fn named(reply: &Reply, keys: &[(&str, &PrivateKey)]) -> String {
    keys.iter().fold(reply.to_string(), |text, (name, key)| text.replace(&key.id(), name))
}

#[tokio::test]
async fn a_publisher_with_keys_signs_or_is_refused() -> Done {
    let host = host().await?;
    let (ours, theirs) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let keys = [("OURS", &ours), ("THEIRS", &theirs)];
    trust(&host, &[&ours]).await?;
    let shown = host.get(PUBLISHER).await?.json();
    assert_eq!((&shown["name"], &shown["keys"]), (&json!("The tests"), &json!([ours.public()])));
    let back = host.put(PUBLISHER, shown.clone()).await?;
    assert_eq!((back.status, back.json()), (200, shown), "a read can be sent back");
    let plain = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    let signed = sign(&plain, &ours)?;
    let mut tampered = signed.clone();
    let at = plain.len() / 2;
    tampered[at] = tampered[at].wrapping_add(1);
    let mut moved = signed.clone();
    moved.extend([0, 4, 1, b'x', 7, 7]);

    assert_snapshot!(named(&host.install("", &plain).await?, &keys), @r#"422 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.0.0 is refused: publisher `tests` signs with key OURS, and it is signed by nobody: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`"}"#);
    assert_snapshot!(named(&host.install("", &sign(&plain, &theirs)?).await?, &keys), @r#"422 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.0.0 is refused: publisher `tests` signs with key OURS, and it is signed by key THEIRS: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`"}"#);
    assert_snapshot!(named(&host.install("", &moved).await?, &keys), @r#"422 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.0.0 is refused: its signatures (`loadout:signature`) are not its last section, so that what follows is not signed: sign it again"}"#);
    let changed = host.install("", &tampered).await?;
    assert_eq!((changed.status, &changed.json()["code"]), (422, &json!("plugin-refused")), "{changed}");
    let there = host.get(GREETER).await?.json();
    assert_eq!((&there["versions"], &there["version"]), (&json!([]), &Value::Null), "nothing of it is there but why");

    let both = host.install("", &sign(&signed, &theirs)?).await?;
    assert_eq!(both.status, 201, "{both}");
    let version = &both.json()["versions"][0];
    assert_eq!(
        version["signedBy"],
        json!([{"keyId": ours.id(), "standing": "trusted"}, {"keyId": theirs.id(), "standing": "unknown"}])
    );
    let again = host.install("", &signed).await?;
    assert_eq!(again.json()["code"], "version-taken", "another signature is another component");
    Ok(())
}

#[tokio::test]
async fn a_withdrawn_key_stops_nothing_that_serves_and_lets_nothing_in() -> Done {
    let host = host().await?;
    let (old, new) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let keys = [("OLD", &old), ("NEW", &new)];
    trust(&host, &[&old, &new]).await?;
    let version = |version, key| -> Result<Vec<u8>, Failure> {
        Ok(sign(&rule(guests::WELL_BEHAVED, "greeter", version, "scripts")?, key)?)
    };
    for component in [version("1.0.0", &old)?, version("1.1.0", &new)?, version("1.2.0", &old)?] {
        let installed = host.install("", &component).await?;
        assert_eq!((installed.status, &installed.json()["problem"]), (201, &Value::Null), "{installed}");
    }
    let question = json!({
        "user": "kayla", "app": "customer-service-workspace",
        "session": {"entity": "incident", "context": {"customerName": "Ada"}},
    });
    let ask = async || {
        Ok::<_, Failure>(host.post("/api/v1/experience", question.clone()).await?.json()["productivityPane"].clone())
    };
    let before = ask().await?;
    assert!(before.to_string().contains("Hello Ada"), "{before}");

    trust(&host, &[&new]).await?;
    assert_eq!(ask().await?, before, "what serves goes on serving");
    let shown = host.get(GREETER).await?;
    assert_eq!(
        (&shown.json()["version"], &shown.json()["versions"][0]["signedBy"][0]["standing"]),
        (&json!("1.2.0"), &json!("unknown"))
    );
    let problem =
        shown.json()["problem"].as_str().unwrap_or_default().replace(&old.id(), "OLD").replace(&new.id(), "NEW");
    assert_snapshot!(problem, @"plugin `tests/greeter` 1.2.0 is refused: publisher `tests` signs with key NEW, and it is signed by key OLD: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`");

    let activate =
        |version: &'static str| host.post("/api/v1/plugins/tests/greeter/activate", json!({"version": version}));
    let refused = activate("1.0.0").await?;
    assert_snapshot!(named(&refused, &keys), @r#"409 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.0.0 is refused: publisher `tests` signs with key NEW, and it is signed by key OLD: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`"}"#);
    assert_eq!(activate("1.1.0").await?.status, 200);
    let back = Reply::to(host.request(Method::POST, "/api/v1/plugins/tests/greeter/rollback")).await?;
    assert_eq!((back.status, &back.json()["code"]), (409, &json!("plugin-refused")), "a roll-back is looked at, too");

    trust(&host, &[&old]).await?;
    let switch = |state: &'static str| host.put("/api/v1/plugins/tests/greeter/state", json!({"state": state}));
    assert_eq!(switch("inactive").await?.status, 200, "what is distrusted can be switched off");
    assert_eq!(switch("active").await?.json()["code"], "plugin-refused", "and not on again");
    assert_eq!(host.delete(PUBLISHER).await?.status, 204);
    assert_eq!(switch("active").await?.status, 200, "without keys nobody needs to sign");
    Ok(())
}

#[tokio::test]
async fn a_trial_that_slept_while_its_key_was_withdrawn_does_not_wake_up() -> Done {
    let host = host().await?;
    let (old, new) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let keys = [("OLD", &old), ("NEW", &new)];
    trust(&host, &[&old, &new]).await?;
    for (query, version, key) in [("", "1.0.0", &new), ("?activate=false", "1.1.0", &old)] {
        let component = sign(&rule(guests::WELL_BEHAVED, "greeter", version, "scripts")?, key)?;
        assert_eq!(host.install(query, &component).await?.status, 201);
    }
    let begun =
        host.put(&format!("{GREETER}/rollout"), json!({"rollout": {"version": "1.1.0", "to": "shadow"}})).await?;
    assert_eq!(begun.status, 200, "{begun}");
    let switch = |state: &'static str| host.put("/api/v1/plugins/tests/greeter/state", json!({"state": state}));
    assert_eq!(switch("inactive").await?.status, 200);
    trust(&host, &[&new]).await?;
    assert_snapshot!(named(&switch("active").await?, &keys), @r#"409 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.1.0 is refused: publisher `tests` signs with key NEW, and it is signed by key OLD: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`; it is on trial, so end the rollout first to switch the plugin on without it"}"#);
    let activated = host.post(&format!("{GREETER}/activate"), json!({"version": "1.0.0"})).await?;
    assert_eq!(named(&activated, &keys), named(&switch("active").await?, &keys), "nor by activating what was active");
    assert_eq!(host.delete(&format!("{GREETER}/rollout")).await?.status, 200);
    assert_eq!(switch("active").await?.status, 200, "the version that serves is trusted");
    Ok(())
}

#[tokio::test]
async fn the_name_of_the_product_s_own_publisher_is_for_its_plugins_alone() -> Done {
    let host = host().await?;
    let named = |name: &str| {
        let text =
            guests::manifest(name, "9.0.0", "scripts").replace("publisher = \"tests\"", "publisher = \"loadout\"");
        loadout_plugin_build::embed_manifest(guests::WELL_BEHAVED, &text)
    };
    for name in ["scripts", "scripts2"] {
        let refused = host.install("?acceptMajor=true", &named(name)?).await?;
        assert_eq!(refused.status, 422, "{refused}");
        assert!(refused.text.contains("plugins of publisher `loadout` come with this program"), "{refused}");
    }
    assert_eq!(host.get("/api/v1/plugins/loadout/scripts").await?.json()["version"], "0.1.0");
    // A key that signs for it lets in what it signed.
    let key = PrivateKey::generate()?;
    let trusted = host.put("/api/v1/trusted-publishers/loadout", json!({"keys": [key.public()]})).await?;
    assert!(trusted.status < 300, "{trusted}");
    let taken = host.install("?acceptMajor=true", &sign(&named("scripts")?, &key)?).await?;
    assert_eq!(taken.status, 201, "{taken}");
    Ok(())
}

#[tokio::test]
async fn unsigned_plugins_are_refused_where_the_environment_says_so() -> Done {
    let host = host().await?;
    let made = host.post("/api/v1/tokens", json!({"name": "setup", "roles": ["app-profile-administrator"]})).await?;
    let secret = made.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    let as_setup = |body: Value| {
        let request = host.anonymous(Method::PUT, "/api/v1/environment").bearer_auth(&secret);
        Reply::to(request.json(&body))
    };
    assert_snapshot!(as_setup(json!({"plugins": {"unsigned": "refused"}})).await?, @r#"403 {"code":"forbidden","detail":"the token `setup` lacks the privilege `plugin.trust`: use one with the role `system-administrator` or `plugin-trust-administrator`, or ask an administrator of tokens for it","privilege":"plugin.trust"}"#);
    let strict = host.put("/api/v1/environment", json!({"plugins": {"unsigned": "refused"}})).await?;
    assert_eq!(strict.status, 200, "{strict}");
    assert_eq!(as_setup(json!({"tabsMax": 7})).await?.status, 403, "leaving it out means to allow");
    assert_eq!(as_setup(json!({"tabsMax": 7, "plugins": {"unsigned": "refused"}})).await?.status, 200);

    let exported = host.request(Method::GET, "/api/v1/export").send().await?.bytes().await?;
    let import = |to: &TestHost| {
        let request = to.request(Method::POST, "/api/v1/imports").header("content-type", "application/zip");
        Reply::to(request.body(exported.clone()))
    };
    let other = TestHost::with_sample().await?;
    assert_eq!(import(&other).await?.status, 200);
    let there = other.get("/api/v1/environment").await?.json();
    assert_eq!(
        (&there["tabsMax"], &there["plugins"]),
        (&json!(7), &json!({"unsigned": "allowed", "withoutRule": "hide"}))
    );
    other.put("/api/v1/environment", json!({"plugins": {"unsigned": "refused"}})).await?;
    assert_eq!(import(&other).await?.status, 200);
    let there = other.get("/api/v1/environment").await?.json();
    assert_eq!(
        (&there["tabsMax"], &there["plugins"]),
        (&json!(7), &json!({"unsigned": "refused", "withoutRule": "hide"})),
        "each decides for itself"
    );
    let key = PrivateKey::generate()?;
    let plain = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    assert_snapshot!(host.install("", &plain).await?, @r#"422 {"code":"plugin-refused","detail":"plugin `tests/greeter` 1.0.0 is refused: publisher `tests` has no keys here, and plugins without a trusted signature are refused (it is signed by nobody): trust the publisher with `PUT /api/v1/trusted-publishers/tests`"}"#);
    assert_eq!(host.install("", &sign(&plain, &key)?).await?.status, 422, "who that is nobody knows");
    trust(&host, &[&key]).await?;
    assert_eq!(host.install("", &sign(&plain, &key)?).await?.status, 201);
    let built_in = host.put("/api/v1/plugins/loadout/scripts/state", json!({"state": "inactive"})).await?;
    assert_eq!(built_in.status, 200);
    let built_in = host.put("/api/v1/plugins/loadout/scripts/state", json!({"state": "active"})).await?;
    assert_eq!((built_in.status, &built_in.json()["code"]), (409, &json!("kind-taken")), "not for want of a signature");
    assert_eq!(host.get("/api/v1/plugins/loadout/macros").await?.json()["problem"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn trusted_publishers_are_configuration() -> Done {
    let host = host().await?;
    let key = PrivateKey::generate()?;
    trust(&host, &[&key]).await?;
    let listed = host.get("/api/v1/trusted-publishers").await?.json();
    assert_eq!(
        (&listed["items"][0]["publisher"], &listed["items"][0]["keys"]),
        (&json!("tests"), &json!([{"id": key.id(), "key": key.public()}]))
    );
    let newest = host.get("/api/v1/revisions?limit=1").await?.text;
    assert!(newest.contains("trusted-publishers"), "{newest}");
    for (publisher, body, status) in [
        ("tests", json!({"keys": []}), 422),
        ("tests", json!({"keys": ["AAAA"]}), 422),
        ("tests", json!({"keys": [key.public()], "trust": 1}), 422),
        ("tests", json!({"keys": [key.public(), key.public()]}), 409),
        ("The%20Tests", json!({"keys": [key.public()]}), 422),
    ] {
        let refused = host.put(&format!("/api/v1/trusted-publishers/{publisher}"), body.clone()).await?;
        assert_eq!(refused.status, status, "{body}: {refused}");
    }
    assert_eq!(host.delete("/api/v1/trusted-publishers/nobody").await?.status, 404);
    Ok(())
}

#[test]
fn authors_sign_and_look_on_the_command_line() -> Done {
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| loadout(folder.path(), arguments).output();
    let made = run(&["plugin", "keygen", "-o", "ours.key"])?;
    assert!(made.status.success(), "{}", outcome(&made));
    let public = String::from_utf8(made.stdout)?.trim().to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.path().join("ours.key"))?.permissions().mode() & 0o777, 0o600);
    }
    assert_snapshot!(outcome(&run(&["plugin", "keygen", "-o", "ours.key"])?), @"2 error: `ours.key` is there already, and a key is never overwritten: name another file");

    fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
    let signed = run(&["plugin", "sign", "a.wasm", "--key", "ours.key", "-o", "b.wasm"])?;
    assert!(signed.status.success(), "{}", outcome(&signed));
    let id = PrivateKey::from_pem(&fs::read_to_string(folder.path().join("ours.key"))?)?.id();
    let looked = run(&["plugin", "verify", "b.wasm", "--key", &public])?;
    let text = String::from_utf8(looked.stdout.clone())?.replace(&id, "OURS");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("digest")).collect();
    assert_eq!(lines, ["plugin     tests/greeter", "version    1.0.0", "signed by  OURS, holds"]);
    assert!(looked.status.success());
    let unsigned = run(&["plugin", "verify", "a.wasm", "--key", &public])?;
    assert_eq!(
        outcome(&unsigned).replace(&id, "OURS"),
        "1 error: `a.wasm` is refused: publisher `tests` signs with key OURS, and it is signed by nobody: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`"
    );
    assert!(run(&["plugin", "verify", "a.wasm"])?.status.success(), "nobody asked for a signature");
    let mut tampered = fs::read(folder.path().join("b.wasm"))?;
    *tampered.last_mut().ok_or("empty")? ^= 1;
    fs::write(folder.path().join("c.wasm"), tampered)?;
    let broken = outcome(&run(&["plugin", "verify", "c.wasm", "--key", &public])?).replace(&id, "OURS");
    assert_snapshot!(broken, @"1 error: `c.wasm` is refused: the signature by key OURS does not hold: the component or the signature was changed after it was signed");
    assert_eq!(run(&["plugin", "verify", "a.wasm", "--key", "x"])?.status.code(), Some(2));
    assert_eq!(run(&["plugin", "sign", "a.wasm", "--key", "a.wasm", "-o", "d.wasm"])?.status.code(), Some(1));
    Ok(())
}
