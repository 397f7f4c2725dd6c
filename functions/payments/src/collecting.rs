//! Money that a payer has agreed to pay and that comes only when its provider is asked for it.
//!
//! Whoever dies after asking is followed by the provider's event, by a repeat of this one, or by the timer: each ends with the same payment,
//! because our payment's id is the provider's key to it.

use domain::payment::{Deposit, PspReport, PspStatus};
use providers::psp::{Collection, Psp};
use runtime::StepError;
use store::MoneyTable;

/// What a statement comes to: where the payer has agreed, the payment that was asked for; else the statement itself. The amount is that of
/// our own record, and money that would not be credited is not asked for.
///
/// # Errors
/// [`StepError::Busy`] before the deposit's record is saved; the provider's.
pub(crate) async fn collected(report: PspReport, psp: &dyn Psp, money: &MoneyTable) -> Result<PspReport, StepError> {
    let (PspStatus::Payable { token }, Some(payment)) = (&report.status, &report.payment_id) else { return Ok(report) };
    let Some(stored) = money.load::<Deposit>(payment).await? else {
        return Err(StepError::Busy("the payment that it names is not saved yet"));
    };
    let deposit = &stored.entity;
    if deposit.facts.psp.name != report.psp || !deposit.takes_what_is_agreed() {
        return Ok(report);
    }
    let collection = Collection { payment_id: payment.clone(), amount: deposit.asked(), token: token.clone() };
    Ok(psp.collect(&collection).await?)
}
