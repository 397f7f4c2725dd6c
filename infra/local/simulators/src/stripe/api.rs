//! The payment intents API.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::Stripe;
use super::book::{Book, FirstAnswer};
use super::intent::Intent;

/// Longest idempotency key.
const KEY_CHARS_MAX: usize = 255;
/// Largest amount of one payment in minor units (eight digits).
const AMOUNT_MAX: i64 = 99_999_999;

/// Parameters of intent creation; the vendor refuses any other.
const CREATE_PARAMETERS: [&str; 27] = [
    "amount",
    "application_fee_amount",
    "automatic_payment_methods",
    "capture_method",
    "confirm",
    "confirmation_method",
    "confirmation_token",
    "currency",
    "customer",
    "description",
    "error_on_requires_action",
    "expand",
    "mandate",
    "mandate_data",
    "metadata",
    "off_session",
    "on_behalf_of",
    "payment_method",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
];

/// Parameters that are given back as they came.
const ECHOED: [&str; 6] = [
    "customer",
    "description",
    "payment_method",
    "receipt_email",
    "statement_descriptor",
    "statement_descriptor_suffix",
];

/// An error in the vendor's shape.
pub(super) struct Problem {
    status: u16,
    kind: &'static str,
    code: Option<String>,
    parameter: Option<&'static str>,
    message: String,
}

