//! The bounds of an item and of a library, whichever way they come: a write, a patch, a copy, an import, an upgrade.
//!
//! One set of bounds for all kinds, checked on the JSON form, so that a new attribute has bounds at once. Texts also
//! have the limits of their columns. Refuses an item that breaks a bound, unless the item that it replaces broke the
//! bound as much: an item from an older host can be read, and made smaller in steps. Free JSON, and definitions of
//! workflows, are bounded as a whole.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::{AnyItem, Kind, Problem, wording};

/// Most bytes of an item, as JSON without blanks.
pub const ITEM_BYTES_MAX: usize = 256 << 10;
/// Most bytes of a macro, a session template, a profile or a plugin: each may hold a text of a million characters, or
/// many settings.
pub const LONG_ITEM_BYTES_MAX: usize = 1536 << 10;
/// Most values of an item. A macro of a hundred steps has some thousand.
pub const VALUES_MAX: usize = 20_000;
/// Most values of an expression that chooses a script. It is evaluated for each session of its template, within the
/// deadline of a rule; a condition has four.
pub const EXPRESSION_VALUES_MAX: usize = 1_000;
/// Most bytes of the columns without a meaning here that an item keeps, their names included.
pub const KEPT_BYTES_MAX: usize = 64 << 10;
/// Most entries of a list, or members of an object, that has no bound of its own.
pub const LIST_MAX: usize = 1_000;
/// Most languages of a text.
pub const LABELS_MAX: usize = 200;

/// Most items of all kinds together, people left out.
pub const LIBRARY_ITEMS_MAX: usize = 10_000;
/// Most bytes of all items together, as JSON without blanks, people left out.
pub const LIBRARY_BYTES_MAX: usize = 64 << 20;

/// Lists with a bound of their own, by kind and attribute.
pub const LISTS: &[(Kind, &str, usize)] = &[
    (Kind::App, "aliases", 100),
    (Kind::App, "outOfTheBox", 100),
    (Kind::ApplicationTabTemplate, "parameters", 100),
    (Kind::PaneTool, "requires.licences", 100),
    (Kind::PaneTool, "requires.roles", 100),
    (Kind::Profile, "applicationExtensions", 100),
    (Kind::Profile, "apps", 100),
    (Kind::Profile, "channels.providers", 100),
    (Kind::Profile, "inbox.views", 100),
    (Kind::Profile, "productivityPane.tools", 100),
    (Kind::Profile, "smartAssist", 100),
    (Kind::RankAndRoles, "roles", 100),
    (Kind::Script, "steps", 500),
    (Kind::SecurityRole, "includes", 200),
    (Kind::SessionTemplate, "scripts", 100),
    (Kind::SessionTemplate, "tabs", 100),
    (Kind::User, "licences", 100),
    (Kind::User, "roles", 200),
    (Kind::Workstream, "smartAssistBots", 100),
];

/// The smallest bound of a list: a list within it is not checked further.
const SMALLEST_LIST: usize = 100;

/// Attributes that hold free JSON or the definition of a workflow, wherever in an item of the kind they are.
const FREE: &[(Kind, &[&str])] = &[
    (Kind::Macro, &["definition"]),
    (Kind::Plugin, &["configuration", "default"]),
    (Kind::Profile, &["filters", "settings"]),
    (Kind::SessionTemplate, &["expression"]),
];

/// Most problems of one item that a refusal names.
const PROBLEMS_MAX: usize = 20;

/// Longest part of a path that a message shows, in characters.
const SHOWN: usize = 60;

/// Returns the most items of a kind; nothing for people, whose number only the disk limits.
pub fn items_max(kind: Kind) -> Option<usize> {
    match kind {
        Kind::User => None,
        Kind::App | Kind::Plugin => Some(500),
        Kind::Profile | Kind::RankAndRoles => Some(1_000),
        _ => Some(5_000),
    }
}

