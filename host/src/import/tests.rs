//! A whole solution, end to end: one file of it changes per case.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Files, STOCK, STOCK_TWIN, applied, base, base_and};
use super::*;
use crate::domain::Kind;
use crate::store::{Change, Expect, Tolerated};

fn planned(files: &Files) -> Plan {
    plan(&files.zip(), &base()).unwrap()
}

/// The JSON of a planned item.
fn item(plan: &Plan, collection: &str, name: &str) -> Value {
    let wanted: Kind = collection.parse().unwrap();
    let found = plan.changes.changes.iter().find_map(|change| match change {
        Change::Put { name: planned, item, .. } if item.kind() == wanted && planned.as_ref() == name => Some(item),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{collection}/{name} is not planned")).to_json()
}

/// `table/source: outcome` and the notes of one component.
fn account(plan: &Plan, table: &str, source: &str) -> String {
    let all = plan.report.components.iter().filter(|it| it.table == table && it.source_name == source);
    let lines = all.map(|it| format!("{}: {}", json!(it.outcome).as_str().unwrap(), it.notes.join("; ")));
    lines.collect::<Vec<_>>().join(" | ")
}

fn warnings(plan: &Plan, code: &str) -> Vec<String> {
    let of_code = plan.report.warnings.iter().filter(|it| it.code == code);
    of_code.map(|it| format!("{}: {}", it.place, it.message)).collect()
}

#[test]
fn everything_that_is_read_is_accounted_for() {
    let files = Files::fabrikam();
    let plan = planned(&files);
    let lines: Vec<String> = plan
        .report
        .components
        .iter()
        .map(|it| {
            let place = it.collection.as_deref().zip(it.name.as_deref());
            let place = place.map_or(String::new(), |(collection, name)| format!(" {collection}/{name}"));
            format!("{}/{}: {}{place}", it.table, it.source_name, json!(it.outcome).as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let rows = files.0.iter().filter(|(path, _)| path.split('/').count() == 3).count();
    let derived = ["appmodule/", "Roles/"];
    let from_rows = lines.iter().filter(|line| !line.starts_with("workflow/") && !line.contains(" rank-and-roles/"));
    let mappings = lines
        .iter()
        .filter(|line| line.starts_with("msdyn_appprofilerolemapping/") && line.contains(" rank-and-roles/"));
    let from_rows = from_rows.filter(|line| !derived.iter().any(|it| line.starts_with(it))).count() + mappings.count();
    assert_eq!(from_rows, rows);
}

#[test]
fn every_link_is_accounted_for() {
    let plan = planned(&Files::fabrikam());
    let lines = plan
        .report
        .links
        .iter()
        .map(|it| format!("{} {:?} {}", it.ends.join(" "), it.outcome, it.reason.as_deref().unwrap_or_default()));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_warning_says_what_and_where() {
    let plan = planned(&Files::fabrikam());
    let lines = plan.report.warnings.iter().map(|it| format!("{} {}: {}", it.code, it.place, it.message));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_profile_arrives_with_its_links_and_parts() {
    let plan = planned(&Files::fabrikam());
    insta::assert_json_snapshot!(item(&plan, "profiles", "fabrik_desk"));
    let field = item(&plan, "profiles", "fabrik_field");
    assert_eq!(field["state"], "inactive");
    assert_eq!(field["apps"], json!(["fabrik_fieldapp"]));
    assert_eq!(field["smartAssist"], json!(["fabrik_similar"]));
    assert_eq!(field["channels"]["providers"], json!(["fabrik_phone"]));
    assert_eq!(field["productivityPane"], item(&plan, "profiles", "fabrik_desk")["productivityPane"]);
    assert_eq!(item(&plan, "apps", "fabrik_fieldapp")["name"], "fabrik_fieldapp");
    assert_eq!(item(&plan, "rank-and-roles", "fabrik_desk"), json!({ "rank": 7, "roles": ["csr"] }));
}

#[test]
fn an_app_is_known_by_its_name_or_an_alias() {
    for (app, expected) in [
        ("msdyn_CustomerServiceWorkspace", json!(["customer-service-workspace"])),
        ("customer-service-workspace", json!(["customer-service-workspace"])),
        ("CustomerServiceApps", json!([])),
    ] {
        let plan = planned(&Files::fabrikam().edited("fabrik_fieldapp", app));
        let field = item(&plan, "profiles", "fabrik_field");
        assert_eq!(
            (&field["apps"], &field["source"]["attributes"]["msdyn_appmoduleuniquename"]),
            (&expected, &json!(app))
        );
    }
    let plan = planned(&Files::fabrikam().edited("fabrik_fieldapp", &"x".repeat(129)));
    assert!(
        account(&plan, "msdyn_appconfiguration", "fabrik_field")
            .starts_with("quarantined: `msdyn_appmoduleuniquename`")
    );
}

#[test]
fn a_session_template_arrives_with_its_links() {
    let plan = planned(&Files::fabrikam());
    insta::assert_json_snapshot!(item(&plan, "session-templates", "fabrik_case"));
    let chat = item(&plan, "session-templates", "fabrik_chat");
    assert_eq!(
        (&chat["kind"], &chat["anchorTab"], &chat["entity"]),
        (&json!("generic"), &json!("msdyn_entityrecord"), &Value::Null)
    );
    assert_eq!(chat["source"]["attributes"]["msdyn_entity"], "account", "what a generic template cannot have is kept");
}

#[test]
fn the_session_kind_is_read_from_either_column() {
    for (from, to, expected) in [
        ("<msdyn_sessiontype>1</msdyn_sessiontype><msdyn_type>0</msdyn_type>", "<msdyn_type>1</msdyn_type>", "entity"),
        (
            "<msdyn_sessiontype>1</msdyn_sessiontype><msdyn_type>0</msdyn_type>",
            "<msdyn_sessiontype>1</msdyn_sessiontype>",
            "entity",
        ),
        ("<msdyn_sessiontype>1</msdyn_sessiontype>", "<msdyn_sessiontype>0</msdyn_sessiontype>", "generic"),
    ] {
        let plan = planned(&Files::fabrikam().edited(from, to));
        assert_eq!(item(&plan, "session-templates", "fabrik_case")["kind"], expected);
        assert_eq!(warnings(&plan, "session-kind-disagrees"), Vec::<String>::new());
    }
    let plan =
        planned(&Files::fabrikam().edited("<msdyn_sessiontype>1</msdyn_sessiontype><msdyn_type>0</msdyn_type>", ""));
    assert!(account(&plan, "msdyn_sessiontemplate", "fabrik_case").contains("neither `msdyn_sessiontype` nor"));
}

#[test]
fn parameter_rows_win_over_their_copy() {
    let plan = planned(&Files::fabrikam());
    let map = item(&plan, "application-tab-templates", "fabrik_map");
    let parameters = json!({ "data": " {anchor.city}\r", "only": null, "url": "https://maps.fabrikam.example/" });
    assert_eq!((&map["parameters"], &map["closable"]), (&parameters, &json!(true)));
    assert_eq!(
        warnings(&plan, "parameters-disagree"),
        [
            "msdyn_applicationtabtemplate/fabrik_map: parameter `data` is ` {anchor.city}\r` in its row and `{anchor.title}` in `msdyn_templateparameters`: the row counts"
        ]
    );
    let customer = item(&plan, "application-tab-templates", "fabrik_customer");
    assert_eq!(
        (&customer["parameters"], &customer["closable"]),
        (&json!({ "entityName": "contact", "formId": null }), &json!(false))
    );
    let by_hand = &customer["source"]["attributes"]["msdyn_templateparameter/entityName"];
    assert_eq!(by_hand, "fabrik_parameter_by_hand", "a name that cannot be made up again is kept");
    let plan = planned(&Files::fabrikam().edited("{\"url\":{\"value\"", "{\"url\":{{"));
    let map = item(&plan, "application-tab-templates", "fabrik_map");
    assert_eq!(map["parameters"]["url"], "https://maps.fabrikam.example/", "rows alone count when the copy is broken");
    assert_eq!(warnings(&plan, "parameters-unreadable").len(), 1);
}

#[test]
fn a_script_arrives_without_the_step_that_leads_nowhere() {
    let plan = planned(&Files::fabrikam());
    insta::assert_json_snapshot!(item(&plan, "scripts", "fabrik_return")["steps"]);
    assert_eq!(
        account(&plan, "msdyn_productivityagentscriptstep", "fabrik_step_lost"),
        "quarantined: the macro `55555555-aaaa-4bbb-8ccc-000000000005` is in no file and not here: add it to the solution"
    );
}

#[test]
fn a_macro_is_recognised_by_its_guid_and_named_otherwise() {
    let plan = planned(&Files::fabrikam());
    let stock = item(&plan, "macros", "fabrik_check_stock");
    assert_eq!((&stock["source"]["id"], &stock["state"]), (&json!(STOCK), &Value::Null), "1 is active for a process");
    assert_eq!(
        stock["name"],
        json!({ "default": "Check stock", "labels": { "1031": "Bestand", "1033": "Check stock" } })
    );
    let text = stock["definition"].as_str().expect("the spelling `\\/` survives only as text");
    assert!(text.contains(r#""https:\/\/fabrikam.example""#) && text.contains(r#"" {anchor.title}\r""#));
    let twin = item(&plan, "macros", "fabrik_check_stock_22222222");
    assert_eq!((&twin["source"]["id"], &twin["state"]), (&json!(STOCK_TWIN), &json!("inactive")));

    let known = json!({ "name": "Old", "definition": { "actions": {} }, "source": { "id": STOCK.to_uppercase() } });
    let here = base_and(&base(), Kind::Macro, "adas_own_name", known);
    let plan = super::plan(&Files::fabrikam().zip(), &here).unwrap();
    assert_eq!(item(&plan, "macros", "adas_own_name")["name"]["default"], "Check stock");
    assert_eq!(item(&plan, "scripts", "fabrik_return")["steps"][1]["action"]["macro"], "adas_own_name");

    let other = json!({ "name": "Made here", "definition": { "actions": {} } });
    let here = base_and(&base(), Kind::Macro, "fabrik_check_stock", other);
    let plan = super::plan(&Files::fabrikam().zip(), &here).unwrap();
    assert_eq!(item(&plan, "macros", "fabrik_check_stock_11111111")["source"]["id"], STOCK);
}

#[test]
fn a_prefix_against_the_authoring_rule_gives_way() {
    for prefix in ["", "fa", "fabrikam9", "fab-r"] {
        let files =
            Files::fabrikam().edited("<CustomizationPrefix>fabrik<", &format!("<CustomizationPrefix>{prefix}<"));
        assert_eq!(item(&planned(&files), "macros", "new_check_stock")["source"]["id"], STOCK, "{prefix}");
    }
}

#[test]
fn a_notification_template_arrives_with_its_fields_in_order() {
    let plan = planned(&Files::fabrikam());
    insta::assert_json_snapshot!(item(&plan, "notification-templates", "fabrik_incoming"));
}

#[test]
fn a_fifth_field_is_left_out() {
    let mut files = Files::fabrikam();
    let mut links = String::new();
    for extra in ["a", "b", "c"] {
        let columns = "<msdyn_title>t</msdyn_title><msdyn_value>v</msdyn_value><msdyn_order>9</msdyn_order>";
        files.row("msdyn_notificationfield", &format!("fabrik_extra_{extra}"), columns);
        links.push_str(&format!("<x msdyn_notificationtemplateid.u=\"fabrik_incoming\" msdyn_notificationfieldid.u=\"fabrik_extra_{extra}\" />"));
    }
    let set = "<msdyn_notificationtemplate_notificationfieldset>";
    let plan = planned(&files.edited(set, &format!("{set}{links}")));
    let fields = item(&plan, "notification-templates", "fabrik_incoming")["fields"].clone();
    assert_eq!(fields.as_array().unwrap().len(), 4);
    assert_eq!(warnings(&plan, "too-many-fields").len(), 1);
    assert!(
        account(&plan, "msdyn_notificationfield", "fabrik_extra_c").starts_with("skipped: no notification template")
    );
}

#[test]
fn a_row_that_cannot_be_read_is_quarantined_and_names_why() {
    for (from, to, table, name, expected) in [
        (
            "509180006",
            "509189999",
            "msdyn_applicationtabtemplate",
            "fabrik_map",
            "`msdyn_pagetype`: `509189999` is not a code it can have",
        ),
        (
            "162450001</msdyn_panelstate>",
            "7</msdyn_panelstate>",
            "msdyn_sessiontemplate",
            "fabrik_case",
            "`msdyn_panelstate`: `7` is not a code",
        ),
        (
            "192350000",
            "1",
            "msdyn_productivityagentscriptstep",
            "fabrik_step_greet",
            "`msdyn_actiontype`: `1` is not a code",
        ),
        (
            "829050003",
            "829050099",
            "msdyn_appcopilotconfiguration",
            "fabrik_copilot",
            "`msdyn_copilotfeature`: `829050099` is not a code",
        ),
        (
            "<msdyn_name>Field</msdyn_name>",
            "<msdyn_name default=\"LONG\" />",
            "msdyn_appconfiguration",
            "fabrik_field",
            "`msdyn_name`: the text has 101 characters, 100 are allowed",
        ),
        ("<msdyn_label>Phone</msdyn_label>", "", "msdyn_channelprovider", "fabrik_phone", "`msdyn_label` is missing"),
        (
            "<msdyn_sortorder>0",
            "<msdyn_sortorder>1001",
            "msdyn_channelprovider",
            "fabrik_phone",
            "`sortOrder`: 1001 is out of range",
        ),
        (
            "incident\"},{\"entity\":\"email",
            "star\"},{\"entity\":\"moon",
            "msdyn_inboxconfiguration",
            "fabrik_inbox",
            "`msdyn_configuration` names no record type",
        ),
    ] {
        let plan = planned(&Files::fabrikam().edited(from, &to.replace("LONG", &"x".repeat(101))));
        let found = account(&plan, table, name);
        assert!(found.starts_with(&format!("quarantined: {expected}")), "{found}");
        assert!(!plan.changes.changes.is_empty(), "nothing else fails");
    }
}

#[test]
fn a_quarantined_item_takes_its_parts_and_links_along() {
    let plan = planned(&Files::fabrikam().edited("509180001", "509189999"));
    assert!(
        account(&plan, "msdyn_templateparameter", "fabrik_customer_formId")
            .starts_with("skipped: there is no `fabrik_customer` here")
    );
    let tabs = item(&plan, "session-templates", "fabrik_case")["tabs"].clone();
    assert_eq!(tabs, json!([{ "template": "fabrik_map", "order": 0 }]));
    let out = plan.report.links.iter().find(|it| it.ends.iter().any(|end| end.ends_with("=fabrik_customer"))).unwrap();
    assert_eq!(out.outcome, LinkOutcome::LeftOut);
}

#[test]
fn a_spoilt_row_harms_no_other() {
    let path = "msdyn_smartassistconfigs/fabrik_similar/msdyn_smartassistconfig.xml";
    let mut files = Files::fabrikam();
    files.put(path, "<msdyn_smartassistconfig><oops>");
    files.put(
        "copies/elsewhere/msdyn_paneconfiguration.xml",
        "<msdyn_paneconfiguration msdyn_uniquename=\"fabrik_pane\" />",
    );
    let plan = planned(&files);
    assert!(
        account(&plan, "msdyn_smartassistconfig", path)
            .starts_with(&format!("quarantined: `{path}` is not readable at byte"))
    );
    // Paths are sorted, so the first one is the row and the later one its copy.
    let copied =
        plan.report.components.iter().find(|it| it.notes.iter().any(|note| note.starts_with("another file has")));
    assert_eq!(copied.unwrap().outcome, Outcome::Quarantined);
    assert_eq!(item(&plan, "profiles", "fabrik_field")["smartAssist"], json!([]));
}

#[test]
fn what_is_shipped_is_never_written() {
    let files = Files::fabrikam().edited("fabrik_field\"", "msdyn_shipped_profile\"");
    let plan = planned(&files);
    assert!(account(&plan, "msdyn_appconfiguration", "msdyn_shipped_profile").starts_with("skipped: "));
    let written = plan
        .changes
        .changes
        .iter()
        .any(|change| matches!(change, Change::Put { name, .. } if name.starts_with("msdyn_")));
    assert!(!written);
}

#[test]
fn what_the_archive_cannot_say_stays_as_it_is_here() {
    let here = json!({
        "name": "Old", "channels": { "allActive": true }, "inbox": { "enabled": false },
        "sessionTemplates": [], "copilot": { "features": { "write-an-email": true } },
        "productivityPane": { "tools": [{ "tool": "msdyn_callscript_tool_config", "settings": { "a": 1 } }] }
    });
    let here = base_and(&base(), Kind::Profile, "fabrik_desk", here);
    let here = base_and(&here, Kind::RankAndRoles, "fabrik_desk", json!({ "rank": 3, "roles": ["csr"] }));
    let files = Files::fabrikam().without("msdyn_appprofilerolemappings");
    let plan = plan(&files.zip(), &here).unwrap();
    let desk = item(&plan, "profiles", "fabrik_desk");
    assert_eq!((&desk["channels"]["allActive"], &desk["inbox"]["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(desk["productivityPane"]["tools"][1]["settings"], json!({ "a": 1 }));
    assert_eq!(desk["copilot"]["features"], json!({ "case-summary": true }), "what it can say is replaced");
    assert_eq!(item(&plan, "rank-and-roles", "fabrik_desk"), json!({ "rank": 7, "roles": ["csr"] }));
    let revisions: Vec<_> = plan
        .changes
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Put { name, item, expect, .. } if item.kind() == Kind::Profile => Some((name.to_string(), *expect)),
            _ => None,
        })
        .collect();
    let seen = here.entry(Kind::Profile, "fabrik_desk").unwrap().revision;
    assert_eq!(
        revisions,
        [("fabrik_desk".to_owned(), Expect::Revision(seen)), ("fabrik_field".to_owned(), Expect::Absent)]
    );
}

#[test]
fn the_custom_default_stays_active() {
    let here = applied(&base(), &planned(&Files::fabrikam()));
    let here = base_and(&here, Kind::DefaultProfile, "default-profile", json!({ "profile": "fabrik_field" }));
    let plan = plan(&Files::fabrikam().zip(), &here).unwrap();
    assert_eq!(item(&plan, "profiles", "fabrik_field").get("state"), None);
    assert_eq!(warnings(&plan, "default-stays-active").len(), 1);
}

#[test]
fn a_pane_without_a_link_goes_where_it_is_already() {
    let here = applied(&base(), &planned(&Files::fabrikam()));
    let files = Files::fabrikam()
        .edited(
            "msdyn_paneconfigurationid.msdyn_uniquename=\"fabrik_pane\"",
            "msdyn_paneconfigurationid.u=\"fabrik_other\"",
        )
        .edited("<msdyn_panemode>0", "<msdyn_panemode>1")
        .without("msdyn_appconfigurations/");
    let plan = plan(&files.zip(), &here).unwrap();
    for profile in ["fabrik_desk", "fabrik_field"] {
        assert_eq!(item(&plan, "profiles", profile)["productivityPane"]["mode"], "expanded");
    }
    let nowhere = planned(&files);
    assert_eq!(
        account(&nowhere, "msdyn_paneconfiguration", "fabrik_pane"),
        "skipped: no profile is linked to the pane"
    );
}

#[test]
fn a_pane_is_found_by_the_column_where_there_is_no_link() {
    let column = "<msdyn_productivitypaneuniquename>fabrik_pane</msdyn_productivitypaneuniquename><msdyn_name>Field<";
    let linked = Files::fabrikam().edited("<msdyn_name>Field<", column);
    let unlinked = linked.edited("msdyn_paneconfigurationid.msdyn_uniquename=", "other.msdyn_uniquename=");
    for files in [linked, unlinked] {
        let pane = item(&planned(&files), "profiles", "fabrik_field")["productivityPane"].clone();
        assert_eq!(pane["uniqueName"], "fabrik_pane");
    }
    let lost = Files::fabrikam()
        .edited("<msdyn_name>Field<", &column.replace(">fabrik_pane<", ">fabrik_lost<"))
        .edited("msdyn_paneconfigurationid.msdyn_uniquename=", "other.msdyn_uniquename=");
    assert_eq!(warnings(&planned(&lost), "pane-missing").len(), 1);
}

#[test]
fn an_expression_that_cannot_be_read_is_kept_and_not_used() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for expression in ["{\"actions\":7}", "no JSON", deep.as_str()] {
        let from = "{\"actions\":{\"Set\":{\"type\":\"Set_default_agent_script\",\"inputs\":{\"ScriptId\":\"{77777777-AAAA-4BBB-8CCC-000000000007}\"}}}}";
        let plan = planned(&Files::fabrikam().edited(from, expression));
        let template = item(&plan, "session-templates", "fabrik_case");
        assert_eq!(template.get("defaultScript"), None);
        assert_eq!(template["source"]["attributes"]["msdyn_expressiondata"], expression);
        assert_eq!(warnings(&plan, "expression-unreadable").len(), 1);
    }
}

#[test]
fn a_macro_without_its_definition_is_quarantined_and_a_definition_without_macro_is_named() {
    let mut files = Files::fabrikam().without("Workflows/Checkstock-1.json");
    files.put("Workflows/Stray.json", "{}");
    let plan = planned(&files);
    assert!(
        account(&plan, "workflow", STOCK)
            .starts_with("quarantined: its definition `Workflows/Checkstock-1.json` is not in")
    );
    assert!(
        account(&plan, "msdyn_productivityagentscriptstep", "fabrik_step_stock")
            .starts_with("quarantined: the macro `{11111111")
    );
    assert_eq!(account(&plan, "Workflows", "Workflows/Stray.json"), "skipped: files of this sort are not read");
}

#[test]
fn parts_alone_are_put_into_what_is_here() {
    let first = planned(&Files::fabrikam());
    let here = applied(&base(), &first);
    let files = Files::fabrikam()
        .without("msdyn_applicationtabtemplates/fabrik_map")
        .without("msdyn_productivityagentscripts/fabrik_return")
        .edited("https://maps.fabrikam.example/<", "https://charts.fabrikam.example/<")
        .edited("Say hello to", "Greet");
    let plan = plan(&files.zip(), &here).unwrap();
    let map = item(&plan, "application-tab-templates", "fabrik_map");
    assert_eq!((&map["name"], &map["parameters"]["url"]), (&json!("Map"), &json!("https://charts.fabrikam.example/")));
    let steps = item(&plan, "scripts", "fabrik_return")["steps"].clone();
    assert_eq!(
        (steps.as_array().unwrap().len(), &steps[0]["action"]["instruction"]),
        (3, &json!("Greet {customerName}"))
    );
    assert!(account(&plan, "msdyn_applicationtabtemplate", "fabrik_map").starts_with("updated: is here already"));
}

#[test]
fn planning_again_changes_nothing() {
    let files = Files::fabrikam();
    let first = planned(&files);
    let again = plan(&files.zip(), &applied(&base(), &first)).unwrap();
    assert!(again.changes.changes.is_empty(), "{:#?}", again.changes.changes);
    let (before, now) = (first.report.counts, again.report.counts);
    // The app is known the second time and no longer made.
    assert_eq!(now.unchanged + 1, before.created + before.merged);
    assert_eq!((now.created, now.updated, now.merged), (0, 0, 0));
    assert!(again.report.links.iter().all(|link| link.outcome != LinkOutcome::Linked));
}

#[test]
fn the_order_of_files_decides_nothing() {
    let files = Files::fabrikam();
    let mut reversed = files.clone();
    reversed.0.reverse();
    let form = |plan: &Plan| (format!("{:?}", plan.changes), plan.report.clone());
    assert_eq!(form(&planned(&files)), form(&planned(&reversed)));
}

#[test]
fn managed_solutions_are_marked() {
    let plan = planned(&Files::fabrikam().edited("<Managed>0", "<Managed>1"));
    assert!(plan.report.solution.managed);
    assert_eq!(item(&plan, "profiles", "fabrik_desk")["source"]["managed"], true);
    assert_eq!(item(&plan, "macros", "fabrik_check_stock")["source"]["managed"], true);
}

#[test]
fn what_the_store_tolerated_or_refused_joins_the_report() {
    let mut report = planned(&Files::fabrikam()).report;
    let problem = crate::domain::Problem { attribute: "rank".into(), message: "7 is taken".into(), tolerable: true };
    report.tolerate(&[Tolerated { kind: Kind::RankAndRoles, name: "fabrik_desk".into(), problem }]);
    let note = |it: &Component| {
        it.collection.as_deref() == Some("rank-and-roles") && it.notes.contains(&"`rank`: 7 is taken".to_owned())
    };
    assert!(report.components.iter().any(note));
    assert_eq!(report.warnings.last().unwrap().place, "rank-and-roles/fabrik_desk");
    let before = report.counts;
    report.downgrade(Kind::SessionTemplate, "fabrik_case", "refused");
    assert_eq!(report.counts.links_left_out, before.links_left_out + 4);
    assert_eq!(report.counts.quarantined, before.quarantined + 1);
}

#[test]
fn archives_that_are_no_solution_say_what_to_do() {
    let mut package = Files(vec![("data.xml".into(), b"<entities/>".to_vec())]);
    let refused = |files: &Files| plan(&files.zip(), &base()).unwrap_err().to_string();
    assert_eq!(
        refused(&package),
        "the archive is a Configuration Migration package (`data.xml`), which is not read yet: export the profiles as a solution instead"
    );
    package.0[0].0 = "readme.txt".into();
    assert!(refused(&package).starts_with("the archive is no exported solution: `solution.xml` is not in it"));
    assert!(refused(&Files::fabrikam().without("customizations.xml")).contains("`customizations.xml` is not in it"));
    assert!(
        refused(&Files::fabrikam().edited("SolutionManifest", "Other"))
            .starts_with("`solution.xml` describes no solution")
    );
    assert!(
        refused(&Files::fabrikam().edited("</Publisher>", "")).starts_with("`solution.xml` is not readable at byte")
    );
}

#[test]
fn a_hostile_document_refuses_the_archive() {
    let mut bomb = Files::fabrikam();
    bomb.row("msdyn_x", "x", "");
    bomb.put("msdyn_xs/x/msdyn_x.xml", "<!DOCTYPE x [<!ENTITY a \"b\">]><msdyn_x>&a;</msdyn_x>");
    assert!(plan(&bomb.zip(), &base()).unwrap_err().to_string().contains("it contains a DOCTYPE"));
    bomb.put("msdyn_xs/x/msdyn_x.xml", "<a>".repeat(100_000));
    assert!(plan(&bomb.zip(), &base()).unwrap_err().to_string().contains("nested deeper than 64 levels"));
}

#[test]
fn a_real_export_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/exports/contoso_solution_2023.zip");
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/exports/contoso_solution_2023.zip");
    let Some(zip) = [path, near].iter().find_map(|path| std::fs::read(path).ok()) else {
        println!("no real export at hand: nothing is checked");
        return;
    };
    let plan = plan(&zip, &base()).unwrap();
    let of = |collection: &str| {
        let wanted: Kind = collection.parse().unwrap();
        plan.changes
            .changes
            .iter()
            .filter(move |it| matches!(it, Change::Put { item, .. } if item.kind() == wanted))
            .count()
    };
    assert_eq!(
        [of("profiles"), of("session-templates"), of("application-tab-templates"), of("scripts"), of("macros")],
        [1, 1, 2, 1, 3]
    );
    let profile = item(&plan, "profiles", "new_agentprofile_contoso");
    assert_eq!(profile["apps"], json!([]));
    assert!(
        account(&plan, "msdyn_appconfiguration", "new_agentprofile_contoso").contains("names every app of the family")
    );
    let pane = &profile["productivityPane"];
    let tools: Vec<_> =
        pane["tools"].as_array().unwrap().iter().map(|tool| (&tool["order"], &tool["enabled"])).collect();
    assert_eq!(pane["mode"], "collapsed");
    assert_eq!(tools, [(&json!(10), &json!(true)), (&json!(20), &json!(true)), (&json!(30), &json!(true))]);
    let template = item(&plan, "session-templates", "new_template_contoso_cases");
    assert_eq!(template["tabs"].as_array().unwrap().len(), 2);
    let tabs = ["new_apptabtemplate_bing", "new_apptabtemplate_customer"];
    let parameters =
        tabs.iter().map(|tab| item(&plan, "application-tab-templates", tab)["parameters"].as_object().unwrap().len());
    assert_eq!(parameters.sum::<usize>(), 12);
    let script = item(&plan, "scripts", "new_agentscript_support");
    let steps: Vec<_> =
        script["steps"].as_array().unwrap().iter().map(|step| step["action"]["macro"].as_str()).collect();
    assert_eq!(steps.len(), 4);
    for runs in steps.into_iter().flatten() {
        assert!(item(&plan, "macros", runs)["source"]["id"].is_string());
    }
    assert_eq!((plan.report.counts.quarantined, plan.report.counts.dependencies_missing), (0, 0));
    let again = super::plan(&zip, &applied(&base(), &plan)).unwrap();
    assert!(again.changes.changes.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(plan(&bytes, &base()).is_err());
    }

    #[test]
    fn a_damaged_archive_is_answered(at in 0usize..20_000, byte in any::<u8>(), cut in 0usize..20_000) {
        let mut zip = Files::fabrikam().zip();
        let at = at % zip.len();
        zip[at] = byte;
        let _ = plan(&zip, &base());
        zip.truncate(cut % zip.len());
        prop_assert!(plan(&zip, &base()).is_err());
    }

    #[test]
    fn any_values_are_answered_and_planned_once(
        file in 0usize..64, from in 0usize..400, text in "[a-z0-9<>/&;=\"{}_ -]{0,12}",
    ) {
        let mut files = Files::fabrikam();
        let file = file % files.0.len();
        let content = &mut files.0[file].1;
        let from = from % content.len().max(1);
        content.splice(from..from, text.bytes());
        if let Ok(first) = plan(&files.zip(), &base()) {
            let again = plan(&files.zip(), &applied(&base(), &first)).unwrap();
            prop_assert!(again.changes.changes.is_empty(), "{:?}", again.changes.changes);
        }
    }
}
