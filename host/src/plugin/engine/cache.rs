//! Compiled code on disk, so that a start does not compile again.
//!
//! Compiled code is trusted like the host itself, so a file is used only if this host wrote it: each starts with a MAC
//! made with a key that only the host can read. The key is in the cache folder if only the host writes there, else in
//! the folder `Config::keys`. A component whose file is damaged is compiled again; the cache never makes a call fail. A
//! link, a file that is none and one that is longer than code may be are not read. At start, files for another engine
//! version and unfinished files are deleted, and whenever plugins change, code that no component needs, but for the
//! newest.

use std::fs::{self, DirBuilder, DirEntry, File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::OFlags;
use sha2::Sha256;
use tempfile::NamedTempFile;
use wasmtime::component::Component;

use crate::plugin::limits::weight::Weight;

/// The most files that one start deletes, so that a start does not wait for more.
const REMOVED_MAX: usize = 1_000;

/// The age at which an unfinished file is left behind: no process writes one file for so long.
const UNFINISHED_FOR: Duration = Duration::from_secs(3_600);

/// Bytes of code that stay although no component that serves needs them.
const NOT_NEEDED: u64 = 256 << 20;

const COMPILED: &str = ".compiled";
const UNFINISHED: &str = ".unfinished";
const KEY_FILE: &str = "key";
const KEY_LENGTH: usize = 32;
const MAC_LENGTH: usize = 32;

/// A folder of compiled code.
pub(in crate::plugin) struct Cache {
    folder: PathBuf,
    key: [u8; KEY_LENGTH],
}

impl Cache {
    /// Opens a folder whose key lies in the folder `keys`. Both are made if they are not there, and closed to other
    /// users.
    pub(in crate::plugin) fn open(folder: &Path, keys: &Path) -> io::Result<Self> {
        for folder in [folder, keys] {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        let path = keys.join(KEY_FILE);
        let key = match read_key(&path) {
            Some(key) => key,
            None => make_key(&path)?,
        };
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// Takes away what was compiled for another engine than `engine`, and what was never finished.
    pub(in crate::plugin) fn tidy(&self, engine: &wasmtime::Engine) -> io::Result<()> {
        let own = suffix(engine);
        let is_old = |file: &DirEntry| {
            let age = file.metadata().and_then(|it| it.modified()).map(|written| written.elapsed());
            matches!(age, Ok(Ok(age)) if age > UNFINISHED_FOR)
        };
        let is_left = |file: &DirEntry| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            (name.ends_with(COMPILED) && !name.ends_with(&own)) || (name.ends_with(UNFINISHED) && is_old(file))
        };
        for file in fs::read_dir(&self.folder)?.filter_map(Result::ok).filter(is_left).take(REMOVED_MAX) {
            match fs::remove_file(file.path()) {
                // Another process started, too.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        Ok(())
    }

    /// Bytes of the code that is kept of a component; 0 if there is none.
    pub(in crate::plugin) fn size(&self, engine: &wasmtime::Engine, digest: &str) -> u64 {
        fs::metadata(self.folder.join(file_name(engine, digest))).map_or(0, |file| file.len())
    }

    /// Takes away code of components that are not `needed`. The newest of it stays, as far as there is room: it is of
    /// versions that do not serve, or of what the past was asked with.
    pub(in crate::plugin) fn keep(&self, engine: &wasmtime::Engine, needed: impl Fn(&str) -> bool) -> io::Result<()> {
        let own = suffix(engine);
        let mut others = Vec::new();
        for file in fs::read_dir(&self.folder)?.filter_map(Result::ok) {
            let name = file.file_name();
            let Some(digest) = name.to_str().and_then(|name| name.strip_suffix(&own)) else { continue };
            if !needed(digest)
                && let Ok(there) = file.metadata()
            {
                others.push((there.modified().ok(), there.len(), file.path()));
            }
        }
        others.sort_by(|one, other| other.cmp(one));
        let mut kept = 0;
        for (_, size, path) in others {
            kept += size;
            if kept <= NOT_NEEDED {
                continue;
            }
            match fs::remove_file(path) {
                // Another process may tidy, too.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        Ok(())
    }

    /// The compiled component, from the folder if it is there. `digest` is the SHA-256 of `component`.
    pub(in crate::plugin) fn compiled(
        &self,
        engine: &wasmtime::Engine,
        digest: &str,
        component: &[u8],
    ) -> wasmtime::Result<Component> {
        let name = file_name(engine, digest);
        if let Some(ready) = self.read(engine, &name) {
            return Ok(ready);
        }
        let compiled = Component::from_binary(engine, component)?;
        let written = compiled.serialize().map(|code| self.write(&name, &code));
        if let Err(error) = written.map_err(io::Error::other).and_then(|written| written) {
            tracing::warn!(%error, "compiled code could not be kept in `{}`", self.folder.display());
        }
        Ok(compiled)
    }

    /// The compiled component, if the folder has it.
    pub(in crate::plugin) fn find(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        self.read(engine, &file_name(engine, digest))
    }

    /// Loads `code`, which a process of this same program compiled for `engine`, and keeps it for later starts. The
    /// error is the engine's: it could never run this.
    pub(in crate::plugin) fn adopt(
        &self,
        engine: &wasmtime::Engine,
        digest: &str,
        code: &[u8],
    ) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "code that another process compiled is loaded here")]
        // SAFETY: `deserialize` wants exactly the bytes that `Engine::precompile_component` gave. `code` is the whole
        // answer of a process of this program that was started for this component alone, and ended well:
        // `compiler/child.rs` writes nothing else as its answer, and runs nothing of the component, so that no guest
        // could have written in its place. It has the same engine and configuration, and `deserialize` itself checks
        // that they match.
        let loaded = unsafe { Component::deserialize(engine, code) }?;
        if let Err(error) = self.write(&file_name(engine, digest), code) {
            tracing::warn!(%error, "compiled code could not be kept in `{}`", self.folder.display());
        }
        Ok(loaded)
    }

    fn read(&self, engine: &wasmtime::Engine, name: &str) -> Option<Component> {
        let loaded = self.verified(engine, name)?;
        loaded.map_err(|error| tracing::warn!(%error, "`{name}` cannot be loaded; compiling again")).ok()
    }

    /// What a file holds that this host wrote.
    fn verified(&self, engine: &wasmtime::Engine, name: &str) -> Option<wasmtime::Result<Component>> {
        let file = read_bounded(&self.folder.join(name), Weight::Heavy.code() + MAC_LENGTH as u64)?;
        let (mac, code) = file.split_at_checked(MAC_LENGTH)?;
        if self.mac(name, code)?.verify_slice(mac).is_err() {
            tracing::warn!("`{name}` was not written by this host; compiling again");
            return None;
        }
        #[expect(unsafe_code, reason = "loading compiled code is what the cache is for")]
        // SAFETY: `deserialize` wants exactly the bytes that `Component::serialize` gave. The MAC was just verified:
        // with a key that only this host's user can read, `write` signed `code` under this `name`, and `write` is given
        // nothing but the output of `serialize`, or of `Engine::precompile_component` in a child process of this
        // program. The name has the digest of the component, and what the engine and its configuration are;
        // `deserialize` itself checks that the versions match.
        let loaded = unsafe { Component::deserialize(engine, code) };
        Some(loaded)
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let mac = self.mac(name, code).ok_or_else(|| io::Error::other("no MAC"))?;
        write_whole(&self.folder.join(name), &[&mac.finalize().into_bytes(), code])
    }

    /// A MAC over name and code, so that a file cannot stand in for another.
    fn mac(&self, name: &str, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        Some(mac)
    }
}

/// Names the component, and everything that decides what it is compiled to.
fn file_name(engine: &wasmtime::Engine, digest: &str) -> String {
    format!("{digest}{}", suffix(engine))
}

/// How the name of everything ends that was compiled for an engine.
fn suffix(engine: &wasmtime::Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("-{:016x}{COMPILED}", hasher.finish())
}

fn read_key(path: &Path) -> Option<[u8; KEY_LENGTH]> {
    read_bounded(path, KEY_LENGTH as u64)?.try_into().ok()
}

/// What a file holds, if it is a file itself, and holds no more than `most` bytes. A pipe is not waited for.
fn read_bounded(path: &Path, most: u64) -> Option<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let there = file.metadata().ok().filter(|there| there.is_file() && there.len() <= most)?;
    let mut bytes = Vec::with_capacity(usize::try_from(there.len()).ok()?);
    // It may grow meanwhile.
    file.take(most + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= most).then_some(bytes)
}

/// Makes a key where there is none, or returns the one that another process made meanwhile.
fn make_key(path: &Path) -> io::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let file = unfinished(path, &[&key])?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(refused) => match read_key(path) {
            Some(theirs) => Ok(theirs),
            // What is there is no key.
            None => refused.file.persist(path).map(|_| key).map_err(Into::into),
        },
    }
}

