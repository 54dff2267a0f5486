//! The audit: calls that were denied, and what happened to tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Privilege, Roles, Standing};

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
    /// The token that was shown, or that something was done to.
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
        request_id: String,
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
}

impl AuditEvent {
    /// What happened, without the particulars.
    pub fn outcome(&self) -> AuditOutcome {
        match self {
            Self::Denied { .. } => AuditOutcome::Denied,
            Self::TokenCreated { .. } => AuditOutcome::TokenCreated,
            Self::TokenRotated { .. } => AuditOutcome::TokenRotated,
            Self::TokenRevoked { .. } => AuditOutcome::TokenRevoked,
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
