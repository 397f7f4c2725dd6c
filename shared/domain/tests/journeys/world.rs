use std::collections::BTreeMap;

use domain::activity::position::{Streak, StreakKind};
use domain::activity::{ActivityFacts, Totals};
use domain::client::Client;
use domain::client::consents::{ConsentSource, Saying};
use domain::decision::Verdict;
use domain::journey::cohort::bucket;
use domain::journey::rules::Journeys;
use domain::journey::sending::Sight;
use domain::journey::subject::{Subject, Trigger};
use domain::journey::{Books, Delivery, Happening, Journey, Letter, Line, NextStep, Run, RunState};
use domain::kyc::KycStatus;
use domain::rules::{RuleSet, substitute};
use domain::{AccountId, ClientId, Money, Timestamp};
use serde_json::{Value, json};

/// The seed with its names filled in.
pub fn document() -> Value {
    let path = format!("{}/../../infra/rules/journeys.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let installed = |name: &str| {
        Some(match name {
            "MAIL_FROM" => "desk@broker.test".to_owned(),
            url if url.ends_with("_URL") => "http://127.0.0.1:8701".to_owned(),
            _ => "pipworks/test".to_owned(),
        })
    };
    serde_json::to_value(
        serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&substitute(&text, installed).unwrap()).unwrap(),
    )
    .unwrap()
}

pub fn rules() -> Journeys {
    Journeys::parse(&document()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A client whom no journey holds out.
pub fn treated() -> ClientId {
    (1..).map(ClientId::from_bits).find(|id| bucket("inactive/1", id.as_str()) >= 1_000).unwrap()
}

/// One who is held out of the one of inactive clients.
pub fn held_out() -> ClientId {
    (1..).map(ClientId::from_bits).find(|id| bucket("inactive/1", id.as_str()) < 1_000).unwrap()
}

/// A client, what he does, and his journeys.
pub struct Person {
    pub client: Client,
    pub does: ActivityFacts,
    pub journey: Journey,
    pub kyc: KycStatus,
    pub watched: bool,
    pub rules: Journeys,
    pub letters: Vec<(Timestamp, Letter)>,
}

impl Person {
    pub fn of(id: ClientId, residence: &str) -> Self {
        let body = json!({
            "email": "ana@example.com", "phone": "+525512345678", "full_name": "Ana López", "date_of_birth": "1990-05-17",
            "residence": residence, "nationality": "MX", "language": "es",
        });
        let begun = at("2026-09-01T12:00:00Z");
        let client = Client::register(&body, id.clone(), begun).unwrap();
        let mut own = Self {
            client,
            does: ActivityFacts::default(),
            journey: Journey::of_client(&id),
            kyc: KycStatus::Approved,
            watched: false,
            rules: rules(),
            letters: Vec::new(),
        };
        own.says(&json!({"email": true, "sms": true, "phone": true, "topics": {"marketing": true, "education": true, "product": true}}));
        own
    }

    pub fn says(&mut self, body: &Value) {
        let saying = Saying::read(body).unwrap();
        if let Verdict::Change(said) = self.client.says(&saying, ConsentSource::Portal, at("2026-09-01T12:00:00Z")) {
            self.client = said.next;
        }
    }

    pub fn sight(&self, now: Timestamp) -> Sight {
        let subject = Subject::of_client(&self.client, self.kyc, Some(&self.does), None, now);
        let mut sight = Sight::of_client(&self.client, subject, self.watched);
        sight.unsubscribe_url = "http://127.0.0.1/v1/unsubscribe/t".to_owned();
        sight
    }

    pub fn hears(&mut self, trigger: Trigger, key: &str, when: &str, amount: Option<i64>) {
        let now = at(when);
        let own = Happening { trigger, at: now, key: key.to_owned(), amount: amount.map(Into::into) };
        let sight = self.sight(now);
        let books = Books::live(1, &self.rules);
        if let Verdict::Change(decision) = self.journey.hears(&own, &sight, &books, now).unwrap() {
            self.journey = decision.next;
        }
    }

    pub fn deposits(&mut self, when: &str, amount: i64) {
        let money = Money::parse(&format!("{amount}.00"), "USD".parse().unwrap()).unwrap();
        let sum = self.does.deposits.base.map_or(money, |sum| sum.checked_add(&money).unwrap());
        self.does.deposits =
            Totals { count: self.does.deposits.count + 1, total: vec![sum], base: Some(sum), last: Some(at(when)) };
        self.hears(Trigger::Deposited, &format!("pay-{when}"), when, Some(amount));
    }

    pub fn trades(&mut self, when: &str, kind: StreakKind, length: u32) {
        self.does.trades += 1;
        self.does.last_trade_at = self.does.last_trade_at.max(Some(at(when)));
        let streak = Streak { kind, length, at: at(when), first: "p1".to_owned() };
        self.does.streaks = BTreeMap::from([(AccountId::from_bits(1), streak)]);
        self.hears(Trigger::Traded, "acc/p1", when, None);
    }

    /// Does what is due up to a moment, each at its own; how many versions that took.
    pub fn until(&mut self, end: &str) -> usize {
        let mut versions = 0;
        loop {
            let Some(due) = domain::entity::Entity::due(&self.journey).filter(|due| *due <= at(end)) else {
                return versions;
            };
            let sight = self.sight(due);
            let books = Books::live(1, &self.rules);
            versions += 1;
            assert!(versions < 200, "{:#?}", self.journey);
            match self.journey.next_step(&sight, &books, due).unwrap() {
                NextStep::Save(decision) => self.journey = decision.next,
                NextStep::Send(decision, letter) => {
                    self.letters.push((due, *letter));
                    let Verdict::Change(sent) = decision.next.delivered(&Delivery::Sent, &books, due) else { panic!() };
                    self.journey = sent.next;
                }
                NextStep::Nothing(_) | NextStep::Busy => return versions,
            }
        }
    }

    pub fn run(&self, journey: &str) -> Option<&Run> {
        self.journey.inner.runs.iter().rev().find(|run| run.journey == journey)
    }

    pub fn state(&self, journey: &str) -> Option<RunState> {
        self.run(journey).map(|run| run.state)
    }

    /// What happened: step, what, why.
    pub fn story(&self, journey: &str) -> Vec<String> {
        let words = |line: &Line| {
            let step = line.step.as_ref().map(|step| format!("{step} ")).unwrap_or_default();
            format!("{step}{} {}", line.did, line.why.split(" until ").next().unwrap())
        };
        let waits = |line: &&Line| line.did != domain::journey::Did::Waited || line.why.starts_with("it ");
        self.run(journey).into_iter().flat_map(|run| run.history.iter().filter(waits).map(words)).collect()
    }
}