impl Problem {
    pub(super) fn invalid(code: &str, parameter: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: Some(code.to_owned()),
            parameter: Some(parameter),
            message: message.into(),
        }
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self { status: 404, ..Self::invalid("resource_missing", "id", format!("No such {what}: '{id}'")) }
    }

    pub(super) fn answer(&self) -> Response {
        reply::json(self.status(), &self.body())
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    fn body(&self) -> Value {
        let mut error = json!({ "message": self.message, "type": self.kind });
        if let (Some(members), Some(code)) = (error.as_object_mut(), &self.code) {
            members.insert("code".to_owned(), json!(code));
            members.insert(
                "doc_url".to_owned(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        if let (Some(members), Some(parameter)) = (error.as_object_mut(), self.parameter) {
            members.insert("param".to_owned(), json!(parameter));
        }
        json!({ "error": error })
    }
}

/// A scripted refusal in the vendor's shape.
fn refused(refusal: &Refusal) -> Problem {
    let status = refusal.http_status(402);
    let kind = match status.as_u16() {
        402 => "card_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    let code = refusal.code.clone().or_else(|| match status.as_u16() {
        402 => Some("card_declined".to_owned()),
        429 => Some("rate_limit".to_owned()),
        _ => None,
    });
    Problem { status: status.as_u16(), kind, code, parameter: None, message: refusal.text("Refused by script.") }
}

/// The answer of a scripted refusal.
fn refuse(refusal: &Refusal, problem: &Problem) -> Response {
    let mut response = problem.answer();
    if let Some(seconds) = refusal.retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert("retry-after", seconds);
    }
    response
}

impl Stripe {
    /// Checks the key, applies the script, does it. Errors of `apply` are worded as the vendor's.
    pub(super) async fn serve<A>(self: &Arc<Self>, operation: &str, call: Call, apply: A) -> Response
    where
        A: FnOnce(&Self, &Call) -> Result<Value, Problem> + Send + 'static,
    {
        if let Err(problem) = self.check_key(&call) {
            self.till.desk.count("unauthorised");
            return problem.answer();
        }
        // no script changes what was kept
        if let Some(kept) = self.kept_failure(&call) {
            self.till.desk.count(operation);
            return kept;
        }
        let (stripe, call) = (Arc::clone(self), Arc::new(call));
        let parameters = Arc::clone(&call);
        let apply = move || match call.header("idempotency-key") {
            Some(key) if call.method == http::Method::POST => stripe.once(key, &call, apply),
            _ => match apply(&stripe, &call) {
                Ok(value) => reply::ok(&value),
                Err(problem) => problem.answer(),
            },
        };
        let (vendor, refused_call) = (Arc::clone(self), Arc::clone(&parameters));
        let refuse = move |refusal: &Refusal| {
            let problem = refused(refusal);
            vendor.keep_failure(&refused_call, &problem);
            refuse(refusal, &problem)
        };
        self.till.desk.serve(operation, || parameters.flat(), refuse, apply).await
    }

    fn kept_failure(&self, call: &Call) -> Option<Response> {
        let keys = lock(&self.first_answers);
        let first = keys.get(call.header("idempotency-key")?)?;
        (first.status != StatusCode::OK && first.fingerprint == fingerprint(call)).then(|| first.again())
    }

    /// The vendor keeps the first answer under a key from the moment at which it begins to work, an internal error as well.
    fn keep_failure(&self, call: &Call, problem: &Problem) {
        let key = call.header("idempotency-key").filter(|_| call.method == http::Method::POST);
        if let Some(key) = key.filter(|_| problem.status() == StatusCode::INTERNAL_SERVER_ERROR) {
            let failed = FirstAnswer { fingerprint: fingerprint(call), status: problem.status(), body: problem.body() };
            lock(&self.first_answers).entry(key.to_owned()).or_insert(failed);
        }
    }

    fn check_key(&self, call: &Call) -> Result<(), Problem> {
        let header = call.header("authorization").unwrap_or("");
        let given = match header.split_once(' ') {
            Some(("Bearer", key)) => key.to_owned(),
            Some(("Basic", encoded)) => STANDARD
                .decode(encoded)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .map(|pair| pair.trim_end_matches(':').to_owned())
                .unwrap_or_default(),
            _ => String::new(),
        };
        if given == self.config.secret_key {
            return Ok(());
        }
        Err(Problem {
            status: 401,
            kind: "invalid_request_error",
            code: None,
            parameter: None,
            message: "Invalid API Key provided.".to_owned(),
        })
    }

    /// Gives the first answer again, or does it and keeps the answer. Refused parameters are not kept.
    fn once<A>(&self, key: &str, call: &Call, apply: A) -> Response
    where
        A: FnOnce(&Self, &Call) -> Result<Value, Problem>,
    {
        let fingerprint = fingerprint(call);
        if key.is_empty() || key.len() > KEY_CHARS_MAX {
            let text = "The idempotency key must have 1 to 255 characters.";
            return idempotency_problem(text).answer();
        }
        // Held over `apply`, so that two calls with one key cannot both be the first.
        let mut keys = lock(&self.first_answers);
        match keys.get(key) {
            Some(first) if first.fingerprint == fingerprint => first.again(),
            Some(_) => idempotency_problem(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            )
            .answer(),
            None => match apply(self, call) {
                Ok(body) => {
                    let response = reply::ok(&body);
                    keys.insert(key.to_owned(), FirstAnswer { fingerprint, status: StatusCode::OK, body });
                    response
                }
                Err(problem) => problem.answer(),
            },
        }
    }
}

fn idempotency_problem(message: &str) -> Problem {
    Problem { status: 400, kind: "idempotency_error", code: None, parameter: None, message: message.to_owned() }
}

fn fingerprint(call: &Call) -> String {
    let mut pairs = call.form.clone();
    pairs.sort();
    format!("{} {} {pairs:?}", call.method, call.path)
}

pub(super) async fn create(State(stripe): State<Arc<Stripe>>, call: Call) -> Response {
    stripe.serve("create_intent", call, create_intent).await
}

fn create_intent(stripe: &Stripe, call: &Call) -> Result<Value, Problem> {
    check_parameters(call)?;
    let amount = amount(call)?;
    let currency = currency(call)?;
    let confirmed = call.form("confirm") == Some("true");
    let return_url = call.form("return_url").map(str::to_owned);
    if return_url.is_some() && !confirmed {
        let text = "`return_url` can only be used with `confirm` set to true.";
        return Err(Problem::invalid("parameter_invalid", "return_url", text));
    }
    let status = match (confirmed, call.form("payment_method")) {
        (true, _) => "requires_action",
        (false, Some(_)) => "requires_confirmation",
        (false, None) => "requires_payment_method",
    };
    let id = stripe.till.ids.make("pi_");
    let intent = Intent {
        client_secret: format!("{id}_secret_{}", stripe.till.ids.make("")),
        id,
        created: stripe.till.clock.now_s(),
        amount,
        amount_received: 0,
        amount_refunded: 0,
        currency,
        status,
        metadata: metadata(call),
        payment_method_types: payment_method_types(call),
        echoed: echoed(call),
        return_url,
        latest_charge: None,
        payer_name: None,
        last_payment_error: None,
        canceled_at: None,
    };
    let object = intent.object(&stripe.till.base_url);
    lock(&stripe.till.book).add(intent);
    Ok(object)
}

fn check_parameters(call: &Call) -> Result<(), Problem> {
    let unknown = call.form.iter().find(|(name, _)| {
        let name = name.split('[').next().unwrap_or(name);
        !CREATE_PARAMETERS.contains(&name)
    });
    match unknown {
        Some((name, _)) => {
            let text = format!("Received unknown parameter: {name}");
            Err(Problem::invalid("parameter_unknown", "", text))
        }
        None => Ok(()),
    }
}

fn amount(call: &Call) -> Result<i64, Problem> {
    let text = call
        .form("amount")
        .ok_or_else(|| Problem::invalid("parameter_missing", "amount", "Missing required param: amount."))?;
    let amount: i64 = text.parse().map_err(|_| {
        let text = format!("Invalid integer: {text}");
        Problem::invalid("parameter_invalid_integer", "amount", text)
    })?;
    match amount {
        i64::MIN..=0 => Err(Problem::invalid(
            "parameter_invalid_integer",
            "amount",
            "This value must be greater than or equal to 1.",
        )),
        1..=AMOUNT_MAX => Ok(amount),
        _ => Err(Problem::invalid("amount_too_large", "amount", "Amount must be no more than 99999999.")),
    }
}

fn currency(call: &Call) -> Result<String, Problem> {
    let text = call
        .form("currency")
        .ok_or_else(|| Problem::invalid("parameter_missing", "currency", "Missing required param: currency."))?;
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(text.to_owned())
    } else {
        let text = format!("Invalid currency: {text}.");
        Err(Problem::invalid("parameter_invalid", "currency", text))
    }
}

