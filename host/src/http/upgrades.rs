//! Upgrades of old environments: plans them, carries them out in the background, shows their progress and undoes them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::revision::Author;
use crate::domain::{Name, User};
use crate::service::{PlanOptions, Service, UpgradeStatus};
use crate::store::journal::{Accounted, Outcome};
use crate::store::{Lease, Run, RunState};
use crate::upgrade::{Changed, Plan};

use super::body::number::Number;
use super::body::{ArchiveTurn, Package, Typed};
use super::capacity::asked::Asked;
use super::etag::Unconditional;
use super::page::{self, Filling};
use super::problem::Refusal;
use super::query::{By, Nothing, Query};
use super::state::App;

/// The pause between two events to a caller that watches an upgrade.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plan))
        .routes(routes!(read_plan))
        .routes(routes!(list, apply))
        .routes(routes!(baseline))
        .routes(routes!(read))
        .routes(routes!(rows))
        .routes(routes!(events))
        .routes(routes!(resume))
        .routes(routes!(abandon))
        .routes(routes!(roll_back))
}

/// The options of a plan.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlanQuery {
    /// The name of the old environment; `upgrade.zip` without it.
    name: Option<String>,
    /// The prefix of names that have none, 3 to 8 letters or digits.
    prefix: Option<String>,
    /// How the plan treats steps that changed since they were carried out.
    #[param(inline)]
    changed: Option<Changed>,
    /// The login of a person whose experience the plan shows before and after.
    user: Option<String>,
    /// In this app; without `user`, the experience of a person without roles.
    app: Option<String>,
}

impl PlanQuery {
    fn options(self) -> Result<(String, PlanOptions), Refusal> {
        let Self { name, prefix, changed, user, app } = self;
        let fits = |prefix: &str| (3..=8).contains(&prefix.len()) && prefix.chars().all(|c| c.is_ascii_alphanumeric());
        if let Some(prefix) = prefix.as_deref().filter(|prefix| !fits(prefix)) {
            let detail = format!("`prefix` is `{prefix}`: use 3 to 8 letters or digits, such as `contoso`");
            return Err(Refusal::query(detail));
        }
        let people = match (user, app) {
            (None, None) => Vec::new(),
            (Some(_), None) => {
                let detail = "`user` is given and `app` is not: name the app, too";
                return Err(Refusal::new(StatusCode::CONFLICT, "invalid-query", detail));
            }
            (user, Some(app)) => {
                let login = user.map(|login| login.parse::<Name<User>>()).transpose()?;
                vec![(login, app)]
            }
        };
        Ok((name.unwrap_or_else(|| "upgrade.zip".to_owned()), PlanOptions { prefix, changed, people }))
    }
}

/// Plans the upgrade from an old environment: what it would do, row by row and attribute by attribute. Nothing is
/// written.
#[utoipa::path(
    post, path = "/api/v1/upgrade-plans", operation_id = "plan-upgrade", tag = "upgrades", params(PlanQuery),
    request_body(content = String, content_type = "application/zip", description = "The zip file that the Configuration Migration tool, the export of a solution, or `loadout export` made, at most 64 MiB."),
    responses((status = 201, description = "The plan.", body = Plan)),
)]
async fn plan(
    State(app): State<App>,
    Query(query): Query<PlanQuery>,
    _: Unconditional,
    _: ArchiveTurn,
    Package(zip): Package,
) -> Result<Response, Refusal> {
    let (name, options) = query.options()?;
    let plan = app.run_long(move |service| Ok(service.plan_upload(&zip, &name, &options)?)).await?;
    let location = format!("/api/v1/upgrade-plans/{}", plan.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(plan)).into_response())
}

/// Returns a plan.
#[utoipa::path(
    get, path = "/api/v1/upgrade-plans/{plan}", operation_id = "read-upgrade-plan", tag = "upgrades",
    params(("plan" = String, Path, description = "The id of the plan.")),
    responses((status = 200, description = "The plan.", body = Plan)),
)]
async fn read_plan(
    State(app): State<App>,
    extract::Path(plan): extract::Path<String>,
    _: Query<Nothing>,
) -> Result<Json<Plan>, Refusal> {
    Ok(Json(app.run(move |service| Ok(service.upgrade_plan(&plan)?)).await?))
}

/// Every upgrade.
#[derive(Debug, Serialize, ToSchema)]
struct UpgradeList {
    /// The newest first.
    items: Vec<Run>,
}

