//! Reads an exported solution and plans what it changes here.
//!
//! Pure: takes the bytes of a zip archive and a snapshot, and returns a plan. Writes nothing, and fetches nothing that
//! an export refers to. Planning the same archive again after its plan was carried out changes nothing. The report
//! lists everything that was read, with its outcome.
//!
//! Refuses an archive only if it is no solution, is damaged, or is hostile. A row that cannot be read is quarantined
//! with the reason, and does not keep other rows from being imported. A table that this import does not know is
//! reported and skipped.
//!
//! Rules that hold for every table:
//!
//! - An item that exists here is replaced by the archive's. If the archive has only parts or links of an item, they are
//!   added to the existing item. Items that the product ships are never written.
//! - Documents in the folder `loadout/`, beside the tables, hold what a solution cannot express. An archive that was
//!   exported here is complete: its tables are read as though only shipped content existed here, so the outcome is the
//!   same wherever it is imported.
//! - Columns without a meaning here are kept in `source.attributes`, those of parts under `<table>/<name>/<column>`.
//! - Texts keep their bytes; a stray blank or carriage return is a warning.
//! - The result does not depend on the order of files, rows or links.

pub(crate) mod application_extension;
mod archive;
pub(crate) mod assignment;
pub(crate) mod channel_provider;
mod conflict;
pub(crate) mod copilot;
mod customizations;
pub(crate) mod dependencies;
pub(crate) mod document;
pub(crate) mod entries;
pub(crate) mod expected;
pub(crate) mod inbox;
pub(crate) mod json;
pub(crate) mod layout;
pub(crate) mod macros;
mod made;
pub(crate) mod notification;
pub(crate) mod pane;
pub(crate) mod pane_tab;
pub(crate) mod pane_tool;
pub(crate) mod profile;
pub(crate) mod profile_table;
mod quarantine;
pub(crate) mod rank;
mod report;
mod row;
mod rows;
pub(crate) mod script;
pub(crate) mod session_template;
pub(crate) mod smart_assist;
mod solution;
mod source_row;
mod source_rows;
pub(crate) mod tab;
mod unread;
mod unreadable;
mod work;
mod xml;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use crate::domain::AnyItem;
use crate::domain::bounds::LIBRARY_BYTES_MAX;
use crate::domain::secret_column::left_behind;
use crate::store::{ChangeSet, Snapshot};

pub(crate) use archive::Archive;
use assignment::Wanted;
use customizations::Customizations;
use document::Documents;
use expected::Expected;
use rows::Rows;
use solution::Solution;
use work::Work;

pub use archive::Error as ArchiveError;
pub(crate) use archive::{ENTRY_MAX, TOTAL_MAX, admit, check_entries, check_names, check_size};
pub use conflict::{Conflict, OnConflict};
pub use layout::Layout;
pub use report::{Component, Counts, Dependency, Link, LinkOutcome, Outcome, Report, SolutionSummary, Warning};
pub(crate) use source_rows::{SolutionRows, rows};
use xml::Budget;
pub(crate) use xml::{Element, Metered, is_character, parse_rooted, stream};
pub use xml::{Error as XmlError, Problem as XmlProblem};

/// The plan of an import.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The changes. Each expects the state in the snapshot. Rules that existing environments break are only reported.
    pub changes: ChangeSet,
    /// What was read, with its outcome.
    pub report: Report,
    /// Out-of-the-box items as the archive has them. Only an upgrade may write them.
    pub(crate) kept: Vec<(Arc<str>, AnyItem)>,
    /// Direct assignments in the archive, see [`Plan::assign`].
    assignments: Vec<Wanted>,
    /// Plugins that the archive names, see [`Plan::expect_plugins`].
    expected: Vec<Expected>,
}

/// Why an archive is not imported at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be unpacked, or is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A document in the archive cannot be read, or is refused.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The archive is another kind of export.
    #[error(
        "the archive is a Configuration Migration package (`data.xml`), which is not imported but upgraded from: use `loadout upgrade plan`"
    )]
    ConfigurationMigration,
    /// The archive is no solution, or is not laid out as an export.
    #[error("{layout}")]
    NotASolution {
        /// What the archive is instead.
        layout: Layout,
    },
    /// A single item, or the settings of the environment, differ here and in the archive, and the caller allows neither
    /// to give way.
    #[error("{}: say `keep` or `take` instead of `fail`", conflict::told(.0))]
    Conflict(Vec<Conflict>),
    /// `solution.xml` describes no solution.
    #[error(
        "`solution.xml` describes no solution, it has no `SolutionManifest`: choose the zip file that the export made"
    )]
    NoManifest,
}

/// Whether an import reads the rows of a table.
pub(crate) fn reads(table: &str) -> bool {
    const TABLES: &[&str] = &[
        "msdyn_appconfiguration",
        "msdyn_appcopilotconfiguration",
        "msdyn_applicationextension",
        "msdyn_applicationtabtemplate",
        "msdyn_appprofilerolemapping",
        "msdyn_channelprovider",
        "msdyn_inboxconfiguration",
        "msdyn_notificationfield",
        "msdyn_notificationtemplate",
        "msdyn_paneconfiguration",
        "msdyn_panetabconfiguration",
        "msdyn_panetoolconfiguration",
        "msdyn_productivityagentscript",
        "msdyn_productivityagentscriptstep",
        "msdyn_sessiontemplate",
        "msdyn_smartassistconfig",
        "msdyn_templateparameter",
        "workflow",
    ];
    TABLES.contains(&table)
}

