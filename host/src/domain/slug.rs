//! Slugs: placeholders in texts that take their values from the session.
//!
//! One grammar serves every place (domain 3.9, P14): `{key}`, `${key}`, `${$session.key}`, `${$oc.key}`,
//! `{anchor.attr}` and `{$odata.entity.attribute.?options}` with slugs nested in its options. A brace that does not
//! open a slug is text, so JSON needs no escaping. Refuses a slug that is not closed, and a text with too many of them
//! or too long for any. Substituted text is never scanned again. Where a text has a syntax of its own, a [`Syntax`]
//! writes the values into it.

mod odata;

use std::collections::HashSet;

use super::Problems;
use super::text::Localized;

pub use odata::{Lookup, Query};

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Key { spelt: String, key: String },
    Query { spelt: String, query: Query },
}

/// The source of the values of slugs.
pub trait Values {
    /// Returns the value of a key of the session.
    fn key(&mut self, key: &str) -> Option<String>;

    /// Returns the attribute of a business record, if there is a connector to ask (ruling 8.11).
    fn look_up(&mut self, lookup: Lookup) -> Option<String> {
        let _ = lookup;
        None
    }
}

impl<F: FnMut(&str) -> Option<String>> Values for F {
    fn key(&mut self, key: &str) -> Option<String> {
        self(key)
    }
}

/// The syntax of a text: how a value is written so that it stays one value there.
pub trait Syntax {
    /// Notes text of the template's author. Refuses text that may not follow the value before it.
    fn fixed(&mut self, text: &str) -> Result<(), Unfit>;

    /// Returns the value of a slug as it is written at this place.
    fn value(&mut self, slug: &str, value: String) -> Result<String, Unfit>;
}

/// A text without a syntax: values are put in as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Syntax for Plain {
    fn fixed(&mut self, _: &str) -> Result<(), Unfit> {
        Ok(())
    }

    fn value(&mut self, _: &str, value: String) -> Result<String, Unfit> {
        Ok(value)
    }
}

/// The refusal of a value that cannot be written at the place of its slug, or would change the text around it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of `{slug}` {why}")]
pub struct Unfit {
    /// The slug, as it is spelt.
    pub slug: String,
    /// The fault of the value, without quoting it.
    pub why: &'static str,
}

/// A text with its slugs replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text; a slug without a value is replaced by nothing.
    pub text: String,
    /// The slugs without a value, as they were spelt, in order, each once.
    pub unresolved: Vec<String>,
}

/// Why the slugs of a text cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlug {
    /// A slug has no end.
    #[error("the slug `{0}` is not closed: add the `}}` that ends it")]
    Unclosed(String),
    /// A query stands within a query.
    #[error("the query `{0}` stands within another query: only plain slugs may stand there")]
    Nested(String),
    /// The text has too many slugs.
    #[error("it has more than {SLUGS_MAX} slugs, which are the most: split the text, or leave some out")]
    TooMany,
    /// The text is longer than a rendered text may be.
    #[error("it is longer than {RENDERED_MAX} bytes, which are the most of a text with slugs: shorten it")]
    TooLong,
}

/// Longest text that slugs are replaced in, in bytes, before and after. A slug that would make it longer has no value.
pub const RENDERED_MAX: usize = 64 << 10;

/// Most slugs of a text, those in the options of queries included.
pub const SLUGS_MAX: usize = 100;

