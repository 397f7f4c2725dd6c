//! What an agreement pays for trades: models side by side, each with its table of rates, its hold and its tiers.

use rust_decimal::Decimal;

use super::number;
use crate::account::rules::Platform;
use crate::rules::fields::CountryOrNone;
use crate::rules::read::{Faults, Node, optional};
use crate::rules::schema::Schema;
use crate::rules::table::{ROWS_MAX, Row, read_rows, unique_name};
use crate::rules::{Fields, FirstMatch, RuleError, first_match};
use crate::words::words;
use crate::{Country, Currency, Seconds};

const PAYS_MAX: usize = 10;
const STEPS_MAX: usize = 10;
/// Nothing is held longer than a year.
pub(super) const HOLD_MAX: Seconds = Seconds(366 * 86_400);
const RATE_DECIMALS: u32 = 4;
const RATE_MAX: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const FACTOR_MAX: Decimal = Decimal::TEN;
const VOLUME_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

words! {
    /// What a rate is a rate of.
    Model {
        /// Money for each lot.
        Lot = "lot",
        /// Per cent of the commission that the client was charged.
        Commission = "commission",
        /// Points or pips of the price for each lot.
        Points = "points",
        /// Per cent of the spread: half of that at the opening and half of that at the close.
        Spread = "spread",
        /// Basis points of the traded value.
        Notional = "notional",
    }
}

words! {
    /// Which sides of a trade count.
    Sides {
        /// What it closes.
        Close = "close",
        /// What it opens.
        Open = "open",
        /// Both.
        Both = "both",
    }
}

words! {
    /// The steps of a price that rates count in.
    Unit {
        /// The smallest step.
        Point = "point",
        /// What traders call a pip.
        Pip = "pip",
    }
}

words! {
    /// Whose lots decide about tiers.
    VolumeOf {
        /// Those of the partner's own clients.
        Own = "own",
        /// Those of everybody under him, own clients too.
        Downline = "downline",
    }
}

words! {
    /// What a tier changes.
    Apply {
        /// Lots above the limit.
        Marginal = "marginal",
        /// All lots of the month, also those before.
        Retroactive = "retroactive",
        /// All lots of the month after.
        NextPeriod = "next_period",
    }
}

/// A tier: above so many lots, strictly, rates are multiplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Lots of the month.
    pub above: Decimal,
    /// By what.
    pub factor: Decimal,
}

/// Tiers by the lots of a calendar month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// Whose lots.
    pub volume: VolumeOf,
    /// What they change.
    pub apply: Apply,
    /// The tiers, lowest first.
    pub steps: Vec<Step>,
}

/// What rows of rates may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayCase {
    /// The instrument's name in the rules.
    pub symbol: String,
    /// Its group.
    pub symbol_group: String,
    /// The type of the account.
    pub account_type: String,
    /// Where.
    pub platform: Platform,
    /// The client's segment, if he has one.
    pub segment: Option<String>,
    /// Where he lives, if known.
    pub country: Option<Country>,
    /// How far over the client the partner is; 1 brought him.
    pub level: u32,
}

fn fields() -> Fields<PayCase> {
    Fields::new()
        .field("symbol", |case: &PayCase| case.symbol.clone())
        .declared("symbol_group", |case| case.symbol_group.clone())
        // which types there are is up to the set `platforms`: any word is taken here
        .field("account_type", |case| case.account_type.clone())
        .field("platform", |case| case.platform)
        .field("segment", |case| case.segment.clone())
        .field("country", |case| CountryOrNone(case.country))
        .field("level", |case| case.level)
}

/// One model of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pay {
    /// Unique in the agreement.
    pub id: String,
    /// What the rates are rates of.
    pub model: Model,
    /// Which sides count, of `lot`, `points` and `notional`.
    pub sides: Sides,
    /// What `points` counts in.
    pub unit: Unit,
    /// How long after the trade it cannot be paid out yet.
    pub hold: Seconds,
    /// What more volume changes.
    pub tiers: Option<Tiers>,
    rates: Vec<Row<Decimal>>,
}

impl Pay {
    /// The rate of a case, and the row that has it. Each table has one for everything.
    ///
    /// # Errors
    /// [`RuleError`]: what cannot be judged is held, it does not earn nothing.
    pub fn rate(&self, case: &PayCase) -> Result<FirstMatch<'_, Decimal>, RuleError> {
        first_match(&self.rates, fields().facts(case))
    }

    /// Whether some of it is earned before the trade is closed.
    pub fn pays_at_opening(&self) -> bool {
        self.sides != Sides::Close || self.model == Model::Commission
    }
}

