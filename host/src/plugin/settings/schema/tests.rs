use serde_json::{Value, json};

use super::*;

fn read(schema: &Value) -> Result<SettingsSchema, SchemaError> {
    let Value::Object(schema) = schema else { unreachable!() };
    SettingsSchema::read(schema)
}

#[test]
fn what_is_wrong_is_named_by_attribute() {
    let schema = read(&json!({
        "type": "object",
        "properties": {
            "macros": { "type": "array", "items": { "type": "string" } },
            "code": { "type": "string", "pattern": "^(a+)+$" }
        },
        "additionalProperties": false
    }));
    let schema = schema.unwrap();
    let told = |settings: Value| -> Vec<String> {
        schema.problems("settings", &settings).iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(json!({ "macros": ["a"] })), [""; 0]);
    assert_eq!(told(json!({ "macros": ["a", 1] })), [r#"`settings.macros.1`: 1 is not of type "string""#]);
    assert_eq!(
        told(json!({ "macro": [] })),
        ["`settings`: Additional properties are not allowed ('macro' was unexpected)"]
    );
    let code = |length| told(json!({ "code": format!("{}!", "a".repeat(length)) }));
    assert_eq!(code(3_000), [r#"`settings.code`: it does not match "^(a+)+$""#], "at once, and in a sentence");
    assert_eq!(
        code(50_000),
        ["`settings`: it does not suit the schema of the plugin, and there is too much of it to say where"]
    );
    assert_eq!(schema.check(&json!({ "macros": ["a"] })), Ok(()));
    let refused = schema.check(&json!({ "macros": [1] })).unwrap_err().to_string();
    assert_eq!(refused, r#"`macros.0`: 1 is not of type "string""#);
}

#[test]
fn a_schema_is_a_schema_and_reaches_nothing() {
    for schema in [
        json!({ "type": "text" }),
        json!({ "properties": { "a": { "minimum": "one" } } }),
        json!({ "pattern": "(?<=a)b" }),
        json!({ "$schema": "https://example.org/schema.json" }),
    ] {
        assert!(read(&schema).is_err(), "{schema}");
    }
}

/// A schema that says `last` behind so many steps, each of them a definition made by `step` of a reference to the next.
fn tower(steps: usize, step: impl Fn(Value) -> Value, last: Value) -> Value {
    let mut definitions = serde_json::Map::new();
    for at in 0..steps {
        let next = json!({ "$ref": format!("#/$defs/a{}", at + 1) });
        definitions.insert(format!("a{at}"), step(next));
    }
    definitions.insert(format!("a{steps}"), last);
    json!({ "$defs": definitions, "$ref": "#/$defs/a0" })
}

/// A schema in so many others.
fn deep(levels: usize, inner: Value, within: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(inner, |inner, _| within(inner))
}

#[test]
fn what_is_more_than_a_schema_may_be_is_refused_by_name_before_it_is_built() {
    let not = |inner| json!({ "not": inner });
    let all = |inner| json!({ "allOf": [inner] });
    let any = |inner| json!({ "anyOf": [inner] });
    let recursive = json!({ "additionalProperties": { "$ref": "#/$defs/a0" } });
    let plain = json!({ "type": "object" });
    let twice = |next: Value| json!({ "allOf": [next.clone(), next] });
    let patterns = |count: usize| json!({ "allOf": (0..count).map(|at| json!({ "pattern": format!("(\\p{{L}}{{100}}|{at})") })).collect::<Vec<_>>() });
    let mut refusals = Vec::new();
    for (what, schema) in [
        ("a tower of not", tower(60, |next| deep(110, next, not), recursive.clone())),
        ("a tower of allOf", tower(60, |next| deep(55, next, all), recursive.clone())),
        ("a tower of anyOf", tower(60, |next| deep(55, next, any), recursive.clone())),
        ("a tower within each cap but that of all", tower(15, |next| deep(20, next, not), plain.clone())),
        ("a chain", tower(60, |next| next, plain.clone())),
        ("many definitions", tower(1_940, |next| next, plain.clone())),
        ("a reference to itself", tower(3, |next| next, recursive)),
        ("a reference to the whole", json!({ "properties": { "a": { "$ref": "#" } } })),
        ("a definition that nothing names, in a ring", json!({ "$defs": { "a": { "$ref": "#/$defs/a" } } })),
        ("doubling", tower(14, twice, plain.clone())),
        (
            "doubling what is looked at again",
            deep(12, plain.clone(), |inner| json!({ "allOf": [inner], "unevaluatedProperties": false })),
        ),
        ("doubling patterns", tower(10, twice, json!({ "pattern": "a" }))),
        ("many patterns", patterns(300)),
        (
            "many patterns of properties",
            json!({ "patternProperties": (0..300).map(|at| (format!("a{at}"), json!({}))).collect::<serde_json::Map<_, _>>() }),
        ),
        ("a long pattern", json!({ "pattern": "a".repeat(2_000) })),
        ("a deep schema", deep(40, plain.clone(), not)),
        ("a deep constant", json!({ "const": deep(40, json!(1), |inner| json!([inner])) })),
        ("another place", json!({ "$ref": "https://example.org/schema.json" })),
        ("a file", json!({ "$ref": "file:///etc/passwd" })),
        ("a part that is no definition", json!({ "properties": { "a": { "$ref": "#/properties/b" }, "b": {} } })),
        ("a definition within one", json!({ "$ref": "#/$defs/a/not" , "$defs": { "a": { "not": {} } } })),
        ("a definition that is not there", json!({ "$ref": "#/$defs/a" })),
        ("a name of its own", json!({ "$id": "https://example.org/" })),
        ("a name within", json!({ "$defs": { "a": { "$anchor": "b" } } })),
        ("an old name", json!({ "items": { "id": "#b" } })),
        ("a dynamic reference", json!({ "$dynamicRef": "#a" })),
        ("a recursive reference", json!({ "$recursiveRef": "#" })),
    ] {
        let weighed = weigh(schema.as_object().unwrap()).expect_err(what);
        assert!(matches!(read(&schema), Err(SchemaError::Refused(_))), "{what}");
        refusals.push(format!("{what}: {weighed}"));
    }
    insta::assert_snapshot!(refusals.join("\n"), @"
    a tower of not: it has 33 levels in each other; at most 32 are allowed
    a tower of allOf: it has 33 levels in each other; at most 32 are allowed
    a tower of anyOf: it has 33 levels in each other; at most 32 are allowed
    a tower within each cap but that of all: it has 317 levels in each other, references followed; at most 128 are allowed
    a chain: it has 61 references that lead one to the next; at most 16 are allowed
    many definitions: it has 1941 definitions; at most 64 are allowed
    a reference to itself: `#/$defs/a0` leads back to itself: say how deep it goes at most
    a reference to the whole: the reference `#` is not possible here: refer to a definition, such as `#/$defs/name`
    a definition that nothing names, in a ring: `#/$defs/a` leads back to itself: say how deep it goes at most
    doubling: it has 98301 values, references followed; at most 5000 are allowed
    doubling what is looked at again: it has 100663292 values, references followed; at most 5000 are allowed
    doubling patterns: it has 1024 patterns, references followed; at most 64 are allowed
    many patterns: it has 300 patterns, references followed; at most 64 are allowed
    many patterns of properties: it has 300 patterns, references followed; at most 64 are allowed
    a long pattern: it has 2000 bytes in one pattern; at most 256 are allowed
    a deep schema: it has 33 levels in each other; at most 32 are allowed
    a deep constant: it has 33 levels in each other; at most 32 are allowed
    another place: the reference `https://example.org/schema.json` is not possible here: refer to a definition, such as `#/$defs/name`
    a file: the reference `file:///etc/passwd` is not possible here: refer to a definition, such as `#/$defs/name`
    a part that is no definition: the reference `#/properties/b` is not possible here: refer to a definition, such as `#/$defs/name`
    a definition within one: the reference `#/$defs/a/not` is not possible here: refer to a definition, such as `#/$defs/name`
    a definition that is not there: `#/$defs/a` is no definition: define it in `$defs`
    a name of its own: `$id` is not possible here: name a part of it in `$defs`
    a name within: `$anchor` is not possible here: name a part of it in `$defs`
    an old name: `id` is not possible here: name a part of it in `$defs`
    a dynamic reference: `$dynamicRef` is not possible here: name a part of it in `$defs`
    a recursive reference: `$recursiveRef` is not possible here: name a part of it in `$defs`
    ");
}

#[test]
fn a_pattern_that_takes_too_much_room_is_refused_where_the_schema_is_built() {
    let schema = json!({ "pattern": "\\p{L}{200}" });
    assert!(weigh(schema.as_object().unwrap()).is_ok());
    let refused = read(&schema).unwrap_err().to_string();
    assert!(refused.contains("at `"), "{refused}");
}

/// The deepest schema there may be, of each keyword that holds others, and settings that reach its end.
#[test]
fn the_deepest_schema_is_built_and_holds_the_deepest_settings() {
    let levels = usize::try_from(bounds::EXPANDED_NESTING).unwrap();
    let end = json!({ "type": "object" });
    let of = |steps: usize, each: usize, step: &dyn Fn(Value) -> Value| {
        tower(steps, |next| deep(each, next, step), end.clone())
    };
    let mut settings = json!({});
    for _ in 1..crate::domain::free_json::DEPTH_MAX {
        settings = json!({ "a": settings });
    }
    for (what, schema) in [
        ("not", of(15, 7, &|inner| json!({ "not": inner }))),
        ("allOf", of(10, 5, &|inner| json!({ "allOf": [inner] }))),
        ("anyOf", of(10, 5, &|inner| json!({ "anyOf": [inner] }))),
        ("oneOf", of(10, 5, &|inner| json!({ "oneOf": [inner] }))),
        ("if", of(15, 7, &|inner| json!({ "if": inner }))),
        ("properties", of(10, 5, &|inner| json!({ "properties": { "a": inner } }))),
        ("additionalProperties", of(15, 7, &|inner| json!({ "additionalProperties": inner }))),
        ("unevaluatedProperties", of(1, 4, &|inner| json!({ "unevaluatedProperties": inner }))),
        ("propertyNames", of(15, 7, &|inner| json!({ "propertyNames": inner }))),
        ("definitions", of(15, 0, &|inner| inner)),
    ] {
        let weight = weigh(schema.as_object().unwrap()).unwrap_or_else(|refused| panic!("{what}: {refused}"));
        assert!(weight.values <= bounds::VALUES && levels >= 100, "{what}");
        let schema = read(&schema).unwrap_or_else(|refused| panic!("{what}: {refused}"));
        // Whatever it says, it says something.
        let _ = schema.problems("settings", &settings);
        drop(schema);
    }
}

#[test]
fn the_dearest_check_is_refused_and_a_dear_one_is_answered_in_short() {
    let values = |count: usize| json!({ "a": vec![0; count] });
    let branches: Vec<Value> = (0..400).map(|at| json!({ "type": "string", "minLength": at })).collect();
    let schema = read(&json!({ "properties": { "a": { "items": { "anyOf": branches } } } })).unwrap();
    let told = |count| schema.problems("settings", &values(count)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(20).len(), 20);
    insta::assert_snapshot!(told(1_000).join("\n"), @"`settings`: it does not suit the schema of the plugin, and there is too much of it to say where");
    insta::assert_snapshot!(told(60_000).join("\n"), @"`settings`: there is more of it than can be held against the schema of the plugin: give less at once");
    let patterns: Vec<Value> = (0..64).map(|at| json!({ "pattern": format!("^(a|b{at})*$") })).collect();
    let schema = read(&json!({ "properties": { "a": { "allOf": patterns } } })).unwrap();
    let text = |bytes: usize| schema.check(&json!({ "a": "a".repeat(bytes) })).map_err(|problem| problem.to_string());
    assert_eq!(text(10_000), Ok(()));
    insta::assert_snapshot!(text(20_000).unwrap_err(), @"there is more of it than can be held against the schema of the plugin: give less at once");
}

/// Schemas of the shapes that people and generators write, within and beyond the caps.
mod any_schema {
    use proptest::prelude::*;

    use super::*;

    fn schema() -> impl Strategy<Value = Value> {
        let name = || prop::sample::select(vec!["a", "b", "c"]);
        let leaf = prop_oneof![
            Just(json!(true)),
            Just(json!(1)),
            Just(json!({ "type": "object" })),
            Just(json!({ "format": "regex" })),
            Just(json!({ "uniqueItems": true, "enum": [{ "$ref": "#" }, 1] })),
            name().prop_map(|name| json!({ "$ref": format!("#/$defs/{name}") })),
            "[a-c(){}|*+\\\\d]{0,12}".prop_map(|pattern| json!({ "pattern": pattern })),
        ];
        leaf.prop_recursive(6, 60, 4, move |inner| {
            let keyword = prop::sample::select(vec![
                "not",
                "if",
                "then",
                "items",
                "additionalProperties",
                "unevaluatedProperties",
                "contains",
                "propertyNames",
                "allOf",
                "anyOf",
                "oneOf",
                "properties",
                "patternProperties",
                "dependentSchemas",
                "$defs",
                "const",
            ]);
            prop_oneof![
                (keyword.clone(), inner.clone()).prop_map(|(keyword, inner)| json!({ keyword: inner })),
                (keyword.clone(), prop::collection::vec(inner.clone(), 0..4))
                    .prop_map(|(keyword, list)| json!({ keyword: list })),
                (keyword, name(), inner).prop_map(|(keyword, name, inner)| json!({ keyword: { name: inner } })),
            ]
        })
    }

    fn settings() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(1)), Just(json!("ab")), Just(json!(null))];
        leaf.prop_recursive(5, 30, 4, |inner| {
            let name = prop::sample::select(vec!["a", "b", "c"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn is_refused_or_holds_any_settings(
            root in schema(),
            definitions in prop::collection::vec(schema(), 3),
            settings in settings(),
        ) {
            let mut schema = root;
            let Value::Object(members) = &mut schema else { return Ok(()) };
            let named = ["a", "b", "c"].into_iter().map(str::to_owned).zip(definitions);
            members.insert("$defs".to_owned(), Value::Object(named.collect()));
            match read(&schema) {
                Ok(read) => {
                    let checked = read.check(&settings);
                    prop_assert_eq!(checked.is_ok(), read.problems("settings", &settings).is_empty());
                    // The engine of patterns is another one without the bounds.
                    if !schema.to_string().contains("attern") {
                        let plain = jsonschema::validator_for(&schema).unwrap();
                        prop_assert_eq!(checked.is_ok(), plain.is_valid(&settings), "{} against {}", settings, schema);
                    }
                }
                Err(SchemaError::Refused(reason)) => prop_assert!(!reason.contains("the host broke"), "{schema}"),
                Err(SchemaError::Unavailable(_)) => {}
            }
        }
    }
}
