//! Looks at a component before anything is compiled.
//!
//! Refuses by name what this host does not offer, and what would take unreasonably long to compile.

pub(in crate::plugin) mod error;
pub(in crate::plugin) mod signature;

mod sizes;

use wasmparser::{Chunk, Parser, Payload};

use self::error::LoadError;
use self::error::cap;
use self::signature::Signatures;
use super::limits::weight::Weight;
use super::manifest::error::ManifestError;
use super::manifest::generation::{GENERATION, PACKAGE, is_of_another, is_one};
use super::manifest::provides::Provides;
use super::manifest::world::World;
use super::manifest::{Identity, Manifest};

/// The custom section with the manifest.
const MANIFEST_SECTION: &str = "loadout:manifest";

/// Most bytes of a component.
pub(super) const LARGEST: usize = 32 << 20;
const LARGEST_MANIFEST: usize = 64 << 10;

/// Imports and exports that are looked at in a component of which nothing is known yet.
const MOST_NAMES: usize = 5_000;

/// Interfaces outside of the contract that a plugin of every world may import, with the start of the versions that are
/// offered.
const OFFERED: [(&str, &str); 20] = [
    ("wasi:cli/environment", "0.2."),
    ("wasi:cli/exit", "0.2."),
    ("wasi:cli/stderr", "0.2."),
    ("wasi:cli/stdin", "0.2."),
    ("wasi:cli/stdout", "0.2."),
    ("wasi:cli/terminal-input", "0.2."),
    ("wasi:cli/terminal-output", "0.2."),
    ("wasi:cli/terminal-stderr", "0.2."),
    ("wasi:cli/terminal-stdin", "0.2."),
    ("wasi:cli/terminal-stdout", "0.2."),
    ("wasi:clocks/monotonic-clock", "0.2."),
    ("wasi:clocks/wall-clock", "0.2."),
    ("wasi:filesystem/preopens", "0.2."),
    ("wasi:filesystem/types", "0.2."),
    ("wasi:io/error", "0.2."),
    ("wasi:io/poll", "0.2."),
    ("wasi:io/streams", "0.2."),
    ("wasi:random/insecure", "0.2."),
    ("wasi:random/insecure-seed", "0.2."),
    ("wasi:random/random", "0.2."),
];

/// Interfaces that a heavy component may import besides: its language's library names them, whether its rule does or
/// not. Using one ends the call.
const OFFERED_TO_RUNTIMES: [(&str, &str); 7] = [
    ("wasi:sockets/instance-network", "0.2."),
    ("wasi:sockets/ip-name-lookup", "0.2."),
    ("wasi:sockets/network", "0.2."),
    ("wasi:sockets/tcp", "0.2."),
    ("wasi:sockets/tcp-create-socket", "0.2."),
    ("wasi:sockets/udp", "0.2."),
    ("wasi:sockets/udp-create-socket", "0.2."),
];

/// Reads the manifest of a component that is fit to be compiled.
pub(super) fn inspect(component: &[u8]) -> Result<Manifest, LoadError> {
    check_form(component)?;
    sizes::check(component)?;
    let outline = Outline::of(component)?;
    let manifest = outline.manifest.ok_or(LoadError::NoManifest)?;
    Signatures::of(component)?;
    let text = text(manifest)?;
    let weight = Weight::of(component);
    let manifest = Manifest::parse_for(text, weight)?;
    let world = World::of(&manifest.provides);
    let wanted = world.export;
    let is_there = outline.exports.iter().any(|export| is_one(export, wanted));
    // One that serves hosts of two generations exports what both want.
    let exports = if is_there { &[][..] } else { &outline.exports };
    let names = outline.imports.iter().chain(exports);
    let others: Vec<String> = names.filter(|name| is_of_another(name)).cloned().collect();
    if !others.is_empty() {
        return Err(LoadError::Generation { found: others });
    }
    let found: Vec<String> = outline.imports.into_iter().filter(|import| !is_offered(import, world, weight)).collect();
    if !found.is_empty() {
        return Err(LoadError::Imports { found, world: manifest.world, has: world.imports });
    }
    if !is_there {
        return Err(LoadError::WrongWorld { world: manifest.world, wanted, found: outline.exports });
    }
    Ok(manifest)
}

