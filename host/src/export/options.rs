//! The options of an export: the name and the version of the solution, and whether assignments are included.

/// The options of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub(super) name: String,
    pub(super) version: String,
    /// Whether direct assignments are included (ruling 8.16).
    pub with_assignments: bool,
}

/// Why a text is no name or no version of a solution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    /// The text is no unique name of a solution.
    #[error("`{typed}` cannot name a solution: use up to 65 letters, digits and `_`, not beginning with a digit")]
    Name {
        /// The text as it was typed.
        typed: String,
    },
    /// The text is no version.
    #[error("`{typed}` is no version of a solution: write four numbers, such as `1.0.0.0`")]
    Version {
        /// The text as it was typed.
        typed: String,
    },
}

impl Options {
    /// The default unique name of a solution.
    pub const NAME: &str = "loadout_export";
    /// The default version of a solution.
    pub const VERSION: &str = "1.0.0.0";

    /// A solution called `name`, in `version`, without assignments.
    pub fn new(name: &str, version: &str) -> Result<Self, InvalidOption> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || name.len() > 65 || !name.chars().all(is_word) {
            return Err(InvalidOption::Name { typed: name.to_owned() });
        }
        let numbers: Vec<&str> = version.split('.').collect();
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok();
        if numbers.len() != 4 || !numbers.iter().all(is_number) {
            return Err(InvalidOption::Version { typed: version.to_owned() });
        }
        Ok(Self { name: name.to_owned(), version: version.to_owned(), with_assignments: false })
    }

    /// The unique name of the solution.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { name: Self::NAME.to_owned(), version: Self::VERSION.to_owned(), with_assignments: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_checked() {
        assert_eq!(Options::new(Options::NAME, Options::VERSION), Ok(Options::default()));
        for (name, version, expected) in [
            ("1x", "1.0.0.0", "`1x` cannot name a solution"),
            ("", "1.0.0.0", "`` cannot name a solution"),
            ("a b", "1.0.0.0", "`a b` cannot name a solution"),
            ("a", "1.0", "`1.0` is no version of a solution"),
            ("a", "1.0.0.+1", "`1.0.0.+1` is no version of a solution"),
            ("a", "1.0.0.", "`1.0.0.` is no version of a solution"),
        ] {
            let error = Options::new(name, version).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
