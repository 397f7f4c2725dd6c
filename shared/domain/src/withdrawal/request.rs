//! What a client asks to take out, held against the account, what he paid in and the rules: every fault at once.

use rust_decimal::Decimal;
use serde_json::Value;

use super::closed_loop::AboveSources;
use super::payee::Payee;
use super::places::{Goes, Reading, read_destination};
use super::plan::{LEGS_MAX, Leg, PlanFault, Target, plan};
use super::rules::{Acquaintance, Approval, ReturnToSource, WithdrawalCase, Withdrawals};
use super::sources::Sources;
use super::{Destination, Withdrawal, WithdrawalStatus};
use crate::account::{Account, AccountStatus};
use crate::client::Client;
use crate::decision::Asked;
use crate::input::{Fault, Reader};
use crate::payment::rules::Psps;
use crate::payment::{Deposit, request::demo_account};
use crate::rules::RuleError;
use crate::rules::limits::Lies;
use crate::{AccountId, ClientId, Money, PaymentId, Seconds, Timestamp};

/// The time before now in which withdrawals are counted.
pub const WINDOW: Seconds = Seconds(86_400);

/// What is known when somebody asks.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The account that the request names, if it is the client's.
    pub account: Option<&'a Account>,
    /// The client's newest withdrawals, each whole.
    pub withdrawals: &'a [Withdrawal],
    /// The legs of those that go to several places.
    pub legs: &'a [Withdrawal],
    /// The client's newest deposits, and the one that the request names.
    pub deposits: &'a [Deposit],
    /// What stands on the account, where its server said so.
    pub balance: Option<Money>,
    /// The client has more payments than are known here: a person decides.
    pub cut: bool,
    /// Compliance has a case of the client that is open and holds.
    pub compliance_hold: bool,
    /// When.
    pub now: Timestamp,
}

/// A withdrawal that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalRequest {
    /// Who gets it.
    pub client_id: ClientId,
    /// The account that it leaves.
    pub account_id: AccountId,
    /// Its login.
    pub login: String,
    /// The word of its platform.
    pub platform: String,
    /// How much.
    pub amount: Money,
    /// Where to; of several places the first.
    pub target: Target,
    /// What was found of who gets it, where it goes to one place.
    pub payee: Option<Payee>,
    /// The legs, where it goes to several places.
    pub legs: Vec<Leg>,
    /// Who decides.
    pub approval: Approval,
    /// The client never asked for one before.
    pub first: bool,
    /// The rules that let it pass.
    pub why: Vec<String>,
    /// What the rows were asked.
    pub asked: Option<Asked>,
}

/// Why nothing is taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawalRefusal {
    /// The request is wrong.
    Faults(Vec<Fault>),
    /// The request is right, but the account is not open.
    AccountNotOpen,
    /// The rules could not be judged.
    Rules(RuleError),
}

impl From<RuleError> for WithdrawalRefusal {
    fn from(error: RuleError) -> Self {
        Self::Rules(error)
    }
}

/// The account that a request names, as it names it.
pub fn account_named(body: &Value) -> Option<&str> {
    body.get("account_id").and_then(Value::as_str)
}

/// The deposit that a request names as its destination, if that reads as one.
pub fn source_named(body: &Value) -> Option<PaymentId> {
    body.pointer("/destination/source_payment_id").and_then(Value::as_str).and_then(|id| id.parse().ok())
}

