//! Unpacks the files of a zip archive, one by one and within limits.
//!
//! Trusts no header: bytes are counted while they are unpacked, and must match their checksum. Every file is unpacked
//! once when the archive is opened, and not kept; a file that is taken is unpacked again. So at most one file is in
//! memory, unless the caller keeps more. Refuses names that could leave a folder, names that occur twice, links,
//! encryption, and entries that grow out of proportion. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::entries;

/// The largest archive, in bytes.
pub const COMPRESSED_MAX: usize = 64 << 20;
/// The most entries of an archive. An export has at most ten thousand rows, five thousand macros, and a document for
/// each item of a library.
pub const ENTRIES_MAX: usize = 30_000;
/// The largest entry, unpacked, in bytes.
pub const ENTRY_MAX: u64 = 32 << 20;
/// The largest content of all entries, unpacked, in bytes.
pub const TOTAL_MAX: u64 = 256 << 20;
/// The largest ratio of an entry to its packed form. Deflate reaches about 1000; configuration stays below 50.
pub const RATIO_MAX: u64 = 200;
/// Entries up to this size, in bytes, may have any ratio: they can do no harm.
const RATIO_FREE: u64 = 1 << 20;

/// The most bytes of a central directory that are searched for a repeated name.
const DIRECTORY_MAX: u64 = 16 << 20;

/// The files of an archive by path, without directories.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    zip: Option<ZipArchive<Cursor<&'a [u8]>>>,
    files: BTreeMap<String, Content>,
}

/// The content of a file.
#[derive(Debug)]
enum Content {
    /// An entry of the zip file with `size` unpacked bytes.
    Packed { index: usize, size: u64 },
    /// A file that was never packed.
    Plain(Vec<u8>),
}

/// Why an archive is not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is too large.
    #[error("the archive has {size} bytes, {COMPRESSED_MAX} are allowed: split it into several solutions")]
    TooLarge {
        /// The size of the archive.
        size: u64,
    },
    /// The file is no zip archive, or only the beginning of one.
    #[error("the file is not a complete zip archive ({reason}): export or download it again")]
    NotAZip {
        /// What the zip reader reported.
        reason: String,
    },
    /// There are too many entries.
    #[error("the archive has {count} entries, {ENTRIES_MAX} are allowed: split it into several solutions")]
    TooManyEntries {
        /// The number of entries, or the number that the archive claims to have.
        count: u64,
    },
    /// An entry's bytes cannot be read.
    #[error("`{entry}` cannot be unpacked ({reason}): export or download the archive again")]
    Damaged {
        /// The entry.
        entry: String,
        /// What the zip reader reported.
        reason: String,
    },
    /// An entry is too large.
    #[error("`{entry}` is larger than {ENTRY_MAX} bytes unpacked: remove it from the archive")]
    EntryTooLarge {
        /// The entry.
        entry: String,
    },
    /// All files together are too large.
    #[error("the archive is larger than {TOTAL_MAX} bytes unpacked (at `{entry}`): split it into several solutions")]
    TotalTooLarge {
        /// The entry that exceeded the limit.
        entry: String,
    },
    /// An entry grows out of proportion.
    #[error(
        "`{entry}` becomes more than {RATIO_MAX} times larger unpacked, as no export does: remove it from the archive"
    )]
    Ratio {
        /// The entry.
        entry: String,
    },
    /// The name of an entry could lead out of a folder.
    #[error("`{entry}` is not a path within the archive: use relative names with `/` and without `..`")]
    Path {
        /// The entry.
        entry: String,
    },
    /// Two entries have the same name, or names that differ only in case.
    #[error("`{entry}` occurs twice in the archive: remove one")]
    Duplicate {
        /// The entry.
        entry: String,
    },
    /// An entry is a symbolic link.
    #[error("`{entry}` is a symbolic link: put the file itself into the archive")]
    Symlink {
        /// The entry.
        entry: String,
    },
    /// An entry is encrypted.
    #[error("`{entry}` is encrypted: pack the archive without a password")]
    Encrypted {
        /// The entry.
        entry: String,
    },
}

