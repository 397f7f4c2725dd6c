//! One agreement: what is paid for own clients and for those of sub-partners, within which limits, and when.

use rust_decimal::Decimal;

use super::number;
use super::pay::{self, Apply, HOLD_MAX, Pay, needs_net};
use crate::rules::fields::CountryOrNone;
use crate::rules::read::{Faults, Node, Object, optional};
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, FirstMatch, RuleError, first_match};
use crate::words::words;
use crate::{Country, Currency, Money, Seconds};

const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
const AMOUNT_DECIMALS: u32 = 4;
const PER_CENT_DECIMALS: u32 = 4;
const WITHIN_MAX: Seconds = Seconds(3 * 366 * 86_400);
const WITHIN_MIN: Seconds = Seconds(86_400);

words! {
    /// What he gets where a sub-partner's client trades.
    OverrideKind {
        /// Nothing.
        Nothing = "nothing",
        /// What his own table says for his level.
        Own = "own",
        /// His rate less the highest rate of those under him.
        Difference = "difference",
        /// Per cent of what the partner right under him gets.
        Share = "share",
    }
}

words! {
    /// Out of what a partner is paid, in our own books.
    Accounting {
        /// Out of the commission that clients pay.
        Commission = "commission",
        /// Out of the spread.
        Rebate = "rebate",
    }
}

words! {
    /// Who pays a share of a sub-partner's pay.
    PaidBy {
        /// The broker, on top.
        Broker = "broker",
        /// The sub-partner: he gets so much less.
        Sub = "sub",
    }
}

words! {
    /// What counts where a position was closed by another: two deals of one close.
    CloseBy {
        /// Both deals.
        Both = "both",
        /// Half of each.
        One = "one",
        /// Neither.
        Neither = "none",
    }
}

words! {
    /// Who gets less where a pool is not enough for all.
    Cut {
        /// Everybody, in proportion.
        ProRata = "pro_rata",
        /// Those furthest from the client.
        ClientFirst = "client_first",
        /// Those nearest to the client.
        TopFirst = "top_first",
    }
}

words! {
    /// What becomes of a month below zero.
    CarryMode {
        /// It is forgotten.
        Off = "off",
        /// It is set off against the months after.
        On = "on",
        /// The same, never more than a limit.
        Capped = "capped",
        /// The same, until a quarter or year ends.
        Reset = "reset",
    }
}

words! {
    /// What is carried.
    CarryOf {
        /// The revenue: a later month's per cent counts.
        Revenue = "revenue",
        /// The partner's share of it: the month's own per cent counts.
        Share = "share",
    }
}

words! {
    /// When what is carried is forgotten.
    ResetEvery {
        /// With each quarter.
        Quarter = "quarter",
        /// With each year.
        Year = "year",
    }
}

words! {
    /// What net revenue is made of; costs are taken off.
    RevenuePart {
        /// Spread that the client paid.
        Spread = "spread",
        /// Commission that he was charged.
        Commission = "commission",
        /// What he was charged for holding positions, less what he was paid.
        Swap = "swap",
        /// What he lost less what he won, where the broker was the other side.
        ClientResult = "client_result",
        /// Bonuses that he was given.
        Bonus = "bonus",
        /// What payment providers took.
        PspFees = "psp_fees",
        /// Deposits that were charged back.
        Chargebacks = "chargebacks",
        /// What a person decided to take off.
        Adjustments = "adjustments",
    }
}

impl RevenuePart {
    /// Whether it is taken off.
    pub const fn is_cost(self) -> bool {
        matches!(self, Self::Bonus | Self::PspFees | Self::Chargebacks | Self::Adjustments)
    }
}

/// What he gets where a sub-partner's client trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrides {
    /// Nothing.
    Nothing,
    /// What his own table says for his level.
    Own,
    /// His rate less the highest rate of those under him.
    Difference,
    /// Per cent of what the partner right under him gets for the trade, before what that one passes up himself.
    Share {
        /// Of each hundred.
        per_cent: Decimal,
        /// Who pays it.
        paid_by: PaidBy,
    },
}

/// Which trades earn something, and how much at most. What does not is a line of zero that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filters {
    /// Held for so many whole seconds at least; zero asks nothing.
    pub hold_min: Seconds,
    /// Moved by so many points at least.
    pub points_min: Decimal,
    /// Whether a trade that closed at the price of its opening earns something.
    pub same_price: bool,
    /// For one deal never more, in the agreement's currency.
    pub order_max: Option<Decimal>,
    /// How a close by another position counts.
    pub close_by: CloseBy,
}

