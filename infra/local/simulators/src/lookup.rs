//! The configuration of the binary: names and values, from its arguments or its environment.

use std::str::FromStr;

use crate::config::{Config, Mt5Group};

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A number was expected.
    #[error("{0} is not a number in range")]
    NotANumber(&'static str),
    /// Groups are written `name:currency:digits`, separated by commas.
    #[error("MT5_GROUPS must be name:currency:digits, separated by commas")]
    Groups,
}

impl Config {
    /// Reads the configuration by name; what is absent keeps its default. `README.md` lists the names.
    pub fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = Self { webhook_base: get("WEBHOOK_BASE"), id_seed: get("ID_SEED"), ..Self::default() };
        let text = |slot: &mut String, name: &str| {
            if let Some(value) = get(name) {
                *slot = value;
            }
        };
        text(&mut config.stripe.secret_key, "STRIPE_SECRET_KEY");
        text(&mut config.stripe.webhook_secret, "STRIPE_WEBHOOK_SECRET");
        text(&mut config.praxis.merchant_id, "PRAXIS_MERCHANT_ID");
        text(&mut config.praxis.application_key, "PRAXIS_APPLICATION_KEY");
        text(&mut config.praxis.secret, "PRAXIS_SECRET");
        text(&mut config.skrill.merchant_email, "SKRILL_MERCHANT_EMAIL");
        text(&mut config.skrill.merchant_id, "SKRILL_MERCHANT_ID");
        text(&mut config.skrill.secret_word, "SKRILL_SECRET_WORD");
        text(&mut config.skrill.query_password, "SKRILL_QUERY_PASSWORD");
        text(&mut config.coinspaid.public_key, "COINSPAID_PUBLIC_KEY");
        text(&mut config.coinspaid.secret_key, "COINSPAID_SECRET_KEY");
        text(&mut config.adyen.api_key, "ADYEN_API_KEY");
        text(&mut config.adyen.merchant_account, "ADYEN_MERCHANT_ACCOUNT");
        text(&mut config.adyen.hmac_key, "ADYEN_HMAC_KEY");
        text(&mut config.checkout.secret_key, "CHECKOUT_SECRET_KEY");
        text(&mut config.checkout.webhook_key, "CHECKOUT_WEBHOOK_KEY");
        text(&mut config.nuvei.merchant_id, "NUVEI_MERCHANT_ID");
        text(&mut config.nuvei.merchant_site_id, "NUVEI_MERCHANT_SITE_ID");
        text(&mut config.nuvei.secret_key, "NUVEI_SECRET_KEY");
        text(&mut config.paysafe.username, "PAYSAFE_USERNAME");
        text(&mut config.paysafe.password, "PAYSAFE_PASSWORD");
        text(&mut config.paysafe.webhook_key, "PAYSAFE_WEBHOOK_KEY");
        text(&mut config.mt5.password, "MT5_PASSWORD");
        text(&mut config.mt4.master, "MT4_MASTER");
        text(&mut config.mt4.client_id, "MT4_CLIENT_ID");
        text(&mut config.mt4.client_secret, "MT4_CLIENT_SECRET");
        text(&mut config.mt4.trade_platform, "MT4_TRADE_PLATFORM");
        text(&mut config.ctrader.password, "CTRADER_PASSWORD");
        text(&mut config.ctrader.broker_name, "CTRADER_BROKER_NAME");
        text(&mut config.ctrader.plant, "CTRADER_PLANT");
        text(&mut config.dxtrade.username, "DXTRADE_USERNAME");
        text(&mut config.dxtrade.password, "DXTRADE_PASSWORD");
        text(&mut config.slack.path_token, "SLACK_PATH_TOKEN");
        text(&mut config.slack.signing_secret, "SLACK_SIGNING_SECRET");
        text(&mut config.kyc.sumsub.app_token, "SUMSUB_APP_TOKEN");
        text(&mut config.kyc.sumsub.secret_key, "SUMSUB_SECRET_KEY");
        text(&mut config.kyc.sumsub.webhook_secret, "SUMSUB_WEBHOOK_SECRET");
        text(&mut config.kyc.sumsub.level, "SUMSUB_LEVEL");
        text(&mut config.kyc.onfido.api_token, "ONFIDO_API_TOKEN");
        text(&mut config.kyc.onfido.webhook_token, "ONFIDO_WEBHOOK_TOKEN");
        text(&mut config.kyc.onfido.workflow_id, "ONFIDO_WORKFLOW_ID");
        text(&mut config.kyc.veriff.api_key, "VERIFF_API_KEY");
        text(&mut config.kyc.veriff.shared_secret, "VERIFF_SHARED_SECRET");
        text(&mut config.rekognition.access_key_id, "REKOGNITION_ACCESS_KEY_ID");
        text(&mut config.rekognition.secret_access_key, "REKOGNITION_SECRET_ACCESS_KEY");
        text(&mut config.twilio.account_sid, "TWILIO_ACCOUNT_SID");
        text(&mut config.twilio.auth_token, "TWILIO_AUTH_TOKEN");
        text(&mut config.meta.app_secret, "META_APP_SECRET");
        text(&mut config.meta.verify_token, "META_VERIFY_TOKEN");
        text(&mut config.meta.page_token, "META_PAGE_TOKEN");
        number(&get, &mut config.mt5.manager_login, "MT5_MANAGER_LOGIN")?;
        number(&get, &mut config.mt5.first_login, "MT5_FIRST_LOGIN")?;
        number(&get, &mut config.mt5.last_login, "MT5_LAST_LOGIN")?;
        number(&get, &mut config.mt5.server_offset_s, "MT5_OFFSET_SECONDS")?;
        number(&get, &mut config.mt5.idle_close_s, "MT5_IDLE_SECONDS")?;
        number(&get, &mut config.mt4.first_login, "MT4_FIRST_LOGIN")?;
        number(&get, &mut config.mt4.last_login, "MT4_LAST_LOGIN")?;
        number(&get, &mut config.mt4.server_offset_s, "MT4_OFFSET_SECONDS")?;
        number(&get, &mut config.ctrader.manager_login, "CTRADER_MANAGER_LOGIN")?;
        number(&get, &mut config.ctrader.first_login, "CTRADER_FIRST_LOGIN")?;
        number(&get, &mut config.ctrader.last_login, "CTRADER_LAST_LOGIN")?;
        if let Some(value) = get("KYC_DECIDES_AFTER_MS") {
            let none = value == "never";
            config.kyc.decides_after_ms = if none {
                None
            } else {
                Some(value.parse().map_err(|_| ConfigError::NotANumber("KYC_DECIDES_AFTER_MS"))?)
            };
        }
        number(&get, &mut config.ports.stripe, "STRIPE_PORT")?;
        number(&get, &mut config.ports.praxis, "PRAXIS_PORT")?;
        number(&get, &mut config.ports.skrill, "SKRILL_PORT")?;
        number(&get, &mut config.ports.coinspaid, "COINSPAID_PORT")?;
        number(&get, &mut config.ports.adyen, "ADYEN_PORT")?;
        number(&get, &mut config.ports.checkout, "CHECKOUT_PORT")?;
        number(&get, &mut config.ports.nuvei, "NUVEI_PORT")?;
        number(&get, &mut config.ports.paysafe, "PAYSAFE_PORT")?;
        number(&get, &mut config.ports.mt5, "MT5_PORT")?;
        number(&get, &mut config.ports.mt4, "MT4_PORT")?;
        number(&get, &mut config.ports.mt4_webreg, "MT4_WEBREG_PORT")?;
        number(&get, &mut config.ports.ctrader, "CTRADER_PORT")?;
        number(&get, &mut config.ports.ctrader_manager, "CTRADER_MANAGER_PORT")?;
        number(&get, &mut config.ports.dxtrade, "DXTRADE_PORT")?;
        number(&get, &mut config.ports.slack, "SLACK_PORT")?;
        number(&get, &mut config.ports.twilio, "TWILIO_PORT")?;
        number(&get, &mut config.ports.meta, "META_PORT")?;
        number(&get, &mut config.ports.sumsub, "SUMSUB_PORT")?;
        number(&get, &mut config.ports.onfido, "ONFIDO_PORT")?;
        number(&get, &mut config.ports.veriff, "VERIFF_PORT")?;
        number(&get, &mut config.ports.rekognition, "REKOGNITION_PORT")?;
        number(&get, &mut config.ports.mail, "MAIL_PORT")?;
        number(&get, &mut config.ports.psp, "PSP_PORT")?;
        number(&get, &mut config.ports.lists, "LISTS_PORT")?;
        number(&get, &mut config.ports.rates, "RATES_PORT")?;
        if let Some(groups) = get("MT5_GROUPS") {
            config.mt5.groups = groups.split(',').map(group).collect::<Option<_>>().ok_or(ConfigError::Groups)?;
        }
        Ok(config)
    }
}

