//! The data that a rule may read: the person, the session, the library. Records every read.
//!
//! Defines the imports `context` and `library`; the sandbox only counts the calls and forwards them. A replay reads the
//! library from its journal, and finds nothing there that the recorded call did not read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::slug::{RENDERED_MAX, Rendered, Template, Values};
use crate::domain::trace::Caller;
use crate::domain::{Channel, Effort, Kind, Language};
use crate::store::Snapshot;

use super::journal::Journal;

/// The fixed data of one person in one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Facts {
    /// The app that asks.
    pub app: String,
    /// The profile in force.
    pub profile: String,
    /// Roles of the person, those contained in other roles included.
    pub roles: BTreeSet<Arc<str>>,
    /// Licences of the person.
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
    /// The caller, for the record of the call. No rule can read it.
    #[serde(skip)]
    pub caller: Caller,
}

impl Facts {
    /// Returns all facts that a rule can see, as text: equal for equal facts.
    pub fn visible(&self) -> String {
        let Self { app, profile, roles, licences, language, base_language, channel, workstream, entity, .. } = self;
        let Self { session_template, context, caller: _, .. } = self;
        let person = (app, profile, roles, licences, language, base_language);
        format!("{:?}", (person, channel, workstream, entity, session_template, context))
    }

    /// Replaces the slugs of a text. Returns a text that cannot be parsed, or that has too many slugs, as it is.
    pub fn render(&self, text: &str) -> Rendered {
        self.render_by(text, &mut |key: &str| self.value(key).cloned())
    }

    /// Replaces the slugs of a text by `values`.
    pub(super) fn render_by(&self, text: &str, values: &mut dyn Values) -> Rendered {
        match Template::parse(text) {
            Ok(template) => template.render(values),
            Err(_) => Rendered { text: text.to_owned(), unresolved: vec![text.to_owned()] },
        }
    }

    /// Returns the value of a key, if it is short enough for a text. A longer one is not copied.
    pub(super) fn value(&self, key: &str) -> Option<&String> {
        self.context.get(key).filter(|value| value.len() <= RENDERED_MAX)
    }
}

/// The data that one call reads, and the record of its reads.
#[derive(Debug)]
pub struct Reads {
    library: Library,
    facts: Arc<Facts>,
    /// The cost so far of the request that the reads are a part of.
    effort: Arc<Effort>,
    recorded: Vec<Read>,
    known: HashSet<String>,
    journal: Option<Journal>,
    unrecorded: Option<String>,
    /// The answers of granted calls, if they are kept.
    outside: Option<Journal>,
    /// The recorded answers to granted calls, if no other system may be called.
    answers: Option<Arc<Journal>>,
    /// The number of recorded answers that each granted call has used.
    answered: HashMap<String, usize>,
}

/// The source of the library.
#[derive(Debug)]
enum Library {
    /// The configuration at a revision.
    Snapshot(Arc<Snapshot>),
    /// The reads that another call recorded.
    Journal(Arc<Journal>),
}

/// The record of the reads of a call, once the call is over.
#[derive(Debug, Clone, Default)]
pub struct ReadSet {
    /// Each read once, in order, with a shortened answer.
    pub recorded: Vec<Read>,
    /// Each read once, in order, with its whole answer, if a journal was kept.
    pub journal: Option<Journal>,
    /// The first read that the journal had no answer to. The result of the call means nothing then.
    pub unrecorded: Option<String>,
}

/// Longest call or answer in the record of a read, in characters. A longer text is cut, and gives its length in bytes.
const RECORDED_MAX: usize = 500;

/// The number of names that are listed between two looks at the time.
const AT_ONCE: usize = 1_000;

/// One read and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The function and its arguments, such as `context.get(customerName)`.
    pub what: String,
    /// The answer; for an item, its revision in place of its text.
    pub answer: String,
}

impl Reads {
    /// Makes reads of `facts` and `snapshot`, with an empty record.
    pub fn new(snapshot: Arc<Snapshot>, facts: Arc<Facts>) -> Self {
        Self::of(Library::Snapshot(snapshot), facts)
    }

    /// Makes reads of `facts`, and of the library as another call recorded it.
    pub fn from_journal(journal: Arc<Journal>, facts: Arc<Facts>) -> Self {
        Self::of(Library::Journal(journal), facts)
    }

    fn of(library: Library, facts: Arc<Facts>) -> Self {
        Self {
            library,
            facts,
            effort: Arc::default(),
            recorded: Vec::new(),
            known: HashSet::new(),
            journal: None,
            unrecorded: None,
            outside: None,
            answers: None,
            answered: HashMap::new(),
        }
    }

    /// Makes the reads a part of a request, whose cost `effort` counts.
    #[must_use]
    pub fn within(self, effort: Arc<Effort>) -> Self {
        Self { effort, ..self }
    }

    /// Returns the cost so far of the request that the reads are a part of.
    pub fn effort(&self) -> &Arc<Effort> {
        &self.effort
    }

    /// Makes the reads keep the answers of granted calls.
    #[must_use]
    pub fn keeping_outside(self) -> Self {
        Self { outside: Some(Journal::default()), ..self }
    }

