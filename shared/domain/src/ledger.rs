//! Double entry: what moves money brings postings that sum to zero in every currency.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Currency, Money, MoneyError, PartnerId};

/// An account of the ledger. Debits are positive, credits negative.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LedgerAccount {
    /// What a payment provider owes us, by its name in the rule set `psps`.
    Psp(String),
    /// What we owe a client for a trading account.
    Client(AccountId),
    /// Our own exchange of one currency into another.
    Exchange,
    /// What we take for deposits.
    Fees,
    /// What a client owes us because money went back to him that still stands on his trading account.
    Reversed(AccountId),
    /// What was taken off a trading account and is on its way to the client.
    Payable(AccountId),
    /// What we owe a partner.
    Partner(PartnerId),
    /// What partners cost us that is paid out of the commission that clients pay.
    Commissions,
    /// What partners cost us that is paid out of the spread.
    Rebates,
    /// Our own account at the bank.
    Bank,
    /// Credit that stands on a trading account: no money of the client's, and never paid out.
    Credit(AccountId),
    /// What bonuses cost us while they stand.
    Bonuses,
}

impl LedgerAccount {
    /// The trading account that it is kept for, if it is one client's.
    pub fn trading_account(&self) -> Option<&AccountId> {
        match self {
            Self::Client(account) | Self::Reversed(account) | Self::Payable(account) | Self::Credit(account) => {
                Some(account)
            }
            Self::Psp(_)
            | Self::Exchange
            | Self::Fees
            | Self::Partner(_)
            | Self::Commissions
            | Self::Rebates
            | Self::Bank
            | Self::Bonuses => None,
        }
    }
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Psp(name) => write!(f, "psp:{name}"),
            Self::Exchange => f.write_str("exchange:own"),
            Self::Fees => f.write_str("fees:own"),
            Self::Client(account) => write!(f, "client:{account}"),
            Self::Reversed(account) => write!(f, "reversed:{account}"),
            Self::Payable(account) => write!(f, "payable:{account}"),
            Self::Partner(partner) => write!(f, "partner:{partner}"),
            Self::Commissions => f.write_str("commissions:own"),
            Self::Rebates => f.write_str("rebates:own"),
            Self::Bank => f.write_str("bank:own"),
            Self::Credit(account) => write!(f, "credit:{account}"),
            Self::Bonuses => f.write_str("bonuses:own"),
        }
    }
}

impl From<LedgerAccount> for String {
    fn from(account: LedgerAccount) -> Self {
        account.to_string()
    }
}

/// Why a text is not an account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an account of the ledger")]
pub struct LedgerAccountError;

impl FromStr for LedgerAccount {
    type Err = LedgerAccountError;

    fn from_str(text: &str) -> Result<Self, LedgerAccountError> {
        let (kind, name) = text.split_once(':').ok_or(LedgerAccountError)?;
        let account = || name.parse().map_err(|_| LedgerAccountError);
        match kind {
            "psp" if !name.is_empty() => Ok(Self::Psp(name.to_owned())),
            "exchange" if name == "own" => Ok(Self::Exchange),
            "fees" if name == "own" => Ok(Self::Fees),
            "client" => account().map(Self::Client),
            "reversed" => account().map(Self::Reversed),
            "payable" => account().map(Self::Payable),
            "partner" => name.parse().map(Self::Partner).map_err(|_| LedgerAccountError),
            "commissions" if name == "own" => Ok(Self::Commissions),
            "rebates" if name == "own" => Ok(Self::Rebates),
            "bank" if name == "own" => Ok(Self::Bank),
            "credit" => account().map(Self::Credit),
            "bonuses" if name == "own" => Ok(Self::Bonuses),
            _ => Err(LedgerAccountError),
        }
    }
}

impl TryFrom<String> for LedgerAccount {
    type Error = LedgerAccountError;

    fn try_from(text: String) -> Result<Self, LedgerAccountError> {
        text.parse()
    }
}

/// One leg of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account.
    pub account: LedgerAccount,
    /// Signed amount: debits are positive, credits negative.
    pub amount: Money,
}

/// Why postings are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingsError {
    /// The legs of a currency do not sum to zero.
    #[error("the postings in {0} do not sum to zero")]
    Unbalanced(Currency),
    /// An amount or a sum does not fit.
    #[error(transparent)]
    Amount(#[from] MoneyError),
}

/// An entry of the ledger: legs that sum to zero in every currency. There is no other way to make one.
///
/// Written by currency, the last leg without its amount, which is what is missing to zero:
/// `{"USD":[["psp:stripe","5.00"],["client:acc_…"]]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Postings(Vec<Posting>);

