//! What a person says to have moved by hand is held against the money itself, and saved together with it: the automation has either
//! moved it before, and the person is told what is known, or finds it moved. What proves it is claimed with it: one ticket or refund
//! proves one step. A ticket of the platform is only named here: `payments-credit`, which may ask the platform, looks it up.

use domain::PaymentId;
use domain::StrayId;
use domain::account::Account;
use domain::account::rules::TicketForm;
use domain::decision::{Decision, Frame, Verdict};
use domain::entity::Entity;
use domain::input::Fault;
use domain::partner::dispute;
use domain::payment::{Deposit, Proof, StrayReport, is_by_hand, names_a_ticket};
use domain::withdrawal::Withdrawal;
use domain::work::rules::WorkAction;
use domain::work::{ByHandRefusal, HumanDecision, Moved, WorkFacts, WorkItem};
use runtime::{Problem, StepError};
use store::{Commit, Committed, Crm, Home, MoneyTable, Payment, Saved, StoreError, Stored};

/// Where the numbers that prove a step are given: the provider's name and the platform's server. On which server money without a payment of
/// ours was credited nobody says: whoever finds the deal claims its number there.
struct Places<'a> {
    psp: &'a str,
    server: Option<&'a str>,
}

/// The money that work items may be about.
pub(super) struct ByHand {
    pub(super) money: MoneyTable,
}

impl ByHand {
    /// Saves a version of a work item, with what it does to the money if it says that a person moved some; the item as saved,
    /// `None` when somebody else saved one of the two first.
    ///
    /// # Errors
    /// 409 with what is known now when the automation has moved the money meanwhile; 503.
    pub(super) async fn save(
        &self,
        crm: &Crm,
        was: &Stored<WorkItem>,
        decision: Decision<WorkItem>,
        frame: &Frame,
    ) -> Result<Option<WorkItem>, Problem> {
        let mut commit = Home::<WorkItem>::table(crm).commit();
        if let Some(proposed) = HumanDecision::proposed(&decision.next)
            && decision.events.contains(&"work.proposed")
        {
            // what could not be carried out is not put before anybody
            self.moves(crm, &decision.next, &proposed, &mut Home::<WorkItem>::table(crm).commit(), frame).await?;
        }
        if let Some(decided) = HumanDecision::of(&decision.next)
            && decision.events.contains(&"work.decided")
            && self.moves(crm, &decision.next, &decided, &mut commit, frame).await?
        {
            let item = decision.next.clone();
            commit.save(crm, Some(was), &decision, frame).map_err(store)?;
            return Ok(match commit.send().await.map_err(store)? {
                Committed::Applied => Some(item),
                Committed::Conflict => None,
            });
        }
        Ok(match crm.save(Some(was), decision, frame).await? {
            Saved::Applied(now) => Some(now.entity),
            Saved::Conflict => None,
        })
    }

    /// Adds what the decision does to the money, and the claim on what proves it; `false` if it does nothing.
    async fn moves(
        &self,
        crm: &Crm,
        item: &WorkItem,
        decision: &HumanDecision,
        commit: &mut Commit,
        frame: &Frame,
    ) -> Result<bool, Problem> {
        let named = |field: &str| item.facts.subject.get(field).and_then(|id| id.as_str());
        if named("dispute_id").is_some() {
            // what is put right for a partner is booked once it is approved; until then only what was typed is looked at
            let currency = item.facts.trigger.pointer("/data/currency").and_then(|code| code.as_str()?.parse().ok());
            let faults = currency.map(|currency| dispute::faults_of(decision, currency, item.note()));
            return faults.filter(|faults| !faults.is_empty()).map_or(Ok(false), |faults| Err(Problem::input(faults)));
        }
        if let Some(id) = named("stray_id").and_then(|id| id.parse::<StrayId>().ok()) {
            let Some(stored) = self.money.load::<StrayReport>(&id).await? else { return Ok(false) };
            let verdict =
                stored.entity.ticket_named(decision, &item.id, item.facts.opening, frame.now).map_err(refusal)?;
            let places = Places { psp: &stored.entity.facts.report.psp, server: None };
            let claimed = self.claim(decision, TicketForm::Number, &places, id.as_str(), commit).await?;
            return Ok(self.add(commit, &stored, verdict, frame)? || claimed);
        }
        let payment = named("payment_id").and_then(|id| id.parse::<PaymentId>().ok());
        let (Some(id), true) = (payment, decision.action().is_some_and(is_by_hand)) else { return Ok(false) };
        let stored = match self.money.payment(&id).await? {
            Some(Payment::Deposit(stored)) => *stored,
            Some(Payment::Withdrawal(stored)) => return self.withdrawal(&stored, decision, commit, frame).await,
            None => return Ok(false),
        };
        let account = &stored.entity.facts.account_id;
        let account =
            crm.load_settled::<Account>(account).await?.ok_or_else(|| StepError::Absent(account.to_string()))?;
        let form = account.entity.ticket_form();
        let (deposit, about_its_own) = (&stored.entity, stopped_it(&item.facts));
        let verdict = match names_a_ticket(decision) {
            true => deposit.ticket_named(decision, form, about_its_own, &item.id, item.facts.opening, frame.now),
            false => deposit.by_hand(decision, about_its_own, frame.now),
        };
        let verdict = verdict.map_err(refusal)?;
        let places = Places { psp: &stored.entity.facts.psp.name, server: Some(&account.entity.facts.server) };
        let claimed = self.claim(decision, form, &places, id.as_str(), commit).await?;
        Ok(self.add(commit, &stored, verdict, frame)? || claimed)
    }

