//! What the host keeps for one call: its reads, its meter, and what it wrote.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use wasmtime::Trap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::domain::trace::{Component, LogLevel, RefusedCall};
use crate::domain::{SecretName, SecretValue};
use crate::resolve::Reads;

use super::empty_wasi;
use super::log::Log;
use super::trace::CallSummary;
use crate::plugin::guard::budget::Allowance;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::clock::{Clock, Left, Moment};
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::fixed_inputs::FixedInputs;
use crate::plugin::limits::meter::Meter;
use crate::plugin::limits::meter::Times;
use crate::plugin::outbound_access::gateway::{Answered, Granted, OutboundCall, Question, Recorded, Refused};

/// What the host keeps for one call.
pub(in crate::plugin) struct State {
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) reads: Reads,
    pub(in crate::plugin) meter: Meter,
    /// What it may reach outside of the host.
    pub(in crate::plugin) outside: Arc<Granted>,
    /// The functions that ran when it trapped.
    pub(in crate::plugin) backtrace: Vec<String>,
    clock: Clock,
    /// What it may take of the budget it shares; nothing for a call that no other belongs to.
    allowance: Option<Allowance>,
    /// Why its time was up.
    pub(in crate::plugin) ended: Option<Ended>,
    /// The secrets that were shown on its behalf.
    shown: Vec<(SecretName, SecretValue)>,
    log: Log,
    refused: Vec<RefusedCall>,
    fixed_inputs: FixedInputs,
    random: u64,
    wasi: Option<Box<(WasiCtx, ResourceTable)>>,
}

impl State {
    pub(in crate::plugin) fn new(component: Arc<Component>, limits: Limits, reads: Reads) -> Self {
        Self {
            component,
            reads,
            meter: Meter::new(limits),
            outside: Arc::default(),
            backtrace: Vec::new(),
            clock: Clock::start(),
            allowance: None,
            ended: None,
            shown: Vec::new(),
            log: Log::new(limits.log),
            refused: Vec::new(),
            fixed_inputs: FixedInputs::USUAL,
            random: FixedInputs::USUAL.seed,
            wasi: None,
        }
    }

    /// The same call with another clock and another seed.
    pub(in crate::plugin) fn under(&mut self, fixed_inputs: FixedInputs) {
        self.fixed_inputs = fixed_inputs;
        self.random = fixed_inputs.seed;
    }

    /// The same call with what it may take of the budget it shares.
    pub(in crate::plugin) fn allow(&mut self, allowance: Allowance) {
        self.allowance = Some(allowance);
    }

    /// What the call took is counted in the budget it shares.
    pub(in crate::plugin) fn settle(&self) {
        if let Some(allowance) = &self.allowance {
            allowance.spend(self.clock.spent());
        }
    }

    /// What the call finds around it.
    pub(in crate::plugin) fn fixed_inputs(&self) -> FixedInputs {
        self.fixed_inputs
    }

    /// What was written to standard error and is kept.
    pub(in crate::plugin) fn stderr(&self) -> String {
        self.log.kept_stderr()
    }

    /// Adds a piece of standard error to the log.
    pub(in crate::plugin) fn write_stderr(&mut self, bytes: &[u8]) -> Result<(), Exceeded> {
        self.meter.log(bytes.len())?;
        self.log.stderr(bytes);
        Ok(())
    }

    /// Adds a trace line to the log. The program's own log shows it escaped, so that a line stays one line.
    pub(in crate::plugin) fn trace(&mut self, level: LogLevel, line: &str) -> Result<(), Exceeded> {
        self.meter.log(line.len() + 1)?;
        tracing::debug!(plugin = %self.component, ?level, "{line:?}");
        self.log.line(level, line);
        Ok(())
    }

    /// Notes that a call to the host was refused.
    pub(in crate::plugin) fn refuse(&mut self, name: &str) {
        match self.refused.iter_mut().find(|refused| refused.name == name) {
            Some(refused) => refused.count = refused.count.saturating_add(1),
            None => self.refused.push(RefusedCall { name: name.to_owned(), count: 1 }),
        }
    }

