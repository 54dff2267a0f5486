//! Versions of a plugin: compared before any person sees them, tried for some, stopped by themselves, taken back in one
//! call.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

const GREETER: &str = "/api/v1/plugins/tests/greeter";

/// A host where `people` agents are answered by the greeter 1.0.0, which is recorded.
async fn host(people: usize) -> Result<TestHost, Failure> {
    let host = TestHost::with_platform().await?;
    let mut kayla = host.get("/api/v1/users/kayla").await?.json();
    for key in ["uniqueName", "meta", "login"] {
        kayla.as_object_mut().ok_or("a user")?.remove(key);
    }
    for number in 0..people {
        let put = host.put(&format!("/api/v1/users/agent-{number}"), kayla.clone()).await?;
        assert!(put.status < 300, "{put}");
    }
    host.install("", &rule(guests::WELL_BEHAVED, "greeter", "1.0.0", "scripts")?).await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    host.put(&format!("{GREETER}/recording"), json!({"until": until, "redact": []})).await?;
    Ok(host)
}

async fn installed(host: &TestHost, guest: &[u8], version: &str) -> Result<Reply, Failure> {
    host.install("?activate=false", &rule(guest, "greeter", version, "scripts")?).await
}

/// The whole answer in a session with a customer, but for what names the revision it was made from.
async fn ask(host: &TestHost, user: &str, customer: &str) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": {"customerName": customer}});
    let question = json!({"user": user, "app": "customer-service-workspace", "session": session, "explain": "full"});
    let reply = host.post("/api/v1/experience", question).await?;
    assert_eq!(reply.status, 200, "{reply}");
    let mut answer = reply.json();
    for key in ["revision", "decisionId"] {
        answer.as_object_mut().ok_or("an answer")?.remove(key);
    }
    Ok(answer)
}

/// The tool, and the warnings.
fn scripts(answer: &Value) -> (Value, String) {
    let tools = answer["productivityPane"]["tools"].as_array().into_iter().flatten();
    let payload = tools.filter(|tool| tool["tool"] == "scripts").map(|tool| tool["payload"].clone()).next();
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    let about_tools = warnings.filter_map(|warning| warning["code"].as_str()).filter(|code| !code.starts_with("slug-"));
    let codes: Vec<&str> = about_tools.filter(|code| *code != "tab-left-out").collect();
    (payload.unwrap_or_default(), codes.join(" "))
}

/// The newest revision.
async fn newest(host: &TestHost) -> Result<Value, Failure> {
    Ok(host.get("/api/v1/revisions?limit=1").await?.json()["items"][0].clone())
}

async fn post(host: &TestHost, path: &str, body: Value) -> Result<Reply, Failure> {
    host.post(&format!("{GREETER}/{path}"), body).await
}

