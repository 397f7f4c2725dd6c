//! A thousand deposits by two hundred clients at once.

use std::time::Instant;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;

use super::report::Report;
use super::say;
use super::steps::{Desk, Trader, millis_between};
use crate::Failure;

/// Clients of the burst.
const CLIENTS: usize = 200;
/// Deposits of each.
const DEPOSITS_EACH: usize = 5;
/// Requests at the same time.
const AT_ONCE: usize = 8;

/// Opens, pays and waits for all of them.
pub async fn burst(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say(&format!("a burst of {} deposits by {CLIENTS} clients", CLIENTS * DEPOSITS_EACH));
    let began = Instant::now();
    let asked: Vec<Trader> = stream::iter(0..CLIENTS)
        .map(|n| async move { desk.trader(&format!("Burst Client {n}"), "en", "USD").await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    // looking at 200 accounts again and again would be the larger load
    desk.broker.host.idle().await;
    let traders: Vec<Trader> =
        stream::iter(asked).map(|trader| desk.opened(trader)).buffer_unordered(AT_ONCE).try_collect().await?;
    say(&format!("  {CLIENTS} clients with open accounts after {:.1} s", began.elapsed().as_secs_f32()));
    let orders = (0..DEPOSITS_EACH).flat_map(|_| traders.iter());
    let payments: Vec<String> = stream::iter(orders)
        .map(|trader| async move {
            let payment = desk.deposit(trader, "25.00", "USD", "stripe").await?;
            // each webhook twice: providers do that
            desk.pay("stripe", &payment, json!({"webhook": {"times": 2}})).await?;
            Ok::<_, Failure>(payment)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    say(&format!("  {} deposits opened and paid after {:.1} s", payments.len(), began.elapsed().as_secs_f32()));
    desk.broker.host.idle().await;
    say(&format!("  everything is quiet after {:.1} s", began.elapsed().as_secs_f32()));
    let credited: Vec<_> = stream::iter(&payments)
        .map(|payment| desk.payment_in(payment, "credited"))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    say(&format!("  all credited after {:.1} s", began.elapsed().as_secs_f32()));
    report.duplicates += payments.len();
    report.burst_ms = credited.iter().filter_map(|answer| millis_between(&answer.json, "paid", "credited")).collect();
    report.check(
        "every deposit of the burst is credited",
        credited.len() == CLIENTS * DEPOSITS_EACH,
        &credited.len().to_string(),
    );
    Ok(())
}
