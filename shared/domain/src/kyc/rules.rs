//! The rule sets of KYC: `kyc` says what a case needs, `kyc_risk` what is risky and what follows, `kyc_levels` what a client may do,
//! `screening` which lists count, `kyc_vendors` who verifies identities.

pub mod levels;
pub mod requirements;
pub mod risk;
pub mod screening;
pub mod vendors;

pub use levels::{KycLevels, LevelSubject, MoneyLimit, Rights};
pub use requirements::{FaceRules, Kyc, ReaderRule, Requirement, UploadRules};
pub use risk::{Assessment, KycRisk, NOT_SURE, RiskSubject, Ruling};
pub use screening::{ListCount, ListFormat, ListRule, Rescreen, ScreeningRules};
pub use vendors::{CheckSubject, IdentityVendor, KycVendors, VendorRule, WebhookDigest};
