//! A component that is damaged or gone keeps nothing else from working, and never passes for what it was.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use loadout::plugin::Loader;
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

const PLUGIN: &str = "/api/v1/plugins/tests/well-behaved";

fn version(version: &str) -> Result<Vec<u8>, Failure> {
    rule(guests::WELL_BEHAVED, "well-behaved", version, "well-behaved")
}

/// A data folder in which kayla has a tool of a plugin with two versions, and what she gets. The second version serves.
async fn prepared() -> Result<(TempDir, Value), Failure> {
    let host = TestHost::with_platform().await?;
    for number in ["1.0.0", "1.1.0"] {
        assert_eq!(host.install("", &version(number)?).await?.status, 201);
    }
    let tool = json!({"name": "WB", "kind": "well-behaved", "control": "tests.WB"});
    assert_eq!(host.put("/api/v1/pane-tools/tests_wb", tool).await?.status, 201);
    let tools = host.get("/api/v1/profiles/contoso_rep").await?.json()["productivityPane"]["tools"].clone();
    let tools: Vec<Value> = tools.as_array().cloned().unwrap_or_default();
    assert!(tools.len() > 2, "the profile has other tools: {tools:?}");
    let tools = [tools, vec![json!({"tool": "tests_wb"})]].concat();
    let placed = host.patch("/api/v1/profiles/contoso_rep", json!({"productivityPane": {"tools": tools}})).await?;
    assert_eq!(placed.status, 200, "{placed}");
    let answer = experience(&host).await?;
    assert_eq!(tool_of(&answer)["status"], "shown", "{answer}");
    Ok((host.stop_and_keep().await?, answer))
}

async fn experience(host: &TestHost) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", question).await?;
    assert_eq!(answer.status, 200, "{answer}");
    Ok(answer.json())
}

/// The tool of the plugin in an answer.
fn tool_of(answer: &Value) -> Value {
    let tools = answer["productivityPane"]["tools"].as_array().into_iter().flatten();
    tools.clone().find(|tool| tool["tool"] == "well-behaved").cloned().unwrap_or_default()
}

/// An answer without that tool and its warning, and without what says that it is another answer.
fn rest_of(answer: &Value) -> Value {
    let mut rest = answer.clone();
    if let Some(tools) = rest.pointer_mut("/productivityPane/tools").and_then(Value::as_array_mut) {
        tools.retain(|tool| tool["tool"] != "well-behaved");
    }
    if let Some(warnings) = rest["warnings"].as_array_mut() {
        let is_of_tool =
            |warning: &Value| warning["message"].as_str().is_some_and(|it| it.contains("tool `well-behaved`"));
        warnings.retain(|warning| !is_of_tool(warning));
    }
    if let Some(all) = rest.as_object_mut() {
        all.retain(|key, _| key != "decisionId" && key != "revision");
    }
    rest
}

fn copy(folder: &Path) -> Result<TempDir, Failure> {
    let copy = tempfile::tempdir()?;
    fs::create_dir(copy.path().join("cache"))?;
    for part in ["", "cache"] {
        for entry in fs::read_dir(folder.join(part))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), copy.path().join(part).join(entry.file_name()))?;
            }
        }
    }
    Ok(copy)
}

/// The files of compiled code, each with what it holds.
fn compiled(folder: &Path) -> Result<Vec<(std::path::PathBuf, Vec<u8>)>, Failure> {
    let files = fs::read_dir(folder.join("cache"))?.map(|entry| Ok(entry?.path()));
    let files = files.collect::<Result<Vec<_>, Failure>>()?;
    let code = files.into_iter().filter(|file| file.extension().is_some_and(|it| it == "compiled"));
    code.map(|file| Ok((file.clone(), fs::read(file)?))).collect()
}

/// What happens to a component that serves while its host is off.
enum Damage {
    /// A byte in its middle is another, and its compiled code is gone.
    FlippedByte,
    /// A text is another, so that it is still a component, and its compiled code is gone.
    ChangedText,
    /// Another text, beside code that was compiled of what it was.
    ChangedTextBesideCode,
    /// Its row is gone, and its compiled code is not.
    NoRow,
}

