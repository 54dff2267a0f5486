//! What could not be brought along is said: by the exit code, in the output, and over HTTP.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use loadout_tests::Done;
use loadout_tests::archive::{entries, guid, package, solution};
use loadout_tests::host::{Failure, Reply, TestHost, share_compiled};
use loadout_tests::program::loadout;
use reqwest::Method;
use serde_json::{Value, json};

use loadout_tests::components::RULES;

/// Three workstreams; the second has the code of no known channel.
fn one_is_bad() -> Result<Vec<u8>, Failure> {
    let row =
        |name: &str, channel: &str| vec![("msdyn_name", name.to_owned()), ("msdyn_streamsource", channel.to_owned())];
    package(
        "msdyn_liveworkstream",
        &[row("Harbour chat", "192360000"), row("Harbour smoke signs", "717171"), row("Harbour sms", "192340000")],
    )
}

/// A solution whose second tool has no name.
fn one_tool_is_bad() -> Result<Vec<u8>, Failure> {
    let tool = "<msdyn_name>Tide</msdyn_name><msdyn_controlname>adat_Tide</msdyn_controlname>";
    let nameless = "<msdyn_controlname>adat_Ebb</msdyn_controlname>";
    let table = "msdyn_panetoolconfiguration";
    solution("AdatTide", false, &[(table, "adat_tide", tool), (table, "adat_ebb", nameless)], "")
}

/// Exit code, standard output and standard error of a command.
fn run(arguments: &[&str], folder: &Path) -> Result<(i32, String, String), Failure> {
    let output = loadout(folder, arguments).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr)))
}

