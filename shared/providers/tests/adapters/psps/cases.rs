//! The suite: what every payment provider must do, in the terms of the trait alone.

use std::time::Duration;

use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Money, PaymentId};
use providers::Disposition;
use providers::psp::{Settings, VendorError, WebhookAnswer, WebhookError, vendor};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage, adapter, amounts, text};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, money, now, order, payment, settings};

/// Nobody opens it.
const NOBODYS: u128 = 4_711;

fn first<B: Bench>() -> Money {
    *amounts::<B>().first().unwrap()
}

/// A tenth of an amount.
fn tenth(amount: Money) -> Money {
    let tenth = amount.amount() / rust_decimal::Decimal::TEN;
    Money::new(tenth, amount.currency()).unwrap()
}

fn is_bad(read: &Result<PspReport, WebhookError>) -> bool {
    matches!(read, Err(WebhookError::BadSignature(_)))
}

pub async fn opening_a_payment_twice_opens_it_once<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    for (n, amount) in (1..).zip(amounts::<B>()) {
        let session = stage.open(&payment(n), amount).await.unwrap();
        assert!(session.redirect_url.starts_with("http"), "{session:?}");
        let again = stage.open(&payment(n), amount).await.unwrap();
        assert_eq!(again.reference, session.reference, "{amount}");
        assert_eq!(stage.opened(&payment(n)).await, usize::from(B::OPENS_BY_CALL), "{amount}");
        assert!(B::OPENS_BY_CALL || again == session, "one payment has one address");
        let report = stage.psp.look_up(&payment(n), &session.reference).await.unwrap();
        assert!(report.is_none_or(|report| report.status == PspStatus::Pending), "nobody has paid");
    }
}

pub async fn a_payment_whose_opening_was_not_answered_is_opened_once_by_the_repeat<B: Bench>() {
    if !B::OPENS_BY_CALL {
        return;
    }
    let stage = Stage::<B>::start(SHORT_TIMEOUT).await;
    let lost = [
        json!({"kind": "apply_then_timeout", "ms": 1500}),
        json!({"kind": "apply_then_drop"}),
        json!({"kind": "timeout_before", "ms": 1500}),
        json!({"kind": "drop"}),
    ];
    for (n, script) in (1..).zip(lost) {
        stage.fault(B::OPEN, script.clone()).await;
        let error = stage.open(&payment(n), first::<B>()).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Retry, "{script}: {error:?}");
        let session = stage.open(&payment(n), first::<B>()).await.unwrap();
        assert_eq!(stage.opened(&payment(n)).await, 1, "{script}");
        assert!(!session.redirect_url.is_empty());
        let deliveries = stage.act(&payment(n), Act::Pays, first::<B>(), json!({})).await.unwrap();
        let report = stage.read(deliveries.first().unwrap());
        assert_eq!((report.status, report.payment_id), (B::PAID, Some(payment(n))), "{script}");
    }
}

pub async fn what_cannot_be_opened_says_whether_to_try_again<B: Bench>() {
    if !B::OPENS_BY_CALL {
        return;
    }
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let cases = [
        (B::internal_error(), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
    ];
    for (n, (script, wanted)) in (1..).zip(cases) {
        stage.fault(B::OPEN, script.clone()).await;
        let error = stage.open(&payment(n), first::<B>()).await.unwrap_err();
        assert_eq!(error.disposition(), wanted, "{script}: {error:?}");
        assert!(stage.open(&payment(n), first::<B>()).await.is_ok(), "{script}");
        assert_eq!(stage.opened(&payment(n)).await, 1, "{script}");
    }
    let away = adapter::<B>("http://127.0.0.1:1", &B::secret(), SHORT_TIMEOUT);
    let error = away.open_session(&order(&payment(1), first::<B>())).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry, "{error:?}");
}

