//! What Checkout.com's events say about a payment; the rows of `statements.md`.

use domain::input::Fault;
use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Money, Timestamp};
use serde_json::Value;

use super::units;

/// Reads a delivery whose signature has been checked.
pub(super) fn read(psp: &str, body: &[u8]) -> Result<PspReport, Vec<Fault>> {
    let event = domain::json::parse(body)?;
    let mut faults = Vec::new();
    let id = text(&event, "id", &mut faults);
    let kind = text(&event, "type", &mut faults);
    let (Some(id), Some(kind)) = (id, kind) else { return Err(faults) };
    let data = event.get("data").filter(|data| data.is_object());
    let status = status(&kind, data.unwrap_or(&Value::Null), &id);
    if status == PspStatus::Irrelevant {
        return Ok(no_concern(psp, id, kind));
    }
    let at = at(&event);
    if at.is_none() {
        faults.push(Fault::new("/created_on", "missing", "A time is required."));
    }
    if data.is_none() {
        faults.push(Fault::new("/data", "missing", "An object is required."));
    }
    let (Some(at), Some(data)) = (at, data) else { return Err(faults) };
    let named = |member: &str| data.get(member).and_then(Value::as_str).unwrap_or_default();
    // a dispute has a number of its own and names the payment apart
    let [ours, reference] = match kind.starts_with("dispute_") {
        true => ["payment_reference", "payment_id"],
        false => ["reference", "id"],
    };
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: id,
        payment_id: named(ours).parse().ok(),
        reference: named(reference).to_owned(),
        status,
        money: money(data),
        kind,
        at,
    })
}

fn no_concern(psp: &str, event_id: String, kind: String) -> PspReport {
    let (payment_id, reference) = (None, String::new());
    let (status, money, at) = (PspStatus::Irrelevant, None, Timestamp::EPOCH);
    PspReport { psp: psp.to_owned(), event_id, kind, payment_id, reference, status, money, at }
}

fn text(event: &Value, member: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let text = event.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text.is_none() {
        faults.push(Fault::new(format!("/{member}"), "missing", "A text is required."));
    }
    text.map(str::to_owned)
}

/// The vendor's time of the event. Some of its events call it by the former name.
fn at(event: &Value) -> Option<Timestamp> {
    let text = event.get("created_on").or_else(|| event.get("timestamp"))?.as_str()?;
    let at: jiff::Timestamp = text.parse().ok()?;
    Timestamp::from_millis(at.as_millisecond())
}

fn money(data: &Value) -> Option<Money> {
    units::read(data.get("amount")?.as_i64()?, data.get("currency")?.as_str()?)
}

/// What an event says. Types that are not listed say nothing about money of ours.
fn status(kind: &str, data: &Value, event_id: &str) -> PspStatus {
    let returned = |way, stands, id: &str| {
        let id = data.get(id).and_then(Value::as_str).filter(|id| !id.is_empty()).unwrap_or(event_id).to_owned();
        PspStatus::Returned(Returned::One { id, way, stands, amount: money(data) })
    };
    match kind {
        // a bank's yes is no money yet
        "payment_pending" | "payment_approved" | "payment_capture_pending" => PspStatus::Processing,
        "payment_captured" => PspStatus::Succeeded,
        "payment_declined" | "payment_authentication_failed" | "payment_capture_declined" | "payment_expired" => {
            PspStatus::Failed
        }
        "payment_canceled" | "payment_voided" => PspStatus::Canceled,
        "payment_refunded" | "payment_refund_pending" => returned(Way::Refund, true, "action_id"),
        "payment_refund_declined" => returned(Way::Refund, false, "action_id"),
        _ => match dispute_stands(kind, data) {
            Some(stands) => returned(Way::Dispute, stands, "id"),
            None => PspStatus::Irrelevant,
        },
    }
}

/// Whether a dispute has the money after an event; `None` where the event moves none.
fn dispute_stands(kind: &str, data: &Value) -> Option<bool> {
    match kind {
        "dispute_received"
        | "dispute_evidence_required"
        | "dispute_accepted"
        | "dispute_expired"
        | "dispute_lost"
        | "dispute_arbitration_lost" => Some(true),
        "dispute_canceled" | "dispute_won" | "dispute_arbitration_won" => Some(false),
        "dispute_resolved" => match data.get("resolved_reason").and_then(Value::as_str) {
            // it was settled with the payer's bank, out of our money
            Some("rapid_dispute_resolution") => Some(true),
            // the refund is told of by itself
            Some("already_refunded") => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::statements::tests::{rows, says};

    fn event(kind: &str, data: Value) -> Value {
        json!({"id": "evt_1", "type": kind, "version": "1.0.29", "created_on": "2023-05-24T09:28:33.7515599Z", "data": data})
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [kind, reason, wanted] in rows("checkout") {
            let data = json!({
                "id": "dsp_1", "action_id": "act_1", "payment_id": "pay_1", "amount": 10_000, "currency": "USD", "resolved_reason": reason,
            });
            let report = read("checkout", event(&kind, data).to_string().as_bytes()).unwrap();
            assert_eq!(says(&report.status), wanted, "{kind} {reason}");
            if let PspStatus::Returned(Returned::One { id, way, amount, .. }) = report.status {
                let number = if way == Way::Dispute { "dsp_1" } else { "act_1" };
                assert_eq!((id.as_str(), amount.unwrap().amount_text().as_str()), (number, "100.00"));
            }
        }
    }

    #[test]
    fn a_published_refund_is_read() {
        let data = json!({
            "id": "pay_234iojjumr4ejphuvcsnpnugs4", "action_id": "act_v3ap4uxinl6exk5hdgetatbywi", "reference": "ORD-5023-4E89",
            "amount": 40_000, "processed_on": "2023-05-24T09:28:29.3682789Z", "response_code": "10000", "currency": "EUR",
            "balances": {"total_captured": 40_000, "total_refunded": 40_000},
        });
        let report = read("checkout", event("payment_refunded", data).to_string().as_bytes()).unwrap();
        assert_eq!((report.reference.as_str(), report.payment_id), ("pay_234iojjumr4ejphuvcsnpnugs4", None));
        assert_eq!(report.at.millis(), 1_684_920_513_751);
        let id = "act_v3ap4uxinl6exk5hdgetatbywi".to_owned();
        let amount = units::read(40_000, "EUR");
        assert_eq!(report.status, PspStatus::Returned(Returned::One { id, way: Way::Refund, stands: true, amount }));
    }

    #[test]
    fn what_is_missing_is_told_at_once_and_what_is_no_concern_needs_nothing() {
        let faults = |body: Value| read("checkout", body.to_string().as_bytes()).map_err(|faults| faults.len());
        assert_eq!(faults(json!({})), Err(2));
        assert_eq!(faults(json!({"id": "evt_1", "type": "payment_captured"})), Err(2));
        assert_eq!(
            faults(json!({"id": "evt_1", "type": "payment_captured", "data": {}, "created_on": "soon"})),
            Err(1)
        );
        let other = faults(json!({"id": "evt_1", "type": "card_verified"})).unwrap();
        assert_eq!(other.status, PspStatus::Irrelevant);
    }
}
