//! Slugs that ask for one attribute of a business record: `{$odata.<table>.<attribute>.?<options>}`.
//!
//! Values of slugs within the options cannot leave their place: they are escaped as OData literals, and then for the
//! address that carries the options. Refuses only the slugs in the options that cannot be parsed; the connector refuses
//! a query that it does not understand.

use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::super::percent::EVERYTHING_ELSE;
use super::{InvalidSlug, Syntax, Template, Unfit, Values};

/// A query as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    table: String,
    attribute: String,
    options: Template,
}

/// A query with the values of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The slug, as it is spelt.
    pub slug: String,
    /// The table, such as `contact`.
    pub table: String,
    /// The attribute of the first record found.
    pub attribute: String,
    /// OData options in the encoding of an address, with the slugs in them replaced.
    pub options: String,
    /// The slugs in the options that have no value. With one of these the query is not made.
    pub missing: Vec<String>,
}

impl Query {
    /// Reads the text between the braces of a slug.
    pub(super) fn read(inner: &str, slugs: &mut usize) -> Result<Self, InvalidSlug> {
        let (head, options) = inner.split_once('?').unwrap_or((inner, ""));
        let head = head.split_once('.').map_or("", |(_, head)| head);
        let (table, attribute) = head.split_once('.').unwrap_or((head, ""));
        let named = |text: &str| text.trim_end_matches('.').trim().to_owned();
        Ok(Self { table: named(table), attribute: named(attribute), options: Template::read(options, false, slugs)? })
    }

    /// Returns the query with the values of this session.
    pub(super) fn lookup(&self, slug: &str, values: &mut dyn Values) -> Lookup {
        // The options refuse no value.
        let options = self.options.render_as(values, &mut Options::default()).unwrap_or_default();
        Lookup {
            slug: slug.to_owned(),
            table: self.table.clone(),
            attribute: self.attribute.clone(),
            options: options.text,
            missing: options.unresolved,
        }
    }
}

/// The options of a query.
#[derive(Debug, Default)]
struct Options {
    /// The text so far, with one letter in place of each value.
    written: String,
}

/// The place of a value in the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of quotation marks.
    Bare,
    /// In a string literal, between `'`.
    Literal,
    /// In a phrase of `$search`, between `"`.
    Phrase,
}

impl Options {
    fn place(&self) -> Place {
        // A connector decodes the options before it reads them. Each option begins outside of quotation marks.
        let option = self.written.rsplit('&').next().unwrap_or_default();
        let decoded = percent_decode_str(option).decode_utf8_lossy();
        let mut place = Place::Bare;
        for c in decoded.chars() {
            place = match (place, c) {
                (Place::Bare, '\'') => Place::Literal,
                (Place::Bare, '"') => Place::Phrase,
                // A quotation mark within a literal is doubled; the pair closes and opens it again.
                (Place::Literal, '\'') | (Place::Phrase, '"') => Place::Bare,
                (same, _) => same,
            };
        }
        place
    }
}

impl Syntax for Options {
    fn fixed(&mut self, text: &str) -> Result<(), Unfit> {
        self.written.push_str(text);
        Ok(())
    }

    fn value(&mut self, _: &str, value: String) -> Result<String, Unfit> {
        let quoted = || value.replace('\'', "''");
        let literal = match self.place() {
            Place::Literal => quoted(),
            // There is no escape for these in a phrase that all connectors know.
            Place::Phrase => value.replace(['"', '\\'], " "),
            Place::Bare if !is_literal(&value) => format!("'{}'", quoted()),
            Place::Bare => value,
        };
        // A percent-encoding that the author began ends before a value.
        self.written.push('x');
        Ok(utf8_percent_encode(&literal, EVERYTHING_ELSE).to_string())
    }
}

