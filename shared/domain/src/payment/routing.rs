//! Over which providers a deposit may go whose request names none, best first: by the rules, among equals by what they cost, and last of
//! all whoever has just been failing.

mod health;
mod rules;

pub use health::{Failing, PspHealth};
pub use rules::Routing;
pub(in crate::payment) use rules::{not_negative, read};

use rust_decimal::Decimal;

use super::fee::Fee;
use super::rules::{DepositCase, PspRule, Psps};
use crate::rules::limits::Lies;
use crate::rules::{Fields, RuleError};
use crate::{Country, Currency, Money, Timestamp};

/// What the rules may ask about a deposit that no provider is named for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingCase {
    /// What is to be paid.
    pub amount: Money,
    /// Where the client lives.
    pub country: Country,
    /// The type of the account that is paid into.
    pub account_type: String,
    /// The broker's company that the client is with, where the registration named one.
    pub entity: Option<String>,
}

fn fields() -> Fields<RoutingCase> {
    Fields::new()
        .field("currency", |case: &RoutingCase| case.amount.currency())
        .field("amount", |case| case.amount.amount())
        .field("country", |case| case.country)
        // which types and companies there are is not up to this set: any word is taken here
        .field("account_type", |case| case.account_type.clone())
        .field("entity", |case| case.entity.clone())
}

/// What a provider takes of a payment in one currency.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    /// Of each payment, in units of its currency.
    pub fixed: Decimal,
    /// Of each hundred.
    pub per_cent: Decimal,
}

impl Cost {
    /// What it comes to, unrounded; `None` where that is more than can be reckoned with.
    fn of(&self, amount: &Money) -> Option<Decimal> {
        let part = amount.amount().checked_mul(self.per_cent)?.checked_div(Decimal::ONE_HUNDRED)?;
        part.checked_add(self.fixed)
    }
}

/// A provider that may have a deposit, and what we take for it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The provider.
    pub psp: PspRule,
    /// Our fee.
    pub fee: Option<Fee>,
}

impl Candidate {
    /// What the payer is asked for.
    pub fn asked(&self, amount: Money) -> Money {
        self.fee.as_ref().map_or(amount, |fee| fee.asked(amount))
    }
}

/// The providers that may have a deposit, best first, and how they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The providers; never none.
    pub psps: Vec<Candidate>,
    /// From when on one that fails is put last.
    pub failing: Failing,
    /// The rule, and why others are not among them.
    pub why: Vec<String>,
}

/// Candidates in the order in which they are tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The providers, best first.
    pub psps: Vec<Candidate>,
    /// The names of those that were put last because they have been failing.
    pub put_last: Vec<String>,
}

impl Candidates {
    /// Those that have been failing go last, in their own order.
    pub fn ranked(&self, health: &PspHealth, now: Timestamp) -> Ranked {
        let is_failing = |own: &Candidate| health.is_failing(&own.psp.name, self.failing, now);
        let (failing, mut psps): (Vec<_>, Vec<_>) = self.psps.iter().cloned().partition(is_failing);
        let put_last = failing.iter().map(|own| own.psp.name.clone()).collect();
        psps.extend(failing);
        Ranked { psps, put_last }
    }
}

impl Routing {
    /// The providers that may have a deposit. Which are asked for is the first row's that fits; of these only who is on offer, takes the
    /// currency and whose limits the amount is inside. `None` where nobody is left.
    ///
    /// # Errors
    /// [`RuleError`]: nobody is chosen where the rules cannot be judged.
    pub fn candidates(&self, case: &RoutingCase, psps: &Psps) -> Result<Option<Candidates>, RuleError> {
        let matched = self.order(fields().facts(case))?;
        let Some(groups) = matched.outcome() else { return Ok(None) };
        let (mut found, mut passed) = (Vec::new(), Vec::new());
        for group in groups {
            let mut equals: Vec<(Option<Decimal>, Candidate)> = Vec::new();
            for name in group {
                match fits(name, case, psps)? {
                    Ok(own) => equals.push((self.cost(name, &own.asked(case.amount)), own)),
                    Err(reason) => passed.push(format!("{name}: {reason}")),
                }
            }
            // of whom nobody says what it costs goes after those of whom it is known
            equals.sort_by_key(|(cost, _)| (cost.is_none(), *cost));
            found.extend(equals);
        }
        if found.is_empty() {
            return Ok(None);
        }
        let mut why = matched.why("routing");
        let cost = |cost: &Option<Decimal>| cost.map_or_else(String::new, |cost| format!(" ({})", cost.normalize()));
        let names: Vec<String> = found.iter().map(|(own, found)| format!("{}{}", found.psp.name, cost(own))).collect();
        why.push(format!("candidates: {}", names.join(", ")));
        if !passed.is_empty() {
            why.push(format!("passed over: {}", passed.join(", ")));
        }
        let psps = found.into_iter().map(|(_, own)| own).collect();
        Ok(Some(Candidates { psps, failing: self.failing(), why }))
    }

    fn cost(&self, psp: &str, amount: &Money) -> Option<Decimal> {
        self.cost_of(psp, amount.currency())?.of(amount)
    }
}

/// The provider, if it takes the deposit, or why not.
fn fits(name: &str, case: &RoutingCase, psps: &Psps) -> Result<Result<Candidate, &'static str>, RuleError> {
    let currency: Currency = case.amount.currency();
    let Some(psp) = psps.psp(name).filter(|psp| psp.enabled) else { return Ok(Err("not on offer")) };
    if !psp.currencies.contains(&currency) {
        return Ok(Err("does not take the currency"));
    }
    let limited =
        DepositCase { currency, psp: name.to_owned(), country: case.country, account_type: case.account_type.clone() };
    let matched = psps.deposit_limit(&limited)?;
    Ok(match matched.outcome().map(|limit| limit.place(&case.amount)) {
        Some(Lies::Inside) => psps.candidate(psp, case)?,
        Some(Lies::Below) => Err("below its limits"),
        Some(Lies::Above) => Err("above its limits"),
        None => Err("has no limits for it"),
    })
}
