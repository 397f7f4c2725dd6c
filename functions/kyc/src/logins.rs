//! `POST /v1/clients/{client_id}/logins`: the portal tells of a client's login. It is recorded once, however often it is told of.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ClientId;
use domain::client::Client;
use domain::client::login::{ClientLogin, PseudonymOf, Told};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::secrets::Secrets;
use runtime::{Problem, StepError, awsclients, step};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use store::Crm;

/// Fewer bytes are no key: addresses are few, and could all be tried.
const KEY_BYTES_MIN: usize = 32;
/// So many digits of a pseudonym: two of a million million differ.
const PSEUDONYM_CHARS: usize = 32;

/// The step.
pub struct Logins {
    crm: Crm,
    secrets: Secrets,
    key_name: String,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Logins {
        crm: awsclients::crm(ports)?,
        secrets: Secrets::new(ports),
        key_name: ports.need("PSEUDONYMS_KEY_SECRET")?.to_owned(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Logins {
    const NAME: &'static str = "kyc-logins";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/clients/{client_id}/logins", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.record(request))
        })];
}

impl Logins {
    async fn record(&self, request: &Request) -> Result<Reply, Problem> {
        let id: ClientId = request.id("client_id")?;
        let told = Told::read(&request.json()?, request.now).map_err(Problem::input)?;
        if self.crm.load_settled::<Client>(&id).await?.is_none() {
            return Err(Problem::not_found("there is no such client"));
        }
        let key = key(&self.secrets.get(&self.key_name).await?)?;
        let decision = ClientLogin::recorded(&id, &told, |of, value| pseudonym(&key, of, value), request.now);
        let login_id = decision.next.id.clone();
        step::create(&self.crm, decision, &request.frame(Self::NAME)).await?;
        Ok(Reply::json(202, &json!({"login_id": login_id})))
    }
}

fn key(secret: &SecretString) -> Result<hmac::Key, StepError> {
    let bytes = STANDARD.decode(secret.expose_secret().trim()).ok().filter(|bytes| bytes.len() >= KEY_BYTES_MIN);
    let bytes = bytes.ok_or_else(|| StepError::Secret {
        name: "pseudonyms-key".to_owned(),
        what: format!("it must be {KEY_BYTES_MIN} bytes in base64"),
        retry: false,
    })?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn pseudonym(key: &hmac::Key, of: PseudonymOf, value: &str) -> String {
    let tag = hmac::sign(key, format!("{}{value}", of.domain()).as_bytes());
    hex::encode(tag.as_ref()).chars().take(PSEUDONYM_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_the_same_under_one_key_and_another_under_another() {
        let keys = [[1_u8; 32], [2_u8; 32]].map(|bytes| key(&SecretString::from(STANDARD.encode(bytes))).unwrap());
        let of = |key: usize, of, value: &str| pseudonym(&keys[key], of, value);
        let ip = of(0, PseudonymOf::Ip, "203.0.113.7");
        assert_eq!((ip.len(), &ip), (PSEUDONYM_CHARS, &of(0, PseudonymOf::Ip, "203.0.113.7")));
        for other in [
            of(1, PseudonymOf::Ip, "203.0.113.7"),
            of(0, PseudonymOf::Device, "203.0.113.7"),
            of(0, PseudonymOf::Ip, "203.0.113.8"),
        ] {
            assert_ne!(ip, other);
        }
    }

    #[test]
    fn a_key_that_could_be_guessed_is_none() {
        for text in ["", "secret", &STANDARD.encode([7_u8; 31])] {
            assert!(matches!(key(&SecretString::from(text.to_owned())), Err(StepError::Secret { retry: false, .. })));
        }
    }
}