/// Who a component says it is, and who signed it: all that has to be known to tell whether an environment wants it.
/// Nothing in it is looked at but its outermost sections.
pub(super) fn identify(component: &[u8]) -> Result<(Identity, Signatures), LoadError> {
    check_form(component)?;
    let manifest = section(component)?.ok_or(LoadError::NoManifest)?;
    let signatures = Signatures::of(component)?;
    Ok((Manifest::identity(text(manifest)?)?, signatures))
}

/// Who a component says it is, whatever is wrong with its signatures.
pub(super) fn identity(component: &[u8]) -> Result<Identity, LoadError> {
    check_form(component)?;
    Ok(Manifest::identity(text(section(component)?.ok_or(LoadError::NoManifest)?)?)?)
}

/// The section with the manifest.
fn section(component: &[u8]) -> Result<Option<&[u8]>, LoadError> {
    let malformed = |error: wasmparser::BinaryReaderError| LoadError::Malformed(error.to_string());
    let (mut parser, mut at, mut manifest) = (Parser::new(0), 0, None);
    while let Some(rest) = component.get(at..).filter(|rest| !rest.is_empty()) {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true).map_err(malformed)? else { break };
        at += consumed;
        match payload {
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                keep(&mut manifest, section.data())?
            }
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                at = unchecked_range.end;
            }
            Payload::End(_) => break,
            _ => {}
        }
    }
    // What is skipped may not be there.
    if at > component.len() {
        return Err(LoadError::Malformed("unexpected end-of-file".to_owned()));
    }
    Ok(manifest)
}

/// Keeps the one manifest there is.
fn keep<'a>(manifest: &mut Option<&'a [u8]>, section: &'a [u8]) -> Result<(), LoadError> {
    cap("bytes of manifest", section.len() as u64, LARGEST_MANIFEST as u64)?;
    match manifest.replace(section) {
        None => Ok(()),
        Some(_) => Err(LoadError::Malformed(format!("it has two sections `{MANIFEST_SECTION}`: leave one"))),
    }
}

fn text(manifest: &[u8]) -> Result<&str, LoadError> {
    std::str::from_utf8(manifest).map_err(|error| ManifestError::Toml(error.to_string()).into())
}

/// What a component says about itself, whatever else is wrong with it.
pub(super) fn manifest_of(component: &[u8]) -> Option<Manifest> {
    Manifest::said(manifest_text(component)?, Weight::of(component))
}

/// The same, as it stands in it.
pub(super) fn manifest_text(component: &[u8]) -> Option<&str> {
    check_form(component).ok()?;
    text(section(component).ok()??).ok()
}

/// Whether a component may want to take part in changes: it exports what plugins that do are asked by, or cannot be
/// read.
pub(super) fn may_take_part(component: &[u8]) -> bool {
    let handler = World::of(&Provides::ConfigurationSteps { steps: Vec::new() }).export;
    Outline::of(component).map_or(true, |outline| outline.exports.iter().any(|export| is_one(export, handler)))
}

fn check_form(component: &[u8]) -> Result<(), LoadError> {
    cap("bytes", component.len() as u64, LARGEST as u64)?;
    if component.trim_ascii_start().starts_with(b"(") {
        return Err(LoadError::Text);
    }
    if Parser::is_core_wasm(component) {
        return Err(LoadError::CoreModule);
    }
    if Parser::is_component(component) { Ok(()) } else { Err(LoadError::NotWasm) }
}

/// What is on the outermost level of a component.
#[derive(Default)]
struct Outline<'a> {
    manifest: Option<&'a [u8]>,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl<'a> Outline<'a> {
    fn of(component: &'a [u8]) -> Result<Self, LoadError> {
        let malformed = |error: wasmparser::BinaryReaderError| LoadError::Malformed(error.to_string());
        let mut outline = Self::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(malformed)? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
                    keep(&mut outline.manifest, section.data())?;
                }
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        outline.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        outline.exports.push(export.map_err(malformed)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
            cap("imports", outline.imports.len() as u64, MOST_NAMES as u64)?;
            cap("exports", outline.exports.len() as u64, MOST_NAMES as u64)?;
        }
        Ok(outline)
    }
}

