//! A server whose log is not read.

use std::process::{Command, Stdio};
use std::time::Duration;

use loadout_tests::Done;
use loadout_tests::host::TOKEN;
use loadout_tests::process::ServerProcess;
use loadout_tests::program;

/// How long something may take that hangs otherwise.
const HANGS: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_log_that_is_not_read_stops_no_answer() -> Done {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(program::path());
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
