//! The import `knowledge`: articles through connectors.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::domain::ConnectorKind;
use crate::domain::address::runs_code;
use crate::plugin::outbound_access::gateway::{Answered, Question, Refused};

use super::State;
use super::generated::loadout::plugin::knowledge::{Article, Host, Refusal};

/// Most articles of one answer.
const ARTICLES: u32 = 50;

/// Longest text that is searched for, in bytes.
const LONGEST_TEXT: usize = 1000;

/// What a connector answers. More than this is its own affair.
#[derive(Deserialize)]
struct Page {
    items: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    title: String,
    url: Option<String>,
    #[serde(default)]
    excerpt: String,
}

impl Host for State {
    fn search(&mut self, source: String, text: String, limit: u32) -> wasmtime::Result<Result<Vec<Article>, Refusal>> {
        let question = Question {
            call: "knowledge.search",
            arguments: format!("{source}, {text}, {limit}"),
            bytes: source.len() + text.len(),
        };
        let answer = self.outside(question, |asking| {
            let connector = asking.connector(&asking.granted().knowledge, ConnectorKind::Knowledge, &source)?;
            if text.trim().is_empty() || text.len() > LONGEST_TEXT {
                return Err(Refused::bad_query(format!("a search is for a text of 1 to {LONGEST_TEXT} bytes")));
            }
            let limit = limit.clamp(1, ARTICLES);
            let path = format!("?search={}&limit={limit}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
            let (body, note) = asking.get(connector, &path)?;
            let bytes = body.len();
            let page: Page = serde_json::from_slice(&body)
                .map_err(|_| Refused::unavailable("the connector answered with no list of articles"))?;
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(Answered { answer: page.items.into_iter().take(most).map(Into::into).collect(), note, bytes })
        })?;
        Ok(answer.map_err(|Refused { code, message, .. }| Refusal { code: code.into_owned(), message }))
    }
}

impl From<Found> for Article {
    fn from(Found { id, title, url, excerpt }: Found) -> Self {
        // Where an article lies is a page, and nothing that runs.
        Self { id, title, url: url.filter(|url| !runs_code(url)), excerpt }
    }
}
