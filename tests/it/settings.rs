//! Settings and versions: a version that does not take the settings that are there does not serve, and settings can be migrated with it.

use insta::assert_snapshot;
use loadout::bundle::Bundle;
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::archive::entries;
use loadout_tests::guests::{self, manifest};
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost};
use loadout_tests::program::{Ended, plugin, plugin_command};
use reqwest::Method;
use serde_json::{Value, json};

use crate::import::import;

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
    let manifest = format!(
        "[plugin]\npublisher = 'tests'\nname = 'desk'\nversion = '{version}'\nworld = 'loadout:plugin/step@0.1.0'\n\
         description = 'Takes part.'\n[[steps]]\nname = 'guard'\nmessage = 'queue.create'\nstage = 20\nrank = 0\n\
         [settings]\nschema = '{schema}'\n{migrations}"
    );
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
    let digest = loadout::plugin::Workshop::digest(component);
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
async fn settings_are_migrated_with_the_version_and_put_back_with_it() -> Done {
    let host = with_settings().await?;
    let before = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone();
    let then = format!("/api/v1/users/kayla/experience?app=customer-service-workspace&explain=full&asOf={before}");
    let answered = host.get(&then).await?;
    assert!(answered.status == 200 && answered.text.contains("tests/greeter 1.0.0"), "{answered}");
    let old = [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?];
    let two = greeter("2.0.0", NEW, FIRST)?;
    host.install("?activate=false", &two).await?;
    let compared = host.post(&format!("{GREETER}/comparison"), json!({"version": "2.0.0"})).await?.json();
    assert_eq!(given(&host, "contoso_rep").await?, old[0], "a comparison changes nothing");
    let installed = host.install("?acceptMajor=true", &two).await?.json();
    assert_eq!(installed["migrated"], compared["settings"]["migrated"], "and says what would be");
    assert_snapshot!(installed["migrated"], @r#"{"count":2,"settings":[{"profile":"contoso_chat","tool":"msdyn_callscript_tool_config","how":"migrated","changed":["/most","/limit"]},{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","how":"migrated","changed":["/most","/mode","/limit"]}]}"#);
    let new = [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?];
    assert_eq!(new, [json!({"limit": 3, "mode": "fast"}), json!({"limit": 5})]);
    let written = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0].clone();
    let changed: Vec<&str> =
        written["changes"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(changed, ["tests/greeter", "contoso_chat", "contoso_rep"], "one revision");
    assert_eq!(
        (&written["who"], &written["why"]),
        (&json!("admin"), &json!("settings migrated for `tests/greeter` 2.0.0"))
    );

    assert_eq!(host.get(&then).await?.text, answered.text, "as of then the answer is the one of then");

    let back = roll_back(&host, "").await?.json();
    assert_eq!((&back["version"], &back["migrated"]["count"]), (&json!("1.0.0"), &json!(2)), "{back}");
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], old);
    assert_eq!(why(&host).await?, "settings put back for `tests/greeter` 1.0.0");

    // What was changed since stays, and is listed.
    activate(&host, GREETER, "2.0.0", json!({})).await?;
    assert_eq!(given(&host, "contoso_rep").await?, new[0]);
    give(&host, "contoso_rep", json!({"limit": 9})).await?;
    assert_snapshot!(roll_back(&host, "").await?, @r#"409 {"code":"settings-do-not-fit","detail":"plugin `tests/greeter` 1.0.0 does not serve, because settings that are there do not fit it: tool `msdyn_callscript_tool_config` in profile `contoso_rep`: Additional properties are not allowed ('limit' was unexpected); it was changed after it was migrated, so it is not put back: change the settings, ship a version that migrates them (`[[settings.migrations]]`), or say `anyway`","settings":{"count":1,"problems":[{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"","problem":"Additional properties are not allowed ('limit' was unexpected); it was changed after it was migrated, so it is not put back"}]}}"#);
    assert_eq!(host.get(GREETER).await?.json()["version"], "2.0.0");
    let anyway = roll_back(&host, "?anyway=true").await?.json();
    assert_eq!((&anyway["version"], &anyway["migrated"]["count"]), (&json!("1.0.0"), &json!(1)), "{anyway}");
    assert_eq!(
        [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?],
        [json!({"limit": 9}), old[1].clone()]
    );
    assert_eq!(
        why(&host).await?,
        "settings put back for `tests/greeter` 1.0.0; anyway, though 1 setting does not fit `tests/greeter` 1.0.0"
    );
    Ok(())
}

#[tokio::test]
async fn two_migrations_are_carried_out_one_after_the_other() -> Done {
    let three = greeter("3.0.0", NEWEST, &format!("{FIRST}{SECOND}"))?;
    // From the first version.
    let host = with_settings().await?;
    let done = host.install("?acceptMajor=true", &three).await?;
    assert_eq!(done.status, 201, "{done}");
    let expected = [json!({"mode": "fast", "show": {"limit": 3}}), json!({"show": {"limit": 5}, "mode": "slow"})];
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], expected);

    // Over the second one.
    let host = with_settings().await?;
    host.install("?acceptMajor=true", &greeter("2.0.0", NEW, FIRST)?).await?;
    let done = host.install("?acceptMajor=true", &three).await?;
    assert_eq!(done.status, 201, "{done}");
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], expected);
    // Where nothing was set, the second version took that, and the third one does not. Profiles of the product stay as they are.
    assert_eq!(given(&host, "contoso_voice").await?, json!({"mode": "slow"}));
    assert_eq!(given(&host, "msdyn_omnichannel_default_profile").await?, Value::Null);
    // And back over both at once.
    let back = activate(&host, GREETER, "1.0.0", json!({})).await?;
    assert_eq!((back.status, &back.json()["migrated"]["settings"][0]["how"]), (200, &json!("put-back")), "{back}");
    assert_eq!(
        [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?],
        [json!({"most": 3, "mode": "quick"}), json!({"most": 5})]
    );
    Ok(())
}

