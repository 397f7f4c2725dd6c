//! What Paysafe's events, payments and handles say about a payment.

use domain::input::Fault;
use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Currency, Money, Timestamp};
use serde_json::Value;

/// Longest id of the vendor's that is kept.
const ID_CHARS_MAX: usize = 64;

/// Reads a delivery whose signature has been checked.
pub(super) fn read(psp: &str, body: &[u8], now: Timestamp) -> Result<PspReport, Vec<Fault>> {
    let event = domain::json::parse(body)?;
    let name = text(&event, "eventName").or_else(|| text(&event, "eventType"));
    let Some(name) = name else {
        return Err(vec![Fault::new("/eventName", "missing", "A text is required.")]);
    };
    // what somebody sends from the back office to see whether it arrives
    if text(&event, "mode") == Some("test") || !is_about_payments(name) {
        return Ok(no_concern(psp, name, &event, now));
    }
    let payload = event.get("payload").filter(|payload| payload.is_object());
    let id = payload.and_then(|payload| text(payload, "id")).or_else(|| text(&event, "resourceId"));
    let (Some(payload), Some(id)) = (payload, id.filter(|id| id.len() <= ID_CHARS_MAX)) else {
        return Err(vec![Fault::new("/payload/id", "missing", "A text is required.")]);
    };
    let at = text(&event, "eventDate").and_then(|date| date.parse().ok()).unwrap_or(now);
    Ok(report(psp, name, id, payload, at))
}

/// A payment that was asked for, as the event that would tell of it.
pub(super) fn read_payment(psp: &str, payment: &Value, now: Timestamp) -> Option<PspReport> {
    let name = format!("PAYMENT_{}", word(text(payment, "status")?));
    Some(report(psp, &name, text(payment, "id")?, payment, time(payment).unwrap_or(now)))
}

/// A handle that was asked for.
pub(super) fn read_handle(psp: &str, handle: &Value, now: Timestamp) -> Option<PspReport> {
    let name = format!("PAYMENT_HANDLE_{}", word(text(handle, "status")?));
    Some(report(psp, &name, text(handle, "id")?, handle, time(handle).unwrap_or(now)))
}

/// Objects have a shorter word for this than events.
fn word(status: &str) -> &str {
    if status == "ERROR" { "ERRORED" } else { status }
}

fn time(object: &Value) -> Option<Timestamp> {
    ["updatedTime", "statusTime", "txnTime"].into_iter().find_map(|name| text(object, name)?.parse().ok())
}

fn is_about_payments(name: &str) -> bool {
    name.starts_with("PAYMENT_") || name.starts_with("REFUND_")
}

fn no_concern(psp: &str, name: &str, event: &Value, now: Timestamp) -> PspReport {
    let id = text(event, "resourceId").filter(|id| id.len() <= ID_CHARS_MAX).unwrap_or_default();
    PspReport {
        psp: psp.to_owned(),
        event_id: format!("{id}:{name}"),
        kind: name.to_owned(),
        payment_id: None,
        reference: String::new(),
        status: PspStatus::Irrelevant,
        money: None,
        at: now,
    }
}

fn report(psp: &str, name: &str, id: &str, object: &Value, at: Timestamp) -> PspReport {
    let money = money(object);
    // a handle is not the payment that is made with it, and a refund is not the one that it is of
    let reference = match name {
        _ if name.starts_with("PAYMENT_HANDLE_") => "",
        _ if name.starts_with("REFUND_") => {
            text(object, "paymentId").or_else(|| text(object, "settlementId")).unwrap_or_default()
        }
        _ => id,
    };
    PspReport {
        psp: psp.to_owned(),
        event_id: format!("{id}:{name}"),
        kind: name.to_owned(),
        payment_id: text(object, "merchantRefNum").and_then(|number| number.parse().ok()),
        reference: reference.to_owned(),
        status: status(name, id, text(object, "paymentHandleToken"), money),
        money,
        at,
    }
}

/// What an event says; the rows of `statements.md`.
fn status(name: &str, id: &str, token: Option<&str>, amount: Option<Money>) -> PspStatus {
    let returned = |way, stands| PspStatus::Returned(Returned::One { id: id.to_owned(), way, stands, amount });
    match name {
        "PAYMENT_HANDLE_INITIATED" => PspStatus::Pending,
        "PAYMENT_HANDLE_PAYABLE" => match token {
            Some(token) => PspStatus::Payable { token: token.to_owned() },
            None => PspStatus::Pending,
        },
        // the payment made with it says what became of it
        "PAYMENT_HANDLE_PROCESSING" | "PAYMENT_HANDLE_COMPLETED" => PspStatus::Processing,
        "PAYMENT_HANDLE_FAILED" | "PAYMENT_HANDLE_ERRORED" => PspStatus::Failed,
        "PAYMENT_HANDLE_EXPIRED" | "PAYMENT_HANDLE_CANCELLED" | "PAYMENT_HANDLE_DELETED" => PspStatus::Canceled,
        "PAYMENT_COMPLETED" => PspStatus::Succeeded,
        "PAYMENT_RECEIVED" | "PAYMENT_PENDING" | "PAYMENT_PROCESSING" | "PAYMENT_HELD" => PspStatus::Processing,
        "PAYMENT_FAILED" | "PAYMENT_ERRORED" => PspStatus::Failed,
        "PAYMENT_CANCELLED" | "PAYMENT_EXPIRED" => PspStatus::Canceled,
        "PAYMENT_RETURNED_COMPLETED" | "PAYMENT_RETURN_COMPLETED" => returned(Way::Dispute, true),
        "REFUND_RECEIVED" | "REFUND_PENDING" | "REFUND_PROCESSING" | "REFUND_COMPLETED" => returned(Way::Refund, true),
        "REFUND_FAILED" | "REFUND_ERRORED" | "REFUND_CANCELLED" => returned(Way::Refund, false),
        _ => PspStatus::Irrelevant,
    }
}

