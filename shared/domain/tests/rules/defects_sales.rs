//! The corpus of defects of what sales and marketing edit: forms, scores, routes, the floor, series of messages.

use domain::rule_sets::SetName;
use serde_json::json;

use crate::defects::check;

#[test]
fn defects_of_the_intake_are_found_where_they_are() {
    check(
        SetName::LeadIntake,
        vec![
            ("/duplicates", None, &[("", "missing_key")]),
            ("/duplicates/window", Some(json!("59s")), &[("/duplicates/window", "bad_range")]),
            ("/duplicates/window", Some(json!("60s")), &[]),
            ("/duplicates/attribution", Some(json!("both")), &[("/duplicates/attribution", "unknown_value")]),
            ("/consent_wording", Some(json!("")), &[("/consent_wording", "empty")]),
            ("/languages/xx1", Some(json!(["JP"])), &[("/languages/xx1", "bad_language")]),
            ("/languages/ja", Some(json!(["ES"])), &[("/languages/ja/0", "duplicate")]),
            ("/languages/ja", Some(json!(["JP", "JP"])), &[("/languages/ja/1", "duplicate")]),
            ("/languages/ja", Some(json!(["Japan"])), &[("/languages/ja/0", "unknown_country")]),
            ("/languages/ja", Some(json!([])), &[("/languages/ja", "empty")]),
            ("/languages/ja", Some(json!(["JP"])), &[]),
            ("/languages", Some(json!([])), &[("/languages", "wrong_type")]),
            ("/meta", None, &[]),
            ("/meta/version", Some(json!("21.0")), &[("/meta/version", "bad_version")]),
            ("/meta/retry_for", Some(json!("9m")), &[("/meta/retry_for", "bad_range")]),
            ("/meta/secret", Some(json!("a b")), &[("/meta/secret", "bad_secret_name")]),
            ("/meta/base_url", Some(json!("http://graph.facebook.com")), &[("/meta/base_url", "insecure_url")]),
            ("/meta/forms/any", None, &[("/meta/forms", "empty")]),
            ("/meta/forms/spring", Some(json!({"fields": {}, "consents": []})), &[("/meta/forms/spring", "bad_name")]),
            ("/meta/forms/17", Some(json!({"fields": {}, "consents": []})), &[]),
            ("/meta/forms/any/language", Some(json!("English")), &[("/meta/forms/any/language", "bad_language")]),
            ("/meta/forms/any/signal", Some(json!("Form!")), &[("/meta/forms/any/signal", "bad_name")]),
            ("/meta/forms/any/consents/-", Some(json!("fax")), &[("/meta/forms/any/consents/2", "unknown_value")]),
            ("/meta/forms/any/consents/-", Some(json!("email")), &[("/meta/forms/any/consents/2", "duplicate")]),
            ("/meta/forms/any/fields/age", Some(json!("years")), &[("/meta/forms/any/fields/age", "unknown_value")]),
        ],
    );
}