/// Lists all upgrades, the newest first.
#[utoipa::path(
    get, path = "/api/v1/upgrades", operation_id = "list-upgrades", tag = "upgrades",
    responses((status = 200, description = "Every upgrade.", body = UpgradeList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<UpgradeList>, Refusal> {
    Ok(Json(UpgradeList { items: app.run(|service| Ok(service.upgrades()?)).await? }))
}

/// Which plan to carry out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Application {
    /// The id of the plan.
    plan: String,
}

/// Begins to carry out a plan, which serves once. The upgrade goes on in the background; watch it at its own address.
#[utoipa::path(
    post, path = "/api/v1/upgrades", operation_id = "apply-upgrade", tag = "upgrades", request_body = Application,
    responses((status = 202, description = "The upgrade has begun.", body = UpgradeStatus)),
)]
async fn apply(
    State(app): State<App>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
    Typed(wanted): Typed<Application>,
) -> Result<Response, Refusal> {
    carry(&app, move |service| Ok(service.begin_upgrade(&wanted.plan, &author.who)?)).await
}

/// Carries on an upgrade that was interrupted.
#[utoipa::path(
    post, path = "/api/v1/upgrades/{run}/resume", operation_id = "resume-upgrade", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade.")),
    responses((status = 202, description = "The upgrade goes on.", body = UpgradeStatus)),
)]
async fn resume(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Response, Refusal> {
    carry(&app, move |service| Ok(service.take_upgrade(Some(run), &author)?)).await
}

/// Takes an upgrade up, lets it go on in the background, and says where to watch it. All of that is one piece of work,
/// so that a caller who goes away meanwhile leaves no upgrade behind that is taken up and does not go on.
async fn carry(
    app: &App,
    take_up: impl FnOnce(&Service) -> Result<Lease, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let carrier = Arc::clone(&app.service);
    let carried = app.run(move |service| {
        let lease = take_up(service)?;
        let run = lease.run;
        // No caller waits for the end; what came of it is in the record of the run.
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = carrier.carry_upgrade(&lease, &|_| Ok(())) {
                tracing::error!(run = lease.run, error = super::error::chain(&error), "an upgrade did not go on");
            }
        }));
        Ok((run, service.upgrade(run)?))
    });
    let (run, status) = carried.await?;
    let location = format!("/api/v1/upgrades/{run}");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(status)).into_response())
}

/// Returns the progress of an upgrade, or its result.
#[utoipa::path(
    get, path = "/api/v1/upgrades/{run}", operation_id = "read-upgrade", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade.")),
    responses((status = 200, description = "The upgrade.", body = UpgradeStatus)),
)]
async fn read(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    _: Query<Nothing>,
) -> Result<Json<UpgradeStatus>, Refusal> {
    Ok(Json(app.run(move |service| Ok(service.upgrade(run)?)).await?))
}

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowsQuery {
    /// The outcome of the rows that are listed: `migrated`, `merged`, `already-there`, `quarantined` or `kept`.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Rows on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The position after which the page begins.
    #[param(value_type = Option<u64>)]
    after: Option<Number>,
}

/// One page of rows.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct RowPage {
    items: Vec<Accounted>,
    next: Option<String>,
}

/// Lists the rows an upgrade read, in that order, with the outcome of each.
#[utoipa::path(
    get, path = "/api/v1/upgrades/{run}/rows", operation_id = "list-upgrade-rows", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade."), RowsQuery),
    responses((status = 200, description = "One page.", body = RowPage)),
)]
async fn rows(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    Query(query): Query<RowsQuery>,
) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let outcome = query.outcome;
    let found = app
        .run(move |service| {
            Ok(service.upgrade_rows(run, outcome, query.after.map_or(0, |Number(after)| after), limit + 1)?)
        })
        .await?;
    let mut page = Filling::new(limit);
    let fitting = found.iter().take_while(|row| page.add(&serde_json::json!(row))).count();
    let next = found[..fitting].last().filter(|_| fitting < found.len()).map(|last| {
        let (size, after) = (query.limit.map(|limit| limit.to_string()), last.ordinal.to_string());
        let query =
            [("outcome", outcome.map(Outcome::as_str)), ("limit", size.as_deref()), ("after", Some(after.as_str()))];
        page::next(&format!("/api/v1/upgrades/{run}/rows"), &query)
    });
    Ok(page.finish(next.as_deref()))
}

