//! Asks outside of the host for whatever the context tells it, and shows what it was answered.

use loadout_test_guests::http::{self, HeaderValue, Request};
use loadout_test_guests::{context, knowledge, records, rule, shown};
use serde_json::{Value, json};

/// What it asks unless its settings say otherwise.
const EVERYTHING: &str = r#"[
    {"records": "contact"},
    {"articles": "wiki"},
    {"url": "https://api.example/"},
    {"url": "https://api.example/", "bearer": "token"}
]"#;

rule!(|_| {
    let asked = context::get("ask").unwrap_or_else(|| EVERYTHING.to_owned());
    let asked: Vec<Value> = serde_json::from_str(&asked).unwrap_or_default();
    let answers: Vec<Value> = asked.iter().map(answer).collect();
    shown(json!({ "answers": answers }).to_string())
});

fn answer(asked: &Value) -> Value {
    let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
    if asked.get("spin").is_some() {
        loop {
            std::hint::black_box(());
        }
    }
    if asked.get("records").is_some() {
        let answer = records::look_up(&text("records"), "fullname", &text("options"));
        return answer.map_or_else(|refusal| json!([refusal.code, refusal.message]), |found| json!(found));
    }
    if asked.get("articles").is_some() {
        let answer = knowledge::search(&text("articles"), &text("text"), 5);
        let titles = |found: Vec<knowledge::Article>| found.into_iter().map(|it| it.title).collect::<Vec<_>>();
        return answer.map_or_else(|refusal| json!([refusal.code, refusal.message]), |found| json!(titles(found)));
    }
    let mut headers: Vec<(String, HeaderValue)> = Vec::new();
    if asked.get("bearer").is_some() {
        headers.push(("authorization".to_owned(), HeaderValue::Bearer(text("bearer"))));
    }
    if asked.get("header").is_some() {
        headers.push((text("header"), HeaderValue::Text(text("value"))));
    }
    let body = text("body").into_bytes();
    let method = if body.is_empty() { "GET" } else { "POST" }.to_owned();
    match http::send(&Request { method, url: text("url"), headers, body }) {
        Ok(answer) => json!([answer.status, String::from_utf8_lossy(&answer.body)]),
        Err(refusal) => json!([refusal.code, refusal.message]),
    }
}