fn is_offered(import: &str, world: &World, weight: Weight) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    match interface.strip_prefix(PACKAGE) {
        Some(name) => world.imports.contains(&name) && version.starts_with(GENERATION),
        None => {
            let of_runtimes: &[_] = if weight == Weight::Heavy { &OFFERED_TO_RUNTIMES } else { &[] };
            let mut offered = OFFERED.iter().chain(of_runtimes);
            offered.any(|(offered, start)| interface == *offered && version.starts_with(start))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::manifest::UpgradeSection;
    use super::*;
    use crate::domain::FaultPolicy;

    const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    const MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

    #[test]
    fn what_is_no_component_is_told_apart() {
        for (bytes, expected) in [
            (b"" as &[u8], "it is no WebAssembly component: it starts like something else"),
            (b"\x7fELF", "it is no WebAssembly component: it starts like something else"),
            (b" (component)", "it is WebAssembly text; give the binary form"),
            (&MODULE, "it is a core module and no component; compile it for `wasm32-wasip2`"),
            (&COMPONENT, "it has no manifest: `loadout plugin build` packs `plugin.toml` into it"),
            (&vec![0; LARGEST + 1], "it has 33554433 bytes; at most 33554432 are allowed"),
        ] {
            assert_eq!(inspect(bytes).unwrap_err().to_string(), expected);
        }
        let cut = [&COMPONENT as &[u8], &[1, 200]].concat();
        assert!(matches!(inspect(&cut), Err(LoadError::Malformed(_))));
    }

    #[test]
    fn a_component_of_components_without_end_is_refused_early() {
        let mut nested = COMPONENT.to_vec();
        for _ in 0..64 {
            nested.extend([4, 8]);
            nested.extend(COMPONENT);
        }
        let error = inspect(&nested).unwrap_err().to_string();
        assert_eq!(error, "it has 65 modules; at most 64 are allowed");
    }

    #[test]
    fn types_nested_without_end_are_refused_without_a_deep_stack() {
        // A million component types, each with one declaration: the next one.
        let nest = [0x41, 1, 1].repeat(1_000_000);
        let section = [&[1_u8] as &[u8], &nest, &[0x41, 0]].concat();
        let mut length = Vec::new();
        let mut rest = section.len();
        while rest > 0x7f {
            length.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        length.push(rest as u8);
        let nested = [&COMPONENT as &[u8], &[7], &length, &section].concat();
        let error = inspect(&nested).unwrap_err().to_string();
        assert_eq!(error, "it has 17 types nested in each other; at most 16 are allowed");
    }

    /// A section as it stands in a component: its id, a length that may be a lie, and what is in it.
    fn a_section() -> impl Strategy<Value = Vec<u8>> {
        let name = prop::sample::select(vec![MANIFEST_SECTION, "loadout:manifes", "name"]);
        let text = prop::sample::select(vec!["[plugin]\nname = 'a'\n", "", "[", "\u{feff}a = 1\n"]);
        let custom = (name, text)
            .prop_map(|(name, text)| (0_u8, [&[name.len() as u8], name.as_bytes(), text.as_bytes()].concat()));
        let other = (0_u8..14, proptest::collection::vec(any::<u8>(), 0..24));
        (prop_oneof![custom, other], 0_usize..5).prop_map(|((id, content), lie)| {
            let said = (content.len() + lie).saturating_sub(2).min(127) as u8;
            [&[id, said], &*content].concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        /// Sections in any order, some of them manifests, some longer or shorter than they say.
        #[test]
        fn whatever_sections_come_they_are_refused(sections in proptest::collection::vec(a_section(), 0..6)) {
            let component = [&COMPONENT as &[u8], &sections.concat()].concat();
            let refused = inspect(&component).unwrap_err();
            let is_broken = matches!(refused, LoadError::Broke);
            prop_assert!(!is_broken, "{}", refused);
            prop_assert!(manifest_of(&component).is_none());
        }

        #[test]
        fn a_damaged_component_never_panics(
            which in 0..loadout_plugins::ALL.len(),
            end in any::<proptest::sample::Index>(),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<bool>(),
        ) {
            let mut bytes = loadout_plugins::ALL[which].component.to_vec();
            if cut {
                bytes.truncate(end.index(bytes.len()) + 1);
            }
            for (at, byte) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            // Any answer will do that is one.
            let _ = (inspect(&bytes), manifest_of(&bytes));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

        #[test]
        fn a_damaged_manifest_is_refused_or_says_the_same_wherever_it_is_read(
            which in 0..loadout_plugins::ALL.len(),
            pieces in proptest::collection::vec(
                (any::<proptest::sample::Index>(), "[\\[\\]{}'\"=.,#\n a-z0-9$/]{1,6}"),
                0..4,
            ),
        ) {
            let original = loadout_plugins::ALL[which].component;
            let mut manifest = text(section(original).unwrap().unwrap()).unwrap().to_owned();
            for (at, piece) in &pieces {
                let at = at.index(manifest.len());
                if manifest.is_char_boundary(at) {
                    manifest.insert_str(at, piece);
                }
            }
            let component = loadout_plugin_build::embed_manifest(original, &manifest).unwrap();
            match inspect(&component) {
                Ok(manifest) => {
                    let (identity, _) = identify(&component).unwrap();
                    prop_assert_eq!(identity.full_name(), manifest.full_name());
                    prop_assert_eq!(identity.version, manifest.version);
                    prop_assert_eq!(manifest_of(&component), Some(manifest));
                }
                Err(_) => prop_assert!(!pieces.is_empty()),
            }
        }
    }

    /// A manifest as its author means it, and its text.
    #[derive(Debug, Clone)]
    struct Drawn {
        publisher: String,
        name: String,
        version: [u16; 3],
        description: String,
        kinds: Vec<String>,
        schema: Option<&'static str>,
    }

    impl Drawn {
        fn lines(&self) -> Vec<(&'static str, String)> {
            let [major, minor, patch] = self.version;
            // JSON escapes a text as TOML does.
            let text = |text: &str| serde_json::to_string(text).unwrap();
            let mut lines = vec![
                ("plugin", "[plugin]".to_owned()),
                ("publisher", format!("publisher = {}", text(&self.publisher))),
                ("name", format!("name = {}", text(&self.name))),
                ("version", format!("version = \"{major}.{minor}.{patch}\"")),
                ("world", "world = \"loadout:plugin/tool@0.1.0\"".to_owned()),
                ("description", format!("description = {}", text(&self.description))),
                ("tool", "[tool]".to_owned()),
                ("kinds", format!("kinds = {:?}", self.kinds)),
            ];
            if let Some(schema) = self.schema {
                lines.extend([("settings", "[settings]".to_owned()), ("schema", format!("schema = '{schema}'"))]);
            }
            lines
        }
    }

    fn drawn() -> impl Strategy<Value = Drawn> {
        let name = || "[a-z][a-z0-9-]{0,63}";
        let kinds = proptest::collection::btree_set(name(), 1..6).prop_map(|kinds| kinds.into_iter().collect());
        let schemas = ["{}", r#"{"type": "object"}"#, r#"{"properties": {"limit": {"type": "integer"}}}"#];
        let schema = prop::option::of(prop::sample::select(schemas.to_vec()));
        (name(), name(), any::<[u16; 3]>(), "[ -~äß李😀\n\"]{0,500}", kinds, schema).prop_map(
            |(publisher, name, version, description, kinds, schema)| {
                let description = description.replace('\u{7f}', " ");
                Drawn { publisher, name, version, description, kinds, schema }
            },
        )
    }

    /// What is put in place of a line, and the part of the refusal that says where the mistake is.
    const MISTAKES: [(&str, &str, &str); 15] = [
        ("publisher", "publisher = \"Contoso\"", "plugin.publisher"),
        ("publisher", "", "publisher"),
        ("name", "name = \"\"", "plugin.name"),
        ("name", "name = 7", "string"),
        ("version", "version = \"1.0\"", "plugin.version"),
        ("version", "version = \"1.0.0-rc\"", "plugin.version"),
        ("world", "world = \"loadout:plugin/mystery@0.1.0\"", "loadout:plugin/mystery@0.1.0"),
        ("world", "world = \"loadout:plugin/upgrade@0.1.0\"", "tool"),
        ("description", "colour = \"red\"", "colour"),
        ("plugin", "[plugins]", "plugin"),
        ("tool", "[tools]", "tool"),
        ("kinds", "kinds = []", "tool.kinds"),
        ("kinds", "kinds = [\"macros\", \"macros\"]", "tool.kinds"),
        ("kinds", "kinds = [\"Macros\"]", "tool.kinds"),
        ("kinds", "kinds = [\"macros\"]\ndefault = \"[]\"", "tool.default"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// What is as it should be is taken as it was meant, and one mistake in it is refused by the place it stands
        /// in.
        #[test]
        fn a_manifest_is_what_its_author_means_or_refused_by_the_place_of_the_mistake(
            drawn in drawn(),
            (at, mistake, place) in prop::sample::select(MISTAKES.to_vec()),
        ) {
            let is_tool = |it: &&loadout_plugins::Bundled| matches!(inspect(it.component), Ok(Manifest { provides: Provides::ToolRule { .. }, .. }));
            let tool = loadout_plugins::ALL.iter().find(is_tool).unwrap().component;
            let embedded = |lines: Vec<String>| loadout_plugin_build::embed_manifest(tool, &lines.join("\n")).unwrap();

            let component = embedded(drawn.lines().into_iter().map(|(_, line)| line).collect());
            let manifest = inspect(&component).unwrap();
            let [major, minor, patch] = drawn.version;
            prop_assert_eq!(manifest.full_name(), format!("{}/{}", drawn.publisher, drawn.name));
            prop_assert_eq!(manifest.version.to_string(), format!("{major}.{minor}.{patch}"));
            prop_assert_eq!(&manifest.description, &drawn.description);
            prop_assert_eq!(manifest.settings_schema.is_some(), drawn.schema.is_some());
            let Provides::ToolRule { kinds, .. } = &manifest.provides else { panic!("it is a tool: {manifest:?}") };
            prop_assert_eq!(kinds, &drawn.kinds);
            prop_assert_eq!(manifest_of(&component), Some(manifest));

            let spoilt = drawn.lines().into_iter().map(|(key, line)| if key == at { mistake.to_owned() } else { line });
            let refused = inspect(&embedded(spoilt.collect())).unwrap_err();
            let is_of_manifest = matches!(refused, LoadError::Manifest(_));
            prop_assert!(is_of_manifest && refused.to_string().contains(place), "`{}`: {}", mistake, refused);
        }
    }

    #[test]
    fn a_component_has_one_manifest() {
        let one = loadout_plugin_build::embed_manifest(&COMPONENT, "[plugin]\nname = 'a'\n").unwrap();
        let two = [&one[..], &one[COMPONENT.len()..]].concat();
        for refused in [inspect(&two).unwrap_err(), identify(&two).unwrap_err()] {
            assert!(refused.to_string().contains("two sections `loadout:manifest`"), "{refused}");
        }
    }

    #[test]
    fn a_component_that_exports_no_step_takes_no_part_in_changes() {
        for it in loadout_plugins::ALL {
            let is_handler = matches!(inspect(it.component).unwrap().provides, Provides::ConfigurationSteps { .. });
            assert_eq!(may_take_part(it.component), is_handler, "{}", it.name);
        }
        assert!(may_take_part(b"cut"), "it cannot be read");
        let cut = &loadout_plugins::ALL[0].component[..10_000];
        assert!(matches!(identify(cut), Err(LoadError::Malformed(_))), "what is cut off is not without a manifest");
    }

    /// A component that imports `name` and nothing else, with a manifest of `world` whose other part is `rest`.
    fn importing(name: &str, world: &str, rest: &str) -> Vec<u8> {
        // A section of one import: a resource that may be anything.
        let import = [&[1, 0, name.len() as u8], name.as_bytes(), &[3, 1]].concat();
        let component = [&COMPONENT as &[u8], &[10, import.len() as u8], &import].concat();
        let manifest = format!(
            "[plugin]\npublisher = \"tests\"\nname = \"imports\"\nversion = \"1.0.0\"\n\
             world = \"{world}\"\ndescription = \"Imports.\"\n{rest}"
        );
        loadout_plugin_build::embed_manifest(&component, &manifest).unwrap()
    }

    #[test]
    fn one_that_serves_hosts_of_two_generations_is_taken() {
        let manifest = "[plugin]\npublisher = \"tests\"\nname = \"both\"\nversion = \"1.0.0\"\n\
            world = \"loadout:plugin/tool@0.1.2\"\ndescription = \"Serves both.\"\n[tool]\nkinds = [\"scripts\"]\n";
        // An empty instance under some names.
        let exporting = |names: &[&str]| {
            let exports = names.iter().flat_map(|name| [&[0, name.len() as u8], name.as_bytes(), &[5, 0, 0]].concat());
            let exports: Vec<u8> = [names.len() as u8].into_iter().chain(exports).collect();
            let component = [&COMPONENT as &[u8], &[5, 3, 1, 1, 0], &[11, exports.len() as u8], &exports].concat();
            let embedded = loadout_plugin_build::embed_manifest(&component, manifest).unwrap();
            inspect(&embedded).map(|manifest| manifest.world).map_err(|refused| refused.to_string())
        };
        let (ours, later, next) =
            ("loadout:plugin/tool-rule@0.1.0", "loadout:plugin/tool-rule@0.1.2", "loadout:plugin/tool-rule@0.2.0");
        for taken in [&[ours][..], &[later], &[ours, next], &[next, later]] {
            assert_eq!(exporting(taken).as_deref(), Ok("loadout:plugin/tool@0.1.2"), "{taken:?}");
        }
        let refused = exporting(&[next]).unwrap_err();
        assert!(refused.starts_with("it is built against `loadout:plugin/tool-rule@0.2.0`"), "{refused}");
    }

    /// The interfaces of the contract that a component for `world` is refused for, and the sentence about one that no
    /// world has.
    fn refused(world: &str, rest: &str) -> String {
        let refusal = |import: &str| match inspect(&importing(import, world, rest)).unwrap_err() {
            refused @ (LoadError::Imports { .. } | LoadError::Generation { .. }) => Some(refused.to_string()),
            LoadError::WrongWorld { .. } => None,
            other => panic!("{import}: {other}"),
        };
        let interfaces = ["context", "library", "records", "knowledge", "http", "trace", "secrets"];
        let contract = |name: &&&str| refusal(&format!("loadout:plugin/{name}@0.1.0")).is_some();
        let refused = interfaces.iter().filter(contract).copied().collect::<Vec<_>>().join(" ");
        assert_eq!(refusal("wasi:io/poll@0.2.6"), None, "{world}");
        format!("{refused}\n{}", refusal("loadout:plugin/context@0.2.0").unwrap_or_default())
    }

    #[test]
    fn a_rule_imports_what_its_world_has() {
        insta::assert_snapshot!(refused("loadout:plugin/tool@0.1.0", "[tool]\nkinds = [\"scripts\"]\n"), @"
        secrets
        it is built against `loadout:plugin/context@0.2.0`, and this host offers `loadout:plugin` 0.1.0: build it with the SDK that `loadout plugin new` of this host brings along, or install it on a host that offers what it wants
        ");
    }

    #[test]
    fn a_step_around_rules_imports_what_its_world_has() {
        let step =
            "[[steps]]\nname = \"a\"\nmessage = \"tool.evaluate\"\nresource = \"macros\"\nstage = 20\nrank = 0\n";
        insta::assert_snapshot!(refused("loadout:plugin/tool-step@0.1.0", step), @"
        secrets
        it is built against `loadout:plugin/context@0.2.0`, and this host offers `loadout:plugin` 0.1.0: build it with the SDK that `loadout plugin new` of this host brings along, or install it on a host that offers what it wants
        ");
    }

    #[test]
    fn a_step_in_changes_imports_what_its_world_has() {
        let step = "[[steps]]\nname = \"a\"\nmessage = \"macro.delete\"\nstage = 20\nrank = 0\n";
        insta::assert_snapshot!(refused("loadout:plugin/step@0.1.0", step), @"
        context secrets
        it is built against `loadout:plugin/context@0.2.0`, and this host offers `loadout:plugin` 0.1.0: build it with the SDK that `loadout plugin new` of this host brings along, or install it on a host that offers what it wants
        ");
    }

    #[test]
    fn a_step_of_upgrades_imports_what_its_world_has() {
        let step = "[upgrade]\nreader = 1\n[[upgrade.tables]]\nname = \"old_tab\"\n";
        insta::assert_snapshot!(refused("loadout:plugin/upgrade@0.1.0", step), @"
        context records knowledge http secrets
        it is built against `loadout:plugin/context@0.2.0`, and this host offers `loadout:plugin` 0.1.0: build it with the SDK that `loadout plugin new` of this host brings along, or install it on a host that offers what it wants
        ");
    }

    /// The first column of the tables in `wit/LANGUAGES.md` whose imports start like this, and the second.
    fn written(start: &str) -> Vec<(&'static str, &'static str)> {
        let rows = include_str!("../../../wit/LANGUAGES.md").lines();
        let cells = rows.filter_map(|row| row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
        cells.filter(|(import, _)| import.starts_with(start) && !import.contains('@')).collect()
    }

    #[test]
    fn the_page_for_other_languages_lists_what_is_offered() {
        let names = |offered: &[(&'static str, &str)]| offered.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let (sockets, others): (Vec<&str>, Vec<&str>) =
            written("wasi:").into_iter().map(|(import, _)| import).partition(|it| it.starts_with("wasi:sockets/"));
        assert_eq!((others, sockets), (names(&OFFERED), names(&OFFERED_TO_RUNTIMES)));
        let worlds = [
            ("tool", Provides::ToolRule { kinds: Vec::new(), on_fault: FaultPolicy::Skip, default: None }),
            ("tool-step", Provides::ToolSteps { steps: Vec::new() }),
            ("step", Provides::ConfigurationSteps { steps: Vec::new() }),
            ("upgrade", Provides::UpgradeStep(UpgradeSection::default())),
        ];
        let has = |name: &str| {
            let having = worlds.iter().filter(|(_, provides)| World::of(provides).imports.contains(&name));
            having.map(|(world, _)| format!("`{world}`")).collect::<Vec<_>>().join(", ")
        };
        let contract = written(PACKAGE);
        for (import, worlds) in &contract {
            assert_eq!(has(import.trim_start_matches(PACKAGE)), *worlds, "for {import}");
        }
        assert_eq!(contract.len(), World::of(&worlds[0].1).imports.len());
    }

    #[test]
    fn only_what_is_listed_is_offered() {
        let world = World::of(&Provides::ConfigurationSteps { steps: Vec::new() });
        for (import, expected) in [
            ("loadout:plugin/library@0.1.0", true),
            ("loadout:plugin/library@0.1.7", true),
            ("loadout:plugin/library@0.2.0", false),
            ("loadout:plugin/context@0.1.0", false),
            ("loadout:plugin/secrets@0.1.0", false),
            ("wasi:io/poll@0.2.6", true),
            ("wasi:io/poll@0.3.0", false),
            ("wasi:sockets/tcp@0.2.6", false),
            ("wasi:http/outgoing-handler@0.2.0", false),
            ("wasi:cli/environment", false),
            ("print", false),
        ] {
            for weight in [Weight::Light, Weight::Heavy] {
                let expected = expected || weight == Weight::Heavy && import.starts_with("wasi:sockets/");
                assert_eq!(is_offered(import, world, weight), expected, "for {import}, {weight:?}");
            }
        }
    }
}
