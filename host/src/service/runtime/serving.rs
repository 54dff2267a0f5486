//! What a plugin does now, in one word, with the reason and the next step.

use serde::Serialize;

use crate::domain::{Plugin, PluginVersion};
use crate::plugin::{BreakerState, Health};

/// What a plugin does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServingState {
    /// A version serves.
    Active,
    /// An administrator switched it off.
    Inactive,
    /// No version serves: one waits for a decision about the capabilities it asks for.
    Waiting,
    /// A version serves, and is not called for a while because it kept failing.
    Suspended,
    /// A version serves, was suspended, and the next call tries it; or no version could be installed.
    Failing,
    /// The version that should serve cannot be made ready.
    Unavailable,
    /// Versions are installed, and none was activated.
    Installed,
    /// An import named it, and no version is installed.
    Expected,
}

/// Why a plugin is not called, and what to do about it.
pub(in crate::service) struct Idle {
    pub(in crate::service) state: ServingState,
    /// Why, as a sentence without its end.
    pub(in crate::service) why: String,
    /// What to do about it, as a sentence without its end.
    pub(in crate::service) next: String,
}

/// Returns why `plugin`, of which no version serves, is not called. `waiting` is the version about whose grant nothing
/// was decided.
pub(in crate::service) fn idle(name: &str, plugin: &Plugin, waiting: Option<PluginVersion>) -> Idle {
    let (state, why, next) = if plugin.versions.is_empty() && plugin.state.is_active() {
        let why = format!("no version of plugin `{name}` is installed here, though it is expected");
        (ServingState::Expected, why, "install it with `POST /api/v1/plugins`".to_owned())
    } else if !plugin.state.is_active() {
        let next = format!("switch it on with `PUT /api/v1/plugins/{name}/state`");
        (ServingState::Inactive, format!("plugin `{name}` is switched off"), next)
    } else if let Some(version) = waiting {
        let why = format!("plugin `{name}` {version} waits for a decision about what it asks to reach");
        let next = format!("decide with `PUT /api/v1/plugins/{name}/versions/{version}/grant` and activate it");
        (ServingState::Waiting, why, next)
    } else {
        let next = format!("activate one with `POST /api/v1/plugins/{name}/activate`");
        (ServingState::Installed, format!("no version of plugin `{name}` was activated"), next)
    };
    Idle { state, why, next }
}

/// Returns what a plugin that serves does now, by its circuit breakers. Nothing if none is open or half open.
pub(in crate::service) fn by_health(name: &str, health: &[Health]) -> Option<Idle> {
    let of = |state: BreakerState| health.iter().find(|it| it.state == state);
    let label = |health: &Health| {
        health
            .step
            .as_ref()
            .map_or_else(|| format!("plugin `{name}`"), |step| format!("step `{step}` of plugin `{name}`"))
    };
    if let Some(open) = of(BreakerState::Open) {
        let seconds = open.seconds.unwrap_or_default();
        let reason = open.reason.as_deref().unwrap_or("it went on breaking");
        let why = format!("{} is suspended for {seconds} s: {reason}", label(open));
        let next = format!("wait until it is tried again, look at `/api/v1/traces?plugin={name}`, or roll it back");
        return Some(Idle { state: ServingState::Suspended, why, next });
    }
    let tried = of(BreakerState::HalfOpen)?;
    let why = format!("{} went on breaking, and the next call tries it", label(tried));
    Some(Idle { state: ServingState::Failing, why, next: format!("look at `/api/v1/traces?plugin={name}`") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_does_not_serve_is_in_one_state_and_says_what_to_do() {
        let version: PluginVersion = "1.0.0".parse().unwrap();
        let versions: std::collections::BTreeMap<_, _> = [(version, "0".repeat(64).parse().unwrap())].into();
        let off = Plugin { state: crate::domain::State::Inactive, ..Plugin::default() };
        let installed = Plugin { versions, ..Plugin::default() };
        let told = [
            idle("a/b", &Plugin::default(), None),
            idle("a/b", &off, Some(version)),
            idle("a/b", &installed, Some(version)),
            idle("a/b", &installed, None),
        ]
        .map(|Idle { state, why, next }| format!("{state:?}: {why}; {next}"));
        insta::assert_snapshot!(told.join("\n"), @"
        Expected: no version of plugin `a/b` is installed here, though it is expected; install it with `POST /api/v1/plugins`
        Inactive: plugin `a/b` is switched off; switch it on with `PUT /api/v1/plugins/a/b/state`
        Waiting: plugin `a/b` 1.0.0 waits for a decision about what it asks to reach; decide with `PUT /api/v1/plugins/a/b/versions/1.0.0/grant` and activate it
        Installed: no version of plugin `a/b` was activated; activate one with `POST /api/v1/plugins/a/b/activate`
        ");
    }

    #[test]
    fn a_suspended_step_is_named() {
        let health = |step: Option<&str>, state, seconds: Option<u64>| Health {
            step: step.map(str::to_owned),
            host: None,
            state,
            reason: seconds.map(|_| "5 faults, the last: plugin.trapped".to_owned()),
            seconds,
        };
        let told = |all: &[Health]| by_health("a/b", all).map(|Idle { state, why, .. }| format!("{state:?}: {why}"));
        assert_eq!(told(&[health(None, BreakerState::Closed, None)]), None);
        insta::assert_snapshot!(told(&[
            health(Some("one"), BreakerState::HalfOpen, None),
            health(Some("two"), BreakerState::Open, Some(5)),
        ]).unwrap_or_default(), @"Suspended: step `two` of plugin `a/b` is suspended for 5 s: 5 faults, the last: plugin.trapped");
        insta::assert_snapshot!(told(&[health(None, BreakerState::HalfOpen, None)]).unwrap_or_default(), @"Failing: plugin `a/b` went on breaking, and the next call tries it");
    }
}