    /// A step by hand on a withdrawal: what a person was asked must still stand. A deal that he names is looked up before it counts, and
    /// claimed then; the provider's number of a payout is claimed here.
    async fn withdrawal(
        &self,
        stored: &Stored<Withdrawal>,
        decision: &HumanDecision,
        commit: &mut Commit,
        frame: &Frame,
    ) -> Result<bool, Problem> {
        let verdict = stored.entity.decided(decision, frame.now);
        if let Verdict::Nothing(reason) = verdict {
            return Err(conflict(Moved(format!("it is {}: {reason}", stored.entity.status()))));
        }
        let places = Places { psp: &stored.entity.facts.psp.name, server: None };
        let own = &stored.entity;
        self.claim(decision, TicketForm::Number, &places, own.id.as_str(), commit).await?;
        if let (Some(source), Some(WorkAction::MarkPaidOut)) = (&own.facts.source_payment_id, decision.action()) {
            // the provider tells of the refund that the person made: it is this withdrawal's, and no loss of the deposit
            let deposit =
                self.money.load::<Deposit>(source).await?.ok_or_else(|| StepError::Absent(source.to_string()))?;
            let kept = deposit.entity.paid_back_by_hand(&own.id, own.facts.requested, frame.now);
            self.add(commit, &deposit, kept, frame)?;
        }
        self.add(commit, stored, verdict, frame)
    }

    /// Claims what proves the decision for the money that it is about; `false` where it names no proof.
    ///
    /// Whoever comes second finds it here, or at the commit, and then here.
    async fn claim(
        &self,
        decision: &HumanDecision,
        form: TicketForm,
        places: &Places<'_>,
        holder: &str,
        commit: &mut Commit,
    ) -> Result<bool, Problem> {
        let Some(proof) = Proof::of(decision, form) else { return Ok(false) };
        let (place, what) = match (&proof, places.server) {
            (Proof::Ticket(_), Some(server)) => (server, "this ticket of the platform"),
            (Proof::Ticket(_), None) => return Ok(false),
            (Proof::Refund(_), _) => (places.psp, "this refund of the provider"),
        };
        match self.money.proven_by(place, &proof).await? {
            // whoever decides about money of one payment may see the others
            Some(other) if other != holder => Err(Problem::conflict(format!(
                "{what} already proves another step by hand, that of {other}; name the one that belongs to this item"
            ))),
            Some(_) | None => {
                commit.prove(&self.money, place, &proof, holder).map_err(store)?;
                Ok(true)
            }
        }
    }

    fn add<T: Entity>(
        &self,
        commit: &mut Commit,
        was: &Stored<T>,
        verdict: Verdict<T>,
        frame: &Frame,
    ) -> Result<bool, Problem>
    where
        MoneyTable: Home<T>,
    {
        let Verdict::Change(decision) = verdict else { return Ok(false) };
        let frame = Frame { correlation_id: was.correlation_id.clone(), ..frame.clone() };
        commit.save(&self.money, Some(was), &decision, &frame).map_err(store)?;
        Ok(true)
    }
}

/// Whether the deposit was stopped for the item when it was opened, and so the item is about the deposit's own money.
fn stopped_it(item: &WorkFacts) -> bool {
    item.trigger.pointer("/data/status").and_then(|status| status.as_str()) == Some("needs_review")
}

fn refusal(refusal: ByHandRefusal) -> Problem {
    match refusal {
        ByHandRefusal::Moved(moved) => conflict(moved),
        ByHandRefusal::NotATicket => {
            let message = "must be the number of the deal on the trading platform, which is looked up there";
            Problem::input(vec![Fault::new("/evidence", "not_a_ticket", message)])
        }
        ByHandRefusal::AmountMissing => {
            let message =
                "it was converted: after the platform's ticket say what was put on the account, in its currency";
            Problem::input(vec![Fault::new("/evidence", "amount_missing", message)])
        }
    }
}

fn conflict(moved: Moved) -> Problem {
    Problem::conflict(format!("the automation has moved this money meanwhile: {}", moved.0))
}

fn store(error: StoreError) -> Problem {
    StepError::from(error).into()
}
