//! Rules across items: finds what is wrong with a library that is about to become the newest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::source::guid;
use crate::domain::{
    AnyItem, App, ConnectorKind, Environment, Item, Kind, Name, Problem, Problems, Profile, Script, SessionKind,
    SessionTemplate,
};

use super::{Error, Layer, Referrer, Snapshot};

/// One rule that is broken.
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
    pub(super) problem: Problem,
    /// The error of the refusal, if it is a conflict and not a mistake in the item.
    pub(super) refusal: Option<Error>,
}

/// Checks the items that were touched, and the items whose rules look at those.
pub(super) fn check(library: &Snapshot, touched: &BTreeSet<(Kind, Arc<str>)>) -> Vec<Finding> {
    let affected = affected(library, touched);
    affected.iter().flat_map(|item| findings(library, item.0, &item.1, touched.contains(item))).collect()
}

/// Counts the rules that an item breaks at `attribute`, by itself and together with the items it names.
pub(super) fn broken_at(library: &Snapshot, kind: Kind, name: &Arc<str>, attribute: &str) -> usize {
    findings(library, kind, name, true).iter().filter(|finding| finding.problem.attribute == attribute).count()
}

/// Returns the rules that an item breaks together with the items it names and, if `own`, by itself.
pub(super) fn findings(library: &Snapshot, kind: Kind, name: &Arc<str>, own: bool) -> Vec<Finding> {
    let Some(entry) = library.entry(kind, name) else { return Vec::new() };
    let mut problems = Problems::default();
    if own {
        entry.item.check(&mut problems);
    }
    in_company(library, &entry.item, &mut problems);
    if let AnyItem::App(app) = &entry.item
        && own
    {
        no_other_answers(library, name, app, &mut problems);
    }
    let conflict = match &entry.item {
        AnyItem::Profile(profile) => default_stays_active(library, name, profile),
        AnyItem::RankAndRoles(_) => rank_and_roles(library, name),
        AnyItem::DefaultProfile(default) => can_be_default(library, &default.profile),
        _ => None,
    };
    let problems = problems.0.into_iter();
    let problems = problems.map(|problem| Finding { kind, name: Arc::clone(name), problem, refusal: None });
    conflict.into_iter().chain(problems).collect()
}

/// Checks an item together with the items it names.
fn in_company(library: &Snapshot, item: &AnyItem, problems: &mut Problems) {
    match item {
        AnyItem::Profile(profile) => one_template_per_entity(library, profile, problems),
        AnyItem::SessionTemplate(template) => expression_sets_attached(library, template, problems),
        AnyItem::Workstream(workstream) => generic(library, workstream.session_template.as_ref(), problems),
        AnyItem::Environment(environment) => asks_for_records(library, environment, problems),
        AnyItem::VoiceProfile(voice) => generic(library, voice.session_template.as_ref(), problems),
        _ => {}
    }
}

/// Checks that slugs ask a connector with business records, which only those of the kind `odata` have.
fn asks_for_records(library: &Snapshot, environment: &Environment, problems: &mut Problems) {
    let Some(name) = &environment.queries.connector else { return };
    if library.get(name).is_some_and(|connector| connector.kind != ConnectorKind::Odata) {
        let message = format!("the connector `{name}` has no business records: name one of the kind `odata`");
        problems.refuse("queries.connector", message);
    }
}

/// Checks that no other app has the name of an app or one of its aliases: a request by that name would be ambiguous.
fn no_other_answers(library: &Snapshot, name: &Arc<str>, app: &App, problems: &mut Problems) {
    for typed in app.aliases.iter().map(|alias| alias.as_str()).chain([&**name]) {
        if let Some(other) = library.rival(Kind::App, name, typed) {
            let message = format!("app `{other}` answers to `{typed}` already: choose another, or take it from there");
            problems.question("aliases", message);
        }
    }
}

/// Checks that every script that the expression may set is attached to the template, so that an agent can choose it
/// (ruling 8.12). Exported expressions name scripts by their original GUID.
fn expression_sets_attached(library: &Snapshot, template: &SessionTemplate, problems: &mut Problems) {
    // The check of the item itself reports an expression that cannot be read.
    let Some(Ok(workflow)) = template.default_script.as_ref().map(|default| default.expression.workflow()) else {
        return;
    };
    for named in workflow.scripts() {
        let id = guid(named);
        let is_named = |script: &Name<Script>| {
            let source = || library.get(script)?.source.as_ref()?.id.as_deref();
            script.as_str() == named || (id.is_some() && source() == id.as_deref())
        };
        if !template.scripts.iter().any(is_named) {
            let message =
                format!("sets the script `{named}`, which is not among `scripts`: attach it, or name one that is");
            problems.question("defaultScript.expression", message);
        }
    }
}

/// Returns the library items that name `name` of `kind`.
pub(super) fn referrers(library: &Snapshot, kind: Kind, name: &str) -> Vec<Referrer> {
    let mut referrers = Vec::new();
    for referring in Kind::ALL {
        for (referrer, entry) in library.entries(*referring) {
            let mut attributes = BTreeSet::new();
            entry.item.clone().references(&mut |reference| {
                if reference.kind == kind && **reference.name == *name {
                    attributes.insert(reference.attribute);
                }
            });
            referrers.extend(attributes.into_iter().map(|attribute| Referrer {
                collection: referring.collection().to_owned(),
                name: referrer.to_string(),
                attribute: attribute.to_owned(),
            }));
        }
    }
    referrers
}

