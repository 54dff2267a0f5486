//! Reads old environments, row by row.
//!
//! Three formats: a Configuration Migration package, an exported solution, and an archive of `loadout export`, which is
//! a solution. Fetches nothing that they refer to. Refuses an archive only if it is none of these or two at once, has
//! two files of one name, is damaged, or is hostile; any other content is a row, also of a table that no step knows.

mod cleaned;
mod package;
mod solution;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::domain::Row;
use crate::domain::hex::hexadecimal;
use crate::import::{self, ArchiveError, Layout, admit, check_entries, check_names, check_size, entries};
use crate::store::journal::{Edge, Note};

use super::step::Version;

pub use cleaned::copy_without_secrets;
use package::Package;
pub(crate) use package::read_documents;
use solution::Solution;

/// The largest archive that is read, packed, in bytes.
pub const PACKED_MAX: u64 = 2 << 30;

/// An old environment that was opened.
pub struct Source {
    /// The description of the environment.
    pub info: SourceInfo,
    format: Format,
}

/// The description of an old environment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpgradeSource)]
pub struct SourceInfo {
    /// `configuration-migration` or `solution`.
    pub format: String,
    /// The name of the solution, or of the file.
    pub name: String,
    /// The version of the environment from which it was exported, if the archive gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The prefix for names that have none.
    pub prefix: String,
    /// The SHA-256 of the archive that is kept with the plan, without secrets, in hexadecimal.
    pub digest: String,
}

enum Format {
    Package(Package),
    Solution(Box<Solution>),
}

/// A record of an old environment.
#[derive(Debug)]
pub enum Record {
    /// A row, without its links.
    Row(Row),
    /// A link between two rows, whether they were read or not.
    Link(Edge),
    /// A note for administrators.
    Note(Note),
}

/// Why an old environment is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file does not exist, or cannot be read.
    #[error("the archive cannot be read")]
    File(#[from] io::Error),
    /// The archive cannot be unpacked, or is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A document in the archive cannot be read, or is refused.
    #[error(transparent)]
    Xml(#[from] import::XmlError),
    /// The solution in the archive is no valid one.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// The archive is neither a package nor a solution.
    #[error(
        "the archive is no old environment, it has neither `data.xml` nor `solution.xml`: choose the zip file that the Configuration Migration tool or the export of a solution made"
    )]
    Unknown,
    /// The archive is both at once.
    #[error(
        "the archive holds a Configuration Migration package (`data.xml`) and a solution (`solution.xml`): put each into a zip file of its own, and upgrade from one after the other"
    )]
    Both,
    /// The archive is too large.
    #[error("the archive has {size} bytes, {PACKED_MAX} are allowed: export fewer tables at once")]
    TooLarge {
        /// The size of the archive, in bytes.
        size: u64,
    },
}

impl Source {
    /// Opens the archive at `path`. `name` is its name for people.
    pub fn open(path: &Path, name: &str) -> Result<Self, ReadError> {
        let size = std::fs::metadata(path)?.len();
        if size > PACKED_MAX {
            return Err(ReadError::TooLarge { size });
        }
        // Entries are counted before the archive is opened, because opening it reserves memory for each.
        let (digest, entries) = counted_digest(path, size)?;
        check_entries(entries)?;
        let mut file = File::open(path)?;
        let mut zip = ZipArchive::new(file.try_clone()?).map_err(not_a_zip)?;
        let mut names = Vec::new();
        for index in 0..zip.len() {
            names.extend(admit(&zip, index)?.map(|(name, _)| name));
        }
        check_names(&zip, &mut file, &names)?;
        let has = |file: &str| names.iter().any(|name| name == file);
        if has(package::DATA) && has(import::SOLUTION) {
            return Err(ReadError::Both);
        }
        if has(package::DATA) {
            let package = Package::open(path, &mut zip, &names)?;
            let (format, name) = ("configuration-migration".to_owned(), name.to_owned());
            let prefix = package::PREFIX.to_owned();
            let info = SourceInfo { format, name, version: None, prefix, digest };
            return Ok(Self { info, format: Format::Package(package) });
        }
        if has(import::SOLUTION) {
            check_size(size)?;
            let solution = Solution::read(std::fs::read(path)?)?;
            let info = SourceInfo {
                format: "solution".to_owned(),
                name: solution.name().to_owned(),
                version: solution.platform().map(str::to_owned),
                prefix: solution.prefix().to_owned(),
                digest,
            };
            return Ok(Self { info, format: Format::Solution(Box::new(solution)) });
        }
        Err(match Layout::of(names.iter().map(String::as_str), import::SOLUTION) {
            Layout::Without(_) => ReadError::Unknown,
            layout => import::Error::NotASolution { layout }.into(),
        })
    }

