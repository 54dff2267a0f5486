//! The served OpenAPI document is the contract: nothing is missing from it, and everything in it is guarded.

use std::collections::BTreeSet;

use loadout::domain::access::{AccessRole, Privilege};
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

const COLLECTIONS: &str = "profiles session-templates application-tab-templates notification-templates scripts macros \
     smart-assist-configurations pane-tools channel-providers workstreams queues security-roles apps users";

const OTHERS: &[&str] = &[
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /api/v1/profiles/{}/users",
    "POST /api/v1/profiles/{}/users",
    "PUT /api/v1/profiles/{}/users/{}",
    "DELETE /api/v1/profiles/{}/users/{}",
    "GET /api/v1/profiles/{}/rank-and-roles",
    "PUT /api/v1/profiles/{}/rank-and-roles",
    "DELETE /api/v1/profiles/{}/rank-and-roles",
    "GET /api/v1/default-profile",
    "PUT /api/v1/default-profile",
    "DELETE /api/v1/default-profile",
    "POST /api/v1/profiles/{}/copy",
    "GET /api/v1/environment",
    "PUT /api/v1/environment",
    "GET /api/v1/users/{}/experience",
    "POST /api/v1/experience",
    "POST /api/v1/imports",
    "GET /api/v1/export",
    "GET /api/v1/plugins",
    "POST /api/v1/plugins",
    "GET /api/v1/plugins/{}/{}",
    "DELETE /api/v1/plugins/{}/{}",
    "POST /api/v1/plugins/{}/{}/activate",
    "POST /api/v1/plugins/{}/{}/rollback",
    "PUT /api/v1/plugins/{}/{}/state",
    "GET /api/v1/plugins/{}/{}/versions/{}",
    "DELETE /api/v1/plugins/{}/{}/versions/{}",
    "GET /api/v1/plugins/{}/{}/versions/{}/grant",
    "PUT /api/v1/plugins/{}/{}/versions/{}/grant",
    "DELETE /api/v1/plugins/{}/{}/versions/{}/grant",
    "PUT /api/v1/plugins/{}/{}/tools/{}",
    "PUT /api/v1/plugins/{}/{}/steps/{}",
    "PUT /api/v1/plugins/{}/{}/recording",
    "DELETE /api/v1/plugins/{}/{}/recording",
    "DELETE /api/v1/plugins/{}/{}/recordings",
    "GET /api/v1/recordings",
    "GET /api/v1/recordings/{}",
    "DELETE /api/v1/recordings/{}",
    "POST /api/v1/recordings/{}/replay",
    "POST /api/v1/plugins/{}/{}/comparison",
    "PUT /api/v1/plugins/{}/{}/promotion",
    "PUT /api/v1/plugins/{}/{}/rollout",
    "GET /api/v1/plugins/{}/{}/rollout",
    "DELETE /api/v1/plugins/{}/{}/rollout",
    "GET /api/v1/steps",
    "GET /api/v1/outbox",
    "POST /api/v1/outbox/{}/retry",
    "DELETE /api/v1/outbox",
    "DELETE /api/v1/outbox/{}",
    "GET /api/v1/plugins/{}/{}/statistics",
    "GET /api/v1/plugins/{}/{}/bundle",
    "GET /api/v1/plugin-bundle",
    "POST /api/v1/plugin-bundle",
    "GET /api/v1/trusted-publishers",
    "GET /api/v1/trusted-publishers/{}",
    "PUT /api/v1/trusted-publishers/{}",
    "DELETE /api/v1/trusted-publishers/{}",
    "GET /api/v1/connectors",
    "GET /api/v1/connectors/{}",
    "PUT /api/v1/connectors/{}",
    "DELETE /api/v1/connectors/{}",
    "GET /api/v1/secrets",
    "PUT /api/v1/secrets/{}",
    "DELETE /api/v1/secrets/{}",
    "GET /api/v1/revisions",
    "GET /api/v1/traces",
    "GET /api/v1/traces/{}",
    "POST /api/v1/upgrade-plans",
    "GET /api/v1/upgrade-plans/{}",
    "GET /api/v1/upgrades",
    "POST /api/v1/upgrades",
    "POST /api/v1/upgrades/baseline",
    "GET /api/v1/upgrades/{}",
    "GET /api/v1/upgrades/{}/rows",
    "GET /api/v1/upgrades/{}/events",
    "POST /api/v1/upgrades/{}/resume",
    "POST /api/v1/upgrades/{}/abandon",
    "POST /api/v1/upgrades/{}/rollback",
    "GET /api/v1/me",
    "GET /api/v1/access-roles",
    "GET /api/v1/tokens",
    "POST /api/v1/tokens",
    "GET /api/v1/tokens/{}",
    "DELETE /api/v1/tokens/{}",
    "POST /api/v1/tokens/{}/rotate",
    "GET /api/v1/audit",
];

fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, _)| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

/// A path with its parameters made equal: their names are the document's own affair.
fn nameless(path: &str) -> String {
    path.split('/').map(|step| if step.starts_with('{') { "{}" } else { step }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_of_the_contract_is_described() -> Done {
    let host = TestHost::start().await?;
    let document = Reply::to(host.anonymous(Method::GET, "/openapi.json")).await?.json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    let described: BTreeSet<String> =
        operations(&document).iter().map(|(method, path)| format!("{method} {}", nameless(path))).collect();
    let mut wanted: BTreeSet<String> = OTHERS.iter().map(ToString::to_string).collect();
    for collection in COLLECTIONS.split_whitespace() {
        wanted.insert(format!("GET /api/v1/{collection}"));
        wanted.extend(["GET", "PUT", "PATCH", "DELETE"].map(|method| format!("{method} /api/v1/{collection}/{{}}")));
    }
    let missing: Vec<_> = wanted.difference(&described).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
    Ok(())
}

#[tokio::test]
async fn every_operation_under_api_asks_for_the_token() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let guarded: Vec<_> = operations(&document).into_iter().filter(|(_, path)| path.starts_with("/api/")).collect();
    assert!(guarded.len() > 90, "only {} operations", guarded.len());
    for (method, path) in guarded {
        let address = path.replace(['{', '}'], "");
        let reply = Reply::to(host.anonymous(Method::from_bytes(method.as_bytes())?, &address)).await?;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (401, Some("unauthorized")), "{method} {path}");
    }
    Ok(())
}

#[tokio::test]
async fn every_operation_that_is_described_is_served() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    for (method, path) in operations(&document) {
        let request = host.request(Method::from_bytes(method.as_bytes())?, &path.replace(['{', '}'], ""));
        let reply = Reply::to(request).await?;
        assert_ne!(reply.status, 405, "{method} {path}");
        assert!(!reply.text.contains("there is nothing at this address"), "{method} {path}: {reply}");
    }
    Ok(())
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() -> Done {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let dangling: Vec<_> =
        found.into_iter().filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none()).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
    let profile = &document["components"]["schemas"]["Profile"];
    for attribute in ["uniqueName", "productivityPane", "meta"] {
        assert!(profile["properties"][attribute].is_object(), "`{attribute}` is not described");
    }
    Ok(())
}

/// Visits every schema of the document with the place where it is.
fn schemas<'a>(value: &'a Value, place: &str, visit: &mut dyn FnMut(&str, &'a Value)) {
    if value.is_object() {
        visit(place, value);
    }
    let members = value.as_object().into_iter().flatten();
    for (key, member) in members.filter(|(key, _)| !["default", "const", "enum", "example"].contains(&key.as_str())) {
        schemas(member, &format!("{place}/{key}"), visit);
    }
    for (place_in, member) in value.as_array().into_iter().flatten().enumerate() {
        schemas(member, &format!("{place}/{place_in}"), visit);
    }
}

/// Whether `value` suits `schema`, which may refer to what `document` names.
fn suits(document: &Value, schema: &Value, value: &Value) -> Result<bool, Failure> {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    Ok(jsonschema::validator_for(&whole)?.is_valid(value))
}

#[tokio::test]
async fn every_object_and_every_choice_has_a_name() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let named = |place: &str| place.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'));
    let mut nameless = Vec::new();
    schemas(&document, "", &mut |place, schema| {
        let is_object = schema["type"] == "object" && schema["properties"].as_object().is_some_and(|it| !it.is_empty());
        let is_choice = schema["enum"].is_array() || schema["allOf"].is_array();
        if (is_object || is_choice) && !named(place) {
            nameless.push(place.to_owned());
        }
    });
    assert!(nameless.is_empty(), "{nameless:#?}");
    Ok(())
}

#[tokio::test]
async fn words_are_spelt_as_they_are_sent() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    assert_eq!(words("Privilege"), json!(Privilege::ALL));
    assert_eq!(words("AccessRole"), json!(AccessRole::ALL));
    let mut odd = Vec::new();
    schemas(&document["components"]["schemas"], "", &mut |place, schema| {
        let words =
            schema["enum"].as_array().into_iter().flatten().chain(schema.get("const")).filter_map(Value::as_str);
        odd.extend(words.filter(|word| word.starts_with(char::is_uppercase)).map(|word| format!("{place}: {word}")));
    });
    assert!(odd.is_empty(), "no word on the wire is spelt as Rust has it: {odd:?}");
    Ok(())
}

