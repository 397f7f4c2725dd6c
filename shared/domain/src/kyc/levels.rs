//! How far a client is verified, as the rules see it, and what he may not do for that.

use super::case::{DecidedBy, KycCase, ListKind};
use super::document::DocumentKind;
use super::expiry::ValidityStage;
use super::rules::levels::{ApprovedBy, KycLevels, LevelSubject, MoneyLimit, Rights};
use super::{KycOutcome, KycStatus};
use crate::account::Account;
use crate::client::Client;
use crate::input::Fault;
use crate::payment::{Deposit, DepositStatus};
use crate::rules::RuleError;
use crate::withdrawal::Withdrawal;
use crate::{Money, Timestamp};

/// The level of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// What the rules call it.
    pub name: String,
    /// What the client may do.
    pub rights: Rights,
    /// The rules that say so.
    pub why: Vec<String>,
}

impl Level {
    /// The level of a client, with the case if it has begun.
    ///
    /// # Errors
    /// [`RuleError`] when a level cannot be judged.
    pub fn of(case: Option<&KycCase>, client: &Client, rules: &KycLevels) -> Result<Self, RuleError> {
        let found = rules.level(&subject(case, client))?;
        // the rules have a last level for everybody
        let nothing = Rights { demo_account: false, live_account: false, deposit_limit: None, withdrawal_limit: None };
        Ok(Self {
            name: found.row_id().unwrap_or("none").to_owned(),
            rights: found.outcome().cloned().unwrap_or(nothing),
            why: found.why("levels"),
        })
    }

    /// The fault of asking for an account that a client of this level may not open.
    pub fn refuses_account(&self, account: &Account) -> Option<Fault> {
        let (may, kind) =
            if account.takes_money() { (self.rights.live_account, "live") } else { (self.rights.demo_account, "demo") };
        let message = format!("a client of the level of verification `{}` may not open a {kind} account", self.name);
        (!may).then(|| Fault::new("/kind", "level_required", message))
    }

    /// The fault of a deposit that is more than a client of this level may pay in, beside what he did lately.
    ///
    /// Deposits are counted before the new one is saved, so requests of the same moment may all pass: what is paid in too much is
    /// bounded by how many of them are under way at once.
    pub fn refuses_deposit(&self, amount: &Money, deposits: &[Deposit], now: Timestamp) -> Option<Fault> {
        let limit = self.rights.deposit_limit.as_ref()?;
        let moved = deposited(deposits, limit, now);
        if limit.allows(amount, &moved) {
            return None;
        }
        let days = limit.per.0 / 86_400;
        let message = match (limit.amounts.get(&amount.currency()), limit.left(amount.currency(), &moved)) {
            (Some(most), Some(left)) => format!(
                "at the level of verification `{}` deposits of {days} days may come to {most} {currency}: {left} are left",
                self.name,
                currency = amount.currency()
            ),
            _ => format!("at the level of verification `{}` there are no deposits in {}", self.name, amount.currency()),
        };
        Some(Fault::new("/amount", "deposit_limit", message))
    }
}

impl Level {
    /// The fault of a withdrawal that is more than a client of this level may take out, beside what he did lately.
    pub fn refuses_withdrawal(&self, amount: &Money, withdrawals: &[Withdrawal], now: Timestamp) -> Option<Fault> {
        let limit = self.rights.withdrawal_limit.as_ref()?;
        let lately = withdrawals.iter().filter(|own| own.inner.opened > now.minus(limit.per) && own.status().counts());
        let moved: Vec<Money> = lately.map(|own| own.facts.requested).collect();
        if limit.allows(amount, &moved) {
            return None;
        }
        let days = limit.per.0 / 86_400;
        let currency = amount.currency();
        let message = match (limit.amounts.get(&currency), limit.left(currency, &moved)) {
            (Some(most), Some(left)) => format!(
                "at the level of verification `{}` withdrawals of {days} days may come to {most} {currency}: {left} are left",
                self.name
            ),
            _ => format!("at the level of verification `{}` there are no withdrawals in {currency}", self.name),
        };
        Some(Fault::new("/amount", "withdrawal_limit", message))
    }
}

/// What was paid in within the time of a limit, or is about to be.
fn deposited(deposits: &[Deposit], limit: &MoneyLimit, now: Timestamp) -> Vec<Money> {
    let lately = deposits.iter().filter(|deposit| deposit.inner.opened > now.minus(limit.per));
    let counts = lately.filter(|deposit| match deposit.status() {
        DepositStatus::Pending
        | DepositStatus::Paid
        | DepositStatus::Crediting
        | DepositStatus::CreditingUnknown
        | DepositStatus::Credited
        | DepositStatus::NeedsReview => true,
        DepositStatus::Failed | DepositStatus::Expired | DepositStatus::Refunded | DepositStatus::ChargedBack => false,
    });
    counts.map(|deposit| deposit.facts.paid.unwrap_or(deposit.facts.requested)).collect()
}

fn subject(case: Option<&KycCase>, client: &Client) -> LevelSubject {
    let Some(case) = case else {
        return LevelSubject {
            status: KycStatus::NotStarted,
            documents: vec![],
            approved_by: ApprovedBy::Nobody,
            document_expired: false,
            pep: false,
            residence: client.facts.residence,
        };
    };
    let facts = &case.facts;
    let usable = facts.documents.iter().filter(|known| known.is_done() && !known.replaced);
    let mut documents: Vec<DocumentKind> = usable.map(|known| known.kind).collect();
    documents.sort_unstable();
    documents.dedup();
    let approval = facts
        .decision
        .as_ref()
        .filter(|decision| facts.status == KycStatus::Approved && decision.outcome == KycOutcome::Approve);
    let listed = facts.screening.hits.iter().chain(&facts.screening.cleared);
    LevelSubject {
        status: facts.status,
        documents,
        approved_by: match approval.map(|decision| decision.by) {
            Some(DecidedBy::Rule) => ApprovedBy::Rule,
            Some(DecidedBy::Person) => ApprovedBy::Person,
            None => ApprovedBy::Nobody,
        },
        document_expired: facts.validity.as_ref().is_some_and(|validity| validity.stage == ValidityStage::Expired),
        pep: facts.declaration.as_ref().is_some_and(|declaration| declaration.pep)
            || listed.into_iter().any(|hit| hit.of == ListKind::Pep),
        residence: client.facts.residence,
    }
}
