//! When a server is being maintained: no call is made to it then, what waits for it waits until the end, and the portal is told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::rules::read::{Faults, Node, optional};
use crate::sales::calendar::{Calendar, Hours, WorkingTime};
use crate::{Seconds, Timestamp, Zone};

/// Windows with a date of their own.
const DATED_MAX: usize = 50;
const LANGUAGES_MAX: usize = 20;
const NOTE_CHARS_MAX: usize = 300;
/// Longest stretch that windows without a gap may make: beyond it nobody means maintenance.
const LONGEST: Seconds = Seconds(7 * 86_400);
/// Steps in which windows that touch are joined.
const JOINED_MAX: usize = 64;
/// The language of those whose own has no sentence.
const DEFAULT_LANGUAGE: &str = "en";

/// A stretch in which a server is not called; the end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// The windows of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// Those of every week, by a wall clock.
    week: Calendar,
    /// Those of one date.
    dated: Vec<Window>,
    /// What clients are told, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    note: BTreeMap<String, String>,
}

impl Maintenance {
    /// The window that a moment lies in.
    fn window_at(&self, now: Timestamp) -> Option<Window> {
        let weekly = WorkingTime { calendar: &self.week, leave: &[] }.shift_at(now);
        let weekly = weekly.map(|shift| Window { from: shift.from, until: shift.until });
        let dated = self.dated.iter().copied().filter(|window| window.from <= now && now < window.until);
        dated.chain(weekly).max_by_key(|window| window.until)
    }

    /// The window that begins next.
    fn next_window(&self, now: Timestamp) -> Option<Window> {
        let weekly = WorkingTime { calendar: &self.week, leave: &[] }.next_shift(now);
        let weekly = weekly.map(|shift| Window { from: shift.from, until: shift.until });
        self.dated.iter().copied().filter(|window| window.from > now).chain(weekly).min_by_key(|window| window.from)
    }

    /// When a server that is being maintained, or will be before a span is over, can be called again: the first moment from which on
    /// the whole span lies outside every window. `None` where it can be called now.
    pub fn closed_until(&self, now: Timestamp, span: Seconds) -> Option<Timestamp> {
        let mut free = now;
        for _ in 0..JOINED_MAX {
            let busy =
                self.window_at(free).or_else(|| self.next_window(free).filter(|next| next.from < free.plus(span)));
            match busy {
                Some(window) => free = window.until,
                None => break,
            }
        }
        (free > now).then_some(free)
    }

    /// When the window that a moment lies in is over, with all that follow it without a gap.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.closed_until(now, Seconds(0))
    }

    /// What a client of a language is told.
    pub fn note(&self, language: &str) -> Option<&str> {
        let base = language.split('-').next().unwrap_or_default();
        let words = [language, base, DEFAULT_LANGUAGE];
        let found = words.into_iter().find_map(|language| self.note.get(language));
        found.or_else(|| self.note.values().next()).map(String::as_str)
    }
}

pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Maintenance> {
    let object = node.object(&["time_zone", "weekly", "dated", "note"], faults)?;
    let zone: Option<Zone> = object.need("time_zone", faults).and_then(|node| {
        node.parsed("unknown_time_zone", "must be a time zone of the IANA database such as Europe/Nicosia", faults)
    });
    let week = optional(object.get("weekly"), |node| crate::sales::rules::read_week(&node, faults));
    let dated = optional(object.get("dated"), |node| {
        node.each(0..=DATED_MAX, faults, |item, faults| read_dated(item, zone.as_ref(), faults))
    });
    let note = optional(object.get("note"), |node| read_note(&node, faults));
    let week: Option<Option<[Vec<Hours>; 7]>> = week;
    let (zone, week) = (zone?, week?.unwrap_or_default());
    let week = Calendar { zone, week, holidays: BTreeSet::new(), exceptions: BTreeMap::new() };
    let maintenance = Maintenance { week, dated: dated?.unwrap_or_default(), note: note?.unwrap_or_default() };
    refuse_endless(node, &maintenance, faults).then_some(maintenance)
}

