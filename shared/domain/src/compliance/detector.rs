//! The events of a journal, one after the other, held against scenarios as the functions do it, with nothing but memory: what the binary
//! `detect` is made of.
//!
//! What is read of an event: `client.*` who the client is, `kyc.*` his risk and what he declared, `client.logged_in` a log-in,
//! `activity.*` what he did and that it is to be judged, `screening.hit` entries of watchlists. Any other event says nothing here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::alert::{Alert, Found};
use super::case::Case;
use super::countries::CountryLists;
use super::evaluate::{Evaluation, Sight, evaluate};
use super::facts::{About, Moment, moments_from};
use super::rules::{Mode, Scenarios, Trigger};
use super::watch::Watch;
use crate::activity::{ActivityFacts, History, Movement, News, SeenLogin};
use crate::client::ClientFacts;
use crate::kyc::rescreening::ClientScreeningFacts;
use crate::{ClientId, Day, Timestamp};

/// Of what came after something that is heard late, so much is judged again: the oldest, for windows end. As `compliance-detect` does.
pub const MOMENTS_MAX: usize = 500;

/// A line of the export: an event as the bus carries it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Event {
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    at: Timestamp,
    #[serde(default)]
    client_id: Option<ClientId>,
    #[serde(default)]
    data: Json,
}

/// What is known of a client by what was read of him.
#[derive(Debug)]
struct Known {
    about: About,
    history: History,
    watch: Watch,
    open: Option<Case>,
}

/// An alert of a client, with the mode of its scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whom it is about.
    pub client_id: ClientId,
    /// Whether something follows from it.
    pub mode: Mode,
    /// What was found.
    pub alert: Alert,
}

/// What was read so far.
#[derive(Debug)]
pub struct Detector<'a> {
    rules: &'a Scenarios,
    lists: &'a CountryLists,
    label: String,
    clients: BTreeMap<ClientId, Known>,
    /// The day of the newest event.
    day: Option<Day>,
}

impl<'a> Detector<'a> {
    /// Nothing was read yet. `label` names the rules in alerts.
    pub fn new(rules: &'a Scenarios, lists: &'a CountryLists, label: &str) -> Self {
        Self { rules, lists, label: label.to_owned(), clients: BTreeMap::new(), day: None }
    }

    /// Reads a line; what it brings to light.
    ///
    /// # Errors
    /// Why the line cannot be read or judged. The next one can.
    pub fn line(&mut self, line: &str) -> Result<Vec<Told>, String> {
        let event: Event = serde_json::from_str(line).map_err(|error| format!("it is no event: {error}"))?;
        let mut told = self.days_until(Day::of(event.at))?;
        let unread = |error: serde_json::Error| format!("{}: {error}", event.event_id);
        match event.kind.as_str() {
            "client.logged_in" => {
                let login: SeenLogin = serde_json::from_value(event.data.clone()).map_err(unread)?;
                let logins = &mut self.client(&event)?.history.logins;
                let place = logins.partition_point(|own| own.at <= login.at);
                let is_known =
                    logins.iter().take(place).rev().take_while(|own| own.at == login.at).any(|own| *own == login);
                if !is_known {
                    logins.insert(place, login);
                }
            }
            "client.registered" => self.registered(&event).map_err(unread)?,
            // what else becomes of a client says who he is, mostly
            kind if kind.starts_with("client.") => self.registered(&event).unwrap_or_default(),
            kind if kind.starts_with("kyc.") => self.verified(&event),
            "screening.hit" => {
                let facts: ClientScreeningFacts = serde_json::from_value(event.data.clone()).map_err(unread)?;
                let moments = Moment::of_screening(&facts.raised);
                told.extend(self.judge(&event, &moments, &[Trigger::Watchlist], event.at)?);
            }
            kind if kind.starts_with("activity.") => {
                let facts: ActivityFacts = serde_json::from_value(event.data.clone()).map_err(unread)?;
                let news = facts.news.ok_or_else(|| format!("{}: it tells no news", event.event_id))?;
                told.extend(self.news(&event, &news)?);
            }
            _ => {}
        }
        Ok(told)
    }

    /// What days that are over bring, once the export has ended: the last one is not.
    fn days_until(&mut self, day: Day) -> Result<Vec<Told>, String> {
        let mut told = Vec::new();
        let Some(mut over) = self.day.replace(self.day.map_or(day, |newest| newest.max(day))) else { return Ok(told) };
        if self.rules.set_off_by(Trigger::Daily).next().is_none() {
            return Ok(told);
        }
        while over < day {
            let moment = Moment::of_day(over);
            // some minutes into the next day, as the functions do
            let now = moment.at.plus(crate::Seconds(600));
            let clients: Vec<ClientId> = self.clients.keys().cloned().collect();
            for client in clients {
                told.extend(self.judge_client(
                    &client,
                    std::slice::from_ref(&moment),
                    &[Trigger::Daily],
                    moment.at,
                    now,
                )?);
            }
            over = over.next();
        }
        Ok(told)
    }

