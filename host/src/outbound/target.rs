//! The address of a request: https, a host by name, a path.

use ureq::http::Uri;

use crate::domain::HttpHost;

use super::Refusal;

/// The address of a request.
///
/// Invariant: the path begins with a slash, is well-formed, and includes the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: HttpHost,
    path: String,
}

impl Target {
    const LONGEST: usize = 8 << 10;

    /// Parses an address. Drops its fragment.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        let shown = || typed.chars().take(100).collect::<String>();
        let invalid = || Refusal::Address(shown());
        let scheme = typed.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if scheme.as_deref() != Some("https") {
            return Err(if scheme.is_some() { Refusal::NotHttps(shown()) } else { invalid() });
        }
        let (typed, _fragment) = typed.split_once('#').unwrap_or((typed, ""));
        let uri: Uri = typed.parse().map_err(|_| invalid())?;
        let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or_else(invalid)?;
        let usual = format!(":{}", HttpHost::HTTPS);
        let host = authority.as_str().to_ascii_lowercase();
        let host = host.strip_suffix(&usual).unwrap_or(&host).parse().map_err(|_| invalid())?;
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        let path = if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
        if path.len() > Self::LONGEST || !path.starts_with('/') {
            return Err(invalid());
        }
        Ok(Self { host, path })
    }

    /// The host.
    pub fn host(&self) -> &HttpHost {
        &self.host
    }

    /// The target of the field `Location` in an answer from this address.
    pub(super) fn redirected(&self, to: &str) -> Result<Self, Refusal> {
        let directory = || self.path.split('?').next().and_then(|path| path.rfind('/').map(|at| &path[..=at]));
        let address = match to {
            _ if to.contains("://") && !to.starts_with(['/', '?']) => to.to_owned(),
            _ if to.starts_with("//") => format!("https:{to}"),
            _ if to.starts_with('/') => format!("https://{}{to}", self.host),
            _ => format!("https://{}{}{to}", self.host, directory().unwrap_or("/")),
        };
        Self::parse(&address)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}{}", self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_https_with_a_host_by_name() {
        for (typed, expected) in [
            ("https://a.example", "https://a.example/"),
            ("https://A.Example:443/x?y=z#frag", "https://a.example/x?y=z"),
            ("HTTPS://a.example/", "https://a.example/"),
            ("https://a.example:8443/x", "https://a.example:8443/x"),
            ("https://a.example?x", "https://a.example/?x"),
        ] {
            assert_eq!(Target::parse(typed).map(|it| it.to_string()).as_deref(), Ok(expected), "{typed}");
        }
        for (typed, expected) in [
            ("http://a.example", "not-https"),
            ("file:///etc/passwd", "not-https"),
            ("gopher://a.example", "not-https"),
            ("a.example/x", "bad-request"),
            ("", "bad-request"),
            ("https://", "bad-request"),
            ("https://127.0.0.1/", "bad-request"),
            ("https://[::1]/", "bad-request"),
            ("https://0x7f.1/", "bad-request"),
            ("https://2130706433/", "bad-request"),
            ("https://me@a.example/", "bad-request"),
            ("https://a.example@b.example/", "bad-request"),
            ("https://a.example:0/", "bad-request"),
            ("https://a.example./", "bad-request"),
            ("https://a.example\\@b.example/", "bad-request"),
            ("https://a.example/a b", "bad-request"),
            ("https://a.example/\r\nx: y", "bad-request"),
        ] {
            assert_eq!(Target::parse(typed).map_err(|refusal| refusal.code()), Err(expected), "{typed:?}");
        }
    }

    #[test]
    fn a_redirect_leads_from_where_it_is() {
        let from = Target::parse("https://a.example/one/two?x=/y/").unwrap();
        for (to, expected) in [
            ("/three", Ok("https://a.example/three")),
            ("three", Ok("https://a.example/one/three")),
            ("//b.example/x", Ok("https://b.example/x")),
            ("https://b.example:8443/x", Ok("https://b.example:8443/x")),
            ("/x?back=https://b.example/", Ok("https://a.example/x?back=https://b.example/")),
            ("http://a.example/x", Err("not-https")),
            ("https://169.254.169.254/latest", Err("bad-request")),
        ] {
            let found = from.redirected(to).map(|it| it.to_string()).map_err(|refusal| refusal.code());
            assert_eq!(found.as_deref(), expected.as_ref().map(|it| *it), "{to}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_refused_or_names_its_host(typed in "(https://)?[a-zA-Z0-9.:@/?#\\[\\]%\\\\ -]{0,40}") {
            if let Ok(target) = Target::parse(&typed) {
                let uri: Uri = target.to_string().parse().unwrap();
                prop_assert_eq!(uri.host(), Some(target.host().name()));
                prop_assert_eq!(uri.port_u16().unwrap_or(443), target.host().port());
                prop_assert_eq!(Target::parse(&target.to_string()), Ok(target));
            }
        }
    }
}
