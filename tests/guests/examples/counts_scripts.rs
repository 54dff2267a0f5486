//! Decides as the well-behaved one does, and adds what the library says about scripts.

use loadout_test_guests::{Decision, Reason, context, library, records, rule, shown};

rule!(|_| {
    let refused = records::look_up("contact", "fullname", "").is_err_and(|refusal| refusal.code == "not-granted");
    let names = library::names("scripts");
    let bytes: usize = names.iter().filter_map(|name| library::item("scripts", name)).map(|item| item.len()).sum();
    match context::get("customerName") {
        Some(name) => shown(format!(
            r#"{{"greeting":"Hello {name}","refused":{refused},"scripts":{},"bytes":{bytes}}}"#,
            names.len()
        )),
        None => Ok(Decision::Hidden(Reason {
            code: "no-customer".to_owned(),
            text: "The session has no `customerName`.".to_owned(),
        })),
    }
});
