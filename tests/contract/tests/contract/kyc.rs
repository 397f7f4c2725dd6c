//! Clients and KYC: from the announcement of a document to the decision, as a portal and compliance see it.

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};
use specimens::{Day, Person, Variant, applicant, jpeg, passport, png, statement, turned_jpeg};

use crate::world::{World, expect, faults, items};

pub const JPEG: &str = "image/jpeg";

/// Somebody whose documents are valid in the world's time.
pub fn somebody() -> Person {
    applicant(1, Day { year: 2026, month: 11, day: 2 })
}

pub async fn register(world: &World, person: &Person) -> String {
    register_in(world, person, person.country).await
}

async fn register_in(world: &World, person: &Person, residence: &str) -> String {
    let body = json!({
        "email": format!("client-{}@example.com", world.fresh()), "full_name": person.name(),
        "date_of_birth": person.birth.iso(), "residence": residence, "nationality": person.country,
        "language": "es",
    });
    expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id")
}

pub fn kyc(client: &str) -> String {
    format!("/v1/clients/{client}/kyc")
}

pub async fn announce(world: &World, client: &str, kind: &str, content_type: &str, bytes: usize) -> Answer {
    let body = json!({"kind": kind, "content_type": content_type, "bytes": bytes});
    world.portal(&format!("{}/documents", kyc(client)), &body).await
}

pub async fn submit(world: &World, client: &str, document: &str) -> Answer {
    world.portal(&format!("{}/documents/{document}/submit", kyc(client)), &json!({})).await
}

/// Announces, uploads and submits a file.
pub async fn send(world: &World, client: &str, kind: &str, content_type: &str, file: Vec<u8>) -> Answer {
    let announced = expect(announce(world, client, kind, content_type, file.len()).await, 201);
    assert_eq!(world.upload(&announced.json["upload"], file).await, 200);
    submit(world, client, &announced.text_at("/document_id")).await
}

/// A document that was uploaded and waits to be submitted; it cannot be used.
pub async fn uploaded(world: &World, client: &str) -> String {
    let file = b"no picture".to_vec();
    let announced = expect(announce(world, client, "passport", JPEG, file.len()).await, 201);
    assert_eq!(world.upload(&announced.json["upload"], file).await, 200);
    announced.text_at("/document_id")
}

pub async fn declare(world: &World, client: &str) -> Answer {
    let body = json!({"source_of_funds": "employment", "occupation": "nurse", "pep": false});
    world.portal(&format!("{}/declaration", kyc(client)), &body).await
}

pub async fn seen_by(world: &World, who: &str, client: &str) -> Value {
    expect(world.get(who, &kyc(client)).await, 200).json
}

