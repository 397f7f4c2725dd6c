//! `/console`: what staff see and do in a browser. A page asks the same steps as the API does, as the person who looks at it, so a role sees
//! and may do here what it may there. Those of this package are called, others are asked over the API itself.

mod api;
mod backtest;
mod cases;
mod journeys;
mod lists;
mod page;
mod partners;
mod replays;
mod rules;
mod runbooks;
mod session;
mod subject;
mod values;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use compliance::cases::Cases;
use runtime::auth::{Authority, STAFF};
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, answer_as};
use runtime::{Caller, Problem};
use serde_json::Value;

use self::api::Api;
use self::page::{Page, Shell, file, message, redirect};
use self::session::SignIn;
use crate::rules::RuleSets;
use crate::views::Views;
use crate::work::Work;

/// Largest form, in bytes: a rule set, each character of which may be written as three.
const FORM_BYTES_MAX: usize = 700_000;

/// The step.
pub struct Console {
    views: Views,
    work: Work,
    rules: RuleSets,
    cases: Cases,
    authority: Authority,
    sign_in: Option<SignIn>,
    api: Option<Api>,
    entropy: Arc<dyn Entropy>,
    base: String,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let sign_in = SignIn::new(ports)?;
    let step = Console {
        views: Views::new(ports)?,
        work: Work::new(ports)?,
        rules: RuleSets::new(ports)?,
        cases: Cases::new(ports)?,
        authority: Authority::new(ports)?,
        base: sign_in.as_ref().map_or_else(|| "/console".to_owned(), SignIn::base),
        api: sign_in.as_ref().map(|sign_in| sign_in.api(ports.transport.clone())),
        sign_in,
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Console {
    const NAME: &'static str = "ops-console";

    const ROUTES: &'static [Route<Self>] = &[
        Route::session("GET", "/console", |step, request| Box::pin(step.answer(request))),
        Route::session("GET", "/console/{page+}", |step, request| Box::pin(step.answer(request))),
        Route::<Self>::session("POST", "/console/{page+}", |step, request| Box::pin(step.answer(request)))
            .with_body(FORM_BYTES_MAX),
    ];
}

/// A request of somebody who is signed in.
struct Visit<'a> {
    request: &'a Request,
    caller: &'a Caller,
    /// The fields of a form.
    form: BTreeMap<String, String>,
    shell: Shell,
}

impl Visit<'_> {
    fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", |text| text.trim())
    }

    fn asked(&self, name: &str) -> &str {
        self.request.query.get(name).map_or("", |text| text.trim())
    }

    /// What a step answers the person who looks.
    async fn ask<S: HttpStep>(&self, step: &S, call: Call<'_>) -> Result<Value, Problem> {
        let request = call.request(self.request);
        let reply = answer_as(step, &request, self.caller).await?;
        serde_json::from_str(&reply.body).map_err(|_| Problem::unavailable("an answer could not be read"))
    }
}

/// A call of the API.
#[derive(Default)]
struct Call<'a> {
    method: &'static str,
    route: &'static str,
    parameters: &'a [(&'static str, &'a str)],
    query: &'a [(&'static str, &'a str)],
    body: Vec<u8>,
    media: &'static str,
}

impl<'a> Call<'a> {
    fn get(
        route: &'static str,
        parameters: &'a [(&'static str, &'a str)],
        query: &'a [(&'static str, &'a str)],
    ) -> Self {
        Self { method: "GET", route, parameters, query, ..Self::default() }
    }

    fn post(route: &'static str, parameters: &'a [(&'static str, &'a str)], body: &Value) -> Self {
        let (body, media) = (body.to_string().into_bytes(), "application/json");
        Self { method: "POST", route, parameters, body, media, ..Self::default() }
    }

    fn request(self, of: &Request) -> Request {
        let owned = |pairs: &[(&str, &str)]| {
            let there = pairs.iter().filter(|(_, value)| !value.is_empty());
            there.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut headers = http::HeaderMap::new();
        if !self.media.is_empty() {
            headers.insert("content-type", http::HeaderValue::from_static(self.media));
        }
        Request {
            method: self.method.to_owned(),
            route: self.route.to_owned(),
            parameters: owned(self.parameters),
            query: owned(self.query),
            headers,
            body: self.body,
            ..of.clone()
        }
    }
}

impl Console {
    /// The steps of other packages.
    fn api(&self) -> Result<&Api, Problem> {
        self.api.as_ref().ok_or_else(|| Problem::unavailable("this installation does not say where its API is"))
    }

    /// What a form is sent under: sent twice, it does one thing.
    fn fresh_key(&self) -> Result<String, Problem> {
        let random = self.entropy.bytes().map(hex::encode);
        random.ok_or_else(|| Problem::unavailable("no form can be made just now"))
    }

