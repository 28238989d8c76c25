// Small pieces that every view uses.

/** An element: `el("td", { class: "number" }, "4")`. Text is always text, never markup. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "width%") element.style.width = `${value}%`;
    else if (key === "colour") element.style.background = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export const words = (label) => (label ?? "").replaceAll("_", " ");
export const number = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits));
export const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)}\u00a0%`);
export const money = (value) =>
  value === null || value === undefined ? "–" : `${value < 0 ? "−" : ""}$${Math.abs(value).toFixed(2)}`;
export const time = (at) => (at ? new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }) : "–");

/** How long from one moment to another, in words. */
export function span(from, to) {
  const seconds = Math.round((new Date(to) - new Date(from)) / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

export const stamp = (at) => el("time", { datetime: at }, time(at));

/** A reading in the unit of its trigger. */
export function reading(trigger, value) {
  if (value === null || value === undefined) return "–";
  if (trigger === "request_latency") return `${Math.round(value * 1000)} ms`;
  if (trigger === "request_count") return `${Math.round(value)} / min`;
  return percent(value);
}

/** A limit in the unit of its trigger; that of requests is for each replica. */
export const limit = (trigger, value) => reading(trigger, value) + (trigger === "request_count" ? " each" : "");

/** A load as a bar and a number. */
export function load(value) {
  if (value === null || value === undefined) return "–";
  const state = value >= 1 ? "over" : value >= 0.9 ? "near" : "";
  const bar = el("span", { class: `load ${state}`, "aria-hidden": "true" }, el("i", { "width%": Math.min(value, 1) * 100 }));
  return el("span", {}, bar, percent(value));
}

export const card = (label, value, more) =>
  el("div", { class: "card" }, el("dt", {}, label), el("dd", {}, value, more ? el("small", {}, ` ${more}`) : null));

export const cells = (label, content, kind) => el("td", { "data-label": label, class: kind }, content);

/** A table that scrolls by itself where it is wider than its place, with the keyboard too. On a phone each value stands
 * below its head. */
export function table(label, heads, rows) {
  for (const row of rows) [...row.cells].slice(1).forEach((cell, place) => (cell.dataset.label = heads[place + 1]));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label },
    el("table", { class: "stack" }, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, rows)));
}

/** Draws anew and gives the focus back to what stands in the place of what had it. */
export function redraw(within, draw) {
  const focusable = () => [...within.querySelectorAll("a, button, [tabindex]")];
  const held = focusable().indexOf(document.activeElement);
  draw();
  if (held >= 0 && !within.contains(document.activeElement)) focusable()[held]?.focus({ preventScroll: true });
}
