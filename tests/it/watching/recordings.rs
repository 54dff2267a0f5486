//! Recordings of calls: opt-in, redacted, and the same answer again, here and elsewhere.

use std::io::ErrorKind;

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::program::plugin;
use serde_json::{Value, json};

const GREETER: &str = "/api/v1/plugins/tests/greeter";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// A greeter that reads the library, and is recorded as `redact` says.
async fn recorded(redact: Value) -> Result<TestHost, Failure> {
    let host = host().await?;
    host.install("", &rule(guests::COUNTS_SCRIPTS, "greeter", "1.0.0", "scripts")?).await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let put = host.put(&format!("{GREETER}/recording"), json!({"until": until, "redact": redact})).await?;
    assert_eq!((put.status, &put.json()["recording"]["redact"]), (200, &redact));
    Ok(host)
}

async fn ask(host: &TestHost, customer: &str) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": {"customerName": customer, "city": customer}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    Ok(host.post("/api/v1/experience", question).await?.json())
}

async fn listed(host: &TestHost) -> Result<Vec<Value>, Failure> {
    let listed = host.get("/api/v1/recordings?plugin=tests%2Fgreeter").await?.json();
    Ok(listed["items"].as_array().cloned().unwrap_or_default())
}

async fn first(host: &TestHost) -> Result<Value, Failure> {
    let id = listed(host).await?.first().ok_or("nothing is recorded")?["id"].clone();
    Ok(host.get(&format!("/api/v1/recordings/{}", id.as_str().unwrap_or_default())).await?.json())
}

