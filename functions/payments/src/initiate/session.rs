//! Opens the payment at its provider: at the one that the request names, or at the first of those that the rules allow which answers.
//!
//! A provider that does not answer may have opened it all the same. Each is asked under the same id, which is its own idempotency key,
//! and the deposit keeps the names of those that may have: money that comes there is the deposit's.

use domain::Seconds;
use domain::payment::Over;
use domain::payment::fee::Fee;
use domain::payment::routing::{Candidate, Candidates, Failing};
use domain::payment::rules::{PspRule, Psps};
use providers::psp::{PspError, Session, SessionOrder};
use runtime::Problem;
use runtime::problem::with_causes;
use runtime::rulebook::Live;
use store::KeptHealth;

use super::{ATTEMPTS_MAX, Initiate};

/// Where it was opened.
pub(super) struct Opened {
    /// The provider's name.
    pub(super) psp: String,
    /// How long its message is waited for.
    pub(super) webhook_limit: Seconds,
    /// Our fee there.
    pub(super) fee: Option<Fee>,
    pub(super) session: Session,
    /// Other providers at which it may have been opened before.
    pub(super) others: Vec<String>,
    /// Who was tried and passed over, and why.
    pub(super) why: Vec<String>,
}

impl Opened {
    fn at(own: &Candidate, session: Session) -> Self {
        let why = own.fee.iter().map(|fee| format!("deposit_fees/{}: {} {}", fee.rule, fee.amount, fee.mode)).collect();
        let (psp, webhook_limit, fee) = (own.psp.name.clone(), own.psp.webhook_limit, own.fee.clone());
        Self { psp, webhook_limit, fee, session, others: vec![], why }
    }
}

/// What one provider's failure means for the request.
enum Failure {
    /// It cannot be had now: another may.
    Down(String),
    /// It will not, so the request is refused.
    Refused(Problem),
}

impl Initiate {
    /// Opens it.
    ///
    /// # Errors
    /// 422 where a provider refuses, 503 where none answers.
    pub(super) async fn session(
        &self,
        over: &Over,
        order: &SessionOrder,
        live: &Live<Psps>,
    ) -> Result<Opened, Problem> {
        match over {
            Over::Named(own) => match self.open_at(own, order).await {
                Ok(session) => Ok(Opened::at(own, session)),
                Err(Failure::Refused(problem)) => Err(problem),
                Err(Failure::Down(_)) => {
                    if let Some(routing) = live.rules.routing() {
                        let health = self.health().await;
                        self.failed(health, &own.psp, routing.failing(), order).await;
                    }
                    Err(unavailable())
                }
            },
            Over::ByRule(candidates) => self.first_that_answers(candidates, order).await,
        }
    }

    async fn first_that_answers(&self, candidates: &Candidates, order: &SessionOrder) -> Result<Opened, Problem> {
        let mut health = self.health().await;
        let ranked = candidates.ranked(&health.health, order.now);
        let (mut down, mut why) = (Vec::new(), Vec::new());
        if !ranked.put_last.is_empty() {
            why.push(format!("put last, for they have been failing: {}", ranked.put_last.join(", ")));
        }
        for (own, _) in ranked.psps.iter().zip(0..ATTEMPTS_MAX) {
            let psp = &own.psp;
            match self.open_at(own, order).await {
                Ok(session) => {
                    if let Some(next) = health.health.answered(&psp.name) {
                        self.keep(&health, next).await;
                    }
                    // who was passed over may have been tried by an earlier request under this key
                    let passed = ranked.put_last.iter().filter(|name| **name != psp.name && !down.contains(*name));
                    let others = down.iter().chain(passed).cloned().collect();
                    let mut opened = Opened { others, ..Opened::at(own, session) };
                    why.append(&mut opened.why);
                    return Ok(Opened { why, ..opened });
                }
                Err(Failure::Refused(problem)) => return Err(problem),
                Err(Failure::Down(reason)) => {
                    why.push(format!("{} does not answer: {reason}", psp.name));
                    down.push(psp.name.clone());
                    health = self.failed(health, psp, candidates.failing, order).await;
                }
            }
        }
        Err(unavailable())
    }

    async fn open_at(&self, own: &Candidate, order: &SessionOrder) -> Result<Session, Failure> {
        let psp = &own.psp;
        let order = &SessionOrder { amount: own.asked(order.amount), ..order.clone() };
        let adapter = match self.providers.adapter(psp).await {
            Ok(adapter) => adapter,
            Err(error) => {
                tracing::error!(psp = psp.name, error = with_causes(&error), "a payment provider is not set up");
                return Err(Failure::Down("it is not set up".to_owned()));
            }
        };
        adapter.open_session(order).await.map_err(|error| {
            tracing::warn!(psp = psp.name, payment.id = %order.payment_id, error = with_causes(&error),
                "payment provider did not open a session");
            match error {
                PspError::Refused { .. } => {
                    Failure::Refused(Problem::refused("the payment provider refuses this payment"))
                }
                PspError::Unavailable(_) | PspError::Unknown(_) | PspError::Misconfigured(_) => {
                    Failure::Down(error.to_string())
                }
            }
        })
    }

    /// How providers answered lately. It is advice: without it the rules' order counts.
    async fn health(&self) -> KeptHealth {
        self.money.psp_health().await.unwrap_or_else(|error| {
            tracing::warn!(error = with_causes(&error), "how providers answered lately cannot be read");
            KeptHealth::default()
        })
    }

    /// Notes a failure, where it says something new; what is known then.
    async fn failed(&self, was: KeptHealth, psp: &PspRule, rule: Failing, order: &SessionOrder) -> KeptHealth {
        match was.health.failed(&psp.name, rule, order.now) {
            Some(next) => self.keep(&was, next).await,
            None => was,
        }
    }

    async fn keep(&self, was: &KeptHealth, next: domain::payment::routing::PspHealth) -> KeptHealth {
        self.money.keep_psp_health(was, next).await.unwrap_or_else(|error| {
            tracing::warn!(error = with_causes(&error), "how a provider answered is not noted");
            was.clone()
        })
    }
}

fn unavailable() -> Problem {
    Problem::unavailable("the payment provider is not available; try again with the same Idempotency-Key")
}