pub async fn a_wrong_secret_opens_nothing<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let opened = stage.stranger().open_session(&order(&payment(1), first::<B>())).await;
    assert_eq!(opened.is_err(), B::OPENS_BY_CALL);
    if let Err(error) = opened {
        assert!(matches!(error.disposition(), Disposition::Hold | Disposition::GiveUp), "{error:?}");
    }
    assert_eq!(stage.opened(&payment(1)).await, 0);
    if B::LOOK_UP.is_some() {
        let report = stage.read(&stage.paid(&payment(2), first::<B>()).await);
        let asked = stage.stranger().look_up(&payment(2), &report.reference).await;
        assert!(asked.is_err(), "whoever may not ask has not learned that it is not there: {asked:?}");
    }
}

pub async fn what_a_payer_paid_is_reported_with_our_id_in_its_unit<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    for (n, amount) in (1..).zip(amounts::<B>()) {
        let delivery = stage.paid(&payment(n), amount).await;
        let report = stage.read(&delivery);
        assert_eq!((&report.status, &report.payment_id), (&B::PAID, &Some(payment(n))), "{amount}");
        assert_eq!(report.money, Some(amount));
        assert_eq!(report.psp, "test-psp", "the name in the rules, not the vendor's");
        assert!(!report.event_id.is_empty() && !report.kind.is_empty());
        assert!(report.at.seconds().abs_diff(now().seconds()) <= 60, "{report:?}");
        let known = stage.psp.look_up(&payment(n), &report.reference).await.unwrap();
        assert_eq!(known.is_some(), B::LOOK_UP.is_some());
        if let Some(known) = known {
            assert_eq!((known.status, known.payment_id), (B::PAID, Some(payment(n))));
            assert_eq!((known.money, known.reference), (Some(amount), report.reference), "the same payment in both");
        }
    }
}

pub async fn what_was_paid_is_reported_and_not_what_was_asked_for<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let asked = first::<B>();
    stage.open(&payment(1), asked).await.unwrap();
    let deliveries = stage.act(&payment(1), Act::Pays, tenth(asked), json!({})).await.unwrap();
    let report = stage.read(deliveries.first().unwrap());
    assert_eq!((report.status, report.money), (B::PAID, Some(tenth(asked))));
    if let Some(known) = stage.psp.look_up(&payment(1), &report.reference).await.unwrap() {
        assert_eq!((known.status, known.money), (B::PAID, Some(tenth(asked))));
    }
}

pub async fn each_outcome_is_told_and_looked_up_alike<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let cases = [
        (Act::Pays, vec![B::PAID]),
        (Act::PaysSlowly, vec![PspStatus::Processing, PspStatus::Pending]),
        (Act::Fails, vec![PspStatus::Failed]),
        (Act::Cancels, vec![PspStatus::Canceled]),
    ];
    let mut told = 0;
    for (n, (act, wanted)) in (1..).zip(cases) {
        let session = stage.open(&payment(n), first::<B>()).await.unwrap();
        let Some(deliveries) = stage.act(&payment(n), act, first::<B>(), json!({})).await else { continue };
        let report = stage.read(deliveries.last().unwrap());
        assert!(wanted.contains(&report.status), "{act:?}: {report:?}");
        assert_eq!(report.payment_id, Some(payment(n)), "{act:?}");
        let reference = if report.reference.is_empty() { session.reference } else { report.reference };
        if let Some(known) = stage.psp.look_up(&payment(n), &reference).await.unwrap() {
            assert!(wanted.contains(&known.status), "{act:?}: {known:?}");
        }
        told += 1;
    }
    assert!(told >= 2, "a payer can pay, and something else can become of it");
}

pub async fn a_look_up_says_where_it_stands_before_while_and_after<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let silent = json!({"never": true});
    let session = stage.open(&payment(1), first::<B>()).await.unwrap();
    let look_up = async || stage.psp.look_up(&payment(1), &session.reference).await.unwrap();
    let before = look_up().await;
    assert!(before.is_none_or(|report| report.status == PspStatus::Pending));
    if stage.act(&payment(1), Act::PaysSlowly, first::<B>(), silent.clone()).await.is_some()
        && let Some(known) = look_up().await
    {
        assert!(matches!(known.status, PspStatus::Pending | PspStatus::Processing), "{known:?}");
    }
    let deliveries = stage.act(&payment(1), Act::Pays, first::<B>(), silent).await.unwrap();
    assert!(deliveries.is_empty(), "nobody was told");
    let after = look_up().await;
    assert_eq!(after.is_some(), B::LOOK_UP.is_some());
    if let Some(known) = after {
        assert_eq!((known.status, known.money), (B::PAID, Some(first::<B>())));
        assert_eq!(known.payment_id, Some(payment(1)));
        // asked twice, the same statement
        assert_eq!(look_up().await.unwrap().event_id, known.event_id);
    }
}

