//! No caller keeps others out: not with connections, not with slowness, not with much to do.

mod work;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loadout::http::{Connections, Options, Pace};
use loadout::resolve::{Absent, Evaluation, Reads, ToolRules};
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost};
use loadout_tests::process::ServerProcess;
use loadout_tests::{Done, program};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// What is not there after so long is not coming: to hang is the fault.
const HANGS: Duration = Duration::from_secs(60);

const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";

const HALF: &str = "GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: ";

/// Rules that answer nothing, and not before they may.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    asked: AtomicUsize,
}

impl ToolRules for Gate {
    fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
        None
    }

    fn fingerprint(&self) -> String {
        "gate".to_owned()
    }

    fn has_rule(&self, _: &str) -> bool {
        true
    }

    fn absent(&self, _: &str) -> &[Absent] {
        &[]
    }
}

/// Opens the gate at the end, so that a test that fails does not hang.
struct Opens(Arc<Gate>);

impl Opens {
    fn open(&self) {
        *self.0.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.opened.notify_all();
    }
}

impl Drop for Opens {
    fn drop(&mut self) {
        self.open();
    }
}

/// A server whose rules stand before a gate.
async fn gated(change: impl FnOnce(Options) -> Options) -> Result<(TestHost, Opens), Failure> {
    let gate = Arc::new(Gate::default());
    let host = TestHost::with_limits(Arc::clone(&gate) as _, change).await?;
    Ok((host, Opens(gate)))
}

/// A server with other limits.
async fn limited(change: impl FnOnce(Options) -> Options) -> Result<TestHost, Failure> {
    let (host, opens) = gated(change).await?;
    drop(opens);
    Ok(host)
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool, Failure>) -> Done {
    let begun = Instant::now();
    while !is_so().await? {
        if begun.elapsed() > HANGS {
            return Err(format!("still not: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// A number that the server counts.
async fn counted(host: &TestHost, series: &str) -> Result<u64, Failure> {
    let metrics = Reply::to(host.anonymous(Method::GET, "/metrics")).await?.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    Ok(value.map_or(Ok(0), str::parse)?)
}

fn question(host: &TestHost) -> reqwest::RequestBuilder {
    host.request(Method::POST, "/api/v1/experience")
        .json(&json!({"user": "kayla", "app": "customer-service-workspace"}))
}

/// A connection that was sent `text`.
fn send(address: &str, text: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(HANGS))?;
    stream.write_all(text.as_bytes())?;
    Ok(stream)
}

/// Reads one answer, which says how long it is.
fn answer(stream: &mut TcpStream) -> Result<String, Failure> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Err(format!("it ended after {:?}", String::from_utf8_lossy(&read)).into());
        }
        read.push(byte[0]);
    }
    let head = String::from_utf8(read)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(Ok(0), str::parse)?];
    stream.read_exact(&mut body)?;
    Ok(head + &String::from_utf8(body)?)
}

/// Reads to the end, or until the server cuts it off. A server that leaves the connection open is an error.
fn rest(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(format!("it is still open: {error}").into()),
        _ => Ok(read),
    }
}

