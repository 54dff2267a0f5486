//! Tests of documents beside the tables, for content that a solution cannot express.

use super::*;

fn with(files: &[(&str, &str)]) -> Files {
    let mut all = Files::fabrikam();
    for (path, content) in files {
        all.put(&format!("loadout/{path}"), content);
    }
    all
}

#[test]
fn what_breaks_a_bound_is_quarantined_by_itself() {
    let mut files = Files::fabrikam();
    let aliases: Vec<_> = (0..101).map(|number| format!("alias{number}")).collect();
    let item = |json: Value| json!({ "item": json }).to_string();
    files.put("loadout/apps/fabrik_many.json", item(json!({ "name": "Many", "aliases": aliases })));
    files.put("loadout/queues/desk.json", item(json!({ "name": "\u{1b}[2J" })));
    files.put("loadout/queues/late.json", item(json!({ "name": "\u{9b}2J" })));
    files.put(
        "loadout/queues/hidden.json",
        json!({ "uniqueName": "de\u{200b}sk", "item": { "name": "Desk" } }).to_string(),
    );
    let plan = planned(&files);
    let told = |collection: &str, name: &str| account(&plan, &format!("loadout/{collection}"), name);
    insta::assert_snapshot!(
        [told("apps", "fabrik_many"), told("queues", "desk"), told("queues", "late"), told("queues", "de\u{200b}sk")].join("\n"),
        @r"
    quarantined: `aliases`: it has 101 entries, 100 are the most: leave some out
    quarantined: `name`: it has a control character other than tab, line feed and carriage return: take it out
    created: `name`: it has a control character other than tab, line feed and carriage return: take it out
    quarantined: `de\u{200b}sk` cannot name a queue: it contains the character U+200B, which is not seen: leave it out
    "
    );
}

