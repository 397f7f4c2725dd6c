//! Accounts on the other platforms: asked for, one made without an answer, and those that open by rule.

use std::time::Duration;

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{Trader, items, text, unique};

/// Longest wait for an account whose platform did not answer: the call's time-out, and the look-up.
const SILENCE: Duration = Duration::from_secs(120);
/// The company of the broker whose clients get accounts by rule; nobody else's do.
pub const BY_RULE: &str = "by-rule";

/// A platform and the words of its simulator.
struct Platform {
    name: &'static str,
    server: &'static str,
    create: &'static str,
    /// Where the simulator keeps our reference of an account.
    reference: &'static str,
    /// The recorded list of bookings, and the name of the comment in it.
    bookings: (&'static str, &'static str),
}

const MT4: Platform = Platform {
    name: "mt4",
    server: "Pipworks-Live4",
    create: "new_account",
    reference: "comment",
    bookings: ("orders", "comment"),
};
const CTRADER: Platform = Platform {
    name: "ctrader",
    server: "Pipworks-Live-cTrader",
    create: "trader_create",
    reference: "description",
    bookings: ("history", "external_id"),
};
const DXTRADE: Platform = Platform {
    name: "dxtrade",
    server: "Pipworks-Live-DXtrade",
    create: "client_create",
    reference: "reference",
    bookings: ("transfers", "id"),
};

/// A demo account for who registers with one company, and one too many.
pub fn open_by_rule(set: SetName, document: &mut Value) {
    if set != SetName::Platforms {
        return;
    }
    let of_company = json!([{"field": "entity", "exists": true}, {"field": "entity", "eq": BY_RULE}]);
    let row = |id: &str, platform: &str, currency: &str| {
        json!({
            "id": id, "when": {"all": of_company}, "then": {"platform": platform, "account_type": "standard",
            "currency": currency, "leverage": 500, "kind": "demo"},
        })
    };
    document["openings"] = json!([row("mt5", "mt5", "USD"), row("mt4", "mt4", "USD"), row("mt4_eur", "mt4", "EUR")]);
    let when = json!({"all": [{"field": "kind", "eq": "demo"}, {"field": "platform", "eq": "mt4"}]});
    document["account_limits"] = json!([{"id": "one_mt4_demo", "when": when, "then": {"max": 1}}]);
}

impl Deployment {
    async fn holds(&self, platform: &Platform, reference: &str) -> usize {
        let state = self.state(platform.name, "part=users").await;
        let users = state.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
        users.iter().filter(|user| user[platform.reference] == reference).count()
    }

    async fn newcomer_of(&self, entity: Option<&str>) -> (String, String) {
        let email = format!("{}@example.com", unique("account"));
        let mut body = json!({
            "email": email, "full_name": "Ana Lopez", "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX",
            "language": "es",
        });
        if let Some(entity) = entity {
            body["entity"] = json!(entity);
        }
        (self.post("/v1/clients", &body).await.expect(201).unwrap().text_at("/client_id"), email)
    }

    /// Asks for a live account in dollars, waits until it is open, and pays into it.
    async fn opens_and_takes_money(&self, platform: &Platform) {
        let (client, email) = self.newcomer_of(None).await;
        let accounts = format!("/v1/clients/{client}/accounts");
        let body = json!({"platform": platform.name, "account_type": "standard", "currency": "USD", "leverage": 30});
        let account = self.post(&accounts, &body).await.expect(202).unwrap().text_at("/account_id");
        let is_open = |answer: &Answer| answer.text_at("/items/0/status") == "open";
        let login = self.wait_for(SILENCE, "portal", &accounts, is_open).await.text_at("/items/0/login");
        assert_eq!(self.holds(platform, &account).await, 1, "{}", platform.name);

        // told over both ways, in the client's language, with the server and without the password
        let mail = self.mail_within(SILENCE, &email, platform.server).await.to_string();
        let path = format!("/v1/clients/{client}/notifications");
        let told = self.wait("portal", &path, |answer| answer.text.contains(platform.server)).await;
        let credentials = format!("/v1/accounts/{account}/credentials");
        let given = self.post(&credentials, &json!({})).await.expect(200).unwrap();
        assert_eq!((given.text_at("/login"), given.text_at("/server")), (login.clone(), platform.server.to_owned()));
        for said in [&mail, &told.text] {
            assert!(said.contains(&login) && !said.contains(&given.text_at("/password")), "{}", platform.name);
        }
        self.post(&credentials, &json!({})).await.expect(410).unwrap();

        let trader = Trader { client, account, login, email, currency: "USD".to_owned() };
        let payment = self.deposit(&trader, "250.00", "stripe").await;
        self.pay("stripe", &payment, &json!({})).await;
        self.payment_in(&payment, "credited").await;
        let (list, comment) = platform.bookings;
        let booked = self.state(platform.name, &format!("part={list}")).await;
        let booked = booked[list].as_array().cloned().unwrap_or_default();
        assert_eq!(booked.iter().filter(|one| one[comment] == payment.as_str()).count(), 1, "{}", platform.name);
    }

    /// The next creation is done, and its answer lost.
    async fn silences_the_next_creation(&self, platform: &Platform) {
        let fault = json!([{"operation": platform.create, "fault": {"kind": "apply_then_drop"}}]);
        let url = format!("{}/_control/faults", self.simulators.url(platform.name));
        self.http.control(&url, &fault).await.unwrap();
    }
}

#[test]
fn an_account_opens_on_metatrader_4_and_takes_money() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        stack.opens_and_takes_money(&MT4).await;
    });
}

#[test]
fn an_account_that_ctrader_made_without_an_answer_is_one_and_takes_money() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        stack.silences_the_next_creation(&CTRADER).await;
        stack.opens_and_takes_money(&CTRADER).await;
    });
}

#[test]
fn an_account_opens_on_dxtrade_and_takes_money() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        stack.opens_and_takes_money(&DXTRADE).await;
    });
}

#[test]
fn accounts_open_by_rule_and_what_cannot_be_opened_is_supports() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let (client, _) = stack.newcomer_of(Some(BY_RULE)).await;
        let all_open = |answer: &Answer| {
            items(answer).len() == 2 && items(answer).iter().all(|account| text(account, "/status") == "open")
        };
        let open = stack.wait_for(SILENCE, "portal", &format!("/v1/clients/{client}/accounts"), all_open).await;
        for account in items(&open) {
            assert_eq!((text(account, "/kind"), &account["leverage"]), ("demo", &json!(30)), "{}", open.text);
        }
        let about = |answer: &Answer| items(answer).iter().any(|item| item["subject"].to_string().contains(&client));
        stack.wait("admin", "/v1/work?queue=support&limit=100", about).await;
        let work = stack.work("support", &client).await;
        assert_eq!((work.len(), text(&work[0], "/kind")), (1, "account_opening_refused"), "{work:?}");
        // there is nothing to mend: support leaves it
        let path = format!("/v1/work/{}/actions", text(&work[0], "/work_id"));
        stack.post_as("support", &path, &json!({"action": "close"})).await.expect(200).unwrap();
    });
}
