//! Reads the documents in `loadout/` of an archive: JSON for content that the tables of a solution cannot express.
//!
//! `loadout/<collection>/<unique name>.json` holds `{"patch": …}`, a JSON merge patch (RFC 7396) over the item as the
//! tables have it, or `{"item": …}`, the whole item. If the name cannot be a file name, it is in `"uniqueName"`.
//!
//! `loadout/format.json` holds `{"format": 1}`. It also marks an archive that was exported here: tables and documents
//! together are complete, and nothing of the existing items is kept. Without it, documents add to a solution that is
//! read in the usual way.
//!
//! A patch of an out-of-the-box item, with the values that were kept from an older environment, is skipped by an
//! import: only an upgrade carries it out.
//!
//! A document that cannot be read is quarantined together with its item, because half an item is worse than none.
//! People are no configuration and are not read; `loadout/assignments.json` is read by `assignment`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::secret_column::{left_behind, strip};
use crate::domain::{AnyItem, DefaultProfile, Environment, Kind, merge_patch};

use super::ArchiveError;
use super::archive::Archive;
use super::json;
use super::layout::FOLDER;
use super::layout::is_document;
use super::layout::is_litter;
use super::report::Outcome;
use super::unreadable::Unreadable;
use super::work::Work;

/// The content of the file that marks an archive exported here.
pub(crate) const FORMAT: Format = Format { format: 1 };

/// The content of `loadout/format.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Format {
    format: u32,
}

/// The content of `loadout/<collection>/<unique name>.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Document {
    /// The unique name of the item, if it cannot be the name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_name: Option<String>,
    /// The changes to the item as the tables have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patch: Option<Map<String, Value>>,
    /// The whole item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Value>,
}

/// The documents of an archive, not read yet.
#[derive(Debug, Default)]
pub(super) struct Documents {
    whole: bool,
    /// Why no document can be read, if so.
    unusable: Option<String>,
    paths: Vec<String>,
}

/// The path of the file that marks an archive exported here.
pub(crate) fn format_path() -> String {
    format!("{FOLDER}/format.json")
}

impl Document {
    /// Removes columns with secrets from the document. Returns their names.
    fn leave_secrets(&mut self) -> Vec<String> {
        let mut left = self.item.as_mut().map(strip).unwrap_or_default();
        if let Some(patch) = self.patch.take() {
            let mut patch = Value::Object(patch);
            left.extend(strip(&mut patch));
            self.patch = patch.as_object().cloned();
        }
        left
    }
}

impl Documents {
    /// Lists the documents of an archive.
    pub(super) fn take_from(archive: &mut Archive<'_>) -> Result<Self, ArchiveError> {
        let format = archive.take(&format_path())?;
        let paths = archive.paths().filter(|path| is_document(path) && !is_litter(path)).map(str::to_owned).collect();
        let unusable = match format.as_deref().map(json::read::<Format>) {
            None | Some(Ok(FORMAT)) => None,
            Some(Ok(Format { format })) => {
                let known = FORMAT.format;
                Some(format!("`{}` says {format}, and {known} is known: use a newer version", format_path()))
            }
            Some(Err(error)) => Some(format!("`{}` cannot be read: {error}", format_path())),
        };
        Ok(Self { whole: format.is_some() && unusable.is_none(), unusable, paths })
    }

    /// Whether the archive is complete: it was exported here.
    pub(super) fn are_whole(&self) -> bool {
        self.whole
    }

