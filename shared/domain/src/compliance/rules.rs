//! The rule set `compliance_scenarios`: what is looked for, how much it counts, and by when a case is decided.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::facts::{Asker, fields};
use super::feature::{Feature, read_features};
use crate::Seconds;
use crate::activity::{MovementKind, NewsKind};
use crate::input::Fault;
use crate::rules::bands::{ScoreBands, read_score_bands};
use crate::rules::parse::read_when;
use crate::rules::reach::Space;
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::rule_set::Reference;
use crate::rules::table::{read_rows, unique_name};
use crate::rules::{Condition, Row, RuleSet, Schema};
use crate::words::words;
use crate::work::rules::Priority;

/// How many scenarios there may be.
const SCENARIOS_MAX: usize = 100;
/// Jurisdictions, segments, overrides.
const ROWS_MAX: usize = 60;
/// The most that one scenario adds to a score.
pub const SCORE_MAX: u32 = 100;
/// The longest cool-down.
const COOL_DOWN_MAX: Seconds = Seconds(366 * 86_400);
/// The longest time to decide a case.
const DEADLINE_MAX: Seconds = Seconds(366 * 86_400);
/// The longest name of a scenario.
const NAME_MAX: usize = 80;
/// The longest text of what it means.
const MEANING_MAX: usize = 1_000;
/// Parameters of a scenario.
const PARAMETERS_MAX: usize = 20;

words! {
    /// What sets an evaluation off.
    Trigger {
        /// A deposit was credited.
        Deposit = "deposit",
        /// A deposit came to nothing at its provider.
        DepositFailed = "deposit_failed",
        /// Money of a deposit went back to the payer.
        Refund = "refund",
        /// The payer's bank took a deposit back.
        Chargeback = "chargeback",
        /// What his bank had taken back came again.
        Reinstated = "reinstated",
        /// A withdrawal was asked for.
        WithdrawalRequested = "withdrawal_requested",
        /// A withdrawal was paid out.
        Withdrawal = "withdrawal",
        /// A withdrawal was put back on the account.
        WithdrawalReturned = "withdrawal_returned",
        /// Deals were told.
        Trades = "trades",
        /// The client logged in.
        Login = "login",
        /// A day is over.
        Daily = "daily",
        /// A list or the client changed, and they may be the same now.
        Watchlist = "watchlist",
    }
}

impl Trigger {
    /// What news of a kind sets off.
    pub fn of_news(kind: NewsKind) -> Vec<Self> {
        match kind {
            NewsKind::Movement => MovementKind::ALL.iter().copied().map(Self::from).collect(),
            NewsKind::Login => vec![Self::Login],
            NewsKind::Trades => vec![Self::Trades],
        }
    }
}

impl From<MovementKind> for Trigger {
    fn from(kind: MovementKind) -> Self {
        match kind {
            MovementKind::Deposit => Self::Deposit,
            MovementKind::DepositFailed => Self::DepositFailed,
            MovementKind::Refund => Self::Refund,
            MovementKind::Chargeback => Self::Chargeback,
            MovementKind::Reinstated => Self::Reinstated,
            MovementKind::WithdrawalRequested => Self::WithdrawalRequested,
            MovementKind::Withdrawal => Self::Withdrawal,
            MovementKind::WithdrawalReturned => Self::WithdrawalReturned,
        }
    }
}

words! {
    /// Whether a scenario is evaluated, and what follows.
    Mode {
        /// It is not evaluated.
        Off = "off",
        /// It is evaluated, what it would have done is written down, and nothing follows.
        Shadow = "shadow",
        /// Its hits become alerts.
        Live = "live",
    }
}