/// `{from: "2026-12-05T22:00", until: "2026-12-06T04:00"}` by the server's wall clock.
fn read_dated(node: &Node<'_>, zone: Option<&Zone>, faults: &mut Faults) -> Option<Window> {
    let object = node.object(&["from", "until"], faults)?;
    let from = object.need("from", faults).and_then(|node| read_wall_clock(&node, faults));
    let until = object.need("until", faults).and_then(|node| read_wall_clock(&node, faults));
    let ((from, first), (until, last)) = (from?, until?);
    let zone = zone?;
    let window = Window { from: zone.first_moment(from, first)?, until: zone.last_moment(until, last)? };
    if window.from >= window.until || window.until > window.from.plus(LONGEST) {
        faults.add(node.fault("bad_range", format!("must end after it begins, and within {LONGEST}")));
        return None;
    }
    Some(window)
}

fn read_wall_clock(node: &Node<'_>, faults: &mut Faults) -> Option<(Date, u16)> {
    let message = "must be a time of the wall clock such as 2026-12-05T22:00";
    let at: DateTime = node.parsed("bad_time", message, faults)?;
    let minute = u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs());
    Some((at.date(), minute))
}

fn read_note(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, String>> {
    let texts = node.map(faults)?;
    let mut note = BTreeMap::new();
    if texts.count() > LANGUAGES_MAX {
        faults.add(node.fault("bad_length", format!("must have at most {LANGUAGES_MAX} languages")));
        return None;
    }
    for (language, at) in texts.entries() {
        if !crate::rules::read::is_language(language) {
            faults.add(at.fault("bad_language", "must be a language tag such as en or pt-BR"));
            continue;
        }
        if let Some(text) = at.line(NOTE_CHARS_MAX, faults) {
            note.insert(language.to_owned(), text.to_owned());
        }
    }
    (note.len() == texts.count()).then_some(note)
}

/// Hours that leave no gap in a week would be a server that is never called.
fn refuse_endless(node: &Node<'_>, maintenance: &Maintenance, faults: &mut Faults) -> bool {
    let from = Timestamp::EPOCH;
    let ends = maintenance.closed_until(from, Seconds(0)).is_none_or(|until| until < from.plus(LONGEST));
    let hours = |day: &Vec<Hours>| day.iter().map(|hours| minutes(*hours)).sum::<u32>();
    let weekly: u32 = maintenance.week.week.iter().map(hours).sum();
    if !ends || weekly >= 6 * 1_440 {
        faults.add(node.fault("bad_range", "must leave the server a day of each week"));
        return false;
    }
    true
}

fn minutes(hours: Hours) -> u32 {
    let until = u32::from(hours.until) + if hours.is_overnight() { 1_440 } else { 0 };
    until.saturating_sub(u32::from(hours.from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::read::read_document;

    fn parse(value: &Value) -> Result<Maintenance, Vec<&'static str>> {
        read_document(value, read).map_err(|faults| faults.iter().map(|fault| fault.code).collect())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn saturdays() -> Maintenance {
        parse(&json!({
            "time_zone": "Europe/Nicosia",
            "weekly": [{"days": ["sat"], "hours": ["22:00-02:00"]}],
            "dated": [{"from": "2026-12-06T02:00", "until": "2026-12-06T04:00"}, {"from": "2026-12-24T12:00", "until": "2026-12-24T13:00"}],
            "note": {"en": "Back soon.", "es": "Volvemos pronto."},
        }))
        .unwrap()
    }

    #[test]
    fn a_window_is_told_by_its_wall_clock_and_joined_with_what_follows_it() {
        let server = saturdays();
        for (moment, until) in [
            ("2026-11-28T19:59:59Z", None),
            ("2026-11-28T20:00:00Z", Some("2026-11-29T00:00:00Z")),
            ("2026-11-28T23:59:59.999Z", Some("2026-11-29T00:00:00Z")),
            ("2026-11-29T00:00:00Z", None),
            // the night of the sixth goes on until four
            ("2026-12-05T21:00:00Z", Some("2026-12-06T02:00:00Z")),
            ("2026-12-24T10:30:00Z", Some("2026-12-24T11:00:00Z")),
        ] {
            assert_eq!(server.until(at(moment)), until.map(at), "{moment}");
        }
    }

    #[test]
    fn what_would_reach_into_a_window_waits_for_its_end_too() {
        let server = saturdays();
        let span = Seconds(35);
        assert_eq!(server.closed_until(at("2026-11-28T19:59:25Z"), span), None);
        assert_eq!(server.closed_until(at("2026-11-28T19:59:26Z"), span), Some(at("2026-11-29T00:00:00Z")));
    }

    #[test]
    fn a_client_is_told_in_his_language() {
        let server = saturdays();
        let told = ["es", "es-MX", "en-GB", "de"].map(|language| server.note(language).unwrap());
        assert_eq!(told, ["Volvemos pronto.", "Volvemos pronto.", "Back soon.", "Back soon."]);
        assert_eq!(parse(&json!({"time_zone": "UTC"})).unwrap().note("en"), None);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        for (value, code) in [
            (json!({}), "missing_key"),
            (json!({"time_zone": "Cyprus time"}), "unknown_time_zone"),
            (json!({"time_zone": "UTC", "weekly": [{"days": ["sat"], "hours": ["22-02"]}]}), "bad_hours"),
            (json!({"time_zone": "UTC", "weekly": [{"days": all, "hours": ["00:00-24:00"]}]}), "bad_range"),
            (json!({"time_zone": "UTC", "dated": [{"from": "2026-12-05", "until": "tomorrow"}]}), "bad_time"),
            (
                json!({"time_zone": "UTC", "dated": [{"from": "2026-12-05T22:00", "until": "2026-12-05T21:00"}]}),
                "bad_range",
            ),
            (
                json!({"time_zone": "UTC", "dated": [{"from": "2026-12-05T22:00", "until": "2027-12-05T21:00"}]}),
                "bad_range",
            ),
            (json!({"time_zone": "UTC", "note": {"English": "x"}}), "bad_language"),
        ] {
            assert!(parse(&value).unwrap_err().contains(&code), "{value}");
        }
    }

    proptest! {
        #[test]
        fn who_may_call_now_is_in_no_window_for_the_whole_span(
            zone in prop::sample::select(vec!["UTC", "Europe/Nicosia", "America/Sao_Paulo", "Asia/Kathmandu", "America/New_York"]),
            day in prop::sample::select(vec!["mon", "sat", "sun"]),
            from in 0_u16..24, length in 1_u16..12, dated in 0_i64..100_000, span in 0_u32..120,
            second in 1_790_000_000_i64..1_800_000_000, inside in 0_u32..120_000,
        ) {
            let begins = Timestamp::from_seconds(second + dated).unwrap();
            let weekly = format!("{from:02}:00-{:02}:30", (from + length) % 24);
            let mut server = parse(&json!({
                "time_zone": zone, "weekly": [{"days": [day], "hours": [weekly]}],
            })).unwrap();
            server.dated.push(Window { from: begins, until: begins.plus(Seconds(3_600)) });
            let now = Timestamp::from_seconds(second).unwrap();
            let free = server.closed_until(now, Seconds(span)).unwrap_or(now);
            prop_assert!(free >= now);
            let within = i64::from(inside).min(i64::from(span) * 1_000 - 1).max(0);
            let moment = Timestamp::from_millis(free.millis() + within).unwrap();
            prop_assert_eq!(server.window_at(moment), None, "called at {}", moment);
            prop_assert_eq!(server.closed_until(free, Seconds(span)), None, "and then it can be");
        }
    }
}
