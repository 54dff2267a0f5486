//! Tests of direct assignments in an archive.

use super::*;
use crate::domain::{Name, Profile, SecondAssignment, User};

/// The outcome of every assignment in `content`, where `ada` exists, `bob` exists and is assigned, and no other person
/// exists.
fn assigned(content: &str, second: SecondAssignment) -> String {
    let mut files = Files::fabrikam();
    files.put("loadout/assignments.json", content);
    let mut plan = planned(&files);
    plan.assign(second, |login: &Name<User>| {
        Ok::<Option<Vec<Name<Profile>>>, ()>(match login.as_str() {
            "ada" => Some(Vec::new()),
            "bob" => Some(vec!["fabrik_desk".parse().unwrap()]),
            _ => None,
        })
    })
    .unwrap();
    let changes = plan.changes.changes.iter().filter_map(|change| match change {
        Change::Assign { profile, login } => Some(format!("assign {profile}/{login}")),
        _ => None,
    });
    let accounts = plan.report.components.iter().filter(|it| it.table.starts_with("loadout"));
    let accounts = accounts
        .map(|it| format!("{} {}: {}", it.source_name, json!(it.outcome).as_str().unwrap(), it.notes.join("; ")));
    accounts.map(|line| line.trim_end().to_owned()).chain(changes).collect::<Vec<_>>().join("\n")
}

#[test]
fn people_who_are_here_are_assigned_and_others_are_named() {
    let content = r#"{"ada": ["fabrik_desk", "fabrik_field"], "bob": ["fabrik_field"], "eve": ["fabrik_desk"],
        "emi": ["msdyn_shipped_profile"], "": ["fabrik_desk"], "dan": ["fabrik_gone"]}"#;
    insta::assert_snapshot!(assigned(content, SecondAssignment::Replaces), @r"
    fabrik_desk/ quarantined: `` cannot name a user: it is empty
    fabrik_desk/ada created:
    fabrik_field/ada skipped: a person has one profile per app, and `fabrik_desk` comes first
    fabrik_field/bob created: `fabrik_desk` was assigned before, and gives way where both are for one app
    fabrik_gone/dan quarantined: there is no `fabrik_gone` here, and no readable one in the archive: import a profile of that name first
    msdyn_shipped_profile/emi skipped: there is no person `emi` here: create the person, then import again
    fabrik_desk/eve skipped: there is no person `eve` here: create the person, then import again
    assign fabrik_desk/ada
    assign fabrik_field/bob
    ");
    let refused = assigned(content, SecondAssignment::IsRefused);
    let assigns: Vec<_> = refused.lines().filter(|line| line.starts_with("assign ")).collect();
    assert_eq!(assigns, ["assign fabrik_desk/ada"], "a person with a profile gets no other: {refused}");
}

#[test]
fn assignments_that_cannot_be_read_are_quarantined() {
    let account = assigned(r#"{"ada": "fabrik_desk"}"#, SecondAssignment::Replaces);
    insta::assert_snapshot!(account, @r#"loadout/assignments.json quarantined: `loadout/assignments.json` is no list of profiles by login: invalid type: string "fabrik_desk", expected a sequence at line 1 column 21"#);
}
