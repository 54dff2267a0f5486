//! Finds people in an order, by index: the cost of a list depends on what it shows, not on how many people there are.
//!
//! The store does not refuse a list that no index serves. The caller bounds the people it looks at.

use std::collections::BTreeSet;
use std::ops::Bound;

use rusqlite::{Connection, params_from_iter};

use crate::domain::{Revision, User};
use crate::store::{Error, Store};

use super::current_user;
use super::ranges::{Range, Ranges};

/// The key by which people are found and sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonKey {
    /// The login.
    Login,
    /// The display name.
    DisplayName,
    /// To find people: each role that a person holds. To sort people: the first role of a person, or the empty text for
    /// a person without roles.
    Role,
}

/// An order of people: by a key, and by login for equal keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleOrder {
    /// The key.
    pub key: PersonKey,
    /// Whether the greatest key comes first.
    pub descending: bool,
    /// Whether the greatest login comes first among equal keys.
    pub logins_descending: bool,
}

/// The place of a person in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The key that the person is sorted by.
    pub key: String,
    /// The login.
    pub login: String,
}

/// The most roles whose lists of people are merged.
const MERGED_MAX: usize = 16;

impl PersonKey {
    fn column(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::DisplayName => "display_name",
            Self::Role => "first_role",
        }
    }
}

impl PeopleOrder {
    /// By login, the least first.
    pub const BY_LOGIN: Self = Self { key: PersonKey::Login, descending: false, logins_descending: false };

    /// Compares the places of two people in this order.
    #[must_use]
    pub fn compare(&self, a: &Standing, b: &Standing) -> std::cmp::Ordering {
        let turned = |order: std::cmp::Ordering, descending| if descending { order.reverse() } else { order };
        let logins_descending = if self.key == PersonKey::Login { self.descending } else { self.logins_descending };
        turned(a.key.cmp(&b.key), self.descending).then_with(|| turned(a.login.cmp(&b.login), logins_descending))
    }

    /// Returns whether people found by `key` within `ranges` can be read in this order from an index.
    #[must_use]
    pub fn suits(&self, key: PersonKey, ranges: &Ranges) -> bool {
        match key {
            PersonKey::Role => *self == Self::BY_LOGIN && ranges.texts().is_some_and(|roles| roles.len() <= MERGED_MAX),
            key => key == self.key,
        }
    }
}

impl Store {
    /// Counts the entries of the index of `key` within `ranges`, up to `most`.
    pub fn count_people(&self, key: PersonKey, ranges: &Ranges, most: usize) -> Result<usize, Error> {
        self.read(|connection| {
            let mut count = 0;
            for range in ranges.ranges() {
                let mut find = Find::new(if key == PersonKey::Role { "person_role" } else { "person" });
                find.within(if key == PersonKey::Role { "role" } else { key.column() }, range);
                count += find.count(connection, most - count)?;
                if count == most {
                    break;
                }
            }
            Ok(count)
        })
    }

    /// Returns all people found by `key` within `ranges`, in `order`. For small sets.
    pub fn sorted_people(&self, key: PersonKey, ranges: &Ranges, order: PeopleOrder) -> Result<Vec<Standing>, Error> {
        let mut found = self.read(|connection| {
            let mut found = BTreeSet::new();
            for range in ranges.ranges() {
                let mut find = match key {
                    PersonKey::Role => Find::new("person_role JOIN person ON person.login = person_role.login"),
                    _ => Find::new("person"),
                };
                find.within(if key == PersonKey::Role { "role" } else { key.column() }, range);
                found.extend(find.standings(connection, order.key, "", usize::MAX)?);
            }
            Ok(found.into_iter().collect::<Vec<_>>())
        })?;
        found.sort_by(|a, b| order.compare(a, b));
        Ok(found)
    }

