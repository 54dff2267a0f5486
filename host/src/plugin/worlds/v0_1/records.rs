//! The import `records`: business records through connectors.

use crate::domain::ConnectorKind;
use crate::plugin::outbound_access::gateway::{Question, Refused};
use crate::plugin::outbound_access::lookup;

use super::State;
use super::generated::loadout::plugin::records::{Host, Refusal};

impl Host for State {
    fn look_up(
        &mut self,
        entity: String,
        attribute: String,
        options: String,
    ) -> wasmtime::Result<Result<Option<String>, Refusal>> {
        let question = Question {
            call: "records.look-up",
            arguments: format!("{entity}, {attribute}, {options}"),
            bytes: entity.len() + attribute.len() + options.len(),
        };
        let answer = self.outside(question, |asking| {
            let (typed, table) = entity.split_once(':').unwrap_or(("", &entity));
            let connector = asking.connector(&asking.granted().records, ConnectorKind::Odata, typed)?;
            lookup::look_up(asking, connector, table, &attribute, &options)
        })?;
        Ok(answer.map_err(|Refused { code, message, .. }| Refusal { code: code.into_owned(), message }))
    }
}
