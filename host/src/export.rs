//! Writes the custom configuration of an environment as a solution that the import reads.
//!
//! Pure: takes a snapshot and returns the bytes of a zip archive, the same bytes for the same configuration. Tables
//! hold what a solution can express, in the shape of solutions; documents in `loadout/` hold the rest. The import's own
//! planner reads the tables back to find the rest: each item that comes out different gets a document. The finished
//! archive is read back once more, and refused if anything is missing.
//!
//! Leaves out items that shipped with the product, which every environment has, and people, who belong to one
//! environment. Direct assignments are included only on request (ruling 8.16). A name that cannot be a path is respelt
//! in the path; the content keeps it.

mod application_extension;
mod channel_provider;
mod copilot;
mod customizations;
mod document;
mod inbox;
mod macros;
mod notification;
mod options;
mod pack;
mod pane;
mod pane_tool;
mod path;
mod profile;
mod room;
mod row;
mod script;
mod session_template;
mod smart_assist;
mod solution;
mod tab;
mod tables;
mod workflow;
mod xml;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Duties, Kind, Problem, Problems, Revision, bounds};
use crate::import;
use crate::import::assignment;
use crate::import::document::{FORMAT, format_path};
use crate::import::expected;
use crate::import::{LinkOutcome, Outcome, Plan, Report};
use crate::store::{Change, Snapshot};

use document::Items;
pub(crate) use pack::{pack, pack_each};
use path::Paths;
use room::Room;
use tables::Tables;

pub use options::{InvalidOption, Options};

/// An exported environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The revision that was exported.
    pub revision: Revision,
    /// The number of custom items of each kind in it, for the kinds that have any.
    pub zip: Vec<u8>,
    /// How many custom items of each kind are in it, for the kinds that have any.
    pub counts: Vec<(Kind, usize)>,
}

/// Why an environment is not exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive could not be packed.
    #[error("the archive cannot be packed: {reason}")]
    Pack {
        /// What the packer reported.
        reason: String,
    },
    /// The import would refuse the archive.
    #[error("the export could not be imported again: {0}")]
    Unreadable(#[from] import::Error),
    /// The environment has an item from an older host that this host, and so an import, would refuse.
    #[error("{kind} `{name}` cannot be exported as it is: {problem}")]
    Invalid {
        /// The kind of the item.
        kind: Kind,
        /// The name of the item.
        name: String,
        /// What is wrong with the item.
        problem: Problem,
    },
    /// An item would come out of the archive different from what went in.
    #[error("{kind} `{name}` would not survive an export: change it, and please report this")]
    Unfaithful {
        /// The kind of the item.
        kind: Kind,
        /// The name of the item.
        name: String,
    },
}

const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\n  \
    <Default Extension=\"xml\" ContentType=\"application/octet-stream\" />\n  \
    <Default Extension=\"json\" ContentType=\"application/octet-stream\" />\n</Types>\n";

/// The profiles that people are assigned to directly, by login.
pub type Assignments = BTreeMap<String, BTreeSet<String>>;

/// Exports every custom item of `snapshot`, and `assignments` unless they are empty. `duties` are the duties of plugins
/// that other environments may not have, so that no tool is shown there for lack of the plugin.
pub fn archive(
    snapshot: &Snapshot,
    assignments: &Assignments,
    duties: &BTreeMap<String, Duties>,
    options: &Options,
) -> Result<Export, Error> {
    archive_within(snapshot, assignments, duties, options, Room::default())
}

/// Exports as [`archive`], with `room` for the tables.
fn archive_within(
    snapshot: &Snapshot,
    assignments: &Assignments,
    duties: &BTreeMap<String, Duties>,
    options: &Options,
    room: Room,
) -> Result<Export, Error> {
    check_items(snapshot)?;
    let prefix = solution::prefix(snapshot);
    let shipped = snapshot.shipped();
    let mut tables = Tables::new(snapshot, &prefix);
    write(&mut tables);
    room::keep_what_fits(&mut tables, room);
    let (mut files, mut paths, said) = loop {
        let mut paths = Paths::default();
        let files = files(&tables, options, &mut paths);
        let plan = import::plan_files(files.iter().cloned(), &shipped)?;
        // Rows that the import would not take count for nothing; documents hold their content.
        if !drop_unread(&mut tables, &plan.report) {
            break (files, paths, items(plan));
        }
    };
    files.extend(document::write(snapshot, &said, &mut paths));
    files.extend(document::write_kept(snapshot, &mut paths));
    if !assignments.is_empty() {
        files.push((assignment::path(), document::text(assignments)));
    }
    if !duties.is_empty() {
        files.push((expected::path(), document::text(duties)));
    }
    files[DESCRIPTIVE..].sort();
    let zip = pack(&files)?;
    check(snapshot, import::plan_export(&zip, &shipped)?)?;
    let count = |kind: &Kind| (*kind, document::custom(snapshot).filter(|(of, _, _)| of == kind).count());
    let counts = Kind::ALL.iter().map(count).filter(|(_, count)| *count > 0).collect();
    Ok(Export { revision: snapshot.revision(), zip, counts })
}

