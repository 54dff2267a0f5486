//! The system calls that a process keeps. Whatever is not named here fails as not permitted.
//!
//! What is named: memory of its own, its signal handlers, time, chance, waiting for itself, its standard streams, its
//! end. Not named, and so refused: opening anything, sockets, other programs and processes, other processes' memory,
//! mounts, keys, `io_uring`, `bpf`.
//!
//! The process that compiles runs nothing of what it makes, so it gets no executable memory. The one that tries gets
//! it, and threads, which may be needed there for a stack of known size.

use std::collections::BTreeMap;

use rustix::process::getpid;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use crate::plugin::load::compiler::Work;

/// Calls that are allowed with whatever arguments: they reach nothing outside of the process.
const HARMLESS: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
];

/// Asks for what the kernel told this process at its start: `PR_GET_AUXV`, which `libc` does not have for every Linux.
const GET_AUXV: i32 = 0x4155_5856;

/// Leaves this thread, and those it starts, the calls that `work` needs.
pub(super) fn restrict(work: Work) -> Result<(), Error> {
    // What cannot be looked into is unknown: then the C library takes `clone`, which can.
    let unknown = program([(libc::SYS_clone3, Vec::new())].into(), Otherwise::Allowed)?;
    let allowed = program(allowed(work)?, Otherwise::Refused)?;
    apply_filter(&unknown)?;
    apply_filter(&allowed)
}

/// What becomes of calls that a program does not name.
enum Otherwise {
    /// They are allowed, and those it names do not exist.
    Allowed,
    /// They are not permitted, and those it names are.
    Refused,
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>, otherwise: Otherwise) -> Result<BpfProgram, BackendError> {
    let errno = |error: i32| SeccompAction::Errno(error.unsigned_abs());
    let (rest, named) = match otherwise {
        Otherwise::Allowed => (SeccompAction::Allow, errno(libc::ENOSYS)),
        Otherwise::Refused => (errno(libc::EPERM), SeccompAction::Allow),
    };
    SeccompFilter::new(rules, rest, named, TargetArch::try_from(std::env::consts::ARCH)?)?.try_into()
}

/// The calls that `work` needs, each with what its arguments must be.
fn allowed(work: Work) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let is = |argument, value: i32| condition(argument, SeccompCmpOp::Eq, value);
    let has = |argument, bits: i32| condition(argument, masked(bits), bits);
    let lacks = |argument, bits: i32| condition(argument, masked(bits), 0);
    let rule = SeccompRule::new;

    let mut calls: BTreeMap<i64, Vec<SeccompRule>> = HARMLESS.iter().map(|call| (*call, Vec::new())).collect();
    // Descriptors that a careless parent handed down are of no use.
    calls.insert(libc::SYS_read, vec![rule(vec![is(0, libc::STDIN_FILENO)?])?]);
    let streams = [libc::STDOUT_FILENO, libc::STDERR_FILENO];
    let writes = streams.map(|stream| rule(vec![is(0, stream)?]));
    calls.insert(libc::SYS_write, writes.into_iter().collect::<Result<_, _>>()?);
    // Aborting is a signal to oneself.
    calls.insert(libc::SYS_tgkill, vec![rule(vec![is(0, getpid().as_raw_nonzero().get())?])?]);
    // Names of memory and of threads, and what is known of this process anyway.
    let names = [libc::PR_SET_VMA, libc::PR_SET_NAME, GET_AUXV].map(|what| rule(vec![is(0, what)?]));
    calls.insert(libc::SYS_prctl, names.into_iter().collect::<Result<_, _>>()?);
    let (mut map, mut protect) = (vec![has(3, libc::MAP_ANONYMOUS)?], Vec::new());
    match work {
        Work::Compile => {
            map.push(lacks(2, libc::PROT_EXEC)?);
            protect.push(rule(vec![lacks(2, libc::PROT_EXEC)?])?);
        }
        Work::Try => {
            calls.insert(libc::SYS_clone, vec![rule(vec![has(0, libc::CLONE_THREAD)?])?]);
            // Refused by the other program: this one must not say first that it is not permitted.
            calls.insert(libc::SYS_clone3, Vec::new());
            #[cfg(target_arch = "riscv64")]
            calls.insert(libc::SYS_riscv_flush_icache, Vec::new());
        }
    }
    calls.insert(libc::SYS_mmap, vec![rule(map)?]);
    calls.insert(libc::SYS_mprotect, protect);
    Ok(calls)
}

fn masked(bits: i32) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(u64::from(bits.unsigned_abs()))
}

fn condition(argument: u8, compare: SeccompCmpOp, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, u64::from(value.unsigned_abs()))
}
