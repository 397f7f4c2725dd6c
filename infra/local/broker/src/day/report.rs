//! What the day showed: claims that held or did not, counts, latencies, balances.

use std::collections::BTreeMap;

use domain::ledger::LedgerAccount;
use domain::{AccountId, Money};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rust_decimal::Decimal;
use serde_json::Value;

use super::say;
use super::steps::Desk;
use crate::Failure;

/// Ledger accounts read at the same time.
const AT_ONCE: usize = 16;

/// The day's report.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<(String, bool, String)>,
    /// Deliveries that were repeats and changed nothing.
    pub duplicates: usize,
    /// From the decision that a deposit is paid to the decision that it is credited, in the burst.
    pub burst_ms: Vec<i64>,
    /// From a form that is accepted to the message to its agent, in the burst.
    pub told_ms: Vec<i64>,
    credited: usize,
    platform: BTreeMap<String, Decimal>,
    ledger: BTreeMap<String, Decimal>,
    work: usize,
}

impl Report {
    /// Notes whether a claim held.
    pub fn check(&mut self, claim: &str, held: bool, seen: &str) {
        say(&format!(
            "  {} {claim}{}",
            if held { "ok  " } else { "FAIL" },
            if held { String::new() } else { format!(": {seen}") }
        ));
        self.checks.push((claim.to_owned(), held, seen.to_owned()));
    }

    /// Whether every claim held.
    pub fn held(&self) -> bool {
        self.checks.iter().all(|(_, held, _)| *held)
    }

    /// Prints the table.
    pub fn print(&self) {
        let sums = |side: &BTreeMap<String, Decimal>| {
            side.iter().map(|(currency, sum)| format!("{sum} {currency}")).collect::<Vec<_>>().join(", ")
        };
        let failed = self.checks.iter().filter(|(_, held, _)| !held).count();
        say("");
        let rows = [
            ("deposits credited", self.credited.to_string()),
            ("duplicates absorbed", self.duplicates.to_string()),
            ("leads given out in the burst", self.told_ms.len().to_string()),
            ("form to agent's Slack, p50 / p99", percentiles(&self.told_ms)),
            ("paid to credited, burst, p50 / p99", percentiles(&self.burst_ms)),
            ("on the platform", sums(&self.platform)),
            ("in the ledger", sums(&self.ledger)),
            ("work items left for people", self.work.to_string()),
            ("claims checked / not held", format!("{} / {failed}", self.checks.len())),
        ];
        for (name, value) in rows {
            say(&format!("  {name:<36} {value}"));
        }
        say("");
    }
}

fn percentiles(of: &[i64]) -> String {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    let at = |percent: usize| sorted.get((last * percent).div_ceil(100)).copied().unwrap_or(0);
    format!("{} / {} ms", at(50), at(99))
}

/// Compares platform and ledger, account by account, and counts what is left.
pub async fn close(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("closing the books");
    desk.broker.host.idle().await;
    let accounts = platform_accounts(desk).await?;
    let booked: Vec<(Decimal, Decimal, String, usize)> = stream::iter(accounts)
        .map(|account| async move {
            let (sum, entries) = ledger_sum(desk, &account.id).await?;
            Ok::<_, Failure>((account.balance, sum, account.currency, entries))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut differing = 0;
    for (platform, ledger, currency, entries) in booked {
        differing += usize::from(platform != ledger);
        report.credited += entries;
        *report.platform.entry(currency.clone()).or_default() += platform;
        *report.ledger.entry(currency).or_default() += ledger;
    }
    report.check("ledger and platform agree on every account", differing == 0, &format!("{differing} differ"));
    let work = desk.look("finance", "/v1/work?limit=100").await?.json;
    report.work = work.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    report.check("no work item is left open", report.work == 0, &work.to_string());
    let dead: usize = desk.broker.host.dead_letters().values().map(Vec::len).sum();
    report.check("no message is in a dead-letter queue", dead == 0, &dead.to_string());
    Ok(())
}

struct PlatformAccount {
    id: AccountId,
    balance: Decimal,
    currency: String,
}

/// The trading server's accounts: our id is in their comment.
async fn platform_accounts(desk: &Desk<'_>) -> Result<Vec<PlatformAccount>, Failure> {
    let state = desk.state("mt5", "part=users").await?;
    let mut accounts = Vec::new();
    for user in state.get("users").and_then(Value::as_array).cloned().unwrap_or_default() {
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| user.get(*name))
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
        };
        let comment = text(&["comment", "Comment"]).unwrap_or_default();
        let balance = text(&["balance", "Balance"]).unwrap_or_default();
        let group = text(&["group", "Group"]).unwrap_or_default();
        accounts.push(PlatformAccount {
            id: comment.parse()?,
            balance: balance.parse::<Decimal>()?.normalize(),
            currency: group.rsplit('-').next().unwrap_or_default().to_owned(),
        });
    }
    Ok(accounts)
}

async fn ledger_sum(desk: &Desk<'_>, account: &AccountId) -> Result<(Decimal, usize), Failure> {
    let entries = desk.broker.ledger_of(account).await?;
    let name = LedgerAccount::Client(account.clone());
    let legs = entries.iter().flat_map(|entry| &entry.postings).filter(|posting| posting.account == name);
    let sum: Decimal = legs.map(|posting| Money::negated(&posting.amount).amount()).sum();
    Ok((sum.normalize(), entries.len()))
}
