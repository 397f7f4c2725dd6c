//! New clients with their documents: a good one, a picture that is too dark, another face, somebody on a list, his namesake, somebody
//! politically exposed.

use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};
use specimens::{Canvas, Day, Person, applicant, jpeg, passport, statement};

use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::Desk;
use crate::Failure;

/// Plays the registrations.
///
/// # Errors
/// What kept them from being played.
pub async fn newcomers(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    good(desk, report).await?;
    too_dark(desk, report).await?;
    other_face(desk, report).await?;
    listed(desk, report).await?;
    namesake(desk, report).await?;
    exposed(desk, report).await
}

/// Somebody with documents of today.
pub(super) fn newcomer(desk: &Desk<'_>, first: u64) -> Person {
    let today = desk.broker.host.time().now().day();
    let part = |part: i8| u8::try_from(part).unwrap_or(1);
    let year = u16::try_from(today.year()).unwrap_or_default();
    applicant(first, Day { year, month: part(today.month()), day: part(today.day()).min(28) })
}

/// A client who is called as the document says.
pub(super) async fn register(desk: &Desk<'_>, person: &Person) -> Result<String, Failure> {
    let country = person.country;
    let body = json!({
        "email": format!("newcomer-{}@example.com", person.number.to_lowercase()), "full_name": person.name(),
        "date_of_birth": person.birth.iso(), "residence": country, "nationality": country,
        "language": "en",
    });
    Ok(desk.portal("/v1/clients", &body).await?.expect(201)?.text_at("/client_id"))
}

/// Announces, uploads and submits a picture.
pub(super) async fn send(desk: &Desk<'_>, client: &str, kind: &str, picture: &Canvas) -> Result<Value, Failure> {
    let file = jpeg(picture, 85);
    let documents = format!("/v1/clients/{client}/kyc/documents");
    let wish = json!({"kind": kind, "content_type": "image/jpeg", "bytes": file.len()});
    let announced = desk.portal(&documents, &wish).await?.expect(201)?;
    let url = announced.text_at("/upload/url");
    desk.api.send(Method::PUT, &url, &[("content-type", "image/jpeg")], file).await?.expect(200)?;
    let submit = format!("{documents}/{}/submit", announced.text_at("/document_id"));
    Ok(desk.portal(&submit, &json!({})).await?.expect(200)?.json)
}

/// Everything that a case needs; the case when all is quiet.
pub(super) async fn complete(desk: &Desk<'_>, client: &str, person: &Person, pep: bool) -> Result<Value, Failure> {
    send(desk, client, "passport", &passport(person).picture).await?;
    send(desk, client, "proof_of_address", &statement(person).picture).await?;
    let declaration = json!({"source_of_funds": "employment", "occupation": "engineer", "pep": pep});
    desk.portal(&format!("/v1/clients/{client}/kyc/declaration"), &declaration).await?.expect(200)?;
    desk.broker.host.idle().await;
    case(desk, client).await
}

pub(super) async fn case(desk: &Desk<'_>, client: &str) -> Result<Value, Failure> {
    Ok(desk.look("compliance", &format!("/v1/clients/{client}/kyc")).await?.json)
}

async fn good(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    let person = newcomer(desk, 100);
    say(&format!("{} sends photos of passport and electricity bill, and declares wages", person.name()));
    let client = register(desk, &person).await?;
    let case = complete(desk, &client, &person, false).await?;
    let read = |field: &str| text(&case, &format!("/extracted/{field}"));
    say(&format!(
        "  read from the photo: {} {}, born {}, number {}, valid until {}",
        read("given_names"),
        read("surname"),
        read("date_of_birth"),
        read("number"),
        read("expires")
    ));
    let status = text(&case, "/status");
    report.check("approved without a person", status == "approved" && text(&case, "/decision/by") == "rule", &status);
    let journal = format!("/v1/journal?entity={}", text(&case, "/case_id"));
    let lines = desk.look("compliance", &journal).await?.json;
    let lines = lines.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let decided = lines.iter().find(|line| text(line, "/outcome") == "approved").cloned().unwrap_or_default();
    let why = decided.get("why").and_then(Value::as_array).cloned().unwrap_or_default();
    why.iter().filter_map(Value::as_str).for_each(|line| say(&format!("    {line}")));
    report.check("and the journal says why", !why.is_empty(), "no line");
    Ok(())
}

