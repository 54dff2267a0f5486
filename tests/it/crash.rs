//! A process that is killed loses nothing it acknowledged, and leaves nothing half-written.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loadout::domain::revision::Author;
use loadout::domain::{AnyItem, Kind};
use loadout::store::{Change, ChangeSet, Store};
use loadout_tests::host::Failure;
use serde_json::json;

type Done = Result<(), Failure>;

/// Says to the test binary that it is the writer, and where to write.
const WRITER: &str = "LOADOUT_TEST_WRITER";

/// Pairs written by one round of the writer, at most.
const PAIRS: usize = 20_000;

/// Not a test of its own: the other half of the next one, run as a process that can be killed.
#[test]
fn writer() -> Done {
    let Some(folder) = std::env::var_os(WRITER) else { return Ok(()) };
    let store = Store::open(folder.as_ref())?;
    let first = store.snapshot()?.entries(Kind::Queue).count() / 2;
    for pair in first..first + PAIRS {
        let queue = |half: &str| {
            let name = format!("{half}-{pair:06}");
            AnyItem::parse(Kind::Queue, &name, json!({"name": name})).map(|item| Change::put(name, item))
        };
        let author = Author::new("writer", pair.to_string());
        store.commit(ChangeSet::new([queue("left")?, queue("right")?]), &author)?;
        std::fs::write(Path::new(&folder).join("acknowledged"), (pair + 1).to_string())?;
    }
    Ok(())
}

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
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "crash::writer"]).env(WRITER, folder).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.spawn()?)
}
