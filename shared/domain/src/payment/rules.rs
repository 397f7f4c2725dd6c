//! The rule set `psps`: payment service providers, deposit limits, and how long to wait for what.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use super::confirm::Unconfirmed;
use super::fee::{self, FeeCase, FeeTerms};
use super::request::BY_RULE;
use super::routing::{self, Candidate, Routing, RoutingCase};
use crate::input::Fault;
use crate::rules::limits::{AmountRange, read_range};
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::schema::Schema;
use crate::rules::table::{ROWS_MAX, Row, read_rows, unique_name};
use crate::rules::{Fields, FirstMatch, RuleError, RuleSet, first_match};
use crate::withdrawal::Way;
use crate::words::words;
use crate::{Country, Currency, Money, Seconds};

/// How many providers one installation may have.
const PSPS_MAX: usize = 30;
/// How many currencies one provider may have.
const CURRENCIES_MAX: usize = 200;
const KEYS: [&str; 8] = [
    "psps",
    "routing",
    "deposit_fees",
    "deposit_limits",
    "over_under",
    "credit_review_after",
    "auto_resolution",
    "open_deposits_max",
];
/// Open deposits of one client at once, where the rules say nothing.
const OPEN_DEPOSITS: u32 = OPEN_DEPOSITS_MAX;
/// More than a page of a client's newest deposits are not counted.
const OPEN_DEPOSITS_MAX: u32 = 100;
const PSP_KEYS: [&str; 23] = [
    "name",
    "vendor",
    "enabled",
    "secret",
    "base_url",
    "query_url",
    "pay_page_url",
    "return_url",
    "webhook_url",
    "currencies",
    "legacy_signature",
    "collected_when",
    "unconfirmed_success",
    "signature_tolerance",
    "webhook_limit",
    "poll_limit",
    "needs_review_after",
    "confirm_limit",
    "payment_method",
    "received_over_max",
    "risk_score_max",
    "payouts",
    "settled_after_days",
];
/// A tolerance above this would accept a webhook that somebody recorded.
const SIGNATURE_TOLERANCE_MAX: Seconds = Seconds(3_600);
/// Longest name of a coin or method.
const METHOD_CHARS_MAX: usize = 20;
/// Percent over the asked amount above which nobody's payment is the one that was asked for.
const RECEIVED_OVER_MAX: u32 = 100;
/// Longest that a provider takes to settle, in days: each makes a comparison read two days more.
const SETTLED_AFTER_DAYS_MAX: u32 = 10;
/// An hour, where a provider's rule says nothing else.
const CONFIRM_LIMIT: Seconds = Seconds(3_600);
/// No wait of this set is longer.
const WAIT_MAX: Seconds = Seconds(30 * 86_400);

words! {
    /// Whose protocol a provider speaks.
    Vendor {
        /// Stripe PaymentIntents.
        Stripe = "stripe",
        /// Praxis Cashier.
        Praxis = "praxis",
        /// Skrill Quick Checkout.
        Skrill = "skrill",
        /// CoinsPaid deposit addresses.
        CoinsPaid = "coinspaid",
        /// Paysafe payment handles: Neteller.
        Paysafe = "paysafe",
        /// Adyen payment links and standard webhooks.
        Adyen = "adyen",
        /// Checkout.com hosted payment pages.
        Checkout = "checkout",
        /// Nuvei's payment page and notifications.
        Nuvei = "nuvei",
    }
}

words! {
    /// When a payer's money counts as collected.
    Collected {
        /// As soon as the bank has authorised it: the provider captures it by itself.
        Authorised = "authorised",
        /// Only when it was captured.
        Captured = "captured",
    }
}

words! {
    /// How the paid amount stands to the one asked for.
    PaidAmount {
        /// Equal, or within what counts as equal.
        Exact = "exact",
        /// Less.
        Under = "under",
        /// More.
        Over = "over",
        /// Paid in another currency.
        OtherCurrency = "other_currency",
    }
}

words! {
    /// Which deposits the automation settles by itself although something is odd with them.
    AutoResolution {
        /// None: a person decides each.
        None = "none",
    }
}

