// The console's paths, as people walk them in a browser; and on each page nothing that bars anybody.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Person, start } from "./browser.mjs";
import { day } from "./day.mjs";
import * as desk from "./desk.mjs";

const seen = {};
let browser;

before(async () => {
  Object.assign(seen, await day());
  browser = await start();
});

after(() => browser?.close());

const people = {};
/** Each person signs in once. */
async function at(name) {
  people[name] ??= await Person.at(browser, name);
  return people[name];
}

test("each role signs in, comes to the page that was asked for, and goes where it may", async () => {
  const goes = {
    "sales-1": ["Work", "Journeys", "Rules"],
    "compliance-1": ["Cases", "Work", "Lists", "Rules"],
    "finance-1": ["Work", "Reconciliation", "Partners", "Rules"],
    "support-1": ["Work", "Replays", "Rules"],
    "admin-1": ["Work", "Partners", "Journeys", "Lists", "Replays", "Rules"],
  };
  for (const [name, wanted] of Object.entries(goes)) {
    const person = (people[name] = await Person.at(browser, name, "/work?status=open"));
    assert.deepEqual(await person.page.getByRole("navigation").getByRole("link").allInnerTexts(), wanted, name);
    assert.ok((await person.page.locator("header").innerText()).includes(name));
    for (const label of wanted) {
      await person.follow(label);
      assert.ok(await person.page.getByRole("heading", { level: 1 }).isVisible(), `${name}: ${label}`);
    }
  }
  const leaver = await Person.at(browser, "finance-2");
  await leaver.press("Sign out");
  assert.ok(leaver.page.url().includes("/oidc/"), "whoever is signed out is asked who he is");
  await leaver.leaves();
});

test("a work item is claimed and decided", async () => {
  const clerk = await at("finance-1");
  await clerk.open("/work?queue=finance");
  await clerk.page.locator(`a[href$="${seen.short_item}"]`).click();
  await clerk.reads("Deposit underpaid", "90.00 USD", "Runbook");
  await clerk.press("Claim");
  await clerk.reads("The item is yours.", "finance-1");
  await clerk.fill("Note", "he was told by telephone");
  await clerk.press("I refunded it at the provider");
  assert.match(await clerk.page.getByRole("alert").innerText(), /evidence/);
  assert.equal(await clerk.page.getByLabel("Note").inputValue(), "he was told by telephone", "what was typed is still there");
  await clerk.press("Credit what was paid");
  await clerk.reads("Your decision is saved");
  await desk.wait("finance", `/v1/payments/${seen.short}`, (payment) => payment.status === "credited");
  await clerk.open(`/work/${seen.short_item}`);
  await clerk.reads("Resolved");
});

test("large money takes two people, and nobody approves his own word", async () => {
  const first = await at("finance-1");
  await first.open(`/work/${seen.large_item}`);
  await first.press("Pay it out (a second person approves it)");
  await first.reads("Proposed. Another person approves it");
  await first.press("Pay it out (a second person approves it)");
  assert.ok(await first.page.getByRole("alert").isVisible());
  assert.equal((await desk.look("finance", `/v1/payments/${seen.large}`)).status, "requested");
  const second = await at("finance-2");
  await second.open("/work?status=proposed");
  await second.page.locator(`a[href$="${seen.large_item}"]`).click();
  await second.press("Pay it out (a second person approves it)");
  await second.reads("Your decision is saved");
  await desk.wait("finance", `/v1/payments/${seen.large}`, (payment) => payment.status === "paid_out");
});

test("a rule is written, told its faults, tried on the past, published by another person, and counts", async () => {
  const client = await desk.trader("Rob Ruled");
  const source = await desk.deposit(client, "400.00");
  const before = await desk.withdrawal(client, source, "200.00");
  await desk.wait("finance", `/v1/payments/${before}`, (payment) => payment.status === "paid_out");
  const author = await at("finance-1");
  await author.open("/rules/withdrawals/1");
  const document = author.page.getByLabel("Document");
  const text = await document.inputValue();
  const line = '{field: amount, lte: "500"}';
  assert.ok(text.includes(line));
  await document.fill(text.replace(line, '{field: amount, lte: "many"}'));
  await author.fill("Why", "less without a look");
  await author.press("Save as a draft");
  const told = await author.page.getByRole("alert").innerText();
  assert.match(told, /line \d+, column \d+/);
  await author.page.getByLabel("Document").fill(text.replace(line, '{field: amount, lte: "100"}'));
  await author.press("Save as a draft");
  await author.reads("The draft is kept", "version 2", '+ ', 'lte: "100"');
  await author.press("Publish");
  assert.match(await author.page.getByRole("alert").innerText(), /another person/);
  const second = await at("finance-2");
  await second.open("/rules/withdrawals/2");
  await second.follow("Try it on the past");
  await second.reads("decisions of these days were made again");
  await second.accessible();
  await second.open("/rules/withdrawals/2");
  await second.press("Publish");
  await second.reads("Published.", "live");
  await desk.pass("2m");
  const asked = await desk.withdrawal(client, source, "150.00");
  const item = await desk.work_about("finance", asked);
  assert.equal(item.kind, "withdrawal_approval");
  const journal = await desk.look("finance", `/v1/journal?entity=${asked}`);
  assert.ok(JSON.stringify(journal).includes("withdrawals@2"), "the next decision names the new version");
});

