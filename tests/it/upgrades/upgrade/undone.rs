//! Upgrades that are undone, and what keeps them from that.

use insta::assert_snapshot;
use loadout::domain::revision::Author;
use loadout::domain::{AnyItem, Kind};
use loadout::service::PlanOptions;
use loadout::store::{Change, ChangeSet};
use loadout_tests::Done;
use loadout_tests::archive::{pack, package, root};
use serde_json::{Value, json};

use super::{BUILT_IN, Chosen, apply, library, plan, plan_again, service};

#[test]
fn kept_values_survive_a_newer_product_and_a_rollback_restores_all_of_it() -> Done {
    let folder = tempfile::tempdir()?;
    let zip = pack(&root().join("tests/fixtures/wingtip"))?;
    let first = service(folder.path(), Chosen::of(BUILT_IN))?;
    let before = library(first.store())?;
    let planned = plan(&first, &zip, &PlanOptions::default())?;
    let run = apply(&first, &planned)?;
    let after = library(first.store())?;
    assert_ne!(before, after);
    drop(first);
    // Each start writes what ships with the program.
    let again = service(folder.path(), Chosen::of(BUILT_IN))?;
    assert_eq!(library(again.store())?, after);
    again.roll_back_upgrade(run, &Author::new("tests", ""))?;
    assert_eq!(library(again.store())?, before);
    Ok(())
}

#[test]
fn of_two_upgrades_of_one_profile_the_second_can_be_undone_and_then_the_first() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    let author = Author::new("tests", "");
    let before = library(service.store())?;
    let row = |rest: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        let named = [("msdyn_name", "Old"), ("msdyn_uniquename", "old_thing")];
        named.iter().chain(rest).map(|(column, text)| (*column, (*text).to_owned())).collect()
    };
    let pane = package("msdyn_paneconfiguration", &[row(&[("msdyn_panemode", "False")])])?;
    let first = apply(&service, &plan(&service, &pane, &PlanOptions::default())?)?;
    let between = library(service.store())?;
    let provider = [("msdyn_label", "Tower"), ("msdyn_channelurl", "https://tower.example"), ("msdyn_sortorder", "1")];
    let provider = package("msdyn_channelprovider", &[row(&provider)])?;
    let second = apply(&service, &plan(&service, &provider, &PlanOptions::default())?)?;
    service.roll_back_upgrade(second, &author)?;
    assert_eq!(library(service.store())?, between);
    service.roll_back_upgrade(first, &author)?;
    assert_eq!(library(service.store())?, before);
    Ok(())
}

#[test]
fn what_depends_on_an_upgrade_keeps_it_from_being_undone() -> Done {
    let folder = tempfile::tempdir()?;
    let zip = pack(&root().join("tests/fixtures/wingtip"))?;
    let service = service(folder.path(), Chosen::of(BUILT_IN))?;
    let run = apply(&service, &plan(&service, &zip, &PlanOptions::default())?)?;
    let author = Author::new("tests", "");
    let put = |kind, name: &str, json: Value| -> Done {
        let item = AnyItem::parse(kind, name, json)?;
        service.store().commit(ChangeSet::new([Change::put(name, item)]), &author)?;
        Ok(())
    };
    put(Kind::Queue, "Night desk", json!({ "name": "Day desk", "private": true }))?;
    let refused = service.roll_back_upgrade(run, &author).unwrap_err();
    assert_snapshot!(refused, @"upgrade 1 cannot be rolled back, because later changes depend on it: `Night desk` of `queues`: it was changed by revision 3; undo those first");
    let queue = service.store().snapshot_at(loadout::domain::Revision(2))?;
    let queue = queue.entry(Kind::Queue, "Night desk").map(|entry| entry.item.to_json()).ok_or("no queue")?;
    put(Kind::Queue, "Night desk", queue)?;
    put(
        Kind::Workstream,
        "New",
        json!({ "name": "New", "channel": "voice", "sessionTemplate": "legacy_Flight_call" }),
    )?;
    let refused = service.roll_back_upgrade(run, &author).unwrap_err();
    assert_snapshot!(refused, @"session template `legacy_Flight_call` is in use by `sessionTemplate` of workstreams `New`: remove these links first, or delete it with `force`");
    Ok(())
}