/// One payment service provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PspRule {
    /// The name in `psp` fields and in the webhook's path.
    pub name: String,
    /// Whose protocol it speaks.
    pub vendor: Vendor,
    /// Whether new deposits may use it; webhooks of old ones are taken anyway.
    pub enabled: bool,
    /// The name of its secret in Secrets Manager.
    pub secret: String,
    /// Its interface, without a slash at the end.
    pub base_url: String,
    /// Where it is asked about a payment, if that is not below its interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_url: Option<String>,
    /// Where the payer is sent, if that is not what the provider answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_page_url: Option<String>,
    /// Where the payer goes back to, with `{payment_id}`, if the portal names no page with the deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where the provider sends its messages, for providers that want to be told with every payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// What the payer pays with, for providers that are told so: the coin of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// What was received is credited although it is not what was asked for: any less, and up to so many percent more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_over_max: Option<u32>,
    /// Money to which the provider gives a higher risk, from 0 to 1, is decided by a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_score_max: Option<Decimal>,
    /// The currencies it takes.
    pub currencies: Vec<Currency>,
    /// Whether it still signs the old way (Praxis 1.1).
    pub legacy_signature: bool,
    /// When its payers' money counts as collected, where the provider tells of authorisations (Adyen).
    pub collected_when: Collected,
    /// What a success is worth whose status is not signed and of which the provider, when asked, has no transaction.
    pub unconfirmed_success: Unconfirmed,
    /// How old a signed webhook may be.
    pub signature_tolerance: Seconds,
    /// No webhook by then: ask the provider.
    pub webhook_limit: Seconds,
    /// Asked and still undecided: ask again after this.
    pub poll_limit: Seconds,
    /// Undecided for so long: a person looks.
    pub needs_review_after: Seconds,
    /// It told of moved money and, asked, does not confirm it: it is asked again after this, and then a person.
    pub confirm_limit: Seconds,
    /// The ways in which it pays out; what goes another way a person pays out by hand.
    pub payouts: Vec<Way>,
    /// So many days after the payment it stands in the provider's settlement file at the latest; missing then, it is a break.
    pub settled_after_days: u8,
}

impl PspRule {
    /// Whether it pays out this way by itself.
    pub fn pays_out(&self, way: Way) -> bool {
        self.payouts.contains(&way)
    }
}

/// What deposit limits may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositCase {
    /// The currency that is paid.
    pub currency: Currency,
    /// The provider's name.
    pub psp: String,
    /// Where the client lives.
    pub country: Country,
    /// The type of the account that is paid into.
    pub account_type: String,
}

fn deposit_fields() -> Fields<DepositCase> {
    Fields::new()
        .field("currency", |deposit: &DepositCase| deposit.currency)
        .declared("psp", |deposit| deposit.psp.clone())
        .field("country", |deposit| deposit.country)
        // which types there are is up to the set `platforms`: any word is taken here
        .field("account_type", |deposit| deposit.account_type.clone())
}

/// The rule set `psps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Psps {
    psps: Vec<PspRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing: Option<Routing>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deposit_fees: Vec<Row<FeeTerms>>,
    deposit_limits: Vec<Row<AmountRange>>,
    over_under: BTreeMap<Currency, Decimal>,
    /// How long a credit may stay unresolved before it becomes a work item.
    pub credit_review_after: Seconds,
    /// What the automation settles by itself.
    pub auto_resolution: AutoResolution,
    open_deposits_max: u32,
}

impl RuleSet for Psps {
    const NAME: &'static str = "psps";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Psps {
    /// A provider by its name, also one that is not enabled.
    pub fn psp(&self, name: &str) -> Option<&PspRule> {
        self.psps.iter().find(|psp| psp.name == name)
    }

    /// How many deposits of one client may be open at once.
    pub fn open_deposits_max(&self) -> usize {
        usize::try_from(self.open_deposits_max).unwrap_or(usize::MAX)
    }

    /// Every provider.
    pub fn all(&self) -> &[PspRule] {
        &self.psps
    }

    /// Over which provider a deposit goes whose request names none; without it every request must name one.
    pub fn routing(&self) -> Option<&Routing> {
        self.routing.as_ref()
    }

