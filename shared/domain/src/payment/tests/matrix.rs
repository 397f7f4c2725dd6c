//! Every status against every statement: the whole table.

use super::fixture::*;
use crate::decision::Verdict;
use crate::payment::{Deposit, DepositStatus, PspReport, PspStatus};

/// What a provider may say, by a short name. The deposit was asked for 1250.00 USD; what its fixture heard before is
/// dated 10 (collection or failure) or 20 (reversal).
fn statements() -> Vec<(&'static str, PspReport)> {
    use PspStatus as S;
    let (whole, part) = (Some("1250.00 USD"), Some("50.00 USD"));
    let elsewhere = |report: PspReport| PspReport { reference: "pi_other".to_owned(), ..report };
    vec![
        ("pending", says(S::Pending, whole, 30)),
        ("processing", says(S::Processing, whole, 30)),
        ("irrelevant", says(S::Irrelevant, None, 30)),
        ("success", success(30)),
        ("success, older", success(5)),
        ("success, less", says(S::Succeeded, Some("1249.99 USD"), 30)),
        ("success, more", says(S::Succeeded, Some("1250.01 USD"), 30)),
        ("success, euro", says(S::Succeeded, Some("1250.00 EUR"), 30)),
        ("success, no amount", says(S::Succeeded, None, 30)),
        ("success, nothing", says(S::Succeeded, Some("0.00 USD"), 30)),
        ("failed", says(S::Failed, whole, 30)),
        ("failed, older", says(S::Failed, whole, 5)),
        ("canceled", says(S::Canceled, whole, 30)),
        ("canceled, older", says(S::Canceled, whole, 5)),
        ("refunded", refund(whole, 30)),
        ("refunded, part", refund(part, 30)),
        ("refunded, euro", refund(Some("1250.00 EUR"), 30)),
        ("refunded, no amount", refund(None, 30)),
        ("charged back", dispute(whole, 30)),
        ("charged back, part", dispute(part, 30)),
        ("other reference: success", elsewhere(success(30))),
        ("other reference: failed", elsewhere(says(S::Failed, whole, 30))),
        ("other reference: refunded", elsewhere(refund(whole, 30))),
        ("other provider: success", PspReport { psp: "praxis".to_owned(), ..success(30) }),
    ]
}

/// Status, events and the kind of item after a statement; `-` where nothing is written.
fn cell(deposit: &Deposit, report: &PspReport) -> String {
    match hear(deposit, report, 31) {
        Verdict::Nothing(_) => "-".to_owned(),
        Verdict::Change(decision) => {
            let mut parts = vec![decision.next.status().as_str().to_owned()];
            parts.extend(decision.events.iter().map(|event| (*event).to_owned()));
            let asked = decision.events.iter().any(|event| matches!(*event, "desk.item" | "deposit.needs_review"));
            parts.extend(asks(&decision.next).filter(|_| asked).map(|kind| format!("<{kind}>")));
            parts.join(" ")
        }
    }
}

#[test]
fn every_statement_has_its_own_outcome_in_every_status() {
    let mut table = String::new();
    for status in DepositStatus::ALL {
        let deposit = in_status(status);
        assert_eq!(deposit.status(), status);
        table.push_str(&format!("{}\n", status.as_str()));
        for (name, report) in statements() {
            table.push_str(&format!("  {name}: {}\n", cell(&deposit, &report)));
        }
    }
    for (line, (is, wanted)) in table.lines().zip(TABLE.trim_start().lines()).enumerate() {
        assert_eq!(is, wanted, "line {line} of\n{table}");
    }
    assert_eq!(table.lines().count(), TABLE.trim_start().lines().count(), "{table}");
}

#[test]
fn a_statement_that_comes_again_changes_nothing() {
    for status in DepositStatus::ALL {
        for (name, report) in statements() {
            if let Verdict::Change(decision) = hear(&in_status(status), &report, 31) {
                let again = hear(&decision.next, &report, 32);
                assert!(matches!(again, Verdict::Nothing(_)), "{status:?}, {name}: {again:?}");
            }
        }
    }
}

#[test]
fn nothing_but_the_requested_amount_under_the_own_reference_leads_to_a_credit() {
    for status in DepositStatus::ALL {
        for (name, report) in statements() {
            if let Verdict::Change(decision) = hear(&in_status(status), &report, 31)
                && decision.events.contains(&"deposit.paid")
            {
                assert!(matches!(name, "success" | "success, older"), "{status:?}, {name}");
            }
        }
    }
}

