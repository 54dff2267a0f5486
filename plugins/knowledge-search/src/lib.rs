//! How the knowledge base is searched for the record of a session.
//!
//! The rule in plain words is the README beside this file.

use std::collections::BTreeMap;

use loadout_sdk::{CONVERSATION, Decision, Fault, Session, Tool, export_tool};
use serde::{Deserialize, Serialize};

struct KnowledgeSearch;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    #[serde(default = "cases_and_conversations")]
    record_types: BTreeMap<String, RecordType>,
    default_email_recipient: Option<String>,
}

/// How to search for the records of one table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RecordType {
    automatic_search: bool,
    source_field: String,
    actions: Vec<Action>,
}

/// An action on an article.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Link,
    Unlink,
    CopyUrl,
    LinkAndEmail,
    LinkAndSend,
}

impl Default for RecordType {
    fn default() -> Self {
        let actions = [Action::Link, Action::Unlink, Action::CopyUrl, Action::LinkAndEmail, Action::LinkAndSend];
        Self { automatic_search: true, source_field: "title".to_owned(), actions: actions.to_vec() }
    }
}

fn cases_and_conversations() -> BTreeMap<String, RecordType> {
    ["incident", CONVERSATION].map(|table| (table.to_owned(), RecordType::default())).into()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    automatic_search: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_text: Option<String>,
    actions: Vec<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_email_recipient: Option<String>,
}

impl Tool for KnowledgeSearch {
    type Settings = Settings;
    type Payload = Payload;

    fn evaluate(session: &Session<'_>, mut settings: Settings) -> Result<Decision<Payload>, Fault> {
        let Some(table) = session.table() else {
            return Ok(Decision::hidden("no-session", "Shown inside a session."));
        };
        let Some(record_type) = settings.record_types.remove(&table) else {
            let text = format!("Shown once `{table}` is among the `recordTypes` of the tool's settings.");
            return Ok(Decision::hidden("not-for-this-record", text));
        };
        Ok(Decision::shown(Payload {
            automatic_search: record_type.automatic_search,
            search_text: search_text(session, &record_type.source_field),
            actions: record_type.actions,
            default_email_recipient: settings.default_email_recipient,
        }))
    }
}

/// Most characters of a search text: no search looks further, and the answer stays small whatever the record holds.
const SEARCH_MAX: usize = 1_000;

/// Returns the text of a column of the record, unless it is unknown or blank. Cuts a text that is longer than a search
/// text may be.
fn search_text(session: &Session<'_>, column: &str) -> Option<String> {
    let rendered = session.render(&format!("{{anchor.{column}}}"));
    let text = rendered.text.trim();
    (rendered.unresolved.is_empty() && !text.is_empty()).then(|| beginning(text))
}

fn beginning(text: &str) -> String {
    text.chars().take(SEARCH_MAX).collect::<String>().trim_end().to_owned()
}

export_tool!(KnowledgeSearch);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_cases::<KnowledgeSearch>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}

#[cfg(test)]
#[test]
fn a_search_text_is_cut_between_characters() {
    assert_eq!(beginning("Printer on fire"), "Printer on fire");
    assert_eq!(beginning(&"日".repeat(SEARCH_MAX + 1)).chars().count(), SEARCH_MAX);
    assert_eq!(beginning(&format!("{} x", "y".repeat(SEARCH_MAX - 1))).chars().count(), SEARCH_MAX - 1);
}