/// Returns the bounds that `item` breaks. Passes over a bound that `before`, the item that it replaces, broke as much.
pub fn check(item: &AnyItem, before: Option<&AnyItem>) -> Vec<Problem> {
    let mut excesses = excesses(item);
    if !excesses.is_empty()
        && let Some(before) = before
    {
        let was: BTreeMap<(String, What), usize> =
            self::excesses(before).into_iter().map(|it| ((it.attribute, it.what), it.count)).collect();
        // A map has no look-up by a borrowed pair.
        excesses.retain(|it| was.get(&(it.attribute.clone(), it.what)).is_none_or(|was| *was < it.count));
    }
    excesses.into_iter().take(PROBLEMS_MAX).map(Excess::problem).collect()
}

/// The bound that an item breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Bytes,
    Values,
    ExpressionValues,
    KeptBytes,
    Entries,
    /// Characters that control terminals and printers, U+0000 to U+001F, which no document may carry.
    Controls,
    /// Further control characters, which documents can carry: content that exists elsewhere may have them.
    LateControls,
    /// Texts without a visible character.
    Blanks,
    /// Words that are empty or have a blank at an end.
    NoWords,
    /// Numbers that are not the number of a language.
    NoLanguages,
}

struct Excess {
    attribute: String,
    what: What,
    count: usize,
    max: usize,
}

impl Excess {
    fn problem(self) -> Problem {
        let Self { attribute, what, count, max } = self;
        let message = match what {
            What::Bytes => format!("the item has {count} bytes of JSON, {max} are the most: shorten it, or split it"),
            What::Values => format!("the item has {count} values, {max} are the most: shorten it, or split it"),
            What::ExpressionValues => {
                format!("the expression has {count} values, {max} are the most: use fewer conditions and actions")
            }
            What::KeptBytes => format!("the columns kept here have {count} bytes, {max} are the most: leave some out"),
            What::Entries => format!("it has {count} entries, {max} are the most: leave some out"),
            What::Controls | What::LateControls => {
                "it has a control character other than tab, line feed and carriage return: take it out".to_owned()
            }
            What::Blanks => "the text has no visible character: give it one".to_owned(),
            What::NoWords => "it is empty, or has a blank at an end or a line break: write it without".to_owned(),
            What::NoLanguages => {
                format!("this is no language: use a number of 1 to {}, such as 1033", wording::LANGUAGE_MAX)
            }
        };
        let tolerable = matches!(what, What::LateControls | What::Blanks | What::NoWords | What::NoLanguages);
        Problem { attribute, message, tolerable }
    }
}

fn excesses(item: &AnyItem) -> Vec<Excess> {
    let kind = item.kind();
    let json = item.to_json();
    let text = json.to_string();
    let mut walk = Walk { kind, path: Vec::new(), found: Vec::new() };
    let bytes_max = match kind {
        Kind::Macro | Kind::Plugin | Kind::Profile | Kind::SessionTemplate => LONG_ITEM_BYTES_MAX,
        _ => ITEM_BYTES_MAX,
    };
    walk.hold(What::Bytes, text.len(), bytes_max);
    let values = values(text.as_bytes()) + values_of_texts(item);
    walk.hold(What::Values, values, VALUES_MAX);
    if let AnyItem::SessionTemplate(template) = item
        && let Some(default) = &template.default_script
    {
        walk.path = ["defaultScript", "expression"].map(Step::Key).into();
        let of_expression = self::values(default.expression.as_str().as_bytes());
        walk.hold(What::ExpressionValues, of_expression, EXPRESSION_VALUES_MAX);
        walk.path.clear();
    }
    // An item with too many values is not checked further.
    if values <= VALUES_MAX {
        walk.value(&json);
        walk.found.extend(wording::faults(kind, &json).into_iter().map(|(attribute, fault)| {
            let what = match fault {
                wording::Fault::Blank => What::Blanks,
                wording::Fault::NoWord => What::NoWords,
                wording::Fault::NoLanguage => What::NoLanguages,
            };
            Excess { attribute, what, count: 1, max: 0 }
        }));
    }
    walk.found
}