    /// Takes the documents out of `archive`, one by one. Patches items that the tables made, and makes the others.
    pub(super) fn read(self, work: &mut Work<'_>, archive: &mut Archive<'_>) -> Result<(), ArchiveError> {
        if let Some(reason) = self.unusable {
            let component = work.component(FOLDER, &format_path());
            work.quarantine(component, &Unreadable(reason.clone()));
            for path in self.paths {
                archive.take(&path)?;
                let component = work.component(FOLDER, &path);
                work.quarantine(component, &Unreadable(reason.clone()));
            }
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for path in self.paths {
            let Some(content) = archive.take(&path)? else { continue };
            let (kind, file) = match place(&path) {
                Ok(place) => place,
                Err(reason) => {
                    let component = work.component(FOLDER, &path);
                    work.quarantine(component, &Unreadable(reason));
                    continue;
                }
            };
            let table = format!("{FOLDER}/{}", kind.collection());
            let mut read = json::read::<Document>(&content);
            let named = read.as_ref().ok().and_then(|document| document.unique_name.as_deref());
            let name = named.unwrap_or(file).to_owned();
            let secrets = read.as_mut().map_or_else(|_| Vec::new(), Document::leave_secrets);
            if !secrets.is_empty() {
                work.report.warn(super::SECRETS_LEFT, format!("{table}/{name}"), left_behind(&secrets));
            }
            let component = work.component(&table, &name);
            let shipped = read.as_ref().ok().and_then(|document| kept(work, kind, &name, document));
            if let Some(item) = shipped.filter(|_| seen.insert((kind, name.clone()))) {
                work.keep(component, &name, item);
                continue;
            }
            let item = match read {
                _ if !seen.insert((kind, name.clone())) => Err(format!("`{path}` is a second document: keep one")),
                Ok(document) => item(work, kind, &name, document),
                Err(error) => Err(format!("`{path}` is no document: {error}")),
            };
            match item {
                Ok(item) => work.put_any(component, &name, item),
                Err(reason) => {
                    if work.planned_any(kind, &name).is_some() {
                        let without = format!("it is not written without its document: {reason}");
                        work.withdraw(kind, &name, Outcome::Quarantined, &without);
                    }
                    work.quarantine(component, &Unreadable(reason));
                }
            }
        }
        Ok(())
    }
}

/// An out-of-the-box item as the archive has it, if the archive says which of its values were kept from an older
/// environment.
fn kept(work: &Work<'_>, kind: Kind, name: &str, document: &Document) -> Option<AnyItem> {
    let patch = document.patch.clone().filter(|_| work.is_shipped(kind, name))?;
    patch.get("source")?.get("kept")?.as_object().filter(|kept| !kept.is_empty())?;
    let mut json = work.base.entry(kind, name)?.item.to_json();
    merge_patch::merge(&mut json, Value::Object(patch));
    AnyItem::parse(kind, name, json).ok()
}

/// The collection and the name in a path.
fn place(path: &str) -> Result<(Kind, &str), String> {
    let mut parts = path.split('/').skip(1);
    let (Some(collection), Some(file), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("`{path}` is no place for a document: `{FOLDER}/<collection>/<unique name>.json` is"));
    };
    let kind: Kind = collection.parse().map_err(|error: crate::domain::UnknownKind| error.to_string())?;
    if kind == Kind::User {
        return Err("people belong to one environment and are never imported: create them there".to_owned());
    }
    if !kind.is_portable() {
        return Err(format!(
            "{} are what one environment runs and are never imported: install them there",
            kind.plural()
        ));
    }
    let name = file.strip_suffix(".json").filter(|name| !name.is_empty());
    Ok((kind, name.ok_or_else(|| format!("`{path}` is no document: its name must end in `.json`"))?))
}

fn item(work: &Work<'_>, kind: Kind, name: &str, document: Document) -> Result<AnyItem, String> {
    let only = match kind {
        Kind::DefaultProfile => Some(DefaultProfile::NAME),
        Kind::Environment => Some(Environment::NAME),
        _ => None,
    };
    if let Some(only) = only.filter(|only| *only != name) {
        return Err(format!("there is only one {kind}, and it is called `{only}`, not `{name}`"));
    }
    let json = match document {
        Document { item: Some(item), patch: None, .. } => item,
        Document { patch: Some(patch), item: None, .. } => {
            let there = work.planned_any(kind, name).or_else(|| work.existing_any(kind, name));
            let mut json = there.ok_or("there is nothing to patch: give the whole as `item`")?.to_json();
            merge_patch::merge(&mut json, Value::Object(patch));
            json
        }
        _ => return Err("a document has either `patch` or `item`".to_owned()),
    };
    AnyItem::parse(kind, name, json).map_err(|error| error.to_string())
}
