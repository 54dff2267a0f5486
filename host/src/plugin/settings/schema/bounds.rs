//! What a settings schema may be, found out by one walk before any library works on it.
//!
//! A schema is short, and can still stand for very much: a reference is followed wherever it stands, so each of thirty
//! definitions that names the next one twice doubles it. Counted is therefore what it comes to with all references
//! followed. Refuses what leads back to itself, what leads elsewhere, and whatever gives a part of it another name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Longest schema, in bytes of its text.
pub(in crate::plugin) const BYTES: usize = 16 << 10;

/// Most levels of objects and lists in each other, in the schema and in each definition.
pub(super) const NESTING: usize = 32;

/// Most definitions.
pub(super) const DEFINITIONS: usize = 64;

/// Most references that lead one to the next.
pub(super) const CHAIN: u64 = 16;

/// Most values, references followed.
pub(super) const VALUES: u64 = 5_000;

/// Most levels, references followed.
pub(super) const EXPANDED_NESTING: u64 = 128;

/// Most patterns, references followed.
pub(super) const PATTERNS: u64 = 64;

/// Longest pattern, in bytes.
pub(super) const PATTERN_BYTES: usize = 256;

/// What `unevaluated…` costs: the library looks at everything beside it and below it again, so each of them that stands
/// in another multiplies.
const AGAIN: u64 = 4;

/// Where definitions are.
const DEFINED: [&str; 2] = ["$defs", "definitions"];

/// Keywords whose members are schemas under names of the author's.
const NAMED: [&str; 5] = ["properties", "dependentSchemas", "dependencies", "$defs", "definitions"];

/// Keywords whose values are data and no schemas.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

/// Keywords that give a schema another name, or lead to one by such a name.
const RENAMING: [&str; 8] =
    ["$id", "id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "$vocabulary"];

/// What a schema comes to, all references followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::plugin) struct Weight {
    /// Its values.
    pub(super) values: u64,
    /// Its patterns.
    pub(super) patterns: u64,
    nesting: u64,
    /// References that lead one to the next.
    chain: u64,
}

/// What a schema or a definition has itself.
#[derive(Default)]
struct Part<'a> {
    own: Weight,
    references: Vec<Reference<'a>>,
}

struct Reference<'a> {
    to: &'a str,
    /// The levels it stands below.
    depth: u64,
    times: u64,
}

/// What is known of a definition.
enum Known<'a> {
    Part(Part<'a>),
    /// It is being weighed.
    Open,
    Weighed(Weight),
}

/// Weighs a schema. Refused with the reason if it is more than one may be.
pub(in crate::plugin) fn weigh(schema: &Map<String, Value>) -> Result<Weight, String> {
    let mut known = BTreeMap::new();
    for keyword in DEFINED {
        let definitions = schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        for (name, definition) in definitions {
            let mut part = Part::default();
            part.schema(definition, 1, 1)?;
            known.insert((keyword, name.as_str()), Known::Part(part));
        }
    }
    cap("definitions", known.len() as u64, DEFINITIONS as u64)?;
    let mut root = Part::default();
    root.object(schema, 1, 1, true)?;
    let all: Vec<(&str, &str)> = known.keys().copied().collect();
    for definition in all {
        weigh_definition(definition, &mut known)?;
    }
    let whole = root.expanded(&mut known)?;
    cap("references that lead one to the next", whole.chain, CHAIN)?;
    cap("levels in each other, references followed", whole.nesting, EXPANDED_NESTING)?;
    cap("patterns, references followed", whole.patterns, PATTERNS)?;
    cap("values, references followed", whole.values, VALUES)?;
    Ok(whole)
}

type Definitions<'a> = BTreeMap<(&'a str, &'a str), Known<'a>>;

/// Weighs a definition once. Goes no deeper than there are definitions.
fn weigh_definition<'a>(definition: (&'a str, &'a str), known: &mut Definitions<'a>) -> Result<Weight, String> {
    let (keyword, name) = definition;
    let part = match known.get_mut(&definition) {
        None => return Err(format!("`#/{keyword}/{name}` is no definition: define it in `{keyword}`")),
        Some(Known::Weighed(weight)) => return Ok(*weight),
        Some(open) => match std::mem::replace(open, Known::Open) {
            Known::Part(part) => part,
            Known::Open | Known::Weighed(_) => {
                return Err(format!("`#/{keyword}/{name}` leads back to itself: say how deep it goes at most"));
            }
        },
    };
    let weight = part.expanded(known)?;
    known.insert(definition, Known::Weighed(weight));
    Ok(weight)
}

