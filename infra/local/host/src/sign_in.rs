//! The local identity provider's page: whoever is asked who he is picks a name. Authorization code with PKCE, as a real provider has it, so that
//! the console signs people in here as it does anywhere; passwords there are none, for nobody else reaches this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runtime::Entropy;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::identity::Issuer;

/// Where people are asked who they are.
pub(crate) const AUTHORIZE_PATH: &str = "/oidc/authorize";
/// Where a code is exchanged.
pub(crate) const TOKEN_PATH: &str = "/oidc/token";
/// The console's name here.
pub(crate) const CLIENT_ID: &str = "console";
/// How long somebody stays signed in, in seconds: a working day.
const SESSION_S: i64 = 8 * 3_600;

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The token's subject.
    pub subject: String,
    /// His roles.
    pub roles: Vec<String>,
}

/// A code that was given out, and is good once.
struct Given {
    person: Person,
    challenge: String,
    redirect_uri: String,
}

pub(crate) struct SignIns {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) people: Vec<Person>,
    /// Where codes may be sent: pages of the console.
    pub(crate) console: String,
    given: Mutex<BTreeMap<String, Given>>,
}

#[derive(Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    /// Who it is, once he has picked his name.
    #[serde(default)]
    subject: String,
}

#[derive(Deserialize)]
struct Exchange {
    code: String,
    redirect_uri: String,
    client_id: String,
    code_verifier: String,
}

impl SignIns {
    pub(crate) fn new(issuer: Arc<Issuer>, entropy: Arc<dyn Entropy>, people: Vec<Person>, url: &str) -> Arc<Self> {
        Arc::new(Self { issuer, entropy, people, console: format!("{url}/console/"), given: Mutex::default() })
    }

    fn refuses(&self, asked: &Asked) -> bool {
        asked.client_id != CLIENT_ID
            || asked.code_challenge_method != "S256"
            || !asked.redirect_uri.starts_with(&self.console)
    }
}

pub(crate) fn routes(sign_ins: Arc<SignIns>) -> Router {
    Router::new().route(AUTHORIZE_PATH, get(ask).post(pick)).route(TOKEN_PATH, post(exchange)).with_state(sign_ins)
}

async fn ask(State(own): State<Arc<SignIns>>, Query(asked): Query<Asked>) -> Response {
    if own.refuses(&asked) {
        return (StatusCode::BAD_REQUEST, "the request is not the console's").into_response();
    }
    let hidden = [
        ("client_id", &asked.client_id),
        ("redirect_uri", &asked.redirect_uri),
        ("state", &asked.state),
        ("code_challenge", &asked.code_challenge),
        ("code_challenge_method", &asked.code_challenge_method),
    ];
    let field =
        |(name, value): (&str, &String)| format!("<input type=hidden name={name} value=\"{}\">", escaped(value));
    let hidden: String = hidden.into_iter().map(field).collect();
    let button = |person: &Person| {
        let (subject, roles) = (escaped(&person.subject), escaped(&person.roles.join(", ")));
        format!("<p><button name=subject value=\"{subject}\">{subject} ({roles})</button></p>")
    };
    let buttons: String = own.people.iter().map(button).collect();
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Who are you?</title><main><h1>Who are you?</h1><p>This is the identity provider of this machine.</p>\
         <form method=post action=\"{AUTHORIZE_PATH}\">{hidden}{buttons}</form></main>"
    ))
    .into_response()
}

async fn pick(State(own): State<Arc<SignIns>>, Form(asked): Form<Asked>) -> Response {
    let person = own.people.iter().find(|person| person.subject == asked.subject).cloned();
    let (Some(person), Ok(mut to), false) = (person, asked.redirect_uri.parse::<Url>(), own.refuses(&asked)) else {
        return (StatusCode::BAD_REQUEST, "the request is not the console's").into_response();
    };
    let code = URL_SAFE_NO_PAD.encode(own.entropy.bytes().unwrap_or_default());
    to.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
    let given = Given { person, challenge: asked.code_challenge, redirect_uri: asked.redirect_uri };
    own.given.lock().unwrap_or_else(PoisonError::into_inner).insert(code, given);
    Redirect::to(to.as_str()).into_response()
}

async fn exchange(State(own): State<Arc<SignIns>>, Form(exchange): Form<Exchange>) -> Response {
    let given = own.given.lock().unwrap_or_else(PoisonError::into_inner).remove(&exchange.code);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(exchange.code_verifier.as_bytes()));
    let given = given.filter(|given| {
        given.challenge == challenge && given.redirect_uri == exchange.redirect_uri && exchange.client_id == CLIENT_ID
    });
    let Some(given) = given else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    let roles: Vec<&str> = given.person.roles.iter().map(String::as_str).collect();
    match own.issuer.mint(&given.person.subject, &roles, None, SESSION_S) {
        Ok(token) => {
            let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": SESSION_S});
            Json(answer).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
