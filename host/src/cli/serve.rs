//! `loadout serve`: the HTTP API over a data folder, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;

use crate::content;
use crate::http::{Options, Server};

use super::failure::Failure;
use super::log::{self, LogFormat};
use super::outbound::Outbound;
use super::{Data, admin_token, otlp, print, stop};

/// Most requests that are worked on at once; others wait. Each may hold a connection to the database.
const BLOCKING_THREADS: usize = 64;

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
    /// Where spans are sent for OpenTelemetry (OTLP over HTTP), such as `http://127.0.0.1:4318`. Without it none are made.
    #[arg(long, value_name = "URL", value_parser = otlp::endpoint)]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    outbound: Outbound,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let spans = self.otlp_endpoint.as_deref().map(otlp::Spans::to).transpose()?;
        log::start_with(self.log_format, tracing::Level::INFO, spans.as_ref());
        let service = self.data.open_with(self.outbound.door()?)?;
        if let Some(sample) = &self.sample {
            service.add_sample(sample).map_err(Failure::of)?;
        }
        let variable = std::env::var(admin_token::VARIABLE).ok();
        let found = admin_token::find(self.admin_token_file.as_deref(), variable.as_deref(), &self.data.folder)?;
        let options = Options { exports_spans: spans.is_some(), ..Options::new(found.token) };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
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
}
