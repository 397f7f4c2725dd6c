//! A deal on the trading platform that a person names as proof, and what the platform shows under its number.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::by_hand::{Proof, ticket_in};
use crate::account::rules::TicketForm;
use crate::work::HumanDecision;
use crate::work::evidence::WORDS;
use crate::work::rules::WorkAction;
use crate::{Money, PaymentId, Seconds, Timestamp, WorkId};

/// When the timers look after a ticket whose message was lost, and the first wait after the platform could not be asked.
pub(crate) const CHECK_AGAIN: Seconds = Seconds(60);
/// The longest wait.
const CHECK_AGAIN_MAX_MS: i64 = 900_000;
/// How long a platform that cannot be asked is tried. Then the person is told that nobody has looked.
const CHECK_END: Seconds = Seconds(86_400);
/// What a payment's id, and so the automation's comment, begins with.
const ID_BEGINS: &str = "pay_";
/// Characters of an id after that.
const ID_CHARACTERS: usize = 26;
/// Longest name of a booking.
const TICKET_BYTES_MAX: usize = 64;
/// Fewer of them are a person's word and no id that was cut off.
const ID_CHARACTERS_MIN: usize = 8;

/// A ticket that a person named, with the decision that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTicket {
    /// What was decided.
    pub decision: HumanDecision,
    /// On which work item.
    pub work_id: WorkId,
    /// In which opening of it.
    pub opening: u32,
    /// The deal's number; none where the evidence has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What the deal must have moved: positive onto the account. None where nothing is booked by the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Money>,
    /// It is the payment's first credit: everything that stands under its id must come to that, so that nothing is credited beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

/// The work item that a version opens again: whoever decided it named a deal that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The item.
    pub work_id: WorkId,
    /// The opening in which it was decided: a later one stands as it is.
    pub opening: u32,
}

/// What the platform shows under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A deal of the account.
    Deal(ShownDeal),
    /// A deal of another account.
    OfAnotherAccount,
    /// A deal of the account, from outside the time in which it can be the proof.
    OutOfTime,
    /// Everything was read, and there is no such deal.
    Nothing,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDeal {
    /// Whether it is a balance operation, and not a trade, a bonus or a credit line.
    pub is_balance: bool,
    /// What it moved, in the account's currency.
    pub amount: Decimal,
    /// Digits of the account's currency, where the platform says so.
    pub digits: Option<u32>,
    /// Its comment: a person may have written it.
    pub comment: String,
    /// What it and every other balance operation under the payment's reference moved together.
    pub together: Decimal,
}

impl NamedTicket {
    /// Of a decision that says that money was moved on the platform; `None` for any other.
    pub(super) fn of(
        decision: &HumanDecision,
        form: TicketForm,
        work_id: &WorkId,
        opening: u32,
        moved: Option<Money>,
    ) -> Option<Self> {
        if !names_a_ticket(decision) {
            return None;
        }
        // a person's own words have a name whose digits are none of a ticket's
        let evidence = decision.evidence.as_deref().filter(|evidence| !evidence.starts_with(WORDS));
        let ticket = evidence.and_then(|evidence| ticket_in(evidence, form)).filter(|ticket| is_ticket(ticket, form));
        let ticket = ticket.map(str::to_owned);
        Some(Self { decision: decision.clone(), work_id: work_id.clone(), opening, ticket, moved, whole: false })
    }

    /// The claim on its number.
    pub fn proof(&self) -> Option<Proof> {
        self.ticket.as_deref().map(Proof::ticket)
    }

