//! The served OpenAPI document is the contract: nothing is missing from it, and everything in it is guarded.

use std::collections::BTreeSet;

use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::Value;

type Done = Result<(), Failure>;

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
