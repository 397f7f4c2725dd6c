//! Who gets a bonus, on which account, and whether people are asked first.
//!
//! What is known to speak against it refuses it. What nobody knows is not taken for fine: a person decides.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::book::BonusBook;
use super::rules::{Bonuses, Campaign, MarkKind, Worth};
use super::{Bonus, BonusStatus, BonusWish, Refusal};
use crate::account::Account;
use crate::activity::{ActivityFacts, History};
use crate::client::Client;
use crate::decision::{Decision, Verdict};
use crate::journey::sending::Reason;
use crate::payment::GRACE;
use crate::work::rules::WorkKind;
use crate::{Currency, Money, Timestamp};

/// Marks that are held against others', the newest: a client who changed his phone a hundred times has no hundred.
const MARKS_MAX: usize = 30;
/// Letters of a mark's hash: enough that no two share it by chance.
const MARK_LETTERS: usize = 32;

/// An account of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The account.
    pub account: Account,
    /// Whether its platform books credit, and can tell afterwards what became of it.
    pub books_credit: bool,
}

/// By what the client is known beside his name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// As hashes: the same thing has the same.
    pub all: Vec<String>,
    /// The kinds of which there is one.
    pub kinds: BTreeSet<MarkKind>,
}

impl Marks {
    /// The marks of a client that the rules ask about.
    pub fn of(client: &Client, history: &History, wanted: &[MarkKind]) -> Self {
        let phone = client.person.phone.as_ref().map(|phone| (MarkKind::Phone, phone.reveal().as_str()));
        let devices = history.logins.iter().rev().filter_map(|own| Some((MarkKind::Device, own.device.as_deref()?)));
        let paid = history.movements.iter().rev();
        let paid = paid.filter_map(|own| Some((MarkKind::Instrument, own.instrument.as_deref()?)));
        let mut marks = Self::default();
        for (kind, value) in phone.into_iter().chain(devices).chain(paid) {
            if !wanted.contains(&kind) || marks.all.len() >= MARKS_MAX {
                continue;
            }
            let mark = hashed(kind, value);
            marks.kinds.insert(kind);
            if !marks.all.contains(&mark) {
                marks.all.push(mark);
            }
        }
        marks
    }
}

fn hashed(kind: MarkKind, value: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [kind.as_str(), value] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize()).chars().take(MARK_LETTERS).collect()
}

/// What speaks for somebody who takes bonuses apart; none where nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Whether somebody else of his household had one of the campaign.
    pub linked: Option<bool>,
    /// Whether his positions stand against each other.
    pub hedged: Option<bool>,
}

impl Signs {
    /// `taken` says whether one of the marks is another client's. Of too few marks nothing follows. Without an open position nothing is
    /// hedged; of open ones we know how many there are, and not which way they go.
    pub fn of(marks: &Marks, taken: bool, known: u32, activity: Option<&ActivityFacts>) -> Self {
        let enough = u32::try_from(marks.kinds.len()).is_ok_and(|count| count >= known);
        let linked = if taken { Some(true) } else { enough.then_some(false) };
        let flat = activity.is_some_and(|own| own.open_positions == 0);
        Self { linked, hedged: flat.then_some(false) }
    }
}

/// All that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// His accounts.
    pub seats: &'a [Seat],
    /// What is in the way of offering him anything.
    pub barred: Option<Reason>,
    /// What speaks for somebody who takes bonuses apart.
    pub signs: Signs,
    /// What he was granted.
    pub own: &'a BonusBook,
    /// What the campaign granted.
    pub campaign: &'a BonusBook,
    /// The base currency.
    pub base: Currency,
}

/// What becomes of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The bonus.
    pub bonus: Decision<Bonus>,
    /// Whether it counts against the caps.
    pub counts: bool,
}

