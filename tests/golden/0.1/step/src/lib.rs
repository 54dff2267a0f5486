//! Takes part in changes, asks all it can, and adds what it was told.

wit_bindgen::generate!({ path: "../wit", world: "step" });

use exports::loadout::plugin::configuration_step::{Event, Fault, Guest, Outcome, Proposal, Rejection};
use loadout::plugin::{http, knowledge, library, records, trace};

struct Golden;

impl Guest for Golden {
    fn execute(event: Event) -> Result<Outcome, Fault> {
        trace::log(trace::Level::Warning, &format!("{} {} {}", event.step, event.message, event.stage));
        match event.configuration.as_str() {
            "{\"ask\":\"reject\"}" => {
                let (code, message) = ("rank-reserved".into(), "The rank is reserved.".into());
                return Ok(Outcome::Reject(Rejection { code, message, attribute: "rank".into() }));
            }
            "{\"ask\":\"fail\"}" => {
                let (code, message) = ("on-purpose".into(), "It was told to.".into());
                return Err(Fault { code, message, retry_after: Some(7) });
            }
            _ => {}
        }
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
            library::names("queues"),
            library::links("profiles", "contoso_rep", "apps"),
            library::item("queues", "contoso_vip").is_some()
        );
        let targets: Vec<String> = event
            .targets
            .iter()
            .map(|it| format!("{} {} {:?} {} {:?}", it.kind, it.unique_name, it.changed, it.values, it.images))
            .collect();
        let description = format!(
            "attempt {}; {targets:?}; {:?}; {configuration}; {outside}; {}",
            event.attempt,
            event.shared,
            event.properties.iter().any(|(name, _)| name == "author")
        );
        let patches = if event.stage == 20 { vec![(0, format!("{{\"description\":{description:?}}}"))] } else { vec![] };
        Ok(Outcome::Proceed(Proposal { patches, shared: vec![("stamped".into(), "true".into())] }))
    }
}

export!(Golden);