    /// Returns up to `limit` people in `order`, after the place `after`. With `within`, only people within ranges of a
    /// key; the order must suit that key.
    pub fn walk_people(
        &self,
        order: PeopleOrder,
        within: Option<(PersonKey, &Ranges)>,
        after: Option<&Standing>,
        limit: usize,
    ) -> Result<Vec<Standing>, Error> {
        self.read(|connection| match within {
            Some((PersonKey::Role, roles)) => merged(connection, roles, after, limit),
            Some((_, ranges)) => walk(connection, order, ranges.ranges(), after, limit),
            None => walk(connection, order, &[Range::ALL], after, limit),
        })
    }

    /// Returns the people at the given places, each with the revision that wrote the item. Leaves out people who were
    /// deleted meanwhile.
    pub fn people_at(&self, standings: Vec<Standing>) -> Result<Vec<(Standing, User, Revision)>, Error> {
        self.read(|connection| {
            let mut people = Vec::with_capacity(standings.len());
            for standing in standings {
                if let Some((user, revision)) = current_user(connection, &standing.login)? {
                    people.push((standing, user, revision));
                }
            }
            Ok(people)
        })
    }
}

fn walk(
    connection: &Connection,
    order: PeopleOrder,
    ranges: &[Range],
    after: Option<&Standing>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let mut found = Vec::new();
    let in_turn: Vec<&Range> = if order.descending { ranges.iter().rev().collect() } else { ranges.iter().collect() };
    for range in in_turn {
        let wanted = limit - found.len();
        if wanted == 0 {
            break;
        }
        let inside = after.filter(|after| range.contains(&after.key));
        let is_behind = after.is_some_and(|after| {
            let is_below = range.is_below(&after.key);
            inside.is_none() && if order.descending { !is_below } else { is_below }
        });
        if is_behind {
            continue;
        }
        let is_straight = order.key == PersonKey::Login || order.descending == order.logins_descending;
        found.extend(if is_straight {
            straight(connection, order, range, inside, wanted)?
        } else {
            in_groups(connection, order, range, inside, wanted)?
        });
    }
    Ok(found)
}

/// Reads along an index, in which logins rise or fall together with the keys.
fn straight(
    connection: &Connection,
    order: PeopleOrder,
    range: &Range,
    after: Option<&Standing>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let (column, turn) = (order.key.column(), if order.descending { "DESC" } else { "ASC" });
    let beyond = if order.descending { "<" } else { ">" };
    let mut find = Find::new("person");
    match after {
        // One bound on each side, so that the index is entered where the last page ended.
        Some(after) => {
            if order.key == PersonKey::Login {
                find.condition(&format!("login {beyond}"), &after.login);
            } else {
                find.pair(&format!("({column}, login) {beyond}"), &after.key, &after.login);
            }
            if order.descending { find.from(column, range) } else { find.to(column, range) }
        }
        None => find.within(column, range),
    }
    let by = if order.key == PersonKey::Login {
        format!("ORDER BY login {turn}")
    } else {
        format!("ORDER BY {column} {turn}, login {turn}")
    };
    find.standings(connection, order.key, &by, limit)
}

/// Reads where logins run against the keys: from key to key, and along the logins of each.
fn in_groups(
    connection: &Connection,
    order: PeopleOrder,
    range: &Range,
    after: Option<&Standing>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let column = order.key.column();
    let (extreme, beyond_key) = if order.descending { ("max", "<") } else { ("min", ">") };
    let (turn, beyond_login) = if order.logins_descending { ("DESC", "<") } else { ("ASC", ">") };
    let next_key = |last: Option<&str>| -> Result<Option<String>, Error> {
        let mut find = Find::new("person");
        match last {
            Some(last) => {
                find.condition(&format!("{column} {beyond_key}"), last);
                if order.descending { find.from(column, range) } else { find.to(column, range) }
            }
            None => find.within(column, range),
        }
        find.extreme(connection, &format!("{extreme}({column})"))
    };
    let mut found = Vec::new();
    let mut login = after.map(|after| after.login.clone());
    let mut key = match after {
        Some(after) => Some(after.key.clone()),
        None => next_key(None)?,
    };
    while let Some(at) = key.take().filter(|_| found.len() < limit) {
        let mut find = Find::new("person");
        find.condition(&format!("{column} ="), &at);
        if let Some(login) = login.take() {
            find.condition(&format!("login {beyond_login}"), &login);
        }
        let by = format!("ORDER BY login {turn}");
        found.extend(find.standings(connection, order.key, &by, limit - found.len())?);
        key = next_key(Some(&at))?;
    }
    Ok(found)
}