#[test]
fn defects_of_scores_are_found_where_they_are() {
    check(
        SetName::LeadScoring,
        vec![
            ("/bands", Some(json!([])), &[("/bands", "empty")]),
            ("/bands/0/from", Some(json!(1)), &[("/bands/0", "band_gap")]),
            ("/bands/2/from", Some(json!(25)), &[("/bands/1", "bad_range")]),
            ("/bands/2/from", Some(json!(20)), &[("/bands/1", "bad_range"), ("/bands/2", "band_overlap")]),
            ("/bands/2/from", Some(json!(101)), &[("/bands/2/from", "bad_range")]),
            ("/bands/2/name", Some(json!("warm")), &[("/bands/2/name", "duplicate_id")]),
            ("/bands/2/below", Some(json!(90)), &[("/bands/2/below", "unknown_key")]),
            ("/profile", Some(json!([])), &[]),
            ("/profile/0/id", Some(json!("referred")), &[("/profile/3/id", "duplicate_id")]),
            ("/profile/0/points", Some(json!(101)), &[("/profile/0/points", "bad_range")]),
            ("/profile/0/points", Some(json!(-100)), &[]),
            ("/profile/0/points", Some(json!(0.5)), &[("/profile/0/points", "float_number")]),
            ("/profile/0/then", Some(json!(1)), &[("/profile/0/then", "unknown_key")]),
            ("/profile/0/when/field", Some(json!("has_fax")), &[("/profile/0/when/field", "unknown_field")]),
            ("/profile/0/when/eq", Some(json!("yes")), &[("/profile/0/when/eq", "wrong_type")]),
            ("/profile/2/when/eq", Some(json!("billboard")), &[("/profile/2/when/eq", "unknown_value")]),
            (
                "/profile/0/when",
                Some(json!({"field": "country", "eq": "XX"})),
                &[("/profile/0/when/eq", "unknown_value")],
            ),
            ("/profile/0/when", Some(json!({"field": "country", "eq": ""})), &[("/profile/0/when/eq", "empty")]),
            (
                "/profile/0/when",
                Some(json!({"field": "language", "gt": "a"})),
                &[("/profile/0/when/gt", "op_not_for_type")],
            ),
            (
                "/profile/0/when",
                Some(json!({"field": "answers", "exists": true})),
                &[("/profile/0/when/exists", "pointless_test")],
            ),
            ("/profile/0/when", Some(json!("always")), &[]),
            ("/signals/Form", Some(json!({"points": 1})), &[("/signals/Form", "bad_name")]),
            ("/signals/form_completed/points", None, &[("/signals/form_completed", "missing_key")]),
            ("/signals/form_completed/counts", Some(json!(0)), &[("/signals/form_completed/counts", "bad_range")]),
            (
                "/signals/form_completed/half_life",
                Some(json!("59m")),
                &[("/signals/form_completed/half_life", "bad_range")],
            ),
        ],
    );
}

#[test]
fn defects_of_routes_are_found_where_they_are() {
    check(
        SetName::LeadRouting,
        vec![
            ("/regions/EU", Some(json!(["CH"])), &[("/regions/EU", "bad_name")]),
            ("/regions/dach", Some(json!(["CH", "Germany"])), &[("/regions/dach/1", "unknown_country")]),
            ("/regions/dach", Some(json!(["CH", "CH"])), &[("/regions/dach/1", "duplicate")]),
            ("/regions/dach", Some(json!(["CH", "DE"])), &[]),
            (
                "/regions/mena",
                None,
                &[("/rows/2/when/all/1/any/0/in/0", "unknown_value"), ("/rows/6/when/in/0", "unknown_value")],
            ),
            ("/legal_entities/1", None, &[("/legal_entities", "gap")]),
            (
                "/legal_entities/0/then/entity",
                Some(json!("Pip Works")),
                &[("/legal_entities/0/then/entity", "bad_name"), ("/rows/7/when/eq", "unknown_value")],
            ),
            (
                "/legal_entities/0/when",
                Some(json!({"field": "entity", "eq": "pipworks_eu"})),
                &[("/legal_entities/0/when/field", "unknown_field")],
            ),
            ("/rows/8", None, &[("/rows", "gap")]),
            (
                "/rows/0/when",
                Some(json!("always")),
                &[
                    ("/rows/1/when", "unreachable_row"),
                    ("/rows/2/when", "unreachable_row"),
                    ("/rows/3/when", "unreachable_row"),
                    ("/rows/4/when", "unreachable_row"),
                    ("/rows/5/when", "unreachable_row"),
                    ("/rows/6/when", "unreachable_row"),
                    ("/rows/7/when", "unreachable_row"),
                    ("/rows/8/when", "unreachable_row"),
                ],
            ),
            (
                "/rows/0/when",
                Some(json!({"field": "local_weekday", "eq": "monday"})),
                &[("/rows/0/when/eq", "unknown_value")],
            ),
            ("/rows/0/when", Some(json!({"field": "local_weekday", "eq": "mon"})), &[]),
            ("/rows/0/when", Some(json!({"field": "local_hour", "gte": "9.5", "lt": 18})), &[]),
            ("/rows/0/when", Some(json!({"field": "region", "eq": "eu"})), &[("/rows/0/when/eq", "op_not_for_type")]),
            ("/rows/0/when", Some(json!({"field": "returning", "eq": 1})), &[("/rows/0/when/eq", "wrong_type")]),
            (
                "/rows/0/when",
                Some(json!({"field": "entity", "exists": true})),
                &[("/rows/0/when/exists", "pointless_test")],
            ),
            (
                "/rows/0/when",
                Some(json!({"field": "entity", "eq": "elsewhere"})),
                &[("/rows/0/when/eq", "unknown_value")],
            ),
            ("/rows/0/then", Some(json!({})), &[("/rows/0/then", "bad_destination")]),
            ("/rows/0/then", Some(json!({"pool": "a", "sequence": "b"})), &[("/rows/0/then", "bad_destination")]),
            (
                "/rows/0/then",
                Some(json!({"agent": "a"})),
                &[("/rows/0/then/agent", "unknown_key"), ("/rows/0/then", "bad_destination")],
            ),
        ],
    );
}