    /// Sends a request to another system: the only way in for data that no revision holds. The question is counted and
    /// recorded with a short answer, and one that is denied is noted. What it takes is no time of the guest's.
    pub(in crate::plugin) fn outside<T: Serialize + DeserializeOwned>(
        &mut self,
        question: Question,
        ask: impl FnOnce(&mut OutboundCall<'_>) -> Result<Answered<T>, Refused>,
    ) -> Result<Result<T, Refused>, Exceeded> {
        let Question { call, arguments, bytes } = question;
        self.meter.host_call(bytes)?;
        if let Some(known) = self.reads.known_outside(call, &arguments) {
            let answer = Recorded::of(known);
            let short = answer.short();
            self.reads.outside(call, &arguments, short, || json!(answer));
            return Ok(answer.into());
        }
        let time = self.meter.may_wait()?;
        let begun = Moment::now();
        let asked = ask(&mut OutboundCall::new(&self.outside, &self.component.plugin, time, &mut self.shown));
        let spent = begun.spent();
        self.meter.waited(spent.wall);
        self.clock.leave_out(spent);
        Ok(match asked {
            Ok(Answered { answer, note, bytes }) => {
                self.meter.came_in(bytes)?;
                self.reads.outside(call, &arguments, note, || json!({ "answered": answer }));
                Ok(answer)
            }
            Err(refused) => {
                let Refused { code, message, denied } = &refused;
                let whole = || json!({ "refused": { "code": code, "message": message } });
                self.reads.outside(call, &arguments, code.clone().into_owned(), whole);
                if code == Refused::SUSPENDED {
                    self.refuse(&format!("{call} {code}"));
                } else if *denied {
                    self.refuse(call);
                }
                Err(refused)
            }
        })
    }

    /// What is left of the deadline.
    pub(in crate::plugin) fn left(&mut self) -> Option<Duration> {
        let left = left(self.clock, self.meter.deadline(), self.allowance.as_ref());
        left.map_err(|ended| self.ended = Some(ended)).ok()
    }

    /// The reads, and whether there is time left: for what takes as long as the environment is large. The engine
    /// interrupts no host code.
    pub(in crate::plugin) fn reads_in_time(&mut self) -> (&mut Reads, impl FnMut() -> bool + use<>) {
        let (clock, deadline, allowance) = (self.clock, self.meter.deadline(), self.allowance.clone());
        (&mut self.reads, move || left(clock, deadline, allowance.as_ref()).is_ok())
    }

    /// Ends a call whose time was up in host code, as the engine would have between two instructions of the guest.
    pub(in crate::plugin) fn out_of_time(&mut self) -> wasmtime::Error {
        // Notes why.
        let _ = self.left();
        Trap::Interrupt.into()
    }

    /// The next eight random bytes, the same in every call: a Weyl sequence, mixed.
    pub(in crate::plugin) fn random(&mut self) -> [u8; 8] {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    }

    /// The part of WASI that the library answers, made when it is first asked for: most rules never do.
    pub(in crate::plugin) fn wasi(&mut self) -> (&mut WasiCtx, &mut ResourceTable) {
        let time = self.fixed_inputs.time;
        let nothing = || Box::new((empty_wasi::nothing(time), ResourceTable::new()));
        let (ctx, table) = &mut **self.wasi.get_or_insert_with(nothing);
        (ctx, table)
    }

    /// What is left when the instance is gone: its reads, and what its record says.
    pub(in crate::plugin) fn into_summary(self, times: Times) -> (Reads, CallSummary) {
        let (usage, waited) = (self.meter.usage(times), self.meter.time_waited());
        let text = self.log.into_text();
        (self.reads, CallSummary { usage, text, backtrace: self.backtrace, refused: self.refused, fuel: None, waited })
    }
}

/// What is left of a deadline and of the budget it shares.
fn left(clock: Clock, deadline: Duration, allowance: Option<&Allowance>) -> Result<Duration, Ended> {
    let within = allowance.map_or(deadline, |allowance| allowance.within(deadline));
    if allowance.is_some_and(Allowance::is_given_up) {
        return Err(Ended::GivenUp);
    }
    match (clock.left(within), allowance) {
        (Left::Time(left), _) => Ok(left),
        (Left::Used, Some(allowance)) if within < deadline => Err(Ended::Spent(allowance.budget())),
        (Left::Used, _) => Err(Ended::Deadline),
        (Left::Starved, _) => Err(Ended::Starved),
    }
}

/// Why the time of a call was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum Ended {
    /// It used its own.
    Deadline,
    /// There was no processor to use it on.
    Starved,
    /// All plugins together used what the answer or change may cost.
    Spent(Duration),
    /// The request was given up.
    GivenUp,
}
