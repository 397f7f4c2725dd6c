//! The mail service: the SES query protocol of 2010-12-01, over HTTP or by a plain call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::MailConfig;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::{Fault, Refusal};
use crate::page::escape;
use crate::reply;
use crate::request::{Call, pairs};

const NAMESPACE: &str = "http://ses.amazonaws.com/doc/2010-12-01/";
/// Most recipients of one mail.
const RECIPIENTS_MAX: usize = 50;

/// A mail as the service took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Identifier given to the sender.
    pub message_id: String,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: i64,
    /// `Source`.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// Copies.
    pub cc: Vec<String>,
    /// Blind copies.
    pub bcc: Vec<String>,
    /// Addresses for answers.
    pub reply_to: Vec<String>,
    /// Subject line; of a raw mail the one in its head.
    pub subject: String,
    /// Plain text body; of a raw mail its body, where that is plain text.
    pub text: Option<String>,
    /// HTML body.
    pub html: Option<String>,
    /// The whole message in base64, for a raw mail.
    pub raw: Option<String>,
    /// The head of a raw mail, by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Tags as `name=value`.
    pub tags: Vec<String>,
}

/// Head and plain text of a raw mail, as far as they can be read.
fn opened(raw: &str) -> (BTreeMap<String, String>, Option<String>) {
    let whole = STANDARD.decode(raw).unwrap_or_default();
    let whole = String::from_utf8_lossy(&whole).replace("\r\n", "\n");
    let (head, body) = whole.split_once("\n\n").unwrap_or((&whole, ""));
    let unfolded = head.replace("\n ", "").replace("\n\t", "");
    let line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), decoded(value.trim())))
    };
    let headers: BTreeMap<String, String> = unfolded.lines().filter_map(line).collect();
    let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value.to_lowercase().starts_with(wanted));
    let text = is("content-type", "text/plain").then(|| {
        let coded: String = body.split_whitespace().collect();
        let plain = STANDARD.decode(coded).ok().filter(|_| is("content-transfer-encoding", "base64"));
        plain.map_or_else(|| body.to_owned(), |plain| String::from_utf8_lossy(&plain).replace("\r\n", "\n"))
    });
    (headers, text)
}

/// A header's value with its encoded words read.
fn decoded(value: &str) -> String {
    let word = |word: &str| {
        let coded = word.strip_prefix("=?UTF-8?B?")?.strip_suffix("?=")?;
        Some(String::from_utf8_lossy(&STANDARD.decode(coded).ok()?).into_owned())
    };
    let parts = value.replace("?==?", "?= =?");
    let words: Option<Vec<String>> = parts.split(' ').map(word).collect();
    words.map_or_else(|| value.to_owned(), |words| words.concat())
}

/// The mail service and all it took. Clones share one box.
#[derive(Clone)]
pub struct Mailbox(Arc<Inner>);

struct Inner {
    config: MailConfig,
    ids: Arc<Ids>,
    clock: Clock,
    desk: Desk,
    mails: Mutex<Vec<Mail>>,
}

/// An error in the protocol's words.
struct Refused {
    status: u16,
    code: String,
    message: String,
}

impl Refused {
    fn new(code: &str, message: &str) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.to_owned() }
    }
}

impl Mailbox {
    /// A box of its own, for a host that calls `handle_ses` in process.
    pub fn new(config: MailConfig) -> Self {
        Self::with_ids(config, Arc::new(Ids::new(None)), Clock::default())
    }

    pub(crate) fn with_ids(config: MailConfig, ids: Arc<Ids>, clock: Clock) -> Self {
        Self(Arc::new(Inner { desk: Desk::new(clock.clone()), config, ids, clock, mails: Mutex::default() }))
    }

