//! A host that is asked over HTTP, for the commands that bring plugins there and look at them.
//!
//! The token comes from a file or a variable, never from an argument that others on the machine can see, and is in no
//! message.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Response, Uri};

use crate::cli::failure::Failure;
use crate::cli::file;

/// The variable with the address of the host.
const HOST: &str = "LOADOUT_HOST";
/// The address of the host if neither the option nor the variable is given.
const HERE: &str = "http://127.0.0.1:8080";

/// The variable with the token.
const TOKEN: &str = "LOADOUT_TOKEN";

/// The time-out of a request. The host may compile a component meanwhile.
const PATIENCE: Duration = Duration::from_secs(300);

/// Most bytes of an answer.
const LARGEST: u64 = 64 << 20;

/// The status of what is not there.
const NOT_FOUND: u16 = 404;

/// Which host, and by which token.
#[derive(Debug, clap::Args)]
pub(super) struct Remote {
    /// The address of the host. Without it the variable LOADOUT_HOST, and without that http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    host: Option<String>,
    /// A file that holds the token. Without it the variable LOADOUT_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A host that can be asked.
pub(super) struct Session {
    agent: Agent,
    address: String,
    token: String,
}

impl Remote {
    /// Prepares to ask the host. Nothing is sent.
    pub(super) fn open(&self) -> Result<Session, Failure> {
        let token = match &self.token_file {
            Some(path) => String::from_utf8(file::read(path)?)
                .map_err(|_| Failure::usage(format!("`{}` holds no token", path.display())))?,
            None => std::env::var(TOKEN)
                .map_err(|_| Failure::usage(format!("no token: give `--token-file FILE` or set {TOKEN}")))?,
        };
        let host = self.host.clone().or_else(|| std::env::var(HOST).ok()).unwrap_or_else(|| HERE.to_owned());
        let address = host.trim_end_matches('/').to_owned();
        let config =
            Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).max_redirects(0);
        // A proxy would look for `localhost` on its own machine, and would see the token.
        let config = if is_here(&address) { config.proxy(None) } else { config };
        Ok(Session { agent: config.build().into(), address, token: token.trim().to_owned() })
    }
}

/// Returns whether an address is on this machine.
fn is_here(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl Session {
    /// Reads what is at `path`.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.told(path, request.call())
    }

    /// Sends a component to `path`.
    pub(super) fn send_component(&self, path: &str, component: &[u8]) -> Result<Value, Failure> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        // A host that refuses the request says so before the component is sent, instead of cutting the connection.
        let request = request.header("expect", "100-continue");
        self.told(path, request.header("content-type", "application/wasm").send(component))
    }

    /// Sends JSON to `path`.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        self.told(path, request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Puts JSON at `path`.
    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.agent.put(self.url(path)).header("authorization", self.bearer());
        self.told(path, request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Deletes what is at `path`, if anything is.
    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        let request = self.agent.delete(self.url(path)).header("authorization", self.bearer());
        self.found(path, request.call()).map(drop)
    }

    /// Reads what may be at `path`; nothing if the host says that nothing is.
    pub(super) fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.found(path, request.call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The answer of the host, or nothing if it says that nothing is there.
    fn found(&self, path: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Option<Value>, Failure> {
        let is_nothing = answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == NOT_FOUND);
        if is_nothing { Ok(None) } else { self.told(path, answer).map(Some) }
    }

    /// The answer of the host, or its own sentence about why there is none.
    fn told(&self, path: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
        let unreachable = |error| Failure::because(format!("`{}` does not answer", self.address), error);
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.body_mut().with_config().limit(LARGEST).read_to_string().map_err(unreachable)?;
        let body: Option<Value> = if text.is_empty() { Some(Value::Null) } else { serde_json::from_str(&text).ok() };
        if status.is_success() {
            let stranger = || format!("`{}` answers, and is no host of Loadout: look at `--host`", self.address);
            return body.ok_or_else(|| Failure::found(stranger()));
        }
        let body = body.unwrap_or_default();
        let code = body["code"].as_str().unwrap_or("no code");
        let detail = body["detail"].as_str().unwrap_or("it says no more");
        Err(Failure::found(format!("`{}{path}` answers {} ({code}): {detail}", self.address, status.as_u16())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine_is_asked_without_a_proxy() {
        for (address, expected) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("https://LOCALHOST", true),
            ("https://loadout.contoso.com", false),
            ("https://localhost.contoso.com", false),
            ("http://10.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(is_here(address), expected, "{address}");
        }
    }
}