const TABLE: &str = "
pending
  pending: -
  processing: -
  irrelevant: -
  success: paid deposit.paid
  success, older: paid deposit.paid
  success, less: needs_review deposit.needs_review <deposit_underpaid>
  success, more: needs_review deposit.needs_review <deposit_overpaid>
  success, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, no amount: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, nothing: needs_review deposit.needs_review <deposit_underpaid>
  failed: failed deposit.failed
  failed, older: failed deposit.failed
  canceled: failed deposit.failed
  canceled, older: failed deposit.failed
  refunded: refunded deposit.refunded
  refunded, part: needs_review deposit.needs_review <deposit_underpaid>
  refunded, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  refunded, no amount: refunded deposit.refunded
  charged back: charged_back deposit.charged_back
  charged back, part: needs_review deposit.needs_review <deposit_underpaid>
  other reference: success: needs_review deposit.needs_review <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: needs_review deposit.needs_review <deposit_unknown_reference>
paid
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: paid desk.item <deposit_overpaid>
  success, more: paid desk.item <deposit_overpaid>
  success, euro: paid desk.item <deposit_overpaid>
  success, no amount: paid desk.item <deposit_overpaid>
  success, nothing: paid desk.item <deposit_overpaid>
  failed: needs_review deposit.needs_review <deposit_failed_after_success>
  failed, older: -
  canceled: needs_review deposit.needs_review <deposit_failed_after_success>
  canceled, older: -
  refunded: refunded deposit.refunded
  refunded, part: needs_review deposit.needs_review <deposit_underpaid>
  refunded, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  refunded, no amount: refunded deposit.refunded
  charged back: charged_back deposit.charged_back
  charged back, part: needs_review deposit.needs_review <deposit_underpaid>
  other reference: success: paid desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: paid desk.item <deposit_unknown_reference>
crediting
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: crediting desk.item <deposit_overpaid>
  success, more: crediting desk.item <deposit_overpaid>
  success, euro: crediting desk.item <deposit_overpaid>
  success, no amount: crediting desk.item <deposit_overpaid>
  success, nothing: crediting desk.item <deposit_overpaid>
  failed: crediting desk.item <deposit_failed_after_success>
  failed, older: -
  canceled: crediting desk.item <deposit_failed_after_success>
  canceled, older: -
  refunded: crediting
  refunded, part: crediting desk.item <deposit_reversed_after_credit>
  refunded, euro: crediting desk.item <deposit_reversed_after_credit>
  refunded, no amount: crediting
  charged back: crediting
  charged back, part: crediting desk.item <deposit_reversed_after_credit>
  other reference: success: crediting desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: crediting desk.item <deposit_unknown_reference>
credited
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: credited desk.item <deposit_overpaid>
  success, more: credited desk.item <deposit_overpaid>
  success, euro: credited desk.item <deposit_overpaid>
  success, no amount: credited desk.item <deposit_overpaid>
  success, nothing: credited desk.item <deposit_overpaid>
  failed: credited desk.item <deposit_failed_after_success>
  failed, older: -
  canceled: credited desk.item <deposit_failed_after_success>
  canceled, older: -
  refunded: refunded deposit.refunded desk.item <deposit_reversed_after_credit>
  refunded, part: credited desk.item <deposit_reversed_after_credit>
  refunded, euro: credited desk.item <deposit_reversed_after_credit>
  refunded, no amount: refunded deposit.refunded desk.item <deposit_reversed_after_credit>
  charged back: charged_back deposit.charged_back desk.item <deposit_reversed_after_credit>
  charged back, part: credited desk.item <deposit_reversed_after_credit>
  other reference: success: credited desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: credited desk.item <deposit_unknown_reference>
failed
  pending: -
  processing: -
  irrelevant: -
  success: paid deposit.paid
  success, older: needs_review deposit.needs_review <deposit_paid_after_failure>
  success, less: needs_review deposit.needs_review <deposit_underpaid>
  success, more: needs_review deposit.needs_review <deposit_overpaid>
  success, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, no amount: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, nothing: needs_review deposit.needs_review <deposit_underpaid>
  failed: failed
  failed, older: -
  canceled: failed
  canceled, older: failed
  refunded: refunded deposit.refunded
  refunded, part: needs_review deposit.needs_review <deposit_underpaid>
  refunded, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  refunded, no amount: refunded deposit.refunded
  charged back: charged_back deposit.charged_back
  charged back, part: needs_review deposit.needs_review <deposit_underpaid>
  other reference: success: needs_review deposit.needs_review <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: needs_review deposit.needs_review <deposit_unknown_reference>
