//! HTTP functions behind API Gateway's REST proxy: decode, find the route, identify, handle, answer.

pub mod csv;
pub mod place;
mod routes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::decision::Frame;
use domain::{CorrelationId, Timestamp};
use providers::http::BoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::routes::Handler;
pub use self::routes::{
    Access, BODY_BYTES_MAX, CallerHandler, PublicHandler, Route, RouteSpec, Scope, Table, WEBHOOK_BYTES_MAX, table_of,
};
use crate::auth::{Authority, Caller};
use crate::function::{Clock, ConfigError, Entropy, Function, FunctionError, Invocation, Ports};
use crate::problem::Problem;
use crate::telemetry::{self, StepMetrics};

/// Longest accepted `X-Correlation-Id`; it is stored with every event.
const CORRELATION_MAX: usize = 64;

/// On every answer: it is personal data or a decision about money, and nothing that a browser should keep, frame or guess at.
pub const SECURITY_HEADERS: [(&str, &str); 3] = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
];
/// On every answer that went over TLS (RFC 6797, section 7.2, forbids it on others): two years.
const STRICT_TRANSPORT_SECURITY: (&str, &str) = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains");

/// A decoded request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method, upper case.
    pub method: String,
    /// The route as the template writes it, e.g. `/v1/payments/{payment_id}`.
    pub route: String,
    /// Path parameters.
    pub parameters: BTreeMap<String, String>,
    /// Query parameters; the last of a name wins.
    pub query: BTreeMap<String, String>,
    /// Headers.
    pub headers: ::http::HeaderMap,
    /// The raw body.
    pub body: Vec<u8>,
    /// Follows the work from here on.
    pub correlation_id: String,
    /// The platform's request id.
    pub execution_id: String,
    /// The moment.
    pub now: Timestamp,
    /// How long the handler may take.
    pub time_left: Duration,
}

impl Request {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A path parameter that must be an id.
    ///
    /// # Errors
    /// 404: what does not read as an id cannot exist.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.parameters
            .get(name)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::not_found("there is no such resource"))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 for another media type, 400 for what is not JSON or says something twice.
    pub fn json(&self) -> Result<Value, Problem> {
        let media =
            self.header("content-type").map(|value| value.split(';').next().unwrap_or("").trim().to_lowercase());
        if media.is_some_and(|media| media != "application/json" && !media.ends_with("+json")) {
            return Err(Problem::media_type());
        }
        domain::json::parse(&self.body).map_err(Problem::input)
    }

    /// The body as it was sent, of a media type that is not JSON.
    ///
    /// # Errors
    /// 415 for another media type.
    pub fn body_of(&self, wanted: &str) -> Result<&[u8], Problem> {
        let media = self.header("content-type").and_then(|value| value.split(';').next()).map(str::trim);
        if media.is_some_and(|media| media.eq_ignore_ascii_case(wanted)) {
            return Ok(&self.body);
        }
        Err(Problem::media_type_but(wanted))
    }

    /// `limit` of a list, and `cursor` as what it stands for.
    ///
    /// # Errors
    /// 400.
    pub fn page<C: std::str::FromStr>(&self) -> Result<(i32, Option<C>), Problem> {
        let limit = match self.query.get("limit") {
            None => 25,
            Some(text) => text
                .parse::<i32>()
                .ok()
                .filter(|limit| (1..=100).contains(limit))
                .ok_or_else(|| Problem::malformed("limit must be a whole number from 1 to 100"))?,
        };
        let cursor = self.query.get("cursor").filter(|text| !text.is_empty()).map(|text| text.parse());
        let cursor =
            cursor.transpose().map_err(|_| Problem::malformed("cursor is not the next_cursor of this list"))?;
        Ok((limit, cursor))
    }

    /// A page of a list that is wholly at hand, and the cursor of the next one; `key` tells its items apart.
    ///
    /// # Errors
    /// [`Problem::malformed`] for a limit or a cursor that is none of this list.
    pub fn page_of<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, Option<String>), Problem> {
        let (limit, after) = self.page::<String>()?;
        let unknown = || Problem::malformed("cursor is not the next_cursor of this list");
        let from = match after {
            None => 0,
            Some(after) => items.iter().position(|item| key(item) == after).ok_or_else(unknown)?.saturating_add(1),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let goes_on = items.len() > from.saturating_add(limit);
        let page: Vec<T> = items.into_iter().skip(from).take(limit).collect();
        let next = page.last().filter(|_| goes_on).map(&key);
        Ok((page, next))
    }

    /// The frame of a decision that this request sets off.
    pub fn frame(&self, function: &'static str) -> Frame {
        Frame {
            function,
            execution_id: self.execution_id.clone(),
            trigger: format!("{} {}", self.method, self.route),
            correlation_id: self.correlation_id.clone(),
            now: self.now,
            rules: Vec::new(),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: String,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        Self { status, headers, body: body.to_string() }
    }

    /// The same, marked as the repetition of an earlier answer.
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.headers.insert("Idempotency-Replayed".to_owned(), "true".to_owned());
        self
    }
}

/// One HTTP step.
pub trait HttpStep: Sized + Send + Sync + 'static {
    /// The function's name.
    const NAME: &'static str;
    /// What it answers. Anything else is 404 or 405.
    const ROUTES: &'static [Route<Self>];
}

