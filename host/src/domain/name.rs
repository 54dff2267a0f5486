//! Names: the natural keys that address every item.
//!
//! Refuses text that would not stay intact in a URL, a log line or an export. The authoring rule `<prefix>_<name>` is a
//! separate check, because content that already exists elsewhere keeps its names.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::Kind;

/// Longest name, in characters (`msdyn_uniquename`).
pub const NAME_MAX: usize = 128;

/// The published pattern of a name: no control character, and no blank at either end.
pub const NAME: &str = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0])?$";

/// Characters of the lower planes that [`is_unseen`] finds, and control characters, as a pattern lists them.
macro_rules! unseen {
    () => {
        r"\x00-\x1f\x7f-\xa0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    };
}

/// The published pattern of the name of a new item. Refuses invisible characters, except those of the higher planes,
/// which pattern dialects write in too many ways.
pub const NEW_NAME: &str = concat!("^[^ ", unseen!(), "]([^", unseen!(), "]*[^ ", unseen!(), "])?$");

/// The published pattern of the name of a new item that begins with its author's prefix.
pub const AUTHORED_NAME: &str = concat!("^[A-Za-z0-9]{3,8}_[^", unseen!(), "]*[^ ", unseen!(), "]$");

/// A type whose values are addressed by a name of their own.
pub trait Named {
    /// The kind of the values, which names their collection.
    const KIND: Kind;
}

/// The name of one `T`, such as `contoso_rep` for a [`Profile`](super::Profile).
///
/// Invariant: 1 to [`NAME_MAX`] characters, none of them a control character, no blank at either end.
pub struct Name<T> {
    text: Arc<str>,
    of: PhantomData<fn() -> T>,
}

impl<T: Named> Name<T> {
    /// Returns the text of the name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the shared text, for keys that outlive the name.
    pub fn shared(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns this name as an untyped [`Reference`] in the attribute `attribute`.
    pub(crate) fn reference(&mut self, attribute: &'static str) -> Reference<'_> {
        Reference { kind: T::KIND, attribute, name: &mut self.text }
    }
}

/// A reference of one item to another. The caller may replace the name by its canonical spelling.
pub struct Reference<'a> {
    /// The kind of the named item.
    pub kind: Kind,
    /// The attribute that names it, such as `sessionTemplates`.
    pub attribute: &'static str,
    /// The name itself.
    pub name: &'a mut Arc<str>,
}

/// The refusal of a text that is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot name {}: {reason}", shorten(typed), kind.with_article())]
pub struct InvalidName {
    /// The kind of item that it should name.
    pub kind: Kind,
    /// The text as it was typed.
    pub typed: String,
    /// The fault, and what would be right.
    pub reason: Cow<'static, str>,
}

/// Checks the invariant that [`Name`] states.
pub fn check_name(kind: Kind, typed: &str) -> Result<(), InvalidName> {
    let reason: Cow<'static, str> = if typed.is_empty() {
        "it is empty".into()
    } else if typed.chars().count() > NAME_MAX {
        format!("it is longer than {NAME_MAX} characters").into()
    } else if typed.chars().any(char::is_control) {
        "it contains a control character".into()
    } else if typed.trim() != typed {
        "it begins or ends with a blank".into()
    } else {
        return Ok(());
    };
    Err(InvalidName { kind, typed: typed.to_owned(), reason })
}

/// Checks the name of a new item: the rules of [`check_name`], and that every character is visible, so that no two
/// names differ only in invisible characters.
pub fn check_new_name(kind: Kind, typed: &str) -> Result<(), InvalidName> {
    check_name(kind, typed)?;
    let Some(unseen) = typed.chars().find(|c| is_unseen(*c)) else { return Ok(()) };
    let reason = format!("it contains the character U+{:04X}, which is not seen: leave it out", u32::from(unseen));
    Err(InvalidName { kind, typed: typed.to_owned(), reason: reason.into() })
}

/// Tells whether a character is invisible, or changes how its neighbours look: the characters that Unicode calls format
/// characters (bidirectional controls and tags among them) or ignorable by default, line separators, and every blank
/// but U+0020.
pub fn is_unseen(c: char) -> bool {
    (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Checks the authoring rule `<prefix>_<name>`, prefix of 3 to 8 letters and digits, for kinds that follow it
/// (domain rule: `^[A-Za-z0-9]{3,8}_.+$`).
pub fn check_authored_name(kind: Kind, typed: &str) -> Result<(), InvalidName> {
    check_new_name(kind, typed)?;
    if !kind.is_prefixed() {
        return Ok(());
    }
    let well_formed = typed.split_once('_').is_some_and(|(prefix, rest)| {
        (3..=8).contains(&prefix.len()) && prefix.chars().all(|c| c.is_ascii_alphanumeric()) && !rest.is_empty()
    });
    if well_formed {
        return Ok(());
    }
    let reason = "write it as `<prefix>_<name>`, with a prefix of 3 to 8 letters or digits, such as `contoso_rep`";
    Err(InvalidName { kind, typed: typed.to_owned(), reason: reason.into() })
}

/// Returns the beginning of the typed text, with invisible characters shown by number.
fn shorten(typed: &str) -> Cow<'_, str> {
    const SHOWN: usize = 160;
    let is_shown = |c: char| !c.is_control() && !is_unseen(c);
    if !typed.chars().all(is_shown) {
        let spelt = |c: char| if is_shown(c) { c.to_string() } else { c.escape_unicode().to_string() };
        return Cow::Owned(typed.chars().take(SHOWN).map(spelt).collect());
    }
    match typed.char_indices().nth(SHOWN) {
        None => Cow::Borrowed(typed),
        Some((end, _)) => Cow::Owned(format!("{}…", &typed[..end])),
    }
}

impl<T: Named> FromStr for Name<T> {
    type Err = InvalidName;

    fn from_str(typed: &str) -> Result<Self, InvalidName> {
        check_name(T::KIND, typed)?;
        Ok(Self { text: typed.into(), of: PhantomData })
    }
}

impl<T> Clone for Name<T> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), of: PhantomData }
    }
}

