//! The MD5 challenge and response in which manager and server each prove that they know the API password.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// Bytes of a challenge.
pub(super) const CHALLENGE_BYTES: usize = 16;

/// What follows from the API password; the password itself is not kept.
pub(super) struct Proof(SecretBox<[u8; 16]>);

impl Proof {
    /// MD5 over the MD5 of the password in UTF-16LE and the word `WebAPI`.
    pub(super) fn new(password: &SecretString) -> Self {
        let mut first = Md5::new();
        for unit in password.expose_secret().encode_utf16() {
            first.update(unit.to_le_bytes());
        }
        let mut second = Md5::new();
        second.update(first.finalize());
        second.update(b"WebAPI");
        Self(SecretBox::new(Box::new(second.finalize().into())))
    }

    /// The answer to a challenge, by either side.
    pub(super) fn answer(&self, challenge: &[u8]) -> [u8; 16] {
        let mut hash = Md5::new();
        hash.update(self.0.expose_secret());
        hash.update(challenge);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_challenge_has_the_published_answer() {
        let proof = Proof::new(&SecretString::from("Password1"));
        let challenge = hex::decode("73007dc7184747ce0f7c98516ef1c851").unwrap();
        assert_eq!(hex::encode(proof.answer(&challenge)), "77fe51827f7fa69dd80fbec9aa33f1bb");
    }

    #[test]
    fn another_password_or_challenge_has_another_answer() {
        let answer = |password: &str, challenge: &[u8]| Proof::new(&SecretString::from(password)).answer(challenge);
        let right = answer("Password1", &[7; 16]);
        assert_ne!(right, answer("Password2", &[7; 16]));
        assert_ne!(right, answer("Password1", &[8; 16]));
        assert_ne!(answer("pässword", &[7; 16]), answer("passwörd", &[7; 16]));
    }
}
