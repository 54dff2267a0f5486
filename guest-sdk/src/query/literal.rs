//! Values in a query. They are escaped, so that no value ends the text of the query or adds an option.

use std::fmt;

use crate::Date;

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

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            // Rust's own names for these would be those of attributes.
            Self::Number(number) if number.is_nan() => f.write_str("NaN"),
            Self::Number(number) if number.is_infinite() => f.write_str(if *number > 0.0 { "INF" } else { "-INF" }),
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

/// Returns a text in quotes. Escapes the characters that an address may hold and that would end the value. The host
/// escapes those that no address may hold.
pub(super) fn quoted(text: &str) -> String {
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
