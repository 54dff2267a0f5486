//! Migrations of settings, with the version and back.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::Failure;
use loadout_tests::program::plugin;
use serde_json::{Value, json};

use super::{FIRST, GREETER, NEW, NEWEST, SECOND, activate, give, given, greeter, host, roll_back, why, with_settings};

#[tokio::test]
async fn settings_are_migrated_with_the_version_and_put_back_with_it() -> Done {
    let host = with_settings().await?;
    let before = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone();
    let then = format!("/api/v1/users/kayla/experience?app=customer-service-workspace&explain=full&asOf={before}");
    let answered = host.get(&then).await?;
    assert!(answered.status == 200 && answered.text.contains("tests/greeter 1.0.0"), "{answered}");
    let old = [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?];
    let two = greeter("2.0.0", NEW, FIRST)?;
    host.install("?activate=false", &two).await?;
    let compared = host.post(&format!("{GREETER}/comparison"), json!({"version": "2.0.0"})).await?.json();
    assert_eq!(given(&host, "contoso_rep").await?, old[0], "a comparison changes nothing");
    let installed = host.install("?acceptMajor=true", &two).await?.json();
    assert_eq!(installed["migrated"], compared["settings"]["migrated"], "and says what would be");
    assert_snapshot!(installed["migrated"], @r#"{"count":2,"settings":[{"profile":"contoso_chat","tool":"msdyn_callscript_tool_config","how":"migrated","changed":["/most","/limit"]},{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","how":"migrated","changed":["/most","/mode","/limit"]}]}"#);
    let new = [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?];
    assert_eq!(new, [json!({"limit": 3, "mode": "fast"}), json!({"limit": 5})]);
    let written = host.get("/api/v1/revisions?limit=1").await?.json()["items"][0].clone();
    let changed: Vec<&str> =
        written["changes"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(changed, ["tests/greeter", "contoso_chat", "contoso_rep"], "one revision");
    assert_eq!(
        (&written["who"], &written["why"]),
        (&json!("admin"), &json!("settings migrated for `tests/greeter` 2.0.0"))
    );

    assert_eq!(host.get(&then).await?.text, answered.text, "as of then the answer is the one of then");

    let back = roll_back(&host, "").await?.json();
    assert_eq!((&back["version"], &back["migrated"]["count"]), (&json!("1.0.0"), &json!(2)), "{back}");
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], old);
    assert_eq!(why(&host).await?, "settings put back for `tests/greeter` 1.0.0");

    // What was changed since stays, and is listed.
    activate(&host, GREETER, "2.0.0", json!({})).await?;
    assert_eq!(given(&host, "contoso_rep").await?, new[0]);
    give(&host, "contoso_rep", json!({"limit": 9})).await?;
    assert_snapshot!(roll_back(&host, "").await?, @r#"409 {"code":"settings-do-not-fit","detail":"plugin `tests/greeter` 1.0.0 does not serve, because settings that are there do not fit it: tool `msdyn_callscript_tool_config` in profile `contoso_rep`: Additional properties are not allowed ('limit' was unexpected); it was changed after it was migrated, so it is not put back: change the settings, ship a version that migrates them (`[[settings.migrations]]`), or say `anyway`","settings":{"count":1,"problems":[{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"","problem":"Additional properties are not allowed ('limit' was unexpected); it was changed after it was migrated, so it is not put back"}]}}"#);
    assert_eq!(host.get(GREETER).await?.json()["version"], "2.0.0");
    let anyway = roll_back(&host, "?anyway=true").await?.json();
    assert_eq!((&anyway["version"], &anyway["migrated"]["count"]), (&json!("1.0.0"), &json!(1)), "{anyway}");
    assert_eq!(
        [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?],
        [json!({"limit": 9}), old[1].clone()]
    );
    assert_eq!(
        why(&host).await?,
        "settings put back for `tests/greeter` 1.0.0; anyway, though 1 setting does not fit `tests/greeter` 1.0.0"
    );
    Ok(())
}

#[tokio::test]
async fn two_migrations_are_carried_out_one_after_the_other() -> Done {
    let three = greeter("3.0.0", NEWEST, &format!("{FIRST}{SECOND}"))?;
    // From the first version.
    let host = with_settings().await?;
    let done = host.install("?acceptMajor=true", &three).await?;
    assert_eq!(done.status, 201, "{done}");
    let expected = [json!({"mode": "fast", "show": {"limit": 3}}), json!({"show": {"limit": 5}, "mode": "slow"})];
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], expected);

    // Over the second one.
    let host = with_settings().await?;
    host.install("?acceptMajor=true", &greeter("2.0.0", NEW, FIRST)?).await?;
    let done = host.install("?acceptMajor=true", &three).await?;
    assert_eq!(done.status, 201, "{done}");
    assert_eq!([given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?], expected);
    // Where nothing was set, the second version took that, and the third one does not. Profiles of the product stay as
    // they are.
    assert_eq!(given(&host, "contoso_voice").await?, json!({"mode": "slow"}));
    assert_eq!(given(&host, "msdyn_omnichannel_default_profile").await?, Value::Null);
    // And back over both at once.
    let back = activate(&host, GREETER, "1.0.0", json!({})).await?;
    assert_eq!((back.status, &back.json()["migrated"]["settings"][0]["how"]), (200, &json!("put-back")), "{back}");
    assert_eq!(
        [given(&host, "contoso_rep").await?, given(&host, "contoso_chat").await?],
        [json!({"most": 3, "mode": "quick"}), json!({"most": 5})]
    );
    Ok(())
}

