//! The rule set `desk`: the kinds of work items, which of the broker's desks gets them, by when, and what it may decide.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::Seconds;
use crate::four_eyes::{self, FourEyes, Limits};
use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::words::words;

/// The shortest time that a person is given.
const DUE_MIN: Seconds = Seconds(60);
/// The longest time that a person is given.
const DUE_MAX: Seconds = Seconds(30 * 86_400);
const LABEL_CHARS_MAX: usize = 80;
const TITLE_CHARS_MAX: usize = 120;

words! {
    /// The desk that decides a work item; the rule set `notifications` says how messages reach it.
    Queue {
        /// Compliance.
        Compliance = "compliance",
        /// Finance.
        Finance = "finance",
        /// Support.
        Support = "support",
        /// Sales.
        Sales = "sales",
    }
}

words! {
    /// How soon a work item is looked at; sorted most urgent first.
    Priority {
        /// Now: money or trading stands still.
        Urgent = "urgent",
        /// Today.
        High = "high",
        /// In turn.
        Normal = "normal",
        /// When there is time.
        Low = "low",
    }
}

impl Priority {
    /// 1 is the most urgent: sorts in keys.
    pub const fn rank(self) -> u32 {
        match self {
            Self::Urgent => 1,
            Self::High => 2,
            Self::Normal => 3,
            Self::Low => 4,
        }
    }

    /// One step more urgent.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Urgent | Self::High => Self::Urgent,
            Self::Normal => Self::High,
            Self::Low => Self::Normal,
        }
    }
}

