// Pictures of the console's pages, to be looked at: wide and narrow, light and dark, with nothing to do, with a day's work, and with 40 items.
import { Person, start } from "./browser.mjs";
import { day } from "./day.mjs";
import * as desk from "./desk.mjs";

const LOOKS = { wide: {}, "wide-dark": { dark: true }, narrow: { narrow: true }, "narrow-dark": { narrow: true, dark: true } };
const browser = await start();

async function pictures(name, pages) {
  const person = await Person.at(browser, name);
  for (const [title, path] of Object.entries(pages)) {
    for (const [look, how] of Object.entries(LOOKS)) {
      await person.as(how);
      await person.open(path);
      await person.picture(`${title}-${look}`, true);
    }
  }
  await person.leaves();
}

await pictures("finance-1", { "empty-home": "", "empty-work": "/work", "empty-partners": "/partners", "empty-reconciliation": "/reconciliation" });
await pictures("compliance-1", { "empty-cases": "/cases", "empty-lists": "/lists", "empty-scenarios": "/scenarios" });
const seen = await day();
await pictures("compliance-1", { home: "", cases: "/cases", case: `/cases/${seen.case}`, lists: "/lists", scenarios: "/scenarios" });
const { run_id } = await desk.call("finance", "POST", "/v1/payout-runs", { period: seen.period }, 201);
const statements = await desk.look("finance", `/v1/partners/${seen.iris}/statements`);
await pictures("finance-1", {
  work: "/work", item: `/work/${seen.large_item}`, partners: "/partners", partner: `/partners/${seen.mona}`, run: `/runs/${run_id}`,
  statement: `/statements/${statements.items[0].statement_id}`, rules: "/rules", rule: "/rules/withdrawals/1", payment: `/payments/${seen.large}`,
});
await pictures("sales-1", { journeys: "/journeys", journey: `/journeys/inactive?client=${seen.idle.client_id}`, client: `/clients/${seen.idle.client_id}` });
const journal = await desk.look("support", `/v1/journal?entity=${seen.source}`);
const execution_id = journal.items[2].execution_id;
const { replay_id } = await desk.call("support", "POST", "/v1/replays", { execution_id, mode: "dry_run" }, 202);
await desk.wait("support", `/v1/replays/${replay_id}`, (replay) => replay.status === "done");
await pictures("support-1", { replays: `/replays?execution_id=${encodeURIComponent(execution_id)}`, replay: `/replays/${replay_id}`, missing: "/nothing" });
for (let number = 0; number < 40; number += 1) await desk.deposit(seen.payer, "100.00", { paid_minor: 9_000 });
await pictures("finance-1", { "many-home": "", "many-work": "/work" });
await browser.close();
