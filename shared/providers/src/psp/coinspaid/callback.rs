//! What CoinsPaid's callbacks and answers say about a payment.

use domain::input::Fault;
use domain::payment::{Payout, PspReport, PspStatus};
use domain::{Currency, Money, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::psp::major;

/// Longest `foreign_id` that is looked at.
const FOREIGN_ID_CHARS_MAX: usize = 128;

/// A deposit that is scored with nothing else than a number from 0 to 1 is as risky as can be.
const RISK_MAX: u16 = 1_000;

/// The members that are read. Numbers keep the characters they were written with: of some the vendor writes text, of others numbers,
/// and not always the same.
#[derive(Deserialize)]
struct Callback<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
    /// Of a withdrawal; a deposit has it in its address.
    foreign_id: Option<String>,
    crypto_address: Option<Address>,
    #[serde(borrow)]
    currency_received: Option<Received<'a>>,
    #[serde(default, borrow)]
    transactions: Vec<Transaction<'a>>,
}

#[derive(Deserialize)]
struct Address {
    foreign_id: Option<String>,
}

#[derive(Deserialize)]
struct Received<'a> {
    currency: Option<String>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Transaction<'a> {
    #[serde(borrow)]
    riskscore: Option<&'a RawValue>,
}

/// Reads a callback whose signature has been checked, or an answer that has the same form.
pub(super) fn read(psp: &str, body: &[u8], at: Timestamp) -> Result<PspReport, Vec<Fault>> {
    domain::json::parse(body)?;
    let callback: Callback<'_> = serde_json::from_slice(body)
        .map_err(|_| vec![Fault::new("", "wrong_type", "A member has another type than the vendor's.")])?;
    let mut faults = Vec::new();
    let mut missing = |pointer: &str| {
        faults.push(Fault::new(pointer, "missing", "A value is required."));
    };
    let id = callback.id.and_then(written).filter(|id| is_number(id));
    if id.is_none() {
        missing("/id");
    }
    let kind = callback.kind.filter(|kind| !kind.is_empty());
    if kind.is_none() {
        missing("/type");
    }
    let word = callback.status.filter(|word| !word.is_empty());
    if word.is_none() {
        missing("/status");
    }
    let (Some(id), Some(kind), Some(word)) = (id, kind, word) else { return Err(faults) };
    let money = callback.currency_received.and_then(received);
    if is_withdrawal(&kind) {
        let ours = callback.foreign_id.filter(|id| id.len() <= FOREIGN_ID_CHARS_MAX);
        return Ok(PspReport {
            psp: psp.to_owned(),
            event_id: format!("{id}:{kind}.{word}"),
            payment_id: ours.and_then(|id| id.parse().ok()),
            status: payout(&word).map_or(PspStatus::Irrelevant, PspStatus::Payout),
            kind: format!("{kind}.{word}"),
            reference: id,
            // coins: what they are worth the order said
            money: None,
            at,
        });
    }
    let foreign_id = callback.crypto_address.and_then(|address| address.foreign_id).unwrap_or_default();
    let ours = Some(foreign_id).filter(|id| is_deposit(&kind) && id.len() <= FOREIGN_ID_CHARS_MAX);
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{id}:{kind}.{word}"),
        payment_id: ours.and_then(|id| id.parse().ok()),
        status: status(&kind, &word, risk(&callback.transactions)),
        kind: format!("{kind}.{word}"),
        // each transaction is a payment of its own, whatever address it came to
        reference: id,
        money,
        at,
    })
}

fn is_withdrawal(kind: &str) -> bool {
    matches!(kind, "withdrawal" | "withdrawal_exchange")
}

/// The vendor's words for what leaves us.
pub(super) fn payout(word: &str) -> Option<Payout> {
    match word {
        "processing" => Some(Payout::Pending),
        "confirmed" => Some(Payout::Paid),
        "cancelled" => Some(Payout::Failed),
        _ => None,
    }
}

fn is_deposit(kind: &str) -> bool {
    matches!(kind, "deposit" | "deposit_exchange")
}

/// The vendor's words by type; the rows of `statements.md`. What leaves us, exchanges and invoices are no deposits.
fn status(kind: &str, word: &str, risk: Option<u16>) -> PspStatus {
    match (is_deposit(kind), word) {
        (true, "confirmed") => match risk {
            Some(risk) => PspStatus::Scored { risk },
            None => PspStatus::Succeeded,
        },
        (true, "not_confirmed" | "processing") => PspStatus::Processing,
        // the payer may send other coins to the same address
        (true, "cancelled") => PspStatus::Failed,
        _ => PspStatus::Irrelevant,
    }
}

