//! A client and what he does, minute by minute of two years: the year before is history, the second one is measured.

use domain::activity::day::{Closing, Sign};
use domain::activity::{History, InBase, Movement, MovementKind, NameMatch, SeenLogin};
use domain::compliance::About;
use domain::{AccountId, ClientId, Country, Currency, Day, Money, PaymentId, Timestamp};
use rust_decimal::Decimal;

use crate::planted::{Difficulty, Story};
use crate::random::Random;

/// 1 January 2024.
const BEGIN_MS: i64 = 1_704_067_200_000;
/// Minutes of a day.
pub const DAY: i64 = 1_440;
/// 1 January 2025, in days from the beginning.
pub const MEASURED: i64 = 366;
/// 1 January 2026.
pub const END: i64 = 731;

/// A minute from the beginning as a moment.
pub fn moment(minute: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN_MS + minute * 60_000).unwrap()
}

/// A country by its code.
pub fn country(code: &str) -> Country {
    code.parse().unwrap()
}

/// What was planted in a client, and when.
#[derive(Debug, Clone, Copy)]
pub struct Plant {
    pub story: Story,
    pub difficulty: Difficulty,
    /// The minute with which it begins.
    pub from: i64,
    /// The minute with which it is over, and an alert can be of it.
    pub until: i64,
}

/// A client.
#[derive(Debug)]
pub struct Person {
    pub about: About,
    pub history: History,
    /// What kind of client he is, as the figures call it.
    pub kind: &'static str,
    pub plant: Option<Plant>,
    pub random: Random,
    /// The day on which he registered.
    pub since: i64,
    /// How much money is to him what 1 is to others.
    pub level: f64,
    /// Lots that he usually trades.
    pub lots: f64,
    /// How his own deposits are named.
    pub name: NameMatch,
    /// The share of his deposits that his wife pays.
    pub by_others: f64,
    number: u64,
    payments: u64,
}

impl Person {
    /// Somebody of whom nothing but his papers is known.
    pub fn new(seed: u64, number: u64, since: i64) -> Self {
        let home = country("DE");
        let about = About {
            client_id: ClientId::from_bits(u128::from(number)),
            residence: home,
            nationality: home,
            entity: None,
            risk_band: None,
            pep: None,
            since: moment(since * DAY),
        };
        Self {
            history: History { whole_from: Some(about.since), ..History::default() },
            about,
            kind: "",
            plant: None,
            random: Random::of(seed, number),
            since,
            level: 1.0,
            lots: 0.1,
            name: NameMatch::Same,
            by_others: 0.0,
            number,
            payments: 0,
        }
    }

    /// Money moves, unless the time is outside of what is told.
    pub fn moves(&mut self, kind: MovementKind, minute: i64, amount: f64, name: NameMatch) {
        if minute < self.since * DAY || minute >= END * DAY || amount < 1.0 {
            return;
        }
        self.payments += 1;
        let amount = Money::parse(&format!("{amount:.2}"), usd()).unwrap();
        let at = moment(minute);
        self.history.movements.push(Movement {
            at,
            kind,
            payment_id: PaymentId::from_bits(u128::from(self.number) << 32 | u128::from(self.payments)),
            account_id: AccountId::from_bits(u128::from(self.number)),
            amount,
            base: Some(InBase { money: amount, rate: Decimal::ONE, rate_day: Day::of(at) }),
            provider: Some("cards".to_owned()),
            instrument: None,
            instrument_country: None,
            name: Some(name),
        });
    }

    /// A deposit, by himself or as he usually has it paid; now and then one fails before.
    pub fn deposit(&mut self, minute: i64, amount: f64) {
        if self.random.is(0.03) {
            self.moves(MovementKind::DepositFailed, minute - 2, amount, self.name);
        }
        let name = if self.random.is(self.by_others) { NameMatch::Other } else { self.name };
        self.moves(MovementKind::Deposit, minute, amount, name);
        self.login(minute - 5);
    }

    /// A withdrawal that was paid out.
    pub fn withdraw(&mut self, minute: i64, amount: f64) {
        self.moves(MovementKind::Withdrawal, minute, amount, NameMatch::Same);
        self.login(minute - 30);
    }

    /// He logs in at home.
    pub fn login(&mut self, minute: i64) {
        let home = self.about.residence;
        self.login_from(minute, Some(home));
    }

    /// He logs in from somewhere.
    pub fn login_from(&mut self, minute: i64, from: Option<Country>) {
        if (self.since * DAY..END * DAY).contains(&minute) {
            let device = Some(format!("device-{}", self.number));
            self.history.logins.push(SeenLogin { at: moment(minute), country: from, device, address: None });
        }
    }

    /// Closings of a day, one of them of another size.
    pub fn trades(&mut self, day: i64, count: i64, lots: f64, largest: f64) {
        if !(self.since..END).contains(&day) {
            return;
        }
        let told = self.history.days.entry(Day::of(moment(day * DAY))).or_default();
        for n in 0..count {
            let lots = if n == 0 { largest } else { lots };
            let lots = Decimal::from_str_exact(&format!("{:.2}", lots.max(0.01))).unwrap();
            let (profit, net) = (Decimal::ONE, Decimal::ONE);
            told.count(&Closing { currency: usd(), symbol: "EURUSD".to_owned(), lots, profit, net }, Sign::Plus);
        }
        self.login(day * DAY + 480 + count);
    }

    /// A day as he usually trades.
    pub fn usual_day(&mut self, day: i64, count: i64) {
        let lots = self.lots * self.random.spread(0.3);
        let news = if self.random.is(0.01) { self.random.between(3.0, 5.0) } else { 1.0 };
        let largest = lots * self.random.between(1.0, 1.6) * news;
        self.trades(day, count, lots, largest);
    }

    /// What he did between two days is forgotten: he slept.
    pub fn slept(&mut self, from: i64, until: i64) {
        let within = |at: Timestamp| moment(from * DAY) <= at && at < moment(until * DAY);
        self.history.movements.retain(|one| !within(one.at));
        self.history.logins.retain(|one| !within(one.at));
        self.history.days.retain(|day, _| !within(day.begins()));
    }

    /// Everything in its order.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.history.movements.sort_by(|a, b| (a.at, &a.payment_id).cmp(&(b.at, &b.payment_id)));
        self.history.logins.sort_by_key(|one| one.at);
        self
    }
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}
