//! JSON text read into types of an author's. What does not fit becomes a fault that names the key.

use serde::de::DeserializeOwned;

use crate::Fault;

/// Reads a text that its author knows as `root`. What does not fit is a fault with this code.
pub(crate) fn read<T: DeserializeOwned>(text: &str, root: &str, code: &str) -> Result<T, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." { root.to_owned() } else { format!("{root}.{path}") };
        // The position is left out: it belongs to the host's own text, which the author has not seen.
        let reason = error.into_inner().to_string();
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
        Fault::new(code, format!("`{at}`: {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::NoSettings;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only read, to see what is refused")]
        record_types: std::collections::BTreeMap<String, Vec<u32>>,
    }

    #[test]
    fn what_does_not_fit_names_the_key() {
        for (settings, expected) in [
            (
                r#"{"recordTypes":{"incident":[1,"x"]}}"#,
                "`settings.recordTypes.incident[1]`: invalid type: string \"x\", expected u32",
            ),
            (r#"{"recordTypes":{},"colour":1}"#, "`settings.colour`: unknown field `colour`, expected `recordTypes`"),
            ("{}", "`settings`: missing field `recordTypes`"),
            ("[", "`settings`: EOF while parsing a list"),
        ] {
            let fault = read::<Settings>(settings, "settings", "bad-settings").unwrap_err();
            assert_eq!((fault.code(), fault.message()), ("bad-settings", expected), "for {settings}");
        }
    }

    #[test]
    fn no_settings_refuse_some() {
        assert_eq!(read("{}", "configuration", "bad-configuration"), Ok(NoSettings {}));
        let fault = read::<NoSettings>(r#"{"a":1}"#, "configuration", "bad-configuration").unwrap_err();
        assert!(fault.to_string().starts_with("bad-configuration: `configuration.a`: unknown field"), "{fault}");
    }
}
