//! The same rules in Rust, Python and JavaScript: made, tried, built and installed by the same commands, with the same
//! answers.
//!
//! `LOADOUT_TEST_LANGUAGES=python,javascript` says whose tools can be installed here; the others are not tried.
//! `.ci/run` finds out.

use std::fs;
use std::os::unix::fs::symlink;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::{Failure, TOKEN, TestHost, compiled, share_compiled};
use loadout_tests::program::{Ended, plugin_command};
use loadout_tests::skipped::skipped;
use serde_json::json;

use super::projects::shared_target;

/// The kinds whose components are asked. Compiling the runtime of a language takes a compiler that is not optimised
/// most of a minute.
const ASKED: [&str; 3] = ["tool", "step", "upgrade"];

/// The kinds whose components are made and looked over only.
const MADE: [&str; 1] = ["tool-step"];

/// A language, the folder of its packages, and what asks a rule natively.
type Tried = (&'static str, &'static str, &'static [&'static str]);

const LANGUAGES: [Tried; 2] =
    [("python", ".venv", &["python3", "-m", "unittest"]), ("javascript", "node_modules", &["npm", "test", "--silent"])];

/// What a command of `loadout plugin` that succeeds says.
fn loadout(folder: &Path, arguments: &[&str]) -> Result<Ended, Failure> {
    Ended::well(&mut plugin_command(folder, arguments)?)
}

/// The languages whose tools can be installed here. One that is not known is a mistake, and would not be tried without
/// a word.
fn languages() -> Result<Vec<Tried>, Failure> {
    let named = std::env::var("LOADOUT_TEST_LANGUAGES").unwrap_or_default();
    let named: Vec<&str> = named.split(',').filter(|name| !name.is_empty()).collect();
    let known = LANGUAGES.map(|(language, ..)| language);
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        return Err(format!("`LOADOUT_TEST_LANGUAGES` names `{unknown}`: `{}` are known", known.join("`, `")).into());
    }
    let (tried, left): (Vec<Tried>, Vec<Tried>) = LANGUAGES.into_iter().partition(|(name, ..)| named.contains(name));
    for (language, ..) in left {
        skipped(&format!("plugins in {language} are not tried: `LOADOUT_TEST_LANGUAGES` does not name it"));
    }
    Ok(tried)
}

/// Makes the project of a kind in a language.
fn made(folder: &Path, kind: &str, language: &str) -> Result<PathBuf, Failure> {
    let place = format!("{kind}/{language}");
    let about: &[&str] = if kind.starts_with("tool") { &["--tool", "greeter"] } else { &[] };
    let new = ["new", &place, "--kind", kind, "--lang", language, "--publisher", "contoso"];
    loadout(folder, &[&new[..], about].concat())?;
    let project = folder.join(place);
    fs::create_dir(project.join("target"))?;
    let further = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("cases/languages/{kind}.yaml"));
    if further.is_file() {
        fs::copy(further, project.join("cases/second.yaml"))?;
    }
    Ok(project)
}

/// The outcome of every case of the component in a project, as one line of JSON each.
fn outcomes(project: &Path, language: &str) -> Result<String, Failure> {
    let component = format!("target/{language}.wasm");
    // The cases that expect nothing make it fail, which is not the question here.
    let ended = Ended::of(&mut plugin_command(project, &["test", ".", "--json", "--component", &component])?)?;
    Ok(ended.out)
}

/// What the plugin of a kind answers in Rust.
fn in_rust(folder: &Path, kind: &str) -> Result<String, Failure> {
    let project = made(folder, kind, "rust")?;
    let compiled = shared_target()?.join("component");
    fs::create_dir_all(&compiled)?;
    symlink(compiled, project.join("target/component"))?;
    loadout(&project, &["build"])?;
    outcomes(&project, "rust")
}

/// Tries every kind in a language, natively and as a component whose compiled code is kept in `cache`.
fn in_language(folder: &Path, (language, packages, natively): Tried, cache: &Path, expected: &[String]) -> Done {
    let kinds = ASKED.into_iter().zip(expected.iter().map(Some)).chain(MADE.map(|kind| (kind, None)));
    for (kind, expected) in kinds {
        let project = made(folder, kind, language)?;
        symlink(cache, project.join("target/compiled"))?;
        let first = folder.join(ASKED[0]).join(language);
        let installed = first.join(packages).is_dir();
        if installed {
            symlink(first.join(packages), project.join(packages))?;
        }
        Ended::well(Command::new(natively[0]).args(&natively[1..]).current_dir(&project))?;
        let Ended { out: told, error: said, .. } = loadout(&project, &["build"])?;
        assert!(
            told.contains(&format!("plugin     contoso/{language} 0.1.0\nworld      loadout:plugin/{kind}@0.1.0\n"))
        );
        assert_eq!(!said.contains("making `"), installed, "{kind} in {language}: {said}");
        let Some(expected) = expected else { continue };
        assert_eq!(outcomes(&project, language)?, *expected, "{kind} in {language}");
        let checked = loadout(&project, &["check", ".", "--component", &format!("target/{language}.wasm")])?.out;
        let same = format!("{} cases, in two processes at two places and times\n", expected.lines().count());
        assert!(checked.ends_with(&same), "{kind} in {language}: {checked}");
    }
    Ok(())
}

