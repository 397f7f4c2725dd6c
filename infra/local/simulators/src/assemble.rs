//! Starts the simulators and holds them while they run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::adyen::Adyen;
use crate::checkout::Checkout;
use crate::clock::Ids;
use crate::coinspaid::CoinsPaid;
use crate::config::Config;
use crate::courier::Courier;
use crate::ctrader::Ctrader;
use crate::dxtrade::Dxtrade;
use crate::kyc::onfido::Onfido;
use crate::kyc::sumsub::Sumsub;
use crate::kyc::veriff::Veriff;
use crate::lists::Lists;
use crate::mail::{Mail, Mailbox};
use crate::meta::Meta;
use crate::mt4::{self, Mt4};
use crate::mt5::Mt5;
use crate::nuvei::Nuvei;
use crate::payer::Cashier;
use crate::paysafe::Paysafe;
use crate::praxis::Praxis;
use crate::psp::Psp;
use crate::rates::Rates;
use crate::rekognition::Rekognition;
use crate::serve;
use crate::skrill::Skrill;
use crate::slack::Slack;
use crate::stripe::Stripe;
use crate::twilio::Twilio;

/// Why the simulators could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on 127.0.0.1:{port} for {vendor}")]
pub struct StartError {
    /// Whose port it is.
    pub vendor: &'static str,
    /// The wanted port; 0 is any.
    pub port: u16,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Starts all vendors.
#[derive(Debug, Clone, Copy)]
pub struct Simulators;

/// The running simulators. They stop when this is dropped.
pub struct Running {
    urls: BTreeMap<String, String>,
    courier: Arc<Courier>,
    mailbox: Mailbox,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Simulators {
    /// Binds every vendor on 127.0.0.1 and serves. Must be called inside a Tokio runtime.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let mut urls = BTreeMap::new();
        let ports = config.ports;
        let stripe_socket = bind("stripe", ports.stripe, &mut urls).await?;
        let praxis_socket = bind("praxis", ports.praxis, &mut urls).await?;
        let skrill_socket = bind("skrill", ports.skrill, &mut urls).await?;
        let coinspaid_socket = bind("coinspaid", ports.coinspaid, &mut urls).await?;
        let adyen_socket = bind("adyen", ports.adyen, &mut urls).await?;
        let checkout_socket = bind("checkout", ports.checkout, &mut urls).await?;
        let nuvei_socket = bind("nuvei", ports.nuvei, &mut urls).await?;
        let paysafe_socket = bind("paysafe", ports.paysafe, &mut urls).await?;
        let mt5_socket = bind("mt5", ports.mt5, &mut urls).await?;
        let mt4_socket = bind("mt4", ports.mt4, &mut urls).await?;
        let webreg_socket = bind("mt4_webreg", ports.mt4_webreg, &mut urls).await?;
        // no HTTP: a line of text over TCP
        urls.entry("mt4_webreg".to_owned()).and_modify(|url| *url = url.replacen("http", "tcp", 1));
        let ctrader_socket = bind("ctrader", ports.ctrader, &mut urls).await?;
        let ctrader_manager_socket = bind("ctrader_manager", ports.ctrader_manager, &mut urls).await?;
        let dxtrade_socket = bind("dxtrade", ports.dxtrade, &mut urls).await?;
        let slack_socket = bind("slack", ports.slack, &mut urls).await?;
        let meta_socket = bind("meta", ports.meta, &mut urls).await?;
        let sumsub_socket = bind("sumsub", ports.sumsub, &mut urls).await?;
        let onfido_socket = bind("onfido", ports.onfido, &mut urls).await?;
        let veriff_socket = bind("veriff", ports.veriff, &mut urls).await?;
        let rekognition_socket = bind("rekognition", ports.rekognition, &mut urls).await?;
        let mail_socket = bind("mail", ports.mail, &mut urls).await?;
        let twilio_socket = bind("twilio", ports.twilio, &mut urls).await?;
        let psp_socket = bind("psp", ports.psp, &mut urls).await?;
        let lists_socket = bind("lists", ports.lists, &mut urls).await?;
        let rates_socket = bind("rates", ports.rates, &mut urls).await?;

        let ids = Arc::new(Ids::new(config.id_seed));
        let clock = config.clock;
        let courier = Arc::new(Courier::new(config.webhook_base, clock.clone()));
        let url = |vendor: &str| urls.get(vendor).cloned().unwrap_or_default();
        let stripe = Stripe::new(config.stripe, url("stripe"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let praxis = Praxis::new(config.praxis, url("praxis"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let skrill = Skrill::new(config.skrill, url("skrill"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let coinspaid =
            CoinsPaid::new(config.coinspaid, url("coinspaid"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let adyen = Adyen::new(config.adyen, url("adyen"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let checkout =
            Checkout::new(config.checkout, url("checkout"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let nuvei = Nuvei::new(config.nuvei, url("nuvei"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let paysafe =
            Paysafe::new(config.paysafe, url("paysafe"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let idle_close = Duration::from_secs(config.mt5.idle_close_s);
        let mt5 = Mt5::new(config.mt5, Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let mt4 = Mt4::new(config.mt4, url("mt4"), Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let ctrader = Ctrader::new(config.ctrader, Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let dxtrade = Dxtrade::new(config.dxtrade, Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let slack = Slack::new(config.slack, url("slack"), clock.clone(), Arc::clone(&courier));
        let meta = Meta::new(config.meta, Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let kyc = config.kyc;
        let tools = || (Arc::clone(&ids), clock.clone(), Arc::clone(&courier));
        let sumsub = Sumsub::new(kyc.sumsub, kyc.decides_after_ms, url("sumsub"), tools());
        let onfido = Onfido::new(kyc.onfido, kyc.decides_after_ms, url("onfido"), tools());
        let veriff = Veriff::new(kyc.veriff, kyc.decides_after_ms, url("veriff"), tools());
        let rekognition = Rekognition::new(config.rekognition, Arc::clone(&ids), clock.clone());
        let lists = Lists::new(clock.clone());
        let rates = Rates::new(clock.clone());
        let twilio = Twilio::new(config.twilio, Arc::clone(&ids), clock.clone());
        let mailbox = Mailbox::with_ids(config.mail, ids, clock);
        // what nobody opened is told of in the name of the first
        let others: Vec<(Arc<dyn Cashier>, Router)> = vec![
            (praxis.clone(), praxis.router()),
            (skrill.clone(), skrill.router()),
            (coinspaid.clone(), coinspaid.router()),
            (adyen.clone(), adyen.router()),
            (checkout.clone(), checkout.router()),
            (nuvei.clone(), nuvei.router()),
            (paysafe.clone(), paysafe.router()),
        ];
        let psp = Psp::router((stripe.clone(), stripe.router()), others, Arc::clone(&courier));

        let (stop, stopped) = watch::channel(false);
        let mut listeners = JoinSet::new();
        let mut listen = |socket: TcpListener, router: Router, idle: Option<Duration>| {
            listeners.spawn(serve::accept(socket, router, idle, stopped.clone()));
        };
        listen(stripe_socket, stripe.router(), None);
        listen(praxis_socket, praxis.router(), None);
        listen(skrill_socket, skrill.router(), None);
        listen(coinspaid_socket, coinspaid.router(), None);
        listen(adyen_socket, adyen.router(), None);
        listen(checkout_socket, checkout.router(), None);
        listen(nuvei_socket, nuvei.router(), None);
        listen(paysafe_socket, paysafe.router(), None);
        listen(mt5_socket, mt5.router(), Some(idle_close));
        listen(mt4_socket, mt4.router(), None);
        listen(ctrader_socket, ctrader.router(), None);
        listen(dxtrade_socket, dxtrade.router(), None);
        listen(slack_socket, slack.router(), None);
        listen(meta_socket, meta.router(), None);
        listen(sumsub_socket, sumsub.router(), None);
        listen(onfido_socket, onfido.router(), None);
        listen(veriff_socket, veriff.router(), None);
        listen(rekognition_socket, rekognition.router(Arc::clone(&courier)), None);
        listen(mail_socket, mailbox.router(Arc::clone(&courier)), None);
        listen(twilio_socket, twilio.router(Arc::clone(&courier)), None);
        listen(psp_socket, psp, None);
        listen(lists_socket, lists.router(Arc::clone(&courier)), None);
        listen(rates_socket, rates.router(Arc::clone(&courier)), None);

        listeners.spawn(mt4::accept(webreg_socket, mt4, stopped.clone()));
        listeners.spawn(ctrader.serve_manager(ctrader_manager_socket, stopped.clone()));

        Ok(Running { urls, courier, mailbox, stop, listeners })
    }
}

async fn bind(vendor: &'static str, port: u16, urls: &mut BTreeMap<String, String>) -> Result<TcpListener, StartError> {
    let (listener, address) = serve::bind(port).await.map_err(|source| StartError { vendor, port, source })?;
    let scheme = if vendor == "ctrader_manager" { "tcp" } else { "http" };
    urls.insert(vendor.to_owned(), format!("{scheme}://{address}"));
    Ok(listener)
}

impl Running {
    /// Base URLs by vendor: `stripe`, `praxis`, `skrill`, `coinspaid`, `paysafe`, `adyen`, `checkout`, `nuvei`, `mt5`, `mt4` (its bridge), `mt4_webreg`, `ctrader`, `ctrader_manager`, `dxtrade`, `slack`, `meta`, `sumsub`, `onfido`, `veriff`, `rekognition`, `mail`, `twilio`, `lists`, `rates`, and `psp` for all payment providers.
    pub fn urls(&self) -> &BTreeMap<String, String> {
        &self.urls
    }

    /// Base URL of one vendor; empty for an unknown name.
    pub fn url(&self, vendor: &str) -> &str {
        self.urls.get(vendor).map_or("", String::as_str)
    }

    /// Where webhooks go from now on: `{base}/v1/webhooks/psp/{vendor}`, `…/kyc/{vendor}`, `…/leads/meta`, `…/slack`.
    pub fn set_webhook_base(&self, base: impl Into<String>) {
        self.courier.set_base(Some(base.into()));
    }

    /// The mail service, to be called in process.
    pub fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// Every mail taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mailbox.mails()
    }

    /// Closes listeners and connections, and waits for the listeners.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
