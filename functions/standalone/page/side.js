// The column of bots and models.

import { $, el } from "./dom.js";
import { reason, t } from "./text.js";

const COPIED_MS = 1600;
/** The sign of a platform on its badge; another platform shows its initial. */
const SIGN = { feishu: "飞", lark: "飞", dingtalk: "钉", wecom: "企" };

export const key = (bot) => `${bot.platform}/${bot.bot}`;
export const fullUrl = (bot) => location.origin + bot.webhook;

export function drawSide(server, chosen, choose) {
  const focused = document.activeElement?.dataset?.bot;
  $("bots").replaceChildren(...server.bots.map((bot, index) => botLine(bot, index, chosen, choose)));
  if (focused) document.querySelector(`[data-bot="${CSS.escape(focused)}"]`)?.focus();
  $("endpoints").replaceChildren(...server.endpoints.map(endpointLine));
  $("strategy").textContent = server.strategy ? t("strategy", { strategy: reason(server.strategy) }) : "";
}

function botLine(bot, index, chosen, choose) {
  const current = chosen && key(bot) === key(chosen);
  const platform = t(`platforms.${bot.platform}`) ?? bot.platform;
  const button = el(
    "button",
    { type: "button", className: "bot", ariaPressed: String(Boolean(current)), title: index < 9 ? `Alt+${index + 1}` : null },
    el("span", { className: "badge", lang: "zh-CN", ariaHidden: "true" }, SIGN[bot.platform] ?? bot.platform[0].toUpperCase()),
    el("span", { className: "who" }, el("b", {}, bot.bot), el("small", {}, `${platform} · ${t(bot.demo ? "demo" : "real")}`)),
  );
  button.dataset.bot = key(bot);
  button.addEventListener("click", () => choose(bot));
  const url = el("code", { title: fullUrl(bot) }, bot.webhook);
  return el("li", { className: current ? "card current" : "card" }, button, el("div", { className: "url" }, url, copyButton(bot)));
}

const endpointLine = ({ name, place, model, protocol }) =>
  el(
    "li",
    { className: "endpoint" },
    el("b", {}, name),
    el("span", { className: `tag ${place}` }, t(place) ?? place),
    el("small", {}, model === name ? protocol : model),
  );

/** A button that copies the whole webhook URL of a bot and says so for a moment. */
export function copyButton(bot) {
  const button = el("button", { type: "button", className: "copy", ariaLabel: t("copy", { bot: bot.bot }) }, t("copyShort"));
  button.addEventListener("click", async () => {
    await copy(fullUrl(bot));
    button.textContent = t("copied");
    button.classList.add("did");
    setTimeout(() => {
      button.textContent = t("copyShort");
      button.classList.remove("did");
    }, COPIED_MS);
  });
  return button;
}

/** The clipboard is only there on https and on this machine; elsewhere the text is selected and copied the old way. */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { value: text, className: "sr" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
