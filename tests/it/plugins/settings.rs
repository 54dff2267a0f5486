//! Settings and versions: a version that does not take the settings that are there does not serve, and settings can be
//! migrated with it.

mod migrations;

use insta::assert_snapshot;
use loadout::bundle::Bundle;
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::archive::entries;
use loadout_tests::guests::{self, manifest};
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost};
use loadout_tests::program::{Ended, plugin_command};
use reqwest::Method;
use serde_json::{Value, json};

const GREETER: &str = "/api/v1/plugins/tests/greeter";

const STEPS: &str = "/api/v1/plugins/tests/desk";

/// The tool of the kind `scripts`.
const TOOL: &str = "msdyn_callscript_tool_config";

/// What the first versions take.
const OLD: &str = r#"{"type": "object", "properties": {"most": {"type": "integer"}, "mode": {"enum": ["quick", "slow"]}}, "additionalProperties": false}"#;

/// What the second ones take.
const NEW: &str = r#"{"type": "object", "properties": {"limit": {"type": "integer"}, "mode": {"enum": ["fast", "slow"]}}, "additionalProperties": false}"#;

/// What the third ones take.
const NEWEST: &str = r#"{"type": "object", "properties": {"show": {"type": "object", "properties": {"limit": {"type": "integer"}}}, "mode": {"enum": ["fast", "slow"]}}, "required": ["mode"], "additionalProperties": false}"#;

/// From the first to the second.
const FIRST: &str = "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'limit' }, { map = '/mode', values = { quick = 'fast' } }]\n";

/// From the second to the third.
const SECOND: &str = "[[settings.migrations]]\nfrom = '2'\noperations = [{ move = '/limit', to = '/show/limit' }, { set = '/mode', value = 'slow' }]\n";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// A version of the greeter, which decides about scripts.
fn greeter(version: &str, schema: &str, migrations: &str) -> Result<Vec<u8>, Failure> {
    let settings = format!("[settings]\nschema = '{schema}'\n{migrations}");
    Ok(embed_manifest(guests::WELL_BEHAVED, &(manifest("greeter", version, "scripts") + &settings))?)
}

/// A version of a plugin with a step.
fn desk(version: &str, schema: &str, migrations: &str) -> Result<Vec<u8>, Failure> {
    let rest = format!(
        "[[steps]]\nname = 'guard'\nmessage = 'queue.create'\nstage = 20\nrank = 0\n\
         [settings]\nschema = '{schema}'\n{migrations}"
    );
    let manifest = guests::steps("desk", version, "step") + &rest;
    Ok(embed_manifest(guests::CHANGES, &manifest)?)
}

/// Gives the tool of scripts settings in a profile.
async fn give(host: &TestHost, profile: &str, settings: Value) -> Result<Reply, Failure> {
    let address = format!("/api/v1/profiles/{profile}");
    let mut tools = host.get(&address).await?.json()["productivityPane"]["tools"].clone();
    for tool in tools.as_array_mut().into_iter().flatten().filter(|it| it["tool"] == TOOL) {
        tool["settings"] = settings.clone();
    }
    host.patch(&address, json!({"productivityPane": {"tools": tools}})).await
}