words! {
    /// Why a person is asked.
    WorkKind {
        /// Less was paid than asked for.
        DepositUnderpaid = "deposit_underpaid",
        /// More was paid than asked for.
        DepositOverpaid = "deposit_overpaid",
        /// It was paid in another currency.
        DepositCurrencyMismatch = "deposit_currency_mismatch",
        /// Money came in for no payment of ours.
        DepositUnknownReference = "deposit_unknown_reference",
        /// The provider finds the money's origin risky.
        DepositRisky = "deposit_risky",
        /// Money came in for a deposit that had failed or expired.
        DepositPaidAfterFailure = "deposit_paid_after_failure",
        /// The provider took back its word that it collected.
        DepositFailedAfterSuccess = "deposit_failed_after_success",
        /// The money was taken back (refund or chargeback) after the account was credited.
        DepositReversedAfterCredit = "deposit_reversed_after_credit",
        /// Money that had gone back is with us again: a refund failed, or a dispute was won.
        DepositReinstated = "deposit_reinstated",
        /// The provider does not say what became of a deposit.
        DepositOverdue = "deposit_overdue",
        /// Nobody knows whether the account was credited.
        CreditUnresolved = "credit_unresolved",
        /// The trading platform refused to credit.
        CreditRefused = "credit_refused",
        /// A withdrawal that the rules do not approve by themselves.
        WithdrawalApproval = "withdrawal_approval",
        /// Nobody knows whether a withdrawal was taken off the account.
        WithdrawalDebitUnresolved = "withdrawal_debit_unresolved",
        /// Nobody knows whether a withdrawal was paid out.
        WithdrawalPayoutUnresolved = "withdrawal_payout_unresolved",
        /// A withdrawal that no provider of ours pays out by itself.
        WithdrawalPayByHand = "withdrawal_pay_by_hand",
        /// Nobody knows whether a withdrawal that did not reach the client was put back on the account.
        WithdrawalReturnUnresolved = "withdrawal_return_unresolved",
        /// The provider says of a withdrawal what cannot be so by what is known.
        WithdrawalContradicted = "withdrawal_contradicted",
        /// A provider's settlement and our ledger differ.
        ReconciliationBreak = "reconciliation_break",
        /// Nobody knows whether the account was created.
        AccountCreationUnresolved = "account_creation_unresolved",
        /// The trading platform refused to create the account.
        AccountCreationRefused = "account_creation_refused",
        /// An account that opens by rule could not be asked for.
        AccountOpeningRefused = "account_opening_refused",
        /// A change of an account that one person approves.
        AccountChangeApproval = "account_change_approval",
        /// A change of an account that two people approve.
        AccountChangeFourEyes = "account_change_four_eyes",
        /// A change of an account does not come to an end.
        AccountChangeUnresolved = "account_change_unresolved",
        /// The trading platform refused a change.
        AccountChangeRefused = "account_change_refused",
        /// A trading server has an account that we have not.
        AccountNotHere = "account_not_here",
        /// We have an account that its trading server has not.
        AccountNotThere = "account_not_there",
        /// An account is set otherwise on its trading server than we set it.
        AccountDiffers = "account_differs",
        /// No agent took up a lead, however many had it.
        LeadUnclaimed = "lead_unclaimed",
        /// A lead waits too long for an agent.
        LeadWaiting = "lead_waiting",
        /// The data of a lead could not be fetched from the ad platform.
        LeadNotFetched = "lead_not_fetched",
        /// Nobody knows what the fields of a lead's form are called.
        LeadFormUnmapped = "lead_form_unmapped",
        /// A client's case that the rules do not decide alone.
        KycReview = "kyc_review",
        /// Somebody on a list of sanctioned or politically exposed persons may be the client.
        KycHit = "kyc_hit",
        /// The checks of a client's case do not come to an end.
        KycChecksOverdue = "kyc_checks_overdue",
        /// A vendor refuses a client who is approved, or takes its own approval back.
        KycApprovalContradicted = "kyc_approval_contradicted",
        /// The document that says who a client is expires.
        DocumentExpiry = "document_expiry",
        /// A list of sanctioned or politically exposed persons was refused.
        ListRefused = "list_refused",
        /// Not everybody was screened again against the lists.
        ScreeningIncomplete = "screening_incomplete",
        /// A lead cannot be routed, because the rules are broken.
        LeadRuleError = "lead_rule_error",
        /// A message could not be processed.
        DeadLetter = "dead_letter",
        /// A rule could not be judged.
        RuleError = "rule_error",
        /// Somebody who is no client wants to be paid as a partner: who is he?
        PartnerVerification = "partner_verification",
        /// It cannot be told what a trade earns for partners.
        PartnerTradeHeld = "partner_trade_held",
        /// A client has not traded for long: somebody calls.
        RetentionCall = "retention_call",
        /// A client's first deposit came to nothing: somebody calls within the hour.
        RetentionDepositFailed = "retention_deposit_failed",
        /// A client asked for his first withdrawal: somebody asks how he is.
        RetentionWithdrawal = "retention_withdrawal",
        /// A client paid in much and does not trade: somebody calls.
        RetentionDepositIdle = "retention_deposit_idle",
        /// A journey would have a bonus granted, and no platform books it by itself: a person does.
        RetentionBonus = "retention_bonus",
        /// A bonus that is large, or of a client of whom too little is known: two people approve it.
        RetentionBonusApproval = "retention_bonus_approval",
        /// Nobody knows whether a bonus is on the account, or the platform refused to book it or to take it off.
        RetentionBonusUnresolved = "retention_bonus_unresolved",
        /// A provider does not say what became of a partner's payout.
        PartnerPayoutUnresolved = "partner_payout_unresolved",
        /// A partner disputes lines of a statement.
        PartnerDispute = "partner_dispute",
    }
}