impl Template {
    /// Finds the slugs of a text.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        if text.len() > RENDERED_MAX {
            return Err(InvalidSlug::TooLong);
        }
        Self::read(text, true, &mut 0)
    }

    fn read(text: &str, may_query: bool, slugs: &mut usize) -> Result<Self, InvalidSlug> {
        let mut parts = Vec::new();
        let mut plain = 0;
        let mut at = 0;
        while let Some(found) = text[at..].find('{') {
            let brace = at + found;
            let start = if text[..brace].ends_with('$') && brace > plain { brace - 1 } else { brace };
            if !opens_slug(&text[brace + 1..]) {
                at = brace + 1;
                continue;
            }
            let end = brace
                + 1
                + closing(&text[brace + 1..]).ok_or_else(|| InvalidSlug::Unclosed(beginning(&text[start..])))?;
            if plain < start {
                parts.push(Part::Text(text[plain..start].to_owned()));
            }
            *slugs += 1;
            if *slugs > SLUGS_MAX {
                return Err(InvalidSlug::TooMany);
            }
            parts.push(slug(&text[start..=end], &text[brace + 1..end], may_query, slugs)?);
            plain = end + 1;
            at = plain;
        }
        if plain < text.len() {
            parts.push(Part::Text(text[plain..].to_owned()));
        }
        Ok(Self { parts })
    }

    /// Replaces every slug by its value.
    pub fn render(&self, values: &mut dyn Values) -> Rendered {
        // A plain text takes every value.
        self.render_as(values, &mut Plain).unwrap_or_default()
    }

    /// Replaces every slug by its value, as `syntax` writes it.
    pub fn render_as(&self, values: &mut dyn Values, syntax: &mut dyn Syntax) -> Result<Rendered, Unfit> {
        let mut rendered = Rendered::default();
        let mut missed = HashSet::new();
        for part in &self.parts {
            let (spelt, value) = match part {
                Part::Text(text) => {
                    syntax.fixed(text)?;
                    rendered.text.push_str(text);
                    continue;
                }
                Part::Key { spelt, key } => (spelt, values.key(key)),
                Part::Query { spelt, query } => {
                    let lookup = query.lookup(spelt, values);
                    (spelt, values.look_up(lookup))
                }
            };
            let written = match value {
                Some(value) if rendered.text.len() + value.len() <= RENDERED_MAX => Some(syntax.value(spelt, value)?),
                _ => None,
            };
            match written {
                Some(written) if rendered.text.len() + written.len() <= RENDERED_MAX => {
                    rendered.text.push_str(&written);
                }
                _ => rendered.misses(spelt, &mut missed),
            }
        }
        Ok(rendered)
    }

    /// Returns the text with `instead` in place of every slug, as `syntax` writes it.
    pub fn probe(&self, instead: &str, syntax: &mut dyn Syntax) -> Result<String, Unfit> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(fixed) => {
                    syntax.fixed(fixed)?;
                    text.push_str(fixed);
                }
                Part::Key { spelt, .. } | Part::Query { spelt, .. } => {
                    text.push_str(&syntax.value(spelt, instead.to_owned())?);
                }
            }
        }
        Ok(text)
    }

    /// Tells whether the text is one slug and nothing else.
    pub fn is_one_slug(&self) -> bool {
        self.parts.len() == 1 && self.is_dynamic()
    }

    /// Returns the author's text around the slugs, piece by piece.
    pub fn fixed(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
    }

    /// Returns the text before the first slug.
    pub fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// Tells whether the text contains a slug.
    pub fn is_dynamic(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
    }
}

impl Rendered {
    fn misses<'a>(&mut self, spelt: &'a str, missed: &mut HashSet<&'a str>) {
        if missed.insert(spelt) {
            self.unresolved.push(spelt.to_owned());
        }
    }

    /// Returns the text as a title: blanks collapsed, and nothing if nothing is left (ruling 8.11).
    pub fn as_title(&self) -> Option<String> {
        let title = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() { None } else { Some(title) }
    }
}

/// Tells whether a brace opens a slug. A slug begins with a letter, an underscore or a dollar sign, so `{"id"` and
/// `{ }` are text.
fn opens_slug(after_brace: &str) -> bool {
    after_brace.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
}

/// Returns the place of the brace that closes the slug. Only queries may contain braces of their own.
fn closing(inner: &str) -> Option<usize> {
    let may_nest = is_query(inner);
    let mut depth = 0usize;
    for (at, c) in inner.char_indices() {
        match c {
            '{' if may_nest => depth += 1,
            '{' | '"' if !may_nest => return None,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_query(inner: &str) -> bool {
    inner.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("$odata."))
}

fn slug(spelt: &str, inner: &str, may_query: bool, slugs: &mut usize) -> Result<Part, InvalidSlug> {
    let spelt = spelt.to_owned();
    if is_query(inner) {
        if !may_query {
            return Err(InvalidSlug::Nested(beginning(&spelt)));
        }
        return Ok(Part::Query { query: Query::read(inner, slugs)?, spelt });
    }
    // Exports break lines inside slugs; no key contains a control character.
    let key: String = inner.chars().filter(|c| !c.is_control()).collect();
    let key = key.trim();
    let key = key.strip_prefix("$session.").or_else(|| key.strip_prefix("$oc.")).unwrap_or(key);
    Ok(Part::Key { spelt, key: key.to_owned() })
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reports a fault in the slugs of `text`.
pub fn check(text: &str, attribute: &str, problems: &mut Problems) {
    if let Err(error) = Template::parse(text) {
        problems.question(attribute, error.to_string());
    }
}

/// Reports faults in the slugs of every wording of `text`.
pub fn check_localized<const MAX: usize>(text: &Localized<MAX>, attribute: &str, problems: &mut Problems) {
    for wording in text.wordings() {
        check(wording, attribute, problems);
    }
}

#[cfg(test)]
mod tests;
