//! What people get, from real components over a real server.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use loadout::domain::experience::ExplainLevel;
use loadout::resolve::SessionInput;
use loadout::service::{Question, Service, Who};
use loadout_tests::Done;
use loadout_tests::host::TestHost;
use proptest::prelude::*;
use serde_json::json;

use loadout_tests::components::RULES;

#[tokio::test]
async fn a_component_that_spins_costs_only_its_own_tool() -> Done {
    let host = TestHost::with_rules(Arc::clone(&*RULES) as _).await?;
    for kind in ["spins-forever", "well-behaved"] {
        let tool = json!({"name": kind, "kind": kind, "control": "x"});
        assert_eq!(host.put(&format!("/api/v1/pane-tools/contoso_{kind}"), tool).await?.status, 201);
    }
    let mut profile = host.get("/api/v1/profiles/contoso_rep").await?.json();
    let tools = profile["productivityPane"]["tools"].as_array_mut().ok_or("tools")?;
    // Between the others, so that tools before and after it have to answer.
    tools.push(json!({"tool": "spins-forever", "order": 15}));
    tools.push(json!({"tool": "well-behaved", "order": 16}));
    assert_eq!(host.put("/api/v1/profiles/contoso_rep", profile).await?.status, 200);

    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    let ask = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", ask).await?.json();
    let tools = answer["productivityPane"]["tools"].as_array().ok_or("tools")?;
    let told: Vec<String> = tools
        .iter()
        .map(|tool| format!("{} {} {}", tool["tool"], tool["status"], tool["fault"]).replace('"', ""))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    smart-assist shown null
    spins-forever failed {code:plugin.timeout,message:it ran past its deadline of 50 ms,plugin:tests/spins-forever,version:0.1.0}
    well-behaved shown null
    scripts shown null
    macros shown null
    knowledge-search shown null
    copilot shown null
    ");
    assert_eq!(host.get("/health/ready").await?.status, 200);
    Ok(())
}

/// A question about kayla's case, whose title is `title`.
fn titled(title: String) -> Question {
    let context = BTreeMap::from([("anchor.title".to_owned(), title)]);
    Question {
        who: Who::Login("kayla".parse().expect("a login")),
        profile: None,
        app: "customer-service-workspace".to_owned(),
        session: Some(SessionInput { entity: Some("incident".to_owned()), context, ..SessionInput::default() }),
        explain: ExplainLevel::None,
        as_of: None,
    }
}

#[test]
fn no_text_of_the_context_takes_a_built_in_tool_away() {
    // Each of these characters is two bytes in JSON.
    let answer = SERVICE.0.experience(&titled("\"".repeat(65_536))).expect("an answer");
    let answer = serde_json::to_value(answer).expect("JSON");
    let tools = answer["productivityPane"]["tools"].as_array().into_iter().flatten();
    let failed: Vec<_> = tools.clone().filter(|tool| tool["status"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:?}");
    let searched = tools.filter_map(|tool| tool["payload"]["searchText"].as_str()).map(str::len);
    assert_eq!(searched.collect::<Vec<_>>(), [1_000]);
    let refused = SERVICE.0.experience(&titled("\u{1}".repeat(60_000))).expect_err("a refusal").to_string();
    insta::assert_snapshot!(refused, @"`session.context.anchor.title` holds the control character U+0001: leave it out; tabs and line ends may stay");
}

/// One environment, asked many times.
static SERVICE: LazyLock<(Service, tempfile::TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service = Service::open(folder.path(), Arc::clone(&*RULES) as _).expect("the service opens");
    service.add_sample("contoso").expect("the sample is there");
    (service, folder)
});

fn any_session() -> impl Strategy<Value = Option<SessionInput>> {
    let about = prop_oneof![
        Just(json!({"entity": "incident"})),
        Just(json!({"entity": "account"})),
        Just(json!({"workstream": "contoso_shop_chat"})),
        Just(json!({"channel": "voice"})),
        Just(json!({"channel": "whatsapp", "event": "consult"})),
    ];
    let key = prop_oneof![
        Just("customerName"),
        Just("anchor.title"),
        Just("customerTier"),
        Just("visitorLanguage"),
        Just("customerRecordId")
    ];
    let context = proptest::collection::btree_map(key.prop_map(str::to_owned), "\\PC{0,12}", 0..4);
    proptest::option::of((about, context).prop_map(|(mut about, context)| {
        about["context"] = json!(context);
        serde_json::from_value(about).expect("a session")
    }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_questions_give_equal_bytes(
        login in proptest::sample::select(vec!["kayla", "marcus", "amelie", "noor", "emi", "victor"]),
        app in proptest::sample::select(vec!["customer-service-workspace", "omnichannel", "contact-center-workspace"]),
        session in any_session(),
    ) {
        let who = Who::Login(login.parse().expect("a login"));
        let question = Question { who, profile: None, app: app.to_owned(), session, explain: ExplainLevel::Full, as_of: None };
        let bytes = || serde_json::to_vec(&SERVICE.0.experience(&question).expect("an answer")).expect("JSON");
        prop_assert_eq!(bytes(), bytes());
    }
}
