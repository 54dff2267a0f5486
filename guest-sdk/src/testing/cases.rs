//! Cases as data: a folder of YAML or JSON files, each with a library and the sessions it is tried in.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Facts, Fixture, Items};
use crate::{Decision, ItemReference, Level, Tool};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    /// Items by kind and unique name, for every case of the file.
    #[serde(default)]
    pub(super) library: Items,
    pub(super) cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What the case shows, as a sentence.
    name: String,
    #[serde(default)]
    pub(super) session: Facts,
    /// Items that are added to the file's library or stand in for one of it.
    #[serde(default)]
    pub(super) library: Items,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    /// `{"shown": payload, "items": {"kind": ["name"]}}`, `{"hidden": code}` or `{"fault": code}`, and `"warnings": ["line"]`;
    /// `items` and `warnings` are left out if there are none.
    expect: Value,
}

/// Runs every case of every `.yaml`, `.yml` and `.json` file of a folder.
///
/// ```no_run
/// # use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool};
/// # struct MyTool;
/// # impl Tool for MyTool {
/// #     type Settings = NoSettings;
/// #     type Payload = serde_json::Value;
/// #     fn evaluate(_: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> { unreachable!() }
/// # }
/// loadout_sdk::testing::check_cases::<MyTool>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
/// ```
///
/// # Panics
///
/// If a case has another outcome than it expects, a file cannot be read as cases, or there are none.
pub fn check_cases<T: Tool>(folder: impl AsRef<Path>) {
    run(folder.as_ref(), |cases: CaseFile| {
        let judge =
            |case: Case| Judged { found: outcome::<T>(&cases.library, &case), name: case.name, expect: case.expect };
        cases.cases.into_iter().map(judge).collect()
    });
}

/// A case, and what came of it.
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) expect: Value,
    pub(super) found: Value,
}

