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
