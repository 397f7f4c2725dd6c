//! A broker with partners: agreements from JSON, a tree, trades.

use std::collections::BTreeMap;

use domain::account::rules::Platform;
use domain::partner::accrual::Catalogue;
use domain::partner::book::{Book, Taken, TradeEvent};
use domain::partner::fine::Fine;
use domain::partner::line::{AgreementRef, Line, LineModel, TradeRef};
use domain::partner::network::Network;
use domain::partner::period::Period;
use domain::partner::rules::PartnerAgreements;
use domain::partner::trade::{Entry, Trade, TradeRate, TradeSide};
use domain::rules::RuleSet;
use domain::{ClientId, Currency, Money, PartnerId, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub fn seed() -> Value {
    let path = format!("{}/../../infra/rules/partner_agreements.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    serde_json::to_value(yaml).unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn period(text: &str) -> Period {
    text.parse().unwrap()
}

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub fn money(amount: &str, code: &str) -> Money {
    Money::parse(amount, currency(code)).unwrap()
}

pub fn partner(n: u128) -> PartnerId {
    PartnerId::from_bits(n)
}

pub fn client(n: u128) -> ClientId {
    ClientId::from_bits(n)
}

/// The seed with other agreements.
pub fn agreements(all: Value) -> PartnerAgreements {
    let mut document = seed();
    document["agreements"] = all;
    PartnerAgreements::parse(&document).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// An agreement that pays so much for each lot.
pub fn per_lot(rate: &str) -> Value {
    json!({"currency": "USD", "pay": [{"id": "lots", "model": "lot", "rates": [{"id": "all", "when": "always", "then": rate}]}]})
}

/// The same with something more, or something else.
pub fn with(mut base: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

/// The tiers of the article: a tenth more above a thousand lots.
pub fn tiered(rate: &str, apply: &str) -> Value {
    let mut agreement = per_lot(rate);
    agreement["pay"][0]["tiers"] =
        json!({"volume": "own", "apply": apply, "steps": [{"above": 1000, "factor": "1.1"}]});
    agreement
}

pub const BEGIN: &str = "2026-01-01T00:00:00Z";

/// Partners by number: each with his agreement and who is over him; client `n` is brought by partner `n`.
pub fn tree(partners: &[(u128, &str, Option<u128>)]) -> Network {
    let mut network = Network::default();
    let begin = at(BEGIN);
    for (id, agreement, parent) in partners {
        let accepted = AgreementRef { id: (*agreement).to_owned(), version: 1 };
        network.agreements.entry(partner(*id)).or_default().change(Some(accepted), begin, begin);
        network.clients.entry(client(*id)).or_default().change(Some(partner(*id)), begin, begin);
        if let Some(parent) = parent {
            network.put_under(&partner(*id), Some(&partner(*parent)), begin, begin, 10).unwrap();
        }
    }
    network
}

/// A close of so many lots of EURUSD.
pub fn trade(id: &str, of: u128, when: &str, lots: &str) -> Trade {
    Trade {
        id: id.to_owned(),
        version: 1,
        client: client(of),
        account_type: "standard".to_owned(),
        platform: Platform::Mt5,
        symbol: "EURUSD".to_owned(),
        segment: None,
        country: None,
        entry: Entry::Out,
        side: TradeSide::Sell,
        lots: dec(lots),
        closed_lots: None,
        contract_size: None,
        price: dec("1.10100"),
        open_price: Some(dec("1.10000")),
        spread_open: None,
        spread_close: None,
        profit: money("0", "USD"),
        commission: money("0", "USD"),
        swap: money("0", "USD"),
        opened_at: Some(at(BEGIN)),
        at: at(when),
        rates: Vec::new(),
    }
}

pub fn rate(base: &str, quote: &str, rate: &str) -> TradeRate {
    TradeRate {
        base: currency(base),
        quote: currency(quote),
        rate: dec(rate),
        source: "test".to_owned(),
        at: at(BEGIN),
    }
}

pub fn made(trade: Trade) -> TradeEvent {
    TradeEvent::Made(Box::new(trade))
}

pub fn deleted(trade: &Trade, version: u64) -> TradeEvent {
    let client = trade.client.clone();
    TradeEvent::Deleted { trade: TradeRef { id: trade.id.clone(), version }, client, at: trade.at, replaced: false }
}

pub fn catalogue(rules: &PartnerAgreements) -> Catalogue<'_> {
    Catalogue { live: rules, versions: BTreeMap::from([(1, rules)]) }
}

/// What came of events in one batch, of which none is held.
pub fn lines_of(rules: &PartnerAgreements, network: &Network, events: Vec<TradeEvent>) -> Vec<Line> {
    let catalogue = catalogue(rules);
    let taken = Book::new(&catalogue, network, period("2026-01")).take_all(events);
    assert_eq!(taken.held, []);
    taken.lines
}

/// The same, each event by itself in the order given.
pub fn one_by_one(book: &mut Book<'_>, events: &[TradeEvent]) -> Taken {
    let mut all = Taken::default();
    for event in events {
        let taken = book.take_all(vec![event.clone()]);
        all.lines.extend(taken.lines);
        all.held.extend(taken.held);
    }
    all
}

/// What lines come to, exactly.
pub fn sum<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Decimal {
    lines.into_iter().map(|line| line.amount.amount()).sum::<Decimal>().normalize()
}

/// What a partner gets by lines, as it is paid.
pub fn paid(lines: &[Line], who: u128) -> String {
    let exact = sum(lines.iter().filter(|line| line.partner == partner(who)));
    Fine::rounded(exact, currency("USD")).money().unwrap().amount_text()
}

pub fn of_model(lines: &[Line], model: LineModel) -> Vec<&Line> {
    lines.iter().filter(|line| line.model == model).collect()
}
