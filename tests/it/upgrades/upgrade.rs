//! An old environment lives on: nothing is lost, nothing half-done is visible, and what was done can be undone.

mod steps;
mod undone;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use insta::assert_snapshot;
use loadout::domain::Kind;
use loadout::service::{PlanOptions, Service};
use loadout::store::{Snapshot, Store};
use loadout::upgrade::{Migration, Page, Plan, StepFault, StepInfo, StepNote, Steps};
use loadout_tests::Done;
use loadout_tests::archive::{entries, pack, package, package_of, root};
use loadout_tests::components::RULES;
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::skipped::skipped;
use reqwest::Method;
use serde_json::{Value, json};

/// Another handle on the same steps, of which only some are there, or which are another version of themselves.
struct Chosen {
    infos: Vec<StepInfo>,
}

impl Chosen {
    fn of(names: &[&str]) -> Arc<Self> {
        let infos = RULES.infos().iter().filter(|info| names.contains(&info.name.as_str())).cloned().collect();
        Arc::new(Self { infos })
    }
}

impl Steps for Chosen {
    fn infos(&self) -> &[StepInfo] {
        &self.infos
    }

    fn check(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault> {
        RULES.check(step, page, library)
    }

    fn migrate(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Migration, StepFault> {
        RULES.migrate(step, page, library)
    }
}

const BUILT_IN: &[&str] = &["loadout/legacy-console", "loadout/workstreams", "loadout/existing-settings"];

fn service(folder: &Path, steps: Arc<dyn Steps>) -> Result<Service, Failure> {
    Ok(Service::open_with(folder, Arc::clone(&*RULES) as _, steps)?)
}

fn plan(service: &Service, zip: &[u8], options: &PlanOptions) -> Result<Plan, loadout::service::Error> {
    let file = service.store().folder().join("source-of-the-test.zip");
    fs::write(&file, zip).expect("the folder of a test can be written");
    service.plan_upgrade(&file, "old.zip", options, &|_| Ok(()))
}

fn apply(service: &Service, plan: &Plan) -> Result<u64, loadout::service::Error> {
    let lease = service.begin_upgrade(&plan.id, "tests")?;
    service.carry_upgrade(&lease, &|_| Ok(()))?;
    Ok(lease.run)
}

/// The whole library as text.
pub(crate) fn library(store: &Store) -> Result<BTreeMap<String, String>, Failure> {
    let snapshot = store.snapshot()?;
    let entries =
        Kind::ALL.iter().flat_map(|kind| snapshot.entries(*kind).map(move |(name, entry)| (kind, name, entry)));
    Ok(entries.map(|(kind, name, entry)| (format!("{}/{name}", kind.collection()), entry.json().to_string())).collect())
}

#[tokio::test]
async fn an_old_environment_is_planned_carried_out_watched_and_undone_over_http() -> Done {
    let host = TestHost::with_plugins(None, Arc::clone(&*RULES)).await?;
    let zip = pack(&root().join("tests/fixtures/wingtip"))?;
    let before = host.get("/api/v1/revisions").await?.text;
    let post =
        |path: &str| host.request(Method::POST, path).header("content-type", "application/zip").body(zip.clone());
    let planned = Reply::to(post("/api/v1/upgrade-plans?name=wingtip.zip&app=omnichannel")).await?;
    assert_eq!(planned.status, 201, "{planned}");
    assert_eq!(host.get("/api/v1/revisions").await?.text, before, "a plan writes nothing");
    let planned = planned.json();
    assert_snapshot!(shown(&planned));
    let plan = planned["id"].as_str().unwrap_or_default();
    assert_eq!(host.get(&format!("/api/v1/upgrade-plans/{plan}")).await?.json(), planned);

    let begun = host.post("/api/v1/upgrades", json!({ "plan": plan })).await?;
    assert_eq!((begun.status, begun.header("location")), (202, "/api/v1/upgrades/1"));
    let events = host.get("/api/v1/upgrades/1/events").await?;
    assert_eq!(events.header("content-type"), "text/event-stream");
    assert!(events.text.contains("event: done\ndata: {\"state\":\"applied\""), "{}", events.text);
    let done = host.get("/api/v1/upgrades/1").await?.json();
    assert_eq!((done["state"].as_str(), &done["rows"]), (Some("applied"), &planned["rows"]));
    assert_eq!(host.get("/api/v1/upgrades").await?.json()["items"][0]["id"], 1);
    let again = host.post("/api/v1/upgrades", json!({ "plan": plan })).await?;
    assert_eq!((again.status, again.json()["code"].as_str()), (409, Some("plan-used")), "{again}");

    let workstream = host.get("/api/v1/workstreams/Wingtip%20calls").await?.json();
    assert_eq!(workstream["sessionTemplate"], "legacy_Flight_call");
    assert_eq!(workstream["fallbackQueue"], "Night desk");
    let profile = host.get("/api/v1/profiles/msdyn_omnichannel_default_profile").await?.json();
    assert_eq!(profile["productivityPane"]["mode"], "collapsed");
    assert_eq!(profile["source"]["kept"]["productivityPane.mode"], "kept from existing environment");
    let kept = host.get("/api/v1/upgrades/1/rows?outcome=kept").await?.json();
    assert_eq!(kept["items"][0]["table"], "wing_plane");
    let first = host.get("/api/v1/upgrades/1/rows?limit=1").await?.json();
    let next = first["next"].as_str().unwrap_or_default();
    assert_eq!(
        (&first["items"][0]["ordinal"], &host.get(next).await?.json()["items"][0]["ordinal"]),
        (&json!(1), &json!(2))
    );

    let second = Reply::to(post("/api/v1/upgrade-plans")).await?.json();
    assert_eq!(second["differences"], json!([]), "a second upgrade from the same environment changes nothing");

    let undone = host.post("/api/v1/upgrades/1/rollback", Value::Null).await?;
    assert_eq!((undone.status, undone.json()["state"].as_str()), (200, Some("rolled-back")), "{undone}");
    assert_eq!(host.get("/api/v1/workstreams/Wingtip%20calls").await?.status, 404);
    let profile = host.get("/api/v1/profiles/msdyn_omnichannel_default_profile").await?.json();
    assert_eq!((&profile["productivityPane"]["mode"], &profile["source"]), (&json!("expanded"), &Value::Null));
    let refused = host.post("/api/v1/upgrades/1/rollback", Value::Null).await?;
    assert_snapshot!(refused, @r#"409 {"code":"upgrade-state","detail":"upgrade 1 is rolled-back, so it cannot be rolled back: type `loadout upgrade status 1`"}"#);
    for (path, expected) in
        [("/api/v1/upgrades/7", 404), ("/api/v1/upgrades/seven", 400), ("/api/v1/upgrade-plans/..%2f", 404)]
    {
        let reply = host.get(path).await?;
        assert_eq!(reply.status, expected, "{path}: {reply}");
    }
    Ok(())
}

/// What people look at in a plan, without what is new each time.
fn shown(plan: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines =
        vec![format!("{} {}, {} links", text(&plan["source"]["name"]), text(&plan["source"]["format"]), plan["links"])];
    for (table, counts) in plan["rows"].as_object().into_iter().flatten() {
        lines.push(format!("{table}: {counts}"));
    }
    for difference in list(&plan["differences"]) {
        let how = if difference["created"] == true { "create" } else { "update" };
        lines.push(format!("{how} {}/{}", text(&difference["collection"]), text(&difference["name"])));
        let is_shipped = difference["outOfTheBox"] == true;
        for attribute in list(&difference["attributes"]).iter().filter(|_| is_shipped) {
            lines.push(format!("    {}: {} -> {}", text(&attribute["path"]), attribute["before"], attribute["after"]));
        }
    }
    for row in list(&plan["quarantine"]) {
        lines.push(format!("quarantined {}/{}: {}", text(&row["table"]), text(&row["id"]), text(&row["reason"])));
    }
    for note in list(&plan["notes"]) {
        lines.push(format!("{} at {}: {}", text(&note["code"]), text(&note["where"]), text(&note["message"])));
    }
    for people in list(&plan["experiences"]) {
        let pane = |when: &str| people[when]["productivityPane"]["mode"].clone();
        lines.push(format!("pane in {}: {} -> {}", text(&people["app"]), pane("before"), pane("after")));
    }
    lines.join("\n")
}

/// The real ones, where they are at hand; they are not part of this project.
#[test]
fn of_the_published_environments_every_row_is_accounted_for() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    for name in ["legacy_console_2019_cmt.zip", "contoso_solution_2023.zip"] {
        let Ok(zip) = fs::read(root().join("../shared/exports").join(name)) else {
            skipped(&format!("`{name}` is not here, so only environments of our own writing were upgraded"));
            continue;
        };
        every_row_is_accounted_for(&service, name, &zip, 0)?;
    }
    Ok(())
}

/// The same of environments of our own writing, which are always here.
#[test]
fn of_environments_of_our_own_every_row_is_accounted_for() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    for (name, quarantined) in [("tailspin", 0), ("wingtip", 6)] {
        let zip = pack(&root().join("tests/fixtures").join(name))?;
        every_row_is_accounted_for(&service, name, &zip, quarantined)?;
    }
    Ok(())
}

/// Upgrades from an archive: each of its rows has an outcome in the plan and in the run, so many are kept out, and a
/// second time nothing is left to do.
fn every_row_is_accounted_for(service: &Service, name: &str, zip: &[u8], quarantined: usize) -> Done {
    let read = rows_in(zip)?;
    assert!(read > 0, "{name} has rows");
    let people = vec![(None, "customer-service-workspace".to_owned())];
    let planned = plan(service, zip, &PlanOptions { people, ..PlanOptions::default() })?;
    let accounted: u64 = planned.rows.values().flat_map(|outcomes| outcomes.values()).sum();
    assert_eq!(accounted, read, "{name}: {:?}", planned.rows);
    assert_eq!(planned.quarantine.len(), quarantined, "{name}: {:?}", planned.quarantine);
    assert!(!planned.differences.is_empty() && planned.experiences.len() == 1);
    let run = apply(service, &planned)?;
    let done = service.upgrade_rows(run, None, 0, 1000)?;
    assert_eq!(done.len() as u64, read);
    assert!(done.iter().all(|row| row.outcome.is_some()), "{name}: {done:?}");
    assert!(quarantined > 0 || done.iter().all(|row| row.name.is_some()), "{name}: {done:?}");
    let again = plan(service, zip, &PlanOptions::default())?;
    assert_eq!(again.differences, [], "{name} twice is {name} once");
    Ok(())
}

/// How many rows an archive has, counted without any of the program's own reading.
fn rows_in(zip: &[u8]) -> Result<u64, Failure> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip))?;
    let mut count = 0;
    for at in 0..archive.len() {
        let mut text = String::new();
        let mut entry = archive.by_index(at)?;
        let name = entry.name()?.into_owned();
        std::io::Read::read_to_string(&mut entry, &mut text)?;
        count += match name.as_str() {
            "data.xml" => text.matches("<record ").count(),
            "customizations.xml" => text.matches("<Workflow ").count(),
            name => usize::from(name.split('/').count() == 3),
        };
    }
    Ok(count as u64)
}

