//! An environment goes elsewhere, whole: people there get what they got here.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::archive::{entries, pack, root};
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::program::{loadout, outcome};
use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipArchive;

/// The zip file that the server makes.
async fn export(host: &TestHost, query: &str) -> Result<Vec<u8>, Failure> {
    let answer = host.request(Method::GET, &format!("/api/v1/export{query}")).send().await?;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert!(answer.headers().contains_key("x-loadout-revision") && answer.headers().contains_key("etag"));
    Ok(answer.bytes().await?.to_vec())
}

/// Makes the people of one environment in another, without any profile of theirs.
async fn bring_people(from: &TestHost, to: &TestHost) -> Result<Vec<String>, Failure> {
    let mut logins = Vec::new();
    for person in from.get("/api/v1/users?limit=500").await?.json()["items"].as_array().into_iter().flatten() {
        let login = person["uniqueName"].as_str().ok_or("a person without a login")?;
        let mut user = person.clone();
        user.as_object_mut()
            .ok_or("a person that is no object")?
            .retain(|key, _| !matches!(key.as_str(), "uniqueName" | "meta"));
        assert_eq!(to.put(&format!("/api/v1/users/{login}"), user).await?.status, 201);
        logins.push(login.to_owned());
    }
    Ok(logins)
}

/// What a person gets, without what differs from one environment to the next.
async fn answer(host: &TestHost, login: &str, session: Value) -> Result<Value, Failure> {
    let question = json!({ "user": login, "app": "customer-service-workspace", "session": session, "explain": "full" });
    let mut answer = host.post("/api/v1/experience", question).await?.json();
    let answered = answer.as_object_mut().ok_or("no answer")?;
    assert!(answered.remove("decisionId").is_some() && answered.remove("revision").is_some(), "{answered:?}");
    Ok(answer)
}

#[tokio::test]
async fn everybody_gets_elsewhere_what_they_got_here() -> Done {
    let (here, elsewhere) = (TestHost::with_sample().await?, TestHost::start().await?);
    let zip = export(&here, "?withAssignments=true").await?;
    assert_eq!(zip, export(&here, "?withAssignments=true").await?, "the same bytes for the same configuration");

    let first = elsewhere.import("/api/v1/imports", zip.clone()).await?;
    assert_eq!(first.status, 200, "{first}");
    assert_eq!(first.json()["counts"]["quarantined"], 0, "{first}");
    // People need the roles that came along; with them there, the same archive assigns them.
    let logins = bring_people(&here, &elsewhere).await?;
    let second = elsewhere.import("/api/v1/imports", zip.clone()).await?.json();
    let assigned = |report: &Value, outcome: &str| {
        let all = report["components"].as_array().into_iter().flatten();
        all.filter(|it| it["table"] == "loadout/assignments.json" && it["outcome"] == outcome).count()
    };
    let (unknown, known) = (assigned(&first.json(), "skipped"), assigned(&second, "created"));
    assert!(unknown > 0 && known == unknown, "nobody is made, and nobody left out: {unknown} and {known}");
    assert_eq!(second["counts"]["updated"], 0);

    for login in &logins {
        for session in [
            Value::Null,
            json!({ "entity": "incident", "context": { "anchor.prioritycode": "1" } }),
            json!({ "channel": "chat", "context": {} }),
        ] {
            let (got, gets) = (answer(&here, login, session.clone()).await?, answer(&elsewhere, login, session).await?);
            assert_eq!(got, gets, "{login}");
        }
    }
    let again = elsewhere.import("/api/v1/imports", zip.clone()).await?.json();
    assert_eq!((&again["revision"], assigned(&again, "unchanged")), (&second["revision"], known));
    assert_eq!(export(&elsewhere, "?withAssignments=true").await?, zip, "an export from elsewhere is the same");
    Ok(())
}