/// Of every kind the native tests pass and a component is made that fits its world. Those for tools, for steps in
/// changes and for upgrades answer in the real engine, byte by byte and in two processes, as the one in Rust; the one
/// for tools decides on a host.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_rule_in_another_language_decides_the_same() -> Done {
    let languages = languages()?;
    if languages.is_empty() {
        return Ok(());
    }
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    share_compiled(data.path())?;
    let cache = data.path().join("cache");
    let expected = ASKED.map(|kind| in_rust(folder.path(), kind));
    let expected = expected.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_snapshot!(expected.concat(), @r#"
    {"file":"first.yaml","case":"a customer who is known is greeted","asExpected":true,"outcome":{"shown":{"greeting":"Good day, Ada."}}}
    {"file":"first.yaml","case":"without a name nobody is greeted","asExpected":true,"outcome":{"hidden":"no-customer"}}
    {"file":"first.yaml","case":"a setting that nobody knows is refused","asExpected":true,"outcome":{"fault":"bad-settings"}}
    {"file":"second.yaml","case":"words of every script and what JSON escapes","asExpected":false,"outcome":{"shown":{"greeting":"Grüß Gott, Zoë \"Žižek\" 李\n\t\u0007😀</script> Zoë \"Žižek\" 李\n\t\u0007😀</script>"}}}
    {"file":"second.yaml","case":"no slug at all","asExpected":false,"outcome":{"shown":{"greeting":""}}}
    {"file":"second.yaml","case":"a slug nobody knows","asExpected":false,"outcome":{"hidden":"no-customer"}}
    {"file":"second.yaml","case":"another type","asExpected":false,"outcome":{"fault":"bad-settings"}}
    {"file":"second.yaml","case":"no value","asExpected":false,"outcome":{"fault":"bad-settings"}}
    {"file":"first.yaml","case":"a description that says something may stay","asExpected":true,"outcome":{"proceed":{}}}
    {"file":"first.yaml","case":"blanks around it are taken away","asExpected":true,"outcome":{"proceed":{"patches":{"0":{"description":"Cards and accounts"}}}}}
    {"file":"first.yaml","case":"nobody takes it away","asExpected":true,"outcome":{"reject":"no-purpose","attribute":"description"}}
    {"file":"first.yaml","case":"a setting that nobody knows is refused","asExpected":true,"outcome":{"fault":"bad-configuration"}}
    {"file":"second.yaml","case":"characters are counted, not bytes","asExpected":false,"outcome":{"proceed":{}}}
    {"file":"second.yaml","case":"one character too few","asExpected":false,"outcome":{"reject":"no-purpose","attribute":"description"}}
    {"file":"second.yaml","case":"of several profiles, the one that is untidy","asExpected":false,"outcome":{"proceed":{"patches":{"1":{"description":"\"Cards\"\n\t</script>"}}}}}
    {"file":"second.yaml","case":"nothing but blanks","asExpected":false,"outcome":{"proceed":{"patches":{"0":{"description":""}}}}}
    {"file":"second.yaml","case":"another type","asExpected":false,"outcome":{"fault":"bad-configuration"}}
    {"file":"second.yaml","case":"less than nothing","asExpected":false,"outcome":{"fault":"bad-configuration"}}
    {"file":"second.yaml","case":"no value","asExpected":false,"outcome":{"fault":"bad-configuration"}}
    {"file":"first.yaml","case":"a desk becomes a queue, and what nobody reads is kept","asExpected":true,"outcome":{"upserts":[{"kind":"queues","name":"Night desk","item":{"name":"Night desk","description":"After ten","source":{"attributes":{"contoso_floor":"3"}}},"sources":["contoso_desk/1"]}]}}
    {"file":"first.yaml","case":"a desk without a name is kept out, with the reason","asExpected":true,"outcome":{"quarantine":["contoso_desk/2: value-missing: `contoso_name` has no value, and it is required"]}}
    {"file":"second.yaml","case":"all there is to keep","asExpected":false,"outcome":{"upserts":[{"kind":"queues","name":"Zoë \"Žižek\" 李\n\t😀","item":{"name":"Zoë \"Žižek\" 李\n\t😀","state":"inactive","source":{"id":"aec047f0-0dae-e911-a984-000d3a33efbc","managed":true,"attributes":{"contoso_floor":"3","contoso_room":"7","contoso_zone":"9"}}},"sources":["contoso_desk/aec047f0-0dae-e911-a984-000d3a33efbc"]}]}}
    {"file":"second.yaml","case":"no name, and a character too many, none of which has one byte","asExpected":false,"outcome":{"quarantine":["contoso_desk/1: value-missing: `contoso_name` has no value, and it is required","contoso_desk/2: value-too-long: `contoso_name` has 101 characters, 100 are allowed: shorten it"]}}
    {"file":"second.yaml","case":"no rows","asExpected":false,"outcome":{}}
    "#);
    thread::scope(|scope| {
        let (folder, cache, expected) = (folder.path(), &cache, &expected);
        let start = |tried: &Tried| {
            let tried = *tried;
            scope.spawn(move || in_language(folder, tried, cache, expected))
        };
        let started: Vec<_> = languages.iter().map(start).collect();
        started.into_iter().try_for_each(|language| language.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;

    // The host takes what the commands compiled for its own.
    fs::copy(compiled().join("key"), cache.join("key"))?;
    let host = TestHost::with_platform_in(data).await?;
    fs::write(folder.path().join("token"), TOKEN)?;
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter", "withoutRule": "show"});
    assert_eq!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status, 201);
    let tools = json!({"productivityPane": {"tools": [{"tool": "contoso_greeter"}]}});
    assert_eq!(host.patch("/api/v1/profiles/contoso_rep", tools).await?.status, 200);
    for (language, ..) in &languages {
        let component = format!("tool/{language}/target/{language}.wasm");
        let remote = ["--host", &host.address(""), "--token-file", "token"];
        let installed = loadout(folder.path(), &[&["install", &component][..], &remote].concat())?.out;
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

/// What building the project in a folder says, with these programs before all others.
fn said_by_build(project: &Path, path: &str) -> Result<String, Failure> {
    Ok(Ended::of(plugin_command(project, &["build"])?.env("PATH", path))?.error)
}

#[test]
fn packages_are_installed_again_when_others_are_named() -> Done {
    let folder = tempfile::tempdir()?;
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tools");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH")?);
    let mut said = String::new();
    let refused = ("\"private\": true", "\"version\": \"0.2.0\"");
    for (language, named, (before, after)) in [
        ("python", "requirements.txt", ("\n", "\n\n")),
        ("javascript", "package-lock.json", ("\n", "\n\n")),
        ("javascript", "package.json", refused),
    ] {
        let folder = folder.path().join(named);
        fs::create_dir(&folder)?;
        let project = made(&folder, "tool", language)?;
        for builds in ["once", "again"] {
            said += &format!("{named} {builds}\n{}", said_by_build(&project, &path)?);
        }
        let text = fs::read_to_string(project.join(named))?;
        fs::write(project.join(named), text.replacen(before, after, 1))?;
        for builds in ["changed", "again"] {
            said += &format!("{named} {builds}\n{}", said_by_build(&project, &path)?);
        }
    }
    assert_snapshot!(said, @"
    requirements.txt once
    making `.venv` with what `requirements.txt` names
    error: `componentize-py` failed (exit status: 7), and said above why
    requirements.txt again
    error: `componentize-py` failed (exit status: 7), and said above why
    requirements.txt changed
    other packages are named than before: making `.venv` again with what `requirements.txt` names
    error: `componentize-py` failed (exit status: 7), and said above why
    requirements.txt again
    error: `componentize-py` failed (exit status: 7), and said above why
    package-lock.json once
    making `node_modules` with what `package-lock.json` names
    npm ci --ignore-scripts --no-audit --no-fund --loglevel error
    error: `componentize-js` failed (exit status: 7), and said above why
    package-lock.json again
    error: `componentize-js` failed (exit status: 7), and said above why
    package-lock.json changed
    other packages are named than before: making `node_modules` again with what `package-lock.json` names
    npm ci --ignore-scripts --no-audit --no-fund --loglevel error
    error: `componentize-js` failed (exit status: 7), and said above why
    package-lock.json again
    error: `componentize-js` failed (exit status: 7), and said above why
    package.json once
    making `node_modules` with what `package-lock.json` names
    npm ci --ignore-scripts --no-audit --no-fund --loglevel error
    error: `componentize-js` failed (exit status: 7), and said above why
    package.json again
    error: `componentize-js` failed (exit status: 7), and said above why
    package.json changed
    other packages are named than before: making `node_modules` again with what `package-lock.json` names
    npm ci --ignore-scripts --no-audit --no-fund --loglevel error
    package.json and package-lock.json are not in sync
    `npm ci` did not take `package-lock.json` as it is: completing it with `npm install`
    npm install --ignore-scripts --no-audit --no-fund --loglevel error
    error: `componentize-js` failed (exit status: 7), and said above why
    package.json again
    error: `componentize-js` failed (exit status: 7), and said above why
    ");
    Ok(())
}

#[test]
fn a_tool_that_is_missing_is_named_with_what_to_install() -> Done {
    let folder = tempfile::tempdir()?;
    let nowhere = folder.path().display().to_string();
    let said = ["python", "javascript"].map(|language| -> Result<String, Failure> {
        said_by_build(&made(folder.path(), "tool", language)?, &nowhere)
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
