//! Offline bundles: plugins go to an environment without a network, whole or not at all, and answer there as they did.

use insta::assert_snapshot;
use loadout::bundle::Bundle;
use loadout_plugin_build::{PrivateKey, embed_manifest, sign};
use loadout_tests::Done;
use loadout_tests::archive::entries;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::program::{loadout, outcome};
use reqwest::Method;
use serde_json::{Value, json};

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

async fn fetched(host: &TestHost, path: &str) -> Result<Vec<u8>, Failure> {
    let response = host.request(Method::GET, path).send().await?;
    if response.status() != 200 {
        return Err(response.text().await?.into());
    }
    Ok(response.bytes().await?.to_vec())
}

async fn install(host: &TestHost, query: &str, bundle: &[u8]) -> Result<Reply, Failure> {
    let request = host.request(Method::POST, &format!("/api/v1/plugin-bundle{query}"));
    Reply::to(request.header("content-type", "application/zip").body(bundle.to_vec())).await
}

async fn revision(host: &TestHost) -> Result<Value, Failure> {
    Ok(host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone())
}

/// What kayla gets in a session with a customer.
async fn answer(host: &TestHost) -> Result<String, Failure> {
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    Ok(host.post("/api/v1/experience", question).await?.text)
}

#[tokio::test]
async fn an_environment_without_a_network_gets_the_same_answers() -> Done {
    let (here, there) = (host().await?, host().await?);
    let key = PrivateKey::generate()?;
    let greeter = sign(&rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?, &key)?;
    let (before, installed) = (answer(&here).await?, here.install("", &greeter).await?);
    assert_eq!(installed.status, 201, "{installed}");
    let bundle = fetched(&here, "/api/v1/plugin-bundle").await?;
    assert_eq!(bundle, fetched(&here, "/api/v1/plugins/tests/greeter/bundle").await?);
    assert_eq!(bundle, fetched(&here, "/api/v1/plugins/tests/greeter/bundle?version=1.0.0").await?);
    assert_eq!(bundle, fetched(&here, "/api/v1/plugin-bundle?plugin=tests/greeter&plugin=tests%2Fgreeter").await?);

    let dry = install(&there, "?dryRun=true", &bundle).await?;
    assert_eq!(answer(&there).await?, before, "a dry run changes nothing");
    let installed = install(&there, "", &bundle).await?;
    assert_eq!(
        (&dry.json()["revision"], &dry.json()["components"]),
        (&installed.json()["revision"], &installed.json()["components"])
    );
    let digest = here.get("/api/v1/plugins/tests/greeter").await?.json()["digest"].clone();
    assert_eq!(
        installed.json()["components"],
        json!([{
            "plugin": "tests/greeter", "version": "1.0.0", "digest": digest, "installed": true, "serves": true,
            "signedBy": [{"keyId": key.id(), "standing": "unknown"}], "steps": [],
        }])
    );
    let now = answer(&here).await?;
    assert!(now.contains("Hello Ada") && !before.contains("Hello Ada"), "{now}");
    assert_eq!(answer(&there).await?, now, "byte by byte");
    assert_eq!(fetched(&there, "/api/v1/plugin-bundle").await?, bundle, "and it can be taken on from there");
    let again = install(&there, "", &bundle).await?.json();
    assert_eq!(
        (&again["revision"], &again["components"][0]["installed"]),
        (&installed.json()["revision"], &json!(false))
    );
    Ok(())
}

