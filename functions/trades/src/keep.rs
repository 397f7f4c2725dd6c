//! Deals into the table, whichever way they came: each with what it means for its client's numbers, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use domain::account::Account;
use domain::activity::Activity;
use domain::activity::fold::{Turn, days_of, touched};
use domain::decision::{Decision, Frame, Verdict};
use domain::trade::{Deal, DealFault, Heard, Of, Told, Trade};
use domain::{ActivityId, ClientId, TradeId};
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Crm, Home, Stored, TradesTable};

/// Deals of one transaction, which may write a hundred items: each may bring its trade, the one that it corrects, its position and its day.
const DEALS_AT_ONCE: usize = 20;

/// What became of deals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// News.
    pub(crate) accepted: usize,
    /// Known.
    pub(crate) duplicates: usize,
    /// Not taken: the deal's number and why.
    pub(crate) refused: Vec<(Option<String>, DealFault)>,
}

/// Takes deals.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) crm: Crm,
    pub(crate) trades: TradesTable,
}

/// A deal with its account.
struct Placed {
    deal: Deal,
    account: Account,
}

impl Keeper {
    /// Takes deals of a server in the order in which they were told.
    pub(crate) async fn take(
        &self,
        server: &str,
        deals: Vec<Deal>,
        told: Told,
        frame: &Frame,
    ) -> Result<Taken, StepError> {
        let mut taken = Taken::default();
        let mut accounts = BTreeMap::new();
        let mut by_client: BTreeMap<ClientId, Vec<Placed>> = BTreeMap::new();
        for deal in deals {
            if !accounts.contains_key(&deal.login) {
                accounts.insert(deal.login.clone(), self.account(server, &deal.login).await?);
            }
            match accounts.get(&deal.login).cloned().flatten() {
                Some(account) if account.facts.currency == deal.currency => {
                    by_client.entry(account.client_id.clone()).or_default().push(Placed { deal, account });
                }
                Some(account) => {
                    let what = format!("the account has {}, not {}", account.facts.currency, deal.currency);
                    taken.refused.push((Some(deal.deal), DealFault::new("currency_mismatch", what)));
                }
                None => {
                    let what = "no account of ours has this login on this server";
                    taken.refused.push((Some(deal.deal), DealFault::new("unknown_login", what)));
                }
            }
        }
        for (client, deals) in by_client {
            for part in parts(&deals) {
                self.take_part(&client, part, told, frame, &mut taken).await?;
            }
        }
        Ok(taken)
    }

    /// The account of a login: by the claim on it, which is there as soon as the account is, or by the list of the server's accounts, in
    /// which the older ones stand, too.
    async fn account(&self, server: &str, login: &str) -> Result<Option<Account>, StepError> {
        if let Some(id) = self.crm.login_holder(server, login).await? {
            let stored = self.crm.load_settled::<Account>(&id).await?;
            return Ok(Some(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity));
        }
        Ok(self.crm.account_of_login(server, login).await?.map(|stored| stored.entity))
    }

    async fn take_part(
        &self,
        client: &ClientId,
        part: &[Placed],
        told: Told,
        frame: &Frame,
        taken: &mut Taken,
    ) -> Result<(), StepError> {
        let done = step::together(frame, "the client's trades keep changing", || {
            Box::pin(async move { self.attempt(client, part, told, frame).await })
        })
        .await?;
        taken.accepted += done.accepted;
        taken.duplicates += done.duplicates;
        taken.refused.extend(done.refused);
        Ok(())
    }

