//! What servers of one platform are told beside what all servers are.

use std::collections::BTreeMap;

use super::Platform;
use crate::rules::read::{Faults, Node};

const LINE_CHARS_MAX: usize = 200;

/// A setting of the servers of one platform.
pub(super) struct Setting {
    name: &'static str,
    form: Form,
    needed: bool,
}

/// What a setting's value must be.
enum Form {
    /// `host:port`.
    Address,
    /// With its scheme.
    Url,
    /// One line of text.
    Line,
    /// One of these.
    OneOf(&'static [&'static str]),
}

impl Platform {
    /// The settings of its servers, each named once.
    fn settings(self) -> &'static [Setting] {
        match self {
            Self::Mt4 => &[
                Setting { name: "webreg", form: Form::Address, needed: true },
                Setting { name: "trade_platform", form: Form::Line, needed: true },
                Setting { name: "token_url", form: Form::Url, needed: true },
                Setting { name: "code_page", form: Form::OneOf(&["windows-1252", "windows-1251"]), needed: false },
                Setting { name: "ip", form: Form::Line, needed: false },
            ],
            Self::Ctrader => &[
                Setting { name: "broker_name", form: Form::Line, needed: true },
                Setting { name: "manager_api", form: Form::Address, needed: false },
                Setting { name: "plant", form: Form::Line, needed: false },
                Setting {
                    name: "account_type",
                    form: Form::OneOf(&["HEDGED", "NETTED", "SPREAD_BETTING"]),
                    needed: false,
                },
                Setting { name: "credit", form: Form::OneOf(&["nonwithdrawable_bonus"]), needed: false },
            ],
            Self::Dxtrade => &[
                Setting { name: "domain", form: Form::Line, needed: true },
                Setting { name: "clearing_code", form: Form::Line, needed: true },
                Setting { name: "broker_code", form: Form::Line, needed: true },
                Setting { name: "margining", form: Form::Line, needed: false },
            ],
            Self::Mt5 => &[],
        }
    }

    /// Whether one of them must be given.
    pub(super) fn needs_settings(self) -> bool {
        self.settings().iter().any(|setting| setting.needed)
    }
}

pub(super) fn read(node: &Node<'_>, platform: Platform, faults: &mut Faults) -> Option<BTreeMap<String, String>> {
    let settings = platform.settings();
    let names: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
    let object = node.object(&names, faults)?;
    let before = faults.count();
    let mut values = BTreeMap::new();
    for setting in settings {
        let given = if setting.needed { object.need(setting.name, faults) } else { object.get(setting.name) };
        if let Some(value) = given.and_then(|given| setting.form.read(&given, faults)) {
            values.insert(setting.name.to_owned(), value);
        }
    }
    (faults.count() == before).then_some(values)
}

impl Form {
    fn read(&self, node: &Node<'_>, faults: &mut Faults) -> Option<String> {
        match self {
            Self::Address => {
                let text = node.line(LINE_CHARS_MAX, faults)?;
                let port = text.rsplit_once(':').filter(|(host, _)| is_host(host));
                if port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
                    return Some(text.to_owned());
                }
                faults.add(node.fault("bad_address", "must be a host, a colon and a port"));
                None
            }
            Self::Url => node.url(faults),
            Self::Line => node.line(LINE_CHARS_MAX, faults).map(str::to_owned),
            Self::OneOf(words) => {
                let text = node.line(LINE_CHARS_MAX, faults)?;
                if words.contains(&text) {
                    return Some(text.to_owned());
                }
                faults.add(node.fault("unknown_value", format!("must be one of {}", words.join(", "))));
                None
            }
        }
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}
