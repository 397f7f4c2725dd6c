//! The manager's interface: frames of protocol buffers over TCP, a log-in per connection, and lists. On this machine without TLS.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Ctrader;
use super::book::{Entry, Trader};
use super::wire::{self, Part, find_int, find_text};
use crate::desk::lock;
use crate::fault::Fault;

const HELLO_EVENT: i64 = 990;
const ERROR_RES: i64 = 50;
const HEARTBEAT_EVENT: i64 = 51;
const FRAME_BYTES_MAX: u32 = 1024 * 1024;

/// An answer: its type and payload, or an error code.
type Outcome = Result<(i64, Vec<u8>), &'static str>;

pub(super) async fn accept(server: Arc<Ctrader>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (server, mut stop) = (Arc::clone(&server), stop.clone());
                drop(tokio::spawn(async move {
                    tokio::select! {
                        ended = converse(&server, stream) => {
                            if let Err(error) = ended {
                                tracing::trace!(%error, "connection ended");
                            }
                        }
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

async fn converse(server: &Ctrader, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(&frame(HELLO_EVENT, &[], None)).await?;
    let mut logged_in = false;
    loop {
        let length = stream.read_u32().await?;
        if length > FRAME_BYTES_MAX {
            return Ok(());
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut bytes).await?;
        let Some(message) = wire::parts(&bytes) else { return Ok(()) };
        let Some(kind) = find_int(&message, 1) else { return Ok(()) };
        if kind == HEARTBEAT_EVENT {
            continue;
        }
        let id = find_text(&message, 3);
        let payload = message.iter().find_map(|part| match part {
            Part::Bytes(2, value) => wire::parts(value),
            _ => None,
        });
        let Some(payload) = payload else { return Ok(()) };
        // an event in between, as a live server sends them
        stream.write_all(&frame(HEARTBEAT_EVENT, &[], None)).await?;
        let answer = match server.desk.admit(operation(kind), Vec::new) {
            None => run(server, kind, &payload, &mut logged_in),
            Some(Fault::Refuse(_)) => Err("UNKNOWN_ERROR"),
            Some(Fault::Garbage | Fault::ApplyThenGarbage) => {
                return stream.write_all(&[0, 0, 0, 3, 0xff, 0xff, 0xff]).await;
            }
            Some(Fault::TimeoutBefore { ms } | Fault::ApplyThenTimeout { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return Ok(());
            }
            Some(_) => return Ok(()),
        };
        let (kind, payload) = answer.unwrap_or_else(|code| {
            let mut error = Vec::new();
            wire::bytes(&mut error, 2, code.as_bytes());
            (ERROR_RES, error)
        });
        stream.write_all(&frame(kind, &payload, id.as_deref())).await?;
    }
}

fn frame(kind: i64, payload: &[u8], id: Option<&str>) -> Vec<u8> {
    let mut message = Vec::new();
    wire::int(&mut message, 1, kind);
    wire::bytes(&mut message, 2, payload);
    if let Some(id) = id {
        wire::bytes(&mut message, 3, id.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or_default();
    [length.to_be_bytes().as_slice(), &message].concat()
}

fn operation(kind: i64) -> &'static str {
    match kind {
        301 => "manager_auth",
        403 => "manager_traders",
        703 => "manager_trader",
        417 => "manager_history",
        _ => "manager_unknown",
    }
}

fn run(server: &Ctrader, kind: i64, request: &[Part], logged_in: &mut bool) -> Outcome {
    match kind {
        301 => {
            let text = |field| find_text(request, field).unwrap_or_default();
            let login = find_int(request, 4).and_then(|login| u64::try_from(login).ok()).unwrap_or_default();
            let environment = text(3);
            let is_right = text(2) == server.config.plant && matches!(environment.as_str(), "live" | "demo");
            *logged_in = is_right && server.knows(login, &text(5));
            if *logged_in { Ok((302, Vec::new())) } else { Err("CH_CLIENT_AUTH_FAILURE") }
        }
        _ if !*logged_in => Err("NOT_ENOUGH_RIGHTS"),
        403 => traders(server, request),
        703 => trader(server, request),
        417 => history(server, request),
        _ => Err("INVALID_REQUEST"),
    }
}

fn window(request: &[Part], from: u64, to: u64) -> Result<(i64, i64), &'static str> {
    let time = |field| find_int(request, field).ok_or("INVALID_REQUEST");
    Ok((time(from)?, time(to)?))
}

fn described(trader: &Trader) -> Vec<u8> {
    let mut out = Vec::new();
    wire::int(&mut out, 1, trader.trader_id);
    wire::int(&mut out, 2, trader.login);
    wire::int(&mut out, 8, trader.scaled(trader.balance));
    wire::int(&mut out, 25, trader.registered_ms);
    wire::int(&mut out, 80, i64::from(trader.money_digits));
    out
}

/// The rows that fit, oldest first, and whether there are more.
fn page<T>(server: &Ctrader, mut rows: Vec<T>) -> (Vec<T>, bool) {
    let size = server.config.manager_page;
    let more = rows.len() > size;
    rows.truncate(size);
    (rows, more)
}

fn traders(server: &Ctrader, request: &[Part]) -> Outcome {
    let (from, to) = window(request, 2, 3)?;
    let book = lock(&server.book);
    let mut rows: Vec<_> = book.traders.values().filter(|trader| (from..=to).contains(&trader.registered_ms)).collect();
    rows.sort_by_key(|trader| (trader.registered_ms, trader.trader_id));
    let (rows, more) = page(server, rows);
    let mut out = Vec::new();
    rows.into_iter().for_each(|trader| wire::bytes(&mut out, 2, &described(trader)));
    wire::int(&mut out, 3, i64::from(more));
    Ok((404, out))
}

fn trader(server: &Ctrader, request: &[Part]) -> Outcome {
    let wanted = find_int(request, 2).ok_or("INVALID_REQUEST")?;
    let book = lock(&server.book);
    let mut out = Vec::new();
    book.traders
        .values()
        .filter(|trader| trader.trader_id == wanted)
        .for_each(|trader| wire::bytes(&mut out, 2, &described(trader)));
    Ok((704, out))
}

fn history(server: &Ctrader, request: &[Part]) -> Outcome {
    let (from, to) = window(request, 3, 4)?;
    let of = find_int(request, 2);
    let book = lock(&server.book);
    let wanted = |entry: &&Entry| of.is_none_or(|id| id == entry.trader_id) && (from..=to).contains(&entry.at_ms);
    let (rows, more) = page(server, book.entries.iter().filter(wanted).collect::<Vec<_>>());
    let mut out = Vec::new();
    for entry in rows {
        let mut row = Vec::new();
        wire::int(&mut row, 1, entry.kind);
        wire::int(&mut row, 2, entry.number);
        wire::int(&mut row, 3, entry.trader_id);
        wire::int(&mut row, 4, entry.balance);
        wire::int(&mut row, 5, entry.delta);
        wire::int(&mut row, 6, entry.at_ms);
        wire::bytes(&mut row, 7, entry.comment.as_bytes());
        wire::bytes(&mut row, 8, entry.external_note.as_bytes());
        wire::bytes(&mut row, 15, entry.external_id.as_bytes());
        wire::int(&mut row, 16, i64::from(entry.money_digits));
        wire::bytes(&mut out, 3, &row);
    }
    wire::int(&mut out, 4, i64::from(more));
    Ok((418, out))
}
