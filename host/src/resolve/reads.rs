//! What a rule may read: the person, the session, the library. Every read is recorded.
//!
//! The one meaning of the imports `context` and `library`. The sandbox counts and forwards; it decides nothing. A call that is
//! made again from its journal reads the library from there, and nothing that was not read before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::slug::{RENDERED_MAX, Rendered, Template, Values};
use crate::domain::trace::Caller;
use crate::domain::{Channel, Effort, Kind, Language};
use crate::store::Snapshot;

use super::journal::Journal;

/// What is fixed about one person in one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
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
    #[serde(skip)]
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

    /// Replaces the slugs of a text. One whose slugs cannot be told, or are too many, comes back as it is.
    pub fn render(&self, text: &str) -> Rendered {
        self.render_by(text, &mut |key: &str| self.value(key).cloned())
    }

    /// The same with values from elsewhere.
    pub(super) fn render_by(&self, text: &str, values: &mut dyn Values) -> Rendered {
        match Template::parse(text) {
            Ok(template) => template.render(values),
            Err(_) => Rendered { text: text.to_owned(), unresolved: vec![text.to_owned()] },
        }
    }

    /// The value of a key, if a text could have it. What can never fit is not copied.
    pub(super) fn value(&self, key: &str) -> Option<&String> {
        self.context.get(key).filter(|value| value.len() <= RENDERED_MAX)
    }
}

/// The reads of one call.
#[derive(Debug)]
pub struct Reads {
    library: Library,
    facts: Arc<Facts>,
    /// What the request that they are made for has cost.
    effort: Arc<Effort>,
    recorded: Vec<Read>,
    known: HashSet<String>,
    journal: Option<Journal>,
    unrecorded: Option<String>,
    /// What granted calls answered, if that is kept.
    outside: Option<Journal>,
    /// What granted calls answer, if nobody is to be asked.
    answers: Option<Arc<Journal>>,
    /// How often each granted call was answered so.
    answered: HashMap<String, usize>,
}

/// Where the library is read from.
#[derive(Debug)]
enum Library {
    /// The configuration at a revision.
    Snapshot(Arc<Snapshot>),
    /// What another call read of it.
    Journal(Arc<Journal>),
}

/// What is left of the reads of a call.
#[derive(Debug, Clone, Default)]
pub struct ReadSet {
    /// Each read once, in order, in short.
    pub recorded: Vec<Read>,
    /// Each read once, in order, in whole, if that was asked for.
    pub journal: Option<Journal>,
    /// The first read that the journal had no answer to. Whatever the call came to then means nothing.
    pub unrecorded: Option<String>,
}

/// Longest question or answer that is kept of a read, in characters. What is longer is cut, and says so.
const RECORDED_MAX: usize = 500;

/// How many names are gone through before the time is looked at.
const AT_ONCE: usize = 1_000;

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
        Self::of(Library::Snapshot(snapshot), facts)
    }

    /// Reads of `facts`, and of what another call read of the library.
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

    /// The same as part of a request.
    #[must_use]
    pub fn within(self, effort: Arc<Effort>) -> Self {
        Self { effort, ..self }
    }

    /// What the request that they are made for has cost.
    pub fn effort(&self) -> &Arc<Effort> {
        &self.effort
    }

    /// The same that keep what granted calls answer.
    #[must_use]
    pub fn keeping_outside(self) -> Self {
        Self { outside: Some(Journal::default()), ..self }
    }

    /// Whether what granted calls answer is kept.
    pub fn keeps_outside(&self) -> bool {
        self.outside.is_some()
    }

    /// The same with granted calls answered as another call was answered, and by nobody else.
    #[must_use]
    pub fn answered_by(self, answers: Arc<Journal>) -> Self {
        Self { answers: Some(answers), ..self }
    }

    /// What granted calls answered, if that was kept.
    pub fn take_outside(&mut self) -> Journal {
        self.outside.take().unwrap_or_default()
    }

    /// What a granted call is answered without asking anybody: nothing, if that was not answered before. None, if somebody may be asked.
    pub fn known_outside(&mut self, call: &str, arguments: &str) -> Option<Option<Value>> {
        let place = self.answered.entry(format!("{call}({arguments})")).or_default();
        let known = match (&self.library, &self.answers) {
            // Whoever asks more often than was asked then hears what was answered last.
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

    /// The same with a journal kept of them.
    #[must_use]
    pub fn with_journal(self) -> Self {
        Self { journal: Some(Journal::default()), ..self }
    }

    /// Reads of the same for another call, none made yet.
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

    /// The configuration they are made of; none if they are made of a journal.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        match &self.library {
            Library::Snapshot(snapshot) => Some(snapshot),
            Library::Journal(_) => None,
        }
    }

    /// What is fixed about the person and the session, to be kept.
    pub fn shared_facts(&self) -> &Arc<Facts> {
        &self.facts
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

    /// What is left when the call is over.
    pub fn into_set(self) -> ReadSet {
        ReadSet { recorded: self.recorded, journal: self.journal, unrecorded: self.unrecorded }
    }

    fn record(&mut self, call: &str, arguments: &[&str], answer: String, whole: impl FnOnce() -> Value) {
        if let Some(journal) = &mut self.journal {
            journal.note(call, arguments, whole);
        }
        self.recite(call, arguments, answer);
    }

    /// Notes a read in short.
    fn recite(&mut self, call: &str, arguments: &[&str], answer: String) {
        // A rule that asks in a loop asks the same: what was answered once is on record.
        let what = shorten(format!("{call}({})", arguments.join(", ")));
        if self.known.insert(what.clone()) {
            self.recorded.push(Read { what, answer: shorten(answer) });
        }
    }

    fn record_optional(&mut self, call: &str, arguments: &[&str], answer: Option<&str>) {
        self.record(call, arguments, answer.unwrap_or("nothing").to_owned(), || json!(answer));
    }

    /// What the journal has as the answer; what was not asked then is noted, and there is none.
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

    /// See `library.names`. An environment has as many as it has: `go_on` is asked again and again whether there is
    /// time for more, and without it there is no answer.
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

    /// Something was asked outside of the host, and this is what came of it: in short, and in whole.
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

/// The kinds a rule may read: the collections, without the people.
fn library_kind(collection: &str) -> Option<Kind> {
    collection.parse::<Kind>().ok().filter(|kind| kind.is_collection() && *kind != Kind::User)
}
