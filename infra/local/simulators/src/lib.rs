//! The other side of the wire: a payment provider, a cashier, trading servers, vendors of identity checks, a chat, a mail service and
//! the sources of lists and of exchange rates that speak their real protocols over loopback HTTP/1.1 and take scripted faults.
//!
//! Nothing here is shared with the project's adapters, so a mistake there cannot hide here. Nothing happens by
//! itself either, but for identity checks, which their vendor decides: a payer pays through a page or a control route. `README.md` lists the control routes.

pub mod adyen;
mod assemble;
pub mod checkout;
mod clock;
mod coinspaid;
mod config;
mod control;
mod courier;
pub mod ctrader;
mod desk;
mod dxtrade;
mod fault;
pub mod kyc;
mod lists;
mod lookup;
mod mail;
pub mod meta;
mod mt4;
pub mod mt5;
pub mod nuvei;
mod page;
mod payer;
mod paysafe;
pub mod praxis;
mod psp;
mod rates;
pub mod rekognition;
mod reply;
mod request;
mod serve;
mod skrill;
mod slack;
pub mod slack_press;
pub mod sns;
pub mod stripe;
mod till;
pub mod twilio;

pub use assemble::{Running, Simulators, StartError};
pub use clock::{Busy, Clock, Time};
pub use config::{
    AdyenConfig, CheckoutConfig, CoinsPaidConfig, Config, CtraderConfig, DxtradeConfig, KycConfig, MailConfig,
    MetaConfig, Mt4Config, Mt5Config, Mt5Group, NuveiConfig, OnfidoConfig, PaysafeConfig, Ports, PraxisConfig,
    RekognitionConfig, SkrillConfig, SlackConfig, StripeConfig, SumsubConfig, TwilioConfig, VeriffConfig,
};
pub use lookup::ConfigError;
pub use mail::{Mail, Mailbox};
