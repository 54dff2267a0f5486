//! Checks what a step around a rule wants different, before the host uses it.
//!
//! What a step makes of settings or of a decision keeps the rules of a decision. No step can show a tool that the rule
//! hides, and no step can change the profile: a step changes only what the rule is given this once.

use serde_json::{Map, Value};

use crate::domain::merge_patch;
use crate::domain::message::Stage;
use crate::resolve::{Decision, ItemReference};
use crate::upgrade::attribute_changes;

use super::decision;
use super::decision::Verdict;
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::invalid::{Invalid, quote};

/// What a step is asked about.
#[derive(Debug, Clone, Copy)]
pub(in crate::plugin) struct Question<'a> {
    pub(in crate::plugin) tool: &'a str,
    pub(in crate::plugin) stage: Stage,
    /// A JSON object.
    pub(in crate::plugin) settings: &'a str,
    /// After the rule: what was decided so far.
    pub(in crate::plugin) decision: Option<&'a Decision>,
    pub(in crate::plugin) properties: &'a [(&'a str, &'a str)],
}

/// What a step around a rule answers, in its own words.
#[derive(Debug, Clone, PartialEq)]
pub enum StepProposal {
    /// It goes on, with this.
    Proceed {
        /// A merge patch, as JSON.
        patch: Option<String>,
        /// All items from now on.
        items: Option<Vec<ItemReference>>,
    },
    /// The tool is hidden.
    Hide {
        /// A stable code.
        code: String,
        /// One sentence.
        text: String,
    },
    /// It could not decide.
    Fault {
        /// A stable code.
        code: String,
        /// One sentence.
        message: String,
    },
}

/// What becomes of an evaluation by one step.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plugin) enum Amendment {
    /// Nothing.
    Nothing,
    /// The rule is given other settings; those attributes differ.
    Settings { settings: String, changed: Vec<String> },
    /// The decision is another; those attributes differ.
    Decision { decision: Decision, changed: Vec<String> },
    /// The tool is hidden.
    Hide { code: String, text: String },
}

/// The attribute that stands for the items of a decision.
const ITEMS: &str = "items";

/// What a wish comes to.
pub(in crate::plugin) fn check(
    wish: StepProposal,
    question: &Question<'_>,
    limits: &Limits,
) -> Result<Amendment, CallError> {
    let (patch, items) = match wish {
        StepProposal::Proceed { patch, items } => (patch, items),
        StepProposal::Hide { code, text } => {
            within(code.len() + text.len(), limits)?;
            decision::code("reason", &code)?;
            decision::text("text of the reason", &text)?;
            return Ok(Amendment::Hide { code, text });
        }
        StepProposal::Fault { code, message } => {
            decision::code("fault", &code)?;
            return Err(CallError::Failed { code, message: quote(&message) });
        }
    };
    within(patch.as_ref().map_or(0, String::len), limits)?;
    let patch = patch.map(|patch| object(&patch)).transpose()?;
    match question.decision {
        None if items.is_some() => {
            Err(invalid("it names items in stage 20, when nothing is shown yet: name them in stage 40"))
        }
        None => settings(question.settings, patch, limits),
        Some(Decision::Hidden { .. }) if patch.is_some() || items.is_some() => {
            Err(invalid("it changes what is shown of a tool that is hidden: look at `decision` first"))
        }
        Some(Decision::Hidden { .. }) => Ok(Amendment::Nothing),
        Some(Decision::Shown { payload, items: before }) => shown(payload, before, patch, items, limits),
    }
}

fn settings(before: &str, patch: Option<Value>, limits: &Limits) -> Result<Amendment, CallError> {
    let Some(patch) = patch else { return Ok(Amendment::Nothing) };
    let before: Value =
        serde_json::from_str(before).map_err(|error| invalid(format!("there is nothing to patch: {error}")))?;
    let mut after = before.clone();
    merge_patch::merge(&mut after, patch);
    let changed = differences(&before, &after);
    if changed.is_empty() {
        return Ok(Amendment::Nothing);
    }
    let settings = after.to_string();
    within(settings.len(), limits)?;
    Ok(Amendment::Settings { settings, changed })
}

fn shown(
    payload: &Map<String, Value>,
    items: &[ItemReference],
    patch: Option<Value>,
    others: Option<Vec<ItemReference>>,
    limits: &Limits,
) -> Result<Amendment, CallError> {
    let before = Value::Object(payload.clone());
    let mut after = before.clone();
    if let Some(patch) = patch {
        merge_patch::merge(&mut after, patch);
    }
    let mut changed = differences(&before, &after);
    let others = others.filter(|others| others != items);
    if others.is_some() {
        changed.push(ITEMS.to_owned());
    }
    if changed.is_empty() {
        return Ok(Amendment::Nothing);
    }
    let items = others.unwrap_or_else(|| items.to_vec());
    let decision = decision::check(Verdict::Shown { payload: after.to_string(), items }, limits)?;
    Ok(Amendment::Decision { decision, changed })
}

fn within(found: usize, limits: &Limits) -> Result<(), CallError> {
    let limit = limits.output;
    if found <= limit { Ok(()) } else { Err(Exceeded::Output { limit, found: Some(found) }.into()) }
}

fn differences(before: &Value, after: &Value) -> Vec<String> {
    attribute_changes(before, after).into_iter().map(|change| quote(&change.path)).collect()
}