#[test]
fn a_script_can_tell_that_rows_were_left_behind() -> Done {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    fs::write(at.join("bad.zip"), one_is_bad()?)?;
    fs::write(at.join("tools.zip"), one_tool_is_bad()?)?;
    fs::write(at.join("good.zip"), package("queue", &[vec![("name", "Harbour desk".to_owned())]])?)?;
    share_compiled(&at.join("env"))?;
    let quarantined = format!(
        "quarantined msdyn_liveworkstream/{}: `msdyn_streamsource`: `717171` is not a code it can have (unknown-code)",
        guid(2)
    );
    let tool = "`msdyn_name` is missing, and it is required";
    for (arguments, code, said) in [
        (&["import", "good.zip"][..], 0, "1 migrated"),
        (&["import", "bad.zip", "--dry-run"], 3, quarantined.as_str()),
        (&["upgrade", "plan", "bad.zip"], 3, &quarantined),
        (&["upgrade", "plan", "bad.zip", "--allow-quarantine"], 0, &quarantined),
        (&["import", "bad.zip"], 3, &quarantined),
        (&["import", "bad.zip", "--allow-quarantine"], 0, "2 already-there, 1 quarantined"),
        (&["import", "bad.zip", "--json"], 3, r#""quarantine":[{"table":"msdyn_liveworkstream""#),
        (&["import", "tools.zip", "--dry-run"], 3, tool),
        (&["import", "tools.zip"], 3, tool),
        (&["import", "tools.zip"], 3, "0 created, 0 updated, 1 unchanged"),
        (&["import", "tools.zip", "--json"], 3, tool),
        (&["import", "tools.zip", "--allow-quarantine"], 0, tool),
        (&["upgrade", "status"], 0, &quarantined),
    ] {
        let (ended, out, error) = run(&[arguments, &["--data", "env"]].concat(), at)?;
        assert_eq!(ended, code, "{arguments:?}: {out}{error}");
        assert!(out.contains(said), "{arguments:?}: {out}");
        let is_said = error.contains("warning: 1 row is in quarantine: mend the archive");
        assert_eq!(is_said, code == 3, "{arguments:?}: {error}");
    }
    let (_, history, _) = run(&["upgrade", "history", "--data", "env"], at)?;
    let revisions = history.lines().filter(|line| line.contains("bad.zip: applied as revision 3")).count();
    assert_eq!(revisions, 3, "what is there already makes no revision: {history}");

    let (_, planned, _) = run(&["upgrade", "plan", "bad.zip", "--data", "env"], at)?;
    let id = planned.split_whitespace().nth(1).unwrap_or_default();
    let (ended, out, _) = run(&["upgrade", "apply", id, "--data", "env"], at)?;
    assert_eq!(ended, 3, "{out}");
    assert!(out.contains(&quarantined), "{out}");
    for help in [&["--help"][..], &["import", "--help"], &["upgrade", "apply", "--help"]] {
        assert!(run(help, at)?.1.contains('3'), "{help:?} says what 3 is");
    }
    Ok(())
}

#[test]
fn of_many_rows_the_first_are_named_and_the_rest_counted() -> Done {
    let folder = tempfile::tempdir()?;
    let row = |number: usize| vec![("msdyn_name", format!("W {number}")), ("msdyn_streamsource", "9".to_owned())];
    let rows: Vec<_> = (1..=23).map(row).collect();
    fs::write(folder.path().join("bad.zip"), package("msdyn_liveworkstream", &rows)?)?;
    share_compiled(&folder.path().join("env"))?;
    let (ended, out, _) = run(&["import", "bad.zip", "--data", "env"], folder.path())?;
    assert_eq!((ended, out.matches("quarantined msdyn_liveworkstream/").count()), (3, 20), "{out}");
    assert!(
        out.contains("… and 3 more quarantined rows: see all with `loadout upgrade rows 1 --outcome quarantined`"),
        "{out}"
    );
    let (ended, all, _) = run(&["upgrade", "rows", "1", "--outcome", "quarantined", "--data", "env"], folder.path())?;
    assert_eq!((ended, all.lines().count()), (0, 23), "{all}");
    Ok(())
}

async fn plan_over_http(host: &TestHost, zip: Vec<u8>) -> Result<Value, Failure> {
    let post = host.request(Method::POST, "/api/v1/upgrade-plans").header("content-type", "application/zip");
    let planned = Reply::to(post.body(zip)).await?;
    assert_eq!(planned.status, 201, "{planned}");
    Ok(planned.json())
}

/// What came of a plan that was carried out.
async fn applied(host: &TestHost, plan: &Value) -> Result<Value, Failure> {
    let begun = host.post("/api/v1/upgrades", json!({"plan": plan["id"]})).await?;
    assert_eq!(begun.status, 202, "{begun}");
    let at = begun.header("location").to_owned();
    let events = host.get(&format!("{at}/events")).await?;
    assert!(events.text.contains("\"state\":\"applied\""), "{}", events.text);
    Ok(host.get(&at).await?.json())
}

#[tokio::test]
async fn over_http_the_rows_are_in_the_report() -> Done {
    let host = TestHost::with_plugins(None, Arc::clone(&*RULES)).await?;
    let plan = plan_over_http(&host, one_is_bad()?).await?;
    let status = applied(&host, &plan).await?;
    assert_eq!(status["quarantine"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(status["quarantine"], plan["quarantine"]);
    assert_eq!(status["quarantine"][0]["id"], guid(2));
    let reason = status["quarantine"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("`msdyn_streamsource`: `717171`"), "{reason}");
    let there = host.get("/api/v1/workstreams").await?.json();
    let names: Vec<&Value> = there["items"].as_array().into_iter().flatten().map(|it| &it["uniqueName"]).collect();
    assert_eq!(json!(names), json!(["Harbour chat", "Harbour sms"]));
    Ok(())
}

/// A package of one workstream whose queue was not exported, only named.
fn outside(queue: &str, label: &str) -> Result<Vec<u8>, Failure> {
    let data = format!(
        "<entities><entity name=\"msdyn_liveworkstream\"><records><record id=\"{}\">\
         <field name=\"msdyn_name\" value=\"Night boats\" /><field name=\"msdyn_streamsource\" value=\"192360000\" />\
         <field name=\"msdyn_sessiontemplate_default\" value=\"adat_gone\" />\
         <field name=\"msdyn_defaultqueue\" value=\"{queue}\" lookupentity=\"queue\" lookupentityname=\"{label}\" />\
         </record></records></entity></entities>",
        guid(1)
    );
    let schema = "<entities><entity name=\"msdyn_liveworkstream\" /></entities>";
    entries(&[("data.xml", data.into_bytes()), ("data_schema.xml", schema.as_bytes().to_vec())])
}

#[tokio::test]
async fn a_queue_that_was_not_exported_is_found_by_its_name_or_named() -> Done {
    let id = "e1e1e1e1-2222-4333-8444-555555555555";
    for (queues, queue, said) in [
        (&[][..], Value::Null, format!("`Night watch` (`{id}`), and nothing in `queues` is called so")),
        (
            &["adat_night"][..],
            json!("adat_night"),
            format!(
                "`Night watch` (`{id}`), which is in no record: `adat_night`, the only one of `queues` that is called so, is taken"
            ),
        ),
        (
            &["adat_night", "adat_other"][..],
            Value::Null,
            format!("`Night watch` (`{id}`), and 2 of `queues` are called so"),
        ),
    ] {
        let host = TestHost::with_plugins(Some("contoso"), Arc::clone(&*RULES)).await?;
        for name in queues {
            let made = host.put(&format!("/api/v1/queues/{name}"), json!({"name": "Night watch"})).await?;
            assert_eq!(made.status, 201, "{made}");
        }
        let plan = plan_over_http(&host, outside(id, "Night watch")?).await?;
        let notes = plan["notes"].as_array().cloned().unwrap_or_default();
        let about = |what: &str| -> Vec<String> {
            let all = notes.iter().filter_map(|note| note["message"].as_str());
            all.filter(|note| note.contains(what)).map(str::to_owned).collect()
        };
        let about_queue = about("fallbackQueue");
        assert!(about_queue.len() == 1 && about_queue[0].contains(&said), "{queues:?}: {about_queue:?}");
        assert_eq!(about("adat_gone").len(), 1, "{notes:?}");
        applied(&host, &plan).await?;
        let made = host.get("/api/v1/workstreams/Night%20boats").await?.json();
        assert_eq!(made["fallbackQueue"], queue, "{queues:?}: {made}");
        let session =
            json!({"user": "kayla", "app": "customer-service-workspace", "session": {"workstream": "Night boats"}});
        let answer = host.post("/api/v1/experience", session).await?;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json()["session"]["template"], "msdyn_chat_session", "{answer}");
        // The same again finds nothing to change.
        let again = plan_over_http(&host, outside(id, "Night watch")?).await?;
        assert_eq!(again["differences"], json!([]), "{queues:?}");
    }
    Ok(())
}
