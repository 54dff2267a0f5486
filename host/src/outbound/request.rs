//! Requests and answers. Refuses fields that belong to the connection or ask for a partial or encoded answer, a key
//! that is not a secret, and a secret for a host that it is not bound to.

use std::collections::BTreeSet;
use std::str::FromStr;

use ureq::http::{self, HeaderName, HeaderValue, header};

use crate::domain::{HttpHost, KeptSecret, SecretName, SecretValue};

use super::redaction::Redaction;
use super::{Refusal, Target};

/// The most fields of a request, and the most bytes of one field.
const FIELDS: usize = 32;
const FIELD_BYTES: usize = 4096 + 16;

/// The method of a request. Requests only read: none is meant to change anything outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks for the answer.
    Get,
    /// Asks for the answer without its body.
    Head,
    /// Asks with a body, for a question that does not fit into an address.
    Post,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub enum Field {
    /// A plain text.
    Text(String),
    /// A secret after a text such as `Bearer `.
    Secret {
        /// The text before the secret.
        before: &'static str,
        /// The name of the secret.
        name: SecretName,
        /// The value of the secret, and the hosts it is bound to.
        secret: KeptSecret,
    },
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub target: Target,
    /// The header fields.
    pub headers: Vec<(String, Field)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

impl FromStr for Method {
    type Err = Refusal;

    fn from_str(typed: &str) -> Result<Self, Refusal> {
        let known = [Self::Get, Self::Head, Self::Post].into_iter().find(|method| method.as_str() == typed);
        known.ok_or_else(|| Refusal::Method(typed.chars().take(20).collect()))
    }
}

impl Request {
    /// Refuses more header fields than a request may have, before any of them is made.
    pub fn check_count(headers: usize) -> Result<(), Refusal> {
        if headers > FIELDS { Err(refused("…", "32 are the most")) } else { Ok(()) }
    }

    /// The request for `target` without its body.
    pub(super) fn head(&self, target: &Target, with_secrets: bool) -> Result<http::Request<()>, Refusal> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(target.to_string());
        Self::check_count(self.headers.len())?;
        for (name, field) in &self.headers {
            let (name, value) = checked(name, field)?;
            if let Field::Secret { name, secret, .. } = field {
                if !with_secrets {
                    continue;
                }
                may_be_shown(name, &secret.hosts, target.host())?;
            }
            request = request.header(name, value);
        }
        // An encoded answer could not be searched for secrets.
        request = request.header(header::ACCEPT_ENCODING, "identity");
        request.body(()).map_err(|_| Refusal::Address(target.to_string()))
    }
}

impl Response {
    /// The answer with `secrets` removed.
    #[must_use]
    pub(super) fn without(self, secrets: &[(SecretName, SecretValue)]) -> Self {
        let Self { status, headers, body } = self;
        let redaction = Redaction::of(secrets);
        let strike = |text: String| match redaction.struck_out(text.as_bytes()) {
            Some(struck) => String::from_utf8_lossy(&struck).into_owned(),
            None => text,
        };
        let told = headers.into_iter().filter(|(name, _)| redaction.struck_out(name.as_bytes()).is_none());
        let headers = told.map(|(name, value)| (name, strike(value))).collect();
        let body = redaction.struck_out(&body).unwrap_or(body);
        Self { status, headers, body }
    }
}

/// Refuses a host that the secret is not bound to.
fn may_be_shown(name: &SecretName, hosts: &BTreeSet<HttpHost>, host: &HttpHost) -> Result<(), Refusal> {
    if hosts.contains(host) {
        return Ok(());
    }
    let (secret, host) = (name.clone(), host.clone());
    Err(if hosts.is_empty() { Refusal::UnboundSecret(secret) } else { Refusal::SecretElsewhere { secret, host } })
}

/// Whether a field is about the connection and not about the request.
pub(super) fn is_of_the_connection(name: &str) -> bool {
    const OF_THE_CONNECTION: [&str; 12] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "max-forwards",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    OF_THE_CONNECTION.contains(&name) || name.starts_with("proxy-")
}

/// Whether a field asks for a partial answer, or for an encoding in which no secret would be recognised.
fn asks_for_another_form(name: &str) -> bool {
    matches!(
        name,
        "accept-encoding"
            | "a-im"
            | "if-range"
            | "range"
            | "request-range"
            | "want-digest"
            | "want-content-digest"
            | "want-repr-digest"
    )
}

fn checked(name: &str, field: &Field) -> Result<(HeaderName, HeaderValue), Refusal> {
    let header = HeaderName::from_str(name).map_err(|_| refused(name, "a name has letters, digits and `-`"))?;
    if is_of_the_connection(header.as_str()) {
        return Err(refused(name, "the host says that itself"));
    }
    if asks_for_another_form(header.as_str()) {
        return Err(refused(name, "an answer comes whole and as it is, so that secrets can be struck out of it"));
    }
    let (text, is_secret) = match field {
        Field::Text(_) if header == header::AUTHORIZATION => {
            return Err(refused(name, "give a secret by its name, which the host puts in"));
        }
        Field::Text(text) => (text.clone(), false),
        Field::Secret { before, secret, .. } => (format!("{before}{}", secret.value.reveal()), true),
    };
    let fits = text.len() <= FIELD_BYTES && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&text).ok().filter(|_| fits);
    let mut value = value.ok_or_else(|| refused(name, "a value has at most 4 KiB of visible ASCII"))?;
    value.set_sensitive(is_secret);
    Ok((header, value))
}

