//! What is asked and what is answered. Refuses fields that belong to the connection, and a key that is not a secret.

use std::str::FromStr;

use ureq::http::{self, HeaderName, HeaderValue, header};

use crate::domain::{SecretName, SecretValue};

use super::{Refusal, Target, redaction};

/// Most fields of a request, and the bytes of one.
const FIELDS: usize = 32;
const FIELD_BYTES: usize = 4096 + 16;

/// How something is asked. Nothing outside is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// For the answer.
    Get,
    /// For the answer without its body.
    Head,
    /// With a question that does not fit into an address.
    Post,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub enum Field {
    /// A text.
    Text(String),
    /// A secret, behind a text such as `Bearer `.
    Secret {
        /// What stands before it.
        before: &'static str,
        /// What it is called.
        name: SecretName,
        /// What it is.
        value: SecretValue,
    },
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where.
    pub target: Target,
    /// With which fields.
    pub headers: Vec<(String, Field)>,
    /// With which body; none, if empty.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its fields, in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
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
    /// Refuses more headers than a request may have, before any of them is made.
    pub fn check_count(headers: usize) -> Result<(), Refusal> {
        if headers > FIELDS { Err(refused("…", "32 are the most")) } else { Ok(()) }
    }

    /// All but the body, to be sent to `target`.
    pub(super) fn head(&self, target: &Target, with_secrets: bool) -> Result<http::Request<()>, Refusal> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(target.to_string());
        Self::check_count(self.headers.len())?;
        for (name, field) in &self.headers {
            let (name, value) = checked(name, field)?;
            if with_secrets || matches!(field, Field::Text(_)) {
                request = request.header(name, value);
            }
        }
        request.body(()).map_err(|_| Refusal::Address(target.to_string()))
    }
}

impl Response {
    /// The same without `secrets`.
    #[must_use]
    pub(super) fn without(self, secrets: &[(SecretName, SecretValue)]) -> Self {
        let Self { status, headers, body } = self;
        let strike = |text: String| match redaction::struck_out(text.as_bytes(), secrets) {
            Some(struck) => String::from_utf8_lossy(&struck).into_owned(),
            None => text,
        };
        let headers = headers.into_iter().map(|(name, value)| (name, strike(value))).collect();
        let body = redaction::struck_out(&body, secrets).unwrap_or(body);
        Self { status, headers, body }
    }
}

/// Whether a field is about the connection and not about what is asked.
pub(super) fn is_of_the_connection(name: &str) -> bool {
    const OF_THE_CONNECTION: [&str; 10] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    OF_THE_CONNECTION.contains(&name) || name.starts_with("proxy-")
}

fn checked(name: &str, field: &Field) -> Result<(HeaderName, HeaderValue), Refusal> {
    let header = HeaderName::from_str(name).map_err(|_| refused(name, "a name has letters, digits and `-`"))?;
    if is_of_the_connection(header.as_str()) {
        return Err(refused(name, "the host says that itself"));
    }
    let (text, is_secret) = match field {
        Field::Text(_) if header == header::AUTHORIZATION => {
            return Err(refused(name, "give a secret by its name, which the host puts in"));
        }
        Field::Text(text) => (text.clone(), false),
        Field::Secret { before, value, .. } => (format!("{before}{}", value.reveal()), true),
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
        let value = SecretValue::new("a-good-secret".to_owned()).unwrap();
        Field::Secret { before: "Bearer ", name: "token".parse().unwrap(), value }
    }

    #[test]
    fn fields_of_the_connection_and_plain_keys_are_refused() {
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
        assert!(sent(false).headers().is_empty());
        let printed = format!("{asked:?} {:?}", sent(true));
        assert!(!printed.contains("a-good-secret"), "{printed}");
    }

    #[test]
    fn an_echo_has_no_secret() {
        let Field::Secret { name, value, .. } = secret() else { panic!("it is one") };
        let echo = |text: &str| Response {
            status: 200,
            headers: vec![("x-echo".to_owned(), text.to_owned())],
            body: text.as_bytes().to_vec(),
        };
        let expected = echo("it was Bearer [secret token]");
        assert_eq!(echo("it was Bearer a-good-secret").without(&[(name, value)]), expected);
    }
}
