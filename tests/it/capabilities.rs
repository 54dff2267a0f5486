//! Capabilities of plugins: nothing is reached that was not asked for, granted, and meant.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use loadout::outbound::{self, Client};
use loadout::plugin::{Config, Door, Limits};
use loadout_plugin_build::{PrivateKey, embed_manifest, sign};
use loadout_tests::Done;
use loadout_tests::guests::{self, manifest, rule};
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::outside::{Authority, Outside};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const PLUGIN: &str = "/api/v1/plugins/tests/greeter";

async fn host() -> Result<TestHost, Failure> {
    TestHost::with_platform().await
}

/// The component of a rule that asks for `capabilities`.
fn asking(guest: &[u8], version: &str, capabilities: &str) -> Result<Vec<u8>, Failure> {
    let manifest = manifest("greeter", version, "scripts");
    Ok(embed_manifest(guest, &format!("{manifest}[capabilities]\n{capabilities}\n"))?)
}

/// What kayla's scripts are, in a session with this context.
async fn scripts(host: &TestHost, context: Value) -> Result<Value, Failure> {
    let session = json!({"entity": "incident", "context": context});
    let question = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", question).await?;
    let tools = answer.json()["productivityPane"]["tools"].as_array().cloned().unwrap_or_default();
    let found = tools.into_iter().find(|tool| tool["tool"] == "scripts");
    found.ok_or_else(|| format!("no scripts in {answer}").into())
}

async fn grant(host: &TestHost, version: &str, what: Value) -> Result<Reply, Failure> {
    host.put(&format!("{PLUGIN}/versions/{version}/grant"), what).await
}

async fn activate(host: &TestHost, version: &str) -> Result<Reply, Failure> {
    host.post(&format!("{PLUGIN}/activate"), json!({"version": version})).await
}

/// What became of a version, without what differs from build to build.
fn installed(reply: &Reply) -> Value {
    let json = reply.json();
    json!([reply.status, json["version"], json["activated"], json["needs"], json["why"]])
}

