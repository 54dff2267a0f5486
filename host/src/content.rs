//! The configuration that ships with the program, the samples, and the reader of both.
//!
//! A content document is one JSON object: a collection name such as `profiles`, then items by unique name in the form
//! the API takes. The key `assignments` holds direct assignments, from login to profile. The reader refuses unknown
//! keys, and an item or a login that stands twice. It leaves the check of references to the store.

mod document;
mod samples;
mod shipped;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use samples::{SAMPLES, sample};
pub use shipped::shipped;

use crate::domain::{AnyItem, InvalidItem, InvalidName, Kind, Name, Profile, User};
use document::Section;

/// Items and direct assignments, ready to be written as one change.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The items with their unique names, in the order of [`Kind::ALL`], then as written.
    pub items: Vec<(Arc<str>, AnyItem)>,
    /// Direct assignments, as written.
    pub assignments: Vec<(Name<User>, Name<Profile>)>,
}

/// A refusal of a content document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document is not JSON, or not shaped like content.
    #[error("the content document cannot be read: {0}")]
    Document(#[from] serde_path_to_error::Error<serde_json::Error>),
    /// Two items of a collection, or two assignments, share a name.
    #[error("`{name}` stands twice under `{section}`: keep one")]
    Twice {
        /// The collection, or `assignments`.
        section: &'static str,
        /// The unique name or login that stands twice.
        name: String,
    },
    /// A unique name, or a login, breaks the rules of names.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The collection holds a single item, and its name is another.
    #[error("`{typed}` cannot stand under `{section}`: the only name there is `{section}`")]
    OnlyOne {
        /// The collection.
        section: &'static str,
        /// The name as it was typed.
        typed: String,
    },
    /// An item is not valid.
    #[error(transparent)]
    Item(#[from] InvalidItem),
    /// The value of an assignment is not a string.
    #[error("the assignment of `{login}` must be the unique name of a profile, such as `contoso_rep`")]
    Assignment {
        /// The login.
        login: String,
    },
}

impl Content {
    /// Reads one content document.
    pub fn parse(document: &str) -> Result<Self, Error> {
        let mut content = Self::default();
        for (section, entries) in document::read(document)? {
            for (name, json) in entries {
                match section {
                    Section::Items(kind) => content.add_item(kind, &name, json)?,
                    Section::Assignments => content.add_assignment(&name, &json)?,
                }
            }
        }
        content.sort_and_check()
    }

    /// Merges both contents into one. Refuses an item or an assignment that stands in both.
    pub fn merge(mut self, other: Self) -> Result<Self, Error> {
        self.items.extend(other.items);
        self.assignments.extend(other.assignments);
        self.sort_and_check()
    }

    fn add_item(&mut self, kind: Kind, name: &str, json: serde_json::Value) -> Result<(), Error> {
        crate::domain::name::check_name(kind, name)?;
        let section = kind.collection();
        if matches!(kind, Kind::DefaultProfile | Kind::Environment) && name != section {
            return Err(Error::OnlyOne { section, typed: name.to_owned() });
        }
        self.items.push((name.into(), AnyItem::parse(kind, name, json)?));
        Ok(())
    }

    fn add_assignment(&mut self, login: &str, profile: &serde_json::Value) -> Result<(), Error> {
        let profile = profile.as_str().ok_or_else(|| Error::Assignment { login: login.to_owned() })?;
        self.assignments.push((login.parse()?, profile.parse()?));
        Ok(())
    }

    fn sort_and_check(mut self) -> Result<Self, Error> {
        self.items.sort_by_key(|(_, item)| item.kind());
        let mut seen = BTreeSet::new();
        for (name, item) in &self.items {
            if !seen.insert((item.kind(), name.as_ref())) {
                return Err(Error::Twice { section: item.kind().collection(), name: name.to_string() });
            }
        }
        let mut seen = BTreeSet::new();
        for (login, _) in &self.assignments {
            if !seen.insert(login) {
                return Err(Error::Twice { section: document::ASSIGNMENTS, name: login.to_string() });
            }
        }
        Ok(self)
    }

    /// Reads the documents that are embedded in the program, each with its file name.
    fn embedded(documents: &[(&str, &str)]) -> Self {
        let mut all = Self::default();
        for (file, document) in documents {
            all = Self::parse(document)
                .and_then(|content| all.merge(content))
                // The documents cannot change after the build, and the tests of this module read every one of them.
                .unwrap_or_else(|error| panic!("the embedded document `{file}` is broken: {error}"));
        }
        all
    }
}

#[cfg(test)]
mod tests;