async fn too_dark(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a photo that was taken in the dark");
    let person = newcomer(desk, 200);
    let client = register(desk, &person).await?;
    let mut picture = passport(&person).picture;
    picture.each(|_, _, colour| colour.map(|level| level / 8.0));
    let answer = send(desk, &client, "passport", &picture).await?;
    let message = text(&answer, "/reasons/0/message");
    say(&format!("  | {message}"));
    let refused = text(&answer, "/status") == "rejected" && text(&answer, "/reasons/0/code") == "too_dark";
    report.check("is refused at once, with what to do", refused, &answer.to_string());
    let answer = send(desk, &client, "passport", &passport(&person).picture).await?;
    report.check("and the next one is taken", text(&answer, "/status") == "accepted", &answer.to_string());
    Ok(())
}

async fn other_face(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("somebody whose selfie shows another face than the passport");
    let person = newcomer(desk, 250);
    let client = register(desk, &person).await?;
    let script = format!("{}/_control/script", desk.broker.simulators.url("rekognition"));
    desk.api.control(&script, &json!({"similarity": 12.5})).await?;
    // what is on it, the simulator was told
    send(desk, &client, "selfie", &passport(&person).picture).await?;
    let case = complete(desk, &client, &person, false).await?;
    desk.api.control(&script, &json!({})).await?;
    let (status, faces) = (text(&case, "/status"), text(&case, "/checks/face_match"));
    report.check("goes to compliance", status == "in_review" && faces == "failed", &format!("{status}, {faces}"));
    decide(desk, &client, "kyc_review", &[("compliance", "reject")]).await?;
    let status = text(&self::case(desk, &client).await?, "/status");
    report.check("and a person rejects", status == "rejected", &status);
    Ok(())
}

async fn listed(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("somebody whom a sanctions list names");
    // the invented person of the sample lists
    let person = Person {
        surname: "PETROV",
        given: "Ivan Sergeyevich".to_owned(),
        birth: Day { year: 1968, month: 3, day: 18 },
        ..newcomer(desk, 300)
    };
    let client = register(desk, &person).await?;
    let case = complete(desk, &client, &person, false).await?;
    let (status, reason) = (text(&case, "/status"), text(&case, "/decision/reasons/0"));
    report.check("goes to compliance, neither approved nor blocked", status == "in_review", &status);
    report.check("with the hit and its reasons", reason == "sanctions_hit", &reason);
    decide(desk, &client, "kyc_hit", &[("compliance", "reject")]).await?;
    let status = text(&self::case(desk, &client).await?, "/status");
    report.check("and a person rejects", status == "rejected", &status);
    Ok(())
}

async fn namesake(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("somebody of the same name, who was born in another year and elsewhere");
    let person = Person {
        surname: "PETROV",
        given: "Ivan Sergeyevich".to_owned(),
        birth: Day { year: 1994, month: 7, day: 2 },
        ..newcomer(desk, 350)
    };
    let client = register(desk, &person).await?;
    let case = complete(desk, &client, &person, false).await?;
    let screened = text(&case, "/checks/screening/state");
    report.check("is not taken for him", screened == "clear", &screened);
    let status = text(&case, "/status");
    report.check("and is approved by rule", status == "approved" && text(&case, "/decision/by") == "rule", &status);
    Ok(())
}

async fn exposed(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("somebody who declares a public office");
    let person = newcomer(desk, 400);
    let client = register(desk, &person).await?;
    let status = text(&complete(desk, &client, &person, true).await?, "/status");
    report.check("goes to compliance", status == "in_review", &status);
    decide(desk, &client, "kyc_hit", &[("compliance", "approve"), ("compliance_2", "approve")]).await?;
    let status = text(&case(desk, &client).await?, "/status");
    report.check("and two people approve", status == "approved", &status);
    Ok(())
}

/// People decide the work item of a client, one after the other.
async fn decide(desk: &Desk<'_>, client: &str, kind: &str, people: &[(&str, &str)]) -> Result<(), Failure> {
    let list = desk.look("compliance", "/v1/work?queue=compliance&limit=100").await?.json;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let case = client.replacen("cli_", "kyc_", 1);
    let of_client = |item: &&Value| text(item, "/subject/kyc_id") == case && text(item, "/kind") == kind;
    let item = items.iter().find(of_client).map(|item| text(item, "/work_id")).unwrap_or_default();
    for (who, action) in people {
        let body = json!({"action": action, "note": "looked at the documents and the list"});
        let url = desk.broker.url(&format!("/v1/work/{item}/actions"));
        desk.api.send_json(Method::POST, &url, desk.broker.token(who), &body).await?.expect(200)?;
    }
    desk.broker.host.idle().await;
    Ok(())
}
