//! What a new client earns, reckoned a second time: once, when all holds in time, and taken back once with his deposit.

use std::collections::BTreeSet;

use domain::activity::{History, Movement, MovementKind};
use domain::partner::acquisition::{Acquisition, Brought};
use domain::partner::line::{AgreementRef, Line};
use domain::partner::period::Period;
use domain::{AccountId, Money, PaymentId};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::plain::hour;
use crate::world::*;

/// Something at an hour.
#[derive(Debug, Clone, Copy)]
pub enum Happens {
    /// He deposits so many dollars.
    Deposit(u32),
    /// So much of a deposit of his, the first being zero, goes back.
    Back(usize, u32, bool),
    /// It is looked at.
    Seen,
}

pub type Story = Vec<(u32, Happens)>;

const WITHIN_H: u32 = 30 * 24;
const CLAWBACK_H: u32 = 20 * 24;

pub fn stories() -> impl Strategy<Value = Story> {
    let what = prop_oneof![
        2 => (50_u32..600).prop_map(Happens::Deposit),
        2 => (0_usize..2, 1_u32..600, any::<bool>()).prop_map(|(of, part, back)| Happens::Back(of, part, back)),
        4 => Just(Happens::Seen),
    ];
    prop::collection::vec((0_u32..1_500, what), 1..16).prop_map(|mut all| {
        all.sort_by_key(|(when, _)| *when);
        all
    })
}

fn movement(kind: MovementKind, payment: usize, amount: u32, when: u32) -> Movement {
    Movement {
        at: hour(when),
        kind,
        payment_id: PaymentId::from_bits(u128::try_from(payment).unwrap()),
        account_id: AccountId::from_bits(1),
        amount: Money::new(Decimal::from(amount), currency("USD")).unwrap(),
        base: None,
        provider: None,
        instrument: None,
        instrument_country: None,
        name: None,
    }
}

/// What the facts say: when it was earned, and whether it stands.
#[derive(Default)]
struct Plain {
    first: Option<u32>,
    /// What is left of the first deposit that was made in time.
    left: u32,
    earned_at: Option<u32>,
    taken_back: bool,
    backs: Vec<u32>,
}

impl Plain {
    fn happens(&mut self, when: u32, what: Happens, deposits: usize) {
        match what {
            Happens::Deposit(amount) if self.first.is_none() && when <= WITHIN_H => {
                (self.first, self.left) = (Some(when), amount);
            }
            Happens::Deposit(_) => {}
            Happens::Back(of, amount, _) if of < deposits => {
                self.backs.push(when);
                if of == 0 && when <= WITHIN_H {
                    self.left = self.left.saturating_sub(amount);
                }
            }
            Happens::Back(..) => {}
            Happens::Seen => match self.earned_at {
                _ if self.taken_back => {}
                Some(at) => self.taken_back = self.backs.iter().any(|back| (at..=at + CLAWBACK_H).contains(back)),
                None if self.left >= 250 => self.earned_at = Some(when),
                None => {}
            },
        }
    }

    fn stands(&self) -> Decimal {
        if self.earned_at.is_some() && !self.taken_back { Decimal::from(150) } else { Decimal::ZERO }
    }
}

/// Plays a story in both; where they first differ.
pub fn compare(story: &Story) -> Result<(), String> {
    let rules = agreements(json!({"p": {"currency": "USD", "cpa": {
        "amounts": [
            {"id": "from_250", "when": {"field": "deposit", "gte": 250}, "then": 150},
            {"id": "less", "when": "always", "then": 0},
        ],
        "within": "30d", "verified": false, "hold": "5d", "clawback": "20d",
    }}}));
    let terms = rules.agreement("p").unwrap().cpa.as_ref().unwrap();
    let accepted = AgreementRef { id: "p".to_owned(), version: 1 };
    let by = partner(1);
    let brought = Brought {
        partner: &by,
        accepted: &accepted,
        currency: currency("USD"),
        registered_at: at(BEGIN),
        country: None,
    };
    let mut own = Acquisition::begun(&client(1));
    let (mut history, mut plain, mut deposits) = (History::default(), Plain::default(), 0);
    let mut lines: Vec<Line> = Vec::new();
    for (when, what) in story {
        plain.happens(*when, *what, deposits);
        match *what {
            Happens::Deposit(amount) => {
                history.movements.push(movement(MovementKind::Deposit, deposits, amount, *when));
                deposits += 1;
            }
            Happens::Back(of, amount, charged) if of < deposits => {
                let kind = if charged { MovementKind::Chargeback } else { MovementKind::Refund };
                history.movements.push(movement(kind, of, amount, *when));
            }
            Happens::Back(..) => {}
            Happens::Seen => {
                let now = (Period::of(hour(*when)), hour(*when));
                let gained = own.judged(terms, &brought, &history, now).map_err(|error| error.to_string())?;
                if let Some(gained) = gained {
                    lines.extend(gained.lines);
                    own = gained.decision.next;
                }
            }
        }
        if sum(&lines) != plain.stands() {
            return Err(format!("the new client earned {} by {when} and should have {}", sum(&lines), plain.stands()));
        }
    }
    let ids: BTreeSet<_> = lines.iter().map(|line| &line.id).collect();
    if ids.len() == lines.len() { Ok(()) } else { Err("an id is that of two lines of the new client".to_owned()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_new_client_earns_once_and_what_goes_back_takes_it_back_once(story in stories()) {
        if let Err(what) = compare(&story) {
            return Err(TestCaseError::fail(what));
        }
    }
}
