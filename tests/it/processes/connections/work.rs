//! Requests in work: whose threads they take, who waits, and what is given up.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loadout::domain::access::Secret;
use loadout::http::{LaneLimits, Options, Room, Work};
use loadout::resolve::{Absent, Evaluation, Reads, ToolRules};
use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost};
use reqwest::Method;
use serde_json::json;

use super::{HANGS, answer, counted, gated, limited, question, send, until};

const ONE: LaneLimits = LaneLimits { threads: 1, waiting: 1 };

const ONE_AND_ONE: Work = Work { usual: ONE, changes: ONE, mends: ONE, long: ONE, bodies: ONE };

/// A lane in which nothing is done.
const NONE: LaneLimits = LaneLimits { threads: 0, waiting: 0 };

const WAITING: &str = r#"loadout_work_waiting{lane="usual"}"#;

/// A question that is sent, and may be given up.
fn asks(host: &TestHost) -> tokio::task::JoinHandle<Result<Reply, Failure>> {
    tokio::spawn(Reply::to(question(host)))
}

/// A new token that asks for experiences.
async fn token(host: &TestHost, name: &str) -> Result<String, Failure> {
    let made = host.post("/api/v1/tokens", json!({"name": name, "roles": ["workspace"]})).await?;
    Ok(made.json()["secret"].as_str().ok_or_else(|| format!("no secret: {made}"))?.to_owned())
}

