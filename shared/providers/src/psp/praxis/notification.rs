//! What Praxis's notifications and orders say about a payment.

use domain::input::Fault;
use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Money, Timestamp};

use super::lexemes::Message;
use super::units;

/// Where the two interfaces keep what a report needs.
struct Paths {
    order_id: &'static str,
    /// The transaction's number; never the processor's.
    reference: &'static str,
    kind: &'static str,
    status: &'static str,
    amount: (&'static str, &'static str),
    processed: (&'static str, &'static str),
}

const CURRENT: Paths = Paths {
    order_id: "session.order_id",
    reference: "transaction.tid",
    kind: "transaction.transaction_type",
    status: "transaction.transaction_status",
    amount: ("transaction.amount", "transaction.currency"),
    processed: ("transaction.processed_amount", "transaction.processed_currency"),
};

const LEGACY: Paths = Paths {
    order_id: "order_id",
    reference: "trace_id",
    kind: "transaction_type",
    status: "transaction_status",
    amount: ("amount", "currency"),
    processed: ("charge_amount", "charge_currency"),
};

/// Session statuses in which a payer can still pay, though there is no transaction yet.
const OPEN_SESSIONS: [&str; 4] = ["initialized", "created", "open", "pending"];

/// Reads a notification whose signature has been checked.
pub(super) fn read(psp: &str, message: &Message<'_>) -> Result<PspReport, Vec<Fault>> {
    if message.has_object("session") {
        // The vendor sends a session without a transaction only when it has expired.
        let closed = (!message.has_object("transaction")).then_some(("session.expired", PspStatus::Canceled));
        return report(psp, message, &CURRENT, closed);
    }
    report(psp, message, &LEGACY, None)
}

/// Reads an order that was asked for: a session without a transaction may be open still.
pub(super) fn read_order(psp: &str, message: &Message<'_>) -> Result<PspReport, Vec<Fault>> {
    let session = message.text("session.session_status").unwrap_or_default();
    let without = match OPEN_SESSIONS.contains(&session.as_str()) {
        true => ("session.open", PspStatus::Pending),
        false => ("session.expired", PspStatus::Canceled),
    };
    report(psp, message, &CURRENT, (!message.has_object("transaction")).then_some(without))
}

fn report(
    psp: &str,
    message: &Message<'_>,
    paths: &Paths,
    without_transaction: Option<(&str, PspStatus)>,
) -> Result<PspReport, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut need = |path: &str, wanted: bool| {
        let text = message.text(path).filter(|text| !text.is_empty());
        if text.is_none() && wanted {
            let pointer = format!("/{}", path.replace('.', "/"));
            faults.push(Fault::new(pointer, "missing", "A text or number is required."));
        }
        text
    };
    let at = need("timestamp", true).and_then(|text| Timestamp::from_seconds(text.parse().ok()?));
    let order_id = need(paths.order_id, true);
    let reference = need(paths.reference, without_transaction.is_none());
    let word = need(paths.status, without_transaction.is_none());
    let transaction_type = need(paths.kind, false);
    if at.is_none() && faults.is_empty() {
        faults.push(Fault::new("/timestamp", "not_a_number", "A time in seconds is required."));
    }
    let (Some(at), Some(order_id), true) = (at, order_id, faults.is_empty()) else { return Err(faults) };
    let reference = reference.unwrap_or_default();
    let (kind, status) = match without_transaction {
        Some((kind, status)) => (kind.to_owned(), status),
        None => {
            let word = word.unwrap_or_default();
            let transaction_type = transaction_type.unwrap_or_else(|| "sale".to_owned());
            let status = status(&transaction_type, &word, &reference, money(message, paths));
            (format!("{transaction_type}.{word}"), status)
        }
    };
    let statement = if reference.is_empty() { &order_id } else { &reference };
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{statement}:{kind}"),
        payment_id: order_id.parse().ok(),
        money: money(message, paths),
        reference,
        kind,
        status,
        at,
    })
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
fn money(message: &Message<'_>, paths: &Paths) -> Option<Money> {
    let (processed_amount, processed_currency) = paths.processed;
    let (amount, currency) = paths.amount;
    match (message.text(processed_amount), message.text(processed_currency)) {
        (None, None) => units::read(&message.text(amount)?, &message.text(currency)?),
        (processed, unit) => units::read(&processed?, &unit.or_else(|| message.text(currency))?),
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
