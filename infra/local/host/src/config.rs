//! What a host is started with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use providers::http::Transport;
use runtime::{Build, ConfigError, Entropy, Function, Ports};

use crate::aws::{DatabaseError, FilesError, Probe, SesHandler};
use crate::defaults::SystemEntropy;
use crate::dispatch::pattern::PatternError;
use crate::dispatch::queues::Delivery;
use crate::identity::IdentityError;
use crate::sign_in::Person;
use crate::tables::TableError;
use crate::template::TemplateError;
use crate::time::LocalTime;

/// Builds one function; unlike [`Build`] it can hold something.
pub type Builder = Arc<dyn Fn(&Ports) -> Result<Arc<dyn Function>, ConfigError> + Send + Sync>;

/// Where the template is.
#[derive(Debug, Clone)]
pub enum TemplateSource {
    /// In a file.
    Path(PathBuf),
    /// Here.
    Text(String),
}

/// Everything that a host needs; [`HostConfig::new`] fills in what a demo wants.
pub struct HostConfig {
    /// The template.
    pub template: TemplateSource,
    /// Parameter values. The issuer's (`JwtIssuer`, `JwtAudience`, `JwksUrl`) and `Stage` (`local`) are filled in where
    /// the template declares them and they are not given.
    pub parameters: BTreeMap<String, String>,
    /// The code, by handler.
    pub registry: BTreeMap<String, Builder>,
    /// HTTP to the vendors.
    pub transport: Arc<dyn Transport>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, String>,
    /// The mail service.
    pub ses: Option<SesHandler>,
    /// The file of the tables, with the folder of the buckets beside it; without one nothing is kept.
    pub data: Option<PathBuf>,
    /// The tables are served on the thread of whoever asks, for a runtime of one thread: others come first as often as is drawn from
    /// this number. Without one they have a thread of their own.
    pub serves_here: Option<u64>,
    /// The clock of everything, and what waits for its moment.
    pub time: LocalTime,
    /// Ids and random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Where HTTP is served; without one a free port of the loopback address.
    pub listen: Option<SocketAddr>,
    /// Timers fire only by [`crate::Host::fire_schedule`].
    pub manual_schedules: bool,
    /// Sees every I/O call of every function.
    pub probe: Option<Arc<dyn Probe>>,
    /// Duplicates and delays messages.
    pub delivery: Option<Arc<dyn Delivery>>,
    /// How many times faster than declared visibility time-outs pass.
    pub retry_speed: u32,
    /// Timers, by binary name, that only look for entries of an index whose sort key is a time that has come. When the
    /// time is moved on they fire at those moments alone at which some table has such an entry.
    pub sweeps: BTreeMap<String, String>,
    /// Who can sign in to the console.
    pub people: Vec<Person>,
    /// Routes beside the template's, e.g. static pages.
    pub routes: Option<Router>,
}

impl HostConfig {
    /// A host in memory on a free port with the machine's clock, its own timers and no secrets.
    pub fn new(template: TemplateSource, registry: &[&[(&str, Build)]], transport: Arc<dyn Transport>) -> Self {
        let builder = |build: Build| -> Builder { Arc::new(build) };
        let all = registry.iter().flat_map(|package| package.iter());
        Self {
            template,
            parameters: BTreeMap::new(),
            registry: all.map(|(name, build)| ((*name).to_owned(), builder(*build))).collect(),
            transport,
            secrets: BTreeMap::new(),
            ses: None,
            data: None,
            serves_here: None,
            time: LocalTime::real(),
            entropy: Arc::new(SystemEntropy),
            listen: None,
            manual_schedules: false,
            probe: None,
            delivery: None,
            retry_speed: 1,
            sweeps: BTreeMap::new(),
            people: Vec::new(),
            routes: None,
        }
    }
}

/// Why a host cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The address cannot be listened on.
    #[error("address {0} cannot be listened on")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A rule or filter.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The issuer.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The template names a handler that the registry does not have.
    #[error("{function}: there is no code for handler {handler}")]
    NoCode {
        /// Logical id of the function.
        function: String,
        /// Its handler.
        handler: String,
    },
    /// A function refused its configuration.
    #[error("{handler} cannot be built")]
    Build {
        /// Its handler.
        handler: String,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// The buckets.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The folder of the data file cannot be made.
    #[error("folder of the data file cannot be made")]
    Data(#[source] std::io::Error),
}
