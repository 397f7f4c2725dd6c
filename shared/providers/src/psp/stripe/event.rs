//! What Stripe's events say about a payment.

use domain::input::Fault;
use domain::payment::{Payout, PspReport, PspStatus, Returned, Way};
use domain::{Money, Timestamp};
use serde_json::Value;

use super::units;

/// Reads a delivery whose signature has been checked.
pub(super) fn read(psp: &str, body: &[u8]) -> Result<PspReport, Vec<Fault>> {
    let event = domain::json::parse(body)?;
    let mut faults = Vec::new();
    let id = text(&event, "id", &mut faults);
    let kind = text(&event, "type", &mut faults);
    if let (Some(id), Some(kind)) = (&id, kind.as_ref().filter(|kind| !is_about_payments(kind))) {
        return Ok(no_concern(psp, id, kind));
    }
    let at = event.get("created").and_then(Value::as_i64).and_then(Timestamp::from_seconds);
    if at.is_none() {
        faults.push(Fault::new("/created", "missing", "A time in seconds is required."));
    }
    let object = event.pointer("/data/object").filter(|object| object.is_object());
    if object.is_none() {
        faults.push(Fault::new("/data/object", "missing", "An object is required."));
    }
    let (Some(id), Some(kind), Some(at), Some(object)) = (id, kind, at, object) else { return Err(faults) };
    if let Some(report) = payout(psp, &id, &kind, at, object) {
        return Ok(report);
    }
    let status = status(&kind, object, &id);
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: id,
        payment_id: payment_id(object),
        reference: reference(object),
        money: money(&status, object),
        status,
        kind,
        at,
    })
}

/// What an event says of a refund by which we pay a withdrawal out; none where it is another's.
fn payout(psp: &str, id: &str, kind: &str, at: Timestamp, object: &Value) -> Option<PspReport> {
    if !matches!(kind, "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated") {
        return None;
    }
    let payment_id = Some(withdrawal_id(object)?);
    Some(PspReport {
        psp: psp.to_owned(),
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        payment_id,
        reference: object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        status: refund_pays_out(kind, object).map_or(PspStatus::Irrelevant, PspStatus::Payout),
        money: amount(object, "amount"),
        at,
    })
}

/// The withdrawal that a refund of ours names.
pub(super) fn withdrawal_id(object: &Value) -> Option<domain::PaymentId> {
    object.pointer("/metadata/withdrawal_id")?.as_str()?.parse().ok()
}

/// Where a payout stands that is a refund. One that the card's bank has yet to take is on its way.
pub(super) fn refund_pays_out(kind: &str, refund: &Value) -> Option<Payout> {
    match refund.get("status").and_then(Value::as_str) {
        Some("succeeded") => Some(Payout::Paid),
        Some("pending" | "requires_action") => Some(Payout::Pending),
        Some("failed" | "canceled") => Some(Payout::Failed),
        _ if kind == "refund.failed" => Some(Payout::Failed),
        _ => None,
    }
}

/// Whether events of a type can be about a payment. What else an endpoint is sent is taken as it is: refused, it would come again for
/// days, and then nothing would come any more.
fn is_about_payments(kind: &str) -> bool {
    ["payment_intent.", "charge.", "refund."].iter().any(|family| kind.starts_with(family))
}

fn no_concern(psp: &str, id: &str, kind: &str) -> PspReport {
    PspReport {
        psp: psp.to_owned(),
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        payment_id: None,
        reference: String::new(),
        status: PspStatus::Irrelevant,
        money: None,
        at: Timestamp::EPOCH,
    }
}

/// What a payment intent says when asked for. The vendor's own word is its status.
pub(super) fn read_intent(psp: &str, intent: &Value, at: Timestamp) -> Option<PspReport> {
    let reference = intent.get("id")?.as_str()?.to_owned();
    let kind = intent.get("status")?.as_str()?.to_owned();
    let failed = intent.get("last_payment_error").is_some_and(|error| !error.is_null());
    let status = match kind.as_str() {
        "succeeded" => PspStatus::Succeeded,
        // Held on the card and not yet collected.
        "processing" | "requires_capture" => PspStatus::Processing,
        "canceled" => PspStatus::Canceled,
        "requires_payment_method" if failed => PspStatus::Failed,
        "requires_payment_method" | "requires_confirmation" | "requires_action" => PspStatus::Pending,
        _ => return None,
    };
    Some(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{reference}:{kind}"),
        payment_id: payment_id(intent),
        money: money(&status, intent),
        status,
        reference,
        kind,
        at,
    })
}

/// What an event says; the rows of `statements.md`.
fn status(kind: &str, object: &Value, event_id: &str) -> PspStatus {
    match kind {
        "payment_intent.created" | "payment_intent.requires_action" => PspStatus::Pending,
        "payment_intent.processing" => PspStatus::Processing,
        "payment_intent.succeeded" => PspStatus::Succeeded,
        "payment_intent.payment_failed" => PspStatus::Failed,
        "payment_intent.canceled" => PspStatus::Canceled,
        "charge.refunded" => PspStatus::Returned(Returned::Total { amount: amount(object, "amount_refunded") }),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            returned(Way::Refund, refund_stands(kind, object), object, event_id)
        }
        _ if kind.starts_with("charge.dispute.") => {
            returned(Way::Dispute, dispute_stands(kind, object), object, event_id)
        }
        _ => PspStatus::Irrelevant,
    }
}

