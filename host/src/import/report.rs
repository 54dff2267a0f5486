//! The report of an import: it accounts for every row, every link and every dependency.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::Kind;
use crate::domain::excerpt::{PLACE_MAX, SENTENCE_MAX, excerpted};
use crate::store::{Displaced, Tolerated};

/// The report of an import: everything that was read, with its outcome.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportReport)]
pub struct Report {
    /// The solution that was read.
    pub solution: SolutionSummary,
    /// One entry per row, file and derived item.
    pub components: Vec<Component>,
    /// One entry per many-to-many link.
    pub links: Vec<Link>,
    /// The items that the solution requires its target to have.
    pub dependencies: Vec<Dependency>,
    /// Points that an administrator should check.
    pub warnings: Vec<Warning>,
    /// The number of components by outcome, and of links, missing dependencies and warnings.
    pub counts: Counts,
}

/// The solution, as it describes itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportSolutionSummary)]
pub struct SolutionSummary {
    /// The unique name of the solution.
    pub unique_name: String,
    /// The version of the solution, such as `1.0.0.1`.
    pub version: String,
    /// Whether the solution is managed.
    pub managed: bool,
    /// The customization prefix of the publisher.
    pub publisher_prefix: String,
}

/// One row, one file, or one item derived from them.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportComponent)]
pub struct Component {
    /// The table of the row in the solution, such as `msdyn_sessiontemplate`.
    pub table: String,
    /// The unique name of the row in the solution; for a macro its GUID, for a file its path.
    pub source_name: String,
    /// The collection of the item here.
    pub collection: Option<String>,
    /// The name of the item here that the component is, or is a part of.
    pub name: Option<String>,
    /// The outcome for the component.
    pub outcome: Outcome,
    /// Notes about the component.
    pub notes: Vec<String>,
}

/// The outcome for a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImportOutcome)]
pub enum Outcome {
    /// The component is a new item.
    Created,
    /// The component changes an existing item.
    Updated,
    /// The item is the same here already.
    Unchanged,
    /// The component is a part of another item.
    Merged,
    /// The component is left out; the notes say why.
    Skipped,
    /// The component cannot be read, or breaks a rule; the notes say why.
    Quarantined,
}

/// A many-to-many link.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportLink)]
pub struct Link {
    /// The table of the link in the solution.
    pub table: String,
    /// The two ends: column and unique name, such as `msdyn_sessiontemplateid=contoso_case`.
    pub ends: Vec<String>,
    /// The collection of the item that holds the link here.
    pub collection: Option<String>,
    /// The name of the item that holds the link here.
    pub name: Option<String>,
    /// The outcome for the link.
    pub outcome: LinkOutcome,
    /// Why the link is left out; absent if it is not.
    pub reason: Option<String>,
}

/// The outcome for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ImportLinkOutcome)]
pub enum LinkOutcome {
    /// The link is made.
    Linked,
    /// The link exists here already.
    Unchanged,
    /// The link is not made.
    LeftOut,
}

/// An item that the solution requires its target to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportDependency)]
pub struct Dependency {
    /// The table of the required item.
    pub required_table: String,
    /// The unique name of the required item.
    pub required_name: String,
    /// The solution that has the required item at its origin, with its version.
    pub solution: Option<String>,
    /// The table of the item that needs it.
    pub dependent_table: String,
    /// The name of the item that needs it.
    pub dependent_name: String,
    /// Whether the required item exists here.
    pub satisfied: bool,
}

/// A point that an administrator should check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[schema(as = ImportWarning)]
pub struct Warning {
    /// The kind of the warning, as a stable code such as `unknown-table`.
    pub code: String,
    /// The warning, in one sentence.
    pub message: String,
    /// The place: table and name, or a path.
    #[serde(rename = "where")]
    pub place: String,
}

/// The number of components by outcome, and of links, missing dependencies and warnings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "each counts what its name says")]
#[schema(as = ImportCounts)]
pub struct Counts {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    pub merged: usize,
    pub skipped: usize,
    pub quarantined: usize,
    pub links: usize,
    pub links_left_out: usize,
    pub dependencies_missing: usize,
    pub warnings: usize,
}

/// The decisions about items, by collection and name.
pub(super) type Verdicts = BTreeMap<(String, String), Verdict>;

/// The decision about an item that also applies to its parts and links.
pub(super) enum Verdict {
    /// The item is the same here already.
    Unchanged,
    /// The item is not written.
    Withdrawn { outcome: Outcome, reason: String },
}

