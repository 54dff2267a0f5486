//! The kinds of items, and what items of every kind have in common.
//!
//! Adding a kind is one line in [`kinds!`] and one file beside this one. Refuses input with unknown keys.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use super::shape::{LIST_FOR_OBJECT, list_for_object};
use super::*;

/// An item of some kind.
pub trait Item: Named + Serialize + DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static {
    /// Returns the text that a list shows beside the unique name.
    fn display_name(&self) -> &str;

    /// Visits every reference to another item, so that the caller can check it and write its canonical spelling.
    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        let _ = visit;
    }

    /// Reports faults within this one item that the type of no single attribute could catch.
    fn check(&self, problems: &mut Problems) {
        let _ = problems;
    }

    /// Tells whether the item is in use. Inactive items are kept, and skipped.
    fn is_active(&self) -> bool {
        true
    }

    /// Returns the item inside an [`AnyItem`], if it is of this kind.
    fn from_any(item: &AnyItem) -> Option<&Self>;
}

/// The refusal of an item that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}` is not valid: {}", problems.0.first().map_or_else(String::new, ToString::to_string))]
pub struct InvalidItem {
    /// The kind of the item.
    pub kind: Kind,
    /// Its name, as typed.
    pub name: String,
    /// The faults, at least one.
    pub problems: Problems,
}

fn parse<T: Item>(name: &str, json: &Value) -> Result<T, InvalidItem> {
    let refused = |path: String, message: String| {
        let mut problems = Problems::default();
        problems.refuse(path, message);
        InvalidItem { kind: T::KIND, name: name.to_owned(), problems }
    };
    let made: T = serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        refused(if path == "." { String::new() } else { path }, error.into_inner().to_string())
    })?;
    match list_for_object(json, &made) {
        None => Ok(made),
        Some(path) => Err(refused(path, LIST_FOR_OBJECT.to_owned())),
    }
}

fn attributes<T: utoipa::PartialSchema>() -> Vec<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $collection:literal, $one:literal, $plural:literal, $naming:ident, $visibility:ident;)+) => {
        /// A kind of item.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $kind),+ }

        /// An item of any kind.
        #[derive(Debug, Clone)]
        pub enum AnyItem { $($(#[$doc])* $kind($kind)),+ }

        $(
            impl Named for $kind {
                const KIND: Kind = Kind::$kind;
            }

            impl From<$kind> for AnyItem {
                fn from(item: $kind) -> Self {
                    Self::$kind(item)
                }
            }
        )+

        impl Kind {
            /// Every kind, in dependency order as far as there is one: a kind comes before the kinds whose items refer
            /// to it.
            pub const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// Returns the name of the collection, as in the HTTP API and in rule components, such as
            /// `session-templates`.
            pub fn collection(self) -> &'static str {
                match self { $(Self::$kind => $collection),+ }
            }

            /// Returns the singular for messages.
            fn one(self) -> &'static str {
                match self { $(Self::$kind => $one),+ }
            }

            /// Returns the plural for messages.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural),+ }
            }

            /// Tells whether authors write unique names of this kind as `<prefix>_<name>`.
            pub fn is_prefixed(self) -> bool {
                match self { $(Self::$kind => kinds!(@naming $naming)),+ }
            }

            /// Tells whether the kind is a collection of its own in the API, rather than a part of another resource.
            pub fn is_collection(self) -> bool {
                match self { $(Self::$kind => kinds!(@visibility $visibility)),+ }
            }

            /// Tells whether items of the kind are part of an export. Plugins, publishers and connectors are not.
            pub fn is_portable(self) -> bool {
                match self { $(Self::$kind => kinds!(@portability $visibility)),+ }
            }
        }

        impl Kind {
            /// Returns the attributes that items of the kind have in their JSON form.
            pub fn attributes(self) -> Vec<String> {
                match self { $(Self::$kind => attributes::<$kind>()),+ }
            }
        }

        impl AnyItem {
            /// Reads the JSON form of an item of `kind`. Reports the first fault with its path.
            pub fn parse(kind: Kind, name: &str, json: Value) -> Result<Self, InvalidItem> {
                match kind { $(Kind::$kind => parse::<$kind>(name, &json).map(Self::$kind)),+ }
            }

            /// Returns the kind of the item.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind),+ }
            }

            /// Returns the JSON form; [`AnyItem::parse`] reads it back.
            pub fn to_json(&self) -> Value {
                let json = match self { $(Self::$kind(item) => serde_json::to_value(item)),+ };
                json.expect("items are plain data with text keys, which always has a JSON form")
            }

            /// See [`Item::display_name`].
            pub fn display_name(&self) -> &str {
                match self { $(Self::$kind(item) => item.display_name()),+ }
            }

            /// See [`Item::references`].
            pub fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
                match self { $(Self::$kind(item) => item.references(visit)),+ }
            }

            /// See [`Item::check`].
            pub fn check(&self, problems: &mut Problems) {
                match self { $(Self::$kind(item) => item.check(problems)),+ }
            }

            /// See [`Item::is_active`].
            pub fn is_active(&self) -> bool {
                match self { $(Self::$kind(item) => item.is_active()),+ }
            }
        }
    };
    (@naming prefixed) => { true };
    (@naming free) => { false };
    (@visibility collection) => { true };
    (@visibility part) => { false };
    (@visibility machinery) => { false };
    (@portability collection) => { true };
    (@portability part) => { true };
    (@portability machinery) => { false };
}

