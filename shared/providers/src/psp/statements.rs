#![doc = include_str!("statements.md")]

#[cfg(test)]
pub(super) mod tests {
    use domain::payment::{Payout, PspStatus, Returned, Way};

    /// The rows of a vendor: event, status of its object (may be empty), what it says.
    pub(in crate::psp) fn rows(vendor: &str) -> Vec<[String; 3]> {
        let rows = include_str!("statements.md").lines().filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            match cells.as_slice() {
                ["", of, event, status, says, _, ""] if *of == vendor => {
                    Some([event, status, says].map(|c| (*c).to_owned()))
                }
                _ => None,
            }
        });
        rows.collect()
    }

    /// What a report says, in the table's words.
    pub(in crate::psp) fn says(status: &PspStatus) -> &'static str {
        match status {
            PspStatus::Pending => "open",
            PspStatus::Payable { .. } => "agreed",
            PspStatus::Processing => "under way",
            PspStatus::Succeeded => "collected",
            PspStatus::Scored { .. } => "collected, scored",
            PspStatus::Failed => "attempt failed",
            PspStatus::Canceled => "closed",
            PspStatus::Returned(Returned::Total { .. }) => "refunds so far",
            PspStatus::Returned(Returned::One { way: Way::Refund, stands: true, .. }) => "refund stands",
            PspStatus::Returned(Returned::One { way: Way::Refund, stands: false, .. }) => "refund undone",
            PspStatus::Returned(Returned::One { way: Way::Dispute, stands: true, .. }) => "dispute stands",
            PspStatus::Returned(Returned::One { way: Way::Dispute, stands: false, .. }) => "dispute undone",
            PspStatus::Payout(Payout::Pending) => "payout under way",
            PspStatus::Payout(Payout::Paid) => "paid out",
            PspStatus::Payout(Payout::Failed) => "payout failed",
            PspStatus::Irrelevant => "nothing",
        }
    }

    #[test]
    fn the_table_is_read() {
        assert!(rows("stripe").len() > 40 && rows("praxis").len() > 25);
        assert!(rows("stripe, our refund").len() > 10);
        assert!(rows("adyen").len() > 30 && rows("checkout").len() > 30);
        assert!(rows("nuvei").len() > 20);
        assert!(rows("paypal").is_empty());
    }
}
