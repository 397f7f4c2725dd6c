//! The console as a browser sees it: signing in, pages by role, forms.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use crate::world::{World, expect};

/// A browser with its cookies.
struct Browser<'w> {
    world: &'w World,
    cookies: BTreeMap<String, String>,
    site: Option<&'static str>,
}

struct Seen {
    status: u16,
    to: String,
    text: String,
}

impl<'w> Browser<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, cookies: BTreeMap::new(), site: Some("same-origin") }
    }

    /// Somebody who has signed in.
    async fn of(world: &'w World, subject: &str) -> Self {
        let mut own = Self::new(world);
        let begun = own.get("/console").await;
        assert_eq!(own.sign_in(&begun.to, subject).await.status, 303);
        own
    }

    async fn send(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Seen {
        let path = path.strip_prefix(self.world.broker.host.url()).unwrap_or(path);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header("host", "console.test");
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            if let Some(site) = self.site {
                request = request.header("sec-fetch-site", site);
            }
        }
        let answer = self.world.broker.host.request(request.body(Bytes::from(body)).unwrap()).await;
        self.seen(&answer)
    }

    fn seen(&mut self, answer: &Response<Bytes>) -> Seen {
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let set = header("set-cookie");
        if let Some((name, value)) = set.split(';').next().and_then(|pair| pair.split_once('=')) {
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            self.cookies.insert(name.to_owned(), value.to_owned());
            if value.is_empty() {
                self.cookies.remove(name);
            }
        }
        let seen = Seen {
            status: answer.status().as_u16(),
            to: header("location"),
            text: String::from_utf8(answer.body().to_vec()).unwrap(),
        };
        if header("content-type").starts_with("text/html") {
            let policy = header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert!(seen.text.len() < 100_000, "{} bytes", seen.text.len());
        }
        seen
    }

    async fn get(&mut self, path: &str) -> Seen {
        self.send("GET", path, &[]).await
    }

    async fn page(&mut self, path: &str) -> String {
        let seen = self.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text);
        seen.text
    }

    /// From the console to the provider, where somebody picks a name, and back.
    async fn sign_in(&mut self, from: &str, subject: &str) -> Seen {
        let asked = self.get(from).await;
        let (authorize, query) = asked.to.split_once('?').unwrap();
        let page = self.world.raw("GET", &asked.to, "").await;
        assert!(page.contains(&format!("value=\"{subject}\"")), "{page}");
        let form = format!("{query}&subject={subject}");
        let back = self.world.raw("POST", authorize, &form).await;
        self.get(&back).await
    }
}

