//! What is left for a call of the processor time that all plugins together may take for one answer or one change.
//!
//! Each call has a deadline of its own, and a request may make many calls: without a budget for all of them together it
//! would have no end. A plugin for which nothing is left is not asked, and that is no fault of the plugin.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::Effort;

use crate::plugin::config::Config;
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;

/// Which budget a call shares, and with which others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum Share {
    /// A rule: with all plugins that are asked for one answer.
    Rule,
    /// A step around a rule: with all such steps half of that, so that they leave rules the other half.
    Around,
    /// A step in a change: with all that are asked about one change.
    Change,
    /// A call that no other belongs to.
    Alone,
}

/// What a call may take of the budget it shares.
#[derive(Debug, Clone)]
pub(in crate::plugin) struct Allowance {
    share: Share,
    effort: Arc<Effort>,
    /// The whole budget, as it is told.
    budget: Duration,
    /// What is left of it.
    left: Duration,
}

impl Allowance {
    /// What a call with `limits` may take of what is left. No budget is smaller than what one call may take.
    pub(in crate::plugin) fn of(share: Share, config: &Config, limits: &Limits, effort: &Arc<Effort>) -> Self {
        let budget = |budget: Duration| budget.max(limits.deadline);
        let (budget, left) = match share {
            Share::Rule => (budget(config.answer), budget(config.answer).saturating_sub(effort.of_plugins())),
            Share::Around => {
                let (all, steps) = (budget(config.answer), budget(config.answer / 2));
                let left = steps.saturating_sub(effort.of_steps_around());
                (steps, left.min(all.saturating_sub(effort.of_plugins())))
            }
            Share::Change => (budget(config.change), budget(config.change).saturating_sub(effort.of_plugins())),
            Share::Alone => (Duration::MAX, Duration::MAX),
        };
        Self { share, effort: Arc::clone(effort), budget, left }
    }

    /// Whether a call may be made at all.
    pub(in crate::plugin) fn check(&self) -> Result<(), CallError> {
        if self.is_given_up() {
            Err(CallError::GivenUp)
        } else if self.left.is_zero() {
            Err(CallError::Spent(self.budget))
        } else {
            Ok(())
        }
    }

    /// The longest processor time of a call that may take `deadline` by itself.
    pub(in crate::plugin) fn within(&self, deadline: Duration) -> Duration {
        deadline.min(self.left)
    }

    /// The whole budget.
    pub(in crate::plugin) fn budget(&self) -> Duration {
        self.budget
    }

    /// Whether no caller waits any more.
    pub(in crate::plugin) fn is_given_up(&self) -> bool {
        self.effort.is_given_up()
    }

    /// Counts what the call took.
    pub(in crate::plugin) fn spend(&self, time: Duration) {
        match self.share {
            Share::Around => self.effort.spend_around(time),
            Share::Rule | Share::Change | Share::Alone => self.effort.spend(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn left(share: Share, effort: &Arc<Effort>) -> u128 {
        let config = Config { answer: millis(500), change: millis(5_000), ..Config::default() };
        let limits = Limits { deadline: millis(50), ..Limits::default() };
        Allowance::of(share, &config, &limits, effort).left.as_millis()
    }

    #[test]
    fn steps_around_rules_leave_half_of_an_answer_to_rules() {
        let effort = Arc::<Effort>::default();
        let all = || [Share::Rule, Share::Around, Share::Change].map(|share| left(share, &effort));
        assert_eq!(all(), [500, 250, 5_000]);
        effort.spend_around(millis(250));
        assert_eq!(all(), [250, 0, 4_750]);
        effort.spend(millis(200));
        assert_eq!(all(), [50, 0, 4_550]);
        effort.spend(millis(5_000));
        assert_eq!(all(), [0, 0, 0]);
        assert_eq!(left(Share::Alone, &effort), Duration::MAX.as_millis());
    }

    #[test]
    fn what_rules_took_is_not_there_for_steps_and_no_budget_is_smaller_than_a_call() {
        let effort = Arc::<Effort>::default();
        effort.spend(millis(480));
        assert_eq!([Share::Rule, Share::Around].map(|share| left(share, &effort)), [20, 20]);
        let config = Config { answer: millis(10), ..Config::default() };
        let limits = Limits { deadline: millis(50), ..Limits::default() };
        let allowance = Allowance::of(Share::Around, &config, &limits, &Arc::default());
        assert_eq!((allowance.within(millis(50)), allowance.check()), (millis(50), Ok(())));
    }

    #[test]
    fn what_is_used_up_or_given_up_is_told() {
        let (config, limits, effort) = (Config::default(), Limits::default(), Arc::<Effort>::default());
        let check = || Allowance::of(Share::Rule, &config, &limits, &effort).check();
        assert_eq!(check(), Ok(()));
        effort.spend(config.answer);
        assert_eq!(check(), Err(CallError::Spent(config.answer)));
        effort.give_up();
        assert_eq!(check(), Err(CallError::GivenUp));
    }
}
