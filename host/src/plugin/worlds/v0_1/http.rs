//! The import `http`: requests to hosts outside.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::SecretName;
use crate::outbound::{Field, Request, Target};
use crate::plugin::outbound_access::gateway::{Answered, OutboundCall, Question, Refused, summary};

use super::State;
use super::generated::loadout::plugin::http::{HeaderValue, Host, Refusal, Request as Asked, Response};

impl Host for State {
    fn send(&mut self, request: Asked) -> wasmtime::Result<Result<Response, Refusal>> {
        let Asked { method, url, headers, body } = request;
        let with_body = if body.is_empty() { String::new() } else { format!(", {}", summary(&body)) };
        let of_header = |(name, value): &(String, HeaderValue)| match value {
            HeaderValue::Text(text) | HeaderValue::Secret(text) | HeaderValue::Bearer(text) => name.len() + text.len(),
        };
        let named = if headers.is_empty() { String::new() } else { format!(", headers {}", digest_of(&headers)) };
        let question = Question {
            call: "http.send",
            bytes: method.len() + url.len() + body.len() + headers.iter().map(of_header).sum::<usize>(),
            arguments: format!("{method} {url}{with_body}{named}"),
        };
        let answer = self.outside(question, |asking| {
            // Each may name a secret, which has to be looked up.
            Request::check_count(headers.len())?;
            let (method, target) = (method.parse()?, Target::parse(&url)?);
            if !asking.granted().http.contains(target.host()) {
                return Err(Refused::not_granted(format!(
                    "the host `{}` is not granted to this plugin",
                    target.host()
                )));
            }
            let headers = headers.into_iter().map(|(name, value)| Ok((name, field(asking, value)?)));
            let headers = headers.collect::<Result<_, Refused>>()?;
            let hosts = asking.granted().http.clone();
            let answer = asking.send(&Request { method, target, headers, body }, &hosts)?;
            let note = format!("{}, {}", answer.status, summary(&answer.body));
            let bytes = answer.body.len();
            let answer = Kept { status: answer.status, headers: answer.headers, body: answer.body.into() };
            Ok(Answered { answer, note, bytes })
        })?;
        Ok(match answer {
            Ok(Kept { status, headers, body }) => Ok(Response { status, headers, body: body.into_bytes()? }),
            Err(Refused { code, message, .. }) => Err(Refusal { code: code.into_owned(), message }),
        })
    }
}

/// An answer as a journal keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

/// The body of an answer, at about its own size.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Body {
    Text {
        text: String,
    },
    Base64 {
        base64: String,
    },
    /// As older programs wrote it.
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text { text },
            Err(error) => Self::Base64 { base64: BASE64_STANDARD.encode(error.as_bytes()) },
        }
    }
}

impl Body {
    fn into_bytes(self) -> wasmtime::Result<Vec<u8>> {
        Ok(match self {
            Self::Text { text } => text.into_bytes(),
            Self::Base64 { base64 } => BASE64_STANDARD.decode(base64)?,
            Self::Bytes(bytes) => bytes,
        })
    }
}

/// Tells requests with other headers apart. A secret counts by its name.
fn digest_of(headers: &[(String, HeaderValue)]) -> String {
    let line = |(name, value): &(String, HeaderValue)| match value {
        HeaderValue::Text(text) => format!("{name:?} {text:?}\n"),
        HeaderValue::Secret(secret) => format!("{name:?} secret {secret:?}\n"),
        HeaderValue::Bearer(secret) => format!("{name:?} bearer {secret:?}\n"),
    };
    summary(headers.iter().map(line).collect::<String>().as_bytes())
}

/// The value of a header, with the secret it names if that was granted.
fn field(asking: &OutboundCall<'_>, value: HeaderValue) -> Result<Field, Refused> {
    let (before, typed) = match value {
        HeaderValue::Text(text) => return Ok(Field::Text(text)),
        HeaderValue::Secret(name) => ("", name),
        HeaderValue::Bearer(name) => ("Bearer ", name),
    };
    let name = typed.parse::<SecretName>().ok().filter(|name| asking.granted().secrets.contains(name));
    let name = name.ok_or_else(|| {
        let shown: String = typed.chars().take(100).collect();
        Refused::not_granted(format!("the secret `{shown}` is not granted to this plugin"))
    })?;
    let secret = asking.secret(&name)?;
    Ok(Field::Secret { before, name, secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_at_about_its_size_and_comes_back() {
        for (bytes, expected) in [
            (b"a text".to_vec(), r#"{"text":"a text"}"#),
            (vec![0xff, 0xfe], r#"{"base64":"//4="}"#),
            (Vec::new(), r#"{"text":""}"#),
        ] {
            let kept = serde_json::to_string(&Body::from(bytes.clone())).unwrap();
            assert_eq!(kept, expected);
            assert_eq!(serde_json::from_str::<Body>(&kept).unwrap().into_bytes().unwrap(), bytes);
        }
        assert_eq!(serde_json::from_str::<Body>("[1,2]").unwrap().into_bytes().unwrap(), [1, 2]);
    }

    #[test]
    fn requests_with_other_headers_are_other_questions() {
        let text = |text: &str| HeaderValue::Text(text.to_owned());
        let headers = [
            vec![("a".to_owned(), text("b")), ("c".to_owned(), text("d"))],
            vec![("a".to_owned(), text("b\" \"c d"))],
            vec![("a".to_owned(), HeaderValue::Secret("b".to_owned()))],
            vec![("a".to_owned(), HeaderValue::Bearer("b".to_owned()))],
        ];
        let digests: std::collections::BTreeSet<_> = headers.iter().map(|it| digest_of(it)).collect();
        assert_eq!(digests.len(), headers.len());
    }
}