    fn client(&mut self, event: &Event) -> Result<&mut Known, String> {
        let id = event.client_id.as_ref().ok_or_else(|| format!("{}: it is nobody's", event.event_id))?;
        self.clients.get_mut(id).ok_or_else(|| format!("{}: the export does not say who {id} is", event.event_id))
    }

    fn registered(&mut self, event: &Event) -> Result<(), serde_json::Error> {
        let (Some(id), facts) = (&event.client_id, ClientFacts::deserialize(&event.data)?) else { return Ok(()) };
        let fresh = About {
            client_id: id.clone(),
            residence: facts.residence,
            nationality: facts.nationality,
            entity: facts.entity,
            risk_band: None,
            pep: None,
            since: facts.created_at,
        };
        match self.clients.get_mut(id) {
            Some(known) => {
                let About { risk_band, pep, .. } = known.about.clone();
                known.about = About { risk_band, pep, ..fresh };
            }
            None => {
                let known = Known { about: fresh, history: History::default(), watch: Watch::begun(id), open: None };
                self.clients.insert(id.clone(), known);
            }
        }
        Ok(())
    }

    fn verified(&mut self, event: &Event) {
        let Some(known) = event.client_id.as_ref().and_then(|id| self.clients.get_mut(id)) else { return };
        let band = event.data.pointer("/risk/band").and_then(Json::as_str);
        known.about.risk_band = band.map(str::to_owned).or(known.about.risk_band.take());
        known.about.pep = event.data.pointer("/declaration/pep").and_then(Json::as_bool).or(known.about.pep);
    }

    fn news(&mut self, event: &Event, news: &News) -> Result<Vec<Told>, String> {
        let known = self.client(event)?;
        if let Some(moved) = &news.moved {
            note(&mut known.history.movements, moved);
        }
        known.history.days.extend(news.days.clone());
        let moments = match Moment::of_trades(news) {
            Some(moment) => vec![moment],
            None => {
                let mut moments = moments_from(&known.history, news.kind, news.at, event.at);
                moments.truncate(MOMENTS_MAX);
                moments
            }
        };
        self.judge(event, &moments, &Trigger::of_news(news.kind), news.at)
    }

    fn judge(
        &mut self,
        event: &Event,
        moments: &[Moment],
        triggers: &[Trigger],
        from: Timestamp,
    ) -> Result<Vec<Told>, String> {
        let id = self.client(event)?.about.client_id.clone();
        self.judge_client(&id, moments, triggers, from, event.at).map_err(|what| format!("{}: {what}", event.event_id))
    }

    fn judge_client(
        &mut self,
        id: &ClientId,
        moments: &[Moment],
        triggers: &[Trigger],
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Told>, String> {
        let (rules, lists) = (self.rules, self.lists);
        let Some(known) = self.clients.get_mut(id) else { return Ok(Vec::new()) };
        // no further back than the functions read
        known.history.whole_from = Some(from.minus(rules.look_back(triggers)));
        let sight = Sight { history: &known.history, about: &known.about, rules, lists };
        let mut found = Vec::new();
        for moment in moments {
            for scenario in rules.set_off_by(moment.trigger) {
                let (rule_version, late_after) = (self.label.as_str(), rules.late_after);
                let found_by = Found { scenario, client: id, moment, rule_version, late_after, now };
                let judged = evaluate(scenario, sight, moment).map_err(|error| format!("{}: {error}", scenario.id))?;
                if let Evaluation::Hit(looked) = judged {
                    found.push((Alert::of(found_by, looked), scenario.mode));
                }
            }
        }
        let fresh: Vec<_> = found.iter().filter(|(alert, _)| !known.watch.knows(&alert.alert_id)).cloned().collect();
        let Some(taken) = known.watch.take(known.open.as_ref(), &found, rules, now) else { return Ok(Vec::new()) };
        known.watch = taken.watch.next;
        if let Some(case) = taken.case {
            known.open = Some(case.next);
        }
        let standings = known.watch.standings();
        let kept = fresh.into_iter().filter(|(alert, _)| known.watch.knows(&alert.alert_id));
        Ok(kept
            .map(|(mut alert, mode)| {
                alert.standing = standings.get(&alert.alert_id).copied().unwrap_or(alert.standing);
                Told { client_id: id.clone(), mode, alert }
            })
            .collect())
    }
}

/// In its place by time; the same one twice is one.
fn note(movements: &mut Vec<Movement>, moved: &Movement) {
    let place = movements.partition_point(|own| own.at <= moved.at);
    let is_known = |own: &Movement| own.payment_id == moved.payment_id && own.kind == moved.kind;
    let same_time = movements.iter().take(place).rev().take_while(|own| own.at == moved.at);
    if !same_time.into_iter().any(is_known) {
        movements.insert(place, moved.clone());
    }
}
