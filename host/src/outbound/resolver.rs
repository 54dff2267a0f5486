//! Resolves names and leaves out addresses that are not public. The connection goes to the addresses that were checked,
//! so a second look-up cannot change them.

use std::collections::BTreeSet;
use std::str::FromStr;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::domain::HttpHost;

use super::address::is_public;

/// The resolver of the client.
pub(super) struct Checked {
    allow_private: BTreeSet<HttpHost>,
    system: DefaultResolver,
}

/// The error for a name without a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has no public address")]
pub(super) struct NotPublic;

impl Checked {
    pub(super) fn new(allow_private: BTreeSet<HttpHost>) -> Self {
        Self { allow_private, system: DefaultResolver::default() }
    }

    fn may_be_private(&self, uri: &Uri) -> bool {
        let name = uri.host().unwrap_or_default();
        let port = uri.port_u16().filter(|port| *port != HttpHost::HTTPS);
        let host = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        HttpHost::from_str(&host).is_ok_and(|host| self.allow_private.contains(&host))
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checked").field("allow_private", &self.allow_private).finish_non_exhaustive()
    }
}

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.system.resolve(uri, config, timeout)?;
        if self.may_be_private(uri) {
            return Ok(found);
        }
        let mut public = self.empty();
        for address in found.iter().filter(|address| is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() { Err(Error::Other(Box::new(NotPublic))) } else { Ok(public) }
    }
}
