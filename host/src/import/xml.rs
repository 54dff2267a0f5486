//! Reads the XML of solutions: elements with attributes, children and text.
//!
//! Refuses a document type declaration, because entities declared in one can grow without bound, and trees that are
//! deeper or larger than any export. Reads the predefined entities and character references, and no others. Line ends
//! and attribute values are normalised as XML 1.0 says; everything else in a text is kept, blanks included.

use std::cell::Cell;
use std::io::{self, BufReader, ErrorKind, Read};
use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::domain::secret_column::{is_secret, is_secret_column};

/// The deepest nesting of elements that is read. Exports need about eight.
pub(super) const DEPTH_MAX: usize = 64;
/// The most elements of one document. Each macro takes about 25 of them, each link two.
const ELEMENTS_MAX: usize = 200_000;

/// The most attributes of one element. Rows of a solution have about ten.
const ATTRIBUTES_MAX: usize = 256;
/// The largest document that is read as a whole, in bytes.
const DOCUMENT_MAX: usize = 8 << 20;
/// The most elements and attributes of all documents of one archive: each takes a few hundred bytes of memory, however
/// short it is.
const NODES_MAX: usize = 500_000;

/// The elements and attributes of an archive that were read so far: its documents share one bound.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    nodes: usize,
}

/// An element with everything in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The name of the element, prefix included.
    pub(crate) name: String,
    /// The attributes in document order.
    pub(crate) attributes: Vec<(String, String)>,
    /// The child elements in document order.
    pub(crate) children: Vec<Element>,
    /// The text of the element, without that of its children.
    pub(crate) text: String,
}

/// Why a file cannot be read as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}` is not readable at byte {position}: {problem}")]
pub struct Error {
    /// The file.
    pub file: String,
    /// The position in the file, in bytes from the beginning.
    pub position: u64,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The document is not UTF-8.
    #[error("it is not UTF-8 text: save it in that encoding")]
    NotUtf8,
    /// The document breaks the rules of XML.
    #[error("{0}")]
    Malformed(String),
    /// The document has a character that XML does not allow.
    #[error("it has the character U+{:04X}, which XML 1.0 does not have: take it out", u32::from(*.0))]
    NoCharacter(char),
    /// The document declares a document type.
    #[error("it contains a DOCTYPE, which no export has: remove it")]
    Doctype,
    /// The document is nested too deeply.
    #[error("elements are nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// The root is that of another kind of document.
    #[error("its root is `{found}`, and `{expected}` is expected: choose the file that the export made")]
    OtherRoot {
        /// The name of the root.
        found: String,
        /// The expected name of the root.
        expected: String,
    },
    /// A tag or text is too long.
    #[error("it has a tag or text of more than {EVENT_MAX} bytes")]
    TooLong,
    /// A piece of the document is too long.
    #[error("`{piece}` has more than {max} bytes with all that is in it: leave it out, or shorten it")]
    PieceTooLong {
        /// The name of the piece's element.
        piece: String,
        /// The most bytes of a piece.
        max: u64,
    },
    /// The document has too many elements.
    #[error("it has more than {ELEMENTS_MAX} elements")]
    TooLarge,
    /// The document has too many bytes.
    #[error("it has {0} bytes, {DOCUMENT_MAX} are allowed: split it into several solutions")]
    TooManyBytes(usize),
    /// An element has too many attributes.
    #[error("`{0}` has more than {ATTRIBUTES_MAX} attributes, as no export has: remove it")]
    TooManyAttributes(String),
    /// All documents together have too many elements and attributes.
    #[error(
        "the documents up to here have more than {NODES_MAX} elements and attributes: split the archive into several solutions"
    )]
    TooManyNodes,
}

