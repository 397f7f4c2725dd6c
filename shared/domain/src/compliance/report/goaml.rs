//! A report as goAML writes it. Without a namespace; the order of elements is fixed, so a file is written from top to bottom and nowhere
//! else. What the schema wants and nobody here knows stands in `lacking`: the officer completes it at the authority's portal.

use super::rules::GoAml;
use super::{Report, ReportKind, ReportSubject, Reported};
use crate::Timestamp;
use crate::activity::MovementKind;

/// Letters that other alphabets write with marks, and what they are without.
const FOLDED: [(&str, &str); 26] = [
    ("ÀÁÂÃÄÅĀĂĄ", "A"),
    ("àáâãäåāăą", "a"),
    ("ÇĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ÐĎĐ", "D"),
    ("ðďđ", "d"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("èéêëēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ìíîïĩīĭįı", "i"),
    ("ĹĻĽŁ", "L"),
    ("ĺļľł", "l"),
    ("ÑŃŅŇ", "N"),
    ("ñńņň", "n"),
    ("ÒÓÔÕÖØŌŎŐ", "O"),
    ("òóôõöøōŏő", "o"),
    ("ŔŖŘŕŗř", "r"),
    ("ŚŜŞŠ", "S"),
    ("śŝşšß", "s"),
    ("ŢŤŦţťŧ", "t"),
    ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
    ("ùúûüũūŭůűų", "u"),
    ("ÝŶŸýÿŷ", "y"),
    ("ŹŻŽźżž", "z"),
];
/// How the schema cuts texts.
const REASON_MAX: usize = 8_000;

/// A file, and what is lacking in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoAmlFile {
    /// The file.
    pub xml: String,
    /// Elements that the schema wants and nobody here knows.
    pub lacking: Vec<String>,
}

/// Writes a report.
pub fn goaml(report: &Report, profile: &GoAml) -> GoAmlFile {
    let mut writer =
        Writer { xml: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), lacking: Vec::new(), depth: 0 };
    writer.within("report", |writer| {
        writer.maybe("schema_version", profile.schema_version.as_deref());
        writer.element("rentity_id", &profile.rentity_id.to_string());
        writer.maybe("rentity_branch", profile.rentity_branch.as_deref());
        writer.element("submission_code", &profile.submission_code);
        writer.element("report_code", report.facts.kind.as_str());
        writer.element("entity_reference", report.id.as_str());
        writer.element("submission_date", &moment(report.facts.made_at));
        writer.element("currency_code_local", profile.currency_code_local.code());
        writer.within("reporting_person", |writer| {
            writer.name("first_name", &profile.first_name);
            writer.name("last_name", &profile.last_name);
        });
        let reason: String = report.inner.narrative.chars().take(REASON_MAX).collect();
        writer.element("reason", &reason);
        match report.facts.kind {
            ReportKind::Str => {
                if report.inner.payments.is_empty() {
                    writer.lacking.push("transaction: the evidence names no payment; report it as SAR".to_owned());
                }
                for payment in &report.inner.payments {
                    writer.within("transaction", |writer| writer.transaction(payment, report, profile));
                }
            }
            ReportKind::Sar => writer.within("activity", |writer| {
                writer.within("report_parties", |writer| {
                    writer.within("report_party", |writer| {
                        writer.within("person_my_client", |writer| writer.person(&report.inner.subject));
                        writer.element("reason", &reason);
                    });
                });
            }),
        }
        writer.within("report_indicators", |writer| {
            for indicator in &profile.indicators {
                writer.element("indicator", indicator);
            }
        });
    });
    writer.lacking.sort();
    writer.lacking.dedup();
    GoAmlFile { xml: writer.xml, lacking: writer.lacking }
}

/// With a time: a bare date fails.
fn moment(at: Timestamp) -> String {
    at.to_string().chars().take("2026-11-23T10:20:30".len()).collect()
}

struct Writer {
    xml: String,
    lacking: Vec<String>,
    depth: usize,
}