#[tokio::test]
async fn a_plugin_that_asks_for_something_serves_once_somebody_decided() -> Done {
    let host = host().await?;
    let one = asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]\nsecrets = [\"token\"]")?;
    assert_snapshot!(installed(&host.install("", &one).await?), @r#"[201,null,false,{"records":["crm"],"secrets":["token"]},"plugin `tests/greeter` 1.0.0 asks for more than was granted: decide about records `crm`, secrets `token` with `PUT /api/v1/plugins/tests/greeter/versions/1.0.0/grant`, even if it shall have nothing"]"#);
    let meanwhile = scripts(&host, json!({"customerName": "Ada"})).await?;
    assert_eq!(meanwhile["hiddenBy"]["code"], "no-rule", "it was brought to decide, so nothing decides in its place");
    let refused = activate(&host, "1.0.0").await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")));
    assert_eq!(refused.json()["needs"], json!({"records": ["crm"], "secrets": ["token"]}));

    assert_snapshot!(grant(&host, "1.0.0", json!({"records": ["erp"]})).await?, @r#"409 {"code":"not-asked","detail":"plugin `tests/greeter` 1.0.0 does not ask for records `erp`: grant some of records `crm`, secrets `token`"}"#);
    assert_eq!(grant(&host, "1.0.0", json!({"all": true, "http": ["a.example"]})).await?.status, 409);
    assert_eq!(grant(&host, "1.0.0", json!({"http": ["*.example"]})).await?.status, 422);
    assert_eq!(grant(&host, "9.0.0", json!({})).await?.status, 404);
    let granted = grant(&host, "1.0.0", json!({"records": ["crm"]})).await?.json();
    assert_eq!(
        (&granted["decided"], &granted["granted"], &granted["missing"]),
        (&json!(true), &json!({"records": ["crm"]}), &json!({"secrets": ["token"]}))
    );
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["greeting"], "Hello Ada");
    let versions = &host.get(PLUGIN).await?.json()["versions"];
    assert_eq!(versions[0]["asks"], json!({"records": ["crm"], "secrets": ["token"]}));
    assert_eq!(versions[0]["granted"], json!({"records": ["crm"]}));
    let newest = host.get("/api/v1/revisions?limit=2").await?.text;
    assert!(newest.contains("grants"), "a grant is in the history: {newest}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_nobody_granted_is_refused_and_recorded() -> Done {
    let host = host().await?;
    let one = asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]")?;
    host.install("?activate=false", &one).await?;
    assert_eq!(grant(&host, "1.0.0", json!({})).await?.json()["decided"], true, "nothing is a decision, too");
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["refused"], true);
    let traces = host.get("/api/v1/traces?plugin=tests/greeter").await?.json();
    let id = traces["items"][0]["id"].as_str().ok_or("no trace")?.to_owned();
    let trace = host.get(&format!("/api/v1/traces/{id}")).await?.json();
    assert_eq!(trace["refused"], json!([{"name": "records.look-up", "count": 1}]), "{trace}");

    let address = format!("{PLUGIN}/versions/1.0.0/grant");
    let taken = Reply::to(host.request(Method::DELETE, &address)).await?.json();
    assert_eq!((&taken["decided"], &taken["missing"]), (&json!(false), &json!({"records": ["crm"]})));
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?["payload"]["refused"], true, "it goes on");
    Ok(())
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_and_one_that_asks_for_less_does_not() -> Done {
    let host = host().await?;
    let key = PrivateKey::generate()?;
    assert_eq!(host.put("/api/v1/trusted-publishers/tests", json!({"keys": [key.public()]})).await?.status, 201);
    let first = asking(guests::WELL_BEHAVED, "1.0.0", "http = [\"a.example\", \"b.example\"]")?;
    host.install("?activate=false", &sign(&first, &key)?).await?;
    grant(&host, "1.0.0", json!({"http": ["a.example"]})).await?;
    activate(&host, "1.0.0").await?;
    let ours = scripts(&host, json!({"customerName": "Ada"})).await?;

    let wider = sign(&asking(guests::FAILS, "1.1.0", "http = [\"a.example\", \"c.example\"]")?, &key)?;
    assert_snapshot!(installed(&host.install("", &wider).await?), @r#"[201,"1.0.0",false,{"http":["c.example"]},"plugin `tests/greeter` 1.1.0 asks for more than was granted: decide about http `c.example` with `PUT /api/v1/plugins/tests/greeter/versions/1.1.0/grant`, even if it shall have nothing"]"#);
    assert_eq!(scripts(&host, json!({"customerName": "Ada"})).await?, ours, "version 1 goes on");

    let narrower = sign(&asking(guests::WELL_BEHAVED, "1.2.0", "http = [\"a.example\"]")?, &key)?;
    assert_snapshot!(installed(&host.install("", &narrower).await?), @r#"[201,"1.2.0",true,null,null]"#);
    let grant_of = async |version: &str| -> Result<Value, Failure> {
        Ok(host.get(&format!("{PLUGIN}/versions/{version}/grant")).await?.json()["granted"].clone())
    };
    assert_eq!(grant_of("1.2.0").await?, json!({"http": ["a.example"]}), "carried over");
    let same = sign(&asking(guests::WELL_BEHAVED, "1.3.0", "http = [\"a.example\"]")?, &key)?;
    assert_eq!(installed(&host.install("", &same).await?)[2], true);

    // Another build of the same version is another component, and has nothing.
    let build = |guest, key: &PrivateKey| -> Result<Vec<u8>, Failure> {
        Ok(sign(&asking(guest, "1.4.0", "secrets = [\"token\"]")?, key)?)
    };
    host.install("?activate=false", &build(guests::WELL_BEHAVED, &key)?).await?;
    grant(&host, "1.4.0", json!({"all": true})).await?;
    host.delete(&format!("{PLUGIN}/versions/1.4.0")).await?;
    let other = host.install("", &build(guests::FAILS, &key)?).await?;
    assert_eq!(installed(&other)[2], false);
    assert_eq!(grant_of("1.4.0").await?, json!({}));
    Ok(())
}

/// What was granted to one publisher's code goes on for no other code, whichever way that is brought in.
#[tokio::test]
async fn a_grant_goes_on_only_for_what_the_same_trusted_key_signed() -> Done {
    let host = host().await?;
    let (ours, theirs) = (PrivateKey::generate()?, PrivateKey::generate()?);
    let trust = async |keys: &[&PrivateKey]| {
        let keys: Vec<String> = keys.iter().map(|key| key.public()).collect();
        host.put("/api/v1/trusted-publishers/tests", json!({ "keys": keys })).await
    };
    let asks = "http = [\"a.example\"]\nsecrets = [\"token\"]";
    let build = |version: &str| asking(guests::WELL_BEHAVED, version, asks);
    let waits = json!({"http": ["a.example"], "secrets": ["token"]});
    let serves = async || Ok::<_, Failure>(host.get(PLUGIN).await?.json()["version"].clone());

    // Signed by nobody, while nobody has to sign.
    host.install("?activate=false", &build("1.0.0")?).await?;
    grant(&host, "1.0.0", json!({"all": true})).await?;
    assert_eq!(activate(&host, "1.0.0").await?.status, 200);
    let unsigned = installed(&host.install("", &build("1.1.0")?).await?);
    assert_eq!((&unsigned[2], &unsigned[3]), (&json!(false), &waits), "{unsigned}");
    assert_eq!(serves().await?, "1.0.0", "what has the grant goes on serving");
    let signed = installed(&host.install("", &sign(&build("1.2.0")?, &ours)?).await?);
    assert_eq!(signed[3], waits, "by a key that is not trusted");
    trust(&[&ours, &theirs]).await?;
    let signed = installed(&host.install("", &sign(&build("1.3.0")?, &ours)?).await?);
    assert_eq!(signed[3], waits, "what serves is signed by nobody");

    // Signed, and granted.
    grant(&host, "1.3.0", json!({"all": true})).await?;
    assert_eq!(activate(&host, "1.3.0").await?.status, 200);
    let other = sign(&build("1.4.0")?, &theirs)?;
    assert_eq!(installed(&host.install("", &other).await?)[3], waits, "another trusted key is another hand");
    let refused = activate(&host, "1.4.0").await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")));
    let tried = json!({"rollout": {"version": "1.4.0", "to": "shadow"}});
    let refused = host.put(&format!("{PLUGIN}/rollout"), tried).await?;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("grant-needed")), "not on trial either");
    assert_eq!(serves().await?, "1.3.0");
    let both = sign(&sign(&build("1.5.0")?, &theirs)?, &ours)?;
    assert_eq!(installed(&host.install("", &both).await?)[2], true, "one common key is enough");
    let next = sign(&build("1.6.0")?, &theirs)?;
    assert_eq!(installed(&host.install("?activate=false", &next).await?)[0], 201);
    trust(&[&theirs]).await?;
    assert_eq!(activate(&host, "1.6.0").await?.status, 200, "signed by the key that is left of the two");

    // Going back needs no new decision: each of them has its own.
    trust(&[&ours, &theirs]).await?;
    let back = Reply::to(host.request(Method::POST, &format!("{PLUGIN}/rollback"))).await?;
    assert_eq!((back.status, serves().await?), (200, json!("1.5.0")), "{back}");
    Ok(())
}