impl Problem {
    /// Whether such a document is hostile rather than a mistake.
    pub(super) fn is_hostile(&self) -> bool {
        match self {
            Self::Doctype
            | Self::TooDeep
            | Self::TooLarge
            | Self::TooLong
            | Self::PieceTooLong { .. }
            | Self::TooManyBytes(_)
            | Self::TooManyAttributes(_)
            | Self::TooManyNodes => true,
            Self::NotUtf8 | Self::NoCharacter(_) | Self::Malformed(_) | Self::OtherRoot { .. } => false,
        }
    }
}

/// Refuses a root other than the expected one.
fn check_root(found: &str, expected: &str) -> Result<(), Problem> {
    if found == expected {
        return Ok(());
    }
    let found = found.chars().take(100).collect();
    Err(Problem::OtherRoot { found, expected: expected.to_owned() })
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child with a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child with a name. `None` if there is no such child or it has `xsi:nil`.
    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).filter(|child| !child.is_nil()).map(|child| child.text.as_str())
    }

    /// Removes all attributes and descendants that are columns with a secret. Returns the names of the columns.
    pub(crate) fn leave_secrets(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        let mut gone = |column: &str, is_secret: bool| {
            if is_secret && !left.iter().any(|known| known == column) {
                left.push(column.to_owned());
            }
            !is_secret
        };
        self.attributes.retain(|(column, value)| gone(column, is_secret(column, value)));
        self.children
            .retain(|child| gone(&child.name, is_secret_column(&child.name) && child.holds_secret(&child.name)));
        for column in self.children.iter_mut().flat_map(Self::leave_secrets) {
            gone(&column, true);
        }
        left
    }

    /// Whether any text in the element would be a secret as a value of `column`.
    fn holds_secret(&self, column: &str) -> bool {
        let values = self.attributes.iter().filter(|(key, _)| key != "xsi:nil").map(|(_, value)| value.as_str());
        values.chain([self.text.as_str()]).any(|value| is_secret(column, value))
            || self.children.iter().any(|child| child.holds_secret(column))
    }

    /// Whether the element says that it has no value.
    pub(super) fn is_nil(&self) -> bool {
        self.attribute("xsi:nil").is_some_and(|nil| nil == "true" || nil == "1")
    }
}

/// Reads a document and returns its root element.
pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Element, Error> {
    parse_within(file, bytes, &mut Budget::default())
}

/// Parses as [`parse`], and refuses a document whose root is not called `root`.
pub(crate) fn parse_rooted(file: &str, root: &str, bytes: &[u8]) -> Result<Element, Error> {
    let element = parse(file, bytes)?;
    let other = |problem| Error { file: file.to_owned(), position: 0, problem };
    check_root(&element.name, root).map_err(other)?;
    Ok(element)
}

