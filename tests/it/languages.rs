//! The same rule in Rust, Python and JavaScript: made, tried, built and installed by the same commands, with the same answers.
//!
//! `LOADOUT_TEST_LANGUAGES=python,javascript` says whose tools can be installed here; the others are not tried. `.ci/run` finds out.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use loadout_tests::host::{Failure, TOKEN, TestHost, share_compiled};
use serde_json::json;

type Done = Result<(), Failure>;

/// What the rule is asked besides what its template has.
const CASES: &str = "
cases:
  - name: words of every script and what JSON escapes
    session: { channel: voice, context: { customerName: \"Zoë \\\"Žižek\\\" 李\\n\\t\\u0007😀</script>\" } }
    settings: { words: \"Grüß Gott, {customerName} {customerName}\" }
  - name: no slug at all
    settings: { words: \"\" }
  - name: a slug nobody knows
    settings: { words: \"{nobody}\" }
  - name: another type
    settings: { words: 7 }
  - name: no value
    settings: { words: null }
";

fn run(command: &mut Command) -> Result<(String, String), Failure> {
    let done = command.output()?;
    let [out, said] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "{command:?}: {out}{said}");
    Ok((out, said))
}

fn loadout(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadout-under-test"));
    command.current_dir(folder).env("LOADOUT_TOKEN", "nobody's").env_remove("RUST_LOG");
    Ok(run(command.arg("plugin").args(arguments))?.0)
}

/// Whether the tools of a language can be installed here.
#[expect(clippy::print_stderr, reason = "what was not tried should not pass for what was")]
fn can_be_installed(language: &str) -> bool {
    let named = std::env::var("LOADOUT_TEST_LANGUAGES").unwrap_or_default();
    let there = named.split(',').any(|name| name == language);
    if !there {
        eprintln!("plugins in {language} are not tried: `LOADOUT_TEST_LANGUAGES` does not name it");
    }
    there
}

/// Makes and builds the project of a language, whose compiled code is kept in `cache`.
fn built(folder: &Path, language: &str, natively: &[&str], cache: &Path) -> Done {
    loadout(folder, &["new", language, "--lang", language, "--publisher", "contoso", "--tool", "greeter"])?;
    let project = folder.join(language);
    std::fs::create_dir(project.join("target"))?;
    std::os::unix::fs::symlink(cache, project.join("target/compiled"))?;
    std::fs::write(project.join("cases/second.yaml"), CASES)?;
    run(Command::new(natively[0]).args(&natively[1..]).current_dir(&project))?;
    let told = loadout(&project, &["build"])?;
    assert!(told.contains(&format!("plugin     contoso/{language} 0.1.0")), "{told}");
    Ok(())
}

/// The outcome of every case, as one line of JSON each.
fn outcomes(folder: &Path, language: &str) -> Result<String, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadout-under-test"));
    let component = format!("target/{language}.wasm");
    command.args(["plugin", "test", ".", "--json", "--component", &component]).current_dir(folder.join(language));
    // The cases that expect nothing make it fail, which is not the question here.
    let done = command.output()?;
    Ok(String::from_utf8(done.stdout)?)
}

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_rule_in_another_language_decides_the_same() -> Done {
    let languages = [("python", ["python3", "-m", "unittest"]), ("javascript", ["npm", "test", "--silent"])];
    let languages: Vec<_> = languages.into_iter().filter(|(language, _)| can_be_installed(language)).collect();
    if languages.is_empty() {
        return Ok(());
    }
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    share_compiled(data.path())?;
    let cache = data.path().join("cache");
    built(folder.path(), "rust", &["true"], &cache)?;
    let expected = outcomes(folder.path(), "rust")?;
    assert_snapshot!(expected, @r#"
    {"file":"first.yaml","case":"a customer who is known is greeted","asExpected":true,"outcome":{"shown":{"greeting":"Good day, Ada."}}}
    {"file":"first.yaml","case":"without a name nobody is greeted","asExpected":true,"outcome":{"hidden":"no-customer"}}
    {"file":"first.yaml","case":"a setting that nobody knows is refused","asExpected":true,"outcome":{"fault":"bad-settings"}}
    {"file":"second.yaml","case":"words of every script and what JSON escapes","asExpected":false,"outcome":{"shown":{"greeting":"Grüß Gott, Zoë \"Žižek\" 李\n\t\u0007😀</script> Zoë \"Žižek\" 李\n\t\u0007😀</script>"}}}
    {"file":"second.yaml","case":"no slug at all","asExpected":false,"outcome":{"shown":{"greeting":""}}}
    {"file":"second.yaml","case":"a slug nobody knows","asExpected":false,"outcome":{"hidden":"no-customer"}}
    {"file":"second.yaml","case":"another type","asExpected":false,"outcome":{"fault":"bad-settings"}}
    {"file":"second.yaml","case":"no value","asExpected":false,"outcome":{"fault":"bad-settings"}}
    "#);
    for (language, natively) in &languages {
        built(folder.path(), language, natively, &cache)?;
        assert_eq!(outcomes(folder.path(), language)?, expected, "in {language}");
        let component = format!("target/{language}.wasm");
        let checked = loadout(&folder.path().join(language), &["check", ".", "--component", &component])?;
        assert!(checked.ends_with("8 cases, in two processes and two time zones\n"), "{checked}");
    }

    let host = TestHost::with_platform_in(data, Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    std::fs::write(folder.path().join("token"), TOKEN)?;
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter"});
    assert_eq!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status, 201);
    let tools = json!({"productivityPane": {"tools": [{"tool": "contoso_greeter"}]}});
    assert_eq!(host.patch("/api/v1/profiles/contoso_rep", tools).await?.status, 200);
    for (language, _) in &languages {
        let component = format!("{language}/target/{language}.wasm");
        let remote = ["--host", &host.address(""), "--token-file", "token"];
        let installed = loadout(folder.path(), &[&["install", &component][..], &remote].concat())?;
        assert!(installed.contains("serves     0.1.0"), "{installed}");
        let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
        let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
        let answer = host.post("/api/v1/experience", question).await?.json();
        let tool = &answer["productivityPane"]["tools"][0];
        assert_eq!(tool["payload"], json!({"greeting": "Good day, Ada."}), "in {language}: {answer}");
        // Only one plugin may decide about a kind.
        let off = json!({"state": "inactive"});
        assert_eq!(host.put(&format!("/api/v1/plugins/contoso/{language}/state"), off).await?.status, 200);
    }
    Ok(())
}

#[test]
fn a_tool_that_is_missing_is_named_with_what_to_install() -> Done {
    let folder = tempfile::tempdir()?;
    let said = [("python", "python3"), ("javascript", "npm")].map(|(language, _)| -> Result<String, Failure> {
        loadout(folder.path(), &["new", language, "--lang", language])?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadout-under-test"));
        command.args(["plugin", "build"]).current_dir(folder.path().join(language)).env("PATH", folder.path());
        let done = command.output()?;
        Ok(String::from_utf8(done.stderr)?)
    });
    let said = said.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_snapshot!(said.concat(), @"
    making `.venv` with what `requirements.txt` names
    error: `python3` is not there: install Python 3.10 or later, with its module `venv`
    making `node_modules` with what `package-lock.json` names
    error: `npm` is not there: install Node.js 20 or later, with npm
    ");
    Ok(())
}
