//! Whatever way a list of people is found, the answer is that of the plain filter and the plain order over all people.

use std::sync::LazyLock;

use axum::body::to_bytes;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::domain::revision::Author;
use crate::domain::{AnyItem, User};
use crate::http::items::view::attributes;
use crate::store::{Change, ChangeSet, Expect};

use super::*;

const ROLES: [&str; 5] = ["Agent", "agent", "agent lead", "boss", "Ägent"];
const LOGINS: [&str; 6] = ["u", "U", "ü", "u0", "\u{10ffff}", "z.z@"];
const SHOWN: [&str; 9] = ["Ada", "ada", "Adam", "Äda", "A\u{10ffff}", "A%", "A_", "Zed", "it's"];

/// A database and its folder, with the people in it by login.
type Crowd = (TempDir, Store, Vec<(String, Value)>);

/// Some hundred people, of whom many were changed, some were taken away, and one role was taken from all.
static EVERYONE: LazyLock<Crowd> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let author = Author::new("ada", "a test");
    let role = |name: &str| Change::put(name, AnyItem::parse(Kind::SecurityRole, name, json!({"name": name})).unwrap());
    store.commit(ChangeSet::new(ROLES.into_iter().chain(["gone"]).map(role)), &author).unwrap();
    let gone = |kind, name: &str| Change::Delete { kind, name: name.into(), expect: Expect::Anything, force: true };
    let mut seed = 7_u64;
    let mut drawn = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for round in 0..3 {
        let mut changes = Vec::new();
        for number in 0..300 {
            if round > 0 && drawn(3) > 0 {
                continue;
            }
            let login = format!("{}{number}", LOGINS[number % LOGINS.len()]);
            if round == 2 && drawn(4) == 0 {
                changes.push(gone(Kind::User, &login));
                continue;
            }
            let roles: Vec<&str> = ROLES.into_iter().chain(["gone"]).filter(|_| drawn(4) == 0).collect();
            let shown = SHOWN[drawn(SHOWN.len())].to_owned() + ["", "", "a", "\u{10ffff}"][drawn(4)];
            let json = json!({"displayName": shown, "roles": roles, "language": 1031 + drawn(3)});
            changes.push(Change::put(login.as_str(), AnyItem::parse(Kind::User, &login, json).unwrap()));
        }
        store.commit(ChangeSet::new(changes), &author).unwrap();
    }
    store.commit(ChangeSet::new([gone(Kind::SecurityRole, "gone")]), &author).unwrap();
    let everyone = store.people("", 1000).unwrap();
    let shown = everyone.into_iter().map(|(login, user, revision)| {
        let item = view::show(Kind::User, &login, &user.into(), Meta { layer: Layer::Custom, revision });
        (login, item)
    });
    let everyone: Vec<_> = shown.collect();
    assert!((150..300).contains(&everyone.len()), "{}", everyone.len());
    (folder, store, everyone)
});

fn known() -> Vec<String> {
    attributes::<User>()
}

/// A text of one of the people, or nearly one.
fn text() -> impl Strategy<Value = String> {
    let of = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
    prop_oneof![
        of(&ROLES),
        of(&LOGINS),
        of(&SHOWN),
        (of(&LOGINS), 0..300_u32).prop_map(|(login, number)| format!("{login}{number}")),
        "[aAuUä\u{10ffff}]{0,2}",
    ]
    .prop_map(|text| format!("'{}'", text.replace('\'', "''")))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![9 => text(), 1 => Just("null".to_owned()), 1 => (1030..1034_u32).prop_map(|number| number.to_string())]
}

