//! Reports everything that is left after all known tables were read, so that nothing vanishes silently.

use super::archive::Archive;
use super::customizations::Links;
use super::layout::is_litter;
use super::rows::{Rows, Spoilt};
use super::unreadable::Unreadable;
use super::work::Work;

/// Files that only describe the archive.
const DESCRIPTIVE: &[&str] = &["[Content_Types].xml"];
/// The note about files that belong to no solution.
const LITTER: &str = "the system that packed the archive left it; it is not read";

/// Reports rows of unknown tables, unknown links, sections and files that were not read, and rows that are no XML.
pub(super) fn report(
    work: &mut Work<'_>,
    mut rows: Rows,
    mut links: Links,
    sections: Vec<(String, usize)>,
    spoilt: Spoilt,
    archive: &Archive<'_>,
) {
    for (table, of_table) in rows.rest() {
        let message = format!("rows of `{table}` are not read: {} skipped", of_table.len());
        work.report.warn("unknown-table", &table, message);
        for row in of_table {
            let component = work.component(&table, &row.name);
            work.skip(component, format!("rows of this table are not read (`{}`)", row.file));
        }
    }
    for link in links.rest() {
        let message = "links of this table are not read".to_owned();
        work.report.warn("unknown-link", &link.table, message.clone());
        work.leave_out(&link, message);
    }
    for (section, count) in sections {
        let message = format!("`{section}` of `customizations.xml` is not read: {count} skipped");
        work.report.warn("unknown-section", &section, message.clone());
        let component = work.component(&section, "customizations.xml");
        work.skip(component, message);
    }
    for (path, reason) in spoilt {
        let table = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".xml").to_owned();
        let component = work.component(&table, &path);
        work.quarantine(component, &Unreadable(reason));
    }
    for path in archive.paths().filter(|path| !DESCRIPTIVE.contains(path)) {
        let table = path.split_once('/').map_or("", |(folder, _)| folder).to_owned();
        let component = work.component(&table, path);
        let reason = if is_litter(path) { LITTER } else { "files of this sort are not read" };
        work.skip(component, reason);
        work.report.warn("unknown-file", path, reason);
    }
}
