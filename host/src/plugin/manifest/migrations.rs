//! `[[settings.migrations]]` of a manifest: what becomes of settings in the form of earlier versions.
//!
//! Refuses what could not be carried out, or not by bounded work: too many operations, places that are none, migrations
//! without order, and an example that comes out otherwise.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::PluginVersion;
use crate::plugin::settings::migration::{Migration, Operation, Pointer, carry_out};

use super::error::{ManifestError, check, refused};

/// Most operations of all migrations of a manifest.
const MOST_OPERATIONS: usize = 64;

/// Most bytes of a value that is set, as JSON.
const VALUE_BYTES: usize = 4 << 10;

/// Most bytes of a value that texts become, as JSON: a list may have thousands of such texts.
const MAPPED_BYTES: usize = 256;

/// Most levels of a value that is set.
const VALUE_DEPTH: usize = 8;

/// Settings of then, and what comes of them.
type Example = (Map<String, Value>, Map<String, Value>);

const KEY: &str = "settings.migrations";
const FROM: &str = "settings.migrations.from";
const OPERATIONS: &str = "settings.migrations.operations";
const EXAMPLES: &str = "settings.migrations.examples";

/// What becomes of settings that earlier versions took and this one does not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MigrationPart)]
pub(super) struct Part {
    /// The last versions that took the old form: `1` for settings of versions before 2.0.0, `1.4` before 1.5.0, `1.4.2`
    /// up to 1.4.2.
    from: String,
    /// What is done, in this order; of all migrations together at most 64.
    operations: Vec<OperationPart>,
    /// Settings as they were, and what this version makes of them. `loadout plugin check` holds what it makes against
    /// the schema.
    #[serde(default)]
    examples: Vec<ExamplePart>,
}

/// One thing that is done: exactly one of `rename`, `move`, `remove`, `set` and `map`, each a JSON pointer of at most 8
/// keys. An attribute that is not there is left alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperationPart)]
pub(super) struct OperationPart {
    /// The attribute that gets the name `to`.
    rename: Option<String>,
    /// The attribute that gets the place `to`. Objects on the way are made.
    #[serde(rename = "move")]
    relocate: Option<String>,
    /// The attribute that goes.
    remove: Option<String>,
    /// The attribute that gets `value`, if it is not there.
    set: Option<String>,
    /// The attribute whose texts become others, by `values`; of a list, its elements.
    map: Option<String>,
    /// With `rename` the new name, with `move` the new place, a JSON pointer. If something is there already, the
    /// settings are not migrated.
    to: Option<String>,
    /// With `set` the value, of at most 4 KiB.
    #[schema(value_type = Option<Object>)]
    value: Option<toml::Value>,
    /// With `set` whether the value takes the place of one that is there.
    always: Option<bool>,
    /// With `map` the new values by the old texts. What is not named stays.
    #[schema(value_type = Option<Object>)]
    values: Option<BTreeMap<String, toml::Value>>,
}

/// An example of a migration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExamplePart)]
pub(super) struct ExamplePart {
    /// Settings in the old form.
    #[schema(value_type = Object)]
    before: toml::Table,
    /// What this version makes of them, by this migration and those after it.
    #[schema(value_type = Object)]
    after: toml::Table,
}

/// The migrations of `version`, if they make sense together.
pub(super) fn checked(parts: Vec<Part>, version: PluginVersion) -> Result<Vec<Migration>, ManifestError> {
    let count = parts.iter().map(|part| part.operations.len()).sum::<usize>();
    check(OPERATIONS, &count.to_string(), count <= MOST_OPERATIONS, "64 operations are the most")?;
    let mut migrations: Vec<Migration> = Vec::new();
    for Part { from, operations, examples } in parts {
        let until = bound(&from)?;
        let earlier = format!("the version is {version}, so name an earlier one");
        check(FROM, &from, until <= version, &earlier)?;
        let in_order = migrations.last().is_none_or(|before| before.until < until);
        check(FROM, &from, in_order, "each is named once, the earliest first")?;
        check(KEY, &from, !operations.is_empty(), "a migration has at least one operation")?;
        let operations = operations.into_iter().map(OperationPart::checked).collect::<Result<_, _>>()?;
        let examples = examples.into_iter().map(ExamplePart::checked).collect::<Result<_, _>>()?;
        migrations.push(Migration { from, until, operations, examples });
    }
    for (at, migration) in migrations.iter().enumerate() {
        for (before, after) in &migration.examples {
            let shown = Value::Object(before.clone()).to_string();
            let made = carry_out(&migrations[at..], before).map_err(|reason| refused(EXAMPLES, &shown, &reason))?;
            let rule = || format!("{} is what comes of it", Value::Object(made.clone()));
            check(EXAMPLES, &shown, made == *after, &rule())?;
        }
    }
    Ok(migrations)
}

