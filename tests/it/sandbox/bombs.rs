//! Components that cost more than they look: each is refused by the name of what there is too much of, and costs the
//! server nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use loadout::plugin::{Catalog, ChildCompiler, CompileLimits, Compiler, Config, Loader};
use loadout::resolve::{Facts, Reads, ToolRules};
use loadout::store::Snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, share_compiled};
use loadout_tests::program::{self, server};
use loadout_tests::{bombs, host};

/// Far more than uploads leave behind, and far less than compiling what is in them would take.
const GROWTH: u64 = 256 << 20;

/// Bombs by name, each in the plugin `tests/bomb`.
pub(crate) fn all() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let good = rule(guests::WELL_BEHAVED, "bomb", "1.0.0", "bomb")?;
    let module = |module| bombs::with_module(&good, &module);
    Ok(vec![
        ("many tiny functions", module(bombs::functions(40_000))),
        ("one enormous function", module(bombs::long_function(200_000))),
        ("a huge table", module(bombs::tables(&[10_000_000]))),
        ("many tables", module(bombs::tables(&[1; 9]))),
        ("a huge memory", module(bombs::memories(&[65_536]))),
        ("many memories", module(bombs::memories(&[1; 3]))),
        ("instances of instances", bombs::doubling(&good, 20)),
        ("many components", bombs::doubling(&good, 70)),
        ("a module handed over", bombs::handing_over(&good, &bombs::memories(&[1, 1]))),
        ("many data segments", module(bombs::data(20_000, 1))),
        ("many elements", module(bombs::elements(200_000))),
        ("many globals", module(bombs::globals(20_000))),
        ("many exports", module(bombs::exports(20_000))),
        ("many imports", module(bombs::imports(20_000))),
        ("a long name", bombs::importing(&good, &format!("x:y/{}@0.1.0", "z".repeat(90_000)))),
        ("an import of somebody else", bombs::importing(&good, "contoso:secrets/vault@1.0.0")),
        ("invalid code", module(bombs::invalid())),
        ("a table that grows at the start", module(bombs::growing_table(100_000_000))),
    ])
}

/// A refusal without what differs from build to build: where something is wrong, and how much of it a toolchain put
/// into the good plugin.
pub(crate) fn plain(refused: &Reply) -> String {
    let json = refused.json();
    let detail = json["detail"].as_str().unwrap_or_default();
    let detail = detail.split(" (at offset").next().unwrap_or_default();
    let mut words: Vec<&str> = detail.split(' ').filter(|word| !word.starts_with("wasm[")).collect();
    if let Some(at) = words.windows(2).position(|pair| pair[0] == "at" && pair[1] == "offset") {
        words.drain(at..at + 3);
    }
    let number = |word: Option<&&str>| word.and_then(|word| word.parse::<u64>().ok());
    let has = words.windows(2).position(|pair| pair == ["it", "has"]).map(|at| at + 2);
    let most = words.windows(2).position(|pair| pair == ["at", "most"]).map(|at| at + 2);
    if let (Some(has), Some(most)) = (has, most)
        && number(words.get(has)) > number(words.get(most))
    {
        words[has] = "more";
    }
    format!("{} {} {}", refused.status, json["code"].as_str().unwrap_or_default(), words.join(" "))
}

#[tokio::test]
async fn each_bomb_is_refused_by_name_and_the_server_does_not_grow() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    let server = server(folder.path())?;
    let caller = server.caller();
    let before = server.memory()?;
    let mut refusals = Vec::new();
    for (what, bomb) in all()? {
        let refused = caller.install("", &bomb).await?;
        refusals.push(format!("{what}: {}", plain(&refused)));
        assert_eq!(caller.get("/health/ready").await?.status, 200, "after {what}");
    }
    assert_snapshot!(refusals.join("\n"), @"
    many tiny functions: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more functions; at most 30000 are allowed
    one enormous function: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more bytes of code in one function; at most 1048576 are allowed
    a huge table: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more table elements from the start; at most 20000 are allowed
    many tables: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more tables; at most 8 are allowed
    a huge memory: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more bytes of memory from the start; at most 33554432 are allowed
    many memories: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more memories; at most 2 are allowed
    instances of instances: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more core instances; at most 16 are allowed
    many components: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more modules; at most 64 are allowed
    a module handed over: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it cannot be made ready: module memory does not fit in pooling allocator requirements: defined memories count of 2 exceeds the per-instance limit of 1
    many data segments: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more data segments; at most 10000 are allowed
    many elements: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more elements of table segments; at most 100000 are allowed
    many globals: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more globals; at most 10000 are allowed
    many exports: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more exports; at most 5000 are allowed
    many imports: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more imports; at most 5000 are allowed
    a long name: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it has more bytes in one name; at most 500 are allowed
    an import of somebody else: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it imports `contoso:secrets/vault@1.0.0`, which a plugin for the world `loadout:plugin/tool@0.1.0` is not offered; of `loadout:plugin` that world has `context`, `library`, `records`, `knowledge`, `http`, `trace`: leave out what needs more
    invalid code: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it cannot be made ready: failed to compile: WebAssembly translation error: Invalid input WebAssembly code type mismatch: expected i32 but nothing on stack
    a table that grows at the start: 422 plugin-refused plugin `tests/bomb` 1.0.0 is refused: it does not start: it asked for more than 20000 elements in a table
    ");
    let after = server.memory()?;
    assert!(after < before + GROWTH, "{before} bytes before, {after} after");
    Ok(())
}