fn object(patch: &str) -> Result<Value, CallError> {
    let object = serde_json::from_str::<Map<String, Value>>(patch);
    object.map(Value::Object).map_err(|error| Invalid::Patch(quote(&error.to_string())).into())
}

fn invalid(why: impl Into<String>) -> CallError {
    Invalid::Outcome(why.into()).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(kind: &str, name: &str) -> ItemReference {
        ItemReference { kind: kind.to_owned(), name: name.to_owned() }
    }

    fn proceed(patch: &str, items: Option<Vec<ItemReference>>) -> StepProposal {
        StepProposal::Proceed { patch: (!patch.is_empty()).then(|| patch.to_owned()), items }
    }

    fn macros() -> Decision {
        let Value::Object(payload) = json!({ "available": ["a", "b"], "hint": { "text": "x" } }) else {
            unreachable!()
        };
        Decision::Shown { payload, items: vec![item("macros", "a"), item("macros", "b")] }
    }

    fn amend(wish: StepProposal, decision: Option<&Decision>) -> String {
        let stage = if decision.is_some() { Stage::PostOperation } else { Stage::PreOperation };
        let question = Question { tool: "macros", stage, settings: r#"{"max":3}"#, decision, properties: &[] };
        let limits = Limits { output: 100, items: 2, ..Limits::default() };
        match check(wish, &question, &limits) {
            Ok(Amendment::Nothing) => "nothing".to_owned(),
            Ok(Amendment::Settings { settings, changed }) => format!("{settings} {changed:?}"),
            Ok(Amendment::Decision { decision: Decision::Shown { payload, items }, changed }) => {
                let names: Vec<_> = items.into_iter().map(|item| item.name).collect();
                format!("{} {names:?} {changed:?}", Value::Object(payload))
            }
            Ok(Amendment::Decision { decision, .. }) => format!("{decision:?}"),
            Ok(Amendment::Hide { code, text }) => format!("hide {code}: {text}"),
            Err(error) => format!("{} {error}", error.code()),
        }
    }

    #[test]
    fn before_the_rule_a_patch_changes_its_settings() {
        let too_large = json!({ "max": "x".repeat(98) }).to_string();
        for (wish, expected) in [
            (proceed("", None), "nothing"),
            (proceed("{}", None), "nothing"),
            (proceed(r#"{"max":3}"#, None), "nothing"),
            (proceed(r#"{"max":null,"min":1}"#, None), r#"{"min":1} ["min", "max"]"#),
            (
                proceed("[]", None),
                "plugin.invalid-result its patch is no JSON object: invalid type: sequence, expected a map at line 1 column 0",
            ),
            (
                proceed("{", None),
                "plugin.invalid-result its patch is no JSON object: EOF while parsing an object at line 1 column 1",
            ),
            (
                proceed("{}", Some(Vec::new())),
                "plugin.invalid-result it names items in stage 20, when nothing is shown yet: name them in stage 40",
            ),
            (proceed(&too_large, None), "plugin.output-limit its answer is larger than 0 KiB"),
        ] {
            assert_eq!(amend(wish, None), expected);
        }
    }

    #[test]
    fn after_the_rule_a_patch_changes_what_is_shown() {
        let (one, three) = (vec![item("macros", "a")], vec![item("macros", "a"); 3]);
        for (wish, expected) in [
            (proceed("", None), "nothing"),
            (proceed("", Some(vec![item("macros", "a"), item("macros", "b")])), "nothing"),
            (
                proceed(r#"{"available":["a"],"hint":{"text":null}}"#, Some(one)),
                r#"{"available":["a"],"hint":{}} ["a"] ["available", "hint.text", "items"]"#,
            ),
            (proceed("", Some(three)), "plugin.output-limit its answer names 3 items; at most 2 are allowed"),
            (
                proceed("", Some(vec![item("Macros", "a")])),
                "plugin.invalid-result its kind of item is `Macros`; 1 to 64 of `a` to `z`, `0` to `9` and `-` are expected, a letter first",
            ),
            (
                proceed(&json!({ "more": "x".repeat(60) }).to_string(), None),
                "plugin.output-limit its answer is larger than 0 KiB",
            ),
        ] {
            assert_eq!(amend(wish, Some(&macros())), expected);
        }
    }

    #[test]
    fn whoever_hides_says_why_and_nobody_shows_what_is_hidden() {
        let hidden = Decision::Hidden { code: "no-macro".to_owned(), text: "Add one.".to_owned() };
        let hide = |code: &str, text: &str| StepProposal::Hide { code: code.to_owned(), text: text.to_owned() };
        for (wish, decision, expected) in [
            (hide("not-now", "Wait."), None, "hide not-now: Wait."),
            (hide("not-now", "Wait."), Some(&hidden), "hide not-now: Wait."),
            (hide("not-now", " "), None, "plugin.invalid-result its text of the reason is empty"),
            (proceed("", None), Some(&hidden), "nothing"),
            (
                proceed("{}", None),
                Some(&hidden),
                "plugin.invalid-result it changes what is shown of a tool that is hidden: look at `decision` first",
            ),
        ] {
            assert_eq!(amend(wish, decision), expected);
        }
        let fault = StepProposal::Fault { code: "no-luck".to_owned(), message: "today".to_owned() };
        assert_eq!(amend(fault, None), "plugin.failed it answered with the fault `no-luck`: today");
    }
}