#[tokio::test]
async fn half_headers_on_more_connections_than_there_are_files_keep_no_caller_out() -> Done {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n 256; exec "$0" "$@""#]).arg(program::path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--header-timeout", "3", "--data"]).arg(folder.path());
    command.env("LOADOUT_ADMIN_TOKEN", TOKEN).stderr(Stdio::null());
    let server = ServerProcess::start(command)?;
    let caller = server.caller();
    let address = server.address().trim_start_matches("http://").to_owned();

    let halves = (0..300).map(|_| send(&address, HALF)).collect::<Result<Vec<_>, _>>()?;
    let live = tokio::time::timeout(HANGS, caller.get("/health/live")).await??;
    assert_eq!(live.status, 200);
    for (number, mut half) in halves.into_iter().enumerate() {
        rest(&mut half).map_err(|error| format!("connection {number}: {error}"))?;
    }
    assert_eq!(caller.get("/api/v1/me").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_address_has_only_its_own_places() -> Done {
    let connections = Connections { per_address: 3, ..Connections::of(100) };
    let host = limited(|options| Options { connections, ..options }).await?;
    let other = TcpSocket::new_v4()?;
    other.bind(([127, 0, 0, 2], 0).into())?;
    let mut other = other.connect(host.socket().parse()?).await?.into_std()?;
    other.set_nonblocking(false)?;
    other.set_read_timeout(Some(HANGS))?;
    other.write_all(LIVE.as_bytes())?;
    let host_address = host.socket().to_owned();
    tokio::task::spawn_blocking(move || -> Done {
        assert!(answer(&mut other)?.starts_with("HTTP/1.1 200"));
        let mut many = (0..20).map(|_| send(&host_address, HALF)).collect::<Result<Vec<_>, _>>()?;
        let mut last = many.pop().ok_or("none")?;
        // The oldest give way to the newest, whose request is answered.
        last.write_all(b"b\r\n\r\n")?;
        assert!(answer(&mut last)?.starts_with("HTTP/1.1 200"));
        for half in &mut many[..17] {
            assert!(rest(half)?.is_empty());
        }
        // The one of the other address waited the longest of all, and is still there.
        other.write_all(LIVE.as_bytes())?;
        assert!(answer(&mut other)?.starts_with("HTTP/1.1 200"));
        Ok(())
    })
    .await??;
    assert!(counted(&host, r#"loadout_http_connections_closed_total{reason="made-room"}"#).await? >= 17);
    Ok(())
}

#[tokio::test]
async fn a_request_in_flight_keeps_its_place_and_a_caller_without_one_is_told_when_to_come_again() -> Done {
    let (host, gate) = gated(|options| Options { connections: Connections::of(1), ..options }).await?;
    let asking = tokio::spawn(question(&host).send());
    until("the question is being answered", async || Ok(gate.0.asked.load(Ordering::SeqCst) > 0)).await?;
    let address = host.socket().to_owned();
    let told = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, Failure> { rest(&mut send(&address, LIVE)?) });
    let told = String::from_utf8(told.await??)?;
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\r\nretry-after: 1\r\n"), "{told}");
    let (_, body) = told.split_once("\r\n\r\n").ok_or("no body")?;
    assert_eq!(serde_json::from_str::<Value>(body)?["code"], "server.busy");
    gate.open();
    assert_eq!(asking.await??.status(), 200);
    // It waits for its next request now, and gives way.
    let address = host.socket().to_owned();
    let next = tokio::task::spawn_blocking(move || answer(&mut send(&address, LIVE)?));
    assert!(next.await??.starts_with("HTTP/1.1 200"));
    Ok(())
}

#[tokio::test]
async fn a_body_that_trickles_in_is_given_up_wherever_it_is_sent() -> Done {
    let pace = Pace { grace: Duration::from_secs(1), rate: 8192 };
    let host = limited(|options| Options { pace, timeout: HANGS, ..options }).await?;
    for (path, kind) in [
        ("POST /api/v1/plugins", "application/wasm"),
        ("POST /api/v1/plugin-bundle", "application/zip"),
        ("POST /api/v1/upgrade-plans", "application/zip"),
        ("POST /api/v1/imports", "application/zip"),
        ("PUT /api/v1/queues/new_slow", "application/json"),
    ] {
        for length in ["content-length: 1000000", "transfer-encoding: chunked"] {
            let head = format!(
                "{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: {kind}\r\n{length}\r\n\r\n"
            );
            let address = host.socket().to_owned();
            let told = tokio::task::spawn_blocking(move || -> Result<String, Failure> {
                let mut stream = send(&address, &head)?;
                let mut trickle = stream.try_clone()?;
                std::thread::spawn(move || {
                    while trickle.write_all(b"1\r\n \r\n").is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                });
                answer(&mut stream)
            });
            let told = told.await??;
            assert!(told.starts_with("HTTP/1.1 408 ") && told.contains(r#""code":"slow-body""#), "{path}: {told}");
        }
    }
    assert_eq!(host.get("/api/v1/queues/new_slow").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_cut_off() -> Done {
    let pace = Pace { grace: Duration::from_secs(1), rate: 8192 };
    let host = limited(|options| Options { pace, ..options }).await?;
    // More than the buffers of the system hold.
    let ask = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    let mut stream = send(host.socket(), &ask)?;
    until("it is cut off", async || {
        Ok(counted(&host, r#"loadout_http_connections_closed_total{reason="slow-reader"}"#).await? == 1)
    })
    .await?;
    let taken = tokio::task::spawn_blocking(move || rest(&mut stream)).await??;
    let answers = String::from_utf8_lossy(&taken).matches("HTTP/1.1 200").count();
    assert!((1..200).contains(&answers), "{answers}");
    Ok(())
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() -> Done {
    let connections = Connections { idle: Duration::from_secs(1), ..Connections::of(100) };
    let host = limited(|options| Options { connections, ..options }).await?;
    let address = host.socket().to_owned();
    tokio::task::spawn_blocking(move || -> Done {
        let mut stream = send(&address, LIVE)?;
        for _ in 0..3 {
            answer(&mut stream)?;
            stream.write_all(LIVE.as_bytes())?;
        }
        answer(&mut stream)?;
        assert!(rest(&mut stream)?.is_empty());
        Ok(())
    })
    .await??;
    assert_eq!(counted(&host, r#"loadout_http_connections_closed_total{reason="idle"}"#).await?, 1);
    Ok(())
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_in_order_and_headers_have_a_limit() -> Done {
    let host = limited(|options| options).await?;
    let address = host.socket().to_owned();
    tokio::task::spawn_blocking(move || -> Done {
        let nothing = LIVE.replace("/health/live", "/nothing");
        let mut stream = send(&address, &[LIVE, &nothing, LIVE].concat())?;
        for status in ["200", "404", "200"] {
            let answer = answer(&mut stream)?;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
        let large = format!("{HALF}{}\r\n\r\n", "a".repeat(100_000));
        let many = format!("{HALF}{}\r\n\r\n", "a\r\nx-b: ".repeat(1000));
        for headers in [large, many] {
            // The answer may come before all is sent.
            let mut stream = TcpStream::connect(&address)?;
            stream.set_read_timeout(Some(HANGS))?;
            let _ = stream.write_all(headers.as_bytes());
            let mut status = [0; 12];
            stream.read_exact(&mut status)?;
            assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 431");
        }
        let mut other_version = send(&address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        assert!(!String::from_utf8_lossy(&rest(&mut other_version)?).contains("200"));
        Ok(())
    })
    .await?
}

#[tokio::test]
async fn a_server_that_stops_waits_for_what_is_in_flight_and_for_nothing_else() -> Done {
    let (mut host, gate) = gated(|options| Options { drain: Duration::from_secs(3600), ..options }).await?;
    let address = host.socket().to_owned();
    let idle = tokio::task::spawn_blocking(move || -> Result<_, Failure> {
        let mut idle = send(&address, LIVE)?;
        answer(&mut idle)?;
        Ok((idle, send(&address, HALF)?, TcpStream::connect(&address)?))
    });
    let idle = idle.await??;
    let asking = tokio::spawn(question(&host).send());
    until("the question is being answered", async || Ok(gate.0.asked.load(Ordering::SeqCst) > 0)).await?;
    host.tell();
    let address = host.socket().to_owned();
    until("nothing is accepted", async || Ok(TcpStream::connect(&address).is_err())).await?;
    assert!(!asking.is_finished());
    gate.open();
    assert_eq!(asking.await??.status(), 200);
    tokio::time::timeout(HANGS, host.stop()).await??;
    drop(idle);
    Ok(())
}

#[tokio::test]
async fn answers_mean_their_type_and_say_who_may_keep_them() -> Done {
    let host = TestHost::with_sample().await?;
    let mut told = Vec::new();
    for path in [
        "/health/live",
        "/health/ready",
        "/metrics",
        "/openapi.json",
        "/nothing",
        "/api/v1/profiles/contoso_rep",
        "/api/v1/profiles/contoso_nobody",
        "/api/v1/users",
        "/api/v1/tokens",
        "/api/v1/audit",
        "/api/v1/traces",
    ] {
        let reply = host.get(path).await?;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        let tag = if reply.header("etag").is_empty() { "" } else { " with a tag" };
        told.push(format!("{path}: {}, {}{tag}", reply.status, reply.header("cache-control")));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    /health/live: 200, no-store with a tag
    /health/ready: 200, no-store with a tag
    /metrics: 200, no-store with a tag
    /openapi.json: 200, no-cache with a tag
    /nothing: 404, no-store
    /api/v1/profiles/contoso_rep: 200, private, no-cache with a tag
    /api/v1/profiles/contoso_nobody: 404, no-store
    /api/v1/users: 200, private, no-cache with a tag
    /api/v1/tokens: 200, no-store with a tag
    /api/v1/audit: 200, no-store with a tag
    /api/v1/traces: 200, no-store with a tag
    ");
    Ok(())
}
