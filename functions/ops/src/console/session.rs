//! Who is at the browser. Signing in is OpenID Connect's authorization code with PKCE (RFC 7636); the session is the provider's token in a cookie
//! that no script reads, and it is checked as any token of the API is, so it ends when that ends. Nothing is stored here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use providers::http::Transport;
use runtime::auth::Authority;
use runtime::function::{ConfigError, Entropy, Ports};
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::api::Api;
use super::page::redirect;

/// The token of who is signed in.
const SESSION: &str = "pipworks_session";
/// What is kept of a sign-in that is under way: state, verifier, and the page to go to.
const PENDING: &str = "pipworks_sign_in";
/// How long signing in may take, in seconds.
const PENDING_S: u32 = 600;
/// Instead of an address: nobody signs in here.
const OFF: &str = "off";
/// How long the provider may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The identity provider.
pub(super) struct SignIn {
    authorize: Url,
    token: Url,
    client_id: String,
    console: Url,
    transport: Arc<dyn Transport>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    id_token: Option<String>,
}

impl SignIn {
    /// From `OIDC_AUTHORIZE_URL`, `OIDC_TOKEN_URL`, `OIDC_CLIENT_ID` and `CONSOLE_URL`; none where the first is `off`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub(super) fn new(ports: &Ports) -> Result<Option<Self>, ConfigError> {
        if ports.need("OIDC_AUTHORIZE_URL")? == OFF {
            return Ok(None);
        }
        let url = |name: &'static str| {
            ports.need(name)?.parse::<Url>().map_err(|_| ConfigError::Invalid(name, "it is no URL"))
        };
        Ok(Some(Self {
            authorize: url("OIDC_AUTHORIZE_URL")?,
            token: url("OIDC_TOKEN_URL")?,
            client_id: ports.need("OIDC_CLIENT_ID")?.to_owned(),
            console: url("CONSOLE_URL")?,
            transport: ports.transport.clone(),
        }))
    }

    /// The path under which browsers see the console: a stage of the gateway stands before it.
    pub(super) fn base(&self) -> String {
        self.console.path().trim_end_matches('/').to_owned()
    }

    /// The API beside the console.
    pub(super) fn api(&self, transport: Arc<dyn Transport>) -> Api {
        Api::beside(&self.console, transport)
    }

    fn callback(&self) -> String {
        format!("{}/callback", self.console.as_str().trim_end_matches('/'))
    }

    /// To the provider.
    pub(super) fn begin(&self, entropy: &dyn Entropy, request: &Request) -> Result<Reply, Problem> {
        let random = || entropy.bytes().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let (Some(state), Some(verifier)) = (random(), random()) else {
            return Err(Problem::unavailable("signing in does not work just now"));
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut to = self.authorize.clone();
        to.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.callback())
            .append_pair("scope", "openid profile")
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let back = request.query.get("back").map(String::as_str).filter(|back| is_own_page(back)).unwrap_or("");
        let pending = format!("{state}.{verifier}.{}", URL_SAFE_NO_PAD.encode(back));
        let mut reply = redirect(to.as_str());
        reply.headers.insert("Set-Cookie".to_owned(), self.cookie(PENDING, &pending, PENDING_S, request));
        Ok(reply)
    }

    /// From the provider: its code is exchanged for a token, and the token is the session.
    pub(super) async fn end(&self, authority: &Authority, request: &Request) -> Result<Reply, Problem> {
        let lost = || Problem::forbidden("this sign-in was not begun in this browser, or took too long");
        let pending = cookie(request, PENDING).ok_or_else(lost)?;
        let mut parts = pending.splitn(3, '.');
        let (Some(state), Some(verifier), Some(back)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(lost());
        };
        let said = request.query.get("state").map_or("", String::as_str);
        if !bool::from(said.as_bytes().ct_eq(state.as_bytes())) {
            return Err(lost());
        }
        let Some(code) = request.query.get("code") else {
            return Err(Problem::forbidden("the identity provider did not let you in"));
        };
        let token = self.exchange(code, verifier).await?;
        let caller = authority.caller(Some(&format!("Bearer {token}"))).await?;
        tracing::info!(subject = caller.subject, "signed in to the console");
        let back = URL_SAFE_NO_PAD.decode(back).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let back = back.filter(|back| is_own_page(back)).unwrap_or_default();
        let mut reply = redirect(&format!("{}{back}", self.base()));
        // the token says itself when it ends; the cookie is the browser's until it is closed
        reply.headers.insert("Set-Cookie".to_owned(), self.cookie(SESSION, &token, 0, request));
        Ok(reply)
    }

    async fn exchange(&self, code: &str, verifier: &str) -> Result<String, Problem> {
        let away = || Problem::unavailable("the identity provider does not answer");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.callback())
            .append_pair("client_id", &self.client_id)
            .append_pair("code_verifier", verifier)
            .finish();
        let request = http::Request::post(self.token.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(Bytes::from(form))
            .map_err(|_| away())?;
        let answer = self.transport.send(request, TIMEOUT).await.map_err(|error| {
            tracing::warn!(%error, "the identity provider does not answer");
            away()
        })?;
        if answer.status().is_server_error() {
            return Err(away());
        }
        let tokens = serde_json::from_slice::<Tokens>(answer.body()).ok().filter(|_| answer.status().is_success());
        let token = tokens.and_then(|tokens| tokens.access_token.or(tokens.id_token));
        token.ok_or_else(|| Problem::forbidden("the identity provider did not let you in"))
    }

    fn cookie(&self, name: &str, value: &str, life_s: u32, request: &Request) -> String {
        set_cookie(&self.base(), name, value, Some(life_s).filter(|life| *life > 0), request)
    }
}

