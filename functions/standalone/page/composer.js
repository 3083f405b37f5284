// The box to write in, and the keys of the page.

import { $ } from "./dom.js";
import { t } from "./text.js";

const TALLEST_PX = 200;

/** Binds the box. `on` has `say(text)`, `chooseBot(index)`, `help()`. */
export function bindComposer(on) {
  const box = $("text");
  const recall = new Recall();
  let ready = false;

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, TALLEST_PX)}px`;
  };
  const write = (text) => {
    box.value = text;
    grow();
    box.setSelectionRange(text.length, text.length);
  };
  const submit = () => {
    const text = box.value.trim();
    if (!text || !ready) return;
    recall.keep(text);
    write("");
    on.say(text);
  };

  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (composing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const text = event.key === "ArrowUp" ? recall.earlier(box.value) : recall.later(box.value);
      if (text === null) return;
      event.preventDefault();
      write(text);
    }
  });
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    box.focus();
  });
  document.addEventListener("keydown", (event) => pageKeys(event, box, on));

  return {
    focus: () => box.focus(),
    /** Makes the box ready for a bot. Until one is known the box takes text but sends none, so no key is lost. */
    set(bot) {
      ready = Boolean(bot?.demo);
      box.disabled = Boolean(bot) && !ready;
      $("send").disabled = !ready;
      box.placeholder = bot ? t(ready ? "writeTo" : "writeElsewhere", { bot: bot.bot }) : "";
    },
  };
}

/**
 * While an input method composes, Enter chooses a candidate and must not send. Safari ends the composition before the
 * key arrives and marks the key with code 229.
 */
const composing = (event) => event.isComposing || event.keyCode === 229;

function pageKeys(event, box, on) {
  if (composing(event) || event.ctrlKey || event.metaKey || $("help").open) return;
  if (event.altKey) {
    // By position and not by character: on a Mac, Alt and a digit write a sign.
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (!digit && event.code !== "KeyG") return;
    event.preventDefault();
    if (digit) on.chooseBot(Number(digit) - 1);
    else document.querySelector("input[name=chat]:not(:checked)").click();
    return;
  }
  const writing = event.target.matches("textarea, input[type=text]");
  if (event.key === "?" && (!writing || (event.target === box && !box.value))) {
    event.preventDefault();
    on.help();
  }
}

/** What was sent, to go back to with the arrow keys from an empty box, and on from a text so recalled. */
class Recall {
  #texts = [];
  #at = 0;

  keep(text) {
    if (this.#texts.at(-1) !== text) this.#texts.push(text);
    this.#at = this.#texts.length;
  }

  earlier(current) {
    if (current === "") this.#at = this.#texts.length;
    if (!this.#untouched(current) || this.#at === 0) return null;
    this.#at -= 1;
    return this.#texts[this.#at];
  }

  later(current) {
    if (current === "" || !this.#untouched(current)) return null;
    this.#at += 1;
    return this.#texts[this.#at] ?? "";
  }

  #untouched(current) {
    return current === "" || current === this.#texts[this.#at];
  }
}