impl<T> PartialEq for Name<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Name<T> {}

impl<T> PartialOrd for Name<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Name<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<T> Hash for Name<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<T> fmt::Debug for Name<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<T> fmt::Display for Name<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: Named> Deserialize<'de> for Name<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let typed = Cow::<str>::deserialize(deserializer)?;
        typed.parse().map_err(serde::de::Error::custom)
    }
}

// The derive of `ToSchema` requires this trait of every generic type; `PartialSchema` follows from it.
impl<T: Named> utoipa::__dev::ComposeSchema for Name<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let description = format!("The unique name of {}.", T::KIND.with_article());
        RefOr::T(Schema::Object(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(NAME_MAX))
                .pattern(Some(NAME))
                .description(Some(description))
                .build(),
        ))
    }
}

impl<T: Named> utoipa::ToSchema for Name<T> {
    fn name() -> Cow<'static, str> {
        format!("{:?}Name", T::KIND).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_of_new_names_is_what_is_checked() {
        let published = |pattern: &str| {
            let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
            options.build(&serde_json::json!({"pattern": pattern})).unwrap()
        };
        let (new, authored) = (published(NEW_NAME), published(AUTHORED_NAME));
        for c in ('\0'..='\u{ffff}').chain(['\u{1f642}', '\u{10ffff}']) {
            for name in [format!("abc_a{c}a"), format!("abc_{c}"), format!("abc_a{c}")] {
                let is_valid = check_new_name(Kind::Profile, &name).is_ok();
                assert_eq!(new.is_valid(&name.as_str().into()), is_valid, "{name:?}");
                assert_eq!(authored.is_valid(&name.as_str().into()), is_valid, "{name:?}");
            }
        }
    }

    #[test]
    fn authored_names_follow_the_prefix_rule() {
        let verdict = |typed| check_authored_name(Kind::Profile, typed).is_ok();
        for good in ["new_x", "contoso_rep", "cr6c8_clone case", "ABCDEFGH_1", "msdyn__x"] {
            assert!(verdict(good), "{good} should be accepted");
        }
        for bad in ["", "rep", "pp_loader", "toolongprefix_x", "con-toso_x", "_x", "abc_", " abc_x", "abc_x\n"] {
            assert!(!verdict(bad), "{bad:?} should be refused");
        }
        assert!(check_authored_name(Kind::User, "kayla").is_ok(), "logins carry no prefix");
    }

    #[test]
    fn a_new_name_has_no_character_that_is_not_seen() {
        for unseen in "\u{200b}\u{ad}\u{feff}\u{fe0f}\u{e0041}\u{115f}\u{202e}\u{200d}\u{2028}\u{a0}\u{3164}".chars() {
            for kind in [Kind::Profile, Kind::User] {
                let name = format!("contoso_r{unseen}ep");
                assert!(check_authored_name(kind, &name).is_err(), "U+{:04X}", u32::from(unseen));
                assert!(check_name(kind, &name).is_ok(), "one that is there already is still a name");
            }
        }
        for seen in ["contoso_rep", "contoso_é", "contoso_営業 1", "contoso_مبيعات", "contoso_नमस्ते"]
        {
            check_authored_name(Kind::Profile, seen).unwrap();
        }
        let refused = check_authored_name(Kind::User, "kay\u{200b}la").unwrap_err();
        insta::assert_snapshot!(refused, @r"`kay\u{200b}la` cannot name a user: it contains the character U+200B, which is not seen: leave it out");
    }

    #[test]
    fn a_refusal_names_what_was_typed_and_what_to_write() {
        let error = check_authored_name(Kind::Profile, "rep").unwrap_err();
        insta::assert_snapshot!(error, @"`rep` cannot name a profile: write it as `<prefix>_<name>`, with a prefix of 3 to 8 letters or digits, such as `contoso_rep`");
        let long = check_name(Kind::User, &"x".repeat(4000)).unwrap_err();
        assert!(long.to_string().len() < 300, "a long name must not flood the answer");
    }
}
