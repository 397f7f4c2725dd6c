//! Pure decisions and the types they speak: no I/O, async, clock, environment or randomness.
//!
//! Everything here is a function of its arguments, so that a decision can be printed, stored, replayed and
//! checked years later. Time, ids and provider answers are passed in.

pub mod account;
pub mod activity;
pub mod bonus;
pub mod client;
pub mod compliance;
pub mod contact;
pub mod country;
pub mod decision;
pub mod entity;
pub mod fault;
pub mod four_eyes;
pub mod id;
pub mod input;
pub mod journey;
pub mod json;
pub mod kyc;
pub mod lead;
pub mod ledger;
pub mod money;
pub mod named_id;
pub mod notification;
pub mod partner;
pub mod payment;
pub mod personal;
pub mod reconciliation;
pub mod replay;
pub mod rule_sets;
pub mod rules;
pub mod sales;
pub mod time;
pub mod trade;
pub mod visible;
pub mod withdrawal;
pub mod words;
pub mod work;
pub mod zone;

pub use country::Country;
pub use id::{
    AccountId, AccountOpeningId, AccrualLineId, AcquisitionId, ActivityId, AlertId, AttributionId, BonusBookId,
    BonusId, BreakId, CaseId, ChangeId, ClientId, ClientLoginId, ClientScreeningId, ClientWatchId, CorrelationId,
    DayPartId, DisputeId, DocumentId, EventId, FindingId, JourneyId, KycCaseId, KycCheckId, KycNoticeId, LeadId,
    NotificationId, PartnerBookId, PartnerId, PaymentId, PayoutId, PayoutRunId, ProposalId, ReplayId, ReportId,
    RescreeningId, ScreeningPartId, ServerDayId, ServerSweepId, SettlementFileId, SettlementId, StatementId, StrayId,
    SuppressionId, TaskId, TradeAccrualId, TradeFeedId, TradeId, WatchListId, WorkId,
};
pub use money::{Conversion, Currency, Money, MoneyError, Rounding};
pub use personal::Redacted;
pub use time::{Day, Seconds, Timestamp};
pub use zone::Zone;
