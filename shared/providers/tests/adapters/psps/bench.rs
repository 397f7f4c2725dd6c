//! What the suite needs of a payment provider.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use domain::payment::{PspReport, PspStatus};
use domain::{Money, PaymentId};
use providers::psp::{Psp, PspError, Session, Settings};
use serde_json::{Value, json};
use simulators::Running;

use super::sink::{Delivery, Sink};
use crate::support::{control, fault, money, order, psp, settings, simulators, state};

/// What a payer does, and what becomes of a payment afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// He pays, and the money is there.
    Pays,
    /// He pays, and the money is not there yet.
    PaysSlowly,
    /// His attempt fails; he may try again.
    Fails,
    /// The payment is closed for good without money.
    Cancels,
    /// He gets money back.
    IsRefunded,
    /// His bank takes money back.
    Disputes,
}

/// How a vendor tells of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunds {
    /// All of a payment so far, together.
    Total,
    /// Each with its own number and amount.
    #[allow(dead_code, reason = "which of the ways there are is up to the vendors")]
    Each,
    /// Only that the whole payment went back.
    Whole,
    /// Not at all.
    Untold,
}

/// A payment provider as the suite sees it.
pub trait Bench: Sized + Send + Sync + 'static {
    /// Its word in the rules, and its simulator's name.
    const VENDOR: &'static str;
    /// The simulator's name of the call that opens a payment.
    const OPEN: &'static str;
    /// The one that looks a payment up; none where the vendor cannot be asked for one.
    const LOOK_UP: Option<&'static str>;
    /// The header with the signature; none where it stands in the body ([`Bench::signed_as`]).
    const HEADER: Option<&'static str>;
    /// Amounts that it takes, also of currencies with no digits and with three, where it takes such.
    const AMOUNTS: &'static [(&'static str, &'static str)];
    /// How it tells of refunds.
    const REFUNDS: Refunds;
    /// What money that is there is reported as.
    const PAID: PspStatus = PspStatus::Succeeded;
    /// Members of the secret that may be left out.
    const OPTIONAL: &'static [&'static str] = &[];
    /// Whether the signature covers every byte of the body.
    const SIGNS_ALL: bool = true;
    /// Whether it covers whose payment it is and the vendor's number. Where it does not, both are only what the vendor is asked about.
    const SIGNS_WHOSE: bool = true;
    /// Whether the vendor is called to open a payment. Where it is not, the payer's address says everything.
    const OPENS_BY_CALL: bool = true;

    /// The secret that the simulator knows.
    fn secret() -> Value;

    /// A secret of the same shape that calls and signs for somebody else.
    fn another_secret() -> Value;

    /// The simulator's word for an act; none where the vendor has no such thing.
    fn word(act: Act) -> Option<&'static str>;

    /// What the simulator is told so that the payer pays, or gets back, so much.
    fn paying(amount: Money) -> Value;

    /// The fault by which the vendor says that it has a problem of its own.
    fn internal_error() -> Value {
        json!({"kind": "refuse", "status": 503})
    }

    /// What differs from the settings that every vendor gets.
    fn adjust(_settings: &mut Settings) {}

    /// How many payments of ours with this id the simulator has that somebody could pay.
    fn opened(state: &Value, payment: &PaymentId) -> usize;

    /// The delivery under another signature, as the vendor would write it.
    fn signed_as(delivery: &Delivery, signature: &[u8]) -> Delivery {
        match Self::HEADER {
            Some(header) => delivery.with_header(header, Some(signature)),
            None => delivery.clone(),
        }
    }

    /// The signature of a delivery.
    fn signature(delivery: &Delivery) -> String {
        let header = Self::HEADER.and_then(|header| delivery.headers.get(header));
        header.map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// A simulator of its own, the adapter to it, and where its webhooks go.
pub struct Stage<B> {
    pub running: Running,
    pub psp: Arc<dyn Psp>,
    sink: Sink,
    timeout: Duration,
    bench: PhantomData<B>,
}

impl<B: Bench> Stage<B> {
    pub async fn start(timeout: Duration) -> Self {
        let running = simulators().await;
        let psp: Arc<dyn Psp> = Arc::from(adapter::<B>(running.url(B::VENDOR), &B::secret(), timeout));
        let sink = Sink::start(Arc::clone(&psp)).await;
        running.set_webhook_base(sink.url.clone());
        Self { running, psp, sink, timeout, bench: PhantomData }
    }

    pub fn url(&self) -> &str {
        self.running.url(B::VENDOR)
    }

    /// An adapter to the same simulator with another secret.
    pub fn stranger(&self) -> Box<dyn Psp> {
        adapter::<B>(self.url(), &B::another_secret(), self.timeout)
    }

    pub async fn open(&self, payment: &PaymentId, amount: Money) -> Result<Session, PspError> {
        self.psp.open_session(&order(payment, amount)).await
    }

    pub async fn opened(&self, payment: &PaymentId) -> usize {
        B::opened(&state(self.url()).await, payment)
    }

    pub async fn fault(&self, operation: &str, script: Value) {
        fault(self.url(), operation, script).await;
    }

    /// Somebody acts; what the vendor sent, in its order. None where the vendor has no such act.
    pub async fn act(&self, payment: &PaymentId, act: Act, amount: Money, webhook: Value) -> Option<Vec<Delivery>> {
        let mut body = B::paying(amount);
        let members = body.as_object_mut().unwrap();
        members.insert("payment_id".to_owned(), json!(payment));
        members.insert("outcome".to_owned(), json!(B::word(act)?));
        members.insert("webhook".to_owned(), webhook);
        control(self.url(), "/_control/pay", &body).await;
        Some(self.sink.take())
    }

    /// Opens a payment that somebody pays as asked; the one delivery that tells of it.
    pub async fn paid(&self, payment: &PaymentId, amount: Money) -> Delivery {
        self.open(payment, amount).await.unwrap();
        let mut deliveries = self.act(payment, Act::Pays, amount, json!({})).await.unwrap();
        assert_eq!(deliveries.len(), 1);
        deliveries.remove(0)
    }

    /// What arrived since somebody acted last.
    pub fn arrived(&self) -> Vec<Delivery> {
        self.sink.take()
    }

    pub fn read(&self, delivery: &Delivery) -> PspReport {
        delivery.read(self.psp.as_ref()).unwrap_or_else(|error| panic!("{error:?}: {}", text(delivery)))
    }
}

/// An adapter as the bench sets it up.
pub fn adapter<B: Bench>(url: &str, secret: &Value, timeout: Duration) -> Box<dyn Psp> {
    let mut settings = settings(url, secret, timeout);
    B::adjust(&mut settings);
    psp(B::VENDOR, settings)
}

/// The amounts of a bench as money.
pub fn amounts<B: Bench>() -> Vec<Money> {
    B::AMOUNTS.iter().map(|(amount, currency)| money(amount, currency)).collect()
}

/// The body for a message of a failed test.
pub fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.body).into_owned()
}
