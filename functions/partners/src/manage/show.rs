//! `GET /v1/partners/{partner_id}` and `…/tree`.

use std::collections::BTreeMap;
use std::pin::Pin;

use domain::partner::balance::Balances;
use domain::partner::period::Period;
use domain::partner::profile::Partner;
use domain::partner::rules::Apply;
use domain::partner::totals::Totals;
use domain::{Currency, Money, MoneyError, PartnerId, Timestamp};
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem, StepError};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Manage, agreement};
use crate::versions;

/// More partners than one answer shows.
const SHOWN_MAX: usize = 1_000;

/// A partner's months.
type Months = BTreeMap<Period, Totals>;

impl Manage {
    /// All partners, the newest first, without what must be reckoned.
    pub(super) async fn list(&self, request: &Request) -> Result<Reply, Problem> {
        let (limit, before) = request.page::<PartnerId>()?;
        let page = self.partners.partners(limit, before.as_ref().map(PartnerId::as_str)).await?;
        let items: Vec<Value> = page.items.iter().map(|stored| head(&stored.entity, request.now)).collect();
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": page.next})))
    }

    pub(super) async fn show(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let partner = self.own(request, caller).await?.entity;
        let mut body = head(&partner, request.now);
        let months = self.partners.months_of(&partner.id).await?;
        let balances = self.balances(&partner, &months, request.now).await?;
        let tier = self.tier(&partner, &months, request.now).await?;
        if let Some(object) = body.as_object_mut() {
            object.extend(balances.map(|balances| ("balances".to_owned(), json!(balances))));
            object.extend(tier.map(|tier| ("tier".to_owned(), tier)));
        }
        Ok(Reply::json(200, &body))
    }

    /// The step that his volume has reached this month, and the next one; nothing where his agreement has none.
    async fn tier(&self, partner: &Partner, months: &Months, now: Timestamp) -> Result<Option<Value>, Problem> {
        let Some(accepted) = partner.facts.agreements.at(now) else { return Ok(None) };
        let terms = versions::terms(&self.versions, accepted).await?;
        let Some(tiers) = terms.pay.iter().find_map(|pay| pay.tiers.as_ref()) else { return Ok(None) };
        let period = Period::of(now);
        let lots = |period| months.get(&period).map_or(Decimal::ZERO, |month| month.volume(tiers.volume));
        let decides = if tiers.apply == Apply::NextPeriod { lots(period.previous()) } else { lots(period) };
        let next = tiers.steps.iter().find(|step| lots(period) <= step.above);
        Ok(Some(json!({
            "period": period, "volume": tiers.volume, "lots": lots(period), "factor": tiers.at(decides), "apply": tiers.apply,
            "next": next.map(|step| json!({"above": step.above, "factor": step.factor})),
        })))
    }

    /// Where his pay stands; before an agreement says in which currency, nothing in the usual one.
    async fn balances(&self, partner: &Partner, months: &Months, now: Timestamp) -> Result<Option<Balances>, Problem> {
        let facts = &partner.facts;
        let said = facts.currency.or(facts.proposed.as_ref().map(|proposed| proposed.currency));
        let currency = match said {
            Some(currency) => Some(currency),
            None => self.live().await?.rules.usual_currency(),
        };
        let Some(currency) = currency else { return Ok(None) };
        let least = self.payout_min(partner, currency, now).await?;
        let paid = facts.paid.get(&currency).copied().unwrap_or(Money::zero(currency));
        Balances::of(months.values(), currency, paid, &least, now).map(Some).map_err(too_large)
    }

    /// What is not paid out but carried: of the version that he accepted.
    pub(super) async fn payout_min(
        &self,
        partner: &Partner,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Money, Problem> {
        let Some(accepted) = partner.facts.agreements.at(now) else { return Ok(Money::zero(currency)) };
        let terms = versions::terms(&self.versions, accepted).await?;
        Ok(if terms.currency == currency { terms.payout_min } else { Money::zero(currency) })
    }

    pub(super) async fn tree(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let partner = self.own(request, caller).await?.entity;
        let mut left = SHOWN_MAX;
        Ok(Reply::json(200, &self.branch(partner, request.now, &mut left).await?))
    }

    /// A partner with all under him, as it is now; `truncated` where there are more than an answer shows.
    fn branch<'a>(
        &'a self,
        partner: Partner,
        now: Timestamp,
        left: &'a mut usize,
    ) -> Pin<Box<dyn Future<Output = Result<Value, StepError>> + Send + 'a>> {
        Box::pin(async move {
            *left = left.saturating_sub(1);
            let (mut children, mut truncated) = (Vec::new(), false);
            let ever: Vec<PartnerId> = self.partners.ever_under(&partner.id).await?;
            for child in self.partners.load_some::<Partner>(&ever).await? {
                if child.entity.facts.parents.at(now) != Some(&partner.id) {
                    continue;
                }
                if *left == 0 {
                    truncated = true;
                    break;
                }
                children.push(self.branch(child.entity, now, left).await?);
            }
            let clients = self.partners.brought(&partner.id, now).await?;
            let mut node = json!({
                "partner_id": partner.id, "code": partner.facts.code, "status": partner.facts.status,
                "clients": clients, "children": children,
            });
            if let (true, Some(object)) = (truncated, node.as_object_mut()) {
                object.insert("truncated".to_owned(), json!(true));
            }
            Ok(node)
        })
    }
}

fn head(partner: &Partner, now: Timestamp) -> Value {
    let facts = &partner.facts;
    json!({
        "partner_id": partner.id, "code": facts.code, "status": facts.status, "country": facts.country,
        "applied_at": facts.applied_at, "parent_id": facts.parents.at(now), "verified": facts.verified,
        "agreement": agreement::accepted(partner, now), "proposed": agreement::proposal(partner),
    })
}

fn too_large(error: MoneyError) -> Problem {
    StepError::Malformed(format!("a balance cannot be: {error}")).into()
}