    async fn answer(&self, request: &Request) -> Result<Reply, Problem> {
        let path = request.parameters.get("page").map_or("", String::as_str);
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["static", name]) => return file(name).ok_or_else(no_page),
            ("GET", ["sign-in"]) => return self.sign_in(request),
            ("GET", ["callback"]) => return self.signed_in(request).await,
            _ => {}
        }
        if request.method == "POST" && !session::is_same_origin(request) {
            let text = "The form was not sent from this console, so nothing was done.";
            return message(403, &Page::message(Shell::nobody(&self.base), "This was refused", text));
        }
        let caller = match session::caller(&self.authority, request).await {
            Ok(caller) => caller,
            Err(problem) if problem.status == 401 => return self.send_to_sign_in(request),
            Err(problem) => return Err(problem),
        };
        let shell = Shell::of(&self.base, &caller, request, path.first().copied().unwrap_or_default());
        let visit = Visit { request, caller: &caller, form: form(request), shell };
        let answer = if caller.require(STAFF).is_ok() {
            self.page(&visit, &path).await
        } else {
            Err(Problem::forbidden("the console is for staff"))
        };
        answer.or_else(|problem| refused(&visit, &problem))
    }

    async fn page(&self, visit: &Visit<'_>, path: &[&str]) -> Result<Reply, Problem> {
        match (visit.request.method.as_str(), path) {
            ("GET", []) => work::home(self, visit).await,
            ("GET", ["search"]) if visit.shell.opens_case(visit.asked("q")) => {
                Ok(redirect(&format!("{}/cases/{}", self.base, visit.asked("q"))))
            }
            ("GET", ["search"]) => Ok(subject::find(&visit.shell, visit.asked("q"))),
            ("GET", ["work"]) => work::list(self, visit).await,
            ("GET", ["work", id]) => work::item(self, visit, id, None).await,
            ("POST", ["work", id]) => work::act(self, visit, id).await,
            ("GET", ["cases"]) => cases::list(self, visit).await,
            ("GET", ["cases", id]) => cases::case(self, visit, id, None).await,
            ("POST", ["cases", id]) => cases::act(self, visit, id).await,
            ("GET", ["scenarios"]) => backtest::of_live_scenarios(self, visit).await,
            ("GET", ["lists"]) => lists::list(self, visit, None).await,
            ("POST", ["lists", name]) => lists::refresh(self, visit, name).await,
            ("GET", ["journeys"]) => journeys::list(self, visit).await,
            ("GET", ["journeys", name]) => journeys::one(self, visit, name).await,
            ("GET", ["partners"]) => partners::list(self, visit, None).await,
            ("GET", ["partners", id]) => partners::one(self, visit, id).await,
            ("GET", ["statements", id]) => partners::statement(self, visit, id).await,
            ("GET", ["statements", id, "csv"]) => partners::file(self, visit, "statements", id, "csv").await,
            ("POST", ["runs"]) => partners::draft(self, visit).await,
            ("GET", ["runs", id]) => partners::run(self, visit, id, None).await,
            ("POST", ["runs", id]) => partners::act(self, visit, id).await,
            ("GET", ["runs", id, format @ ("csv" | "pain001")]) => {
                partners::file(self, visit, "payout-runs", id, format).await
            }
            ("GET", ["replays"]) => replays::form(self, visit, None).await,
            ("POST", ["replays"]) => replays::begin(self, visit).await,
            ("GET", ["replays", id]) => replays::show(self, visit, id).await,
            ("GET", ["clients", id]) => subject::client(self, visit, id).await,
            ("GET", ["payments", id]) => subject::payment(self, visit, id).await,
            ("GET", ["journal", id]) => subject::journal(self, visit, id).await,
            ("GET", ["reconciliation"]) => subject::reconciliation(self, visit).await,
            ("GET", ["rules"]) => rules::list(self, visit).await,
            ("GET", ["rules", set, version]) => rules::version(self, visit, (set, version), None).await,
            ("GET", ["rules", set, version, "backtest"]) => backtest::show(self, visit, set, version).await,
            ("POST", ["rules", set, version, "draft"]) => rules::draft(self, visit, (set, version)).await,
            ("POST", ["rules", set, version, "publish"]) => rules::publish(self, visit, (set, version)).await,
            ("POST", ["sign-out"]) => Ok(session::signed_out(&self.base, visit.request)),
            _ => Err(no_page()),
        }
    }

    /// A form that is sent when the session is over is kept on the page that says so, to be sent again.
    fn send_to_sign_in(&self, request: &Request) -> Result<Reply, Problem> {
        let shell = Shell::nobody(&self.base);
        let page = request.parameters.get("page").map_or("", String::as_str);
        if request.method == "GET" {
            let asked = format!("/{page}{}", session::query(&request.query));
            let back = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect::<String>();
            return Ok(redirect(&format!("{}/sign-in?back={back}", self.base)));
        }
        let typed = form(request).into_iter().collect();
        page::again(shell, page, typed)
    }

    fn sign_in(&self, request: &Request) -> Result<Reply, Problem> {
        match &self.sign_in {
            Some(sign_in) => sign_in.begin(self.entropy.as_ref(), request),
            None => {
                let text = "This installation names no identity provider for the console: see the parameters Oidc… in infra/README.md.";
                message(503, &Page::message(Shell::nobody(&self.base), "Nobody can sign in", text))
            }
        }
    }

    async fn signed_in(&self, request: &Request) -> Result<Reply, Problem> {
        let Some(sign_in) = &self.sign_in else { return Err(no_page()) };
        match sign_in.end(&self.authority, request).await {
            Ok(reply) => Ok(reply),
            Err(problem) => {
                let page = Page::message(Shell::nobody(&self.base), "You are not signed in", &problem.detail);
                message(problem.status, &page.linking("/sign-in", "Try again"))
            }
        }
    }
}

fn no_page() -> Problem {
    Problem::not_found("there is no such page")
}

/// The last field of a name wins, as with a query.
fn form(request: &Request) -> BTreeMap<String, String> {
    if request.method != "POST" {
        return BTreeMap::new();
    }
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

fn refused(visit: &Visit<'_>, problem: &Problem) -> Result<Reply, Problem> {
    let title = match problem.status {
        403 => "You may not see this",
        404 => "There is no such thing",
        500.. => "This did not work just now",
        _ => "This was refused",
    };
    let page = Page::message(visit.shell.clone(), title, &problem.detail);
    message(problem.status, &page.linking("", "To the start"))
}
