//! How a call breaks: the stable code, and the sentence that callers are told.
//!
//! A sentence for callers has no text of the guest: [`CallError::public_message`] leaves it out. The record of the call
//! has it.

use std::time::Duration;

use super::exceeded::Exceeded;
use super::invalid::Invalid;

/// Seconds after which a call may be made that found no room.
const SOON: u32 = 1;

/// How a call broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// All slots were taken. Not the plugin's fault.
    #[error("no slot for a call became free within {} ms", .0.as_millis())]
    Busy(Duration),
    /// As many calls of the plugin as may wait for a slot. Not the plugin's fault.
    #[error("no more than {0} of its calls may wait for a slot, and so many do")]
    Full(usize),
    /// As many calls are under way as may be that can wait outside. Not the plugin's fault.
    #[error("as many calls that may wait for others outside are made as the host makes at once")]
    Crowded,
    /// Its calls waited outside for longer than they may in so short a time. Not the component's fault.
    #[error("its calls have waited for others outside as long as they may for now: it is asked again in {seconds} s")]
    Waited {
        /// Until it is asked, in seconds.
        seconds: u64,
    },
    /// There was no processor for it. Not the plugin's fault.
    #[error("the machine is too busy: it got no processor for its {} ms", .0.as_millis())]
    Starved(Duration),
    /// The system had no memory, no file or no thread for it. Not the plugin's fault.
    #[error("the machine has too little memory, or too few files it may open, for the call")]
    Short,
    /// Plugins have taken all the time that the answer or change may cost. Not the plugin's fault.
    #[error("all plugins together may take {} ms of processor time for one answer or change, and they have", .0.as_millis())]
    Spent(Duration),
    /// The request was given up. Not the plugin's fault.
    #[error("the request it was asked for was given up")]
    GivenUp,
    /// It is not asked, because it went on breaking.
    #[error("it is suspended, and tried again in {seconds} s: {reason}")]
    Suspended {
        /// Why.
        reason: String,
        /// Until it is tried, in seconds.
        seconds: u64,
    },
    /// The deadline passed.
    #[error("it ran past its deadline of {} ms", .0.as_millis())]
    Timeout(Duration),
    /// A limit was exceeded.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// The guest stopped with an error.
    #[error("it trapped{}: {what}", place.as_ref().map_or_else(String::new, |place| format!(" in `{place}`")))]
    Trapped {
        /// What happened, in the guest's words if it left any.
        what: String,
        /// Whether these are the guest's words.
        is_guest_text: bool,
        /// The function.
        place: Option<String>,
        /// How much it may hand to the host at once, where that was too much.
        at_once: Option<usize>,
    },
    /// The rule answered that it cannot decide.
    #[error("it answered with the fault `{code}`: {message}")]
    Failed {
        /// The rule's own code.
        code: String,
        /// The rule's own sentence.
        message: String,
    },
    /// The decision is none.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl CallError {
    /// Whether it is the component's own fault. That others outside are slow is not.
    pub(in crate::plugin) fn is_its_fault(&self) -> bool {
        let waited = matches!(self, Self::Exceeded(Exceeded::Waiting { .. }));
        !waited && !self.is_want_of_room() && !matches!(self, Self::Suspended { .. })
    }

    /// Whether what was too large follows from the question, such as from a long text in the context: that says little
    /// about the component.
    pub(in crate::plugin) fn is_of_the_question(&self) -> bool {
        match self {
            Self::Exceeded(exceeded) => matches!(
                exceeded,
                Exceeded::Output { .. }
                    | Exceeded::Items { .. }
                    | Exceeded::HandedOver { .. }
                    | Exceeded::Text { .. }
                    | Exceeded::Slugs { .. }
            ),
            Self::Trapped { at_once, .. } => at_once.is_some(),
            _ => false,
        }
    }

    /// Whether the host had no room for the call.
    pub(in crate::plugin) fn is_want_of_room(&self) -> bool {
        matches!(
            self,
            Self::Busy(_)
                | Self::Full(_)
                | Self::Crowded
                | Self::Waited { .. }
                | Self::Starved(_)
                | Self::Spent(_)
                | Self::GivenUp
                | Self::Short
        )
    }

    /// Returns the sentence for callers: in the host's words, with limits, values and the guest's code. A guest's own
    /// text may hold data of any person; only the record of the call has it.
    pub(in crate::plugin) fn public_message(&self) -> String {
        match self {
            Self::Suspended { seconds, .. } => format!("it is suspended, and tried again in {seconds} s"),
            Self::Trapped { is_guest_text: true, .. } => "it trapped: it panicked".to_owned(),
            Self::Trapped { what, .. } => format!("it trapped: {what}"),
            Self::Failed { code, .. } => format!("it answered with the fault `{code}`"),
            Self::Invalid(invalid) => invalid.public_message(),
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Short
            | Self::Waited { .. }
            | Self::Starved(_)
            | Self::Spent(_)
            | Self::GivenUp
            | Self::Timeout(_)
            | Self::Exceeded(_) => self.to_string(),
        }
    }

    /// Seconds after which it may be asked again, if that is known.
    pub(in crate::plugin) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Suspended { seconds, .. } | Self::Waited { seconds } => u32::try_from(*seconds).ok(),
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Starved(_)
            | Self::Short
            | Self::Spent(_)
            | Self::GivenUp => Some(SOON),
            Self::Timeout(_) | Self::Exceeded(_) | Self::Trapped { .. } | Self::Failed { .. } | Self::Invalid(_) => {
                None
            }
        }
    }

    /// The stable code, as listed in `wit/README.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Waited { .. }
            | Self::Starved(_)
            | Self::Spent(_)
            | Self::Short
            | Self::GivenUp => "plugin.busy",
            Self::Suspended { .. } => "plugin.suspended",
            Self::Timeout(_) => "plugin.timeout",
            Self::Exceeded(exceeded) => exceeded.code(),
            Self::Trapped { .. } => "plugin.trapped",
            Self::Failed { .. } => "plugin.failed",
            Self::Invalid(_) => "plugin.invalid-result",
        }
    }
}

/// The answer of a configuration step is no outcome.
pub(in crate::plugin) fn invalid(why: impl Into<String>) -> (CallError, Option<u32>) {
    (Invalid::Outcome(why.into()).into(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_writes_is_not_told_to_callers() {
        let guest = || "Ada's card number".to_owned();
        let trapped =
            |is_guest_text, what| CallError::Trapped { what, is_guest_text, place: Some(guest()), at_once: None };
        let code = Invalid::Code { what: "reason", found: guest() };
        for (error, expected) in [
            (trapped(true, guest()), "it trapped: it panicked"),
            (trapped(false, "it tried to wait".to_owned()), "it trapped: it tried to wait"),
            (
                CallError::Failed { code: "no-luck".to_owned(), message: guest() },
                "it answered with the fault `no-luck`",
            ),
            (CallError::Suspended { reason: guest(), seconds: 5 }, "it is suspended, and tried again in 5 s"),
            (CallError::Timeout(Duration::from_millis(50)), "it ran past its deadline of 50 ms"),
            (Invalid::Payload(guest()).into(), "its payload is no JSON object"),
            (Invalid::Patch(guest()).into(), "its patch is no JSON object"),
            (code.into(), "its reason is not 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first"),
            (Invalid::Empty("text of the reason").into(), "its text of the reason is empty"),
        ] {
            assert_eq!(error.public_message(), expected, "{error:?}");
        }
    }
}
