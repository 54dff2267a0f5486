//! The served document as other programs read it: a validator says nothing of it, a client made from it asks for what people get, and
//! a program that sends whatever the document allows, and much that it does not, finds nothing that is not so.
//!
//! `LOADOUT_TEST_CONTRACT` names a Python environment with `contract-check/requirements.txt`; without it nothing is tried. `.ci/run`
//! makes one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use loadout_tests::archive::{pack, root};
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, TOKEN, TestHost};

type Done = Result<(), Failure>;

/// What is sent, and the seed it follows from: every bound of every schema once, and whatever chance makes of them three times.
const RUNS: [(&str, u32); 4] =
    [("examples,coverage", 1), ("fuzzing,stateful", 1), ("fuzzing,stateful", 2), ("fuzzing,stateful", 3)];

/// The folder with the programs of the environment, if there is one.
#[expect(clippy::print_stderr, reason = "what was not tried should not pass for what was")]
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("LOADOUT_TEST_CONTRACT").filter(|named| !named.is_empty());
    if named.is_none() {
        eprintln!("the document is not read by other programs: `LOADOUT_TEST_CONTRACT` names no environment");
    }
    named.map(|folder| Path::new(&folder).join("bin"))
}

fn settings(file: &str) -> PathBuf {
    root().join("tests/contract-check").join(file)
}

/// Runs a program to its end, and gives what it said. It must succeed.
fn run(command: &mut Command) -> Result<String, Failure> {
    finished(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

fn finished(child: Child) -> Result<String, Failure> {
    let done = child.wait_with_output()?;
    let [out, said] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "{out}{said}");
    Ok(out + &said)
}

/// A server with the sample, and the file with its document.
async fn served(folder: &Path) -> Result<(TestHost, PathBuf), Failure> {
    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
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
        let child = send.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        running.push((child, host, folder));
    }
    for (child, _host, _folder) in running {
        finished(child)?;
    }
    Ok(())
}
