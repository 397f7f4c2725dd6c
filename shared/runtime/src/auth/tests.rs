//! Tokens and keys as an identity provider makes them, and one that is down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::{Request, Response};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::Timestamp;
use providers::http::{BoxFuture, Connection, Transport, TransportError};
use serde_json::{Value, json};

use super::Authority;
use crate::function::{Clock, ConfigError, Entropy, Ports};

const URL: &str = "https://issuer.example.com/keys";
const NOW_S: i64 = 1_800_000_000;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn id_bits(&self) -> u128 {
        0
    }

    fn bytes(&self) -> Option<[u8; 32]> {
        None
    }
}

/// Answers with what was laid down, and then always with the last of it.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<(u16, Value), TransportError>>>,
    asked: Mutex<u32>,
    delay: Duration,
}

impl Transport for Scripted {
    fn send<'a>(
        &'a self,
        _request: Request<Bytes>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            *self.asked.lock().unwrap() += 1;
            tokio::time::sleep(self.delay).await;
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            let (status, body) = answer.unwrap()?;
            Ok(Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap())
        })
    }

    fn connect<'a>(
        &'a self,
        _base: &'a url::Url,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async { Err(TransportError::NotSent("not here".to_owned())) })
    }
}

pub(crate) struct Desk {
    pub(crate) ports: Ports,
    authority: Authority,
    clock: Arc<Hands>,
    issuer: Arc<Scripted>,
}

impl Desk {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<(u16, Value), TransportError>>) -> Self {
        Self::slow(answers, Duration::ZERO)
    }

    fn slow(answers: impl IntoIterator<Item = Result<(u16, Value), TransportError>>, delay: Duration) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        let (clock, issuer) =
            (Arc::new(Hands(AtomicI64::new(NOW_S))), Arc::new(Scripted { answers, delay, ..Scripted::default() }));
        let ports = ports(URL, clock.clone(), issuer.clone());
        Self { authority: Authority::new(&ports).unwrap(), ports, clock, issuer }
    }

    fn forward_s(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The status of the answer to a token: 200 for a caller.
    async fn status(&self, token: &str) -> u16 {
        self.authority.caller(Some(&format!("Bearer {token}"))).await.map_or_else(|problem| problem.status, |_| 200)
    }

    fn asked(&self) -> u32 {
        *self.issuer.asked.lock().unwrap()
    }
}

fn ports(url: &str, clock: Arc<dyn Clock>, transport: Arc<dyn Transport>) -> Ports {
    let environment = [("JWT_ISSUER", "https://issuer.example.com"), ("JWT_AUDIENCE", "pipworks"), ("JWKS_URL", url)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ports {
        tables: crate::awsclients::TableClient::default(),
        aws: aws_types::SdkConfig::builder().build(),
        transport,
        clock,
        entropy: Arc::new(NoEntropy),
        environment: Arc::new(BTreeMap::from(environment)),
    }
}

fn down() -> Result<(u16, Value), TransportError> {
    Err(TransportError::NotSent("connection refused".to_owned()))
}

pub(crate) fn keys<'a>(entries: impl IntoIterator<Item = &'a Value>) -> Result<(u16, Value), TransportError> {
    Ok((200, json!({"keys": entries.into_iter().collect::<Vec<_>>()})))
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A key of a type: how it is published, without `alg` and `use`, and what it signs.
pub(crate) struct Signer {
    algorithm: &'static str,
    pub(crate) jwk: Value,
    sign: Sign,
}

impl Signer {
    pub(crate) fn es256(id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref();
        let jwk =
            json!({"kty": "EC", "crv": "P-256", "kid": id, "x": encoded(&point[1..33]), "y": encoded(&point[33..])});
        let sign = move |text: &[u8]| key.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec();
        Self { algorithm: "ES256", jwk, sign: Box::new(sign) }
    }

    fn ed25519(id: &str) -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": encoded(key.public_key())});
        Self { algorithm: "EdDSA", jwk, sign: Box::new(move |text| key.sign(text).as_ref().to_vec()) }
    }

    fn rs256(id: &str) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // PKCS #1: two headers of four bytes, a zero, 256 bytes of n, a header of two, three bytes of e
        let public = key.public_key().as_ref();
        let jwk = json!({"kty": "RSA", "kid": id, "n": encoded(&public[9..265]), "e": encoded(&public[267..])});
        let sign = move |text: &[u8]| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
            signature
        };
        Self { algorithm: "RS256", jwk, sign: Box::new(sign) }
    }

    fn id(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    fn with(&self, name: &str, value: &str) -> Value {
        let mut jwk = self.jwk.clone();
        jwk[name] = json!(value);
        jwk
    }

    /// A token that is good for a month.
    pub(crate) fn token(&self) -> String {
        let head = json!({"alg": self.algorithm, "typ": "JWT", "kid": self.id()});
        let claims = json!({
            "iss": "https://issuer.example.com", "aud": "pipworks", "sub": "desk-1", "roles": ["support"],
            "exp": NOW_S + 30 * 86_400,
        });
        let signed = format!("{}.{}", encoded(head.to_string()), encoded(claims.to_string()));
        let signature = (self.sign)(signed.as_bytes());
        format!("{signed}.{}", encoded(signature))
    }
}

#[tokio::test]
async fn a_key_without_alg_is_taken_by_its_type() {
    let signers = [Signer::rs256("r"), Signer::es256("e"), Signer::ed25519("o")];
    for named in [false, true] {
        let published: Vec<Value> = signers
            .iter()
            .map(|signer| if named { signer.with("alg", signer.algorithm) } else { signer.jwk.clone() })
            .collect();
        let desk = Desk::new([keys(&published)]);
        for signer in &signers {
            assert_eq!(desk.status(&signer.token()).await, 200, "{} named: {named}", signer.algorithm);
        }
        assert_eq!(desk.asked(), 1);
    }
}