/// The first version after all that `from` names.
fn bound(from: &str) -> Result<PluginVersion, ManifestError> {
    let invalid = || refused(FROM, from, "one, two or three numbers of a version are expected, such as `1` or `1.4`");
    let parts = from.split('.').count();
    let whole: PluginVersion = match parts {
        1 => format!("{from}.0.0"),
        2 => format!("{from}.0"),
        _ => from.to_owned(),
    }
    .parse()
    .map_err(|_| invalid())?;
    let PluginVersion { major, minor, patch } = whole;
    // A number of a version has nine digits at most.
    Ok(match parts {
        1 => PluginVersion { major: major.saturating_add(1), minor: 0, patch: 0 },
        2 => PluginVersion { minor: minor.saturating_add(1), patch: 0, ..whole },
        _ => PluginVersion { patch: patch.saturating_add(1), ..whole },
    })
}

impl OperationPart {
    fn checked(self) -> Result<Operation, ManifestError> {
        let Self { rename, relocate, remove, set, map, to, value, always, values } = self;
        let named = [&rename, &relocate, &remove, &set, &map];
        let shown = named.iter().copied().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        let one = named.iter().filter(|it| it.is_some()).count() == 1;
        check(OPERATIONS, &shown, one, "an operation has one of `rename`, `move`, `remove`, `set` and `map`")?;
        let only = |there: bool, wanted: bool, what: &str| {
            let rule = if wanted { format!("it needs {what}") } else { format!("it takes no {what}") };
            check(OPERATIONS, &shown, there == wanted, &rule)
        };
        only(to.is_some(), rename.is_some() || relocate.is_some(), "`to`")?;
        only(value.is_some(), set.is_some(), "`value`")?;
        only(values.is_some(), map.is_some(), "`values`")?;
        check(OPERATIONS, &shown, always.is_none() || set.is_some(), "only `set` takes `always`")?;
        let at = |text: Option<String>| {
            let text = text.unwrap_or_default();
            text.parse::<Pointer>().map_err(|error| refused(OPERATIONS, &text, &error.to_string()))
        };
        Ok(if rename.is_some() {
            Operation::Rename { from: at(rename)?, to: to.unwrap_or_default() }
        } else if relocate.is_some() {
            let (from, to) = (at(relocate)?, at(to)?);
            check(OPERATIONS, &shown, !to.is_within(&from), "an attribute cannot move into itself")?;
            Operation::Move { from, to }
        } else if remove.is_some() {
            Operation::Remove(at(remove)?)
        } else if let Some(value) = value {
            Operation::Set { at: at(set)?, value: json(value, VALUE_BYTES)?, always: always.unwrap_or_default() }
        } else {
            let values = values.unwrap_or_default().into_iter();
            let values = values.map(|(old, new)| Ok((old, scalar(new)?))).collect::<Result<_, ManifestError>>()?;
            Operation::Map { at: at(map)?, values }
        })
    }
}

impl ExamplePart {
    fn checked(self) -> Result<Example, ManifestError> {
        Ok((object(self.before)?, object(self.after)?))
    }
}

fn object(table: toml::Table) -> Result<Map<String, Value>, ManifestError> {
    table.into_iter().map(|(key, value)| Ok((key, plain(value)?))).collect()
}

/// A value that is set.
fn json(value: toml::Value, most: usize) -> Result<Value, ManifestError> {
    let value = plain(value)?;
    let text = value.to_string();
    check(OPERATIONS, &text, text.len() <= most, &format!("a value has {most} bytes at most"))?;
    Ok(value)
}

