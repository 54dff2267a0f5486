//! Makes names that are valid here of names that need not be.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Kind;
use crate::domain::name::{NAME_MAX, check_authored_name, is_unseen};
use crate::domain::source::guid;
use crate::store::Snapshot;

/// Characters reserved for the part that makes equal names different.
const TOLD_APART: usize = 40;

/// The name here of an item of `kind` that was called `old`: the same if it is valid, otherwise its letters unchanged,
/// after the prefix if the kind needs one. Scripts refer to templates by name, so no letter is replaced.
pub(super) fn suited(kind: Kind, old: &str, prefix: &str) -> String {
    named(kind, old, prefix, letters)
}

/// The name that earlier versions gave: words in lower case after the prefix. Items that have such a name keep it.
fn suited_before(kind: Kind, old: &str, prefix: &str) -> String {
    named(kind, old, prefix, words)
}

fn named(kind: Kind, old: &str, prefix: &str, spelt: fn(&str) -> String) -> String {
    if check_authored_name(kind, old).is_ok() {
        return old.to_owned();
    }
    let words = spelt(old);
    let words = if words.is_empty() { kind.collection().trim_end_matches('s').replace('-', "_") } else { words };
    let name = if kind.is_prefixed() { format!("{prefix}_{words}") } else { words };
    name.chars().take(NAME_MAX - TOLD_APART).collect()
}

/// Another name for an item whose name is taken: appends a part of the row's ID, or all of it if necessary.
pub(super) fn told_apart(name: &str, row: &str, attempt: usize) -> String {
    let id = guid(row).unwrap_or_else(|| words(row));
    let id: String = if attempt == 0 { id.chars().take(8).collect() } else { id };
    let room = NAME_MAX - id.chars().count().min(TOLD_APART - 4) - 4;
    let start: String = name.chars().take(room).collect();
    let id: String = id.chars().take(TOLD_APART - 4).collect();
    if attempt < 2 { format!("{start}_{id}") } else { format!("{start}_{id}_{attempt}") }
}

/// The names of items that came from rows with an ID, by kind and ID.
pub(super) type BySource = BTreeMap<(Kind, String), String>;

/// The names of the items of `library` that came from rows with an ID.
pub(super) fn by_source(library: &Snapshot) -> BySource {
    let kinds = Kind::ALL.iter().filter(|kind| kind.is_collection() && **kind != Kind::User);
    let entries = kinds.flat_map(|kind| library.entries(*kind).map(|(name, entry)| (*kind, name, entry)));
    let ids = entries.filter_map(|(kind, name, entry)| {
        let id = entry.item.to_json().pointer("/source/id")?.as_str()?.to_owned();
        Some(((kind, id), name.to_string()))
    });
    ids.collect()
}

/// The names of items, by kind and label.
pub(super) type ByLabel = BTreeMap<(Kind, String), BTreeSet<String>>;

/// The items of `library` by the labels that may refer to them.
pub(super) fn by_label(library: &Snapshot) -> ByLabel {
    let mut labels = ByLabel::new();
    let kinds = Kind::ALL.iter().filter(|kind| kind.is_collection() && **kind != Kind::User);
    for (kind, (name, entry)) in kinds.flat_map(|kind| library.entries(*kind).map(|found| (*kind, found))) {
        for label in [name.as_ref(), entry.item.display_name()] {
            labels.entry((kind, label.to_owned())).or_default().insert(name.to_string());
        }
    }
    labels
}

/// The item that an earlier upgrade made for a reference to `old`: by the ID of its row, or by the name made of `old`.
pub(super) fn made_before(
    library: &Snapshot,
    by_source: &BySource,
    kind: Kind,
    old: &str,
    prefix: &str,
) -> Option<String> {
    let by_id = guid(old).and_then(|id| by_source.get(&(kind, id)).cloned());
    by_id.or_else(|| {
        let names = [suited(kind, old, prefix), suited_before(kind, old, prefix)];
        let is_free = library.canonical(kind, old).is_none();
        names.into_iter().find(|name| is_free && library.entry(kind, name).is_some())
    })
}

/// `IncomingCall - default` becomes `IncomingCall_default`.
fn letters(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_alphanumeric() || is_unseen(c)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

/// `IncomingCall - default` becomes `incoming_call_default`.
fn words(text: &str) -> String {
    let mut words = String::new();
    let (mut after_small, mut gap) = (false, false);
    for c in text.chars() {
        // Some characters that count as letters are invisible.
        if !c.is_alphanumeric() || is_unseen(c) {
            (gap, after_small) = (true, false);
            continue;
        }
        if (gap || (c.is_uppercase() && after_small)) && !words.is_empty() {
            words.push('_');
        }
        gap = false;
        after_small = c.is_lowercase() || c.is_numeric();
        words.extend(c.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::name::check_name;

    #[test]
    fn names_are_made_to_suit() {
        for (kind, old, expected) in [
            (Kind::SessionTemplate, "TwilioCallSessionTemplate", "old_TwilioCallSessionTemplate"),
            (Kind::SessionTemplate, "msdyn_case", "msdyn_case"),
            (Kind::NotificationTemplate, "Incoming call - default", "old_Incoming_call_default"),
            (Kind::ApplicationTabTemplate, "¿?", "old_application_tab_template"),
            (Kind::Workstream, "Night shift", "Night shift"),
            (Kind::Workstream, " Night shift ", "Night_shift"),
        ] {
            assert_eq!(suited(kind, old, "old"), expected);
        }
        let before = suited_before(Kind::SessionTemplate, "TwilioCallSessionTemplate", "old");
        assert_eq!(before, "old_twilio_call_session_template");
        let id = "aec047f0-0dae-e911-a984-000d3a33efbc";
        assert_eq!(told_apart("old_x", id, 0), "old_x_aec047f0");
        assert_eq!(told_apart("old_x", id, 1), format!("old_x_{id}"));
        assert_eq!(told_apart("old_x", id, 2), format!("old_x_{id}_2"));
    }

    proptest! {
        #[test]
        fn whatever_it_was_called_it_can_be_called_here(old in ".*", row in "[ -~]{0,200}", attempt in 0_usize..4) {
            for kind in [Kind::SessionTemplate, Kind::Workstream] {
                let name = suited(kind, &old, "legacy");
                prop_assert!(check_authored_name(kind, &name).is_ok(), "{name:?}");
                prop_assert!(check_name(kind, &told_apart(&name, &row, attempt)).is_ok());
            }
        }
    }
}