impl Filters {
    /// Whether anything is asked that is only known at the close.
    fn ask_of_the_close(&self) -> bool {
        self.hold_min.0 > 0 || !self.points_min.is_zero() || !self.same_price
    }
}

/// What all partners over a client together get at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// For each lot, in the agreement's currency. Where somebody is paid at the opening, half of it counts at each side.
    pub per_lot: Decimal,
    /// Who gets less.
    pub cut: Cut,
}

/// What rows of amounts for a new client may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpaCase {
    /// Where he lives, if known.
    pub country: Option<Country>,
    /// What he deposited, in the agreement's currency.
    pub deposit: Decimal,
}

fn cpa_fields() -> Fields<CpaCase> {
    Fields::new().field("country", |case: &CpaCase| CountryOrNone(case.country)).field("deposit", |case| case.deposit)
}

/// An amount for each new client, once all conditions hold within a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpaTerms {
    /// Lots that he must have closed.
    pub lots_min: Decimal,
    /// Spread and commission that he must have paid, in the agreement's currency.
    pub paid_min: Decimal,
    /// Since he was registered.
    pub within: Seconds,
    /// Whether his identity must be approved.
    pub verified: bool,
    /// Whether more deposits bring the difference to the higher row's amount.
    pub top_up: bool,
    /// How long it cannot be paid out yet.
    pub hold: Seconds,
    /// How long it is taken back if the deposit goes back.
    pub clawback: Seconds,
    amounts: Vec<Row<Decimal>>,
}

impl CpaTerms {
    /// The amount of a case, and the row that has it.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn amount(&self, case: &CpaCase) -> Result<FirstMatch<'_, Decimal>, RuleError> {
        first_match(&self.amounts, cpa_fields().facts(case))
    }
}

/// What becomes of a month below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// Whether and how it is set off.
    pub mode: CarryMode,
    /// What is.
    pub of: CarryOf,
    /// The limit of `capped`.
    pub cap: Option<Decimal>,
    /// When `reset` forgets.
    pub every: Option<ResetEvery>,
}

/// Per cent of what the broker earned by the partner's clients in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevenueTerms {
    /// Of each hundred.
    pub per_cent: Decimal,
    /// What counts.
    pub parts: Vec<RevenuePart>,
    /// What becomes of a month below zero.
    pub carry: Carry,
    /// How long after the month it cannot be paid out yet.
    pub hold: Seconds,
}

/// One agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its amounts, and the partner's pay.
    pub currency: Currency,
    /// What trades earn, model by model.
    pub pay: Vec<Pay>,
    /// What trades of sub-partners' clients earn.
    pub overrides: Overrides,
    /// Which trades count.
    pub filters: Filters,
    /// A limit for all levels.
    pub pool: Option<Pool>,
    /// What new clients earn.
    pub cpa: Option<CpaTerms>,
    /// A share of what the broker earns.
    pub revenue: Option<RevenueTerms>,
    /// Less is not paid out but carried.
    pub payout_min: Money,
    /// Out of what he is paid.
    pub accounting: Accounting,
}

const KEYS: &[&str] =
    &["currency", "pay", "overrides", "filters", "pool", "cpa", "revenue", "payout_min", "accounting"];

pub(super) fn read(node: &Node<'_>, groups: &[String], faults: &mut Faults) -> Option<Agreement> {
    let object = node.object(KEYS, faults)?;
    let currency = object.need("currency", faults).and_then(|node| node.currency(faults));
    let pay = optional(object.get("pay"), |node| pay::read(&node, groups, currency, faults));
    let overrides = optional(object.get("overrides"), |node| read_overrides(&node, faults));
    let filters = read_filters(&object, faults);
    let pool = optional(object.get("pool"), |node| read_pool(&node, faults));
    let cpa = optional(object.get("cpa"), |node| read_cpa(&node, faults));
    let revenue = optional(object.get("revenue"), |node| read_revenue(&node, faults));
    let payout_min = read_payout_min(&object, currency, faults);
    let accounting = optional(object.get("accounting"), |node| node.word(Accounting::ALL, faults));
    let agreement = Agreement {
        currency: currency?,
        pay: pay?.unwrap_or_default(),
        overrides: overrides?.unwrap_or(Overrides::Nothing),
        filters: filters?,
        pool: pool?,
        cpa: cpa?,
        revenue: revenue?,
        payout_min: payout_min?,
        accounting: accounting?.unwrap_or(Accounting::Commission),
    };
    let found = contradictions(&agreement);
    let good = found.is_empty();
    for (code, message) in found {
        faults.add(node.fault(code, message));
    }
    good.then_some(agreement)
}

