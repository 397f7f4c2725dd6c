//! The rule set `notifications`: who is told what, over which channel, in which words.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, Object, is_name, optional, read_document};
use crate::rules::texts::{Sender, Template, Text, nearest, read_sender, read_templates};
use crate::rules::wording::Wording;
use crate::words::words;
use crate::work::rules::Queue;

/// How many routes there may be.
const ROUTES_MAX: usize = 200;
/// How a route says that the work item's queue is the desk.
const BY_QUEUE: &str = "by_queue";
const KEYS: [&str; 5] = ["sender", "default_language", "desks", "routes", "templates"];

words! {
    /// The events that somebody can be told about.
    NotifiedEvent {
        /// A deposit was opened.
        DepositPending = "deposit.pending",
        /// The provider collected the money.
        DepositPaid = "deposit.paid",
        /// The trading account has the money.
        DepositCredited = "deposit.credited",
        /// The provider did not collect the money.
        DepositFailed = "deposit.failed",
        /// Nobody paid in time.
        DepositExpired = "deposit.expired",
        /// A person decides about the deposit.
        DepositNeedsReview = "deposit.needs_review",
        /// The money went back to the payer.
        DepositRefunded = "deposit.refunded",
        /// The payer's bank took the money back.
        DepositChargedBack = "deposit.charged_back",
        /// The client asked for a withdrawal.
        WithdrawalRequested = "withdrawal.requested",
        /// The withdrawal is approved.
        WithdrawalApproved = "withdrawal.approved",
        /// The withdrawal is declined.
        WithdrawalDeclined = "withdrawal.declined",
        /// The client took the withdrawal back.
        WithdrawalCancelled = "withdrawal.cancelled",
        /// The withdrawal is taken off the trading account.
        WithdrawalDebited = "withdrawal.debited",
        /// The withdrawal is paid out.
        WithdrawalPaidOut = "withdrawal.paid_out",
        /// The withdrawal could not be paid out.
        WithdrawalPayoutFailed = "withdrawal.payout_failed",
        /// The withdrawal is put back on the trading account.
        WithdrawalReturned = "withdrawal.returned",
        /// The trading account exists.
        AccountOpen = "account.open",
        /// The trading account could not be created.
        AccountFailed = "account.failed",
        /// The trading account was not created: the client may no longer have it.
        AccountRefused = "account.refused",
        /// The trading account has another leverage, or is of another type.
        ChangeTermsSet = "change.terms_set",
        /// The trading account is put away.
        ChangeArchived = "change.archived",
        /// The trading account is used again.
        ChangeReopened = "change.reopened",
        /// What the client asked for is not made.
        ChangeDeclined = "change.declined",
        /// The client has passed KYC.
        KycApproved = "kyc.approved",
        /// The client was refused.
        KycRejected = "kyc.rejected",
        /// A person decides about the client's case.
        KycInReview = "kyc.in_review",
        /// The client is asked for another document.
        KycDocumentsRequested = "kyc.documents_requested",
        /// The vendor asks the client to verify himself again.
        KycVerifyAgain = "kyc.verify_again",
        /// The client's document expires: he is asked for another one.
        KycRenewalRequested = "kyc.renewal_requested",
        /// The client's verification has expired with his document.
        KycExpired = "kyc.expired",
        /// The client's newer document was accepted.
        KycRenewed = "kyc.renewed",
        /// Credit that a journey granted is on the trading account.
        BonusCredited = "bonus.credited",
        /// A work item waits for a person.
        WorkOpened = "work.opened",
    }
}

