//! The REST API: finds the route of the template, invokes its function, answers for the gateway itself where there is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use runtime::Clock;
use runtime::http::SECURITY_HEADERS;
use serde_json::json;

use super::invoke::{Deployed, Invoker};
use super::proxy::{self, Routed};

/// Largest body that the gateway takes.
pub(crate) const BODY_SIZE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Longest correlation id that is echoed.
const CORRELATION_ID_LENGTH_MAX: usize = 128;

/// The routes of the template.
pub(crate) struct Gateway {
    routes: Vec<Endpoint>,
    invoker: Invoker,
    clock: Arc<dyn Clock>,
}

struct Endpoint {
    method: Option<Method>,
    path: String,
    segments: Vec<Segment>,
    deployed: Arc<Deployed>,
}

/// The order is the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exactly(String),
    Parameter(String),
    /// `{proxy+}`: this and all that follow.
    Rest(String),
}

impl Gateway {
    pub(crate) fn new<'a>(
        functions: impl Iterator<Item = &'a Arc<Deployed>>,
        invoker: Invoker,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut routes = Vec::new();
        for deployed in functions {
            for route in &deployed.spec.routes {
                routes.push(Endpoint {
                    method: Method::from_bytes(route.method.as_bytes()).ok().filter(|_| route.method != "ANY"),
                    path: route.path.clone(),
                    segments: segments(&route.path).map(segment).collect(),
                    deployed: Arc::clone(deployed),
                });
            }
        }
        // the most specific route first
        routes.sort_by(|left, right| left.segments.cmp(&right.segments));
        Self { routes, invoker, clock }
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Bytes>, source_ip: &str) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let request_id = uuid::Uuid::from_u128(self.invoker.entropy.id_bits()).to_string();
        let problem = |status, detail: &str| problem(status, detail, &head.headers, &request_id);
        let Some((endpoint, parameters)) = self.find(&head.method, head.uri.path()) else {
            return problem(StatusCode::NOT_FOUND, "there is no such route");
        };
        if body.len() > BODY_SIZE_BYTES_MAX {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        let event = proxy::event(&Routed {
            resource: &endpoint.path,
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            parameters,
            headers: &head.headers,
            body: &body,
            source_ip,
            request_id: &request_id,
            at: self.clock.now(),
        });
        let Ok(event) = event else {
            return problem(StatusCode::BAD_REQUEST, "the request cannot be read");
        };
        match self.invoker.invoke(&endpoint.deployed, event).await {
            Ok(answer) => proxy::response(&answer).unwrap_or_else(|| unavailable(problem)),
            Err(_) => unavailable(problem),
        }
    }

    /// The answer to a body that was cut off at the limit.
    pub(crate) fn too_large(&self, headers: &HeaderMap) -> Response<Bytes> {
        let request_id = uuid::Uuid::from_u128(self.invoker.entropy.id_bits()).to_string();
        problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", headers, &request_id)
    }

    fn find(&self, method: &Method, path: &str) -> Option<(&Endpoint, BTreeMap<String, String>)> {
        let parts: Vec<&str> = segments(path).collect();
        let allowed = |endpoint: &&Endpoint| endpoint.method.as_ref().is_none_or(|own| own == method);
        self.routes.iter().filter(allowed).find_map(|endpoint| Some((endpoint, endpoint.parameters(&parts)?)))
    }
}

impl Endpoint {
    /// The path's parameters, if the path is this endpoint's.
    fn parameters(&self, parts: &[&str]) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        let mut rest = parts;
        for segment in &self.segments {
            let (part, after) = rest.split_first()?;
            match segment {
                Segment::Exactly(expected) if expected == part => {}
                Segment::Exactly(_) => return None,
                Segment::Parameter(name) => {
                    parameters.insert(name.clone(), decoded(part));
                }
                Segment::Rest(name) => {
                    parameters.insert(name.clone(), decoded(&rest.join("/")));
                    return Some(parameters);
                }
            }
            rest = after;
        }
        rest.is_empty().then_some(parameters)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Rest(name.to_owned()),
            None => Segment::Parameter(name.to_owned()),
        },
        None => Segment::Exactly(text.to_owned()),
    }
}

/// Percent-decoded; a `+` in a path is a plus.
fn decoded(part: &str) -> String {
    let pair = format!("v={}", part.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn unavailable(problem: impl Fn(StatusCode, &str) -> Response<Bytes>) -> Response<Bytes> {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "try again in some seconds");
    response.headers_mut().insert("retry-after", HeaderValue::from_static("5"));
    response
}

fn problem(status: StatusCode, detail: &str, headers: &HeaderMap, request_id: &str) -> Response<Bytes> {
    let plain = |id: &&str| id.len() <= CORRELATION_ID_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    let given = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).filter(plain);
    let correlation_id = given.unwrap_or(request_id);
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "correlation_id": correlation_id,
    });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/problem+json"));
    if let Ok(id) = HeaderValue::from_str(correlation_id) {
        headers.insert("x-correlation-id", id);
    }
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