/// Reads the models of an agreement in a currency.
pub(super) fn read(
    node: &Node<'_>,
    groups: &[String],
    currency: Option<Currency>,
    faults: &mut Faults,
) -> Option<Vec<Pay>> {
    let schema = fields().schema(&[("symbol_group", groups)]);
    let mut ids = Vec::new();
    node.each(0..=PAYS_MAX, faults, |item, faults| read_pay(item, &schema, currency, &mut ids, faults))
}

fn read_pay(
    node: &Node<'_>,
    schema: &Schema,
    currency: Option<Currency>,
    ids: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<Pay> {
    let object = node.object(&["id", "model", "sides", "unit", "hold", "rates", "tiers"], faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, ids, faults));
    let model = object.need("model", faults).and_then(|node| node.word(Model::ALL, faults));
    let sides = optional(object.get("sides"), |node| node.word(Sides::ALL, faults));
    let unit = optional(object.get("unit"), |node| node.word(Unit::ALL, faults));
    let hold = optional(object.get("hold"), |node| node.span(Seconds(0)..=HOLD_MAX, faults));
    let rates = object.need("rates", faults).and_then(|node| read_rates(&node, schema, model, faults));
    let tiers = optional(object.get("tiers"), |node| read_tiers(&node, faults));
    if let (Some(model), Some(at)) = (model, object.get("sides"))
        && matches!(model, Model::Commission | Model::Spread)
    {
        faults.add(at.fault("not_here", format!("`{model}` is earned where it arises, so it takes no sides")));
    }
    if let (Some(model), Some(at)) = (model, object.get("unit"))
        && model != Model::Points
    {
        faults.add(at.fault("not_here", format!("`{model}` does not count in steps of a price")));
    }
    // an amount of an agreement has a currency, which the agreement names
    currency?;
    Some(Pay {
        id: id?,
        model: model?,
        sides: sides?.unwrap_or(Sides::Close),
        unit: unit?.unwrap_or(Unit::Point),
        hold: hold?.unwrap_or(Seconds(0)),
        rates: rates?,
        tiers: tiers?,
    })
}

fn read_rates(
    node: &Node<'_>,
    schema: &Schema,
    model: Option<Model>,
    faults: &mut Faults,
) -> Option<Vec<Row<Decimal>>> {
    let most = match model {
        Some(Model::Commission | Model::Spread) => Decimal::ONE_HUNDRED,
        _ => RATE_MAX,
    };
    let rows =
        read_rows(node, schema, 1..=ROWS_MAX, faults, |then, _, faults| number(then, RATE_DECIMALS, most, faults));
    needs_net(node, rows, "of every trade it is said what it earns", faults)
}

/// Refuses rows of which the last is not `always`.
pub(super) fn needs_net<T>(
    node: &Node<'_>,
    rows: Option<Vec<Row<T>>>,
    why: &str,
    faults: &mut Faults,
) -> Option<Vec<Row<T>>> {
    let rows = rows?;
    if rows.last().is_some_and(|row| row.when.is_always()) {
        return Some(rows);
    }
    faults.add(node.fault("no_net", format!("the last row must be `always`: {why}")));
    None
}

fn read_tiers(node: &Node<'_>, faults: &mut Faults) -> Option<Tiers> {
    let object = node.object(&["volume", "apply", "steps"], faults)?;
    let volume = object.need("volume", faults).and_then(|node| node.word(VolumeOf::ALL, faults));
    let apply = object.need("apply", faults).and_then(|node| node.word(Apply::ALL, faults));
    let mut last = Decimal::ZERO;
    let steps = object.need("steps", faults).and_then(|node| {
        node.each(1..=STEPS_MAX, faults, |item, faults| {
            let step = read_step(item, faults)?;
            if step.above <= last {
                faults.add(item.fault("bad_order", format!("must be above {last}, the step before it")));
                return None;
            }
            last = step.above;
            Some(step)
        })
    });
    Some(Tiers { volume: volume?, apply: apply?, steps: steps? })
}

fn read_step(node: &Node<'_>, faults: &mut Faults) -> Option<Step> {
    let object = node.object(&["above", "factor"], faults)?;
    let above = object.need("above", faults).and_then(|node| number(&node, RATE_DECIMALS, VOLUME_MAX, faults));
    let factor = object.need("factor", faults).and_then(|node| number(&node, RATE_DECIMALS, FACTOR_MAX, faults));
    Some(Step { above: above?, factor: factor? })
}
