//! Asks all that a rule can ask, and shows what it was told.

wit_bindgen::generate!({ path: "../wit", world: "tool" });

use exports::loadout::plugin::tool_rule::{Decision, Fault, Guest, ItemReference, Presentation, Reason};
use loadout::plugin::{context, http, knowledge, library, records, trace};

struct Golden;

impl Guest for Golden {
    fn evaluate(settings: String) -> Result<Decision, Fault> {
        trace::log(trace::Level::Debug, "debug");
        trace::log(trace::Level::Info, "info");
        trace::log(trace::Level::Warning, &format!("settings {settings}"));
        match context::get("ask").as_deref() {
            Some("hide") => {
                return Ok(Decision::Hidden(Reason { code: "not-now".into(), text: "Shown another time.".into() }));
            }
            Some("fail") => {
                return Err(Fault { code: "on-purpose".into(), message: "It was told to.".into() });
            }
            _ => {}
        }
        let rendered = context::render("Call from {customerName}{nobody}");
        let told = [
            ("roles", format!("{} {}", context::has_role("contoso_rep"), context::has_role("nobody"))),
            ("licences", format!("{} {}", context::has_licence("chat"), context::has_licence("voice"))),
            ("channel", format!("{:?}", context::channel())),
            ("workstream", format!("{:?}", context::workstream())),
            ("entity", format!("{:?}", context::entity())),
            ("sessionTemplate", format!("{:?}", context::session_template())),
            ("profile", context::profile()),
            ("languages", format!("{} {}", context::language(), context::base_language())),
            ("app", context::app()),
            ("rendered", format!("{} {:?}", rendered.text, rendered.unresolved)),
            ("item", format!("{}", library::item("macros", "contoso_clone").is_some())),
            ("links", format!("{:?}", library::links("session-templates", "contoso_case", "scripts"))),
            ("names", format!("{:?}", library::names("macros"))),
            ("records", format!("{:?}", records::look_up("contact", "fullname", "").map_err(|it| it.code))),
            ("knowledge", format!("{:?}", knowledge::search("", "printer", 3).map(|it| it.len()).map_err(|it| it.code))),
            ("http", format!("{:?}", sent())),
        ];
        let members: Vec<String> = told.iter().map(|(key, value)| format!("{key:?}:{value:?}")).collect();
        let payload = format!("{{{}}}", members.join(","));
        let items = vec![ItemReference { kind: "macros".into(), unique_name: "contoso_clone".into() }];
        Ok(Decision::Shown(Presentation { payload, items }))
    }
}

/// Every kind of header is sent.
fn sent() -> Result<u16, String> {
    let headers = vec![
        ("accept".into(), http::HeaderValue::Text("text/plain".into())),
        ("x-key".into(), http::HeaderValue::Secret("score-key".into())),
        ("authorization".into(), http::HeaderValue::Bearer("score-key".into())),
    ];
    let (method, url) = ("POST".into(), "https://api.contoso.com/score".into());
    let request = http::Request { method, url, headers, body: b"{}".to_vec() };
    http::send(&request).map(|response| response.status).map_err(|refusal| refusal.code)
}

export!(Golden);
