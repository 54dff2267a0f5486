//! Session templates with their tabs, parameters and expressions.

use super::*;

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
