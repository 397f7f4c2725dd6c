//! `GET /v1/partners/{partner_id}/accruals`: line by line what a partner earned.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use domain::partner::acquisition::Acquisition;
use domain::partner::line::{Line, LineModel};
use domain::partner::period::Period;
use domain::partner::posted::TradeAccrual;
use domain::partner::profile::Partner;
use domain::partner::statement::masked;
use domain::{AccrualLineId, AcquisitionId, PartnerId, Timestamp, TradeAccrualId};
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem, StepError};
use serde_json::{Value, json};

use super::Manage;

/// Statements that one answer looks through: three years.
const PERIODS_MAX: usize = 36;

/// Where a page ends: a statement, and the place of a line on it.
struct Place {
    period: Period,
    line: Option<String>,
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (period, line) = text.split_once('.').ok_or(())?;
        let period = period.parse().map_err(|_| ())?;
        Ok(Self { period, line: Some(line.replace('.', "#")).filter(|line| !line.is_empty()) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.period, self.line.as_deref().unwrap_or_default().replace('#', "."))
    }
}

/// Which lines.
struct Asked {
    from: Timestamp,
    to: Timestamp,
    limit: usize,
    after: Place,
}

impl Manage {
    /// By statement, then by the time of what a line is for.
    pub(super) async fn accruals(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let partner = self.own(request, caller).await?.entity;
        let (limit, after) = request.page::<Place>()?;
        let from = time(request, "from")?.unwrap_or(partner.facts.applied_at);
        let to = time(request, "to")?.unwrap_or(Timestamp::LATEST);
        let after = after.unwrap_or_else(|| Place { period: Period::of(from), line: None });
        let asked = Asked { from, to, limit: usize::try_from(limit).unwrap_or(1), after };
        let (lines, next) = self.lines(&partner.id, &asked, request.now).await?;
        let standing = self.standing(&lines).await?;
        let for_staff = caller.require(&[Role::Finance, Role::Admin]).is_ok();
        let shown = |line: &Line| {
            let stands = standing.get(&line.id).copied().unwrap_or(true);
            view(line, status(&partner, line, stands, request.now), for_staff)
        };
        let items: Vec<Value> = lines.iter().map(shown).collect();
        let next = next.map(|place| place.to_string());
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": next})))
    }

    async fn lines(
        &self,
        partner: &PartnerId,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(Vec<Line>, Option<Place>), StepError> {
        let (mut period, mut place) = (asked.after.period, asked.after.line.clone());
        let mut found = Vec::new();
        for _ in 0..PERIODS_MAX {
            if period > Period::of(now) {
                return Ok((found, None));
            }
            let left = asked.limit.saturating_sub(found.len());
            let (lines, next) = self.partners.lines((partner, period), asked.from, place.as_deref(), left).await?;
            found.extend(lines.into_iter().filter(|line| line.at < asked.to));
            if next.is_some() {
                return Ok((found, Some(Place { period, line: next })));
            }
            (period, place) = (period.next(), None);
            if found.len() >= asked.limit {
                return Ok((found, Some(Place { period, line: None })));
            }
        }
        Ok((found, Some(Place { period, line: None })))
    }

    /// Of lines that a trade brought: whether they still stand.
    async fn standing(&self, lines: &[Line]) -> Result<BTreeMap<AccrualLineId, bool>, StepError> {
        let of_trade =
            |line: &&Line| line.reverses.is_none() && line.trade.is_some() && line.model != LineModel::TrueUp;
        let of_client = |line: &&Line| line.reverses.is_none() && line.model == LineModel::Cpa;
        let id = |line: &Line| line.trade.as_ref().map(|trade| TradeAccrualId::of(&trade.id));
        let mut ids: Vec<TradeAccrualId> = lines.iter().filter(of_trade).filter_map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        let accruals = self.partners.load_some::<TradeAccrual>(&ids).await?;
        let clients = lines.iter().filter(of_client).filter_map(|line| line.client.as_ref().map(AcquisitionId::of));
        let mut clients: Vec<AcquisitionId> = clients.collect();
        clients.sort_unstable();
        clients.dedup();
        let acquired = self.partners.load_some::<Acquisition>(&clients).await?;
        let of_trades = accruals.iter().flat_map(|stored| &stored.entity.posted.accrual.earned);
        let of_trades = of_trades.flat_map(|earned| &earned.lines);
        let of_clients = acquired.iter().flat_map(|stored| &stored.entity.facts.earned);
        let stands: BTreeSet<&AccrualLineId> = of_trades.chain(of_clients).map(|line| &line.id).collect();
        let asked = lines.iter().filter(|line| of_trade(line) || of_client(line));
        Ok(asked.map(|line| (line.id.clone(), stands.contains(&line.id))).collect())
    }
}

fn time(request: &Request, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = request.query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = || Problem::malformed(format!("{name} must be an RFC 3339 time"));
    text.parse().map(Some).map_err(|_| wrong())
}

/// Where a line stands: taken back, paid, held, or to be paid.
fn status(partner: &Partner, line: &Line, stands: bool, now: Timestamp) -> &'static str {
    match (stands, partner.has_paid(line), line.is_free(now)) {
        (false, _, _) => "reversed",
        (true, true, _) => "paid",
        (true, false, true) => "payable",
        (true, false, false) => "held",
    }
}

/// A line; a partner sees the end of a client's id, by which he can tell his clients apart.
fn view(line: &Line, status: &str, for_staff: bool) -> Value {
    let client =
        line.client.as_ref().map(|client| if for_staff { client.as_str().to_owned() } else { masked(client.as_str()) });
    json!({
        "line_id": line.id, "at": line.at, "entered_at": line.entered, "period": line.period, "counted_in": line.counted_in,
        "client": client, "trade_id": line.trade.as_ref().map(|trade| &trade.id), "model": line.model, "level": line.level,
        "agreement_id": line.agreement.id, "agreement_version": line.agreement.version, "rule_id": line.rule_id,
        "base": line.base, "rate": line.rate, "factor": line.factor, "fx": line.fx, "gross": line.gross,
        "amount": line.amount, "held_until": line.held_until, "status": status, "reverses": line.reverses,
        "why": line.why,
    })
}
