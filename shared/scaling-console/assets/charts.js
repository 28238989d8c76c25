// Charts of one group: lines, a band, and operations as marks. Loaded with the first group, not with the overview.

const script = new Promise((resolve, reject) => {
  const element = document.createElement("script");
  element.src = "/console/uplot.js";
  element.addEventListener("load", resolve);
  element.addEventListener("error", reject);
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = "/console/uplot.css";
  document.head.append(style, element);
});

import { el } from "./page.js";

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Waits for the library. */
export const ready = () => script;

/** Spans of one launch type, oldest first: `{type, from, to}`, in seconds. */
export function typeRuns(series) {
  const found = [];
  series.type.forEach((place, look) => {
    const at = series.at[look];
    const last = found.at(-1);
    if (last) last.to = at;
    if (last?.type !== series.types[place]) found.push({ type: series.types[place], from: at, to: at });
  });
  return found;
}

/** A chart in a panel of its own. `lines` is [[series, label, colour, format, options]]; `types` shades which type launched
 * when, and says what the marks of operations mean. */
export function chart(title, lines, { band, types, marks = true, zero = true } = {}) {
  const place = el("div", { class: "chart", role: "img" });
  const legend = el("ul", { class: "legend" });
  const panel = el("section", { class: "panel" }, el("h2", {}, title), place, legend);
  let plot = null;
  let seen = [];
  let runs = [];
  let target = 0.75;

  function options() {
    const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 } };
    return {
      width: Math.max(place.clientWidth, 200),
      height: 220,
      legend: { show: false },
      cursor: { sync: { key: "scaling" }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: { y: { range: (_, low, high) => range(zero ? Math.min(0, low ?? 0) : low, high, band) } },
      axes: [axis, { ...axis, size: 52, values: (_, ticks) => ticks.map(lines[0][3]) }],
      series: [{}, ...lines.map(([, label, ink, , more = {}]) => ({
        label, stroke: colour(ink), width: 2, points: { show: false }, spanGaps: false,
        ...(more.step ? { paths: window.uPlot.paths.stepped({ align: 1 }) } : {}),
        ...(more.dash ? { dash: [5, 4], width: 1.5 } : {}),
      }))],
      hooks: {
        drawAxes: [(chart) => band && shade(chart, target), (chart) => types && drawRuns(chart, runs)],
        draw: [(chart) => types && nameRuns(chart, runs), (chart) => marks && drawMarks(chart, seen)],
        setCursor: [(chart) => tell(chart)],
      },
    };
  }

  function tell(chart) {
    const at = chart.cursor.idx ?? chart.data[0].length - 1;
    const values = lines.map(([, label, ink, format], line) => {
      const value = chart.data[line + 1][at];
      const swatch = el("i", { colour: colour(ink), "aria-hidden": "true" });
      return el("li", {}, swatch, `${label} `, el("b", {}, value === null || value === undefined ? "–" : format(value)));
    });
    if (types) {
      const run = runs.findLast((one) => one.from <= chart.data[0][at]);
      values.push(el("li", {}, "type ", el("b", {}, run?.type ?? "–")), el("li", {}, "▲ up  ▼ down  ◆ another type"));
    }
    legend.replaceChildren(...values);
  }

  new ResizeObserver(() => plot?.setSize({ width: Math.max(place.clientWidth, 200), height: 220 })).observe(place);
  return {
    panel,
    /** Draws anew, as after a change of theme. */
    restyle() {
      const data = plot?.data;
      plot?.destroy();
      plot = null;
      if (data) this.draw(data);
    },
    draw(data) {
      if (plot) plot.setData(data, true);
      else plot = new window.uPlot(options(), data, place);
      tell(plot);
    },
    update(series, groupMarks, targetLoad) {
      seen = groupMarks;
      target = targetLoad ?? target;
      const data = [series.at, ...lines.map(([name]) => series[name])];
      const last = (name) => series[name].at(-1);
      runs = types ? typeRuns(series) : [];
      const said = lines.map(([name, label, , format]) => `${label} ${last(name) === null ? "unknown" : format(last(name))}`);
      if (runs.length) said.push(`type ${runs.at(-1).type}`);
      place.setAttribute("aria-label", `${title}: now ${said.join(", ")}`);
      this.draw(data);
    },
  };
}

/** Loads are cut at twice the limit: a response time may be twenty times over it for a minute, and would flatten the rest. */
function range(low, high, band) {
  const top = band ? Math.min(Math.max(high ?? 1, 1.1), 2) : high ?? 1;
  return [low ?? 0, top === low ? top + 1 : top * 1.05];
}

/** The band between the load that capacity is sized for and the limit, and what is over the limit. */
function shade(chart, target) {
  const { ctx, bbox } = chart;
  const y = (value) => Math.max(bbox.top, Math.min(bbox.top + bbox.height, chart.valToPos(value, "y", true)));
  const fill = (from, to, ink) => {
    ctx.fillStyle = colour(ink);
    ctx.fillRect(bbox.left, y(to), bbox.width, y(from) - y(to));
  };
  ctx.save();
  fill(target, 1, "band");
  fill(1, chart.scales.y.max, "over");
  ctx.strokeStyle = colour("bad");
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y(1));
  ctx.lineTo(bbox.left + bbox.width, y(1));
  ctx.stroke();
  ctx.restore();
}

/** A tint behind each span of a type, every other one stronger, and a line where it begins. */
function drawRuns(chart, runs) {
  const { ctx, bbox } = chart;
  ctx.save();
  for (const [place, { left, right }] of extents(chart, runs).entries()) {
    ctx.fillStyle = colour(place % 2 ? "type-other" : "type");
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    if (!place) continue;
    ctx.strokeStyle = colour("memory");
    ctx.setLineDash([2, 3]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** The name of each type at the foot of its span, where it has the room. */
function nameRuns(chart, runs) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  ctx.fillStyle = colour("soft");
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  for (const { type, left, right } of extents(chart, runs)) {
    const room = right - left - 8 * devicePixelRatio;
    if (ctx.measureText(type).width > room) continue;
    ctx.fillText(type, left + 4 * devicePixelRatio, bbox.top + bbox.height - 5 * devicePixelRatio);
  }
  ctx.restore();
}

/** The spans with their edges on the canvas, as far as they are in sight. */
function extents(chart, runs) {
  const { bbox } = chart;
  const x = (at) => Math.max(bbox.left, Math.min(bbox.left + bbox.width, chart.valToPos(at, "x", true)));
  return runs.map((run) => ({ ...run, left: x(run.from), right: x(run.to) }));
}

const GLYPHS = { up: "▲", down: "▼", retype: "◆" };

/** Operations where they were planned: a thin line, and a glyph that says which kind. */
function drawMarks(chart, marks) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  ctx.textAlign = "center";
  ctx.setLineDash([]);
  for (const mark of marks) {
    const at = new Date(mark.at).getTime() / 1000;
    if (at < chart.scales.x.min || at > chart.scales.x.max) continue;
    const x = chart.valToPos(at, "x", true);
    const ink = mark.phase === "failed" || mark.phase === "rolled_back" ? "bad" : mark.kind === "retype" ? "memory" : "soft";
    ctx.strokeStyle = ctx.fillStyle = colour(ink);
    ctx.globalAlpha = mark.kind === "retype" ? 0.9 : 0.45;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.fillText(GLYPHS[mark.kind] ?? "•", x, bbox.top + 10 * devicePixelRatio);
  }
  ctx.restore();
}
