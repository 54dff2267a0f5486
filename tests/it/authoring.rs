//! The first minutes of somebody who writes a plugin: made, tried, built, installed, and there for a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use insta::assert_snapshot;
use loadout::workbench::{CaseFile, Workbench};
use loadout_plugin_build::{Guests, embed_manifest};
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
    fs::create_dir(folder.path().join("cases"))?;
    fs::write(folder.path().join("cases/first.yaml"), cases)?;
    Ok(folder)
}

/// A new plugin that was tried natively and built.
struct Made {
    /// Where it is.
    project: PathBuf,
    /// What the command said that made it.
    said: String,
}

/// The project `greeter`. What it is compiled of is compiled once for all tests here: that takes longer than all they do.
fn greeter() -> Result<&'static Made, Failure> {
    static MADE: OnceLock<Result<Made, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make_greeter().map_err(|error| error.to_string()));
    made.as_ref().map_err(|error| error.as_str().into())
}

fn make_greeter() -> Result<Made, Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let said = loadout(&folder, &["new", "greeter", "--publisher", "contoso"])?;
    let project = folder.join("greeter");
    test_natively(&project, &project.join("target"))?;
    let built = loadout(&project, &["build"])?;
    assert!(built.contains("plugin     contoso/greeter 0.1.0"), "{built}");
    Ok(Made { project, said })
}

