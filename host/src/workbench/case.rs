//! Cases as files: a library, and the sessions, events, questions or pages a component is asked about. The same files
//! run natively with the SDK.
//!
//! Refuses a case that the service would refuse: an invalid library item, an unknown key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::{AnyItem, Kind, Revision};
use crate::plugin::{Manifest, Provides};
use crate::resolve::Facts;
use crate::store::{Entry, Layer, Snapshot};

use super::event::EventCase;
use super::page::PageCase;
use super::question::QuestionCase;

/// Items by kind and unique name.
type Items = BTreeMap<String, BTreeMap<String, Value>>;

/// A file of cases.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Library items by kind and unique name, for every case of the file.
    #[serde(default)]
    pub library: Items,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One question to a component, and the answer it should give.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, as a sentence.
    #[serde(default)]
    pub name: String,
    /// The person and the session.
    #[serde(default)]
    pub session: Map<String, Value>,
    /// Items that are added to the file's library or stand in for one of it.
    #[serde(default)]
    pub library: Items,
    /// For a rule: the settings of the tool.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// For a configuration step: the change.
    #[serde(default)]
    pub event: Option<EventCase>,
    /// For a step around rules: the question.
    #[serde(default)]
    pub question: Option<QuestionCase>,
    /// For an upgrade step: the rows.
    #[serde(default)]
    pub page: Option<PageCase>,
    /// The expected outcome, and `"warnings"`. A fault is `{"fault": code}`. A rule gives `{"shown": payload, "items":
    /// {kind: [name]}}` or `{"hidden": code}`, a configuration step `{"proceed": {"patches": {"0": patch}, "shared":
    /// {key: value}}}` or `{"reject": code, "attribute": path}`, a step around rules `{"proceed": {"patch": patch,
    /// "items": {kind: [name]}}}` or `{"hide": code}`, and an upgrade step `{"upserts": […], "quarantine": […],
    /// "notes": […]}`.
    #[serde(default)]
    pub expect: Option<Value>,
}

/// A file that is no file of cases.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say all there is to say")]
pub enum CaseError {
    #[error("`{}` cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("`{}` is no file of cases: {reason}", path.display())]
    Shape { path: PathBuf, reason: String },
    #[error("there are no cases in `{}`: write one into `{}`", .0.display(), .0.join("first.yaml").display())]
    Empty(PathBuf),
    #[error("the case has no `{expected}`, and a plugin for the world `{world}` is asked about one")]
    Missing { expected: &'static str, world: String },
    #[error("the case has `{found}`, which no plugin for the world `{world}` is asked about: leave it out")]
    Misplaced { found: &'static str, world: String },
    #[error("the step is never asked this: {0}")]
    Never(String),
    #[error("the session cannot be used: {0}")]
    Session(serde_json::Error),
    #[error("the library has `{kind}`, which is no collection: collections are such as `scripts` and `macros`")]
    Kind { kind: String },
    #[error("`{name}` of `{kind}` could not be written: {reason}")]
    Item { kind: String, name: String, reason: String },
}

impl CaseFile {
    /// Reads a file, YAML or JSON by its name.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        read(path)
    }

    /// Reads every file of cases in a folder, in the order of their names.
    pub fn read_all(folder: &Path) -> Result<Vec<(PathBuf, Self)>, CaseError> {
        let unreadable = |source| CaseError::Read { path: folder.to_owned(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.retain(|file| is_cases(file));
        files.sort();
        let read: Vec<_> =
            files.into_iter().map(|file| Ok((file.clone(), Self::read(&file)?))).collect::<Result<_, CaseError>>()?;
        if read.iter().all(|(_, file)| file.cases.is_empty()) {
            return Err(CaseError::Empty(folder.to_owned()));
        }
        Ok(read)
    }
}

impl Case {
    /// Reads one question without an answer.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        read(path)
    }

    /// Refuses a case of a plugin for another world.
    pub(super) fn suits(&self, manifest: &Manifest) -> Result<(), CaseError> {
        let there = [
            ("session", !self.session.is_empty()),
            ("settings", !self.settings.is_empty()),
            ("event", self.event.is_some()),
            ("question", self.question.is_some()),
            ("page", self.page.is_some()),
        ];
        let (expected, allowed): (_, &[&str]) = match &manifest.provides {
            Provides::ToolRule { .. } => (None, &["session", "settings"]),
            Provides::ConfigurationSteps { .. } => (Some("event"), &["event"]),
            Provides::ToolSteps { .. } => (Some("question"), &["session", "question"]),
            Provides::UpgradeStep(_) => (Some("page"), &["page"]),
        };
        let world = || manifest.world.clone();
        if let Some((found, _)) = there.iter().find(|(part, is_there)| *is_there && !allowed.contains(part)) {
            return Err(CaseError::Misplaced { found, world: world() });
        }
        match there.iter().find(|(part, is_there)| !is_there && Some(*part) == expected) {
            Some((expected, _)) => Err(CaseError::Missing { expected, world: world() }),
            None => Ok(()),
        }
    }

    /// Returns the person and the session. Unless the case says otherwise, the person has an English screen in the
    /// customer service workspace.
    pub(super) fn facts(&self) -> Result<Facts, CaseError> {
        let mut facts = Map::new();
        for (key, value) in [
            ("app", json!("customer-service-workspace")),
            ("profile", json!("contoso_profile")),
            ("language", json!(1033)),
            ("baseLanguage", json!(1033)),
        ] {
            facts.insert(key.to_owned(), value);
        }
        facts.extend(self.session.clone());
        serde_json::from_value(Value::Object(facts)).map_err(CaseError::Session)
    }

    /// Returns the configuration: the library of the file with that of the case.
    pub(super) fn snapshot(&self, library: &Items) -> Result<Snapshot, CaseError> {
        let mut entries = BTreeMap::new();
        for (kind, items) in library.iter().chain(&self.library) {
            let unknown = || CaseError::Kind { kind: kind.clone() };
            let known = kind.parse::<Kind>().ok().filter(|kind| kind.is_collection()).ok_or_else(unknown)?;
            for (name, item) in items {
                let refused = |reason: String| CaseError::Item { kind: kind.clone(), name: name.clone(), reason };
                let item = AnyItem::parse(known, name, item.clone()).map_err(|error| refused(error.to_string()))?;
                let entry = Entry::new(item, Revision(1), Layer::Custom);
                entries.insert((known, name.clone()), (Arc::from(name.as_str()), entry));
            }
        }
        Ok(Snapshot::new(Revision(1), entries.into_values()))
    }
}

fn is_cases(path: &Path) -> bool {
    path.extension().and_then(|it| it.to_str()).is_some_and(|it| ["yaml", "yml", "json"].contains(&it))
}

pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CaseError> {
    let text = fs::read_to_string(path).map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
    let is_json = path.extension().is_some_and(|it| it == "json");
    let parsed = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_saphyr::from_str(&text).map_err(|error| error.to_string())
    };
    parsed.map_err(|reason| CaseError::Shape { path: path.to_owned(), reason })
}
