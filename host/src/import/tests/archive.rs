//! Tests of whole archives: real ones, hostile ones, and arbitrary bytes.

use super::*;

#[test]
fn archives_that_are_no_solution_say_what_to_do() {
    let mut package = Files(vec![("data.xml".into(), b"<entities/>".to_vec())]);
    let refused = |files: &Files| plan(&files.zip(), &base()).unwrap_err().to_string();
    assert_eq!(
        refused(&package),
        "the archive is a Configuration Migration package (`data.xml`), which is not imported but upgraded from: use `loadout upgrade plan`"
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
