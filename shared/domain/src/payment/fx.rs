//! A deposit in another currency than the account's: which rate it gets, what it comes to, and what happens while there is none.
//!
//! The rate is chosen once, with the first intent, and kept: whatever is repeated or looked up afterwards is about that amount.

pub mod rules;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::credit::CreditStep;
use super::deposit::{Deposit, DepositStatus};
use crate::decision::Verdict;
use crate::money::{Conversion, Rounding};
use crate::work::rules::WorkKind;
use crate::{Currency, Money, Seconds, Timestamp};

/// How long after a source gave no usable rate they are asked again.
const ASK_AGAIN: Seconds = Seconds(60);
/// What clocks may differ by: a rate from further ahead is none.
const AHEAD_MAX: Seconds = Seconds(60);
/// Digits of a rate: with those of a markup and of an amount all of the product is kept.
const DIGITS_MAX: u32 = 14;

/// What a source says that one unit of a currency is worth in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The source's name in the rule set `fx`.
    pub source: String,
    /// Units of the account's currency for one unit of the paid one.
    pub rate: Decimal,
    /// When the source says that it was so.
    pub quoted_at: Timestamp,
}

/// Why a rate is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuote {
    /// Zero, below it, or of more digits than can be reckoned with exactly.
    #[error("{0} is no rate")]
    NotARate(Decimal),
    /// Older than the rules allow.
    #[error("the rate is of {0}, which is too old")]
    Stale(Timestamp),
    /// From the future.
    #[error("the rate is of {0}, which is still to come")]
    Ahead(Timestamp),
}

impl Quote {
    /// Whether it may be applied now.
    ///
    /// # Errors
    /// [`BadQuote`].
    pub fn check(&self, stale_after: Seconds, now: Timestamp) -> Result<(), BadQuote> {
        let digits = u64::pow(10, DIGITS_MAX);
        let rate = self.rate.normalize();
        if rate <= Decimal::ZERO || rate.scale() > DIGITS_MAX || rate.mantissa() >= i128::from(digits) {
            return Err(BadQuote::NotARate(self.rate));
        }
        if self.quoted_at.plus(stale_after) < now {
            return Err(BadQuote::Stale(self.quoted_at));
        }
        if self.quoted_at > now.plus(AHEAD_MAX) {
            return Err(BadQuote::Ahead(self.quoted_at));
        }
        Ok(())
    }
}

/// What was applied to a deposit: `credited = paid * rate * (1 - markup)`, rounded once to the nearest amount, from the middle to the
/// even digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fx {
    /// What the source said: units of the account's currency for one unit of the paid one.
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    /// Who said it, by the name in the rule set `fx`.
    pub source: String,
    /// When it was so.
    pub quoted_at: Timestamp,
    /// The part of it that the client does not get.
    #[serde(with = "rust_decimal::serde::str")]
    pub markup: Decimal,
}

impl Fx {
    /// A quote with the markup of the rules.
    pub fn of(quote: Quote, markup: Decimal) -> Self {
        Self { rate: quote.rate, source: quote.source, quoted_at: quote.quoted_at, markup }
    }

    /// What an amount comes to; `None` where that is nothing, or more than there is.
    pub fn convert(&self, amount: &Money, to: Currency) -> Option<Conversion> {
        let kept = Decimal::ONE.checked_sub(self.markup)?;
        let conversion = amount.convert(self.rate.checked_mul(kept)?, to, Rounding::HalfEven).ok()?;
        conversion.result.is_positive().then_some(conversion)
    }
}

/// The amount that an intent was saved with: of which paid amount, what is sent, and what rounding left of the exact value (in the
/// account's currency; it stays with our own exchange, which took the whole paid amount).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted(pub Money, pub Money, #[serde(with = "rust_decimal::serde::str")] pub Decimal);

impl Deposit {
    /// The currency of the account that it goes to.
    pub fn account_currency(&self) -> Currency {
        self.inner.account_currency.unwrap_or(self.facts.requested.currency())
    }

    /// What goes to the trading account, in its currency. Nothing while no rate was applied to what was paid in another.
    pub fn credit_amount(&self) -> Money {
        self.in_account_currency(self.creditable()).unwrap_or(Money::zero(self.account_currency()))
    }

    /// A paid amount in the account's currency; `None` where no rate was applied.
    pub(super) fn in_account_currency(&self, amount: Money) -> Option<Money> {
        if amount.currency() == self.account_currency() {
            return Some(amount);
        }
        match &self.inner.converted {
            Some(Converted(of, sent, _)) if *of == amount => Some(*sent),
            _ => self.converted_anew(amount).map(|converted| converted.1),
        }
    }

    /// What was sent, whatever went back since.
    pub(super) fn sent_amount(&self) -> Option<Money> {
        self.in_account_currency(self.net_of(super::returns::left(self.collection(), self.netted())))
    }

    fn converted_anew(&self, amount: Money) -> Option<Converted> {
        // a rate is for the currency that was asked for; what else came in, nobody has agreed about
        let fx = self.facts.fx.as_ref().filter(|_| amount.currency() == self.facts.requested.currency())?;
        let conversion = fx.convert(&amount, self.account_currency())?;
        Some(Converted(amount, conversion.result, conversion.remainder))
    }

    /// The intent to send, with what it comes to; or what is missing for that.
    pub(super) fn sending(&self, now: Timestamp) -> CreditStep {
        let mut next = self.intended(now);
        let amount = next.creditable();
        let mut why = Vec::new();
        if amount.currency() != self.account_currency() {
            let Some(fx) = &self.facts.fx else { return CreditStep::Price };
            let Some(converted) = next.converted_anew(amount) else {
                let reason = format!("{amount} at {} come to nothing that can be credited", fx.rate);
                return CreditStep::Save(Box::new(self.give_up(WorkKind::DepositCurrencyMismatch, &reason, now)));
            };
            why.push(format!(
                "{amount} at {} of {} ({}), markup {}; rounding left {} {}",
                fx.rate,
                fx.source,
                fx.quoted_at,
                fx.markup,
                converted.2,
                self.account_currency()
            ));
            next.inner.converted = Some(converted);
        }
        why.insert(0, format!("credit {}", next.credit_amount()));
        CreditStep::Send(Box::new(Verdict::change(next, "crediting", vec![], why)))
    }

    /// A rate was found: the intent is saved together with it.
    pub fn priced(&self, fx: Fx, now: Timestamp) -> CreditStep {
        let waits = self.status() == DepositStatus::Paid && self.facts.fx.is_none();
        match waits {
            true => {
                let mut priced = self.clone();
                priced.facts.fx = Some(fx);
                priced.sending(now)
            }
            false => CreditStep::Nothing("it waits for no rate"),
        }
    }

    /// No source has a rate that may be applied: it waits, and when its time is over a person decides.
    pub fn without_rate(&self, reason: &str, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        if self.status() != DepositStatus::Paid || self.facts.fx.is_some() {
            return Verdict::Nothing("it waits for no rate");
        }
        if self.is_past_review(review_after, now) {
            return self.give_up(WorkKind::DepositCurrencyMismatch, reason, now);
        }
        let again = now.plus(ASK_AGAIN);
        let mut next = self.unmoved();
        next.due = Some(self.review_at(review_after).map_or(again, |review| again.min(review)));
        Verdict::change(next, "no_rate", vec![], vec![reason.to_owned()])
    }
}
