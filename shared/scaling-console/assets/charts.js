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

/** A chart in a panel of its own. `lines` is [[series, label, colour, format, options]]. */
export function chart(title, lines, { band, marks = true, zero = true } = {}) {
  const place = el("div", { class: "chart", role: "img" });
  const legend = el("ul", { class: "legend" });
  const panel = el("section", { class: "panel" }, el("h2", {}, title), place, legend);
  let plot = null;
  let seen = [];
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
        drawAxes: [(chart) => band && shade(chart, target)],
        draw: [(chart) => marks && drawMarks(chart, seen)],
        setCursor: [(chart) => tell(chart)],
      },
    };
  }

  function tell(chart) {
    const at = chart.cursor.idx ?? chart.data[0].length - 1;
    legend.replaceChildren(...lines.map(([, label, ink, format], line) => {
      const value = chart.data[line + 1][at];
      const swatch = el("i", { colour: colour(ink), "aria-hidden": "true" });
      return el("li", {}, swatch, `${label} `, el("b", {}, value === null || value === undefined ? "–" : format(value)));
    }));
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
      const said = lines.map(([name, label, , format]) => `${label} ${last(name) === null ? "unknown" : format(last(name))}`);
      place.setAttribute("aria-label", `${title}: now ${said.join(", ")}`);
      this.draw(data);
    },
  };
}

function range(low, high, band) {
  const top = Math.max(high ?? 1, band ? 1.1 : 0);
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
