//! Clients and KYC: from the announcement of a document to the decision, as a portal and compliance see it.

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};
use specimens::{
    Canvas, Day, Person, Variant, applicant, id_card_back, id_card_front, jpeg, passport, png, statement, turned_jpeg,
};

use crate::rules::YAML;
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
    let uploads = |step: &&Value| step["step"] == "upload_document";
    assert_eq!(case["next_steps"].as_array().unwrap().iter().filter(uploads).count(), 1, "{case:#}");
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
    assert_eq!(stopped(&world, &client).await, [false, false]);
    // whose identity is approved already is verified as a partner, too
    let partner = crate::partners::apply(&world, json!({"client_id": client})).await;
    assert_eq!(crate::partners::agree(&world, &partner, "standard").await["status"], "active");
}

/// Whether a message to a client is stopped because something about him rests, and because the relation is over.
async fn stopped(world: &World, client: &str) -> [bool; 2] {
    let asked = json!({"client_id": client});
    let shown = expect(world.post("sales", "/v1/journeys/inactive/preview", &asked).await, 200).text;
    ["\"paused\"", "\"closed\""].map(|reason| shown.contains(reason))
}

#[tokio::test]
async fn nothing_is_advertised_while_papers_are_looked_at_and_nothing_sent_to_whom_compliance_refused() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    world
        .publish(SetName::KycRisk, 2, |document| {
            document["factors"] = json!([{"id": "everybody", "when": "always", "points": 40}]);
        })
        .await;
    let person = somebody();
    let client = register(&world, &person).await;
    assert_eq!(stopped(&world, &client).await, [false, false]);
    expect(send(&world, &client, "passport", JPEG, jpeg(&passport(&person).picture, 85)).await, 200);
    expect(send(&world, &client, "proof_of_address", JPEG, jpeg(&statement(&person).picture, 85)).await, 200);
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    assert_eq!(stopped(&world, &client).await, [true, false]);
    let id = work_of(&world, &client).await[0]["work_id"].as_str().unwrap().to_owned();
    expect(world.act("compliance", &id, &json!({"action": "reject", "note": "forged"})).await, 200);
    world.idle().await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "rejected");
    assert_eq!(stopped(&world, &client).await, [false, true]);
}

#[tokio::test]
async fn a_document_is_held_against_the_clients_earlier_ones() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = somebody();
    let other = applicant(40, person.issue);
    assert_ne!((person.surname, person.birth), (other.surname, other.birth));
    let client = register(&world, &person).await;
    // both wait to be read at the same time
    for (whose, number) in [(&person, "XN4711082"), (&other, "XN4711083")] {
        let drawn = passport(&Person { number: number.to_owned(), ..whose.clone() }).picture;
        expect(send(&world, &client, "passport", JPEG, jpeg(&drawn, 85)).await, 200);
    }
    world.idle().await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!(case["documents"][0]["findings"], json!([]), "{case:#}");
    let found = case["documents"][1]["findings"].to_string();
    for finding in ["earlier_differs", "name_differs"] {
        assert!(found.contains(finding), "{found}");
    }
    let seen = seen_by(&world, "portal", &client).await;
    assert!(seen["documents"][1].get("findings").is_none(), "what was noticed is for compliance");
}

#[tokio::test]
async fn a_card_is_enough_with_both_sides_and_with_neither_alone() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = somebody();
    for sides in [["front", "back"], ["back", "front"]] {
        let client = register(&world, &person).await;
        expect(declare(&world, &client).await, 200);
        let proof = jpeg(&statement(&person).picture, 85);
        expect(send(&world, &client, "proof_of_address", JPEG, proof).await, 200);
        for (n, side) in sides.into_iter().enumerate() {
            let drawn = if side == "front" { id_card_front(&person) } else { id_card_back(&person) };
            let file = jpeg(&drawn.picture, 85);
            let body = json!({"kind": "id_card", "side": side, "content_type": JPEG, "bytes": file.len()});
            let announced = expect(world.portal(&format!("{}/documents", kyc(&client)), &body).await, 201);
            assert_eq!(world.upload(&announced.json["upload"], file).await, 200);
            let sent = expect(submit(&world, &client, &announced.text_at("/document_id")).await, 200);
            assert_eq!(sent.json["status"], "accepted", "{side}: {}", sent.text);
            world.idle().await;
            let case = seen_by(&world, "portal", &client).await;
            if n == 0 {
                assert_eq!(case["status"], "collecting", "{case:#}");
                let step = case["next_steps"].as_array().unwrap().iter().find(|step| step["step"] == "upload_document");
                assert_eq!(step.unwrap()["both_sides"], json!(["id_card"]), "{case:#}");
            } else {
                assert_eq!(case["status"], "approved", "{sides:?}: {case:#}");
            }
        }
        let case = seen_by(&world, "compliance", &client).await;
        assert_eq!(case["validity"]["kind"], "id_card");
    }
}

