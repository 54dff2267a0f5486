//! Conditions of an `If`.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{DEPTH_MAX, Error};

/// A condition over texts and numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All hold. Of none, true.
    And(Vec<Condition>),
    /// At least one holds. Of none, false.
    Or(Vec<Condition>),
    /// The inner one does not hold.
    Not(Box<Condition>),
    /// Two operands compare so.
    Compare(Operator, Value, Value),
}

/// How two operands compare. `Contains`, `StartsWith` and `EndsWith` compare texts; the others compare two numbers as
/// numbers and anything else as texts. Case matters in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the workflow definition language")]
pub enum Operator {
    Equals,
    Greater,
    GreaterOrEquals,
    Less,
    LessOrEquals,
    Contains,
    StartsWith,
    EndsWith,
}

impl Condition {
    pub(crate) fn parse(expression: &Value, depth: usize) -> Result<Self, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::TooDeep);
        }
        let wrong = |reason: &str| {
            let condition: String = expression.to_string().chars().take(80).collect();
            Error::Condition { condition, reason: reason.to_owned() }
        };
        let object =
            expression.as_object().ok_or_else(|| wrong("expected an object such as `{\"equals\": [a, b]}`"))?;
        let mut entries = object.iter();
        let (Some((operator, operands)), None) = (entries.next(), entries.next()) else {
            return Err(wrong("expected exactly one operator"));
        };
        let list = || operands.as_array().ok_or_else(|| wrong("expected a list of operands"));
        let all = |list: &[Value]| list.iter().map(|it| Self::parse(it, depth + 1)).collect::<Result<Vec<_>, _>>();
        let operator = match operator.to_ascii_lowercase().as_str() {
            "and" => return Ok(Self::And(all(list()?)?)),
            "or" => return Ok(Self::Or(all(list()?)?)),
            "not" => {
                // Written as an object, or as a list of one.
                let inner = operands.as_array().and_then(|list| list.first()).unwrap_or(operands);
                return Ok(Self::Not(Box::new(Self::parse(inner, depth + 1)?)));
            }
            "equals" => Operator::Equals,
            "greater" => Operator::Greater,
            "greaterorequals" => Operator::GreaterOrEquals,
            "less" => Operator::Less,
            "lessorequals" => Operator::LessOrEquals,
            "contains" => Operator::Contains,
            "startswith" => Operator::StartsWith,
            "endswith" => Operator::EndsWith,
            _ => return Err(wrong("the operator is not known")),
        };
        let [left, right] = list()?.as_slice() else { return Err(wrong("expected two operands")) };
        Ok(Self::Compare(operator, left.clone(), right.clone()))
    }

    /// Whether the condition holds, with the slugs of its operands replaced by `resolve`.
    pub fn holds(&self, resolve: &dyn Fn(&str) -> String) -> bool {
        match self {
            Self::And(all) => all.iter().all(|it| it.holds(resolve)),
            Self::Or(any) => any.iter().any(|it| it.holds(resolve)),
            Self::Not(inner) => !inner.holds(resolve),
            Self::Compare(operator, left, right) => operator.holds(&text(left, resolve), &text(right, resolve)),
        }
    }
}

impl Operator {
    fn holds(self, left: &str, right: &str) -> bool {
        match self {
            Self::Contains => left.contains(right),
            Self::StartsWith => left.starts_with(right),
            Self::EndsWith => left.ends_with(right),
            Self::Equals => compare(left, right) == Ordering::Equal,
            Self::Greater => compare(left, right) == Ordering::Greater,
            Self::GreaterOrEquals => compare(left, right) != Ordering::Less,
            Self::Less => compare(left, right) == Ordering::Less,
            Self::LessOrEquals => compare(left, right) != Ordering::Greater,
        }
    }
}

fn text(operand: &Value, resolve: &dyn Fn(&str) -> String) -> String {
    match operand {
        Value::String(text) => resolve(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn compare(left: &str, right: &str) -> Ordering {
    match (left.trim().parse::<f64>(), right.trim().parse::<f64>()) {
        (Ok(left), Ok(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Less),
        _ => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(expression: &str) -> String {
        match Condition::parse(&serde_json::from_str(expression).unwrap(), 0) {
            Ok(condition) => condition.holds(&|text| text.replace("${n}", "10").replace("${name}", "Ada")).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn operators_mean_what_the_definition_language_says() {
        for (expression, expected) in [
            (r#"{"equals":["${name}","Ada"]}"#, "true"),
            (r#"{"equals":["${name}","ada"]}"#, "false"),
            (r#"{"not":{"equals":["${name}","Bob"]}}"#, "true"),
            (r#"{"not":[{"equals":["${name}","Ada"]}]}"#, "false"),
            (r#"{"greater":["${n}",9]}"#, "true"),
            (r#"{"less":["${n}","9"]}"#, "false"),
            (r#"{"greaterOrEquals":[10,"${n}"]}"#, "true"),
            (r#"{"lessOrEquals":["${n}",10.0]}"#, "true"),
            (r#"{"contains":["${name} Lovelace","Love"]}"#, "true"),
            (r#"{"startsWith":["${name}","A"]}"#, "true"),
            (r#"{"endsWith":["${name}","A"]}"#, "false"),
            (r#"{"and":[]}"#, "true"),
            (r#"{"or":[]}"#, "false"),
            (r#"{"and":[{"equals":[1,1]},{"or":[{"equals":[1,2]},{"equals":["",null]}]}]}"#, "true"),
            (r#"{"xor":[1,2]}"#, "condition `{\"xor\":[1,2]}` is not understood: the operator is not known"),
            (r#"{"equals":[1]}"#, "condition `{\"equals\":[1]}` is not understood: expected two operands"),
        ] {
            assert_eq!(verdict(expression), expected, "for {expression}");
        }
    }
}
