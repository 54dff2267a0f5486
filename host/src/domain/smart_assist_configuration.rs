//! Smart assist configurations: sources of suggestions.

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A source of suggestions (`msdyn_smartassistconfig`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SmartAssistConfiguration {
    /// For administrators.
    pub name: Localized<100>,
    /// Inactive configurations are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The kind of suggestions.
    pub suggestion_type: SuggestionType,
    /// The table the suggestions are for, such as `incident`.
    pub source_entity: Entity,
    /// The card that draws a suggestion. Adaptive cards are the only kind there is.
    pub card: Text<100>,
    /// The class that finds suggestions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Text<100>>,
    /// The script the card's own actions call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_resource: Option<Text<256>>,
    /// Most suggestions shown at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_suggestions: Option<u32>,
    /// Position of the group.
    #[serde(default)]
    pub order: u32,
    /// Title of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_title: Option<Localized<100>>,
    /// Path of the icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Text<256>>,
    /// Applies to profiles that name no configuration of their own.
    #[serde(default)]
    pub default: bool,
    /// Where the configuration came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The kind of suggestions (`msdyn_suggestiontype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuggestionType {
    /// Articles of the knowledge base.
    KnowledgeArticle,
    /// Cases like this one.
    SimilarCase,
    /// Suggestions of a bot on the workstream.
    Bot,
}

impl Item for SmartAssistConfiguration {
    item_basics!(SmartAssistConfiguration, named, stateful);
}
