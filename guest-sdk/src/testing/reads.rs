//! The answers of a fixture to the reads of a rule.

use serde_json::Value;

use super::{Fixture, slug};
use crate::source::{Level, Reads, Rendered};
use crate::{Article, HttpRequest, HttpResponse, Refusal};

impl Fixture {
    fn active(&self, kind: &str, unique_name: &str) -> Option<&Value> {
        self.library.get(kind)?.get(unique_name).filter(|item| is_active(item))
    }
}

fn is_active(item: &Value) -> bool {
    item.get("state").and_then(Value::as_str) != Some("inactive")
}

/// The texts an attribute leads to, through lists and, by dots, through objects.
fn texts<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a str>) {
    match (value, path) {
        (Value::Array(values), _) => values.iter().for_each(|it| texts(it, path, found)),
        (Value::String(text), []) => found.push(text),
        (Value::Object(object), [first, rest @ ..]) => {
            if let Some(value) = object.get(*first) {
                texts(value, rest, found);
            }
        }
        _ => {}
    }
}

impl Reads for Fixture {
    fn get(&self, key: &str) -> Option<String> {
        self.facts.context.get(key).cloned()
    }

    fn has_role(&self, role: &str) -> bool {
        self.facts.roles.contains(role)
    }

    fn has_licence(&self, licence: &str) -> bool {
        self.facts.licences.contains(licence)
    }

    fn channel(&self) -> Option<String> {
        self.facts.channel.clone()
    }

    fn workstream(&self) -> Option<String> {
        self.facts.workstream.clone()
    }

    fn entity(&self) -> Option<String> {
        self.facts.entity.clone()
    }

    fn session_template(&self) -> Option<String> {
        self.facts.session_template.clone()
    }

    fn profile(&self) -> String {
        self.facts.profile.clone()
    }

    fn language(&self) -> u32 {
        self.facts.language
    }

    fn base_language(&self) -> u32 {
        self.facts.base_language
    }

    fn app(&self) -> String {
        self.facts.app.clone()
    }

    fn render(&self, template: &str) -> Rendered {
        slug::render(template, |key| self.facts.context.get(key).map(String::as_str))
    }

    fn item(&self, kind: &str, unique_name: &str) -> Option<String> {
        self.active(kind, unique_name).map(Value::to_string)
    }

    /// The host knows which kind an attribute names; here an active item of any kind will do.
    fn links(&self, kind: &str, unique_name: &str, attribute: &str) -> Vec<String> {
        let path: Vec<&str> = attribute.split('.').collect();
        let mut found = Vec::new();
        if let Some(item) = self.active(kind, unique_name) {
            texts(item, &path, &mut found);
        }
        found.retain(|name| self.library.keys().any(|kind| self.active(kind, name).is_some()));
        found.into_iter().map(str::to_owned).collect()
    }

    fn names(&self, kind: &str) -> Vec<String> {
        let items = self.library.get(kind).into_iter().flatten();
        items.filter(|(_, item)| is_active(item)).map(|(name, _)| name.clone()).collect()
    }

    fn look_up(&self, entity: &str, attribute: &str, options: &str) -> Result<Option<String>, Refusal> {
        self.outside.look_up(entity, attribute, options)
    }

    fn search(&self, source: &str, _: &str, limit: u32) -> Result<Vec<Article>, Refusal> {
        self.outside.search(source, limit)
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        self.outside.send(request)
    }

    fn log(&self, level: Level, message: &str) {
        self.lines.borrow_mut().push((level, message.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn links_follow_lists_and_dots_and_leave_out_what_is_inactive_or_gone() {
        let steps = json!({ "steps": [
            { "action": { "macro": "contoso_b" } }, { "action": { "instruction": "x" } }, { "action": { "macro": "contoso_a" } },
        ] });
        let fixture = Fixture::new()
            .item("scripts", "contoso_greet", steps)
            .item("macros", "contoso_a", json!({}))
            .item("macros", "contoso_b", json!({}))
            .item("macros", "contoso_off", json!({ "state": "inactive" }))
            .item(
                "session-templates",
                "contoso_t",
                json!({ "scripts": ["contoso_gone", "contoso_greet", "contoso_off"] }),
            )
            .item("session-templates", "contoso_off", json!({ "state": "inactive", "scripts": ["contoso_greet"] }));
        let library = fixture.session().library();
        assert_eq!(library.links("scripts", "contoso_greet", "steps.action.macro"), ["contoso_b", "contoso_a"]);
        assert_eq!(library.links("session-templates", "contoso_t", "scripts"), ["contoso_greet"]);
        assert!(library.links("session-templates", "contoso_off", "scripts").is_empty());
        assert!(library.links("session-templates", "contoso_t", "tabs").is_empty());
        assert_eq!(library.names("macros"), ["contoso_a", "contoso_b"]);
        assert_eq!(library.item::<Value>("macros", "contoso_off"), Ok(None));
    }

    #[test]
    fn an_item_that_does_not_fit_is_a_fault_that_names_the_attribute() {
        #[derive(Debug, Deserialize)]
        struct Script {
            #[expect(dead_code, reason = "only read, to see what is refused")]
            language: u32,
        }
        let fixture = Fixture::new().item("scripts", "contoso_greet", json!({ "language": "en" }));
        let fault = fixture.session().library().item::<Script>("scripts", "contoso_greet").unwrap_err();
        assert!(fault.to_string().starts_with("bad-item: `language` of `contoso_greet` in `scripts`: "), "{fault}");
    }
}
