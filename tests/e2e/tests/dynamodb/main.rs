//! The store on two DynamoDBs: the embedded one that the demo runs on, and DynamoDB Local. Each test has one body,
//! which must find the same on both and be told the same consumed capacity.
//!
//! `make test` runs them, or `python3 infra/local/localstack/dynamodb.py run -- cargo test -p e2e --test dynamodb`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod both;
mod claims;
mod entities;
mod journal;
mod leads;
mod ledger;
mod lists;
mod notifications;
mod places;
mod rules;
mod samples;
