//! The hosts that a plugin may send requests to: by exact name, never by address or pattern.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a host, with its port if that is not 443.
///
/// Invariant: labels of a-z, 0-9 and `-` with dots between, the last beginning with a letter, 253 characters at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpHost {
    name: String,
    port: u16,
}

/// A text that is not the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host: name one, such as `api.contoso.com` or `api.contoso.com:8443`, in lower case, without scheme, path or `*`; no address"
)]
pub struct InvalidHost(String);

impl HttpHost {
    /// The port of https.
    pub const HTTPS: u16 = 443;
    const LONGEST: usize = 253;
    const LONGEST_LABEL: usize = 63;

    /// The name without a port.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for HttpHost {
    type Err = InvalidHost;

    fn from_str(typed: &str) -> Result<Self, InvalidHost> {
        let invalid = || InvalidHost(typed.chars().take(100).collect());
        let (name, port) = match typed.split_once(':') {
            // One spelling for each host: the usual port is left out.
            Some((name, port)) => {
                let plain = !port.starts_with(['0', '+']);
                let port = port.parse().ok().filter(|port| plain && *port != Self::HTTPS);
                (name, port.ok_or_else(invalid)?)
            }
            None => (typed, Self::HTTPS),
        };
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_label = |label: &str| {
            (1..=Self::LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(fits)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        // A name whose last label begins with a digit may be read as an address, `0x7f` included.
        let is_number = last.starts_with(|first: char| first.is_ascii_digit());
        if name.len() > Self::LONGEST || !name.split('.').all(is_label) || is_number {
            return Err(invalid());
        }
        Ok(Self { name: name.to_owned(), port })
    }
}

impl fmt::Display for HttpHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if *port == Self::HTTPS { f.write_str(name) } else { write!(f, "{name}:{port}") }
    }
}

impl TryFrom<String> for HttpHost {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl From<HttpHost> for String {
    fn from(host: HttpHost) -> Self {
        host.to_string()
    }
}

impl utoipa::PartialSchema for HttpHost {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::domain::text::plain(
            "A host by name, with its port if that is not 443.",
            "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])*[a-z]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9][0-9]{0,4})?$",
            1,
            Self::LONGEST + 6,
        )
    }
}

impl utoipa::ToSchema for HttpHost {
    fn name() -> std::borrow::Cow<'static, str> {
        "HostName".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_exactly() {
        for (typed, name, port) in [
            ("api.contoso.com", "api.contoso.com", 443),
            ("api.contoso.com:8443", "api.contoso.com", 8443),
            ("localhost:1", "localhost", 1),
            ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example", 443),
            ("3com.com", "3com.com", 443),
        ] {
            let host: HttpHost = typed.parse().unwrap();
            assert_eq!((host.name(), host.port(), host.to_string().as_str()), (name, port, typed));
        }
        let long = format!("{}.com", "a".repeat(64));
        for typed in [
            "",
            "*.contoso.com",
            "API.contoso.com",
            "https://api.contoso.com",
            "api.contoso.com/path",
            "api.contoso.com.",
            "api..com",
            "-api.com",
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "example.0x7f",
            "2130706433",
            "[::1]",
            "::1",
            "münchen.example",
            "api.contoso.com:",
            "api.contoso.com:443",
            "api.contoso.com:0",
            "api.contoso.com:080",
            "api.contoso.com:+80",
            "api.contoso.com:65536",
            "user@api.contoso.com",
            "api contoso",
            long.as_str(),
        ] {
            assert!(typed.parse::<HttpHost>().is_err(), "{typed:?}");
        }
    }
}
