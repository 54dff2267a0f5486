//! A full disk is a clear answer: nothing is lost, reading goes on, and writing works again as soon as there is room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadout_tests::Done;
use loadout_tests::archive::{console, entries, pack, root};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::skipped::skipped;
use reqwest::Method;
use serde_json::json;

/// A small file system of its own, until it is dropped.
struct SmallDisk {
    place: PathBuf,
    _around: tempfile::TempDir,
}

impl SmallDisk {
    /// Nothing where a test may not mount one.
    fn of(mebibytes: u32) -> Result<Option<Self>, Failure> {
        let around = tempfile::tempdir()?;
        let place = around.path().join("disk");
        fs::create_dir(&place)?;
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place).output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            return Ok(None);
        }
        Ok(Some(Self { place, _around: around }))
    }

    /// Takes what room is left.
    fn fill(&self) -> Result<PathBuf, Failure> {
        let file = self.place.join("filling");
        // Ends where nothing fits any more.
        let _ = fs::write(&file, vec![1; 64 << 20]);
        Ok(file)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>, Failure>>()?;
    names.sort();
    Ok(names)
}

async fn send(host: &TestHost, path: &str, zip: Vec<u8>) -> Result<Reply, Failure> {
    Reply::to(host.request(Method::POST, path).header("content-type", "application/zip").body(zip)).await
}

#[tokio::test]
async fn a_full_disk_is_a_clear_answer_and_room_ends_it() -> Done {
    let Some(disk) = SmallDisk::of(24)? else {
        skipped("a file system cannot be mounted here, so no disk was filled");
        return Ok(());
    };
    let host = TestHost::start_in(tempfile::tempdir_in(&disk.place)?).await?;
    host.put("/api/v1/queues/before", json!({"name": "Before"})).await?;
    let token = host.post("/api/v1/tokens", json!({"name": "first", "roles": ["workspace"]})).await?;
    assert_eq!(token.status, 201, "{token}");
    let files = names(host.folder())?;
    // What changes of the configuration leave is enough to take back what lets others in.
    let nearly = disk.fill()?;
    let size = fs::metadata(&nearly)?.len();
    fs::OpenOptions::new().write(true).open(&nearly)?.set_len(size - (900 << 10))?;
    let refused = host.put("/api/v1/queues/during", json!({"name": "During"})).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (507, &json!("storage.full")), "{refused}");
    assert_eq!(host.post("/api/v1/tokens/first/rotate", json!({})).await?.status, 200);
    assert_eq!(host.delete("/api/v1/tokens/first").await?.status, 204);
    assert_eq!(host.get("/api/v1/audit").await?.json()["items"][0]["outcome"], "token-revoked");
    let filling = disk.fill()?;

    // What is large enough to need room finds none: each of these, in a database of its own or beside one.
    let long = "x".repeat(400_000);
    let script = json!({"name": "Long", "language": 1033, "steps": [], "description": long});
    let refusals = [
        host.put("/api/v1/secrets/s", json!({"value": "x".repeat(7_000)})).await?,
        host.put("/api/v1/queues/during", json!({"name": "During"})).await?,
        host.put("/api/v1/scripts/new_long", script).await?,
        host.post("/api/v1/tokens", json!({"name": "second", "roles": ["workspace"]})).await?,
        send(&host, "/api/v1/imports", pack(&root().join("tests/fixtures/tailspin"))?).await?,
        send(&host, "/api/v1/upgrade-plans", console(200)?).await?,
    ];
    let mut full = 0;
    for refusal in &refusals {
        if refusal.status == 507 {
            full += 1;
            let problem = refusal.json();
            let detail = problem["detail"].as_str().unwrap_or_default();
            assert_eq!(problem["code"], "storage.full", "{refusal}");
            assert!(detail.starts_with("there is no room left in ") && detail.contains("make room there"), "{detail}");
        } else {
            // A page that is there already may still be written; what does not make sense is refused for that.
            assert!(refusal.status < 500, "{refusal}");
        }
    }
    assert!(full >= 3, "{full} of {} found no room: {refusals:?}", refusals.len());
    assert_eq!(refusals[5].status, 507, "{}", refusals[5]);
    assert!(refusals[5].text.contains(&host.folder().display().to_string()), "{}", refusals[5]);

    // Nothing is lost, and reading goes on.
    for path in ["/health/ready", "/health/live", "/api/v1/queues/before", "/api/v1/revisions", "/api/v1/audit"] {
        assert_eq!(host.get(path).await?.status, 200, "{path}");
    }
    let left = names(host.folder())?;
    let left: Vec<_> = left.iter().filter(|name| !files.contains(name) && !name.contains(".db")).collect();
    assert!(left.iter().all(|name| *name == "upgrades"), "what was sent stays behind: {left:?}");

    // As soon as there is room, writing works, by the same process.
    fs::remove_file(filling)?;
    let after = host.put("/api/v1/queues/after", json!({"name": "After"})).await?;
    assert_eq!(after.status, 201, "{after}");
    let token = host.post("/api/v1/tokens", json!({"name": "third", "roles": ["workspace"]})).await?;
    assert_eq!(token.status, 201, "{token}");
    assert_eq!(host.get("/api/v1/queues/before").await?.status, 200);
    let kept = entries(&[("solution.xml", b"<a/>".to_vec())])?;
    assert_eq!(send(&host, "/api/v1/imports?dryRun=true", kept).await?.status, 422, "no turn was left taken");
    Ok(())
}
