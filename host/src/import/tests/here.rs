//! Tests of what an import does to existing items.

use super::*;

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
    // The second import finds the app and does not make it.
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