words! {
    /// What a person may decide about a work item, beyond what every item allows (claim, note, snooze and so on).
    WorkAction {
        /// Credit what was really paid.
        CreditPaidAmount = "credit_paid_amount",
        /// The money was sent back in the provider's own console.
        RefundAtPsp = "refund_at_psp",
        /// The account was credited: the platform's ticket proves it.
        MarkCredited = "mark_credited",
        /// The account was not credited: the automation tries again.
        MarkNotCreditedRetry = "mark_not_credited_retry",
        /// The reversal was taken off the account on the platform: its ticket proves it.
        MarkDebitedOnPlatform = "mark_debited_on_platform",
        /// Nothing is credited.
        CloseWithoutCredit = "close_without_credit",
        /// The client does not get it; nothing was moved.
        Decline = "decline",
        /// It was taken off the account: the platform's ticket proves it.
        MarkDebited = "mark_debited",
        /// It was not taken off the account: the automation tries again.
        MarkNotDebitedRetry = "mark_not_debited_retry",
        /// It is not taken off the account.
        CloseWithoutDebit = "close_without_debit",
        /// The client has it: the provider's number of the payout proves it.
        MarkPaidOut = "mark_paid_out",
        /// It was not paid out: the automation tries again.
        MarkNotPaidRetry = "mark_not_paid_retry",
        /// It is not paid out, and put back on the account.
        CreditBack = "credit_back",
        /// It is on the account again: the platform's ticket proves it.
        MarkReturned = "mark_returned",
        /// It is not on the account again: the automation tries again.
        MarkNotReturnedRetry = "mark_not_returned_retry",
        /// Wait for the provider again.
        KeepWaiting = "keep_waiting",
        /// The account exists: its login proves it.
        MarkOpen = "mark_open",
        /// The account does not exist: the automation tries again.
        MarkNotCreatedRetry = "mark_not_created_retry",
        /// No account is opened.
        CloseWithoutAccount = "close_without_account",
        /// The change was set on the platform by hand.
        MarkChanged = "mark_changed",
        /// The account stays as it is.
        CloseWithoutChange = "close_without_change",
        /// The lead is routed again, to everybody anew.
        RouteAgain = "route_again",
        /// The lead's data is fetched again.
        FetchAgain = "fetch_again",
        /// Somebody spoke to the lead.
        MarkContacted = "mark_contacted",
        /// The lead is given up.
        CloseLead = "close_lead",
        /// The client passes.
        Approve = "approve",
        /// The client is refused.
        Reject = "reject",
        /// The client is asked for other documents.
        RequestDocuments = "request_documents",
        /// The checks are begun again.
        CheckAgain = "check_again",
        /// The client's verification has expired.
        Expire = "expire",
        /// What a partner is paid is put right: the amount proves it.
        Adjust = "adjust",
        /// Process it again.
        Retry = "retry",
        /// Nothing more is done about it.
        Close = "close",
    }
}

impl WorkAction {
    /// Whether the person must say what proves it (a ticket, a refund's number, a login).
    pub const fn needs_evidence(self) -> bool {
        self.traits().1
    }

    /// Whether it decides about money.
    pub const fn decides_money(self) -> bool {
        self.traits().0
    }

    /// Whether it decides about money, and whether it needs evidence: said of each, so that none is forgotten.
    const fn traits(self) -> (bool, bool) {
        match self {
            Self::RefundAtPsp | Self::MarkCredited | Self::MarkDebitedOnPlatform => (true, true),
            Self::MarkDebited | Self::MarkPaidOut | Self::MarkReturned | Self::Adjust => (true, true),
            Self::CreditPaidAmount | Self::MarkNotCreditedRetry | Self::CloseWithoutCredit => (true, false),
            Self::MarkNotDebitedRetry | Self::CloseWithoutDebit | Self::MarkNotPaidRetry => (true, false),
            Self::CreditBack | Self::MarkNotReturnedRetry => (true, false),
            Self::MarkOpen => (false, true),
            Self::KeepWaiting
            | Self::MarkNotCreatedRetry
            | Self::CloseWithoutAccount
            | Self::MarkChanged
            | Self::CloseWithoutChange
            | Self::RouteAgain
            | Self::FetchAgain
            | Self::MarkContacted
            | Self::CloseLead
            | Self::Approve
            | Self::Decline
            | Self::Reject
            | Self::RequestDocuments
            | Self::CheckAgain
            | Self::Expire
            | Self::Retry
            | Self::Close => (false, false),
        }
    }
}