/// Tells whether a value may stand outside of quotation marks: a number, a GUID, a date, or a reserved word of OData.
fn is_literal(value: &str) -> bool {
    let is_number = value.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && value.parse::<f64>().is_ok();
    let is_like = |shape: &str| {
        value.len() == shape.len()
            && value.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                b'x' => byte.is_ascii_hexdigit(),
                b'9' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    is_number
        || matches!(value, "true" | "false" | "null")
        || is_like("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
        || is_like("9999-99-99")
        || is_like("9999-99-99T99:99:99Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the query of a text, with one value for every key.
    fn asked(text: &str, value: &str) -> String {
        struct Asked<'a>(&'a str, Option<Lookup>);
        impl Values for Asked<'_> {
            fn key(&mut self, key: &str) -> Option<String> {
                (key != "absent").then(|| self.0.to_owned())
            }

            fn look_up(&mut self, lookup: Lookup) -> Option<String> {
                self.1 = Some(lookup);
                None
            }
        }
        let mut values = Asked(value, None);
        Template::parse(text).unwrap().render(&mut values);
        let Some(Lookup { table, attribute, options, missing, .. }) = values.1 else { return "nothing".to_owned() };
        format!("{table} {attribute} {options} {missing:?}")
    }

    #[test]
    fn a_value_in_a_query_stays_one_literal() {
        for (text, value, expected) in [
            ("{$odata.contact.fullname.?$filter=name eq '{x}'}", "Ada", "contact fullname $filter=name eq 'Ada' []"),
            (
                "{$odata.contact.fullname.?$filter=name eq '{x}'&$top=1}",
                "x' or 1 eq 1&$top=9#",
                "contact fullname $filter=name eq 'x%27%27%20or%201%20eq%201%26%24top%3D9%23'&$top=1 []",
            ),
            (
                "${$odata.contact.fullname.?$filter=contactid eq {x}}",
                "6f0c7a1e-1111-4222-8333-944445555666",
                "contact fullname $filter=contactid eq 6f0c7a1e-1111-4222-8333-944445555666 []",
            ),
            ("{$odata.a.b.?$filter=n eq {x}}", "-12.5", "a b $filter=n eq -12.5 []"),
            ("{$odata.a.b.?$filter=n eq {x}}", "1 or true", "a b $filter=n eq %271%20or%20true%27 []"),
            ("{$odata.a.b.?$filter=n eq 'it''s {x}'}", "'", "a b $filter=n eq 'it''s %27%27' []"),
            (
                "{$odata.a.b.?$filter=n eq %27{x}%27}",
                " or 1 eq 1 or n eq ",
                "a b $filter=n eq %27%20or%201%20eq%201%20or%20n%20eq%20%27 []",
            ),
            ("{$odata.a.b.?$filter=n eq %27{x}%27}", "it's", "a b $filter=n eq %27it%27%27s%27 []"),
            (
                "{$odata.a.b.?$filter=n eq %27{x}' and m eq '{x}%27}",
                "'",
                "a b $filter=n eq %27%27%27' and m eq '%27%27%27 []",
            ),
            ("{$odata.a.b.?$search=\"{x}\"&$top=1}", "a\" OR \"b", "a b $search=\"a%20%20OR%20%20b\"&$top=1 []"),
            ("{$odata.a.b.?$search='&$filter=n eq '{x}'}", "a'", "a b $search='&$filter=n eq 'a%27%27' []"),
            ("{$odata.a.b.?$filter=n eq '{absent}'}", "x", r#"a b $filter=n eq '' ["{absent}"]"#),
            ("{$ODATA.a.b}", "x", "a b  []"),
            ("{$odata.a}", "x", "a   []"),
            ("{$odata.a.b.?$filter=n eq '{x}'}", "{x}", "a b $filter=n eq '%7Bx%7D' []"),
        ] {
            assert_eq!(asked(text, value), expected, "{text} with {value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_adds_an_option_or_ends_its_literal(value in ".*", mark in "'|%27") {
            let asked = asked(&format!("{{$odata.a.b.?$filter=n eq {mark}{{x}}{mark}&$top=1}}"), &value);
            proptest::prop_assert_eq!(asked.matches('&').count(), 1);
            let plain = percent_encoding::percent_decode_str(&asked).decode_utf8().unwrap().into_owned();
            proptest::prop_assert_eq!(plain, format!("a b $filter=n eq '{}'&$top=1 []", value.replace('\'', "''")));
        }
    }
}
