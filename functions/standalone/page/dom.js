// The two ways in which every other module touches the document. Text goes in as text nodes only: nothing on this page
// parses a string as HTML, so what a model or a user writes can never become markup.

export const $ = (id) => document.getElementById(id);

/** An element with `props` set and `children` (nodes, strings, or falsy for none) appended. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}