impl<'a> Archive<'a> {
    /// Opens the zip file `bytes`, and checks that all of it can be unpacked.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        check_size(bytes.len() as u64)?;
        // Reading from memory does not fail.
        check_entries(entries::count(bytes, bytes.len() as u64, &mut |_| {}).unwrap_or(u64::MAX))?;
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error: ZipError| Error::NotAZip { reason: error.to_string() })?;
        if zip.has_duplicate_names() {
            return Err(Error::Duplicate { entry: first_duplicate(bytes).unwrap_or_else(|| "a name".to_owned()) });
        }
        let mut files = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut total = 0;
        for index in 0..zip.len() {
            let Some((name, packed)) = admit(&zip, index)? else { continue };
            if !seen.insert(name.to_lowercase()) {
                return Err(Error::Duplicate { entry: name });
            }
            let mut entry = zip.by_index(index).map_err(|error| damaged(&name, &error))?;
            // An entry cannot have more packed bytes than the file, whatever its header says.
            let size = unpack(&mut entry, &name, packed.min(bytes.len() as u64), TOTAL_MAX - total)?;
            total += size;
            files.insert(name, Content::Packed { index, size });
        }
        Ok(Self { zip: Some(zip), files })
    }

    /// An archive of files that are not packed yet.
    pub(crate) fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self { zip: None, files: files.into_iter().map(|(path, content)| (path, Content::Plain(content))).collect() }
    }

    /// The paths of the files that were not taken, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether there is a file at `path` that was not taken.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Takes a file out and unpacks it. `None` if there is no such file.
    pub(crate) fn take(&mut self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let (index, size) = match self.files.remove(path) {
            None => return Ok(None),
            Some(Content::Plain(content)) => return Ok(Some(content)),
            Some(Content::Packed { index, size }) => (index, size),
        };
        let Some(zip) = &mut self.zip else { return Ok(None) };
        let entry = zip.by_index(index).map_err(|error| damaged(path, &error))?;
        // The check has counted this many bytes, and refused sizes that do not fit into memory.
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        entry.take(size).read_to_end(&mut content).map_err(|error| damaged(path, &error))?;
        Ok(Some(content))
    }
}

/// Refuses an archive that has too many bytes.
pub(crate) fn check_size(size: u64) -> Result<(), Error> {
    if size > COMPRESSED_MAX as u64 { Err(Error::TooLarge { size }) } else { Ok(()) }
}

/// Refuses an archive that has, or claims to have, too many entries.
pub(crate) fn check_entries(count: u64) -> Result<(), Error> {
    let is_too_many = usize::try_from(count).is_ok_and(|count| count > ENTRIES_MAX) || count > u64::from(u32::MAX);
    if is_too_many { Err(Error::TooManyEntries { count }) } else { Ok(()) }
}

/// Refuses an archive with two files whose names are the same, or differ only in case. `zip` is the archive in `file`,
/// and `names` are the names of its files; of entries with exactly the same name, `zip` knows only the last.
pub(crate) fn check_names(zip: &ZipArchive<File>, file: &mut File, names: &[String]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    if let Some(second) = names.iter().find(|name| !seen.insert(name.to_lowercase())) {
        return Err(Error::Duplicate { entry: second.clone() });
    }
    if !zip.has_duplicate_names() {
        return Ok(());
    }
    // A name beyond the bound, or one that cannot be read, is not quoted.
    let mut directory = Vec::new();
    let read = file.seek(SeekFrom::Start(zip.central_directory_start()));
    let read = read.and_then(|_| file.take(DIRECTORY_MAX).read_to_end(&mut directory));
    let named = read.ok().and_then(|_| first_duplicate(&directory));
    Err(Error::Duplicate { entry: named.unwrap_or_else(|| "a name".to_owned()) })
}

