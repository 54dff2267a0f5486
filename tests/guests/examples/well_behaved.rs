//! Does what a rule should: reads, decides, answers. The neighbour of all the others.

use loadout_test_guests::{Decision, Reason, context, records, rule, shown, trace};

rule!(|_| {
    trace::log(trace::Level::Info, "deciding");
    // Refused, and a rule goes on without it.
    let refused = records::look_up("contact", "fullname", "").is_err_and(|refusal| refusal.code == "not-granted");
    match context::get("customerName") {
        Some(name) => shown(format!(r#"{{"greeting":"Hello {name}","refused":{refused}}}"#)),
        None => Ok(Decision::Hidden(Reason {
            code: "no-customer".to_owned(),
            text: "The session has no `customerName`.".to_owned(),
        })),
    }
});