/// A page of the console and nothing else: what stands in an address may be anybody's.
fn is_own_page(path: &str) -> bool {
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    path.starts_with('/') && !path.starts_with("//") && plain && path.len() <= 500
}

fn set_cookie(base: &str, name: &str, value: &str, life_s: Option<u32>, request: &Request) -> String {
    let life = life_s.map(|life| format!("; Max-Age={life}")).unwrap_or_default();
    let secure = if request.header("x-forwarded-proto") == Some("https") { "; Secure" } else { "" };
    format!("{name}={value}; Path={base}; HttpOnly; SameSite=Lax{life}{secure}")
}

fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let all = request.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// The token of whoever is signed in.
pub(super) fn token(request: &Request) -> Option<&str> {
    cookie(request, SESSION)
}

/// Who is signed in.
///
/// # Errors
/// 401 if nobody is.
pub(super) async fn caller(authority: &Authority, request: &Request) -> Result<Caller, Problem> {
    let token = token(request).ok_or_else(|| Problem::unauthorized("nobody is signed in"))?;
    authority.caller(Some(&format!("Bearer {token}"))).await
}

/// Nobody is, from now on.
pub(super) fn signed_out(base: &str, request: &Request) -> Reply {
    let mut reply = redirect(base);
    let gone = set_cookie(base, SESSION, "", Some(0), request);
    reply.headers.insert("Set-Cookie".to_owned(), gone);
    reply
}

/// Whether a form was sent from a page of ours: the browser says so itself (Fetch Metadata), an older one by `Origin`. Whoever says neither
/// is no browser, and has no cookie that was not given to it.
pub(super) fn is_same_origin(request: &Request) -> bool {
    if let Some(site) = request.header("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = request.header("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == request.header("host")
}

/// A query as it stands in an address.
pub(super) fn query(query: &BTreeMap<String, String>) -> String {
    if query.is_empty() {
        return String::new();
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(query);
    format!("?{}", text.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for own in ["/work", "/work?queue=finance", "/rules/psps/1"] {
            assert!(is_own_page(own), "{own}");
        }
        for other in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a b", "/a\r\nSet-Cookie: x"] {
            assert!(!is_own_page(other), "{other}");
        }
    }
}
