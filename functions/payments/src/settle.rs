//! `POST /v1/reconciliation/files`: takes a provider's settlement file of a day. It is read at once, so that whoever sends it sees what
//! was not read; it is compared by `payments-reconcile`.

use std::sync::Arc;

use domain::decision::{Frame, Verdict};
use domain::input::Fault;
use domain::payment::rules::PspRule;
use domain::reconciliation::{SettledRow, Settlement, SettlementFile, Source, Taken, totals};
use domain::{Day, SettlementFileId};
use providers::psp::settlement::{self, FILE_BYTES_MAX};
use runtime::auth::Role;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt};
use runtime::vendors::PaymentProviders;
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::json;
use store::{Home, MoneyTable};

/// Who sends settlement files, and reads what came of them.
const ROLES: &[Role] = &[Role::Finance];

/// The step.
pub struct Settle {
    money: MoneyTable,
    providers: PaymentProviders,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let providers = PaymentProviders::new(ports, RuleBook::new(ports)?);
    let step = Settle { money: awsclients::money(ports)?, providers, entropy: ports.entropy.clone() };
    HttpFunction::build(step, ports)
}

impl HttpStep for Settle {
    const NAME: &'static str = "payments-settle";

    const ROUTES: &'static [Route<Self>] = &[Route::<Self>::token(
        "POST",
        "/v1/reconciliation/files",
        ROLES,
        Scope::Everybody,
        |step, request, caller| Box::pin(step.take(request, caller)),
    )
    .with_body(FILE_BYTES_MAX)];
}

/// A file that was read.
struct Read {
    psp: String,
    date: Day,
    hash: String,
    taken: Taken,
    rows: Vec<SettledRow>,
    label: String,
}

impl Settle {
    async fn take(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let bytes = request.body_of("text/csv")?;
        let wish = self.read(request, bytes).await;
        let fresh = SettlementFileId::from_bits(self.entropy.id_bits());
        let make = async |id, read| self.keep(id, read, request).await;
        keyed.create(&self.money, fresh, wish, make, answer).await
    }

    async fn read(&self, request: &Request, bytes: &[u8]) -> Result<Read, Problem> {
        let named = |name: &str| request.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let psp = named("psp").ok_or_else(|| Problem::malformed("psp is missing: the provider that the file is of"))?;
        let date = day_of(named("date"), request)?;
        let live = self.providers.rules().await?;
        let rule = live.rules.psp(psp).ok_or_else(|| {
            let known = live.rules.all().iter().map(|rule| rule.name.clone());
            let fault = Fault::new("/psp", "unknown_psp", "there is no such payment provider");
            Problem::input(vec![fault.allowing(known)])
        })?;
        read_file(rule, date, bytes, live.label())
    }

    /// The rows first, then the file together with the day that it is good for from now on.
    async fn keep(&self, id: SettlementFileId, read: Read, request: &Request) -> Result<Made<SettlementFile>, Problem> {
        let mut frame = request.frame(Self::NAME);
        frame.used(read.label);
        let place = SettlementFile::place(&read.psp, read.date, &read.hash);
        self.money.keep_rows(&place, &read.rows).await?;
        let decision = SettlementFile::taken(id, &read.psp, read.date, &read.hash, read.taken);
        Ok(Made::Saved(self.save(decision, &frame).await?))
    }

    async fn save(
        &self,
        decision: domain::decision::Decision<SettlementFile>,
        frame: &Frame,
    ) -> Result<SettlementFile, StepError> {
        let (decision, file) = (&decision, &decision.next);
        step::together(frame, "files of this day keep coming", || {
            Box::pin(async move {
                // a write of our own whose answer was lost
                if let Some(made) = self.money.load::<SettlementFile>(&file.id).await? {
                    return Ok::<_, StepError>(Attempt::Nothing(made.entity));
                }
                let begun = Settlement::begun(&Source::Psp(file.facts.psp.clone()), file.facts.date);
                let stored = self.money.load::<Settlement>(&begun.id).await?;
                let was = stored.as_ref().map_or(&begun, |stored| &stored.entity);
                let mut commit = Home::<Settlement>::table(&self.money).commit();
                commit.save(&self.money, None, decision, frame)?;
                if let Verdict::Change(takes) = was.takes(file, frame.now) {
                    commit.save(&self.money, stored.as_ref(), &takes, frame)?;
                }
                Ok(Attempt::Save(commit, file.clone()))
            })
        })
        .await
    }
}

/// The day of a file: one that has begun somewhere.
fn day_of(text: Option<&str>, request: &Request) -> Result<Day, Problem> {
    let date = text.and_then(|text| text.parse::<Day>().ok());
    let date = date.ok_or_else(|| Problem::malformed("date must be a day such as 2026-11-23"))?;
    if date > Day::of(request.now).next() {
        let fault = Fault::new("/date", "out_of_range", "the day has not begun");
        return Err(Problem::input(vec![fault]));
    }
    Ok(date)
}

fn read_file(rule: &PspRule, date: Day, bytes: &[u8], label: String) -> Result<Read, Problem> {
    let file = settlement::read(rule.vendor, bytes)
        .map_err(|error| Problem::input(vec![Fault::new("", error.code(), error.to_string())]))?;
    let too_much = |_| Problem::input(vec![Fault::new("", "out_of_range", "the amounts sum to more than can be")]);
    let total = totals(file.rows.iter().map(|row| row.amount)).map_err(too_much)?;
    let taken =
        Taken { format: file.format, read: file.rows.len(), ignored: file.ignored, refusals: file.refusals, total };
    let (psp, hash) = (rule.name.clone(), settlement::hash(bytes));
    Ok(Read { psp, date, hash, taken, rows: file.rows, label })
}

fn answer(file: &SettlementFile) -> Reply {
    let own = &file.facts;
    Reply::json(
        202,
        &json!({
            "settlement_file_id": file.id, "psp": own.psp, "date": own.date, "format": own.format, "read": own.read,
            "ignored": own.ignored, "refused": own.refused, "refusals": own.refusals, "total": own.total,
        }),
    )
}
