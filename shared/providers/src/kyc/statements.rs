#![doc = include_str!("statements.md")]

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::Seconds;
    use secrecy::SecretString;

    use crate::http::HyperTransport;
    use crate::kyc::vendor::Algorithm;
    use crate::kyc::{Outcome, Says, Settings};

    /// The rows of a vendor: event, status in it (may be empty), what it says.
    pub(in crate::kyc) fn rows(vendor: &str) -> Vec<[String; 3]> {
        let rows = include_str!("statements.md").lines().filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            match cells.as_slice() {
                ["", of, event, status, says, _, ""] if *of == vendor => {
                    Some([event, status, says].map(|cell| (*cell).to_owned()))
                }
                _ => None,
            }
        });
        rows.collect()
    }

    /// What an event says, in the table's words.
    pub(in crate::kyc) fn says(says: &Says) -> &'static str {
        match says {
            Says::Outcome(outcome) => says_outcome(outcome),
            Says::Fetch => "fetch",
            Says::Nothing(_) => "nothing",
        }
    }

    /// What an outcome is in the table's words.
    pub(in crate::kyc) fn says_outcome(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Pending => "pending",
            Outcome::Approved => "approved",
            Outcome::Retry { .. } => "retry",
            Outcome::Final { .. } => "final",
            Outcome::Review { .. } => "review",
            Outcome::Expired => "expired",
            Outcome::Revoked => "revoked",
            Outcome::Broken => "broken",
        }
    }

    /// Settings that reach nobody.
    pub(in crate::kyc) fn settings(flow: &str) -> Settings {
        Settings {
            name: "test".to_owned(),
            base_url: "https://vendor.invalid".parse().unwrap(),
            secret: SecretString::from("{}"),
            flow: flow.to_owned(),
            sandbox: false,
            return_url: None,
            link_life: Seconds(1_800),
            algorithms: vec![Algorithm::Sha256],
            clock: crate::system_clock(),
            transport: Arc::new(HyperTransport::new()),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_table_is_read() {
        let counts = [
            ("sumsub", 40),
            ("sumsub asked", 14),
            ("onfido", 19),
            ("onfido asked", 15),
            ("veriff", 16),
            ("veriff asked", 9),
        ];
        for (vendor, count) in counts {
            assert_eq!(rows(vendor).len(), count, "{vendor}");
        }
        assert!(rows("jumio").is_empty());
    }
}