    /// Passes all records but the first `skipped` to `visit`, always in the same order.
    pub fn read<E: From<ReadError>>(
        &self,
        skipped: u64,
        visit: &mut dyn FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = skipped;
        let mut visit = |record| {
            if left > 0 {
                left -= 1;
                return Ok(());
            }
            visit(record)
        };
        match &self.format {
            Format::Package(package) => package.read(&mut visit),
            Format::Solution(solution) => solution.read_all(&mut visit),
        }
    }

    /// Whether the archive may have secrets. For a package the answer is known after reading it; for a solution it is
    /// always true, and only the copy without secrets shows whether there are any.
    pub fn may_have_secrets(&self) -> bool {
        match &self.format {
            Format::Package(package) => package.without_secrets.load(Relaxed),
            Format::Solution(_) => true,
        }
    }

    /// The zip file of a solution, whose items are imported rather than migrated.
    pub fn solution(&self) -> Option<&[u8]> {
        match &self.format {
            Format::Package(_) => None,
            Format::Solution(solution) => Some(solution.zip()),
        }
    }

    /// The version of the environment, if it has one that can be compared.
    pub fn version(&self) -> Option<Version> {
        self.info.version.as_deref()?.parse().ok()
    }
}

/// Whether the file at `path` is a Configuration Migration package. False if it cannot be read.
pub fn is_package(path: &Path) -> bool {
    let look = || -> Result<bool, ReadError> {
        check_entries(counted_digest(path, std::fs::metadata(path)?.len())?.1)?;
        let zip = ZipArchive::new(File::open(path)?).map_err(not_a_zip)?;
        Ok(zip.index_for_name(package::DATA).is_some())
    };
    look().unwrap_or(false)
}

fn not_a_zip(error: ZipError) -> ReadError {
    ArchiveError::NotAZip { reason: error.to_string() }.into()
}

/// The SHA-256 of an archive of `size` bytes, and the number of entries it has or claims to have.
fn counted_digest(path: &Path, size: u64) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let count = entries::count(File::open(path)?, size, &mut |bytes| hash.update(bytes))?;
    Ok((hexadecimal(&hash.finalize()), count))
}

/// The SHA-256 of a file, in hexadecimal.
pub fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_archive_of_too_many_entries_is_refused_before_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.zip");
        std::fs::write(&path, b"PK\x01\x02".repeat(30_001)).unwrap();
        let refused = Source::open(&path, "many").err().unwrap().to_string();
        assert!(refused.starts_with("the archive has 30001 entries, 30000 are allowed"), "{refused}");
        assert!(!is_package(&path));
    }

    /// The refusal of an archive with these files. In their names, `~` is replaced by `a`.
    fn refused(names: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(b"<entities/>").unwrap();
        }
        zip.finish().unwrap();
        // The zip writer refuses two entries of one name.
        let bytes = std::fs::read(&path).unwrap().into_iter().map(|byte| if byte == b'~' { b'a' } else { byte });
        std::fs::write(&path, bytes.collect::<Vec<u8>>()).unwrap();
        Source::open(&path, "old").map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn an_archive_that_leaves_a_choice_is_refused() {
        let twice = |name: &str| format!("`{name}` occurs twice in the archive: remove one");
        for (names, expected) in [
            (&["data.xml", "data_schema.xml", "data/a.xml"][..], String::new()),
            (&["data.xml", "d~ta.xml"], twice("data.xml")),
            (&["data.xml", "data_schema.xml", "d~ta_schema.xml"], twice("data_schema.xml")),
            (&["data.xml", "DATA.XML"], twice("DATA.XML")),
            (&["DATA.XML", "data.xml"], twice("data.xml")),
            (&["data.xml", "notes.txt", "Notes.txt"], twice("Notes.txt")),
            (
                &["data.xml", "customizations.xml", "solution.xml"],
                "the archive holds a Configuration Migration package (`data.xml`) and a solution (`solution.xml`): put each into a zip file of its own, and upgrade from one after the other".to_owned(),
            ),
        ] {
            assert_eq!(refused(names), expected, "{names:?}");
        }
    }

    #[test]
    fn a_solution_that_is_too_large_is_refused_before_it_is_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("solution.xml", zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.splice(0..0, vec![0; 65 << 20]);
        std::fs::write(&path, bytes).unwrap();
        let refused = Source::open(&path, "large").err().unwrap().to_string();
        assert!(refused.starts_with("the archive has 681"), "{refused}");
        assert!(refused.ends_with("67108864 are allowed: split it into several solutions"), "{refused}");
    }
}
