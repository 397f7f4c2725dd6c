//! The local identity provider: signs tokens as an OIDC issuer does and publishes the key to check them.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runtime::{Clock, Entropy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The key pair or a signature could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer cannot sign")]
pub struct IdentityError;

/// An issuer with one ES256 key that lives as long as the host.
pub struct Issuer {
    issuer: String,
    audience: String,
    key: EcdsaKeyPair,
    key_id: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Issuer {
    /// A new key for an issuer and an audience.
    ///
    /// # Errors
    /// [`IdentityError`] when the system gives no randomness.
    pub fn new(
        issuer: &str,
        audience: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, IdentityError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| IdentityError)?;
        let digest = Sha256::digest(key.public_key().as_ref());
        let key_id = URL_SAFE_NO_PAD.encode(digest.get(..12).unwrap_or(&digest));
        Ok(Self { issuer: issuer.to_owned(), audience: audience.to_owned(), key, key_id, clock, entropy })
    }

    /// The claim `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key set, as it is published.
    pub fn jwks(&self) -> Value {
        // an uncompressed point: 0x04, x, y
        let point = self.key.public_key().as_ref();
        let coordinate = |from: usize| point.get(from..from + 32).map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id,
            "x": coordinate(1), "y": coordinate(33),
        }]})
    }

    /// A token for someone with these roles that is good for `ttl_s` seconds; a negative `ttl_s` makes an expired one.
    ///
    /// # Errors
    /// [`IdentityError`] when the system gives no randomness.
    pub fn mint(
        &self,
        subject: &str,
        roles: &[&str],
        client_id: Option<&str>,
        ttl_s: i64,
    ) -> Result<String, IdentityError> {
        let now_s = self.clock.now().seconds();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "roles": roles,
            "iat": now_s,
            "exp": now_s.saturating_add(ttl_s),
            "jti": uuid::Uuid::from_u128(self.entropy.id_bits()).to_string(),
        });
        if let Some(client_id) = client_id {
            claims["client_id"] = json!(client_id);
        }
        self.sign(&claims)
    }

    /// Signs any claims, for tests of what a token must hold.
    ///
    /// # Errors
    /// [`IdentityError`] when the system gives no randomness.
    pub fn sign(&self, claims: &Value) -> Result<String, IdentityError> {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id});
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| IdentityError)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

    use super::*;
    use crate::defaults::{SystemClock, SystemEntropy};

    fn issuer() -> Issuer {
        Issuer::new("http://issuer", "pipworks", Arc::new(SystemClock), Arc::new(SystemEntropy)).unwrap()
    }

    fn check(issuer: &Issuer, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let set: JwkSet = serde_json::from_value(issuer.jwks()).unwrap();
        let key = set.find(&decode_header(token)?.kid.unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&["http://issuer"]);
        validation.set_audience(&["pipworks"]);
        Ok(decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
    }

    #[test]
    fn a_token_is_good_under_the_published_key() {
        let issuer = issuer();
        let token = issuer.mint("desk-1", &["finance", "admin"], Some("cli_1"), 600).unwrap();
        let claims = check(&issuer, &token).unwrap();
        assert_eq!(claims["sub"], "desk-1");
        assert_eq!(claims["roles"], json!(["finance", "admin"]));
        assert_eq!(claims["client_id"], "cli_1");
    }

    #[test]
    fn an_expired_or_foreign_token_is_refused() {
        let own = issuer();
        let expired = own.mint("desk-1", &[], None, -3600).unwrap();
        assert!(check(&own, &expired).is_err());
        let token = own.mint("desk-1", &[], None, 600).unwrap();
        let (signed, _) = token.rsplit_once('.').unwrap();
        let foreign = issuer().mint("desk-1", &[], None, 600).unwrap();
        let (_, signature) = foreign.rsplit_once('.').unwrap();
        assert!(check(&own, &format!("{signed}.{signature}")).is_err());
    }
}
