//! Why a request has no answer.

use ureq::Error;

use crate::domain::{HttpHost, SecretName};

use super::resolver::NotPublic;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not https.
    #[error("`{0}` is not asked: an address begins with `https://`")]
    NotHttps(String),
    /// No address.
    #[error("`{0}` is no address: write it as `https://host/path`, with a host by name")]
    Address(String),
    /// Another method.
    #[error("`{0}` is no method for a plugin: it asks with `GET`, `HEAD` or `POST`")]
    Method(String),
    /// A field that is not for plugins, or is none.
    #[error("the header `{name}` cannot be sent: {rule}")]
    Field {
        /// Its name.
        name: String,
        /// What would be right.
        rule: &'static str,
    },
    /// A host that is not on the list.
    #[error("the host `{0}` is not granted")]
    Host(HttpHost),
    /// A secret that is bound to other hosts.
    #[error(
        "the secret `{secret}` is not for the host `{host}`: it can be bound to it with `PUT /api/v1/secrets/{secret}`"
    )]
    SecretElsewhere {
        /// What it is called.
        secret: SecretName,
        /// Who would have been shown it.
        host: HttpHost,
    },
    /// A secret that is bound to no host.
    #[error(
        "the secret `{0}` is bound to no host, so it goes nowhere: write it again with its hosts, with `PUT /api/v1/secrets/{0}`"
    )]
    UnboundSecret(SecretName),
    /// A piece of an answer.
    #[error("`{0}` answers with a part of what was asked for, which is not handed on")]
    Part(HttpHost),
    /// An answer in another encoding.
    #[error("`{host}` answers in the encoding `{encoding}`, though it was asked for none: that is not handed on")]
    Encoded {
        /// Who answers.
        host: HttpHost,
        /// In which, if its name is a usual one.
        encoding: &'static str,
    },
    /// A host with an address that is not public.
    #[error(
        "the host `{0}` has no public address: an administrator can allow that with `--outbound-allow-private {0}`"
    )]
    Private(HttpHost),
    /// A body that is too large.
    #[error("a request has at most {most} bytes of body, and this has {found}")]
    RequestTooLarge {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// An answer that is too large.
    #[error("the answer of `{host}` is larger than {most} bytes")]
    ResponseTooLarge {
        /// Who answers.
        host: HttpHost,
        /// How many bytes it may have.
        most: usize,
    },
    /// Redirects on and on.
    #[error("it was redirected more than {0} times")]
    Redirects(u32),
    /// A host that is not asked for a while, because it went on giving no answer.
    #[error("`{host}` is not asked for {seconds} s: {failures} requests to it in a row had no answer")]
    Suspended {
        /// Which.
        host: HttpHost,
        /// How many requests had no answer.
        failures: u32,
        /// Until it is tried, in seconds.
        seconds: u64,
    },
    /// No answer in time.
    #[error("`{0}` did not answer in time")]
    Timeout(HttpHost),
    /// No answer.
    #[error("`{host}` cannot be asked: {why}")]
    Unavailable {
        /// Who was asked.
        host: HttpHost,
        /// What happened.
        why: String,
    },
}

impl Refusal {
    /// The stable code, as the contract lists them.
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

    /// Whether it was refused here, and not there.
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

    /// What an error of the client means, of a request to `host` whose answer may have `most` bytes.
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