/// A scenario with its parameters filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What is reckoned, in the order in which it can be.
    pub features: Vec<Feature>,
    /// When it is a hit.
    pub when: Condition,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name in alerts, snoozes and figures.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What a hit means, for the officer.
    pub meaning: String,
    /// Whether it is evaluated.
    pub mode: Mode,
    /// What sets it off.
    pub triggers: Vec<Trigger>,
    /// What it adds to the score of a case.
    pub score: u32,
    /// Of those of one group only the highest score counts.
    pub group: Option<String>,
    /// Whether a hit opens a case; one that does not adds to a case that is open, or opens later.
    pub opens_case: bool,
    /// While a case holds such an alert, what the client takes out is for a person to approve, if the rules of withdrawals ask.
    pub holds: bool,
    /// So long after an alert another hit adds nothing.
    pub cool_down: Seconds,
    /// Alerts per 1 000 clients and day that the desk has time for.
    pub noise_budget: Decimal,
    /// For whom no row of the overrides holds.
    pub usual: Variant,
    /// For whom it is otherwise; the first row counts.
    pub overrides: Vec<Row<Variant>>,
}

impl Scenario {
    /// How far before the moment it looks, whomever it is about.
    pub fn look_back(&self) -> Seconds {
        let variants = std::iter::once(&self.usual).chain(self.overrides.iter().map(|row| &row.then));
        variants.flat_map(|variant| &variant.features).map(Feature::look_back).max().unwrap_or(Seconds(0))
    }
}

/// By when a case of each priority is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the priorities")]
pub struct Deadlines {
    pub urgent: Seconds,
    pub high: Seconds,
    pub normal: Seconds,
    pub low: Seconds,
}

impl Deadlines {
    /// The time for a priority.
    pub const fn of(&self, priority: Priority) -> Seconds {
        match priority {
            Priority::Urgent => self.urgent,
            Priority::High => self.high,
            Priority::Normal => self.normal,
            Priority::Low => self.low,
        }
    }
}

/// The rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenarios {
    /// Whose rules a client is under.
    pub jurisdictions: Vec<Row<String>>,
    /// What kind of client he is.
    pub segments: Vec<Row<String>>,
    /// What is heard later than this is said to be late.
    pub late_after: Seconds,
    /// The priority of a score; the names are [`Priority`]'s.
    bands: ScoreBands,
    /// The time to decide, by jurisdiction.
    pub deadlines: Vec<Row<Deadlines>>,
    /// What is looked for.
    pub scenarios: Vec<Scenario>,
    references: Vec<Reference>,
}

impl Scenarios {
    /// The priority of a score.
    pub fn priority(&self, score: u32) -> Priority {
        self.bands.of(score).parse().unwrap_or(Priority::Normal)
    }

    /// Those that something sets off and that are evaluated.
    pub fn set_off_by(&self, trigger: Trigger) -> impl Iterator<Item = &Scenario> {
        self.scenarios.iter().filter(move |one| one.mode != Mode::Off && one.triggers.contains(&trigger))
    }

    /// A scenario by its id.
    pub fn get(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }

    /// How far back the history of a client is read for what some triggers set off.
    pub fn look_back(&self, triggers: &[Trigger]) -> Seconds {
        let asked = |scenario: &&Scenario| scenario.triggers.iter().any(|trigger| triggers.contains(trigger));
        let evaluated = self.scenarios.iter().filter(|scenario| scenario.mode != Mode::Off).filter(asked);
        evaluated.map(Scenario::look_back).max().unwrap_or(Seconds(0))
    }
}

impl RuleSet for Scenarios {
    const NAME: &'static str = "compliance_scenarios";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
            .map_err(|faults| faults.into_iter().map(|fault| placed(fault, document)).collect())
    }

    fn references(&self) -> Vec<Reference> {
        self.references.clone()
    }
}

