//! Whether a face is that of a document, and whether it is alive: what a service measured, against a threshold of ours.
//!
//! A service's own word ("matched", "succeeded") says that it could measure, and by a default that is nobody's decision. So each
//! question carries the threshold, each answer the figure.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{CheckId, VendorError};
use crate::http::BoxFuture;

/// A service that measures faces.
pub trait Faces: Send + Sync {
    /// Compares the face of a selfie with those in a document: a portrait and its small repetitions.
    ///
    /// # Errors
    /// [`VendorError`].
    fn compare<'a>(
        &'a self,
        selfie: &'a Picture,
        document: &'a Picture,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Comparison, VendorError>>;

    /// Opens a check of liveness for the client's device. Its id, which is good for minutes and for one attempt. Begun twice under one
    /// id of ours it is one, so each attempt has an id of its own; it has 64 characters at most.
    ///
    /// # Errors
    /// [`VendorError`].
    fn begin_liveness<'a>(&'a self, attempt: &'a CheckId) -> BoxFuture<'a, Result<String, VendorError>>;

    /// What a check of liveness measured; `None` where there is none of the id.
    ///
    /// # Errors
    /// [`VendorError`].
    fn liveness<'a>(
        &'a self,
        session: &'a str,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Option<Liveness>, VendorError>>;
}

/// A picture, JPEG or PNG.
#[derive(Clone, PartialEq, Eq)]
pub enum Picture {
    /// The file itself, 5 MB at most.
    File(Bytes),
    /// The file in a bucket of the service's region.
    Stored {
        /// The bucket.
        bucket: String,
        /// Its key.
        key: String,
        /// Which content of the key: a later upload must not stand in for the one that was checked.
        version: String,
    },
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture")
    }
}

/// A figure from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(Decimal);

/// Why something is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a number from 0 to 100")]
pub struct PercentError;

impl Percent {
    /// The figure.
    pub fn value(&self) -> Decimal {
        self.0
    }

    /// As a service writes it.
    pub(super) fn read(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::Number(number) => number.to_string().parse().ok(),
            _ => None,
        }
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let read = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
        let value = read.map_err(|_| PercentError)?;
        let is_within = value >= Decimal::ZERO && value <= Decimal::ONE_HUNDRED;
        if is_within { Ok(Self(value)) } else { Err(PercentError) }
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The threshold is reached.
    Same {
        /// How like the faces are.
        similarity: Percent,
    },
    /// It is not.
    Different {
        /// How like the most like face is, where there is one at all.
        similarity: Option<Percent>,
    },
    /// There is nothing to compare: the picture has to be taken again. It says nothing about the client.
    Retake(NoFace),
}

/// Which picture has no face in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFace {
    /// The selfie, and perhaps the document too.
    Selfie,
    /// The document alone.
    Document,
}

/// What came of a check of liveness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// The client has not done it.
    Pending,
    /// It was done, and the threshold is reached.
    Live {
        /// How sure the service is.
        confidence: Percent,
    },
    /// It was done, and the threshold is not reached.
    NotLive {
        /// How sure the service is.
        confidence: Percent,
    },
    /// It could not be measured: the client does it again. It says nothing about them.
    Retake,
    /// The client did not do it in time.
    Expired,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_percentage_is_read_as_it_is_written() {
        for text in ["0", "79.99999", "80", "99.99871", "100", "9.1e1"] {
            let read = Percent::read(Some(&serde_json::from_str(text).unwrap()));
            assert_eq!(read, Some(text.parse().unwrap()), "{text}");
        }
        for bad in [json!("80"), json!(-0.1), json!(100.1), json!(null), json!(true)] {
            assert_eq!(Percent::read(Some(&bad)), None, "{bad}");
        }
        assert!("79.99999".parse::<Percent>().unwrap() < "80".parse().unwrap());
    }
}
