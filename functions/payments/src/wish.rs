//! Reads what a client wants to deposit, with the client and the account that it is about.

use std::sync::Arc;

use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::payment::fx::rules::FxRules;
use domain::payment::rules::Psps;
use domain::payment::{DepositRefusal, DepositRequest};
use domain::rules::RuleSet;
use domain::{AccountId, ClientId};
use runtime::rulebook::{Live, RuleBook};
use runtime::{Problem, StepError};
use serde_json::Value;
use store::Crm;

/// Reads a request.
///
/// # Errors
/// 400 or 422 with every fault, 404 without such a client, 409 when the account is not open, 503.
pub(crate) async fn read(
    crm: &Crm,
    body: &Value,
    client_id: &ClientId,
    live: &Live<Psps>,
    rules: &RuleBook,
) -> Result<DepositRequest, Problem> {
    let client = client(crm, client_id).await?;
    let account = match DepositRequest::account_named(body) {
        Some(text) => account(crm, text, client_id).await?,
        None => None,
    };
    let fx = fx_rules(account.as_ref(), body, rules).await?;
    let fx = fx.as_ref().map(|fx| &fx.rules);
    DepositRequest::read(body, client, account, &live.rules, fx, is_web_url).map_err(refusal)
}

fn refusal(refusal: DepositRefusal) -> Problem {
    match refusal {
        DepositRefusal::Faults(faults) => Problem::input(faults),
        DepositRefusal::AccountNotOpen => Problem::conflict("the trading account is not open"),
        DepositRefusal::Rules(error) => StepError::Rules { set: Psps::NAME, what: error.to_string() }.into(),
    }
}

/// The rules about rates, where the request names another currency than the account's. Without them none is changed into another.
async fn fx_rules(
    account: Option<&Account>,
    body: &Value,
    rules: &RuleBook,
) -> Result<Option<Arc<Live<FxRules>>>, Problem> {
    let (Some(account), Some(named)) = (account, DepositRequest::currency_named(body)) else { return Ok(None) };
    if account.facts.currency == named {
        return Ok(None);
    }
    match rules.live::<FxRules>().await {
        Ok(live) => Ok(Some(live)),
        // a set that is not there or is broken is an answer; a table that does not answer is none
        Err(error @ StepError::Rules { .. }) => {
            tracing::warn!(%error, "the rules about rates cannot be used: deposits in other currencies are refused");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn client(crm: &Crm, id: &ClientId) -> Result<Client, Problem> {
    let stored = crm.load_settled::<Client>(id).await?;
    Ok(stored.ok_or_else(|| Problem::not_found("there is no such client"))?.entity)
}

/// The account of a name, if it is this client's. One that was opened in this second may only be seen as such by the second read.
async fn account(crm: &Crm, text: &str, client_id: &ClientId) -> Result<Option<Account>, Problem> {
    let Ok(id) = text.parse::<AccountId>() else { return Ok(None) };
    let open = |stored: &store::Stored<Account>| stored.entity.facts.status == AccountStatus::Open;
    let stored = match crm.load_settled::<Account>(&id).await? {
        Some(stored) if open(&stored) => Some(stored),
        _ => crm.load::<Account>(&id).await?,
    };
    Ok(stored.map(|stored| stored.entity).filter(|account| account.client_id == *client_id))
}

fn is_web_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}
