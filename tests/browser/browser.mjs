// People at browsers: who is signed in where, what they press, and what a machine finds that keeps others from reading it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { console_url } from "./desk.mjs";

const require = createRequire(`${process.env.TOOLS}/`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
/** What a page is judged by: WCAG 2.2 up to AA, and what axe-core knows of good practice. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const GRAVE = ["serious", "critical"];

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };
const PATIENCE_MS = 30_000;

/** Chromium; whoever asks for it closes it. */
export const start = () => chromium.launch({ ...JSON.parse(process.env.LAUNCH), headless: true });

/** What a browser said on its console: errors, and what the policy kept from running. */
function listen(page) {
  const heard = [];
  page.on("console", (message) => message.type() === "error" && heard.push(message.text()));
  page.on("pageerror", (error) => heard.push(String(error)));
  return heard;
}

/** Somebody at a browser of his own. */
export class Person {
  constructor(name, context, page) {
    Object.assign(this, { name, context, page, heard: listen(page) });
  }

  /** Signs in as somebody, from the page that he asked for. */
  static async at(browser, name, path = "", options = {}) {
    const context = await browser.newContext({ viewport: WIDE, timezoneId: "UTC", locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const person = new Person(name, context, await context.newPage());
    await person.page.goto(console_url + path);
    await person.page.getByRole("button", { name: new RegExp(`^${name} `) }).click();
    // the start page stands at the address with and without a slash
    await person.page.waitForURL((url) => url.href.replace(/\/$/, "") === console_url + path);
    return person;
  }

  /** Opens a page of the console; what the server said. */
  async open(path) {
    const answer = await this.page.goto(console_url + path);
    return answer.status();
  }

  /** Presses a button, and is on the page that follows. */
  async press(name) {
    await Promise.all([this.page.waitForEvent("load"), this.page.getByRole("button", { name, exact: true }).click()]);
  }

  async follow(name) {
    await Promise.all([this.page.waitForEvent("load"), this.page.getByRole("link", { name, exact: true }).first().click()]);
  }

  async fill(label, text) {
    await this.page.locator("main").getByLabel(label).fill(text);
  }

  /** Everything that is written on the page. */
  text() {
    return this.page.locator("main").innerText();
  }

  async reads(...words) {
    const text = await this.text();
    for (const one of words) assert.ok(text.toLowerCase().includes(String(one).toLowerCase()), `${one} is not on ${this.page.url()}:\n${text}`);
  }

  async misses(...words) {
    const text = await this.page.content();
    for (const one of words) assert.ok(!text.includes(one), `${one} is on ${this.page.url()}`);
  }

  /** Nothing that bars somebody, nothing to scroll sideways for, nothing that a browser complains of. */
  async accessible() {
    // evaluated, not added to the page: its policy lets no foreign script in
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules, resultTypes: ["violations"] }), RULES);
    const grave = found.violations.filter((one) => GRAVE.includes(one.impact));
    const told = grave.flatMap((one) => one.nodes.map((node) => `${one.id} (${one.impact}): ${node.failureSummary}\n    ${node.html}`));
    assert.deepEqual(told, [], `${this.page.url()} as ${this.name}:\n${told.join("\n")}`);
    const wider = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${this.page.url()} is ${wider} pixels wider than the window`);
  }

  /** The same page with dark colours, or narrow. */
  async as({ dark = false, narrow = false }) {
    await this.page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await this.page.setViewportSize(narrow ? NARROW : WIDE);
  }

  /** What is seen of the page, or all of it. */
  async picture(name, whole = false) {
    mkdirSync(process.env.PICTURES, { recursive: true });
    await this.page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: whole });
  }

  async leaves() {
    await this.context.close();
  }
}
