//! A host outside that is slow or gives no answer costs the tool that asks it, and nothing else.

use std::time::Duration;

use insta::assert_snapshot;
use loadout::outbound::{Options, SuspensionSettings};
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::capabilities::PLUGIN;
use super::capabilities::world::World;
use loadout_tests::trial::number;

/// Threads that the server works with here: fewer than ask. Sixteen are what one plugin holds at most while its hosts
/// are slow, two belong to the server.
const THREADS: usize = 20;

/// Long enough for any machine. Without a bound the server would never answer.
const FOR_EVER: Duration = Duration::from_secs(300);

fn question(person: &str, context: &Value) -> Value {
    let session = json!({"entity": "incident", "context": context});
    json!({"user": person, "app": "customer-service-workspace", "session": session})
}

/// The answer without its tool `scripts`, and that tool.
fn apart(answer: &Value) -> (Value, Value) {
    let mut rest = answer.clone();
    let mut scripts = Value::Null;
    if let Some(tools) = rest["productivityPane"]["tools"].as_array_mut() {
        tools.retain_mut(|tool| {
            let is_it = tool["tool"] == "scripts";
            if is_it {
                scripts = tool.take();
            }
            !is_it
        });
    }
    // The name of the question depends on the context, and the warning is about the tool.
    for key in ["decisionId", "warnings"] {
        rest[key] = Value::Null;
    }
    (rest, scripts)
}

fn posted(host: &TestHost, question: &Value) -> impl Future<Output = Result<Reply, Failure>> + Send + 'static {
    Reply::to(host.request(Method::POST, "/api/v1/experience").json(question))
}

#[test]
fn many_calls_that_wait_for_a_slow_host_hold_up_no_other() -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(THREADS).build()?;
    runtime.block_on(async { tokio::time::timeout(FOR_EVER, many_wait()).await? })
}

async fn many_wait() -> Done {
    let askers = number("LOADOUT_TEST_ASKERS", 24);
    let world = World::with_everything().await?;
    let (without, _) =
        apart(&world.host.post("/api/v1/experience", question("kayla", &json!({"ask": "[]"}))).await?.json());
    let other = question("dario", &json!({}));
    let before = world.host.post("/api/v1/experience", other.clone()).await?;
    assert_eq!(apart(&before.json()).1, Value::Null, "dario has no scripts: {before}");

    let held = json!({"ask": json!([{"url": world.ours.url("/held")}]).to_string()});
    let held = question("kayla", &held);
    let mut asking: JoinSet<_> = (0..askers).map(|_| posted(&world.host, &held)).collect();
    // Eight calls wait outside, which is what one plugin may. All others are answered while these wait.
    for _ in 8..askers {
        let answer = asking.join_next().await.ok_or("fewer asked")???;
        let (rest, scripts) = apart(&answer.json());
        assert_eq!((answer.status, &rest), (200, &without), "{answer}");
        let fault = ["code", "retryAfter"].map(|part| scripts["fault"][part].clone());
        assert_eq!((&scripts["status"], fault), (&json!("failed"), [json!("plugin.busy"), json!(1)]), "{answer}");
    }
    let waiting = || world.ours.seen().iter().filter(|it| it.starts_with("GET /held ")).count();
    while waiting() < 8 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..20 {
        let answer = world.host.post("/api/v1/experience", other.clone()).await?;
        assert_eq!((answer.status, &answer.text), (200, &before.text));
        assert_eq!(world.host.get("/health/ready").await?.status, 200);
        assert_eq!(world.host.get("/api/v1/queues?limit=1").await?.status, 200);
    }
    assert_eq!((waiting(), asking.len()), (8, 8), "no more than eight calls of one plugin wait outside");

    world.ours.release();
    while let Some(answer) = asking.join_next().await {
        let answer = answer??;
        let (rest, scripts) = apart(&answer.json());
        assert_eq!((answer.status, &rest, &scripts["status"]), (200, &without, &json!("shown")), "{answer}");
    }
    let again = posted(&world.host, &held).await?;
    assert_eq!(apart(&again.json()).1["status"], "shown", "there is room again: {again}");
    Ok(())
}

