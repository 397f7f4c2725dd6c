//! Puts the parts together and gives tests and the demo a handle on them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use aws_types::SdkConfig;
use bytes::Bytes;
use domain::Timestamp;
use http::{Request, Response};
use runtime::awsclients::TableClient;
use runtime::{Clock, Ports};
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::activity::Quiet;
use crate::aws::{self, Caller, Dynamo, Probe, ProbedTransport, S3, Secrets, Services, Usage, UsageKey, Used};
use crate::background::{Background, Stop, background};
use crate::checkpoint::{self, Checkpoint};
use crate::clock;
use crate::config::{HostConfig, StartError, TemplateSource};
use crate::dispatch::bus::Bus;
use crate::dispatch::consumer::Consumer;
use crate::dispatch::http::Gateway;
use crate::dispatch::invoke::{Deployed, Invocations, InvokeError, Invoked, Invoker};
use crate::dispatch::queues::{QueueContext, QueueDepth, Queues};
use crate::dispatch::schedules::{Sweep, Timer};
use crate::dispatch::streams::{Signals, StreamReader};
use crate::identity::Issuer;
use crate::server;
use crate::sign_in::{self, SignIns};
use crate::tables;
use crate::template::{FunctionSpec, Table, Template};
use crate::time::LocalTime;

/// The address that is listened on where none is given: any free port, this machine only.
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// What the tokens are for, where the template's parameter is not given.
const AUDIENCE: &str = "pipworks";
/// How long a stop waits for work that has begun.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How often the positions of a data file are kept, at most.
const CHECKPOINT_PAUSE: Duration = Duration::from_secs(1);

/// A running host. Dropping it ends everything at the next await; [`Host::stop`] lets begun work end first.
pub struct Host {
    url: String,
    clock_url: String,
    time: LocalTime,
    template: Template,
    services: Arc<Services>,
    issuer: Arc<Issuer>,
    functions: BTreeMap<String, Arc<Deployed>>,
    queues: Queues,
    timers: Vec<Arc<Timer>>,
    gateway: Arc<Gateway>,
    invoker: Invoker,
    checkpoint: Option<Checkpoint>,
    server: JoinHandle<()>,
    stop: Stop,
}

impl Host {
    /// Starts everything that the template declares; the address is served when this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: HostConfig) -> Result<Self, StartError> {
        let (listener, url) = listen(config.listen.unwrap_or_else(|| LOOPBACK.into())).await?;
        let (clock_listener, clock_url) = listen(LOOPBACK.into()).await?;
        let clock: Arc<dyn Clock> = Arc::new(config.time.clone());
        let template = read_template(&config, &url)?;
        let issuer = Arc::new(issuer(&config, &template, &url)?);
        let keys = Bytes::from(issuer.jwks().to_string());

        let (stop, background) = background();
        let activity = config.time.activity().clone();
        let dynamo = open(&config)?;
        tables::create(&dynamo, &template).await?;
        let kept = if config.data.is_some() { Some(checkpoint::load(&dynamo).await?) } else { None };
        if let Some(kept) = &kept {
            checkpoint::resume(kept, &config.time);
        }
        let services = Arc::new(Services {
            dynamo,
            bus: OnceLock::new(),
            queues: OnceLock::new(),
            secrets: Secrets::new(config.secrets.clone()),
            ses: config.ses.clone(),
            s3: files(&config, &template, &background).await?,
            usage: Usage::default(),
        });
        let transport = Arc::new(ProbedTransport {
            inner: Arc::clone(&config.transport),
            usage: services.usage.clone(),
            keys: (format!("{url}{}", server::KEYS_PATH), keys.clone()),
        });
        let functions = build(&config, &template, &services, transport)?;

        let invoker = Invoker {
            activity: activity.clone(),
            background: background.clone(),
            entropy: Arc::clone(&config.entropy),
            probe: config.probe.clone(),
            counts: Arc::default(),
        };
        let context = QueueContext {
            activity,
            time: config.time.clone(),
            entropy: Arc::clone(&config.entropy),
            delivery: config.delivery.clone(),
            retry_speed: config.retry_speed,
        };
        let wiring = Wiring { template: &template, functions: &functions, invoker: &invoker, context: &context };
        let queues = Queues::new(&template, &context);
        let bus = Bus::new(&template, &queues, &functions, Arc::clone(&clock), invoker.clone())?;
        services.bus.get_or_init(|| Arc::new(bus));
        services.queues.get_or_init(|| queues.clone());
        wiring.consumers(&queues)?;
        let checkpoint = wiring.streams(&queues, &services.dynamo, kept.as_ref()).await?;
        let timers = wiring.timers(&queues, &services.dynamo, &config);
        background.spawn(config.time.clone().run());

