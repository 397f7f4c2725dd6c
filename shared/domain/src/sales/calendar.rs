//! When somebody works: weekly hours in a time zone, holidays, one-off exceptions and leave.
//!
//! A shift runs from the first moment at which the wall clock shows its beginning to the last one at which it shows its
//! end. So an hour that daylight saving repeats is worked twice, and one that it skips is not there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::Serialize;

use crate::{Seconds, Timestamp, Zone};

/// How far ahead a next shift is looked for, in days: longer than any holiday season.
const LOOK_AHEAD_DAYS: i32 = 62;
const DAY_MINUTES: u16 = 1_440;
/// How far ahead is looked at first, in days, and then again where that does not suffice.
const HORIZONS_DAYS: [i32; 3] = [2, 10, LOOK_AHEAD_DAYS];
/// Clocks are moved by less than this, in minutes: farther from its ends a shift is told by the clock on the wall alone.
const CLOCK_CHANGE_MAX: u16 = 180;

/// One stretch of a day, in minutes since its midnight. An end that is not after the beginning is on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hours {
    /// 0 to 1439.
    pub from: u16,
    /// 1 to 1440.
    pub until: u16,
}

impl Hours {
    /// Whether it ends on the day after.
    pub fn is_overnight(self) -> bool {
        self.until <= self.from
    }
}

/// A stretch of time in which somebody works; the end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Days from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Days {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl Days {
    /// Whether a day is among them.
    pub fn contains(&self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

/// A working calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// Whose wall clock counts.
    pub zone: Zone,
    /// Hours by weekday, Monday first.
    pub week: [Vec<Hours>; 7],
    /// Days off.
    pub holidays: BTreeSet<Date>,
    /// Days with hours of their own; they win over holidays and the week.
    pub exceptions: BTreeMap<Date, Vec<Hours>>,
}

/// A person's calendar: a shared one without the days of leave.
#[derive(Debug, Clone, Copy)]
pub struct WorkingTime<'a> {
    /// The calendar.
    pub calendar: &'a Calendar,
    /// Days on which the person is away.
    pub leave: &'a [Days],
}

impl Calendar {
    fn hours_on(&self, day: Date) -> &[Hours] {
        if let Some(hours) = self.exceptions.get(&day) {
            return hours;
        }
        if self.holidays.contains(&day) {
            return &[];
        }
        let index = match day.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        self.week.get(index).map_or(&[], Vec::as_slice)
    }
}

impl WorkingTime<'_> {
    /// The leave that a moment lies in.
    pub fn leave_at(&self, now: Timestamp) -> Option<Days> {
        if self.leave.is_empty() {
            return None;
        }
        let today = self.calendar.zone.wall_clock(now).date();
        self.leave.iter().copied().find(|days| days.contains(today))
    }

    /// The shift that a moment lies in.
    pub fn shift_at(&self, now: Timestamp) -> Option<Shift> {
        let today = self.calendar.zone.wall_clock(now).date();
        let days = [today.yesterday().ok(), Some(today)];
        let mut shifts = days.into_iter().flatten().flat_map(|day| self.shifts_on(day));
        shifts.find(|shift| shift.from <= now && now < shift.until)
    }

    /// Whether a moment lies in a shift: what [`Self::shift_at`] says, without working out when the shift ends where the
    /// clock on the wall tells enough.
    pub fn works_at(&self, now: Timestamp) -> bool {
        let wall = self.calendar.zone.wall_clock(now);
        let today = wall.date();
        let minute = wall.minute_of_day();
        let mut is_near = false;
        for (day, position) in [(today.yesterday().ok(), minute + DAY_MINUTES), (Some(today), minute)] {
            let Some(day) = day.filter(|day| !self.leave.iter().any(|days| days.contains(*day))) else { continue };
            for hours in self.calendar.hours_on(day) {
                let until = if hours.is_overnight() { hours.until + DAY_MINUTES } else { hours.until };
                let near = |end: u16| position.abs_diff(end) <= CLOCK_CHANGE_MAX;
                if near(hours.from) || near(until) {
                    is_near = true;
                } else if (hours.from..until).contains(&position) {
                    return true;
                }
            }
        }
        is_near && self.shift_at(now).is_some()
    }

    /// The first shift that begins after a moment; `None` where there is none within two months.
    pub fn next_shift(&self, now: Timestamp) -> Option<Shift> {
        self.shifts_from(now).find(|shift| shift.from > now)
    }

    /// The shifts that end after a moment, in their order.
    pub fn shifts_from(&self, now: Timestamp) -> impl Iterator<Item = Shift> {
        self.shifts_within(now, LOOK_AHEAD_DAYS)
    }

    fn shifts_within(&self, now: Timestamp, days_ahead: i32) -> impl Iterator<Item = Shift> {
        let today = self.calendar.zone.wall_clock(now).date();
        let days =
            (-1..=days_ahead).filter_map(move |ahead| today.checked_add(jiff::Span::new().try_days(ahead).ok()?).ok());
        days.flat_map(|day| self.shifts_on(day)).filter(move |shift| shift.until > now)
    }

    fn shifts_on(&self, day: Date) -> Vec<Shift> {
        if self.leave.iter().any(|days| days.contains(day)) {
            return Vec::new();
        }
        let zone = &self.calendar.zone;
        let shift = |hours: &Hours| {
            let last_day = if hours.is_overnight() { day.tomorrow().ok()? } else { day };
            let shift =
                Shift { from: zone.first_moment(day, hours.from)?, until: zone.last_moment(last_day, hours.until)? };
            (shift.from < shift.until).then_some(shift)
        };
        self.calendar.hours_on(day).iter().filter_map(shift).collect()
    }
}

