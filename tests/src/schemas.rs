//! Settings schemas and manifests that cost more than they look, and settings as deep as one likes.

use std::fmt::Write as _;

use loadout_plugin_build::embed_manifest;
use serde_json::{Value, json};

use crate::guests;
use crate::host::Failure;

/// About as many bytes as a manifest may have.
const BUDGET: usize = 62_000;

/// A schema of so many definitions as fit, each with the next one within so many of `open`, closed by `close`; the last
/// leads back to the first.
pub fn tower(open: &str, close: &str, deep: usize) -> String {
    let (open, close) = (open.repeat(deep), close.repeat(deep));
    let definition = |at: usize, inner: &str| format!("\"a{at}\":{open}{inner}{close}");
    let mut definitions = String::new();
    let mut at = 0;
    loop {
        let next = definition(at, &format!("{{\"$ref\":\"#/$defs/a{}\"}}", at + 1));
        if definitions.len() + next.len() + 200 > BUDGET {
            break;
        }
        definitions.push_str(&next);
        definitions.push(',');
        at += 1;
    }
    definitions.push_str(&definition(at, "{\"additionalProperties\":{\"$ref\":\"#/$defs/a0\"}}"));
    format!("{{\"$defs\":{{{definitions}}},\"$ref\":\"#/$defs/a0\"}}")
}

/// A schema of so many references, each of which leads to the next; the last leads back to the first.
pub fn chain(references: usize) -> String {
    let mut definitions = String::new();
    for at in 0..references {
        // Writing into a string cannot fail.
        let _ = write!(definitions, "\"a{at}\":{{\"$ref\":\"#/$defs/a{}\"}},", at + 1);
    }
    let last = format!("\"a{references}\":{{\"additionalProperties\":{{\"$ref\":\"#/$defs/a0\"}}}}");
    format!("{{\"$defs\":{{{definitions}{last}}},\"$ref\":\"#/$defs/a0\"}}")
}

/// A schema of so many definitions, each of which is the next one twice.
pub fn doubling(levels: usize) -> String {
    let twice = |at: usize| {
        let next = json!({ "$ref": format!("#/$defs/a{}", at + 1) });
        (format!("a{at}"), json!({ "allOf": [next.clone(), next] }))
    };
    let definitions = (0..levels).map(twice).chain([(format!("a{levels}"), json!({ "type": "object" }))]);
    json!({ "$defs": definitions.collect::<serde_json::Map<_, _>>(), "$ref": "#/$defs/a0" }).to_string()
}

/// A schema of so many patterns that a machine is large for.
pub fn patterns(count: usize) -> String {
    let patterns: Vec<Value> = (0..count).map(|at| json!({ "pattern": pattern(at) })).collect();
    json!({ "properties": { "a": { "allOf": patterns } } }).to_string()
}

/// The same as names of properties.
pub fn pattern_properties(count: usize) -> String {
    let patterns: serde_json::Map<_, _> = (0..count).map(|at| (pattern(at), json!({}))).collect();
    json!({ "patternProperties": patterns }).to_string()
}

fn pattern(at: usize) -> String {
    format!("(\\p{{L}}{{100}}|{at})")
}

/// All of these by name.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("a tower of not", tower("{\"not\":", "}", 110)),
        ("a tower of allOf", tower("{\"allOf\":[", "]}", 55)),
        ("a tower of anyOf", tower("{\"anyOf\":[", "]}", 55)),
        ("a tower of references", tower("", "", 0)),
        ("a small tower", {
            let not = |inner: String| (0..25).fold(inner, |inner, _| format!("{{\"not\":{inner}}}"));
            let of = |at: usize| format!("\"a{at}\":{}", not(format!("{{\"$ref\":\"#/$defs/a{}\"}}", at + 1)));
            let definitions: String = (0..15).map(|at| of(at) + ",").collect();
            format!("{{\"$defs\":{{{definitions}\"a15\":{{}}}},\"$ref\":\"#/$defs/a0\"}}")
        }),
        ("a long chain", chain(1_940)),
        ("a short chain", chain(40)),
        ("doubling", doubling(40)),
        ("many patterns", patterns(300)),
        ("patterns within their number", patterns(60)),
        ("many patterns of properties", pattern_properties(300)),
        ("a place elsewhere", json!({ "$ref": "https://127.0.0.1/schema.json" }).to_string()),
        ("no schema at all", json!({ "type": "text" }).to_string()),
    ]
}

/// The component of a rule about the tool kind `kind` whose settings are held against `schema`.
pub fn rule(guest: &[u8], name: &str, version: &str, kind: &str, schema: &str) -> Result<Vec<u8>, Failure> {
    let manifest = guests::manifest(name, version, kind);
    Ok(embed_manifest(guest, &format!("{manifest}[settings]\nschema = '''{schema}'''\n"))?)
}

/// Manifests that are no better, by name. Each names the plugin as its head does.
pub fn manifests(head: &str) -> Vec<(&'static str, String)> {
    vec![
        ("lists in lists", format!("a = {}{}\n{head}", "[".repeat(20_000), "]".repeat(20_000))),
        ("tables in tables", format!("{}a = 1\n{head}", "a.".repeat(30_000))),
        ("headers in headers", format!("{head}[{}a]\n", "a.".repeat(70))),
        ("many keys", format!("{head}{}", (0..6_000).map(|at| format!("k{at}=1\n")).collect::<String>())),
        ("many tables", format!("{head}{}", "[[steps]]\n".repeat(5_000))),
        ("a long description", head.replace("A guest.", &"x".repeat(60_000))),
        ("a long world", head.replace("loadout:plugin/tool@0.1.0", &"x".repeat(60_000))),
        ("a deep default", {
            let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
            format!("{head}default = '''{{\"a\":{deep}}}'''\n")
        }),
    ]
}

/// Settings of so many objects in each other.
pub fn settings(levels: usize) -> Value {
    (1..levels).fold(json!({ "x": 1 }), |inner, _| json!({ "a": inner }))
}
