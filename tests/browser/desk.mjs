// What portal, payers, staff and bridges do over the API of a running brokerage, so that the console has something to show.
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const run = JSON.parse(readFileSync(process.env.RUN, "utf8"));
/** Where the console is. */
export const console_url = run.console_url;
const PATIENCE_MS = 30_000;

async function answered(response, wanted) {
  const text = await response.text();
  if (response.status !== wanted) throw new Error(`${response.url}: ${response.status} instead of ${wanted}: ${text}`);
  return text ? JSON.parse(text) : {};
}

/** A call as somebody; what is answered, if it is answered as wanted. */
export async function call(who, method, path, body, wanted = 200) {
  const headers = { authorization: `Bearer ${run.tokens[who]}`, "idempotency-key": randomUUID() };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(run.url + path, { method, headers, body: body && JSON.stringify(body) });
  return answered(response, wanted);
}

export const look = (who, path) => call(who, "GET", path);

async function control(url, body) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return answered(response, 200);
}

/** Looks until it is as wanted. */
export async function wait(who, path, wanted) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look(who, path);
    const held = wanted(found);
    if (held) return held === true ? found : held;
    if (Date.now() > until) throw new Error(`${path} is not as expected: ${JSON.stringify(found)}`);
    await new Promise((done) => setTimeout(done, 30));
  }
}

/** The moment of the local clock. */
export async function now() {
  return new Date((await (await fetch(`${run.clock}/`)).json()).now);
}

/** Moves the local clock on. */
export const pass = (by) => control(`${run.clock}/advance`, { by });

/** A client with an open account of dollars. */
export async function trader(name, more = {}) {
  const email = `${name.toLowerCase().replaceAll(" ", ".")}@example.com`;
  const person = { email, phone: "+34600111222", full_name: name, date_of_birth: "1990-05-17", residence: "ES", nationality: "ES", language: "en" };
  const { client_id } = await call("portal", "POST", "/v1/clients", { ...person, ...more }, 201);
  const wish = { platform: "mt5", account_type: "standard", currency: "USD", leverage: 30, kind: "live" };
  await call("portal", "POST", `/v1/clients/${client_id}/accounts`, wish, 202);
  const account = await wait("portal", `/v1/clients/${client_id}/accounts`, (all) => all.items[0]?.status === "open" && all.items[0]);
  return { client_id, account_id: account.account_id, login: account.login, name };
}

const usd = (amount) => ({ amount, currency: "USD" });

/** A deposit that the payer paid, wholly or not; its id. */
export async function deposit(of, amount, { paid_minor } = {}) {
  const wish = { account_id: of.account_id, amount: usd(amount), psp: "stripe", return_url: "https://portal.example.com/done" };
  const { payment_id } = await call("portal", "POST", `/v1/clients/${of.client_id}/deposits`, wish, 201);
  const pay = { payment_id, outcome: "succeeded", ...(paid_minor && { amount_minor: paid_minor }) };
  await control(`${run.simulators.stripe}/_control/pay`, pay);
  const status = paid_minor ? "needs_review" : "credited";
  await wait("finance", `/v1/payments/${payment_id}`, (payment) => payment.status === status);
  return payment_id;
}

/** A withdrawal back to where a deposit came from; its id. */
export async function withdrawal(of, source, amount) {
  const wish = { account_id: of.account_id, amount: usd(amount), destination: { psp: "stripe", source_payment_id: source } };
  return (await call("portal", "POST", `/v1/clients/${of.client_id}/withdrawals`, wish, 201)).payment_id;
}

/** The open work item about something. */
export const work_about = (who, id) =>
  wait(who, "/v1/work?limit=100", (all) => all.items.find((item) => Object.values(item.subject).includes(id)));

/** A partner who has accepted an agreement and whom compliance knows. */
export async function partner(name, agreement, payout, parent_id) {
  const application = { full_name: name, email: `${name.toLowerCase()}@example.com`, country: "DE", code: name, payout, parent_id };
  const { partner_id } = await call("portal", "POST", "/v1/partners", application, 201);
  await call("finance", "POST", `/v1/partners/${partner_id}/agreement`, { agreement_id: agreement }, 201);
  await call("portal", "POST", `/v1/partners/${partner_id}/agreement/accept`, {});
  const item = await work_about("compliance", partner_id);
  await call("compliance", "POST", `/v1/work/${item.work_id}/actions`, { action: "approve" });
  await wait("finance", `/v1/partners/${partner_id}`, (own) => own.status === "active");
  return partner_id;
}

/** The bridge of the server tells of closed positions of one lot each. */
export async function trades(of, count, lots = "1.00") {
  const at = await now();
  const deals = Array.from({ length: count }, (_, number) => ({
    deal: String(Number(of.login) * 100 + number), position: `p${number}`, login: of.login, symbol: "EURUSD", side: "sell", entry: "out", lots,
    price: "1.09012", profit: "3.50", commission: "0", swap: "0", currency: "USD", at: at.toISOString(),
  }));
  const body = JSON.stringify({ server: "mt5-live", deals });
  const seconds = Math.floor((await now()).valueOf() / 1000);
  const signed = createHmac("sha256", run.webhook_secrets.trades).update(`${seconds}.${body}`).digest("hex");
  const headers = { "content-type": "application/json", "x-pipworks-signature": `t=${seconds},v1=${signed}` };
  await answered(await fetch(`${run.url}/v1/webhooks/trades/mt5`, { method: "POST", headers, body }), 200);
}
