//! `kill -9` at any moment of installing, activating, rolling back, writing through steps and delivering to
//! asynchronous ones: what was acknowledged is there, nothing is there by half, and each question to a step is answered
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loadout::plugin::Loader;
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, share_compiled};
use loadout_tests::process::Caller;
use loadout_tests::program;
use reqwest::Method;
use serde_json::{Value, json};

use loadout_tests::trial::{number, random};

const PROFILE: &str = "/api/v1/profiles/contoso_rep";
const PLUGIN: &str = "/api/v1/plugins/tests/greeter";

/// Versions the trial installs. Each is a component of its own.
const VERSIONS: u32 = 6;

fn version(number: u32) -> String {
    format!("1.{number}.0")
}

fn component(number: u32) -> Result<Vec<u8>, Failure> {
    rule(guests::WELL_BEHAVED, "greeter", &version(number), "greeter")
}

/// What is known of the plugin, and of the writes.
#[derive(Debug, Clone, Default)]
struct Known {
    versions: BTreeSet<String>,
    active: Option<String>,
    before: Vec<String>,
    /// What the plugin may be instead, if the call that was cut off was carried out.
    instead: Option<String>,
    /// The version that the call that was cut off takes away.
    leaving: Option<String>,
    /// Reasons of writes that were acknowledged.
    written: BTreeSet<String>,
    /// How many writes were tried.
    tried: usize,
    /// Whether the server was told to go at once.
    killed: bool,
    /// How often each act was in hand then: begun before, and never answered.
    cut_off: BTreeMap<&'static str, usize>,
    /// What is asked of the plugin now.
    in_hand: Option<&'static str>,
}

type Shared = Arc<Mutex<Known>>;

fn change<T>(known: &Shared, how: impl FnOnce(&mut Known) -> T) -> T {
    how(&mut known.lock().unwrap_or_else(PoisonError::into_inner))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|it| Some(it.as_str()?.to_owned())).collect()
}

impl Known {
    /// Takes over what the server says of the plugin.
    fn learn(&mut self, plugin: &Value) {
        let versions = plugin["versions"].as_array().into_iter().flatten();
        self.versions = versions.filter_map(|it| Some(it["version"].as_str()?.to_owned())).collect();
        self.active = plugin["version"].as_str().map(str::to_owned);
        self.before = strings(&plugin["servedBefore"]);
        (self.instead, self.leaving) = (None, None);
    }
}

/// The acts of which each must have been in hand when a server was killed.
const MUST_BE_CUT_OFF: [&str; 4] = [INSTALL, ACTIVATION, WRITE, DELIVERY];

const INSTALL: &str = "install";
const ACTIVATION: &str = "activation";
const WRITE: &str = "write";
const DELIVERY: &str = "delivery";

/// Further kills, at most, for each that was asked for: until each act was in hand.
const MORE_KILLS: usize = 10;

