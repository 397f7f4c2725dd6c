//! The store's tables by their environment variables; a function makes only those that its policy names.

use store::{Crm, Journal, MoneyTable, Rules, Table};

use crate::function::{ConfigError, Ports};

fn table(ports: &Ports, key: &'static str) -> Result<Table, ConfigError> {
    Ok(Table::new(aws_sdk_dynamodb::Client::new(&ports.aws), ports.need(key)?))
}

/// The table `crm`.
///
/// # Errors
/// [`ConfigError`].
pub fn crm(ports: &Ports) -> Result<Crm, ConfigError> {
    table(ports, "TABLE_CRM").map(Crm)
}

/// The table `money`.
///
/// # Errors
/// [`ConfigError`].
pub fn money(ports: &Ports) -> Result<MoneyTable, ConfigError> {
    table(ports, "TABLE_MONEY").map(MoneyTable)
}

/// The table `journal`.
///
/// # Errors
/// [`ConfigError`].
pub fn journal(ports: &Ports) -> Result<Journal, ConfigError> {
    table(ports, "TABLE_JOURNAL").map(Journal)
}

/// The table `rules`.
///
/// # Errors
/// [`ConfigError`].
pub fn rules(ports: &Ports) -> Result<Rules, ConfigError> {
    table(ports, "TABLE_RULES").map(Rules)
}
