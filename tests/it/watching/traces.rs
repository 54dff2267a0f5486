//! Why did a tool fail? The log of plugin calls says so, and nothing it should not.

mod misbehaving;

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use insta::assert_snapshot;
use loadout_tests::components::{watched_beside, watched_by};
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::{Done, bombs};
use reqwest::Method;
use serde_json::{Value, json};

async fn host() -> Result<TestHost, Failure> {
    TestHost::recorded(|watch| Ok(Arc::new(watched_by(watch)))).await
}

const CONTEXT: &str = "a-value-of-the-context";

const SETTING: &str = "a-value-of-the-settings";

fn question() -> Value {
    let session = json!({"entity": "incident", "context": {"customerName": CONTEXT, "anchor.title": CONTEXT}});
    json!({"user": "kayla", "app": "customer-service-workspace", "session": session})
}

/// Places the guest `kind` as a tool of the sample's profile.
async fn place(host: &TestHost, kind: &str, settings: Value) -> Done {
    let tool = json!({"name": kind, "kind": kind, "control": "x"});
    assert_eq!(host.put(&format!("/api/v1/pane-tools/contoso_{kind}"), tool).await?.status, 201);
    let mut profile = host.get("/api/v1/profiles/contoso_rep").await?.json();
    let tools = profile["productivityPane"]["tools"].as_array_mut().ok_or("tools")?;
    tools.push(json!({"tool": kind, "order": 90, "settings": settings}));
    let reply = host.put("/api/v1/profiles/contoso_rep", profile).await?;
    assert_eq!(reply.status, 200, "{reply}");
    Ok(())
}

fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["items"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn from_an_answer_its_calls_are_found_with_times_and_without_values() -> Done {
    let host = host().await?;
    place(&host, "well-behaved", json!({"colour": SETTING})).await?;
    let request = host.request(Method::POST, "/api/v1/experience").header("x-request-id", "why-is-it-so");
    let answer = Reply::to(request.json(&question())).await?;
    let decision = answer.json()["decisionId"].as_str().ok_or("a decision")?.to_owned();
    assert!(answer.text.contains(CONTEXT), "{answer}");

    let found = items(&host.get("/api/v1/traces?request=why-is-it-so").await?);
    let mut asked: Vec<_> = found.iter().filter_map(|trace| trace["plugin"].as_str()).collect();
    asked.sort_unstable();
    assert_eq!(
        asked,
        ["loadout/knowledge-search", "loadout/macros", "loadout/scripts", "loadout/smart-assist", "tests/well-behaved"]
    );
    for trace in &found {
        let number = |name: &str| trace[name].as_u64().unwrap_or_default();
        assert!(number("instantiateMicros") > 0 && number("runMicros") > 0 && number("peakMemory") > 0, "{trace}");
        assert_eq!(
            (&trace["outcome"], &trace["standsFor"], &trace["mode"]),
            (&json!("succeeded"), &json!(1), &json!("sync"))
        );
        assert_eq!(
            (trace["decision"].as_str(), trace["settingsHash"].as_str().map(str::len)),
            (Some(&*decision), Some(32))
        );
    }
    assert_eq!(items(&host.get(&format!("/api/v1/traces?decision={decision}")).await?), found);

    let mut written = Vec::new();
    for file in ["traces.db", "traces.db-wal"] {
        written.extend(fs::read(host.folder().join(file)).unwrap_or_default());
    }
    let contains = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains("why-is-it-so"));
    assert!(!contains(CONTEXT) && !contains(SETTING), "values are in the log");
    Ok(())
}

#[tokio::test]
async fn a_fault_names_its_record() -> Done {
    let host = host().await?;
    place(&host, "panics", json!({})).await?;
    let answer = host.post("/api/v1/experience", question()).await?.json();
    let tools = answer["productivityPane"]["tools"].as_array().ok_or("tools")?;
    let fault = tools.iter().find(|tool| tool["tool"] == "panics").ok_or("the tool")?["fault"].clone();
    let id = fault["trace"].as_str().ok_or("a record")?;
    let trace = host.get(&format!("/api/v1/traces/{id}")).await?.json();
    assert_eq!(trace["fault"]["code"], fault["code"]);
    let said = trace["fault"]["message"].as_str().unwrap_or_default();
    assert!(said.contains("the sky fell"), "the record has what the guest wrote: {trace}");
    assert_eq!(fault["message"], "it trapped: it panicked");
    assert!(!answer.to_string().contains("the sky fell"), "nobody else has: {answer}");
    assert!(trace["text"]["lines"][0]["text"].is_string() && trace["backtrace"][0].is_string(), "{trace}");
    Ok(())
}