/// What is within every count and still takes long is ended by the limits of the process that compiles. Who only waited
/// is not to blame.
#[test]
fn the_compiler_is_ended_by_its_limits_and_the_limit_is_named() -> Done {
    let good = rule(guests::WELL_BEHAVED, "bomb", "1.0.0", "bomb")?;
    let functions = bombs::with_module(&good, &bombs::functions(25_000));
    let blocks = bombs::with_module(&good, &bombs::blocks(100_000));
    let of_seconds = CompileLimits { processor_seconds: 1, ..CompileLimits::default() };
    let of_bytes = CompileLimits { memory: 64 << 20, ..CompileLimits::default() };
    let of_time = CompileLimits { time: Duration::from_millis(200), ..CompileLimits::default() };
    let mut refusals = Vec::new();
    for (what, bomb, limits) in [
        ("functions", &functions, of_seconds),
        ("functions", &functions, of_bytes),
        ("functions", &functions, of_time),
        ("blocks", &blocks, of_seconds),
    ] {
        let folder = tempfile::tempdir()?;
        let loader = Loader::open(Some(folder.path()), Config { slots: 1, ..Config::default() })?;
        let compiler = Compiler::Child(ChildCompiler::new(program::path(), limits));
        let refused = loader.prepare(bomb, &compiler).err().map(|error| error.to_string());
        refusals.push(format!("{what}: {}", refused.unwrap_or_default()));
    }
    assert_snapshot!(refusals.join("\n"), @"
    functions: compiling it takes more than 1 seconds of processor time: split it, or leave out what it does not need
    functions: compiling it takes more than 64 MiB of memory, or all of the stack: split it, or leave out what it does not need
    functions: it was not made ready: compiling it was not done after 0.2 seconds, because the machine is busy: try again when it is not
    blocks: compiling it takes more than 1 seconds of processor time: split it, or leave out what it does not need
    ");
    Ok(())
}

/// What is compiled once is compiled again after its file was damaged, and answers the same. Damaged code is never
/// used: without a compiler there is no answer at all.
#[test]
fn damaged_code_costs_a_compilation_and_nothing_else() -> Done {
    let folder = tempfile::tempdir()?;
    share_compiled(folder.path())?;
    let compiler = host::platform().compiler;
    let none = Compiler::Child(ChildCompiler::new("/nowhere", CompileLimits::default()));
    let good = rule(guests::WELL_BEHAVED, "damaged", "1.0.0", "damaged")?;
    let digest = Loader::digest(&good).to_string();
    let cache = folder.path().join("cache");
    let kept = || -> Result<Vec<PathBuf>, Failure> {
        let files = std::fs::read_dir(&cache)?.map(|entry| Ok(entry?.path()));
        let files: Vec<PathBuf> = files.collect::<Result<_, std::io::Error>>()?;
        let is_kept = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(&digest));
        Ok(files.into_iter().filter(is_kept).collect())
    };
    // Each time in a new loader, as in a new process.
    let answer = |compiler: &Compiler| -> Result<String, Failure> {
        let loader = Loader::open(Some(&cache), Config { slots: 1, ..Config::default() })?;
        let mut catalog = Catalog::of(&loader);
        catalog.add(loader.prepare(&good, compiler)?)?;
        let reads = Reads::new(Arc::new(Snapshot::default()), Arc::new(Facts::default()));
        let asked = catalog.evaluate("damaged", "{}", reads).ok_or("no rule is bound")?;
        Ok(format!("{:?}", asked.outcome))
    };
    let before = answer(&compiler)?;
    assert_eq!(answer(&none)?, before, "what is whole needs no compiler");
    for damage in [&b""[..], b"short", &[7; 4096]] {
        let files = kept()?;
        assert!(!files.is_empty(), "there is code to damage");
        for file in &files {
            std::fs::write(file, damage)?;
        }
        let refused = answer(&none).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("the compiler cannot be started"), "damaged code was used: {refused}");
        assert_eq!(answer(&compiler)?, before);
        assert_eq!(answer(&none)?, before, "and what was compiled again is kept");
    }
    Ok(())
}
