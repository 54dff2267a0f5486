//! The data folder is its owner's: its files, and the secrets that ride along in an old environment, which are not in
//! it at all.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use loadout_tests::Done;
use loadout_tests::archive::{entries, package};
use loadout_tests::host::{Failure, Reply, TOKEN, TestHost, share_compiled};
use loadout_tests::process::ServerProcess;
use loadout_tests::program::loadout;
use reqwest::Method;
use serde_json::{Value, json};

/// What must be in no answer and in no file.
const CANARY: &str = "CANARY-0b5e-not-for-anyone";

/// Columns that hold secrets, and two that only sound like it.
const SECRET: [&str; 6] = [
    "msdyn_apikey",
    "msdyn_secureapikey",
    "msdyn_providerapikey",
    "msdyn_msappsecret",
    "msdyn_authenticationclientsecret",
    "new_storage_password",
];
const PLAIN: [(&str, &str); 2] =
    [("msdyn_apikeyversionnumber", "version-seven"), ("msdyn_accesstokenurl", "https://login.example/token")];

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The names of the files that hold the canary, packed or not.
fn with_canary(folder: &Path) -> Result<Vec<String>, Failure> {
    let holds = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes());
    let mut found = Vec::new();
    for path in files(folder)? {
        let bytes = fs::read(&path)?;
        let mut texts = vec![bytes.clone()];
        if let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) {
            for at in 0..zip.len() {
                let mut text = Vec::new();
                zip.by_index(at)?.read_to_end(&mut text)?;
                texts.push(text);
            }
        }
        if texts.iter().any(|text| holds(text)) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

fn send(host: &TestHost, path: &str, zip: &[u8]) -> impl Future<Output = Result<Reply, Failure>> + use<> {
    Reply::to(host.request(Method::POST, path).header("content-type", "application/zip").body(zip.to_vec()))
}

async fn platform() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// Everything the host says of what was brought along.
async fn said(host: &TestHost, more: &[&str]) -> Result<String, Failure> {
    let mut texts = String::new();
    let collections = ["workstreams", "session-templates", "channel-providers", "queues", "macros"];
    for path in
        collections.iter().chain(&["revisions", "upgrades", "audit", "traces", "recordings", "outbox"]).chain(more)
    {
        let answer = host.get(&format!("/api/v1/{path}")).await?;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        texts.push_str(&answer.text);
    }
    let exported = host.request(Method::GET, "/api/v1/export").send().await?.bytes().await?;
    let mut zip = zip::ZipArchive::new(Cursor::new(exported.to_vec()))?;
    for at in 0..zip.len() {
        zip.by_index(at)?.read_to_string(&mut texts)?;
    }
    Ok(texts)
}

#[tokio::test]
async fn secrets_of_an_old_environment_come_along_nowhere() -> Done {
    let host = platform().await?;
    let row = |name: &str| {
        let mut row = vec![
            ("msdyn_name", name.to_owned()),
            ("msdyn_streamsource", "192340000".to_owned()),
            ("msdyn_mode", "717210001".to_owned()),
            ("msdyn_workdistributionmode", "192350000".to_owned()),
        ];
        row.extend(SECRET.map(|column| (column, format!("{CANARY} of {column}"))));
        row.extend(PLAIN.map(|(column, value)| (column, value.to_owned())));
        row
    };
    let zip = package("msdyn_liveworkstream", &[row("SMS desk"), row("Night desk")])?;
    let planned = send(&host, "/api/v1/upgrade-plans?name=old.zip", &zip).await?;
    assert_eq!(planned.status, 201, "{planned}");
    let notes = planned.json()["notes"].as_array().cloned().unwrap_or_default();
    let left: Vec<&Value> = notes.iter().filter(|note| note["code"] == "secret-left-behind").collect();
    assert_eq!(left.len(), 2, "one for each row: {notes:?}");
    let message = left[0]["message"].as_str().unwrap_or_default();
    assert!(SECRET.iter().all(|column| message.contains(&format!("`{column}`"))), "{message}");
    assert!(message.contains("`PUT /api/v1/secrets/{name}`") && !message.contains("version"), "{message}");
    assert!(left[0]["where"].as_str().is_some_and(|place| place.starts_with("msdyn_liveworkstream/")), "{:?}", left[0]);

    // What the plan is carried out from is kept until then, without the secrets.
    assert_eq!(with_canary(host.folder())?, Vec::<String>::new());
    let source = files(host.folder())?.into_iter().find(|path| path.ends_with("source.zip")).ok_or("no source")?;
    let mut data = String::new();
    zip::ZipArchive::new(fs::File::open(source)?)?.by_name("data.xml")?.read_to_string(&mut data)?;
    for (column, value) in PLAIN {
        assert!(data.contains(&format!("name=\"{column}\" value=\"{value}\"")), "{column} is no secret: {data}");
    }

    let plan = planned.json()["id"].as_str().unwrap_or_default().to_owned();
    let begun = host.post("/api/v1/upgrades", json!({ "plan": plan })).await?;
    assert_eq!(begun.status, 202, "{begun}");
    let events = host.get("/api/v1/upgrades/1/events").await?;
    assert!(events.text.contains("\"state\":\"applied\""), "{events}");
    let workstream = host.get("/api/v1/workstreams/SMS%20desk").await?;
    assert_eq!(workstream.status, 200, "{workstream}");
    let plan = format!("upgrade-plans/{plan}");
    let texts = said(&host, &["upgrades/1", "upgrades/1/rows", "workstreams/SMS%20desk", &plan]).await?;
    assert!(!format!("{planned}{events}{texts}").contains("CANARY"), "an answer has it");
    let status = host.get("/api/v1/upgrades/1").await?;
    assert!(status.text.contains("secret-left-behind"), "the run says so, too: {status}");
    let back = Reply::to(host.request(Method::POST, "/api/v1/upgrades/1/rollback")).await?;
    assert_eq!(back.status, 200, "{back}");
    let folder = host.stop_and_keep().await?;
    assert_eq!(with_canary(folder.path())?, Vec::<String>::new());
    Ok(())
}

