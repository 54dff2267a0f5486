//! What the process that compiles does, from its first line to its last.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use wasmtime::component::Component;
use wasmtime::{Config as EngineConfig, Engine, OptLevel, Trap};

use crate::domain::message::Stage;
use crate::domain::trace;
use crate::pipeline::Event;
use crate::plugin::amendment::Question;
use crate::plugin::call;
use crate::plugin::engine::{self, Config};
use crate::plugin::inspect::inspect;
use crate::plugin::limits::Exceeded;
use crate::plugin::manifest::Provides;
use crate::plugin::v0_1::Rule;
use crate::plugin::v0_1::configuration::Handler;
use crate::plugin::v0_1::evaluation::Evaluator;
use crate::plugin::v0_1::upgrade::Step;
use crate::plugin::weight::Weight;
use crate::plugin::{trap, workshop};
use crate::resolve::Reads;
use crate::upgrade::Page;

use super::{INVALID, READY, REFUSED, UNFIT};

/// What start code may use: about a second of work.
const FUEL: u64 = 500_000_000;

/// Seconds of processor time between being told that there are no more and being killed.
const GRACE: u64 = 2;

/// How nice the process is to others: as nice as can be.
const NICENESS: i32 = 19;

/// Reads a component from `input`, compiles it, starts it once, and writes what came of it to `output`.
///
/// For a process of its own: sets limits of processor time and memory that hold until its end.
pub fn compile_as_child(
    processor_seconds: u64,
    memory: u64,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    let limit = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    // The end by `SIGXCPU` says that the limit was reached. Without room above it the system would kill, as anybody may.
    let most = processor_seconds.saturating_add(GRACE);
    setrlimit(Resource::Cpu, Rlimit { current: Some(processor_seconds), maximum: Some(most) })?;
    limit(Resource::Data, memory)?;
    limit(Resource::Core, 0)?;
    setpriority_process(None, NICENESS)?;
    let mut component = Vec::new();
    input.read_to_end(&mut component)?;
    let (word, answer) = match compile(&component) {
        Ok(code) => (READY, code),
        Err((word, refusal)) => (word, refusal.into_bytes()),
    };
    output.write_all(&[word])?;
    output.write_all(&answer)?;
    output.flush()
}

/// The code, or what is wrong and the word that says so.
fn compile(component: &[u8]) -> Result<Vec<u8>, (u8, String)> {
    let invalid = |error: wasmtime::Error| (INVALID, format!("{error:#}"));
    let config = Config::default();
    let mut serving = engine::code();
    serving.parallel_compilation(false);
    let code = Engine::new(&serving).and_then(|engine| engine.precompile_component(component)).map_err(invalid)?;
    start(component, &config)?;
    Ok(code)
}

/// Starts an instance under fuel and asks it something, in an engine of its own: with fuel, the same component always ends the same
/// way. What it answers does not matter, and neither does how it breaks: only start code that traps, and whatever goes on and on,
/// is refused. A toolchain may run start code in the first question.
fn start(bytes: &[u8], config: &Config) -> Result<(), (u8, String)> {
    let cannot = |error: wasmtime::Error| (REFUSED, format!("{error:#}"));
    let manifest = inspect(bytes).map_err(|error| (REFUSED, error.to_string()))?;
    // Here first, so that the host never builds what is not fit to be built.
    manifest.settings().map_err(|error| (INVALID, error.to_string()))?;
    let mut fuelled: EngineConfig = engine::code();
    // It runs once: what optimises it costs more than it saves.
    fuelled
        .parallel_compilation(false)
        .consume_fuel(true)
        .epoch_interruption(false)
        .cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&fuelled).map_err(cannot)?;
    let linker = workshop::linker(&engine).map_err(cannot)?;
    let compiled = Component::from_binary(&engine, bytes).map_err(cannot)?;
    let most = Weight::of(bytes).limits(match manifest.provides {
        Provides::Tool { .. } | Provides::ToolSteps { .. } => config.limits,
        Provides::Step(_) => config.step_limits,
        Provides::Handler { .. } => config.handler_limits,
    });
    let limits = most.lowered(manifest.limits);
    let component = Arc::new(trace::Component { plugin: manifest.full_name(), ..trace::Component::default() });
    let mut store = call::store_in(&engine, &component, &limits, Reads::new(Arc::default(), Arc::default()));
    store.set_fuel(FUEL).map_err(cannot)?;
    let unfit = |error: wasmtime::Error| (UNFIT, format!("{error:#}"));
    let asked = match &manifest.provides {
        Provides::Tool { .. } => {
            let instance = Rule::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| instance.evaluate(&mut store, "{}").err())
        }
        Provides::Step(_) => {
            let instance = Step::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| instance.check(&mut store, &Page::default()).err())
        }
        Provides::Handler { steps } => {
            let instance = Handler::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| {
                let name = steps.first().map_or("", |step| step.name.as_str());
                instance.execute(&mut store, name, "{}", &Event::default()).err()
            })
        }
        Provides::ToolSteps { steps } => {
            let instance = Evaluator::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| {
                let (name, stage) = steps.first().map_or(("", Stage::PreOperation), |it| (it.name.as_str(), it.stage));
                let question = Question { tool: "", stage, settings: "{}", decision: None, properties: &[] };
                instance.execute(&mut store, name, "{}", &question).err()
            })
        }
    };
    let endless = |error: &wasmtime::Error| error.downcast_ref() == Some(&Trap::OutOfFuel);
    const ENDLESS: &str = "it goes on and on, and used up the fuel of many calls";
    match asked {
        Ok(Some(error)) if endless(&error) => Err((REFUSED, ENDLESS.to_owned())),
        Ok(_) => Ok(()),
        Err(error) if endless(&error) => Err((REFUSED, ENDLESS.to_owned())),
        Err(error) if error.is::<Trap>() || error.is::<Exceeded>() => {
            Err((REFUSED, trap::explain(&error, store.data(), &limits).to_string()))
        }
        Err(error) if trap::is_unfit(&error) => Err(unfit(error)),
        Err(error) => Err(cannot(error)),
    }
}
