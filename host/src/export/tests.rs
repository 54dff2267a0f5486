//! Round trips of whole environments.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipArchive;

use super::*;
use crate::content::{Content, sample, shipped};
use crate::domain::AnyItem;
use crate::domain::revision::Author;
use crate::import::tests::fixture::Files;
use crate::store::{Authority, ChangeSet, Store};

/// An environment with the shipped content.
struct Place {
    store: Store,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { store: Store::open(folder.path()).unwrap(), _folder: folder };
        place.write(shipped(), Authority::Product);
        place
    }

    fn with(items: impl IntoIterator<Item = (Kind, &'static str, Value)>) -> Self {
        let place = Self::new();
        let items = items.into_iter().map(|(kind, name, json)| {
            let item = AnyItem::parse(kind, name, json).unwrap();
            (Arc::from(name), item)
        });
        place.write(Content { items: items.collect(), assignments: Vec::new() }, Authority::Custom);
        place
    }

    fn importing(zip: &[u8]) -> Self {
        let place = Self::new();
        place.import(zip);
        place
    }

    fn write(&self, content: Content, authority: Authority) {
        let changes = content.items.into_iter().map(|(name, item)| Change::put(name, item));
        // Reports instead of refusing, as an import does, so that odd environments can be made.
        let changes = ChangeSet { authority, strictness: crate::store::Strictness::Report, ..ChangeSet::new(changes) };
        self.store.commit(changes, &author()).unwrap();
    }

    /// Imports an archive. Returns the report.
    fn import(&self, zip: &[u8]) -> Report {
        let plan = import::plan(zip, &self.store.snapshot().unwrap()).unwrap();
        self.store.commit(plan.changes, &author()).unwrap();
        plan.report
    }

    fn export(&self) -> Vec<u8> {
        archive(&self.store.snapshot().unwrap(), &Assignments::new(), &Default::default(), &Options::default())
            .unwrap()
            .zip
    }

    fn items(&self) -> BTreeMap<String, String> {
        let snapshot = self.store.snapshot().unwrap();
        let items = document::custom(&snapshot);
        items.map(|(kind, name, entry)| (format!("{}/{name}", kind.collection()), entry.json().to_string())).collect()
    }
}

fn author() -> Author {
    Author::new("tests", "")
}

/// Checks what every export promises.
fn check_round_trip(place: &Place) -> Vec<u8> {
    let zip = place.export();
    assert_eq!(zip, place.export(), "an export twice is one");

    let plan = import::plan(&zip, &place.store.snapshot().unwrap()).unwrap();
    assert!(plan.changes.changes.is_empty(), "an import where the export was made changes {:#?}", plan.changes.changes);

    let elsewhere = Place::new();
    let report = elsewhere.import(&zip);
    assert_eq!(elsewhere.items(), place.items());
    let left = report.components.iter().filter(|it| matches!(it.outcome, Outcome::Skipped | Outcome::Quarantined));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<&import::Component>::new());
    let left_out = report.links.iter().filter(|it| it.outcome == LinkOutcome::LeftOut);
    assert_eq!(left_out.collect::<Vec<_>>(), Vec::<&import::Link>::new());
    assert_eq!(report.counts.dependencies_missing, 0, "{:#?}", report.dependencies);
    let odd: Vec<_> = report.warnings.iter().filter(|it| !QUIET.contains(&it.code.as_str())).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    assert_eq!(elsewhere.export(), zip, "an export from elsewhere is the same");
    zip
}

/// Warnings that may be reported about an export because the environment had the problem before.
const QUIET: &[&str] = &[
    "stray-characters",
    "expression-names-unknown-script",
    "expression-unreadable",
    "parameters-unreadable",
    "anchor-missing",
    "rank-out-of-range",
];

/// The files of an archive as texts.
fn files(zip: &[u8]) -> BTreeMap<String, String> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(entry.name().unwrap().into_owned(), text);
    }
    files
}

