//! The sessions that open: one small library, one session, one line.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::content::Content;
use crate::domain::Revision;
use crate::domain::experience::{Experience, ExplainLevel};
use crate::resolve::{Asker, Evaluation, Reads, Subject, ToolRules, resolve};
use crate::store::Entry;

use super::*;

struct NoRules;

impl ToolRules for NoRules {
    fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
        None
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    fn has_rule(&self, _: &str) -> bool {
        false
    }

    fn absent(&self, _: &str) -> &[crate::resolve::Absent] {
        &[]
    }
}

/// Returns the library every case starts from: two profiles, an entity template and a chat.
fn library() -> Value {
    json!({
        "apps": {"customer-service-workspace": {"name": "Workspace"}},
        "profiles": {"new_agent": {"name": "Agent", "sessionTemplates": ["new_case"]}},
        "session-templates": {
            "new_case": {"name": "Case", "kind": "entity", "entity": "incident", "title": "{anchor.ticketnumber} {anchor.title}"},
            "new_chat": {"name": "Chat", "kind": "generic", "title": "Chat with {customerName}", "anchorTab": "new_site"},
            "msdyn_chat_session": {"name": "Chat", "kind": "generic"},
        },
        "application-tab-templates": {
            "new_site": {"name": "Site", "pageType": "third-party-website", "closable": true,
                "parameters": {"url": "https://example.com/", "data": "?q={customerName}\r"}},
            "new_list": {"name": "List", "pageType": "entity-list", "title": "Orders of {customerName}",
                "parameters": {"entityName": "salesorder", "viewId": "{orderView}"}},
            "new_record": {"name": "Record", "pageType": "entity-record", "parameters": {"entityName": "{anchor.kind}", "formId": null}},
            "new_board": {"name": "Board", "pageType": "dashboard", "closable": false, "parameters": {}},
        },
        "notification-templates": {
            "new_ring": {"name": "Ring", "title": "{customerName} is waiting", "autoAssign": true, "autoAccept": true, "showCountdown": false,
                "fields": [{"title": "Second", "value": " {missing}  so\n {customerName} {missing}!", "order": 2}, {"title": "First", "value": "hello", "order": 1}]},
            "msdyn_chat_incoming_authenticated": {"name": "Known", "title": "Known"},
            "msdyn_chat_incoming_unauthenticated": {"name": "Unknown", "title": "{missing}", "rejectButtonText": "No"},
            "msdyn_entityrouting_assigned": {"name": "Assigned", "title": "A record"},
        },
        "workstreams": {
            "shop": {"name": "Shop", "channel": "chat", "sessionTemplate": "new_chat", "notifications": {"incomingAuthenticated": "new_ring"}},
            "records": {"name": "Records", "channel": "record"},
        },
    })
}

/// Returns the answer for a session, after `change` was merged into the library.
fn ask(change: Value, session: Value) -> Experience {
    let mut json = library();
    merge(&mut json, change);
    let content = Content::parse(&json.to_string()).unwrap();
    let layer = |name: &str| if name.starts_with("msdyn_") { Layer::OutOfTheBox } else { Layer::Custom };
    let entries = content.items.into_iter().map(|(name, item)| {
        let entry = Entry::new(item, Revision(1), layer(&name));
        (name, entry)
    });
    let snapshot = Arc::new(Snapshot::new(Revision(1), entries));
    let user = serde_json::from_value(json!({"displayName": "Kayla"})).unwrap();
    let direct = vec!["new_agent".parse().unwrap()];
    let subject = Subject { login: None, user, direct, hypothetical_profile: None };
    let session = serde_json::from_value(session).unwrap();
    let asker = Asker::default();
    resolve(&snapshot, &subject, "customer-service-workspace", Some(&session), ExplainLevel::Full, &NoRules, &asker)
        .unwrap()
}

fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change,
    }
}

fn opened(change: Value, session: Value) -> Session {
    ask(change, session).session.unwrap()
}

