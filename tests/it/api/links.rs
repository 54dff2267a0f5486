//! Operations that make something link to those that read, change and delete it, and the links can be followed.

use std::collections::BTreeSet;

use loadout::domain::Kind;
use loadout_tests::Done;
use loadout_tests::host::{Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_made_is_linked_to_what_reads_and_deletes_it() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    for collection in Kind::ALL.iter().filter(|kind| kind.is_collection()).map(|kind| kind.collection()) {
        let links =
            &document["paths"][format!("/api/v1/{collection}/{{uniqueName}}")]["put"]["responses"]["201"]["links"];
        for verb in ["get", "patch", "delete"] {
            let link = &links[format!("{verb}-{collection}")];
            assert_eq!(link["parameters"]["uniqueName"], "$request.path.uniqueName", "{collection}: {links}");
        }
    }
    Ok(())
}

/// Parts of an address, each with its place in an answer.
type Parts = [(&'static str, &'static str)];

/// What makes something whose name is in the answer: address, status, where each part of the new address is in the
/// answer, and some of the operations that are led to.
const MADE: &[(&str, &str, &Parts, &str)] = &[
    ("/api/v1/tokens", "201", &[("name", "/name")], "get-token revoke-token rotate-token"),
    (
        "/api/v1/plugins",
        "201",
        &[("publisher", "/publisher"), ("name", "/name")],
        "get-plugin delete-plugin activate-plugin roll-back-plugin switch-plugin begin-rollout watch-rollout",
    ),
    ("/api/v1/upgrade-plans", "201", &[("plan", "/id")], "read-upgrade-plan"),
    ("/api/v1/upgrades", "202", &[("run", "/id")], "read-upgrade list-upgrade-rows watch-upgrade abandon-upgrade"),
    ("/api/v1/upgrades/baseline", "201", &[("run", "/id")], "read-upgrade roll-back-upgrade"),
    (
        "/api/v1/profiles/{uniqueName}/copy",
        "201",
        &[("uniqueName", "/uniqueName")],
        "get-profiles put-profiles patch-profiles delete-profiles",
    ),
];

#[tokio::test]
async fn what_is_made_under_a_name_of_the_answer_is_linked_by_that_name() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    for (path, status, parts, operations) in MADE {
        let answer = &document["paths"][path]["post"]["responses"][status];
        let wanted: Value =
            parts.iter().map(|(part, place)| ((*part).to_owned(), json!(format!("$response.body#{place}")))).collect();
        for id in operations.split_whitespace() {
            let link = &answer["links"][id];
            assert_eq!((&link["operationId"], &link["parameters"]), (&json!(id), &wanted), "{path}: {answer}");
        }
        // The answer has what is pointed at, as a part of its address is written.
        let schema = &answer["content"]["application/json"]["schema"];
        for (_, place) in *parts {
            let found = properties(&document, schema).into_iter().find(|(name, _)| **name == place[1..]);
            let (_, property) = found.ok_or_else(|| format!("{path}: no `{place}` in {schema}"))?;
            let kind = &property["type"];
            let refers = property.get("$ref").is_some();
            assert!(refers || kind == "string" || kind == "integer", "{path}: {place} is {property}");
        }
    }
    let all = document["paths"].as_object().into_iter().flatten();
    let linked = all.filter(|(_, item)| {
        let answers = item["post"]["responses"].as_object().into_iter().flatten();
        answers.into_iter().any(|(_, answer)| answer.get("links").is_some())
    });
    let linked: BTreeSet<&str> = linked.map(|(path, _)| path.as_str()).collect();
    assert_eq!(linked, MADE.iter().map(|(path, ..)| *path).collect(), "each operation that links is in the table");
    Ok(())
}

/// The properties of a schema, those of what it is composed of included.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    if let Some(place) = schema["$ref"].as_str() {
        return document.pointer(&place[1..]).map_or_else(Vec::new, |schema| properties(document, schema));
    }
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, it)| (name.as_str(), it));
    let composed = schema["allOf"].as_array().into_iter().flatten().flat_map(|it| properties(document, it));
    own.chain(composed).collect()
}

#[tokio::test]
async fn a_link_of_an_answer_can_be_followed() -> Done {
    let host = TestHost::start().await?;
    let document = host.get("/openapi.json").await?.json();
    let named = json!({"name": "night-desk", "roles": ["app-profile-administrator"]});
    let made = host.post("/api/v1/tokens", named).await?;
    assert_eq!(made.status, 201, "{made}");
    let links = &document["paths"]["/api/v1/tokens"]["post"]["responses"]["201"]["links"];
    for (id, method, status) in [("get-token", Method::GET, 200), ("revoke-token", Method::DELETE, 204)] {
        let paths = document["paths"].as_object().into_iter().flatten();
        let is_meant = |item: &Value| item[method.as_str().to_lowercase()]["operationId"] == id;
        let mut address = paths.filter(|(_, item)| is_meant(item)).map(|(path, _)| path.clone()).next().ok_or(id)?;
        for (part, value) in links[id]["parameters"].as_object().ok_or("no parameters")? {
            let place = value.as_str().and_then(|it| it.strip_prefix("$response.body#")).ok_or("no pointer")?;
            let answer = made.json();
            let value = answer.pointer(place).and_then(Value::as_str).ok_or("nothing there")?;
            address = address.replace(&format!("{{{part}}}"), value);
        }
        let reply = Reply::to(host.request(method, &address)).await?;
        assert_eq!(reply.status, status, "{id} at {address}: {reply}");
    }
    Ok(())
}
