//! The REST proxy integration, version 1: an HTTP request to a Lambda event and a Lambda answer to an HTTP response.

use std::collections::BTreeMap;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::template::ACCOUNT;

/// A request that has found its route.
pub(super) struct Routed<'a> {
    pub(super) resource: &'a str,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    pub(super) source_ip: &'a str,
    pub(super) request_id: &'a str,
    pub(super) at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: BTreeMap<&'a str, String>,
    multi_value_headers: BTreeMap<&'a str, Vec<String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    path_parameters: Option<BTreeMap<String, String>>,
    stage_variables: Option<BTreeMap<String, String>>,
    request_context: RequestContext<'a>,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    stage: &'static str,
    protocol: &'static str,
    resource_path: &'a str,
    http_method: &'a str,
    path: &'a str,
    request_id: &'a str,
    extended_request_id: &'a str,
    request_time_epoch: i64,
    identity: Identity<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    source_ip: &'a str,
    user_agent: Option<String>,
}

/// The event of a request.
pub(super) fn event(routed: &Routed<'_>) -> serde_json::Result<Box<RawValue>> {
    let mut multi_value_headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in routed.headers {
        multi_value_headers.entry(name.as_str()).or_default().push(text(value));
    }
    let mut multi_value_query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(routed.query.as_bytes()) {
        multi_value_query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    // the gateway passes text through and encodes everything else
    let (body, is_base64_encoded) = match std::str::from_utf8(routed.body) {
        Ok("") => (None, false),
        Ok(text) => (Some(text.to_owned()), false),
        Err(_) => (Some(STANDARD.encode(routed.body)), true),
    };
    to_raw_value(&ProxyEvent {
        resource: routed.resource,
        path: routed.path,
        http_method: routed.method.as_str(),
        headers: last(&multi_value_headers),
        query_string_parameters: some(last(&multi_value_query)),
        multi_value_query_string_parameters: some(multi_value_query),
        multi_value_headers,
        path_parameters: some(routed.parameters.clone()),
        stage_variables: None,
        request_context: RequestContext {
            account_id: ACCOUNT,
            api_id: "local",
            stage: "local",
            protocol: "HTTP/1.1",
            resource_path: routed.resource,
            http_method: routed.method.as_str(),
            path: routed.path,
            request_id: routed.request_id,
            extended_request_id: routed.request_id,
            request_time_epoch: routed.at.millis(),
            identity: Identity { source_ip: routed.source_ip, user_agent: routed.headers.get("user-agent").map(text) },
        },
        body,
        is_base64_encoded,
    })
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The single-value maps hold the last of several values.
fn last<K: Ord + Clone>(all: &BTreeMap<K, Vec<String>>) -> BTreeMap<K, String> {
    all.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone()))).collect()
}

/// The gateway writes `null` for an empty map.
fn some<K: Ord, V>(map: BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyAnswer {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, HeaderText>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<HeaderText>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HeaderText {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl HeaderText {
    fn value(&self) -> Option<HeaderValue> {
        match self {
            Self::Text(text) => HeaderValue::from_str(text).ok(),
            Self::Number(number) => Some(HeaderValue::from(*number)),
            Self::Flag(flag) => Some(HeaderValue::from_static(if *flag { "true" } else { "false" })),
        }
    }
}

/// The response of an answer; `None` where the gateway would say "malformed Lambda proxy response".
pub(super) fn response(answer: &RawValue) -> Option<Response<Bytes>> {
    let answer: ProxyAnswer = serde_json::from_str(answer.get()).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.iter().flatten() {
        headers.insert(HeaderName::try_from(name.as_str()).ok()?, value.value()?);
    }
    for (name, values) in answer.multi_value_headers.iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        headers.remove(&name);
        for value in values {
            headers.append(name.clone(), value.value()?);
        }
    }
    // what the gateway assumes
    headers.entry("content-type").or_insert(HeaderValue::from_static("application/json"));
    Some(response)
}
