//! Describes archives that are laid out in another way than exports: most often a solution packed by hand.
//!
//! An administrator may pack the unpacked solution, the folder around it, or the zip file itself. Such an archive is
//! refused; the message says what was found in it and what to do. Archives within archives are not opened. This module
//! also recognises files that an operating system leaves in folders and archives: they are reported, and never read.

use std::fmt;

use crate::domain::excerpt::{PLACE_MAX, excerpt};

use super::{CUSTOMIZATIONS, SOLUTION};

/// The folder of the documents.
pub(crate) const FOLDER: &str = "loadout";

/// Whether the file at `path` is in the folder of the documents.
pub(super) fn is_document(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

/// The data file of a Configuration Migration package.
const DATA: &str = "data.xml";

/// How an archive is laid out instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// As the files of an unpacked solution. Holds the path of its manifest.
    Unpacked(String),
    /// With the expected files in a folder.
    Folder {
        /// The folder.
        folder: String,
        /// The file that was recognised.
        file: String,
    },
    /// With another archive in it. Holds its path.
    Inner(String),
    /// Without a required file.
    Without(&'static str),
}

impl Layout {
    /// The layout of an archive without the file `missing` and with these `paths`.
    pub(crate) fn of<'a>(paths: impl Iterator<Item = &'a str>, missing: &'static str) -> Self {
        let (mut unpacked, mut folder, mut inner) = (None, None, None);
        for path in paths.filter(|path| !is_litter(path)) {
            let shown = || excerpt(path, PLACE_MAX).into_owned();
            let (within, file) = path.rsplit_once('/').unwrap_or(("", path));
            let is = |name: &str| file.eq_ignore_ascii_case(name);
            let is_other = within.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("Other"));
            if is_other && (is(SOLUTION) || is(CUSTOMIZATIONS)) {
                unpacked = unpacked.filter(|_| !is(SOLUTION)).or_else(|| Some(shown()));
            } else if !within.is_empty() && (is(SOLUTION) || is(DATA)) {
                folder.get_or_insert_with(|| (excerpt(within, PLACE_MAX).into_owned(), file.to_owned()));
            } else if file.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("zip")) {
                inner.get_or_insert_with(shown);
            }
        }
        let folder = folder.map(|(folder, file)| Self::Folder { folder, file });
        unpacked.map(Self::Unpacked).or(folder).or(inner.map(Self::Inner)).unwrap_or(Self::Without(missing))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpacked(path) => write!(
                f,
                "the archive holds an unpacked solution (`{path}`): pack that with `pac solution pack`, and choose the zip file it makes"
            ),
            Self::Folder { folder, file } => write!(
                f,
                "the archive holds a folder (`{folder}/{file}`): zip the content of `{folder}`, not the folder"
            ),
            Self::Inner(path) => write!(
                f,
                "the archive holds another one (`{path}`), which is not opened: take `{path}` out of it, and choose that"
            ),
            Self::Without(missing) => write!(
                f,
                "the archive is no exported solution: `{missing}` is not in it; choose the zip file that the export made"
            ),
        }
    }
}

/// Whether a file was left by the operating system on which a folder was opened or packed.
pub(super) fn is_litter(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_known = [".DS_Store", "Thumbs.db", "desktop.ini"].iter().any(|name| file.eq_ignore_ascii_case(name));
    path.starts_with("__MACOSX/") || file.starts_with("._") || is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_said_with_what_to_do() {
        for (paths, expected) in [
            (&["Other/Customizations.xml", "Other/Solution.xml"][..], "an unpacked solution (`Other/Solution.xml`)"),
            (&["src/Other/Solution.xml", "src/solution.zip"], "an unpacked solution (`src/Other/Solution.xml`)"),
            (&["Other/Customizations.xml"], "an unpacked solution (`Other/Customizations.xml`)"),
            (
                &["A_1/[Content_Types].xml", "A_1/solution.xml"],
                "a folder (`A_1/solution.xml`): zip the content of `A_1`",
            ),
            (&["x/y/data.xml"], "a folder (`x/y/data.xml`)"),
            (&["__MACOSX/A/._solution.xml", "A/solution.xml"], "a folder (`A/solution.xml`)"),
            (&["readme.txt", "A_1.ZIP"], "another one (`A_1.ZIP`), which is not opened"),
            (&["__MACOSX/x.zip", "notes.txt"], "`solution.xml` is not in it; choose the zip file"),
            (&[], "`solution.xml` is not in it; choose the zip file"),
        ] {
            let said = Layout::of(paths.iter().copied(), SOLUTION).to_string();
            assert!(said.contains(expected), "{paths:?}: {said}");
        }
    }

    #[test]
    fn what_systems_leave_is_no_content() {
        for (path, expected) in [
            ("__MACOSX/msdyn_xs/._a.xml", true),
            ("msdyn_xs/a/._msdyn_x.xml", true),
            ("loadout/profiles/.DS_Store", true),
            ("Workflows/Thumbs.db", true),
            ("msdyn_xs/a/msdyn_x.xml", false),
            ("solution.xml", false),
        ] {
            assert_eq!(is_litter(path), expected, "{path}");
        }
    }
}
