//! Questions for business records, with values escaped as `wit/records.wit` demands.
//!
//! What comes from a session or from settings is a value, never a part of the question: it cannot end its text, and adds no option.
//! Names of tables and attributes are the author's own, and what is no name is refused before anybody is asked.

use std::fmt;

use crate::{Date, Refusal};

/// Which record of a table is meant.
///
/// ```
/// use loadout_sdk::{Filter, Query};
///
/// let query = Query::of("contact")
///     .filter(Filter::equals("emailaddress1", "o'brien+1@contoso.com").and(Filter::equals("statecode", 0)))
///     .newest_by("createdon");
/// assert_eq!(
///     query.options().unwrap(),
///     "$filter=emailaddress1 eq 'o''brien%2B1@contoso.com' and statecode eq 0&$orderby=createdon desc",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    connector: Option<String>,
    table: String,
    filter: Option<Filter>,
    order: Vec<(String, bool)>,
}

/// What is true of the records that are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// An attribute compares so with a value.
    Compare(String, Operator, Literal),
    /// A text attribute stands so to a text.
    Text(String, TextOperator, String),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of them holds, or both.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// How an attribute compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum Operator {
    Equals,
    NotEquals,
    Greater,
    GreaterOrEquals,
    Less,
    LessOrEquals,
}

/// How a text attribute stands to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum TextOperator {
    Contains,
    StartsWith,
    EndsWith,
}

/// A value in a question: made of a text, a number, a truth value or a date.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text, not escaped yet.
    Text(String),
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(i64),
    /// True or false.
    Flag(bool),
    /// A day.
    Date(Date),
    /// No value.
    Null,
}

impl Query {
    /// Any record of a table, such as `contact`.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").options().unwrap(), "");
    /// ```
    pub fn of(table: impl Into<String>) -> Self {
        Self { connector: None, table: table.into(), filter: None, order: Vec::new() }
    }

    /// Asks a connector by name. Needed if the plugin was granted more than one.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").at("crm").entity().unwrap(), "crm:contact");
    /// ```
    #[must_use]
    pub fn at(self, connector: impl Into<String>) -> Self {
        Self { connector: Some(connector.into()), ..self }
    }

    /// Only records of which this is true, too.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let query = Query::of("contact").filter(Filter::equals("a", 1).or(Filter::equals("b", 2))).filter(Filter::is_set("c"));
    /// assert_eq!(query.options().unwrap(), "$filter=(a eq 1 or b eq 2) and c ne null");
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(filter),
            None => filter,
        });
        self
    }

    /// The record with the least of an attribute first.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").oldest_by("createdon").options().unwrap(), "$orderby=createdon asc");
    /// ```
    #[must_use]
    pub fn oldest_by(mut self, attribute: impl Into<String>) -> Self {
        self.order.push((attribute.into(), false));
        self
    }

    /// The record with the most of an attribute first.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").newest_by("createdon").options().unwrap(), "$orderby=createdon desc");
    /// ```
    #[must_use]
    pub fn newest_by(mut self, attribute: impl Into<String>) -> Self {
        self.order.push((attribute.into(), true));
        self
    }

    /// The table behind the name of the connector, as `records.look-up` takes it. Refuses what is no name, as `bad-query`.
    ///
    /// ```
    /// let refusal = loadout_sdk::Query::of("contact?x").entity().unwrap_err();
    /// assert_eq!(refusal.to_string(), "bad-query: `contact?x` is no name of a table or an attribute");
    /// ```
    pub fn entity(&self) -> Result<String, Refusal> {
        let table = name(&self.table)?;
        Ok(self.connector.as_ref().map_or_else(|| table.to_owned(), |connector| format!("{connector}:{table}")))
    }

    /// The OData query options, escaped. Refuses what is no name, as `bad-query`.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// assert_eq!(Query::of("contact").filter(Filter::equals("a&b", 1)).options().unwrap_err().code, "bad-query");
    /// ```
    pub fn options(&self) -> Result<String, Refusal> {
        let mut options = Vec::new();
        if let Some(filter) = &self.filter {
            options.push(format!("$filter={}", filter.written()?));
        }
        if !self.order.is_empty() {
            let order = self.order.iter().map(|(attribute, descending)| {
                Ok(format!("{} {}", name(attribute)?, if *descending { "desc" } else { "asc" }))
            });
            options.push(format!("$orderby={}", order.collect::<Result<Vec<_>, _>>()?.join(",")));
        }
        Ok(options.join("&"))
    }
}

impl Filter {
    /// An attribute has this value.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let query = Query::of("contact").filter(Filter::equals("lastname", "O'Neil & Sons"));
    /// assert_eq!(query.options().unwrap(), "$filter=lastname eq 'O''Neil %26 Sons'");
    /// ```
    pub fn equals(attribute: impl Into<String>, value: impl Into<Literal>) -> Self {
        Self::compare(attribute, Operator::Equals, value)
    }