        let gateway = Arc::new(Gateway::new(functions.values(), &template.limits, invoker.clone(), clock));
        let sign_ins = SignIns::new(Arc::clone(&issuer), Arc::clone(&config.entropy), config.people, &url);
        let app = server::api(Arc::clone(&gateway), keys, config.routes).merge(sign_in::routes(sign_ins));
        let server = server::serve(listener, app, background.clone());
        server::serve(clock_listener, clock::routes(config.time.clone()), background);
        Ok(Self {
            url,
            clock_url,
            time: config.time,
            template,
            services,
            issuer,
            functions,
            queues,
            timers,
            gateway,
            invoker,
            checkpoint,
            server,
            stop,
        })
    }

    /// Where HTTP is served, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the local clock is served, without a slash at the end.
    pub fn clock_url(&self) -> &str {
        &self.clock_url
    }

    /// The time in which everything here happens.
    pub fn time(&self) -> &LocalTime {
        &self.time
    }

    /// The template as it runs.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The tables, without a function's policy.
    pub fn db(&self) -> &Dynamo {
        &self.services.dynamo
    }

    /// For SDK clients of a test or the demo: reaches this host's services, without a function's policy.
    pub fn sdk_config(&self) -> SdkConfig {
        aws::sdk_config(&self.services, Caller::host())
    }

    /// Signs tokens for callers.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Sets a secret; the next `GetSecretValue` answers it.
    pub fn put_secret(&self, name: &str, value: &str) {
        self.services.secrets.put(name, value);
    }

    /// The present text of a secret, for who spoils one and mends it.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.services.secrets.text(name)
    }

    /// Answers a request as the listener would, without a socket.
    pub async fn request(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.gateway.handle(request, "127.0.0.1").await
    }

    /// Invokes a function directly.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, name: &str, event: &Value) -> Result<Value, InvokeError> {
        self.invoke_probed(name, event, self.invoker.probe.clone()).await
    }

    /// Invokes a function directly under a probe of its own, or under none.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke_probed(
        &self,
        name: &str,
        event: &Value,
        probe: Option<Arc<dyn Probe>>,
    ) -> Result<Value, InvokeError> {
        let unknown = || InvokeError::Unknown(name.to_owned());
        let deployed = self.functions.values().find(|d| d.spec.handler == name).ok_or_else(unknown)?;
        let event = to_raw_value(event).map_err(|_| unknown())?;
        value(self.invoker.invoke_probed(deployed, event, probe).await)
    }

    /// Fires a timer once, named by its logical id or by its function.
    ///
    /// # Errors
    /// [`InvokeError`] of the last attempt.
    pub async fn fire_schedule(&self, name: &str) -> Result<Value, InvokeError> {
        let timer = self
            .timers
            .iter()
            .find(|timer| timer.is_named(name))
            .ok_or_else(|| InvokeError::Unknown(name.to_owned()))?;
        value(timer.fire().await)
    }

    /// When the first of what a timer only looks for falls due; `None` without any, and for a timer that does more than look.
    pub async fn earliest_due(&self, name: &str) -> Option<Timestamp> {
        let sweep = self.timers.iter().find(|timer| timer.is_named(name))?.sweep.as_ref()?;
        sweep.earliest().await
    }

    /// Puts a message into a queue, named by its physical name or its logical id.
    ///
    /// # Errors
    /// [`InvokeError::Unknown`] without such a queue.
    pub fn send_message(&self, queue: &str, body: &str) -> Result<String, InvokeError> {
        let name = self.template.queues.get(queue).map_or(queue, |spec| spec.name.as_str());
        let queue = self.queues.get(name).ok_or_else(|| InvokeError::Unknown(name.to_owned()))?;
        Ok(queue.send(body.to_owned()))
    }

    /// Resolves when no invocation, visible message or unread stream record is left.
    ///
    /// What waits for the local time does not count: a message for its visibility time-out, a record for its next
    /// attempt.
    pub async fn idle(&self) {
        self.invoker.activity.quiet(Quiet::Now).await;
    }

    /// Moves the time on until nothing is left to be done, timers aside.
    pub async fn settled(&self) {
        self.time.settle().await;
    }

    /// How many messages each queue holds, by physical name.
    pub fn queue_depths(&self) -> BTreeMap<String, QueueDepth> {
        self.queues.depths()
    }

    /// The messages in every dead-letter queue, by physical name; a consumed one is empty.
    pub fn dead_letters(&self) -> BTreeMap<String, Vec<String>> {
        let mut names = BTreeSet::new();
        let template = &self.template;
        names.extend(template.queues.values().filter_map(|queue| Some(&queue.redrive.as_ref()?.dead_letters)));
        names.extend(template.rules.values().flat_map(|rule| &rule.targets).filter_map(|t| t.dead_letters.as_ref()));
        names.extend(template.functions.values().flat_map(|f| &f.streams).filter_map(|m| m.on_failure.as_ref()));
        names.extend(template.schedules.iter().filter_map(|schedule| schedule.dead_letters.as_ref()));
        let peek = |name: &String| Some((name.clone(), self.queues.get(name)?.peek()));
        names.into_iter().filter_map(peek).collect()
    }

    /// How often each function was invoked, by name.
    pub fn invocations(&self) -> BTreeMap<String, Invocations> {
        let counts = self.invoker.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
    }

    /// What was called and consumed since the start or the last reset.
    pub fn usage(&self) -> BTreeMap<UsageKey, Used> {
        self.services.usage.snapshot()
    }

    /// Begins to count anew.
    pub fn reset_usage(&self) {
        self.services.usage.reset();
    }

    /// Lets begun work end, within five seconds, and stops.
    pub async fn stop(self) {
        if tokio::time::timeout(STOP_GRACE, self.idle()).await.is_err() {
            tracing::warn!("work was still going on when the host stopped");
        }
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.keep().await;
        }
        self.stop.stop();
        if tokio::time::timeout(STOP_GRACE, self.server).await.is_err() {
            tracing::warn!("connections were still open when the host stopped");
        }
    }
}

