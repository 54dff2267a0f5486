//! Actions and their order.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::{Condition, DEPTH_MAX, Error};

/// A workflow definition: actions in the order they run.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    actions: Vec<Action>,
}

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Chooses between two branches.
    If {
        /// The name of the action.
        name: String,
        /// What decides.
        condition: Condition,
        /// Runs if the condition holds.
        then: Vec<Action>,
        /// Runs if it does not.
        otherwise: Vec<Action>,
    },
    /// Does something.
    Do {
        /// The name of the action.
        name: String,
        /// What it does, such as `Clone_Input_Record`.
        kind: String,
        /// What it is given.
        inputs: Map<String, Value>,
    },
}

impl Workflow {
    /// Reads a definition: the bare one, or one wrapped in `definition` or `properties.definition` as exports have it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let root: Value = serde_json::from_str(text).map_err(|error| Error::NotJson(error.to_string()))?;
        let wrappers = ["/properties/definition", "/definition", ""];
        let definition = wrappers.iter().find_map(|path| root.pointer(path));
        let actions = definition.and_then(|it| it.get("actions")).and_then(Value::as_object).ok_or(Error::NoActions)?;
        Ok(Self { actions: read(actions, 0)? })
    }

    /// The actions in the order they run.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The scripts that some branch sets as the one to start with, each once, as they are named there: a unique name,
    /// or a GUID in definitions from elsewhere.
    pub fn scripts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        scripts(&self.actions, &mut found);
        found
    }

    /// Evaluates the conditions and returns the script that is set last, if any is. `resolve` replaces the slugs in an
    /// operand.
    pub fn default_script(&self, resolve: &dyn Fn(&str) -> String) -> Result<Option<String>, Error> {
        let mut chosen = None;
        run(&self.actions, resolve, &mut chosen)?;
        Ok(chosen)
    }
}

impl Action {
    /// The name of the action.
    pub fn name(&self) -> &str {
        match self {
            Self::If { name, .. } | Self::Do { name, .. } => name,
        }
    }

    /// The script the action sets as the one to start with, if that is what it does.
    ///
    /// The type's spelling varies between product versions; letters decide, case and underscores do not.
    pub fn default_script(&self) -> Option<&str> {
        let Self::Do { kind, inputs, .. } = self else { return None };
        let kind: String = kind.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        if !matches!(kind.as_str(), "setdefaultagentscript" | "setdefaultscript" | "setdefaultcallscript") {
            return None;
        }
        let keys = ["ScriptUniqueName", "ScriptId", "AgentScriptId", "CallScriptId", "Script", "EntityId"];
        let given = keys.iter().find_map(|key| inputs.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)));
        given.and_then(|(_, value)| value.as_str()).map(str::trim).filter(|script| !script.is_empty())
    }
}

fn read(actions: &Map<String, Value>, depth: usize) -> Result<Vec<Action>, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::TooDeep);
    }
    in_order(actions)?.into_iter().map(|(name, action)| read_one(name, action, depth)).collect()
}

fn read_one(name: &str, action: &Map<String, Value>, depth: usize) -> Result<Action, Error> {
    let wrong = |reason: &str| Error::Action { action: name.to_owned(), reason: reason.to_owned() };
    let kind = action.get("type").and_then(Value::as_str).ok_or_else(|| wrong("it has no `type`"))?;
    if !kind.eq_ignore_ascii_case("If") {
        let inputs = match action.get("inputs") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(inputs)) => inputs.clone(),
            Some(_) => return Err(wrong("its `inputs` are not an object")),
        };
        return Ok(Action::Do { name: name.to_owned(), kind: kind.to_owned(), inputs });
    }
    let expression = action.get("expression").ok_or_else(|| wrong("an `If` needs an `expression`"))?;
    let branch = |of: Option<&Value>, what: &str| match of {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(actions)) => read(actions, depth + 1),
        Some(_) => Err(wrong(&format!("its {what} are not an object"))),
    };
    Ok(Action::If {
        name: name.to_owned(),
        condition: Condition::parse(expression, 0)?,
        then: branch(action.get("actions"), "`actions`")?,
        otherwise: branch(action.get("else").and_then(|it| it.get("actions")), "`else.actions`")?,
    })
}

/// An action as it is written, with its name.
type Named<'a> = (&'a str, &'a Map<String, Value>);

/// Sorts actions so that each comes after those it runs after; among the free ones the written order stands.
fn in_order(actions: &Map<String, Value>) -> Result<Vec<Named<'_>>, Error> {
    let places: HashMap<&str, usize> = actions.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut named = Vec::with_capacity(actions.len());
    // For each action, how many it waits for, and which wait for it.
    let mut waits = vec![0; actions.len()];
    let mut followers = vec![Vec::new(); actions.len()];
    for (at, (name, action)) in actions.iter().enumerate() {
        let wrong = |reason: &str| Error::Action { action: name.clone(), reason: reason.to_owned() };
        let action = action.as_object().ok_or_else(|| wrong("it is not an object"))?;
        match action.get("runAfter") {
            None | Some(Value::Null) => {}
            Some(Value::Object(after)) => {
                for before in after.keys() {
                    let before = places.get(before.as_str()).ok_or_else(|| Error::Order(name.clone()))?;
                    waits[at] += 1;
                    followers[*before].push(at);
                }
            }
            Some(_) => return Err(wrong("its `runAfter` is not an object")),
        }
        named.push((name.as_str(), action));
    }
    let mut ready: BTreeSet<usize> = (0..named.len()).filter(|at| waits[*at] == 0).collect();
    let mut sorted = Vec::with_capacity(named.len());
    while let Some(at) = ready.pop_first() {
        sorted.push(named[at]);
        for follower in &followers[at] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                ready.insert(*follower);
            }
        }
    }
    match waits.iter().position(|waits| *waits > 0) {
        Some(stuck) => Err(Error::Order(named[stuck].0.to_owned())),
        None => Ok(sorted),
    }
}

