//! What a client wants to deposit, held against the account and the rules: every fault at once.

use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::input::{Fault, Reader};
use domain::payment::rules::{DepositCase, Psp as PspRule, Psps};
use domain::rules::RuleError;
use domain::rules::limits::{AmountRange, Lies};
use domain::{AccountId, ClientId, Money};
use runtime::rulebook::Live;
use runtime::{Problem, StepError};
use serde_json::Value;
use store::Crm;

/// Longest accepted return URL, in bytes.
const URL_MAX: usize = 500;

/// A deposit that may be opened.
pub(crate) struct Wish {
    pub client: Client,
    pub account: Account,
    /// The account's login on its platform.
    pub login: String,
    pub amount: Money,
    pub psp: PspRule,
    pub return_url: Option<String>,
    /// The rules that let it pass.
    pub why: Vec<String>,
}

/// Reads a request.
///
/// # Errors
/// 400 or 422 with every fault, 404 without such a client, 409 when the account is not open, 503.
pub(crate) async fn read(crm: &Crm, body: &Value, client_id: &ClientId, live: &Live<Psps>) -> Result<Wish, Problem> {
    let client = client(crm, client_id).await?;
    let mut reader = Reader::new(body);
    let account = match reader.string("account_id") {
        Some(text) => account(crm, text, client_id).await?.map_err(|fault| reader.fault(fault)).ok(),
        None => None,
    };
    let amount = reader.money("amount");
    let psp = reader.string("psp").and_then(|name| known_psp(&mut reader, name, amount, &live.rules));
    let return_url = reader.optional_string("return_url").and_then(|url| web_url(&mut reader, url));
    let mut why = Vec::new();
    if let (Some(account), Some(amount)) = (&account, amount) {
        let broken = |error: RuleError| StepError::Rules { set: "psps", what: error.to_string() };
        match acceptable(&client, account, amount, psp.as_ref(), &live.rules).map_err(broken)? {
            Ok(rules) => why = rules,
            Err(fault) => reader.fault(fault),
        }
    }
    let faults = reader.finish();
    let (Some(account), Some(amount), Some(psp), true) = (account, amount, psp, faults.is_empty()) else {
        return Err(Problem::input(faults));
    };
    match (account.facts.status, account.facts.login.clone()) {
        (AccountStatus::Open, Some(login)) => Ok(Wish { client, account, login, amount, psp, return_url, why }),
        _ => Err(Problem::conflict("the trading account is not open")),
    }
}

/// Eventually consistent first, at half the price; a client of this second may only be seen by the second read.
async fn client(crm: &Crm, id: &ClientId) -> Result<Client, Problem> {
    let stored = match crm.load_settled::<Client>(id.as_str()).await? {
        Some(stored) => Some(stored),
        None => crm.load::<Client>(id.as_str()).await?,
    };
    Ok(stored.ok_or_else(|| Problem::not_found("there is no such client"))?.entity)
}

async fn account(crm: &Crm, text: &str, client_id: &ClientId) -> Result<Result<Account, Fault>, Problem> {
    // somebody else's account is told apart from none by nothing: its existence is not the caller's business
    let unknown = || Fault::new("/account_id", "unknown_account", "is not an account of this client");
    let Ok(id) = text.parse::<AccountId>() else { return Ok(Err(unknown())) };
    let open = |stored: &store::Stored<Account>| stored.entity.facts.status == AccountStatus::Open;
    let stored = match crm.load_settled::<Account>(id.as_str()).await? {
        Some(stored) if open(&stored) => Some(stored),
        _ => crm.load::<Account>(id.as_str()).await?,
    };
    Ok(stored.map(|stored| stored.entity).filter(|account| account.client_id == *client_id).ok_or_else(unknown))
}

fn known_psp(reader: &mut Reader<'_>, name: &str, amount: Option<Money>, rules: &Psps) -> Option<PspRule> {
    let enabled = rules.psp(name).filter(|psp| psp.enabled);
    let takes = |psp: &&PspRule| amount.is_none_or(|amount| psp.currencies.contains(&amount.currency()));
    match (enabled, enabled.filter(takes), amount) {
        (_, Some(psp), _) => Some(psp.clone()),
        (Some(psp), None, _) => {
            let message = format!("{name} does not take this currency");
            let allowed = psp.currencies.iter().map(domain::Currency::code);
            reader.fault(Fault::new("/amount/currency", "unsupported_currency", message).allowing(allowed));
            None
        }
        (None, None, amount) => {
            let allowed = match amount {
                Some(amount) => rules.names_for(amount.currency()),
                None => rules.all().iter().filter(|psp| psp.enabled).map(|psp| psp.name.as_str()).collect(),
            };
            reader.fault(Fault::new("/psp", "unknown_psp", "is not a payment provider on offer").allowing(allowed));
            None
        }
    }
}

fn web_url(reader: &mut Reader<'_>, text: &str) -> Option<String> {
    let usable =
        text.len() <= URL_MAX && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if !usable {
        reader.fault(Fault::new("/return_url", "invalid_url", "must be an absolute http or https URL"));
    }
    usable.then(|| text.to_owned())
}

/// Whether the account takes the amount: the rules that say so, or the fault. Where the provider is not known, an
/// amount that no provider on offer takes is still one.
fn acceptable(
    client: &Client,
    account: &Account,
    amount: Money,
    psp: Option<&PspRule>,
    rules: &Psps,
) -> Result<Result<Vec<String>, Fault>, RuleError> {
    if account.facts.currency != amount.currency() {
        let message = format!("the account is in {}", account.facts.currency);
        let fault = Fault::new("/amount/currency", "currency_mismatch", message);
        return Ok(Err(fault.allowing([account.facts.currency.code()])));
    }
    let names = psp.map_or_else(|| rules.names_for(amount.currency()), |psp| vec![psp.name.as_str()]);
    let mut refused: Option<&AmountRange> = None;
    for name in &names {
        let facts = DepositCase {
            currency: amount.currency(),
            psp: (*name).to_owned(),
            country: client.facts.residence,
            account_type: account.facts.account_type.clone(),
        };
        let matched = rules.deposit_limit(&facts)?;
        match matched.outcome() {
            Some(limit) if limit.place(&amount) == Lies::Inside => return Ok(Ok(matched.why("deposit_limits"))),
            Some(limit) => refused = Some(limit),
            None => {}
        }
    }
    Ok(match refused {
        Some(limit) => Err(outside(limit, amount)),
        None if names.is_empty() => Ok(Vec::new()),
        None => {
            let message = "there is no deposit in this currency";
            Err(Fault::new("/amount/currency", "unsupported_currency", message))
        }
    })
}

fn outside(limit: &AmountRange, amount: Money) -> Fault {
    let code = if amount.amount() < limit.min { "below_minimum" } else { "above_maximum" };
    let message = format!("must be from {} to {} {}", limit.min, limit.max, amount.currency());
    Fault::new("/amount/amount", code, message)
}
