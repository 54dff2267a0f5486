//! The effect of a change of a plugin for one person, as lines of text.
//!
//! Looks at the tools the plugin decides about, or at all of them if it is asked around others.

use serde_json::{Map, Value, json};

use crate::upgrade::attribute_changes;

/// The part of an experience that a plugin has a hand in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// The outcome of each tool, by unique name.
    tools: Value,
    /// The reasons and the reads behind it, line by line.
    reasons: Vec<String>,
    warnings: Vec<String>,
}

impl Part {
    /// The part of `experience` for a plugin that decides about `kinds`; all tools if it decides about none.
    pub(super) fn of(experience: &Value, kinds: &[String]) -> Self {
        let concerns = |kind: &Value| {
            kinds.is_empty() || kind.as_str().is_some_and(|kind| kinds.iter().any(|known| known == kind))
        };
        let mut tools = Map::new();
        for tool in list(&experience["productivityPane"]["tools"]).filter(|tool| concerns(&tool["tool"])) {
            let mut became = tool["status"].clone();
            if let Some(tool) = tool.as_object() {
                let about = ["status", "payload", "hiddenBy", "degraded", "fault"];
                let kept = tool.iter().filter(|(key, _)| about.contains(&key.as_str()));
                became = kept.map(|(key, value)| (key.clone(), timeless(value))).collect();
            }
            tools.insert(text(&tool["uniqueName"]), became);
        }
        let about = list(&experience["explain"]).filter(|line| line["about"] == "tool" && concerns(&line["subject"]));
        let mut reasons = Vec::new();
        for line in about {
            reasons.push(format!("because    {}", text(&line["because"])));
            reasons.extend(list(&line["under"]).map(|under| format!("           {}", below(under))));
        }
        let warnings =
            list(&experience["warnings"]).map(|it| format!("{}: {}", text(&it["code"]), text(&it["message"])));
        Self { tools: Value::Object(tools), reasons, warnings: warnings.collect() }
    }

    /// Returns the differences from `before`, with the reasons of the new state.
    pub(super) fn since(&self, before: &Self) -> Vec<String> {
        let shown = |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        let changes = attribute_changes(&before.tools, &self.tools).into_iter();
        let mut lines: Vec<String> =
            changes.map(|it| format!("changed    {}: {} -> {}", it.path, shown(it.before), shown(it.after))).collect();
        if lines.is_empty() {
            lines.push("unchanged  the answer is what it was".to_owned());
        }
        lines.extend(self.reasons.iter().cloned());
        let new = self.warnings.iter().filter(|warning| !before.warnings.contains(warning));
        lines.extend(new.map(|warning| format!("warning    {warning}")));
        lines
    }
}

/// A value without the name of the record of a call, which is another one each time.
fn timeless(value: &Value) -> Value {
    let Some(members) = value.as_object() else { return value.clone() };
    let kept = members.iter().filter(|(key, _)| *key != "trace");
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// A line below a reason: what was read, or what a step did.
fn below(line: &Value) -> String {
    let subject = line["subject"].as_str().map_or_else(String::new, |subject| format!(" {subject}"));
    format!("{}{subject}: {}", text(&line["about"]), text(&line["because"]))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns the question to the host about a person.
pub(super) fn question(user: &str, app: &str, session: Option<&Map<String, Value>>) -> Value {
    json!({ "user": user, "app": app, "session": session, "explain": "full" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(status: Value, warnings: Value) -> Part {
        let mut tool = json!({ "tool": "scripts", "uniqueName": "contoso_scripts", "name": "Scripts", "order": 1 });
        tool.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        let other = json!({ "tool": "macros", "uniqueName": "contoso_macros", "status": "shown", "payload": {} });
        let explain = json!([
            { "about": "profile", "outcome": "chosen", "because": "it is the only one" },
            { "about": "tool", "subject": "scripts", "outcome": "shown", "because": "contoso/desk 1.0.0 shows it", "under": [
                { "about": "read", "subject": "context.get(customerName)", "outcome": "read", "because": "Ada" },
            ] },
            { "about": "tool", "subject": "macros", "outcome": "shown", "because": "loadout/macros 0.1.0 shows it" },
        ]);
        let experience =
            json!({ "productivityPane": { "tools": [tool, other] }, "explain": explain, "warnings": warnings });
        Part::of(&experience, &["scripts".to_owned()])
    }

    #[test]
    fn what_differs_is_told_with_the_reasons_and_what_is_new_to_mend() {
        let warned = json!([{ "code": "old", "message": "it was there" }]);
        let before = part(json!({ "status": "shown", "payload": { "greeting": "Hello" } }), warned.clone());
        let same = part(json!({ "status": "shown", "payload": { "greeting": "Hello" } }), warned);
        insta::assert_snapshot!(same.since(&before).join("\n"), @"
        unchanged  the answer is what it was
        because    contoso/desk 1.0.0 shows it
                   read context.get(customerName): Ada
        ");
        let fault = json!({ "code": "plugin.trapped", "message": "it trapped", "trace": "t1" });
        let broken = part(
            json!({ "status": "failed", "fault": fault }),
            json!([{ "code": "tool-failed", "message": "tool `scripts` is not shown" }]),
        );
        insta::assert_snapshot!(broken.since(&before).join("\n"), @r#"
        changed    contoso_scripts.status: "shown" -> "failed"
        changed    contoso_scripts.fault: nothing -> {"code":"plugin.trapped","message":"it trapped"}
        changed    contoso_scripts.payload: {"greeting":"Hello"} -> nothing
        because    contoso/desk 1.0.0 shows it
                   read context.get(customerName): Ada
        warning    tool-failed: tool `scripts` is not shown
        "#);
    }
}
