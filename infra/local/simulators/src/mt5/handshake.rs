//! The MD5 challenge and response of the web API.

use md5::{Digest, Md5};

/// MD5 over the password's digest and the word `WebAPI`. The password counts as UTF-16 little endian.
pub fn password_hash(api_password: &str) -> [u8; 16] {
    let utf16: Vec<u8> = api_password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut outer = Md5::new();
    outer.update(Md5::digest(&utf16));
    outer.update(b"WebAPI");
    outer.finalize().into()
}

/// Lower-case hex of MD5 over the password hash and the other side's random bytes.
pub fn answer_to(password_hash: &[u8; 16], random: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(password_hash);
    md5.update(random);
    hex::encode(md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_holds() {
        let random = hex::decode("73007dc7184747ce0f7c98516ef1c851").unwrap();
        assert_eq!(answer_to(&password_hash("Password1"), &random), "77fe51827f7fa69dd80fbec9aa33f1bb");
    }
}
