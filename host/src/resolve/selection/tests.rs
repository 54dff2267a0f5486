//! The table of cases: one line of configuration, one person, one answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::experience::ExplainLevel;
use crate::domain::{AnyItem, DefaultProfile, Revision, User};
use crate::store::Entry;

use super::*;

/// Reads `name key=value …` lines. A profile line may have `rank=1`, `roles=a+b`, `apps=x+y`, `default`, `inactive` and
/// `shipped`.
fn library(lines: &str) -> Snapshot {
    let mut items: Vec<(Arc<str>, AnyItem, Layer)> = Vec::new();
    let mut add = |kind, name: &str, json: Value, layer| {
        items.push((name.into(), AnyItem::parse(kind, name, json).unwrap(), layer));
    };
    for app in ["workspace", App::BASE] {
        let rules = json!([
            {"profile": "oob_channels", "roles": ["agent"], "licences": ["chat"]},
            {"profile": "oob_plain"},
        ]);
        let own = if app == App::BASE { rules } else { json!([]) };
        add(Kind::App, app, json!({"name": app, "outOfTheBox": own}), Layer::OutOfTheBox);
    }
    for name in ["oob_channels", "oob_plain"] {
        add(Kind::Profile, name, json!({"name": name, "apps": [App::BASE]}), Layer::OutOfTheBox);
    }
    for line in lines.split('|').map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let (mut profile, mut mapping) = (json!({"name": name}), json!({}));
        let list = |value: &str| json!(value.split('+').collect::<Vec<_>>());
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("rank", rank) => mapping["rank"] = json!(rank.parse::<u8>().unwrap()),
                ("roles", roles) => mapping["roles"] = list(roles),
                ("apps", apps) => profile["apps"] = list(apps),
                ("inactive", _) => profile["state"] = json!("inactive"),
                ("default", _) => {
                    add(Kind::DefaultProfile, DefaultProfile::NAME, json!({"profile": name}), Layer::Custom);
                }
                other => panic!("unknown word {other:?}"),
            }
        }
        add(Kind::Profile, name, profile, Layer::Custom);
        if mapping != json!({}) {
            add(Kind::RankAndRoles, name, mapping, Layer::Custom);
        }
    }
    let entries = items.into_iter().map(|(name, item, layer)| (name, Entry::new(item, Revision(1), layer)));
    Snapshot::new(Revision(1), entries)
}

/// Reads `direct=p+q roles=a+b licences=x`.
fn person(words: &str) -> Subject {
    let mut user = json!({"displayName": "Ada"});
    let mut direct = Vec::new();
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap();
        match key {
            "direct" => direct = value.split('+').map(|name| name.parse().unwrap()).collect(),
            _ => user[key] = json!(value.split('+').collect::<Vec<_>>()),
        }
    }
    let user: User = serde_json::from_value(user).unwrap();
    Subject { login: None, user, direct, hypothetical_profile: None }
}

fn choose(library: &Snapshot, person: &Subject, app: &str) -> (Result<Selection, Error>, Account<'static>) {
    let mut account = Account::new(ExplainLevel::Full, Arc::default());
    let roles = super::super::gates::expand(library, &person.user.roles);
    (select(library, person, &roles, &app.parse().unwrap(), &mut account), account)
}

fn chosen(lines: &str, who: &str) -> String {
    chosen_in(lines, who, "workspace")
}

