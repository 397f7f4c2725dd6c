//! Trading accounts: asked for by a client or by rule, created on the platform, credentials handed over once; changed, closed and
//! reopened.

mod begin;
pub mod change;
pub mod create;
pub mod credentials;
pub mod open;
pub mod request;
mod seal;
pub mod set;
pub mod sweep;

use domain::ClientId;
use domain::client::Client;
use domain::decision::Frame;
use domain::kyc::KycCase;
use domain::kyc::levels::Level;
use domain::kyc::rules::KycLevels;
use runtime::http::table_of;
use runtime::rulebook::RuleBook;
use runtime::{StepError, verification};
use store::Crm;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("accounts-request", request::build),
    ("accounts-open", open::build),
    ("accounts-create", create::build),
    ("accounts-credentials", credentials::build),
    ("accounts-change", change::build),
    ("accounts-set", set::build),
    ("accounts-sweep", sweep::build),
];

/// Time-outs that this package counts on, in seconds: those in the template are held against them.
pub const TIMEOUTS: &[(&str, u32)] = &[("accounts-create", create::TIMEOUT_S), ("accounts-set", set::TIMEOUT_S)];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] =
    &[table_of::<request::Ask>, table_of::<credentials::HandOver>, table_of::<change::AskChange>];

/// Whose account it is: a client that an account or an event names is there, if not at once.
async fn client_of(crm: &Crm, id: &ClientId) -> Result<Client, StepError> {
    let client = crm.load_settled::<Client>(id).await?;
    Ok(client.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
}

/// The client's level of verification, where that binds anybody.
async fn binding_level(
    rules: &RuleBook,
    case: Option<&KycCase>,
    client: &Client,
    frame: &mut Frame,
) -> Result<Option<Level>, StepError> {
    let levels = rules.live::<KycLevels>().await?;
    if !levels.rules.restrict_accounts() {
        return Ok(None);
    }
    frame.used(levels.label());
    verification::level_by(case, client, &levels).map(Some)
}
