/* Draws the figures with controls of companion/explore.py from the numbers in the page.
   No library, no request, no inline script: it works from a folder and under a strict policy.
   The numbers were computed when the page was executed; this file only chooses and draws. */
"use strict";

const INKS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "currentColor"];
const DASHES = ["", "7 4", "8 3 2 3", "2 3", "12 3", "6 2 2 2 2 2", "2 2"];
// Twenty-five stops of the colour map cividis, as in the stills.
const CIVIDIS = [[0, 34, 78], [0, 42, 95], [0, 49, 112], [26, 56, 111], [42, 63, 109], [56, 71, 108],
  [67, 78, 108], [77, 85, 108], [87, 93, 109], [97, 101, 111], [106, 108, 113], [115, 116, 117],
  [125, 124, 120], [134, 131, 121], [145, 139, 120], [155, 148, 118], [165, 156, 116], [176, 165, 113],
  [188, 174, 108], [198, 182, 103], [210, 192, 96], [222, 201, 88], [233, 211, 78], [246, 221, 63],
  [254, 232, 56]];
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, text = "") {
  const svg = ["svg", "g", "rect", "path", "line", "text", "title"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== "") node.textContent = text;
  return node;
}

function cividis(part) {
  const place = Math.min(1, Math.max(0, part)) * (CIVIDIS.length - 1);
  const low = Math.min(CIVIDIS.length - 2, Math.floor(place));
  const mix = CIVIDIS[low].map((c, i) => Math.round(c + (place - low) * (CIVIDIS[low + 1][i] - c)));
  // Where black and white stand out equally, 4.5 to 1.
  return { fill: `rgb(${mix.join(",")})`, ink: part > 0.465 ? "#000" : "#fff" };
}

/** About five round numbers from low to high. */
function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const marks = [];
  for (let mark = Math.ceil(low / step - 1e-9) * step; mark <= high + 1e-9 * step; mark += step) {
    marks.push(Number(mark.toPrecision(6)));
  }
  return marks;
}

function axes(svg, data, width, height, xMarks) {
  const box = { left: 58, right: width - 12, top: 18, bottom: height - 44 };
  const [low, high] = data.limits;
  const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
  for (const mark of ticks(low, high)) {
    svg.append(make("line", { x1: box.left, x2: box.right, y1: y(mark), y2: y(mark), class: "grid" }));
    svg.append(make("text", { x: box.left - 6, y: y(mark) + 4, "text-anchor": "end" }, String(mark)));
  }
  for (const [place, label, lower = 0] of xMarks(box)) {
    svg.append(make("text", { x: place, y: box.bottom + 17 + lower, "text-anchor": "middle" }, label));
  }
  const middle = (box.top + box.bottom) / 2;
  svg.append(make("text", { x: 13, y: middle, "text-anchor": "middle",
    transform: `rotate(-90 13 ${middle})` }, data.ylabel));
  if (data.xlabel) {
    svg.append(make("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" },
      data.xlabel));
  }
  return { box, y };
}

function lines(svg, data, frame, width, height) {
  const first = data.x[0], span = data.x[data.x.length - 1] - first || 1;
  const place = (box, v) => box.left + ((v - first) / span) * (box.right - box.left);
  const marks = (box) => ticks(first, first + span).map((v) => [place(box, v), String(v)]);
  const { box, y } = axes(svg, data, width, height, marks);
  const names = Object.keys(frame);
  names.forEach((name, i) => {
    const points = frame[name].map((v, j) => {
      const up = Math.min(box.bottom, Math.max(box.top, y(v)));
      return `${place(box, data.x[j]).toFixed(1)},${up.toFixed(1)}`;
    });
    svg.append(make("path", { d: `M${points.join("L")}`, fill: "none", stroke: INKS[i % 7],
      "stroke-width": 2, "stroke-dasharray": DASHES[i % 7] }));
  });
  return names.map((name) => {
    const row = frame[name], peak = row.indexOf(Math.max(...row));
    return `${name || "line"}: largest ${row[peak]} at ${data.x[peak]}`;
  }).join("; ");
}

