//! Money without a payment of ours that a person says to have credited: the deal is looked for on every live server.

use domain::Seconds;
use domain::StrayId;
use domain::account::rules::Environment;
use domain::decision::{Frame, Verdict};
use domain::payment::{NamedTicket, StrayReport};
use providers::platforms::{FoundTicket, Ticket, TicketQuery};
use runtime::StepError;
use runtime::booking::LOOK_BACK;
use runtime::step::{self, Attempt};

use super::Credit;
use super::tickets::{Change, Looked, held_against};

/// A person named a ticket for such money.
pub(super) const STRAY_NAMED: &str = "stray.ticket_named";
/// How far before the provider's statement somebody may have credited it: the client called first.
const STRAY_LOOK_BACK: Seconds = Seconds(30 * 86_400);

impl Credit {
    /// Money without a payment of ours: whose account it went to nobody says, so every live server is asked for the number.
    pub(super) async fn look_for_stray(&self, id: &StrayId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.money.load::<StrayReport>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let Some(named) = stored.entity.facts.named.clone() else { return Ok("nothing_to_do") };
        let (looked, server) = self.look_everywhere(&stored.entity, &named, frame).await?;
        let (looked, server, named, frame) = (&looked, server.as_str(), &named, &*frame);
        step::together(frame, "the money keeps changing", || {
            Box::pin(self.conclude_stray(id, looked, server, named, frame))
        })
        .await
    }

    async fn conclude_stray(
        &self,
        id: &StrayId,
        looked: &Looked,
        server: &str,
        named: &NamedTicket,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let stored = self.money.load::<StrayReport>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let (stray, proof) = (&stored.entity, named.proof().filter(|_| matches!(looked, Looked::Right)));
        let other = match &proof {
            Some(proof) => self.money.proven_by(server, proof).await?.filter(|other| other != id.as_str()),
            None => None,
        };
        let verdict = match (looked, other) {
            (Looked::Right, None) => stray.ticket_proven(named),
            (Looked::Right, Some(other)) => stray.ticket_refused(
                named,
                &format!("it already proves another step by hand, that of {other}"),
                frame.now,
            ),
            (Looked::Wrong(found), _) => stray.ticket_refused(named, found, frame.now),
            (Looked::Silent(reason), _) => stray.ticket_not_looked_up(named, reason, frame.now),
        };
        let Verdict::Change(decision) = verdict else { return Ok(Attempt::Nothing("nothing_to_do")) };
        let claimed = proof.filter(|_| decision.next.facts.reopened.is_none());
        let change = Change { was: &stored, decision: *decision, holder: id.as_str() };
        self.attempt(change, server, None, claimed, frame).await
    }

    /// What the live servers show under the number, and on which it is right. One that cannot be asked may be the one.
    async fn look_everywhere(
        &self,
        stray: &StrayReport,
        named: &NamedTicket,
        frame: &mut Frame,
    ) -> Result<(Looked, String), StepError> {
        let rules = self.servers.rules().await?;
        frame.used(rules.label());
        let report = &stray.facts.report;
        let (mut right, mut wrong, mut silent) = (Vec::new(), None, None);
        let mut unasked = Vec::new();
        let Some(ticket) = &named.ticket else {
            return Ok((Looked::Wrong("a deal's number is digits".to_owned()), String::new()));
        };
        for server in rules.rules.servers().iter().filter(|server| server.environment == Environment::Live) {
            let query = TicketQuery {
                ticket: Ticket::new(ticket.clone()),
                login: None,
                reference: None,
                from: report.at.minus(STRAY_LOOK_BACK),
                to: frame.now.plus(LOOK_BACK),
            };
            let found = match self.servers.adapter(&server.name).await {
                // nobody can be asked there, now or later; a deal that another server shows is still held against all that is known of it
                Ok(platform) if !platform.capabilities().tickets_of_any_account => {
                    unasked.push(server.name.as_str());
                    continue;
                }
                Ok(platform) => platform.find_ticket(&query).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match found {
                Ok(FoundTicket::Absent) => {}
                Ok(found) => match held_against(named, found, report.payment_id.as_ref()) {
                    Looked::Right => right.push(server.name.clone()),
                    Looked::Wrong(found) => wrong = Some(format!("on {} {found}", server.name)),
                    Looked::Silent(reason) => silent = Some(reason),
                },
                Err(reason) => silent = Some(reason),
            }
        }
        Ok(match (right.as_slice(), silent) {
            ([server], None) => (Looked::Right, server.clone()),
            (_, Some(reason)) => (Looked::Silent(reason), String::new()),
            ([], None) => {
                let found = wrong.unwrap_or_else(|| "no live server has a deal of that number".to_owned());
                let found = match unasked.as_slice() {
                    [] => found,
                    unasked => format!("{found}; {} cannot be asked for one", unasked.join(" and ")),
                };
                (Looked::Wrong(found), String::new())
            }
            (several, None) => {
                (Looked::Wrong(format!("{} have such a deal each", several.join(" and "))), String::new())
            }
        })
    }
}