fn codes(answer: &Experience) -> String {
    answer.warnings.iter().map(|warning| warning.code.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_template_and_the_title_follow_the_session() {
    let context = json!({"anchor.ticketnumber": "CAS-1", "anchor.title": "Kettle", "customerName": "Ada", "anchor.name": "Fabrikam"});
    for (session, template, title) in [
        (json!({"entity": "incident"}), "new_case", "CAS-1 Kettle"),
        (json!({"entity": "account"}), "built-in", "Kettle"),
        (json!({"workstream": "shop"}), "new_chat", "Chat with Ada"),
        (json!({"channel": "chat"}), "msdyn_chat_session", "Ada"),
        (json!({"template": "new_case"}), "new_case", "CAS-1 Kettle"),
        (json!({"template": "new_chat"}), "new_chat", "Chat with Ada"),
        (json!({"channel": "voice"}), "built-in", "Ada"),
    ] {
        let mut session = session;
        session["context"] = context.clone();
        let opened = opened(json!({}), session.clone());
        assert_eq!((opened.template.as_str(), opened.title.as_str()), (template, title), "for {session}");
    }
}

#[test]
fn a_title_of_which_nothing_is_left_is_the_default_one() {
    let title = |session| opened(json!({}), session).title;
    assert_eq!(title(json!({"entity": "incident"})), "incident");
    assert_eq!(title(json!({"entity": "incident", "context": {"customerName": "Ada"}})), "Ada");
    assert_eq!(title(json!({"channel": "chat"})), "Visitor");
    let long = opened(json!({}), json!({"entity": "incident", "context": {"anchor.title": "x".repeat(999)}})).title;
    assert_eq!(long.chars().count(), 200);
}

#[test]
fn an_inactive_template_gives_way() {
    let off = |name: &str| json!({"session-templates": {name: {"state": "inactive"}}});
    let answer = ask(off("new_chat"), json!({"workstream": "shop"}));
    assert_eq!(
        (answer.session.as_ref().unwrap().template.as_str(), codes(&answer)),
        ("msdyn_chat_session", "session-template-inactive slug-unresolved".into())
    );
    assert_eq!(opened(off("new_case"), json!({"entity": "incident"})).template, "built-in");
    let shipped = json!({"session-templates": {
        "new_case": {"state": "inactive"},
        "msdyn_case": {"name": "Case", "kind": "entity", "entity": "incident"},
    }});
    assert_eq!(opened(shipped, json!({"entity": "incident"})).template, "msdyn_case");
}

#[test]
fn tabs_open_in_order_and_say_why_they_do_not() {
    let tabs = json!({"session-templates": {"new_case": {"tabs": [
        {"template": "new_site", "order": 2}, {"template": "new_board", "order": 1}, {"template": "new_record", "order": 1},
        {"template": "new_list", "order": 1},
    ]}}});
    let answer = ask(tabs.clone(), json!({"entity": "incident", "context": {"customerName": "Ada"}}));
    let session = answer.session.as_ref().unwrap();
    let shown: Vec<String> = session
        .tabs
        .iter()
        .map(|tab| {
            format!("{} {:?} {} {:?}", tab.template.as_deref().unwrap(), tab.title, tab.closable, tab.parameters)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    new_board "Board" false {}
    new_list "Orders of Ada" true {"entityName": "salesorder"}
    new_site "Site" true {"address": "https://example.com/?q=Ada", "data": "?q=Ada", "url": "https://example.com/"}
    "#);
    let told: Vec<&str> = answer.warnings.iter().map(|warning| warning.message.as_str()).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    `{anchor.ticketnumber}` in the title of session template `new_case` has no value in this session
    `{anchor.title}` in the title of session template `new_case` has no value in this session
    `{orderView}` in parameter `viewId` of tab `new_list` has no value in this session
    tab `new_record` does not open: parameter `entityName` needs `{anchor.kind}`, which has no value in this session
    ");

    let mut narrow = tabs;
    narrow["environment"] = json!({"environment": {"tabsMax": 2}});
    let answer = ask(
        narrow,
        json!({"entity": "incident", "context": {"anchor.kind": "contact", "anchor.title": "T", "anchor.ticketnumber": "1"}}),
    );
    let open: Vec<_> = answer.session.as_ref().unwrap().tabs.iter().map(|tab| tab.template.clone().unwrap()).collect();
    assert_eq!(open, ["new_board"], "the anchor counts, too");
    assert_eq!(codes(&answer), "tab-left-out tab-left-out tab-left-out");
}

#[test]
fn anchors_never_close() {
    let chat = opened(json!({}), json!({"workstream": "shop", "context": {"customerName": "Ada"}}));
    assert_eq!((chat.anchor_tab.template.as_deref(), chat.anchor_tab.closable), (Some("new_site"), false));
    let case = opened(
        json!({}),
        json!({"entity": "incident", "context": {"anchor.incidentid": "7", "anchor.title": "Kettle"}}),
    );
    assert_eq!(
        (case.anchor_tab.template, case.anchor_tab.closable, case.anchor_tab.title.as_str()),
        (None, false, "Kettle")
    );
    assert_eq!(json!(case.anchor_tab.parameters), json!({"entityId": "7", "entityName": "incident"}));

    let broken = json!({"application-tab-templates": {"new_site": {"parameters": {"url": "http://{host}"}}}});
    let answer =
        ask(broken, json!({"workstream": "shop", "context": {"customerName": "Ada", "customerRecordId": "1"}}));
    assert_eq!(answer.session.as_ref().unwrap().anchor_tab.title, "Active Conversation");
    assert!(codes(&answer).contains("anchor-replaced"));

    let synced = json!({"session-templates": {"new_chat": {"titleOnAnchorTab": true}}});
    assert_eq!(
        opened(synced, json!({"workstream": "shop", "context": {"customerName": "Ada"}})).anchor_tab.title,
        "Chat with Ada"
    );
}

#[test]
fn a_voice_profile_binds_what_the_workstream_does_not() {
    let change = json!({
        "notification-templates": {
            "new_consult": {"name": "Consult", "title": "Consult"},
            "new_transfer": {"name": "Transfer", "title": "Transfer"},
            "new_stream": {"name": "Stream", "title": "Stream"},
            "new_off": {"name": "Off", "title": "Off", "state": "inactive"},
            "msdyn_voice_consult": {"name": "Shipped", "title": "Shipped"},
        },
        "voice-profiles": {
            "outbound": {"name": "Out", "direction": "outbound", "default": true, "consultNotification": "new_stream"},
            "voice": {"name": "In", "direction": "inbound", "default": true,
                "consultNotification": "new_consult", "transferNotification": "new_transfer"},
        },
        "workstreams": {
            "calls": {"name": "Calls", "channel": "voice", "notifications": {"transfer": "new_stream"}},
            "off": {"name": "Off", "channel": "voice", "notifications": {"transfer": "new_off"}},
        },
    });
    for (session, expected, codes_told) in [
        (
            json!({"channel": "voice", "event": "consult"}),
            "new_consult: voice profile `voice` binds it to this event",
            "",
        ),
        (
            json!({"workstream": "calls", "event": "consult"}),
            "new_consult: voice profile `voice` binds it to this event",
            "",
        ),
        (json!({"workstream": "calls", "event": "transfer"}), "new_stream: the workstream binds it to this event", ""),
        (
            json!({"workstream": "off", "event": "transfer"}),
            "new_transfer: voice profile `voice` binds it to this event",
            "notification-inactive",
        ),
        (json!({"channel": "chat", "event": "consult"}), "none", ""),
    ] {
        let answer = ask(change.clone(), session.clone());
        let chosen = answer.explain.iter().find(|line| line.about == "notification");
        let told = chosen.map_or("none".to_owned(), |it| format!("{}: {}", it.subject.clone().unwrap(), it.because));
        assert_eq!((told.as_str(), codes(&answer).as_str()), (expected, codes_told), "for {session}");
        let announced = answer.session.unwrap().notification.map_or("none".to_owned(), |it| it.template);
        assert_eq!(Some(announced.as_str()), expected.split(':').next());
    }
    let mut off = change;
    off["voice-profiles"]["voice"]["state"] = json!("inactive");
    let shipped = opened(off, json!({"channel": "voice", "event": "consult"})).notification.unwrap();
    assert_eq!(shipped.template, "msdyn_voice_consult");
}

#[test]
fn records_have_no_communication_panel() {
    let docked = json!({"session-templates": {"new_case": {"communicationPanel": "docked"}, "new_chat": {"communicationPanel": "minimized"}}});
    for (session, panel) in [
        (json!({"entity": "incident"}), CommunicationPanel::Hidden),
        (json!({"workstream": "records"}), CommunicationPanel::Hidden),
        (json!({"workstream": "shop"}), CommunicationPanel::Minimized),
        (json!({"channel": "chat"}), CommunicationPanel::Docked),
    ] {
        assert_eq!(opened(docked.clone(), session.clone()).communication_panel, panel, "for {session}");
    }
}

#[test]
fn the_notification_follows_the_event() {
    for (session, expected) in [
        (
            json!({"workstream": "shop", "context": {"customerName": "Ada", "customerRecordId": "1"}}),
            "new_ring Ada is waiting | Open | none | shown true | First=hello Second=so Ada !",
        ),
        (json!({"workstream": "shop"}), "msdyn_chat_incoming_unauthenticated Unknown | Accept | No | shown true | "),
        (
            json!({"channel": "chat", "event": "incoming-authenticated"}),
            "msdyn_chat_incoming_authenticated Known | Accept | Reject | shown true | ",
        ),
        (json!({"workstream": "records"}), "msdyn_entityrouting_assigned A record | Accept | none | shown true | "),
        (json!({"workstream": "shop", "event": "consult"}), "none"),
        (json!({"entity": "incident"}), "none"),
    ] {
        let told = match opened(json!({}), session.clone()).notification {
            None => "none".to_owned(),
            Some(it) => {
                let fields: Vec<_> = it.fields.iter().map(|field| format!("{}={}", field.title, field.value)).collect();
                let reject = it.reject_button_text.as_deref().unwrap_or("none");
                format!(
                    "{} {} | {} | {reject} | shown {} | {}",
                    it.template,
                    it.title,
                    it.accept_button_text,
                    it.show_countdown,
                    fields.join(" ")
                )
            }
        };
        assert_eq!(told, expected, "for {session}");
    }
}

/// Eight tabs of fifty parameters each, which read as `text` says.
fn many_parameters(text: impl Fn(usize) -> String) -> Value {
    let parameters: Value =
        (0..50).map(|at| (format!("p{at}"), json!(text(at)))).collect::<serde_json::Map<_, _>>().into();
    let tab = json!({"name": "Tab", "pageType": "dashboard", "parameters": parameters});
    let names: Vec<String> = (1..=8).map(|at| format!("new_tab{at}")).collect();
    let templates: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), tab.clone())).collect();
    let tabs: Vec<Value> = names.iter().map(|name| json!({"template": name, "order": 1})).collect();
    json!({"application-tab-templates": templates, "session-templates": {"new_case": {"tabs": tabs}}})
}

#[test]
fn an_answer_is_no_larger_than_it_has_room_for_values_and_says_so_once() {
    let session = json!({"entity": "incident", "context": {"a": "x".repeat(60_000), "anchor.ticketnumber": "CAS-1", "anchor.title": "x"}});
    let answer = ask(many_parameters(|_| "{a}".to_owned()), session);
    let size = serde_json::to_string(&answer).unwrap().len();
    assert!(size < 2 << 20, "24 MB of values came to {size} bytes");
    assert_eq!(answer.session.as_ref().map(|session| session.tabs.len()), Some(8), "what has no value is left out");
    assert_eq!(codes(&answer), "answer-too-large");
}

#[test]
fn slugs_without_a_value_are_named_up_to_a_number_and_counted_beyond_it() {
    let slugs = |at: usize| (0..50).map(|slug| format!("{{a{at}_{slug}}}")).collect::<String>();
    let answer = ask(many_parameters(slugs), json!({"entity": "incident"}));
    let last = answer.warnings.last().map(|warning| (warning.code.as_str(), warning.message.as_str()));
    assert_eq!(
        (answer.warnings.len(), last),
        (101, Some(("more-warnings", "and at least 9900 more: mend those that are named first")))
    );
}

#[test]
fn a_session_that_is_larger_than_one_may_be_is_refused_before_anything_is_made_of_it() {
    let user = serde_json::from_value(json!({"displayName": "Kayla"})).unwrap();
    let subject = Subject { login: None, user, direct: Vec::new(), hypothetical_profile: None };
    let refused = |session: Value| {
        let (session, asker) = (serde_json::from_value(session).unwrap(), Asker::default());
        resolve(&Arc::default(), &subject, "nowhere", Some(&session), ExplainLevel::None, &NoRules, &asker)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(json!({"entity": "incident", "context": {"a": "\u{1}"}})),
        "`session.context.a` holds the control character U+0001: leave it out; tabs and line ends may stay"
    );
    assert_eq!(
        refused(json!({"entity": "x".repeat(2 << 20)})),
        "`session.entity` has 2097152 characters, and a name has 128 at most: no such thing exists"
    );
    assert!(refused(json!({"entity": "x".repeat(128)})).starts_with("app `nowhere` does not exist"));
}