function bars(svg, data, frame, width, height) {
  const names = Object.keys(frame), count = data.categories.length;
  const slot = (box) => (box.right - box.left) / count;
  // Names that do not fit beside each other stand in two rows in turn.
  const longest = Math.max(...data.categories.map((c) => measured(c)));
  const crowded = longest > (width - 70) / count - 4;
  const marks = (box) => data.categories.map(
    (c, i) => [box.left + (i + 0.5) * slot(box), c, crowded && i % 2 ? 14 : 0]);
  const { box, y } = axes(svg, data, width, height, marks);
  const wide = (0.8 * slot(box)) / names.length;
  const zero = Math.min(box.bottom, Math.max(box.top, y(0)));
  names.forEach((name, i) => frame[name].forEach((value, j) => {
    const x = box.left + (j + 0.1) * slot(box) + i * wide;
    const top = Math.min(box.bottom, Math.max(box.top, y(value)));
    svg.append(make("rect", { x, y: Math.min(top, zero), width: wide, height: Math.abs(top - zero),
      fill: INKS[i % 7] }));
    if (wide > 30) {
      const beside = value < 0 ? Math.min(box.bottom - 2, top + 14) : top - 4;
      svg.append(make("text", { x: x + wide / 2, y: beside,
        "text-anchor": "middle" }, String(value)));
    }
  }));
  return names.map((name) => {
    const row = frame[name], peak = row.indexOf(Math.max(...row));
    return `${name ? `${name}: ` : ""}largest ${row[peak]} at ${data.categories[peak]}`;
  }).join("; ");
}

function heatmap(svg, data, frame, width, height, chosen) {
  const [low, high] = data.limits, rows = frame.rows.length, columns = frame.columns.length;
  const widest = Math.max(...frame.rows.map((label) => measured(label)));
  const longest = Math.max(...frame.columns.map((label) => measured(label)));
  const left = 26 + widest, size = Math.min(64, (width - left - 6) / columns);
  const tall = Math.min(34, Math.max(18, size)), turned = longest > size - 2;
  const foot = (turned ? 0.72 * longest + 10 : 18) + 22;
  svg.setAttribute("height", rows * tall + foot + 8);
  svg.setAttribute("viewBox", `0 0 ${width} ${rows * tall + foot + 8}`);
  frame.rows.forEach((label, r) => svg.append(make("text", { x: left - 6, y: 8 + (r + 0.5) * tall + 4,
    "text-anchor": "end", class: r === chosen[0] ? "chosen" : "" }, label)));
  frame.columns.forEach((label, c) => {
    const x = left + (c + 0.5) * size, y = rows * tall + (turned ? 18 : 24);
    svg.append(make("text", { x, y, "text-anchor": turned ? "end" : "middle",
      class: c === chosen[1] ? "chosen" : "",
      ...(turned ? { transform: `rotate(-45 ${x} ${y})` } : {}) }, label));
  });
  frame.cells.forEach((row, r) => row.forEach((value, c) => {
    const look = cividis((value - low) / (high - low || 1));
    const box = { x: left + c * size, y: 8 + r * tall, width: size, height: tall };
    const cell = make("rect", { ...box, fill: look.fill, "data-row": r, "data-column": c });
    svg.append(cell);
    if (size > 29) {
      svg.append(make("text", { x: box.x + size / 2, y: box.y + tall / 2 + 4, fill: look.ink,
        "text-anchor": "middle", class: "number" }, value.toFixed(data.digits)));
    }
  }));
  const [r, c] = chosen;
  svg.append(make("rect", { x: left + c * size, y: 8 + r * tall, width: size, height: tall,
    class: "cursor" }));
  svg.append(make("text", { x: left + (columns * size) / 2, y: rows * tall + foot + 2,
    "text-anchor": "middle" }, "key (looked at)"));
  svg.append(make("text", { x: 12, y: 8 + (rows * tall) / 2, "text-anchor": "middle",
    transform: `rotate(-90 12 ${8 + (rows * tall) / 2})` }, "query (looks)"));
  return `${frame.rows[r]} looks at ${frame.columns[c]}: ${frame.cells[r][c].toFixed(data.digits)}`;
}

