//! The whole of Loadout behind one door: the store, the rules, and what joins them.
//!
//! The HTTP API and the command line are thin over this. Synchronous: whoever serves many at once decides where it runs.

use std::sync::Arc;

use crate::domain::experience::{Experience, ExplainLevel};
use crate::domain::{Name, Profile, Revision, User};
use crate::resolve::{SessionInput, Subject, ToolRules};
use crate::store::Store;

/// One environment, ready to be asked.
pub struct Service {
    store: Store,
    rules: Arc<dyn ToolRules>,
}

/// Whose experience a question is about.
#[derive(Debug, Clone)]
pub enum Who {
    /// Somebody who exists.
    Login(Name<User>),
    /// Somebody who might.
    Hypothetical(User),
}

/// A question about an experience.
#[derive(Debug, Clone)]
pub struct Question {
    /// About whom.
    pub who: Who,
    /// "What if it were this profile".
    pub profile: Option<Name<Profile>>,
    /// The app that asks.
    pub app: String,
    /// The session that starts; nothing for Home.
    pub session: Option<SessionInput>,
    /// How deep the answer explains itself.
    pub explain: ExplainLevel,
    /// The revision to answer from; nothing for the newest.
    pub as_of: Option<Revision>,
}

/// A question that was not answered, or a change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The question has no answer.
    #[error(transparent)]
    Resolve(#[from] crate::resolve::Error),
}

impl Service {
    /// A service over `store` whose tools are decided by `rules`.
    pub fn new(store: Store, rules: Arc<dyn ToolRules>) -> Self {
        Self { store, rules }
    }

    /// The configuration.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Answers a question.
    pub fn experience(&self, question: &Question) -> Result<Experience, Error> {
        let snapshot = match question.as_of {
            Some(revision) => self.store.snapshot_at(revision)?,
            None => self.store.snapshot()?,
        };
        let mut subject = match &question.who {
            Who::Login(login) => {
                let person = self.store.person(login, snapshot.revision())?.ok_or_else(|| {
                    crate::store::Error::NotFound { kind: crate::domain::Kind::User, name: login.to_string() }
                })?;
                Subject {
                    login: Some(login.to_string()),
                    user: person.user,
                    direct: person.direct,
                    hypothetical_profile: None,
                }
            }
            Who::Hypothetical(user) => {
                Subject { login: None, user: user.clone(), direct: Vec::new(), hypothetical_profile: None }
            }
        };
        subject.hypothetical_profile = question.profile.clone();
        let session = question.session.as_ref();
        Ok(crate::resolve::resolve(&snapshot, &subject, &question.app, session, question.explain, &*self.rules)?)
    }
}
