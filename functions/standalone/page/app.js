// The playground: write to a bot as a user would, and see what happens on the way. This module holds what is chosen and
// binds the others to the page; it knows no platform.

import * as api from "./api.js";
import { bindComposer } from "./composer.js";
import { $, el } from "./dom.js";
import { Ledger } from "./ledger.js";
import { drawSide, fullUrl, copyButton, key } from "./side.js";
import { announce, drawEmpty, drawTalk, redraw } from "./talk.js";
import { t, translate, turnLanguage } from "./text.js";
import { drawWay, tick } from "./timeline.js";

const TICK_MS = 100;
/** How often the server is asked whether it has found a model, while it has none. */
const MODEL_MS = 5000;

const ledger = new Ledger();
let server = { bots: [], endpoints: [] };
let bot = null;
/** The entry whose way is shown, per conversation. */
const chosen = new Map();
let lastId = 0;

const on = { choose, again: (entry) => speak(entry) };
const composer = bindComposer({ say: (text) => send(text), chooseBot: (index) => chooseBot(server.bots[index]), help });

const chat = () => document.querySelector("input[name=chat]:checked").value;
const name = () => $("name").value.trim() || t("nameDefault");

/** Which conversation is on the page: a person has one direct chat with each bot, and shares its group. */
const here = () => bot && [key(bot), chat(), chat() === "direct" ? name() : "g1"].join("\n");
const entriesHere = () => ledger.said.filter((entry) => entry.key === here());

/** A user id that the same name always gets: another name is another person to the bot. */
function userId(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `u${hash.toString(16).padStart(8, "0")}`;
}

function send(text) {
  const mention = chat() === "direct" || $("mention").checked;
  const said = { platform: bot.platform, bot: bot.bot, chat: chat(), group: "g1", text, mention };
  const entry = ledger.begin({ ...said, user: userId(name()), name: name() }, here());
  entry.id = ++lastId;
  chosen.set(entry.key, entry);
  drawConversation();
  deliver(entry);
}

/** Says what could not be said once more, as a new message: the server may have taken the first one after all. */
function speak(entry) {
  ledger.said.splice(ledger.said.indexOf(entry), 1);
  send(entry.text);
}

async function deliver(entry) {
  const { platform, bot: id, chat: where, group, user, name: who, text, mention } = entry;
  ledger.settle(entry, await api.say({ platform, bot: id, chat: where, group, user, name: who, text, mention }));
  drawEntry(entry);
}

function choose(entry) {
  chosen.set(entry.key, entry);
  drawConversation();
}

function chooseBot(next) {
  if (!next) return;
  bot = next;
  localStorage.setItem("magpie.bot", key(bot));
  drawAll();
  composer.focus();
}

function drawAll() {
  translate();
  $("language").textContent = t("other");
  $("version").textContent = server.version ?? "";
  $("link").textContent = t($("link").classList.contains("live") ? "live" : "connecting");
  $("gone").textContent = t("gone");
  $("echo").hidden = !server.echo;
  $("mention-line").hidden = chat() !== "group";
  $("place").disabled = !bot?.demo;
  $("name").placeholder = t("nameDefault");
  $("keys").replaceChildren(
    ...t("keys").map(([keys, what]) =>
      el("div", {}, el("dt", {}, el("kbd", {}, keys)), el("dd", {}, what)),
    ),
  );
  drawSide(server, bot, chooseBot);
  composer.set(bot);
  drawConversation();
}

function drawConversation() {
  const entries = entriesHere();
  const strays = ledger.strays.filter((one) => !bot?.demo && one.bot === bot?.bot && one.platform === bot?.platform);
  const url = bot && fullUrl(bot);
  if (entries.length || strays.length) drawTalk($("log"), entries, strays, chosen.get(here()), on);
  else drawEmpty($("log"), bot, url, (text) => send(text), bot && copyButton(bot));
  drawChosen();
}

/** The way of the chosen message; for a real bot, of whatever came last. */
function drawChosen() {
  const entry = chosen.get(here());
  if (bot && !bot.demo) return drawWay($("way"), ledger.elsewhere());
  const over = ["failed", "refused"].includes(entry?.state);
  return drawWay($("way"), entry?.notes ?? [], { title: entry?.text, over, began: entry?.began ?? null });
}

function drawEntry(entry) {
  if (entry.key === here()) redraw($("log"), entry, chosen.get(here()), on);
  if (entry === chosen.get(here())) drawChosen();
}

function heard(message) {
  const entry = ledger.message(message);
  if (entry) drawEntry(entry);
  else if (bot && !bot.demo) drawConversation();
  if (entry ? entry.key === here() : message.bot === bot?.bot && !bot.demo) announce(message);
}

function noted(note) {
  const entry = ledger.note(note);
  if (entry) drawEntry(entry);
  else if (bot && !bot.demo) drawChosen();
}

async function connected() {
  $("gone").hidden = true;
  $("link").classList.add("live");
  try {
    server = await api.state();
  } catch {
    return;
  }
  const kept = localStorage.getItem("magpie.bot");
  const known = (wanted) => server.bots.find((one) => key(one) === wanted);
  bot = known(bot && key(bot)) ?? known(kept) ?? server.bots[0] ?? null;
  drawAll();
}

/** Shows the model that the server has found since. */
async function lookForModel() {
  if (!server.echo || !$("gone").hidden) return;
  const now = await api.state().catch(() => null);
  if (!now || now.echo) return;
  server = now;
  drawAll();
}

function lost() {
  // A broken stream reports every try to reconnect; the page changes with the first one only.
  if (!$("gone").hidden) return;
  $("gone").hidden = false;
  $("link").classList.remove("live");
  drawAll();
}

function help() {
  $("help").showModal();
}

$("language").addEventListener("click", () => {
  turnLanguage();
  drawAll();
});
$("help-open").addEventListener("click", help);
$("help-close").addEventListener("click", () => $("help").close());
$("help").addEventListener("close", () => composer.focus());
for (const radio of document.querySelectorAll("input[name=chat]")) radio.addEventListener("change", drawAll);
$("name").value = localStorage.getItem("magpie.name") ?? "";
$("name").addEventListener("input", () => {
  localStorage.setItem("magpie.name", $("name").value);
  drawConversation();
});

setInterval(() => tick($("way")), TICK_MS);
setInterval(lookForModel, MODEL_MS);
drawAll();
api.listen({ note: noted, message: heard, open: connected, lost });
composer.focus();
