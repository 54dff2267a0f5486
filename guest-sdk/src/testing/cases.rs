//! Cases as data: a folder of YAML or JSON files, each with a library and what is asked over it.
//!
//! Holds the parts that the cases of all worlds have in common. The file of each world holds its question and the form
//! of its answer.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Facts, Fixture, Items};
use crate::{Fault, ItemReference, Level};

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile<C> {
    /// Items by kind and unique name, for every case of the file.
    #[serde(default)]
    pub(super) library: Items,
    pub(super) cases: Vec<C>,
}

/// The parts of a case besides its question.
pub(super) struct Scene {
    /// What the case shows, as a sentence.
    pub(super) name: String,
    pub(super) session: Facts,
    /// Items that are added to the file's library or stand in for one of it.
    pub(super) library: Items,
    pub(super) expect: Value,
}

/// A case and its outcome.
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) expect: Value,
    pub(super) found: Value,
}

/// Asks every case of a folder natively, and panics as [`run`] does. `open` takes a case apart: its scene, and what
/// asks its question of a fixture and says the answer as the case would expect it.
pub(super) fn check<C, Q>(folder: &Path, open: impl Fn(C) -> (Scene, Q))
where
    C: DeserializeOwned,
    Q: FnOnce(&Fixture) -> Result<Value, Fault>,
{
    run(folder, |library, case| {
        let (Scene { name, session, library: own, expect }, ask) = open(case);
        let mut library = library.clone();
        add_to(&mut library, own);
        let fixture = Fixture { facts: session, library, ..Fixture::default() };
        Judged { name, expect, found: said(&fixture, ask(&fixture)) }
    });
}

/// Reads every file of cases of a folder and panics unless each of its cases came out as it expects, and there are
/// some. `judge` is given the library of the file with each case.
pub(super) fn run<C: DeserializeOwned>(folder: &Path, judge: impl Fn(&Items, C) -> Judged) {
    let (mut count, mut failures) = (0, Vec::new());
    for (file, CaseFile { library, cases }) in files_of(folder) {
        for case in cases {
            let Judged { name, expect, found } = judge(&library, case);
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

/// Every file of cases of a folder, in the order of their names. Panics if a file is not a file of cases.
pub(super) fn files_of<C: DeserializeOwned>(folder: &Path) -> Vec<(PathBuf, CaseFile<C>)> {
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

/// Adds items to a library, where they stand in for those of the same name.
pub(super) fn add_to(library: &mut Items, more: Items) {
    for (kind, items) in more {
        library.entry(kind).or_default().extend(items);
    }
}

/// An answer in the words of a case, with the warnings that were written meanwhile.
pub(super) fn said(fixture: &Fixture, answer: Result<Value, Fault>) -> Value {
    let mut said = answer.unwrap_or_else(|fault| json!({ "fault": fault.code() }));
    let warnings = fixture.lines().into_iter().filter(|(level, _)| *level == Level::Warning);
    let warnings: Vec<String> = warnings.map(|(_, line)| line).collect();
    if !warnings.is_empty() {
        said["warnings"] = warnings.into();
    }
    said
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        #[serde(default)]
        library: Items,
        kind: String,
        expect: Value,
    }

    /// Says the names of a kind.
    fn names(folder: &Path) {
        check(folder, |Case { name, library, kind, expect }| {
            let scene = Scene { name, session: Facts::default(), library, expect };
            let ask = move |fixture: &Fixture| match fixture.session().library().names(&kind) {
                names if names.is_empty() => Err(Fault::new("no-names", "there are none")),
                names => Ok(json!({ "names": names })),
            };
            (scene, ask)
        });
    }

    fn checked(text: &str) -> String {
        let folder = std::env::temp_dir().join(format!("loadout-sdk-cases-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.json"), text).unwrap();
        let panic = std::panic::catch_unwind(|| names(&folder));
        fs::remove_dir_all(&folder).unwrap();
        panic.err().map_or_else(|| "passed".to_owned(), |panic| *panic.downcast::<String>().unwrap())
    }

    #[test]
    fn a_case_that_fails_is_named_with_what_was_found() {
        let text = r#"{"cases":[
            {"name": "this holds", "kind": "macros", "expect": {"fault": "no-names"}},
            {"name": "this does not", "kind": "macros", "expect": {"names": ["no-names"]}}]}"#;
        let expected = "1 of 2 cases failed:\na.json: this does not\n  expected {\"names\":[\"no-names\"]}\n  found    {\"fault\":\"no-names\"}";
        assert_eq!(checked(text), expected);
        assert_eq!(
            checked(&text.replace("[\"no-names\"]", "\"no-names\"").replace("\"names\"", "\"fault\"")),
            "passed"
        );
        assert!(checked(r#"{"cases":[]}"#).starts_with("there are no cases in `"));
        assert!(checked(r#"{"cases":[{"nam": ""}]}"#).contains("unknown field `nam`"));
        // A case has the library of its file but for what it has itself.
        let libraries = r#"{"library": {"macros": {"a": {}, "b": {}}}, "cases": [
            {"name": "", "kind": "macros", "library": {"macros": {"b": {"state": "inactive"}, "c": {}}}, "expect": {"names": ["a", "c"]}},
            {"name": "", "kind": "macros", "expect": {"names": ["a", "b"]}}]}"#;
        assert_eq!(checked(libraries), "passed");
    }
}