#[tokio::test]
async fn only_who_may_grant_does() -> Done {
    let host = host().await?;
    host.install("?activate=false", &asking(guests::WELL_BEHAVED, "1.0.0", "records = [\"crm\"]")?).await?;
    let made = host.post("/api/v1/tokens", json!({"name": "installer", "roles": ["plugin-installer"]})).await?.json();
    let secret = made["secret"].as_str().ok_or("no secret")?;
    let address = format!("{PLUGIN}/versions/1.0.0/grant");
    let denied = host.anonymous(Method::PUT, &address).bearer_auth(secret).json(&json!({"all": true}));
    let denied = Reply::to(denied).await?;
    assert_eq!((denied.status, &denied.json()["privilege"]), (403, &json!("plugin.grant")));
    let shown = Reply::to(host.anonymous(Method::GET, &address).bearer_auth(secret)).await?;
    assert_eq!((shown.status, &shown.json()["decided"]), (200, &json!(false)));
    Ok(())
}

/// What no answer, file or log may have.
const SECRET: &str = "a-secret-that-nobody-reads";

/// A server that plugins may ask though it is on this machine, one that they may not, and a service that trusts both.
pub(crate) struct World {
    pub(crate) ours: Outside,
    theirs: Outside,
    pub(crate) host: TestHost,
}