#[test]
fn a_document_patches_what_the_tables_say() {
    let patch = r#"{"patch": {"channels": {"allActive": true}, "description": null, "inbox": {"enabled": false}}}"#;
    let plan = planned(&with(&[("profiles/fabrik_desk.json", patch)]));
    let desk = item(&plan, "profiles", "fabrik_desk");
    assert_eq!((&desk["channels"]["allActive"], &desk["inbox"]["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(desk["copilot"]["features"], json!({ "case-summary": true }), "the rest is as the tables say");
    assert_eq!(account(&plan, "loadout/profiles", "fabrik_desk"), "merged: ");
    assert_eq!(plan.report.counts.quarantined, planned(&Files::fabrikam()).report.counts.quarantined);
}

#[test]
fn a_document_makes_what_no_table_has() {
    let files = with(&[
        ("queues/desk.json", r#"{"item": {"name": "Desk"}}"#),
        (
            "workstreams/odd.json",
            r#"{"uniqueName": "a/b", "item": {"name": "Chat", "channel": "chat", "fallbackQueue": "desk"}}"#,
        ),
        ("default-profile/default-profile.json", r#"{"item": {"profile": "fabrik_desk"}}"#),
    ]);
    let plan = planned(&files);
    assert_eq!(item(&plan, "workstreams", "a/b")["fallbackQueue"], "desk");
    assert_eq!(item(&plan, "default-profile", "default-profile"), json!({ "profile": "fabrik_desk" }));
    assert_eq!(account(&plan, "loadout/queues", "desk"), "created: ");
    let again = super::plan(&files.zip(), &applied(&base(), &plan)).unwrap();
    assert!(again.changes.changes.is_empty(), "{:#?}", again.changes.changes);
    assert_eq!(account(&again, "loadout/queues", "desk"), "unchanged: ");
}

#[test]
fn a_document_that_cannot_be_read_is_quarantined_with_a_sentence() {
    for (path, content, expected) in [
        ("queues/x.json", "{", "`loadout/queues/x.json` is no document: EOF while parsing an object"),
        ("queues/x.json", "{}", "a document has either `patch` or `item`"),
        ("queues/x.json", r#"{"itm": {}}"#, "`loadout/queues/x.json` is no document: unknown field `itm`"),
        ("queues/x.json", r#"{"patch": {}}"#, "there is nothing to patch: give the whole as `item`"),
        ("queues/x.json", r#"{"item": {}}"#, "queue `x` is not valid: missing field `name`"),
        ("queues/x.json", r#"{"uniqueName": " x", "item": {"name": "X"}}"#, "` x` cannot name a queue"),
        ("rooms/x.json", "{}", "`rooms` is not a collection"),
        ("queues/x.xml", "<x/>", "`loadout/queues/x.xml` is no document: its name must end in `.json`"),
        ("x.json", "{}", "`loadout/x.json` is no place for a document"),
        ("users/ada.json", r#"{"item": {"displayName": "Ada"}}"#, "people belong to one environment"),
        ("environment/x.json", r#"{"item": {}}"#, "there is only one environment, and it is called `environment`"),
        (
            "workstreams/x.json",
            r#"{"item": {"name": "X", "channel": "chat", "fallbackQueue": "gone"}}"#,
            "`fallbackQueue` names `gone`, and there is no queue of that name here or in the archive",
        ),
        (
            "default-profile/default-profile.json",
            r#"{"item": {"profile": "fabrik_field"}}"#,
            "`fabrik_field` is inactive and cannot be the default",
        ),
        (
            "default-profile/default-profile.json",
            r#"{"item": {"profile": "msdyn_shipped_profile"}}"#,
            "`msdyn_shipped_profile` is shipped with the product",
        ),
        (
            "rank-and-roles/msdyn_shipped_profile.json",
            r#"{"item": {"rank": 1, "roles": []}}"#,
            "`msdyn_shipped_profile` is shipped with the product",
        ),
    ] {
        let plan = planned(&with(&[(path, content)]));
        let of_documents = plan.report.components.iter().filter(|it| it.table.starts_with("loadout"));
        let notes: Vec<_> = of_documents.map(|it| (it.outcome, it.notes.join("; "))).collect();
        assert!(
            matches!(&notes[..], [(Outcome::Quarantined, note)] if note.starts_with(expected)),
            "{path} {content}: {notes:?}"
        );
        let files = with(&[(path, content)]);
        assert_eq!(applied(&base(), &plan).entries(Kind::Profile).count(), 3, "the rest is imported");
        assert!(super::plan(&files.zip(), &applied(&base(), &plan)).unwrap().changes.changes.is_empty());
    }
}

#[test]
fn an_item_is_not_written_without_its_document() {
    let plan = planned(&with(&[("scripts/fabrik_return.json", r#"{"patch": {"stps": []}}"#)]));
    let account = account(&plan, "msdyn_productivityagentscript", "fabrik_return");
    assert!(account.starts_with("quarantined: it is not written without its document: "), "{account}");
    let written = |name: &str| {
        plan.changes
            .changes
            .iter()
            .any(|change| matches!(change, Change::Put { name: put, .. } if put.as_ref() == name))
    };
    assert!(!written("fabrik_return") && !written("fabrik_case"), "what names it is not written, either");
    assert!(written("fabrik_complaint"));
}

#[test]
fn a_shipped_item_is_not_changed_by_a_document() {
    let plan = planned(&with(&[(
        "pane-tools/msdyn_callscript_tool_config.json",
        r#"{"item": {"name": "X", "kind": "x", "control": "c"}}"#,
    )]));
    let account = account(&plan, "loadout/pane-tools", "msdyn_callscript_tool_config");
    assert!(account.starts_with("skipped: shipped with the product"), "{account}");
}

#[test]
fn an_archive_that_says_everything_keeps_nothing_from_here() {
    let here = json!({
        "name": "Old", "channels": { "allActive": true },
        "productivityPane": { "tools": [{ "tool": "msdyn_callscript_tool_config", "settings": { "a": 1 } }] }
    });
    let here = base_and(&base(), Kind::Profile, "fabrik_desk", here);
    let whole = plan(&with(&[("format.json", r#"{"format": 1}"#)]).zip(), &here).unwrap();
    let desk = item(&whole, "profiles", "fabrik_desk");
    assert_eq!(
        (&desk["channels"]["allActive"], &desk["productivityPane"]["tools"][1]["settings"]),
        (&json!(false), &Value::Null)
    );
    let tab = item(&whole, "application-tab-templates", "fabrik_map");
    assert_eq!(tab["source"]["attributes"]["iscustomizable"], "1", "a row that was one is kept as one");
    assert_eq!(item(&whole, "macros", "fabrik_check_stock")["source"], Value::Null, "a row without it is made up");
}

#[test]
fn documents_of_a_format_nobody_knows_are_left_alone() {
    let files = with(&[("format.json", r#"{"format": 2}"#), ("queues/desk.json", r#"{"item": {"name": "Desk"}}"#)]);
    let plan = planned(&files);
    let reason = "quarantined: `loadout/format.json` says 2, and 1 is known: use a newer version";
    assert_eq!(account(&plan, "loadout", "loadout/queues/desk.json"), reason);
}

#[test]
fn what_names_something_lost_is_lost_however_long_the_chain() {
    let mut files = Files::fabrikam();
    for index in 0..500 {
        let step = json!({ "uniqueName": "s", "name": "S", "order": 1, "action": { "type": "script", "script": format!("fab_{}", index + 1) } });
        let script = json!({ "item": { "name": "S", "language": 1033, "steps": [step] } });
        files.put(&format!("loadout/scripts/fab_{index}.json"), script.to_string());
    }
    let plan = planned(&files);
    let lost =
        plan.report.components.iter().filter(|it| it.table == "loadout/scripts" && it.outcome == Outcome::Quarantined);
    assert_eq!(lost.count(), 500, "the last one names nothing");
    assert_eq!(plan.changes.changes.len(), planned(&Files::fabrikam()).changes.changes.len(), "and nothing else");
}
