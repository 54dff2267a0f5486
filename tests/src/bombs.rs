//! Components that cost more than they look: a good plugin with a module or a component behind it that no toolchain
//! makes.

use std::borrow::Cow;

use wasm_encoder::{
    CodeSection, Component, ComponentExportKind, ComponentImportSection, ComponentInstanceSection, ComponentSection,
    ComponentTypeRef, ConstExpr, CoreTypeSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, InstanceSection, MemorySection,
    MemoryType, Module, ModuleArg, ModuleSection, ModuleType, NestedComponentSection, RefType, StartSection,
    TableSection, TableType, TypeBounds, TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

/// A component with `module` in it, which is instantiated whenever the component is.
pub fn with_module(component: &[u8], module: &Module) -> Vec<u8> {
    let mut bomb = component.to_vec();
    let index = Outermost::of(component).modules;
    ModuleSection(module).append_to_component(&mut bomb);
    instance_of(index).append_to_component(&mut bomb);
    bomb
}

/// A component with a component in it that makes two instances of the one in it, and so on: `levels` deep.
pub fn doubling(component: &[u8], levels: u32) -> Vec<u8> {
    let mut innermost = Component::new();
    innermost.section(&ModuleSection(&Module::new()));
    innermost.section(&instance_of(0));
    let mut inner = innermost;
    for _ in 0..levels {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        outer.section(&instances_of(0, 2));
        inner = outer;
    }
    let mut bomb = component.to_vec();
    NestedComponentSection(&inner).append_to_component(&mut bomb);
    instances_of(Outermost::of(component).components, 1).append_to_component(&mut bomb);
    bomb
}

/// A component with a component in it that is handed a module which only comes later.
pub fn handing_over(component: &[u8], module: &Module) -> Vec<u8> {
    let mut types = CoreTypeSection::new();
    types.ty().module(&ModuleType::new());
    let mut imports = ComponentImportSection::new();
    imports.import("it", ComponentTypeRef::Module(0));
    let mut inner = Component::new();
    inner.section(&types);
    inner.section(&imports);
    inner.section(&instance_of(0));
    let outermost = Outermost::of(component);
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(outermost.components, [("it", ComponentExportKind::Module, outermost.modules)]);
    let mut bomb = component.to_vec();
    NestedComponentSection(&inner).append_to_component(&mut bomb);
    ModuleSection(module).append_to_component(&mut bomb);
    instances.append_to_component(&mut bomb);
    bomb
}

/// A component that imports `name` besides.
pub fn importing(component: &[u8], name: &str) -> Vec<u8> {
    let mut imports = ComponentImportSection::new();
    imports.import(name, ComponentTypeRef::Type(TypeBounds::SubResource));
    let mut bomb = component.to_vec();
    imports.append_to_component(&mut bomb);
    bomb
}

/// A module of `count` functions that add a little.
pub fn functions(count: u32) -> Module {
    let adds = |at: u32| {
        let mut function = Function::new([(1, ValType::I32)]);
        let value = i32::try_from(at).unwrap_or_default();
        function.instructions().local_get(0).i32_const(value).i32_add().local_set(0).end();
        function
    };
    code((0..count).map(adds))
}

/// A module of one function with `count` additions.
pub fn long_function(count: u32) -> Module {
    let mut function = Function::new([(2, ValType::I64)]);
    for at in 0..count {
        function.instructions().local_get(at % 2).i64_const(at.into()).i64_add().local_set((at + 1) % 2);
    }
    function.instructions().end();
    code([function])
}

/// A module of one function with `depth` blocks in each other, each of which may be left.
pub fn blocks(depth: u32) -> Module {
    let mut function = Function::new([(1, ValType::I32)]);
    for _ in 0..depth {
        function.instructions().block(wasm_encoder::BlockType::Empty).local_get(0).br_if(0);
    }
    for _ in 0..=depth {
        function.instructions().end();
    }
    code([function])
}

/// A module with the code of other people and an error in it: it adds where nothing is.
pub fn invalid() -> Module {
    let mut function = Function::new([]);
    function.instructions().i32_add().drop().end();
    code([function])
}

/// A module that grows its table by `elements` as soon as it is there.
pub fn growing_table(elements: i32) -> Module {
    let mut function = Function::new([]);
    let null = wasm_encoder::HeapType::FUNC;
    function.instructions().ref_null(null).i32_const(elements).table_grow(0).drop().end();
    let mut module = Module::new();
    module.section(&function_type()).section(&functions_of_type_0(1)).section(&table_section(&[0]));
    module.section(&StartSection { function_index: 0 });
    module.section(CodeSection::new().function(&function));
    module
}

/// A module with tables of these sizes.
pub fn tables(sizes: &[u64]) -> Module {
    let mut module = Module::new();
    module.section(&table_section(sizes));
    module
}

/// A module with memories of so many pages.
pub fn memories(pages: &[u64]) -> Module {
    let mut module = Module::new();
    module.section(&memory_section(pages));
    module
}

/// A module of which nothing but the data is large: `segments` of `bytes` zeros.
pub fn data(segments: u32, bytes: usize) -> Module {
    let mut data = DataSection::new();
    for _ in 0..segments {
        data.passive(std::iter::repeat_n(0, bytes));
    }
    let mut module = Module::new();
    module.section(&memory_section(&[1])).section(&data);
    module
}

/// A module with a table segment of so many elements.
pub fn elements(count: usize) -> Module {
    let mut elements = ElementSection::new();
    elements.passive(Elements::Functions(Cow::Owned(vec![0; count])));
    let mut function = Function::new([]);
    function.instructions().end();
    let mut module = Module::new();
    module.section(&function_type()).section(&functions_of_type_0(1)).section(&elements);
    module.section(CodeSection::new().function(&function));
    module
}

/// A module with so many globals.
pub fn globals(count: u32) -> Module {
    let mut globals = GlobalSection::new();
    for _ in 0..count {
        let of_type = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(of_type, &ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&globals);
    module
}

/// A module that exports one memory so many times.
pub fn exports(count: u32) -> Module {
    let mut exports = ExportSection::new();
    for at in 0..count {
        exports.export(&at.to_string(), ExportKind::Memory, 0);
    }
    let mut module = Module::new();
    module.section(&memory_section(&[1])).section(&exports);
    module
}

/// A module that imports so many functions.
pub fn imports(count: u32) -> Module {
    let mut imports = ImportSection::new();
    for at in 0..count {
        imports.import("it", &at.to_string(), EntityType::Function(0));
    }
    let mut module = Module::new();
    module.section(&function_type()).section(&imports);
    module
}

/// What a component has on its outermost level.
struct Outermost {
    modules: u32,
    components: u32,
}

impl Outermost {
    fn of(component: &[u8]) -> Self {
        let (mut depth, mut outermost) = (0, Self { modules: 0, components: 0 });
        // What cannot be read is counted no further; then the bomb is another one.
        for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ModuleSection { .. } if depth == 1 => outermost.modules += 1,
                Payload::ComponentSection { .. } if depth == 1 => outermost.components += 1,
                _ => {}
            }
        }
        outermost
    }
}

