// One group: what it needs and has, what it costs, what was decided and why, what can change next.

import { buttons } from "./actions.js";
import { chart, ready, typeRuns } from "./charts.js";
import { decided, history } from "./decision.js";
import { card, el, money, number, percent, redraw, span, stamp, table, words } from "./page.js";
import { get } from "./server.js";

const whole = (value) => String(Math.round(value));
const usd = (value) => `$${value.toFixed(value < 10 ? 2 : 0)}`;

/** The view of one group; `refresh` asks for its newest data. */
export function group(main, name, refresh) {
  const head = el("div");
  const cards = el("dl", { class: "cards" });
  const decision = el("section", { class: "panel", "aria-labelledby": "decision" });
  const next = el("section", { class: "panel", "aria-labelledby": "next" });
  const past = el("div", { class: "two" });
  const charts = [
    chart("Demand and capacity, vCPU", [["wanted", "demand", "demand", (value) => number(value)], ["capacity", "capacity", "capacity", (value) => number(value), { step: true }]]),
    chart("Load by trigger, 100 % is the limit", [
      ["cpu_usage", "CPU", "cpu", percent], ["memory_usage", "memory", "memory", percent],
      ["request_count", "requests", "requests", percent], ["request_latency", "latency", "latency", percent]], { band: true }),
    chart("Replicas, and the type that launches", [["serving", "serving", "capacity", whole, { step: true }], ["desired", "desired", "soft", whole, { step: true, dash: true }]], { types: true }),
    chart("Cost and a fixed fleet, per hour", [["cost", "cost", "demand", usd, { step: true }], ["fixed", "fixed fleet", "soft", usd, { dash: true }]]),
    chart("Saved to date", [["saved", "saved", "requests", usd]], { marks: false }),
  ];
  const types = el("section", { class: "panel", "aria-label": "Types over time" });
  main.replaceChildren(head, cards, decision, el("div", { class: "charts" }, charts.map((one) => one.panel), types), next, past);
  let shown = "";

  return {
    url: `/console/data/groups/${encodeURIComponent(name)}`,
    place: name,
    missing: (detail) => main.replaceChildren(el("h1", {}, name), el("p", { class: "hint" }, detail)),
    restyle: () => charts.forEach((one) => one.restyle()),
    async update(data) {
      redraw(main, () => {
        head.replaceChildren(title(data), buttons(data, refresh));
        cards.replaceChildren(...figures(data));
        decision.replaceChildren(...decided(data));
        next.replaceChildren(...outlook(data));
        types.replaceChildren(...runs(data.series));
      });
      await ready();
      charts.forEach((one) => one.update(data.series, data.marks, data.target_load));
      const state = JSON.stringify([data.marks.at(-1), data.decision?.action, data.decision?.reason?.code, data.pause]);
      if (state !== shown) {
        shown = state;
        past.replaceChildren(...(await history(name, get)));
      }
    },
  };
}

function title(data) {
  const chip = (text, kind = "") => el("span", { class: `chip ${kind}` }, text);
  return el("h1", {}, `${data.name} `,
    data.control ? chip(`control: ${words(data.control)}`) : null,
    data.mode ? chip(data.mode) : null,
    data.pause ? chip(`paused by ${data.pause.by}: ${data.pause.reason}`, "warn") : null,
    data.override ? chip(`override until ${new Date(data.override.until).toLocaleString()}`, "warn") : null,
    ...(data.in_force ?? []).filter((said) => /^(kill switch|calendar) /.test(said)).map((said) => chip(said, "warn")),
    data.stopped ? chip("stopped after three failures", "bad") : null,
    data.trouble ? chip(data.trouble, "bad") : null);
}

function figures(data) {
  if (!data.replicas) return [];
  const { desired, serving, arriving } = data.replicas;
  const highest = Math.max(...data.readings.map((reading) => reading.load ?? 0));
  return [
    card("Runs", `${serving} × ${data.type}`, arriving ? `+${arriving} arriving` : `of ${desired}`),
    card("Load", el("span", { class: highest >= 1 ? "bad" : "" }, percent(highest)), "of the limit"),
    card("Demand / capacity", `${number(data.wanted)} / ${number(data.capacity)}`, "vCPU"),
    card("Cost", money(data.cost), "per hour"),
    card("Saved", money(data.savings), "per hour"),
    card("Saved to date", money(data.totals.saved), data.totals.since ? `in ${span(data.totals.since, data.at)}` : ""),
  ];
}

const CHANGES = { up: "More replicas", down: "Fewer replicas", retype: "Another type" };

function outlook(data) {
  const rows = (data.outlook ?? []).map(({ change, from, waits_for: why }) => {
    const when = !why ? "possible now" : from ? ["in ", span(data.now ?? data.at, from), " (", stamp(from), ")"] : "not by itself";
    return el("tr", {}, el("th", { scope: "row" }, CHANGES[change]), el("td", {}, when), el("td", {}, why || "when the load asks for it"));
  });
  return [el("h2", { id: "next" }, "The next possible change"), table("Possible changes", ["Change", "When", "Waits for"], rows)];
}

/** Which type launched from when to when, the newest first. */
function runs(series) {
  const item = ({ type, from, to }) => el("li", {}, stamp(new Date(from * 1000).toISOString()), `${type} `, el("span", { class: "hint" }, `for ${span(from * 1000, to * 1000)}`));
  return [el("h2", {}, "Types over time"), el("ol", { class: "list" }, typeRuns(series).reverse().slice(0, 6).map(item))];
}