#[tokio::test]
async fn a_key_for_encryption_or_for_another_algorithm_is_left_out() {
    let (good, other) = (Signer::es256("good"), Signer::es256("other"));
    let rsa = Signer::rs256("rsa");
    let out = [
        other.with("use", "enc"),
        other.with("alg", "ES384"),
        other.with("alg", "ECDH-ES"),
        rsa.with("alg", "PS256"),
        rsa.with("alg", "RSA-OAEP-256"),
        rsa.with("use", "enc"),
    ];
    for entry in out {
        let desk = Desk::new([keys([&entry, &good.with("use", "sig")])]);
        for signer in [&other, &rsa] {
            assert_eq!(desk.status(&signer.token()).await, 401, "{entry}");
        }
        assert_eq!(desk.status(&good.token()).await, 200);
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_cost_the_others() {
    let good = Signer::es256("good");
    for odd in [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "q", "pub": "x"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k", "x": "x", "y": "y"}),
        json!({"kty": "EC", "kid": 7}),
        json!("text"),
        json!(null),
    ] {
        let desk = Desk::new([keys([&odd, &good.jwk])]);
        assert_eq!(desk.status(&good.token()).await, 200, "{odd}");
    }
}

#[tokio::test]
async fn a_known_key_is_good_for_a_day_while_the_issuer_is_down() {
    let (known, unknown) = (Signer::es256("known"), Signer::es256("unknown"));
    for failure in
        [down(), Ok((503, json!({}))), Ok((200, json!({"error": "maintenance"}))), Ok((200, json!({"keys": []})))]
    {
        let desk = Desk::new([keys([&known.jwk]), failure.clone()]);
        assert_eq!(desk.status(&known.token()).await, 200);
        desk.forward_s(3_601);
        assert_eq!(desk.status(&known.token()).await, 200, "{failure:?}");
        assert_eq!(desk.asked(), 2, "it was asked again");
        desk.forward_s(31);
        assert_eq!(desk.status(&unknown.token()).await, 503, "a key that nobody has seen may be a new one");
        desk.forward_s(24 * 3_600 - 3_632 - 1);
        assert_eq!(desk.status(&known.token()).await, 200);
        desk.forward_s(1);
        assert_eq!(desk.status(&known.token()).await, 503, "{failure:?}");
    }
}

#[tokio::test]
async fn a_key_that_the_issuer_took_back_is_not_good_any_more() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let desk = Desk::new([keys([&old.jwk]), keys([&new.jwk])]);
    assert_eq!(desk.status(&old.token()).await, 200);
    desk.forward_s(3_601);
    assert_eq!(desk.status(&old.token()).await, 401);
    assert_eq!(desk.status(&new.token()).await, 200);
}

#[tokio::test]
async fn a_failed_fetch_is_not_repeated_at_once() {
    let signer = Signer::es256("a");
    let desk = Desk::new([down(), down(), keys([&signer.jwk])]);
    for _ in 0..20 {
        assert_eq!(desk.status(&signer.token()).await, 503);
    }
    assert_eq!(desk.asked(), 1);
    desk.forward_s(30);
    assert_eq!(desk.status(&signer.token()).await, 503);
    assert_eq!(desk.asked(), 2);
    desk.forward_s(30);
    assert_eq!(desk.status(&signer.token()).await, 200);
    assert_eq!(desk.asked(), 3);
    // nor is an unknown id a reason to ask at once
    let unknown = Signer::es256("b");
    for _ in 0..20 {
        assert_eq!(desk.status(&unknown.token()).await, 401);
    }
    assert_eq!(desk.asked(), 3);
}

#[tokio::test]
async fn of_many_requests_at_once_one_asks_the_issuer() {
    let signer = Signer::es256("a");
    for (answer, status) in [(keys([&signer.jwk]), 200), (down(), 503)] {
        let desk = Desk::slow([answer], Duration::from_millis(20));
        let token = signer.token();
        let answers = futures::future::join_all((0..20).map(|_| desk.status(&token))).await;
        assert_eq!(answers, vec![status; 20]);
        assert_eq!(desk.asked(), 1);
    }
}

#[test]
fn keys_come_over_https_or_from_this_machine() {
    let build = |url: &str| {
        let clock = Arc::new(Hands(AtomicI64::new(NOW_S)));
        Authority::new(&ports(url, clock, Arc::new(Scripted::default()))).err()
    };
    for good in [
        "https://issuer.example.com/keys",
        "https://issuer.example.com:8443/keys",
        "http://127.0.0.1:4570/.well-known/jwks.json",
        "http://127.1.2.3/keys",
        "http://localhost:8700/keys",
        "http://[::1]:8700/keys",
    ] {
        assert_eq!(build(good), None, "{good}");
    }
    for bad in [
        "http://issuer.example.com/keys",
        "http://10.0.0.1/keys",
        "http://0.0.0.0/keys",
        "http://localhost.example.com/keys",
        "http://127.0.0.1@issuer.example.com/keys",
        "http://127.0.0.1.example.com/keys",
        "ftp://issuer.example.com/keys",
        "issuer.example.com/keys",
        "/keys",
        "keys",
    ] {
        assert!(matches!(build(bad), Some(ConfigError::Invalid("JWKS_URL", _))), "{bad}");
    }
}
