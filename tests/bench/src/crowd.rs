//! Clients, as many as wanted.

use broker::Failure;
use broker::local::Broker;
use domain::client::{Client, registered};
use domain::decision::Frame;
use domain::{ClientId, CorrelationId};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use runtime::lambda::{SystemClock, SystemEntropy};
use runtime::{Clock as _, Entropy as _};
use serde_json::json;
use store::{Crm, Saved};

use crate::progress;

/// Clients that are written at the same time.
const AT_ONCE: usize = 32;

/// Clients that are journalled before more are written.
const PART: usize = 5_000;

/// Stores clients numbered from `first` to before `end` as `kyc-register` does, and lets them be journalled.
///
/// # Errors
/// The store's.
pub async fn store_clients(broker: &Broker, first: usize, end: usize) -> Result<(), Failure> {
    let crm = broker.crm();
    for begin in (first..end).step_by(PART) {
        stream::iter(begin..end.min(begin + PART))
            .map(|number| one(&crm, number))
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await?;
        // a backlog of records in the stream makes each write dearer
        broker.host.idle().await;
        progress(&format!("  {} clients", end.min(begin + PART)));
    }
    Ok(())
}

async fn one(crm: &Crm, number: usize) -> Result<(), Failure> {
    let now = SystemClock.now();
    let body = json!({
        "email": format!("client.{number}@example.com"), "phone": format!("+34600{number:06}"),
        "full_name": format!("Client Number {number}"), "date_of_birth": "1990-05-17", "residence": "ES",
        "nationality": "MX", "language": "en",
    });
    let client = Client::register(&body, ClientId::from_bits(SystemEntropy.id_bits()), now);
    let client = client.map_err(|faults| format!("a generated client is refused: {faults:?}"))?;
    let frame = Frame {
        function: "kyc-register",
        execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
        trigger: "POST /v1/clients".to_owned(),
        correlation_id: CorrelationId::from_bits(SystemEntropy.id_bits()).into(),
        now,
        rules: Vec::new(),
    };
    match crm.save(None, registered(client), &frame).await? {
        Saved::Applied(_) => Ok(()),
        Saved::Conflict => Err("a generated client was there before".into()),
    }
}
