//! Errors: a `Fault` of a plugin that could not answer, and a `Refusal` of something outside of the host.

use std::fmt;

/// The error of a rule or a step that could not decide. The fault policy of the environment says what happens then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    code: String,
    message: String,
    retry_after: Option<u32>,
}

/// The error of a read outside of the host. The operator `?` turns it into a [`Fault`] with the same code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code, such as `not-granted`.
    pub code: String,
    /// One sentence.
    pub message: String,
}

impl Fault {
    /// Makes a fault. `code` is stable, in lower case with hyphens; `message` is one sentence for the administrator.
    ///
    /// ```
    /// let fault = loadout_sdk::Fault::new("no-desk", "the desk is not in the library");
    /// assert_eq!(fault.to_string(), "no-desk: the desk is not in the library");
    /// ```
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retry_after: None }
    }

    /// Says that a retry may succeed after so many seconds. Only an asynchronous step in changes is asked again.
    ///
    /// ```
    /// let fault = loadout_sdk::Fault::new("no-answer", "the desk is closed").retry_after(600);
    /// assert_eq!(fault.seconds(), Some(600));
    /// ```
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Returns the stable code.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Fault::new("no-desk", "…").code(), "no-desk");
    /// ```
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the sentence.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Fault::new("no-desk", "there is none").message(), "there is none");
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the seconds after which a retry may succeed, if the fault says so.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Fault::new("no-desk", "…").seconds(), None);
    /// ```
    pub fn seconds(&self) -> Option<u32> {
        self.retry_after
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<loadout_workflow::Error> for Fault {
    fn from(error: loadout_workflow::Error) -> Self {
        Self::new("bad-workflow", error.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}