#[test]
fn of_two_runs_at_once_the_second_is_told_who_holds_the_lease() -> Done {
    let folder = tempfile::tempdir()?;
    let first = service(folder.path(), Chosen::of(&["tests/bad-step"]))?;
    let second = service(folder.path(), Chosen::of(&["tests/bad-step"]))?;
    let desk = |name: &str| package("old_desk", &[vec![("name", name.to_owned())]]);
    let (one, other) = (
        plan(&first, &desk("one")?, &PlanOptions::default())?,
        plan(&second, &desk("other")?, &PlanOptions::default())?,
    );
    let lease = first.begin_upgrade(&one.id, "tests")?;
    let told = second.begin_upgrade(&other.id, "tests").unwrap_err().to_string();
    let process = format!("upgrade 1 is being carried out by process {} on ", std::process::id());
    assert!(told.starts_with(&process) && told.contains("seconds ago: wait for it"), "{told}");
    // Who took a run over is not disturbed by who lost it, whatever went wrong there.
    let (one_store, other_store) = (first.store(), second.store());
    let taken = other_store.take_lease(1, "somebody else", |_| true)?;
    assert!(one_store.give_up(&lease, "it broke").is_err() && one_store.let_go(&lease, "it broke").is_err());
    assert_eq!(one_store.run(1)?.0.lease.map(|lease| lease.token), Some(taken.token));
    // Abandoning a run takes the lease away from its holder.
    second.abandon_upgrade(1, &Author::new("tests", ""))?;
    let lost = first.carry_upgrade(&lease, &|_| Ok(())).unwrap_err();
    assert_snapshot!(lost, @"upgrade 1 was taken over by another process: type `loadout upgrade status`");
    let lease = second.begin_upgrade(&other.id, "tests")?;
    second.carry_upgrade(&lease, &|_| Ok(()))?;
    let moved = first.begin_upgrade(&plan_again(&first, &one)?, "tests").unwrap_err();
    assert_snapshot!(moved, @"the plan is for revision 1, and the newest is 2: make a new one with `loadout upgrade plan`");
    Ok(())
}

#[test]
fn a_service_that_stops_leaves_its_upgrade_to_be_resumed_at_once() -> Done {
    let folder = tempfile::tempdir()?;
    let first = service(folder.path(), Chosen::of(&["tests/bad-step"]))?;
    let zip = package("old_desk", &[vec![("name", "Desk".to_owned())]])?;
    let planned = plan(&first, &zip, &PlanOptions::default())?;
    let lease = first.begin_upgrade(&planned.id, "tests")?;
    first.stop_upgrades();
    let stopped = first.carry_upgrade(&lease, &|_| Ok(())).unwrap_err();
    assert_snapshot!(stopped, @"upgrade 1 was interrupted, because the service stops: carry it on with `loadout upgrade resume`");
    let second = service(folder.path(), Chosen::of(&["tests/bad-step"]))?;
    let unfinished = second.begin_upgrade(&planned.id, "tests").unwrap_err();
    assert_snapshot!(unfinished, @"upgrade 1 is not finished: carry it on with `loadout upgrade resume`, or drop it with `loadout upgrade abandon`");
    let lease = second.take_upgrade(None, &Author::new("tests", ""))?;
    assert_eq!(second.carry_upgrade(&lease, &|_| Ok(()))?.run.state.as_str(), "applied");
    let none = second.take_upgrade(None, &Author::new("tests", "")).unwrap_err();
    assert_snapshot!(none, @"no upgrade is unfinished: make a plan with `loadout upgrade plan FILE.zip`, and carry it out with `apply`");
    Ok(())
}
