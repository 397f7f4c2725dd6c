//! The rule set `bonuses`: what journeys may grant as credit, how much of it, to whom not, and when it is taken off again.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::four_eyes::{FourEyes, Limits, read_limits};
use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::words::words;
use crate::{Currency, Money, Rounding, Seconds};

const DAY: u32 = 86_400;
/// The shortest and the longest time that something is counted over; what a client or campaign had longer ago is forgotten.
const WINDOW: std::ops::RangeInclusive<Seconds> = Seconds(DAY)..=Seconds(730 * DAY);
/// How long credit may stand.
const EXPIRY: std::ops::RangeInclusive<Seconds> = Seconds(DAY)..=Seconds(365 * DAY);
/// How long the automation may try to book.
const REVIEW: std::ops::RangeInclusive<Seconds> = Seconds(300)..=Seconds(86_400);
const CAMPAIGNS_MAX: u32 = 200;
const COUNT_MAX: u32 = 1_000_000;
const TERMS_CHARS_MAX: usize = 200;

words! {
    /// By what two clients are known to be of one household.
    MarkKind {
        /// The number of their phone.
        Phone = "phone",
        /// The device on which they logged in.
        Device = "device",
        /// The card, account or wallet by which they paid or were paid.
        Instrument = "instrument",
    }
}

/// So many, within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Most {
    /// How many.
    pub most: u32,
    /// Within.
    pub within: Seconds,
}

/// What a campaign may give away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// How many bonuses, and over which time everything here is counted.
    pub count: Most,
    /// How much, by currency.
    pub amounts: Limits,
}

/// How much a bonus is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// So much, by the account's currency.
    Fixed(Limits),
    /// A part of what the journey was begun by, in the base currency: accounts in another one are a person's.
    Percent {
        /// Per cent.
        percent: Decimal,
        /// At most so much.
        most: Limits,
    },
}

/// What is known about a bonus's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// So much.
    Is(Money),
    /// The rules do not say how much it is in this currency.
    NotInCurrency,
    /// Nothing comes of it: what it is a part of is not there.
    Nothing,
}

/// What journeys may grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Campaign {
    /// How much.
    pub size: Size,
    /// How long it stands.
    pub expires_after: Seconds,
    /// What one client may have of it.
    pub per_client: Most,
    /// What it may give away.
    pub budget: Budget,
    /// The amounts from which two people approve.
    pub four_eyes_from: Limits,
    /// What the client is told: the terms, or where they stand.
    pub terms: String,
}

/// By what is known that nobody gets something twice under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guard {
    /// What clients of one household share.
    pub marks: Vec<MarkKind>,
    /// So many of these must be known of a client; of whom less is known a person decides.
    pub known: u32,
}

/// The rule set `bonuses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bonuses {
    /// What one client may have of all campaigns.
    pub per_client: Most,
    /// What keeps one from having it twice.
    pub guard: Guard,
    /// How long the automation tries to book before a person looks.
    pub platform_review_after: Seconds,
    campaigns: BTreeMap<String, Campaign>,
}

