//! Keys: names of our own making, such as `documents/cli_…/doc_…`.

use crate::error::FilesError;

/// Longer ones do not fit the names of files, which they become where S3 is a folder.
const LENGTH_MAX: usize = 100;

/// A key that means the same to S3, to an address and to a file system.
pub(crate) fn checked(key: &str) -> Result<&str, FilesError> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if key.len() <= LENGTH_MAX && key.split('/').all(plain) {
        Ok(key)
    } else {
        Err(FilesError::Malformed("a key is made of plain names with slashes between them".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_of_plain_names() {
        for key in ["documents/cli_1/doc_2", "a", "a.b/c-d_e"] {
            assert_eq!(checked(key).ok(), Some(key));
        }
        let long = "a".repeat(LENGTH_MAX + 1);
        for key in ["", "/a", "a/", "a//b", "a/../b", "./a", "..", ".a", "a b", "a?b", "a%2e", "ä", "a\\b", &long] {
            assert!(checked(key).is_err(), "{key}");
        }
    }
}
