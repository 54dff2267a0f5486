//! The look-ups of business records that slugs ask for while one answer is made.
//!
//! Makes each look-up once, and at most [`QUERIES_MAX`] in an answer. Refuses, with a reason, a look-up that cannot be
//! made, and a value that no text takes. Leaves the connector and its time-out to [`Queries`], which the sandbox and a
//! table in the tests implement.

use std::collections::HashMap;

use crate::domain::slug::Lookup;

/// Most look-ups of one answer.
pub(super) const QUERIES_MAX: usize = 8;

/// Longest value, in bytes.
pub(super) const VALUE_MAX: usize = 4_000;

/// Looks up attributes of business records. Made for one answer.
pub trait Queries {
    /// Returns the attribute of the first record found, or one sentence that says why there is no answer.
    fn look_up(&mut self, lookup: &Lookup) -> Result<Found, String>;
}

/// The result of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The attribute, if there is a record and it has one.
    pub value: Option<String>,
    /// The note about it in the explain tree, without the value.
    pub note: String,
}

/// The look-ups of one answer, with their results.
#[derive(Default)]
pub(super) struct Asked<'a> {
    queries: Option<Box<dyn Queries + 'a>>,
    known: HashMap<(String, String, String), Result<String, String>>,
    asked: usize,
}

/// The report of a look-up: the slug, and the note about its value or the reason why it has none.
pub(super) type Told = (String, Result<String, String>);

impl<'a> Asked<'a> {
    pub(super) fn of(queries: Option<Box<dyn Queries + 'a>>) -> Self {
        Self { queries, ..Self::default() }
    }

    /// Returns the value of a query, and its report if this is the first such query.
    pub(super) fn look_up(&mut self, lookup: Lookup) -> (Option<String>, Option<Told>) {
        let key = (lookup.table.clone(), lookup.attribute.clone(), lookup.options.clone());
        if lookup.missing.is_empty()
            && let Some(known) = self.known.get(&key)
        {
            return (known.clone().ok(), None);
        }
        let slug = lookup.slug.clone();
        let (value, told) = match self.ask(&lookup) {
            Ok(Found { value, note }) => {
                let value = value.ok_or_else(|| "no record has the attribute".to_owned()).and_then(fits);
                let told = value.as_ref().map(|_| note).map_err(Clone::clone);
                (value, told)
            }
            Err(reason) => (Err(reason.clone()), Err(reason)),
        };
        // A query with a missing value was not made, and may have its values in another place.
        if lookup.missing.is_empty() {
            self.known.insert(key, value.clone());
        }
        (value.ok(), Some((slug, told)))
    }

    fn ask(&mut self, lookup: &Lookup) -> Result<Found, String> {
        if let Some(missing) = lookup.missing.first() {
            return Err(format!("`{missing}` within it has no value in this session"));
        }
        let Some(queries) = &mut self.queries else {
            return Err("no connector is asked: name one in `queries.connector` of the environment".to_owned());
        };
        if self.asked >= QUERIES_MAX {
            return Err(format!("an answer asks {QUERIES_MAX} questions at most: use fewer queries"));
        }
        self.asked += 1;
        queries.look_up(lookup)
    }
}

/// Refuses a value that is longer than [`VALUE_MAX`] bytes or holds a control character other than tab and line ends.
fn fits(value: String) -> Result<String, String> {
    if value.len() > VALUE_MAX {
        return Err(format!("the attribute has {} bytes, and {VALUE_MAX} are the most", value.len()));
    }
    let is_unseen = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match value.chars().find(|c| is_unseen(*c)) {
        Some(found) => Err(format!("the attribute holds the control character U+{:04X}", u32::from(found))),
        None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with the options of the look-up, and counts the calls.
    struct Table<'a>(&'a std::cell::Cell<usize>);

    impl Queries for Table<'_> {
        fn look_up(&mut self, lookup: &Lookup) -> Result<Found, String> {
            self.0.set(self.0.get() + 1);
            match lookup.table.as_str() {
                "gone" => Err("it is gone".to_owned()),
                "empty" => Ok(Found { value: None, note: "200".to_owned() }),
                _ => Ok(Found { value: Some(lookup.options.clone()), note: "200".to_owned() }),
            }
        }
    }

    fn lookup(table: &str, options: &str) -> Lookup {
        let named = |text: &str| text.to_owned();
        Lookup {
            slug: named("{$odata}"),
            table: named(table),
            attribute: named("a"),
            options: named(options),
            missing: vec![],
        }
    }

    #[test]
    fn the_same_is_asked_once_and_so_much_and_no_more() {
        let count = std::cell::Cell::new(0);
        let mut asked = Asked::of(Some(Box::new(Table(&count))));
        for _ in 0..3 {
            assert_eq!(asked.look_up(lookup("t", "x")).0.as_deref(), Some("x"));
        }
        assert_eq!(count.get(), 1);
        for _ in 0..3 {
            assert_eq!(asked.look_up(lookup("gone", "again")).0, None);
        }
        assert_eq!(count.get(), 2, "what failed is not asked again");
        for (question, reason) in [
            (lookup("gone", ""), "it is gone"),
            (lookup("empty", ""), "no record has the attribute"),
            (lookup("t", &"x".repeat(VALUE_MAX + 1)), "the attribute has 4001 bytes, and 4000 are the most"),
            (lookup("t", "\u{1}"), "the attribute holds the control character U+0001"),
            (
                Lookup { missing: vec!["{y}".to_owned()], ..lookup("t", "y") },
                "`{y}` within it has no value in this session",
            ),
        ] {
            let (value, told) = asked.look_up(question);
            assert_eq!((value, told.unwrap().1), (None, Err(reason.to_owned())));
        }
        for at in 0..20 {
            asked.look_up(lookup("t", &at.to_string()));
        }
        assert_eq!(count.get(), QUERIES_MAX);
        let told = asked.look_up(lookup("t", "more")).1.unwrap().1;
        assert_eq!(told, Err("an answer asks 8 questions at most: use fewer queries".to_owned()));
        let told = Asked::default().look_up(lookup("t", "x")).1.unwrap().1;
        assert_eq!(told, Err("no connector is asked: name one in `queries.connector` of the environment".to_owned()));
    }
}
