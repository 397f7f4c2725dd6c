//! The functions as an installation has them: binaries, environment, tables' names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use broker::Failure;
use broker::local::{REGISTRY, STAGE, repository};
use host::template::{FunctionSpec, REGION, Template};

/// The binary that the functions are held against.
pub const BARE: &str = "bench-bare";
/// The webhook.
pub const WEBHOOK: &str = "payments-webhook";

/// The template as this machine runs it, and where the binaries are.
pub struct Installation {
    /// The template.
    pub template: Template,
    binaries: PathBuf,
    /// The access key: DynamoDB Local keeps the tables of each apart.
    pub access_key: String,
}

/// A function's process; it ends when this is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // one that has ended by itself cannot be killed, and was seen by whoever waited for its answer
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The names of all functions.
pub fn functions() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().flat_map(|package| package.iter()).map(|(name, _)| *name)
}

impl Installation {
    /// Reads the template; the binaries are beside this one, of the same build.
    ///
    /// # Errors
    /// The template's, or no binaries.
    pub fn read() -> Result<Self, Failure> {
        let parameters = [
            ("Stage", STAGE),
            ("JwtIssuer", "https://issuer.example.com"),
            ("JwtAudience", "pipworks"),
            ("JwksUrl", "https://issuer.example.com/keys"),
            ("SenderAddress", "desk@broker.test"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let template = Template::read(&repository().join("infra/template.yaml"), &parameters)?;
        let own = std::env::current_exe()?;
        let binaries = own.parent().ok_or("this program is in no folder")?.to_owned();
        let access_key = format!("bench{}", std::process::id());
        Ok(Self { template, binaries, access_key })
    }

    /// The path of a binary.
    ///
    /// # Errors
    /// When it was not built.
    pub fn binary(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.binaries.join(name);
        if path.is_file() { Ok(path) } else { Err(format!("{} was not built", path.display()).into()) }
    }

    /// The binary that holds a function.
    ///
    /// # Errors
    /// When there is no such function, or its binary was not built.
    pub fn binary_of(&self, function: &str) -> Result<PathBuf, Failure> {
        self.binary(&self.function(function)?.binary)
    }

    /// The names of the binaries that the template deploys.
    pub fn binaries(&self) -> BTreeSet<&str> {
        self.template.functions.values().map(|function| function.binary.as_str()).collect()
    }

    fn function(&self, name: &str) -> Result<&FunctionSpec, Failure> {
        Ok(self.template.function(name).ok_or_else(|| format!("no function {name}"))?)
    }

    /// The physical name of a table by its logical id.
    ///
    /// # Errors
    /// When the template has none.
    pub fn table(&self, id: &str) -> Result<&str, Failure> {
        Ok(self.template.tables.get(id).map(|table| table.name.as_str()).ok_or_else(|| format!("no table {id}"))?)
    }

    /// Starts a binary as Lambda does: with the template's environment of the function and nothing of this one's.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        &self,
        path: &Path,
        function: &str,
        runtime_api: &str,
        more: &[(&str, &str)],
        output: Stdio,
    ) -> Result<Process, Failure> {
        let spec = self.function(function)?;
        let child = Command::new(path)
            .env_clear()
            .envs(self.environment(spec, runtime_api))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()?;
        Ok(Process(child))
    }

    fn environment(&self, spec: &FunctionSpec, runtime_api: &str) -> BTreeMap<String, String> {
        let mut environment = spec.environment.clone();
        let memory = spec.memory_mb.to_string();
        let own = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("_HANDLER", spec.handler.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", spec.name.as_str()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.as_str()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", self.access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            // nothing listens on the port `discard`: no start may call anything
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment
    }
}
