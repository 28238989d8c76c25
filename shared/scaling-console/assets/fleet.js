// The overview: sums over all groups, and a table of them.

import { card, cells, el, load, money, number, words } from "./page.js";

/** Rows that are shown at first: what is worst is on top. */
const FIRST = 100;

const HEADS = [
  ["name", "Group"], ["load", "Load", "number"], ["serving", "Replicas", "number"], ["type", "Type"],
  ["wanted", "Demand / capacity", "number"], ["cost", "Cost / h", "number"], ["savings", "Saved / h", "number"],
  ["control", "Control"], ["reason", "Last decision"],
];

/** The view; `update` takes what the server says. */
export function fleet(main) {
  const state = { sort: "load", down: true, filter: "", all: false, data: null };
  const switched = el("p", { class: "notice", role: "status", hidden: true });
  const sums = el("dl", { class: "cards" });
  const filter = el("input", { type: "search", id: "filter", autocomplete: "off", placeholder: "name, type, reason…" });
  filter.addEventListener("input", () => { state.filter = filter.value.toLowerCase(); draw(); });
  const count = el("p", { class: "hint", role: "status" });
  const body = el("tbody");
  const heads = HEADS.map(([column, label, kind]) => {
    const sort = () => {
      state.down = state.sort === column ? !state.down : kind === "number";
      state.sort = column;
      draw();
    };
    return el("th", { scope: "col", class: kind, "data-column": column }, el("button", { type: "button", onclick: sort }, label));
  });
  const table = el("table", { class: "stack" },
    el("caption", { class: "skip" }, "Groups"), el("thead", {}, el("tr", {}, heads)), body);
  const more = el("button", { type: "button", onclick: () => { state.all = true; draw(); } });
  main.replaceChildren(
    el("h1", {}, "Fleet"), switched, sums,
    el("section", { class: "panel", "aria-label": "Groups" },
      el("div", { class: "tools" }, el("label", { class: "grow" }, "Find groups", filter), count),
      el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table of groups" }, table), more));

  function draw() {
    if (!state.data) return;
    const groups = state.data.groups.filter((group) => group.text.includes(state.filter));
    const key = state.sort;
    const order = (one, other) => {
      const [a, b] = state.down ? [other[key], one[key]] : [one[key], other[key]];
      if (a === b) return one.name < other.name ? -1 : 1;
      if (a === null) return state.down ? -1 : 1;
      if (b === null) return state.down ? 1 : -1;
      return a < b ? -1 : 1;
    };
    groups.sort(order);
    const shown = state.all ? groups : groups.slice(0, FIRST);
    const focused = document.activeElement?.getAttribute?.("href");
    body.replaceChildren(...shown.map(row));
    if (focused) body.querySelector(`a[href="${CSS.escape(focused)}"], a[href="${focused}"]`)?.focus({ preventScroll: true });
    for (const head of heads) {
      const sorted = head.dataset.column === state.sort;
      head.setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
    }
    count.textContent = `${groups.length} of ${state.data.groups.length} groups`;
    more.hidden = shown.length === groups.length;
    more.textContent = `Show all ${groups.length}`;
  }

  return {
    url: "/console/data/fleet",
    place: "",
    update(answer) {
      const groups = answer.rows.map((row) => {
        const group = Object.fromEntries(answer.columns.map((column, place) => [column, row[place]]));
        group.text = `${group.name} ${group.type} ${group.control} ${words(group.reason)}`.toLowerCase();
        return group;
      });
      state.data = { groups };
      switched.hidden = !answer.kill_switch;
      switched.textContent = `No change is asked for: ${answer.kill_switch ?? ""}`;
      const { over, cost, savings, saved } = answer.sums;
      sums.replaceChildren(
        card("Groups", String(groups.length)),
        card("Over a limit", el("span", { class: over ? "bad" : "good" }, String(over))),
        card("Cost", money(cost), "per hour"),
        card("Saved", money(savings), "per hour"),
        card("Saved to date", money(saved)));
      draw();
    },
    find: () => filter.focus(),
  };
}

function row(group) {
  const link = el("a", { href: `#/group/${encodeURIComponent(group.name)}` }, group.name);
  const saved = group.savings === null ? "–" : el("span", { class: group.savings < 0 ? "warn" : "good" }, money(group.savings));
  const arriving = group.arriving ? ` +${group.arriving}` : "";
  return el("tr", {},
    el("th", { scope: "row" }, link,
      group.trouble ? el("span", { class: "chip bad" }, "not evaluated") : null,
      group.stopped ? el("span", { class: "chip bad" }, "stopped") : null,
      group.paused ? el("span", { class: "chip warn" }, "paused") : null,
      (group.set ?? []).map((kind) => el("span", { class: "chip warn" }, kind))),
    cells("Load", load(group.load), "number"),
    cells("Replicas", group.serving === null ? "–" : `${group.serving} / ${group.desired}${arriving}`, "number"),
    cells("Type", group.type ?? "–"),
    cells("Demand / capacity", `${number(group.wanted)} / ${number(group.capacity)}`, "number"),
    cells("Cost / h", money(group.cost), "number"),
    cells("Saved / h", saved, "number"),
    cells("Control", words(group.control)),
    cells("Last decision", group.action ? `${group.action}: ${words(group.reason)}` : "–"));
}
