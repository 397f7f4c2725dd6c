//! Money to and from an account. The caller's id is in the path, and the platform books one id once.

use std::collections::BTreeMap;

use ::http::{Method, StatusCode};
use domain::{Currency, Money, Seconds, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::rest::{Call, Interface};
use super::{Dxtrade, in_digits, utc};
use crate::platforms::call::unreadable;
use crate::platforms::history::judged;
use crate::platforms::operations::within;
use crate::platforms::{
    BalanceOperation, FoundDeal, FoundOperation, FoundTicket, Funds, Login, MoneyOperation, PlatformError, Reference,
    Ticket, TicketQuery, json,
};
use crate::template::encode;

/// How far the server's clock may be from ours.
const CLOCK_SKEW: Seconds = Seconds(600);
/// Rows that are asked for at once.
const ROWS: usize = 100;
/// The server has a limit of its own and does not say which: an answer of so many rows is not taken for a whole one.
const ROWS_SURE: usize = 20;
/// Parts that a time is read in.
const PARTS_MAX: usize = 200;
/// What moves money by hand or by an interface.
const BALANCE_KINDS: [&str; 3] = ["DEPOSIT", "WITHDRAWAL", "ADJUSTMENT"];

/// A transfer of the history.
#[derive(Debug, Clone)]
struct Transfer {
    code: String,
    comment: String,
    kind: String,
    /// Negative: taken out.
    amount: Decimal,
    currency: Currency,
    /// None where it cannot be read: a look-up by reference needs none.
    at: Option<Timestamp>,
}

impl Dxtrade {
    /// The ticket is the id in the path: it is the one number of the booking that the platform and we both have.
    pub(super) async fn transfer(&self, operation: &BalanceOperation) -> Result<Ticket, PlatformError> {
        if operation.funds == Funds::Credit {
            // an account has a sum of credit, which is set as a whole and bears no reference of ours
            return Err(PlatformError::unsupported("booking credit"));
        }
        let until = self.deadline();
        let amount = operation.amount.amount();
        if amount.is_zero() {
            let message = "nothing is no amount".to_owned();
            return Err(PlatformError::Refused { code: "amount".to_owned(), message });
        }
        let kind = if amount.is_sign_negative() { "withdrawal" } else { "deposit" };
        let id = operation.reference.as_str();
        let path = format!("{}/{kind}/{}", self.path(&operation.login), encode(id));
        let call = Call::write(Method::PUT, path, body(operation));
        let answered = self.call_or(&call, &[StatusCode::CONFLICT], until).await?;
        if answered.status != StatusCode::CONFLICT && is_of(&answered.body, operation) {
            return Ok(Ticket::new(id));
        }
        // refused, or there already: the same status says both, and what stands there is what counts
        let now = (self.settings.clock)();
        let (from, to) = (now.minus(Seconds(24 * 3_600)), now.plus(CLOCK_SKEW));
        match self.find(&operation.login, &operation.reference, operation.amount, from, to, until).await {
            Ok(FoundOperation::Booked(ticket)) => Ok(ticket),
            Ok(FoundOperation::Absent) if answered.status == StatusCode::CONFLICT => {
                let code = json::text(&answered.body, "errorCode").unwrap_or_default();
                // of an earlier day it can still be: a refusal would say that it never was
                match code.parse::<i64>() {
                    Ok(code) if !is_repeat(&answered.body) => {
                        Err(PlatformError::Refused { code: format!("409/{code}"), message: "HTTP 409".to_owned() })
                    }
                    _ => Err(PlatformError::Unknown("the id is in use, and not lately".to_owned())),
                }
            }
            Ok(FoundOperation::Absent | FoundOperation::Ambiguous(_)) | Err(_) => {
                Err(PlatformError::Unknown("the answer is to another booking".to_owned()))
            }
        }
    }

    pub(super) async fn find_booking(
        &self,
        login: &Login,
        reference: &Reference,
        (amount, funds): (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> Result<FoundOperation, PlatformError> {
        if funds == Funds::Credit {
            return Err(PlatformError::unsupported("looking credit up"));
        }
        self.find(login, reference, amount, from.minus(CLOCK_SKEW), to.plus(CLOCK_SKEW), self.deadline()).await
    }

    async fn find(
        &self,
        login: &Login,
        reference: &Reference,
        amount: Money,
        from: Timestamp,
        to: Timestamp,
        until: Instant,
    ) -> Result<FoundOperation, PlatformError> {
        let transfers = self.transfers(login, from, to, until).await?;
        let is_named = |row: &&Transfer| reference.is_named_in(&row.code) || reference.is_named_in(&row.comment);
        let named: Vec<_> = transfers.iter().filter(is_named).collect();
        let ticket = |row: &&Transfer| is_operation(row, reference, &amount).then(|| Ticket::new(reference.as_str()));
        Ok(judged(&named, &amount, ticket, |row| format!("a {} of {}", row.kind, row.amount)))
    }

    pub(super) async fn look_up_ticket(&self, named: &TicketQuery) -> Result<FoundTicket, PlatformError> {
        let Some(login) = &named.login else {
            // transfers are listed by account
            return Err(PlatformError::unsupported("looking a booking up without its account"));
        };
        let (from, to) = (named.from.minus(CLOCK_SKEW), named.to.plus(CLOCK_SKEW));
        let transfers = self.transfers(login, from, to, self.deadline()).await?;
        let ticket = named.ticket.as_str();
        // A transfer has one name that nobody else's has: the server's code. Our id is one, too, but where it is not known to be ours it is
        // only words that somebody wrote, and one transfer must not prove two things under two names.
        let is_ours = named.reference.as_ref().is_some_and(|own| own.as_str() == ticket);
        let is_it = |row: &Transfer| row.code == ticket || (is_ours && row.comment == ticket);
        let Some(row) = transfers.iter().find(|row| is_it(row)) else { return Ok(FoundTicket::Absent) };
        let is_meant = |row: &Transfer| {
            named.reference.as_ref().is_some_and(|own| own.is_meant_by(&row.code) || own.is_meant_by(&row.comment))
        };
        let counted = transfers.iter().filter(|other| is_it(other) || is_meant(other)).map(|other| other.amount);
        let together = counted.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add);
        Ok(FoundTicket::Deal(FoundDeal {
            login: login.clone(),
            is_balance: true,
            amount: row.amount,
            digits: Some(row.currency.digits()),
            comment: row.comment.clone(),
            together: together.ok_or_else(|| unreadable("amounts of the transfers"))?,
        }))
    }

    /// The transfers of an account.
    pub(super) async fn read_operations(
        &self,
        login: Option<&Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MoneyOperation>, PlatformError> {
        let login = login.ok_or_else(|| PlatformError::unsupported("listing the operations of all accounts"))?;
        let transfers = self.transfers(login, from.minus(CLOCK_SKEW), to.plus(CLOCK_SKEW), self.deadline()).await?;
        let mut all = Vec::new();
        for row in transfers {
            all.push(MoneyOperation {
                is_balance: row.is_balance(),
                ticket: Ticket::new(row.code.clone()),
                login: login.clone(),
                amount: row.amount,
                at: row.at.ok_or_else(|| unreadable("time of a transfer"))?,
                comment: if row.comment.is_empty() { row.code } else { row.comment },
            });
        }
        Ok(within(all, from, to))
    }

    /// Every transfer of a time: one that has too many for one answer is read in halves.
    async fn transfers(
        &self,
        login: &Login,
        from: Timestamp,
        to: Timestamp,
        until: Instant,
    ) -> Result<Vec<Transfer>, PlatformError> {
        let account = encode(&format!("{}:{login}", self.settings.clearing_code));
        let path = format!("/accounts/{account}/transfers");
        let (mut all, mut parts) = (BTreeMap::new(), vec![(from.millis(), to.millis())]);
        for _ in 0..PARTS_MAX {
            let Some((from, to)) = parts.pop() else { return Ok(all.into_values().collect()) };
            let time = |millis: i64| Timestamp::from_millis(millis).map(utc).ok_or_else(|| unreadable("time"));
            let query = vec![
                ("limit", ROWS.to_string()),
                ("of-type", BALANCE_KINDS.join(",")),
                ("time-from", time(from)?),
                ("time-to", time(to)?),
            ];
            let answer = match self.call(&Call::read(Interface::Trading, path.as_str(), query), until).await {
                // a refusal of the history ends nothing: nothing is concluded from it
                Err(PlatformError::Refused { code, .. }) => {
                    return Err(PlatformError::NotApplied(format!("the transfers cannot be read: {code}")));
                }
                answer => answer?,
            };
            let rows = json::rows(&answer.body, "cashTransfers").ok_or_else(|| unreadable("list of transfers"))?;
            if rows.len() >= ROWS_SURE {
                let middle = from.saturating_add(to.saturating_sub(from) / 2);
                if middle <= from {
                    return Err(PlatformError::NotApplied("the transfers cannot be read as a whole".to_owned()));
                }
                // both ends are inside, so the halves share none
                parts.extend([(from, middle), (middle.saturating_add(1), to)]);
                continue;
            }
            for row in rows {
                let transfer = Transfer::read(row, &account_of(&self.settings.clearing_code, login));
                let transfer = transfer.ok_or_else(|| unreadable("transfer"))?;
                all.insert(transfer.code.clone(), transfer);
            }
        }
        Err(PlatformError::NotApplied("there are more transfers than are looked through".to_owned()))
    }
}

fn account_of(clearing_code: &str, login: &Login) -> String {
    format!("{clearing_code}:{login}")
}

impl Transfer {
    /// Whether it is one as our own are; an adjustment is somebody else's.
    fn is_balance(&self) -> bool {
        matches!(self.kind.as_str(), "DEPOSIT" | "WITHDRAWAL")
    }

    /// With the sum of what it moved; none where a part cannot be read or is another account's.
    fn read(row: &Value, account: &str) -> Option<Self> {
        if json::text(row, "account")? != account {
            return None;
        }
        let moved: Vec<&Value> = json::rows(row, "cashTransactions")?
            .iter()
            .filter(|one| json::text(one, "type").is_some_and(|kind| BALANCE_KINDS.contains(&kind.as_str())))
            .collect();
        let first = moved.first()?;
        let kind = json::text(first, "type")?;
        let currency: Currency = json::text(first, "currency")?.parse().ok()?;
        let mut amount = Decimal::ZERO;
        for one in &moved {
            let value = json::decimal(one, "value")?;
            // the direction is said by the type; which sign goes with it is not documented
            let signed = match json::text(one, "type")?.as_str() {
                "DEPOSIT" => value.abs(),
                "WITHDRAWAL" => -value.abs(),
                _ => value,
            };
            amount = amount.checked_add(signed)?;
        }
        Some(Self {
            code: json::text(row, "transferCode")?,
            at: json::text(row, "transactionTime").and_then(|time| time.parse().ok()),
            comment: json::text(row, "comment").unwrap_or_default(),
            amount: in_digits(amount, currency),
            currency,
            kind,
        })
    }
}

/// By the id of the path, or where the platform keeps it elsewhere by the description that we gave it.
fn is_operation(row: &Transfer, reference: &Reference, amount: &Money) -> bool {
    let is_ours = row.code == reference.as_str() || reference.begins(&row.comment);
    is_ours && row.is_balance() && row.amount == amount.amount() && row.currency == amount.currency()
}

/// The body of a booking. The amount is written as it is: the number of a JSON library is a fraction of two.
fn body(operation: &BalanceOperation) -> String {
    let (currency, amount) = (operation.amount.currency(), operation.amount.amount().abs());
    let description = json!(operation.reference.as_str());
    format!(r#"{{"currency":"{}","amount":{amount},"description":{description}}}"#, currency.code())
}

/// Whether an answer is to this booking: a repeat answers with the first one, whatever that was.
fn is_of(answer: &Value, operation: &BalanceOperation) -> bool {
    json::decimal(answer, "amount") == Some(operation.amount.amount().abs())
        && json::text(answer, "currency").as_deref() == Some(operation.amount.currency().code())
}

/// Whether the words of a conflict are about the id.
fn is_repeat(answer: &Value) -> bool {
    let words = json::text(answer, "errorMessage").or_else(|| json::text(answer, "description")).unwrap_or_default();
    words.to_ascii_lowercase().contains("exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_exactly_and_its_direction_is_the_paths() {
        for (amount, currency, written) in
            [("90071992547409.93", "USD", "90071992547409.93"), ("-250.50", "EUR", "250.50"), ("7", "JPY", "7")]
        {
            let amount = Money::parse(amount, currency.parse().unwrap()).unwrap();
            let text = body(&BalanceOperation::new(Login::new("a"), amount, "pay_1").unwrap());
            let expected = format!(r#"{{"currency":"{currency}","amount":{written},"description":"pay_1"}}"#);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_transfer_is_read_with_its_direction() {
        let row = |kind: &str, value: &str| {
            json!({
                "account": "default:acc_1", "transferCode": "T1", "comment": "pay_1",
                "cashTransactions": [{"type": kind, "value": value, "currency": "USD"}],
            })
        };
        for (kind, value, amount) in [
            ("DEPOSIT", "10", "10.00"),
            ("WITHDRAWAL", "10", "-10.00"),
            ("WITHDRAWAL", "-10.0", "-10.00"),
            ("ADJUSTMENT", "-1.005", "-1.005"),
        ] {
            assert_eq!(Transfer::read(&row(kind, value), "default:acc_1").unwrap().amount.to_string(), amount);
        }
        assert!(Transfer::read(&row("DEPOSIT", "10"), "default:acc_2").is_none());
        assert!(Transfer::read(&row("DEPOSIT", "x"), "default:acc_1").is_none());
        assert!(Transfer::read(&row("COMMISSION", "1"), "default:acc_1").is_none());
    }
}
