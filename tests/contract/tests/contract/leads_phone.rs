//! Telephone numbers of leads: read by their country's plan, kept where they cannot be read, and one whatever form they have.

use serde_json::{Value, json};

use crate::leads::{floor, form};
use crate::world::{World, expect, faults};

async fn phone_of(world: &World, country: Option<&str>, phone: &str) -> (Value, Value) {
    let lead = world.submit(json!({"phone": phone, "country": country})).await;
    let lead = world.lead(&lead).await;
    (lead["phone"].clone(), lead["phone_unverified"].clone())
}

#[tokio::test]
async fn a_national_number_that_begins_with_its_calling_code_is_taken_as_it_is_meant() {
    let world = floor("2026-11-25T20:00:00Z").await;
    for (country, phone, right) in [
        ("IN", "91876 54321", "+919187654321"),
        ("BR", "(55) 98765-4321", "+5555987654321"),
        ("PL", "48 765 43 21", "+48487654321"),
        ("EG", "٠١٠٠١٢٣٤٥٦٧", "+201001234567"),
    ] {
        assert_eq!(phone_of(&world, Some(country), phone).await, (json!(right), Value::Null), "{phone}");
    }
}

#[tokio::test]
async fn a_number_that_cannot_be_read_stays_and_whoever_calls_sees_it() {
    let world = floor("2026-11-25T20:00:00Z").await;
    for (country, phone, shown) in [(None, "0455 222 333", "0455 222 333"), (None, "+34 000 000 001", "+34000000001")] {
        assert_eq!(phone_of(&world, country, phone).await, (json!(shown), json!(true)), "{phone}");
        let messages = world.recorded("slack", "").await["messages"].to_string();
        assert!(messages.contains(&format!("{shown} (unverified)")), "{messages}");
    }
    let extension = world.submit(json!({"phone": "020 7946 0018 ext. 12", "country": "GB"})).await;
    let lead = world.lead(&extension).await;
    assert_eq!((&lead["phone"], &lead["phone_as_given"]), (&json!("+442079460018"), &json!("020 7946 0018 ext. 12")));
    assert!(world.recorded("slack", "").await["messages"].to_string().contains("020 7946 0018 ext. 12"));
    for (country, phone) in [(None, "call me"), (None, "+34 600"), (Some("ES"), "60011122"), (Some("ES"), "6001112223")]
    {
        let answer =
            expect(world.portal("/v1/leads", &form(&world, json!({"phone": phone, "country": country}))).await, 422);
        assert_eq!(faults(&answer), ["/phone invalid_phone"], "{phone}");
    }
}

/// Numbers that nobody lists are what people write who do not want to give theirs: they prove nothing.
#[tokio::test]
async fn the_forms_of_one_mobile_are_one_person_and_an_unlisted_number_is_nobodys() {
    let world = floor("2026-11-25T20:00:00Z").await;
    for (first, second, same) in [
        ("+525587654321", "+5215587654321", true),
        ("+5491123456789", "+54 11 2345-6789", true),
        ("+5521987654321", "+55 21 8765-4321", true),
        ("+55 21 2555-6666", "+55 21 92555-6666", false),
        ("+34 000 000 002", "+34000000002", false),
    ] {
        let id =
            expect(world.portal("/v1/leads", &form(&world, json!({"phone": first}))).await, 202).text_at("/lead_id");
        let answer = expect(world.portal("/v1/leads", &form(&world, json!({"phone": second}))).await, 202);
        assert_eq!(answer.json["duplicate_of"] == json!(id), same, "{first} {second}: {}", answer.json);
    }
}

/// A second form with a number that can be called takes the place of one that could not; what was written is still seen.
#[tokio::test]
async fn a_later_form_with_a_good_number_mends_the_first() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let first = form(&world, json!({"phone": "0455 222 333"}));
    let id = expect(world.portal("/v1/leads", &first).await, 202).text_at("/lead_id");
    let again = |phone: &str| json!({"email": first["email"], "phone": phone, "source": {"channel": "organic"}});
    expect(world.portal("/v1/leads", &again("+34 000 000 003")).await, 202);
    assert_eq!(world.lead(&id).await["phone"], "0455 222 333", "one that is not known to be better does not count");
    expect(world.portal("/v1/leads", &again("+34 600 111 333")).await, 202);
    let lead = world.lead(&id).await;
    assert_eq!((&lead["phone"], &lead["phone_unverified"]), (&json!("+34600111333"), &Value::Null));
    assert_eq!(lead["phone_as_given"], "0455 222 333");
}

#[tokio::test]
async fn a_number_that_costs_whoever_calls_it_is_not_handed_out_as_one_to_call() {
    let world = floor("2026-11-25T15:00:00Z").await;
    // premium rate in the United Kingdom, the United States, Spain and France, and worldwide; satellite networks
    for number in [
        "+449098791234",
        "+19005551234",
        "+34803123456",
        "+33899123456",
        "+979123456789",
        "+88216123456",
        "+881612345678",
    ] {
        let id = world.submit(json!({"phone": number})).await;
        let lead = world.lead(&id).await;
        assert_eq!(lead["phone_unverified"], true, "{number}: whoever sends it earns from our call");
        assert_eq!((&lead["phone_costs"], &lead["score"]), (&json!(true), &json!(20)), "{number}: no points for it");
        let messages = world.recorded("slack", "").await["messages"].to_string();
        assert!(!messages.contains(&format!("{number},")) && !messages.contains(&format!("{number}\\n")), "{messages}");
        assert!(messages.contains(&format!("{number} (unverified, costs more than a call)")), "{messages}");
        let again = expect(world.portal("/v1/leads", &form(&world, json!({"phone": number}))).await, 202);
        assert_eq!(again.json.get("duplicate_of"), None, "{number} proves nothing");
    }
}
