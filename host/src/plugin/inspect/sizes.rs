//! What a component is made of, counted before anything validates or compiles it.
//!
//! Refuses by name and number what the pool could never run, and what would cost unreasonably much. Where a count would
//! need all of the linking, it is taken from above; what slips through is refused when the code is compiled or loaded.

mod nesting;

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, ElementItems, Encoding, Instance, MemoryType, Parser, Payload,
};

use crate::plugin::engine::{MEMORIES, TABLES};
use crate::plugin::limits::meter::TABLE_ELEMENTS;
use crate::plugin::limits::weight::Weight;

use super::error::LoadError;

/// Functions cost compile time each, however small they are.
const MOST_FUNCTIONS: u64 = 30_000;
/// The time to compile one function grows faster than its size.
const LARGEST_FUNCTION: u64 = 1 << 20;
const MOST_TYPES: u64 = 30_000;
const MOST_ALIASES: u64 = 30_000;
/// Modules and components, inner ones included.
const MOST_MODULES: u64 = 64;
/// Components that are instantiated. Each instance of a component is compiled anew.
const INSTANCES: u64 = 64;
const MOST_IMPORTS: u64 = 5_000;
const MOST_EXPORTS: u64 = 5_000;
const MOST_GLOBALS: u64 = 10_000;
const MOST_ELEMENTS: u64 = 100_000;
const MOST_DATA_SEGMENTS: u64 = 10_000;
/// Names end up in messages.
const LONGEST_NAME: u64 = 500;
const WASM_PAGE: u64 = 1 << 16;

/// Refuses a component that is made of too much.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    let (weight, mut sizes) = (Weight::of(component), Sizes::default());
    for payload in Parser::new(0).parse_all(component) {
        sizes.count(payload.map_err(malformed)?, component, weight)?;
        sizes.check(weight)?;
    }
    Ok(())
}

/// What instantiating something takes of the pool, from above.
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    instances: u64,
    core_instances: u64,
    memories: u64,
    memory: u64,
    tables: u64,
    elements: u64,
}

/// A module or component that is being read.
struct Frame {
    encoding: Encoding,
    parts: Parts,
    /// The modules of a component by index.
    modules: Vec<Parts>,
}

/// What was counted so far.
#[derive(Default)]
struct Sizes {
    frames: Vec<Frame>,
    /// The most any module so far takes, and the same of components: which one is meant is not always known.
    largest_module: Parts,
    largest_component: Parts,
    modules: u64,
    functions: u64,
    largest_function: u64,
    types: u64,
    aliases: u64,
    imports: u64,
    exports: u64,
    globals: u64,
    elements: u64,
    data_segments: u64,
    longest_name: u64,
}

