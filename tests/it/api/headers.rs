//! Headers that the document lists are read, and those that it does not list are refused or mean nothing.

use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;

/// An address of an operation at `path`. What it names need not be there.
fn example(path: &str) -> String {
    let steps = path.split('/').map(|step| match step {
        "{version}" => "1.0.0",
        "{id}" | "{run}" | "{plan}" => "1",
        "{kind}" => "scripts",
        _ if step.starts_with('{') => "abc_d",
        _ => step,
    });
    steps.collect::<Vec<_>>().join("/")
}

/// The operations under `/api/` that are called with a method that `wanted` takes: method, path and description.
fn operations(document: &Value, wanted: impl Fn(&str) -> bool) -> Vec<(Method, String, Value)> {
    let paths = document["paths"].as_object().into_iter().flatten().filter(|(path, _)| path.starts_with("/api/"));
    let all = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (method, path.clone(), operation.clone()))
    });
    let wanted = all.filter(|(method, ..)| wanted(method));
    wanted.filter_map(|(method, path, it)| Some((method.to_uppercase().parse().ok()?, path, it))).collect()
}

fn lists(operation: &Value, header: &str) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.into_iter().any(|it| it["in"] == "header" && it["name"] == header)
}

#[tokio::test]
async fn each_write_reads_the_headers_that_it_lists() -> Done {
    let host = TestHost::with_platform().await?;
    let document = host.get("/openapi.json").await?.json();
    let writes = operations(&document, |method| method != "get");
    assert!(writes.len() > 80, "only {}", writes.len());
    for (method, path, operation) in writes {
        let address = example(&path) + if path == "/api/v1/outbox" { "?plugin=a/b" } else { "" };
        let sent = async |header: &'static str, value: HeaderValue| {
            let reply = Reply::to(host.request(method.clone(), &address).header(header, value)).await?;
            let is_about = reply.status == 400 && reply.json()["code"] == "invalid-header";
            Ok::<_, Failure>(if is_about {
                reply.json()["detail"].as_str().unwrap_or_default().to_owned()
            } else {
                String::new()
            })
        };
        let place = format!("{method} {path}");

        let said = sent("if-none-match", HeaderValue::from_static("\"1\"")).await?;
        assert_eq!(
            lists(&operation, "If-None-Match"),
            said.contains("takes `If-None-Match: *` only"),
            "{place}: {said}"
        );
        assert_eq!(lists(&operation, "If-Match"), lists(&operation, "If-None-Match"), "{place}");
        if !lists(&operation, "If-Match") && !said.is_empty() {
            let said = sent("if-match", HeaderValue::from_static("\"1\"")).await?;
            assert!(said.contains("cannot be honoured here"), "{place}: {said}");
        }

        let unseen = HeaderValue::from_bytes("\u{200b}".as_bytes())?;
        let said = sent("x-loadout-reason", unseen).await?;
        assert_eq!(lists(&operation, "X-Loadout-Reason"), said.contains("`X-Loadout-Reason` takes"), "{place}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn each_answer_to_a_reader_has_the_tag_that_it_lists() -> Done {
    let host = TestHost::with_sample().await?;
    let document = host.get("/openapi.json").await?.json();
    let mut asked = 0;
    for (method, path, operation) in operations(&document, |method| method == "get") {
        let reply = Reply::to(host.request(method, &example(&path))).await?;
        if reply.status != 200 {
            continue;
        }
        let listed = operation["responses"]["200"]["headers"]["ETag"].is_object();
        assert_eq!(listed, !reply.header("etag").is_empty(), "{path}");
        assert_eq!(listed, lists(&operation, "If-None-Match"), "{path}");
        asked += 1;
        // Traces and counters are other ones each time.
        let again = host.request(Method::GET, &path).header("if-none-match", "*");
        assert_eq!(listed, Reply::to(again).await?.status == 304, "{path}");
    }
    assert!(asked > 25, "only {asked} answered");
    Ok(())
}

#[tokio::test]
async fn the_reason_of_a_write_is_kept_and_one_that_cannot_be_shown_is_refused() -> Done {
    let host = TestHost::with_sample().await?;
    let long = "x".repeat(1001);
    for (reason, status) in
        [("Größer für März 🙂", 201), ("", 200), (&long[..1000], 200), (&long, 400), ("a\u{202e}b", 400)]
    {
        let put = host.request(Method::PUT, "/api/v1/queues/desk").json(&serde_json::json!({"name": "Desk"}));
        let reply = Reply::to(put.header("x-loadout-reason", HeaderValue::from_bytes(reason.as_bytes())?)).await?;
        assert_eq!(reply.status, status, "{reason}: {reply}");
    }
    let history = host.get("/api/v1/revisions").await?.text;
    assert!(history.contains("Größer für März 🙂"), "{history}");
    Ok(())
}
