//! The answer of a component to a question: the decision, its reads and its cost.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// The answer of a component to a question.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The decision, in the words of a case: `shown` and `items`, `hidden` or `fault`, and `warnings`.
    #[serde(rename = "outcome")]
    pub decision: Value,
    /// The reads that the decision rests on, each once.
    pub reads: Vec<ReadLine>,
    /// The resources that the call used.
    pub usage: Usage,
    /// The cause of its failure, if it failed.
    #[serde(default)]
    pub because: Option<String>,
    /// The functions that ran when it trapped, the innermost first.
    #[serde(default)]
    pub backtrace: Vec<String>,
    wrote: Wrote,
}

/// One read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReadLine {
    /// The function and its arguments, such as `context.get(customerName)`.
    pub what: String,
    /// The answer; the text of an item counts as its revision.
    pub answer: String,
}

/// The resources that a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Microseconds until the instance was there.
    pub instantiate_micros: u64,
    /// Microseconds from then to the answer.
    pub run_micros: u64,
    /// Bytes of all its memories and tables at their largest.
    pub peak_memory: u64,
    /// Calls to the host.
    pub host_calls: u32,
    /// Bytes handed to the host in all these calls.
    pub handed_over: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Wrote {
    lines: Vec<WroteLine>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct WroteLine {
    text: String,
}

impl Outcome {
    /// Returns the lines that the component wrote, of every level.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let outcome = Component::open("target/greeter.wasm")?.ask("session: { channel: chat }")?;
    /// assert_eq!(outcome.lines(), ["nobody is there"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lines(&self) -> Vec<&str> {
        self.wrote.lines.iter().map(|line| line.text.as_str()).collect()
    }

    /// Returns whether the call failed: by a fault of the component or by the sandbox.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let outcome = Component::open("target/greeter.wasm")?.ask("session: { channel: chat }")?;
    /// assert!(!outcome.is_fault());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_fault(&self) -> bool {
        self.decision.get("fault").is_some()
    }

    /// Returns whether the sandbox ended the call: the component trapped, exceeded a limit, or gave an invalid answer.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let outcome = Component::open("target/greeter.wasm")?.ask("session: { channel: chat }")?;
    /// assert!(!outcome.is_broken(), "{:?}", outcome.because);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_broken(&self) -> bool {
        self.decision["fault"].as_str().is_some_and(|code| code.starts_with("plugin."))
    }

    /// Returns decision and explanation as text that is the same each time, for a snapshot.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let outcome = Component::open("target/greeter.wasm")?.ask("session: { channel: chat }")?;
    /// println!("{}", outcome.snapshot());
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(&self) -> String {
        let mut text = format!("{:#}\n", self.decision);
        for ReadLine { what, answer } in &self.reads {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "read {what} = {answer}");
        }
        for line in self.lines() {
            let _ = writeln!(text, "wrote {line}");
        }
        if let Some(because) = &self.because {
            let _ = writeln!(text, "because {because}");
        }
        text
    }
}