impl RuleSet for Bonuses {
    const NAME: &'static str = "bonuses";
    const OFFERS: &'static [Offer<Self>] =
        &[Offer { what: "bonus_campaign", names: |set| set.campaigns.keys().cloned().collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Bonuses {
    /// A campaign.
    pub fn campaign(&self, name: &str) -> Option<&Campaign> {
        self.campaigns.get(name)
    }
}

impl Campaign {
    /// How much it is on an account in a currency; `entry` is what the journey was begun by, in the base currency.
    pub fn worth(&self, currency: Currency, entry: Option<Decimal>, base: Currency) -> Worth {
        match &self.size {
            Size::Fixed(amounts) => {
                match amounts.get(&currency).and_then(|amount| Money::new(*amount, currency).ok()) {
                    Some(amount) => Worth::Is(amount),
                    None => Worth::NotInCurrency,
                }
            }
            Size::Percent { most, .. } if currency != base || !most.contains_key(&currency) => Worth::NotInCurrency,
            Size::Percent { percent, most } => {
                let part = entry.and_then(|entry| part_of(entry, *percent, currency));
                let most = most.get(&currency).and_then(|most| Money::new(*most, currency).ok());
                match (part.filter(Money::is_positive), most) {
                    (Some(part), Some(most)) if part.amount() > most.amount() => Worth::Is(most),
                    (Some(part), _) => Worth::Is(part),
                    (None, _) => Worth::Nothing,
                }
            }
        }
    }

    /// Whether two people must approve so much.
    pub fn needs_approval(&self, amount: Money) -> bool {
        FourEyes::ByAmount.needed(&self.four_eyes_from, &[amount])
    }
}

/// Never more than the part.
fn part_of(entry: Decimal, percent: Decimal, currency: Currency) -> Option<Money> {
    let whole = entry.round_dp_with_strategy(currency.digits(), rust_decimal::RoundingStrategy::ToZero);
    let factor = percent.checked_div(Decimal::ONE_HUNDRED)?;
    Money::new(whole, currency).ok()?.multiply(factor, Rounding::Down).ok()
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Bonuses> {
    let object = node.object(&["per_client", "guard", "platform_review_after", "campaigns"], faults)?;
    let per_client = object.need("per_client", faults).and_then(|node| read_most(&node, faults));
    let guard = object.need("guard", faults).and_then(|node| read_guard(&node, faults));
    let review = object.need("platform_review_after", faults).and_then(|node| node.span(REVIEW, faults));
    let campaigns_at = object.need("campaigns", faults).and_then(|node| node.map(faults))?;
    let mut campaigns = BTreeMap::new();
    for (name, node) in campaigns_at.entries() {
        if !crate::rules::read::is_name(name) {
            faults.add(node.fault("bad_name", format!("`{name}` is no name: small letters, digits and underscores")));
        } else if let Some(campaign) = read_campaign(&node, faults) {
            campaigns.insert(name.to_owned(), campaign);
        }
    }
    if u32::try_from(campaigns_at.count()).is_ok_and(|count| count > CAMPAIGNS_MAX) {
        faults.add(campaigns_at.fault("too_many", format!("at most {CAMPAIGNS_MAX} campaigns")));
    }
    (campaigns.len() == campaigns_at.count()).then_some(())?;
    Some(Bonuses { per_client: per_client?, guard: guard?, platform_review_after: review?, campaigns })
}

fn most_of(object: &Object<'_>, faults: &mut Faults) -> Option<Most> {
    let most = object.need("most", faults).and_then(|node| node.whole(1..=COUNT_MAX, faults));
    let within = object.need("within", faults).and_then(|node| node.span(WINDOW, faults));
    Some(Most { most: most?, within: within? })
}

fn read_most(node: &Node<'_>, faults: &mut Faults) -> Option<Most> {
    let object = node.object(&["most", "within"], faults)?;
    most_of(&object, faults)
}

fn read_guard(node: &Node<'_>, faults: &mut Faults) -> Option<Guard> {
    let object = node.object(&["marks", "known"], faults)?;
    let marks = object.need("marks", faults).and_then(|list| {
        list.distinct(1..=MarkKind::ALL.len(), faults, |item, faults| item.word(MarkKind::ALL, faults))
    });
    let count = u32::try_from(MarkKind::ALL.len()).unwrap_or(u32::MAX);
    let known_at = object.need("known", faults);
    let known = known_at.as_ref().and_then(|node| node.whole(1..=count, faults));
    let (marks, known) = (marks?, known?);
    if usize::try_from(known).is_ok_and(|known| known > marks.len()) {
        faults.add(known_at?.fault("bad_range", format!("there are only {} marks", marks.len())));
        return None;
    }
    Some(Guard { marks, known })
}

fn read_campaign(node: &Node<'_>, faults: &mut Faults) -> Option<Campaign> {
    let keys = ["credit", "expires_after", "per_client", "budget", "four_eyes_from", "terms"];
    let object = node.object(&keys, faults)?;
    let size_at = object.need("credit", faults);
    let size = size_at.as_ref().and_then(|node| read_size(node, faults));
    let expires_after = object.need("expires_after", faults).and_then(|node| node.span(EXPIRY, faults));
    let per_client = object.need("per_client", faults).and_then(|node| read_most(&node, faults));
    let budget = object.need("budget", faults).and_then(|node| read_budget(&node, faults));
    let four_eyes = object.need("four_eyes_from", faults).and_then(|node| read_limits(&node, faults));
    let terms = object.need("terms", faults).and_then(|node| node.line(TERMS_CHARS_MAX, faults).map(str::to_owned));
    let (size, budget) = (size?, budget?);
    let given = match &size {
        Size::Fixed(amounts) | Size::Percent { most: amounts, .. } => amounts,
    };
    for currency in given.keys().filter(|currency| !budget.amounts.contains_key(*currency)) {
        let message = format!("the budget has no amount in {currency}, so nothing could be granted in it");
        faults.add(size_at.as_ref()?.fault("missing_reference", message));
    }
    Some(Campaign {
        size,
        expires_after: expires_after?,
        per_client: per_client?,
        budget,
        four_eyes_from: four_eyes?,
        terms: terms?,
    })
}

fn read_size(node: &Node<'_>, faults: &mut Faults) -> Option<Size> {
    let object = node.object(&["amounts", "percent", "most"], faults)?;
    let amounts = optional(object.get("amounts"), |node| read_amounts(&node, faults));
    let percent = optional(object.get("percent"), |node| {
        let percent = node.decimal(faults)?;
        if percent > Decimal::ZERO && percent <= Decimal::ONE_HUNDRED {
            return Some(percent);
        }
        faults.add(node.fault("bad_range", "must be above zero and at most 100"));
        None
    });
    let most = optional(object.get("most"), |node| read_amounts(&node, faults));
    match (amounts?, percent?, most?) {
        (Some(amounts), None, None) => Some(Size::Fixed(amounts)),
        (None, Some(percent), Some(most)) => Some(Size::Percent { percent, most }),
        _ => {
            faults.add(node.fault("bad_size", "must have either `amounts`, or `percent` and `most`"));
            None
        }
    }
}

/// Amounts by currency, no finer than each and above zero.
fn read_amounts(node: &Node<'_>, faults: &mut Faults) -> Option<Limits> {
    let limits = read_limits(node, faults)?;
    let before = faults.count();
    if limits.is_empty() {
        faults.add(node.fault("too_few", "must have an amount in some currency"));
    }
    for (currency, amount) in &limits {
        if amount.normalize().scale() > currency.digits() {
            faults.add(node.fault("too_many_decimals", format!("{currency} has {} decimals", currency.digits())));
        }
    }
    (faults.count() == before).then_some(limits)
}

fn read_budget(node: &Node<'_>, faults: &mut Faults) -> Option<Budget> {
    let object = node.object(&["most", "within", "amounts"], faults)?;
    let count = most_of(&object, faults);
    let amounts = object.need("amounts", faults).and_then(|node| read_amounts(&node, faults));
    Some(Budget { count: count?, amounts: amounts? })
}