/// Parts that cannot stand together.
fn contradictions(agreement: &Agreement) -> Vec<(&'static str, &'static str)> {
    let early = agreement.pay.iter().any(Pay::pays_at_opening);
    let retroactive =
        agreement.pay.iter().filter_map(|pay| pay.tiers.as_ref()).any(|tiers| tiers.apply == Apply::Retroactive);
    let limited = agreement.pool.is_some() || agreement.filters.order_max.is_some();
    let empty = agreement.pay.is_empty() && agreement.cpa.is_none() && agreement.revenue.is_none();
    let pays_nobody = empty && !matches!(agreement.overrides, Overrides::Share { .. });
    let mut found = Vec::new();
    if early && agreement.filters.ask_of_the_close() {
        found.push((
            "filter_needs_close",
            "what is earned at the opening cannot ask how long or how far the trade goes",
        ));
    }
    if retroactive && limited {
        found.push(("limit_needs_no_retroactive", "a later tier could pass the limit of a trade that was paid before"));
    }
    if pays_nobody {
        found.push(("pays_nothing", "has neither pay nor cpa nor revenue"));
    }
    found
}

fn read_overrides(node: &Node<'_>, faults: &mut Faults) -> Option<Overrides> {
    let object = node.object(&["kind", "per_cent", "paid_by"], faults)?;
    let kind = object.need("kind", faults).and_then(|node| node.word(OverrideKind::ALL, faults))?;
    if kind != OverrideKind::Share {
        object.refuse_other_keys(&["kind"], "not_here", faults);
    }
    match kind {
        OverrideKind::Nothing => Some(Overrides::Nothing),
        OverrideKind::Own => Some(Overrides::Own),
        OverrideKind::Difference => Some(Overrides::Difference),
        OverrideKind::Share => {
            let per_cent = object.need("per_cent", faults).and_then(|node| per_cent(&node, faults));
            let paid_by = object.need("paid_by", faults).and_then(|node| node.word(PaidBy::ALL, faults));
            Some(Overrides::Share { per_cent: per_cent?, paid_by: paid_by? })
        }
    }
}

fn per_cent(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    number(node, PER_CENT_DECIMALS, Decimal::ONE_HUNDRED, faults)
}

fn amount(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    number(node, AMOUNT_DECIMALS, AMOUNT_MAX, faults)
}

fn read_filters(agreement: &Object<'_>, faults: &mut Faults) -> Option<Filters> {
    let none = Filters {
        hold_min: Seconds(0),
        points_min: Decimal::ZERO,
        same_price: true,
        order_max: None,
        close_by: CloseBy::Both,
    };
    let Some(node) = agreement.get("filters") else { return Some(none) };
    let object = node.object(&["hold_min", "points_min", "same_price", "order_max", "close_by"], faults)?;
    let hold_min = optional(object.get("hold_min"), |node| node.span(Seconds(0)..=HOLD_MAX, faults));
    let points_min = optional(object.get("points_min"), |node| amount(&node, faults));
    let same_price = optional(object.get("same_price"), |node| node.boolean(faults));
    let order_max = optional(object.get("order_max"), |node| amount(&node, faults));
    let close_by = optional(object.get("close_by"), |node| node.word(CloseBy::ALL, faults));
    Some(Filters {
        hold_min: hold_min?.unwrap_or(none.hold_min),
        points_min: points_min?.unwrap_or(none.points_min),
        same_price: same_price?.unwrap_or(none.same_price),
        order_max: order_max?,
        close_by: close_by?.unwrap_or(none.close_by),
    })
}

fn read_pool(node: &Node<'_>, faults: &mut Faults) -> Option<Pool> {
    let object = node.object(&["per_lot", "cut"], faults)?;
    let per_lot = object.need("per_lot", faults).and_then(|node| amount(&node, faults));
    let cut = object.need("cut", faults).and_then(|node| node.word(Cut::ALL, faults));
    Some(Pool { per_lot: per_lot?, cut: cut? })
}

