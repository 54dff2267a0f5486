//! Orders steps by a graph of named predecessors, without numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::step::StepInfo;

/// Why steps have no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The predecessor of a step does not exist.
    #[error(
        "step `{step}` must come after `{after}`, and no plugin of that name is a step: install it, or remove `{step}`"
    )]
    Missing {
        /// The step.
        step: String,
        /// The name of the predecessor.
        after: String,
    },
    /// Steps wait for each other.
    #[error("the steps {} wait for each other: remove one of them, or one of its predecessors", listed(.0))]
    Circle(Vec<String>),
}

/// Orders steps so that each comes after its predecessors. If several are possible, the smallest name comes first.
pub fn ordered(steps: &[StepInfo]) -> Result<Vec<&StepInfo>, GraphError> {
    let mut left: BTreeMap<&str, &StepInfo> = steps.iter().map(|step| (step.name.as_str(), step)).collect();
    for step in steps {
        if let Some(after) = step.after.iter().find(|after| !left.contains_key(after.as_str())) {
            return Err(GraphError::Missing { step: step.name.clone(), after: after.clone() });
        }
    }
    let (mut order, mut done) = (Vec::new(), BTreeSet::new());
    while !left.is_empty() {
        let ready = left.values().find(|step| step.after.iter().all(|after| done.contains(after.as_str())));
        let Some(next) = ready.copied() else {
            return Err(GraphError::Circle(left.keys().map(|name| (*name).to_owned()).collect()));
        };
        left.remove(next.name.as_str());
        done.insert(next.name.as_str());
        order.push(next);
    }
    Ok(order)
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(steps: &[(&str, &[&str])]) -> String {
        let info = |(name, after): &(&str, &[&str])| StepInfo {
            name: (*name).to_owned(),
            after: after.iter().map(|it| (*it).to_owned()).collect(),
            ..StepInfo::default()
        };
        let steps: Vec<StepInfo> = steps.iter().map(info).collect();
        match ordered(&steps) {
            Ok(order) => order.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn predecessors_come_first_and_names_decide_the_rest() {
        assert_eq!(order(&[("a/c", &["a/b"]), ("a/b", &["a/z"]), ("a/z", &[]), ("a/d", &[])]), "a/d a/z a/b a/c");
        assert_eq!(order(&[]), "");
    }

    #[test]
    fn what_has_no_order_is_refused() {
        insta::assert_snapshot!(order(&[("a/b", &["a/x"])]), @"step `a/b` must come after `a/x`, and no plugin of that name is a step: install it, or remove `a/b`");
        insta::assert_snapshot!(order(&[("a/a", &[]), ("a/b", &["a/c"]), ("a/c", &["a/b"])]), @"the steps `a/b`, `a/c` wait for each other: remove one of them, or one of its predecessors");
    }
}