fn value(invoked: Invoked) -> Result<Value, InvokeError> {
    let answer = invoked?;
    // the answer is JSON already
    Ok(serde_json::from_str(answer.get()).unwrap_or(Value::Null))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, String), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, url))
}

fn read_template(config: &HostConfig, url: &str) -> Result<Template, StartError> {
    let source = &config.template;
    let mut parameters = config.parameters.clone();
    let keys_url = format!("{url}{}", server::KEYS_PATH);
    let (authorize, token) = (format!("{url}{}", sign_in::AUTHORIZE_PATH), format!("{url}{}", sign_in::TOKEN_PATH));
    let console = format!("{url}/console");
    let own = [
        ("Stage", "local"),
        ("JwtIssuer", url),
        ("JwtAudience", AUDIENCE),
        ("JwksUrl", keys_url.as_str()),
        ("OidcAuthorizeUrl", authorize.as_str()),
        ("OidcTokenUrl", token.as_str()),
        ("OidcClientId", sign_in::CLIENT_ID),
        ("ConsoleUrl", console.as_str()),
    ];
    let declared = match source {
        TemplateSource::Text(text) => Template::declared_parameters(text)?,
        TemplateSource::Path(path) => Template::declared_parameters_of(path)?,
    };
    for (name, value) in own {
        if declared.iter().any(|declared| declared == name) {
            parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Ok(match source {
        TemplateSource::Text(text) => Template::parse(text, &parameters)?,
        TemplateSource::Path(path) => Template::read(path, &parameters)?,
    })
}

fn issuer(config: &HostConfig, template: &Template, url: &str) -> Result<Issuer, StartError> {
    let parameter =
        |name: &str, default: &str| template.parameters.get(name).map_or_else(|| default.to_owned(), String::clone);
    let (issuer, audience) = (parameter("JwtIssuer", url), parameter("JwtAudience", AUDIENCE));
    Ok(Issuer::new(&issuer, &audience, Arc::new(config.time.clone()), Arc::clone(&config.entropy))?)
}

fn open(config: &HostConfig) -> Result<Dynamo, StartError> {
    if let Some(folder) = config.data.as_ref().and_then(|file| file.parent()) {
        std::fs::create_dir_all(folder).map_err(StartError::Data)?;
    }
    Ok(Dynamo::open(config.data.as_deref(), config.serves_here, Signals::default())?)
}

/// S3 on an address of its own, where the template has a bucket.
async fn files(
    config: &HostConfig,
    template: &Template,
    background: &Background,
) -> Result<Option<Arc<S3>>, StartError> {
    if template.buckets.is_empty() {
        return Ok(None);
    }
    let (listener, url) = listen(LOOPBACK.into()).await?;
    let folder = config.data.as_ref().map(|file| file.with_extension("files"));
    let s3 = Arc::new(S3::new(template.buckets.values(), folder.as_deref(), &url, &config.time)?);
    server::serve(listener, Arc::clone(&s3).routes(), background.clone());
    Ok(Some(s3))
}

fn build(
    config: &HostConfig,
    template: &Template,
    services: &Arc<Services>,
    transport: Arc<ProbedTransport>,
) -> Result<BTreeMap<String, Arc<Deployed>>, StartError> {
    let mut functions = BTreeMap::new();
    for (id, spec) in &template.functions {
        let no_code = || StartError::NoCode { function: id.clone(), handler: spec.handler.clone() };
        let builder = config.registry.get(&spec.handler).ok_or_else(no_code)?;
        let ports = Ports {
            aws: aws::sdk_config(services, Caller::function(&spec.handler, &spec.statements)),
            tables: TableClient::default(),
            transport: runtime::rehearsal::guarded(transport.clone()),
            clock: Arc::new(config.time.clone()),
            entropy: Arc::clone(&config.entropy),
            environment: Arc::new(spec.environment.clone()),
        };
        let failed = |source| StartError::Build { handler: spec.handler.clone(), source };
        let function = builder(&ports).map_err(failed)?;
        functions.insert(id.clone(), Arc::new(Deployed::new(FunctionSpec::clone(spec), function)));
    }
    Ok(functions)
}

/// Starts the triggers.
struct Wiring<'a> {
    template: &'a Template,
    functions: &'a BTreeMap<String, Arc<Deployed>>,
    invoker: &'a Invoker,
    context: &'a QueueContext,
}

impl Wiring<'_> {
    fn background(&self) -> &Background {
        &self.invoker.background
    }

    fn consumers(&self, queues: &Queues) -> Result<(), StartError> {
        for deployed in self.functions.values() {
            for mapping in &deployed.spec.queues {
                let Some(queue) = queues.get(&mapping.queue) else { continue };
                let consumer = Consumer::new(mapping, queue, deployed, self.invoker)?;
                self.background().spawn(Arc::new(consumer).run());
            }
        }
        Ok(())
    }

    async fn streams(
        &self,
        queues: &Queues,
        dynamo: &Dynamo,
        kept: Option<&BTreeMap<String, String>>,
    ) -> Result<Option<Checkpoint>, StartError> {
        let mut positions = BTreeMap::new();
        for deployed in self.functions.values() {
            for mapping in &deployed.spec.streams {
                let Some(table) = self.template.table(&mapping.table) else { continue };
                let on_failure = mapping.on_failure.as_ref().and_then(|name| queues.get(name));
                let mut reader =
                    StreamReader::new(mapping, table, deployed, self.invoker, on_failure, self.context, dynamo)?;
                if let Some(kept) = kept {
                    reader.keep(kept.get(&mapping.id));
                }
                reader.wake();
                positions.insert(mapping.id.clone(), reader.position());
                self.background().spawn(reader.run());
            }
        }
        if kept.is_none() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::new(dynamo, &self.context.time, positions);
        let task = checkpoint.clone();
        self.background().spawn(async move {
            loop {
                tokio::time::sleep(CHECKPOINT_PAUSE).await;
                task.keep().await;
            }
        });
        Ok(Some(checkpoint))
    }

    fn timers(&self, queues: &Queues, dynamo: &Dynamo, config: &HostConfig) -> Vec<Arc<Timer>> {
        let mut timers = Vec::new();
        for schedule in self.template.schedules.iter().filter(|schedule| schedule.enabled) {
            let Some(deployed) = self.functions.get(&schedule.function) else { continue };
            let dead_letters = schedule.dead_letters.as_ref().and_then(|name| queues.get(name));
            let timer = Arc::new(Timer {
                schedule: schedule.clone(),
                deployed: Arc::clone(deployed),
                dead_letters: dead_letters.map(Arc::clone),
                invoker: self.invoker.clone(),
                time: self.context.time.clone(),
                sweep: config.sweeps.get(&deployed.spec.handler).map(|index| self.sweep(dynamo, index)),
            });
            if !config.manual_schedules {
                timer.arm();
            }
            timers.push(timer);
        }
        timers
    }

    fn sweep(&self, dynamo: &Dynamo, index: &str) -> Sweep {
        let has = |table: &&Table| table.indexes.iter().any(|own| own.name == index);
        let tables = self.template.tables.values().filter(has).map(|table| table.name.clone());
        Sweep::new(dynamo, tables.collect(), index)
    }
}
