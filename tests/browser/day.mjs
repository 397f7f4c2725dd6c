// What has happened at the brokerage when people look at its console.
import * as desk from "./desk.mjs";

/** How long it takes until a month that goes on now is closed: five days after its end. */
function until_closed(now) {
  const closed = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 6, 3);
  return `${Math.ceil((closed - now.valueOf()) / 3_600_000)}h`;
}

/** Weeks with a client who does not trade and partners whose client does, and a day with money that is short, money that takes two people, and a case; the ids of all of it. */
export async function day() {
  const seen = {};
  seen.idle = await desk.trader("Ida Idle");
  await desk.call("portal", "PUT", `/v1/clients/${seen.idle.client_id}/consents`, { email: true, sms: true, phone: true });
  await desk.deposit(seen.idle, "300.00");
  const bank = { rail: "bank", name: "Iris Bauer", iban: "DE89370400440532013000" };
  seen.mona = await desk.partner("MONA", "master", bank);
  seen.iris = await desk.partner("IRIS", "standard", bank, seen.mona);
  seen.brought = await desk.trader("Cleo Client", { partner_code: "IRIS" });
  await desk.wait("finance", `/v1/partners/${seen.iris}/tree`, (tree) => tree.clients === 1);
  await desk.trades(seen.brought, 3, "20.00");
  seen.period = (await desk.now()).toISOString().slice(0, 7);
  await desk.pass(until_closed(await desk.now()));
  // whoever signs in does so after that
  seen.payer = await desk.trader("Gita Out");
  seen.short = await desk.deposit(seen.payer, "100.00", { paid_minor: 9_000 });
  seen.source = await desk.deposit(seen.payer, "15000.00");
  seen.large = await desk.withdrawal(seen.payer, seen.source, "10000.00");
  seen.large_item = (await desk.work_about("finance", seen.large)).work_id;
  seen.short_item = (await desk.work_about("finance", seen.short)).work_id;
  seen.case = await desk.wait("compliance", `/v1/cases?client=${seen.payer.client_id}`, (all) => all.items[0]?.case_id);
  return seen;
}