pub async fn what_nobody_opened_is_not_found<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    for reference in ["", "unknown", "a/../b?c=d&e"] {
        assert_eq!(stage.psp.look_up(&payment(NOBODYS), reference).await, Ok(None), "{reference}");
    }
}

pub async fn a_look_up_that_fails_is_no_answer<B: Bench>() {
    let stage = Stage::<B>::start(SHORT_TIMEOUT).await;
    let Some(operation) = B::LOOK_UP else { return };
    let report = stage.read(&stage.paid(&payment(1), first::<B>()).await);
    let cases = [
        (B::internal_error(), Disposition::Retry),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "timeout_before", "ms": 1500}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 1500}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "answer", "body": {}}), Disposition::LookUp),
        (json!({"kind": "answer", "body": []}), Disposition::LookUp),
    ];
    for (script, wanted) in cases {
        stage.fault(operation, script.clone()).await;
        let Err(error) = stage.psp.look_up(&payment(1), &report.reference).await else {
            panic!("{script}: not answered is not the same as not there");
        };
        assert_eq!(error.disposition(), wanted, "{script}: {error:?}");
    }
    assert!(stage.psp.look_up(&payment(1), &report.reference).await.unwrap().is_some());
}

pub async fn a_delivery_that_the_vendor_did_not_sign_is_refused<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), first::<B>()).await.unwrap();
    for kind in ["wrong", "missing", "empty", "tampered"] {
        let signature = json!({"signature": kind});
        let deliveries = stage.act(&payment(1), Act::Pays, first::<B>(), signature).await.unwrap();
        let read = deliveries.first().unwrap().read(stage.psp.as_ref());
        assert!(is_bad(&read), "{kind}: {read:?}");
    }
}

pub async fn no_other_signature_is_taken<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let delivery = stage.paid(&payment(1), first::<B>()).await;
    let right = B::signature(&delivery);
    assert!(B::signed_as(&delivery, right.as_bytes()).read(stage.psp.as_ref()).is_ok());
    let (half, _) = right.split_at(right.len() / 2);
    let others: [Vec<u8>; 9] = [
        Vec::new(),
        b" ".to_vec(),
        half.into(),
        format!("{right}00").into(),
        format!("{right}=").into(),
        "0".repeat(right.len()).into(),
        "z".repeat(right.len()).into(),
        "ä".repeat(right.len()).into(),
        vec![0xff; right.len()],
    ];
    for other in others {
        let read = B::signed_as(&delivery, &other).read(stage.psp.as_ref());
        assert!(is_bad(&read), "{}: {read:?}", String::from_utf8_lossy(&other));
    }
    if let Some(header) = B::HEADER {
        let read = delivery.with_header(header, None).read(stage.psp.as_ref());
        assert!(is_bad(&read), "{read:?}");
    }
}

pub async fn no_other_body_is_taken_under_a_signature<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let delivery = stage.paid(&payment(1), first::<B>()).await;
    let other = stage.paid(&payment(2), first::<B>()).await;
    let mut not_text = delivery.body.clone();
    not_text.extend_from_slice(&[0xff, 0xfe]);
    let mut bodies =
        vec![Vec::new(), b"{}".to_vec(), b"[]".to_vec(), b"null".to_vec(), b"a=b".to_vec(), vec![0xff; 40]];
    if B::HEADER.is_some() {
        bodies.push(other.body);
        bodies.push(not_text.clone());
    }
    for body in bodies {
        let read = delivery.with_body(body.clone()).read(stage.psp.as_ref());
        assert!(is_bad(&read), "{}: {read:?}", String::from_utf8_lossy(&body));
    }
    let read = delivery.with_body(not_text).read(stage.psp.as_ref());
    assert!(read.is_err(), "{read:?}");
}

