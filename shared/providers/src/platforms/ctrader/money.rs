//! Money to and from an account over REST, and what became of it over the manager's interface.

use std::collections::BTreeMap;

use ::http::Method;
use domain::{Money, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;

use super::Ctrader;
use super::manager::Row;
use super::rest::Call;
use super::traders::{CLOCK_SKEW, number_of};
use crate::platforms::call::unreadable;
use crate::platforms::history::judged;
use crate::platforms::operations::within;
use crate::platforms::{
    BalanceOperation, FoundDeal, FoundOperation, FoundTicket, Funds, Login, MoneyOperation, PlatformError, Reference,
    Ticket, TicketQuery, TradingPlatform as _, json,
};

impl Ctrader {
    pub(super) async fn change_balance(&self, operation: &BalanceOperation) -> Result<Ticket, PlatformError> {
        if operation.funds == Funds::Credit && self.capabilities().credit.is_none() {
            return Err(PlatformError::unsupported("booking credit"));
        }
        let login = number_of(&operation.login)?;
        let path = format!("/v2/webserv/traders/{login}/changebalance");
        let call = Call::write(Method::POST, path, change(login, operation));
        let answer = self.json(&call, self.deadline()).await?;
        let number: Option<i64> = json::whole(&answer, "balanceHistoryId").filter(|number| *number > 0);
        // booked, but not to be named: the look-up finds it
        number
            .map(|number| Ticket::new(number.to_string()))
            .ok_or_else(|| PlatformError::Unknown("answer names no booking".to_owned()))
    }

    pub(super) async fn find_booking(
        &self,
        login: &Login,
        reference: &Reference,
        (amount, funds): (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> Result<FoundOperation, PlatformError> {
        let until = self.deadline();
        let trader_id = nothing_refused(self.trader_id(login, until).await)?;
        let mut session = self.manager(until).await?;
        let rows = session.history(Some(trader_id), from.minus(CLOCK_SKEW), to.plus(CLOCK_SKEW)).await?;
        Ok(compared(&rows, reference, &amount, funds))
    }

    /// The history of balance of a time, of one account or of all.
    pub(super) async fn read_operations(
        &self,
        login: Option<&Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MoneyOperation>, PlatformError> {
        let until = self.deadline();
        let trader_id = match login {
            Some(login) => Some(nothing_refused(self.trader_id(login, until).await)?),
            None => None,
        };
        let mut session = self.manager(until).await?;
        let rows = session.history(trader_id, from.minus(CLOCK_SKEW), to.plus(CLOCK_SKEW)).await?;
        let mut logins: BTreeMap<i64, Login> = trader_id.zip(login.cloned()).into_iter().collect();
        let mut all = Vec::new();
        for row in rows.into_iter().filter(Row::is_moved) {
            let login = match logins.get(&row.trader_id) {
                Some(login) => login.clone(),
                None => {
                    let login = session.login_of(row.trader_id).await?;
                    let login = login.ok_or_else(|| unreadable("account of a booking"))?;
                    logins.insert(row.trader_id, login.clone());
                    login
                }
            };
            all.push(MoneyOperation {
                ticket: Ticket::new(row.number.to_string()),
                login,
                is_balance: row.is_balance(),
                amount: row.amount,
                at: Timestamp::from_millis(row.at_ms).ok_or_else(|| unreadable("time of a booking"))?,
                comment: if row.external_id.is_empty() { row.comment } else { row.external_id },
            });
        }
        Ok(within(all, from, to))
    }

    /// The row of a number. Where it is not in the time that is asked for, the rest of the account's history says whether it is outside
    /// it; of an account that nobody knows, the time is all that is read.
    pub(super) async fn look_up_ticket(&self, named: &TicketQuery) -> Result<FoundTicket, PlatformError> {
        if self.settings.manager.is_none() {
            return Err(PlatformError::unsupported("looking bookings up"));
        }
        // the server numbers its bookings: what is no number is none of them
        let Ok(number) = named.ticket.as_str().parse::<i64>() else { return Ok(FoundTicket::Absent) };
        let until = self.deadline();
        let trader_id = match &named.login {
            Some(login) => Some(nothing_refused(self.trader_id(login, until).await)?),
            None => None,
        };
        let mut session = self.manager(until).await?;
        let (from, to) = (named.from.minus(CLOCK_SKEW), named.to.plus(CLOCK_SKEW));
        let mut rows = session.history(trader_id, from, to).await?;
        let Some(row) = rows.iter().find(|row| row.number == number).cloned() else {
            let Some(trader_id) = trader_id else { return Ok(FoundTicket::Absent) };
            let now = (self.settings.clock)().plus(CLOCK_SKEW);
            let all = session.history(Some(trader_id), Timestamp::EPOCH, now).await?;
            let outside = all.iter().any(|row| row.number == number);
            return Ok(if outside { FoundTicket::OutOfTime } else { FoundTicket::Absent });
        };
        let login = match &named.login {
            Some(login) => login.clone(),
            None => session.login_of(row.trader_id).await?.ok_or_else(|| unreadable("account of the booking"))?,
        };
        rows.retain(|other| other.trader_id == row.trader_id);
        Ok(FoundTicket::Deal(FoundDeal {
            login,
            is_balance: row.is_balance(),
            amount: row.amount,
            // `moneyDigits` is how amounts are written, not the currency's
            digits: None,
            together: together(&rows, &row, named.reference.as_ref())?,
            comment: if row.comment.is_empty() { row.external_id } else { row.comment },
        }))
    }
}

/// The body of a booking. The amount is written as it is: the number of a JSON library is a fraction of two.
fn change(login: u64, operation: &BalanceOperation) -> String {
    let amount = operation.amount.amount();
    let kind = match (operation.funds, amount.is_sign_negative()) {
        (Funds::Balance, false) => "DEPOSIT",
        (Funds::Balance, true) => "WITHDRAW",
        (Funds::Credit, false) => "DEPOSIT_NONWITHDRAWABLE_BONUS",
        (Funds::Credit, true) => "WITHDRAW_NONWITHDRAWABLE_BONUS",
    };
    let (precise, reference) = (amount.abs(), json!(operation.reference.as_str()));
    format!(
        r#"{{"login":{login},"preciseAmount":{precise},"type":"{kind}","comment":{reference},"externalId":{reference}}}"#
    )
}

fn compared(rows: &[Row], reference: &Reference, amount: &Money, funds: Funds) -> FoundOperation {
    let is_named = |row: &&Row| reference.is_named_in(&row.external_id) || reference.is_named_in(&row.comment);
    let named: Vec<_> = rows.iter().filter(is_named).collect();
    let ticket = |row: &&Row| is_operation(row, reference, amount, funds).then(|| Ticket::new(row.number.to_string()));
    judged(&named, amount, ticket, |row| described(row))
}

/// By the id that only a caller of an interface can write, or, where the server keeps none, by its comment.
fn is_operation(row: &Row, reference: &Reference, amount: &Money, funds: Funds) -> bool {
    let mark = if row.external_id.is_empty() { &row.comment } else { &row.external_id };
    row.funds() == Some(funds) && row.amount == amount.amount() && reference.begins(mark)
}

/// Without the comment: a person wrote it.
fn described(row: &Row) -> String {
    format!("booking {} (type {}, amount {})", row.number, row.kind, row.amount)
}

fn together(rows: &[Row], named: &Row, reference: Option<&Reference>) -> Result<Decimal, PlatformError> {
    let is_meant =
        |row: &Row| reference.is_some_and(|own| own.is_meant_by(&row.external_id) || own.is_meant_by(&row.comment));
    let counted = rows.iter().filter(|row| row.number == named.number || (row.is_balance() && is_meant(row)));
    let sum = counted.map(|row| row.amount).try_fold(Decimal::ZERO, Decimal::checked_add);
    sum.ok_or_else(|| unreadable("amounts of the bookings"))
}

/// A refusal on the way of a look-up ends nothing: nothing is concluded from it.
fn nothing_refused<T>(answer: Result<T, PlatformError>) -> Result<T, PlatformError> {
    match answer {
        Err(PlatformError::Refused { code, .. }) if code != crate::platforms::UNSUPPORTED => {
            Err(PlatformError::NotApplied(format!("the history cannot be read: {code}")))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(amount: &str, currency: &str) -> BalanceOperation {
        let amount = Money::parse(amount, currency.parse().unwrap()).unwrap();
        BalanceOperation::new(Login::new("9017800"), amount, "pay_1").unwrap()
    }

    #[test]
    fn an_amount_is_positive_and_exact_and_its_direction_a_word() {
        let text = change(9_017_800, &operation("90071992547409.93", "USD"));
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&body["login"], &body["type"]), (&json!(9_017_800), &json!("DEPOSIT")));
        assert_eq!((&body["externalId"], &body["comment"]), (&json!("pay_1"), &json!("pay_1")));
        assert!(text.contains(r#""preciseAmount":90071992547409.93,"#), "{text}");
        let text = change(1, &operation("-250", "JPY"));
        assert!(text.contains(r#""preciseAmount":250,"type":"WITHDRAW""#), "{text}");
    }
}