    /// Every mail taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.0.mails).clone()
    }

    /// Answers one SES request: HTTP status and XML.
    ///
    /// A call in process has no connection to hold or cut, so of the scripted faults only `refuse` and `garbage`
    /// are as over HTTP; those that do it first do it, and all others answer 503.
    pub fn handle_ses(&self, body: &[u8]) -> (u16, String) {
        let form = pairs(body);
        let operation = operation(&form);
        match self.0.desk.admit(operation, || with_body(&form, body)) {
            None | Some(Fault::Delay { .. }) => self.apply(&form),
            Some(Fault::Refuse(refusal)) => refused(&refusal),
            Some(Fault::Garbage) => (200, "<nonsense".to_owned()),
            Some(Fault::ApplyThenGarbage) => {
                drop(self.apply(&form));
                (200, "<nonsense".to_owned())
            }
            Some(Fault::ApplyThenTimeout { .. } | Fault::ApplyThenDrop) => {
                drop(self.apply(&form));
                refused(&unavailable())
            }
            Some(Fault::TimeoutBefore { .. } | Fault::Drop | Fault::DropThenApply { .. } | Fault::Answer { .. }) => {
                refused(&unavailable())
            }
        }
    }

    pub(crate) fn router(&self, courier: Arc<Courier>) -> Router {
        Router::new()
            .route("/", post(query))
            .with_state(self.clone())
            .merge(crate::sns::router())
            .merge(control::routes(Arc::new(self.clone()), courier))
    }

    fn apply(&self, form: &[(String, String)]) -> (u16, String) {
        let request_id = self.0.ids.hex32("request");
        let done = match value(form, "Action").unwrap_or("") {
            "SendEmail" => self.send(form).map(|id| message_id("SendEmail", &id)),
            "SendRawEmail" => self.send_raw(form).map(|id| message_id("SendRawEmail", &id)),
            "VerifyEmailIdentity" => Ok("<VerifyEmailIdentityResult/>".to_owned()),
            "GetSendQuota" => Ok("<GetSendQuotaResult><SentLast24Hours>0.0</SentLast24Hours>\
                <Max24HourSend>50000.0</Max24HourSend><MaxSendRate>14.0</MaxSendRate></GetSendQuotaResult>"
                .to_owned()),
            other => {
                Err(Refused::new("InvalidAction", &format!("Could not find operation {other} for version 2010-12-01")))
            }
        };
        match done {
            Ok(result) => {
                let action = value(form, "Action").unwrap_or("");
                let xml = format!(
                    "<{action}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata>\
                     <RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
                );
                (200, xml)
            }
            Err(refused) => error(&refused, &request_id),
        }
    }

    fn send(&self, form: &[(String, String)]) -> Result<String, Refused> {
        let subject = value(form, "Message.Subject.Data")
            .ok_or_else(|| Refused::new("ValidationError", "Message.Subject is required"))?;
        let text = value(form, "Message.Body.Text.Data").map(str::to_owned);
        let html = value(form, "Message.Body.Html.Data").map(str::to_owned);
        if text.is_none() && html.is_none() {
            return Err(Refused::new("ValidationError", "Message.Body is required"));
        }
        let to = members(form, "Destination.ToAddresses");
        let cc = members(form, "Destination.CcAddresses");
        let bcc = members(form, "Destination.BccAddresses");
        check_recipients(&[&to, &cc, &bcc])?;
        self.keep(form, |mail| Mail { to, cc, bcc, subject: subject.to_owned(), text, html, ..mail })
    }

    fn send_raw(&self, form: &[(String, String)]) -> Result<String, Refused> {
        let raw = value(form, "RawMessage.Data")
            .ok_or_else(|| Refused::new("ValidationError", "RawMessage.Data is required"))?;
        let to = members(form, "Destinations");
        let (headers, text) = opened(raw);
        let subject = headers.get("subject").cloned().unwrap_or_default();
        self.keep(form, |mail| Mail { to, subject, text, headers, raw: Some(raw.to_owned()), ..mail })
    }

    fn keep(&self, form: &[(String, String)], fill: impl FnOnce(Mail) -> Mail) -> Result<String, Refused> {
        let from = value(form, "Source")
            .filter(|source| source.contains('@'))
            .ok_or_else(|| Refused::new("InvalidParameterValue", "Missing final '@domain'"))?;
        let verified = &self.0.config.verified_senders;
        if !verified.is_empty() && !verified.iter().any(|sender| from.contains(sender.as_str())) {
            let text = format!("Email address is not verified. The following identities failed the check: {from}");
            return Err(Refused::new("MessageRejected", &text));
        }
        let message_id = format!("{}-000000", self.0.ids.hex32("mail"));
        let mail = fill(Mail {
            message_id: message_id.clone(),
            at_ms: self.0.clock.now_ms(),
            from: from.to_owned(),
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: members(form, "ReplyToAddresses"),
            subject: String::new(),
            text: None,
            html: None,
            raw: None,
            headers: BTreeMap::new(),
            tags: tags(form),
        });
        lock(&self.0.mails).push(mail);
        Ok(message_id)
    }
}

