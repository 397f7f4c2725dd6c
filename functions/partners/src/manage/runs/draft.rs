//! What a run would pay: each partner's balance up to the end of a month, and of those whom it does not pay why not.

use std::collections::BTreeMap;

use domain::input::Fault;
use domain::partner::balance::Balances;
use domain::partner::profile::{Partner, PartnerStatus};
use domain::partner::rules::PartnerAgreements;
use domain::partner::run::{Draft, LeftOut, LeftOutCode, PAYOUTS_MAX, Planned};
use domain::{Currency, Money, MoneyError, PartnerId, Timestamp};
use futures::future::try_join_all;
use runtime::{Problem, StepError};

use super::{Manage, Wish};

/// Books of one page.
const PAGE: i32 = 100;
/// Partners whose months are read at once.
const AT_ONCE: usize = 16;

/// Where one partner stands in a draft.
enum Place {
    Paid(Planned),
    Out(LeftOut),
}

fn too_large(error: MoneyError) -> StepError {
    StepError::Malformed(format!("a balance cannot be: {error}"))
}

impl Manage {
    /// The draft of a run.
    pub(super) async fn reckoned(
        &self,
        wish: &Wish,
        rules: &PartnerAgreements,
        now: Timestamp,
    ) -> Result<Draft, Problem> {
        let mut by_currency: BTreeMap<Currency, Draft> = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.partners.books(PAGE, after.as_deref()).await?;
            let ids: Vec<PartnerId> = page.items.iter().map(|book| book.entity.facts.partner_id.clone()).collect();
            let partners = self.partners.load_some::<Partner>(&ids).await?;
            for part in partners.chunks(AT_ONCE) {
                let places = part.iter().map(|stored| self.place(&stored.entity, wish, rules, now));
                for (stored, place) in part.iter().zip(try_join_all(places).await?) {
                    let Some((currency, place)) = place else { continue };
                    let draft = by_currency.entry(currency).or_insert_with(|| empty(wish, currency));
                    put(draft, place, &stored.entity);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        chosen(by_currency, wish, rules)
    }

    /// Where a partner stands; nowhere whom the run is not about.
    async fn place(
        &self,
        partner: &Partner,
        wish: &Wish,
        rules: &PartnerAgreements,
        now: Timestamp,
    ) -> Result<Option<(Currency, Place)>, Problem> {
        let Some(currency) = partner.facts.currency else { return Ok(None) };
        let rail = partner.person.payee.reveal().rail();
        if wish.currency.is_some_and(|wanted| wanted != currency) || wish.rail.is_some_and(|wanted| wanted != rail) {
            return Ok(None);
        }
        let months = self.partners.months_of(&partner.id).await?;
        if !months.range(..=wish.period).any(|(_, month)| month.booked.contains_key(&currency)) {
            return Ok(None);
        }
        let least = self.payout_min(partner, currency, now).await?;
        let paid = partner.facts.paid.get(&currency).copied().unwrap_or(Money::zero(currency));
        let all = Balances::up_to(&months, (wish.period, currency), paid, &least, now).map_err(too_large)?;
        let free = all.payable.checked_add(&all.carried).map_err(too_large)?;
        let out = |code, amount, why: String| Place::Out(LeftOut { partner_id: partner.id.clone(), code, amount, why });
        let place = match (partner.facts.status, partner.facts.verified) {
            (PartnerStatus::Declined, _) => out(LeftOutCode::Declined, free, "compliance declined him".to_owned()),
            (_, None) => out(LeftOutCode::NotVerified, free, "nobody knows yet who he is".to_owned()),
            _ if all.payable.is_positive() && rules.payouts.pays_by(rail) => {
                Place::Paid(Planned { partner_id: partner.id.clone(), amount: all.payable, rail })
            }
            _ if all.payable.is_positive() => {
                out(LeftOutCode::RailNotSetUp, free, format!("the rules say nothing of how {rail} pays"))
            }
            _ if free.is_positive() => out(LeftOutCode::BelowMinimum, free, format!("less than {least}, and carried")),
            _ if !free.amount().is_zero() => {
                out(LeftOutCode::Negative, free, "below zero: set off against what he earns next".to_owned())
            }
            _ if all.on_hold.is_positive() => out(LeftOutCode::OnHold, all.on_hold, "held".to_owned()),
            _ => out(LeftOutCode::NothingLeft, free, "all of it is paid".to_owned()),
        };
        Ok(Some((currency, place)))
    }
}

fn empty(wish: &Wish, currency: Currency) -> Draft {
    Draft { period: wish.period, currency, rail: wish.rail, payouts: Vec::new(), left_out: Vec::new() }
}

fn put(draft: &mut Draft, place: Place, partner: &Partner) {
    match place {
        Place::Paid(planned) if draft.payouts.len() < PAYOUTS_MAX => {
            draft.payouts.push((planned, partner.person.payee.reveal().clone()));
        }
        Place::Paid(planned) => draft.left_out.push(LeftOut {
            partner_id: planned.partner_id,
            code: LeftOutCode::RunFull,
            amount: planned.amount,
            why: format!("a run holds {PAYOUTS_MAX} payouts: draft another one"),
        }),
        Place::Out(out) => draft.left_out.push(out),
    }
}

/// A run pays in one currency. Where nobody says in which, there must be one alone in which somebody is paid.
fn chosen(
    mut by_currency: BTreeMap<Currency, Draft>,
    wish: &Wish,
    rules: &PartnerAgreements,
) -> Result<Draft, Problem> {
    let paying: Vec<Currency> =
        by_currency.iter().filter(|(_, draft)| !draft.payouts.is_empty()).map(|(currency, _)| *currency).collect();
    let currency = match (wish.currency, paying.as_slice()) {
        (Some(wanted), _) => Some(wanted),
        (None, [only]) => Some(*only),
        (None, []) => {
            let of_rules = rules.names().filter_map(|name| rules.agreement(name)).map(|terms| terms.currency).next();
            by_currency.keys().next().copied().or(of_rules)
        }
        (None, _) => None,
    };
    let Some(currency) = currency else {
        let fault = Fault::new("/currency", "needed", "partners are to be paid in several currencies: say in which");
        return Err(Problem::input(vec![fault.allowing(paying.iter().map(|currency| currency.code()))]));
    };
    Ok(by_currency.remove(&currency).unwrap_or_else(|| empty(wish, currency)))
}
