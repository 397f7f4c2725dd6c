//! Reading calendars, holidays and leave.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::Zone;
use crate::rules::lists::{Lists, ListsForm};
use crate::rules::parse::read_date;
use crate::rules::read::{Faults, Node, is_name};
use crate::sales::calendar::{Calendar, Days, Hours};

const HOLIDAY_LISTS_MAX: usize = 100;
const DATES_MAX: usize = 400;
const HOURS_MAX: usize = 6;
const DAY_MINUTES: u16 = 1_440;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const BAD_NAME: &str = "a name must be lower-case letters, digits, _ and -";
const HOURS_MESSAGE: &str = "must be hours such as 09:00-18:00 or 22:00-06:00";

/// Named lists of days off: `{cyprus: ["2026-12-25", …]}`.
pub(super) struct Holidays {
    names: Vec<String>,
    lists: Lists<Date>,
}

const HOLIDAYS: ListsForm<Date> = ListsForm {
    lists_max: HOLIDAY_LISTS_MAX,
    values_max: DATES_MAX,
    is_name,
    bad_name: ("bad_name", BAD_NAME),
    only_once: None,
};

/// Lists that could not be read are empty; that they are there, calendars know.
pub(super) fn read_holidays(node: Option<Node<'_>>, faults: &mut Faults) -> Holidays {
    let names = node.as_ref().map(Node::declared).unwrap_or_default();
    let lists = node.and_then(|node| HOLIDAYS.read(&node, faults, read_date));
    Holidays { names, lists: lists.unwrap_or_else(Lists::none) }
}

fn refuse_bad_name(name: &str, node: &Node<'_>, faults: &mut Faults) {
    if !is_name(name) {
        faults.add(node.fault("bad_name", BAD_NAME));
    }
}

/// Every calendar by its name.
pub(super) fn read(node: &Node<'_>, holidays: &Holidays, faults: &mut Faults) -> Option<BTreeMap<String, Calendar>> {
    let at = node.map(faults)?;
    let mut calendars = BTreeMap::new();
    for (name, node) in at.entries() {
        refuse_bad_name(name, &node, faults);
        if let Some(calendar) = read_calendar(&node, holidays, faults) {
            calendars.insert(name.to_owned(), calendar);
        }
    }
    (calendars.len() == at.count()).then_some(calendars)
}

fn read_calendar(node: &Node<'_>, holidays: &Holidays, faults: &mut Faults) -> Option<Calendar> {
    let object = node.object(&["time_zone", "week", "holidays", "exceptions"], faults)?;
    let zone: Option<Zone> = object.need("time_zone", faults).and_then(|node| {
        node.parsed("unknown_time_zone", "must be a time zone of the IANA database such as Europe/Madrid", faults)
    });
    let week = object.need("week", faults).and_then(|node| read_week(&node, faults));
    let days_off = match object.get("holidays") {
        None => Some(Vec::new()),
        Some(node) => node.distinct(0..=HOLIDAY_LISTS_MAX, faults, |node, faults| {
            node.reference("list of holidays", &holidays.names, faults)
        }),
    };
    let exceptions = match object.get("exceptions") {
        None => Some(BTreeMap::new()),
        Some(node) => read_exceptions(&node, faults),
    };
    Some(Calendar {
        zone: zone?,
        week: week?,
        holidays: days_off?.iter().filter_map(|name| holidays.lists.get(name)).flatten().copied().collect(),
        exceptions: exceptions?,
    })
}

/// `[{days: [mon, tue], hours: ["09:00-18:00"]}]`; a day that is not named is a day off.
pub(crate) fn read_week(node: &Node<'_>, faults: &mut Faults) -> Option<[Vec<Hours>; 7]> {
    let mut week: [Vec<Hours>; 7] = Default::default();
    let mut named: Vec<usize> = Vec::new();
    let before = faults.count();
    for item in node.list(1..=WEEKDAYS.len(), faults)? {
        let Some(object) = item.object(&["days", "hours"], faults) else { continue };
        let hours = object.need("hours", faults).and_then(|node| read_hours(&node, 1, faults));
        let Some(days_at) = object.need("days", faults) else { continue };
        for day in days_at.list(1..=WEEKDAYS.len(), faults)? {
            let Some(index) = WEEKDAYS.iter().position(|name| day.raw().as_str() == Some(*name)) else {
                faults.add(day.fault("unknown_value", "is not a weekday").allowing(WEEKDAYS));
                continue;
            };
            if named.contains(&index) {
                faults.add(day.fault("duplicate", "has its hours already"));
            }
            named.push(index);
            if let (Some(hours), Some(place)) = (&hours, week.get_mut(index)) {
                place.clone_from(hours);
            }
        }
    }
    (faults.count() == before).then_some(week)
}

/// `[{on: "2026-12-24", hours: ["09:00-13:00"]}]`; no hours is a day off.
fn read_exceptions(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<Date, Vec<Hours>>> {
    let mut exceptions = BTreeMap::new();
    let items = node.each(0..=DATES_MAX, faults, |item, faults| {
        let object = item.object(&["on", "hours"], faults)?;
        let on = object.need("on", faults).and_then(|node| read_date(&node, faults));
        let hours = object.need("hours", faults).and_then(|node| read_hours(&node, 0, faults));
        Some((object.get("on")?, on?, hours?))
    })?;
    for (at, on, hours) in items {
        if exceptions.insert(on, hours).is_some() {
            faults.add(at.fault("duplicate", "has an exception already"));
            return None;
        }
    }
    Some(exceptions)
}

fn read_hours(node: &Node<'_>, least: usize, faults: &mut Faults) -> Option<Vec<Hours>> {
    let mut hours = node.each(least..=HOURS_MAX, faults, hours_of_day)?;
    hours.sort();
    let end = |hours: &Hours| if hours.is_overnight() { hours.until + DAY_MINUTES } else { hours.until };
    if hours.windows(2).any(|pair| matches!(pair, [first, second] if second.from < end(first))) {
        faults.add(node.fault("overlap", "the hours of a day must not overlap"));
        return None;
    }
    Some(hours)
}

/// One stretch of a day, such as `21:00-09:00`.
pub(crate) fn hours_of_day(node: &Node<'_>, faults: &mut Faults) -> Option<Hours> {
    let text = node.line(20, faults)?;
    let parsed = parse_hours(text);
    if parsed.is_none() {
        faults.add(node.fault("bad_hours", format!("{HOURS_MESSAGE}, is `{text}`")));
    }
    parsed
}

fn parse_hours(text: &str) -> Option<Hours> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minutes(from)?, minutes(until)?);
    (from < DAY_MINUTES && until > 0 && from != until).then_some(Hours { from, until })
}

/// `09:30`, and `24:00` for the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}

/// `{from: "2026-12-20", until: "2026-12-27"}`, both included.
pub(super) fn read_days(node: &Node<'_>, faults: &mut Faults) -> Option<Days> {
    let object = node.object(&["from", "until"], faults)?;
    let from = object.need("from", faults).and_then(|node| read_date(&node, faults));
    let until = object.need("until", faults).and_then(|node| read_date(&node, faults));
    let days = Days { from: from?, until: until? };
    if days.until < days.from {
        faults.add(node.fault("bad_range", "ends before it begins"));
        return None;
    }
    Some(days)
}
