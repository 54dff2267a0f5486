//! Whole answers, from the sample, with a table in place of rule components.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::domain::experience::{Experience, ExplainLevel, Explanation, ToolFault};
use crate::domain::{Kind, Revision};
use crate::service::{Question, Service, Who};

use super::*;

/// Rules as a table: the answer for each tool kind, after a few reads.
#[derive(Default)]
struct Table(BTreeMap<&'static str, Result<Decision, &'static str>>);

impl ToolRules for Table {
    fn evaluate(&self, kind: &str, settings: &str, mut reads: Reads) -> Option<Evaluation> {
        let outcome = self.0.get(kind)?.clone().map_err(|code| ToolFault {
            code: code.to_owned(),
            message: format!("ended with {settings}"),
            plugin: "test/table".to_owned(),
            version: "1.0.0".to_owned(),
            trace: None,
            retry_after: None,
        });
        reads.get("customerName");
        reads.get("customerName");
        reads.names("workstreams", &mut || true);
        Some(Evaluation::of_rule("test/table 1.0.0".to_owned(), outcome, reads.into_recorded()))
    }

    fn fingerprint(&self) -> String {
        format!("{:?}", self.0)
    }

    fn has_rule(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    fn absent(&self, _: &str) -> &[Absent] {
        &[]
    }
}

fn shown(payload: serde_json::Value, items: &[(&str, &str)]) -> Result<Decision, &'static str> {
    let items = items.iter().map(|(kind, name)| ItemReference { kind: (*kind).to_owned(), name: (*name).to_owned() });
    Ok(Decision::Shown { payload: payload.as_object().unwrap().clone(), items: items.collect() })
}

fn table() -> Table {
    let hidden = Decision::Hidden { code: "no-macro".to_owned(), text: "attach a macro".to_owned() };
    Table(BTreeMap::from([
        (
            "scripts",
            shown(
                json!({"default": "contoso_greet"}),
                &[("scripts", "contoso_greet"), ("scripts", "contoso_made_up"), ("users", "kayla")],
            ),
        ),
        ("macros", Ok(hidden)),
        ("knowledge-search", Err("plugin.timeout")),
    ]))
}

struct Desk {
    service: Service,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::open(folder.path(), Arc::new(table())).unwrap();
        service.add_sample("contoso").unwrap();
        Self { service, _folder: folder }
    }

    fn ask(&self, login: &str, app: &str, session: Option<SessionInput>, explain: ExplainLevel) -> Experience {
        let who = Who::Login(login.parse().unwrap());
        let question = Question { who, profile: None, app: app.to_owned(), session, explain, as_of: None };
        self.service.experience(&question).unwrap()
    }
}

fn session(json: serde_json::Value) -> Option<SessionInput> {
    Some(serde_json::from_value(json).unwrap())
}

fn case() -> Option<SessionInput> {
    session(json!({"entity": "incident", "context": {
        "anchor.ticketnumber": "CAS-01", "anchor.title": "Broken kettle", "anchor.incidentid": "1d", "customerName": "Ada",
        "anchor._customerid_value": "2e", "anchor._customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
        "anchor._customerid_value@OData.Community.Display.V1.FormattedValue": "Ada Lovelace",
    }}))
}

const CSW: &str = "customer-service-workspace";

#[test]
fn a_case_session_of_the_sample() {
    let answer = Desk::new().ask("kayla", CSW, case(), ExplainLevel::None);
    assert_json_snapshot!(answer);
}

#[test]
fn a_chat_of_the_sample() {
    let chat = session(json!({"channel": "chat", "context": {"customerName": "Ada", "customerRecordId": "7"}}));
    let answer = Desk::new().ask("kayla", CSW, chat, ExplainLevel::None);
    assert_json_snapshot!(answer.session);
}

/// Every line of the sample's own table of people.
#[test]
fn everybody_in_the_sample_gets_the_profile_the_table_says() {
    let desk = Desk::new();
    let mut lines = 0;
    for line in include_str!("../content/samples/contoso/README.md").lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let answer = desk.ask(cells[1], cells[2], None, ExplainLevel::None);
        let method = json!(answer.profile.assignment.method);
        assert_eq!((answer.profile.unique_name.as_str(), method.as_str().unwrap()), (cells[3], cells[4]), "for {line}");
        lines += 1;
    }
    assert!(lines >= 12, "the table has {lines} lines");
}