/// A value that a text becomes.
fn scalar(value: toml::Value) -> Result<Value, ManifestError> {
    let value = json(value, MAPPED_BYTES)?;
    let is_one = !value.is_array() && !value.is_object();
    check(OPERATIONS, &value.to_string(), is_one, "a text becomes a text, a number, `true` or `false`")?;
    Ok(value)
}

/// A value as JSON has it.
fn plain(value: toml::Value) -> Result<Value, ManifestError> {
    fn within(value: toml::Value, levels: usize) -> Result<Value, ManifestError> {
        let rest = levels
            .checked_sub(1)
            .ok_or_else(|| refused(KEY, &value.to_string(), &format!("a value has {VALUE_DEPTH} levels at most")))?;
        Ok(match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) if number.is_finite() => number.into(),
            toml::Value::Boolean(value) => value.into(),
            toml::Value::Array(elements) => {
                elements.into_iter().map(|element| within(element, rest)).collect::<Result<_, _>>()?
            }
            toml::Value::Table(members) => {
                let members = members.into_iter().map(|(key, value)| Ok((key, within(value, rest)?)));
                Value::Object(members.collect::<Result<_, ManifestError>>()?)
            }
            other => return Err(refused(KEY, &other.to_string(), "JSON has no such value: write it as a text")),
        })
    }
    within(value, VALUE_DEPTH)
}

#[cfg(test)]
mod tests {
    use crate::plugin::manifest::Manifest;

    fn manifest(version: &str, migrations: &str) -> String {
        format!(
            "[plugin]\npublisher = 'contoso'\nname = 'offers'\nversion = '{version}'\nworld = 'loadout:plugin/tool@0.1.0'\n\
             description = 'Offers.'\n[tool]\nkinds = ['offers']\n[settings]\nschema = '{{}}'\n{migrations}"
        )
    }

    fn said(migrations: &str) -> String {
        Manifest::parse(&manifest("2.1.0", migrations)).map_or_else(
            |error| error.to_string(),
            |manifest| {
                let read =
                    manifest.migrations.iter().map(|it| format!("{} < {}: {:?}", it.from, it.until, it.operations));
                read.collect::<Vec<_>>().join("\n")
            },
        )
    }

