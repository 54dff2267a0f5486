//! What a plugin brings along besides code: settings schemas, manifests, texts. None of it is worked on without a
//! bound, before or after it is installed, and none of it ends the server.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use loadout::bundle::{Bundle, Bundled};
use loadout::domain::duties::Duties;
use loadout::domain::revision::Author;
use loadout::domain::{Plugin, StepOverride};
use loadout::plugin::Loader;
use loadout::service::Service;
use loadout::store::{Authority, Change, ChangeSet, Component, Store};
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost, platform, share_compiled};
use loadout_tests::process::Caller;
use loadout_tests::program::server;
use loadout_tests::{guests, schemas};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::bombs;

/// Far more than refusals leave behind.
const GROWTH: u64 = 128 << 20;

/// Every schema and every manifest that is refused, in a rule called `tests/<name>` about a tool kind of that name.
fn all(name: &str) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let guest = guests::WELL_BEHAVED;
    let of_schema = |(what, schema): (_, String)| Ok((what, schemas::rule(guest, name, "1.0.0", name, &schema)?));
    let head = guests::manifest(name, "1.0.0", name);
    let of_manifest = |(what, manifest): (_, String)| Ok((what, embed_manifest(guest, &manifest)?));
    let all = schemas::all().into_iter().map(of_schema);
    all.chain(schemas::manifests(&head).into_iter().map(of_manifest)).collect()
}

/// A bundle of one component.
fn bundle(name: &str, component: &[u8]) -> Result<Vec<u8>, Failure> {
    let (version, digest) = ("1.0.0".parse()?, Loader::digest(component));
    let bundled = Bundled {
        plugin: format!("tests/{name}"),
        version,
        digest: digest.clone(),
        size: component.len() as u64,
        signers: Vec::new(),
        served: true,
        steps: BTreeMap::new(),
    };
    Ok(Bundle { plugins: vec![bundled], components: BTreeMap::from([(digest, component.to_vec())]) }.write()?)
}

async fn rehearse(caller: &Caller, bundle: Vec<u8>) -> Result<Reply, Failure> {
    let request = caller.request(Method::POST, "/api/v1/plugin-bundle?dryRun=true");
    Reply::to(request.header("content-type", "application/zip").body(bundle)).await
}

#[tokio::test]
async fn each_schema_and_each_manifest_is_refused_by_name_and_the_server_goes_on() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    let server = server(folder.path())?;
    let caller = server.caller();
    let before = server.memory()?;
    let mut refusals = Vec::new();
    for (what, component) in all("bomb")? {
        let refused = bombs::plain(&caller.install("", &component).await?);
        let rehearsed = bombs::plain(&rehearse(&caller, bundle("bomb", &component)?).await?);
        let why = |refusal: &str| refusal.split_once(" is refused: ").map(|(_, why)| why.to_owned());
        assert!(why(&refused).is_some() && why(&refused) == why(&rehearsed), "{what}: {refused}, {rehearsed}");
        refusals.push(format!("{what}: {}", shortened(&refused)));
        assert_eq!(caller.get("/health/ready").await?.status, 200, "after {what}");
    }
    assert_snapshot!(refusals.join("\n"), @r#"
    a tower of not: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more bytes; at most 16384 are allowed
    a tower of allOf: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more bytes; at most 16384 are allowed
    a tower of anyOf: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more bytes; at most 16384 are allowed
    a tower of references: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more bytes; at most 16384 are allowed
    a small tower: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more levels in each other, references followed; at most 128 are allowed
    a long chain: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more bytes; at most 16384 are allowed
    a short chain: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; `#/$defs/a0` leads back to itself: say how deep it goes at most
    doubling: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more references that lead one to the next; at most 16 are allowed
    many patterns: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more patterns, references followed; at most 64 are allowed
    patterns within their number: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it cannot be made ready: its manifest says `settings.schema = …`
    many patterns of properties: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; it has more patterns, references followed; at most 64 are allowed
    a place elsewhere: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `settings.schema = …`; the reference `https://127.0.0.1/schema.json` is not possible here: refer to a definition, such as `#/$defs/name`
    no schema at all: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it cannot be made ready: its manifest says `settings.schema = …`
    lists in lists: 422 plugin-refused the component is refused: its manifest cannot be read: cannot recurse further; max recursion depth met
    tables in tables: 422 plugin-refused the component is refused: its manifest cannot be read: recursion limit
    headers in headers: 422 plugin-refused the component is refused: its manifest cannot be read: it has more than 16 levels of tables in each other, which are the most
    many keys: 422 plugin-refused the component is refused: its manifest cannot be read: it has more than 2000 values, which are the most
    many tables: 422 plugin-refused the component is refused: its manifest cannot be read: it has more than 2000 values, which are the most
    a long description: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `plugin.description = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`; 500 characters are the most
    a long world: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it is built for the world `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`; this host runs plugins for `loadout:plugin/tool@0.1.0`, `loadout:plugin/tool-step@0.1.0`, `loadout:plugin/step@0.1.0` and `loadout:plugin/upgrade@0.1.0`: build it for one of them
    a deep default: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: its manifest says `tool.default = {"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`; it is nested in more than 32 levels, which are the most: flatten it
    "#);
    let after = server.memory()?;
    assert!(after < before + GROWTH, "{before} bytes before, {after} after");
    Ok(())
}

