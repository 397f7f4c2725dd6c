//! The generic columns: `reference,payment_id,type,currency,amount,fee,at`.
//!
//! | column | |
//! |---|---|
//! | `reference` | the provider's own id of the row; must be there |
//! | `payment_id` | our payment id, `pay_…`; empty where the provider knows none |
//! | `type` | `payment`, `refund`, `chargeback`, `chargeback_reversed`, `refund_failed`, `payout`; `fee`, `transfer`, `adjustment` are nobody's payment |
//! | `currency` | ISO 4217 |
//! | `amount` | before fees; the type says its sign |
//! | `fee` | what the provider kept; may be empty |
//! | `at` | when, RFC 3339 in UTC; may be empty |

use domain::Timestamp;
use domain::reconciliation::{RowKind, SettledRow};

use super::columns::Line;
use super::{Said, Wrong, amount};

/// Longest reference: hundreds of rows are kept in one item.
const REFERENCE_BYTES_MAX: usize = 100;

pub(super) const NEEDS: &[&str] = &["reference", "payment_id", "type", "currency", "amount"];

pub(super) fn read(line: &Line<'_>) -> Result<Said, Wrong> {
    let kind = match line.need("type")?.to_lowercase().as_str() {
        "payment" | "charge" | "capture" | "deposit" => RowKind::Collected,
        "refund" => RowKind::PaidBack,
        "chargeback" | "dispute" => RowKind::Disputed,
        "chargeback_reversed" | "dispute_reversal" | "refund_failed" => RowKind::Reinstated,
        "payout" | "withdrawal" => RowKind::PaidOut,
        "fee" | "transfer" | "adjustment" => return Ok(Said::Other),
        _ => return Err(Wrong::new("unknown_type", "type is none of those that a file may have")),
    };
    if line.get("at").is_some_and(|at| at.parse::<Timestamp>().is_err()) {
        return Err(Wrong::new("bad_time", "at is no RFC 3339 time such as 2026-11-23T10:15:30Z"));
    }
    row(line, kind, "reference", line.get("payment_id"), &[], ("currency", "amount"))
}

fn is_reference(text: &str) -> bool {
    text.len() <= REFERENCE_BYTES_MAX && !text.chars().any(char::is_control)
}

/// A row of whatever columns.
pub(super) fn row(
    line: &Line<'_>,
    kind: RowKind,
    reference: &str,
    payment: Option<&str>,
    names: &[&str],
    (currency, amount): (&str, &str),
) -> Result<Said, Wrong> {
    let reference = line.need(reference)?.to_owned();
    let names: Vec<String> = names.iter().filter_map(|name| line.get(name)).map(str::to_owned).collect();
    if !names.iter().chain([&reference]).all(|name| is_reference(name)) {
        return Err(Wrong::new("bad_reference", "a reference is longer than 100 bytes, or has control characters"));
    }
    let currency = amount::currency(line, currency)?;
    let amount = amount::magnitude(line, amount, currency)?;
    Ok(Said::Row(SettledRow {
        line: line.cells.line,
        reference,
        // what names nothing of ours is money of nobody we know
        payment_id: payment.and_then(|id| id.parse().ok()),
        names,
        kind,
        amount: if kind.comes_in() { amount } else { amount.negated() },
    }))
}
