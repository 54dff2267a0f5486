//! Plugins by administrators: what is installed, what serves, and what never does.

use insta::assert_snapshot;
use loadout::domain::experience::ExplainLevel;
use loadout::service::{Question, Service, Who};
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost, platform};
use reqwest::Method;
use serde_json::{Value, json};

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// What kayla's tool of the kind `kind` is, in a session with a customer.
async fn tool(host: &TestHost, kind: &str) -> Result<Value, Failure> {
    tool_of(host, "kayla", kind).await
}

/// The same of another person.
async fn tool_of(host: &TestHost, user: &str, kind: &str) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let question = json!({"user": user, "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", question).await?;
    let tools = answer.json()["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    let found = tools.into_iter().find(|tool| tool["tool"] == kind);
    found.ok_or_else(|| format!("no tool `{kind}` in {answer}").into())
}

#[tokio::test]
async fn the_built_in_plugins_are_installed_like_any_other() -> Done {
    let host = host().await?;
    let listed = host.get("/api/v1/plugins").await?.json();
    let names: Vec<String> = listed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| format!("{}/{} {} {}", it["publisher"], it["name"], it["version"], it["layer"]).replace('"', ""))
        .collect();
    assert_snapshot!(names.join("\n"), @"
    loadout/existing-settings 0.1.0 out-of-the-box
    loadout/knowledge-search 0.1.0 out-of-the-box
    loadout/legacy-console 0.1.0 out-of-the-box
    loadout/macros 0.1.0 out-of-the-box
    loadout/scripts 0.1.0 out-of-the-box
    loadout/smart-assist 0.1.0 out-of-the-box
    loadout/workstreams 0.1.0 out-of-the-box
    ");
    let scripts = host.get("/api/v1/plugins/loadout/scripts").await?.json();
    assert_eq!((&scripts["kinds"], &scripts["state"]), (&json!(["scripts"]), &json!("active")));
    assert_eq!(tool(&host, "scripts").await?["status"], "shown");
    assert_snapshot!(host.delete("/api/v1/plugins/loadout/scripts").await?, @r#"409 {"code":"read-only","detail":"plugin `loadout/scripts` came with the product: switch it off instead"}"#);
    Ok(())
}

#[tokio::test]
async fn a_plugin_takes_the_place_of_a_built_in_one_and_gives_it_back() -> Done {
    let host = host().await?;
    let before = tool(&host, "scripts").await?;
    let one = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    let installed = host.install("", &one).await?;
    assert_eq!((installed.status, installed.header("location")), (201, "/api/v1/plugins/tests/greeter"));
    let ours = tool(&host, "scripts").await?;
    assert_eq!(ours["payload"]["greeting"], "Hello Ada");

    let two = rule(guests::FAILS, "greeter", "1.1.0", "scripts")?;
    assert_eq!(host.install("?activate=false", &two).await?.json()["version"], "1.0.0");
    assert_eq!(tool(&host, "scripts").await?, ours, "a version that is only installed changes nothing");
    let activated = host.post("/api/v1/plugins/tests/greeter/activate", json!({"version": "1.1.0"})).await?;
    assert_eq!((activated.status, &activated.json()["version"]), (200, &json!("1.1.0")));
    assert_eq!(tool(&host, "scripts").await?["fault"]["version"], "1.1.0");

    let back = Reply::to(host.request(Method::POST, "/api/v1/plugins/tests/greeter/rollback")).await?;
    assert_eq!((back.status, &back.json()["version"]), (200, &json!("1.0.0")));
    assert_eq!(tool(&host, "scripts").await?, ours, "a roll-back restores the answer");
    let again = Reply::to(host.request(Method::POST, "/api/v1/plugins/tests/greeter/rollback")).await?;
    assert_snapshot!(again, @r#"409 {"code":"nothing-before","detail":"no version of plugin `tests/greeter` served before: switch the plugin off instead"}"#);

    host.put("/api/v1/plugins/tests/greeter/state", json!({"state": "inactive", "fallBack": true})).await?;
    assert_eq!(tool(&host, "scripts").await?, before, "the built-in rule is back");
    let again = host.install("", &one).await?.json();
    assert_eq!(again["activated"], json!(false));
    assert_snapshot!(again["why"].as_str().unwrap_or_default(), @"plugin `tests/greeter` is switched off: switch it on with `PUT /api/v1/plugins/tests/greeter/state`, and 1.0.0 serves");
    host.put("/api/v1/plugins/tests/greeter/state", json!({"state": "active"})).await?;
    assert_eq!(tool(&host, "scripts").await?, ours);
    assert_eq!(host.delete("/api/v1/plugins/tests/greeter?fallBack=true").await?.status, 204);
    assert_eq!(tool(&host, "scripts").await?, before);
    Ok(())
}

#[tokio::test]
async fn an_old_revision_answers_with_the_plugins_of_then() -> Done {
    let host = host().await?;
    let question =
        |revision: u64| format!("/api/v1/users/kayla/experience?app=customer-service-workspace&asOf={revision}");
    let first = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    let with: u64 = host.install("", &first).await?.header("x-loadout-revision").parse()?;
    let (before, after) = (host.get(&question(with - 1)).await?, host.get(&question(with)).await?);
    assert_ne!(before.json()["productivityPane"], after.json()["productivityPane"]);
    host.delete("/api/v1/plugins/tests/greeter?fallBack=true").await?;
    let second = rule(guests::FAILS, "greeter", "2.0.0", "scripts")?;
    host.install("", &second).await?;
    assert_eq!(host.get(&question(with - 1)).await?.text, before.text);
    assert_eq!(host.get(&question(with)).await?.text, after.text, "byte by byte, though the plugin is gone");
    Ok(())
}

#[tokio::test]
async fn another_process_on_the_same_folder_follows() -> Done {
    let host = host().await?;
    let other = Service::start_with(host.folder(), platform())?;
    let ask = || -> Result<String, Failure> {
        let answer = other.experience(&Question {
            who: Who::Login("kayla".parse()?),
            profile: None,
            app: "customer-service-workspace".to_owned(),
            session: None,
            explain: ExplainLevel::None,
            as_of: None,
        })?;
        Ok(serde_json::to_string(&answer.productivity_pane)?)
    };
    let before = ask()?;
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    assert!(ask()?.contains("no-customer"), "the rule that was just installed answers");
    Reply::to(host.request(Method::DELETE, "/api/v1/plugins/tests/greeter?fallBack=true")).await?;
    assert_eq!(ask()?, before);
    Ok(())
}

#[tokio::test]
async fn versions_are_told_apart_by_their_digest() -> Done {
    let host = host().await?;
    let one = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    let first = host.install("", &one).await?;
    let same = host.install("", &one).await?;
    assert_eq!(same.header("x-loadout-revision"), first.header("x-loadout-revision"), "nothing changed");
    let other = host.install("", &rule(guests::FAILS, "greeter", "1.0.0", "greeter")?).await?;
    assert_eq!((other.status, &other.json()["code"]), (409, &json!("version-taken")));
    let major = host.install("", &rule(guests::FAILS, "greeter", "2.0.0", "greeter")?).await?;
    assert_snapshot!(major, @r#"409 {"code":"major-version","detail":"plugin `tests/greeter` 2.0.0 is a new major version and 1.0.0 serves: activate it with `acceptMajor`, once its steps were looked at"}"#);
    let rival = host.install("", &rule(guests::WELL_BEHAVED, "rival", "1.0.0", "greeter")?).await?;
    assert_snapshot!(rival, @r#"409 {"code":"kind-taken","detail":"tool kind `greeter` is decided by plugin `tests/greeter`: switch that off first"}"#);
    assert_eq!(
        host.install("?activate=false", &rule(guests::WELL_BEHAVED, "rival", "1.0.0", "greeter")?).await?.status,
        201
    );
    let version = "/api/v1/plugins/tests/greeter/versions/1.0.0";
    assert_snapshot!(host.delete(version).await?, @r#"409 {"code":"in-use","detail":"plugin `tests/greeter` 1.0.0 serves: activate another version first, or switch the plugin off"}"#);
    assert_eq!(
        host.get(version).await?.headers.get("content-length").and_then(|it| it.to_str().ok()?.parse().ok()),
        Some(one.len())
    );
    assert_snapshot!(host.get("/api/v1/plugins/tests/nobody").await?, @r#"404 {"code":"not-found","detail":"there is no plugin `tests/nobody`: `GET /api/v1/plugins` lists those there are"}"#);
    Ok(())
}

#[tokio::test]
async fn a_bad_component_is_refused_by_name_and_what_serves_goes_on() -> Done {
    let host = host().await?;
    let good = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?;
    host.install("", &good).await?;
    let ours = tool(&host, "scripts").await?;
    let spins = rule(guests::SPINS_AT_START, "greeter", "1.1.0", "scripts")?;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("text", b"(component)".to_vec()),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("something else", b"\x7fELF\x02\x01\x01".to_vec()),
        ("cut off", good[..good.len() / 2].to_vec()),
        ("no manifest", guests::NO_MANIFEST.to_vec()),
        ("a manifest that lies about its world", embed_manifest(guests::BAD_STEP, &manifest("1.1.1"))?),
        ("sockets", rule(guests::ASKS_FOR_SOCKETS, "greeter", "1.1.2", "scripts")?),
        ("a loop at the start", spins),
    ];
    let mut refusals = Vec::new();
    for (what, component) in &cases {
        let refused = host.install("", component).await?;
        let json = refused.json();
        // Where it is cut off differs from build to build.
        let detail = json["detail"].as_str().and_then(|it| it.split(" (at offset").next()).unwrap_or_default();
        refusals.push(format!("{what}: {} {detail}", refused.status));
        assert_eq!(tool(&host, "scripts").await?, ours, "{what} changed an answer");
    }
    assert_snapshot!(refusals.join("\n"), @r#"
        nothing: 422 the component is refused: it is no WebAssembly component: it starts like something else
        text: 422 the component is refused: it is WebAssembly text; give the binary form
        a core module: 422 the component is refused: it is a core module and no component; compile it for `wasm32-wasip2`
        something else: 422 the component is refused: it is no WebAssembly component: it starts like something else
        cut off: 422 the component is refused: it is no valid component: unexpected end-of-file
        no manifest: 422 the component is refused: it has no manifest: `loadout plugin build` packs `plugin.toml` into it
        a manifest that lies about its world: 422 plugin `tests/greeter` 1.1.1 is refused: its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports `loadout:plugin/upgrade-step@0.1.0`: say in `plugin.toml` which world it is built for
        sockets: 422 plugin `tests/greeter` 1.1.2 is refused: it imports `wasi:sockets/network@0.2.6`, `wasi:sockets/instance-network@0.2.6`, `wasi:sockets/udp@0.2.6`, `wasi:sockets/udp-create-socket@0.2.6`, `wasi:sockets/tcp@0.2.6` and 2 more, which a plugin for the world `loadout:plugin/tool@0.1.0` is not offered; of `loadout:plugin` that world has `context`, `library`, `records`, `knowledge`, `http`, `trace`: leave out what needs more
        a loop at the start: 422 plugin `tests/greeter` 1.1.0 is refused: it does not start: it goes on and on, and used up the fuel of many calls
        "#);
    let shown = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!(shown["version"], "1.0.0");
    let failed: Vec<String> = shown["failed"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| format!("{}: {}", it["version"], it["reason"]))
        .collect();
    assert_snapshot!(failed.join("\n"), @r#"
        "1.1.0": "it does not start: it goes on and on, and used up the fuel of many calls"
        "1.1.2": "it imports `wasi:sockets/network@0.2.6`, `wasi:sockets/instance-network@0.2.6`, `wasi:sockets/udp@0.2.6`, `wasi:sockets/udp-create-socket@0.2.6`, `wasi:sockets/tcp@0.2.6` and 2 more, which a plugin for the world `loadout:plugin/tool@0.1.0` is not offered; of `loadout:plugin` that world has `context`, `library`, `records`, `knowledge`, `http`, `trace`: leave out what needs more"
        "1.1.1": "its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports `loadout:plugin/upgrade-step@0.1.0`: say in `plugin.toml` which world it is built for"
        "#);
    Ok(())
}

#[tokio::test]
async fn a_body_that_names_a_version_that_is_not_installed_is_a_reference_that_leads_nowhere() -> Done {
    let host = host().await?;
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    let greeter = "/api/v1/plugins/tests/greeter";
    let version = json!({"version": "9.0.0"});
    let activated = host.post(&format!("{greeter}/activate"), version.clone()).await?;
    assert_snapshot!(activated, @r#"409 {"code":"missing-reference","detail":"plugin `tests/greeter` has no version 9.0.0: there are `1.0.0`"}"#);
    let compared = host.post(&format!("{greeter}/comparison"), version.clone()).await?;
    let tried = json!({"rollout": {"version": "9.0.0", "to": "shadow"}});
    let tried = host.put(&format!("{greeter}/rollout"), tried).await?;
    assert_eq!([compared, tried].map(|refused| refused.to_string()), [(); 2].map(|()| activated.to_string()));
    let named = host.get(&format!("{greeter}/versions/9.0.0")).await?;
    assert_snapshot!(named, @r#"404 {"code":"not-found","detail":"plugin `tests/greeter` has no version 9.0.0: there are `1.0.0`"}"#);
    assert_eq!(host.post("/api/v1/plugins/tests/nobody/comparison", version).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn why_a_first_version_was_refused_can_be_read() -> Done {
    let host = host().await?;
    let component = rule(guests::ASKS_FOR_SOCKETS, "greeter", "1.0.0", "scripts")?;
    assert_eq!(host.install("", &component).await?.status, 422);
    let shown = host.get("/api/v1/plugins/tests/greeter").await?.json();
    let said = ["state", "layer", "version", "versions", "revision"].map(|key| shown[key].clone());
    assert_eq!(said, [json!("inactive"), json!("custom"), Value::Null, json!([]), json!(0)], "{shown}");
    let digest = loadout::plugin::Loader::digest(&component);
    let failed = &shown["failed"][0];
    assert_eq!((&failed["version"], &failed["digest"]), (&json!("1.0.0"), &json!(digest.as_str())));
    assert!(failed["at"].is_string() && failed["reason"].as_str().is_some_and(|it| it.contains("sockets")), "{failed}");
    let listed = host.get("/api/v1/plugins").await?.json();
    assert!(listed["items"].as_array().into_iter().flatten().any(|it| *it == shown), "{listed}");
    assert_eq!(host.post("/api/v1/plugins/tests/greeter/activate", json!({"version": "1.0.0"})).await?.status, 404);

    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    assert_eq!(host.get("/api/v1/plugins/tests/greeter").await?.json()["failed"], json!([]));
    host.install("", &rule(guests::ASKS_FOR_SOCKETS, "greeter", "1.1.0", "scripts")?).await?;
    assert_eq!(host.delete("/api/v1/plugins/tests/greeter?fallBack=true").await?.status, 204);
    assert_eq!(host.get("/api/v1/plugins/tests/greeter").await?.status, 404, "its failures went with it");
    host.install("", &component).await?;
    assert_eq!(host.delete("/api/v1/plugins/tests/greeter?fallBack=true").await?.status, 204);
    assert_eq!(host.get("/api/v1/plugins/tests/greeter").await?.status, 404, "and can be forgotten alone");
    Ok(())
}

#[tokio::test]
async fn a_write_to_a_plugin_is_refused_to_whoever_saw_another() -> Done {
    const GREETER: &str = "/api/v1/plugins/tests/greeter";
    let host = host().await?;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        host.install("", &rule(guests::WELL_BEHAVED, "greeter", version, "scripts")?).await?;
    }
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let writes = [
        (Method::PUT, "/tools/scripts", Some(json!({"onFault": "abort"}))),
        (Method::PUT, "/state", Some(json!({"state": "inactive"}))),
        (Method::PUT, "/state", Some(json!({"state": "active"}))),
        (Method::PUT, "/recording", Some(json!({"until": until, "redact": []}))),
        (Method::DELETE, "/recording", None),
        (Method::PUT, "/promotion", Some(json!({"gate": "recordings", "recordings": 1}))),
        (Method::PUT, "/rollout", Some(json!({"rollout": {"version": "1.1.0", "to": "shadow"}}))),
        (Method::DELETE, "/rollout", None),
        (Method::POST, "/activate", Some(json!({"version": "1.1.0", "pastGate": true}))),
        (Method::POST, "/rollback", None),
        (Method::PUT, "/versions/1.0.0/grant", Some(json!({}))),
        (Method::DELETE, "/versions/1.0.0/grant", None),
        (Method::DELETE, "/versions/1.1.0", None),
        (Method::DELETE, "?fallBack=true", None),
    ];
    let mut seen = host.get(GREETER).await?.header("etag").to_owned();
    for (method, path, body) in writes {
        let address = format!("{GREETER}{path}");
        let send = |tag: &str| {
            let request = host.request(method.clone(), &address).header("if-match", tag.to_owned());
            Reply::to(if let Some(body) = &body { request.json(body) } else { request })
        };
        let stale = send("\"1\"").await?;
        assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("stale")), "{method} {path}: {stale}");
        let done = send(&seen).await?;
        assert!(done.status < 300, "{method} {path}: {done}");
        if !path.starts_with('?') {
            let tag = host.get(GREETER).await?.header("etag").to_owned();
            assert_eq!((done.header("etag"), done.header("x-loadout-revision")), (&*tag, tag.trim_matches('"')));
            assert_ne!(tag, seen, "{method} {path} changed it");
            seen = tag;
        }
    }
    let gone = Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback")).header("if-match", "*")).await?;
    assert_eq!(gone.status, 404, "{gone}");
    Ok(())
}

#[tokio::test]
async fn a_plugin_is_never_taken_for_unchanged() -> Done {
    let host = host().await?;
    let address = "/api/v1/plugins/loadout/scripts";
    let tag = host.get(address).await?.header("etag").to_owned();
    let again = Reply::to(host.request(Method::GET, address).header("if-none-match", &tag)).await?;
    assert_eq!(again.status, 200, "its health is in no revision");
    Ok(())
}

#[tokio::test]
async fn a_tool_is_decided_about_before_its_rule_serves() -> Done {
    let host = host().await?;
    host.install("?activate=false", &rule(guests::FAILS, "greeter", "1.0.0", "scripts")?).await?;
    let decide = async |plugin: &str, kind: &str| {
        host.put(&format!("/api/v1/plugins/tests/{plugin}/tools/{kind}"), json!({"onFault": "abort"})).await
    };
    let decided = decide("greeter", "scripts").await?;
    assert_eq!((decided.status, &decided.json()["tools"]["scripts"]["onFault"]), (200, &json!("abort")));
    assert_snapshot!(decide("greeted", "scripts").await?, @r#"404 {"code":"not-found","detail":"there is no plugin `tests/greeted`: `GET /api/v1/plugins` lists those there are"}"#);
    assert_snapshot!(decide("greeter", "macros").await?, @r#"404 {"code":"not-found","detail":"plugin `tests/greeter` decides about no tool `macros`: it decides about `scripts`"}"#);
    Ok(())
}

#[tokio::test]
async fn what_a_broken_rule_means_is_decided_for_each_tool() -> Done {
    let host = host().await?;
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    let decide = async |wanted: Value| host.put("/api/v1/plugins/tests/greeter/tools/scripts", wanted).await;
    assert_snapshot!(decide(json!({"onFault": "use-default"})).await?, @r#"409 {"code":"no-default","detail":"plugin `tests/greeter` declares no default for tool `scripts`: give one as `default`, a JSON object"}"#);
    assert_snapshot!(host.put("/api/v1/plugins/tests/greeter/tools/macros", json!({})).await?, @r#"404 {"code":"not-found","detail":"plugin `tests/greeter` decides about no tool `macros`: it decides about `scripts`"}"#);
    decide(json!({"onFault": "use-last-good"})).await?;
    let good = tool(&host, "scripts").await?;
    assert_eq!(good["payload"]["greeting"], "Hello Ada");
    host.install("", &rule(guests::FAILS, "greeter", "1.1.0", "scripts")?).await?;

    let remembered = tool(&host, "scripts").await?;
    assert_eq!((&remembered["status"], &remembered["payload"]), (&good["status"], &good["payload"]));
    assert_eq!(remembered["degraded"]["policy"], "use-last-good");
    assert_eq!(remembered["degraded"]["fault"]["version"], "1.1.0");
    decide(json!({"onFault": "use-default", "default": {"plain": true}})).await?;
    let plain = tool(&host, "scripts").await?;
    assert_eq!((&plain["payload"], &plain["degraded"]["policy"]), (&json!({"plain": true}), &json!("use-default")));
    decide(json!({"onFault": "abort"})).await?;
    let question = json!({"user": "kayla", "app": "customer-service-workspace"});
    assert_snapshot!(host.post("/api/v1/experience", question).await?, @r#"500 {"code":"plugin.failed","detail":"the rule of tool `scripts` (tests/greeter 1.1.0) broke, and no answer is given without it: it answered with the fault `bad-settings`"}"#);
    decide(json!({})).await?;
    assert_eq!(tool(&host, "scripts").await?["status"], "failed");
    Ok(())
}

#[tokio::test]
async fn a_rule_that_goes_on_breaking_is_suspended_and_its_neighbours_are_not() -> Done {
    let host = host().await?;
    host.install("", &rule(guests::FAILS, "greeter", "1.0.0", "scripts")?).await?;
    for _ in 0..12 {
        assert_eq!(
            tool(&host, "scripts").await?["fault"]["code"],
            "plugin.failed",
            "one person alone suspends nothing"
        );
    }
    let shown = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!((&shown["health"][0]["state"], &shown["serving"]), (&json!("closed"), &json!("active")), "{shown}");
    let fault = loop {
        tool_of(&host, "ines", "scripts").await?;
        let tool = tool(&host, "scripts").await?;
        if tool["fault"]["code"] == "plugin.suspended" {
            break tool["fault"]["message"].to_string();
        }
        assert_eq!(tool["fault"]["code"], "plugin.failed");
    };
    assert!(fault.contains("it is suspended, and tried again in ") && !fault.contains("colour"), "{fault}");
    let shown = host.get("/api/v1/plugins/tests/greeter").await?.json();
    let reason = shown["health"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(" calls broke, the last one so: "), "administrators see why: {shown}");
    assert!(!reason.contains("colour"), "what it wrote itself is in the records of its calls alone: {shown}");
    assert!(["open", "half-open"].contains(&shown["health"][0]["state"].as_str().unwrap_or_default()), "{shown}");
    assert_eq!(tool(&host, "macros").await?["status"], "shown");
    Ok(())
}

fn manifest(version: &str) -> String {
    guests::manifest("greeter", version, "scripts")
}
