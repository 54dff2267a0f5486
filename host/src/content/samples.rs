//! The sample environments. They refer to the shipped content and need it.

use super::Content;

/// The names of the samples.
pub const SAMPLES: &[&str] = &["contoso"];

const CONTOSO: &[(&str, &str)] = &[
    ("contoso/library.json", include_str!("samples/contoso/library.json")),
    ("contoso/macros.json", include_str!("samples/contoso/macros.json")),
    ("contoso/scripts.json", include_str!("samples/contoso/scripts.json")),
    ("contoso/sessions.json", include_str!("samples/contoso/sessions.json")),
    ("contoso/notifications.json", include_str!("samples/contoso/notifications.json")),
    ("contoso/routing.json", include_str!("samples/contoso/routing.json")),
    ("contoso/profiles.json", include_str!("samples/contoso/profiles.json")),
    ("contoso/people.json", include_str!("samples/contoso/people.json")),
];

/// Returns the sample called `name`, without the shipped content that it needs.
pub fn sample(name: &str) -> Option<Content> {
    match name {
        "contoso" => Some(Content::embedded(CONTOSO)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::shipped;
    use super::super::tests::{all, complaints, find, template_complaints};
    use super::*;
    use crate::domain::name::check_authored_name;
    use crate::domain::{App, DefaultProfile, Item, Profile, RankAndRoles, SessionTemplate, User};

    fn contoso() -> Content {
        shipped().merge(sample("contoso").unwrap()).unwrap()
    }

    #[test]
    fn every_sample_is_whole_and_authored_by_the_rules() {
        for name in SAMPLES {
            let sample = sample(name).unwrap();
            for (name, item) in &sample.items {
                check_authored_name(item.kind(), name).unwrap();
            }
            let content = shipped().merge(sample).unwrap();
            assert_eq!(complaints(&content), Vec::<String>::new());
            assert_eq!(template_complaints(&content), Vec::<String>::new());
            let mut ranks: Vec<_> = all::<RankAndRoles>(&content).filter_map(|(_, mapping)| mapping.rank).collect();
            let count = ranks.len();
            ranks.sort_unstable();
            ranks.dedup();
            assert_eq!(ranks.len(), count, "a rank is taken twice");
            assert!(all::<DefaultProfile>(&content).next().is_some(), "a custom default is set");
        }
        assert!(sample("fabrikam").is_none());
    }

    /// Chooses a profile as rulings 8.1, 8.4 and 8.21 say, in a short form that suffices for this data.
    fn chosen(content: &Content, login: &str, app: &str) -> (String, &'static str) {
        let user: &User = find(content, login);
        let serves = |profile: &str| {
            let found: &Profile = find(content, profile);
            found.is_active() && (found.apps.is_empty() || found.apps.iter().any(|it| it.as_str() == app))
        };
        let direct = content.assignments.iter().find(|(of, profile)| of.as_str() == login && serves(profile.as_str()));
        let mapped = all::<RankAndRoles>(content)
            .filter(|(profile, mapping)| serves(profile) && !mapping.roles.is_disjoint(&user.roles))
            .min_by_key(|(profile, mapping)| (mapping.rank.unwrap_or(u8::MAX), *profile));
        let default = all::<DefaultProfile>(content).find(|(_, default)| serves(default.profile.as_str()));
        match (direct, mapped, default) {
            (Some((_, profile)), _, _) => (profile.to_string(), "direct"),
            (None, Some((profile, _)), _) => (profile.to_owned(), "role-based"),
            (None, None, Some((_, default))) => (default.profile.to_string(), "default"),
            (None, None, None) => {
                let rules = &find::<App>(content, app).out_of_the_box;
                (rules.last().unwrap().profile.to_string(), "out-of-the-box")
            }
        }
    }

    #[test]
    fn the_people_of_contoso_get_what_their_table_says() {
        let content = contoso();
        let mut described = BTreeSet::new();
        for row in include_str!("samples/contoso/README.md").lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let [_, login, app, profile, method, why, _] = cells[..] else { panic!("not a row of five: {row}") };
            assert_eq!(chosen(&content, login, app), (profile.to_owned(), method), "{login} in {app}: {why}");
            described.insert(login.to_owned());
        }
        let people: BTreeSet<_> = all::<User>(&content).map(|(login, _)| login.to_owned()).collect();
        assert_eq!(described, people);
    }

    #[test]
    fn the_expressions_of_contoso_choose() {
        let content = contoso();
        for (template, key, value, expected) in [
            ("contoso_case", "${anchor.prioritycode}", "1", "contoso_vip"),
            ("contoso_case", "${anchor.prioritycode}", "2", "contoso_greet"),
            ("contoso_chat", "${customerTier}", "gold", "contoso_vip"),
            ("contoso_chat", "${visitorLanguage}", "fr", "contoso_greet_fr"),
            ("contoso_chat", "${visitorLanguage}", "en", "contoso_greet"),
            ("contoso_voice", "${customerName}", "Ada Lovelace", "contoso_vip"),
            ("contoso_voice", "${customerName}", "Bob", "contoso_voice"),
        ] {
            let default = find::<SessionTemplate>(&content, template).default_script.as_ref().unwrap();
            let resolve = |text: &str| if text == key { value.to_owned() } else { text.to_owned() };
            let script = default.expression.workflow().unwrap().default_script(&resolve).unwrap();
            assert_eq!(script.as_deref(), Some(expected), "{template} with {key} = {value}");
        }
    }
}
