//! The vocabulary that scenarios are written in: what can be reckoned of a client's history at a moment. It is closed; what a scenario asks
//! that is not here takes code, everything else takes none.
//!
//! ```yaml
//! month: {over: movements, of: [deposit], take: sum, window: 30d}
//! usual: {over: movements, of: [deposit], take: sum, window: 30d, earlier: {windows: 6, take: median, at_least: 3}}
//! times: {ratio: {of: month, to: usual, floor: "200"}}
//! ```

use rust_decimal::Decimal;

use crate::Seconds;
use crate::activity::{MovementKind, NameMatch};
use crate::rules::condition::Op;
use crate::rules::read::{Faults, Node, Object, optional};
use crate::rules::schema::Field;
use crate::rules::value::{Value, ValueType};
use crate::rules::{Condition, Test};
use crate::words::words;

/// Seconds of a day.
pub(super) const DAY_S: u32 = 86_400;
/// No feature looks further back than two years, all its windows together.
pub const LOOK_BACK_MAX: Seconds = Seconds(731 * DAY_S);
/// How many features one scenario may have.
const FEATURES_MAX: usize = 20;
/// How many earlier windows one may be compared with.
const EARLIER_MAX: u32 = 60;
/// Names of features that mean something else already.
const TAKEN: [&str; 14] = [
    "event",
    "amount",
    "name",
    "instrument_country",
    "login_country",
    "hit",
    "residence",
    "nationality",
    "jurisdiction",
    "entity",
    "segment",
    "risk_band",
    "pep",
    "relationship_days",
];

words! {
    /// What is taken of movements of money in a window.
    MovementTake {
        /// How many.
        Count = "count",
        /// Their amounts together, in the base currency.
        Sum = "sum",
        /// The largest amount, in the base currency.
        Max = "max",
        /// Different cards, accounts and wallets.
        Instruments = "distinct_instruments",
        /// Different countries of these.
        Countries = "distinct_countries",
        /// Different payment providers.
        Providers = "distinct_providers",
        /// Different trading accounts.
        Accounts = "distinct_accounts",
        /// Different currencies.
        Currencies = "distinct_currencies",
        /// Whole days since the newest one before the moment.
        DaysSince = "days_since",
    }
}

words! {
    /// What is taken of log-ins in a window.
    LoginTake {
        /// How many.
        Count = "count",
        /// Different countries.
        Countries = "distinct_countries",
        /// Different devices.
        Devices = "distinct_devices",
        /// Different addresses.
        Addresses = "distinct_addresses",
        /// Whole days since the newest one before the moment.
        DaysSince = "days_since",
    }
}

words! {
    /// What is taken of trading days in a window. Trading is known by days: the day of the moment is seen as a whole.
    TradingTake {
        /// Closings.
        Trades = "trades",
        /// Lots that were closed.
        Lots = "lots",
        /// Days with a closing.
        Days = "days",
        /// The lots of the largest closing.
        Largest = "largest_lots",
        /// The median of the earlier days' largest closings; the day of the moment is not one of them.
        UsualLargest = "usual_largest_lots",
        /// How far the largest closing of the day is from those of earlier days, as a modified z-score of its logarithm.
        Deviation = "deviation",
        /// Whole days since the newest day of trading before that of the moment.
        DaysSince = "days_since",
    }
}

words! {
    /// How earlier windows become one figure.
    EarlierTake {
        /// The middle one.
        Median = "median",
        /// Their mean.
        Mean = "mean",
        /// The largest.
        Max = "max",
    }
}

words! {
    /// Whose country is looked for on lists.
    Whose {
        /// Where the client lives.
        Residence = "residence",
        /// The client's nationality.
        Nationality = "nationality",
        /// Of the cards, accounts and wallets in the window.
        Instrument = "instrument",
        /// Of the log-ins in the window.
        Login = "login",
    }
}

/// Which movements count, beside their kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    /// From this amount on, in the base currency.
    pub from: Option<Decimal>,
    /// Below this amount, in the base currency.
    pub below: Option<Decimal>,
    /// Whose amount in its own currency is a multiple of this.
    pub multiple_of: Option<Decimal>,
    /// Where the name compares to the client's like this.
    pub name: Vec<NameMatch>,
}

