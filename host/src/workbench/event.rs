//! A change of configuration as a case writes it, for configuration steps.
//!
//! Refuses a change the step would never be asked about, by what its manifest says, and images that it would not be
//! shown. Does not check the configuration against the schema: the step itself names an unknown key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::attribute_path;
use crate::domain::message::Message;
use crate::pipeline::{Event, Image, Target, concerns};
use crate::plugin::{About, AskedStep, StepDeclaration};

/// A change, key by key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventCase {
    /// The step that is called.
    pub step: String,
    /// The message, such as `profile.update`.
    pub message: String,
    /// 10, 20 or 40.
    pub stage: u32,
    /// How often the step was called about the change, this time included.
    #[serde(default = "first")]
    pub attempt: u32,
    /// The author of the change.
    #[serde(default)]
    pub author: Option<String>,
    /// The reason of the change.
    #[serde(default)]
    pub reason: Option<String>,
    /// The configuration of the step.
    #[serde(default)]
    pub configuration: Map<String, Value>,
    /// The shared values of steps that were called earlier.
    #[serde(default)]
    pub shared: BTreeMap<String, Value>,
    /// The items that change.
    pub targets: Vec<TargetCase>,
}

/// One item that changes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetCase {
    /// The collection.
    pub kind: String,
    /// The item.
    pub unique_name: String,
    /// The attributes that differ as they will be.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// The paths of the attributes that differ; the keys of `values` without it.
    #[serde(default)]
    pub changed: Option<Vec<String>>,
    /// The images that the step is given, by alias.
    #[serde(default)]
    pub images: BTreeMap<String, Value>,
}

fn first() -> u32 {
    1
}

impl EventCase {
    /// Returns the step and the event for it. Refuses an event that none of `steps` is ever called about.
    pub(super) fn asked<'a>(&self, steps: &'a [StepDeclaration]) -> Result<(AskedStep, &'a StepDeclaration), String> {
        let Self { step: name, message, stage, .. } = self;
        let Some(step) = steps.iter().find(|step| step.name == *name) else {
            let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            return Err(format!("the manifest has no step `{name}`, it has `{}`", names.join("`, `")));
        };
        if step.message.to_string() != *message {
            return Err(format!("step `{name}` is asked about `{}`, not about `{message}`", step.message));
        }
        if u32::from(step.stage) != *stage {
            return Err(format!("step `{name}` is asked in stage {}, not in {stage}", u32::from(step.stage)));
        }
        if self.targets.is_empty() {
            return Err("it has no targets, and something changes in every event".to_owned());
        }
        for target in &self.targets {
            target.suits(step)?;
        }
        let configuration = self.configuration.clone();
        Ok((AskedStep { name: name.clone(), configuration, about: About::Change { event: self.event() } }, step))
    }

    fn event(&self) -> Event {
        let properties = [(Event::AUTHOR, &self.author), (Event::REASON, &self.reason)];
        let known = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        Event {
            id: "case".to_owned(),
            message: self.message.clone(),
            stage: self.stage,
            attempt: self.attempt,
            targets: self.targets.iter().map(TargetCase::target).collect(),
            shared: texts(&self.shared).collect(),
            properties: known.collect(),
            request: None,
        }
    }
}

impl TargetCase {
    /// Returns the sorted paths that differ.
    fn paths(&self) -> Vec<String> {
        let mut changed = self.changed.clone().unwrap_or_else(|| self.values.keys().cloned().collect());
        changed.sort();
        changed
    }

    fn target(&self) -> Target {
        Target {
            kind: self.kind.clone(),
            name: self.unique_name.clone(),
            changed: self.paths(),
            values: Value::Object(self.values.clone()).to_string(),
            images: texts(&self.images).collect(),
        }
    }

