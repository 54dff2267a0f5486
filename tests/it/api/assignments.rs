//! Direct assignments: one for each person and app, and nothing about that is silent.

use loadout_tests::Done;
use loadout_tests::host::{Failure, Reply, TestHost};
use reqwest::Method;
use serde_json::json;

const OMNICHANNEL: &str = "omnichannel";
const WORKSPACE: &str = "customer-service-workspace";

/// The environment, in which a second assignment is refused.
async fn refuse_second_assignments(host: &TestHost) -> Done {
    let mut environment = host.get("/api/v1/environment").await?.json();
    environment["secondAssignment"] = json!("is-refused");
    if let Some(environment) = environment.as_object_mut() {
        environment.remove("meta");
    }
    let put = host.put("/api/v1/environment", environment).await?;
    assert_eq!(put.status, 200, "{put}");
    Ok(())
}

async fn revision(host: &TestHost) -> Result<u64, Failure> {
    let newest = host.get("/api/v1/revisions?limit=1").await?;
    newest.json()["items"][0]["revision"].as_u64().ok_or_else(|| format!("no revision in {newest}").into())
}

/// The logins of a profile.
async fn members(host: &TestHost, profile: &str) -> Result<String, Failure> {
    let page = host.get(&format!("/api/v1/profiles/{profile}/users?limit=500")).await?.json();
    let logins = page["items"].as_array().ok_or("no people")?.iter().filter_map(|person| person["login"].as_str());
    Ok(logins.collect::<Vec<_>>().join(" "))
}

/// The profile of a person in an app, and the way to it.
async fn profile_of(host: &TestHost, login: &str, app: &str) -> Result<String, Failure> {
    let answer = host.post("/api/v1/experience", json!({"user": login, "app": app})).await?.json();
    let (profile, method) = (&answer["profile"]["uniqueName"], &answer["profile"]["assignment"]["method"]);
    Ok(format!("{} {}", profile.as_str().unwrap_or("none"), method.as_str().unwrap_or("none")))
}

async fn assign(host: &TestHost, profile: &str, login: &str) -> Result<Reply, Failure> {
    Reply::to(host.request(Method::PUT, &format!("/api/v1/profiles/{profile}/users/{login}"))).await
}

#[tokio::test]
async fn an_assignment_replaces_the_earlier_one_and_names_it() -> Done {
    let host = TestHost::with_sample().await?;
    assert_eq!(profile_of(&host, "dario", WORKSPACE).await?, "contoso_assist_only direct");
    let before = revision(&host).await?;
    let reply = assign(&host, "contoso_tier2", "dario").await?;
    assert_eq!((reply.status, &reply.json()["replaced"]), (200, &json!(["contoso_assist_only"])), "{reply}");
    assert_eq!(revision(&host).await?, before + 1, "one revision");
    assert!(!members(&host, "contoso_assist_only").await?.split(' ').any(|login| login == "dario"));
    assert_eq!(profile_of(&host, "dario", WORKSPACE).await?, "contoso_tier2 direct");
    let people = host.get("/api/v1/users?limit=500").await?.text;
    for login in ["dario", "kayla", "emi"] {
        assert!(people.contains(&format!("\"{login}\"")), "{login} is listed whatever profile they have");
    }
    Ok(())
}

#[tokio::test]
async fn where_a_second_assignment_is_refused_the_profile_and_the_way_out_are_named() -> Done {
    let host = TestHost::with_sample().await?;
    assign(&host, "contoso_tier2", "dario").await?;
    refuse_second_assignments(&host).await?;
    let before = revision(&host).await?;
    let refused = assign(&host, "contoso_assist_only", "dario").await?;
    insta::assert_snapshot!(refused, @r#"409 {"code":"already-assigned","detail":"user `dario` is assigned to profile `contoso_tier2` already, and this environment refuses a second assignment for the same app: take them out of that profile first, by `DELETE /api/v1/profiles/contoso_tier2/users/dario`"}"#);
    let kept = members(&host, "contoso_assist_only").await?;
    let two = json!({"add": ["kayla", "dario"]});
    let refused = host.post("/api/v1/profiles/contoso_assist_only/users", two).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("already-assigned")), "{refused}");
    assert_eq!(
        (revision(&host).await?, members(&host, "contoso_assist_only").await?),
        (before, kept),
        "none is written"
    );

    let way_out = Reply::to(host.request(Method::DELETE, "/api/v1/profiles/contoso_tier2/users/dario")).await?;
    assert_eq!(way_out.status, 204);
    assert_eq!(assign(&host, "contoso_assist_only", "dario").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn only_profiles_that_share_an_app_meet() -> Done {
    let host = TestHost::with_sample().await?;
    for (name, app) in [("new_desk", WORKSPACE), ("new_calls", OMNICHANNEL)] {
        let put = host.put(&format!("/api/v1/profiles/{name}"), json!({"name": name, "apps": [app]})).await?;
        assert_eq!(put.status, 201, "{put}");
    }
    assign(&host, "new_desk", "emi").await?;
    refuse_second_assignments(&host).await?;
    let reply = assign(&host, "new_calls", "emi").await?;
    assert_eq!((reply.status, &reply.json()["replaced"]), (200, &json!([])), "{reply}");
    assert_eq!(profile_of(&host, "emi", WORKSPACE).await?, "new_desk direct");
    assert_eq!(profile_of(&host, "emi", OMNICHANNEL).await?, "new_calls direct");
    Ok(())
}

#[tokio::test]
async fn a_profile_that_begins_to_serve_an_app_says_whose_assignments_end() -> Done {
    let host = TestHost::with_sample().await?;
    let profile = |apps: &[&str]| json!({"name": "P", "apps": apps});
    for (name, app) in [("new_desk", WORKSPACE), ("new_calls", OMNICHANNEL)] {
        host.put(&format!("/api/v1/profiles/{name}"), profile(&[app])).await?;
        assign(&host, name, "emi").await?;
    }
    let strict = {
        let other = TestHost::with_sample().await?;
        for (name, app) in [("new_desk", WORKSPACE), ("new_calls", OMNICHANNEL)] {
            other.put(&format!("/api/v1/profiles/{name}"), profile(&[app])).await?;
            assign(&other, name, "emi").await?;
        }
        refuse_second_assignments(&other).await?;
        other
    };
    let both = json!({"apps": [WORKSPACE, OMNICHANNEL]});
    let refused = strict.patch("/api/v1/profiles/new_calls", both.clone()).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("already-assigned")), "{refused}");
    assert_eq!(
        refused.json()["referrers"],
        json!([{"collection": "assignments", "name": "emi", "attribute": "profile"}])
    );
    assert_eq!(profile_of(&strict, "emi", WORKSPACE).await?, "new_desk direct");

    let done = host.patch("/api/v1/profiles/new_calls", both).await?;
    assert_eq!(done.status, 200, "{done}");
    assert_eq!(done.header("x-loadout-ended-assignments"), "new_desk 1");
    assert_eq!(members(&host, "new_desk").await?, "");
    assert_eq!(profile_of(&host, "emi", WORKSPACE).await?, "new_calls direct");
    Ok(())
}
