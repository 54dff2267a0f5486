//! What a plugin costs is known before it is installed, and a budget holds it there.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::Failure;
use loadout_tests::program::plugin;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::projects::with_cases;

/// A plugin that is there, with two cases.
fn folder_with_plugin() -> Result<TempDir, Failure> {
    let folder = with_cases(
        "cases:
  - name: it greets
    session: { context: { customerName: Ada } }
  - name: nobody is there
",
    )?;
    std::fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?)?;
    Ok(folder)
}

const BENCH: [&str; 5] = ["bench", "--component", "a.wasm", "--calls", "3"];

#[test]
fn what_an_answer_costs_is_the_same_each_time_but_for_the_times() -> Done {
    let folder = folder_with_plugin()?;
    let measured = || -> Result<Vec<Value>, Failure> {
        let said = plugin(folder.path(), &[&BENCH[..], &["--json"]].concat())?;
        let lines = said.strip_prefix("0 ").unwrap_or(&said).lines();
        let mut costs = lines.map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        for cost in &mut costs {
            let times = ["medianMicros", "p99Micros"].map(|time| cost.as_object_mut().unwrap().remove(time).unwrap());
            assert!(times.iter().all(|time| time.as_u64() > Some(0)), "{times:?}");
        }
        Ok(costs)
    };
    let (once, again) = (measured()?, measured()?);
    assert_eq!(once, again);
    let [greets, hides] = &once[..] else { panic!("{once:?}") };
    assert_eq!((&greets["file"], &greets["case"]), (&json!("first.yaml"), &json!("it greets")));
    assert_eq!((&greets["hostCalls"], &hides["hostCalls"]), (&json!(3), &json!(3)));
    assert!(greets["fuel"].as_u64() > hides["fuel"].as_u64() && hides["fuel"].as_u64() > Some(100), "{once:?}");
    assert!(greets["peakMemory"].as_u64() >= Some(1 << 16) && greets["handedOver"].as_u64() > Some(0), "{once:?}");
    let answer = json!({"shown": {"greeting": "Hello Ada", "refused": true}});
    assert_eq!(greets["answerBytes"], json!(answer.to_string().len()));
    let table = plugin(folder.path(), &BENCH)?;
    assert!(table.contains("fuel  memory KiB  host calls") && table.contains("  first.yaml: it greets"), "{table}");
    Ok(())
}

#[test]
fn a_plugin_over_its_budget_fails_by_the_name_of_what_there_is_too_much_of() -> Done {
    let folder = folder_with_plugin()?;
    let budget = folder.path().join("bench.toml");
    let last = |said: String| said.split_once("error: ").map_or(said.clone(), |(_, error)| error.to_owned());
    let told = |text: &str| -> Result<String, Failure> {
        std::fs::write(&budget, text)?;
        let said = plugin(folder.path(), &BENCH)?;
        Ok(format!("{} {}", &said[..1], last(said.clone())))
    };
    let said = [
        told("[every-case]\nhost-calls = 2\n[cases.\"it greets\"]\nhost-calls = 3\nanswer-bytes = 10\n")?,
        told("[every-case]\nmicros = 2\n")?,
        told("[cases.\"it greeted\"]\nfuel = 1\n")?,
    ];
    assert_snapshot!(said.join("\n"), @r"
    1 `it greets` is over the budget: `answer-bytes` is 49, and 10 is allowed
           `nobody is there` is over the budget: `host-calls` is 3, and 2 is allowed
    1 `./bench.toml`: this is no budget: unknown field `micros`, expected one of `fuel`, `peak-memory-kib`, `host-calls`, `answer-bytes`
    1 `./bench.toml` limits the case `it greeted`, and there is none of that name: rename it there, too
    ");
    let write = || plugin(folder.path(), &[&BENCH[..], &["--write-budget"]].concat());
    assert!(write()?.starts_with('1'), "what is no budget of these cases is not written over");
    let own = "[cases.\"nobody is there\"]\nhost-calls = 9\n";
    std::fs::write(&budget, own)?;
    let written = write()?;
    assert!(written.starts_with('0') && written.ends_with("wrote `./bench.toml`"), "{written}");
    let text = std::fs::read_to_string(&budget)?;
    assert!(text.contains("host-calls = 4") && text.contains("answer-bytes = 62") && text.ends_with(own), "{text}");
    let within = plugin(folder.path(), &BENCH)?;
    assert!(within.starts_with('0'), "{within}");
    let elsewhere = plugin(folder.path(), &[&BENCH[..], &["--budget", "nowhere.toml"]].concat())?;
    assert!(elsewhere.starts_with("1 error: `nowhere.toml` cannot be read"), "{elsewhere}");
    Ok(())
}
