//! The registration plug-in on the trading server's own port: `W`, a command, and `QUIT`; one command a connection, no encryption.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt;
use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::desk::lock;
use crate::fault::Refusal;
use crate::reply::{self, CloseConnection};

use super::Mt4;
use super::book::{FLAGS_DEFAULT, User};
use super::transaction::{BALANCE, book_balance};

/// How long a command is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const COMMAND_BYTES_MAX: usize = 16 * 1024;

/// Keys of `NEWACCOUNT`, the bridge's name of what is kept, and bytes kept of it. Upper case, as the plug-in looks for them.
const KEYS: [(&str, &str, usize); 22] = [
    ("MASTER", "", 0),
    ("IP", "", 0),
    ("GROUP", "", 15),
    ("NAME", "name", 127),
    ("PASSWORD", "", 15),
    ("INVESTOR", "", 15),
    ("EMAIL", "email", 47),
    ("COUNTRY", "country", 31),
    ("STATE", "state", 31),
    ("CITY", "city", 31),
    ("ADDRESS", "address", 95),
    ("COMMENT", "comment", 63),
    ("PHONE", "phone", 31),
    ("PHONE_PASSWORD", "", 31),
    ("STATUS", "status", 15),
    ("ZIPCODE", "zipCode", 15),
    ("ID", "externalId", 31),
    ("LOGIN", "", 0),
    ("LEVERAGE", "", 0),
    ("AGENT", "", 0),
    ("SEND_REPORTS", "", 0),
    ("DEPOSIT", "", 0),
];

type Pairs = BTreeMap<String, String>;

