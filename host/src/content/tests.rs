use super::*;
use crate::domain::{Item, Problems, SessionTemplate};

fn outcome(document: &str) -> String {
    match Content::parse(document) {
        Ok(content) => {
            let items = content.items.iter().map(|(name, item)| format!("{}/{name}", item.kind().collection()));
            let assignments = content.assignments.iter().map(|(login, profile)| format!("{login}->{profile}"));
            items.chain(assignments).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_named_comes_before_what_names_it() {
    let document = r#"{
        "assignments": { "ada": "contoso_b" },
        "users": { "ada": { "displayName": "Ada" } },
        "default-profile": { "default-profile": { "profile": "contoso_b" } },
        "profiles": { "contoso_b": { "name": "B" }, "contoso_a": { "name": "A" } },
        "security-roles": { "Basic User": { "name": "Basic User" } }
    }"#;
    assert_eq!(
        outcome(document),
        "security-roles/Basic User profiles/contoso_b profiles/contoso_a default-profile/default-profile users/ada \
         ada->contoso_b"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let deep = format!(r#"{{"profiles":{{"contoso_a":{}"#, "[".repeat(100_000));
    for (document, expected) in [
        ("{}", ""),
        (r#"{"colours":1}"#, "unknown key `colours`: use a collection, such as `profiles`, or `assignments`"),
        ("[]", "invalid type: sequence, expected a JSON object"),
        (r#"{"profiles":[]}"#, "profiles: invalid type: sequence, expected a JSON object"),
        (r#"{"profiles":{}} {}"#, "trailing characters"),
        (r#"{"profiles":{"#, "EOF while parsing"),
        (deep.as_str(), "recursion limit exceeded"),
        (
            r#"{"profiles":{"contoso_a":{"name":"A","colour":1}}}"#,
            "profile `contoso_a` is not valid: `colour`: unknown field",
        ),
        (r#"{"profiles":{"contoso_a":{}}}"#, "profile `contoso_a` is not valid: missing field `name`"),
        (r#"{"profiles":{"":{"name":"A"}}}"#, "`` cannot name a profile: it is empty"),
        (r#"{"queues":{"a\u0000":{"name":"A"}}}"#, "cannot name a queue: it contains a control character"),
        (
            r#"{"queues":{"a":{"name":"A"},"b":{"name":"B"},"a":{"name":"A"}}}"#,
            "`a` stands twice under `queues`: keep one",
        ),
        (r#"{"queues":{"a":{"name":"A"}},"queues":{"a":{"name":"A"}}}"#, "`a` stands twice under `queues`: keep one"),
        (r#"{"assignments":{"ada":"x","ada":"y"}}"#, "`ada` stands twice under `assignments`: keep one"),
        (r#"{"assignments":{"ada":["x"]}}"#, "the assignment of `ada` must be the unique name of a profile"),
        (r#"{"assignments":{"ada":" x"}}"#, "` x` cannot name a profile: it begins or ends with a blank"),
        (
            r#"{"environment":{"production":{}}}"#,
            "`production` cannot stand under `environment`: the only name there is `environment`",
        ),
    ] {
        let outcome = outcome(document);
        let shown: String = document.chars().take(80).collect();
        assert!(
            if expected.is_empty() { outcome.is_empty() } else { outcome.contains(expected) },
            "{shown}: {outcome}"
        );
    }
}

#[test]
fn merging_finds_what_stands_in_both() {
    let one = || Content::parse(r#"{"queues":{"a":{"name":"A"}},"assignments":{"ada":"x"}}"#).unwrap();
    let other = Content::parse(r#"{"assignments":{"ada":"y"}}"#).unwrap();
    assert_eq!(one().merge(one()).unwrap_err().to_string(), "`a` stands twice under `queues`: keep one");
    assert_eq!(one().merge(other).unwrap_err().to_string(), "`ada` stands twice under `assignments`: keep one");
}

/// Returns the faults that the author of the content has to mend: broken checks, references to absent items, and ranks
/// of absent profiles.
pub(super) fn complaints(content: &Content) -> Vec<String> {
    let known: BTreeSet<(Kind, Arc<str>)> =
        content.items.iter().map(|(name, item)| (item.kind(), Arc::clone(name))).collect();
    let mut complaints = Vec::new();
    for (name, item) in &content.items {
        let at = format!("{}/{name}", item.kind().collection());
        let mut problems = Problems::default();
        item.check(&mut problems);
        complaints.extend(problems.0.iter().map(|problem| format!("{at}: {problem}")));
        item.clone().references(&mut |reference| {
            if !known.contains(&(reference.kind, Arc::clone(reference.name))) {
                complaints.push(format!("{at}: `{}` names `{}`", reference.attribute, reference.name));
            }
        });
        if item.kind() == Kind::RankAndRoles && !known.contains(&(Kind::Profile, Arc::clone(name))) {
            complaints.push(format!("{at}: there is no such profile"));
        }
    }
    for (login, profile) in &content.assignments {
        if !known.contains(&(Kind::User, Arc::clone(login.shared()))) {
            complaints.push(format!("assignments: there is no user `{login}`"));
        }
        if !known.contains(&(Kind::Profile, Arc::clone(profile.shared()))) {
            complaints.push(format!("assignments: there is no profile `{profile}`"));
        }
    }
    complaints
}

pub(super) fn all<T: Item>(content: &Content) -> impl Iterator<Item = (&str, &T)> {
    content.items.iter().filter_map(|(name, item)| Some((name.as_ref(), T::from_any(item)?)))
}

pub(super) fn find<'a, T: Item>(content: &'a Content, name: &str) -> &'a T {
    all::<T>(content).find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no `{name}`")).1
}

/// Returns the profiles with more than one session template per entity, or with a template without an entity.
pub(super) fn template_complaints(content: &Content) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, profile) in all::<Profile>(content) {
        let mut entities = BTreeSet::new();
        for template in &profile.session_templates {
            let entity = &find::<SessionTemplate>(content, template.as_str()).entity;
            if !entities.insert(entity) || entity.is_none() {
                complaints.push(format!("{name}: `{template}`"));
            }
        }
    }
    complaints
}
