//! What stands beside partners in the table `partners`: codes, who stands under whom, whom somebody brought, the lines that trades earned, which
//! of them are disputed, and what has come together for a partner in a month. Lines and months are reckoned from trades; they are saved together
//! with what the trade earned, which has a journal.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::str::FromStr;

use aws_sdk_dynamodb::types::Select;
use domain::partner::book::Month;
use domain::partner::line::Line;
use domain::partner::period::Period;
use domain::partner::totals::Totals;
use domain::{AccrualLineId, ClientId, DisputeId, PartnerId, StatementId, Timestamp};
use serde::de::DeserializeOwned;

use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, STATE, n, number, s, text};
use crate::usage::{self, Kind};
use crate::{PartnersTable, Table};

const HOLDER: &str = "holder";
/// How often an item was written.
const TIMES: &str = "times";
/// From when on a client is a partner's, and until when, in milliseconds.
const SINCE: &str = "since_ms";
const UNTIL: &str = "until_ms";
/// Where the moves of partners meet: one item, so that no two of them together make a circle.
const TREE: &str = "tree#";

fn code_key(code: &str) -> String {
    format!("code#{code}")
}

fn self_key(client: &ClientId) -> String {
    format!("self#{client}")
}

fn under_key(parent: &PartnerId) -> String {
    format!("under#{parent}")
}

fn brought_key(partner: &PartnerId) -> String {
    format!("brought#{partner}")
}

fn month_key(partner: &PartnerId) -> String {
    format!("month#{partner}")
}

fn lines_key(partner: &PartnerId, period: Period) -> String {
    format!("lines#{partner}#{period}")
}

/// A line's place among those of its partner and month: by time, then id.
fn line_place(line: &Line) -> String {
    format!("{:013}#{}", line.at.millis().max(0), line.id)
}

fn disputed_key(statement: &StatementId) -> String {
    format!("disputed#{statement}")
}

fn state<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let key = text(item, "?", KEY)?;
    serde_json::from_str(text(item, key, STATE)?).map_err(|error| StoreError::corrupt(key, error))
}

/// How often partners were moved when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeTimes(u64);

/// Months that were read, and how often each had been written: it is saved under the condition that this is still so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadMonths {
    /// What came together.
    pub totals: BTreeMap<Month, Totals>,
    times: BTreeMap<Month, u64>,
}

/// Some lines, and the place of the last one where there are more.
pub type LinePage = (Vec<Line>, Option<String>);

