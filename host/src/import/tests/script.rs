//! Scripts and macros.

use super::*;

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
