//! A real server over a data folder of its own, and a client that has the token.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loadout::domain::trace::Watch;
use loadout::http::{Options, Server, Token};
use loadout::plugin::{BreakerSettings, ChildCompiler, CompileLimits, Compiler, Config, Gateway, Limits};
use loadout::resolve::{Evaluation, Reads, ToolRules};
use loadout::service::{PlatformOptions, Service};
use loadout::store::TraceLog;
use loadout::upgrade::Steps;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::program;

/// Why a test could not be set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The admin token of every server here.
pub const TOKEN: &str = "the-token-of-the-tests";

/// A server on a port of its own, with the shipped content in place. Stops when it is dropped.
pub struct TestHost {
    address: String,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
    folder: TempDir,
}

/// Every tool is shown with nothing, as though it needed no rule: most tests ask about what is decided before rules
/// are.
struct NoRules;

impl ToolRules for NoRules {
    fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
        None
    }

    fn fingerprint(&self) -> String {
        "none".to_owned()
    }

    fn has_rule(&self, _: &str) -> bool {
        true
    }

    fn absent(&self, _: &str) -> &[loadout::resolve::Absent] {
        &[]
    }
}

impl TestHost {
    /// A server with the shipped content.
    pub async fn start() -> Result<Self, Failure> {
        Self::over(None).await
    }

    /// A server with the shipped content in `folder`, which lies where a test needs it.
    pub async fn start_in(folder: TempDir) -> Result<Self, Failure> {
        let service = Service::open(folder.path(), Arc::new(NoRules))?;
        Self::serve(folder, service).await
    }

    /// A server with the sample `contoso`.
    pub async fn with_sample() -> Result<Self, Failure> {
        Self::over(Some("contoso")).await
    }

    /// A server with the sample `contoso`, whose tools are decided by `rules`.
    pub async fn with_rules(rules: Arc<dyn ToolRules>) -> Result<Self, Failure> {
        Self::assemble(Some("contoso"), rules, None).await
    }

    /// The same with other limits than usual: those that `change` makes of them.
    pub async fn with_limits(
        rules: Arc<dyn ToolRules>,
        change: impl FnOnce(Options) -> Options,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let service = Service::open(folder.path(), rules)?;
        service.add_sample("contoso")?;
        Self::serve_as(folder, service, change(Options::new(Token::new(TOKEN)?))).await
    }

    /// A server with the sample `contoso` if it is asked for, whose tools are decided and whose upgrades are carried
    /// out by the same plugins.
    pub async fn with_plugins<P: ToolRules + Steps + 'static>(
        sample: Option<&str>,
        plugins: Arc<P>,
    ) -> Result<Self, Failure> {
        Self::assemble(sample, Arc::clone(&plugins) as _, Some(plugins as _)).await
    }

    /// A server with the sample `contoso`, whose plugins are installed and can be changed.
    pub async fn with_platform() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        share_compiled(folder.path())?;
        Self::with_platform_in(folder).await
    }

    /// The same in a data folder that has compiled code and nothing else.
    pub async fn with_platform_in(folder: TempDir) -> Result<Self, Failure> {
        let service = Service::start_with(folder.path(), platform())?;
        service.add_sample("contoso")?;
        Self::serve(folder, service).await
    }

    /// A server over the data folder that another one left behind.
    pub async fn again(folder: TempDir) -> Result<Self, Failure> {
        Self::again_with(folder, program::path()).await
    }

    /// The same, whose components are compiled by another program.
    pub async fn again_with(folder: TempDir, compiler: &Path) -> Result<Self, Failure> {
        let service = Service::start_with(folder.path(), platform_with(compiler))?;
        Self::serve(folder, service).await
    }

    /// A server with the sample `contoso`, whose plugins go out through `gateway`, and whose rules have these limits.
    pub async fn with_gateway(gateway: Gateway, limits: Limits) -> Result<Self, Failure> {
        Self::with_config(|config| Config { gateway, limits, ..config }).await
    }

    /// A server with the sample `contoso`, whose plugins are run as `change` makes of how they usually are.
    pub async fn with_config(change: impl FnOnce(Config) -> Config) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        share_compiled(folder.path())?;
        let PlatformOptions { config, compiler } = platform();
        let config = change(config);
        let service = Service::start_with(folder.path(), PlatformOptions { config, compiler })?;
        service.add_sample("contoso")?;
        Self::serve(folder, service).await
    }

    /// A server with the sample `contoso`, whose tools are decided by the rules that `make` gives for the log of calls:
    /// each call is recorded in the data folder.
    pub async fn recorded(
        make: impl FnOnce(Arc<dyn Watch>) -> Result<Arc<dyn ToolRules>, Failure>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let traces = Arc::new(TraceLog::open(folder.path())?);
        let rules = make(Arc::clone(&traces) as _)?;
        let service = Service::open(folder.path(), rules)?.with_traces(traces);
        service.add_sample("contoso")?;
        Self::serve(folder, service).await
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn over(sample: Option<&str>) -> Result<Self, Failure> {
        Self::assemble(sample, Arc::new(NoRules), None).await
    }

    async fn assemble(
        sample: Option<&str>,
        rules: Arc<dyn ToolRules>,
        steps: Option<Arc<dyn Steps>>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let service = match steps {
            Some(steps) => Service::open_with(folder.path(), rules, steps)?,
            None => Service::open(folder.path(), rules)?,
        };
        if let Some(sample) = sample {
            service.add_sample(sample)?;
        }
        Self::serve(folder, service).await
    }

    async fn serve(folder: TempDir, service: Service) -> Result<Self, Failure> {
        Self::serve_as(folder, service, Options::new(Token::new(TOKEN)?)).await
    }

    async fn serve_as(folder: TempDir, service: Service, options: Options) -> Result<Self, Failure> {
        let listen = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(Arc::new(service), listen, options).await?;
        let address = format!("http://{}", server.address()?);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.run(async {
            // Dropped or told: either way the test is over.
            let _ = stopped.await;
        }));
        Ok(Self { address, client: Client::new(), stop: Some(stop), served, folder })
    }

    /// Where it listens, without a scheme.
    pub fn socket(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// The address of `path`.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.address(path)).bearer_auth(TOKEN)
    }

    /// A request without it.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.address(path))
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::GET, path)).await
    }

    /// `PUT path` with a body.
    pub async fn put(&self, path: &str, body: Value) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::PUT, path).json(&body)).await
    }

    /// `PATCH path` with a body.
    pub async fn patch(&self, path: &str, body: Value) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::PATCH, path).json(&body)).await
    }

    /// `POST path` with a body.
    pub async fn post(&self, path: &str, body: Value) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::POST, path).json(&body)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::DELETE, path)).await
    }

    /// `POST path` with a component.
    pub async fn install(&self, query: &str, component: &[u8]) -> Result<Reply, Failure> {
        let request = self.request(Method::POST, &format!("/api/v1/plugins{query}"));
        Reply::to(request.header("content-type", "application/wasm").body(component.to_vec())).await
    }

    /// `POST path` with an archive, which may be asked about only.
    pub async fn import(&self, path: &str, zip: Vec<u8>) -> Result<Reply, Failure> {
        Reply::to(self.request(Method::POST, path).header("content-type", "application/zip").body(zip)).await
    }

    /// Tells the server to stop, and waits until it has.
    pub async fn stop(self) -> Result<(), Failure> {
        self.stop_and_keep().await.map(drop)
    }

    /// The same, with the data folder it leaves behind.
    pub async fn stop_and_keep(mut self) -> Result<TempDir, Failure> {
        self.tell();
        (&mut self.served).await??;
        Ok(self.folder)
    }

    /// Tells the server to stop.
    pub fn tell(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A server that is gone already needs no telling.
            let _ = stop.send(());
        }
    }
}