/// A fault inside the value of a parameter is found where the parameter is used, where the document has its name only: it is told there.
fn placed(mut fault: Fault, document: &Json) -> Fault {
    while document.pointer(&fault.pointer).is_none() {
        let Some(end) = fault.pointer.rfind('/') else { break };
        fault.pointer.truncate(end);
    }
    fault
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Scenarios> {
    let keys = ["jurisdictions", "segments", "late_after", "priorities", "deadlines", "scenarios"];
    let object = node.object(&keys, faults)?;
    let (jurisdictions, jurisdiction_names) = named_rows(&object, "jurisdictions", Asker::Jurisdictions, &[], faults);
    let declared = [("jurisdiction", jurisdiction_names.as_slice())];
    let (segments, segment_names) = named_rows(&object, "segments", Asker::Segments, &declared, faults);
    let late_after = object.need("late_after", faults);
    let late_after = late_after.and_then(|at| at.span(Seconds(60)..=Seconds(30 * 86_400), faults));
    let bands = object.need("priorities", faults).and_then(|at| read_bands(&at, faults));
    let schema = fields(Asker::Deadlines).schema(&declared);
    let deadlines = object.need("deadlines", faults).and_then(|at| {
        let rows = read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_deadlines(then, faults));
        closed(&at, rows, faults)
    });
    let declared = [("jurisdiction", jurisdiction_names.as_slice()), ("segment", segment_names.as_slice())];
    let mut reader = Reader {
        overrides: fields(Asker::Overrides).schema(&declared),
        base: fields(Asker::Condition).schema(&declared),
        references: Vec::new(),
    };
    let mut ids = Vec::new();
    let scenarios = object.need("scenarios", faults);
    let scenarios = scenarios
        .and_then(|at| at.each(0..=SCENARIOS_MAX, faults, |item, faults| reader.scenario(item, &mut ids, faults)));
    Some(Scenarios {
        jurisdictions: jurisdictions?,
        segments: segments?,
        late_after: late_after?,
        bands: bands?,
        deadlines: deadlines?,
        scenarios: scenarios?,
        references: reader.references,
    })
}

type NamedRows = (Option<Vec<Row<String>>>, Vec<String>);

/// A table that says which of some names a client has; the names are also those of rows that cannot be read.
fn named_rows(
    object: &Object<'_>,
    key: &str,
    asker: Asker,
    declared: &[(&str, &[String])],
    faults: &mut Faults,
) -> NamedRows {
    let Some(at) = object.need(key, faults) else { return (None, Vec::new()) };
    let schema = fields(asker).schema(declared);
    let mut names: Vec<String> = Vec::new();
    let rows = read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| {
        let name = then.name(faults)?;
        if !names.contains(&name) {
            names.push(name.clone());
        }
        Some(name)
    });
    (closed(&at, rows, faults), names)
}

/// A table whose last row holds for everybody else.
fn closed<T>(at: &Node<'_>, rows: Option<Vec<Row<T>>>, faults: &mut Faults) -> Option<Vec<Row<T>>> {
    let rows = rows?;
    if rows.last().is_none_or(|row| !row.when.is_always()) {
        faults.add(at.fault("gap", "the last row must have `when: always`, for everybody else"));
        return None;
    }
    Some(rows)
}

fn read_bands(node: &Node<'_>, faults: &mut Faults) -> Option<ScoreBands> {
    let bands = read_score_bands(node, 10 * SCORE_MAX, faults)?;
    let unknown: Vec<&str> = bands.names().filter(|name| name.parse::<Priority>().is_err()).collect();
    for name in &unknown {
        let fault = node.fault("unknown_value", format!("there is no priority `{name}`"));
        faults.add(fault.allowing(Priority::ALL.iter().map(ToString::to_string)));
    }
    unknown.is_empty().then_some(bands)
}

fn read_deadlines(node: &Node<'_>, faults: &mut Faults) -> Option<Deadlines> {
    let object = node.object(&["urgent", "high", "normal", "low"], faults)?;
    let mut span = |key: &str| object.need(key, faults).and_then(|at| at.span(Seconds(3_600)..=DEADLINE_MAX, faults));
    let (urgent, high, normal, low) = (span("urgent"), span("high"), span("normal"), span("low"));
    Some(Deadlines { urgent: urgent?, high: high?, normal: normal?, low: low? })
}

type Parameters = BTreeMap<String, Json>;

struct Reader {
    overrides: Schema,
    base: Schema,
    references: Vec<Reference>,
}

