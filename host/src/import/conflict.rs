//! What there is one of in an environment, such as the custom default profile, where the archive has another than is
//! here (ruling 8.20).
//!
//! The caller of the import says which of the two stays. The one that gives way is named in the report; if neither may,
//! nothing is imported, and the refusal names every conflict.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{AnyItem, DefaultProfile, Environment, Kind};
use crate::store::Layer;

use super::Error;
use super::report::Outcome;
use super::work::Work;

/// What becomes of a custom default, or of settings of the environment, of which the archive has others than are here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// What is here stays.
    Keep,
    /// What the archive has takes its place.
    #[default]
    Take,
    /// Nothing is imported.
    Fail,
}

/// What there is one of, and the archive has another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What is here.
    pub here: String,
    /// What the archive has.
    pub incoming: String,
}

/// What conflicts come to.
pub(super) fn told(conflicts: &[Conflict]) -> String {
    let one =
        |Conflict { here, incoming }: &Conflict| format!("{incoming} of the archive would take the place of {here}");
    conflicts.iter().map(one).collect::<Vec<_>>().join(", and ")
}

/// What there is one of.
const SINGLE: [(Kind, &str); 2] =
    [(Kind::DefaultProfile, DefaultProfile::NAME), (Kind::Environment, Environment::NAME)];

/// Decides every conflict as `choice` says.
pub(super) fn settle(work: &mut Work<'_>, choice: OnConflict) -> Result<(), Error> {
    let mut refused = Vec::new();
    for (kind, name) in SINGLE {
        let here = work.base.entry(kind, name).filter(|entry| entry.layer == Layer::Custom).map(|entry| &entry.item);
        let (Some(here), Some(incoming)) = (here, work.planned_any(kind, name)) else { continue };
        if portable(here) == portable(incoming) {
            continue;
        }
        let (here, incoming) = (said(here), said(incoming));
        let message = match choice {
            OnConflict::Fail => {
                refused.push(Conflict { here, incoming });
                continue;
            }
            OnConflict::Take => format!("{incoming} of the archive takes the place of {here}"),
            OnConflict::Keep => format!("{here} stays, and {incoming} of the archive is left out"),
        };
        if let Some(component) = work.component_of(kind, name) {
            work.note(component, message.as_str());
        }
        if choice == OnConflict::Keep {
            work.withdraw(kind, name, Outcome::Skipped, "what is here was to be kept");
        }
        work.report.warn("conflict", format!("{}/{name}", kind.collection()), message);
    }
    if refused.is_empty() { Ok(()) } else { Err(Error::Conflict(refused)) }
}

/// What of an item travels with an archive.
fn portable(item: &AnyItem) -> Value {
    match item {
        AnyItem::Environment(environment) => {
            let mut environment = environment.clone();
            environment.keep_own(&Environment::default());
            AnyItem::from(environment).to_json()
        }
        other => other.to_json(),
    }
}

/// An item as sentences call it.
fn said(item: &AnyItem) -> String {
    match item {
        AnyItem::DefaultProfile(default) => format!("the custom default `{}`", default.profile),
        _ => "the settings of the environment".to_owned(),
    }
}
