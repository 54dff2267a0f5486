//! Components in tests: the author's own, in the real engine with the real limits.
//!
//! Starts the program `loadout plugin harness` and asks it line by line; links nothing of the host. A component that
//! stays open answers in microseconds.

mod outcome;
mod promises;
mod snapshots;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Items;
use super::cases::{Judged, run};

pub use outcome::{Outcome, ReadLine, Usage};

/// The variable that names the program.
const PROGRAM: &str = "LOADOUT";

/// The version of the protocol of lines.
const PROTOCOL: u64 = 1;

/// A component in the real engine, in a process of its own. The process ends when this value is dropped.
#[derive(Debug)]
pub struct Component {
    // Is dropped before the process, which ends when its standard input is closed.
    asking: Mutex<Asking>,
    about: About,
    _process: Process,
}

/// A child process. Dropping it waits for its end.
#[derive(Debug)]
struct Process(Child);

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct About {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The world it is built for.
    pub world: String,
    /// The tool kinds it decides about.
    pub kinds: Vec<String>,
}

/// The error of a component that cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The program cannot be started.
    #[error("`{}` cannot be started: {source}; put it on the path, or name it with the variable LOADOUT", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The program ended. The reason is on standard error.
    #[error("`loadout plugin harness` ended without an answer: what it wrote above says why")]
    Ended(#[source] Option<io::Error>),
    /// The program wrote an unexpected line.
    #[error("`loadout plugin harness` does not speak as this SDK does ({0}): use the SDK of the same version")]
    Protocol(String),
    /// The program refused the question.
    #[error("{0}")]
    Refused(String),
    /// The text of the question is no case.
    #[error("this is no case: {0}")]
    Case(String),
}

#[derive(Debug)]
struct Asking {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    count: u64,
}

impl Component {
    /// Builds the plugin in a folder and makes it ready.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// use loadout_sdk::testing::Component;
    ///
    /// let component = Component::build(env!("CARGO_MANIFEST_DIR"))?;
    /// component.check_cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    /// let outcome = component.ask("session: { channel: chat, context: { customerName: Ada } }")?;
    /// assert_eq!(outcome.decision["shown"]["greeting"], "Good day, Ada.");
    /// # Ok(())
    /// # }
    /// ```
    pub fn build(folder: impl AsRef<Path>) -> Result<Self, HarnessError> {
        Self::start(&program(), [folder.as_ref().into()])
    }

    /// Makes a component ready from its file.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let component = Component::open("target/greeter.wasm")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(component: impl AsRef<Path>) -> Result<Self, HarnessError> {
        Self::open_by(program(), component)
    }

    /// Does the same with the program at `program`, in place of the one that `LOADOUT` or the path names.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let component = Component::open_by("/opt/loadout/bin/loadout", "target/greeter.wasm")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_by(program: impl AsRef<Path>, component: impl AsRef<Path>) -> Result<Self, HarnessError> {
        Self::start(program.as_ref(), ["--component".into(), component.as_ref().into()])
    }

    fn start(program: &Path, arguments: impl IntoIterator<Item = OsString>) -> Result<Self, HarnessError> {
        let mut command = Command::new(program);
        command.args(["plugin", "harness"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let unstarted = |source| HarnessError::Start { program: program.to_owned(), source };
        let mut process = Process(command.spawn().map_err(unstarted)?);
        let (Some(to), Some(from)) = (process.0.stdin.take(), process.0.stdout.take()) else {
            return Err(HarnessError::Ended(None));
        };
        let mut asking = Asking { to, from: BufReader::new(from), count: 0 };
        let about = asking.greeting().inspect_err(|_| process.end())?;
        Ok(Self { asking: Mutex::new(asking), about, _process: process })
    }

    /// Returns what the component says about itself.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let component = Component::open("target/greeter.wasm")?;
    /// assert_eq!(component.about().plugin, "contoso/greeter");
    /// # Ok(())
    /// # }
    /// ```
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Asks about one case: `session`, `library` and `settings` in YAML or JSON, as a file of cases has them.
    pub fn ask(&self, case: &str) -> Result<Outcome, HarnessError> {
        let case: Map<String, Value> =
            serde_saphyr::from_str(case).map_err(|error| HarnessError::Case(error.to_string()))?;
        self.ask_about(&case)
    }

    /// Asks every case of every file of a folder, as [`check_cases`](super::check_cases) does natively.
    ///
    /// # Panics
    ///
    /// If a case has another outcome than it expects or cannot be asked, a file cannot be read as cases, or there are
    /// none.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// Component::open("target/greeter.wasm")?.check_cases("cases");
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_cases(&self, folder: impl AsRef<Path>) {
        run(folder.as_ref(), |library, case: Map<String, Value>| {
            let text = |key: &str| case.get(key).cloned().unwrap_or_default();
            let found = self.ask_about(&within(library, &case));
            let found = found.map_or_else(|error| json!({ "error": error.to_string() }), |it| it.decision);
            Judged { name: text("name").as_str().unwrap_or_default().to_owned(), expect: text("expect"), found }
        });
    }

    pub(super) fn ask_about(&self, case: &Map<String, Value>) -> Result<Outcome, HarnessError> {
        // A question that panicked was asked or was not: its answer is told from others by its number.
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).ask(case)
    }
}

