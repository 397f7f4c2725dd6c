//! The rule set `kyc_levels`: how far a client is verified, and what he may do then.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::four_eyes::{Limits, read_limits};
use crate::input::Fault;
use crate::kyc::KycStatus;
use crate::kyc::document::DocumentKind;
use crate::rules::evaluate::{FirstMatch, first_match};
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, RuleError, RuleSet};
use crate::words::words;
use crate::{Country, Currency, Money, Seconds};

const DAY: Seconds = Seconds(86_400);
const PERIOD_MAX: Seconds = Seconds(366 * DAY.0);
/// What is left of a limit is exact to so many decimals: what is beyond is the rounding of divisions.
const SHARE_DECIMALS: u32 = 18;

words! {
    /// Whose approval stands.
    ApprovedBy {
        /// The rules'.
        Rule = "rule",
        /// A person's.
        Person = "person",
        /// None does.
        Nobody = "nobody",
    }
}

/// What is asked about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelSubject {
    /// Where the case stands.
    pub status: KycStatus,
    /// The kinds of documents that were accepted.
    pub documents: Vec<DocumentKind>,
    /// Who approved, while the approval stands.
    pub approved_by: ApprovedBy,
    /// Whether the documents of the approval have expired.
    pub document_expired: bool,
    /// Whether the client is politically exposed, or may be.
    pub pep: bool,
    /// Where the client lives.
    pub residence: Country,
}

/// How much may be moved within a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyLimit {
    /// The time before now that counts.
    pub per: Seconds,
    /// The most, by currency. What is moved in several currencies uses up its share of each.
    pub amounts: Limits,
}

/// What a client of a level may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rights {
    /// Open demo accounts.
    pub demo_account: bool,
    /// Open live accounts.
    pub live_account: bool,
    /// How much may be deposited; nothing for any amount that the payment provider's rules take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposit_limit: Option<MoneyLimit>,
    /// How much may be withdrawn, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal_limit: Option<MoneyLimit>,
}

/// The rule set `kyc_levels`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KycLevels {
    levels: Vec<Row<Rights>>,
}

impl RuleSet for KycLevels {
    const NAME: &'static str = "kyc_levels";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl KycLevels {
    /// The level of a client: the first that holds.
    ///
    /// # Errors
    /// [`RuleError`] when one cannot be judged: a right that is not known is none.
    pub fn level(&self, subject: &LevelSubject) -> Result<FirstMatch<'_, Rights>, RuleError> {
        first_match(&self.levels, fields().facts(subject))
    }

    /// Whether any level may not open one of the kinds of accounts: else nobody need ask for the level.
    pub fn restrict_accounts(&self) -> bool {
        self.levels.iter().any(|level| !level.then.live_account || !level.then.demo_account)
    }

    /// Whether any level limits withdrawals.
    pub fn restrict_withdrawals(&self) -> bool {
        self.levels.iter().any(|level| level.then.withdrawal_limit.is_some())
    }

    /// Whether any level limits deposits.
    pub fn restrict_deposits(&self) -> bool {
        self.levels.iter().any(|level| level.then.deposit_limit.is_some())
    }
}

impl MoneyLimit {
    /// What is left of the limit in a currency after what was moved within its time; nothing where the limit does not name a
    /// currency.
    pub fn left(&self, currency: Currency, moved: &[Money]) -> Option<Decimal> {
        let limit = self.amounts.get(&currency)?;
        let mut free = Decimal::ONE;
        for money in moved {
            free = free.checked_sub(self.share(money)?)?;
        }
        let left = limit.checked_mul(free.max(Decimal::ZERO))?.round_dp(SHARE_DECIMALS);
        Some(left.round_dp_with_strategy(currency.digits(), rust_decimal::RoundingStrategy::ToZero))
    }

    /// Whether it allows an amount beside what was moved within its time. What it cannot weigh, it does not allow.
    pub fn allows(&self, amount: &Money, moved: &[Money]) -> bool {
        self.left(amount.currency(), moved).is_some_and(|left| amount.amount() <= left)
    }

    /// How much of the limit an amount uses up; nothing where it does not name the currency.
    fn share(&self, money: &Money) -> Option<Decimal> {
        money.amount().checked_div(*self.amounts.get(&money.currency())?)
    }
}

/// What rows may ask.
fn fields() -> Fields<LevelSubject> {
    Fields::new()
        .field("status", |subject: &LevelSubject| subject.status)
        .field("documents", |subject| subject.documents.clone())
        .field("approved_by", |subject| subject.approved_by)
        .field("document_expired", |subject| subject.document_expired)
        .field("pep", |subject| subject.pep)
        .field("residence", |subject| subject.residence)
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<KycLevels> {
    let object = node.object(&["levels"], faults)?;
    let node = object.need("levels", faults)?;
    let schema = fields().schema(&[]);
    let levels = read_rows(&node, &schema, 1..=ROWS_MAX, faults, |node, _, faults| read_rights(node, faults))?;
    if !levels.last().is_some_and(|level| level.when.is_always()) {
        faults.add(node.fault("no_net", "the last level must be `always`: every client has one"));
    }
    Some(KycLevels { levels })
}

fn read_rights(node: &Node<'_>, faults: &mut Faults) -> Option<Rights> {
    let object = node.object(&["demo_account", "live_account", "deposit_limit", "withdrawal_limit"], faults)?;
    let demo_account = object.need("demo_account", faults).and_then(|node| node.boolean(faults));
    let live_account = object.need("live_account", faults).and_then(|node| node.boolean(faults));
    let deposit_limit = optional(object.get("deposit_limit"), |node| read_limit(&node, faults));
    let withdrawal_limit = optional(object.get("withdrawal_limit"), |node| read_limit(&node, faults));
    Some(Rights {
        demo_account: demo_account?,
        live_account: live_account?,
        deposit_limit: deposit_limit?,
        withdrawal_limit: withdrawal_limit?,
    })
}

fn read_limit(node: &Node<'_>, faults: &mut Faults) -> Option<MoneyLimit> {
    let object = node.object(&["per", "amounts"], faults)?;
    let per = object.need("per", faults).and_then(|node| node.span(DAY..=PERIOD_MAX, faults));
    let amounts = object.need("amounts", faults).and_then(|node| {
        let limits = read_limits(&node, faults)?;
        for (currency, limit) in &limits {
            if limit.normalize().scale() > currency.digits() {
                faults.add(node.fault("too_many_decimals", format!("{currency} has {} decimals", currency.digits())));
            }
        }
        if limits.is_empty() {
            faults.add(node.fault("too_few", "must name a currency: in others nothing may be moved"));
        }
        Some(limits)
    });
    Some(MoneyLimit { per: per?, amounts: amounts? })
}