fn check_recipients(lists: &[&Vec<String>]) -> Result<(), Refused> {
    let count: usize = lists.iter().map(|list| list.len()).sum();
    let all = || lists.iter().flat_map(|list| list.iter());
    if count == 0 {
        return Err(Refused::new("ValidationError", "Destination is required"));
    }
    if count > RECIPIENTS_MAX {
        let text = "Recipient count exceeds 50.";
        return Err(Refused::new("InvalidParameterValue", text));
    }
    if all().any(|address| !address.contains('@')) {
        let text = "Missing final '@domain'";
        return Err(Refused::new("InvalidParameterValue", text));
    }
    Ok(())
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// `{name}.member.1`, `{name}.member.2`, …
fn members(form: &[(String, String)], name: &str) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(member) = value(form, &format!("{name}.member.{}", found.len() + 1)) {
        found.push(member.to_owned());
    }
    found
}

fn tags(form: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(name) = value(form, &format!("Tags.member.{}.Name", found.len() + 1)) {
        let text = value(form, &format!("Tags.member.{}.Value", found.len() + 1));
        found.push(format!("{name}={}", text.unwrap_or("")));
    }
    found
}

/// Script names: `send_email`, `send_raw_email`, or `other`.
fn operation(form: &[(String, String)]) -> &'static str {
    match value(form, "Action") {
        Some("SendEmail") => "send_email",
        Some("SendRawEmail") => "send_raw_email",
        _ => "other",
    }
}

fn with_body(form: &[(String, String)], body: &[u8]) -> Vec<(String, String)> {
    let mut all = form.to_vec();
    let text = String::from_utf8_lossy(body).into_owned();
    all.push(("body".to_owned(), text));
    all
}

fn message_id(action: &str, id: &str) -> String {
    format!("<{action}Result><MessageId>{id}</MessageId></{action}Result>")
}

fn error(refused: &Refused, request_id: &str) -> (u16, String) {
    let side = if refused.status < 500 { "Sender" } else { "Receiver" };
    let xml = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{side}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&refused.code),
        escape(&refused.message)
    );
    (refused.status, xml)
}

fn unavailable() -> Refusal {
    Refusal { status: Some(503), code: Some("ServiceUnavailable".to_owned()), ..Refusal::default() }
}

fn refused(refusal: &Refusal) -> (u16, String) {
    let refused = Refused {
        status: refusal.http_status(400).as_u16(),
        code: refusal.code.clone().unwrap_or_else(|| "MessageRejected".to_owned()),
        message: refusal.text("Refused by script"),
    };
    error(&refused, "scripted")
}

fn answer((status, xml): (u16, String)) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply::text(status, "text/xml", xml)
}

async fn query(State(mailbox): State<Mailbox>, call: Call) -> Response {
    let form = call.form.clone();
    let apply = {
        let (mailbox, form) = (mailbox.clone(), form.clone());
        move || answer(mailbox.apply(&form))
    };
    let refuse = |refusal: &Refusal| answer(refused(refusal));
    mailbox.0.desk.serve(operation(&form), || call.flat(), refuse, apply).await
}

impl Controlled for Mailbox {
    fn desk(&self) -> &Desk {
        &self.0.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        Map::from_iter([("mails".to_owned(), json!(*lock(&self.0.mails)))])
    }

    fn clear(&self) {
        lock(&self.0.mails).clear();
    }
}