impl PartnersTable {
    /// The partner whose code it is, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn code_holder(&self, code: &str) -> Result<Option<PartnerId>, StoreError> {
        self.holder(code_key(code), SORT_ENTITY).await
    }

    /// The partner that a client is himself, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn partner_who_is(&self, client: &ClientId) -> Result<Option<PartnerId>, StoreError> {
        self.holder(self_key(client), SORT_ENTITY).await
    }

    async fn holder<T: FromStr>(&self, key: String, sort: &str) -> Result<Option<T>, StoreError> {
        let Some(item) = self.0.get(&key, sort, true).await? else { return Ok(None) };
        let holder = text(&item, &key, HOLDER)?.parse();
        holder.map(Some).map_err(|_| StoreError::corrupt(&key, "the holder has no such id"))
    }

    /// The dispute that a line of a statement is in, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn disputed_in(
        &self,
        statement: &StatementId,
        line: &AccrualLineId,
    ) -> Result<Option<DisputeId>, StoreError> {
        self.holder(disputed_key(statement), line.as_str()).await
    }

    /// How often partners were moved: read it before anything of the tree, and move under the condition that it is still so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tree_times(&self) -> Result<TreeTimes, StoreError> {
        let item = self.0.get(TREE, SORT_ENTITY, true).await?;
        item.map_or(Ok(TreeTimes(0)), |item| number(&item, TREE, TIMES).map(TreeTimes))
    }

    /// Everybody who ever stood, or is to stand, right under a partner: whoever asks looks at each one's own history.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ever_under(&self, parent: &PartnerId) -> Result<Vec<PartnerId>, StoreError> {
        let query = self.0.query().consistent_read(true);
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", s(under_key(parent)));
        let mut all = Vec::new();
        self.0
            .each(query, |item| {
                let id = text(item, "?", SORT)?;
                all.push(id.parse().map_err(|_| StoreError::corrupt(id, "no partner stands there"))?);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(all)
    }

    /// How many clients are a partner's at a moment: 0.5 read units a 4 KB of his clients.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn brought(&self, partner: &PartnerId, at: Timestamp) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0_u64, None);
        loop {
            let query = self.0.query().select(Select::Count);
            let answer = query
                .key_condition_expression("pk = :pk")
                .filter_expression("#since <= :at AND (attribute_not_exists(#until) OR #until > :at)")
                .expression_attribute_names("#since", SINCE)
                .expression_attribute_names("#until", UNTIL)
                .expression_attribute_values(":pk", s(brought_key(partner)))
                .expression_attribute_values(":at", n(at.millis()))
                .set_exclusive_start_key(start.take())
                .send()
                .await?;
            usage::count(&self.0.name, &Kind::Read, answer.consumed_capacity());
            count = count.saturating_add(u64::try_from(answer.count()).unwrap_or(0));
            match answer.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(count),
            }
        }
    }

    /// Every month of a partner in which something came together, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn months_of(&self, partner: &PartnerId) -> Result<BTreeMap<Period, Totals>, StoreError> {
        let query = self.0.query().consistent_read(true);
        let query =
            query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", s(month_key(partner)));
        let mut all = BTreeMap::new();
        self.0
            .each(query, |item| {
                let period = text(item, "?", SORT)?;
                let at = period.parse().map_err(|_| StoreError::corrupt(period, "is no month"))?;
                all.insert(at, state(item)?);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(all)
    }

    /// Months by themselves, strongly consistent: 1 read unit a 4 KB each. One that is not there yet is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn months(&self, wanted: impl IntoIterator<Item = Month>) -> Result<ReadMonths, StoreError> {
        let mut read = ReadMonths::default();
        for month in wanted {
            let (partner, period) = &month;
            let key = month_key(partner);
            if let Some(item) = self.0.get(&key, &period.to_string(), true).await? {
                read.times.insert(month.clone(), number(&item, &key, TIMES)?);
                read.totals.insert(month, state(&item)?);
            }
        }
        Ok(read)
    }

    /// Every line on a month's statement by time, then id, strongly consistent: 1 read unit a 4 KB. None is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn each_line(
        &self,
        (partner, period): (&PartnerId, Period),
        mut take: impl FnMut(Line) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = self.0.query().consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(lines_key(partner, period)));
        self.0.each(query, |item| state(item).and_then(&mut take).map(ControlFlow::Continue)).await
    }

    /// Lines on a month's statement by time, from a moment and after a place on: 0.5 read units a 4 KB.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lines(
        &self,
        (partner, period): (&PartnerId, Period),
        from: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LinePage, StoreError> {
        let first = format!("{:013}", from.millis().max(0));
        // places hold `#`, which sorts before whatever follows it in one
        let after = after.map(|place| format!("{place}#"));
        let begin = after.filter(|after| *after > first).unwrap_or(first);
        let query = self.0.query().limit(i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX));
        let query = query
            .key_condition_expression("pk = :pk AND sk >= :from")
            .expression_attribute_values(":pk", s(lines_key(partner, period)))
            .expression_attribute_values(":from", s(begin));
        let mut lines: Vec<Line> = Vec::new();
        let mut more = false;
        self.0
            .each(query, |item| {
                more = lines.len() == limit;
                if more {
                    return Ok(ControlFlow::Break(()));
                }
                lines.push(state(item)?);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        let next = lines.last().filter(|_| more).map(line_place);
        Ok((lines, next))
    }
}

/// Puts an item under the condition that it is not there, or has the same holder.
fn hold(commit: &mut Commit, table: &Table, key: String, sort: &str, holder: &str) -> Result<(), StoreError> {
    let holder = s(holder);
    let item = Item::from([(KEY.to_owned(), s(key)), (SORT.to_owned(), s(sort)), (HOLDER.to_owned(), holder.clone())]);
    commit.put(table, item, None, |put| {
        put.condition_expression("attribute_not_exists(pk) OR #holder = :holder")
            .expression_attribute_names("#holder", HOLDER)
            .expression_attribute_values(":holder", holder)
    })
}

