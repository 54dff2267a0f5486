//! What a forced delete took along.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Kind;
use crate::store::{Committed, Links, Referrer};

/// What a forced delete took along (ruling 8.5).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Deletion {
    /// The links to the item that are gone, too; of those of people the first 20.
    unlinked: Vec<Referrer>,
    /// How many links are gone, if more than those.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlinked_count: Option<u64>,
    /// The things that the administrator should look at now.
    warnings: Vec<String>,
}

impl Deletion {
    pub(in crate::http) fn of(done: Committed) -> Self {
        let Links { listed, count } = done.unlinked;
        let warnings = listed.iter().filter_map(warning).collect();
        let unlinked_count = (count > listed.len() as u64).then_some(count);
        Self { unlinked: listed, unlinked_count, warnings }
    }
}

/// What a template lacks without its anchor. Every other link is one of many, or says itself what it was for.
fn warning(unlinked: &Referrer) -> Option<String> {
    let Referrer { collection, name, attribute } = unlinked;
    let lost = collection == Kind::SessionTemplate.collection() && attribute == "anchorTab";
    lost.then(|| format!("session template `{name}` has no anchor tab now: the default anchor opens until it gets one"))
}
