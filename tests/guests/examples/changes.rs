//! Takes part in changes, and does what its configuration says.

use loadout_test_guests::Verdict;
use loadout_test_guests::change::{Event, Fault, Outcome, Proposal, Rejection};
use serde_json::{Value, json};

fn execute(event: Event) -> Verdict {
    let wanted: Value = serde_json::from_str(&event.configuration).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(rejection) = wanted.get("reject") {
        let (code, message) = ("not-so".to_owned(), text(&rejection["message"]));
        return Ok(Outcome::Reject(Rejection { code, message, attribute: text(&rejection["attribute"]) }));
    }
    if let Some(message) = wanted.get("fail") {
        let retry_after = wanted.get("retryAfter").and_then(|it| u32::try_from(it.as_u64()?).ok());
        let tries = wanted.get("tries").and_then(Value::as_u64).unwrap_or(u64::MAX);
        if u64::from(event.attempt) <= tries {
            return Err(Fault { code: "on-purpose".to_owned(), message: text(message), retry_after });
        }
    }
    if wanted.get("trap").is_some() {
        panic!("it was told to");
    }
    if wanted.get("loop").is_some() {
        loop {
            std::hint::black_box(());
        }
    }
    let mut proposal = Proposal { patches: Vec::new(), shared: Vec::new() };
    if let Some(patch) = wanted.get("patch") {
        proposal.patches.push((0, patch.to_string()));
    }
    for patch in wanted.get("patches").and_then(Value::as_array).into_iter().flatten() {
        proposal.patches.push((0, patch.to_string()));
    }
    if wanted.get("sign").is_some() {
        // Its own changes lead to questions, too.
        let own = event.properties.iter().any(|(name, value)| name == "author" && value == "tests/changes");
        if !own {
            proposal.patches.push((0, json!({ "description": format!("signed {}", event.id) }).to_string()));
        }
    }
    if let Some(flip) = wanted.get("flip") {
        let values: Value = serde_json::from_str(&event.targets[0].values).unwrap_or_default();
        let other = if values["description"] == flip[0] { &flip[1] } else { &flip[0] };
        proposal.patches.push((0, json!({ "description": other }).to_string()));
    }
    if let Some(patch) = wanted.get("garbage") {
        proposal.patches.push((0, text(patch)));
    }
    if wanted.get("tell").is_some() {
        let target = &event.targets[0];
        let images: Value = target.images.iter().map(|(alias, image)| (alias.clone(), json!(image))).collect();
        let shared: Vec<&String> = event.shared.iter().map(|(key, _)| key).collect();
        let author = event.properties.iter().find(|(name, _)| name == "author").map(|(_, value)| value);
        let seen = json!([event.step, event.message, event.stage, target.changed, images, shared, author]);
        proposal.patches.push((0, json!({ "description": seen.to_string() }).to_string()));
    }
    if let Some(shared) = wanted.get("share") {
        proposal.shared.push((event.step.clone(), shared.to_string()));
    }
    Ok(Outcome::Proceed(proposal))
}

loadout_test_guests::handler!(execute);
