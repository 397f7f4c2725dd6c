//! One incoming request, read once, with its parameters wherever the caller put them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};
use serde_json::Value;

/// The request as every simulator sees it.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Path and query as they were sent, for vendors that sign them.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    /// The body as form fields; empty when the body is JSON.
    pub(crate) form: Vec<(String, String)>,
    /// The body as JSON, recognised by its first character: some vendors send JSON under a form content type.
    pub(crate) json: Option<Value>,
    pub(crate) body: Bytes,
    pub(crate) extensions: http::Extensions,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let target = request.uri().path_and_query().map_or_else(|| path.clone(), |target| target.as_str().to_owned());
        let query = pairs(request.uri().query().unwrap_or("").as_bytes());
        let headers = request.headers().clone();
        let extensions = request.extensions().clone();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let (form, json) = read_body(&body);
        Ok(Self { method, path, target, headers, query, form, json, body, extensions })
    }
}

type Pairs = Vec<(String, String)>;

/// A body that begins as JSON and is none counts as empty: each vendor has its own word for that.
fn read_body(body: &[u8]) -> (Pairs, Option<Value>) {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => (Vec::new(), serde_json::from_slice(body).ok()),
        Some(_) => (pairs(body), None),
        None => (Vec::new(), None),
    }
}

/// Form or query pairs with percent and plus decoded.
pub(crate) fn pairs(text: &[u8]) -> Pairs {
    url::form_urlencoded::parse(text).into_owned().collect()
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    pub(crate) fn form(&self, name: &str) -> Option<&str> {
        find(&self.form, name)
    }

    /// All parameters by name: query, form, JSON members joined by dots, and `body` and `path`.
    pub(crate) fn flat(&self) -> Pairs {
        let mut all = self.query.clone();
        all.extend(self.form.iter().cloned());
        if let Some(json) = &self.json {
            flatten("", json, &mut all);
        }
        all.push(("path".to_owned(), self.path.clone()));
        all.push(("body".to_owned(), String::from_utf8_lossy(&self.body).into_owned()));
        all
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn flatten(prefix: &str, value: &Value, out: &mut Pairs) {
    let join = |key: &str| match prefix {
        "" => key.to_owned(),
        _ => format!("{prefix}.{key}"),
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| flatten(&join(key), member, out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| flatten(&join(&index.to_string()), item, out))
        }
        Value::String(text) => out.push((prefix.to_owned(), text.clone())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => out.push((prefix.to_owned(), value.to_string())),
    }
}

impl Call {
    /// A parameter of the trading server's API: in the body under its member name (or its query name), or in the
    /// query. The body wins.
    pub(crate) fn argument(&self, query: &str, member: &str) -> Option<String> {
        let in_json = self.json.as_ref().and_then(|json| json.get(member).or_else(|| json.get(query)));
        match in_json {
            Some(Value::Null) | None => {}
            Some(Value::String(text)) => return Some(text.clone()),
            Some(other) => return Some(other.to_string()),
        }
        self.form(member).or_else(|| self.form(query)).or_else(|| self.query(query)).map(str::to_owned)
    }

    /// A list parameter: comma-separated, or an array in a JSON body.
    pub(crate) fn arguments(&self, query: &str, member: &str) -> Vec<String> {
        let in_json = self.json.as_ref().and_then(|json| json.get(member).or_else(|| json.get(query)));
        if let Some(Value::Array(items)) = in_json {
            let items = items.iter();
            return items
                .map(|item| match item {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
                .collect();
        }
        let text = self.argument(query, member).unwrap_or_default();
        let parts = text.split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}
