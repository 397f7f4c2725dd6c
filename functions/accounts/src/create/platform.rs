//! The creation on the trading platform: what is sent, one call, and the look-up where its answer is lost.

use domain::account::{Account, CreateOutcome};
use domain::client::Client;
use providers::platforms::{AccountSearch, NewAccount, PlatformError, TradingPlatform};
use secrecy::SecretString;

use crate::seal;

/// The account as the platform is asked for it, with our id as its reference.
pub(super) fn new_account(account: &Account, client: &Client, credentials: &seal::Credentials) -> NewAccount {
    NewAccount {
        group: account.facts.group.clone(),
        currency: account.facts.currency,
        name: client.person.full_name.clone(),
        email: client.person.email.clone(),
        phone: client.person.phone.clone(),
        country: Some(client.facts.residence),
        leverage: account.facts.leverage,
        reference: account.id.to_string(),
        password: SecretString::from(credentials.password.clone()),
        investor_password: SecretString::from(credentials.investor_password.clone()),
    }
}

/// The account that a creation may have made.
pub(super) fn search(account: &Account) -> AccountSearch<'_> {
    AccountSearch { group: &account.facts.group, reference: account.id.as_str(), since: account.facts.created_at }
}

/// One call; where its answer is lost, one look-up: the usual case is that it was done.
pub(super) async fn call(platform: &dyn TradingPlatform, new: &NewAccount, account: &Account) -> CreateOutcome {
    match platform.create_account(new).await {
        Ok(opened) => CreateOutcome::Open(opened.login.to_string()),
        Err(error @ PlatformError::Refused { .. }) => CreateOutcome::Refused(error.to_string()),
        Err(error @ (PlatformError::NotApplied(_) | PlatformError::Misconfigured(_))) => {
            CreateOutcome::NotApplied(error.to_string())
        }
        Err(error @ PlatformError::Unknown(_)) => match platform.find_account(&search(account)).await {
            Ok(Some(opened)) => CreateOutcome::Open(opened.login.to_string()),
            Ok(None) | Err(_) => CreateOutcome::Unknown(error.to_string()),
        },
    }
}