impl NotifiedEvent {
    /// The names that texts about this event may use; whoever sends the event gives them all.
    /// `brand` (the sender's name) can be used everywhere.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::DepositPending
            | Self::DepositFailed
            | Self::DepositExpired
            | Self::DepositRefunded
            | Self::DepositChargedBack => &["payment_id", "client_id", "requested", "psp", "at"],
            Self::DepositPaid => &["payment_id", "client_id", "requested", "paid", "psp", "at"],
            Self::DepositCredited => {
                &["payment_id", "client_id", "requested", "paid", "credited", "psp", "login", "at"]
            }
            Self::DepositNeedsReview => &["payment_id", "client_id", "requested", "psp", "reason", "at"],
            Self::WithdrawalRequested
            | Self::WithdrawalApproved
            | Self::WithdrawalDeclined
            | Self::WithdrawalCancelled
            | Self::WithdrawalDebited
            | Self::WithdrawalPaidOut
            | Self::WithdrawalPayoutFailed
            | Self::WithdrawalReturned => &["payment_id", "client_id", "requested", "psp", "login", "at"],
            Self::AccountOpen => &[
                "account_id",
                "client_id",
                "platform",
                "account_type",
                "currency",
                "leverage",
                "login",
                "server",
                "at",
            ],
            Self::AccountFailed => &["account_id", "client_id", "platform", "account_type", "currency", "reason", "at"],
            Self::AccountRefused => &["account_id", "client_id", "platform", "account_type", "currency", "at"],
            Self::ChangeTermsSet => {
                &["change_id", "account_id", "client_id", "platform", "login", "leverage", "account_type", "at"]
            }
            Self::ChangeArchived | Self::ChangeReopened | Self::ChangeDeclined => {
                &["change_id", "account_id", "client_id", "platform", "login", "at"]
            }
            Self::KycApproved
            | Self::KycRejected
            | Self::KycInReview
            | Self::KycDocumentsRequested
            | Self::KycVerifyAgain => &["kyc_id", "client_id", "at"],
            Self::KycRenewalRequested | Self::KycExpired => &["kyc_id", "client_id", "expires", "at"],
            Self::KycRenewed => &["kyc_id", "client_id", "at"],
            Self::BonusCredited => &["bonus_id", "client_id", "credited", "login", "expires", "terms", "at"],
            Self::WorkOpened => &["work_id", "kind", "queue", "priority", "due_at", "subject", "runbook", "at"],
        }
    }
}

/// The name that the rule set itself fills: the sender's name.
pub const BRAND: &str = "brand";

words! {
    /// How a message travels.
    Channel {
        /// The list of messages in the client's portal.
        InApp = "in_app",
        /// E-mail.
        Email = "email",
        /// The desk's Slack channel.
        Slack = "slack",
    }
}

/// Which desk a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskChoice {
    /// This one.
    Named(String),
    /// The one that the event's `queue` names.
    ByQueue,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteAudience {
    /// The client whom the event is about.
    Client,
    /// A desk of the broker.
    Desk(DeskChoice),
}

/// Who is told about an event, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The event.
    pub event: NotifiedEvent,
    /// Who.
    pub audience: RouteAudience,
    /// Over which channels: one message each.
    pub channels: Vec<Channel>,
    /// In which words.
    pub template: String,
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            event: NotifiedEvent,
            to: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            desk: Option<&'a str>,
            channels: &'a [Channel],
            template: &'a str,
        }
        let (to, desk) = match &self.audience {
            RouteAudience::Client => ("client", None),
            RouteAudience::Desk(DeskChoice::ByQueue) => ("desk", Some(BY_QUEUE)),
            RouteAudience::Desk(DeskChoice::Named(name)) => ("desk", Some(name.as_str())),
        };
        Written { event: self.event, to, desk, channels: &self.channels, template: &self.template }
            .serialize(serializer)
    }
}

/// A desk of the broker (finance, support and so on), as messages reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Desk {
    /// The name of the secret that holds the URL of its Slack webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_secret: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The language it reads, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The rule set `notifications`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notifications {
    /// Whom e-mails are from.
    pub sender: Sender,
    /// The language for whoever has none of ours; every template has it.
    pub default_language: String,
    desks: BTreeMap<String, Desk>,
    routes: Vec<Route>,
    templates: BTreeMap<String, Template>,
}

impl RuleSet for Notifications {
    const NAME: &'static str = "notifications";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Notifications {
    /// A desk by its name.
    pub fn desk(&self, name: &str) -> Option<&Desk> {
        self.desks.get(name)
    }

