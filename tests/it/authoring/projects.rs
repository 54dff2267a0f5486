//! The first minutes of an author of a plugin: made, tried, built, installed, and there for a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;
use loadout::workbench::{CaseFile, Workbench};
use loadout_plugin_build::{Guests, embed_manifest};
use loadout_tests::Done;
use loadout_tests::guests::{self, manifest, rule};
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::program::plugin;

/// A folder with cases.
pub(crate) fn with_cases(cases: &str) -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("cases"))?;
    fs::write(folder.path().join("cases/first.yaml"), cases)?;
    Ok(folder)
}

/// Where projects are compiled, so that what one needed serves the next: that takes longer than all the rest.
pub(crate) fn shared_target() -> Result<PathBuf, Failure> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    fs::create_dir_all(&target)?;
    Ok(target)
}

/// Runs the tests of a project.
fn test_natively(project: &Path, target: &Path) -> Done {
    let mut command = Command::new(env!("CARGO"));
    let done = command.current_dir(project).arg("test").env("CARGO_TARGET_DIR", target).output()?;
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(done.status.success(), "{said}");
    Ok(())
}

// The command waits for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_know_the_token_says_so() -> Done {
    let host = TestHost::start().await?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?)?;
    let denied = plugin(folder.path(), &["install", "a.wasm", "--host", &host.address("")])?;
    assert!(denied.starts_with("1 error: ") && denied.contains("answers 401"), "{denied}");
    Ok(())
}