enum Finding<'a> {
    Refuse(&'static str),
    ByHand(Option<&'a Seat>, &'static str),
    Ask(&'a Seat, Money, Vec<String>),
    Grant(&'a Seat, Money),
}

/// Judges what a journey asks for, or, with `approved`, what people have approved of it: they answer what nobody knew and for large
/// amounts, and nothing else.
pub fn judge(bonus: &Bonus, approved: bool, rules: &Bonuses, about: &Circumstances<'_>, now: Timestamp) -> Outcome {
    let campaign = rules.campaign(&bonus.facts.campaign);
    let finding = match campaign {
        None => Finding::Refuse(Refusal::CampaignOver.as_str()),
        Some(campaign) => found(bonus, approved, (rules, campaign), about, now),
    };
    let mut fresh = bonus.turned();
    if approved {
        // the item that was approved is closed by it
        fresh.inner.asked = None;
    }
    let terms = campaign.map(|own| own.terms.clone());
    let stands_s = campaign.map_or(0, |own| own.expires_after.0);
    let placed = |seat: &Seat, amount: Option<Money>| {
        let mut next = fresh.clone();
        let account = &seat.account;
        next.facts.account_id = Some(account.id.clone());
        next.facts.platform.clone_from(&account.facts.platform);
        next.facts.server = Some(account.facts.server.clone());
        next.facts.login.clone_from(&account.facts.login);
        next.facts.amount = amount;
        next.facts.terms.clone_from(&terms);
        next.inner.stands_s = stands_s;
        next
    };
    match finding {
        Finding::Refuse(reason) => {
            let why = vec![format!("not given: {reason}")];
            let bonus = match fresh.refused(reason, why) {
                Verdict::Change(decision) => *decision,
                Verdict::Nothing(why) => Decision::new(fresh, "refused", vec![], vec![why.to_owned()]),
            };
            Outcome { bonus, counts: false }
        }
        Finding::ByHand(seat, why) => {
            let next = seat.map_or_else(|| fresh.clone(), |seat| placed(seat, None));
            let (mut next, events) = next.moved(BonusStatus::HandedOver).asking(WorkKind::RetentionBonus, now);
            next.due = None;
            Outcome { bonus: Decision::new(next, "handed_over", events, vec![why.to_owned()]), counts: true }
        }
        Finding::Ask(seat, amount, why) => {
            let next = placed(seat, Some(amount)).moved(BonusStatus::Proposed);
            let (next, events) = next.asking(WorkKind::RetentionBonusApproval, now);
            Outcome { bonus: Decision::new(next, "proposed", events, why), counts: false }
        }
        Finding::Grant(seat, amount) => {
            let (mut next, settled) = placed(seat, Some(amount)).moved(BonusStatus::Granted).settling();
            // its event brings it to the worker; should that be lost, its time does
            next.due = Some(now.plus(GRACE));
            let events = ["bonus.granted"].into_iter().chain(settled).collect();
            let why = vec![format!("{amount} on {}", seat.account.facts.login.as_deref().unwrap_or_default())];
            Outcome { bonus: Decision::new(next, "granted", events, why), counts: true }
        }
    }
}

fn found<'a>(
    bonus: &Bonus,
    approved: bool,
    (rules, campaign): (&Bonuses, &Campaign),
    about: &Circumstances<'a>,
    now: Timestamp,
) -> Finding<'a> {
    if let Some(reason) = about.barred {
        return Finding::Refuse(reason.as_str());
    }
    for (sign, refusal) in [(about.signs.linked, Refusal::Linked), (about.signs.hedged, Refusal::Hedged)] {
        if sign == Some(true) {
            return Finding::Refuse(refusal.as_str());
        }
    }
    let name = bonus.facts.campaign.as_str();
    let own = about.own;
    if !own.takes(None, rules.per_client, now) || !own.takes(Some(name), campaign.per_client, now) {
        return Finding::Refuse(Refusal::ClientCap.as_str());
    }
    // the oldest one of his own: which that is does not change from one look to the next
    let mut open: Vec<&Seat> = about.seats.iter().filter(|seat| seat.account.bars_credit().is_none()).collect();
    open.sort_by_key(|seat| (seat.account.facts.created_at, seat.account.id.clone()));
    let Some(first) = open.first().copied() else { return Finding::Refuse(Refusal::NoAccount.as_str()) };
    let worth = |seat: &&&'a Seat| campaign.worth(seat.account.facts.currency, bonus.inner.wish.amount, about.base);
    let booked = open.iter().find(|seat| seat.books_credit && worth(seat) != Worth::NotInCurrency);
    let Some((seat, size)) = booked.map(|seat| (*seat, worth(&seat))) else {
        return match about.campaign.affords(None, &campaign.budget, now) {
            true => Finding::ByHand(Some(first), "no account of his takes it by itself: a person grants it"),
            false => Finding::Refuse(Refusal::Budget.as_str()),
        };
    };
    let amount = match size {
        Worth::Is(amount) => amount,
        Worth::Nothing => return Finding::Refuse(Refusal::NothingToShare.as_str()),
        Worth::NotInCurrency => return Finding::ByHand(Some(seat), "the rules have no amount in its currency"),
    };
    if !about.campaign.affords(Some(amount), &campaign.budget, now) {
        return Finding::Refuse(Refusal::Budget.as_str());
    }
    let mut open_questions = Vec::new();
    if about.signs.linked.is_none() {
        open_questions.push("nobody knows whether somebody of his household had it".to_owned());
    }
    if about.signs.hedged.is_none() {
        open_questions.push("nobody knows whether his positions stand against each other".to_owned());
    }
    if campaign.needs_approval(amount) {
        open_questions.push(format!("{amount} takes two people"));
    }
    match open_questions.is_empty() || approved {
        true => Finding::Grant(seat, amount),
        false => Finding::Ask(seat, amount, open_questions),
    }
}

impl Bonus {
    /// What a journey asks for, before anybody has judged it.
    pub fn wished(client: &crate::ClientId, wish: &BonusWish) -> Self {
        Self::begun(client, wish, BonusStatus::Proposed)
    }
}
