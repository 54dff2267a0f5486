//! `[[steps]]` of a manifest: what a plugin wants to be asked about.
//!
//! Refuses a step that could never be asked, or that would be shown nothing: an attribute no item has, an image that
//! cannot be.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::domain::message::TOOL_EVALUATE;
use crate::domain::message::{Message, Stage};
use crate::domain::plugin::is_plugin_name;
use crate::domain::{FaultPolicy, attribute_path};
use crate::pipeline::{Image, ImageKind, Mode};

use super::error::{ManifestError, NAME_RULE, check, one_line, refused};
use super::generation::TOOL_STEP_WORLD;

const MOST_STEPS: usize = 64;
const MOST_PATHS: usize = 64;
const MOST_IMAGES: usize = 8;
const LONGEST_PATH: usize = 256;

/// A step as a plugin declares it. The environment may decide otherwise about rank, configuration and fault policy.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDeclaration {
    /// Its name.
    pub name: String,
    /// What it is asked about.
    pub message: Message,
    /// When.
    pub stage: Stage,
    /// Whether the change waits for it.
    pub mode: Mode,
    /// Its place in its stage.
    pub rank: i32,
    /// The attributes it cares about; all if there is none.
    pub filter: Vec<String>,
    /// What it is shown besides what differs.
    pub images: Vec<Image>,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
}

/// A step in changes of configuration, key by key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = UpgradeSection)]
pub(super) struct Part {
    /// What it is called, in the characters of the plugin's name.
    name: String,
    /// What it is asked about: `<kind>.create`, `.update` or `.delete`, `environment.update`, `profile.assign`,
    /// `profile.unassign`, `profile.set-default` or `config.import`.
    message: String,
    /// 10 before the change is checked, 20 before it is written, 40 after it.
    stage: u32,
    /// Whether the change waits for it. `async` only in stage 40.
    #[serde(default)]
    mode: Mode,
    /// Its place in its stage, the lowest first.
    rank: i32,
    /// Attributes of which one must really differ; asked about every change without them.
    #[serde(default)]
    filtering_attributes: Vec<String>,
    /// What it is shown besides what differs.
    #[serde(default)]
    images: Vec<Image>,
    /// What happens to the change when it breaks, unless the environment says otherwise: `abort` or `skip`; `abort`
    /// without it.
    #[serde(default = "abort")]
    on_fault: FaultPolicy,
}

fn abort() -> FaultPolicy {
    FaultPolicy::Abort
}

/// The steps, if they make sense together.
pub(super) fn checked(parts: Vec<toml::Value>) -> Result<Vec<StepDeclaration>, ManifestError> {
    let mut steps: Vec<StepDeclaration> = Vec::new();
    for part in read::<Part>(parts)? {
        let step = part.checked()?;
        let once = steps.iter().all(|there| there.name != step.name);
        check("steps.name", &step.name, once, "each step has a name of its own")?;
        steps.push(step);
    }
    Ok(steps)
}

/// The steps as they are written, if they are not too many.
pub(super) fn read<P: DeserializeOwned>(parts: Vec<toml::Value>) -> Result<Vec<P>, ManifestError> {
    let count = (1..=MOST_STEPS).contains(&parts.len());
    check("steps", &parts.len().to_string(), count, "a plugin has 1 to 64 steps")?;
    let read = parts.into_iter().map(|part| P::deserialize(part));
    read.collect::<Result<_, _>>().map_err(|error| ManifestError::Toml(one_line(&error)))
}

/// Refuses a policy that only tools have.
pub(super) fn possible_policy(on_fault: FaultPolicy) -> Result<(), ManifestError> {
    let known = matches!(on_fault, FaultPolicy::Abort | FaultPolicy::Skip);
    check("steps.on-fault", on_fault.as_str(), known, "a step can `abort` or be skipped with `skip`")
}

impl Part {
    fn checked(self) -> Result<StepDeclaration, ManifestError> {
        let Self { name, message, stage, mode, rank, filtering_attributes: filter, images, on_fault } = self;
        check("steps.name", &name, is_plugin_name(&name), NAME_RULE)?;
        let world = format!("it is asked of plugins for the world `{TOOL_STEP_WORLD}`");
        check("steps.message", &message, message != TOOL_EVALUATE, &world)?;
        let message: Message = message.parse().map_err(|error: crate::domain::message::UnknownMessage| {
            refused("steps.message", &message, &error.to_string())
        })?;
        let stage =
            Stage::try_from(stage).map_err(|error| refused("steps.stage", &stage.to_string(), &error.to_string()))?;
        let waits = mode == Mode::Sync || stage == Stage::PostOperation;
        check("steps.mode", "async", waits, "only a step of stage 40 is asynchronous")?;
        possible_policy(on_fault)?;
        let paths = filter.len() + images.iter().map(|image| image.attributes.len()).sum::<usize>();
        check("steps", &paths.to_string(), paths <= MOST_PATHS, "a step names 64 attributes at most")?;
        check("steps.images", &images.len().to_string(), images.len() <= MOST_IMAGES, "a step has 8 images at most")?;
        for path in filter.iter().chain(images.iter().flat_map(|image| &image.attributes)) {
            known(message, path)?;
        }
        for (at, image) in images.iter().enumerate() {
            possible(image, message, stage)?;
            let once = images[..at].iter().all(|there| there.alias != image.alias);
            check("steps.images.alias", &image.alias, once, "each image has an alias of its own")?;
        }
        Ok(StepDeclaration { name, message, stage, mode, rank, filter, images, on_fault })
    }
}