#[tokio::test]
async fn beside_guests_that_misbehave_everybody_answers_as_before_and_each_is_named_in_answer_and_log() -> Done {
    let greedy = rule(guests::WELL_BEHAVED, "greedy", "0.1.0", "greedy")?;
    let greedy = bombs::with_module(&greedy, &bombs::growing_table(100_000_000));
    let host = TestHost::recorded(|watch| Ok(Arc::new(watched_beside(&[("greedy", &greedy)], watch)) as _)).await?;
    let ask = async || -> Result<(String, Vec<Value>), Failure> {
        let answer = host.post("/api/v1/experience", question()).await?.json();
        let tools = answer["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
        Ok((answer["decisionId"].as_str().unwrap_or_default().to_owned(), tools))
    };
    let (_, before) = ask().await?;
    let flood = json!({"text": "x".repeat(300)});
    let guests: Vec<String> = guests::ALL.iter().map(|(name, _)| name.replace('_', "-")).collect();
    let refused = ["asks-for-sockets", "bad-step", "changes", "no-manifest", "objects", "wrong-world"];
    let asked: Vec<&str> = guests.iter().map(String::as_str).filter(|kind| !refused.contains(kind)).collect();
    for kind in asked.into_iter().chain(["greedy"]) {
        place(&host, kind, if kind == "floods-trace" { flood.clone() } else { json!({}) }).await?;
    }
    // It brings a step around a rule, and no rule.
    let ruleless = host.patch("/api/v1/pane-tools/contoso_around", json!({"withoutRule": "show"})).await?;
    assert_eq!(ruleless.status, 200, "{ruleless}");
    let (decision, after) = ask().await?;
    let (mut theirs, others): (Vec<_>, Vec<_>) = after.into_iter().partition(|tool| !before.contains(tool));
    assert_eq!(others, before, "a neighbour noticed");

    let records = items(&host.get(&format!("/api/v1/traces?decision={decision}&limit=100")).await?);
    theirs.sort_by_key(|tool| tool["tool"].to_string());
    let mut told = String::new();
    for tool in &theirs {
        let kind = tool["tool"].as_str().unwrap_or_default();
        let plugin = format!("tests/{kind}");
        let record =
            records.iter().find(|record| record["plugin"] == *plugin).ok_or_else(|| format!("no record of {kind}"))?;
        let fault = &tool["fault"];
        if !fault.is_null() {
            assert_eq!((&fault["plugin"], &fault["trace"]), (&json!(plugin), &record["id"]), "{tool}");
        }
        let status = fault["code"].as_str().or_else(|| tool["status"].as_str()).unwrap_or_default();
        let _ = writeln!(told, "{kind}: {status}, {}", record["outcome"].as_str().unwrap_or_default());
    }
    assert_snapshot!(told, @"
    around: shown, succeeded
    bad-json: plugin.invalid-result, invalid
    counts-scripts: shown, succeeded
    deep-json: plugin.invalid-result, invalid
    draws-lots: shown, succeeded
    eat-memory: plugin.memory, memory
    exits: plugin.trapped, trapped
    fails: plugin.failed, failed
    floods-calls: plugin.host-calls, host-calls
    floods-stderr: plugin.log-limit, log-limit
    floods-trace: plugin.log-limit, log-limit
    greedy: plugin.memory, memory
    grows-slowly: plugin.memory, memory
    hands-over-too-much: plugin.trapped, trapped
    huge-answer: plugin.output-limit, output-limit
    looks-around: shown, succeeded
    looks-at-the-clock: shown, succeeded
    looks-for-leftovers: shown, succeeded
    many-items: plugin.output-limit, output-limit
    panics: plugin.trapped, trapped
    reaches-out: shown, succeeded
    reads-a-file: shown, succeeded
    recurses: plugin.trapped, trapped
    remembers: shown, succeeded
    renders-too-much: plugin.host-calls, host-calls
    shuffles: shown, succeeded
    sleeps: plugin.trapped, trapped
    spins-at-start: plugin.timeout, timeout
    spins-forever: plugin.timeout, timeout
    stumbles: shown, succeeded
    well-behaved: shown, succeeded
    ");
    Ok(())
}

#[tokio::test]
async fn records_are_paged_and_filtered_and_what_makes_no_sense_is_refused() -> Done {
    let host = host().await?;
    host.post("/api/v1/experience", question()).await?;
    let first = host.get("/api/v1/traces?limit=3&outcome=succeeded").await?;
    let next = first.json()["next"].as_str().ok_or("there is more")?.to_owned();
    assert!(next.starts_with("/api/v1/traces?limit=3&outcome=succeeded&after="), "{next}");
    let second = host.get(&next).await?;
    let ids: Vec<Value> = [items(&first), items(&second)].concat().iter().map(|trace| trace["id"].clone()).collect();
    let whole: Vec<Value> = items(&host.get("/api/v1/traces").await?).iter().map(|trace| trace["id"].clone()).collect();
    assert_eq!((ids.len(), second.json()["next"].as_str()), (4, None));
    assert_eq!(ids, whole);
    for (query, count) in [
        ("plugin=loadout/scripts", 1),
        ("plugin=loadout/scripts&version=9.9.9", 0),
        ("resource=macros&message=tool.evaluate", 1),
        ("outcome=timeout", 0),
        ("step=any", 0),
        ("since=2026-01-01T00:00:00Z", 4),
        ("until=2026-01-01T00:00:00Z", 0),
        ("slowerThan=600000", 0),
    ] {
        assert_eq!(items(&host.get(&format!("/api/v1/traces?{query}")).await?).len(), count, "for {query}");
    }
    for query in ["limit=0", "colour=red", "outcome=broken", "after=me", "since=yesterday", "slowerThan=-1"] {
        let reply = host.get(&format!("/api/v1/traces?{query}")).await?;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("invalid-query")), "{reply}");
    }
    assert_snapshot!(host.get("/api/v1/traces/me").await?, @r#"404 {"code":"not-found","detail":"`me` names no trace: the name of one has 32 hexadecimal digits"}"#);
    assert_snapshot!(host.get("/api/v1/traces/00000000000000000000000000000000").await?, @r#"404 {"code":"not-found","detail":"trace `00000000000000000000000000000000` does not exist: it was never kept, or not until now"}"#);
    Ok(())
}

#[tokio::test]
async fn calls_are_counted_by_plugin_and_shown_to_prometheus() -> Done {
    let host = host().await?;
    place(&host, "fails", json!({})).await?;
    for _ in 0..3 {
        host.post("/api/v1/experience", question()).await?;
    }
    let counted = host.get("/api/v1/plugins/tests/fails/statistics").await?.json();
    let [only] = &counted["items"].as_array().ok_or("items")?[..] else { panic!("{counted}") };
    assert_eq!((&counted["plugin"], &only["version"]), (&json!("tests/fails"), &json!("0.1.0")));
    assert_eq!(only["sinceStart"]["outcomes"], json!({"failed": 3}));
    assert_eq!(only["sinceStart"]["runMicros"]["count"], 3);
    assert_eq!(only["hours"].as_array().map(Vec::is_empty), Some(false));
    assert_snapshot!(host.get("/api/v1/plugins/tests/nothing/statistics").await?, @r#"404 {"code":"not-found","detail":"plugin `tests/nothing` is not here, and was never asked: `/api/v1/plugins` lists what there is"}"#);

    let metrics = Reply::to(host.anonymous(Method::GET, "/metrics")).await?.text;
    for line in [
        r#"loadout_plugin_calls_total{plugin="tests/fails",version="0.1.0",outcome="failed"} 3"#,
        r#"loadout_plugin_run_seconds_count{plugin="tests/fails",version="0.1.0"} 3"#,
        r#"loadout_plugin_instantiate_seconds_bucket{le="+Inf",plugin="tests/fails",version="0.1.0"} 3"#,
        r#"loadout_plugin_peak_memory_bytes_bucket{le="4194304.0",plugin="tests/fails",version="0.1.0"} 3"#,
        "loadout_trace_rows_dropped_total 0",
        "loadout_trace_queue_length 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn one_plugin_can_be_listened_to_more_closely() -> Done {
    let host = host().await?;
    place(&host, "well-behaved", json!({})).await?;
    let text = async || -> Result<Value, Failure> {
        host.post("/api/v1/experience", question()).await?;
        let newest = items(&host.get("/api/v1/traces?plugin=tests/well-behaved&limit=1").await?);
        let id = newest[0]["id"].as_str().ok_or("a record")?;
        Ok(host.get(&format!("/api/v1/traces/{id}")).await?.json()["text"].clone())
    };
    assert_eq!(text().await?, Value::Null, "it succeeded, and nobody asked for more");
    let mut environment = host.get("/api/v1/environment").await?.json();
    // Without what says which revision was read.
    environment.as_object_mut().ok_or("an object")?.remove("meta");
    environment["traces"] = json!({"perPlugin": {"tests/well-behaved": {"level": "all"}}});
    assert_eq!(host.put("/api/v1/environment", environment.clone()).await?.status, 200);
    assert_eq!(text().await?, json!({"lines": [{"level": "info", "text": "deciding"}]}));

    environment["traces"] = json!({"perPlugin": {"tests/well-behaved": {"colour": "red"}}});
    assert_snapshot!(host.put("/api/v1/environment", environment.clone()).await?, @r#"422 {"code":"invalid-item","detail":"environment `environment` is not valid: `traces.perPlugin.tests/well-behaved.colour`: unknown field `colour`, expected `level`","errors":[{"attribute":"traces.perPlugin.tests/well-behaved.colour","message":"unknown field `colour`, expected `level`"}]}"#);
    environment["traces"] = json!({"retentionDays": 0});
    assert_snapshot!(host.put("/api/v1/environment", environment).await?, @r#"422 {"code":"invalid-item","detail":"environment `environment` is not valid: `traces.retentionDays`: is 0: use 1 to 3650","errors":[{"attribute":"traces.retentionDays","message":"is 0: use 1 to 3650"}]}"#);
    Ok(())
}