impl WorkKind {
    /// The decisions that the automation can carry out for this kind; the rule set offers some of them.
    pub const fn actions(self) -> &'static [WorkAction] {
        use WorkAction as A;
        match self {
            Self::DepositUnderpaid | Self::DepositOverpaid | Self::DepositRisky | Self::DepositPaidAfterFailure => {
                &[A::CreditPaidAmount, A::MarkCredited, A::RefundAtPsp, A::CloseWithoutCredit]
            }
            Self::DepositCurrencyMismatch => &[A::MarkCredited, A::RefundAtPsp, A::CloseWithoutCredit],
            Self::DepositUnknownReference => &[A::MarkCredited, A::RefundAtPsp, A::KeepWaiting, A::CloseWithoutCredit],
            Self::DepositFailedAfterSuccess => {
                &[A::KeepWaiting, A::CreditPaidAmount, A::MarkDebitedOnPlatform, A::CloseWithoutCredit, A::Close]
            }
            Self::DepositReversedAfterCredit => &[A::MarkDebitedOnPlatform, A::Close],
            Self::DepositReinstated => {
                &[A::CreditPaidAmount, A::MarkCredited, A::RefundAtPsp, A::CloseWithoutCredit, A::Close]
            }
            Self::DepositOverdue => &[A::KeepWaiting, A::MarkCredited, A::RefundAtPsp, A::CloseWithoutCredit],
            Self::CreditUnresolved | Self::CreditRefused => {
                &[A::MarkCredited, A::MarkNotCreditedRetry, A::RefundAtPsp, A::CloseWithoutCredit]
            }
            Self::WithdrawalApproval | Self::PartnerVerification | Self::RetentionBonusApproval => {
                &[A::Approve, A::Decline]
            }
            Self::WithdrawalDebitUnresolved => &[A::MarkDebited, A::MarkNotDebitedRetry, A::CloseWithoutDebit],
            Self::WithdrawalPayoutUnresolved | Self::PartnerPayoutUnresolved => {
                &[A::MarkPaidOut, A::MarkNotPaidRetry, A::CreditBack]
            }
            Self::PartnerDispute => &[A::Adjust, A::Decline],
            Self::WithdrawalPayByHand => &[A::MarkPaidOut, A::CreditBack],
            Self::WithdrawalReturnUnresolved => &[A::MarkReturned, A::MarkNotReturnedRetry, A::MarkPaidOut],
            Self::WithdrawalContradicted | Self::ReconciliationBreak => &[A::Close],
            Self::AccountCreationUnresolved | Self::AccountCreationRefused => {
                &[A::MarkOpen, A::MarkNotCreatedRetry, A::CloseWithoutAccount]
            }
            Self::AccountChangeApproval | Self::AccountChangeFourEyes => &[A::Approve, A::Reject],
            Self::AccountChangeUnresolved | Self::AccountChangeRefused => {
                &[A::MarkChanged, A::Retry, A::CloseWithoutChange]
            }
            Self::LeadUnclaimed | Self::LeadWaiting | Self::LeadRuleError => {
                &[A::RouteAgain, A::MarkContacted, A::CloseLead]
            }
            Self::LeadNotFetched | Self::LeadFormUnmapped => &[A::FetchAgain, A::MarkContacted, A::CloseLead],
            Self::KycReview | Self::KycHit | Self::KycApprovalContradicted => {
                &[A::Approve, A::Reject, A::RequestDocuments]
            }
            Self::KycChecksOverdue => &[A::CheckAgain, A::Approve, A::Reject, A::RequestDocuments],
            Self::DocumentExpiry => &[A::RequestDocuments, A::Expire, A::Close],
            Self::ListRefused
            | Self::ScreeningIncomplete
            | Self::AccountNotHere
            | Self::AccountNotThere
            | Self::AccountDiffers
            | Self::RetentionCall
            | Self::RetentionDepositFailed
            | Self::RetentionWithdrawal
            | Self::RetentionDepositIdle
            | Self::RetentionBonus => &[A::Close],
            Self::AccountOpeningRefused
            | Self::DeadLetter
            | Self::RuleError
            | Self::PartnerTradeHeld
            | Self::RetentionBonusUnresolved => &[A::Retry, A::Close],
        }
    }
}

/// One decision that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkOption {
    /// What happens.
    pub action: WorkAction,
    /// How the console names it.
    pub label: String,
    /// When a second person must approve it.
    pub four_eyes: FourEyes,
}

/// What happens with a kind of work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindRule {
    /// The heading in the console and in messages.
    pub title: String,
    /// Which desk decides it.
    pub queue: Queue,
    /// How soon it is looked at.
    pub priority: Priority,
    /// By when it is decided, from its opening.
    pub due_in: Seconds,
    /// The page of `infra/runbooks` that says what to do.
    pub runbook: String,
    /// What may be decided.
    pub options: Vec<WorkOption>,
}

impl KindRule {
    /// Whether a decision is offered.
    pub fn offers(&self, action: WorkAction) -> bool {
        self.options.iter().any(|option| option.action == action)
    }
}

/// The rule set `desk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkKinds {
    /// The amounts from which two people decide.
    #[serde(skip_serializing_if = "Limits::is_empty")]
    pub four_eyes_from: Limits,
    kinds: BTreeMap<WorkKind, KindRule>,
}

impl RuleSet for WorkKinds {
    const NAME: &'static str = "desk";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl WorkKinds {
    /// What happens with a kind; always there in a set that was parsed.
    pub fn kind(&self, kind: WorkKind) -> Option<&KindRule> {
        self.kinds.get(&kind)
    }