    #[test]
    fn a_whole_mapping_is_read() {
        insta::assert_snapshot!(said(
            "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'limit' }, { move = '/a', to = '/b/c' }, { remove = '/old' }]\n\
             examples = [{ before = { most = 3, old = true }, after = { limit = 3, mode = 'fast' } }]\n\
             [[settings.migrations]]\nfrom = '2.0'\noperations = [{ set = '/mode', value = 'quick' }, { map = '/mode', values = { quick = 'fast' } }]"
        ), @r#"
        1 < 2.0.0: [Rename { from: Pointer(["most"]), to: "limit" }, Move { from: Pointer(["a"]), to: Pointer(["b", "c"]) }, Remove(Pointer(["old"]))]
        2.0 < 2.1.0: [Set { at: Pointer(["mode"]), value: String("quick"), always: false }, Map { at: Pointer(["mode"]), values: {"quick": String("fast")} }]
        "#);
    }

    #[test]
    fn a_mapping_that_cannot_be_carried_out_is_refused_by_name() {
        let one = |operation: &str| format!("[[settings.migrations]]\nfrom = '1'\noperations = [{{ {operation} }}]");
        let from = |from: &str| format!("[[settings.migrations]]\nfrom = '{from}'\noperations = [{{ remove = '/a' }}]");
        let many = format!(
            "[[settings.migrations]]\nfrom = '1'\noperations = [{}]",
            "{ remove = '/a' },".repeat(super::MOST_OPERATIONS + 1)
        );
        let nested = format!("set = '/a', value = {}{}", "[".repeat(9), "]".repeat(9));
        let refused = [
            one("copy = '/a'"),
            one("rename = '/a'"),
            one("rename = '/a', to = 'b', remove = '/a'"),
            one("remove = '/a', to = '/b'"),
            one("remove = 'a'"),
            one("remove = '/a/b/c/d/e/f/g/h/i'"),
            one("move = '/a', to = '/a/b'"),
            one("set = '/a'"),
            one("set = '/a', value = 1979-05-27"),
            one("set = '/a', value = nan"),
            one(&format!("set = '/a', value = '{}'", "x".repeat(super::VALUE_BYTES))),
            one(&nested),
            one("map = '/a', always = true, values = {}"),
            one("map = '/a', values = { a = [] }"),
            from("one"),
            from("1.2.3.4"),
            from("2"),
            from("2.1.0"),
            format!("{}\n{}", from("1"), from("0")),
            format!("{}\n{}", from("1"), from("1")),
            "[[settings.migrations]]\nfrom = '1'\noperations = []".to_owned(),
            many,
            format!("{}\nexamples = [{{ before = {{ a = 1, b = 2 }}, after = {{}} }}]", from("1")),
            format!("{}\ncolour = 1", from("1")),
        ]
        .map(|text| said(&text));
        insta::assert_snapshot!(refused.join("\n"), @r#"
            its manifest cannot be read: unknown field `copy`, expected one of `rename`, `move`, `remove`, `set`, `map`, `to`, `value`, `always`, `values`
            its manifest says `settings.migrations.operations = /a`; it needs `to`
            its manifest says `settings.migrations.operations = /a, /a`; an operation has one of `rename`, `move`, `remove`, `set` and `map`
            its manifest says `settings.migrations.operations = /a`; it takes no `to`
            its manifest says `settings.migrations.operations = a`; a JSON pointer to an attribute is expected, such as `/offers/most`, of 8 keys and 512 bytes at most
            its manifest says `settings.migrations.operations = /a/b/c/d/e/f/g/h/i`; a JSON pointer to an attribute is expected, such as `/offers/most`, of 8 keys and 512 bytes at most
            its manifest says `settings.migrations.operations = /a`; an attribute cannot move into itself
            its manifest says `settings.migrations.operations = /a`; it needs `value`
            its manifest says `settings.migrations = 1979-05-27`; JSON has no such value: write it as a text
            its manifest says `settings.migrations = nan`; JSON has no such value: write it as a text
            its manifest says `settings.migrations.operations = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`; a value has 4096 bytes at most
            its manifest says `settings.migrations = []`; a value has 8 levels at most
            its manifest says `settings.migrations.operations = /a`; only `set` takes `always`
            its manifest says `settings.migrations.operations = []`; a text becomes a text, a number, `true` or `false`
            its manifest says `settings.migrations.from = one`; one, two or three numbers of a version are expected, such as `1` or `1.4`
            its manifest says `settings.migrations.from = 1.2.3.4`; one, two or three numbers of a version are expected, such as `1` or `1.4`
            its manifest says `settings.migrations.from = 2`; the version is 2.1.0, so name an earlier one
            its manifest says `settings.migrations.from = 2.1.0`; the version is 2.1.0, so name an earlier one
            its manifest says `settings.migrations.from = 0`; each is named once, the earliest first
            its manifest says `settings.migrations.from = 1`; each is named once, the earliest first
            its manifest says `settings.migrations = 1`; a migration has at least one operation
            its manifest says `settings.migrations.operations = 65`; 64 operations are the most
            its manifest says `settings.migrations.examples = {"a":1,"b":2}`; {"b":2} is what comes of it
            its manifest cannot be read: unknown field `colour`, expected one of `from`, `operations`, `examples`
            "#);
    }

    #[test]
    fn what_from_names_ends_before_the_next() {
        for (from, version, expected) in [
            ("1", "2.0.0", "2.0.0"),
            ("1.4", "1.5.0", "1.5.0"),
            ("1.4.2", "1.4.3", "1.4.3"),
            ("0.0.0", "0.0.1", "0.0.1"),
        ] {
            let text = format!("[[settings.migrations]]\nfrom = '{from}'\noperations = [{{ remove = '/a' }}]");
            let read = Manifest::parse(&manifest(version, &text)).unwrap();
            assert_eq!(read.migrations[0].until.to_string(), expected);
        }
    }
}
