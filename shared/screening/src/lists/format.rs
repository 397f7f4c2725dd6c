//! Which list a file is, by what is in it.

use super::rows::trimmed;
use super::{
    ListError, Loaded, eu_csv, eu_xml, ofac_advanced, ofac_xml, opensanctions, own_csv, pep_csv, uk_csv, uk_full,
    un_xml, us_csl,
};

/// The lists that are one file each. OFAC's CSV is a set of files: see [`super::ofac_csv`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OFAC's SDN XML.
    OfacXml,
    /// OFAC's advanced XML.
    OfacAdvanced,
    /// The EU's CSV, 1.0 or 1.1.
    EuCsv,
    /// The EU's XML.
    EuXml,
    /// The UN's XML.
    UnXml,
    /// The UK Sanctions List, short form.
    UkShort,
    /// The UK Sanctions List, CSV.
    UkFull,
    /// The UK Sanctions List, XML.
    UkXml,
    /// OFSI's consolidated list.
    UkOfsi,
    /// The US Consolidated Screening List.
    UsCsl,
    /// OpenSanctions' simple CSV.
    OpenSanctionsSimple,
    /// OpenSanctions' FtM JSON lines.
    OpenSanctionsFtm,
    /// Members of the US Congress.
    PepCongress,
    /// Office holders by position.
    PepHolders,
    /// Heads of state and government.
    PepLeaders,
    /// A list of one's own.
    Own,
}

/// Bytes in which a file shows what it is.
const SHOWS_ITSELF: usize = 4096;

impl Format {
    /// The format of a file, if it is one that the engine knows.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let bytes = trimmed(bytes);
        let start = String::from_utf8_lossy(bytes.get(..SHOWS_ITSELF).unwrap_or(bytes)).into_owned();
        if start.starts_with('<') {
            return Self::of_xml(&start);
        }
        if start.starts_with('{') {
            return (start.contains("\"schema\"") && start.contains("\"properties\""))
                .then_some(Self::OpenSanctionsFtm);
        }
        Self::of_table(&start.lines().map(str::to_lowercase).take(2).collect::<Vec<_>>())
    }

    fn of_xml(start: &str) -> Option<Self> {
        let roots = [
            ("<sdnList", Self::OfacXml),
            ("<Sanctions", Self::OfacAdvanced),
            ("<CONSOLIDATED_LIST", Self::UnXml),
            ("<export", Self::EuXml),
            ("<Designations", Self::UkXml),
        ];
        roots.iter().find(|(root, _)| start.contains(root)).map(|(_, format)| *format)
    }

    fn of_table(lines: &[String]) -> Option<Self> {
        let header = lines.first()?.as_str();
        let second = lines.get(1).map_or("", String::as_str);
        let has = |line: &str, titles: &[&str]| {
            titles.iter().all(|title| line.split([',', ';']).any(|own| own.trim_matches(['"', ' ', '\r']) == *title))
        };
        let known: [(Self, &str, &[&str]); 12] = [
            (Self::EuCsv, header, &["entity_logicalid", "namealias_wholename"]),
            (Self::EuCsv, header, &["entity_logical_id", "naal_wholename"]),
            (Self::UkShort, header, &["unique id", "ofsi group id", "name", "type"]),
            (Self::UkFull, header, &["unique id", "name 6", "name type", "designation type"]),
            (Self::UkFull, second, &["unique id", "name 6", "name type", "designation type"]),
            (Self::UkOfsi, second, &["name 6", "group type", "group id"]),
            (Self::UsCsl, header, &["_id", "source", "name", "alt_names"]),
            (Self::OpenSanctionsSimple, header, &["id", "schema", "name", "aliases", "birth_date"]),
            (Self::PepCongress, header, &["bioguide_id", "official_full", "birthday"]),
            (Self::PepHolders, header, &["position", "person", "personid"]),
            (Self::PepLeaders, header, &["positionlabel", "officeholder", "officeholderlabel"]),
            (Self::Own, header, &["id", "name", "aliases"]),
        ];
        known.iter().find(|(_, line, titles)| has(line, titles)).map(|(format, _, _)| *format)
    }

    /// The code that the list's entries carry unless the caller has a better one.
    pub fn code(self) -> &'static str {
        match self {
            Self::OfacXml => "ofac_xml",
            Self::OfacAdvanced => "ofac_advanced",
            Self::EuCsv | Self::EuXml => "eu_fsf",
            Self::UnXml => "un_sc",
            Self::UkShort | Self::UkFull | Self::UkXml => "uk_sl",
            Self::UkOfsi => "uk_ofsi",
            Self::UsCsl => "us_csl",
            Self::OpenSanctionsSimple | Self::OpenSanctionsFtm => "opensanctions",
            Self::PepCongress => "pep_us_congress",
            Self::PepHolders => "pep_holders",
            Self::PepLeaders => "pep_leaders",
            Self::Own => "own",
        }
    }

    /// Whether the list says of its aliases which are weak. The CSV of the EU does so in remarks only, and OpenSanctions puts lists together.
    pub fn grades_aliases(self) -> bool {
        !matches!(self, Self::UsCsl | Self::EuCsv | Self::UkShort | Self::OpenSanctionsSimple | Self::OpenSanctionsFtm)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is empty, truncated or not in the format.
    pub fn read(self, list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
        match self {
            Self::OfacXml => ofac_xml::read(list, bytes),
            Self::OfacAdvanced => ofac_advanced::read(list, bytes),
            Self::EuCsv => eu_csv::read(list, bytes),
            Self::EuXml => eu_xml::read(list, bytes),
            Self::UnXml => un_xml::read(list, bytes),
            Self::UkShort => uk_csv::read_short(list, bytes),
            Self::UkFull => uk_full::read_csv(list, bytes),
            Self::UkXml => uk_full::read_xml(list, bytes),
            Self::UkOfsi => uk_csv::read_ofsi(list, bytes),
            Self::UsCsl => us_csl::read(list, bytes),
            Self::OpenSanctionsSimple => opensanctions::read_simple(list, bytes),
            Self::OpenSanctionsFtm => opensanctions::read_ftm(list, bytes),
            Self::PepCongress => pep_csv::read_congress(list, bytes),
            Self::PepHolders => pep_csv::read_holders(list, bytes),
            Self::PepLeaders => pep_csv::read_leaders(list, bytes),
            Self::Own => own_csv::read(list, bytes),
        }
    }
}
