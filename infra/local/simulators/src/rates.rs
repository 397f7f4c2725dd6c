//! The sources of exchange rates: the European Central Bank's file and a live quote, over one table of pairs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, put};
use http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

/// What the sources have at first. Only what begins with the euro is in the bank's file.
const RATES: [(&str, &str); 12] = [
    ("EUR/USD", "1.0593"),
    ("EUR/GBP", "0.83495"),
    ("EUR/JPY", "161.85"),
    ("USD/EUR", "0.9440"),
    ("USD/GBP", "0.7882"),
    ("USD/JPY", "152.79"),
    ("GBP/EUR", "1.1976"),
    ("GBP/USD", "1.2687"),
    ("GBP/JPY", "193.84"),
    ("JPY/EUR", "0.0061785"),
    ("JPY/USD", "0.0065449"),
    ("JPY/GBP", "0.0051588"),
];

#[derive(Clone)]
struct Table {
    /// Bid and ask by pair.
    rates: BTreeMap<String, (String, String)>,
    /// The moment that both sources tell, where it does not go with the time.
    at: Option<jiff::Timestamp>,
}

fn first() -> Table {
    let rates = RATES.iter().map(|(pair, rate)| ((*pair).to_owned(), ((*rate).to_owned(), (*rate).to_owned())));
    Table { rates: rates.collect(), at: None }
}

/// The simulator.
pub(crate) struct Rates {
    desk: Desk,
    clock: Clock,
    table: Mutex<Table>,
}

impl Rates {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { desk: Desk::new(clock.clone()), clock, table: Mutex::new(first()) })
    }

    pub(crate) fn router(self: &Arc<Self>, courier: Arc<Courier>) -> Router {
        Router::new()
            .route("/eurofxref-daily.xml", get(file))
            .route("/quote", get(quote))
            .route("/_control/rates", put(set))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), courier))
    }

    fn now(&self) -> jiff::Timestamp {
        let fixed = lock(&self.table).at;
        fixed.unwrap_or_else(|| jiff::Timestamp::from_millisecond(self.clock.now_ms()).unwrap_or_default())
    }

    fn file(&self) -> Response {
        let day = published(self.now());
        let euro = |(pair, (rate, _)): (&String, &(String, String))| {
            let currency = pair.strip_prefix("EUR/")?;
            Some(format!("\t\t\t<Cube currency='{currency}' rate='{rate}'/>\n"))
        };
        let rows: String = lock(&self.table).rates.iter().filter_map(euro).collect();
        let file = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" \
             xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\
             \t<gesmes:subject>Reference rates</gesmes:subject>\n\
             \t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n\
             \t<Cube>\n\t\t<Cube time='{day}'>\n{rows}\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
        );
        reply::text(StatusCode::OK, "text/xml", file)
    }

    fn quote(&self, from: &str, to: &str) -> Response {
        let found = lock(&self.table).rates.get(&format!("{from}/{to}")).cloned();
        match found {
            Some((bid, ask)) => {
                let at = self.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
                reply::ok(&json!({"from": from, "to": to, "bid": bid, "ask": ask, "at": at}))
            }
            None => reply::json(StatusCode::NOT_FOUND, &json!({"error": "no such pair"})),
        }
    }
}

/// The day of the newest file: a working day whose afternoon has come.
fn published(now: jiff::Timestamp) -> Date {
    let mut day = now.to_zoned(TimeZone::UTC).datetime();
    if day.hour() < 15 {
        day = day.saturating_sub(1.day());
    }
    while matches!(day.date().weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = day.saturating_sub(1.day());
    }
    day.date()
}

fn refuse(refusal: &Refusal) -> Response {
    reply::plain(refusal.http_status(500), refusal.text("the source has a problem"))
}

async fn file(State(rates): State<Arc<Rates>>, call: Call) -> Response {
    let apply = {
        let rates = Arc::clone(&rates);
        move || rates.file()
    };
    rates.desk.serve("ecb", || call.flat(), refuse, apply).await
}

async fn quote(State(rates): State<Arc<Rates>>, call: Call) -> Response {
    let (from, to) = (call.query("from").unwrap_or_default(), call.query("to").unwrap_or_default());
    let apply = {
        let (rates, from, to) = (Arc::clone(&rates), from.to_owned(), to.to_owned());
        move || rates.quote(&from, &to)
    };
    rates.desk.serve("quote", || call.flat(), refuse, apply).await
}

/// A rate: one for both sides, bid and ask, or none from now on.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    One(String),
    Both { bid: String, ask: String },
    None(()),
}

/// `PUT /_control/rates`: rates by pair, and `at`, the moment that both sources tell (`null`: the time).
#[derive(Deserialize)]
struct Set {
    #[serde(default, deserialize_with = "given")]
    at: Option<Option<jiff::Timestamp>>,
    #[serde(flatten)]
    rates: BTreeMap<String, Told>,
}

fn given<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<jiff::Timestamp>>, D::Error> {
    Option::deserialize(value).map(Some)
}

async fn set(State(rates): State<Arc<Rates>>, call: Call) -> Response {
    let set = match parse::<Set>(&call.body) {
        Ok(set) => set,
        Err(response) => return *response,
    };
    if let Some(odd) = set.rates.keys().find(|pair| pair.len() != "EUR/USD".len() || !pair.contains('/')) {
        return reply::control_error(StatusCode::BAD_REQUEST, &format!("{odd} is no pair such as EUR/USD"));
    }
    let mut table = lock(&rates.table);
    for (pair, told) in set.rates {
        match told {
            Told::One(rate) => table.rates.insert(pair, (rate.clone(), rate)),
            Told::Both { bid, ask } => table.rates.insert(pair, (bid, ask)),
            Told::None(()) => table.rates.remove(&pair),
        };
    }
    if let Some(at) = set.at {
        table.at = at;
    }
    reply::ok(&json!({"rates": table.rates, "at": table.at}))
}

impl Controlled for Rates {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        let table = lock(&self.table);
        Map::from_iter([("rates".to_owned(), json!(table.rates)), ("at".to_owned(), json!(table.at))])
    }

    fn clear(&self) {
        *lock(&self.table) = first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_is_of_a_working_day() {
        for (now, day) in [
            ("2026-11-27T14:59:00Z", "2026-11-26"),
            ("2026-11-27T15:00:00Z", "2026-11-27"),
            ("2026-11-29T12:00:00Z", "2026-11-27"),
            ("2026-11-30T12:00:00Z", "2026-11-27"),
            ("2026-11-30T15:00:00Z", "2026-11-30"),
        ] {
            assert_eq!(published(now.parse().unwrap()).to_string(), day, "{now}");
        }
    }
}
