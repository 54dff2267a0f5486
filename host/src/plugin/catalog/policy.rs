//! What a tool gets when its rule breaks.
//!
//! Whatever is done is said in the answer. A decision that is remembered stands in only for the same question: the same
//! settings, the same person and session as far as a rule can see them. A rule for which the host had no room is
//! treated as one that broke: the policy decides about its tool alone, and only what a rule answered itself is
//! remembered.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::domain::FaultPolicy;
use crate::domain::experience::Degraded;
use crate::resolve::{Decision, Evaluation, Reads};

use crate::plugin::engine::last_good::{LastGood, QuestionKey};

/// What is done when a rule breaks.
#[derive(Debug, Clone)]
pub(in crate::plugin) struct Policy {
    pub(in crate::plugin) on_fault: FaultPolicy,
    pub(in crate::plugin) default: Map<String, Value>,
}

impl Policy {
    /// The name of the question, if its answer has to be remembered.
    pub(in crate::plugin) fn remembers(
        &self,
        plugin: &str,
        kind: &str,
        settings: &str,
        reads: &Reads,
    ) -> Option<QuestionKey> {
        let revision = reads.snapshot().filter(|_| self.on_fault == FaultPolicy::UseLastGood)?.revision();
        let mut hash = Sha256::new();
        for part in [plugin, kind, settings, &reads.facts().visible()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Some(QuestionKey { plugin: plugin.to_owned(), hash: hash.finalize().into(), revision })
    }

    /// The answer with what is to be done about its breaking.
    pub(in crate::plugin) fn apply(
        &self,
        evaluation: Evaluation,
        key: Option<QuestionKey>,
        known: &LastGood,
    ) -> Evaluation {
        let fault = match &evaluation.outcome {
            Err(fault) => fault.clone(),
            Ok(decision) => {
                if let Some(key) = key {
                    known.keep(&key, decision);
                }
                return evaluation;
            }
        };
        let instead = match self.on_fault {
            FaultPolicy::Abort => return Evaluation { ends: true, ..evaluation },
            FaultPolicy::Skip => None,
            FaultPolicy::UseDefault => Some(Decision::Shown { payload: self.default.clone(), items: Vec::new() }),
            FaultPolicy::UseLastGood => key.and_then(|key| known.get(&key)),
        };
        let Some(decision) = instead else { return evaluation };
        let degraded = Some(Degraded { policy: self.on_fault, fault });
        Evaluation { outcome: Ok(decision), degraded, ..evaluation }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::domain::experience::ToolFault;
    use crate::resolve::Facts;
    use crate::store::Snapshot;

    use super::*;

    fn evaluation(outcome: Result<&str, &str>) -> Evaluation {
        let outcome = outcome.map(|text| Decision::Hidden { code: "none".to_owned(), text: text.to_owned() });
        let outcome = outcome.map_err(|code| ToolFault {
            code: code.to_owned(),
            message: "broke".to_owned(),
            plugin: "a/b".to_owned(),
            version: "1.0.0".to_owned(),
            trace: None,
            retry_after: None,
        });
        Evaluation::of_rule("a/b 1.0.0".to_owned(), outcome, Vec::new())
    }

    fn reads(facts: Facts) -> Reads {
        Reads::new(Arc::new(Snapshot::default()), Arc::new(facts))
    }

    fn policy(on_fault: FaultPolicy) -> Policy {
        let Value::Object(default) = json!({ "plain": true }) else { unreachable!() };
        Policy { on_fault, default }
    }

    /// What comes of an evaluation: the decision, the policy that gave it, and whether everything ends.
    fn show(evaluation: &Evaluation) -> String {
        let what = match &evaluation.outcome {
            Ok(Decision::Shown { payload, .. }) => Value::Object(payload.clone()).to_string(),
            Ok(Decision::Hidden { text, .. }) => text.clone(),
            Err(fault) => fault.code.clone(),
        };
        let policy = evaluation.degraded.as_ref().map_or("", |degraded| degraded.policy.as_str());
        format!("{what} {policy} {}", if evaluation.ends { "ends" } else { "" }).trim_end().to_owned()
    }

    #[test]
    fn each_policy_does_what_it_says() {
        for (on_fault, code, expected) in [
            (FaultPolicy::Abort, "plugin.timeout", "plugin.timeout  ends"),
            (FaultPolicy::Skip, "plugin.timeout", "plugin.timeout"),
            (FaultPolicy::UseDefault, "plugin.timeout", "{\"plain\":true} use-default"),
            (FaultPolicy::UseLastGood, "plugin.timeout", "plugin.timeout"),
            (FaultPolicy::Abort, "plugin.busy", "plugin.busy  ends"),
            (FaultPolicy::Skip, "plugin.busy", "plugin.busy"),
            (FaultPolicy::UseDefault, "plugin.busy", "{\"plain\":true} use-default"),
            (FaultPolicy::UseLastGood, "plugin.busy", "plugin.busy"),
        ] {
            let done = policy(on_fault).apply(evaluation(Err(code)), None, &LastGood::default());
            assert_eq!(show(&done), expected, "{on_fault:?} of {code}");
        }
    }

    #[test]
    fn only_the_same_question_gets_the_answer_again() {
        let (policy, known) = (policy(FaultPolicy::UseLastGood), LastGood::default());
        let of = |customer: &str, settings: &str| {
            let context = [("customerName".to_owned(), customer.to_owned())].into();
            policy.remembers("a/b", "kind", settings, &reads(Facts { context, ..Facts::default() }))
        };
        policy.apply(evaluation(Ok("for Ada")), of("Ada", "{}"), &known);
        for code in ["plugin.timeout", "plugin.busy"] {
            for (customer, settings, expected) in
                [("Ada", "{}", "for Ada use-last-good"), ("Bob", "{}", code), ("Ada", "{\"a\":1}", code)]
            {
                let done = policy.apply(evaluation(Err(code)), of(customer, settings), &known);
                assert_eq!(show(&done), expected, "{code} {customer} {settings}");
            }
        }
        assert_eq!(self::policy(FaultPolicy::Skip).remembers("a/b", "k", "{}", &reads(Facts::default())), None);
    }
}
