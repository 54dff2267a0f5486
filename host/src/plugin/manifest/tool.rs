//! `[tool]` of a manifest: what a rule decides about.
//!
//! Refuses kinds that no tool can have or that are named twice, and a default that is needed and not there.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::FaultPolicy;
use crate::domain::plugin::is_plugin_name;

use super::error::{ManifestError, NAME_RULE, check, parse_free};
use super::kinds::{MOST_KINDS, skip};
use super::provides::Provides;

/// What a rule decides about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ToolPart)]
pub(super) struct Part {
    /// The tool kinds, 1 to 32.
    kinds: Vec<String>,
    /// What people get when it breaks, unless their environment says otherwise; `skip` without it.
    #[serde(default = "skip", rename = "on-fault")]
    on_fault: FaultPolicy,
    /// The payload a tool is given in place of a broken rule's, a JSON object as text. Needed for `use-default`.
    default: Option<String>,
}

impl Part {
    /// The rule, if it makes sense.
    pub(super) fn checked(self) -> Result<Provides, ManifestError> {
        let Self { kinds, on_fault, default } = self;
        let default = default.map(|text| parse_free("tool.default", &text)).transpose()?;
        let has_default = on_fault != FaultPolicy::UseDefault || default.is_some();
        check("tool.on-fault", on_fault.as_str(), has_default, "give the default as `tool.default`, a JSON object")?;
        Ok(Provides::ToolRule { kinds: checked_kinds(kinds)?, on_fault, default })
    }
}

fn checked_kinds(kinds: Vec<String>) -> Result<Vec<String>, ManifestError> {
    let shown = format!("{kinds:?}");
    let count = (1..=MOST_KINDS).contains(&kinds.len());
    check("tool.kinds", &shown, count, "a plugin decides about 1 to 32 kinds of tool")?;
    for (at, kind) in kinds.iter().enumerate() {
        check("tool.kinds", kind, is_plugin_name(kind), NAME_RULE)?;
        check("tool.kinds", kind, !kinds[..at].contains(kind), "each kind is named once")?;
    }
    Ok(kinds)
}