kinds! {
    /// A named set of rights.
    SecurityRole = "security-roles", "security role", "security roles", free, collection;
    /// A macro.
    Macro = "macros", "macro", "macros", prefixed, collection;
    /// A script with its steps.
    Script = "scripts", "script", "scripts", prefixed, collection;
    /// A reusable page.
    ApplicationTabTemplate = "application-tab-templates", "application tab template", "application tab templates", prefixed, collection;
    /// An incoming notification.
    NotificationTemplate = "notification-templates", "notification template", "notification templates", prefixed, collection;
    /// The panel, tabs and scripts of a new session.
    SessionTemplate = "session-templates", "session template", "session templates", prefixed, collection;
    /// A source of suggestions.
    SmartAssistConfiguration = "smart-assist-configurations", "smart assist configuration", "smart assist configurations", prefixed, collection;
    /// A tool that can be placed in a productivity pane.
    PaneTool = "pane-tools", "pane tool", "pane tools", prefixed, collection;
    /// A telephony provider.
    ChannelProvider = "channel-providers", "channel provider", "channel providers", prefixed, collection;
    /// An addition to what profiles can hold.
    ApplicationExtension = "application-extensions", "application extension", "application extensions", prefixed, collection;
    /// A list of waiting work.
    Queue = "queues", "queue", "queues", free, collection;
    /// A container for routing work of one channel.
    Workstream = "workstreams", "workstream", "workstreams", free, collection;
    /// How calls are taken or made.
    VoiceProfile = "voice-profiles", "voice profile", "voice profiles", free, collection;
    /// A workspace application.
    App = "apps", "app", "apps", free, collection;
    /// An experience profile.
    Profile = "profiles", "profile", "profiles", prefixed, collection;
    /// The rank of a profile and the roles it is mapped to, under the profile's name.
    RankAndRoles = "rank-and-roles", "rank and roles", "ranks and roles", free, part;
    /// Which profile is the custom default. There is one, named [`DefaultProfile::NAME`].
    DefaultProfile = "default-profile", "default profile", "default profiles", free, part;
    /// The switches of the whole environment. There is one, named [`Environment::NAME`].
    Environment = "environment", "environment", "environments", free, part;
    /// A plugin: its active version, and the environment's settings of it.
    Plugin = "plugins", "plugin", "plugins", free, machinery;
    /// A publisher whose plugins must be signed, and the keys that may sign them.
    TrustedPublisher = "trusted-publishers", "trusted publisher", "trusted publishers", free, machinery;
    /// A connector: a system in which plugins look up records, or search for articles.
    Connector = "connectors", "connector", "connectors", free, machinery;
    /// A person.
    User = "users", "user", "users", free, collection;
}

impl Kind {
    /// Returns the singular with its article, for messages.
    pub fn with_article(self) -> String {
        let one = self.one();
        let article = if one.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {one}")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.one())
    }
}

/// The refusal of a name that no kind has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a collection")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(collection: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.iter().find(|kind| kind.collection() == collection);
        known.copied().ok_or_else(|| UnknownKind(collection.to_owned()))
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.collection())
    }
}

/// Implements [`Item::from_any`] and the usual display name and state for `$kind`.
macro_rules! item_basics {
    ($kind:ident) => {
        fn from_any(item: &AnyItem) -> Option<&Self> {
            match item {
                AnyItem::$kind(item) => Some(item),
                _ => None,
            }
        }
    };
    ($kind:ident, named) => {
        item_basics!($kind);

        fn display_name(&self) -> &str {
            self.name.default_text()
        }
    };
    ($kind:ident, named, stateful) => {
        item_basics!($kind, named);

        fn is_active(&self) -> bool {
            self.state == State::Active
        }
    };
}
pub(super) use item_basics;
