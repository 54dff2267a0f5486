//! Slugs that ask for business records: through the one connector the environment names, each question once, and never
//! at the price of the session.

use std::io::Cursor;
use std::time::Duration;

use loadout::outbound;
use loadout::plugin::{Config, Limits, WaitingShare};
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::sandbox::capabilities::world::World;

const NAME: &str = "{$odata.contact.fullname.?$filter=contactid eq '{customer}'}";
const SECRET: &str = "the-secret-of-the-connector";

/// A world with a chat whose title and tab ask for a contact. Slugs may ask `connector`.
async fn world(path: &str, connector: Option<&str>) -> Result<World, Failure> {
    world_with(path, connector, |config| config).await
}

/// The same, run as `change` makes of how queries usually have time.
async fn world_with(
    path: &str,
    connector: Option<&str>,
    change: impl FnOnce(Config) -> Config,
) -> Result<World, Failure> {
    let time = Duration::from_secs(60);
    let limits = Limits { deadline: time, waiting: time, ..Limits::default() };
    let options = outbound::Options { time, ..outbound::Options::default() };
    let world = World::over(options, |config| change(Config { limits, queries: time, ..config })).await?;
    let host = &world.host;
    let secret = json!({"value": SECRET, "hosts": [world.ours.host()]});
    assert_eq!(host.put("/api/v1/secrets/token", secret).await?.status, 201);
    let crm =
        json!({"kind": "odata", "url": world.ours.url(path), "secret": "token", "entitySets": {"contact": "contacts"}});
    assert_eq!(host.put("/api/v1/connectors/crm", crm).await?.status, 201);
    let parameters = json!({"url": format!("https://mail.example/?to={NAME}&from=us")});
    let tab = json!({"name": "Mail", "title": "Mail", "pageType": "third-party-website", "parameters": parameters});
    assert_eq!(host.put("/api/v1/application-tab-templates/new_mail", tab).await?.status, 201);
    let template = json!({"name": "C", "kind": "generic", "title": format!("Chat with {NAME}"), "tabs": [{"template": "new_mail"}]});
    assert_eq!(host.put("/api/v1/session-templates/new_chat", template).await?.status, 201);
    if let Some(connector) = connector {
        let put = ask_through(host, json!({ "connector": connector })).await?;
        assert_eq!(put.status, 200, "{put}");
    }
    Ok(world)
}

async fn ask_through(host: &TestHost, queries: Value) -> Result<Reply, Failure> {
    host.put("/api/v1/environment", environment(host, queries).await?).await
}

async fn environment(host: &TestHost, queries: Value) -> Result<Value, Failure> {
    let mut environment = host.get("/api/v1/environment").await?.json();
    environment["queries"] = queries;
    if let Some(environment) = environment.as_object_mut() {
        environment.remove("meta");
    }
    Ok(environment)
}

async fn answer(host: &TestHost, context: Value) -> Result<Value, Failure> {
    let session = json!({"template": "new_chat", "context": context});
    let ask = json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "explain": "full"});
    let answer = host.post("/api/v1/experience", ask).await?;
    assert_eq!(answer.status, 200, "{answer}");
    Ok(answer.json())
}

/// Title of the session, address of the tab, and why a query has no value.
fn told(answer: &Value) -> String {
    let address = &answer["session"]["tabs"][0]["parameters"]["address"];
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    let why = warnings.filter(|warning| warning["code"] == "query-unanswered").filter_map(|it| it["message"].as_str());
    let why: Vec<&str> = why.filter_map(|message| message.split_once(" has no value: ")).map(|(_, why)| why).collect();
    format!("{} {address} {why:?}", answer["session"]["title"])
}

