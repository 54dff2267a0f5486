//! Archives as administrators pack them by hand: read like the one that the export made, or refused with the next step.

use std::fs;
use std::io::{Cursor, Read};

use loadout_tests::Done;
use loadout_tests::archive::{entries, pack, root};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::program::{loadout, outcome};
use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipArchive;

type Files = Vec<(String, Vec<u8>)>;

/// The files of the fixture `tailspin`.
fn tailspin() -> Result<Files, Failure> {
    let mut zip = ZipArchive::new(Cursor::new(pack(&root().join("tests/fixtures/tailspin"))?))?;
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push((entry.name()?.into_owned(), bytes));
    }
    Ok(files)
}

fn zipped(files: &Files) -> Result<Vec<u8>, Failure> {
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    entries(&files)
}

/// The fixture with every path as `rename` makes it.
fn renamed(rename: impl Fn(&str) -> String) -> Result<Vec<u8>, Failure> {
    zipped(&tailspin()?.into_iter().map(|(name, bytes)| (rename(&name), bytes)).collect())
}

#[tokio::test]
async fn what_no_export_made_is_refused_with_the_next_step() -> Done {
    let unpacked = renamed(|name| match name {
        "solution.xml" => "Other/Solution.xml".to_owned(),
        "customizations.xml" => "Other/Customizations.xml".to_owned(),
        other => other.to_owned(),
    })?;
    let folder = renamed(|name| format!("Tailspin_1_0/{name}"))?;
    let mac_folder = {
        let mut files: Files =
            tailspin()?.into_iter().map(|(name, bytes)| (format!("Tailspin_1_0/{name}"), bytes)).collect();
        files.push(("__MACOSX/Tailspin_1_0/._solution.xml".to_owned(), vec![0, 5, 22, 7]));
        zipped(&files)?
    };
    let inner = entries(&[("Tailspin_1_0.zip", zipped(&tailspin()?)?)])?;
    let package = pack(&root().join("tests/fixtures/wingtip"))?;
    let package_in_folder = entries(&[("Wingtip/data.xml", b"<entities/>".to_vec())])?;
    let host = TestHost::start().await?;
    let before = host.get("/api/v1/revisions").await?.text;
    let unpacked_said = "the archive holds an unpacked solution (`Other/Solution.xml`): pack that with `pac solution pack`, and choose the zip file it makes";
    let folder_said =
        "the archive holds a folder (`Tailspin_1_0/solution.xml`): zip the content of `Tailspin_1_0`, not the folder";
    let inner_said = "the archive holds another one (`Tailspin_1_0.zip`), which is not opened: take `Tailspin_1_0.zip` out of it, and choose that";
    let here = tempfile::tempdir()?;
    for (name, zip, said) in [
        ("unpacked", unpacked, unpacked_said),
        ("folder", folder, folder_said),
        ("mac-folder", mac_folder, folder_said),
        ("inner", inner, inner_said),
        (
            "inner-package",
            entries(&[("old/wingtip.ZIP", package)])?,
            "the archive holds another one (`old/wingtip.ZIP`)",
        ),
        (
            "package-in-folder",
            package_in_folder,
            "the archive holds a folder (`Wingtip/data.xml`): zip the content of `Wingtip`",
        ),
        ("nothing", entries(&[("readme.txt", b"x".to_vec())])?, "choose the zip file"),
    ] {
        let reply = host.import("/api/v1/imports", zip.clone()).await?;
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, detail.contains(said)), (422, true), "{name}: {reply}");
        let plan = host.request(Method::POST, "/api/v1/upgrade-plans").header("content-type", "application/zip");
        let reply = Reply::to(plan.body(zip.clone())).await?;
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, detail.contains(said)), (422, true), "plan of {name}: {reply}");
        let file = format!("{name}.zip");
        fs::write(here.path().join(&file), zip)?;
        let output = loadout(here.path(), &["import", &file, "--data", "env"]).output()?;
        let ended = outcome(&output);
        assert!(ended.starts_with("1 error: ") && ended.contains(said), "{name}: {ended}");
    }
    assert_eq!(host.get("/api/v1/revisions").await?.text, before, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn what_a_mac_adds_is_reported_and_does_no_harm() -> Done {
    let mut files = tailspin()?;
    let script = "msdyn_productivityagentscripts/tspin_hello";
    for litter in [
        ".DS_Store",
        "__MACOSX/._solution.xml",
        "__MACOSX/Workflows/._macro.xml",
        &format!("{script}/._msdyn_productivityagentscript.xml"),
        &format!("__MACOSX/{script}/._msdyn_productivityagentscript.xml"),
        "loadout/profiles/._tspin_desk.json",
    ] {
        files.push((litter.to_owned(), vec![0, 5, 22, 7]));
    }
    let reference = TestHost::start().await?.import("/api/v1/imports", zipped(&tailspin()?)?).await?.json();
    let report = TestHost::start().await?.import("/api/v1/imports", zipped(&files)?).await?.json();
    for count in ["created", "merged", "links", "linksLeftOut", "quarantined"] {
        assert_eq!(report["counts"][count], reference["counts"][count], "{count}");
    }
    assert_eq!(report["counts"]["skipped"], json!(6));
    let warned = report["warnings"].as_array().into_iter().flatten();
    let warned: Vec<&Value> = warned.filter(|it| it["code"] == "unknown-file").collect();
    assert_eq!(warned.len(), 6, "{warned:?}");
    assert!(warned.iter().all(|it| it["message"] == "the system that packed the archive left it; it is not read"));
    Ok(())
}
