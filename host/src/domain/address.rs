//! Addresses with slugs: the author decides where an address leads, and a value fills the place of its slug and changes
//! nothing else.
//!
//! A value is percent-encoded wherever it stands. In the host, where nothing may be encoded, it has letters, digits and
//! hyphens. A slug at the head holds the beginning of an address, which the rest cannot lead to another host. Refuses
//! values that would move a segment of the path (`..`), addresses that a browser reads otherwise than they are
//! written, and schemes other than those of web pages.

mod whole;

use std::ops::Range;

use percent_encoding::utf8_percent_encode;
use url::{Host, Url};

use super::percent::EVERYTHING_ELSE;
use super::slug::{Syntax, Unfit};

pub use whole::{RUNS, begins_with, is_https, runs_code};

/// An address while it is written.
#[derive(Debug, Clone)]
pub struct Address {
    position: Position,
    written: String,
    /// The values of slugs, but for one at the head.
    values: Vec<Value>,
    /// Where the authority ends, if there is one and it has ended.
    authority_end: Option<usize>,
    /// Whether it begins with a scheme.
    is_absolute: bool,
    /// Whether another text begins here: a slug at its start may not extend the host.
    is_joint: bool,
    /// The slug that holds the beginning of the address, until the first piece behind it is checked.
    head: Option<String>,
}

/// The value of a slug in an address.
#[derive(Debug, Clone)]
struct Value {
    slug: String,
    position: Position,
    range: Range<usize>,
}

/// In which part of an address the next piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    Start,
    Authority,
    Path,
    Query,
    Fragment,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A value does not fit its place.
    #[error(transparent)]
    Value(#[from] Unfit),
    /// It is not the address of a web page.
    #[error("the address does not begin with `https://`, or no browser can read it: write it as `https://host/path`")]
    NoAddress,
}

impl Address {
    /// Makes an address that begins with its scheme, or with a slug that holds one.
    pub fn absolute() -> Self {
        Self::at(Position::Start)
    }

    /// Makes a path that begins somewhere within a site.
    pub fn path() -> Self {
        Self::at(Position::Path)
    }

    /// Makes the query of an address, with or without its question mark.
    pub fn query() -> Self {
        Self::at(Position::Query)
    }

    fn at(position: Position) -> Self {
        Self {
            position,
            written: String::new(),
            values: Vec::new(),
            authority_end: None,
            is_absolute: position == Position::Start,
            is_joint: false,
            head: None,
        }
    }

    /// Returns the first `most` characters written so far, for a message.
    pub fn beginning(&self, most: usize) -> String {
        self.written.chars().take(most).collect()
    }

    /// Notes that another text begins here.
    pub fn begin_another(&mut self) {
        self.is_joint = true;
    }

    /// Returns the address, if no value changes where it leads.
    pub fn finish(self) -> Result<String, Refused> {
        self.no_segment_moves()?;
        if !self.is_absolute {
            self.stays_within_its_site()?;
            return Ok(self.written);
        }
        let url = Url::parse(&self.written).map_err(|_| self.broken())?;
        // Browsers pass over further slashes, and take for a host what stands behind them.
        if !matches!(url.scheme(), "https" | "http") || self.authority().is_empty() {
            return Err(Refused::NoAddress);
        }
        self.no_value_ends_a_domain()?;
        match self.slug_in_host() {
            Some(slug) if !self.host_is_as_written(&url) => {
                Err(unfit(slug, "makes another host of the address").into())
            }
            _ => Ok(self.written),
        }
    }

    /// Returns why no browser can read the address: the value in its host is at fault, if there is one.
    fn broken(&self) -> Refused {
        match self.slug_in_host() {
            Some(slug) => unfit(slug, "makes a host that cannot be").into(),
            None => Refused::NoAddress,
        }
    }

    fn slug_in_host(&self) -> Option<&str> {
        let value = self.values.iter().find(|value| value.position == Position::Authority)?;
        Some(&value.slug)
    }

    /// Refuses an empty value at the head of a path, which would make a host of the step behind it.
    fn stays_within_its_site(&self) -> Result<(), Unfit> {
        let is_of_site = !self.written.starts_with("//") && !self.written.starts_with("/\\");
        match self.values.iter().find(|value| value.range.start <= 1) {
            Some(Value { slug, .. }) if !is_of_site => Err(unfit(slug, "makes a host of the path behind it")),
            _ => Ok(()),
        }
    }

    /// Returns the text between the slashes and the path.
    fn authority(&self) -> &str {
        let end = self.authority_end.unwrap_or(self.written.len());
        self.written[..end].split_once("//").map_or("", |(_, authority)| authority)
    }

    /// Tells whether a browser reads the host letter by letter: not as a number, and not in another alphabet.
    fn host_is_as_written(&self, url: &Url) -> bool {
        let authority = self.authority();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = if host.ends_with(']') { host } else { host.rsplit_once(':').map_or(host, |(host, _)| host) };
        match url.host() {
            _ if host.is_ascii() => url.host_str() == Some(host.to_ascii_lowercase().as_str()),
            Some(Host::Domain(_)) => true,
            _ => false,
        }
    }

