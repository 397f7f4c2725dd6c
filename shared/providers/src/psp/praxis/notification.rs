//! What Praxis's notifications and orders say about a payment.

use domain::input::Fault;
use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Money, Timestamp};

use super::lexemes::Message;
use super::signed::{Signed, Transaction};
use super::units;

/// Where each interface keeps what nobody signs.
struct Claim {
    kind: &'static str,
    status: &'static str,
}

const CURRENT: Claim = Claim { kind: "transaction.transaction_type", status: "transaction.transaction_status" };
const LEGACY: Claim = Claim { kind: "transaction_type", status: "transaction_status" };

/// Session statuses in which a payer can still pay, though there is no transaction yet.
const OPEN_SESSIONS: [&str; 4] = ["initialized", "created", "open", "pending"];

/// What a notification says: what it proves, and the status that it claims.
pub(super) fn read(psp: &str, message: &Message<'_>, signed: Signed) -> Result<PspReport, Vec<Fault>> {
    let Signed { at, order_id, transaction } = signed;
    let Some(Transaction { tid, processed }) = transaction else {
        // The vendor sends a session without a transaction only when it has expired.
        return Ok(report(
            psp,
            at,
            &order_id,
            String::new(),
            ("session.expired".to_owned(), PspStatus::Canceled),
            None,
        ));
    };
    let claim = claim(message);
    let word = claimed(message).ok_or_else(|| missing(claim.status))?;
    let money = processed.and_then(|(amount, currency)| units::read(&amount, &currency));
    let said = said(message.text(claim.kind), &word, &tid, money);
    Ok(report(psp, at, &order_id, tid, said, money))
}

/// Reads an order that was asked for: a session without a transaction may be open still. What proves the answer is the
/// connection, so all of it counts.
pub(super) fn read_order(psp: &str, message: &Message<'_>) -> Result<PspReport, Vec<Fault>> {
    let need = |path: &str| message.text(path).filter(|text| !text.is_empty()).ok_or_else(|| missing(path));
    let at = need("timestamp")?.parse().ok().and_then(Timestamp::from_seconds);
    let at = at.ok_or_else(|| vec![Fault::new("/timestamp", "not_a_number", "A time in seconds is required.")])?;
    let order_id = need("session.order_id")?;
    let session = message.text("session.session_status").unwrap_or_default();
    if !message.has_object("transaction") {
        let said = match OPEN_SESSIONS.contains(&session.as_str()) {
            true => ("session.open".to_owned(), PspStatus::Pending),
            false => ("session.expired".to_owned(), PspStatus::Canceled),
        };
        return Ok(report(psp, at, &order_id, String::new(), said, None));
    }
    let tid = need("transaction.tid")?;
    let money = money(message);
    let said = said(message.text(CURRENT.kind), &need(CURRENT.status)?, &tid, money);
    Ok(report(psp, at, &order_id, tid, said, money))
}

/// Everything that is wrong with a notification whose signed values are not as they must be.
pub(super) fn faults(message: &Message<'_>, mut signed: Vec<Fault>) -> Vec<Fault> {
    if message.has_object("transaction") && claimed(message).is_none() {
        signed.extend(missing(claim(message).status));
    }
    signed
}

fn claim(message: &Message<'_>) -> &'static Claim {
    if message.has_object("session") { &CURRENT } else { &LEGACY }
}

fn claimed(message: &Message<'_>) -> Option<String> {
    message.text(claim(message).status).filter(|word| !word.is_empty())
}

fn missing(path: &str) -> Vec<Fault> {
    vec![Fault::new(format!("/{}", path.replace('.', "/")), "missing", "A text or number is required.")]
}

fn said(transaction_type: Option<String>, word: &str, tid: &str, money: Option<Money>) -> (String, PspStatus) {
    let transaction_type = transaction_type.unwrap_or_else(|| "sale".to_owned());
    let status = status(&transaction_type, word, tid, money);
    (format!("{transaction_type}.{word}"), status)
}

fn report(
    psp: &str,
    at: Timestamp,
    order_id: &str,
    reference: String,
    (kind, status): (String, PspStatus),
    money: Option<Money>,
) -> PspReport {
    let statement = if reference.is_empty() { order_id } else { &reference };
    PspReport {
        psp: psp.to_owned(),
        event_id: format!("{statement}:{kind}"),
        payment_id: order_id.parse().ok(),
        money,
        reference,
        kind,
        status,
        at,
    }
}

/// The vendor's words by type of transaction; the rows of `statements.md`. Payouts are no deposits, and words that are not listed
/// say nothing we could act upon. Each refund is a transaction of its own, with its own number.
fn status(transaction_type: &str, word: &str, number: &str, amount: Option<Money>) -> PspStatus {
    let returned = |way, stands| PspStatus::Returned(Returned::One { id: number.to_owned(), way, stands, amount });
    match (transaction_type, word) {
        ("refund", "approved") => returned(Way::Refund, true),
        ("refund", "rejected" | "declined" | "error" | "cancelled" | "reversed") => returned(Way::Refund, false),
        // Held on the card: collecting it is another transaction.
        ("authorize", "approved") => PspStatus::Processing,
        ("sale", "approved") => PspStatus::Succeeded,
        ("sale" | "authorize", "initialized" | "pending") => PspStatus::Pending,
        ("sale" | "authorize", "pending_async" | "authorized") => PspStatus::Processing,
        ("sale" | "authorize", "rejected" | "declined" | "error") => PspStatus::Failed,
        ("sale" | "authorize", "cancelled") => PspStatus::Canceled,
        ("sale", "chargeback") => returned(Way::Dispute, true),
        ("sale", "reversed") => returned(Way::Refund, true),
        _ => PspStatus::Irrelevant,
    }
}

/// What was processed is what arrived; what was asked for may differ by fees, crypto and conversion. If the processed
/// amount is there and cannot be told, the asked one is no stand-in.
fn money(message: &Message<'_>) -> Option<Money> {
    let text = |path: &str| message.text(path);
    match (text("transaction.processed_amount"), text("transaction.processed_currency")) {
        (None, None) => units::read(&text("transaction.amount")?, &text("transaction.currency")?),
        (processed, unit) => units::read(&processed?, &unit.or_else(|| text("transaction.currency"))?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psp::statements::tests::{rows, says};

    #[test]
    fn every_row_of_the_table_is_what_the_transaction_says() {
        for [kind, word, wanted] in rows("praxis") {
            assert_eq!(says(&status(&kind, &word, "756850", None)), wanted, "{kind} {word}");
        }
        for (kind, word) in [("sale", "requested"), ("sale", "something new"), ("something new", "approved")] {
            assert_eq!(status(kind, word, "756850", None), PspStatus::Irrelevant, "{kind} {word}");
        }
    }
}
