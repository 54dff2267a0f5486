//! Property tests: users with random sessions, settings and libraries, and the smallest user that breaks a promise.
//!
//! Values are drawn from those that the cases of a plugin mention, or that the test names. A user who breaks a promise
//! is printed as a case, to be pasted into a file of cases.

mod drawn;

use std::path::Path;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Map, Value};

use super::cases::{CaseFile, add_to, files_of};
use super::tool::Case;
use super::{Facts, Fixture, Items};
use crate::{Decision, Fault, Tool};

pub use drawn::DrawnUser;

/// The variable with the seed of an earlier run.
const SEED: &str = "LOADOUT_SEED";

/// A generator of random users: the values they are drawn from.
#[derive(Debug, Clone, Default)]
pub struct AnyUser {
    roles: Vec<String>,
    licences: Vec<String>,
    channels: Vec<String>,
    workstreams: Vec<String>,
    entities: Vec<String>,
    templates: Vec<String>,
    apps: Vec<String>,
    profiles: Vec<String>,
    languages: Vec<u32>,
    context: Vec<(String, String)>,
    settings: Vec<Map<String, Value>>,
    library: Items,
    tries: Option<u32>,
}

impl AnyUser {
    /// Makes users with an English screen and without settings, roles or anything else to draw from.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let nobody = format!("{:?}", AnyUser::new());
    /// assert!(nobody.contains("1033") && nobody.contains("roles: []"));
    /// ```
    pub fn new() -> Self {
        let Facts { app, profile, language, .. } = Facts::default();
        let (apps, profiles, languages) = (vec![app], vec![profile], vec![language]);
        Self { apps, profiles, languages, settings: vec![Map::new()], ..Self::default() }
    }

    /// Draws users from the values that the cases of a folder mention.
    ///
    /// # Panics
    ///
    /// If a file cannot be read as cases, or there are none.
    ///
    /// ```
    /// use loadout_sdk::testing::{AnyUser, Component};
    /// # let _ = |component: Component| {
    /// let any = AnyUser::of_cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    /// component.never_breaks(&any);
    /// # };
    /// ```
    pub fn of_cases(folder: impl AsRef<Path>) -> Self {
        let (mut any, mut count) = (Self::new(), 0);
        for (_, CaseFile::<Case> { library, cases }) in files_of(folder.as_ref()) {
            count += cases.len();
            add_to(&mut any.library, library);
            for case in cases {
                add_to(&mut any.library, case.library);
                any.add_facts(case.session);
                any = any.settings(case.settings);
            }
        }
        assert!(count > 0, "there are no cases in `{}`", folder.as_ref().display());
        any
    }