#[test]
fn the_sets_tell_what_a_row_may_ask() {
    let asked = |set, pointer: &str| {
        let mut document = crate::seeds::seed(set);
        *document.pointer_mut(pointer).unwrap() = json!({"field": "nothing", "eq": 1});
        domain::rule_sets::parse_any(set, &document).unwrap_err().remove(0).allowed_values.join(" ")
    };
    assert_eq!(
        asked(SetName::LeadScoring, "/profile/0/when"),
        "channel has_phone has_name email_consent phone_consent answers country language campaign partner_code experience intended_deposit"
    );
    let leads = "region channel score band returning email_consent phone_consent sms_consent country language campaign partner_code local_hour local_weekday";
    assert_eq!(asked(SetName::LeadRouting, "/legal_entities/0/when"), leads);
    assert_eq!(asked(SetName::LeadRouting, "/rows/0/when"), format!("{leads} entity"));
    assert_eq!(
        asked(SetName::Journeys, "/journeys/0/exit"),
        "audience status band score country language entity kyc appropriateness idle_days trades open_positions streak streak_length deposits withdrawals net_deposits amount"
    );
    assert_eq!(asked(SetName::Psps, "/deposit_limits/0/when"), "currency psp country account_type");
    assert_eq!(
        asked(SetName::Platforms, "/leverage/0/when"),
        "platform account_type currency kind country residence_eu"
    );
}

