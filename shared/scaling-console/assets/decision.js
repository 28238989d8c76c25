// A decision explained: what was seen, what was wanted, what was rejected; and the ones before it.

import { el, limit, load, money, number, reading, span, stamp, table, time, words } from "./page.js";

const row = (first, ...rest) => el("tr", {}, el("th", { scope: "row" }, first), rest.map((cell) => el("td", {}, cell)));

/** The latest decision, in parts. */
export function decided(data) {
  const head = el("h2", { id: "decision" }, "The latest decision");
  const { decision } = data;
  if (!decision) return [head, el("p", { class: "hint" }, "None yet.")];
  const seen = data.readings.filter((one) => one.state !== "unbound").map((one) =>
    row(words(one.trigger), reading(one.trigger, one.value), limit(one.trigger, one.threshold), load(one.load),
      one.state === "fresh" ? `${Math.round(one.age ?? 0)} s old` : words(one.state), one.asks ? (one.priority ? "urgently" : "yes") : "only reported"));
  const trims = decision.guards.map((note, place) => el("li", {}, `${note.from} → ${note.to} replicas: ${data.because[place]}`));
  const others = decision.alternatives.map((other) =>
    row(`${other.replicas} × ${other.instance_type}`, money(other.cost), money(other.change_cost)));
  const change = decision.cost_after - decision.cost_before;
  return [head,
    el("p", { class: "said" }, data.said),
    el("p", {}, `Seen at ${time(decision.at)}. Wanted: `,
      data.wanted === null ? "not known, for want of readings" : `${number(decision.wanted.vcpu)} vCPU, ${decision.wanted.replicas} replicas of ${data.type}`,
      decision.driver ? `, asked for by ${words(decision.driver)}` : "",
      decision.wanted.forecast_vcpu === null ? "" : `; the forecast asks for ${number(decision.wanted.forecast_vcpu)} vCPU`,
      `. Cost: ${money(decision.cost_before)} → ${money(decision.cost_after)} per hour`,
      Math.abs(change) < 0.005 ? "." : ` (${change > 0 ? "+" : ""}${money(change)}).`),
    trims.length ? el("ul", {}, trims) : null,
    el("div", { class: "two" },
      el("div", { class: "seen" }, el("p", { class: "label" }, "Seen"), table("What was seen", ["Trigger", "Reading", "Limit", "Load", "Data", "Asks for more"], seen)),
      el("div", {}, el("p", { class: "label" }, "Rejected"), others.length ? table("What was rejected", ["Instead", "Cost / h", "Cost of changing / h"], others) : el("p", { class: "hint" }, "Nothing else was priced.")))]
    .filter(Boolean);
}

/** Decisions and operations before, from the REST interface. */
export async function history(name, get) {
  const path = encodeURIComponent(name);
  const read = (url, list) => get(url).then((answer) => answer[list], () => null);
  const [decisions, operations] = await Promise.all([
    read(`/groups/${path}/decisions?limit=12`, "decisions"), read(`/operations?group=${path}&limit=12`, "operations")]);
  const none = (found) => el("p", { class: "hint" }, found === null ? "Could not be read." : "None in the last 90 days.");
  const list = (found, item) => (found?.length ? el("ol", { class: "list" }, found.map(item)) : none(found));
  const decision = (one) => el("li", {}, stamp(one.at), `${action(one.action)}: ${one.explanation}`);
  const operation = (one) => {
    const bad = one.phase === "failed" || one.phase === "rolled_back";
    const took = one.ended_at ? ` after ${span(one.planned_at, one.ended_at)}` : "";
    return el("li", {}, stamp(one.planned_at), `${change(one)} `, el("span", { class: bad ? "bad" : "" }, words(one.phase)), took, one.failure ? `: ${one.failure}` : "");
  };
  return [
    el("section", { class: "panel" }, el("h2", {}, "Decisions that differed from the one before"), list(decisions, decision)),
    el("section", { class: "panel" }, el("h2", {}, "Operations"), list(operations, operation))];
}

/** What a decision does, in words. */
export function action(one) {
  if (one.kind === "scale") return `${one.from} → ${one.to} replicas`;
  if (one.kind === "retype") return `${one.from_replicas} × ${one.from} → ${one.to_replicas} × ${one.to}`;
  return "hold";
}

const change = (one) => {
  const kind = one.kind?.kind ? one.kind : one;
  return kind.kind === "retype" || kind.from?.includes?.(".") ? `${kind.from} → ${kind.to}` : `${kind.from} → ${kind.to} replicas`;
};