/// A step as a function.
pub struct HttpFunction<S> {
    step: S,
    /// Absent where no route wants a token.
    authority: Option<Authority>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl<S: HttpStep> HttpFunction<S> {
    /// Wraps a step.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn build(step: S, ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
        let public = S::ROUTES.iter().all(Route::is_public);
        Ok(Arc::new(Self {
            step,
            authority: if public { None } else { Some(Authority::new(ports)?) },
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
        }))
    }

    async fn answer(&self, request: Request) -> Reply {
        let (answer, wants_token) = match Route::find(&request) {
            Ok(route) => (self.checked(route, &request).await, !route.is_public()),
            Err(problem) => (Err(problem), false),
        };
        let mut reply = answer.unwrap_or_else(|problem| problem.reply(&request.correlation_id));
        if reply.status == 401 && wants_token {
            reply.headers.insert("www-authenticate".to_owned(), "Bearer".to_owned());
        }
        let over_tls = request.header("x-forwarded-proto") == Some("https");
        let security = SECURITY_HEADERS.into_iter().chain(over_tls.then_some(STRICT_TRANSPORT_SECURITY));
        for (name, value) in security {
            reply.headers.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        reply.headers.insert("X-Correlation-Id".to_owned(), request.correlation_id);
        reply
    }

    async fn checked(&self, route: &Route<S>, request: &Request) -> Result<Reply, Problem> {
        if request.body.len() > route.body_max {
            return Err(Problem::too_large(route.body_max));
        }
        match route.handler {
            Handler::Public(_, handle) => handle(&self.step, request).await,
            Handler::Caller(roles, scope, handle) => {
                let authority = self.authority.as_ref().ok_or_else(|| Problem::unauthorized("no token is accepted"))?;
                let caller = authority.caller(request.header("authorization")).await?;
                routes::admit(&caller, roles, scope, request).map_err(|problem| route.refusal(problem))?;
                handle(&self.step, request, &caller).await
            }
        }
    }
}

/// What a step answers somebody who is known already, to a request that did not come through the gateway: by the same table, so a role gets
/// what it gets there.
///
/// # Errors
/// Those of the route.
pub async fn answer_as<S: HttpStep>(step: &S, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
    let route = Route::<S>::find(request)?;
    if request.body.len() > route.body_max {
        return Err(Problem::too_large(route.body_max));
    }
    match route.handler {
        Handler::Public(_, handle) => handle(step, request).await,
        Handler::Caller(roles, scope, handle) => {
            routes::admit(caller, roles, scope, request).map_err(|problem| route.refusal(problem))?;
            handle(step, request, caller).await
        }
    }
}

impl<S: HttpStep> Function for HttpFunction<S> {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let started = self.clock.now();
            let request =
                decode(event, &invocation, started, || CorrelationId::from_bits(self.entropy.id_bits()).into())?;
            let correlation_id = request.correlation_id.clone();
            let (reply, usage) = store::measured(self.answer(request)).await;
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: S::NAME,
                outcome: &format!("http_{}", reply.status),
                latency_ms: ended.millis_since(started),
                usage: &usage,
                correlation_id: &correlation_id,
                execution_id: &invocation.request_id,
            });
            let proxy = json!({
                "statusCode": reply.status, "headers": reply.headers, "body": reply.body, "isBase64Encoded": false,
            });
            telemetry::raw(&proxy)
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent {
    http_method: String,
    resource: String,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The correlation id that the caller gave, if it can be stored.
pub fn correlation_id(headers: &::http::HeaderMap) -> Option<&str> {
    let given = headers.get("x-correlation-id").and_then(|value| value.to_str().ok()).map(str::trim);
    given.filter(|text| {
        !text.is_empty() && text.len() <= CORRELATION_MAX && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    })
}

fn decode(
    event: &RawValue,
    invocation: &Invocation,
    now: Timestamp,
    fresh_correlation: impl FnOnce() -> String,
) -> Result<Request, FunctionError> {
    let malformed = |message: String| FunctionError { kind: "MalformedEvent", message };
    let event: ProxyEvent =
        serde_json::from_str(event.get()).map_err(|error| malformed(domain::json::place_of(&error)))?;
    let mut headers = ::http::HeaderMap::new();
    let many = event.multi_value_headers.unwrap_or_default();
    let single = event.headers.unwrap_or_default().into_iter().map(|(name, value)| (name, vec![value]));
    let all = if many.is_empty() { single.collect() } else { many };
    for (name, values) in all {
        for value in values {
            if let (Ok(name), Ok(value)) =
                (::http::HeaderName::try_from(name.as_str()), ::http::HeaderValue::try_from(value))
            {
                headers.append(name, value);
            }
        }
    }
    let body = match event.body {
        Some(text) if event.is_base64_encoded => STANDARD.decode(text).map_err(|error| malformed(error.to_string()))?,
        Some(text) => text.into_bytes(),
        None => Vec::new(),
    };
    let correlation_id = correlation_id(&headers).map_or_else(fresh_correlation, str::to_owned);
    Ok(Request {
        method: event.http_method,
        route: event.resource,
        parameters: event.path_parameters.unwrap_or_default(),
        query: event.query_string_parameters.unwrap_or_default(),
        headers,
        body,
        correlation_id,
        execution_id: invocation.request_id.clone(),
        now,
        time_left: invocation.time_left,
    })
}

#[cfg(test)]
mod tests;