#[tokio::test]
async fn a_migration_that_does_not_help_changes_nothing() -> Done {
    let host = with_settings().await?;
    let halfway = "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'limit' }]\n";
    let refused = host.install("?acceptMajor=true", &greeter("2.0.0", NEW, halfway)?).await?;
    assert_snapshot!(refused.json()["settings"], @r#"{"count":1,"problems":[{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"/mode","problem":"\"quick\" is not one of \"fast\" or \"slow\", after the migration"}]}"#);
    assert_eq!(given(&host, "contoso_chat").await?, json!({"most": 5}), "all are migrated, or none");
    // What would lose something is not done.
    let lossy = "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'mode' }]\n";
    let refused = host.install("?acceptMajor=true", &greeter("2.0.1", NEW, lossy)?).await?;
    assert_snapshot!(refused.json()["settings"]["problems"][1]["problem"], @r#""the migration from `1` stops: `/most` cannot become `/mode`, which is there already""#);
    // Nor what would be more than settings may be.
    let value = "x".repeat(4_000);
    let sets: String = (0..20).map(|at| format!("{{ set = '/k{at}', value = '{value}' }}, ")).collect();
    let large = format!("[[settings.migrations]]\nfrom = '1'\noperations = [{sets}]\n");
    // A manifest has 64 KiB, so the values come from several texts in a list.
    let refused = host.install("?acceptMajor=true", &greeter("2.0.2", NEW, &large)?).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("plugin-refused")), "{refused}");
    let many: Vec<&str> = vec!["a"; 1_000];
    host.install("?acceptMajor=true", &greeter("1.1.0", "{}", "")?).await?;
    give(&host, "contoso_rep", json!({"list": many})).await?;
    let longer = format!(
        "[[settings.migrations]]\nfrom = '1'\noperations = [{{ map = '/list', values = {{ a = '{}' }} }}]\n",
        "y".repeat(200)
    );
    let refused = host.install("?acceptMajor=true", &greeter("2.0.3", NEW, &longer)?).await?;
    assert_snapshot!(refused.json()["settings"]["problems"][1]["problem"], @r#""the migration makes 203010 bytes of 3 levels, and settings have 65536 bytes and 32 levels at most""#);
    Ok(())
}

#[tokio::test]
async fn a_bad_mapping_is_refused_by_name() -> Done {
    let host = host().await?;
    for (operations, expected) in [
        ("{ copy = '/a' }", "unknown field `copy`"),
        ("{ rename = 'a', to = 'b' }", "settings.migrations.operations = a"),
        (&"{ remove = '/a' }, ".repeat(65), "settings.migrations.operations = 65"),
    ] {
        let migrations = format!("[[settings.migrations]]\nfrom = '1'\noperations = [{operations}]\n");
        let refused = host.install("", &greeter("2.0.0", NEW, &migrations)?).await?;
        let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(refused.status == 422 && detail.contains(expected), "{refused}");
    }
    Ok(())
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

#[tokio::test]
async fn a_gate_compares_with_migrated_settings() -> Done {
    let host = with_settings().await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    host.put(&format!("{GREETER}/recording"), json!({"until": until, "redact": []})).await?;
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    host.post("/api/v1/experience", json!({"user": "kayla", "app": "customer-service-workspace", "session": session}))
        .await?;
    host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 1})).await?;
    let done = host.install("?acceptMajor=true", &greeter("2.0.0", NEW, FIRST)?).await?;
    assert_eq!((done.status, &done.json()["migrated"]["count"]), (201, &json!(2)), "{done}");
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

#[test]
fn what_comes_of_the_examples_of_a_migration_is_held_against_the_schema() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("greeter.wasm");
    let check = |operation: &str, after: &str| -> Result<String, Failure> {
        let migrations = format!(
            "[[settings.migrations]]\nfrom = '1'\noperations = [{operation}]\n\
             examples = [{{ before = {{ most = 3, mode = 'quick' }}, after = {after} }}]\n"
        );
        std::fs::write(&path, greeter("2.0.0", NEW, &migrations)?)?;
        plugin(folder.path(), &["check", ".", "--component", "greeter.wasm"])
    };
    let rename = "{ rename = '/most', to = 'limit' }";
    let both = format!("{rename}, {{ map = '/mode', values = {{ quick = 'fast' }} }}");
    for (operations, after, expected) in [
        (both.as_str(), "{ limit = 3, mode = 'fast' }", "migrations   1 with 1 examples, and what comes of them fits"),
        (rename, "{ limit = 3, mode = 'quick' }", "do not fit: `settings.mode`: \"quick\" is not one of"),
        (rename, "{ limit = 3 }", r#"{"mode":"quick","limit":3} is what comes of it"#),
    ] {
        let said = check(operations, after)?;
        assert!(said.contains(expected), "{said}");
    }
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
    let imported = import(&host, "/api/v1/imports", zip).await?.json();
    let warned = imported["warnings"].as_array().into_iter().flatten();
    let warned: Vec<_> = warned.filter(|warning| warning["code"] == "settings-do-not-fit").collect();
    assert_snapshot!(serde_json::to_string(&warned)?, @r#"[{"code":"settings-do-not-fit","message":"it is written, and the tool may fail: `productivityPane.tools[0].settings`: Additional properties are not allowed ('sourceField' was unexpected)","where":"profiles/contoso_rep"}]"#);
    Ok(())
}