fn returned(way: Way, stands: Option<bool>, object: &Value, event_id: &str) -> PspStatus {
    let Some(stands) = stands else { return PspStatus::Irrelevant };
    let id = object.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).unwrap_or(event_id).to_owned();
    PspStatus::Returned(Returned::One { id, way, stands, amount: amount(object, "amount") })
}

/// Whether a refund stands; `None` where it says nothing. One that is pending has left our balance.
fn refund_stands(kind: &str, object: &Value) -> Option<bool> {
    match object.get("status").and_then(Value::as_str) {
        Some("pending" | "requires_action" | "succeeded") => Some(true),
        Some("failed" | "canceled") => Some(false),
        _ if kind == "refund.failed" => Some(false),
        _ => None,
    }
}

/// Whether a dispute has the money; `None` where none moved: an inquiry (`warning_…`), or a dispute that was prevented. Its own
/// status decides; the event's name only where a status is none of those that are known.
fn dispute_stands(kind: &str, object: &Value) -> Option<bool> {
    match object.get("status").and_then(Value::as_str) {
        Some("needs_response" | "under_review" | "lost") => Some(true),
        Some("won") => Some(false),
        Some("prevented") => None,
        Some(inquiry) if inquiry.starts_with("warning_") => None,
        _ => match kind {
            "charge.dispute.created" | "charge.dispute.funds_withdrawn" => Some(true),
            "charge.dispute.funds_reinstated" => Some(false),
            _ => None,
        },
    }
}

fn text(event: &Value, member: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let text = event.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text.is_none() {
        faults.push(Fault::new(format!("/{member}"), "missing", "A text is required."));
    }
    text.map(str::to_owned)
}

/// Stripe copies an intent's metadata to its charges; a dispute has its own, which never holds our id.
pub(super) fn payment_id(object: &Value) -> Option<domain::PaymentId> {
    object.pointer("/metadata/payment_id")?.as_str()?.parse().ok()
}

/// The payment intent: the object itself, or the one a charge or dispute names, expanded or not.
fn reference(object: &Value) -> String {
    let id = match object.get("object").and_then(Value::as_str) {
        Some("payment_intent") => object.get("id"),
        _ => object.get("payment_intent").map(|intent| intent.get("id").unwrap_or(intent)),
    };
    id.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// No amount or a currency we do not know is no error: whoever reads the report must not credit it, and must learn
/// of it.
fn money(status: &PspStatus, object: &Value) -> Option<Money> {
    match status {
        PspStatus::Succeeded | PspStatus::Scored { .. } => amount(object, "amount_received"),
        PspStatus::Returned(Returned::Total { amount } | Returned::One { amount, .. }) => *amount,
        PspStatus::Pending
        | PspStatus::Payable { .. }
        | PspStatus::Processing
        | PspStatus::Failed
        | PspStatus::Canceled
        | PspStatus::Payout(_)
        | PspStatus::Irrelevant => amount(object, "amount"),
    }
}

fn amount(object: &Value, member: &str) -> Option<Money> {
    units::read(object.get(member)?.as_i64()?, object.get("currency")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::statements::tests::{rows, says};

    #[test]
    fn every_row_about_a_withdrawal_is_what_the_event_says() {
        let withdrawal = domain::PaymentId::from_bits(7);
        for [event, status, wanted] in rows("stripe, our refund") {
            let object = json!({
                "id": "re_1", "object": "refund", "payment_intent": "pi_1", "status": status, "amount": 10_000,
                "currency": "usd", "metadata": {"withdrawal_id": withdrawal},
            });
            let body = json!({"id": "evt_1", "type": event, "created": 1_700_000_000, "data": {"object": object}});
            let report = read("stripe", body.to_string().as_bytes()).unwrap();
            assert_eq!(says(&report.status), wanted, "{event} {status}");
            assert_eq!((report.payment_id.as_ref(), report.reference.as_str()), (Some(&withdrawal), "re_1"));
        }
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [event, status, wanted] in rows("stripe") {
            let object = json!({
                "id": "obj_1", "object": "refund", "payment_intent": "pi_1", "status": status, "amount": 10_000,
                "amount_received": 10_000, "amount_refunded": 4_000, "currency": "usd", "metadata": {},
            });
            let body = json!({"id": "evt_1", "type": event, "created": 1_700_000_000, "data": {"object": object}});
            let report = read("stripe", body.to_string().as_bytes()).unwrap();
            assert_eq!(says(&report.status), wanted, "{event} {status}");
            match report.status {
                PspStatus::Returned(Returned::Total { amount }) => assert_eq!(amount.unwrap().amount_text(), "40.00"),
                PspStatus::Returned(Returned::One { id, amount, .. }) => {
                    assert_eq!((id.as_str(), amount.unwrap().amount_text().as_str()), ("obj_1", "100.00"));
                }
                _ => {}
            }
        }
    }
}
