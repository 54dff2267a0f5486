//! A process that is killed loses nothing it acknowledged, and leaves nothing half-written.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loadout::domain::Kind;
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::host::Failure;
use loadout_tests::program;
use loadout_tests::roles::WRITER;

#[test]
fn killing_the_writer_loses_nothing_it_acknowledged() -> Done {
    let folder = tempfile::tempdir()?;
    for round in 1..=6 {
        let mut writer = start(folder.path())?;
        std::thread::sleep(Duration::from_millis(150 * round));
        // On Unix this is SIGKILL: no destructor runs, no buffer is flushed.
        writer.kill()?;
        writer.wait()?;
        let acknowledged = std::fs::read_to_string(folder.path().join("acknowledged")).unwrap_or_default();
        let acknowledged: usize = acknowledged.parse().unwrap_or(0);
        let store = Store::open(folder.path())?;
        let snapshot = store.snapshot()?;
        let names: Vec<String> = snapshot.entries(Kind::Queue).map(|(name, _)| name.to_string()).collect();
        let (left, right): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| name.starts_with("left"));
        assert_eq!(left.len(), right.len(), "no change set is half there");
        assert!(left.len() >= acknowledged, "{acknowledged} were acknowledged, {} are there", left.len());
        assert_eq!(snapshot.revision().0, left.len() as u64, "every revision is one pair");
    }
    assert!(Store::open(folder.path())?.newest()?.0 > 0, "the writer never wrote");
    Ok(())
}

fn start(folder: &Path) -> Result<Child, Failure> {
    let mut command = Command::new(program::path());
    Ok(command.arg(WRITER).arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}