/// The kind `tool` is tried by the commands of the README.
#[test]
fn a_new_plugin_of_every_other_kind_is_tried_and_built() -> Done {
    let folder = tempfile::tempdir()?;
    let (folder, target) = (folder.path(), shared_target()?);
    // What was compiled of one SDK serves all.
    let sdk = folder.join("guard/vendor/loadout/guest-sdk");
    for (name, kind, imports, answer) in [
        ("guard", "step", &[][..], r#""proceed": {}"#),
        ("strangers", "tool-step", &["context"][..], r#""customer": "Ada""#),
        ("desks", "upgrade", &[][..], r#""state": "inactive""#),
    ] {
        let made = plugin(folder, &["new", name, "--kind", kind, "--publisher", "contoso"])?;
        let next = format!("next:\n  cd {name}\n  cargo test\n  loadout plugin test");
        assert_eq!(made, format!("0 made `{name}`; {next}"));
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
        let ours = ["context", "library", "records", "knowledge", "http", "trace"];
        let is_imported = |it: &&str| imported.contains(&format!("loadout:plugin/{it}@0.1.0"));
        assert_eq!(ours.into_iter().filter(is_imported).collect::<Vec<_>>(), imports, "{kind}");
        let manifest = fs::read_to_string(project.join("plugin.toml"))?;
        fs::write(project.join("a.wasm"), embed_manifest(&plain, &manifest)?)?;
        let there = ["--component", "a.wasm"];
        let tried = plugin(&project, &[&["test", "."][..], &there].concat())?;
        assert!(tried.starts_with("0 ") && tried.ends_with("cases, each as expected"), "{tried}");
        let checked = plugin(&project, &[&["check", "."][..], &there].concat())?;
        assert!(checked.starts_with("0 ") && checked.contains("in two processes at two places and times"), "{checked}");
        let asked = plugin(&project, &[&["run", "question.yaml", "."][..], &there].concat())?;
        assert!(asked.starts_with("0 ") && asked.contains(answer), "{asked}");
    }
    Ok(())
}

#[test]
fn cases_of_steps_come_out_in_the_real_engine_as_natively() -> Done {
    for plugin in loadout_plugins::ALL {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(plugin.name).join("cases");
        let bench = Workbench::open(plugin.component, None)?;
        if !bench.kinds().is_empty() {
            continue;
        }
        // Items of other libraries are there as far as a step reads them: an author could not write those.
        for (path, file) in CaseFile::read_all(&cases)?.into_iter().filter(|(_, file)| file.library.is_empty()) {
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
        change("before", 20, "{ fail: closed }"),
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
        question(40, shown, "{ fail: closed }"),
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
        let told = plugin(folder.path(), &["test", "--component", "a.wasm"])?;
        said.extend(told.lines().filter(|line| !line.starts_with("  expected")).map(str::to_owned));
        fs::write(folder.path().join("cases/first.yaml"), "cases:\n  - name: it answers\n    settings: { a: 1 }\n")?;
        said.push(plugin(folder.path(), &["test", "--component", "a.wasm"])?);
        fs::write(folder.path().join("cases/first.yaml"), "cases:\n  - name: it answers\n")?;
        said.push(plugin(folder.path(), &["test", "--component", "a.wasm"])?);
    }
    assert_snapshot!(said.join("\n"), @r#"
    1 first.yaml: before 20
      found    {"proceed":{"patches":{"0":{"description":"Mail"}},"shared":{"before":[1]}}}
    first.yaml: before 20
      found    {"proceed":{"patches":{"0":[{"a":1},{"b":2}]}}}
    first.yaml: before 20
      found    {"reject":"not-so","attribute":"description"}
    first.yaml: before 20
      found    {"fault":"on-purpose"}
      because  it answered with the fault `on-purpose`: closed
    first.yaml: before 20
      found    {"fault":"plugin.trapped"}
      because  it trapped: panicked at tests/guests/examples/changes.rs:22:9: it was told to
    first.yaml: before 20
      found    {"fault":"plugin.invalid-result"}
      because  its patch of target 0 is no JSON: EOF while parsing an object at line 1 column 1
    first.yaml: after 40
      found    {"fault":"plugin.invalid-result"}
      because  it patches in stage 40, when the change is made: patch in stage 10 or 20
    error: 7 of 7 cases have another outcome than they expect
    1 error: ./cases/first.yaml: it answers: the case has `settings`, which no plugin for the world `loadout:plugin/step@0.1.0` is asked about: leave it out
    1 error: ./cases/first.yaml: it answers: the case has no `event`, and a plugin for the world `loadout:plugin/step@0.1.0` is asked about one
    1 first.yaml: at 20
      found    {"proceed":{"patch":{"most":2}}}
    first.yaml: at 40
      found    {"proceed":{"patch":{"available":["a"]},"items":{"macros":["a"]}}}
    first.yaml: at 40
      found    {"hide":"not-so"}
    first.yaml: at 40
      found    {"fault":"plugin.invalid-result"}
      because  it changes what is shown of a tool that is hidden: look at `decision` first
    first.yaml: at 40
      found    {"fault":"on-purpose"}
      because  it answered with the fault `on-purpose`: closed
    error: 5 of 5 cases have another outcome than they expect
    1 error: ./cases/first.yaml: it answers: the case has `settings`, which no plugin for the world `loadout:plugin/tool-step@0.1.0` is asked about: leave it out
    1 error: ./cases/first.yaml: it answers: the case has no `question`, and a plugin for the world `loadout:plugin/tool-step@0.1.0` is asked about one
    1 first.yaml: nothing
      found    {"upserts":[{"kind":"queues","name":"desk 1","item":{"name":"desk 1"},"sources":["old_desk/1"]}]}
    first.yaml: refused
      found    {"quarantine":["old_desk/1: refused: nobody sits there"]}
    first.yaml: loses
      found    {"fault":"step.lost-row"}
      because  it neither used nor quarantined `old_desk/1`, which was on its page
    first.yaml: faults
      found    {"fault":"no-desk"}
      because  it answered with the fault `no-desk`: this is no desk
    first.yaml: panics
      found    {"fault":"plugin.trapped"}
      because  it trapped: panicked at tests/guests/examples/bad_step.rs:24:25: the desk fell over
    error: 5 of 5 cases have another outcome than they expect
    1 error: ./cases/first.yaml: it answers: the case has `settings`, which no plugin for the world `loadout:plugin/upgrade@0.1.0` is asked about: leave it out
    1 error: ./cases/first.yaml: it answers: the case has no `page`, and a plugin for the world `loadout:plugin/upgrade@0.1.0` is asked about one
    "#);
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
    assert_snapshot!(plugin(folder.path(), &["test", "--component", "a.wasm"])?, @r#"
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
        plugin(folder.path(), &["test", "--component", name])
    };
    let checked = |name: &str, component: &[u8]| -> Result<String, Failure> {
        fs::write(at(name), component)?;
        let said = plugin(folder.path(), &["check", "--component", name])?;
        // What they answered is long.
        Ok(said.split_once("error: ").map_or(said.as_str(), |(_, error)| error).lines().next().unwrap_or("").to_owned())
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
        checked("clock.wasm", &rule(guests::LOOKS_AT_THE_CLOCK, "clock", "1.0.0", "scripts")?)?,
        checked("lots.wasm", &rule(guests::DRAWS_LOTS, "lots", "1.0.0", "scripts")?)?,
        checked("shuffles.wasm", &rule(guests::SHUFFLES, "shuffles", "1.0.0", "scripts")?)?,
        plugin(folder.path(), &["build"])?,
        plugin(folder.path(), &["new", "Nice Name"])?,
        plugin(folder.path(), &["new", "cases"])?,
        plugin(folder.path(), &["new", "desks", "--kind", "upgrade", "--tool", "macros"])?,
        plugin(folder.path(), &["install", "text.wasm", "--token-file", "nowhere"])?,
    ];
    assert_snapshot!(said.join("\n"), @r#"
    1 error: `wrong-world.wasm` is refused: its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports `loadout:plugin/upgrade-step@0.1.0`: say in `plugin.toml` which world it is built for
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
    the same case has two outcomes at two times: look for a clock, random numbers or the order of a hash map, and go by what the session and the library say
    the same case has two outcomes at two times: look for a clock, random numbers or the order of a hash map, and go by what the session and the library say
    the same case has two outcomes at two times: look for a clock, random numbers or the order of a hash map, and go by what the session and the library say
    2 error: `.` is no plugin's project, it has no `Cargo.toml`, `requirements.txt` or `package.json`: name its folder, or make one with `loadout plugin new`
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
        ("cases:\n  - name: x\n  - name: y\n    page: { rows: [] }\n", "the case has `page`"),
    ] {
        fs::write(at("cases/first.yaml"), cases)?;
        let said = told("fine.wasm", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
        assert!(said.contains(expected), "{cases}: {said}");
        let said = plugin(folder.path(), &["check", "--component", "fine.wasm"])?;
        assert!(said.starts_with("1 ") && said.contains(expected), "{cases}: {said}");
    }
    Ok(())
}
