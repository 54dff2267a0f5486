//! Tests of the changes that a change set may make, and of those that are refused.

use serde_json::{Value, json};

use super::*;
use crate::domain::access::{AccessRole, Caller};
use crate::domain::{AnyItem, DefaultProfile, Kind, Revision, Unsigned};
use crate::store::{AuditFilter, Authority, Change, Displaced, Expect, Strictness};

struct Desk {
    store: Store,
    _folder: tempfile::TempDir,
}

impl Desk {
    /// Returns a store with a shipped profile, two roles, two people and two custom profiles.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self { store: Store::open(folder.path()).unwrap(), _folder: folder };
        let shipped = ChangeSet {
            authority: Authority::Product,
            ..ChangeSet::new([
                put("profiles", "msdyn_oob", json!({"name": "OOB"})),
                put("apps", "workspace", json!({"name": "Workspace", "aliases": ["msdyn_Workspace"]})),
                put(
                    "pane-tools",
                    "msdyn_callscript_tool_config",
                    json!({"name": "Scripts", "kind": "scripts", "control": "x"}),
                ),
            ])
        };
        desk.store.commit(shipped, &author()).unwrap();
        desk.given(&[
            ("security-roles", "csr", json!({"name": "Customer Service Representative"})),
            ("security-roles", "agent", json!({"name": "Agent"})),
            ("users", "kayla", json!({"displayName": "Kayla", "roles": ["csr"]})),
            ("users", "malik", json!({"displayName": "Malik"})),
            ("session-templates", "new_case", json!({"name": "Case", "kind": "entity", "entity": "incident"})),
            ("profiles", "new_one", json!({"name": "One", "sessionTemplates": ["new_case"]})),
            ("profiles", "new_two", json!({"name": "Two"})),
        ]);
        desk
    }

    fn given(&self, items: &[(&str, &str, Value)]) {
        self.does(items.iter().map(|(kind, name, json)| put(kind, name, json.clone())));
    }

    fn does(&self, changes: impl IntoIterator<Item = Change>) {
        self.store.commit(ChangeSet::new(changes), &author()).unwrap();
    }

    /// Returns the refusal of `changes`. Checks that nothing was written.
    fn refuses(&self, changes: impl IntoIterator<Item = Change>) -> String {
        let before = self.store.newest().unwrap();
        let error = self.store.commit(ChangeSet::new(changes), &author()).unwrap_err();
        assert_eq!(self.store.newest().unwrap(), before, "a refused change makes no revision");
        assert_eq!(self.store.snapshot().unwrap().revision(), before);
        error.to_string()
    }
}

fn author() -> Author {
    Author::new("test", "")
}

fn put(kind: &str, name: &str, json: Value) -> Change {
    let kind = kind.parse().unwrap();
    Change::put(name, AnyItem::parse(kind, name, json).unwrap())
}

fn delete(kind: Kind, name: &str, force: bool) -> Change {
    Change::Delete { kind, name: name.into(), expect: Expect::Anything, force }
}

fn assign(profile: &str, login: &str) -> Change {
    Change::Assign { profile: profile.parse().unwrap(), login: login.parse().unwrap() }
}

