//! `loadout resolve`: one experience, the same JSON as over HTTP.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use serde::Deserialize;
use serde::de::value::StrDeserializer;

use crate::domain::experience::ExplainLevel;
use crate::domain::{Channel, Name, User};
use crate::resolve::SessionInput;
use crate::service::{Question, Who};

use super::failure::Failure;
use super::log::{self, LogFormat};
use super::{Data, print};

/// Print what a person gets, as JSON.
#[derive(Debug, clap::Args)]
pub(super) struct Resolve {
    #[command(flatten)]
    data: Data,
    /// The login of the person.
    #[arg(long, value_name = "LOGIN")]
    user: Name<User>,
    /// The app that asks.
    #[arg(long)]
    app: String,
    /// A file with the session that starts, as in the HTTP API.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["entity", "workstream", "channel", "context"])]
    session: Option<PathBuf>,
    /// The table of the record that is opened, such as `incident`.
    #[arg(long, value_name = "TABLE", group = "kind")]
    entity: Option<String>,
    /// The workstream of the conversation that starts.
    #[arg(long, group = "kind")]
    workstream: Option<String>,
    /// The channel of the conversation that starts.
    #[arg(long, group = "kind", value_parser = channels())]
    channel: Option<Channel>,
    /// An entry of the session's context; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, requires = "kind")]
    context: Vec<(String, String)>,
    /// How deep the answer explains itself.
    #[arg(long, default_value = "none", value_parser = levels())]
    explain: ExplainLevel,
}

fn channels() -> impl TypedValueParser<Value = Channel> {
    parser(Channel::ALL.map(Channel::as_str))
}

fn levels() -> impl TypedValueParser<Value = ExplainLevel> {
    parser(["none", "reasons", "full"])
}

/// Takes the names values have on the wire.
fn parser<const N: usize, T>(names: [&'static str; N]) -> impl TypedValueParser<Value = T>
where
    T: for<'de> Deserialize<'de> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names)
        .try_map(|name| T::deserialize(StrDeserializer::<serde::de::value::Error>::new(&name)))
}

fn pair(typed: &str) -> Result<(String, String), String> {
    match typed.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as `key=value`, such as `anchor.ticketnumber=CAS-01`".to_owned()),
    }
}

impl Resolve {
    pub(super) fn run(self) -> Result<(), Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        let session = self.session()?;
        let service = self.data.open_existing()?;
        let question = Question {
            who: Who::Login(self.user),
            profile: None,
            app: self.app,
            session,
            explain: self.explain,
            as_of: None,
        };
        let experience = service.experience(&question).map_err(Failure::of)?;
        let json = serde_json::to_string(&experience).map_err(Failure::of)?;
        print(&json)
    }

    fn session(&self) -> Result<Option<SessionInput>, Failure> {
        if let Some(file) = &self.session {
            let shown = file.display();
            let text = fs::read(file).map_err(|error| Failure::because(format!("`{shown}` cannot be read"), error))?;
            let mut json = serde_json::Deserializer::from_slice(&text);
            let session = serde_path_to_error::deserialize(&mut json)
                .map_err(|error| Failure::because(format!("`{shown}` is no session"), error))?;
            json.end().map_err(|error| Failure::because(format!("`{shown}` is no session"), error))?;
            return Ok(Some(session));
        }
        if self.entity.is_none() && self.workstream.is_none() && self.channel.is_none() {
            return Ok(None);
        }
        let mut context = BTreeMap::new();
        for (key, value) in &self.context {
            if context.insert(key.clone(), value.clone()).is_some() {
                return Err(Failure::usage(format!("`--context {key}=…` is given twice: keep one")));
            }
        }
        Ok(Some(SessionInput {
            workstream: self.workstream.clone(),
            channel: self.channel,
            entity: self.entity.clone(),
            context,
            ..SessionInput::default()
        }))
    }
}