/// Whose payment it is, and the vendor's number.
type Whose = (Option<PaymentId>, String);

/// What must not differ where a byte that is not signed was changed.
fn proven<B: Bench>(report: &PspReport, proves_status: bool) -> (Option<Whose>, Option<Money>, Option<PspStatus>) {
    let whose = B::SIGNS_WHOSE.then(|| (report.payment_id.clone(), report.reference.clone()));
    let status = proves_status.then(|| report.status.clone());
    (whose, report.money, status)
}

pub async fn a_changed_byte_changes_nothing_that_is_read<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let proves_status = stage.psp.webhook_proves_status();
    let delivery = stage.paid(&payment(1), first::<B>()).await;
    let right = proven::<B>(&stage.read(&delivery), proves_status);
    let mut refused = 0;
    for (n, byte) in delivery.body.iter().enumerate() {
        for other in [byte ^ 1, byte ^ 0x20, b'0', b'"', b'&', 0xff].into_iter().filter(|other| other != byte) {
            let mut body = delivery.body.clone();
            body[n] = other;
            let changed = delivery.with_body(body);
            match changed.read(stage.psp.as_ref()) {
                Err(_) => refused += 1,
                Ok(_) if B::SIGNS_ALL => panic!("byte {n} is not covered: {}", text(&changed)),
                Ok(read) => assert_eq!(proven::<B>(&read, proves_status), right, "byte {n}: {}", text(&changed)),
            }
        }
    }
    assert!(refused > delivery.body.len() / 4, "most of it is signed: {refused} of {}", delivery.body.len());
}

pub async fn a_delivery_signed_with_another_secret_is_refused<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let delivery = stage.paid(&payment(1), first::<B>()).await;
    assert!(delivery.read(stage.psp.as_ref()).is_ok());
    let read = delivery.read(stage.stranger().as_ref());
    assert!(is_bad(&read), "{read:?}");
}

pub async fn a_delivery_that_comes_again_is_the_same_statement<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let amount = first::<B>();
    stage.open(&payment(1), amount).await.unwrap();
    let thrice = json!({"times": 3});
    let deliveries = stage.act(&payment(1), Act::Pays, amount, thrice).await.unwrap();
    assert_eq!(deliveries.len(), 3);
    let again = control(stage.url(), "/_control/resend", &json!({"payment_id": payment(1)})).await;
    assert_eq!(again["deliveries"].as_array().unwrap().len(), 1, "{again}");
    let first = stage.read(deliveries.first().unwrap());
    for delivery in deliveries.iter().chain(&stage.arrived()) {
        let report = stage.read(delivery);
        assert_eq!(report.event_id, first.event_id);
        assert_eq!(proven::<B>(&report, true), proven::<B>(&first, true));
    }
    // and another payment's is another
    let other = stage.read(&stage.paid(&payment(2), amount).await);
    assert_ne!(other.event_id, first.event_id);
}