fn refused(name: &str, rule: &'static str) -> Refusal {
    Refusal::Field { name: name.chars().take(100).collect(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, field: Field) -> Request {
        let target = Target::parse("https://a.example/x").unwrap();
        Request { method: Method::Get, target, headers: vec![(name.to_owned(), field)], body: Vec::new() }
    }

    fn secret() -> Field {
        bound_to(&["a.example"])
    }

    fn bound_to(hosts: &[&str]) -> Field {
        let value = SecretValue::new("a-good-secret".to_owned()).unwrap();
        let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        Field::Secret { before: "Bearer ", name: "token".parse().unwrap(), secret: KeptSecret { value, hosts } }
    }

    #[test]
    fn fields_of_the_connection_and_plain_keys_are_refused() {
        const WHOLE: Option<&str> = Some("an answer comes whole and as it is, so that secrets can be struck out of it");
        let text = |text: &str| Field::Text(text.to_owned());
        for (name, field, rule) in [
            ("accept", text("application/json"), None),
            ("Authorization", secret(), None),
            ("x-api-key", secret(), None),
            ("authorization", text("Bearer mine"), Some("give a secret by its name, which the host puts in")),
            ("Host", text("b.example"), Some("the host says that itself")),
            ("transfer-encoding", text("chunked"), Some("the host says that itself")),
            ("Content-Length", text("1"), Some("the host says that itself")),
            ("proxy-authorization", secret(), Some("the host says that itself")),
            ("TE", text("trailers"), Some("the host says that itself")),
            ("Trailer", text("x"), Some("the host says that itself")),
            ("http2-settings", text("x"), Some("the host says that itself")),
            ("Range", text("bytes=0-20"), WHOLE),
            ("if-range", text("\"x\""), WHOLE),
            ("Accept-Encoding", text("gzip"), WHOLE),
            ("a-im", text("gzip"), WHOLE),
            ("want-digest", text("sha-256"), WHOLE),
            ("x y", text("z"), Some("a name has letters, digits and `-`")),
            ("x", text("a\r\nhost: b"), Some("a value has at most 4 KiB of visible ASCII")),
            ("x", text(&"a".repeat(5000)), Some("a value has at most 4 KiB of visible ASCII")),
        ] {
            let asked = request(name, field);
            let found = asked.head(&asked.target, true).err();
            let expected = rule.map(|rule| Refusal::Field { name: name.to_owned(), rule });
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_secret_is_sent_where_it_belongs_and_printed_nowhere() {
        let asked = request("authorization", secret());
        let sent = |with_secrets| asked.head(&asked.target, with_secrets).unwrap();
        assert_eq!(sent(true).headers()["authorization"], "Bearer a-good-secret");
        assert!(!sent(false).headers().contains_key("authorization"));
        assert_eq!(sent(false).headers()["accept-encoding"], "identity");
        let printed = format!("{asked:?} {:?}", sent(true));
        assert!(!printed.contains("a-good-secret"), "{printed}");
    }

    #[test]
    fn a_secret_is_refused_for_a_host_it_is_not_bound_to() {
        for (hosts, expected) in [
            (&["a.example"][..], None),
            (&["b.example", "a.example"], None),
            (
                &["b.example"],
                Some(
                    "the secret `token` is not for the host `a.example`: it can be bound to it with `PUT /api/v1/secrets/token`",
                ),
            ),
            (
                &["a.example:8443"],
                Some(
                    "the secret `token` is not for the host `a.example`: it can be bound to it with `PUT /api/v1/secrets/token`",
                ),
            ),
            (
                &[],
                Some(
                    "the secret `token` is bound to no host, so it goes nowhere: write it again with its hosts, with `PUT /api/v1/secrets/token`",
                ),
            ),
        ] {
            let asked = request("authorization", bound_to(hosts));
            let found = asked.head(&asked.target, true).err();
            assert_eq!(found.as_ref().map(ToString::to_string).as_deref(), expected, "{hosts:?}");
            assert!(found.is_none_or(|refusal| refusal.code() == "no-secret" && refusal.is_denied()));
        }
    }

    #[test]
    fn an_echo_has_no_secret() {
        let Field::Secret { name, secret: KeptSecret { value, .. }, .. } = secret() else { panic!("it is one") };
        let echo = |text: &str| Response {
            status: 200,
            headers: vec![("x-echo".to_owned(), text.to_owned())],
            body: text.as_bytes().to_vec(),
        };
        let expected = echo("it was Bearer [secret token]");
        let secrets = [(name, value)];
        assert_eq!(echo("it was Bearer a-good-secret").without(&secrets), expected);
        let named = Response { headers: vec![("x-a-good-secret".to_owned(), "1".to_owned())], ..echo("") };
        assert_eq!(named.without(&secrets).headers, [], "a field that is called so is not handed on");
    }
}