#[tokio::test]
async fn a_client_with_good_documents_is_approved_without_a_person() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = somebody();
    let client = register(&world, &person).await;
    let begin = seen_by(&world, "portal", &client).await;
    assert_eq!((&begin["status"], begin["next_steps"].as_array().unwrap().len()), (&json!("not_started"), 3));

    let sent = expect(send(&world, &client, "passport", JPEG, jpeg(&passport(&person).picture, 85)).await, 200);
    assert_eq!((&sent.json["status"], &sent.json["reasons"]), (&json!("accepted"), &json!([])));
    let collecting = seen_by(&world, "portal", &client).await;
    assert_eq!(collecting["status"], "collecting");
    let proof = jpeg(&statement(&person).picture, 85);
    assert_eq!(expect(send(&world, &client, "proof_of_address", JPEG, proof).await, 200).json["status"], "accepted");
    let declared = expect(declare(&world, &client).await, 200);
    assert_eq!(declared.json, json!({"status": "verifying", "next_steps": [{"step": "wait"}]}));
    world.idle().await;

    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!(case["status"], "approved", "{case:#}");
    assert_eq!(case["decision"]["by"], "rule");
    assert_eq!(case["checks"]["screening"]["state"], "clear");
    assert_eq!(case["checks"]["risk"]["band"], "low");
    assert_eq!(case["extracted"]["date_of_birth"], json!(person.birth.iso()));
    assert_eq!(world.get("portal", &format!("/v1/clients/{client}")).await.json["kyc"]["status"], "approved");

    // the decision is explained by its own entry of the journal, and that names nobody
    let journal = expect(
        world.get("compliance", &format!("/v1/journal?entity={}", case["case_id"].as_str().unwrap())).await,
        200,
    );
    let lines = items(&journal);
    let decided = lines.iter().find(|line| line["outcome"] == "approved").unwrap();
    let why = decided["why"].to_string();
    for said in ["risk 0: low", "decisions/low_risk"] {
        assert!(why.contains(said), "{why}");
    }
    assert!(decided["rules"].to_string().contains("kyc_risk@1"), "{decided:#}");
    let told = person.surname.to_lowercase();
    assert!(!journal.text.to_lowercase().contains(&told), "the journal names the client");
    let messages = expect(world.get("portal", &format!("/v1/clients/{client}/notifications")).await, 200);
    assert!(messages.text.contains("Su cuenta está verificada"), "{}", messages.text);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_at_once_in_the_clients_language() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let client = register(&world, &somebody()).await;
    let mut dark = passport(&somebody()).picture;
    dark.each(|_, _, colour| colour.map(|level| level / 8.0));
    let renamed = png(&passport(&somebody()).picture);
    let mut huge = jpeg(&passport(&somebody()).picture, 60);
    let frame = huge.windows(2).position(|marker| marker == b"\xFF\xC0").unwrap();
    // a hundred megapixels, by the header
    huge[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    // the trailer names a lock that no key is known for
    let locked = String::from_utf8(typed(&[])).unwrap().replace("/Root", "/Encrypt<</Filter/Standard/V 9>>/Root");
    let locked = locked.into_bytes();
    for (file, content_type, code, word) in [
        (b"not a picture at all".to_vec(), JPEG, "unsupported_format", "JPEG"),
        (jpeg(&dark, 85), JPEG, "too_dark", "oscura"),
        (renamed, JPEG, "unsupported_format", "JPEG"),
        (huge, JPEG, "too_large", "demasiado grande"),
        (locked, "application/pdf", "corrupt", "contraseña"),
        (jpeg(&passport(&somebody()).picture, 85)[..2_000].to_vec(), JPEG, "corrupt", "dañado"),
    ] {
        let refused = expect(send(&world, &client, "passport", content_type, file).await, 200);
        assert_eq!(refused.json["status"], "rejected", "{code}");
        let reason = refused.json["reasons"].as_array().unwrap().iter().find(|reason| reason["code"] == code);
        let reason = reason.unwrap_or_else(|| panic!("{code}: {}", refused.text));
        assert!(reason["message"].as_str().unwrap().contains(word), "{reason}");
    }
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!(case["status"], "collecting");
    assert_eq!(case["next_steps"][0]["reasons"], json!(["corrupt"]), "{case:#}");
}

/// A page of text, as programs write it; nobody has photographed anything.
fn typed(lines: &[String]) -> Vec<u8> {
    let escaped = |line: &String| line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    let shown: String = lines.iter().map(|line| format!("({}) Tj 0 -24 Td ", escaped(line))).collect();
    let drawn = format!("BT /F1 12 Tf 60 780 Td {shown}ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 4 0 R>>>>>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()),
    ];
    let (mut file, mut table) = ("%PDF-1.4\n".to_owned(), "0000000000 65535 f \n".to_owned());
    for (number, object) in (1..).zip(&objects) {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let at = file.len();
    file.push_str(&format!("xref\n0 6\n{table}trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n"));
    file.into_bytes()
}

#[tokio::test]
async fn what_was_only_typed_says_where_somebody_lives_and_never_who_somebody_is() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = somebody();
    let client = register(&world, &person).await;
    let page = passport(&person);
    let written: Vec<String> = page.printed.iter().chain(&page.zone).cloned().collect();
    let sent = expect(send(&world, &client, "passport", "application/pdf", typed(&written)).await, 200);
    assert_eq!(sent.json["status"], "accepted", "{}", sent.text);
    let bill = ["Electricity bill".to_owned(), person.name(), "Date: 12.11.2026".to_owned()];
    expect(send(&world, &client, "proof_of_address", "application/pdf", typed(&bill)).await, 200);
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!(case["status"], "collecting", "{case:#}");
    assert_eq!(case["next_steps"][0]["reasons"], json!(["not_read"]), "{case:#}");
    // the bill was taken
    assert_eq!(case["next_steps"].as_array().unwrap().len(), 1, "{case:#}");
}

#[tokio::test]
async fn a_photo_that_lies_on_its_side_is_read_as_it_is_shown() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = somebody();
    let client = register(&world, &person).await;
    // the camera was held upright: it stores the picture as its sensor lies, and says which way up it is
    let lying = Variant::Quarters(3).apply(&passport(&person).picture, 0);
    expect(send(&world, &client, "passport", JPEG, turned_jpeg(&lying, 85, 6)).await, 200);
    world.idle().await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!(case["extracted"]["number"], json!(person.number), "{case:#}");
}