/// A refusal without the beginning of what was typed, and without what a library has against it.
fn shortened(refusal: &str) -> String {
    let refusal = refusal.split_once("a JSON Schema is expected").map_or(refusal, |(before, _)| before);
    match (refusal.split_once("schema = "), refusal.rsplit_once("`; ")) {
        (Some((before, _)), Some((_, ""))) => format!("{before}schema = …`"),
        (Some((before, _)), Some((_, behind))) => format!("{before}schema = …`; {behind}"),
        _ => refusal.to_owned(),
    }
}

#[tokio::test]
async fn whether_a_component_is_wanted_is_asked_before_anything_else_of_it_is_looked_at() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    let server = server(folder.path())?;
    let caller = server.caller();
    let strict = json!({"plugins": {"unsigned": "refused"}});
    assert_eq!(caller.send(Method::PUT, "/api/v1/environment", &strict).await?.status, 200);
    let head = guests::manifest("bomb", "1.0.0", "bomb");
    let unsound = [
        ("an unknown key", embed_manifest(guests::WELL_BEHAVED, &format!("{head}[colours]\n"))?),
        ("another world", embed_manifest(guests::WELL_BEHAVED, &head.replace("/tool@", "/step@"))?),
    ];
    let schemas = schemas::all().into_iter();
    let schemas = schemas.map(|(what, schema)| {
        Ok::<_, Failure>((what, schemas::rule(guests::WELL_BEHAVED, "bomb", "1.0.0", "bomb", &schema)?))
    });
    let schemas = schemas.collect::<Result<Vec<_>, _>>()?;
    for (what, component) in schemas.into_iter().chain(unsound).chain(bombs::all()?) {
        let refused = caller.install("", &component).await?;
        let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains("publisher `tests` has no keys here"), "{what}: {detail}");
        let rehearsed = rehearse(&caller, bundle("bomb", &component)?).await?;
        let detail = rehearsed.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains("publisher `tests` has no keys here"), "{what} in a bundle: {detail}");
    }
    Ok(())
}

/// Writes a component and its plugin as a host without today's caps did.
fn install_as_before(store: &Store, name: &str, bytes: Vec<u8>, mut plugin: Plugin) -> Done {
    let (version, digest) = ("1.0.0".parse()?, Loader::digest(&bytes));
    plugin.versions.insert(version, digest.clone());
    plugin.active = Some(version);
    let name = format!("tests/{name}");
    let manifest = Loader::manifest_text(&bytes).unwrap_or_default().to_owned();
    let component = Component { digest, plugin: name.clone(), version, manifest, bytes, duties: Duties::default() };
    let changes = ChangeSet { authority: Authority::Upgrader, ..ChangeSet::new([Change::put(name, plugin)]) };
    store.install(&[component], changes, &Author::new("ada", "an older host"))?;
    Ok(())
}

#[tokio::test]
async fn what_an_older_host_took_is_left_out_with_its_reason_and_the_server_answers() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    drop(Service::start_with(folder.path(), platform())?);
    let mut names = Vec::new();
    {
        let store = Store::open(folder.path())?;
        for at in 0..all("old")?.len() {
            let name = format!("old-{at}");
            let (what, bytes) = all(&name)?.swap_remove(at);
            install_as_before(&store, &name, bytes, Plugin::default())?;
            names.push((name, what));
        }
        // A step that is told as much as was possible, with the schema that once ended every server that read it.
        let stamp = r#"
            [[steps]]
            name = "stamp"
            message = "profile.update"
            stage = 20
            rank = 10
            on-fault = "skip"
            "#;
        let settings = format!("[settings]\nschema = '''{}'''\n", schemas::chain(1_940));
        let step =
            embed_manifest(guests::CHANGES, &[&guests::steps("loop", "1.0.0", "step"), stamp, &settings].concat())?;
        let Value::Object(configuration) = schemas::settings(100) else { unreachable!() };
        let wanted = StepOverride { configuration: Some(configuration), ..StepOverride::default() };
        let plugin = Plugin { steps: [("stamp".to_owned(), wanted)].into(), ..Plugin::default() };
        install_as_before(&store, "loop", step, plugin)?;
        names.push(("loop".to_owned(), "a step with a chain"));
    }
    for start in ["first", "second"] {
        let server = server(folder.path())?;
        let caller = server.caller();
        let ask = json!({"user": "kayla", "app": "customer-service-workspace"});
        assert_eq!(caller.send(Method::POST, "/api/v1/experience", &ask).await?.status, 200, "{start} start");
        assert_eq!(caller.get("/health/ready").await?.status, 200);
        assert_eq!(caller.get("/api/v1/plugins").await?.status, 200);
        for (name, what) in &names {
            let plugin = caller.get(&format!("/api/v1/plugins/tests/{name}")).await?.json();
            let problem = plugin["problem"].as_str().unwrap_or_default();
            let reasons = ["its manifest", "it cannot be made ready", "it is built for the world"];
            assert!(reasons.iter().any(|reason| problem.contains(reason)), "{what}: {plugin}");
        }
        let patch = json!({"description": format!("after the {start} start")});
        let patched = caller.send(Method::PATCH, "/api/v1/profiles/contoso_rep", &patch).await?;
        assert_eq!(patched.status, 200, "{}", patched.json());
        assert_eq!(caller.get("/api/v1/export").await?.status, 200, "and moves elsewhere");
        server.kill()?;
    }
    // And can be mended, the step with what it is told included.
    let server = server(folder.path())?;
    let caller = server.caller();
    let off = caller.send(Method::PUT, "/api/v1/plugins/tests/loop/state", &json!({"state": "inactive"})).await?;
    assert_eq!(off.status, 200, "{}", off.json());
    let gone = Reply::to(caller.request(Method::DELETE, "/api/v1/plugins/tests/loop")).await?;
    assert_eq!(gone.status, 204, "{}", gone.json());
    Ok(())
}

