//! Steps of other packages, asked over the API itself with the token of whoever looks: the console's function needs none of their rights,
//! and its binary none of their code.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::input::Fault;
use providers::http::Transport;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::Value;
use url::Url;

use super::values::{list, text};
use super::{Visit, session};

/// What is left for the page once the API has answered.
const SPARE: Duration = Duration::from_millis(500);

/// The API beside the console.
pub(super) struct Api {
    /// Where its routes begin.
    base: Url,
    transport: Arc<dyn Transport>,
}

/// What is asked.
#[derive(Default)]
pub(super) struct Asked<'a> {
    /// The path, part by part.
    pub path: &'a [&'a str],
    /// Parameters without a value are left out.
    pub query: &'a [(&'a str, &'a str)],
    /// What is sent; nothing is a `GET`.
    pub body: Option<Value>,
    /// The `Idempotency-Key`, where there is one.
    pub key: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn get(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Self {
        Self { path, query, ..Self::default() }
    }

    pub(super) fn post(path: &'a [&'a str], body: Value) -> Self {
        Self { path, body: Some(body), ..Self::default() }
    }

    pub(super) fn keyed(self, key: &'a str) -> Self {
        Self { key, ..self }
    }
}

impl Api {
    /// Beside the console at an address.
    pub(super) fn beside(console: &Url, transport: Arc<dyn Transport>) -> Self {
        let mut base = console.clone();
        if let Ok(mut path) = base.path_segments_mut() {
            path.pop_if_empty().pop();
        }
        Self { base, transport }
    }

    fn url(&self, asked: &Asked<'_>) -> Result<Url, Problem> {
        // what a URL takes for a step up or for nothing is no id
        if asked.path.iter().any(|part| part.is_empty() || part.chars().all(|letter| letter == '.')) {
            return Err(super::no_page());
        }
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| super::no_page())?.pop_if_empty().extend(asked.path);
        let there: Vec<_> = asked.query.iter().filter(|(_, value)| !value.is_empty()).collect();
        if !there.is_empty() {
            url.query_pairs_mut().extend_pairs(there.iter().map(|(name, value)| (*name, *value)));
        }
        Ok(url)
    }

    async fn answer(&self, visit: &Visit<'_>, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Problem> {
        let away = || Problem::unavailable("this cannot be asked just now");
        let token = session::token(visit.request).ok_or_else(away)?;
        let method = if asked.body.is_some() { "POST" } else { "GET" };
        let mut request = http::Request::builder()
            .method(method)
            .uri(self.url(asked)?.as_str())
            .header("authorization", format!("Bearer {token}"))
            .header("x-correlation-id", &visit.request.correlation_id);
        if !asked.key.is_empty() {
            request = request.header("idempotency-key", asked.key);
        }
        if asked.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = asked.body.as_ref().map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = request.body(body).map_err(|_| away())?;
        let deadline = visit.request.time_left.saturating_sub(SPARE);
        let answer = self.transport.send(request, deadline).await.map_err(|error| {
            tracing::warn!(%error, path = asked.path.join("/"), "the API does not answer the console");
            away()
        })?;
        if answer.status().is_success() { Ok(answer) } else { Err(problem(&answer)) }
    }

    /// What the API answers whoever looks.
    ///
    /// # Errors
    /// Its own.
    pub(super) async fn ask(&self, visit: &Visit<'_>, asked: Asked<'_>) -> Result<Value, Problem> {
        let answer = self.answer(visit, &asked).await?;
        serde_json::from_slice(answer.body()).map_err(|_| Problem::unavailable("an answer could not be read"))
    }

    /// A file, to be kept by the browser.
    ///
    /// # Errors
    /// The API's.
    pub(super) async fn file(&self, visit: &Visit<'_>, asked: Asked<'_>) -> Result<Reply, Problem> {
        let answer = self.answer(visit, &asked).await?;
        let header = |name: &str| Some((name.to_owned(), answer.headers().get(name)?.to_str().ok()?.to_owned()));
        let headers = ["content-type", "content-disposition"].into_iter().filter_map(header).collect();
        let body = String::from_utf8(answer.body().to_vec());
        Ok(Reply { status: 200, headers, body: body.map_err(|_| Problem::unavailable("an answer could not be read"))? })
    }
}

/// A refusal of the API as the console shows it.
fn problem(answer: &http::Response<Bytes>) -> Problem {
    let told: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let detail = text(&told, "detail");
    let fault = |fault: &Value| Fault::new(text(fault, "pointer"), "refused", text(fault, "message"));
    let errors = list(&told, "errors").iter().map(fault).collect();
    let problem = match answer.status().as_u16() {
        400 | 413 | 415 => Problem::malformed(detail),
        401 => Problem::unauthorized(detail),
        403 => Problem::forbidden(detail),
        404 | 405 => Problem::not_found(detail),
        409 => Problem::conflict(detail),
        410 => Problem::gone(detail),
        422 => Problem::refused(detail),
        429 => Problem::too_many_requests(),
        _ => Problem::unavailable("this did not work just now"),
    };
    Problem { errors, ..problem }
}

#[cfg(test)]
mod tests {
    use providers::http::HyperTransport;

    use super::*;

    fn beside(console: &str) -> Api {
        Api::beside(&console.parse().unwrap(), Arc::new(HyperTransport::new()))
    }

    #[test]
    fn the_api_is_beside_the_console_whatever_stands_before_both() {
        let asked = Asked::get(&["v1", "partners", "ptn_1/../x?y"], &[("limit", "5"), ("cursor", "")]);
        let url = |console: &str| beside(console).url(&asked).unwrap().to_string();
        assert_eq!(
            url("http://127.0.0.1:8700/console"),
            "http://127.0.0.1:8700/v1/partners/ptn_1%2F..%2Fx%3Fy?limit=5"
        );
        assert_eq!(
            url("https://api.example/prod/console/"),
            "https://api.example/prod/v1/partners/ptn_1%2F..%2Fx%3Fy?limit=5"
        );
    }

    #[test]
    fn an_id_is_one_part_of_the_path_and_never_a_way_elsewhere() {
        for id in ["", ".", ".."] {
            let refused = beside("http://127.0.0.1/console").url(&Asked::get(&["v1", "partners", id], &[]));
            assert_eq!(refused.unwrap_err().status, 404, "{id}");
        }
    }
}