/// Reads every file of cases of a folder and panics unless each of its cases came out as it expects, and there are some.
pub(super) fn run<F: DeserializeOwned>(folder: &Path, judge: impl Fn(F) -> Vec<Judged>) {
    let (mut count, mut failures) = (0, Vec::new());
    for (file, cases) in files_of(folder) {
        for Judged { name, expect, found } in judge(cases) {
            count += 1;
            if found != expect {
                let file = file.file_name().unwrap_or_default().display();
                failures.push(format!("{file}: {name}\n  expected {expect}\n  found    {found}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases failed:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 0, "there are no cases in `{}`", folder.display());
}

/// Every file of cases of a folder, in the order of their names. Panics if one is none.
pub(super) fn files_of<F: DeserializeOwned>(folder: &Path) -> Vec<(PathBuf, F)> {
    let mut files: Vec<_> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => panic!("`{}` cannot be read: {error}", folder.display()),
    };
    files.sort();
    let mut read_files = Vec::new();
    for file in files {
        let extension = file.extension().and_then(|it| it.to_str()).unwrap_or_default();
        let parse = match extension {
            "json" => |text: String| serde_json::from_str(&text).map_err(|error| error.to_string()),
            "yaml" | "yml" => |text: String| serde_saphyr::from_str(&text).map_err(|error| error.to_string()),
            _ => continue,
        };
        let read = fs::read_to_string(&file).map_err(|error| error.to_string());
        match read.and_then(parse) {
            Ok(cases) => read_files.push((file, cases)),
            Err(error) => panic!("`{}` is no file of cases: {error}", file.display()),
        }
    }
    read_files
}

fn outcome<T: Tool>(library: &Items, case: &Case) -> Value {
    let library = library_of(library, case.library.clone());
    let fixture = Fixture { facts: case.session.clone(), library, ..Fixture::default() };
    outcome_of::<T>(&fixture, &case.settings)
}

/// What a tool decides, in the words of a case.
pub(super) fn outcome_of<T: Tool>(fixture: &Fixture, settings: &Map<String, Value>) -> Value {
    let outcome = match fixture.evaluate::<T>(Value::Object(settings.clone())) {
        Err(fault) => json!({ "fault": fault.code() }),
        Ok(Decision::Hidden { code, .. }) => json!({ "hidden": code }),
        Ok(Decision::Shown { payload, items }) => {
            let mut outcome = json!({ "shown": payload });
            add_items(&mut outcome, items);
            outcome
        }
    };
    with_warnings(outcome, fixture)
}

/// The library of a file with that of a case, whose items are added or stand in for one of it.
pub(super) fn library_of(file: &Items, case: Items) -> Items {
    let mut library = file.clone();
    for (kind, items) in case {
        library.entry(kind).or_default().extend(items);
    }
    library
}

/// Adds items to an outcome, by their kind.
pub(super) fn add_items(outcome: &mut Value, items: Vec<ItemReference>) {
    for item in items {
        let names = &mut outcome["items"][item.kind];
        match names.as_array_mut() {
            Some(names) => names.push(item.unique_name.into()),
            None => *names = json!([item.unique_name]),
        }
    }
}

/// Adds the warnings that were written, if there are some.
pub(super) fn with_warnings(mut outcome: Value, fixture: &Fixture) -> Value {
    let warnings = fixture.lines().into_iter().filter(|(level, _)| *level == Level::Warning);
    let warnings: Vec<String> = warnings.map(|(_, line)| line).collect();
    if !warnings.is_empty() {
        outcome["warnings"] = warnings.into();
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Fault, NoSettings, Session};

    struct Echo;

    impl Tool for Echo {
        type Settings = NoSettings;
        type Payload = Value;

        fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Value>, Fault> {
            session.log(Level::Debug, "not for the outcome");
            let Some(key) = session.get("key") else { return Err(Fault::new("no-key", "the context has no `key`")) };
            if key.is_empty() {
                session.warn("the key is empty");
                return Ok(Decision::hidden("empty", "Shown once there is a key."));
            }
            let names = session.library().names("macros");
            Ok(Decision::shown(json!({ "key": key })).naming("macros", names))
        }
    }

    #[test]
    fn an_outcome_is_all_of_what_the_tool_said() {
        let library = BTreeMap::from([("macros".to_owned(), BTreeMap::from([("contoso_a".to_owned(), json!({}))]))]);
        for (case, expected) in [
            (json!({}), json!({ "fault": "no-key" })),
            (json!({ "settings": { "a": 1 } }), json!({ "fault": "bad-settings" })),
            (
                json!({ "session": { "context": { "key": "" } } }),
                json!({ "hidden": "empty", "warnings": ["the key is empty"] }),
            ),
            (
                json!({ "session": { "context": { "key": "x" } }, "library": { "macros": { "contoso_b": {} } } }),
                json!({ "shown": { "key": "x" }, "items": { "macros": ["contoso_a", "contoso_b"] } }),
            ),
        ] {
            let mut written = json!({ "name": "", "expect": {} });
            written.as_object_mut().unwrap().extend(case.as_object().unwrap().clone());
            let case: Case = serde_json::from_value(written).unwrap();
            assert_eq!(outcome::<Echo>(&library, &case), expected);
        }
    }

    fn check(text: &str) -> String {
        let folder = std::env::temp_dir().join(format!("loadout-sdk-cases-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.json"), text).unwrap();
        let panic = std::panic::catch_unwind(|| check_cases::<Echo>(&folder));
        fs::remove_dir_all(&folder).unwrap();
        panic.err().map_or_else(|| "passed".to_owned(), |panic| *panic.downcast::<String>().unwrap())
    }

    #[test]
    fn a_case_that_fails_is_named_with_what_was_found() {
        let text = r#"{"cases":[
            {"name": "this holds", "expect": {"fault": "no-key"}},
            {"name": "this does not", "expect": {"hidden": "no-key"}}]}"#;
        let expected = "1 of 2 cases failed:\na.json: this does not\n  expected {\"hidden\":\"no-key\"}\n  found    {\"fault\":\"no-key\"}";
        assert_eq!(check(text), expected);
        assert_eq!(check(&text.replace("hidden", "fault")), "passed");
        assert!(check(r#"{"cases":[]}"#).starts_with("there are no cases in `"));
        assert!(check(r#"{"cases":[{"nam": ""}]}"#).contains("unknown field `nam`"));
    }
}
