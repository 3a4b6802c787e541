// Draws the plots, toggles the confusion matrix, sorts tables. No script runs on this page but this one and plotly.js.
"use strict";

const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function themed(figure) {
  const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line") };
  const data = figure.data.map((trace) =>
    trace.type === "heatmap" ? { ...trace, textfont: { color: colour("--ink"), size: 11 } } : trace,
  );
  const layout = {
    margin: { l: 60, r: 16, t: 12, b: 52 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    dragmode: false,
    ...figure.layout,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: colour("--ink") },
    hoverlabel: { align: "left" },
    xaxis: { ...axis, ...figure.layout.xaxis },
    yaxis: { ...axis, ...figure.layout.yaxis },
  };
  const box = { bgcolor: colour("--card"), bordercolor: colour("--line"), activecolor: colour("--accent") };
  if (layout.scene) {
    const side = { ...axis, backgroundcolor: "rgba(0,0,0,0)", zerolinecolor: colour("--line") };
    for (const name of ["xaxis", "yaxis", "zaxis"]) layout.scene[name] = { ...side, ...layout.scene[name] };
    delete layout.xaxis;
    delete layout.yaxis;
  }
  if (layout.sliders) layout.sliders = layout.sliders.map((slider) => ({ ...box, ...slider }));
  if (layout.updatemenus) layout.updatemenus = layout.updatemenus.map((menu) => ({ ...menu, bgcolor: box.bgcolor, bordercolor: box.bordercolor }));
  return { data, layout, frames: figure.frames || [], config: { responsive: true, displayModeBar: false } };
}

function draw() {
  for (const place of document.querySelectorAll("[data-figure]")) {
    Plotly.react(place, themed(figures[place.dataset.figure]));
  }
}

function chooseConfusion(event) {
  const counts = event.target.value === "counts";
  figures.confusion.data.forEach((trace, index) => {
    trace.visible = index < 2 === counts;
  });
  draw();
}

// Numbers bear their exact value; other cells are ordered as text, in which "E9" comes before "E10".
function compare(first, second) {
  if ("value" in first.dataset) return first.dataset.value - second.dataset.value;
  return first.textContent.localeCompare(second.textContent, undefined, { numeric: true });
}

function sortTable(button) {
  const head = button.closest("th");
  const body = head.closest("table").tBodies[0];
  const falling = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const cells = new Map([...body.rows].map((row) => [row, row.cells[head.cellIndex]]));
  const rows = [...cells.keys()].sort((first, second) => compare(cells.get(first), cells.get(second)));
  body.append(...(falling ? rows.reverse() : rows));
}

draw();
dark.addEventListener("change", draw);
for (const choice of document.querySelectorAll("input[name=confusion]")) {
  choice.addEventListener("change", chooseConfusion);
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortTable(button));
}
