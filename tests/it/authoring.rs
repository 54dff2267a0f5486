//! The first minutes of somebody who writes a plugin: made, tried, built, installed, and there for a person.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use loadout_tests::guests::{self, manifest, rule};
use loadout_tests::host::{Failure, TOKEN, TestHost};
use serde_json::json;

type Done = Result<(), Failure>;

/// What a command says, and how it ends.
fn loadout(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadout-under-test"));
    command.current_dir(folder).env("LOADOUT_TOKEN", "nobody's").env_remove("RUST_LOG");
    let done = command.arg("plugin").args(arguments).output()?;
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    // Where in a guest it happened depends on how that was compiled.
    let said: Vec<&str> = said.lines().filter(|line| !line.trim_start().starts_with("function ")).collect();
    Ok(format!("{} {}", done.status.code().unwrap_or(-1), said.join("\n").trim_end()))
}

/// A folder with cases.
fn with_cases(cases: &str) -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("cases"))?;
    std::fs::write(folder.path().join("cases/first.yaml"), cases)?;
    Ok(folder)
}

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_plugin_is_tried_built_installed_and_there_for_a_person() -> Done {
    let folder = tempfile::tempdir()?;
    let made = loadout(folder.path(), &["new", "greeter", "--publisher", "contoso"])?;
    assert_snapshot!(made, @r"
    0 made `greeter`; next:
      cd greeter
      cargo test
      loadout plugin test
    ");
    let project = folder.path().join("greeter");
    let mut natively = Command::new(env!("CARGO"));
    natively.current_dir(&project).arg("test").env("CARGO_TARGET_DIR", project.join("target"));
    let natively = natively.output()?;
    assert!(natively.status.success(), "{}", String::from_utf8_lossy(&natively.stderr));
    let component = project.join("target/greeter.wasm");
    let built = loadout(&project, &["build"])?;
    assert!(built.contains("plugin     contoso/greeter 0.1.0") && component.is_file(), "{built}");
    let there = ["--component", "target/greeter.wasm"];
    assert!(loadout(&project, &[&["test", "."][..], &there].concat())?.ends_with("3 cases, each as expected"));
    let checked = loadout(&project, &[&["check", "."][..], &there].concat())?;
    assert_snapshot!(checked, @r#"
    0 plugin       contoso/greeter 0.1.0
    world        loadout:plugin/tool@0.1.0, and its imports are those of the world
    settings     the schema is one
    asks for     nothing
    the same     3 cases, in two processes and two time zones
    "#);
    let asked = loadout(&project, &[&["run", "question.yaml"][..], &there].concat())?;
    assert!(asked.contains(r#""greeting": "Hello, Ada!""#) && asked.contains("calls to the host: 1"), "{asked}");

    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    let address = host.address("");
    let token = project.join("token");
    std::fs::write(&token, TOKEN)?;
    let remote = ["--host", address.as_str(), "--token-file", "token"];
    let installed = loadout(&project, &[&["install", "target/greeter.wasm"][..], &remote].concat())?;
    assert_snapshot!(installed, @r#"
    0 installed  contoso/greeter 0.1.0
    serves     0.1.0
    "#);
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter"});
    assert_eq!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status, 201);
    let tools = json!({"productivityPane": {"tools": [{"tool": "contoso_greeter"}]}});
    let given = host.patch("/api/v1/profiles/contoso_rep", tools).await?;
    assert_eq!(given.status, 200, "{given}");
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", question).await?.json();
    let tool = &answer["productivityPane"]["tools"][0];
    assert_eq!((&tool["tool"], &tool["payload"]), (&json!("greeter"), &json!({"greeting": "Good day, Ada."})));
    let listed = loadout(&project, &[&["list"][..], &remote].concat())?;
    assert!(listed.lines().any(|line| line.contains("contoso/greeter") && line.contains("0.1.0")), "{listed}");
    let traced = loadout(&project, &[&["trace", "contoso/greeter"][..], &remote].concat())?;
    assert!(traced.contains("0.1.0 tool.evaluate greeter succeeded"), "{traced}");
    let denied = loadout(&project, &["install", "target/greeter.wasm", "--host", &address])?;
    assert!(denied.starts_with("1 error: ") && denied.contains("answers 401"), "{denied}");
    Ok(())
}

#[test]
fn what_a_case_expects_otherwise_is_named_with_what_was_found() -> Done {
    let folder = with_cases(
        "cases:
  - name: it greets
    session: { context: { customerName: Ada } }
    expect: { shown: { greeting: Hello Grace } }
  - name: nobody said what to expect
",
    )?;
    std::fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
    assert_snapshot!(loadout(folder.path(), &["test", "--component", "a.wasm"])?, @r#"
    1 first.yaml: it greets
      expected {"shown":{"greeting":"Hello Grace"}}
      found    {"shown":{"greeting":"Hello Ada","refused":true}}
    first.yaml: nobody said what to expect
      expected nothing
      found    {"hidden":"no-customer"}
    error: 2 of 2 cases have another outcome than they expect
    "#);
    Ok(())
}

#[test]
fn each_mistake_ends_in_a_sentence_that_says_what_to_change() -> Done {
    let cases = "cases:\n  - name: it answers\n    expect: { shown: {} }\n";
    let folder = with_cases(cases)?;
    let at = |name: &str| folder.path().join(name);
    let told = |name: &str, component: &[u8]| -> Result<String, Failure> {
        std::fs::write(at(name), component)?;
        loadout(folder.path(), &["test", "--component", name])
    };
    let lying = manifest("greeter", "1.0.0", "scripts").replace("tool@0.1.0", "step@0.1.0");
    let said = [
        told("wrong-world.wasm", guests::WRONG_WORLD)?,
        told("no-manifest.wasm", guests::NO_MANIFEST)?,
        told("panics.wasm", guests::PANICS)?,
        told("spins.wasm", guests::SPINS_FOREVER)?,
        told("bad-json.wasm", guests::BAD_JSON)?,
        told("lies.wasm", &loadout_plugin_build::embed_manifest(guests::WELL_BEHAVED, &lying)?)?,
        told("text.wasm", b"(component)")?,
        loadout(folder.path(), &["build"])?,
        loadout(folder.path(), &["new", "Nice Name"])?,
        loadout(folder.path(), &["new", "cases"])?,
        loadout(folder.path(), &["install", "text.wasm", "--token-file", "nowhere"])?,
    ];
    assert_snapshot!(said.join("\n"), @r#"
    1 error: `wrong-world.wasm` is refused: its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports `loadout:plugin/upgrade-step@0.1.0`
    1 error: `no-manifest.wasm` is refused: it has no manifest: `loadout plugin build` packs `plugin.toml` into it
    1 first.yaml: it answers
      expected {"shown":{}}
      found    {"fault":"plugin.trapped"}
      because  it trapped: panicked at tests/guests/examples/panics.rs:5:18: the sky fell on {}
    error: 1 of 1 cases have another outcome than they expect
    1 first.yaml: it answers
      expected {"shown":{}}
      found    {"fault":"plugin.timeout"}
      because  it ran past its deadline of 50 ms
    error: 1 of 1 cases have another outcome than they expect
    1 first.yaml: it answers
      expected {"shown":{}}
      found    {"fault":"plugin.invalid-result"}
      because  its payload is no JSON object: key must be a string at line 1 column 2
    error: 1 of 1 cases have another outcome than they expect
    1 error: `lies.wasm` is refused: its manifest cannot be read: `[tool]` means nothing in the world `loadout:plugin/step@0.1.0`: remove it
    1 error: `text.wasm` is refused: it is WebAssembly text; give the binary form
    2 error: `.` is no plugin's project, it has no `Cargo.toml`, `requirements.txt` or `package.json`: name its folder, or make one with `loadout plugin new`
    2 error: `Nice Name` cannot be the name of a plugin: use `a` to `z`, `0` to `9` and `-`, a letter first
    2 error: `cases` is there already: choose another name
    1 error: `text.wasm` is refused: it is WebAssembly text; give the binary form
    "#);
    for (cases, expected) in [
        ("cases: []", "there are no cases in `./cases`: write one into `./cases/first.yaml`"),
        ("cases:\n  - nam: x\n", "unknown field"),
        ("library: { script: {} }\ncases:\n  - name: x\n", "collections are such as `scripts` and `macros`"),
        (
            "library: { scripts: { contoso_a: { nam: x } } }\ncases:\n  - name: x\n",
            "`contoso_a` of `scripts` could not be written",
        ),
        ("cases:\n  - name: x\n    session: { chanel: chat }\n", "unknown field `chanel`"),
    ] {
        std::fs::write(at("cases/first.yaml"), cases)?;
        let said = told("fine.wasm", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
        assert!(said.contains(expected), "{cases}: {said}");
    }
    Ok(())
}
