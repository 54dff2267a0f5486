//! One random user, and how the user is made smaller.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::{AnyUser, Facts, Fixture, Items};

/// A person in a session, the settings of the tool, and the library there is.
#[derive(Debug, Clone)]
pub struct DrawnUser {
    facts: Facts,
    /// The settings of the tool.
    pub settings: Map<String, Value>,
    library: Items,
}

impl DrawnUser {
    /// The person, the session and the library, for asking a rule natively.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// # use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool};
    /// # struct Greeting;
    /// # impl Tool for Greeting {
    /// #     type Settings = NoSettings;
    /// #     type Payload = serde_json::Value;
    /// #     fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> {
    /// #         Ok(match session.get("customerName") {
    /// #             Some(name) => Decision::shown(serde_json::json!({ "greeting": name })),
    /// #             None => Decision::hidden("no-customer", "Shown once the customer is known."),
    /// #         })
    /// #     }
    /// # }
    /// AnyUser::new().context("customerName", "Ada").check::<Greeting>(|user, _| {
    ///     match user.fixture().session().get("customerName").as_deref() {
    ///         None | Some("Ada") => Ok(()),
    ///         Some(other) => Err(format!("nobody is called {other}")),
    ///     }
    /// });
    /// ```
    pub fn fixture(&self) -> Fixture {
        Fixture { facts: self.facts.clone(), library: self.library.clone(), ..Fixture::default() }
    }

    /// Returns the same as a case for a file of cases, without values that are the default.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// # use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool};
    /// # struct Greeting;
    /// # impl Tool for Greeting {
    /// #     type Settings = NoSettings;
    /// #     type Payload = serde_json::Value;
    /// #     fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> {
    /// #         Ok(match session.get("customerName") {
    /// #             Some(name) => Decision::shown(serde_json::json!({ "greeting": name })),
    /// #             None => Decision::hidden("no-customer", "Shown once the customer is known."),
    /// #         })
    /// #     }
    /// # }
    /// AnyUser::new().check::<Greeting>(|user, _| match user.as_case().contains("name: ") {
    ///     true => Ok(()),
    ///     false => Err("it can be pasted".to_owned()),
    /// });
    /// ```
    pub fn as_case(&self) -> String {
        let mut text = "  - name: \"\"\n".to_owned();
        for (key, value) in self.question() {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "    {key}: {value}");
        }
        text + "    expect: {}\n"
    }

    /// What a component is asked about.
    pub(in crate::testing) fn question(&self) -> Map<String, Value> {
        let parts = [
            ("session", Value::Object(self.session())),
            ("settings", Value::Object(self.settings.clone())),
            ("library", json!(self.library)),
        ];
        let is_there = |value: &Value| value.as_object().is_some_and(|members| !members.is_empty());
        parts.into_iter().filter(|(_, value)| is_there(value)).map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// In JSON every YAML can read, and without what a session has by itself.
    fn session(&self) -> Map<String, Value> {
        let usual = json!(Facts::default());
        match json!(self.facts) {
            Value::Object(facts) => facts.into_iter().filter(|(key, value)| usual[key] != *value).collect(),
            _ => Map::new(),
        }
    }
}

/// Where a person is: at home, in a conversation or at a record. Smaller is less of it.
#[derive(Debug, Clone, Default)]
struct Place {
    channel: Option<String>,
    workstream: Option<String>,
    entity: Option<String>,
    template: Option<String>,
}

impl AnyUser {
    /// All users there are. Less of everything is smaller.
    pub(super) fn strategy(&self) -> BoxedStrategy<DrawnUser> {
        let languages = (first(&self.languages), first(&self.languages));
        let person = (some(&self.roles), some(&self.licences), languages, first(&self.apps), first(&self.profiles));
        let context = some(&self.context);
        let items: Vec<(String, String)> = self
            .library
            .iter()
            .flat_map(|(kind, items)| items.keys().map(|name| (kind.clone(), name.clone())))
            .collect();
        let library = self.library.clone();
        let drawn = (person, self.place(), context, first(&self.settings), some(&items));
        drawn
            .prop_map(move |(person, place, context, settings, items)| {
                let (roles, licences, (language, base_language), app, profile) = person;
                let usual = Facts::default();
                let Place { channel, workstream, entity, template } = place;
                let facts = Facts {
                    roles: roles.into_iter().collect::<BTreeSet<_>>(),
                    licences: licences.into_iter().collect(),
                    language: language.unwrap_or(usual.language),
                    base_language: base_language.unwrap_or(usual.base_language),
                    channel,
                    workstream,
                    entity,
                    session_template: template,
                    app: app.unwrap_or(usual.app),
                    profile: profile.unwrap_or(usual.profile),
                    context: context.into_iter().collect::<BTreeMap<_, _>>(),
                };
                let mut there = Items::new();
                for (kind, name) in items {
                    if let Some(item) = library.get(&kind).and_then(|items| items.get(&name)) {
                        there.entry(kind).or_default().insert(name, item.clone());
                    }
                }
                DrawnUser { facts, settings: settings.unwrap_or_default(), library: there }
            })
            .boxed()
    }

    fn place(&self) -> BoxedStrategy<Place> {
        let template = perhaps(&self.templates);
        let channels = (perhaps(&self.channels), perhaps(&self.workstreams), template.clone());
        let conversation = channels.prop_map(|(channel, workstream, template)| {
            // A workstream belongs to a conversation, and that is on a channel.
            let workstream = workstream.filter(|_| channel.is_some());
            Place { channel, workstream, entity: None, template }
        });
        let records = (perhaps(&self.entities), template);
        let record = records.prop_map(|(entity, template)| Place { entity, template, ..Place::default() });
        proptest::prop_oneof![Just(Place::default()), conversation, record].boxed()
    }
}

/// Any of them, in their order.
fn some<T: Clone + std::fmt::Debug + 'static>(of: &[T]) -> BoxedStrategy<Vec<T>> {
    subsequence(of.to_vec(), 0..=of.len()).boxed()
}

/// One of them, the first of them rather; nothing if there is none.
fn first<T: Clone + std::fmt::Debug + 'static>(of: &[T]) -> BoxedStrategy<Option<T>> {
    if of.is_empty() { Just(None).boxed() } else { select(of.to_vec()).prop_map(Some).boxed() }
}

/// One of them, or none.
fn perhaps<T: Clone + std::fmt::Debug + 'static>(of: &[T]) -> BoxedStrategy<Option<T>> {
    if of.is_empty() { Just(None).boxed() } else { option::of(select(of.to_vec())).boxed() }
}