    /// Refuses values in the last label of a host with several labels: with another top-level domain the host has
    /// another owner.
    fn no_value_ends_a_domain(&self) -> Result<(), Unfit> {
        let Some((scheme, _)) = self.written.split_once("//") else { return Ok(()) };
        let (start, authority) = (scheme.len() + 2, self.authority());
        let begin = authority.rfind('@').map_or(0, |at| at + 1);
        let end = authority[begin..].find(':').map_or(authority.len(), |at| begin + at);
        // Browsers read all of these as the full stop between labels, and one at the end changes nothing.
        let stops = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
        let host = authority[begin..end].trim_end_matches(stops);
        let Some(stop) = host.rfind(stops) else { return Ok(()) };
        let last = start + begin + stop..start + begin + host.len();
        let ends = |value: &&Value| value.position == Position::Authority && last.contains(&value.range.start);
        match self.values.iter().find(ends) {
            Some(Value { slug, .. }) => Err(unfit(slug, "makes another host of the address")),
            None => Ok(()),
        }
    }

    /// Refuses values that make a segment of the path `.` or `..`, encoded or not: browsers resolve those.
    fn no_segment_moves(&self) -> Result<(), Unfit> {
        for Value { slug, range, .. } in self.values.iter().filter(|value| value.position == Position::Path) {
            let before = &self.written[..range.start];
            let is_end = |c: char| matches!(c, '/' | '\\' | '?' | '#');
            let start = before.rfind(is_end).map_or(0, |at| at + 1);
            let end = self.written[range.end..].find(is_end).map_or(self.written.len(), |at| range.end + at);
            let segment = self.written[start..end].to_ascii_lowercase().replace("%2e", ".");
            if matches!(segment.as_str(), "." | "..") {
                return Err(unfit(slug, "makes a step of the path that leads elsewhere"));
            }
        }
        Ok(())
    }

    /// Adds text, and notes the part of the address in which the text ends.
    fn go_over(&mut self, text: &str) {
        // Browsers ignore these characters anywhere in an address.
        let text = text.replace(['\t', '\r', '\n'], "");
        for (at, c) in text.char_indices() {
            let next = match (self.position, c) {
                (Position::Fragment, _) => Position::Fragment,
                (_, '#') => Position::Fragment,
                (Position::Authority | Position::Path, '?') => Position::Query,
                (Position::Authority, '/' | '\\') => Position::Path,
                (same, _) => same,
            };
            if self.position == Position::Authority && next != Position::Authority {
                self.authority_end = Some(self.written.len() + at);
            }
            self.position = next;
        }
        self.written.push_str(&text);
    }

    /// Tells whether text may stand behind a slug that holds the beginning of the address.
    fn follows(&self, text: &str) -> bool {
        match self.position {
            Position::Authority => text.starts_with(['/', '?', '#']),
            Position::Path => true,
            Position::Query => text.starts_with(['&', '#']),
            Position::Start | Position::Fragment => false,
        }
    }

    fn begin(&mut self, slug: &str, value: &str) -> Result<String, Unfit> {
        let value = value.trim();
        if !is_https(value) {
            return Err(unfit(slug, "is no address that begins with `https://`"));
        }
        let (scheme, rest) = value.split_at("https://".len());
        self.written.push_str(scheme);
        self.position = Position::Authority;
        self.go_over(rest);
        self.head = Some(slug.to_owned());
        Ok(value.to_owned())
    }
}

impl Syntax for Address {
    fn fixed(&mut self, text: &str) -> Result<(), Unfit> {
        self.is_joint &= text.is_empty();
        if let Some(slug) = self.head.take()
            && !self.follows(text)
        {
            return Err(unfit(&slug, "does not end where the text behind it could go on"));
        }
        if self.position != Position::Start {
            self.go_over(text);
            return Ok(());
        }
        let scheme = ["https://", "http://"].into_iter().find(|scheme| begins_with(text, scheme));
        let (scheme, rest) = text.split_at(scheme.map_or(0, str::len));
        self.written.push_str(scheme);
        // `finish` refuses an address without a scheme, and until then values count as a part of the host.
        self.position = Position::Authority;
        self.go_over(rest);
        Ok(())
    }

    fn value(&mut self, slug: &str, value: String) -> Result<String, Unfit> {
        if self.position == Position::Start {
            return self.begin(slug, &value);
        }
        if let Some(head) = self.head.take()
            && self.position == Position::Authority
        {
            return Err(unfit(&head, "does not end where the text behind it could go on"));
        }
        if std::mem::take(&mut self.is_joint) && self.position == Position::Authority {
            return Err(unfit(
                slug,
                "stands right behind the host, and would change it: write a `/` or a `?` before it",
            ));
        }
        let fits_host = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.position == Position::Authority && !fits_host {
            return Err(unfit(
                slug,
                "stands in the host of the address, which takes letters, digits and hyphens alone",
            ));
        }
        let written = utf8_percent_encode(&value, EVERYTHING_ELSE).to_string();
        let range = self.written.len()..self.written.len() + written.len();
        self.written.push_str(&written);
        self.values.push(Value { slug: slug.to_owned(), position: self.position, range });
        Ok(written)
    }
}

fn unfit(slug: &str, why: &'static str) -> Unfit {
    Unfit { slug: slug.to_owned(), why }
}

#[cfg(test)]
mod tests;
