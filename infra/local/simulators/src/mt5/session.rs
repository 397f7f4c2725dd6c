//! Log-on: the connection, not a cookie, is what becomes authenticated.

use serde_json::{Map, Value, json};

use crate::desk::lock;
use crate::request::Call;
use crate::serve::{Connection, Session};

use super::handshake::{answer_to, password_hash};
use super::retcode::Retcode;
use super::{Mt5, Outcome};

/// Build number of the access server.
const ACCESS_VERSION: &str = "3470";

pub(super) fn start(mt5: &Mt5, call: &Call, connection: &Connection) -> Outcome {
    *lock(&connection.session) = Session::Unknown;
    if call.argument("type", "Type").as_deref() != Some("manager") {
        return Err(Retcode::INVALID_CLIENT_TYPE);
    }
    let login = call.argument("login", "Login");
    if login.and_then(|text| text.parse().ok()) != Some(mt5.config.manager_login) {
        return Err(Retcode::INVALID_ACCOUNT);
    }
    let random = mt5.ids.hex32("srv_rand");
    *lock(&connection.session) = Session::Challenged(random.clone());
    Ok(Map::from_iter([
        ("version_access".to_owned(), json!(ACCESS_VERSION)),
        ("srv_rand".to_owned(), Value::String(random)),
    ]))
}

pub(super) fn answer(mt5: &Mt5, call: &Call, connection: &Connection) -> Outcome {
    // Taken out: a challenge is good for one answer.
    let challenge = std::mem::take(&mut *lock(&connection.session));
    let Session::Challenged(random) = challenge else {
        return Err(Retcode::INVALID_PARAMETERS);
    };
    let ours = call.argument("cli_rand", "CliRand").unwrap_or_default();
    let client_random = hex::decode(ours).ok().filter(|bytes| bytes.len() == 16).ok_or(Retcode::INVALID_PARAMETERS)?;
    let given = call.argument("srv_rand_answer", "SrvRandAnswer").unwrap_or_default();
    let hash = password_hash(&mt5.config.password);
    let server_random = hex::decode(&random).unwrap_or_default();
    if !given.eq_ignore_ascii_case(&answer_to(&hash, &server_random)) {
        return Err(Retcode::INVALID_ACCOUNT);
    }
    *lock(&connection.session) = Session::Authenticated(mt5.epoch());
    Ok(Map::from_iter([
        ("version_access".to_owned(), json!(ACCESS_VERSION)),
        ("version_trade".to_owned(), json!(ACCESS_VERSION)),
        ("cli_rand_answer".to_owned(), Value::String(answer_to(&hash, &client_random))),
    ]))
}
