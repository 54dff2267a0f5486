//! `loadout serve`: the HTTP API over a data folder, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::value_parser;

use crate::content;
use crate::http::{Connections, Options, Server};

use super::descriptors;
use super::failure::Failure;
use super::log::{self, LogFormat};
use super::outbound::Outbound;
use super::{Data, admin_token, otlp, print, stop};

/// Serve the HTTP API.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,
    /// The address to listen on; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Content to look around in, put there before the server starts.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(content::SAMPLES))]
    sample: Option<String>,
    /// A file that holds the admin token. Without it: LOADOUT_ADMIN_TOKEN, else `admin.token` in the data folder.
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// How the log is written, on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Where spans are sent for OpenTelemetry (OTLP over HTTP), such as `http://127.0.0.1:4318`. Without it none are
    /// made.
    #[arg(long, value_name = "URL", value_parser = otlp::endpoint)]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    outbound: Outbound,
    /// Most connections, as far as the limit of open files has room for them. Beyond it, the address with the most
    /// gives one up.
    #[arg(long, value_name = "COUNT", default_value_t = 1024, value_parser = value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Most connections of one address, or of one IPv6 network (`/64`). Without it a quarter of all; behind a proxy,
    /// set it to all.
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=1_000_000))]
    max_connections_per_address: Option<u32>,
    /// Longest time a caller may take to send the header of a request.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = value_parser!(u64).range(1..=3600))]
    header_timeout: u64,
    /// Longest time a connection is kept without a request. Behind a proxy, longer than the proxy keeps it.
    #[arg(long, value_name = "SECONDS", default_value_t = 75, value_parser = value_parser!(u64).range(1..=3600))]
    idle_timeout: u64,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let spans = self.otlp_endpoint.as_deref().map(otlp::Spans::to).transpose()?;
        let _log = log::start_for_server(self.log_format, tracing::Level::INFO, spans.as_ref());
        let service = self.data.open_with(self.outbound.gateway()?)?;
        if let Some(sample) = &self.sample {
            service.add_sample(sample).map_err(Failure::of)?;
        }
        let variable = std::env::var(admin_token::VARIABLE).ok();
        let found = admin_token::find(self.admin_token_file.as_deref(), variable.as_deref(), &self.data.folder)?;
        let (exports_spans, connections) = (spans.is_some(), self.connections());
        let options = Options { exports_spans, connections, ..Options::new(found.token) };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(options.work.threads())
            .build()
            .map_err(|error| Failure::because("the threads of the server cannot start", error))?;
        runtime.block_on(async {
            let occupied = |error| Failure::because(format!("`{}` cannot be listened on", self.listen), error);
            let stop = stop::signal().map_err(|error| Failure::because("signals cannot be received", error))?;
            let server = Server::bind(Arc::new(service), self.listen, options).await.map_err(occupied)?;
            let address = server.address().map_err(occupied)?;
            print(&format!("loadout is ready at http://{address}, the admin token is in {}", found.place))?;
            let stopping = async {
                stop.await;
                tracing::info!("stopping: requests in flight are finished first");
            };
            server.run(stopping).await.map_err(|error| Failure::because("the server broke off", error))
        })
    }

    fn connections(&self) -> Connections {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let usual = Connections::of(descriptors::connections(count(self.max_connections)));
        Connections {
            per_address: self.max_connections_per_address.map_or(usual.per_address, count).min(usual.all),
            header: Duration::from_secs(self.header_timeout),
            idle: Duration::from_secs(self.idle_timeout),
            ..usual
        }
    }
}