    /// The routes of an event.
    pub fn routes(&self, event: NotifiedEvent) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(move |route| route.event == event)
    }

    /// A template's text in the wanted language, else in the shorter tag (`pt-BR`, then `pt`), else in the default language;
    /// with the language that was found. `None` only for a template that is not of this set.
    pub fn text(&self, template: &str, language: &str) -> Option<(&str, &Text)> {
        nearest(self.templates.get(template)?, language, &self.default_language)
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Notifications> {
    let object = node.object(&KEYS, faults)?;
    let sender = object.need("sender", faults).and_then(|node| read_sender(&node, faults));
    let language = object.need("default_language", faults).and_then(|node| node.language(faults));
    let desks_at = object.need("desks", faults).and_then(|node| node.map(faults));
    let desks = desks_at.as_ref().and_then(|at| read_desks(at, faults));
    let templates_at = object.need("templates", faults).and_then(|node| node.map(faults));
    let templates = templates_at.as_ref().and_then(|at| read_templates(at, faults));

    let declared = |key: &str| object.get(key).as_ref().map(Node::declared).unwrap_or_default();
    let known = Known { desks: declared("desks"), read_desks: desks.as_ref(), templates: declared("templates") };
    let routes = object.need("routes", faults).and_then(|list| {
        let items = list.list(1..=ROUTES_MAX, faults)?;
        let mut seen = Vec::new();
        let routes: Vec<Option<Route>> = items.iter().map(|item| read_route(item, &known, &mut seen, faults)).collect();
        routes.into_iter().collect::<Option<Vec<_>>>()
    });
    if let (Some(templates_at), Some(templates)) = (&templates_at, &templates) {
        check_templates(templates_at, templates, language.as_deref(), routes.as_deref().unwrap_or_default(), faults);
    }
    Some(Notifications {
        sender: sender?,
        default_language: language?,
        desks: desks?,
        routes: routes?,
        templates: templates?,
    })
}

fn read_desks(at: &Object<'_>, faults: &mut Faults) -> Option<BTreeMap<String, Desk>> {
    let mut desks = BTreeMap::new();
    for (name, node) in at.entries() {
        if !is_name(name) || name == BY_QUEUE {
            faults.add(node.fault("bad_name", "a desk's name must be lower-case letters, digits, _ and -"));
        }
        let Some(object) = node.object(&["slack_secret", "email", "language"], faults) else { continue };
        let slack_secret = optional(object.get("slack_secret"), |node| node.secret_name(faults));
        let email = optional(object.get("email"), |node| node.email(faults));
        let language = optional(object.get("language"), |node| node.language(faults));
        if let (Some(slack_secret), Some(email), Some(language)) = (slack_secret, email, language) {
            desks.insert(name.to_owned(), Desk { slack_secret, email, language });
        }
    }
    (desks.len() == at.count()).then_some(desks)
}

struct Known<'k> {
    desks: Vec<String>,
    read_desks: Option<&'k BTreeMap<String, Desk>>,
    templates: Vec<String>,
}

fn read_route(
    node: &Node<'_>,
    known: &Known<'_>,
    seen: &mut Vec<(NotifiedEvent, String, Channel)>,
    faults: &mut Faults,
) -> Option<Route> {
    let object = node.object(&["event", "to", "desk", "channels", "template"], faults)?;
    let event = object.need("event", faults).and_then(|node| node.word(NotifiedEvent::ALL, faults));
    let audience = object.need("to", faults).and_then(|to| read_audience(&object, &to, event, known, faults));
    let channels = object.need("channels", faults).and_then(|list| {
        let read = |item: &Node<'_>, faults: &mut Faults| read_channel(item, audience.as_ref(), known, faults);
        list.distinct(1..=Channel::ALL.len(), faults, read)
    });
    let template =
        object.need("template", faults).and_then(|node| node.reference("template", &known.templates, faults));
    let route = Route { event: event?, audience: audience?, channels: channels?, template: template? };
    for channel in &route.channels {
        let told = (route.event, format!("{:?}", route.audience), *channel);
        if seen.contains(&told) {
            faults.add(node.fault("duplicate", format!("another route already tells them about this over {channel}")));
            return None;
        }
        seen.push(told);
    }
    Some(route)
}

fn read_audience(
    object: &Object<'_>,
    to: &Node<'_>,
    event: Option<NotifiedEvent>,
    known: &Known<'_>,
    faults: &mut Faults,
) -> Option<RouteAudience> {
    words! {
        /// The word of a route's `to`.
        To {
            /// The client.
            Client = "client",
            /// A desk.
            Desk = "desk",
        }
    }
    match to.word(To::ALL, faults)? {
        To::Client if event == Some(NotifiedEvent::WorkOpened) => {
            faults.add(to.fault("not_applicable", "work items are not told to clients"));
            None
        }
        To::Client => {
            if let Some(desk) = object.get("desk") {
                faults.add(desk.fault("not_applicable", "only a route to a desk names one"));
                return None;
            }
            Some(RouteAudience::Client)
        }
        To::Desk => {
            let desk = object.need("desk", faults)?;
            if desk.raw().as_str() != Some(BY_QUEUE) {
                return desk
                    .reference("desk", &known.desks, faults)
                    .map(|name| RouteAudience::Desk(DeskChoice::Named(name)));
            }
            let has_queue = event.is_none_or(|event| event.names().contains(&"queue"));
            if !has_queue {
                faults
                    .add(desk.fault("not_applicable", "this event has no queue: name the desk").allowing(&known.desks));
                return None;
            }
            let without_desk: Vec<&str> = Queue::ALL
                .iter()
                .map(|queue| queue.as_str())
                .filter(|queue| !known.desks.iter().any(|desk| desk == queue))
                .collect();
            if !without_desk.is_empty() {
                faults.add(
                    desk.fault("missing_reference", format!("no desk for the queue(s) {}", without_desk.join(", "))),
                );
                return None;
            }
            Some(RouteAudience::Desk(DeskChoice::ByQueue))
        }
    }
}

