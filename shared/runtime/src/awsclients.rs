//! The store's tables by their environment variables; a function makes only those that its policy names.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;
use store::{Crm, Journal, MoneyTable, PartnersTable, Rules, Table, TradesTable};

use crate::function::{ConfigError, Ports};
use crate::rehearsal::Guard;

/// The client of all tables of a function, made for the first of them: one client is one pool of connections, and so one TLS
/// handshake and one reading of the system's certificates before the first answer.
#[derive(Clone, Default)]
pub struct TableClient(Arc<OnceLock<Client>>);

pub(crate) fn client(aws: &SdkConfig) -> Client {
    Client::from_conf(aws_sdk_dynamodb::config::Builder::from(aws).interceptor(Guard).build())
}

fn table(ports: &Ports, key: &'static str) -> Result<Table, ConfigError> {
    let client = ports.tables.0.get_or_init(|| client(&ports.aws));
    Ok(Table::new(client.clone(), ports.need(key)?))
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

/// The table `trades`.
///
/// # Errors
/// [`ConfigError`].
pub fn trades(ports: &Ports) -> Result<TradesTable, ConfigError> {
    table(ports, "TABLE_TRADES").map(TradesTable)
}

/// The table `partners`.
///
/// # Errors
/// [`ConfigError`].
pub fn partners(ports: &Ports) -> Result<PartnersTable, ConfigError> {
    table(ports, "TABLE_PARTNERS").map(PartnersTable)
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
