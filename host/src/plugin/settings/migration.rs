//! Settings in an old form made into settings in a new one, as a manifest says: by a bounded list of operations, and by
//! no code of the plugin.
//!
//! Refuses an operation that would lose something: a target that is there already, a way through what is no object.
//! What it makes is not held against any schema here.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::domain::PluginVersion;

/// Most keys of a pointer.
const POINTER_DEPTH: usize = 8;

/// Most bytes of a pointer.
const POINTER_BYTES: usize = 512;

/// Most levels of settings that a migration makes.
const SETTINGS_DEPTH: usize = 32;

/// Most bytes of settings that a migration makes, as JSON.
const SETTINGS_BYTES: usize = 64 << 10;

/// A place within settings, as RFC 6901 writes it, such as `/offers/most`. Never the settings as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

/// A text that is no place within settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a JSON pointer to an attribute is expected, such as `/offers/most`, of {POINTER_DEPTH} keys and {POINTER_BYTES} bytes at most"
)]
pub struct InvalidPointer;

impl FromStr for Pointer {
    type Err = InvalidPointer;

    fn from_str(text: &str) -> Result<Self, InvalidPointer> {
        let rest = text.strip_prefix('/').filter(|_| text.len() <= POINTER_BYTES).ok_or(InvalidPointer)?;
        let keys = rest.split('/').map(unescaped).collect::<Option<Vec<_>>>().ok_or(InvalidPointer)?;
        if keys.len() <= POINTER_DEPTH { Ok(Self(keys)) } else { Err(InvalidPointer) }
    }
}

/// A key as it is, of one as a pointer writes it.
fn unescaped(key: &str) -> Option<String> {
    let mut parts = key.split('~');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (sign, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (None, Some(rest)) => ('/', rest),
            (None, None) => return None,
        };
        plain.push(sign);
        plain.push_str(rest);
    }
    Some(plain)
}

/// A key as a pointer writes it.
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| write!(f, "/{}", escaped(key)))
    }
}

impl Pointer {
    /// Whether it leads to `other` or to something within it.
    pub(in crate::plugin) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The place of that name beside it.
    fn beside(&self, name: &str) -> Self {
        let mut keys = self.0.clone();
        keys.pop();
        keys.push(name.to_owned());
        Self(keys)
    }

    fn split(&self) -> (&[String], &str) {
        self.0.split_last().map_or((&[], ""), |(last, way)| (way, last))
    }
}

/// One thing that is done to settings in an old form.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// An attribute gets another name, and stays where it is.
    Rename {
        /// The attribute.
        from: Pointer,
        /// Its new name.
        to: String,
    },
    /// An attribute gets another place. Objects on the way there are made.
    Move {
        /// The attribute.
        from: Pointer,
        /// Its new place.
        to: Pointer,
    },
    /// An attribute goes.
    Remove(Pointer),
    /// An attribute gets a value.
    Set {
        /// The attribute. Objects on the way there are made.
        at: Pointer,
        /// The value.
        value: Value,
        /// Whether it takes the place of a value that is there.
        always: bool,
    },
    /// Texts become other values: the attribute, or each element if it is a list.
    Map {
        /// The attribute.
        at: Pointer,
        /// The new values, by the old texts. What is not here stays.
        values: BTreeMap<String, Value>,
    },
}

/// What becomes of settings that were written for versions up to some version.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// As the manifest says it, such as `1`.
    pub from: String,
    /// The first version whose settings have the new form.
    pub until: PluginVersion,
    /// What is done, in this order.
    pub operations: Vec<Operation>,
    /// Settings of then, and what this version makes of them.
    pub examples: Vec<(Map<String, Value>, Map<String, Value>)>,
}

/// `settings` that were written for the version `from`, as the last of `migrations` leaves them; the reason if that is
/// not possible. Nothing if none of them is for that version.
pub fn migrate(
    migrations: &[Migration],
    from: PluginVersion,
    settings: &Map<String, Value>,
) -> Option<Result<Map<String, Value>, String>> {
    let mut wanted = migrations.iter().filter(|migration| from < migration.until).peekable();
    wanted.peek()?;
    Some(carry_out(wanted, settings))
}

/// `settings` after the operations of `migrations`, one after the other.
pub(in crate::plugin) fn carry_out<'a>(
    migrations: impl IntoIterator<Item = &'a Migration>,
    settings: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut made = Value::Object(settings.clone());
    for Migration { from, operations, .. } in migrations {
        for operation in operations {
            operation.apply(&mut made).map_err(|reason| format!("the migration from `{from}` stops: {reason}"))?;
        }
    }
    let (depth, bytes) = (depth(&made), made.to_string().len());
    if depth > SETTINGS_DEPTH || bytes > SETTINGS_BYTES {
        return Err(format!(
            "the migration makes {bytes} bytes of {depth} levels, and settings have {SETTINGS_BYTES} bytes and {SETTINGS_DEPTH} levels at most"
        ));
    }
    match made {
        Value::Object(made) => Ok(made),
        _ => Err("the migration makes no object".to_owned()),
    }
}

