//! Slugs in texts, and texts that look like slugs.

use super::*;

fn render(text: &str) -> String {
    let mut values = |key: &str| match key {
        "name" => Some("Ada".to_owned()),
        "anchor.title" => Some("{name} is text".to_owned()),
        "anchor._customerid_value@OData.Community.Display.V1.FormattedValue" => Some("Fabrikam".to_owned()),
        _ => None,
    };
    let rendered = Template::parse(text).unwrap().render(&mut values);
    format!("{} {:?}", rendered.text, rendered.unresolved)
}

#[test]
fn every_spelling_is_one_grammar() {
    for (text, expected) in [
        ("Call from {name}", "Call from Ada []"),
        ("${name} and ${$session.name} and ${$oc.name}", "Ada and Ada and Ada []"),
        ("{anchor._customerid_value@OData.Community.Display.V1.FormattedValue}", "Fabrikam []"),
        ("{anchor._customerid_value@OData.Community.Display.V1.Formatted\nValue}", "Fabrikam []"),
        ("{anchor.title}", "{name} is text []"),
        ("{nobody} {nobody} ${nobody}", r#"   ["{nobody}", "${nobody}"]"#),
        (r#"[{"id": "${name}", "x": { }}]"#, r#"[{"id": "Ada", "x": { }}] []"#),
        ("costs $5 {", "costs $5 { []"),
        (
            "mail {$odata.contact.emailaddress1.?$filter=contactid eq '{name}'}!",
            r#"mail ! ["{$odata.contact.emailaddress1.?$filter=contactid eq '{name}'}"]"#,
        ),
        ("", " []"),
    ] {
        assert_eq!(render(text), expected, "for {text:?}");
    }
}

#[test]
fn a_slug_that_is_not_closed_is_named() {
    let error = Template::parse("Call from {customerName").unwrap_err();
    assert_eq!(error.to_string(), "the slug `{customerName` is not closed: add the `}` that ends it");
    assert!(Template::parse("{ReconnectUrl{ReconnectID}}").is_err());
    let nested = "{$odata.a.b.?".repeat(4_000) + &"}".repeat(4_000);
    assert!(matches!(Template::parse(&nested), Err(InvalidSlug::Nested(_))), "depth must not cost stack");
    assert!(Template::parse("{$odata.a.b.?$filter=x eq '{y'}").is_err());
}

#[test]
fn a_rendered_text_stays_bounded() {
    let rendered = Template::parse(&"{a}".repeat(SLUGS_MAX)).unwrap().render(&mut |_: &str| Some("x".repeat(1000)));
    assert!(rendered.text.len() <= RENDERED_MAX && rendered.text.len() > RENDERED_MAX / 2);
    assert_eq!(rendered.unresolved, ["{a}"]);
}

#[test]
fn a_text_has_so_many_slugs_and_bytes_and_no_more() {
    let distinct = |count: usize| (0..count).map(|at| format!("{{a{at}}}")).collect::<String>();
    let rendered = Template::parse(&distinct(SLUGS_MAX)).unwrap().render(&mut |_: &str| None);
    assert_eq!(rendered.unresolved.len(), SLUGS_MAX);
    let refusal = |text: &str| Template::parse(text).unwrap_err();
    assert_eq!(refusal(&distinct(SLUGS_MAX + 1)), InvalidSlug::TooMany);
    assert_eq!(refusal(&"{a}".repeat(SLUGS_MAX + 1)), InvalidSlug::TooMany, "those that are the same count");
    assert_eq!(refusal(&format!("{{$odata.a.b.?{}}}", "{a}".repeat(SLUGS_MAX))), InvalidSlug::TooMany);
    assert_eq!(refusal(&distinct(50_000)), InvalidSlug::TooLong);
    assert!(Template::parse(&"x".repeat(RENDERED_MAX)).is_ok());
    assert_eq!(refusal(&"x".repeat(RENDERED_MAX + 1)), InvalidSlug::TooLong);
    let mut problems = Problems::default();
    check(&distinct(SLUGS_MAX + 1), "title", &mut problems);
    assert_eq!(
        problems.0[0].to_string(),
        "`title`: it has more than 100 slugs, which are the most: split the text, or leave some out"
    );
}

#[test]
fn a_title_without_words_is_no_title() {
    let title = |text: &str| Template::parse(text).unwrap().render(&mut |_: &str| None).as_title();
    assert_eq!(title("{a}  {b}"), None);
    assert_eq!(title(" Case  {a} open "), Some("Case open".to_owned()));
}

/// A piece of a text as it is spelt, its rendered form, and whether it has no value.
fn piece() -> impl proptest::strategy::Strategy<Value = (String, String, bool)> {
    use proptest::prelude::*;
    let plain =
        prop_oneof!["[^{}$]{0,8}", Just("{ }".to_owned()), Just(r#"{"a": [1]}"#.to_owned()), Just("{7}".to_owned())];
    let opened = prop::sample::select(vec!["{", "${", "{$session.", "${$session.", "{$oc.", "${$oc."]);
    let key = prop::sample::select(vec!["name", "anchor.title", "ä_1", "nobody", "no.one@X.Y"]);
    prop_oneof![
        plain.prop_map(|text| (text.clone(), text, false)),
        (opened, key).prop_map(|(opened, key)| {
            let (spelt, value) = (format!("{opened}{key}}}"), value(key));
            (spelt, value.clone().unwrap_or_default(), value.is_none())
        }),
        Just(("{$odata.a.b.?$filter=c eq '{name}'}".to_owned(), String::new(), true)),
    ]
}

/// Values of keys. One looks like a slug, and stays as it is.
fn value(key: &str) -> Option<String> {
    let values = [("name", "Ada"), ("anchor.title", "{name} and ${nobody}"), ("ä_1", "")];
    values.into_iter().find(|(known, _)| *known == key).map(|(_, value)| value.to_owned())
}

proptest::proptest! {
    /// A text is rendered piece by piece, and each slug without a value is named once, in the order of the text.
    #[test]
    fn a_text_becomes_what_its_pieces_become(pieces in proptest::collection::vec(piece(), 0..20)) {
        let text: String = pieces.iter().map(|(spelt, ..)| spelt.as_str()).collect();
        let rendered = Template::parse(&text).unwrap().render(&mut |key: &str| value(key));
        let expected: String = pieces.iter().map(|(_, becomes, _)| becomes.as_str()).collect();
        let mut missing: Vec<&String> = Vec::new();
        for (spelt, _, is_missing) in &pieces {
            if *is_missing && !missing.contains(&spelt) {
                missing.push(spelt);
            }
        }
        proptest::prop_assert_eq!(&rendered.text, &expected);
        proptest::prop_assert_eq!(rendered.unresolved.iter().collect::<Vec<_>>(), missing);
    }

    #[test]
    fn parsing_never_fails_on_text_without_braces_and_keeps_it(text in "[^{}]*") {
        let rendered = Template::parse(&text).unwrap().render(&mut |_: &str| None);
        proptest::prop_assert_eq!(rendered.text, text);
    }

    #[test]
    fn parsing_is_total(text in ".*") {
        let _ = Template::parse(&text);
    }
}
