//! Configuration Migration packages: `data.xml` with the records of each table, `data_schema.xml` with the tables.
//!
//! Reads `data.xml` record by record, whatever its size. Odd properties of real packages are handled here, once:
//!
//! - JSON inside an attribute is escaped twice.
//! - A block of links may name a row that is in no record. It is handed out like any other; the caller finds out.
//! - A look-up carries the ID of its row, and often the row's name, which may be all that was exported of it.
//! - Names of relationships are cut at about 45 characters, so links are told apart by the tables they join.
//!
//! Refuses a document with another root than `entities`: none of its content would be a record.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use quick_xml::escape::unescape;
use zip::ZipArchive;

use crate::domain::row::LookUp;
use crate::domain::secret_column::{is_secret, left_behind};
use crate::domain::source::guid;
use crate::domain::{Row, RowKey};
use crate::import::{ArchiveError, Element, SECRETS_LEFT, parse_rooted, stream};
use crate::store::journal::{Edge, Note};

use super::{ReadError, Record, not_a_zip};

pub(super) const DATA: &str = "data.xml";
pub(super) const SCHEMA: &str = "data_schema.xml";
/// The root of both documents.
const ROOT: &str = "entities";
/// Files that only describe the archive.
const DESCRIPTIVE: &[&str] = &["[Content_Types].xml", DATA, SCHEMA];

/// The prefix for names that have none: a package does not name its author.
pub(super) const PREFIX: &str = "legacy";

/// The largest `data.xml`, unpacked, in bytes.
const DATA_MAX: u64 = 8 << 30;
/// The largest `data_schema.xml`, unpacked, in bytes.
const SCHEMA_MAX: u64 = 8 << 20;
/// The largest ratio of `data.xml` to its packed form. Records of one table are alike and pack well.
const RATIO_MAX: u64 = 200;
/// Documents up to this size, in bytes, may have any ratio.
const RATIO_FREE: u64 = 16 << 20;

/// A package that was opened.
pub(super) struct Package {
    path: PathBuf,
    notes: Vec<Note>,
    /// The tables that the schema describes.
    tables: BTreeSet<String>,
    /// Whether one of the rows read so far had a secret.
    pub(super) without_secrets: AtomicBool,
}

impl Package {
    pub(super) fn open(path: &Path, zip: &mut ZipArchive<File>, names: &[String]) -> Result<Self, ReadError> {
        let note = |code: &str, place: &str, message: String| Note {
            step: String::new(),
            code: code.to_owned(),
            place: place.to_owned(),
            message,
        };
        let unread = names.iter().filter(|name| !DESCRIPTIVE.contains(&name.as_str()));
        let mut notes: Vec<Note> =
            unread.map(|name| note("unknown-file", name, "files of this sort are not read".to_owned())).collect();
        let mut tables = BTreeSet::new();
        if names.iter().any(|name| name == SCHEMA) {
            let mut text = Vec::new();
            open(zip, path, SCHEMA, SCHEMA_MAX)?.read_to_end(&mut text).map_err(|error| damaged(SCHEMA, &error))?;
            tables = described(&text)?;
        } else {
            let message = format!("the package has no `{SCHEMA}`: tables it should have may be missing unnoticed");
            notes.push(note("no-schema", SCHEMA, message));
        }
        Ok(Self { path: path.to_owned(), notes, tables, without_secrets: AtomicBool::new(false) })
    }

    pub(super) fn read<E: From<ReadError>>(&self, visit: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        self.notes.iter().cloned().map(Record::Note).try_for_each(&mut *visit)?;
        let opened = File::open(&self.path).map_err(ReadError::from)?;
        let mut zip = ZipArchive::new(opened).map_err(not_a_zip)?;
        let input = open(&mut zip, &self.path, DATA, DATA_MAX)?;
        records(input, &self.tables, &mut || self.without_secrets.store(true, Relaxed), visit)
    }
}

/// The records of `data_schema.xml` and `data.xml`, in their order.
pub(crate) fn read_documents(schema: &[u8], data: &[u8]) -> Result<Vec<Record>, ReadError> {
    let (mut found, tables) = (Vec::new(), described(schema)?);
    records(data, &tables, &mut || {}, &mut |record| {
        found.push(record);
        Ok::<_, ReadError>(())
    })?;
    Ok(found)
}

/// The tables that `data_schema.xml` describes.
fn described(schema: &[u8]) -> Result<BTreeSet<String>, ReadError> {
    let schema = parse_rooted(SCHEMA, ROOT, schema)?;
    Ok(schema.children.iter().filter_map(|entity| entity.attribute("name")).map(str::to_owned).collect())
}

