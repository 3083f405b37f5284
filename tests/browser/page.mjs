// The playground page in a real browser: `node page.mjs --url http://127.0.0.1:PORT --chromium PATH --shots DIR`, with
// MAGPIE_TEST_NODE_MODULES naming the node_modules folder that holds playwright-core; the server must run beforehand.
//
// One line per check on stdout; the first check that fails ends the run with exit code 1. Screenshots go to DIR.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** How long an answer may take: a small model on a busy machine. */
const ANSWER_MS = 60_000;
const DESK = { width: 1360, height: 860 };
const PHONE = { width: 390, height: 844 };

const { values: given } = parseArgs({
  options: { url: { type: "string" }, chromium: { type: "string" }, shots: { type: "string" } },
});
const modules = process.env.MAGPIE_TEST_NODE_MODULES;
if (!given.url || !given.chromium || !given.shots || !modules) {
  console.error("usage: MAGPIE_TEST_NODE_MODULES=DIR node page.mjs --url URL --chromium PATH --shots DIR");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "page.mjs"))("playwright-core");
const origin = new URL(given.url).origin;
mkdirSync(given.shots, { recursive: true });

/** What a page must not do: complain, or ask another origin for anything. */
const trouble = [];

async function open(browser, options) {
  const context = await browser.newContext({ locale: "en-GB", viewport: DESK, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  const page = await context.newPage();
  page.on("pageerror", (error) => trouble.push(`exception: ${error}`));
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) trouble.push(`console: ${line.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol !== "data:" && asked !== origin) trouble.push(`another origin: ${request.url()}`);
  });
  await page.goto(given.url);
  await page.locator("[data-bot]").first().waitFor();
  return page;
}

const shot = (page, name, fullPage = false) => page.screenshot({ path: join(given.shots, `${name}.png`), fullPage });
const exchanges = (page) => page.locator(".exchange");
const bots = (page) => page.locator("[data-bot]").evaluateAll((found) => found.map((one) => one.dataset.bot));

/** Types `text` into whatever has the focus, sends it, and gives the exchange once the bot has answered in it. */
async function sayAndWait(page, text) {
  const before = await exchanges(page).count();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  const exchange = exchanges(page).nth(before);
  await exchange.locator(".bubble.theirs:not(.waiting)").first().waitFor({ timeout: ANSWER_MS });
  const own = await exchange.locator(".bubble.mine").innerText();
  assert.ok(own.includes(text), `the page shows ${own}`);
  const answer = await exchange.locator(".bubble.theirs:not(.waiting)").first().innerText();
  assert.notEqual(answer.trim(), "", "the answer is empty");
  return exchange;
}

/** Chooses the first demo bot of a platform with Alt and its number. */
async function chooseByKey(page, platform) {
  const at = (await bots(page)).findIndex((one) => one.startsWith(`${platform}/`) && one.includes("demo"));
  assert.ok(at >= 0 && at < 9, `no demo bot of ${platform} among the first nine`);
  await page.keyboard.press(`Alt+${at + 1}`);
  await page.locator(`[data-bot^="${platform}/"][aria-pressed=true]`).waitFor();
}

const stations = (page) => page.locator("#way li.passed").evaluateAll((found) => found.map((one) => one.dataset.step));

/** The keys of an input method: the letters compose, and its Enter takes the candidate. */
async function compose(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text: "nihao", selectionStart: 5, selectionEnd: 5 });
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
  await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
  await session.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  const during = await exchanges(page).count();
  await session.send("Input.insertText", { text: "你好" });
  return during;
}

const checks = {
  async "the composer has the focus at load"({ page }) {
    assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  },

  async "a message typed to the Feishu demo bot is answered"({ page }) {
    await chooseByKey(page, "feishu");
    await sayAndWait(page, "Hello from the browser");
  },

  async "so is a second one, below the first"({ page }) {
    await sayAndWait(page, "And once more");
    assert.equal(await exchanges(page).count(), 2);
  },

  async "the way shows the stations in order, with times"({ page }) {
    await page.locator('#way li[data-step="ended"]').waitFor({ timeout: ANSWER_MS });
    const passed = await stations(page);
    const at = ["verified", "queued", "answered", "sent", "ended"].map((step) => passed.indexOf(step));
    assert.ok(!at.includes(-1), `some are missing: ${passed}`);
    assert.deepEqual(at, at.toSorted((one, other) => one - other), `out of order: ${passed}`);
    assert.match(await page.locator("#way .facts .big dd").innerText(), /^[\d.]+\s(ms|s)$/);
  },

  async "the up arrow recalls the last message, and only into an empty box"({ page }) {
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.inputValue("#text"), "And once more");
    await page.fill("#text", "something else");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.inputValue("#text"), "something else");
    await page.fill("#text", "");
  },

  async "Shift+Enter makes a line and sends nothing"({ page }) {
    await page.keyboard.type("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    assert.equal(await page.inputValue("#text"), "one\ntwo");
    assert.equal(await exchanges(page).count(), 2);
    await page.fill("#text", "");
  },

  async "Enter sends nothing while an input method composes, and sends afterwards"({ page }) {
    assert.equal(await compose(page), 2, "the Enter that takes a candidate sent the message");
    assert.equal(await page.inputValue("#text"), "你好");
    await sayAndWait(page, "！");
    assert.equal(await exchanges(page).nth(2).locator(".bubble.mine").innerText(), "你好！");
  },

  async "what was written is never read as HTML"({ page }) {
    const exchange = await sayAndWait(page, "<img src=x onerror=alert(1)><b>bold</b>");
    assert.equal(await exchange.locator("img, b").count(), 0);
  },

  async "the question mark opens the help and Escape closes it"({ page }) {
    await page.keyboard.press("?");
    await page.locator("#help[open]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#help:not([open])").waitFor({ state: "attached" });
    assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  },

  async "a mention in a DingTalk group is answered"({ page }) {
    await chooseByKey(page, "dingtalk");
    await page.keyboard.press("Alt+G");
    await page.locator("#mention").waitFor();
    assert.ok(await page.isChecked("#mention"));
    await page.focus("#text");
    const exchange = await sayAndWait(page, "Hello group");
    assert.match(await exchange.locator(".bubble.mine").innerText(), /^@/);
    await page.locator('#way li[data-step="sent"]').waitFor({ timeout: ANSWER_MS });
  },

  async "a group message without a mention is shown as ignored"({ page }) {
    await page.uncheck("#mention");
    await page.focus("#text");
    const before = await exchanges(page).count();
    await page.keyboard.type("Nobody is meant");
    await page.keyboard.press("Enter");
    await page.locator(".exchange[data-state=ignored]").waitFor({ timeout: ANSWER_MS });
    assert.equal(await exchanges(page).nth(before).locator(".bubble.theirs").count(), 0);
    await page.check("#mention");
  },

  async "the language changes and is remembered"({ page }) {
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await page.click("#language");
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    assert.match(await page.locator(".bots h2").first().innerText(), /机器人/);
    await page.reload();
    await page.locator("[data-bot]").first().waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    await page.click("#language");
  },

  async "a bot's whole webhook URL is copied"({ page }) {
    const card = page.locator(".card").first();
    const path = await card.locator(".url code").innerText();
    await card.locator(".copy").click();
    await card.locator(".copy.did").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), origin + path);
  },

  async "light, for the eye"({ page }) {
    await chooseByKey(page, "feishu");
    await shot(page, "light-empty");
    await page.focus("#text");
    await sayAndWait(page, "What did the magpies build?");
    await page.locator('#way li[data-step="ended"]').waitFor({ timeout: ANSWER_MS });
    await shot(page, "light");
  },

  async "dark and Chinese, for the eye"({ browser }) {
    const page = await open(browser, { colorScheme: "dark", locale: "zh-CN" });
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    await sayAndWait(page, "喜鹊搭了什么桥？");
    await page.locator('#way li[data-step="ended"]').waitFor({ timeout: ANSWER_MS });
    await shot(page, "dark");
    await page.context().close();
  },

  async "on a phone nothing scrolls sideways"({ browser }) {
    const page = await open(browser, { viewport: PHONE });
    await sayAndWait(page, `Long: ${"magpie".repeat(30)}`);
    await page.locator('#way li[data-step="ended"]').waitFor({ timeout: ANSWER_MS });
    const [inside, wide] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(inside <= wide, `${inside} px in ${wide} px`);
    const [talk, room] = await page.locator("#log").evaluate((log) => [log.scrollWidth, log.clientWidth]);
    assert.ok(talk <= room, `the conversation: ${talk} px in ${room} px`);
    await shot(page, "narrow", true);
    await page.context().close();
  },

  async "no complaint of the browser, and no other origin"() {
    assert.deepEqual(trouble, []);
  },

  // The last one, since the browser rightly complains on its console.
  async "a banner says when the server is gone, and goes when it is back"({ page }) {
    const stream = "**/playground/events";
    await page.route(stream, (route) => route.abort());
    await page.reload();
    await page.locator("#gone").waitFor();
    assert.notEqual((await page.locator("#gone").innerText()).trim(), "");
    await page.unroute(stream);
    await page.locator("#gone").waitFor({ state: "hidden" });
    await page.locator("[data-bot]").first().waitFor();
  },
};

const browser = await chromium.launch({ executablePath: given.chromium, args: FLAGS });
try {
  const page = await open(browser, {});
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check({ page, browser });
    } catch (error) {
      await shot(page, "failed").catch(() => {});
      console.log(`FAILED  ${name}\n${error.stack ?? error}`);
      process.exitCode = 1;
      break;
    }
    console.log(`ok      ${name}`);
  }
} finally {
  await browser.close();
}