/// The archive without its documents.
fn tables_alone(zip: &[u8]) -> Vec<u8> {
    let files = files(zip).into_iter().filter(|(path, _)| !path.starts_with("loadout/"));
    pack::pack(&files.map(|(path, text)| (path, text.into_bytes())).collect::<Vec<_>>()).unwrap()
}

fn contoso() -> Place {
    let place = Place::new();
    let mut sample = sample("contoso").unwrap();
    sample.items.retain(|(_, item)| item.kind() != Kind::User);
    place.write(sample, Authority::Custom);
    place
}

fn tailspin() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tailspin");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    pack::pack(&files).unwrap()
}

/// An older host may have taken a more deeply nested item than this one takes: the refusal names the item.
#[test]
fn an_item_that_could_not_be_written_today_is_named() {
    let settings = (0..120).fold(json!({}), |inner, _| json!({ "a": inner }));
    let tools = json!([{ "tool": "msdyn_scripts_tool_config", "settings": settings }]);
    let profile = json!({ "name": "Deep", "apps": [], "productivityPane": { "tools": tools } });
    let profile = AnyItem::parse(Kind::Profile, "fab_deep", profile).unwrap();
    let here = Place::new().store.snapshot().unwrap().overlaid([(Arc::from("fab_deep"), profile)]);
    let refused = archive(&here, &Assignments::new(), &BTreeMap::new(), &Options::default()).err().unwrap();
    insta::assert_snapshot!(refused, @"profile `fab_deep` cannot be exported as it is: `productivityPane.tools[0].settings`: it is nested in more than 32 levels, which are the most: flatten it");
}

#[test]
fn the_sample_goes_there_and_back() {
    check_round_trip(&contoso());
}

#[test]
fn an_empty_environment_goes_there_and_back() {
    let zip = check_round_trip(&Place::new());
    assert_eq!(
        files(&zip).keys().collect::<Vec<_>>(),
        ["[Content_Types].xml", "customizations.xml", "loadout/format.json", "solution.xml"]
    );
}

#[test]
fn what_was_imported_goes_there_and_back() {
    check_round_trip(&Place::importing(&tailspin()));
    check_round_trip(&Place::importing(&Files::fabrikam().zip()));
}

#[test]
fn a_real_environment_goes_there_and_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let near =
        ["../../shared", "../../../shared"].map(|folder| root.join(folder).join("exports/contoso_solution_2023.zip"));
    let Some(zip) = near.iter().find_map(|path| std::fs::read(path).ok()) else {
        println!("no real export at hand: nothing is checked");
        return;
    };
    let place = Place::importing(&zip);
    let ours = files(&check_round_trip(&place));
    let theirs = files(&zip);
    let missing: Vec<_> = theirs.keys().filter(|path| !ours.contains_key(*path)).collect();
    assert!(missing.is_empty(), "every file is where it was: {missing:?}");
    let documents: Vec<_> = ours.keys().filter(|path| path.starts_with("loadout/")).collect();
    assert_eq!(documents, ["loadout/format.json"], "a solution that came from elsewhere needs no document");
}

