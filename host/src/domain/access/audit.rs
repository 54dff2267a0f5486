//! The audit: calls that were denied, what happened to tokens, who decided about plugins for all of them, and what else leaves no
//! revision.
//!
//! Holds names: no value of a secret, and nothing that was recorded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Privilege, Roles, Standing};
use crate::domain::trace::{TextLevel, TraceId};
use crate::domain::{ConnectorName, HttpHost, KeyId, SecretName, Unsigned, WithoutRule};

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditRecord {
    /// Its number; later ones are larger.
    pub id: u64,
    /// What it says.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// What happened, when, and to which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The token that was shown, or that something was done to. Of what was done to anything else, the token of whoever did it.
    pub token: String,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// Something the audit keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum AuditEvent {
    /// A call with the token was not carried out.
    Denied {
        /// Why.
        reason: Denial,
        /// The privilege that was missing, if that was it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(required = false)]
        privilege: Option<Privilege>,
        /// The method of the call.
        method: String,
        /// The route of the call, as the API is described; `none` if it led nowhere.
        route: String,
        /// The call, as the log knows it.
        #[schema(rename = "requestId")]
        request_id: String,
        /// How many calls like this one were denied within a minute. This is the first of them.
        #[serde(default = "one")]
        #[schema(minimum = 1)]
        calls: u64,
    },
    /// The token was made.
    TokenCreated {
        /// Who did it.
        by: String,
        /// What it was made for.
        roles: Roles,
    },
    /// The token got another secret.
    TokenRotated {
        /// Who did it.
        by: String,
    },
    /// The token was revoked.
    TokenRevoked {
        /// Who did it.
        by: String,
    },
    /// A secret was written, in place of what it was.
    SecretWritten {
        /// The secret.
        secret: SecretName,
        /// The hosts it is for. Lines of older programs have none.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        #[schema(required = false)]
        hosts: BTreeSet<HttpHost>,
    },
    /// A secret was deleted.
    SecretDeleted {
        /// The secret.
        secret: SecretName,
    },
    /// The keys that sign for a publisher are others, or the publisher has another name for people.
    PublisherTrusted {
        /// The publisher.
        publisher: String,
        /// The short names of its keys from now on.
        keys: Vec<KeyId>,
        /// The short names of the keys that it had before.
        #[schema(rename = "insteadOf")]
        instead_of: Vec<KeyId>,
    },
    /// A publisher has no keys any more.
    PublisherForgotten {
        /// The publisher.
        publisher: String,
        /// The short names of the keys that it had.
        keys: Vec<KeyId>,
    },
    /// What holds for plugins of publishers without keys was decided otherwise.
    UnsignedDecided {
        /// What holds from now on.
        unsigned: Unsigned,
    },
    /// What people see of tools without a rule was decided otherwise.
    WithoutRuleDecided {
        /// What holds from now on.
        #[schema(rename = "withoutRule")]
        without_rule: WithoutRule,
    },
    /// What is kept of the calls of plugins was decided otherwise.
    TracesDecided {
        /// Of which calls the text is kept from now on.
        level: TextLevel,
        /// How many days records are kept.
        #[schema(rename = "retentionDays")]
        retention_days: u32,
        /// How many megabytes of records are kept.
        #[schema(rename = "retentionMegabytes")]
        retention_megabytes: u32,
    },
    /// Which connector slugs ask was decided otherwise.
    QueriesDecided {
        /// The connector from now on; nothing if slugs ask none.
        #[schema(value_type = Option<String>)]
        connector: Option<ConnectorName>,
    },
    /// An upgrade that was interrupted goes on.
    UpgradeResumed {
        /// The number of the upgrade.
        run: u64,
    },
    /// An upgrade that was not finished was dropped.
    UpgradeAbandoned {
        /// The number of the upgrade.
        run: u64,
    },
    /// Steps that were declared to be done are not any more.
    BaselineRevoked {
        /// The number of the record that declared them.
        run: u64,
    },
    /// A recording was taken away.
    RecordingDeleted {
        /// The recording.
        recording: TraceId,
        /// The plugin whose call it was.
        plugin: String,
    },
    /// All recordings of a plugin were taken away.
    RecordingsDeleted {
        /// The plugin.
        plugin: String,
    },
    /// A question of the outbox was put again.
    QuestionRetried {
        /// The number of the question.
        question: u64,
        /// The plugin that is asked.
        plugin: String,
        /// Its step.
        step: String,
    },
    /// A question of the outbox was dropped.
    QuestionDropped {
        /// The number of the question.
        question: u64,
        /// The plugin that would have been asked.
        plugin: String,
        /// Its step.
        step: String,
    },
    /// All questions of a plugin were dropped.
    QuestionsDropped {
        /// The plugin.
        plugin: String,
    },
}

/// How many calls a line of an older program is about.
fn one() -> u64 {
    1
}

/// Why a call was denied although its token is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// The token does not have the privilege.
    MissingPrivilege,
    /// The time of the token is over.
    Expired,
    /// The token was revoked.
    Revoked,
    /// The secret is one that the token had before it was rotated.
    Rotated,
}

/// What happened, without the particulars: to look for it.
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
    /// The keys of a publisher were taken away.
    PublisherForgotten,
    /// What holds for plugins of publishers without keys was decided otherwise.
    UnsignedDecided,
    /// What people see of tools without a rule was decided otherwise.
    WithoutRuleDecided,
    /// What is kept of the calls of plugins was decided otherwise.
    TracesDecided,
    /// Which connector slugs ask was decided otherwise.
    QueriesDecided,
    /// An upgrade that was interrupted goes on.
    UpgradeResumed,
    /// An upgrade was dropped.
    UpgradeAbandoned,
    /// Steps that were declared to be done are not any more.
    BaselineRevoked,
    /// A recording was taken away.
    RecordingDeleted,
    /// All recordings of a plugin were taken away.
    RecordingsDeleted,
    /// A question of the outbox was put again.
    QuestionRetried,
    /// A question of the outbox was dropped.
    QuestionDropped,
    /// All questions of a plugin were dropped.
    QuestionsDropped,
}

impl AuditEvent {
    /// What happened, without the particulars.
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
    /// Why a token of this standing is turned away; nothing if it is not.
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
