//! Partners on the deployed template: an application becomes a partner, a trade of his client earns him a line within moments, a deal that
//! takes its place another one, and a run pays what is left once.

use broker::local::bridge_signature;
use host::SystemClock;
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{Trader, items, text, unique};

impl Deployment {
    /// The bridge of the MT5 server tells of deals.
    pub async fn push(&self, deals: &[Value]) -> Value {
        let body = json!({"server": "mt5-live", "deals": deals}).to_string();
        let header = bridge_signature(SystemClock.now(), &body);
        let headers = [("content-type", "application/json"), ("x-pipworks-signature", header.as_str())];
        let url = self.url("/v1/webhooks/trades/mt5");
        self.http.send(Method::POST, &url, &headers, body.into_bytes()).await.unwrap().expect(200).unwrap().json
    }

    /// A partner with an agreement, whom compliance knows.
    async fn partner(&self) -> String {
        let wish = json!({
            "full_name": "Iris Kontou", "email": format!("{}@example.com", unique("iris")), "country": "CY",
            "payout": {"rail": "bank", "name": "Iris Kontou", "iban": "DE89370400440532013000"},
        });
        let partner = self.post("/v1/partners", &wish).await.expect(201).unwrap().text_at("/partner_id");
        let agreement = format!("/v1/partners/{partner}/agreement");
        let standard = json!({"agreement_id": "standard"});
        self.post_as("finance", &agreement, &standard).await.expect(201).unwrap();
        self.post(&format!("{agreement}/accept"), &json!({})).await.expect(200).unwrap();
        let queue = "/v1/work?queue=compliance&limit=100";
        self.wait("compliance", queue, |answer| answer.text.contains(&partner)).await;
        let item = self.work("compliance", &partner).await.remove(0);
        let actions = format!("/v1/work/{}/actions", text(&item, "/work_id"));
        self.post_as("compliance", &actions, &json!({"action": "approve"})).await.expect(200).unwrap();
        let path = format!("/v1/partners/{partner}");
        self.wait("finance", &path, |answer| answer.text_at("/status") == "active").await;
        partner
    }

    async fn action(&self, who: &str, run: &str, action: &str, status: u16) {
        let path = format!("/v1/payout-runs/{run}/actions");
        self.post_as(who, &path, &json!({"action": action})).await.expect(status).unwrap();
    }
}

/// A deal that is closed now.
pub fn closed(trader: &Trader, number: &str, lots: &str, profit: &str) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD", "side": "sell", "entry": "out",
        "lots": lots, "price": "1.09012", "profit": profit, "commission": "0", "swap": "0", "currency": "USD",
        "at": SystemClock.now().to_string(),
    })
}

#[test]
fn a_trade_is_earned_by_the_partner_over_its_client_and_paid_once() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let partner = stack.partner().await;
        let lena = stack.trader("Lena Brought", "en", "USD").await;
        let brought =
            json!({"partner_id": partner, "effective_at": SystemClock.now().to_string(), "reason": "he called"});
        let url = stack.url(&format!("/v1/clients/{}/partner", lena.client));
        let answer = stack.http.send_json(Method::PUT, &url, &stack.token("finance"), &brought).await;
        answer.unwrap().expect(200).unwrap();

        let (first, second) = (unique("d"), unique("d"));
        stack.push(&[closed(&lena, &first, "50", "10")]).await;
        let accruals = format!("/v1/partners/{partner}/accruals");
        let earned = stack.wait("finance", &accruals, |answer| items(answer).len() == 1).await;
        assert_eq!(text(&items(&earned)[0], "/amount/amount"), "250.00", "5 a lot: {}", earned.text);
        let mut corrected = closed(&lena, &second, "20", "4");
        corrected["corrects"] = json!(first);
        stack.push(&[corrected]).await;
        stack.wait("finance", &accruals, |answer| items(answer).len() == 3).await;
        let path = format!("/v1/partners/{partner}");
        let seen = stack.wait("finance", &path, |answer| answer.text_at("/balances/accrued/amount") == "100.00").await;
        assert_eq!(seen.text_at("/balances/payable/amount"), "100.00", "{}", seen.text);

        let period: String = SystemClock.now().to_string().chars().take(7).collect();
        let drafted =
            stack.post_as("finance", "/v1/payout-runs", &json!({"period": period})).await.expect(201).unwrap();
        let run = drafted.text_at("/run_id");
        assert_eq!(drafted.text_at("/total/amount"), "100.00", "{}", drafted.text);
        stack.action("finance", &run, "approve", 403).await;
        stack.action("finance_2", &run, "approve", 200).await;
        stack.action("finance", &run, "execute", 200).await;
        let shown = format!("/v1/payout-runs/{run}");
        stack.wait("finance", &shown, |answer| answer.text_at("/status") == "done").await;
        stack.action("finance", &run, "execute", 409).await;
        let file = stack.look("finance", &format!("{shown}?format=pain001")).await;
        assert!(file.text.contains("<IBAN>DE89370400440532013000</IBAN>"), "{}", file.text);
        let paid = stack.look("finance", &path).await;
        assert_eq!(
            (paid.text_at("/balances/paid/amount"), paid.text_at("/balances/payable/amount")),
            ("100.00".to_owned(), "0.00".to_owned()),
            "{}",
            paid.text
        );
    });
}