/// Passes the records of `data.xml` to `visit`, and calls `had_secrets` for each row with secrets.
fn records<E: From<ReadError>>(
    input: impl Read,
    tables: &BTreeSet<String>,
    had_secrets: &mut dyn FnMut(),
    visit: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = BTreeSet::new();
    let read = stream(DATA, ROOT, input, |name| matches!(name, "record" | "m2mrelationship"), &mut |within, piece| {
        let table = within.iter().find(|element| element.name == "entity");
        let table = table.and_then(|element| element.attribute("name")).unwrap_or_default();
        if !seen.contains(table) {
            seen.insert(table.to_owned());
            if !tables.is_empty() && !tables.contains(table) {
                let message = format!("`{SCHEMA}` does not describe the table; its rows are read all the same");
                let (step, code) = (String::new(), "table-not-in-schema".to_owned());
                visit(Record::Note(Note { step, code, place: table.to_owned(), message })).map_err(Stop::Visitor)?;
            }
        }
        if piece.name == "record" {
            let (row, secrets) = row(table, &piece);
            if !secrets.is_empty() {
                had_secrets();
                let (step, code) = (String::new(), SECRETS_LEFT.to_owned());
                let (place, message) = (format!("{}/{}", row.key.table, row.key.id), left_behind(&secrets));
                visit(Record::Note(Note { step, code, place, message })).map_err(Stop::Visitor)?;
            }
            return visit(Record::Row(row)).map_err(Stop::Visitor);
        }
        links(table, &piece).into_iter().try_for_each(|link| visit(Record::Link(link)).map_err(Stop::Visitor))
    });
    read.map_err(|stop| match stop {
        Stop::Visitor(error) => error,
        Stop::Xml(error) => ReadError::from(error).into(),
    })
}

/// Why reading ended early.
enum Stop<E> {
    Visitor(E),
    Xml(crate::import::XmlError),
}

impl<E> From<crate::import::XmlError> for Stop<E> {
    fn from(error: crate::import::XmlError) -> Self {
        Self::Xml(error)
    }
}

fn open<'a>(
    zip: &'a mut ZipArchive<File>,
    path: &Path,
    name: &str,
    max: u64,
) -> Result<impl Read + use<'a>, ReadError> {
    let entry = zip.by_name(name).map_err(not_a_zip)?;
    // An entry cannot have more packed bytes than the file, whatever its header says.
    let packed = entry.compressed_size().min(std::fs::metadata(path)?.len());
    let proportionate = packed.saturating_mul(RATIO_MAX).max(RATIO_FREE);
    Ok(Limited { input: entry, left: max.min(proportionate) })
}

/// Fails as soon as an entry becomes larger than allowed.
struct Limited<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let counted = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(counted).ok_or_else(|| io::Error::other("it grows out of all proportion"))?;
        Ok(read)
    }
}

fn damaged(entry: &str, error: &io::Error) -> ReadError {
    ArchiveError::Damaged { entry: entry.to_owned(), reason: error.to_string() }.into()
}

/// A GUID in its canonical spelling; any other text unchanged.
fn id(typed: &str) -> String {
    guid(typed).unwrap_or_else(|| typed.to_owned())
}

/// A row, and its columns that were left out because they hold secrets.
fn row(table: &str, record: &Element) -> (Row, Vec<String>) {
    let mut secrets = Vec::new();
    let mut row = Row { key: RowKey::new(table, id(record.attribute("id").unwrap_or_default())), ..Row::default() };
    for field in record.children.iter().filter(|child| child.name == "field") {
        let (Some(column), Some(value)) = (field.attribute("name"), field.attribute("value")) else { continue };
        if is_secret(column, value) {
            secrets.push(column.to_owned());
            continue;
        }
        match field.attribute("lookupentity") {
            Some(_) if value.trim().is_empty() => {}
            Some(target) => row.look_ups.push(LookUp {
                column: column.to_owned(),
                table: target.to_owned(),
                id: id(value),
                label: field.attribute("lookupentityname").unwrap_or_default().to_owned(),
            }),
            None if value.is_empty() => {}
            None => row.values.push((column.to_owned(), text(value))),
        }
    }
    (row, secrets)
}

/// A value without the second escaping of JSON in it.
fn text(value: &str) -> String {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let may_be = value.starts_with(['{', '[']) && value.contains('&') && !is_json(value);
    let inner = unescape(value).ok().filter(|inner| may_be && is_json(inner));
    inner.map_or_else(|| value.to_owned(), Cow::into_owned)
}

fn links(table: &str, block: &Element) -> Vec<Edge> {
    let of = |name: &str| block.attribute(name).unwrap_or_default();
    let from = RowKey::new(table, id(of("sourceid")));
    let targets = block.child("targetids").map_or(&[][..], |list| list.children.as_slice());
    let edge = |target: &Element| Edge {
        relation: of("m2mrelationshipname").to_owned(),
        from: from.clone(),
        to: RowKey::new(of("targetentityname"), id(target.text.trim())),
    };
    targets.iter().filter(|child| child.name == "targetid").map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_was_escaped_twice_is_read() {
        for (value, expected) in [
            (r#"{&quot;a&quot;:&quot;b&amp;c&quot;}"#, r#"{"a":"b&c"}"#),
            (r#"{"a":"&quot;"}"#, r#"{"a":"&quot;"}"#),
            ("{customer} &amp; co", "{customer} &amp; co"),
            ("[&quot;a&quot;", "[&quot;a&quot;"),
            ("a &amp; b", "a &amp; b"),
        ] {
            assert_eq!(text(value), expected, "{value}");
        }
    }

    #[test]
    fn an_entry_that_grows_is_stopped() {
        let mut endless = Limited { input: io::repeat(b'x'), left: 100 };
        let error = endless.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "it grows out of all proportion");
    }
}