impl Damage {
    fn happen(&self, folder: &Path) -> Done {
        let component = version("1.1.0")?;
        let digest = Loader::digest(&component).to_string();
        let database = Connection::open(folder.join(Store::FILE))?;
        let mut bytes = component.clone();
        match self {
            Self::FlippedByte => bytes[component.len() / 2] ^= 0x20,
            Self::ChangedText | Self::ChangedTextBesideCode => {
                let text = b"The session has no";
                let at = component.windows(text.len()).position(|it| it == text).ok_or("no such text")?;
                bytes[at..at + 3].copy_from_slice(b"TAM");
            }
            Self::NoRow => {
                assert_eq!(database.execute("DELETE FROM component WHERE digest = ?1", [&digest])?, 1);
                return Ok(());
            }
        }
        let changed = database.execute("UPDATE component SET bytes = ?2 WHERE digest = ?1", (&digest, &bytes))?;
        assert_eq!(changed, 1);
        if !matches!(self, Self::ChangedTextBesideCode) {
            for (file, _) in compiled(folder)? {
                if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&digest)) {
                    fs::remove_file(file)?;
                }
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_component_that_is_not_what_it_was_fails_alone_and_says_so() -> Done {
    let (folder, before) = prepared().await?;
    let mut told = String::new();
    for (what, damage) in [
        ("a flipped byte", Damage::FlippedByte),
        ("a changed text", Damage::ChangedText),
        ("a changed text beside code", Damage::ChangedTextBesideCode),
        ("no row", Damage::NoRow),
    ] {
        let copy = copy(folder.path())?;
        damage.happen(copy.path())?;
        let host = TestHost::again(copy).await?;
        assert_eq!(host.get("/health/ready").await?.status, 200, "{what}");
        let answer = experience(&host).await?;
        let failed = tool_of(&answer);
        assert_eq!((&failed["status"], rest_of(&answer)), (&json!("failed"), rest_of(&before)), "{what}");
        let page = host.get(PLUGIN).await?;
        let problem = page.json()["problem"].as_str().unwrap_or_default().to_owned();
        told.push_str(&format!("{what}: {}: {problem}\n", failed["fault"]["code"]));
        // Nothing of it is handed out, and it does not serve.
        for refused in [
            host.get(&format!("{PLUGIN}/bundle")).await?,
            host.get(&format!("{PLUGIN}/versions/1.1.0")).await?,
            host.post(&format!("{PLUGIN}/activate"), json!({"version": "1.1.0"})).await?,
        ] {
            assert!(refused.status >= 400 && refused.text.contains(&problem), "{what}: {refused}");
        }
        // Other changes go on: it is known that it is a rule, and no step.
        assert_eq!(host.put("/api/v1/queues/desk", json!({"name": "Desk"})).await?.status, 201, "{what}");
        // The version before is there, and so is the next; and the same again is whole again.
        let back = Reply::to(host.request(Method::POST, &format!("{PLUGIN}/rollback"))).await?;
        assert_eq!((back.status, &back.json()["version"]), (200, &json!("1.0.0")), "{what}: {back}");
        assert_eq!(tool_of(&experience(&host).await?)["status"], "shown", "{what}");
        assert_eq!(host.install("", &version("1.2.0")?).await?.status, 201, "{what}");
        let same = host.install("", &version("1.1.0")?).await?;
        assert_eq!((same.status / 100, &same.json()["version"]), (2, &json!("1.1.0")), "{what}: {same}");
        assert_eq!(tool_of(&experience(&host).await?), tool_of(&before), "{what}");
        let host = TestHost::again(host.stop_and_keep().await?).await?;
        assert_eq!(tool_of(&experience(&host).await?), tool_of(&before), "{what} is mended for good");
        host.stop().await?;
    }
    assert_snapshot!(told, @r#"
    a flipped byte: "plugin.not-ready": its component is damaged: what the database has does not fit the digest it was installed under
    a changed text: "plugin.not-ready": its component is damaged: what the database has does not fit the digest it was installed under
    a changed text beside code: "plugin.not-ready": its component is damaged: what the database has does not fit the digest it was installed under
    no row: "plugin.not-ready": its component is gone
    "#);
    Ok(())
}

#[tokio::test]
async fn compiled_code_that_was_cut_is_compiled_again_and_changes_no_answer() -> Done {
    const LEFT: usize = 1000;
    let (folder, before) = prepared().await?;
    let whole = compiled(folder.path())?;
    for (file, code) in &whole {
        fs::write(file, &code[..LEFT])?;
    }
    let host = TestHost::again(folder).await?;
    assert_eq!(host.get("/health/ready").await?.status, 200);
    assert_eq!(experience(&host).await?, before);
    let digest = Loader::digest(&version("1.1.0")?).to_string();
    let served = compiled(host.folder())?;
    let length = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        let name = |file: &Path| file.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&digest));
        files.iter().find(|(file, _)| name(file)).map(|(_, code)| code.len())
    };
    assert!(length(&whole) > Some(LEFT));
    assert_eq!(length(&served), length(&whole), "what serves was compiled again, and kept");
    host.stop().await
}