/// How many levels there are; a text has one.
fn depth(value: &Value) -> usize {
    let within = match value {
        Value::Object(members) => members.values().map(depth).max(),
        Value::Array(elements) => elements.iter().map(depth).max(),
        _ => None,
    };
    1 + within.unwrap_or_default()
}

impl Operation {
    fn apply(&self, settings: &mut Value) -> Result<(), String> {
        match self {
            Self::Rename { from, to } => relocate(settings, from, &from.beside(to)),
            Self::Move { from, to } => relocate(settings, from, to),
            Self::Remove(at) => {
                take(settings, at);
                Ok(())
            }
            Self::Set { at, value, always } => match find(settings, at) {
                Some(there) if *always => {
                    *there = value.clone();
                    Ok(())
                }
                Some(_) => Ok(()),
                None => put(settings, at, value.clone()),
            },
            Self::Map { at, values } => {
                let map = |value: &mut Value| {
                    if let Some(new) = value.as_str().and_then(|old| values.get(old)) {
                        *value = new.clone();
                    }
                };
                match find(settings, at) {
                    Some(Value::Array(elements)) => elements.iter_mut().for_each(map),
                    Some(value) => map(value),
                    None => {}
                }
                Ok(())
            }
        }
    }
}

/// Moves what is at `from`, if anything is.
fn relocate(settings: &mut Value, from: &Pointer, to: &Pointer) -> Result<(), String> {
    if find(settings, to).is_some() && find(settings, from).is_some() {
        return Err(format!("`{from}` cannot become `{to}`, which is there already"));
    }
    take(settings, from).map_or(Ok(()), |value| put(settings, to, value))
}

fn find<'a>(settings: &'a mut Value, at: &Pointer) -> Option<&'a mut Value> {
    at.0.iter().try_fold(settings, |value, key| child(value, key))
}

fn child<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => members.get_mut(key),
        Value::Array(elements) => elements.get_mut(index(key)?),
        _ => None,
    }
}

/// The place of an element, of a key that names one.
fn index(key: &str) -> Option<usize> {
    let plain = key == "0" || !key.starts_with('0');
    key.parse().ok().filter(|_| plain && key.bytes().all(|byte| byte.is_ascii_digit()))
}

fn take(settings: &mut Value, at: &Pointer) -> Option<Value> {
    let (way, last) = at.split();
    match way.iter().try_fold(settings, |value, key| child(value, key))? {
        // The others keep their order.
        Value::Object(members) => members.shift_remove(last),
        Value::Array(elements) => index(last).filter(|at| *at < elements.len()).map(|at| elements.remove(at)),
        _ => None,
    }
}

/// Puts a value where none is. Objects on the way there are made.
fn put(settings: &mut Value, at: &Pointer, value: Value) -> Result<(), String> {
    let (way, last) = at.split();
    let mut parent = settings;
    for key in way {
        if let Value::Object(members) = parent {
            parent = members.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()));
        } else {
            parent = child(parent, key).ok_or_else(|| blocked(at))?;
        }
    }
    match parent {
        Value::Object(members) => {
            members.insert(last.to_owned(), value);
            Ok(())
        }
        _ => Err(blocked(at)),
    }
}

