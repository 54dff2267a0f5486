//! The pages for authors: every command in them runs, in the order in which they are read, and prints what stands
//! there.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use loadout::plugin::Manifest;
use loadout_contract::Contract;
use loadout_tests::Done;
use loadout_tests::archive::root;
use loadout_tests::host::TestHost;

use super::page::{acts, follow, workplace};

/// The pages that are one story.
const STORY: [&str; 5] = ["tutorial.md", "debug-a-fault.md", "migrate-settings.md", "ship.md", "roll-back.md"];

fn guide() -> PathBuf {
    root().join("guest-sdk/guide")
}

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guide_runs_and_prints_what_it_says() -> Done {
    let host = TestHost::with_platform().await?;
    let mut story = Vec::new();
    for name in STORY {
        story.extend(acts(name, &fs::read_to_string(guide().join(name))?));
    }
    let folder = workplace()?;
    tokio::task::block_in_place(|| follow(folder.path(), &host.address(""), &story))
}

#[test]
fn every_page_of_the_guide_is_in_its_list() -> Done {
    let list = fs::read_to_string(guide().join("README.md"))?;
    for folder in ["", "reference/"] {
        for entry in fs::read_dir(guide().join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let listed = list.contains(&format!("]({folder}{name})")) || name == "README.md" || name == "reference";
            assert!(listed, "`{folder}{name}` is in the list");
        }
    }
    Ok(())
}

/// A page that is written from something else; `LOADOUT_UPDATE=1` writes it, and the test fails so that the page is
/// read.
fn is_current(page: &str, text: &str) -> Done {
    let path = guide().join("reference").join(page);
    if fs::read_to_string(&path).unwrap_or_default() == text {
        return Ok(());
    }
    let shown = path.display();
    if std::env::var_os("LOADOUT_UPDATE").is_none() {
        return Err(format!("`{shown}` is out of date: run the tests with LOADOUT_UPDATE=1").into());
    }
    fs::write(&path, text)?;
    Err(format!("`{shown}` was written anew: read it, and run the tests again without LOADOUT_UPDATE").into())
}

#[test]
fn the_reference_of_the_contract_is_what_the_wit_files_say() -> Done {
    let contract = Contract::read(&root().join("wit"))?;
    is_current("contract.md", &loadout_contract::reference(&contract)?)
}

#[test]
fn the_reference_of_the_manifest_is_what_the_host_reads() -> Done {
    let mut page =
        "# The manifest\n\nEvery key of `plugin.toml`. One that is not here is refused by name.\n".to_owned();
    for table in Manifest::reference() {
        write!(page, "\n## {}\n\n{}\n\n| key | needed | meaning |\n| --- | --- | --- |\n", table.header, table.about)?;
        for key in table.keys {
            let needed = if key.required { "yes" } else { "" };
            writeln!(page, "| `{}` | {needed} | {} |", key.name, key.about.replace('|', "\\|"))?;
        }
    }
    is_current("manifest.md", &page)
}