/// Windows before the one that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// How many.
    pub windows: u32,
    /// How they become one figure.
    pub take: EarlierTake,
    /// With fewer that can be told there is not enough history.
    pub at_least: u32,
}

/// How much trading must be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// Earlier days.
    pub days: u32,
    /// Closings on them.
    pub trades: u32,
}

/// What is reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as they are written in rules")]
pub enum What {
    /// Of movements of money.
    Movements { of: Vec<MovementKind>, take: MovementTake, only: Only, window: Seconds, earlier: Option<Earlier> },
    /// Of log-ins.
    Logins { take: LoginTake, window: Seconds },
    /// Of trading days.
    Trading { take: TradingTake, window: Seconds, at_least: AtLeast },
    /// Lists on which countries stand on the day of the moment.
    Listed { whose: Vec<Whose>, on: Vec<String>, window: Seconds },
    /// One feature in parts of another, which counts as the floor at least.
    Ratio { of: String, to: String, floor: Decimal },
    /// One feature without another.
    Difference { of: String, less: String },
}

/// A feature of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// What conditions call it.
    pub name: String,
    /// What it is.
    pub what: What,
}

impl Feature {
    /// How far before the moment it looks.
    pub fn look_back(&self) -> Seconds {
        match &self.what {
            What::Movements { window, earlier, .. } => {
                let windows = earlier.as_ref().map_or(1, |earlier| earlier.windows.saturating_add(1));
                Seconds(window.0.saturating_mul(windows))
            }
            What::Logins { window, .. } | What::Trading { window, .. } | What::Listed { window, .. } => *window,
            What::Ratio { .. } | What::Difference { .. } => Seconds(0),
        }
    }

    /// The field that conditions ask.
    pub(super) fn field(&self) -> Field {
        let listed = if let What::Listed { on, .. } = &self.what { Some(on.clone()) } else { None };
        Field {
            name: self.name.clone().into(),
            value_type: if listed.is_some() { ValueType::Text } else { ValueType::Decimal },
            many: listed.is_some(),
            optional: false,
            closed: listed,
        }
    }

    /// What its value always is, whatever the client does; a condition that only asks this is no condition.
    pub(super) fn certain(&self) -> Option<Condition> {
        let is_never_negative = match &self.what {
            What::Movements { .. } | What::Logins { .. } | What::Ratio { .. } => true,
            What::Trading { take, .. } => *take != TradingTake::Deviation,
            What::Listed { .. } | What::Difference { .. } => false,
        };
        let test = || Test { field: self.name.clone().into(), op: Op::Gte, value: Value::Decimal(Decimal::ZERO) };
        is_never_negative.then(|| Condition::Test(test()))
    }
}

/// Reads `{name: feature, …}`; a feature may be made of those that stand before it in the order of their names, or anywhere: what is
/// made of others is reckoned after them.
pub(super) fn read_features(
    node: &Node<'_>,
    lists: &mut Vec<(String, String)>,
    faults: &mut Faults,
) -> Option<Vec<Feature>> {
    let object = node.map(faults)?;
    if object.count() > FEATURES_MAX {
        faults.add(node.fault("too_many", format!("at most {FEATURES_MAX} features are allowed")));
        return None;
    }
    let names = node.declared();
    let mut features = Vec::new();
    for (name, at) in object.entries() {
        if !crate::rules::is_rule_name(name) || TAKEN.contains(&name) {
            faults.add(at.fault("bad_name", "must be lower-case letters, digits, _ and -, and no name of a fact"));
            continue;
        }
        let Some(what) = read_what(&at, &names, lists, faults) else { continue };
        let feature = Feature { name: name.to_owned(), what };
        if feature.look_back() > LOOK_BACK_MAX {
            faults.add(at.fault("bad_range", format!("looks back further than {LOOK_BACK_MAX}, all windows together")));
            continue;
        }
        features.push(feature);
    }
    if features.len() != object.count() {
        return None;
    }
    in_order(features, node, faults)
}

