//! Items and assignments that refer to an item.

use serde::Serialize;

/// An item or an assignment that refers to an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Referrer {
    /// The collection; `assignments` for a person who is assigned to a profile.
    pub collection: String,
    /// The name of the item. Of an assignment: the person, or the profile if the person is referred to.
    pub name: String,
    /// The attribute with the reference.
    pub attribute: String,
}

/// Links to an item. There may be as many as there are people, so not all people are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// All links of the configuration, then the first people, by login.
    pub listed: Vec<Referrer>,
    /// The number of all links.
    pub count: u64,
}

impl Links {
    /// The most people who are listed.
    pub const PEOPLE: usize = 20;

    pub(super) fn add(&mut self, more: Self) {
        self.count += more.count;
        self.listed.extend(more.listed);
    }
}
