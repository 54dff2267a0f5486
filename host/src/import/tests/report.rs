//! Tests that everything that was read is in the report, and that a spoilt row harms no other.

use super::*;

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
        ("<msdyn_name>Phone</msdyn_name>", "", "msdyn_channelprovider", "fabrik_phone", "`msdyn_name` is missing"),
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
fn a_dependency_on_what_does_not_arrive_is_missing() {
    let dependent = "<Required type=\"msdyn_channelprovider\" id.msdyn_uniquename=\"fabrik_phone\" solution=\"Phones (1.0)\"/>\
                     <Dependent type=\"msdyn_appconfiguration\" id.msdyn_uniquename=\"fabrik_field\"/></MissingDependency>\
                     </MissingDependencies>";
    let files = Files::fabrikam().edited("</MissingDependencies>", &format!("<MissingDependency>{dependent}"));
    for (files, satisfied) in [(files.clone(), true), (files.edited("<msdyn_sortorder>0</msdyn_sortorder>", ""), false)]
    {
        let plan = planned(&files);
        let found = plan.report.dependencies.iter().find(|it| it.required_name == "fabrik_phone").unwrap();
        let outcome = account(&plan, "msdyn_channelprovider", "fabrik_phone");
        assert_eq!((found.satisfied, outcome.starts_with("created")), (satisfied, satisfied), "{outcome}");
        let warned = warnings(&plan, "dependency-missing").iter().any(|it| it.contains("`fabrik_phone`"));
        assert_eq!(warned, !satisfied);
    }
}