/// Whether a file of an archive holds assignments of people. It holds no items.
pub(crate) fn is_about_people(path: &str) -> bool {
    path == assignment::path()
}

/// The code of the note about columns that hold secrets.
pub(crate) const SECRETS_LEFT: &str = "secret-left-behind";

pub(crate) const SOLUTION: &str = "solution.xml";
const CUSTOMIZATIONS: &str = "customizations.xml";

/// Plans the import of the solution in `zip` into the environment `base`. Items of the archive replace existing ones.
pub fn plan(zip: &[u8], base: &Snapshot) -> Result<Plan, Error> {
    plan_with(zip, base, OnConflict::Take)
}

/// Plans as [`plan`]. `on_conflict` says which of two single items stays.
pub fn plan_with(zip: &[u8], base: &Snapshot, on_conflict: OnConflict) -> Result<Plan, Error> {
    plan_archive(Archive::read(zip)?, base, By::Caller, on_conflict, LIBRARY_BYTES_MAX)
}

/// Plans as [`plan`], for an archive that an export has just made.
pub(crate) fn plan_export(zip: &[u8], base: &Snapshot) -> Result<Plan, Error> {
    plan_archive(Archive::read(zip)?, base, By::Export, OnConflict::Take, LIBRARY_BYTES_MAX)
}

/// Plans as [`plan_export`], for files that are not packed yet.
pub(crate) fn plan_files(files: impl IntoIterator<Item = (String, Vec<u8>)>, base: &Snapshot) -> Result<Plan, Error> {
    plan_archive(Archive::of(files), base, By::Export, OnConflict::Take, LIBRARY_BYTES_MAX)
}

/// The origin of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The caller brought the archive: the bounds of items apply.
    Caller,
    /// An export reads back its own archive. Its items are in the environment already, so newer bounds do not apply to
    /// them.
    Export,
}

fn plan_archive(
    mut archive: Archive<'_>,
    base: &Snapshot,
    by: By,
    on_conflict: OnConflict,
    made_max: usize,
) -> Result<Plan, Error> {
    let solution = xml::parse(SOLUTION, &take(&mut archive, SOLUTION)?)?;
    let solution = Solution::read(&solution).ok_or(Error::NoManifest)?;
    let mut budget = Budget::default();
    let mut customizations = xml::parse_within(CUSTOMIZATIONS, &take(&mut archive, CUSTOMIZATIONS)?, &mut budget)?;
    let secrets = customizations.leave_secrets();
    let Customizations { workflows, mut links, roles, unread } = Customizations::read(customizations);
    let assignments = archive.take(&assignment::path())?;
    let plugins = archive.take(&expected::path())?;
    let documents = Documents::take_from(&mut archive)?;
    let (mut rows, spoilt) = Rows::take_from(&mut archive, documents.are_whole(), &mut budget)?;

    let shipped = documents.are_whole().then(|| base.shipped());
    let mut work = Work::new(base, shipped.as_ref(), &solution, &roles, by, made_max);
    let elsewhere = (!secrets.is_empty()).then(|| (CUSTOMIZATIONS.to_owned(), secrets));
    for (place, columns) in std::mem::take(&mut rows.without_secrets).into_iter().chain(elsewhere) {
        work.report.warn(SECRETS_LEFT, place, left_behind(&columns));
    }
    let macros = macros::read(&mut work, workflows, &mut archive);
    script::read(&mut work, &mut rows, &macros);
    tab::read(&mut work, &mut rows);
    notification::read(&mut work, &mut rows, &mut links);
    session_template::read(&mut work, &mut rows, &mut links);
    smart_assist::read(&mut work, &mut rows);
    pane_tool::read(&mut work, &mut rows);
    channel_provider::read(&mut work, &mut rows);
    application_extension::read(&mut work, &mut rows);
    profile::read(&mut work, &mut rows, &mut links);
    documents.read(&mut work, &mut archive)?;
    conflict::settle(&mut work, on_conflict)?;
    quarantine::settle(&mut work);
    let assignments = assignment::read(&mut work, assignments);
    let expected = expected::read(&mut work, plugins);
    unread::report(&mut work, rows, links, unread, spoilt, &archive);
    let kept = std::mem::take(&mut work.kept);
    let (changes, mut report) = work.finish();
    dependencies::check(&mut report, &solution.dependencies, base);
    Ok(Plan { changes, report, kept, assignments, expected })
}

fn take(archive: &mut Archive<'_>, file: &'static str) -> Result<Vec<u8>, Error> {
    archive.take(file)?.ok_or_else(|| {
        let is_package = archive.has("data.xml");
        if is_package {
            return Error::ConfigurationMigration;
        }
        // A file that is there already is no sign of another layout.
        let is_solution = file != SOLUTION;
        let layout = if is_solution { Layout::Without(file) } else { Layout::of(archive.paths(), file) };
        Error::NotASolution { layout }
    })
}
