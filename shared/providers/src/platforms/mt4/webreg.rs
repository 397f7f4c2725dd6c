//! The registration plug-in's text protocol: a command a connection, `W` before it and `QUIT` behind it.

use ::bytes::{Bytes, BytesMut};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{CodePage, Mt4};
use crate::platforms::call::remaining;
use crate::platforms::{Login, NewAccount, PlatformError};

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What the server keeps of each value.
const GROUP_BYTES_MAX: usize = 15;
const PASSWORD_BYTES_MAX: usize = 15;
const NAME_BYTES_MAX: usize = 127;
const EMAIL_BYTES_MAX: usize = 47;
const PHONE_BYTES_MAX: usize = 31;
const COMMENT_BYTES_MAX: usize = 63;

impl Mt4 {
    /// Creates an account with our reference as its comment.
    pub(super) async fn register(&self, account: &NewAccount) -> Result<Login, PlatformError> {
        let settings = &self.settings;
        let command = new_account(account, settings.master.expose_secret(), &settings.ip, settings.code_page)?;
        read_new_account(&self.exchange(command, self.deadline()).await?)
    }

    /// Sends a command; the answer to its end. The plug-in knows no ticket and no repetition: whatever was sent may have been done.
    async fn exchange(&self, command: Bytes, until: Instant) -> Result<String, PlatformError> {
        let dialled = self.settings.transport.dial(&self.settings.webreg, remaining(until)).await;
        let mut stream = dialled.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        self.time_to_write(until)?;
        let lost = |error: crate::http::TransportError| PlatformError::Unknown(error.to_string());
        stream.write(command, remaining(until)).await.map_err(lost)?;
        let mut answer = BytesMut::new();
        loop {
            let more = stream.read(remaining(until)).await.map_err(lost)?;
            answer.extend_from_slice(&more);
            let text = String::from_utf8_lossy(&answer);
            if more.is_empty() || text.lines().any(|line| line.trim_end() == "end") {
                return Ok(text.into_owned());
            }
            if answer.len() > ANSWER_BYTES_MAX {
                return Err(PlatformError::Unknown("the answer does not end".to_owned()));
            }
        }
    }
}

/// The command that creates an account, its keys in the customary order: the plug-in looks for the first `PASSWORD=`, and
/// `PHONE_PASSWORD=` has it, too.
pub(super) fn new_account(
    account: &NewAccount,
    master: &str,
    ip: &str,
    page: CodePage,
) -> Result<Bytes, PlatformError> {
    let (password, investor) = (account.password.expose_secret(), account.investor_password.expose_secret());
    for (what, value, max) in [
        ("group", account.group.as_str(), GROUP_BYTES_MAX),
        ("password", password, PASSWORD_BYTES_MAX),
        ("password", investor, PASSWORD_BYTES_MAX),
        ("reference", account.reference.as_str(), COMMENT_BYTES_MAX),
    ] {
        if value.is_empty() || value.len() > max || value.contains(['|', '\r', '\n']) {
            let message = format!("a {what} has 1 to {max} bytes and no line");
            return Err(PlatformError::Refused { code: what.to_owned(), message });
        }
    }
    let name = account.name.reveal();
    // a name of question marks alone would tell nobody whose account it is
    let name = if page.has_some(name) { name } else { &account.reference };
    let phone = account.phone.as_ref().map_or("", |phone| phone.reveal().as_str());
    let country = account.country.map(|country| country.to_string()).unwrap_or_default();
    let leverage = account.leverage.to_string();
    let pairs = [
        ("MASTER", master.to_owned()),
        ("IP", ip.to_owned()),
        ("GROUP", account.group.clone()),
        ("NAME", fitting(name, NAME_BYTES_MAX)),
        ("PASSWORD", password.to_owned()),
        ("INVESTOR", investor.to_owned()),
        ("EMAIL", whole_or_none(account.email.reveal(), EMAIL_BYTES_MAX, page)),
        ("COUNTRY", country),
        ("STATE", String::new()),
        ("CITY", String::new()),
        ("ADDRESS", String::new()),
        ("COMMENT", account.reference.clone()),
        ("PHONE", whole_or_none(phone, PHONE_BYTES_MAX, page)),
        ("PHONE_PASSWORD", String::new()),
        ("STATUS", String::new()),
        ("ZIPCODE", String::new()),
        ("ID", String::new()),
        ("LEVERAGE", leverage),
        ("AGENT", String::new()),
        ("SEND_REPORTS", "1".to_owned()),
        ("DEPOSIT", "0".to_owned()),
    ];
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(Bytes::from(page.encode(&format!("WNEWACCOUNT {}\nQUIT\n", pairs.join("|")))))
}

/// Nothing can be escaped: what would begin another key or line becomes a blank. Some plug-ins look for `KEY=` anywhere in the line.
fn plain(text: &str) -> String {
    let broken = |letter: char| letter.is_control() || matches!(letter, '|' | '=');
    text.chars().map(|letter| if broken(letter) { ' ' } else { letter }).collect::<String>().trim().to_owned()
}

/// A character is a byte in the server's letters.
fn fitting(text: &str, max: usize) -> String {
    plain(text).chars().take(max).collect()
}

/// An address that is cut off, or has another letter in it, is somebody else's.
fn whole_or_none(text: &str, max: usize, page: CodePage) -> String {
    let text = text.trim();
    let is_whole = text.chars().count() <= max && page.has_all(text) && plain(text) == text;
    if is_whole { text.to_owned() } else { String::new() }
}