fn filter() -> impl Strategy<Value = String> {
    let attribute = || prop::sample::select(&["uniqueName", "displayName", "roles", "language", "meta.revision"]);
    let comparison = prop::sample::select(&["eq", "eq", "eq", "ne", "gt", "ge", "lt", "le"]);
    let part = prop::sample::select(&["startswith", "startswith", "contains", "endswith"]);
    let condition = prop_oneof![
        (attribute(), comparison, value()).prop_map(|(path, comparison, value)| format!("{path} {comparison} {value}")),
        (part, attribute(), text()).prop_map(|(part, path, text)| format!("{part}({path},{text})")),
        (attribute(), prop::collection::vec(value(), 1..5))
            .prop_map(|(path, values)| format!("{path} in ({})", values.join(","))),
    ];
    condition.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            1 => inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn order() -> impl Strategy<Value = String> {
    let key = prop::sample::select(&["uniqueName", "displayName", "roles", "roles", "displayName", "language"]);
    let direction = prop::sample::select(&["", " asc", " desc"]);
    prop::collection::vec((key, direction).prop_map(|(key, direction)| format!("{key}{direction}")), 1..3)
        .prop_map(|keys| keys.join(","))
}

/// The names on a page.
fn names(page: Filling) -> Vec<String> {
    let body = to_bytes(page.finish(None).into_body(), usize::MAX).now_or_never().unwrap().unwrap();
    let page: Value = serde_json::from_slice(&body).unwrap();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["uniqueName"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_list_is_that_of_the_plain_filter(
        filter in prop::option::weighted(0.9, filter()),
        order in prop::option::weighted(0.7, order()),
        limit in 1..80_usize,
        sorted in prop::sample::select(&[0_usize, 5, 40, 10_000]),
    ) {
        let (_, store, everyone) = &*EVERYONE;
        let filter = filter.map(|typed| Filter::parse(&typed, &known()).unwrap());
        let order = order.map(|typed| Order::parse(&typed, &known()).unwrap());

        let passing = everyone.iter().filter(|(_, item)| filter.as_ref().is_none_or(|filter| filter.passes(item)));
        let mut expected: Vec<&(String, Value)> = passing.collect();
        if let Some(order) = &order {
            expected.sort_by(|a, b| order.compare(&order.place(&a.0, &a.1), &order.place(&b.0, &b.1)));
        }
        let expected: Vec<&String> = expected.into_iter().map(|(login, _)| login).collect();

        let bounds = Bounds { sorted, untold: 0, time: Duration::from_secs(3600) };
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let asked = Asked { filter: filter.as_ref(), order: order.as_ref(), after: after.as_deref(), limit };
            let page = super::page(store, &asked, &bounds).unwrap();
            let on_page = names(page.page);
            prop_assert!(on_page.len() == limit || page.cursor.is_none());
            prop_assert!(!on_page.is_empty() || page.cursor.is_none());
            found.extend(on_page);
            after = page.cursor;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }
}

/// How many people are looked at for a page in the middle of a list.
fn looked_at(filter: &str, order: Option<&str>) -> usize {
    let (_, store, everyone) = &*EVERYONE;
    let filter = (!filter.is_empty()).then(|| Filter::parse(filter, &known()).unwrap());
    let order = order.map(|typed| Order::parse(typed, &known()).unwrap());
    let (login, item) = &everyone[everyone.len() / 2];
    let after = order.as_ref().map_or_else(|| login.clone(), |order| order.place(login, item).cursor());
    let asked = Asked { filter: filter.as_ref(), order: order.as_ref(), after: Some(&after), limit: 5 };
    let bounds = Bounds { sorted: 20, untold: 0, time: Duration::from_secs(3600) };
    super::page(store, &asked, &bounds).unwrap().scanned.unwrap_or_default()
}

#[test]
fn what_an_index_has_is_not_scanned() {
    let count = EVERYONE.2.len();
    for (filter, order, most) in [
        ("", None, 6),
        ("", Some("displayName"), 6),
        ("", Some("displayName desc"), 6),
        ("", Some("roles desc,uniqueName"), 6),
        ("uniqueName eq 'u0'", None, 1),
        ("uniqueName in ('u0','U1','nobody')", Some("language"), 2),
        ("startswith(uniqueName,'u03')", Some("displayName"), 20),
        ("roles eq 'boss'", None, 6),
        ("roles in ('boss','agent')", None, 6),
        ("startswith(displayName,'A')", Some("displayName desc"), 6),
        ("uniqueName eq 'u0' and contains(displayName,'a') and language gt 3", Some("language"), 1),
        ("(uniqueName eq 'u0' or uniqueName eq 'u6') and roles eq 'boss'", None, 2),
    ] {
        let looked_at = looked_at(filter, order);
        assert!(looked_at <= most, "{looked_at} of {count} for `{filter}` by {order:?}");
    }
    // These no index serves, and it is told how many were looked at.
    for (filter, order) in [
        ("contains(displayName,'nobody')", None),
        ("", Some("language")),
        ("not uniqueName eq 'u'", Some("meta.revision")),
    ] {
        assert!(looked_at(filter, order) >= count / 2 - 1, "`{filter}` by {order:?}");
    }
}

#[test]
fn a_scan_that_takes_too_long_is_refused_with_what_would_help() {
    let (_, store, _) = &*EVERYONE;
    let bounds = Bounds { sorted: 20, untold: 20, time: Duration::ZERO };
    let filter = Filter::parse("contains(displayName,'nobody')", &known()).unwrap();
    let asked = Asked { filter: Some(&filter), order: None, after: None, limit: 1 };
    let refusal = super::page(store, &asked, &bounds).err().unwrap();
    insta::assert_snapshot!(refusal.detail(), @"0 people were looked at in 0 seconds, and the page is not full: find fewer by `eq`, `in` or `startswith` on `uniqueName`, `displayName` or `roles`, and sort by one of these, because they have an index");
    // The request suits the document, and to repeat it would not help.
    assert_eq!(refusal.into_response().status(), StatusCode::CONFLICT);
}

#[test]
fn a_cursor_that_no_person_made_is_refused() {
    let (_, store, _) = &*EVERYONE;
    let order = Order::parse("displayName", &known()).unwrap();
    let cursor = order.place("u0", &json!({"displayName": 7})).cursor();
    let asked = Asked { filter: None, order: Some(&order), after: Some(&cursor), limit: 1 };
    let refusal = super::page(store, &asked, &Bounds::USUAL).err().unwrap();
    assert!(refusal.detail().contains("does not continue the order `displayName`"), "{}", refusal.detail());
}
