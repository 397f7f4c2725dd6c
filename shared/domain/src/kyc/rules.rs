//! The rule sets of KYC: `kyc` says what a case needs, `kyc_risk` what is risky and what follows.

pub mod requirements;
pub mod risk;

pub use requirements::{Kyc, Requirement, UploadRules};
pub use risk::{KycRisk, RiskSubject, Ruling};