#[tokio::test]
async fn a_bad_version_is_caught_before_anyone_sees_it() -> Done {
    let host = host(3).await?;
    for number in 0..3 {
        ask(&host, &format!("agent-{number}"), "Ada").await?;
    }
    ask(&host, "kayla", "Grace").await?;
    let before = ask(&host, "kayla", "Ada").await?;
    let gated = host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 2})).await?;
    assert_eq!(gated.status, 200, "{gated}");

    // One that breaks.
    let refused = host.install("", &rule(guests::FAILS, "greeter", "1.1.0", "scripts")?).await?;
    assert_eq!(refused.status, 409);
    assert_snapshot!(refused.json()["detail"].as_str().unwrap_or_default(), @"plugin `tests/greeter` 1.1.0 does not serve: of 2 recorded questions 2 are answered otherwise than by 1.0.0, and not all of that was said to be meant: look at the differences, and say them in `expected` if they are meant; 1.1.0 is installed all the same and does not serve: once that is settled, `POST /api/v1/plugins/tests/greeter/activate` lets it");
    let difference = &refused.json()["comparison"]["differences"][0];
    assert_eq!(
        (&difference["field"], &difference["tool"], &difference["after"], &difference["expected"]),
        (&json!("fault"), &json!("scripts"), &Value::Null, &json!(false))
    );
    let there = host.get(GREETER).await?.json();
    assert_eq!((&there["version"], &there["versions"][0]["version"]), (&json!("1.0.0"), &json!("1.1.0")));
    assert_eq!(ask(&host, "kayla", "Ada").await?, before, "nobody saw it");

    // One that answers otherwise.
    installed(&host, guests::COUNTS_SCRIPTS, "1.2.0").await?;
    let compared = post(&host, "comparison", json!({"version": "1.2.0"})).await?.json();
    let counts = ["recordings", "calls", "same", "different", "asExpected"].map(|key| compared[key].clone());
    assert_eq!(counts, [json!(2), json!(6), json!(0), json!(2), json!(false)], "{compared}");
    let found: Vec<String> = compared["differences"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| format!("{} {} {} {}", it["profile"], it["field"], it["count"], it["users"]))
        .collect();
    assert_snapshot!(found.join("\n"), @r#"
    "contoso_rep" "payload.bytes" 6 ["kayla","agent-0","agent-1","agent-2"]
    "contoso_rep" "payload.scripts" 6 ["kayla","agent-0","agent-1","agent-2"]
    "#);
    for (expected, status) in [
        (json!([]), 409),
        (json!([{"field": "payload.scripts"}]), 409),
        (json!([{"tool": "macros"}]), 409),
        (json!([{"field": "payload.scripts"}, {"tool": "scripts", "field": "payload.bytes"}]), 200),
    ] {
        let activated = post(&host, "activate", json!({"version": "1.2.0", "expected": expected})).await?;
        assert_eq!(activated.status, status, "{expected}: {activated}");
    }
    assert_eq!(newest(&host).await?["why"], "meant: payload.scripts, payload.bytes of scripts");
    assert!(scripts(&ask(&host, "kayla", "Ada").await?).0["scripts"].is_number());
    let back = Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback"))).await?;
    assert_eq!(back.status, 200, "a roll-back needs nobody's leave: {back}");
    assert_eq!(ask(&host, "kayla", "Ada").await?, before);
    Ok(())
}

#[tokio::test]
async fn a_gate_needs_something_to_compare_by() -> Done {
    let host = host(0).await?;
    host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 1})).await?;
    let refused = host.install("", &rule(guests::STUMBLES, "greeter", "1.1.0", "scripts")?).await?;
    assert_snapshot!(refused, @r#"409 {"code":"too-few-recordings","detail":"plugin `tests/greeter` 1.1.0 does not serve: 1 recorded calls are needed to compare it by, and there are 0: record more, or say `pastGate`; 1.1.0 is installed all the same and does not serve: once that is settled, `POST /api/v1/plugins/tests/greeter/activate` lets it"}"#);
    assert_eq!(host.get(GREETER).await?.json()["version"], "1.0.0");
    let past = post(&host, "activate", json!({"version": "1.1.0", "pastGate": true})).await?;
    assert_eq!((past.status, &past.json()["version"]), (200, &json!("1.1.0")));
    assert_eq!(newest(&host).await?["why"], "past the gate");
    Ok(())
}

#[tokio::test]
async fn a_version_that_breaks_for_a_share_stops_by_itself() -> Done {
    let host = host(40).await?;
    let people: Vec<String> = (0..40).map(|number| format!("agent-{number}")).collect();
    let mut before = Vec::new();
    for person in &people {
        before.push(ask(&host, person, "Bob").await?);
    }
    installed(&host, guests::STUMBLES, "1.1.0").await?;
    let wanted = json!({"rollout": {"version": "1.1.0", "to": "share", "percent": 30, "stopAfter": 3}});
    let begun = host.put(&format!("{GREETER}/rollout"), wanted).await?;
    assert_eq!((begun.status, &begun.json()["asked"]), (200, &json!(0)), "{begun}");

    // With other customers it does as well as the one that serves, for those it reaches.
    let mut reached = Vec::new();
    for person in &people {
        let answer = ask(&host, person, "Ada").await?.to_string();
        if answer.contains("tests/greeter 1.1.0") {
            reached.push(person.clone());
        }
    }
    assert!((4..24).contains(&reached.len()), "of 40, 30 percent: {reached:?}");
    let mut again = Vec::new();
    for person in &people {
        if ask(&host, person, "Grace").await?.to_string().contains("tests/greeter 1.1.0") {
            again.push(person.clone());
        }
    }
    assert_eq!(again, reached, "whoever gets it keeps it");
    let watched = host.get(&format!("{GREETER}/rollout")).await?.json();
    assert_eq!((watched["asked"].as_u64(), &watched["broke"]), (u64::try_from(2 * reached.len()).ok(), &json!(0)));

    // With Bob it breaks: each person whom it reaches is answered by the version that serves, and the answer says so.
    let broken = ask(&host, &reached[0], "Bob").await?;
    assert_eq!(scripts(&broken), (json!({"greeting": "Hello Bob", "refused": true}), "trial-broke".to_owned()));
    for person in people.iter().cycle().take(4 * people.len()) {
        let (payload, _) = scripts(&ask(&host, person, "Bob").await?);
        assert_eq!(payload["greeting"], "Hello Bob", "nobody goes without");
    }
    let stopped = host.get(&format!("{GREETER}/rollout")).await?.json();
    assert_snapshot!(stopped["rollout"]["stopped"].as_str().unwrap_or_default(), @"it broke 3 times, and last so: plugin.trapped");
    // Questions that came while it was being stopped were answered just the same.
    let broke = stopped["broke"].as_u64().unwrap_or_default();
    assert!((3..20).contains(&broke), "{stopped}");
    let records = host.get("/api/v1/traces?plugin=tests%2Fgreeter&version=1.1.0&outcome=trapped").await?.json();
    assert_eq!(records["items"].as_array().map(Vec::len), usize::try_from(broke).ok(), "each is in the log");
    let mut after = Vec::new();
    for person in &people {
        after.push(ask(&host, person, "Bob").await?);
    }
    assert_eq!(after, before, "as if it had never been");
    assert_eq!(host.get(&format!("{GREETER}/rollout")).await?.json()["broke"], broke, "it is not asked any more");
    let back = Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback"))).await?.json();
    let found = ["version", "rollout", "rolledBack"].map(|key| back[key].clone());
    assert_eq!(found, [json!("1.0.0"), Value::Null, json!("trial")], "nothing served before");
    Ok(())
}

