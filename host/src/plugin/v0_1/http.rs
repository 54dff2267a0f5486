//! The import `http`: requests to hosts outside.

use crate::domain::SecretName;
use crate::outbound::{Field, Request, Target};
use crate::plugin::outside::{Answered, Asking, Question, Refused, summary};

use super::State;
use super::generated::loadout::plugin::http::{HeaderValue, Host, Refusal, Request as Asked, Response};

impl Host for State {
    fn send(&mut self, request: Asked) -> wasmtime::Result<Result<Response, Refusal>> {
        let Asked { method, url, headers, body } = request;
        let with_body = if body.is_empty() { String::new() } else { format!(", {}", summary(&body)) };
        let of_header = |(name, value): &(String, HeaderValue)| match value {
            HeaderValue::Text(text) | HeaderValue::Secret(text) | HeaderValue::Bearer(text) => name.len() + text.len(),
        };
        let question = Question {
            call: "http.send",
            bytes: method.len() + url.len() + body.len() + headers.iter().map(of_header).sum::<usize>(),
            arguments: format!("{method} {url}{with_body}"),
        };
        let answer = self.outside(question, |asking| {
            let (method, target) = (method.parse()?, Target::parse(&url)?);
            if !asking.had().http.contains(target.host()) {
                return Err(Refused::not_granted(format!(
                    "the host `{}` is not granted to this plugin",
                    target.host()
                )));
            }
            let headers = headers.into_iter().map(|(name, value)| Ok((name, field(asking, value)?)));
            let headers = headers.collect::<Result<_, Refused>>()?;
            let hosts = asking.had().http.clone();
            let answer = asking.send(&Request { method, target, headers, body }, &hosts)?;
            let note = format!("{}, {}", answer.status, summary(&answer.body));
            let bytes = answer.body.len();
            let answer = Response { status: answer.status, headers: answer.headers, body: answer.body };
            Ok(Answered { answer, note, bytes })
        })?;
        Ok(answer.map_err(|Refused { code, message, .. }| Refusal { code: code.into_owned(), message }))
    }
}

/// The value of a header, with the secret it names if that was granted.
fn field(asking: &Asking<'_>, value: HeaderValue) -> Result<Field, Refused> {
    let (before, typed) = match value {
        HeaderValue::Text(text) => return Ok(Field::Text(text)),
        HeaderValue::Secret(name) => ("", name),
        HeaderValue::Bearer(name) => ("Bearer ", name),
    };
    let name = typed.parse::<SecretName>().ok().filter(|name| asking.had().secrets.contains(name));
    let name = name.ok_or_else(|| {
        let shown: String = typed.chars().take(100).collect();
        Refused::not_granted(format!("the secret `{shown}` is not granted to this plugin"))
    })?;
    let value = asking.secret(&name)?;
    Ok(Field::Secret { before, name, value })
}