/// One of the events of an upgrade.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the events in the OpenAPI document")]
struct UpgradeEvent {
    /// What happened.
    event: UpgradeEventName,
    /// The state of the upgrade, as JSON with `state`, `progress`, `rows` and `failure`.
    data: String,
}

/// What happened to an upgrade.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes the events in the OpenAPI document")]
enum UpgradeEventName {
    /// The upgrade made progress.
    Progress,
    /// The upgrade ended.
    Done,
}

/// Tells of an upgrade as it goes on: an event `progress` whenever it got further, and an event `done` when it ended.
#[utoipa::path(
    get, path = "/api/v1/upgrades/{run}/events", operation_id = "watch-upgrade", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade.")),
    responses((status = 200, description = "Server-sent events whose data is the upgrade's state as JSON.", content_type = "text/event-stream", body = UpgradeEvent)),
)]
async fn events(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    _: Query<Nothing>,
) -> Result<Response, Refusal> {
    app.run(move |service| Ok(service.upgrade(run)?)).await?;
    // The answer goes on after its handler, and still for the same caller.
    let watch = (app, Asked::now(), None::<String>, false);
    let told = stream::unfold(watch, move |(app, asked, mut last, ended)| async move {
        if ended || app.service.is_stopping() {
            return None;
        }
        loop {
            // A server that cannot read its own store has said so in its log; the caller that watches asks again.
            let status = app.run(move |service| Ok(service.upgrade(run)?));
            let status = asked.clone().while_doing(status).await.ok()?;
            let is_done = status.run.state != RunState::Unfinished;
            let data = serde_json::json!({ "state": status.run.state, "progress": status.progress, "rows": status.rows, "failure": status.run.failure });
            let data = data.to_string();
            if is_done || last.as_ref() != Some(&data) {
                let event = Event::default().event(if is_done { "done" } else { "progress" }).data(&data);
                last = Some(data);
                return Some((Ok::<Event, Infallible>(event), (app, asked, last, is_done)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    let no_cache = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((no_cache, Sse::new(told).keep_alive(KeepAlive::default())).into_response())
}

/// Drops an upgrade that is not finished. Nothing of it was visible, and nothing of it will be.
#[utoipa::path(
    post, path = "/api/v1/upgrades/{run}/abandon", operation_id = "abandon-upgrade", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade.")),
    responses((status = 200, description = "The upgrade.", body = UpgradeStatus)),
)]
async fn abandon(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Json<UpgradeStatus>, Refusal> {
    let abandoned = app.run(move |service| {
        service.abandon_upgrade(run, &author)?;
        Ok(service.upgrade(run)?)
    });
    Ok(Json(abandoned.await?))
}

/// Undoes an upgrade that was applied, as one revision. Refused where something later depends on it.
#[utoipa::path(
    post, path = "/api/v1/upgrades/{run}/rollback", operation_id = "roll-back-upgrade", tag = "upgrades",
    params(("run" = u64, Path, description = "The number of the upgrade.")),
    responses((status = 200, description = "The upgrade.", body = UpgradeStatus)),
)]
async fn roll_back(
    State(app): State<App>,
    extract::Path(Number(run)): extract::Path<Number>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Json<UpgradeStatus>, Refusal> {
    let undone = app.run_long(move |service| {
        let why = if author.why.is_empty() { format!("roll-back of upgrade {run}") } else { author.why };
        service.roll_back_upgrade(run, &Author::new(author.who, why))?;
        Ok(service.upgrade(run)?)
    });
    Ok(Json(undone.await?))
}

/// Which steps are done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Declared {
    /// The steps, as `publisher/name`; all of them if there is none.
    #[serde(default)]
    steps: Vec<String>,
}

/// Declares steps to be done without carrying them out, for an environment that has what they would bring.
#[utoipa::path(
    post, path = "/api/v1/upgrades/baseline", operation_id = "declare-upgrade-baseline", tag = "upgrades",
    request_body = Declared,
    responses((status = 201, description = "The record of it.", body = Run)),
)]
async fn baseline(
    State(app): State<App>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
    Typed(declared): Typed<Declared>,
) -> Result<Response, Refusal> {
    let run = app.run_long(move |service| Ok(service.baseline(&declared.steps, &author.who)?)).await?;
    let location = format!("/api/v1/upgrades/{}", run.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(run)).into_response())
}