let ruler = null;
function measured(text) {
  ruler = ruler || document.createElement("canvas").getContext("2d");
  ruler.font = "13px sans-serif";
  return ruler.measureText(text).width;
}

const KINDS = { lines, bars, heatmap };
let count = 0;

function explore(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const output = root.closest(".cell_output, .jp-OutputArea") || root.parentElement;
  const still = output.querySelector("img");
  const number = (count += 1);
  const places = unravel(data.start, data.controls.map((control) => control.values.length));
  const chosen = [0, 0];
  const panel = make("div", { class: "explore-controls" });
  const stage = make("div", { class: "explore-stage" });
  const status = make("p", { class: "explore-status", role: "status" });
  const legend = make("p", { class: "explore-legend", "aria-hidden": "true" });
  data.controls.forEach((control, i) => {
    const id = `explore-${number}-${i}`;
    const label = make("label", { for: id }, control.name);
    const shown = make("output", { for: id });
    const words = control.values.some((value) => typeof value !== "number");
    const input = words ? make("select", { id }) : make("input", { id, type: "range", min: 0,
      max: control.values.length - 1, step: 1 });
    if (words) control.values.forEach((value, j) => input.append(make("option", { value: j }, String(value))));
    input.value = String(places[i]);
    const tell = () => {
      places[i] = Number(input.value);
      if (!words) {
        shown.textContent = String(control.values[places[i]]);
        input.setAttribute("aria-valuetext", shown.textContent);
      }
    };
    input.addEventListener("input", () => { tell(); redraw(); });
    tell();
    const line = make("div");
    line.append(label, input, ...(words ? [] : [shown]));
    panel.append(line);
  });
  const alt = still ? still.getAttribute("alt") || "" : "";
  function redraw() {
    const width = Math.max(260, Math.min(640, stage.clientWidth || 640));
    const height = Math.round(Math.max(220, width * 0.52));
    const index = places.reduce((sum, p, i) => sum * data.controls[i].values.length + p, 0);
    const frame = data.frames[index];
    if (data.kind === "heatmap") {
      chosen[0] = Math.min(chosen[0], frame.rows.length - 1);
      chosen[1] = Math.min(chosen[1], frame.columns.length - 1);
    }
    const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
    const said = KINDS[data.kind](svg, data, frame, width, height, chosen);
    svg.setAttribute("aria-label", `${alt} Now: ${said}.`);
    stage.replaceChildren(svg);
    status.textContent = said;
    const names = data.kind === "heatmap" ? [] : Object.keys(frame).filter((name) => name);
    legend.replaceChildren(...names.map((name, i) => {
      const item = make("span", {}, name);
      item.style.setProperty("--ink", INKS[i % 7]);
      return item;
    }));
    legend.hidden = names.length < 2;
  }
  if (data.kind === "heatmap") {
    stage.setAttribute("tabindex", "0");
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", "Matrix; the arrow keys move from cell to cell");
    stage.addEventListener("pointermove", (event) => {
      const { row, column } = event.target.dataset || {};
      if (row === undefined || (Number(row) === chosen[0] && Number(column) === chosen[1])) return;
      [chosen[0], chosen[1]] = [Number(row), Number(column)];
      redraw();
    });
    stage.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      chosen[0] = Math.max(0, chosen[0] + move[0]);
      chosen[1] = Math.max(0, chosen[1] + move[1]);
      redraw();
    });
  }
  if (still) still.hidden = true;
  root.querySelector(".explore-note").hidden = true;
  if (data.title) root.append(make("p", { class: "explore-title" }, data.title));
  root.append(panel, stage, legend, status);
  redraw();
  new ResizeObserver(() => { if (stage.clientWidth) redraw(); }).observe(root);
}

function unravel(index, sizes) {
  const places = [];
  for (const size of [...sizes].reverse()) {
    places.unshift(index % size);
    index = Math.floor(index / size);
  }
  return places;
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("div.explore").forEach(explore);
});
