//! What Stripe's events say about a payment.

use domain::input::Fault;
use domain::payment::{PspReport, PspStatus};
use domain::{Money, Timestamp};
use serde_json::Value;

use super::units;

/// Reads a delivery whose signature has been checked.
pub(super) fn read(psp: &str, body: &[u8]) -> Result<PspReport, Vec<Fault>> {
    let event: Value = serde_json::from_slice(body)
        .map_err(|_| vec![Fault::new("", "malformed_json", "The body must be a JSON object.")])?;
    let mut faults = Vec::new();
    let id = text(&event, "id", &mut faults);
    let kind = text(&event, "type", &mut faults);
    let at = event.get("created").and_then(Value::as_i64).and_then(Timestamp::from_seconds);
    if at.is_none() {
        faults.push(Fault::new("/created", "missing", "A time in seconds is required."));
    }
    let object = event.pointer("/data/object").filter(|object| object.is_object());
    if object.is_none() {
        faults.push(Fault::new("/data/object", "missing", "An object is required."));
    }
    let (Some(id), Some(kind), Some(at), Some(object)) = (id, kind, at, object) else { return Err(faults) };
    let status = status(&kind);
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: id,
        payment_id: payment_id(object),
        reference: reference(object),
        money: money(status, object),
        status,
        kind,
        at,
    })
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
        money: money(status, intent),
        status,
        reference,
        kind,
        at,
    })
}

fn status(kind: &str) -> PspStatus {
    match kind {
        "payment_intent.created" | "payment_intent.requires_action" => PspStatus::Pending,
        "payment_intent.processing" => PspStatus::Processing,
        "payment_intent.succeeded" => PspStatus::Succeeded,
        "payment_intent.payment_failed" => PspStatus::Failed,
        "payment_intent.canceled" => PspStatus::Canceled,
        "charge.refunded" => PspStatus::Refunded,
        "charge.dispute.created" => PspStatus::ChargedBack,
        _ => PspStatus::Irrelevant,
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
fn money(status: PspStatus, object: &Value) -> Option<Money> {
    let amount = match status {
        PspStatus::Succeeded => object.get("amount_received"),
        PspStatus::Refunded => object.get("amount_refunded").or_else(|| object.get("amount")),
        PspStatus::Pending
        | PspStatus::Processing
        | PspStatus::Failed
        | PspStatus::Canceled
        | PspStatus::ChargedBack
        | PspStatus::Irrelevant => object.get("amount"),
    };
    units::read(amount?.as_i64()?, object.get("currency")?.as_str()?)
}
