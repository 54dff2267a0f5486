//! Session templates: the panel, tabs and scripts of a new session.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// The logical name of a table, such as `incident`.
pub type Entity = Text<100>;

/// The panel, tabs and scripts of a new session (`msdyn_sessiontemplate`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionTemplate {
    /// For administrators; never shown at run time.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive templates are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Required, without a default (ruling 8.2).
    pub kind: SessionKind,
    /// The table whose records open such a session; only for [`SessionKind::Entity`], and then required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Shown in the session panel; slugs allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized<200>>,
    /// The anchor tab takes the session's title.
    #[serde(default)]
    pub title_on_anchor_tab: bool,
    /// How the communication panel starts.
    #[serde(default)]
    pub communication_panel: CommunicationPanel,
    /// Path of the session's icon; only for [`SessionKind::Generic`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Text<200>>,
    /// The first tab; only for [`SessionKind::Generic`]. The anchor of an entity session is the record itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_tab: Option<Name<ApplicationTabTemplate>>,
    /// The tabs that open after the anchor.
    #[serde(default)]
    pub tabs: Vec<AdditionalTab>,
    /// The scripts a person may choose from, in order.
    #[serde(default)]
    pub scripts: Vec<Name<Script>>,
    /// Chooses the script to start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_script: Option<DefaultScript>,
    /// Where the template came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The kind of session that a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// A conversation; bound by a workstream or voice profile.
    Generic,
    /// A record of one table; bound by a profile.
    Entity,
}

/// The state of the panel in which messages are exchanged (`msdyn_panelstate`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommunicationPanel {
    /// Open at the side.
    #[default]
    Docked,
    /// A strip.
    Minimized,
    /// Not there.
    Hidden,
}

/// A tab that opens with a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdditionalTab {
    /// The tab.
    pub template: Name<ApplicationTabTemplate>,
    /// Position after the anchor; ties go by unique name (ruling 8.9).
    #[serde(default)]
    pub order: u32,
}

/// An expression that chooses the script to start with (`msdyn_expressiondata`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultScript {
    /// Whether the expression is used at all.
    pub enabled: bool,
    /// A workflow definition whose branches end in the action that sets the script.
    pub expression: Definition,
}

impl Item for SessionTemplate {
    item_basics!(SessionTemplate, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Some(anchor) = &mut self.anchor_tab {
            visit(anchor.reference("anchorTab"));
        }
        for tab in &mut self.tabs {
            visit(tab.template.reference("tabs"));
        }
        for script in &mut self.scripts {
            visit(script.reference("scripts"));
        }
    }

    fn check(&self, problems: &mut Problems) {
        match (self.kind, &self.entity) {
            (SessionKind::Entity, None) => {
                problems.refuse("entity", "an entity template needs the entity it is for, such as `incident`")
            }
            (SessionKind::Generic, Some(_)) => {
                problems.refuse("entity", "a generic template has no entity: remove it, or make the kind `entity`")
            }
            _ => {}
        }
        if self.kind == SessionKind::Entity {
            if self.anchor_tab.is_some() {
                problems.question("anchorTab", "the anchor of an entity session is the record itself: remove it");
            }
            if self.icon.is_some() {
                problems.question("icon", "only generic templates have an icon: remove it");
            }
        }
        let mut tabs = BTreeSet::new();
        for (index, tab) in self.tabs.iter().enumerate() {
            if !tabs.insert(&tab.template) {
                problems.refuse(format!("tabs[{index}]"), format!("`{}` is attached twice: keep one", tab.template));
            }
        }
        let mut scripts = BTreeSet::new();
        for (index, script) in self.scripts.iter().enumerate() {
            if !scripts.insert(script) {
                problems.refuse(format!("scripts[{index}]"), format!("`{script}` is attached twice: keep one"));
            }
        }
        if let Some(title) = &self.title {
            slug::check_localized(title, "title", problems);
        }
        if let Some(default) = &self.default_script
            && let Err(error) = default.expression.workflow()
        {
            problems.refuse("defaultScript.expression", error.to_string());
        }
    }
}
