//! Holds refusals against the published document. A 422 says that a request does not match the published schema; a 409
//! says that it does, and breaks a rule that no schema can express.
//!
//! A handler does not know the published schema. So each 422 about JSON is checked here: if the request matches its
//! schema, the answer becomes a 409. Requests that were not refused are not checked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use jsonschema::{PatternOptions, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::problem::Refusal;
use crate::http::state::App;

/// The text of the body that a handler was given, if it was JSON.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Sent(Arc<OnceLock<Bytes>>);

impl Sent {
    /// Keeps `text` until the request is answered.
    pub(in crate::http) fn keep(&self, text: &Bytes) {
        // A request has one body.
        let _ = self.0.set(text.clone());
    }
}

/// The published document, to hold requests against.
#[derive(Debug)]
pub(in crate::http) struct Contract {
    document: Value,
    schemas: Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

/// Turns refusals of requests that suit the document into conflicts.
pub(in crate::http) async fn hold(
    State((app, contract)): State<(App, Arc<Contract>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let sent = Sent::default();
    request.extensions_mut().insert(sent.clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let Some(route) = route.filter(|_| response.status() == StatusCode::UNPROCESSABLE_ENTITY) else { return response };
    let suits = app.run_body(move || {
        let (method, query) = (method.as_str().to_ascii_lowercase(), uri.query().unwrap_or_default());
        let asked = Asked { method: &method, route: route.as_str(), path: uri.path(), query };
        Ok(contract.suits(&asked, sent.0.get().map(AsRef::as_ref)))
    });
    // Where there is no room to look, the refusal stays as it is.
    if suits.await.unwrap_or(false)
        && let Some(refusal) = response.extensions_mut().get_mut::<Refusal>()
    {
        refusal.conflicts();
        *response.status_mut() = StatusCode::CONFLICT;
    }
    response
}

/// A call without its body.
struct Asked<'a> {
    method: &'a str,
    route: &'a str,
    path: &'a str,
    query: &'a str,
}

impl Contract {
    /// Holds requests against `document`.
    pub(in crate::http) fn new(document: Value) -> Self {
        Self { document, schemas: Mutex::default() }
    }

    /// Whether a call suits what is published for it. A body that is no JSON never does: no schema says what is in it.
    fn suits(&self, asked: &Asked<'_>, body: Option<&[u8]>) -> bool {
        let Some(operation) = self.document["paths"].get(asked.route).and_then(|item| item.get(asked.method)) else {
            return false;
        };
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        parameters.iter().all(|parameter| self.suits_parameter(asked, parameter))
            && self.suits_body(asked, operation.get("requestBody"), body)
    }

    fn suits_parameter(&self, asked: &Asked<'_>, parameter: &Value) -> bool {
        let name = parameter["name"].as_str().unwrap_or_default();
        let values: Vec<String> = match parameter["in"].as_str() {
            Some("path") => {
                let steps = asked.route.split('/').zip(asked.path.split('/'));
                let is_named = |step: &str| step.strip_prefix('{').and_then(|it| it.strip_suffix('}')) == Some(name);
                let named = steps.filter(|(step, _)| is_named(step));
                named.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned()).collect()
            }
            Some("query") => {
                let pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
                let read = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
                pairs.filter(|(key, _)| read(key) == name).map(|(_, value)| read(value)).collect()
            }
            _ => return true,
        };
        let key = format!("{} {} {name}", asked.method, asked.route);
        let Some(validator) = self.validator(&key, &parameter["schema"]) else { return false };
        let is_valid = |text: &String| {
            // A number and a truth value are written as JSON has them.
            let read = serde_json::from_str(text).ok();
            validator.is_valid(&json!(text)) || read.is_some_and(|value: Value| validator.is_valid(&value))
        };
        values.iter().all(is_valid) || validator.is_valid(&json!(values))
    }

    fn suits_body(&self, asked: &Asked<'_>, published: Option<&Value>, body: Option<&[u8]>) -> bool {
        let Some(published) = published else { return true };
        let content = published["content"].as_object();
        let schema =
            content.into_iter().flatten().find(|(kind, _)| kind.ends_with("json")).map(|(_, it)| &it["schema"]);
        let (Some(schema), Some(body)) = (schema, body) else { return false };
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
        let key = format!("{} {}", asked.method, asked.route);
        self.validator(&key, schema).is_some_and(|validator| validator.is_valid(&value))
    }

    /// What checks `schema`, made once for each `key`.
    fn validator(&self, key: &str, schema: &Value) -> Option<Arc<Validator>> {
        let mut made = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(key) {
            return known.clone();
        }
        let schema = json!({"allOf": [schema], "components": {"schemas": self.document["components"]["schemas"]}});
        let options = jsonschema::options().should_validate_formats(true).with_pattern_options(PatternOptions::regex());
        let validator = options.build(&schema).inspect_err(|error| tracing::error!(key, %error, "a schema is broken"));
        let validator = validator.ok().map(Arc::new);
        made.insert(key.to_owned(), validator.clone());
        validator
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{openapi, routes};

    fn contract() -> Contract {
        Contract::new(openapi::finish(routes().split_for_parts().1))
    }

    #[test]
    fn what_is_published_can_be_held_against() {
        let contract = contract();
        for (path, item) in contract.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let content = operation["requestBody"]["content"].as_object().into_iter().flatten();
                let answers = operation["responses"].as_object().into_iter().flatten();
                let answers = answers.filter_map(|(_, answer)| answer.get("content")?.as_object()).flatten();
                let schemas = parameters.chain(content.map(|(_, it)| it)).chain(answers.map(|(_, it)| it));
                for (place, schema) in schemas.map(|it| &it["schema"]).enumerate() {
                    let key = format!("{method} {path} #{place}");
                    assert!(contract.validator(&key, schema).is_some(), "{key}: {schema}");
                }
            }
        }
    }

    #[test]
    fn what_suits_the_document_is_told_from_what_does_not() {
        let contract = contract();
        let suits = |method, path: &str, route, body: &str| {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            contract.suits(&Asked { method, route, path, query }, Some(body.as_bytes()))
        };
        let queue = "/api/v1/queues/{uniqueName}";
        for (path, body, expected) in [
            ("/api/v1/queues/desk", r#"{"name": "Desk"}"#, true),
            ("/api/v1/queues/desk", r#"{"name": "Desk", "uniqueName": "other"}"#, true),
            ("/api/v1/queues/desk", r#"{"name": "Desk", "meta": {"revision": 7}}"#, true),
            ("/api/v1/queues/desk", r#"{"name": "Desk", "colour": "red"}"#, false),
            ("/api/v1/queues/desk", r#"{"name": " "}"#, false),
            ("/api/v1/queues/desk", r#"{"name": 1}"#, false),
            ("/api/v1/queues/desk", "[1]", false),
            ("/api/v1/queues/%20", r#"{"name": "Desk"}"#, false),
        ] {
            assert_eq!(suits("put", path, queue, body), expected, "{path} {body}");
        }
        assert!(suits("patch", "/api/v1/queues/desk", queue, r#"{"private": null}"#));
        assert!(!suits("patch", "/api/v1/queues/desk", queue, r#"{"name": null}"#));
        assert!(!suits("post", "/api/v1/imports", "/api/v1/imports", "PK"), "what is in an archive is in no schema");
    }
}
