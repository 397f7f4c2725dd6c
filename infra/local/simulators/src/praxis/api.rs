//! The merchant's calls: create a session, look an order up.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::Praxis;
use super::message::{Members, Message, raw, string, value_of};
use super::order::Order;
use super::signature::{ANSWER_FIELDS, CASHIER_REQUEST_FIELDS, FIND_ORDER_REQUEST_FIELDS, HEADER, listed, sign};

/// Version written into every message.
pub(super) const VERSION: &str = "1.3";
/// Longest order id.
const ORDER_ID_CHARS_MAX: usize = 50;
/// Status of every application error. The vendor's own numbers are not public.
const APPLICATION_ERROR: i64 = 1;

/// Why a call is refused.
struct Refused(String);

impl From<&str> for Refused {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Praxis {
    async fn serve(
        self: &Arc<Self>,
        operation: &str,
        call: Call,
        fields: &'static [&'static str],
        apply: fn(&Self, &Members) -> Result<Message, Refused>,
    ) -> Response {
        let members: Members = serde_json::from_slice(&call.body).unwrap_or_default();
        if let Err(refused) = self.check_signature(&call, &members, fields) {
            self.till.desk.count("unauthorised");
            return self.error(StatusCode::OK, APPLICATION_ERROR, &refused.0);
        }
        let praxis = Arc::clone(self);
        let done = move || match apply(&praxis, &members) {
            Ok(message) => praxis.answer(StatusCode::OK, message),
            Err(refused) => praxis.error(StatusCode::OK, APPLICATION_ERROR, &refused.0),
        };
        let refuse = |refusal: &Refusal| {
            let status = refusal.retcode.unwrap_or(APPLICATION_ERROR);
            let http = refusal.http_status(200);
            self.error(http, status, &refusal.text("Refused by script"))
        };
        self.till.desk.serve(operation, || call.flat(), refuse, done).await
    }

    fn check_signature(&self, call: &Call, members: &Members, fields: &[&str]) -> Result<(), Refused> {
        let is = |name: &str, expected: &str| value_of(members, name).as_deref() == Some(expected);
        if !is("merchant_id", &self.config.merchant_id) {
            return Err("Invalid merchant_id".into());
        }
        if !is("application_key", &self.config.application_key) {
            return Err("Invalid application_key".into());
        }
        let expected = sign(listed(members, fields), &self.config.secret);
        match call.header(HEADER) {
            Some(given) if given.eq_ignore_ascii_case(&expected) => Ok(()),
            Some(_) => Err("Invalid signature".into()),
            None => Err("Signature is missing".into()),
        }
    }

    fn error(&self, http: StatusCode, status: i64, description: &str) -> Response {
        let mut top = Members::new();
        top.insert("status".to_owned(), raw(&status.to_string()));
        top.insert("description".to_owned(), string(description));
        self.finish(http, top, |top| super::message::object(&top).get().to_owned())
    }

    fn answer(&self, http: StatusCode, mut message: Message) -> Response {
        let mut top = std::mem::take(&mut message.top);
        top.insert("status".to_owned(), raw("0"));
        top.insert("description".to_owned(), string("Ok"));
        self.finish(http, top, |top| {
            message.top = top;
            message.text()
        })
    }

    /// Adds version and time, signs, answers.
    fn finish(&self, http: StatusCode, mut top: Members, write: impl FnOnce(Members) -> String) -> Response {
        top.insert("version".to_owned(), string(VERSION));
        top.insert("timestamp".to_owned(), raw(&self.till.clock.now_s().to_string()));
        let signature = sign(listed(&top, &ANSWER_FIELDS), &self.config.secret);
        let mut response = reply::text(http, "application/json; charset=utf-8", write(top));
        if let Ok(value) = HeaderValue::from_str(&signature) {
            response.headers_mut().insert(HEADER, value);
        }
        response
    }
}

pub(super) async fn cashier(State(praxis): State<Arc<Praxis>>, call: Call) -> Response {
    praxis.serve("cashier", call, &CASHIER_REQUEST_FIELDS, create_session).await
}

fn create_session(praxis: &Praxis, members: &Members) -> Result<Message, Refused> {
    let asked = asked_order(praxis, members)?;
    let mut book = lock(&praxis.till.book);
    let order = match book.find(&Named::PaymentId(&asked.order_id)) {
        Some(known) if known.same_request(&asked) => known.clone(),
        Some(_) => return Err("order_id was used with other parameters".into()),
        None => {
            book.add(asked.clone());
            asked
        }
    };
    let redirect_url = format!("{}/pay/{}", praxis.till.base_url, order.auth_token);
    let mut message = message_about(&order);
    message.top.insert("redirect_url".to_owned(), string(&redirect_url));
    Ok(message)
}

fn asked_order(praxis: &Praxis, members: &Members) -> Result<Order, Refused> {
    let need = |name: &str| {
        value_of(members, name).filter(|value| !value.is_empty()).ok_or_else(|| Refused(format!("{name} is required")))
    };
    for name in ["version", "timestamp", "notification_url"] {
        need(name)?;
    }
    let order_id = need("order_id")?;
    if order_id.chars().count() > ORDER_ID_CHARS_MAX {
        return Err("order_id is longer than 50 characters".into());
    }
    let amount = need("amount")?;
    let positive = amount.parse::<rust_decimal::Decimal>().is_ok_and(|amount| amount > rust_decimal::Decimal::ZERO);
    let written_as_number = members.get("amount").is_some_and(|value| !value.get().starts_with('"'));
    if !positive || !written_as_number {
        return Err("amount must be a positive number".into());
    }
    let currency = need("currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("currency must be three upper-case letters".into());
    }
    let intent = need("intent")?;
    if !matches!(intent.as_str(), "payment" | "withdrawal" | "authorization") {
        return Err("intent is not known".into());
    }
    Ok(Order {
        auth_token: praxis.till.ids.make(""),
        customer_token: praxis.till.ids.make("ct_"),
        cid: need("cid")?,
        order_id,
        intent,
        amount,
        currency,
        return_url: value_of(members, "return_url"),
        expired: false,
        transaction: None,
    })
}

/// Customer, session and transaction of an order, without the top level.
pub(super) fn message_about(order: &Order) -> Message {
    Message {
        top: Members::new(),
        customer: order.customer_members(),
        session: order.session_members(),
        transaction: order.transaction.as_ref().map(|transaction| order.transaction_members(transaction)),
    }
}

pub(super) async fn find_order(State(praxis): State<Arc<Praxis>>, call: Call) -> Response {
    praxis.serve("find_order", call, &FIND_ORDER_REQUEST_FIELDS, look_up).await
}

fn look_up(praxis: &Praxis, members: &Members) -> Result<Message, Refused> {
    let order_id = value_of(members, "order_id").unwrap_or_default();
    lock(&praxis.till.book)
        .find(&Named::PaymentId(&order_id))
        .map(message_about)
        .ok_or_else(|| "Order not found".into())
}
