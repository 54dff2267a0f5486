//! The audit: denied calls, changes of tokens, decisions about all plugins, and further changes that make no revision.
//!
//! Holds names only: no value of a secret, and no data from recordings.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Privilege, Roles, Standing};
use crate::domain::trace::{TextLevel, TraceId};
use crate::domain::{ConnectorName, HttpHost, KeyId, SecretName, Unsigned, WithoutRule};

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditRecord {
    /// The number of the line. Later lines have larger numbers.
    pub id: u64,
    /// The entry of the line.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// The event, its time and its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The token that the call was made with, or that was changed. For a change of anything else, the token of the
    /// caller who made it.
    pub token: String,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// An event that the audit keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum AuditEvent {
    /// A call with the token was not carried out.
    Denied {
        /// The reason.
        reason: Denial,
        /// The missing privilege, if that is the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(required = false)]
        privilege: Option<Privilege>,
        /// The method of the call.
        method: String,
        /// The route of the call, as in the description of the API; `none` if no route matched.
        route: String,
        /// The id of the request, as in the log.
        #[schema(rename = "requestId")]
        request_id: String,
        /// The number of equal calls that were denied within a minute. The entry describes the first of them.
        #[serde(default = "one")]
        #[schema(minimum = 1)]
        calls: u64,
    },
    /// The token was made.
    TokenCreated {
        /// The caller who did it.
        by: String,
        /// The roles of the token.
        roles: Roles,
    },
    /// The token got another secret.
    TokenRotated {
        /// The caller who did it.
        by: String,
    },
    /// The token was revoked.
    TokenRevoked {
        /// The caller who did it.
        by: String,
    },
    /// A secret was written, in place of its earlier value if there was one.
    SecretWritten {
        /// The secret.
        secret: SecretName,
        /// The hosts that the secret is for. Lines of older programs have none.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        #[schema(required = false)]
        hosts: BTreeSet<HttpHost>,
    },
    /// A secret was deleted.
    SecretDeleted {
        /// The secret.
        secret: SecretName,
    },
    /// The keys or the display name of a publisher changed.
    PublisherTrusted {
        /// The publisher.
        publisher: String,
        /// The short names of its keys from now on.
        keys: Vec<KeyId>,
        /// The short names of the keys that it had before.
        #[schema(rename = "insteadOf")]
        instead_of: Vec<KeyId>,
    },
    /// A publisher lost all its keys.
    PublisherForgotten {
        /// The publisher.
        publisher: String,
        /// The short names of the keys that it had.
        keys: Vec<KeyId>,
    },
    /// The setting `unsigned`, for plugins of publishers without keys, changed.
    UnsignedDecided {
        /// The new value.
        unsigned: Unsigned,
    },
    /// The setting `withoutRule`, for tools without a rule, changed.
    WithoutRuleDecided {
        /// The new value.
        #[schema(rename = "withoutRule")]
        without_rule: WithoutRule,
    },
    /// The settings of traces, which say what is kept of calls of plugins, changed.
    TracesDecided {
        /// The calls whose text is kept from now on.
        level: TextLevel,
        /// The number of days that records are kept.
        #[schema(rename = "retentionDays")]
        retention_days: u32,
        /// The number of megabytes of records that are kept.
        #[schema(rename = "retentionMegabytes")]
        retention_megabytes: u32,
    },
    /// The connector that slugs look up business records with changed.
    QueriesDecided {
        /// The new connector; nothing if slugs have none.
        #[schema(value_type = Option<String>)]
        connector: Option<ConnectorName>,
    },
    /// An interrupted upgrade was resumed.
    UpgradeResumed {
        /// The number of the upgrade.
        run: u64,
    },
    /// An unfinished upgrade was abandoned.
    UpgradeAbandoned {
        /// The number of the upgrade.
        run: u64,
    },
    /// A baseline was revoked: its upgrade steps no longer count as done.
    BaselineRevoked {
        /// The number of the record that declared the baseline.
        run: u64,
    },
    /// A recording was deleted.
    RecordingDeleted {
        /// The recording.
        recording: TraceId,
        /// The plugin whose call was recorded.
        plugin: String,
    },
    /// All recordings of a plugin were deleted.
    RecordingsDeleted {
        /// The plugin.
        plugin: String,
    },
    /// An event of the outbox was retried.
    QuestionRetried {
        /// The number of the event.
        question: u64,
        /// The plugin that is called.
        plugin: String,
        /// Its step.
        step: String,
    },
    /// An event of the outbox was dropped.
    QuestionDropped {
        /// The number of the event.
        question: u64,
        /// The plugin that would have been called.
        plugin: String,
        /// Its step.
        step: String,
    },
    /// All events of a plugin were dropped.
    QuestionsDropped {
        /// The plugin.
        plugin: String,
    },
}

/// Returns the number of calls that a line of an older program counts.
fn one() -> u64 {
    1
}

