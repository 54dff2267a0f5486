//! Secrets: written and deleted by administrators. That leaves no revision, and is in the audit before it happens.

use jiff::Timestamp;

use crate::domain::access::AuditEvent;
use crate::domain::revision::Author;
use crate::domain::{SecretHosts, SecretName, SecretRecord, SecretValue};
use crate::store;

use crate::service::{Error, Service};

impl Service {
    /// Writes a secret for these hosts, in place of its former value. Returns whether it is new.
    pub fn put_secret(
        &self,
        name: SecretName,
        value: &SecretValue,
        hosts: SecretHosts,
        at: Timestamp,
        author: &Author,
    ) -> Result<(SecretRecord, bool), Error> {
        self.note(author, AuditEvent::SecretWritten { secret: name.clone(), hosts: hosts.all().clone() })?;
        let new = self.store.secrets()?.put(&name, value, &hosts, at, &author.who)?;
        Ok((SecretRecord { name, hosts: hosts.into(), at, who: author.who.clone() }, new))
    }

    /// Deletes a secret: every call that would send it is refused from now on.
    pub fn delete_secret(&self, name: &SecretName, author: &Author) -> Result<(), Error> {
        let secrets = self.store.secrets()?;
        if !secrets.list()?.iter().any(|there| there.name == *name) {
            return Err(store::Error::NoSuchSecret { name: name.to_string() }.into());
        }
        self.note(author, AuditEvent::SecretDeleted { secret: name.clone() })?;
        Ok(secrets.delete(name)?)
    }
}
