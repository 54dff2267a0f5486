//! Profiles with their apps, panes and mappings.

use super::*;

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
fn the_custom_default_stays_active() {
    let here = applied(&base(), &planned(&Files::fabrikam()));
    let here = base_and(&here, Kind::DefaultProfile, "default-profile", json!({ "profile": "fabrik_field" }));
    let plan = plan(&Files::fabrikam().zip(), &here).unwrap();
    assert_eq!(item(&plan, "profiles", "fabrik_field").get("state"), None);
    assert_eq!(warnings(&plan, "default-stays-active").len(), 1);
}

/// Fabrikam with one more pane, which has a column of `bytes` bytes and is linked to `profiles` profiles.
fn shared_pane(bytes: usize, profiles: usize) -> Files {
    let mut files = Files::fabrikam();
    let mut links = String::new();
    for number in 0..profiles {
        files.row("msdyn_appconfiguration", &format!("fabrik_p{number}"), "<msdyn_name>P</msdyn_name>");
        links += &format!(
            "<link msdyn_appconfigurationid.msdyn_uniquename=\"fabrik_p{number}\" msdyn_paneconfigurationid.msdyn_uniquename=\"fabrik_big\" />"
        );
    }
    let column = format!("<msdyn_name>Big</msdyn_name><fabrik_column>{}</fabrik_column>", "x".repeat(bytes));
    files.row("msdyn_paneconfiguration", "fabrik_big", &column);
    files.edited("</ImportExportXml>", &format!("<linkset>{links}</linkset></ImportExportXml>"))
}

#[test]
fn a_pane_with_large_columns_is_copied_into_no_profile() {
    let column_of = |plan: &Plan, name: &str| {
        item(plan, "profiles", name)["source"]["attributes"]["msdyn_paneconfiguration/fabrik_big/fabrik_column"].clone()
    };
    let plan_of = |bytes| planned(&shared_pane(bytes, 3));
    let small = plan_of(60_000);
    assert_eq!(column_of(&small, "fabrik_p2").as_str().map(str::len), Some(60_000));
    let large = plan_of(70_000);
    assert!(column_of(&large, "fabrik_p2").is_null());
    insta::assert_snapshot!(account(&large, "msdyn_paneconfiguration", "fabrik_big"), @"quarantined: the columns of it that are kept have 70055 bytes, 65536 are the most: leave some out");
}

#[test]
fn copies_of_a_pane_end_where_a_library_would() {
    const MOST: usize = 1 << 20;
    let zip = shared_pane(60_000, 200).zip();
    let plan = plan_archive(Archive::read(&zip).unwrap(), &base(), By::Caller, OnConflict::Take, MOST).unwrap();
    let size = |change: &Change| match change {
        Change::Put { item, .. } => item.to_json().to_string().len(),
        _ => 0,
    };
    let made: usize = plan.changes.changes.iter().map(size).sum();
    assert!((MOST - 70_000..=MOST).contains(&made), "{made} bytes");
    let refused = "the archive would make more than 1048576 bytes of items: split it into several solutions";
    let refusals = |plan: &Plan| plan.report.links.iter().filter(|it| it.reason.as_deref() == Some(refused)).count();
    assert!((183..190).contains(&refusals(&plan)), "{} of two hundred", refusals(&plan));
    let plan = planned(&shared_pane(60_000, 200));
    assert_eq!(refusals(&plan), 0);
    let notes = plan.report.components.iter().map(|component| component.notes.len()).max();
    assert!(notes.unwrap() <= 101, "{notes:?}");
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
