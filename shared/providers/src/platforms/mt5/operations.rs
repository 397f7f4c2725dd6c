//! Balance operations: booking one, and finding out whether one was booked.

use domain::{Money, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::accounts::{found, unreadable};
use super::link::Command;
use super::{Mt5, answer};
use crate::platforms::{BalanceOperation, Login, PlatformError, Reference, Ticket};

/// Deal action "balance", both as a parameter and in a deal.
const ACTION_BALANCE: &str = "2";

/// Most deals the server gives per page.
const DEALS_PER_PAGE: u64 = 100;

/// Pages looked through. A login with more deals in one window needs a narrower window.
const PAGES_MAX: u64 = 40;

/// How much a window is widened on either side once the clocks were compared, in seconds: five minutes for the clocks
/// and an hour for a switch of the server's daylight saving time between booking and looking.
const LOOK_UP_SKEW_S: i64 = 3_900;

/// The same when the server's clock could not be read: every time zone there is.
const LOOK_UP_SKEW_UNCALIBRATED_S: i64 = 15 * 3_600;

impl Mt5 {
    pub(super) async fn book(&self, operation: &BalanceOperation) -> Result<Ticket, PlatformError> {
        let amount = operation.amount.amount_text();
        let parameters = [
            ("login", operation.login.as_str()),
            ("type", ACTION_BALANCE),
            ("balance", &amount),
            ("comment", operation.reference.as_str()),
        ];
        let value = self.call(&Command::write("/api/trade/balance", &parameters, None), self.deadline()).await?;
        let ticket = answer::member(&value, "answer").and_then(|answer| answer::member_number(answer, "Ticket"));
        // Booked, but not to be named: the look-up finds it.
        ticket
            .map(|ticket| Ticket::new(ticket.to_string()))
            .ok_or_else(|| PlatformError::Unknown("answer names no ticket".to_owned()))
    }

    pub(super) async fn find_deal(
        &self,
        login: &Login,
        reference: &Reference,
        amount: Money,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<Ticket>, PlatformError> {
        let until = self.deadline();
        let (offset, skew) = match self.clock_offset_s(until).await? {
            Some(offset) => (offset, LOOK_UP_SKEW_S),
            None => (0, LOOK_UP_SKEW_UNCALIBRATED_S),
        };
        let from = from.seconds().saturating_add(offset).saturating_sub(skew).to_string();
        let to = to.seconds().saturating_add(offset).saturating_add(skew).to_string();
        let window = [("login", login.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        let Some(value) = found(self.call(&Command::read("/api/deal/get_total", &window), until).await)? else {
            return Ok(None);
        };
        let total = answer::member(&value, "answer").and_then(|answer| answer::member_text(answer, "total"));
        let total: u64 = total.and_then(|total| total.parse().ok()).ok_or_else(|| unreadable("number of deals"))?;
        let pages = total.div_ceil(DEALS_PER_PAGE);
        let mut tickets = Vec::new();
        for page in 0..pages.min(PAGES_MAX) {
            let offset = page.saturating_mul(DEALS_PER_PAGE).to_string();
            let size = DEALS_PER_PAGE.to_string();
            let mut parameters = window.to_vec();
            parameters.extend([("offset", offset.as_str()), ("total", size.as_str())]);
            let Some(value) = found(self.call(&Command::read("/api/deal/get_page", &parameters), until).await)? else {
                break;
            };
            let deals = answer::member(&value, "answer").and_then(Value::as_array);
            let deals = deals.ok_or_else(|| unreadable("page of deals"))?;
            for deal in deals.iter().filter(|deal| is_operation(deal, reference, &amount)) {
                tickets.push(answer::member_number(deal, "Deal").ok_or_else(|| unreadable("deal"))?);
            }
        }
        chosen(tickets, reference, pages > PAGES_MAX)
    }

    /// The server's clock minus ours, compared once per connection.
    async fn clock_offset_s(&self, until: Instant) -> Result<Option<i64>, PlatformError> {
        let known = self.link.lock().await.as_ref().and_then(|link| link.clock_offset_s);
        if known.is_some() {
            return Ok(known);
        }
        let value = match self.call(&Command::read("/api/time/server", &[]), until).await {
            Ok(value) => value,
            // A server without the command is looked at through a wider window; one that is away is not looked at.
            Err(PlatformError::Refused { .. } | PlatformError::Misconfigured(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let server = answer::member(&value, "answer").and_then(answer::server_seconds);
        let server = server.or_else(|| answer::server_seconds(&value));
        let offset = server.map(|server| server.saturating_sub((self.settings.clock)().seconds()));
        if let Some(link) = self.link.lock().await.as_mut() {
            link.clock_offset_s = offset;
        }
        Ok(offset)
    }
}

fn is_operation(deal: &Value, reference: &Reference, amount: &Money) -> bool {
    answer::member_text(deal, "Action").as_deref() == Some(ACTION_BALANCE)
        && answer::member_decimal(deal, "Profit") == Some(amount.amount())
        && answer::member_text(deal, "Comment").is_some_and(|comment| reference.begins(&comment))
}

fn chosen(mut tickets: Vec<u64>, reference: &Reference, more: bool) -> Result<Option<Ticket>, PlatformError> {
    // The same deal can stand on two pages when others are added meanwhile.
    tickets.sort_unstable();
    tickets.dedup();
    if tickets.len() > 1 {
        tracing::error!(operation.reference = %reference, count = tickets.len(),
            "operation `{reference}` is booked more than once on the trading server");
    }
    match tickets.first() {
        Some(ticket) => Ok(Some(Ticket::new(ticket.to_string()))),
        None if more => Err(PlatformError::NotApplied("the window has more deals than are looked through".to_owned())),
        None => Ok(None),
    }
}