    /// The same with the number as the platform writes it in the place of what the person wrote.
    pub(super) fn proven(&self) -> HumanDecision {
        let amount = self.decision.evidence.as_deref().and_then(|evidence| evidence.split_once(' '));
        let evidence = match (&self.ticket, amount) {
            (Some(ticket), Some((first, rest))) if first.bytes().any(|byte| byte.is_ascii_digit()) => {
                Some(format!("{ticket} {rest}"))
            }
            (ticket, _) => ticket.clone(),
        };
        HumanDecision { evidence, ..self.decision.clone() }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.work_id, self.opening) == (&other.work_id, other.opening)
    }

    /// Whether the automation must not credit meanwhile.
    pub(super) fn is_credit(&self) -> bool {
        self.moved.is_some_and(|moved| moved.is_positive())
    }

    /// What is wrong with what the platform shows; `own` is the payment's id, which the automation's comments begin with.
    ///
    /// # Errors
    /// What was found, in words for a person: without the comment's text, which another person may have written.
    pub fn held_against(&self, shown: &Shown, own: Option<&PaymentId>) -> Result<(), String> {
        let deal = match shown {
            Shown::Deal(deal) => deal,
            Shown::OfAnotherAccount => return Err("it belongs to another account".to_owned()),
            Shown::OutOfTime => return Err("it is older than the deposit".to_owned()),
            Shown::Nothing => return Err("there is no such deal on the account".to_owned()),
        };
        if let Some(other) = other_payment(&deal.comment, own) {
            return Err(format!("it carries the id of another payment, {other}: it is that payment's"));
        }
        if !deal.is_balance {
            return Err("it is no balance operation".to_owned());
        }
        let Some(moved) = self.moved else { return Self::right_way(self.decision.action(), deal.amount) };
        if deal.digits.is_some_and(|digits| digits != moved.currency().digits()) {
            return Err(format!("its account is not in {}", moved.currency()));
        }
        let came_to = if self.whole { deal.together } else { deal.amount };
        match came_to == moved.amount() {
            true => Ok(()),
            false if self.whole && deal.amount != deal.together => Err(format!(
                "it moved {}, and with the other deals under the payment's id {came_to}; expected {moved}",
                deal.amount
            )),
            false => Err(format!("it moved {came_to}; expected {moved}")),
        }
    }

    fn right_way(action: Option<WorkAction>, amount: Decimal) -> Result<(), String> {
        let off = action == Some(WorkAction::MarkDebitedOnPlatform);
        match !amount.is_zero() && amount.is_sign_negative() == off {
            true => Ok(()),
            false => Err(format!("it moved {amount}, which is the other way")),
        }
    }

    /// Who named it, and what was found.
    pub fn sentence(&self, found: &str) -> String {
        let approved = self.decision.approved_by.as_ref().map(|by| format!(", approved by {by},")).unwrap_or_default();
        let ticket =
            self.ticket.as_ref().map_or_else(|| "no number of a deal".to_owned(), |ticket| format!("deal {ticket}"));
        format!("{}{approved} named {ticket} as proof for {}: {found}", self.decision.by, self.decision.action)
    }

    /// When the platform is asked again; `None` when it was tried for long enough.
    pub(super) fn again(&self, now: Timestamp) -> Option<Timestamp> {
        asked_again(self.decision.at, now)
    }
}

/// When a platform that could not be asked about what was decided then is asked again; `None` when it was tried for long enough.
pub(crate) fn asked_again(decided: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if now >= decided.plus(CHECK_END) {
        return None;
    }
    let first = i64::from(CHECK_AGAIN.0).saturating_mul(1_000);
    let wait = now.millis_since(decided).clamp(first, CHECK_AGAIN_MAX_MS);
    Timestamp::from_millis(now.millis().saturating_add(wait))
}

/// Whether a platform can call a booking so.
fn is_ticket(text: &str, form: TicketForm) -> bool {
    let is_character = |byte: u8| match form {
        TicketForm::Number => byte.is_ascii_digit(),
        TicketForm::Name => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'),
    };
    (1..=TICKET_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_character)
}

/// Whether a decision says that a deal on the platform proves it.
pub fn names_a_ticket(decision: &HumanDecision) -> bool {
    matches!(decision.action(), Some(WorkAction::MarkCredited | WorkAction::MarkDebitedOnPlatform))
}

/// The id of another payment in a comment: whole, or its beginning where the platform cut it off. In whatever letters it is written.
pub fn other_payment(comment: &str, own: Option<&PaymentId>) -> Option<String> {
    let comment = comment.to_ascii_lowercase();
    let own = own.map(|own| own.as_str().to_ascii_lowercase());
    let mut ids = comment.match_indices(ID_BEGINS).filter_map(|(at, _)| {
        let rest = comment.get(at.saturating_add(ID_BEGINS.len())..)?;
        let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).take(ID_CHARACTERS).collect();
        Some((format!("{ID_BEGINS}{id}"), id.len()))
    });
    let is_other = |(id, length): &(String, usize)| {
        *length >= ID_CHARACTERS_MIN && own.as_ref().is_none_or(|own| !own.starts_with(id.as_str()))
    };
    ids.find(is_other).map(|(id, _)| id)
}