/// Parses a further document of an archive, within what is left of the `budget`, and returns its root element.
pub(super) fn parse_within(file: &str, bytes: &[u8], budget: &mut Budget) -> Result<Element, Error> {
    let at = |position: u64, problem: Problem| Error { file: file.to_owned(), position, problem };
    if bytes.len() > DOCUMENT_MAX {
        return Err(at(0, Problem::TooManyBytes(bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| at(error.valid_up_to() as u64, Problem::NotUtf8))?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree { nodes: budget.nodes, ..Tree::default() };
    loop {
        let event =
            reader.read_event().map_err(|error| at(reader.error_position(), Problem::Malformed(error.to_string())))?;
        let done = matches!(event, Event::Eof);
        tree.accept(event).map_err(|problem| at(reader.buffer_position(), problem))?;
        budget.nodes = tree.nodes;
        if done {
            return tree.root.ok_or_else(|| at(reader.buffer_position(), malformed("there is no element in it")));
        }
    }
}

/// The longest single tag or text of a document that is read piece by piece, in bytes.
const EVENT_MAX: u64 = 8 << 20;
/// The longest piece of such a document, in bytes.
const PIECE_MAX: u64 = 2 * EVENT_MAX;

/// Receives the elements around a piece, and the piece.
type Visit<'a, E> = &'a mut dyn FnMut(&[Element], Element) -> Result<(), E>;

/// Reads a document whose root is called `root` piece by piece. Passes each element that `is_piece` names to `visit`,
/// with the elements around it, and then forgets the piece. So only one piece is in memory, however long the document
/// is.
pub(crate) fn stream<E: From<Error>>(
    file: &str,
    root: &str,
    input: impl Read,
    is_piece: impl Fn(&str) -> bool,
    visit: Visit<'_, E>,
) -> Result<(), E> {
    stream_pieces(file, root, input, PIECE_MAX, is_piece, visit)
}

/// Reads as [`stream`], with pieces of at most `piece_max` bytes.
fn stream_pieces<E: From<Error>>(
    file: &str,
    root: &str,
    input: impl Read,
    piece_max: u64,
    is_piece: impl Fn(&str) -> bool,
    visit: Visit<'_, E>,
) -> Result<(), E> {
    let at = |position: u64, problem: Problem| Error { file: file.to_owned(), position, problem };
    let (input, taken) = Metered::new(input);
    let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, input));
    let (mut tree, mut buffer) = (Tree::default(), Vec::new());
    // The position where the current piece began, and whether there was any element.
    let (mut piece_at, mut any) = (None, false);
    loop {
        taken.set(0);
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) if error.kind() == ErrorKind::FileTooLarge => {
                return Err(at(reader.buffer_position(), Problem::TooLong).into());
            }
            Err(quick_xml::Error::Encoding(_)) => return Err(at(reader.buffer_position(), Problem::NotUtf8).into()),
            Err(error) => return Err(at(reader.error_position(), malformed(error)).into()),
        };
        let position = reader.buffer_position();
        let is_outside = tree.open.is_empty();
        let ended = match event {
            Event::Eof => {
                tree.accept(Event::Eof).map_err(|problem| at(position, problem))?;
                let nothing = || at(position, malformed("there is no element in it"));
                return if any { Ok(()) } else { Err(nothing().into()) };
            }
            Event::Empty(start) => tree.begin(&start).map(|()| true),
            Event::End(_) => Ok(true),
            other => tree.accept(other).map(|()| false),
        };
        let ended = ended.map_err(|problem| at(position, problem))?;
        if let Some(outermost) = tree.open.first().filter(|_| is_outside) {
            let second = || Err(malformed("there is a second root element"));
            let checked = if any { second() } else { check_root(&outermost.name, root) };
            checked.map_err(|problem| at(position, problem))?;
            any = true;
        }
        let outermost = tree.open.iter().find(|element| is_piece(&element.name));
        let is_within = outermost.is_some();
        piece_at = if is_within { piece_at.or(Some(position)) } else { None };
        if let Some(piece) = outermost.filter(|_| piece_at.is_some_and(|began| position - began > piece_max)) {
            return Err(at(position, Problem::PieceTooLong { piece: piece.name.clone(), max: piece_max }).into());
        }
        if !is_within {
            // Text between pieces belongs to no piece.
            tree.open.iter_mut().for_each(|element| element.text.clear());
        }
        if ended {
            match tree.open.pop_if(|element| is_piece(&element.name)) {
                Some(piece) => {
                    // A forgotten piece no longer counts. The next piece may follow at once.
                    tree.forget();
                    piece_at = piece_at.filter(|_| tree.open.iter().any(|element| is_piece(&element.name)));
                    visit(&tree.open, piece)?;
                }
                None if is_within => tree.end().map_err(|problem| at(position, problem))?,
                // Elements around pieces are needed only while they are open.
                None => {
                    let open = tree.open.pop().ok_or_else(|| malformed("an element ends that never began"));
                    open.map_err(|problem| at(position, problem))?;
                    tree.forget();
                }
            }
        }
        buffer.clear();
    }
}

/// Counts the bytes that are read, and fails if one event takes too many.
pub(crate) struct Metered<R> {
    input: R,
    taken: Rc<Cell<u64>>,
}