#[tokio::test]
async fn a_submission_is_answered_alike_twice_and_needs_an_upload() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let client = register(&world, &somebody()).await;
    let file = jpeg(&passport(&somebody()).picture, 85);
    let announced = expect(announce(&world, &client, "passport", JPEG, file.len()).await, 201);
    let document = announced.text_at("/document_id");
    expect(submit(&world, &client, &document).await, 409);
    // another size than announced is refused by the store
    assert!(world.upload(&announced.json["upload"], file[1..].to_vec()).await >= 400);
    expect(submit(&world, &client, &document).await, 409);
    assert_eq!(world.upload(&announced.json["upload"], file).await, 200);
    let first = expect(submit(&world, &client, &document).await, 200);
    // what is uploaded afterwards changes nothing
    let again = expect(submit(&world, &client, &document).await, 200);
    assert_eq!((&first.json["status"], &again.json["status"]), (&json!("accepted"), &json!("accepted")));
    let other = register(&world, &somebody()).await;
    expect(submit(&world, &other, &document).await, 404);
}

#[tokio::test]
async fn every_fault_of_an_announcement_and_of_a_declaration_is_told() {
    let world = World::start().await;
    let client = world.client("en").await;
    let bad =
        json!({"kind": "photo", "side": "inside", "content_type": "image/gif", "bytes": 90_000_000, "colour": "red"});
    let refused = expect(world.portal(&format!("{}/documents", kyc(&client)), &bad).await, 400);
    let mut told = faults(&refused);
    told.sort();
    assert_eq!(
        told,
        [
            "/bytes too_large",
            "/colour unknown_field",
            "/content_type unsupported_format",
            "/kind unknown_value",
            "/side unknown_value"
        ]
    );
    let bad = json!({"source_of_funds": "luck", "occupation": "", "tax_residence": "Spain", "pep": "no"});
    let refused = world.portal(&format!("{}/declaration", kyc(&client)), &bad).await;
    assert!((400..=422).contains(&refused.status));
    let mut told = faults(&refused);
    told.sort();
    assert_eq!(
        told,
        ["/occupation empty", "/pep wrong_type", "/source_of_funds unknown_value", "/tax_residence unknown_country"]
    );
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "not_started");
}

#[tokio::test]
async fn a_document_that_never_comes_is_given_up() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let client = register(&world, &somebody()).await;
    expect(announce(&world, &client, "passport", JPEG, 1_000).await, 201);
    world.pass(86_401).await;
    world.sweep().await;
    world.idle().await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!(case["documents"][0]["status"], "abandoned", "{case:#}");
}

#[tokio::test]
async fn compliance_decides_what_the_rules_do_not() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    world
        .publish(SetName::KycRisk, 2, |document| {
            document["factors"] = json!([{"id": "everybody", "when": "always", "points": 40}]);
        })
        .await;
    let person = somebody();
    let client = register(&world, &person).await;
    expect(send(&world, &client, "passport", JPEG, jpeg(&passport(&person).picture, 85)).await, 200);
    expect(send(&world, &client, "proof_of_address", JPEG, jpeg(&statement(&person).picture, 85)).await, 200);
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "in_review");
    let work = items(&world.get("compliance", "/v1/work?queue=compliance").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_review")), "{work:#?}");
    let id = work[0]["work_id"].as_str().unwrap();
    expect(world.act("compliance", id, &json!({"action": "approve", "note": "looked at both"})).await, 200);
    world.idle().await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["decision"]["by"]), (&json!("approved"), &json!("person")), "{case:#}");
}

/// Plays as much as makes events of every type of documents and cases; the clients.
pub async fn play(world: &World) -> Vec<String> {
    let person = somebody();
    let passport = || jpeg(&passport(&person).picture, 85);
    let proof = || jpeg(&statement(&person).picture, 85);
    let approved = register(world, &person).await;
    let refused = register_in(world, &person, "KP").await;
    for client in [&approved, &refused] {
        expect(send(world, client, "passport", JPEG, passport()).await, 200);
        expect(send(world, client, "proof_of_address", JPEG, proof()).await, 200);
    }
    let asked = register(world, &person).await;
    expect(send(world, &asked, "passport", JPEG, proof()).await, 200);
    expect(send(world, &asked, "proof_of_address", JPEG, b"no picture".to_vec()).await, 200);
    let exposed = register(world, &person).await;
    expect(send(world, &exposed, "passport", JPEG, passport()).await, 200);
    expect(send(world, &exposed, "proof_of_address", JPEG, proof()).await, 200);
    let silent = register(world, &person).await;
    expect(announce(world, &silent, "selfie", JPEG, 1_000).await, 201);
    world.idle().await;
    for client in [&approved, &refused] {
        expect(declare(world, client).await, 200);
    }
    let pep = json!({"source_of_funds": "savings", "pep": true});
    expect(world.portal(&format!("{}/declaration", kyc(&exposed)), &pep).await, 200);
    world.idle().await;
    world.pass(86_401).await;
    world.sweep().await;
    world.idle().await;
    vec![approved, refused, asked, exposed, silent]
}
