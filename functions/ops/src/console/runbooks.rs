//! The pages of `infra/runbooks`, served with the work items that name them.

macro_rules! runbooks {
    ($($name:literal),+ $(,)?) => {
        /// Every page by its name.
        pub(super) const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../infra/runbooks/", $name, ".md")))),+];
    };
}

runbooks!(
    "account_change_approval",
    "account_change_four_eyes",
    "account_change_refused",
    "account_change_unresolved",
    "account_creation_refused",
    "account_creation_unresolved",
    "account_differs",
    "account_not_here",
    "account_not_there",
    "account_opening_refused",
    "compliance_case",
    "credit_refused",
    "credit_unresolved",
    "dead_letter",
    "deposit_currency_mismatch",
    "deposit_failed_after_success",
    "deposit_overdue",
    "deposit_overpaid",
    "deposit_paid_after_failure",
    "deposit_reinstated",
    "deposit_reversed_after_credit",
    "deposit_risky",
    "deposit_underpaid",
    "deposit_unknown_reference",
    "document_expiry",
    "kyc_approval_contradicted",
    "kyc_checks_overdue",
    "kyc_hit",
    "kyc_review",
    "lead_form_unmapped",
    "lead_not_fetched",
    "lead_rule_error",
    "lead_unclaimed",
    "lead_waiting",
    "list_refused",
    "partner_dispute",
    "partner_payout_unresolved",
    "partner_trade_held",
    "partner_verification",
    "reconciliation_break",
    "retention_bonus",
    "retention_bonus_approval",
    "retention_bonus_unresolved",
    "retention_call",
    "retention_deposit_failed",
    "retention_deposit_idle",
    "retention_withdrawal",
    "rule_error",
    "screening_incomplete",
    "withdrawal_approval",
    "withdrawal_contradicted",
    "withdrawal_debit_unresolved",
    "withdrawal_pay_by_hand",
    "withdrawal_payout_unresolved",
    "withdrawal_return_unresolved",
);

/// A page.
pub(super) fn page(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_folder_is_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/runbooks");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(".md")?.to_owned()))
            .filter(|name| name != "README")
            .collect();
        names.sort();
        assert_eq!(names, ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