#[tokio::test]
async fn settings_are_no_deeper_and_no_longer_than_their_limit_wherever_they_are_written() -> Done {
    let host = TestHost::with_platform().await?;
    let schema = json!({"type": "object"}).to_string();
    let rule = schemas::rule(guests::WELL_BEHAVED, "plain", "1.0.0", "plain", &schema)?;
    assert_eq!(host.install("", &rule).await?.status, 201);
    let step = guests::handler(guests::CHANGES, "stamps", "1.0.0", &[("stamp", "macro.delete", 20)])?;
    assert_eq!(host.install("", &step).await?.status, 201);
    let (levels, bytes) = ("it is nested in more than 32 levels", "it is longer than 65536 bytes of JSON");
    for (value, why) in
        [(schemas::settings(33), levels), (schemas::settings(120), levels), (json!({"a": "x".repeat(70_000)}), bytes)]
    {
        let tools = json!([{"tool": "msdyn_callscript_tool_config", "settings": value}]);
        let views = json!([{"name": "Mine", "recordTypes": ["case"], "filters": value}]);
        for (path, method, body, attribute) in [
            ("profiles/contoso_rep", Method::PATCH, json!({"productivityPane": {"tools": tools}}), "tools[0].settings"),
            ("profiles/contoso_rep", Method::PATCH, json!({"inbox": {"views": views}}), "inbox.views[0].filters"),
            ("plugins/tests/stamps/steps/stamp", Method::PUT, json!({"configuration": value}), "configuration"),
            ("plugins/tests/plain/tools/plain", Method::PUT, json!({"default": value}), "default"),
        ] {
            let path = format!("/api/v1/{path}");
            let refused = Reply::to(host.request(method, &path).json(&body)).await?;
            let json = refused.json();
            assert_eq!(refused.status, 409, "{path}: {json}");
            let told = json.to_string();
            assert!(told.contains(attribute) && told.contains(why), "{path}: {told}");
        }
    }
    let deepest = json!({"configuration": schemas::settings(32)});
    assert_eq!(host.put("/api/v1/plugins/tests/stamps/steps/stamp", deepest).await?.status, 200);
    host.stop().await
}

/// A column of a record is no text of fifty thousand slugs.
#[tokio::test]
async fn slugs_without_end_are_refused_where_they_are_written() -> Done {
    let host = TestHost::with_platform().await?;
    let settings = |count: usize| {
        let slugs: String = (0..count).map(|at| format!("{{a{at}}}")).collect();
        let settings = json!({"recordTypes": {"incident": {"sourceField": format!("x}}{slugs}{{y")}}});
        let tools = json!([{"tool": "msdyn_knowledgesearch_tool_config", "settings": settings}]);
        ("profiles/contoso_rep", Method::PATCH, json!({"productivityPane": {"tools": tools}}))
    };
    let parameter = |count: usize| {
        let tab = json!({"name": "Many", "pageType": "web-resource", "parameters": {"webresourceName": "a.html", "data": "{a}".repeat(count)}});
        ("application-tab-templates/contoso_many", Method::PUT, tab)
    };
    for ((path, method, body), why) in [
        (settings(200), "is longer than 128 characters"),
        (settings(50_000), "it is longer than 65536 bytes of JSON"),
        (parameter(101), "it has more than 100 slugs"),
    ] {
        let refused = Reply::to(host.request(method, &format!("/api/v1/{path}")).json(&body)).await?;
        let json = refused.json().to_string();
        assert!(refused.status == 409 && json.contains(why), "{} {json}", refused.status);
    }
    host.stop().await
}
