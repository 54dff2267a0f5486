//! While bad components come in one after another, each question is answered as before, and none is refused or degraded
//! for want of room.
//!
//! Answers are counted, for each person and before and during the uploads. How long one takes decides nothing here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, share_compiled};
use loadout_tests::process::Caller;
use loadout_tests::program::server;
use reqwest::Method;
use serde_json::{Value, json};

use super::bombs;
use loadout_tests::trial::number;

const PEOPLE: [&str; 3] = ["kayla", "marcus", "priya"];

/// What those who ask have seen.
#[derive(Default)]
struct Seen {
    during: AtomicBool,
    over: AtomicBool,
    calls: AtomicUsize,
}

fn question(person: &str) -> Value {
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    json!({"user": person, "app": "customer-service-workspace", "session": session})
}

/// Asks again and again until it is over. The number of answers before and during the uploads.
async fn ask(caller: Caller, person: &str, seen: Arc<Seen>) -> Result<[usize; 2], Failure> {
    let mut answers = [0; 2];
    let mut first = None;
    while !seen.over.load(Ordering::Relaxed) {
        let during = usize::from(seen.during.load(Ordering::Relaxed));
        let answer = caller.send(Method::POST, "/api/v1/experience", &question(person)).await?;
        let first = first.get_or_insert_with(|| answer.text.clone());
        let json = answer.json();
        let tools = json["productivityPane"]["tools"].as_array().into_iter().flatten();
        let faults: Vec<_> = tools.map(|tool| &tool["fault"]).filter(|fault| !fault.is_null()).collect();
        if !faults.is_empty() {
            return Err(format!("tools of {person} broke: {faults:?}").into());
        }
        if answer.status != 200 || *first != answer.text {
            return Err(format!("{person} got first {first}, and then {answer}").into());
        }
        let health = caller.get("/health/ready").await?;
        if health.status != 200 {
            return Err(format!("the server is not well: {health}").into());
        }
        answers[during] += 1;
        seen.calls.fetch_add(1, Ordering::Relaxed);
    }
    Ok(answers)
}

/// Twenty components that are bad in twenty ways.
fn twenty() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let good = rule(guests::WELL_BEHAVED, "bad", "1.0.0", "bad")?;
    let mut bad = vec![
        ("nothing", Vec::new()),
        ("text", b"(component)".to_vec()),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("something else", b"\x7fELF\x02\x01\x01".to_vec()),
        ("cut off", good[..good.len() / 2].to_vec()),
        ("no manifest", guests::NO_MANIFEST.to_vec()),
        ("a lie about its world", embed_manifest(guests::BAD_STEP, &guests::manifest("bad", "1.0.1", "bad"))?),
        ("sockets", rule(guests::ASKS_FOR_SOCKETS, "bad", "1.0.2", "bad")?),
        ("a loop at the start", rule(guests::SPINS_AT_START, "bad", "1.0.3", "bad")?),
        ("somebody else's tool kind", rule(guests::FAILS, "bad", "1.0.4", "taken")?),
        ("another component of a version that is there", rule(guests::FAILS, "first", "1.0.0", "taken")?),
    ];
    let wanted = 20 - bad.len();
    bad.extend(bombs::all()?.into_iter().rev().take(wanted));
    Ok(bad)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_bad_uploads_disturb_nobody() -> Done {
    let (calls, rounds) = (number("LOADOUT_TEST_CALLS", 60), number("LOADOUT_TEST_ROUNDS", 1));
    let folder = tempfile::tempdir()?;
    // An optimised program has another configuration of the engine, and finds nothing of this.
    share_compiled(folder.path())?;
    let server = server(folder.path())?;
    let caller = server.caller();
    let first = caller.install("", &rule(guests::WELL_BEHAVED, "first", "1.0.0", "taken")?).await?;
    assert_eq!(first.status, 201, "{first}");

    let seen = Arc::new(Seen::default());
    let asking: Vec<_> = PEOPLE.map(|person| tokio::spawn(ask(server.caller(), person, Arc::clone(&seen)))).into();
    while seen.calls.load(Ordering::Relaxed) < calls && asking.iter().all(|it| !it.is_finished()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen.during.store(true, Ordering::Relaxed);
    let before = seen.calls.load(Ordering::Relaxed);
    let mut refusals = Vec::new();
    for _ in 0..rounds {
        for (what, component) in twenty()? {
            let refused = caller.install("", &component).await?;
            refusals.push(format!("{what}: {}", bombs::plain(&refused)));
        }
    }
    let meanwhile = seen.calls.load(Ordering::Relaxed) - before;
    seen.over.store(true, Ordering::Relaxed);
    for (person, asking) in PEOPLE.iter().zip(asking) {
        // Ended by the first answer that is not 200, has a tool that broke, or differs from the one before the uploads.
        let [before, during] = asking.await??;
        assert!(before > 0, "{person} was not answered before the uploads");
        assert!(during > 0, "{person} was not answered while {} uploads ran", refusals.len());
    }
    assert!(
        meanwhile >= refusals.len(),
        "{meanwhile} answers during {} uploads: uploads hold people up",
        refusals.len()
    );
    let want_of_room = caller.get("/api/v1/traces?outcome=busy").await?;
    assert_eq!((want_of_room.status, &want_of_room.json()["items"]), (200, &json!([])), "{want_of_room}");
    let well_refused =
        |it: &&String| it.contains(": 422 plugin-refused ") || it.contains(": 409 ") || it.contains(": 413 ");
    let odd: Vec<_> = refusals.iter().filter(|it| !well_refused(it)).collect();
    assert_eq!((refusals.len(), odd), (20 * rounds, Vec::new()));
    Ok(())
}