/// Returns the people who hold one of some roles, by login.
fn merged(
    connection: &Connection,
    roles: &Ranges,
    after: Option<&Standing>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let mut logins = BTreeSet::new();
    for role in roles.texts().unwrap_or_default() {
        let mut find = Find::new("person_role");
        find.condition("role =", role);
        if let Some(after) = after {
            find.condition("login >", &after.login);
        }
        logins.extend(find.standings(connection, PersonKey::Login, "ORDER BY login", limit)?);
    }
    Ok(logins.into_iter().take(limit).collect())
}

/// A query of the tables of people, with its conditions.
struct Find {
    tables: &'static str,
    conditions: Vec<String>,
    values: Vec<String>,
}

impl Find {
    fn new(tables: &'static str) -> Self {
        Self { tables, conditions: Vec::new(), values: Vec::new() }
    }

    /// Adds a condition on one value.
    fn condition(&mut self, condition: &str, value: &str) {
        self.values.push(value.to_owned());
        self.conditions.push(format!("{condition} ?{}", self.values.len()));
    }

    /// Adds a condition on a key and a login together.
    fn pair(&mut self, condition: &str, key: &str, login: &str) {
        self.values.extend([key.to_owned(), login.to_owned()]);
        self.conditions.push(format!("{condition} (?{}, ?{})", self.values.len() - 1, self.values.len()));
    }

    fn within(&mut self, column: &str, range: &Range) {
        if let (Bound::Included(from), Bound::Included(to)) = (&range.from, &range.to)
            && from == to
        {
            return self.condition(&format!("{column} ="), from);
        }
        self.from(column, range);
        self.to(column, range);
    }

    fn from(&mut self, column: &str, range: &Range) {
        match &range.from {
            Bound::Included(from) => self.condition(&format!("{column} >="), from),
            Bound::Excluded(from) => self.condition(&format!("{column} >"), from),
            Bound::Unbounded => {}
        }
    }

    fn to(&mut self, column: &str, range: &Range) {
        match &range.to {
            Bound::Included(to) => self.condition(&format!("{column} <="), to),
            Bound::Excluded(to) => self.condition(&format!("{column} <"), to),
            Bound::Unbounded => {}
        }
    }

    fn text(&self, what: &str, rest: &str) -> String {
        let conditions = if self.conditions.is_empty() { "1 = 1".to_owned() } else { self.conditions.join(" AND ") };
        let text = format!("SELECT {what} FROM {} WHERE {conditions} {rest}", self.tables);
        #[cfg(test)]
        tests::asked(&text);
        text
    }