/// Writes a file whole or not at all, while other processes may write the same. Other users cannot read the file.
fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    unfinished(path, parts)?.persist(path)?;
    Ok(())
}

/// A file with all that belongs to `path`, beside it.
fn unfinished(path: &Path, parts: &[&[u8]]) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default();
    let mut file = tempfile::Builder::new().prefix(name).suffix(UNFINISHED).tempfile_in(folder)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    const DIGEST: &str = "00ff";

    fn engine() -> wasmtime::Engine {
        wasmtime::Engine::default()
    }

    /// The one file of compiled code.
    fn file(folder: &Path) -> PathBuf {
        let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|it| it == "compiled")).unwrap()
    }

    #[test]
    fn code_that_is_not_needed_goes_but_for_the_newest() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), folder.path()).unwrap();
        let begun = std::time::SystemTime::now();
        for (at, (digest, size)) in
            [("served", 1), ("oldest", NOT_NEEDED / 2), ("older", NOT_NEEDED / 2), ("newest", NOT_NEEDED / 2)]
                .into_iter()
                .enumerate()
        {
            let file = File::create(folder.path().join(file_name(&engine, digest))).unwrap();
            // Nothing is written: the file is as long as that, and takes no room.
            file.set_len(size).unwrap();
            file.set_modified(begun + Duration::from_secs(at as u64)).unwrap();
        }
        cache.keep(&engine, |digest| digest == "served").unwrap();
        let left = ["served", "oldest", "older", "newest"].map(|digest| cache.size(&engine, digest) > 0);
        assert_eq!(left, [true, false, true, true]);
        assert!(folder.path().join(KEY_FILE).exists());
        cache.keep(&engine, |_| true).unwrap();
        assert!(cache.size(&engine, "newest") > 0);
    }

    #[test]
    fn whoever_makes_a_key_at_once_has_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(folder.path(), folder.path()).unwrap().key;
        let keys: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            started.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        fs::write(folder.path().join(KEY_FILE), "no key").unwrap();
        assert_eq!(open(), open(), "what is no key is replaced");
    }

    #[test]
    fn what_somebody_else_put_into_a_folder_with_a_key_of_their_own_is_not_used() {
        let (project, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = engine();
        Cache::open(project.path(), project.path()).unwrap().compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let cache = Cache::open(project.path(), keys.path()).unwrap();
        assert!(cache.find(&engine, DIGEST).is_none());
        cache.compiled(&engine, DIGEST, &COMPONENT).unwrap();
        assert!(cache.find(&engine, DIGEST).is_some());
    }

    #[test]
    fn what_was_compiled_once_is_loaded_by_a_later_start() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        Cache::open(folder.path(), folder.path()).unwrap().compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let later = Cache::open(folder.path(), folder.path()).unwrap();
        // No component could be made from nothing: what comes back was on disk.
        assert!(later.compiled(&engine, DIGEST, b"").is_ok());
        assert!(later.compiled(&engine, "other", b"").is_err());
    }

    #[test]
    fn a_start_takes_away_what_nobody_can_load_and_what_nobody_finished() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), folder.path()).unwrap();
        cache.compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let own = file_name(&engine, DIGEST);
        let long_ago = std::time::SystemTime::now() - UNFINISHED_FOR * 2;
        for (name, is_old) in [
            ("00ff-0000000000000000.compiled", false),
            ("00ff.unfinished", true),
            ("0100.unfinished", false),
            ("somebody's notes", true),
        ] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            if is_old {
                file.set_modified(long_ago).unwrap();
            }
        }
        fs::File::options().write(true).open(folder.path().join(&own)).unwrap().set_modified(long_ago).unwrap();
        cache.tidy(&engine).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [own.as_str(), "0100.unfinished", "key", "somebody's notes"]);
    }

    #[test]
    fn a_file_that_many_write_at_once_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let begin = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for byte in 0..8_u8 {
                let (begin, folder) = (&begin, folder.path());
                scope.spawn(move || {
                    begin.wait();
                    for _ in 0..10 {
                        write_whole(&folder.join("code"), &[&[byte; 9_999], &[byte; 99_999]]).unwrap();
                        let there = fs::read(folder.join("code")).unwrap();
                        assert_eq!(there.len(), 109_998);
                        assert!(there.iter().all(|it| *it == there[0]), "what two threads wrote is mixed");
                    }
                });
            }
        });
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing unfinished is left behind");
    }

    #[test]
    fn nobody_else_can_look_into_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a/b");
        Cache::open(&inside, &inside).unwrap().compiled(&engine(), DIGEST, &COMPONENT).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&inside), mode(&inside.join(KEY_FILE)), mode(&file(&inside))], [0o700, 0o600, 0o600]);
    }

    #[test]
    fn a_file_this_host_did_not_write_is_not_loaded() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), folder.path()).unwrap();
        cache.compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let path = file(folder.path());
        let good = fs::read(&path).unwrap();
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        for bad in [&changed as &[u8], &good[..good.len() / 2], &good[MAC_LENGTH..], b"", b"short"] {
            fs::write(&path, bad).unwrap();
            assert!(cache.read(&engine, &file_name(&engine, DIGEST)).is_none());
            assert!(cache.compiled(&engine, DIGEST, &COMPONENT).is_ok());
            assert_eq!(fs::read(&path).unwrap().len(), good.len(), "the file is written again");
        }
    }

    #[test]
    fn what_is_no_file_of_code_is_not_read_and_is_replaced() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), folder.path()).unwrap();
        cache.compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let (path, name) = (file(folder.path()), file_name(&engine, DIGEST));
        let good = folder.path().join("elsewhere");
        type Put<'a> = (&'a str, &'a dyn Fn());
        let puts: [Put<'_>; 4] = [
            ("a link to good code", &|| std::os::unix::fs::symlink(&good, &path).unwrap()),
            ("a link to what never ends", &|| std::os::unix::fs::symlink("/dev/zero", &path).unwrap()),
            ("a file that is longer than code may be", &|| {
                fs::File::create(&path).unwrap().set_len(Weight::Heavy.code() * 4).unwrap();
            }),
            ("a pipe without a writer", &|| {
                let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success());
            }),
        ];
        for (what, put) in puts {
            fs::rename(&path, &good).unwrap();
            put();
            assert!(cache.read(&engine, &name).is_none(), "{what}");
            assert!(cache.compiled(&engine, DIGEST, &COMPONENT).is_ok(), "{what}");
            assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{what} is replaced");
            assert!(cache.read(&engine, &name).is_some(), "after {what}");
        }
        // What cannot be replaced costs the next start, and not this one.
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(cache.compiled(&engine, DIGEST, &COMPONENT).is_ok());
        let code = engine.precompile_component(&COMPONENT).unwrap();
        assert!(cache.adopt(&engine, DIGEST, &code).is_ok());
        assert!(cache.adopt(&engine, DIGEST, b"no code").is_err());
    }

    #[test]
    fn a_file_cannot_stand_in_for_another_nor_outlive_the_key() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), folder.path()).unwrap();
        cache.compiled(&engine, DIGEST, &COMPONENT).unwrap();
        let other = file_name(&engine, "other");
        fs::copy(file(folder.path()), folder.path().join(&other)).unwrap();
        assert!(cache.read(&engine, &other).is_none());
        fs::write(folder.path().join(KEY_FILE), "cut off").unwrap();
        let later = Cache::open(folder.path(), folder.path()).unwrap();
        assert!(later.read(&engine, &file_name(&engine, DIGEST)).is_none());
    }
}
