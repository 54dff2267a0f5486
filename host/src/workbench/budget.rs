//! Budgets: the limits of what answers may cost, in a file beside the plugin's sources.
//!
//! Has no times: they depend on the machine, so a budget of times would fail for no reason. Refuses unknown keys by
//! name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bench::Cost;

/// The limits of the cases of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Budget {
    /// The limits of every case.
    pub every_case: Allowance,
    /// The limits of single cases in place of those, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cases: BTreeMap<String, Allowance>,
}

/// The limits of a case. A limit that is left out is that of the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Allowance {
    /// See [`Cost::fuel`].
    pub fuel: Option<u64>,
    /// See [`Cost::peak_memory`], in KiB.
    pub peak_memory_kib: Option<u64>,
    /// See [`Cost::host_calls`].
    pub host_calls: Option<u64>,
    /// See [`Cost::answer_bytes`].
    pub answer_bytes: Option<u64>,
}

/// A file that is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no budget: {0}")]
pub struct InvalidBudget(String);

/// A case that costs more than it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{case}` is over the budget: `{measure}` is {found}, and {allowed} is allowed")]
pub struct Excess {
    /// The case.
    pub case: String,
    /// The key of the limit that is exceeded.
    pub measure: &'static str,
    /// The measured amount.
    pub found: u64,
    /// The allowed amount.
    pub allowed: u64,
}

impl Budget {
    /// Reads the text of a budget.
    pub fn parse(text: &str) -> Result<Self, InvalidBudget> {
        toml::from_str(text)
            .map_err(|error: toml::de::Error| InvalidBudget(error.message().lines().collect::<Vec<_>>().join(" ")))
    }

    /// Returns a budget with the same limits for single cases, and with limits for every case that are a quarter above
    /// the highest measured figures. A figure of a case with a limit of its own does not count.
    pub fn around(self, costs: &[(&str, Cost)]) -> Self {
        let Self { cases, .. } = self;
        let mut most = [0; 4];
        for (case, cost) in costs {
            let own = cases.get(*case).copied().unwrap_or_default().figures();
            for ((most, (_, found)), own) in most.iter_mut().zip(figures(cost)).zip(own) {
                *most = if own.is_some() { *most } else { found.max(*most) };
            }
        }
        let [fuel, peak_memory_kib, host_calls, answer_bytes] = most.map(|most| Some(most + most.div_ceil(4)));
        Self { every_case: Allowance { fuel, peak_memory_kib, host_calls, answer_bytes }, cases }
    }

    /// Returns the budget as text, which [`Budget::parse`] reads.
    pub fn to_text(&self) -> Result<String, InvalidBudget> {
        toml::to_string(self).map_err(|error| InvalidBudget(error.to_string()))
    }

    /// Returns the limits that a case exceeds.
    pub fn excesses(&self, case: &str, cost: &Cost) -> Vec<Excess> {
        let own = self.cases.get(case).copied().unwrap_or_default().figures();
        let allowed = own.into_iter().zip(self.every_case.figures());
        let both = figures(cost).into_iter().zip(allowed);
        both.filter_map(|((measure, found), (own, all))| {
            let allowed = own.or(all).filter(|allowed| found > *allowed)?;
            Some(Excess { case: case.to_owned(), measure, found, allowed })
        })
        .collect()
    }

    /// Returns the cases that have limits here and do not exist: one that was renamed lost its limits.
    pub fn nowhere<'a>(&'a self, known: &[&str]) -> Vec<&'a str> {
        self.cases.keys().map(String::as_str).filter(|case| !known.contains(case)).collect()
    }
}

impl Allowance {
    /// Returns the limits, in the order of [`figures`].
    fn figures(self) -> [Option<u64>; 4] {
        [self.fuel, self.peak_memory_kib, self.host_calls, self.answer_bytes]
    }
}

/// Returns the figures that have limits, each with its key.
fn figures(cost: &Cost) -> [(&'static str, u64); 4] {
    [
        ("fuel", cost.fuel),
        ("peak-memory-kib", cost.peak_memory.div_ceil(1024)),
        ("host-calls", cost.host_calls.into()),
        ("answer-bytes", u64::try_from(cost.answer_bytes).unwrap_or(u64::MAX)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(fuel: u64, peak_memory: u64, host_calls: u32, answer_bytes: usize) -> Cost {
        Cost { fuel, peak_memory, host_calls, handed_over: 0, answer_bytes, median_micros: 1, p99_micros: 2 }
    }

    #[test]
    fn a_case_has_its_own_limits_before_those_of_all() {
        let text = "[every-case]\nfuel = 100\nhost-calls = 2\n[cases.\"a long one\"]\nfuel = 500\nanswer-bytes = 9\n";
        let budget = Budget::parse(text).unwrap();
        let told = |case: &str, cost| {
            let excesses = budget.excesses(case, &cost);
            excesses.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let dear = cost(101, 1 << 30, 3, 10);
        insta::assert_snapshot!(
            told("a short one", dear),
            @"`a short one` is over the budget: `fuel` is 101, and 100 is allowed; `a short one` is over the budget: `host-calls` is 3, and 2 is allowed"
        );
        insta::assert_snapshot!(
            told("a long one", dear),
            @"`a long one` is over the budget: `host-calls` is 3, and 2 is allowed; `a long one` is over the budget: `answer-bytes` is 10, and 9 is allowed"
        );
        assert_eq!(told("a short one", cost(100, 0, 2, 0)), "");
        assert_eq!(budget.nowhere(&["a short one"]), ["a long one"]);
    }

    #[test]
    fn a_budget_around_costs_has_room_for_all_of_them() {
        let dear = Budget::parse("[cases.dear]\nfuel = 9000\n").unwrap();
        let costs = [("one", cost(100, 1025, 0, 7)), ("two", cost(41, 10, 3, 80)), ("dear", cost(8000, 10, 4, 1))];
        let budget = dear.around(&costs);
        let text = budget.to_text().unwrap();
        insta::assert_snapshot!(text, @r"
        [every-case]
        fuel = 125
        peak-memory-kib = 3
        host-calls = 5
        answer-bytes = 100

        [cases.dear]
        fuel = 9000
        ");
        assert_eq!(Budget::parse(&text), Ok(budget));
    }

    #[test]
    fn a_key_nobody_knows_is_refused_by_name() {
        for (text, expected) in [
            ("[every-case]\nfule = 1", "unknown field `fule`"),
            ("[cases.x]\nmicros = 1", "unknown field `micros`"),
            ("fuel = 1", "unknown field `fuel`, expected `every-case` or `cases`"),
            ("[every-case]\nfuel = -1", "invalid value: integer `-1`"),
        ] {
            let error = Budget::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("this is no budget: ") && error.contains(expected), "{text}: {error}");
        }
    }
}
