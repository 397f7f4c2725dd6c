//! `PUT /v1/partners/{partner_id}/parent` and `PUT /v1/clients/{client_id}/partner`: who is over whom, and who brought whom, from a time on.

use domain::client::Client;
use domain::input::Reader;
use domain::partner::attribution::{AttributedBy, Attribution, Claim};
use domain::partner::profile::Partner;
use domain::{ClientId, PartnerId, Timestamp};
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem};
use serde_json::{Value, json};

use super::{Manage, nobody};
use crate::attribute;
use crate::trees::{self, Loaded};

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// Who is to be over whom.
struct Move {
    partner: PartnerId,
    parent: Option<PartnerId>,
    since: Timestamp,
}

/// Who is said to have brought a client.
struct Saying {
    client: ClientId,
    partner: Option<PartnerId>,
    since: Timestamp,
    reason: String,
}

impl Manage {
    pub(super) async fn put_under(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let parent = partner_or_nobody(&mut reader, "parent_id");
        let since = reader.time("effective_at");
        let faults = reader.finish();
        let (Some(parent), Some(since), true) = (parent, since, faults.is_empty()) else {
            return Err(Problem::input(faults));
        };
        let wish = Move { partner: request.id("partner_id")?, parent, since };
        let depth_max = self.live().await?.rules.depth_max;
        let frame = request.frame(Self::NAME);
        let attempt = || self.move_once(&wish, depth_max, request, caller);
        let partner = step::together(&frame, "partners are being moved", || Box::pin(attempt())).await?;
        Ok(Reply::json(200, &moved(&partner, wish.since.max(request.now))))
    }

    async fn move_once(
        &self,
        wish: &Move,
        depth_max: u32,
        request: &Request,
        caller: &Caller,
    ) -> Result<Attempt<Partner>, Problem> {
        // first of all: whatever is read after it is at least as new
        let times = self.partners.tree_times().await?;
        let mut loaded = Loaded::new();
        let both: Vec<PartnerId> = std::iter::once(wish.partner.clone()).chain(wish.parent.clone()).collect();
        trees::upwards(&self.partners, &both, &mut loaded).await?;
        trees::downwards(&self.partners, &wish.partner, &mut loaded).await?;
        let stored = loaded.get(&wish.partner).cloned().ok_or_else(nobody)?;
        if wish.parent.as_ref().is_some_and(|parent| !loaded.contains_key(parent)) {
            return Err(Problem::refused("there is no such partner to put him under"));
        }
        let mut network = trees::network(&loaded);
        let put = network.put_under(&wish.partner, wish.parent.as_ref(), wish.since, request.now, depth_max);
        let Some(since) = put.map_err(|error| Problem::conflict(error.to_string()))? else {
            return Ok(Attempt::Nothing(stored.entity));
        };
        let parents = network.parents.remove(&wish.partner).unwrap_or_default();
        let verdict = stored.entity.moved(parents, since, &caller.subject);
        let domain::decision::Verdict::Change(decision) = verdict else { return Ok(Attempt::Nothing(stored.entity)) };
        let mut commit = self.partners.0.commit();
        commit.save(&self.partners, Some(&stored), &decision, &request.frame(Self::NAME))?;
        commit.hold_tree(&self.partners, times)?;
        if let Some(parent) = &wish.parent {
            commit.stand_under(&self.partners, parent, &wish.partner)?;
        }
        Ok(Attempt::Save(commit, decision.next))
    }

    pub(super) async fn say_who_brought(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let partner = partner_or_nobody(&mut reader, "partner_id");
        let since = reader.time("effective_at");
        let reason = reader.string("reason").map(|reason| reader.line("reason", reason, REASON_MAX));
        let faults = reader.finish();
        let (Some(partner), Some(since), Some(reason), true) = (partner, since, reason, faults.is_empty()) else {
            return Err(Problem::input(faults));
        };
        let client: ClientId = request.id("client_id")?;
        if self.crm.load_settled::<Client>(&client).await?.is_none() {
            return Err(Problem::not_found("there is no such client"));
        }
        if let Some(partner) = &partner {
            let partner = self
                .partners
                .load::<Partner>(partner)
                .await?
                .ok_or_else(|| Problem::refused("there is no such partner"))?;
            if partner.entity.client_id.as_ref() == Some(&client) {
                return Err(Problem::refused("nobody brings himself"));
            }
        }
        let saying = Saying { client, partner, since, reason };
        let claim = Claim {
            partner: saying.partner.as_ref(),
            by: AttributedBy::Person,
            who: Some(&caller.subject),
            reason: Some(&saying.reason),
            since: saying.since,
            now: request.now,
        };
        let frame = request.frame(Self::NAME);
        let said = attribute::claim(&self.partners, &saying.client, &claim, &frame).await?;
        Ok(Reply::json(200, &brought(&said, saying.since.max(request.now))))
    }
}

fn moved(partner: &Partner, since: Timestamp) -> Value {
    let parents = &partner.facts.parents;
    let effective_at = parents.changes().filter(|change| change.since <= since).last().map(|change| change.since);
    json!({"partner_id": partner.id, "parent_id": parents.at(since), "effective_at": effective_at})
}

fn brought(said: &Attribution, since: Timestamp) -> Value {
    let partners = &said.facts.partners;
    let effective_at = partners.changes().filter(|change| change.since <= since).last().map(|change| change.since);
    json!({"client_id": said.client_id, "partner_id": partners.at(since), "effective_at": effective_at})
}

/// A field that must be there and may be null: somebody, or nobody.
fn partner_or_nobody(reader: &mut Reader<'_>, name: &'static str) -> Option<Option<PartnerId>> {
    let Some(text) = reader.optional_string(name) else { return Some(None) };
    let id = text.parse().ok();
    if id.is_none() {
        reader.fault_at(name, "invalid_id", "is no partner's id");
    }
    id.map(Some)
}
