//! The outer shape of a content document: sections, and in each of them entries by name.
//!
//! Keeps two things that a JSON map would lose: the order as written, and a name that stands twice.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::domain::Kind;

/// The key of the section that holds direct assignments.
pub(super) const ASSIGNMENTS: &str = "assignments";

/// The meaning of a key of the document.
#[derive(Clone, Copy)]
pub(super) enum Section {
    /// Items of one kind.
    Items(Kind),
    /// Direct assignments.
    Assignments,
}

/// The entries of one JSON object, as written.
pub(super) struct Entries<K, V>(Vec<(K, V)>);

/// Reads the sections of a document.
pub(super) fn read(
    document: &str,
) -> Result<Entries<Section, Entries<String, serde_json::Value>>, serde_path_to_error::Error<serde_json::Error>> {
    let mut json = serde_json::Deserializer::from_str(document);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = Entries::deserialize(tracked).and_then(|entries| json.end().map(|()| entries));
    read.map_err(|error| serde_path_to_error::Error::new(track.path(), error))
}

impl<K, V> IntoIterator for Entries<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        if key == ASSIGNMENTS {
            return Ok(Self::Assignments);
        }
        key.parse().map(Self::Items).map_err(|_| {
            D::Error::custom(format!("unknown key `{key}`: use a collection, such as `profiles`, or `{ASSIGNMENTS}`"))
        })
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AsWritten(PhantomData))
    }
}

struct AsWritten<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for AsWritten<K, V> {
    type Value = Entries<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