/// A solution with a row of a table that an import reads, and one of a table that it does not know.
fn solution() -> Result<Vec<u8>, Failure> {
    let secrets: String = SECRET.iter().map(|column| format!("<{column}>{CANARY}</{column}>")).collect();
    let plain: String = PLAIN.iter().map(|(column, value)| format!("<{column}>{value}</{column}>")).collect();
    let manifest = "<ImportExportXml version=\"9.2\"><SolutionManifest><UniqueName>old</UniqueName><Version>1.0</Version>\
        <Managed>0</Managed><Publisher><CustomizationPrefix>old</CustomizationPrefix></Publisher></SolutionManifest></ImportExportXml>";
    let provider = format!(
        "<msdyn_channelprovider msdyn_uniquename=\"old_phone\" msdyn_apikey=\"{CANARY}\"><msdyn_name>Phone</msdyn_name>\
         <msdyn_label>Phone</msdyn_label><msdyn_channelurl>https://phone.example/</msdyn_channelurl><msdyn_sortorder>1</msdyn_sortorder>{secrets}{plain}\
         <iscustomizable>1</iscustomizable></msdyn_channelprovider>"
    );
    let unknown = format!("<old_thing msdyn_uniquename=\"old_x\"><old_part>{secrets}</old_part></old_thing>");
    let customizations =
        format!("<ImportExportXml><Workflows /><old_set><old_row>{secrets}</old_row></old_set></ImportExportXml>");
    entries(&[
        ("solution.xml", manifest.as_bytes().to_vec()),
        ("customizations.xml", customizations.into_bytes()),
        ("msdyn_channelproviders/old_phone/msdyn_channelprovider.xml", provider.into_bytes()),
        ("old_things/old_x/old_thing.xml", unknown.into_bytes()),
        (
            "loadout/queues/old_desk.json",
            json!({"item": {"name": "Desk", "source": {"attributes": {"msdyn_apikey": CANARY, "old_colour": "red"}}}})
                .to_string()
                .into_bytes(),
        ),
    ])
}