impl Process {
    /// Ends a process that does not speak the protocol, and might run for ever.
    fn end(&mut self) {
        // It may have ended by itself just now.
        let _ = self.0.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its exit code does not matter.
        let _ = self.0.wait();
    }
}

impl Asking {
    fn greeting(&mut self) -> Result<About, HarnessError> {
        let greeting = self.read()?;
        if greeting["harness"] != json!(PROTOCOL) {
            return Err(HarnessError::Protocol(format!("it begins with {greeting}")));
        }
        serde_json::from_value(greeting).map_err(|error| HarnessError::Protocol(error.to_string()))
    }

    fn ask(&mut self, case: &Map<String, Value>) -> Result<Outcome, HarnessError> {
        self.count += 1;
        let gone = |error| HarnessError::Ended(Some(error));
        writeln!(self.to, "{}", json!({ "id": self.count, "case": case })).map_err(gone)?;
        self.to.flush().map_err(gone)?;
        loop {
            let answer = self.read()?;
            let error = answer["error"].as_str();
            // A line of which not even the number could be read is the one that was just sent.
            let is_its = answer["id"] == json!(self.count) || (answer["id"].is_null() && error.is_some());
            if !is_its {
                continue;
            }
            if let Some(error) = error {
                return Err(HarnessError::Refused(error.to_owned()));
            }
            return serde_json::from_value(answer).map_err(|error| HarnessError::Protocol(error.to_string()));
        }
    }

    fn read(&mut self) -> Result<Value, HarnessError> {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).map_err(|error| HarnessError::Ended(Some(error)))?;
        if read == 0 {
            return Err(HarnessError::Ended(None));
        }
        serde_json::from_str(&line).map_err(|error| HarnessError::Protocol(error.to_string()))
    }
}

fn program() -> PathBuf {
    std::env::var_os(PROGRAM).unwrap_or_else(|| "loadout".into()).into()
}

/// The case with the library of its file.
pub(super) fn within(library: &Items, case: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = json!(library);
    for (kind, items) in case.get("library").and_then(Value::as_object).into_iter().flatten() {
        for (name, item) in items.as_object().into_iter().flatten() {
            whole[kind][name] = item.clone();
        }
    }
    let mut case = case.clone();
    case.insert("library".to_owned(), whole);
    case
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_library_of_a_file_is_that_of_its_cases_but_for_what_they_have_themselves() {
        let item = |name: &str| (name.to_owned(), json!({ "name": name }));
        let library: Items = BTreeMap::from([("macros".to_owned(), BTreeMap::from([item("a"), item("b")]))]);
        let case = json!({ "name": "x", "library": { "macros": { "b": {} }, "scripts": { "c": {} } } });
        let found = within(&library, case.as_object().unwrap());
        let expected = json!({ "macros": { "a": { "name": "a" }, "b": {} }, "scripts": { "c": {} } });
        assert_eq!((&found["library"], &found["name"]), (&expected, &json!("x")));
    }
}