impl WithdrawalRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WithdrawalRefusal`].
    pub fn read(body: &Value, ask: &Ask<'_>, psps: &Psps, rules: &Withdrawals) -> Result<Self, WithdrawalRefusal> {
        let mut reader = Reader::new(body);
        if reader.string("account_id").is_some() && ask.account.is_none() {
            reader.fault(Fault::new("/account_id", "unknown_account", "is not an account of this client"));
        }
        if ask.account.is_some_and(|account| !account.takes_money()) {
            reader.fault(demo_account());
        }
        let amount = reader.money("amount");
        let sources = Sources::of(ask, rules)?;
        let reading = Reading { ask, amount, psps, sources: &sources };
        let goes = reader.object("destination").and_then(|mut inner| {
            let read = read_destination(&mut inner, &reading);
            reader.close(inner);
            read
        });
        let mut judged = None;
        if let (Some(account), Some(amount)) = (ask.account, amount) {
            if account.facts.currency != amount.currency() {
                let own = account.facts.currency;
                let fault = Fault::new("/amount/currency", "currency_mismatch", format!("the account is in {own}"));
                reader.fault(fault.allowing([own.code()]));
            } else {
                if let Some(fault) = not_covered(account, &amount, ask) {
                    reader.fault(fault);
                }
                if let Some(legs) = goes.and_then(|goes| legs_of(goes, &reading, amount, rules, &mut reader)) {
                    let judge = Judge { ask, account, amount, rules, sources: &sources };
                    let approval = judge.legs(&legs, &mut reader)?;
                    let asked = judge.asked(&legs);
                    judged = Some((legs, approval, asked));
                }
            }
        }
        let faults = reader.finish();
        let (Some(account), Some(amount), Some((legs, (approval, why), asked)), true) =
            (ask.account, amount, judged, faults.is_empty())
        else {
            return Err(WithdrawalRefusal::Faults(faults));
        };
        let (AccountStatus::Open, Some(login)) = (account.facts.status, account.facts.login.clone()) else {
            return Err(WithdrawalRefusal::AccountNotOpen);
        };
        let Some(target) = legs.first().map(|leg| leg.target.clone()) else {
            return Err(WithdrawalRefusal::Faults(faults));
        };
        Ok(Self {
            client_id: ask.client.id.clone(),
            account_id: account.id.clone(),
            login,
            platform: account.facts.platform.clone(),
            amount,
            target,
            payee: None,
            legs: if legs.len() > 1 { legs } else { Vec::new() },
            approval,
            first: ask.withdrawals.is_empty(),
            why,
            asked,
        })
    }
}

/// Where each part goes.
fn legs_of(
    goes: Goes,
    reading: &Reading<'_>,
    amount: Money,
    rules: &Withdrawals,
    reader: &mut Reader<'_>,
) -> Option<Vec<Leg>> {
    let splits = rules.return_to_source == ReturnToSource::Split;
    let planned = match goes {
        Goes::To(target) if target.destination.source().is_none() && splits => {
            plan(amount, &reading.sources.in_order(reading.psps), Some(&target))
        }
        Goes::To(target) => return Some(vec![Leg { target, amount, payee: None }]),
        Goes::Back { rest } => plan(amount, &reading.sources.in_order(reading.psps), rest.as_ref()),
    };
    let fault = match planned {
        Ok(legs) => return Some(legs),
        Err(PlanFault::Above(left)) => {
            let message = format!("{left} is more than the payers of the deposits get back: name where it goes");
            Fault::new("/destination/rest", "above_sources", message)
        }
        Err(PlanFault::TooMany) => {
            let message = format!("it would go to more than {LEGS_MAX} places: ask for less");
            Fault::new("/amount/amount", "too_many_sources", message)
        }
    };
    reader.fault(fault);
    None
}

/// What stands on the account does not cover it beside what is about to leave it. Whether open positions need some of it the server
/// says when it is debited.
fn not_covered(account: &Account, amount: &Money, ask: &Ask<'_>) -> Option<Fault> {
    let leaving = ask
        .withdrawals
        .iter()
        .filter(|withdrawal| withdrawal.facts.account_id == account.id && withdrawal.status().is_still_on_account());
    let free = leaving
        .fold(ask.balance?, |free, withdrawal| free.checked_add(&withdrawal.facts.requested.negated()).unwrap_or(free));
    let message = || format!("{free} can be withdrawn from the account");
    free.compare(amount)
        .is_ok_and(std::cmp::Ordering::is_lt)
        .then(|| Fault::new("/amount/amount", "insufficient_funds", message()))
}

/// What legs are judged by; each by the whole amount, so that nothing passes in parts that would not pass at once.
struct Judge<'a> {
    ask: &'a Ask<'a>,
    account: &'a Account,
    amount: Money,
    rules: &'a Withdrawals,
    sources: &'a Sources<'a>,
}

impl Judge<'_> {
    fn legs(&self, legs: &[Leg], reader: &mut Reader<'_>) -> Result<(Approval, Vec<String>), RuleError> {
        let (mut decides, mut why, mut faults) = (Approval::Approve, Vec::new(), Vec::new());
        for leg in legs {
            let case = self.case(leg, legs);
            faults.extend(self.limit(&case, &mut why)?);
            let approval = self.rules.approval(&case)?;
            why.extend(approval.why("approval"));
            if approval.outcome().is_none_or(|who| *who == Approval::Ask) {
                decides = Approval::Ask;
            }
            if case.source_left && self.rules.return_to_source == ReturnToSource::Require {
                let message = "money goes back to where it came from first: name the deposit as source_payment_id";
                faults.push(Fault::new("/destination", "return_to_source", message).allowing(self.sources.with_room()));
            }
            let is_profit = leg.target.destination.source().is_none();
            if is_profit && self.rules.closed_loop.above_sources == AboveSources::Ask {
                why.push("it is more than the sources brought".to_owned());
                decides = Approval::Ask;
            }
        }
        if self.ask.cut {
            why.push("the client has more payments than are looked at".to_owned());
            decides = Approval::Ask;
        }
        once(faults).into_iter().for_each(|fault| reader.fault(fault));
        Ok((decides, once(why)))
    }

    /// What the rows are asked of all legs, for whoever tries other rows; nothing where that cannot be written down.
    fn asked(&self, legs: &[Leg]) -> Option<Asked> {
        let cases: Vec<WithdrawalCase> = legs.iter().map(|leg| self.case(leg, legs)).collect();
        Asked::of(self.rules, serde_json::to_value(cases).ok()?)
    }

    fn limit(&self, case: &WithdrawalCase, why: &mut Vec<String>) -> Result<Option<Fault>, RuleError> {
        let limit = self.rules.limit(case)?;
        why.extend(limit.why("limits"));
        let Some(range) = limit.outcome() else {
            let message = "there is no withdrawal of this kind";
            return Ok(Some(Fault::new("/amount/currency", "unsupported_currency", message)));
        };
        let code = match range.place(&self.amount) {
            Lies::Inside => return Ok(None),
            Lies::Below => "below_minimum",
            Lies::Above => "above_maximum",
        };
        let message = format!("must be from {} to {} {}", range.min, range.max, self.amount.currency());
        Ok(Some(Fault::new("/amount/amount", code, message)))
    }

    fn case(&self, leg: &Leg, legs: &[Leg]) -> WithdrawalCase {
        let (ask, amount) = (self.ask, self.amount);
        let from = ask.now.minus(WINDOW);
        let lately: Vec<&Withdrawal> =
            ask.withdrawals.iter().filter(|own| own.inner.opened > from && own.status().counts()).collect();
        let same = lately.iter().map(|own| own.facts.requested).filter(|money| money.currency() == amount.currency());
        let sum_24h = same.fold(Decimal::ZERO, |sum, money| sum.checked_add(money.amount()).unwrap_or(Decimal::MAX));
        let is_source = leg.target.destination.source().is_some();
        WithdrawalCase {
            destination: acquaintance(&leg.target.destination, ask, self.rules),
            way: leg.target.destination.way(),
            psp: leg.target.psp.clone(),
            currency: amount.currency(),
            amount: amount.amount(),
            count_24h: u32::try_from(lately.len()).unwrap_or(u32::MAX),
            sum_24h,
            source_left: !is_source && self.sources.are_left_by(legs),
            first: ask.withdrawals.is_empty(),
            country: ask.client.facts.residence,
            account_type: self.account.facts.account_type.clone(),
            compliance_hold: ask.compliance_hold,
        }
    }
}

/// Each once: what holds of one leg mostly holds of all.
fn once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut kept, one| {
        if !kept.contains(&one) {
            kept.push(one);
        }
        kept
    })
}

fn acquaintance(destination: &Destination, ask: &Ask<'_>, rules: &Withdrawals) -> Acquaintance {
    if destination.source().is_some() {
        return Acquaintance::Source;
    }
    let paid_there =
        |own: &&Withdrawal| own.status() == WithdrawalStatus::PaidOut && own.inner.destination.is_same_as(destination);
    let long_ago = |own: &Withdrawal| own.inner.opened.plus(rules.known_after) <= ask.now;
    match ask.withdrawals.iter().chain(ask.legs).filter(paid_there).any(long_ago) {
        true => Acquaintance::Known,
        false => Acquaintance::New,
    }
}