    /// Every kind.
    pub fn kinds(&self) -> impl Iterator<Item = (WorkKind, &KindRule)> {
        self.kinds.iter().map(|(kind, rule)| (*kind, rule))
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<WorkKinds> {
    let object = node.object(&["four_eyes_from", "kinds"], faults)?;
    let has_limits = object.has("four_eyes_from");
    let limits = optional(object.get("four_eyes_from"), |node| four_eyes::read_limits(&node, faults));
    let kinds_at = object.need("kinds", faults)?.map(faults)?;
    let words: Vec<&str> = WorkKind::ALL.iter().map(|kind| kind.as_str()).collect();
    kinds_at.refuse_other_keys(&words, "unknown_kind", faults);
    let mut kinds = BTreeMap::new();
    for kind in WorkKind::ALL {
        match kinds_at.get(kind.as_str()) {
            None => {
                faults.add(kinds_at.fault("missing_key", format!("`{kind}` is missing: such items would have no desk")))
            }
            Some(node) => {
                if let Some(rule) = read_kind(*kind, &node, has_limits, faults) {
                    kinds.insert(*kind, rule);
                }
            }
        }
    }
    let four_eyes_from = limits?.unwrap_or_default();
    (kinds.len() == WorkKind::ALL.len()).then_some(WorkKinds { four_eyes_from, kinds })
}

fn read_kind(kind: WorkKind, node: &Node<'_>, has_limits: bool, faults: &mut Faults) -> Option<KindRule> {
    let object = node.object(&["title", "queue", "priority", "due_in", "runbook", "options"], faults)?;
    let title = object.need("title", faults).and_then(|node| node.line(TITLE_CHARS_MAX, faults).map(str::to_owned));
    let queue = object.need("queue", faults).and_then(|node| node.word(Queue::ALL, faults));
    let priority = object.need("priority", faults).and_then(|node| node.word(Priority::ALL, faults));
    let due_in = object.need("due_in", faults).and_then(|node| node.span(DUE_MIN..=DUE_MAX, faults));
    let runbook = object.need("runbook", faults).and_then(|node| node.name(faults));
    let options = object.need("options", faults).and_then(|node| read_options(kind, &node, has_limits, faults));
    Some(KindRule {
        title: title?,
        queue: queue?,
        priority: priority?,
        due_in: due_in?,
        runbook: runbook?,
        options: options?,
    })
}

fn read_options(kind: WorkKind, node: &Node<'_>, has_limits: bool, faults: &mut Faults) -> Option<Vec<WorkOption>> {
    let items = node.list(1..=WorkAction::ALL.len(), faults)?;
    let mut options: Vec<WorkOption> = Vec::new();
    for item in &items {
        let Some(object) = item.object(&["action", "label", "four_eyes"], faults) else { continue };
        let action = object.need("action", faults).and_then(|node| read_action(kind, &node, &options, faults));
        let label = object.need("label", faults).and_then(|node| node.line(LABEL_CHARS_MAX, faults).map(str::to_owned));
        let four_eyes = optional(object.get("four_eyes"), |node| read_four_eyes(&node, has_limits, faults));
        if let (Some(action), Some(label), Some(four_eyes)) = (action, label, four_eyes) {
            options.push(WorkOption { action, label, four_eyes: four_eyes.unwrap_or(FourEyes::Never) });
        }
    }
    (options.len() == items.len()).then_some(options)
}

fn read_four_eyes(node: &Node<'_>, has_limits: bool, faults: &mut Faults) -> Option<FourEyes> {
    let four_eyes = node.word(FourEyes::ALL, faults)?;
    if four_eyes == FourEyes::ByAmount && !has_limits {
        faults.add(node.fault("missing_reference", "there is no `four_eyes_from` that says from which amounts"));
        return None;
    }
    Some(four_eyes)
}

fn read_action(kind: WorkKind, node: &Node<'_>, before: &[WorkOption], faults: &mut Faults) -> Option<WorkAction> {
    let action = node.word(kind.actions(), faults)?;
    let fault = if !kind.actions().contains(&action) {
        let allowed = kind.actions().iter().map(ToString::to_string);
        node.fault("not_applicable", format!("`{action}` is nothing that can be done about {kind}")).allowing(allowed)
    } else if before.iter().any(|option| option.action == action) {
        node.fault("duplicate", format!("`{action}` is offered twice"))
    } else {
        return Some(action);
    };
    faults.add(fault);
    None
}
