//! What a client asks to take out, held against the account, what he paid in and the rules: every fault at once.

use rust_decimal::Decimal;
use serde_json::Value;

use super::rules::{Acquaintance, Approval, ReturnToSource, WithdrawalCase, Withdrawals};
use super::{Destination, Withdrawal, WithdrawalStatus};
use crate::account::{Account, AccountStatus};
use crate::client::Client;
use crate::contact;
use crate::input::{Fault, Reader};
use crate::payment::rules::{PspRule, Psps};
use crate::payment::{Deposit, request::demo_account};
use crate::rules::RuleError;
use crate::rules::limits::Lies;
use crate::{AccountId, ClientId, Money, PaymentId, Redacted, Seconds, Timestamp};

/// The time before now in which withdrawals are counted.
pub const WINDOW: Seconds = Seconds(86_400);
/// Longest address of anything, in bytes.
const ADDRESS_MAX: usize = 254;

/// What is known when somebody asks.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The account that the request names, if it is the client's.
    pub account: Option<&'a Account>,
    /// The client's newest withdrawals.
    pub withdrawals: &'a [Withdrawal],
    /// The client's newest deposits, and the one that the request names.
    pub deposits: &'a [Deposit],
    /// What stands on the account, where its server said so.
    pub balance: Option<Money>,
    /// The client has more payments than are known here: a person decides.
    pub cut: bool,
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
    /// Over which provider.
    pub psp: String,
    /// Where to.
    pub destination: Destination,
    /// No provider of ours pays it out by itself.
    pub by_hand: bool,
    /// Who decides.
    pub approval: Approval,
    /// The client never asked for one before.
    pub first: bool,
    /// The rules that let it pass.
    pub why: Vec<String>,
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
        let destination = reader.object("destination").and_then(|mut inner| {
            let read = read_destination(&mut inner, ask, amount, psps);
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
                if let Some((destination, psp)) = &destination {
                    judged = Some(judge(ask, account, amount, destination, psp, rules, &mut reader)?);
                }
            }
        }
        let faults = reader.finish();
        let (Some(account), Some(amount), Some((destination, psp)), Some(judged), true) =
            (ask.account, amount, destination, judged, faults.is_empty())
        else {
            return Err(WithdrawalRefusal::Faults(faults));
        };
        let (AccountStatus::Open, Some(login)) = (account.facts.status, account.facts.login.clone()) else {
            return Err(WithdrawalRefusal::AccountNotOpen);
        };
        Ok(Self {
            client_id: ask.client.id.clone(),
            account_id: account.id.clone(),
            login,
            platform: account.facts.platform.clone(),
            amount,
            by_hand: !psp.pays_out(destination.way()),
            psp: psp.name.clone(),
            destination,
            approval: judged.0,
            first: ask.withdrawals.is_empty(),
            why: judged.1,
        })
    }
}

fn read_destination<'p>(
    reader: &mut Reader<'_>,
    ask: &Ask<'_>,
    amount: Option<Money>,
    psps: &'p Psps,
) -> Option<(Destination, &'p PspRule)> {
    let name = reader.string("psp");
    let psp = name.and_then(|name| psps.psp(name).filter(|psp| psp.enabled));
    if name.is_some() && psp.is_none() {
        let allowed = psps.all().iter().filter(|psp| psp.enabled).map(|psp| psp.name.as_str());
        reader.fault(
            Fault::new("/destination/psp", "unknown_psp", "is not a payment provider on offer").allowing(allowed),
        );
    }
    let source = reader.optional_string("source_payment_id");
    let email = reader.optional_string("email");
    let (currency, address, tag) =
        (reader.optional_string("currency"), reader.optional_string("address"), reader.optional_string("tag"));
    let destination = match (source, email, address) {
        (Some(id), None, None) => source_of(reader, id, ask, amount, psp),
        (None, Some(email), None) => wallet(reader, email),
        (None, None, Some(address)) => chain(reader, currency, address, tag),
        (None, None, None) => {
            let message = "names a source_payment_id, an email or an address";
            reader.fault(Fault::new("/destination", "missing", message));
            None
        }
        _ => {
            let message = "names one of source_payment_id, email and address";
            reader.fault(Fault::new("/destination", "ambiguous", message));
            None
        }
    };
    let (destination, psp) = (destination?, psp?);
    let way = destination.way();
    if way != super::Way::Source && !psp.pays_out(way) {
        let allowed = psps.all().iter().filter(|psp| psp.enabled && psp.pays_out(way)).map(|psp| psp.name.as_str());
        let message = format!("{} does not pay out this way", psp.name);
        reader.fault(Fault::new("/destination/psp", "unsupported_destination", message).allowing(allowed));
        return None;
    }
    Some((destination, psp))
}

