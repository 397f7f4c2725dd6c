//! The rule set `compliance_reports`: to whom, by when and in which form a jurisdiction reports. Each authority changes required fields and
//! codes, so all of that is data.

use serde_json::Value as Json;

use super::ReportKind;
use crate::compliance::facts::{Asker, fields};
use crate::input::Fault;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::read_rows;
use crate::rules::{Facts, Row, RuleError, RuleSet, first_match};
use crate::{Currency, Seconds};

/// Rows of the table.
const ROWS_MAX: usize = 60;
/// The longest code or name.
const TEXT_MAX: usize = 200;
/// The longest time to report.
const DEADLINE_MAX: Seconds = Seconds(366 * 86_400);
/// Indicators of a report.
const INDICATORS_MAX: usize = 20;

/// The goAML form of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as the schema names them")]
pub struct GoAml {
    pub schema_version: Option<String>,
    pub rentity_id: u32,
    pub rentity_branch: Option<String>,
    pub submission_code: String,
    pub currency_code_local: Currency,
    pub first_name: String,
    pub last_name: String,
    pub location: String,
    pub transmode_code: String,
    pub transmode_comment: String,
    pub funds_code: String,
    pub indicators: Vec<String>,
}

/// How a jurisdiction reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// To whom.
    pub authority: String,
    /// What it takes.
    pub kinds: Vec<ReportKind>,
    /// From the finding of suspicion.
    pub deadline: Seconds,
    /// Its form, if it takes goAML.
    pub goaml: Option<GoAml>,
}

/// The rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The first row that holds counts.
    profiles: Vec<Row<Profile>>,
}

impl Reports {
    /// How a jurisdiction reports, with the name of the row.
    ///
    /// # Errors
    /// When a row cannot be judged.
    pub fn profile(&self, jurisdiction: &str) -> Result<Option<(&str, &Profile)>, RuleError> {
        let found = first_match(&self.profiles, Facts::new().with("jurisdiction", jurisdiction))?;
        Ok(found.row().map(|row| (row.id.as_str(), &row.then)))
    }

    /// The row of a name.
    pub fn get(&self, row: &str) -> Option<&Profile> {
        self.profiles.iter().find(|known| known.id == row).map(|known| &known.then)
    }
}

impl RuleSet for Reports {
    const NAME: &'static str = "compliance_reports";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Reports> {
    let object = node.object(&["jurisdictions", "profiles"], faults)?;
    let names = object.need("jurisdictions", faults);
    let names = names.and_then(|at| at.distinct(1..=ROWS_MAX, faults, |item, faults| item.name(faults)));
    let schema = fields(Asker::Deadlines).schema(&[("jurisdiction", names.as_deref().unwrap_or_default())]);
    let profiles = object.need("profiles", faults);
    let profiles = profiles
        .and_then(|at| read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_profile(then, faults)));
    names?;
    Some(Reports { profiles: profiles? })
}

fn read_profile(node: &Node<'_>, faults: &mut Faults) -> Option<Profile> {
    let object = node.object(&["authority", "kinds", "deadline", "goaml"], faults)?;
    let authority = object.need("authority", faults).and_then(|at| at.line(TEXT_MAX, faults)).map(str::to_owned);
    let kinds = object.need("kinds", faults);
    let kinds = kinds.and_then(|at| at.distinct(1..=2, faults, |item, faults| item.word(ReportKind::ALL, faults)));
    let deadline = object.need("deadline", faults);
    let deadline = deadline.and_then(|at| at.span(Seconds(3_600)..=DEADLINE_MAX, faults));
    let goaml = optional(object.get("goaml"), |at| read_goaml(&at, faults));
    Some(Profile { authority: authority?, kinds: kinds?, deadline: deadline?, goaml: goaml? })
}

fn read_goaml(node: &Node<'_>, faults: &mut Faults) -> Option<GoAml> {
    const KEYS: [&str; 12] = [
        "schema_version",
        "rentity_id",
        "rentity_branch",
        "submission_code",
        "currency_code_local",
        "first_name",
        "last_name",
        "location",
        "transmode_code",
        "transmode_comment",
        "funds_code",
        "indicators",
    ];
    let object = node.object(&KEYS, faults)?;
    let mut text = |key: &str| object.need(key, faults).and_then(|at| at.line(TEXT_MAX, faults)).map(str::to_owned);
    let (submission_code, first_name, last_name) = (text("submission_code"), text("first_name"), text("last_name"));
    let (location, transmode_code) = (text("location"), text("transmode_code"));
    let (transmode_comment, funds_code) = (text("transmode_comment"), text("funds_code"));
    let mut maybe = |key: &str| optional(object.get(key), |at| at.line(TEXT_MAX, faults).map(str::to_owned));
    let (schema_version, rentity_branch) = (maybe("schema_version"), maybe("rentity_branch"));
    let rentity_id = object.need("rentity_id", faults).and_then(|at| at.whole(1..=u32::MAX, faults));
    let currency_code_local = object.need("currency_code_local", faults).and_then(|at| at.currency(faults));
    let indicators = object.need("indicators", faults).and_then(|at| {
        at.distinct(1..=INDICATORS_MAX, faults, |item, faults| item.line(TEXT_MAX, faults).map(str::to_owned))
    });
    Some(GoAml {
        schema_version: schema_version?,
        rentity_id: rentity_id?,
        rentity_branch: rentity_branch?,
        submission_code: submission_code?,
        currency_code_local: currency_code_local?,
        first_name: first_name?,
        last_name: last_name?,
        location: location?,
        transmode_code: transmode_code?,
        transmode_comment: transmode_comment?,
        funds_code: funds_code?,
        indicators: indicators?,
    })
}
