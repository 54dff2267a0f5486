//! Decides as the well-behaved one does, and breaks over a customer who is called Bob.

use loadout_test_guests::{Decision, Reason, context, records, rule, shown, trace};

rule!(|_| {
    let refused = records::look_up("contact", "fullname", "").is_err_and(|refusal| refusal.code == "not-granted");
    match context::get("customerName") {
        Some(name) if name == "Bob" => panic!("nobody thought of Bob"),
        Some(name) => {
            if name.len() > 40 {
                trace::log(trace::Level::Info, "a long name");
            }
            shown(format!(r#"{{"greeting":"Hello {name}","refused":{refused}}}"#))
        }
        None => Ok(Decision::Hidden(Reason {
            code: "no-customer".to_owned(),
            text: "The session has no `customerName`.".to_owned(),
        })),
    }
});
