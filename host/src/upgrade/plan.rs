//! Plans of upgrades. A plan is bound to the configuration and the components it was made for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Revision;
use crate::domain::hex::hexadecimal;
use crate::store::Run as RunRecord;
use crate::store::RunState;
use crate::store::journal::{Note, Tally};

use super::Error;
use super::difference::Difference;
use super::reader::SourceInfo;
use super::step::{StepInfo, Version};

/// The plan of an upgrade: what it will change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpgradePlan)]
pub struct Plan {
    /// The ID of the plan.
    pub id: String,
    /// The revision the plan is for.
    pub base: Revision,
    /// The old environment.
    pub source: SourceInfo,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// The number of rows by table and outcome.
    pub rows: BTreeMap<String, BTreeMap<String, u64>>,
    /// The number of links between rows that were read.
    pub links: u64,
    /// The items that change.
    pub differences: Vec<Difference>,
    /// The first of the rows that cannot be used.
    pub quarantine: Vec<PlannedRow>,
    /// The first of the notes for administrators.
    pub notes: Vec<Note>,
    /// Experiences before and after, for the people that were asked for.
    pub experiences: Vec<SideBySide>,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpgradePlannedStep)]
pub struct PlannedStep {
    /// The name of the step, as `publisher/name`.
    pub name: String,
    /// The version of the step.
    pub version: String,
    /// The SHA-256 of the component.
    pub digest: String,
    /// The last run in which the step was carried out or declared done, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Whether the component differs from the one in that run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// Why the step is not carried out; absent if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// A digest of the step's proposals.
    pub result: String,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UpgradePlannedRow)]
pub struct PlannedRow {
    /// The table.
    pub table: String,
    /// The ID of the row.
    pub id: String,
    /// What would make the row usable.
    pub reason: String,
}

/// The experience of a person before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UpgradeSideBySide)]
pub struct SideBySide {
    /// The login of the person; absent for a person without roles and licences.
    pub user: Option<String>,
    /// The app.
    pub app: String,
    /// The answer before.
    pub before: Answered,
    /// The answer after.
    pub after: Answered,
}

/// The answer to a request for an experience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = UpgradeAnswered)]
pub enum Answered {
    /// The experience.
    Experience(BTreeMap<String, serde_json::Value>),
    /// A sentence that says why there is no experience.
    Refused(String),
}

impl Answered {
    /// An experience, as it is sent to clients.
    pub fn of(experience: &impl Serialize) -> Self {
        // An experience serialises to an object.
        let attributes = serde_json::to_value(experience).and_then(serde_json::from_value);
        Self::Experience(attributes.unwrap_or_default())
    }
}

/// What to do with a step whose component has changed since it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Changed {
    /// Carry the step out again.
    Run,
    /// Keep the result of the earlier component.
    Skip,
}

/// The component of a step has changed, and no choice was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "step `{step}` was carried out in upgrade {run} by another component ({before}, now {now}): choose `--changed run` to carry it out again, or `--changed skip` to leave what it did"
)]
pub struct StepChanged {
    /// The step.
    pub step: String,
    /// The run in which it was carried out.
    pub run: u64,
    /// The digest of the component then.
    pub before: String,
    /// The digest of the component now.
    pub now: String,
}

/// The steps of a plan, each with its history and whether it is carried out.
pub fn select(
    order: &[&StepInfo],
    version: Option<&Version>,
    runs: &[RunRecord],
    changed: Option<Changed>,
) -> Result<Vec<PlannedStep>, Error> {
    order.iter().map(|step| select_one(step, version, runs, changed)).collect()
}

fn select_one(
    step: &StepInfo,
    version: Option<&Version>,
    runs: &[RunRecord],
    changed: Option<Changed>,
) -> Result<PlannedStep, Error> {
    let mut planned = PlannedStep {
        name: step.name.clone(),
        version: step.version.clone(),
        digest: step.digest.clone(),
        before: None,
        changed: false,
        skipped: None,
        result: String::new(),
    };
    if !step.reads(version) {
        let version = version.map_or_else(String::new, ToString::to_string);
        planned.skipped = Some(format!("it does not read environments of version {version}"));
    }
    // The newest run comes first. Abandoned and undone runs do not count.
    let counts = |run: &&RunRecord| matches!(run.state, RunState::Applied | RunState::Baseline);
    let earlier = runs
        .iter()
        .filter(counts)
        .find_map(|run| run.steps.iter().find(|other| other.name == step.name).map(|other| (run, other)));
    let Some((run, earlier)) = earlier else { return Ok(planned) };
    (planned.before, planned.changed) = (Some(run.id), earlier.digest != step.digest);
    if run.state == RunState::Baseline && changed != Some(Changed::Run) {
        planned.skipped.get_or_insert(format!("upgrade {} declared it to be done", run.id));
        return Ok(planned);
    }
    if planned.changed && planned.skipped.is_none() {
        match changed {
            Some(Changed::Run) => {}
            Some(Changed::Skip) => planned.skipped = Some(format!("upgrade {} did it with another component", run.id)),
            None => {
                let (before, now) = (earlier.version.clone(), step.version.clone());
                let short = |digest: &str| digest.chars().take(12).collect::<String>();
                return Err(StepChanged {
                    step: step.name.clone(),
                    run: run.id,
                    before: format!("{before}, {}", short(&earlier.digest)),
                    now: format!("{now}, {}", short(&step.digest)),
                }
                .into());
            }
        }
    }
    Ok(planned)
}

