//! Imports Copilot switches: one row per profile and feature.

use crate::domain::{CopilotFeature, Kind, Profile};

use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const TABLE: &str = "msdyn_appcopilotconfiguration";

pub(crate) const FEATURES: &[(i64, CopilotFeature)] = &[
    (829_050_000, CopilotFeature::AskAQuestion),
    (829_050_001, CopilotFeature::LiveConversationResponse),
    (829_050_002, CopilotFeature::WriteAnEmail),
    (829_050_003, CopilotFeature::CaseSummary),
    (829_050_004, CopilotFeature::LiveConversationSummary),
    (829_050_005, CopilotFeature::CaseBasedKnowledgeCreation),
    (829_050_006, CopilotFeature::ConversationToCaseAutonomousCreation),
    (829_050_007, CopilotFeature::ConversationToCaseManualCreation),
    (829_050_008, CopilotFeature::CaseResolutionManualCreation),
    (829_050_009, CopilotFeature::KnowledgeHarvestingFromCase),
    (829_050_010, CopilotFeature::IntentBasedSuggestions),
    (829_050_011, CopilotFeature::InboxSuggestedNextActionsView),
];

/// Puts every switch into its profile.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, drafts: &mut Drafts<Profile>) {
    for row in rows.take(TABLE) {
        let read = work.read(row, |row| {
            row.state()?;
            let profile = row.lookup("msdyn_appconfigurationid");
            let profile =
                profile.ok_or_else(|| Unreadable("`msdyn_appconfigurationid` names no profile".to_owned()))?;
            let feature = row.required_choice("msdyn_copilotfeature", FEATURES)?;
            Ok((profile, feature, row.switch("msdyn_enabled")?.unwrap_or(false)))
        });
        let Some((component, row, (name, feature, enabled))) = read else { continue };
        match drafts.open(work, &name) {
            Some(profile) => {
                profile.copilot.features.insert(feature, enabled);
                row.keep_in(&mut profile.source);
                work.merge(component, Kind::Profile, &name);
            }
            None => {
                let reason = work.why_not(Kind::Profile, &name);
                work.skip(component, reason);
            }
        }
    }
}
