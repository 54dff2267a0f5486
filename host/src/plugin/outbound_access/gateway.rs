//! What a component may reach outside of the host. Nothing, unless an administrator granted what its manifest asks for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::{
    Capabilities, Connector, ConnectorKind, ConnectorName, HttpHost, KeptSecret, SecretName, SecretValue,
};
use crate::outbound;
use crate::outbound::{Client, Field, Method, Request, Response, Target};
use crate::store::Secrets;

use crate::domain::hex::hexadecimal;

/// The way out of the host: who sends requests, and where secrets are.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    /// Sends requests.
    pub client: Arc<Client>,
    /// The secrets; without them none is there.
    pub secrets: Option<Arc<Secrets>>,
}

/// The connectors of a revision, by name.
pub type Connectors = BTreeMap<ConnectorName, Connector>;

/// What one component may reach, as the revision says whose catalog it is in.
#[derive(Debug, Default)]
pub(in crate::plugin) struct Granted {
    had: Capabilities,
    connectors: Arc<Connectors>,
    gateway: Gateway,
}

impl Granted {
    /// What a component that asks for `asked` and was granted `granted` may reach.
    pub(in crate::plugin) fn new(
        asked: &Capabilities,
        granted: &Capabilities,
        connectors: Arc<Connectors>,
        gateway: Gateway,
    ) -> Self {
        Self { had: asked.and(granted), connectors, gateway }
    }

    /// What the component asks for and was granted.
    pub(in crate::plugin) fn granted(&self) -> &Capabilities {
        &self.had
    }

    /// Whether calls of the component may wait for an answer from outside.
    pub(in crate::plugin) fn may_wait(&self) -> bool {
        let Capabilities { records, knowledge, http, secrets: _ } = &self.had;
        !(records.is_empty() && knowledge.is_empty() && http.is_empty())
    }
}

/// A question to another system.
pub(in crate::plugin) struct Question {
    /// The function of the contract, such as `records.look-up`.
    pub(in crate::plugin) call: &'static str,
    /// What was asked, as the record of reads says it.
    pub(in crate::plugin) arguments: String,
    /// The bytes that were handed over.
    pub(in crate::plugin) bytes: usize,
}

/// An answer.
pub(in crate::plugin) struct Answered<T> {
    pub(in crate::plugin) answer: T,
    /// What the record of reads says about it.
    pub(in crate::plugin) note: String,
    /// Its bytes.
    pub(in crate::plugin) bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugin) struct Refused {
    /// The stable code, as the contract lists them.
    pub(in crate::plugin) code: Cow<'static, str>,
    /// One sentence.
    pub(in crate::plugin) message: String,
    /// Whether the host did not even ask.
    pub(in crate::plugin) denied: bool,
}

/// An answer in the journal of a call.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::plugin) enum Recorded<T> {
    /// The other system answered.
    Answered(T),
    /// There is no answer.
    Refused { code: String, message: String },
}

impl<T: DeserializeOwned> Recorded<T> {
    /// The answer that a journal has; what it does not have is refused.
    pub(in crate::plugin) fn of(known: Option<Value>) -> Self {
        known.and_then(|known| serde_json::from_value(known).ok()).unwrap_or_else(|| Self::Refused {
            code: "unavailable".to_owned(),
            message: "nobody is asked while a call is made again, and this was not recorded".to_owned(),
        })
    }

    /// What the record of reads says about it.
    pub(in crate::plugin) fn short(&self) -> String {
        match self {
            Self::Answered(_) => "as recorded".to_owned(),
            Self::Refused { code, .. } => code.clone(),
        }
    }
}

impl<T> From<Recorded<T>> for Result<T, Refused> {
    fn from(recorded: Recorded<T>) -> Self {
        match recorded {
            Recorded::Answered(answer) => Ok(answer),
            Recorded::Refused { code, message } => Err(Refused { code: code.into(), message, denied: false }),
        }
    }
}

/// One question on its way.
pub(in crate::plugin) struct OutboundCall<'a> {
    outside: &'a Granted,
    /// The plugin that asks.
    plugin: &'a str,
    /// How long it may take.
    time: Duration,
    /// The secrets that are struck out of answers: those that were shown in this call of the plugin, and those it was
    /// granted, because an answer may echo a question of long ago.
    shown: &'a mut Vec<(SecretName, SecretValue)>,
}

impl<'a> OutboundCall<'a> {
    pub(in crate::plugin) fn new(
        outside: &'a Granted,
        plugin: &'a str,
        time: Duration,
        shown: &'a mut Vec<(SecretName, SecretValue)>,
    ) -> Self {
        Self { outside, plugin, time, shown }
    }

