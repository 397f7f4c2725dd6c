//! The reader as rules see him: a lead or a client, and what he does in numbers.

use rust_decimal::Decimal;

use crate::activity::position::newest;
use crate::activity::{ActivityFacts, StreakKind};
use crate::client::Client;
use crate::client::appropriateness::Appropriateness;
use crate::kyc::KycStatus;
use crate::lead::{Lead, LeadStatus};
use crate::rules::Fields;
use crate::rules::fields::CountryOrNone;
use crate::words::words;
use crate::{AccountId, Country, Timestamp};

/// Seconds of a day: inactivity is measured in whole days of this length.
const DAY_S: i64 = 86_400;

words! {
    /// Who reads.
    Audience {
        /// Leads.
        Lead = "lead",
        /// Clients.
        Client = "client",
    }
}

words! {
    /// What may happen to a reader.
    Trigger {
        /// Routing put a lead into the series.
        Nurturing = "nurturing",
        /// Deals were counted.
        Traded = "traded",
        /// A deposit was credited.
        Deposited = "deposited",
        /// A deposit came to nothing at its provider.
        DepositFailed = "deposit_failed",
        /// A withdrawal was asked for.
        WithdrawalRequested = "withdrawal_requested",
        /// A withdrawal was paid out.
        Withdrawn = "withdrawn",
        /// The client logged in.
        LoggedIn = "logged_in",
    }
}

/// A reader as conditions see him.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the rule set's header says what each means")]
pub struct Subject {
    pub audience: Audience,
    pub status: Option<LeadStatus>,
    pub band: String,
    pub score: u32,
    pub country: Option<Country>,
    pub language: String,
    pub entity: String,
    pub kyc: Option<KycStatus>,
    pub appropriateness: Appropriateness,
    /// Since when he has not traded; none of one who never paid in.
    pub idle_since: Option<Timestamp>,
    pub idle_days: u32,
    pub trades: u32,
    pub open_positions: u32,
    pub streak: StreakKind,
    pub streak_length: u32,
    pub deposits: u32,
    pub withdrawals: u32,
    /// In the base currency.
    pub net_deposits: Decimal,
    /// What the entry is about, in the base currency.
    pub amount: Decimal,
}

impl Subject {
    /// A lead.
    pub fn of_lead(lead: &Lead) -> Self {
        let scored = lead.facts.scored.as_ref();
        Self {
            audience: Audience::Lead,
            status: Some(lead.facts.status),
            band: scored.map(|scored| scored.band.clone()).unwrap_or_default(),
            score: scored.map_or(0, |scored| scored.score),
            country: lead.facts.country,
            language: lead.facts.language.clone().unwrap_or_default(),
            entity: String::new(),
            kyc: None,
            appropriateness: Appropriateness::Unknown,
            idle_since: None,
            idle_days: 0,
            trades: 0,
            open_positions: 0,
            streak: StreakKind::None,
            streak_length: 0,
            deposits: 0,
            withdrawals: 0,
            net_deposits: Decimal::ZERO,
            amount: Decimal::ZERO,
        }
    }

    /// A client with how his KYC case stands and what he does. `account` is the one that a trade is about; without it the streak is that
    /// of the account whose position was closed last.
    pub fn of_client(
        client: &Client,
        kyc: KycStatus,
        activity: Option<&ActivityFacts>,
        account: Option<&AccountId>,
        now: Timestamp,
    ) -> Self {
        let nothing = ActivityFacts::default();
        let activity = activity.unwrap_or(&nothing);
        let streak = account.and_then(|account| activity.streaks.get(account)).or_else(|| newest(&activity.streaks));
        let base = |totals: &crate::activity::Totals| totals.base.map_or(Decimal::ZERO, |sum| sum.amount());
        let idle_since = idle_since(activity);
        Self {
            audience: Audience::Client,
            status: None,
            band: String::new(),
            score: 0,
            country: Some(client.facts.residence),
            language: client.facts.language.clone(),
            entity: client.facts.entity.clone().unwrap_or_default(),
            kyc: Some(kyc),
            appropriateness: client.appropriateness(),
            idle_since,
            idle_days: idle_since.map_or(0, |since| days_between(since, now)),
            trades: u32::try_from(activity.trades).unwrap_or(u32::MAX),
            open_positions: activity.open_positions,
            streak: streak.map_or(StreakKind::None, |streak| streak.kind),
            streak_length: streak.map_or(0, |streak| streak.length),
            deposits: activity.deposits.count,
            withdrawals: activity.withdrawals.count,
            net_deposits: base(&activity.deposits) - base(&activity.withdrawals),
            amount: Decimal::ZERO,
        }
    }

    /// The same about an amount.
    #[must_use]
    pub fn about(mut self, amount: Option<Decimal>) -> Self {
        self.amount = amount.unwrap_or(Decimal::ZERO);
        self
    }
}

/// Since when nothing was traded: since the last deal, or the last deposit if that was later. One who never paid in is not inactive,
/// and neither is one with an open position.
fn idle_since(activity: &ActivityFacts) -> Option<Timestamp> {
    if activity.deposits.count == 0 || activity.open_positions > 0 {
        return None;
    }
    activity.last_trade_at.max(activity.deposits.last)
}

fn days_between(from: Timestamp, to: Timestamp) -> u32 {
    let seconds = to.seconds().saturating_sub(from.seconds()).max(0);
    u32::try_from(seconds.checked_div(DAY_S).unwrap_or(0)).unwrap_or(u32::MAX)
}

fn statuses() -> Vec<String> {
    LeadStatus::ALL.iter().map(|status| status.as_str()).chain([""]).map(str::to_owned).collect()
}

fn kyc_statuses() -> Vec<String> {
    KycStatus::ALL.iter().map(|status| status.as_str()).chain([""]).map(str::to_owned).collect()
}

/// What conditions may ask about a reader.
pub(super) fn fields() -> Fields<Subject> {
    Fields::new()
        .field("audience", |subject: &Subject| subject.audience)
        .choice("status", statuses, |subject| subject.status.map_or("", |status| status.as_str()))
        .field("band", |subject| subject.band.clone())
        .field("score", |subject| subject.score)
        .field("country", |subject| CountryOrNone(subject.country))
        .field("language", |subject| crate::contact::primary_language(&subject.language).to_owned())
        .field("entity", |subject| subject.entity.clone())
        .choice("kyc", kyc_statuses, |subject| subject.kyc.map_or("", KycStatus::as_str))
        .field("appropriateness", |subject| subject.appropriateness)
        .field("idle_days", |subject| subject.idle_days)
        .field("trades", |subject| subject.trades)
        .field("open_positions", |subject| subject.open_positions)
        .field("streak", |subject| subject.streak)
        .field("streak_length", |subject| subject.streak_length)
        .field("deposits", |subject| subject.deposits)
        .field("withdrawals", |subject| subject.withdrawals)
        .field("net_deposits", |subject| subject.net_deposits)
        .field("amount", |subject| subject.amount)
}
