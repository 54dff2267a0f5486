//! Tests of rules without a component and without a host.
//!
//! A [`Fixture`] is a session and a library in memory; [`check_cases`] runs a folder of cases written as JSON. Neither
//! enforces the limits of a call, and slugs follow the host's grammar only as far as [`Fixture::render`](crate::Session::render)
//! is usually taken: `{key}` and `${key}`, with `$session.` and `$oc.` before the key; queries have no value.

mod cases;
mod slug;

pub use cases::check_cases;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::session::{Level, Reads, Refusal, Rendered};
use crate::{Decision, Fault, Session, Tool};

/// A person, a session and a library in memory. New ones are outside of any session and know an empty library.
#[derive(Debug, Clone, Default)]
pub struct Fixture {
    facts: Facts,
    library: Items,
    lines: RefCell<Vec<(Level, String)>>,
}

/// Items by kind and unique name.
type Items = BTreeMap<String, BTreeMap<String, Value>>;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Facts {
    app: String,
    profile: String,
    roles: BTreeSet<String>,
    licences: BTreeSet<String>,
    language: u32,
    base_language: u32,
    channel: Option<String>,
    workstream: Option<String>,
    entity: Option<String>,
    session_template: Option<String>,
    context: BTreeMap<String, String>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            app: "customer-service-workspace".to_owned(),
            profile: "contoso_profile".to_owned(),
            roles: BTreeSet::new(),
            licences: BTreeSet::new(),
            language: 1033,
            base_language: 1033,
            channel: None,
            workstream: None,
            entity: None,
            session_template: None,
            context: BTreeMap::new(),
        }
    }
}

impl Fixture {
    /// A person with an English screen in the customer service workspace, outside of any session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a value into the session's context.
    #[must_use]
    pub fn context(mut self, key: &str, value: &str) -> Self {
        self.facts.context.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Gives the person a security role.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.facts.roles.insert(role.to_owned());
        self
    }

    /// Gives the person a licence.
    #[must_use]
    pub fn licence(mut self, licence: &str) -> Self {
        self.facts.licences.insert(licence.to_owned());
        self
    }

    /// Makes the session a conversation on a channel.
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        self.facts.channel = Some(channel.to_owned());
        self
    }

    /// Lets the conversation come through a workstream.
    #[must_use]
    pub fn workstream(mut self, workstream: &str) -> Self {
        self.facts.workstream = Some(workstream.to_owned());
        self
    }

    /// Makes the session one about a record of a table.
    #[must_use]
    pub fn entity(mut self, entity: &str) -> Self {
        self.facts.entity = Some(entity.to_owned());
        self
    }

    /// Sets the session template in force.
    #[must_use]
    pub fn session_template(mut self, template: &str) -> Self {
        self.facts.session_template = Some(template.to_owned());
        self
    }

    /// Sets the profile in force.
    #[must_use]
    pub fn profile(mut self, profile: &str) -> Self {
        self.facts.profile = profile.to_owned();
        self
    }

    /// Sets the language of the person's screen and that of the organisation.
    #[must_use]
    pub fn languages(mut self, person: u32, organisation: u32) -> Self {
        (self.facts.language, self.facts.base_language) = (person, organisation);
        self
    }

    /// Sets the app that asks.
    #[must_use]
    pub fn app(mut self, app: &str) -> Self {
        self.facts.app = app.to_owned();
        self
    }

    /// Puts an item into the library, in the form the HTTP API gives it.
    #[must_use]
    pub fn item(mut self, kind: &str, unique_name: &str, item: Value) -> Self {
        self.library.entry(kind.to_owned()).or_default().insert(unique_name.to_owned(), item);
        self
    }

    /// The session as rules see it.
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Asks a tool as the host would: with settings as JSON, and the payload written and read again.
    pub fn evaluate<T: Tool>(&self, settings: Value) -> Result<Decision<Value>, Fault> {
        Ok(match crate::tool::evaluate::<T>(&self.session(), &settings.to_string())? {
            Decision::Hidden { code, text } => Decision::Hidden { code, text },
            Decision::Shown { payload, items } => {
                let read = serde_json::from_str(&payload);
                let payload = read.map_err(|error| Fault::new("bad-payload", error.to_string()))?;
                Decision::Shown { payload, items }
            }
        })
    }

    /// The lines written to the trace so far.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.borrow().clone()
    }

    fn active(&self, kind: &str, unique_name: &str) -> Option<&Value> {
        self.library.get(kind)?.get(unique_name).filter(|item| is_active(item))
    }
}

fn is_active(item: &Value) -> bool {
    item.get("state").and_then(Value::as_str) != Some("inactive")
}

