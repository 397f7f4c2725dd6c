//! What a client asks to deposit, held against the account and the rules: every fault at once.

use serde_json::Value;

use super::fx::rules::FxRules;
use super::routing::{Candidate, Candidates, Routing, RoutingCase};
use super::rules::{DepositCase, PspRule, Psps};
use crate::account::{Account, AccountStatus};
use crate::client::Client;
use crate::input::{Fault, Reader};
use crate::rules::RuleError;
use crate::rules::limits::{AmountRange, Lies};
use crate::{Currency, Money};

/// Instead of a provider: the one that the rules choose. No provider is called so.
pub(super) const BY_RULE: &str = "auto";
/// Longest accepted return URL, in bytes.
const URL_MAX: usize = 500;

/// A deposit that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositRequest {
    /// Who pays.
    pub client: Client,
    /// The account that is paid into.
    pub account: Account,
    /// Its login on its platform.
    pub login: String,
    /// How much.
    pub amount: Money,
    /// Over which provider.
    pub over: Over,
    /// Where the payer goes afterwards.
    pub return_url: Option<String>,
    /// The rules that let it pass.
    pub why: Vec<String>,
}

/// Over which provider a deposit goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// The one that the request names, and no other.
    Named(Box<Candidate>),
    /// The first of these that can be had.
    ByRule(Candidates),
}

/// Why no deposit is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepositRefusal {
    /// The request is wrong.
    Faults(Vec<Fault>),
    /// The request is right, but the account takes no money yet, or no longer.
    AccountNotOpen,
    /// The limits could not be judged.
    Rules(RuleError),
}

impl From<RuleError> for DepositRefusal {
    fn from(error: RuleError) -> Self {
        Self::Rules(error)
    }
}

impl DepositRequest {
    /// The currency that a request names, if it is one.
    pub fn currency_named(body: &Value) -> Option<Currency> {
        body.pointer("/amount/currency")?.as_str()?.parse().ok()
    }

    /// The account that a request names, as it names it.
    pub fn account_named(body: &Value) -> Option<&str> {
        Reader::new(body).string("account_id")
    }

    /// Reads a request of a client. `fx` is there where it names another currency than the account's and the rules can be had. `account` is the account that it names, if that is the client's; `is_web_url` says
    /// whether a text is an absolute http or https URL.
    ///
    /// # Errors
    /// [`DepositRefusal`].
    pub fn read(
        body: &Value,
        client: Client,
        account: Option<Account>,
        rules: &Psps,
        fx: Option<&FxRules>,
        is_web_url: impl FnOnce(&str) -> bool,
    ) -> Result<Self, DepositRefusal> {
        let mut reader = Reader::new(body);
        if reader.string("account_id").is_some() && account.is_none() {
            // somebody else's account is told apart from none by nothing: its existence is not the caller's business
            reader.fault(Fault::new("/account_id", "unknown_account", "is not an account of this client"));
        }
        if account.as_ref().is_some_and(|account| !account.takes_money()) {
            reader.fault(demo_account());
        }
        let amount = reader.money("amount");
        let named = reader.string("psp");
        let routing = rules.routing().filter(|_| named == Some(BY_RULE));
        let psp = named.filter(|_| routing.is_none()).and_then(|name| known_psp(&mut reader, name, amount, rules));
        let return_url = reader.optional_string("return_url");
        if return_url.is_some_and(|url| url.len() > URL_MAX || !is_web_url(url)) {
            reader.fault(Fault::new("/return_url", "invalid_url", "must be an absolute http or https URL"));
        }
        let mut why = Vec::new();
        if let (Some(account), Some(amount)) = (&account, amount) {
            match acceptable(&client, account, amount, psp, (rules, fx))? {
                Ok(rules) => why = rules,
                Err(fault) => reader.fault(fault),
            }
        }
        let faults = reader.finish();
        let (Some(account), Some(amount), true) = (account, amount, faults.is_empty()) else {
            return Err(DepositRefusal::Faults(faults));
        };
        let case = RoutingCase {
            amount,
            country: client.facts.residence,
            account_type: account.facts.account_type.clone(),
            entity: client.facts.entity.clone(),
        };
        let over = match (psp, routing) {
            (Some(psp), _) => Over::Named(Box::new(named_psp(psp, &case, rules)?)),
            (None, Some(routing)) => Over::ByRule(by_rule(routing, &case, rules)?),
            // read as a field that must be there, so its absence is among the faults
            (None, None) => return Err(DepositRefusal::Faults(vec![Fault::new("/psp", "missing", "is required")])),
        };
        match (account.facts.status, account.facts.login.clone()) {
            (AccountStatus::Open, Some(login)) => {
                let return_url = return_url.map(str::to_owned);
                if let Over::ByRule(found) = &over {
                    why = found.why.clone();
                }
                Ok(Self { client, account, login, amount, over, return_url, why })
            }
            _ => Err(DepositRefusal::AccountNotOpen),
        }
    }
}

