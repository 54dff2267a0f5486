//! What the processes that compile and try do, from their first line to their last.
//!
//! Each sets itself limits, makes its engine, gives up its rights, and only then reads the component. The one that
//! compiles runs nothing of the component. The one that tries runs it, and gives back a verdict alone: no code comes
//! out of a process that ran a guest.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use wasmtime::component::Component;
use wasmtime::{Config as EngineConfig, Engine, OptLevel, Trap};

use crate::domain::message::Stage;
use crate::domain::trace;
use crate::pipeline::Event;
use crate::plugin::config::Config;
use crate::plugin::engine;
use crate::plugin::inspect::{LARGEST, inspect};
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::weight::Weight;
use crate::plugin::manifest::provides::Provides;
use crate::plugin::sandbox::call as sandbox;
use crate::plugin::sandbox::trap;
use crate::plugin::worlds::amendment::Question;
use crate::plugin::worlds::linker;
use crate::plugin::worlds::v0_1::PreparedToolRule;
use crate::plugin::worlds::v0_1::configuration::PreparedConfigurationStep;
use crate::plugin::worlds::v0_1::evaluation::PreparedToolStep;
use crate::plugin::worlds::v0_1::upgrade::PreparedUpgradeStep;
use crate::resolve::Reads;
use crate::upgrade::Page;

use super::confine::Confinement;
use super::{INVALID, LONGEST_REFUSAL, READY, REFUSED, UNFIT, Work};

/// What start code may use: about a second of work.
const FUEL: u64 = 500_000_000;

/// Seconds of processor time between being told that there are no more and being killed.
const GRACE: u64 = 2;

/// How nice the process is to others: as nice as can be.
const NICENESS: i32 = 19;

/// Reads a component from `input`, does `work` with it, and writes what came of it to `output`.
///
/// For a process of its own: sets limits of processor time and memory, and gives up rights, for good.
pub fn work_as_child(
    work: Work,
    processor_seconds: u64,
    memory: u64,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    let limit = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    // The end by `SIGXCPU` says that the limit was reached. Without room above it the system would end the process by
    // `SIGKILL`, which any process may send.
    let most = processor_seconds.saturating_add(GRACE);
    setrlimit(Resource::Cpu, Rlimit { current: Some(processor_seconds), maximum: Some(most) })?;
    limit(Resource::Data, memory)?;
    limit(Resource::Core, 0)?;
    setpriority_process(None, NICENESS)?;
    // `rustix` keeps what the kernel told this process at its start. Some kernels have a file for that and no call.
    rustix::param::page_size();
    // Asks the system what the processor can do, which may take more rights than the work itself.
    let engine = Engine::new(&engine_for(work));
    // Said before the first byte of the component is read, so that nothing in it has a part in what is said.
    output.write_all(&[Confinement::of(work).to_byte()])?;
    output.flush()?;
    let component = component(input)?;
    let invalid = |error: wasmtime::Error| (INVALID, format!("{error:#}"));
    let done = engine.map_err(invalid).and_then(|engine| match work {
        Work::Compile => engine.precompile_component(&component).map_err(invalid),
        Work::Try => start(&engine, &component, &Config::default()).map(|()| Vec::new()),
    });
    let (word, mut answer) = match done {
        Ok(code) => (READY, code),
        Err((word, refusal)) => (word, refusal.into_bytes()),
    };
    if word != READY {
        answer.truncate(LONGEST_REFUSAL);
    }
    output.write_all(&[word])?;
    output.write_all(&(answer.len() as u64).to_le_bytes())?;
    output.write_all(&answer)?;
    output.flush()
}

/// The component, whole: the start of one would be another.
fn component(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut length = [0; size_of::<u64>()];
    input.read_exact(&mut length)?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok().filter(|length| *length <= LARGEST);
    let mut component = vec![0; length.ok_or_else(|| io::Error::other("the component is too large"))?];
    input.read_exact(&mut component)?;
    Ok(component)
}

/// The engine of the code that will serve, or of code that is thrown away. With fuel, the same component always ends
/// the same way.
fn engine_for(work: Work) -> EngineConfig {
    let mut config = engine::code();
    // One thread does all of it.
    config.parallel_compilation(false);
    if work == Work::Try {
        // It runs once: what optimises it costs more than it saves. A memory that is copied needs no file.
        config.consume_fuel(true).epoch_interruption(false).memory_init_cow(false).cranelift_opt_level(OptLevel::None);
    }
    config
}

/// Starts an instance under fuel and asks it something. What it answers does not matter, and neither does how it
/// breaks: only start code that traps, and code that goes on and on, is refused. A toolchain may run start code in the
/// first question.
///
/// Whatever else has to be tried of what a component brings along, and may cost more than it looks, is tried here.
fn start(engine: &Engine, bytes: &[u8], config: &Config) -> Result<(), (u8, String)> {
    let cannot = |error: wasmtime::Error| (REFUSED, format!("{error:#}"));
    let manifest = inspect(bytes).map_err(|error| (REFUSED, error.to_string()))?;
    // Here first, so that the host never builds what is not fit to be built.
    manifest.settings().map_err(|error| (INVALID, error.to_string()))?;
    let linker = linker::linker(engine).map_err(cannot)?;
    let compiled = Component::from_binary(engine, bytes).map_err(|error| (INVALID, format!("{error:#}")))?;
    let most = match manifest.provides {
        Provides::ToolRule { .. } | Provides::ToolSteps { .. } => config.limits,
        Provides::UpgradeStep(_) => config.upgrade_step_limits,
        Provides::ConfigurationSteps { .. } => config.configuration_step_limits,
    };
    let limits = most.for_weight(Weight::of(bytes)).lowered(manifest.limits);
    let component = Arc::new(trace::Component { plugin: manifest.full_name(), ..trace::Component::default() });
    let mut store = sandbox::store_in(engine, &component, &limits, Reads::new(Arc::default(), Arc::default()));
    store.set_fuel(FUEL).map_err(cannot)?;
    let unfit = |error: wasmtime::Error| (UNFIT, format!("{error:#}"));
    let asked = match &manifest.provides {
        Provides::ToolRule { .. } => {
            let instance = PreparedToolRule::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| instance.evaluate(&mut store, "{}").err())
        }
        Provides::UpgradeStep(_) => {
            let instance = PreparedUpgradeStep::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| instance.check(&mut store, &Page::default()).err())
        }
        Provides::ConfigurationSteps { steps } => {
            let instance = PreparedConfigurationStep::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
            instance.map(|instance| {
                let name = steps.first().map_or("", |step| step.name.as_str());
                instance.execute(&mut store, name, "{}", &Event::default()).err()
            })
        }
        Provides::ToolSteps { steps } => {
            let instance = PreparedToolStep::new(&linker, &compiled).map_err(unfit)?.instantiate(&mut store);
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
