//! The clients: a CSV file with the header `query_id,name,dob,country,type`.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};
use screening::matching::query::{Query, QueryKind};
use screening::model::{Country, DateError, PartialDate};

/// A client to screen.
pub struct Client {
    pub id: String,
    pub query: Query,
    /// What of the row could not be used.
    pub faults: Vec<String>,
}

/// The clients in order. A row that is no client is an error; a field that cannot be used is a fault of its client.
pub fn read(source: impl Read) -> Result<impl Iterator<Item = Result<Client, csv::Error>>, String> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(source);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| header.iter().position(|title| title.trim_start_matches('\u{FEFF}') == name);
    let (Some(id), Some(name)) = (column("query_id"), column("name")) else {
        return Err("the clients' header is not query_id,name,dob,country,type".to_owned());
    };
    let (date, country, kind) = (column("dob"), column("country"), column("type"));
    let mut records = reader.into_byte_records();
    Ok(std::iter::from_fn(move || {
        let record = loop {
            match records.next()? {
                // a blank line, or the end-of-file byte of old systems
                Ok(record) if record.iter().all(|field| matches!(field, b"" | b"\x1A")) => {}
                Ok(record) => break StringRecord::from_byte_record_lossy(record),
                Err(error) => return Some(Err(error)),
            }
        };
        let field = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        let mut client = Client { id: field(Some(id)).to_owned(), query: Query::default(), faults: Vec::new() };
        client.query.name = field(Some(name)).to_owned();
        client.birth(field(date));
        client.country(field(country));
        client.kind(field(kind));
        Some(Ok(client))
    }))
}

impl Client {
    /// An impossible day or month leaves the year to compare.
    fn birth(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match text.parse::<PartialDate>() {
            Ok(date) => self.query.birth = Some(date),
            Err(error) => {
                if let DateError::Calendar { year, .. } = error {
                    self.query.birth = PartialDate::of_year(year).ok();
                }
                self.faults.push(error.to_string());
            }
        }
    }

    fn country(&mut self, text: &str) {
        if !text.is_empty() {
            match Country::from_code(text) {
                Ok(country) => self.query.countries.push(country),
                Err(error) => self.faults.push(error.to_string()),
            }
        }
    }

    fn kind(&mut self, text: &str) {
        self.query.kind = match text {
            "person" => Some(QueryKind::Person),
            "org" | "organisation" | "organization" => Some(QueryKind::Organisation),
            "vessel" | "aircraft" | "craft" => Some(QueryKind::Craft),
            "" => None,
            other => {
                self.faults.push(format!("`{other}` is no type: person, org or vessel"));
                None
            }
        };
    }
}

/// A field as CSV writes it.
pub fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(text: &str) -> Vec<Client> {
        read(text.as_bytes()).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn marks_line_ends_and_missing_fields_are_no_errors() {
        let read = clients(
            "\u{FEFF}query_id,name,dob,country,type\r\nq1,\"Petrov, Ivan\",1968-03-18,ru,person\r\nq2,Anna\r\n\r\n\x1a",
        );
        assert_eq!(read.iter().map(|client| client.id.as_str()).collect::<Vec<_>>(), ["q1", "q2"]);
        assert_eq!(read[0].query.name, "Petrov, Ivan");
        assert_eq!(read[0].query.kind, Some(QueryKind::Person));
        assert_eq!((read[1].query.kind, read[1].query.birth), (None, None));
    }

    #[test]
    fn what_cannot_be_used_is_a_fault_of_its_client() {
        let read = clients("query_id,name,dob,country,type\nq1,Ivan,1968-02-30,zz,ghost\nq2,Ivan,18.3.68,,\n");
        assert_eq!(read[0].query.birth, PartialDate::of_year(1968).ok(), "the year of an impossible day counts");
        assert_eq!(read[0].faults.len(), 3, "{:?}", read[0].faults);
        assert_eq!((read[1].query.birth, read[1].faults.len()), (None, 1));
    }

    #[test]
    fn another_table_is_refused() {
        assert!(super::read(&b"id,title\n1,x\n"[..]).is_err());
        assert!(super::read(&b""[..]).is_err());
    }

    #[test]
    fn fields_with_commas_and_quotes_are_quoted() {
        assert_eq!(
            (field("a"), field("a,b"), field("a\"b")),
            ("a".to_owned(), "\"a,b\"".to_owned(), "\"a\"\"b\"".to_owned())
        );
    }
}
