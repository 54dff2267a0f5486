//! The reasons why a request has no answer.

use ureq::Error;

use crate::domain::{HttpHost, SecretName};

use super::resolver::NotPublic;

/// The reason why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The scheme is not https.
    #[error("`{0}` is not asked: an address begins with `https://`")]
    NotHttps(String),
    /// The text is no address.
    #[error("`{0}` is no address: write it as `https://host/path`, with a host by name")]
    Address(String),
    /// The method is not allowed.
    #[error("`{0}` is no method for a plugin: it asks with `GET`, `HEAD` or `POST`")]
    Method(String),
    /// The field is not allowed for plugins, or is malformed.
    #[error("the header `{name}` cannot be sent: {rule}")]
    Field {
        /// The name of the field.
        name: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// The host is not on the list.
    #[error("the host `{0}` is not granted")]
    Host(HttpHost),
    /// The secret is bound to other hosts.
    #[error(
        "the secret `{secret}` is not for the host `{host}`: it can be bound to it with `PUT /api/v1/secrets/{secret}`"
    )]
    SecretElsewhere {
        /// The name of the secret.
        secret: SecretName,
        /// The host of the request.
        host: HttpHost,
    },
    /// The secret is bound to no host.
    #[error(
        "the secret `{0}` is bound to no host, so it goes nowhere: write it again with its hosts, with `PUT /api/v1/secrets/{0}`"
    )]
    UnboundSecret(SecretName),
    /// The answer is a partial one.
    #[error("`{0}` answers with a part of what was asked for, which is not handed on")]
    Part(HttpHost),
    /// The answer is in another encoding.
    #[error("`{host}` answers in the encoding `{encoding}`, though it was asked for none: that is not handed on")]
    Encoded {
        /// The host that answers.
        host: HttpHost,
        /// The name of the encoding, if it is a usual one.
        encoding: &'static str,
    },
    /// The host has only addresses that are not public.
    #[error(
        "the host `{0}` has no public address: an administrator can allow that with `--outbound-allow-private {0}`"
    )]
    Private(HttpHost),
    /// The body of the request is too large.
    #[error("a request has at most {most} bytes of body, and this has {found}")]
    RequestTooLarge {
        /// The bytes it has.
        found: usize,
        /// The most bytes it may have.
        most: usize,
    },
    /// The answer is too large.
    #[error("the answer of `{host}` is larger than {most} bytes")]
    ResponseTooLarge {
        /// The host that answers.
        host: HttpHost,
        /// The most bytes it may have.
        most: usize,
    },
    /// There were too many redirects.
    #[error("it was redirected more than {0} times")]
    Redirects(u32),
    /// The host is suspended, because it kept giving no answer.
    #[error("`{host}` is not asked for {seconds} s: {failures} requests to it in a row had no answer")]
    Suspended {
        /// The host.
        host: HttpHost,
        /// The number of requests in a row that had no answer.
        failures: u32,
        /// The seconds until the host is tried again.
        seconds: u64,
    },
    /// The host did not answer in time.
    #[error("`{0}` did not answer in time")]
    Timeout(HttpHost),
    /// The host could not be reached, or gave no valid answer.
    #[error("`{host}` cannot be asked: {why}")]
    Unavailable {
        /// The host.
        host: HttpHost,
        /// The reason.
        why: String,
    },
}

impl Refusal {
    /// The stable code, as the contract lists it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotHttps(_) => "not-https",
            Self::Address(_) | Self::Method(_) | Self::Field { .. } => "bad-request",
            Self::Host(_) => "not-granted",
            Self::SecretElsewhere { .. } | Self::UnboundSecret(_) => "no-secret",
            Self::Private(_) => "private-address",
            Self::RequestTooLarge { .. } | Self::ResponseTooLarge { .. } => "too-large",
            Self::Redirects(_) => "too-many-redirects",
            Self::Suspended { .. } => "suspended",
            Self::Timeout(_) => "timeout",
            Self::Part(_) | Self::Encoded { .. } | Self::Unavailable { .. } => "unavailable",
        }
    }

    /// Whether the request was refused by this module, and not by the host or the network.
    pub fn is_denied(&self) -> bool {
        !matches!(
            self,
            Self::ResponseTooLarge { .. }
                | Self::Redirects(_)
                | Self::Timeout(_)
                | Self::Part(_)
                | Self::Encoded { .. }
                | Self::Unavailable { .. }
        )
    }

    /// Converts an error of the client, for a request to `host` whose answer may have `most` bytes.
    pub(super) fn of(error: Error, host: &HttpHost, most: usize) -> Self {
        let host = host.clone();
        match error {
            Error::Timeout(_) => Self::Timeout(host),
            Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => Self::ResponseTooLarge { host, most },
            Error::Other(other) if other.is::<NotPublic>() => Self::Private(host),
            error => Self::Unavailable { host, why: error.to_string() },
        }
    }
}