#[tokio::test]
async fn a_bundle_is_installed_whole_or_not_at_all() -> Done {
    let (here, there) = (host().await?, host().await?);
    let key = PrivateKey::generate()?;
    for name in ["greeter", "host"] {
        let component = sign(&rule(guests::WELL_BEHAVED, name, "1.0.0", name)?, &key)?;
        assert_eq!(here.install("", &component).await?.status, 201);
    }
    let zip = fetched(&here, "/api/v1/plugin-bundle").await?;
    let made = Bundle::read(&zip)?;
    // One of two components is changed, and with it everything that says what it is.
    let mut changed = Bundle { plugins: made.plugins.clone(), components: Default::default() };
    for (bundled, version) in changed.plugins.iter_mut().zip(["1.0.0", "1.0.0"]) {
        let mut bytes = made.components[&bundled.digest].clone();
        if bundled.plugin == "tests/host" {
            *bytes.last_mut().ok_or("empty")? ^= 1;
            bundled.digest = loadout::plugin::Loader::digest(&bytes);
        }
        bundled.version = version.parse()?;
        changed.components.insert(bundled.digest.clone(), bytes);
    }
    let changed = changed.write()?;
    there.put("/api/v1/trusted-publishers/tests", json!({"keys": [key.public()]})).await?;
    let before = (revision(&there).await?, answer(&there).await?);
    for query in ["", "?activate=false", "?dryRun=true"] {
        let refused = install(&there, query, &changed).await?;
        assert_eq!(
            refused.to_string().replace(&key.id(), "KEY"),
            r#"422 {"code":"plugin-refused","detail":"plugin `tests/host` 1.0.0 is refused: the signature by key KEY does not hold: the component or the signature was changed after it was signed"}"#
        );
    }
    let mut mislabelled = made.clone();
    mislabelled.plugins[0].plugin = "tests/guest".to_owned();
    mislabelled.plugins.sort_by(|a, b| a.plugin.cmp(&b.plugin));
    assert_snapshot!(install(&there, "", &mislabelled.write()?).await?, @r#"422 {"code":"plugin-refused","detail":"the component that the bundle calls plugin `tests/guest` 1.0.0 says otherwise of itself: make the bundle again"}"#);
    let stranger = entries(&[("solution.xml", Vec::new())])?;
    assert_snapshot!(install(&there, "", &stranger).await?, @r#"422 {"code":"not-a-bundle","detail":"the archive is no bundle of plugins: `bundle.json` is not in it; choose the file that `loadout plugin export` made"}"#);
    let tampered = entries(&[
        ("bundle.json", bundle_json(&made)?),
        (&format!("components/{}.wasm", made.plugins[0].digest), made.components[&made.plugins[1].digest].clone()),
        (&format!("components/{}.wasm", made.plugins[1].digest), made.components[&made.plugins[1].digest].clone()),
    ])?;
    assert_eq!(install(&there, "", &tampered).await?.json()["code"], "refused-bundle");
    assert_eq!(install(&there, "", &zip[..zip.len() / 2]).await?.json()["code"], "damaged-archive");
    assert_eq!((revision(&there).await?, answer(&there).await?), before, "nothing of all that was written");
    let listed = there.get("/api/v1/plugins").await?.json();
    let ours: Vec<_> =
        listed["items"].as_array().into_iter().flatten().filter(|it| it["publisher"] == "tests").collect();
    assert!(ours.iter().all(|it| it["versions"] == json!([])), "not even the good one of two");
    let why = |it: &&Value| it["failed"][0]["reason"].as_str().unwrap_or_default().replace(&key.id(), "KEY");
    assert_snapshot!(ours.iter().map(why).collect::<Vec<_>>().join("\n"), @"the signature by key KEY does not hold: the component or the signature was changed after it was signed");

    assert_eq!(install(&there, "", &zip).await?.status, 200);
    assert_eq!(there.get("/api/v1/plugins/tests/host").await?.json()["version"], "1.0.0");
    Ok(())
}

fn bundle_json(bundle: &Bundle) -> Result<Vec<u8>, Failure> {
    Ok(serde_json::to_vec(&json!({"format": 1, "plugins": bundle.plugins.iter().map(|it| json!({
        "plugin": it.plugin, "version": it.version.to_string(), "digest": it.digest.as_str(), "size": it.size,
        "signers": it.signers, "served": it.served,
    })).collect::<Vec<_>>()}))?)
}

#[tokio::test]
async fn decisions_about_steps_come_along_where_nobody_decided() -> Done {
    let (here, there) = (host().await?, host().await?);
    for host in [&here, &there] {
        assert_eq!(host.install("", guests::CHANGES).await?.status, 201);
    }
    let step = |step: &str| format!("/api/v1/plugins/tests/changes/steps/{step}");
    here.put(&step("check"), json!({"rank": 7})).await?;
    here.put(&step("stamp"), json!({"rank": 8})).await?;
    there.put(&step("stamp"), json!({"rank": 9})).await?;
    let bundle = fetched(&here, "/api/v1/plugin-bundle").await?;

    let made = there.post("/api/v1/tokens", json!({"name": "bringer", "roles": ["plugin-installer"]})).await?;
    let secret = made.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    let request = there.anonymous(Method::POST, "/api/v1/plugin-bundle").bearer_auth(secret);
    let refused = Reply::to(request.header("content-type", "application/zip").body(bundle.clone())).await?;
    assert_eq!((refused.status, &refused.json()["privilege"]), (403, &json!("plugin.configure")), "{refused}");

    let installed = install(&there, "", &bundle).await?.json();
    assert_eq!(installed["components"][0]["steps"], json!(["check"]));
    let steps = there.get("/api/v1/plugins/tests/changes").await?.json()["steps"].clone();
    assert_eq!(steps, json!({"check": {"rank": 7}, "stamp": {"rank": 9}}));
    Ok(())
}

#[tokio::test]
async fn what_a_bundle_decides_about_steps_is_looked_at() -> Done {
    let (here, there) = (host().await?, host().await?);
    let rest = r#"
        [settings]
        schema = '{"type": "object", "properties": {"most": {"type": "integer"}}}'

        [[steps]]
        name = "check"
        message = "queue.create"
        stage = 10
        rank = 0
        "#;
    let manifest = guests::steps("guard", "1.0.0", "step") + rest;
    let guard = embed_manifest(guests::CHANGES, &manifest)?;
    assert_eq!(here.install("", &guard).await?.status, 201);
    let made = Bundle::read(&fetched(&here, "/api/v1/plugin-bundle").await?)?;
    let before = revision(&there).await?;
    let mut said = Vec::new();
    for (step, configuration) in
        [("nothing", json!({})), ("check", json!({"most": "many"})), ("check", json!({"most": 5}))]
    {
        let mut bundle = made.clone();
        let wanted = serde_json::from_value(json!({"configuration": configuration}))?;
        bundle.plugins[0].steps.insert(step.to_owned(), wanted);
        let dry = install(&there, "?dryRun=true", &bundle.write()?).await?;
        said.push(if dry.status == 200 { "200".to_owned() } else { dry.to_string() });
    }
    assert_snapshot!(said.join("\n"), @r#"
    422 {"code":"refused-bundle","detail":"the bundle decides about step `nothing` of plugin `tests/guard` 1.0.0, which has `check`: make the bundle again"}
    422 {"code":"invalid-settings","detail":"`tests/guard.steps.check.configuration.most`: \"many\" is not of type \"integer\"","errors":[{"attribute":"tests/guard.steps.check.configuration.most","message":"\"many\" is not of type \"integer\""}]}
    200
    "#);
    assert_eq!(revision(&there).await?, before);
    Ok(())
}

#[tokio::test]
async fn the_command_line_takes_plugins_from_folder_to_folder() -> Done {
    let (here, there) = (host().await?, host().await?);
    let greeter = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    assert_eq!(here.install("", &greeter).await?.status, 201);
    let bundle = fetched(&here, "/api/v1/plugin-bundle").await?;
    let (from, to) = (here.stop_and_keep().await?, there.stop_and_keep().await?);
    let folder = tempfile::tempdir()?;
    let (from, to) = (from.path().display().to_string(), to.path().display().to_string());
    let run = |arguments: &[&str]| loadout(folder.path(), arguments).output();

    let exported = run(&["plugin", "export", "-o", "plugins.zip", "--data", &from])?;
    assert!(exported.status.success(), "{}", outcome(&exported));
    assert_eq!(std::fs::read(folder.path().join("plugins.zip"))?, bundle);
    assert_snapshot!(outcome(&run(&["plugin", "export", "-o", "plugins.zip", "--data", &from])?), @"2 error: `plugins.zip` is there already: name another file, or overwrite it with `--force`");
    assert_snapshot!(outcome(&run(&["plugin", "export", "-o", "x.zip", "--data", &from, "--plugin", "a/b"])?), @"1 error: there is no plugin `a/b`: `GET /api/v1/plugins` lists those there are");

    let said = |output: &std::process::Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim_end().rsplit_once(' ').map_or(text.clone(), |(text, _)| text.to_owned())
    };
    let dry = run(&["plugin", "import", "plugins.zip", "--data", &to, "--dry-run"])?;
    assert_snapshot!(said(&dry), @"
    installed  tests/greeter 1.0.0, serves, signed by no key
    nothing was written, this would be revision
    ");
    let done = run(&["plugin", "import", "plugins.zip", "--data", &to])?;
    assert_snapshot!(said(&done), @"
    installed  tests/greeter 1.0.0, serves, signed by no key
    now at revision
    ");
    let again = run(&["plugin", "import", "plugins.zip", "--data", &to])?;
    assert!(said(&again).starts_with("unchanged"), "{}", outcome(&again));
    std::fs::write(folder.path().join("broken.zip"), &bundle[..100])?;
    let broken = run(&["plugin", "import", "broken.zip", "--data", &to])?;
    assert!(outcome(&broken).starts_with("1 error: `broken.zip` is not installed: "), "{}", outcome(&broken));
    Ok(())
}