#[test]
fn references_that_are_no_names_cost_only_themselves_and_earlier_upgrades_are_remembered() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    let tab = |name: &str| vec![("msdyn_name", name.to_owned()), ("msdyn_title", "Call".to_owned())];
    let sessions = package("msdyn_consoleapplicationsessiontemplate", &[tab("Flight call"), tab("Flight call")])?;
    apply(&service, &plan(&service, &sessions, &PlanOptions::default())?)?;
    // Another package, which has the second of them only.
    let again = package("msdyn_consoleapplicationsessiontemplate", &[tab("Other"), tab("Flight call")])?;
    let planned = plan(&service, &again, &PlanOptions::default())?;
    let changed: Vec<&str> = planned.differences.iter().map(|difference| difference.name.as_str()).collect();
    assert_eq!(changed, ["legacy_Flight_call"], "each row is the item it became before");
    let workstreams = package(
        "msdyn_liveworkstream",
        &[vec![
            ("msdyn_name", "Calls".to_owned()),
            ("msdyn_streamsource", "192440000".to_owned()),
            ("msdyn_sessiontemplate_default", " Flight call&#13;&#10;".to_owned()),
            ("msdyn_notificationtemplate_consult", "x".repeat(150)),
        ]],
    )?;
    let run = apply(&service, &plan(&service, &workstreams, &PlanOptions::default())?)?;
    let made = library(service.store())?;
    assert!(
        made["workstreams/Calls"].contains(r#""sessionTemplate":"legacy_Flight_call""#),
        "{}",
        made["workstreams/Calls"]
    );
    let codes: Vec<String> = service.upgrade(run)?.notes.into_iter().map(|note| note.code).collect();
    assert_eq!(codes, ["dangling-reference"]);
    Ok(())
}

