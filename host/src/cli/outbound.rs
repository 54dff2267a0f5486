//! What plugins may ask outside, besides public hosts with usual certificates.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::HttpHost;
use crate::outbound::{self, Client};
use crate::plugin::Gateway;

use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Outbound {
    /// A host, with its port if that is not 443, that plugins may ask though its address is not public. Several are
    /// possible.
    #[arg(long = "outbound-allow-private", value_name = "HOST")]
    allow_private: Vec<HttpHost>,
    /// A file of certificates in PEM, of authorities that hosts may be certified by besides the usual ones.
    #[arg(long = "outbound-ca", value_name = "FILE")]
    authorities: Option<PathBuf>,
}

impl Outbound {
    /// The way out that these options leave.
    pub(super) fn gateway(&self) -> Result<Gateway, Failure> {
        let authorities = match &self.authorities {
            None => Vec::new(),
            Some(file) => {
                let unusable = || format!("the certificates in `{}` cannot be used", file.display());
                let pem = std::fs::read(file).map_err(|error| Failure::because(unusable(), error))?;
                outbound::certificates(&pem).map_err(|error| Failure::because(unusable(), error))?
            }
        };
        let allow_private = self.allow_private.iter().cloned().collect();
        let options = outbound::Options { allow_private, authorities, ..outbound::Options::default() };
        Ok(Gateway { client: Arc::new(Client::new(options)), ..Gateway::default() })
    }
}
