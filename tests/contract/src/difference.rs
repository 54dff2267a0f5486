//! What differs between two versions, in the words of the contract and without its comments.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

use crate::Contract;

/// The lines that differ, under the interface or world they are in. Empty if only comments do.
pub fn difference(old: &Contract, new: &Contract) -> Result<String, String> {
    let (old, new) = (old.text()?, new.text()?);
    let (before, after) = (blocks(&old), blocks(&new));
    let mut names: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut told = String::new();
    for name in names {
        let [one, other] = [&before, &after].map(|blocks| blocks.get(name).copied().unwrap_or_default());
        if one == other {
            continue;
        }
        told.push_str(&format!("{name}\n"));
        for change in TextDiff::from_lines(one, other).iter_all_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => continue,
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let line = change.value().trim();
            if !line.is_empty() {
                told.push_str(&format!("  {sign} {line}\n"));
            }
        }
    }
    Ok(told)
}

/// The interfaces and worlds of a package, each by its first line; what is before them by the package's own.
fn blocks(text: &str) -> BTreeMap<&str, &str> {
    let mut blocks = BTreeMap::new();
    let is_start = |line: &str| line.starts_with("interface ") || line.starts_with("world ");
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_start(line) {
            blocks.insert(name(&text[start..at]), &text[start..at]);
            start = at;
        }
        at += line.len();
    }
    blocks.insert(name(&text[start..]), &text[start..]);
    blocks
}

fn name(block: &str) -> &str {
    let first = block.lines().next().unwrap_or_default();
    if first.starts_with("package ") { "package" } else { first.trim_end_matches(" {") }
}