fn blocked(at: &Pointer) -> String {
    format!("there is no object on the way to `{at}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Pointer {
        text.parse().unwrap()
    }

    fn migration(from: &str, until: &str, operations: Vec<Operation>) -> Migration {
        Migration { from: from.to_owned(), until: until.parse().unwrap(), operations, examples: Vec::new() }
    }

    fn done(operation: Operation, settings: Value) -> String {
        let Value::Object(settings) = settings else { unreachable!() };
        let made = carry_out([&migration("1", "2.0.0", vec![operation])], &settings);
        made.map_or_else(|reason| reason, |made| Value::Object(made).to_string())
    }

    #[test]
    fn each_operation_does_what_it_says_and_loses_nothing() {
        let (set, map) = (json!(7), BTreeMap::from([("quick".to_owned(), json!("fast"))]));
        let rename = |from: &str, to: &str| Operation::Rename { from: at(from), to: to.to_owned() };
        let relocate = |from: &str, to: &str| Operation::Move { from: at(from), to: at(to) };
        let put = |to: &str, always| Operation::Set { at: at(to), value: set.clone(), always };
        let values = |to: &str| Operation::Map { at: at(to), values: map.clone() };
        for (operation, settings, expected) in [
            (rename("/a", "b"), json!({"a": 1, "c": 2}), r#"{"c":2,"b":1}"#),
            (rename("/a", "b"), json!({"c": 2}), r#"{"c":2}"#),
            (rename("/in/a", "b"), json!({"in": {"a": 1}}), r#"{"in":{"b":1}}"#),
            (
                rename("/a", "b"),
                json!({"a": 1, "b": 2}),
                "the migration from `1` stops: `/a` cannot become `/b`, which is there already",
            ),
            (rename("/x~1y", "b"), json!({"x/y": 1}), r#"{"b":1}"#),
            (relocate("/a", "/in/deep/a"), json!({"a": 1}), r#"{"in":{"deep":{"a":1}}}"#),
            (relocate("/list/1", "/a"), json!({"list": [1, 2, 3]}), r#"{"list":[1,3],"a":2}"#),
            (
                relocate("/a", "/b/c"),
                json!({"a": 1, "b": true}),
                "the migration from `1` stops: there is no object on the way to `/b/c`",
            ),
            (
                relocate("/a", "/list/3"),
                json!({"a": 1, "list": []}),
                "the migration from `1` stops: there is no object on the way to `/list/3`",
            ),
            (Operation::Remove(at("/a")), json!({"a": {"b": 1}}), "{}"),
            (Operation::Remove(at("/a/b")), json!({"a": 1}), r#"{"a":1}"#),
            (Operation::Remove(at("/list/01")), json!({"list": [1, 2]}), r#"{"list":[1,2]}"#),
            (put("/a/b", false), json!({}), r#"{"a":{"b":7}}"#),
            (put("/a", false), json!({"a": 1}), r#"{"a":1}"#),
            (put("/a", true), json!({"a": 1}), r#"{"a":7}"#),
            (values("/a"), json!({"a": "quick"}), r#"{"a":"fast"}"#),
            (values("/a"), json!({"a": "slow"}), r#"{"a":"slow"}"#),
            (values("/a"), json!({"a": ["quick", "slow", 1]}), r#"{"a":["fast","slow",1]}"#),
            (values("/a"), json!({}), "{}"),
        ] {
            assert_eq!(done(operation.clone(), settings.clone()), expected, "{operation:?} of {settings}");
        }
    }

    #[test]
    fn what_is_no_place_within_settings_is_refused() {
        let deep = "/a".repeat(POINTER_DEPTH);
        assert_eq!(at(&deep).to_string(), deep);
        assert_eq!(at("/a~0~1b/").to_string(), "/a~0~1b/");
        let long = format!("/{}", "a".repeat(POINTER_BYTES));
        for text in ["", "a", "a/b", "#/a", "/a~", "/a~2", &format!("{deep}/a"), &long] {
            assert_eq!(text.parse::<Pointer>(), Err(InvalidPointer), "{text}");
        }
    }

    #[test]
    fn those_apply_that_are_for_the_version_before_one_after_the_other() {
        let step = |name: &str| Operation::Set { at: at("/seen"), value: json!(name), always: true };
        let both = [
            migration("1", "2.0.0", vec![Operation::Rename { from: at("/a"), to: "b".to_owned() }, step("1")]),
            migration("2.3", "2.4.0", vec![Operation::Rename { from: at("/b"), to: "c".to_owned() }, step("2.3")]),
        ];
        let of = |version: &str, settings: Value| {
            let Value::Object(settings) = settings else { unreachable!() };
            migrate(&both, version.parse().unwrap(), &settings).map(|made| Value::Object(made.unwrap()))
        };
        for version in ["0.9.0", "1.0.0", "1.9.9"] {
            assert_eq!(of(version, json!({"a": 1})), Some(json!({"c": 1, "seen": "2.3"})), "{version}");
        }
        for version in ["2.0.0", "2.3.9"] {
            assert_eq!(of(version, json!({"a": 1, "b": 2})), Some(json!({"a": 1, "c": 2, "seen": "2.3"})));
        }
        assert_eq!(of("2.4.0", json!({"b": 2})), None);
    }

    #[test]
    fn nothing_larger_or_deeper_is_made_than_settings_may_be() {
        let long = Operation::Set { at: at("/a"), value: json!("x".repeat(SETTINGS_BYTES)), always: true };
        assert!(done(long, json!({})).starts_with("the migration makes 65544 bytes of 2 levels"));
        // Each move takes all there is some levels deeper.
        let (there, back) = (at("/b/b/b/b/b/b/b/b"), at("/a"));
        let deeper = (0..20).flat_map(|_| {
            let down = Operation::Move { from: back.clone(), to: there.clone() };
            [down, Operation::Rename { from: at("/b"), to: "a".to_owned() }]
        });
        let settings = Map::from_iter([("a".to_owned(), json!(1))]);
        let made = carry_out([&migration("1", "2.0.0", deeper.collect())], &settings);
        assert!(made.unwrap_err().contains("of 142 levels"));
    }
}
