//! The checks of required words and of language numbers.
//!
//! A display text has a visible character in its default wording; a licence is not empty and has no blank at an end; a
//! language is a number from 1 to [`LANGUAGE_MAX`]. An earlier store took other items, so an item may keep a fault that
//! it had before.

use serde_json::Value;

use super::Kind;
use super::name::is_unseen;

/// The largest number of a language.
pub const LANGUAGE_MAX: u32 = 65_535;

/// The display texts of items and their parts, by kind and attribute. A path leads through every entry of a list.
pub const SHOWN: &[(Kind, &str)] = &[
    (Kind::App, "name"),
    (Kind::ApplicationExtension, "name"),
    (Kind::ApplicationTabTemplate, "name"),
    (Kind::ChannelProvider, "label"),
    (Kind::ChannelProvider, "name"),
    (Kind::Macro, "name"),
    (Kind::NotificationTemplate, "name"),
    (Kind::NotificationTemplate, "title"),
    (Kind::PaneTool, "name"),
    (Kind::Profile, "inbox.views.name"),
    (Kind::Profile, "name"),
    (Kind::Queue, "name"),
    (Kind::Script, "name"),
    (Kind::Script, "steps.name"),
    (Kind::SecurityRole, "name"),
    (Kind::SessionTemplate, "name"),
    (Kind::SmartAssistConfiguration, "name"),
    (Kind::User, "displayName"),
    (Kind::VoiceProfile, "name"),
    (Kind::Workstream, "name"),
];

/// Lists of words that are compared letter by letter, and that are not names of items.
pub const WORDS: &[(Kind, &str)] =
    &[(Kind::App, "outOfTheBox.licences"), (Kind::PaneTool, "requires.licences"), (Kind::User, "licences")];

/// Attributes that name a language.
const LANGUAGES: &[(Kind, &str)] = &[
    (Kind::Environment, "baseLanguage"),
    (Kind::Script, "language"),
    (Kind::User, "language"),
    (Kind::VoiceProfile, "language"),
];

/// A fault of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text has no visible character.
    Blank,
    /// The word is empty, or has a blank at an end.
    NoWord,
    /// The number is not the number of a language.
    NoLanguage,
}

/// Tells whether `number` can be the number of a language.
pub fn is_language(number: u32) -> bool {
    (1..=LANGUAGE_MAX).contains(&number)
}

/// Tells whether `text` has a visible character.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_unseen(c))
}

/// Tells whether `text` can be a word of [`WORDS`].
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

/// Returns the faults of the words and languages of an item of `kind`, attribute by attribute.
pub(super) fn faults(kind: Kind, item: &Value) -> Vec<(String, Fault)> {
    let mut found = Vec::new();
    for (_, attribute) in SHOWN.iter().filter(|(of, _)| *of == kind) {
        go(item, attribute, String::new(), &mut |at, value| {
            let text = value.as_str().or_else(|| value.get("default")?.as_str());
            if text.is_some_and(|text| !is_visible(text)) {
                found.push((at, Fault::Blank));
            }
        });
    }
    for (_, attribute) in WORDS.iter().filter(|(of, _)| *of == kind) {
        go(item, attribute, String::new(), &mut |at, value| {
            if value.as_str().is_some_and(|text| !is_word(text)) {
                found.push((at, Fault::NoWord));
            }
        });
    }
    for (_, attribute) in LANGUAGES.iter().filter(|(of, _)| *of == kind) {
        go(item, attribute, String::new(), &mut |at, value| {
            if value.as_u64().is_some_and(|number| !u32::try_from(number).is_ok_and(is_language)) {
                found.push((at, Fault::NoLanguage));
            }
        });
    }
    found
}

/// Visits every value that `attribute` leads to below `value`, whose path is `at`.
fn go(value: &Value, attribute: &str, at: String, visit: &mut dyn FnMut(String, &Value)) {
    if let Value::Array(list) = value {
        for (index, value) in list.iter().enumerate() {
            go(value, attribute, format!("{at}[{index}]"), visit);
        }
        return;
    }
    if attribute.is_empty() {
        return visit(at, value);
    }
    let (first, rest) = attribute.split_once('.').unwrap_or((attribute, ""));
    if let Some(value) = value.get(first) {
        let dot = if at.is_empty() { "" } else { "." };
        go(value, rest, format!("{at}{dot}{first}"), visit);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_nobody_sees_a_word_that_is_none_and_a_number_that_is_no_language_are_named() {
        let found = |kind, item| faults(kind, &item).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        for (kind, item, expected) in [
            (Kind::Queue, json!({"name": ""}), &["name"][..]),
            (Kind::Queue, json!({"name": " \u{200b}\t"}), &["name"]),
            (Kind::Queue, json!({"name": {"default": " ", "labels": {"1036": "x"}}}), &["name"]),
            (Kind::Queue, json!({"name": "0"}), &[]),
            (Kind::User, json!({"displayName": "", "language": 0}), &["displayName", "language"]),
            (Kind::User, json!({"displayName": "Ada", "language": 1033}), &[]),
            (
                Kind::User,
                json!({"displayName": "Ada", "licences": ["", " x", "x\u{a0}", "a\tb", "digital messaging"]}),
                &["licences[0]", "licences[1]", "licences[2]", "licences[3]"],
            ),
            (Kind::App, json!({"name": "A", "outOfTheBox": [{"licences": ["x "]}]}), &["outOfTheBox[0].licences[0]"]),
            (Kind::PaneTool, json!({"name": "A", "requires": {"licences": [""]}}), &["requires.licences[0]"]),
            (
                Kind::Script,
                json!({"name": "A", "language": 70_000, "steps": [{"name": "a"}, {"name": ""}]}),
                &["steps[1].name", "language"],
            ),
        ] {
            assert_eq!(found(kind, item.clone()), expected, "{item}");
        }
    }
}