#[tokio::test]
async fn a_shadow_is_asked_and_changes_no_answer() -> Done {
    let host = host(2).await?;
    let before = ask(&host, "kayla", "Ada").await?;
    installed(&host, guests::COUNTS_SCRIPTS, "1.1.0").await?;
    let wanted = json!({"rollout": {"version": "1.1.0", "to": "shadow"}});
    host.put(&format!("{GREETER}/rollout"), wanted).await?;
    for person in ["kayla", "agent-0", "agent-1", "kayla"] {
        let answer = ask(&host, person, "Ada").await?;
        assert_eq!(scripts(&answer), scripts(&before));
    }
    assert_eq!(ask(&host, "kayla", "Ada").await?, before);
    let watched = host.get(&format!("{GREETER}/rollout")).await?.json();
    assert_eq!((&watched["asked"], &watched["different"], &watched["broke"]), (&json!(5), &json!(5), &json!(0)));
    let fields: Vec<_> = watched["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| (it["field"].as_str(), it["count"].as_u64()))
        .collect();
    assert_eq!(fields, [(Some("payload.bytes"), Some(5)), (Some("payload.scripts"), Some(5))]);
    let ended = host.delete(&format!("{GREETER}/rollout")).await?;
    assert_eq!((ended.status, &ended.json()["rollout"]), (200, &Value::Null));
    assert_snapshot!(host.get(&format!("{GREETER}/rollout")).await?, @r#"404 {"code":"not-found","detail":"no version of plugin `tests/greeter` is tried: begin with `PUT /api/v1/plugins/tests/greeter/rollout`"}"#);
    Ok(())
}

#[tokio::test]
async fn a_group_is_who_was_named() -> Done {
    let host = host(2).await?;
    installed(&host, guests::COUNTS_SCRIPTS, "1.1.0").await?;
    let group = |rollout: Value| {
        let mut rollout = rollout;
        rollout["version"] = json!("1.1.0");
        json!({ "rollout": rollout })
    };
    let refusals = [
        json!({"to": "group"}),
        json!({"to": "group", "roles": ["nobody"]}),
        json!({"to": "group", "users": ["nobody"]}),
        json!({"to": "share", "percent": 100}),
        json!({"to": "share", "percent": 5, "users": ["kayla"]}),
        json!({"to": "shadow", "since": 7}),
        json!({"to": "shadow", "stopped": "by me"}),
    ];
    let mut said = Vec::new();
    for wanted in refusals {
        let refused = host.put(&format!("{GREETER}/rollout"), group(wanted)).await?;
        said.push(format!("{refused}"));
    }
    assert_snapshot!(said.join("\n"), @r#"
    409 {"code":"invalid-item","detail":"plugin `tests/greeter` is not valid: `rollout.users`: a group needs `users`, `roles` or both","errors":[{"attribute":"rollout.users","message":"a group needs `users`, `roles` or both"}]}
    409 {"code":"missing-reference","detail":"there is no security role `nobody`, so the rollout would reach no person by it: `GET /api/v1/security-roles` lists those there are"}
    409 {"code":"missing-reference","detail":"there is no user `nobody`, so the rollout would reach no person by it: `GET /api/v1/users` lists those there are"}
    422 {"code":"invalid-item","detail":"plugin `tests/greeter` is not valid: `rollout.percent`: a share has 1 to 99 percent: activate the version to give it to all people","errors":[{"attribute":"rollout.percent","message":"a share has 1 to 99 percent: activate the version to give it to all people"}]}
    409 {"code":"invalid-item","detail":"plugin `tests/greeter` is not valid: `rollout.users`: only a group has users and roles","errors":[{"attribute":"rollout.users","message":"only a group has users and roles"}]}
    422 {"code":"invalid-request","detail":"`rollout.since`: unknown field `since`, expected one of `version`, `to`, `percent`, `roles`, `users`, `stopAfter`","errors":[{"attribute":"rollout.since","message":"unknown field `since`, expected one of `version`, `to`, `percent`, `roles`, `users`, `stopAfter`"}]}
    422 {"code":"invalid-request","detail":"`rollout.stopped`: unknown field `stopped`, expected one of `version`, `to`, `percent`, `roles`, `users`, `stopAfter`","errors":[{"attribute":"rollout.stopped","message":"unknown field `stopped`, expected one of `version`, `to`, `percent`, `roles`, `users`, `stopAfter`"}]}
    "#);
    host.put(&format!("{GREETER}/state"), json!({"state": "inactive"})).await?;
    assert_snapshot!(host.put(&format!("{GREETER}/rollout"), group(json!({"to": "shadow"}))).await?, @r#"409 {"code":"nothing-serves","detail":"no version of plugin `tests/greeter` serves, so there is nothing to try another beside or to compare it with: activate a version, or switch the plugin on"}"#);
    host.put(&format!("{GREETER}/state"), json!({"state": "active"})).await?;
    let begun = host.put(&format!("{GREETER}/rollout"), group(json!({"to": "group", "users": ["agent-0"]}))).await?;
    assert_eq!(begun.status, 200, "{begun}");
    for (person, gets) in [("agent-0", true), ("agent-1", false), ("kayla", false)] {
        let (payload, _) = scripts(&ask(&host, person, "Ada").await?);
        assert_eq!(payload["scripts"].is_number(), gets, "{person}");
    }
    let activated = post(&host, "activate", json!({"version": "1.1.0"})).await?.json();
    assert_eq!((&activated["version"], &activated["rollout"]), (&json!("1.1.0"), &Value::Null), "for everybody now");
    assert!(scripts(&ask(&host, "agent-1", "Ada").await?).0["scripts"].is_number());
    let same = host.put(&format!("{GREETER}/rollout"), group(json!({"to": "shadow"}))).await?;
    assert_snapshot!(same, @r#"409 {"code":"in-use","detail":"plugin `tests/greeter` 1.1.0 serves: activate another version first, or switch the plugin off"}"#);
    Ok(())
}

#[tokio::test]
async fn who_was_not_asked_is_neither_counted_nor_recorded() -> Done {
    let host = host(1).await?;
    installed(&host, guests::STUMBLES, "1.1.0").await?;
    let wanted =
        json!({"rollout": {"version": "1.1.0", "to": "group", "users": ["kayla", "agent-0"], "stopAfter": 10_000}});
    assert_eq!(host.put(&format!("{GREETER}/rollout"), wanted).await?.status, 200);
    // While it is suspended no answer says so, for the version that serves was asked alone. Now and then it is tried
    // again.
    let (mut broke, mut suspended) = (0, 0);
    // One person alone would suspend nothing.
    let mut people = ["kayla", "agent-0"].into_iter().cycle();
    while suspended < 5 {
        let (payload, warnings) = scripts(&ask(&host, people.next().ok_or("a person")?, "Bob").await?);
        assert_eq!(payload["greeting"], "Hello Bob");
        *if warnings == "trial-broke" { &mut broke } else { &mut suspended } += 1;
    }
    let watched = host.get(&format!("{GREETER}/rollout")).await?.json();
    assert_eq!((&watched["asked"], &watched["broke"]), (&json!(broke), &json!(broke)), "{watched}");
    let recorded = host.get("/api/v1/recordings?plugin=tests%2Fgreeter").await?.json();
    let versions: Vec<_> = recorded["items"].as_array().into_iter().flatten().map(|it| it["version"].clone()).collect();
    assert_eq!(versions, ["1.0.0"], "the same question to the same component once: {recorded}");
    Ok(())
}

#[tokio::test]
async fn a_trial_that_was_stopped_begins_again_at_nothing() -> Done {
    let host = host(0).await?;
    installed(&host, guests::STUMBLES, "1.1.0").await?;
    let wanted = json!({"rollout": {"version": "1.1.0", "to": "group", "users": ["kayla"], "stopAfter": 1}});
    for round in 0..2 {
        let begun = host.put(&format!("{GREETER}/rollout"), wanted.clone()).await?.json();
        assert_eq!(
            (&begun["broke"], &begun["rollout"]["stopped"]),
            (&json!(0), &Value::Null),
            "round {round}: {begun}"
        );
        assert!(ask(&host, "kayla", "Ada").await?.to_string().contains("tests/greeter 1.1.0"), "round {round}");
        let (payload, warnings) = scripts(&ask(&host, "kayla", "Bob").await?);
        assert_eq!((&payload["greeting"], warnings.as_str()), (&json!("Hello Bob"), "trial-broke"), "round {round}");
        let stopped = host.get(&format!("{GREETER}/rollout")).await?.json();
        assert_eq!(stopped["rollout"]["stopped"], "it broke 1 times, and last so: plugin.trapped", "round {round}");
        assert_eq!(scripts(&ask(&host, "kayla", "Bob").await?).1, "", "round {round}: nobody is told any more");
    }
    Ok(())
}

#[tokio::test]
async fn a_roll_back_is_not_spent_on_a_trial_that_was_stopped() -> Done {
    let host = host(0).await?;
    host.install("", &rule(guests::COUNTS_SCRIPTS, "greeter", "1.1.0", "scripts")?).await?;
    installed(&host, guests::STUMBLES, "1.2.0").await?;
    let wanted = json!({"rollout": {"version": "1.2.0", "to": "group", "users": ["kayla"], "stopAfter": 1}});
    let mut done = Vec::new();
    for customer in ["Ada", "Bob"] {
        let begun = host.put(&format!("{GREETER}/rollout"), wanted.clone()).await?;
        assert_eq!(begun.status, 200, "{begun}");
        ask(&host, "kayla", customer).await?;
        // Reading it lets the observer catch up.
        let stopped = host.get(&format!("{GREETER}/rollout")).await?.json()["rollout"]["stopped"].is_string();
        let back = Reply::to(host.request(Method::POST, &format!("{GREETER}/rollback"))).await?;
        let json = back.json();
        done.push(format!("{stopped}: {} {} {} {}", back.status, json["rolledBack"], json["version"], json["rollout"]));
    }
    assert_snapshot!(done.join("\n"), @r#"
    false: 200 "trial" "1.1.0" null
    true: 200 "version" "1.0.0" null
    "#);
    assert_eq!(scripts(&ask(&host, "kayla", "Ada").await?).0["greeting"], "Hello Ada", "1.0.0 answers");
    Ok(())
}

#[tokio::test]
async fn a_gate_holds_while_the_plugin_is_off_and_for_what_is_decided_no_more() -> Done {
    let host = host(0).await?;
    ask(&host, "kayla", "Ada").await?;
    host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 1})).await?;
    installed(&host, guests::FAILS, "1.1.0").await?;
    host.put(&format!("{GREETER}/state"), json!({"state": "inactive"})).await?;
    let refused = post(&host, "activate", json!({"version": "1.1.0"})).await?;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("not-promoted")));
    assert_eq!(host.get(GREETER).await?.json()["version"], "1.0.0");
    // A version that leaves the tool to another plugin answers no question wrongly, and still is another.
    host.install("?activate=false", &rule(guests::WELL_BEHAVED, "greeter", "1.2.0", "macros")?).await?;
    for (expected, status) in [(json!([{}]), 409), (json!([{"field": "undecided"}]), 200)] {
        let activated = post(&host, "activate", json!({"version": "1.2.0", "expected": expected})).await?;
        assert_eq!(activated.status, status, "{activated}");
    }
    Ok(())
}
