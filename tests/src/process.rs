//! A server as a process of its own, which can be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::host::{Failure, Reply, TOKEN};

/// A server that runs until it is dropped or killed.
pub struct ServerProcess {
    child: Child,
    address: String,
    client: Client,
}

impl ServerProcess {
    /// Starts a program that says on standard output where it is ready, as `loadout serve` does.
    pub fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut server = Self { child, address: String::new(), client: Client::new() };
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut addresses = lines.filter_map(|line| {
            let (_, address) = line.split_once("loadout is ready at ")?;
            Some(address.split(',').next().unwrap_or_default().trim().to_owned())
        });
        server.address = addresses.next().ok_or("the server ended before it was ready")?;
        // A program whose standard output is closed ends as soon as it writes; a test does so once it has run for a
        // minute.
        thread::spawn(move || addresses.for_each(drop));
        Ok(server)
    }

    /// Ends it at once, as a power failure would: no destructor runs, no buffer is flushed.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) -> Result<(), Failure> {
        self.child.wait()?;
        Ok(())
    }

    /// Where it listens, as `http://address:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Bytes of memory that are resident.
    pub fn memory(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no line `VmRSS`")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Who asks it. Goes on asking the same address when the server is gone.
    pub fn caller(&self) -> Caller {
        Caller { address: self.address.clone(), client: self.client.clone() }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// Asks a server.
#[derive(Debug, Clone)]
pub struct Caller {
    address: String,
    client: Client,
}

impl Caller {
    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address)).bearer_auth(TOKEN)
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::GET, path)).await
    }

    /// Another method with a body.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Reply, Failure> {
        Reply::to(self.request(method, path).json(body)).await
    }

    /// Sends a component, again and again while the server is too busy to say what became of it. Sending one twice
    /// installs it once.
    pub async fn install(&self, query: &str, component: &[u8]) -> Result<Reply, Failure> {
        loop {
            let request = self.request(Method::POST, &format!("/api/v1/plugins{query}"));
            let request = request.header("content-type", "application/wasm").body(component.to_vec());
            let reply = Reply::to(request).await?;
            if reply.status != 503 {
                return Ok(reply);
            }
        }
    }
}
