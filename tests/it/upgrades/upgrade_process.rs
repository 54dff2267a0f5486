//! Upgrades by the program itself, as a process that can be killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use loadout::service::Service;
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::archive::{console, pack, root};
use loadout_tests::host::{Failure, platform, share_compiled};
use loadout_tests::program::of_a_long_trial;
use loadout_tests::trial::{number, random};
use serde_json::Value;

use super::upgrade::library;

fn loadout(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(of_a_long_trial());
    command.args(arguments).env("RUST_LOG", "error").current_dir(folder);
    command
}

fn output(arguments: &[&str], folder: &Path) -> Result<String, Failure> {
    let output = loadout(folder, arguments).output()?;
    if !output.status.success() {
        return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Files that hold the configuration, with their bytes.
fn database(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = ["loadout.db", "loadout.db-wal"].into_iter();
    files.filter_map(|file| Some((file.to_owned(), fs::read(folder.join("env").join(file)).ok()?))).collect()
}

#[test]
fn planning_leaves_the_database_byte_equal() -> Done {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("old.zip"), pack(&root().join("tests/fixtures/wingtip"))?)?;
    share_compiled(&folder.path().join("env"))?;
    drop(Service::start_with(&folder.path().join("env"), platform())?);
    let before = database(folder.path());
    let text = output(&["upgrade", "plan", "old.zip", "--data", "env", "--allow-quarantine"], folder.path())?;
    assert!(text.contains("nothing was written"), "{text}");
    let dry = output(&["import", "old.zip", "--data", "env", "--dry-run", "--allow-quarantine"], folder.path())?;
    assert!(dry.contains("nothing was written"), "{dry}");
    assert_eq!(before, database(folder.path()));
    assert!(!before.is_empty());
    let imported = output(&["import", "old.zip", "--data", "env", "--allow-quarantine"], folder.path())?;
    assert!(imported.starts_with("upgrade 1 from old.zip: applied as revision 2"), "{imported}");
    Ok(())
}

#[test]
fn an_upgrade_that_is_killed_goes_on_and_ends_with_the_same_bytes() -> Done {
    let (kills, rows) = (number("LOADOUT_TEST_KILLS", 12), number("LOADOUT_TEST_ROWS", 1_500));
    let mut state = number("LOADOUT_TEST_SEED", 7) as u64;
    // Of many kills, many should hit the same upgrade.
    let share = (kills as u64 / 25).clamp(1, 40);
    let folder = tempfile::tempdir()?;
    let begin = |name: &str| -> Result<(std::path::PathBuf, String), Failure> {
        let own = folder.path().join(name);
        fs::create_dir_all(&own)?;
        fs::write(own.join("old.zip"), console(rows)?)?;
        share_compiled(&own.join("env"))?;
        drop(Service::start_with(&own.join("env"), platform())?);
        let plan = output(&["upgrade", "plan", "old.zip", "--data", "env", "--json"], &own)?;
        let plan: Value = serde_json::from_str(&plan)?;
        Ok((own, plan["id"].as_str().ok_or("a plan without id")?.to_owned()))
    };
    let (calm, plan) = begin("calm")?;
    let begun = Instant::now();
    output(&["upgrade", "apply", &plan, "--data", "env"], &calm)?;
    let undisturbed = begun.elapsed();
    let (mut killed, mut finished) = (0, 0);
    while killed < kills {
        let (wild, plan) = begin(&format!("wild-{finished}"))?;
        let mut arguments = vec!["upgrade", "apply", &plan, "--data", "env"];
        let mut disturbed = 0_u32;
        loop {
            let mut child = loadout(&wild, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            // Longer each time, so that it ends at last whatever a start costs.
            let most = u64::try_from(undisturbed.as_micros())? * u64::from(disturbed + 16) / 16 / share;
            let moment = Instant::now() + Duration::from_micros(random(&mut state) % most);
            while Instant::now() < moment && child.try_wait()?.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            match child.try_wait()? {
                Some(status) if status.success() => break,
                Some(status) => return Err(format!("it ended with {status} after {disturbed} kills").into()),
                None => {
                    child.kill()?;
                    child.wait()?;
                    (killed, disturbed) = (killed + 1, disturbed + 1);
                }
            }
            let status: Value = serde_json::from_str(
                &output(&["upgrade", "status", "--data", "env", "--json"], &wild).unwrap_or("{}".to_owned()),
            )?;
            match status["state"].as_str() {
                Some("applied") => break,
                Some("unfinished") => arguments = vec!["upgrade", "resume", "--data", "env"],
                // Killed before it began.
                _ => {}
            }
        }
        let [calm, wild] = [&calm, &wild].map(|folder| {
            let rows = output(&["upgrade", "rows", "1", "--data", "env"], folder)?;
            let status: Value =
                serde_json::from_str(&output(&["upgrade", "status", "--data", "env", "--json"], folder)?)?;
            let said = [&status["notes"], &status["rows"], &status["report"]].map(Value::to_string);
            Ok::<_, Failure>((
                rows,
                said,
                library(&Store::look(&folder.join("env"))?)?,
                Store::look(&folder.join("env"))?.newest()?,
            ))
        });
        assert!(calm? == wild?, "the run that was killed {disturbed} times ended differently");
        finished += 1;
    }
    eprintln!("{killed} kills over {finished} upgrades of {rows} rows; undisturbed {undisturbed:?}");
    Ok(())
}
