//! Every `GET`: what clients' portal and staff see. Writes nothing but the balances that it was told.

mod balance;
mod journal;
mod lead;
mod reconciliation;
mod reconciliation_csv;
mod show;
mod work;

pub(crate) use work::{STATUSES, work_view};

use std::sync::Arc;

use domain::account::Account;
use domain::account::change::Change;
use domain::client::Client;
use domain::withdrawal::Withdrawal;
use domain::{AccountId, ChangeId, ClientId, PaymentId};
use runtime::auth::{PORTAL, PORTAL_AND_STAFF, STAFF};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::vendors::Servers;
use runtime::verification;
use runtime::{Caller, Problem, awsclients};
use serde_json::{Value, json};
use store::{Crm, Journal, MoneyTable, PartnersTable, Payment, Stored, TradesTable};

use balance::Balances;
use show::{account_view, change_view, leg_view, payment_view};

/// The step.
pub struct Views {
    crm: Crm,
    money: MoneyTable,
    trades: TradesTable,
    partners: PartnersTable,
    journal: Journal,
    rules: RuleBook,
    balances: Balances,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Views::new(ports)?, ports)
}

impl HttpStep for Views {
    const NAME: &'static str = "ops-views";

    const ROUTES: &'static [Route<Self>] = &[
        Route::open("GET", "/health", |_, _| Box::pin(async { Ok(health()) })),
        Route::token("GET", "/v1/clients/{client_id}", PORTAL_AND_STAFF, Scope::OneClient, |step, request, _| {
            Box::pin(step.client(request))
        }),
        Route::token(
            "GET",
            "/v1/clients/{client_id}/accounts",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, _| Box::pin(step.accounts(request)),
        ),
        Route::token("GET", "/v1/accounts/{account_id}", PORTAL_AND_STAFF, Scope::Owned, |step, request, caller| {
            Box::pin(step.account(request, caller))
        }),
        Route::token(
            "GET",
            "/v1/accounts/{account_id}/changes/{change_id}",
            PORTAL_AND_STAFF,
            Scope::Owned,
            |step, request, caller| Box::pin(step.change(request, caller)),
        ),
        Route::token(
            "GET",
            "/v1/clients/{client_id}/payments",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, caller| Box::pin(step.payments(request, caller)),
        ),
        Route::token("GET", "/v1/payments/{payment_id}", PORTAL_AND_STAFF, Scope::Owned, |step, request, caller| {
            Box::pin(step.payment(request, caller))
        }),
        Route::token("GET", "/v1/clients/{client_id}/notifications", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.notifications(request))
        }),
        Route::token("GET", "/v1/leads/{lead_id}", lead::READERS, Scope::Everybody, |step, request, caller| {
            Box::pin(lead::view(&step.crm, request, caller))
        }),
        Route::token("GET", "/v1/work", STAFF, Scope::Everybody, |step, request, caller| {
            Box::pin(work::view(&step.crm, request, caller))
        }),
        Route::token("GET", "/v1/reconciliation", reconciliation::READERS, Scope::Everybody, |step, request, _| {
            Box::pin(reconciliation::view(&step.money, &step.rules, request))
        }),
        Route::token("GET", "/v1/journal", STAFF, Scope::Everybody, |step, request, caller| {
            Box::pin(async move { journal::view(&step.sources(), request, caller).await })
        }),
    ];
}

