//! What a browser asks before a page of another origin may upload, and what it must be told afterwards.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::template::CorsRule;

/// The rule under which a page of the request's origin may use a method.
fn rule<'a>(rules: &'a [CorsRule], headers: &HeaderMap, method: &str) -> Option<(&'a CorsRule, HeaderValue)> {
    let origin = headers.get(header::ORIGIN)?;
    let fits = |rule: &&CorsRule| {
        rule.methods.iter().any(|own| own == method) && rule.origins.iter().any(|own| own == "*" || own == origin)
    };
    rules.iter().find(fits).map(|rule| (rule, origin.clone()))
}

/// The answer to a browser's question, or nothing where no rule allows what it asks.
pub(super) fn preflight(rules: &[CorsRule], request: &Parts) -> Option<Response<s3s::Body>> {
    let asked = |name: header::HeaderName| request.headers.get(name).map_or(Some(""), |value| value.to_str().ok());
    let method = asked(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let (rule, origin) = rule(rules, &request.headers, method)?;
    let wanted = asked(header::ACCESS_CONTROL_REQUEST_HEADERS)?;
    let allowed = |name: &str| rule.headers.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(name));
    if !wanted.split(',').map(str::trim).filter(|name| !name.is_empty()).all(allowed) {
        return None;
    }
    let mut answer = Response::new(s3s::Body::empty());
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_str(&rule.methods.join(", ")).ok()?);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_str(wanted).ok()?);
    Some(answer)
}

/// Lets the page see the answer to what it sent.
pub(super) fn allow(rules: &[CorsRule], headers: &HeaderMap, method: &str, answer: &mut Response<s3s::Body>) {
    if let Some((_, origin)) = rule(rules, headers, method) {
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
}
