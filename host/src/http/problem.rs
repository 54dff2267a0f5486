//! Failures as clients see them: `application/problem+json` (RFC 9457).
//!
//! A handler returns a [`Refusal`]; the body is written at the rim, where the id of the request is known.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::access::{AccessRole, Privilege};
use crate::domain::excerpt::{PLACE_MAX, SENTENCE_MAX, excerpted};
use crate::domain::{self, Capabilities};
use crate::service::{Comparison, UnfitSettings};
use crate::store::{Links, MissingReference, Referrer};

/// Most attributes, and most references, that one problem lists.
const ERRORS_MAX: usize = 100;

/// A failure: its cause, and the next step.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDetails {
    /// Names the kind of problem; the same for the same `code`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// A stable code, such as `missing-reference`.
    #[schema(value_type = String)]
    code: &'static str,
    /// A sentence that names the value that was typed, what is wrong with it, and the next step.
    detail: String,
    /// The errors, attribute by attribute.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<domain::Problem>,
    /// The items that were named and do not exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    missing: Vec<MissingReference>,
    /// The items that refer to the item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    referrers: Vec<Referrer>,
    /// The number of referrers, if not all of them are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer_count: Option<u64>,
    /// The step that ended the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<StepDetails>,
    /// The recorded answers that the version would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    /// The settings that do not fit the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<UnfitSettings>,
    /// What an administrator has to decide about before the plugin can serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Capabilities>,
    /// The privilege that the caller does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    privilege: Option<Privilege>,
    /// The id of the request, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Seconds after which the request may be repeated, told by the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// The step of a plugin that ended a change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ProblemStep)]
pub struct StepDetails {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The step.
    pub step: String,
    /// The step's own code, if it rejects; what broke, if it broke.
    pub code: String,
}

/// Why there is no better answer. Small, since every handler carries the possibility of one.
#[derive(Debug, Clone)]
pub struct Refusal(Box<ProblemDetails>);

impl Refusal {
    /// A problem with a stable `code` and a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            kind: format!("urn:loadout:problem:{code}"),
            title: code.replace('-', " "),
            status: status.as_u16(),
            code,
            detail: excerpted(detail.into(), SENTENCE_MAX),
            errors: Vec::new(),
            missing: Vec::new(),
            referrers: Vec::new(),
            referrer_count: None,
            step: None,
            comparison: None,
            settings: None,
            needs: None,
            privilege: None,
            request_id: None,
            retry_after: None,
        }))
    }

    /// A query parameter that cannot be understood.
    pub fn query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-query", detail)
    }

    /// A well-formed body that makes no sense at `attribute`.
    pub fn request(attribute: &str, message: impl Into<String>) -> Self {
        let mut problems = domain::Problems::default();
        problems.refuse(attribute, message);
        let detail = problems.0.first().map_or_else(String::new, ToString::to_string);
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", detail).with_errors(problems.0)
    }

    /// A call that needs `privilege`, which the token called `token` does not have.
    pub fn forbidden(token: &str, privilege: Privilege) -> Self {
        let having = AccessRole::having(privilege);
        let detail = format!(
            "the token `{token}` lacks the privilege `{privilege}`: use one with the role {having}, or ask an administrator of tokens for it"
        );
        let mut refusal = Self::new(StatusCode::FORBIDDEN, "forbidden", detail);
        refusal.0.privilege = Some(privilege);
        refusal
    }

    /// Something broke that the client can do nothing about. The log says what, the answer does not.
    pub fn internal() -> Self {
        let detail = "something broke here: repeat the request, and look for its id in the log if it breaks again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The same, attribute by attribute: the first hundred, each quoting no more than a sentence has room for.
    pub fn with_errors(mut self, mut errors: Vec<domain::Problem>) -> Self {
        errors.truncate(ERRORS_MAX);
        for error in &mut errors {
            error.attribute = excerpted(std::mem::take(&mut error.attribute), PLACE_MAX);
            error.message = excerpted(std::mem::take(&mut error.message), SENTENCE_MAX);
        }
        self.0.errors = errors;
        self
    }

    /// The same with what was named and does not exist: the first hundred.
    pub fn with_missing(mut self, mut missing: Vec<MissingReference>) -> Self {
        missing.truncate(ERRORS_MAX);
        self.0.missing = missing;
        self
    }

    /// The same with what uses the thing.
    pub fn with_referrers(mut self, referrers: Vec<Referrer>) -> Self {
        self.0.referrers = referrers;
        self
    }

    /// The same with links to the thing, of which the first are listed.
    pub fn with_links(mut self, links: Links) -> Self {
        self.0.referrer_count = Some(links.count).filter(|count| *count > links.listed.len() as u64);
        self.with_referrers(links.listed)
    }

    /// The same with the step that ended the change.
    pub fn with_step(mut self, step: StepDetails) -> Self {
        self.0.step = Some(step);
        self
    }

    /// The same with another sentence.
    pub fn with_detail(mut self, detail: String) -> Self {
        self.0.detail = excerpted(detail, SENTENCE_MAX);
        self
    }

    /// The same with what a version would change.
    pub fn with_comparison(mut self, comparison: Comparison) -> Self {
        self.0.comparison = Some(comparison);
        self
    }

    /// The same with the settings that do not fit a version.
    pub fn with_settings(mut self, settings: UnfitSettings) -> Self {
        self.0.settings = Some(settings);
        self
    }

    /// The same with what an administrator has to decide about before the plugin can serve.
    pub fn with_needs(mut self, needs: Capabilities) -> Self {
        self.0.needs = Some(needs);
        self
    }

    /// The same with the advice to repeat the request after some seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Makes it a conflict: the request is as it should be, and a rule speaks against it.
    pub(super) fn conflicts(&mut self) {
        self.0.status = StatusCode::CONFLICT.as_u16();
    }

    /// The privilege that the caller does not have, if that is why.
    pub fn privilege(&self) -> Option<Privilege> {
        self.0.privilege
    }

    /// The sentence.
    #[cfg(test)]
    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// For answers that some layer below made without a word: what their status means here.
    fn of_status(status: StatusCode, may_have_written: bool) -> Option<Self> {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => {
                ("not-found", "there is nothing at this address: `/openapi.json` lists what there is")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "this address does not take that method: the header `Allow` lists those it takes",
            ),
            StatusCode::SERVICE_UNAVAILABLE if may_have_written => (
                "timeout",
                "the request took too long to wait for, and may still be carried out: read what it would change before you repeat it",
            ),
            StatusCode::SERVICE_UNAVAILABLE => {
                ("timeout", "the request took too long and was given up: repeat it, or ask for less")
            }
            status if status.is_server_error() => return Some(Self::internal()),
            status if status.is_client_error() => {
                ("bad-request", "the request cannot be understood: check its address and headers")
            }
            _ => return None,
        };
        Some(Self::new(status, code, detail))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of every failure, under the id of its request.
pub(super) fn render(mut response: Response, request_id: &str, may_have_written: bool) -> Response {
    let said = response.extensions_mut().remove::<Refusal>();
    let Some(Refusal(mut problem)) = said.or_else(|| Refusal::of_status(response.status(), may_have_written)) else {
        return response;
    };
    problem.request_id = Some(request_id.to_owned());
    // Plain data with text keys always has a JSON form; an empty body is better than none at all.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = problem.retry_after {
        parts.headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Response::from_parts(parts, Body::from(body))
}