expired
  pending: -
  processing: -
  irrelevant: -
  success: paid deposit.paid
  success, older: paid deposit.paid
  success, less: needs_review deposit.needs_review <deposit_underpaid>
  success, more: needs_review deposit.needs_review <deposit_overpaid>
  success, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, no amount: needs_review deposit.needs_review <deposit_currency_mismatch>
  success, nothing: needs_review deposit.needs_review <deposit_underpaid>
  failed: failed deposit.failed
  failed, older: failed deposit.failed
  canceled: failed deposit.failed
  canceled, older: failed deposit.failed
  refunded: refunded deposit.refunded
  refunded, part: needs_review deposit.needs_review <deposit_underpaid>
  refunded, euro: needs_review deposit.needs_review <deposit_currency_mismatch>
  refunded, no amount: refunded deposit.refunded
  charged back: charged_back deposit.charged_back
  charged back, part: needs_review deposit.needs_review <deposit_underpaid>
  other reference: success: needs_review deposit.needs_review <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: needs_review deposit.needs_review <deposit_unknown_reference>
crediting_unknown
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: crediting_unknown desk.item <deposit_overpaid>
  success, more: crediting_unknown desk.item <deposit_overpaid>
  success, euro: crediting_unknown desk.item <deposit_overpaid>
  success, no amount: crediting_unknown desk.item <deposit_overpaid>
  success, nothing: crediting_unknown desk.item <deposit_overpaid>
  failed: crediting_unknown desk.item <deposit_failed_after_success>
  failed, older: -
  canceled: crediting_unknown desk.item <deposit_failed_after_success>
  canceled, older: -
  refunded: crediting_unknown
  refunded, part: crediting_unknown desk.item <deposit_reversed_after_credit>
  refunded, euro: crediting_unknown desk.item <deposit_reversed_after_credit>
  refunded, no amount: crediting_unknown
  charged back: crediting_unknown
  charged back, part: crediting_unknown desk.item <deposit_reversed_after_credit>
  other reference: success: crediting_unknown desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: crediting_unknown desk.item <deposit_unknown_reference>
needs_review
  pending: -
  processing: -
  irrelevant: -
  success: needs_review desk.item <deposit_overpaid>
  success, older: needs_review desk.item <deposit_overpaid>
  success, less: needs_review desk.item <deposit_overpaid>
  success, more: needs_review desk.item <deposit_overpaid>
  success, euro: needs_review desk.item <deposit_overpaid>
  success, no amount: needs_review desk.item <deposit_overpaid>
  success, nothing: needs_review desk.item <deposit_overpaid>
  failed: needs_review desk.item <deposit_failed_after_success>
  failed, older: -
  canceled: needs_review desk.item <deposit_failed_after_success>
  canceled, older: -
  refunded: refunded deposit.refunded
  refunded, part: needs_review desk.item <deposit_underpaid>
  refunded, euro: needs_review desk.item <deposit_currency_mismatch>
  refunded, no amount: refunded deposit.refunded
  charged back: charged_back deposit.charged_back
  charged back, part: needs_review desk.item <deposit_underpaid>
  other reference: success: needs_review desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: needs_review desk.item <deposit_unknown_reference>
refunded
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: refunded desk.item <deposit_paid_after_failure>
  success, more: refunded desk.item <deposit_paid_after_failure>
  success, euro: refunded desk.item <deposit_paid_after_failure>
  success, no amount: refunded desk.item <deposit_paid_after_failure>
  success, nothing: refunded desk.item <deposit_paid_after_failure>
  failed: -
  failed, older: -
  canceled: -
  canceled, older: -
  refunded: -
  refunded, part: needs_review deposit.needs_review <deposit_reinstated>
  refunded, euro: -
  refunded, no amount: -
  charged back: refunded desk.item <deposit_reversed_after_credit>
  charged back, part: refunded desk.item <deposit_reversed_after_credit>
  other reference: success: refunded desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: refunded desk.item <deposit_unknown_reference>
charged_back
  pending: -
  processing: -
  irrelevant: -
  success: -
  success, older: -
  success, less: charged_back desk.item <deposit_paid_after_failure>
  success, more: charged_back desk.item <deposit_paid_after_failure>
  success, euro: charged_back desk.item <deposit_paid_after_failure>
  success, no amount: charged_back desk.item <deposit_paid_after_failure>
  success, nothing: charged_back desk.item <deposit_paid_after_failure>
  failed: -
  failed, older: -
  canceled: -
  canceled, older: -
  refunded: charged_back desk.item <deposit_reversed_after_credit>
  refunded, part: charged_back desk.item <deposit_reversed_after_credit>
  refunded, euro: -
  refunded, no amount: charged_back desk.item <deposit_reversed_after_credit>
  charged back: -
  charged back, part: charged_back desk.item <deposit_reversed_after_credit>
  other reference: success: charged_back desk.item <deposit_unknown_reference>
  other reference: failed: -
  other reference: refunded: -
  other provider: success: charged_back desk.item <deposit_unknown_reference>
";
