//! Requests to hosts outside. Only this module names the HTTP client.
//!
//! Refuses every scheme but https, hosts that are not on the list of the request, addresses that are not public, and
//! answers that take too long, are too large, come in pieces or come in another encoding. A name is resolved once, and
//! the connection goes to the address that was checked. A secret is sent only to its own hosts, never to a host of a
//! redirect, and recognised spellings of it are removed from the answer. A circuit breaker suspends a host that keeps
//! giving no answer.

mod address;
mod redaction;
mod refusal;
mod request;
mod resolver;
mod suspension;
mod target;

pub use refusal::Refusal;
pub use request::{Field, Method, Request, Response};
pub use suspension::{SuspendedHost, SuspensionSettings};
pub use target::Target;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{self, HeaderMap, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

use crate::domain::{HttpHost, SecretName, SecretValue};

use redaction::Redaction;
use resolver::Checked;
use suspension::{Ended, Suspensions};

/// The most redirects that are followed.
const REDIRECTS: u32 = 3;

/// The most fields of an answer that are handed on, and the most bytes of all its fields.
const FIELDS: usize = 64;
const FIELD_BYTES: usize = 16 << 10;

/// Bounds of all requests, and hosts and authorities with special rules, for every asker.
#[derive(Debug, Clone)]
pub struct Options {
    /// Hosts that may have addresses which are not public.
    pub allow_private: BTreeSet<HttpHost>,
    /// Certificates of authorities that are trusted in addition to the usual ones, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// The longest time for one request, with its redirects.
    pub time: Duration,
    /// When a host is suspended, and for how long.
    pub suspension: SuspensionSettings,
    /// The most bytes of the body of a request.
    pub request: usize,
    /// The most bytes of the body of an answer.
    pub response: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allow_private: BTreeSet::new(),
            authorities: Vec::new(),
            time: Duration::from_secs(2),
            suspension: SuspensionSettings::default(),
            request: 64 << 10,
            response: 256 << 10,
        }
    }
}

/// The error for a text without certificates.
#[derive(Debug, thiserror::Error)]
#[error("it has no certificate: give one or more in PEM, each between `BEGIN CERTIFICATE` and `END CERTIFICATE`")]
pub struct NoCertificate;

/// Parses the certificates in a PEM text. Returns them in DER.
pub fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, NoCertificate> {
    let items = ureq::tls::parse_pem(pem).collect::<Result<Vec<_>, _>>().map_err(|_| NoCertificate)?;
    let found = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate.der().to_vec()),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err(NoCertificate) } else { Ok(found) }
}

/// Sends requests. Sets nothing up before the first.
#[derive(Debug, Default)]
pub struct Client {
    options: Options,
    agent: OnceLock<Agent>,
    suspensions: Suspensions,
}

/// The result of one request to a host.
enum Said {
    Answer(Response),
    /// A redirect to this address.
    Elsewhere(String),
}

impl Client {
    /// A client with these options.
    pub fn new(options: Options) -> Self {
        let suspensions = Suspensions::new(options.suspension);
        Self { options, agent: OnceLock::new(), suspensions }
    }

    /// The hosts that are suspended for `asker` now, because they kept giving it no answer.
    pub fn suspended(&self, asker: &str, now: Instant) -> Vec<SuspendedHost> {
        self.suspensions.of(asker, now)
    }

    /// Sends a request of `asker` to one of the hosts in `allowed`, and follows redirects to those hosts, within
    /// `time`. Removes `secrets`, which include those of the request, from the answer.
    pub fn send(
        &self,
        asker: &str,
        request: &Request,
        allowed: &BTreeSet<HttpHost>,
        time: Duration,
        secrets: &[(SecretName, SecretValue)],
    ) -> Result<Response, Refusal> {
        let most = self.options.request;
        if request.body.len() > most {
            return Err(Refusal::RequestTooLarge { found: request.body.len(), most });
        }
        let until = Instant::now() + time.min(self.options.time);
        let mut target = request.target.clone();
        for _ in 0..=REDIRECTS {
            if !allowed.contains(target.host()) {
                return Err(Refusal::Host(target.host().clone()));
            }
            let with_secrets = target.host() == request.target.host();
            let turn = self.suspensions.admit(asker, target.host(), Instant::now())?;
            let left = until.saturating_duration_since(Instant::now());
            let said = self.ask(request, &target, with_secrets, left);
            turn.ended(Instant::now(), self.ended(&said, left));
            let to = match said? {
                Said::Answer(answer) => return Ok(answer.without(secrets)),
                Said::Elsewhere(to) => to,
            };
            // Following the redirect would send the secret to that host; naming the address in an error would tell it
            // to the plugin.
            if Redaction::of(secrets).struck_out(to.as_bytes()).is_some() {
                let why = "it redirects to an address that holds a secret".to_owned();
                return Err(Refusal::Unavailable { host: target.host().clone(), why });
            }
            target = target.redirected(&to)?;
        }
        Err(Refusal::Redirects(REDIRECTS))
    }