fn read_channel(
    node: &Node<'_>,
    audience: Option<&RouteAudience>,
    known: &Known<'_>,
    faults: &mut Faults,
) -> Option<Channel> {
    let channel = node.word(Channel::ALL, faults)?;
    let desks: Vec<&str> = match audience {
        Some(RouteAudience::Client) if channel == Channel::Slack => {
            faults.add(node.fault("not_applicable", "clients have no Slack here").allowing(["in_app", "email"]));
            return None;
        }
        Some(RouteAudience::Desk(_)) if channel == Channel::InApp => {
            faults.add(node.fault("not_applicable", "desks have no portal").allowing(["slack", "email"]));
            return None;
        }
        Some(RouteAudience::Desk(DeskChoice::Named(name))) => vec![name],
        Some(RouteAudience::Desk(DeskChoice::ByQueue)) => Queue::ALL.iter().map(|queue| queue.as_str()).collect(),
        Some(RouteAudience::Client) | None => Vec::new(),
    };
    for name in desks {
        let Some(desk) = known.read_desks.and_then(|desks| desks.get(name)) else { continue };
        let reached = match channel {
            Channel::Slack => desk.slack_secret.is_some(),
            Channel::Email => desk.email.is_some(),
            Channel::InApp => true,
        };
        if !reached {
            faults.add(node.fault("missing_reference", format!("desk `{name}` has no {channel}")));
            return None;
        }
    }
    Some(channel)
}

/// Each template has the default language; each text has what its channels need and only names that its events offer.
fn check_templates(
    at: &Object<'_>,
    templates: &BTreeMap<String, Template>,
    default_language: Option<&str>,
    routes: &[Route],
    faults: &mut Faults,
) {
    for (name, node) in at.entries() {
        let Some(template) = templates.get(name) else { continue };
        if let Some(language) = default_language.filter(|language| !template.contains_key(*language)) {
            faults.add(node.fault("missing_language", format!("has no text in the default language `{language}`")));
        }
        let using: Vec<&Route> = routes.iter().filter(|route| route.template == name).collect();
        let offered = offered_names(&using);
        for (tag, text) in template {
            let place = format!("{}/{tag}", node.pointer());
            let needs = |channel: Channel| using.iter().any(|route| route.channels.contains(&channel));
            for (key, part, channel) in
                [("subject", &text.subject, Channel::Email), ("title", &text.title, Channel::InApp)]
            {
                if part.is_none() && needs(channel) {
                    faults.add(Fault::new(
                        place.clone(),
                        "missing_key",
                        format!("`{key}` is missing: the text is sent by {channel}"),
                    ));
                }
            }
            let parts =
                [("subject", text.subject.as_ref()), ("title", text.title.as_ref()), ("body", Some(&text.body))];
            for (key, wording) in parts {
                let unknown = wording.into_iter().flat_map(Wording::names).filter(|name| !offered.contains(name));
                for name in unknown {
                    let message = format!("`{name}` is not offered by every event that uses this text");
                    faults.add(
                        Fault::new(format!("{place}/{key}"), "unknown_name", message).allowing(offered.iter().copied()),
                    );
                }
            }
        }
    }
}

/// The names that every event of the routes offers; of all events for a text that no route uses yet.
fn offered_names(using: &[&Route]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = match using.split_first() {
        None => NotifiedEvent::ALL.iter().flat_map(|event| event.names()).copied().collect(),
        Some((first, others)) => {
            let in_all = |name: &&&'static str| others.iter().all(|route| route.event.names().contains(*name));
            first.event.names().iter().filter(in_all).copied().collect()
        }
    };
    names.push(BRAND);
    names.sort_unstable();
    names.dedup();
    names
}