/// Counts the values of definitions, which the JSON form of an item may hold as texts.
fn values_of_texts(item: &AnyItem) -> usize {
    let definition = match item {
        AnyItem::Macro(it) => Some(&it.definition),
        AnyItem::SessionTemplate(it) => it.default_script.as_ref().map(|default| &default.expression),
        _ => None,
    };
    definition.map_or(0, |definition| values(definition.as_str().as_bytes()))
}

/// Counts at least the values of a JSON document: each value but the first stands behind a comma, a bracket or a brace.
pub fn values(text: &[u8]) -> usize {
    let (mut count, mut within, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            b',' | b'[' | b'{' if !within => count += 1,
            _ => {}
        }
    }
    count
}

/// A walk through the JSON form of an item.
struct Walk<'a> {
    kind: Kind,
    path: Vec<Step<'a>>,
    found: Vec<Excess>,
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Array(list) => {
                self.list(list.len());
                for (index, value) in list.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.value(value);
                    self.path.pop();
                }
            }
            Value::Object(object) => {
                self.list(object.len());
                if self.is_at(&["source", "attributes"]) {
                    let bytes = object.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
                    self.hold(What::KeptBytes, bytes, KEPT_BYTES_MAX);
                }
                let are_labels = matches!(self.path.last(), Some(Step::Key("labels")));
                for (key, value) in object {
                    self.path.push(Step::Key(key));
                    self.text(key);
                    if are_labels && !key.parse().is_ok_and(wording::is_language) {
                        self.hold(What::NoLanguages, 1, 0);
                    }
                    if !self.is_free() {
                        self.value(value);
                    }
                    self.path.pop();
                }
            }
            Value::String(text) => self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn list(&mut self, count: usize) {
        if count > SMALLEST_LIST {
            self.hold(What::Entries, count, self.list_max());
        }
    }

    fn list_max(&self) -> usize {
        let keys: Vec<&str> = self.keys().collect();
        if keys.last() == Some(&"labels") {
            return LABELS_MAX;
        }
        let path = keys.join(".");
        let own = LISTS.iter().find(|(kind, attribute, _)| *kind == self.kind && *attribute == path);
        own.map_or(LIST_MAX, |(_, _, max)| *max)
    }

    fn text(&mut self, text: &str) {
        let (mut controls, mut late) = (0, 0);
        for c in text.chars().filter(|c| c.is_control()) {
            match c {
                '\t' | '\n' | '\r' => {}
                '\0'..='\u{1f}' => controls += 1,
                _ => late += 1,
            }
        }
        self.hold(What::Controls, controls, 0);
        self.hold(What::LateControls, late, 0);
    }

    fn hold(&mut self, what: What, count: usize, max: usize) {
        if count > max {
            let attribute = self.attribute();
            self.found.push(Excess { attribute, what, count, max });
        }
    }

    fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        })
    }

    fn is_at(&self, keys: &[&str]) -> bool {
        self.path.len() == keys.len() && self.keys().eq(keys.iter().copied())
    }

    fn is_free(&self) -> bool {
        let Some(Step::Key(last)) = self.path.last() else { return false };
        FREE.iter().any(|(kind, attributes)| *kind == self.kind && attributes.contains(last))
    }

    /// Returns the path for a message, such as `tabs[0].template`, with control characters escaped.
    fn attribute(&self) -> String {
        let mut attribute = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => attribute.push_str(&format!("[{index}]")),
                Step::Key(key) => {
                    let dot = if attribute.is_empty() { "" } else { "." };
                    attribute.push_str(dot);
                    attribute.push_str(&shown(key));
                }
            }
        }
        attribute
    }
}

