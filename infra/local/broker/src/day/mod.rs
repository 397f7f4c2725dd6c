//! A day at the brokerage, played through the public API, with everything that can go wrong; every claim is checked.

mod accounts;
mod burst;
pub mod idle;
mod kyc;
mod laundry;
mod leads;
mod night;
mod partners;
mod report;
mod scenes;
pub mod steps;
mod trading;
mod vendors;
mod withdrawals;

use crate::Failure;
use crate::local::Broker;
use steps::Desk;

pub use laundry::laundry;
pub use report::Report;

/// Prints a line.
pub fn say(line: &str) {
    use std::io::Write as _;
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
        tracing::debug!(error = %error, "nobody reads the output");
    }
}

/// Plays the day.
///
/// # Errors
/// What kept it from being played to its end; a claim that does not hold is in the report instead.
pub async fn play(broker: &Broker) -> Result<Report, Failure> {
    let desk = Desk::new(broker);
    let mut report = Report::default();
    night::night(&mut report).await?;
    laundry::laundry(&mut report).await?;
    leads::one_person(&desk, &mut report).await?;
    leads::forms_at_once(&desk, &mut report).await?;
    kyc::newcomers(&desk, &mut report).await?;
    vendors::verified(&desk, &mut report).await?;
    vendors::outage(&desk, &mut report).await?;
    accounts::openings(&mut report).await?;
    scenes::plain(&desk, &mut report).await?;
    scenes::five_times(&desk, &mut report).await?;
    scenes::wrong_order(&desk, &mut report).await?;
    scenes::forged(&desk, &mut report).await?;
    scenes::underpaid(&desk, &mut report).await?;
    scenes::silent_webhook(&desk, &mut report).await?;
    scenes::silent_platform(&desk, &mut report).await?;
    withdrawals::out(&desk, &mut report).await?;
    trading::deals(&desk, &mut report).await?;
    idle::weeks(&mut report).await?;
    partners::month(&mut report).await?;
    burst::burst(&desk, &mut report).await?;
    report::close(&desk, &mut report).await?;
    Ok(report)
}
