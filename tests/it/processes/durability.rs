//! What was acknowledged survives a power cut: each change is brought to disk once, before its answer.
//!
//! A test cannot cut the power. It can count what the server tells the disk: `strace` writes down each call, with the
//! file it is about.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::archive::{pack, root};
use loadout_tests::host::{Failure, Reply, share_compiled};
use loadout_tests::program::server;
use loadout_tests::skipped::skipped;
use reqwest::Method;
use serde_json::{Value, json};

/// Writes down what a process tells the disk, until it is dropped.
struct Trace {
    child: Child,
    file: std::path::PathBuf,
}

impl Trace {
    /// Nothing if this machine does not let one process look at another.
    fn of(process: u32, folder: &Path) -> Result<Option<Self>, Failure> {
        let file = folder.join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync", "-o"]).arg(&file).args(["-p", &process.to_string()]);
        let Ok(child) = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            return Ok(None);
        };
        let mut trace = Self { child, file };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if trace.child.try_wait()?.is_some() {
                return Ok(None);
            }
            // Each thread is looked at once its status says who does.
            let traced = |task: std::io::Result<fs::DirEntry>| -> Result<bool, Failure> {
                let status = fs::read_to_string(task?.path().join("status")).unwrap_or_default();
                Ok(!status.contains("TracerPid:\t0\n"))
            };
            let tasks = fs::read_dir(format!("/proc/{process}/task"))?;
            if tasks.map(traced).collect::<Result<Vec<_>, _>>()?.into_iter().all(|traced| traced) {
                return Ok(Some(trace));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(None)
    }

    /// How often each file was brought to disk so far, by its name.
    fn counts(&self) -> Result<BTreeMap<String, usize>, Failure> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(&self.file).unwrap_or_default().lines() {
            // A call that another one interrupts has two lines, and its file in the first.
            let Some((_, path)) = line.split_once('<').filter(|_| line.contains("sync(")) else { continue };
            let name = path.split('>').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        Ok(counts)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // It may have ended with what it looked at.
        let _ = (self.child.kill(), self.child.wait());
    }
}

#[tokio::test]
async fn each_acknowledged_change_is_brought_to_disk_once() -> Done {
    let (folder, beside) = (tempfile::tempdir()?, tempfile::tempdir()?);
    share_compiled(folder.path())?;
    let server = server(folder.path())?;
    let caller = server.caller();
    let ask = async |method: Method, path: &str, body: Value| {
        let request = caller.request(method, path);
        let answer = Reply::to(if body.is_null() { request } else { request.json(&body) }).await?;
        if answer.status >= 300 {
            return Err(Failure::from(format!("{path}: {answer}")));
        }
        Ok::<Reply, Failure>(answer)
    };
    // The first write of a process begins its files.
    ask(Method::PUT, "/api/v1/queues/before", json!({"name": "Before"})).await?;
    let Some(trace) = Trace::of(server.id(), beside.path())? else {
        skipped("`strace` is not here or may not look at a process, so nothing was counted");
        return Ok(());
    };
    let wal = format!("{}-wal", Store::FILE);
    let count = || Ok::<usize, Failure>(trace.counts()?.get(&wal).copied().unwrap_or(0));
    let users: Vec<String> = (0..10).map(|number| format!("u{number}")).collect();
    for user in &users {
        ask(Method::PUT, &format!("/api/v1/users/{user}"), json!({"displayName": user})).await?;
    }
    let solution = pack(&root().join("tests/fixtures/tailspin"))?;
    let before = count()?;
    assert!(before >= users.len(), "{before} for {} people", users.len());
    let changes: &[(Method, &str, Value)] = &[
        (Method::PUT, "/api/v1/queues/desk", json!({"name": "Desk"})),
        (Method::PATCH, "/api/v1/profiles/contoso_rep", json!({"description": "changed"})),
        (Method::POST, "/api/v1/profiles/contoso_rep/users", json!({"add": users})),
        (Method::PUT, "/api/v1/environment", json!({"secondAssignment": "is-refused"})),
        (Method::POST, "/api/v1/profiles/contoso_rep/users", json!({"remove": users})),
        (Method::DELETE, "/api/v1/queues/desk", Value::Null),
    ];
    for (method, path, body) in changes {
        let before = count()?;
        ask(method.clone(), path, body.clone()).await?;
        assert_eq!(count()? - before, 1, "{method} {path}");
    }
    let before = count()?;
    let request = caller.request(Method::POST, "/api/v1/imports").header("content-type", "application/zip");
    let imported = Reply::to(request.body(solution)).await?;
    assert_eq!((imported.status, count()? - before), (200, 1), "an import is one change: {imported}");
    // A change of a token is in the audit before it happens.
    let before = (count()?, trace.counts()?);
    ask(Method::POST, "/api/v1/tokens", json!({"name": "desk", "roles": ["workspace"]})).await?;
    let audit = |counts: &BTreeMap<String, usize>| counts.get("audit.db-wal").copied().unwrap_or(0);
    assert_eq!(count()? - before.0, 1, "a token");
    assert!(audit(&trace.counts()?) > audit(&before.1), "and the audit of it");
    // What changes nothing, and what is only asked, costs the disk nothing.
    let before = count()?;
    ask(Method::PATCH, "/api/v1/profiles/contoso_rep", json!({"description": "changed"})).await?;
    caller.get("/api/v1/profiles").await?;
    assert_eq!(count()? - before, 0, "nothing changed");
    Ok(())
}
