//! Calls of plugins to hosts outside: what was granted is reached, the rest is not, and secrets stay where they are
//! shown.

use std::time::Duration;

use insta::assert_snapshot;
use loadout::plugin::{Config, Limits};
use loadout_tests::Done;
use loadout_tests::guests::{self, rule};
use loadout_tests::host::Failure;
use serde_json::{Value, json};

use super::world::{SECRET, World};
use super::{PLUGIN, activate};

#[tokio::test]
async fn what_was_granted_is_reached() -> Done {
    let world = World::with_everything().await?;
    let echo = world.ours.url("/echo?x=1");
    let questions = json!([
        {"records": "contact", "options": "$filter=contactid eq '7'"},
        {"records": "crm:contact"},
        {"articles": "wiki", "text": "refund & more"},
        {"articles": "", "text": "refund"},
        {"url": echo, "body": "a question", "header": "x-case", "value": "7"},
        {"url": world.ours.url("/nowhere")},
        {"url": world.ours.url("/moved?to=/nowhere")},
    ]);
    let answers = world.answers(questions).await?;
    let lines: Vec<&str> = answers.lines().collect();
    assert_eq!(lines[..4], ["\"Ada Lovelace\"", "\"Ada Lovelace\"", "[\"Refunds\"]", "[\"Refunds\"]"], "{answers}");
    assert!(lines[4].contains("POST /echo?x=1") && lines[4].contains("x-case: 7"), "{answers}");
    assert_eq!(lines[5..], ["[404,\"\"]", "[404,\"\"]"]);
    let seen = world.ours.seen();
    let first = seen.first().ok_or("nothing was asked")?;
    assert!(
        first.starts_with("GET /crm/contacts?$filter=contactid%20eq%20'7'&$select=fullname&$top=1 HTTP/1.1"),
        "{first}"
    );
    assert!(first.contains(&format!("authorization: Bearer {SECRET}")), "the connector's secret is shown: {first}");
    assert!(seen.iter().any(|it| it.starts_with("GET /wiki?search=refund%20%26%20more&limit=5 ")), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_recorded_call_hears_the_same_answers_in_the_same_order_and_nobody_is_asked() -> Done {
    let world = World::with_everything().await?;
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    assert_eq!(
        world.host.put(&format!("{PLUGIN}/recording"), json!({"until": until, "redact": []})).await?.status,
        200
    );
    let url = world.ours.url("/before");
    let questions = json!([
        {"url": url}, {"url": url}, {"url": url, "header": "x-case", "value": "7"}, {"url": url, "bearer": "token"}, {"url": url}
    ]);
    let answers = world.answers(questions).await?;
    let expected: Vec<String> = (0..5).map(|before| format!(r#"[200,"{before} before"]"#)).collect();
    assert_eq!(answers, expected.join("\n"));
    let listed = world.host.get("/api/v1/recordings").await?.json();
    let id = listed["items"][0]["id"].as_str().ok_or("nothing is recorded")?.to_owned();
    let recording = world.host.get(&format!("/api/v1/recordings/{id}")).await?;
    assert_eq!(recording.json()["reproduced"], true, "{recording}");
    assert!(!recording.text.contains(SECRET));
    let replayed = world.host.post(&format!("/api/v1/recordings/{id}/replay"), json!({})).await?;
    assert_eq!(replayed.json()["same"], true, "{replayed}");
    assert_eq!(world.ours.seen().len(), 5, "nobody was asked a second time");
    Ok(())
}

#[tokio::test]
async fn what_was_not_granted_is_not_reached() -> Done {
    let world = World::with_everything().await?;
    let plain = world.ours.url("/echo").replace("https", "http");
    let answers = world
        .answers(json!([
            {"records": "erp:contact"},
            {"articles": "crm", "text": "refund"},
            {"url": "https://elsewhere.example/"},
            {"url": plain},
            {"url": "https://127.0.0.1/"},
            {"url": "https://169.254.169.254/latest/meta-data"},
            {"url": world.theirs.url("/echo")},
            {"url": world.ours.url(&format!("/moved?to={}", world.theirs.url("/echo")))},
            {"url": world.ours.url("/moved?to=https://169.254.169.254/latest")},
            {"url": world.ours.url("/moved?to=https://elsewhere.example/")},
            {"url": world.ours.url(&format!("/moved?to={plain}"))},
            {"url": world.ours.url("/round")},
            {"url": world.ours.url("/echo"), "bearer": "other"},
            {"url": world.ours.url("/echo"), "header": "authorization", "value": "Bearer mine"},
            {"url": world.ours.url("/echo"), "header": "host", "value": "elsewhere.example"},
            {"url": world.ours.url("/large")},
        ]))
        .await?;
    assert_snapshot!(answers, @r#"
    ["not-granted","the connector `erp` is not granted to this plugin"]
    ["not-granted","the connector `crm` is not granted to this plugin"]
    ["not-granted","the host `elsewhere.example` is not granted to this plugin"]
    ["not-https","`http://OURS/echo` is not asked: an address begins with `https://`"]
    ["bad-request","`https://127.0.0.1/` is no address: write it as `https://host/path`, with a host by name"]
    ["bad-request","`https://169.254.169.254/latest/meta-data` is no address: write it as `https://host/path`, with a host by name"]
    ["private-address","the host `THEIRS` has no public address: an administrator can allow that with `--outbound-allow-private THEIRS`"]
    ["private-address","the host `THEIRS` has no public address: an administrator can allow that with `--outbound-allow-private THEIRS`"]
    ["bad-request","`https://169.254.169.254/latest` is no address: write it as `https://host/path`, with a host by name"]
    ["not-granted","the host `elsewhere.example` is not granted"]
    ["not-https","`http://OURS/echo` is not asked: an address begins with `https://`"]
    ["too-many-redirects","it was redirected more than 3 times"]
    ["not-granted","the secret `other` is not granted to this plugin"]
    ["bad-request","the header `authorization` cannot be sent: give a secret by its name, which the host puts in"]
    ["bad-request","the header `host` cannot be sent: the host says that itself"]
    ["too-large","the answer of `OURS` is larger than 262144 bytes"]
    "#);
    assert!(world.theirs.seen().is_empty(), "a host that is not public was asked");
    let traces = world.host.get("/api/v1/traces?plugin=tests/greeter").await?.json();
    let trace =
        world.host.get(&format!("/api/v1/traces/{}", traces["items"][0]["id"].as_str().ok_or("no trace")?)).await?;
    assert_eq!(trace.json()["refused"][0]["name"], "records.look-up", "{trace}");
    assert_eq!(trace.json()["refused"][2], json!({"name": "http.send", "count": 12}), "{trace}");

    // What is taken back is gone, for questions about the past, too.
    let revision = world.host.get("/api/v1/revisions?limit=1").await?.json()["items"][0]["revision"].clone();
    world.host.delete(&format!("{PLUGIN}/versions/1.0.0/grant")).await?;
    let before = world.ours.seen().len();
    let session = json!({"entity": "incident", "context": {"ask": json!([{"records": "contact"}]).to_string()}});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "asOf": revision});
    let past = world.host.post("/api/v1/experience", question).await?;
    assert!(past.status == 200 && past.text.contains("not-granted"), "{past}");
    assert_eq!(world.ours.seen().len(), before);
    Ok(())
}

#[tokio::test]
async fn a_secret_is_nowhere_but_where_it_is_shown() -> Done {
    let world = World::with_everything().await?;
    let questions = json!([
        {"url": world.ours.url("/echo"), "bearer": "token"},
        {"url": world.ours.url(&format!("/echo?{SECRET}"))},
        {"url": world.ours.url(&format!("/moved?to=http://elsewhere.example/?token={SECRET}")), "bearer": "token"},
        {"records": "contact"},
    ]);
    let answers = world.answers(questions.clone()).await?;
    assert!(answers.contains("Bearer [secret token]"), "an echo is struck out: {answers}");
    assert!(!answers.contains(SECRET), "of a later answer, too: {answers}");
    assert!(answers.contains("redirects to an address that holds a secret"), "{answers}");
    assert!(world.ours.seen().iter().any(|it| it.contains(&format!("authorization: Bearer {SECRET}"))));

    let asked = json!([{"url": world.ours.url("/echo"), "bearer": "token"}, {"records": "contact"}]).to_string();
    let session = json!({"entity": "incident", "context": {"ask": asked}});
    let full = json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "explain": "full"});
    let full = world.host.post("/api/v1/experience", full).await?;
    assert!(full.status == 200 && full.text.contains("http.send(GET "), "the reads are explained: {full}");
    let mut texts = vec![full.text];
    let refused = world.host.put("/api/v1/secrets/token", json!({"value": [SECRET], "hosts": ["a.example"]})).await?;
    assert_eq!(refused.status, 422);
    texts.push(refused.text);
    for path in ["secrets", "connectors", "plugins", "revisions", "traces", "audit", "export"] {
        let answer = world.host.get(&format!("/api/v1/{path}")).await?;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        texts.push(answer.text);
    }
    assert!(texts[2].contains("\"token\""), "its name is listed: {}", texts[2]);
    let traces = world.host.get("/api/v1/traces?plugin=tests/greeter").await?.json();
    for trace in traces["items"].as_array().into_iter().flatten() {
        let id = trace["id"].as_str().unwrap_or_default();
        texts.push(world.host.get(&format!("/api/v1/traces/{id}")).await?.text);
    }
    for text in texts {
        assert!(!text.contains(SECRET), "{text}");
    }
    let World { host, .. } = world;
    let folder = host.stop_and_keep().await?;
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path.is_file() && !path.ends_with("secrets.db") {
            let bytes = std::fs::read(&path)?;
            assert!(!bytes.windows(SECRET.len()).any(|it| it == SECRET.as_bytes()), "{}", path.display());
        }
    }
    Ok(())
}

