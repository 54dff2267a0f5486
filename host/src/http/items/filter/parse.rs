//! From text to filter, by recursive descent.

use serde_json::Value;

use crate::http::items::attribute::Path;

use super::{Comparison, Filter, Part};

/// Deepest nesting. A filter by hand has three or four; ten thousand parentheses are an attack on the stack.
const DEPTH_MAX: usize = 32;
/// Longest filter, in bytes.
const LENGTH_MAX: usize = 4096;

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter is not valid at position {position}: {message}")]
pub(in crate::http) struct InvalidFilter {
    /// Characters before the mistake, plus one.
    position: usize,
    message: String,
}

pub(super) fn parse(typed: &str, known: &[String]) -> Result<Filter, InvalidFilter> {
    let mut parser = Parser { typed, at: 0, known, depth: 0 };
    if typed.len() > LENGTH_MAX {
        return Err(parser.error(format!("it has {} bytes, {LENGTH_MAX} are allowed: shorten it", typed.len())));
    }
    let filter = parser.or()?;
    match parser.peek() {
        "" => Ok(filter),
        _ => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser<'a> {
    typed: &'a str,
    at: usize,
    known: &'a [String],
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Filter, InvalidFilter> {
        let mut filter = self.and()?;
        while self.accept("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.and()?));
        }
        Ok(filter)
    }

    fn and(&mut self) -> Result<Filter, InvalidFilter> {
        let mut filter = self.not()?;
        while self.accept("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.not()?));
        }
        Ok(filter)
    }

    fn not(&mut self) -> Result<Filter, InvalidFilter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("it is nested deeper than {DEPTH_MAX} levels: simplify it")));
        }
        let filter = if self.accept("not") {
            Filter::Not(Box::new(self.not()?))
        } else if self.accept("(") {
            let filter = self.or()?;
            self.require(")")?;
            filter
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn condition(&mut self) -> Result<Filter, InvalidFilter> {
        for (function, part) in [("contains", Part::Anywhere), ("startswith", Part::Start), ("endswith", Part::End)] {
            let before = self.at;
            if self.accept(function) {
                if self.accept("(") {
                    return self.text(part);
                }
                self.at = before;
            }
        }
        let path = self.path()?;
        if self.accept("in") {
            return Ok(Filter::In(path, self.values()?));
        }
        let comparison = self.comparison()?;
        Ok(Filter::Compare(path, comparison, self.value()?))
    }

    fn values(&mut self) -> Result<Vec<Value>, InvalidFilter> {
        self.require("(")?;
        let mut values = vec![self.value()?];
        while self.accept(",") {
            values.push(self.value()?);
        }
        self.require(")")?;
        Ok(values)
    }

    fn text(&mut self, part: Part) -> Result<Filter, InvalidFilter> {
        let path = self.path()?;
        self.require(",")?;
        let at = self.start();
        let Value::String(wanted) = self.value()? else {
            self.at = at;
            return Err(self.expected("a text such as `'case'`"));
        };
        self.require(")")?;
        Ok(Filter::Text(path, part, wanted))
    }

    fn path(&mut self) -> Result<Path, InvalidFilter> {
        let word = self.peek();
        if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.expected("an attribute such as `name`"));
        }
        let path = Path::parse(word, self.known).map_err(|message| self.error(message))?;
        self.take(word);
        Ok(path)
    }

    fn comparison(&mut self) -> Result<Comparison, InvalidFilter> {
        let word = self.peek();
        let comparison = match word {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return Err(self.expected("`eq`, `ne`, `gt`, `ge`, `lt`, `le` or `in`")),
        };
        self.take(word);
        Ok(comparison)
    }

    fn value(&mut self) -> Result<Value, InvalidFilter> {
        let word = self.peek();
        if let Some(rest) = word.strip_prefix('\'') {
            let Some(text) = rest.strip_suffix('\'').filter(|_| text_length(word).is_some()) else {
                return Err(self.error("the text does not end: close it with `'`, and write `''` for one within"));
            };
            self.take(word);
            return Ok(Value::String(text.replace("''", "'")));
        }
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => match serde_json::from_str::<serde_json::Number>(word) {
                Ok(number) => Value::Number(number),
                Err(_) => return Err(self.expected("a value such as `'text'`, `7`, `true` or `null`")),
            },
        };
        self.take(word);
        Ok(value)
    }

    /// The next token, not taken yet; empty at the end.
    fn peek(&self) -> &'a str {
        let rest = &self.typed[self.start()..];
        let Some(first) = rest.chars().next() else { return "" };
        let length = match first {
            '\'' => text_length(rest).unwrap_or(rest.len()),
            '(' | ')' | ',' => 1,
            _ => rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\'')).unwrap_or(rest.len()),
        };
        &rest[..length]
    }

    /// Where the next token starts.
    fn start(&self) -> usize {
        self.typed.len() - self.typed[self.at..].trim_start().len()
    }

    fn take(&mut self, token: &str) {
        self.at = self.start() + token.len();
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        if found {
            self.take(token);
        }
        found
    }

    fn require(&mut self, token: &str) -> Result<(), InvalidFilter> {
        if self.accept(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    fn expected(&self, wanted: &str) -> InvalidFilter {
        let found = self.peek();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        self.error(format!("expected {wanted}, found {found}"))
    }

    fn error(&self, message: impl Into<String>) -> InvalidFilter {
        let position = self.typed[..self.start()].chars().count() + 1;
        InvalidFilter { position, message: message.into() }
    }
}

/// The length of the quoted text `rest` starts with; nothing if it does not end.
fn text_length(rest: &str) -> Option<usize> {
    let mut quotes = rest.match_indices('\'').map(|(at, _)| at).skip(1).peekable();
    while let Some(at) = quotes.next() {
        if quotes.peek() != Some(&(at + 1)) {
            return Some(at + 1);
        }
        quotes.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_with_its_position() {
        let known = ["name", "rank"].map(str::to_owned);
        let refusals: Vec<String> = [
            "",
            "name",
            "name is 'x'",
            "name eq",
            "name eq x",
            "name eq 'x",
            "name eq 'x''",
            "name eq ''''",
            "nme eq 'x'",
            "name. eq 'x'",
            "name eq 'ä' nonsense",
            "(name eq 'x'",
            "contains(name,7)",
            "contains name",
            "rank in 7",
            "rank in ()",
            "rank in (7,)",
            "rank in (7",
            "'x' eq name",
            "not",
            "rank eq 1 and",
        ]
        .iter()
        .map(|typed| match parse(typed, &known) {
            Ok(_) => format!("{typed} -> fine"),
            Err(error) => format!("{typed} -> {}: {}", error.position, error.message),
        })
        .collect();
        insta::assert_snapshot!(refusals.join("\n"), @"
 -> 1: expected an attribute such as `name`, found the end
name -> 5: expected `eq`, `ne`, `gt`, `ge`, `lt`, `le` or `in`, found the end
name is 'x' -> 6: expected `eq`, `ne`, `gt`, `ge`, `lt`, `le` or `in`, found `is`
name eq -> 8: expected a value such as `'text'`, `7`, `true` or `null`, found the end
name eq x -> 9: expected a value such as `'text'`, `7`, `true` or `null`, found `x`
name eq 'x -> 9: the text does not end: close it with `'`, and write `''` for one within
name eq 'x'' -> 9: the text does not end: close it with `'`, and write `''` for one within
name eq '''' -> fine
nme eq 'x' -> 1: there is no attribute `nme`: the attributes are `name`, `rank`
name. eq 'x' -> 1: `name.` is no attribute: write it as `name` or `productivityPane.mode`
name eq 'ä' nonsense -> 13: expected `and`, `or` or the end, found `nonsense`
(name eq 'x' -> 13: expected `)`, found the end
contains(name,7) -> 15: expected a text such as `'case'`, found `7`
contains name -> 1: there is no attribute `contains`: the attributes are `name`, `rank`
rank in 7 -> 9: expected `(`, found `7`
rank in () -> 10: expected a value such as `'text'`, `7`, `true` or `null`, found `)`
rank in (7,) -> 12: expected a value such as `'text'`, `7`, `true` or `null`, found `)`
rank in (7 -> 11: expected `)`, found the end
'x' eq name -> 1: expected an attribute such as `name`, found `'x'`
not -> 4: expected an attribute such as `name`, found the end
rank eq 1 and -> 14: expected an attribute such as `name`, found the end
");
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let known = ["rank".to_owned()];
        for typed in ["(".repeat(2000), "not ".repeat(1000), format!("{}rank eq 1{}", "(".repeat(32), ")".repeat(32))] {
            let error = parse(&typed, &known).unwrap_err();
            assert!(error.message.contains("nested deeper"), "{error}");
        }
        assert!(parse(&"x".repeat(5000), &known).unwrap_err().message.contains("4096"));
    }
}