    /// The names that a new deposit in a currency may choose from.
    pub fn names_for(&self, currency: Currency) -> Vec<&str> {
        let takes = |psp: &&PspRule| psp.enabled && psp.currencies.contains(&currency);
        self.psps.iter().filter(takes).map(|psp| psp.name.as_str()).collect()
    }

    /// The limits of a deposit; no match means that there is no deposit of this kind.
    ///
    /// # Errors
    /// [`RuleError`]: hold the deposit and ask a person.
    pub fn deposit_limit(&self, case: &DepositCase) -> Result<FirstMatch<'_, AmountRange>, RuleError> {
        first_match(&self.deposit_limits, deposit_fields().facts(case))
    }

    /// A provider with our fee for a deposit over it, by the first row that fits: without one there is none. Or why there can be no such
    /// fee.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn candidate(&self, psp: &PspRule, case: &RoutingCase) -> Result<Result<Candidate, &'static str>, RuleError> {
        let matched = first_match(&self.deposit_fees, fee::fields().facts(&FeeCase::of(case, psp)))?;
        let fee = matched.row().map(|row| fee::agreed(&row.id, &row.then, case.amount)).transpose();
        Ok(fee.map(|fee| Candidate { psp: psp.clone(), fee }))
    }

    /// Whether a provider's payers may send another amount than they asked for, as they do from a wallet of coins, and what was
    /// received is credited.
    pub fn credits_received(&self, psp: &str, requested: &Money, received: &Money) -> bool {
        let Some(over) = self.psp(psp).and_then(|psp| psp.received_over_max) else { return false };
        let factor = Decimal::ONE_HUNDRED.checked_add(Decimal::from(over));
        // both have fewer than 16 digits before the point
        let most = factor.and_then(|factor| requested.amount().checked_mul(factor));
        let got = received.amount().checked_mul(Decimal::ONE_HUNDRED);
        requested.currency() == received.currency() && most.zip(got).is_some_and(|(most, got)| got <= most)
    }

    /// Whether a provider's score, in thousandths, is above what is credited without a person.
    pub fn is_too_risky(&self, psp: &str, risk: u16) -> bool {
        let max = self.psp(psp).and_then(|psp| psp.risk_score_max);
        max.is_some_and(|max| max.checked_mul(Decimal::ONE_THOUSAND).is_none_or(|max| Decimal::from(risk) > max))
    }

    /// How far from the asked amount a paid one may be and still be exact.
    pub fn tolerance(&self, currency: Currency) -> Decimal {
        self.over_under.get(&currency).copied().unwrap_or_default()
    }

    /// How a paid amount stands to the one asked for.
    pub fn compare(&self, requested: &Money, paid: &Money) -> PaidAmount {
        if requested.currency() != paid.currency() {
            return PaidAmount::OtherCurrency;
        }
        // Both have fewer than 16 digits before the point, so the difference cannot overflow.
        let difference = paid.amount() - requested.amount();
        match difference {
            small if small.abs() <= self.tolerance(requested.currency()) => PaidAmount::Exact,
            less if less < Decimal::ZERO => PaidAmount::Under,
            _ => PaidAmount::Over,
        }
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Psps> {
    let object = node.object(&KEYS, faults)?;
    let list = object.need("psps", faults);
    let items = list.as_ref().and_then(|list| list.list(1..=PSPS_MAX, faults)).unwrap_or_default();
    let mut names = Vec::new();
    let read_items: Vec<Option<PspRule>> = items.iter().map(|item| read_psp(item, &mut names, faults)).collect();
    let psps: Option<Vec<PspRule>> = read_items.iter().cloned().collect();

    // A provider that could not be read may still be named: only names that nobody declared are faults.
    let schema = deposit_fields().schema(&[("psp", &names)]);
    let limits = object.need("deposit_limits", faults).and_then(|rows| {
        read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, when, faults| read_range(then, when, &schema, faults))
    });
    if let (Some(limits), Some(psps)) = (&limits, &psps) {
        refuse_unlimited(&items, psps, limits, &schema, faults);
    }
    // a set without providers has its fault already
    let routing = object.get("routing").filter(|_| !items.is_empty());
    let routing = optional(routing, |node| routing::read(&node, &names, faults));
    let fees = optional(object.get("deposit_fees"), |rows| {
        let schema = fee::fields().schema(&[("psp", &names)]);
        read_rows(&rows, &schema, 0..=ROWS_MAX, faults, |then, when, faults| fee::read(then, when, &schema, faults))
    });
    let over_under = object.need("over_under", faults).and_then(|node| read_tolerances(&node, faults));
    let review = object.need("credit_review_after", faults).and_then(|node| node.span(Seconds(60)..=WAIT_MAX, faults));
    let auto = object.need("auto_resolution", faults).and_then(|node| node.word(AutoResolution::ALL, faults));
    let open_max = optional(object.get("open_deposits_max"), |node| node.whole(1..=OPEN_DEPOSITS_MAX, faults));
    Some(Psps {
        psps: psps.filter(|psps| !psps.is_empty())?,
        routing: routing?,
        deposit_fees: fees?.unwrap_or_default(),
        deposit_limits: limits?,
        over_under: over_under?,
        credit_review_after: review?,
        auto_resolution: auto?,
        open_deposits_max: open_max?.unwrap_or(OPEN_DEPOSITS),
    })
}

