//! The experience profile: the whole experience of one group of people.
//!
//! Refuses faults within one profile. The store checks the rule across items: one session template per entity.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A named bundle of session templates, channels, productivity pane and more (`msdyn_appconfiguration`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Shown in lists.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive profiles are skipped; their assignments stay and revive on activation (ruling 8.4).
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The apps the profile is for; empty means every app (ruling 8.1).
    #[serde(default)]
    pub apps: BTreeSet<Name<App>>,
    /// Entity session templates, at most one per entity.
    #[serde(default)]
    pub session_templates: BTreeSet<Name<SessionTemplate>>,
    /// The side panel and its tools.
    #[serde(default)]
    pub productivity_pane: ProductivityPane,
    /// Conversations and telephony.
    #[serde(default)]
    pub channels: Channels,
    /// Views of the inbox.
    #[serde(default)]
    pub inbox: Inbox,
    /// Generative helpers.
    #[serde(default)]
    pub copilot: Copilot,
    /// Suggestions offered to the people of this profile.
    #[serde(default)]
    pub smart_assist: BTreeSet<Name<SmartAssistConfiguration>>,
    /// Additional sections.
    #[serde(default)]
    pub application_extensions: BTreeSet<Name<ApplicationExtension>>,
    /// Where the profile came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The side panel (`msdyn_paneconfiguration`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProductivityPane {
    /// Whether there is a pane at all.
    pub enabled: bool,
    /// How it starts in a new session; afterwards the person's own choice stands (ruling 8.25).
    pub mode: PaneMode,
    /// The tools in it.
    pub tools: Vec<PlacedTool>,
    /// The unique name the pane had as an item of its own, kept for round trips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<Text<128>>,
    /// The name the pane had as an item of its own, kept for round trips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<100>>,
}

impl Default for ProductivityPane {
    fn default() -> Self {
        Self { enabled: true, mode: PaneMode::Expanded, tools: Vec::new(), unique_name: None, name: None }
    }
}

/// How a pane starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PaneMode {
    /// Open.
    #[default]
    Expanded,
    /// A row of icons.
    Collapsed,
}

/// A tool placed in a pane (`msdyn_panetabconfiguration`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlacedTool {
    /// The tool, by its unique name, or by its kind where only one tool is of that kind.
    pub tool: Name<PaneTool>,
    /// Whether this profile shows it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Position from the top; ties go by unique name.
    #[serde(default)]
    pub order: u32,
    /// The settings that the tool's rule component receives.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Path of the icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Text<100>>,
    /// Shown while pointing at the icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<Localized<100>>,
    /// The unique name the placement had as an item of its own, kept for round trips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<Text<128>>,
}

fn yes() -> bool {
    true
}

/// Channels of a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Channels {
    /// Every configured channel, and presence, is loaded.
    pub all_active: bool,
    /// Telephony of other vendors.
    pub providers: BTreeSet<Name<ChannelProvider>>,
}

/// The inbox of a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Inbox {
    /// Whether there is an inbox.
    pub enabled: bool,
    /// Its views, in the order shown.
    pub views: Vec<InboxView>,
}

/// A view of the inbox (`msdyn_inboxconfiguration`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboxView {
    /// Shown as the view's title.
    pub name: Text<100>,
    /// Kinds of work the view lists. A view may mix them.
    #[schema(min_items = 1)]
    pub record_types: BTreeSet<InboxRecordType>,
    /// Which of them: one filter per record type, as a check list or a condition.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub filters: serde_json::Map<String, serde_json::Value>,
    /// Hidden views are kept and not shown.
    #[serde(default)]
    pub visible: bool,
    /// The view that opens first. At most one.
    #[serde(default)]
    pub default: bool,
    /// How rows are sorted at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_sort: Option<Text<1_048_576>>,
}

/// A kind of work that an inbox view can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InboxRecordType {
    /// Conversations.
    Chat,
    /// E-mails.
    Email,
    /// Cases.
    Case,
    /// Voicemail.
    Voicemail,
    /// Any record enabled for unified routing.
    RoutedRecord,
}

/// Generative helpers of a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Copilot {
    /// Which helpers are on; absent means off.
    pub features: BTreeMap<CopilotFeature, bool>,
}

/// A generative helper (`msdyn_copilotfeature`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the product's own and say all there is to say")]
pub enum CopilotFeature {
    AskAQuestion,
    LiveConversationResponse,
    WriteAnEmail,
    CaseSummary,
    LiveConversationSummary,
    CaseBasedKnowledgeCreation,
    ConversationToCaseAutonomousCreation,
    ConversationToCaseManualCreation,
    CaseResolutionManualCreation,
    KnowledgeHarvestingFromCase,
    IntentBasedSuggestions,
    InboxSuggestedNextActionsView,
}

/// Tells whether two profiles with these apps have an app in common. A profile without apps is for all.
pub fn share_app(one: &BTreeSet<Name<App>>, other: &BTreeSet<Name<App>>) -> bool {
    one.is_empty() || other.is_empty() || !one.is_disjoint(other)
}

impl Item for Profile {
    item_basics!(Profile, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        visit_set(&mut self.apps, "apps", visit);
        visit_set(&mut self.session_templates, "sessionTemplates", visit);
        for placed in &mut self.productivity_pane.tools {
            visit(placed.tool.reference("productivityPane.tools"));
        }
        visit_set(&mut self.channels.providers, "channels.providers", visit);
        visit_set(&mut self.smart_assist, "smartAssist", visit);
        visit_set(&mut self.application_extensions, "applicationExtensions", visit);
    }

    fn check(&self, problems: &mut Problems) {
        let mut placed = BTreeSet::new();
        for (index, tool) in self.productivity_pane.tools.iter().enumerate() {
            if !placed.insert(&tool.tool) {
                problems.refuse(
                    format!("productivityPane.tools[{index}]"),
                    format!("`{}` is placed twice: keep one", tool.tool),
                );
            }
            let attribute = format!("productivityPane.tools[{index}].settings");
            problems.0.extend(free_json::check(&attribute, &tool.settings).err());
        }
        let mut views = BTreeSet::new();
        for (index, view) in self.inbox.views.iter().enumerate() {
            if !views.insert(view.name.as_str()) {
                problems.refuse(
                    format!("inbox.views[{index}]"),
                    format!("there are two views `{}`: rename one", view.name),
                );
            }
            if view.record_types.is_empty() {
                problems.refuse(format!("inbox.views[{index}].recordTypes"), "name at least one record type");
            }
            problems.0.extend(free_json::check(&format!("inbox.views[{index}].filters"), &view.filters).err());
        }
        if self.inbox.views.iter().filter(|view| view.default).count() > 1 {
            problems.refuse("inbox.views", "more than one view is the default: keep one");
        }
    }
}

/// Visits the names of a set. A set cannot change in place, so it is taken apart and put together again.
pub(super) fn visit_set<T: Named>(
    names: &mut BTreeSet<Name<T>>,
    attribute: &'static str,
    visit: &mut dyn FnMut(Reference<'_>),
) {
    *names = std::mem::take(names)
        .into_iter()
        .map(|mut name| {
            visit(name.reference(attribute));
            name
        })
        .collect();
}
