//! A plugin that is being written is on a host for one person, with the effect of each change, and gone in the end.

use insta::assert_snapshot;
use loadout_plugin_build::{embed_manifest, manifest_of};
use loadout_tests::Done;
use loadout_tests::guests::{self, handler, rule};
use loadout_tests::host::{Failure, TOKEN, TestHost};
use loadout_tests::program::{Going, plugin};
use serde_json::{Value, json};

use super::projects::with_cases;

const CASES: &str = "cases:
  - name: it greets
    session: { context: { customerName: Ada } }
    expect: { shown: { greeting: Hello Ada, refused: true } }
";

/// A host on which every representative has the tool, and a folder with a token, cases and a session.
async fn prepared() -> Result<(TestHost, tempfile::TempDir), Failure> {
    let host = TestHost::with_platform().await?;
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter", "withoutRule": "show"});
    assert_eq!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status, 201);
    let tools = json!({"productivityPane": {"tools": [{"tool": "contoso_greeter"}]}});
    let given = host.patch("/api/v1/profiles/contoso_rep", tools).await?;
    assert_eq!(given.status, 200, "{given}");
    let folder = with_cases(CASES)?;
    std::fs::write(folder.path().join("token"), TOKEN)?;
    std::fs::write(folder.path().join("session.yaml"), "entity: incident\ncontext: { customerName: Ada }\n")?;
    Ok((host, folder))
}

fn arguments<'a>(address: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed =
        ["dev", "--component", "a.wasm", "--user", "kayla", "--session", "session.yaml", "--token-file", "token"];
    [&fixed[..], &["--host", address], more].concat()
}

