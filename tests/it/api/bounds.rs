//! What is beyond a bound of `host/docs/bounds.md` is refused over HTTP with the status and the code that the page
//! says.

use loadout_tests::Done;
use loadout_tests::host::{Reply, TestHost};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// A tab whose parameters are within their own bounds, and are more together than an item may hold.
fn long_item() -> Value {
    let parameters: Map<String, Value> = (0..60).map(|n| (format!("p{n}"), json!("\u{65e5}".repeat(2000)))).collect();
    json!({"name": "Mail", "title": "Mail", "pageType": "third-party-website", "parameters": parameters})
}

/// A macro with so many lists of one number.
fn wide_macro(lists: usize) -> Value {
    json!({"name": "Wide", "definition": {"actions": {}, "x": vec![[0]; lists]}})
}

fn session(keys: usize) -> Value {
    let context: Map<String, Value> = (0..keys).map(|n| (format!("k{n}"), json!("x"))).collect();
    json!({"user": "kayla", "app": "customer-service-workspace", "session": {"entity": "incident", "context": context}})
}

#[tokio::test]
async fn what_is_beyond_a_bound_is_refused_as_the_readme_says() -> Done {
    let host = TestHost::with_sample().await?;
    let desk = json!({"name": "Desk"});
    for (what, method, path, body, status, code) in [
        ("1,000 keys", Method::POST, "/api/v1/experience", session(1_000), 200, ""),
        ("1,001 keys", Method::POST, "/api/v1/experience", session(1_001), 422, "invalid-session"),
        ("a name that is not seen", Method::PUT, "/api/v1/queues/de%E2%80%8Bsk", desk.clone(), 422, "invalid-name"),
        ("a blank that is not the usual one", Method::PUT, "/api/v1/queues/de%C2%A0sk", desk, 422, "invalid-name"),
        ("a macro of many lists", Method::PUT, "/api/v1/macros/new_many", wide_macro(4_000), 201, ""),
        ("a macro of too many lists", Method::PUT, "/api/v1/macros/new_wide", wide_macro(49_000), 409, "invalid-item"),
        (
            "a body of too many values",
            Method::PUT,
            "/api/v1/macros/new_wide",
            wide_macro(100_000),
            413,
            "body-too-large",
        ),
        ("a long item", Method::PUT, "/api/v1/application-tab-templates/new_mail", long_item(), 409, "invalid-item"),
    ] {
        let reply = Reply::to(host.request(method, path).json(&body)).await?;
        let said = reply.json();
        assert_eq!((reply.status, said["code"].as_str().unwrap_or_default()), (status, code), "{what}: {said}");
    }
    Ok(())
}
