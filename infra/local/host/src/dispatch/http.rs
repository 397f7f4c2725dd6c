//! The REST API: finds the route of the template, invokes its function, answers for the gateway itself where there is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use runtime::http::{SECURITY_HEADERS, correlation_id};
use runtime::{Clock, Problem};

use super::invoke::{Deployed, Invoker};
use super::limit::Bucket;
use super::proxy::{self, Routed};
use crate::template::RouteLimit;

/// Largest body that the gateway takes.
pub(crate) const BODY_SIZE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Why there is no answer; infra/template.yaml says the same of API Gateway's own.
const NO_ROUTE: &str = "there is no such route";
const UNAVAILABLE: &str = "try again in some seconds";

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
    /// What it takes, where the template sets a limit of its own for it.
    bucket: Option<Bucket>,
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
        limits: &[RouteLimit],
        invoker: Invoker,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut routes = Vec::new();
        for deployed in functions {
            for route in &deployed.spec.routes {
                let limit = limits.iter().find(|limit| limit.route == *route);
                routes.push(Endpoint {
                    method: Method::from_bytes(route.method.as_bytes()).ok().filter(|_| route.method != "ANY"),
                    path: route.path.clone(),
                    segments: segments(&route.path).map(segment).collect(),
                    bucket: limit.map(|limit| Bucket::new(limit, clock.now())),
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
        let refuse = |problem: &Problem| refusal(problem, &head.headers, &request_id);
        let Some((endpoint, parameters)) = self.find(&head.method, head.uri.path()) else {
            return refuse(&Problem::not_found(NO_ROUTE));
        };
        if !endpoint.bucket.as_ref().is_none_or(|bucket| bucket.take(self.clock.now())) {
            return refuse(&Problem::too_many_requests());
        }
        if body.len() > BODY_SIZE_BYTES_MAX {
            return refuse(&Problem::too_large(BODY_SIZE_BYTES_MAX));
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
            return refuse(&Problem::malformed("the request cannot be read"));
        };
        let answer = self.invoker.invoke(&endpoint.deployed, event).await;
        let answer = answer.ok().and_then(|answer| proxy::response(&answer));
        answer.unwrap_or_else(|| refuse(&Problem::unavailable(UNAVAILABLE)))
    }

    /// The answer to a body that was cut off at the limit.
    pub(crate) fn too_large(&self, headers: &HeaderMap) -> Response<Bytes> {
        let request_id = uuid::Uuid::from_u128(self.invoker.entropy.id_bits()).to_string();
        refusal(&Problem::too_large(BODY_SIZE_BYTES_MAX), headers, &request_id)
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

/// What the gateway answers by itself: the same document and headers as a function's.
fn refusal(problem: &Problem, headers: &HeaderMap, request_id: &str) -> Response<Bytes> {
    let correlation_id = correlation_id(headers).unwrap_or(request_id);
    let reply = problem.reply(correlation_id);
    let mut response = Response::new(Bytes::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let own = reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(SECURITY_HEADERS).chain([("X-Correlation-Id", correlation_id)]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
