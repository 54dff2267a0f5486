//! Is asked around rules, and does what its configuration says.

use loadout_test_guests::around::{Changes, Decision, Fault, ItemReference, Outcome, Presentation, Question, Reason};
use loadout_test_guests::{StepProposal, context, library};
use serde_json::{Value, json};

fn execute(question: Question) -> StepProposal {
    let wanted: Value = serde_json::from_str(&question.configuration).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(sentence) = wanted.get("hide") {
        return hide("not-so", &text(sentence));
    }
    if let Some(message) = wanted.get("fail") {
        return Err(Fault { code: "on-purpose".to_owned(), message: text(message) });
    }
    if wanted.get("trap").is_some() {
        panic!("it was told to");
    }
    if wanted.get("loop").is_some() {
        loop {
            std::hint::black_box(());
        }
    }
    if let Some(withhold) = wanted.get("withhold") {
        return withheld(&question, withhold);
    }
    let mut changes = Changes { patch: None, items: None };
    if let Some(patch) = wanted.get("patch") {
        changes.patch = Some(patch.to_string());
    }
    if let Some(patch) = wanted.get("garbage") {
        changes.patch = Some(text(patch));
    }
    if wanted.get("flood").is_some() {
        changes.patch = Some(json!({ "flood": "x".repeat(300 << 10) }).to_string());
    }
    if let Some(Value::Array(items)) = wanted.get("items") {
        let item = |it: &Value| ItemReference { kind: text(&it[0]), unique_name: text(&it[1]) };
        changes.items = Some(items.iter().map(item).collect());
    }
    if wanted.get("sign").is_some() {
        let before = match &question.decision {
            Some(Decision::Shown(Presentation { payload, .. })) => payload,
            _ => &question.settings,
        };
        let before: Value = serde_json::from_str(before).unwrap_or_default();
        let signed = format!("{} {}", text(&before["signed"]), question.step);
        changes.patch = Some(json!({ "signed": signed.trim() }).to_string());
    }
    if wanted.get("tell").is_some() {
        let decision = match &question.decision {
            Some(Decision::Shown(it)) => json!(["shown", it.payload, it.items.len()]),
            Some(Decision::Hidden(it)) => json!(["hidden", it.code, it.text]),
            None => Value::Null,
        };
        let Question { step, tool, stage, settings, properties, .. } = &question;
        let customer = context::get("customerName");
        let told = json!([step, tool, stage, settings, decision, properties, customer]);
        changes.patch = Some(json!({ "told": told.to_string() }).to_string());
    }
    Ok(Outcome::Proceed(changes))
}

/// Takes the macros away that must not be used for an unknown customer.
fn withheld(question: &Question, withhold: &Value) -> StepProposal {
    let words = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap_or_default() };
    let known = context::get(withhold["unless"].as_str().unwrap_or_default()).is_some();
    let unchanged = Ok(Outcome::Proceed(Changes { patch: None, items: None }));
    let (false, Some(Decision::Shown(Presentation { payload, items }))) = (known, &question.decision) else {
        return unchanged;
    };
    let actions = words(&withhold["actions"]);
    let harmless = |name: &str| {
        let item = library::item("macros", name).unwrap_or_default();
        !does(&serde_json::from_str(&item).unwrap_or_default(), &actions)
    };
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    let left: Vec<String> = words(&payload["available"]).into_iter().filter(|name| harmless(name)).collect();
    if left.is_empty() {
        return hide("not-authenticated", "Shown once the customer is authenticated.");
    }
    let items = items.iter().filter(|item| left.contains(&item.unique_name)).cloned().collect();
    Ok(Outcome::Proceed(Changes { patch: Some(json!({ "available": left }).to_string()), items: Some(items) }))
}

/// Whether one of `actions` is anywhere in a definition.
fn does(value: &Value, actions: &[String]) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let named = key == "type" && value.as_str().is_some_and(|action| actions.iter().any(|it| it == action));
            named || does(value, actions)
        }),
        Value::Array(values) => values.iter().any(|value| does(value, actions)),
        _ => false,
    }
}

fn hide(code: &str, text: &str) -> StepProposal {
    Ok(Outcome::Hide(Reason { code: code.to_owned(), text: text.to_owned() }))
}

loadout_test_guests::around!(execute);