#[test]
fn defects_of_the_floor_are_found_where_they_are() {
    check(
        SetName::Sales,
        vec![
            ("/slack/response_url", Some(json!("https://x/?a=b")), &[("/slack/response_url", "bad_url")]),
            ("/message/body", Some(json!("{{agent}} {{age}}")), &[("/message/body", "unknown_name")]),
            ("/message/subject", Some(json!("{{name")), &[("/message/subject", "bad_braces")]),
            ("/holidays/Easter", Some(json!(["2027-03-28"])), &[("/holidays/Easter", "bad_name")]),
            ("/holidays/easter", Some(json!(["28.03.2027"])), &[("/holidays/easter/0", "bad_date")]),
            ("/holidays/easter", Some(json!(["2027-03-28", "2027-03-28"])), &[("/holidays/easter/1", "duplicate")]),
            ("/holidays/easter", Some(json!(["2027-03-28"])), &[]),
            (
                "/calendars/eu_day/time_zone",
                Some(json!("Mars/Base")),
                &[("/calendars/eu_day/time_zone", "unknown_time_zone")],
            ),
            (
                "/calendars/eu_day/holidays/-",
                Some(json!("easter")),
                &[("/calendars/eu_day/holidays/2", "missing_reference")],
            ),
            ("/calendars/eu_day/week/0/days/-", Some(json!("mon")), &[("/calendars/eu_day/week/0/days", "too_many")]),
            (
                "/calendars/eu_day/week/0/days/0",
                Some(json!("tue")),
                &[("/calendars/eu_day/week/0/days/1", "duplicate")],
            ),
            (
                "/calendars/eu_day/week/0/days/0",
                Some(json!("Monday")),
                &[("/calendars/eu_day/week/0/days/0", "unknown_value")],
            ),
            (
                "/calendars/eu_day/week/0/hours/0",
                Some(json!("9-17")),
                &[("/calendars/eu_day/week/0/hours/0", "bad_hours")],
            ),
            (
                "/calendars/eu_day/week/0/hours/-",
                Some(json!("18:00-20:00")),
                &[("/calendars/eu_day/week/0/hours", "overlap")],
            ),
            (
                "/calendars/eu_day/exceptions/1/on",
                Some(json!("2026-12-24")),
                &[("/calendars/eu_day/exceptions/1/on", "duplicate")],
            ),
            ("/teams/0/calendar", Some(json!("nights")), &[("/teams/0/calendar", "missing_reference")]),
            ("/agents/0/team", Some(json!("asia")), &[("/agents/0/team", "missing_reference")]),
            ("/agents/0/languages/0", Some(json!("pt-BR")), &[("/agents/0/languages/0", "bad_language")]),
            ("/agents/0/slack_user", Some(json!("U0MATEO")), &[("/agents/1/slack_user", "duplicate")]),
            ("/agents/0/subject", Some(json!("agt_mateo_silva")), &[("/agents/1/subject", "duplicate")]),
            ("/agents/1/subject", Some(json!("sofia_reyes")), &[("/agents/1/subject", "duplicate")]),
            ("/agents/0/slack_user", Some(json!("@sofia")), &[("/agents/0/slack_user", "bad_slack_user")]),
            (
                "/agents/0/leave",
                Some(json!([{"from": "2026-12-27", "until": "2026-12-20"}])),
                &[("/agents/0/leave/0", "bad_range")],
            ),
            ("/pools/0/members/0/agent", Some(json!("nobody")), &[("/pools/0/members/0/agent", "missing_reference")]),
            ("/pools/0/members/0/agent", Some(json!("mateo_silva")), &[("/pools/0/members/1/agent", "duplicate")]),
            ("/pools/0/overflow", Some(json!("nowhere")), &[("/pools/0/overflow", "missing_reference")]),
            ("/pools/5/overflow", Some(json!("round_the_clock")), &[("/pools/5/overflow", "circle")]),
            (
                "/pools/0/performance",
                Some(json!({"days": 1, "least": "1", "most": "1"})),
                &[("/pools/0/performance", "not_applicable")],
            ),
            ("/pools/2/performance", None, &[("/pools/2", "missing_key")]),
            ("/pools/2/performance/most", Some(json!("0.9")), &[("/pools/2/performance", "bad_range")]),
            ("/pools/0/sla/due_in", Some(json!("59s")), &[("/pools/0/sla/due_in", "bad_range")]),
        ],
    );
}