#[tokio::test]
async fn secrets_of_a_solution_are_left_behind_by_imports_and_upgrades() -> Done {
    let zip = solution()?;
    let host = platform().await?;
    let imported = send(&host, "/api/v1/imports", &zip).await?;
    assert_eq!(imported.status, 200, "{imported}");
    let warnings = imported.json()["warnings"].as_array().cloned().unwrap_or_default();
    let places: BTreeSet<&str> =
        warnings.iter().filter(|it| it["code"] == "secret-left-behind").filter_map(|it| it["where"].as_str()).collect();
    let expected =
        ["customizations.xml", "loadout/queues/old_desk", "msdyn_channelprovider/old_phone", "old_thing/old_x"];
    assert_eq!(places, BTreeSet::from(expected), "{imported}");
    let provider = host.get("/api/v1/channel-providers/old_phone").await?.json();
    assert_eq!(provider["source"]["attributes"]["msdyn_accesstokenurl"], "https://login.example/token", "{provider}");
    let queue = host.get("/api/v1/queues/old_desk").await?.json();
    assert_eq!(queue["source"]["attributes"], json!({"old_colour": "red"}), "{queue}");
    let texts = said(&host, &[]).await?;
    assert!(!format!("{imported}{texts}").contains("CANARY"), "an answer has it");

    let mut item = queue.clone();
    item["source"]["attributes"]["msdyn_msappsecret"] = CANARY.into();
    let refused = host.put("/api/v1/queues/old_desk", item).await?;
    assert_eq!(refused.status, 409, "{refused}");
    assert!(refused.text.contains("`msdyn_msappsecret` holds a secret, and no item keeps one"), "{refused}");
    let folder = host.stop_and_keep().await?;
    assert_eq!(with_canary(folder.path())?, Vec::<String>::new());

    let host = platform().await?;
    let planned = send(&host, "/api/v1/upgrade-plans", &zip).await?;
    assert_eq!(planned.status, 201, "{planned}");
    assert!(planned.text.contains("secret-left-behind") && !planned.text.contains("CANARY"), "{planned}");
    let begun = host.post("/api/v1/upgrades", json!({ "plan": planned.json()["id"] })).await?;
    assert_eq!(begun.status, 202, "{begun}");
    let events = host.get("/api/v1/upgrades/1/events").await?;
    assert!(events.text.contains("\"state\":\"applied\""), "{events}");
    assert!(!said(&host, &["upgrades/1", "upgrades/1/rows"]).await?.contains("CANARY"), "an answer has it");
    let folder = host.stop_and_keep().await?;
    assert_eq!(with_canary(folder.path())?, Vec::<String>::new());
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_what_is_in_the_data_folder() -> Done {
    use std::os::unix::fs::PermissionsExt;

    let outside = tempfile::tempdir()?;
    let data = outside.path().join("data");
    fs::create_dir(&data)?;
    fs::write(data.join("admin.token"), TOKEN)?;
    share_compiled(&data)?;
    let left = data.join(".upgrade-1-0.zip");
    fs::write(&left, "what a process left that was killed")?;
    let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    open(&data, 0o755)?;
    open(&data.join("admin.token"), 0o644)?;
    let mut command =
        loadout(outside.path(), &["serve", "--listen", "127.0.0.1:0", "--sample", "contoso", "--data", "data"]);
    command.env("RUST_LOG", "warn").stderr(fs::File::create(outside.path().join("log"))?);
    let server = ServerProcess::start(command)?;
    let caller = server.caller();
    let zip = package("msdyn_liveworkstream", &[vec![("msdyn_name", "Desk".to_owned())]])?;
    let request = caller.request(Method::POST, "/api/v1/upgrade-plans").header("content-type", "application/zip");
    let planned = Reply::to(request.body(zip)).await?;
    assert_eq!(planned.status, 201, "{planned}");
    let run = json!({ "plan": planned.json()["id"] });
    assert_eq!(caller.send(Method::POST, "/api/v1/upgrades", &run).await?.status, 202);
    let events = caller.get("/api/v1/upgrades/1/events").await?;
    assert!(events.text.contains("\"state\":\"applied\""), "{events}");
    // The old environment of a plan goes once the plan was carried out; this one is still to be.
    let zip = package("msdyn_liveworkstream", &[vec![("msdyn_name", "Other desk".to_owned())]])?;
    let request = caller.request(Method::POST, "/api/v1/upgrade-plans").header("content-type", "application/zip");
    assert_eq!(Reply::to(request.body(zip)).await?.status, 201);
    let secret = json!({"value": "a-good-secret", "hosts": ["a.example"]});
    assert_eq!(caller.send(Method::PUT, "/api/v1/secrets/token", &secret).await?.status, 201);
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let recording = json!({"until": until, "redact": []});
    assert_eq!(caller.send(Method::PUT, "/api/v1/plugins/loadout/scripts/recording", &recording).await?.status, 200);
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": {"entity": "incident"}});
    assert_eq!(caller.send(Method::POST, "/api/v1/experience", &question).await?.status, 200);
    assert_eq!(caller.get("/api/v1/traces").await?.status, 200);
    assert_eq!(caller.get("/api/v1/recordings").await?.status, 200);
    let token = json!({"name": "desk", "roles": ["workspace"]});
    assert_eq!(caller.send(Method::POST, "/api/v1/tokens", &token).await?.status, 201);

    let mut kinds = BTreeSet::new();
    let (mut open_to_others, mut folders) = (Vec::new(), vec![data.clone()]);
    while let Some(folder) = folders.pop() {
        let inside: Vec<PathBuf> = fs::read_dir(&folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        folders.extend(inside.iter().filter(|path| path.is_dir()).cloned());
        for path in inside.iter().chain([&folder]) {
            kinds.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            let mode = fs::metadata(path)?.permissions().mode();
            if mode & 0o077 != 0 {
                open_to_others.push(format!("{} {mode:o}", path.display()));
            }
        }
    }
    assert_eq!(open_to_others, Vec::<String>::new());
    let wanted = [
        "loadout.db",
        "loadout.db-wal",
        "traces.db",
        "audit.db",
        "secrets.db",
        "recordings.db",
        "admin.token",
        "cache",
        "plan.json",
        "source.zip",
        "journal.db",
    ];
    for name in wanted {
        assert!(kinds.contains(name), "`{name}` was not made, so nothing is known of it: {kinds:?}");
    }
    assert!(!left.exists(), "what was left of an upload is gone");
    server.kill()?;
    let log = fs::read_to_string(outside.path().join("log"))?;
    assert!(log.contains("others could read the data folder"), "{log}");
    Ok(())
}