#[tokio::test]
async fn people_stay_unless_somebody_asks_for_them() -> Done {
    let host = TestHost::with_sample().await?;
    let files = files(&export(&host, "?name=desk&version=2.0.0.1").await?)?;
    assert!(!files.contains_key("loadout/assignments.json"));
    assert!(!files.keys().any(|path| path.starts_with("loadout/users")));
    assert!(files["solution.xml"].contains("<UniqueName>desk</UniqueName>"));
    assert!(files["solution.xml"].contains("<Version>2.0.0.1</Version>"));
    let refused = host.get("/api/v1/export?name=my%20desk").await?;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("invalid-query")));
    assert_snapshot!(refused.json()["detail"].as_str().unwrap_or_default(), @"`my desk` cannot name a solution: use up to 65 letters, digits and `_`, not beginning with a digit");
    Ok(())
}

/// What a reviewer sees of the sample beside its tables.
#[tokio::test]
async fn what_a_solution_cannot_say_is_reviewed_as_json() -> Done {
    let files = files(&export(&TestHost::with_sample().await?, "").await?)?;
    let documents: Vec<_> = files.keys().filter_map(|path| path.strip_prefix("loadout/")).collect();
    assert_snapshot!(documents.join("\n"), @r#"
    default-profile/default-profile.json
    environment/environment.json
    format.json
    pane-tools/contoso_delivery_tool.json
    profiles/contoso_chat.json
    profiles/contoso_rep.json
    profiles/contoso_supervisor.json
    profiles/contoso_tier2.json
    profiles/contoso_voice.json
    queues/contoso_calls.json
    queues/contoso_general.json
    queues/contoso_gold.json
    queues/contoso_second_line.json
    rank-and-roles/contoso_back_office.json
    rank-and-roles/contoso_tier2.json
    security-roles/Contoso Back Office.json
    security-roles/Contoso Second Line.json
    session-templates/contoso_account.json
    session-templates/contoso_case.json
    session-templates/contoso_chat.json
    session-templates/contoso_contact.json
    session-templates/contoso_escalated_case.json
    session-templates/contoso_routed_case.json
    session-templates/contoso_voice.json
    voice-profiles/contoso_inbound.json
    voice-profiles/contoso_outbound.json
    workstreams/contoso_case_routing.json
    workstreams/contoso_service_line.json
    workstreams/contoso_shop_chat.json
    workstreams/contoso_whatsapp.json
    "#);
    assert_snapshot!(files["loadout/session-templates/contoso_case.json"], @r#"
    {
      "patch": {
        "tabs": [
          {
            "template": "contoso_customer",
            "order": 10
          },
          {
            "template": "contoso_order_portal",
            "order": 20
          }
        ],
        "scripts": [
          "contoso_greet",
          "contoso_vip",
          "contoso_closing",
          "contoso_greet_de",
          "contoso_greet_fr"
        ]
      }
    }
    "#);
    assert_snapshot!(files["msdyn_notificationfields/contoso_chat_known_field_1/msdyn_notificationfield.xml"], @r#"
    <?xml version="1.0" encoding="utf-8"?>
    <msdyn_notificationfield msdyn_uniquename="contoso_chat_known_field_1">
      <msdyn_name>Customer</msdyn_name>
      <msdyn_order>1</msdyn_order>
      <msdyn_title default="Customer">
        <label description="Kunde" languagecode="1031" />
        <label description="Client" languagecode="1036" />
      </msdyn_title>
      <msdyn_value default="{customerName}">
        <label description="{customerName}" languagecode="1033" />
      </msdyn_value>
      <statecode>0</statecode>
      <statuscode>1</statuscode>
    </msdyn_notificationfield>
    "#);
    Ok(())
}

#[tokio::test]
async fn what_is_managed_comes_back_managed_and_changes_nothing() -> Done {
    let folder = pack(&root().join("tests/fixtures/tailspin"))?;
    let mut managed: Vec<(String, Vec<u8>)> =
        files(&folder)?.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    for (_, bytes) in managed.iter_mut().filter(|(name, _)| name == "solution.xml") {
        let text = String::from_utf8(bytes.clone())?;
        assert!(text.contains("<Managed>0</Managed>"), "{text}");
        *bytes = text.replace("<Managed>0</Managed>", "<Managed>1</Managed>").into_bytes();
    }
    let managed: Vec<(&str, Vec<u8>)> = managed.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let managed = entries(&managed)?;
    let (here, there) = (TestHost::start().await?, TestHost::start().await?);
    let first = here.import("/api/v1/imports", managed.clone()).await?.json();
    assert_eq!(first["solution"]["managed"], true);
    let out = export(&here, "").await?;
    let changes = |report: &Value| {
        let counts = &report["counts"];
        json!([counts["created"], counts["updated"], counts["merged"], counts["quarantined"], report["revision"]])
    };
    for (what, zip) in [("the export", out.clone()), ("the solution", managed)] {
        let again = here.import("/api/v1/imports", zip).await?.json();
        assert_eq!(changes(&again), json!([0, 0, 0, 0, first["revision"]]), "{what} changes nothing: {again}");
    }
    let moved = there.import("/api/v1/imports", out.clone()).await?.json();
    let again = there.import("/api/v1/imports", out.clone()).await?.json();
    assert_eq!(changes(&again), json!([0, 0, 0, 0, moved["revision"]]), "{again}");
    for path in
        ["profiles/tspin_desk", "scripts/tspin_hello", "session-templates/tspin_case", "macros/tspin_note_the_call"]
    {
        let item = there.get(&format!("/api/v1/{path}")).await?.json();
        assert_eq!(item["source"]["managed"], true, "{path}: {item}");
    }
    assert_eq!(export(&there, "").await?, out, "an export from elsewhere is the same");
    Ok(())
}

#[test]
fn the_command_line_exports_and_imports() -> Done {
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| -> Result<String, Failure> {
        let output = loadout(folder.path(), arguments).output()?;
        Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), outcome(&output)))
    };
    fs::write(folder.path().join("tailspin.zip"), pack(&root().join("tests/fixtures/tailspin"))?)?;
    assert!(run(&["import", "tailspin.zip", "--data", "here"])?.contains("7 created"));
    assert_snapshot!(run(&["export", "--data", "here", "-o", "out.zip"])?, @r"
    wrote out.zip at revision 2: 1 macro, 1 script, 2 application tab templates, 1 session template, 1 profile, 1 rank and roles
    0
    ");
    assert_snapshot!(run(&["export", "--data", "here", "-o", "out.zip"])?, @"2 error: `out.zip` is there already: name another file, or overwrite it with `--force`");
    assert_snapshot!(run(&["export", "--data", "nowhere", "-o", "other.zip"])?, @"2 error: there is no environment in `nowhere`: name another folder with `--data`, or make one with `loadout serve` or `loadout import`");
    assert_snapshot!(run(&["export", "--data", "here", "-o", "other.zip", "--solution-version", "1"])?, @"2 error: `1` is no version of a solution: write four numbers, such as `1.0.0.0`");
    assert_snapshot!(run(&["export", "--data", "here", "-o", "no/such/folder.zip"])?, @"1 error: `no/such/folder.zip` cannot be written: No such file or directory (os error 2)");
    let first = fs::read(folder.path().join("out.zip"))?;
    assert!(run(&["import", "out.zip", "--data", "elsewhere"])?.contains("0 quarantined"));
    assert!(run(&["export", "--data", "elsewhere", "-o", "out.zip", "--force"])?.starts_with("wrote out.zip"));
    assert_eq!(fs::read(folder.path().join("out.zip"))?, first, "an export from elsewhere is the same");
    let left: Vec<_> = fs::read_dir(folder.path())?.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 4, "nothing is left behind: {left:?}");
    Ok(())
}

fn files(zip: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
    let mut zip = ZipArchive::new(Cursor::new(zip))?;
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        files.insert(entry.name()?.into_owned(), text);
    }
    Ok(files)
}
