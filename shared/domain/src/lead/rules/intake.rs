//! The rule set `lead_intake`: who counts as the same person, which wording was agreed to, which languages countries
//! speak, and how the fields of an ad platform's forms are called.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::lead::{Attribution, ContactChannel};
use crate::rules::RuleSet;
use crate::rules::lists::{Lists, ListsForm};
use crate::rules::read::is_language;
use crate::rules::read::{Faults, Node, Object, is_name, optional, read_document};
use crate::rules::rule_set::Reference;
use crate::words::words;
use crate::{Country, Seconds};

const WORDING_CHARS_MAX: usize = 60;
const FIELD_CHARS_MAX: usize = 100;
const FORMS_MAX: usize = 500;
const NAMES_MAX: usize = 200;
/// `{es: [ES, MX, …], ar: […]}`; a country has one.
const LANGUAGES: ListsForm<Country> = ListsForm {
    lists_max: 249,
    values_max: 249,
    is_name: is_language,
    bad_name: ("bad_language", "must be a language tag such as en or pt-BR"),
    only_once: Some(|country, language| format!("{country} speaks `{language}` already")),
};
const WINDOW_MIN: Seconds = Seconds(60);
const WINDOW_MAX: Seconds = Seconds(10 * 365 * 86_400);
/// The form that stands for all others.
const ANY_FORM: &str = "any";

words! {
    /// What a field of a form says.
    FormField {
        /// The address.
        Email = "email",
        /// The whole name.
        FullName = "full_name",
        /// The given name.
        FirstName = "first_name",
        /// The family name.
        LastName = "last_name",
        /// The number.
        Phone = "phone",
        /// The country, as a code or by its English name.
        Country = "country",
        /// The language tag.
        Language = "language",
        /// The partner's code.
        PartnerCode = "partner_code",
    }
}

/// How a form of the ad platform is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// What our campaign is called; without one it is the form's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The language the form is written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What the form's fields say; those not named are answers of the profile.
    pub fields: BTreeMap<String, FormField>,
    /// What whoever sends the form agrees to.
    pub consents: Vec<ContactChannel>,
    /// What having sent it is worth: a signal of `lead_scoring`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// The ad platform Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meta {
    /// Where app secret, verify token and page tokens are kept.
    pub secret: String,
    /// The Graph API.
    pub base_url: String,
    /// Its version, such as `v21.0`.
    pub version: String,
    /// How long a lead that cannot be fetched is tried again.
    pub retry_for: Seconds,
    forms: BTreeMap<String, Form>,
    /// What fields are called in forms whatever their number, without what letter case and punctuation change.
    field_names: BTreeMap<String, FormField>,
    /// The addresses that the platform's own test leads have.
    test_addresses: Vec<String>,
}

impl Meta {
    /// How a form is read: its own entry, else that of `any`.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.get(id).or_else(|| self.forms.get(ANY_FORM))
    }

    /// What a field of a form says: as the form's own entry has it, else as the platform types the question, else as fields
    /// are commonly called.
    pub fn says(&self, form: &Form, name: &str, types: &BTreeMap<String, FormField>) -> Option<FormField> {
        let typed = || types.get(name);
        form.fields.get(name).or_else(typed).or_else(|| self.field_names.get(&plain_name(name))).copied()
    }

    /// Whether an address is that of a test lead.
    pub fn is_test_address(&self, text: &str) -> bool {
        self.test_addresses.iter().any(|address| address.eq_ignore_ascii_case(text.trim()))
    }

    /// The signals that forms give.
    fn signals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.forms.iter().filter_map(|(id, form)| Some((id.as_str(), form.signal.as_deref()?)))
    }
}

/// The rule set `lead_intake`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadIntake {
    /// The same person within this time joins the first lead.
    pub duplicate_window: Seconds,
    /// Whose advertisement counts.
    pub attribution: Attribution,
    wording: String,
    languages: Lists<Country>,
    /// Forms of Meta, where they are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl RuleSet for LeadIntake {
    const NAME: &'static str = "lead_intake";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }

    fn references(&self) -> Vec<Reference> {
        let signals = self.meta.iter().flat_map(Meta::signals);
        let signal = |(form, name): (&str, &str)| Reference {
            pointer: format!("/meta/forms/{form}/signal"),
            what: "signal",
            name: name.to_owned(),
        };
        signals.map(signal).collect()
    }
}

impl LeadIntake {
    /// The wording of consents that is in force.
    pub fn wording(&self) -> &str {
        &self.wording
    }

