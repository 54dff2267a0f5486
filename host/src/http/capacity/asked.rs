//! The caller of a request and its errand, known to all work that is done for the request; the lanes use both.

use std::future::Future;
use std::sync::Arc;

use axum::http::Method;

use crate::domain::access::Privilege;

use crate::http::privileges::Needs;

tokio::task_local! {
    static ASKED: Asked;
}

/// The errand of a request. Each kind has threads of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Errand {
    /// The request asks, and writes nothing.
    Question,
    /// The request changes the configuration, and may wait for other writers.
    Change,
    /// The request changes what plugins, tokens, secrets and people may do. With such a request an administrator ends
    /// the work that harms the server, so it never waits behind that work.
    Mend,
}

/// The caller of a request, and its errand.
#[derive(Debug, Clone)]
pub(in crate::http) struct Asked {
    /// The name of the token.
    pub(in crate::http) by: Arc<str>,
    /// The errand.
    pub(in crate::http) errand: Errand,
}

impl Errand {
    /// What a call is there for that needs this.
    pub(in crate::http) fn of(method: &Method, needs: Needs) -> Self {
        use Privilege::*;
        let Needs::The(privilege) = needs else { return Self::Question };
        match privilege {
            _ if method.is_safe() => Self::Question,
            ExperienceRead | ConfigurationRead | PeopleRead | HistoryRead | Export | PluginTraceRead | AuditRead => {
                Self::Question
            }
            ConfigurationWrite | ProductivityWrite | PluginRecord | Upgrade => Self::Change,
            PeopleWrite | PluginInstall | PluginConfigure | PluginGrant | PluginTrust | SecretWrite | TokenManage => {
                Self::Mend
            }
        }
    }
}

impl Asked {
    /// Who asks for what is done now. Without any request, one caller without a name.
    pub(in crate::http) fn now() -> Self {
        let unnamed = |_| Self { by: "".into(), errand: Errand::Question };
        ASKED.try_with(Self::clone).unwrap_or_else(unnamed)
    }

    /// Does `work` for whom this is.
    pub(in crate::http) async fn while_doing<F: Future>(self, work: F) -> F::Output {
        ASKED.scope(self, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_are_no_changes_and_questions_are_neither() {
        for (method, privilege, expected) in [
            (Method::GET, Privilege::ConfigurationRead, Errand::Question),
            (Method::GET, Privilege::TokenManage, Errand::Question),
            (Method::POST, Privilege::ExperienceRead, Errand::Question),
            (Method::PUT, Privilege::ConfigurationWrite, Errand::Change),
            (Method::DELETE, Privilege::ProductivityWrite, Errand::Change),
            (Method::DELETE, Privilege::TokenManage, Errand::Mend),
            (Method::DELETE, Privilege::PluginInstall, Errand::Mend),
            (Method::PUT, Privilege::PluginConfigure, Errand::Mend),
            (Method::DELETE, Privilege::PeopleWrite, Errand::Mend),
        ] {
            assert_eq!(Errand::of(&method, Needs::The(privilege)), expected, "{method} with {privilege}");
        }
    }
}
