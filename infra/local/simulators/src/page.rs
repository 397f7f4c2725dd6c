//! The payer's page: what a cardholder would see at the vendor, with two buttons.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::reply;

/// What the page shows.
pub(crate) struct PayerPage<'a> {
    pub(crate) vendor: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) amount: String,
    pub(crate) status: &'a str,
    /// The payer can still decide.
    pub(crate) open: bool,
    /// Values of the two buttons.
    pub(crate) outcomes: [&'a str; 2],
}

impl PayerPage<'_> {
    /// The page as HTML.
    pub(crate) fn render(&self) -> Response {
        let form = if self.open {
            let [pay, fail] = self.outcomes;
            format!(
                "<form method=\"post\"><button name=\"outcome\" value=\"{}\">Pay</button>\
                 <button name=\"outcome\" value=\"{}\">Fail</button></form>",
                escape(pay),
                escape(fail)
            )
        } else {
            String::new()
        };
        let html = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{vendor} (simulator)</title>\
             <style>body{{font:16px system-ui;margin:3rem auto;max-width:24rem}}\
             button{{font:inherit;padding:.6rem 1.4rem;margin-right:.6rem}}</style>\
             <h1>{vendor} <small>simulator</small></h1>\
             <p>{amount}</p><p>Reference <code>{reference}</code></p>\
             <p>Status <strong id=\"status\">{status}</strong></p>{form}</html>",
            vendor = escape(self.vendor),
            amount = escape(&self.amount),
            reference = escape(self.reference),
            status = escape(self.status),
        );
        reply::text(StatusCode::OK, "text/html; charset=utf-8", html)
    }
}

/// Sends the payer back to the shop, or to the page itself when there is no shop address.
pub(crate) fn send_back(return_url: Option<&str>, parameters: &[(&str, &str)], page: &str) -> Response {
    let target = return_url
        .and_then(|text| url::Url::parse(text).ok())
        .map(|mut target| {
            target.query_pairs_mut().extend_pairs(parameters);
            target.to_string()
        })
        .unwrap_or_else(|| page.to_owned());
    let mut response = reply::plain(StatusCode::SEE_OTHER, "");
    if let Ok(location) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Text made safe for HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            other => safe.push(other),
        }
    }
    safe
}