impl World {
    async fn new(time: Duration, change: impl FnOnce(Config) -> Config) -> Result<Self, Failure> {
        Self::over(outbound::Options { time, ..outbound::Options::default() }, change).await
    }

    /// The same whose requests outside go as `options` say.
    pub(crate) async fn over(
        options: outbound::Options,
        change: impl FnOnce(Config) -> Config,
    ) -> Result<Self, Failure> {
        let authority = Authority::new()?;
        let (ours, theirs) = (Outside::start(&authority)?, Outside::start(&authority)?);
        let allow_private = [ours.host().parse()?].into();
        let authorities = outbound::certificates(authority.pem().as_bytes())?;
        let options = outbound::Options { allow_private, authorities, ..options };
        let door = Door { client: Arc::new(Client::new(options)), ..Door::default() };
        let host = TestHost::with_config(|config| Config { door, ..change(config) }).await?;
        Ok(Self { ours, theirs, host })
    }

    /// A plugin that asks for all there is, and has it.
    pub(crate) async fn with_everything() -> Result<Self, Failure> {
        Self::with_everything_and(|config| config).await
    }

    /// The same, run as `change` makes of how plugins usually are.
    async fn with_everything_and(change: impl FnOnce(Config) -> Config) -> Result<Self, Failure> {
        let patience = Duration::from_secs(60);
        let limits = Limits { deadline: patience, waiting: patience, ..Limits::default() };
        let world = Self::new(patience, |config| change(Config { limits, ..config })).await?;
        let hosts = [world.ours.host()];
        let put = world.host.put("/api/v1/secrets/token", json!({"value": SECRET, "hosts": hosts})).await?;
        assert_eq!(put.status, 201, "{put}");
        let crm = json!({"kind": "odata", "url": world.ours.url("/crm"), "secret": "token", "entitySets": {"contact": "contacts"}});
        let put = world.host.put("/api/v1/connectors/crm", crm).await?;
        assert_eq!(put.status, 201, "{put}");
        let wiki = json!({"kind": "knowledge", "url": world.ours.url("/wiki")});
        assert_eq!(world.host.put("/api/v1/connectors/wiki", wiki).await?.status, 201);
        world.serve().await?;
        Ok(world)
    }

    /// Installs the guest that asks outside, grants it everything, and lets it serve.
    pub(crate) async fn serve(&self) -> Done {
        let (ours, theirs) = (self.ours.host(), self.theirs.host());
        let wanted = format!(
            "records = [\"crm\"]\nknowledge = [\"wiki\"]\nhttp = [\"{ours}\", \"{theirs}\"]\nsecrets = [\"token\"]"
        );
        self.host.install("?activate=false", &asking(guests::REACHES_OUT, "1.0.0", &wanted)?).await?;
        grant(&self.host, "1.0.0", json!({"all": true})).await?;
        assert_eq!(activate(&self.host, "1.0.0").await?.status, 200);
        Ok(())
    }

    /// Waits until somebody is held outside; the test fails by the time limit of the runner if nobody ever is.
    async fn held(&self) -> Done {
        while !self.ours.seen().iter().any(|it| it.starts_with("GET /held ")) {
            self.host.get("/health/ready").await?;
        }
        Ok(())
    }

    /// A whole answer about kayla, whose scripts ask for `/held`.
    async fn held_answer(&self) -> Result<Reply, Failure> {
        let ask = json!([{"url": self.ours.url("/held")}]).to_string();
        let session = json!({"entity": "incident", "context": {"ask": ask, "customerName": "Ada"}});
        let question =
            json!({"user": "kayla", "app": "customer-service-workspace", "session": session, "explain": "full"});
        self.host.post("/api/v1/experience", question).await
    }

