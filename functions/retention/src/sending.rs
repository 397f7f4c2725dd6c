//! Hands messages over: by mail, by text message, into the client's portal.

use domain::NotificationId;
use domain::Timestamp;
use domain::decision::derived_bits;
use domain::journey::rules::{Channel, Journeys};
use domain::journey::{Delivery, Journey, Letter};
use providers::notify::email::LazyEmail;
use providers::notify::twilio::{Account, Twilio};
use providers::notify::{self, Notifier as _, NotifyError, Receipt, Sms};
use runtime::StepError;
use runtime::secrets::Secrets;
use store::{Crm, Notification};

/// The ways out.
pub(crate) struct Post {
    pub(crate) crm: Crm,
    pub(crate) email: LazyEmail,
    pub(crate) twilio: Twilio,
    pub(crate) secrets: Secrets,
}

/// Our account at the vendor of text messages.
pub(crate) async fn account(secrets: &Secrets, rules: &Journeys) -> Result<Account, StepError> {
    let name = &rules.sms.secret;
    Account::read(&secrets.get(name).await?).ok_or_else(|| StepError::Secret {
        name: name.clone(),
        what: "it is no account of the vendor".to_owned(),
        retry: false,
    })
}

impl Post {
    /// Hands a message over; what cannot be tried at all may be tried later.
    pub(crate) async fn hand_over(
        &self,
        letter: &Letter,
        journey: &Journey,
        rules: &Journeys,
        by: &str,
        now: Timestamp,
    ) -> Delivery {
        let sent = match letter.channel {
            Channel::Email => self.mail(letter).await,
            Channel::Sms => match self.text(letter, rules).await {
                Ok(sent) => sent,
                Err(error) => return Delivery::NotNow(error.to_string()),
            },
            Channel::InApp => match self.show(letter, journey, by, now).await {
                Ok(()) => return Delivery::Sent,
                Err(error) => return Delivery::NotNow(error.to_string()),
            },
        };
        match sent {
            Ok(_) => Delivery::Sent,
            Err(NotifyError::Retry { reason, .. }) => Delivery::NotNow(reason),
            Err(NotifyError::Refused { code, .. }) => Delivery::Refused(code),
            Err(NotifyError::Unknown(what)) => Delivery::Unknown(what),
        }
    }

    async fn mail(&self, letter: &Letter) -> Result<Receipt, NotifyError> {
        let mail = notify::Email {
            to: letter.to.clone(),
            from: letter.from.clone(),
            subject: letter.subject.clone(),
            body: letter.body.clone(),
            unsubscribe_url: letter.unsubscribe_url.clone(),
        };
        self.email.send(&notify::Message::Email(mail)).await
    }

    async fn text(&self, letter: &Letter, rules: &Journeys) -> Result<Result<Receipt, NotifyError>, StepError> {
        let account = account(&self.secrets, rules).await?;
        let sms = Sms { to: letter.to.clone(), body: letter.body.clone() };
        let base = (&rules.sms.url, &rules.sms.callback_url);
        Ok(self.twilio.send(&sms, &letter.from, base.0, base.1, &account).await)
    }

    /// The message's id is derived from what it is of, so whoever shows it again shows the same one.
    async fn show(&self, letter: &Letter, journey: &Journey, by: &str, now: Timestamp) -> Result<(), StepError> {
        let owner = letter.to.reveal();
        let entered = journey.inner.runs.iter().map(|run| run.entered_at.to_string()).next_back().unwrap_or_default();
        let id = NotificationId::from_bits(derived_bits(now, &[journey.id.as_str(), &letter.of, &entered]));
        let message = Notification {
            id,
            at: now,
            kind: format!("journey.{}", letter.of.split('/').next().unwrap_or_default()),
            title: letter.subject.reveal().clone(),
            body: letter.body.reveal().clone(),
            language: letter.language.clone(),
            in_app: true,
            read: false,
        };
        self.crm.begin_notification(owner, &message, by, now).await?;
        Ok(())
    }
}