impl Writer {
    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.xml.push_str("  ");
        }
    }

    fn within(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.indent();
        self.xml.push_str(&format!("<{name}>\n"));
        self.depth += 1;
        write(self);
        self.depth -= 1;
        self.indent();
        self.xml.push_str(&format!("</{name}>\n"));
    }

    fn element(&mut self, name: &str, text: &str) {
        self.indent();
        self.xml.push_str(&format!("<{name}>{}</{name}>\n", escaped(text)));
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.element(name, text);
        }
    }

    /// A name in the letters that the schema takes.
    fn name(&mut self, element: &str, text: &str) {
        match folded(text) {
            Some(text) => self.element(element, &text),
            None => self.lacking.push(format!("{element}: it cannot be written in Latin letters here")),
        }
    }

    fn lacks(&mut self, names: &[&str]) {
        self.lacking.extend(names.iter().map(|name| (*name).to_owned()));
    }

    fn transaction(&mut self, payment: &Reported, report: &Report, profile: &GoAml) {
        self.element("transactionnumber", payment.payment_id.as_str());
        self.element("transaction_location", &profile.location);
        self.element("transaction_description", &format!("{} of {}", payment.kind, payment.amount));
        self.element("date_transaction", &moment(payment.at));
        self.element("transmode_code", &profile.transmode_code);
        self.element("transmode_comment", &profile.transmode_comment);
        let local = [Some(payment.amount), payment.base];
        let local = local.into_iter().flatten().find(|money| money.currency() == profile.currency_code_local);
        match local {
            Some(local) => self.element("amount_local", &local.amount().to_string()),
            None => {
                self.lacking.push(format!("amount_local of {} in {}", payment.payment_id, profile.currency_code_local))
            }
        }
        let comes_in = matches!(payment.kind, MovementKind::Deposit | MovementKind::Reinstated);
        let (from, to) = if comes_in { ("t_from", "t_to_my_client") } else { ("t_from_my_client", "t_to") };
        let (own, other) = if comes_in { (to, from) } else { (from, to) };
        for (side, prefix) in [(from, "from"), (to, "to")] {
            self.within(side, |writer| {
                writer.element(&format!("{prefix}_funds_code"), &profile.funds_code);
                if local.is_some_and(|local| local.currency() != payment.amount.currency()) {
                    writer.within(&format!("{prefix}_foreign_currency"), |writer| {
                        writer.element("foreign_currency_code", payment.amount.currency().code());
                        writer.element("foreign_amount", &payment.amount.amount().to_string());
                    });
                }
                let subject = &report.inner.subject;
                writer.within(&format!("{prefix}_person"), |writer| {
                    if side == own { writer.person(subject) } else { writer.names(subject) }
                });
                let country =
                    if side == other { payment.country.unwrap_or(subject.residence) } else { subject.residence };
                writer.element(&format!("{prefix}_country"), country.code());
            });
        }
    }

    /// First and last name of one text: all but the last word, and the last.
    fn names(&mut self, subject: &ReportSubject) {
        let full = subject.full_name.reveal().trim().to_owned();
        let (first, last) = full.rsplit_once(char::is_whitespace).unwrap_or(("", &full));
        if first.is_empty() {
            self.lacks(&["first_name"]);
        } else {
            self.name("first_name", first.trim());
        }
        self.name("last_name", last);
    }

    fn person(&mut self, subject: &ReportSubject) {
        self.lacks(&["gender", "id_number", "identification", "tax_reg_number"]);
        self.names(subject);
        self.element("birthdate", &format!("{}T00:00:00", subject.date_of_birth.reveal()));
        self.element("nationality1", subject.nationality.code());
        self.element("residence", subject.residence.code());
        match &subject.phone {
            None => self.lacks(&["phones"]),
            Some(phone) => self.within("phones", |writer| {
                writer.within("phone", |writer| {
                    writer.element("tph_contact_type", "P");
                    writer.element("tph_communication_type", "M");
                    writer.element("tph_number", phone.reveal());
                });
            }),
        }
    }
}

/// Text that is no markup; control characters that XML forbids are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            control if control.is_control() || matches!(control, '\u{FFFE}' | '\u{FFFF}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// In the letters, digits and marks that the schema takes; `None` where that cannot be.
fn folded(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | '\'' | '-') {
            folded.push(letter);
        } else if letter == '’' {
            folded.push('\'');
        } else {
            let (_, plain) = FOLDED.iter().find(|(letters, _)| letters.contains(letter))?;
            folded.push_str(plain);
        }
    }
    (!folded.trim().is_empty()).then_some(folded)
}
