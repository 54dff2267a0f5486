//! `loadout token`: named tokens of a data folder. The caller must be able to write there. A server on the same folder
//! sees changes at once.

use clap::Subcommand;
use jiff::Timestamp;

use crate::domain::access::{AccessRole, AccessToken, Caller, NewToken, NoRole, Roles, TokenName};
use crate::store::Store;

use super::failure::Failure;
use super::log::{self, LogFormat};
use super::{Data, print};

/// Make, list and revoke named tokens.
#[derive(Debug, clap::Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token and print its secret, which is told this once.
#[derive(Debug, clap::Args)]
struct Create {
    /// Its unique name, which history and the audit show.
    name: TokenName,
    /// What its holder is there to do; several roles add up.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<AccessRole>,
    /// When it stops to serve, such as 2027-01-01T00:00:00Z; never, without it.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
    #[command(flatten)]
    data: Data,
}

/// List all tokens, those that serve no more included. Their secrets are nowhere.
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    data: Data,
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

/// Revoke a token at once and for good.
#[derive(Debug, clap::Args)]
struct Revoke {
    /// Its unique name.
    name: TokenName,
    #[command(flatten)]
    data: Data,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        match self.command {
            Command::Create(create) => create.run(),
            Command::List(list) => list.run(),
            Command::Revoke(revoke) => revoke.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let Self { name, roles, expires, data } = self;
        let roles = roles.into_iter().collect::<std::collections::BTreeSet<_>>();
        let roles: Roles = roles.try_into().map_err(|error: NoRole| Failure::usage(error.to_string()))?;
        let new = NewToken { name, roles, expires };
        let (_, secret) = open(&data)?.create_token(&new, Caller::ADMIN).map_err(Failure::of)?;
        print(secret.reveal())
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.data.must_exist()?;
        let tokens = Store::look(&self.data.folder).and_then(|store| store.tokens()).map_err(Failure::of)?;
        if self.json {
            return print(&serde_json::to_string(&tokens).map_err(Failure::of)?);
        }
        print(&table(&tokens, Timestamp::now()))
    }
}

impl Revoke {
    fn run(self) -> Result<(), Failure> {
        let token = open(&self.data)?.revoke_token(self.name.as_str(), Caller::ADMIN).map_err(Failure::of)?;
        print(&format!("token `{}` serves no more", token.name))
    }
}

/// The store itself: tokens need no plugins, which take a while to start.
fn open(data: &Data) -> Result<Store, Failure> {
    data.must_exist()?;
    Store::open(&data.folder).map_err(Failure::of)
}

fn table(tokens: &[AccessToken], now: Timestamp) -> String {
    if tokens.is_empty() {
        return "there are no named tokens: make one with `loadout token create NAME --role ROLE`".to_owned();
    }
    let width = tokens.iter().map(|token| token.name.as_str().len()).max().unwrap_or_default();
    let line = |token: &AccessToken| {
        let roles: Vec<&str> = token.roles.iter().map(AccessRole::as_str).collect();
        let until = token.expires.map_or_else(String::new, |expires| format!(", expires {expires}"));
        let used = token.last_used.map_or_else(|| "never used".to_owned(), |used| format!("used {used}"));
        let standing = token.standing(now).as_str();
        let (name, roles, by) = (token.name.as_str(), roles.join(" "), &token.created_by);
        format!("{name:width$}  {standing:7}  {roles}, made {} by {by}{until}, {used}", token.created)
    };
    tokens.iter().map(line).collect::<Vec<_>>().join("\n")
}