/// Plugins of which only those are stopped by the clock whose manifest says so, so that a busy machine changes no
/// answer.
pub fn platform() -> PlatformOptions {
    platform_with(program::path())
}

fn platform_with(compiler: &Path) -> PlatformOptions {
    let patient = |limits: Limits| Limits { deadline: Duration::from_secs(60), ..limits };
    let config = Config {
        limits: patient(Limits::default()),
        configuration_step_limits: patient(Limits::of_configuration_steps()),
        slot_timeout: Duration::from_secs(60),
        breaker: BreakerSettings {
            pause: Duration::from_millis(200),
            longest: Duration::from_secs(1),
            ..BreakerSettings::default()
        },
        ..Config::default()
    };
    let limits = CompileLimits { slot_timeout: Duration::from_secs(300), ..CompileLimits::default() };
    PlatformOptions { config, compiler: Compiler::Child(ChildCompiler::new(compiler, limits)) }
}

/// Gives a data folder the code that was compiled for other tests, so that it need not be compiled anew.
pub fn share_compiled(folder: &Path) -> Result<(), Failure> {
    let cache = folder.join("cache");
    std::fs::create_dir_all(&cache)?;
    for entry in std::fs::read_dir(compiled())? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "compiled") || path.ends_with("key") {
            std::fs::copy(&path, cache.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// A folder for what programs keep for a person, whose key for compiled code is that of the tests.
pub fn data_home() -> Result<PathBuf, Failure> {
    let home = compiled().join("home");
    std::fs::create_dir_all(&home)?;
    match std::os::unix::fs::symlink(compiled(), home.join("loadout")) {
        // Another test made it.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    Ok(home)
}

/// Where tests keep compiled code: beside the folders of what cargo built.
pub fn compiled() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("tmp").is_dir());
    target.map(|target| target.join("tmp")).unwrap_or_default()
}

/// An answer. Displays as `409 {"code":…}`, without what differs from run to run.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as text.
    pub text: String,
}

impl Reply {
    /// The answer to `request`.
    pub async fn to(request: RequestBuilder) -> Result<Self, Failure> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        name.and_then(|name| self.headers.get(name)?.to_str().ok()).unwrap_or_default()
    }

    /// The unique names on a page.
    pub fn names(&self) -> Vec<String> {
        let items = self.json()["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|item| Some(item["uniqueName"].as_str()?.to_owned())).collect()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = self.json();
        if let Some(problem) = json.as_object_mut().filter(|_| self.status >= 400) {
            // The type and the title say what the code says, and an id is new each time.
            problem.retain(|key, _| !["type", "title", "status", "requestId"].contains(&key.as_str()));
        }
        match json {
            Value::Null if self.text.is_empty() => write!(f, "{}", self.status),
            Value::Null => write!(f, "{} {}", self.status, self.text),
            json => write!(f, "{} {json}", self.status),
        }
    }
}