fn write(tables: &mut Tables<'_>) {
    macros::write(tables);
    script::write(tables);
    tab::write(tables);
    notification::write(tables);
    session_template::write(tables);
    smart_assist::write(tables);
    pane_tool::write(tables);
    channel_provider::write(tables);
    application_extension::write(tables);
    profile::write(tables);
}

/// The number of files that describe the archive and come first in it.
const DESCRIPTIVE: usize = 3;

fn files(tables: &Tables<'_>, options: &Options, paths: &mut Paths) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), CONTENT_TYPES.as_bytes().to_vec()),
        ("solution.xml".to_owned(), solution::document(tables, options).into_bytes()),
        ("customizations.xml".to_owned(), customizations::document(tables).into_bytes()),
        (format_path(), document::text(&FORMAT)),
    ];
    let definitions = tables.workflows.values();
    files.extend(definitions.map(|workflow| (workflow.path.clone(), workflow.definition.clone().into_bytes())));
    for row in tables.rows.values() {
        let path = paths.take(&format!("{}s", row.table), &row.name, &format!("/{}.xml", row.table));
        files.push((path, row.element().document().into_bytes()));
    }
    files
}

/// Removes from the tables what the import skipped or quarantined. Returns whether there was anything.
fn drop_unread(tables: &mut Tables<'_>, report: &Report) -> bool {
    let size = |tables: &Tables<'_>| (tables.rows.len(), tables.workflows.len(), tables.links.len());
    let before = size(tables);
    let unread = report.components.iter().filter(|it| matches!(it.outcome, Outcome::Skipped | Outcome::Quarantined));
    let unread: BTreeSet<(&str, &str)> = unread.map(|it| (it.table.as_str(), it.source_name.as_str())).collect();
    tables.rows.retain(|(table, name), _| !unread.contains(&(*table, name.as_str())));
    tables.workflows.retain(|id, _| !unread.contains(&("workflow", id.as_str())));
    let left_out = report.links.iter().filter(|link| link.outcome == LinkOutcome::LeftOut);
    let left_out: BTreeSet<(&str, &[String])> = left_out.map(|it| (it.table.as_str(), it.ends.as_slice())).collect();
    tables.links.retain(|link| {
        let ends = link.ends.each_ref().map(|(column, name)| format!("{column}={name}"));
        !left_out.contains(&(link.table, ends.as_slice()))
    });
    size(tables) != before
}

/// The items that a plan for an environment without custom items makes.
fn items(plan: Plan) -> Items {
    let put = |change| match change {
        Change::Put { name, item, .. } => Some(((item.kind(), name), item)),
        Change::Delete { .. } | Change::Assign { .. } | Change::Unassign { .. } => None,
    };
    plan.changes.changes.into_iter().filter_map(put).collect()
}

/// Refuses an item from an older host that breaks a rule of this host. The error names the attribute to mend.
fn check_items(snapshot: &Snapshot) -> Result<(), Error> {
    for (kind, name, entry) in document::custom(snapshot) {
        let mut problems = Problems::default();
        entry.item.check(&mut problems);
        if let Some(problem) = problems.0.into_iter().find(|problem| !problem.tolerable) {
            return Err(Error::Invalid { kind, name: name.to_string(), problem });
        }
    }
    Ok(())
}

/// Checks that the archive makes the custom items of `snapshot`, and no others.
fn check(snapshot: &Snapshot, plan: Plan) -> Result<(), Error> {
    let mut made = items(plan);
    for (kind, name, entry) in document::custom(snapshot) {
        let made = made.remove(&(kind, name.clone()));
        if !made.is_some_and(|made| document::are_same(&made, &document::exported(&entry.item))) {
            let name = name.to_string();
            // An item from an older host may be larger than any archive can hold.
            return Err(match bounds::check(&entry.item, None).into_iter().next() {
                Some(problem) => Error::Invalid { kind, name, problem },
                None => Error::Unfaithful { kind, name },
            });
        }
    }
    match made.into_keys().next() {
        Some((kind, name)) => Err(Error::Unfaithful { kind, name: name.to_string() }),
        None => Ok(()),
    }
}
