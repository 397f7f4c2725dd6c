//! `rate(...)` and `cron(...)` in UTC, as EventBridge reads them.

use std::time::Duration;

use jiff::civil::{DateTime, Weekday};

/// When a timer fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Every so often.
    Rate(Rate),
    /// At the minutes that match.
    Cron(Box<Cron>),
}

/// A fixed interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub Duration);

/// The minutes of a calendar that match; six fields as EventBridge has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Option<Vec<i16>>,
    months: Vec<i16>,
    weekdays: Option<Vec<i16>>,
    years: Vec<i16>,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl When {
    /// Reads an expression; `None` where EventBridge would refuse it or a day is given as `L`, `W` or `#`.
    pub fn parse(expression: &str) -> Option<Self> {
        let inner = |name: &str| expression.trim().strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            return Rate::parse(rate).map(Self::Rate);
        }
        Cron::parse(inner("cron")?).map(|cron| Self::Cron(Box::new(cron)))
    }
}

impl Rate {
    fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.trim().split_once(' ')?;
        let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
        let minutes = match (unit.trim(), count) {
            ("minute", 1) | ("minutes", 2..) => 1,
            ("hour", 1) | ("hours", 2..) => 60,
            ("day", 1) | ("days", 2..) => 1440,
            _ => return None,
        };
        count.checked_mul(minutes)?.checked_mul(60).map(|seconds| Self(Duration::from_secs(seconds)))
    }
}

impl Cron {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday, year] = fields.as_slice() else { return None };
        // EventBridge wants exactly one of the two day fields to be open
        if (*day == "?") == (*weekday == "?") {
            return None;
        }
        let optional = |text: &str, low, high, names: &[&str], base| match text {
            "?" => Some(None),
            text => values(text, low, high, names, base).map(Some),
        };
        Some(Self {
            minutes: values(minute, 0, 59, &[], 0)?,
            hours: values(hour, 0, 23, &[], 0)?,
            days: optional(day, 1, 31, &[], 0)?,
            months: values(month, 1, 12, &MONTHS, 1)?,
            weekdays: optional(weekday, 1, 7, &WEEKDAYS, 1)?,
            years: values(year, 1970, 2199, &[], 0)?,
        })
    }

    /// Whether this minute matches.
    pub fn matches(&self, at: DateTime) -> bool {
        let weekday = i16::from(at.weekday().since(Weekday::Sunday)) + 1;
        self.minutes.contains(&i16::from(at.minute()))
            && self.hours.contains(&i16::from(at.hour()))
            && self.months.contains(&i16::from(at.month()))
            && self.years.contains(&at.year())
            && self.days.as_ref().is_none_or(|days| days.contains(&i16::from(at.day())))
            && self.weekdays.as_ref().is_none_or(|days| days.contains(&weekday))
    }
}

/// The values of one field: `*`, `a`, `a-b`, `a/step`, `*/step` and lists of those; names count from `base`.
fn values(text: &str, low: i16, high: i16, names: &[&str], base: i16) -> Option<Vec<i16>> {
    let one = |text: &str| -> Option<i16> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(position) => i16::try_from(position).ok()?.checked_add(base)?,
            None => text.parse().ok()?,
        };
        (low..=high).contains(&value).then_some(value)
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0_usize)?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (one(from)?, one(to)?),
            (single, None) if part.contains('/') => (one(single)?, high),
            (single, None) => (one(single)?, one(single)?),
        };
        all.extend((from..=to).step_by(step));
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn cron(text: &str) -> Cron {
        match When::parse(text) {
            Some(When::Cron(cron)) => *cron,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_rate_needs_the_right_number_of_its_unit() {
        for (text, seconds) in [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600)] {
            assert_eq!(When::parse(text), Some(When::Rate(Rate(Duration::from_secs(seconds)))), "{text}");
        }
        for text in ["rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(10 seconds)", "rate(5)", "every day"]
        {
            assert_eq!(When::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_cron_matches_its_minutes_only() {
        let weekdays = cron("cron(0/15 8-9 ? * MON-FRI *)");
        assert!(weekdays.matches(date(2026, 11, 23).at(8, 45, 0, 0)), "a Monday");
        assert!(!weekdays.matches(date(2026, 11, 23).at(8, 46, 0, 0)));
        assert!(!weekdays.matches(date(2026, 11, 23).at(10, 0, 0, 0)));
        assert!(!weekdays.matches(date(2026, 11, 22).at(8, 45, 0, 0)), "a Sunday");
        let monthly = cron("cron(0 0 1 JAN,JUL ? 2026)");
        assert!(monthly.matches(date(2026, 7, 1).at(0, 0, 0, 0)));
        assert!(!monthly.matches(date(2027, 7, 1).at(0, 0, 0, 0)));
    }

    #[test]
    fn a_cron_needs_six_fields_and_one_open_day() {
        for text in
            ["cron(0 0 * * *)", "cron(0 0 * * * *)", "cron(0 0 ? * ? *)", "cron(61 0 ? * MON *)", "cron(a 0 ? * 1 *)"]
        {
            assert_eq!(When::parse(text), None, "{text}");
        }
    }
}
