//! The served document as other programs read it: a validator says nothing of it, a client made from it asks for what
//! people get, and a program that sends whatever the document allows, and much that it does not, finds nothing that is
//! not so.
//!
//! `LOADOUT_TEST_CONTRACT` names a Python environment with `contract-check/requirements.txt`, and
//! `LOADOUT_TEST_CONTRACT_NODE` a folder with `contract-check/package.json` installed in it. What is not named is not
//! tried, and a line says so. `.ci/run` makes both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use loadout_tests::Done;
use loadout_tests::archive::{pack, root};
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, TOKEN, TestHost};
use loadout_tests::skipped::skipped;

/// What is sent, and the seed it follows from: every bound of every schema once, and whatever chance makes of them
/// three times.
const RUNS: [(&str, u32); 4] =
    [("examples,coverage", 1), ("fuzzing,stateful", 1), ("fuzzing,stateful", 2), ("fuzzing,stateful", 3)];

/// What a variable of the environment names, if it names something.
fn named(variable: &str, what: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|named| !named.is_empty());
    if named.is_none() {
        skipped(&format!("{what} is not tried: `{variable}` names no folder"));
    }
    named.map(PathBuf::from)
}

/// The folder with the programs of the Python environment, if there is one.
fn programs() -> Option<PathBuf> {
    named("LOADOUT_TEST_CONTRACT", "the document with programs in Python").map(|folder| folder.join("bin"))
}

fn settings(file: &str) -> PathBuf {
    root().join("tests/contract-check").join(file)
}

/// Runs a program to its end, and gives what it said. It must succeed.
fn run(command: &mut Command) -> Result<String, Failure> {
    let done = command.output()?;
    let [out, said] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "{out}{said}");
    Ok(out + &said)
}

/// A server with the sample, and the file with its document.
async fn served(folder: &Path) -> Result<(TestHost, PathBuf), Failure> {
    let host = TestHost::with_platform().await?;
    let document = folder.join("openapi.json");
    fs::write(&document, host.get("/openapi.json").await?.text)?;
    Ok((host, document))
}

/// Archives and components that are sent, whole and damaged.
fn write_bodies(folder: &Path) -> Done {
    let archives = ["tailspin", "wingtip"].map(|name| (name, pack(&root().join("tests/fixtures").join(name))));
    for (name, archive) in archives {
        let archive = archive?;
        fs::write(folder.join(format!("{name}.zip")), &archive)?;
        fs::write(folder.join(format!("{name}-cut.zip")), &archive[..archive.len() / 2])?;
    }
    fs::write(folder.join("nothing.zip"), b"")?;
    let component = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    fs::write(folder.join("whole.wasm"), &component)?;
    fs::write(folder.join("cut.wasm"), &component[..component.len() / 2])?;
    fs::write(folder.join("text.wasm"), b"(module)")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_says_nothing_of_the_document() -> Done {
    let Some(programs) = programs() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let (_host, document) = served(folder.path()).await?;
    let said = run(Command::new(programs.join("openapi-spec-validator")).arg(&document))?;
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_made_from_the_document_asks_for_what_people_get() -> Done {
    let Some(programs) = programs() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let (host, document) = served(folder.path()).await?;
    let client = folder.path().join("client");
    let mut generate = Command::new(programs.join("openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--fail-on-warning", "--path"]).arg(&document);
    generate.arg("--config").arg(settings("client.yaml")).arg("--output-path").arg(client.join("loadout_client"));
    fs::create_dir(&client)?;
    run(&mut generate)?;
    let mut ask = Command::new(programs.join("python"));
    ask.arg(settings("ask.py")).args([&host.address(""), TOKEN]).env("PYTHONPATH", &client);
    assert_eq!(run(&mut ask)?, "contoso_rep role-based True True\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_typescript_suits_its_types_and_asks_for_what_people_get() -> Done {
    let modules = named("LOADOUT_TEST_CONTRACT_NODE", "the document with a client in TypeScript");
    let Some(modules) = modules.map(|folder| folder.join("node_modules")) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let (host, document) = served(folder.path()).await?;
    for file in ["ask.ts", "tsconfig.json", "package.json"] {
        fs::copy(settings(file), folder.path().join(file))?;
    }
    std::os::unix::fs::symlink(&modules, folder.path().join("node_modules"))?;
    let program = |name: &str| {
        let mut program = Command::new(modules.join(".bin").join(name));
        program.current_dir(folder.path());
        program
    };
    run(program("openapi-typescript").arg(&document).args(["--output", "schema.d.ts"]))?;
    run(&mut program("tsc"))?;
    let mut ask = Command::new("node");
    ask.current_dir(folder.path()).args(["out/ask.js", &host.address(""), TOKEN]);
    assert_eq!(run(&mut ask)?, "contoso_rep role-based true true\n");
    Ok(())
}

/// A program that sends requests. It ends with the test that started it.
struct Sender(Child);

impl Drop for Sender {
    fn drop(&mut self) {
        // One that has ended cannot be ended again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A message that ends the test is what schemathesis said.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_document_allows_is_answered_as_it_says() -> Done {
    let Some(programs) = programs() else { return Ok(()) };
    let mut running = Vec::new();
    for (phases, seed) in RUNS {
        let folder = tempfile::tempdir()?;
        let (host, document) = served(folder.path()).await?;
        write_bodies(folder.path())?;
        let mut send = Command::new(programs.join("schemathesis"));
        send.arg("--config-file").arg(settings("schemathesis.toml")).arg("run").arg(&document);
        send.args(["--url", &host.address(""), "--header", &format!("Authorization: Bearer {TOKEN}")]);
        send.args(["--phases", phases, "--checks", "all", "--no-color", "--warnings", "off"]);
        send.args(["--seed", &seed.to_string()]);
        send.env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PYTHONPATH", settings(""))
            .env("LOADOUT_CONTRACT_BODIES", folder.path());
        let said = folder.path().join("said.txt");
        let out = fs::File::create(&said)?;
        send.current_dir(folder.path()).stdout(out.try_clone()?).stderr(out);
        running.push((Sender(send.spawn()?), said, host, folder));
    }
    for (sender, said, _host, _folder) in &mut running {
        let done = sender.0.wait()?;
        assert!(done.success(), "{}", fs::read_to_string(said)?);
    }
    Ok(())
}
