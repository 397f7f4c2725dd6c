//! The creation on the trading platform: what is sent, one call, and the look-up where its answer is lost.

use domain::account::{Account, CreateOutcome};
use domain::client::Client;
use providers::platforms::{NewAccount, PlatformError, TradingPlatform};
use secrecy::SecretString;

use crate::seal;

/// The account as the platform is asked for it, with our id as its reference.
pub(super) fn new_account(account: &Account, client: &Client, credentials: &seal::Credentials) -> NewAccount {
    NewAccount {
        group: account.facts.group.clone(),
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

/// One call; where its answer is lost, one look-up: the usual case is that it was done.
pub(super) async fn call(platform: &dyn TradingPlatform, new: &NewAccount) -> CreateOutcome {
    match platform.create_account(new).await {
        Ok(login) => CreateOutcome::Open(login.as_str().to_owned()),
        Err(error @ PlatformError::Refused { .. }) => CreateOutcome::Refused(error.to_string()),
        Err(error @ (PlatformError::NotApplied(_) | PlatformError::Misconfigured(_))) => {
            CreateOutcome::NotApplied(error.to_string())
        }
        Err(error @ PlatformError::Unknown(_)) => match platform.find_account(&new.group, &new.reference).await {
            Ok(Some(login)) => CreateOutcome::Open(login.as_str().to_owned()),
            Ok(None) | Err(_) => CreateOutcome::Unknown(error.to_string()),
        },
    }
}
