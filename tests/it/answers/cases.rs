//! The cases of `cases/resolve`: what the sample and some changes answer to a question.
//!
//! Two of them say the whole answer. Each of the others says only what it is about: the question is one of `bases.json`
//! with changes of its own, and the answer is looked at in a few places.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loadout_tests::Done;
use loadout_tests::components::RULES;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A case that says what it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A question of `bases.json`.
    base: String,
    #[serde(default)]
    changes: Vec<Change>,
    /// A merge patch of the question.
    #[serde(default)]
    ask: Value,
    /// Values by their places, as [`at`] finds them.
    expect: Map<String, Value>,
}

/// A case that says the whole answer, which is beside it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    changes: Vec<Change>,
    ask: Value,
}

/// A change to the sample.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
struct Change {
    put: Option<String>,
    patch: Option<String>,
    post: Option<String>,
    body: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/resolve")
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> Result<T, Failure> {
    serde_json::from_str(&fs::read_to_string(file)?).map_err(|error| format!("{}: {error}", file.display()).into())
}

async fn host_with(changes: &[Change]) -> Result<TestHost, Failure> {
    let host = TestHost::with_rules(Arc::clone(&*RULES) as _).await?;
    for Change { put, patch, post, body } in changes {
        let ways = [(Method::PUT, put), (Method::PATCH, patch), (Method::POST, post)];
        let mut ways = ways.into_iter().filter_map(|(method, path)| Some((method, path.as_ref()?)));
        let (Some((method, path)), None) = (ways.next(), ways.next()) else {
            return Err("a change has either `put`, `patch` or `post`".into());
        };
        let reply = Reply::to(host.request(method, path).json(body)).await?;
        if reply.status >= 300 {
            return Err(format!("{path}: {reply}").into());
        }
    }
    Ok(host)
}

async fn answer(host: &TestHost, question: Value) -> Result<Value, Failure> {
    let reply = host.post("/api/v1/experience", question).await?;
    if reply.status == 200 { Ok(reply.json()) } else { Err(reply.to_string().into()) }
}

/// Every file of `cases/resolve` but `bases.json`. A new case is a new file.
#[tokio::test]
async fn every_case_has_what_it_is_about() -> Done {
    let bases: Map<String, Value> = read(&folder().join("bases.json"))?;
    let mut files: Vec<PathBuf> = fs::read_dir(folder())?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json") && !file.ends_with("bases.json"));
    files.sort();
    let sample = host_with(&[]).await?;
    let mut wrong = Vec::new();
    for file in &files {
        let Case { base, changes, ask, expect } = read(file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        assert!(!expect.is_empty(), "{name} expects nothing");
        let mut question = bases.get(&base).ok_or_else(|| format!("{name}: there is no base `{base}`"))?.clone();
        if !ask.is_null() {
            merge(&mut question, &ask);
        }
        let answered = if changes.is_empty() {
            answer(&sample, question).await
        } else {
            answer(&host_with(&changes).await.map_err(|error| format!("{name}: {error}"))?, question).await
        };
        let answered = answered.map_err(|error| format!("{name}: {error}"))?;
        for (place, expected) in &expect {
            match at(&answered, place) {
                Some(found) if found == *expected => {}
                Some(found) => wrong.push(format!("{name}: at `{place}`\n  expected {expected}\n  found    {found}")),
                None => wrong.push(format!("{name}: there is no place `{place}`")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 40, "only {} cases", files.len());
    Ok(())
}

/// Every folder of `cases/resolve/whole`. `UPDATE_CASES=1` writes the answers, and the test fails so that they are
/// read.
#[tokio::test]
async fn every_whole_case_has_its_answer() -> Done {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut folders: Vec<PathBuf> = fs::read_dir(folder().join("whole"))?.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut wrong = Vec::new();
    for folder in &folders {
        let Whole { changes, ask } = read(&folder.join("input.json"))?;
        let mut answer = answer(&host_with(&changes).await?, ask).await?;
        if let Some(answer) = answer.as_object_mut() {
            // These follow from everything there is, and say nothing about the case.
            answer.remove("decisionId");
            answer.remove("revision");
        }
        let answer = serde_json::to_string_pretty(&answer)? + "\n";
        let expected = folder.join("expected.json");
        let written = fs::read_to_string(&expected).unwrap_or_default();
        if update {
            fs::write(&expected, &answer)?;
        }
        if written != answer {
            wrong.push(format!("{}:\n{}", folder.display(), difference(&written, &answer)));
        }
    }
    assert!(wrong.is_empty(), "{}\n(`UPDATE_CASES=1` writes the answers)", wrong.join("\n"));
    assert!(!update, "the answers were written: read them, and run the test again without `UPDATE_CASES`");
    assert_eq!(folders.len(), 2);
    Ok(())
}

fn difference(expected: &str, answer: &str) -> String {
    let mut lines = String::new();
    let (mut old, mut new) = (expected.lines(), answer.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return lines,
            (old, new) if old == new => {}
            (old, new) if lines.len() < 2000 => {
                lines += &format!("- {}\n+ {}\n", old.unwrap_or_default(), new.unwrap_or_default());
            }
            _ => {}
        }
    }
}

/// What is at a place, which is a JSON pointer with two additions. Among the items of a list, a name stands for the
/// first item of which it is a value, and `*` for each item. A last key that an object lacks is `null`; any other place
/// that is not there is none.
fn at(value: &Value, place: &str) -> Option<Value> {
    let Some(rest) = place.strip_prefix('/') else { return place.is_empty().then(|| value.clone()) };
    let (key, rest) = rest.find('/').map_or((rest, ""), |end| rest.split_at(end));
    match value {
        Value::Array(items) if key == "*" => {
            items.iter().map(|item| at(item, rest)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Value::Array(items) => {
            let is_named =
                |item: &&Value| item.as_object().is_some_and(|item| item.values().any(|value| *value == *key));
            let found = key.parse().map_or_else(|_| items.iter().find(is_named), |index: usize| items.get(index));
            at(found?, rest)
        }
        Value::Object(values) => match values.get(key) {
            Some(value) => at(value, rest),
            None => rest.is_empty().then_some(Value::Null),
        },
        _ => None,
    }
}

/// A JSON merge patch.
fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Some(values) = value.as_object_mut() else { return };
    for (key, patch) in patch {
        if patch.is_null() {
            values.remove(key);
        } else {
            merge(values.entry(key.clone()).or_insert(Value::Null), patch);
        }
    }
}

#[test]
fn places_are_found_or_not() {
    let value = serde_json::json!({"list": [{"name": "a", "of": {"x": 1}}, {"name": "b"}], "nothing": null});
    for (place, expected) in [
        ("/list/0/name", Some("\"a\"")),
        ("/list/b/name", Some("\"b\"")),
        ("/list/*/name", Some(r#"["a","b"]"#)),
        ("/list/a/of/x", Some("1")),
        ("/list/a/of/y", Some("null")),
        ("/nothing", Some("null")),
        ("/list/c", None),
        ("/list/2", None),
        ("/lost/x", None),
        ("/nothing/x", None),
        ("/list/a/name/x", None),
        ("list", None),
    ] {
        assert_eq!(at(&value, place).map(|found| found.to_string()).as_deref(), expected, "{place}");
    }
}
