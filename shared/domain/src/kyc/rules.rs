//! The rule sets of KYC: `kyc` says what a case needs, `kyc_risk` what is risky and what follows, `screening` which lists count,
//! `kyc_vendors` who verifies identities.

pub mod requirements;
pub mod risk;
pub mod screening;
pub mod vendors;

pub use requirements::{FaceRules, Kyc, ReaderRule, Requirement, UploadRules};
pub use risk::{KycRisk, RiskSubject, Ruling};
pub use screening::{ListCount, ListFormat, ListRule, ScreeningRules};
pub use vendors::{CheckSubject, IdentityVendor, KycVendors, VendorRule, WebhookDigest};