#[derive(Serialize, Deserialize)]
struct Written(BTreeMap<Currency, Vec<WrittenLeg>>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenLeg {
    Amount(LedgerAccount, String),
    Rest((LedgerAccount,)),
}

impl Postings {
    /// Nothing is moved.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether nothing is moved.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// An amount that one account gets from another: debit `to`, credit `from`.
    pub fn transfer(from: LedgerAccount, to: LedgerAccount, amount: Money) -> Self {
        if from == to || amount.amount().is_zero() {
            return Self::none();
        }
        Self(vec![Posting { account: to, amount }, Posting { account: from, amount: amount.negated() }])
    }

    /// An entry of any legs.
    ///
    /// # Errors
    /// [`PostingsError`].
    pub fn of(legs: impl IntoIterator<Item = Posting>) -> Result<Self, PostingsError> {
        let legs: Vec<Posting> = legs.into_iter().filter(|leg| !leg.amount.amount().is_zero()).collect();
        let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
        for leg in &legs {
            let currency = leg.amount.currency();
            let sum = sums.entry(currency).or_insert(Money::zero(currency));
            *sum = sum.checked_add(&leg.amount)?;
        }
        match sums.into_iter().find(|(_, sum)| !sum.amount().is_zero()) {
            Some((currency, _)) => Err(PostingsError::Unbalanced(currency)),
            None => Ok(Self(legs)),
        }
    }

    /// Both entries as one.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The legs.
    pub fn legs(&self) -> &[Posting] {
        &self.0
    }

    /// What it does to one account in one currency.
    ///
    /// # Errors
    /// [`PostingsError::Amount`] when the sum does not fit.
    pub fn on(&self, account: &LedgerAccount, currency: Currency) -> Result<Money, PostingsError> {
        let legs = self.0.iter().filter(|leg| leg.account == *account && leg.amount.currency() == currency);
        Ok(legs.map(|leg| leg.amount).try_fold(Money::zero(currency), |sum, amount| sum.checked_add(&amount))?)
    }
}

impl From<Postings> for Written {
    fn from(postings: Postings) -> Self {
        let mut written: BTreeMap<Currency, Vec<WrittenLeg>> = BTreeMap::new();
        // from the end: the first of a currency that is met is its last
        for leg in postings.0.into_iter().rev() {
            let legs = written.entry(leg.amount.currency()).or_default();
            legs.push(match legs.is_empty() {
                true => WrittenLeg::Rest((leg.account,)),
                false => WrittenLeg::Amount(leg.account, leg.amount.amount_text()),
            });
        }
        written.values_mut().for_each(|legs| legs.reverse());
        Self(written)
    }
}

impl TryFrom<Written> for Postings {
    type Error = PostingsError;

    fn try_from(written: Written) -> Result<Self, PostingsError> {
        let mut legs = Vec::new();
        for (currency, written) in written.0 {
            let mut sum = Money::zero(currency);
            for leg in written {
                let posting = match leg {
                    WrittenLeg::Amount(account, amount) => {
                        Posting { account, amount: Money::parse(&amount, currency)? }
                    }
                    WrittenLeg::Rest((account,)) => Posting { account, amount: sum.negated() },
                };
                sum = sum.checked_add(&posting.amount)?;
                legs.push(posting);
            }
        }
        Self::of(legs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, "USD".parse().unwrap()).unwrap()
    }

    fn client(n: u128) -> LedgerAccount {
        LedgerAccount::Client(AccountId::from_bits(n))
    }

    #[test]
    fn an_entry_is_small_as_text_and_reads_back() {
        let entry = Postings::transfer(client(1), LedgerAccount::Psp("stripe".to_owned()), usd("12.50"));
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(text, r#"{"USD":[["psp:stripe","12.50"],["client:acc_00000000000000000000000001"]]}"#);
        assert_eq!(serde_json::from_str::<Postings>(&text).unwrap(), entry);
    }

    #[test]
    fn what_does_not_sum_to_zero_cannot_be_made_or_read() {
        let legs = [Posting { account: client(1), amount: usd("1.00") }];
        assert_eq!(Postings::of(legs), Err(PostingsError::Unbalanced("USD".parse().unwrap())));
        let text = r#"{"USD":[["psp:stripe","12.50"],["client:acc_00000000000000000000000001","-12.51"]]}"#;
        assert!(serde_json::from_str::<Postings>(text).is_err());
    }

    #[test]
    fn accounts_read_as_they_are_written() {
        let id = AccountId::from_bits(7);
        for account in [
            LedgerAccount::Psp("praxis".to_owned()),
            LedgerAccount::Exchange,
            LedgerAccount::Fees,
            LedgerAccount::Client(id.clone()),
            LedgerAccount::Reversed(id.clone()),
            LedgerAccount::Payable(id.clone()),
            LedgerAccount::Credit(id),
            LedgerAccount::Bonuses,
            LedgerAccount::Partner(PartnerId::from_bits(7)),
            LedgerAccount::Commissions,
            LedgerAccount::Rebates,
            LedgerAccount::Bank,
        ] {
            assert_eq!(account.to_string().parse::<LedgerAccount>(), Ok(account));
        }
        for text in ["psp:", "client:pay_00000000000000000000000001", "bank:x", "client", ""] {
            assert!(text.parse::<LedgerAccount>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_entry_and_its_counter_entry_come_to_nothing(cents in 1_i64..1_000_000_000, n in 0_u128..3) {
            let amount = usd(&rust_decimal::Decimal::new(cents, 2).to_string());
            let psp = LedgerAccount::Psp("stripe".to_owned());
            let there = Postings::transfer(client(n), psp.clone(), amount);
            let back = Postings::transfer(psp.clone(), client(n), amount);
            prop_assert_eq!(there.on(&psp, amount.currency()).unwrap(), amount);
            let both = there.with(back);
            prop_assert_eq!(both.on(&psp, amount.currency()).unwrap(), Money::zero(amount.currency()));
            let text = serde_json::to_string(&both).unwrap();
            prop_assert_eq!(serde_json::from_str::<Postings>(&text).unwrap(), both);
        }
    }
}
