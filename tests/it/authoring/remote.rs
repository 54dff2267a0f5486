//! Commands that speak to a host say what became of it, and mistake no other server for one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use insta::assert_snapshot;
use loadout_plugin_build::{embed_manifest, manifest_of};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, TOKEN, TestHost};
use loadout_tests::program::{Going, plugin};
use serde_json::json;

/// A folder with a component and a token.
fn workplace(component: &[u8]) -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("token"), TOKEN)?;
    std::fs::write(folder.path().join("a.wasm"), component)?;
    Ok(folder)
}

// The commands wait for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_calls_sees_the_last_and_then_each_that_comes() -> Done {
    let host = TestHost::with_platform().await?;
    let greeter = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    assert_eq!(host.install("", &greeter).await?.status, 201);
    let tool = json!({"name": "Greeter", "kind": "greeter", "control": "contoso_greeter"});
    assert_eq!(host.put("/api/v1/pane-tools/contoso_greeter", tool).await?.status, 201);
    let tools = json!({"productivityPane": {"tools": [{"tool": "contoso_greeter"}]}});
    assert_eq!(host.patch("/api/v1/profiles/contoso_rep", tools).await?.status, 200);
    let asked = async |name: &str| -> Done {
        let session = json!({"entity": "incident", "context": {"customerName": name}});
        let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
        assert_eq!(host.post("/api/v1/experience", question).await?.status, 200);
        Ok(())
    };
    for name in ["Ada", "Grace", "Mary", "Alan"] {
        asked(name).await?;
    }
    let listed = async || -> Result<Vec<String>, Failure> {
        let page = host.get("/api/v1/traces?plugin=tests%2Fgreeter").await?.json();
        let ids = page["items"].as_array().into_iter().flatten().filter_map(|call| call["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    };
    while listed().await?.len() < 4 {
        tokio::task::yield_now().await;
    }
    let folder = workplace(&greeter)?;
    let address = host.address("");
    let follow = ["trace", "tests/greeter", "--last", "2", "--follow", "--host", &address, "--token-file", "token"];
    let mut following = Going::start(folder.path(), &follow)?;
    let mut seen = vec![following.line()?, following.line()?];
    asked("Hedy").await?;
    seen.push(following.line()?);
    let newest = listed().await?;
    let expected = newest.iter().take(3).rev();
    for (line, id) in seen.iter().zip(expected) {
        assert!(line.ends_with(id), "{seen:?} and {newest:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_and_does_not_serve_is_a_failure() -> Done {
    let host = TestHost::with_platform().await?;
    let plain = rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?;
    let manifest =
        manifest_of(&plain)?.unwrap_or_default().to_owned() + "[capabilities]\nhttp = [\"api.contoso.com\"]\n";
    let folder = workplace(&embed_manifest(&plain, &manifest)?)?;
    let address = host.address("");
    let install = ["install", "a.wasm", "--host", &address, "--token-file", "token"];
    assert_snapshot!(plugin(folder.path(), &install)?, @r#"
    1 installed  tests/greeter 1.0.0
    serves     no version
    error: it is there and does not serve: plugin `tests/greeter` 1.0.0 asks for more than was granted: decide about http `api.contoso.com` with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant`, even if it shall have nothing
    "#);
    Ok(())
}

#[test]
fn a_server_that_is_no_host_is_not_taken_for_one() -> Done {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", server.local_addr()?);
    let folder = workplace(&rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?)?;
    let welcoming = thread::spawn(move || -> std::io::Result<()> {
        let (mut caller, _) = server.accept()?;
        let _ = caller.read(&mut [0; 1024])?;
        caller.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nWelcome")
    });
    let said = plugin(folder.path(), &["list", "--host", &address, "--token-file", "token"])?;
    assert_eq!(said, format!("1 error: `{address}` answers, and is no host of Loadout: look at `--host`"));
    welcoming.join().map_err(|_| "the server broke")??;
    Ok(())
}