/// `metadata[key]=value` pairs.
pub(super) fn metadata(call: &Call) -> Map<String, Value> {
    let members = call.form.iter().filter_map(|(name, value)| {
        let key = name.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((key.to_owned(), json!(value)))
    });
    members.collect()
}

fn payment_method_types(call: &Call) -> Vec<String> {
    let given: Vec<_> = call
        .form
        .iter()
        .filter(|(name, _)| name.starts_with("payment_method_types["))
        .map(|(_, value)| value.clone())
        .collect();
    if given.is_empty() { vec!["card".to_owned()] } else { given }
}

fn echoed(call: &Call) -> Map<String, Value> {
    ECHOED.iter().filter_map(|name| Some(((*name).to_owned(), json!(call.form(name)?)))).collect()
}

pub(super) async fn read(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |stripe: &Stripe, call: &Call| {
        let book = lock(&stripe.till.book);
        let intent = book.find(&Named::Reference(&id)).ok_or_else(|| Problem::missing("payment_intent", &id))?;
        let mut object = intent.object(&stripe.till.base_url);
        if call.query("expand[]") == Some("latest_charge") && intent.latest_charge.is_some() {
            object["latest_charge"] = intent.charge();
        }
        Ok(object)
    };
    stripe.serve("get_intent", call, read).await
}

pub(super) async fn cancel(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>, call: Call) -> Response {
    let cancel = move |stripe: &Stripe, _: &Call| {
        let mut book = lock(&stripe.till.book);
        let intent = book.find_mut(&Named::Reference(&id)).ok_or_else(|| Problem::missing("payment_intent", &id))?;
        if matches!(intent.status, "succeeded" | "canceled" | "processing") {
            let text = format!("You cannot cancel this PaymentIntent because it has a status of {}.", intent.status);
            let code = "payment_intent_unexpected_state";
            return Err(Problem::invalid(code, "intent", text));
        }
        intent.status = "canceled";
        intent.canceled_at = Some(stripe.till.clock.now_s());
        Ok(intent.object(&stripe.till.base_url))
    };
    stripe.serve("cancel_intent", call, cancel).await
}

/// `query=metadata['payment_id']:'…'`: the only query that is understood.
pub(super) async fn search(State(stripe): State<Arc<Stripe>>, call: Call) -> Response {
    let search = |stripe: &Stripe, call: &Call| {
        let query = call.query("query").unwrap_or("").replace('"', "'");
        let payment_id = query
            .strip_prefix("metadata['payment_id']:'")
            .and_then(|rest| rest.strip_suffix('\''))
            .ok_or_else(|| Problem::invalid("parameter_invalid", "query", "Invalid query."))?;
        let book: &Book = &lock(&stripe.till.book);
        let data: Vec<_> = book.of_payment(payment_id).map(|intent| intent.object(&stripe.till.base_url)).collect();
        Ok(json!({
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": false,
            "next_page": null,
            "data": data,
        }))
    };
    stripe.serve("search_intents", call, search).await
}

pub(super) async fn unknown_route(State(stripe): State<Arc<Stripe>>, call: Call) -> Response {
    stripe.till.desk.count("unknown_route");
    Problem {
        status: 404,
        kind: "invalid_request_error",
        code: None,
        parameter: None,
        message: format!("Unrecognized request URL ({}: {}).", call.method, call.path),
    }
    .answer()
}