#[test]
fn what_may_not_be_written_is_refused_with_a_sentence() {
    let desk = Desk::new();
    desk.does([
        put("rank-and-roles", "new_one", json!({"rank": 1, "roles": ["csr"]})),
        put("default-profile", DefaultProfile::NAME, json!({"profile": "new_two"})),
    ]);
    let refusals = [
        desk.refuses([put("profiles", "one", json!({"name": "x"}))]),
        desk.refuses([put("profiles", "msdyn_oob", json!({"name": "x"}))]),
        desk.refuses([put(
            "profiles",
            "new_x",
            json!({"name": "x", "sessionTemplates": ["new_gone"], "apps": ["nowhere"]}),
        )]),
        desk.refuses([put("users", "nina", json!({"displayName": "Nina", "roles": ["nobody"]}))]),
        desk.refuses([
            put("session-templates", "new_other", json!({"name": "x", "kind": "entity", "entity": "incident"})),
            put("profiles", "new_one", json!({"name": "x", "sessionTemplates": ["new_case", "new_other"]})),
        ]),
        desk.refuses([put(
            "workstreams",
            "chat",
            json!({"name": "x", "channel": "chat", "sessionTemplate": "new_case"}),
        )]),
        desk.refuses([put("rank-and-roles", "new_two", json!({"rank": 2, "roles": ["csr"]}))]),
        desk.refuses([
            put("profiles", "new_three", json!({"name": "3"})),
            put("rank-and-roles", "new_three", json!({"rank": 1, "roles": ["agent"]})),
        ]),
        desk.refuses([put("rank-and-roles", "msdyn_oob", json!({"rank": 5, "roles": ["agent"]}))]),
        desk.refuses([put("default-profile", DefaultProfile::NAME, json!({"profile": "msdyn_oob"}))]),
        desk.refuses([put("profiles", "new_two", json!({"name": "Two", "state": "inactive"}))]),
        desk.refuses([delete(Kind::SessionTemplate, "new_case", false)]),
        desk.refuses([delete(Kind::SecurityRole, "csr", false)]),
        desk.refuses([delete(Kind::Profile, "new_two", false)]),
        desk.refuses([delete(Kind::Profile, "new_gone", false)]),
        desk.refuses([assign("new_one", "nobody")]),
        desk.refuses([assign("new_gone", "kayla")]),
        desk.refuses([Change::Put {
            name: "new_one".into(),
            item: AnyItem::parse(Kind::Profile, "new_one", json!({"name": "x"})).unwrap(),
            expect: Expect::Revision(Revision(1)),
        }]),
        desk.refuses([Change::Put {
            name: "new_one".into(),
            item: AnyItem::parse(Kind::Profile, "new_one", json!({"name": "x"})).unwrap(),
            expect: Expect::Absent,
        }]),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn what_breaks_a_bound_is_refused_however_it_is_written() {
    let desk = Desk::new();
    let names = |count: usize| -> Value { (0..count).map(|number| format!("name{number}")).collect() };
    let apps = put("apps", "many", json!({"name": "x", "aliases": names(101)}));
    let refusals = [
        desk.refuses([apps.clone()]),
        desk.refuses([put("queues", "desk", json!({"name": "\u{1b}[2J"}))]),
        desk.refuses([put("users", "nina", json!({"displayName": "\u{9b}2J"}))]),
        desk.refuses([put("users", "kay\u{200b}la", json!({"displayName": "Kayla"}))]),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r"
    app `many` is not valid: `aliases`: it has 101 entries, 100 are the most: leave some out
    queue `desk` is not valid: `name`: it has a control character other than tab, line feed and carriage return: take it out
    user `nina` is not valid: `displayName`: it has a control character other than tab, line feed and carriage return: take it out
    `kay\u{200b}la` cannot name a user: it contains the character U+200B, which is not seen: leave it out
    ");
    let lost = desk.refuses([put("profiles", "new_many", json!({"name": "x", "sessionTemplates": names(1_000)}))]);
    assert!(lost.ends_with(" and at least 15 more: create what is missing first, or correct the name"), "{lost}");
    let archive = ChangeSet { strictness: Strictness::Report, ..ChangeSet::new([apps]) };
    assert!(desk.store.commit(archive, &author()).is_err());
    let late = put("queues", "desk", json!({"name": "\u{9b}2J"}));
    let archive = ChangeSet { strictness: Strictness::Report, ..ChangeSet::new([late]) };
    let tolerated = desk.store.commit(archive, &author()).unwrap().tolerated;
    assert_eq!(tolerated.len(), 1, "content that exists elsewhere may have such characters: {tolerated:?}");
}

#[test]
fn what_an_older_host_took_is_read_and_mended_and_no_more_is_added() {
    let desk = Desk::new();
    desk.given(&[("queues", "desk", json!({"name": "Desk"}))]);
    let Desk { store, _folder: folder } = desk;
    drop(store);
    let labels = |count: usize| {
        let labels: serde_json::Map<_, _> = (0..count).map(|number| (number.to_string(), json!("x"))).collect();
        json!({"name": {"default": "Desk", "labels": labels}})
    };
    let connection = Connection::open(folder.path().join(Store::FILE)).unwrap();
    let plant = "UPDATE item SET body = ?1 WHERE name = 'desk'";
    assert_eq!(connection.execute(plant, [labels(300).to_string()]).unwrap(), 1);
    drop(connection);
    let desk = Desk { store: Store::open(folder.path()).unwrap(), _folder: folder };
    let refused = desk.refuses([put("queues", "desk", labels(301))]);
    insta::assert_snapshot!(refused, @"queue `desk` is not valid: `name.labels`: it has 301 entries, 200 are the most: leave some out");
    desk.given(&[("queues", "desk", labels(300)), ("queues", "desk", labels(250)), ("queues", "desk", labels(200))]);
}

#[test]
fn a_change_that_changes_nothing_makes_no_revision() {
    let desk = Desk::new();
    let before = desk.store.newest().unwrap();
    desk.does([
        put("profiles", "new_two", json!({"name": "Two"})),
        put("users", "malik", json!({"displayName": "Malik"})),
    ]);
    assert_eq!(desk.store.newest().unwrap(), before);
    let snapshot = desk.store.snapshot().unwrap();
    assert!(snapshot.entry(Kind::Profile, "new_two").unwrap().revision <= before);
}

#[test]
fn items_of_one_change_set_may_name_each_other_in_any_order() {
    let desk = Desk::new();
    desk.does([
        put("profiles", "new_x", json!({"name": "X", "sessionTemplates": ["new_acct"]})),
        put("session-templates", "new_acct", json!({"name": "A", "kind": "entity", "entity": "account"})),
    ]);
    assert_eq!(desk.store.snapshot().unwrap().active_links(Kind::Profile, "new_x", "sessionTemplates"), ["new_acct"]);
}

#[test]
fn references_are_stored_under_their_own_names() {
    let desk = Desk::new();
    desk.given(&[
        (
            "profiles",
            "new_x",
            json!({"name": "X", "apps": ["msdyn_Workspace"], "productivityPane": {"tools": [{"tool": "scripts"}]}}),
        ),
        ("users", "nina", json!({"displayName": "Nina", "roles": ["Customer Service Representative"]})),
    ]);
    let snapshot = desk.store.snapshot().unwrap();
    assert_eq!(snapshot.active_links(Kind::Profile, "new_x", "apps"), ["workspace"]);
    assert_eq!(
        snapshot.active_links(Kind::Profile, "new_x", "productivityPane.tools"),
        ["msdyn_callscript_tool_config"]
    );
    assert_eq!(desk.store.user("nina").unwrap().unwrap().0.roles.first().unwrap().as_str(), "csr");
}

#[test]
fn no_app_takes_a_name_that_another_answers_to() {
    let desk = Desk::new();
    let taken =
        [("other", json!(["msdyn_Workspace"])), ("msdyn_Workspace", json!([])), ("third", json!(["workspace"]))];
    let told = taken.map(|(name, aliases)| desk.refuses([put("apps", name, json!({"name": "x", "aliases": aliases}))]));
    insta::assert_snapshot!(told.join("\n"), @r"
    app `other` is not valid: `aliases`: app `workspace` answers to `msdyn_Workspace` already: choose another, or take it from there
    app `msdyn_Workspace` is not valid: `aliases`: app `workspace` answers to `msdyn_Workspace` already: choose another, or take it from there
    app `third` is not valid: `aliases`: app `workspace` answers to `workspace` already: choose another, or take it from there
    ");
    desk.given(&[("apps", "other", json!({"name": "x", "aliases": ["msdyn_Other", "other"]}))]);
}

#[test]
fn a_second_direct_assignment_replaces_the_first_where_they_meet() {
    let desk = Desk::new();
    let direct = || {
        let person = desk.store.person(&"kayla".parse().unwrap(), desk.store.newest().unwrap()).unwrap().unwrap();
        person.direct.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let replaced = |profile: &str| {
        let committed = desk.store.commit(ChangeSet::new([assign(profile, "kayla")]), &author()).unwrap();
        committed.replaced.iter().map(|it| it.profile.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((replaced("new_one"), direct()), (String::new(), "new_one".into()));
    assert_eq!((replaced("new_two"), direct()), ("new_one".into(), "new_two".into()));
    desk.given(&[
        ("apps", "other", json!({"name": "Other"})),
        ("profiles", "new_here", json!({"name": "H", "apps": ["workspace"]})),
        ("profiles", "new_there", json!({"name": "T", "apps": ["other"]})),
    ]);
    assert_eq!((replaced("new_here"), direct()), ("new_two".into(), "new_here".into()));
    assert_eq!(
        (replaced("new_there"), direct()),
        (String::new(), "new_here new_there".into()),
        "different apps do not meet"
    );

    desk.does([put("environment", "environment", json!({"secondAssignment": "is-refused"}))]);
    insta::assert_snapshot!(desk.refuses([assign("new_one", "kayla")]), @"user `kayla` is assigned to profile `new_here` already, and this environment refuses a second assignment for the same app: take them out of that profile first, by `DELETE /api/v1/profiles/new_here/users/kayla`");
}

#[test]
fn a_forced_delete_takes_the_links_along() {
    let desk = Desk::new();
    desk.does([put("rank-and-roles", "new_one", json!({"rank": 1, "roles": ["csr"]})), assign("new_one", "malik")]);
    desk.does([delete(Kind::SessionTemplate, "new_case", true), delete(Kind::SecurityRole, "csr", true)]);
    let snapshot = desk.store.snapshot().unwrap();
    assert!(snapshot.active_links(Kind::Profile, "new_one", "sessionTemplates").is_empty());
    assert!(snapshot.rank_and_roles(&"new_one".parse().unwrap()).unwrap().roles.is_empty());
    assert!(desk.store.user("kayla").unwrap().unwrap().0.roles.is_empty());

    desk.does([delete(Kind::Profile, "new_one", true)]);
    let malik = desk.store.person(&"malik".parse().unwrap(), desk.store.newest().unwrap()).unwrap().unwrap();
    assert!(malik.direct.is_empty());
    assert!(desk.store.snapshot().unwrap().entry(Kind::RankAndRoles, "new_one").is_none());
}

#[test]
fn an_expression_may_set_an_attached_script_by_its_name_or_the_guid_it_came_with() {
    const GUID: &str = "29cc12f3-0f47-ee11-be6e-000d3a314234";
    let desk = Desk::new();
    desk.given(&[
        ("scripts", "new_hello", json!({"name": "H", "language": 1033, "steps": [], "source": {"id": GUID}})),
        ("scripts", "new_other", json!({"name": "O", "language": 1033, "steps": []})),
    ]);
    let template = |script: &str| {
        let set = json!({"Set": {"type": "Set_default_agent_script", "inputs": {"ScriptId": script}}});
        let expression = json!({"definition": {"actions": set}});
        let default = json!({"enabled": true, "expression": expression});
        let json = json!({"name": "T", "kind": "generic", "scripts": ["new_hello"], "defaultScript": default});
        put("session-templates", "new_chat", json)
    };
    for attached in ["new_hello", GUID, "{29CC12F3-0F47-EE11-BE6E-000D3A314234}"] {
        desk.does([template(attached)]);
    }
    for stranger in ["new_other", "39cc12f3-0f47-ee11-be6e-000d3a314234"] {
        let refused = desk.refuses([template(stranger)]);
        assert!(refused.contains(&format!("`{stranger}`")) && refused.contains("attach it"), "{refused}");
    }
    let refused = desk.refuses([delete(Kind::Script, "new_hello", true)]);
    assert!(refused.starts_with("script `new_hello` cannot be taken from `scripts`"), "{refused}");
    let forgets = json!({"name": "H", "language": 1033, "steps": []});
    let refused = desk.refuses([put("scripts", "new_hello", forgets)]);
    assert!(refused.contains("session template `new_chat` is not valid"), "{refused}");
}

#[test]
fn what_was_wrong_before_is_in_nobodys_way() {
    let desk = Desk::new();
    let set = json!({"Set": {"type": "Set_default_agent_script", "inputs": {"ScriptId": "new_gone"}}});
    let default = json!({"enabled": true, "expression": {"definition": {"actions": set}}});
    let tab = json!({"name": "T", "pageType": "dashboard"});
    let template =
        json!({"name": "T", "kind": "generic", "anchorTab": "new_tab", "scripts": ["new_a"], "defaultScript": default});
    let exported = ChangeSet {
        strictness: Strictness::Report,
        ..ChangeSet::new([
            put("application-tab-templates", "new_tab", tab),
            put("scripts", "new_a", json!({"name": "A", "language": 1033, "steps": []})),
            put("session-templates", "new_old", template.clone()),
        ])
    };
    assert_eq!(desk.store.commit(exported, &author()).unwrap().tolerated.len(), 1);
    desk.does([put("scripts", "new_a", json!({"name": "Renamed", "language": 1033, "steps": []}))]);
    desk.does([delete(Kind::ApplicationTabTemplate, "new_tab", true), delete(Kind::Script, "new_a", true)]);
    let refused = desk.refuses([put(
        "session-templates",
        "new_old",
        json!({"name": "Mine", "kind": "generic", "defaultScript": template["defaultScript"]}),
    )]);
    assert!(refused.contains("`new_gone`"), "the author of the template mends it: {refused}");
}

#[test]
fn every_old_revision_can_be_read_again() {
    let desk = Desk::new();
    let before = desk.store.newest().unwrap();
    desk.does([
        put("profiles", "new_two", json!({"name": "Renamed"})),
        delete(Kind::SessionTemplate, "new_case", true),
        delete(Kind::User, "malik", false),
    ]);
    let old = desk.store.snapshot_at(before).unwrap();
    assert_eq!(old.entry(Kind::Profile, "new_two").unwrap().item.display_name(), "Two");
    assert!(old.entry(Kind::SessionTemplate, "new_case").is_some());
    assert!(desk.store.person(&"malik".parse().unwrap(), before).unwrap().is_some());
    assert!(desk.store.user("malik").unwrap().is_none());
    let record = &desk.store.revisions(None, 1).unwrap()[0];
    let changes: Vec<String> = record
        .changes
        .iter()
        .map(|it| {
            format!("{} {} {}{}", it.collection, it.name, u8::from(it.before.is_some()), u8::from(it.after.is_some()))
        })
        .collect();
    assert_eq!(
        changes,
        ["profiles new_one 11", "profiles new_two 11", "session-templates new_case 10", "users malik 10"]
    );
    assert!(desk.store.snapshot_at(Revision(999)).is_err());
}

#[test]
fn a_second_process_sees_what_the_first_one_wrote() {
    let desk = Desk::new();
    let other = Store::open(desk._folder.path()).unwrap();
    desk.does([put("profiles", "new_two", json!({"name": "Renamed"}))]);
    let seen = other.snapshot().unwrap();
    assert_eq!(seen.entry(Kind::Profile, "new_two").unwrap().item.display_name(), "Renamed");
    other.commit(ChangeSet::new([put("profiles", "new_two", json!({"name": "Again"}))]), &author()).unwrap();
    assert_eq!(desk.store.snapshot().unwrap().entry(Kind::Profile, "new_two").unwrap().item.display_name(), "Again");
}

#[test]
fn what_authors_must_mend_imports_report() {
    let desk = Desk::new();
    desk.does([put("rank-and-roles", "new_one", json!({"rank": 1, "roles": ["csr"]}))]);
    let changes = ChangeSet {
        strictness: Strictness::Report,
        ..ChangeSet::new([
            put("profiles", "odd", json!({"name": "Odd"})),
            put("rank-and-roles", "odd", json!({"rank": 1, "roles": ["agent"]})),
        ])
    };
    let committed = desk.store.commit(changes, &author()).unwrap();
    let told: Vec<&str> = committed.tolerated.iter().map(|it| it.problem.attribute.as_str()).collect();
    assert_eq!(told, ["uniqueName", "rank"]);
}

#[test]
fn a_plugin_that_changed_since_it_was_looked_at_refuses_a_change_and_nothing_else_does() {
    let desk = Desk::new();
    let seen = desk.store.newest().unwrap();
    let write = |name: &str| {
        let changes =
            ChangeSet { plugins_of: Some(seen), ..ChangeSet::new([put("profiles", name, json!({"name": name}))]) };
        desk.store.commit(changes, &author()).map(drop).map_err(|error| matches!(error, Error::Moved { .. }))
    };
    desk.does([put("profiles", "new_two", json!({"name": "Renamed"}))]);
    assert_eq!(write("new_three"), Ok(()), "a change of another item in between is no obstacle");
    desk.store
        .commit(ChangeSet::new([Change::put("contoso/guard", crate::domain::Plugin::default())]), &author())
        .unwrap();
    assert_eq!(write("new_four"), Err(true));
}

#[test]
fn a_rehearsal_writes_nothing() {
    let desk = Desk::new();
    let before = desk.store.newest().unwrap();
    let outcome =
        desk.store.rehearse(ChangeSet::new([put("profiles", "new_x", json!({"name": "X"}))]), &author()).unwrap();
    assert_eq!(outcome.changed.len(), 1);
    assert_eq!(desk.store.newest().unwrap(), before);
    assert!(desk.store.snapshot().unwrap().entry(Kind::Profile, "new_x").is_none());
}

/// More people than any list holds, each assigned to `new_two` and with the role `agent`.
const CROWD: u64 = 100_500;

impl Desk {
    /// Writes the people into the tables as a revision would.
    fn crowded() -> Self {
        let desk = Self::new();
        let writer = crate::store::lock(&desk.store.writer);
        let crowd = "WITH RECURSIVE crowd (login) AS (SELECT 1 UNION ALL SELECT login + 1 FROM crowd WHERE login < ?1)";
        let written = writer.unchecked_transaction().unwrap();
        let people = format!(
            "{crowd} INSERT INTO item (kind, name, since, layer, body)
             SELECT 'users', 'u' || login, 1, 'custom', '{{\"displayName\":\"U\",\"roles\":[\"agent\",\"csr\"]}}' FROM crowd"
        );
        written.execute(&people, [CROWD]).unwrap();
        for copy in [
            "person (login, display_name, first_role) SELECT 'u' || login, 'U', 'agent' FROM crowd",
            "person_role (login, role) SELECT 'u' || login, 'agent' FROM crowd",
            "person_role (login, role) SELECT 'u' || login, 'csr' FROM crowd",
        ] {
            written.execute(&format!("{crowd} INSERT INTO {copy}"), [CROWD]).unwrap();
        }
        let assigned = "INSERT INTO assignment (login, profile, since) SELECT 'u' || login, 'new_two', 1 FROM crowd";
        written.execute(&format!("{crowd} {assigned}"), [CROWD]).unwrap();
        written.commit().unwrap();
        drop(writer);
        desk
    }

    fn count(&self, sql: &str) -> u64 {
        self.store.read(|connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).unwrap()
    }
}

#[test]
fn a_forced_delete_of_a_profile_forgets_no_one_however_many_there_are() {
    let desk = Desk::crowded();
    let refused = desk.refuses([delete(Kind::Profile, "new_two", false)]);
    assert!(
        refused.ends_with("`u10000` and 100495 more: remove these links first, or delete it with `force`"),
        "{refused}"
    );
    let done = desk.store.commit(ChangeSet::new([delete(Kind::Profile, "new_two", true)]), &author()).unwrap();
    assert_eq!((done.unlinked.count, done.unlinked.listed.len()), (CROWD, 20));
    assert_eq!(desk.count("SELECT count(*) FROM assignment WHERE until IS NULL"), 0);
    // The history has a line for each person.
    assert_eq!(desk.store.changes_of(done.revision).unwrap().len() as u64, CROWD + 1);
    desk.given(&[("profiles", "new_two", json!({"name": "Two again"}))]);
    let back = desk.store.assigned_people(&"new_two".parse().unwrap(), "", 5).unwrap();
    assert!(back.is_empty(), "{back:?} came back");
}

#[test]
fn a_profile_that_begins_to_serve_an_app_takes_its_people_there_from_others() {
    let desk = Desk::new();
    let apps = |apps: &[&str]| json!({"name": "P", "apps": apps});
    desk.given(&[
        ("apps", "other", json!({"name": "Other"})),
        ("profiles", "new_here", apps(&["workspace"])),
        ("profiles", "new_there", apps(&["other"])),
    ]);
    desk.does([assign("new_here", "kayla"), assign("new_there", "kayla"), assign("new_here", "malik")]);
    let direct = |login: &str| {
        let person = desk.store.person(&login.parse().unwrap(), desk.store.newest().unwrap()).unwrap().unwrap();
        person.direct.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let both = apps(&["workspace", "other"]);

    desk.does([put("environment", "environment", json!({"secondAssignment": "is-refused"}))]);
    insta::assert_snapshot!(desk.refuses([put("profiles", "new_there", both.clone())]), @"profile `new_there` would be for the same app as profile `new_here`, and both have 1 person (`kayla`), and this environment refuses a second assignment: take them out of one of the two first, such as by `POST /api/v1/profiles/new_here/users` with `remove`");
    desk.does([put("profiles", "new_there", json!({"name": "Renamed", "apps": ["other"], "state": "inactive"}))]);
    assert_eq!(direct("kayla"), "new_here new_there", "other changes are none of this");
    desk.does([put("environment", "environment", json!({"secondAssignment": "replaces"}))]);

    let done = desk.store.commit(ChangeSet::new([put("profiles", "new_there", both)]), &author()).unwrap();
    let ended = Displaced { profile: "new_here".to_owned(), by: "new_there".to_owned(), people: 1 };
    assert_eq!((done.displaced, done.replaced), (vec![ended], vec![]));
    assert_eq!((direct("kayla"), direct("malik")), ("new_there".to_owned(), "new_here".to_owned()));
    let history = format!("{:?}", desk.store.changes_of(done.revision).unwrap());
    assert!(history.contains("new_here/kayla"), "{history}");

    // Of two profiles that overlap in one change set, the one put last keeps the people.
    desk.does([put("profiles", "new_there", apps(&["other"])), assign("new_here", "kayla")]);
    assert_eq!(direct("kayla"), "new_here new_there");
    let all = json!({"name": "All"});
    desk.does([put("profiles", "new_there", all.clone()), put("profiles", "new_here", all)]);
    assert_eq!(direct("kayla"), "new_here");
}

#[test]
fn other_apps_of_a_profile_end_as_many_assignments_as_there_are() {
    let desk = Desk::crowded();
    desk.given(&[("apps", "other", json!({"name": "Other"}))]);
    // Two profiles that do not overlap yet, with the same people.
    desk.does([put("profiles", "new_two", json!({"name": "Two", "apps": ["workspace"]}))]);
    desk.does([put("profiles", "new_one", json!({"name": "One", "apps": ["other"]}))]);
    let since = desk.store.newest().unwrap();
    let writer = crate::store::lock(&desk.store.writer);
    let both = "INSERT INTO assignment (login, profile, since) SELECT login, 'new_one', ?1 FROM assignment WHERE profile = 'new_two'";
    assert_eq!(writer.execute(both, [since.0]).unwrap() as u64, CROWD);
    drop(writer);

    desk.does([put("environment", "environment", json!({"secondAssignment": "is-refused"}))]);
    let widened = || put("profiles", "new_one", json!({"name": "One", "apps": ["other", "workspace"]}));
    let refused = desk.refuses([widened()]);
    assert!(refused.contains(" 100500 people (`u1`, `u10`, ") && refused.contains(" and 100480 more)"), "{refused}");
    desk.does([put("environment", "environment", json!({"secondAssignment": "replaces"}))]);
    let done = desk.store.commit(ChangeSet::new([widened()]), &author()).unwrap();
    assert_eq!(done.displaced[0].people, CROWD);
    assert!(done.changed.len() <= 21, "{} are listed", done.changed.len());
    let left = "SELECT count(*) FROM assignment WHERE until IS NULL AND profile = 'new_one'";
    assert_eq!((desk.count(left), desk.count("SELECT count(*) FROM assignment WHERE until IS NULL")), (CROWD, CROWD));
}

#[test]
fn a_forced_delete_of_a_role_takes_it_from_all_who_hold_it() {
    let desk = Desk::crowded();
    let refused = desk.refuses([delete(Kind::SecurityRole, "agent", false)]);
    assert!(refused.contains("and 100495 more"), "{refused}");
    let done = desk.store.commit(ChangeSet::new([delete(Kind::SecurityRole, "agent", true)]), &author()).unwrap();
    assert_eq!((done.unlinked.count, done.unlinked.listed.len()), (CROWD, 20));
    assert_eq!(desk.count("SELECT count(*) FROM item WHERE until IS NULL AND body LIKE '%agent%'"), 0);
    let (last, since) = desk.store.user(&format!("u{CROWD}")).unwrap().unwrap();
    assert_eq!((last.roles.len(), since), (1, done.revision), "other roles stay");
    assert_eq!(desk.count("SELECT count(*) FROM person_role WHERE role = 'agent'"), 0);
    assert_eq!(desk.count("SELECT count(*) FROM person WHERE first_role = 'csr'"), CROWD + 1, "and `kayla`");
}

#[test]
fn a_forced_delete_of_a_role_counts_what_the_same_change_writes() {
    let desk = Desk::new();
    let changes = [
        put("users", "malik", json!({"displayName": "Malik", "roles": ["csr", "agent"]})),
        delete(Kind::SecurityRole, "csr", true),
    ];
    let done = desk.store.commit(ChangeSet::new(changes), &author()).unwrap();
    assert_eq!((done.unlinked.count, done.unlinked.listed[0].name.as_str()), (1, "kayla"));
    let roles = |login| desk.store.user(login).unwrap().unwrap().0.roles.len();
    assert_eq!((roles("kayla"), roles("malik")), (0, 1));
}

/// Prints durations, and tests nothing:
/// `TMPDIR=/on/a/disk cargo test -p loadout --lib -- --ignored what_the_disk_costs --nocapture`
#[test]
#[ignore = "prints what it costs to wait for the disk of this machine, and promises nothing"]
fn what_the_disk_costs() {
    const CHANGES: u32 = 500;
    const PEOPLE: u32 = 20_000;
    for synchronous in ["NORMAL", "FULL"] {
        let desk = Desk::new();
        crate::store::lock(&desk.store.writer).pragma_update(None, "synchronous", synchronous).unwrap();
        let begun = std::time::Instant::now();
        for change in 0..CHANGES {
            desk.given(&[("profiles", "new_two", json!({"name": format!("Two {change}")}))]);
        }
        let small = begun.elapsed() / CHANGES;
        let people: Vec<Change> =
            (0..PEOPLE).map(|at| put("users", &format!("u{at}"), json!({"displayName": "U"}))).collect();
        let begun = std::time::Instant::now();
        desk.does(people);
        println!("{synchronous}: a change of one item {small:?}, one of {PEOPLE} people {:?}", begun.elapsed());
    }
}

/// The privilege is checked against the revision being written over, not against one that was read earlier.
#[test]
fn which_plugins_are_let_in_is_not_changed_without_the_privilege() {
    let desk = Desk::new();
    let caller = |roles: &[AccessRole]| {
        let roles: std::collections::BTreeSet<_> = roles.iter().copied().collect();
        Caller::new("setup", roles.try_into().unwrap())
    };
    let environment = |tabs: u8, unsigned: &str| {
        let json = json!({"tabsMax": tabs, "plugins": {"unsigned": unsigned}});
        Change::put("environment", AnyItem::parse(Kind::Environment, "environment", json).unwrap())
    };
    let publisher = || {
        let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let item = AnyItem::parse(Kind::TrustedPublisher, "contoso", json!({"keys": [key]})).unwrap();
        Change::put("contoso", item)
    };
    let commit = |caller: Option<&Caller>, change: Change| {
        let changes = ChangeSet { caller: caller.cloned(), ..ChangeSet::new([change]) };
        desk.store.commit(changes, &author()).map(|done| done.revision).map_err(|error| error.to_string())
    };
    let setup = caller(&[AccessRole::AppProfileAdministrator, AccessRole::PluginInstaller]);
    let trusts = caller(&[AccessRole::AppProfileAdministrator, AccessRole::PluginTrustAdministrator]);
    let refused = "the change reaches what `setup` may not write: it needs the privilege `plugin.trust`, too";
    // The author read `allowed` and writes it again; meanwhile it was changed.
    assert!(commit(Some(&setup), environment(7, "allowed")).is_ok());
    assert!(commit(Some(&trusts), environment(7, "refused")).is_ok());
    assert_eq!(commit(Some(&setup), environment(8, "allowed")), Err(refused.to_owned()));
    assert!(commit(Some(&setup), environment(8, "refused")).is_ok());
    assert_eq!(desk.store.snapshot().unwrap().environment().plugins.unsigned, Unsigned::Refused);
    assert_eq!(commit(Some(&setup), publisher()), Err(refused.to_owned()));
    assert!(commit(Some(&trusts), publisher()).is_ok());

    // An upgrade, a plugin and an archive have no caller, so no privilege.
    let gone =
        Change::Delete { kind: Kind::TrustedPublisher, name: "contoso".into(), expect: Expect::Anything, force: true };
    for change in [environment(8, "allowed"), gone] {
        assert!(commit(None, change).unwrap_err().contains("needs the privilege `plugin.trust`"));
    }
    assert!(commit(None, environment(9, "refused")).is_ok(), "anything else is not looked at");

    let audit = desk.store.audit().unwrap().read(&AuditFilter::default(), 100).unwrap();
    let told: Vec<&str> = audit.iter().map(|line| line.entry.event.outcome().as_str()).collect();
    assert_eq!(told, ["publisher-trusted", "unsigned-decided"], "what was refused did not happen");
}
