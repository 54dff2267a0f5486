//! Files that commands are given and that they leave behind. Refuses to leave half a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::failure::Failure;

/// Reads a whole file. The error names its path.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::because(format!("`{}` cannot be read", path.display()), error))
}

/// Writes a file whole or not at all. Another process that reads the file meanwhile sees the old content.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create_new(&part)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The first error says what is wrong; a part that stays behind is only litter.
        let _ = fs::remove_file(&part);
    }
    written
}