fn shown(key: &str) -> Cow<'_, str> {
    let is_plain = key.len() <= SHOWN && !key.contains(char::is_control);
    if is_plain { key.into() } else { key.chars().take(SHOWN).flat_map(char::escape_debug).collect::<String>().into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(kind: Kind, json: Value) -> AnyItem {
        AnyItem::parse(kind, "contoso_x", json).unwrap()
    }

    /// Returns the problems of an item that replaces none.
    fn told(kind: Kind, json: Value) -> String {
        let problems = check(&item(kind, json), None);
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn names(count: usize) -> Value {
        (0..count).map(|number| format!("contoso_{number}")).collect()
    }

    fn members(count: usize, value: &str) -> Value {
        (0..count).map(|number| (format!("k{number}"), Value::from(value))).collect::<serde_json::Map<_, _>>().into()
    }

    #[test]
    fn every_list_is_taken_up_to_its_bound_and_no_further() {
        type Make = fn(usize) -> Value;
        let cases: &[(Kind, usize, Make)] = &[
            (Kind::App, 100, |count| json!({"name": "x", "aliases": names(count)})),
            (Kind::Profile, 100, |count| json!({"name": "x", "apps": names(count)})),
            (Kind::Profile, LIST_MAX, |count| json!({"name": "x", "sessionTemplates": names(count)})),
            (
                Kind::ApplicationTabTemplate,
                100,
                |count| json!({"name": "x", "pageType": "dashboard", "parameters": members(count, "{a}")}),
            ),
            (Kind::SessionTemplate, 100, |count| {
                let tabs: Value = (0..count).map(|number| json!({"template": format!("contoso_{number}")})).collect();
                json!({"name": "x", "kind": "generic", "tabs": tabs})
            }),
            (Kind::RankAndRoles, 100, |count| json!({"rank": 1, "roles": names(count)})),
            (Kind::Queue, 200, |count| {
                let labels: serde_json::Map<_, _> =
                    (1..=count).map(|language| (language.to_string(), json!("y"))).collect();
                json!({"name": {"default": "x", "labels": labels}})
            }),
            (Kind::Environment, LIST_MAX, |count| {
                let switches: serde_json::Map<_, _> = (0..count).map(|at| (at.to_string(), json!(true))).collect();
                json!({"tenantSwitches": switches})
            }),
        ];
        for (kind, max, make) in cases {
            assert_eq!(told(*kind, make(*max)), "", "{kind}");
            let one_more = told(*kind, make(max + 1));
            assert!(
                one_more.ends_with(&format!("it has {} entries, {max} are the most: leave some out", max + 1)),
                "{one_more}"
            );
        }
        let aliases = told(Kind::App, json!({"name": "x", "aliases": names(101)}));
        insta::assert_snapshot!(aliases, @"`aliases`: it has 101 entries, 100 are the most: leave some out");
        assert!(LISTS.iter().all(|(_, _, max)| *max >= SMALLEST_LIST) && LABELS_MAX >= SMALLEST_LIST);
    }

    #[test]
    fn every_bound_of_a_list_is_about_an_attribute_there_is() {
        for (kind, attribute, _) in LISTS {
            let first = attribute.split('.').next().unwrap();
            assert!(kind.attributes().iter().any(|known| known == first), "{kind} has no `{attribute}`");
        }
    }

    #[test]
    fn an_item_has_so_many_bytes_and_values_and_kept_columns_and_no_more() {
        let queue = |attributes: Value| json!({"name": "x", "source": {"attributes": attributes}});
        let kept = |bytes: usize| queue(json!({ "ab": "y".repeat(bytes - 2) }));
        assert_eq!(told(Kind::Queue, kept(KEPT_BYTES_MAX)), "");
        insta::assert_snapshot!(told(Kind::Queue, kept(KEPT_BYTES_MAX + 1)), @"`source.attributes`: the columns kept here have 65537 bytes, 65536 are the most: leave some out");
        let long = told(Kind::Queue, kept(ITEM_BYTES_MAX));
        assert!(long.starts_with("the item has 262204 bytes of JSON, 262144 are the most"), "{long}");
        let of = |definition: Value| json!({"name": "x", "definition": definition});
        let actions = |count: usize| json!({ "actions": vec![0; count] });
        assert_eq!(told(Kind::Macro, of(actions(5_000))), "", "definitions have no bound of lists");
        assert!(told(Kind::Macro, of(actions(VALUES_MAX))).starts_with("the item has "));
        // Kept as a text, because writing it anew would change its bytes.
        let as_text = Value::from(format!("{{ \"actions\": [{}0] }}", "0,".repeat(VALUES_MAX)));
        assert!(told(Kind::Macro, of(as_text)).contains(" values, 20000 are the most"));
        let template = |conditions: usize| {
            let conditions: Value =
                (0..conditions).map(|at| json!({"equals": [format!("${{anchor.{at}}}"), ""]})).collect();
            let only = json!({"type": "If", "expression": {"and": conditions}, "actions": {}, "runAfter": {}});
            let expression = json!({"definition": {"actions": {"only": only}}});
            json!({"name": "x", "kind": "generic", "defaultScript": {"enabled": true, "expression": expression}})
        };
        assert_eq!(told(Kind::SessionTemplate, template(200)), "");
        insta::assert_snapshot!(told(Kind::SessionTemplate, template(1_000)), @"`defaultScript.expression`: the expression has 4011 values, 1000 are the most: use fewer conditions and actions");
        let longest = of(json!({ "a": "x".repeat(1_048_000) }));
        assert_eq!(told(Kind::Macro, longest), "", "what fits its column is taken");
    }

    #[test]
    fn licences_are_written_as_names_are_and_those_that_were_not_may_stay() {
        let person = |licence: &str| item(Kind::User, json!({ "displayName": "Ada", "licences": [licence] }));
        assert_eq!(told(Kind::User, json!({ "displayName": "Ada", "licences": ["chat", "digital messaging"] })), "");
        insta::assert_snapshot!(told(Kind::User, json!({ "displayName": "Ada", "licences": [" x"] })), @"`licences[0]`: it is empty, or has a blank at an end or a line break: write it without");
        let problems = check(&person(""), None);
        assert!(problems.iter().all(|problem| problem.tolerable) && problems.len() == 1, "{problems:?}");
        assert_eq!(check(&person(" x"), Some(&person(""))), []);
    }

    #[test]
    fn texts_are_no_values() {
        assert_eq!(values(br#"{"a,[{": "\\\",[", "b": [1, 2]}"#), 5);
        assert_eq!(values(b"1"), 1);
    }

    #[test]
    fn control_characters_are_refused_in_texts_and_keys_but_those_that_lay_text_out() {
        let queue = |name: &str| json!({ "name": name });
        assert_eq!(told(Kind::Queue, queue("a\tb\r\nc é 日本 👩‍👧")), "");
        for (name, tolerable) in [("\u{1b}[2J", false), ("a\0", false), ("a\u{7f}", true), ("a\u{9b}2J", true)] {
            let problems = check(&item(Kind::Queue, queue(name)), None);
            let found: Vec<_> = problems.iter().map(|it| (it.attribute.as_str(), it.tolerable)).collect();
            assert_eq!(found, [("name", tolerable)], "{name:?}");
        }
        let key = told(Kind::Queue, json!({"name": "x", "source": {"attributes": {"a\u{1b}c": "y"}}}));
        insta::assert_snapshot!(key, @r"`source.attributes.a\u{1b}c`: it has a control character other than tab, line feed and carriage return: take it out");
        let keys: serde_json::Map<_, _> = (0..500).map(|at| (format!("{at}\u{1b}"), json!("y"))).collect();
        let many = check(&item(Kind::Queue, json!({"name": "x", "source": {"attributes": keys}})), None);
        assert_eq!(many.len(), PROBLEMS_MAX, "an answer lists some of them");
        let definition = json!({"name": "x", "definition": {"a": "\u{1b}"}});
        assert_eq!(told(Kind::Macro, definition), "", "definitions are kept letter by letter");
    }

    #[test]
    fn what_an_older_host_took_can_be_mended_in_steps_and_not_made_worse() {
        let app = |count: usize| item(Kind::App, json!({"name": "x", "aliases": names(count)}));
        let refused = |count: usize| !check(&app(count), Some(&app(300))).is_empty();
        assert_eq!([refused(300), refused(200), refused(301)], [false, false, true]);
        assert!(!check(&app(101), Some(&app(100))).is_empty());
    }
}
