//! Tests of an add-on: it has rows that are parts of items from another solution.

use super::*;

/// An add-on of another publisher: a tool, and its place in the pane `pane`.
fn counter(pane: &str) -> Files {
    let mut files = Files(Vec::new());
    files.put(
        "solution.xml",
        "<ImportExportXml><SolutionManifest><UniqueName>Counter</UniqueName><Version>1.0.0.0</Version>\
         <Managed>0</Managed><Publisher><CustomizationPrefix>adat</CustomizationPrefix></Publisher>\
         </SolutionManifest></ImportExportXml>",
    );
    files.put("customizations.xml", "<ImportExportXml/>");
    files.row(
        "msdyn_panetoolconfiguration",
        "adat_counter_tool",
        "<msdyn_category>100000001</msdyn_category><msdyn_controlname>adat_Counter.PaneView</msdyn_controlname>\
         <msdyn_description>סופר את הפריטים בהזמנה.</msdyn_description><msdyn_isglobal>0</msdyn_isglobal>\
         <msdyn_name default=\"Counter - מונה\"><label description=\"Counter - מונה\" languagecode=\"1033\"/></msdyn_name>\
         <msdyn_type>0</msdyn_type>",
    );
    files.row(
        "msdyn_panetabconfiguration",
        "adat_counter_tab",
        &format!(
            "<msdyn_isenabled>1</msdyn_isenabled><msdyn_name>Counter tab</msdyn_name><msdyn_order>25</msdyn_order>\
             <msdyn_productivitypaneid><msdyn_uniquename>{pane}</msdyn_uniquename></msdyn_productivitypaneid>\
             <msdyn_toolid><msdyn_uniquename>adat_counter_tool</msdyn_uniquename></msdyn_toolid>\
             <msdyn_tooltip default=\"Counter - מונה\"/>"
        ),
    );
    files
}

fn with_fabrikam() -> Snapshot {
    applied(&base(), &planned(&Files::fabrikam()))
}

fn tools(profile: &Value) -> Vec<String> {
    let tools = profile["productivityPane"]["tools"].as_array().unwrap();
    tools.iter().map(|tool| format!("{} {}", tool["tool"].as_str().unwrap(), tool["order"])).collect()
}

#[test]
fn a_tool_of_an_add_on_goes_into_the_pane_that_is_here() {
    let here = with_fabrikam();
    let before = here.entry(Kind::Profile, "fabrik_desk").unwrap().item.to_json();
    let files = counter("fabrik_pane");
    let plan = plan(&files.zip(), &here).unwrap();
    let desk = item(&plan, "profiles", "fabrik_desk");
    let (mut expected, after) = (tools(&before), tools(&desk));
    let at = after.iter().position(|tool| tool == "adat_counter_tool 25").unwrap();
    expected.insert(at, "adat_counter_tool 25".to_owned());
    assert_eq!(after, expected, "the others keep their places");
    let placed = &desk["productivityPane"]["tools"][at];
    assert_eq!((&placed["enabled"], &placed["tooltip"]), (&json!(true), &json!("Counter - מונה")));
    assert_eq!(desk["source"]["attributes"]["msdyn_panetabconfiguration/adat_counter_tab/msdyn_name"], "Counter tab");
    assert_eq!(
        account(&plan, "msdyn_panetabconfiguration", "adat_counter_tab"),
        "merged: copied into `fabrik_field`, too"
    );
    let tool = item(&plan, "pane-tools", "adat_counter_tool");
    assert_eq!(
        json!([tool["control"], tool["controlType"], tool["category"], tool["global"], tool["description"]]),
        json!(["adat_Counter.PaneView", "control", "agent-guidance", false, "סופר את הפריטים בהזמנה."])
    );

    let there = applied(&here, &plan);
    let again = super::super::plan(&files.zip(), &there).unwrap();
    assert!(again.changes.changes.is_empty(), "{:#?}", again.changes.changes);
    assert!(account(&again, "msdyn_panetabconfiguration", "adat_counter_tab").starts_with("unchanged"));
}

#[test]
fn a_pane_is_known_by_its_name_or_by_that_of_its_profile() {
    let here = base_and(&with_fabrikam(), Kind::Profile, "fabrik_new", json!({ "name": "Made here" }));
    for (pane, expected) in [
        ("fabrik_pane", "merged"),
        ("fabrik_new_pp", "merged"),
        // The pane of this profile has a name of its own.
        ("fabrik_desk_pp", "skipped: the pane `fabrik_desk_pp` is not in the archive, and no profile here has it"),
        ("adat_nowhere_pp", "skipped: the pane `adat_nowhere_pp` is not in the archive, and no profile here has it"),
        ("msdyn_shipped_profile_pp", "skipped: `msdyn_shipped_profile` is shipped with the product and is not changed"),
    ] {
        let plan = plan(&counter(pane).zip(), &here).unwrap();
        let said = account(&plan, "msdyn_panetabconfiguration", "adat_counter_tab");
        assert!(said.starts_with(expected), "{pane}: {said}");
        assert_eq!(account(&plan, "msdyn_panetoolconfiguration", "adat_counter_tool"), "created: ", "{pane}");
        assert_eq!(plan.report.counts.quarantined, 0, "{pane}");
    }
}

#[test]
fn a_pane_that_cannot_be_read_is_not_the_one_that_is_here() {
    let here = with_fabrikam();
    let mut files = counter("fabrik_pane");
    files.row("msdyn_paneconfiguration", "fabrik_pane", "<msdyn_panemode>sideways</msdyn_panemode>");
    let plan = plan(&files.zip(), &here).unwrap();
    assert_eq!(
        account(&plan, "msdyn_panetabconfiguration", "adat_counter_tab"),
        "skipped: there is no readable pane `fabrik_pane` in the archive"
    );
}

#[test]
fn a_profile_keeps_the_pane_that_the_archive_only_names() {
    let here = with_fabrikam();
    let before = here.entry(Kind::Profile, "fabrik_desk").unwrap().item.to_json();
    let files = Files::fabrikam()
        .without("msdyn_paneconfigurations")
        .without("msdyn_panetabconfigurations")
        .edited("Returns desk", "Returns counter");
    let plan = plan(&files.zip(), &here).unwrap();
    let desk = item(&plan, "profiles", "fabrik_desk");
    assert_eq!(desk["productivityPane"], before["productivityPane"]);
    assert_eq!(desk["source"]["attributes"], before["source"]["attributes"]);
    let link = plan.report.links.iter().find(|link| link.ends.iter().any(|end| end.ends_with("=fabrik_pane")));
    assert_eq!(link.unwrap().outcome, LinkOutcome::Linked);
}
