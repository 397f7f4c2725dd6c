//! `POST /v1/partners`: somebody applies.

use domain::PartnerId;
use domain::client::Client;
use domain::input::Fault;
use domain::kyc::KycStatus;
use domain::partner::profile::{Application, Partner};
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::idempotency::{Keyed, Made};
use runtime::step::{self, Attempt};
use runtime::verification::status_of;
use runtime::{Caller, Problem};
use serde_json::json;

use super::Manage;
use crate::trees::{self, Loaded};

impl Manage {
    pub(super) async fn apply(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let fresh = PartnerId::from_bits(self.entropy.id_bits());
        let wish = self.wanted(request, &fresh).await;
        let make = async |id: PartnerId, wish: Application| self.take_in(id, wish, request).await;
        keyed.create(&self.partners, fresh, wish, make, answer).await
    }

    async fn wanted(&self, request: &Request, id: &PartnerId) -> Result<Application, Problem> {
        let application = Partner::apply(&request.json()?, id, request.now).map_err(Problem::input)?;
        let mut faults = Vec::new();
        if let Some(client) = &application.partner.client_id
            && self.crm.load_settled::<Client>(client).await?.is_none()
        {
            faults.push(Fault::new("/client_id", "unknown_client", "there is no such client"));
        }
        if let Some(parent) = &application.parent
            && self.partners.load::<Partner>(parent).await?.is_none()
        {
            faults.push(Fault::new("/parent_id", "unknown_partner", "there is no such partner"));
        }
        if faults.is_empty() { Ok(application) } else { Err(Problem::input(faults)) }
    }

    /// Saves the partner with his code, with the client that he is, and with his place under another.
    async fn take_in(&self, id: PartnerId, wish: Application, request: &Request) -> Result<Made<Partner>, Problem> {
        let frame = request.frame(Self::NAME);
        let depth_max = self.live().await?.rules.depth_max;
        let attempt = || Box::pin(self.attempt(&id, &wish, depth_max, request));
        let saved = step::together(&frame, "partners are being moved", || attempt()).await?;
        Ok(Made::Saved(saved))
    }

    async fn attempt(
        &self,
        id: &PartnerId,
        wish: &Application,
        depth_max: u32,
        request: &Request,
    ) -> Result<Attempt<Partner>, Problem> {
        // a repeat of this very request, whose answer was lost
        if let Some(made) = self.partners.load::<Partner>(id).await? {
            return Ok(Attempt::Nothing(made.entity));
        }
        let times = self.partners.tree_times().await?;
        let partner = Partner { id: id.clone(), ..wish.partner.clone() };
        self.refuse_taken(&partner).await?;
        let approved = match &partner.client_id {
            Some(client) => status_of(&self.crm, client).await? == KycStatus::Approved,
            None => false,
        };
        if let Some(parent) = &wish.parent {
            let mut loaded = Loaded::new();
            trees::upwards(&self.partners, std::slice::from_ref(parent), &mut loaded).await?;
            let mut network = trees::network(&loaded);
            let placed = network.put_under(id, Some(parent), request.now, request.now, depth_max);
            placed.map_err(|error| Problem::conflict(error.to_string()))?;
        }
        let application = Application { partner, parent: wish.parent.clone() };
        let decision = Partner::applied(application, approved, request.now);
        let mut commit = self.partners.0.commit();
        commit.save(&self.partners, None, &decision, &request.frame(Self::NAME))?;
        commit.take_code(&self.partners, &decision.next.facts.code, id)?;
        if let Some(client) = &decision.next.client_id {
            commit.be_client(&self.partners, client, id)?;
        }
        if let Some(parent) = &wish.parent {
            commit.stand_under(&self.partners, parent, id)?;
            commit.hold_tree(&self.partners, times)?;
        }
        Ok(Attempt::Save(commit, decision.next))
    }

    /// A code, and a client, are one partner's.
    async fn refuse_taken(&self, partner: &Partner) -> Result<(), Problem> {
        if self.partners.code_holder(&partner.facts.code).await?.is_some_and(|holder| holder != partner.id) {
            return Err(Problem::conflict("the code is another partner's"));
        }
        if let Some(client) = &partner.client_id
            && self.partners.partner_who_is(client).await?.is_some_and(|holder| holder != partner.id)
        {
            return Err(Problem::conflict("the client is a partner already"));
        }
        Ok(())
    }
}

fn answer(partner: &Partner) -> Reply {
    // the first answer, whatever has become of him since
    Reply::json(201, &json!({"partner_id": partner.id, "code": partner.facts.code, "status": "applied"}))
}