/// Hosts are not asked any more after three requests without an answer.
fn options(pause: Duration) -> Options {
    let suspension = SuspensionSettings { failures: 3, pause, longest: pause };
    Options { time: Duration::from_secs(60), suspension, ..Options::default() }
}

/// What the page of the plugin says of its health.
async fn health(world: &World) -> Result<String, Failure> {
    let shown = world.host.get(PLUGIN).await?.json()["health"].to_string();
    Ok(without_seconds(&shown.replace(&world.ours.host(), "OURS")))
}

/// A text without the seconds that are left of an hour.
fn without_seconds(text: &str) -> String {
    (3_000..=3_600).rev().fold(text.to_owned(), |text, seconds| text.replace(&seconds.to_string(), "SOME"))
}

#[tokio::test]
async fn a_host_that_gives_no_answer_is_not_asked_for_a_while() -> Done {
    let hour = Duration::from_secs(3600);
    let world = World::over(options(hour), |config| config).await?;
    world.serve().await?;
    let (gone, echo) = (json!({"url": world.ours.url("/gone")}), json!({"url": world.ours.url("/echo")}));
    let refused = world.answers(json!([gone, gone, echo, gone, gone, gone])).await?;
    let codes = |answers: &str| -> Vec<String> {
        answers.lines().map(|line| line.split('"').nth(1).unwrap_or_default().to_owned()).collect()
    };
    let third = codes(&refused).remove(2);
    assert!(third.starts_with("GET /echo "), "an answer between them counts: {refused}");
    assert_eq!(codes(&refused)[3..], ["unavailable"; 3], "{refused}");
    let seen = world.ours.seen().len();
    let suspended = world.answers(json!([gone, echo])).await?;
    assert_snapshot!(without_seconds(&suspended), @r#"
    ["suspended","`OURS` is not asked for SOME s: 3 requests to it in a row had no answer"]
    ["suspended","`OURS` is not asked for SOME s: 3 requests to it in a row had no answer"]
    "#);
    assert_eq!(world.ours.seen().len(), seen, "the host was not asked");
    assert_snapshot!(health(&world).await?, @r#"[{"state":"closed"},{"host":"OURS","state":"open","reason":"3 requests to it in a row had no answer","seconds":SOME}]"#);
    let traces = world.host.get("/api/v1/traces?plugin=tests/greeter").await?.json();
    let id = traces["items"][0]["id"].as_str().ok_or("no trace")?;
    let trace = world.host.get(&format!("/api/v1/traces/{id}")).await?.json();
    assert_eq!(trace["refused"], json!([{"name": "http.send suspended", "count": 2}]), "{trace}");
    assert_eq!(trace["outcome"], "succeeded", "a host that is silent is no fault of the plugin");
    Ok(())
}

#[tokio::test]
async fn a_host_that_answers_again_is_asked_again() -> Done {
    let world = World::over(options(Duration::ZERO), |config| config).await?;
    world.serve().await?;
    let (gone, echo) = (json!({"url": world.ours.url("/gone")}), json!({"url": world.ours.url("/echo")}));
    world.answers(json!([gone, gone, gone])).await?;
    assert!(health(&world).await?.contains(r#""host":"OURS""#), "{}", health(&world).await?);
    world.answers(json!([gone])).await?;
    assert!(
        health(&world).await?.contains("4 requests to it in a row"),
        "a try had no answer: {}",
        health(&world).await?
    );
    let answered = world.answers(json!([echo, echo])).await?;
    assert!(answered.lines().all(|line| line.starts_with("[200,")), "{answered}");
    assert_snapshot!(health(&world).await?, @r#"[{"state":"closed"}]"#);
    Ok(())
}
