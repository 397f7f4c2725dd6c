//! A part of the clients: a page at a time, for as long as an invocation has. Each page is saved with where the next begins, after what it
//! came to was saved for each client: whoever screens the page again finds nothing to do.

use std::collections::BTreeMap;
use std::time::Instant;

use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::kyc::KycCase;
use domain::kyc::rescreening::{ClientScreening, Failure, Place, Rescreening, ScreeningPart, Tally};
use domain::kyc::rules::ScreeningRules;
use domain::{ClientId, ClientScreeningId, KycCaseId, ScreeningPartId};
use runtime::{StepError, step};

use super::compare::{Compared, Screeners, Unusable};
use super::{BEGINS_WITHIN, Rescreen};

/// Clients of a page; a batch read takes a hundred keys.
const PAGE: i32 = 100;

/// What is known of the clients of a page.
struct Known {
    clients: BTreeMap<ClientId, Client>,
    cases: BTreeMap<KycCaseId, KycCase>,
    screenings: BTreeMap<ClientScreeningId, ClientScreening>,
}

impl Rescreen {
    /// Goes on with a part.
    pub(super) async fn part(&self, id: &ScreeningPartId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.crm.load::<ScreeningPart>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let mut part = stored.entity;
        if part.place().is_none() {
            return Ok("nothing_to_do");
        }
        let run = self.the_run().await?;
        if !run.is_under_way() || run.facts.run != part.facts.run {
            return Ok(step::change(&self.crm, id, frame, ScreeningPart::given_up).await?.outcome());
        }
        let rules = self.rules.live::<ScreeningRules>().await?;
        frame.used(rules.label());
        let against = match self.against(&run).await {
            Ok(Some(against)) => against,
            Ok(None) => return Err(StepError::Absent("what the run is against".to_owned())),
            Err(Unusable::Later(error)) => return Err(error),
            Err(Unusable::Empty(error)) => {
                return self.give_up(&run, Failure::ListEmpty, &error.to_string(), frame).await;
            }
            Err(Unusable::Index(why)) => return self.give_up(&run, Failure::IndexUnreadable, &why, frame).await,
        };
        let (began, now) = (Instant::now(), frame.now);
        let mut screeners = Screeners::new(&against, &rules.rules);
        while let Some(place) = part.place() {
            if began.elapsed() >= BEGINS_WITHIN {
                step::change(&self.crm, id, frame, |own: &ScreeningPart| own.paused(now)).await?;
                return Ok("goes_on");
            }
            part = self.page(&part, &place, &mut screeners, frame).await?;
        }
        Ok("screened")
    }

    async fn give_up(
        &self,
        run: &Rescreening,
        failure: Failure,
        why: &str,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        tracing::error!(why, "nobody can be screened again");
        let (number, now) = (run.facts.run, frame.now);
        self.change(frame, |run| run.failed(number, failure, why, now)).await?;
        Ok("given_up")
    }

    /// The next page, and after the last one the count.
    async fn page(
        &self,
        part: &ScreeningPart,
        from: &Place,
        screeners: &mut Screeners<'_>,
        frame: &mut Frame,
    ) -> Result<ScreeningPart, StepError> {
        let (facts, now) = (&part.facts, frame.now);
        let (ids, has_more) = self.crm.clients_listed(facts.part, from.after.as_ref(), &facts.through, PAGE).await?;
        let mut part = part.clone();
        if let Some(last) = ids.last() {
            let tally = self.clients(&ids, screeners, frame).await?;
            let went_on = |own: &ScreeningPart| own.goes_on(from, &tally, last, now);
            part = step::change(&self.crm, &part.id, frame, went_on).await?.stored().entity.clone();
        }
        // whoever else has gone on meanwhile counts himself
        let is_ours = part.place().is_some_and(|place| ids.is_empty() || place.after.as_ref() == ids.last());
        if has_more || !is_ours {
            return Ok(part);
        }
        let (Some(place), clients) = (part.place(), self.crm.count_listed(part.facts.part, &part.facts.through).await?)
        else {
            return Ok(part);
        };
        let counted = |own: &ScreeningPart| own.counted(&place, clients, now);
        Ok(step::change(&self.crm, &part.id, frame, counted).await?.stored().entity.clone())
    }

    async fn known(&self, ids: &[ClientId]) -> Result<Known, StepError> {
        let of_case: Vec<KycCaseId> = ids.iter().map(KycCaseId::of).collect();
        let of_screening: Vec<ClientScreeningId> = ids.iter().map(ClientScreeningId::of).collect();
        let clients = self.crm.load_some::<Client>(ids).await?.into_iter();
        let cases = self.crm.load_some::<KycCase>(&of_case).await?.into_iter();
        let screenings = self.crm.load_some::<ClientScreening>(&of_screening).await?.into_iter();
        Ok(Known {
            clients: clients.map(|stored| (stored.entity.id.clone(), stored.entity)).collect(),
            cases: cases.map(|stored| (stored.entity.id.clone(), stored.entity)).collect(),
            screenings: screenings.map(|stored| (stored.entity.id.clone(), stored.entity)).collect(),
        })
    }

    /// Screens the clients of a page; what became of them.
    async fn clients(
        &self,
        ids: &[ClientId],
        screeners: &mut Screeners<'_>,
        frame: &Frame,
    ) -> Result<Tally, StepError> {
        let known = self.known(ids).await?;
        let mut tally = Tally::default();
        for id in ids {
            let Some(client) = known.clients.get(id) else {
                tally.absent = tally.absent.saturating_add(1);
                continue;
            };
            let case = known.cases.get(&KycCaseId::of(id));
            let before = known.screenings.get(&ClientScreeningId::of(id));
            match screeners.compare(client, case, before) {
                Compared::LeftOut => tally.left_out = tally.left_out.saturating_add(1),
                Compared::NotComparable => tally.cannot_compare(id),
                Compared::Done { seen, in_full } => {
                    tally.screened = tally.screened.saturating_add(1);
                    tally.in_full = tally.in_full.saturating_add(u32::from(in_full));
                    let fresh = || ClientScreening::begun(id);
                    let own = before.cloned().unwrap_or_else(fresh);
                    let Verdict::Change(decision) = own.rescreened(&seen, case, frame.now) else { continue };
                    tally.raised = tally.raised.saturating_add(u32::from(!decision.next.facts.raised.is_empty()));
                    tally.ended = tally.ended.saturating_add(u32::from(!decision.next.facts.ended.is_empty()));
                    let rescreened = |own: &ClientScreening| own.rescreened(&seen, case, frame.now);
                    step::change_or_begin(&self.crm, &own.id, fresh, frame, rescreened).await?;
                }
            }
        }
        Ok(tally)
    }
}