#[test]
fn reasons_are_the_full_tree_without_what_lies_under() {
    let desk = Desk::new();
    let full = desk.ask("kayla", CSW, case(), ExplainLevel::Full);
    let reasons = desk.ask("kayla", CSW, case(), ExplainLevel::Reasons);
    let none = desk.ask("kayla", CSW, case(), ExplainLevel::None);
    assert!(none.explain.is_empty());
    assert_eq!(full.decision_id, none.decision_id, "explaining does not change the decision");
    let trimmed: Vec<_> = full.explain.iter().cloned().map(|line| Explanation { under: Vec::new(), ..line }).collect();
    assert_eq!(trimmed, reasons.explain);
    let profiles = desk.service.store().snapshot().unwrap().entries(Kind::Profile).count();
    assert_eq!(full.explain[0].under.len(), profiles - 1, "every other profile has its reason");
    let scripts = full.explain.iter().find(|line| line.subject.as_deref() == Some("scripts")).unwrap();
    let read: Vec<_> = scripts.under.iter().map(|line| line.subject.clone().unwrap()).collect();
    assert_eq!(
        read,
        ["context.get(customerName)", "library.names(workstreams)"],
        "what was read twice is on record once"
    );
}

#[test]
fn equal_questions_give_equal_bytes_and_other_revisions_other_ids() {
    let desk = Desk::new();
    let bytes = |desk: &Desk| serde_json::to_vec(&desk.ask("kayla", CSW, case(), ExplainLevel::Full)).unwrap();
    assert_eq!(bytes(&desk), bytes(&desk));
    assert_eq!(bytes(&desk), bytes(&Desk::new()), "and so does another host with the same configuration");
}

#[test]
fn questions_without_an_answer_are_refused_with_a_sentence() {
    let desk = Desk::new();
    let ask = |login: &str, app: &str, session: Option<SessionInput>| {
        let question = Question {
            who: Who::Login(login.parse().unwrap()),
            profile: None,
            app: app.to_owned(),
            session,
            explain: ExplainLevel::None,
            as_of: None,
        };
        desk.service.experience(&question).unwrap_err().to_string()
    };
    let refusals = [
        ask("nobody", CSW, None),
        ask("kayla", "spreadsheet", None),
        ask("kayla", CSW, session(json!({}))),
        ask("kayla", CSW, session(json!({"entity": "incident", "channel": "chat"}))),
        ask("kayla", CSW, session(json!({"workstream": "gone"}))),
        ask("kayla", CSW, session(json!({"template": "contoso_gone"}))),
        ask("emi", CSW, session(json!({"template": "contoso_case"}))),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @"
    user `nobody` does not exist
    app `spreadsheet` does not exist: known are `contact-center-workspace`, `customer-service-workspace`, `omnichannel`
    a session needs one of `workstream`, `channel`, `entity` and `template`
    a session is of one kind: give one of `workstream`, `channel`, `entity` and `template`, not `channel` and `entity`
    workstream `gone` does not exist
    session template `contoso_gone` does not exist
    session template `contoso_case` is not in profile `msdyn_csw_channels_default_profile`: add it there, or open the record instead
    ");
    let future = Question {
        who: Who::Login("kayla".parse().unwrap()),
        profile: None,
        app: CSW.to_owned(),
        session: None,
        explain: ExplainLevel::None,
        as_of: Some(Revision(9999)),
    };
    insta::assert_snapshot!(desk.service.experience(&future).unwrap_err(), @"revision 9999 does not exist: the newest is 2");
}

#[test]
fn names_without_end_are_gone_through_no_longer_than_there_is_time() {
    let queue = |at: u32| {
        let name = format!("queue{at:05}");
        let item = crate::domain::AnyItem::parse(Kind::Queue, &name, json!({ "name": name })).unwrap();
        (Arc::from(name), item)
    };
    let library = Arc::new(Snapshot::default().overlaid((0..5_000).map(queue)));
    let names = |answers: &[bool]| {
        let mut reads = Reads::new(Arc::clone(&library), Arc::new(Facts::default()));
        let mut asked = 0;
        let found = reads.names("queues", &mut || {
            asked += 1;
            answers.get(asked - 1).copied().unwrap_or(true)
        });
        (found.map(|names| names.len()), asked, reads.into_recorded().len())
    };
    assert_eq!(names(&[]), (Some(5_000), 6, 1), "the time is looked at again and again");
    let (found, asked, recorded) = names(&[true, false, false]);
    assert_eq!((found, recorded), (None, 0), "without time there is no answer, and none is on record");
    assert!(asked <= 3, "and nothing more is gone through: {asked}");
}
