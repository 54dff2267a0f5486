//! Maps errors of making and reading plugin bundles to refusals.

use axum::http::StatusCode;

use crate::bundle::Error as BundleError;
use crate::http::problem::Refusal;
use crate::import;
use crate::service::Error;

impl From<BundleError> for Refusal {
    fn from(error: BundleError) -> Self {
        let detail = error.to_string();
        let problem = |code| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        match error {
            BundleError::Archive(error) => Error::Import(import::Error::Archive(error)).into(),
            BundleError::Pack(error) => Error::Export(error).into(),
            BundleError::NotABundle | BundleError::Index(_) | BundleError::Format(_) => problem("not-a-bundle"),
            BundleError::Empty
            | BundleError::TooMany(_)
            | BundleError::TooLarge { .. }
            | BundleError::Twice(_)
            | BundleError::Missing { .. }
            | BundleError::Tampered { .. }
            | BundleError::Stray(_) => problem("refused-bundle"),
        }
    }
}