fn source_of(
    reader: &mut Reader<'_>,
    id: &str,
    ask: &Ask<'_>,
    amount: Option<Money>,
    psp: Option<&PspRule>,
) -> Option<Destination> {
    let at = "/destination/source_payment_id";
    let deposit = ask.deposits.iter().find(|deposit| deposit.id.as_str() == id && deposit.client_id == ask.client.id);
    let Some(deposit) = deposit.filter(|deposit| deposit.can_be_paid_back().is_positive()) else {
        let allowed = sources(ask).map(|deposit| deposit.id.to_string());
        let message = "is no deposit of this client of which anything could be paid back";
        reader.fault(Fault::new(at, "not_a_source", message).allowing(allowed));
        return None;
    };
    if psp.is_some_and(|psp| psp.name != deposit.facts.psp.name) {
        let message = format!("was paid over {}", deposit.facts.psp.name);
        reader.fault(Fault::new("/destination/psp", "other_psp", message).allowing([deposit.facts.psp.name.as_str()]));
        return None;
    }
    let left = left_of(deposit, ask);
    if amount.is_some_and(|amount| left.compare(&amount).is_ok_and(std::cmp::Ordering::is_lt)) {
        let message = format!("brought {}, of which {left} can be paid back", deposit.can_be_paid_back());
        reader.fault(Fault::new(at, "above_source", message));
    } else if ask.account.is_some_and(|account| account.facts.currency != left.currency()) {
        let message = format!("was paid in {}", left.currency());
        reader.fault(Fault::new(at, "other_currency", message));
    }
    Some(Destination::Source { payment_id: deposit.id.clone(), reference: deposit.facts.psp.reference.clone() })
}

/// What of a source could still be paid back, less what is on its way there.
fn left_of(deposit: &Deposit, ask: &Ask<'_>) -> Money {
    let on_the_way = ask.withdrawals.iter().filter(|withdrawal| {
        withdrawal.facts.source_payment_id.as_ref() == Some(&deposit.id)
            && !withdrawal.status().is_over()
            && !deposit.pays_back(&withdrawal.id)
    });
    on_the_way.fold(deposit.can_be_paid_back(), |left, withdrawal| {
        left.checked_add(&withdrawal.facts.requested.negated()).unwrap_or(left)
    })
}

/// The deposits whose payers could still get money back, oldest first.
fn sources<'a>(ask: &'a Ask<'a>) -> impl Iterator<Item = &'a Deposit> {
    let own = ask.deposits.iter().rev().filter(|deposit| deposit.client_id == ask.client.id);
    own.filter(|deposit| left_of(deposit, ask).is_positive())
}

fn wallet(reader: &mut Reader<'_>, email: &str) -> Option<Destination> {
    let Some(email) = contact::email(email) else {
        reader.fault(Fault::new("/destination/email", "invalid_email", "is no address for mail"));
        return None;
    };
    Some(Destination::Email(Redacted::new(email)))
}