fn code(functions: impl IntoIterator<Item = Function>) -> Module {
    let mut code = CodeSection::new();
    for function in functions {
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&function_type()).section(&functions_of_type_0(code.len())).section(&code);
    module
}

fn function_type() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

fn functions_of_type_0(count: u32) -> FunctionSection {
    let mut functions = FunctionSection::new();
    for _ in 0..count {
        functions.function(0);
    }
    functions
}

fn table_section(sizes: &[u64]) -> TableSection {
    let mut tables = TableSection::new();
    for &minimum in sizes {
        let element_type = RefType::FUNCREF;
        tables.table(TableType { element_type, table64: false, minimum, maximum: None, shared: false });
    }
    tables
}

fn memory_section(pages: &[u64]) -> MemorySection {
    let mut memories = MemorySection::new();
    for &minimum in pages {
        memories.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
    }
    memories
}

fn instance_of(module: u32) -> InstanceSection {
    let mut instances = InstanceSection::new();
    instances.instantiate(module, std::iter::empty::<(&str, ModuleArg)>());
    instances
}

fn instances_of(component: u32, count: u32) -> ComponentInstanceSection {
    let mut instances = ComponentInstanceSection::new();
    for _ in 0..count {
        instances.instantiate(component, std::iter::empty::<(&str, ComponentExportKind, u32)>());
    }
    instances
}
