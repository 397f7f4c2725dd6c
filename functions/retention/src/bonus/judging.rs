//! Judges what a journey asks for, with all that is known of the client; what is granted is saved together with what it counts against.

use domain::account::Account;
use domain::activity::Activity;
use domain::bonus::book::{BonusBook, BookOf};
use domain::bonus::grant::{Circumstances, Marks, Seat, Signs, judge};
use domain::bonus::rules::Bonuses;
use domain::bonus::{Bonus, BonusWish};
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::journey::Journey;
use domain::journey::rules::{Journeys, Topic};
use domain::journey::sending::{Asked, Had, Reason, hindrances};
use domain::trade::rules::TradingRules;
use domain::work::HumanDecision;
use domain::{ActivityId, BonusId, ClientId, Currency, JourneyId, Seconds};
use runtime::queue::BusEvent;
use runtime::step::{self, Attempt};
use runtime::{StepError, people};
use serde::Deserialize as _;
use store::{Home, Stored};

use super::Granting;

/// Accounts of a client that are looked at, the newest.
const ACCOUNTS: i32 = 100;
/// How far back it is looked by what the client is known.
const LOOK_BACK: Seconds = Seconds(365 * 86_400);

/// What is read once for all attempts at saving.
struct Known {
    client: ClientId,
    barred: Option<Reason>,
    seats: Vec<Seat>,
    marks: Marks,
    activity: Option<Activity>,
    base: Currency,
}

impl Granting {
    /// A journey asks.
    pub(super) async fn judge(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let client = event.client_id.clone();
        let client = client.ok_or_else(|| StepError::Malformed(format!("{} is nobody's", event.event_id)))?;
        let wish = event.data.get("bonus").cloned().unwrap_or_default();
        let malformed = |error: serde_json::Error| StepError::Malformed(domain::json::place_of(&error));
        let wish = BonusWish::deserialize(wish).map_err(malformed)?;
        let id = Bonus::id_of(&client, &wish);
        if self.crm.load::<Bonus>(&id).await?.is_some() {
            return Ok("nothing_to_do");
        }
        self.conclude(&id, &Bonus::wished(&client, &wish), None, frame).await
    }

    /// People decided.
    pub(super) async fn decided(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let about = people::decision_about::<Bonus>(&self.crm, event, "bonus_id").await?;
        let Some((id, decision, _)) = about else { return Ok("nothing_to_do") };
        let stored = self.crm.load::<Bonus>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        if stored.entity.is_approved_by(&decision) {
            frame.correlation_id.clone_from(&stored.correlation_id);
            return self.conclude(&id, &stored.entity, Some(&decision), frame).await;
        }
        let now = frame.now;
        Ok(step::change(&self.crm, &id, frame, |own: &Bonus| own.decided(&decision, now)).await?.outcome())
    }

    /// Judges, and saves what comes of it. Of two that would pass a cap, or share a phone, one is saved first; the other is judged again.
    async fn conclude(
        &self,
        id: &BonusId,
        fresh: &Bonus,
        approval: Option<&HumanDecision>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let live = self.rules.live::<Bonuses>().await?;
        frame.used(live.label());
        let known = self.known(fresh, &live.rules, frame).await?;
        let (known, rules, frame) = (&known, &live.rules, &*frame);
        step::together(frame, "the bonuses keep changing", || {
            Box::pin(async move {
                let stored = self.crm.load::<Bonus>(id).await?;
                let was = match (&stored, approval) {
                    (None, None) => fresh,
                    (Some(stored), Some(decision)) if stored.entity.is_approved_by(decision) => &stored.entity,
                    _ => return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do")),
                };
                self.attempt(was, stored.as_ref(), approval.is_some(), rules, known, frame).await
            })
        })
        .await
    }

