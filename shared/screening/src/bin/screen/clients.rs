//! The clients: a CSV file with the header `query_id,name,dob,country,type`.

use std::io::BufRead;

use screening::lists::line::Line;
use screening::matching::query::{Query, QueryKind};
use screening::model::{Country, DateError, PartialDate};

/// A client to screen.
pub struct Client {
    pub id: String,
    /// Nothing if the row cannot be read as one: then nobody was screened.
    pub query: Option<Query>,
    /// Where it stands, counted from 1.
    pub line: u64,
    /// What of the row could not be used.
    pub faults: Vec<String>,
}

/// The end-of-file byte of old systems.
const CONTROL_Z: u8 = 0x1A;

/// Where the header has the fields.
struct Columns {
    id: usize,
    name: usize,
    birth: Option<usize>,
    country: Option<usize>,
    kind: Option<usize>,
    count: usize,
}

/// The clients in order, one for each line that is not empty: whatever a line holds, no other line is lost for it.
pub fn read(mut source: impl BufRead) -> Result<impl Iterator<Item = Result<Client, std::io::Error>>, String> {
    let header = next_line(&mut source).map_err(|error| error.to_string())?.unwrap_or_default();
    let columns = columns(&header)?;
    let mut line = 1;
    Ok(std::iter::from_fn(move || {
        loop {
            line += 1;
            match next_line(&mut source) {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) => return Some(Ok(client(line, &bytes, &columns))),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }))
}

/// A line without its end. A CR inside stays; nothing is left after the last line.
fn next_line(source: &mut impl BufRead) -> Result<Option<Vec<u8>>, std::io::Error> {
    let mut line = Vec::new();
    if source.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    for end in [b'\n', b'\r', CONTROL_Z] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    Ok(Some(line))
}

fn columns(header: &[u8]) -> Result<Columns, String> {
    let header = String::from_utf8_lossy(header);
    if header.contains('\r') {
        return Err("the clients' lines end in CR alone: LF or CR LF is needed".to_owned());
    }
    let titles = Line::cut(header.trim_start_matches('\u{FEFF}'), ',').fields;
    let column = |name: &str| titles.iter().position(|title| title.trim() == name);
    let (Some(id), Some(name)) = (column("query_id"), column("name")) else {
        return Err("the clients' header is not query_id,name,dob,country,type".to_owned());
    };
    Ok(Columns {
        id,
        name,
        birth: column("dob"),
        country: column("country"),
        kind: column("type"),
        count: titles.len(),
    })
}

fn client(line: u64, bytes: &[u8], columns: &Columns) -> Client {
    let text = String::from_utf8_lossy(bytes);
    let cut = Line::cut(&text, ',');
    let field = |column: usize| cut.fields.get(column).map(|field| field.trim()).unwrap_or_default();
    if cut.open {
        // what an open quote swallowed is no identifier
        let swallowed = cut.fields.len() == columns.id + 1;
        let id = if swallowed { field(columns.id).split(',').next().unwrap_or_default() } else { field(columns.id) };
        let faults = vec!["a quote is not closed in this line: not screened".to_owned()];
        return Client { id: id.to_owned(), query: None, line, faults };
    }
    let mut faults = Vec::new();
    if text.contains('\u{FFFD}') {
        faults.push("not all of it is UTF-8".to_owned());
    }
    if cut.stray {
        faults.push("a quote stands inside a field: doubled in a quoted field it would be unmistakable".to_owned());
    }
    if cut.fields.len() > columns.count {
        faults.push(format!("{} fields instead of {}: is a comma not quoted?", cut.fields.len(), columns.count));
    }
    let mut query = Query { name: field(columns.name).to_owned(), ..Query::default() };
    birth(&mut query, columns.birth.map(field).unwrap_or_default(), &mut faults);
    country(&mut query, columns.country.map(field).unwrap_or_default(), &mut faults);
    kind(&mut query, columns.kind.map(field).unwrap_or_default(), &mut faults);
    Client { id: field(columns.id).to_owned(), query: Some(query), line, faults }
}

/// An impossible day or month leaves the year to compare.
fn birth(query: &mut Query, text: &str, faults: &mut Vec<String>) {
    if text.is_empty() {
        return;
    }
    match text.parse::<PartialDate>() {
        Ok(date) => query.birth = Some(date),
        Err(error) => {
            if let DateError::Calendar { year, .. } = error {
                query.birth = PartialDate::of_year(year).ok();
            }
            faults.push(error.to_string());
        }
    }
}

fn country(query: &mut Query, text: &str, faults: &mut Vec<String>) {
    if !text.is_empty() {
        match Country::from_code(text) {
            Ok(country) => query.countries.push(country),
            Err(error) => faults.push(error.to_string()),
        }
    }
}

fn kind(query: &mut Query, text: &str, faults: &mut Vec<String>) {
    query.kind = match text {
        "person" => Some(QueryKind::Person),
        "org" | "organisation" | "organization" => Some(QueryKind::Organisation),
        "vessel" | "aircraft" | "craft" => Some(QueryKind::Craft),
        "" => None,
        other => {
            faults.push(format!("`{other}` is no type: person, org or vessel"));
            None
        }
    };
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

    fn query(client: &Client) -> &Query {
        client.query.as_ref().unwrap()
    }

    fn ids(clients: &[Client]) -> Vec<&str> {
        clients.iter().map(|client| client.id.as_str()).collect()
    }

    #[test]
    fn marks_line_ends_and_missing_fields_are_no_errors() {
        let read = clients(
            "\u{FEFF}query_id,name,dob,country,type\r\nq1,\"Petrov, Ivan\",1968-03-18,ru,person\r\nq2,Anna\r\n\r\n\x1a",
        );
        assert_eq!(ids(&read), ["q1", "q2"]);
        assert_eq!(query(&read[0]).name, "Petrov, Ivan");
        assert_eq!(query(&read[0]).kind, Some(QueryKind::Person));
        assert_eq!((query(&read[1]).kind, query(&read[1]).birth), (None, None));
    }

    #[test]
    fn a_broken_quote_costs_its_own_line_only() {
        let read = clients(
            "query_id,name,dob,country,type\nq1,\"Ivan Petrov,1968,RU,person\nq2,\"Anna, X\",,,person\n\"q3,Ivan\nq4,Anna,,,person",
        );
        assert_eq!(ids(&read), ["q1", "q2", "q3", "q4"]);
        assert_eq!(read.iter().map(|client| client.query.is_some()).collect::<Vec<_>>(), [false, true, false, true]);
        assert_eq!((read[0].line, read[0].faults.len(), read[2].line, read[2].faults.len()), (2, 1, 4, 1));
    }

    #[test]
    fn no_line_that_holds_something_is_passed_over_or_split() {
        let read = clients("query_id,name,dob,country,type\nq1,Ivan\rPetrov,,,person\n,,,,\nq3,Anna,,,person\x1A");
        assert_eq!(ids(&read), ["q1", "", "q3"]);
        assert_eq!(query(&read[0]).name, "Ivan\rPetrov");
        assert_eq!((query(&read[2]).kind, read[2].faults.len()), (Some(QueryKind::Person), 0));
        assert!(super::read(&b"query_id,name,dob,country,type\rq1,Ivan,,,person\r"[..]).is_err());
    }

    #[test]
    fn what_cannot_be_used_is_a_fault_of_its_client() {
        let read = clients(
            "query_id,name,dob,country,type\nq1,Ivan,1968-02-30,zz,ghost\nq2,Ivan,18.3.68,,\nq3,Petrov, Ivan,1968,RU,person\n",
        );
        assert_eq!(query(&read[0]).birth, PartialDate::of_year(1968).ok(), "the year of an impossible day counts");
        assert_eq!(read[0].faults.len(), 3, "{:?}", read[0].faults);
        assert_eq!((query(&read[1]).birth, read[1].faults.len()), (None, 1));
        assert!(read[2].faults[0].contains("6 fields"), "{:?}", read[2].faults);
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
