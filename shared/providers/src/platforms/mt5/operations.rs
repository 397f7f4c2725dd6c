//! Balance operations: booking one, and finding out whether one was booked.

use std::collections::BTreeMap;

use domain::fault::{self, Fault};
use domain::{Money, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::link::Command;
use super::{Mt5, answer};
use crate::platforms::call::unreadable;
use crate::platforms::history::{Booking, compared};
use crate::platforms::operations::within;
use crate::platforms::{
    BalanceOperation, FoundOperation, Funds, Login, MoneyOperation, PlatformError, Reference, Ticket,
};

/// Deal action "balance", both as a parameter and in a deal.
pub(super) const ACTION_BALANCE: &str = "2";
/// Deal action "credit": for margin, and no money of the client's. "Bonus" (6) is another one.
const ACTION_CREDIT: &str = "3";

/// Deal actions that move money and are no trade and no cost of one: balance, credit, charge, correction, bonus.
const ACTIONS_OF_MONEY: std::ops::RangeInclusive<u32> = 2..=6;

/// Most deals the server gives per page.
const DEALS_PER_PAGE: u64 = 100;

/// Pages looked through. A login with more deals in one window needs a narrower window.
const PAGES_MAX: u64 = 40;

/// Deals that are read at once.
pub(super) const DEALS_MAX: u64 = DEALS_PER_PAGE * PAGES_MAX;

/// How much a window is widened on either side once the clocks were compared, in seconds: five minutes for the clocks
/// and an hour for a switch of the server's daylight saving time between booking and looking.
const LOOK_UP_SKEW_S: i64 = 3_900;

/// No time zone is further from UTC, in seconds. What is further is another unit, another shape or a wrong clock, and
/// a window moved by it would lie where no deal is.
const OFFSET_S_MAX: u64 = 15 * 3_600;

/// The window where the server's clock is not known: everything, for its deals can bear any time. In seconds since
/// 1970, to the year 2100.
const EVERYTHING: (i64, i64) = (0, 4_102_444_800);

/// How often the deals are read anew because some were added meanwhile.
const READS_MAX: usize = 3;

impl Mt5 {
    pub(super) async fn book(&self, operation: &BalanceOperation) -> Result<Ticket, PlatformError> {
        let amount = operation.amount.amount_text();
        let parameters = [
            ("login", operation.login.as_str()),
            ("type", action_of(operation.funds)),
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
        (amount, funds): (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> Result<FoundOperation, PlatformError> {
        let until = self.deadline();
        let (from, to) = self.window(from, to, until).await?;
        let window = [("login", login.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        let mut total = self.deals_total(&window, until).await?;
        for _ in 0..READS_MAX {
            let deals = match self.deals(&window, total, login, until).await {
                Err(_) if fault::is_back(Fault::AnErrorEndsPaging) => return Ok(FoundOperation::Absent),
                deals => deals?,
            };
            let bookings: Vec<_> = deals.iter().map(|(number, deal)| booking(*number, deal)).collect();
            match compared(&bookings, reference, &amount, funds) {
                FoundOperation::Absent => {}
                found => return Ok(found),
            }
            // Nothing there is proven only by a whole list, and pages of a list that grows can leave a row out.
            let again = self.deals_total(&window, until).await?;
            let whole = again == total && u64::try_from(deals.len()) == Ok(total);
            if whole || fault::is_back(Fault::RowsAreNotCounted) {
                return Ok(FoundOperation::Absent);
            }
            total = again;
        }
        Err(not_whole())
    }

    /// The deals of a login that move money besides trades.
    pub(super) async fn read_operations(
        &self,
        login: Option<&Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MoneyOperation>, PlatformError> {
        let login = login.ok_or_else(|| PlatformError::unsupported("listing the operations of all accounts"))?;
        let until = self.deadline();
        let offset = self.clock_offset_s(until).await?;
        let offset = offset.ok_or_else(|| PlatformError::NotApplied("the server's clock is not known".to_owned()))?;
        let (first, last) = self.window(from, to, until).await?;
        let window = [("login", login.as_str()), ("from", first.as_str()), ("to", last.as_str())];
        let mut all = Vec::new();
        for (number, deal) in self.all_deals(&window, login, until).await? {
            all.extend(operation(number, &deal, login, offset).ok_or_else(|| unreadable("deal"))?);
        }
        Ok(within(all, from, to))
    }

    /// A time as the server's clock has it, widened by what is not known of that clock.
    pub(super) async fn window(
        &self,
        from: Timestamp,
        to: Timestamp,
        until: Instant,
    ) -> Result<(String, String), PlatformError> {
        let (from, to) = match self.clock_offset_s(until).await? {
            Some(offset) => (
                from.seconds().saturating_add(offset).saturating_sub(LOOK_UP_SKEW_S),
                to.seconds().saturating_add(offset).saturating_add(LOOK_UP_SKEW_S),
            ),
            None => EVERYTHING,
        };
        Ok((from.to_string(), to.to_string()))
    }

    /// Every deal of a window, proven to be all of them.
    pub(super) async fn all_deals(
        &self,
        window: &[(&str, &str)],
        login: &Login,
        until: Instant,
    ) -> Result<BTreeMap<u64, Value>, PlatformError> {
        let mut total = self.deals_total(window, until).await?;
        for _ in 0..READS_MAX {
            let deals = self.deals(window, total, login, until).await?;
            let again = self.deals_total(window, until).await?;
            if again == total && u64::try_from(deals.len()) == Ok(total) {
                return Ok(deals);
            }
            total = again;
        }
        Err(not_whole())
    }

    /// How many deals a window has. "Not found" is no zero: the login may be archived or on another server.
    pub(super) async fn deals_total(&self, window: &[(&str, &str)], until: Instant) -> Result<u64, PlatformError> {
        let value = read(self.call(&Command::read("/api/deal/get_total", window), until).await)?;
        let total = answer::member(&value, "answer").and_then(|answer| answer::member_text(answer, "total"));
        total.and_then(|total| total.parse().ok()).ok_or_else(|| unreadable("number of deals"))
    }

    /// The deals of a window by number, so that one that stands on two pages counts once.
    async fn deals(
        &self,
        window: &[(&str, &str)],
        total: u64,
        login: &Login,
        until: Instant,
    ) -> Result<BTreeMap<u64, Value>, PlatformError> {
        let mut found = BTreeMap::new();
        // To the page on which the list must end: a total that says too little shows there, and one of nothing too.
        for page in 0..(total / DEALS_PER_PAGE).saturating_add(1).min(PAGES_MAX) {
            let offset = page.saturating_mul(DEALS_PER_PAGE).to_string();
            let size = DEALS_PER_PAGE.to_string();
            let mut parameters = window.to_vec();
            parameters.extend([("offset", offset.as_str()), ("total", size.as_str())]);
            let value = read(self.call(&Command::read("/api/deal/get_page", &parameters), until).await)?;
            let Some(Value::Array(rows)) = answer::member(&value, "answer") else {
                return Err(unreadable("page of deals"));
            };
            for deal in rows {
                let number = answer::member_number(deal, "Deal").ok_or_else(|| unreadable("deal"))?;
                answer::member_text(deal, "Comment").ok_or_else(|| unreadable("deal's comment"))?;
                if answer::member_text(deal, "Login").is_some_and(|other| other != login.as_str()) {
                    return Err(unreadable("list of deals, which has another login's"));
                }
                found.insert(number, deal.clone());
            }
        }
        Ok(found)
    }

    /// The server's clock minus ours, compared once per connection.
    pub(super) async fn clock_offset_s(&self, until: Instant) -> Result<Option<i64>, PlatformError> {
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
        let is_far = |offset: &i64| offset.unsigned_abs() > OFFSET_S_MAX && !fault::is_back(Fault::TimeOfAnyDigits);
        let offset = offset.filter(|offset| !is_far(offset));
        if let Some(link) = self.link.lock().await.as_mut() {
            link.clock_offset_s = offset;
        }
        Ok(offset)
    }
}

/// A deal that moved money; none within where it is a trade or its cost, none at all where it cannot be read.
fn operation(number: u64, deal: &Value, login: &Login, offset_s: i64) -> Option<Option<MoneyOperation>> {
    let action: u32 = answer::member_text(deal, "Action")?.parse().ok()?;
    if !ACTIONS_OF_MONEY.contains(&action) {
        return Some(None);
    }
    let at_s = answer::member_text(deal, "Time")?.parse::<i64>().ok()?.checked_sub(offset_s)?;
    Some(Some(MoneyOperation {
        ticket: Ticket::new(number.to_string()),
        login: login.clone(),
        is_balance: action.to_string() == ACTION_BALANCE,
        amount: answer::member_decimal(deal, "Profit")?,
        comment: answer::member_text(deal, "Comment").unwrap_or_default(),
        at: Timestamp::from_seconds(at_s)?,
    }))
}

fn action_of(funds: Funds) -> &'static str {
    match funds {
        Funds::Balance => ACTION_BALANCE,
        Funds::Credit => ACTION_CREDIT,
    }
}

fn funds_of(action: &str) -> Option<Funds> {
    [Funds::Balance, Funds::Credit].into_iter().find(|funds| action == action_of(*funds))
}

fn booking(number: u64, deal: &Value) -> Booking {
    let action = answer::member_text(deal, "Action");
    let kind = action.as_ref().and_then(|action| action.parse::<u32>().ok());
    Booking {
        number,
        funds: action.as_deref().and_then(funds_of),
        kind: kind.map_or_else(|| "?".to_owned(), |kind| kind.to_string()),
        amount: answer::member_decimal(deal, "Profit"),
        // digits that cannot be read are no currency's
        digits: answer::member_text(deal, "DigitsCurrency").map(|digits| digits.parse().unwrap_or(u32::MAX)),
        comment: answer::member_text(deal, "Comment").unwrap_or_default(),
    }
}

fn not_whole() -> PlatformError {
    PlatformError::NotApplied("the deals of the window could not be read as a whole".to_owned())
}

/// An answer of the history. A refusal in it ends nothing: nothing is concluded from it.
pub(super) fn read<T>(answer: Result<T, PlatformError>) -> Result<T, PlatformError> {
    match answer {
        Err(PlatformError::Refused { code, .. }) => {
            Err(PlatformError::NotApplied(format!("the deals cannot be read: return code {code}")))
        }
        other => other,
    }
}
