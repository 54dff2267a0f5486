//! Direct assignments that an import, an upgrade or a roll-back ends: each says how many people lose which profile.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use insta::assert_snapshot;
use loadout::domain::revision::Author;
use loadout::domain::{AnyItem, Kind};
use loadout::export;
use loadout::import::Outcome;
use loadout::service::Service;
use loadout::store::{Change, ChangeSet, Displaced};
use loadout_tests::Done;
use loadout_tests::host::{Failure, share_compiled};
use loadout_tests::program::{loadout, outcome};
use serde_json::{Value, json};

use loadout_tests::components::RULES;

const OMNICHANNEL: &str = "omnichannel";
const WORKSPACE: &str = "customer-service-workspace";
const BOTH: &[&str] = &[WORKSPACE, OMNICHANNEL];

fn author() -> Author {
    Author::new("tests", "")
}

fn put(kind: Kind, name: &str, json: Value) -> Result<Change, Failure> {
    Ok(Change::put(name, AnyItem::parse(kind, name, json)?))
}

fn profile(name: &str, apps: &[&str]) -> Result<Change, Failure> {
    put(Kind::Profile, name, json!({"name": name, "apps": apps}))
}

fn assign(profile: &str, login: &str) -> Result<Change, Failure> {
    Ok(Change::Assign { profile: profile.parse()?, login: login.parse()? })
}

fn commit(service: &Service, changes: impl IntoIterator<Item = Result<Change, Failure>>) -> Done {
    let changes = changes.into_iter().collect::<Result<Vec<_>, _>>()?;
    service.store().commit(ChangeSet::new(changes), &author())?;
    Ok(())
}

/// An environment with these people, who have `new_desk` in the workspace and `new_calls` in Omnichannel.
fn environment(folder: &Path, people: &[&str]) -> Result<Service, Failure> {
    let service = Service::open_with(folder, Arc::clone(&*RULES) as _, Arc::clone(&*RULES) as _)?;
    commit(&service, [profile("new_desk", &[WORKSPACE]), profile("new_calls", &[OMNICHANNEL])])?;
    for login in people {
        let person = json!({"displayName": login, "roles": []});
        commit(&service, [put(Kind::User, login, person), assign("new_desk", login), assign("new_calls", login)])?;
    }
    Ok(service)
}

/// An archive in which `profiles` serve these apps.
fn archive(profiles: &[(&str, &[&str])]) -> Result<Vec<u8>, Failure> {
    let folder = tempfile::tempdir()?;
    let service = Service::open(folder.path(), Arc::clone(&*RULES) as _)?;
    commit(&service, profiles.iter().map(|(name, apps)| profile(name, apps)))?;
    Ok(service.export(&export::Options::default())?.zip)
}

fn refuse_second_assignments(service: &Service) -> Done {
    commit(service, [put(Kind::Environment, "environment", json!({"secondAssignment": "is-refused"}))])
}

