//! The deals of a server: a part of its accounts at a time, for as long as an invocation has. Each account goes on where it was read to, so a
//! server that was away is caught up with by itself, and whoever dies on the way is followed by one who finds known what was kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::account::Account;
use domain::decision::Frame;
use domain::trade::feed::TradeFeed;
use domain::trade::rules::TradingRules;
use domain::trade::{Deal, Entry, Side, Told};
use domain::{Seconds, Timestamp, TradeFeedId};
use providers::http::BoxFuture;
use providers::platforms::{self, ClosedTrade, Login, TradeCursor, Volume};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::vendors::Servers;
use runtime::{StepError, awsclients, step};

use crate::keep::Keeper;

/// Accounts of one part, each a call or a few: a trading server is fragile.
const ACCOUNTS: i32 = 50;
/// No further part is begun after this. What is left of the time-out is for the part that was begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);
/// Reads of one account in one turn; what is left comes with the next.
const READS: u32 = 20;
/// Deals of an account are asked for from before it was made: the clock of its server may be behind ours.
const BEFORE_OPENING: Seconds = Seconds(86_400);

/// The step.
pub struct Fetch {
    keeper: Keeper,
    rules: RuleBook,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let keeper = Keeper { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)? };
    let servers = Servers::new(ports, rules.clone());
    QueueFunction::build(Fetch { keeper, rules, servers }, ports)
}

impl QueueStep for Fetch {
    const NAME: &'static str = "trades-fetch";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            self.go_on(&event.id()?, &mut frame).await
        })
    }
}

impl Fetch {
    async fn go_on(&self, id: &TradeFeedId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let (trades, now) = (&self.keeper.trades, frame.now);
        let taken = step::change(trades, id, frame, |own: &TradeFeed| own.taken(now)).await?;
        let step::Done::Changed { now: mut stored, .. } = taken else { return Ok("nothing_to_do") };
        let rules = self.rules.live::<TradingRules>().await?;
        frame.used(rules.label());
        let began = Instant::now();
        loop {
            let feed = &stored.entity.facts;
            let page = self.keeper.crm.accounts_on(&feed.server, ACCOUNTS, feed.cursor.as_deref()).await?;
            let accounts: Vec<&Account> = page.items.iter().map(|stored| &stored.entity).collect();
            let news = self.part(&feed.server, &accounts, &rules.rules, frame).await?;
            let (next, pace) = (page.next, rules.rules.fetch);
            let goes_on = |own: &TradeFeed| own.goes_on(next.clone(), news, pace, now);
            let done = step::change(trades, id, frame, goes_on).await?;
            stored = done.stored().clone();
            if stored.entity.facts.cursor.is_none() {
                return Ok("round_done");
            }
            if began.elapsed() >= BEGINS_WITHIN {
                return Ok("goes_on");
            }
        }
    }

    /// Some accounts one by one; whether there was anything new. One that cannot be read costs no other its turn; only a server that answers nothing ends the part.
    async fn part(
        &self,
        server: &str,
        accounts: &[&Account],
        rules: &TradingRules,
        frame: &Frame,
    ) -> Result<bool, StepError> {
        let ids: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
        let cursors = self.keeper.trades.fetched::<TradeCursor>(&ids).await?;
        let (mut read, mut news, mut failed) = (0, false, None);
        for account in accounts {
            let from = cursors.get(&account.id).cloned().unwrap_or_else(|| beginning(account));
            match self.account(server, account, from, rules, frame).await {
                Ok(new) => {
                    read += 1;
                    news |= new;
                }
                Err(error @ StepError::Vendor { .. }) => {
                    tracing::warn!(server, account.id = %account.id, error = %error, "an account's deals were not read");
                    failed = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match failed {
            Some(error) if read == 0 => Err(error),
            Some(_) | None => Ok(news),
        }
    }

    async fn account(
        &self,
        server: &str,
        account: &Account,
        mut cursor: TradeCursor,
        rules: &TradingRules,
        frame: &Frame,
    ) -> Result<bool, StepError> {
        let Some(login) = account.facts.login.clone().map(Login::new) else { return Ok(false) };
        let mut news = false;
        for _ in 0..READS {
            let platform = self.servers.reader(server).await?;
            let page = platform.closed_trades(&login, &cursor).await?;
            let deals =
                page.trades.iter().map(|trade| deal_of(trade, account, rules)).collect::<Result<Vec<_>, _>>()?;
            if !deals.is_empty() {
                let taken = self.keeper.take(server, deals, Told::Fetched, frame).await?;
                news |= taken.accepted > 0;
                for (deal, fault) in taken.refused {
                    tracing::warn!(server, deal, code = fault.code, "a fetched deal was not taken");
                }
            }
            if page.next != cursor {
                self.keeper.trades.keep_fetched(&account.id, &page.next).await?;
            }
            if !page.more {
                break;
            }
            cursor = page.next;
        }
        Ok(news)
    }
}

fn beginning(account: &Account) -> TradeCursor {
    TradeCursor::since(account.facts.created_at.minus(BEFORE_OPENING).max(Timestamp::EPOCH))
}

/// A closing as its deal: it does the opposite of the position.
fn deal_of(trade: &ClosedTrade, account: &Account, rules: &TradingRules) -> Result<Deal, StepError> {
    let lots = match trade.volume {
        Volume::Lots(lots) => Some(lots),
        Volume::Units(units) => rules.lots_of(&trade.symbol, units),
    };
    let lots = lots.ok_or_else(|| StepError::Malformed(format!("deal {} has no lots", trade.deal.as_str())))?;
    Ok(Deal {
        deal: trade.deal.as_str().to_owned(),
        position: trade.position.clone(),
        login: trade.login.as_str().to_owned(),
        symbol: trade.symbol.clone(),
        side: match trade.side {
            platforms::Side::Buy => Side::Sell,
            platforms::Side::Sell => Side::Buy,
        },
        entry: Entry::Out,
        lots,
        price: trade.price,
        profit: trade.profit,
        commission: trade.commission,
        swap: trade.swap,
        currency: account.facts.currency,
        at: trade.closed_at,
        opened_at: trade.opened_at,
        corrects: None,
        deleted: false,
    })
}
