//! What one publisher adds to what another one made: a tool in a pane that is there, a widget beside a built-in
//! channel.

use std::sync::Arc;

use loadout_tests::Done;
use loadout_tests::archive::{pack, root, solution};
use loadout_tests::host::{Failure, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

use loadout_tests::components::RULES;

const TOOL: (&str, &str, &str) = (
    "msdyn_panetoolconfiguration",
    "adat_sign_tool",
    "<msdyn_category>100000001</msdyn_category><msdyn_controlname>adat_Sign.PaneView</msdyn_controlname>\
     <msdyn_description>מבקש מהלקוח לחתום.</msdyn_description><msdyn_isglobal>0</msdyn_isglobal>\
     <msdyn_name default=\"Sign - חתימה\"><label description=\"Sign - חתימה\" languagecode=\"1033\"/></msdyn_name>\
     <msdyn_type>0</msdyn_type>",
);

/// A tool, and its place in a pane that another solution brought.
fn add_on(pane: &str) -> Result<Vec<u8>, Failure> {
    let columns = format!(
        "<msdyn_isenabled>1</msdyn_isenabled><msdyn_order>40</msdyn_order>\
         <msdyn_productivitypaneid><msdyn_uniquename>{pane}</msdyn_uniquename></msdyn_productivitypaneid>\
         <msdyn_toolid><msdyn_uniquename>adat_sign_tool</msdyn_uniquename></msdyn_toolid>\
         <msdyn_tooltip default=\"Sign - חתימה\"><label description=\"Sign - חתימה\" languagecode=\"1033\"/></msdyn_tooltip>"
    );
    solution("AdatSign", false, &[TOOL, ("msdyn_panetabconfiguration", "adat_sign_tab", &columns)], "")
}

#[tokio::test]
async fn a_tool_reaches_those_whose_pane_it_is_for() -> Done {
    let host = TestHost::with_rules(Arc::clone(&*RULES) as _).await?;
    let tailspin = host.import("/api/v1/imports", pack(&root().join("tests/fixtures/tailspin"))?).await?;
    assert_eq!(tailspin.status, 200, "{tailspin}");
    let before = host.get("/api/v1/profiles/tspin_desk").await?.json();

    let first = host.import("/api/v1/imports", add_on("tspin_desk_pane")?).await?.json();
    let counts = &first["counts"];
    assert_eq!((&counts["merged"], &counts["skipped"]), (&json!(1), &json!(0)), "{first}");
    let mut after = host.get("/api/v1/profiles/tspin_desk").await?.json();
    let tools = after["productivityPane"]["tools"].as_array_mut().expect("a pane has tools");
    let placed = tools.pop().expect("a tool was added");
    assert_eq!(&Value::from(tools.clone()), &before["productivityPane"]["tools"], "the others are as they were");
    assert_eq!(
        json!([placed["tool"], placed["order"], placed["enabled"], placed["tooltip"]]),
        json!(["adat_sign_tool", 40, true, "Sign - חתימה"])
    );
    let tool = host.get("/api/v1/pane-tools/adat_sign_tool").await?.json();
    assert_eq!(
        json!([tool["control"], tool["category"], tool["controlType"], tool["global"], tool["description"]]),
        json!(["adat_Sign.PaneView", "agent-guidance", "control", false, "מבקש מהלקוח לחתום."])
    );
    let again = host.import("/api/v1/imports", add_on("tspin_desk_pane")?).await?.json();
    assert_eq!(again["revision"], first["revision"], "a second import makes no revision");

    // No rule decides about it, so it is hidden, until the administrator says that it needs none.
    let rita = json!({"displayName": "Rita", "roles": ["Customer Service Representative"]});
    assert_eq!(host.put("/api/v1/users/rita", rita).await?.status, 201);
    assert_eq!(host.put("/api/v1/profiles/tspin_desk/users/rita", Value::Null).await?.status, 200);
    let told = async || -> Result<Value, Failure> {
        let question = json!({"user": "rita", "app": "customer-service-workspace"});
        let answer = host.post("/api/v1/experience", question).await?;
        assert_eq!(answer.status, 200, "{answer}");
        let answer = answer.json();
        let tools = answer["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
        Ok(tools.into_iter().find(|tool| tool["uniqueName"] == "adat_sign_tool").unwrap_or(Value::Null))
    };
    let hidden = told().await?;
    assert_eq!((&hidden["status"], &hidden["hiddenBy"]["gate"]), (&json!("hidden"), &json!("rule")), "{hidden}");
    let without_rule = host.patch("/api/v1/pane-tools/adat_sign_tool", json!({"withoutRule": "show"})).await?;
    assert_eq!(without_rule.status, 200, "{without_rule}");
    assert_eq!(told().await?["status"], "shown");
    Ok(())
}

#[tokio::test]
async fn a_tool_for_a_pane_that_is_nowhere_is_made_and_said() -> Done {
    let host = TestHost::start().await?;
    let report = host.import("/api/v1/imports", add_on("adat_far_away_pp")?).await?.json();
    assert_eq!((&report["counts"]["created"], &report["counts"]["skipped"]), (&json!(1), &json!(1)), "{report}");
    let warnings = report["warnings"].as_array().cloned().unwrap_or_default();
    let said = warnings.iter().find(|warning| warning["code"] == "pane-missing").map(|warning| &warning["message"]);
    assert_eq!(
        said.and_then(Value::as_str),
        Some(
            "the pane `adat_far_away_pp` is not in the archive, and no profile here has it: import the solution with the pane first, then this one again"
        )
    );
    assert_eq!(host.get("/api/v1/pane-tools/adat_sign_tool").await?.status, 200);
    Ok(())
}

/// An address within an address, as widgets are given it.
const ADDRESS: &str =
    "https://panel.adat.example/view?lib=https://org.adat.example/webresources/adat_/lib.js&mode=live";

const BUILT_IN: &str = "<msdyn_name>msdyn_omnichannel</msdyn_name><msdyn_apiversion>162450000</msdyn_apiversion>\
     <msdyn_channelurl>https://built-in.adat.example/chat.htm?a=b&amp;lib=https://org.adat.example/lib.js</msdyn_channelurl>\
     <msdyn_enableoutbound>1</msdyn_enableoutbound><msdyn_sortorder>3</msdyn_sortorder>";

/// A profile with a widget of its own and the built-in provider, which has no label there.
fn two_providers() -> Result<Vec<u8>, Failure> {
    let widget = format!(
        "<msdyn_name>Widget</msdyn_name><msdyn_label>Widget</msdyn_label><msdyn_apiversion>162450000</msdyn_apiversion>\
         <msdyn_channelurl>{}</msdyn_channelurl><msdyn_sortorder>0</msdyn_sortorder>",
        ADDRESS.replace('&', "&amp;")
    );
    let link = |provider: &str| {
        format!(
            "<msdyn_appconfig_msdyn_channelprovider msdyn_appconfigurationid.msdyn_uniquename=\"adat_inbox\" \
             msdyn_channelproviderid.msdyn_uniquename=\"{provider}\"/>"
        )
    };
    let (table, links) = ("msdyn_channelprovider", [link("adat_widget"), link("msdyn_omnichannel")].concat());
    let profile =
        "<msdyn_appmoduleuniquename>CustomerServiceApps</msdyn_appmoduleuniquename><msdyn_name>Inbox</msdyn_name>";
    let rows = [
        ("msdyn_appconfiguration", "adat_inbox", profile),
        (table, "adat_widget", widget.as_str()),
        (table, "msdyn_omnichannel", BUILT_IN),
    ];
    let links = format!("<msdyn_appconfig_msdyn_channelproviderset>{links}</msdyn_appconfig_msdyn_channelproviderset>");
    solution("AdatInbox", false, &rows, &links)
}

/// The unique names of the providers that a person gets.
async fn providers(host: &TestHost, login: &str) -> Result<Value, Failure> {
    let question = json!({"user": login, "app": "customer-service-workspace"});
    let answer = host.post("/api/v1/experience", question).await?;
    assert_eq!(answer.status, 200, "{answer}");
    let listed = answer.json()["channels"]["providers"].as_array().cloned().unwrap_or_default();
    Ok(listed.into_iter().map(|provider| provider["uniqueName"].clone()).collect())
}

#[tokio::test]
async fn a_built_in_provider_without_a_label_comes_along_and_is_labelled_by_its_name() -> Done {
    let host = TestHost::with_sample().await?;
    let report = host.import("/api/v1/imports", two_providers()?).await?.json();
    let counts = &report["counts"];
    assert_eq!(json!([counts["quarantined"], counts["links"], counts["linksLeftOut"]]), json!([0, 2, 0]), "{report}");
    let said = "it has no `msdyn_label`: it is labelled by its name, `msdyn_omnichannel`";
    let warned = |it: &Value| it["where"] == "msdyn_channelprovider/msdyn_omnichannel" && it["message"] == said;
    assert!(report["warnings"].as_array().into_iter().flatten().any(warned), "{report}");
    let built_in = host.get("/api/v1/channel-providers/msdyn_omnichannel").await?.json();
    assert_eq!(json!([built_in["label"], built_in["apiVersion"]]), json!(["msdyn_omnichannel", 2]));
    assert_eq!(
        built_in["channelUrl"],
        "https://built-in.adat.example/chat.htm?a=b&lib=https://org.adat.example/lib.js"
    );
    let again = host.import("/api/v1/imports", two_providers()?).await?.json();
    assert_eq!(again["revision"], report["revision"]);

    assert_eq!(host.put("/api/v1/profiles/adat_inbox/users/kayla", Value::Null).await?.status, 200);
    assert_eq!(providers(&host, "kayla").await?, json!(["adat_widget", "msdyn_omnichannel"]));
    Ok(())
}

#[tokio::test]
async fn providers_are_those_of_the_profile_in_their_order() -> Done {
    let host = TestHost::with_sample().await?;
    let provider =
        |label: &str, order: u16| json!({"name": label, "label": label, "channelUrl": ADDRESS, "sortOrder": order});
    for (name, order) in [("adat_zinc", 5), ("adat_argon", 5), ("adat_last", 9), ("adat_first", 0), ("adat_others", 1)]
    {
        assert_eq!(host.put(&format!("/api/v1/channel-providers/{name}"), provider(name, order)).await?.status, 201);
    }
    let profile = |providers: &[&str]| json!({"name": "P", "channels": {"allActive": true, "providers": providers}});
    let mine = profile(&["adat_zinc", "adat_last", "adat_argon", "adat_first"]);
    for (name, body) in [("adat_mine", mine), ("adat_theirs", profile(&["adat_others"]))] {
        assert_eq!(host.put(&format!("/api/v1/profiles/{name}"), body).await?.status, 201);
    }
    assert_eq!(host.put("/api/v1/profiles/adat_mine/users/kayla", Value::Null).await?.status, 200);
    let expected = json!(["adat_first", "adat_argon", "adat_zinc", "adat_last"]);
    assert_eq!(providers(&host, "kayla").await?, expected);
    Ok(())
}

#[tokio::test]
async fn the_address_of_a_widget_is_the_same_text_everywhere() -> Done {
    let (here, there) = (TestHost::start().await?, TestHost::start().await?);
    let widget = json!({"name": "Widget", "label": "Widget", "channelUrl": ADDRESS, "sortOrder": 0});
    assert_eq!(here.put("/api/v1/channel-providers/adat_widget", widget).await?.status, 201);
    assert_eq!(here.get("/api/v1/channel-providers/adat_widget").await?.json()["channelUrl"], ADDRESS);
    let first = exported(&here).await?;
    let report = there.import("/api/v1/imports", first.clone()).await?;
    assert_eq!(report.status, 200, "{report}");
    assert_eq!(there.get("/api/v1/channel-providers/adat_widget").await?.json()["channelUrl"], ADDRESS);
    assert_eq!(exported(&there).await?, first, "an export from elsewhere is the same");
    Ok(())
}

async fn exported(host: &TestHost) -> Result<Vec<u8>, Failure> {
    let reply = host.request(Method::GET, "/api/v1/export").send().await?;
    assert_eq!(reply.status(), 200);
    Ok(reply.bytes().await?.to_vec())
}