#[test]
fn a_template_without_a_time_out_takes_over_that_of_its_workstream() -> Done {
    let template = |name: &str, timeout: Option<&str>| {
        let mut columns = vec![("msdyn_name", name.to_owned()), ("msdyn_title", "Call".to_owned())];
        columns.extend(timeout.map(|seconds| ("msdyn_timeout", seconds.to_owned())));
        columns
    };
    let workstream = |name: &str, incoming: &str, consult: &str, seconds: &str| {
        vec![
            ("msdyn_name", name.to_owned()),
            ("msdyn_streamsource", "192440000".to_owned()),
            ("msdyn_notificationtemplate_incoming_auth", incoming.to_owned()),
            ("msdyn_notificationtemplate_consult", consult.to_owned()),
            ("msdyn_screenpoptimeout_optionSet", seconds.to_owned()),
        ]
    };
    let zip = package_of(&[
        (
            "msdyn_consoleapplicationnotificationtemplate",
            &[template("RingTwice", None), template("RingOnce", Some("45")), template("Buzz", None)],
        ),
        (
            "msdyn_liveworkstream",
            &[workstream("Calls", "RingTwice", "RingOnce", "60"), workstream("Texts", "Buzz", "RingTwice", "330")],
        ),
    ])?;
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    let run = apply(&service, &plan(&service, &zip, &PlanOptions::default())?)?;
    let made = library(service.store())?;
    for (name, seconds) in [("RingTwice", 60), ("RingOnce", 45), ("Buzz", 120)] {
        let item = &made[&format!("notification-templates/legacy_{name}")];
        assert!(item.contains(&format!("\"countdownSeconds\":{seconds},")), "{name}: {item}");
    }
    let said: Vec<String> = service.upgrade(run)?.notes.into_iter().map(|note| note.message).collect();
    let said: Vec<&String> = said.iter().filter(|message| message.contains("no time-out of its own")).collect();
    assert_eq!(
        said,
        ["`legacy_RingTwice` has no time-out of its own: it ends after 60 seconds, as the screen pop did"]
    );
    let again = plan(&service, &zip, &PlanOptions::default())?;
    assert_eq!(again.differences, [], "a second upgrade changes nothing");
    Ok(())
}

