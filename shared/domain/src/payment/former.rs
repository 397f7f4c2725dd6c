//! Deposits as they were stored before what was collected and what went back were kept apart.

use serde_json::{Value, json};

/// The former parts in today's form: there was one reversal (`r`: to what it turns, the statement), always of everything, and one
/// debit (`d`: its ticket), always of the whole credit.
pub(super) fn upgrade(mut public: Value, mut private: Value) -> (Value, Value) {
    let collected = public.get("paid").or_else(|| public.get("requested")).cloned().unwrap_or_default();
    let status = public.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    let way = match (status.as_str(), private.pointer("/r/0").and_then(Value::as_str)) {
        ("charged_back", _) | (_, Some("k")) => Some("d"),
        ("refunded", _) | (_, Some("b")) => Some("r"),
        _ => None,
    };
    let heard = private.get("tp").and_then(Value::as_i64).unwrap_or_default();
    let credited = public.get("credited").cloned();
    if let (Some(way), Some(inner), Some(facts)) = (way, private.as_object_mut(), public.as_object_mut()) {
        let statement = inner.remove("r").and_then(|noted| noted.get(1).cloned());
        inner.insert("b".to_owned(), json!({"o": [["former", way, collected, true, heard]]}));
        inner.extend(statement.map(|statement| ("rb".to_owned(), statement)));
        facts.insert("returned".to_owned(), collected);
    }
    if let Some(inner) = private.as_object_mut()
        && let (Some(ticket), Some(credited)) = (inner.remove("d"), credited)
    {
        inner.insert("ds".to_owned(), json!([[ticket, credited]]));
    }
    (public, private)
}

#[cfg(test)]
mod tests {
    use crate::entity::{self, Raw};
    use crate::payment::{Deposit, DepositStatus};
    use crate::{ClientId, Money, PaymentId};

    fn usd(text: &str) -> Money {
        Money::parse(text, "USD".parse().unwrap()).unwrap()
    }

    fn read(status: &str, private: &str) -> Deposit {
        let id = PaymentId::from_bits(1);
        let public = format!(
            r#"{{"status":"{status}","account_id":"acc_00000000000000000000000001","requested":{{"amount":"10.00","currency":"USD"}},
            "paid":{{"amount":"10.00","currency":"USD"}},"credited":{{"amount":"10.00","currency":"USD"}},
            "psp":{{"name":"stripe","reference":"pi_1"}},"platform":{{"login":"1","operation":"7"}}}}"#
        );
        let raw = Raw { schema: 1, ..Raw::of::<Deposit>(id.as_str(), &public, Some(private)) };
        entity::read::<Deposit>(raw, Some(ClientId::from_bits(2)), None).unwrap()
    }

    #[test]
    fn a_deposit_of_the_former_form_keeps_what_went_back_and_what_was_taken_off() {
        let plain = read("credited", r#"{"t0":0,"tl":[],"url":"u"}"#);
        assert_eq!((plain.facts.returned, plain.inner.debits.len()), (None, 0));
        let back = read("refunded", r#"{"t0":0,"tl":[],"url":"u","tp":5,"d":"88"}"#);
        assert_eq!((back.facts.returned, back.returned()), (Some(usd("10.00")), usd("10.00")));
        assert_eq!(back.debited_sum(), usd("10.00"));
        let noted = read("crediting", r#"{"t0":0,"tl":[],"url":"u","r":["k","evt_1"]}"#);
        assert_eq!((noted.status(), noted.returned()), (DepositStatus::Crediting, usd("10.00")));
        assert!(noted.inner.returns.is_disputed());
        assert_eq!(noted.inner.returned_by.as_deref(), Some("evt_1"));
    }
}
