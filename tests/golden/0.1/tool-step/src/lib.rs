//! Is asked around a rule, asks all it can, and adds what it was told.

wit_bindgen::generate!({ path: "../wit", world: "tool-step" });

use exports::loadout::plugin::evaluation_step::{
    Changes, Decision, Fault, Guest, ItemReference, Outcome, Question, Reason,
};
use loadout::plugin::{context, http, knowledge, library, records, trace};

struct Golden;

impl Guest for Golden {
    fn execute(question: Question) -> Result<Outcome, Fault> {
        trace::log(trace::Level::Warning, &format!("{} {} {}", question.step, question.tool, question.configuration));
        match context::get("ask").as_deref() {
            Some("hide") => {
                return Ok(Outcome::Hide(Reason { code: "not-now".into(), text: "Shown another time.".into() }));
            }
            Some("fail") => {
                return Err(Fault { code: "on-purpose".into(), message: "It was told to.".into() });
            }
            _ => {}
        }
        let decided = match &question.decision {
            None => "nothing yet".to_owned(),
            Some(Decision::Shown(it)) => format!("shown {} with {}", it.payload, it.items.len()),
            Some(Decision::Hidden(it)) => format!("hidden {} {}", it.code, it.text),
        };
        if let Some(Decision::Hidden(_)) = question.decision {
            return Ok(Outcome::Proceed(Changes { patch: None, items: None }));
        }
        let answers = format!(
            "{} {} {:?} {:?} {:?} {:?} {} {} {} {} {}",
            context::has_role("contoso_rep"),
            context::has_licence("chat"),
            context::channel(),
            context::workstream(),
            context::entity(),
            context::session_template(),
            context::profile(),
            context::language(),
            context::base_language(),
            context::app(),
            context::render("{customerName}").text
        );
        let outside = format!(
            "{:?} {:?} {:?}",
            records::look_up("contact", "fullname", "").map_err(|it| it.code),
            knowledge::search("", "printer", 3).map(|it| it.len()).map_err(|it| it.code),
            http::send(&http::Request {
                method: "GET".into(),
                url: "https://api.contoso.com/".into(),
                headers: Vec::new(),
                body: Vec::new(),
            })
            .map(|it| it.status)
            .map_err(|it| it.code)
        );
        let configuration = format!(
            "{:?} {:?} {}",
            library::names("macros"),
            library::links("session-templates", "contoso_case", "macros"),
            library::item("macros", "contoso_clone").is_some()
        );
        let patch = format!(
            "{{\"stage\":{},\"settings\":{:?},\"decided\":{decided:?},\"context\":{answers:?},\"library\":{configuration:?},\"outside\":{outside:?},\"properties\":{}}}",
            question.stage,
            question.settings,
            question.properties.len()
        );
        let items = question.decision.is_some().then(|| {
            vec![ItemReference { kind: "macros".into(), unique_name: "contoso_clone".into() }]
        });
        Ok(Outcome::Proceed(Changes { patch: Some(patch), items }))
    }
}

export!(Golden);
