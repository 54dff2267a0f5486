//! Resolution: computes the experience of one person from a snapshot, the person, an app, a session and rules.
//!
//! Pure: knows no database, no engine, no server and no clock. A rule that breaks becomes a part of the answer.

mod absent;
mod absent_part;
mod explain;
mod gates;
mod journal;
mod library;
mod notification;
mod pane;
mod queries;
mod reads;
mod request;
mod rules;
mod selection;
mod session;
mod tabs;
mod texts;
mod tool_step;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::experience::{Assignment, ChosenProfile, Experience, ExplainLevel, Outcome};
use crate::domain::hex::hexadecimal;
use crate::domain::trace::Caller;
use crate::domain::{App, Kind, Name, Profile};
use crate::store::Snapshot;

use explain::{Account, line};
use selection::Selection;

pub use absent::{NO_RULE, hidden_without_rule};
pub use absent_part::{Absent, AbsentPart};
pub use journal::{HostCall, Journal};
pub use queries::{Found, Queries};
pub use reads::{Facts, Read, ReadSet, Reads};
pub use request::{Asker, Error, SessionInput, Subject};
pub use rules::{Decision, Evaluation, ItemReference, RuleCall, ToolRules};
pub use tool_step::{StepEnd, StepRun};

/// Computes what `subject` gets in `app`, and in `session` if one starts.
///
/// A fault in the configuration becomes a warning in the answer, not an error. Returns an error if the question makes
/// no sense, if a rule or step aborts, or once the request of `asker` is given up; nothing else about the asker changes
/// the answer.
pub fn resolve(
    snapshot: &Arc<Snapshot>,
    subject: &Subject,
    app: &str,
    session: Option<&SessionInput>,
    explain: ExplainLevel,
    rules: &dyn ToolRules,
    asker: &Asker,
) -> Result<Experience, Error> {
    if let Some(session) = session {
        session.check()?;
    }
    let mut account = Account::new(explain, Arc::clone(&asker.effort)).asking(rules.queries());
    let app = find_app(snapshot, app)?;
    let roles = gates::expand(snapshot, &subject.user.roles);
    let Selection { profile: name, assignment } = match &subject.hypothetical_profile {
        Some(profile) => suppose(profile, &mut account),
        None => selection::select(snapshot, subject, &roles, &app, &mut account)?,
    };
    let profile = snapshot.get(&name).ok_or_else(|| unknown(Kind::Profile, name.as_str(), String::new()))?;
    let environment = snapshot.environment();
    let decision_id = decision_id(snapshot, subject, &app, session, rules);

    let mut facts = Facts {
        app: app.to_string(),
        profile: name.to_string(),
        roles,
        licences: subject.user.licences.iter().map(ToString::to_string).collect(),
        language: subject.user.language,
        base_language: environment.base_language,
        context: session.map(|session| session.context.clone()).unwrap_or_default(),
        caller: Caller {
            request: asker.request.clone(),
            token: asker.token.clone(),
            decision: Some(decision_id.as_str().into()),
            user: subject.login.as_deref().map(Arc::from),
        },
        ..Facts::default()
    };
    let opening = session.map(|input| session::open(snapshot, (&name, profile), input, &mut account)).transpose()?;
    if let Some(opening) = &opening {
        opening.inform(&mut facts);
    }
    let facts = Arc::new(facts);
    let opened = opening.map(|opening| opening.render(snapshot, &environment, &facts, &mut account));
    account.go_on()?;
    let channels = gates::channels(snapshot, profile, &facts, &mut account);
    let (productivity_pane, named) = pane::pane(snapshot, profile, &environment, &facts, rules, &mut account)?;
    let library = library::collect(snapshot, named, &facts, &mut account);
    account.go_on()?;
    let (warnings, explain) = account.into_parts();
    Ok(Experience {
        decision_id,
        revision: snapshot.revision(),
        user: subject.login.clone(),
        app: app.to_string(),
        profile: ChosenProfile {
            unique_name: name.to_string(),
            name: profile.name.in_language(subject.user.language).to_owned(),
            assignment,
        },
        channels,
        session: opened,
        productivity_pane,
        inbox: gates::inbox(profile),
        copilot: gates::copilot(profile, &environment),
        library,
        warnings,
        explain,
    })
}

/// Most apps that the refusal of an unknown app names.
const APPS_NAMED: usize = 20;

fn find_app(snapshot: &Snapshot, typed: &str) -> Result<Name<App>, Error> {
    let found = snapshot.canonical(Kind::App, typed).and_then(|name| name.parse().ok());
    found.ok_or_else(|| {
        let apps = snapshot.entries(Kind::App);
        let known: Vec<String> = apps.take(APPS_NAMED).map(|(name, _)| format!("`{name}`")).collect();
        let more = snapshot.entries(Kind::App).count().saturating_sub(known.len());
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        unknown(Kind::App, typed, format!(": known are {}{and_more}", known.join(", ")))
    })
}

fn unknown(kind: Kind, name: &str, hint: String) -> Error {
    Error::Unknown { kind, name: name.to_owned(), hint }
}

/// Takes the hypothetical profile of the question: skips the selection, and says so in the explain tree.
fn suppose(profile: &Name<Profile>, account: &mut Account) -> Selection {
    account.line(|| line("profile", Some(profile.as_str()), Outcome::Chosen, "the question supposes it"));
    let assignment = Assignment { method: crate::domain::experience::AssignmentMethod::Direct, role: None, rank: None };
    Selection { profile: profile.clone(), assignment }
}

/// Returns the id of the decision: equal for equal inputs, configuration and components, whatever the explain level.
fn decision_id(
    snapshot: &Snapshot,
    subject: &Subject,
    app: &Name<App>,
    session: Option<&SessionInput>,
    rules: &dyn ToolRules,
) -> String {
    let direct: Vec<&str> = subject.direct.iter().map(Name::as_str).collect();
    let supposed = subject.hypothetical_profile.as_ref().map(Name::as_str);
    let inputs = serde_json::json!([
        snapshot.revision(),
        rules.fingerprint(),
        subject.login,
        subject.user,
        direct,
        supposed,
        app,
        session
    ]);
    let digest: [u8; 32] = Sha256::digest(inputs.to_string()).into();
    hexadecimal(&digest[..16])
}

#[cfg(test)]
mod tests;