fn direct(service: &Service, login: &str) -> Result<String, Failure> {
    let store = service.store();
    let person = store.person(&login.parse()?, store.newest()?)?.ok_or("no such person")?;
    Ok(person.direct.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

fn plan(service: &Service, zip: &[u8]) -> Result<loadout::upgrade::Plan, Failure> {
    let file = service.store().folder().join("source-of-the-test.zip");
    fs::write(&file, zip)?;
    Ok(service.plan_upgrade(&file, "old.zip", &Default::default(), &|_| Ok(()))?)
}

#[test]
fn an_import_says_whose_assignments_end_and_so_does_its_dry_run() -> Done {
    let folder = tempfile::tempdir()?;
    let service = environment(folder.path(), &["ada", "ben"])?;
    let zip = archive(&[("new_calls", BOTH)])?;
    for dry_run in [true, false] {
        let report = service.import(&zip, dry_run, &author())?.report;
        let ended = report.warnings.iter().find(|it| it.code == "assignments-ended").ok_or("no warning")?;
        insta::allow_duplicates! {
            assert_snapshot!(format!("{} {}", ended.place, ended.message), @"profiles/new_desk 2 people lose profile `new_desk`: profile `new_calls`, which they have too, begins to serve one of its apps");
        }
        assert_eq!(report.counts.warnings, report.warnings.len());
        assert_eq!(direct(&service, "ada")?, if dry_run { "new_calls new_desk" } else { "new_calls" });
    }
    let again = service.import(&zip, false, &author())?.report;
    assert!(again.warnings.iter().all(|it| it.code != "assignments-ended"), "{:?}", again.warnings);
    Ok(())
}

#[test]
fn as_many_profiles_are_named_as_fit_and_the_others_are_counted() -> Done {
    let folder = tempfile::tempdir()?;
    let service = environment(folder.path(), &[])?;
    let others = Displaced::NAMED + 3;
    for n in 0..others {
        let (name, login) = (format!("new_{n}"), format!("p{n}"));
        let person = json!({"displayName": login, "roles": []});
        let changes = [
            profile(&name, &[WORKSPACE]),
            put(Kind::User, &login, person),
            assign(&name, &login),
            assign("new_calls", &login),
        ];
        commit(&service, changes)?;
    }
    let zip = archive(&[("new_calls", BOTH)])?;
    let planned = plan(&service, &zip)?.notes;
    let planned: Vec<_> = planned.iter().filter(|it| it.code == "assignments-ended").map(|it| &it.message).collect();
    let report = service.import(&zip, false, &author())?.report;
    let ended: Vec<_> = report.warnings.iter().filter(|it| it.code == "assignments-ended").collect();
    assert_eq!(ended.len(), Displaced::NAMED + 1);
    let profiles: BTreeSet<&str> = ended.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(profiles.len(), ended.len(), "each is named once");
    assert_eq!(ended.last().map(|it| it.message.as_str()), Some("3 other profiles lose people in the same way"));
    assert_eq!(planned, ended.iter().map(|it| &it.message).collect::<Vec<_>>(), "a plan says the same");
    Ok(())
}

#[test]
fn where_a_second_assignment_is_refused_an_import_holds_the_profile_back_and_writes_the_rest() -> Done {
    let folder = tempfile::tempdir()?;
    let service = environment(folder.path(), &["ada"])?;
    refuse_second_assignments(&service)?;
    let zip = archive(&[("new_calls", BOTH), ("new_night", &[WORKSPACE])])?;
    for dry_run in [true, false] {
        let report = service.import(&zip, dry_run, &author())?.report;
        let of = |name: &str| report.components.iter().find(|it| it.name.as_deref() == Some(name));
        let held_back = of("new_calls").ok_or("not reported")?;
        assert_eq!((held_back.outcome, report.counts.quarantined > 0), (Outcome::Quarantined, true));
        let reason = held_back.notes.last().ok_or("no reason")?;
        insta::allow_duplicates! {
            assert_snapshot!(reason, @"it stays as it was: profile `new_calls` would be for the same app as profile `new_desk`, and both have 1 person (`ada`), and this environment refuses a second assignment: take them out of one of the two first, such as by `POST /api/v1/profiles/new_desk/users` with `remove`");
        }
        assert_eq!(of("new_night").map(|it| it.outcome), Some(Outcome::Created));
    }
    let now = service.store().snapshot()?;
    let apps = |name: &str| now.entry(Kind::Profile, name).map(|entry| entry.item.to_json()["apps"].clone());
    assert_eq!((apps("new_calls"), apps("new_night")), (Some(json!([OMNICHANNEL])), Some(json!([WORKSPACE]))));
    assert_eq!(direct(&service, "ada")?, "new_calls new_desk");
    Ok(())
}

#[test]
fn a_plan_an_upgrade_and_its_roll_back_say_whose_assignments_end() -> Done {
    let folder = tempfile::tempdir()?;
    let service = environment(folder.path(), &["ada"])?;
    let said = |notes: &[loadout::store::journal::Note]| {
        let ended = notes.iter().filter(|it| it.code.starts_with("assignments-ended"));
        ended.map(|it| format!("{} {} {}", it.code, it.place, it.message)).collect::<Vec<_>>().join("\n")
    };
    let planned = plan(&service, &archive(&[("new_calls", BOTH)])?)?;
    assert_snapshot!(said(&planned.notes), @"assignments-ended profiles/new_desk 1 person loses profile `new_desk`: profile `new_calls`, which they have too, begins to serve one of its apps");
    let lease = service.begin_upgrade(&planned.id, "tests")?;
    let applied = service.carry_upgrade(&lease, &|_| Ok(()))?;
    assert_eq!(said(&applied.notes), said(&planned.notes));
    assert_eq!(direct(&service, "ada")?, "new_calls");

    // What the next upgrade takes from a profile, its roll-back gives back, with the people of then.
    let planned = plan(&service, &archive(&[("new_calls", &[OMNICHANNEL])])?)?;
    assert_eq!(said(&planned.notes), "");
    let lease = service.begin_upgrade(&planned.id, "tests")?;
    service.carry_upgrade(&lease, &|_| Ok(()))?;
    commit(&service, [assign("new_desk", "ada")])?;
    drop(service);
    share_compiled(folder.path())?;
    let undone = loadout(folder.path(), &["upgrade", "rollback", "2", "--data", "."]).output()?;
    let text = format!("{}{}", String::from_utf8_lossy(&undone.stdout), outcome(&undone));
    let expected = "note assignments-ended-by-roll-back at profiles/new_desk: 1 person loses profile `new_desk`: ";
    assert!(
        text.contains("upgrade 2 from loadout_export is rolled back by revision ") && text.contains(expected),
        "{text}"
    );
    let service = Service::open(folder.path(), Arc::clone(&*RULES) as _)?;
    assert!(said(&service.upgrade(2)?.notes).starts_with("assignments-ended-by-roll-back profiles/new_desk "));
    assert_eq!(direct(&service, "ada")?, "new_calls");
    Ok(())
}

#[test]
fn a_plan_says_that_second_assignments_are_refused() -> Done {
    let folder = tempfile::tempdir()?;
    let service = environment(folder.path(), &["ada"])?;
    refuse_second_assignments(&service)?;
    let planned = plan(&service, &archive(&[("new_calls", BOTH)])?)?;
    let refused = planned.notes.iter().find(|it| it.code == "second-assignment-refused").ok_or("no note")?;
    assert_snapshot!(refused.message, @"1 person loses profile `new_desk`: profile `new_calls`, which they have too, begins to serve one of its apps; this environment refuses a second assignment, so the plan cannot be carried out: take these people out of one of the two profiles, then plan again");
    let lease = service.begin_upgrade(&planned.id, "tests")?;
    let error = service.carry_upgrade(&lease, &|_| Ok(())).err().ok_or("it was carried out")?;
    assert!(
        error.to_string().contains("profile `new_calls` would be for the same app as profile `new_desk`"),
        "{error}"
    );
    Ok(())
}

#[test]
fn the_command_line_prints_what_an_import_ends() -> Done {
    let folder = tempfile::tempdir()?;
    let env = folder.path().join("env");
    drop(environment(&env, &["ada"])?);
    share_compiled(&env)?;
    fs::write(folder.path().join("new.zip"), archive(&[("new_calls", BOTH)])?)?;
    let expected = "1 person loses profile `new_desk`: profile `new_calls`, which they have too";
    for (rest, start) in [
        (&["--dry-run"][..], "warning: assignments-ended at profiles/new_desk: "),
        (&["--dry-run", "--json"], r#"{"code":"assignments-ended","message":""#),
        (&[], "warning: assignments-ended at profiles/new_desk: "),
    ] {
        let run = loadout(folder.path(), &[&["import", "new.zip", "--data", "env"], rest].concat()).output()?;
        let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), outcome(&run));
        assert!(text.contains(&format!("{start}{expected}")), "{rest:?}: {text}");
    }
    Ok(())
}