    /// Adds a security role that users may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().role("agent");
    /// assert!(format!("{any:?}").contains("agent"));
    /// ```
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        add(&mut self.roles, role.to_owned());
        self
    }

    /// Adds a licence that users may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().licence("voice");
    /// assert!(format!("{any:?}").contains("voice"));
    /// ```
    #[must_use]
    pub fn licence(mut self, licence: &str) -> Self {
        add(&mut self.licences, licence.to_owned());
        self
    }

    /// Adds a channel that the conversation of users may be on.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().channel("chat");
    /// assert!(format!("{any:?}").contains("chat"));
    /// ```
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        add(&mut self.channels, channel.to_owned());
        self
    }

    /// Adds a workstream that the conversation of users may come from.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().workstream("billing");
    /// assert!(format!("{any:?}").contains("billing"));
    /// ```
    #[must_use]
    pub fn workstream(mut self, workstream: &str) -> Self {
        add(&mut self.workstreams, workstream.to_owned());
        self
    }

    /// Adds a session template that the session of users may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().session_template("contoso_case");
    /// assert!(format!("{any:?}").contains("contoso_case"));
    /// ```
    #[must_use]
    pub fn session_template(mut self, template: &str) -> Self {
        add(&mut self.templates, template.to_owned());
        self
    }

    /// Adds an app that users may be in.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().app("contact-centre");
    /// assert!(format!("{any:?}").contains("contact-centre"));
    /// ```
    #[must_use]
    pub fn app(mut self, app: &str) -> Self {
        add(&mut self.apps, app.to_owned());
        self
    }

    /// Adds a profile that users may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().profile("contoso_vip");
    /// assert!(format!("{any:?}").contains("contoso_vip"));
    /// ```
    #[must_use]
    pub fn profile(mut self, profile: &str) -> Self {
        add(&mut self.profiles, profile.to_owned());
        self
    }

    /// Adds a table that the session of users may be about.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().entity("incident");
    /// assert!(format!("{any:?}").contains("incident"));
    /// ```
    #[must_use]
    pub fn entity(mut self, entity: &str) -> Self {
        add(&mut self.entities, entity.to_owned());
        self
    }

    /// Adds a value that the context of the session may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().context("customerName", "Ada");
    /// assert!(format!("{any:?}").contains("Ada"));
    /// ```
    #[must_use]
    pub fn context(mut self, key: &str, value: &str) -> Self {
        add(&mut self.context, (key.to_owned(), value.to_owned()));
        self
    }

    /// Adds settings that the tool may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let settings = serde_json::json!({ "most": 3 });
    /// let any = AnyUser::new().settings(settings.as_object().unwrap().clone());
    /// assert!(format!("{any:?}").contains("most"));
    /// ```
    #[must_use]
    pub fn settings(mut self, settings: Map<String, Value>) -> Self {
        add(&mut self.settings, settings);
        self
    }

    /// An item the library may have.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().item("macros", "contoso_mail", serde_json::json!({ "name": "Mail" }));
    /// assert!(format!("{any:?}").contains("contoso_mail"));
    /// ```
    #[must_use]
    pub fn item(mut self, kind: &str, unique_name: &str, item: Value) -> Self {
        self.library.entry(kind.to_owned()).or_default().insert(unique_name.to_owned(), item);
        self
    }

    /// How many users are tried; 256 without it.
    ///
    /// ```
    /// use loadout_sdk::testing::AnyUser;
    /// let any = AnyUser::new().tries(1000);
    /// assert!(format!("{any:?}").contains("1000"));
    /// ```
    #[must_use]
    pub fn tries(mut self, count: u32) -> Self {
        self.tries = Some(count);
        self
    }

    /// Holds a rule to a promise, natively. A rule that panics breaks every promise.
    ///
    /// # Panics
    ///
    /// If a user breaks the promise: with the smallest such user as a case, and the seed that finds that user again.
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
    /// AnyUser::new().context("customerName", "Ada").check::<Greeting>(|_, decided| match decided {
    ///     Ok(_) => Ok(()),
    ///     Err(fault) => Err(format!("it answers with {fault}")),
    /// });
    /// ```
    pub fn check<T: Tool>(&self, promise: impl Fn(&DrawnUser, &Result<Decision<Value>, Fault>) -> Result<(), String>) {
        self.run(|user| promise(user, &user.fixture().evaluate::<T>(Value::Object(user.settings.clone()))));
    }

    fn add_facts(&mut self, facts: Facts) {
        facts.roles.into_iter().for_each(|it| add(&mut self.roles, it));
        facts.licences.into_iter().for_each(|it| add(&mut self.licences, it));
        facts.channel.into_iter().for_each(|it| add(&mut self.channels, it));
        facts.workstream.into_iter().for_each(|it| add(&mut self.workstreams, it));
        facts.entity.into_iter().for_each(|it| add(&mut self.entities, it));
        facts.session_template.into_iter().for_each(|it| add(&mut self.templates, it));
        add(&mut self.apps, facts.app);
        add(&mut self.profiles, facts.profile);
        [facts.language, facts.base_language].into_iter().for_each(|it| add(&mut self.languages, it));
        facts.context.into_iter().for_each(|it| add(&mut self.context, it));
    }

    /// Checks a promise for every drawn user, and panics as [`AnyUser::check`] does.
    pub(super) fn run(&self, promise: impl Fn(&DrawnUser) -> Result<(), String>) {
        let seed = seed();
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config { cases: self.tries.unwrap_or(256), failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let held = runner.run(&self.strategy(), |user| promise(&user).map_err(TestCaseError::fail));
        match held {
            Ok(()) => {}
            Err(TestError::Fail(why, user)) => {
                panic!("{why}\nThe smallest such user, found with {SEED}={seed}, as a case:\n\n{}", user.as_case())
            }
            Err(TestError::Abort(why)) => panic!("no user could be drawn: {why}"),
        }
    }
}

/// The seed of an earlier run if one is given, and otherwise another one each time.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    match std::env::var(SEED) {
        Ok(given) => match given.parse() {
            Ok(seed) => seed,
            Err(_) => panic!("{SEED} is `{given}`, and a seed is a number"),
        },
        Err(_) => std::collections::hash_map::RandomState::new().build_hasher().finish(),
    }
}

/// Each once.
fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{NoSettings, Session};

    /// Breaks for supervisors in a chat.
    struct Shy;

    impl Tool for Shy {
        type Settings = NoSettings;
        type Payload = Value;

        fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Value>, Fault> {
            assert!(!(session.has_role("supervisor") && session.channel().is_some()), "a supervisor chats");
            Ok(Decision::shown(json!({})))
        }
    }

    #[test]
    fn the_smallest_user_who_breaks_a_promise_is_printed_as_a_case() {
        let any = AnyUser::new()
            .role("agent")
            .role("supervisor")
            .licence("chat")
            .channel("chat")
            .entity("incident")
            .context("customerName", "Ada")
            .item("macros", "contoso_open", json!({}));
        let panic = std::panic::catch_unwind(|| any.check::<Shy>(|_, _| Ok(()))).unwrap_err();
        let text = panic.downcast::<String>().unwrap();
        let (why, case) = text.split_once("as a case:\n\n").unwrap();
        assert!(why.contains("a supervisor chats") && why.contains("LOADOUT_SEED="), "{text}");
        let expected =
            "  - name: \"\"\n    session: {\"channel\":\"chat\",\"roles\":[\"supervisor\"]}\n    expect: {}\n";
        assert_eq!(case, expected);
    }

    #[test]
    fn a_promise_that_holds_is_tried_as_often_as_was_said() {
        let tried = std::cell::Cell::new(0);
        AnyUser::new().role("agent").tries(17).check::<Shy>(|user, decided| {
            tried.set(tried.get() + 1);
            assert!(user.as_case().contains("expect:"));
            if decided.is_ok() { Ok(()) } else { Err("it decides nothing".to_owned()) }
        });
        assert_eq!(tried.get(), 17);
    }
}