/// Who may grant, and says where connectors lead, gets no secret by it.
#[tokio::test]
async fn a_secret_goes_to_the_hosts_it_was_written_for_and_nowhere_else() -> Done {
    let world = World::with_everything().await?;
    let bearer = json!([{"url": world.ours.url("/echo"), "bearer": "token"}, {"records": "contact"}]);
    let elsewhere = world.host.put("/api/v1/secrets/token", json!({"value": SECRET, "hosts": ["crm.example"]})).await?;
    assert_eq!(elsewhere.status, 200, "{elsewhere}");
    let before = world.ours.seen().len();
    assert_snapshot!(world.answers(bearer.clone()).await?, @r#"
    ["no-secret","the secret `token` is not for the host `OURS`: it can be bound to it with `PUT /api/v1/secrets/token`"]
    ["no-secret","the secret `token` is not for the host `OURS`: it can be bound to it with `PUT /api/v1/secrets/token`"]
    "#);
    assert_eq!(world.ours.seen().len(), before, "nothing was sent");
    world.host.put("/api/v1/secrets/token", json!({"value": SECRET, "hosts": [world.ours.host()]})).await?;
    assert!(world.answers(bearer).await?.contains("[secret token]"));
    // Another host of the plugin, by a redirect: the secret stays behind.
    let moved = json!([{"url": world.ours.url("/moved?to=/echo"), "bearer": "token"}]);
    assert!(world.answers(moved).await?.contains("[secret token]"), "the same host may see it");
    Ok(())
}

/// A host that echoes what it was sent tells it in no other form.
#[tokio::test]
async fn a_secret_comes_back_neither_in_pieces_nor_in_another_form() -> Done {
    let world = World::with_everything().await?;
    let asked = |path: &str, name: &str, value: &str| json!({"url": world.ours.url(path), "bearer": "token", "header": name, "value": value});
    let answers = world
        .answers(json!([
            asked("/echo", "range", "bytes=0-20"),
            asked("/echo", "Accept-Encoding", "gzip"),
            asked("/echo", "TE", "gzip"),
            asked("/echo", "if-range", "x"),
            asked("/part", "x-case", "7"),
            asked("/packed", "x-case", "7"),
            asked("/base64", "x-case", "7"),
        ]))
        .await?;
    assert_snapshot!(answers, @r#"
    ["bad-request","the header `range` cannot be sent: an answer comes whole and as it is, so that secrets can be struck out of it"]
    ["bad-request","the header `Accept-Encoding` cannot be sent: an answer comes whole and as it is, so that secrets can be struck out of it"]
    ["bad-request","the header `TE` cannot be sent: the host says that itself"]
    ["bad-request","the header `if-range` cannot be sent: an answer comes whole and as it is, so that secrets can be struck out of it"]
    ["unavailable","`OURS` answers with a part of what was asked for, which is not handed on"]
    ["unavailable","`OURS` answers in the encoding `gzip`, though it was asked for none: that is not handed on"]
    [200,"[secret token]"]
    "#);
    let seen = world.ours.seen();
    assert!(seen.iter().all(|it| it.to_lowercase().contains("accept-encoding: identity\r\n")), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_does_not_answer_is_not_waited_for() -> Done {
    // Waiting takes longer than the plugin itself may.
    let (deadline, waiting) = (Duration::from_secs(1), Duration::from_secs(2));
    let limits = Limits { deadline, waiting, ..Limits::default() };
    let answer = Duration::from_secs(10);
    let world = World::new(Duration::from_millis(1200), |config| Config { limits, answer, ..config }).await?;
    world.serve().await?;
    let slow = json!({"url": world.ours.url("/slow")});
    let once = world.answers(json!([slow, {"records": "contact"}])).await?;
    assert_snapshot!(once, @r#"
    ["timeout","`OURS` did not answer in time"]
    ["no-connector","this environment has no connector `crm` of the right kind"]
    "#);
    let spinning = world.answers(json!([slow, {"spin": true}])).await?;
    assert!(spinning.contains("plugin.timeout") && spinning.contains("its deadline of 1000 ms"), "{spinning}");
    let often = world.answers(json!([slow, slow, slow])).await?;
    assert!(often.contains("it had the host wait 2000 ms for others, and asked again"), "{often}");
    Ok(())
}

#[tokio::test]
async fn a_call_ends_on_the_version_it_began_with() -> Done {
    let world = World::with_everything().await?;
    world.host.install("?activate=false", &rule(guests::WELL_BEHAVED, "greeter", "1.1.0", "scripts")?).await?;
    let meanwhile = async {
        world.held().await?;
        let activated = activate(&world.host, "1.1.0").await?;
        let next = world.held_answer().await?;
        world.ours.release();
        Ok::<_, Failure>((activated, next))
    };
    let (first, meanwhile) = tokio::join!(world.held_answer(), meanwhile);
    let (first, (activated, next)) = (first?, meanwhile?);
    assert_eq!((activated.status, &activated.json()["version"]), (200, &json!("1.1.0")), "{activated}");
    for (answer, by, not_by) in [(&first, "1.0.0", "1.1.0"), (&next, "1.1.0", "1.0.0")] {
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.text.contains(&format!("tests/greeter {by}")), "{by}: {answer}");
        assert!(!answer.text.contains(&format!("tests/greeter {not_by}")), "{by}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rule_that_finds_no_room_costs_its_own_tool_as_its_policy_says() -> Done {
    let world = World::with_everything_and(|config| Config { per_plugin: 1, queue: 0, ..config }).await?;
    let decide = async |wanted: Value| -> Done {
        let decided = world.host.put(&format!("{PLUGIN}/tools/scripts"), wanted).await?;
        if decided.status == 200 { Ok(()) } else { Err(decided.to_string().into()) }
    };
    let ask = async |customer: &str| {
        let session = json!({"entity": "incident", "context": {"ask": "[]", "customerName": customer}});
        let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
        world.host.post("/api/v1/experience", question).await
    };
    decide(json!({"onFault": "use-last-good"})).await?;
    let before = ask("Ada").await?;
    let meanwhile = async {
        world.held().await?;
        let mut found = Vec::new();
        for (policy, customer) in [
            (json!({"onFault": "use-last-good"}), "Ada"),
            (json!({"onFault": "use-last-good"}), "Bob"),
            (json!({"onFault": "skip"}), "Ada"),
            (json!({"onFault": "use-default", "default": {"plain": true}}), "Ada"),
            (json!({"onFault": "abort"}), "Ada"),
        ] {
            decide(policy.clone()).await?;
            let answer = ask(customer).await?;
            let tools = answer.json()["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
            let mut shown: Vec<Value> = tools.into_iter().filter(|tool| tool["tool"] == "scripts").collect();
            let others_are_there = answer.json()["productivityPane"]["tools"].as_array().map(Vec::len);
            for fault in ["/fault", "/degraded/fault"] {
                if let Some(Value::Object(fault)) = shown.first_mut().and_then(|tool| tool.pointer_mut(fault)) {
                    assert!(fault.remove("trace").is_some(), "{answer}");
                }
            }
            let shown = shown.first().map_or_else(
                || format!("{answer}, again in {} s", answer.header("retry-after")),
                |tool| {
                    let parts = ["status", "payload", "degraded", "fault"].map(|part| tool[part].clone());
                    json!(parts).to_string()
                },
            );
            found.push(format!("{} for {customer}: {shown}", policy["onFault"]));
            if answer.status == 200 {
                assert_eq!(
                    others_are_there,
                    before.json()["productivityPane"]["tools"].as_array().map(Vec::len),
                    "{answer}"
                );
            }
        }
        world.ours.release();
        Ok::<_, Failure>(found)
    };
    let (first, found) = tokio::join!(world.held_answer(), meanwhile);
    let (first, found) = (first?, found?);
    assert_eq!((before.status, first.status), (200, 200), "{before} {first}");
    assert_snapshot!(found.join("\n"), @r#"
    "use-last-good" for Ada: ["shown",{"answers":[]},{"policy":"use-last-good","fault":{"code":"plugin.busy","message":"no more than 0 of its calls may wait for a slot, and so many do","plugin":"tests/greeter","version":"1.0.0","retryAfter":1}},null]
    "use-last-good" for Bob: ["failed",null,null,{"code":"plugin.busy","message":"no more than 0 of its calls may wait for a slot, and so many do","plugin":"tests/greeter","version":"1.0.0","retryAfter":1}]
    "skip" for Ada: ["failed",null,null,{"code":"plugin.busy","message":"no more than 0 of its calls may wait for a slot, and so many do","plugin":"tests/greeter","version":"1.0.0","retryAfter":1}]
    "use-default" for Ada: ["shown",{"plain":true},{"policy":"use-default","fault":{"code":"plugin.busy","message":"no more than 0 of its calls may wait for a slot, and so many do","plugin":"tests/greeter","version":"1.0.0","retryAfter":1}},null]
    "abort" for Ada: 503 {"code":"plugin.busy","detail":"the rule of tool `scripts` (tests/greeter 1.0.0) broke, and no answer is given without it: no more than 0 of its calls may wait for a slot, and so many do"}, again in 1 s
    "#);
    assert_eq!(world.held_answer().await?.status, 200, "there is room again");
    Ok(())
}