/// The first name that occurs in two headers of the central directory.
fn first_duplicate(bytes: &[u8]) -> Option<String> {
    let is_header = |(at, window): (usize, &[u8])| (window == b"PK\x01\x02").then_some(at);
    let mut seen = BTreeSet::new();
    bytes.windows(4).enumerate().filter_map(is_header).find_map(|at| {
        let length = bytes.get(at + 28..at + 30)?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let name = bytes.get(at + 46..at + 46 + length)?;
        if seen.insert(name) { None } else { Some(shown(name)) }
    })
}

/// The name and packed size of an entry, or the reason to refuse it. `None` for a directory.
pub(crate) fn admit<R: Read + Seek>(zip: &ZipArchive<R>, index: usize) -> Result<Option<(String, u64)>, Error> {
    let unnamed = |error: ZipError| Error::Damaged { entry: format!("entry {index}"), reason: error.to_string() };
    let entry = zip.by_index_data(index).map_err(unnamed)?;
    let name = entry.name().map_err(unnamed)?.into_owned();
    let path = name.strip_suffix('/').unwrap_or(&name);
    let is_plain = !path.is_empty()
        && !path.contains(['\\', ':'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_plain {
        return Err(Error::Path { entry: shown(name.as_bytes()) });
    }
    if entry.is_symlink() {
        return Err(Error::Symlink { entry: name });
    }
    if entry.encrypted() {
        return Err(Error::Encrypted { entry: name });
    }
    if entry.is_dir() {
        return Ok(None);
    }
    let packed = entry.compressed_size();
    Ok(Some((name, packed)))
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(200).collect()
}

fn damaged(entry: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { entry: entry.to_owned(), reason: reason.to_string() }
}

/// Counts the bytes that an entry unpacks to. Fails as soon as a limit is exceeded.
fn unpack(entry: &mut impl Read, name: &str, packed: u64, left: u64) -> Result<u64, Error> {
    let proportionate = packed.saturating_mul(RATIO_MAX).max(RATIO_FREE);
    let limit = ENTRY_MAX.min(left).min(proportionate);
    let size = io::copy(&mut entry.take(limit + 1), &mut io::sink()).map_err(|error| damaged(name, &error))?;
    if size <= limit {
        return Ok(size);
    }
    let entry = name.to_owned();
    Err(if limit == proportionate {
        Error::Ratio { entry }
    } else if limit == ENTRY_MAX {
        Error::EntryTooLarge { entry }
    } else {
        Error::TotalTooLarge { entry }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refused(zip: &[u8]) -> String {
        Archive::read(zip).unwrap_err().to_string()
    }

    /// Overwrites bytes after every occurrence of `signature`.
    fn patched(mut zip: Vec<u8>, signature: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
        let places: Vec<usize> = (0..zip.len()).filter(|at| zip[*at..].starts_with(signature)).collect();
        assert!(!places.is_empty());
        for at in places {
            zip[at + offset..at + offset + bytes.len()].copy_from_slice(bytes);
        }
        zip
    }

    const LOCAL: &[u8] = b"PK\x03\x04";
    const CENTRAL: &[u8] = b"PK\x01\x02";

    #[test]
    fn files_come_out_as_they_went_in() {
        let zip = zip(&[("a/b.xml", b"<b/>"), ("a/", b""), ("c", b"")]);
        let mut archive = Archive::read(&zip).unwrap();
        assert_eq!(archive.paths().collect::<Vec<_>>(), ["a/b.xml", "c"]);
        assert_eq!(archive.take("a/b.xml").unwrap().as_deref(), Some(&b"<b/>"[..]));
        assert_eq!((archive.take("a/b.xml").unwrap(), archive.has("a/b.xml")), (None, false));
        assert_eq!(archive.take("c").unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(archive.paths().count(), 0);
    }

    #[test]
    fn names_that_lead_out_of_the_archive_are_refused() {
        for name in ["../x", "a/../../x", "/etc/passwd", "a\\b", "C:x", "a//b", "./a", "a\nb"] {
            let error = refused(&zip(&[("ok", b""), (name, b"x")]));
            assert!(error.contains("is not a path within the archive"), "{name:?}: {error}");
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        let twice = patched(zip(&[("same1", b"a"), ("same2", b"b")]), b"same2", 4, b"1");
        assert_eq!(refused(&twice), "`same1` occurs twice in the archive: remove one");
        let cases = zip(&[("Solution.xml", b"a"), ("solution.xml", b"b")]);
        assert_eq!(refused(&cases), "`solution.xml` occurs twice in the archive: remove one");
    }

    #[test]
    fn links_and_secrets_are_refused() {
        let mut linked = ZipWriter::new(Cursor::new(Vec::new()));
        linked.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let linked = linked.finish().unwrap().into_inner();
        assert_eq!(refused(&linked), "`link` is a symbolic link: put the file itself into the archive");
        let secret = patched(patched(zip(&[("s", b"x")]), LOCAL, 6, &[1]), CENTRAL, 8, &[1]);
        assert_eq!(refused(&secret), "`s` is encrypted: pack the archive without a password");
    }

    #[test]
    fn what_is_no_archive_or_half_of_one_says_so() {
        let whole = zip(&[("a", b"some content"), ("b", b"more content")]);
        for bytes in [b"".as_slice(), b"PK", b"not a zip", &whole[..whole.len() - 10], &whole[..whole.len() / 2]] {
            assert!(refused(bytes).starts_with("the file is not a complete zip archive"), "{}", bytes.len());
        }
    }

    #[test]
    fn content_that_does_not_match_its_checksum_is_refused() {
        let wrong = patched(zip(&[("a", b"some content")]), CENTRAL, 16, &[1, 2, 3, 4]);
        assert!(refused(&wrong).starts_with("`a` cannot be unpacked"), "{}", refused(&wrong));
    }

    #[test]
    fn an_entry_that_explodes_is_stopped_whatever_its_header_says() {
        let bomb = zip(&[("bomb", &vec![0; 8 << 20])]);
        assert!(bomb.len() < 32 << 10);
        assert!(refused(&bomb).starts_with("`bomb` becomes more than 200 times larger"));
        let small = [16, 0, 0, 0];
        let lying = patched(patched(bomb, LOCAL, 22, &small), CENTRAL, 24, &small);
        let error = refused(&lying);
        assert!(
            error.starts_with("`bomb` becomes more than") || error.starts_with("`bomb` cannot be unpacked"),
            "{error}"
        );
    }

    #[test]
    fn limits_hold_for_what_really_comes_out() {
        let unpacked = |packed, left| unpack(&mut std::io::repeat(7), "big", packed, left).unwrap_err().to_string();
        assert!(unpacked(u64::MAX, TOTAL_MAX).starts_with("`big` is larger than"));
        assert!(unpacked(u64::MAX, 5).starts_with("the archive is larger than"));
        assert!(unpacked(1, TOTAL_MAX).starts_with("`big` becomes more than"));
        let many = CENTRAL.repeat(ENTRIES_MAX + 1);
        assert!(refused(&many).starts_with("the archive has 30001 entries"));
        // An archive that only claims to have many entries is refused before memory is reserved for them.
        let mut claims = b"PK\x06\x06".to_vec();
        claims.extend(44_u64.to_le_bytes());
        claims.extend([0; 12]);
        claims.extend([60_000_000_u64.to_le_bytes(), 60_000_000_u64.to_le_bytes()].concat());
        let claims = [claims, zip(&[("a", b"b")])].concat();
        assert!(refused(&claims).starts_with("the archive has 60000000 entries"), "{}", refused(&claims));
        assert!(refused(&vec![0; COMPRESSED_MAX + 1]).starts_with("the archive has 67108865 bytes"));
    }
}
