//! The HTTP API does what it says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_item_is_created_replaced_patched_and_deleted() -> Done {
    let host = TestHost::start().await?;
    let path = "/api/v1/queues/returns%20desk";
    let created = host.put(path, json!({"name": "Returns"})).await?;
    assert_snapshot!(created, @r#"201 {"uniqueName":"returns desk","name":"Returns","private":false,"meta":{"layer":"custom","revision":2}}"#);
    assert_eq!(created.header("location"), path);
    assert_eq!(created.header("etag"), format!("\"{}\"", created.header("x-loadout-revision")));
    assert_snapshot!(host.put(path, json!({"name": "Returns", "private": true})).await?, @r#"200 {"uniqueName":"returns desk","name":"Returns","private":true,"meta":{"layer":"custom","revision":3}}"#);
    let patched = host.patch(path, json!({"private": null, "description": "Parcels that come back"})).await?;
    assert_snapshot!(patched, @r#"200 {"uniqueName":"returns desk","name":"Returns","description":"Parcels that come back","private":false,"meta":{"layer":"custom","revision":4}}"#);
    assert_snapshot!(host.delete(path).await?, @"204");
    assert_snapshot!(host.get(path).await?, @r#"404 {"code":"not-found","detail":"queue `returns desk` does not exist"}"#);
    Ok(())
}

#[tokio::test]
async fn what_was_read_can_be_edited_and_written_back() -> Done {
    let host = TestHost::with_sample().await?;
    let path = "/api/v1/profiles/contoso_rep";
    let read = host.get(path).await?;
    let unchanged = host.put(path, read.json()).await?;
    assert_eq!(
        (unchanged.status, unchanged.header("etag")),
        (200, read.header("etag")),
        "nothing changed, nothing is new"
    );
    let mut edited = read.json();
    edited["description"] = "Edited".into();
    let written = host.put(path, edited.clone()).await?;
    assert_eq!(written.json()["description"], "Edited");
    assert_ne!(written.header("etag"), read.header("etag"));
    edited["description"] = "Edited again, from the old copy".into();
    assert_eq!(host.put(path, edited).await?.status, 412);
    Ok(())
}

#[tokio::test]
async fn a_stale_write_is_refused_and_a_fresh_one_is_not() -> Done {
    let host = TestHost::start().await?;
    let path = "/api/v1/queues/desk";
    let first = host.put(path, json!({"name": "One"})).await?.header("etag").to_owned();
    let write = |tag: &str, name| host.request(Method::PUT, path).header("if-match", tag).json(&json!({"name": name}));
    assert_eq!(Reply::to(write(&first, "Two")).await?.status, 200);
    assert_eq!(Reply::to(write(&first, "Three")).await?.status, 412);
    let delete = |tag: &str| host.request(Method::DELETE, path).header("if-match", tag);
    assert_eq!(Reply::to(delete(&first)).await?.status, 412);
    let create = host.request(Method::PUT, path).header("if-none-match", "*").json(&json!({"name": "Four"}));
    assert_eq!(Reply::to(create).await?.json()["code"], "exists");
    assert_eq!(host.get(path).await?.json()["name"], "Two");
    Ok(())
}

#[tokio::test]
async fn whoever_has_the_newest_answer_is_not_sent_it_again() -> Done {
    let host = TestHost::with_sample().await?;
    for path in [
        "/api/v1/profiles/contoso_rep",
        "/api/v1/profiles",
        "/api/v1/users?limit=2",
        "/api/v1/environment",
        "/api/v1/revisions",
        "/api/v1/users/kayla/experience?app=customer-service-workspace",
        "/openapi.json",
    ] {
        let first = host.get(path).await?;
        assert_eq!(first.status, 200, "{path}: {first}");
        let tag = first.header("etag").to_owned();
        for seen in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = Reply::to(host.request(Method::GET, path).header("if-none-match", &seen)).await?;
            assert_eq!(
                (again.status, again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{path} {seen}"
            );
        }
        let other = Reply::to(host.request(Method::GET, path).header("if-none-match", "\"other\"")).await?;
        assert_eq!(other.status, 200, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_join_without_a_gap_even_if_their_last_item_goes() -> Done {
    let host = TestHost::start().await?;
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        host.put(
            &format!("/api/v1/queues/q{name}"),
            json!({"name": format!("Queue {}", 7 - (name.as_bytes()[0] - b'a'))}),
        )
        .await?;
        host.put(&format!("/api/v1/users/u{name}"), json!({"displayName": name})).await?;
    }
    for (start, wanted) in [
        ("/api/v1/queues?limit=3", "qa qb qc qd qe qf qg"),
        ("/api/v1/queues?limit=2&order=name", "qg qf qe qd qc qb qa"),
        ("/api/v1/queues?limit=2&order=uniqueName%20desc", "qg qf qe qd qc qb qa"),
        ("/api/v1/users?limit=3", "ua ub uc ud ue uf ug"),
        ("/api/v1/users?limit=2&order=displayName%20desc", "ug uf ue ud uc ub ua"),
        ("/api/v1/queues?limit=1&filter=name%20gt%20'Queue%205'", "qa qb"),
    ] {
        let (mut next, mut names) = (Some(start.to_owned()), Vec::new());
        while let Some(path) = next {
            let page = host.get(&path).await?;
            names.extend(page.names());
            next = page.json()["next"].as_str().map(str::to_owned);
        }
        assert_eq!(names.join(" "), wanted, "{start}");
    }
    let first = host.get("/api/v1/queues?limit=2&order=name").await?;
    host.delete("/api/v1/queues/qf").await?;
    let next = first.json()["next"].as_str().unwrap_or_default().to_owned();
    assert_eq!(host.get(&next).await?.names(), ["qe", "qd"]);
    Ok(())
}

#[tokio::test]
async fn a_second_direct_assignment_names_the_one_it_replaced() -> Done {
    let host = TestHost::with_sample().await?;
    assert_snapshot!(host.put("/api/v1/profiles/contoso_rep/users/dario", json!({})).await?, @r#"200 {"profile":"contoso_rep","login":"dario","replaced":["contoso_assist_only"]}"#);
    assert_snapshot!(host.get("/api/v1/profiles/contoso_rep/users").await?, @r#"200 {"items":[{"login":"dario","displayName":"Dario Conti"}]}"#);
    let changes = json!({"add": ["kayla", "marcus"], "remove": ["dario"]});
    assert_snapshot!(host.post("/api/v1/profiles/contoso_rep/users", changes).await?, @r#"200 {"profile":"contoso_rep","added":["kayla","marcus"],"removed":["dario"],"replaced":[]}"#);
    assert_snapshot!(host.delete("/api/v1/profiles/contoso_rep/users/kayla").await?, @"204");
    assert_snapshot!(host.delete("/api/v1/profiles/contoso_rep/users/kayla").await?, @r#"404 {"code":"not-assigned","detail":"user `kayla` is not assigned to profile `contoso_rep` directly: there is nothing to take back"}"#);
    Ok(())
}

#[tokio::test]
async fn rank_and_roles_belong_to_one_profile() -> Done {
    let host = TestHost::with_sample().await?;
    let path = |profile| format!("/api/v1/profiles/{profile}/rank-and-roles");
    let roles = json!(["CSR Manager"]);
    let pilot = |rank| json!({"rank": rank, "roles": roles});
    assert_eq!(host.put(&path("contoso_pilot"), pilot(9)).await?.status, 201);
    assert_eq!(host.get(&path("contoso_pilot")).await?.json()["rank"], 9);
    assert_snapshot!(host.put(&path("contoso_pilot"), pilot(1)).await?, @r#"409 {"code":"rank-taken","detail":"rank 1 is taken by profile `contoso_rep`: choose another rank"}"#);
    assert_snapshot!(host.put(&path("contoso_pilot"), json!({"rank": 9, "roles": []})).await?, @r#"422 {"code":"invalid-request","detail":"`roles`: name at least one role, or delete the mapping with `DELETE`","errors":[{"attribute":"roles","message":"name at least one role, or delete the mapping with `DELETE`"}]}"#);
    assert_snapshot!(host.put(&path("contoso_standard"), pilot(10)).await?, @r#"409 {"code":"is-default","detail":"profile `contoso_standard` is the custom default and cannot have rank and roles: remove the default first"}"#);
    assert_snapshot!(host.put(&path("msdyn_csw_default_profile"), pilot(10)).await?, @r#"409 {"code":"read-only","detail":"profile `msdyn_csw_default_profile` came with the product and cannot be changed: copy it and change the copy"}"#);
    assert_eq!(host.delete(&path("contoso_pilot")).await?.status, 204);
    assert_snapshot!(host.get(&path("contoso_pilot")).await?, @r#"404 {"code":"not-found","detail":"profile `contoso_pilot` has no rank and roles: give it some with `PUT`"}"#);
    Ok(())
}

#[tokio::test]
async fn the_default_is_switched_at_once() -> Done {
    let host = TestHost::with_sample().await?;
    let path = "/api/v1/default-profile";
    assert_snapshot!(host.get(path).await?, @r#"200 {"profile":"contoso_standard"}"#);
    assert_snapshot!(host.put(path, json!({"profile": "contoso_tier2"})).await?, @r#"200 {"profile":"contoso_tier2","replaced":"contoso_standard","dormantRoles":["Contoso Second Line"]}"#);
    assert_snapshot!(host.put(path, json!({"profile": "msdyn_csw_default_profile"})).await?, @r#"409 {"code":"cannot-be-default","detail":"profile `msdyn_csw_default_profile` came with the product, so it cannot be the custom default: choose another default first"}"#);
    assert_snapshot!(host.delete(path).await?, @"204");
    assert_snapshot!(host.get(path).await?, @r#"404 {"code":"not-found","detail":"there is no custom default: set one with `PUT`, as in `{\"profile\": \"contoso_rep\"}`"}"#);
    assert_snapshot!(host.delete(path).await?, @r#"404 {"code":"not-found","detail":"there is no custom default: set one with `PUT`, as in `{\"profile\": \"contoso_rep\"}`"}"#);
    Ok(())
}

#[tokio::test]
async fn a_shipped_profile_is_copied_and_never_changed() -> Done {
    let host = TestHost::start().await?;
    let shipped = "/api/v1/profiles/msdyn_csw_default_profile";
    assert_snapshot!(host.patch(shipped, json!({"name": "Mine"})).await?, @r#"409 {"code":"read-only","detail":"profile `msdyn_csw_default_profile` came with the product and cannot be changed: copy it and change the copy"}"#);
    let copy = host.post(&format!("{shipped}/copy"), json!({"uniqueName": "new_mine", "name": "Mine"})).await?;
    assert_eq!((copy.status, copy.header("location")), (201, "/api/v1/profiles/new_mine"));
    let (original, copy) = (host.get(shipped).await?.json(), copy.json());
    assert_eq!((&copy["name"], &copy["meta"]["layer"]), (&json!("Mine"), &json!("custom")));
    assert_eq!(
        copy["productivityPane"]["tools"].as_array().map(Vec::len),
        original["productivityPane"]["tools"].as_array().map(Vec::len)
    );
    assert_eq!(copy["channels"], original["channels"]);
    assert_snapshot!(host.post(&format!("{shipped}/copy"), json!({"uniqueName": "new_mine", "name": "Twin"})).await?, @r#"409 {"code":"exists","detail":"profile `new_mine` exists already: choose another unique name for the copy"}"#);
    Ok(())
}

#[tokio::test]
async fn the_environment_can_be_read_before_it_was_ever_written() -> Done {
    let host = TestHost::start().await?;
    let read = host.get("/api/v1/environment").await?;
    assert_snapshot!(read, @r#"200 {"baseLanguage":1033,"tenantSwitches":{},"sessionsMax":10,"tabsMax":10,"secondAssignment":"replaces","traces":{"level":"faults","successesPerSecond":20,"retentionDays":30,"retentionMegabytes":256,"perPlugin":{}},"queries":{},"plugins":{"unsigned":"allowed","withoutRule":"hide"},"meta":{"layer":"out-of-the-box","revision":0}}"#);
    let mut edited = read.json();
    edited["tabsMax"] = 5.into();
    assert_eq!(host.put("/api/v1/environment", edited).await?.status, 201);
    assert_eq!(host.get("/api/v1/environment").await?.json()["tabsMax"], 5);
    Ok(())
}

#[tokio::test]
async fn an_experience_is_asked_for_somebody_or_for_anybody() -> Done {
    let host = TestHost::with_sample().await?;
    let kayla = host.get("/api/v1/users/kayla/experience?app=customer-service-workspace&explain=full").await?.json();
    assert_eq!((&kayla["user"], &kayla["profile"]["uniqueName"]), (&json!("kayla"), &json!("contoso_rep")));
    assert!(kayla["explain"].as_array().is_some_and(|lines| !lines.is_empty()), "{kayla}");
    let ask = |body: Value| host.post("/api/v1/experience", body);
    let anybody = json!({"roles": ["CSR Manager"], "app": "customer-service-workspace"});
    assert_eq!(ask(anybody).await?.json()["profile"]["uniqueName"], "contoso_supervisor");
    let case = json!({"user": "kayla", "app": "customer-service-workspace", "session": {"entity": "incident", "context": {"anchor.ticketnumber": "CAS-01"}}});
    assert!(ask(case).await?.json()["session"]["title"].as_str().is_some_and(|title| title.contains("CAS-01")));
    let what_if = json!({"user": "kayla", "profile": "contoso_tier2", "app": "customer-service-workspace"});
    assert_eq!(ask(what_if).await?.json()["profile"]["uniqueName"], "contoso_tier2");
    Ok(())
}

#[tokio::test]
async fn a_page_ends_when_it_is_large_and_the_next_goes_on() -> Done {
    const MOST: usize = 4 << 20;
    let host = TestHost::start().await?;
    let parameters: serde_json::Map<String, Value> =
        (0..50).map(|at| (format!("p{at}"), "x".repeat(2_000).into())).collect();
    let tab = json!({"name": "Wide", "pageType": "dashboard", "parameters": parameters});
    let mut names = Vec::new();
    for at in 0..45 {
        names.push(format!("contoso_{at:02}"));
        let put = host.put(&format!("/api/v1/application-tab-templates/contoso_{at:02}"), tab.clone()).await?;
        assert_eq!(put.status, 201, "{put}");
    }
    let filter = "filter=startswith(uniqueName,'contoso_')";
    for (path, of) in [
        (format!("/api/v1/application-tab-templates?limit=500&{filter}"), "uniqueName"),
        (format!("/api/v1/application-tab-templates?limit=500&order=uniqueName&{filter}"), "uniqueName"),
        ("/api/v1/revisions?limit=500".to_owned(), "who"),
    ] {
        let (mut next, mut pages, mut seen) = (Some(path.clone()), 0, Vec::new());
        while let Some(page) = next.take() {
            let page = host.get(&page).await?;
            assert!(page.status == 200 && page.text.len() <= MOST + 1_000, "{path}: {} bytes", page.text.len());
            let page = page.json();
            let items = page["items"].as_array().cloned().unwrap_or_default();
            seen.extend(items.iter().map(|item| item[of].as_str().unwrap_or_default().to_owned()));
            next = page["next"].as_str().map(str::to_owned);
            pages += 1;
        }
        assert_eq!(pages, 2, "{path}");
        if of == "who" {
            assert_eq!(seen.iter().filter(|who| *who == "admin").count(), 45, "{path}");
        } else {
            assert_eq!(seen, names, "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn history_tells_who_and_why_and_answers_stay_askable() -> Done {
    let host = TestHost::with_sample().await?;
    let before = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone();
    let assign = host
        .request(Method::PUT, "/api/v1/profiles/contoso_tier2/users/kayla")
        .header("x-loadout-reason", "trying it out");
    Reply::to(assign).await?;
    let newest = host.get("/api/v1/revisions?limit=1").await?.json();
    let record = &newest["items"][0];
    assert_eq!((&record["who"], &record["why"]), (&json!("admin"), &json!("trying it out")));
    assert_eq!(record["changes"][0]["collection"], "assignments");
    let next = newest["next"].as_str().unwrap_or_default().to_owned();
    assert_eq!(host.get(&next).await?.json()["items"][0]["revision"], before);
    let path = "/api/v1/users/kayla/experience?app=customer-service-workspace";
    assert_eq!(host.get(path).await?.json()["profile"]["uniqueName"], "contoso_tier2");
    assert_eq!(host.get(&format!("{path}&asOf={before}")).await?.json()["profile"]["uniqueName"], "contoso_rep");
    Ok(())
}

#[tokio::test]
async fn requests_are_counted_by_route_and_known_by_id() -> Done {
    let host = TestHost::start().await?;
    let asked = host.anonymous(Method::GET, "/health/live").header("x-request-id", "mine-1");
    assert_eq!(Reply::to(asked).await?.header("x-request-id"), "mine-1");
    let made_up = Reply::to(host.anonymous(Method::GET, "/health/ready").header("x-request-id", "not an id")).await?;
    assert_eq!(made_up.header("x-request-id").len(), 24);
    host.get("/api/v1/profiles/contoso_nobody").await?;
    let metrics = Reply::to(host.anonymous(Method::GET, "/metrics")).await?.text;
    for line in [
        r#"loadout_http_requests_total{method="GET",route="/api/v1/profiles/{uniqueName}",status="404"} 1"#,
        r#"loadout_http_request_seconds_count{method="GET",route="/health/live"} 1"#,
        "loadout_revision 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_in_flight_finishes_when_the_server_stops() -> Done {
    let mut host = TestHost::start().await?;
    // The body arrives in two halves; the server is told to stop in between.
    let (body, rest) = r#"{"name": "Returns"}"#.split_at(9);
    let address = host.address("").replace("http://", "");
    let length = body.len() + rest.len();
    let head = format!(
        "PUT /api/v1/queues/late HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let (told, stopping) = std::sync::mpsc::channel();
    let client = tokio::task::spawn_blocking(move || -> Result<String, Failure> {
        let mut stream = TcpStream::connect(&address)?;
        stream.write_all(head.as_bytes())?;
        stopping.recv()?;
        stream.write_all(rest.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    // Long enough for the first half to arrive, and for the server to stop listening.
    let a_while = Duration::from_millis(200);
    tokio::time::sleep(a_while).await;
    host.tell();
    tokio::time::sleep(a_while).await;
    told.send(())?;
    let answer = client.await??;
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    host.stop().await
}

#[tokio::test]
async fn licences_are_written_as_names_are() -> Done {
    let host = TestHost::with_sample().await?;
    for licence in ["", " chat", "chat ", "ch\nat"] {
        for (path, body) in [
            ("/api/v1/users/new", json!({"displayName": "New", "licences": [licence]})),
            (
                "/api/v1/apps/new_app",
                json!({"name": "New", "outOfTheBox": [{"profile": "contoso_rep", "licences": [licence]}]}),
            ),
        ] {
            let refused = host.put(path, body.clone()).await?;
            assert!(matches!(refused.status, 409 | 422), "{path} {body}: {refused}");
            let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains("licences[0]`: it is empty, or has a blank at an end"), "{refused}");
        }
    }
    let taken = host.put("/api/v1/users/new", json!({"displayName": "New", "licences": ["digital messaging"]})).await?;
    assert_eq!(taken.status, 201, "{taken}");
    let document = host.get("/openapi.json").await?.json();
    for schema in ["User", "UserInput"] {
        let word = &document["components"]["schemas"][schema]["properties"]["licences"]["items"]["$ref"];
        let word = word.as_str().unwrap_or_default().trim_start_matches('#');
        let word = document.pointer(word).unwrap_or(&Value::Null);
        assert_eq!((&word["minLength"], &word["maxLength"]), (&json!(1), &json!(100)), "{schema}: {word}");
        assert!(word["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^[^\\x00-\\x20")), "{word}");
    }
    Ok(())
}
