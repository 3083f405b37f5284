// The way of one message: its stations from top to bottom with times, and on top what people ask first, namely how
// long it took, who answered and what it cost in tokens.

import { el } from "./dom.js";
import { duration, reason, t } from "./text.js";

/** The stations of a message that meets no trouble: drawn faintly until they are reached. */
const STATIONS = ["verified", "queued", "claimed", "model.attempt", "answered", "sent", "ended"];
const LAST = ["ended", "rejected", "ignored", "not_queued"];

/** Draws `notes` into `root`; with none, the stations that a message will pass. */
export function drawWay(root, notes, { title = null, over = false, began = null } = {}) {
  const inOrder = notes.toSorted((one, other) => one.at - other.at || rank(one) - rank(other));
  const closed = over || inOrder.some((note) => LAST.includes(note.step));
  root.replaceChildren(
    ...(notes.length ? [titleOf(title), summary(inOrder, closed ? null : began)] : [el("p", { className: "quiet" }, t("wayEmpty"))]),
    el("ol", { className: "stations" }, ...inOrder.map((note) => station(note, inOrder[0].at)), ...ahead(inOrder, closed)),
  );
}

/** Lets the time of a message under way go on. */
export function tick(root) {
  const time = root.querySelector("[data-running]");
  if (time) time.textContent = duration(Date.now() - Number(time.dataset.running));
}

/** Milliseconds from the first note to the last one. */
export const elapsed = (notes) => {
  const times = notes.map((note) => note.at);
  return notes.length ? Math.max(...times) - Math.min(...times) : 0;
};

/** Where a step stands among the stations; what ends a message early stands behind all of them. */
const rank = (note) => (LAST.includes(note.step) ? STATIONS.length : STATIONS.indexOf(note.step));
const titleOf = (title) => el("p", { className: "saying" }, title ?? t("elsewhere"));

/** `running` is when a message that has not ended began; its time goes on by `tick`. */
function summary(notes, running) {
  const answer = notes.findLast((note) => note.step === "answered")?.detail;
  const time = el("span", {}, running === null ? duration(elapsed(notes)) : duration(Date.now() - running));
  if (running !== null) time.dataset.running = running;
  const facts = [fact(t(running === null ? "total" : "underway"), time, "big")];
  if (answer?.endpoint) facts.push(fact(t("endpoint"), answer.endpoint, "", place(answer.place)));
  if (answer?.prompt_tokens !== undefined && answer.prompt_tokens !== null) {
    const counted = `${answer.estimated ? "≈ " : ""}${answer.prompt_tokens} → ${answer.completion_tokens}`;
    facts.push(fact(t(answer.estimated ? "tokensEstimated" : "tokens"), counted));
  }
  return el("dl", { className: "facts" }, ...facts);
}

const fact = (name, value, size, extra) =>
  el("div", { className: size ?? "" }, el("dt", {}, name), el("dd", {}, value, extra));

const place = (word) => word && el("span", { className: `tag ${word}` }, t(word) ?? word);

/** What is still to come, up to the end; nothing once the message has ended. */
function ahead(notes, closed) {
  if (closed) return [];
  const reached = Math.max(-1, ...notes.map(rank));
  return STATIONS.slice(reached + 1).map((step, index) =>
    el(
      "li",
      { className: notes.length && index === 0 ? "ahead next" : "ahead" },
      el("span", { className: "dot", ariaHidden: "true" }),
      el("span", { className: "what" }, t(`steps.${step}`)),
    ),
  );
}

function station(note, start) {
  const { step, detail = {}, at } = note;
  const { text, parts, tone } = (DRAW[step] ?? plain)(detail ?? {}, step);
  const took = detail?.micros !== undefined ? detail.micros / 1000 : detail?.millis;
  const line = el("li", { className: `passed ${tone ?? ""}` });
  line.dataset.step = step;
  line.append(
    el("span", { className: "dot", ariaHidden: "true" }),
    el("span", { className: "what" }, text),
    el("span", { className: "when" }, at === start ? "0 ms" : `+${duration(at - start)}`),
  );
  const more = [...(parts ?? []), took !== undefined && took !== null && duration(took)].filter(Boolean);
  if (more.length) line.append(el("span", { className: "more" }, ...more.flatMap(joined)));
  return line;
}

/** The parts of a second line with a dot between texts; a tag stands without. */
const joined = (part, index, parts) => (index ? [typeof parts[index - 1] === "string" ? " · " : " ", part] : [part]);
const plain = (_, step) => ({ text: t(`steps.${step}`) ?? step });

/** How each step reads: its text, the parts of its second line, and whether it went well. */
const DRAW = {
  verified: ({ platform, bot }) => ({ text: t("steps.verified"), parts: [bot && `${platform}/${bot}`] }),
  rejected: ({ cause }) => ({ text: t("steps.rejected"), parts: [cause && reason(cause)], tone: "bad" }),
  ignored: ({ what }) => ({ text: t("steps.ignored"), parts: [what && reason(what)], tone: "odd" }),
  returned: () => ({ text: t("steps.returned"), tone: "odd" }),
  not_queued: () => ({ text: t("steps.not_queued"), tone: "bad" }),
  claimed: ({ fence }) => ({ text: t("steps.claimed"), parts: [fence > 1 && t("detail.try", { fence })] }),
  "model.attempt": ({ endpoint, place: where, model, outcome }) => ({
    text: t("detail.asked", { endpoint }),
    parts: [place(where), model, outcome && reason(outcome)],
    tone: !outcome || outcome === "answered" ? "" : "odd",
  }),
  answered: ({ endpoint, kind }) => {
    if (kind === "answer" || !kind) return { text: endpoint ? t("detail.answered", { endpoint }) : t("steps.answered") };
    return { text: t(`detail.${kind}`) ?? t("steps.answered"), tone: kind === "apology" ? "odd" : "" };
  },
  sent: ({ segment, of }) => ({ text: of > 1 ? t("detail.part", { segment, of }) : t("steps.sent") }),
  ended: ({ ending, reason: why }) =>
    ending === "parked"
      ? { text: t("steps.parked"), parts: [why && reason(why)], tone: "bad" }
      : { text: t("steps.ended"), tone: "good" },
};
