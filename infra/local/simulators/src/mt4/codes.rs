//! What the bridge answers when it does not do it.

use serde_json::{Value, json};

/// An error of the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: String,
    /// The manager interface's own code, where it comes from there.
    pub(super) manager: Option<&'static str>,
    pub(super) message: String,
}

impl Refused {
    /// The bridge's own.
    pub(super) fn bridge(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), manager: None, message: message.to_owned() }
    }

    /// Of the manager interface.
    pub(super) fn manager(name: &'static str) -> Self {
        Self { code: "MT4Error".to_owned(), manager: Some(name), message: format!("MT4 returned {name}") }
    }

    pub(super) fn error(&self) -> Value {
        json!({"code": self.code, "managerCode": self.manager, "message": self.message})
    }
}

/// The bridge's name of a return code, or its number.
pub(super) fn named(code: i64) -> Value {
    let name = match code {
        2 => "Error",
        3 => "InvalidData",
        4 => "TechProblem",
        5 => "OldVersion",
        6 => "NoConnect",
        7 => "NotEnoughRights",
        8 => "TooFrequent",
        9 => "Malfunction",
        64 => "AccountDisabled",
        65 => "BadAccountInfo",
        128 => "TradeTimeout",
        132 => "TradeMarketClosed",
        133 => "TradeDisable",
        134 => "TradeNoMoney",
        137 => "TradeBrokerBusy",
        139 => "TradeOrderLocked",
        141 => "TradeTooManyReq",
        143 => "TradeProcess",
        146 => "TradeContextBusy",
        _ => return json!(code),
    };
    json!(name)
}