impl<R> Metered<R> {
    /// Meters `input`. The caller sets the returned count to 0 before each event.
    pub(crate) fn new(input: R) -> (Self, Rc<Cell<u64>>) {
        let taken = Rc::new(Cell::new(0));
        (Self { input, taken: Rc::clone(&taken) }, taken)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        if self.taken.get() > EVENT_MAX { Err(ErrorKind::FileTooLarge.into()) } else { Ok(read) }
    }
}

#[derive(Default)]
struct Tree {
    root: Option<Element>,
    open: Vec<Element>,
    elements: usize,
    /// Elements and attributes.
    nodes: usize,
}

impl Tree {
    fn accept(&mut self, event: Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Start(start) => self.begin(&start),
            Event::Empty(start) => {
                self.begin(&start)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(data) => self.text(&data.xml10_content()),
            Event::GeneralRef(reference) => {
                let decoded = match reference.resolve_char_ref().map_err(malformed)? {
                    Some(c) => c.to_string(),
                    None => resolve_predefined_entity(&reference)
                        .ok_or_else(|| malformed(format!("`&{};` is declared nowhere", &*reference)))?
                        .to_owned(),
                };
                self.text(&decoded)
            }
            Event::DocType(_) => Err(Problem::Doctype),
            Event::Eof if !self.open.is_empty() => Err(malformed("it ends before its last element does")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Problem> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(Problem::TooLarge);
        }
        self.count()?;
        if self.open.len() >= DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed("there is a second root element"));
        }
        check_characters(start.name().as_ref())?;
        let mut element = Element { name: start.name().as_ref().to_owned(), ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(malformed)?;
            check_characters(attribute.key.as_ref())?;
            if element.attributes.len() == ATTRIBUTES_MAX {
                return Err(Problem::TooManyAttributes(element.name.chars().take(100).collect()));
            }
            self.count()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
            check_characters(&value)?;
            element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    /// Counts one more element or attribute.
    fn count(&mut self) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES_MAX { Err(Problem::TooManyNodes) } else { Ok(()) }
    }

    /// Stops counting elements that are no longer in memory.
    fn forget(&mut self) {
        self.elements = self.open.len();
        self.nodes = self.open.iter().map(|element| 1 + element.attributes.len()).sum();
    }

    fn end(&mut self) -> Result<(), Problem> {
        let element = self.open.pop().ok_or_else(|| malformed("an element ends that never began"))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        check_characters(text)?;
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("there is text outside of every element")),
        }
        Ok(())
    }
}

