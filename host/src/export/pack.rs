//! Packs files into a zip archive. The bytes depend only on the files: neither on the clock nor on the machine.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Error;

/// A file with more bytes than this is stored uncompressed if it would shrink to less than a hundredth: the import
/// takes such entries for zip bombs.
const LONG: usize = 1 << 20;

/// Packs `files` in the given order.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, Error> {
    pack_each(files.iter().map(|(path, content)| Ok::<_, Error>((path, content))))
}

/// Packs files that are made one after the other. Holds at most one of them besides the archive. Ends with the first
/// file that fails.
pub(crate) fn pack_each<P: AsRef<str>, C: AsRef<[u8]>, E: From<Error>>(
    files: impl IntoIterator<Item = Result<(P, C), E>>,
) -> Result<Vec<u8>, E> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let failed = |error: zip::result::ZipError| Error::Pack { reason: error.to_string() };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let (path, content) = file?;
        let content = content.as_ref();
        let options = if shrinks_too_much(content, options).map_err(failed)? {
            options.compression_method(CompressionMethod::Stored).compression_level(None)
        } else {
            options
        };
        zip.start_file(path.as_ref(), options).map_err(failed)?;
        zip.write_all(content).map_err(|error| Error::Pack { reason: error.to_string() })?;
    }
    Ok(zip.finish().map_err(failed)?.into_inner())
}

fn shrinks_too_much(content: &[u8], options: SimpleFileOptions) -> Result<bool, zip::result::ZipError> {
    if content.len() <= LONG {
        return Ok(false);
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("x", options)?;
    zip.write_all(content)?;
    Ok(zip.finish()?.into_inner().len() < content.len() / 100)
}