    /// An attribute compares so with a value.
    ///
    /// ```
    /// use loadout_sdk::{Date, Filter, Operator, Query};
    /// let day: Date = "2026-03-01".parse().unwrap();
    /// let query = Query::of("incident").filter(Filter::compare("createdon", Operator::GreaterOrEquals, day));
    /// assert_eq!(query.options().unwrap(), "$filter=createdon ge 2026-03-01");
    /// ```
    pub fn compare(attribute: impl Into<String>, operator: Operator, value: impl Into<Literal>) -> Self {
        Self::Compare(attribute.into(), operator, value.into())
    }

    /// A text attribute stands so to a text.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query, TextOperator};
    /// let query = Query::of("contact").filter(Filter::text("emailaddress1", TextOperator::EndsWith, "@contoso.com"));
    /// assert_eq!(query.options().unwrap(), "$filter=endswith(emailaddress1,'@contoso.com')");
    /// ```
    pub fn text(attribute: impl Into<String>, operator: TextOperator, text: impl Into<String>) -> Self {
        Self::Text(attribute.into(), operator, text.into())
    }

    /// An attribute has a value.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// assert_eq!(Query::of("contact").filter(Filter::is_set("email")).options().unwrap(), "$filter=email ne null");
    /// ```
    pub fn is_set(attribute: impl Into<String>) -> Self {
        Self::Compare(attribute.into(), Operator::NotEquals, Literal::Null)
    }

    /// Both hold.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let both = Filter::equals("a", true).and(Filter::equals("b", "x"));
    /// assert_eq!(Query::of("contact").filter(both).options().unwrap(), "$filter=a eq true and b eq 'x'");
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// One of them holds, or both.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let either = Filter::equals("a", 1).or(Filter::equals("b", 2));
    /// assert_eq!(Query::of("contact").filter(either).options().unwrap(), "$filter=a eq 1 or b eq 2");
    /// ```
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    /// It does not hold.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let query = Query::of("contact").filter(Filter::equals("a", 1.5).negated());
    /// assert_eq!(query.options().unwrap(), "$filter=not (a eq 1.5)");
    /// ```
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    fn written(&self) -> Result<String, Refusal> {
        Ok(match self {
            Self::Compare(attribute, operator, value) => format!("{} {operator} {value}", name(attribute)?),
            Self::Text(attribute, operator, text) => format!("{operator}({},{})", name(attribute)?, quoted(text)),
            Self::And(one, other) => format!("{} and {}", one.grouped()?, other.grouped()?),
            Self::Or(one, other) => format!("{} or {}", one.written()?, other.written()?),
            Self::Not(inner) => format!("not ({})", inner.written()?),
        })
    }

    /// In parentheses where the words around would tear it apart.
    fn grouped(&self) -> Result<String, Refusal> {
        match self {
            Self::Or(..) => Ok(format!("({})", self.written()?)),
            _ => self.written(),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equals => "eq",
            Self::NotEquals => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEquals => "ge",
            Self::Less => "lt",
            Self::LessOrEquals => "le",
        })
    }
}

impl fmt::Display for TextOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Null => f.write_str("null"),
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Literal {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Literal {
    fn from(number: i32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<u32> for Literal {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<bool> for Literal {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Date> for Literal {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

/// A text in quotes. The host escapes what no address may hold; what an address may hold and would end the value is escaped here.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '%' => quoted.push_str("%25"),
            '&' => quoted.push_str("%26"),
            '+' => quoted.push_str("%2B"),
            '#' => quoted.push_str("%23"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A name of a table or an attribute, which stands in a question as it is.
pub(crate) fn name(text: &str) -> Result<&str, Refusal> {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '/';
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(text);
    }
    let message = format!("`{}` is no name of a table or an attribute", text.chars().take(100).collect::<String>());
    Err(Refusal { code: "bad-query".to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_a_value_whatever_it_says() {
        for (value, expected) in [
            ("x' or '1' eq '1", "'x'' or ''1'' eq ''1'"),
            ("x'&$select=secret", "'x''%26$select=secret'"),
            ("100% C++ #1", "'100%25 C%2B%2B %231'"),
            ("%27 or true", "'%2527 or true'"),
            ("", "''"),
        ] {
            let query = Query::of("contact").filter(Filter::equals("name", value));
            assert_eq!(query.options().unwrap(), format!("$filter=name eq {expected}"));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a b", "a'", "a&b", "a)", "$select", "crm:contact"] {
            assert_eq!(name(text).unwrap_err().code, "bad-query", "{text}");
        }
        assert_eq!(name("customerid_contact/fullname"), Ok("customerid_contact/fullname"));
    }
}
