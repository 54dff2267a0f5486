//! Reads an exported solution and plans what it changes here.
//!
//! Pure: the bytes of a zip archive and a snapshot in, a plan out. Nothing is written, nothing named in an export is
//! fetched, and planning again on what a plan made changes nothing. Everything that was read is in the report, whatever
//! became of it.
//!
//! Refuses an archive only if it is no solution, is damaged, or is hostile. A row that cannot be read is quarantined with
//! the reason and keeps no other from being imported. A table nobody knows is reported and skipped.
//!
//! Rules that hold for every table:
//!
//! - An item that is here already is replaced by the archive's. An item of which the archive has only parts or links gets
//!   those. What the product ships is never written.
//! - Columns that mean nothing here are kept in `source.attributes`, those of parts under `<table>/<name>/<column>`.
//! - Texts keep their bytes; a stray blank or carriage return is a warning.
//! - Nothing depends on the order of files, rows or links.

mod application_extension;
mod archive;
mod channel_provider;
mod copilot;
mod customizations;
mod dependencies;
mod inbox;
mod macros;
mod notification;
mod pane;
mod pane_tool;
mod profile;
mod rank;
mod report;
mod row;
mod rows;
mod script;
mod session_template;
mod smart_assist;
mod solution;
mod source_rows;
mod tab;
mod unread;
mod work;
mod xml;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::store::{ChangeSet, Snapshot};

use archive::Archive;
use customizations::Customizations;
use rows::Rows;
use solution::Solution;
use work::Work;

pub use archive::Error as ArchiveError;
pub(crate) use archive::admit;
pub use report::{Component, Counts, Dependency, Link, LinkOutcome, Outcome, Report, SolutionSummary, Warning};
pub(crate) use source_rows::{SolutionRows, rows};
pub(crate) use xml::{Element, parse, stream};
pub use xml::{Error as XmlError, Problem as XmlProblem};

/// What an import is going to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The changes. Each expects what the snapshot showed, and rules that existing environments break are reported only.
    pub changes: ChangeSet,
    /// What was read, and what becomes of it.
    pub report: Report,
}

/// An archive that is not imported at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be unpacked, or should not be.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// One of its documents cannot be read, or should not be.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is the other kind of export.
    #[error(
        "the archive is a Configuration Migration package (`data.xml`), which is not read yet: export the profiles as a solution instead"
    )]
    ConfigurationMigration,
    /// It is no solution.
    #[error("the archive is no exported solution: `{missing}` is not in it; choose the zip file that the export made")]
    NotASolution {
        /// What a solution would have.
        missing: &'static str,
    },
    /// `solution.xml` describes no solution.
    #[error(
        "`solution.xml` describes no solution, it has no `SolutionManifest`: choose the zip file that the export made"
    )]
    NoManifest,
}

const SOLUTION: &str = "solution.xml";
const CUSTOMIZATIONS: &str = "customizations.xml";

/// Plans the import of the solution in `zip` into an environment that is now as `base` shows.
pub fn plan(zip: &[u8], base: &Snapshot) -> Result<Plan, Error> {
    let mut archive = Archive::read(zip)?;
    let solution = xml::parse(SOLUTION, &take(&mut archive, SOLUTION)?)?;
    let solution = Solution::read(&solution).ok_or(Error::NoManifest)?;
    let customizations = xml::parse(CUSTOMIZATIONS, &take(&mut archive, CUSTOMIZATIONS)?)?;
    let Customizations { workflows, mut links, roles, unread } = Customizations::read(customizations);
    let (mut rows, spoilt) = Rows::take_from(&mut archive)?;

    let mut work = Work::new(base, &solution, &roles);
    dependencies::check(&mut work, &rows);
    macros::read(&mut work, workflows, &mut archive.files);
    script::read(&mut work, &mut rows);
    tab::read(&mut work, &mut rows);
    notification::read(&mut work, &mut rows, &mut links);
    session_template::read(&mut work, &mut rows, &mut links);
    smart_assist::read(&mut work, &mut rows);
    pane_tool::read(&mut work, &mut rows);
    channel_provider::read(&mut work, &mut rows);
    application_extension::read(&mut work, &mut rows);
    profile::read(&mut work, &mut rows, &mut links);
    unread::report(&mut work, rows, links, unread, spoilt, archive);
    let (changes, report) = work.finish();
    Ok(Plan { changes, report })
}

fn take(archive: &mut Archive, file: &'static str) -> Result<Vec<u8>, Error> {
    archive.files.remove(file).ok_or_else(|| {
        let is_package = archive.files.contains_key("data.xml");
        if is_package { Error::ConfigurationMigration } else { Error::NotASolution { missing: file } }
    })
}