impl Reader {
    fn scenario(&mut self, node: &Node<'_>, ids: &mut Vec<String>, faults: &mut Faults) -> Option<Scenario> {
        const KEYS: [&str; 15] = [
            "id",
            "name",
            "meaning",
            "mode",
            "trigger",
            "score",
            "group",
            "opens_case",
            "holds",
            "cool_down",
            "noise_budget",
            "parameters",
            "overrides",
            "features",
            "when",
        ];
        let object = node.object(&KEYS, faults)?;
        let id = object.need("id", faults).and_then(|at| unique_name(&at, ids, faults));
        let name = object.need("name", faults).and_then(|at| at.line(NAME_MAX, faults)).map(str::to_owned);
        let meaning = object.need("meaning", faults).and_then(|at| at.text(MEANING_MAX, faults)).map(str::to_owned);
        let mode = object.need("mode", faults).and_then(|at| at.word(Mode::ALL, faults));
        let triggers = object.need("trigger", faults);
        let triggers = triggers
            .and_then(|at| at.distinct(1..=Trigger::ALL.len(), faults, |item, faults| item.word(Trigger::ALL, faults)));
        let score = object.need("score", faults).and_then(|at| at.whole(0..=SCORE_MAX, faults));
        let group = optional(object.get("group"), |at| at.name(faults));
        let opens_case = optional(object.get("opens_case"), |at| at.boolean(faults));
        let holds = optional(object.get("holds"), |at| at.boolean(faults));
        let cool_down = object.need("cool_down", faults);
        let cool_down = cool_down.and_then(|at| at.span(Seconds(0)..=COOL_DOWN_MAX, faults));
        let noise_budget = object.need("noise_budget", faults).and_then(|at| budget(&at, faults));
        let variants = self.variants(&object, faults);
        let (usual, overrides) = variants?;
        Some(Scenario {
            id: id?,
            name: name?,
            meaning: meaning?,
            mode: mode?,
            triggers: triggers?,
            score: score?,
            group: group?,
            opens_case: opens_case?.unwrap_or(true),
            holds: holds?.unwrap_or(false),
            cool_down: cool_down?,
            noise_budget: noise_budget?,
            usual,
            overrides,
        })
    }

