//! `[limits]` of a manifest: what a plugin gets along with.
//!
//! Refuses more than there is, and nothing at all.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::plugin::limits::call_limits::{Limits, LoweredLimits};

use super::error::{ManifestError, check};

/// What a plugin gets along with. Each may be left out, and none may be more than its world has.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = LimitsPart)]
pub(super) struct Part {
    /// Processor time of one call, in milliseconds.
    deadline_ms: Option<u32>,
    /// All memories and tables of a call together, in MiB.
    memory_mib: Option<u32>,
    /// Calls to imports.
    host_calls: Option<u32>,
}

impl Part {
    /// What it gets along with, if there is as much.
    pub(super) fn lowered(self, most: Limits) -> Result<LoweredLimits, ManifestError> {
        let deadline = lower("limits.deadline-ms", self.deadline_ms, most.deadline.as_millis())?;
        let memory = lower("limits.memory-mib", self.memory_mib, (most.memory >> 20) as u128)?;
        let host_calls = lower("limits.host-calls", self.host_calls, most.host_calls.into())?;
        Ok(LoweredLimits {
            deadline: deadline.map(|millis| Duration::from_millis(millis.into())),
            memory: memory.map(|mebibytes| usize::try_from(mebibytes).unwrap_or(usize::MAX) << 20),
            host_calls,
        })
    }
}

/// What was asked for, if that is not more than there is and not nothing at all.
fn lower(key: &'static str, asked: Option<u32>, most: u128) -> Result<Option<u32>, ManifestError> {
    if let Some(asked) = asked {
        let possible = (1..=most).contains(&asked.into());
        check(key, &asked.to_string(), possible, &format!("1 to {most} is possible"))?;
    }
    Ok(asked)
}
