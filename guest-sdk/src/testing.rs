//! Tests of rules without a component and without a host.
//!
//! With the feature `testing`, the component itself is asked in the real engine, and rules and components are held to promises about users
//! that are drawn by chance.
//!
//! A [`Fixture`] is a session and a library in memory; [`check_cases`] runs a folder of cases written as JSON. Neither
//! enforces the limits of a call. Slugs follow the host's grammar as far as rules usually need it: `{key}` and `${key}`, with
//! `$session.` and `$oc.` before the key; queries have no value.

#[cfg(feature = "testing")]
mod any_user;
mod cases;
#[cfg(feature = "testing")]
mod component;
mod reads;
mod slug;
mod upgrade;

#[cfg(feature = "testing")]
pub use any_user::{AnyUser, DrawnUser};
pub use cases::check_cases;
#[cfg(feature = "testing")]
pub use component::{About, Component, HarnessError, Outcome, ReadLine, Usage};
pub use upgrade::check_upgrade_cases;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{Decision, Fault, Level, Session, Tool};

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
}