    fn ask(&self, request: &Request, target: &Target, with_secrets: bool, left: Duration) -> Result<Said, Refusal> {
        if left.is_zero() {
            return Err(Refusal::Timeout(target.host().clone()));
        }
        let agent = self.agent.get_or_init(|| agent(&self.options));
        let head = agent.configure_request(request.head(target, with_secrets)?).timeout_global(Some(left)).build();
        let answer = match request.body.as_slice() {
            [] => agent.run(head),
            body => agent.run(head.map(|()| body)),
        };
        let answer = answer.map_err(|error| Refusal::of(error, target.host(), self.options.response))?;
        match redirected(request.method, &answer) {
            Some(to) => Ok(Said::Elsewhere(to.to_owned())),
            None => self.read(target, answer).map(Said::Answer),
        }
    }

    /// What the end of a request that had `time` says about its host.
    fn ended(&self, said: &Result<Said, Refusal>, time: Duration) -> Ended {
        match said {
            Ok(_) | Err(Refusal::ResponseTooLarge { .. }) => Ended::Answered,
            // A time-out after little time says nothing about the host.
            Err(Refusal::Timeout(_)) if time < self.options.time / 2 => Ended::Unknown,
            Err(Refusal::Timeout(_) | Refusal::Unavailable { .. }) => Ended::Unanswered,
            Err(_) => Ended::Unknown,
        }
    }

    fn read(&self, target: &Target, answer: http::Response<ureq::Body>) -> Result<Response, Refusal> {
        let (parts, mut body) = answer.into_parts();
        whole(target.host(), parts.status, &parts.headers)?;
        let most = self.options.response;
        // One byte more than allowed, so that an answer of exactly the limit passes.
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let body = body.with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| Refusal::of(error, target.host(), most))?;
        if body.len() > most {
            return Err(Refusal::ResponseTooLarge { host: target.host().clone(), most });
        }
        Ok(Response { status: parts.status.as_u16(), headers: fields(&parts.headers), body })
    }
}

/// Refuses a partial answer, and one in another encoding: no secret would be recognised in it.
fn whole(host: &HttpHost, status: http::StatusCode, headers: &HeaderMap) -> Result<(), Refusal> {
    if status == http::StatusCode::PARTIAL_CONTENT || headers.contains_key(header::CONTENT_RANGE) {
        return Err(Refusal::Part(host.clone()));
    }
    for (name, plain) in [(header::CONTENT_ENCODING, "identity"), (header::TRANSFER_ENCODING, "chunked")] {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
        let codings: Vec<String> =
            values.flat_map(|it| it.split(',').map(|it| it.trim().to_owned()).collect::<Vec<_>>()).collect();
        if let Some(encoding) = codings.into_iter().find(|it| !it.is_empty() && it != plain && it != "identity") {
            // Any other name is text of the host, which might contain a secret.
            let known = ["br", "compress", "deflate", "gzip", "zstd"].into_iter().find(|known| *known == encoding);
            let encoding = known.unwrap_or("another");
            return Err(Refusal::Encoded { host: host.clone(), encoding });
        }
    }
    Ok(())
}

/// The target of a redirect. `None` for `POST`: a body is not posted to another host.
fn redirected(method: Method, answer: &http::Response<ureq::Body>) -> Option<&str> {
    let follows = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) && method != Method::Post;
    answer.headers().get(header::LOCATION).filter(|_| follows)?.to_str().ok()
}

/// The fields of an answer that are text, without cookies and fields of the connection.
fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut left = FIELD_BYTES;
    let text = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let told = text.filter(|(name, _)| !request::is_of_the_connection(name) && *name != "set-cookie");
    let fits = told.take_while(|(name, value)| {
        let bytes = name.len() + value.len();
        left = left.saturating_sub(bytes);
        left > 0
    });
    fits.take(FIELDS).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn agent(options: &Options) -> Agent {
    let usual = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|it| Certificate::from_der(it.as_ref()));
    let own = options.authorities.iter().map(|der| Certificate::from_der(der).to_owned());
    let roots: Vec<Certificate<'static>> = own.chain(usual).collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build();
    let config = Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The proxy settings of the process do not apply to plugins.
        .proxy(None)
        .max_response_header_size(2 * FIELD_BYTES)
        .user_agent(concat!("loadout/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Checked::new(options.allow_private.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_that_had_time_and_gave_no_answer_gave_none() {
        let client = Client::default();
        let host = || "a.example".parse::<HttpHost>().unwrap();
        let (whole, little) = (client.options.time, client.options.time / 3);
        let unavailable = Refusal::Unavailable { host: host(), why: "it hung up".to_owned() };
        for (said, time, expected) in [
            (Ok(Said::Elsewhere("/x".to_owned())), little, Ended::Answered),
            (Err(Refusal::ResponseTooLarge { host: host(), most: 1 }), whole, Ended::Answered),
            (Err(Refusal::Timeout(host())), whole, Ended::Unanswered),
            (Err(Refusal::Timeout(host())), little, Ended::Unknown),
            (Err(unavailable), little, Ended::Unanswered),
            (Err(Refusal::Private(host())), whole, Ended::Unknown),
            (Err(Refusal::Field { name: "x".to_owned(), rule: "no" }), whole, Ended::Unknown),
        ] {
            let told = said.as_ref().err().map(ToString::to_string);
            assert_eq!(client.ended(&said, time), expected, "{told:?} within {time:?}");
        }
    }
}