pub async fn refunds_are_told_as_a_total_or_one_by_one<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let paid = first::<B>();
    let part = tenth(paid);
    stage.paid(&payment(1), paid).await;
    if B::word(Act::IsRefunded).is_none() {
        assert_eq!(B::REFUNDS, Refunds::Untold);
        return;
    }
    let refund = async |amount: Money| {
        let deliveries = stage.act(&payment(1), Act::IsRefunded, amount, json!({})).await.unwrap();
        let report = stage.read(deliveries.last().unwrap());
        let owner = match report.payment_id {
            Some(owner) => Some(owner),
            // a refund may name no more than the payment at the vendor
            None => stage.psp.payment_of(&report.reference).await.unwrap(),
        };
        assert_eq!(owner, Some(payment(1)));
        match report.status {
            PspStatus::Returned(returned) => returned,
            other => panic!("{other:?}"),
        }
    };
    match B::REFUNDS {
        Refunds::Total => {
            let total = |amount: Money| Returned::Total { amount: Some(amount) };
            assert_eq!(refund(part).await, total(part));
            let both = money(&(part.amount() + part.amount()).to_string(), &part.currency().to_string());
            assert_eq!(refund(part).await, total(both));
        }
        Refunds::Each => {
            let mut ids = Vec::new();
            for _ in 0..2 {
                let Returned::One { id, way: Way::Refund, stands: true, amount } = refund(part).await else { panic!() };
                assert_eq!(amount, Some(part));
                ids.push(id);
            }
            assert_ne!(ids[0], ids[1], "two refunds are not one that was told twice");
        }
        Refunds::Whole => {
            let Returned::One { way: Way::Refund, stands: true, amount, .. } = refund(paid).await else { panic!() };
            assert!(amount.is_none_or(|amount| amount == paid), "{amount:?}");
        }
        Refunds::Untold => panic!("it has a word for refunds"),
    }
}

pub async fn a_dispute_is_told_with_its_amount<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    let paid = first::<B>();
    stage.paid(&payment(1), paid).await;
    let Some(deliveries) = stage.act(&payment(1), Act::Disputes, paid, json!({"times": 2})).await else { return };
    let reports: Vec<_> = deliveries.iter().map(|delivery| stage.read(delivery)).collect();
    let returned = |report: &PspReport| match &report.status {
        PspStatus::Returned(Returned::One { id, way: Way::Dispute, stands: true, amount }) => {
            assert!(amount.is_none_or(|amount| amount == paid), "{amount:?}");
            id.clone()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(reports.len(), 2);
    assert_eq!(returned(&reports[0]), returned(&reports[1]), "told twice it is one");
    let named = reports[0].payment_id.is_some() || !reports[0].reference.is_empty();
    assert!(named, "whose it is can be found out");
}

pub async fn each_answer_is_one_that_the_vendor_understands<B: Bench>() {
    let stage = Stage::<B>::start(CALL_TIMEOUT).await;
    for (answer, wanted) in [
        (WebhookAnswer::Accepted, 200),
        (WebhookAnswer::Ignored("nobody's"), 200),
        (WebhookAnswer::BadSignature, 401),
        (WebhookAnswer::Malformed, 400),
        (WebhookAnswer::TryAgain, 503),
    ] {
        let response = stage.psp.answer(answer, now());
        assert_eq!(response.status(), wanted, "{answer:?}");
        assert!(response.headers().contains_key("content-type"), "{answer:?}");
    }
}

/// A secret without each of its parts in turn, or with one that is blank.
fn mutilated<B: Bench>() -> Vec<(String, Value)> {
    let whole = B::secret();
    let mut all = vec![("all of it".to_owned(), json!({})), ("its form".to_owned(), json!("text"))];
    for (name, value) in whole.as_object().unwrap() {
        if B::OPTIONAL.contains(&name.as_str()) {
            continue;
        }
        let mut absent = whole.clone();
        absent.as_object_mut().unwrap().remove(name);
        all.push((name.clone(), absent));
        let blanks =
            if value.is_array() { vec![json!([]), json!([""]), json!([" "])] } else { vec![json!(""), json!(" ")] };
        for blank in blanks {
            let mut blanked = whole.clone();
            blanked[name] = blank;
            all.push((name.clone(), blanked));
        }
    }
    all
}

pub async fn a_secret_without_a_part_is_refused<B: Bench>() {
    let build = |secret: &Value| {
        let mut settings: Settings = settings("https://vendor.invalid", secret, Duration::from_secs(1));
        B::adjust(&mut settings);
        vendor(B::VENDOR.parse().unwrap(), settings)
    };
    assert!(build(&B::secret()).is_ok());
    for (part, secret) in mutilated::<B>() {
        let built = build(&secret).err();
        assert_eq!(built, Some(VendorError::BadSecret("test-psp".to_owned())), "{part}");
    }
}
