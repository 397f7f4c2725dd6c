//! The creation on the trading platform: what is sent, one call, and the look-up where its answer is lost.

use domain::account::{Account, CreateOutcome};
use domain::client::Client;
use providers::platforms::{AccountSearch, NewAccount, Opened, PlatformError, TradingPlatform};
use runtime::vendors::Servers;
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

/// The account that is there.
pub(super) fn open(opened: Opened) -> CreateOutcome {
    CreateOutcome::Open { login: opened.login.to_string(), internal_id: opened.internal_id }
}

/// Makes the account that is there the client's own. As long as that is not sure it is not open, and is looked up again.
pub(super) async fn link(platform: &dyn TradingPlatform, new: &NewAccount, opened: Opened) -> CreateOutcome {
    match platform.link_client(&opened, new).await {
        Ok(()) => open(opened),
        Err(error) => {
            let reason = format!("it is there and not the client's yet: {error}");
            match error {
                PlatformError::NotApplied(_) => CreateOutcome::Silent(reason),
                PlatformError::Refused { .. } | PlatformError::Misconfigured(_) | PlatformError::Unknown(_) => {
                    CreateOutcome::Unknown(reason)
                }
            }
        }
    }
}

/// What a look-up that brought nothing says: a platform that could not be asked is asked longer than one that a person must see to.
pub(super) fn not_found_out(error: &PlatformError) -> CreateOutcome {
    match error {
        PlatformError::NotApplied(_) => CreateOutcome::Silent(error.to_string()),
        PlatformError::Refused { .. } | PlatformError::Misconfigured(_) | PlatformError::Unknown(_) => {
            CreateOutcome::Unknown(error.to_string())
        }
    }
}

/// One call; where its answer is lost, one look-up: the usual case is that it was done.
pub(super) async fn call(
    servers: &Servers,
    platform: &dyn TradingPlatform,
    new: &NewAccount,
    account: &Account,
) -> CreateOutcome {
    let created = platform.create_account(new).await;
    if let Err(error) = &created {
        servers.heard(&account.facts.server, error).await;
    }
    match created {
        Ok(opened) => link(platform, new, opened).await,
        Err(error @ PlatformError::Refused { .. }) => CreateOutcome::Refused(error.to_string()),
        Err(error @ PlatformError::NotApplied(_)) => CreateOutcome::Away(error.to_string()),
        Err(error @ PlatformError::Misconfigured(_)) => CreateOutcome::NotApplied(error.to_string()),
        Err(error @ PlatformError::Unknown(_)) => match platform.find_account(&search(account)).await {
            Ok(Some(opened)) => link(platform, new, opened).await,
            Ok(None) | Err(_) => CreateOutcome::Unknown(error.to_string()),
        },
    }
}