    async fn attempt(
        &self,
        was: &Bonus,
        stored: Option<&Stored<Bonus>>,
        approved: bool,
        rules: &Bonuses,
        known: &Known,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let name = &was.facts.campaign;
        let own = self.counted(BookOf::Client(known.client.clone())).await?;
        let campaign = self.counted(BookOf::Campaign(name.clone())).await?;
        let taken = self.crm.bonus_taken(name, &known.marks.all, &known.client).await?;
        let activity = known.activity.as_ref().map(|own| &own.facts);
        let about = Circumstances {
            seats: &known.seats,
            barred: known.barred,
            signs: Signs::of(&known.marks, taken, rules.guard.known, activity),
            own: &own.1,
            campaign: &campaign.1,
            base: known.base,
        };
        let found = judge(was, approved, rules, &about, frame.now);
        let mut commit = Home::<Bonus>::table(&self.crm).commit();
        commit.save(&self.crm, stored, &found.bonus, frame)?;
        if found.counts {
            let next = &found.bonus.next;
            for (before, book) in [&own, &campaign] {
                let counted: Decision<BonusBook> = book.counting(&next.id, name, next.facts.amount, frame.now);
                commit.save(&self.crm, before.as_ref(), &counted, frame)?;
            }
            for mark in &known.marks.all {
                commit.keep_bonus_mark(&self.crm, name, mark, &known.client)?;
            }
        }
        Ok(Attempt::Save(commit, found.bonus.outcome))
    }

    async fn counted(&self, of: BookOf) -> Result<(Option<Stored<BonusBook>>, BonusBook), StepError> {
        let fresh = BonusBook::begun(of);
        let stored = self.crm.load::<BonusBook>(&fresh.id).await?;
        let book = stored.as_ref().map_or(fresh, |stored| stored.entity.clone());
        Ok((stored, book))
    }

    /// All that is known of the client.
    async fn known(&self, bonus: &Bonus, rules: &Bonuses, frame: &mut Frame) -> Result<Known, StepError> {
        let id = &bonus.client_id;
        let barred = self.barred(bonus, frame).await?;
        let client = self.crm.load_settled::<Client>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let trading = self.rules.live::<TradingRules>().await?;
        frame.used(trading.label());
        frame.used(self.servers.rules().await?.label());
        let activity = self.readers.trades.load::<Activity>(&ActivityId::of(id)).await?;
        let history = self.readers.trades.history(id, frame.now.minus(LOOK_BACK), frame.now).await?;
        let mut seats = Vec::new();
        for stored in self.crm.accounts_of(id, ACCOUNTS, None).await?.items {
            let books_credit = self.books_credit(&stored.entity).await?;
            seats.push(Seat { account: stored.entity, books_credit });
        }
        Ok(Known {
            client: id.clone(),
            barred,
            seats,
            marks: Marks::of(&client.entity, &history, &rules.guard.marks),
            activity: activity.map(|stored| stored.entity),
            base: trading.rules.base_currency,
        })
    }

    /// Whether the platform of an account books credit and can tell afterwards what became of it. An account that is not open, or on a
    /// server that was taken out of the rules, books none.
    async fn books_credit(&self, account: &Account) -> Result<bool, StepError> {
        if account.bars_credit().is_some() || account.facts.login.is_none() {
            return Ok(false);
        }
        if self.servers.rules().await?.rules.server(&account.facts.server).is_none() {
            return Ok(false);
        }
        Ok(self.servers.capabilities(&account.facts.server).await?.credit.is_some())
    }

    /// What is in the way of giving the client anything: the function by which everything that journeys send is judged, on what is
    /// known now.
    pub(super) async fn barred(&self, bonus: &Bonus, frame: &mut Frame) -> Result<Option<Reason>, StepError> {
        let live = self.rules.live::<Journeys>().await?;
        frame.used(live.label());
        let id = &bonus.client_id;
        let sight = self.readers.client(id, &live.rules, frame.now).await?;
        let journey = self.crm.load::<Journey>(&JourneyId::of(id)).await?;
        let inner = journey.map(|stored| stored.entity.inner).unwrap_or_default();
        let had = Had { sent: &inner.sent, pauses: &inner.pauses };
        let found = hindrances(Asked::Bonus, Topic::Marketing, &sight, had, &live.rules, frame.now);
        Ok(found.first().map(|own| own.reason))
    }
}
