//! The state of the sources of a plugin, by which changes are noticed.
//!
//! Looks at times and sizes of files, so that it works where nothing tells of changes, such as on a share of another
//! machine. What builds leave behind is no source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders in which builds leave what they made, and tools what they know.
const NO_SOURCES: [&str; 5] = ["target", "node_modules", "__pycache__", "dist", "build"];

/// The state of all files at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Sources {
    /// Returns the state of the files in a folder now, and of one file that may lie elsewhere.
    pub(super) fn now(folder: &Path, file: Option<&Path>) -> Self {
        let mut found = Vec::new();
        walk(folder, &mut found);
        found.extend(file.and_then(state));
        found.sort();
        Self(found)
    }
}

/// A file or folder that is gone meanwhile, or cannot be read, is as good as not there.
fn walk(folder: &Path, found: &mut Vec<(PathBuf, Option<SystemTime>, u64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || NO_SOURCES.contains(&&*name) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, found),
            _ => found.extend(state(&path)),
        }
    }
}

fn state(path: &Path) -> Option<(PathBuf, Option<SystemTime>, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((path.to_owned(), metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_shows_and_what_builds_leave_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("src/lib.rs", "one");
        let begun = Sources::now(folder.path(), None);
        for (path, shows) in [
            ("src/lib.rs", true),
            ("src/new.rs", true),
            ("target/a", false),
            (".git/a", false),
            ("src/.lib.swp", false),
        ] {
            write(path, "another length");
            assert_eq!(Sources::now(folder.path(), None) != begun, shows, "{path}");
            fs::remove_file(folder.path().join(path)).unwrap();
            if path == "src/lib.rs" {
                assert_ne!(Sources::now(folder.path(), None), begun, "it is gone");
                write(path, "one");
                let restored = fs::File::options().append(true).open(folder.path().join(path)).unwrap();
                restored.set_modified(begun.0[0].1.unwrap()).unwrap();
            }
        }
        write("target/a.wasm", "a");
        let watched = folder.path().join("target/a.wasm");
        assert_ne!(
            Sources::now(folder.path(), Some(&watched)),
            begun,
            "a file that is named is watched wherever it lies"
        );
    }
}