/// What the plug-in said, line by line; a line that was cut off is none, for half a login is another's. `ERROR` with words that are not known says nothing sure: plug-ins differ from broker to broker.
pub(super) fn read_new_account(answer: &str) -> Result<Login, PlatformError> {
    let whole = answer.rfind('\n').map_or("", |end| answer.get(..end).unwrap_or_default());
    let mut lines = whole.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "end");
    let first = lines.next().unwrap_or_default();
    let rest: Vec<_> = lines.collect();
    let said = [first].into_iter().chain(rest.iter().copied()).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let number = |text: &str| text.parse::<u64>().ok().filter(|login| *login > 0);
    match first.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["OK"] => {
            let login = rest.iter().find_map(|line| line.strip_prefix("LOGIN=")).and_then(number);
            login.map(|login| Login::new(login.to_string())).ok_or_else(unnamed)
        }
        // of a fork
        ["OK", login, ..] => number(login).map(|login| Login::new(login.to_string())).ok_or_else(unnamed),
        // the address is not on the list, or asks too often: both are mended elsewhere, and nothing was done
        _ if said.contains("blocked") => Err(PlatformError::NotApplied("the plug-in has blocked us".to_owned())),
        ["ERROR", ..] if said.contains("master") => {
            Err(PlatformError::Misconfigured("the plug-in does not take the master password".to_owned()))
        }
        ["ERROR", ..] if said.contains("account create failed") => {
            Err(PlatformError::Refused { code: "account_create_failed".to_owned(), message: said })
        }
        ["ERROR", ..] if said.contains("invalid") => {
            Err(PlatformError::Refused { code: "invalid_data".to_owned(), message: said })
        }
        _ => Err(PlatformError::Unknown("the plug-in's answer is none that is known".to_owned())),
    }
}

fn unnamed() -> PlatformError {
    PlatformError::Unknown("the answer names no login".to_owned())
}

#[cfg(test)]
mod tests {
    use domain::Redacted;
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    const KEYS: &str = "MASTER IP GROUP NAME PASSWORD INVESTOR EMAIL COUNTRY STATE CITY ADDRESS COMMENT PHONE PHONE_PASSWORD STATUS \
                        ZIPCODE ID LEVERAGE AGENT SEND_REPORTS DEPOSIT";

    fn wish(name: &str, email: &str, phone: &str) -> NewAccount {
        NewAccount {
            group: "live-USD".to_owned(),
            currency: "USD".parse().unwrap(),
            name: Redacted::new(name.to_owned()),
            email: Redacted::new(email.to_owned()),
            phone: Some(Redacted::new(phone.to_owned())),
            country: Some("DE".parse().unwrap()),
            leverage: 30,
            reference: "acc_1".to_owned(),
            password: SecretString::from("Main-Pass1"),
            investor_password: SecretString::from("Read-Pass1"),
        }
    }

    fn values(account: &NewAccount, page: CodePage) -> Vec<(String, Vec<u8>)> {
        let command = new_account(account, "master", "10.0.0.1", page).unwrap();
        let line = command.strip_prefix(b"WNEWACCOUNT ").and_then(|rest| rest.strip_suffix(b"\nQUIT\n")).unwrap();
        assert!(!line.iter().any(|byte| byte.is_ascii_control()), "one line");
        let pairs = line.split(|byte| *byte == b'|').map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap();
            assert!(!pair[at + 1..].contains(&b'='), "no key in a value");
            (String::from_utf8(pair[..at].to_vec()).unwrap(), pair[at + 1..].to_vec())
        });
        pairs.collect()
    }

    proptest! {
        #[test]
        fn whatever_a_client_is_called_is_one_value_of_the_line(
            name in any::<String>(), email in any::<String>(), phone in any::<String>(), cyrillic in any::<bool>(),
        ) {
            let page = if cyrillic { CodePage::Windows1251 } else { CodePage::Windows1252 };
            let values = values(&wish(&name, &email, &phone), page);
            let keys: Vec<&str> = values.iter().map(|(key, _)| key.as_str()).collect();
            prop_assert_eq!(keys.join(" "), KEYS.split_whitespace().collect::<Vec<_>>().join(" "));
            let value = |key: &str| values.iter().find(|(known, _)| known == key).unwrap().1.clone();
            for (key, fixed) in [("GROUP", "live-USD"), ("PASSWORD", "Main-Pass1"), ("LEVERAGE", "30"), ("COMMENT", "acc_1")] {
                prop_assert_eq!(value(key), fixed.as_bytes());
            }
            prop_assert!((1..=NAME_BYTES_MAX).contains(&value("NAME").len()));
            prop_assert!(value("EMAIL").len() <= EMAIL_BYTES_MAX && value("PHONE").len() <= PHONE_BYTES_MAX);
        }
    }

    #[test]
    fn an_address_is_sent_as_it_is_or_not_at_all() {
        for (email, sent) in [
            ("jane@example.com", "jane@example.com"),
            ("a=b@example.com", ""),
            ("иван@example.com", ""),
            (" jane@example.com ", "jane@example.com"),
            ("a|b@example.com", ""),
        ] {
            let values = values(&wish("Jane", email, ""), CodePage::Windows1252);
            assert_eq!(values[6], ("EMAIL".to_owned(), sent.as_bytes().to_vec()), "{email}");
        }
    }
}
