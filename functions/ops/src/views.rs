//! Every `GET`: what clients' portal and staff see. Reads only.

mod journal;
mod lead;
mod show;
mod work;

pub(crate) use work::work_view;

use std::sync::Arc;
use std::time::Duration;

use domain::account::Account;
use domain::client::Client;
use domain::payment::Deposit;
use domain::{AccountId, ClientId, PaymentId};
use providers::platforms::Login;
use runtime::auth::{PORTAL, PORTAL_AND_STAFF, STAFF};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::vendors::Servers;
use runtime::{Caller, Problem, awsclients};
use serde_json::{Value, json};
use store::{Crm, Journal, MoneyTable, Stored};

use show::{account_view, payment_view};

/// How long a live balance may take; without it the account is shown without.
const BALANCE_TIMEOUT: Duration = Duration::from_secs(2);

/// The step.
pub struct Views {
    crm: Crm,
    money: MoneyTable,
    journal: Journal,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Views {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        journal: awsclients::journal(ports)?,
        servers: Servers::new(ports, RuleBook::new(ports)?),
    };
    HttpFunction::build(step, ports)
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
            "/v1/clients/{client_id}/payments",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, _| Box::pin(step.payments(request)),
        ),
        Route::token("GET", "/v1/payments/{payment_id}", PORTAL_AND_STAFF, Scope::Owned, |step, request, caller| {
            Box::pin(step.payment(request, caller))
        }),
        Route::token("GET", "/v1/clients/{client_id}/notifications", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.notifications(request))
        }),
        Route::token("GET", "/v1/leads/{lead_id}", lead::READERS, Scope::Everybody, |step, request, _| {
            Box::pin(lead::view(&step.crm, request))
        }),
        Route::token("GET", "/v1/work", STAFF, Scope::Everybody, |step, request, _| {
            Box::pin(work::view(&step.crm, request))
        }),
        Route::token("GET", "/v1/journal", STAFF, Scope::Everybody, |step, request, _| {
            Box::pin(journal::view(&step.crm, &step.money, &step.journal, request))
        }),
    ];
}

fn health() -> Reply {
    Reply::json(200, &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

fn list(items: Vec<Value>, next_cursor: Option<String>) -> Reply {
    Reply::json(200, &json!({"items": items, "next_cursor": next_cursor}))
}

/// The client of the path, if it exists.
async fn known_client(crm: &Crm, request: &Request) -> Result<Stored<Client>, Problem> {
    let id: ClientId = request.id("client_id")?;
    crm.load::<Client>(id.as_str()).await?.ok_or_else(|| Problem::not_found("there is no such client"))
}

impl Views {
    async fn client(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?.entity;
        let (facts, person) = (client.facts, client.person);
        Ok(Reply::json(
            200,
            &json!({
                "client_id": client.id, "created_at": facts.created_at, "email": person.email, "phone": person.phone,
                "full_name": person.full_name, "date_of_birth": person.date_of_birth, "residence": facts.residence,
                "nationality": facts.nationality, "language": facts.language, "lead_id": facts.lead_id,
                "partner_code": facts.partner_code, "entity": facts.entity, "kyc": {"status": facts.kyc},
            }),
        ))
    }

    async fn accounts(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?;
        let (limit, before) = request.page()?;
        let page = self.crm.accounts_of(&client.entity.id, limit, before.as_ref()).await?;
        Ok(list(page.items.iter().map(|stored| account_view(&stored.entity)).collect(), page.next))
    }

    async fn account(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: AccountId = request.id("account_id")?;
        let stored = self.crm.load::<Account>(id.as_str()).await?;
        let account = stored.ok_or_else(|| Problem::not_found("there is no such account"))?.entity;
        caller.require_client(&account.client_id)?;
        let mut view = account_view(&account);
        if let (Some(balance), Some(object)) = (self.balance(&account).await, view.as_object_mut()) {
            object.insert("balance".to_owned(), json!(balance));
            object.insert("balance_at".to_owned(), json!(request.now));
        }
        Ok(Reply::json(200, &view))
    }

    /// The platform's own balance; a platform that does not answer must not take the view down.
    async fn balance(&self, account: &Account) -> Option<domain::Money> {
        let login = Login::new(account.facts.login.clone()?);
        let read = async {
            let platform = self.servers.adapter(&account.facts.server).await.map_err(|error| error.to_string())?;
            platform.balance(&login, account.facts.currency).await.map_err(|error| error.to_string())
        };
        match tokio::time::timeout(BALANCE_TIMEOUT, read).await {
            Ok(Ok(balance)) => Some(balance),
            Ok(Err(error)) => {
                tracing::warn!(account.id = %account.id, error, "balance was not read");
                None
            }
            Err(_) => {
                tracing::warn!(account.id = %account.id, "balance was not read in time");
                None
            }
        }
    }

    async fn payments(&self, request: &Request) -> Result<Reply, Problem> {
        let client = known_client(&self.crm, request).await?;
        let (limit, before) = request.page()?;
        let page = self.money.payments_of(&client.entity.id, limit, before.as_ref()).await?;
        Ok(list(page.items.iter().map(|stored| payment_view(&stored.entity)).collect(), page.next))
    }

    async fn payment(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: PaymentId = request.id("payment_id")?;
        let stored = self.money.load::<Deposit>(id.as_str()).await?;
        let deposit = stored.ok_or_else(|| Problem::not_found("there is no such payment"))?.entity;
        caller.require_client(&deposit.client_id)?;
        Ok(Reply::json(200, &payment_view(&deposit)))
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