#[tokio::test]
async fn who_comes_when_too_many_wait_is_refused_and_others_notice_nothing() -> Done {
    let (host, gate) = gated(|options| Options { work: ONE_AND_ONE, ..options }).await?;
    let asking = asks(&host);
    until("the question is being answered", async || Ok(gate.0.asked.load(Ordering::SeqCst) > 0)).await?;
    let waiting = asks(&host);
    until("the question waits", async || Ok(counted(&host, WAITING).await? == 1)).await?;

    let refused = host.get("/api/v1/queues").await?;
    insta::assert_snapshot!(refused, @r#"503 {"code":"server.busy","detail":"too many requests wait already, and nothing of this one was done: send it again after the seconds of `Retry-After`"}"#);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(host.get("/health/ready").await?.status, 200);
    // A token that the database has to be asked about.
    let unknown = Secret::of([7; 32]);
    let stranger = host.anonymous(Method::GET, "/api/v1/me").bearer_auth(unknown.reveal());
    assert_eq!(Reply::to(stranger).await?.status, 401);
    // What takes long has threads of its own, and so have changes.
    let not_a_zip = host.request(Method::POST, "/api/v1/imports").header("content-type", "application/zip").body("no");
    assert_eq!(Reply::to(not_a_zip).await?.status, 422);
    assert_eq!(host.put("/api/v1/queues/new_meanwhile", json!({"name": "Meanwhile"})).await?.status, 201);

    gate.open();
    assert_eq!((asking.await??.status, waiting.await??.status), (200, 200));
    assert_eq!(counted(&host, r#"loadout_work_refused_total{lane="usual"}"#).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_token_with_many_requests_makes_room_for_another() -> Done {
    let usual = LaneLimits { threads: 1, waiting: 2 };
    let (host, gate) = gated(|options| Options { work: Work { usual, ..ONE_AND_ONE }, ..options }).await?;
    let desk = token(&host, "desk").await?;
    let asking = asks(&host);
    until("the question is being answered", async || Ok(gate.0.asked.load(Ordering::SeqCst) > 0)).await?;
    let mut many = Vec::new();
    for waiting in 1..=2 {
        many.push(asks(&host));
        until("the question waits", async || Ok(counted(&host, WAITING).await? == waiting)).await?;
    }
    let other = host.anonymous(Method::POST, "/api/v1/experience").bearer_auth(&desk);
    let other = other.json(&json!({"user": "kayla", "app": "customer-service-workspace"}));
    let other = tokio::spawn(Reply::to(other));
    let latest = many.pop().ok_or("none")?.await??;
    assert_eq!((latest.status, &latest.json()["code"]), (503, &json!("server.busy")), "{latest}");
    assert_eq!(counted(&host, WAITING).await?, 2);
    gate.open();
    for asked in [asking, other].into_iter().chain(many) {
        assert_eq!(asked.await??.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_request_is_there_for_decides_whose_threads_it_takes() -> Done {
    for (without, refused) in [
        (Work { usual: NONE, ..Work::default() }, "question"),
        (Work { changes: NONE, ..Work::default() }, "change"),
        (Work { mends: NONE, ..Work::default() }, "token"),
        (Work { bodies: NONE, ..Work::default() }, "large change"),
    ] {
        let host = limited(|options| Options { work: without, ..options }).await?;
        let large = json!({"name": "Large", "description": " ".repeat(40_000)});
        let asked = [
            ("question", asks(&host).await??),
            ("change", host.put("/api/v1/queues/new_small", json!({"name": "Small"})).await?),
            ("token", host.post("/api/v1/tokens", json!({"name": "desk", "roles": ["workspace"]})).await?),
            ("large change", host.put("/api/v1/queues/new_large", large).await?),
        ];
        for (what, reply) in &asked {
            let is_refused = reply.json()["code"] == "server.busy";
            // A large body that is read is then a change like any other.
            let goes_on = refused == "change" && *what == "large change";
            assert_eq!(is_refused, *what == refused || goes_on, "{what} without threads for a {refused}: {reply}");
        }
        // Strangers, and whose token it is, depend on no lane.
        let desk = asked[2].1.json()["secret"].as_str().unwrap_or_default().to_owned();
        let me = Reply::to(host.anonymous(Method::GET, "/api/v1/me").bearer_auth(desk)).await?;
        assert_eq!(me.status, if refused == "token" { 401 } else { 200 }, "{me}");
        assert_eq!(host.get("/health/ready").await?.status, 200);
        assert_eq!(Reply::to(host.anonymous(Method::GET, "/metrics")).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_given_up_before_it_began_is_not_done() -> Done {
    let (host, gate) = gated(|options| Options { work: ONE_AND_ONE, ..options }).await?;
    let asking = asks(&host);
    until("the question is being answered", async || Ok(gate.0.asked.load(Ordering::SeqCst) > 0)).await?;
    for given_up in 1..=5 {
        let waiting = asks(&host);
        until("the question waits", async || Ok(counted(&host, WAITING).await? == 1)).await?;
        waiting.abort();
        until("it is dropped", async || {
            Ok(counted(&host, r#"loadout_work_dropped_total{lane="usual"}"#).await? == given_up)
        })
        .await?;
    }
    gate.open();
    assert_eq!(asking.await??.status, 200);
    let of_one = gate.0.asked.load(Ordering::SeqCst);
    assert_eq!(asks(&host).await??.status, 200);
    assert_eq!(gate.0.asked.load(Ordering::SeqCst), 2 * of_one, "the rules were asked for the two that were answered");
    Ok(())
}

#[tokio::test]
async fn a_request_that_waited_too_long_is_told_so_and_not_done_later() -> Done {
    let timeout = Duration::from_secs(1);
    let (host, gate) = gated(|options| Options { work: ONE_AND_ONE, timeout, ..options }).await?;
    let asked = question(&host).send().await?;
    assert_eq!(asked.status(), 503, "the question goes on behind the gate");
    let told = asks(&host).await??;
    assert_eq!((told.status, &told.json()["code"]), (503, &json!("timeout")), "{told}");
    gate.open();
    // What was begun ends before the next begins.
    assert_eq!(host.get("/api/v1/queues").await?.status, 200);
    let asked = || gate.0.asked.load(Ordering::SeqCst);
    let begun = asked();
    assert_eq!(asks(&host).await??.status, 200);
    let of_one = asked() - begun;
    assert!(
        begun < of_one,
        "the rules were asked {begun} times for what was given up, and {of_one} times for an answer"
    );
    assert_eq!(asks(&host).await??.status, 200);
    assert_eq!(asked(), begun + 2 * of_one);
    Ok(())
}

/// Rules that go on until nothing is waited for any more.
#[derive(Default)]
struct Stubborn {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl ToolRules for Stubborn {
    fn evaluate(&self, _: &str, _: &str, reads: Reads) -> Option<Evaluation> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        while !reads.effort().is_given_up() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        None
    }

    fn fingerprint(&self) -> String {
        "stubborn".to_owned()
    }

    fn has_rule(&self, _: &str) -> bool {
        true
    }

    fn absent(&self, _: &str) -> &[Absent] {
        &[]
    }
}

#[tokio::test]
async fn what_is_worked_on_stops_when_the_request_is_given_up_by_time_or_by_its_caller() -> Done {
    for (by_time, timeout) in [(true, Duration::from_secs(1)), (false, 10 * HANGS)] {
        let rules = Arc::new(Stubborn::default());
        let options = |options| Options { work: ONE_AND_ONE, timeout, ..options };
        let host = TestHost::with_limits(Arc::clone(&rules) as _, options).await?;
        let asked = tokio::spawn(question(&host).send());
        if by_time {
            assert_eq!(asked.await??.status(), 503);
        } else {
            until("a rule is asked", async || Ok(rules.begun.load(Ordering::SeqCst) > 0)).await?;
            asked.abort();
            // The only thread is free again.
            assert_eq!(host.get("/api/v1/queues").await?.status, 200);
        }
        // On a machine that is too busy the time may be up before a rule is asked.
        let under_way = || rules.begun.load(Ordering::SeqCst) - rules.ended.load(Ordering::SeqCst);
        until("the rule that was asked ends", async || Ok(under_way() == 0)).await?;
        assert!(rules.begun.load(Ordering::SeqCst) <= 1, "no other rule was asked after that");
    }
    Ok(())
}

#[tokio::test]
async fn bodies_take_no_more_memory_than_there_is_for_them() -> Done {
    let room = Room { packages: 100_000, ..Room::default() };
    let host = limited(|options| Options { room, ..options }).await?;
    let head = format!(
        "POST /api/v1/imports HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/zip\r\n\
         expect: 100-continue\r\ncontent-length: 90000\r\n\r\n"
    );
    let address = host.socket().to_owned();
    let (mut first, go_on) = tokio::task::spawn_blocking(move || -> Result<_, Failure> {
        let mut stream = send(&address, &head)?;
        let go_on = answer(&mut stream)?;
        Ok((stream, go_on))
    })
    .await??;
    assert!(go_on.starts_with("HTTP/1.1 100 "), "{go_on}");

    let second = |request: reqwest::RequestBuilder| {
        Reply::to(request.header("content-type", "application/zip").body(vec![0; 20_000]))
    };
    let refused = second(host.request(Method::POST, "/api/v1/imports")).await?;
    insta::assert_snapshot!(refused, @r#"503 {"code":"server.busy","detail":"there is no room for the body, because others send much at this moment, and nothing was done: send it again after the seconds of `Retry-After`"}"#);
    assert_eq!(refused.header("retry-after"), "2");
    let stranger = second(host.anonymous(Method::POST, "/api/v1/imports")).await?;
    assert_eq!(stranger.status, 401, "who calls is asked first");
    assert_eq!(host.put("/api/v1/queues/new_documents", json!({"name": "Documents"})).await?.status, 201);

    let told = tokio::task::spawn_blocking(move || -> Result<String, Failure> {
        first.write_all(&vec![0; 90_000])?;
        answer(&mut first)
    });
    let told = told.await??;
    assert!(told.starts_with("HTTP/1.1 422 "), "{told}");
    let again = second(host.request(Method::POST, "/api/v1/imports")).await?;
    assert_eq!(again.status, 422, "there is room again: {again}");
    Ok(())
}
