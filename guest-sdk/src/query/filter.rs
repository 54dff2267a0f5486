//! Filters: conditions on the records a query asks for.

use std::fmt;

use super::literal::{Literal, quoted};
use super::path;
use crate::Refusal;

/// A condition on the records of a query.
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

impl Filter {
    /// Holds if an attribute has this value.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let query = Query::of("contact").filter(Filter::equals("lastname", "O'Neil & Sons"));
    /// assert_eq!(query.options().unwrap(), "$filter=lastname eq 'O''Neil %26 Sons'");
    /// ```
    pub fn equals(attribute: impl Into<String>, value: impl Into<Literal>) -> Self {
        Self::compare(attribute, Operator::Equals, value)
    }

    /// Holds if an attribute compares so with a value.
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

    /// Holds if a text attribute stands so to a text.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query, TextOperator};
    /// let query = Query::of("contact").filter(Filter::text("emailaddress1", TextOperator::EndsWith, "@contoso.com"));
    /// assert_eq!(query.options().unwrap(), "$filter=endswith(emailaddress1,'@contoso.com')");
    /// ```
    pub fn text(attribute: impl Into<String>, operator: TextOperator, text: impl Into<String>) -> Self {
        Self::Text(attribute.into(), operator, text.into())
    }

    /// Holds if an attribute has a value.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// assert_eq!(Query::of("contact").filter(Filter::is_set("email")).options().unwrap(), "$filter=email ne null");
    /// ```
    pub fn is_set(attribute: impl Into<String>) -> Self {
        Self::Compare(attribute.into(), Operator::NotEquals, Literal::Null)
    }

    /// Holds if both filters hold.
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

    /// Holds if one of the filters holds, or both.
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

    /// Holds if this filter does not.
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

    pub(super) fn written(&self) -> Result<String, Refusal> {
        Ok(match self {
            Self::Compare(attribute, operator, value) => format!("{} {operator} {value}", path(attribute)?),
            Self::Text(attribute, operator, text) => format!("{operator}({},{})", path(attribute)?, quoted(text)),
            Self::And(one, other) => format!("{} and {}", one.grouped()?, other.grouped()?),
            Self::Or(one, other) => format!("{} or {}", one.written()?, other.written()?),
            Self::Not(inner) => format!("not ({})", inner.written()?),
        })
    }

    /// Puts the filter in parentheses where the operators around bind more strongly.
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