fn chain(reader: &mut Reader<'_>, currency: Option<&str>, address: &str, tag: Option<&str>) -> Option<Destination> {
    let is_plain =
        |text: &str| !text.is_empty() && text.len() <= ADDRESS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    let coin = currency.filter(|code| {
        (2..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    });
    if coin.is_none() {
        reader.fault(Fault::new("/destination/currency", "unknown_currency", "must be a coin such as USDT"));
    }
    if !is_plain(address) {
        reader.fault(Fault::new("/destination/address", "invalid_address", "is no address of a block chain"));
    }
    if tag.is_some_and(|tag| !is_plain(tag)) {
        reader.fault(Fault::new("/destination/tag", "invalid_tag", "is no tag of a block chain"));
    }
    let (coin, true) = (coin?, is_plain(address) && tag.is_none_or(is_plain)) else { return None };
    Some(Destination::Crypto {
        currency: coin.to_owned(),
        address: Redacted::new(address.to_owned()),
        tag: tag.map(|tag| Redacted::new(tag.to_owned())),
    })
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

fn judge(
    ask: &Ask<'_>,
    account: &Account,
    amount: Money,
    destination: &Destination,
    psp: &PspRule,
    rules: &Withdrawals,
    reader: &mut Reader<'_>,
) -> Result<(Approval, Vec<String>), RuleError> {
    let case = case(ask, account, amount, destination, psp, rules);
    let limit = rules.limit(&case)?;
    let mut why = limit.why("limits");
    match limit.outcome() {
        None => {
            let message = "there is no withdrawal of this kind";
            reader.fault(Fault::new("/amount/currency", "unsupported_currency", message));
        }
        Some(range) => match range.place(&amount) {
            Lies::Inside => {}
            place @ (Lies::Below | Lies::Above) => {
                let code = if place == Lies::Below { "below_minimum" } else { "above_maximum" };
                let message = format!("must be from {} to {} {}", range.min, range.max, amount.currency());
                reader.fault(Fault::new("/amount/amount", code, message));
            }
        },
    }
    if case.source_left && rules.return_to_source == ReturnToSource::Require {
        let allowed = sources(ask).map(|deposit| deposit.id.to_string());
        let message = "money goes back to where it came from first: name the deposit as source_payment_id";
        reader.fault(Fault::new("/destination", "return_to_source", message).allowing(allowed));
    }
    let approval = rules.approval(&case)?;
    why.extend(approval.why("approval"));
    if ask.cut {
        why.push("the client has more payments than are looked at".to_owned());
        return Ok((Approval::Ask, why));
    }
    Ok((approval.outcome().copied().unwrap_or(Approval::Ask), why))
}

fn case(
    ask: &Ask<'_>,
    account: &Account,
    amount: Money,
    destination: &Destination,
    psp: &PspRule,
    rules: &Withdrawals,
) -> WithdrawalCase {
    let from = ask.now.minus(WINDOW);
    let lately: Vec<&Withdrawal> =
        ask.withdrawals.iter().filter(|own| own.inner.opened > from && own.status().counts()).collect();
    let same = lately.iter().map(|own| own.facts.requested).filter(|money| money.currency() == amount.currency());
    let sum_24h = same.fold(Decimal::ZERO, |sum, money| sum.checked_add(money.amount()).unwrap_or(Decimal::MAX));
    let is_source = destination.source().is_some();
    WithdrawalCase {
        destination: acquaintance(destination, ask, rules),
        way: destination.way(),
        psp: psp.name.clone(),
        currency: amount.currency(),
        amount: amount.amount(),
        count_24h: u32::try_from(lately.len()).unwrap_or(u32::MAX),
        sum_24h,
        source_left: !is_source && sources(ask).next().is_some(),
        first: ask.withdrawals.is_empty(),
        country: ask.client.facts.residence,
        account_type: account.facts.account_type.clone(),
    }
}

fn acquaintance(destination: &Destination, ask: &Ask<'_>, rules: &Withdrawals) -> Acquaintance {
    if destination.source().is_some() {
        return Acquaintance::Source;
    }
    let paid_there =
        |own: &&Withdrawal| own.status() == WithdrawalStatus::PaidOut && own.inner.destination.is_same_as(destination);
    let long_ago = |own: &Withdrawal| own.inner.opened.plus(rules.known_after) <= ask.now;
    match ask.withdrawals.iter().filter(paid_there).any(long_ago) {
        true => Acquaintance::Known,
        false => Acquaintance::New,
    }
}