#[test]
fn an_upgraded_environment_goes_elsewhere_with_what_it_kept() -> Done {
    let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let first = service(here.path(), Chosen::of(BUILT_IN))?;
    let zip = pack(&root().join("tests/fixtures/wingtip"))?;
    apply(&first, &plan(&first, &zip, &PlanOptions::default())?)?;
    let exported = first.export(&loadout::export::Options::default())?.zip;
    let second = service(there.path(), Chosen::of(BUILT_IN))?;
    let planned = plan(&second, &exported, &PlanOptions::default())?;
    assert!(planned.rows.values().flatten().all(|(outcome, _)| outcome != "quarantined"), "{:?}", planned.rows);
    apply(&second, &planned)?;
    assert_eq!(library(first.store())?, library(second.store())?);
    assert_eq!(plan(&second, &exported, &PlanOptions::default())?.differences, []);
    Ok(())
}

/// A plan for the same revision that was not used yet.
fn plan_again(service: &Service, plan: &Plan) -> Result<String, Failure> {
    let folder = service.store().folder().join("upgrades");
    let id = "00000000000000ff";
    fs::create_dir_all(folder.join(id))?;
    fs::write(folder.join(id).join("plan.json"), serde_json::to_vec(&Plan { id: id.to_owned(), ..plan.clone() })?)?;
    Ok(id.to_owned())
}

#[test]
fn an_archive_that_is_no_environment_is_refused_with_a_sentence() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    let refused = |zip: &[u8]| plan(&service, zip, &PlanOptions::default()).unwrap_err().to_string();
    let data = |text: &str| entries(&[("data.xml", text.as_bytes().to_vec())]);
    assert_snapshot!(refused(b"PK"), @"the file is not a complete zip archive (invalid Zip archive: Could not find EOCD): export or download it again");
    assert_snapshot!(refused(&entries(&[("a.txt", b"x".to_vec())])?), @"the archive is no old environment, it has neither `data.xml` nor `solution.xml`: choose the zip file that the Configuration Migration tool or the export of a solution made");
    assert_snapshot!(refused(&data("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><entities>&b;</entities>")?), @"`data.xml` is not readable at byte 54: it contains a DOCTYPE, which no export has: remove it");
    assert_snapshot!(refused(&data("<entities><entity name='t'><records><record id='1'>")?), @"`data.xml` is not readable at byte 51: it ends before its last element does");
    let bomb = data(&format!("<entities>{}</entities>", " ".repeat(64 << 20)))?;
    assert_snapshot!(refused(&bomb), @"`data.xml` is not readable at byte 8413133: it has a tag or text of more than 8388608 bytes");
    assert_snapshot!(refused(&data("<a/>")?), @"`data.xml` is not readable at byte 4: its root is `a`, and `entities` is expected: choose the file that the export made");
    let schema = ("data_schema.xml", b"<ImportExportXml/>".to_vec());
    assert_snapshot!(refused(&entries(&[("data.xml", b"<entities/>".to_vec()), schema])?), @"`data_schema.xml` is not readable at byte 0: its root is `ImportExportXml`, and `entities` is expected: choose the file that the export made");
    let moved = entries(&[("../data.xml", b"x".to_vec())])?;
    assert_snapshot!(refused(&moved), @"`../data.xml` is not a path within the archive: use relative names with `/` and without `..`");
    Ok(())
}
