//! Every refusal names what was typed and the next step.

use insta::assert_snapshot;
use loadout_tests::Done;
use loadout_tests::host::{Reply, TestHost};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn nothing_under_api_answers_without_the_token() -> Done {
    let host = TestHost::start().await?;
    for path in ["/api/v1/profiles", "/api/v1/nothing", "/api"] {
        for token in ["", "wrong", "the-token-of-the-test", "the-token-of-the-tests2"] {
            let reply = Reply::to(host.anonymous(Method::GET, path).bearer_auth(token)).await?;
            assert_eq!(
                (reply.status, reply.header("www-authenticate")),
                (401, "Bearer realm=\"loadout\""),
                "{path} {token}"
            );
        }
    }
    assert_snapshot!(Reply::to(host.anonymous(Method::GET, "/api/v1/profiles")).await?, @r#"401 {"code":"unauthorized","detail":"this address needs a token that serves: send it as `Authorization: Bearer <token>`"}"#);
    Ok(())
}

#[tokio::test]
async fn a_problem_says_what_the_log_calls_the_request() -> Done {
    let host = TestHost::start().await?;
    let reply = Reply::to(host.request(Method::GET, "/api/v1/nothing").header("x-request-id", "mine-7")).await?;
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_snapshot!(reply.text, @r#"{"type":"urn:loadout:problem:not-found","title":"not found","status":404,"code":"not-found","detail":"there is nothing at this address: `/openapi.json` lists what there is","requestId":"mine-7"}"#);
    Ok(())
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there() -> Done {
    let host = TestHost::start().await?;
    assert_snapshot!(host.get("/api/v1/teapots").await?, @r#"404 {"code":"not-found","detail":"there is nothing at this address: `/openapi.json` lists what there is"}"#);
    assert_snapshot!(host.get("/nowhere").await?, @r#"404 {"code":"not-found","detail":"there is nothing at this address: `/openapi.json` lists what there is"}"#);
    assert_snapshot!(host.get("/api/v1/profiles/contoso_nobody").await?, @r#"404 {"code":"not-found","detail":"profile `contoso_nobody` does not exist"}"#);
    assert_snapshot!(host.delete("/api/v1/queues/nothing").await?, @r#"404 {"code":"not-found","detail":"queue `nothing` does not exist"}"#);
    let posted = host.post("/api/v1/queues/x", json!({})).await?;
    assert_snapshot!(posted, @r#"405 {"code":"method-not-allowed","detail":"this address does not take that method: the header `Allow` lists those it takes"}"#);
    assert!(posted.header("allow").contains("PATCH"), "{:?}", posted.headers);
    Ok(())
}

#[tokio::test]
async fn bodies_that_cannot_be_read() -> Done {
    let host = TestHost::start().await?;
    let put = || host.request(Method::PUT, "/api/v1/queues/desk");
    let json = || put().header("content-type", "application/json");
    assert_snapshot!(Reply::to(json().body("{\"name\": \"Desk\",}")).await?, @r#"400 {"code":"malformed-json","detail":"the body is not JSON: trailing comma at line 1 column 17"}"#);
    assert_snapshot!(Reply::to(json().body("")).await?, @r#"400 {"code":"malformed-json","detail":"the body is not JSON: EOF while parsing a value at line 1 column 0"}"#);
    assert_snapshot!(Reply::to(json().body("[".repeat(90_000))).await?, @r#"400 {"code":"malformed-json","detail":"the body is not JSON: recursion limit exceeded at line 1 column 128"}"#);
    assert_snapshot!(Reply::to(put().body("{}")).await?, @r#"415 {"code":"unsupported-media-type","detail":"the content type must be `application/json`, none was given: set the header `Content-Type`"}"#);
    assert_snapshot!(Reply::to(put().header("content-type", "text/plain").body("{}")).await?, @r#"415 {"code":"unsupported-media-type","detail":"the content type must be `application/json`, `text/plain` was given: set the header `Content-Type`"}"#);
    assert_snapshot!(Reply::to(json().header("content-length", "3000000")).await?, @r#"413 {"code":"body-too-large","detail":"the body is larger than 2 MiB, the most this address takes: send less"}"#);
    assert_snapshot!(Reply::to(json().body(format!("[{}0]", "0,".repeat(100_000)))).await?, @r#"413 {"code":"body-too-large","detail":"the body has more than 100000 values, the most that one body may have: send them in several requests"}"#);
    let question = host.request(Method::POST, "/api/v1/experience").header("content-type", "application/json");
    assert_snapshot!(Reply::to(question.header("content-length", "300000")).await?, @r#"413 {"code":"body-too-large","detail":"the body is larger than 256 KiB, the most this address takes: send less"}"#);
    assert_eq!(host.get("/api/v1/queues/desk").await?.status, 404, "nothing was half-written");
    Ok(())
}

#[tokio::test]
async fn items_that_are_not_valid() -> Done {
    let host = TestHost::start().await?;
    assert_snapshot!(host.put("/api/v1/queues/desk", json!({"name": "Desk", "colour": "red"})).await?, @r#"422 {"code":"invalid-item","detail":"queue `desk` is not valid: `colour`: unknown field `colour`, expected one of `name`, `description`, `state`, `private`, `source`","errors":[{"attribute":"colour","message":"unknown field `colour`, expected one of `name`, `description`, `state`, `private`, `source`"}]}"#);
    assert_snapshot!(host.put("/api/v1/queues/desk", json!({"private": true})).await?, @r#"422 {"code":"invalid-item","detail":"queue `desk` is not valid: missing field `name`","errors":[{"attribute":"","message":"missing field `name`"}]}"#);
    assert_snapshot!(host.put("/api/v1/queues/desk", json!([1])).await?, @r#"422 {"code":"invalid-item","detail":"queue `desk` is not valid: expected a JSON object, found `[1]`","errors":[{"attribute":"","message":"expected a JSON object, found `[1]`"}]}"#);
    assert_snapshot!(host.put("/api/v1/queues/desk", json!({"name": "Desk", "uniqueName": "other"})).await?, @r#"409 {"code":"invalid-item","detail":"queue `desk` is not valid: `uniqueName`: `other` is not the `desk` of the address: make them equal, or leave it out","errors":[{"attribute":"uniqueName","message":"`other` is not the `desk` of the address: make them equal, or leave it out"}]}"#);
    assert_snapshot!(host.put("/api/v1/queues/desk", json!({"name": "Desk", "meta": {"revison": 1}})).await?, @r#"422 {"code":"invalid-item","detail":"queue `desk` is not valid: `meta`: unknown field `revison`, expected `layer` or `revision`","errors":[{"attribute":"meta","message":"unknown field `revison`, expected `layer` or `revision`"}]}"#);
    for path in ["/api/v1/queues/desk", "/api/v1/queues/new", "/api/v1/connectors/new"] {
        let unknown = host.put(path, json!({"name": "Desk", "meta": {"layer": "mine"}})).await?;
        assert!(unknown.status == 422 && unknown.text.contains("unknown variant `mine`"), "{path}: {unknown}");
    }
    assert_snapshot!(host.put("/api/v1/profiles/rep", json!({"name": "Rep"})).await?, @r#"422 {"code":"invalid-name","detail":"`rep` cannot name a profile: write it as `<prefix>_<name>`, with a prefix of 3 to 8 letters or digits, such as `contoso_rep`"}"#);
    let views = json!({"name": "Rep", "inbox": {"views": [{"name": "A", "recordTypes": ["chat", "fax"]}]}});
    assert_snapshot!(host.put("/api/v1/profiles/new_rep", views).await?, @r#"422 {"code":"invalid-item","detail":"profile `new_rep` is not valid: `inbox.views[0].recordTypes[1]`: unknown variant `fax`, expected one of `chat`, `email`, `case`, `voicemail`, `routed-record`","errors":[{"attribute":"inbox.views[0].recordTypes[1]","message":"unknown variant `fax`, expected one of `chat`, `email`, `case`, `voicemail`, `routed-record`"}]}"#);
    assert_snapshot!(host.patch("/api/v1/apps/omnichannel", json!({"aliases": "x"})).await?, @r#"422 {"code":"invalid-item","detail":"app `omnichannel` is not valid: `aliases`: invalid type: string \"x\", expected a sequence","errors":[{"attribute":"aliases","message":"invalid type: string \"x\", expected a sequence"}]}"#);
    Ok(())
}

#[tokio::test]
async fn references_that_dangle_and_items_in_use() -> Done {
    let host = TestHost::with_sample().await?;
    let profile = json!({"name": "Rep", "sessionTemplates": ["new_one", "new_two"]});
    assert_snapshot!(host.put("/api/v1/profiles/new_rep", profile).await?, @r#"409 {"code":"missing-reference","detail":"`new_one` is not in session-templates (named by `sessionTemplates` of profiles `new_rep`), `new_two` is not in session-templates (named by `sessionTemplates` of profiles `new_rep`): create what is missing first, or correct the name","missing":[{"collection":"profiles","name":"new_rep","attribute":"sessionTemplates","wantedIn":"session-templates","wanted":"new_one"},{"collection":"profiles","name":"new_rep","attribute":"sessionTemplates","wantedIn":"session-templates","wanted":"new_two"}]}"#);
    host.put("/api/v1/macros/new_macro", json!({"name": "M", "definition": {}})).await?;
    host.put("/api/v1/queues/desk", json!({"name": "Desk"})).await?;
    let stream = json!({"name": "W", "channel": "chat", "fallbackQueue": "desk"});
    assert_eq!(host.put("/api/v1/workstreams/new_w", stream).await?.status, 201);
    assert_snapshot!(host.delete("/api/v1/queues/desk").await?, @r#"409 {"code":"in-use","detail":"queue `desk` is in use by `fallbackQueue` of workstreams `new_w`: remove these links first, or delete it with `force`","referrers":[{"collection":"workstreams","name":"new_w","attribute":"fallbackQueue"}]}"#);
    assert_snapshot!(host.put("/api/v1/profiles/contoso_rep/users/nobody", json!({})).await?, @r#"409 {"code":"missing-reference","detail":"`nobody` is not in users (named by `login` of assignments `contoso_rep`): create what is missing first, or correct the name","missing":[{"collection":"assignments","name":"contoso_rep","attribute":"login","wantedIn":"users","wanted":"nobody"}]}"#);
    Ok(())
}

#[tokio::test]
async fn a_forced_delete_says_what_it_took_along() -> Done {
    let host = TestHost::start().await?;
    for (path, item) in [
        ("profiles/new_p", json!({"name": "P"})),
        ("users/ada", json!({"displayName": "Ada"})),
        ("queues/desk", json!({"name": "Desk"})),
        ("workstreams/new_w", json!({"name": "W", "channel": "chat", "fallbackQueue": "desk"})),
        ("application-tab-templates/new_tab", json!({"name": "T", "pageType": "dashboard"})),
        ("scripts/new_a", json!({"name": "A", "language": 1033, "steps": []})),
        ("scripts/new_b", json!({"name": "B", "language": 1033, "steps": []})),
    ] {
        assert_eq!(host.put(&format!("/api/v1/{path}"), item).await?.status, 201, "{path}");
    }
    let set = json!({"Set": {"type": "Set_default_agent_script", "inputs": {"ScriptId": "new_b"}}});
    let template = json!({
        "name": "Chat", "kind": "generic", "anchorTab": "new_tab",
        "tabs": [{"template": "new_tab", "order": 1}], "scripts": ["new_a", "new_b"],
        "defaultScript": {"enabled": true, "expression": {"definition": {"actions": set}}},
    });
    assert_eq!(host.put("/api/v1/session-templates/new_chat", template).await?.status, 201);

    assert_eq!(host.put("/api/v1/profiles/new_p/users/ada", json!({})).await?.status, 200);
    assert_snapshot!(host.delete("/api/v1/profiles/new_p").await?, @r#"409 {"code":"in-use","detail":"profile `new_p` is in use by `profile` of assignments `ada`: remove these links first, or delete it with `force`","referrers":[{"collection":"assignments","name":"ada","attribute":"profile"}]}"#);
    assert_snapshot!(host.delete("/api/v1/users/ada?force=true").await?, @r#"200 {"unlinked":[{"collection":"assignments","name":"new_p","attribute":"login"}],"warnings":[]}"#);
    assert_snapshot!(host.delete("/api/v1/queues/desk?force=true").await?, @r#"200 {"unlinked":[{"collection":"workstreams","name":"new_w","attribute":"fallbackQueue"}],"warnings":[]}"#);
    assert!(host.get("/api/v1/workstreams/new_w").await?.json().get("fallbackQueue").is_none());
    assert_snapshot!(host.delete("/api/v1/application-tab-templates/new_tab?force=true").await?, @r#"200 {"unlinked":[{"collection":"session-templates","name":"new_chat","attribute":"anchorTab"},{"collection":"session-templates","name":"new_chat","attribute":"tabs"}],"warnings":["session template `new_chat` has no anchor tab now: the default anchor opens until it gets one"]}"#);
    assert_snapshot!(host.delete("/api/v1/scripts/new_b?force=true").await?, @r#"409 {"code":"in-use","detail":"script `new_b` cannot be taken from `scripts` of session-templates `new_chat`: `defaultScript.expression` sets the script `new_b`, which is not among `scripts`: attach it, or name one that is; change that first","referrers":[{"collection":"session-templates","name":"new_chat","attribute":"scripts"}]}"#);
    assert_snapshot!(host.delete("/api/v1/scripts/new_a?force=true").await?, @r#"200 {"unlinked":[{"collection":"session-templates","name":"new_chat","attribute":"scripts"}],"warnings":[]}"#);
    let left = host.get("/api/v1/session-templates/new_chat").await?.json();
    assert_eq!((&left["anchorTab"], &left["tabs"], &left["scripts"]), (&Value::Null, &json!([]), &json!(["new_b"])));
    Ok(())
}

#[tokio::test]
async fn expectations_are_met_or_refused_but_never_ignored() -> Done {
    let host = TestHost::with_sample().await?;
    let user = "/api/v1/profiles/contoso_rep/users/dario";
    for (method, path) in [
        (Method::PUT, user),
        (Method::DELETE, user),
        (Method::POST, "/api/v1/profiles/contoso_rep/users"),
        (Method::POST, "/api/v1/imports"),
    ] {
        let request = host.request(method.clone(), path).header("if-match", "\"1\"").json(&json!({"add": ["dario"]}));
        let reply = Reply::to(request).await?;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("invalid-header")), "{method}: {reply}");
    }
    assert!(host.get("/api/v1/profiles/contoso_rep/users").await?.names().is_empty(), "nobody was assigned");
    let copy = |tag: &str| {
        let copy = json!({"uniqueName": "new_copy", "name": "Copy"});
        Reply::to(host.request(Method::POST, "/api/v1/profiles/contoso_rep/copy").header("if-match", tag).json(&copy))
    };
    assert_eq!(copy("\"0\"").await?.json()["code"], "stale");
    let seen = host.get("/api/v1/profiles/contoso_rep").await?.header("etag").to_owned();
    assert_eq!(copy(&seen).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn queries_nobody_understands() -> Done {
    let host = TestHost::start().await?;
    for (path, wanted) in [
        ("/api/v1/profiles?limt=5", "unknown field `limt`, expected one of `limit`, `after`, `filter`, `order`"),
        ("/api/v1/profiles?limit=0", "`limit` is 0: ask for 1 to 500 items"),
        ("/api/v1/profiles?limit=many", "invalid digit"),
        ("/api/v1/profiles?limit=1&limit=2", "duplicate field `limit`"),
        ("/api/v1/profiles?order=nme", "there is no attribute `nme`"),
        ("/api/v1/profiles?order=name&after=x", "`after=x` does not continue the order `name`"),
        ("/api/v1/profiles/msdyn_csw_default_profile?full=1", "unknown field `full`"),
        ("/api/v1/users/kayla/experience", "missing field `app`"),
        ("/api/v1/users/kayla/experience?app=x&explain=all", "unknown variant `all`"),
        ("/api/v1/revisions?since=3", "unknown field `since`"),
    ] {
        let reply = host.get(path).await?;
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("invalid-query")), "{path}: {reply}");
        assert!(detail.contains(wanted), "{path}: {detail}");
    }
    assert_snapshot!(host.get("/api/v1/profiles?filter=name%20is%20'x'").await?, @r#"400 {"code":"invalid-filter","detail":"the filter is not valid at position 6: expected `eq`, `ne`, `gt`, `ge`, `lt`, `le` or `in`, found `is`"}"#);
    Ok(())
}

#[tokio::test]
async fn questions_without_an_answer() -> Done {
    let host = TestHost::with_sample().await?;
    let app = "customer-service-workspace";
    for (question, status, code) in [
        (json!({"user": "nobody", "app": app}), 404, "not-found"),
        (json!({"user": "kayla", "app": "no-such-app"}), 404, "not-found"),
        (json!({"user": "kayla", "app": app, "session": {}}), 409, "invalid-session"),
        (
            json!({"user": "kayla", "app": app, "session": {"entity": "incident", "channel": "chat"}}),
            409,
            "invalid-session",
        ),
        (json!({"user": "kayla", "app": app, "session": {"entty": "incident"}}), 422, "invalid-request"),
        (json!({"user": "kayla", "roles": [], "app": app}), 409, "invalid-request"),
        (json!({"user": "kayla", "app": app, "explian": "full"}), 422, "invalid-request"),
        (json!({"roles": ["Nobody"], "app": app}), 409, "missing-reference"),
        (json!({"user": "kayla", "app": app, "profile": "new_none"}), 409, "missing-reference"),
        (json!({"user": "kayla", "app": app, "asOf": 999}), 404, "not-found"),
    ] {
        let reply = host.post("/api/v1/experience", question.clone()).await?;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (status, Some(code)), "{question}: {reply}");
    }
    let typo =
        host.post("/api/v1/experience", json!({"user": "kayla", "app": app, "session": {"entty": "incident"}})).await?;
    assert!(typo.text.contains("entty"), "{typo}");
    Ok(())
}

#[tokio::test]
async fn archives_that_are_not_imported() -> Done {
    let host = TestHost::start().await?;
    let import = |path: &str, zip: &'static [u8]| {
        Reply::to(host.request(Method::POST, path).header("content-type", "application/zip").body(zip))
    };
    assert_snapshot!(import("/api/v1/imports", b"PK\x03\x04 and then nothing").await?, @r#"422 {"code":"damaged-archive","detail":"the file is not a complete zip archive (invalid Zip archive: Could not find EOCD): export or download it again"}"#);
    // An archive that ends where it begins: nothing in it.
    let empty = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_snapshot!(import("/api/v1/imports?dryRun=true", empty).await?, @r#"422 {"code":"not-a-solution","detail":"the archive is no exported solution: `solution.xml` is not in it; choose the zip file that the export made"}"#);
    assert_snapshot!(import("/api/v1/imports?dryrun=true", empty).await?, @r#"400 {"code":"invalid-query","detail":"the query `dryrun=true` is not valid: dryrun: unknown field `dryrun`, expected `dryRun` or `onConflict`"}"#);
    assert_eq!(host.post("/api/v1/imports", json!({})).await?.status, 415);
    Ok(())
}
