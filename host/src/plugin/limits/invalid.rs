//! Why the answer of a guest is refused, and how much of a guest's text a message may quote.

const LONGEST_QUOTE: usize = 300;

/// Why a decision is no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The payload is no JSON object.
    #[error("its payload is no JSON object: {0}")]
    Payload(String),
    /// A patch is no JSON object.
    #[error("its patch is no JSON object: {0}")]
    Patch(String),
    /// A code or a kind is not well-formed.
    #[error("its {what} is `{found}`; 1 to 64 of `a` to `z`, `0` to `9` and `-` are expected, a letter first")]
    Code {
        /// Which code.
        what: &'static str,
        /// What it says.
        found: String,
    },
    /// An outcome is none.
    #[error("{0}")]
    Outcome(String),
    /// A text is missing.
    #[error("its {0} is empty")]
    Empty(&'static str),
}

impl Invalid {
    /// The same without what the guest said.
    pub(in crate::plugin) fn public_message(&self) -> String {
        match self {
            Self::Payload(_) => "its payload is no JSON object".to_owned(),
            Self::Patch(_) => "its patch is no JSON object".to_owned(),
            Self::Code { what, .. } => {
                format!("its {what} is not 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first")
            }
            Self::Outcome(_) | Self::Empty(_) => self.to_string(),
        }
    }
}

/// The start of a guest's text, fit to stand in a message.
pub(in crate::plugin) fn quote(text: &str) -> String {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    let mut quoted: String = text.chars().take(LONGEST_QUOTE).map(printable).collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_on_one_line() {
        assert_eq!(quote("a\n\u{1b}b"), "a  b");
        assert_eq!(quote(&"x".repeat(301)).chars().count(), 301);
    }
}