/// Whole minor units; what is not, or of no currency that we know, is none.
fn money(object: &Value) -> Option<Money> {
    let currency: Currency = text(object, "currencyCode")?.parse().ok()?;
    let amount = object.get("amount")?.as_i64().filter(|amount| *amount >= 0)?;
    Money::from_minor(amount, currency).ok()
}

pub(super) fn text<'v>(object: &'v Value, member: &str) -> Option<&'v str> {
    object.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::statements::tests::{rows, says};

    /// The vendor's sample, with our number.
    fn sample(name: &str) -> Value {
        json!({
            "payload": {
                "accountId": "1005731030", "id": "33e82d3b-9706-4495-80b1-a387fcfcbbae",
                "merchantRefNum": "pay_00000000000000000000000001", "paymentHandleToken": "PHu44cSJ0fLdkGXR",
                "transactionType": "PAYMENT", "amount": 500, "currencyCode": "USD", "status": "PAYABLE",
                "paymentType": "NETELLER", "txnTime": "2022-06-27T17:50:16Z",
            },
            "eventType": name, "attemptNumber": "1", "resourceId": "33e82d3b-9706-4495-80b1-a387fcfcbbae",
            "eventDate": "2022-06-27T17:50:16Z", "mode": "live", "eventName": name,
        })
    }

    fn told(event: &Value) -> PspReport {
        read("paysafe", event.to_string().as_bytes(), Timestamp::EPOCH).unwrap()
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        let rows = rows("paysafe");
        assert!(rows.len() > 20);
        for [name, _, wanted] in rows {
            assert_eq!(says(&told(&sample(&name)).status), wanted, "{name}");
        }
        assert_eq!(told(&sample("PAYMENT_SOMETHING_NEW")).status, PspStatus::Irrelevant);
    }

    #[test]
    fn an_event_names_the_payment_and_not_the_handle_that_it_was_made_with() {
        let payable = told(&sample("PAYMENT_HANDLE_PAYABLE"));
        assert_eq!(payable.status, PspStatus::Payable { token: "PHu44cSJ0fLdkGXR".to_owned() });
        assert_eq!((payable.reference.as_str(), payable.at), ("", "2022-06-27T17:50:16Z".parse().unwrap()));
        let paid = told(&sample("PAYMENT_COMPLETED"));
        assert_eq!(paid.reference, "33e82d3b-9706-4495-80b1-a387fcfcbbae");
        assert_eq!(paid.event_id, "33e82d3b-9706-4495-80b1-a387fcfcbbae:PAYMENT_COMPLETED");
        assert_eq!(paid.money.map(|money| money.to_string()).as_deref(), Some("5.00 USD"));
        let mut refund = sample("REFUND_COMPLETED");
        refund["payload"]["merchantRefNum"] = json!("refund 1");
        refund["payload"]["settlementId"] = json!("s-1");
        assert_eq!((told(&refund).payment_id, told(&refund).reference.as_str()), (None, "s-1"));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for (amount, currency, wanted) in [
            (json!(5000), "JPY", Some("5000 JPY")),
            (json!(5120), "BHD", Some("5.120 BHD")),
            (json!(0), "EUR", Some("0.00 EUR")),
            (json!(5.5), "EUR", None),
            (json!("500"), "EUR", None),
            (json!(-1), "EUR", None),
            (json!(500), "EURO", None),
        ] {
            let mut event = sample("PAYMENT_COMPLETED");
            event["payload"]["amount"] = amount.clone();
            event["payload"]["currencyCode"] = json!(currency);
            assert_eq!(told(&event).money.map(|money| money.to_string()).as_deref(), wanted, "{amount} {currency}");
        }
    }

    #[test]
    fn a_trial_from_the_back_office_says_nothing_and_what_cannot_be_read_is_named() {
        let mut trial = sample("PAYMENT_COMPLETED");
        trial["mode"] = json!("test");
        assert_eq!((told(&trial).status, told(&trial).payment_id), (PspStatus::Irrelevant, None));
        let connectivity =
            json!({"mode": "test", "eventDate": "2017-09-06T19:54:05Z", "eventType": "test", "attemptNumber": 1});
        assert_eq!(told(&connectivity).status, PspStatus::Irrelevant);
        assert_eq!(told(&sample("SA_CREDIT_COMPLETED")).status, PspStatus::Irrelevant);
        for body in
            ["", "[]", "{}", "{\"eventName\":\"PAYMENT_COMPLETED\"}", "{\"eventName\":\"A\",\"eventName\":\"B\"}"]
        {
            assert!(read("paysafe", body.as_bytes(), Timestamp::EPOCH).is_err(), "{body}");
        }
    }
}
