// The conversation in the middle: what was said as bubbles, each with its answers, or what to do when there is none.

import { $, el } from "./dom.js";
import { render, renderPlain } from "./markdown.js";
import { reason, duration, t } from "./text.js";
import { elapsed } from "./timeline.js";

const NEAR_END_PX = 120;
const OPEN = ["sending", "waiting"];

/** Draws the entries of one conversation. `on` has `choose(entry)`, `again(entry)`. */
export function drawTalk(log, entries, strays, chosen, on) {
  log.replaceChildren(...entries.map((entry) => exchange(entry, entry === chosen, on)), ...strays.map(bubble));
  log.scrollTop = log.scrollHeight;
}

/** Draws one entry anew, in its place, and keeps the end of the conversation in view if it was. */
export function redraw(log, entry, chosen, on) {
  const old = log.querySelector(`[data-entry="${entry.id}"]`);
  if (!old) return;
  const follow = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
  const focused = old.contains(document.activeElement);
  const fresh = exchange(entry, entry === chosen, on);
  old.replaceWith(fresh);
  if (focused) fresh.querySelector(".state")?.focus();
  if (follow) log.scrollTop = log.scrollHeight;
}

function exchange(entry, chosen, on) {
  const block = el("div", { className: chosen ? "exchange chosen" : "exchange" });
  block.dataset.entry = entry.id;
  block.dataset.state = entry.state;
  block.append(
    entry.chat === "group" ? el("p", { className: "speaker" }, entry.name) : "",
    el("div", { className: "bubble mine" }, el("p", { className: "verbatim" }, spoken(entry))),
    stateLine(entry, on),
    ...entry.answers.map(bubble),
    OPEN.includes(entry.state) ? waiting() : "",
  );
  return block;
}

const spoken = (entry) => (entry.chat === "group" && entry.mention ? `@${entry.bot} ${entry.text}` : entry.text);

function bubble(message) {
  const content = message.form === "text" ? renderPlain(message.text) : render(message.text);
  return el("div", { className: "bubble theirs" }, content);
}

const waiting = () =>
  el("div", { className: "bubble theirs waiting", role: "img", ariaLabel: t("waiting") }, el("i"), el("i"), el("i"));

/** The line below what was said: where it is now. A button, since it opens the way of the message. */
function stateLine(entry, on) {
  const line = el("div", { className: "stateline" });
  const button = el("button", { type: "button", className: "state", title: t("showWay") }, stateText(entry));
  button.addEventListener("click", () => on.choose(entry));
  line.append(button);
  if (entry.state === "failed" || entry.state === "refused") {
    const again = el("button", { type: "button", className: "state again" }, t("again"));
    again.addEventListener("click", () => on.again(entry));
    line.append(again);
  }
  return line;
}

function stateText(entry) {
  const why = entry.why ? reason(entry.why) : "";
  switch (entry.state) {
    case "sending":
      return t("sending");
    case "waiting":
      return t("waitingState");
    case "failed":
      return t(`failed${entry.failed}`) ?? t("failed", { status: entry.failed });
    case "refused":
      return t("refused", { status: entry.status });
    case "ignored":
    case "parked":
      return why ? t(entry.state, { why }) : t("silent");
    default:
      return entry.notes.length ? `${t("answered")} · ${duration(elapsed(entry.notes))}` : t("answered");
  }
}

/** What stands where no message is yet. `bot` is null while none is known. */
export function drawEmpty(log, bot, url, say, copyButton) {
  const mark = document.querySelector(".mark").cloneNode(true);
  mark.classList.add("large");
  const box = el("div", { className: "empty" }, mark);
  if (bot?.demo) {
    const chips = t("chips").map((text) => {
      const chip = el("button", { type: "button", className: "chip" }, text);
      chip.addEventListener("click", () => say(text));
      return chip;
    });
    box.append(
      el("h2", {}, t("emptyTitle", { bot: bot.bot })),
      el("p", { className: "quiet" }, t("emptyText")),
      el("div", { className: "chips" }, ...chips),
    );
  } else if (bot) {
    box.append(
      el("h2", {}, t("realTitle", { bot: bot.bot })),
      el("p", { className: "quiet" }, t("realText")),
      el("p", { className: "url" }, el("code", {}, url), copyButton),
    );
  }
  log.replaceChildren(box);
}

/** Tells a screen reader what the bot said, once, without repeating what was there before. */
export function announce(message) {
  $("spoken").textContent = t("spoken", { bot: message.bot, text: message.text });
}
