//! Clients who go to a vendor of identity checks: one who passes, and one whose vendor is down.

use serde_json::{Value, json};
use specimens::statement;

use super::kyc::{case, newcomer, register, send};
use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::Desk;
use crate::Failure;

/// Somebody who shows the passport to the vendor instead of uploading it.
///
/// # Errors
/// What kept it from being played.
pub async fn verified(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    let person = newcomer(desk, 500);
    say(&format!(
        "{} goes to the vendor that verifies identities, and sends us an electricity bill only",
        person.name()
    ));
    let client = register(desk, &person).await?;
    send(desk, &client, "proof_of_address", &statement(&person).picture).await?;
    declare(desk, &client).await?;
    let given = link(desk, &client).await?;
    say(&format!("  | a link to {}, good until {}", text(&given, "/vendor"), text(&given, "/expires_at")));
    decide(desk, "sumsub", &client, json!({"outcome": "retry", "comment": "Please take off your glasses."})).await?;
    let seen = case(desk, &client).await?;
    let steps = seen.get("next_steps").map(Value::to_string).unwrap_or_default();
    report.check("is told what to do otherwise", steps.contains("Please take off your glasses."), &steps);
    decide(desk, "sumsub", &client, json!({"outcome": "approved"})).await?;
    let status = text(&case(desk, &client).await?, "/status");
    report.check("and approved without a person when the vendor is content", status == "approved", &status);
    Ok(())
}

/// The first vendor of the chain does not answer.
///
/// # Errors
/// What kept it from being played.
pub async fn outage(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a vendor outage: the clock goes on by 3 minutes, and the next of the chain takes it");
    let control = |route: &str| format!("{}/_control/{route}", desk.broker.simulators.url("sumsub"));
    let down = json!([{"operation": "*", "fault": {"kind": "refuse", "status": 503}, "times": 0}]);
    desk.api.control(&control("faults"), &down).await?;
    let person = newcomer(desk, 600);
    let client = register(desk, &person).await?;
    send(desk, &client, "proof_of_address", &statement(&person).picture).await?;
    declare(desk, &client).await?;
    desk.pass("3m").await?;
    desk.api.send(http::Method::DELETE, &control("faults"), &[], Vec::new()).await?.expect(200)?;
    let vendor = text(&case(desk, &client).await?, "/vendor/name");
    report.check("is at the next vendor", vendor == "onfido", &vendor);
    link(desk, &client).await?;
    decide(desk, "onfido", &client, json!({"outcome": "approved"})).await?;
    let status = text(&case(desk, &client).await?, "/status");
    report.check("and approved there", status == "approved", &status);
    Ok(())
}

async fn declare(desk: &Desk<'_>, client: &str) -> Result<(), Failure> {
    let declaration = json!({"source_of_funds": "employment", "occupation": "engineer", "pep": false});
    desk.portal(&format!("/v1/clients/{client}/kyc/declaration"), &declaration).await?.expect(200)?;
    desk.broker.host.idle().await;
    Ok(())
}

async fn link(desk: &Desk<'_>, client: &str) -> Result<Value, Failure> {
    Ok(desk.portal(&format!("/v1/clients/{client}/kyc/verification"), &json!({})).await?.expect(200)?.json)
}

/// The vendor decides, and tells.
async fn decide(desk: &Desk<'_>, vendor: &str, client: &str, mut order: Value) -> Result<(), Failure> {
    if let Some(order) = order.as_object_mut() {
        order.insert("client_id".to_owned(), json!(client));
    }
    desk.api.control(&format!("{}/_control/decide", desk.broker.simulators.url(vendor)), &order).await?;
    desk.broker.host.idle().await;
    Ok(())
}
