//! Screening of everybody again, every day and whenever a list has changed: by what changed, in parts, and counted, so that nobody is
//! left out without somebody being told.
//!
//! A [`Rescreening`] is the run, of which there is one at a time. Each [`ScreeningPart`] is a share of the clients. What was found about a
//! client and what people decided about it is his [`ClientScreening`]. Nothing of it changes what a client may do.

mod client;
mod part;
mod run;

pub use client::{
    Became, ClientScreening, ClientScreeningFacts, ClientScreeningPrivate, Ended, Found, Pair, PairDecision, PairState,
    Rescreened,
};
pub use part::{PartStage, Place, ScreeningPart, ScreeningPartFacts, Tally};
pub use run::{Enlistment, Failure, Outcome, Rescreening, RescreeningFacts, RunStage, Target};