#[tokio::test]
async fn a_slug_asks_once_and_what_it_hears_stays_in_its_blank() -> Done {
    let world = world("/crm", Some("crm")).await?;
    let before = world.ours.seen().len();
    let answer = answer(&world.host, json!({"customer": "x' or 1 eq 1&$top=9#"})).await?;
    assert_eq!(told(&answer), r#""Chat with Ada Lovelace" "https://mail.example/?to=Ada%20Lovelace&from=us" []"#);
    let seen = world.ours.seen()[before..].join("\n");
    let asked = "GET /crm/contacts?$filter=contactid%20eq%20'x%27%27%20or%201%20eq%201%26%24top%3D9%23'&$select=fullname&$top=1 ";
    assert!(seen.starts_with(asked), "{seen}");
    assert_eq!(seen.matches("GET ").count(), 1, "the same is asked once");
    assert!(seen.contains(&format!("authorization: Bearer {SECRET}")));
    let read = answer["explain"].as_array().into_iter().flatten().find(|line| line["about"] == "query");
    let because = read.and_then(|line| line["because"].as_str()).ok_or("no line")?;
    assert!(because.starts_with("connector `crm`: 200, 39 bytes, sha256:"), "{because}");
    assert!(!answer.to_string().contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn a_query_that_nobody_answers_costs_its_own_text() -> Done {
    for (path, connector, context, expected) in [
        (
            "/crm",
            None,
            json!({"customer": "7"}),
            "no connector is asked: name one in `queries.connector` of the environment",
        ),
        ("/crm", Some("crm"), json!({}), "`{customer}` within it has no value in this session"),
        (
            "/nowhere",
            Some("crm"),
            json!({"customer": "7"}),
            "connector `crm`: the connector answered with 404 (unavailable)",
        ),
    ] {
        let world = world(path, connector).await?;
        let answer = answer(&world.host, context).await?;
        assert_eq!(told(&answer), format!("\"Chat with\" null {:?}", [expected]), "{path} {connector:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_connector_that_slugs_ask_is_there_and_has_records() -> Done {
    let world = world("/crm", Some("crm")).await?;
    let host = &world.host;
    let articles = json!({"kind": "knowledge", "url": world.ours.url("/articles")});
    assert_eq!(host.put("/api/v1/connectors/articles", articles).await?.status, 201);
    for (connector, code) in [("erp", "missing-reference"), ("articles", "invalid-item")] {
        let refused = ask_through(host, json!({ "connector": connector })).await?;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some(code)), "{refused}");
    }
    let mut crm = host.get("/api/v1/connectors/crm").await?.json();
    crm["kind"] = "knowledge".into();
    let changed = host.put("/api/v1/connectors/crm", crm).await?;
    assert_eq!((changed.status, changed.json()["code"].as_str()), (409, Some("invalid-item")), "{changed}");
    let gone = host.delete("/api/v1/connectors/crm").await?;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (409, Some("in-use")), "{gone}");
    assert_eq!(ask_through(host, json!({})).await?.status, 200);
    assert_eq!(host.delete("/api/v1/connectors/crm").await?.status, 204);
    Ok(())
}

#[tokio::test]
async fn what_slugs_ask_stays_as_it_is_when_an_archive_is_imported() -> Done {
    let elsewhere = TestHost::start().await?;
    assert_eq!(elsewhere.put("/api/v1/environment", json!({"secondAssignment": "is-refused"})).await?.status, 201);
    let archive = elsewhere.request(Method::GET, "/api/v1/export").send().await?.bytes().await?;
    let world = world("/crm", Some("crm")).await?;
    let import = world.host.request(Method::POST, "/api/v1/imports?onConflict=take");
    let imported = Reply::to(import.header("content-type", "application/zip").body(archive)).await?;
    assert_eq!(imported.status, 200, "{imported}");
    let environment = world.host.get("/api/v1/environment").await?.json();
    assert_eq!(
        (&environment["secondAssignment"], &environment["queries"]["connector"]),
        (&json!("is-refused"), &json!("crm"))
    );
    let archive = world.host.request(Method::GET, "/api/v1/export").send().await?.bytes().await?;
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    let said: Value = serde_json::from_reader(archive.by_name("loadout/environment/environment.json")?)?;
    assert_eq!(said["item"]["secondAssignment"], "is-refused", "{said}");
    assert_eq!(said["item"]["queries"], json!({}), "the name of a connector does not leave the environment: {said}");
    Ok(())
}

#[tokio::test]
async fn a_connector_that_uses_the_time_of_an_answer_up_is_not_asked_again() -> Done {
    let most = Duration::from_millis(300);
    let world = world_with("/slow", Some("crm"), |config| Config { queries: most, ..config }).await?;
    // Another question than that of the tab.
    let title = NAME.replace("fullname", "jobtitle");
    let template = json!({"name": "C", "kind": "generic", "title": format!("Chat with {title}"), "tabs": [{"template": "new_mail"}]});
    assert_eq!(world.host.put("/api/v1/session-templates/new_chat", template).await?.status, 200);
    let before = world.ours.seen().len();
    let answer = answer(&world.host, json!({"customer": "7"})).await?;
    let told = told(&answer);
    assert!(told.starts_with("\"Chat with\" null "), "{told}");
    assert!(told.contains("(timeout)\", \"the queries of this answer took 300 ms, which are the most\""), "{told}");
    assert!(world.ours.seen().len() - before <= 1, "the second question is not put");
    Ok(())
}

#[tokio::test]
async fn a_question_that_finds_no_place_to_wait_costs_its_own_text() -> Done {
    let usual = WaitingShare::default();
    for (which, waiting) in [
        ("places of queries", WaitingShare { per_plugin: 0, queue: 0, ..usual }),
        ("threads of all that waits", WaitingShare { threads: 0, ..usual }),
    ] {
        let world = world_with("/crm", Some("crm"), |config| Config { waiting, ..config }).await?;
        let before = world.ours.seen().len();
        let answer = answer(&world.host, json!({"customer": "7"})).await?;
        let why = "as many questions wait outside as may: ask again";
        // The title and the tab each try, and the same warning is said once.
        assert_eq!(told(&answer), format!("\"Chat with\" null {:?}", [why]), "{which}");
        assert_eq!(world.ours.seen().len(), before, "{which}");
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_grant_does_not_let_slugs_ask_and_what_was_taken_back_is_not_asked_about_the_past() -> Done {
    let world = world("/crm", Some("crm")).await?;
    let host = &world.host;
    let made = host.post("/api/v1/tokens", json!({"name": "author", "roles": ["app-profile-administrator"]})).await?;
    let secret = made.json()["secret"].as_str().ok_or("no secret")?.to_owned();
    let none = environment(host, json!({})).await?;
    let denied = host.anonymous(Method::PUT, "/api/v1/environment").bearer_auth(&secret).json(&none);
    let denied = Reply::to(denied).await?;
    assert_eq!((denied.status, &denied.json()["privilege"]), (403, &json!("plugin.grant")), "{denied}");

    let then = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone();
    assert_eq!(ask_through(host, json!({})).await?.status, 200);
    let audit = host.get("/api/v1/audit?limit=20").await?.text;
    assert!(audit.contains("queries-decided"), "{audit}");
    let before = world.ours.seen().len();
    let session = json!({"template": "new_chat", "context": {"customer": "7"}});
    let ask = json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "asOf": then});
    let answer = host.post("/api/v1/experience", ask).await?.json();
    assert!(told(&answer).starts_with("\"Chat with\" null "), "{answer}");
    assert_eq!(world.ours.seen().len(), before);
    Ok(())
}
