//! Filters of lists: `state eq 'inactive' and (contains(name,'Case') or not productivityPane.enabled eq true)`.
//!
//! The grammar is a small part of OData's: `eq ne gt ge lt le`, `in ('a','b')`, `contains startswith endswith`,
//! `and or not`, parentheses. A condition on a list holds if it holds for one entry; an attribute that is not
//! there is `null`. Refuses anything else, with the position and what was found there.

mod parse;

use serde_json::Value;

use super::attribute;
use super::attribute::Path;

pub(in crate::http) use parse::InvalidFilter;

/// Which items a list shows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::http) enum Filter {
    /// One of both holds.
    Or(Box<Filter>, Box<Filter>),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// An attribute compares to a value.
    Compare(Path, Comparison, Value),
    /// An attribute is one of some values.
    In(Path, Vec<Value>),
    /// A text has a part.
    Text(Path, Part, String),
}

/// How an attribute compares to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Where a text has its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Part {
    Anywhere,
    Start,
    End,
}

impl Filter {
    /// Reads a filter on items with the attributes `known`.
    pub(in crate::http) fn parse(typed: &str, known: &[String]) -> Result<Self, InvalidFilter> {
        parse::parse(typed, known)
    }

    /// Whether `item` passes.
    pub(in crate::http) fn passes(&self, item: &Value) -> bool {
        match self {
            Self::Or(a, b) => a.passes(item) || b.passes(item),
            Self::And(a, b) => a.passes(item) && b.passes(item),
            Self::Not(a) => !a.passes(item),
            Self::Compare(path, Comparison::NotEqual, value) => !compares(path, Comparison::Equal, value, item),
            Self::Compare(path, comparison, value) => compares(path, *comparison, value, item),
            Self::In(path, values) => values.iter().any(|value| compares(path, Comparison::Equal, value, item)),
            Self::Text(path, part, wanted) => path.values(item).into_iter().any(|found| match (found.as_str(), part) {
                (Some(text), Part::Anywhere) => text.contains(wanted),
                (Some(text), Part::Start) => text.starts_with(wanted),
                (Some(text), Part::End) => text.ends_with(wanted),
                (None, _) => false,
            }),
        }
    }
}

fn compares(path: &Path, comparison: Comparison, value: &Value, item: &Value) -> bool {
    let found = path.values(item);
    if found.is_empty() {
        return value.is_null() && comparison == Comparison::Equal;
    }
    found.into_iter().filter(|found| attribute::class(found) == attribute::class(value)).any(|found| {
        let order = attribute::compare(found, value);
        match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_pass_or_do_not() {
        let known = ["name", "private", "rank", "roles", "pane", "description", "tabs"].map(str::to_owned);
        let item = json!({
            "name": {"default": "Case's desk", "labels": {"1031": "Fall"}}, "private": true, "rank": 7, "roles": ["a", "b"],
            "pane": {"mode": "expanded", "size": 1.5}, "tabs": [{"template": "new_t", "order": 2}, {"template": "new_u", "order": 5}],
        });
        for (filter, passes) in [
            ("name eq 'Case''s desk'", true),
            ("name ne 'Case''s desk'", false),
            ("contains(name,'desk')", true),
            ("contains( name , 'Desk' )", false),
            ("startswith(name,'Case') and endswith(name, 'desk')", true),
            ("private eq true", true),
            ("not private eq true", false),
            ("not (private eq false)", true),
            ("rank gt 6 and rank lt 8", true),
            ("rank ge 7 and rank le 7.0", true),
            ("rank gt 7 or rank lt 7", false),
            ("rank gt '6'", false),
            ("roles eq 'b'", true),
            ("roles ne 'c'", true),
            ("roles in ('c','b')", true),
            ("roles in ('c')", false),
            ("not rank in (6, 8,'7')", true),
            ("rank in (6,7.0) and description in (null)", true),
            ("pane.mode eq 'expanded'", true),
            ("pane/mode eq 'collapsed'", false),
            ("pane.size gt -1 and pane.size lt 1.6e0", true),
            ("tabs.template eq 'new_u'", true),
            ("tabs.order gt 5", false),
            ("description eq null", true),
            ("description ne null", false),
            ("name eq null", false),
            ("private eq false or private eq true and rank eq 0", false),
            ("(private eq true or private eq false) and rank eq 7", true),
        ] {
            let parsed = Filter::parse(filter, &known).unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(parsed.passes(&item), passes, "{filter}");
        }
    }
}
