//! A server in a process of its own, for tests that kill it or look at its memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use loadout_tests::Done;
use loadout_tests::host::{Failure, TOKEN};
use loadout_tests::process::ServerProcess;
use loadout_tests::roles::SERVER;

/// How long something may take that hangs otherwise.
const HANGS: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadout-under-test");

/// A server over `folder`. A long trial may take an optimised program.
pub(crate) fn start(folder: &Path) -> Result<ServerProcess, Failure> {
    let mut command = match std::env::var_os("LOADOUT_TEST_PROGRAM") {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(["serve", "--listen", "127.0.0.1:0", "--sample", "contoso", "--data"]).arg(folder);
            command.env("LOADOUT_ADMIN_TOKEN", TOKEN).env("RUST_LOG", "error");
            command
        }
        None => {
            let mut command = Command::new(PROGRAM);
            command.arg(SERVER).arg(folder);
            command
        }
    };
    command.stderr(Stdio::null());
    ServerProcess::start(command)
}

#[tokio::test]
async fn a_log_that_is_not_read_stops_no_answer() -> Done {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    command.env("LOADOUT_ADMIN_TOKEN", TOKEN).env("RUST_LOG", "trace").stderr(Stdio::piped());
    let server = ServerProcess::start(command)?;
    let caller = server.caller();
    // Each writes some lines, and a pipe has room for 64 KiB.
    for number in 0..600 {
        let path = format!("/api/v1/queues/{number}{}", "x".repeat(80));
        assert_eq!(
            tokio::time::timeout(HANGS, caller.get(&path))
                .await
                .map_err(|_| format!("request {number} hangs"))??
                .status,
            404
        );
    }
    assert!(Command::new("kill").arg(server.id().to_string()).status()?.success());
    tokio::time::timeout(HANGS, tokio::task::spawn_blocking(move || server.wait()))
        .await
        .map_err(|_| "it goes on")???;
    Ok(())
}