impl<'a> Part<'a> {
    /// What it comes to with its references followed.
    fn expanded(&self, known: &mut Definitions<'a>) -> Result<Weight, String> {
        let mut whole = self.own;
        for Reference { to, depth, times } in &self.references {
            let target = weigh_definition(target(to)?, known)?;
            whole.values = whole.values.saturating_add(target.values.saturating_mul(*times));
            whole.patterns = whole.patterns.saturating_add(target.patterns.saturating_mul(*times));
            whole.nesting = whole.nesting.max(target.nesting.saturating_add(*depth));
            whole.chain = whole.chain.max(target.chain.saturating_add(1));
        }
        Ok(whole)
    }

    /// Counts a value at this level, as often as it is looked at.
    fn count(&mut self, value: &Value, depth: usize, times: u64) -> Result<(), String> {
        self.own.values = self.own.values.saturating_add(times);
        if value.is_object() || value.is_array() {
            cap("levels in each other", depth as u64, NESTING as u64)?;
            self.own.nesting = self.own.nesting.max(depth as u64);
        }
        Ok(())
    }

    /// Looks at a value that is a schema, a list of some, or means nothing.
    fn schema(&mut self, value: &'a Value, depth: usize, times: u64) -> Result<(), String> {
        match value {
            Value::Object(object) => self.object(object, depth, times, false),
            Value::Array(list) => {
                self.count(value, depth, times)?;
                list.iter().try_for_each(|value| self.schema(value, depth + 1, times))
            }
            _ => self.count(value, depth, times),
        }
    }

    fn object(
        &mut self,
        object: &'a Map<String, Value>,
        depth: usize,
        times: u64,
        is_root: bool,
    ) -> Result<(), String> {
        cap("levels in each other", depth as u64, NESTING as u64)?;
        self.own.nesting = self.own.nesting.max(depth as u64);
        let again = object.keys().any(|key| key.starts_with("unevaluated"));
        let times = if again { times.saturating_mul(AGAIN) } else { times };
        self.own.values = self.own.values.saturating_add(times);
        for (key, value) in object {
            let key = key.as_str();
            match value {
                // They are weighed where they are named.
                Value::Object(_) if is_root && DEFINED.contains(&key) => {}
                Value::String(to) if key == "$ref" => {
                    target(to)?;
                    self.references.push(Reference { to, depth: depth as u64, times });
                }
                Value::String(_) | Value::Bool(_) | Value::Object(_) if RENAMING.contains(&key) => {
                    return Err(format!("`{key}` is not possible here: name a part of it in `$defs`"));
                }
                Value::String(pattern) if key == "pattern" => self.pattern(pattern, times)?,
                Value::Object(members) if key == "patternProperties" => {
                    for (pattern, member) in members {
                        self.pattern(pattern, times)?;
                        self.schema(member, depth + 2, times)?;
                    }
                }
                Value::Object(members) if NAMED.contains(&key) => {
                    self.count(value, depth + 1, times)?;
                    members.values().try_for_each(|member| self.schema(member, depth + 2, times))?;
                }
                _ if DATA.contains(&key) => self.data(value, depth + 1, times)?,
                _ => self.schema(value, depth + 1, times)?,
            }
        }
        Ok(())
    }

    fn data(&mut self, value: &Value, depth: usize, times: u64) -> Result<(), String> {
        self.count(value, depth, times)?;
        match value {
            Value::Object(object) => object.values().try_for_each(|value| self.data(value, depth + 1, times)),
            Value::Array(list) => list.iter().try_for_each(|value| self.data(value, depth + 1, times)),
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, pattern: &str, times: u64) -> Result<(), String> {
        cap("bytes in one pattern", pattern.len() as u64, PATTERN_BYTES as u64)?;
        self.own.values = self.own.values.saturating_add(times);
        self.own.patterns = self.own.patterns.saturating_add(times);
        Ok(())
    }
}

/// The definition a reference leads to.
fn target(to: &str) -> Result<(&str, &str), String> {
    let found = to.strip_prefix("#/").and_then(|path| path.split_once('/'));
    let plain = |name: &str| !name.is_empty() && !name.contains(['/', '~', '%']);
    found.filter(|(keyword, name)| DEFINED.contains(keyword) && plain(name)).ok_or_else(|| {
        let shown: String = to.chars().take(100).collect();
        format!("the reference `{shown}` is not possible here: refer to a definition, such as `#/$defs/name`")
    })
}

fn cap(what: &str, found: u64, limit: u64) -> Result<(), String> {
    if found <= limit { Ok(()) } else { Err(format!("it has {found} {what}; at most {limit} are allowed")) }
}
