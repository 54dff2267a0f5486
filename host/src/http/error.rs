//! Maps every error of the library to a status and a code.
//!
//! An error that is the program's own fault is logged here with its whole chain, and is not told to the caller.

mod bundle;
mod fault;
mod plugin;
mod step;

use axum::http::StatusCode;

use crate::domain::{InvalidItem, InvalidName};
use crate::import::ArchiveError;
use crate::service::Error;
use crate::store::room;
use crate::upgrade::{self, ReadError};
use crate::{export, import, resolve, store};

use super::problem::Refusal;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        // What wraps an error of the store hides the error itself from what looks for its causes.
        if matches!(error, Error::Store(store::Error::Full { .. })) || room::is_full(&error) {
            return full(&error);
        }
        let detail = error.to_string();
        let problem = |status, code| Self::new(status, code, detail);
        match error {
            Error::Store(store::Error::NotFound { .. } | store::Error::NoSuchRevision { .. }) => {
                problem(StatusCode::NOT_FOUND, "not-found")
            }
            Error::Store(store::Error::Exists { .. }) => problem(StatusCode::PRECONDITION_FAILED, "exists"),
            Error::Store(store::Error::Stale { .. }) => problem(StatusCode::PRECONDITION_FAILED, "stale"),
            Error::Store(store::Error::Gone { .. }) => problem(StatusCode::PRECONDITION_FAILED, "stale"),
            Error::Store(store::Error::StillNeeded { by, .. }) => {
                problem(StatusCode::CONFLICT, "in-use").with_referrers(vec![*by])
            }
            Error::Store(store::Error::ReadOnly { .. }) => problem(StatusCode::CONFLICT, "read-only"),
            Error::Store(store::Error::Invalid(InvalidItem { problems, .. })) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-item").with_errors(problems.0)
            }
            Error::Store(store::Error::InvalidName(InvalidName { .. })) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-name")
            }
            Error::Store(store::Error::MissingReferences(missing)) => {
                problem(StatusCode::CONFLICT, "missing-reference").with_missing(missing)
            }
            Error::Store(store::Error::InUse { links, .. }) => {
                problem(StatusCode::CONFLICT, "in-use").with_links(links)
            }
            Error::Store(store::Error::LibraryFull { .. }) => problem(StatusCode::CONFLICT, "library-full"),
            Error::Store(store::Error::RankTaken { .. }) => problem(StatusCode::CONFLICT, "rank-taken"),
            Error::Store(store::Error::IsDefault { .. }) => problem(StatusCode::CONFLICT, "is-default"),
            Error::Store(store::Error::CannotBeDefault { .. }) => problem(StatusCode::CONFLICT, "cannot-be-default"),
            Error::Store(store::Error::AlreadyAssigned { .. }) => problem(StatusCode::CONFLICT, "already-assigned"),
            Error::Store(store::Error::Overlapping { links, .. }) => {
                problem(StatusCode::CONFLICT, "already-assigned").with_links(links)
            }
            Error::Store(store::Error::NoSuchRun { .. } | store::Error::NoneUnfinished) => {
                problem(StatusCode::NOT_FOUND, "not-found")
            }
            Error::Store(store::Error::Forbidden { caller, privilege }) => Self::forbidden(&caller, privilege),
            Error::Store(store::Error::NoSuchToken { .. } | store::Error::NoSuchSecret { .. }) => {
                problem(StatusCode::NOT_FOUND, "not-found")
            }
            Error::Store(store::Error::TokenExists { .. }) => problem(StatusCode::CONFLICT, "exists"),
            Error::Store(store::Error::TokenOver { .. }) => problem(StatusCode::CONFLICT, "token-over"),
            Error::Store(store::Error::PastExpiry { .. }) => Self::request("expires", error.to_string()),
            Error::Store(store::Error::LeaseHeld { .. } | store::Error::LeaseLost { .. }) => {
                problem(StatusCode::CONFLICT, "upgrade-held")
            }
            Error::Store(store::Error::RunUnfinished { .. }) => problem(StatusCode::CONFLICT, "upgrade-unfinished"),
            Error::Store(store::Error::PlanUsed { .. }) => problem(StatusCode::CONFLICT, "plan-used"),
            Error::Store(store::Error::BaseMoved { .. } | store::Error::Moved { .. }) => {
                problem(StatusCode::PRECONDITION_FAILED, "stale")
            }
            Error::Store(store::Error::WrongState { .. }) => problem(StatusCode::CONFLICT, "upgrade-state"),
            Error::Resolve(resolve::Error::Unknown { .. }) => problem(StatusCode::NOT_FOUND, "not-found"),
            Error::Resolve(resolve::Error::GivenUp) => problem(StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Error::Resolve(resolve::Error::Inactive { .. }) => problem(StatusCode::CONFLICT, "inactive"),
            Error::Resolve(
                resolve::Error::AmbiguousSession { .. }
                | resolve::Error::EmptySession
                | resolve::Error::LongName { .. }
                | resolve::Error::Context(_),
            ) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-session"),
            Error::Resolve(resolve::Error::Tool { fault, .. } | resolve::Error::ToolStep { fault, .. }) => {
                let (status, code) = fault::of_fault(&fault.code);
                fault::later(problem(status, code), fault.retry_after)
            }
            Error::Resolve(resolve::Error::NotInProfile { .. }) => problem(StatusCode::CONFLICT, "not-in-profile"),
            Error::Import(import::Error::Archive(ArchiveError::TooLarge { .. })) => {
                problem(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large")
            }
            Error::Import(import::Error::Archive(
                ArchiveError::NotAZip { .. } | ArchiveError::Damaged { .. } | ArchiveError::Duplicate { .. },
            )) => problem(StatusCode::UNPROCESSABLE_ENTITY, "damaged-archive"),
            Error::Import(import::Error::Archive(
                ArchiveError::TooManyEntries { .. }
                | ArchiveError::EntryTooLarge { .. }
                | ArchiveError::TotalTooLarge { .. }
                | ArchiveError::Ratio { .. }
                | ArchiveError::Path { .. }
                | ArchiveError::Symlink { .. }
                | ArchiveError::Encrypted { .. },
            )) => problem(StatusCode::UNPROCESSABLE_ENTITY, "refused-archive"),
            Error::UnknownStep { .. } | Error::Upgrade(upgrade::Error::NoSuchPlan(_)) => {
                problem(StatusCode::NOT_FOUND, "not-found")
            }
            Error::Upgrade(upgrade::Error::Changed(_)) => problem(StatusCode::CONFLICT, "step-changed"),
            Error::Upgrade(upgrade::Error::OtherComponents(_) | upgrade::Error::OtherSource(_)) => {
                problem(StatusCode::PRECONDITION_FAILED, "stale")
            }
            Error::Upgrade(upgrade::Error::Undo(_)) => problem(StatusCode::CONFLICT, "depended-on"),
            Error::Upgrade(upgrade::Error::Step(_)) => problem(StatusCode::UNPROCESSABLE_ENTITY, "step-failed"),
            Error::Upgrade(upgrade::Error::Graph(_)) => problem(StatusCode::CONFLICT, "steps-without-order"),
            Error::Upgrade(upgrade::Error::Read(ReadError::TooLarge { .. })) => {
                problem(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large")
            }
            Error::Upgrade(upgrade::Error::Read(ReadError::Unknown | ReadError::Both | ReadError::Import(_))) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "not-an-environment")
            }
            Error::Upgrade(upgrade::Error::Read(ReadError::Archive(_))) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "refused-archive")
            }
            Error::Upgrade(upgrade::Error::Read(ReadError::Xml(_))) | Error::Import(import::Error::Xml(_)) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-xml")
            }
            Error::Import(
                import::Error::ConfigurationMigration | import::Error::NotASolution { .. } | import::Error::NoManifest,
            ) => problem(StatusCode::UNPROCESSABLE_ENTITY, "not-a-solution"),
            Error::Import(import::Error::Conflict(_)) => problem(StatusCode::CONFLICT, "import-conflict"),
            Error::Upgrade(upgrade::Error::Import(_)) => problem(StatusCode::UNPROCESSABLE_ENTITY, "not-a-solution"),
            Error::Export(
                export::Error::Unreadable(_) | export::Error::Unfaithful { .. } | export::Error::Invalid { .. },
            ) => problem(StatusCode::CONFLICT, "not-exportable"),
            Error::Export(export::Error::Pack { .. }) => {
                tracing::error!(error = chain(&error), "the export failed");
                Self::internal()
            }
            Error::Upgrade(
                upgrade::Error::File { .. }
                | upgrade::Error::Store(_)
                | upgrade::Error::Stopped { .. }
                | upgrade::Error::Read(ReadError::File(_)),
            ) => {
                tracing::error!(error = chain(&error), "the upgrade failed");
                Self::internal()
            }
            Error::Bundle(error) => error.into(),
            Error::Plugin(error) => error.into(),
            Error::Step(refusal) => refusal.into(),
            Error::Engine(_) => {
                tracing::error!(error = chain(&error), "the sandbox failed");
                Self::internal()
            }
            Error::Store(store::Error::TooManyPast) => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "past-busy").retry_after(2)
            }
            Error::Occupied => problem(StatusCode::SERVICE_UNAVAILABLE, "import-busy").retry_after(5),
            Error::Store(store::Error::JournalTooLarge { .. }) => {
                problem(StatusCode::INSUFFICIENT_STORAGE, "storage.quota")
            }
            Error::UnknownSample { .. } => problem(StatusCode::NOT_FOUND, "not-found"),
            Error::Resolve(resolve::Error::NoProfile { .. }) => problem(StatusCode::CONFLICT, "no-profile"),
            Error::Store(
                store::Error::Newer { .. }
                | store::Error::Older { .. }
                | store::Error::NotOurs
                | store::Error::Corrupt(_)
                | store::Error::Full { .. }
                | store::Error::EventDone { .. }
                | store::Error::Folder { .. }
                | store::Error::NoRandomness(_)
                | store::Error::Database(_),
            ) => {
                tracing::error!(error = chain(&error), "the store failed");
                Self::internal()
            }
        }
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<InvalidItem> for Refusal {
    fn from(error: InvalidItem) -> Self {
        store::Error::from(error).into()
    }
}