/// The texts an attribute leads to, through lists and, by dots, through objects.
fn texts<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a str>) {
    match (value, path) {
        (Value::Array(values), _) => values.iter().for_each(|it| texts(it, path, found)),
        (Value::String(text), []) => found.push(text),
        (Value::Object(object), [first, rest @ ..]) => {
            if let Some(value) = object.get(*first) {
                texts(value, rest, found);
            }
        }
        _ => {}
    }
}

impl Reads for Fixture {
    fn get(&self, key: &str) -> Option<String> {
        self.facts.context.get(key).cloned()
    }

    fn has_role(&self, role: &str) -> bool {
        self.facts.roles.contains(role)
    }

    fn has_licence(&self, licence: &str) -> bool {
        self.facts.licences.contains(licence)
    }

    fn channel(&self) -> Option<String> {
        self.facts.channel.clone()
    }

    fn workstream(&self) -> Option<String> {
        self.facts.workstream.clone()
    }

    fn entity(&self) -> Option<String> {
        self.facts.entity.clone()
    }

    fn session_template(&self) -> Option<String> {
        self.facts.session_template.clone()
    }

    fn profile(&self) -> String {
        self.facts.profile.clone()
    }

    fn language(&self) -> u32 {
        self.facts.language
    }

    fn base_language(&self) -> u32 {
        self.facts.base_language
    }

    fn app(&self) -> String {
        self.facts.app.clone()
    }

    fn render(&self, template: &str) -> Rendered {
        slug::render(template, |key| self.facts.context.get(key).map(String::as_str))
    }

    fn item(&self, kind: &str, unique_name: &str) -> Option<String> {
        self.active(kind, unique_name).map(Value::to_string)
    }

    /// The host knows which kind an attribute names; here an active item of any kind will do.
    fn links(&self, kind: &str, unique_name: &str, attribute: &str) -> Vec<String> {
        let path: Vec<&str> = attribute.split('.').collect();
        let mut found = Vec::new();
        if let Some(item) = self.active(kind, unique_name) {
            texts(item, &path, &mut found);
        }
        found.retain(|name| self.library.keys().any(|kind| self.active(kind, name).is_some()));
        found.into_iter().map(str::to_owned).collect()
    }

    fn names(&self, kind: &str) -> Vec<String> {
        let items = self.library.get(kind).into_iter().flatten();
        items.filter(|(_, item)| is_active(item)).map(|(name, _)| name.clone()).collect()
    }

    fn look_up(&self, _: &str, _: &str, _: &str) -> Result<Option<String>, Refusal> {
        Err(Refusal { code: "not-granted".to_owned(), message: "a fixture has no connectors".to_owned() })
    }

    fn log(&self, level: Level, message: &str) {
        self.lines.borrow_mut().push((level, message.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn links_follow_lists_and_dots_and_leave_out_what_is_inactive_or_gone() {
        let steps = json!({ "steps": [
            { "action": { "macro": "contoso_b" } }, { "action": { "instruction": "x" } }, { "action": { "macro": "contoso_a" } },
        ] });
        let fixture = Fixture::new()
            .item("scripts", "contoso_greet", steps)
            .item("macros", "contoso_a", json!({}))
            .item("macros", "contoso_b", json!({}))
            .item("macros", "contoso_off", json!({ "state": "inactive" }))
            .item(
                "session-templates",
                "contoso_t",
                json!({ "scripts": ["contoso_gone", "contoso_greet", "contoso_off"] }),
            )
            .item("session-templates", "contoso_off", json!({ "state": "inactive", "scripts": ["contoso_greet"] }));
        let library = fixture.session().library();
        assert_eq!(library.links("scripts", "contoso_greet", "steps.action.macro"), ["contoso_b", "contoso_a"]);
        assert_eq!(library.links("session-templates", "contoso_t", "scripts"), ["contoso_greet"]);
        assert!(library.links("session-templates", "contoso_off", "scripts").is_empty());
        assert!(library.links("session-templates", "contoso_t", "tabs").is_empty());
        assert_eq!(library.names("macros"), ["contoso_a", "contoso_b"]);
        assert_eq!(library.item::<Value>("macros", "contoso_off"), Ok(None));
    }

    #[test]
    fn an_item_that_does_not_fit_is_a_fault_that_names_the_attribute() {
        #[derive(Debug, Deserialize)]
        struct Script {
            #[expect(dead_code, reason = "only read, to see what is refused")]
            language: u32,
        }
        let fixture = Fixture::new().item("scripts", "contoso_greet", json!({ "language": "en" }));
        let fault = fixture.session().library().item::<Script>("scripts", "contoso_greet").unwrap_err();
        assert!(fault.to_string().starts_with("bad-item: `language` of `contoso_greet` in `scripts`: "), "{fault}");
    }
}