fn read_psp(node: &Node<'_>, names: &mut Vec<String>, faults: &mut Faults) -> Option<PspRule> {
    let object = node.object(&PSP_KEYS, faults)?;
    let name = object.need("name", faults).and_then(|node| {
        let name = unique_name(&node, names, faults)?;
        if name == BY_RULE {
            faults.add(node.fault("reserved_name", "`auto` stands for the provider that the rules choose"));
            return None;
        }
        Some(name)
    });
    let vendor = object.need("vendor", faults).and_then(|node| node.word(Vendor::ALL, faults));
    let enabled = object.need("enabled", faults).and_then(|node| node.boolean(faults));
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let query_url = optional(object.get("query_url"), |node| node.url(faults));
    let pay_page_url = optional(object.get("pay_page_url"), |node| node.url(faults));
    let return_url = optional(object.get("return_url"), |node| node.url(faults));
    let webhook_url = optional(object.get("webhook_url"), |node| node.url(faults));
    let currencies =
        object.need("currencies", faults).and_then(|node| node.distinct(1..=CURRENCIES_MAX, faults, Node::currency));
    let legacy_signature = optional(object.get("legacy_signature"), |node| node.boolean(faults));
    if let (Some(Some(true)), Some(at)) = (legacy_signature, object.get("legacy_signature"))
        && vendor.is_some_and(|vendor| vendor != Vendor::Praxis)
    {
        faults.add(at.fault("not_applicable", "only praxis has an old way to sign"));
    }
    let collected = optional(object.get("collected_when"), |node| node.word(Collected::ALL, faults));
    if let (Some(Some(Collected::Captured)), Some(at)) = (collected, object.get("collected_when"))
        && vendor.is_some_and(|vendor| vendor != Vendor::Adyen)
    {
        faults.add(at.fault("not_applicable", "only adyen tells of an authorisation apart from its capture"));
    }
    let unconfirmed = optional(object.get("unconfirmed_success"), |node| node.word(Unconfirmed::ALL, faults));
    let payment_method = optional(object.get("payment_method"), |node| {
        node.line(METHOD_CHARS_MAX, faults).filter(|text| !text.trim().is_empty()).map(str::to_owned)
    });
    if let Some(vendor @ (Vendor::CoinsPaid | Vendor::Paysafe)) = vendor
        && object.get("payment_method").is_none()
    {
        let message = format!("{vendor} needs `payment_method`: the coin of its addresses, or the wallet");
        faults.add(node.fault("missing_key", message));
    }
    let received = optional(object.get("received_over_max"), |node| node.whole(0..=RECEIVED_OVER_MAX, faults));
    let risk = optional(object.get("risk_score_max"), |node| read_score(&node, faults));
    let tolerance = span(&object, "signature_tolerance", Seconds(1), SIGNATURE_TOLERANCE_MAX, faults);
    let confirm = optional(object.get("confirm_limit"), |node| node.span(Seconds(60)..=WAIT_MAX, faults));
    let payouts = optional(object.get("payouts"), |node| {
        node.distinct(0..=Way::ALL.len(), faults, |node, faults| node.word(Way::ALL, faults))
    });
    let settled = optional(object.get("settled_after_days"), |node| node.whole(0..=SETTLED_AFTER_DAYS_MAX, faults));
    let waits = read_waits(&object, faults);
    let [webhook_limit, poll_limit, needs_review_after] = waits?;
    Some(PspRule {
        name: name?,
        vendor: vendor?,
        enabled: enabled?,
        secret: secret?,
        base_url: base_url?,
        query_url: query_url?,
        pay_page_url: pay_page_url?,
        return_url: return_url?,
        webhook_url: webhook_url?,
        payment_method: payment_method?,
        received_over_max: received?,
        risk_score_max: risk?,
        currencies: currencies?,
        legacy_signature: legacy_signature?.unwrap_or(false),
        collected_when: collected?.unwrap_or(Collected::Authorised),
        unconfirmed_success: unconfirmed?.unwrap_or(Unconfirmed::Wait),
        signature_tolerance: tolerance?,
        webhook_limit,
        poll_limit,
        needs_review_after,
        confirm_limit: confirm?.unwrap_or(CONFIRM_LIMIT),
        payouts: payouts?.unwrap_or_default(),
        settled_after_days: settled?.and_then(|days| u8::try_from(days).ok()).unwrap_or(0),
    })
}

