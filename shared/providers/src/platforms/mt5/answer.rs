//! Reading the server's JSON: numbers come as texts, and the case of member names varies by build.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

/// A member by its name in any letter case.
pub(super) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A text, or a number as a text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A member that is a text or a number.
pub(super) fn member_text(object: &Value, name: &str) -> Option<String> {
    text(member(object, name)?)
}

/// A member that is an amount.
pub(super) fn member_decimal(object: &Value, name: &str) -> Option<Decimal> {
    Decimal::from_str(&member_text(object, name)?).ok()
}

/// A number of an account or booking; zero is none.
pub(super) fn member_number(object: &Value, name: &str) -> Option<u64> {
    member_text(object, name)?.parse().ok().filter(|number| *number > 0)
}

/// Seconds since 1970 in the server's clock, from an answer of `/api/time/server`. Its shape is not documented for
/// this flavour: the raw flavour writes seconds, a blank and a fraction; some builds write date and time.
pub(super) fn server_seconds(answer: &Value) -> Option<i64> {
    let time = match answer {
        Value::Object(_) => ["Time", "TimeServer", "Server"].iter().find_map(|name| member_text(answer, name))?,
        other => text(other)?,
    };
    let first = time.split([' ', '.']).next()?;
    match first.parse::<i64>() {
        // Four digits are a year.
        Ok(seconds) if first.len() > 4 => Some(seconds),
        _ => {
            let time = time.replace(['.', '/'], "-");
            let date_time = jiff::civil::DateTime::from_str(&time).ok()?;
            date_time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_second())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_from_texts_and_numbers_in_any_case_of_name() {
        for record in [json!({"Ticket": "136623"}), json!({"ticket": 136_623}), json!({"TICKET": "136623"})] {
            assert_eq!(member_number(&record, "Ticket"), Some(136_623));
        }
        for record in [json!({}), json!({"Ticket": "0"}), json!({"Ticket": null}), json!({"Ticket": "x"}), json!([])] {
            assert_eq!(member_number(&record, "Ticket"), None);
        }
        let profit = json!({"Profit": "-1250.10"});
        assert_eq!(member_decimal(&profit, "Profit"), Some(Decimal::new(-125_010, 2)));
    }

    #[test]
    fn the_servers_clock_is_read_in_every_known_shape() {
        let shapes = [
            json!("1700000000 120"),
            json!(1_700_000_000),
            json!({"Time": "1700000000"}),
            json!({"time": 1_700_000_000}),
            json!("2023.11.14 22:13:20"),
            json!({"Time": "2023-11-14 22:13:20"}),
            json!("1700000000.25"),
        ];
        for shape in shapes {
            assert_eq!(server_seconds(&shape), Some(1_700_000_000), "{shape}");
        }
        for shape in [json!(null), json!("none"), json!({}), json!(""), json!("2023"), json!({"Time": []})] {
            assert_eq!(server_seconds(&shape), None, "{shape}");
        }
    }
}
