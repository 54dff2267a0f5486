//! A server whose plugins reach two hosts outside.

use std::sync::Arc;
use std::time::Duration;

use loadout::outbound::{self, Client};
use loadout::plugin::{Config, Gateway, Limits};
use loadout_tests::Done;
use loadout_tests::guests;
use loadout_tests::host::{Failure, Reply, TestHost};
use loadout_tests::outside::{Authority, Outside};
use serde_json::{Value, json};

use super::{activate, asking, grant, scripts};

/// What no answer, file or log may have.
pub(super) const SECRET: &str = "a-secret-that-nobody-reads";

/// A server that plugins may ask though it is on this machine, one that they may not, and a service that trusts both.
pub(crate) struct World {
    pub(crate) ours: Outside,
    pub(crate) theirs: Outside,
    pub(crate) host: TestHost,
}

impl World {
    pub(super) async fn new(time: Duration, change: impl FnOnce(Config) -> Config) -> Result<Self, Failure> {
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
        let gateway = Gateway { client: Arc::new(Client::new(options)), ..Gateway::default() };
        let host = TestHost::with_config(|config| Config { gateway, ..change(config) }).await?;
        Ok(Self { ours, theirs, host })
    }

    /// A plugin that asks for all there is, and has it.
    pub(crate) async fn with_everything() -> Result<Self, Failure> {
        Self::with_everything_and(|config| config).await
    }

    /// The same, run as `change` makes of how plugins usually are.
    pub(super) async fn with_everything_and(change: impl FnOnce(Config) -> Config) -> Result<Self, Failure> {
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

    /// Waits until a request is held outside; without one, the test fails by the time limit of the runner.
    pub(super) async fn held(&self) -> Done {
        while !self.ours.seen().iter().any(|it| it.starts_with("GET /held ")) {
            self.host.get("/health/ready").await?;
        }
        Ok(())
    }

    /// A whole answer about kayla, whose scripts ask for `/held`.
    pub(super) async fn held_answer(&self) -> Result<Reply, Failure> {
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