    /// What the component asks for and was granted.
    pub(in crate::plugin) fn granted(&self) -> &'a Capabilities {
        &self.outside.had
    }

    /// The connector that was typed, if it is one of `granted`; without a name the only one of these.
    pub(in crate::plugin) fn connector(
        &self,
        granted: &BTreeSet<ConnectorName>,
        kind: ConnectorKind,
        typed: &str,
    ) -> Result<&'a Connector, Refused> {
        let shown: String = typed.chars().take(100).collect();
        let name = match granted.iter().find(|name| name.as_str() == typed) {
            Some(name) => name,
            None if !typed.is_empty() => {
                return Err(Refused::not_granted(format!("the connector `{shown}` is not granted to this plugin")));
            }
            None => {
                let mut names = granted.iter();
                match (names.next(), names.next()) {
                    (Some(only), None) => only,
                    (None, _) => return Err(Refused::not_granted("no connector is granted to this plugin")),
                    (Some(_), Some(_)) => {
                        return Err(Refused::bad_query("more than one connector is granted to this plugin: name one"));
                    }
                }
            }
        };
        let connector = self.outside.connectors.get(name).filter(|connector| connector.kind == kind);
        connector.ok_or_else(|| Refused {
            code: "no-connector".into(),
            message: format!("this environment has no connector `{name}` of the right kind"),
            denied: true,
        })
    }

    /// A secret, with the hosts that it is for.
    pub(in crate::plugin) fn secret(&self, name: &SecretName) -> Result<KeptSecret, Refused> {
        let none = || Refused {
            code: "no-secret".into(),
            message: format!("this environment has no secret `{name}`"),
            denied: true,
        };
        let secrets = self.outside.gateway.secrets.as_ref().ok_or_else(none)?;
        let found = secrets.find(name).map_err(|error| {
            tracing::error!(%error, "the secret `{name}` cannot be read");
            Refused::unavailable(format!("the secret `{name}` cannot be read"))
        })?;
        found.ok_or_else(none)
    }

    /// Sends a request to one of `hosts`.
    pub(in crate::plugin) fn send(
        &mut self,
        request: &Request,
        hosts: &BTreeSet<HttpHost>,
    ) -> Result<Response, Refused> {
        for (_, field) in &request.headers {
            if let Field::Secret { name, secret, .. } = field {
                self.strike(name, &secret.value);
            }
        }
        for name in self.granted_secrets() {
            // One that cannot be read was not shown in this call.
            if let Ok(secret) = self.secret(&name) {
                self.strike(&name, &secret.value);
            }
        }
        Ok(self.outside.gateway.client.send(self.plugin, request, hosts, self.time, self.shown)?)
    }

    /// Has a secret struck out of what comes back from now on.
    fn strike(&mut self, name: &SecretName, value: &SecretValue) {
        if !self.shown.iter().any(|(_, known)| known == value) {
            self.shown.push((name.clone(), value.clone()));
        }
    }

    /// The secrets that calls of this component may have shown to others, in this call or in one before, and that are
    /// not struck out yet.
    fn granted_secrets(&self) -> BTreeSet<SecretName> {
        let had = self.granted();
        let connectors = had.records.iter().chain(&had.knowledge).filter_map(|name| self.outside.connectors.get(name));
        let named = had.secrets.iter().chain(connectors.filter_map(|connector| connector.secret.as_ref()));
        named.filter(|name| !self.shown.iter().any(|(known, _)| known == *name)).cloned().collect()
    }

    /// Asks a connector for what is behind its base address. Gives the body, and what the record of reads says about
    /// it.
    pub(in crate::plugin) fn get(&mut self, connector: &Connector, path: &str) -> Result<(Vec<u8>, String), Refused> {
        let target = Target::parse(&format!("{}{path}", connector.url));
        let target = target.map_err(|refusal| Refused::bad_query(refusal.to_string()))?;
        let mut headers = vec![("accept".to_owned(), Field::Text("application/json".to_owned()))];
        if let Some(name) = &connector.secret {
            let secret = Field::Secret { before: "Bearer ", name: name.clone(), secret: self.secret(name)? };
            headers.push(("authorization".to_owned(), secret));
        }
        let hosts = BTreeSet::from([connector.url.host().clone()]);
        let answer = self.send(&Request { method: Method::Get, target, headers, body: Vec::new() }, &hosts);
        // Where a connector redirects to is not what a plugin asked.
        let answer = answer.map_err(|refused| match &*refused.code {
            "not-granted" | "not-https" | "too-many-redirects" => Refused { code: "unavailable".into(), ..refused },
            _ => refused,
        })?;
        match answer.status {
            200 => {
                let note = format!("200, {}", summary(&answer.body));
                Ok((answer.body, note))
            }
            400 => Err(Refused::bad_query("the connector does not understand the question")),
            status => Err(Refused::unavailable(format!("the connector answered with {status}"))),
        }
    }
}

impl Refused {
    /// The code of a request to a host that went on giving no answer.
    pub(in crate::plugin) const SUSPENDED: &str = "suspended";

    /// No administrator granted it.
    pub(in crate::plugin) fn not_granted(message: impl Into<String>) -> Self {
        Self { code: "not-granted".into(), message: message.into(), denied: true }
    }

    /// It makes no sense.
    pub(in crate::plugin) fn bad_query(message: impl Into<String>) -> Self {
        Self { code: "bad-query".into(), message: message.into(), denied: false }
    }

    /// It was asked, and not answered.
    pub(in crate::plugin) fn unavailable(message: impl Into<String>) -> Self {
        Self { code: "unavailable".into(), message: message.into(), denied: false }
    }
}

impl From<outbound::Refusal> for Refused {
    fn from(refusal: outbound::Refusal) -> Self {
        Self { code: refusal.code().into(), message: refusal.to_string(), denied: refusal.is_denied() }
    }
}

/// What the record of reads says of a body: how large it is, and what tells it from others.
pub(in crate::plugin) fn summary(body: &[u8]) -> String {
    format!("{} bytes, sha256:{}", body.len(), hexadecimal(&Sha256::digest(body)))
}
