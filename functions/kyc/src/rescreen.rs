//! `kyc-rescreen`: everybody is screened again, by what changed on the lists and by who changed, a part of the clients at a time. Whoever
//! dies on the way is followed by one who goes on where he was; the numbers are held against the list of clients.

mod compare;
mod part;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::ScreeningPartId;
use domain::client::{CLIENT_LISTS, Client};
use domain::decision::{Frame, Verdict};
use domain::kyc::rescreening::{Rescreening, RunStage, ScreeningPart, Target};
use domain::kyc::rules::ScreeningRules;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::{StepError, awsclients, step};
use store::Crm;

use crate::lists::current::Current;
use crate::lists::index::{Lists, ListsError};
use compare::Against;

/// No further page is begun after this. What is left of the time-out is for the page that was begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);

/// The step.
pub struct Rescreen {
    crm: Crm,
    rules: RuleBook,
    lists: Lists,
    /// What the last part was compared with: the next one of the run is, too.
    against: Mutex<Option<Arc<Against>>>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let (crm, rules, lists) = (awsclients::crm(ports)?, RuleBook::new(ports)?, Lists::new(ports)?);
    QueueFunction::build(Rescreen { crm, rules, lists, against: Mutex::default() }, ports)
}

impl QueueStep for Rescreen {
    const NAME: &'static str = "kyc-rescreen";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "screening_part.opened" | "screening_part.due" => self.part(&event.id()?, &mut frame).await,
                "screening_part.done" => {
                    let id: ScreeningPartId = event.id()?;
                    let stored = self.crm.load::<ScreeningPart>(&id).await?;
                    let part = stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity;
                    self.take(&part, &mut frame).await
                }
                "rescreening.due" => {
                    let (id, now) = (Rescreening::the_id(), frame.now);
                    step::change(&self.crm, &id, &mut frame, |run: &Rescreening| run.came_due(now)).await?;
                    self.run(&mut frame).await
                }
                _ => self.run(&mut frame).await,
            }
        })
    }
}

/// A run begins, if the lists as they are ask for one. Not with a list that is missing or too old: it would say of nobody that he is on it.
///
/// # Errors
/// [`StepError`].
pub(crate) async fn begin(
    crm: &Crm,
    current: &Current,
    rules: &ScreeningRules,
    frame: &Frame,
) -> Result<(), StepError> {
    let Some(index) = &current.index else { return Ok(()) };
    if rules.lists.iter().any(|list| current.is_stale(list, frame.now)) {
        return Ok(());
    }
    let target = Target {
        index: index.key.clone(),
        edition: index.edition.clone(),
        list_version: index.version.clone(),
        rules: rules.fingerprint(),
    };
    let wanted = |run: &Rescreening| run.wanted(&target, &rules.rescreen, frame.now);
    step::change_or_begin(crm, &Rescreening::the_id(), Rescreening::begun, frame, wanted).await?;
    Ok(())
}

impl Rescreen {
    async fn the_run(&self) -> Result<Rescreening, StepError> {
        let id = Rescreening::the_id();
        Ok(self.crm.load::<Rescreening>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    async fn change(
        &self,
        frame: &mut Frame,
        decide: impl Fn(&Rescreening) -> Verdict<Rescreening>,
    ) -> Result<Rescreening, StepError> {
        Ok(step::change(&self.crm, &Rescreening::the_id(), frame, decide).await?.stored().entity.clone())
    }

    /// Goes on with the run: puts older clients on the list, opens the parts, takes those that are done.
    async fn run(&self, frame: &mut Frame) -> Result<&'static str, StepError> {
        let (began, now) = (Instant::now(), frame.now);
        let mut run = self.the_run().await?;
        while run.facts.stage == RunStage::Enlisting {
            if began.elapsed() >= BEGINS_WITHIN {
                self.change(frame, |run| run.paused(now)).await?;
                return Ok("goes_on");
            }
            run = self.enlist(&run, frame).await?;
        }
        if run.facts.stage != RunStage::Screening {
            return Ok("nothing_to_do");
        }
        if run.facts.parts.is_empty() {
            let mut parts = Vec::new();
            for list in 0..CLIENT_LISTS {
                parts.extend(self.crm.newest_listed(list).await?.map(|_| list));
            }
            let number = run.facts.run;
            run = self.change(frame, |run| run.has_parts(number, &parts, now)).await?;
        }
        for number in run.facts.parts.clone() {
            let part = self.open(number, &run, frame).await?;
            self.take(&part, frame).await?;
        }
        Ok("in_parts")
    }

    /// A page of clients who stand in no list yet: each does with his next version.
    async fn enlist(&self, run: &Rescreening, frame: &mut Frame) -> Result<Rescreening, StepError> {
        let (from, now) = (run.private.cursor.as_deref(), frame.now);
        let (clients, next) = self.crm.clients_unlisted(from).await?;
        for id in &clients {
            let mut own = frame.clone();
            step::change(&self.crm, id, &mut own, |client: &Client| Verdict::Change(Box::new(client.enlisted())))
                .await?;
        }
        let count = u32::try_from(clients.len()).unwrap_or(u32::MAX);
        self.change(frame, |run| run.enlisted(from, count, next.clone(), now)).await
    }

    async fn open(&self, number: u8, run: &Rescreening, frame: &Frame) -> Result<ScreeningPart, StepError> {
        let id = ScreeningPart::id_of(number);
        if let Some(stored) = self.crm.load::<ScreeningPart>(&id).await?
            && stored.entity.facts.run >= run.facts.run
        {
            return Ok(stored.entity);
        }
        let newest = self.crm.newest_listed(number).await?;
        let through = newest.ok_or(StepError::Busy("the list of clients has nobody on it any more"))?;
        let fresh = || ScreeningPart::begun(number, &through);
        let opened = |part: &ScreeningPart| part.opened(run.facts.run, &through, frame.now);
        step::change_or_begin(&self.crm, &id, fresh, frame, opened).await
    }

    /// A part that is done counts for its run; after the last one the lists may ask for another run.
    async fn take(&self, part: &ScreeningPart, frame: &mut Frame) -> Result<&'static str, StepError> {
        let now = frame.now;
        let run = self.change(frame, |run| run.took(part, now)).await?;
        if !run.is_under_way() {
            let live = self.rules.live::<ScreeningRules>().await?;
            match self.lists.as_told().await {
                Ok(current) => begin(&self.crm, &current, &live.rules, frame).await?,
                // the next hour begins it
                Err(error) => tracing::warn!(error = %error, "whether the lists have changed meanwhile is not known"),
            }
        }
        Ok(run.facts.stage.as_str())
    }

    /// What a run is compared with; it is over where that cannot be read.
    async fn against(&self, run: &Rescreening) -> Result<Option<Arc<Against>>, compare::Unusable> {
        let Some(target) = &run.facts.target else { return Ok(None) };
        let kept = self.against.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.is_of(target, run.facts.base.as_ref())) {
            return Ok(Some(kept));
        }
        let now = self.lists.at(&target.index, &target.edition).await?;
        let before = match &run.facts.base {
            None => None,
            Some(base) => match self.lists.at(&base.index, &base.edition).await {
                Ok(before) => Some(before),
                Err(ListsError::Files(error)) => return Err(ListsError::Files(error).into()),
                Err(error) => {
                    tracing::warn!(error = %error, "the index before is gone: everybody is screened against everything");
                    None
                }
            },
        };
        let fresh = Arc::new(Against::new(target, run.facts.base.as_ref(), now, before.as_deref())?);
        *self.against.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fresh.clone());
        Ok(Some(fresh))
    }
}
