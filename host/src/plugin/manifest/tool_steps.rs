//! `[[steps]]` of a manifest for the world `tool-step`: around which rules a plugin wants to be asked.
//!
//! Refuses a step that could never be asked, and all that only steps in changes of configuration have.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::FaultPolicy;
use crate::domain::message::Stage;
use crate::domain::message::TOOL_EVALUATE;
use crate::domain::plugin::is_plugin_name;

use super::error::{ManifestError, NAME_RULE, check, refused};
use super::kinds::{MOST_KINDS, skip};
use super::steps::{possible_policy, read};

/// A step around rules, as a plugin declares it. The environment may decide otherwise about rank, configuration and
/// fault policy.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolStepDeclaration {
    /// Its name.
    pub name: String,
    /// The tool kinds it is asked about.
    pub resources: Vec<String>,
    /// Before the rule (stage 20) or after it (stage 40).
    pub stage: Stage,
    /// Its place in its stage.
    pub rank: i32,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
}

/// A step around rules, key by key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = ToolStepPart)]
pub(super) struct Part {
    /// What it is called, in the characters of the plugin's name.
    name: String,
    /// Always `tool.evaluate`.
    message: String,
    /// A tool kind, or several as a list.
    #[schema(value_type = String)]
    resource: Resource,
    /// 20 before the rule is asked, 40 after it answered.
    stage: u32,
    /// Its place in its stage, the lowest first.
    rank: i32,
    /// What happens to the answer when it breaks, unless the environment says otherwise: `skip` or `abort`; `skip`
    /// without it.
    #[serde(default = "skip")]
    on_fault: FaultPolicy,
}

/// One tool kind, or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`resource` is a tool kind, or a list of tool kinds")]
enum Resource {
    One(String),
    Several(Vec<String>),
}

/// The steps, if they make sense together.
pub(super) fn checked(parts: Vec<toml::Value>) -> Result<Vec<ToolStepDeclaration>, ManifestError> {
    let mut steps: Vec<ToolStepDeclaration> = Vec::new();
    for part in read::<Part>(parts)? {
        let step = part.checked()?;
        let once = steps.iter().all(|there| there.name != step.name);
        check("steps.name", &step.name, once, "each step has a name of its own")?;
        steps.push(step);
    }
    Ok(steps)
}

impl Part {
    fn checked(self) -> Result<ToolStepDeclaration, ManifestError> {
        let Self { name, message, resource, stage, rank, on_fault } = self;
        check("steps.name", &name, is_plugin_name(&name), NAME_RULE)?;
        check(
            "steps.message",
            &message,
            message == TOOL_EVALUATE,
            "steps of this world are asked about `tool.evaluate`",
        )?;
        let resources = match resource {
            Resource::One(kind) => vec![kind],
            Resource::Several(kinds) => kinds,
        };
        let count = (1..=MOST_KINDS).contains(&resources.len());
        check("steps.resource", &format!("{resources:?}"), count, "a step is about 1 to 32 kinds of tool")?;
        for (at, kind) in resources.iter().enumerate() {
            check("steps.resource", kind, is_plugin_name(kind), NAME_RULE)?;
            check("steps.resource", kind, !resources[..at].contains(kind), "each kind is named once")?;
        }
        let stage = match Stage::try_from(stage) {
            Ok(stage @ (Stage::PreOperation | Stage::PostOperation)) => stage,
            Ok(Stage::PreValidation) | Err(_) => {
                let rule = "around a rule there are 20 (before it is asked) and 40 (after it answered)";
                return Err(refused("steps.stage", &stage.to_string(), rule));
            }
        };
        possible_policy(on_fault)?;
        Ok(ToolStepDeclaration { name, resources, stage, rank, on_fault })
    }
}

#[cfg(test)]
mod tests {
    use crate::plugin::{Manifest, Provides};

    const WHOLE: &str = r#"
        [plugin]
        publisher = "contoso"
        name = "guard"
        version = "1.0.0"
        world = "loadout:plugin/tool-step@0.1.0"
        description = "Nobody writes for a stranger."
        [[steps]]
        name = "strangers"
        message = "tool.evaluate"
        resource = "macros"
        stage = 40
        rank = 5
        [[steps]]
        name = "defaults"
        message = "tool.evaluate"
        resource = ["macros", "scripts"]
        stage = 20
        rank = 1
        on-fault = "abort"
    "#;

    #[test]
    fn steps_are_declared_with_the_tools_they_are_about() {
        let manifest = Manifest::parse(WHOLE).unwrap();
        let Provides::ToolSteps { steps } = manifest.provides else { panic!("{manifest:?}") };
        insta::assert_snapshot!(format!("{:?}", steps[0]), @r#"ToolStepDeclaration { name: "strangers", resources: ["macros"], stage: PostOperation, rank: 5, on_fault: Skip }"#);
        insta::assert_snapshot!(format!("{:?}", steps[1]), @r#"ToolStepDeclaration { name: "defaults", resources: ["macros", "scripts"], stage: PreOperation, rank: 1, on_fault: Abort }"#);
    }

    #[test]
    fn a_step_that_could_never_be_asked_is_refused() {
        for (from, to, expected) in [
            (
                "tool.evaluate",
                "profile.update",
                "its manifest says `steps.message = profile.update`; steps of this world are asked about `tool.evaluate`",
            ),
            ("stage = 20", "stage = 10", "its manifest says `steps.stage = 10`; around a rule there are 20"),
            ("stage = 20", "stage = 30", "its manifest says `steps.stage = 30`; around a rule there are 20"),
            ("\"abort\"", "\"use-default\"", "its manifest says `steps.on-fault = use-default`; a step can `abort`"),
            ("\"abort\"", "\"hope\"", "its manifest cannot be read: unknown variant `hope`"),
            ("\"macros\"\n", "\"Macros\"\n", "its manifest says `steps.resource = Macros`; a name has"),
            ("[\"macros\", \"scripts\"]", "[]", "its manifest says `steps.resource = []`; a step is about 1 to 32"),
            ("\"scripts\"", "\"macros\"", "its manifest says `steps.resource = macros`; each kind is named once"),
            ("[\"macros\", \"scripts\"]", "7", "its manifest cannot be read: `resource` is a tool kind, or a list"),
            ("\"defaults\"", "\"strangers\"", "its manifest says `steps.name = strangers`; each step has a name"),
            ("rank = 5", "rank = 5\nmode = \"async\"", "its manifest cannot be read: unknown field `mode`"),
            ("rank = 5", "rank = 5\nimages = []", "its manifest cannot be read: unknown field `images`"),
            ("rank = 5", "", "its manifest cannot be read: missing field `rank`"),
            ("resource = \"macros\"", "", "its manifest cannot be read: missing field `resource`"),
            ("[[steps]]", "[tool]\nkinds = [\"a\"]\n[[steps]]", "its manifest cannot be read: `[tool]` means nothing"),
        ] {
            let error = Manifest::parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "`{to}` gave: {error}");
        }
    }
}
