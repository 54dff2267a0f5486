//! Room on the disk: how much is free, and whether a failure means that the disk is full.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::path::Path;

use rusqlite::ErrorCode;

use super::Error;

/// The bytes that work which can wait leaves free for changes of the configuration.
const RESERVE: u64 = 64 << 20;
/// The bytes that changes of the configuration leave free for tokens, the switches of plugins, and the audit. Each
/// change writes the items it touches anew, and the history is never deleted.
const LAST_RESERVE: u64 = 32 << 20;
/// With fewer free bytes than this, a failed write counts as a full disk.
const NONE: u64 = 256 << 10;

/// Returns an error and its causes.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let next = |error: &&'a (dyn StdError + 'static)| -> Option<&'a (dyn StdError + 'static)> { (*error).source() };
    successors(Some(error), next)
}

/// Returns whether an error, or one of its causes, is a full disk.
pub fn is_full(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| {
        let database = cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        let file = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(cause.downcast_ref::<Error>(), Some(Error::Full { .. }))
            || database == Some(ErrorCode::DiskFull)
            || matches!(file, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    })
}

/// Refuses work that takes `needed` bytes of `folder` if that would leave less than the reserve for changes of the
/// configuration.
pub fn check(folder: &Path, needed: u64) -> Result<(), Error> {
    leave(folder, needed, |all| RESERVE.min(all / 10))
}

/// Refuses a change of the configuration that would leave too little room in `folder` for tokens and the audit.
pub(super) fn check_for_a_change(folder: &Path) -> Result<(), Error> {
    leave(folder, 0, |all| LAST_RESERVE.min(all / 20))
}

fn leave(folder: &Path, needed: u64, reserve_of: impl Fn(u64) -> u64) -> Result<(), Error> {
    // If the system does not tell the free bytes, the write itself will fail.
    let Some((free, all)) = free_of(folder) else { return Ok(()) };
    let reserve = reserve_of(all);
    if free >= needed.saturating_add(reserve) {
        return Ok(());
    }
    let source = format!("{free} bytes are free, {needed} are needed and {reserve} are left for other changes");
    Err(Error::Full { folder: folder.display().to_string(), source: source.into() })
}

impl Error {
    /// Returns the same error, or [`Error::Full`] with `folder` if the disk is full.
    pub(super) fn in_folder(self, folder: &Path) -> Self {
        let Self::Database(cause) = &self else { return self };
        let is_full = match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            // SQLite does not say why a side file could not grow or be made.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                free_of(folder).is_some_and(|(free, _)| free < NONE)
            }
            _ => false,
        };
        if is_full { Self::Full { folder: folder.display().to_string(), source: Box::new(self) } } else { self }
    }
}

/// Returns free bytes and all bytes of the disk that holds `folder`.
fn free_of(folder: &Path) -> Option<(u64, u64)> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some((of.f_bavail.saturating_mul(of.f_frsize), of.f_blocks.saturating_mul(of.f_frsize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures_however_deep_it_lies() {
        let folder = || "/data".to_owned();
        let file = |kind: io::ErrorKind| Error::Folder { path: folder(), source: kind.into() };
        assert!(is_full(&file(io::ErrorKind::StorageFull)) && is_full(&file(io::ErrorKind::QuotaExceeded)));
        assert!(!is_full(&file(io::ErrorKind::PermissionDenied)));
        let database = |code| Error::Database(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        assert!(is_full(&database(13)) && !is_full(&database(11)));
        let full = database(13).in_folder(Path::new("/data"));
        assert!(is_full(&full));
        insta::assert_snapshot!(full, @"there is no room left in `/data`: nothing was written; make room there and repeat the request");
        let here = tempfile::tempdir().unwrap();
        assert!(!is_full(&database(10).in_folder(here.path())), "there is room, so it is something else");
        check(here.path(), 0).unwrap();
        assert!(is_full(&check(here.path(), u64::MAX).unwrap_err()));
    }
}