    /// Tells whether the answers of granted calls are kept.
    pub fn keeps_outside(&self) -> bool {
        self.outside.is_some()
    }

    /// Answers granted calls from another call's journal, and calls no other system.
    #[must_use]
    pub fn answered_by(self, answers: Arc<Journal>) -> Self {
        Self { answers: Some(answers), ..self }
    }

    /// Takes the answers of granted calls, if they were kept.
    pub fn take_outside(&mut self) -> Journal {
        self.outside.take().unwrap_or_default()
    }

    /// Returns the recorded answer to a granted call: `Some(None)` if there is no record of the call, and `None` if the
    /// call may go to another system.
    pub fn known_outside(&mut self, call: &str, arguments: &str) -> Option<Option<Value>> {
        let place = self.answered.entry(format!("{call}({arguments})")).or_default();
        let known = match (&self.library, &self.answers) {
            // A call beyond the recorded number of times gets the last recorded answer.
            (_, Some(answers)) => answers.answers(call, &[arguments]).take(*place + 1).last().cloned(),
            (Library::Journal(journal), None) => {
                let known = journal.answers(call, &[arguments]).nth(*place).cloned();
                if known.is_none() {
                    self.unrecorded.get_or_insert_with(|| format!("{call}({arguments})"));
                }
                known
            }
            (Library::Snapshot(_), None) => return None,
        };
        *place += 1;
        Some(known)
    }

    /// Makes the reads keep a journal.
    #[must_use]
    pub fn with_journal(self) -> Self {
        Self { journal: Some(Journal::default()), ..self }
    }

    /// Makes reads of the same data for another call, with an empty record and without a journal.
    #[must_use]
    pub fn anew(&self) -> Self {
        let library = match &self.library {
            Library::Snapshot(snapshot) => Library::Snapshot(Arc::clone(snapshot)),
            Library::Journal(journal) => Library::Journal(Arc::clone(journal)),
        };
        let outside = self.outside.as_ref().map(|_| Journal::default());
        let (answers, effort) = (self.answers.clone(), Arc::clone(&self.effort));
        Self { outside, answers, effort, ..Self::of(library, Arc::clone(&self.facts)) }
    }

