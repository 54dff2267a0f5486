//! Imports smart assist configurations.

use crate::domain::{SmartAssistConfiguration, SuggestionType};

use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::Work;

pub(crate) const TABLE: &str = "msdyn_smartassistconfig";
pub(crate) const TYPES: &[(i64, SuggestionType)] = &[
    (192_360_000, SuggestionType::KnowledgeArticle),
    (192_360_001, SuggestionType::SimilarCase),
    (192_360_002, SuggestionType::Bot),
];
/// The code of adaptive cards, the only control.
pub(crate) const ADAPTIVE_CARD: &[(i64, ())] = &[(192_360_000, ())];

/// Plans all configurations.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    for row in rows.take(TABLE) {
        let Some((component, row, mut configuration)) = work.read(row, configuration) else { continue };
        let name = row.name.clone();
        configuration.source = row.source(work.solution.summary.managed, &[]);
        work.put(component, &name, configuration);
    }
}

fn configuration(row: &mut Row) -> Result<SmartAssistConfiguration, Unreadable> {
    row.choice("msdyn_suggestioncontroltype", ADAPTIVE_CARD)?;
    Ok(SmartAssistConfiguration {
        name: row.required("msdyn_name")?,
        state: row.state()?,
        suggestion_type: row.required_choice("msdyn_suggestiontype", TYPES)?,
        source_entity: row.required_text("msdyn_sourceentityname")?,
        card: row.required_text("msdyn_suggestioncontrolconfiguniquename")?,
        provider: row.text("msdyn_suggestionprovider")?,
        web_resource: row.text("msdyn_suggestionwebresourceurl")?,
        max_suggestions: row.number("msdyn_maxsuggestioncount")?,
        order: row.number("msdyn_order")?.unwrap_or_default(),
        group_title: row.localized("msdyn_suggestioncontainertitle")?,
        icon: row.text("msdyn_iconurl")?,
        default: row.switch("msdyn_isdefault")?.unwrap_or(false),
        source: None,
    })
}
