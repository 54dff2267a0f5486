//! The commands of the quick start for authors of plugins: each runs, and the new tool is there for a person.

use std::fs;
use std::path::Path;

use loadout_tests::archive::root;
use loadout_tests::host::{Failure, TestHost};

use crate::page::{acts, follow, workplace};

type Done = Result<(), Failure>;

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_made_tried_installed_and_there_for_a_person() -> Done {
    let page = fs::read_to_string(root().join("guest-sdk/guide/quick-start.md"))?;
    let acts = acts("quick-start.md", &page);
    let host = TestHost::with_platform(Path::new(env!("CARGO_BIN_EXE_loadout-under-test"))).await?;
    let folder = workplace()?;
    tokio::task::block_in_place(|| follow(folder.path(), &host.address(""), &acts))?;
    let plugin = host.get("/api/v1/plugins/contoso/greeter").await?.json();
    let versions = plugin["versions"].as_array().map(Vec::len);
    assert_eq!((versions, plugin.get("rollout")), (Some(1), None), "`dev` leaves nothing behind: {plugin}");
    Ok(())
}