impl Known {
    /// Acts that no kill ever cut off.
    fn never_cut_off(&self) -> Vec<&'static str> {
        MUST_BE_CUT_OFF.into_iter().filter(|act| !self.cut_off.contains_key(act)).collect()
    }

    /// What is done next if `act` is to be in hand as often as can be: it, or what has to be done before it. Nothing if
    /// that is up to chance.
    fn towards(&self, act: Option<&str>) -> Option<(u64, String)> {
        let idle = || self.versions.iter().find(|version| self.active.as_ref() != Some(version)).cloned();
        let absent = || (0..VERSIONS).map(version).find(|version| !self.versions.contains(version));
        match act? {
            ACTIVATION => idle().map(|it| (1, it)).or_else(|| Some((4, absent()?))),
            INSTALL => absent().map(|it| (4, it)).or_else(|| Some((3, idle()?))),
            _ => None,
        }
    }

    /// What a refusal of an act comes to. Nothing if the act could be done, as far as is known, and had to be.
    fn refusal(&self, act: u64, chosen: &String, status: u16, code: Option<&str>) -> Option<Refused> {
        let is_there = self.versions.contains(chosen);
        let suits = match (act, status, code?) {
            // The writes beside came first each time.
            (_, 412, "stale") => true,
            (1 | 3, 404, "not-found") | (1, 409, "missing-reference") => !is_there,
            (2, 404, "not-found") => self.versions.is_empty(),
            (2, 409, "nothing-before") => self.before.is_empty(),
            (3, 409, "in-use") => self.active.as_ref() == Some(chosen),
            (_, 503, "timeout" | "server.busy" | "plugin.busy") | (0 | 4, 503, "compiler-unavailable") => {
                return Some(Refused::MaybeDone);
            }
            _ => false,
        };
        suits.then_some(Refused::NotDone)
    }

    /// What managing a plugin comes to: installing what is not there, activating what is there and does not serve, or
    /// something else.
    fn kind_of(&self, act: u64, chosen: &String) -> Option<&'static str> {
        let is_there = self.versions.contains(chosen);
        match act {
            0 | 4 if !is_there => Some(INSTALL),
            0 | 1 if is_there && self.active.as_ref() != Some(chosen) => Some(ACTIVATION),
            _ => None,
        }
    }
}

/// What a refusal says of an act.
enum Refused {
    NotDone,
    /// It may still be carried out, or be cut off.
    MaybeDone,
}

/// Changes the plugin in all ways there are, or as `act` needs it, until the server is gone.
async fn manage(caller: Caller, known: Shared, mut state: u64, act: Option<&'static str>) -> Done {
    loop {
        let by_chance = (random(&mut state) % 5, version(u32::try_from(random(&mut state) % u64::from(VERSIONS))?));
        let (act, chosen) = change(&known, |known| known.towards(act)).unwrap_or(by_chance);
        let number: u32 = chosen.split('.').nth(1).unwrap_or_default().parse()?;
        let cuts_off = change(&known, |known| {
            match act {
                0 | 1 => known.instead = Some(chosen.clone()),
                2 => known.instead = known.before.last().cloned(),
                3 => known.leaving = Some(chosen.clone()),
                _ => {}
            }
            known.in_hand = known.kind_of(act, &chosen);
            known.in_hand.filter(|_| !known.killed)
        });
        let sent = match act {
            0 => caller.install("", &component(number)?).await,
            1 => caller.send(Method::POST, &format!("{PLUGIN}/activate"), &json!({"version": chosen})).await,
            2 => Reply::to(caller.request(Method::POST, &format!("{PLUGIN}/rollback"))).await,
            3 => Reply::to(caller.request(Method::DELETE, &format!("{PLUGIN}/versions/{chosen}"))).await,
            _ => caller.install("?activate=false", &component(number)?).await,
        };
        let Ok(reply) = sent else {
            change(&known, |known| cuts_off.map(|act| *known.cut_off.entry(act).or_default() += 1));
            return Ok(());
        };
        change(&known, |known| known.in_hand = None);
        if matches!(reply.status, 200 | 201) {
            change(&known, |known| known.learn(&reply.json()));
            continue;
        }
        let json = reply.json();
        match change(&known, |known| known.refusal(act, &chosen, reply.status, json["code"].as_str())) {
            Some(Refused::NotDone) => change(&known, |known| (known.instead, known.leaving) = (None, None)),
            Some(Refused::MaybeDone) => return Ok(()),
            None => {
                let known = change(&known, |known| known.clone());
                return Err(format!("act {act} with {chosen}: {reply}, though {known:?}").into());
            }
        }
    }
}

