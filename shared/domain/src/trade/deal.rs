//! A deal as a bridge tells it (API.md, "Trades"), or as it was fetched: read, with what is wrong with it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entry, Side};
use crate::input::{Fault, Reader};
use crate::{Currency, Seconds, Timestamp};

/// The longest number of a deal, a position or a login, and the longest symbol.
const TEXT_MAX: usize = 64;
/// Clocks of trading servers differ; what lies further ahead is no time of a deal.
const AHEAD_MAX: Seconds = Seconds(86_400);
/// More lots, or more money, than any deal has.
const NUMBER_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Digits after the point that a number of a deal may have.
pub(super) const DIGITS_MAX: u32 = 8;

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// Its number on the server.
    pub deal: String,
    /// The number of its position.
    pub position: String,
    /// The login.
    pub login: String,
    /// The instrument, in the platform's words.
    pub symbol: String,
    /// Bought or sold.
    pub side: Side,
    /// What it does to the position.
    pub entry: Entry,
    /// How much.
    pub lots: Decimal,
    /// At which price.
    pub price: Decimal,
    /// Its result without costs, in `currency`.
    pub profit: Decimal,
    /// Negative: paid by the client.
    pub commission: Decimal,
    /// Negative: paid by the client.
    pub swap: Decimal,
    /// The account's currency.
    pub currency: Currency,
    /// When.
    pub at: Timestamp,
    /// When the position was opened, where the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// The number of the deal whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// The platform took it back. Not kept: the trade's standing says it.
    #[serde(skip)]
    pub deleted: bool,
}

/// Why a deal is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DealFault {
    /// Stable code in `snake_case`.
    pub code: &'static str,
    /// What is wrong, every fault of it, for a person.
    pub message: String,
}

impl DealFault {
    /// A fault.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn of(faults: &[Fault]) -> Option<Self> {
        let code = faults.first()?.code;
        let words = faults.iter().map(|fault| format!("{} {}", fault.pointer.trim_start_matches('/'), fault.message));
        Some(Self { code, message: words.collect::<Vec<_>>().join("; ") })
    }
}

impl Deal {
    /// Whether another one says the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let heard = Self { deleted: self.deleted, opened_at: self.opened_at, ..other.clone() };
        *self == heard
    }

    /// Whether another one says the same of everything but costs, prices and times, which platforms and bridges round differently.
    pub fn is_alike(&self, other: &Self) -> bool {
        let own = (&self.symbol, self.side, self.lots, self.profit, self.currency, self.entry == Entry::In);
        let theirs = (&other.symbol, other.side, other.lots, other.profit, other.currency, other.entry == Entry::In);
        own == theirs
    }

    /// In words, for records.
    pub fn in_words(&self) -> String {
        format!(
            "{} {} {} {} at {}, profit {} {}",
            self.side, self.entry, self.lots, self.symbol, self.price, self.profit, self.currency
        )
    }
}

/// Reads a deal that a bridge pushes.
///
/// # Errors
/// The deal's number, as far as it can be read, and every fault of it.
pub fn pushed(value: &Value, now: Timestamp) -> Result<Deal, (Option<String>, DealFault)> {
    let mut reader = Reader::new(value);
    let deal = name(&mut reader, "deal");
    let read = read(&mut reader, deal.clone(), now);
    let faults = reader.finish();
    match (read, DealFault::of(&faults)) {
        (Some(read), None) => Ok(read),
        (_, Some(fault)) => Err((deal, fault)),
        (None, None) => Err((deal, DealFault::new("malformed", "the deal cannot be read"))),
    }
}

fn read(reader: &mut Reader<'_>, deal: Option<String>, now: Timestamp) -> Option<Deal> {
    let (position, login) = (name(reader, "position"), name(reader, "login"));
    let symbol = reader.string("symbol").map(|text| reader.line("symbol", text, TEXT_MAX));
    let (side, entry) = (reader.word("side"), reader.word("entry"));
    let (lots, price) = (number(reader, "lots"), number(reader, "price"));
    let profit = number(reader, "profit");
    let (commission, swap) = (optional_number(reader, "commission"), optional_number(reader, "swap"));
    let currency = currency(reader);
    let at = time(reader, "at", now);
    let opened_at = reader.optional_time("opened_at");
    let corrects = reader.optional_value("corrects").and_then(|value| text_of(reader, "corrects", value));
    let deleted = reader.optional_bool("deleted").unwrap_or(false);
    if lots.is_some_and(|lots| lots <= Decimal::ZERO) {
        reader.fault_at("lots", "not_positive", "must be above zero");
    }
    if corrects.is_some() && corrects == deal {
        reader.fault_at("corrects", "itself", "a deal cannot take its own place");
    }
    Some(Deal {
        deal: deal?,
        position: position?,
        login: login?,
        symbol: symbol?,
        side: side?,
        entry: entry?,
        lots: lots?,
        price: price?,
        profit: profit?,
        commission,
        swap,
        currency: currency?,
        at: at?,
        opened_at,
        corrects,
        deleted,
    })
}

/// A number of the platform: text or a number, and never nothing.
fn name(reader: &mut Reader<'_>, field: &'static str) -> Option<String> {
    match reader.optional_value(field) {
        Some(value) => text_of(reader, field, value),
        None => {
            reader.fault_at(field, "missing", "is required");
            None
        }
    }
}

fn text_of(reader: &mut Reader<'_>, field: &'static str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            reader.fault_at(field, "wrong_type", "must be a text or a whole number");
            return None;
        }
    };
    let text = reader.line(field, &text, TEXT_MAX);
    (!text.is_empty()).then_some(text)
}

fn number(reader: &mut Reader<'_>, field: &'static str) -> Option<Decimal> {
    match reader.optional_value(field) {
        Some(value) => decimal(reader, field, value),
        None => {
            reader.fault_at(field, "missing", "is required");
            None
        }
    }
}

/// Zero where it is left out.
fn optional_number(reader: &mut Reader<'_>, field: &'static str) -> Decimal {
    let value = reader.optional_value(field);
    value.and_then(|value| decimal(reader, field, value)).unwrap_or_default()
}

fn decimal(reader: &mut Reader<'_>, field: &'static str, value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    // no other form than money has: an exponent is a slip more often than meant
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let Some(decimal) = text.parse::<Decimal>().ok().filter(|_| text.chars().all(plain)) else {
        reader.fault_at(field, "not_a_number", "must be a decimal such as \"0.10\"");
        return None;
    };
    if decimal.abs() >= NUMBER_MAX || decimal.scale() > DIGITS_MAX {
        reader.fault_at(
            field,
            "out_of_range",
            format!("must be below {NUMBER_MAX}, with at most {DIGITS_MAX} decimals"),
        );
        return None;
    }
    Some(decimal)
}

fn currency(reader: &mut Reader<'_>) -> Option<Currency> {
    let text = reader.string("currency")?;
    text.parse::<Currency>()
        .map_err(|error| reader.fault_at("currency", error.code(), format!("{error}, such as USD")))
        .ok()
}

fn time(reader: &mut Reader<'_>, field: &'static str, now: Timestamp) -> Option<Timestamp> {
    let at = reader.time(field)?;
    if at > now.plus(AHEAD_MAX) {
        reader.fault_at(field, "in_the_future", "lies more than a day ahead");
        return None;
    }
    Some(at)
}
