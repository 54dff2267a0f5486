//! A rule that no case holds is named, by the line it stands in.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::Failure;
use loadout_tests::program::plugin;

use super::projects::with_cases;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guests");

const GREETS: &str = "cases:
  - name: it greets
    session: { context: { customerName: Ada } }
    expect: { shown: { greeting: Hello Ada, refused: true } }
";

const HIDES: &str = "  - name: nobody is there
    expect: { hidden: no-customer }
";

#[test]
fn a_condition_that_no_case_holds_is_named_by_its_line() -> Done {
    let told = |cases: &str, more: &[&str]| -> Result<String, Failure> {
        let folder = with_cases(cases)?;
        let component = rule(guests::STUMBLES_WITH_LINES, "greeter", "1.0.0", "greeter")?;
        std::fs::write(folder.path().join("a.wasm"), component)?;
        plugin(folder.path(), &[&["mutate", "--component", "a.wasm", "--sources", SOURCES][..], more].concat())
    };
    assert_snapshot!(told(&format!("{GREETS}{HIDES}"), &["--deny-survivors"])?, @r#"
    1 examples/stumbles.rs:10:16: no case notices if this condition is turned round: `if name.len() > 40 {`
    examples/stumbles.rs:10:16: no case notices if equal values are compared otherwise: `if name.len() > 40 {`
    3 of 5 conditions are held by a case; without notice: 2, never reached: 0
    error: 3 of 5 conditions are held by a case; without notice: 2, never reached: 0
    "#);
    assert_snapshot!(told(&format!("cases:\n{HIDES}"), &["--at-least", "100"])?, @r#"
    1 examples/stumbles.rs:8:23: no case gets here: `Some(name) if name == "Bob" => panic!("nobody thought of Bob"),`
    examples/stumbles.rs:10:16: no case gets here: `if name.len() > 40 {`
    2 of 5 conditions are held by a case; without notice: 0, never reached: 3
    error: 2 of 5 conditions are held by a case; without notice: 0, never reached: 3
    "#);
    let enough = told(&format!("cases:\n{HIDES}"), &["--at-least", "40"])?;
    assert!(enough.starts_with("0 "), "{enough}");
    let wrong = told(&GREETS.replace("Hello Ada", "Hello Grace"), &[])?;
    assert_snapshot!(wrong, @"1 error: a case has another outcome than it expects: mend it first, `loadout plugin test` names it");
    Ok(())
}

#[test]
fn a_component_without_lines_of_these_sources_says_so() -> Done {
    let folder = with_cases(GREETS)?;
    std::fs::write(folder.path().join("a.wasm"), rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "greeter")?)?;
    assert_snapshot!(plugin(folder.path(), &["mutate", "--component", "a.wasm"])?, @"1 error: `a.wasm` has no condition of sources in `.`: name their folder with `--sources`, or leave `--component` out, so that it is built with line tables");
    Ok(())
}