/// Refuses the path of an attribute that no item of the message has.
fn known(message: Message, path: &str) -> Result<(), ManifestError> {
    let Some(kind) = message.kind() else {
        let rule = format!("`{message}` is about items of several kinds: leave attributes out");
        return Err(refused("steps.filtering-attributes", path, &rule));
    };
    check("steps.filtering-attributes", path, path.len() <= LONGEST_PATH, "a path has 256 bytes at most")?;
    let attributes = kind.attributes();
    let first = attribute_path::split(path).into_iter().next().unwrap_or_default();
    let rule = format!("{} has {}", kind.with_article(), attributes.join(", "));
    check("steps.filtering-attributes", path, attributes.contains(&first), &rule)
}

/// Refuses an image that never is.
fn possible(image: &Image, message: Message, stage: Stage) -> Result<(), ManifestError> {
    check("steps.images.alias", &image.alias, is_plugin_name(&image.alias), NAME_RULE)?;
    match (image.kind, message) {
        (ImageKind::Pre, Message::Create(_)) => {
            Err(refused("steps.images.kind", "pre", "before an item is made there is none: ask for `post` in stage 40"))
        }
        (ImageKind::Post, Message::Delete(_)) => {
            Err(refused("steps.images.kind", "post", "after an item is deleted there is none: ask for `pre`"))
        }
        (ImageKind::Post, _) if stage != Stage::PostOperation => {
            Err(refused("steps.images.kind", "post", "only in stage 40 is there an item after the change"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::plugin::{Manifest, Provides};

    const WHOLE: &str = r#"
        [plugin]
        publisher = "contoso"
        name = "desk"
        version = "1.0.0"
        world = "loadout:plugin/step@0.1.0"
        description = "Guards the desk."
        [[steps]]
        name = "guard"
        message = "profile.update"
        stage = 20
        rank = 5
        filtering-attributes = ["productivityPane.mode"]
        images = [{ alias = "before", kind = "pre", attributes = ["name"] }]
        [[steps]]
        name = "tell"
        message = "config.import"
        stage = 40
        mode = "async"
        rank = 1
        on-fault = "skip"
    "#;

    #[test]
    fn steps_are_declared_with_what_they_care_about() {
        let manifest = Manifest::parse(WHOLE).unwrap();
        let Provides::ConfigurationSteps { steps } = manifest.provides else { panic!("{manifest:?}") };
        insta::assert_snapshot!(format!("{:?}", steps[0]), @r#"StepDeclaration { name: "guard", message: Update(Profile), stage: PreOperation, mode: Sync, rank: 5, filter: ["productivityPane.mode"], images: [Image { alias: "before", kind: Pre, attributes: ["name"] }], on_fault: Abort }"#);
        insta::assert_snapshot!(format!("{:?}", steps[1]), @r#"StepDeclaration { name: "tell", message: Import, stage: PostOperation, mode: Async, rank: 1, filter: [], images: [], on_fault: Skip }"#);
    }

    #[test]
    fn a_step_that_could_never_be_asked_is_refused() {
        for (from, to, expected) in [
            (
                "profile.update",
                "profile.publish",
                "its manifest says `steps.message = profile.publish`; `profile.publish` is no message",
            ),
            ("stage = 20", "stage = 30", "its manifest says `steps.stage = 30`; 30 is no stage for steps"),
            (
                "config.import",
                "tool.evaluate",
                "its manifest says `steps.message = tool.evaluate`; it is asked of plugins for the world `loadout:plugin/tool-step@0.1.0`",
            ),
            (
                "stage = 40",
                "stage = 20",
                "its manifest says `steps.mode = async`; only a step of stage 40 is asynchronous",
            ),
            (
                "productivityPane.mode",
                "pane",
                "its manifest says `steps.filtering-attributes = pane`; a profile has application",
            ),
            (
                "[\"name\"]",
                "[\"nome\"]",
                "its manifest says `steps.filtering-attributes = nome`; a profile has application",
            ),
            ("\"pre\"", "\"post\"", "its manifest says `steps.images.kind = post`; only in stage 40"),
            ("profile.update", "profile.create", "its manifest says `steps.images.kind = pre`; before an item is made"),
            (
                "name = \"tell\"",
                "name = \"guard\"",
                "its manifest says `steps.name = guard`; each step has a name of its own",
            ),
            ("name = \"tell\"", "name = \"Tell\"", "its manifest says `steps.name = Tell`; a name has"),
            ("rank = 5", "", "its manifest cannot be read: missing field `rank`"),
            ("on-fault = \"skip\"", "on-fault = \"hope\"", "its manifest cannot be read: unknown variant `hope`"),
            (
                "on-fault = \"skip\"",
                "filtering-attributes = [\"name\"]",
                "its manifest says `steps.filtering-attributes = name`; `config.import` is about",
            ),
        ] {
            let error = Manifest::parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "`{to}` gave: {error}");
        }
    }
}
