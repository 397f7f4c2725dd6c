//! The public HTTP API as an outside caller sees it: every test starts a brokerage and speaks to it over HTTP.
//!
//! Each answer of every test is checked against `infra/openapi.yaml` on its way in (see `world.rs`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod access;
mod accounts;
mod adyen;
mod amounts;
mod balances;
mod changes;
mod checkout;
mod clients;
mod clock;
mod coinspaid;
mod decisions;
mod deposits;
mod events;
mod failures;
mod four_eyes;
mod fx;
mod idempotency;
mod installation;
mod journal;
mod kyc;
mod kyc_faces;
mod kyc_vendors;
mod leads;
mod leads_floor;
mod leads_meta;
mod leads_nurture;
mod leads_phone;
mod leads_races;
mod leads_slack;
mod levels;
mod lists;
mod maintenance;
mod money_moves;
mod money_stories;
mod notifications;
mod nuvei;
mod openapi;
mod openings;
mod paysafe;
mod platform_queues;
mod platforms;
mod praxis;
mod privacy;
mod problems;
mod reconciliation;
mod reconciliation_servers;
mod reversals;
mod routes;
mod samples;
mod screenings;
mod signing;
mod skrill;
mod stripe;
mod sweep;
mod tickets;
mod webhook_floods;
mod withdrawals;
mod work;
mod world;