/// The settings of scripts in a profile.
async fn given(host: &TestHost, profile: &str) -> Result<Value, Failure> {
    let profile = host.get(&format!("/api/v1/profiles/{profile}")).await?.json();
    let tools = profile["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    Ok(tools.iter().find(|it| it["tool"] == TOOL).map(|it| it["settings"].clone()).unwrap_or_default())
}

/// A host whose greeter 1.0.0 has settings in two profiles.
async fn with_settings() -> Result<TestHost, Failure> {
    let host = host().await?;
    assert_eq!(host.install("", &greeter("1.0.0", OLD, "")?).await?.status, 201);
    for (profile, settings) in
        [("contoso_rep", json!({"most": 3, "mode": "quick"})), ("contoso_chat", json!({"most": 5}))]
    {
        let done = give(&host, profile, settings).await?;
        assert_eq!(done.status, 200, "{done}");
    }
    Ok(host)
}

async fn why(host: &TestHost) -> Result<String, Failure> {
    Ok(host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["why"].as_str().unwrap_or_default().to_owned())
}

async fn activate(host: &TestHost, plugin: &str, version: &str, more: Value) -> Result<Reply, Failure> {
    let mut body = json!({"version": version, "acceptMajor": true});
    body.as_object_mut().ok_or("a body")?.extend(more.as_object().cloned().unwrap_or_default());
    host.post(&format!("{plugin}/activate"), body).await
}

async fn roll_back(host: &TestHost, query: &str) -> Result<Reply, Failure> {
    Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback{query}"))).await
}

#[tokio::test]
async fn a_version_that_does_not_take_the_settings_does_not_serve() -> Done {
    let host = with_settings().await?;
    let refused = host.install("?acceptMajor=true", &greeter("2.0.0", NEW, "")?).await?;
    assert_snapshot!(refused, @r#"409 {"code":"settings-do-not-fit","detail":"plugin `tests/greeter` 2.0.0 does not serve, because settings that are there do not fit it: tool `msdyn_callscript_tool_config` in profile `contoso_chat`: Additional properties are not allowed ('most' was unexpected); tool `msdyn_callscript_tool_config` in profile `contoso_rep`, `/mode`: \"quick\" is not one of \"fast\" or \"slow\"; tool `msdyn_callscript_tool_config` in profile `contoso_rep`: Additional properties are not allowed ('most' was unexpected): change the settings, ship a version that migrates them (`[[settings.migrations]]`), or say `anyway`; 2.0.0 is installed all the same and does not serve: once that is settled, `POST /api/v1/plugins/tests/greeter/activate` lets it","settings":{"count":3,"problems":[{"profile":"contoso_chat","tool":"msdyn_callscript_tool_config","attribute":"","problem":"Additional properties are not allowed ('most' was unexpected)"},{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"/mode","problem":"\"quick\" is not one of \"fast\" or \"slow\""},{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"","problem":"Additional properties are not allowed ('most' was unexpected)"}]}}"#);
    let shown = host.get(GREETER).await?.json();
    assert_eq!(
        (&shown["version"], &shown["versions"][0]["version"]),
        (&json!("1.0.0"), &json!("2.0.0")),
        "it is there"
    );
    assert_eq!(shown["settingsProblems"], Value::Null, "what serves takes them");
    assert_eq!(given(&host, "contoso_rep").await?, json!({"most": 3, "mode": "quick"}));

    let compared = host.post(&format!("{GREETER}/comparison"), json!({"version": "2.0.0"})).await?.json();
    assert_eq!(compared["settings"]["problems"], refused.json()["settings"], "a comparison tells before");

    let done = activate(&host, GREETER, "2.0.0", json!({"anyway": true})).await?;
    assert_eq!((done.status, &done.json()["version"]), (200, &json!("2.0.0")), "{done}");
    assert_snapshot!(why(&host).await?, @"anyway, though 3 settings do not fit `tests/greeter` 2.0.0");
    assert_eq!(done.json()["settingsProblems"], refused.json()["settings"], "and the plugin shows what does not fit");
    assert_eq!(given(&host, "contoso_rep").await?, json!({"most": 3, "mode": "quick"}), "nothing is lost");
    Ok(())
}

#[tokio::test]
async fn twenty_problems_are_listed_and_all_are_counted() -> Done {
    let host = host().await?;
    host.install("", &greeter("1.0.0", "{}", "")?).await?;
    let many: serde_json::Map<String, Value> = (0..15).map(|at| (format!("key-{at:02}"), json!("x"))).collect();
    for profile in ["contoso_rep", "contoso_chat"] {
        assert_eq!(give(&host, profile, json!(many)).await?.status, 200);
    }
    let numbers = r#"{"additionalProperties": {"type": "integer"}}"#;
    let refused = host.install("", &greeter("1.1.0", numbers, "")?).await?.json();
    assert_eq!((&refused["code"], &refused["settings"]["count"]), (&json!("settings-do-not-fit"), &json!(30)));
    let listed = refused["settings"]["problems"].as_array().cloned().unwrap_or_default();
    assert_eq!(listed.len(), 20);
    assert_eq!((&listed[0]["profile"], &listed[0]["attribute"]), (&json!("contoso_chat"), &json!("/key-00")));
    Ok(())
}

/// Every way in which people come to be answered by a version, tried without and with `anyway`.
#[tokio::test]
async fn no_way_in_goes_past_the_settings() -> Done {
    let host = with_settings().await?;
    host.install("?activate=false", &greeter("1.1.0", NEW, "")?).await?;
    let fits = || host.get(GREETER);
    let share = async |anyway: bool| {
        let rollout = json!({"version": "1.1.0", "to": "share", "percent": 10});
        host.put(&format!("{GREETER}/rollout"), json!({"rollout": rollout, "anyway": anyway})).await
    };
    let group = async |anyway: bool| {
        let rollout = json!({"version": "1.1.0", "to": "group", "users": ["kayla"]});
        host.put(&format!("{GREETER}/rollout"), json!({"rollout": rollout, "anyway": anyway})).await
    };
    let back_to_old = async || -> Done {
        let back = activate(&host, GREETER, "1.0.0", json!({})).await?;
        assert_eq!(back.status, 200, "{back}");
        Ok(())
    };
    let unfit = |reply: &Reply, what: &str| {
        assert_eq!((reply.status, &reply.json()["code"]), (409, &json!("settings-do-not-fit")), "{what}: {reply}");
        assert_eq!(reply.json()["settings"]["count"], 3, "{what}: {reply}");
    };

    let shadow =
        host.put(&format!("{GREETER}/rollout"), json!({"rollout": {"version": "1.1.0", "to": "shadow"}})).await?;
    assert_eq!(
        (shadow.status, &shadow.json()["settingsProblems"]["count"]),
        (200, &json!(3)),
        "it answers no person, and says so"
    );
    for (what, without, with) in
        [("share", share(false).await?, share(true).await?), ("group", group(false).await?, group(true).await?)]
    {
        unfit(&without, what);
        assert_eq!(with.status, 200, "{what}: {with}");
        assert_eq!(why(&host).await?, "anyway, though 3 settings do not fit `tests/greeter` 1.1.0", "{what}");
    }
    // With the trial it is switched on, too.
    let switch = async |state: &str, anyway: bool| {
        host.put(&format!("{GREETER}/state"), json!({"state": state, "anyway": anyway})).await
    };
    switch("inactive", false).await?;
    unfit(&switch("active", false).await?, "a trial that wakes");
    assert_eq!(switch("active", true).await?.status, 200);
    Reply::to(host.request(Method::DELETE, &format!("{GREETER}/rollout"))).await?;

    unfit(&activate(&host, GREETER, "1.1.0", json!({})).await?, "activate");
    let installed = host.install("", &greeter("1.1.0", NEW, "")?).await?;
    unfit(&installed, "install");
    assert_eq!(fits().await?.json()["version"], "1.0.0");
    let installed = host.install("?anyway=true", &greeter("1.1.0", NEW, "")?).await?;
    assert_eq!((installed.status, &installed.json()["activated"]), (201, &json!(true)), "{installed}");
    assert_eq!(why(&host).await?, "anyway, though 3 settings do not fit `tests/greeter` 1.1.0");

    switch("inactive", false).await?;
    unfit(&switch("active", false).await?, "switch on");
    assert_eq!(switch("active", true).await?.status, 200);
    assert_eq!(why(&host).await?, "anyway, though 3 settings do not fit `tests/greeter` 1.1.0");

    back_to_old().await?;
    // What served before is looked at, too: 1.1.0 is made the version of before.
    activate(&host, GREETER, "1.1.0", json!({"anyway": true})).await?;
    back_to_old().await?;
    unfit(&roll_back(&host, "").await?, "roll-back");
    assert_eq!(fits().await?.json()["version"], "1.0.0");
    assert_eq!(roll_back(&host, "?anyway=true").await?.json()["version"], "1.1.0");
    assert_eq!(why(&host).await?, "anyway, though 3 settings do not fit `tests/greeter` 1.1.0");
    back_to_old().await?;

    // A gate says nothing about settings.
    let gated = host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 1})).await?;
    assert_eq!(gated.status, 200, "{gated}");
    unfit(&activate(&host, GREETER, "1.1.0", json!({"pastGate": true})).await?, "past the gate");
    host.put(&format!("{GREETER}/promotion"), json!({"gate": "open"})).await?;

    let bundle = bundle(&greeter("1.2.0", NEW, "")?, "1.2.0")?;
    let bring = async |query: &str| {
        let request = host.request(Method::POST, &format!("/api/v1/plugin-bundle{query}"));
        Reply::to(request.header("content-type", "application/zip").body(bundle.clone())).await
    };
    unfit(&bring("").await?, "bundle");
    unfit(&bring("?dryRun=true").await?, "bundle that is only looked at");
    assert_eq!(bring("?activate=false").await?.status, 200);
    assert_eq!(bring("?anyway=true").await?.json()["components"][0]["serves"], true);
    assert_eq!(why(&host).await?, "anyway, though 3 settings do not fit `tests/greeter` 1.2.0");
    Ok(())
}

