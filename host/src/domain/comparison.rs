//! The differences of two versions of a plugin over the same calls, by profile, tool and field.
//!
//! Counts differences and keeps a few examples. The caller says which differences are expected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Expected;

/// Most people named as an example of one difference.
pub const EXAMPLES_MAX: usize = 5;

/// Most fields that are told apart.
const FIELDS_MAX: usize = 1_000;

/// The name that stands for all fields beyond those.
const OTHERS: &str = "*";

/// Longest text of an example, in characters.
const EXAMPLE_LONGEST: usize = 300;

/// One field in which two versions differ, for people of one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VersionDifference)]
pub struct Difference {
    /// The profile.
    pub profile: String,
    /// The tool kind.
    pub tool: String,
    /// The field of the decision, as a path such as `payload.available`; `payload.*` for a caller that may not see
    /// recordings, and `*` for all fields beyond a thousand. `status` means that one version shows the tool and the
    /// other does not.
    pub field: String,
    /// The number of calls that differ in it.
    pub count: u64,
    /// Logins of some of the people whose experience was asked, at most five.
    pub users: Vec<String>,
    /// The value of the field in one of the calls, with the active version. A long value is cut.
    #[schema(value_type = serde_json::Value)]
    pub before: Value,
    /// The value of the field in that call with the other version.
    #[schema(value_type = serde_json::Value)]
    pub after: Value,
    /// Whether the difference is expected.
    pub expected: bool,
}

/// A field in which two answers differ.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The field, as a path.
    pub field: String,
    /// The value in the one answer; nothing if the field is absent.
    pub before: Option<Value>,
    /// The value in the other answer.
    pub after: Option<Value>,
}

/// Differences, counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences(BTreeMap<(String, String, String), Difference>);

impl Differences {
    /// Counts the fields in which two answers to the same question differ.
    pub fn add(&mut self, profile: &str, tool: &str, users: &[String], fields: &[FieldDifference], calls: u64) {
        for FieldDifference { field, before, after } in fields {
            let key = (profile.to_owned(), tool.to_owned(), field.clone());
            let is_new = self.0.len() >= FIELDS_MAX && !self.0.contains_key(&key);
            let field = if is_new { OTHERS } else { field };
            let key = (key.0, key.1, field.to_owned());
            let known = self.0.entry(key).or_insert_with(|| Difference {
                profile: profile.to_owned(),
                tool: tool.to_owned(),
                field: field.to_owned(),
                count: 0,
                users: Vec::new(),
                before: shortened(before.as_ref()),
                after: shortened(after.as_ref()),
                expected: false,
            });
            known.count += calls;
            known.name(users);
        }
    }

    /// Adds a difference that was counted elsewhere.
    pub fn merge(&mut self, difference: Difference) {
        let Difference { profile, tool, field, .. } = &difference;
        match self.0.entry((profile.clone(), tool.clone(), field.clone())) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(difference);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += difference.count;
                known.expected &= difference.expected;
                known.name(&difference.users);
            }
        }
    }

    /// Returns the differences without people, values and names of fields, for a caller that may not see recordings:
    /// the name of a field may quote a recorded value.
    pub fn without_examples(list: Vec<Difference>) -> Vec<Difference> {
        let mut found = Self::default();
        for difference in list {
            let field =
                difference.field.split_once('.').map_or(difference.field.clone(), |(head, _)| format!("{head}.*"));
            let (users, before, after) = (Vec::new(), Value::Null, Value::Null);
            found.merge(Difference { field, users, before, after, ..difference });
        }
        found.0.into_values().collect()
    }

    /// Returns all differences by profile, tool and field, with those that `expected` covers marked.
    pub fn into_list(self, expected: &[Expected]) -> Vec<Difference> {
        let mut list: Vec<Difference> = self.0.into_values().collect();
        for it in &mut list {
            it.expected = expected.iter().any(|meant| meant.covers(&it.profile, &it.tool, &it.field));
        }
        list
    }
}

impl Difference {
    fn name(&mut self, users: &[String]) {
        for user in users {
            if self.users.len() < EXAMPLES_MAX && !self.users.contains(user) {
                self.users.push(user.clone());
            }
        }
    }
}

fn shortened(value: Option<&Value>) -> Value {
    let Some(value) = value else { return Value::Null };
    let text = value.to_string();
    match text.char_indices().nth(EXAMPLE_LONGEST) {
        None => value.clone(),
        Some((end, _)) => Value::String(format!("{}… ({} bytes)", &text[..end], text.len())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(field: &str) -> FieldDifference {
        FieldDifference { field: field.to_owned(), before: Some(json!(1)), after: None }
    }

    #[test]
    fn differences_are_counted_by_profile_tool_and_field_with_a_few_people() {
        let mut found = Differences::default();
        for number in 0..20 {
            found.add("rep", "macros", &[format!("agent-{}", number / 2)], &[field("payload.a"), field("items")], 2);
        }
        found.add("lead", "macros", &[], &[field("items")], 1);
        let mut twice = found.clone();
        for difference in found.clone().into_list(&[]) {
            twice.merge(difference);
        }
        let meant = Expected { field: Some("items".to_owned()), ..Expected::default() };
        let show = |differences: Differences| -> Vec<String> {
            let list = differences.into_list(std::slice::from_ref(&meant));
            list.iter()
                .map(|it| format!("{} {} {} {} {}", it.profile, it.field, it.count, it.users.len(), it.expected))
                .collect()
        };
        assert_eq!(show(found), ["lead items 1 0 true", "rep items 40 5 true", "rep payload.a 40 5 false"]);
        assert_eq!(show(twice), ["lead items 2 0 true", "rep items 80 5 true", "rep payload.a 80 5 false"]);
    }

    #[test]
    fn a_long_value_is_cut() {
        let mut found = Differences::default();
        let long = FieldDifference { before: Some(json!("x".repeat(1_000))), ..field("payload") };
        found.add("rep", "macros", &[], &[long], 1);
        assert!(found.into_list(&[])[0].before.as_str().unwrap().ends_with("… (1002 bytes)"));
    }

    #[test]
    fn a_caller_who_may_not_see_recordings_sees_no_name_of_a_field() {
        let mut found = Differences::default();
        found.add(
            "rep",
            "macros",
            &["ada".to_owned()],
            &[field("payload.Ada"), field("payload.b.c"), field("status")],
            1,
        );
        let told = Differences::without_examples(found.clone().into_list(&[]));
        let told: Vec<_> = told.iter().map(|it| (it.field.as_str(), it.count, it.users.len(), &it.before)).collect();
        assert_eq!(told, [("payload.*", 2, 0, &Value::Null), ("status", 1, 0, &Value::Null)]);
        let names: Vec<String> = (0..FIELDS_MAX + 5).map(|number| format!("payload.{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| field(name)).collect();
        found.add("lead", "macros", &[], &many, 1);
        let list = found.into_list(&[]);
        assert_eq!(list.len(), FIELDS_MAX + 1);
        assert_eq!(list.iter().find(|it| it.field == OTHERS).map(|it| it.count), Some(8));
    }
}