/// Those first that others are made of.
fn in_order(mut left: Vec<Feature>, node: &Node<'_>, faults: &mut Faults) -> Option<Vec<Feature>> {
    let mut ordered: Vec<Feature> = Vec::new();
    while !left.is_empty() {
        let known: Vec<String> = ordered.iter().map(|feature| feature.name.clone()).collect();
        let is_ready = |feature: &Feature| match &feature.what {
            What::Ratio { of, to: other, .. } | What::Difference { of, less: other } => {
                known.contains(of) && known.contains(other)
            }
            _ => true,
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<&str> = waiting.iter().map(|feature| feature.name.as_str()).collect();
            faults.add(node.fault("cycle", format!("{} are made of one another", names.join(", "))));
            return None;
        }
        ordered.extend(ready);
        left = waiting;
    }
    Some(ordered)
}

fn read_what(
    node: &Node<'_>,
    names: &[String],
    lists: &mut Vec<(String, String)>,
    faults: &mut Faults,
) -> Option<What> {
    let object = node.map(faults)?;
    if let Some(ratio) = object.get("ratio") {
        object.refuse_other_keys(&["ratio"], "unknown_key", faults);
        let parts = ratio.object(&["of", "to", "floor"], faults)?;
        let (of, to) = (name_of(&parts, "of", names, faults), name_of(&parts, "to", names, faults));
        let floor = parts.need("floor", faults).and_then(|at| positive(&at, faults));
        return Some(What::Ratio { of: of?, to: to?, floor: floor? });
    }
    if let Some(difference) = object.get("difference") {
        object.refuse_other_keys(&["difference"], "unknown_key", faults);
        let parts = difference.object(&["of", "less"], faults)?;
        let (of, less) = (name_of(&parts, "of", names, faults), name_of(&parts, "less", names, faults));
        return Some(What::Difference { of: of?, less: less? });
    }
    if object.has("listed") {
        return read_listed(node, lists, faults);
    }
    let Some(over) = object.get("over") else {
        let message = "a feature has one of `over`, `ratio`, `difference`, `listed`";
        faults.add(node.fault("unknown_feature", message).allowing(["over", "ratio", "difference", "listed"]));
        return None;
    };
    match over.line(20, faults)? {
        "movements" => read_movements(node, faults),
        "logins" => {
            let object = node.object(&["over", "take", "window"], faults)?;
            let take = object.need("take", faults).and_then(|at| at.word(LoginTake::ALL, faults));
            let window = window_of(&object, faults);
            Some(What::Logins { take: take?, window: window? })
        }
        "trading" => read_trading(node, faults),
        other => {
            let fault = over.fault("unknown_feature", format!("nothing is known about `{other}`"));
            faults.add(fault.allowing(["movements", "logins", "trading"]));
            None
        }
    }
}

fn read_movements(node: &Node<'_>, faults: &mut Faults) -> Option<What> {
    let object = node.object(&["over", "of", "take", "window", "only", "earlier"], faults)?;
    let of = object.need("of", faults);
    let of = of.and_then(|at| {
        at.distinct(1..=MovementKind::ALL.len(), faults, |item, faults| item.word(MovementKind::ALL, faults))
    });
    let take = object.need("take", faults).and_then(|at| at.word(MovementTake::ALL, faults));
    let window = window_of(&object, faults);
    let only = optional(object.get("only"), |at| read_only(&at, faults)).map(Option::unwrap_or_default);
    let earlier = optional(object.get("earlier"), |at| read_earlier(&at, faults));
    let (take, earlier) = (take?, earlier?);
    if let (MovementTake::DaysSince, Some(at)) = (take, object.get("earlier")) {
        faults.add(at.fault("unknown_key", "`days_since` has no earlier windows"));
        return None;
    }
    Some(What::Movements { of: of?, take, only: only?, window: window?, earlier })
}

