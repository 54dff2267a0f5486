//! Removes the links to an item from the items that have them.

use serde_json::Value;

use crate::domain::{AnyItem, App, InvalidItem, Kind};

/// The rest of an item after its links to another were removed.
pub enum Rest {
    /// The item without the links.
    Item(Box<AnyItem>),
    /// Nothing: the item consisted of the link.
    Nothing,
    /// The item needs the links, or would apply more widely without them. Holds the reason.
    Needed(String),
}

/// `item` without its references to `target` of `kind`.
///
/// A reference in a list removes its list entry, too (a pane tool its placement, a macro the script step that runs it);
/// any other leaves its attribute empty.
pub fn without(item: &AnyItem, name: &str, kind: Kind, target: &str) -> Rest {
    // No stored name contains a control character, so no item has this name.
    const MARK: &str = "\u{0}unlinked";
    if matches!(item, AnyItem::DefaultProfile(_)) {
        return Rest::Nothing;
    }
    let mut marked = item.clone();
    marked.references(&mut |reference| {
        if reference.kind == kind && **reference.name == *target {
            *reference.name = MARK.into();
        }
    });
    let mut json = marked.to_json();
    prune(&mut json, MARK);
    match AnyItem::parse(item.kind(), name, json) {
        Ok(rest) if widens(item, &rest) => Rest::Needed("without it, it would hold for all people".to_owned()),
        Ok(rest) => Rest::Item(Box::new(rest)),
        Err(InvalidItem { problems, .. }) => {
            Rest::Needed(problems.0.first().map_or_else(String::new, ToString::to_string))
        }
    }
}

/// Returns whether a list that restricts became empty, which would mean all people or all places.
fn widens(before: &AnyItem, after: &AnyItem) -> bool {
    match (before, after) {
        (AnyItem::Profile(before), AnyItem::Profile(after)) => !before.apps.is_empty() && after.apps.is_empty(),
        (AnyItem::PaneTool(before), AnyItem::PaneTool(after)) => {
            !before.requires.roles.is_empty() && after.requires.roles.is_empty()
        }
        (AnyItem::App(before), AnyItem::App(after)) => {
            let open = |app: &App| app.out_of_the_box.iter().filter(|rule| rule.roles.is_empty()).count();
            open(after) > open(before)
        }
        _ => false,
    }
}

fn prune(value: &mut Value, mark: &str) {
    match value {
        Value::Array(list) => {
            list.retain(|entry| !holds(entry, mark));
            list.iter_mut().for_each(|entry| prune(entry, mark));
        }
        Value::Object(object) => {
            object.retain(|_, entry| entry.as_str() != Some(mark));
            object.values_mut().for_each(|entry| prune(entry, mark));
        }
        _ => {}
    }
}

/// Returns whether `entry` is the mark or an object that holds it. Does not look into further lists.
fn holds(entry: &Value, mark: &str) -> bool {
    match entry {
        Value::String(text) => text == mark,
        Value::Object(object) => object.values().any(|value| holds(value, mark)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_goes_and_the_rest_stays() {
        let script = json!({"name": "S", "language": 1033, "steps": [
            {"uniqueName": "a", "name": "A", "order": 1, "action": {"type": "macro", "macro": "new_m"}},
            {"uniqueName": "b", "name": "new_m", "order": 2, "action": {"type": "text", "instruction": "new_m"}},
        ]});
        let cases = [
            (Kind::Script, script, Kind::Macro, "new_m", Some("b")),
            (Kind::DefaultProfile, json!({"profile": "new_p"}), Kind::Profile, "new_p", None),
            (
                Kind::Workstream,
                json!({"name": "W", "channel": "chat", "sessionTemplate": "new_t"}),
                Kind::SessionTemplate,
                "new_t",
                Some("chat"),
            ),
        ];
        for (kind, json, target_kind, target, kept) in cases {
            let item = AnyItem::parse(kind, "x", json).unwrap();
            let after = match without(&item, "x", target_kind, target) {
                Rest::Item(rest) => Some(rest.to_json().to_string()),
                Rest::Nothing => None,
                Rest::Needed(why) => panic!("{kind} can do without: {why}"),
            };
            assert_eq!(after.is_some(), kept.is_some(), "for {kind}");
            if let (Some(after), Some(kept)) = (after, kept) {
                assert!(after.contains(kept), "{after}");
                assert!(
                    !after.contains(&format!("\"macro\":\"{target}\"")) && !after.contains("sessionTemplate"),
                    "{after}"
                );
            }
        }
    }

    #[test]
    fn a_restriction_never_turns_into_everybody() {
        let cases = [
            (
                Kind::PaneTool,
                json!({"name": "T", "kind": "t", "control": "c", "requires": {"roles": ["csr"]}}),
                Kind::SecurityRole,
                "csr",
            ),
            (Kind::Profile, json!({"name": "P", "apps": ["desk"]}), Kind::App, "desk"),
            (
                Kind::App,
                json!({"name": "A", "outOfTheBox": [{"profile": "new_p", "roles": ["csr"]}]}),
                Kind::SecurityRole,
                "csr",
            ),
        ];
        for (kind, json, target_kind, target) in cases {
            let item = AnyItem::parse(kind, "x", json).unwrap();
            assert!(matches!(without(&item, "x", target_kind, target), Rest::Needed(_)), "for {kind}");
        }
    }
}