#[test]
fn defects_of_series_are_found_where_they_are() {
    check(
        SetName::Journeys,
        vec![
            ("/quiet_hours", Some(json!("21-09")), &[("/quiet_hours", "bad_hours")]),
            ("/unsubscribe_url", Some(json!("https://x.test/unsubscribe")), &[("/unsubscribe_url", "bad_url")]),
            ("/default_language", Some(json!("English")), &[("/default_language", "bad_language")]),
            ("/sender/address", Some(json!("broker")), &[("/sender/address", "bad_email")]),
            ("/caps/channel/most", Some(json!(0)), &[("/caps/channel/most", "bad_range")]),
            ("/unsaid_topics", Some(json!("maybe")), &[("/unsaid_topics", "unknown_value")]),
            ("/risk_warning/texts/en", Some(json!("Take care")), &[("/risk_warning/texts/en", "missing_name")]),
            ("/risk_warning/texts/en", None, &[("/risk_warning", "missing_language")]),
            ("/promotions/0/bonus", None, &[("/promotions/0", "missing_key")]),
            ("/promotions/0/from", Some(json!("1.8.2018")), &[("/promotions/0/from", "bad_day")]),
            (
                "/journeys/0/exit",
                Some(json!({"field": "status", "eq": "happy"})),
                &[("/journeys/0/exit/eq", "unknown_value")],
            ),
            ("/journeys/0/audience", Some(json!("client")), &[("/journeys/0/enter/on", "not_applicable")]),
            (
                "/journeys/1/audience",
                Some(json!("lead")),
                &[
                    ("/journeys/1/enter/idle", "not_applicable"),
                    ("/journeys/1/steps/2/task", "not_applicable"),
                    ("/journeys/1/steps/4/bonus", "not_applicable"),
                ],
            ),
            ("/journeys/1/enter/on", Some(json!("traded")), &[("/journeys/1/enter", "bad_entry")]),
            ("/journeys/1/hold_out", Some(json!(51)), &[("/journeys/1/hold_out", "bad_range")]),
            ("/journeys/0/steps/1/id", Some(json!("hello")), &[("/journeys/0/steps/1/id", "duplicate_id")]),
            ("/journeys/0/steps/1/rest", Some(json!({})), &[("/journeys/0/steps/1", "bad_step")]),
            ("/journeys/0/steps/1/id", Some(json!("exit")), &[("/journeys/0/steps/1", "bad_name")]),
            (
                "/journeys/0/steps/0/message/template",
                Some(json!("nothing")),
                &[("/journeys/0/steps/0/message/template", "missing_reference")],
            ),
            (
                "/journeys/0/steps/0/message/channel",
                Some(json!("fax")),
                &[("/journeys/0/steps/0/message/channel", "unknown_value")],
            ),
            (
                "/journeys/0/steps/0/message/channel",
                Some(json!("in_app")),
                &[
                    ("/journeys/0/steps/0/message/channel", "not_applicable"),
                    ("/templates/welcome_hello/ar", "missing_key"),
                    ("/templates/welcome_hello/en", "missing_key"),
                    ("/templates/welcome_hello/es", "missing_key"),
                ],
            ),
            (
                "/journeys/1/steps/2/task/kind",
                Some(json!("kyc_review")),
                &[("/journeys/1/steps/2/task/kind", "unknown_value")],
            ),
            (
                "/journeys/1/steps/4/bonus",
                Some(json!({"amount": "0", "currency": "USD"})),
                &[("/journeys/1/steps/4/bonus/amount", "bad_range")],
            ),
            ("/journeys/1/steps/4/bonus/amount", Some(json!("5")), &[("/journeys/1/steps/4/bonus", "bad_bonus")]),
            (
                "/journeys/1/steps/4/bonus/campaign",
                Some(json!("A b")),
                &[("/journeys/1/steps/4/bonus/campaign", "bad_name")],
            ),
            // a journey cannot go in a circle: ways lead to later steps alone
            ("/journeys/6/steps/0/wait_for/then", Some(json!("trades")), &[("/journeys/6/steps", "bad_way")]),
            (
                "/templates/idle_text/en/body",
                Some(json!("{{brand}} {{risk_warning}}")),
                &[("/templates/idle_text/en", "no_way_out")],
            ),
            (
                "/templates/idle_check_in/es/body",
                Some(json!("{{unsubscribe_url}}")),
                &[("/templates/idle_check_in/es", "other_names")],
            ),
            ("/templates/welcome_hello/en", None, &[("/templates/welcome_hello", "missing_language")]),
            ("/templates/welcome_hello/en/subject", None, &[("/templates/welcome_hello/en", "missing_key")]),
            (
                "/templates/welcome_hello/en/body",
                Some(json!("{{age}} {{name}} {{brand}} {{risk_warning}} {{unsubscribe_url}}")),
                &[
                    ("/templates/welcome_hello/ar", "other_names"),
                    ("/templates/welcome_hello/en", "unknown_name"),
                    ("/templates/welcome_hello/es", "other_names"),
                ],
            ),
            (
                "/templates/welcome_hello/en/body",
                Some(json!("Hello {{name}} {{risk_warning}}")),
                &[
                    ("/templates/welcome_hello/ar", "other_names"),
                    ("/templates/welcome_hello/en", "no_way_out"),
                    ("/templates/welcome_hello/es", "other_names"),
                ],
            ),
            (
                "/templates/welcome_hello/english",
                Some(json!({"subject": "a", "body": "{{unsubscribe_url}}"})),
                &[
                    ("/templates/welcome_hello/english", "bad_language"),
                    ("/templates/welcome_hello/english", "other_names"),
                ],
            ),
        ],
    );
}