fn read_only(node: &Node<'_>, faults: &mut Faults) -> Option<Only> {
    let object = node.object(&["from", "below", "multiple_of", "name"], faults)?;
    let mut amount = |key: &str| optional(object.get(key), |at| positive(&at, faults));
    let (from, below, multiple_of) = (amount("from"), amount("below"), amount("multiple_of"));
    let name = optional(object.get("name"), |at| {
        at.distinct(1..=NameMatch::ALL.len(), faults, |item, faults| item.word(NameMatch::ALL, faults))
    });
    let only = Only { from: from?, below: below?, multiple_of: multiple_of?, name: name?.unwrap_or_default() };
    if only.from.zip(only.below).is_some_and(|(from, below)| below <= from) {
        faults.add(node.fault("bad_range", "`below` must be above `from`"));
        return None;
    }
    Some(only)
}

fn read_earlier(node: &Node<'_>, faults: &mut Faults) -> Option<Earlier> {
    let object = node.object(&["windows", "take", "at_least"], faults)?;
    let windows = object.need("windows", faults).and_then(|at| at.whole(1..=EARLIER_MAX, faults));
    let take = object.need("take", faults).and_then(|at| at.word(EarlierTake::ALL, faults));
    let at_least = object.need("at_least", faults).and_then(|at| at.whole(1..=windows.unwrap_or(EARLIER_MAX), faults));
    Some(Earlier { windows: windows?, take: take?, at_least: at_least? })
}

fn read_trading(node: &Node<'_>, faults: &mut Faults) -> Option<What> {
    /// What a robust figure needs at least.
    const USUAL: AtLeast = AtLeast { days: 10, trades: 20 };
    let object = node.object(&["over", "take", "window", "at_least"], faults)?;
    let take = object.need("take", faults).and_then(|at| at.word(TradingTake::ALL, faults));
    let window = window_of(&object, faults);
    if let Some((at, window)) = object.get("window").zip(window)
        && !window.0.is_multiple_of(DAY_S)
    {
        faults.add(at.fault("bad_range", "trading is known by days: must be whole days"));
        return None;
    }
    let at_least = optional(object.get("at_least"), |at| {
        let object = at.object(&["days", "trades"], faults)?;
        let mut whole = |key: &str, most: u32| object.need(key, faults).and_then(|at| at.whole(1..=most, faults));
        let (days, trades) = (whole("days", 500), whole("trades", 10_000));
        Some(AtLeast { days: days?, trades: trades? })
    });
    Some(What::Trading { take: take?, window: window?, at_least: at_least?.unwrap_or(USUAL) })
}

fn read_listed(node: &Node<'_>, lists: &mut Vec<(String, String)>, faults: &mut Faults) -> Option<What> {
    let object = node.object(&["listed", "on", "window"], faults)?;
    let whose = object.need("listed", faults);
    let whose =
        whose.and_then(|at| at.distinct(1..=Whose::ALL.len(), faults, |item, faults| item.word(Whose::ALL, faults)));
    let on = object.need("on", faults).and_then(|at| {
        at.distinct(1..=20, faults, |item, faults| {
            let name = item.name(faults)?;
            lists.push((item.pointer().to_owned(), name.clone()));
            Some(name)
        })
    });
    let whose = whose?;
    let needs_window = whose.iter().any(|whose| matches!(whose, Whose::Instrument | Whose::Login));
    let window = if needs_window || object.has("window") { window_of(&object, faults)? } else { Seconds(0) };
    Some(What::Listed { whose, on: on?, window })
}

fn name_of(object: &Object<'_>, key: &str, names: &[String], faults: &mut Faults) -> Option<String> {
    object.need(key, faults).and_then(|at| at.reference("feature", names, faults))
}

fn positive(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let number = node.decimal(faults)?;
    if number <= Decimal::ZERO {
        faults.add(node.fault("bad_range", "must be above zero"));
        return None;
    }
    Some(number)
}

fn window_of(object: &Object<'_>, faults: &mut Faults) -> Option<Seconds> {
    object.need("window", faults).and_then(|at| at.span(Seconds(1)..=LOOK_BACK_MAX, faults))
}
