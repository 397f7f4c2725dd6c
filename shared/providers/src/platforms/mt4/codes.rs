//! The bridge's error codes and the manager interface's return codes, and what each says about a call.

use serde_json::Value;

use crate::platforms::PlatformError;
use crate::platforms::call::Effect;

/// Names of the return codes, as the bridge writes them.
const NAMES: [(&str, u32); 37] = [
    ("Ok", 0),
    ("OkNone", 1),
    ("Error", 2),
    ("InvalidData", 3),
    ("TechProblem", 4),
    ("OldVersion", 5),
    ("NoConnect", 6),
    ("NotEnoughRights", 7),
    ("TooFrequent", 8),
    ("Malfunction", 9),
    ("GenerateKey", 10),
    ("SecuritySession", 11),
    ("AccountDisabled", 64),
    ("BadAccountInfo", 65),
    ("TradeTimeout", 128),
    ("TradeBadPrices", 129),
    ("TradeBadStops", 130),
    ("TradeBadVolume", 131),
    ("TradeMarketClosed", 132),
    ("TradeDisable", 133),
    ("TradeNoMoney", 134),
    ("TradePriceChanged", 135),
    ("TradeOffquotes", 136),
    ("TradeBrokerBusy", 137),
    ("TradeRequote", 138),
    ("TradeOrderLocked", 139),
    ("TradeLongOnly", 140),
    ("TradeTooManyReq", 141),
    ("TradeAccepted", 142),
    ("TradeProcess", 143),
    ("TradeUserCancel", 144),
    ("TradeModifyDenied", 145),
    ("TradeContextBusy", 146),
    ("TradeExpirationDenied", 147),
    ("TradeTooManyOrders", 148),
    ("TradeHedgeProhibited", 149),
    ("TradeProhibitedByFIFO", 150),
];

/// The number of a return code: the bridge gives a name where it knows one, else the number.
pub(super) fn number(code: &Value) -> Option<u32> {
    match code {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(name) => {
            let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            known.map(|(_, number)| *number).or_else(|| name.parse().ok())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a return code says. A code that is not listed is one of those of which nothing is known.
pub(super) fn of_manager(code: u32, effect: Effect) -> PlatformError {
    let said = format!("{code} is its return code");
    match code {
        // Invalid data; account disabled or not there; prices, stops, volume, trading disabled, no money; long only, modification,
        // expiration, number of orders, hedging, order of closing.
        3 | 64 | 65 | 129..=131 | 133 | 134 | 140 | 145 | 147..=150 => {
            PlatformError::Refused { code: code.to_string(), message: said }
        }
        // Old version, not enough rights, keys and sessions of the manager.
        5 | 7 | 10..=13 => PlatformError::Misconfigured(said),
        // Too frequent, market closed, price changed, off quotes, broker busy, requote, locked, too many requests, context busy.
        8 | 132 | 135..=139 | 141 | 146 => PlatformError::NotApplied(said),
        // Error, technical problem, no connection, malfunction, time-out, accepted, in process, cancelled.
        _ => effect.unsure(said),
    }
}

/// What the bridge's own code says, of `{code, managerCode, message}`; the message is not told, it may repeat what it was sent. What the
/// outcome header says counts for more than the code.
pub(super) fn of_bridge(error: &Value, outcome: Option<&str>, effect: Effect) -> PlatformError {
    let code = error.get("code").and_then(Value::as_str).unwrap_or_default();
    if matches!(outcome, Some("unknown" | "in-progress")) {
        return effect.unsure(format!("the bridge does not know: {code}"));
    }
    match code {
        "Validation" | "NotFound" => {
            PlatformError::Refused { code: code.to_owned(), message: "the bridge refuses it".to_owned() }
        }
        "Forbidden" => PlatformError::Misconfigured("the bridge does not allow it".to_owned()),
        // by its documents nothing was changed, or nothing was sent
        "Timeout" | "Busy" => PlatformError::NotApplied(format!("the bridge said {code}")),
        "MT4Error" => match error.get("managerCode").and_then(number) {
            Some(code) => of_manager(code, effect),
            None => effect.unsure("the bridge names no return code".to_owned()),
        },
        "NoConnect" | "OutcomeUnknown" | "Internal" => effect.unsure(format!("the bridge said {code}")),
        _ => effect.unsure("the bridge's code is none that is known".to_owned()),
    }
}
