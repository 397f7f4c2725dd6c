//! The rule sets of KYC: `kyc` says what a case needs, `kyc_risk` what is risky and what follows, `screening` which lists count.

pub mod requirements;
pub mod risk;
pub mod screening;

pub use requirements::{FaceRules, Kyc, ReaderRule, Requirement, UploadRules};
pub use risk::{KycRisk, RiskSubject, Ruling};
pub use screening::{ListCount, ListFormat, ListRule, ScreeningRules};
