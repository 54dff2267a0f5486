//! Writes the XML of solutions so that the import reads back every byte.
//!
//! Elements are indented by two blanks, for review. Characters that XML cannot hold are replaced; the caller finds the
//! difference when it reads its own tables back.

use std::fmt::Write as _;

use crate::import::is_character;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// Written as `<a />`.
    Nothing,
    /// Written on one line, with all its blanks.
    Text(String),
    Elements(Vec<Element>),
}

impl Element {
    /// An element without content.
    pub(super) fn empty(name: impl Into<String>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), content: Content::Nothing }
    }

    /// An element that holds text.
    pub(super) fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::empty(name) }
    }

    /// An element that holds elements.
    pub(super) fn of(name: impl Into<String>, children: impl IntoIterator<Item = Element>) -> Self {
        Self { content: Content::Elements(children.into_iter().collect()), ..Self::empty(name) }
    }

    /// The element with one more attribute.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The number of elements and attributes in the element, with itself.
    pub(super) fn nodes(&self) -> usize {
        let within = match &self.content {
            Content::Nothing | Content::Text(_) => 0,
            Content::Elements(children) => children.iter().map(Element::nodes).sum(),
        };
        1 + self.attributes.len() + within
    }

    /// The element as a document.
    pub(super) fn document(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        out.push_str(&indent);
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, true, out);
            out.push('"');
        }
        match &self.content {
            Content::Nothing => out.push_str(" />\n"),
            Content::Text(text) => {
                out.push('>');
                escape(text, false, out);
                out.push_str("</");
                out.push_str(&self.name);
                out.push_str(">\n");
            }
            Content::Elements(children) => {
                out.push_str(">\n");
                children.iter().for_each(|child| child.write(depth + 1, out));
                out.push_str(&indent);
                out.push_str("</");
                out.push_str(&self.name);
                out.push_str(">\n");
            }
        }
    }
}

/// Whether a text can be the name of an element.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether XML can hold a text unchanged.
pub(super) fn can_carry(text: &str) -> bool {
    text.chars().all(is_character)
}

/// Escapes characters. A parser normalises bare line ends and tabs, in attributes more than in text.
fn escape(text: &str, attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' if attribute => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\n' | '\t' => out.push(c),
            _ if !is_character(c) => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_for_review() {
        let element = Element::of(
            "t",
            [
                Element::empty("a").with("k", "\"1\" <\r\n\t&>"),
                Element::text("b", " x\r\n\t]]>&"),
                Element::text("c", ""),
            ],
        );
        assert_eq!(
            element.document(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<t>\n  <a k=\"&quot;1&quot; &lt;&#13;&#10;&#9;&amp;&gt;\" />\n  \
             <b> x&#13;\n\t]]&gt;&amp;</b>\n  <c></c>\n</t>\n"
        );
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(Element::text("t", "a\u{1}b\u{ffff}").document().lines().last(), Some("<t>a\u{fffd}b\u{fffd}</t>"));
        for (name, expected) in
            [("msdyn_x", true), ("", false), ("1a", false), ("a b", false), ("a/b", false), ("ä", false)]
        {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
