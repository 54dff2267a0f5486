//! A whole answer: the sample's case and chat with all four built-in tools, and what the host costs before it answers.
//!
//! Native is the same resolution with rules that cost nothing, so the ratio is what sandboxed rules add to an answer.
//! Cold and warm start differ in whether compiled code is in the cache. Only the ratios outlive the machine.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use loadout::domain::experience::ExplainLevel;
use loadout::resolve::{Decision, Evaluation, Reads, SessionInput, ToolRules};
use loadout::service::{Question, Service, Who};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(400);

/// Rules that show every tool at once.
struct Free;

impl ToolRules for Free {
    fn evaluate(&self, _kind: &str, _settings: &str, reads: Reads) -> Option<Evaluation> {
        let outcome = Ok(Decision::Shown { payload: serde_json::Map::new(), items: Vec::new() });
        Some(Evaluation::of_rule(String::new(), outcome, reads.into_recorded()))
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    fn has_rule(&self, _: &str) -> bool {
        true
    }

    fn absent(&self, _: &str) -> &[loadout::resolve::Absent] {
        &[]
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begun = Instant::now();
    Service::start(folder.path()).expect("the service starts").add_sample("contoso").expect("the sample is there");
    let cold = begun.elapsed();
    let mut warm_starts: Vec<f64> = (0..ROUNDS).map(|_| start(folder.path()).as_secs_f64() * 1000.0).collect();
    let before = resident();
    let real = Service::start(folder.path()).expect("the service starts");
    real.experience(&case()).expect("kayla has an experience");
    let after = resident();
    let free = Service::open(folder.path(), Arc::new(Free)).expect("the service opens");

    let mut rates: BTreeMap<(&str, usize), Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (name, service) in [("free rules", &free), ("components", &real)] {
            for threads in [1, 2] {
                rates.entry((name, threads)).or_default().push(rate(service, threads));
            }
        }
    }
    let mut median = |name, threads| middle(rates.get_mut(&(name, threads)).expect("it was measured"));
    println!("{:<12}{:>14}{:>16}{:>16}{:>9}", "", "µs an answer", "answers/s, 1", "answers/s, 2", "2 : 1");
    let mut one_thread = Vec::new();
    for name in ["free rules", "components"] {
        let (one, two) = (median(name, 1), median(name, 2));
        println!("{name:<12}{:>14.1}{one:>16.0}{two:>16.0}{:>9.2}", 1e6 / one, two / one);
        one_thread.push(one);
    }
    println!("components cost {:.2} times an answer with free rules", one_thread[0] / one_thread[1]);
    let warm = middle(&mut warm_starts);
    println!(
        "start: cold {:.0} ms, warm {warm:.0} ms, ratio {:.1}",
        cold.as_secs_f64() * 1000.0,
        cold.as_secs_f64() * 1000.0 / warm
    );
    println!(
        "resident: {} MB before the service, {} MB with the sample, after a first answer",
        before / 1024,
        after / 1024
    );
}

/// A start with everything in place, until the service can be asked.
fn start(folder: &std::path::Path) -> Duration {
    let begun = Instant::now();
    black_box(Service::start(folder).expect("the service starts"));
    begun.elapsed()
}

/// A case of the sample, opened by a person with all four tools.
fn case() -> Question {
    let context = [
        ("anchor.ticketnumber", "CAS-01"),
        ("anchor.title", "Broken kettle"),
        ("anchor.incidentid", "1d"),
        ("customerName", "Ada"),
        ("anchor._customerid_value", "2e"),
        ("anchor._customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname", "contact"),
        ("anchor._customerid_value@OData.Community.Display.V1.FormattedValue", "Ada Lovelace"),
    ];
    let context = context.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Question {
        who: Who::Login("kayla".parse().expect("a login")),
        profile: None,
        app: "customer-service-workspace".to_owned(),
        session: Some(SessionInput { entity: Some("incident".to_owned()), context, ..SessionInput::default() }),
        explain: ExplainLevel::None,
        as_of: None,
    }
}

/// Answers a second on so many threads.
fn rate(service: &Service, threads: usize) -> f64 {
    let begun = Instant::now();
    let answers: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let question = case();
                    let mut answers = 0;
                    while begun.elapsed() < ROUND {
                        black_box(service.experience(&question)).expect("kayla has an experience");
                        answers += 1;
                    }
                    answers
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker ends")).sum()
    });
    f64::from(u32::try_from(answers).unwrap_or(u32::MAX)) / begun.elapsed().as_secs_f64()
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Resident memory of this process in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