/// Somebody's face as a telephone takes it: soft, without a letter on it.
#[expect(clippy::as_conversions, reason = "drawing rounds positions, which are small")]
fn face(width: usize, height: usize) -> Canvas {
    let (w, h) = (width as f32, height as f32);
    let mut picture = Canvas::new(width, height, [178, 190, 202]);
    let inside = |x: f32, y: f32, cx: f32, cy: f32, rx: f32, ry: f32| {
        ((x - cx * w) / (rx * w)).powi(2) + ((y - cy * h) / (ry * h)).powi(2) <= 1.0
    };
    picture.each(|x, y, colour| {
        let (x, y) = (x as f32, y as f32);
        let shade = 0.82 + 0.18 * (x / w);
        let skin = [214.0 * shade, 172.0 * shade, 148.0 * shade];
        let dark = [52.0, 40.0, 36.0];
        let eye = [0.40, 0.60].iter().any(|cx| inside(x, y, *cx, 0.46, 0.035, 0.018));
        if eye || inside(x, y, 0.5, 0.66, 0.09, 0.012) {
            dark
        } else if inside(x, y, 0.5, 0.53, 0.21, 0.25) {
            skin
        } else if inside(x, y, 0.5, 0.46, 0.25, 0.28) || y > h * 0.86 {
            dark
        } else {
            colour
        }
    });
    picture
}

#[tokio::test]
async fn a_selfie_is_held_to_limits_and_sentences_of_its_own() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let client = register(&world, &somebody()).await;
    // a front camera's picture: a document so small or so soft could not be read
    let selfie = face(480, 560);
    let sent = expect(send(&world, &client, "selfie", JPEG, jpeg(&selfie, 85)).await, 200);
    assert_eq!((&sent.json["status"], &sent.json["reasons"]), (&json!("accepted"), &json!([])));
    let as_document = expect(send(&world, &client, "passport", JPEG, jpeg(&selfie, 85)).await, 200);
    assert_eq!(as_document.json["status"], "rejected", "{}", as_document.text);
    // the limits are rules, and what a client is told is about a face
    let strict =
        |name: &'static str, least: u32| move |rules: &mut Value| rules["upload"]["selfie"][name] = json!(least);
    for (version, change, code, word) in [
        (2, strict("sharpness_min", 10_000), "blurred", "brazo extendido"),
        (3, strict("long_side_min", 900), "too_small", "cara"),
    ] {
        world.publish(SetName::Kyc, version, change).await;
        world.pass(61).await;
        let refused = expect(send(&world, &client, "selfie", JPEG, jpeg(&selfie, 85)).await, 200);
        assert_eq!(refused.json["status"], "rejected", "{code}");
        let reason = refused.json["reasons"].as_array().unwrap().iter().find(|reason| reason["code"] == code);
        let message = reason.unwrap_or_else(|| panic!("{code}: {}", refused.text))["message"].as_str().unwrap();
        assert!(message.contains(word) && !message.contains("documento"), "{message}");
    }
}

/// The lists are fetched again: after days nobody is screened against the old ones.
async fn fetch_lists(world: &World) {
    world.broker.host.invoke("kyc-lists", &json!({"all": true})).await.unwrap();
}

/// A client approved with a passport that expires some days after the start of the world.
async fn approved_until(world: &World, person: &Person) -> String {
    let client = register(world, person).await;
    expect(send(world, &client, "passport", JPEG, jpeg(&passport(person).picture, 85)).await, 200);
    expect(send(world, &client, "proof_of_address", JPEG, jpeg(&statement(person).picture, 85)).await, 200);
    expect(declare(world, &client).await, 200);
    world.idle().await;
    let case = seen_by(world, "compliance", &client).await;
    assert_eq!(case["status"], "approved", "{case:#}");
    assert_eq!(case["validity"], json!({"kind": "passport", "expires": person.expiry.iso(), "stage": "valid"}));
    client
}

/// The open work items of compliance about a client.
async fn work_of(world: &World, client: &str) -> Vec<Value> {
    let all = items(&world.get("compliance", "/v1/work?queue=compliance&status=open&limit=100").await);
    all.into_iter().filter(|item| item["subject"]["client_id"] == client).collect()
}

async fn days_pass(world: &World, days: u64) {
    world.pass(days * 86_400).await;
    fetch_lists(world).await;
    world.sweep().await;
}