/// The greeter as a bundle from somewhere where it serves.
fn bundle(component: &[u8], version: &str) -> Result<Vec<u8>, Failure> {
    let digest = loadout::plugin::Loader::digest(component);
    let bundled = loadout::bundle::Bundled {
        plugin: "tests/greeter".to_owned(),
        version: version.parse()?,
        digest: digest.clone(),
        size: u64::try_from(component.len())?,
        signers: Vec::new(),
        served: true,
        steps: Default::default(),
    };
    Ok(Bundle { plugins: vec![bundled], components: [(digest, component.to_vec())].into() }.write()?)
}

#[tokio::test]
async fn configurations_of_steps_are_treated_alike() -> Done {
    let host = host().await?;
    host.install("", &desk("1.0.0", OLD, "")?).await?;
    let told = host.put(&format!("{STEPS}/steps/guard"), json!({"rank": 7, "configuration": {"most": 3}})).await?;
    assert_eq!(told.status, 200, "{told}");
    let refused = host.install("?acceptMajor=true", &desk("2.0.0", NEW, "")?).await?;
    assert_snapshot!(refused.json()["settings"], @r#"{"count":1,"problems":[{"step":"guard","attribute":"","problem":"Additional properties are not allowed ('most' was unexpected)"}]}"#);
    let done = host.install("?acceptMajor=true", &desk("2.0.1", NEW, FIRST)?).await?.json();
    assert_eq!(
        done["migrated"]["settings"],
        json!([{"step": "guard", "how": "migrated", "changed": ["/most", "/limit"]}])
    );
    assert_eq!(done["steps"]["guard"], json!({"rank": 7, "configuration": {"limit": 3}}));
    let steps = host.get("/api/v1/steps").await?.json();
    assert_eq!(
        (&steps["items"][0]["configuration"], &steps["items"][0]["problem"]),
        (&json!({"limit": 3}), &Value::Null)
    );
    let back = Reply::to(host.request(Method::POST, &format!("{STEPS}/rollback"))).await?.json();
    assert_eq!(back["steps"]["guard"], json!({"rank": 7, "configuration": {"most": 3}}));
    // A plugin that needs a configuration can be installed before it is told one.
    let needs = r#"{"type": "object", "required": ["most"]}"#;
    assert_eq!(Reply::to(host.request(Method::DELETE, STEPS)).await?.status, 204);
    assert_eq!(host.install("", &desk("1.1.0", needs, "")?).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn a_caller_who_migrates_settings_may_write_them() -> Done {
    let host = with_settings().await?;
    let made = host.post("/api/v1/tokens", json!({"name": "installer", "roles": ["plugin-installer"]})).await?;
    let token = made.json()["secret"].as_str().ok_or(made.to_string())?.to_owned();
    host.install("?activate=false", &greeter("1.1.0", NEW, &FIRST.replace("'1'", "'1.0'"))?).await?;
    let activate = async |body: Value| {
        Reply::to(host.anonymous(Method::POST, &format!("{GREETER}/activate")).bearer_auth(&token).json(&body)).await
    };
    let refused = activate(json!({"version": "1.1.0"})).await?;
    assert_eq!((refused.status, &refused.json()["privilege"]), (403, &json!("configuration.write")), "{refused}");
    // Without the settings it may.
    let done = activate(json!({"version": "1.1.0", "anyway": true})).await?;
    assert_eq!((done.status, &done.json()["settingsProblems"]["count"]), (200, &json!(3)), "{done}");
    assert_eq!(given(&host, "contoso_rep").await?, json!({"most": 3, "mode": "quick"}));
    Ok(())
}

// The command waits for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_what_does_not_fit_and_takes_anyway() -> Done {
    let host = with_settings().await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("greeter.wasm");
    let run = |arguments: &[&str]| -> Result<String, Failure> {
        let mut command = plugin_command(folder.path(), arguments)?;
        command.env("LOADOUT_HOST", host.address("")).env("LOADOUT_TOKEN", TOKEN);
        let ended = tokio::task::block_in_place(|| Ended::of(&mut command))?;
        Ok(ended.to_string().replace(&host.address(""), "HOST"))
    };
    let component = path.to_str().ok_or("a path")?;
    std::fs::write(&path, greeter("1.1.0", NEW, "")?)?;
    let refused = run(&["install", component])?;
    assert!(refused.contains("settings-do-not-fit") && refused.contains("or say `anyway`"), "{refused}");
    assert_snapshot!(run(&["install", component, "--anyway"])?, @r"
    0 installed  tests/greeter 1.1.0
    serves     1.1.0
    ");
    let listed = run(&["list"])?;
    let line = listed.lines().find(|line| line.contains("tests/greeter")).unwrap_or_default();
    assert_snapshot!(line, @"tests/greeter                            1.1.0      active      scripts  3 settings do not fit");
    std::fs::write(&path, greeter("1.2.0", OLD, "")?)?;
    assert!(run(&["install", component])?.contains("serves     1.2.0"));
    std::fs::write(&path, greeter("1.3.0", NEW, &FIRST.replace("'1'", "'1.2'"))?)?;
    assert_snapshot!(run(&["install", component])?, @r"
    0 installed  tests/greeter 1.3.0
    serves     1.3.0
    migrated   msdyn_callscript_tool_config in contoso_chat: /most, /limit
    migrated   msdyn_callscript_tool_config in contoso_rep: /most, /mode, /limit
    ");
    Ok(())
}

#[tokio::test]
async fn an_import_says_which_settings_do_not_fit() -> Done {
    let host = host().await?;
    let manifest = "<ImportExportXml><SolutionManifest><UniqueName>x</UniqueName><Version>1.0</Version></SolutionManifest></ImportExportXml>";
    let tools = json!([{"tool": "msdyn_knowledgesearch_tool_config", "settings": {"sourceField": 5}}]);
    let profile = json!({"patch": {"productivityPane": {"enabled": true, "tools": tools}}});
    let zip = entries(&[
        ("solution.xml", manifest.into()),
        ("customizations.xml", b"<ImportExportXml/>".to_vec()),
        ("loadout/profiles/contoso_rep.json", profile.to_string().into_bytes()),
    ])?;
    let imported = host.import("/api/v1/imports", zip).await?.json();
    let warned = imported["warnings"].as_array().into_iter().flatten();
    let warned: Vec<_> = warned.filter(|warning| warning["code"] == "settings-do-not-fit").collect();
    assert_snapshot!(serde_json::to_string(&warned)?, @r#"[{"code":"settings-do-not-fit","message":"it is written, and the tool may fail: `productivityPane.tools[0].settings`: Additional properties are not allowed ('sourceField' was unexpected)","where":"profiles/contoso_rep"}]"#);
    Ok(())
}
