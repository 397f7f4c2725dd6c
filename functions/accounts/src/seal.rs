//! Platform passwords: drawn, sealed with AES-256-GCM until they are handed over, never stored in clear.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::StepError;
use runtime::function::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// The four classes that MT5 asks for, without characters that are mistaken for one another, and without those by which MT4's plug-in
/// tells where a value begins and ends.
const CLASSES: [&[u8]; 4] = [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"#%+-?@!"];
/// Within MT5's 8 to 16, and MT4's 5 to 15.
const PASSWORD_LENGTH: usize = 14;

/// What the client logs in with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// For trading.
    #[serde(rename = "p")]
    pub password: String,
    /// For looking on.
    #[serde(rename = "i")]
    pub investor_password: String,
}

/// Draws both passwords.
pub fn draw(entropy: &dyn Entropy) -> Result<Credentials, StepError> {
    Ok(Credentials { password: password(entropy)?, investor_password: password(entropy)? })
}

/// Every class at least once. The modulo bias over 64 KiB values is below one in ten thousand.
fn password(entropy: &dyn Entropy) -> Result<String, StepError> {
    let bytes = entropy.bytes().ok_or(StepError::Busy("the operating system has no random bytes"))?;
    let mut characters = Vec::with_capacity(PASSWORD_LENGTH);
    let all: Vec<u8> = CLASSES.concat();
    let mut draws = bytes.chunks_exact(2).map(|pair| {
        usize::from(pair.first().copied().unwrap_or(0)) * 256 + usize::from(pair.last().copied().unwrap_or(0))
    });
    for place in 0..PASSWORD_LENGTH {
        let alphabet: &[u8] = CLASSES.get(place).copied().unwrap_or(&all);
        let drawn = draws.next().unwrap_or(0);
        characters.push(alphabet.get(drawn % alphabet.len()).copied().unwrap_or(b'x'));
    }
    // the first four places have fixed classes: turning the word by a drawn amount hides which
    let turn = draws.next().unwrap_or(0) % PASSWORD_LENGTH;
    characters.rotate_left(turn);
    Ok(characters.into_iter().map(char::from).collect())
}

fn key(secret: &SecretString) -> Result<LessSafeKey, StepError> {
    let unusable = || StepError::Secret {
        name: "credentials-key".to_owned(),
        what: "it must be 32 bytes in base64".to_owned(),
        retry: false,
    };
    let bytes = STANDARD.decode(secret.expose_secret().trim()).map_err(|_| unusable())?;
    UnboundKey::new(&AES_256_GCM, &bytes).map(LessSafeKey::new).map_err(|_| unusable())
}

/// Seals credentials for one account: they open for no other.
pub fn seal(
    secret: &SecretString,
    account: &str,
    credentials: &Credentials,
    entropy: &dyn Entropy,
) -> Result<String, StepError> {
    let failed = |_| StepError::Malformed("the credentials could not be sealed".to_owned());
    let random = entropy.bytes().ok_or(StepError::Busy("the operating system has no random bytes"))?;
    let nonce: [u8; NONCE_LEN] = random.first_chunk().copied().unwrap_or_default();
    let mut text = serde_json::to_vec(credentials).map_err(|error| StepError::Malformed(error.to_string()))?;
    key(secret)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(account.as_bytes()), &mut text)
        .map_err(failed)?;
    let mut sealed = nonce.to_vec();
    sealed.append(&mut text);
    Ok(STANDARD.encode(sealed))
}

/// Opens what [`seal`] made.
pub fn open(secret: &SecretString, account: &str, sealed: &str) -> Result<Credentials, StepError> {
    let unreadable = || StepError::Malformed("the sealed credentials do not open".to_owned());
    let bytes = STANDARD.decode(sealed).map_err(|_| unreadable())?;
    let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
    let mut text = text.to_vec();
    let plain = key(secret)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(account.as_bytes()), &mut text)
        .map_err(|_| unreadable())?;
    serde_json::from_slice(plain).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use runtime::lambda::SystemEntropy;

    use super::*;

    /// What a platform's documents say of a password.
    struct Policy {
        platform: &'static str,
        length: std::ops::RangeInclusive<usize>,
        /// Of lower case, upper case, digits and others so many must be there.
        classes: usize,
        /// Characters that have another meaning on the way.
        forbidden: &'static [char],
    }

    const POLICIES: [Policy; 4] = [
        Policy { platform: "mt5", length: 8..=16, classes: 4, forbidden: &[] },
        // of digits, lower case and upper case two, so of the four classes three; nothing can be escaped in its line
        Policy { platform: "mt4", length: 5..=15, classes: 3, forbidden: &['|', '=', '\r', '\n'] },
        // travels as its MD5
        Policy { platform: "ctrader", length: 1..=usize::MAX, classes: 1, forbidden: &[] },
        // its rules are the broker's; eight is what is usual
        Policy { platform: "dxtrade", length: 8..=32, classes: 4, forbidden: &[] },
    ];

    impl Policy {
        #[track_caller]
        fn holds(&self, word: &str) {
            let classes: [fn(char) -> bool; 4] = [
                |letter| letter.is_ascii_lowercase(),
                |letter| letter.is_ascii_uppercase(),
                |letter| letter.is_ascii_digit(),
                |letter| letter.is_ascii_punctuation(),
            ];
            let has = classes.iter().filter(|class| word.chars().any(**class)).count();
            assert!(self.length.contains(&word.len()) && has >= self.classes, "{}: {word}", self.platform);
            assert!(word.is_ascii() && !word.contains(self.forbidden), "{}: {word}", self.platform);
        }
    }

    /// A source of the same bytes each time.
    struct Fixed([u8; 32]);

    impl Entropy for Fixed {
        fn id_bits(&self) -> u128 {
            0
        }

        fn bytes(&self) -> Option<[u8; 32]> {
            Some(self.0)
        }
    }

    #[test]
    fn every_password_is_one_that_every_platform_takes() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..5_000 {
            let drawn = draw(&SystemEntropy).unwrap();
            for word in [drawn.password, drawn.investor_password] {
                assert_eq!(word.len(), PASSWORD_LENGTH);
                POLICIES.iter().for_each(|policy| policy.holds(&word));
                assert!(seen.insert(word), "no two are the same");
            }
        }
        // whatever the source gives: each byte in every place, and each alone among zeros
        for byte in 0..=u8::MAX {
            for place in 0..32 {
                let mut alone = [0; 32];
                alone[place] = byte;
                for bytes in [[byte; 32], alone] {
                    let word = password(&Fixed(bytes)).unwrap();
                    POLICIES.iter().for_each(|policy| policy.holds(&word));
                }
            }
        }
    }

    #[test]
    fn credentials_open_for_their_account_and_key_only() {
        let secret = SecretString::from(STANDARD.encode([7_u8; 32]));
        let credentials = draw(&SystemEntropy).unwrap();
        let sealed = seal(&secret, "acc_1", &credentials, &SystemEntropy).unwrap();
        assert!(!sealed.contains(&credentials.password));
        assert_eq!(open(&secret, "acc_1", &sealed).unwrap().password, credentials.password);
        assert!(open(&secret, "acc_2", &sealed).is_err());
        assert!(open(&SecretString::from(STANDARD.encode([8_u8; 32])), "acc_1", &sealed).is_err());
        assert!(open(&secret, "acc_1", "AAAA").is_err());
    }
}
