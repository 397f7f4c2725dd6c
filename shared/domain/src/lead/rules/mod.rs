//! The rule sets about leads.

pub mod intake;
pub mod routing;
pub mod scoring;

pub use intake::LeadIntake;
pub use routing::LeadRouting;
pub use scoring::LeadScoring;
