//! An amount for a new client, once: when all conditions hold within a time.

use rust_decimal::Decimal;

use super::accrual::Hindrance;
use super::rules::CpaTerms;
use super::rules::agreement::CpaCase;
use crate::{Country, Timestamp};

/// How far a client has come. Sums are in the agreement's currency and count up to [`CpaTerms::deadline`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// When he was registered.
    pub registered_at: Timestamp,
    /// Where he lives, if known.
    pub country: Option<Country>,
    /// His first deposit and when it came.
    pub first_deposit: Option<(Decimal, Timestamp)>,
    /// What he deposited less what he withdrew.
    pub net_deposits: Decimal,
    /// Lots that he closed.
    pub lots: Decimal,
    /// Spread and commission that he paid.
    pub paid: Decimal,
    /// When his identity was approved.
    pub verified_at: Option<Timestamp>,
    /// What was accrued for him before.
    pub accrued: Decimal,
}

/// Whether a client earns his amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualified {
    /// This is due, and by this row.
    Due {
        /// How much is not accrued yet.
        amount: Decimal,
        /// The row.
        row: String,
    },
    /// Not yet.
    Waiting {
        /// What is missing.
        missing: Vec<&'static str>,
    },
    /// Not any more.
    Lapsed {
        /// What was missing.
        missing: Vec<&'static str>,
    },
    /// All of it is accrued.
    Done,
}

impl CpaTerms {
    /// The last moment that counts.
    pub fn deadline(&self, registered_at: Timestamp) -> Timestamp {
        registered_at.plus(self.within)
    }

    /// Whether a client earns his amount by now.
    ///
    /// # Errors
    /// [`Hindrance::Rule`].
    pub fn judge(&self, progress: &Progress, now: Timestamp) -> Result<Qualified, Hindrance> {
        let deadline = self.deadline(progress.registered_at);
        let in_time = |at: Timestamp| at <= deadline && at <= now;
        let first = progress.first_deposit.filter(|(_, at)| in_time(*at)).map_or(Decimal::ZERO, |(amount, _)| amount);
        let deposit = if self.top_up { progress.net_deposits } else { first };
        let found = self.amount(&CpaCase { country: progress.country, deposit });
        let found = found.map_err(|error| Hindrance::Rule(error.to_string()))?;
        let row = found.row().ok_or_else(|| Hindrance::Rule("no row of the amounts holds".to_owned()))?;
        let mut missing = Vec::new();
        let mut needs = |holds: bool, what: &'static str| {
            if !holds {
                missing.push(what);
            }
        };
        needs(!row.then.is_zero(), "deposit");
        needs(progress.lots >= self.lots_min, "lots");
        needs(progress.paid >= self.paid_min, "spread_and_commission");
        needs(!self.verified || progress.verified_at.is_some_and(in_time), "verified");
        if progress.accrued >= row.then && progress.accrued > Decimal::ZERO {
            return Ok(Qualified::Done);
        }
        if progress.accrued > Decimal::ZERO && !self.top_up {
            return Ok(Qualified::Done);
        }
        Ok(match (missing.is_empty(), now > deadline) {
            (true, _) => Qualified::Due { amount: (row.then - progress.accrued).normalize(), row: row.id.clone() },
            (false, true) => Qualified::Lapsed { missing },
            (false, false) => Qualified::Waiting { missing },
        })
    }

    /// Whether a deposit that went back takes the amount back.
    pub fn claws_back(&self, earned_at: Timestamp, now: Timestamp) -> bool {
        now <= earned_at.plus(self.clawback)
    }
}