#[tokio::test]
async fn a_migration_that_does_not_help_changes_nothing() -> Done {
    let host = with_settings().await?;
    let halfway = "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'limit' }]\n";
    let refused = host.install("?acceptMajor=true", &greeter("2.0.0", NEW, halfway)?).await?;
    assert_snapshot!(refused.json()["settings"], @r#"{"count":1,"problems":[{"profile":"contoso_rep","tool":"msdyn_callscript_tool_config","attribute":"/mode","problem":"\"quick\" is not one of \"fast\" or \"slow\", after the migration"}]}"#);
    assert_eq!(given(&host, "contoso_chat").await?, json!({"most": 5}), "all are migrated, or none");
    // What would lose something is not done.
    let lossy = "[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'mode' }]\n";
    let refused = host.install("?acceptMajor=true", &greeter("2.0.1", NEW, lossy)?).await?;
    assert_snapshot!(refused.json()["settings"]["problems"][1]["problem"], @r#""the migration from `1` stops: `/most` cannot become `/mode`, which is there already""#);
    // Nor what would be more than settings may be.
    let value = "x".repeat(4_000);
    let sets: String = (0..20).map(|at| format!("{{ set = '/k{at}', value = '{value}' }}, ")).collect();
    let large = format!("[[settings.migrations]]\nfrom = '1'\noperations = [{sets}]\n");
    // A manifest has 64 KiB, so the values come from several texts in a list.
    let refused = host.install("?acceptMajor=true", &greeter("2.0.2", NEW, &large)?).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("plugin-refused")), "{refused}");
    let many: Vec<&str> = vec!["a"; 1_000];
    host.install("?acceptMajor=true", &greeter("1.1.0", "{}", "")?).await?;
    give(&host, "contoso_rep", json!({"list": many})).await?;
    let longer = format!(
        "[[settings.migrations]]\nfrom = '1'\noperations = [{{ map = '/list', values = {{ a = '{}' }} }}]\n",
        "y".repeat(200)
    );
    let refused = host.install("?acceptMajor=true", &greeter("2.0.3", NEW, &longer)?).await?;
    assert_snapshot!(refused.json()["settings"]["problems"][1]["problem"], @r#""the migration makes 203010 bytes of 3 levels, and settings have 65536 bytes and 32 levels at most""#);
    Ok(())
}

#[tokio::test]
async fn a_bad_mapping_is_refused_by_name() -> Done {
    let host = host().await?;
    for (operations, expected) in [
        ("{ copy = '/a' }", "unknown field `copy`"),
        ("{ rename = 'a', to = 'b' }", "settings.migrations.operations = a"),
        (&"{ remove = '/a' }, ".repeat(65), "settings.migrations.operations = 65"),
    ] {
        let migrations = format!("[[settings.migrations]]\nfrom = '1'\noperations = [{operations}]\n");
        let refused = host.install("", &greeter("2.0.0", NEW, &migrations)?).await?;
        let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(refused.status == 422 && detail.contains(expected), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn a_gate_compares_with_migrated_settings() -> Done {
    let host = with_settings().await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    host.put(&format!("{GREETER}/recording"), json!({"until": until, "redact": []})).await?;
    let session = json!({"entity": "incident", "context": {"customerName": "Ada"}});
    host.post("/api/v1/experience", json!({"user": "kayla", "app": "customer-service-workspace", "session": session}))
        .await?;
    host.put(&format!("{GREETER}/promotion"), json!({"gate": "recordings", "recordings": 1})).await?;
    let done = host.install("?acceptMajor=true", &greeter("2.0.0", NEW, FIRST)?).await?;
    assert_eq!((done.status, &done.json()["migrated"]["count"]), (201, &json!(2)), "{done}");
    Ok(())
}

#[test]
fn what_comes_of_the_examples_of_a_migration_is_held_against_the_schema() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("greeter.wasm");
    let check = |operation: &str, after: &str| -> Result<String, Failure> {
        let migrations = format!(
            "[[settings.migrations]]\nfrom = '1'\noperations = [{operation}]\n\
             examples = [{{ before = {{ most = 3, mode = 'quick' }}, after = {after} }}]\n"
        );
        std::fs::write(&path, greeter("2.0.0", NEW, &migrations)?)?;
        plugin(folder.path(), &["check", ".", "--component", "greeter.wasm"])
    };
    let rename = "{ rename = '/most', to = 'limit' }";
    let both = format!("{rename}, {{ map = '/mode', values = {{ quick = 'fast' }} }}");
    for (operations, after, expected) in [
        (both.as_str(), "{ limit = 3, mode = 'fast' }", "migrations   1 with 1 examples, and what comes of them fits"),
        (rename, "{ limit = 3, mode = 'quick' }", "do not fit: `settings.mode`: \"quick\" is not one of"),
        (rename, "{ limit = 3 }", r#"{"mode":"quick","limit":3} is what comes of it"#),
    ] {
        let said = check(operations, after)?;
        assert!(said.contains(expected), "{said}");
    }
    Ok(())
}