#[test]
fn the_tables_alone_are_a_solution() {
    let place = contoso();
    let alone = Place::importing(&tables_alone(&place.export()));
    let (whole, alone) = (place.items(), alone.items());
    let said = [
        "profiles/",
        "session-templates/",
        "application-tab-templates/",
        "notification-templates/",
        "scripts/",
        "macros/",
        "smart-assist-configurations/",
        "pane-tools/",
    ];
    for (name, whole) in whole.iter().filter(|(name, _)| said.iter().any(|collection| name.starts_with(collection))) {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (whole, alone) =
            (parse(whole), parse(alone.get(name).unwrap_or_else(|| panic!("{name} is not in the tables"))));
        for attribute in [
            "name",
            "description",
            "title",
            "definition",
            "steps",
            "parameters",
            "defaultScript",
            "entity",
            "sessionTemplates",
            "smartAssist",
            "copilot",
            "suggestionType",
        ] {
            assert_eq!(whole[attribute], alone[attribute], "{attribute} of {name}");
        }
        let tools = |profile: &Value| {
            let tools = profile["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
            tools
                .iter()
                .map(|it| (it["tool"].clone(), it["order"].clone(), it["enabled"].clone(), it["tooltip"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(tools(&whole), tools(&alone), "pane of {name}");
        let names = |value: &Value| {
            let mut names: Vec<String> = value.as_array().into_iter().flatten().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&whole["scripts"]), names(&alone["scripts"]), "scripts of {name}");
    }
}

#[test]
fn what_the_target_must_own_is_listed() {
    let solution = &files(&contoso().export())["solution.xml"];
    let required = "<Required type=\"msdyn_panetoolconfiguration\" displayName=\"msdyn_callscript_tool_config\" id.msdyn_uniquename=\"msdyn_callscript_tool_config\" />";
    assert!(solution.contains(required), "{solution}");
    assert!(solution.contains("<CustomizationPrefix>contoso</CustomizationPrefix>"), "{solution}");
    assert!(!solution.contains("displayName=\"contoso_delivery_tool\""), "what travels is not required");
}

/// Items that a table, or a file system, cannot express.
fn odd() -> Vec<(Kind, &'static str, Value)> {
    let text = " lead\ttab\r\nline \u{fffe}\u{ffff} ]]> <&\"' {slug} end ";
    let step = |name: &str, action: Value| json!({ "uniqueName": name, "name": text, "order": 1, "action": action });
    let tab = |tool: &str, own: &str| json!({ "tool": tool, "order": 2, "uniqueName": own, "settings": { "z": null, "a": [{ "b": null }] } });
    let pane =
        |tools: Value| json!({ "uniqueName": "fab_pane", "name": "Shared", "mode": "collapsed", "tools": tools });
    let id = "11111111-aaaa-4bbb-8ccc-000000000001";
    let path =
        json!({ "JsonFileName": "/Workflows/one.json", "IsCustomizable": "1", "odd key": "x", "StatusCode": "7" });
    vec![
        (Kind::SecurityRole, "Fab / Role", json!({ "name": "Fab Role" })),
        (Kind::Queue, "a/b\\c:d", json!({ "name": text, "private": true })),
        (Kind::Queue, "A/B\\c:d", json!({ "name": "Other" })),
        (Kind::Queue, "...", json!({ "name": "Dots" })),
        (Kind::Queue, "~", json!({ "name": "" })),
        (Kind::Queue, "nul", json!({ "name": { "default": "", "labels": { "1031": "x" } } })),
        (Kind::App, "fab_app", json!({ "name": "Fab", "aliases": ["fab_alias"], "outOfTheBox": [] })),
        (
            Kind::Macro,
            "fab_one",
            json!({ "name": "One", "definition": "{ \"actions\": {}, \"u\": \"https:\\/\\/x\" }", "source": { "id": id, "attributes": path } }),
        ),
        (
            Kind::Macro,
            "fab_two",
            json!({ "name": "Two", "state": "inactive", "definition": { "actions": {} }, "source": { "id": id, "managed": true, "attributes": path } }),
        ),
        (Kind::Macro, "fab_three", json!({ "name": text, "description": text, "definition": { "actions": {} } })),
        (Kind::Macro, "fab_Four", json!({ "name": "", "definition": { "actions": {}, "z": 1, "a": null } })),
        (
            Kind::Macro,
            "other prefix",
            json!({ "name": "One", "definition": { "actions": {} }, "source": { "id": "no guid", "attributes": { "UniqueName": "x_y", "JsonFileName": "/../x.json" } } }),
        ),
        (
            Kind::Script,
            "fab_one",
            json!({ "name": text, "language": 1031, "description": { "default": "a", "labels": { "1031": "b", "1033": "a" } }, "steps": [
            step("same", json!({ "type": "macro", "macro": "fab_two" })),
            step("b", json!({ "type": "script", "script": "fab_two" })),
            step("a", json!({ "type": "text", "instruction": text })),
            step("", json!({ "type": "macro", "macro": "fab_Four" })),
        ] }),
        ),
        (
            Kind::Script,
            "fab_two",
            json!({ "name": "x", "language": 1, "steps": [step("same", json!({ "type": "text", "instruction": "" }))], "source": {} }),
        ),
        (
            Kind::ApplicationTabTemplate,
            "fab_tab",
            json!({ "name": "T", "pageType": "custom-page", "parameters": { "name": text, "Name": "", "a/b": null, "é": "x" } }),
        ),
        (
            Kind::ApplicationTabTemplate,
            "fab_TAB",
            json!({ "name": "T", "pageType": "control", "title": text, "source": { "id": id, "attributes": {
            "msdyn_templateparameters": "{", "iscustomizable": "0", "statuscode": "9", "1x": "", "statecode": "1",
            "msdyn_templateparameter/k": "fab_tab_name", "msdyn_templateparameter/fab_tab_name/iscustomizable": "0" } }, "parameters": { "k": "v" } }),
        ),
        (
            Kind::NotificationTemplate,
            "fab_note",
            json!({ "name": "N", "title": text, "countdownSeconds": 7, "fields": [
            { "title": "B", "value": text, "order": 3 }, { "title": "A", "value": "", "order": 1, "uniqueName": "fab_f" } ] }),
        ),
        (
            Kind::NotificationTemplate,
            "fab_note2",
            json!({ "name": "N", "title": "t", "fields": [
            { "title": "A", "value": "other", "order": 1, "uniqueName": "fab_f" }, { "title": "A", "value": "twin", "uniqueName": "fab_f" } ] }),
        ),
        (
            Kind::SessionTemplate,
            "fab_chat",
            json!({ "name": "S", "kind": "generic", "icon": " x ", "anchorTab": "fab_TAB",
            "tabs": [{ "template": "fab_tab", "order": 2 }, { "template": "fab_TAB", "order": 1 }], "scripts": ["fab_two", "fab_one"],
            "defaultScript": { "enabled": true, "expression": "{ \"actions\": {\r\n} }" } }),
        ),
        (
            Kind::SessionTemplate,
            "fab_case",
            json!({ "name": "S", "kind": "entity", "entity": "incident", "communicationPanel": "hidden" }),
        ),
        (
            Kind::SmartAssistConfiguration,
            "fab_assist",
            json!({ "name": "S", "suggestionType": "bot", "sourceEntity": "", "card": text.trim(), "maxSuggestions": 0 }),
        ),
        (
            Kind::PaneTool,
            "fab_tool",
            json!({ "name": "T", "kind": "odd-kind", "control": "c", "icon": " i ", "requires": { "roles": ["Fab / Role"] } }),
        ),
        (
            Kind::ChannelProvider,
            "fab_phone",
            json!({ "name": "P", "label": "P", "channelUrl": "https://x.example", "sortOrder": 1000, "customParameters": text }),
        ),
        (
            Kind::ApplicationExtension,
            "fab_ext",
            json!({ "name": "E", "webResource": "x", "system": true, "cardinality": "one" }),
        ),
        (
            Kind::Workstream,
            "chat",
            json!({ "name": "Chat", "channel": "chat", "sessionTemplate": "fab_chat", "fallbackQueue": "a/b\\c:d" }),
        ),
        (Kind::VoiceProfile, "in", json!({ "name": "In", "direction": "inbound", "queue": "~" })),
        (
            Kind::Profile,
            "fab_one",
            json!({ "name": "One", "apps": ["fab_app", "customer-service-workspace"], "sessionTemplates": ["fab_case"],
            "productivityPane": pane(json!([tab("msdyn_callscript_tool_config", "fab_t"), tab("fab_tool", "fab_t")])),
            "channels": { "allActive": true, "providers": ["fab_phone"] }, "smartAssist": ["fab_assist"], "applicationExtensions": ["fab_ext"],
            "inbox": { "enabled": false, "views": [
                { "name": "Z", "recordTypes": ["chat", "routed-record"], "filters": { "z": null, "a": { "email": 1 } }, "visible": true },
                { "name": "A", "recordTypes": ["email", "case", "voicemail"], "default": true, "defaultSort": "{}" } ] },
            "copilot": { "features": { "ask-a-question": true, "case-summary": false } } }),
        ),
        (
            Kind::Profile,
            "fab_two",
            json!({ "name": "Two", "apps": ["customer-service-workspace"], "productivityPane": pane(json!([])), "source": { "managed": true } }),
        ),
        (
            Kind::Profile,
            "fab_three",
            json!({ "name": "Three", "state": "inactive", "apps": ["fab_app"], "productivityPane": pane(json!([])), "inbox": { "enabled": true } }),
        ),
        (
            Kind::Profile,
            "fab_four",
            json!({ "name": "Four", "source": { "attributes": { "iscustomizable": "1", "msdyn_profileorder": "101" } } }),
        ),
        (Kind::RankAndRoles, "fab_one", json!({ "rank": 3, "roles": ["Fab / Role", "App Profile User"] })),
        (Kind::RankAndRoles, "fab_two", json!({ "rank": null, "roles": [] })),
        (Kind::RankAndRoles, "fab_three", json!({ "rank": null, "roles": ["Fab / Role"] })),
        (Kind::DefaultProfile, "default-profile", json!({ "profile": "fab_four" })),
        (Kind::Environment, "environment", json!({ "baseLanguage": 1031, "tenantSwitches": { "copilot": false } })),
    ]
}

#[test]
fn what_is_odd_goes_there_and_back() {
    let zip = check_round_trip(&Place::with(odd()));
    let paths: Vec<String> = files(&zip).into_keys().collect();
    assert!(
        paths.iter().all(|path| path
            .split('/')
            .all(|part| path::is_plain(part) || part.contains('~') || part.starts_with('['))),
        "{paths:#?}"
    );
}

#[test]
fn every_oddity_goes_there_and_back_over_what_is_there_already() {
    let (one, other) = (Place::with(odd()), contoso());
    other.import(&one.export());
    let wanted = one.items();
    let there: BTreeMap<_, _> = other.items().into_iter().filter(|(name, _)| wanted.contains_key(name)).collect();
    assert_eq!(there, wanted);
    check_round_trip(&other);
}

#[test]
fn a_default_that_is_inactive_elsewhere_stays_active() {
    let inactive = Place::with([(Kind::Profile, "fab_desk", json!({ "name": "Desk", "state": "inactive" }))]);
    let other = Place::with([
        (Kind::Profile, "fab_desk", json!({ "name": "Desk" })),
        (Kind::DefaultProfile, "default-profile", json!({ "profile": "fab_desk" })),
    ]);
    let report = other.import(&inactive.export());
    assert_eq!(report.warnings.iter().filter(|it| it.code == "default-stays-active").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_texts_go_there_and_back(
        names in prop::collection::btree_set("[a-zA-Z]{3}_[a-cA-C/ .~é\u{fffe}\u{ffff}]{0,4}[a-c]", 1..5),
        text in "[ -~\t\r\n\u{fffe}é\u{2028}]{0,24}",
        attributes in prop::collection::btree_map("(msdyn_|iscustomizable|state|[a-z/ é]){1,2}[a-z]{0,3}", "[ -~\r\n\t]{0,6}", 0..4),
        order in prop::collection::vec(0u32..4, 0..4),
        labels in prop::collection::btree_map(1030u32..1034, "[a-b\r ]{0,2}", 0..3),
    ) {
        let place = Place::new();
        let localized = json!({ "default": text, "labels": labels });
        let source = json!({ "attributes": attributes });
        let mut items = Vec::new();
        for name in &names {
            let parameters: serde_json::Map<_, _> = names.iter().map(|key| (key.clone(), json!(text))).collect();
            let steps: Vec<_> = order.iter().enumerate().map(|(index, order)| json!({
                "uniqueName": format!("{index}"), "name": localized, "order": order, "action": { "type": "text", "instruction": text } })).collect();
            let fields: Vec<_> = order.iter().map(|order| json!({ "title": text, "value": localized, "order": order })).collect();
            let tabs: Vec<_> = names.iter().rev().zip(&order).map(|(tab, order)| json!({ "template": tab, "order": order })).collect();
            for (kind, json) in [
                (Kind::Macro, json!({ "name": localized, "definition": { "actions": {}, "x": text }, "source": source })),
                (Kind::Script, json!({ "name": text, "language": 1033, "steps": steps })),
                (Kind::ApplicationTabTemplate, json!({ "name": localized, "pageType": "control", "parameters": parameters, "source": source })),
                (Kind::NotificationTemplate, json!({ "name": text, "title": localized, "fields": fields, "source": source })),
                (Kind::SessionTemplate, json!({ "name": localized, "kind": "generic", "tabs": tabs, "source": source })),
                (Kind::Profile, json!({ "name": text, "description": localized, "source": source })),
            ] {
                // An item that no author could store need not be exportable.
                let Ok(item) = AnyItem::parse(kind, name, json) else { continue };
                let mut problems = crate::domain::Problems::default();
                item.check(&mut problems);
                if problems.0.iter().all(|problem| problem.tolerable) {
                    items.push((Arc::from(name.as_str()), item));
                }
            }
        }
        let tabs: Vec<Arc<str>> = items.iter().filter(|(_, item)| item.kind() == Kind::ApplicationTabTemplate).map(|(name, _)| Arc::clone(name)).collect();
        items.retain(|(_, item)| item.kind() != Kind::SessionTemplate || tabs.len() == names.len());
        items.retain(|(name, _)| crate::domain::name::check_name(Kind::Profile, name).is_ok());
        place.write(Content { items, assignments: Vec::new() }, Authority::Custom);
        check_round_trip(&place);
    }
}

#[test]
fn what_has_no_room_in_tables_is_said_by_documents() {
    let place = Place::with(odd());
    let snapshot = place.store.snapshot().unwrap();
    let within = |room| {
        let none = (Assignments::new(), BTreeMap::new());
        archive_within(&snapshot, &none.0, &none.1, &Options::default(), room).unwrap().zip
    };
    let rows =
        |zip: &[u8]| files(zip).keys().filter(|path| path.split('/').count() == 3 && path.ends_with(".xml")).count();
    let all = within(Room::default());
    assert_eq!(all, place.export());
    for room in [
        Room { rows: 5, ..Room::default() },
        Room { nodes: 60, ..Room::default() },
        Room { bytes: 3_000, ..Room::default() },
        Room { customizations: 2_000, ..Room::default() },
    ] {
        let zip = within(room);
        assert!(zip != all && rows(&zip) <= rows(&all) && rows(&zip) <= room.rows, "{room:?}");
        let elsewhere = Place::importing(&zip);
        assert_eq!(elsewhere.items(), place.items(), "{room:?}");
    }
}

#[test]
fn a_long_text_that_packs_too_well_is_no_bomb() {
    let definition = json!({ "actions": {}, "x": "x".repeat(1_040_000), "y": "é".repeat(10) });
    let macros = [(Kind::Macro, "fab_long", json!({ "name": "Long", "definition": definition }))];
    check_round_trip(&Place::with(macros));
}
