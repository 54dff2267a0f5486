//! Makes paths in the archive that every file system takes.
//!
//! A name that cannot be a file name is respelt and gets a part of its digest, so that no two names share a path. Names
//! that differ only in case get different paths, too.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::domain::hex::hexadecimal;

/// The longest name that is used as it is, in bytes. Most file systems allow up to 255.
const PART_MAX: usize = 140;
/// Names that one widespread system reserves, with any extension.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul"];

/// The paths that are in use.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeSet<String>);

impl Paths {
    /// Takes the path `<folder>/<name><rest>`, with the name respelt if necessary.
    pub(super) fn take(&mut self, folder: &str, name: &str, rest: &str) -> String {
        let plain = format!("{folder}/{name}{rest}");
        if is_plain(name) && self.0.insert(plain.to_lowercase()) {
            return plain;
        }
        let stem: String = name.chars().map(|c| if is_harmless(c) { c } else { '_' }).take(32).collect();
        let path = format!("{folder}/{}~{}{rest}", stem.trim_matches(['.', ' ']), digest(name));
        self.0.insert(path.to_lowercase());
        path
    }
}

/// The first six bytes of the SHA-256 of a name, in hexadecimal.
fn digest(name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(name).into();
    hexadecimal(&digest[..6])
}

/// Whether a name can be a part of a path as it is.
pub(super) fn is_plain(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    (1..=PART_MAX).contains(&name.len())
        && name.chars().all(is_harmless)
        && !name.starts_with(['.', ' '])
        && !name.ends_with(['.', ' '])
        && !RESERVED.contains(&stem.as_str())
}

fn is_harmless(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '(' | ')' | '@' | '+' | ',' | '=' | '\'' | '!')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_file_names_are_respelt_and_never_meet() {
        let mut paths = Paths::default();
        let mut take = |name: &str| paths.take("t", name, "/r.xml");
        assert_eq!(take("contoso_Größe 1"), "t/contoso_Größe 1/r.xml");
        assert_eq!(take("contoso_GRÖSSE 1"), "t/contoso_GRÖSSE 1/r.xml");
        assert!(take("contoso_größe 1").starts_with("t/contoso_größe 1~"));
        assert!(take("../../etc/passwd").starts_with("t/_.._etc_passwd~"));
        let (slash, colon) = (take("a/b"), take("a:b"));
        assert!(slash.starts_with("t/a_b~") && colon.starts_with("t/a_b~") && slash != colon);
        assert!(take("nul.x").starts_with("t/nul.x~"));
        assert!(take(&"ä".repeat(128)).len() < 100);
    }
}