#[tokio::test]
async fn every_default_suits_its_schema_and_every_number_is_bounded() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let (mut all, mut unbounded) = (Vec::new(), Vec::new());
    schemas(&document, "", &mut |place, schema| {
        if let Some(default) = schema.get("default").filter(|_| !place.ends_with("/properties")) {
            all.push((place.to_owned(), schema, default));
        }
        if schema["type"] == "integer" && !(schema["minimum"].is_i64() && schema["maximum"].is_i64()) {
            unbounded.push(place.to_owned());
        }
    });
    assert!(all.len() > 20, "only {} defaults", all.len());
    for (place, schema, default) in all {
        assert!(suits(&document, schema, default)?, "{place}: {default} does not suit {schema}");
    }
    assert!(unbounded.is_empty(), "{unbounded:?}");
    Ok(())
}

#[tokio::test]
async fn every_operation_lists_its_answers_and_bounds_its_address() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    for (method, path) in operations(&document).into_iter().filter(|(_, path)| path.starts_with("/api/")) {
        let operation = &document["paths"][&path][method.to_lowercase()];
        for status in ["400", "401", "403", "409", "500", "503"] {
            assert!(operation["responses"][status]["$ref"].is_string(), "{method} {path} says nothing of {status}");
        }
        assert!(operation["responses"]["default"].is_null(), "{method} {path} says that anything may be answered");
        if operation["requestBody"].is_object() {
            let statuses = ["408", "413", "415", "422"];
            assert!(statuses.iter().all(|it| operation["responses"][it].is_object()), "{method} {path} takes a body");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "path") {
            let schema = &parameter["schema"];
            let is_bounded =
                schema["pattern"].is_string() || schema["maximum"].is_i64() || schema["maxLength"].is_i64();
            assert!(is_bounded, "{method} {path}: {parameter}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_suits_the_document_is_refused_as_a_conflict_and_what_does_not_is_not() -> Done {
    let host = TestHost::with_sample().await?;
    for (path, body, expected) in [
        ("/api/v1/queues/desk", json!({"name": ""}), 422),
        ("/api/v1/queues/desk", json!({"name": " \u{2003}"}), 422),
        ("/api/v1/queues/desk", json!({"name": {"default": "Desk", "labels": {"0": "x"}}}), 422),
        ("/api/v1/queues/desk", json!({"name": "Desk", "uniqueName": "other"}), 409),
        ("/api/v1/apps/new_app", json!({"name": ""}), 422),
        ("/api/v1/security-roles/nobody", json!({"name": "\t"}), 422),
        ("/api/v1/users/new", json!({"displayName": "", "language": 1033}), 422),
        ("/api/v1/users/new", json!({"displayName": "New", "language": 0}), 422),
        ("/api/v1/users/new", json!({"displayName": "New", "language": 65_536}), 422),
        ("/api/v1/users/new", json!({"displayName": "New", "roles": ["nobody-has-this"]}), 409),
        ("/api/v1/environment", json!({"sessionsMax": 1}), 422),
        ("/api/v1/environment", json!({"queries": ["erp"]}), 422),
        ("/api/v1/queues/desk", json!({"name": "Desk", "hours": []}), 422),
        ("/api/v1/profiles/new_lists", json!({"name": "Lists", "productivityPane": []}), 422),
        ("/api/v1/profiles/new_lists", json!({"name": "Lists", "productivityPane": {"tools": [["scripts"]]}}), 422),
        ("/api/v1/profiles/new_lists", json!(["Lists"]), 422),
        ("/api/v1/environment", json!({"baseLanguage": 0}), 422),
        ("/api/v1/environment", json!({"meta": {"revision": u64::MAX}}), 422),
    ] {
        let refused = host.put(path, body.clone()).await?;
        assert_eq!(refused.status, expected, "{path} {body}: {refused}");
    }
    for path in [
        "/api/v1/upgrades/9223372036854775808",
        "/api/v1/upgrades/18446744073709551615/events",
        "/api/v1/outbox?after=9223372036854775808",
        "/api/v1/audit?before=18446744073709551615",
        "/api/v1/revisions?before=9223372036854775808",
        "/api/v1/traces?slowerThan=9223372036854775808",
        "/api/v1/users/kayla/experience?app=omnichannel&asOf=9223372036854775808",
    ] {
        let refused = host.get(path).await?;
        assert!(matches!(refused.status, 400 | 404), "{path}: {refused}");
    }
    let slow = host.get("/api/v1/traces?slowerThan=9223372036854775807").await?;
    assert_eq!(slow.status, 200, "{slow}");
    Ok(())
}
