//! The frame of every page, and what goes with it.

use std::collections::BTreeMap;

use askama::Template;
use runtime::auth::{Role, STAFF};
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem};

/// Nothing but our own style, script and forms; nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Files that change with a version of the function only.
const KEEP_FILE: &str = "public, max-age=600";

/// Who looks at which page.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub base: String,
    pub who: Option<String>,
    pub done: String,
    here: String,
    compliance: bool,
    nav: Vec<(&'static str, &'static str)>,
}

/// Where people go by themselves, and who may.
const NAV: [(&str, &str, &[Role]); 8] = [
    ("/cases", "Cases", &[Role::Compliance]),
    ("/work", "Work", STAFF),
    ("/reconciliation", "Reconciliation", &[Role::Finance]),
    ("/partners", "Partners", &[Role::Finance, Role::Admin]),
    ("/journeys", "Journeys", &[Role::Sales, Role::Admin]),
    ("/lists", "Lists", &[Role::Compliance, Role::Admin]),
    ("/replays", "Replays", crate::replays::ROLES),
    ("/rules", "Rules", STAFF),
];

impl Shell {
    pub(super) fn of(base: &str, caller: &Caller, request: &Request, here: &str) -> Self {
        let roles: Vec<String> = caller.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        Self {
            base: base.to_owned(),
            who: Some(format!("{} ({})", caller.subject, roles.join(", "))),
            done: request.query.get("done").map(|done| done_in_words(done)).unwrap_or_default(),
            here: match here {
                "runs" | "statements" => "/partners".to_owned(),
                other => format!("/{other}"),
            },
            compliance: caller.require(&[Role::Compliance]).is_ok(),
            nav: NAV
                .into_iter()
                .filter(|(_, _, roles)| caller.require(roles).is_ok())
                .map(|(path, label, _)| (path, label))
                .collect(),
        }
    }

    /// Somebody who is not signed in.
    pub(super) fn nobody(base: &str) -> Self {
        let (done, here) = (String::new(), String::new());
        Self { base: base.to_owned(), who: None, done, here, compliance: false, nav: vec![] }
    }

    pub(super) fn nav(&self) -> &[(&'static str, &'static str)] {
        &self.nav
    }

    /// Whether somebody goes to a page by himself.
    pub(super) fn goes_to(&self, path: &str) -> bool {
        self.nav.iter().any(|(own, _)| *own == path)
    }

    /// Whether what is looked for is a case that may be shown.
    pub(super) fn opens_case(&self, asked: &str) -> bool {
        self.compliance && asked.parse::<domain::CaseId>().is_ok()
    }

    pub(super) fn is_at(&self, path: impl AsRef<str>) -> bool {
        self.here == path.as_ref()
    }
}

/// What an action did. Words of our own only: whatever else stands in an address is not shown as ours.
fn done_in_words(done: &str) -> String {
    let what = match done {
        "claim" => "The item is yours.",
        "release" => "The item is nobody's again.",
        "note" => "The note is kept.",
        "snooze" => "The item comes back when its time is over.",
        "escalate" => "The item was escalated.",
        "return" => "The proposal was sent back.",
        "draft" => "The draft is kept. Somebody else publishes it.",
        "publish" => "Published.",
        "refresh" => "The list was fetched.",
        "run_draft" => "Drafted. Another person approves it.",
        "run_approve" => "Approved. It may be paid.",
        "run_execute" => "It is being paid.",
        "run_cancel" => "The run is cancelled.",
        "run_returned" => "The payout is in the partner's balance again.",
        "case_claim" => "The case is yours.",
        "case_release" => "The case is nobody's again.",
        "case_note" => "The note is kept with the case.",
        "case_request_information" => "The client is asked for documents, in the words in which everybody is.",
        "case_snooze" => "The scenario is put aside for this client.",
        "case_propose_close" => "Proposed. Another person closes it or sends it back.",
        "case_approve_close" => "The case is closed.",
        "case_return" => "The proposal was sent back.",
        "case_reopen" => "The case is open again, and yours.",
        "decided" => "Your decision is saved, and is being carried out.",
        "proposed" => "Proposed. Another person approves it or sends it back.",
        _ => "",
    };
    what.to_owned()
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Page {
    page: Shell,
    title: String,
    text: String,
    link: String,
    label: String,
}

impl Page {
    pub(super) fn message(page: Shell, title: &str, text: &str) -> Self {
        let (link, label) = (String::new(), String::new());
        Self { page, title: title.to_owned(), text: text.to_owned(), link, label }
    }

    pub(super) fn linking(self, link: &str, label: &str) -> Self {
        Self { link: link.to_owned(), label: label.to_owned(), ..self }
    }
}

/// A form that came when nobody was signed in any more.
#[derive(Template)]
#[template(path = "again.html")]
struct Again<'a> {
    page: Shell,
    path: &'a str,
    typed: Vec<(String, String)>,
}

/// What was typed, to be sent again.
pub(super) fn again(page: Shell, path: &str, typed: Vec<(String, String)>) -> Result<Reply, Problem> {
    html(401, &Again { page, path, typed })
}

/// A page as an answer.
pub(super) fn html(status: u16, template: &impl Template) -> Result<Reply, Problem> {
    let body = template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Problem::unavailable("the page could not be written")
    })?;
    let headers = BTreeMap::from([
        ("content-type".to_owned(), "text/html; charset=utf-8".to_owned()),
        ("Content-Security-Policy".to_owned(), POLICY.to_owned()),
        ("Referrer-Policy".to_owned(), "same-origin".to_owned()),
    ]);
    Ok(Reply { status, headers, body })
}

/// [`Page`] as an answer.
pub(super) fn message(status: u16, page: &Page) -> Result<Reply, Problem> {
    html(status, page)
}

/// To another page, by `GET`.
pub(super) fn redirect(to: &str) -> Reply {
    Reply { status: 303, headers: BTreeMap::from([("Location".to_owned(), to.to_owned())]), body: String::new() }
}

/// Style and script.
pub(super) fn file(name: &str) -> Option<Reply> {
    let (media, text) = match name {
        "console.css" => ("text/css; charset=utf-8", include_str!("../../static/console.css")),
        "console.js" => ("text/javascript; charset=utf-8", include_str!("../../static/console.js")),
        _ => return None,
    };
    let headers = BTreeMap::from([
        ("content-type".to_owned(), media.to_owned()),
        ("Cache-Control".to_owned(), KEEP_FILE.to_owned()),
    ]);
    Some(Reply { status: 200, headers, body: text.to_owned() })
}
