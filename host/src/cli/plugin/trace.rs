//! `loadout plugin trace`: prints the newest calls of a plugin on a running host, and with `--follow` those that come.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;

use super::remote::Remote;

/// The pause between two questions to the host.
const PAUSE: Duration = Duration::from_secs(1);

/// Most calls a host lists at once.
const MOST: u16 = 500;

/// Print the newest calls of a plugin, the oldest of them first.
#[derive(Debug, clap::Args)]
pub(super) struct Trace {
    /// The plugin, as `publisher/name`.
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// Calls that are printed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST)))]
    last: u16,
    /// Go on with those that come, until ctrl-c.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Trace {
    pub(super) fn run(self) -> Result<(), Failure> {
        let host = self.remote.open()?;
        let path = format!("/api/v1/traces?plugin={}&limit={MOST}", self.plugin.replace('/', "%2F"));
        let mut known: Option<HashSet<String>> = None;
        loop {
            let page = host.get(&path)?;
            let calls: Vec<&Value> = page["items"].as_array().into_iter().flatten().collect();
            // The newest come first.
            let new = match &known {
                None => calls.iter().take(usize::from(self.last)).collect(),
                Some(known) => calls.iter().filter(|call| !known.contains(&id(call))).collect::<Vec<_>>(),
            };
            for call in new.into_iter().rev() {
                print(&line(call))?;
            }
            if !self.follow {
                return Ok(());
            }
            known = Some(calls.into_iter().map(id).collect());
            thread::sleep(PAUSE);
        }
    }
}

fn id(call: &Value) -> String {
    call["id"].as_str().unwrap_or_default().to_owned()
}

fn line(call: &Value) -> String {
    let text = |key: &str| call[key].as_str().unwrap_or_default();
    let step = call["step"].as_str().map_or_else(String::new, |step| format!(" step {step}"));
    let micros = call["runMicros"].as_u64().unwrap_or_default();
    let fault = call["fault"]["message"].as_str().map_or_else(String::new, |message| format!("  {message}"));
    format!(
        "{} {} {} {}{step} {} {micros} µs{fault}  {}",
        text("at"),
        text("version"),
        text("message"),
        text("resource"),
        text("outcome"),
        text("id")
    )
}
