//! What a rule may read: the person, the session, the library. Every read is recorded.
//!
//! The one meaning of the imports `context` and `library`. The sandbox counts and forwards; it decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::slug::{Rendered, Template};
use crate::domain::trace::Caller;
use crate::domain::{Channel, Kind, Language};
use crate::store::Snapshot;

/// What is fixed about one person in one session.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The app that asks.
    pub app: String,
    /// The profile in force.
    pub profile: String,
    /// Roles, those contained in others included.
    pub roles: BTreeSet<Arc<str>>,
    /// Licences.
    pub licences: BTreeSet<String>,
    /// The language of the person's screen.
    pub language: Language,
    /// The language of the organisation.
    pub base_language: Language,
    /// The channel of a conversation.
    pub channel: Option<Channel>,
    /// The workstream of a conversation.
    pub workstream: Option<String>,
    /// The table of a record session.
    pub entity: Option<String>,
    /// The session template in force.
    pub session_template: Option<String>,
    /// The session's context, from key to text.
    pub context: BTreeMap<String, String>,
    /// Who asks, for the record of the call. No rule can read it.
    pub caller: Caller,
}

impl Facts {
    /// All that a rule can see, as text: equal for equal facts.
    pub fn visible(&self) -> String {
        let Self { app, profile, roles, licences, language, base_language, channel, workstream, entity, .. } = self;
        let Self { session_template, context, caller: _, .. } = self;
        let person = (app, profile, roles, licences, language, base_language);
        format!("{:?}", (person, channel, workstream, entity, session_template, context))
    }

    /// Replaces the slugs of a text.
    pub fn render(&self, text: &str) -> Rendered {
        match Template::parse(text) {
            Ok(template) => template.render(&mut |key| self.context.get(key).cloned()),
            Err(_) => Rendered { text: text.to_owned(), unresolved: vec![text.to_owned()] },
        }
    }
}

/// The reads of one call.
#[derive(Debug)]
pub struct Reads {
    snapshot: Arc<Snapshot>,
    facts: Arc<Facts>,
    recorded: Vec<Read>,
    known: HashSet<String>,
}

/// Longest question or answer that is kept of a read, in characters. What is longer is cut, and says so.
const RECORDED_MAX: usize = 500;

/// One read and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The function and its arguments, such as `context.get(customerName)`.
    pub what: String,
    /// The answer; the text of an item counts as its revision.
    pub answer: String,
}

impl Reads {
    /// Reads of `facts` and `snapshot`, none made yet.
    pub fn new(snapshot: Arc<Snapshot>, facts: Arc<Facts>) -> Self {
        Self { snapshot, facts, recorded: Vec::new(), known: HashSet::new() }
    }

    /// What is fixed about the person and the session.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.facts.caller
    }

    /// The reads made so far, each once, in order.
    pub fn into_recorded(self) -> Vec<Read> {
        self.recorded
    }

    fn record(&mut self, what: String, answer: String) {
        // A rule that asks in a loop asks the same: what was answered once is on record.
        let what = shorten(what);
        if self.known.insert(what.clone()) {
            self.recorded.push(Read { what, answer: shorten(answer) });
        }
    }

    fn record_optional<T: AsRef<str>>(&mut self, what: String, answer: Option<T>) {
        let answer = answer.map_or_else(|| "nothing".to_owned(), |answer| answer.as_ref().to_owned());
        self.record(what, answer);
    }

    /// See `context.get`.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let value = self.facts.context.get(key).cloned();
        self.record_optional(format!("context.get({key})"), value.as_deref());
        value
    }

    /// See `context.has-role`.
    pub fn has_role(&mut self, role: &str) -> bool {
        let held = self.facts.roles.contains(role);
        self.record(format!("context.has-role({role})"), held.to_string());
        held
    }

    /// See `context.has-licence`.
    pub fn has_licence(&mut self, licence: &str) -> bool {
        let held = self.facts.licences.contains(licence);
        self.record(format!("context.has-licence({licence})"), held.to_string());
        held
    }

    /// See `context.channel`.
    pub fn channel(&mut self) -> Option<&'static str> {
        let channel = self.facts.channel.map(Channel::as_str);
        self.record_optional("context.channel()".to_owned(), channel);
        channel
    }

    /// See `context.workstream`.
    pub fn workstream(&mut self) -> Option<String> {
        let workstream = self.facts.workstream.clone();
        self.record_optional("context.workstream()".to_owned(), workstream.as_deref());
        workstream
    }

    /// See `context.entity`.
    pub fn entity(&mut self) -> Option<String> {
        let entity = self.facts.entity.clone();
        self.record_optional("context.entity()".to_owned(), entity.as_deref());
        entity
    }

    /// See `context.session-template`.
    pub fn session_template(&mut self) -> Option<String> {
        let template = self.facts.session_template.clone();
        self.record_optional("context.session-template()".to_owned(), template.as_deref());
        template
    }

    /// See `context.profile`.
    pub fn profile(&mut self) -> String {
        let profile = self.facts.profile.clone();
        self.record("context.profile()".to_owned(), profile.clone());
        profile
    }

    /// See `context.language`.
    pub fn language(&mut self) -> Language {
        self.record("context.language()".to_owned(), self.facts.language.to_string());
        self.facts.language
    }

    /// See `context.base-language`.
    pub fn base_language(&mut self) -> Language {
        self.record("context.base-language()".to_owned(), self.facts.base_language.to_string());
        self.facts.base_language
    }

    /// See `context.app`.
    pub fn app(&mut self) -> String {
        let app = self.facts.app.clone();
        self.record("context.app()".to_owned(), app.clone());
        app
    }

    /// See `context.render`.
    pub fn render(&mut self, template: &str) -> Rendered {
        let rendered = self.facts.render(template);
        self.record(format!("context.render({template})"), rendered.text.clone());
        rendered
    }

    /// See `library.item`. The text is shared, not copied.
    pub fn item(&mut self, kind: &str, name: &str) -> Option<Arc<str>> {
        let found = library_kind(kind).and_then(|kind| self.snapshot.entry(kind, name));
        let entry = found.filter(|entry| entry.item.is_active());
        let (json, revision) =
            (entry.map(|entry| Arc::clone(entry.json())), entry.map(|entry| format!("revision {}", entry.revision)));
        self.record_optional(format!("library.item({kind}, {name})"), revision);
        json
    }

    /// See `library.links`.
    pub fn links(&mut self, kind: &str, name: &str, attribute: &str) -> Vec<String> {
        let links = match library_kind(kind) {
            Some(kind) => self.snapshot.active_links(kind, name, attribute),
            None => Vec::new(),
        };
        self.record(format!("library.links({kind}, {name}, {attribute})"), links.join(", "));
        links
    }

    /// See `library.names`.
    pub fn names(&mut self, kind: &str) -> Vec<String> {
        let names: Vec<String> = library_kind(kind)
            .into_iter()
            .flat_map(|kind| self.snapshot.entries(kind))
            .filter(|(_, entry)| entry.item.is_active())
            .map(|(name, _)| name.to_string())
            .collect();
        self.record(format!("library.names({kind})"), names.join(", "));
        names
    }

    /// Something was asked outside of the host, and this is in short what came of it.
    pub fn outside(&mut self, what: String, answer: String) {
        self.record(what, answer);
    }
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(RECORDED_MAX) {
        None => text,
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

/// The kinds a rule may read: the collections, without the people.
fn library_kind(collection: &str) -> Option<Kind> {
    collection.parse::<Kind>().ok().filter(|kind| kind.is_collection() && *kind != Kind::User)
}