/// Renames the profile again and again, until the server is gone.
async fn write(caller: Caller, known: Shared) -> Done {
    loop {
        let (reason, cuts_off) = change(&known, |known| {
            known.tried += 1;
            (format!("write {}", known.tried), !known.killed)
        });
        let request = caller.request(Method::PATCH, PROFILE).header("x-loadout-reason", &reason);
        let Ok(reply) = Reply::to(request.json(&json!({"name": reason}))).await else {
            change(&known, |known| cuts_off.then(|| *known.cut_off.entry(WRITE).or_default() += 1));
            return Ok(());
        };
        match (reply.status, &reply.json()["description"]) {
            (200, description) if description == "stamped" => {
                change(&known, |known| known.written.insert(reason));
            }
            // Another caller wrote each time, or it may still be carried out.
            (412 | 503, _) => {}
            _ => return Err(format!("{reason}: {reply}").into()),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What must hold after each start.
async fn check(caller: &Caller, known: &Shared) -> Done {
    let shown = caller.get(PLUGIN).await?;
    let plugin = shown.json();
    let expected = change(known, |known| known.clone());
    let mut there = Known::default();
    if shown.status == 200 {
        there.learn(&plugin);
    } else if !expected.versions.is_empty() {
        return Err(format!("the plugin is gone: {shown}").into());
    }
    let lost: Vec<_> = expected.versions.difference(&there.versions).collect();
    assert!(lost.iter().all(|lost| expected.leaving.as_ref() == Some(lost)), "lost {lost:?} of {expected:?}");
    let made: Vec<_> = there.versions.difference(&expected.versions).collect();
    assert!(made.len() <= 1, "made {made:?} without being asked, beside {expected:?}");
    assert!(
        there.active == expected.active || there.active == expected.instead,
        "{:?} serves, and {expected:?} was known",
        there.active
    );
    assert!(plugin["problem"].is_null(), "{plugin}");
    for shown in plugin["versions"].as_array().into_iter().flatten() {
        let version = shown["version"].as_str().unwrap_or_default();
        let number = version.split('.').nth(1).unwrap_or_default().parse()?;
        let bytes = caller.request(Method::GET, &format!("{PLUGIN}/versions/{version}")).send().await?.bytes().await?;
        assert!(bytes == component(number)?, "{version} has other bytes");
        assert_eq!(shown["digest"], Loader::digest(&bytes).as_str());
    }
    change(known, |known| known.learn(&plugin));
    Ok(())
}

/// The whole history, the newest first.
async fn history(caller: &Caller) -> Result<Vec<Value>, Failure> {
    let (mut all, mut next) = (Vec::new(), Some("/api/v1/revisions?limit=500".to_owned()));
    while let Some(path) = next {
        let page = caller.get(&path).await?.json();
        all.extend(page["items"].as_array().cloned().unwrap_or_default());
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok(all)
}

/// Each acknowledged write is one revision, and each write, acknowledged or not, was signed once.
async fn check_history(caller: &Caller, known: &Shared) -> Result<usize, Failure> {
    let history = history(caller).await?;
    let numbers: Vec<u64> = history.iter().filter_map(|it| it["revision"].as_u64()).collect();
    assert!(numbers.is_sorted_by(|newer, older| *newer == older + 1), "a revision is missing");
    let (mut writes, mut signed): (BTreeMap<String, u64>, BTreeMap<u64, usize>) = Default::default();
    for revision in &history {
        let why = revision["why"].as_str().unwrap_or_default();
        if let Some(after) = why.strip_prefix("step `later` after revision ") {
            *signed.entry(after.parse()?).or_default() += 1;
        } else if why.starts_with("write ") {
            let number = revision["revision"].as_u64().unwrap_or_default();
            assert_eq!(writes.insert(why.to_owned(), number), None, "{why} was written twice");
        }
    }
    let written = change(known, |known| known.written.clone());
    let lost: Vec<_> = written.iter().filter(|reason| !writes.contains_key(*reason)).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    let expected: BTreeMap<u64, usize> = writes.values().map(|revision| (*revision, 1)).collect();
    assert_eq!(signed, expected, "how often each write was signed");
    Ok(writes.len())
}

/// Waits until `act` is in hand; for what others do beside, some time.
async fn until_in_hand(known: &Shared, act: Option<&str>) {
    let patience = Duration::from_secs(if act == Some(WRITE) || act == Some(DELIVERY) { 1 } else { 60 });
    let begun = Instant::now();
    while change(known, |known| known.in_hand != act) && begun.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Damages some of the compiled code, as a disk might.
fn damage(folder: &Path, state: &mut u64) -> Done {
    for entry in fs::read_dir(folder.join("cache"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "compiled") && random(state).is_multiple_of(4) {
            let bytes = fs::read(&path)?;
            fs::write(&path, &bytes[..bytes.len() / 2])?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_loses_nothing_and_repeats_nothing() -> Done {
    let kills = number("LOADOUT_TEST_KILLS", 12);
    let mut state = number("LOADOUT_TEST_SEED", 11) as u64;
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    let known = Shared::default();
    let server = program::server(folder.path())?;
    let caller = server.caller();
    let installed = caller.install("", guests::CHANGES).await?;
    assert_eq!(installed.status, 201, "{installed}");
    for (step, wanted) in [("stamp", json!({"patch": {"description": "stamped"}})), ("later", json!({"sign": true}))] {
        let path = format!("/api/v1/plugins/tests/changes/steps/{step}");
        assert_eq!(caller.send(Method::PUT, &path, &json!({"configuration": wanted})).await?.status, 200);
    }
    drop(caller);
    let mut running = Some(server);
    let mut round = 0;
    loop {
        // Once chance had its kills, the others are aimed at what was never in hand.
        let missed = change(&known, |known| known.never_cut_off()).first().copied().filter(|_| round >= kills);
        if round >= kills && (missed.is_none() || round >= kills * MORE_KILLS) {
            break;
        }
        let server = match running.take() {
            Some(server) => server,
            None => program::server(folder.path())?,
        };
        let caller = server.caller();
        check(&caller, &known).await.map_err(|error| format!("after {round} kills: {error}"))?;
        let seed = random(&mut state);
        let managing = tokio::spawn(manage(server.caller(), Arc::clone(&known), seed, missed));
        let writing = tokio::spawn(write(server.caller(), Arc::clone(&known)));
        if missed.is_some() {
            until_in_hand(&known, missed).await;
        } else {
            tokio::time::sleep(Duration::from_millis(random(&mut state) % 1_500)).await;
        }
        change(&known, |known| known.killed = true);
        server.kill()?;
        managing.await??;
        writing.await??;
        let events = Store::open(folder.path())?.events(None, 0, usize::MAX >> 1)?;
        let in_hand = events.iter().filter(|event| event.attempts > 0).count();
        change(&known, |known| {
            (known.killed, known.in_hand) = (false, None);
            if in_hand > 0 {
                *known.cut_off.entry(DELIVERY).or_default() += in_hand;
            }
        });
        round += 1;
        if random(&mut state).is_multiple_of(3) {
            damage(folder.path(), &mut state)?;
        }
    }
    let server = program::server(folder.path())?;
    let caller = server.caller();
    check(&caller, &known).await?;
    // Who was killed with a question in hand no longer holds it.
    let begun = Instant::now();
    while caller.get("/api/v1/outbox").await?.json()["items"].as_array().is_some_and(|items| {
        assert!(items.iter().all(|it| it["state"] == "pending"), "{items:?}");
        !items.is_empty()
    }) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let waited = begun.elapsed();
    let writes = check_history(&caller, &known).await?;
    let Known { written, cut_off, .. } = change(&known, |known| known.clone());
    let acknowledged = written.len();
    eprintln!(
        "{round} kills, with {cut_off:?} in hand; {writes} writes, {acknowledged} of them acknowledged; all were signed {waited:?} after the last start"
    );
    let missed = change(&known, |known| known.never_cut_off());
    assert!(missed.is_empty() || kills == 0, "of {round} kills none came while these were in hand: {missed:?}");
    Ok(())
}
