//! The whole library at one revision, in memory.
//!
//! A snapshot never changes. People and their direct assignments are no part of it: they are looked up by key, so that
//! a million users cost disk and not memory.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde_json::Value;

use crate::domain::{AnyItem, DefaultProfile, Environment, Item, Kind, Name, Profile, RankAndRoles, Revision};

use super::other_names::OtherNames;

/// The number of languages for which the drawn form of an item is kept.
const LANGUAGES: usize = 8;

/// The library at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    revision: Revision,
    items: BTreeMap<Kind, BTreeMap<Arc<str>, Arc<Entry>>>,
    other_names: OtherNames,
}

/// One item of a snapshot.
#[derive(Debug)]
pub struct Entry {
    /// The item itself.
    pub item: AnyItem,
    /// The revision that wrote it.
    pub revision: Revision,
    /// The layer the item belongs to.
    pub layer: Layer,
    json: OnceLock<Arc<str>>,
    bytes: OnceLock<usize>,
    drawn: RwLock<BTreeMap<u32, Arc<Value>>>,
}

/// The layer of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Shipped with the product; only the upgrader writes it.
    OutOfTheBox,
    /// Made by administrators and imports.
    Custom,
}

impl Layer {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfTheBox => "out-of-the-box",
            Self::Custom => "custom",
        }
    }
}

impl Entry {
    /// Makes an entry of an item.
    pub fn new(item: AnyItem, revision: Revision, layer: Layer) -> Self {
        Self { item, revision, layer, json: OnceLock::new(), bytes: OnceLock::new(), drawn: RwLock::default() }
    }

    /// Makes an entry of an item that was read from a JSON text of `bytes` bytes.
    pub(super) fn stored(item: AnyItem, revision: Revision, layer: Layer, bytes: usize) -> Self {
        Self { bytes: OnceLock::from(bytes), ..Self::new(item, revision, layer) }
    }

    /// Returns the length of the item's JSON text. The text itself is not kept for that.
    fn bytes(&self) -> usize {
        let known = || self.json.get().map(|json| json.len());
        *self.bytes.get_or_init(|| known().unwrap_or_else(|| self.item.to_json().to_string().len()))
    }

    /// Returns the item's JSON text. It is made once and kept.
    pub fn json(&self) -> &Arc<str> {
        self.json.get_or_init(|| self.item.to_json().to_string().into())
    }

    /// Returns the form of the item for people who read `language`. `draw` makes it once; it is kept for a few
    /// languages. All callers must pass functions that draw alike.
    pub fn drawn(&self, language: u32, draw: impl FnOnce(&AnyItem) -> Value) -> Arc<Value> {
        // After a panic the map is consistent: an entry is there or it is not.
        if let Some(known) = self.drawn.read().unwrap_or_else(PoisonError::into_inner).get(&language) {
            return Arc::clone(known);
        }
        let drawn = Arc::new(draw(&self.item));
        let mut kept = self.drawn.write().unwrap_or_else(PoisonError::into_inner);
        // Callers may ask for any language, so not all are kept.
        if kept.len() < LANGUAGES {
            kept.insert(language, Arc::clone(&drawn));
        }
        drawn
    }
}

impl Snapshot {
    /// Returns the library `items` at `revision`.
    pub fn new(revision: Revision, items: impl IntoIterator<Item = (Arc<str>, Entry)>) -> Self {
        let mut snapshot = Self { revision, ..Self::default() };
        for (name, entry) in items {
            snapshot.insert(name, entry);
        }
        snapshot
    }

    /// Returns the revision the snapshot shows.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the item of `T` named `name`, active or not.
    pub fn get<T: Item>(&self, name: &Name<T>) -> Option<&T> {
        T::from_any(&self.entry(T::KIND, name.as_str())?.item)
    }

    /// Returns the item of `T` named `name`, unless it is inactive.
    pub fn active<T: Item>(&self, name: &Name<T>) -> Option<&T> {
        self.get(name).filter(|item| item.is_active())
    }

