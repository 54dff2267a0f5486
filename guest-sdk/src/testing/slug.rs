//! Slugs as far as tests of rules need them. The host's own grammar also reads queries with slugs nested in them.

use crate::Rendered;

pub(super) fn render<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> Rendered {
    let mut rendered = Rendered::default();
    let mut rest = template;
    while let Some(brace) = rest.find('{') {
        let (before, inner) = (&rest[..brace], &rest[brace + 1..]);
        if !inner.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') {
            rendered.text.push_str(&rest[..=brace]);
            rest = inner;
            continue;
        }
        let end = inner.find(['{', '}', '"']).filter(|&end| inner[end..].starts_with('}'));
        let Some(end) = end else {
            return Rendered { text: template.to_owned(), unresolved: vec![template.to_owned()] };
        };
        let (before, dollar) = before.strip_suffix('$').map_or((before, ""), |before| (before, "$"));
        rendered.text.push_str(before);
        let key = inner[..end].trim();
        let key = key.strip_prefix("$session.").or_else(|| key.strip_prefix("$oc.")).unwrap_or(key);
        match value(key) {
            Some(value) => rendered.text.push_str(value),
            None => {
                let spelt = format!("{dollar}{{{}}}", &inner[..end]);
                if !rendered.unresolved.contains(&spelt) {
                    rendered.unresolved.push(spelt);
                }
            }
        }
        rest = &inner[end + 1..];
    }
    rendered.text.push_str(rest);
    rendered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_mean_what_they_mean_in_the_host() {
        for (template, expected) in [
            ("Call from {name}", "Call from Ada []"),
            ("${name} and ${$session.name} and ${$oc.name}", "Ada and Ada and Ada []"),
            ("{nobody} {nobody} ${nobody}", r#"   ["{nobody}", "${nobody}"]"#),
            (r#"[{"id": "${name}", "x": { }}]"#, r#"[{"id": "Ada", "x": { }}] []"#),
            ("costs $5 {", "costs $5 { []"),
            ("Call from {name", r#"Call from {name ["Call from {name"]"#),
            ("", " []"),
        ] {
            let rendered = render(template, |key| (key == "name").then_some("Ada"));
            assert_eq!(format!("{} {:?}", rendered.text, rendered.unresolved), expected, "for {template:?}");
        }
    }
}