/// Runs the tests of a project.
fn test_natively(project: &Path, target: &Path) -> Done {
    let mut command = Command::new(env!("CARGO"));
    let done = command.current_dir(project).arg("test").env("CARGO_TARGET_DIR", target).output()?;
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(done.status.success(), "{said}");
    Ok(())
}

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_plugin_is_tried_built_installed_and_there_for_a_person() -> Done {
    let Made { project, said } = greeter()?;
    assert_snapshot!(said, @r"
    0 made `greeter`; next:
      cd greeter
      cargo test
      loadout plugin test
    ");
    let there = ["--component", "target/greeter.wasm"];
    assert!(loadout(project, &[&["test", "."][..], &there].concat())?.ends_with("3 cases, each as expected"));
    let checked = loadout(project, &[&["check", "."][..], &there].concat())?;
    assert_snapshot!(checked, @r#"
    0 plugin       contoso/greeter 0.1.0
    world        loadout:plugin/tool@0.1.0, and its imports are those of the world
    settings     the schema is one
    asks for     nothing
    the same     3 cases, in two processes and two time zones
    "#);
    let asked = loadout(project, &[&["run", "question.yaml"][..], &there].concat())?;
    assert!(asked.contains(r#""greeting": "Hello, Ada!""#) && asked.contains("calls to the host: 1"), "{asked}");

    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    let address = host.address("");
    let token = project.join("token");
    fs::write(&token, TOKEN)?;
    let remote = ["--host", address.as_str(), "--token-file", "token"];
    let installed = loadout(project, &[&["install", "target/greeter.wasm"][..], &remote].concat())?;
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
    let listed = loadout(project, &[&["list"][..], &remote].concat())?;
    assert!(listed.lines().any(|line| line.contains("contoso/greeter") && line.contains("0.1.0")), "{listed}");
    let traced = loadout(project, &[&["trace", "contoso/greeter"][..], &remote].concat())?;
    assert!(traced.contains("0.1.0 tool.evaluate greeter succeeded"), "{traced}");
    let denied = loadout(project, &["install", "target/greeter.wasm", "--host", &address])?;
    assert!(denied.starts_with("1 error: ") && denied.contains("answers 401"), "{denied}");
    Ok(())
}

#[test]
fn a_new_plugin_of_every_other_kind_is_tried_and_built() -> Done {
    let Made { project: first, .. } = greeter()?;
    let folder = first.parent().ok_or("a project is in a folder")?;
    let target = first.join("target");
    // The SDK of the first project: the same files, compiled already.
    let sdk = first.join("vendor/loadout/guest-sdk");
    let mut said = Vec::new();
    for (name, kind) in [("guard", "step"), ("strangers", "tool-step"), ("desks", "upgrade")] {
        assert!(loadout(folder, &["new", name, "--kind", kind, "--publisher", "contoso"])?.starts_with("0 made"));
        let project = folder.join(name);
        let package = project.join("Cargo.toml");
        let text = fs::read_to_string(&package)?;
        let shared = text.replace("vendor/loadout/guest-sdk", &sdk.display().to_string());
        assert_ne!(shared, text);
        fs::write(&package, shared)?;
        test_natively(&project, &target)?;
        let built = Guests::new(&package, target.join("component")).packages([name]).build()?;
        let plain = fs::read(&built.first().ok_or("there is a component")?.component)?;
        let imported = String::from_utf8_lossy(&plain).into_owned();
        let ours: Vec<&str> = ["context", "library", "records", "knowledge", "http", "trace"]
            .into_iter()
            .filter(|it| imported.contains(&format!("loadout:plugin/{it}@0.1.0")))
            .collect();
        let manifest = fs::read_to_string(project.join("plugin.toml"))?;
        fs::write(project.join("a.wasm"), embed_manifest(&plain, &manifest)?)?;
        said.push(format!("{kind} imports {ours:?}"));
        said.push(loadout(&project, &["check", ".", "--component", "a.wasm"])?);
        let asked = loadout(&project, &["run", "question.yaml", ".", "--component", "a.wasm"])?;
        said.extend(asked.lines().filter(|line| !line.starts_with("used ")).map(str::to_owned));
    }
    assert_snapshot!(said.join("\n"), @"");
    Ok(())
}

#[test]
fn cases_of_steps_come_out_in_the_real_engine_as_natively() -> Done {
    for plugin in loadout_plugins::ALL {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(plugin.name).join("cases");
        let bench = Workbench::open(plugin.component)?;
        if !bench.kinds().is_empty() {
            continue;
        }
        for (path, file) in CaseFile::read_all(&cases)? {
            for case in &file.cases {
                let found = bench.ask(&file, case)?.outcome;
                assert_eq!(case.expect.as_ref(), Some(&found), "{}: {}", path.display(), case.name);
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_step_answers_is_told_in_the_words_of_its_case() -> Done {
    let change = |step: &str, stage: u32, configuration: &str| {
        format!(
            "  - name: {step} {stage}
    event:
      {{ step: {step}, message: macro.update, stage: {stage}, author: ada, configuration: {configuration},
        targets: [{{ kind: macros, uniqueName: contoso_mail, values: {{ description: Mails }} }}] }}\n"
        )
    };
    let changes = [
        change("before", 20, "{ patch: { description: Mail }, share: [1] }"),
        change("before", 20, "{ patches: [{ a: 1 }, { b: 2 }] }"),
        change("before", 20, "{ reject: { message: Not so., attribute: description } }"),
        change("before", 20, "{ fail: no }"),
        change("before", 20, "{ trap: yes }"),
        change("before", 20, "{ garbage: '{' }"),
        change("after", 40, "{ patch: { description: Mail } }"),
    ];
    let question = |stage: u32, decision: &str, configuration: &str| {
        format!(
            "  - name: at {stage}
    session: {{ context: {{ customerName: Ada }} }}
    question: {{ step: at-{stage}, tool: macros, stage: {stage}, settings: {{ most: 3 }}{decision}, configuration: {configuration} }}\n"
        )
    };
    let shown = ", decision: { shown: { available: [a, b] }, items: { macros: [a, b] } }";
    let questions = [
        question(20, "", "{ patch: { most: 2 } }"),
        question(40, shown, "{ patch: { available: [a] }, items: [[macros, a]] }"),
        question(40, shown, "{ hide: Not today. }"),
        question(40, ", decision: { hidden: no-macro }", "{ patch: {} }"),
        question(40, shown, "{ fail: no }"),
    ];
    let row = |sin: &str| {
        format!("  - name: {sin}\n    page: {{ rows: [{{ table: old_desk, id: '1', values: {{ sin: {sin} }} }}] }}\n")
    };
    let rows = ["nothing", "refused", "loses", "faults", "panics"].map(row);
    let steps = [("before", "macro.update", 20), ("after", "macro.update", 40)];
    let around: [(&str, &[&str], u32, i32); 2] = [("at-20", &["macros"], 20, 0), ("at-40", &["macros"], 40, 0)];
    let mut said = Vec::new();
    for (cases, component) in [
        (changes.concat(), guests::handler(guests::CHANGES, "changes", "1.0.0", &steps)?),
        (questions.concat(), guests::tool_steps("around", "1.0.0", "", &around)?),
        (rows.concat(), guests::BAD_STEP.to_vec()),
    ] {
        let folder = with_cases(&format!("cases:\n{cases}"))?;
        fs::write(folder.path().join("a.wasm"), component)?;
        let told = loadout(folder.path(), &["test", "--component", "a.wasm"])?;
        said.extend(told.lines().filter(|line| !line.starts_with("  expected")).map(str::to_owned));
        fs::write(folder.path().join("cases/first.yaml"), "cases:\n  - name: it answers\n    settings: { a: 1 }\n")?;
        said.push(loadout(folder.path(), &["test", "--component", "a.wasm"])?);
        fs::write(folder.path().join("cases/first.yaml"), "cases:\n  - name: it answers\n")?;
        said.push(loadout(folder.path(), &["test", "--component", "a.wasm"])?);
    }
    assert_snapshot!(said.join("\n"), @"");
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
    fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
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
        fs::write(at(name), component)?;
        loadout(folder.path(), &["test", "--component", name])
    };
    let lying = manifest("greeter", "1.0.0", "scripts").replace("tool@0.1.0", "step@0.1.0");
    let said = [
        told("wrong-world.wasm", guests::WRONG_WORLD)?,
        told("no-manifest.wasm", guests::NO_MANIFEST)?,
        told("panics.wasm", guests::PANICS)?,
        told("spins.wasm", guests::SPINS_FOREVER)?,
        told("bad-json.wasm", guests::BAD_JSON)?,
        told("lies.wasm", &embed_manifest(guests::WELL_BEHAVED, &lying)?)?,
        told("text.wasm", b"(component)")?,
        loadout(folder.path(), &["build"])?,
        loadout(folder.path(), &["new", "Nice Name"])?,
        loadout(folder.path(), &["new", "cases"])?,
        loadout(folder.path(), &["new", "desks", "--kind", "upgrade", "--tool", "macros"])?,
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
    2 error: `.` is no plugin's project, it has no `Cargo.toml`: name its folder, or make one with `loadout plugin new`
    2 error: `Nice Name` cannot be the name of a plugin: use `a` to `z`, `0` to `9` and `-`, a letter first
    2 error: `cases` is there already: choose another name
    2 error: `--tool macros` means nothing for a plugin that is about no tool: leave it out
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
        fs::write(at("cases/first.yaml"), cases)?;
        let said = told("fine.wasm", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
        assert!(said.contains(expected), "{cases}: {said}");
    }
    Ok(())
}
