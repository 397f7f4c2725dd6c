//! A reader as he is when something is to be sent: who he is, what he does, what he agreed to, where he must not be written to.

use domain::activity::{Activity, ActivityFacts};
use domain::client::Client;
use domain::compliance::Watch;
use domain::journey::Journey;
use domain::journey::rules::{Channel, Journeys, TOKEN};
use domain::journey::sending::Sight;
use domain::journey::subject::Subject;
use domain::journey::suppression::Suppression;
use domain::lead::Lead;
use domain::{AccountId, ActivityId, ClientId, ClientWatchId, LeadId, SuppressionId, Timestamp};
use providers::notify::unsubscribe;
use runtime::StepError;
use runtime::secrets::Secrets;
use runtime::verification::status_of;
use store::{Crm, TradesTable};

/// Loads readers.
pub(crate) struct Readers {
    pub(crate) crm: Crm,
    pub(crate) trades: TradesTable,
    pub(crate) secrets: Secrets,
}

impl Readers {
    /// The lead.
    pub(crate) async fn lead(&self, id: &LeadId) -> Result<Lead, StepError> {
        let stored = self.crm.load::<Lead>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    /// The reader of journeys.
    pub(crate) async fn of(&self, journey: &Journey, rules: &Journeys, now: Timestamp) -> Result<Sight, StepError> {
        match (&journey.client_id, &journey.facts.lead_id) {
            (Some(client), _) => self.client(client, rules, now).await,
            (None, Some(lead)) => {
                let sight = Sight::of_lead(&self.lead(lead).await?);
                self.seen(sight, lead.as_str(), rules).await
            }
            (None, None) => Err(StepError::Malformed(format!("{} is nobody's", journey.id))),
        }
    }

    /// A client to whom something may be sent.
    pub(crate) async fn client(&self, id: &ClientId, rules: &Journeys, now: Timestamp) -> Result<Sight, StepError> {
        let activity = self.trades.load::<Activity>(&ActivityId::of(id)).await?;
        let watch = self.crm.load::<Watch>(&ClientWatchId::of(id)).await?;
        let watched = watch.is_some_and(|watch| watch.entity.facts.open_case.is_some());
        let client = self.registered(id).await?;
        let does = activity.as_ref().map(|stored| &stored.entity.facts);
        let subject = Subject::of_client(&client, status_of(&self.crm, id).await?, does, None, now);
        self.seen(Sight::of_client(&client, subject, watched), id.as_str(), rules).await
    }

    /// A client as far as it matters who enters what: nothing is sent by it.
    pub(crate) async fn active(
        &self,
        id: &ClientId,
        activity: &ActivityFacts,
        account: Option<&AccountId>,
        now: Timestamp,
    ) -> Result<Sight, StepError> {
        let client = self.registered(id).await?;
        let subject = Subject::of_client(&client, status_of(&self.crm, id).await?, Some(activity), account, now);
        Ok(Sight::of_client(&client, subject, false))
    }

    async fn registered(&self, id: &ClientId) -> Result<Client, StepError> {
        let client = self.crm.load_settled::<Client>(id).await?;
        Ok(client.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    /// With the addresses that are not written to, and the link to unsubscribe.
    async fn seen(&self, mut sight: Sight, reader: &str, rules: &Journeys) -> Result<Sight, StepError> {
        let outside = sight.addresses.iter().filter(|(channel, _)| **channel != Channel::InApp);
        let ids: Vec<SuppressionId> =
            outside.map(|(channel, address)| Suppression::id_of(*channel, address.reveal())).collect();
        let known = self.crm.load_some::<Suppression>(&ids).await?;
        let reasons = known.into_iter().map(|stored| stored.entity.facts);
        sight.suppressed = reasons.filter_map(|facts| Some((facts.channel, facts.reason?))).collect();
        let secret = self.secrets.get(&rules.unsubscribe_secret).await?;
        let token = unsubscribe::token(&secret, reader, Channel::Email.as_str());
        let token = token.ok_or_else(|| StepError::Secret {
            name: rules.unsubscribe_secret.clone(),
            what: "it is empty".to_owned(),
            retry: false,
        })?;
        sight.unsubscribe_url = rules.unsubscribe_url.replace(TOKEN, &token);
        Ok(sight)
    }
}