fn scripts<'a>(actions: &'a [Action], found: &mut Vec<&'a str>) {
    for action in actions {
        if let Action::If { then, otherwise, .. } = action {
            scripts(then, found);
            scripts(otherwise, found);
        }
        if let Some(script) = action.default_script()
            && !found.contains(&script)
        {
            found.push(script);
        }
    }
}

fn run(actions: &[Action], resolve: &dyn Fn(&str) -> String, chosen: &mut Option<String>) -> Result<(), Error> {
    for action in actions {
        match action {
            Action::If { condition, then, otherwise, .. } => {
                run(if condition.holds(resolve) { then } else { otherwise }, resolve, chosen)?;
            }
            Action::Do { .. } => {
                if let Some(script) = action.default_script() {
                    *chosen = Some(script.to_owned());
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(actions: &str) -> String {
        match Workflow::parse(&format!(r#"{{"actions":{actions}}}"#)) {
            Ok(workflow) => workflow.actions().iter().map(Action::name).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn actions_run_after_what_they_name() {
        let cases = [
            (r#"{"b":{"type":"X","runAfter":{"a":["Succeeded"]}},"a":{"type":"X","runAfter":{}}}"#, "a b"),
            (r#"{"z":{"type":"X"},"a":{"type":"X"}}"#, "z a"),
            (
                r#"{"a":{"type":"X","runAfter":{"b":[]}},"b":{"type":"X","runAfter":{"a":[]}}}"#,
                "action `a` never runs: what it runs after is missing, or waits for it",
            ),
            (r#"{"a":{"inputs":{}}}"#, "action `a`: it has no `type`"),
            (r#"{"a":{"type":"X","inputs":[1]}}"#, "action `a`: its `inputs` are not an object"),
            ("[]", "the workflow definition has no `actions` object"),
        ];
        for (actions, expected) in cases {
            assert_eq!(order(actions), expected, "for {actions}");
        }
    }

    #[test]
    fn many_actions_in_the_worst_order_are_sorted_all_the_same() {
        let action = |at: usize| format!(r#""a{at}":{{"type":"X","runAfter":{{"a{}":[]}}}}"#, at + 1);
        let mut actions: Vec<String> = (0..20_000).map(action).collect();
        actions.push(r#""a20000":{"type":"X"}"#.to_owned());
        let workflow = Workflow::parse(&format!(r#"{{"actions":{{{}}}}}"#, actions.join(","))).unwrap();
        assert_eq!(workflow.actions()[0].name(), "a20000");
    }

    #[test]
    fn every_wrapping_of_a_definition_is_read() {
        for text in [
            r#"{"actions":{"a":{"type":"X"}}}"#,
            r#"{"definition":{"actions":{"a":{"type":"X"}}}}"#,
            r#"{"properties":{"definition":{"actions":{"a":{"type":"X"}}}}}"#,
        ] {
            assert_eq!(Workflow::parse(text).unwrap().actions().len(), 1, "for {text}");
        }
    }

    #[test]
    fn the_branch_that_holds_sets_the_script() {
        let workflow = Workflow::parse(
            r#"{"actions":{"C":{"type":"If","expression":{"equals":["${tier}","gold"]},
                "actions":{"S":{"type":"SetDefaultAgentScript","inputs":{"scriptUniqueName":"contoso_gold"}}},
                "else":{"actions":{"D":{"type":"If","expression":{"equals":["${tier}","silver"]},
                    "actions":{"S":{"type":"Set_default_agent_script","inputs":{"ScriptId":" contoso_silver\r"}}}}}}}}}"#,
        )
        .unwrap();
        let chosen = |tier: &str| workflow.default_script(&|text| text.replace("${tier}", tier)).unwrap();
        assert_eq!(chosen("gold").as_deref(), Some("contoso_gold"));
        assert_eq!(chosen("silver").as_deref(), Some("contoso_silver"));
        assert_eq!(chosen("none"), None);
        assert_eq!(workflow.scripts(), ["contoso_gold", "contoso_silver"]);
    }

    #[test]
    fn deep_nesting_is_refused_before_it_hurts() {
        let mut text = r#"{"type":"X"}"#.to_owned();
        for _ in 0..100 {
            text = format!(r#"{{"type":"If","expression":{{"equals":["1","1"]}},"actions":{{"a":{text}}}}}"#);
        }
        assert!(matches!(
            Workflow::parse(&format!(r#"{{"actions":{{"a":{text}}}}}"#)),
            Err(Error::TooDeep | Error::NotJson(_))
        ));
    }
}