impl From<InvalidName> for Refusal {
    fn from(error: InvalidName) -> Self {
        store::Error::from(error).into()
    }
}

/// Returns the refusal of a write for which the disk has no room. Nothing of the write is kept, and reads go on.
fn full(error: &Error) -> Refusal {
    tracing::error!(error = chain(error), "the disk is full");
    let place = match error {
        Error::Store(store::Error::Full { folder, .. }) => format!("`{folder}`"),
        _ => "the data folder".to_owned(),
    };
    let detail =
        format!("there is no room left in {place}: nothing was written; make room there and repeat the request");
    Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "storage.full", detail)
}

/// Returns an error and all its causes as one sentence.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |chain, cause| format!("{chain}: {cause}"))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use crate::domain::experience::ToolFault;
    use crate::http::problem;
    use crate::pipeline::{self, RegisteredStep, StepFault};
    use crate::service::PluginError;

    use super::*;

    #[test]
    fn what_may_be_asked_again_says_when() {
        let fault = |code: &str, retry_after| ToolFault {
            code: code.to_owned(),
            message: "it broke".to_owned(),
            plugin: "a/b".to_owned(),
            version: "1.0.0".to_owned(),
            trace: None,
            retry_after,
        };
        let (kind, step) = ("scripts".to_owned(), "late".to_owned());
        let rule = |code, seconds| resolve::Error::Tool { kind: kind.clone(), fault: fault(code, seconds).into() };
        let around = resolve::Error::ToolStep {
            kind: kind.clone(),
            step: step.clone(),
            fault: fault("plugin.suspended", Some(90)).into(),
        };
        let by = RegisteredStep { plugin: "a/b".to_owned(), version: "1.0.0".to_owned(), step };
        let broke =
            StepFault { code: "plugin.suspended".to_owned(), message: "it broke".to_owned(), retry_after: Some(60) };
        let found = [
            Error::Resolve(rule("plugin.suspended", Some(120))),
            Error::Resolve(rule("plugin.busy", None)),
            Error::Resolve(rule("plugin.failed", None)),
            Error::Resolve(around),
            Error::Step(pipeline::Refusal::Fault { by: by.into(), fault: broke.into() }),
            Error::Plugin(PluginError::Comparing),
        ]
        .map(|error| {
            let answer = problem::render(Refusal::from(error).into_response(), "test", false);
            let said = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap_or("?").to_owned());
            (answer.status().as_u16(), said.unwrap_or_default())
        });
        let expected = [(503, "120"), (503, "1"), (500, ""), (503, "90"), (503, "60"), (503, "5")];
        assert_eq!(found, expected.map(|(status, seconds)| (status, seconds.to_owned())));
    }
}
