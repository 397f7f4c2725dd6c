//! Compliance alerting: what is looked for in what clients do (scenarios, as data), what it comes to at a moment, and the cases that
//! people decide. Nothing here changes what a client may do, and nobody outside compliance can see that a case exists.

pub mod alert;
pub mod backtest;
pub mod case;
pub mod countries;
pub mod day;
pub mod detector;
pub mod evaluate;
pub mod facts;
pub mod feature;
pub mod pattern;
mod reckon;
pub mod report;
mod robust;
pub mod rules;
pub mod watch;

pub use alert::{Alert, Found, Standing, score_of};
pub use backtest::{Backtest, Figures};
pub use case::{Case, CaseAction, CaseOutcome, CaseRefusal, CaseRequest, CaseStatus, Then};
pub use countries::CountryLists;
pub use day::{DayPage, DayPart, DayPlace, DayStage, DayTally};
pub use evaluate::{Evaluation, Looked, Sight, evaluate};
pub use facts::{About, ListHit, Moment, moments_from};
pub use report::rules::Reports;
pub use report::{Report, ReportKind};
pub use rules::{Mode, Scenario, Scenarios, Trigger};
pub use watch::{Taken, Watch};

/// What is kept about clients that nobody but compliance may know of, by the prefixes of its ids: views and journal leave it out for
/// everybody else.
pub fn is_secret(entity: &str) -> bool {
    use crate::entity::EntityId;
    [
        <crate::CaseId as EntityId>::PREFIX,
        <crate::ClientWatchId as EntityId>::PREFIX,
        <crate::ReportId as EntityId>::PREFIX,
        <crate::ClientScreeningId as EntityId>::PREFIX,
    ]
    .iter()
    .any(|prefix| entity.starts_with(prefix))
}
