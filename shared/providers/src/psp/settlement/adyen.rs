//! Adyen's settlement detail report. The merchant reference is our payment id; a refund by which a withdrawal is paid has the
//! withdrawal's id as its modification merchant reference.

use domain::reconciliation::RowKind;

use super::columns::Line;
use super::{Said, Wrong, generic};

pub(super) const NEEDS: &[&str] =
    &["psp reference", "merchant reference", "type", "gross currency", "gross debit (gc)", "gross credit (gc)"];

pub(super) fn read(line: &Line<'_>) -> Result<Said, Wrong> {
    let (kind, amount) = match line.need("type")? {
        "Settled" => (RowKind::Collected, "gross credit (gc)"),
        "Refunded" => (RowKind::PaidBack, "gross debit (gc)"),
        "Chargeback" | "SecondChargeback" => (RowKind::Disputed, "gross debit (gc)"),
        "ChargebackReversed" | "RefundedReversed" => (RowKind::Reinstated, "gross credit (gc)"),
        "PaidOut" => (RowKind::PaidOut, "gross debit (gc)"),
        "PaidOutReversed" => (RowKind::Reinstated, "gross credit (gc)"),
        "Fee"
        | "MiscCosts"
        | "MerchantPayout"
        | "InvoiceDeduction"
        | "DepositCorrection"
        | "Balancetransfer"
        | "BalanceTransfer"
        | "PaymentCost"
        | "ManualCorrected"
        | "MatchedStatement"
        | "BankInstructionReturned"
        | "EpaPaid" => return Ok(Said::Other),
        _ => return Err(Wrong::new("unknown_type", "type is none that Adyen has for payments or fees")),
    };
    let own = line.get("modification merchant reference").filter(|id| id.starts_with("pay_"));
    let payment = own.or_else(|| line.get("merchant reference"));
    // a capture and its refunds share the reference of the payment: the one of the modification tells them apart
    let reference =
        if line.get("modification reference").is_some() { "modification reference" } else { "psp reference" };
    generic::row(line, kind, reference, payment, &["psp reference"], ("gross currency", amount))
}
