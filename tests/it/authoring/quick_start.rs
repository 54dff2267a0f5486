//! The commands of the README for authors of plugins: each runs, and what they lead to is there for a person.

use std::fs;

use loadout_tests::Done;
use loadout_tests::archive::root;
use loadout_tests::host::TestHost;

use super::page::{acts, follow, workplace};

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_made_tried_installed_and_there_for_a_person() -> Done {
    let page = fs::read_to_string(root().join("guest-sdk/guide/quick-start.md"))?;
    let acts = acts("quick-start.md", &page);
    let host = TestHost::with_platform().await?;
    let folder = workplace()?;
    tokio::task::block_in_place(|| follow(folder.path(), &host.address(""), &acts))?;
    let plugin = host.get("/api/v1/plugins/contoso/greeter").await?.json();
    let versions = plugin["versions"].as_array().map(Vec::len);
    assert_eq!((versions, plugin.get("rollout")), (Some(1), None), "`dev` leaves nothing behind: {plugin}");
    Ok(())
}
