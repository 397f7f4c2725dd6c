//! The report of a day as a table: for each source a line a currency, for each break a line.

use std::borrow::Cow;

use runtime::http::Reply;
use runtime::http::csv::{defused, file, quoted};
use serde_json::Value;

/// The columns, of which a source and a break fill some each.
const COLUMNS: [&str; 18] = [
    "date",
    "record",
    "name",
    "kind",
    "counted",
    "currency",
    "amount",
    "class",
    "status",
    "age_s",
    "payment_id",
    "payment_status",
    "reference",
    "ours",
    "theirs",
    "work_id",
    "break_id",
    "repair",
];

/// The report that a caller would get as JSON.
pub(super) fn reply(report: &Value) -> Reply {
    let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
    let list = |name: &str| report.get(name).and_then(Value::as_array).into_iter().flatten();
    for source in list("sources") {
        let totals = source.get("total").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match totals {
            [] => lines.push(line(report, "source", source, None)),
            totals => lines.extend(totals.iter().map(|total| line(report, "source", source, Some(total)))),
        }
    }
    lines.extend(list("breaks").map(|own| line(report, "break", own, own.get("amount"))));
    let text: Vec<String> = lines.iter().map(|cells| cells.join(",")).collect();
    let date = report.get("date").and_then(Value::as_str).unwrap_or_default();
    file("text/csv; charset=utf-8", &format!("reconciliation-{date}.csv"), format!("{}\r\n", text.join("\r\n")))
}

fn line(report: &Value, record: &str, of: &Value, amount: Option<&Value>) -> Vec<String> {
    let of_amount = |name: &str| amount.and_then(|amount| amount.get(name));
    let value = |column: &str| match column {
        "date" => report.get("date").cloned(),
        "record" => Some(Value::from(record)),
        "name" => ["name", "psp", "server"].iter().find_map(|name| of.get(*name)).cloned(),
        "kind" if of.get("psp").is_some() => Some(Value::from("psp")),
        "kind" if of.get("server").is_some() => Some(Value::from("platform")),
        "currency" | "amount" => of_amount(column).cloned(),
        // each is in the amount's currency, or says its own
        "ours" | "theirs" => of.get(column).map(|money| {
            let (own, text) = (money.get("currency"), money.get("amount").and_then(Value::as_str).unwrap_or_default());
            match own.filter(|own| Some(*own) != of_amount("currency")).and_then(Value::as_str) {
                Some(own) => Value::from(format!("{text} {own}")),
                None => Value::from(text),
            }
        }),
        _ => of.get(column).cloned(),
    };
    COLUMNS.iter().map(|column| cell(value(column).as_ref())).collect()
}

/// A cell that is text or a number to every program that reads tables, and a formula to none.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match defused(&text) {
        Cow::Borrowed(text) if !text.contains([',', '"', '\r', '\n', ';', '\t']) => text.to_owned(),
        text => quoted(&text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_amounts_stay_numbers() {
        let of = |text: &str| cell(Some(&json!(text)));
        for (text, written) in [
            ("txn_1", "txn_1"),
            ("-100.00", "-100.00"),
            ("=1+1", "\"'=1+1\""),
            ("+49", "\"'+49\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2+3", "\"'-2+3\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
        ] {
            assert_eq!(of(text), written);
        }
        assert_eq!(cell(None), "");
        assert_eq!(cell(Some(&json!(12))), "12");
    }

    #[test]
    fn sources_have_a_line_a_currency_and_breaks_a_line() {
        let report = json!({
            "date": "2026-11-23",
            "sources": [
                {"name": "stripe", "kind": "psp", "counted": 2, "total": [
                    {"amount": "1.00", "currency": "EUR"}, {"amount": "-2.00", "currency": "USD"}]},
                {"name": "clients", "kind": "ledger", "counted": 0, "total": []},
            ],
            "breaks": [{"break_id": "brk_1", "server": "mt5-live", "class": "currency", "status": "open", "age_s": 60,
                "amount": {"amount": "5.00", "currency": "EUR"}, "ours": {"amount": "6.00", "currency": "USD"},
                "theirs": {"amount": "5.00", "currency": "EUR"}, "repair": "one, or two"}],
        });
        let reply = reply(&report);
        let lines: Vec<&str> = reply.body.split("\r\n").collect();
        assert_eq!(
            lines[1..],
            [
                "2026-11-23,source,stripe,psp,2,EUR,1.00,,,,,,,,,,,",
                "2026-11-23,source,stripe,psp,2,USD,-2.00,,,,,,,,,,,",
                "2026-11-23,source,clients,ledger,0,,,,,,,,,,,,,",
                "2026-11-23,break,mt5-live,platform,,EUR,5.00,currency,open,60,,,,6.00 USD,5.00,,brk_1,\"one, or two\"",
                "",
            ]
        );
        assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8");
    }
}
