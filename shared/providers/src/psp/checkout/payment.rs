//! What Checkout.com says of a payment when it is asked.

use domain::payment::{PspReport, PspStatus, Returned};
use domain::{Money, PaymentId, Timestamp};
use serde_json::Value;

use super::units;

/// The payment of ours that a payment names.
pub(super) fn owner(payment: &Value) -> Option<PaymentId> {
    text(payment, "reference")?.parse().ok()
}

pub(super) fn id(payment: &Value) -> Option<&str> {
    text(payment, "id").filter(|id| !id.is_empty())
}

/// What there is under a reference of ours: the number of the attempt that counts. Money first, and of several the first that came:
/// what came after it is money of its own, and told of by itself. Then what may become money. The list begins with the newest.
pub(super) fn that_counts(payments: &[Value]) -> Option<&str> {
    let with = |words: &'static [&'static str]| {
        move |payment: &&Value| text(payment, "status").is_some_and(|status| words.contains(&status))
    };
    let money = payments.iter().rev().find(with(&["Captured", "Partially Captured", "Refunded", "Partially Refunded"]));
    let perhaps = || payments.iter().find(with(&["Authorized", "Pending", "Retry Scheduled"]));
    id(money.or_else(perhaps).or_else(|| payments.first())?)
}

/// Reads a payment; `None` where it has no number, no status that we know or no amount.
pub(super) fn read(psp: &str, payment: &Value, at: Timestamp) -> Option<PspReport> {
    let reference = id(payment)?.to_owned();
    let kind = text(payment, "status")?.to_owned();
    let balance = |member: &str| payment.pointer(&format!("/balances/{member}")).and_then(Value::as_i64);
    let asked = payment.get("amount").and_then(Value::as_i64)?;
    let (status, amount) = match kind.as_str() {
        "Pending" | "Authorized" | "Retry Scheduled" => (PspStatus::Processing, asked),
        "Captured" | "Partially Captured" => (PspStatus::Succeeded, balance("total_captured").unwrap_or(asked)),
        "Refunded" | "Partially Refunded" => {
            // collected, and gone back: the total of it, for single refunds are not listed here
            let refunded = balance("total_refunded").or((kind == "Refunded").then_some(asked));
            let amount = refunded.and_then(|amount| money(amount, payment));
            (PspStatus::Returned(Returned::Total { amount }), refunded?)
        }
        "Declined" | "Expired" => (PspStatus::Failed, asked),
        "Canceled" | "Voided" => (PspStatus::Canceled, asked),
        _ => return None,
    };
    Some(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{reference}:{kind}"),
        payment_id: owner(payment),
        money: money(amount, payment),
        reference,
        status,
        kind,
        at,
    })
}

fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

fn money(amount: i64, payment: &Value) -> Option<Money> {
    units::read(amount, text(payment, "currency")?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payment(id: &str, status: &str) -> Value {
        json!({"id": id, "status": status, "amount": 10_000, "currency": "USD", "reference": "pay_00000000000000000000000001"})
    }

    fn read_now(payment: &Value) -> Option<PspReport> {
        read("checkout", payment, Timestamp::EPOCH)
    }

    #[test]
    fn of_several_attempts_the_first_that_has_money_counts_and_else_what_may_become_money() {
        let counts = |statuses: &[&str]| {
            let all: Vec<Value> =
                statuses.iter().enumerate().map(|(n, word)| payment(&format!("pay_{n}"), word)).collect();
            that_counts(&all).map(str::to_owned)
        };
        assert_eq!(counts(&["Declined", "Captured", "Declined"]).as_deref(), Some("pay_1"));
        assert_eq!(counts(&["Captured", "Refunded"]).as_deref(), Some("pay_1"), "the older one");
        assert_eq!(counts(&["Declined", "Authorized"]).as_deref(), Some("pay_1"));
        assert_eq!(counts(&["Pending", "Captured"]).as_deref(), Some("pay_1"));
        assert_eq!(counts(&["Declined", "Expired"]).as_deref(), Some("pay_0"), "the newest");
        assert_eq!(counts(&[]), None);
    }

    #[test]
    fn each_status_says_where_the_money_is() {
        for (word, wanted) in [
            ("Pending", PspStatus::Processing),
            ("Authorized", PspStatus::Processing),
            ("Captured", PspStatus::Succeeded),
            ("Declined", PspStatus::Failed),
            ("Expired", PspStatus::Failed),
            ("Canceled", PspStatus::Canceled),
            ("Voided", PspStatus::Canceled),
        ] {
            let report = read_now(&payment("pay_1", word)).unwrap();
            assert_eq!((report.status, report.money.unwrap().amount_text().as_str()), (wanted, "100.00"), "{word}");
        }
        for word in ["Paid", "Card Verified", "captured", ""] {
            assert_eq!(read_now(&payment("pay_1", word)), None, "{word}");
        }
    }

    #[test]
    fn what_was_captured_and_refunded_counts_and_not_what_was_asked_for() {
        let mut part = payment("pay_1", "Partially Captured");
        part["balances"] = json!({"total_captured": 4_000, "total_refunded": 0});
        assert_eq!(read_now(&part).unwrap().money, units::read(4_000, "USD"));
        part["status"] = json!("Partially Refunded");
        part["balances"]["total_refunded"] = json!(1_500);
        let back = units::read(1_500, "USD");
        assert_eq!(read_now(&part).unwrap().status, PspStatus::Returned(Returned::Total { amount: back }));
        part.as_object_mut().unwrap().remove("balances");
        assert_eq!(read_now(&part), None, "how much went back is not said");
    }
}
