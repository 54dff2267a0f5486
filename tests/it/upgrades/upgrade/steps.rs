//! Steps of upgrades that misbehave or change between a plan and its run.

use std::sync::Arc;

use insta::assert_snapshot;
use loadout::domain::{Kind, Row};
use loadout::service::PlanOptions;
use loadout::store::Snapshot;
use loadout::upgrade::{Changed, Migration, Page, StepFault, StepInfo, StepNote, Steps, Upsert};
use loadout_tests::Done;
use loadout_tests::archive::package;
use loadout_tests::host::Failure;

use super::{Chosen, apply, library, plan, service};

#[test]
fn a_step_that_misbehaves_stops_the_upgrade_by_name_and_nothing_is_visible() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Chosen::of(&["tests/bad-step"]))?;
    let newest = service.store().newest()?;
    let sinner = |sin: &str| {
        let row = |sin: &str| vec![("name", "Desk".to_owned()), ("sin", sin.to_owned())];
        let zip = package("old_desk", &[row(""), row(sin), row("")])?;
        let planned = plan(&service, &zip, &PlanOptions::default());
        Ok::<_, Failure>(
            planned.map_or_else(|error| error.to_string(), |plan| format!("{:?} {:?}", plan.rows, plan.quarantine)),
        )
    };
    assert_snapshot!(sinner("loops")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it ran past its deadline of 2000 ms (plugin.timeout)");
    assert_snapshot!(sinner("eats")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it asked for more than 32 MiB of memory (plugin.memory)");
    assert_snapshot!(sinner("panics")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it trapped: panicked at tests/guests/examples/bad_step.rs:24:25: the desk fell over (plugin.trapped)");
    assert_snapshot!(sinner("faults")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it answered with the fault `no-desk`: this is no desk (plugin.failed)");
    assert_snapshot!(sinner("loses")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it neither used nor quarantined `old_desk/00000002-0000-4000-8000-000000000002`, which was on its page (step.lost-row)");
    assert_snapshot!(sinner("lies")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it made `desk 00000002-0000-4000-8000-000000000002` of `queues` of `old_desk/nowhere`, which was not on its page (step.unknown-row)");
    assert_snapshot!(sinner("no-kind")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it proposed `desk 00000002-0000-4000-8000-000000000002` of `desks`: no item of this collection comes from rows (step.invalid-proposal)");
    assert_snapshot!(sinner("people")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it proposed `desk 00000002-0000-4000-8000-000000000002` of `users`: no item of this collection comes from rows (step.invalid-proposal)");
    assert_snapshot!(sinner("no-json")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it proposed `desk 00000002-0000-4000-8000-000000000002` of `queues`: its attributes are not JSON: EOF while parsing an object at line 1 column 1 (step.invalid-proposal)");
    assert_snapshot!(sinner("no-item")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it proposed what cannot be: queue `desk 00000002-0000-4000-8000-000000000002` is not valid: `nom`: unknown field `nom`, expected one of `name`, `description`, `state`, `private`, `source` (step.invalid-proposal)");
    assert_snapshot!(sinner("no-reason")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it quarantined `old_desk/00000002-0000-4000-8000-000000000002` without a reason (step.no-reason)");
    assert_snapshot!(sinner("both")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it made an item of `old_desk/00000002-0000-4000-8000-000000000002` and quarantined it, too (step.contradiction)");
    assert_snapshot!(sinner("floods")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: its answer names 20002 items; at most 10000 are allowed (plugin.output-limit)");
    assert_snapshot!(sinner("creeps")?, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it would change `desk 00000002-0000-4000-8000-000000000002` of `queues` again after it made it so (step.not-idempotent)");
    assert_snapshot!(sinner("refused")?, @r#"{"old_desk": {"migrated": 2, "quarantined": 1}} [PlannedRow { table: "old_desk", id: "00000002-0000-4000-8000-000000000002", reason: "nobody sits there (refused)" }]"#);
    assert_eq!((service.store().newest()?, service.upgrades()?), (newest, Vec::new()));
    Ok(())
}

/// Good while it is planned, and something else when it is carried out.
struct TurnsBad {
    inner: Arc<Chosen>,
    asked: std::sync::atomic::AtomicU32,
}

impl Steps for TurnsBad {
    fn infos(&self) -> &[StepInfo] {
        self.inner.infos()
    }

    fn check(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault> {
        self.inner.check(step, page, library)
    }

    fn migrate(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Migration, StepFault> {
        let mut answer = self.inner.migrate(step, page, library)?;
        // Two samples and the migration itself, and one look at what came of it.
        if self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 4 {
            answer.upserts[0].attributes = r#"{"name":"something else"}"#.to_owned();
        }
        Ok(answer)
    }
}

#[test]
fn a_step_that_does_something_else_than_was_planned_is_stopped() -> Done {
    let folder = tempfile::tempdir()?;
    let steps = TurnsBad { inner: Chosen::of(&["tests/bad-step"]), asked: Default::default() };
    let service = service(folder.path(), Arc::new(steps))?;
    let zip = package("old_desk", &[vec![("name", "Desk".to_owned())]])?;
    let planned = plan(&service, &zip, &PlanOptions::default())?;
    let newest = service.store().newest()?;
    let stopped = apply(&service, &planned).unwrap_err();
    assert_snapshot!(stopped, @"step `tests/bad-step 0.1.0` stopped the upgrade, and nothing of it was written: it proposed something else than when the plan was made (step.differs)");
    assert_eq!(service.store().newest()?, newest);
    assert_eq!(service.upgrades()?[0].state.as_str(), "abandoned");
    Ok(())
}

/// Makes an app of each row.
struct Apps {
    inner: Arc<Chosen>,
}

impl Steps for Apps {
    fn infos(&self) -> &[StepInfo] {
        self.inner.infos()
    }

    fn check(&self, _: &str, _: &Page, _: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault> {
        Ok(Vec::new())
    }

    fn migrate(&self, _: &str, page: &Page, _: &Arc<Snapshot>) -> Result<Migration, StepFault> {
        let app = |row: &Row| Upsert {
            kind: "apps".to_owned(),
            name: format!("legacy_{}", row.key.id),
            attributes: r#"{"name":"Desk"}"#.to_owned(),
            sources: vec![row.key.clone()],
            ..Upsert::default()
        };
        Ok(Migration { upserts: page.rows.iter().map(app).collect(), ..Migration::default() })
    }
}

#[test]
fn a_plan_for_more_than_an_environment_may_have_is_refused() -> Done {
    let folder = tempfile::tempdir()?;
    let service = service(folder.path(), Arc::new(Apps { inner: Chosen::of(&["tests/bad-step"]) }))?;
    let shipped = service.store().snapshot()?.entries(Kind::App).count();
    let desks = |count: usize| package("old_desk", &vec![vec![("name", "Desk".to_owned())]; count]);
    let (before, newest) = (library(service.store())?, service.store().newest()?);
    let refused = plan(&service, &desks(501 - shipped)?, &PlanOptions::default()).unwrap_err();
    assert_snapshot!(refused, @"the environment would have 501 apps, 500 are the most: delete what is not used first");
    assert_eq!((library(service.store())?, service.store().newest()?), (before, newest));
    assert_eq!(service.upgrades()?, [], "nothing was begun");
    // As many as there may be are planned, and what was planned can be carried out.
    let planned = plan(&service, &desks(500 - shipped)?, &PlanOptions::default())?;
    apply(&service, &planned)?;
    assert_eq!(service.store().snapshot()?.entries(Kind::App).count(), 500);
    Ok(())
}

#[test]
fn a_step_that_changed_and_a_baseline_leave_the_choice_to_people() -> Done {
    let folder = tempfile::tempdir()?;
    let zip = package("old_desk", &[vec![("name", "Desk".to_owned())]])?;
    let old = Chosen::of(&["tests/bad-step"]);
    let first = service(folder.path(), Arc::clone(&old) as _)?;
    apply(&first, &plan(&first, &zip, &PlanOptions::default())?)?;
    let infos = old.infos.iter().map(|info| StepInfo {
        digest: "ffff".repeat(16),
        version: "0.2.0".to_owned(),
        ..info.clone()
    });
    let newer = service(folder.path(), Arc::new(Chosen { infos: infos.collect() }))?;
    let refused = plan(&newer, &zip, &PlanOptions::default()).unwrap_err().to_string();
    assert!(
        refused.starts_with("step `tests/bad-step` was carried out in upgrade 1 by another component (0.1.0, "),
        "{refused}"
    );
    assert!(
        refused.ends_with("choose `--changed run` to carry it out again, or `--changed skip` to leave what it did"),
        "{refused}"
    );
    let skipped = plan(&newer, &zip, &PlanOptions { changed: Some(Changed::Skip), ..PlanOptions::default() })?;
    assert_eq!(skipped.steps[0].skipped.as_deref(), Some("upgrade 1 did it with another component"));
    assert_snapshot!(format!("{:?}", skipped.rows), @r#"{"old_desk": {"kept": 1}}"#);
    newer.baseline(&["tests/bad-step".to_owned()], "tests")?;
    let declared = plan(&newer, &zip, &PlanOptions::default())?;
    assert_eq!(declared.steps[0].skipped.as_deref(), Some("upgrade 2 declared it to be done"));
    let unknown = newer.baseline(&["tests/nobody".to_owned()], "tests").unwrap_err();
    assert_snapshot!(unknown, @"there is no step `tests/nobody`: known are tests/bad-step");
    Ok(())
}