/// Why a call with a known token was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// The token does not have the privilege.
    MissingPrivilege,
    /// The token is expired.
    Expired,
    /// The token was revoked.
    Revoked,
    /// The secret is an earlier one, from before the token was rotated.
    Rotated,
}

/// The kind of an audit event, for filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// A call was denied.
    Denied,
    /// A token was made.
    TokenCreated,
    /// A token got another secret.
    TokenRotated,
    /// A token was revoked.
    TokenRevoked,
    /// A secret was written.
    SecretWritten,
    /// A secret was deleted.
    SecretDeleted,
    /// The keys of a publisher were written.
    PublisherTrusted,
    /// The keys of a publisher were deleted.
    PublisherForgotten,
    /// The setting `unsigned`, for plugins of publishers without keys, changed.
    UnsignedDecided,
    /// The setting `withoutRule`, for tools without a rule, changed.
    WithoutRuleDecided,
    /// The settings of traces, which say what is kept of calls of plugins, changed.
    TracesDecided,
    /// The connector that slugs look up business records with changed.
    QueriesDecided,
    /// An interrupted upgrade was resumed.
    UpgradeResumed,
    /// An upgrade was abandoned.
    UpgradeAbandoned,
    /// A baseline was revoked: its upgrade steps no longer count as done.
    BaselineRevoked,
    /// A recording was deleted.
    RecordingDeleted,
    /// All recordings of a plugin were deleted.
    RecordingsDeleted,
    /// An event of the outbox was retried.
    QuestionRetried,
    /// An event of the outbox was dropped.
    QuestionDropped,
    /// All events of a plugin were dropped.
    QuestionsDropped,
}

impl AuditEvent {
    /// Returns the kind of the event.
    pub fn outcome(&self) -> AuditOutcome {
        match self {
            Self::Denied { .. } => AuditOutcome::Denied,
            Self::TokenCreated { .. } => AuditOutcome::TokenCreated,
            Self::TokenRotated { .. } => AuditOutcome::TokenRotated,
            Self::TokenRevoked { .. } => AuditOutcome::TokenRevoked,
            Self::SecretWritten { .. } => AuditOutcome::SecretWritten,
            Self::SecretDeleted { .. } => AuditOutcome::SecretDeleted,
            Self::PublisherTrusted { .. } => AuditOutcome::PublisherTrusted,
            Self::PublisherForgotten { .. } => AuditOutcome::PublisherForgotten,
            Self::UnsignedDecided { .. } => AuditOutcome::UnsignedDecided,
            Self::WithoutRuleDecided { .. } => AuditOutcome::WithoutRuleDecided,
            Self::TracesDecided { .. } => AuditOutcome::TracesDecided,
            Self::QueriesDecided { .. } => AuditOutcome::QueriesDecided,
            Self::UpgradeResumed { .. } => AuditOutcome::UpgradeResumed,
            Self::UpgradeAbandoned { .. } => AuditOutcome::UpgradeAbandoned,
            Self::BaselineRevoked { .. } => AuditOutcome::BaselineRevoked,
            Self::RecordingDeleted { .. } => AuditOutcome::RecordingDeleted,
            Self::RecordingsDeleted { .. } => AuditOutcome::RecordingsDeleted,
            Self::QuestionRetried { .. } => AuditOutcome::QuestionRetried,
            Self::QuestionDropped { .. } => AuditOutcome::QuestionDropped,
            Self::QuestionsDropped { .. } => AuditOutcome::QuestionsDropped,
        }
    }
}

impl AuditOutcome {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::TokenCreated => "token-created",
            Self::TokenRotated => "token-rotated",
            Self::TokenRevoked => "token-revoked",
            Self::SecretWritten => "secret-written",
            Self::SecretDeleted => "secret-deleted",
            Self::PublisherTrusted => "publisher-trusted",
            Self::PublisherForgotten => "publisher-forgotten",
            Self::UnsignedDecided => "unsigned-decided",
            Self::WithoutRuleDecided => "without-rule-decided",
            Self::TracesDecided => "traces-decided",
            Self::QueriesDecided => "queries-decided",
            Self::UpgradeResumed => "upgrade-resumed",
            Self::UpgradeAbandoned => "upgrade-abandoned",
            Self::BaselineRevoked => "baseline-revoked",
            Self::RecordingDeleted => "recording-deleted",
            Self::RecordingsDeleted => "recordings-deleted",
            Self::QuestionRetried => "question-retried",
            Self::QuestionDropped => "question-dropped",
            Self::QuestionsDropped => "questions-dropped",
        }
    }
}

impl Denial {
    /// Returns why a call with a token of this standing is denied; nothing if the token is valid.
    pub fn of(standing: Standing) -> Option<Self> {
        match standing {
            Standing::Valid => None,
            Standing::Expired => Some(Self::Expired),
            Standing::Revoked => Some(Self::Revoked),
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingPrivilege => "missing-privilege",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Rotated => "rotated",
        }
    }
}
