//! How much a manifest may be as TOML, before anything in it has a meaning.
//!
//! Refuses what is nested too deeply and what has too many values. The reader itself goes no deeper than 80 levels of
//! brackets and 80 of dots.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ManifestError, one_line};

/// Most levels of tables and lists in each other.
const NESTING: usize = 16;

/// Most keys and members of lists.
const VALUES: usize = 2_000;

/// Longest key, in bytes.
const KEY_BYTES: usize = 128;

/// The text as a table, if it is not more than a manifest may be.
pub(super) fn table(text: &str) -> Result<Spanned<DeTable<'_>>, ManifestError> {
    let table = DeTable::parse(text).map_err(|error| ManifestError::Toml(one_line(&error)))?;
    within(table.get_ref(), 1, &mut 0)?;
    Ok(table)
}

fn within(table: &DeTable<'_>, depth: usize, values: &mut usize) -> Result<(), ManifestError> {
    if let Some(key) = table.keys().find(|key| key.get_ref().len() > KEY_BYTES) {
        return Err(beyond(&format!("a key of {} bytes; at most {KEY_BYTES} are allowed", key.get_ref().len())));
    }
    table.values().try_for_each(|value| value_within(value.get_ref(), depth, values))
}

fn value_within(value: &DeValue<'_>, depth: usize, values: &mut usize) -> Result<(), ManifestError> {
    *values += 1;
    if *values > VALUES {
        return Err(beyond(&format!("more than {VALUES} values, which are the most")));
    }
    if depth > NESTING {
        return Err(beyond(&format!("more than {NESTING} levels of tables in each other, which are the most")));
    }
    match value {
        DeValue::Table(table) => within(table, depth + 1, values),
        DeValue::Array(list) => list.iter().try_for_each(|value| value_within(value.get_ref(), depth + 1, values)),
        _ => Ok(()),
    }
}

fn beyond(what: &str) -> ManifestError {
    ManifestError::Toml(format!("it has {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::plugin::Manifest;
    use crate::plugin::limits::weight::Weight;

    fn refusal(text: &str) -> String {
        let refused = Manifest::parse(text).unwrap_err().to_string();
        let identified = Manifest::identity(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(refused, identified, "the same is said before trust is asked for");
        refused
    }

    #[test]
    fn what_is_more_than_a_manifest_may_be_is_refused_however_it_is_written() {
        for (what, text, expected) in [
            ("lists", format!("a = {}{}", "[".repeat(30_000), "]".repeat(30_000)), "recurse"),
            ("lists within what is read", format!("a = {}{}", "[".repeat(20), "]".repeat(20)), "more than 16 levels"),
            ("inline tables", format!("a = {}1{}", "{a = ".repeat(9_000), "}".repeat(9_000)), "recurse"),
            ("dots in a key", format!("{}a = 1", "a.".repeat(30_000)), "recursion limit"),
            ("dots within what is read", format!("{}a = 1", "a.".repeat(70)), "more than 16 levels"),
            ("dots in a header", format!("[{}a]", "a.".repeat(30_000)), "recursion limit"),
            ("dots in header and key", format!("[{0}a]\n{0}a = 1", "a.".repeat(70)), "more than 16 levels"),
            ("keys", (0..6_000).map(|at| format!("a{at}=1\n")).collect(), "more than 2000 values"),
            ("members", format!("a = [{}]", "1,".repeat(30_000)), "more than 2000 values"),
            ("tables", "[[a]]\n".repeat(10_000), "more than 2000 values"),
            ("a long key", format!("{} = 1", "a".repeat(60_000)), "a key of 60000 bytes"),
        ] {
            let refused = refusal(&text);
            assert!(refused.contains(expected), "{what}: {refused}");
            assert!(refused.len() < 700, "{what}: a sentence stays one");
        }
    }

    /// Pieces of manifests and of what TOML is made of.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("[plugin]\npublisher = \"a\"\nname = \"b\"\nversion = \"1.0.0\"\n".to_owned()),
            Just("world = \"loadout:plugin/tool@0.1.0\"\ndescription = \"x\"\n".to_owned()),
            Just("[tool]\nkinds = [\"scripts\"]\n".to_owned()),
            Just("[[steps]]\nname = \"a\"\nmessage = \"macro.delete\"\nstage = 20\nrank = 0\n".to_owned()),
            Just("[settings]\nschema = '''{}'''\n".to_owned()),
            Just("[limits]\n".to_owned()),
            Just("[capabilities]\n".to_owned()),
            "[a-z]{1,8} = (\"[ -~]{0,8}\"|[0-9]{1,20}|\\[\\]|\\{\\}|true|1979-05-27)\n",
            "[\\[\\]{}.,='\"a\n#]{0,40}",
            ".{0,40}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn a_manifest_is_read_or_refused_and_says_who_it_is_of(pieces in proptest::collection::vec(piece(), 0..8)) {
            let text = pieces.concat();
            let identity = Manifest::identity(&text);
            for weight in [Weight::Light, Weight::Heavy] {
                let Ok(manifest) = Manifest::parse_for(&text, weight) else { continue };
                let identity = identity.as_ref().unwrap();
                prop_assert_eq!((&manifest.publisher, &manifest.name), (&identity.publisher, &identity.name));
                prop_assert_eq!(manifest.version, identity.version);
            }
        }
    }
}