    async fn attempt(
        &self,
        client: &ClientId,
        part: &[Placed],
        told: Told,
        frame: &Frame,
    ) -> Result<Attempt<Taken>, StepError> {
        let ids: Vec<TradeId> = part.iter().flat_map(ids_of).collect();
        let known: BTreeMap<TradeId, Stored<Trade>> = self
            .trades
            .load_some::<Trade>(&ids)
            .await?
            .into_iter()
            .map(|stored| (stored.entity.id.clone(), stored))
            .collect();
        let (taken, decisions) = judge(part, told, &known);
        if decisions.is_empty() {
            return Ok(Attempt::Nothing(taken));
        }
        let turns: Vec<Turn> = decisions
            .iter()
            .map(|decision| Turn {
                was: known.get(&decision.next.id).map(|stored| stored.entity.clone()),
                is: decision.next.clone(),
            })
            .collect();
        let mut commit = Home::<Trade>::table(&self.trades).commit();
        for decision in &decisions {
            commit.save(&self.trades, known.get(&decision.next.id), decision, frame)?;
        }
        self.count(client, &turns, frame, &mut commit).await?;
        Ok(Attempt::Save(commit, taken))
    }

    /// What the deals mean for the client's numbers, in the same transaction.
    async fn count(
        &self,
        client: &ClientId,
        turns: &[Turn],
        frame: &Frame,
        commit: &mut store::Commit,
    ) -> Result<(), StepError> {
        let touched = touched(turns);
        let mut read = self.trades.book(&touched.positions, &touched.accounts).await?;
        let days = days_of(&read.book.positions, turns);
        self.trades.book_days(client, &days, &mut read).await?;
        let was = self.trades.load::<Activity>(&ActivityId::of(client)).await?;
        let activity = was.as_ref().map_or_else(|| Activity::begun(client), |stored| stored.entity.clone());
        if let Verdict::Change(decision) = read.book.fold(&activity, turns) {
            commit.save(&self.trades, was.as_ref(), &decision, frame)?;
            commit.keep_book(&self.trades, client, &read)?;
        }
        Ok(())
    }
}

fn ids_of(placed: &Placed) -> impl Iterator<Item = TradeId> {
    let server = placed.account.facts.server.clone();
    let numbers = [Some(placed.deal.deal.clone()), placed.deal.corrects.clone()];
    numbers.into_iter().flatten().map(move |number| Trade::id_of(&server, &number))
}

/// Deals that can be taken together: no two of them are about one trade, so each is judged by what is stored.
fn parts(deals: &[Placed]) -> Vec<&[Placed]> {
    let mut parts = Vec::new();
    let (mut begins, mut seen) = (0, BTreeSet::new());
    for (place, deal) in deals.iter().enumerate() {
        let ids: Vec<TradeId> = ids_of(deal).collect();
        if place - begins >= DEALS_AT_ONCE || ids.iter().any(|id| seen.contains(id)) {
            parts.extend(deals.get(begins..place));
            begins = place;
            seen.clear();
        }
        seen.extend(ids);
    }
    parts.extend(deals.get(begins..).filter(|rest| !rest.is_empty()));
    parts
}

/// What each deal comes to; what is news of it, and of the deal that it corrects, is to be saved.
fn judge(part: &[Placed], told: Told, known: &BTreeMap<TradeId, Stored<Trade>>) -> (Taken, Vec<Decision<Trade>>) {
    let mut taken = Taken::default();
    let mut decisions = Vec::new();
    for Placed { deal, account } in part {
        let of = Of { account, told };
        let was = |number: &str| known.get(&Trade::id_of(&account.facts.server, number)).map(|stored| &stored.entity);
        let mut heard = vec![Trade::heard(was(&deal.deal), deal, of)];
        heard.extend(deal.corrects.as_ref().map(|number| Trade::replaced(was(number), number, deal, of)));
        let fault = heard.iter().find_map(|heard| match heard {
            Heard::Refused(fault) => Some(fault.clone()),
            Heard::News(_) | Heard::Known => None,
        });
        if let Some(fault) = fault {
            taken.refused.push((Some(deal.deal.clone()), fault));
            continue;
        }
        let before = decisions.len();
        for heard in heard {
            if let Heard::News(decision) = heard {
                decisions.push(*decision);
            }
        }
        if decisions.len() > before {
            taken.accepted += 1;
        } else {
            taken.duplicates += 1;
        }
    }
    (taken, decisions)
}
