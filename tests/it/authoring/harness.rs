//! Tests of authors reach the real engine from a program that does not contain it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use insta::assert_snapshot;
use loadout_sdk::testing::{AnyUser, Component, HarnessError};
use loadout_sdk::{Decision, Fault, Query, Session, Tool};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::Failure;
use loadout_tests::program;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::projects::with_cases;

const CASES: &str = "cases:
  - name: it greets
    session: { context: { customerName: Ada } }
    expect: { shown: { greeting: Hello Ada, refused: true } }
  - name: nobody is there
    expect: { hidden: no-customer }
";

fn opened(guest: &[u8]) -> Result<(TempDir, Component), Failure> {
    let folder = with_cases(CASES)?;
    let path = folder.path().join("a.wasm");
    std::fs::write(&path, rule(guest, "greeter", "1.0.0", "greeter")?)?;
    let component = Component::open_by(program::path(), &path)?;
    Ok((folder, component))
}

/// What a test that fails says.
fn said(test: impl FnOnce()) -> String {
    match catch_unwind(AssertUnwindSafe(test)) {
        Ok(()) => "passed".to_owned(),
        Err(panic) => panic.downcast::<String>().map_or_else(|_| "something else".to_owned(), |said| *said),
    }
}

#[test]
fn a_component_is_asked_in_the_real_engine_and_says_why() -> Done {
    let (folder, component) = opened(guests::WELL_BEHAVED)?;
    assert_eq!(
        (component.about().plugin.as_str(), &component.about().kinds[..]),
        ("tests/greeter", &["greeter".to_owned()][..])
    );
    component.check_cases(folder.path().join("cases"));
    let outcome = component.ask("session: { context: { customerName: Ada } }")?;
    assert_eq!(outcome.decision["shown"]["greeting"], "Hello Ada");
    assert!(outcome.usage.host_calls == 3 && outcome.usage.peak_memory > 0, "{outcome:?}");
    assert_snapshot!(outcome.snapshot(), @r#"
    {
      "shown": {
        "greeting": "Hello Ada",
        "refused": true
      }
    }
    read records.look-up(contact, fullname, ) = not-granted
    read context.get(customerName) = Ada
    wrote deciding
    "#);
    let (_folder, broken) = opened(guests::PANICS)?;
    let outcome = broken.ask("{}")?;
    assert!(outcome.is_broken() && outcome.because.is_some_and(|it| it.contains("the sky fell")));
    Ok(())
}

#[test]
fn what_cannot_be_asked_is_a_sentence_and_the_next_question_is_answered() -> Done {
    let (folder, component) = opened(guests::WELL_BEHAVED)?;
    let refused = |error: HarnessError| error.to_string();
    let told = [
        component.ask("sesion: {}").map_err(refused).unwrap_err(),
        component.ask("session: { chanel: chat }").map_err(refused).unwrap_err(),
        component.ask("- a list").map(|_| ()).map_err(|_| "no case".to_owned()).unwrap_err(),
        Component::open_by("/nowhere/loadout", "a.wasm").map(|_| ()).map_err(refused).unwrap_err(),
        Component::open_by(program::path(), "/nowhere.wasm").map(|_| ()).map_err(refused).unwrap_err(),
    ];
    assert_snapshot!(told.join("\n"), @"
    this is no question: unknown field `sesion`, expected one of `name`, `session`, `library`, `settings`, `event`, `question`, `page`, `expect` at line 1 column 24
    the question: the session cannot be used: unknown field `chanel`, expected one of `app`, `profile`, `roles`, `licences`, `language`, `baseLanguage`, `channel`, `workstream`, `entity`, `sessionTemplate`, `context`
    no case
    `/nowhere/loadout` cannot be started: No such file or directory (os error 2); put it on the path, or name it with the variable LOADOUT
    `loadout plugin harness` ended without an answer: what it wrote above says why
    ");
    assert_eq!(component.ask("{}")?.decision, json!({ "hidden": "no-customer" }));
    std::fs::write(folder.path().join("cases/first.yaml"), CASES.replace("Hello Ada", "Hello Grace"))?;
    assert_snapshot!(said(|| component.check_cases(folder.path().join("cases"))), @r#"
    1 of 2 cases failed:
    first.yaml: it greets
      expected {"shown":{"greeting":"Hello Grace","refused":true}}
      found    {"shown":{"greeting":"Hello Ada","refused":true}}
    "#);
    Ok(())
}

#[test]
fn a_decision_that_is_not_that_of_its_snapshot_is_named() -> Done {
    let (folder, component) = opened(guests::WELL_BEHAVED)?;
    let (cases, snapshots) = (folder.path().join("cases"), folder.path().join("snapshots"));
    let told = |text: &str| text.replace(&folder.path().display().to_string(), "FOLDER");
    assert_snapshot!(told(&said(|| component.check_snapshots(&cases, &snapshots))), @"
    FOLDER/snapshots/first.yaml.snap
      it cannot be read: No such file or directory (os error 2)
    if that is right, run this once more with LOADOUT_UPDATE=1
    ");
    let kept = ["it greets", "nobody is there"]
        .iter()
        .zip([component.ask("session: { context: { customerName: Ada } }")?, component.ask("{}")?]);
    let text: String = kept.map(|(name, outcome)| format!("# {name}\n{}\n", outcome.snapshot())).collect();
    std::fs::create_dir(&snapshots)?;
    std::fs::write(snapshots.join("first.yaml.snap"), &text)?;
    assert_eq!(said(|| component.check_snapshots(&cases, &snapshots)), "passed");
    std::fs::write(snapshots.join("first.yaml.snap"), text.replace("= Ada", "= Grace"))?;
    assert_snapshot!(told(&said(|| component.check_snapshots(&cases, &snapshots))), @"
    FOLDER/snapshots/first.yaml.snap
      # it greets
      kept   read context.get(customerName) = Grace
      found  read context.get(customerName) = Ada
    if that is right, run this once more with LOADOUT_UPDATE=1
    ");
    Ok(())
}

/// The rule of the guest, natively; for a customer who is called Grace, another one.
struct Twin<const WRONG: bool>;

impl<const WRONG: bool> Tool for Twin<WRONG> {
    type Settings = Map<String, Value>;
    type Payload = Value;

    fn evaluate(session: &Session<'_>, _: Self::Settings) -> Result<Decision<Value>, Fault> {
        let refused = session.records().find(&Query::of("contact"), "fullname").is_err();
        match session.get("customerName") {
            Some(name) if WRONG && name == "Grace" => Ok(Decision::shown(json!({ "greeting": name }))),
            Some(name) => Ok(Decision::shown(json!({ "greeting": format!("Hello {name}"), "refused": refused }))),
            None => Ok(Decision::hidden("no-customer", "The session has no `customerName`.")),
        }
    }
}

#[test]
fn the_smallest_user_about_whom_rule_and_component_disagree_is_printed_as_a_case() -> Done {
    let (folder, component) = opened(guests::WELL_BEHAVED)?;
    let any = AnyUser::of_cases(folder.path().join("cases"))
        .role("agent")
        .licence("chat")
        .channel("chat")
        .context("customerName", "Grace")
        .tries(64);
    component.agrees_with::<Twin<false>>(&any);
    component.never_breaks(&any);
    let told = said(|| component.agrees_with::<Twin<true>>(&any));
    let (why, case) = told.split_once("The smallest such user").unwrap_or((&told, ""));
    assert!(why.contains("the rule and its component disagree") && case.contains("LOADOUT_SEED="), "{told}");
    let case = case.split_once("\n\n").map_or("", |(_, case)| case);
    assert_snapshot!(case, @r#"
    - name: ""
      session: {"context":{"customerName":"Grace"}}
      expect: {}
    "#);
    let pasted = folder.path().join("cases/pasted.yaml");
    std::fs::write(&pasted, format!("cases:\n{case}"))?;
    let told = said(|| component.check_cases(Path::new(&pasted).parent().unwrap_or(Path::new("."))));
    assert!(told.contains("Hello Grace"), "a printed case can be asked: {told}");
    Ok(())
}

#[test]
fn a_component_that_breaks_for_somebody_is_found() -> Done {
    let (_folder, component) = opened(guests::PANICS)?;
    let told = said(|| component.never_breaks(&AnyUser::new().role("agent").tries(8)));
    assert!(told.contains("the sky fell") && told.contains("- name: \"\"\n    expect: {}"), "{told}");
    Ok(())
}