/// A text or number as it was written.
fn written(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'0'..=b'9' | b'-' => Some(text.to_owned()),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// What was received, in whole smallest units: a rate gives more decimals than money has, and a part of a cent is nobody's credit.
/// A currency that is not money (a coin that was not converted) is none.
fn received(received: Received<'_>) -> Option<Money> {
    let currency: Currency = received.currency?.parse().ok()?;
    let amount = written(received.amount?).filter(|amount| major::is_amount(amount))?;
    let amount: Decimal = amount.parse().ok()?;
    Money::new(amount.trunc_with_scale(currency.digits()), currency).ok()
}

/// The highest score of the coins that came, in thousandths; none where none was given. A score that cannot be read is the highest.
fn risk(transactions: &[Transaction<'_>]) -> Option<u16> {
    let scores = transactions.iter().filter_map(|transaction| transaction.riskscore.filter(|raw| raw.get() != "null"));
    scores.map(|raw| written(raw).as_deref().and_then(thousandths).unwrap_or(RISK_MAX)).max()
}

fn thousandths(score: &str) -> Option<u16> {
    let score: Decimal = Some(score).filter(|score| major::is_amount(score))?.parse().ok()?;
    score.checked_mul(Decimal::from(RISK_MAX))?.ceil().to_u16().filter(|risk| *risk <= RISK_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psp::statements::tests::{rows, says};

    /// The vendor's sample "Deposit BTC with exchange to EUR", with our number.
    fn sample() -> Value {
        json!({
            "id": 2_686_510, "type": "deposit_exchange",
            "crypto_address": {
                "id": 382_270, "currency": "BTC", "convert_to": "EUR", "address": "31vnLqxVJ1iShJ5Ly586q8XKucECx12bZS",
                "tag": null, "foreign_id": "pay_00000000000000000000000001",
            },
            "currency_sent": {"currency": "BTC", "amount": "0.01000000"},
            "currency_received": {"currency": "EUR", "amount": "84.17070222", "amount_minus_fee": "79.96216711"},
            "transactions": [
                {"id": 714_576, "currency": "BTC", "type": "deposit", "amount": "0.01", "riskscore": "0.42", "confirmations": "1"},
                {"id": 714_577, "currency": "BTC", "type": "exchange", "amount": "0.01", "amount_to": "84.17070222"},
            ],
            "fees": [{"type": "exchange", "currency": "EUR", "amount": "4.20853511"}],
            "error": "", "status": "confirmed",
        })
    }

    fn report(callback: &Value) -> PspReport {
        read("coinspaid", callback.to_string().as_bytes(), Timestamp::EPOCH).unwrap()
    }

    #[test]
    fn every_row_of_the_table_is_what_the_callback_says() {
        let rows = rows("coinspaid");
        assert!(rows.len() > 8);
        for [kind, word, wanted] in rows {
            let mut callback = sample();
            callback["type"] = json!(kind);
            callback["status"] = json!(word);
            assert_eq!(says(&report(&callback).status), wanted, "{kind} {word}");
        }
        assert_eq!(status("deposit", "a new word", None), PspStatus::Irrelevant);
        assert_eq!(status("deposit", "confirmed", None), PspStatus::Succeeded);
    }

    #[test]
    fn a_part_of_a_cent_is_nobodys_and_a_coin_is_no_money() {
        let read = report(&sample());
        assert_eq!((read.status, read.reference.as_str()), (PspStatus::Scored { risk: 420 }, "2686510"));
        assert_eq!(read.event_id, "2686510:deposit_exchange.confirmed");
        let money = |currency: &str, amount: Value| {
            let mut callback = sample();
            callback["currency_received"] = json!({"currency": currency, "amount": amount});
            report(&callback).money.map(|money| money.to_string())
        };
        assert_eq!(money("EUR", json!("84.17970222")).as_deref(), Some("84.17 EUR"));
        assert_eq!(money("JPY", json!("15000.99")).as_deref(), Some("15000 JPY"));
        // as it is written, also where it is a number
        assert_eq!(money("USD", json!(100.5)).as_deref(), Some("100.50 USD"));
        assert_eq!(money("EUR", json!("0.001")).as_deref(), Some("0.00 EUR"));
        for (currency, amount) in
            [("USDT", json!("100")), ("EUR", json!("-1")), ("EUR", json!("1e3")), ("EUR", json!("")), ("", json!("1"))]
        {
            assert_eq!(money(currency, amount.clone()), None, "{currency} {amount}");
        }
    }

    #[test]
    fn the_highest_score_counts_and_one_that_cannot_be_read_is_the_highest() {
        for (scores, wanted) in [
            (vec![json!("0.5")], Some(500)),
            (vec![json!(0.25), json!("0.7"), json!(null)], Some(700)),
            (vec![json!("0.0001")], Some(1)),
            (vec![json!("0")], Some(0)),
            (vec![json!("1")], Some(1_000)),
            (vec![json!("high")], Some(1_000)),
            (vec![json!("42")], Some(1_000)),
            (vec![json!({"score": 0.1})], Some(1_000)),
            (vec![json!(null)], None),
            (vec![], None),
        ] {
            let mut callback = sample();
            callback["transactions"] = scores.iter().map(|score| json!({"riskscore": score})).collect();
            let risk = match report(&callback).status {
                PspStatus::Scored { risk } => Some(risk),
                _ => None,
            };
            assert_eq!(risk, wanted, "{scores:?}");
        }
    }

    #[test]
    fn whose_it_is_only_our_own_number_says() {
        for foreign_id in [json!("user-id:2048"), json!(null), json!("pay_1"), json!("x".repeat(500))] {
            let mut callback = sample();
            callback["crypto_address"]["foreign_id"] = foreign_id;
            assert_eq!(report(&callback).payment_id, None);
        }
        // a payout of ours carries our number elsewhere, and is no deposit
        let mut payout = sample();
        payout["type"] = json!("withdrawal");
        let told = report(&payout);
        assert_eq!((told.payment_id, told.status), (None, PspStatus::Payout(Payout::Paid)));
        let own = domain::PaymentId::from_bits(7);
        payout["foreign_id"] = json!(own);
        assert_eq!((report(&payout).payment_id, report(&payout).money), (Some(own), None));
    }

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let faults = read("coinspaid", b"{\"id\":\"x\"}", Timestamp::EPOCH).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/id", "/type", "/status"]);
        for body in ["", "[]", "null", "{\"id\":1,\"id\":2}", "{\"crypto_address\":7}"] {
            assert!(read("coinspaid", body.as_bytes(), Timestamp::EPOCH).is_err(), "{body}");
        }
    }
}
