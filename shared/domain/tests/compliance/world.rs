//! A client and what he does, in few words.

use std::sync::LazyLock;

use domain::activity::day::{Closing, Sign};
use domain::activity::{History, InBase, Movement, MovementKind, NameMatch, SeenLogin, TradingDay};
use domain::compliance::{About, CountryLists, Evaluation, Moment, Scenarios, Sight, evaluate};
use domain::rules::RuleSet;
use domain::{AccountId, ClientId, Country, Day, Money, PaymentId, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value as Json;

/// A seed file.
pub fn seed(name: &str) -> Json {
    let path = format!("{}/../../infra/rules/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    serde_json::to_value(yaml).unwrap()
}

/// The seed scenarios.
pub fn rules() -> &'static Scenarios {
    static RULES: LazyLock<Scenarios> = LazyLock::new(|| {
        Scenarios::parse(&seed("compliance_scenarios")).unwrap_or_else(|faults| panic!("{faults:#?}"))
    });
    &RULES
}

/// The seed lists.
pub fn lists() -> &'static CountryLists {
    static LISTS: LazyLock<CountryLists> =
        LazyLock::new(|| CountryLists::parse(&seed("country_lists")).unwrap_or_else(|faults| panic!("{faults:#?}")));
    &LISTS
}

/// A moment.
pub fn at(text: &str) -> Timestamp {
    let text = if text.contains('T') { format!("{text}:00Z") } else { format!("{text}T12:00:00Z") };
    text.parse().unwrap()
}

/// A country.
pub fn country(code: &str) -> Country {
    code.parse().unwrap()
}

/// Somebody ordinary, of Germany, for years.
pub fn anna() -> About {
    About {
        client_id: ClientId::from_bits(1),
        residence: country("DE"),
        nationality: country("DE"),
        entity: None,
        risk_band: None,
        pep: None,
        since: at("2023-01-01"),
    }
}

/// A client's history.
#[derive(Clone)]
pub struct World {
    pub about: About,
    pub history: History,
    next: u128,
}

impl World {
    /// Of whom all is known since he registered.
    pub fn new(about: About) -> Self {
        let history = History { whole_from: Some(about.since), ..History::default() };
        Self { about, history, next: 0 }
    }

    pub fn movement(&mut self, kind: MovementKind, amount: &str, when: &str) -> &mut Movement {
        self.next += 1;
        let amount = Money::parse(amount, "USD".parse().unwrap()).unwrap();
        let moment = at(when);
        self.history.movements.push(Movement {
            at: moment,
            kind,
            payment_id: PaymentId::from_bits(self.next),
            account_id: AccountId::from_bits(1),
            amount,
            base: Some(InBase { money: amount, rate: Decimal::ONE, rate_day: Day::of(moment) }),
            provider: Some("stripe".to_owned()),
            instrument: Some("card-1".to_owned()),
            instrument_country: Some(country("DE")),
            name: Some(NameMatch::Same),
        });
        self.history.movements.last_mut().unwrap()
    }

    pub fn deposit(&mut self, amount: &str, when: &str) -> &mut Movement {
        self.movement(MovementKind::Deposit, amount, when)
    }

    pub fn withdrawal(&mut self, amount: &str, when: &str) -> &mut Movement {
        self.movement(MovementKind::Withdrawal, amount, when)
    }

    pub fn login(&mut self, from: &str, when: &str) {
        self.history.logins.push(SeenLogin { at: at(when), country: Some(country(from)), device: None, address: None });
    }

    /// Closings of one size on a day.
    pub fn trades(&mut self, count: u32, lots: &str, day: &str) {
        let day: Day = day.parse().unwrap();
        let told: &mut TradingDay = self.history.days.entry(day).or_default();
        let closing = Closing {
            currency: "USD".parse().unwrap(),
            symbol: "EURUSD".to_owned(),
            lots: lots.parse().unwrap(),
            profit: Decimal::ONE,
            net: Decimal::ONE,
        };
        for _ in 0..count {
            told.count(&closing, Sign::Plus);
        }
    }

    /// The newest movement as a moment.
    pub fn last(&self) -> Moment {
        Moment::of_movement(self.history.movements.last().unwrap())
    }

    pub fn ask_of(&self, rules: &Scenarios, scenario: &str, moment: &Moment) -> Evaluation {
        let sight = Sight { history: &self.history, about: &self.about, rules, lists: lists() };
        evaluate(rules.get(scenario).unwrap(), sight, moment).unwrap()
    }

    pub fn ask(&self, scenario: &str, moment: &Moment) -> Evaluation {
        self.ask_of(rules(), scenario, moment)
    }

    /// In one word, at the newest movement.
    pub fn now(&self, scenario: &str) -> &'static str {
        word(&self.ask(scenario, &self.last()))
    }
}

/// An evaluation in one word.
pub fn word(evaluation: &Evaluation) -> &'static str {
    match evaluation {
        Evaluation::Hit(_) => "hit",
        Evaluation::NoHit(_) => "no",
        Evaluation::InsufficientHistory { .. } => "insufficient",
    }
}