    /// The language that people of a country are spoken to in, where they do not say.
    pub fn language_of(&self, country: Country) -> Option<&str> {
        self.languages.having(country).next()
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<LeadIntake> {
    let object = node.object(&["duplicates", "consent_wording", "languages", "meta"], faults)?;
    let duplicates = object.need("duplicates", faults).and_then(|node| {
        let inner = node.object(&["window", "attribution"], faults)?;
        let window = inner.need("window", faults).and_then(|node| node.span(WINDOW_MIN..=WINDOW_MAX, faults));
        let attribution = inner.need("attribution", faults).and_then(|node| node.word(Attribution::ALL, faults));
        Some((window?, attribution?))
    });
    let wording = object.need("consent_wording", faults);
    let wording = wording.and_then(|node| node.line(WORDING_CHARS_MAX, faults).map(str::to_owned));
    let languages = object
        .need("languages", faults)
        .and_then(|node| LANGUAGES.read(&node, faults, |node, faults| node.country(faults)));
    let meta = optional(object.get("meta"), |node| read_meta(&node, faults));
    let (duplicate_window, attribution) = duplicates?;
    Some(LeadIntake { duplicate_window, attribution, wording: wording?, languages: languages?, meta: meta? })
}

/// A field's name without what forms change: letter case, blanks and punctuation.
fn plain_name(name: &str) -> String {
    let left_out =
        |c: char| c.is_whitespace() || c.is_ascii_punctuation() || "¿¡？！：；，。、…（）«»“”‘’·؟،".contains(c);
    name.chars().filter(|c| !left_out(*c)).flat_map(char::to_lowercase).collect()
}

/// `{phone: [telefonnummer, …], …}`: a name says one thing.
fn read_field_names(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, FormField>> {
    let object = node.map(faults)?;
    let (mut names, mut good) = (BTreeMap::new(), true);
    for (field, node) in object.entries() {
        let Ok(field) = field.parse::<FormField>() else {
            faults.add(node.fault("unknown_value", "is not what a field can say"));
            good = false;
            continue;
        };
        let read = node.distinct(1..=NAMES_MAX, faults, |item, faults| {
            let name = item.line(FIELD_CHARS_MAX, faults)?;
            let before = names.insert(plain_name(name), field).is_some_and(|before| before != field);
            if before {
                faults.add(item.fault("duplicate", "says something else already"));
            }
            (!before).then(|| name.to_owned())
        });
        good &= read.is_some();
    }
    good.then_some(names)
}

fn read_meta(node: &Node<'_>, faults: &mut Faults) -> Option<Meta> {
    let keys = ["secret", "base_url", "version", "retry_for", "forms", "field_names", "test_addresses"];
    let object = node.object(&keys, faults)?;
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let version = object.need("version", faults).and_then(|node| read_version(&node, faults));
    let retry_for = object.need("retry_for", faults);
    let retry_for = retry_for.and_then(|node| node.span(Seconds(600)..=Seconds(30 * 86_400), faults));
    let forms = object.need("forms", faults).and_then(|node| node.map(faults)).and_then(|at| read_forms(&at, faults));
    let field_names = optional(object.get("field_names"), |node| read_field_names(&node, faults));
    let test_addresses = optional(object.get("test_addresses"), |node| {
        node.distinct(0..=NAMES_MAX, faults, |item, faults| item.line(FIELD_CHARS_MAX, faults).map(str::to_owned))
    });
    Some(Meta {
        secret: secret?,
        base_url: base_url?,
        version: version?,
        retry_for: retry_for?,
        forms: forms?,
        field_names: field_names?.unwrap_or_default(),
        test_addresses: test_addresses?.unwrap_or_default(),
    })
}

fn read_version(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(FIELD_CHARS_MAX, faults)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let good =
        text.strip_prefix('v').and_then(|rest| rest.split_once('.')).is_some_and(|(a, b)| digits(a) && digits(b));
    if !good {
        faults.add(node.fault("bad_version", "must be a version of the Graph API such as v21.0"));
    }
    good.then(|| text.to_owned())
}

fn read_forms(at: &Object<'_>, faults: &mut Faults) -> Option<BTreeMap<String, Form>> {
    let mut forms = BTreeMap::new();
    for (id, node) in at.entries().take(FORMS_MAX) {
        if id != ANY_FORM && !id.bytes().all(|b| b.is_ascii_digit()) {
            faults.add(node.fault("bad_name", "must be a form's number, or `any` for all others"));
        }
        if let Some(form) = read_form(&node, faults) {
            forms.insert(id.to_owned(), form);
        }
    }
    if forms.is_empty() && at.count() == 0 {
        faults.add(at.fault("empty", "needs at least one form"));
    }
    (forms.len() == at.count()).then_some(forms)
}

fn read_form(node: &Node<'_>, faults: &mut Faults) -> Option<Form> {
    let object = node.object(&["campaign", "language", "fields", "consents", "signal"], faults)?;
    let campaign = optional(object.get("campaign"), |node| node.line(FIELD_CHARS_MAX, faults).map(str::to_owned));
    let language = optional(object.get("language"), |node| node.language(faults));
    let fields = object.need("fields", faults).and_then(|node| read_fields(&node, faults));
    let consents = object.need("consents", faults).and_then(|node| {
        node.distinct(0..=ContactChannel::ALL.len(), faults, |item, faults| item.word(ContactChannel::ALL, faults))
    });
    let signal = optional(object.get("signal"), |node| read_signal(&node, faults));
    Some(Form { campaign: campaign?, language: language?, fields: fields?, consents: consents?, signal: signal? })
}

fn read_signal(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(FIELD_CHARS_MAX, faults)?;
    if !is_name(text) {
        faults.add(node.fault("bad_name", "must be a signal of lead_scoring"));
        return None;
    }
    Some(text.to_owned())
}

fn read_fields(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, FormField>> {
    let object = node.map(faults)?;
    let mut fields = BTreeMap::new();
    for (name, node) in object.entries() {
        if let Some(field) = node.word(FormField::ALL, faults) {
            fields.insert(name.to_owned(), field);
        }
    }
    (fields.len() == object.count()).then_some(fields)
}