fn chosen_in(lines: &str, who: &str, app: &str) -> String {
    let (selection, account) = choose(&library(lines), &person(who), app);
    let (warnings, _) = account.into_parts();
    let warned: String = warnings.iter().map(|warning| format!(" !{}", warning.code)).collect();
    match selection {
        Ok(Selection { profile, assignment: Assignment { method, role, rank } }) => {
            let role = role.map(|role| format!(" by {role}")).unwrap_or_default();
            let rank = rank.map(|rank| format!(" at {rank}")).unwrap_or_default();
            format!("{profile} {}{role}{rank}{warned}", json!(method).as_str().unwrap())
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_most_specific_profile_is_in_force() {
    for (lines, who, expected) in [
        // Without any claim, the app's own profile is in force.
        ("", "", "oob_plain out-of-the-box"),
        ("", "roles=agent", "oob_plain out-of-the-box"),
        ("", "roles=agent licences=chat", "oob_channels out-of-the-box"),
        // Custom default, role, direct: each beats what comes before.
        ("std default", "", "std default"),
        ("std default | rep rank=1 roles=csr", "roles=csr", "rep role-based by csr at 1"),
        ("std default | rep rank=1 roles=csr | own", "roles=csr direct=own", "own direct"),
        ("std default | own", "direct=own", "own direct"),
        // A default does not reach people with a mapped role, and does reach the others.
        ("std default | rep rank=1 roles=csr", "roles=other", "std default"),
        // Ranks: the smaller wins, none comes last, equal ones go by name and are a conflict.
        ("one rank=1 roles=a | two rank=2 roles=b", "roles=a+b", "one role-based by a at 1"),
        ("one rank=7 roles=a | two rank=0 roles=b", "roles=a+b", "two role-based by b at 0"),
        ("aaa roles=a | bbb rank=100 roles=b", "roles=a+b", "bbb role-based by b at 100"),
        ("bbb rank=3 roles=b | aaa rank=3 roles=a", "roles=a+b", "aaa role-based by a at 3 !equal-ranks"),
        ("one rank=1 roles=a+b", "roles=b+a", "one role-based by a at 1"),
        // Several direct ones exist only in data from elsewhere.
        ("aaa rank=2 roles=x | bbb rank=1 roles=y", "direct=aaa+bbb", "bbb direct !several-direct-assignments"),
        ("aaa | bbb", "direct=bbb+aaa", "aaa direct !several-direct-assignments"),
        // Inactive and foreign ones are skipped, and the next step is tried.
        ("own inactive | rep rank=1 roles=csr", "direct=own roles=csr", "rep role-based by csr at 1"),
        ("own apps=omnichannel | std default", "direct=own", "std default"),
        ("one rank=1 roles=a apps=omnichannel | two rank=2 roles=a", "roles=a", "two role-based by a at 2"),
        ("own apps=workspace+omnichannel", "direct=own", "own direct"),
        ("std default inactive", "", "oob_plain out-of-the-box"),
        // The mapping of the default is dormant.
        ("std default rank=1 roles=a | two rank=2 roles=a", "roles=a", "two role-based by a at 2"),
        ("std default rank=1 roles=a", "roles=a", "std default"),
        // An out-of-the-box profile can be assigned, too.
        ("std default", "direct=oob_channels", "std default"),
    ] {
        assert_eq!(chosen(lines, who), expected, "for {lines:?} and {who:?}");
    }
    assert_eq!(chosen_in("std default", "direct=oob_channels", App::BASE), "oob_channels direct");
}

/// The published examples of assignment: what each person in them gets (domain 3.2).
#[test]
fn the_published_examples_hold() {
    let contoso = "contoso_all default | datum_sa rank=2 roles=manager | contoso_one rank=1 roles=rep | contoso_two";
    for (who, expected) in [
        ("", "contoso_all default"),
        ("roles=rep", "contoso_one role-based by rep at 1"),
        ("roles=manager", "datum_sa role-based by manager at 2"),
        ("roles=rep+manager", "contoso_one role-based by rep at 1"),
        ("roles=rep direct=datum_sa", "datum_sa direct"),
        ("direct=contoso_two", "contoso_two direct"),
    ] {
        assert_eq!(chosen(contoso, who), expected, "for {who:?}");
    }
    assert_eq!(chosen("contoso_two", "roles=rep"), "oob_plain out-of-the-box", "neither default nor mapping");
}

#[test]
fn every_loser_has_a_reason() {
    let lines = "own | rep rank=1 roles=csr | late rank=9 roles=csr | off inactive | far apps=omnichannel rank=2 roles=csr \
                 | std default | nobody rank=3 roles=other | loose";
    let (_, account) = choose(&library(lines), &person("roles=csr direct=own"), "workspace");
    let (_, explain) = account.into_parts();
    let told: Vec<String> =
        explain[0].under.iter().map(|line| format!("{}: {}", line.subject.as_deref().unwrap(), line.because)).collect();
    insta::assert_snapshot!(format!("{}\n{}", explain[0].because, told.join("\n")), @"
    the person is assigned to it directly
    rep: a role is mapped to it, but the direct assignment to `own` goes first
    far: it is not for app `workspace`
    late: a role is mapped to it, but the direct assignment to `own` goes first
    std: it is the custom default, but `own` is more specific
    oob_plain: it shipped with the app, but `own` is more specific
    loose: the person is not assigned to it, no role is mapped to it, and it is not the default
    nobody: the person is not assigned to it and holds none of its roles: `other`
    off: it is inactive
    oob_channels: the person is not assigned to it, and it is not the one that ships for this app and person
    ");
}

fn any_claim() -> impl Strategy<Value = Claim> {
    let method = prop_oneof![
        Just(AssignmentMethod::Direct),
        Just(AssignmentMethod::RoleBased),
        Just(AssignmentMethod::Default),
        Just(AssignmentMethod::OutOfTheBox),
    ];
    (method, prop_oneof![0u8..4, Just(UNRANKED)], "[a-d]{1,2}").prop_map(|(method, rank, name)| Claim {
        method,
        rank,
        profile: name.parse().unwrap(),
        role: None,
    })
}

proptest! {
    #[test]
    fn precedence_is_a_total_order(a in any_claim(), b in any_claim(), c in any_claim()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq(), "only equal claims tie");
        prop_assert!(!(a <= b && b <= c) || a <= c, "transitive");
    }

    #[test]
    fn the_order_of_assignments_does_not_matter(names in proptest::sample::subsequence(vec!["aaa", "bbb", "ccc", "ddd"], 0..=4).prop_shuffle()) {
        let library = library("aaa rank=3 | bbb | ccc rank=1 | ddd rank=3 | std default");
        let direct = |names: &[&str]| Subject { direct: names.iter().map(|name| name.parse().unwrap()).collect(), ..person("") };
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let (one, two) = (choose(&library, &direct(&names), "workspace").0, choose(&library, &direct(&sorted), "workspace").0);
        prop_assert_eq!(one.unwrap(), two.unwrap());
    }
}

#[test]
fn of_many_profiles_for_one_role_each_is_explained_once_and_only_if_that_is_asked_for() {
    let lines: Vec<String> = (0..3_000).map(|at| format!("p{at:04} roles=agent")).collect();
    let (library, person) = (library(&lines.join(" | ")), person("roles=agent"));
    let app = "workspace".parse().unwrap();
    let roles = super::super::gates::expand(&library, &person.user.roles);
    let explained = |level| {
        let mut account = Account::new(level, Arc::default());
        let chosen = select(&library, &person, &roles, &app, &mut account).unwrap();
        assert_eq!(chosen.profile.as_str(), "p0000");
        account.into_parts().1
    };
    assert_eq!((explained(ExplainLevel::None).len(), explained(ExplainLevel::Reasons)[0].under.len()), (0, 0));
    let full = explained(ExplainLevel::Full);
    let named: BTreeSet<_> = full[0].under.iter().map(|line| line.subject.clone()).collect();
    assert_eq!(
        (full.len(), full[0].under.len(), named.len()),
        (1, library.all::<Profile>().count() - 1, full[0].under.len())
    );
}