    /// What the guest was answered, one line for each question.
    pub(crate) async fn answers(&self, questions: Value) -> Result<String, Failure> {
        let tool = scripts(&self.host, json!({"ask": questions.to_string()})).await?;
        let Some(answers) = tool["payload"]["answers"].as_array() else { return Ok(tool["fault"].to_string()) };
        let lines: Vec<String> = answers.iter().map(Value::to_string).collect();
        Ok(lines.join("\n").replace(&self.ours.host(), "OURS").replace(&self.theirs.host(), "THEIRS"))
    }
}

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
async fn connectors_are_configuration_and_secrets_are_not() -> Done {
    let host = host().await?;
    let crm = json!({"kind": "odata", "url": "https://crm.example/api", "secret": "token"});
    assert_eq!(host.put("/api/v1/connectors/crm", crm.clone()).await?.status, 201);
    let listed = host.get("/api/v1/connectors").await?.json();
    assert_eq!((&listed["items"][0]["connector"], &listed["items"][0]["url"]), (&json!("crm"), &crm["url"]));
    let one = host.get("/api/v1/connectors/crm").await?;
    assert_eq!((&one.json()["url"], one.header("etag").is_empty()), (&crm["url"], false), "{one}");
    let back = host.put("/api/v1/connectors/crm", one.json()).await?;
    assert_eq!((back.status, back.json()), (200, one.json()), "a read can be sent back");
    assert_snapshot!(host.get("/api/v1/connectors/erp").await?, @r#"404 {"code":"not-found","detail":"connector `erp` does not exist"}"#);
    let revision = host.get("/api/v1/revisions?limit=1").await?.text;
    assert!(revision.contains("connectors"), "{revision}");
    for (name, body) in [
        ("CRM", crm.clone()),
        ("crm", json!({"kind": "odata", "url": "http://crm.example"})),
        ("crm", json!({"kind": "odata", "url": "https://10.0.0.1/api"})),
        ("crm", json!({"kind": "odata", "url": "https://crm.example", "password": "x"})),
        ("crm", json!({"kind": "sql", "url": "https://crm.example"})),
    ] {
        let refused = host.put(&format!("/api/v1/connectors/{name}"), body.clone()).await?;
        assert_eq!(refused.status, 422, "{body}: {refused}");
    }
    assert_eq!(host.delete("/api/v1/connectors/crm").await?.status, 204);

    let put = async |value: &str, hosts: Value| {
        host.put("/api/v1/secrets/token", json!({"value": value, "hosts": hosts})).await
    };
    let crm = json!(["crm.example"]);
    let statuses = [
        put(SECRET, crm.clone()).await?.status,
        put("another-good-secret", json!(["b.example:8443", "crm.example"])).await?.status,
        put("short", crm).await?.status,
    ];
    assert_eq!(statuses, [201, 200, 422]);
    let listed = host.get("/api/v1/secrets").await?.json();
    assert_eq!(listed["items"][0]["hosts"], json!(["b.example:8443", "crm.example"]), "{listed}");
    let without = host.put("/api/v1/secrets/token", json!({"value": SECRET})).await?;
    assert!(without.status == 422 && without.text.contains("`hosts`"), "{without}");
    let nowhere = put(SECRET, json!([])).await?;
    assert!(nowhere.status == 422 && nowhere.text.contains("a secret is for 1 to 16 hosts"), "{nowhere}");
    for hosts in [json!(["*.example"]), json!(["127.0.0.1"]), json!(["https://crm.example"]), json!("crm.example")] {
        assert_eq!(put(SECRET, hosts.clone()).await?.status, 422, "{hosts}");
    }
    assert_eq!(host.delete("/api/v1/secrets/token").await?.status, 204);
    assert_snapshot!(host.delete("/api/v1/secrets/token").await?, @r#"404 {"code":"not-found","detail":"there is no secret `token`: `GET /api/v1/secrets` lists those there are"}"#);
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
    let world = World::with_everything_and(|config| Config { lane: 1, queue: 0, ..config }).await?;
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