/// Returns the items that were touched, and those that refer to a touched session template, script or connector.
fn affected(library: &Snapshot, touched: &BTreeSet<(Kind, Arc<str>)>) -> BTreeSet<(Kind, Arc<str>)> {
    let mut affected = touched.clone();
    let looked_at: BTreeSet<(Kind, &str)> = touched
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::SessionTemplate | Kind::Script | Kind::Connector))
        .map(|(kind, name)| (*kind, name.as_ref()))
        .collect();
    if looked_at.is_empty() {
        return affected;
    }
    // One pass over all items, however many were touched.
    for kind in Kind::ALL {
        for (name, entry) in library.entries(*kind) {
            let mut looks = false;
            entry.item.clone().references(&mut |reference| {
                looks |= looked_at.contains(&(reference.kind, reference.name.as_ref()));
            });
            if looks {
                affected.insert((*kind, Arc::clone(name)));
            }
        }
    }
    affected
}

fn one_template_per_entity(library: &Snapshot, profile: &Profile, problems: &mut Problems) {
    let mut by_entity: BTreeMap<&str, &Name<SessionTemplate>> = BTreeMap::new();
    for name in &profile.session_templates {
        let Some(template) = library.get(name) else { continue };
        match (template.kind, &template.entity) {
            (SessionKind::Entity, Some(entity)) => {
                if let Some(first) = by_entity.insert(entity.as_str(), name) {
                    let message = format!("`{first}` and `{name}` are both for `{entity}`: keep one");
                    problems.question("sessionTemplates", message);
                }
            }
            _ => {
                problems.question("sessionTemplates", format!("`{name}` is generic: a profile binds entity templates"))
            }
        }
    }
}

fn generic(library: &Snapshot, template: Option<&Name<SessionTemplate>>, problems: &mut Problems) {
    if let Some(name) = template
        && library.get(name).is_some_and(|template| template.kind != SessionKind::Generic)
    {
        problems
            .question("sessionTemplate", format!("`{name}` is for an entity: conversations need a generic template"));
    }
}

/// Checks that the custom default profile is not deactivated while it is the default (ruling 8.4).
fn default_stays_active(library: &Snapshot, name: &Arc<str>, profile: &Profile) -> Option<Finding> {
    let is_default = library.default_profile().is_some_and(|default| default.shared() == name);
    if profile.is_active() || !is_default {
        return None;
    }
    let refusal = Error::CannotBeDefault { profile: name.to_string(), why: "is inactive" };
    Some(conflict(Kind::Profile, name, "state", false, refusal))
}

fn can_be_default(library: &Snapshot, name: &Name<Profile>) -> Option<Finding> {
    let entry = library.entry(Kind::Profile, name.as_str())?;
    let why = match (entry.layer, entry.item.is_active()) {
        (Layer::OutOfTheBox, _) => "came with the product",
        (Layer::Custom, false) => "is inactive",
        (Layer::Custom, true) => return None,
    };
    let refusal = Error::CannotBeDefault { profile: name.to_string(), why };
    Some(conflict(Kind::DefaultProfile, name.shared(), "profile", false, refusal))
}

/// Checks that a mapping has a custom profile that is not the default, and a rank that no other profile has (domain
/// 3.2).
fn rank_and_roles(library: &Snapshot, name: &Arc<str>) -> Option<Finding> {
    let profile: Name<Profile> = name.parse().ok()?;
    let at = |attribute, tolerable, refusal| Some(conflict(Kind::RankAndRoles, name, attribute, tolerable, refusal));
    match library.entry(Kind::Profile, name) {
        None => return at("profile", false, Error::NotFound { kind: Kind::Profile, name: name.to_string() }),
        Some(entry) if entry.layer == Layer::OutOfTheBox => {
            return at("profile", false, Error::ReadOnly { kind: Kind::Profile, name: name.to_string() });
        }
        Some(_) => {}
    }
    let own = library.rank_and_roles(&profile).filter(|own| !own.roles.is_empty())?;
    if library.default_profile() == Some(&profile) {
        return at("profile", true, Error::IsDefault { profile: name.to_string() });
    }
    let rank = own.rank?;
    let taken = library.entries(Kind::RankAndRoles).find(|(other, entry)| match &entry.item {
        AnyItem::RankAndRoles(mapping) => *other != name && !mapping.roles.is_empty() && mapping.rank == Some(rank),
        _ => false,
    });
    taken.and_then(|(by, _)| at("rank", true, Error::RankTaken { rank, by: by.to_string() }))
}

fn conflict(kind: Kind, name: &Arc<str>, attribute: &str, tolerable: bool, refusal: Error) -> Finding {
    let problem = Problem { attribute: attribute.to_owned(), message: refusal.to_string(), tolerable };
    Finding { kind, name: Arc::clone(name), problem, refusal: Some(refusal) }
}
