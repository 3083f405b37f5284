// Markdown to DOM nodes: the part of it that models write. Never HTML: what is not understood stays text.

import { el } from "./dom.js";

/** Nested emphasis, quotes and lists deeper than this stay text, so that no answer can exhaust the stack. */
const DEEPEST = 8;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** `text` as a fragment of block elements. */
export function render(text) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), 0);
}

/** `text` as it stands, with mentions and addresses made readable: for messages that are not Markdown. */
export function renderPlain(text) {
  const fragment = new DocumentFragment();
  fragment.append(el("p", { className: "verbatim" }, ...inline(text, DEEPEST)));
  return fragment;
}

function blocks(lines, depth) {
  const fragment = new DocumentFragment();
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const [node, next] = block(lines, at, depth);
    fragment.append(node);
    at = next;
  }
  return fragment;
}

/** The block that begins at line `at`, and the line after it. */
function block(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return fenced(lines, at);
  if (RULE.test(line)) return [el("hr"), at + 1];
  const heading = HEADING.exec(line);
  // The page's own headings are h1 and h2; an answer's begin below them.
  if (heading) return [el(`h${Math.min(heading[1].length + 2, 6)}`, {}, ...inline(heading[2])), at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (line.includes("|") && DIVIDER.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) return table(lines, at);
  return paragraph(lines, at);
}

function fenced(lines, at) {
  const [, fence, name] = FENCE.exec(lines[at]);
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) end += 1;
  const code = el("code", {}, lines.slice(at + 1, end).join("\n"));
  const pre = el("pre", { tabIndex: 0 }, code);
  if (name) pre.dataset.language = name;
  return [pre, end + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [el("blockquote", {}, blocks(inner, depth + 1)), end];
}

function list(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const root = el(ordered ? "ol" : "ul");
  if (ordered && Number.parseInt(mark, 10) !== 1) root.start = Number.parseInt(mark, 10);
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== ordered) break;
    let end = at + 1;
    while (end < lines.length && belongs(lines, end, indent.length)) end += 1;
    const inner = lines.slice(at + 1, end).map((line) => line.slice(Math.min(indent.length + 2, leading(line))));
    root.append(itemOf([item[3], ...inner], depth));
    at = end;
  }
  return [root, at];
}

/** Whether line `at` continues an item indented by `indent`: deeper, or a blank line before something deeper. */
function belongs(lines, at, indent) {
  if (lines[at].trim() !== "") return leading(lines[at]) > indent;
  return lines[at + 1] !== undefined && lines[at + 1].trim() !== "" && leading(lines[at + 1]) > indent;
}

function itemOf(lines, depth) {
  const content = blocks(lines, depth + 1);
  const first = content.firstElementChild;
  // An item that is one paragraph, or begins with one, reads better without the paragraph's margins.
  if (first?.localName === "p") first.replaceWith(...first.childNodes);
  return el("li", {}, content);
}

function table(lines, at) {
  const row = (line, cell) => el("tr", {}, ...cells(line).map((text) => el(cell, {}, ...inline(text))));
  const body = el("tbody");
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) body.append(row(lines[end++], "td"));
  const whole = el("table", {}, el("thead", {}, row(lines[at], "th")), body);
  return [el("div", { className: "wide", tabIndex: 0 }, whole), end];
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !interrupts(lines[end])) end += 1;
  const p = el("p");
  lines.slice(at, end).forEach((line, index) => p.append(...(index ? [el("br")] : []), ...inline(line.trim())));
  return [p, end];
}

const interrupts = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((start) => start.test(line));
const leading = (line) => line.length - line.trimStart().length;

// One alternative per kind; the first group that matched says which. Only http, https and mailto become links, and an
// image becomes a link to itself: the page asks no other origin for anything.
const INLINE = new RegExp(
  [
    /\\([\\`*_{}[\]()#+.!|~<>-])/,
    /(`+)([^`]|[^`].*?[^`])\2(?!`)/,
    /!?\[([^\]\n]*)\]\(((?:https?:\/\/|mailto:)[^\s)]+)(?:\s+"[^"]*")?\)/,
    /<?(https?:\/\/[^\s<>)\]，。；）】"']+)>?/,
    /<at (?:user_)?id="?([^"> ]*)"?>([^<]*)<\/at>/,
    /\*\*(?=\S)(.+?)\*\*/,
    /__(?=\S)(.+?)__/,
    /~~(?=\S)(.+?)~~/,
    /\*(?=[^\s*])([^*]+?)\*/,
    /(?<!\w)_(?=[^\s_])([^_]+?)_(?!\w)/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** `text` as an array of strings and elements. At `DEEPEST` only links, mentions and text are left. */
function inline(text, depth = 0) {
  const out = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const node = span(found, depth);
    if (node === null) continue;
    out.push(text.slice(from, found.index), node);
    from = found.index + found[0].length;
  }
  out.push(text.slice(from));
  return out.filter((part) => part !== "");
}

function span(found, depth) {
  const [, escaped, , code, label, target, address, id, name, strong, strong2, gone, soft, soft2] = found;
  if (address !== undefined) return link(address, [address]);
  if (id !== undefined) return el("span", { className: "at" }, `@${name || id}`);
  if (depth >= DEEPEST) return null;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return el("code", {}, code);
  if (target !== undefined) return link(target, inline(label || target, depth + 1));
  if (gone !== undefined) return el("del", {}, ...inline(gone, depth + 1));
  const bold = strong ?? strong2;
  if (bold !== undefined) return el("strong", {}, ...inline(bold, depth + 1));
  return el("em", {}, ...inline(soft ?? soft2, depth + 1));
}

const link = (href, content) => el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...content);
