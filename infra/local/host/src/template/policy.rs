//! IAM statements as the template writes them; who may do what is checked by `relations`.

use serde_json::Value;

use super::TemplateError;
use super::fields::Fields;

/// A policy document and the resource that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Logical id of the resource.
    pub owner: String,
    /// Physical name of the resource.
    pub name: String,
    /// Whether it stands in a role, not on a queue or bus.
    pub of_role: bool,
    /// Managed policies that a role names.
    pub managed: Vec<String>,
    /// Physical names of the queues that it is the policy of.
    pub queues: Vec<String>,
    /// Physical name of the bucket that it keeps from being used without TLS.
    pub tls_only: Option<String>,
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows; a denial takes nothing but rights away.
    pub allows: bool,
    /// Actions, e.g. `dynamodb:PutItem`; `NotAction` is recorded as `*`.
    pub actions: Vec<String>,
    /// Resources as ARNs; `NotResource` is recorded as `*`.
    pub resources: Vec<String>,
    /// Whether a condition narrows it.
    pub conditional: bool,
    /// The ARNs on whose behalf a service may act, where a condition names them.
    pub sources: Vec<String>,
    /// The accounts that the caller must be of, where a condition names them.
    pub accounts: Vec<String>,
}

/// The statements of a policy document.
pub(super) fn statements(document: &Fields<'_>) -> Result<Vec<Statement>, TemplateError> {
    document.objects("Statement")?.iter().map(statement).collect()
}

fn statement(fields: &Fields<'_>) -> Result<Statement, TemplateError> {
    let everything_but = |key: &str| fields.value(key).map(|_| vec!["*".to_owned()]);
    let allows = match fields.need_text("Effect")?.as_str() {
        "Allow" => true,
        "Deny" => false,
        _ => return Err(fields.fault("Effect", "is neither Allow nor Deny")),
    };
    let actions = match everything_but("NotAction") {
        Some(all) => all,
        None => fields.texts("Action")?,
    };
    if actions.is_empty() {
        return Err(fields.fault("Action", "is missing"));
    }
    let resources = match everything_but("NotResource") {
        Some(all) => all,
        None => fields.texts("Resource")?,
    };
    let conditional = matches!(fields.value("Condition"), Some(Value::Object(map)) if !map.is_empty());
    let accounts = named(fields, "StringEquals", "aws:PrincipalAccount")?;
    Ok(Statement { allows, actions, resources, conditional, sources: sources(fields)?, accounts })
}

fn sources(fields: &Fields<'_>) -> Result<Vec<String>, TemplateError> {
    named(fields, "ArnEquals", "aws:SourceArn")
}

/// The values that a condition compares a key with.
fn named(fields: &Fields<'_>, operator: &str, key: &str) -> Result<Vec<String>, TemplateError> {
    let Some(condition) = fields.object("Condition")? else { return Ok(Vec::new()) };
    match condition.object(operator)? {
        Some(equals) => equals.texts(key),
        None => Ok(Vec::new()),
    }
}
