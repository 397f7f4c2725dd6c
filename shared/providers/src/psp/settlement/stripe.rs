//! Stripe's itemized reports (`payout_reconciliation.itemized`, `balance_change_from_activity.itemized`), with the metadata that we set:
//! `payment_metadata[payment_id]` of a deposit, `refund_metadata[withdrawal_id]` of the refund by which a withdrawal is paid.

use domain::reconciliation::RowKind;

use super::columns::Line;
use super::{Said, Wrong, generic};

pub(super) const NEEDS: &[&str] = &["balance_transaction_id", "reporting_category", "currency", "gross"];

pub(super) fn read(line: &Line<'_>) -> Result<Said, Wrong> {
    let kind = match line.need("reporting_category")? {
        "charge" => RowKind::Collected,
        "refund" | "charge_failure" | "partial_capture_reversal" => RowKind::PaidBack,
        "dispute" => RowKind::Disputed,
        "dispute_reversal" | "refund_failure" => RowKind::Reinstated,
        "fee"
        | "network_cost"
        | "tax"
        | "payout"
        | "payout_reversal"
        | "payout_minimum_balance_hold"
        | "payout_minimum_balance_release"
        | "transfer"
        | "transfer_reversal"
        | "topup"
        | "topup_reversal"
        | "other_adjustment"
        | "risk_reserved_funds"
        | "advance"
        | "advance_funding"
        | "contribution"
        | "climate_order_purchase"
        | "climate_order_refund"
        | "obligation"
        | "anticipation_repayment" => {
            return Ok(Said::Other);
        }
        _ => return Err(Wrong::new("unknown_type", "reporting_category is none that Stripe has for payments or fees")),
    };
    let withdrawal = line.get("refund_metadata[withdrawal_id]");
    let payment = withdrawal.or_else(|| line.get("payment_metadata[payment_id]")).or_else(|| line.get("payment_id"));
    let names = ["source_id", "charge_id", "payment_intent_id"];
    // what the payer saw is what was booked; what Stripe settles in may be another currency
    let seen = ("customer_facing_currency", "customer_facing_amount");
    let has_seen = line.get(seen.0).is_some() && line.get(seen.1).is_some();
    let amount = if has_seen { seen } else { ("currency", "gross") };
    generic::row(line, kind, "balance_transaction_id", payment, &names, amount)
}