    fn variants(&mut self, object: &Object<'_>, faults: &mut Faults) -> Option<(Variant, Vec<Row<Variant>>)> {
        let parameters = optional(object.get("parameters"), |at| read_parameters(&at, None, faults));
        let features = object.need("features", faults);
        let when = object.need("when", faults);
        let (parameters, features, when) = (parameters?.unwrap_or_default(), features?, when?);
        let mut used = Vec::new();
        let usual = self.variant(&features, &when, &parameters, &mut used, faults);
        for name in parameters.keys().filter(|name| !used.contains(name)) {
            faults.add(object.fault("unused_parameter", format!("nothing uses the parameter `{name}`")));
        }
        let Some(rows) = object.get("overrides") else { return Some((usual?, Vec::new())) };
        // what is wrong without any override is told once
        let is_told = usual.is_none();
        let schema = self.overrides.clone();
        let overrides = read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, _, faults| {
            let other = read_parameters(then, Some(&parameters), faults)?;
            let all = parameters.iter().chain(&other).map(|(name, value)| (name.clone(), value.clone())).collect();
            let mut own = Faults::default();
            let variant = self.variant(&features, &when, &all, &mut Vec::new(), &mut own);
            match own.finish(variant) {
                Ok(variant) => Some(variant),
                Err(_) if is_told => None,
                Err(found) => {
                    for fault in found {
                        let message = format!("with these parameters, {}: {}", fault.pointer, fault.message);
                        faults.add(then.fault(fault.code, message));
                    }
                    None
                }
            }
        });
        Some((usual?, overrides?))
    }

    fn variant(
        &mut self,
        features: &Node<'_>,
        when: &Node<'_>,
        parameters: &Parameters,
        used: &mut Vec<String>,
        faults: &mut Faults,
    ) -> Option<Variant> {
        let before = faults.count();
        let mut filling = Filling { parameters, used, faults };
        let filled = (filling.fill(features.raw(), features), filling.fill(when.raw(), when));
        if faults.count() > before {
            return None;
        }
        let mut lists = Vec::new();
        let features = read_features(&features.standing_for(&filled.0), &mut lists, faults);
        for (pointer, name) in lists {
            let reference = Reference { pointer, what: "country_list", name };
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
        let features = features?;
        let schema = self.base.clone().with(features.iter().map(Feature::field));
        let at = when.standing_for(&filled.1);
        let condition = read_when(&at, &schema, faults)?;
        refuse_idle(&at, &condition, &features, &schema, faults)?;
        for name in condition.texts_asked_of("risk_band") {
            let reference = Reference { pointer: at.pointer().to_owned(), what: "risk_band", name: name.to_owned() };
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
        Some(Variant { features, when: condition })
    }
}

/// A condition that never holds, or for everybody, is a mistake: both are told by what its features can be.
fn refuse_idle(
    at: &Node<'_>,
    condition: &Condition,
    features: &[Feature],
    schema: &Schema,
    faults: &mut Faults,
) -> Option<()> {
    let space = Space::new(schema);
    let certain = Condition::All(features.iter().filter_map(Feature::certain).collect());
    let can_be = space.cells(&certain, true)?;
    let holds = space.cells(condition, true);
    let inside: Option<Vec<_>> = can_be.iter().map(|cell| space.inside(cell, condition)).collect();
    if inside.is_some_and(|inside| inside.iter().all(Vec::is_empty)) {
        faults.add(at.fault("never_true", "this can never fire"));
        return None;
    }
    let left = holds.and_then(|holds| space.subtract(can_be, &holds));
    if left.is_some_and(|left| left.is_empty()) {
        faults.add(at.fault("always_true", "this fires for everybody, each time"));
        return None;
    }
    Some(())
}

fn budget(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let budget = node.decimal(faults)?;
    if budget <= Decimal::ZERO || budget > Decimal::ONE_THOUSAND {
        faults.add(node.fault("bad_range", "must be above 0 and at most 1000 alerts per 1 000 clients and day"));
        return None;
    }
    Some(budget)
}

fn read_parameters(node: &Node<'_>, known: Option<&Parameters>, faults: &mut Faults) -> Option<Parameters> {
    let object = node.map(faults)?;
    if object.count() > PARAMETERS_MAX {
        faults.add(node.fault("too_many", format!("at most {PARAMETERS_MAX} parameters are allowed")));
        return None;
    }
    let mut parameters = Parameters::new();
    for (name, at) in object.entries() {
        if !crate::rules::is_rule_name(name) {
            faults.add(at.fault("bad_name", "must be lower-case letters, digits, _ and -"));
        } else if known.is_some_and(|known| !known.contains_key(name)) {
            let names = known.into_iter().flat_map(Parameters::keys).cloned();
            faults.add(at.fault("missing_reference", format!("there is no parameter `{name}`")).allowing(names));
        } else {
            parameters.insert(name.to_owned(), at.raw().clone());
        }
    }
    (parameters.len() == object.count()).then_some(parameters)
}

/// Puts parameters in the places that name them: `$limit`.
struct Filling<'f> {
    parameters: &'f Parameters,
    used: &'f mut Vec<String>,
    faults: &'f mut Faults,
}

impl Filling<'_> {
    fn fill(&mut self, value: &Json, at: &Node<'_>) -> Json {
        match value {
            Json::String(text) => match text.strip_prefix('$') {
                None => value.clone(),
                Some(name) => self.parameter(name, at),
            },
            Json::Array(items) => Json::Array(items.iter().map(|item| self.fill(item, at)).collect()),
            Json::Object(map) => {
                Json::Object(map.iter().map(|(key, inner)| (key.clone(), self.fill(inner, at))).collect())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
        }
    }

    fn parameter(&mut self, name: &str, at: &Node<'_>) -> Json {
        let Some(value) = self.parameters.get(name) else {
            let fault = at.fault("missing_reference", format!("there is no parameter `{name}`"));
            self.faults.add(fault.allowing(self.parameters.keys().cloned()));
            return Json::Null;
        };
        if !self.used.iter().any(|used| used == name) {
            self.used.push(name.to_owned());
        }
        value.clone()
    }
}
