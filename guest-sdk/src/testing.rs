//! Tests of rules and steps without a component and without a host.
//!
//! A [`Fixture`] is a session and a library in memory. [`check_cases`] and its siblings for steps run a folder of cases
//! in YAML or JSON; `loadout plugin test` runs the same cases with the component. Neither [`Fixture`] nor
//! [`check_cases`] enforces the limits of a call.
//! With the feature `testing`, the component itself is asked in the real engine, and rules and components are held to
//! promises about random users.
//!
//! Slugs follow the host's grammar as far as rules usually need it: `{key}` and `${key}`, with
//! `$session.` and `$oc.` before the key; queries have no value.

#[cfg(feature = "testing")]
mod any_user;
mod cases;
#[cfg(feature = "testing")]
mod component;
mod outside;
mod reads;
mod schema;
mod slug;
mod step;
mod tool;
mod tool_step;
mod update;
mod upgrade;

#[cfg(feature = "testing")]
pub use any_user::{AnyUser, DrawnUser};
#[cfg(feature = "testing")]
pub use component::{About, Component, HarnessError, Outcome, ReadLine, Usage};
pub use schema::check_settings_schema;
pub use step::{check_step_cases, event};
pub use tool::check_cases;
pub use tool_step::{check_tool_step_cases, question};
pub use upgrade::{check_upgrade_cases, page};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Level, Session};

/// A person, a session and a library in memory. New ones are outside of any session and know an empty library.
#[derive(Debug, Clone, Default)]
pub struct Fixture {
    facts: Facts,
    library: Items,
    outside: outside::Outside,
    lines: RefCell<Vec<(Level, String)>>,
}

/// Items by kind and unique name.
type Items = BTreeMap<String, BTreeMap<String, Value>>;

/// The person and the session, as a case writes them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Facts {
    app: String,
    profile: String,
    channel: Option<String>,
    workstream: Option<String>,
    entity: Option<String>,
    session_template: Option<String>,
    roles: BTreeSet<String>,
    licences: BTreeSet<String>,
    language: u32,
    base_language: u32,
    context: BTreeMap<String, String>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            app: "customer-service-workspace".to_owned(),
            profile: "contoso_profile".to_owned(),
            channel: None,
            workstream: None,
            entity: None,
            session_template: None,
            roles: BTreeSet::new(),
            licences: BTreeSet::new(),
            language: 1033,
            base_language: 1033,
            context: BTreeMap::new(),
        }
    }
}

impl Fixture {
    /// Makes a person with an English screen in the customer service workspace, outside of any session.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// assert!(!Fixture::new().session().is_open());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a value into the session's context.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("customerName", "Ada");
    /// assert_eq!(fixture.session().get("customerName").as_deref(), Some("Ada"));
    /// ```
    #[must_use]
    pub fn context(mut self, key: &str, value: &str) -> Self {
        self.facts.context.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Gives the person a security role.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().role("contoso_agent");
    /// assert!(fixture.session().has_role("contoso_agent"));
    /// ```
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.facts.roles.insert(role.to_owned());
        self
    }

    /// Gives the person a licence.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().licence("chat");
    /// assert!(fixture.session().has_licence("chat"));
    /// ```
    #[must_use]
    pub fn licence(mut self, licence: &str) -> Self {
        self.facts.licences.insert(licence.to_owned());
        self
    }

    /// Makes the session a conversation on a channel.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().channel("chat");
    /// assert_eq!(fixture.session().channel().as_deref(), Some("chat"));
    /// ```
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        self.facts.channel = Some(channel.to_owned());
        self
    }

    /// Lets the conversation come through a workstream.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().workstream("contoso_calls");
    /// assert_eq!(fixture.session().workstream().as_deref(), Some("contoso_calls"));
    /// ```
    #[must_use]
    pub fn workstream(mut self, workstream: &str) -> Self {
        self.facts.workstream = Some(workstream.to_owned());
        self
    }

    /// Makes the session one about a record of a table.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().entity("incident");
    /// assert_eq!(fixture.session().table().as_deref(), Some("incident"));
    /// ```
    #[must_use]
    pub fn entity(mut self, entity: &str) -> Self {
        self.facts.entity = Some(entity.to_owned());
        self
    }

    /// Sets the session template in force.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().session_template("contoso_case");
    /// assert!(fixture.session().is_open());
    /// ```
    #[must_use]
    pub fn session_template(mut self, template: &str) -> Self {
        self.facts.session_template = Some(template.to_owned());
        self
    }

    /// Sets the profile in force.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().profile("contoso_rep");
    /// assert_eq!(fixture.session().profile(), "contoso_rep");
    /// ```
    #[must_use]
    pub fn profile(mut self, profile: &str) -> Self {
        self.facts.profile = profile.to_owned();
        self
    }

    /// Sets the language of the person's screen and that of the organisation.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().languages(1036, 1033);
    /// assert_eq!((fixture.session().language(), fixture.session().base_language()), (1036, 1033));
    /// ```
    #[must_use]
    pub fn languages(mut self, person: u32, organisation: u32) -> Self {
        (self.facts.language, self.facts.base_language) = (person, organisation);
        self
    }

    /// Sets the app that asks.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().app("omnichannel");
    /// assert_eq!(fixture.session().app(), "omnichannel");
    /// ```
    #[must_use]
    pub fn app(mut self, app: &str) -> Self {
        self.facts.app = app.to_owned();
        self
    }

    /// Puts an item into the library, in the form the HTTP API gives it.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().item("macros", "contoso_mail", serde_json::json!({ "name": "Mail" }));
    /// assert_eq!(fixture.session().library().names("macros"), ["contoso_mail"]);
    /// ```
    #[must_use]
    pub fn item(mut self, kind: &str, unique_name: &str, item: Value) -> Self {
        self.library.entry(kind.to_owned()).or_default().insert(unique_name.to_owned(), item);
        self
    }

    /// Returns the session as rules see it.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// assert_eq!(Fixture::new().session().channel(), None);
    /// ```
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Returns the lines written to the trace so far.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// fixture.session().warn("no script");
    /// assert_eq!(fixture.lines().len(), 1);
    /// ```
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.borrow().clone()
    }
}