impl World {
    /// Sends a form to the identity provider; its text, or where it leads.
    async fn raw(&self, method: &str, url: &str, form: &str) -> String {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = broker::api::Api::default()
            .send(method.parse().unwrap(), url, &headers, form.as_bytes().to_vec())
            .await
            .unwrap();
        answer.headers.get("location").map_or(answer.text.clone(), |to| to.to_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn nobody_sees_a_page_before_signing_in_and_each_comes_to_the_page_that_he_asked_for() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let sent = browser.get("/console/work?queue=finance").await;
    assert_eq!((sent.status, sent.to.as_str()), (303, "/console/sign-in?back=%2Fwork%3Fqueue%3Dfinance"));
    let signed_in = browser.sign_in(&sent.to, "finance-1").await;
    assert_eq!((signed_in.status, signed_in.to.as_str()), (303, "/console/work?queue=finance"));
    let page = browser.page(&signed_in.to).await;
    assert!(page.contains("finance-1 (finance)") && page.contains("Nothing waits here"), "{page}");
    // a sign-in that was begun elsewhere, one that is sent again, and one without a code
    let forged = browser.get("/console/callback?code=x&state=y").await;
    assert_eq!(forged.status, 403);
    let out = browser.send("POST", "/console/sign-out", &[]).await;
    assert_eq!(out.status, 303);
    assert_eq!(browser.get("/console/work").await.status, 303);
    // a form without a session says so and keeps what was typed in the browser
    let late = browser.send("POST", "/console/work/wrk_1", &[("action", "note"), ("note", "a long story")]).await;
    assert!(
        late.status == 401 && late.text.contains("a long story") && late.text.contains("Send again"),
        "{}",
        late.text
    );
    browser.site = Some("cross-site");
    let foreign = browser.send("POST", "/console/work/wrk_1", &[("action", "note"), ("note", "a long story")]).await;
    assert!(foreign.status == 403 && !foreign.text.contains("a long story"), "{}", foreign.text);
    browser.site = Some("same-origin");
    for path in ["/console/static/console.css", "/console/static/console.js"] {
        browser.page(path).await;
    }
    for elsewhere in ["//evil.example", "https://evil.example"] {
        let mut browser = Browser::new(&world);
        let back = browser.sign_in(&format!("/console/sign-in?back={elsewhere}"), "finance-1").await;
        assert_eq!(back.to, "/console");
    }
}

#[tokio::test]
async fn a_role_sees_and_does_in_the_console_what_it_may_over_the_api() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    world.idle().await;
    let item = world.work_of(&payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    let path = format!("/console/work/{item}");
    let mut clerk = Browser::of(&world, "finance-1").await;
    let home = clerk.page("/console").await;
    assert!(home.contains("<b>1</b> open for finance"), "{home}");
    let list = clerk.page("/console/work?queue=finance").await;
    assert!(list.contains("Deposit underpaid") && list.contains(&item) && list.contains(&payment.id), "{list}");
    let page = clerk.page(&path).await;
    for told in ["Deposit underpaid", "Credit what was paid", "90.00 USD", &payment.id, "less was paid than asked for"]
    {
        assert!(page.to_lowercase().contains(&told.to_lowercase()), "{told}: {page}");
    }
    // another desk may look and not act, and what was typed is still there
    let mut sales = Browser::of(&world, "sales-1").await;
    let refused = sales.send("POST", &path, &[("action", "claim"), ("note", "let me see")]).await;
    assert!(refused.status == 403 && refused.text.contains("let me see"), "{}", refused.text);
    // a form of another site
    clerk.site = Some("cross-site");
    assert_eq!(clerk.send("POST", &path, &[("action", "claim")]).await.status, 403);
    clerk.site = None;
    assert_eq!(clerk.send("POST", &path, &[("action", "claim")]).await.status, 403);
    clerk.site = Some("same-origin");
    let evidence = clerk.send("POST", &path, &[("action", "refund_at_psp"), ("note", "by telephone <b>")]).await;
    assert!(evidence.status == 422 && evidence.text.contains("evidence"), "{}", evidence.text);
    assert!(evidence.text.contains("by telephone &#60;b&#62;") || evidence.text.contains("by telephone &lt;b&gt;"));
    let done = clerk.send("POST", &path, &[("action", "claim")]).await;
    assert_eq!((done.status, done.to.as_str()), (303, format!("{path}?done=claim").as_str()));
    assert!(clerk.page(&done.to).await.contains("The item is yours."));
    let done = clerk.send("POST", &path, &[("action", "credit_paid_amount")]).await;
    assert_eq!(done.to, format!("{path}?done=decided"));
    assert_eq!(world.status(&payment.id).await, "credited");
    let again = clerk.send("POST", &path, &[("action", "credit_paid_amount")]).await;
    assert_eq!(again.to, done.to);
    let mut second = Browser::of(&world, "finance-2").await;
    assert_eq!(second.send("POST", &path, &[("action", "claim")]).await.status, 409);
    // and the story of it
    for path in [format!("/console/payments/{}", payment.id), format!("/console/clients/{}", trader.client)] {
        let page = clerk.page(&path).await;
        assert!(page.contains("Every entry follows from the one before it") && page.contains("Credited"), "{page}");
    }
    for (id, to) in
        [(&payment.id, "payments"), (&trader.client, "clients"), (&item, "work"), (&trader.account, "journal")]
    {
        assert_eq!(clerk.get(&format!("/console/search?q={id}")).await.to, format!("/console/{to}/{id}"));
    }
    clerk.page(&format!("/console/journal/{}", trader.account)).await;
    clerk.page("/console/reconciliation").await;
    assert_eq!(sales.get("/console/reconciliation").await.status, 403);
    for unknown in ["/console/nothing", "/console/work/wrk_1", "/console/payments/pay_1", "/console/rules/psps/9"] {
        assert_eq!(clerk.get(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn a_rule_is_edited_and_another_person_publishes_it() {
    let world = World::start().await;
    let mut author = Browser::of(&world, "finance-1").await;
    assert!(author.page("/console/rules").await.contains("/console/rules/psps/1"));
    author.page("/console/rules/psps/1").await;
    let shown = expect(world.get("finance", "/v1/rules/psps/versions/1").await, 200);
    let text = shown.json["document"].as_str().unwrap();
    // browsers end lines with both
    let wrong = text.replace("max: \"50000\"", "max: many").replace('\n', "\r\n");
    let refused = author.send("POST", "/console/rules/psps/1/draft", &[("document", &wrong), ("reason", "less")]).await;
    let line = text.lines().position(|line| line.contains("max: \"50000\"")).unwrap() + 1;
    assert!(refused.status == 422 && refused.text.contains(&format!("line {line}, column")), "{}", refused.text);
    assert!(refused.text.contains("max: many"), "what was typed is still there");
    let right = text.replace("max: \"50000\"", "max: \"40000\"").replace('\n', "\r\n");
    let drafted = author.send("POST", "/console/rules/psps/1/draft", &[("document", &right), ("reason", "less")]).await;
    assert_eq!(drafted.to, "/console/rules/psps/2?done=draft", "{}", drafted.text);
    let page = author.page(&drafted.to).await;
    for told in ["class=\"cut\">- ", "class=\"add\">+ ", "40000", "less", "Publish"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let own = author.send("POST", "/console/rules/psps/2/publish", &[("effective_at", "")]).await;
    assert!(own.status == 403 && own.text.contains("another person"), "{}", own.text);
    let mut other = Browser::of(&world, "finance-2").await;
    let published = other.send("POST", "/console/rules/psps/2/publish", &[("effective_at", "2030-01-01T08:30")]).await;
    assert_eq!(published.status, 422);
    let published = other.send("POST", "/console/rules/psps/2/publish", &[("effective_at", "")]).await;
    assert_eq!(published.to, "/console/rules/psps/2?done=publish", "{}", published.text);
    let now = expect(world.get("finance", "/v1/rules/psps/versions/2").await, 200).json;
    assert_eq!((&now["status"], &now["published_by"]), (&json!("live"), &json!("finance-2")));
    assert!(now["document"].as_str().unwrap().contains("40000") && !now["document"].as_str().unwrap().contains('\r'));
}

#[tokio::test]
async fn compliance_alone_sees_cases_and_two_officers_close_one() {
    let world = World::at("2026-11-23T09:00:00Z").await;
    let trader = world.trader("USD").await;
    let id = crate::compliance::case_of(&world, &trader).await;
    let path = format!("/console/cases/{id}");
    for stranger in ["finance-1", "support-1", "sales-1", "admin-1"] {
        let mut other = Browser::of(&world, stranger).await;
        let home = other.page("/console").await;
        assert!(!home.contains("Cases"), "{home}");
        let absent = other.get("/console/cases/case_00000000000000000000000000").await;
        for (method, page) in [("GET", "/console/cases"), ("GET", path.as_str()), ("POST", path.as_str())] {
            let seen = other.send(method, page, &[("action", "claim")]).await;
            assert_eq!(seen.status, 404, "{stranger} {method} {page}");
            assert_eq!(seen.text, absent.text, "{stranger} {method} {page}: the same as of what is not there");
        }
        let found = other.get(&format!("/console/search?q={id}")).await;
        let nothing = other.get("/console/search?q=case_00000000000000000000000000").await;
        assert_eq!(found.status, nothing.status);
    }
    let mut officer = Browser::of(&world, "compliance-1").await;
    let list = officer.page("/console/cases").await;
    assert!(list.contains("Large single") && list.contains(&id) && list.contains("1 normal"), "{list}");
    assert!(officer.page("/console/cases?status=closed").await.contains("Nothing waits here"));
    let page = officer.page(&path).await;
    for told in ["One large transaction", "11000", "<svg", "<rect", "Last 30 days", "I look at it", "never say"] {
        assert!(page.to_lowercase().contains(&told.to_lowercase()), "{told}: {page}");
    }
    let found = officer.get(&format!("/console/search?q={id}")).await;
    assert_eq!((found.status, found.to.as_str()), (303, path.as_str()));
    let done = officer.send("POST", &path, &[("action", "claim")]).await;
    assert_eq!(done.to, format!("{path}?done=case_claim"));
    // what is missing is told, and what was typed is still there
    let refused = officer.send("POST", &path, &[("action", "propose_close"), ("reason", "his <house>")]).await;
    assert!(refused.status == 400 && refused.text.contains("outcome"), "{} {}", refused.status, refused.text);
    assert!(refused.text.contains("his &#60;house&#62;") || refused.text.contains("his &lt;house&gt;"));
    let close = [("action", "propose_close"), ("outcome", "explained"), ("reason", "he sold his house")];
    assert_eq!(officer.send("POST", &path, &close).await.to, format!("{path}?done=case_propose_close"));
    assert_eq!(officer.send("POST", &path, &[("action", "approve_close")]).await.status, 403);
    let mut second = Browser::of(&world, "compliance-2").await;
    let shown = second.page(&path).await;
    assert!(shown.contains("Proposed to close") && shown.contains("he sold his house"), "{shown}");
    assert_eq!(second.send("POST", &path, &[("action", "approve_close")]).await.status, 303);
    assert!(second.page(&path).await.contains("Closed"));
}

/// The key of a page's form.
fn key_of(page: &str) -> &str {
    page.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test]
async fn finance_sees_partners_and_a_run_is_approved_by_another_person_than_who_drafted_it() {
    let world = World::at("2026-11-25T20:00:00Z").await;
    let partner = crate::partners::apply(&world, json!({"code": "iris-1"})).await;
    let pays = crate::partner_payouts::seeded(&world, &partner).await;
    world.idle().await;
    let mut clerk = Browser::of(&world, "finance-1").await;
    let list = clerk.page("/console/partners").await;
    for told in ["IRIS-1", &partner, &pays.run, "Run of 2026-10", "1.00 USD", "Draft a run"] {
        assert!(list.contains(told), "{told}: {list}");
    }
    let page = clerk.page(&format!("/console/partners/{partner}")).await;
    assert!(page.contains("Nobody.") && page.contains(&pays.statement) && page.contains("2026-10"), "{page}");
    let page = clerk.page(&format!("/console/statements/{}", pays.statement)).await;
    assert!(page.contains("Statement of 2026-10") && page.contains("SHA-256"), "{page}");
    let file = clerk.page(&format!("/console/statements/{}/csv", pays.statement)).await;
    assert!(file.starts_with("line_id,"), "{file}");
    // pressed twice, a draft is one run
    let key = key_of(&list).to_owned();
    let form = [("key", key.as_str()), ("period", "2026-11"), ("rail", ""), ("currency", "USD")];
    let drafted = clerk.send("POST", "/console/runs", &form).await;
    let run = drafted.to.strip_suffix("?done=run_draft").unwrap().to_owned();
    assert_eq!(clerk.send("POST", "/console/runs", &form).await.to, drafted.to);
    let wrong = [("key", "another"), ("period", "2027-01")];
    let refused = clerk.send("POST", "/console/runs", &wrong).await;
    assert!(
        refused.status == 422 && refused.text.contains("2027-01") && refused.text.contains("period"),
        "{}",
        refused.text
    );
    assert!(clerk.page(&run).await.contains("Approve"));
    let own = clerk.send("POST", &run, &[("action", "approve")]).await;
    assert!(own.status == 403 && own.text.contains("role=\"alert\""), "{}", own.text);
    let mut second = Browser::of(&world, "finance-2").await;
    assert_eq!(second.send("POST", &run, &[("action", "approve")]).await.to, format!("{run}?done=run_approve"));
    assert!(second.page(&run).await.contains("finance-2"));
    assert_eq!(second.send("POST", &run, &[("action", "cancel")]).await.to, format!("{run}?done=run_cancel"));
    // what others see of it: admin the partners and no run, sales nothing; an id leads nobody to a page that is not his
    let mut admin = Browser::of(&world, "admin-1").await;
    assert!(!admin.page("/console/partners").await.contains("Draft a run"));
    assert_eq!(admin.get(&run).await.status, 403);
    let mut sales = Browser::of(&world, "sales-1").await;
    for path in ["/console/partners".to_owned(), format!("/console/partners/{partner}"), run.clone()] {
        assert_eq!(sales.get(&path).await.status, 403, "{path}");
    }
    for (browser, to) in [(&mut clerk, "partners"), (&mut sales, "journal")] {
        let found = browser.get(&format!("/console/search?q={partner}")).await;
        assert_eq!(found.to, format!("/console/{to}/{partner}"));
    }
    for unknown in ["/console/partners/ptn_1", "/console/runs/x", "/console/statements/..", "/console/runs/x/pdf"] {
        assert_eq!(clerk.get(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn support_has_done_again_what_happened_and_sees_then_beside_now() {
    let world = World::at("2026-11-25T20:00:00Z").await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    world.idle().await;
    let mut support = Browser::of(&world, "support-1").await;
    let journal = support.page(&format!("/console/journal/{}", payment.id)).await;
    let link = journal.split("/replays?execution_id=").nth(3).and_then(|rest| rest.split('"').next()).unwrap();
    let form = support.page(&format!("/console/replays?execution_id={link}")).await;
    let execution =
        form.split("name=\"execution_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(execution.ends_with(&format!("@{}:3", payment.id)), "{execution}");
    let asked = [("key", key_of(&form)), ("execution_id", execution), ("mode", "dry_run")];
    let begun = support.send("POST", "/console/replays", &asked).await;
    assert!(begun.status == 303 && begun.to.starts_with("/console/replays/rpl_"), "{} {}", begun.status, begun.text);
    assert_eq!(support.send("POST", "/console/replays", &asked).await.to, begun.to, "pressed twice, it is one");
    world.idle().await;
    let shown = support.page(&begun.to).await;
    for told in ["Dry run", "Then", "Now", "payments-credit", "Crediting", &payment.id] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let nothing = support.send("POST", "/console/replays", &[("key", "k"), ("mode", "run"), ("entity", "pay_x")]).await;
    assert!(
        nothing.status == 400 && nothing.text.contains("pay_x") && nothing.text.contains("queue"),
        "{}",
        nothing.text
    );
    let mut sales = Browser::of(&world, "sales-1").await;
    assert_eq!(sales.get("/console/replays").await.status, 403);
    assert_eq!(sales.get(&begun.to).await.status, 403);
    assert!(!sales.page(&format!("/console/journal/{}", payment.id)).await.contains("do it again"));
}

#[tokio::test]
async fn journeys_lists_and_the_past_are_looked_at_by_those_who_may() {
    let world = World::at("2026-11-23T09:00:00Z").await;
    let trader = world.trader("USD").await;
    crate::compliance::case_of(&world, &trader).await;
    let mut sales = Browser::of(&world, "sales-1").await;
    let all = sales.page("/console/journeys").await;
    assert!(all.contains("/console/journeys/inactive") && all.contains("/console/rules/journeys/1"), "{all}");
    let one = sales.page(&format!("/console/journeys/inactive?client={}", trader.client)).await;
    assert!(one.contains("Check in") && one.contains("Nothing is sent or kept"), "{one}");
    let nobody = sales.get("/console/journeys/inactive?client=cli_1").await;
    assert!(nobody.status == 422 && nobody.text.contains("client_id"), "{} {}", nobody.status, nobody.text);
    assert_eq!(sales.get("/console/journeys/nothing").await.status, 404);
    assert!(sales.page(&format!("/console/clients/{}", trader.client)).await.contains("<h2>Journeys</h2>"));
    let mut officer = Browser::of(&world, "compliance-1").await;
    assert_eq!(officer.get("/console/journeys").await.status, 403);
    let lists = officer.page("/console/lists").await;
    assert!(lists.contains("ofac_sdn") && !lists.contains("Fetch now"), "{lists}");
    assert_eq!(officer.send("POST", "/console/lists/ofac_sdn", &[]).await.status, 403);
    assert_eq!(sales.get("/console/lists").await.status, 403);
    let mut admin = Browser::of(&world, "admin-1").await;
    let fetched = admin.send("POST", "/console/lists/ofac_sdn", &[]).await;
    assert_eq!(fetched.to, "/console/lists?done=refresh", "{}", fetched.text);
    assert_eq!(admin.send("POST", "/console/lists/nothing", &[]).await.status, 404);
    // scenarios on the past: to compliance with the client, to others with figures alone
    let figures = officer.get("/console/scenarios").await;
    assert_eq!(figures.to, "/console/rules/compliance_scenarios/1/backtest");
    let past = officer.page(&figures.to).await;
    assert!(past.contains("Large single") && past.contains("Noise budget"), "{past}");
    let past = officer.page("/console/rules/withdrawals/1/backtest?from=2026-11-01&to=2026-11-23").await;
    assert!(past.contains("decisions of these days"), "{past}");
    let wrong = officer.get("/console/rules/withdrawals/1/backtest?from=2026-11-23&to=2026-11-01").await;
    assert!(wrong.status == 422 && wrong.text.contains("2026-11-01"), "{} {}", wrong.status, wrong.text);
}