impl Sizes {
    fn count(&mut self, payload: Payload<'_>, component: &[u8], weight: Weight) -> Result<(), LoadError> {
        let many = |count: u32| u64::from(count);
        match payload {
            Payload::Version { encoding, .. } => self.enter(encoding),
            Payload::End(_) => self.leave(),
            Payload::TypeSection(section) => self.types += many(section.count()),
            Payload::CoreTypeSection(section) => self.types += many(section.count()),
            Payload::ComponentTypeSection(section) => {
                let text = component.get(section.range()).unwrap_or_default();
                self.types += nesting::count(text, section.range().start)?;
            }
            Payload::FunctionSection(section) => self.functions += many(section.count()),
            Payload::ComponentCanonicalSection(section) => self.functions += many(section.count()),
            Payload::CodeSectionEntry(body) => {
                self.largest_function = self.largest_function.max(body.range().len() as u64);
            }
            Payload::ImportSection(section) => self.imports += many(section.count()),
            Payload::ExportSection(section) => self.exports += many(section.count()),
            Payload::GlobalSection(section) => self.globals += many(section.count()),
            Payload::DataSection(section) => self.data_segments += many(section.count()),
            Payload::ElementSection(section) => {
                for element in section {
                    self.elements += many(match element.map_err(malformed)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = bytes(memory.map_err(malformed)?);
                    self.here(|parts| parts.add(Parts { memories: 1, memory, ..Parts::default() }));
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let elements = table.map_err(malformed)?.ty.initial;
                    self.here(|parts| parts.add(Parts { tables: 1, elements, ..Parts::default() }));
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance.map_err(malformed)? {
                        let any = self.largest_module;
                        self.inside(|frame| {
                            let index = usize::try_from(module_index).unwrap_or(usize::MAX);
                            frame.parts.add(frame.modules.get(index).copied().unwrap_or(any));
                        });
                        self.check(weight)?;
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { .. } = instance.map_err(malformed)? {
                        let any = self.largest_component;
                        self.here(|parts| {
                            parts.add(any);
                            parts.instances = parts.instances.saturating_add(1);
                        });
                        self.check(weight)?;
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                self.aliases += many(section.count());
                for alias in section {
                    if let ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
                    | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } =
                        alias.map_err(malformed)?
                    {
                        self.unknown_module();
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                self.imports += many(section.count());
                for import in section {
                    let import = import.map_err(malformed)?;
                    self.name(import.name.name);
                    if let ComponentTypeRef::Module(_) = import.ty {
                        self.unknown_module();
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.exports += many(section.count());
                for export in section {
                    self.name(export.map_err(malformed)?.name.name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self, weight: Weight) -> Result<(), LoadError> {
        let parts = self.frames.last().map(|frame| frame.parts).unwrap_or_default();
        for (what, found, limit) in [
            ("modules", self.modules, MOST_MODULES),
            ("functions", self.functions, MOST_FUNCTIONS),
            ("bytes of code in one function", self.largest_function, LARGEST_FUNCTION),
            ("types", self.types, MOST_TYPES),
            ("aliases", self.aliases, MOST_ALIASES),
            ("imports", self.imports, MOST_IMPORTS),
            ("exports", self.exports, MOST_EXPORTS),
            ("globals", self.globals, MOST_GLOBALS),
            ("elements of table segments", self.elements, MOST_ELEMENTS),
            ("data segments", self.data_segments, MOST_DATA_SEGMENTS),
            ("bytes in one name", self.longest_name, LONGEST_NAME),
            ("component instances", parts.instances, INSTANCES),
            ("core instances", parts.core_instances, weight.core_instances().into()),
            ("memories", parts.memories, MEMORIES.into()),
            ("bytes of memory from the start", parts.memory, weight.memory() as u64),
            ("tables", parts.tables, TABLES.into()),
            ("table elements from the start", parts.elements, TABLE_ELEMENTS as u64),
        ] {
            super::error::cap(what, found, limit)?;
        }
        Ok(())
    }

    fn enter(&mut self, encoding: Encoding) {
        self.modules += 1;
        let core_instances = u64::from(encoding == Encoding::Module);
        self.frames.push(Frame { encoding, parts: Parts { core_instances, ..Parts::default() }, modules: Vec::new() });
    }

    fn leave(&mut self) {
        match self.frames.pop() {
            Some(Frame { encoding: Encoding::Module, parts, .. }) => {
                self.largest_module.raise(parts);
                self.inside(|frame| frame.modules.push(parts));
            }
            Some(component) => self.largest_component.raise(component.parts),
            None => {}
        }
    }

    fn unknown_module(&mut self) {
        let any = self.largest_module;
        self.inside(|frame| frame.modules.push(any));
    }

    fn name(&mut self, name: &str) {
        self.longest_name = self.longest_name.max(name.len() as u64);
    }

    fn here(&mut self, change: impl FnOnce(&mut Parts)) {
        self.inside(|frame| change(&mut frame.parts));
    }

    fn inside(&mut self, change: impl FnOnce(&mut Frame)) {
        if let Some(frame) = self.frames.last_mut() {
            change(frame);
        }
    }
}

impl Parts {
    fn add(&mut self, other: Self) {
        self.each(other, u64::saturating_add);
    }

    fn raise(&mut self, other: Self) {
        self.each(other, Ord::max);
    }

    fn each(&mut self, other: Self, join: fn(u64, u64) -> u64) {
        *self = Self {
            instances: join(self.instances, other.instances),
            core_instances: join(self.core_instances, other.core_instances),
            memories: join(self.memories, other.memories),
            memory: join(self.memory, other.memory),
            tables: join(self.tables, other.tables),
            elements: join(self.elements, other.elements),
        };
    }
}

fn bytes(memory: MemoryType) -> u64 {
    let page = memory.page_size_log2.map_or(Some(WASM_PAGE), |log2| 1_u64.checked_shl(log2)).unwrap_or(u64::MAX);
    memory.initial.saturating_mul(page)
}

fn malformed(error: BinaryReaderError) -> LoadError {
    LoadError::Malformed(error.to_string())
}
