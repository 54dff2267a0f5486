//! Checks what a rule answered before the host uses it.

use serde_json::{Map, Value};

use crate::resolve::Decision;

use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::invalid::Invalid;
use crate::plugin::limits::invalid::quote;
use crate::resolve::ItemReference;

const LONGEST_CODE: usize = 64;
/// What a rule answers, unchecked.
#[derive(Debug)]
pub(in crate::plugin) enum Verdict {
    /// A decision to show the tool.
    Shown { payload: String, items: Vec<ItemReference> },
    /// A decision to hide it.
    Hidden { code: String, text: String },
    /// None.
    Fault { code: String, message: String },
}

/// The decision a verdict stands for.
pub(in crate::plugin) fn check(verdict: Verdict, limits: &Limits) -> Result<Decision, CallError> {
    let found = size(&verdict);
    if found > limits.output {
        return Err(Exceeded::Output { limit: limits.output, found: Some(found) }.into());
    }
    match verdict {
        Verdict::Shown { payload, items } => {
            if items.len() > limits.items {
                return Err(Exceeded::Items { found: items.len(), limit: limits.items }.into());
            }
            for item in &items {
                code("kind of item", &item.kind)?;
                text("name of an item", &item.name)?;
            }
            Ok(Decision::Shown { payload: object(&payload)?, items })
        }
        Verdict::Hidden { code: reason, text: sentence } => {
            code("reason", &reason)?;
            text("text of the reason", &sentence)?;
            Ok(Decision::Hidden { code: reason, text: sentence })
        }
        Verdict::Fault { code: fault, message } => {
            code("fault", &fault)?;
            Err(CallError::Failed { code: fault, message: quote(&message) })
        }
    }
}

fn size(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Shown { payload, items } => {
            payload.len() + items.iter().map(|item| item.kind.len() + item.name.len()).sum::<usize>()
        }
        Verdict::Hidden { code, text } => code.len() + text.len(),
        Verdict::Fault { code, message } => code.len() + message.len(),
    }
}

fn object(payload: &str) -> Result<Map<String, Value>, Invalid> {
    serde_json::from_str(payload).map_err(|error| Invalid::Payload(quote(&error.to_string())))
}

/// Refuses what is no code.
pub(in crate::plugin) fn code(what: &'static str, found: &str) -> Result<(), Invalid> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts = found.starts_with(|first: char| first.is_ascii_lowercase());
    if starts && found.len() <= LONGEST_CODE && found.bytes().all(fits) {
        return Ok(());
    }
    Err(Invalid::Code { what, found: quote(found) })
}

/// Refuses what says nothing.
pub(in crate::plugin) fn text(what: &'static str, found: &str) -> Result<(), Invalid> {
    if found.trim().is_empty() { Err(Invalid::Empty(what)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::ItemReference;

    fn shown(payload: &str, items: &[(&str, &str)]) -> Verdict {
        let items =
            items.iter().map(|(kind, name)| ItemReference { kind: (*kind).to_owned(), name: (*name).to_owned() });
        Verdict::Shown { payload: payload.to_owned(), items: items.collect() }
    }

    fn hidden(code: &str, text: &str) -> Verdict {
        Verdict::Hidden { code: code.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn what_is_well_formed_passes() {
        let limits = Limits::default();
        let expected = Decision::Hidden { code: "no-script".to_owned(), text: "Add one.".to_owned() };
        assert_eq!(check(hidden("no-script", "Add one."), &limits), Ok(expected));
        let decision = check(shown(r#"{"a":1}"#, &[("scripts", "greet")]), &limits).unwrap();
        let Decision::Shown { payload, items } = decision else { panic!("{decision:?}") };
        assert_eq!((payload.len(), items.len()), (1, 1));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let limits = Limits { output: 60, items: 1, ..Limits::default() };
        let fault = Verdict::Fault { code: "bad-settings".to_owned(), message: "no\nway".to_owned() };
        for (verdict, code, message) in [
            (shown("[]", &[]), "plugin.invalid-result", "its payload is no JSON object: invalid type: sequence"),
            (shown("{", &[]), "plugin.invalid-result", "its payload is no JSON object: EOF"),
            (shown("{}", &[("Scripts", "a")]), "plugin.invalid-result", "its kind of item is `Scripts`; 1 to 64"),
            (shown("{}", &[("scripts", "")]), "plugin.invalid-result", "its name of an item is empty"),
            (shown("{}", &[("a", "b"), ("a", "b")]), "plugin.output-limit", "its answer names 2 items; at most 1"),
            (shown(&" ".repeat(61), &[]), "plugin.output-limit", "its answer is larger than 0 KiB"),
            (hidden("no script", "x"), "plugin.invalid-result", "its reason is `no script`; 1 to 64"),
            (hidden("", "x"), "plugin.invalid-result", "its reason is ``; 1 to 64"),
            (hidden("none", " "), "plugin.invalid-result", "its text of the reason is empty"),
            (fault, "plugin.failed", "it answered with the fault `bad-settings`: no way"),
        ] {
            let error = check(verdict, &limits).unwrap_err();
            assert_eq!(error.code(), code, "for {error}");
            assert!(error.to_string().starts_with(message), "not `{message}`: {error}");
        }
    }
}