// The command waits for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_there_for_one_person_and_nothing_is_left_of_it() -> Done {
    let (host, folder) = prepared().await?;
    let component = folder.path().join("a.wasm");
    let put = |guest: &[u8]| -> Done {
        // Whole or not at all, as a compiler would.
        let part = folder.path().join("a.part");
        std::fs::write(&part, guest)?;
        Ok(std::fs::rename(part, &component)?)
    };
    let greeter = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    assert_eq!(host.install("", &greeter).await?.status, 201);
    put(&greeter)?;
    let address = host.address("");
    let mut dev = Going::start(folder.path(), &arguments(&address, &[]))?;
    assert_snapshot!(dev.round()?, @"
    cases      1 of 1 as expected
    brought    tests/greeter 1.0.900000000, for `kayla` alone; 1.0.0 serves all other users
    unchanged  the answer is what it was
    because    tests/greeter 1.0.900000000 shows it
               read records.look-up(contact, fullname, ): not-granted
               read context.get(customerName): Ada
    ");
    put(&rule(guests::COUNTS_SCRIPTS, "greeter", "1.0.0", "greeter")?)?;
    let counted = dev.round()?;
    assert!(counted.contains("changed    contoso_greeter.payload.scripts: nothing -> 6"), "{counted}");
    assert!(counted.contains("1.0.900000001 shows it\n           read records.look-up"), "{counted}");
    assert!(counted.starts_with("otherwise  it greets: found {") && !counted.contains("failed"), "{counted}");
    let plugin = host.get("/api/v1/plugins/tests/greeter").await?.json();
    let on_trial = &plugin["rollout"];
    assert_eq!((&plugin["version"], &on_trial["version"]), (&json!("1.0.0"), &json!("1.0.900000001")));
    assert_eq!(on_trial["users"], json!(["kayla"]));
    put(b"(component)")?;
    assert_snapshot!(dev.round()?, @"failed     `a.wasm` is refused: it is WebAssembly text; give the binary form");
    put(&rule(guests::PANICS, "greeter", "1.0.0", "greeter")?)?;
    let broke = dev.round()?;
    assert!(broke.contains("it trapped: panicked at") && broke.contains("the sky fell"), "{broke}");
    assert!(broke.contains("contoso_greeter.payload.scripts: 6 -> nothing"), "{broke}");
    assert!(
        broke.contains("because    tests/greeter 1.0.0 shows it"),
        "who breaks is answered by what serves: {broke}"
    );
    assert!(broke.contains("warning    trial-broke: tests/greeter 1.0.900000002"), "{broke}");
    put(&greeter)?;
    assert_snapshot!(dev.round()?, @"
    cases      1 of 1 as expected
    brought    tests/greeter 1.0.900000003, for `kayla` alone; 1.0.0 serves all other users
    unchanged  the answer is what it was
    because    tests/greeter 1.0.900000003 shows it
               read records.look-up(contact, fullname, ): not-granted
               read context.get(customerName): Ada
    ");
    assert_eq!(dev.end("-INT")?, Some(0));
    let plugin = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!((&plugin["version"], plugin.get("rollout")), (&json!("1.0.0"), None));
    assert_eq!(versions(&plugin), ["1.0.0"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_new_to_the_host_is_new_again_afterwards() -> Done {
    let (host, folder) = prepared().await?;
    std::fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?)?;
    let address = host.address("");
    // What an earlier one left behind when it was killed.
    let left = rule(guests::WELL_BEHAVED, "greeter", "1.0.900000007", "greeter")?;
    assert_eq!(host.install("", &left).await?.status, 201);
    let once = plugin(folder.path(), &arguments(&address, &["--once"]))?;
    assert_snapshot!(once, @r#"
    0 cases      1 of 1 as expected
    brought    tests/greeter 1.0.900000008, for all users of this host, until this ends
    changed    contoso_greeter.payload.greeting: nothing -> "Hello Ada"
    changed    contoso_greeter.payload.refused: nothing -> true
    because    tests/greeter 1.0.900000008 shows it
               read records.look-up(contact, fullname, ): not-granted
               read context.get(customerName): Ada
    "#);
    assert_eq!(host.get("/api/v1/plugins/tests/greeter").await?.status, 404);
    let nobody = plugin(folder.path(), &arguments(&address, &["--once", "--user", "nobody"]));
    assert!(nobody.is_ok_and(|said| said.starts_with("2 ")), "a person is named once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_of_somebody_else_is_not_taken_away() -> Done {
    let (host, folder) = prepared().await?;
    let version = |version: &str| rule(guests::WELL_BEHAVED, "greeter", version, "greeter");
    std::fs::write(folder.path().join("a.wasm"), version("1.0.0")?)?;
    assert_eq!(host.install("", &version("1.0.0")?).await?.status, 201);
    assert_eq!(host.install("?activate=false", &version("1.1.0")?).await?.status, 201);
    let trial = json!({"rollout": {"version": "1.1.0", "to": "shadow"}});
    assert_eq!(host.put("/api/v1/plugins/tests/greeter/rollout", trial).await?.status, 200);
    let address = host.address("");
    assert_snapshot!(plugin(folder.path(), &arguments(&address, &["--once"]))?, @"
    1 cases      1 of 1 as expected
    error: plugin `tests/greeter` cannot be tried on this host: its version 1.1.0 is on trial; end that first
    ");
    let plugin = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!(versions(&plugin), ["1.1.0", "1.0.0"]);
    assert_eq!(plugin["rollout"]["version"], "1.1.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_decided_or_tries_already_is_left_alone() -> Done {
    let (host, folder) = prepared().await?;
    let version = |version: &str| rule(guests::WELL_BEHAVED, "greeter", version, "greeter");
    std::fs::write(folder.path().join("a.wasm"), version("1.0.0")?)?;
    assert_eq!(host.install("", &version("1.0.0")?).await?.status, 201);
    let address = host.address("");
    let once = arguments(&address, &["--once"]);
    assert_eq!(host.install("?activate=false", &version("1.0.900000000")?).await?.status, 201);
    let trial = json!({"rollout": {"version": "1.0.900000000", "to": "group", "users": ["lena"]}});
    assert_eq!(host.put("/api/v1/plugins/tests/greeter/rollout", trial).await?.status, 200);
    let tried = plugin(folder.path(), &once)?;
    let over = host.delete("/api/v1/plugins/tests/greeter/rollout").await?;
    assert_eq!(over.status, 200, "{over}");
    let off = json!({"state": "inactive"});
    assert_eq!(host.put("/api/v1/plugins/tests/greeter/state", off).await?.status, 200);
    assert_snapshot!(format!("{tried}\n{}", plugin(folder.path(), &once)?), @r#"
    1 cases      1 of 1 as expected
    error: plugin `tests/greeter` cannot be tried on this host: it is being tried for `lena` already; end that first
    1 cases      1 of 1 as expected
    error: plugin `tests/greeter` cannot be tried on this host: it is switched off; switch it on first
    "#);
    let plugin = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!((&plugin["state"], versions(&plugin).len()), (&json!("inactive"), 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_installs_meanwhile_serves_afterwards() -> Done {
    let (host, folder) = prepared().await?;
    let greeter = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    std::fs::write(folder.path().join("a.wasm"), &greeter)?;
    let address = host.address("");
    let mut dev = Going::start(folder.path(), &arguments(&address, &[]))?;
    assert!(dev.round()?.contains("for all users of this host"));
    assert_eq!(host.install("", &greeter).await?.status, 201);
    std::fs::write(folder.path().join("a.part"), rule(guests::COUNTS_SCRIPTS, "greeter", "1.0.0", "greeter")?)?;
    std::fs::rename(folder.path().join("a.part"), folder.path().join("a.wasm"))?;
    assert!(dev.round()?.contains("brought    tests/greeter 1.0.900000001"));
    assert_eq!(dev.end("-HUP")?, Some(0), "a terminal that is closed ends it, too");
    let plugin = host.get("/api/v1/plugins/tests/greeter").await?.json();
    assert_eq!((&plugin["version"], versions(&plugin)), (&json!("1.0.0"), vec!["1.0.0"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_served_before_serves_again_though_a_change_waits_for_a_grant() -> Done {
    let (host, folder) = prepared().await?;
    std::fs::remove_dir_all(folder.path().join("cases"))?;
    let step = handler(guests::CHANGES, "changes", "1.0.0", &[("before", "macro.update", 20)])?;
    assert_eq!(host.install("", &step).await?.status, 201);
    std::fs::write(folder.path().join("a.wasm"), &step)?;
    let address = host.address("");
    let mut dev = Going::start(folder.path(), &arguments(&address, &[]))?;
    assert!(dev.round()?.contains("brought    tests/changes 1.0.900000000, for all users of this host"));
    let manifest =
        manifest_of(&step)?.unwrap_or_default().to_owned() + "[capabilities]\nhttp = [\"api.contoso.com\"]\n";
    std::fs::write(folder.path().join("a.part"), embed_manifest(&step, &manifest)?)?;
    std::fs::rename(folder.path().join("a.part"), folder.path().join("a.wasm"))?;
    let waits = dev.round()?;
    assert!(waits.contains("failed     ") && waits.contains("grant"), "{waits}");
    assert_eq!(dev.end("-INT")?, Some(0));
    let plugin = host.get("/api/v1/plugins/tests/changes").await?.json();
    assert_eq!((&plugin["version"], versions(&plugin)), (&json!("1.0.0"), vec!["1.0.0"]));
    Ok(())
}

fn versions(plugin: &Value) -> Vec<&str> {
    plugin["versions"].as_array().into_iter().flatten().filter_map(|it| it["version"].as_str()).collect()
}