/// Adds working time to a moment: what lies outside the shifts of all of them together does not count. `None` where
/// there is not that much of it in two months.
pub fn add_working_time(people: &[WorkingTime<'_>], from: Timestamp, span: Seconds) -> Option<Timestamp> {
    HORIZONS_DAYS.into_iter().find_map(|days| add_within(people, from, span, days))
}

/// The same as far as shifts of the next days tell.
fn add_within(people: &[WorkingTime<'_>], from: Timestamp, span: Seconds, days: i32) -> Option<Timestamp> {
    // the last day's shifts may be joined by ones of the day after, which are not looked at
    let told_until = from.plus(Seconds(u32::try_from(days).unwrap_or(1).saturating_sub(1).saturating_mul(86_400)));
    let mut left = i64::from(span.0).saturating_mul(1000);
    for shift in union(people, from, days) {
        let begin = shift.from.max(from);
        let length = shift.until.millis_since(begin);
        if left <= length {
            let end = Timestamp::from_millis(begin.millis().saturating_add(left))?;
            return (days == LOOK_AHEAD_DAYS || end <= told_until).then_some(end);
        }
        left -= length;
    }
    None
}

/// When the first of them works next; now if somebody does.
pub fn next_opening(people: &[WorkingTime<'_>], now: Timestamp) -> Option<Timestamp> {
    people.iter().filter_map(|person| person.shifts_from(now).next()).map(|shift| shift.from.max(now)).min()
}

/// The stretches in which at least one of them works, from a moment on.
fn union(people: &[WorkingTime<'_>], from: Timestamp, days: i32) -> Vec<Shift> {
    let mut shifts: Vec<Shift> = people.iter().flat_map(|person| person.shifts_within(from, days)).collect();
    shifts.sort();
    let mut joined: Vec<Shift> = Vec::new();
    for shift in shifts {
        match joined.last_mut() {
            Some(last) if shift.from <= last.until => last.until = last.until.max(shift.until),
            _ => joined.push(shift),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str) -> Hours {
        let minutes = |text: &str| {
            let (hour, minute) = text.split_once(':').unwrap();
            hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
        };
        let (from, until) = text.split_once('-').unwrap();
        Hours { from: minutes(from), until: minutes(until) }
    }

    fn every_day(zone: &str, text: &str) -> Calendar {
        Calendar {
            zone: zone.parse().unwrap(),
            week: std::array::from_fn(|_| vec![hours(text)]),
            holidays: BTreeSet::new(),
            exceptions: BTreeMap::new(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn works(calendar: &Calendar, moment: &str) -> bool {
        WorkingTime { calendar, leave: &[] }.shift_at(at(moment)).is_some()
    }

    #[test]
    fn a_shift_begins_with_its_first_minute_and_ends_before_its_last() {
        let mexico = every_day("America/Mexico_City", "08:00-20:00");
        for (moment, expected) in [
            ("2026-11-25T13:59:59Z", false),
            ("2026-11-25T14:00:00Z", true),
            ("2026-11-26T01:59:59Z", true),
            ("2026-11-26T02:00:00Z", false),
        ] {
            assert_eq!(works(&mexico, moment), expected, "{moment}");
        }
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_began_on() {
        let mut nights = every_day("UTC", "22:00-06:00");
        assert!(works(&nights, "2026-11-26T05:59:00Z"));
        nights.holidays.insert(date(2026, 11, 25));
        assert!(!works(&nights, "2026-11-26T05:59:00Z"), "the night before was a holiday");
        assert!(works(&nights, "2026-11-25T05:59:00Z"), "the holiday's own morning belongs to the night before");
        nights.exceptions.insert(date(2026, 11, 25), vec![hours("23:00-02:00")]);
        assert!(works(&nights, "2026-11-26T01:00:00Z"), "an exception wins over the holiday");
        assert!(!works(&nights, "2026-11-26T02:00:00Z"));
        let away = [Days { from: date(2026, 11, 25), until: date(2026, 11, 25) }];
        let person = WorkingTime { calendar: &nights, leave: &away };
        assert_eq!(person.shift_at(at("2026-11-26T01:00:00Z")), None);
        assert_eq!(person.leave_at(at("2026-11-25T23:30:00Z")), Some(away[0]));
        assert_eq!(person.leave_at(at("2026-11-26T00:00:00Z")), None);
    }

    #[test]
    fn the_repeated_hour_is_worked_twice_and_the_skipped_one_not_at_all() {
        let berlin = every_day("Europe/Berlin", "02:00-03:00");
        let length = |moment: &str| {
            let shift = WorkingTime { calendar: &berlin, leave: &[] }.shift_at(at(moment));
            shift.map(|shift| shift.until.millis_since(shift.from) / 60_000)
        };
        assert_eq!(length("2026-10-25T00:30:00Z"), Some(120), "02:30 summer time");
        assert_eq!(length("2026-10-25T01:30:00Z"), Some(120), "02:30 winter time");
        assert_eq!(length("2026-10-26T01:30:00Z"), Some(60));
        assert_eq!(length("2026-03-29T01:00:00Z"), None, "02:00 is 03:00 already");
        let next = WorkingTime { calendar: &berlin, leave: &[] }.next_shift(at("2026-03-29T00:00:00Z"));
        assert_eq!(next.unwrap().from, at("2026-03-30T00:00:00Z"), "the skipped shift is skipped");
        let night = every_day("Europe/Berlin", "22:00-06:00");
        let shift = WorkingTime { calendar: &night, leave: &[] }.shift_at(at("2026-03-29T00:00:00Z")).unwrap();
        assert_eq!(shift.until.millis_since(shift.from), 7 * 3_600_000, "a night that daylight saving shortens");
    }

    #[test]
    fn working_time_counts_only_while_somebody_works() {
        let (early, late) = (every_day("UTC", "08:00-12:00"), every_day("UTC", "11:00-17:00"));
        let people = [&late, &early].map(|calendar| WorkingTime { calendar, leave: &[] });
        let due = |from: &str, minutes: u32| add_working_time(&people, at(from), Seconds(minutes * 60)).unwrap();
        assert_eq!(due("2026-11-25T09:00:00Z", 5), at("2026-11-25T09:05:00Z"));
        assert_eq!(due("2026-11-25T11:58:00Z", 5), at("2026-11-25T12:03:00Z"));
        assert_eq!(due("2026-11-25T16:57:00Z", 5), at("2026-11-26T08:02:00Z"));
        assert_eq!(due("2026-11-25T16:57:00Z", 3), at("2026-11-25T17:00:00Z"));
        assert_eq!(due("2026-11-25T20:00:00Z", 0), at("2026-11-26T08:00:00Z"));
        assert_eq!(next_opening(&people, at("2026-11-25T18:00:00Z")), Some(at("2026-11-26T08:00:00Z")));
        assert_eq!(next_opening(&people, at("2026-11-25T12:30:00Z")), Some(at("2026-11-25T12:30:00Z")));
        assert_eq!(next_opening(&[], at("2026-11-25T12:30:00Z")), None);
    }

    proptest! {
        #[test]
        fn a_shift_is_told_the_same_by_the_wall_clock_around_changes_of_it(
            from in 0_u16..1440, until in 1_u16..=1440, minutes in -3_000_i64..3_000, spring in any::<bool>(),
        ) {
            let mut calendar = every_day("Europe/Berlin", "00:00-01:00");
            calendar.week = std::array::from_fn(|_| vec![Hours { from, until }]);
            let person = WorkingTime { calendar: &calendar, leave: &[] };
            let change = if spring { "2026-03-29T01:00:00Z" } else { "2026-10-25T01:00:00Z" };
            let now = Timestamp::from_seconds(at(change).seconds() + minutes * 60).unwrap();
            prop_assert_eq!(person.works_at(now), person.shift_at(now).is_some());
        }

        #[test]
        fn shifts_come_in_order_and_hold_what_they_are_found_by(
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"]),
            from in 0_u16..1440, until in 1_u16..=1440, second in 1_750_000_000_i64..1_830_000_000,
        ) {
            let mut calendar = every_day(zone, "00:00-01:00");
            calendar.week = std::array::from_fn(|_| vec![Hours { from, until }]);
            let person = WorkingTime { calendar: &calendar, leave: &[] };
            let now = Timestamp::from_seconds(second).unwrap();
            if let Some(shift) = person.shift_at(now) {
                prop_assert!(shift.from <= now && now < shift.until);
                let next = person.next_shift(now).unwrap();
                prop_assert!(next.from > now && next.until > shift.until);
            }
            let listed: Vec<Shift> = person.shifts_from(now).take(30).collect();
            prop_assert!(listed.windows(2).all(|pair| pair[0].from < pair[1].from));
            prop_assert_eq!(person.works_at(now), person.shift_at(now).is_some());
            let exact = add_within(&[person], now, Seconds(3_600), LOOK_AHEAD_DAYS);
            prop_assert_eq!(add_working_time(&[person], now, Seconds(3_600)), exact, "however far is looked");
            let one_hour = add_working_time(&[person], now, Seconds(3_600)).unwrap();
            prop_assert!(one_hour.millis_since(now) >= 3_600_000);
        }
    }
}