fn read_score(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let score = node.decimal(faults)?;
    if score < Decimal::ZERO || score > Decimal::ONE {
        faults.add(node.fault("bad_range", "must be from 0 to 1"));
        return None;
    }
    Some(score)
}

fn span(object: &Object<'_>, key: &str, min: Seconds, max: Seconds, faults: &mut Faults) -> Option<Seconds> {
    object.need(key, faults).and_then(|node| node.span(min..=max, faults))
}

/// The provider is asked before a person is.
fn read_waits(object: &Object<'_>, faults: &mut Faults) -> Option<[Seconds; 3]> {
    let webhook = span(object, "webhook_limit", Seconds(1), WAIT_MAX, faults);
    let poll = span(object, "poll_limit", Seconds(1), WAIT_MAX, faults);
    let review = span(object, "needs_review_after", Seconds(1), WAIT_MAX, faults);
    let (webhook, poll, review) = (webhook?, poll?, review?);
    if review <= webhook {
        let message = format!("needs_review_after ({review}) must be longer than webhook_limit ({webhook})");
        let at = object.get("needs_review_after")?;
        faults.add(at.fault("bad_range", message));
        return None;
    }
    Some([webhook, poll, review])
}

/// Every currency of every provider has limits, whatever the country and account type.
fn refuse_unlimited(
    items: &[Node<'_>],
    psps: &[PspRule],
    limits: &[Row<AmountRange>],
    schema: &Schema,
    faults: &mut Faults,
) {
    let space = Space::new(schema);
    for (item, psp) in items.iter().zip(psps) {
        let own = space.cell_with(&Cell::default(), "psp", psp.name.as_str());
        for (n, currency) in psp.currencies.iter().enumerate() {
            let cell = space.cell_with(&own, "currency", *currency);
            if let Some(gap) = space.gap(cell, limits.iter().map(|row| &row.when)) {
                let pointer = format!("{}/currencies/{n}", item.pointer());
                faults.add(Fault::new(pointer, "missing_reference", format!("no row of deposit_limits covers {gap}")));
            }
        }
    }
}

fn read_tolerances(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<Currency, Decimal>> {
    let object = node.map(faults)?;
    let mut tolerances = BTreeMap::new();
    for (code, at) in object.entries() {
        let Ok(currency) = code.parse::<Currency>() else {
            faults.add(at.fault("unknown_currency", format!("`{code}` is not an ISO 4217 currency code")));
            continue;
        };
        let Some(amount) = at.decimal(faults).map(|amount| amount.normalize()) else { continue };
        if amount < Decimal::ZERO {
            faults.add(at.fault("bad_range", "must not be below zero"));
        } else if amount.scale() > currency.digits() {
            faults.add(at.fault("too_many_decimals", format!("{currency} has {} decimals", currency.digits())));
        } else {
            tolerances.insert(currency, amount);
        }
    }
    (tolerances.len() == object.count()).then_some(tolerances)
}
