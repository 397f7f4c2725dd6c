//! What `infra/template.yaml` says with its stacks and `infra/openapi.yaml`, read once and typed.
//!
//! The host runs what this model holds and nothing else, so a route, a queue or an index that the template
//! does not declare does not exist locally either.

mod api;
mod fields;
mod function;
mod intrinsics;
mod merge;
mod model;
mod parse;
mod policy;
mod resources;
mod schedule;
mod stacks;

use std::collections::BTreeMap;
use std::path::Path;

pub use model::{
    Alarm, Bucket, Bus, CorsRule, FunctionSpec, Index, KeyAttribute, LogGroup, Metric, Permission, Projection, Queue,
    QueueMapping, Redrive, Route, RouteLimit, Rule, RuleTarget, Schedule, StreamMapping, Table, TargetKind,
};
pub use policy::{Policy, Statement};
pub(crate) use resources::{
    bucket_arn, bus_arn, function_arn, queue_arn, queue_of, rule_arn, secret_arn, stream_arn, table_arn,
};
pub use schedule::{Cron, Rate, When};

/// The region of everything that runs locally.
pub const REGION: &str = "eu-west-1";
/// The account of everything that runs locally.
pub const ACCOUNT: &str = "000000000000";

/// Why a template cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("template {path} cannot be read")]
    Unreadable {
        /// Where it was looked for.
        path: String,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The text is not YAML.
    #[error("template is not YAML")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// The document is not a CloudFormation template.
    #[error("template: {0}")]
    Document(String),
    /// A value was given for a parameter that the template does not declare.
    #[error("parameter {0} is not declared in the template")]
    UnknownParameter(String),
    /// A declared parameter has neither a default nor a value.
    #[error("parameter {0} has no default and no value")]
    MissingParameter(String),
    /// One resource is wrong.
    #[error("{resource}: {fault}")]
    Resource {
        /// Its logical id.
        resource: String,
        /// What is wrong with it.
        fault: String,
    },
}

/// The part of a SAM template that has a meaning on one machine; every map is keyed by logical id.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Parameters after defaults and overrides.
    pub parameters: BTreeMap<String, String>,
    /// Functions.
    pub functions: BTreeMap<String, FunctionSpec>,
    /// DynamoDB tables.
    pub tables: BTreeMap<String, Table>,
    /// S3 buckets.
    pub buckets: BTreeMap<String, Bucket>,
    /// SQS queues.
    pub queues: BTreeMap<String, Queue>,
    /// Event buses.
    pub buses: BTreeMap<String, Bus>,
    /// Rules with an event pattern.
    pub rules: BTreeMap<String, Rule>,
    /// Timers, in the order of the template.
    pub schedules: Vec<Schedule>,
    /// CloudWatch alarms.
    pub alarms: BTreeMap<String, Alarm>,
    /// Log groups.
    pub log_groups: BTreeMap<String, LogGroup>,
    /// Policies that stand in their own resource: roles and queue policies.
    pub policies: Vec<Policy>,
    /// Who may invoke which function.
    pub permissions: Vec<Permission>,
    /// What the gateway lets through to routes that have a limit of their own.
    pub limits: Vec<RouteLimit>,
    /// How many resources each one becomes when SAM has transformed it, by logical id, for each stack.
    pub stacks: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Template {
    /// Reads a template file with the stacks that are nested in it and its API's routes; `overrides` replace parameter
    /// defaults.
    ///
    /// # Errors
    /// [`TemplateError`], naming the resource.
    pub fn read(path: &Path, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        parse::template(&text_of(path)?, overrides, path.parent())
    }

    /// Reads a template text that names no other file; `overrides` replace parameter defaults.
    ///
    /// # Errors
    /// [`TemplateError`], naming the resource.
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        parse::template(text, overrides, None)
    }

    /// The names of the parameters that a template text declares.
    ///
    /// # Errors
    /// [`TemplateError`] where the text is not a template.
    pub fn declared_parameters(text: &str) -> Result<Vec<String>, TemplateError> {
        parse::declared_parameters(text)
    }

    /// The names of the parameters that a template file declares.
    ///
    /// # Errors
    /// [`TemplateError`] where the file is not a template.
    pub fn declared_parameters_of(path: &Path) -> Result<Vec<String>, TemplateError> {
        parse::declared_parameters(&text_of(path)?)
    }

    /// The function with this handler.
    pub fn function(&self, handler: &str) -> Option<&FunctionSpec> {
        self.functions.values().find(|f| f.handler == handler)
    }

    /// The queue with this physical name.
    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.values().find(|q| q.name == name)
    }

    /// The table with this physical name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.values().find(|t| t.name == name)
    }
}

fn text_of(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path)
        .map_err(|source| TemplateError::Unreadable { path: path.display().to_string(), source })
}