impl Commit {
    /// Gives a code to a partner, under the condition that no other has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_code(&mut self, table: &PartnersTable, code: &str, partner: &PartnerId) -> Result<(), StoreError> {
        hold(self, &table.0, code_key(code), SORT_ENTITY, partner.as_str())
    }

    /// Says which client a partner is himself, under the condition that the client is no other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn be_client(
        &mut self,
        table: &PartnersTable,
        client: &ClientId,
        partner: &PartnerId,
    ) -> Result<(), StoreError> {
        hold(self, &table.0, self_key(client), SORT_ENTITY, partner.as_str())
    }

    /// Notes that a partner stands, or is to stand, under another. Never taken back: his own history says when.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stand_under(
        &mut self,
        table: &PartnersTable,
        parent: &PartnerId,
        partner: &PartnerId,
    ) -> Result<(), StoreError> {
        hold(self, &table.0, under_key(parent), partner.as_str(), partner.as_str())
    }

    /// Notes that a line of a statement is disputed, under the condition that it is in no other dispute. Never taken back: a line is disputed
    /// once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn dispute_line(
        &mut self,
        table: &PartnersTable,
        (statement, line): (&StatementId, &AccrualLineId),
        dispute: &DisputeId,
    ) -> Result<(), StoreError> {
        hold(self, &table.0, disputed_key(statement), line.as_str(), dispute.as_str())
    }

    /// Moves partners under the condition that nobody moved any since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hold_tree(&mut self, table: &PartnersTable, was: TreeTimes) -> Result<(), StoreError> {
        self.put_counted(&table.0, Item::from([(KEY.to_owned(), s(TREE)), (SORT.to_owned(), s(SORT_ENTITY))]), was.0)
    }

    /// Notes that a client is a partner's from a moment on, and until another if that is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bring(
        &mut self,
        table: &PartnersTable,
        client: &ClientId,
        partner: &PartnerId,
        (since, until): (Timestamp, Option<Timestamp>),
    ) -> Result<(), StoreError> {
        let mut item = Item::from([
            (KEY.to_owned(), s(brought_key(partner))),
            (SORT.to_owned(), s(client.as_str())),
            (SINCE.to_owned(), n(since.millis())),
        ]);
        item.extend(until.map(|until| (UNTIL.to_owned(), n(until.millis()))));
        // the client's own history, which is saved with it, says what holds
        self.put(&table.0, item, None, |put| put)
    }

    /// Saves what came together in a month, under the condition that nobody did since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_month(
        &mut self,
        table: &PartnersTable,
        was: &ReadMonths,
        month: &Month,
        totals: &Totals,
    ) -> Result<(), StoreError> {
        let (partner, period) = month;
        let key = month_key(partner);
        let state = serde_json::to_string(totals).map_err(|error| StoreError::corrupt(&key, error))?;
        let item = Item::from([
            (KEY.to_owned(), s(key)),
            (SORT.to_owned(), s(period.to_string())),
            (STATE.to_owned(), s(state)),
        ]);
        self.put_counted(&table.0, item, was.times.get(month).copied().unwrap_or(0))
    }

    /// Adds a line, which is there once whoever comes again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_line(&mut self, table: &PartnersTable, line: &Line) -> Result<(), StoreError> {
        let key = lines_key(&line.partner, line.period);
        let state = serde_json::to_string(line).map_err(|error| StoreError::corrupt(&key, error))?;
        let item = Item::from([
            (KEY.to_owned(), s(key)),
            (SORT.to_owned(), s(line_place(line))),
            (STATE.to_owned(), s(state)),
        ]);
        self.put(&table.0, item, None, |put| put.condition_expression("attribute_not_exists(pk)"))
    }

    /// Puts an item that counts how often it is written.
    fn put_counted(&mut self, table: &Table, mut item: Item, was: u64) -> Result<(), StoreError> {
        item.insert(TIMES.to_owned(), n(was.saturating_add(1)));
        self.put(table, item, None, |put| match was {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            times => put
                .condition_expression("#times = :was")
                .expression_attribute_names("#times", TIMES)
                .expression_attribute_values(":was", n(times)),
        })
    }
}
