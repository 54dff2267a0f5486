//! Cases as data: a folder of JSON files, each with a library and the sessions it is tried in.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Facts, Fixture, Items};
use crate::{Decision, Level, Tool};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// Items by kind and unique name, for every case of the file.
    #[serde(default)]
    library: Items,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows, as a sentence.
    name: String,
    #[serde(default)]
    session: Facts,
    /// Items that are added to the file's library or stand in for one of it.
    #[serde(default)]
    library: Items,
    #[serde(default)]
    settings: Map<String, Value>,
    /// `{"shown": payload, "items": {"kind": ["name"]}}`, `{"hidden": code}` or `{"fault": code}`, and `"warnings": ["line"]`;
    /// `items` and `warnings` are left out if there are none.
    expect: Value,
}

/// Runs every case of every `.json` file of a folder.
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
    let (mut count, mut failures) = (0, Vec::new());
    let mut files: Vec<_> = match fs::read_dir(folder.as_ref()) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => panic!("`{}` cannot be read: {error}", folder.as_ref().display()),
    };
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "json")) {
        let read = fs::read_to_string(file).map_err(|error| error.to_string());
        let cases: CaseFile = match read.and_then(|text| serde_json::from_str(&text).map_err(|it| it.to_string())) {
            Ok(cases) => cases,
            Err(error) => panic!("`{}` is no file of cases: {error}", file.display()),
        };
        for case in cases.cases {
            count += 1;
            let found = outcome::<T>(&cases.library, &case);
            if found != case.expect {
                let file = file.file_name().unwrap_or_default().display();
                failures.push(format!("{file}: {}\n  expected {}\n  found    {found}", case.name, case.expect));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases failed:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 0, "there are no cases in `{}`", folder.as_ref().display());
}

fn outcome<T: Tool>(library: &Items, case: &Case) -> Value {
    let mut library = library.clone();
    for (kind, items) in case.library.clone() {
        library.entry(kind).or_default().extend(items);
    }
    let fixture = Fixture { facts: case.session.clone(), library, lines: RefCell::default() };
    let mut outcome = match fixture.evaluate::<T>(Value::Object(case.settings.clone())) {
        Err(fault) => json!({ "fault": fault.code() }),
        Ok(Decision::Hidden { code, .. }) => json!({ "hidden": code }),
        Ok(Decision::Shown { payload, items }) => {
            let mut outcome = json!({ "shown": payload });
            for item in items {
                let names = &mut outcome["items"][item.kind];
                match names.as_array_mut() {
                    Some(names) => names.push(item.unique_name.into()),
                    None => *names = json!([item.unique_name]),
                }
            }
            outcome
        }
    };
    let warnings = fixture.lines().into_iter().filter(|(level, _)| *level == Level::Warning);
    let warnings: Vec<String> = warnings.map(|(_, line)| line).collect();
    if !warnings.is_empty() {
        outcome["warnings"] = warnings.into();
    }
    outcome
}
