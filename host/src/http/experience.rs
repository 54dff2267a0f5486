//! Experiences: answers which experience a person gets, and why.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege};
use crate::domain::experience::{Experience, ExplainLevel};
use crate::domain::{Kind, Language, Name, Named, Profile, Revision, SecurityRole, Text, User, user, wording};
use crate::resolve::SessionInput;
use crate::service::{Question, Service, Who};
use crate::store::{Error, MissingReference, Snapshot};

use super::body::number::Number;
use super::body::{QUESTION_MAX, Typed};
use super::privileges::also;
use super::problem::Refusal;
use super::query::{For, Nothing, Query};
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_user)).routes(routes!(of_anybody))
}

/// The app of the question, and the depth of the explanation.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExperienceQuery {
    /// The app that asks.
    app: String,
    /// The depth to which the answer explains itself.
    #[serde(default)]
    #[param(inline, required = false)]
    explain: ExplainLevel,
    /// The revision to answer from; the newest without it. Needs `history.read`, because an older revision shows items
    /// that were removed since.
    #[param(value_type = Option<u64>)]
    as_of: Option<Number>,
}

/// A question about the experience of a person: one that exists (`user`), or a hypothetical one (`roles`, `licences`,
/// `language`).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExperienceRequest {
    /// The login of a person that exists.
    user: Option<Name<User>>,
    /// The roles of a hypothetical person.
    roles: Option<BTreeSet<Name<SecurityRole>>>,
    /// The licences of a hypothetical person.
    licences: Option<BTreeSet<Text<100>>>,
    /// The language of a hypothetical person's screen.
    language: Option<Language>,
    /// "What if it were this profile".
    profile: Option<Name<Profile>>,
    /// The app that asks.
    app: String,
    /// The session that starts; nothing for Home.
    session: Option<SessionInput>,
    /// The depth to which the answer explains itself.
    #[serde(default)]
    #[schema(required = false)]
    explain: ExplainLevel,
    /// The revision to answer from; the newest without it. Needs `history.read`, because an older revision shows items
    /// that were removed since.
    as_of: Option<Revision>,
}

/// Returns the experience that a person gets outside of any session.
#[utoipa::path(
    get, path = "/api/v1/users/{login}/experience", operation_id = "get-experience", tag = "experience",
    params(("login" = String, Path, description = "The login of the person."), ExperienceQuery),
    responses((status = 200, description = "The experience of the person.", body = Experience)),
)]
async fn of_user(
    State(app): State<App>,
    For(asker): For,
    Extension(caller): Extension<Caller>,
    Path(login): Path<String>,
    Query(query): Query<ExperienceQuery>,
) -> Result<axum::Json<Experience>, Refusal> {
    also(&caller, query.as_of.is_some(), Privilege::HistoryRead)?;
    let question = Question {
        who: Who::Login(login.parse()?),
        profile: None,
        app: query.app,
        session: None,
        explain: query.explain,
        as_of: query.as_of.map(|Number(revision)| Revision(revision)),
    };
    Ok(axum::Json(app.run(move |service| Ok(service.experience_for(&asker, &question)?)).await?))
}

/// Returns the experience that a person gets, or would get, when a session starts.
#[utoipa::path(
    post, path = "/api/v1/experience", operation_id = "ask-experience", tag = "experience", request_body = ExperienceRequest,
    responses((status = 200, description = "The experience of the person.", body = Experience)),
)]
async fn of_anybody(
    State(app): State<App>,
    For(asker): For,
    Extension(caller): Extension<Caller>,
    _: Query<Nothing>,
    Typed(request): Typed<ExperienceRequest, QUESTION_MAX>,
) -> Result<axum::Json<Experience>, Refusal> {
    also(&caller, request.as_of.is_some(), Privilege::HistoryRead)?;
    let experience = app.run(move |service| Ok(service.experience_for(&asker, &request.question(service)?)?));
    Ok(axum::Json(experience.await?))
}

impl ExperienceRequest {
    fn question(self, service: &Service) -> Result<Question, Refusal> {
        let snapshot = match self.as_of {
            Some(revision) => service.store().past_snapshot(revision)?,
            None => service.store().snapshot()?,
        };
        if let Some(profile) = &self.profile {
            canonical(&snapshot, profile, "profile")?;
        }
        if let Some(language) = self.language.filter(|language| !wording::is_language(*language)) {
            let message = format!("`{language}` is no language: use a number of 1 to 65535, such as 1033");
            return Err(Refusal::request("language", message));
        }
        let who = match self.user {
            Some(login) => {
                let hypothetical = [
                    ("roles", self.roles.is_some()),
                    ("licences", self.licences.is_some()),
                    ("language", self.language.is_some()),
                ];
                if let Some((attribute, _)) = hypothetical.into_iter().find(|(_, given)| *given) {
                    let message = "belongs to a hypothetical person: leave it out, or leave `user` out";
                    return Err(Refusal::request(attribute, message));
                }
                Who::Login(login)
            }
            None => Who::Hypothetical(User {
                display_name: hypothetical_name()?,
                roles: self
                    .roles
                    .unwrap_or_default()
                    .iter()
                    .map(|role| canonical(&snapshot, role, "roles"))
                    .collect::<Result<_, _>>()?,
                licences: self.licences.unwrap_or_default(),
                language: self.language.unwrap_or(user::ENGLISH),
            }),
        };
        let Self { profile, app, session, explain, as_of, .. } = self;
        Ok(Question { who, profile, app, session, explain, as_of })
    }
}

fn hypothetical_name() -> Result<Text<200>, Refusal> {
    Text::new("somebody").map_err(|error| Refusal::request("user", error.to_string()))
}

/// The item that `typed` names, as the library spells it.
fn canonical<T: Named>(snapshot: &Snapshot, typed: &Name<T>, attribute: &str) -> Result<Name<T>, Refusal> {
    let kind: Kind = T::KIND;
    let Some(name) = snapshot.canonical(kind, typed.as_str()) else {
        let missing = MissingReference {
            collection: "experience".to_owned(),
            name: "the question".to_owned(),
            attribute: attribute.to_owned(),
            wanted_in: kind.collection().to_owned(),
            wanted: typed.to_string(),
        };
        return Err(Error::MissingReferences(vec![missing]).into());
    };
    Ok(name.parse()?)
}
