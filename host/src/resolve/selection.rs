//! Selects the profile in force: direct, else role-based, else custom default, else out-of-the-box (rulings 8.1 to 8.4,
//! 8.19 to 8.21, 8.24). Profiles never merge.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::experience::{Assignment, AssignmentMethod, Explanation, Outcome};
use crate::domain::{App, Item, Kind, Name, OutOfTheBoxRule, Profile, SecurityRole};
use crate::store::{Layer, Snapshot};

use super::explain::{Account, line};
use super::{Error, Subject};

/// The profile in force and how the person came to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    pub(super) profile: Name<Profile>,
    pub(super) assignment: Assignment,
}

/// A reason why a profile could be in force. Its order is the precedence, and total: the order of the claims does not
/// matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    method: AssignmentMethod,
    /// The rank; a claim without a rank comes after every rank (ruling 8.19).
    rank: u8,
    profile: Name<Profile>,
    role: Option<Arc<str>>,
}

const UNRANKED: u8 = u8::MAX;

/// Selects the profile for `subject` in `app`, and says why each other profile lost.
pub(super) fn select(
    snapshot: &Snapshot,
    subject: &Subject,
    roles: &BTreeSet<Arc<str>>,
    app: &Name<App>,
    account: &mut Account,
) -> Result<Selection, Error> {
    let mut claims = claims(snapshot, subject);
    claims.extend(out_of_the_box(snapshot, subject, roles, app));
    claims.sort();

    let explains = account.explains_fully();
    let mut winner: Option<Claim> = None;
    let mut lost: Vec<Explanation> = Vec::new();
    // The names of the profiles that lost and are explained already.
    let mut known: HashSet<&str> = HashSet::new();
    for claim in &claims {
        let unfit = unfit(snapshot, claim, app);
        if unfit.is_none() && winner.is_none() {
            winner = Some(claim.clone());
            continue;
        }
        if winner.as_ref().is_some_and(|winner| winner.profile == claim.profile) {
            continue;
        }
        if let (Some(winner), None) = (&winner, &unfit) {
            warn_of_tie(winner, claim, account);
        }
        if explains && known.insert(claim.profile.as_str()) {
            let because =
                unfit.unwrap_or_else(|| winner.as_ref().map_or_else(String::new, |winner| why_behind(winner, claim)));
            lost.push(line("profile", Some(claim.profile.as_str()), Outcome::Lost, because));
        }
    }
    let winner = winner.ok_or_else(|| Error::NoProfile { app: app.to_string() })?;
    account.line(|| {
        for (name, profile) in snapshot.all::<Profile>().filter(|_| explains) {
            if name != winner.profile && !known.contains(name.as_str()) {
                lost.push(line("profile", Some(name.as_str()), Outcome::Lost, why_no_claim(snapshot, &name, profile)));
            }
        }
        let mut chosen = line("profile", Some(winner.profile.as_str()), Outcome::Chosen, why_chosen(&winner));
        chosen.under = lost;
        chosen
    });
    Ok(Selection { assignment: assignment(&winner), profile: winner.profile })
}

/// Returns the claims by assignment, role and custom default.
fn claims(snapshot: &Snapshot, subject: &Subject) -> Vec<Claim> {
    let default = snapshot.default_profile();
    let rank_of = |profile: &Name<Profile>| snapshot.rank_and_roles(profile).and_then(|mapping| mapping.rank);
    let claim = |method, profile: &Name<Profile>, rank: Option<u8>, role| Claim {
        method,
        rank: rank.unwrap_or(UNRANKED),
        profile: profile.clone(),
        role,
    };
    let mut claims: Vec<Claim> = Vec::new();
    for profile in &subject.direct {
        claims.push(claim(AssignmentMethod::Direct, profile, rank_of(profile), None));
    }
    for (profile, _) in snapshot.all::<Profile>() {
        let Some(mapping) = snapshot.rank_and_roles(&profile) else { continue };
        // The mapping of the custom default is kept, and dormant (domain P4).
        if default == Some(&profile) {
            continue;
        }
        let matching = mapping.roles.iter().find(|role| subject.user.roles.contains(role));
        if let Some(role) = matching {
            claims.push(claim(AssignmentMethod::RoleBased, &profile, mapping.rank, Some(Arc::clone(role.shared()))));
        }
    }
    claims.extend(default.map(|profile| claim(AssignmentMethod::Default, profile, None, None)));
    claims
}

