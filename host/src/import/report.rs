//! What an import read, and what becomes of it: every row, every link, every dependency is accounted for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::Kind;
use crate::domain::excerpt::{PLACE_MAX, SENTENCE_MAX, excerpted};
use crate::store::{Displaced, Tolerated};

/// What an import read, and what becomes of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportReport)]
pub struct Report {
    /// The solution.
    pub solution: SolutionSummary,
    /// One entry per row, file and derived item.
    pub components: Vec<Component>,
    /// One entry per many-to-many link.
    pub links: Vec<Link>,
    /// What the solution says its target must own.
    pub dependencies: Vec<Dependency>,
    /// What a person should look at.
    pub warnings: Vec<Warning>,
    /// How many of each.
    pub counts: Counts,
}

/// The solution, as it describes itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportSolutionSummary)]
pub struct SolutionSummary {
    /// Its unique name.
    pub unique_name: String,
    /// Its version, such as `1.0.0.1`.
    pub version: String,
    /// Whether it is managed.
    pub managed: bool,
    /// The customization prefix of its publisher.
    pub publisher_prefix: String,
}

/// One row, one file, or one item derived from them.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportComponent)]
pub struct Component {
    /// The table it belongs to there, such as `msdyn_sessiontemplate`.
    pub table: String,
    /// Its unique name there; for a macro its GUID, for anything else its path.
    pub source_name: String,
    /// The collection it is found in here.
    pub collection: Option<String>,
    /// The name of the item it is, or is a part of, here.
    pub name: Option<String>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What is worth knowing about it.
    pub notes: Vec<String>,
}

/// What becomes of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImportOutcome)]
pub enum Outcome {
    /// A new item.
    Created,
    /// An item that was different.
    Updated,
    /// It is so already.
    Unchanged,
    /// A part of another item.
    Merged,
    /// Left alone; the notes say why.
    Skipped,
    /// Not understood, or against the rules; the notes say why.
    Quarantined,
}

/// A many-to-many link.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportLink)]
pub struct Link {
    /// The table it is a row of there.
    pub table: String,
    /// What it joins: column and unique name, such as `msdyn_sessiontemplateid=contoso_case`.
    pub ends: Vec<String>,
    /// The collection of the item that holds the link here.
    pub collection: Option<String>,
    /// The name of that item.
    pub name: Option<String>,
    /// What becomes of it.
    pub outcome: LinkOutcome,
    /// Why it is left out.
    pub reason: Option<String>,
}

/// What becomes of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ImportLinkOutcome)]
pub enum LinkOutcome {
    /// It is made.
    Linked,
    /// It is so already.
    Unchanged,
    /// It is not made.
    LeftOut,
}

/// Something the solution says its target must own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportDependency)]
pub struct Dependency {
    /// The table of what is required.
    pub required_table: String,
    /// Its unique name.
    pub required_name: String,
    /// The solution that owns it there, with its version.
    pub solution: Option<String>,
    /// The table of what needs it.
    pub dependent_table: String,
    /// What needs it.
    pub dependent_name: String,
    /// Whether it is found here.
    pub satisfied: bool,
}

/// Something a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[schema(as = ImportWarning)]
pub struct Warning {
    /// What sort of thing, such as `unknown-table`.
    pub code: String,
    /// What it is.
    pub message: String,
    /// Where: table and name, or a path.
    #[serde(rename = "where")]
    pub place: String,
}

/// How many of each.
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

/// What became of an item, by collection and name.
pub(super) type Verdicts = BTreeMap<(String, String), Verdict>;

/// What became of an item, as far as its parts and links must know.
pub(super) enum Verdict {
    /// It is so already.
    Unchanged,
    /// It is not written.
    Withdrawn { outcome: Outcome, reason: String },
}

impl Report {
    /// Adds what the store wrote although an author would have had to mend it.
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

    /// Adds the tools that are hidden because what decides about them is absent.
    pub fn without_rule(&mut self, tool: &str, reason: &str) {
        let place = format!("{}/{tool}", Kind::PaneTool.collection());
        self.warn("no-rule", place, format!("people do not see it: {reason}"));
        self.settle();
    }

    /// Adds a profile whose settings of a tool the tool's plugin refuses.
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

    /// Says that an item is not written after all, and with it none of its parts and links.
    pub fn downgrade(&mut self, kind: Kind, name: &str, reason: &str) {
        let verdict = Verdict::Withdrawn { outcome: Outcome::Quarantined, reason: reason.to_owned() };
        self.apply(&Verdicts::from([((kind.collection().to_owned(), name.to_owned()), verdict)]));
    }

    /// Passes what became of items on to their parts and links, and counts.
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

    /// Says every warning once, and counts.
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
    /// Most notes of one. A row can become part of a thousand items, and each copy is a note.
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