    /// Returns the item of `kind` named `name`, active or not.
    pub fn entry(&self, kind: Kind, name: &str) -> Option<&Entry> {
        self.items.get(&kind)?.get(name).map(Arc::as_ref)
    }

    /// Returns every item of `T` with its name, sorted by name.
    pub fn all<T: Item>(&self) -> impl Iterator<Item = (Name<T>, &T)> {
        self.entries(T::KIND).filter_map(|(name, entry)| {
            // Names were checked when they were stored; one that is no name any more would be a broken database.
            Some((name.parse().ok()?, T::from_any(&entry.item)?))
        })
    }

    /// Returns every item of `kind` with its name, sorted by name.
    pub fn entries(&self, kind: Kind) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.items.get(&kind).into_iter().flatten().map(|(name, entry)| (name, entry.as_ref()))
    }

    /// Returns the number of items of `kind`.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.items.get(&kind).map_or(0, BTreeMap::len)
    }

    /// Returns the number of bytes of all items as JSON.
    pub(super) fn bytes(&self) -> usize {
        self.items.values().flat_map(BTreeMap::values).map(|entry| entry.bytes()).sum()
    }

    /// Returns the part of the library that shipped with the product.
    pub fn shipped(&self) -> Self {
        let mut shipped = Self { revision: self.revision, ..Self::default() };
        for (name, entry) in self.items.values().flatten() {
            if entry.layer == Layer::OutOfTheBox {
                shipped.insert_shared(Arc::clone(name), Arc::clone(entry));
            }
        }
        shipped
    }

    /// Returns the settings of the environment.
    pub fn environment(&self) -> Environment {
        let stored =
            self.entry(Kind::Environment, Environment::NAME).and_then(|entry| Environment::from_any(&entry.item));
        stored.cloned().unwrap_or_default()
    }

    /// Returns the custom default profile, if one is set.
    pub fn default_profile(&self) -> Option<&Name<Profile>> {
        let entry = self.entry(Kind::DefaultProfile, DefaultProfile::NAME)?;
        DefaultProfile::from_any(&entry.item).map(|default| &default.profile)
    }

    /// Rank and roles of a profile, dormant or not.
    pub fn rank_and_roles(&self, profile: &Name<Profile>) -> Option<&RankAndRoles> {
        RankAndRoles::from_any(&self.entry(Kind::RankAndRoles, profile.as_str())?.item)
    }

    /// Returns the unique name of the item of `kind` that is called `typed`: by its unique name, or, if exactly one
    /// item answers to it, by an alias of an app, the kind of a pane tool, or the display name of a role.
    pub fn canonical(&self, kind: Kind, typed: &str) -> Option<Arc<str>> {
        if let Some((name, _)) = self.items.get(&kind).and_then(|items| items.get_key_value(typed)) {
            return Some(Arc::clone(name));
        }
        self.other_names.only(kind, typed).map(Arc::clone)
    }

    /// Returns another item of `kind` that is called `typed`, or answers to it, besides the one named `name`.
    pub(super) fn rival(&self, kind: Kind, name: &str, typed: &str) -> Option<&Arc<str>> {
        let named = self.items.get(&kind).and_then(|items| items.get_key_value(typed)).map(|(named, _)| named);
        named.into_iter().chain(self.other_names.answering(kind, typed)).find(|other| ***other != *name)
    }

    /// Returns the names `attribute` of an active item refers to, in its order, without targets that are inactive or
    /// gone.
    pub fn active_links(&self, kind: Kind, name: &str, attribute: &str) -> Vec<String> {
        let mut links = Vec::new();
        let Some(entry) = self.entry(kind, name).filter(|entry| entry.item.is_active()) else { return links };
        entry.item.clone().references(&mut |reference| {
            let target = self.entry(reference.kind, reference.name).is_some_and(|entry| entry.item.is_active());
            if target && reference.attribute == attribute {
                links.push(reference.name.to_string());
            }
        });
        links
    }

    /// Returns the library with some items replaced or added. An item that came with the product stays one.
    pub fn overlaid(&self, items: impl IntoIterator<Item = (Arc<str>, AnyItem)>) -> Self {
        let mut overlaid = self.clone();
        for (name, item) in items {
            let layer = self.entry(item.kind(), &name).map_or(Layer::Custom, |entry| entry.layer);
            overlaid.insert(name, Entry::new(item, self.revision, layer));
        }
        overlaid
    }

    /// Returns the item of `kind` named `name`, to be shared with another snapshot.
    pub(super) fn shared(&self, kind: Kind, name: &str) -> Option<Arc<Entry>> {
        self.items.get(&kind)?.get(name).cloned()
    }

    /// Adds an item of another snapshot.
    pub(super) fn share(&mut self, name: Arc<str>, entry: Arc<Entry>) {
        self.insert_shared(name, entry);
    }

    pub(super) fn insert(&mut self, name: Arc<str>, entry: Entry) {
        self.insert_shared(name, Arc::new(entry));
    }

    fn insert_shared(&mut self, name: Arc<str>, entry: Arc<Entry>) {
        let kind = entry.item.kind();
        self.remove(kind, &name);
        self.other_names.add(&name, &entry.item);
        self.items.entry(kind).or_default().insert(name, entry);
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &str) {
        if let Some(gone) = self.items.get_mut(&kind).and_then(|items| items.remove(name)) {
            self.other_names.take(name, &gone.item);
        }
    }

    pub(super) fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_drawn_once_for_each_of_a_few_languages() {
        let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": "Desk"})).unwrap();
        let (entry, drawings) = (Entry::new(queue, Revision(1), Layer::Custom), AtomicU32::new(0));
        let draw = |language: u32| {
            let drawn = entry.drawn(language, |_| {
                drawings.fetch_add(1, Relaxed);
                json!(language)
            });
            assert_eq!(*drawn, json!(language));
        };
        (0..100).for_each(draw);
        (0..100).for_each(draw);
        let (asked, kept) = (200, u32::try_from(LANGUAGES).unwrap());
        assert_eq!(drawings.into_inner(), asked - kept);
    }

    fn app(aliases: &[String]) -> AnyItem {
        AnyItem::parse(Kind::App, "app", json!({"name": "App", "aliases": aliases})).unwrap()
    }

    #[test]
    fn another_name_leads_to_an_item_while_it_is_the_only_one_that_answers() {
        let mut library = Snapshot::default();
        let mut put = |name: &str, aliases: &[&str]| {
            let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect::<Vec<_>>();
            library.insert(name.into(), Entry::new(app(&aliases), Revision(1), Layer::Custom));
            library.clone()
        };
        let leads = |library: &Snapshot, typed: &str| library.canonical(Kind::App, typed).map(|name| name.to_string());
        let one = put("desk", &["old_desk", "shared"]);
        assert_eq!(leads(&one, "old_desk").as_deref(), Some("desk"));
        let two = put("phone", &["shared", "desk"]);
        assert_eq!(leads(&two, "shared"), None, "two apps answer to it");
        assert_eq!(leads(&two, "desk").as_deref(), Some("desk"), "its own name comes first");
        let three = put("phone", &[]);
        assert_eq!(leads(&three, "shared").as_deref(), Some("desk"), "what was replaced answers no more");
        let mut gone = three.clone();
        gone.remove(Kind::App, "desk");
        assert_eq!((leads(&gone, "shared"), leads(&gone, "desk")), (None, None));
        assert_eq!(leads(&three, "shared").as_deref(), Some("desk"), "an earlier snapshot stays as it was");
    }

    #[test]
    fn many_names_are_looked_up_among_many_aliases_without_looking_at_each() {
        const MANY: usize = 100_000;
        let aliases: Vec<String> = (0..MANY).map(|number| format!("alias{number}")).collect();
        let entries = [(Arc::from("desk"), Entry::new(app(&aliases), Revision(1), Layer::Custom))];
        let library = Snapshot::new(Revision(1), entries);
        // Compared one by one these are ten thousand million pairs, which would take minutes.
        let found = (0..2 * MANY).filter(|number| library.canonical(Kind::App, &format!("alias{number}")).is_some());
        assert_eq!(found.count(), MANY);
    }
}