/// Whether XML 1.0 allows a character. It does not allow others as character references, either.
pub(crate) fn is_character(c: char) -> bool {
    !matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn check_characters(text: &str) -> Result<(), Problem> {
    text.chars().find(|c| !is_character(*c)).map_or(Ok(()), |c| Err(Problem::NoCharacter(c)))
}

fn malformed(reason: impl ToString) -> Problem {
    Problem::Malformed(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8]) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        stream("f.xml", "a", text, |name| name == "r", &mut |within, piece| {
            let within: Vec<&str> = within.iter().map(|element| element.name.as_str()).collect();
            found.push(format!("{}: {} {:?}", within.join("/"), piece.attributes.len(), piece.children.len()));
            Ok::<(), Error>(())
        })?;
        Ok(found)
    }

    #[test]
    fn a_long_document_is_read_piece_by_piece() {
        let text = "\u{feff}<?xml version=\"1.0\"?><a><b x='1'><r i='&amp;quot;'><f/><f/></r>\n<r/></b><b/></a>";
        assert_eq!(pieces(text.as_bytes()).unwrap(), ["a/b: 1 2", "a/b: 0 0"]);
        let long = format!("<a>{}</a>", "<r><f/></r>".repeat(ELEMENTS_MAX));
        assert_eq!(pieces(long.as_bytes()).unwrap().len(), ELEMENTS_MAX);
    }

    #[test]
    fn each_piece_has_its_bytes_to_itself_whatever_is_between_pieces() {
        let told = |text: &str| {
            let mut seen = 0;
            let count = &mut |_: &[Element], _: Element| {
                seen += 1;
                Ok::<(), Error>(())
            };
            match stream_pieces("f.xml", "a", text.as_bytes(), 20, |name| matches!(name, "r" | "s"), count) {
                Ok(()) => format!("{seen} pieces"),
                Err(error) => error.to_string(),
            }
        };
        for (text, expected) in [
            ("<a><r>0123456789</r><r>0123456789</r><s>0123456789</s></a>", "3 pieces"),
            ("<a><r>0123456789</r>\n<r>0123456789</r></a>", "2 pieces"),
            ("<a><b><r>0123456789</r></b><b><r>0123456789</r></b></a>", "2 pieces"),
            ("<a><r x='0123456789'/><r x='0123456789'/></a>", "2 pieces"),
            (
                "<a><r>01234567890123456789</r></a>",
                "`f.xml` is not readable at byte 30: `r` has more than 20 bytes with all that is in it: leave it out, or shorten it",
            ),
            // A piece within another one takes the bytes of both.
            (
                "<a><r><s/>0123456789<s/>0123456789</r></a>",
                "`f.xml` is not readable at byte 34: `r` has more than 20 bytes with all that is in it: leave it out, or shorten it",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_document_is_refused_for_what_a_short_one_is() {
        let refused = |text: &[u8]| pieces(text).unwrap_err().problem.to_string();
        let endless = format!("<a><r x='{}'/></a>", "y".repeat(9 << 20));
        let field = format!("<f x='{}'/>", "y".repeat(1 << 20));
        let piece = format!("<a><r>{}</r></a>", field.repeat(17));
        for (text, expected) in [
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>".as_slice(), "it contains a DOCTYPE"),
            (b"<a><r>", "it ends before"),
            (b"<a><r></a>", "ill-formed document"),
            (b"", "there is no element"),
            (b"<a><r x='\xff'/></a>", "it is not UTF-8"),
            (b"<b/>", "its root is `b`, and `a` is expected: choose the file that the export made"),
            (b"<r><r/></r>", "its root is `r`, and `a` is expected"),
            (b"<a><r/></a><a/>", "there is a second root element"),
            (b"<a/>x", "there is text outside of every element"),
            (b"<a>&b;</a>", "`&b;` is declared nowhere"),
            (b"<a>&#27;[2J</a>", "it has the character U+001B, which XML 1.0 does not have: take it out"),
            (b"<a b='&#x1b;'/>", "it has the character U+001B"),
            (b"<a b='\x1b'/>", "it has the character U+001B"),
            (b"<a><![CDATA[\x07]]></a>", "it has the character U+0007"),
            (b"<a\x07/>", "it has the character U+0007"),
            (b"<a>&#xFFFF;</a>", "it has the character U+FFFF"),
            (endless.as_bytes(), "it has a tag or text of more"),
            (piece.as_bytes(), "`r` has more than 16777216 bytes with all that is in it: leave it out"),
            ("<a>".repeat(99).as_bytes(), "elements are nested deeper"),
        ] {
            let found = refused(text);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn elements_attributes_and_texts_are_read_as_they_are() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<a x.y='1 &amp; &#13;2'>\r\n  \
                    <b default=\"&quot;\" /><c>  lead &lt;&#x41;&#13;\nline<![CDATA[<raw>]]> </c><!-- no --></a>";
        let root = parse("f.xml", text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("x.y")), ("a", Some("1 & \r2")));
        assert_eq!(root.child("b").and_then(|b| b.attribute("default")), Some("\""));
        assert_eq!(root.child_text("c"), Some("  lead <A\r\nline<raw> "));
        assert_eq!(root.child_text("d"), None);
    }

    #[test]
    fn nil_is_no_value() {
        let root = parse("f.xml", br#"<a><b xsi:nil="true">x</b><c></c></a>"#).unwrap();
        assert_eq!((root.child_text("b"), root.child_text("c")), (None, Some("")));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_place() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        for (text, expected) in [
            ("", "`f.xml` is not readable at byte 0: there is no element in it"),
            ("<a><b></a>", "`f.xml` is not readable at byte 6: "),
            ("<a>&lol;</a>", "`f.xml` is not readable at byte 8: `&lol;` is declared nowhere"),
            ("<a x='&lol;'/>", "`f.xml` is not readable at byte 14: "),
            ("<a>", "`f.xml` is not readable at byte 3: it ends before its last element does"),
            ("<a/><b/>", "`f.xml` is not readable at byte 8: there is a second root element"),
            ("<a/>x", "`f.xml` is not readable at byte 5: there is text outside of every element"),
            (&deep, "`f.xml` is not readable at byte 195: elements are nested deeper than 64 levels"),
            (
                "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>",
                "`f.xml` is not readable at byte 64: it contains a DOCTYPE, which no export has: remove it",
            ),
        ] {
            let error = parse("f.xml", text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:.40}: {error}");
        }
        assert_eq!(parse("f.xml", b"<a>\xff</a>").unwrap_err().problem, Problem::NotUtf8);
    }

    /// A tag with that many attributes.
    fn flood(attributes: usize) -> String {
        let names: String = (0..attributes).map(|number| format!(" a{number}=''")).collect();
        format!("<row{names}/>")
    }

    #[test]
    fn an_element_has_no_more_attributes_than_any_export_has() {
        assert_eq!(parse("f.xml", flood(ATTRIBUTES_MAX).as_bytes()).unwrap().attributes.len(), ATTRIBUTES_MAX);
        let error = parse("f.xml", flood(ATTRIBUTES_MAX + 1).as_bytes()).unwrap_err();
        assert_eq!(error.problem, Problem::TooManyAttributes("row".to_owned()));
        assert!(error.problem.is_hostile(), "the whole archive is refused");
        let streamed = format!("<a>{}</a>", flood(ATTRIBUTES_MAX + 1).replace("row", "r"));
        let refused = pieces(streamed.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("`r` has more than 256 attributes"), "{refused}");
        // The parser stops after the 257th attribute: the rest is not even well-formed.
        let broken = flood(ATTRIBUTES_MAX + 1).replace("/>", " a=1 a=2 b/>");
        assert!(matches!(parse("f.xml", broken.as_bytes()).unwrap_err().problem, Problem::TooManyAttributes(_)));
    }

    #[test]
    fn documents_are_bounded_one_by_one_and_together() {
        let long = vec![b' '; DOCUMENT_MAX + 1];
        assert_eq!(parse("f.xml", &long).unwrap_err().problem, Problem::TooManyBytes(long.len()));
        let rows = format!("<rows>{}</rows>", flood(200).repeat(1_000));
        let mut budget = Budget::default();
        let read = (1..).map(|_| parse_within("f.xml", rows.as_bytes(), &mut budget)).find_map(Result::err).unwrap();
        assert_eq!((read.problem, budget.nodes / 201_001), (Problem::TooManyNodes, 2));
        // Pieces that were read and forgotten do not count.
        let pieces = format!("<a>{}</a>", flood(200).replace("row", "r").repeat(5_000));
        let mut seen = 0;
        let count = &mut |_: &[Element], _: Element| {
            seen += 1;
            Ok::<(), Error>(())
        };
        stream("f.xml", "a", pieces.as_bytes(), |name| name == "r", count).unwrap();
        assert_eq!(seen, 5_000);
    }

    proptest::proptest! {
        #[test]
        fn reading_is_total(text in "[<>&;/a\"'= !\\[\\]#x0-9-]*") {
            let _ = parse("f.xml", text.as_bytes());
        }
    }
}
