// Which view is shown, and keeping it fresh.

import { askToken } from "./actions.js";
import { fleet } from "./fleet.js";
import { el } from "./page.js";
import { door, get, listen } from "./server.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
let view = null;
let busy = false;
let again = false;
/** The number of the news that the view shows. */
let shown = -1;

door.ask = askToken;

/** Reads what the view shows; news that come meanwhile are one more reading. */
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  const current = view;
  try {
    const data = await get(current.url);
    shown = data.news;
    if (current === view) await current.update(data);
    live.title = data.at ? `as of ${new Date(data.at).toLocaleString()}` : "";
  } catch (error) {
    if (error.status === 404 && current === view) current.missing?.(error.message);
    else if (!error.status) console.error(error);
  }
  busy = false;
  if (again) { again = false; refresh(); }
}

/** Where no tick comes there is no news either, so that the page asks by itself whether the groups are evaluated. */
async function health() {
  const notice = document.getElementById("notice");
  try {
    await get("/health");
    notice.hidden = true;
  } catch (error) {
    // That the process does not answer at all is said by the connection's state; a proxy's refusal says nothing of the groups.
    if (!error.type?.endsWith(":not-ticking")) return;
    notice.textContent = `The groups are not evaluated: ${error.message}`;
    notice.hidden = false;
  }
}

/** Shows what the address names, with its first data. */
async function show() {
  const name = /^#\/group\/(.+)$/.exec(location.hash)?.[1];
  document.getElementById("dialog").close();
  if (name) {
    const { group } = await import("./group.js");
    view = group(main, decodeURIComponent(name), refresh);
  } else {
    view = fleet(main);
  }
  document.getElementById("place").textContent = view.place;
  shown = -1;
  document.title = view.place ? `${view.place} – Service scaling` : "Service scaling";
  await refresh();
}

const THEMES = ["auto", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");
function theme(choice) {
  localStorage.setItem("scaling-theme", choice);
  document.documentElement.dataset.theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  const button = document.getElementById("theme");
  button.textContent = `Theme: ${choice}`;
  button.onclick = () => theme(THEMES[(THEMES.indexOf(choice) + 1) % THEMES.length]);
  view?.restyle?.();
}
theme(THEMES.includes(localStorage.getItem("scaling-theme")) ? localStorage.getItem("scaling-theme") : "auto");
dark.addEventListener("change", () => theme(localStorage.getItem("scaling-theme") ?? "auto"));

const KEYS = [["/", "find groups"], ["j, k", "next and previous group"], ["Enter", "open the group"], ["f", "the fleet"],
  ["s, p, o", "scale, pause or resume, override the group"], ["t", "theme"], ["?", "this list"]];
function keys() {
  const box = document.getElementById("dialog");
  const rows = KEYS.map(([key, what]) => el("li", {}, el("kbd", {}, key), ` ${what}`));
  box.replaceChildren(el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, "Keys"), el("ul", { class: "list" }, rows),
    el("div", { class: "row" }, el("button", { class: "main", autofocus: true }, "Close"))));
  box.showModal();
}
document.getElementById("keys").addEventListener("click", keys);

function step(by) {
  const links = [...main.querySelectorAll("tbody a")];
  const place = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, place < 0 ? 0 : place + by))]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("dialog").open) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const buttons = () => [...main.querySelectorAll(".tools button")];
  const work = {
    "/": () => view.find?.(), j: () => step(1), k: () => step(-1), f: () => { location.hash = "#/"; },
    s: () => buttons()[0]?.click(), p: () => buttons()[1]?.click(), o: () => buttons()[2]?.click(),
    t: () => document.getElementById("theme").click(), "?": keys,
  }[event.key];
  if (work) { event.preventDefault(); work(); }
});
document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });

window.addEventListener("hashchange", show);
health();
setInterval(health, 15000);
const NAMES = { live: "live", lost: "connection lost" };
show().then(() => listen((news) => news !== shown && refresh(), (state) => {
  live.dataset.state = state;
  live.textContent = NAMES[state];
}));
