//! `make demo`: a brokerage on one machine, and a day of it.
//!
//! `ONCE=1` ends after the day, with 0 only if every claim held. `DATA=<file>` keeps the tables in a file,
//! `PORT` is the API's port (8700), `DAY=0` leaves the day out.

use std::path::PathBuf;
use std::process::ExitCode;

use broker::Failure;
use broker::day::{self, say};
use broker::local::{Broker, Options};
use broker::run_file::RunFile;
use domain::rule_sets::SetName;
use runtime::Clock as _;
use runtime::lambda::SystemClock;

const PORT: u16 = 8700;

#[tokio::main]
async fn main() -> ExitCode {
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    runtime::telemetry::init(Some(setting("LOG").as_deref().unwrap_or("off")));
    match run(setting).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("the demo could not go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(setting: impl Fn(&str) -> Option<String>) -> Result<bool, Failure> {
    let once = setting("ONCE").is_some_and(|value| value != "0");
    let port = setting("PORT").map_or(Ok(PORT), |text| text.parse()).map_err(|_| "PORT must be a port number")?;
    let play = setting("DAY").is_none_or(|value| value != "0");
    let broker = Broker::start(Options {
        data: setting("DATA").map(PathBuf::from),
        listen: Some(([127, 0, 0, 1], port).into()),
        adjust: play.then_some(day::shorten_waits),
        ..Options::default()
    })
    .await?;
    say(&format!("pipworks {} on {}", env!("CARGO_PKG_VERSION"), broker.host.url()));
    let held = if play { a_day(&broker).await? } else { true };
    if !once {
        let file = RunFile::write(&broker)?;
        say(&format!("the API stays at {} until Ctrl-C; tokens and secrets are in .local/run.json", broker.host.url()));
        ended().await?;
        drop(file);
    }
    broker.stop().await;
    Ok(held)
}

async fn a_day(broker: &Broker) -> Result<bool, Failure> {
    let report = day::play(broker).await?;
    // from here on the rules are those of a new installation
    let document = broker.rule_document(SetName::Psps)?;
    broker::rules::publish(&broker.rules(), SetName::Psps, 2, &document, SystemClock.now()).await?;
    report.print();
    say(if report.held() { "every claim of the day held" } else { "NOT every claim of the day held" });
    Ok(report.held())
}

async fn ended() -> Result<(), Failure> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminated.recv() => {}
    }
    Ok(())
}