    /// Returns the configuration that is read; none if the library is read from a journal.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        match &self.library {
            Library::Snapshot(snapshot) => Some(snapshot),
            Library::Journal(_) => None,
        }
    }

    /// Returns the facts of the person and the session, to be shared.
    pub fn shared_facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    /// Returns the facts of the person and the session.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the caller, for the record of the call.
    pub fn caller(&self) -> &Caller {
        &self.facts.caller
    }

    /// Returns the reads made so far, each once, in order.
    pub fn into_recorded(self) -> Vec<Read> {
        self.recorded
    }

    /// Returns the record of the reads, once the call is over.
    pub fn into_set(self) -> ReadSet {
        ReadSet { recorded: self.recorded, journal: self.journal, unrecorded: self.unrecorded }
    }

    fn record(&mut self, call: &str, arguments: &[&str], answer: String, whole: impl FnOnce() -> Value) {
        if let Some(journal) = &mut self.journal {
            journal.note(call, arguments, whole);
        }
        self.recite(call, arguments, answer);
    }

    /// Records a read with a shortened answer.
    fn recite(&mut self, call: &str, arguments: &[&str], answer: String) {
        // A rule that repeats a read in a loop adds one record.
        let what = shorten(format!("{call}({})", arguments.join(", ")));
        if self.known.insert(what.clone()) {
            self.recorded.push(Read { what, answer: shorten(answer) });
        }
    }

    fn record_optional(&mut self, call: &str, arguments: &[&str], answer: Option<&str>) {
        self.record(call, arguments, answer.unwrap_or("nothing").to_owned(), || json!(answer));
    }

    /// Returns the answer in the journal. Without one, notes the read as unrecorded and returns the default.
    fn replay<T: serde::de::DeserializeOwned + Default>(&mut self, call: &str, arguments: &[&str]) -> T {
        let Library::Journal(journal) = &self.library else { return T::default() };
        let known = journal.answer(call, arguments).and_then(|answer| T::deserialize(answer).ok());
        known.unwrap_or_else(|| {
            self.unrecorded.get_or_insert_with(|| format!("{call}({})", arguments.join(", ")));
            T::default()
        })
    }

    /// See `context.get`.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let value = self.facts.context.get(key).cloned();
        self.record_optional("context.get", &[key], value.as_deref());
        value
    }

    /// See `context.has-role`.
    pub fn has_role(&mut self, role: &str) -> bool {
        let held = self.facts.roles.contains(role);
        self.record("context.has-role", &[role], held.to_string(), || json!(held));
        held
    }

    /// See `context.has-licence`.
    pub fn has_licence(&mut self, licence: &str) -> bool {
        let held = self.facts.licences.contains(licence);
        self.record("context.has-licence", &[licence], held.to_string(), || json!(held));
        held
    }

    /// See `context.channel`.
    pub fn channel(&mut self) -> Option<&'static str> {
        let channel = self.facts.channel.map(Channel::as_str);
        self.record_optional("context.channel", &[], channel);
        channel
    }

    /// See `context.workstream`.
    pub fn workstream(&mut self) -> Option<String> {
        let workstream = self.facts.workstream.clone();
        self.record_optional("context.workstream", &[], workstream.as_deref());
        workstream
    }

    /// See `context.entity`.
    pub fn entity(&mut self) -> Option<String> {
        let entity = self.facts.entity.clone();
        self.record_optional("context.entity", &[], entity.as_deref());
        entity
    }

    /// See `context.session-template`.
    pub fn session_template(&mut self) -> Option<String> {
        let template = self.facts.session_template.clone();
        self.record_optional("context.session-template", &[], template.as_deref());
        template
    }

    /// See `context.profile`.
    pub fn profile(&mut self) -> String {
        let profile = self.facts.profile.clone();
        self.record("context.profile", &[], profile.clone(), || json!(profile));
        profile
    }

    /// See `context.language`.
    pub fn language(&mut self) -> Language {
        let language = self.facts.language;
        self.record("context.language", &[], language.to_string(), || json!(language));
        language
    }

    /// See `context.base-language`.
    pub fn base_language(&mut self) -> Language {
        let language = self.facts.base_language;
        self.record("context.base-language", &[], language.to_string(), || json!(language));
        language
    }

    /// See `context.app`.
    pub fn app(&mut self) -> String {
        let app = self.facts.app.clone();
        self.record("context.app", &[], app.clone(), || json!(app));
        app
    }

    /// See `context.render`.
    pub fn render(&mut self, template: &str) -> Rendered {
        let rendered = self.facts.render(template);
        let whole = || json!({ "text": rendered.text, "unresolved": rendered.unresolved });
        self.record("context.render", &[template], rendered.text.clone(), whole);
        rendered
    }

    /// See `library.item`. The text is shared, not copied.
    pub fn item(&mut self, kind: &str, name: &str) -> Option<Arc<str>> {
        const CALL: &str = "library.item";
        let (json, short) = match &self.library {
            Library::Snapshot(snapshot) => {
                let found = library_kind(kind).and_then(|kind| snapshot.entry(kind, name));
                let entry = found.filter(|entry| entry.item.is_active());
                (entry.map(|entry| Arc::clone(entry.json())), entry.map(|entry| format!("revision {}", entry.revision)))
            }
            Library::Journal(_) => {
                let json: Option<Arc<str>> = self.replay(CALL, &[kind, name]);
                let short = json.as_ref().map(|_| "as recorded".to_owned());
                (json, short)
            }
        };
        let short = short.unwrap_or_else(|| "nothing".to_owned());
        self.record(CALL, &[kind, name], short, || json!(json));
        json
    }

    /// See `library.links`.
    pub fn links(&mut self, kind: &str, name: &str, attribute: &str) -> Vec<String> {
        const CALL: &str = "library.links";
        let links = match &self.library {
            Library::Snapshot(snapshot) => {
                library_kind(kind).map(|kind| snapshot.active_links(kind, name, attribute)).unwrap_or_default()
            }
            Library::Journal(_) => self.replay(CALL, &[kind, name, attribute]),
        };
        self.record(CALL, &[kind, name, attribute], links.join(", "), || json!(links));
        links
    }

    /// See `library.names`. The number of names has no bound here: `go_on` is called every 1,000 names and at the end,
    /// and once it returns false there is no answer.
    pub fn names(&mut self, kind: &str, go_on: &mut dyn FnMut() -> bool) -> Option<Vec<String>> {
        const CALL: &str = "library.names";
        let names: Vec<String> = match &self.library {
            Library::Snapshot(snapshot) => {
                let entries = library_kind(kind).into_iter().flat_map(|kind| snapshot.entries(kind)).enumerate();
                let in_time = entries.map_while(|(at, entry)| (at % AT_ONCE != 0 || go_on()).then_some(entry));
                let active = in_time.filter(|(_, entry)| entry.item.is_active());
                active.map(|(name, _)| name.to_string()).collect()
            }
            Library::Journal(_) => self.replay(CALL, &[kind]),
        };
        if !go_on() {
            return None;
        }
        self.record(CALL, &[kind], names.join(", "), || json!(names));
        Some(names)
    }

    /// Records a call to another system with its answer, in short and in whole.
    pub fn outside(&mut self, call: &str, arguments: &str, short: String, whole: impl FnOnce() -> Value) {
        match (&mut self.outside, &mut self.journal) {
            (Some(kept), Some(journal)) => {
                let whole = whole();
                kept.note_again(call, &[arguments], whole.clone());
                journal.note_again(call, &[arguments], whole);
            }
            (Some(kept), None) | (None, Some(kept)) => kept.note_again(call, &[arguments], whole()),
            (None, None) => {}
        }
        self.recite(call, &[arguments], short);
    }
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(RECORDED_MAX) {
        None => text,
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

/// Returns the kind of a collection that a rule may read: every collection but the people.
fn library_kind(collection: &str) -> Option<Kind> {
    collection.parse::<Kind>().ok().filter(|kind| kind.is_collection() && *kind != Kind::User)
}