test("what happened is found by any id, and done again as a dry run", async () => {
  const support = await at("support-1");
  const find = async (id) => {
    await support.page.getByRole("search").getByRole("textbox").fill(id);
    await Promise.all([support.page.waitForEvent("load"), support.page.keyboard.press("Enter")]);
  };
  await find(seen.payer.client_id);
  await support.reads("Client Gita Out", "Every entry follows from the one before it");
  await find(seen.short);
  await support.reads("Deposit: credited", "Its way");
  const entry = support.page.locator("ol.timeline li").filter({ hasText: "Credited" }).last();
  await entry.locator("summary").click();
  const request = await entry.getByRole("link").last();
  assert.equal(await request.innerText(), "do it again");
  const correlation = await entry.getByText("Request").getByRole("link").first().innerText();
  await find(correlation);
  await support.reads(seen.short);
  await find(seen.short);
  const again = support.page.locator("ol.timeline li").first();
  await again.locator("summary").click();
  await again.getByRole("link", { name: "do it again" }).click();
  assert.ok((await support.page.getByLabel("Execution").inputValue()).includes(seen.short));
  const before = await desk.look("support", `/v1/payments/${seen.short}`);
  await support.press("Dry run");
  const id = support.page.url().split("/").pop();
  await desk.wait("support", `/v1/replays/${id}`, (replay) => replay.status === "done");
  await support.page.reload();
  await support.reads("Dry run", "Then", seen.short);
  assert.deepEqual(await desk.look("support", `/v1/payments/${seen.short}`), before, "nothing is changed by it");
  seen.replay = id;
});

test("compliance alone sees a case, and two officers close it", async () => {
  for (const name of ["sales-1", "finance-1", "support-1", "admin-1"]) {
    const other = await at(name);
    assert.equal(await other.open(`/cases/${seen.case}`), 404);
    const told = await other.text();
    assert.equal(await other.open("/cases/case_00000000000000000000000000"), 404);
    assert.equal(await other.text(), told, "the same as of what is not there");
    await other.open("");
    await other.misses("Cases", seen.case);
  }
  const officer = await at("compliance-1");
  await officer.open("/cases");
  await officer.page.locator(`a[href$="${seen.case}"]`).click();
  await officer.reads("Last 30 days", "Usual month", "26 weeks", "15000");
  assert.ok(await officer.page.locator("svg rect").count());
  await officer.press("I look at it");
  await officer.reads("The case is yours.");
  await officer.fill("Reason", "he sold his house");
  await officer.page.getByLabel("Outcome").selectOption("explained");
  await officer.page.getByRole("button", { name: /^Propose/ }).click();
  await officer.page.waitForURL(/done=case_propose_close/);
  const second = await at("compliance-2");
  await second.open(`/cases/${seen.case}`);
  await second.reads("Proposed to close", "he sold his house");
  await second.page.locator('button[value="approve_close"]').click();
  await second.page.waitForURL(/done=case_approve_close/);
  await second.reads("The case is closed.");
});

test("partners: who stands under whom, a statement, and a run that another person approves", async () => {
  const clerk = await at("finance-1");
  await clerk.open("/partners");
  await clerk.follow("MONA");
  await clerk.reads("Who stands under him", "IRIS");
  await clerk.follow("IRIS");
  await clerk.follow(seen.period);
  await clerk.reads("Closing", "3 lines", "SHA-256");
  seen.statement = clerk.page.url().split("/").pop();
  await clerk.open("/partners");
  await clerk.fill("Up to the end of", seen.period);
  await clerk.press("Draft a run");
  await clerk.reads("Drafted. Another person approves it.", "2 payouts");
  seen.run = new URL(clerk.page.url()).pathname.split("/").pop();
  await clerk.press("Approve");
  assert.ok(await clerk.page.getByRole("alert").isVisible());
  const second = await at("finance-2");
  await second.open("/partners");
  await second.follow(`Run of ${seen.period}`);
  await second.press("Approve");
  await second.reads("Approved. It may be paid.", "finance-2");
});

test("journeys: what they came to, step by step, and what one would do now", async () => {
  const sales = await at("sales-1");
  await sales.open("/journeys");
  await sales.follow("inactive");
  await sales.reads("Treated", "Held out", "Too few for a number");
  await sales.fill("Client", seen.idle.client_id);
  await sales.press("Look");
  await sales.reads("Check in", "message: email");
  await sales.open(`/clients/${seen.idle.client_id}`);
  await sales.reads("Journeys", "inactive");
});

test("nothing on any page bars anybody, in light and in dark, wide and narrow", async () => {
  const pages = {
    "compliance-1": ["", "/cases", `/cases/${seen.case}`, "/work", "/lists", "/scenarios"],
    "finance-1": ["/work?status=resolved", `/work/${seen.large_item}`, "/reconciliation", "/partners", `/partners/${seen.mona}`,
      `/statements/${seen.statement}`, `/runs/${seen.run}`, "/rules", "/rules/withdrawals/2", `/payments/${seen.large}`],
    "sales-1": ["/journeys", "/journeys/inactive", `/clients/${seen.idle.client_id}`, "/nothing-of-this-name"],
    "support-1": ["/replays", `/replays/${seen.replay}`, `/journal/${seen.large}`],
    "admin-1": ["/lists"],
  };
  for (const [name, paths] of Object.entries(pages)) {
    const person = await at(name);
    for (const path of paths) {
      await person.as({});
      await person.open(path);
      await person.accessible();
      await person.as({ dark: true, narrow: true });
      await person.accessible();
    }
    await person.as({});
  }
});

test("the keyboard alone goes to the content, and a browser has nothing to complain of", async () => {
  const clerk = await at("finance-1");
  await clerk.open("/work");
  await clerk.page.keyboard.press("Tab");
  assert.equal(await clerk.page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await clerk.page.keyboard.press("Enter");
  assert.ok(clerk.page.url().endsWith("#main"));
  for (const person of Object.values(people)) {
    // what the server refuses is told on the page, and a browser notes it, too
    const heard = person.heard.filter((line) => !/status of 4\d\d/.test(line));
    assert.deepEqual(heard, [], person.name);
  }
});