fn read_cpa(node: &Node<'_>, faults: &mut Faults) -> Option<CpaTerms> {
    let known = &["amounts", "lots_min", "paid_min", "within", "verified", "top_up", "hold", "clawback"];
    let object = node.object(known, faults)?;
    let amounts = object.need("amounts", faults).and_then(|node| {
        let schema = cpa_fields().schema(&[]);
        let rows = read_rows(&node, &schema, 1..=ROWS_MAX, faults, |then, _, faults| amount(then, faults));
        needs_net(&node, rows, "of every client it is said what he earns", faults)
    });
    let lots_min = optional(object.get("lots_min"), |node| amount(&node, faults));
    let paid_min = optional(object.get("paid_min"), |node| amount(&node, faults));
    let within = object.need("within", faults).and_then(|node| node.span(WITHIN_MIN..=WITHIN_MAX, faults));
    let verified = object.need("verified", faults).and_then(|node| node.boolean(faults));
    let top_up = optional(object.get("top_up"), |node| node.boolean(faults));
    let hold = optional(object.get("hold"), |node| node.span(Seconds(0)..=HOLD_MAX, faults));
    let clawback = optional(object.get("clawback"), |node| node.span(Seconds(0)..=HOLD_MAX, faults));
    Some(CpaTerms {
        amounts: amounts?,
        lots_min: lots_min?.unwrap_or_default(),
        paid_min: paid_min?.unwrap_or_default(),
        within: within?,
        verified: verified?,
        top_up: top_up?.unwrap_or(false),
        hold: hold?.unwrap_or(Seconds(0)),
        clawback: clawback?.unwrap_or(Seconds(0)),
    })
}

fn read_revenue(node: &Node<'_>, faults: &mut Faults) -> Option<RevenueTerms> {
    let object = node.object(&["per_cent", "parts", "carry", "hold"], faults)?;
    let share = object.need("per_cent", faults).and_then(|node| per_cent(&node, faults));
    let parts = object.need("parts", faults).and_then(|node| {
        node.distinct(1..=RevenuePart::ALL.len(), faults, |item, faults| item.word(RevenuePart::ALL, faults))
    });
    let carry = object.need("carry", faults).and_then(|node| read_carry(&node, faults));
    let hold = optional(object.get("hold"), |node| node.span(Seconds(0)..=HOLD_MAX, faults));
    Some(RevenueTerms { per_cent: share?, parts: parts?, carry: carry?, hold: hold?.unwrap_or(Seconds(0)) })
}

fn read_carry(node: &Node<'_>, faults: &mut Faults) -> Option<Carry> {
    let object = node.object(&["mode", "of", "cap", "every"], faults)?;
    let mode = object.need("mode", faults).and_then(|node| node.word(CarryMode::ALL, faults))?;
    let of = optional(object.get("of"), |node| node.word(CarryOf::ALL, faults));
    let (cap, every) = match mode {
        CarryMode::Capped => (object.need("cap", faults).map(|node| amount(&node, faults)), None),
        CarryMode::Reset => (None, object.need("every", faults).map(|node| node.word(ResetEvery::ALL, faults))),
        CarryMode::Off | CarryMode::On => (None, None),
    };
    let known: &[&str] = match mode {
        CarryMode::Capped => &["mode", "of", "cap"],
        CarryMode::Reset => &["mode", "of", "every"],
        CarryMode::Off | CarryMode::On => &["mode", "of"],
    };
    object.refuse_other_keys(known, "not_here", faults);
    let (cap, every) = (cap.flatten(), every.flatten());
    let complete = match mode {
        CarryMode::Capped => cap.is_some(),
        CarryMode::Reset => every.is_some(),
        CarryMode::Off | CarryMode::On => true,
    };
    let of = of?.unwrap_or(CarryOf::Revenue);
    complete.then_some(Carry { mode, of, cap, every })
}

fn read_payout_min(agreement: &Object<'_>, currency: Option<Currency>, faults: &mut Faults) -> Option<Money> {
    let least = match agreement.get("payout_min") {
        None => Decimal::ZERO,
        Some(node) => number(&node, currency?.digits(), AMOUNT_MAX, faults)?,
    };
    Money::new(least, currency?).ok()
}