#[tokio::test]
async fn an_expiring_document_is_a_request_to_the_client_and_a_newer_one_renews() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = Person { expiry: Day { year: 2027, month: 1, day: 5 }, ..somebody() };
    let client = approved_until(&world, &person).await;
    days_pass(&world, 10).await;
    assert!(work_of(&world, &client).await.is_empty());
    days_pass(&world, 4).await;
    let work = work_of(&world, &client).await;
    assert_eq!(
        (work.len(), &work[0]["kind"], &work[0]["runbook"]),
        (1, &json!("document_expiry"), &json!("document_expiry"))
    );
    assert_eq!(work[0]["trigger"]["what"], "renewal_asked:2027-01-05");
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["validity"]["stage"]), (&json!("approved"), &json!("renewal_asked")));
    assert_eq!(case["next_steps"][0]["reasons"], json!(["expires_soon"]), "{case:#}");
    let told = expect(world.get("portal", &format!("/v1/clients/{client}/notifications")).await, 200);
    assert!(told.text.contains("Necesitamos un documento nuevo") && told.text.contains("2027-01-05"), "{}", told.text);

    let newer = Person { expiry: Day { year: 2036, month: 12, day: 1 }, number: "XN4711082".to_owned(), ..person };
    expect(send(&world, &client, "passport", JPEG, jpeg(&passport(&newer).picture, 85)).await, 200);
    world.idle().await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!(case["validity"], json!({"kind": "passport", "expires": "2036-12-01", "stage": "valid"}), "{case:#}");
    assert_eq!((&case["status"], &case["next_steps"]), (&json!("approved"), &json!([])));
    assert!(work_of(&world, &client).await.is_empty(), "the item closed itself");
    let journal = expect(
        world.get("compliance", &format!("/v1/journal?entity={}", case["case_id"].as_str().unwrap())).await,
        200,
    );
    assert_eq!(journal.json["verified"], true);
    assert!(!journal.text.contains("XN4711082"), "no number of a document in the journal");
}

#[tokio::test]
async fn at_expiry_the_rules_decide_and_the_client_is_told() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    let person = Person { expiry: Day { year: 2026, month: 12, day: 20 }, ..somebody() };
    let (kept, lapsed) = (approved_until(&world, &person).await, approved_until(&world, &person).await);
    world.sweep().await;
    assert_eq!((work_of(&world, &kept).await.len(), work_of(&world, &lapsed).await.len()), (1, 1));
    // a person lets one of them expire before
    let item = work_of(&world, &lapsed).await[0]["work_id"].as_str().unwrap().to_owned();
    expect(world.act("compliance", &item, &json!({"action": "expire"})).await, 200);
    world.idle().await;
    assert_eq!(seen_by(&world, "portal", &lapsed).await["status"], "expired");
    days_pass(&world, 30).await;
    let case = seen_by(&world, "portal", &kept).await;
    assert_eq!((&case["status"], &case["validity"]["stage"]), (&json!("approved"), &json!("expired")), "{case:#}");
    let work = work_of(&world, &kept).await;
    assert_eq!((work.len(), &work[0]["trigger"]["what"]), (1, &json!("expired:2026-12-20")), "one item at a time");
    let told = expect(world.get("portal", &format!("/v1/clients/{lapsed}/notifications")).await, 200);
    assert!(told.text.contains("Su verificación ha caducado"), "{}", told.text);
}

/// Has a document expire by rule, and renewed.
async fn play_expiry(world: &World) -> String {
    let person = Person { expiry: Day { year: 2026, month: 12, day: 3 }, ..somebody() };
    let client = approved_until(world, &person).await;
    world.sweep().await;
    world.publish(SetName::Kyc, 2, |rules| rules["expiry"]["at_expiry"] = json!("expire")).await;
    days_pass(world, 12).await;
    assert_eq!(seen_by(world, "portal", &client).await["status"], "expired");
    let newer = Person { expiry: Day { year: 2036, month: 12, day: 1 }, number: "XN4711082".to_owned(), ..person };
    expect(send(world, &client, "passport", JPEG, jpeg(&passport(&newer).picture, 85)).await, 200);
    world.idle().await;
    assert_eq!(seen_by(world, "portal", &client).await["status"], "approved");
    client
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
    let expired = play_expiry(world).await;
    vec![approved, refused, asked, exposed, silent, expired]
}

#[tokio::test]
async fn another_risk_is_tried_on_the_cases_that_were_decided() {
    let world = World::at("2026-11-23T10:00:00Z").await;
    fetch_lists(&world).await;
    let from = world.now();
    let person = Person { expiry: Day { year: 2027, month: 1, day: 5 }, ..somebody() };
    let client = approved_until(&world, &person).await;
    let span = json!({"from": from, "to": world.now()});
    let test = |version: u64| format!("/v1/rules/kyc_risk/versions/{version}/backtest");
    let live = expect(world.post("compliance", &test(1), &span).await, 200).json;
    assert_eq!((&live["summary"]["was"], &live["changed"]), (&json!({"approve": 1}), &json!([])), "{live:#}");
    let text = world.changed("kyc_risk", "{field: age, lt: 18}", "{field: age, lt: 99}").await;
    expect(world.draft("compliance", "kyc_risk", YAML, &text).await, 201);
    let tried = expect(world.post("compliance", &test(2), &span).await, 200).json;
    let change = json!({"entity": tried["changed"][0]["entity"], "at": tried["changed"][0]["at"], "was": "approve", "now": "reject"});
    assert_eq!(tried["changed"], json!([change]), "{tried:#}");
    assert!(change["entity"].as_str().unwrap().ends_with(client.trim_start_matches("cli_")), "{change} of {client}");
    // about whom it is is for compliance alone
    let others = expect(world.post("sales", &test(2), &span).await, 200).json;
    assert_eq!(
        (others["changed"][0].get("entity"), &others["changed"][0]["now"]),
        (None, &json!("reject")),
        "{others:#}"
    );
}
