"use strict";
// What is far down the page is made when it comes near the screen: a page of hundreds of runs opens at once.
const NARROW = window.innerWidth < 700;
const content = (place) => JSON.parse(place.nextElementSibling.textContent);

// Below 700 pixels, panels that lie beside each other are put below each other, and a finger scrolls the page.
const PANEL = { height: 300, title: 40, axis: 60, line: 110 };

function panels(layout) {
  const number = (name) => Number(name.slice("xaxis".length) || 1);
  return Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name)).sort((a, b) => number(a) - number(b));
}

// A matrix of classes needs room for their names.
function panelSize(figure) {
  const names = figure.data[0].type === "heatmap" ? figure.layout.xaxis.ticktext || [] : [];
  const longest = Math.max(0, ...names.map((name) => name.length));
  return { height: PANEL.height + 12 * Math.max(0, names.length - 10) + 6 * longest, axis: PANEL.axis + 6 * longest };
}

function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= width) lines.push("");
    lines[lines.length - 1] += `${lines.at(-1) ? " " : ""}${word}`;
  }
  return lines;
}

function stack(figure) {
  const layout = figure.layout;
  const title = wrap(layout.title?.text || "", 42);
  layout.title.text = title.join("<br>");
  Object.assign(layout.title, { font: { size: 14 }, xref: "container", x: 0.02 });
  layout.margin.t = (figure.data[0].type === "parcoords" ? 60 : 24) + 18 * title.length;
  const entries = figure.data.filter((each) => each.name && each.showlegend !== false);
  layout.legend.orientation = "v";
  layout.margin.b = 50 + 20 * entries.length;
  const axes = panels(layout);
  const panel = panelSize(figure);
  if (axes.length < 2) {
    layout.height = Math.max(layout.height, 300 + layout.margin.t + layout.margin.b - 100);
    if (figure.data[0].type === "parcoords") {
      layout.height = 440;
      layout.width = Math.max(window.innerWidth - 32, PANEL.line * figure.data[0].dimensions.length);
    }
  } else {
    const whole = axes.length * panel.height;
    axes.forEach((name, place) => {
      const top = whole - place * panel.height;
      layout[name].domain = [0, 1];
      const vertical = layout[name.replace("x", "y")];
      vertical.domain = [(top - panel.height + panel.axis) / whole, (top - PANEL.title) / whole];
      vertical.showticklabels = true;
      vertical.title = vertical.title?.text ? vertical.title : layout.yaxis.title;
      const label = (layout.annotations || [])[place];
      if (label) Object.assign(label, { x: 0.5, y: (top - PANEL.title + 4) / whole, yanchor: "bottom" });
    });
    layout.height = whole + layout.margin.t + layout.margin.b - panel.axis;
  }
  layout.dragmode = false;
  axes.forEach((name) => {
    if (layout[name].tickvals?.length > 5 && layout[name].ticktext.join("").length > 20) {
      layout[name].ticktext = layout[name].ticktext.map((text, place) => (place % 2 ? "" : text));
    }
    layout[name].fixedrange = true;
    layout[name.replace("x", "y")].fixedrange = true;
  });
  return figure;
}

function draw(place) {
  const figure = NARROW ? stack(content(place)) : content(place);
  const bar = { displayModeBar: NARROW ? false : "hover", modeBarButtons: [["toImage"]] };
  place.style.minHeight = "";
  Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displaylogo: false, ...bar });
}

const images = JSON.parse(document.querySelector("#images").textContent);

function hang(place) {
  for (const [key, title, ...lines] of content(place)) {
    const figure = document.createElement("figure");
    const image = Object.assign(new Image(), { src: images[key], alt: title });
    const caption = document.createElement("figcaption");
    [title, ...lines].forEach((line, number) => {
      const span = document.createElement(number ? "div" : "b");
      span.textContent = line;
      caption.append(span);
    });
    figure.append(image, caption);
    place.append(figure);
  }
}

const near = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    near.unobserve(target);
    (target.matches(".chart") ? draw : hang)(target);
  }),
  { rootMargin: "600px" },
);
document.querySelectorAll(".chart, .gallery").forEach((place) => near.observe(place));

// Tables: sorted by a click on a heading, by number where the cells begin with one; seeds stay below their recipe.
const number = (text) => parseFloat(text.replaceAll(",", ""));

function compare(a, b) {
  const [x, y] = [number(a), number(b)];
  if (Number.isNaN(x) && Number.isNaN(y)) return a.localeCompare(b);
  return Number.isNaN(x) ? 1 : Number.isNaN(y) ? -1 : x - y;
}

function sort(heading) {
  const column = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") === "ascending";
  [...heading.parentElement.cells].forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const table = heading.closest("table");
  const order = (rows) => rows.sort((a, b) => (down ? -1 : 1) * compare(a.cells[column].innerText, b.cells[column].innerText));
  order([...table.tBodies].map((body) => body.rows[0])).forEach((row) => table.append(row.parentElement));
  [...table.tBodies].forEach((body) => body.append(...order([...body.rows].slice(1))));
}

function unfold(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", open);
  [...button.closest("tbody").rows].slice(1).forEach((row) => { row.hidden = !open; });
}

function markdown(table) {
  const marks = { BR: () => "<br>", B: (node) => `**${node.textContent}**` };
  const shown = (node) => (marks[node.nodeName] ? marks[node.nodeName](node) : node.textContent);
  const whole = (cell) => [...cell.childNodes].map(shown).join("");
  const text = (cell) => (cell.querySelector("code")?.title || whole(cell)).replaceAll("|", "\\|");
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const head = [...table.tHead.rows].at(-1).cells;
  const rows = [...table.rows].filter((row) => row.parentElement !== table.tHead && !row.hidden);
  const names = [...head].map((cell) => cell.dataset.name);
  return [line(names), line(names.map(() => "---")), ...rows.map((row) => line([...row.cells].map(text)))].join("\n");
}

async function copy(button) {
  const text = markdown(button.previousElementSibling.querySelector("table"));
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    window.prompt("Copy:", text);
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.matches("th button")) sort(target.parentElement);
  if (target.matches(".open")) unfold(target);
  if (target.matches(".copy")) copy(target);
});
