//! Questions that slugs of texts ask of business records, through the connector that the environment names for that.
//!
//! They go the way of plugins' calls outside: to the host of the connector alone, with its secret, within limits, and
//! not to a host that went on giving no answer. What they wait is bounded for each answer, and they hold few of the
//! server's threads. Refuses, with a sentence, what has no answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::slug::Lookup;
use crate::domain::{Capabilities, ConnectorKind, ConnectorName, SecretName, SecretValue};
use crate::resolve::{Found, Queries};

use crate::plugin::engine::Engine;
use crate::plugin::outbound_access::gateway::{Answered, Connectors, Gateway, Granted, OutboundCall};
use crate::plugin::outbound_access::lookup;

/// Who asks, where hosts that give no answer are remembered by who asked them. No plugin is called so.
const ASKER: &str = "slugs";

/// The way to business records, of one catalog.
#[derive(Debug)]
pub(in crate::plugin) struct QueryAccess {
    pub(in crate::plugin) connector: ConnectorName,
    outside: Granted,
}

impl QueryAccess {
    /// The way through `connector`, and to nothing else.
    pub(in crate::plugin) fn new(connector: ConnectorName, connectors: Arc<Connectors>, gateway: Gateway) -> Self {
        let alone = Capabilities { records: [connector.clone()].into(), ..Capabilities::default() };
        Self { connector, outside: Granted::new(&alone, &alone, connectors, gateway) }
    }
}

/// The questions of one answer.
pub(in crate::plugin) struct AnswerQueries<'a> {
    access: &'a QueryAccess,
    engine: &'a Engine,
    left: Duration,
    shown: Vec<(SecretName, SecretValue)>,
}

impl<'a> AnswerQueries<'a> {
    pub(in crate::plugin) fn new(access: &'a QueryAccess, engine: &'a Engine) -> Self {
        Self { access, engine, left: engine.config.queries, shown: Vec::new() }
    }
}

impl Queries for AnswerQueries<'_> {
    fn look_up(&mut self, lookup: &Lookup) -> Result<Found, String> {
        if self.left.is_zero() {
            let most = self.engine.config.queries.as_millis();
            return Err(format!("the queries of this answer took {most} ms, which are the most"));
        }
        let Some(_place) = self.engine.bulkheads.for_query() else {
            return Err("as many questions wait outside as may: ask again".to_owned());
        };
        let begun = Instant::now();
        let QueryAccess { connector, outside } = self.access;
        let mut asking = OutboundCall::new(outside, ASKER, self.left, &mut self.shown);
        let granted = &outside.granted().records;
        let answer = asking
            .connector(granted, ConnectorKind::Odata, connector.as_str())
            .and_then(|item| lookup::look_up(&mut asking, item, &lookup.table, &lookup.attribute, &lookup.options));
        self.left = self.left.saturating_sub(begun.elapsed());
        match answer {
            Ok(Answered { answer, note, .. }) => {
                Ok(Found { value: answer, note: format!("connector `{connector}`: {note}") })
            }
            Err(refused) => Err(format!("connector `{connector}`: {} ({})", refused.message, refused.code)),
        }
    }
}
