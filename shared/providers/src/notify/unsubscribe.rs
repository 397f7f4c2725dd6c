//! Links to unsubscribe: who, and over which channel, signed so that nobody can unsubscribe somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use crate::signature::hmac_sha256;

/// Bytes of the signature that stand in a link: as hard to guess as a random key of that length.
const SIGNED_BYTES: usize = 16;

fn signature(secret: &SecretString, reader: &str, channel: &str) -> Option<String> {
    // each part with its length, so that no letter can move from one to the next
    let (first, second) = (reader.len().to_string(), channel.len().to_string());
    let parts = ["unsubscribe", &first, ":", reader, &second, ":", channel].map(str::as_bytes);
    let whole = hmac_sha256(secret, &parts)?;
    whole.get(..SIGNED_BYTES).map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The token of a reader's link; none with a secret that is none.
pub fn token(secret: &SecretString, reader: &str, channel: &str) -> Option<String> {
    Some(format!("{reader}.{channel}.{}", signature(secret, reader, channel)?))
}

/// Who unsubscribes from which channel, if the token is one of ours.
pub fn opened<'t>(secret: &SecretString, token: &'t str) -> Option<(&'t str, &'t str)> {
    let mut parts = token.split('.');
    let (Some(reader), Some(channel), Some(given), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let expected = signature(secret, reader, channel)?;
    bool::from(given.as_bytes().ct_eq(expected.as_bytes())).then_some((reader, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_tokens_open() {
        let secret = SecretString::from("a secret");
        let own = token(&secret, "cli_01", "email").unwrap();
        assert_eq!(opened(&secret, &own), Some(("cli_01", "email")));
        assert_eq!(opened(&SecretString::from("another"), &own), None);
        assert_eq!(token(&SecretString::from(" "), "cli_01", "email"), None);
        let mut forged = vec![own.replace("01", "02"), own.replace("email", "sms"), format!("{own}."), String::new()];
        forged.extend((0..own.len()).map(|at| own[..at].to_owned()));
        for bad in forged {
            assert_eq!(opened(&secret, &bad), None, "{bad}");
        }
    }
}