    /// Refuses a target that `step` would not be given.
    fn suits(&self, step: &StepDeclaration) -> Result<(), String> {
        let StepDeclaration { name, message, filter, images, .. } = step;
        let what = format!("`{}` of `{}`", self.unique_name, self.kind);
        if let Some(kind) = message.kind().map(|kind| kind.collection())
            && kind != self.kind
        {
            return Err(format!("`{message}` is about items of `{kind}`, not about {what}"));
        }
        if !matches!(message, Message::Delete(_)) && !concerns(filter, &self.paths()) {
            let filter = filter.join("`, `");
            return Err(format!(
                "step `{name}` is asked about changes of `{filter}`, and {what} changes something else"
            ));
        }
        for (alias, body) in &self.images {
            let Some(image) = images.iter().find(|image| image.alias == *alias) else {
                return Err(format!("step `{name}` is shown no image `{alias}`: the manifest asks for none"));
            };
            if let Some(other) = foreign(image, body) {
                return Err(format!("image `{alias}` has no `{other}`: the manifest asks for other attributes"));
            }
        }
        // Whether an item is made or goes is not always said by the message; of one that only changes there is every
        // image.
        let missing = images.iter().find(|image| !self.images.contains_key(&image.alias));
        match (message, missing) {
            (Message::Update(_), Some(Image { alias, .. })) => {
                Err(format!("step `{name}` is shown the image `{alias}` of {what}: write it down"))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the first member of an image that it would not have.
fn foreign<'a>(image: &Image, body: &'a Value) -> Option<&'a String> {
    let asked = |key: &str| {
        image.attributes.is_empty()
            || image.attributes.iter().any(|path| attribute_path::split(path).first().is_some_and(|it| it == key))
    };
    body.as_object()?.keys().find(|key| !asked(key))
}

fn texts(values: &BTreeMap<String, Value>) -> impl Iterator<Item = (String, String)> {
    values.iter().map(|(key, value)| (key.clone(), value.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::{Manifest, Provides};

    const MANIFEST: &str = r#"
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
        images = [{ alias = "before", kind = "pre", attributes = ["name", "productivityPane.mode"] }]
        [[steps]]
        name = "born"
        message = "profile.create"
        stage = 40
        rank = 5
    "#;

    fn said(change: Value) -> String {
        let Provides::ConfigurationSteps { steps } = Manifest::parse(MANIFEST).unwrap().provides else {
            unreachable!()
        };
        let mut event = json!({
            "step": "guard", "message": "profile.update", "stage": 20, "targets": [{
                "kind": "profiles", "uniqueName": "contoso_rep", "values": { "rank": 2, "name": "Rep" },
                "images": { "before": { "name": "Reps", "productivityPane": { "mode": "hidden" } } },
            }],
        });
        crate::domain::merge_patch::merge(&mut event, change);
        let event: EventCase = serde_json::from_value(event).unwrap();
        event.asked(&steps).map_or_else(|reason| reason, |(asked, _)| json!(asked).to_string())
    }

    #[test]
    fn what_is_left_out_is_the_usual() {
        let asked = r#"{"name":"guard","configuration":{},"about":{"kind":"change","event":{"id":"case","message":"profile.update","stage":20,"attempt":1,"targets":[{"kind":"profiles","name":"contoso_rep","changed":["name","rank"],"values":"{\"rank\":2,\"name\":\"Rep\"}","images":[["before","{\"name\":\"Reps\",\"productivityPane\":{\"mode\":\"hidden\"}}"]]}],"shared":{},"properties":[["author","ada"]]}}}"#;
        assert_eq!(said(json!({ "author": "ada" })), asked);
    }

    #[test]
    fn what_the_step_is_never_asked_is_refused() {
        let target = |target: Value| json!({ "targets": [target] });
        for (change, expected) in [
            (json!({ "step": "gard" }), "the manifest has no step `gard`, it has `guard`, `born`"),
            (
                json!({ "message": "profile.create" }),
                "step `guard` is asked about `profile.update`, not about `profile.create`",
            ),
            (json!({ "stage": 40 }), "step `guard` is asked in stage 20, not in 40"),
            (json!({ "targets": [] }), "it has no targets, and something changes in every event"),
            (
                target(json!({ "kind": "macros", "uniqueName": "contoso_mail" })),
                "`profile.update` is about items of `profiles`, not about `contoso_mail` of `macros`",
            ),
            (
                target(json!({ "kind": "profiles", "uniqueName": "contoso_rep" })),
                "step `guard` is shown the image `before` of `contoso_rep` of `profiles`: write it down",
            ),
            (
                target(
                    json!({ "kind": "profiles", "uniqueName": "contoso_rep", "images": { "before": { "rank": 1 } } }),
                ),
                "image `before` has no `rank`: the manifest asks for other attributes",
            ),
            (
                target(json!({ "kind": "profiles", "uniqueName": "contoso_rep", "images": { "after": {} } })),
                "step `guard` is shown no image `after`: the manifest asks for none",
            ),
        ] {
            assert_eq!(said(change), expected);
        }
    }
}
