//! `GET /v1/clients/{client_id}/trades` and `…/activity`: what a client traded, and what he does in numbers. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use domain::activity::fold::PositionKey;
use domain::activity::position::newest;
use domain::activity::{Activity, Position, Totals, TradingDay};
use domain::client::Client;
use domain::trade::Trade;
use domain::trade::rules::TradingRules;
use domain::{ActivityId, ClientId, Currency, Day, Money, TradeId};
use runtime::auth::PORTAL_AND_STAFF;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::place::{cursor_of, is_id, rank_of};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::{Problem, awsclients};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use store::{Crm, TradesTable};

/// Days of `trades_30d` and `lots_30d`: today and those before it.
const DAYS: usize = 30;

/// The step.
pub struct Views {
    crm: Crm,
    trades: TradesTable,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Views { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)?, rules: RuleBook::new(ports)? };
    HttpFunction::build(step, ports)
}

impl HttpStep for Views {
    const NAME: &'static str = "trades-views";
    const ROUTES: &'static [Route<Self>] = &[
        Route::token(
            "GET",
            "/v1/clients/{client_id}/trades",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, _| Box::pin(step.trades(request)),
        ),
        Route::token(
            "GET",
            "/v1/clients/{client_id}/activity",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, _| Box::pin(step.activity(request)),
        ),
    ];
}

/// A place in the list: the moment of a closing, and the trade.
struct Place(String);

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_moment = |part: &str| part.len() == 13 && part.bytes().all(|b| b.is_ascii_digit());
        rank_of(text, &[is_moment, is_id::<TradeId>]).map(Self).ok_or(())
    }
}

impl Views {
    async fn client(&self, request: &Request) -> Result<ClientId, Problem> {
        let id: ClientId = request.id("client_id")?;
        let client = self.crm.load_settled::<Client>(&id).await?;
        client.map(|client| client.entity.id).ok_or_else(|| Problem::not_found("there is no such client"))
    }

    async fn trades(&self, request: &Request) -> Result<Reply, Problem> {
        let client = self.client(request).await?;
        let (limit, before) = request.page::<Place>()?;
        let page = self.trades.trades_of(&client, limit, before.as_ref().map(|place| place.0.as_str())).await?;
        let trades: Vec<Trade> = page.items.into_iter().map(|stored| stored.entity).filter(Trade::counts).collect();
        let without = trades.iter().filter(|trade| trade.facts.deal.opened_at.is_none());
        let positions = self.trades.positions(&without.map(PositionKey::of).collect::<BTreeSet<_>>()).await?;
        let live = self.rules.live::<TradingRules>().await?;
        let items: Vec<Value> = trades.iter().map(|trade| trade_view(trade, &positions, &live.rules)).collect();
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": page.next.map(|rank| cursor_of(&rank))})))
    }

    async fn activity(&self, request: &Request) -> Result<Reply, Problem> {
        let client = self.client(request).await?;
        let stored = self.trades.load::<Activity>(&ActivityId::of(&client)).await?;
        let activity = stored.map_or_else(|| Activity::begun(&client), |stored| stored.entity);
        let today = Day::of(request.now);
        let from = (1..DAYS).fold(today, |day, _| day.before());
        let days = self.trades.days(&client, from, today).await?;
        let live = self.rules.live::<TradingRules>().await?;
        Ok(Reply::json(200, &activity_view(&activity, &days, live.rules.base_currency)))
    }
}

fn trade_view(trade: &Trade, positions: &BTreeMap<PositionKey, Position>, rules: &TradingRules) -> Value {
    let (facts, deal) = (&trade.facts, &trade.facts.deal);
    let opened = deal.opened_at.or_else(|| positions.get(&PositionKey::of(trade)).and_then(Position::opened_at));
    let mut view = json!({
        "trade_id": trade.id, "account_id": facts.account_id, "platform": facts.platform, "server": facts.server,
        "deal": deal.deal, "position": deal.position, "symbol": deal.symbol, "side": deal.side, "entry": deal.entry,
        "lots": deal.lots, "price": deal.price, "profit": trade.profit(), "commission": deal.commission, "swap": deal.swap,
        "closed_at": deal.at,
    });
    if let Some(view) = view.as_object_mut() {
        add(view, "symbol_group", rules.group_of(&deal.symbol).map(|group| json!(group.name)));
        add(view, "opened_at", opened.map(|at| json!(at)));
    }
    view
}

fn add(view: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        view.insert(name.to_owned(), value);
    }
}

fn activity_view(activity: &Activity, days: &BTreeMap<Day, TradingDay>, base: Currency) -> Value {
    let facts = &activity.facts;
    let streak = newest(&facts.streaks);
    let streak =
        streak.map_or(json!({"kind": "none", "length": 0}), |own| json!({"kind": own.kind, "length": own.length}));
    let closed = days.values().fold(0_u32, |sum, day| sum.saturating_add(day.closed()));
    let lots: Decimal = days.values().map(TradingDay::lots).sum();
    let mut view = json!({
        "client_id": activity.client_id, "open_positions": facts.open_positions, "trades_30d": closed,
        "lots_30d": lots.normalize(), "streak": streak, "deposits": totals(&facts.deposits, base),
        "withdrawals": totals(&facts.withdrawals, base), "trades": facts.trades, "lots": facts.lots,
    });
    if let Some(view) = view.as_object_mut() {
        add(view, "last_trade_at", facts.last_trade_at.map(|at| json!(at)));
        add(view, "last_deposit_at", facts.deposits.last.map(|at| json!(at)));
        add(view, "last_withdrawal_at", facts.withdrawals.last.map(|at| json!(at)));
    }
    view
}

/// The total in its own currency where there is one, else in the base currency; each currency stands beside it.
fn totals(totals: &Totals, base: Currency) -> Value {
    let total = match totals.total.as_slice() {
        [] => Money::zero(base),
        [one] => *one,
        _ => totals.base.unwrap_or_else(|| Money::zero(base)),
    };
    json!({"count": totals.count, "total": total, "by_currency": totals.total})
}