/// The providers that may have it.
fn by_rule(routing: &Routing, case: &RoutingCase, rules: &Psps) -> Result<Candidates, DepositRefusal> {
    routing.candidates(case, rules)?.ok_or_else(|| {
        let message = "no payment provider takes this deposit by the rules; name one";
        let on_offer = rules.names_for(case.amount.currency());
        DepositRefusal::Faults(vec![Fault::new("/psp", "no_psp", message).allowing(on_offer)])
    })
}

/// The provider that is named, with our fee there.
fn named_psp(psp: &PspRule, case: &RoutingCase, rules: &Psps) -> Result<Candidate, DepositRefusal> {
    let fault = |reason| Fault::new("/amount/amount", "fee_exceeds_amount", reason);
    rules.candidate(psp, case)?.map_err(|reason| DepositRefusal::Faults(vec![fault(reason)]))
}

/// The fault of a further deposit of a client who has so many open ones.
///
/// They are counted before the new one is saved, so requests of the same moment may all pass: what is opened too many is bounded by
/// how many of them are under way at once.
pub fn too_many_open(open: usize, rules: &Psps) -> Option<Fault> {
    let max = rules.open_deposits_max();
    let message = format!("has {open} open deposits, and may have {max}");
    (open >= max).then(|| Fault::new("/account_id", "too_many_open_deposits", message))
}

/// Only live accounts take money.
pub fn demo_account() -> Fault {
    Fault::new("/account_id", "demo_account", "is a demo account, which takes no real money")
}

fn known_psp<'r>(reader: &mut Reader<'_>, name: &str, amount: Option<Money>, rules: &'r Psps) -> Option<&'r PspRule> {
    let Some(psp) = rules.psp(name).filter(|psp| psp.enabled) else {
        let allowed = match amount {
            Some(amount) => rules.names_for(amount.currency()),
            None => rules.all().iter().filter(|psp| psp.enabled).map(|psp| psp.name.as_str()).collect(),
        };
        reader.fault(Fault::new("/psp", "unknown_psp", "is not a payment provider on offer").allowing(allowed));
        return None;
    };
    if amount.is_some_and(|amount| !psp.currencies.contains(&amount.currency())) {
        let message = format!("{name} does not take this currency");
        let allowed = psp.currencies.iter().map(Currency::code);
        reader.fault(Fault::new("/amount/currency", "unsupported_currency", message).allowing(allowed));
        return None;
    }
    Some(psp)
}

/// Whether the account takes the amount: the rules that say so, or the fault. Where the provider is not known, an
/// amount that no provider on offer takes is still one.
fn acceptable(
    client: &Client,
    account: &Account,
    amount: Money,
    psp: Option<&PspRule>,
    (rules, fx): (&Psps, Option<&FxRules>),
) -> Result<Result<Vec<String>, Fault>, RuleError> {
    let own = account.facts.currency;
    if own != amount.currency() && !fx.is_some_and(|fx| fx.covers(amount.currency(), own)) {
        let fault = Fault::new("/amount/currency", "currency_mismatch", format!("the account is in {own}"));
        let mut taken = fx.map(|fx| fx.taken_for(own)).unwrap_or_default();
        taken.retain(|currency| !rules.names_for(*currency).is_empty());
        return Ok(Err(fault.allowing([own].iter().chain(&taken).map(Currency::code))));
    }
    let names = psp.map_or_else(|| rules.names_for(amount.currency()), |psp| vec![psp.name.as_str()]);
    let mut refused: Option<(&AmountRange, Lies)> = None;
    for name in &names {
        let case = DepositCase {
            currency: amount.currency(),
            psp: (*name).to_owned(),
            country: client.facts.residence,
            account_type: account.facts.account_type.clone(),
        };
        let matched = rules.deposit_limit(&case)?;
        match matched.outcome().map(|limit| (limit, limit.place(&amount))) {
            Some((_, Lies::Inside)) => return Ok(Ok(matched.why("deposit_limits"))),
            Some(outside) => refused = Some(outside),
            None => {}
        }
    }
    Ok(match refused {
        Some((limit, place)) => Err(outside(limit, place, amount)),
        None if names.is_empty() => Ok(Vec::new()),
        None => {
            let message = "there is no deposit in this currency";
            Err(Fault::new("/amount/currency", "unsupported_currency", message))
        }
    })
}

fn outside(limit: &AmountRange, place: Lies, amount: Money) -> Fault {
    let code = if place == Lies::Below { "below_minimum" } else { "above_maximum" };
    let message = format!("must be from {} to {} {}", limit.min, limit.max, amount.currency());
    Fault::new("/amount/amount", code, message)
}
