//! A deal by the number that a person names.

use rust_decimal::Decimal;
use serde_json::Value;
use tokio::time::Instant;

use super::accounts::found;
use super::link::Command;
use super::operations::{ACTION_BALANCE, read};
use super::{Mt5, answer};
use crate::platforms::call::unreadable;
use crate::platforms::{FoundDeal, FoundTicket, Login, PlatformError, Reference, TicketQuery};

impl Mt5 {
    /// Asks for the number alone, which also tells whose deal it is, and, where that is not enough, reads the account's whole history of
    /// the time: a deal is not there only if neither has it, and what stands under a reference is known only from all of it.
    pub(super) async fn look_up_ticket(&self, named: &TicketQuery) -> Result<FoundTicket, PlatformError> {
        // the server numbers its deals: what is no number is none of them
        let Ok(number) = named.ticket.as_str().parse::<u64>() else { return Ok(FoundTicket::Absent) };
        let until = self.deadline();
        let alone = match self.deal_of_number(number, until).await {
            // a server without the command, or a manager who may not use it: the account's whole history says it as well
            Err(PlatformError::Misconfigured(_)) if named.login.is_some() => None,
            deal => deal?,
        };
        let login = match (&named.login, alone.as_ref().map(login_of).transpose()?) {
            (Some(login), Some(other)) if *login != other => return Ok(FoundTicket::OfAnotherLogin),
            (Some(login), _) => login.clone(),
            (None, Some(login)) => login,
            (None, None) => return Ok(FoundTicket::Absent),
        };
        let (from, to) = self.window(named.from, named.to, until).await?;
        if let Some(deal) = alone.as_ref().filter(|_| named.reference.is_none())
            && let Some(inside) = is_inside(deal, &from, &to)
        {
            let amount = profit(deal)?;
            return Ok(if inside { told(login, deal, amount, amount) } else { FoundTicket::OutOfTime });
        }
        let window = [("login", login.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        let deals = self.all_deals(&window, &login, until).await?;
        let Some(deal) = deals.get(&number) else {
            return Ok(if alone.is_some() { FoundTicket::OutOfTime } else { FoundTicket::Absent });
        };
        let mut together = Decimal::ZERO;
        for (other, row) in &deals {
            if *other == number || (is_balance(row) && is_under(row, named.reference.as_ref())) {
                together = together.checked_add(profit(row)?).ok_or_else(|| unreadable("deals' amounts"))?;
            }
        }
        Ok(told(login, deal, profit(deal)?, together))
    }

    async fn deal_of_number(&self, number: u64, until: Instant) -> Result<Option<Value>, PlatformError> {
        let text = number.to_string();
        let answered = found(self.call(&Command::read("/api/deal/get", &[("ticket", &text)]), until).await);
        let Some(value) = read(answered)? else { return Ok(None) };
        let deal = match answer::member(&value, "answer") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(rows)) if rows.is_empty() => return Ok(None),
            Some(Value::Array(rows)) => rows.first(),
            Some(deal) => Some(deal),
        };
        // an answer that is not to what was asked
        match deal.filter(|deal| answer::member_number(deal, "Deal") == Some(number)) {
            Some(deal) => Ok(Some(deal.clone())),
            None => Err(unreadable("deal, which has another number")),
        }
    }
}

fn told(login: Login, deal: &Value, amount: Decimal, together: Decimal) -> FoundTicket {
    FoundTicket::Deal(FoundDeal {
        login,
        is_balance: is_balance(deal),
        amount,
        digits: answer::member_text(deal, "DigitsCurrency").and_then(|digits| digits.parse().ok()),
        comment: answer::member_text(deal, "Comment").unwrap_or_default(),
        together,
    })
}

/// Whether the deal's own time lies in a window; none where it does not say, or not its comment: then the history is read.
fn is_inside(deal: &Value, from: &str, to: &str) -> Option<bool> {
    let time: i64 = answer::member_text(deal, "Time")?.parse().ok()?;
    answer::member_text(deal, "Comment")?;
    Some((from.parse().ok()?..=to.parse().ok()?).contains(&time))
}

fn login_of(deal: &Value) -> Result<Login, PlatformError> {
    let login = answer::member_number(deal, "Login").ok_or_else(|| unreadable("deal's login"))?;
    Ok(Login::new(login.to_string()))
}

fn is_balance(deal: &Value) -> bool {
    answer::member_text(deal, "Action").as_deref() == Some(ACTION_BALANCE)
}

fn is_under(deal: &Value, reference: Option<&Reference>) -> bool {
    let comment = answer::member_text(deal, "Comment").unwrap_or_default();
    reference.is_some_and(|reference| reference.is_meant_by(&comment))
}

fn profit(deal: &Value) -> Result<Decimal, PlatformError> {
    answer::member_decimal(deal, "Profit").ok_or_else(|| unreadable("deal's amount"))
}
