// What a person can do to a group. Everything shows first what it would do, and is done by a second press.

import { action } from "./decision.js";
import { el } from "./page.js";
import { write } from "./server.js";

const dialog = () => document.getElementById("dialog");

/** A form in the dialog. `steps(values)` gives what `check` shows and `act` does. */
export function open(title, fields, steps, verb) {
  const inputs = fields.map(({ name, label, ...more }) => {
    const input = more.options
      ? el("select", { name }, more.options.map(([value, text]) => el("option", { value }, text)))
      : el("input", { name, ...more });
    return el("label", {}, label, input);
  });
  const answer = el("p", { class: "answer", role: "status", hidden: true });
  const check = el("button", { type: "submit", class: "main" }, "Show what it would do");
  const act = el("button", { type: "button", class: "main", hidden: true }, verb);
  const close = el("button", { type: "button", onclick: () => dialog().close() }, "Cancel");
  const form = el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, title), inputs, answer, el("div", { class: "row" }, close, check, act));
  const say = (text, bad) => {
    answer.hidden = false;
    answer.className = bad ? "answer bad" : "answer";
    answer.textContent = text;
  };
  const values = () => Object.fromEntries(new FormData(form).entries());
  // Whatever is changed has to be checked anew.
  form.addEventListener("input", () => { act.hidden = true; check.hidden = false; });
  const attempt = async (work) => {
    check.disabled = act.disabled = true;
    try { await work(); } catch (error) { say(error.message, true); }
    check.disabled = act.disabled = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      say(await steps(values()).check());
      check.hidden = true;
      act.hidden = false;
      act.focus();
    });
  });
  act.addEventListener("click", () => attempt(async () => {
    say(await steps(values()).act());
    act.hidden = check.hidden = true;
    close.textContent = "Close";
    close.focus();
  }));
  dialog().replaceChildren(form);
  dialog().showModal();
}

/** The buttons of a group; `refresh` reads it anew after a change. */
export function buttons(data, refresh) {
  const group = data.name;
  const path = `/groups/${encodeURIComponent(group)}`;
  const done = (work, text) => async () => { const answer = await work(); refresh(); return typeof text === "function" ? text(answer) : text; };
  const scale = () => open(`Scale ${group}`, [
    { name: "replicas", label: `Replicas (${data.bounds?.min ?? 1} to ${data.bounds?.max ?? "…"}), empty to leave them`, type: "number", min: 1, value: data.replicas?.desired },
    { name: "instance_type", label: "Instance type", options: [["", `leave it (${data.type ?? "unknown"})`], ...(data.ladder ?? []).filter((name) => name !== data.type).map((name) => [name, name])] },
  ], (values) => {
    const wish = { group, ...(values.replicas ? { replicas: Number(values.replicas) } : {}), ...(values.instance_type ? { instance_type: values.instance_type } : {}) };
    const say = (answer) => `${action(answer.decision.action)}. Cost: $${answer.decision.cost_before.toFixed(2)} → $${answer.decision.cost_after.toFixed(2)} per hour.`;
    return {
      check: async () => `Would do: ${say(await write("POST", "/scale", { ...wish, dry_run: true }))}`,
      act: done(() => write("POST", "/scale", wish), (answer) => (answer.operation ? `Accepted: ${say(answer)} Operation ${answer.operation.id}.` : "Nothing to do: the group is as asked for already.")),
    };
  }, "Do it");
  const pause = () => open(`Pause ${group}`, [
    { name: "reason", label: "Why", required: true },
    { name: "hours", label: "For how many hours; empty until resumed", type: "number", min: 0.1, step: "any" },
  ], ({ reason, hours }) => {
    const until = hours ? new Date(new Date(data.at).getTime() + hours * 3600e3).toISOString() : undefined;
    return {
      check: async () => `Would hold ${group} as it is, ${data.replicas?.desired ?? "?"} replicas, whatever its load, ${until ? `until ${new Date(until).toLocaleString()}` : "until somebody resumes it"}. A running operation goes on to its end.`,
      act: done(() => write("POST", `${path}/pause`, { reason, until }), "Paused."),
    };
  }, "Pause it");
  const resume = () => open(`Resume ${group}`, [], () => ({
    check: async () => `Would control ${group} again with the next tick${data.stopped ? ", and forget the three failures" : ""}.`,
    act: done(() => write("POST", `${path}/resume`, {}), "Resumed."),
  }), "Resume it");
  const override = () => open(`Override the bounds of ${group}`, [
    { name: "min", label: "At least so many replicas; empty as configured", type: "number", min: 1, value: data.override?.min },
    { name: "max", label: "At most so many replicas; empty as configured", type: "number", min: 1, value: data.override?.max },
    { name: "hours", label: "For how many hours", type: "number", min: 0.1, step: "any", value: 1, required: true },
    { name: "reason", label: "Why", required: true },
  ], ({ min, max, hours, reason }) => {
    const until = new Date(new Date(data.at).getTime() + hours * 3600e3).toISOString();
    const bounds = { ...(min ? { min: Number(min) } : {}), ...(max ? { max: Number(max) } : {}) };
    return {
      check: async () => {
        const replicas = Math.min(Math.max(data.replicas?.desired ?? 1, bounds.min ?? 1), bounds.max ?? Infinity);
        const least = bounds.min ?? data.bounds?.min, most = bounds.max ?? data.bounds?.max;
        // A scale is checked by the bounds that hold now, and these are about to be others.
        const outside = replicas < data.bounds?.min || replicas > data.bounds?.max;
        const now = outside ? `${data.replicas?.desired} → ${replicas} replicas`
          : action((await write("POST", "/scale", { group, replicas, dry_run: true })).decision.action);
        return `Until ${new Date(until).toLocaleString()} between ${least} and ${most} replicas, as far as the group's own bounds go; at once: ${now}.`;
      },
      act: done(() => write("PUT", `${path}/override`, { ...bounds, until, reason }), "Set; the next tick follows it."),
    };
  }, "Set it");
  const button = (text, work) => el("button", { type: "button", "aria-haspopup": "dialog", onclick: work }, text);
  return el("div", { class: "tools" }, button("Scale…", scale),
    data.pause || data.stopped ? button("Resume…", resume) : button("Pause…", pause), button("Override…", override));
}

/** Asks for a token; `null` where none is given. */
export function askToken() {
  return new Promise((resolve) => {
    const box = dialog();
    const input = el("input", { type: "password", autocomplete: "off", required: true });
    const form = el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, "This controller asks for a token"),
      el("label", {}, "Token; kept until this tab is closed", input), el("div", { class: "row" }, el("button", { class: "main" }, "Use it")));
    box.replaceChildren(form);
    box.addEventListener("close", () => resolve(input.value || null), { once: true });
    box.showModal();
  });
}
