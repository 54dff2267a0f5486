//! Spans go to a collector, as parts of the trace of the caller.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;

use loadout_tests::Done;
use loadout_tests::program::{loadout, signalled};

/// A process that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended needs no ending.
        let _ = self.0.kill();
    }
}

/// The body of one request, answered with 200.
fn receive(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(&mut *stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )?;
    Ok(body)
}

#[test]
fn spans_reach_a_collector_and_go_on_with_the_trace_of_the_caller() -> Done {
    let folder = tempfile::tempdir()?;
    let collector = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", collector.local_addr()?);
    let arguments =
        ["serve", "--data", "env", "--listen", "127.0.0.1:0", "--sample", "contoso", "--otlp-endpoint", &endpoint];
    let mut command = loadout(folder.path(), &arguments);
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    let mut server = Server(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let address = line
        .strip_prefix("loadout is ready at http://")
        .and_then(|rest| rest.split_once(','))
        .ok_or_else(|| format!("not ready: {line}"))?
        .0
        .to_owned();
    let token = std::fs::read_to_string(folder.path().join("env/admin.token"))?;

    let received = thread::spawn(move || -> std::io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let mut stream = collector.accept()?.0;
            let body = receive(&mut stream)?;
            all.extend_from_slice(&body);
            let has = |text: &[u8]| all.windows(text.len()).any(|window| window == text);
            if has(b"plugin.call") && has(b"request") {
                return Ok(all);
            }
        }
    });
    let mut stream = TcpStream::connect(&address)?;
    let path = "/api/v1/users/kayla/experience?app=customer-service-workspace";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nconnection: close\r\n\r\n",
        token.trim()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // What was not sent until now is sent when the server stops.
    signalled(&server.0, "-TERM")?;
    assert!(server.0.wait()?.success());

    let spans = received.join().map_err(|_| "the collector broke off")??;
    let has = |text: &[u8]| spans.windows(text.len()).any(|window| window == text);
    assert!(has(b"loadout/scripts") && has(b"succeeded") && has(b"service.name"));
    let caller = [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
    assert!(has(&caller), "the trace is the caller's");
    assert!(has(&[0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]), "the request is a child of the caller's span");
    Ok(())
}
