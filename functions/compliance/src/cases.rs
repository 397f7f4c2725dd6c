//! `/v1/cases`: what compliance sees of cases and does with them. To everybody else nothing of it exists.

mod ask;
mod list;
mod reports;
mod view;

use std::sync::Arc;

use domain::compliance::{Case, CaseRefusal, CaseRequest, Then, Watch};
use domain::decision::{Decision, Verdict};
use domain::{CaseId, ClientWatchId};
use runtime::auth::Role;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, StepError, awsclients};
use store::{Crm, Stored, TradesTable};

/// Who may see a case.
const ROLES: &[Role] = &[Role::Compliance];

/// The step.
pub struct Cases {
    crm: Crm,
    trades: TradesTable,
    rules: RuleBook,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Cases::new(ports)?, ports)
}

impl HttpStep for Cases {
    const NAME: &'static str = Self::FUNCTION;

    const ROUTES: &'static [Route<Self>] = &[
        Route::<Self>::token("GET", "/v1/cases", ROLES, Scope::Everybody, |step, request, _| {
            Box::pin(list::list(&step.crm, request))
        })
        .unseen(),
        Route::<Self>::token("GET", "/v1/cases/{case_id}", ROLES, Scope::Everybody, |step, request, _| {
            Box::pin(step.one(request))
        })
        .unseen(),
        Route::<Self>::token(
            "POST",
            "/v1/cases/{case_id}/actions",
            ROLES,
            Scope::Everybody,
            |step, request, caller| Box::pin(step.act(request, caller)),
        )
        .unseen(),
        Route::<Self>::token(
            "POST",
            "/v1/cases/{case_id}/reports",
            ROLES,
            Scope::Everybody,
            |step, request, caller| Box::pin(reports::make(step, request, caller)),
        )
        .unseen(),
        Route::<Self>::token(
            "GET",
            "/v1/cases/{case_id}/reports/{report_id}",
            ROLES,
            Scope::Everybody,
            |step, request, _| Box::pin(reports::read(step, request)),
        )
        .unseen(),
    ];
}

fn absent() -> Problem {
    Problem::not_found("there is no such resource")
}

impl Cases {
    const FUNCTION: &'static str = "compliance-cases";

    /// The step, also for the console's pages.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let (crm, trades) = (awsclients::crm(ports)?, awsclients::trades(ports)?);
        Ok(Self { crm, trades, rules: RuleBook::new(ports)?, entropy: ports.entropy.clone() })
    }

    async fn load(&self, id: &CaseId) -> Result<Stored<Case>, Problem> {
        self.crm.load::<Case>(id).await?.ok_or_else(absent)
    }

    async fn one(&self, request: &Request) -> Result<Reply, Problem> {
        let case = self.load(&request.id("case_id")?).await?.entity;
        Ok(Reply::json(200, &view::whole(self, &case, request.now).await?))
    }

    async fn act(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: CaseId = request.id("case_id")?;
        let wish = ask::request(&request.json()?).map_err(Problem::input)?;
        let frame = request.frame(Self::NAME);
        let attempt = || self.attempt(&id, &wish, request, caller);
        let now = step::together(&frame, "the case keeps changing", || Box::pin(attempt())).await?;
        Ok(Reply::json(200, &view::whole(self, &now, request.now).await?))
    }

    /// The case as it is then.
    async fn attempt(
        &self,
        id: &CaseId,
        wish: &CaseRequest,
        request: &Request,
        caller: &Caller,
    ) -> Result<Attempt<Case>, Problem> {
        let was = self.load(id).await?;
        let (verdict, then) = was.entity.act(wish, &caller.subject, request.now).map_err(refusal)?;
        let Verdict::Change(decision) = verdict else { return Ok(Attempt::Nothing(was.entity)) };
        let mut frame = request.frame(Self::NAME);
        frame.correlation_id.clone_from(&was.correlation_id);
        let watch = self.crm.load::<Watch>(&ClientWatchId::of(&was.entity.client_id)).await?;
        let beside = self.beside(&then, &decision, watch.as_ref())?;
        if then == Then::AskClient {
            // before it is said to be done: a repeat finds the message made
            frame.used(ask::client(self, &was.entity, request).await?);
        }
        let mut commit = self.crm.0.commit();
        commit.save(&self.crm, Some(&was), &decision, &frame).map_err(StepError::from)?;
        if let Some(beside) = &beside {
            commit.save(&self.crm, watch.as_ref(), beside, &frame).map_err(StepError::from)?;
        }
        Ok(Attempt::Save(commit, decision.next))
    }

    /// What is saved with an action of what is kept about the client.
    fn beside(
        &self,
        then: &Then,
        decision: &Decision<Case>,
        watch: Option<&Stored<Watch>>,
    ) -> Result<Option<Decision<Watch>>, Problem> {
        let known = || watch.map(|stored| &stored.entity).ok_or_else(absent);
        match then {
            Then::Nothing | Then::AskClient => Ok(None),
            Then::PutAside(scenario, snooze) => Ok(Some(known()?.put_aside(scenario, snooze.clone()))),
            Then::Follow => {
                let following = known()?.following(&decision.next);
                let another = || Problem::conflict("the client has another case that is open");
                following.map(Some).ok_or_else(another)
            }
        }
    }
}

fn refusal(refusal: CaseRefusal) -> Problem {
    match refusal {
        CaseRefusal::Closed => Problem::conflict("the case is closed: reopen it first"),
        CaseRefusal::NotClosed => Problem::conflict("the case is not closed"),
        CaseRefusal::Owned(by) => Problem::conflict(format!("{by} has the case")),
        CaseRefusal::NoProposal => Problem::conflict("nobody has proposed to close the case"),
        CaseRefusal::Awaiting => {
            Problem::conflict("the case waits for a second person: it is closed or sent back first")
        }
        CaseRefusal::OwnProposal => Problem::forbidden("who proposes to close a case cannot approve it"),
        CaseRefusal::Missing(names) => Problem::input(names.into_iter().map(ask::missing).collect()),
        CaseRefusal::UntilOutOfRange => Problem::input(vec![ask::until_out_of_range()]),
        CaseRefusal::UnknownScenario(known) => Problem::input(vec![ask::unknown_scenario(known)]),
    }
}
