//! A client trades: a bridge tells of each deal, now and then twice or late, and takes one back.

use domain::Seconds;
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};

use super::report::Report;
use super::say;
use super::steps::{Desk, Trader};
use crate::Failure;
use crate::local::bridge_signature;

/// The trades of one client.
pub async fn deals(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say(
        "Theo Trades closes six positions; his server's bridge tells of them out of order, two of them twice, and takes one back",
    );
    let theo = desk.opened(desk.trader("Theo Trades", "en", "USD").await?).await?;
    let began = desk.broker.host.time().now().minus(Seconds(60));
    let closed = |number: u32, profit: &str| deal(&theo, number, profit, began.plus(Seconds(number)).to_string());
    let deals = [closed(3, "-4.00"), closed(1, "11.50"), closed(2, "-2.00"), closed(1, "11.50")];
    let first = push(desk, &deals).await?;
    let counts = (first.get("accepted").cloned(), first.get("duplicates").cloned());
    report.check("each deal counts once", counts == (Some(json!(3)), Some(json!(1))), &first.to_string());

    let mut gone = closed(6, "900.00");
    let more =
        [closed(4, "-1.00"), closed(5, "-7.25"), gone.clone(), closed(4, "-1.00"), json!({"deal": "7", "lots": "0"})];
    let second = push(desk, &more).await?;
    let refused = second.pointer("/refused/0/message").and_then(Value::as_str).unwrap_or_default().to_owned();
    report.check(
        "a deal that cannot be one stops no other",
        refused.contains("lots") && refused.contains("symbol"),
        &refused,
    );
    if let Some(gone) = gone.as_object_mut() {
        gone.insert("deleted".to_owned(), json!(true));
    }
    push(desk, &[gone]).await?;
    desk.broker.host.idle().await;

    let path = format!("/v1/clients/{}/activity", theo.client_id);
    let numbers = desk.look("portal", &path).await?;
    let streak = (numbers.text_at("/streak/kind"), numbers.json.pointer("/streak/length").cloned());
    let count = numbers.json.get("trades_30d").cloned();
    let held = count == Some(json!(5)) && streak == ("loss".to_owned(), Some(json!(4)));
    report.check("five trades, the last four of them lost", held, &numbers.text);
    Ok(())
}

/// A position of a tenth of a lot that was closed.
pub(super) fn deal(trader: &Trader, number: u32, profit: &str, at: String) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD", "side": "sell", "entry": "out",
        "lots": "0.10", "price": "1.09012", "profit": profit, "commission": "0", "swap": "0", "currency": "USD", "at": at,
    })
}

/// The bridge of the MT5 server tells of deals.
pub(super) async fn push(desk: &Desk<'_>, deals: &[Value]) -> Result<Value, Failure> {
    let body = json!({"server": "mt5-live", "deals": deals}).to_string();
    let header = bridge_signature(desk.broker.host.time().now(), &body);
    let headers = [("content-type", "application/json"), ("x-pipworks-signature", header.as_str())];
    let url = desk.broker.url("/v1/webhooks/trades/mt5");
    Ok(desk.api.send(Method::POST, &url, &headers, body.into_bytes()).await?.expect(200)?.json)
}
