//! A host outside: an https server on loopback that does what its path says, with a certificate by an authority of its
//! own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::host::Failure;

/// The authority that certifies the servers of the tests.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self, Failure> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

/// A server that answers: `/echo` with the request itself, `/moved?to=…` with a redirect, `/round` with one to itself,
/// `/large` with more than any caller takes, `/slow` never, `/gone` not at all, by hanging up, `/part` with the
/// beginning of the request as a part, `/packed` with what says that it is packed, `/base64` with the secret it was
/// shown in base64, `/held` with nothing, once it is released, `/crm/contacts` with a record and `/wiki` with articles.
pub struct Outside {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    gate: Arc<Gate>,
}

/// Holds answers until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(open, |open| !*open));
    }

    fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}

impl Outside {
    /// A server that `authority` certifies. It serves until the program ends.
    pub fn start(authority: &Authority) -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        let (config, listener) = (Arc::new(config), TcpListener::bind(("127.0.0.1", 0))?);
        let (port, seen, gate) = (listener.local_addr()?.port(), Arc::default(), Arc::<Gate>::default());
        let (requests, held) = (Arc::clone(&seen), Arc::clone(&gate));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, requests, held) = (Arc::clone(&config), Arc::clone(&requests), Arc::clone(&held));
                // What becomes of one connection is for its client to notice.
                thread::spawn(move || drop(answer(stream, config, &requests, &held)));
            }
        });
        Ok(Self { port, seen, gate })
    }

    /// Its name, as plugins ask for it.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Where `path` is.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host())
    }

    /// Answers the requests for `/held` that wait, and each later one at once.
    pub fn release(&self) {
        self.gate.open();
    }

    /// The requests it was sent, as they came.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, seen: &Mutex<Vec<String>>, gate: &Gate) -> Result<(), Failure> {
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, stream);
    let request = request(&mut stream)?;
    let before = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(request.clone());
        seen.len() - 1
    };
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (status, header, body) = match path {
        "/slow" | "/slow/contacts" => {
            // Until the caller that waits gives up.
            return Ok(stream.read_to_end(&mut Vec::new()).map(drop)?);
        }
        "/gone" => return Ok(()),
        "/held" => {
            gate.pass();
            ("200 OK", String::new(), String::new())
        }
        "/moved" => ("302 Found", format!("location: {}\r\n", query.trim_start_matches("to=")), String::new()),
        "/round" => ("307 Temporary Redirect", "location: /round\r\n".to_owned(), String::new()),
        "/large" => ("200 OK", String::new(), "x".repeat(300 << 10)),
        "/part" => ("206 Partial Content", String::new(), request.chars().take(40).collect()),
        "/packed" => ("200 OK", "content-encoding: gzip\r\n".to_owned(), "as if it were packed".to_owned()),
        "/base64" => ("200 OK", String::new(), base64_of(&request)),
        "/before" => ("200 OK", String::new(), format!("{before} before")),
        "/echo" => ("200 OK", String::new(), request),
        "/crm/contacts" => ("200 OK", String::new(), r#"{"value":[{"fullname":"Ada Lovelace"}]}"#.to_owned()),
        "/wiki" => {
            let articles = r#"{"items":[{"id":"1","title":"Refunds","url":"https://wiki.example/1","excerpt":"How"}]}"#;
            ("200 OK", String::new(), articles.to_owned())
        }
        _ => ("404 Not Found", String::new(), String::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}")?;
    stream.flush()?;
    stream.conn.send_close_notify();
    Ok(stream.flush()?)
}

/// What a request shows as a bearer, in base64.
fn base64_of(request: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bearer = request.lines().find_map(|line| line.split_once("Bearer ")).map_or("", |(_, bearer)| bearer);
    let mut text = String::new();
    for bytes in bearer.as_bytes().chunks(3) {
        let group = bytes.iter().chain(&[0, 0]).take(3).fold(0, |group, byte| (group << 8) | usize::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[(group >> shift) & 63]));
        text.extend(&digits[..=bytes.len()]);
    }
    text
}

/// A request with its body.
fn request(stream: &mut impl Read) -> Result<String, Failure> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(text);
            }
        }
        match stream.read(&mut piece)? {
            0 => return Ok(text),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