fn number<T: FromStr>(
    get: &impl Fn(&str) -> Option<String>,
    slot: &mut T,
    name: &'static str,
) -> Result<(), ConfigError> {
    if let Some(value) = get(name) {
        *slot = value.parse().map_err(|_| ConfigError::NotANumber(name))?;
    }
    Ok(())
}

fn group(text: &str) -> Option<Mt5Group> {
    let mut parts = text.trim().split(':');
    let (name, currency, digits) = (parts.next()?, parts.next()?, parts.next()?);
    let group = Mt5Group::new(name, currency, digits.parse().ok()?);
    parts.next().is_none().then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_override_defaults_and_bad_values_are_named() {
        let read = |name: &'static str, value: &'static str| {
            Config::from_lookup(move |asked| (asked == name).then(|| value.to_owned()))
        };
        let config = read("MT5_GROUPS", "real\\a:USD:2, real\\b:JPY:0").unwrap();
        assert_eq!(config.mt5.groups.len(), 2);
        assert_eq!(config.mt5.groups[1].digits, 0);
        assert_eq!(read("MT5_OFFSET_SECONDS", "-3600").unwrap().mt5.server_offset_s, -3600);
        assert_eq!(read("MT5_GROUPS", "a:USD").unwrap_err(), ConfigError::Groups);
        assert_eq!(read("PSP_PORT", "70000").unwrap_err(), ConfigError::NotANumber("PSP_PORT"));
    }
}
