//! The merchant's calls: open a page, list the payments under a reference, read one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::Checkout;
use super::acts::Page;

/// Most digits of an amount.
const AMOUNT_MAX: i64 = 999_999_999;
/// Longest reference.
const REFERENCE_CHARS_MAX: usize = 80;

/// Members of the request that are understood.
const MEMBERS: [&str; 16] = [
    "amount",
    "billing",
    "cancel_url",
    "capture",
    "currency",
    "customer",
    "description",
    "failure_url",
    "locale",
    "metadata",
    "payment_type",
    "processing_channel_id",
    "products",
    "reference",
    "success_url",
    "3ds",
];

/// Why a call is refused: HTTP status and the vendor's word; without one there is no body.
pub(super) struct Problem {
    status: u16,
    code: Option<String>,
}

impl Problem {
    fn invalid(code: &str) -> Self {
        Self { status: 422, code: Some(code.to_owned()) }
    }

    fn bare(status: u16) -> Self {
        Self { status, code: None }
    }
}

impl Checkout {
    /// Checks the key, applies the script, does it. Every answer of the vendor's names the request.
    async fn serve(
        self: &Arc<Self>,
        operation: &str,
        call: Call,
        apply: impl FnOnce(&Self, &Call) -> Result<(StatusCode, Value), Problem> + Send + 'static,
    ) -> Response {
        if call.header("authorization") != Some(&format!("Bearer {}", self.config.secret_key)) {
            self.till.desk.count("unauthorised");
            return self.answer(Err(Problem::bare(401)));
        }
        let refuse = |refusal: &Refusal| {
            let status = refusal.http_status(422).as_u16();
            let code = refusal.code.clone().or_else(|| (status == 422).then(|| "request_invalid".to_owned()));
            self.answer(Err(Problem { status, code }))
        };
        let call = Arc::new(call);
        let (vendor, made) = (Arc::clone(self), Arc::clone(&call));
        let done = move || {
            let done = apply(&vendor, &made);
            vendor.answer(done)
        };
        self.till.desk.serve(operation, || call.flat(), refuse, done).await
    }

    fn answer(&self, done: Result<(StatusCode, Value), Problem>) -> Response {
        let id = self.till.ids.hex32("request");
        let mut response = match done {
            Ok((status, body)) => reply::json(status, &body),
            Err(Problem { status, code }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                match code {
                    Some(code) => {
                        let body = json!({"request_id": id, "error_type": "request_invalid", "error_codes": [code]});
                        reply::json(status, &body)
                    }
                    None => reply::plain(status, ""),
                }
            }
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("cko-request-id", id);
        }
        response
    }
}

pub(super) async fn create(State(checkout): State<Arc<Checkout>>, call: Call) -> Response {
    checkout.serve("hosted_payment", call, once).await
}

fn once(checkout: &Checkout, call: &Call) -> Result<(StatusCode, Value), Problem> {
    let Some(key) = call.header("cko-idempotency-key") else { return create_page(checkout, call).map(created) };
    let request = call.json.clone().unwrap_or_default().to_string();
    let first = checkout.till.once(key, &request, || create_page(checkout, call));
    first.unwrap_or_else(|| Err(Problem::invalid("idempotency_key_reused"))).map(created)
}

fn created(page: Value) -> (StatusCode, Value) {
    (StatusCode::CREATED, page)
}

fn create_page(checkout: &Checkout, call: &Call) -> Result<Value, Problem> {
    let body =
        call.json.as_ref().and_then(Value::as_object).ok_or_else(|| Problem::invalid("request_body_malformed"))?;
    if let Some(unknown) = body.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(Problem::invalid(&format!("{unknown}_unknown")));
    }
    let amount = body.get("amount").and_then(Value::as_i64).filter(|amount| (1..=AMOUNT_MAX).contains(amount));
    let amount = amount.ok_or_else(|| Problem::invalid("amount_invalid"))?;
    let currency =
        text(body, "currency").filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()));
    let currency = currency.ok_or_else(|| Problem::invalid("currency_invalid"))?;
    let country = body.get("billing").and_then(|billing| billing.pointer("/address/country")).and_then(Value::as_str);
    if country.is_none_or(|country| country.len() != 2) {
        return Err(Problem::invalid("billing_address_country_required"));
    }
    for name in ["success_url", "failure_url", "cancel_url"] {
        if !text(body, name).is_some_and(|url| url.starts_with("http")) {
            return Err(Problem::invalid(&format!("{name}_required")));
        }
    }
    let payment_id = text(body, "reference").filter(|text| text.chars().count() <= REFERENCE_CHARS_MAX);
    let payment_id = payment_id.ok_or_else(|| Problem::invalid("reference_invalid"))?;
    let id = checkout.till.ids.make("hpp_");
    let url = format!("{}/pay/{id}", checkout.till.base_url);
    let page = Page::new(id.clone(), payment_id.to_owned(), amount, currency, text(body, "success_url"));
    lock(&checkout.till.book).add(payment_id, &id, page);
    Ok(json!({
        "id": id, "reference": payment_id,
        "_links": {"self": {"href": format!("{}/hosted-payments/{id}", checkout.till.base_url)}, "redirect": {"href": url}},
    }))
}

fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) async fn list(State(checkout): State<Arc<Checkout>>, call: Call) -> Response {
    let list = |checkout: &Checkout, call: &Call| {
        let reference = call.query("reference").filter(|text| !text.is_empty());
        let reference = reference.ok_or_else(|| Problem::invalid("reference_required"))?;
        let limit: usize =
            call.query("limit").unwrap_or("10").parse().map_err(|_| Problem::invalid("limit_invalid"))?;
        let book = lock(&checkout.till.book);
        let page = book.find(&Named::PaymentId(reference));
        let all: Vec<Value> = page.map(Page::payments).unwrap_or_default();
        let some: Vec<&Value> = all.iter().take(limit).collect();
        Ok((StatusCode::OK, json!({"limit": limit, "skip": 0, "total_count": all.len(), "data": some})))
    };
    checkout.serve("list_payments", call, list).await
}

pub(super) async fn read(State(checkout): State<Arc<Checkout>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |checkout: &Checkout, _: &Call| {
        let book = lock(&checkout.till.book);
        let page = book.find(&Named::Reference(&id));
        let payment = page.and_then(|page| page.payments().into_iter().find(|payment| payment["id"] == id.as_str()));
        payment.map(|payment| (StatusCode::OK, payment)).ok_or_else(|| Problem::bare(404))
    };
    checkout.serve("get_payment", call, read).await
}
