//! What a forced delete took along.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Kind;
use crate::store::{Committed, Referrer};

/// What a forced delete took along (ruling 8.5).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deletion {
    /// Every link to the item that is gone, too.
    unlinked: Vec<Referrer>,
    /// What somebody should look at now.
    warnings: Vec<String>,
}

impl Deletion {
    pub(super) fn of(done: Committed) -> Self {
        let warnings = done.unlinked.iter().filter_map(warning).collect();
        Self { unlinked: done.unlinked, warnings }
    }
}

/// What a template lacks without its anchor. Every other link is one of many, or says itself what it was for.
fn warning(unlinked: &Referrer) -> Option<String> {
    let Referrer { collection, name, attribute } = unlinked;
    let lost = collection == Kind::SessionTemplate.collection() && attribute == "anchorTab";
    lost.then(|| format!("session template `{name}` has no anchor tab now: the default anchor opens until it gets one"))
}