    fn standings(
        &self,
        connection: &Connection,
        key: PersonKey,
        order: &str,
        limit: usize,
    ) -> Result<Vec<Standing>, Error> {
        let what = match self.tables {
            "person" => format!("{}, login", key.column()),
            "person_role" => "login, login".to_owned(),
            _ => format!("person.{}, person.login", key.column()),
        };
        let limit = if limit == usize::MAX { String::new() } else { format!("LIMIT {limit}") };
        let mut find = connection.prepare_cached(&self.text(&what, &format!("{order} {limit}")))?;
        let found = find
            .query_map(params_from_iter(&self.values), |row| Ok(Standing { key: row.get(0)?, login: row.get(1)? }))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn count(&self, connection: &Connection, most: usize) -> Result<usize, Error> {
        let inner = self.text("1", &format!("LIMIT {most}"));
        let mut count = connection.prepare_cached(&format!("SELECT count(*) FROM ({inner}) AS found"))?;
        Ok(count.query_row(params_from_iter(&self.values), |row| row.get(0))?)
    }

    /// Returns the least or greatest value of a column.
    fn extreme(&self, connection: &Connection, what: &str) -> Result<Option<String>, Error> {
        let mut find = connection.prepare_cached(&self.text(what, ""))?;
        Ok(find.query_row(params_from_iter(&self.values), |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use crate::domain::revision::Author;
    use crate::domain::{AnyItem, Kind};
    use crate::store::{Change, ChangeSet};

    use super::*;

    thread_local! {
        /// The queries of this thread.
        static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn asked(text: &str) {
        ASKED.with_borrow_mut(|asked| asked.push(text.to_owned()));
    }

    const ORDERS: [(PersonKey, bool, bool); 9] = [
        (PersonKey::Login, false, false),
        (PersonKey::Login, true, false),
        (PersonKey::Login, true, true),
        (PersonKey::DisplayName, false, false),
        (PersonKey::DisplayName, false, true),
        (PersonKey::DisplayName, true, false),
        (PersonKey::DisplayName, true, true),
        (PersonKey::Role, false, false),
        (PersonKey::Role, true, false),
    ];

    /// Every query for a list of people finds its rows in an index, in the wanted order: the database scans nothing and
    /// sorts nothing.
    #[test]
    fn no_list_of_people_scans_or_sorts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let person = |login: &str, name: &str, role: &str| {
            let json = json!({"displayName": name, "roles": [role]});
            Change::put(login, AnyItem::parse(Kind::User, login, json).unwrap())
        };
        let role =
            |name: &str| Change::put(name, AnyItem::parse(Kind::SecurityRole, name, json!({"name": name})).unwrap());
        let people = [person("ada", "Ada", "agent"), person("ben", "Ada", "boss"), person("cy", "Cy", "agent")];
        let all = [role("agent"), role("boss")].into_iter().chain(people);
        store.commit(ChangeSet::new(all), &Author::new("ada", "a test")).unwrap();
        let sets = [
            (PersonKey::Login, Ranges::starting_with("a")),
            (PersonKey::DisplayName, Ranges::each(["Ada", "Cy"])),
            (PersonKey::Role, Ranges::each(["agent", "boss"])),
            (PersonKey::Role, Ranges::starting_with("a")),
        ];
        for (key, descending, logins_descending) in ORDERS {
            let order = PeopleOrder { key, descending, logins_descending };
            let within =
                sets.iter().filter(|(key, ranges)| order.suits(*key, ranges)).map(|(key, set)| Some((*key, set)));
            for within in within.chain([None]) {
                let mut after = None;
                loop {
                    let page = store.walk_people(order, within, after.as_ref(), 1).unwrap();
                    let Some(last) = page.into_iter().next_back() else { break };
                    after = Some(last);
                }
            }
            for (key, ranges) in &sets {
                store.sorted_people(*key, ranges, order).unwrap();
                store.count_people(*key, ranges, 10).unwrap();
            }
        }
        let mut asked = ASKED.take();
        asked.sort();
        asked.dedup();
        assert!(asked.len() > 20, "{asked:?}");
        let connection = Connection::open(folder.path().join(Store::FILE)).unwrap();
        for text in asked {
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let count = explain.parameter_count();
            let plan = explain.query_map(params_from_iter(vec!["a"; count]), |row| row.get::<_, String>(3)).unwrap();
            let plan = plan.collect::<Result<Vec<_>, _>>().unwrap().join("; ");
            // Without a condition the index is read from its end, until the page is full.
            let is_whole = text.contains("1 = 1") && text.contains("LIMIT");
            assert!((is_whole || !plan.contains("SCAN")) && !plan.contains("TEMP B-TREE"), "{text}: {plan}");
        }
    }
}