/// Returns the claim of the app's out-of-the-box profile: the first entry that fits, else the first of the base app
/// (ruling 8.24).
fn out_of_the_box(
    snapshot: &Snapshot,
    subject: &Subject,
    roles: &BTreeSet<Arc<str>>,
    app: &Name<App>,
) -> Option<Claim> {
    let holds = |rule: &OutOfTheBoxRule| {
        let role = rule.roles.is_empty() || rule.roles.iter().any(|role| roles.contains(role.shared()));
        let licence = rule.licences.is_empty() || rule.licences.iter().any(|it| subject.user.licences.contains(it));
        role && licence
    };
    let base = App::BASE.parse::<Name<App>>().ok();
    let rules = [Some(app), base.as_ref()].into_iter().flatten().filter_map(|app| snapshot.get(app));
    let rule = rules.flat_map(|app| &app.out_of_the_box).find(|rule| holds(rule))?;
    let method = AssignmentMethod::OutOfTheBox;
    Some(Claim { method, rank: UNRANKED, profile: rule.profile.clone(), role: None })
}

/// Returns why a claim does not count in `app`, if it does not.
fn unfit(snapshot: &Snapshot, claim: &Claim, app: &Name<App>) -> Option<String> {
    let Some(profile) = snapshot.get(&claim.profile) else { return Some("it does not exist any more".to_owned()) };
    if !profile.is_active() {
        return Some("it is inactive".to_owned());
    }
    // The app itself names its out-of-the-box profile.
    let here = claim.method == AssignmentMethod::OutOfTheBox || profile.apps.is_empty() || profile.apps.contains(app);
    if here { None } else { Some(format!("it is not for app `{app}`")) }
}

fn why_chosen(claim: &Claim) -> String {
    match (claim.method, &claim.role) {
        (AssignmentMethod::Direct, _) => "the person is assigned to it directly".to_owned(),
        (AssignmentMethod::RoleBased, Some(role)) => {
            format!("the person holds role `{role}`, which is mapped to it {}", ranked(claim))
        }
        (AssignmentMethod::RoleBased, None) => format!("a role of the person is mapped to it {}", ranked(claim)),
        (AssignmentMethod::Default, _) => "it is the custom default, and nothing more specific applies".to_owned(),
        (AssignmentMethod::OutOfTheBox, _) => "it shipped with the app, and nothing else applies".to_owned(),
    }
}

fn why_behind(winner: &Claim, claim: &Claim) -> String {
    let winning = &winner.profile;
    if winner.method != claim.method {
        return match claim.method {
            AssignmentMethod::RoleBased => {
                format!("a role is mapped to it, but the direct assignment to `{winning}` goes first")
            }
            AssignmentMethod::Default => format!("it is the custom default, but `{winning}` is more specific"),
            AssignmentMethod::OutOfTheBox => format!("it shipped with the app, but `{winning}` is more specific"),
            AssignmentMethod::Direct => format!("`{winning}` goes first"),
        };
    }
    if winner.rank != claim.rank {
        return format!("it applies {}, `{winning}` {}: the smaller rank goes first", ranked(claim), ranked(winner));
    }
    format!("it applies {} like `{winning}`, whose name sorts first", ranked(claim))
}

fn why_no_claim(snapshot: &Snapshot, name: &Name<Profile>, profile: &Profile) -> String {
    let shipped = snapshot.entry(Kind::Profile, name.as_str()).is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
    if !profile.is_active() {
        return "it is inactive".to_owned();
    }
    if shipped {
        return "the person is not assigned to it, and it is not the one that ships for this app and person".to_owned();
    }
    match snapshot.rank_and_roles(name) {
        Some(mapping) if !mapping.roles.is_empty() => {
            let roles: Vec<String> =
                mapping.roles.iter().map(|role: &Name<SecurityRole>| format!("`{role}`")).collect();
            format!("the person is not assigned to it and holds none of its roles: {}", roles.join(", "))
        }
        _ => "the person is not assigned to it, no role is mapped to it, and it is not the default".to_owned(),
    }
}

fn warn_of_tie(winner: &Claim, claim: &Claim, account: &mut Account) {
    if winner.method != claim.method {
        return;
    }
    let (first, second) = (&winner.profile, &claim.profile);
    match winner.method {
        AssignmentMethod::Direct => account.warn(
            "several-direct-assignments",
            format!("the person is assigned to `{first}` and `{second}` directly: take one back"),
        ),
        AssignmentMethod::RoleBased if winner.rank == claim.rank && winner.rank != UNRANKED => account.warn(
            "equal-ranks",
            format!("`{first}` and `{second}` both have rank {}: give them different ranks", winner.rank),
        ),
        _ => {}
    }
}

fn ranked(claim: &Claim) -> String {
    if claim.rank == UNRANKED { "without a rank".to_owned() } else { format!("at rank {}", claim.rank) }
}

fn assignment(claim: &Claim) -> Assignment {
    let role_based = claim.method == AssignmentMethod::RoleBased;
    Assignment {
        method: claim.method,
        role: claim.role.as_ref().filter(|_| role_based).map(ToString::to_string),
        rank: Some(claim.rank).filter(|rank| role_based && *rank != UNRANKED),
    }
}

#[cfg(test)]
mod tests;