impl Report {
    /// Adds the problems that the store tolerated and that an author would have had to mend.
    pub fn tolerate(&mut self, tolerated: &[Tolerated]) {
        for Tolerated { kind, name, problem } in tolerated {
            let note = problem.to_string();
            if let Some(component) = self.components.iter_mut().find(|it| it.is(*kind, name)) {
                component.note(note.clone());
            }
            self.warn("tolerated", format!("{}/{name}", kind.collection()), note);
        }
        self.settle();
    }

    /// Adds a tool that is hidden because the plugin that decides about it is absent.
    pub fn without_rule(&mut self, tool: &str, reason: &str) {
        let place = format!("{}/{tool}", Kind::PaneTool.collection());
        self.warn("no-rule", place, format!("people do not see it: {reason}"));
        self.settle();
    }

    /// Adds a profile with settings of a tool that the tool's plugin refuses.
    pub fn unfit_settings(&mut self, profile: &str, reason: &str) {
        let place = format!("{}/{profile}", Kind::Profile.collection());
        self.warn("settings-do-not-fit", place, format!("it is written, and the tool may fail: {reason}"));
        self.settle();
    }

    /// Adds the direct assignments that end because apps of profiles change.
    pub fn displaced(&mut self, displaced: &[Displaced]) {
        for (place, sentence) in Displaced::told(displaced) {
            self.warn("assignments-ended", place, sentence);
        }
        self.settle();
    }

    /// Records that an item is not written after all, and so none of its parts and links.
    pub fn downgrade(&mut self, kind: Kind, name: &str, reason: &str) {
        let verdict = Verdict::Withdrawn { outcome: Outcome::Quarantined, reason: reason.to_owned() };
        self.apply(&Verdicts::from([((kind.collection().to_owned(), name.to_owned()), verdict)]));
    }

    /// Applies the decisions about items to their parts and links, and counts.
    pub(super) fn apply(&mut self, verdicts: &Verdicts) {
        let verdict =
            |collection: &Option<String>, name: &Option<String>| verdicts.get(&(collection.clone()?, name.clone()?));
        for component in &mut self.components {
            match verdict(&component.collection, &component.name) {
                Some(Verdict::Unchanged) if component.outcome == Outcome::Merged => {
                    component.outcome = Outcome::Unchanged;
                }
                Some(Verdict::Withdrawn { outcome, reason }) if component.outcome != Outcome::Skipped => {
                    component.outcome = *outcome;
                    component.note(reason.clone());
                }
                _ => {}
            }
        }
        for link in &mut self.links {
            match verdict(&link.collection, &link.name) {
                Some(Verdict::Unchanged) if link.outcome == LinkOutcome::Linked => {
                    link.outcome = LinkOutcome::Unchanged
                }
                Some(Verdict::Withdrawn { reason, .. }) if link.outcome != LinkOutcome::LeftOut => {
                    link.outcome = LinkOutcome::LeftOut;
                    link.reason = Some(reason.clone());
                }
                _ => {}
            }
        }
        self.settle();
    }

    pub(super) fn warn(&mut self, code: &str, place: impl Into<String>, message: impl Into<String>) {
        let (message, place) = (excerpted(message.into(), SENTENCE_MAX), excerpted(place.into(), PLACE_MAX));
        self.warnings.push(Warning { code: code.to_owned(), message, place });
    }

    /// Removes repeated warnings, and counts.
    pub(super) fn settle(&mut self) {
        let mut said = BTreeSet::new();
        self.warnings.retain(|warning| said.insert(warning.clone()));
        let of = |outcome| self.components.iter().filter(|it| it.outcome == outcome).count();
        self.counts = Counts {
            created: of(Outcome::Created),
            updated: of(Outcome::Updated),
            unchanged: of(Outcome::Unchanged),
            merged: of(Outcome::Merged),
            skipped: of(Outcome::Skipped),
            quarantined: of(Outcome::Quarantined),
            links: self.links.iter().filter(|it| it.outcome != LinkOutcome::LeftOut).count(),
            links_left_out: self.links.iter().filter(|it| it.outcome == LinkOutcome::LeftOut).count(),
            dependencies_missing: self.dependencies.iter().filter(|it| !it.satisfied).count(),
            warnings: self.warnings.len(),
        };
    }
}

impl Component {
    /// The most notes of one component. A row can become part of a thousand items, and each copy is a note.
    const NOTES_MAX: usize = 100;

    fn is(&self, kind: Kind, name: &str) -> bool {
        self.collection.as_deref() == Some(kind.collection()) && self.name.as_deref() == Some(name)
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = match self.notes.len() {
            count if count < Self::NOTES_MAX => excerpted(note.into(), SENTENCE_MAX),
            count if count == Self::NOTES_MAX => "there is more to say, which is left out".to_owned(),
            _ => return,
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