fn health() -> Reply {
    Reply::json(200, &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

fn is_staff(caller: &Caller) -> bool {
    caller.require(STAFF).is_ok()
}

fn list(items: Vec<Value>, next_cursor: Option<String>) -> Reply {
    Reply::json(200, &json!({"items": items, "next_cursor": next_cursor}))
}

/// The client of the path, if it exists.
async fn known_client(crm: &Crm, request: &Request) -> Result<Stored<Client>, Problem> {
    let id: ClientId = request.id("client_id")?;
    crm.load::<Client>(&id).await?.ok_or_else(|| Problem::not_found("there is no such client"))
}

impl Views {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let (crm, money) = (awsclients::crm(ports)?, awsclients::money(ports)?);
        let rules = RuleBook::new(ports)?;
        let balances = Balances::new(crm.clone(), money.clone(), Servers::new(ports, rules.clone()));
        let (trades, partners) = (awsclients::trades(ports)?, awsclients::partners(ports)?);
        let journal = awsclients::journal(ports)?;
        Ok(Self { crm, money, trades, partners, journal, rules, balances })
    }

    /// Where the journal of an entity and its own item are.
    fn sources(&self) -> journal::Sources<'_> {
        let Self { crm, money, trades, partners, journal, .. } = self;
        journal::Sources { crm, money, trades, partners, journal }
    }

    async fn client(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?.entity;
        let kyc = verification::status_of(&self.crm, &client.id).await?;
        let (facts, person) = (client.facts, client.person);
        Ok(Reply::json(
            200,
            &json!({
                "client_id": client.id, "created_at": facts.created_at, "email": person.email, "phone": person.phone,
                "full_name": person.full_name, "date_of_birth": person.date_of_birth, "residence": facts.residence,
                "nationality": facts.nationality, "language": facts.language, "lead_id": facts.lead_id,
                "partner_code": facts.partner_code, "entity": facts.entity, "kyc": {"status": kyc},
            }),
        ))
    }

    async fn accounts(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?;
        let (limit, before) = request.page()?;
        let page = self.crm.accounts_of(&client.entity.id, limit, before.as_ref()).await?;
        let ids: Vec<AccountId> = page.items.iter().map(|stored| stored.entity.id.clone()).collect();
        let kept = self.balances.kept(&ids).await;
        let view = |account: &Account| account_view(account, kept.get(&account.id));
        Ok(list(page.items.iter().map(|stored| view(&stored.entity)).collect(), page.next))
    }

    async fn account(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: AccountId = request.id("account_id")?;
        let stored = self.crm.load::<Account>(&id).await?;
        let account = stored.ok_or_else(|| Problem::not_found("there is no such account"))?.entity;
        caller.require_client(&account.client_id)?;
        let balance = self.balances.of(&account, request.now).await;
        let mut view = account_view(&account, balance.as_ref());
        if let Some((until, windows)) = self.balances.maintenance(&account, request.now).await
            && let Some(object) = view.as_object_mut()
        {
            object.insert("platform_available_at".to_owned(), json!(until));
            let client = self.crm.load::<Client>(&account.client_id).await?;
            let language = client.map(|client| client.entity.facts.language).unwrap_or_default();
            if let Some(note) = windows.note(&language) {
                object.insert("platform_note".to_owned(), json!(note));
            }
        }
        Ok(Reply::json(200, &view))
    }

    async fn change(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let (account, id): (AccountId, ChangeId) = (request.id("account_id")?, request.id("change_id")?);
        let stored = self.crm.load::<Change>(&id).await?.filter(|stored| stored.entity.facts.account_id == account);
        let change = stored.ok_or_else(|| Problem::not_found("there is no such change"))?.entity;
        caller.require_client(&change.client_id)?;
        Ok(Reply::json(200, &change_view(&change)))
    }

    async fn payments(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?;
        let (limit, before) = request.page()?;
        let (payments, next) = self.money.all_payments_of(&client.entity.id, limit, before.as_ref()).await?;
        // a leg is shown with the withdrawal that it is a part of
        let shown = payments.iter().filter(|payment| !payment.is_leg());
        Ok(list(shown.map(|payment| payment_view(payment, is_staff(caller))).collect(), next))
    }

    async fn payment(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: PaymentId = request.id("payment_id")?;
        let payment = self.money.payment(&id).await?.ok_or_else(|| Problem::not_found("there is no such payment"))?;
        caller.require_client(payment.client_id())?;
        let mut view = payment_view(&payment, is_staff(caller));
        if let (Payment::Withdrawal(whole), Some(object)) = (&payment, view.as_object_mut())
            && whole.entity.is_split()
        {
            object.insert("legs".to_owned(), self.legs(&whole.entity).await?);
        }
        Ok(Reply::json(200, &view))
    }

    /// The legs of a withdrawal that goes to several places, as they stand.
    async fn legs(&self, whole: &Withdrawal) -> Result<Value, Problem> {
        let mut legs = Vec::new();
        for planned in &whole.facts.legs {
            legs.extend(self.money.load::<Withdrawal>(&planned.payment_id).await?.map(|leg| leg_view(&leg.entity)));
        }
        Ok(Value::Array(legs))
    }

    async fn notifications(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?;
        let (limit, before) = request.page()?;
        let (messages, next) = self.crm.notifications_of(&client.entity.id, limit, before.as_ref()).await?;
        let items = messages.iter().map(|m| {
            json!({"id": m.id, "at": m.at, "kind": m.kind, "title": m.title, "body": m.body, "language": m.language, "read": m.read})
        });
        Ok(list(items.collect(), next))
    }
}