#[tokio::test]
async fn recordings_are_found_by_how_the_call_ended() -> Done {
    let host = recorded(json!([])).await?;
    ask(&host, "Ada").await?;
    let mut found = Vec::new();
    for status in ["shown", "hidden", "failed", "agreed", "amended", "proceeds", "rejected"] {
        let listed = host.get(&format!("/api/v1/recordings?status={status}")).await?.json();
        found.push(format!("{status} {}", listed["items"].as_array().map_or(9, Vec::len)));
    }
    assert_snapshot!(found.join(", "), @"shown 1, hidden 0, failed 0, agreed 0, amended 0, proceeds 0, rejected 0");
    assert_snapshot!(host.get("/api/v1/recordings?status=error").await?, @r#"400 {"code":"invalid-query","detail":"the query `status=error` is not valid: status: unknown variant `error`, expected one of `shown`, `hidden`, `failed`, `agreed`, `amended`, `proceeds`, `rejected`"}"#);
    Ok(())
}

#[tokio::test]
async fn nothing_is_recorded_unless_somebody_says_until_when() -> Done {
    let host = host().await?;
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    ask(&host, "Ada").await?;
    assert_eq!(listed(&host).await?.len(), 0);
    for (until, expected) in [
        (
            "2020-01-01T00:00:00Z",
            "`until`: recording until 2020-01-01T00:00:00Z is not possible: say a time to come, at most 90 days from now",
        ),
        (
            "9999-01-01T00:00:00Z",
            "`until`: recording until 9999-01-01T00:00:00Z is not possible: say a time to come, at most 90 days from now",
        ),
    ] {
        let refused = host.put(&format!("{GREETER}/recording"), json!({"until": until})).await?;
        assert_eq!((refused.status, refused.json()["detail"].as_str()), (409, Some(expected)));
    }
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let wrong = host.put(&format!("{GREETER}/recording"), json!({"until": until, "redact": ["names"]})).await?;
    assert_snapshot!(wrong, @r#"422 {"code":"invalid-request","detail":"`redact[0]`: `names` names nothing that is recorded: say `user`, `outside`, `context.*` or `context.` with a key","errors":[{"attribute":"redact[0]","message":"`names` names nothing that is recorded: say `user`, `outside`, `context.*` or `context.` with a key"}]}"#);
    let put = host.put(&format!("{GREETER}/recording"), json!({"until": until})).await?.json();
    assert_eq!(put["recording"]["redact"], json!(["context.*", "outside"]), "customers are nobody's business");
    ask(&host, "Ada").await?;
    assert_eq!(listed(&host).await?.len(), 1);
    host.delete(&format!("{GREETER}/recording")).await?;
    ask(&host, "Grace").await?;
    assert_eq!(listed(&host).await?.len(), 1, "what was recorded stays, and nothing more comes");
    let builtin = host.put("/api/v1/plugins/loadout/workstreams/recording", json!({"until": until})).await?;
    assert_snapshot!(builtin, @r#"409 {"code":"not-comparable","detail":"plugin `loadout/workstreams` is only asked when an old environment is upgraded: its calls are not recorded"}"#);
    let cleared = host.delete(&format!("{GREETER}/recordings")).await?;
    assert_eq!((cleared.json(), listed(&host).await?.len()), (json!({"removed": 1}), 0));
    Ok(())
}

#[tokio::test]
async fn a_recording_has_all_that_was_asked_and_answered() -> Done {
    let host = recorded(json!([])).await?;
    let answered = ask(&host, "Ada").await?;
    let again = ask(&host, "Ada").await?;
    ask(&host, "Grace").await?;
    assert_eq!(answered["productivityPane"], again["productivityPane"]);
    let list = listed(&host).await?;
    let seen: Vec<_> =
        list.iter().map(|it| (it["users"][0].as_str(), it["status"].as_str(), it["seen"].as_u64())).collect();
    let kayla = |seen| (Some("kayla"), Some("shown"), Some(seen));
    assert_eq!(seen, [kayla(1), kayla(2)], "the same question is kept once");
    let recording = first(&host).await?;
    assert_eq!(
        (&recording["facts"]["context"]["customerName"], &recording["reproduced"]),
        (&json!("Grace"), &json!(true))
    );
    let calls: Vec<_> = recording["journal"].as_array().into_iter().flatten().map(|it| it["call"].as_str()).collect();
    assert_eq!(calls[..3], [Some("records.look-up"), Some("library.names"), Some("library.item")]);
    assert_eq!(calls.last(), Some(&Some("context.get")));
    let tool =
        answered["productivityPane"]["tools"].as_array().into_iter().flatten().find(|it| it["tool"] == "scripts");
    let payload = tool.ok_or("no scripts")?["payload"].clone();
    assert!(payload["scripts"].as_u64() > Some(0), "{payload}");
    assert_eq!(recording["answer"]["payload"]["bytes"], payload["bytes"]);
    Ok(())
}

#[tokio::test]
async fn what_is_redacted_is_nowhere() -> Done {
    let host = recorded(json!(["context.customerName", "user"])).await?;
    ask(&host, "Ada Lovelace").await?;
    let recording = first(&host).await?;
    assert_eq!(recording["facts"]["context"], json!({"city": "Ada Lovelace", "customerName": "redacted-1"}));
    assert_eq!(recording["answer"]["payload"]["greeting"], "Hello redacted-1", "the answer belongs to what is kept");
    assert_eq!((&recording["user"], &recording["reproduced"]), (&Value::Null, &Value::Null));
    assert_eq!(recording["redacted"], json!(["context.customerName", "user"]));
    let id = recording["id"].as_str().unwrap_or_default();
    let replayed = host.post(&format!("/api/v1/recordings/{id}/replay"), json!({})).await?;
    assert_eq!(replayed.json()["same"], true);
    let host = recorded(json!(["context.*", "user"])).await?;
    host.install("?activate=false", &rule(guests::STUMBLES, "greeter", "1.1.0", "scripts")?).await?;
    host.put(&format!("{GREETER}/rollout"), json!({"rollout": {"version": "1.1.0", "to": "shadow", "stopAfter": 1}}))
        .await?;
    ask(&host, "Ada Lovelace").await?;
    ask(&host, "Bob").await?;
    let shown = [
        first(&host).await?.to_string(),
        json!(listed(&host).await?).to_string(),
        host.get(&format!("{GREETER}/rollout")).await?.text,
        host.get(GREETER).await?.text,
        host.get("/api/v1/revisions?limit=3").await?.text,
    ];
    assert!(shown[2].contains("plugin.trapped"), "the trial was stopped: {}", shown[2]);
    for (at, text) in shown.iter().enumerate() {
        assert!(!text.contains("Lovelace") && !text.contains("Bob") && !text.contains("\"kayla"), "{at}: {text}");
    }
    let (mut kept, mut told) = (false, false);
    for file in ["recordings.db", "recordings.db-wal"] {
        let bytes = match std::fs::read(host.folder().join(file)) {
            Err(missing) if file.ends_with("-wal") && missing.kind() == ErrorKind::NotFound => continue,
            read => read?,
        };
        let has = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
        kept |= has("Hello redacted-1");
        told |= has("Lovelace");
    }
    assert!(kept, "the recording is not in the files that are looked at");
    assert!(!told);
    Ok(())
}

#[tokio::test]
async fn a_replay_is_byte_exact_whatever_became_of_the_configuration() -> Done {
    let host = recorded(json!([])).await?;
    ask(&host, "Ada").await?;
    let recording = first(&host).await?;
    let id = recording["id"].as_str().unwrap_or_default().to_owned();
    let script = json!({"name": "Another", "language": 1033});
    let put = host.put("/api/v1/scripts/contoso_another", script).await?;
    assert_eq!(put.status, 201, "{put}");
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.1.0", "scripts")?).await?;
    let replay = async |query: &str| -> Result<Value, Failure> {
        Ok(host.post(&format!("/api/v1/recordings/{id}/replay{query}"), json!({})).await?.json())
    };
    let same = replay("").await?;
    assert_eq!((&same["same"], &same["version"]), (&json!(true), &json!("1.0.0")));
    assert_eq!(same["answer"], recording["answer"]);
    let other = replay("?version=1.1.0").await?;
    let fields: Vec<_> = other["differences"].as_array().into_iter().flatten().map(|it| it["field"].as_str()).collect();
    assert_eq!((&other["same"], fields), (&json!(false), vec![Some("payload.bytes"), Some("payload.scripts")]));
    let missing = host.post("/api/v1/recordings/00000000000000000000000000000000/replay", json!({})).await?;
    assert_snapshot!(missing, @r#"404 {"code":"not-found","detail":"there is no recording `00000000000000000000000000000000`: it was never made, or is too old"}"#);
    Ok(())
}

#[tokio::test]
async fn a_laptop_comes_to_the_same_answer() -> Done {
    let host = recorded(json!([])).await?;
    ask(&host, "Ada").await?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("call.json"), first(&host).await?.to_string())?;
    std::fs::write(file("same.wasm"), rule(guests::COUNTS_SCRIPTS, "greeter", "1.0.0", "scripts")?)?;
    std::fs::write(file("other.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.1.0", "scripts")?)?;
    std::fs::write(file("older.wasm"), rule(guests::COUNTS_SCRIPTS, "greeter", "0.9.0", "scripts")?)?;
    let replay = |recording: &str, component: &str| -> Result<String, Failure> {
        plugin(folder.path(), &["replay", recording, "--component", component])
    };
    let said = replay("call.json", "same.wasm")?;
    assert!(
        said.starts_with("0 ") && said.contains("the component that was recorded\nsame       yes, byte by byte"),
        "{said}"
    );
    assert!(replay("call.json", "older.wasm")?.starts_with("0 "), "another build that answers the same");
    let said = replay("call.json", "other.wasm")?;
    assert!(said.starts_with("1 ") && said.contains("differs    payload.scripts: "), "{said}");
    // One that asks what was not asked then: no answer is made up.
    let mut short: Value = serde_json::from_slice(&std::fs::read(file("call.json"))?)?;
    short["journal"] = json!([]);
    std::fs::write(file("short.json"), short.to_string())?;
    let said = replay("short.json", "same.wasm")?;
    assert!(said.starts_with("1 "), "{said}");
    assert!(
        said.contains(
            "replay.unrecorded: it asked `records.look-up(contact, fullname, )`, which the recorded call did not"
        ),
        "{said}"
    );
    std::fs::write(file("empty.json"), "{}")?;
    assert_snapshot!(replay("empty.json", "same.wasm")?, @"1 error: `empty.json` cannot be used: it is no recording of a call: missing field `format`");
    Ok(())
}