/// Serves the plug-in until `stop` turns true.
pub(crate) async fn accept(listener: TcpListener, mt4: Arc<Mt4>, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (mt4, mut stop) = (Arc::clone(&mt4), stop.clone());
                drop(tokio::spawn(async move {
                    tokio::select! {
                        () = converse(stream, &mt4) => {}
                        _ = stop.wait_for(|stopped| *stopped) => {}
                    }
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn converse(mut stream: TcpStream, mt4: &Arc<Mt4>) {
    let Ok(Some(line)) = tokio::time::timeout(PATIENCE, read_command(&mut stream)).await else {
        return mt4.desk.count("no_command");
    };
    let answer = serve(mt4, &line).await;
    if answer.extensions().get::<CloseConnection>().is_some() {
        return;
    }
    let Ok(body) = answer.into_body().collect().await else { return };
    if let Err(error) = stream.write_all(&body.to_bytes()).await {
        tracing::debug!(%error, "nobody reads the plug-in's answer");
    }
    // the caller reads until the end
    if let Err(error) = stream.shutdown().await {
        tracing::debug!(%error, "connection ended");
    }
}

/// The line between `W` and `QUIT`, whose lines end in LF or CRLF. Without both it is not for the plug-in.
async fn read_command(stream: &mut TcpStream) -> Option<String> {
    let mut taken = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.ok()?;
        taken.extend_from_slice(buffer.get(..count)?);
        let text: String = taken.iter().map(|byte| letter(*byte)).collect();
        let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        let first = lines.next()?.strip_prefix('W');
        match first {
            Some(command) if lines.next() == Some("QUIT") => return Some(command.to_owned()),
            None if !taken.is_empty() => return None,
            _ if count == 0 || taken.len() > COMMAND_BYTES_MAX => return None,
            _ => {}
        }
    }
}

/// The server's ANSI code page: Western.
fn letter(byte: u8) -> char {
    match byte {
        0x80..=0x9F => '?',
        _ => char::from(byte),
    }
}

async fn serve(mt4: &Arc<Mt4>, line: &str) -> Response {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let operation = match command {
        "NEWACCOUNT" => "new_account",
        "CHKACCPASS" => "check_password",
        _ => "unknown_command",
    };
    let pairs = parse(rest);
    let flat = pairs.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    let apply = {
        let mt4 = Arc::clone(mt4);
        move || {
            let done = pairs.ok_or("invalid parameters").and_then(|pairs| match operation {
                "new_account" => new_account(&mt4, &pairs),
                "check_password" => check_password(&mt4, &pairs),
                _ => Err("unknown command"),
            });
            match done {
                Ok(text) => lines(&text),
                Err("blocked") => lines("blocked"),
                Err(what) => lines(&format!("ERROR\r\n{what}")),
            }
        }
    };
    mt4.desk.serve(operation, || flat, refuse, apply).await
}

fn lines(text: &str) -> Response {
    reply::plain(StatusCode::OK, format!("{text}\r\nend\r\n"))
}

/// A scripted refusal: `code` "blocked", else an error with its words.
fn refuse(refusal: &Refusal) -> Response {
    match refusal.code.as_deref() {
        Some("blocked") => lines("blocked"),
        _ => lines(&format!("ERROR\r\n{}", refusal.text("account create failed"))),
    }
}

/// `KEY=value` between bars; none where a part is something else or a key is there twice.
fn parse(text: &str) -> Option<Pairs> {
    let mut pairs = Pairs::new();
    for part in text.split('|') {
        let (key, value) = part.split_once('=')?;
        if pairs.insert(key.to_owned(), value.to_owned()).is_some() {
            return None;
        }
    }
    Some(pairs)
}

/// Master password and caller, which stand in every command.
fn admit(mt4: &Mt4, pairs: &Pairs) -> Result<(), &'static str> {
    if pairs.get("MASTER").map(String::as_str) != Some(mt4.config.master.as_str()) {
        return Err("invalid master password");
    }
    match pairs.get("IP").filter(|ip| !ip.is_empty()) {
        Some(_) => Ok(()),
        None => Err("blocked"),
    }
}

fn new_account(mt4: &Mt4, pairs: &Pairs) -> Result<String, &'static str> {
    if pairs.keys().any(|key| !KEYS.iter().any(|(known, ..)| known == key)) {
        return Err("invalid parameters");
    }
    admit(mt4, pairs)?;
    let need = |key: &str| pairs.get(key).filter(|value| !value.is_empty()).ok_or("invalid parameters");
    let name = need("NAME")?;
    let (password, investor) = (need("PASSWORD")?, pairs.get("INVESTOR").cloned().unwrap_or_default());
    let leverage: u32 = need("LEVERAGE")?.parse().map_err(|_| "invalid parameters")?;
    let deposit = pairs.get("DEPOSIT").filter(|deposit| !deposit.is_empty());
    let deposit: Decimal =
        deposit.map_or(Ok(Decimal::ZERO), |deposit| deposit.parse()).map_err(|_| "invalid parameters")?;
    let wanted = pairs.get("LOGIN").filter(|login| !login.is_empty());
    let wanted = wanted.map(|login| login.parse()).transpose().map_err(|_| "invalid parameters")?;
    // what the server itself refuses has one answer
    const FAILED: &str = "account create failed";
    if !is_strong(password)
        || (!investor.is_empty() && !is_strong(&investor))
        || leverage == 0
        || name.trim().is_empty()
    {
        return Err(FAILED);
    }
    let now_s = mt4.server_now_s();
    let mut book = lock(&mt4.book);
    let group = book.group(need("GROUP")?).cloned().ok_or(FAILED)?;
    let login = book.choose_login(wanted).ok_or(FAILED)?;
    let details = KEYS.iter().filter(|(_, member, _)| !member.is_empty());
    let details = details.map(|(key, member, kept)| {
        (*member, pairs.get(*key).map(|value| value.chars().take(*kept).collect()).unwrap_or_default())
    });
    let user = User {
        login,
        group,
        password: password.clone(),
        investor_password: investor,
        leverage,
        flags: FLAGS_DEFAULT,
        details: details.collect(),
        registered_s: now_s,
        balance: Decimal::ZERO,
        credit: Decimal::ZERO,
        floating: Decimal::ZERO,
        margin: Decimal::ZERO,
    };
    book.users.insert(login, user);
    if !deposit.is_zero() {
        book_balance(&mut book, login, BALANCE, deposit, "Deposit", now_s).ok_or(FAILED)?;
    }
    Ok(format!("OK\r\nLOGIN={login}"))
}

/// 5 to 15 characters, two of digit, lower and upper case.
fn is_strong(password: &str) -> bool {
    let has = |class: fn(&char) -> bool| u8::from(password.chars().any(|character| class(&character)));
    let classes = has(char::is_ascii_digit) + has(char::is_ascii_lowercase) + has(char::is_ascii_uppercase);
    (5..=15).contains(&password.len()) && classes >= 2
}

fn check_password(mt4: &Mt4, pairs: &Pairs) -> Result<String, &'static str> {
    admit(mt4, pairs)?;
    let book = lock(&mt4.book);
    let login = pairs.get("LOGIN").and_then(|login| login.parse().ok()).ok_or("invalid parameters")?;
    let user: &User = book.users.get(&login).ok_or("invalid login")?;
    let given = pairs.get("PASSWORD").map(String::as_str).unwrap_or_default();
    let right = !given.is_empty() && (given == user.password || given == user.investor_password);
    if right { Ok("OK".to_owned()) } else { Err("invalid password") }
}
