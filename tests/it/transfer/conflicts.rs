//! Of some things an environment has one. The caller of an import says which of the two stays.

use std::fs;

use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost, share_compiled};
use loadout_tests::program::{loadout, outcome};
use reqwest::Method;
use serde_json::{Value, json};

/// An environment whose custom default is a profile of this name.
async fn with_default(profile: &str) -> Result<TestHost, Failure> {
    let host = TestHost::start().await?;
    assert_eq!(host.put(&format!("/api/v1/profiles/{profile}"), json!({"name": profile})).await?.status, 201);
    let set = host.put("/api/v1/default-profile", json!({"profile": profile})).await?;
    assert!(set.status < 300, "{set}");
    Ok(host)
}

async fn exported(host: &TestHost) -> Result<Vec<u8>, Failure> {
    let reply = host.request(Method::GET, "/api/v1/export").send().await?;
    assert_eq!(reply.status(), 200);
    Ok(reply.bytes().await?.to_vec())
}

/// What the report says of conflicts.
fn conflicts(report: &Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().into_iter().flatten();
    let of_conflicts = warnings.filter(|warning| warning["code"] == "conflict");
    of_conflicts.filter_map(|warning| warning["message"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_default_profile_stays_gives_way_or_stops_the_import() -> Done {
    let incoming = exported(&with_default("adat_new").await?).await?;
    let takes = "the custom default `adat_new` of the archive takes the place of the custom default `adat_old`";
    let stays = "the custom default `adat_old` stays, and the custom default `adat_new` of the archive is left out";
    for (query, said, default) in
        [("", takes, "adat_new"), ("?onConflict=take", takes, "adat_new"), ("?onConflict=keep", stays, "adat_old")]
    {
        let host = with_default("adat_old").await?;
        let reply = host.import(&format!("/api/v1/imports{query}"), incoming.clone()).await?;
        assert_eq!((reply.status, conflicts(&reply.json())), (200, vec![said.to_owned()]), "{query}: {reply}");
        assert_eq!(host.get("/api/v1/default-profile").await?.json()["profile"], default, "{query}");
        assert_eq!(host.get("/api/v1/profiles/adat_new").await?.status, 200, "{query}: all else is imported");
        let again = host.import(&format!("/api/v1/imports{query}"), incoming.clone()).await?;
        assert_eq!(again.json()["revision"], reply.json()["revision"], "{query}: a second import makes no revision");
    }
    let host = with_default("adat_old").await?;
    let before = host.get("/api/v1/revisions").await?.text;
    for query in ["?onConflict=fail", "?onConflict=fail&dryRun=true"] {
        let reply = host.import(&format!("/api/v1/imports{query}"), incoming.clone()).await?;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (409, Some("import-conflict")), "{reply}");
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            detail,
            "the custom default `adat_new` of the archive would take the place of the custom default `adat_old`: say `keep` or `take` instead of `fail`"
        );
    }
    assert_eq!(host.get("/api/v1/revisions").await?.text, before, "nothing was written");
    let wrong: Reply = host.import("/api/v1/imports?onConflict=ask", incoming).await?;
    assert_eq!(wrong.status, 400, "{wrong}");
    Ok(())
}

#[tokio::test]
async fn what_agrees_or_is_only_there_is_no_conflict() -> Done {
    let incoming = exported(&with_default("adat_new").await?).await?;
    for host in [TestHost::start().await?, with_default("adat_new").await?] {
        let reply = host.import("/api/v1/imports?onConflict=fail", incoming.clone()).await?;
        assert_eq!((reply.status, conflicts(&reply.json())), (200, Vec::new()), "{reply}");
        assert_eq!(host.get("/api/v1/default-profile").await?.json()["profile"], "adat_new");
    }
    Ok(())
}

#[tokio::test]
async fn settings_of_the_environment_are_decided_about_in_the_same_way() -> Done {
    let set = async |second: &str| -> Result<TestHost, Failure> {
        let host = TestHost::start().await?;
        let changed = host.put("/api/v1/environment", json!({"secondAssignment": second})).await?;
        assert!(changed.status < 300, "{changed}");
        Ok(host)
    };
    let incoming = exported(&set("is-refused").await?).await?;
    for (query, expected) in [("take", "is-refused"), ("keep", "replaces"), ("fail", "replaces")] {
        let host = set("is-refused").await?;
        // What does not travel with an archive is no conflict.
        let traces = json!({"secondAssignment": "is-refused", "traces": {"retentionDays": 7}});
        assert_eq!(host.put("/api/v1/environment", traces).await?.status, 200);
        let agreeing = host.import("/api/v1/imports?onConflict=fail", incoming.clone()).await?;
        assert_eq!((agreeing.status, conflicts(&agreeing.json())), (200, Vec::new()), "{agreeing}");
        let changed = host.put("/api/v1/environment", json!({"secondAssignment": "replaces"})).await?;
        assert_eq!(changed.status, 200, "{changed}");
        let reply = host.import(&format!("/api/v1/imports?onConflict={query}"), incoming.clone()).await?;
        assert_eq!(reply.status, if query == "fail" { 409 } else { 200 }, "{reply}");
        let environment = host.get("/api/v1/environment").await?.json();
        let now = environment["secondAssignment"].as_str().unwrap_or("replaces").to_owned();
        assert_eq!(now, expected, "{query}: {environment}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_every_conflict() -> Done {
    let with_both = async |profile: &str, second: &str| -> Result<TestHost, Failure> {
        let host = with_default(profile).await?;
        let changed = host.put("/api/v1/environment", json!({"secondAssignment": second})).await?;
        assert!(changed.status < 300, "{changed}");
        Ok(host)
    };
    let incoming = exported(&with_both("adat_new", "is-refused").await?).await?;
    let host = with_both("adat_old", "replaces").await?;
    let reply = host.import("/api/v1/imports?onConflict=fail", incoming).await?;
    let detail = "the custom default `adat_new` of the archive would take the place of the custom default `adat_old`, and \
                  the settings of the environment of the archive would take the place of the settings of the environment: \
                  say `keep` or `take` instead of `fail`";
    assert_eq!((reply.status, reply.json()["detail"].as_str()), (409, Some(detail)), "{reply}");
    Ok(())
}

#[tokio::test]
async fn the_command_line_is_asked_in_the_same_way() -> Done {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("old.zip"), exported(&with_default("adat_old").await?).await?)?;
    fs::write(folder.path().join("new.zip"), exported(&with_default("adat_new").await?).await?)?;
    share_compiled(&folder.path().join("env"))?;
    let run = |arguments: &[&str]| -> Result<(i32, String), Failure> {
        let output = loadout(folder.path(), &[arguments, &["--data", "env"]].concat()).output()?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), outcome(&output));
        Ok((output.status.code().unwrap_or(-1), text))
    };
    assert_eq!(run(&["import", "old.zip"])?.0, 0);
    for (choice, code, said) in [
        ("fail", 1, "would take the place of the custom default `adat_old`: say `keep` or `take` instead of `fail`"),
        ("keep", 0, "warning: conflict at default-profile/"),
        ("take", 0, "takes the place of the custom default `adat_old`"),
        ("ask", 2, "invalid value 'ask'"),
    ] {
        let (ended, text) = run(&["import", "new.zip", "--on-conflict", choice])?;
        assert_eq!((ended, text.contains(said)), (code, true), "{choice}: {text}");
    }
    Ok(())
}
