//! The order of a list, `name desc,uniqueName`, and the cursors that continue it.
//!
//! A cursor holds the sort keys of the last item and not its position, so it still continues when that item is gone.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attribute;
use super::attribute::Path;

/// What items are sorted by. Ties go by unique name, so the order is total.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::http) struct Order {
    typed: String,
    keys: Vec<(Path, Direction)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

/// Where an item stands in an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::http) struct Place {
    /// The order it stands in, as typed.
    order: String,
    /// What it is sorted by.
    keys: Vec<Value>,
    /// Its name.
    name: String,
}

impl Order {
    /// Most keys of an order.
    const KEYS_MAX: usize = 8;

    /// Reads an order of items with the attributes `known`.
    pub(in crate::http) fn parse(typed: &str, known: &[String]) -> Result<Self, String> {
        let mut keys = Vec::new();
        for part in typed.split(',') {
            let mut words = part.split_whitespace();
            let path = words
                .next()
                .ok_or_else(|| format!("the order `{typed}` has an empty part: write it as `name desc,uniqueName`"))?;
            let path = Path::parse(path, known)?;
            let direction = match words.next() {
                None | Some("asc") => Direction::Ascending,
                Some("desc") => Direction::Descending,
                Some(other) => return Err(format!("expected `asc` or `desc` after `{path}`, found `{other}`")),
            };
            if let Some(more) = words.next() {
                return Err(format!("expected `,` after `{path}`, found `{more}`"));
            }
            keys.push((path, direction));
        }
        if keys.len() > Self::KEYS_MAX {
            return Err(format!("the order has {} keys, {} are allowed: drop some", keys.len(), Self::KEYS_MAX));
        }
        Ok(Self { typed: typed.to_owned(), keys })
    }

    /// What is sorted by, and whether the greatest comes first.
    pub(in crate::http) fn keys(&self) -> impl Iterator<Item = (&Path, bool)> {
        self.keys.iter().map(|(path, direction)| (path, *direction == Direction::Descending))
    }

    /// Where the item `name` stands.
    pub(in crate::http) fn place(&self, name: &str, item: &Value) -> Place {
        let keys = self.keys.iter().map(|(path, _)| path.value(item)).collect();
        Place { order: self.typed.clone(), keys, name: name.to_owned() }
    }

    /// Which of two places comes first.
    pub(in crate::http) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let keys = self.keys.iter().zip(a.keys.iter().zip(&b.keys)).map(|((_, direction), (a, b))| match direction {
            Direction::Ascending => attribute::compare(a, b),
            Direction::Descending => attribute::compare(b, a),
        });
        keys.fold(Ordering::Equal, Ordering::then).then_with(|| a.name.cmp(&b.name))
    }

    /// Reads a cursor of this order.
    pub(in crate::http) fn continued(&self, cursor: &str) -> Result<Place, String> {
        let place = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice::<Place>(&bytes).ok());
        let place = place.filter(|place| place.order == self.typed && place.keys.len() == self.keys.len());
        place.ok_or_else(|| self.not_continued(cursor))
    }

    /// What is said of a cursor that is none of this order.
    pub(in crate::http) fn not_continued(&self, cursor: &str) -> String {
        format!("`after={cursor}` does not continue the order `{}`: follow `next` as it is", self.typed)
    }
}

impl Place {
    /// What it is sorted by first.
    pub(in crate::http) fn key(&self) -> &Value {
        self.keys.first().unwrap_or(&Value::Null)
    }

    /// The name of the item.
    pub(in crate::http) fn name(&self) -> &str {
        &self.name
    }

    /// The cursor that continues after this place.
    pub(in crate::http) fn cursor(&self) -> String {
        // Plain data with text keys always has a JSON form.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(typed: &str) -> Result<Order, String> {
        Order::parse(typed, &["name", "rank", "uniqueName"].map(str::to_owned))
    }

    #[test]
    fn items_sort_and_ties_go_by_name() {
        let items =
            [("a", json!({"rank": 2})), ("b", json!({})), ("c", json!({"rank": 10})), ("d", json!({"rank": 2}))];
        for (typed, sorted) in
            [("rank", "badc"), ("rank desc", "cadb"), ("rank desc, uniqueName desc", "cadb"), ("name", "abcd")]
        {
            let order = order(typed).unwrap();
            let mut places: Vec<Place> = items.iter().map(|(name, item)| order.place(name, item)).collect();
            places.sort_by(|a, b| order.compare(a, b));
            assert_eq!(places.iter().map(|place| place.name.as_str()).collect::<String>(), sorted, "{typed}");
        }
    }

    #[test]
    fn a_cursor_continues_its_own_order_only() {
        let by_rank = order("rank").unwrap();
        let place = by_rank.place("a", &json!({"rank": 2}));
        assert_eq!(by_rank.continued(&place.cursor()), Ok(place.clone()));
        for (other, cursor) in [
            ("rank desc", place.cursor()),
            ("rank", "!".into()),
            ("rank", String::new()),
            ("rank", "bm9uc2Vuc2U".into()),
        ] {
            let error = order(other).unwrap().continued(&cursor).unwrap_err();
            assert!(error.contains("does not continue"), "{error}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        let refusals = ["", "name up", "nme", "name desc please", "name,,rank"].map(|typed| order(typed).unwrap_err());
        insta::assert_snapshot!(refusals.join("\n"), @"
the order `` has an empty part: write it as `name desc,uniqueName`
expected `asc` or `desc` after `name`, found `up`
there is no attribute `nme`: the attributes are `name`, `rank`, `uniqueName`
expected `,` after `name`, found `please`
the order `name,,rank` has an empty part: write it as `name desc,uniqueName`
");
    }
}
