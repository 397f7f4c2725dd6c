//! Topics that tell of bounces and complaints: messages signed as SNS signs them, version 2, and the certificate that they name. The key is
//! one of this repository and proves nothing anywhere else.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::reply;

/// The certificate.
pub const CERTIFICATE: &str = include_str!("../keys/sns.cert.pem");
/// Its key, PKCS #8.
pub const KEY: &str = include_str!("../keys/sns.key.pem");
/// Where the certificate is below the base of the mail service.
pub const CERTIFICATE_PATH: &str = "/sns/certificate.pem";
/// Where a subscription is confirmed.
pub const CONFIRM_PATH: &str = "/sns/confirm";

/// What a message of a topic is about.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A subscription is to be confirmed.
    Confirmation,
    /// Something happened.
    Notification,
}

/// A message of a topic whose certificate is below `base`, signed; `None` where it cannot be.
pub fn message(base: &str, topic: &str, kind: Kind, id: &str, at: &str, text: &str) -> Option<Value> {
    let mut own = json!({
        "MessageId": id, "TopicArn": topic, "Message": text, "Timestamp": at, "SignatureVersion": "2",
        "SigningCertURL": format!("{base}{CERTIFICATE_PATH}"),
    });
    let members = own.as_object_mut()?;
    let signed: &[&str] = match kind {
        Kind::Confirmation => {
            members.insert("Type".to_owned(), json!("SubscriptionConfirmation"));
            members.insert("Token".to_owned(), json!("2336412f37fb687f5d51e6e2425c464de"));
            members.insert("SubscribeURL".to_owned(), json!(format!("{base}{CONFIRM_PATH}?TopicArn={topic}")));
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        Kind::Notification => {
            members.insert("Type".to_owned(), json!("Notification"));
            &["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
        }
    };
    let line = |name: &&str| Some(format!("{name}\n{}\n", members.get(*name)?.as_str()?));
    let text: String = signed.iter().filter_map(line).collect();
    let signature = sign(text.as_bytes())?;
    members.insert("Signature".to_owned(), json!(signature));
    Some(own)
}

fn sign(text: &[u8]) -> Option<String> {
    let body: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).ok()?).ok()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
    Some(STANDARD.encode(signature))
}

pub(crate) fn router() -> Router {
    Router::new().route(CERTIFICATE_PATH, get(certificate)).route(CONFIRM_PATH, get(confirm))
}

async fn certificate() -> Response {
    reply::text(StatusCode::OK, "application/x-pem-file", CERTIFICATE)
}

async fn confirm() -> Response {
    reply::text(StatusCode::OK, "text/xml", "<ConfirmSubscriptionResponse/>")
}
