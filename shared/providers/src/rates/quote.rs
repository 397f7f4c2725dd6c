//! A live quote over HTTP: `GET {base}/quote?from=EUR&to=USD` answers
//! `{"from": "EUR", "to": "USD", "bid": "1.0592", "ask": "1.0594", "at": "2026-11-27T10:15:30Z"}`, numbers as text.
//!
//! `bid` is what one unit of `from` brings when it is sold for `to`. That is what happens to a deposit, so it is the rate that counts.

use domain::{Currency, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{BoxFuture, Call, PairRate, RateError, RateSource, plain_rate};

/// The source.
pub(super) struct LiveQuote(pub(super) Call);

impl RateSource for LiveQuote {
    fn rate<'a>(&'a self, from: Currency, to: Currency) -> BoxFuture<'a, Result<PairRate, RateError>> {
        Box::pin(async move { read(&self.0.get(&format!("/quote?from={from}&to={to}")).await?, from, to) })
    }
}

/// Members that are not named here are the source's own.
#[derive(Deserialize)]
struct Answer {
    from: String,
    to: String,
    bid: String,
    ask: String,
    at: Timestamp,
}

fn read(bytes: &[u8], from: Currency, to: Currency) -> Result<PairRate, RateError> {
    let unusable = |what: &str| RateError::Unusable(what.to_owned());
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| unusable("it does not read as a quote"))?;
    if (answer.from.as_str(), answer.to.as_str()) != (from.code(), to.code()) {
        return Err(unusable("it is of another pair"));
    }
    let (bid, ask): (Decimal, Decimal) = (plain_rate(&answer.bid)?, plain_rate(&answer.ask)?);
    if bid > ask {
        return Err(unusable("it is crossed: its bid is above its ask"));
    }
    Ok(PairRate { rate: bid, at: answer.at })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn quote(change: impl FnOnce(&mut Value)) -> Result<PairRate, RateError> {
        let mut answer =
            json!({"from": "EUR", "to": "USD", "bid": "1.0592", "ask": "1.0594", "at": "2026-11-27T10:15:30Z"});
        change(&mut answer);
        read(answer.to_string().as_bytes(), "EUR".parse().unwrap(), "USD".parse().unwrap())
    }

    #[test]
    fn the_bid_counts() {
        let read = quote(|_| {}).unwrap();
        assert_eq!(
            (read.rate.to_string().as_str(), read.at.to_string().as_str()),
            ("1.0592", "2026-11-27T10:15:30.000Z")
        );
        assert!(quote(|answer| answer["ask"] = json!("1.0592")).is_ok(), "no spread");
        assert!(quote(|answer| answer["venue"] = json!("x")).is_ok());
    }

    #[test]
    fn what_is_off_is_no_rate() {
        let cases: [(&str, Value); 10] = [
            ("bid", json!("0")),
            ("bid", json!("-1.0592")),
            ("bid", json!("1.0595")),
            ("bid", json!(1.0592)),
            ("bid", Value::Null),
            ("ask", json!("0.5")),
            ("ask", json!("")),
            ("from", json!("USD")),
            ("to", json!("usd")),
            ("at", json!("yesterday")),
        ];
        for (member, value) in cases {
            let found = quote(|answer| answer[member] = value.clone());
            assert!(matches!(found, Err(RateError::Unusable(_))), "{member} = {value}: {found:?}");
        }
        for bytes in [&b""[..], b"<<garbage", b"[]", b"{}"] {
            assert!(read(bytes, "EUR".parse().unwrap(), "USD".parse().unwrap()).is_err());
        }
    }
}
