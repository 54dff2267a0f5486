//! JSON with slugs: a value stays one JSON value, whatever characters it has.

use super::slug::{Syntax, Template, Unfit};

/// The state of a JSON document while it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonText {
    is_quoted: bool,
    is_escaped: bool,
}

impl JsonText {
    /// Tells whether a text is a JSON document once its slugs have values.
    pub fn is(template: &Template) -> bool {
        let is_nested = template.beginning().trim_start().starts_with(['{', '[']);
        let probe = is_nested.then(|| template.probe("x", &mut Self::default()).ok()).flatten();
        probe.is_some_and(|probe| serde_json::from_str::<serde::de::IgnoredAny>(&probe).is_ok())
    }
}

impl Syntax for JsonText {
    fn fixed(&mut self, text: &str) -> Result<(), Unfit> {
        for c in text.chars() {
            match c {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' if self.is_quoted => self.is_escaped = true,
                '"' => self.is_quoted = !self.is_quoted,
                _ => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, slug: &str, value: String) -> Result<String, Unfit> {
        if self.is_escaped {
            return Err(Unfit {
                slug: slug.to_owned(),
                why: "stands behind a backslash, which would become a part of it",
            });
        }
        let string = serde_json::Value::from(value.as_str()).to_string();
        let is_scalar = || {
            serde_json::from_str::<serde_json::Number>(&value).is_ok() || matches!(&*value, "true" | "false" | "null")
        };
        Ok(match self.is_quoted {
            true => string[1..string.len() - 1].to_owned(),
            false if is_scalar() => value,
            false => string,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(template: &str, value: &str) -> String {
        let template = Template::parse(template).unwrap();
        if !JsonText::is(&template) {
            return "no JSON".to_owned();
        }
        let mut values = |_: &str| Some(value.to_owned());
        template.render_as(&mut values, &mut JsonText::default()).unwrap().text
    }

    #[test]
    fn a_value_in_json_stays_one_value() {
        for (template, value, expected) in [
            (r#"{"title": "About {x}"}"#, "Ada", r#"{"title": "About Ada"}"#),
            (r#"{"title": "{x}"}"#, r#"a", "owner": "b"#, r#"{"title": "a\", \"owner\": \"b"}"#),
            (r#"{"title": "\"{x}\\"}"#, "\\\n", r#"{"title": "\"\\\n\\"}"#),
            (r#"[{"id": "{x}"}]"#, "7", r#"[{"id": "7"}]"#),
            (r#"{"count": {x}}"#, "7", r#"{"count": 7}"#),
            (r#"{"count": {x}}"#, r#"7, "a": 1"#, r#"{"count": "7, \"a\": 1"}"#),
            (r#"{"title": "\{x}"}"#, "n", "no JSON"),
            (r#"{'title': '{x}'}"#, "n", "no JSON"),
            ("About {x}", "n", "no JSON"),
            ("{x}", "n", "no JSON"),
        ] {
            assert_eq!(written(template, value), expected, "{template} with {value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_strangers_write_the_document_has_its_keys(value in ".*") {
            let json: serde_json::Value =
                serde_json::from_str(&written(r#"{"a": "<{x}>", "b": ["{x}"]}"#, &value)).unwrap();
            proptest::prop_assert_eq!(json, serde_json::json!({"a": format!("<{value}>"), "b": [value]}));
        }
    }
}
