//! Checks rights: the author of a change needs the privilege for everything that changes, whatever the request was
//! about.
//!
//! If a request changes one kind of item, its address says which privilege that takes. An import and a forced delete
//! reach further; how far is known only when the change set is settled. Parts of the environment have privileges of
//! their own, and the audit names each change of them: which plugins are let in, what people see of tools without a
//! rule, which texts of plugin calls are kept, and which connector slugs ask. Refuses a change of which plugins are let
//! in, or of that connector, if the change set names no caller: no archive, no upgrade and no plugin decides whose
//! signature counts, or which service is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::access::{AuditEntry, AuditEvent, Caller, Privilege};
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::trace::TraceSettings;
use crate::domain::{Item, KeyId, Kind, TrustedPublisher};

use super::{Changed, Committed, Error, How, Snapshot};

/// Refuses what `caller` may not write. Plugins in `expects`, for which only duties are recorded, take no privilege.
/// `decided` are the changes that concern plugins as a whole.
pub(super) fn check(
    caller: Option<&Caller>,
    author: &Author,
    committed: &Committed,
    expects: &BTreeSet<Arc<str>>,
    decided: &[AuditEvent],
) -> Result<(), Error> {
    let mut deciding = decided.iter().map(|event| match event {
        AuditEvent::QueriesDecided { .. } => Privilege::PluginGrant,
        AuditEvent::WithoutRuleDecided { .. } | AuditEvent::TracesDecided { .. } => Privilege::PluginConfigure,
        _ => Privilege::PluginTrust,
    });
    let Some(caller) = caller else {
        let forbidden = |privilege| Error::Forbidden { caller: author.who.clone(), privilege };
        let trust = deciding.find(|privilege| matches!(privilege, Privilege::PluginTrust | Privilege::PluginGrant));
        return trust.map_or(Ok(()), |privilege| Err(forbidden(privilege)));
    };
    let is_expected = |changed: &&Changed| {
        changed.how != How::Deleted
            && changed.collection == Kind::Plugin.collection()
            && expects.contains(changed.name.as_str())
    };
    let needing = committed.changed.iter().filter(|changed| !is_expected(changed));
    let written = needing.map(|changed| match changed.collection.parse::<Kind>() {
        Ok(kind) => Privilege::to_write(kind),
        Err(_) => {
            debug_assert_eq!(changed.collection, ChangeRecord::ASSIGNMENTS);
            Privilege::PeopleWrite
        }
    });
    match written.chain(deciding).find(|privilege| !caller.has(*privilege)) {
        Some(privilege) => Err(Error::Forbidden { caller: caller.name().to_owned(), privilege }),
        None => Ok(()),
    }
}

/// Returns the audit events for the changes between two snapshots that concern plugins as a whole.
pub(super) fn decided(before: &Snapshot, after: &Snapshot, changed: &[Changed]) -> Vec<AuditEvent> {
    let keys = |of: &Snapshot, publisher: &str| -> Option<Vec<KeyId>> {
        let entry = of.entry(Kind::TrustedPublisher, publisher)?;
        Some(TrustedPublisher::from_any(&entry.item)?.keys.iter().map(|key| key.id()).collect())
    };
    let publishers = changed.iter().filter(|it| it.collection == Kind::TrustedPublisher.collection());
    let mut events: Vec<AuditEvent> = publishers
        .map(|Changed { name, .. }| {
            let (publisher, was) = (name.clone(), keys(before, name).unwrap_or_default());
            match keys(after, name) {
                Some(keys) => AuditEvent::PublisherTrusted { publisher, keys, instead_of: was },
                None => AuditEvent::PublisherForgotten { publisher, keys: was },
            }
        })
        .collect();
    let (was, is) = (before.environment(), after.environment());
    if was.plugins.unsigned != is.plugins.unsigned {
        events.push(AuditEvent::UnsignedDecided { unsigned: is.plugins.unsigned });
    }
    if was.plugins.without_rule != is.plugins.without_rule {
        events.push(AuditEvent::WithoutRuleDecided { without_rule: is.plugins.without_rule });
    }
    if was.queries != is.queries {
        let connector = is.queries.connector.as_ref().and_then(|name| name.as_str().parse().ok());
        events.push(AuditEvent::QueriesDecided { connector });
    }
    if was.traces != is.traces {
        let TraceSettings { level, retention_days, retention_megabytes, .. } = is.traces;
        events.push(AuditEvent::TracesDecided { level, retention_days, retention_megabytes });
    }
    events
}

/// Returns the audit entries for the `decided` events, in the name of `author`.
pub(super) fn entries(decided: Vec<AuditEvent>, author: &Author) -> Vec<AuditEntry> {
    let at = Timestamp::now();
    decided.into_iter().map(|event| AuditEntry { at, token: author.who.clone(), event }).collect()
}
