//! Absent rules and steps: which of them cannot be called for a tool, and whether the person sees the tool meanwhile.
//!
//! An absent rule fails closed: a tool that it may have hidden stays hidden, unless an administrator set that the tool
//! needs no rule. The implementor of [`ToolRules`] says why a rule or step is absent.

use crate::domain::experience::{Gate, HiddenBy};
use crate::domain::{Environment, PaneTool, WithoutRule};

use super::absent_part::Absent;
use super::absent_part::AbsentPart;
use super::rules::ToolRules;

/// The code of a tool that is hidden because its rule or a guarding step is absent, and of the warning about it.
pub const NO_RULE: &str = "no-rule";

/// The code of the warning about a tool that is decided without a step that may be skipped.
const NO_STEP: &str = "no-step";

/// What the host decides about a tool before it calls the rule.
#[derive(Debug, PartialEq)]
pub(super) enum Standing {
    /// The rule and steps that are there are called, or the tool needs no rule. Holds warnings, each with its code.
    Asked(Vec<(&'static str, String)>),
    /// The tool is hidden.
    Hidden(HiddenBy),
}

/// Decides from the absent rules and steps whether `tool`, which is called `name`, is hidden or its rule is called.
pub(super) fn standing(name: &str, tool: &PaneTool, environment: &Environment, rules: &dyn ToolRules) -> Standing {
    let kind = tool.kind.as_str();
    let absent = rules.absent(kind);
    let of = |part: AbsentPart| absent.iter().filter(move |it| it.part == part);
    let hidden = |needs: String| {
        Standing::Hidden(HiddenBy { code: Some(NO_RULE.to_owned()), ..HiddenBy::gate(Gate::Rule, needs) })
    };
    if let Some(Absent { why, next, .. }) = of(AbsentPart::Rule).next() {
        return hidden(format!("no rule decides about tools of the kind `{kind}`: {why}; {next}"));
    }
    if let Some(Absent { why, next, .. }) = of(AbsentPart::Guard).next() {
        return hidden(format!("a step that guards tools of the kind `{kind}` is not asked: {why}; {next}"));
    }
    let passed_over = of(AbsentPart::Step)
        .map(|Absent { why, next, .. }| (NO_STEP, format!("tool `{kind}` is decided without a step: {why}; {next}")));
    let mut warnings: Vec<_> = passed_over.collect();
    if !rules.has_rule(kind) {
        let former = of(AbsentPart::Former).next();
        match tool.without_rule.unwrap_or(environment.plugins.without_rule) {
            WithoutRule::Hide => return hidden(unruled(name, kind, former)),
            // A tool that needs no rule and never had one gets no warning.
            WithoutRule::Show => warnings.extend(former.map(|Absent { why, next, .. }| {
                (NO_RULE, format!("tool `{kind}` is shown without a rule, as configured: {why}; {next}"))
            })),
        }
    }
    Standing::Asked(warnings)
}

/// Returns why `tool`, which is called `name`, is hidden for want of a rule or a step, if it is hidden.
pub fn hidden_without_rule(
    name: &str,
    tool: &PaneTool,
    environment: &Environment,
    rules: &dyn ToolRules,
) -> Option<String> {
    match standing(name, tool, environment, rules) {
        Standing::Hidden(hidden_by) => Some(hidden_by.needs),
        Standing::Asked(_) => None,
    }
}

/// Says why a tool is hidden whose kind no plugin answers for, and how an administrator shows the tool.
fn unruled(name: &str, kind: &str, former: Option<&Absent>) -> String {
    let (why, next) = match former {
        Some(Absent { why, next, .. }) => (&**why, &**next),
        None => ("no plugin here ever declared it", "install a plugin that does"),
    };
    format!(
        "no rule decides about tools of the kind `{kind}`: {why}; {next}, or write `\"withoutRule\": \"show\"` into pane tool `{name}` if it needs no rule"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::{AnyItem, Item, Kind};
    use crate::resolve::{Evaluation, Reads};

    use super::*;

    /// Rules that only answer `has_rule` and `absent`.
    struct Rules(bool, Vec<Absent>);

    impl ToolRules for Rules {
        fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
            None
        }

        fn fingerprint(&self) -> String {
            String::new()
        }

        fn has_rule(&self, _: &str) -> bool {
            self.0
        }

        fn absent(&self, _: &str) -> &[Absent] {
            &self.1
        }
    }

    fn outcome(has_rule: bool, absent: &[AbsentPart], tool: Option<&str>, environment: WithoutRule) -> String {
        let absent = absent.iter().map(|part| Absent {
            part: *part,
            why: format!("its {part:?} is away").into(),
            next: "bring it back".into(),
        });
        let rules = Rules(has_rule, absent.collect());
        let mut json = json!({"name": "Desk", "kind": "desk", "control": "desk"});
        if let Some(tool) = tool {
            json["withoutRule"] = tool.into();
        }
        let item = AnyItem::parse(Kind::PaneTool, "contoso_desk", json).unwrap();
        let mut wanted = Environment::default();
        wanted.plugins.without_rule = environment;
        match standing("contoso_desk", PaneTool::from_any(&item).unwrap(), &wanted, &rules) {
            Standing::Asked(warnings) if warnings.is_empty() => "asked".to_owned(),
            Standing::Asked(warnings) => {
                let codes: Vec<_> = warnings.iter().map(|(code, _)| *code).collect();
                format!("asked, {}", codes.join(" "))
            }
            Standing::Hidden(HiddenBy { gate, code, .. }) => format!("hidden {gate} {}", code.unwrap_or_default()),
        }
    }

    #[test]
    fn what_is_absent_never_fails_open() {
        use AbsentPart::{Former, Guard, Rule, Step};
        use WithoutRule::{Hide, Show};
        // Columns: whether a rule is bound, what is absent, `withoutRule` of the tool, that of the environment, and the
        // result.
        for (has_rule, absent, tool, environment, expected) in [
            (true, &[][..], None, Hide, "asked"),
            (false, &[], None, Hide, "hidden rule no-rule"),
            (false, &[], None, Show, "asked"),
            (false, &[], Some("show"), Hide, "asked"),
            (false, &[], Some("hide"), Show, "hidden rule no-rule"),
            (false, &[Former], None, Hide, "hidden rule no-rule"),
            (false, &[Former], Some("show"), Hide, "asked, no-rule"),
            (false, &[Former], None, Show, "asked, no-rule"),
            // A tool waits for a plugin that answers for its kind, whatever other rule is bound and whatever the tool
            // says.
            (false, &[Rule], Some("show"), Show, "hidden rule no-rule"),
            (true, &[Rule], Some("show"), Show, "hidden rule no-rule"),
            (true, &[Guard], Some("show"), Show, "hidden rule no-rule"),
            (false, &[Guard], Some("show"), Show, "hidden rule no-rule"),
            (true, &[Step], None, Hide, "asked, no-step"),
            (false, &[Step], None, Hide, "hidden rule no-rule"),
            (false, &[Step, Former], Some("show"), Hide, "asked, no-step no-rule"),
        ] {
            let found = outcome(has_rule, absent, tool, environment);
            assert_eq!(found, expected, "{has_rule} {absent:?} {tool:?} {environment:?}");
        }
    }

    #[test]
    fn the_sentence_says_what_to_write() {
        insta::assert_snapshot!(unruled("contoso_desk", "desk", None), @r#"no rule decides about tools of the kind `desk`: no plugin here ever declared it; install a plugin that does, or write `"withoutRule": "show"` into pane tool `contoso_desk` if it needs no rule"#);
    }
}