/// The ID of a plan: the same for the same input, and another one as soon as any part of the input changes.
pub fn identity(base: Revision, source: &SourceInfo, steps: &[PlannedStep], runs: usize) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    add(&base.to_string());
    add(&source.digest);
    add(&source.prefix);
    add(&runs.to_string());
    for step in steps {
        add(&step.name);
        add(&step.digest);
        add(step.skipped.as_deref().unwrap_or_default());
    }
    hexadecimal(&hash.finalize()).chars().take(16).collect()
}

/// A tally with outcomes as text, for clients.
pub fn tallied(tally: Tally) -> BTreeMap<String, BTreeMap<String, u64>> {
    let of_table = |outcomes: BTreeMap<_, u64>| {
        outcomes
            .into_iter()
            .map(|(outcome, count): (crate::store::journal::Outcome, u64)| (outcome.as_str().to_owned(), count))
    };
    tally.into_iter().map(|(table, outcomes)| (table, of_table(outcomes).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StepRun;

    fn step(digest: &str) -> StepInfo {
        StepInfo { name: "a/b".into(), version: "1.0.0".into(), digest: digest.into(), ..StepInfo::default() }
    }

    fn run(id: u64, state: RunState, digest: &str) -> RunRecord {
        RunRecord {
            id,
            plan: id.to_string(),
            state,
            base: Revision(1),
            source: String::new(),
            digest: String::new(),
            who: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            ended: None,
            revision: None,
            undone: None,
            failure: None,
            steps: vec![StepRun { name: "a/b".into(), version: "0.9.0".into(), digest: digest.into() }],
            lease: None,
        }
    }

    fn selected(runs: &[RunRecord], changed: Option<Changed>) -> String {
        match select(&[&step("new")], None, runs, changed) {
            Ok(steps) => format!("{:?} {} {:?}", steps[0].before, steps[0].changed, steps[0].skipped),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_step_that_changed_asks_what_to_do() {
        use RunState::{Abandoned, Applied, Baseline, RolledBack};
        assert_eq!(selected(&[], None), "None false None");
        assert_eq!(selected(&[run(1, Applied, "new")], None), "Some(1) false None");
        assert_eq!(selected(&[run(2, RolledBack, "old"), run(1, Abandoned, "old")], None), "None false None");
        insta::assert_snapshot!(selected(&[run(1, Applied, "old")], None), @"step `a/b` was carried out in upgrade 1 by another component (0.9.0, old, now 1.0.0, new): choose `--changed run` to carry it out again, or `--changed skip` to leave what it did");
        assert_eq!(selected(&[run(1, Applied, "old")], Some(Changed::Run)), "Some(1) true None");
        let skipped = "Some(1) true Some(\"upgrade 1 did it with another component\")";
        assert_eq!(selected(&[run(1, Applied, "old")], Some(Changed::Skip)), skipped);
        assert_eq!(selected(&[run(4, Baseline, "old")], Some(Changed::Run)), "Some(4) true None");
        assert_eq!(
            selected(&[run(4, Baseline, "old")], None),
            "Some(4) true Some(\"upgrade 4 declared it to be done\")"
        );
    }

    #[test]
    fn a_plan_is_another_one_when_anything_is() {
        let source =
            SourceInfo { format: "f".into(), name: "n".into(), version: None, prefix: "p".into(), digest: "d".into() };
        let steps = select(&[&step("new")], None, &[], None).unwrap();
        let first = identity(Revision(1), &source, &steps, 0);
        assert_eq!(first, identity(Revision(1), &SourceInfo { name: "m".into(), ..source.clone() }, &steps, 0));
        let others = [
            identity(Revision(2), &source, &steps, 0),
            identity(Revision(1), &SourceInfo { digest: "e".into(), ..source.clone() }, &steps, 0),
            identity(Revision(1), &source, &[], 0),
            identity(Revision(1), &source, &steps, 1),
        ];
        assert!(others.iter().all(|other| *other != first));
    }
}
