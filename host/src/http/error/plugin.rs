//! Maps errors of plugin administration to refusals.

use axum::http::StatusCode;

use crate::http::problem::Refusal;
use crate::plugin::LoadError;
use crate::service::PluginError;

/// Seconds after which a component that could not be looked at may be sent again.
const LATER: u32 = 30;

/// Seconds after which a comparison of versions that found another one running may be repeated. Most comparisons take
/// less.
const COMPARED: u32 = 5;

impl From<PluginError> for Refusal {
    fn from(error: PluginError) -> Self {
        let detail = error.to_string();
        let problem = |status, code| Self::new(status, code, detail.as_str());
        match error {
            PluginError::Refused(LoadError::Unavailable(_))
            | PluginError::RefusedVersion { reason: LoadError::Unavailable(_), .. } => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "compiler-unavailable").retry_after(LATER)
            }
            PluginError::OnTrial(refused) if matches!(*refused, PluginError::UnfitSettings { .. }) => {
                Self::from(*refused).with_detail(detail)
            }
            PluginError::Refused(_) | PluginError::RefusedVersion { .. } | PluginError::OnTrial(_) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "plugin-refused")
            }
            PluginError::NoSuchPlugin(_)
            | PluginError::NoSuchVersion { .. }
            | PluginError::NoSuchTool { .. }
            | PluginError::NoSuchStep { .. } => problem(StatusCode::NOT_FOUND, "not-found"),
            PluginError::NoDefault { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "no-default"),
            PluginError::Mislabelled { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "plugin-refused"),
            PluginError::BundledStep { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "refused-bundle"),
            PluginError::PublisherName(_) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-name"),
            PluginError::VersionTaken { .. } => problem(StatusCode::CONFLICT, "version-taken"),
            PluginError::KindTaken { .. } => problem(StatusCode::CONFLICT, "kind-taken"),
            PluginError::MajorVersion { .. } => problem(StatusCode::CONFLICT, "major-version"),
            PluginError::NeedsGrant { needs, .. } => problem(StatusCode::CONFLICT, "grant-needed").with_needs(*needs),
            PluginError::NotAsked { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "not-asked"),
            PluginError::NothingBefore(_) => problem(StatusCode::CONFLICT, "nothing-before"),
            PluginError::Serves { .. } => problem(StatusCode::CONFLICT, "in-use"),
            PluginError::Shipped(_) => problem(StatusCode::CONFLICT, "read-only"),
            PluginError::NoRollout(_) | PluginError::NoSuchRecording(_) => problem(StatusCode::NOT_FOUND, "not-found"),
            PluginError::NothingServes(_) => problem(StatusCode::CONFLICT, "nothing-serves"),
            PluginError::NotATool(_) | PluginError::NeverAsked(_) | PluginError::OtherKinds { .. } => {
                problem(StatusCode::CONFLICT, "not-comparable")
            }
            PluginError::NoSuchRole(_) | PluginError::NoSuchUser(_) | PluginError::VersionNotInstalled { .. } => {
                problem(StatusCode::CONFLICT, "missing-reference")
            }
            PluginError::Held { refused, .. } => Self::from(*refused).with_detail(detail),
            PluginError::RecordingUntil { .. } => Self::request("until", error.to_string()),
            PluginError::TooFewRecordings { .. } => problem(StatusCode::CONFLICT, "too-few-recordings"),
            PluginError::Comparing => problem(StatusCode::SERVICE_UNAVAILABLE, "comparison-busy").retry_after(COMPARED),
            PluginError::Unexpected(comparison) => {
                problem(StatusCode::CONFLICT, "not-promoted").with_comparison(comparison.without_examples())
            }
            PluginError::UnfitSettings { unfit, .. } => {
                problem(StatusCode::CONFLICT, "settings-do-not-fit").with_settings(*unfit)
            }
            PluginError::Settings { problems } => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-settings").with_errors(problems)
            }
            PluginError::ExpectedAndDecided { .. } => problem(StatusCode::FORBIDDEN, "forbidden"),
            PluginError::FallsBack { .. } => problem(StatusCode::CONFLICT, "falls-back"),
            PluginError::UnknownToolKind { problems } => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "unknown-tool-kind").with_errors(problems)
            }
            PluginError::TooManyPlugins { .. } => problem(StatusCode::CONFLICT, "too-many-plugins"),
            PluginError::TooManyVersions { .. } => problem(StatusCode::CONFLICT, "too-many-versions"),
            PluginError::NoRoomForComponents { .. } | PluginError::NoRoomForCode { .. } => {
                problem(StatusCode::INSUFFICIENT_STORAGE, "no-room-for-plugins")
            }
            PluginError::Given => problem(StatusCode::CONFLICT, "no-plugins"),
        }
    }
}
